//! Arithmetic that other ops make up, on tensors of shapes that may differ.

use sordino_graph::Value;

use super::broadcast::common_axes;
use super::constant::constant_of;
use super::{add_n, broadcast, concat, mul, reduce_sum, reshape, scale, slice_axis, square};

/// `x + y` with both repeated to a common shape, see [`broadcast()`]: of plaintext floats, or of
/// secrets.
///
/// Source: Python array API 2023.12, `add`; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn add<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    match together("add", x, y) {
        Ok((x, y)) => add_n([x, y]),
        Err(faulty) => faulty,
    }
}

/// `x − y`, as [`add()`].
///
/// Source: Python array API 2023.12, `subtract`; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn sub<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    match together("sub", x, y) {
        Ok((x, y)) => add_n([x, neg(y)]),
        Err(faulty) => faulty,
    }
}

/// `−x`, of plaintext floats or of a secret.
///
/// Source: Python array API 2023.12, `negative`; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn neg(x: Value<'_>) -> Value<'_> {
    scale(x, -1.0)
}

/// `x + c` for a public number.
///
/// Source: Python array API 2023.12, `add`; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn add_constant(x: Value<'_>, c: f64) -> Value<'_> {
    let (Some(ty), Some(place)) = (x.ty(), x.place()) else { return x };
    add_n([x, constant_of(&x.recording(), place, &[c], &ty)])
}

/// `x · c` for a public number: see [`scale()`].
///
/// Source: Python array API 2023.12, `multiply`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | results below 2^29 | 1 unit, and half of one times x | 2 | 14 |
/// | 128 | results below 2^61 | 1 unit, and half of one times x | 2 | 28 |
#[track_caller]
pub fn mul_constant(x: Value<'_>, c: f64) -> Value<'_> {
    scale(x, c)
}

/// `x / c` for a public number other than 0: `x` scaled by `1 / c`.
///
/// Source: Python array API 2023.12, `divide`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | results below 2^29 | 1 unit, and half of one times x | 2 | 16 |
/// | 128 | results below 2^61 | 1 unit, and half of one times x | 2 | 40 |
#[track_caller]
pub fn div_constant(x: Value<'_>, c: f64) -> Value<'_> {
    if c == 0.0 { x.recording().faulty("div_constant", "divides by 0") } else { scale(x, 1.0 / c) }
}

/// `Σ x / n`: the mean of `x` along `axes`, which hold at least one element: see [`reduce_sum()`].
///
/// Source: Python array API 2023.12, `mean`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element, for one result of 2^20 |
/// |---|---|---|---|---|
/// | 64 | results below 2^29 | 1 unit, and half of one times the sum | 2 | 0 |
/// | 128 | results below 2^61 | 1 unit, and half of one times the sum | 2 | 0 |
#[track_caller]
pub fn reduce_mean<'r>(x: Value<'r>, axes: &[usize], keep_dims: bool) -> Value<'r> {
    let Some(ty) = x.ty() else { return x };
    let sizes = axes.iter().map(|&axis| ty.shape.axes().get(axis).copied().unwrap_or(1));
    match sizes.product::<usize>() {
        0 => x.recording().faulty("reduce_mean", format!("takes no mean of 0 elements of {ty}")),
        1 => reduce_sum(x, axes, keep_dims),
        n => scale(reduce_sum(x, axes, keep_dims), 1.0 / n as f64),
    }
}

