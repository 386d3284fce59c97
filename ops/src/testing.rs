//! What the tests of ops share: programs of one player, run without a session.

use std::collections::BTreeMap;
use std::sync::Mutex;

use sordino_graph::{
    AttributeKind, Element, Fixed, Graph, PlayerName, Recording, Role, Secrecy, Setup, Shape, Type,
    Value, record,
};

use crate::data::random::SplitMix64;
use crate::data::store::BatchRequest;
use crate::kernel::{Context, Host, KernelError, Op};
use crate::op::{self, gradients, matmul, publish, read_variable, reshape};
use crate::tensor::pad::{Pad, PadId, PadKey};
use crate::value::{Elements, Tensor};

/// The player on which tests compute.
pub(crate) fn me() -> PlayerName {
    player("me")
}

pub(crate) fn player(name: &str) -> PlayerName {
    PlayerName::new(name).unwrap()
}

pub(crate) fn shape(axes: &[usize]) -> Shape {
    Shape::new(axes).unwrap()
}

/// An f32 tensor.
pub(crate) fn floats(axes: &[usize], elements: &[f32]) -> Tensor {
    Tensor::f32(&shape(axes), elements.to_vec())
}

/// The variable `name`, of floats.
pub(crate) fn input<'r>(g: &Recording<'r>, name: &str, axes: &[usize]) -> Value<'r> {
    read_variable(g, &me(), name, &Type::plain(Element::F32, shape(axes)))
}

/// The variable `labels`.
pub(crate) fn labels<'r>(g: &Recording<'r>, n: usize) -> Value<'r> {
    read_variable(g, &me(), "labels", &Type::plain(Element::I32, shape(&[n])))
}

/// A player's own things, for a test.
#[derive(Default)]
pub(crate) struct Own {
    pub(crate) variables: Mutex<BTreeMap<String, Tensor>>,
    pub(crate) published: Mutex<Vec<Vec<f64>>>,
}

impl Own {
    pub(crate) fn with(variables: impl IntoIterator<Item = (String, Tensor)>) -> Self {
        let variables = Mutex::new(variables.into_iter().collect());
        Self { variables, published: Mutex::default() }
    }

    pub(crate) fn variable(&self, name: &str) -> Tensor {
        self.variables.lock().unwrap()[name].clone()
    }
}

/// The pad that [`Own`] gives for a group of players.
pub(crate) fn pad_of(holders: &[PlayerName], pad: u32, lane: u32, step: u64) -> Pad {
    let mut secret = [0; 32];
    for (i, byte) in holders.iter().flat_map(|name| name.as_str().bytes()).enumerate() {
        secret[i % 32] ^= byte;
    }
    PadKey::from_bytes(secret).stream(&PadId { plan: [0; 32], step, node: pad, lane })
}

impl Host for Own {
    fn pad(&self, who: &[PlayerName], pad: u32, lane: u32, step: u64) -> Result<Pad, KernelError> {
        Ok(pad_of(who, pad, lane, step))
    }

    fn read_variable(&self, name: &str) -> Result<Tensor, KernelError> {
        let value = self.variables.lock().unwrap().get(name).cloned();
        value.ok_or_else(|| KernelError::NoVariable { name: name.into() })
    }

    fn assign_variable(&self, name: &str, value: Tensor) {
        self.variables.lock().unwrap().insert(name.into(), value);
    }

    fn update_variable(
        &self,
        name: &str,
        change: &mut dyn FnMut(&mut Tensor) -> Result<(), KernelError>,
    ) -> Result<(), KernelError> {
        change(self.variables.lock().unwrap().get_mut(name).unwrap())
    }

    fn batch(&self, _: &BatchRequest, _: u64) -> Result<(Tensor, Tensor), KernelError> {
        unreachable!("no test of an op loads data")
    }

    fn folder(&self) -> &std::path::Path {
        unreachable!("no test loads or saves tensors")
    }

    fn publish(&self, _: &str, _: u64, value: Tensor) {
        self.published.lock().unwrap().push(value.to_f64().unwrap());
    }
}

/// A program of the player [`me`].
pub(crate) type Program = for<'r> fn(&Recording<'r>);

