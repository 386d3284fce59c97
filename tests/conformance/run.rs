//! Cases in sessions: many in one function, which reads its inputs from variables of two owners.

use sordino::graph::{Element, Shape, Type};
use sordino::prelude::*;
use sordino::runtime::Audit;
use sordino::runtime::audit::AuditSummary;
use std::sync::Arc;

use super::{Array, Case, Range, numbers, rounding};
use crate::common::{mnist, player, published, servers};

/// Where a case is run.
pub struct Stage {
    pub protocol: &'static str,
    pub fixed: Fixed,
    pub session: Session,
    /// What the audit of its steps should find.
    pub audit: AuditSummary,
}

const OWNERS: [&str; 2] = ["ann", "bob"];

/// Everyone who takes part.
pub fn setup(protocol: &str, fixed: Fixed) -> Setup {
    let names = [&OWNERS.map(player)[..], &[player("carol")], &servers()].concat();
    let setup = Setup::new(names.clone()).secure(protocol, servers(), fixed);
    // Everyone may learn everything: cases are about numbers, not about secrecy.
    names.iter().fold(setup, |setup, name| setup.reveal(name, 1).release(name))
}

impl Stage {
    pub fn open(protocol: &'static str, fixed: Fixed, audit: Option<Arc<Audit>>) -> Self {
        let setup = setup(protocol, fixed);
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
            if matches!(input.range, Range::Within(_) | Range::Encodable) {
                let m = if let Range::Within(m) = input.range { m.min(4.0) } else { 4.0 };
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
            let result = (case.formula)(g, &secrets(g, case, i));
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
                let y = flatten((case.formula)(g, &xs));
                let Some((ty, place)) = y.ty().zip(y.place()) else { return };
                let weights: Vec<f64> = (0..ty.shape.elements()).map(weight).collect();
                let weights = constant_of(g, place, &weights, &ty);
                let loss = reduce_sum(mul(y, weights), &[0], false);
                for (j, gradient) in
                    gradients(loss, &xs[case.smooth_from..]).into_iter().enumerate()
                {
                    let open = if kind == "secret" { reveal(gradient, &ann) } else { gradient };
                    publish(&format!("{kind}-{i}-{j}"), open);
                }
            }
        }
    })
}

/// What the element counts in the sum that is differentiated: exact in every encoding, up to 2.
fn weight(i: usize) -> f64 {
    [1.0, -0.5, 2.0, 0.25, -1.5][i % 5]
}

impl Stage {
    /// Runs all cases for `steps` steps and compares what the last gives with what it should.
    pub fn check(&mut self, name: &str, cases: &[Case], steps: u64) -> Vec<String> {
        let inputs = inputs(cases, self.fixed);
        self.session.run(&given(name, &inputs), 1).unwrap();
        let function = computed(name, cases);
        let run = self.session.run(&function, steps).unwrap();
        let mut wrong = Vec::new();
        if self.protocol == "ABY3" {
            let plan = self.session.prepare(&function).unwrap();
            wrong.extend(super::cost::check(&plan, &run, steps));
            let each = super::cost::audit(&plan.lowered);
            self.audit.streams += steps as usize * each.streams;
            self.audit.repeated += steps as usize * each.repeated;
            self.audit.unshared += steps as usize * each.unshared;
        }
        for (i, (case, x)) in cases.iter().zip(&inputs).enumerate() {
            let results = published(&run, &format!("y-{i}"));
            let result = results[steps as usize - 1];
            let exact = (case.oracle)(x, self.fixed);
            // Sums of doubles err by what the largest of their terms is rounded by.
            let largest = x.iter().flat_map(|x| &x.elements).fold(1.0f64, |m, x| m.max(x.abs()));
            wrong.extend(self.differences(
                &case.to_string(),
                result,
                &exact.elements,
                largest,
                |exact| {
                    if self.protocol == "ABY3" { case.bound.at(self.fixed, exact) } else { 0.0 }
                },
            ));
        }
        wrong
    }

    /// Compares gradients of secrets with those of floats.
    pub fn check_gradients(&mut self, name: &str, cases: &[Case]) -> Vec<String> {
        let inputs = smooth_inputs(cases, self.fixed);
        self.session.run(&given(&format!("{name}, smooth"), &inputs), 1).unwrap();
        let run = self.session.run(&differentiated(name, cases), 1).unwrap();
        let mut wrong = Vec::new();
        for (i, case) in cases.iter().enumerate() {
            let Some(bound) = case.gradient else { continue };
            for j in 0..case.inputs.len() - case.smooth_from {
                let [secret, float] =
                    ["secret", "float"].map(|kind| published(&run, &format!("{kind}-{i}-{j}"))[0]);
                let what = format!("gradient {j} of {case}");
                wrong.extend(
                    self.differences(&what, secret, float, 4.0, |exact| {
                        bound.at(self.fixed, exact)
                    }),
                );
            }
        }
        wrong
    }

    /// What is further off than it may be. `largest` is the largest number that was computed with.
    fn differences(
        &self,
        what: &str,
        result: &[f64],
        exact: &[f64],
        largest: f64,
        bound: impl Fn(f64) -> f64,
    ) -> Option<String> {
        let at = format!("{} {} {what}", self.protocol, self.fixed);
        if result.len() != exact.len() {
            return Some(format!("{at}: {} elements, not {}", result.len(), exact.len()));
        }
        // The worst.
        let used = result.iter().zip(exact).enumerate().filter_map(|(i, (&result, &exact))| {
            let doubles = largest.max(exact.abs()) * 2f64.powi(-44);
            let bound = bound(exact) + exact.abs() * rounding(self.fixed) + doubles;
            let off = (result - exact).abs();
            // Not a number is never within a bound.
            (off.is_nan() || off > bound).then(|| format!("{at}: element {i} is {result}, not {exact}: off by {off:e}, more than {bound:e}"))
        });
        used.into_iter().next()
    }
}
