//! What each family of rules lets through, and what not.

mod secrecy;
mod split;

use super::*;
use crate::testing::{graph_of, op_set, setup};
use crate::{Fixed, Setup, Stage, parse};

/// Checks which rules the graph breaks, each at which node, in order.
fn check_graph(graph: &Graph, expect: &[(&str, Option<usize>)]) {
    let violations = verify(graph).err().map(|error| error.violations).unwrap_or_default();
    let broken = |v: &Violation| (v.rule, v.node.map(NodeId::index));
    let found: Vec<_> = violations.iter().map(broken).collect();
    assert_eq!(found, expect, "{}\n{violations:#?}", text::print(graph));
}

/// Checks that the first rule that the nodes break is `rule`, at node `at`, and that nodes
/// break none when `rule` is empty.
fn check(title: &str, nodes: &str, rule: &str, at: usize) {
    let graph = graph_of(title, nodes);
    let first = verify(&graph).err().map(|error| error.violations[0].clone());
    let found = first.as_ref().map_or(("", 0), |v| (v.rule, v.node.map_or(0, NodeId::index)));
    assert_eq!(found, (rule, at), "{nodes}\n{first:#?}");
}

fn check_head(players: &str, rest: &str, rule: &str) {
    let text = format!("graph t {{\n  players {players}\n{rest}}}\n");
    let graph = parse(&text, &op_set()).unwrap();
    let expect = (!rule.is_empty()).then_some((rule, None));
    check_graph(&graph, expect.as_slice());
}

#[test]
fn structure() {
    check_head("a, b", "  policy reveal(to=a, over=1)\n  policy release(from=b)\n", "");
    check_head("a, b, a", "", "structure/players");
    check_head("a", "  secure = P(b) fix64.16\n", "structure/players");
    check_head("a, b", "  secure = P(b, b) fix64.16\n", "structure/players");
    check_head("a", "  policy reveal(to=b, over=1)\n", "structure/players");
    check_head("a", "  policy release(from=b)\n", "structure/players");
    let reveal = "  policy reveal(to=a, over=1)\n";
    check_head("a", &[reveal, reveal].concat(), "structure/policy");
    check_head("a", "  policy reveal(to=a, over=0)\n", "structure/policy");
    let many: Vec<_> = (0..1025).map(|i| format!("p{i}")).collect();
    check_head(&many[1..].join(", "), "", "");
    check_head(&many.join(", "), "", "structure/players");

    let zeros = "  %0 = zeros[shape=[]]() : f32[] @a\n";
    let check = |line: &str, rule, at| check("graph", &[zeros, line].concat(), rule, at);
    check("", "", 0);
    check("  %1 = negate(%0) : f32[] @a", "", 0);
    check("  %1 = negate(%1) : f32[] @a", "structure/inputs", 1);
    check("  %1 = negate(%2) : f32[] @a", "structure/inputs", 1);
    check("  %1 = negate(%4294967295) : f32[] @a", "structure/inputs", 1);
    check("  %1 = negate(%0) : f32[] @a after %1", "structure/inputs", 1);
    check("  %1 = negate(%0) : f32[] @a after %4294967295", "structure/inputs", 1);
    check("  %1 = negate(%0.1) : f32[] @a", "structure/outputs", 1);
    let outputs = vec!["f32[]"; 65537].join(",");
    check(&format!("  %1 = negate(%0) : {outputs} @a"), "structure/outputs", 1);
}

#[test]
fn names_can_be_written() {
    let named = |name: &str, protocol: &str| {
        let setup = Setup::new(["a".parse().unwrap()]);
        let servers = ["a".parse().unwrap()];
        Graph::new(name, setup.secure(protocol, servers, Fixed::LOW).into(), Stage::Recorded)
    };
    check_graph(&named("f_1", "ABY3"), &[]);
    for bad in ["", "a b", "größe", "t {\n  players b"] {
        check_graph(&named(bad, "ABY3"), &[("structure/names", None)]);
        check_graph(&named("f", bad), &[("structure/names", None)]);
    }
    let mut graph = graph_of("graph", "  %0 = zeros[shape=[]]() : f32[] @a");
    let mut node = graph.node(NodeId::new(0)).clone();
    node.scope = "a b".into();
    graph.push(node);
    check_graph(&graph, &[("structure/names", Some(1))]);
    let empty = Graph::new("f", Setup::new([]).into(), Stage::Recorded);
    check_graph(&empty, &[("structure/players", None)]);
}

