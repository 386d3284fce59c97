//! Words: truth values, logic, what moves bits, conversions.

use sordino::prelude::*;

use super::{Array, Case, EXACT, Random, case, case_of_ring, encodable, shapes, small, unit};

pub fn cases() -> Vec<Case> {
    [of_each(), logic(), of_words(), moved(), weighed()].into_iter().flatten().collect()
}

fn truth(x: bool) -> f64 {
    f64::from(u8::from(x))
}

/// The word that encodes a number.
fn word(x: f64, fixed: Fixed) -> u128 {
    let word = (x / unit(fixed)).round() as i128 as u128;
    if fixed == Fixed::LOW { word & u128::from(u64::MAX) } else { word }
}

/// Words of `n` bits, as their bits along a first axis.
fn bits(axes: &[usize], n: usize, words: &[u128]) -> Array {
    let bits = (0..n).flat_map(|bit| words.iter().map(move |word| (word >> bit & 1) as f64));
    Array { axes: [&[n], axes].concat(), elements: bits.collect() }
}

/// The words of a function of those of the inputs, of as many bits as the encoding.
fn words(x: &[Array], fixed: Fixed, of: impl Fn(&[u128]) -> u128) -> Array {
    let of_each = |i: usize| {
        let words: Vec<_> = x.iter().map(|x| word(x.elements[i], fixed)).collect();
        of(&words)
    };
    let all: Vec<_> = (0..x[0].elements.len()).map(of_each).collect();
    bits(&x[0].axes, fixed.width().bits() as usize, &all)
}

fn of_each() -> Vec<Case> {
    let mut cases = Vec::new();
    for axes in shapes(10) {
        let x = || vec![encodable(&axes)];
        let signs = |x: &[Array]| x[0].map(|x| truth(x < 0.0));
        cases.push(case("negative", x(), |_, x| negative(x[0]), signs, EXACT));
        let zeros = |x: &[Array]| x[0].map(|x| truth(x == 0.0));
        cases.push(case("is_zero", x(), |_, x| is_zero(x[0]), zeros, EXACT));
        let positives = |x: &[Array]| x[0].map(|x| truth(x > 0.0));
        cases.push(case("positive", x(), |_, x| positive(x[0]), positives, EXACT));
        let same = |x: &[Array]| x[0].clone();
        cases.push(case("from_bits", x(), |_, x| from_bits(to_bits(x[0])), same, EXACT));
        cases.push(case_of_ring(
            "to_bits",
            x(),
            |_, x| to_bits(x[0]),
            |x, f| words(x, f, |w| w[0]),
            EXACT,
        ));
        let numbers = |x: &[Array]| x[0].map(|x| truth(x < 0.0));
        cases.push(case(
            "bit_to_number",
            x(),
            |_, x| bit_to_number(negative(x[0])),
            numbers,
            EXACT,
        ));
        let one = |x: &[Array], f: Fixed| x[0].map(|x| (word(x, f) >> 17 & 1) as f64);
        cases.push(case_of_ring("bit", x(), |_, x| bit(to_bits(x[0]), 17), one, EXACT));
        let chosen = |x: &[Array]| x[0].zip(&x[1], |x, y| if x < 0.0 { y } else { 0.0 });
        let both = vec![small(&axes), encodable(&axes)];
        cases.push(
            case("mul_bit", both, |_, x| mul_bit(negative(x[0]), x[1]), chosen, EXACT)
                .gradient_by(1..2, EXACT),
        );
    }
    // Words of up to 16 bits are numbers; those of fewer than the encoding have no sign.
    let low = |x: &[Array], f: Fixed| x[0].map(|x| (word(x, f) & 0xffff) as f64);
    cases.push(
        case_of_ring(
            "bit_to_number",
            vec![encodable(&[3, 5])],
            move |_, x| bit_to_number(join_bits_of(x[0], 16)),
            low,
            EXACT,
        )
        .note("words"),
    );
    let low = |x: &[Array], f: Fixed| x[0].map(|x| (word(x, f) & 0xffff) as f64 * unit(f));
    cases.push(
        case_of_ring(
            "from_bits",
            vec![encodable(&[3, 5])],
            move |_, x| from_bits(join_bits_of(x[0], 16)),
            low,
            EXACT,
        )
        .note("short words"),
    );
    cases
}

