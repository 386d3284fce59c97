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

/// A program of secrets: a line a value, `name = expression`, in the words below.
///
/// `a` to `e`, `m`, `s0`: a fresh input of that player, shared; `pub`: a constant, shared;
/// `+x y`: their sum; `*f x`: a multiple; `!x p`: a reveal to `p`, shared again by `p`.
fn judge(over: usize, program: &str) -> Option<&'static str> {
    let mut policy = setup();
    policy.policy.reveals = vec![crate::RevealRule { to: "m".parse().unwrap(), over }];
    let graph = crate::record("t", &policy, |g| {
        use crate::testing::{REVEAL, SCALE, ZEROS, add, input, name, share};
        let mut values = std::collections::HashMap::new();
        for line in program.split(';').map(str::trim).filter(|line| !line.is_empty()) {
            let (to, expression) = line.split_once('=').unwrap();
            let words: Vec<_> = expression[1..].split(' ').map(str::trim).collect();
            let value = |word: &str| values[word];
            let result = match (words[0].split_at(1), &words[1..]) {
                (("+", x), rest) => {
                    let all: Vec<_> = [x].iter().chain(rest).map(|w| value(w)).collect();
                    add(&all)
                }
                (("*", factor), [x]) => {
                    let factor: f64 = factor.parse().unwrap();
                    g.op(&SCALE).attr("factor", factor).input(value(x)).build()
                }
                (("!", x), [p]) => share(g.op(&REVEAL).input(value(x)).at(name(p)).build()),
                (("@", p), [q]) => share(crate::transfer(input(g, p), &name(q))),
                _ if words[0] == "pub" => {
                    share(g.op(&ZEROS).attr("shape", &[2usize][..]).at(name("a")).build())
                }
                _ => share(input(g, words[0])),
            };
            values.insert(to.trim(), result);
        }
    });
    let rules = verify(&graph.unwrap()).err().map(|error| error.violations);
    rules.map(|violations| violations[0].rule)
}

fn passes(program: &str) {
    assert_eq!(judge(2, program), None, "{program}");
}

fn leaks(program: &str) {
    assert_eq!(judge(2, program), Some("secrecy/mixed"), "{program}");
}

const THREE: &str = "a = a; b = b; c = c; d = d; e = e; m = m; p = pub;";

#[test]
fn what_mixes_enough_is_revealed() {
    let passes = |program: &str| passes(&[THREE, program].concat());
    passes("x = +a b; r = !x m");
    passes("x = +a b c; y = *0.333 x; r = !y m; q = !x m");
    passes("x = +a a b b; r = !x m");
    passes("x = *0.002 a; y = *0.002 b; z = +x y; r = !z m");
    passes("x = *4095.5 a; y = *4095.5 b; z = +x y; r = !z m");
    passes("x = *3000.0 a; y = *0.001 x; z = *3000.0 b; w = *0.001 z; s = +y w; r = !s m");
    passes("x = +a b m p e; r = !x m");
    // What is the receiver's own, public or released needs no mixing.
    passes("r = !m m; q = !p m; s = !e m; x = +m p e; t = !x m");
    passes("x = *0.0 a; r = !x m");
    // A second sum over two other players, or over the same ones.
    passes("x = +a b; y = +c d; r = !x m; q = !y m");
    passes("a1 = a; b1 = b; x = +a b; y = +a1 b1; r = !x m; q = !y m");
    passes("x = +a b c d; y = +a b; r = !x m; q = !y m");
    // A server and the receiver may be owners.
    passes("s = s0; x = +a s; r = !x m");
    assert_eq!(judge(1, &[THREE, "r = !a m; x = *1e-9 b; q = !x m"].concat()), None);
}

#[test]
fn what_mixes_too_little_is_refused() {
    let leaks = |program: &str| leaks(&[THREE, program].concat());
    leaks("r = !a m");
    leaks("x = +a a; r = !x m");
    leaks("a1 = a; x = +a a1; r = !x m");
    // The receiver, released and public values do not count.
    leaks("x = +a m; r = !x m");
    leaks("x = +a e; r = !x m");
    leaks("x = +a p; r = !x m");
    assert_eq!(judge(3, &[THREE, "x = +a b m; r = !x m"].concat()), Some("secrecy/mixed"));
    assert_eq!(judge(3, &[THREE, "x = +a b c; r = !x m"].concat()), None);
}