/// A function of float inputs.
pub(crate) type Formula = for<'r> fn(&Recording<'r>, &[Value<'r>]) -> Value<'r>;

fn setup() -> Setup {
    Setup::new([me()]).release(&me())
}

/// What recording a faulty program says.
pub(crate) fn fault(program: Program) -> String {
    record("faulty", &setup(), program).expect_err("the program records").to_string()
}

/// Checks that each fault says what is expected of it.
#[track_caller]
pub(crate) fn check_faults<const N: usize>(faults: [String; N], expected: [&str; N]) {
    for (fault, expected) in faults.iter().zip(expected) {
        assert!(fault.contains(expected), "{fault}");
    }
}

/// Runs the nodes of a graph, all of them by the kernels of one host; returns their outputs.
pub(crate) fn run(graph: &Graph, own: &Own) -> Result<Vec<Vec<Tensor>>, KernelError> {
    let mut values: Vec<Vec<Tensor>> = Vec::new();
    for (_, node) in graph.nodes() {
        let inputs =
            node.inputs.iter().map(|p| values[p.node.index()][p.slot as usize].clone()).collect();
        let outputs = match node.op.role {
            Role::Transfer => inputs,
            _ => {
                let op = op::op(node.op.name).unwrap_or(&GIVEN);
                assert_eq!(op.spec.name, node.op.name, "tests use ops that have kernels");
                (op.kernel)(&Context { node, step: 0, host: own }, inputs)?
            }
        };
        assert_eq!(outputs.len(), node.outputs.len(), "{}", node.op.name);
        for (value, ty) in outputs.iter().zip(&node.outputs) {
            assert!(value.fits(ty), "{} gives {value:?}, not {ty}", node.op.name);
        }
        values.push(outputs);
    }
    Ok(values)
}

/// What a program publishes, given variables.
pub(crate) fn evaluate(
    variables: &[(&str, Tensor)],
    program: impl for<'r> Fn(&Recording<'r>),
) -> Vec<Vec<f64>> {
    let own = Own::with(variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let graph = record("test", &setup(), |g| program(g)).unwrap();
    sordino_graph::verify(&graph).unwrap();
    run(&graph, &own).unwrap();
    own.published.into_inner().unwrap()
}

/// The value of a formula.
pub(crate) fn value_of(inputs: &[Tensor], formula: Formula) -> Vec<f64> {
    values(inputs, &[], &formula)
}

fn names(inputs: &[Tensor]) -> Vec<String> {
    (0..inputs.len()).map(|i| format!("x{i}")).collect()
}

/// The value of a formula, given other variables beside its inputs.
pub(crate) fn values(
    inputs: &[Tensor],
    others: &[(&str, Tensor)],
    formula: &impl for<'r> Fn(&Recording<'r>, &[Value<'r>]) -> Value<'r>,
) -> Vec<f64> {
    let names = names(inputs);
    let mut variables = others.to_vec();
    variables.extend(names.iter().map(String::as_str).zip(inputs.iter().cloned()));
    let published = evaluate(&variables, |g| {
        let xs: Vec<_> =
            names.iter().zip(inputs).map(|(name, x)| input(g, name, x.axes())).collect();
        publish("y", formula(g, &xs));
    });
    published.into_iter().next().unwrap()
}

/// The variable `variable`, of the type `type`, whatever that is.
static GIVEN: Op = Op::new(
    "given",
    Role::ReadVariable,
    |s| Ok(s.attributes.ty("type").cloned().into_iter().collect()),
    |cx, _| {
        let name = cx.node.attributes.text("variable").unwrap_or_default();
        Ok(vec![cx.host.read_variable(name)?])
    },
)
.attributes(&[("type", AttributeKind::Type), ("variable", AttributeKind::Text)]);

/// A variable of any type.
pub(crate) fn given<'r>(g: &Recording<'r>, name: &str, ty: &Type) -> Value<'r> {
    g.op(&GIVEN.spec).attr("variable", name).attr("type", ty.clone()).at(me()).build()
}

/// Who can read a tensor, and what it is made of.
pub(crate) type Kind = (Secrecy, Element);

