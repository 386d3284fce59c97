//! Programs that cannot be right end in an error before anything runs: with the op, the shapes or
//! types, the program's line and what to do.

mod common;

use common::{mnist, model_owner, one_owner};
use sordino::graph::{Element, Shape, Type};
use sordino::ops::nn::{Home, Layer, Loss, Optimizer, Sequential, Trainer};
use sordino::prelude::*;

/// A secret of that shape.
fn secret<'r>(g: &Recording<'r>, axes: &[usize]) -> Value<'r> {
    let fixed = g.setup().secure.as_ref().map_or(Fixed::LOW, |secure| secure.fixed);
    read_secret(g, "x", &Type::secret(fixed, Shape::new(axes).unwrap()), &[model_owner()])
}

fn floats<'r>(g: &Recording<'r>, axes: &[usize]) -> Value<'r> {
    random_normal(g, &model_owner(), axes, 1)
}

/// Fails unless recording does, with one fault that says these things and names this file and the
/// line.
#[track_caller]
fn refused(program: impl Fn(&Recording<'_>), says: &[&str]) {
    let line = std::panic::Location::caller().line();
    for fixed in [Fixed::LOW, Fixed::HIGH] {
        let function = Function::new("bad", "", |g| program(g));
        let Err(error) = function.record(&one_owner(fixed)) else { panic!("it was recorded") };
        let text = error.to_string();
        let [fault] = &error.faults[..] else { panic!("one fault: {text}") };
        assert!(fault.source.file.ends_with("bad_recordings.rs"), "{text}");
        // The closure begins where it is handed over, and has a line or two.
        assert!((line..line + 8).contains(&fault.source.line), "{text}, at {line}");
        for part in says {
            assert!(text.contains(part), "{text:?} does not say {part:?}");
        }
    }
}

#[test]
fn shapes_that_do_not_broadcast() {
    type OfTwo = for<'r> fn(Value<'r>, Value<'r>) -> Value<'r>;
    let of_two: [(&str, OfTwo); 4] = [("add", add), ("sub", sub), ("mul", mul), ("div", div)];
    for (name, function) in of_two {
        let says = [name, "[2,3]", "[2]", "sizes must agree or be 1"];
        let fault = Function::new("bad", name, |g| {
            function(secret(g, &[2, 3]), secret(g, &[2]));
        });
        let error = fault.record(&one_owner(Fixed::LOW)).unwrap_err().to_string();
        assert!(says.iter().all(|part| error.contains(part)), "{error}");
    }
    refused(
        |g| {
            mul(secret(g, &[2, 3]), secret(g, &[4, 1, 2]));
        },
        &["mul", "[2,3]", "[4,1,2]", "sizes must agree or be 1"],
    );
    refused(
        |g| {
            broadcast(secret(g, &[3]), &[3, 2]);
        },
        &["broadcast", "[3]", "[3,2]", "sizes must agree or be 1"],
    );
    refused(
        |g| {
            matmul(secret(g, &[2, 3]), secret(g, &[2, 3]));
        },
        &["matmul", "inner sizes 3 and 2 differ"],
    );
    refused(
        |g| {
            concat([secret(g, &[2, 3]), secret(g, &[2, 4])], 0);
        },
        &["concat", "[2,3]", "[2,4]"],
    );
    refused(
        |g| {
            reshape(secret(g, &[2, 3]), &[4]);
        },
        &["reshape", "[2,3]", "[4]"],
    );
}

#[test]
fn a_secret_where_plaintext_is_needed() {
    refused(|g| publish("x", secret(g, &[2])), &["publish", "secret fix", "[2]"]);
    refused(|g| assign("y", secret(g, &[2])), &["assign", "secret fix", "use assign_secret"]);
    refused(|g| save_tensor("y", secret(g, &[2])), &["save_tensor", "secret fix"]);
    refused(|g| descend("w", 0.1, secret(g, &[2])), &["descend", "secret fix"]);
    refused(
        |g| {
            one_hot(secret(g, &[2]), 3);
        },
        &["one_hot", "secret fix"],
    );
    refused(
        |g| {
            share(secret(g, &[2]));
        },
        &["share", "secret fix"],
    );
    refused(
        |g| {
            add(secret(g, &[2]), floats(g, &[2]));
        },
        &["add", "secret fix", "f32[2]", "share, reveal or cast one"],
    );
    refused(
        |g| {
            matmul(floats(g, &[2, 2]), secret(g, &[2, 2]));
        },
        &["matmul", "f32[2,2]"],
    );
    // And the other way round.
    refused(
        |g| {
            reveal(floats(g, &[2]), &model_owner());
        },
        &["reveal", "takes a secret", "f32[2]"],
    );
}

#[test]
fn an_axis_out_of_range() {
    refused(
        |g| {
            reduce_sum(secret(g, &[2, 3]), &[2], false);
        },
        &["reduce_sum", "axis 2", "[2,3]"],
    );
    refused(
        |g| {
            reduce_sum(secret(g, &[2]), &[0, 0], false);
        },
        &["reduce_sum", "axis 0 twice"],
    );
    refused(
        |g| {
            cumsum(secret(g, &[2, 3]), 5);
        },
        &["cumsum", "axis 5", "[2,3]"],
    );
    refused(
        |g| {
            concat([secret(g, &[2])], 1);
        },
        &["concat", "axis 1", "[2]"],
    );
    refused(
        |g| {
            reduce_max(secret(g, &[2]), 1);
        },
        &["reduce_max", "no axis 1", "[2]"],
    );
    refused(
        |g| {
            argmax(secret(g, &[2, 0]), 1);
        },
        &["argmax", "no items along axis 1", "[2,0]"],
    );
    refused(
        |g| {
            sort(secret(g, &[2]), 1);
        },
        &["sort", "axis 1", "[2]"],
    );
    refused(
        |g| {
            top_k(secret(g, &[2]), 3, 0);
        },
        &["top_k", "1 to 2 items", "not 3"],
    );
    refused(
        |g| {
            prod(secret(g, &[2]), 1);
        },
        &["prod", "axis 1", "[2]"],
    );
    refused(
        |g| {
            squeeze(secret(g, &[2, 1]), &[0]);
        },
        &["squeeze", "axis 0 of size 1", "[2,1]"],
    );
    refused(
        |g| {
            expand_dims(secret(g, &[2]), 2);
        },
        &["expand_dims", "axis 2", "[2]"],
    );
    refused(
        |g| {
            transpose(secret(g, &[2, 3]), &[0, 2]);
        },
        &["transpose", "[2,3]"],
    );
    refused(
        |g| {
            gather(secret(g, &[2]), &[2], 0);
        },
        &["gather", "[2]"],
    );
    refused(
        |g| {
            slice(secret(g, &[2]), &[0], &[3], &[1]);
        },
        &["slice", "[2]"],
    );
    refused(
        |g| {
            softmax(secret(g, &[]));
        },
        &["softmax", "rows", "secret fix"],
    );
    refused(
        |g| {
            max_pool(secret(g, &[2, 3]), 2);
        },
        &["max_pool", "[2,3]"],
    );
    refused(
        |g| {
            max_pool(secret(g, &[1, 2, 3, 1]), 3);
        },
        &["max_pool", "takes windows of 1 to 2 pixels of secret fix", "[1,2,3,1], not 3"],
    );
    refused(
        |g| {
            average_pool(secret(g, &[1, 2, 3, 1]), 3);
        },
        &["average_pool", "takes windows of 1 to 2 pixels of secret fix", "[1,2,3,1], not 3"],
    );
    refused(
        |g| {
            let filters = secret(g, &[3, 2, 1, 1]);
            conv2d(secret(g, &[1, 2, 3, 1]), filters, 1, Padding::Valid);
        },
        &["conv2d", "filters of 3 by 2", "images of 2 by 3"],
    );
    refused(
        |g| {
            sum_rows(secret(g, &[]));
        },
        &["sum_rows", "takes rows, not secret fix"],
    );
}

#[test]
fn numbers_that_the_ring_cannot_hold() {
    let too_large = 1e30;
    refused(
        |g| {
            add_constant(secret(g, &[2]), too_large);
        },
        &["constant", "cannot encode", "fix", "magnitudes below 2^"],
    );
    refused(
        |g| {
            share(constant(g, model_owner(), &[0.5, -too_large], &[2]));
        },
        &["encode", "cannot encode -1000000000000000", "fix", "magnitudes below 2^"],
    );
    refused(
        |g| {
            greater_constant(secret(g, &[2]), f64::NAN);
        },
        &["constant", "must be finite"],
    );
    refused(
        |g| {
            scale(secret(g, &[2]), too_large);
        },
        &["scale", "at most 4096", "multiply before sharing"],
    );
    refused(
        |g| {
            weighted_sum(&[secret(g, &[2])], &[-4097.0], 0.0);
        },
        &["weighted_sum", "at most 4096"],
    );
    refused(
        |g| {
            polynomial(secret(g, &[2]), &[too_large, 1.0]);
        },
        &["polynomial", "cannot encode"],
    );
    refused(
        |g| {
            div_constant(secret(g, &[2]), 0.0);
        },
        &["div_constant", "divides by 0"],
    );
    refused(
        |g| {
            let fixed = g.setup().secure.as_ref().map_or(Fixed::LOW, |secure| secure.fixed);
            let truths = negative(secret(g, &[1, 2]));
            weigh_bits(truths, fixed, &[vec![too_large]], &[0.0]);
        },
        &["weigh_bits", "cannot encode"],
    );
}

#[test]
fn lists_that_do_not_fit() {
    refused(
        |g| {
            weighted_sum(&[secret(g, &[2]), secret(g, &[2])], &[0.5], 0.0);
        },
        &["weighted_sum", "a weight for each value, not 1 for 2 of secret fix", "[2]"],
    );
    refused(
        |g| {
            polynomial(secret(g, &[2]), &[]);
        },
        &["polynomial", "1 to 256 coefficients, not 0"],
    );
    refused(
        |g| {
            split(secret(g, &[4]), 0, 0);
        },
        &["split", "cannot cut axis 0 of secret fix", "[4] into 0 equal parts"],
    );
    refused(
        |g| {
            sort_by_key(secret(g, &[4]), &[secret(g, &[3])], 0);
        },
        &["sort", "of the type of the keys", "[4]", "[3]"],
    );
}

/// Without a value there is no recording to tell.
#[test]
fn lists_without_values() {
    let programs: [(&str, fn()); 5] = [
        ("add_n", || _ = add_n([])),
        ("concat", || _ = concat([], 0)),
        ("stack", || _ = stack([], 0)),
        ("sum_of_products", || _ = sum_of_products(&[], 0)),
        ("weighted_sum", || _ = weighted_sum(&[], &[], 0.0)),
    ];
    for (name, program) in programs {
        let said = panic_of(program);
        assert!(said.starts_with(&format!("{name} takes at least one ")), "{said}");
    }
}

/// What a panic says.
fn panic_of<T>(of: impl FnOnce() -> T + std::panic::UnwindSafe) -> String {
    let Err(panic) = std::panic::catch_unwind(of) else { panic!("it does not panic") };
    let fixed = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    fixed.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

#[test]
fn gradients_that_there_are_not() {
    refused(
        |g| {
            let x = secret(g, &[2]);
            gradients(reduce_sum(floor(x), &[0], false), &[x]);
        },
        &["floor", "has no gradient"],
    );
    refused(
        |g| {
            let x = secret(g, &[]);
            gradients(x, &[constant(g, x.place().unwrap(), &[1.0], &[])]);
        },
        &["gradients", "does not depend on"],
    );
}

/// The lines of functions that are made of many ops.
#[test]
fn nodes_have_the_lines_of_the_program() {
    let first = line!();
    let function = Function::new("good", "", |g| {
        let x = secret(g, &[3, 40]);
        let y = reduce_max(x, 1);
        argmin(x, 1);
        sort_by_key(x, &[x], 0);
        top_k(x, 2, 1);
        softmax(average_pool(reshape(x, &[3, 4, 5, 2]), 2));
        gradients(reduce_sum(mul(y, y), &[0], false), &[x]);
        split(stack([x, x], 0), 2, 0);
        prod(maximum(x, abs(x)), 0);
    });
    let last = line!();
    let graph = function.record(&one_owner(Fixed::LOW)).unwrap();
    for (_, node) in graph.nodes().skip(1) {
        let source = node.source.as_ref().unwrap();
        assert!(source.file.ends_with("bad_recordings.rs"), "{} of {source}", node.op.name);
        assert!((first..last).contains(&source.line), "{} of {source}", node.op.name);
    }
}

fn trainer() -> Trainer {
    Trainer {
        model: Sequential::new(&[4], &[Layer::Dense(2)]),
        home: Home::Secure(vec![model_owner()]),
        loss: Loss::CategoricalCrossEntropy,
        optimizer: Optimizer::Sgd { rate: 0.1, momentum: 0.0 },
    }
}

/// Variables of another shape than the layer that they are for.
#[test]
fn a_variable_of_the_wrong_shape() {
    let mut session = Session::local(one_owner(Fixed::LOW), mnist(), None).unwrap();
    let prepared = Function::new("prepare", "", |g| {
        assign("dense_0/weights", zeros(g, model_owner(), &[2, 4]));
        assign("dense_0/bias", zeros(g, model_owner(), &[2]));
    });
    session.run(&prepared, 1).unwrap();
    let import = Function::new("import", "", |g| trainer().import(g, &model_owner()));
    let Err(RunError::Variable(error)) = session.run(&import, 1) else { panic!("it ran") };
    let error = error.to_string();
    let variable = "variable dense_0/weights @model-owner";
    for part in ["read_variable", variable, "f32[2,4]", "f32[4,2]", "bad_recordings.rs:"] {
        assert!(error.contains(part), "{error:?} does not say {part:?}");
    }
    // Nothing was run, and the session goes on.
    let corrected = Function::new("correct", "", |g| {
        assign("dense_0/weights", zeros(g, model_owner(), &[4, 2]));
    });
    session.run(&corrected, 1).unwrap();
    session.run(&import, 1).unwrap();
}

/// Steps of which the first would have found the variable right.
#[test]
fn a_variable_that_changes_its_shape() {
    let mut session = Session::local(one_owner(Fixed::LOW), mnist(), None).unwrap();
    let vector = Type::plain(Element::F32, Shape::new(&[2]).unwrap());
    let grows = Function::new("grows", "", |g| {
        let x = read_variable(g, &model_owner(), "x", &vector);
        assign("x", concat([x, x], 0));
    });
    let begin = Function::new("begin", "", |g| assign("x", floats(g, &[2])));
    session.run(&begin, 1).unwrap();
    let Err(RunError::Variable(error)) = session.run(&grows, 2) else { panic!("it ran") };
    assert_eq!(error.holds.to_string(), "f32[4]");
    session.run(&grows, 1).unwrap();
}

#[test]
fn layers_that_do_not_fit() {
    let output = |layers: &[Layer]| {
        let model = Sequential::new(&[4, 4, 1], layers);
        panic_of(|| model.output())
    };
    let filter = Layer::Conv { filters: 1, size: 5, stride: 1, padding: Padding::Valid };
    assert!(output(&[filter]).contains("layer 0: fits no filter of 5 by 5 into [4, 4, 1]"));
    assert!(output(&[Layer::Relu, Layer::MaxPool(0)]).contains("layer 1: takes windows"));
    assert!(output(&[Layer::Dense(2)]).contains("layer 0: flatten before dense"));
    let scalar = Sequential::new(&[], &[Layer::BatchNorm]);
    assert!(panic_of(|| scalar.parameters()).contains("layer 0: takes examples with channels"));
}
