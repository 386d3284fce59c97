//! What a driver that nobody trusts may send: texts that break a rule of the ops get an error and
//! never more, in time and memory of the order of the text.

use std::fmt::Write;
use std::time::{Duration, Instant};

use sordino::graph::parse;
use sordino::ops::Plan;
use sordino::ops::op::op_set;

const HEAD: &str = "graph t {
  players a, b, m, s0, s1, s2
  secure = ABY3(s0, s1, s2) fix64.16
  policy reveal(to=m, over=2)
  policy release(from=m)
";

/// Checks that the text has no plan, and that the error has `expect` in it; a plan if it is empty.
fn check_text(text: &str, expect: &str) {
    let graph = parse(text, &op_set()).unwrap_or_else(|error| panic!("{error}"));
    let error = Plan::new(graph).err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(error.is_empty(), expect.is_empty(), "{text}\n{error}");
    assert!(error.contains(expect), "{text}\n{error}");
}

fn check(nodes: &str, expect: &str) {
    check_text(&format!("{HEAD}{nodes}\n}}\n"), expect);
}

/// Lines of an input of `a` and of `b`, shared, in a format: %2 and %5.
fn shared(width: u32, fraction: u32) -> String {
    let mut text = String::new();
    for (i, player) in ["a", "b"].into_iter().enumerate() {
        let (x, encoded, secret) = (3 * i, 3 * i + 1, 3 * i + 2);
        let ty = format!("fix{width}.{fraction}[2]");
        writeln!(text, "  %{x} = random_normal[seed={i}, shape=[2]]() : f32[2] @{player}").unwrap();
        let encode = format!("encode[fraction={fraction}, width={width}]");
        writeln!(text, "  %{encoded} = {encode}(%{x}) : {ty} @{player}").unwrap();
        writeln!(text, "  %{secret} = share(%{encoded}) : secret {ty} @secure").unwrap();
    }
    text
}

