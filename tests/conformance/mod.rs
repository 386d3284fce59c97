//! The table of cases: formulas over secrets, with what they give in 64-bit floats and how far
//! off they may be.

pub mod array;
pub mod cases_arithmetic;
pub mod cases_bits;
pub mod cases_choices;
pub mod cases_formats;
pub mod cases_functions;
pub mod cases_layers;
pub mod cases_structure;
pub mod cost;
pub mod coverage;
pub mod pages;
pub mod programs;
pub mod run;

use std::ops::Range;

use sordino::prelude::*;

pub use array::Array;

/// What a case computes: of secrets, or of floats on one player.
pub type Formula = Box<dyn for<'r> Fn(&Recording<'r>, &[Value<'r>]) -> Value<'r>>;

/// What it should give. Words are given by their bits, the lowest first, along a first axis.
pub type Oracle = Box<dyn Fn(&[Array], Fixed) -> Array>;

/// One line of the table.
pub struct Case {
    /// The public function that the case is for.
    pub function: &'static str,
    /// Tells apart the cases of a function.
    pub note: String,
    pub inputs: Vec<Input>,
    pub formula: Formula,
    pub oracle: Oracle,
    pub bound: Bound,
    /// How far off gradients may be, of functions that have them.
    pub gradient: Option<Bound>,
    /// The inputs that gradients are by: those that the result depends on smoothly.
    pub by: Range<usize>,
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let axes: Vec<_> = self.inputs.iter().map(|input| &input.axes).collect();
        write!(f, "{} ({}) of {axes:?}, seed {}", self.function, self.note, seed())
    }
}

/// A tensor that a case is given.
#[derive(Clone)]
pub struct Input {
    pub axes: Vec<usize>,
    pub numbers: Numbers,
}

/// Which numbers an input has.
#[derive(Clone)]
pub enum Numbers {
    /// Zeros, the smallest units, the ends ±m, ties, and random numbers in ±m.
    Within(f64),
    /// The largest numbers that the ring encodes, of both signs, and numbers as in `Within(4)`.
    Encodable,
    /// Powers of two with random exponents between these, and both ends.
    Powers(f64, f64),
    /// The same, of either sign.
    SignedPowers(f64, f64),
    /// Zeros and ones.
    Truths,
    /// Rows along the last axis with a one and zeros.
    Chosen,
}

/// How far off a result may be: the larger of `units` of the encoding with `absolute`, and
/// `relative` times its magnitude. Low and high precision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    pub units: f64,
    pub relative: [f64; 2],
    pub absolute: [f64; 2],
}

/// What is computed without an error.
pub const EXACT: Bound = units(0.0);

pub const fn units(units: f64) -> Bound {
    Bound { units, relative: [0.0; 2], absolute: [0.0; 2] }
}

/// As a function's page says, for 64 and 128 bits: a part of the result, or by itself.
pub const fn accuracy(low: (f64, f64), high: (f64, f64)) -> Bound {
    Bound { units: 0.0, relative: [low.0, high.0], absolute: [low.1, high.1] }
}

/// The smallest difference of two encoded numbers.
pub fn unit(fixed: Fixed) -> f64 {
    (-f64::from(fixed.fraction())).exp2()
}

/// What rounds the results that players get: f32 at low precision, f64 at high.
pub fn rounding(fixed: Fixed) -> f64 {
    if fixed == Fixed::LOW { 2f64.powi(-24) } else { 2f64.powi(-52) }
}

impl Bound {
    /// Of a value that should be `exact`.
    pub fn at(&self, fixed: Fixed, exact: f64) -> f64 {
        let ring = usize::from(fixed == Fixed::HIGH);
        let absolute = self.absolute[ring] + self.units * unit(fixed);
        absolute.max(self.relative[ring] * exact.abs())
    }
}

