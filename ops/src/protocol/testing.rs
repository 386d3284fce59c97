//! What the tests of protocols share: programs on secrets, lowered and run without a session.

use std::collections::BTreeMap;

use sordino_graph::{Element, Fixed, Graph, Recording, Setup, Shape, Type, Value, record};

use crate::kernel::{Context, KernelError};
use crate::op::{self, publish, read_variable, reveal, share};
use crate::plan::Plan;
use crate::testing::{Own, player};
use crate::value::Tensor;

/// A function of secrets.
pub(crate) type Formula<'f> = dyn for<'r> Fn(&Recording<'r>, &[Value<'r>]) -> Value<'r> + 'f;

/// A setup in which `owner` shares, and may learn everything.
pub(crate) fn setup(protocol: &str, fixed: Fixed) -> Setup {
    let names = ["owner", "s0", "s1", "s2"].map(player);
    let setup = Setup::new(names.clone()).secure(protocol, names[1..].to_vec(), fixed);
    names.iter().fold(setup, |setup, name| setup.reveal(name, 1).release(name))
}

/// The plan that shares the `inputs` (shapes and elements), computes the formula and reveals.
pub(crate) fn plan(setup: &Setup, inputs: &[(&[usize], Vec<f64>)], formula: &Formula<'_>) -> Plan {
    let owner = player("owner");
    let graph = record("formula", setup, |g| {
        let secrets: Vec<_> = (0..)
            .zip(inputs)
            .map(|(i, (axes, _))| {
                let ty = Type::plain(Element::F64, Shape::new(axes).unwrap());
                share(read_variable(g, &owner, &format!("x{i}"), &ty))
            })
            .collect();
        publish("result", reveal(formula(g, &secrets), &owner));
    });
    Plan::new(graph.unwrap()).unwrap()
}

/// What the formula gives under a protocol.
pub(crate) fn revealed(
    protocol: &str,
    fixed: Fixed,
    inputs: &[(&[usize], Vec<f64>)],
    formula: &Formula<'_>,
) -> Vec<f64> {
    let plan = plan(&setup(protocol, fixed), inputs, formula);
    let mut players = Players::default();
    for (i, (axes, elements)) in inputs.iter().enumerate() {
        let value = Tensor::f64(&Shape::new(axes).unwrap(), elements.clone());
        players.set("owner", &format!("x{i}"), value);
    }
    players.run(&plan.lowered).unwrap();
    players.published().remove(0)
}

/// The players of a lowered graph, each with variables of its own.
#[derive(Default)]
pub(crate) struct Players(BTreeMap<String, Own>);

impl Players {
    /// Sets a variable of a player.
    pub(crate) fn set(&mut self, player: &str, name: &str, value: Tensor) {
        let own = self.0.entry(player.to_owned()).or_default();
        own.variables.lock().unwrap().insert(name.to_owned(), value);
    }

    /// Runs every node on its player, in the order of the graph.
    pub(crate) fn run(&mut self, graph: &Graph) -> Result<(), KernelError> {
        let mut values: Vec<Vec<Tensor>> = Vec::new();
        for (_, node) in graph.nodes() {
            let inputs: Vec<Tensor> = node
                .inputs
                .iter()
                .map(|p| values[p.node.index()][p.slot as usize].clone())
                .collect();
            let at = node.place.player().unwrap().to_string();
            let host = self.0.entry(at).or_default();
            let outputs = match op::op(node.op.name) {
                Some(op) => (op.kernel)(&Context { node, step: 0, host }, inputs)?,
                None => inputs,
            };
            assert_eq!(outputs.len(), node.outputs.len(), "{}", node.op.name);
            for (value, ty) in outputs.iter().zip(&node.outputs) {
                assert!(value.fits(ty), "{} gives {value:?}, not {ty}", node.op.name);
            }
            values.push(outputs);
        }
        Ok(())
    }

    /// What all players published.
    pub(crate) fn published(&mut self) -> Vec<Vec<f64>> {
        let published = self.0.values_mut().map(|own| own.published.get_mut().unwrap());
        published.flat_map(std::mem::take).collect()
    }
}