/// The words of the lowest `n` bits of a number's encoding.
fn join_bits_of(x: Value<'_>, n: usize) -> Value<'_> {
    join_bits(split_bits(to_bits(x), 0..n))
}

fn logic() -> Vec<Case> {
    type Logic = for<'r> fn(Value<'r>, Value<'r>) -> Value<'r>;
    type OfTwo = (&'static str, Logic, fn(u128, u128) -> u128);
    let of_two: [OfTwo; 3] =
        [("and", and, |x, y| x & y), ("or", or, |x, y| x | y), ("xor", xor, |x, y| x ^ y)];
    let mut cases = Vec::new();
    for axes in shapes(11) {
        for (name, logic, of) in of_two {
            let inputs = || vec![small(&axes), encodable(&axes)];
            cases.push(
                case_of_ring(
                    name,
                    inputs(),
                    move |_, x| logic(to_bits(x[0]), to_bits(x[1])),
                    move |x, f| words(x, f, |w| of(w[0], w[1])),
                    EXACT,
                )
                .note("words"),
            );
            cases.push(
                case(
                    name,
                    inputs(),
                    move |_, x| logic(negative(x[0]), negative(x[1])),
                    move |x| {
                        x[0].zip(&x[1], |x, y| {
                            (of(u128::from(x < 0.0), u128::from(y < 0.0)) & 1) as f64
                        })
                    },
                    EXACT,
                )
                .note("truth values"),
            );
        }
        let x = || vec![encodable(&axes)];
        cases.push(
            case_of_ring(
                "not",
                x(),
                |_, x| not(to_bits(x[0])),
                |x, f| words(x, f, |w| !w[0]),
                EXACT,
            )
            .note("words"),
        );
        cases.push(case(
            "not",
            x(),
            |_, x| not(negative(x[0])),
            |x| x[0].map(|x| truth(x >= 0.0)),
            EXACT,
        ));
    }
    cases
}

fn of_words() -> Vec<Case> {
    let mut cases = Vec::new();
    for axes in shapes(12) {
        let x = || vec![encodable(&axes)];
        for n in [0, 1, 5, 63, 64, 200] {
            let left = move |w: &[u128]| w[0].checked_shl(n as u32).unwrap_or(0);
            cases.push(
                case_of_ring(
                    "shift_left",
                    x(),
                    move |_, x| shift_left(to_bits(x[0]), n),
                    move |x, f| words(x, f, left),
                    EXACT,
                )
                .note(n.to_string()),
            );
            let right = move |w: &[u128]| w[0].checked_shr(n as u32).unwrap_or(0);
            cases.push(
                case_of_ring(
                    "shift_right",
                    x(),
                    move |_, x| shift_right(to_bits(x[0]), n),
                    move |x, f| words(x, f, right),
                    EXACT,
                )
                .note(n.to_string()),
            );
        }
        let split = |x: &[Array], f: Fixed| {
            let all: Vec<_> = x[0].elements.iter().map(|&x| word(x, f) >> 3).collect();
            bits(&x[0].axes, 8, &all)
        };
        cases.push(case_of_ring(
            "split_bits",
            x(),
            |_, x| split_bits(to_bits(x[0]), 3..11),
            split,
            EXACT,
        ));
        let joined = |x: &[Array], f: Fixed| {
            let all: Vec<_> = x[0].elements.iter().map(|&x| word(x, f) >> 2).collect();
            bits(&x[0].axes, 40, &all)
        };
        cases.push(case_of_ring(
            "join_bits",
            x(),
            |_, x| join_bits(split_bits(to_bits(x[0]), 2..42)),
            joined,
            EXACT,
        ));
        // Of the words with one bit set, as `reduce_max` makes them, and of none.
        let numbers = |x: &[Array]| x[0].map(|x| if x < 0.0 { 6.0 } else { 0.0 });
        cases.push(case(
            "position",
            x(),
            |_, x| {
                let sign = negative(x[0]);
                let axes = [&[1], x[0].ty().unwrap().shape.axes()].concat();
                let (sign, none) = (reshape(sign, &axes), xor(sign, sign));
                let none = reshape(none, &axes);
                bit_to_number(position(join_bits(concat(
                    [none, none, none, none, none, none, sign, none],
                    0,
                ))))
            },
            numbers,
            EXACT,
        ));
    }
    cases
}

/// Words and truth values along axes.
fn moved() -> Vec<Case> {
    let mut random = Random::of(13);
    let any = [random.among(1..8), random.among(1..8)];
    let mut cases = Vec::new();
    for [n, m] in [[3, 5], any] {
        let places = [(); 3].map(|()| random.among(0..m));
        let of = Moved { from: [n, m], cases: &mut cases };
        of.by("transpose", &[m, n], |x| transpose(x, &[1, 0]), |i| Some([i[1], i[0]]))
            .by(
                "gather",
                &[n, 3],
                move |x| gather(x, &places, 1),
                move |i| Some([i[0], places[i[1]]]),
            )
            .by("broadcast", &[2, n, m], move |x| broadcast(x, &[2, n, m]), |i| Some([i[1], i[2]]))
            .by("tile", &[2 * n, m], |x| tile(x, &[2, 1]), move |i| Some([i[0] % n, i[1]]))
            .by("reverse", &[n, m], |x| reverse(x, &[1]), move |i| Some([i[0], m - 1 - i[1]]))
            .by(
                "slice",
                &[n, m.div_ceil(2)],
                move |x| slice(x, &[n as i64 - 1, 0], &[-1, m as i64], &[-1, 2]),
                move |i| Some([n - 1 - i[0], 2 * i[1]]),
            )
            .by("concat", &[n, 2 * m], |x| concat([x, x], 1), move |i| Some([i[0], i[1] % m]))
            .by(
                "reshape",
                &[n * m, 1],
                move |x| reshape(x, &[n * m, 1]),
                move |i| Some([i[0] / m, i[0] % m]),
            )
            .by(
                "pad_zeros",
                &[n + 1, m + 2],
                |x| pad_zeros(x, &[1, 0], &[0, 2]),
                move |i| i[0].checked_sub(1).filter(|_| i[1] < m).map(|row| [row, i[1]]),
            );
    }
    cases
}

/// Cases of what moves tensors of two axes.
struct Moved<'a> {
    from: [usize; 2],
    cases: &'a mut Vec<Case>,
}

impl Moved<'_> {
    /// A case of truth values and one of words: the function makes a tensor of the axes `to`, and
    /// each element comes from a place, or is zero.
    fn by(
        self,
        function: &'static str,
        to: &[usize],
        of: impl for<'r> Fn(Value<'r>) -> Value<'r> + Copy + 'static,
        place: impl Fn(&[usize]) -> Option<[usize; 2]> + Copy + 'static,
    ) -> Self {
        let x = || vec![encodable(&self.from)];
        let to = to.to_vec();
        let moved =
            move |x: &[Array]| Array::of(&to, |i| place(i).map_or(0.0, |place| x[0].at(&place)));
        let signs = moved.clone();
        let signs = move |x: &[Array]| signs(x).map(|x| truth(x < 0.0));
        self.cases.push(
            case(function, x(), move |_, x| of(negative(x[0])), signs, EXACT).note("truth values"),
        );
        let all = move |x: &[Array], f: Fixed| words(&[moved(x)], f, |w| w[0]);
        self.cases.push(
            case_of_ring(function, x(), move |_, x| of(to_bits(x[0])), all, EXACT).note("words"),
        );
        self
    }
}

fn weighed() -> Vec<Case> {
    // Two words of one bit each: signs of two halves of the input.
    let weighed = |row: usize| {
        move |x: &[Array]| {
            let weights = [[1.5, -2.0], [0.25, 1000.0]][row];
            let n = x[0].axes[1];
            Array::of(&[n], |i| {
                let set = |word: usize| truth(x[0].at(&[word, i[0]]) < 0.0);
                [3.0, -0.5][row] + weights[0] * set(0) + weights[1] * set(1)
            })
        }
    };
    let mut cases = Vec::new();
    for n in [0, 1, 7, 65, Random::of(14).among(2..60)] {
        for row in 0..2 {
            cases.push(
                case(
                    "weigh_bits",
                    vec![small(&[2, n])],
                    move |g, x| {
                        let fixed = g.setup().secure.as_ref().unwrap().fixed;
                        let weights = [vec![1.5, -2.0], vec![0.25, 1000.0]];
                        weigh_bits(negative(x[0]), fixed, &weights, &[3.0, -0.5])[row]
                    },
                    weighed(row),
                    EXACT,
                )
                .note(format!("row {row}")),
            );
        }
    }
    cases
}