/// Plaintext floats.
pub(crate) const FLOATS: &[Kind] =
    &[(Secrecy::Plain, Element::F32), (Secrecy::Plain, Element::F64)];

/// What can be added: floats and shares.
pub(crate) const NUMBERS: &[Kind] = &[
    FLOATS[0],
    FLOATS[1],
    (Secrecy::Share, Element::Fixed(Fixed::LOW)),
    (Secrecy::Share, Element::Fixed(Fixed::HIGH)),
];

/// What can be moved: all types that a value has while a program runs.
pub(crate) const ANY: &[Kind] = &[
    NUMBERS[0],
    NUMBERS[1],
    NUMBERS[2],
    NUMBERS[3],
    (Secrecy::Plain, Element::I32),
    (Secrecy::Plain, Element::Fixed(Fixed::LOW)),
    (Secrecy::Plain, Element::BIT),
    (Secrecy::Share, Element::Bits(64)),
    (Secrecy::Share, Element::Bits(65)),
];

/// Axes of a tensor and its elements.
pub(crate) type Whole<'a> = (&'a [usize], &'a [i64]);

fn tensor_of((axes, elements): Whole<'_>, element: Element) -> Tensor {
    let shape = shape(axes);
    let each = elements.iter();
    match Tensor::zeros(&Type::plain(element, shape.clone())) {
        Tensor::F32(_) => Tensor::f32(&shape, each.map(|&x| x as f32).collect()),
        Tensor::F64(_) => Tensor::f64(&shape, each.map(|&x| x as f64).collect()),
        Tensor::I32(_) => Tensor::i32(&shape, each.map(|&x| x as i32).collect()),
        Tensor::Ring64(_) => {
            Tensor::Ring64(Elements::new(shape, each.map(|&x| x as u64).collect()))
        }
        Tensor::Ring128(_) => {
            Tensor::Ring128(Elements::new(shape, each.map(|&x| x as u128).collect()))
        }
    }
}

