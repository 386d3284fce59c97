//! Every secret op under every protocol and ring: what is revealed is what plaintext gives, within
//! the errors that the protocols document.

mod common;

use common::{everyone, mnist, player, published};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sordino::prelude::*;

/// A linear program over inputs.
#[derive(Debug, Clone)]
enum Expr {
    Input(usize),
    Sum(Vec<Expr>),
    Scale(f64, Box<Expr>),
}

use Expr::{Input, Scale, Sum};

/// A program: inputs of some owners, of magnitudes up to `magnitude`, one result for `to`.
#[derive(Debug, Clone)]
struct Program {
    shape: Vec<usize>,
    owners: Vec<PlayerName>,
    magnitude: f64,
    expr: Expr,
    to: PlayerName,
}

#[secure_function]
fn evaluate(g: &Recording<'_>, program: &Program) {
    let inputs = program.owners.iter().zip(1..).map(|(owner, seed)| {
        // Uniform in ±1 once the limit that depends on the shape is divided out.
        let n = program.shape.iter().product::<usize>().max(1);
        let uniform = glorot_uniform(g, owner, &[1, n], seed);
        let scaled = scale(uniform, program.magnitude / (6.0 / (1 + n) as f64).sqrt());
        let input = if program.shape.contains(&0) {
            zeros(g, owner, &program.shape)
        } else {
            reshape(scaled, &program.shape)
        };
        publish(&format!("input-{seed}"), input);
        input
    });
    let inputs: Vec<_> = inputs.collect();
    let shares: Vec<_> = inputs.into_iter().map(share).collect();
    publish("result", reveal(build(&program.expr, &shares), &program.to));
}

fn build<'r>(expr: &Expr, shares: &[Value<'r>]) -> Value<'r> {
    match expr {
        Input(i) => shares[i % shares.len()],
        Sum(terms) => add_n(terms.iter().map(|term| build(term, shares))),
        Scale(factor, inner) => scale(build(inner, shares), *factor),
    }
}

/// A value of the program in f64, with the most that each protocol may be off by.
#[derive(Clone, Copy)]
struct Exact {
    value: f64,
    aby3: f64,
    plain: f64,
}

impl Expr {
    /// One element, from that element of the inputs.
    fn exact(&self, inputs: &[f64], fixed: Fixed) -> Exact {
        let unit = (-f64::from(fixed.fraction())).exp2();
        // Plain computes in floats of the type that reveals give.
        let float = if fixed == Fixed::LOW { 2f64.powi(-24) } else { 2f64.powi(-52) };
        match self {
            Input(i) => {
                let value = inputs[i % inputs.len()];
                Exact { value, aby3: unit / 2.0, plain: unit / 2.0 + value.abs() * float }
            }
            Sum(terms) => {
                let terms: Vec<_> = terms.iter().map(|term| term.exact(inputs, fixed)).collect();
                let magnitude: f64 = terms.iter().map(|term| term.value.abs() + term.plain).sum();
                let rounding = terms.len() as f64 * magnitude * float;
                Exact {
                    value: terms.iter().map(|term| term.value).sum(),
                    aby3: terms.iter().map(|term| term.aby3).sum(),
                    plain: terms.iter().map(|term| term.plain).sum::<f64>() + rounding,
                }
            }
            Scale(factor, inner) => {
                let Exact { value, aby3, plain } = inner.exact(inputs, fixed);
                // ABY3's scale: the encoding of the factor and the truncation.
                let fractional = factor.fract() != 0.0;
                let own = if fractional { (value.abs() + aby3) * unit / 2.0 + unit } else { 0.0 };
                Exact {
                    value: value * factor,
                    aby3: aby3 * factor.abs() + own,
                    plain: (plain + 2.0 * value.abs() * float) * factor.abs(),
                }
            }
        }
    }

    /// The largest magnitude that a fractional multiple can have, and that the whole can have.
    fn magnitudes(&self, input: f64) -> (f64, f64) {
        match self {
            Input(_) => (0.0, input),
            Sum(terms) => terms
                .iter()
                .map(|term| term.magnitudes(input))
                .fold((0.0, 0.0), |(truncated, sum), (t, s)| (f64::max(truncated, t), sum + s)),
            Scale(factor, inner) => {
                let (truncated, value) = inner.magnitudes(input);
                let product = value * factor.abs();
                let own = if factor.fract() == 0.0 { 0.0 } else { product };
                (truncated.max(own), product)
            }
        }
    }
}

