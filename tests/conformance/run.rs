//! Cases in sessions: many in one function, which reads its inputs from variables of two owners.

use sordino::graph::{Element, Shape, Type};
use sordino::prelude::*;
use sordino::runtime::Audit;
use sordino::runtime::audit::AuditSummary;
use std::sync::Arc;

use super::{Array, Case, Numbers, numbers, rounding};
use crate::common::{everyone, mnist, player, published};

/// Where a case is run.
pub struct Stage {
    pub protocol: &'static str,
    pub fixed: Fixed,
    pub session: Session,
    /// What the audit of its steps should find.
    pub audit: AuditSummary,
}

const OWNERS: [&str; 2] = ["ann", "bob"];

impl Stage {
    pub fn open(protocol: &'static str, fixed: Fixed, audit: Option<Arc<Audit>>) -> Self {
        let setup = everyone(protocol, fixed);
        Self {
            protocol,
            fixed,
            session: Session::local(setup, mnist(), audit).unwrap(),
            audit: AuditSummary::default(),
        }
    }
}

/// The inputs of each case, whose elements are encoded without an error.
pub fn inputs(cases: &[Case], fixed: Fixed) -> Vec<Vec<Array>> {
    let of_case = |(i, case): (usize, &Case)| {
        let seeds = (i as u64)..;
        case.inputs.iter().zip(seeds).map(|(input, seed)| numbers(input, fixed, seed)).collect()
    };
    cases.iter().enumerate().map(of_case).collect()
}

/// The inputs for gradients: without the special numbers, where functions may have none.
pub fn smooth_inputs(cases: &[Case], fixed: Fixed) -> Vec<Vec<Array>> {
    let mut all = inputs(cases, fixed);
    for (i, (case, arrays)) in cases.iter().zip(&mut all).enumerate() {
        for (j, (input, array)) in case.inputs.iter().zip(arrays).enumerate() {
            if matches!(input.numbers, Numbers::Within(_) | Numbers::Encodable) {
                let m = if let Numbers::Within(m) = input.numbers { m.min(4.0) } else { 4.0 };
                let mut random = super::Random((1000 * i + j) as u64);
                let unit = super::unit(fixed);
                let mut draw = || ((random.unit() * 2.0 - 1.0) * m / unit).round() * unit;
                array.elements.iter_mut().for_each(|x| *x = draw());
            }
        }
    }
    all
}

fn doubles(axes: &[usize]) -> Type {
    Type::plain(Element::F64, Shape::new(axes).unwrap())
}

fn variable(case: usize, input: usize) -> String {
    format!("x-{case}-{input}")
}

/// Sets the variables of both owners. `name` tells apart functions of a session.
pub fn given<'a>(name: &str, inputs: &'a [Vec<Array>]) -> Function<'a> {
    Function::new("given", name, move |g| {
        for (i, arrays) in inputs.iter().enumerate() {
            for (j, array) in arrays.iter().enumerate() {
                for owner in OWNERS.map(player) {
                    let ty = doubles(&array.axes);
                    assign(&variable(i, j), constant_of(g, &owner, &array.elements, &ty));
                }
            }
        }
    })
}

/// The inputs of a case as secrets: of the two owners in turn.
fn secrets<'r>(g: &Recording<'r>, case: &Case, i: usize) -> Vec<Value<'r>> {
    let secret = |(j, input): (usize, &super::Input)| {
        let owner = player(OWNERS[j % 2]);
        share(read_variable(g, &owner, &variable(i, j), &doubles(&input.axes)))
    };
    case.inputs.iter().enumerate().map(secret).collect()
}

/// Computes the cases on secrets and publishes what they give.
pub fn computed<'a>(name: &str, cases: &'a [Case]) -> Function<'a> {
    Function::new("computed", name, move |g| {
        for (i, case) in cases.iter().enumerate() {
            let result = wide(case, (case.formula)(g, &secrets(g, case, i)));
            let revealed = reveal(result, &player("carol"));
            let numbers = match revealed.ty().and_then(|ty| ty.bits()) {
                None => revealed,
                Some(..=16) if case.function == "bit_to_number" => bit_to_number(revealed),
                Some(1) => bit_to_number(revealed),
                Some(3) => bit_to_number(revealed),
                Some(n) => bit_to_number(split_bits(revealed, 0..n as usize)),
            };
            publish(&format!("y-{i}"), numbers);
        }
    })
}