#[test]
fn what_cancels_or_vanishes_does_not_hide() {
    let leaks = |program: &str| leaks(&[THREE, program].concat());
    leaks("n = *-1.0 b; x = +a b n; r = !x m");
    leaks("x = *0.0 b; y = +a x; r = !y m");
    // 0.1 + 0.2 - 0.3 is not 0 in floats, and is 0 in the ring.
    leaks("x = *0.1 b; y = *0.2 b; z = *-0.3 b; s = +a x y z; r = !s m");
    leaks("x = *1e-5 b; y = +a x; r = !y m");
    leaks("x = *0.0005 b; y = +a x; r = !y m");
    leaks("x = *1000.0 a; y = *10.0 x; z = +y b; r = !z m");
    // Too small to be encoded on the way, then large again.
    leaks("x = *1e-6 b; y = *1000.0 x; z = *1000.0 y; s = +a z; r = !s m");
    leaks("x = *0.004 b; y = *0.004 x; z = *62500.0 y; s = +a z; r = !s m");
    // 2^64 is 0 in the ring.
    let factor = "18446744073709551616.0";
    leaks(&format!("x = *{factor} b; s = +a x; r = !s m"));
    let back = "t = *0.000244140625 x; u = *0.000244140625 t; v = *0.000244140625 u; \
                    w = *0.000244140625 v; z = *0.000244140625 w; y = *0.0625 z;";
    leaks(&format!("x = *{factor} b; {back} s = +a y; r = !s m"));
    let doubled = "x = +b b; y = +x x x x x x x x; z = +y y y y y y y y; t = +z z z z z z z z; \
                       u = +t t t t t t t t; v = *0.0001220703125 u;";
    leaks(&format!("{doubled} s = +a v; r = !s m"));
    let overflow = "x = *1e308 b; y = *1e308 x; n = *-1.0 y; z = +y n a; r = !z m";
    leaks(overflow);
}

#[test]
fn what_is_revealed_cannot_be_combined() {
    let leaks = |program: &str| leaks(&[THREE, program].concat());
    leaks("x = +a b c; y = +b c; r = !x m; q = !y m");
    leaks("x = +a b; y = +b c; z = +c a; r = !x m; q = !y m; s = !z m");
    leaks("y = *2.0 b; x = +a b; z = +a y; r = !x m; q = !z m");
    leaks("y = *1.001 b; x = +a b; z = +a y; r = !x m; q = !z m");
    leaks("n = *-1.0 b; x = +a b; y = +a n; r = !x m; q = !y m");
    // The same players' values under new shares.
    leaks("b1 = b; c1 = c; x = +a b c; y = +b1 c1; r = !x m; q = !y m");
    // What the receiver shares again it knows already.
    leaks("x = +a b c; r = !x m; n = *-1.0 r; y = +b c n; q = !y m");
    // Small multiples beside large ones of the others.
    leaks("x = *1000.0 b; y = *1000.0 x; u = *1000.0 c; v = *1000.0 u; s = +a y v; r = !s m");
}

#[test]
fn reveals_and_releases_follow_the_policy() {
    let judge = |program: &str| judge(2, &[THREE, program].concat());
    assert_eq!(judge("x = +a b; r = !x a"), Some("secrecy/reveal"));
    assert_eq!(judge("r = !p s0"), Some("secrecy/reveal"));
    assert_eq!(judge("x = @e b; y = +x a; r = !y m"), Some("secrecy/mixed"));
    assert_eq!(judge("x = @a b"), Some("secrecy/release"));
    assert_eq!(judge("x = @e b"), None);
}