#[test]
fn types() {
    let zeros = "  %0 = zeros[shape=[2]]() : f32[2] @a\n";
    let check = |line: &str, rule| check("graph", &[zeros, line].concat(), rule, 1);
    check("  %1 = negate(%0) : f32[3] @a", "types/infer");
    check("  %1 = negate(%0) @a", "types/infer");
    check("  %1 = negate(%0) : f32[2], f32[2] @a", "types/infer");
    check("  %1 = negate(%0, %0) : f32[2] @a", "types/infer");
    check("  %1 = scale(%0) : f32[2] @a", "types/infer");
    check("  %1 = scale[factor=2](%0) : f32[2] @a", "types/infer");
    check("  %1 = zeros[shape=[-1]]() : f32[1] @a", "types/infer");
    check("  %1 = zeros[shape=[2147483648,2]]() : f32[1] @a", "types/infer");
    let long = "x".repeat(129);
    check(&format!("  %1 = assign[variable=\"{long}\"](%0) @a"), "types/infer");
    check("  %1 = pad() : share fix64.16[] @a", "types/stage");
    check("  %1 = send[edge=0, to=@b](%0) @a", "types/stage");
    check("  %1 = receive[edge=0, from=@a, type=<f32[]>]() : f32[] @b", "types/stage");
    check(
        "  %1 = receive[edge=0, from=@a, type=<share fix64.16[]>]() : share fix64.16[] @b",
        "types/stage",
    );
}

#[test]
fn attributes_of_graphs_made_by_hand_are_checked() {
    let mut graph = graph_of("graph", "  %0 = zeros[shape=[]]() : f32[] @a");
    let mut node = graph.node(NodeId::new(0)).clone();
    node.attributes.set("size", 1.5);
    graph.push(node.clone());
    node.op = &crate::testing::SCALE;
    node.inputs = vec![crate::Port { node: NodeId::new(0), slot: 0 }];
    node.attributes = crate::Attributes::default();
    node.attributes.set("factor", f64::NAN);
    graph.push(node);
    check_graph(&graph, &[("types/infer", Some(1)), ("types/infer", Some(2))]);
}

#[test]
fn ops_have_their_stage() {
    let stages = ["graph", "lowered graph", "local @a graph"];
    let zeros = "  %0 = zeros[shape=[]]() : f32[] @a\n";
    let encoded = "  %0 = zeros[shape=[]]() : f32[] @a\n  %1 = encode(%0) : fix64.16[] @a\n";
    let share = format!("{encoded}  %2 = share(%1) : secret fix64.16[] @secure");
    let cases = [
        (share.clone(), [true, false, false]),
        (format!("{share}\n  %3 = reveal(%2) : fix64.16[] @m"), [true, false, false]),
        ("  %0 = pad() : share fix64.16[] @a".to_owned(), [false, true, true]),
        (format!("{zeros}  %1 = send[edge=0, to=@b](%0) @a"), [false, false, true]),
        (
            "  %0 = receive[edge=0, from=@b, type=<f32[]>]() : f32[] @a".to_owned(),
            [false, false, true],
        ),
        (format!("{zeros}  %1 = transfer(%0) : f32[] @b"), [true, true, false]),
        (zeros.to_owned(), [true, true, true]),
    ];
    for (nodes, legal) in cases {
        for (stage, legal) in stages.into_iter().zip(legal) {
            let stage_rule = verify(&graph_of(stage, &nodes)).err();
            let stage_rule = stage_rule.map(|error| error.violations[0].rule);
            assert_eq!(stage_rule, (!legal).then_some("types/stage"), "{stage}\n{nodes}");
        }
    }
}