/// The result in the wider ring, whose numbers are revealed as doubles, if f32 would not tell large
/// ones from their neighbours.
fn wide<'r>(case: &Case, result: Value<'r>) -> Value<'r> {
    let large = case.inputs.iter().any(|input| matches!(input.numbers, Numbers::Encodable));
    match result.ty().and_then(|ty| ty.fixed()) {
        Some(Fixed::LOW) if large => cast(result, Element::Fixed(Fixed::HIGH)),
        _ => result,
    }
}

/// Computes the gradients of a weighted sum of each case's elements, on secrets and on floats.
pub fn differentiated<'a>(name: &str, cases: &'a [Case]) -> Function<'a> {
    Function::new("differentiated", name, move |g| {
        let ann = player("ann");
        for (i, case) in cases.iter().enumerate().filter(|(_, case)| case.gradient.is_some()) {
            let floats: Vec<_> = case
                .inputs
                .iter()
                .enumerate()
                .map(|(j, input)| read_variable(g, &ann, &variable(i, j), &doubles(&input.axes)))
                .collect();
            for (kind, xs) in [("secret", secrets(g, case, i)), ("float", floats)] {
                let loss = weighed(flatten((case.formula)(g, &xs)));
                for (j, gradient) in gradients(loss, &xs[case.by.clone()]).into_iter().enumerate() {
                    let open = if kind == "secret" { reveal(gradient, &ann) } else { gradient };
                    publish(&format!("{kind}-{i}-{j}"), open);
                }
            }
        }
    })
}

