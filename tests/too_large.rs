//! Tensors of any size end in a plan or in an error: nothing overflows or takes memory before a plan
//! is run.

mod common;

use common::{model_owner, one_owner};
use sordino::graph::{Shape, Type};
use sordino::ops::Plan;
use sordino::prelude::*;

type Program = for<'r> fn(&Recording<'r>, Value<'r>) -> Value<'r>;

/// What comes of a program on a secret of that shape.
fn planned(fixed: Fixed, axes: &[usize], program: Program) -> Result<Plan, String> {
    let function = Function::new("large", "", |g| {
        let ty = Type::secret(fixed, Shape::new(axes).unwrap());
        let result = program(g, read_secret(g, "x", &ty, &[model_owner()]));
        assign_secret("y", result, &[model_owner()]);
    });
    let recorded = function.record(&one_owner(fixed)).map_err(|error| error.to_string())?;
    Plan::new(recorded).map_err(|error| error.to_string())
}

const OF_ANY: [(&str, Program); 22] = [
    ("add", |_, x| add(x, x)),
    ("cumsum", |_, x| cumsum(x, 0)),
    ("div", |_, x| div(x, x)),
    ("exp", |_, x| exp(x)),
    ("floor", |_, x| floor(x)),
    ("from_bits", |_, x| from_bits(to_bits(x))),
    ("gather", |_, x| gather(x, &[0, 1], 0)),
    ("maximum", |_, x| maximum(x, x)),
    ("mul", |_, x| mul(x, x)),
    ("negative", |_, x| bit_to_number(negative(x))),
    ("one_hot_max", |_, x| bit_to_number(one_hot_max(x, 0))),
    ("pad_zeros", |_, x| pad_zeros(x, &[1; 2], &[0; 2])),
    ("prod", |_, x| prod(x, 0)),
    ("reduce_max", |_, x| reduce_max(x, 0)),
    ("reduce_mean", |_, x| reduce_mean(x, &[0], false)),
    ("softmax", |_, x| softmax(x)),
    ("sort", |_, x| sort(x, 0)),
    ("stack", |_, x| stack([x, x], 0)),
    ("tile", |_, x| tile(x, &[1 << 40, 3])),
    ("top_k", |_, x| top_k(x, 3, 0)),
    ("transpose", |_, x| transpose(x, &[1, 0])),
    ("weighted_sum", |_, x| weighted_sum(&[x], &[0.5], 1.0)),
];

const OF_IMAGES: [(&str, Program); 3] = [
    ("average_pool", |_, x| average_pool(x, 2)),
    ("conv2d", |_, x| conv2d(x, x, 1, Padding::Same)),
    ("max_pool", |_, x| max_pool(x, 2)),
];

#[test]
fn large_tensors_are_planned_or_refused() {
    let [mut plans, mut errors] = [0, 0];
    let mut check = |name: &str, fixed, axes: &[usize], program| {
        let Err(error) = planned(fixed, axes, program) else { return plans += 1 };
        errors += 1;
        assert!(error.contains("too_large.rs:"), "{name} of {axes:?}: {error}");
    };
    for fixed in [Fixed::LOW, Fixed::HIGH] {
        for axes in [[1 << 31, 1], [1, 1 << 31], [1 << 16, 1 << 15], [1 << 31, 0], [0, 1 << 31]] {
            for (name, program) in OF_ANY {
                check(name, fixed, &axes, program);
            }
            check("matmul", fixed, &axes, |_, x| matmul(x, transpose(x, &[1, 0])));
        }
        for axes in [[1 << 31, 1, 1, 1], [1, 1 << 15, 1 << 16, 1], [1, 1, 1, 1 << 31]] {
            for (name, program) in OF_IMAGES {
                check(name, fixed, &axes, program);
            }
        }
    }
    assert!(plans > 50 && errors > 50, "{plans} plans, {errors} errors");
}

/// Of what a rule makes of an op, and of what the op stands for.
#[test]
fn a_refusal_names_the_op_its_operands_and_the_line() {
    let negative: Program = |_, x| bit_to_number(negative(x));
    let error = planned(Fixed::HIGH, &[1 << 31], negative).unwrap_err();
    let start = "ABY3 cannot compute negative of secret fix128.32[2147483648] (";
    assert!(error.starts_with(start), "{error}");
    for part in ["too_large.rs:", "share_bits, which has the axes [", "in parts"] {
        assert!(error.contains(part), "{error:?} does not say {part:?}");
    }
    let error = planned(Fixed::LOW, &[1 << 31], |_, x| exp(x)).unwrap_err();
    let part = "exp of secret fix64.16[2147483648] is made of weigh_bits, which has the axes [";
    assert!(error.contains("too_large.rs:") && error.contains(part), "{error}");
}

/// The words of a secret variable, whose shares are larger than they are.
#[test]
fn words_that_are_read_may_be_too_large() {
    let setup = one_owner(Fixed::HIGH);
    let function = Function::new("large", "", |g| {
        let shape = Shape::new(&[1 << 31]).unwrap();
        let words = Type {
            element: sordino::graph::Element::Bits(128),
            ..Type::secret(Fixed::HIGH, shape)
        };
        let words = read_secret(g, "x", &words, &[model_owner()]);
        assign_secret("y", words, &[model_owner()]);
    });
    let error = Plan::new(function.record(&setup).unwrap()).unwrap_err().to_string();
    assert!(error.starts_with("ABY3 cannot compute read_secret ("), "{error}");
}
