//! What moves elements.

use sordino::prelude::*;

use super::{Array, Case, EXACT, Random, along, case, encodable, shapes, small};

pub fn cases() -> Vec<Case> {
    let all = [any_shape(), axes(), picked(), picked_anywhere(), joined()];
    // Every one is linear: gradients are moved elements, or sums of them.
    all.into_iter().flatten().map(|case| case.gradient(EXACT)).collect()
}

fn any_shape() -> Vec<Case> {
    let mut cases = Vec::new();
    for axes in shapes(30) {
        let x = || vec![encodable(&axes)];
        let n: usize = axes.iter().product();
        cases.push(case("flatten", x(), |_, x| flatten(x[0]), move |x| x[0].reshaped(&[n]), EXACT));
        cases.push(case(
            "reshape",
            x(),
            move |_, x| reshape(x[0], &[n, 1, 1]),
            move |x| x[0].reshaped(&[n, 1, 1]),
            EXACT,
        ));
        for axis in [0, axes.len()] {
            let mut expanded = axes.clone();
            expanded.insert(axis, 1);
            let of = expanded.clone();
            cases.push(
                case(
                    "expand_dims",
                    x(),
                    move |_, x| expand_dims(x[0], axis),
                    move |x| x[0].reshaped(&of),
                    EXACT,
                )
                .note(axis.to_string()),
            );
            let (from, to) = (expanded, axes.clone());
            cases.push(
                case(
                    "squeeze",
                    vec![encodable(&from)],
                    move |_, x| squeeze(x[0], &[axis]),
                    move |x| x[0].reshaped(&to),
                    EXACT,
                )
                .note(axis.to_string()),
            );
            let (mut to, from) = (axes.clone(), axes.clone());
            to.insert(axis, 2);
            cases.push(
                case(
                    "stack",
                    vec![encodable(&from), small(&from)],
                    move |_, x| stack([x[0], x[1]], axis),
                    move |x| {
                        Array::of(&to, |i| {
                            let mut rest = i.to_vec();
                            let layer = rest.remove(axis);
                            x[layer].at(&rest)
                        })
                    },
                    EXACT,
                )
                .note(axis.to_string()),
            );
        }
        let reversed: Vec<_> = (0..axes.len()).rev().collect();
        let to: Vec<_> = axes.iter().rev().copied().collect();
        cases.push(case(
            "transpose",
            x(),
            move |_, x| transpose(x[0], &reversed),
            move |x| {
                Array::of(&to, |i| {
                    let back: Vec<_> = i.iter().rev().copied().collect();
                    x[0].at(&back)
                })
            },
            EXACT,
        ));
        let (all, sizes): (Vec<usize>, _) = ((0..axes.len()).collect(), axes.clone());
        cases.push(case(
            "reverse",
            x(),
            move |_, x| reverse(x[0], &all),
            move |x| {
                Array::of(&sizes, |i| {
                    let back: Vec<_> = i.iter().zip(&sizes).map(|(i, n)| n - 1 - i).collect();
                    x[0].at(&back)
                })
            },
            EXACT,
        ));
        let (repeats, from): (Vec<usize>, _) =
            ((0..axes.len()).map(|i| [2, 1, 3, 0][i]).collect(), axes.clone());
        let to: Vec<_> = axes.iter().zip(&repeats).map(|(n, times)| n * times).collect();
        cases.push(case(
            "tile",
            x(),
            move |_, x| tile(x[0], &repeats),
            move |x| {
                Array::of(&to, |i| {
                    let back: Vec<_> = i.iter().zip(&from).map(|(i, n)| i % n).collect();
                    x[0].at(&back)
                })
            },
            EXACT,
        ));
        let (before, after) = (vec![1; axes.len()], vec![2; axes.len()]);
        let (from, to): (_, Vec<_>) = (axes.clone(), axes.iter().map(|n| n + 3).collect());
        cases.push(case(
            "pad_zeros",
            x(),
            move |_, x| pad_zeros(x[0], &before, &after),
            move |x| {
                Array::of(&to, |i| {
                    let inside: Option<Vec<_>> = i
                        .iter()
                        .zip(&from)
                        .map(|(i, n)| i.checked_sub(1).filter(|i| i < n))
                        .collect();
                    inside.map_or(0.0, |i| x[0].at(&i))
                })
            },
            EXACT,
        ));
        let (to, from) = ([&[2, 3], &axes[..]].concat(), axes.clone());
        for (name, function) in BROADCASTS {
            let (to, of) = (to.clone(), to.clone());
            let rank = from.len();
            cases.push(case(
                name,
                x(),
                move |_, x| function(x[0], &to),
                move |x| Array::of(&of, |i| x[0].at(&i[of.len() - rank..])),
                EXACT,
            ));
        }
    }
    cases
}

