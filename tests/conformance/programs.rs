//! A program for each function, large enough for words of bits to be full, and what it costs.

use std::cell::Cell;

use sordino::graph::{Element, Role, Shape, Type};
use sordino::ops::Plan;
use sordino::prelude::*;

use crate::common::{everyone, player};

/// Messages between servers one after the other, and the bytes of all of them for an element.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    pub rounds: u64,
    pub bytes: f64,
}

/// Secrets for a program: variables of the servers, which cost nothing.
struct Given<'g, 'r> {
    g: &'g Recording<'r>,
    fixed: Fixed,
    count: Cell<usize>,
    /// Elements that bytes are told for.
    elements: Cell<usize>,
}

/// Elements of what is computed element by element.
const MANY: usize = 1 << 20;
/// Rows, and items in each, of what is computed along an axis.
const ROWS: [usize; 2] = [2048, 10];
/// Items of what is sorted.
const ITEMS: usize = 128;

impl<'r> Given<'_, 'r> {
    fn secret(&self, element: Element, axes: &[usize]) -> Value<'r> {
        let number = self.count.replace(self.count.get() + 1);
        let ty = Type::secret(self.fixed, Shape::new(axes).unwrap()).with_element(element);
        read_secret(self.g, &format!("x-{number}"), &ty, &[player("ann")])
    }

    /// A number whose elements are those that bytes are told for.
    fn of(&self, axes: &[usize]) -> Value<'r> {
        self.elements.set(axes.iter().product());
        self.secret(Element::Fixed(self.fixed), axes)
    }

    fn x(&self) -> Value<'r> {
        self.of(&[MANY])
    }

    fn truth(&self) -> Value<'r> {
        self.elements.set(MANY);
        self.secret(Element::BIT, &[MANY])
    }

    fn word(&self) -> Value<'r> {
        self.elements.set(MANY);
        self.secret(Element::Bits(self.fixed.width().bits() as u8), &[MANY])
    }
}

/// What a program costs that the servers keep the result of.
pub fn cost(name: &str, fixed: Fixed) -> Cost {
    let elements = Cell::new(0);
    let function = Function::new("program", name, |g| {
        let given = Given { g, fixed, count: Cell::new(0), elements: Cell::new(0) };
        for (i, result) in results(name, &given).into_iter().enumerate() {
            assign_secret(&format!("y-{i}"), result, &[player("ann")]);
        }
        elements.set(given.elements.get());
    });
    let plan = Plan::new(function.record(&everyone("ABY3", fixed)).unwrap()).unwrap();
    let (mut depths, mut bytes) = (vec![0; plan.lowered.len()], 0);
    for (id, node) in plan.lowered.nodes() {
        let before = node.inputs.iter().map(|port| depths[port.node.index()]).max().unwrap_or(0);
        let sent = node.op.role == Role::Transfer;
        depths[id.index()] = before + u64::from(sent);
        bytes += if sent { node.outputs[0].bytes() } else { 0 };
    }
    let each = bytes as f64 / elements.get() as f64;
    // Words that are not full at the ends of tensors are a small part of an element.
    let bytes =
        if each < 10.0 { (each * 1000.0).round() / 1000.0 } else { (each * 10.0).round() / 10.0 };
    Cost { rounds: depths.into_iter().max().unwrap_or(0), bytes }
}

/// The results of a function, of arguments such as it takes.
fn results<'r>(name: &str, s: &Given<'_, 'r>) -> Vec<Value<'r>> {
    match name {
        "one_hot_max" => vec![one_hot_max(s.of(&ROWS), 1)],
        "sort_by_key" => {
            let (keys, values) = (s.of(&[ITEMS]), s.of(&[ITEMS]));
            sort_by_key(keys, &[values], 0)
        }
        "split" => split(s.x(), 2, 0),
        "weigh_bits" => weigh_bits(reshape(s.truth(), &[1, MANY]), s.fixed, &[vec![0.5]], &[1.0]),
        _ => {
            vec![of_one(name, s).or_else(|| of_words(name, s)).unwrap_or_else(|| of_more(name, s))]
        }
    }
}