/// `xⁿ` by repeated squaring: ⌈log₂ n⌉ products one after the other, and x⁰ = 1.
///
/// Source: Knuth, *The art of computer programming*, volume 2, section 4.6.3.
///
/// | bits | for | error at most | rounds | bytes an element of x³ |
/// |---|---|---|---|---|
/// | 64 | products below 2^30 | what its products err by | 4 | 60 |
/// | 128 | products below 2^62 | what its products err by | 4 | 120 |
#[track_caller]
pub fn pow(x: Value<'_>, n: u32) -> Value<'_> {
    let (Some(ty), Some(place)) = (x.ty(), x.place()) else { return x };
    let (mut power, mut product) = (x, None);
    for bit in 0..u32::BITS - n.leading_zeros() {
        if bit > 0 {
            power = square(power);
        }
        if n >> bit & 1 == 1 {
            product = Some(match product {
                None => power,
                Some(product) => mul(product, power),
            });
        }
    }
    match product {
        Some(product) => product,
        None => constant_of(&x.recording(), place, &[1.0], &ty),
    }
}

/// `x[0] · x[1] · …`: the product of `x` along `axis`, which the result lacks: ⌈log₂ n⌉ products of
/// halves one after the other. The product of nothing is 1.
///
/// Source: Python array API 2023.12, `prod`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element, for 8 along the axis |
/// |---|---|---|---|---|
/// | 64 | products below 2^30 | what its products err by | 6 | 26.3 |
/// | 128 | products below 2^62 | what its products err by | 6 | 52.5 |
#[track_caller]
pub fn prod(x: Value<'_>, axis: usize) -> Value<'_> {
    let (Some(ty), Some(place)) = (x.ty(), x.place()) else { return x };
    let Some(&size) = ty.shape.axes().get(axis) else {
        return x.recording().faulty("prod", format!("finds no axis {axis} in {ty}"));
    };
    let mut axes = ty.shape.axes().to_vec();
    axes.remove(axis);
    if size == 0 {
        axes.insert(axis, 1);
        let Some(shape) = crate::rules::shape(&axes).ok() else { return x };
        let ones = constant_of(&x.recording(), place, &[1.0], &ty.with_shape(shape));
        axes.remove(axis);
        return reshape(ones, &axes);
    }
    let (mut x, mut size) = (x, size);
    while size > 1 {
        let half = size / 2;
        let halves = mul(slice_axis(x, axis, 0..half), slice_axis(x, axis, half..2 * half));
        x = if size % 2 == 0 {
            halves
        } else {
            concat([halves, slice_axis(x, axis, size - 1..size)], axis)
        };
        size = size.div_ceil(2);
    }
    reshape(x, &axes)
}

/// Both values repeated to their common shape; a faulty value where they have none, or are not of
/// one kind.
#[track_caller]
pub(super) fn together<'r>(
    op: &str,
    x: Value<'r>,
    y: Value<'r>,
) -> Result<(Value<'r>, Value<'r>), Value<'r>> {
    let Some(of_x) = x.ty() else { return Err(x) };
    let Some(of_y) = y.ty() else { return Err(y) };
    if (of_x.secrecy, of_x.element) != (of_y.secrecy, of_y.element) {
        let message = format!(
            "takes two values of one kind, not {of_x} and {of_y}: share, reveal or cast one"
        );
        return Err(x.recording().faulty(op, message));
    }
    let Some(axes) = common_axes(of_x.shape.axes(), of_y.shape.axes()) else {
        let message = format!(
            "cannot repeat {of_x} and {of_y} to one shape: from the last axis on, sizes must agree or be 1"
        );
        return Err(x.recording().faulty(op, message));
    };
    let x = if of_x.shape.axes() == axes { x } else { broadcast(x, &axes) };
    let y = if of_y.shape.axes() == axes { y } else { broadcast(y, &axes) };
    Ok((x, y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FLOATS, NUMBERS, check_gradients, check_values, fault, input, labels};

    const X: (&[usize], &[i64]) = (&[2, 3], &[1, -2, 3, 4, 5, 6]);
    const ROW: (&[usize], &[i64]) = (&[3], &[10, 20, 30]);
    const COLUMN: (&[usize], &[i64]) = (&[2, 1], &[1, 2]);

    #[test]
    fn sums_of_shapes_that_differ() {
        check_values(NUMBERS, &[X, ROW], (&[2, 3], &[11, 18, 33, 14, 25, 36]), |_, x| {
            add(x[0], x[1])
        });
        check_values(NUMBERS, &[ROW, COLUMN], (&[2, 3], &[9, 19, 29, 8, 18, 28]), |_, x| {
            sub(x[0], x[1])
        });
        check_values(NUMBERS, &[ROW], (&[3], &[-10, -20, -30]), |_, x| neg(x[0]));
        check_values(FLOATS, &[(&[], &[3]), (&[0], &[])], (&[0], &[]), |_, x| sub(x[0], x[1]));
        check_values(FLOATS, &[ROW], (&[3], &[13, 23, 33]), |_, x| add_constant(x[0], 3.0));
        check_values(FLOATS, &[ROW], (&[3], &[-20, -40, -60]), |_, x| mul_constant(x[0], -2.0));
        check_values(FLOATS, &[ROW], (&[3], &[5, 10, 15]), |_, x| div_constant(x[0], 2.0));
    }

    #[test]
    fn means() {
        check_values(FLOATS, &[X], (&[2], &[2, 15]), |_, x| {
            scale(reduce_mean(x[0], &[1], false), 3.0)
        });
        check_values(FLOATS, &[COLUMN], (&[2, 1], &[1, 2]), |_, x| reduce_mean(x[0], &[1], true));
    }

    #[test]
    fn powers_and_products() {
        for (n, expected) in
            [(0, [1, 1]), (1, [-2, 3]), (2, [4, 9]), (3, [-8, 27]), (7, [-128, 2187])]
        {
            let x = (&[2][..], &[-2, 3][..]);
            // A formula captures nothing.
            let formula: crate::testing::Formula = match n {
                0 => |_, x| pow(x[0], 0),
                1 => |_, x| pow(x[0], 1),
                2 => |_, x| pow(x[0], 2),
                3 => |_, x| pow(x[0], 3),
                _ => |_, x| pow(x[0], 7),
            };
            check_values(FLOATS, &[x], (&[2], &expected), formula);
        }
        check_values(FLOATS, &[X], (&[2], &[-6, 120]), |_, x| prod(x[0], 1));
        check_values(FLOATS, &[X], (&[3], &[4, -10, 18]), |_, x| prod(x[0], 0));
        check_values(FLOATS, &[(&[7], &[1, 2, 3, 4, 5, 6, 7])], (&[], &[5040]), |_, x| {
            prod(x[0], 0)
        });
        check_values(FLOATS, &[(&[2, 0], &[])], (&[2], &[1, 1]), |_, x| prod(x[0], 1));
        check_values(FLOATS, &[(&[2, 0], &[])], (&[0], &[]), |_, x| prod(x[0], 0));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3], &[3]], |_, x| sub(add(x[1], x[0]), x[1]));
        check_gradients(&[&[2, 3], &[2, 1]], |_, x| add_constant(sub(x[1], x[0]), 2.0));
        check_gradients(&[&[2, 3]], |_, x| reduce_mean(x[0], &[1], false));
        check_gradients(&[&[2, 2]], |_, x| pow(x[0], 5));
        check_gradients(&[&[2, 3]], |_, x| prod(x[0], 1));
    }

    #[test]
    fn faults_are_told_once() {
        let faults = [
            fault(|g| {
                neg(add(input(g, "x", &[2, 3]), input(g, "y", &[2])));
            }),
            fault(|g| {
                sub(input(g, "x", &[2]), labels(g, 2));
            }),
            fault(|g| {
                reduce_mean(input(g, "x", &[2, 0]), &[1], false);
            }),
            fault(|g| {
                neg(div_constant(input(g, "x", &[2]), 0.0));
            }),
            fault(|g| {
                neg(prod(input(g, "x", &[2]), 1));
            }),
        ];
        let expected = [
            "add cannot repeat f32[2,3] and f32[2] to one shape",
            "sub takes two values of one kind, not f32[2] and i32[2]",
            "reduce_mean takes no mean of 0 elements of f32[2,0]",
            "div_constant divides by 0",
            "prod finds no axis 1 in f32[2]",
        ];
        for (fault, expected) in faults.iter().zip(expected) {
            assert!(fault.contains(expected), "{fault}");
            assert!(fault.contains("arithmetic.rs:"), "{fault}");
            assert_eq!(fault.lines().count(), 2, "{fault}");
        }
    }
}