type Broadcast = for<'r> fn(Value<'r>, &[usize]) -> Value<'r>;

const BROADCASTS: [(&str, Broadcast); 2] =
    [("broadcast", broadcast), ("broadcast_to", broadcast_to)];

fn axes() -> Vec<Case> {
    let x = || vec![encodable(&[2, 3, 5])];
    vec![
        case(
            "transpose",
            x(),
            |_, x| transpose(x[0], &[1, 2, 0]),
            |x| Array::of(&[3, 5, 2], |i| x[0].at(&[i[2], i[0], i[1]])),
            EXACT,
        )
        .note("cycle"),
        case(
            "reverse",
            x(),
            |_, x| reverse(x[0], &[1]),
            |x| Array::of(&[2, 3, 5], |i| x[0].at(&[i[0], 2 - i[1], i[2]])),
            EXACT,
        )
        .note("one axis"),
        case(
            "broadcast",
            vec![encodable(&[3, 1])],
            |_, x| broadcast(x[0], &[2, 3, 4]),
            |x| Array::of(&[2, 3, 4], |i| x[0].at(&[i[1], 0])),
            EXACT,
        )
        .note("inner"),
        case(
            "squeeze",
            vec![encodable(&[1, 3, 1])],
            |_, x| squeeze(x[0], &[2, 0]),
            |x| x[0].reshaped(&[3]),
            EXACT,
        )
        .note("two"),
        case(
            "pad_zeros",
            x(),
            |_, x| pad_zeros(x[0], &[0, 2, 0], &[1, 0, 0]),
            |x| {
                Array::of(&[3, 5, 5], |i| {
                    if i[0] == 2 || i[1] < 2 { 0.0 } else { x[0].at(&[i[0], i[1] - 2, i[2]]) }
                })
            },
            EXACT,
        )
        .note("sides"),
    ]
}

fn picked() -> Vec<Case> {
    let x = || vec![encodable(&[3, 7])];
    let mut cases = vec![
        case(
            "slice",
            x(),
            |_, x| slice(x[0], &[1, 0], &[3, 7], &[1, 3]),
            |x| Array::of(&[2, 3], |i| x[0].at(&[1 + i[0], 3 * i[1]])),
            EXACT,
        ),
        case(
            "slice",
            x(),
            |_, x| slice(x[0], &[2, 6], &[-1, 1], &[-2, -1]),
            |x| Array::of(&[2, 5], |i| x[0].at(&[2 - 2 * i[0], 6 - i[1]])),
            EXACT,
        )
        .note("backwards"),
        case(
            "slice",
            x(),
            |_, x| slice(x[0], &[0, 4], &[3, 4], &[1, 1]),
            |_| Array::of(&[3, 0], |_| 0.0),
            EXACT,
        )
        .note("nothing"),
        case(
            "slice_axis",
            x(),
            |_, x| slice_axis(x[0], 1, 2..6),
            |x| Array::of(&[3, 4], |i| x[0].at(&[i[0], 2 + i[1]])),
            EXACT,
        ),
        case(
            "slice_axis",
            x(),
            |_, x| slice_axis(x[0], 0, 3..3),
            |_| Array::of(&[0, 7], |_| 0.0),
            EXACT,
        )
        .note("nothing"),
        case(
            "gather",
            x(),
            |_, x| gather(x[0], &[6, 0, 0, 3], 1),
            |x| Array::of(&[3, 4], |i| x[0].at(&[i[0], [6, 0, 0, 3][i[1]]])),
            EXACT,
        ),
        case("gather", x(), |_, x| gather(x[0], &[], 0), |_| Array::of(&[0, 7], |_| 0.0), EXACT)
            .note("nothing"),
    ];
    for (indices, axis, size) in
        [(&[2, 0, 2][..], 0, 4), (&[0; 7], 1, 1), (&[6, 5, 4, 3, 2, 1, 0], 1, 9)]
    {
        let scattered = move |x: &[Array]| {
            moved(&x[0], axis, size, |i| (0..indices.len()).filter(|&k| indices[k] == i).collect())
        };
        cases.push(
            case("scatter", x(), move |_, x| scatter(x[0], indices, axis, size), scattered, EXACT)
                .note(format!("{indices:?}")),
        );
    }
    for part in 0..3 {
        cases.push(
            case(
                "split",
                vec![encodable(&[2, 9])],
                move |_, x| split(x[0], 3, 1)[part],
                move |x| Array::of(&[2, 3], |i| x[0].at(&[i[0], 3 * part + i[1]])),
                EXACT,
            )
            .note(part.to_string()),
        );
    }
    cases
}