const PLAYERS: [&str; 6] = ["ann", "bob", "carol", "server0", "server1", "server2"];

/// One session a protocol and ring, for many programs.
struct Sessions(Vec<(&'static str, Fixed, Session)>);

impl Sessions {
    fn open() -> Self {
        let kinds = [
            ("ABY3", Fixed::LOW),
            ("ABY3", Fixed::HIGH),
            ("Plain", Fixed::LOW),
            ("Plain", Fixed::HIGH),
        ];
        Self(
            kinds
                .map(|(protocol, fixed)| {
                    let session = Session::local(everyone(protocol, fixed), mnist(), None).unwrap();
                    (protocol, fixed, session)
                })
                .into(),
        )
    }

    /// Runs a program under every protocol and ring and compares it with plaintext.
    fn check(&mut self, program: &Program) -> Result<(), TestCaseError> {
        for (protocol, fixed, session) in &mut self.0 {
            let run = session.run(&evaluate(program), 1);
            let run = run.map_err(|error| TestCaseError::fail(error.to_string()))?;
            let inputs: Vec<_> = (1..=program.owners.len())
                .map(|i| published(&run, &format!("input-{i}"))[0])
                .collect();
            let result = published(&run, "result")[0];
            prop_assert_eq!(result.len(), program.shape.iter().product::<usize>());
            for (i, &revealed) in result.iter().enumerate() {
                let inputs: Vec<_> = inputs.iter().map(|input| input[i]).collect();
                let exact = program.expr.exact(&inputs, *fixed);
                let float = if *fixed == Fixed::LOW { 2f64.powi(-24) } else { 2f64.powi(-52) };
                let bound = if *protocol == "ABY3" { exact.aby3 } else { exact.plain };
                let bound = bound + (exact.value.abs() + bound) * 2.0 * float;
                let error = (revealed - exact.value).abs();
                prop_assert!(
                    error <= bound,
                    "{} {}: element {} is {}, not {}: off by {:e}, more than {:e}\n{:?}",
                    protocol,
                    fixed,
                    i,
                    revealed,
                    exact.value,
                    error,
                    bound,
                    program
                );
            }
        }
        Ok(())
    }

    /// Whether ABY3 truncates when it runs the program.
    fn truncates(&mut self, program: &Program) -> bool {
        let plan = self.0[0].2.prepare(&evaluate(program)).unwrap();
        plan.lowered.nodes().any(|(_, node)| node.op.name == "truncate_first")
    }
}

fn times(factor: f64, inner: Expr) -> Expr {
    Scale(factor, Box::new(inner))
}

/// A program of two owners and a receiver of their own.
fn program(shape: &[usize], expr: Expr) -> Program {
    let owners = vec![player("ann"), player("bob")];
    Program { shape: shape.to_vec(), owners, magnitude: 4.0, expr, to: player("carol") }
}

#[test]
fn every_op_alone_and_nested() {
    let mut sessions = Sessions::open();
    let cases = [
        (false, Input(0)),
        (false, Sum(vec![Input(0)])),
        (false, Sum(vec![Input(0), Input(1)])),
        (false, Sum(vec![Input(0), Input(0), Input(1)])),
        (false, times(-3.0, Input(0))),
        (false, times(0.0, Input(0))),
        // A factor of 0 stays with the servers, and so does what is below it.
        (true, times(0.0, times(0.5, Input(0)))),
        (false, times(1.0 / 3.0, Sum(vec![Input(0), Input(1)]))),
        (false, times(0.1, times(-7.0, times(0.3, Input(1))))),
        // A sum between the multiple and the reveal keeps it with the servers.
        (true, Sum(vec![times(0.3, Input(0))])),
        (true, Sum(vec![times(-1.0 / 3.0, Input(0)), Input(1)])),
        (true, Sum(vec![times(0.3, Input(0)), times(-0.7, Input(0))])),
        (true, Sum(vec![times(0.9, times(0.8, times(0.7, Input(0))))])),
        (true, Sum(vec![times(4.0, times(0.3, Sum(vec![Input(0), Input(1)]))), Input(0)])),
        (true, times(0.5, Sum(vec![times(0.25, Sum(vec![times(0.1, Input(1)), Input(0)]))]))),
        (true, times(2.0, Sum(vec![Sum(vec![times(1e-4, Input(0))]), times(-2.0, Input(1))]))),
    ];
    for (truncates, expr) in cases {
        let program = program(&[3, 2], expr);
        assert_eq!(sessions.truncates(&program), truncates, "{:?}", program.expr);
        sessions.check(&program).unwrap();
    }
}

#[test]
fn every_shape() {
    let mut sessions = Sessions::open();
    let shapes: [&[usize]; 9] =
        [&[], &[0], &[1], &[2, 0, 3], &[1, 7], &[7, 1], &[1, 1, 1], &[31, 33], &[2, 3, 4, 5]];
    for shape in shapes {
        let expr = Sum(vec![times(0.3, Input(0)), times(-2.0, Input(1)), Input(0)]);
        sessions.check(&Program { magnitude: 1.0, ..program(shape, expr) }).unwrap();
    }
}

#[test]
fn owners_and_receivers_that_are_servers() {
    let mut sessions = Sessions::open();
    for owner in PLAYERS {
        for to in PLAYERS {
            let owners = vec![player(owner), player("bob")];
            let additive = Sum(vec![Input(0), Input(1)]);
            let replicated = Sum(vec![times(0.3, Input(0)), Input(1)]);
            for expr in [additive, replicated, Input(0)] {
                let to = player(to);
                sessions
                    .check(&Program { owners: owners.clone(), to, ..program(&[5], expr) })
                    .unwrap();
            }
        }
    }
}

#[test]
fn values_near_the_limit_of_the_encoding() {
    let mut sessions = Sessions::open();
    // 2^34 is the limit of the narrower ring. Sums and whole multiples stay right far above it:
    // there is room for 2^12 terms.
    let sum = Sum(vec![Input(0), Input(1), times(-1.0, Input(2))]);
    let many = Sum(vec![sum.clone(); 8]);
    for expr in [Input(0), sum.clone(), times(4096.0, Input(0)), times(64.0, many), times(0.3, sum)]
    {
        let owners = ["ann", "bob", "carol"].map(player).to_vec();
        let magnitude = 2f64.powi(34) * (1.0 - 2f64.powi(-20));
        let program = Program { owners, magnitude, ..program(&[50], expr) };
        assert!(!sessions.truncates(&program));
        sessions.check(&program).unwrap();
    }
}

#[test]
fn truncation_of_large_values_in_the_wide_ring() {
    let mut sessions = Sessions::open();
    // The narrow ring cannot hold these products.
    sessions.0.retain(|(_, fixed, _)| *fixed == Fixed::HIGH);
    let expr = Sum(vec![times(0.3, Input(0)), times(-1.0 / 7.0, Input(1))]);
    let magnitude = 2f64.powi(20);
    let program = Program { magnitude, ..program(&[50], expr) };
    assert!(sessions.truncates(&program));
    sessions.check(&program).unwrap();
}

fn any_expr() -> impl Strategy<Value = Expr> {
    let factor = prop_oneof![
        prop::sample::select(vec![-2.0, -1.0, 0.0, 1.0, 2.0]),
        prop::sample::select(vec![0.5, -0.3, 1.0 / 3.0, 1.75, -1e-3, 1e-6]),
        -1.0..1.0f64,
    ];
    (0..4usize).prop_map(Input).prop_recursive(4, 16, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Sum),
            (factor.clone(), inner).prop_map(|(factor, inner)| times(factor, inner)),
        ]
    })
}

fn any_program() -> impl Strategy<Value = Program> {
    let shapes: Vec<Vec<usize>> =
        vec![vec![], vec![0], vec![1], vec![9], vec![1, 5], vec![5, 1], vec![3, 0], vec![2, 3, 2]];
    let owner = prop::sample::select(PLAYERS.to_vec());
    let owners = prop::collection::vec(owner.clone(), 1..4);
    (prop::sample::select(shapes), owners, any_expr(), owner)
        .prop_filter("products that truncation can take", |(.., expr, _)| {
            // A truncation takes what is below 2^(width - 3 - 2*fraction): 2^29 in the narrow ring.
            expr.magnitudes(2.0).0 <= 2f64.powi(20)
        })
        .prop_map(|(shape, owners, expr, to)| Program {
            shape,
            owners: owners.into_iter().map(player).collect(),
            magnitude: 2.0,
            expr,
            to: player(to),
        })
}

#[test]
fn random_linear_programs() {
    let mut sessions = Sessions::open();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) };
    let sessions = std::cell::RefCell::new(&mut sessions);
    proptest!(config, |(program in any_program())| {
        sessions.borrow_mut().check(&program)?;
    });
}