#[test]
fn placement() {
    let zeros = "  %0 = zeros[shape=[]]() : f32[] @a
  %1 = encode(%0) : fix64.16[] @a
  %2 = share(%1) : secret fix64.16[] @secure\n";
    let check = |line: &str, rule| check("graph", &[zeros, line].concat(), rule, 3);
    check("  %3 = zeros[shape=[]]() : f32[] @z", "placement/player");
    check("  %3 = negate(%0) : f32[] @b", "placement/inputs");
    check("  %3 = publish(%0) @b", "placement/inputs");
    check("  %3 = transfer(%0) : f32[] @a", "placement/inputs");
    check("  %3 = share(%2) : secret fix64.16[] @secure", "placement/inputs");
    check("  %3 = reveal(%1) : fix64.16[] @m", "placement/inputs");
    check("  %3 = reveal(%2) : fix64.16[] @secure", "placement/inputs");
    check("  %3 = share(%1) : secret fix64.16[] @b", "placement/inputs");
    check("  %3 = negate(%2) : secret fix64.16[] @a", "placement/inputs");
    check("  %3 = zeros[shape=[]]() : f32[] @secure", "placement/secrecy");
    check("  %3 = input[shape=[]]() : f32[] @secure", "placement/secrecy");
    super::tests::check(
        "lowered graph",
        "  %0 = zeros[shape=[]]() : f32[] @secure",
        "placement/player",
        0,
    );
    super::tests::check(
        "local @a graph",
        "  %0 = zeros[shape=[]]() : f32[] @b",
        "placement/player",
        0,
    );
    let none = "graph t {\n  players a\n  %0 = read[type=<secret fix64.16[]>, \
                    variable=\"v\"]() : secret fix64.16[] @secure\n}\n";
    let rule = verify(&parse(none, &op_set()).unwrap()).unwrap_err().violations[0].rule;
    assert_eq!(rule, "placement/player");
}

#[test]
fn control_edges_order_the_accesses_of_a_variable() {
    let head = "  %0 = zeros[shape=[]]() : f32[] @a
  %1 = assign[variable=\"v\"](%0) @a
  %2 = read[type=<f32[]>, variable=\"v\"]() : f32[] @a after %1\n";
    let check = |line: &str, rule: &str| {
        check("graph", &[head, line].concat(), rule, if rule.is_empty() { 0 } else { 3 });
    };
    let read = "  %3 = read[type=<f32[]>, variable=\"v\"]() : f32[]";
    let edge = "placement/order";
    check("  %3 = assign[variable=\"v\"](%0) @a after %1, %2", "");
    check("  %3 = assign[variable=\"v\"](%0) @a after %1", edge);
    check("  %3 = assign[variable=\"v\"](%0) @a after %2", edge);
    check("  %3 = assign[variable=\"v\"](%0) @a", edge);
    check("  %3 = assign[variable=\"w\"](%0) @a", "");
    check("  %3 = assign[variable=\"w\"](%0) @a after %1", edge);
    check(&format!("{read} @a after %1"), "");
    check(&format!("{read} @a"), edge);
    check(&format!("{read} @b"), "");
    check(&format!("{read} @b after %1"), edge);
    check("  %3 = negate(%0) : f32[] @a after %2", edge);
    check("  %3 = negate(%0) : f32[] @a after %0", edge);
}

#[test]
fn a_violation_shows_the_lines_around_it() {
    let line = "= zeros[shape=[]]() : f32[] @a";
    let nodes = format!(
        "  %0 {line}\n  %1 {line}\n  %2 {line}\n  %3 = negate(%0) : f64[] @a \
                             # p.rs:7\n  %4 {line}\n  %5 {line}"
    );
    let error = verify(&graph_of("graph", &nodes)).unwrap_err();
    let [violation] = &error.violations[..] else { panic!("{error}") };
    assert_eq!(violation.source.as_ref().unwrap().to_string(), "p.rs:7");
    let context = format!(
        "    %1 {line}\n    %2 {line}\n  > %3 = negate(%0) : f64[] @a\n    \
                               %4 {line}"
    );
    assert_eq!(violation.context, context);
    let shown = error.to_string();
    assert!(shown.starts_with("graph t breaks 1 rule(s)\ntypes/infer: negate returns [f32[]]"));
    assert!(shown.contains("(p.rs:7)") && shown.ends_with(&context), "{shown}");
}

/// A line with many faults is not repeated whole for each.
#[test]
fn errors_stay_small() {
    let inputs = vec!["%9"; 50_000].join(",");
    let error = verify(&graph_of("graph", &format!("  %0 = add_n({inputs}) : f32[] @a")));
    let error = error.unwrap_err();
    assert_eq!(error.violations.len(), MOST_VIOLATIONS);
    assert!(error.to_string().len() < 50_000);
}