/// Checks a formula on values of each of these kinds, and that it keeps who can read them and what
/// they are made of, also of secrets if they are among the kinds as shares.
#[track_caller]
pub(crate) fn check_values(
    kinds: &[Kind],
    inputs: &[Whole<'_>],
    expected: Whole<'_>,
    formula: Formula,
) {
    check_kinds(kinds, true, inputs, expected, formula);
}

/// As [`check_values`], of floats, for what secrets are not made for.
#[track_caller]
pub(crate) fn check_plaintext(inputs: &[Whole<'_>], expected: Whole<'_>, formula: Formula) {
    check_kinds(FLOATS, false, inputs, expected, formula);
}

#[track_caller]
fn check_kinds(
    kinds: &[Kind],
    secrets: bool,
    inputs: &[Whole<'_>],
    expected: Whole<'_>,
    formula: Formula,
) {
    let recorded = |(secrecy, element): Kind| {
        let of = |axes: &[usize]| Type { secrecy, element, shape: shape(axes) };
        let mut result = None;
        let graph = record("test", &setup(), |g| {
            let given: Vec<_> = (0..)
                .zip(inputs)
                .map(|(i, x): (usize, _)| given(g, &format!("x{i}"), &of(x.0)))
                .collect();
            let y = formula(g, &given);
            assert_eq!(y.ty(), y.port().map(|_| of(expected.0)));
            result = y.port();
        });
        (graph.unwrap(), result.unwrap())
    };
    for &(secrecy, element) in kinds {
        let (graph, result) = recorded((secrecy, element));
        let each = (0..).zip(inputs);
        let own =
            Own::with(each.map(|(i, &x): (usize, _)| (format!("x{i}"), tensor_of(x, element))));
        let values = run(&graph, &own).unwrap();
        let value = &values[result.node.index()][result.slot as usize];
        let expected = tensor_of(expected, element);
        assert!(*value == expected, "{element}: {:?}", value.to_f64());
        if secrets && (secrecy == Secrecy::Share || element.is_float()) {
            recorded((Secrecy::Secret, Element::Fixed(Fixed::LOW)));
        }
    }
}

/// Inputs of these shapes: distinct multiples of 0.06, and none near 0, so that steps of the size
/// of [`STEP`] cross no corner of a piecewise linear op.
pub(crate) fn inputs(shapes: &[&[usize]]) -> Vec<Tensor> {
    let mut random = SplitMix64::new(7);
    let tensor = |axes: &&[usize]| {
        let n = shape(axes).elements();
        let mut ranks: Vec<i32> = (0..n as i32).map(|i| i - n as i32 / 2).collect();
        for i in (1..n).rev() {
            ranks.swap(i, random.below(i as u32 + 1) as usize);
        }
        let elements = ranks.into_iter().map(|rank| (rank as f32 + 0.5) * 0.06);
        Tensor::f32(&shape(axes), elements.collect())
    };
    shapes.iter().map(tensor).collect()
}

/// How far inputs are moved to see what changes.
const STEP: f32 = 1.0 / 64.0;

/// Compares recorded gradients with differences: of c·y by every element of every input,
/// for fixed numbers c.
#[track_caller]
pub(crate) fn check_gradients(shapes: &[&[usize]], formula: Formula) {
    check_gradients_of(&inputs(shapes), &[], STEP, 2e-3, &formula);
}

/// As [`check_gradients`], for these inputs, other variables, step and relative tolerance.
#[track_caller]
pub(crate) fn check_gradients_of(
    inputs: &[Tensor],
    others: &[(&str, Tensor)],
    step: f32,
    tolerance: f64,
    formula: &impl for<'r> Fn(&Recording<'r>, &[Value<'r>]) -> Value<'r>,
) {
    let names = names(inputs);
    let n = values(inputs, others, formula).len();
    let mut random = SplitMix64::new(3);
    let weights: Vec<f32> = (0..n).map(|_| (random.unit() * 2.0 - 1.0) as f32).collect();
    let weighted = |inputs: &[Tensor]| -> f64 {
        let y = values(inputs, others, formula);
        y.iter().zip(&weights).map(|(y, &c)| y * f64::from(c)).sum()
    };

    let mut variables = others.to_vec();
    variables.push(("c", floats(&[n, 1], &weights)));
    variables.extend(names.iter().map(String::as_str).zip(inputs.iter().cloned()));
    let recorded = evaluate(&variables, |g| {
        let xs: Vec<_> =
            names.iter().zip(inputs).map(|(name, x)| input(g, name, x.axes())).collect();
        let y = reshape(formula(g, &xs), &[1, n]);
        let gradients = gradients(matmul(y, input(g, "c", &[n, 1])), &xs);
        gradients.into_iter().for_each(|gradient| publish("gradient", gradient));
    });
    assert_eq!(recorded.len(), inputs.len());
    assert!(recorded.iter().flatten().any(|&x| x != 0.0), "all gradients are 0");

    let middle = weighted(inputs);
    let (mut corners, mut all) = (0, 0);
    for (which, gradient) in recorded.iter().enumerate() {
        let scale = gradient.iter().fold(1.0, |max: f64, x| max.max(x.abs()));
        for (i, &recorded) in gradient.iter().enumerate() {
            let moved = |by: f32| {
                let mut inputs = inputs.to_vec();
                let mut elements = inputs[which].as_f32().unwrap().to_vec();
                elements[i] += by;
                inputs[which] = floats(inputs[which].axes(), &elements);
                weighted(&inputs)
            };
            let right = (moved(step) - middle) / f64::from(step);
            let left = (middle - moved(-step)) / f64::from(step);
            let slack = tolerance * scale;
            all += 1;
            if (recorded - f64::midpoint(left, right)).abs() <= slack {
                continue;
            }
            // A step that crosses a corner of a piecewise smooth function, such as a unit that it
            // turns on, sees the gradient of the other side as well.
            corners += 1;
            let range = left.min(right) - slack..=left.max(right) + slack;
            assert!(
                range.contains(&recorded),
                "by element {i} of input {which}: {recorded}, measured {left} to {right}"
            );
        }
    }
    assert!(corners * 10 <= all, "{corners} of {all} gradients are at corners: they prove little");
}