/// What is picked from random shapes.
fn picked_anywhere() -> Vec<Case> {
    let (mut cases, mut random) = (Vec::new(), Random::of(33));
    for (axes, axis) in along(&[(&[1, 7], 1), (&[7, 1], 0)], 34) {
        let (n, x) = (axes[axis], || vec![encodable(&axes)]);
        let note = format!("axis {axis}");
        let mut some = |below: usize, length: usize| -> Vec<usize> {
            (0..length).map(|_| random.among(0..below)).collect()
        };
        let (indices, to, permutation) = (some(n, 4), some(3, n), some(axes.len(), 1)[0]);
        let of = indices.clone();
        let gathered = move |x: &[Array]| moved(&x[0], axis, of.len(), |i| vec![of[i]]);
        cases.push(
            case("gather", x(), move |_, x| gather(x[0], &indices, axis), gathered, EXACT)
                .note(&note),
        );
        let of = to.clone();
        let scattered = move |x: &[Array]| {
            moved(&x[0], axis, 3, |i| (0..of.len()).filter(|&k| of[k] == i).collect())
        };
        cases.push(
            case("scatter", x(), move |_, x| scatter(x[0], &to, axis, 3), scattered, EXACT)
                .note(&note),
        );
        let order: Vec<_> = (0..axes.len()).map(|i| (i + permutation) % axes.len()).collect();
        let of = order.clone();
        let turned = move |x: &[Array]| {
            let to: Vec<_> = of.iter().map(|&axis| x[0].axes[axis]).collect();
            Array::of(&to, |i| {
                let mut from = vec![0; i.len()];
                of.iter().zip(i).for_each(|(&axis, &i)| from[axis] = i);
                x[0].at(&from)
            })
        };
        cases.push(
            case("transpose", x(), move |_, x| transpose(x[0], &order), turned, EXACT)
                .note(format!("by {permutation}")),
        );
    }
    cases
}

/// `size` elements along an axis, each the sum of some of those of `x`.
fn moved(x: &Array, axis: usize, size: usize, from: impl Fn(usize) -> Vec<usize>) -> Array {
    let mut to = x.axes.clone();
    to[axis] = size;
    Array::of(&to, |i| {
        let mut at = i.to_vec();
        let element = |k| {
            at[axis] = k;
            x.at(&at)
        };
        from(i[axis]).into_iter().map(element).sum()
    })
}

fn joined() -> Vec<Case> {
    let mut cases = Vec::new();
    for (left, right, axis) in [
        (&[3][..], &[5][..], 0),
        (&[1, 2], &[1, 3], 1),
        (&[0, 3], &[2, 3], 0),
        (&[2, 3, 1], &[2, 1, 1], 1),
    ] {
        let joined = move |x: &[Array]| {
            let mut to = x[0].axes.clone();
            to[axis] += x[1].axes[axis];
            Array::of(&to, |i| {
                let mut i = i.to_vec();
                if i[axis] < x[0].axes[axis] {
                    return x[0].at(&i);
                }
                i[axis] -= x[0].axes[axis];
                x[1].at(&i)
            })
        };
        cases.push(case(
            "concat",
            vec![encodable(left), small(right)],
            move |_, x| concat([x[0], x[1]], axis),
            joined,
            EXACT,
        ));
    }
    cases
}