#[test]
fn plaintext_keeps_its_owners() {
    let nodes = "  %0 = input[shape=[]]() : f32[] @a
  %1 = input[shape=[]]() : f32[] @e
  %2 = transfer(%1) : f32[] @a
  %3 = add_n(%0, %2) : f32[] @a
  %4 = read[type=<f32[]>, variable=\"v\"]() : f32[] @a
  %5 = zeros[shape=[]]() : f32[] @a
  %6 = halves(%0) : f32[], f32[] @a
  %7 = halves(%2) : f32[], f32[] @a\n";
    let check = |line: &str, rule: &str| {
        let at = if rule.is_empty() { 0 } else { 8 };
        super::tests::check("graph", &[nodes, line].concat(), rule, at);
    };
    check("  %8 = transfer(%2) : f32[] @m", "");
    check("  %8 = transfer(%5) : f32[] @m", "");
    check("  %8 = transfer(%7.1) : f32[] @m", "");
    check("  %8 = publish(%2) @a", "");
    check("  %8 = publish(%5) @a", "");
    for private in ["%0", "%3", "%4", "%6.1"] {
        check(&format!("  %8 = transfer({private}) : f32[] @m"), "secrecy/release");
        check(&format!("  %8 = transfer({private}) : f32[] @s0"), "secrecy/release");
        check(&format!("  %8 = publish({private}) @a"), "secrecy/release");
    }
    // Data of another's that goes back to its owner, and what was made of it does not.
    check("  %8 = transfer(%2) : f32[] @e", "");
    check("  %8 = transfer(%3) : f32[] @e", "secrecy/release");
    // Handing data back to its owner is no second fault.
    let and_back = "  %0 = input[shape=[]]() : f32[] @a
  %1 = transfer(%0) : f32[] @b
  %2 = transfer(%1) : f32[] @a";
    check_graph(&graph_of("graph", and_back), &[("secrecy/release", Some(1))]);
    // What is revealed is the receiver's: it does not release.
    let revealed = "  %0 = zeros[shape=[]]() : f32[] @a
  %1 = encode(%0) : fix64.16[] @a
  %2 = share(%1) : secret fix64.16[] @secure
  %3 = reveal(%2) : fix64.16[] @m\n";
    for last in ["publish(%3) @m", "transfer(%3) : fix64.16[] @a"] {
        let nodes = format!("{revealed}  %4 = {last}");
        super::tests::check("graph", &nodes, "secrecy/release", 4);
    }
}

#[test]
fn shares_are_not_published() {
    let pad = "  %0 = pad() : share fix64.16[] @a\n  %1 = publish(%0) @a";
    check("lowered graph", pad, "secrecy/share", 1);
    check("local @a graph", pad, "secrecy/share", 1);
    let zeros = "  %0 = zeros[shape=[]]() : f32[] @a\n  %1 = publish(%0) @a";
    check("lowered graph", zeros, "", 0);
}

/// Sums of sums, whose forms grow with each: a text of some hundred kilobytes.
#[test]
fn judging_takes_bounded_time() {
    let mut nodes = String::new();
    let count = 4000;
    for i in 0..count {
        nodes += &format!("  %{} = input[shape=[]]() : f32[] @a\n", 3 * i);
        nodes += &format!("  %{} = encode(%{}) : fix64.16[] @a\n", 3 * i + 1, 3 * i);
        nodes += &format!("  %{} = share(%{}) : secret fix64.16[] @secure\n", 3 * i + 2, 3 * i + 1);
    }
    for i in 0..count {
        let (id, last) = (3 * count + i, if i == 0 { 2 } else { 3 * count + i - 1 });
        nodes += &format!("  %{id} = add_n(%{last}, %{}) : secret fix64.16[] @secure\n", 3 * i + 2);
    }
    let error = verify(&graph_of("graph", &nodes)).unwrap_err();
    assert_eq!(error.violations[0].rule, "secrecy/judged");
}

#[test]
fn parts_fit_together() {
    let lowered = "  %0 = zeros[shape=[]]() : f32[] @a
  %1 = transfer(%0) : f32[] @b
  %2 = negate(%1) : f32[] @b
  %3 = transfer(%2) : f32[] @a
  %4 = publish(%3) @a";
    let lowered = graph_of("lowered graph", lowered);
    let check = |player: &str, from: &str, to: &str, rule: &str| {
        let mut parts = crate::split(&lowered);
        let part = parts.get_mut(&crate::testing::name(player)).unwrap();
        let text = text::print(part);
        assert!(text.contains(from), "{text}");
        *part = parse(&text.replace(from, to), &op_set()).unwrap();
        let found = verify_parts(&lowered, &parts).err();
        let found = found.map_or("", |error| error.violations[0].rule);
        assert_eq!(found, rule, "{from} -> {to}");
    };
    check("a", "", "", "");
    check("a", "edge=0, to=@b", "edge=2, to=@b", "split/edges");
    check("a", "edge=0, to=@b", "edge=1, to=@b", "split/edges");
    check("a", "to=@b", "to=@c", "split/edges");
    check("b", "edge=1", "edge=0", "split/edges");
    check("b", "from=@a", "from=@c", "split/edges");
    check("b", "type=<f32[]>]() : f32[]", "type=<f64[]>]() : f64[]", "types/infer");
    check("a", "zeros[shape=[]]", "input[shape=[]]", "split/join");
    check("b", "  %2 = send[edge=1, to=@a](%1) @b\n", "", "split/edges");
    check("b", "send[edge=1, to=@a](%1)", "send[edge=1, to=@a](%0)", "split/join");
    check("c", "}", "  %0 = zeros[shape=[]]() : f32[] @c\n}", "split/join");
    check("c", "}", "  %0 = zeros[shape=[]]() : f32[] @b\n}", "placement/player");
    let mut parts = crate::split(&lowered);
    parts.remove(&crate::testing::name("b"));
    assert_eq!(verify_parts(&lowered, &parts).unwrap_err().violations[0].rule, "split/edges");
}

#[test]
fn parts_that_wait_for_each_other_do_not_join() {
    let receive =
        |edge, from| format!("receive[edge={edge}, from=@{from}, type=<f32[]>]() : f32[]");
    let part = |player: &str, receives, from, sends, to| {
        let receive = receive(receives, from);
        let nodes = format!(
            "  %0 = {receive} @{player}\n  %1 = send[edge={sends}, to=@{to}](%0) @{player}"
        );
        (crate::testing::name(player), graph_of(&format!("local @{player} graph"), &nodes))
    };
    let parts = [part("a", 0, "b", 1, "b"), part("b", 1, "a", 0, "a")].into();
    let lowered = graph_of("lowered graph", "");
    let error = verify_parts(&lowered, &parts).unwrap_err();
    assert_eq!(error.violations[0].rule, "split/join");
}
