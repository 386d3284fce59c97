//! Parts of a graph.

use super::*;

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
