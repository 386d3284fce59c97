//! Reverse-mode differentiation, as more nodes of the same graph.

use std::collections::HashMap;

use crate::graph::{NodeId, Port};
use crate::op::OpSpec;
use crate::record::{Backward, Value};

/// The ops that differentiation itself needs, which the crate of ops provides.
#[derive(Debug, Clone, Copy)]
pub struct GradientOps {
    /// A tensor of ones of the type of its input: the gradient of the loss by itself.
    pub ones_like: &'static OpSpec,
    /// The sum of all inputs: gradients of a value with several readers.
    pub sum: &'static OpSpec,
}

/// Records the gradients of the scalar `loss` by each of `variables`, on the players where the
/// values themselves are.
///
/// Every op between a variable and the loss must have a gradient rule. Gradients are summed in
/// the order in which the readers of a value were recorded, so that equal recordings give equal
/// graphs. Source: reverse accumulation, Griewank and Walther, *Evaluating Derivatives* (2008),
/// chapter 3.
#[track_caller]
pub fn gradients<'r>(ops: GradientOps, loss: Value<'r>, variables: &[Value<'r>]) -> Vec<Value<'r>> {
    loss.recording().here(|| recorded(ops, loss, variables))
}

fn recorded<'r>(ops: GradientOps, loss: Value<'r>, variables: &[Value<'r>]) -> Vec<Value<'r>> {
    let recording = loss.recording();
    let Some(root) = loss.port() else { return variables.to_vec() };
    if loss.ty().is_some_and(|ty| ty.shape.elements() != 1) {
        recording.fault("gradients", "takes a loss of one element");
        return variables.to_vec();
    }
    let wanted: Vec<Port> = variables.iter().filter_map(Value::port).collect();
    let depends = depending_nodes(loss, &wanted);

    let mut partial: HashMap<Port, Vec<Value<'r>>> = HashMap::new();
    partial.insert(root, vec![recording.op(ops.ones_like).input(loss).build()]);
    for id in (0..=root.node.index()).rev().map(NodeId::new) {
        if !depends[id.index()] {
            continue;
        }
        let node = recording.with_graph(|graph| graph.node(id).clone());
        let outputs: Vec<Port> =
            (0..node.outputs.len()).map(|slot| Port { node: id, slot: slot as u32 }).collect();
        let summed: Vec<_> = outputs.iter().map(|&port| sum(ops, &mut partial, port)).collect();
        let reached = node.inputs.iter().any(|input| depends[input.node.index()]);
        if !reached || summed.iter().all(Option::is_none) {
            continue;
        }
        let Some(rule) = node.op.gradient else {
            recording.fault(node.op.name, "has no gradient, and stands between loss and variable");
            return variables.to_vec();
        };
        let backward = Backward {
            inputs: node.inputs.iter().map(|&port| recording.value(port)).collect(),
            outputs: outputs.iter().map(|&port| recording.value(port)).collect(),
            gradients: summed,
            attributes: node.attributes.clone(),
            recording,
        };
        for (&input, gradient) in node.inputs.iter().zip(rule(&backward)) {
            if let Some(gradient) = gradient.filter(|_| depends[input.node.index()]) {
                partial.entry(input).or_default().push(gradient);
            }
        }
    }
    let mut finish = |variable: &Value<'r>| {
        let gradient = sum(ops, &mut partial, variable.port()?);
        if gradient.is_none() {
            recording.fault("gradients", format!("the loss does not depend on {variable:?}"));
        }
        gradient
    };
    variables.iter().map(|variable| finish(variable).unwrap_or(*variable)).collect()
}

/// For every node recorded so far, whether it is, or depends on, one of `wanted`.
fn depending_nodes(loss: Value<'_>, wanted: &[Port]) -> Vec<bool> {
    loss.recording().with_graph(|graph| {
        let mut depends = vec![false; graph.len()];
        for (id, node) in graph.nodes() {
            depends[id.index()] = wanted.iter().any(|port| port.node == id)
                || node.inputs.iter().any(|port| depends[port.node.index()]);
        }
        depends
    })
}

/// The sum of the gradients that have come in for a port, which stays as the only one.
fn sum<'r>(
    ops: GradientOps,
    partial: &mut HashMap<Port, Vec<Value<'r>>>,
    port: Port,
) -> Option<Value<'r>> {
    let parts = partial.get_mut(&port)?;
    if parts.len() > 1 {
        // They came in from the last reader to the first.
        let recording = parts[0].recording();
        let total = recording.op(ops.sum).inputs(parts.drain(..).rev()).build();
        parts.push(total);
    }
    parts.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Recording;
    use crate::testing::{ADD, HALVES, NEGATE, ONES_LIKE, OPAQUE, add, name, negate, setup};
    use crate::{print, record};

    const OPS: GradientOps = GradientOps { ones_like: &ONES_LIKE, sum: &ADD };

    fn scalar<'r>(g: &Recording<'r>) -> Value<'r> {
        g.op(&crate::testing::ZEROS).attr("shape", &[0usize; 0][..]).at(name("a")).build()
    }

    fn check(program: impl Fn(&Recording<'_>), expect: &str) {
        let graph = record("t", &setup(), |g| program(g)).unwrap();
        let text = print(&graph);
        let nodes = text.lines().filter(|line| line.starts_with("  %")).map(|line| {
            let (node, _) = line.split_once(" :").unwrap();
            node.trim()
        });
        assert_eq!(nodes.collect::<Vec<_>>().join("; "), expect);
    }

    #[test]
    fn gradients_flow_back_and_are_summed_in_program_order() {
        // d(-x) = -1
        check(
            |g| {
                let x = scalar(g);
                let gradient = gradients(OPS, negate(x), &[x])[0];
                assert_eq!(gradient.port().unwrap().node, NodeId::new(3));
            },
            "%0 = zeros[shape=[]](); %1 = negate(%0); %2 = ones_like(%1); %3 = negate(%2)",
        );
        // Of -x + x + y by x and y, and by a value in between.
        check(
            |g| {
                let (x, y) = (scalar(g), scalar(g));
                let negative = negate(x);
                let result = gradients(OPS, add(&[negative, x, y]), &[y, x, negative]);
                let nodes = result.iter().map(|value| value.port().unwrap().node.index());
                assert_eq!(nodes.collect::<Vec<_>>(), [4, 6, 4]);
            },
            "%0 = zeros[shape=[]](); %1 = zeros[shape=[]](); %2 = negate(%0); \
             %3 = add_n(%2, %0, %1); %4 = ones_like(%3); %5 = negate(%4); %6 = add_n(%5, %4)",
        );
        // The loss by itself is one; what does not lead to a variable gets no gradient.
        check(
            |g| {
                let (x, loss) = (scalar(g), scalar(g));
                let loss = add(&[g.op(&OPAQUE).input(x).build(), loss]);
                gradients(OPS, loss, &[loss]);
            },
            "%0 = zeros[shape=[]](); %1 = zeros[shape=[]](); %2 = opaque(%0); \
             %3 = add_n(%2, %1); %4 = ones_like(%3)",
        );
        // One output of two leads to the loss.
        check(
            |g| {
                let x = scalar(g);
                let halves = g.op(&HALVES).input(x).build_all();
                gradients(OPS, negate(halves[0]), &[x]);
            },
            "%0 = zeros[shape=[]](); %1 = halves(%0); %2 = negate(%1); %3 = ones_like(%2); \
             %4 = negate(%3)",
        );
    }

    fn fails(program: impl Fn(&Recording<'_>), expect: &str) {
        let error = record("t", &setup(), |g| program(g)).unwrap_err();
        let [fault] = &error.faults[..] else { panic!("{error}") };
        assert_eq!(format!("{} {}", fault.op, fault.message), expect);
        assert_eq!(&*fault.source.file, file!());
    }

    #[test]
    fn what_has_no_gradient_is_a_fault() {
        fails(
            |g| {
                let x = crate::testing::input(g, "a");
                assert_eq!(gradients(OPS, negate(x), &[x])[0].port(), x.port());
            },
            "gradients takes a loss of one element",
        );
        fails(
            |g| {
                let x = scalar(g);
                gradients(OPS, negate(g.op(&OPAQUE).input(x).build()), &[x]);
            },
            "opaque has no gradient, and stands between loss and variable",
        );
        fails(
            |g| {
                let x = scalar(g);
                gradients(OPS, negate(scalar(g)), &[x]);
            },
            "gradients the loss does not depend on %0",
        );
        // A faulty loss has its fault already.
        fails(
            |g| {
                let x = scalar(g);
                let faulty = g.op(&NEGATE).input(x).input(x).build();
                gradients(OPS, faulty, &[x]);
            },
            "negate takes 1 inputs, not 2",
        );
    }
}