fn of_one<'r>(name: &str, s: &Given<'_, 'r>) -> Option<Value<'r>> {
    let x = |function: fn(Value<'r>) -> Value<'r>| Some(function(s.x()));
    match name {
        "abs" => x(abs),
        "ceil" => x(ceil),
        "exp" => x(exp),
        "flatten" => x(flatten),
        "floor" => x(floor),
        "is_zero" => x(is_zero),
        "log" => x(log),
        "neg" => x(neg),
        "negative" => x(negative),
        "positive" => x(positive),
        "reciprocal" => x(reciprocal),
        "relu" => x(relu),
        "round" => x(round),
        "rsqrt" => x(rsqrt),
        "sigmoid" => x(sigmoid),
        "sign" => x(sign),
        "softplus" => x(softplus),
        "sqrt" => x(sqrt),
        "square" => x(square),
        "tanh" => x(tanh),
        "to_bits" => x(to_bits),
        "add_constant" => Some(add_constant(s.x(), 0.3)),
        "div_constant" => Some(div_constant(s.x(), 3.0)),
        "equal_constant" => Some(equal_constant(s.x(), 0.3)),
        "greater_constant" => Some(greater_constant(s.x(), 0.3)),
        "greater_equal_constant" => Some(greater_equal_constant(s.x(), 0.3)),
        "less_constant" => Some(less_constant(s.x(), 0.3)),
        "less_equal_constant" => Some(less_equal_constant(s.x(), 0.3)),
        "mul_constant" => Some(mul_constant(s.x(), 0.3)),
        "polynomial" => Some(polynomial(s.x(), &[0.1, 0.2, 0.3, 0.4])),
        "pow" => Some(pow(s.x(), 3)),
        "scale" => Some(scale(s.x(), 0.3)),
        "cast" => {
            let low = s.fixed == Fixed::LOW;
            Some(cast(s.x(), Element::Fixed(if low { Fixed::HIGH } else { Fixed::LOW })))
        }
        _ => None,
    }
}

fn of_words<'r>(name: &str, s: &Given<'_, 'r>) -> Option<Value<'r>> {
    let bits = s.fixed.width().bits() as usize;
    Some(match name {
        "and" => and(s.truth(), s.truth()),
        "or" => or(s.truth(), s.truth()),
        "xor" => xor(s.truth(), s.truth()),
        "not" => not(s.truth()),
        "bit" => bit(s.word(), bits - 1),
        "bit_to_number" => bit_to_number(s.truth()),
        "from_bits" => from_bits(s.word()),
        "join_bits" => join_bits(reshape(s.truth(), &[64, MANY / 64])),
        "position" => position(s.word()),
        "shift_left" => shift_left(s.word(), 1),
        "shift_right" => shift_right(s.word(), 1),
        "split_bits" => split_bits(s.word(), 0..bits),
        "mul_bit" => mul_bit(s.truth(), s.x()),
        "select" => select(s.truth(), s.x(), s.x()),
        _ => return None,
    })
}

fn of_more<'r>(name: &str, s: &Given<'_, 'r>) -> Value<'r> {
    let two = |function: fn(Value<'r>, Value<'r>) -> Value<'r>| function(s.x(), s.x());
    match name {
        "add" => two(add),
        "div" => two(div),
        "equal" => two(equal),
        "greater" => two(greater),
        "greater_equal" => two(greater_equal),
        "less" => two(less),
        "less_equal" => two(less_equal),
        "maximum" => two(maximum),
        "minimum" => two(minimum),
        "mul" => two(mul),
        "not_equal" => two(not_equal),
        "sub" => two(sub),
        "add_n" => add_n([s.x(), s.x(), s.x()]),
        "add_bias" => add_bias(s.of(&[1024, 1024]), s.secret(Element::Fixed(s.fixed), &[1024])),
        "sum_of_products" => sum_of_products(&[(s.x(), s.x()), (s.x(), s.x())], 0),
        "weighted_sum" => weighted_sum(&[s.x(), s.x()], &[0.3, 0.7], 1.0),
        "matmul" => {
            let (a, b) = (s.of(&[1024, 64]), s.of(&[64, 1024]));
            s.elements.set(MANY);
            matmul(a, b)
        }
        "conv2d" => {
            let filters = s.of(&[3, 3, 1, 1]);
            conv2d(s.of(&[16, 256, 256, 1]), filters, 1, Padding::Same)
        }
        "average_pool" => average_pool(s.of(&[16, 64, 64, 4]), 2),
        "max_pool" => max_pool(s.of(&[16, 64, 64, 4]), 2),
        "argmax" => argmax(s.of(&ROWS), 1),
        "argmin" => argmin(s.of(&ROWS), 1),
        "reduce_max" => reduce_max(s.of(&ROWS), 1),
        "reduce_min" => reduce_min(s.of(&ROWS), 1),
        "softmax" => softmax(s.of(&ROWS)),
        "log_softmax" => log_softmax(s.of(&ROWS)),
        "binary_cross_entropy" => binary_cross_entropy(s.of(&[2048, 1]), s.of(&[2048, 1])),
        "categorical_cross_entropy" => categorical_cross_entropy(s.of(&ROWS), s.of(&ROWS)),
        "prod" => prod(s.of(&[8, MANY / 8]), 0),
        "sort" => sort(s.of(&[ITEMS]), 0),
        "top_k" => top_k(s.of(&[ITEMS]), 3, 0),
        _ => of_structure(name, s),
    }
}

fn of_structure<'r>(name: &str, s: &Given<'_, 'r>) -> Value<'r> {
    let x = s.of(&[1024, 1024]);
    let g = s.g;
    match name {
        "broadcast" => broadcast(x, &[2, 1024, 1024]),
        "broadcast_to" => broadcast_to(x, &[2, 1024, 1024]),
        "concat" => concat([x, x], 0),
        "constant" => constant(g, x.place().unwrap(), &[0.5], &[3]),
        "constant_of" => constant_of(g, x.place().unwrap(), &[0.5], &x.ty().unwrap()),
        "cumsum" => cumsum(x, 0),
        "expand_dims" => expand_dims(x, 0),
        "gather" => gather(x, &[3, 1], 0),
        "pad_zeros" => pad_zeros(x, &[1, 1], &[2, 2]),
        "reduce_mean" => reduce_mean(x, &[0, 1], false),
        "reduce_sum" => reduce_sum(x, &[0, 1], false),
        "reshape" => reshape(x, &[1 << 20]),
        "reverse" => reverse(x, &[0]),
        "scatter" => scatter(x, &[0; 1024], 0, 2),
        "slice" => slice(x, &[0, 0], &[5, 5], &[1, 1]),
        "slice_axis" => slice_axis(x, 0, 0..5),
        "squeeze" => squeeze(reshape(x, &[1, 1 << 20]), &[0]),
        "stack" => stack([x, x], 0),
        "sum_rows" => sum_rows(x),
        "tile" => tile(x, &[2, 1]),
        "transpose" => transpose(x, &[1, 0]),
        "zeros" => zeros(g, x.place().unwrap(), &[3]),
        _ => unreachable!("{name} has no program"),
    }
}