/// Numbers of a range, such as the ring holds, that depend on the seed alone.
pub fn numbers(input: &Input, fixed: Fixed, seed: u64) -> Array {
    let unit = unit(fixed);
    let mut random = Random(seed);
    // The largest number below 2^(width − 14 − fraction) that f64 has, and the ring too.
    let limit = f64::from(fixed.width().bits() - 14 - fixed.fraction()).exp2();
    let limit = limit * (1.0 - 2f64.powi(-50));
    let special: Vec<f64> = match input.numbers {
        Numbers::Within(m) => vec![0.0, -m, unit, m, -unit, m, 0.0, -m / 2.0, m / 2.0, m / 2.0],
        Numbers::Encodable => vec![limit, -limit, 0.0, unit, -limit, -unit, limit],
        Numbers::Powers(from, to) => {
            vec![from.exp2(), 1.0f64.clamp(from.exp2(), to.exp2()), to.exp2()]
        }
        Numbers::SignedPowers(from, to) => vec![from.exp2(), -to.exp2(), -from.exp2(), to.exp2()],
        Numbers::Truths | Numbers::Chosen => vec![],
    };
    let mut draw = |i: usize| match input.numbers {
        // Small inputs start anywhere among the special numbers.
        _ if i < special.len() => special[(i + seed as usize) % special.len()],
        Numbers::Within(m) => (random.unit() * 2.0 - 1.0) * m,
        Numbers::Encodable => (random.unit() * 2.0 - 1.0) * 4.0,
        Numbers::Powers(from, to) => (from + (to - from) * random.unit()).exp2(),
        Numbers::SignedPowers(from, to) => {
            let sign = if random.unit() < 0.5 { -1.0 } else { 1.0 };
            sign * (from + (to - from) * random.unit()).exp2()
        }
        Numbers::Truths => f64::from(u8::from(random.unit() < 0.5)),
        Numbers::Chosen => {
            let places = input.axes.last().copied().unwrap_or(1);
            f64::from(u8::from(i % places == i / places % places))
        }
    };
    let n = input.axes.iter().product();
    let elements = (0..n).map(|i| (draw(i) / unit).round() * unit).collect();
    Array { axes: input.axes.clone(), elements }
}

/// What random shapes depend on, beside the table: 0, or what the environment says.
pub fn seed() -> u64 {
    let of = |text: String| text.parse().expect("CONFORMANCE_SEED is a whole number");
    std::env::var("CONFORMANCE_SEED").map_or(0, of)
}

/// SplitMix64: Steele, Lea and Flood, *Fast splittable pseudorandom number generators* (2014).
pub struct Random(pub u64);

