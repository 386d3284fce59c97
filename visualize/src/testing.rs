//! Graphs for tests: the federated learning step as the examples record it, from small stand-ins
//! for the ops of the crate `ops`.

use std::sync::Arc;

use sordino_graph::{
    AttributeKind, Element, Fixed, Graph, Node, OpSpec, Place, PlayerName, Recording, Role, Setup,
    Shape, Stage, Type, TypeRule, Value, record, transfer,
};

const fn op(
    name: &'static str,
    role: Role,
    attributes: &'static [(&'static str, AttributeKind)],
    infer: TypeRule,
) -> OpSpec {
    OpSpec { name, role, attributes, infer, gradient: None }
}

const VARIABLE: (&str, AttributeKind) = ("variable", AttributeKind::Text);
static READ: &[(&str, AttributeKind)] = &[VARIABLE, ("type", AttributeKind::Type)];

static READ_VARIABLE: OpSpec = op("read_variable", Role::ReadVariable, READ, |s| {
    Ok(s.attributes.ty("type").cloned().into_iter().collect())
});
static DATA: OpSpec = op("training_batch", Role::PrivateInput, &[], |_| {
    let images = Shape::new(&[128, 784]).unwrap();
    let labels = Shape::new(&[128]).unwrap();
    Ok(vec![Type::plain(Element::F32, images), Type::plain(Element::I32, labels)])
});
static MATMUL: OpSpec = op("matmul", Role::Compute, &[], |s| Ok(vec![s.inputs[1].clone()]));
pub(crate) static ENCODE: OpSpec = op("encode", Role::Compute, &[], |s| {
    Ok(vec![Type { element: Element::Fixed(Fixed::LOW), ..s.inputs[0].clone() }])
});
pub(crate) static SHARE: OpSpec = op("share", Role::Share, &[], |s| {
    Ok(vec![Type::secret(Fixed::LOW, s.inputs[0].shape.clone())])
});
pub(crate) static ADD_N: OpSpec = op("add_n", Role::Sum, &[], |s| Ok(vec![s.inputs[0].clone()]));
static SCALE: OpSpec = op("scale", Role::Scale, &[], |s| Ok(vec![s.inputs[0].clone()]));
pub(crate) static REVEAL: OpSpec = op("reveal", Role::Reveal, &[], |s| {
    Ok(vec![Type::plain(Element::F32, s.inputs[0].shape.clone())])
});
static DESCEND: OpSpec = op("descend", Role::AssignVariable, &[VARIABLE], |_| Ok(vec![]));
pub(crate) static NORMAL: OpSpec = op("random_normal", Role::PrivateInput, &[], |_| {
    Ok(vec![Type::plain(Element::F32, Shape::new(&[10]).unwrap())])
});

pub(crate) fn player(name: &str) -> PlayerName {
    PlayerName::new(name).unwrap()
}

const SERVERS: [&str; 3] = ["server0", "server1", "server2"];
const OWNERS: [&str; 3] = ["train-data-owner-0", "train-data-owner-1", "train-data-owner-2"];

fn setup() -> Setup {
    let names = ["model-owner"].into_iter().chain(OWNERS).chain(SERVERS);
    Setup::new(names.map(player))
        .secure("ABY3", SERVERS.map(player), Fixed::LOW)
        .reveal(&player("model-owner"), 3)
        .release(&player("model-owner"))
}

/// The training step of network_a.
pub(crate) fn training() -> Graph {
    record("federated_training", &setup(), |g| {
        let weights = g.scope("parameters", || parameters(g));
        let shared: Vec<_> = OWNERS
            .iter()
            .map(|owner| g.scope("private-input", || private_input(g, &player(owner), &weights)))
            .collect();
        let means: Vec<_> = g.scope("secure_aggregation", || {
            let sums = (0..weights.len()).map(|w| {
                let parts = shared.iter().map(|of_owner| of_owner[w]);
                let sum = g.op(&ADD_N).inputs(parts).at(Place::Secure).build();
                g.op(&SCALE).input(sum).build()
            });
            sums.collect()
        });
        g.scope("output", || {
            for (w, mean) in means.into_iter().enumerate() {
                let mean = g.op(&REVEAL).input(mean).at(player("model-owner")).build();
                g.op(&DESCEND).attr("variable", format!("w{w}").as_str()).input(mean).finish();
            }
        });
    })
    .unwrap()
}

fn parameters<'r>(g: &Recording<'r>) -> Vec<Value<'r>> {
    let shapes: [&[usize]; 6] = [&[784, 128], &[128], &[128, 128], &[128], &[128, 10], &[10]];
    let read = shapes.iter().enumerate().map(|(w, axes)| {
        let ty = Type::plain(Element::F32, Shape::new(axes).unwrap());
        let read = g.op(&READ_VARIABLE).attr("variable", format!("w{w}").as_str()).attr("type", ty);
        read.at(player("model-owner")).build()
    });
    read.collect()
}

fn private_input<'r>(
    g: &Recording<'r>,
    owner: &PlayerName,
    weights: &[Value<'r>],
) -> Vec<Value<'r>> {
    let data = g.scope("data_loading", || g.op(&DATA).at(owner).build_all());
    let gradients: Vec<_> = g.scope("gradient_computation", || {
        let weights = weights.iter().map(|&w| transfer(w, owner)).collect::<Vec<_>>();
        weights.iter().map(|&w| g.op(&MATMUL).inputs([data[0], w, data[1]]).build()).collect()
    });
    let encoded: Vec<_> = gradients.into_iter().map(|x| g.op(&ENCODE).input(x).build()).collect();
    encoded.into_iter().map(|x| g.op(&SHARE).input(x).at(Place::Secure).build()).collect()
}

/// A lowered graph with `counts` nodes of each server in the scope `secure_aggregation`.
pub(crate) fn lowered(counts: [usize; 3]) -> Graph {
    let mut graph = Graph::new("federated_training", Arc::new(setup()), Stage::Lowered);
    let all = SERVERS.iter().zip(counts).flat_map(|(name, n)| std::iter::repeat_n(name, n));
    for server in all {
        push(&mut graph, &NORMAL, "secure_aggregation", server);
    }
    push(&mut graph, &NORMAL, "private-input/share", "server0");
    graph
}

/// Appends a node without inputs, in any scope at all.
pub(crate) fn push(graph: &mut Graph, op: &'static OpSpec, scope: &str, at: &str) {
    graph.push(Node {
        op,
        attributes: Default::default(),
        inputs: Vec::new(),
        after: Vec::new(),
        outputs: vec![Type::plain(Element::F32, Shape::scalar())],
        place: player(at).into(),
        scope: scope.into(),
        source: None,
    });
}

/// A program without scopes: two players share, the servers add, a third player learns the sum.
pub(crate) fn simple() -> Graph {
    let names = ["inputter-0", "inputter-1", "result-receiver"].into_iter().chain(SERVERS);
    let setup = Setup::new(names.map(player)).secure("ABY3", SERVERS.map(player), Fixed::LOW);
    record("simple_average", &setup, |g| {
        let share = |name| {
            let x = g.op(&NORMAL).at(player(name)).build();
            g.op(&SHARE).input(x).at(Place::Secure).build()
        };
        let parts = [share("inputter-0"), share("inputter-1")];
        let sum = g.op(&ADD_N).inputs(parts).build();
        let mean = g.op(&SCALE).input(sum).build();
        g.op(&REVEAL).input(mean).at(player("result-receiver")).build();
    })
    .unwrap()
}