#[test]
fn a_sum_has_a_plan() {
    let sum = "  %6 = add_n(%2, %5) : secret fix64.16[2] @secure
  %7 = reveal[scale=1.0](%6) : f32[2] @m
  %8 = publish[name=\"x\"](%7) @m";
    check(&[shared(64, 16).as_str(), sum].concat(), "");
}

#[test]
fn factors_that_cannot_be_encoded_are_refused_before_lowering() {
    let scaled = |width, fraction, factor: &str| {
        let ty = format!("secret fix{width}.{fraction}[2]");
        let float = if fraction <= 16 { "f32" } else { "f64" };
        shared(width, fraction)
            + &format!(
                "  %6 = scale[factor={factor}](%2) : {ty} @secure
  %7 = scale[factor={factor}](%5) : {ty} @secure
  %8 = add_n(%6, %7) : {ty} @secure
  %9 = reveal[scale=1.0](%8) : {float}[2] @m
  %10 = publish[name=\"x\"](%9) @m"
            )
    };
    check(&scaled(64, 16, "4095.5"), "");
    check(&scaled(128, 32, "4095.5"), "");
    check(&scaled(128, 52, "0.5"), "");
    check(&scaled(128, 52, "2.5"), "cannot encode 2.5");
    check(&scaled(128, 64, "0.5"), "cannot encode 0.5");
    check(&scaled(128, 64, "4096.0"), "");
    check(&scaled(64, 16, "4096.5"), "multiplies secrets by at most 4096");
    check(&scaled(64, 16, "1e300"), "multiplies secrets by at most 4096");
}

/// Factors that vanish or explode when they are multiplied stay apart.
#[test]
fn factors_behind_a_reveal_stay_finite() {
    for factor in ["1e300", "1e-300", "5e-324"] {
        let nodes = shared(64, 16)
            + &format!(
                "  %6 = add_n(%2, %5) : secret fix64.16[2] @secure
  %7 = scale[factor=2.0](%6) : secret fix64.16[2] @secure
  %8 = reveal[scale={factor}](%7) : f32[2] @m
  %9 = publish[name=\"x\"](%8) @m"
            );
        check(&nodes, "");
    }
    let tiny = shared(64, 16)
        + "  %6 = scale[factor=1e-300](%2) : secret fix64.16[2] @secure
  %7 = scale[factor=1e-300](%6) : secret fix64.16[2] @secure
  %8 = reveal[scale=1.0](%7) : f32[2] @m";
    check(&tiny, "secrecy/mixed");
}

#[test]
fn control_edges_do_not_reach_secrets() {
    let read = "read_variable[type=<f32[]>, variable=\"v\"]() : f32[] @a";
    check(&format!("{}  %6 = {read} after %2", shared(64, 16)), "placement/order");
    check(&format!("{}  %6 = {read} after %3", shared(64, 16)), "placement/order");
    let share = "share(%1) : secret fix64.16[2] @secure after %0";
    check(&format!("{}  %6 = {share}", shared(64, 16)), "placement/order");
    let reveal = "reveal[scale=1.0](%2) : f32[2] @m after %2";
    check(&format!("{}  %6 = {reveal}", shared(64, 16)), "placement/order");
}

#[test]
fn sizes_that_would_overflow_are_refused() {
    let max = i64::MAX;
    check(&format!("  %0 = zeros[shape=[{max},0]]() : f32[0] @a"), "has the axes");
    let convolution = |image: &str, filter: &str, attributes: &str, output: &str| {
        format!(
            "  %0 = zeros[shape={image}]() : f32{image} @m
  %1 = zeros[shape={filter}]() : f32{filter} @m
  %2 = conv2d[{attributes}](%0, %1) : f32{output} @m
  %3 = publish[name=\"x\"](%2) @m"
        )
    };
    let image = "[1,28,28,1]";
    let same = "same=true, stride=1";
    check(&convolution(image, "[5,5,1,4]", same, "[1,28,28,4]"), "");
    let stride = format!("same=true, stride={max}");
    check(&convolution(image, "[5,5,1,4]", &stride, "[1,1,1,4]"), "");
    // Tensors of two gigabytes that the kernel would make a matrix of exabytes of.
    let large = "[1,40000,40000,1]";
    let too_large = "too large filters";
    check(&convolution(large, "[40000,40000,1,1]", same, large), too_large);
    check(
        &convolution("[0,40000,40000,1]", "[40000,40000,1,0]", same, "[0,40000,40000,0]"),
        too_large,
    );
}

#[test]
fn unknown_protocols_and_other_numbers_of_servers_are_errors() {
    let head =
        |secure: &str| format!("graph t {{\n  players a, b\n  secure = {secure} fix64.16\n}}\n");
    check_text(&head("ABY4(a, b)"), "there is no protocol ABY4; there are ABY3");
    check_text(&head("ABY3()"), "ABY3 runs on 3 servers, not on 0");
    check_text(&head("ABY3(a, b)"), "ABY3 runs on 3 servers, not on 2");
    check_text(&head("Plain(a)"), "Plain runs on 3 servers, not on 1");
}

/// Every op of the program named in a text without what it needs, at every kind of place.
#[test]
fn no_op_panics_on_what_it_does_not_expect() {
    let inputs = "  %0 = zeros[shape=[2,2]]() : f32[2,2] @a
  %1 = zeros[shape=[0]]() : f32[0] @a
  %2 = read_variable[type=<i32[2]>, variable=\"v\"]() : i32[2] @a
  %3 = encode[fraction=16, width=64](%0) : fix64.16[2,2] @a
  %4 = share(%3) : secret fix64.16[2,2] @secure\n";
    let values = |kind| match kind {
        sordino::graph::AttributeKind::Int => ["-1", "0", "9223372036854775807"],
        sordino::graph::AttributeKind::Real => ["-1e308", "0.0", "5e-324"],
        sordino::graph::AttributeKind::Flag => ["true", "false", "true"],
        sordino::graph::AttributeKind::Text => ["\"\"", "\"v\"", "\"Mnist\""],
        sordino::graph::AttributeKind::Reals => ["[0.0]", "[1.5,-2e9]", "[1e308]"],
        sordino::graph::AttributeKind::Ints => ["[]", "[0,9223372036854775807]", "[2,2,1,1]"],
        sordino::graph::AttributeKind::Player => ["@a", "@b", "@zz"],
        sordino::graph::AttributeKind::Players => ["[]", "[@a]", "[@zz,@a,@a]"],
        sordino::graph::AttributeKind::Type => ["<f32[]>", "<secret i32[0]>", "<share f32[2]>"],
    };
    let mut refused = 0;
    for op in op_set().iter() {
        for choice in 0..4 {
            let pairs = op.attributes.iter().take(if choice == 3 { 0 } else { usize::MAX });
            let pairs = pairs.map(|&(name, kind)| format!("{name}={}", values(kind)[choice % 3]));
            let attributes = pairs.collect::<Vec<_>>().join(", ");
            for reads in
                ["", "%0", "%1", "%2", "%3", "%4", "%0, %0", "%1, %2", "%4, %4", "%0, %2, %1"]
            {
                for place in ["a", "b", "secure"] {
                    let node =
                        format!("  %5 = {}[{attributes}]({reads}) : f32[2,2] @{place}", op.name);
                    let text = format!("{HEAD}{inputs}{node}\n}}\n");
                    let plan = Plan::new(parse(&text, &op_set()).expect(&text));
                    refused += usize::from(plan.is_err());
                }
            }
        }
    }
    assert!(refused > 1000, "{refused}");
}

/// Prepares a text of `count` lines by `line`, after the two shared inputs, in the time that a
/// text of that length may take.
fn hostile(count: usize, line: impl Fn(usize) -> String) {
    let mut text = [HEAD, &shared(64, 16)].concat();
    (6..6 + count).for_each(|id| text += &line(id));
    text += "}\n";
    let begun = Instant::now();
    let _ = Plan::new(parse(&text, &op_set()).unwrap());
    let taken = begun.elapsed();
    // Half a second in an unoptimised build; what is quadratic takes minutes.
    assert!(taken < Duration::from_secs(15), "{} bytes took {taken:?}", text.len());
}

#[test]
fn long_texts_take_time_in_proportion() {
    let secret = "secret fix64.16[2] @secure";
    hostile(20_000, |id| format!("  %{id} = share(%1) : {secret}\n"));
    hostile(20_000, |id| match id % 2 {
        0 => format!(
            "  %{id} = scale[factor=-1.0](%{}) : {secret}\n",
            if id == 6 { 2 } else { id - 2 }
        ),
        _ => format!("  %{id} = reveal[scale=1.0](%{}) : f32[2] @m\n", id - 1),
    });
    hostile(20_000, |id| match id {
        6 => format!("  %6 = add_n(%2, %5) : {secret}\n"),
        _ if id % 2 == 0 => format!("  %{id} = scale[factor=0.5](%{}) : {secret}\n", id - 2),
        _ => format!("  %{id} = reveal[scale=1.0](%{}) : f32[2] @m\n", id - 1),
    });
    let many = vec!["%2"; 4096].join(",");
    hostile(200, |id| format!("  %{id} = add_n({many}) : {secret}\n"));
    hostile(20_000, |id| format!("  %{id} = zeros[shape=[2]]() : f32[2] @m after %0, %1\n"));
    let read = "read_variable[type=<f32[2]>, variable=\"v\"]() : f32[2] @m";
    hostile(20_000, |id| format!("  %{id} = {read}\n"));
    hostile(20_000, |id| match id % 2 {
        0 => format!("  %{id} = zeros[shape=[2]]() : f32[2] @m\n"),
        _ => format!("  %{id} = transfer(%{}) : f32[2] @b\n", id - 1),
    });
    hostile(20_000, |id| format!("  %{id} = publish[name=\"x\"](%0) @a\n"));
}