impl Random {
    /// For the shapes of some cases.
    pub fn of(cases: u64) -> Self {
        Self(cases + (seed() << 32))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// Uniform in 0..1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number of a range.
    pub fn among(&mut self, range: Range<usize>) -> usize {
        range.start + self.next() as usize % range.len()
    }

    /// Sizes of up to four axes, odd ones for the most part, of 60 elements or fewer.
    pub fn axes(&mut self) -> Vec<usize> {
        let rank = self.next() % 5;
        let mut axes: Vec<usize> = Vec::new();
        for _ in 0..rank {
            let n = [1, 2, 3, 5, 7, 0][(self.next() % 6) as usize];
            if axes.iter().product::<usize>() * n <= 60 {
                axes.push(n);
            }
        }
        axes
    }

    /// Sizes of some axes, and one of these, which has items.
    pub fn along(&mut self) -> (Vec<usize>, usize) {
        loop {
            let axes = self.axes();
            let full: Vec<_> = (0..axes.len()).filter(|&axis| axes[axis] > 0).collect();
            if !full.is_empty() {
                let axis = full[self.among(0..full.len())];
                return (axes, axis);
            }
        }
    }
}

/// A case without gradients.
pub fn case(
    function: &'static str,
    inputs: Vec<Input>,
    formula: impl for<'r> Fn(&Recording<'r>, &[Value<'r>]) -> Value<'r> + 'static,
    oracle: impl Fn(&[Array]) -> Array + 'static,
    bound: Bound,
) -> Case {
    case_of_ring(function, inputs, formula, move |x, _| oracle(x), bound)
}

/// A case whose result depends on the encoding.
pub fn case_of_ring(
    function: &'static str,
    inputs: Vec<Input>,
    formula: impl for<'r> Fn(&Recording<'r>, &[Value<'r>]) -> Value<'r> + 'static,
    oracle: impl Fn(&[Array], Fixed) -> Array + 'static,
    bound: Bound,
) -> Case {
    let by = 0..inputs.len();
    let (formula, oracle) = (Box::new(formula), Box::new(oracle));
    Case { function, note: String::new(), inputs, formula, oracle, bound, gradient: None, by }
}

impl Case {
    /// With what tells it apart.
    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    /// With gradients, of that bound.
    pub fn gradient(self, bound: Bound) -> Self {
        Self { gradient: Some(bound), ..self }
    }

    /// With gradients by some of the inputs.
    pub fn gradient_by(self, by: Range<usize>, bound: Bound) -> Self {
        Self { gradient: Some(bound), by, ..self }
    }
}

/// Numbers in ±4, special ones first.
pub fn small(axes: &[usize]) -> Input {
    within(4.0, axes)
}

pub fn within(m: f64, axes: &[usize]) -> Input {
    Input { axes: axes.to_vec(), numbers: Numbers::Within(m) }
}

/// Numbers as large as the ring encodes.
pub fn encodable(axes: &[usize]) -> Input {
    Input { axes: axes.to_vec(), numbers: Numbers::Encodable }
}

pub fn ranged(numbers: Numbers, axes: &[usize]) -> Input {
    Input { axes: axes.to_vec(), numbers }
}

/// A scalar, nothing, one row, one column, odd sizes, many axes, and random ones.
pub fn shapes(seed: u64) -> Vec<Vec<usize>> {
    let fixed: [&[usize]; 7] = [&[], &[0], &[1, 7], &[7, 1], &[2, 0, 3], &[13, 11], &[2, 3, 1, 5]];
    let mut random = Random::of(seed);
    fixed.iter().map(|axes| axes.to_vec()).chain([random.axes(), random.axes()]).collect()
}

/// These axes with one of each, and random ones.
pub fn along(fixed: &[(&[usize], usize)], seed: u64) -> Vec<(Vec<usize>, usize)> {
    let mut random = Random::of(seed);
    let fixed = fixed.iter().map(|&(axes, axis)| (axes.to_vec(), axis));
    fixed.chain([random.along(), random.along()]).collect()
}

/// These pairs of axes that are repeated to one shape, and random ones.
pub fn pairs(fixed: &[(&[usize], &[usize])], seed: u64) -> Vec<[Vec<usize>; 2]> {
    let mut random = Random::of(seed);
    let mut pair = || {
        let whole = random.axes();
        // Of each axis one or both have its size.
        let mut pair = [whole.clone(), whole];
        for axis in 0..pair[0].len() {
            if let which @ 0..2 = random.among(0..3) {
                pair[which][axis] = 1;
            }
        }
        let lost = random.among(0..pair[1].len() + 1);
        let lost = pair[1][..lost].iter().take_while(|&&n| n == 1).count();
        pair[1].drain(..lost);
        pair
    };
    let fixed = fixed.iter().map(|&(x, y)| [x.to_vec(), y.to_vec()]);
    fixed.chain([pair(), pair()]).collect()
}

/// Every case.
pub fn all() -> Vec<(&'static str, Vec<Case>)> {
    vec![
        ("arithmetic", cases_arithmetic::cases()),
        ("bits", cases_bits::cases()),
        ("choices", cases_choices::cases()),
        ("formats", cases_formats::cases()),
        ("functions", cases_functions::cases()),
        ("layers", cases_layers::cases()),
        ("structure", cases_structure::cases()),
    ]
}