/// The sum that is differentiated: of all elements, of every second, less three of every third.
fn weighed(y: Value<'_>) -> Value<'_> {
    let n = y.ty().map_or(0, |ty| ty.shape.elements() as i64);
    let every = |k| reduce_sum(slice(y, &[0], &[n], &[k]), &[0], false);
    add_n([every(1), every(2), scale(every(3), -3.0)])
}

/// What an element counts in it: never 0, and 2 at most.
fn weight(i: usize) -> f64 {
    let every = |k| f64::from(u8::from(i.is_multiple_of(k)));
    1.0 + every(2) - 3.0 * every(3)
}

/// The most that a result may differ from what it should be.
type Allowed<'a> = dyn Fn(&Case, f64) -> f64 + 'a;

impl Stage {
    /// What the last of `steps` steps of all cases gives. Adds to `wrong` what a step costs beside
    /// what is declared, and to the audit what it draws.
    pub fn results(
        &mut self,
        name: &str,
        cases: &[Case],
        steps: u64,
        wrong: &mut Vec<String>,
    ) -> Vec<Vec<f64>> {
        let inputs = inputs(cases, self.fixed);
        self.session.run(&given(name, &inputs), 1).unwrap();
        let function = computed(name, cases);
        let run = self.session.run(&function, steps).unwrap();
        if self.protocol == "ABY3" {
            let plan = self.session.prepare(&function).unwrap();
            wrong.extend(super::cost::check(&plan, &run, steps));
            let each = super::cost::audit(&plan.lowered);
            self.audit.streams += steps as usize * each.streams;
            self.audit.repeated += steps as usize * each.repeated;
            self.audit.unshared += steps as usize * each.unshared;
        }
        let last = |i: usize| published(&run, &format!("y-{i}"))[steps as usize - 1].to_vec();
        (0..cases.len()).map(last).collect()
    }

    /// Where results are not those of the oracles, as doubles round.
    pub fn against_oracles(&self, cases: &[Case], results: &[Vec<f64>]) -> Vec<String> {
        let oracle = |(case, x): (&Case, &Vec<Array>)| (case.oracle)(x, self.fixed).elements;
        let exact: Vec<_> = cases.iter().zip(&inputs(cases, self.fixed)).map(oracle).collect();
        self.against(cases, results, &exact, &|_, _| 0.0)
    }

    /// Where results differ from those of another protocol by more than a case allows.
    pub fn against_plain(
        &self,
        cases: &[Case],
        results: &[Vec<f64>],
        plain: &[Vec<f64>],
    ) -> Vec<String> {
        self.against(cases, results, plain, &|case, exact| case.bound.at(self.fixed, exact))
    }

    fn against(
        &self,
        cases: &[Case],
        results: &[Vec<f64>],
        exact: &[Vec<f64>],
        allowed: &Allowed<'_>,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        let inputs = inputs(cases, self.fixed);
        for (i, (case, x)) in cases.iter().zip(&inputs).enumerate() {
            // Sums of doubles err by what the largest of their terms is rounded by.
            let largest = x.iter().flat_map(|x| &x.elements).fold(1.0f64, |m, x| m.max(x.abs()));
            let allowed = |exact| allowed(case, exact);
            wrong.extend(self.differences(
                &case.to_string(),
                &results[i],
                &exact[i],
                largest,
                allowed,
            ));
        }
        wrong
    }

    /// Compares gradients of secrets with those of floats, and these with differences of the oracle.
    pub fn check_gradients(&mut self, name: &str, cases: &[Case]) -> Vec<String> {
        let inputs = smooth_inputs(cases, self.fixed);
        self.session.run(&given(&format!("{name}, smooth"), &inputs), 1).unwrap();
        let run = self.session.run(&differentiated(name, cases), 1).unwrap();
        let mut wrong = Vec::new();
        for (i, case) in cases.iter().enumerate() {
            let Some(bound) = case.gradient else { continue };
            for (j, input) in case.by.clone().enumerate() {
                let [secret, float] =
                    ["secret", "float"].map(|kind| published(&run, &format!("{kind}-{i}-{j}"))[0]);
                let what = format!("gradient {j} of {case}");
                let allowed = |exact| bound.at(self.fixed, exact);
                wrong.extend(self.differences(&what, secret, float, 4.0, allowed));
                let steep = float.iter().fold(1.0f64, |most, x| most.max(x.abs()));
                let measured = slopes(case, &inputs[i], input, self.fixed);
                let what = format!("measured {what}");
                wrong.extend(self.differences(&what, float, &measured, 4.0, |_| 1e-5 * steep));
            }
        }
        wrong
    }

    /// The first element that is further off than it may be, if one is. `largest` is the largest number
    /// that was computed with.
    fn differences(
        &self,
        what: &str,
        result: &[f64],
        exact: &[f64],
        largest: f64,
        allowed: impl Fn(f64) -> f64,
    ) -> Option<String> {
        let at = format!("{} {} {what}", self.protocol, self.fixed);
        if result.len() != exact.len() {
            return Some(format!("{at}: {} elements, not {}", result.len(), exact.len()));
        }
        result.iter().zip(exact).enumerate().find_map(|(i, (&result, &exact))| {
            let doubles = largest.max(exact.abs()) * 2f64.powi(-44);
            let bound = allowed(exact) + 2.0 * exact.abs() * rounding(self.fixed) + doubles;
            let off = (result - exact).abs();
            // Not a number is never within a bound.
            let wrong = off.is_nan() || off > bound;
            wrong.then(|| format!("{at}: element {i} is {result}, not {exact}: off by {off:e}, more than {bound:e}"))
        })
    }
}

/// The slopes of the weighted sum of a case's elements by each element of an input, from what the
/// oracle gives on both sides of it.
fn slopes(case: &Case, inputs: &[Array], input: usize, fixed: Fixed) -> Vec<f64> {
    const STEP: f64 = 1e-5;
    let loss = |inputs: &[Array]| -> f64 {
        let y = (case.oracle)(inputs, fixed);
        y.elements.iter().enumerate().map(|(i, y)| y * weight(i)).sum()
    };
    let mut inputs = inputs.to_vec();
    let n = inputs[input].elements.len();
    let slope = |i: usize| {
        let x = inputs[input].elements[i];
        let [after, before] = [STEP, -STEP].map(|step| {
            inputs[input].elements[i] = x + step;
            loss(&inputs)
        });
        inputs[input].elements[i] = x;
        (after - before) / (2.0 * STEP)
    };
    (0..n).map(slope).collect()
}
