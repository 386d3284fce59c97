//! Words: truth values, logic, what moves bits, conversions.

use sordino::prelude::*;

use super::{Array, Case, EXACT, case, case_of_ring, encodable, shapes, small, unit};

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
    let x = || vec![encodable(&[3, 5])];
    let sign = |x: f64| truth(x < 0.0);
    let mut cases = vec![
        case(
            "transpose",
            x(),
            |_, x| transpose(negative(x[0]), &[1, 0]),
            move |x| Array::of(&[5, 3], |i| sign(x[0].at(&[i[1], i[0]]))),
            EXACT,
        ),
        case(
            "gather",
            x(),
            |_, x| gather(negative(x[0]), &[4, 0, 0], 1),
            move |x| Array::of(&[3, 3], |i| sign(x[0].at(&[i[0], [4, 0, 0][i[1]]]))),
            EXACT,
        ),
        case(
            "broadcast",
            x(),
            |_, x| broadcast(negative(x[0]), &[2, 3, 5]),
            move |x| Array::of(&[2, 3, 5], |i| sign(x[0].at(&i[1..]))),
            EXACT,
        ),
        case(
            "tile",
            x(),
            |_, x| tile(negative(x[0]), &[2, 1]),
            move |x| Array::of(&[6, 5], |i| sign(x[0].at(&[i[0] % 3, i[1]]))),
            EXACT,
        ),
        case(
            "reverse",
            x(),
            |_, x| reverse(negative(x[0]), &[1]),
            move |x| Array::of(&[3, 5], |i| sign(x[0].at(&[i[0], 4 - i[1]]))),
            EXACT,
        ),
        case(
            "slice",
            x(),
            |_, x| slice(negative(x[0]), &[2, 0], &[-1, 5], &[-1, 2]),
            move |x| Array::of(&[3, 3], |i| sign(x[0].at(&[2 - i[0], 2 * i[1]]))),
            EXACT,
        ),
        case(
            "concat",
            x(),
            |_, x| concat([negative(x[0]), not(negative(x[0]))], 0),
            move |x| {
                Array::of(&[6, 5], |i| {
                    let s = sign(x[0].at(&[i[0] % 3, i[1]]));
                    if i[0] < 3 { s } else { 1.0 - s }
                })
            },
            EXACT,
        ),
        case(
            "reshape",
            x(),
            |_, x| reshape(negative(x[0]), &[15, 1]),
            move |x| x[0].map(sign).reshaped(&[15, 1]),
            EXACT,
        ),
        case(
            "pad_zeros",
            x(),
            |_, x| pad_zeros(negative(x[0]), &[1, 0], &[0, 2]),
            move |x| {
                Array::of(&[4, 7], |i| {
                    if i[0] == 0 || i[1] > 4 { 0.0 } else { sign(x[0].at(&[i[0] - 1, i[1]])) }
                })
            },
            EXACT,
        ),
    ];
    cases = cases.into_iter().map(|case| case.note("truth values")).collect();
    let words_of = |axes: &[usize], from: fn(&[usize]) -> [usize; 2], x: &[Array], f: Fixed| {
        let moved = Array::of(axes, |i| x[0].at(&from(i)));
        words(&[moved], f, |w| w[0])
    };
    let all = [
        case_of_ring(
            "transpose",
            x(),
            |_, x| transpose(to_bits(x[0]), &[1, 0]),
            move |x, f| words_of(&[5, 3], |i| [i[1], i[0]], x, f),
            EXACT,
        ),
        case_of_ring(
            "gather",
            x(),
            |_, x| gather(to_bits(x[0]), &[2, 1, 1, 0], 0),
            move |x, f| words_of(&[4, 5], |i| [[2, 1, 1, 0][i[0]], i[1]], x, f),
            EXACT,
        ),
        case_of_ring(
            "concat",
            x(),
            |_, x| concat([to_bits(x[0]), to_bits(x[0])], 1),
            move |x, f| words_of(&[3, 10], |i| [i[0], i[1] % 5], x, f),
            EXACT,
        ),
        case_of_ring(
            "broadcast",
            x(),
            |_, x| broadcast(slice_axis(to_bits(x[0]), 0, 1..2), &[3, 5]),
            move |x, f| words_of(&[3, 5], |i| [1, i[1]], x, f),
            EXACT,
        ),
    ];
    cases.extend(all.into_iter().map(|case| case.note("words")));
    cases
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
    for n in [0, 1, 7, 65] {
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
