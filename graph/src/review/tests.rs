use super::*;
use crate::testing::{graph_of, name, op_set};
use crate::{digest, parse};

/// Programs of shared inputs: `%0..%2` are input, encoded and shared of `a`, then of `b`, `c`, `d`.
fn shared(players: &[&str]) -> String {
    let line = |(i, player): (usize, &&str)| {
        let (x, e, s) = (3 * i, 3 * i + 1, 3 * i + 2);
        format!(
            "  %{x} = input[shape=[]]() : f32[] @{player} in {player}\n  \
             %{e} = encode(%{x}) : fix64.16[] @{player}\n  \
             %{s} = share(%{e}) : secret fix64.16[] @secure\n"
        )
    };
    players.iter().enumerate().map(line).collect()
}

const SECRET: &str = "secret fix64.16[] @secure";

/// The first rule that a program breaks whose head has these policies beside [`setup`]'s.
///
/// [`setup`]: crate::testing::setup
fn broken(policy: &str, nodes: &str) -> &'static str {
    let text = crate::print(&graph_of("graph", nodes));
    let text =
        text.replace("  policy release(from=e)\n", &format!("{policy}  policy release(from=e)\n"));
    let graph = parse(&text, &op_set()).unwrap();
    verify(&graph).err().map_or("", |error| error.violations[0].rule)
}

fn reviewed(nodes: &str) -> Review {
    review(&graph_of("graph", nodes)).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn who_reads_what_and_who_learns_it() {
    let sums = format!(
        "{}  %9 = add_n(%2, %5, %8) : {SECRET}
  %10 = add_n(%2, %5) : {SECRET}
  %11 = reveal(%9) : fix64.16[] @m in output
  %12 = input[shape=[]]() : f32[] @e
  %13 = transfer(%12) : f32[] @a
  %14 = publish(%13) @a
  %15 = transfer(%13) : f32[] @e
  %16 = read[type=<f32[]>, variable=\"w\"]() : f32[] @d",
        shared(&["a", "b", "c"])
    );
    let review = reviewed(&sums);
    let inputs: Vec<_> =
        review.inputs.iter().map(|i| (i.player.as_str(), &*i.name, &i.exits[..])).collect();
    let expect = [
        ("a", "a/input", &[0][..]),
        ("b", "b/input", &[0]),
        ("c", "c/input", &[0]),
        // What comes back to its owner tells nobody anything.
        ("e", "input", &[1, 2]),
        ("d", "read", &[]),
    ];
    assert_eq!(inputs, expect);
    let [reveal, transfer, publish, back] = &review.exits[..] else { panic!("{review:#?}") };
    assert_eq!((&*reveal.name, reveal.role), ("output/reveal", Role::Reveal));
    assert_eq!(reveal.to, Some(name("m")));
    let three = ["a", "b", "c"].map(name).into();
    assert_eq!(reveal.owners, three);
    assert_eq!(reveal.mixed, Some(Mixed { over: 3, sum: true, owners: three }));
    assert_eq!((transfer.to.clone(), &transfer.mixed), (Some(name("a")), &None));
    assert_eq!(transfer.owners, [name("e")].into());
    assert_eq!((publish.role, publish.to.clone()), (Role::Publish, None));
    assert_eq!(publish.owners, [name("e")].into());
    assert!(back.owners.is_empty());
}

#[test]
fn what_a_reveal_shows_depends_on_all_others() {
    let over = |nodes: &str| -> Vec<_> {
        let nodes = [shared(&["a", "b", "c", "d"]), nodes.to_owned()].concat();
        let exits = reviewed(&nodes).exits;
        exits.iter().map(|exit| exit.mixed.as_ref().map(|m| (m.over, m.sum))).collect()
    };
    let all = format!("  %12 = add_n(%2, %5, %8, %11) : {SECRET}\n");
    let reveal = |id: u32, of: u32| format!("  %{id} = reveal(%{of}) : fix64.16[] @m\n");
    assert_eq!(over(&[all.clone(), reveal(13, 12)].concat()), [Some((4, true))]);
    let two = format!("  %13 = add_n(%2, %5) : {SECRET}\n");
    let both = [all.clone(), two, reveal(14, 12), reveal(15, 13)].concat();
    assert_eq!(over(&both), [Some((2, true)), Some((2, true))]);
    // Not a sum: one unknown value that everyone stands behind.
    let product = format!("  %13 = opaque(%12) : {SECRET}\n");
    assert_eq!(over(&[all, product, reveal(14, 13)].concat()), [Some((4, false))]);
    // Who releases hides nothing, and has nothing to hide.
    let released = "  %12 = input[shape=[]]() : f32[] @e
  %13 = encode(%12) : fix64.16[] @e
  %14 = share(%13) : secret fix64.16[] @secure\n";
    assert_eq!(over(&[released.to_owned(), reveal(15, 14)].concat()), [None]);
}

#[test]
fn what_is_handed_on_is_followed_from_step_to_step() {
    let nodes = format!(
        "  %0 = read[type=<fix64.16[]>, variable=\"w\"]() : fix64.16[] @e
  %1 = transfer(%0) : fix64.16[] @a
  %2 = input[shape=[]]() : f32[] @a
  %3 = encode(%2) : fix64.16[] @a
  %4 = share(%3) : {SECRET}
  %5 = input[shape=[]]() : f32[] @b
  %6 = encode(%5) : fix64.16[] @b
  %7 = share(%6) : {SECRET}
  %8 = add_n(%4, %7) : {SECRET}
  %9 = reveal(%8) : fix64.16[] @e
  %10 = read[type=<fix64.16[]>, variable=\"v\"]() : fix64.16[] @e
  %11 = assign[variable=\"w\"](%10) @e after %0
  %12 = assign[variable=\"v\"](%9) @e after %10"
    );
    let text = crate::print(&graph_of("graph", &nodes)).replace("(to=m", "(to=e");
    let review = review(&parse(&text, &op_set()).unwrap()).unwrap();
    let names: Vec<_> = review.exits.iter().map(|exit| &*exit.name).collect();
    assert_eq!(names, ["transfer", "reveal"]);
    // The sum goes into v, in the next step into w, and is handed on in the one after that.
    assert_eq!(review.carried, [vec![1], vec![]]);
    assert_eq!(review.inputs[0].exits, [0]);
    assert_eq!(review.inputs[3].exits, [0]);
}

#[test]
fn only_what_can_be_judged_is_reviewed() {
    let leak = [shared(&["a"]), "  %3 = reveal(%2) : fix64.16[] @m".to_owned()].concat();
    let error = review(&graph_of("graph", &leak)).unwrap_err();
    assert!(error.to_string().contains("secrecy/mixed"), "{error}");
    let error = review(&graph_of("lowered graph", "")).unwrap_err();
    assert_eq!(error, ReviewError::Stage("t".into()));
}

/// Every one of many values is made of every one of many inputs.
#[test]
fn reviewing_takes_bounded_time() {
    let mut nodes = String::new();
    for i in 0..3000 {
        nodes += &format!("  %{i} = input[shape=[]]() : f32[] @a\n");
    }
    let all: Vec<_> = (0..3000).map(|i| format!("%{i}")).collect();
    nodes += &format!("  %3000 = add_n({}) : f32[] @a\n", all.join(", "));
    for i in 3001..6000 {
        nodes += &format!("  %{i} = negate(%{}) : f32[] @a\n", i - 1);
    }
    let graph = graph_of("graph", &nodes);
    assert_eq!(verify(&graph), Ok(()));
    let error = review(&graph).unwrap_err();
    assert!(matches!(error, ReviewError::Entangled { .. }), "{error}");
    // The exits alone can be judged: a player's rules need no more.
    assert_eq!(exits(&graph), Ok(vec![]));
}

#[test]
fn reviewing_changes_nothing() {
    let nodes = [shared(&["a", "b"]), format!("  %6 = add_n(%2, %5) : {SECRET}")].concat();
    let graph = graph_of("graph", &nodes);
    let before = digest(&graph);
    assert_eq!(review(&graph), review(&graph));
    assert_eq!(digest(&graph), before);
}

/// Two receivers who may put together what they learned, because one may hand it on.
#[test]
fn what_is_handed_on_is_subtracted() {
    let sums = format!(
        "{}  %9 = add_n(%2, %5, %8) : {SECRET}
  %10 = add_n(%5, %8) : {SECRET}
  %11 = reveal(%9) : fix64.16[] @e
  %12 = reveal(%10) : fix64.16[] @m",
        shared(&["a", "b", "c"])
    );
    let to_e = "  policy reveal(to=e, over=2)\n";
    assert_eq!(broken(to_e, &sums), "secrecy/mixed");
    // Both see the same sum.
    assert_eq!(broken(to_e, &sums.replace("add_n(%5, %8)", "add_n(%8, %5, %2)")), "");
    // d does not release: nobody can subtract.
    let apart = sums.replace("@e", "@d");
    assert_eq!(broken("  policy reveal(to=d, over=2)\n", &apart), "");
}

/// What was revealed to d comes back as d's own, and cancels what hides a.
#[test]
fn what_was_revealed_hides_nothing() {
    let check = |terms: &str, rule: &str| {
        let nodes = format!(
            "{}  %12 = add_n(%2, %5, %8) : {SECRET}
  %13 = reveal(%12) : fix64.16[] @d
  %14 = assign[variable=\"v\"](%13) @d
  %15 = read[type=<fix64.16[]>, variable=\"v\"]() : fix64.16[] @d after %14
  %16 = share(%15) : {SECRET}
  %17 = scale[factor=-1.0](%16) : {SECRET}
  %18 = add_n({terms}) : {SECRET}
  %19 = reveal(%18) : fix64.16[] @m",
            shared(&["a", "b", "c", "d"])
        );
        assert_eq!(broken("  policy reveal(to=d, over=2)\n", &nodes), rule, "{terms}");
    };
    check("%17, %5, %8", "secrecy/mixed");
    check("%17, %11", "secrecy/mixed");
    check("%2, %5", "");
    check("%11, %5", "");
    // Of the step before: another run, whose data are others.
    let old = format!(
        "  %0 = read[type=<fix64.16[]>, variable=\"v\"]() : fix64.16[] @d
  %1 = share(%0) : {SECRET}
  %2 = input[shape=[]]() : f32[] @a
  %3 = encode(%2) : fix64.16[] @a
  %4 = share(%3) : {SECRET}
  %5 = add_n(%1, %4) : {SECRET}
  %6 = reveal(%5) : fix64.16[] @m"
    );
    assert_eq!(broken("", &old), "");
}

/// What ops of secrets do, beside sums and multiples.
#[test]
fn what_is_moved_is_mixed_no_more_than_its_parts() {
    let check = |nodes: &str, rule: &str| {
        let nodes = [&shared(&["a", "b", "c"]), nodes].concat();
        let end = nodes.trim_end().lines().count();
        let nodes = format!("{nodes}  %{end} = reveal(%{}) : fix64.16[] @m", end - 1);
        assert_eq!(broken("", &nodes), rule, "{nodes}");
    };
    // Side by side is not mixed.
    check(&format!("  %9 = pick(%2, %5) : {SECRET}\n"), "secrecy/mixed");
    let sums = format!("  %9 = add_n(%2, %5) : {SECRET}\n  %10 = add_n(%5, %2, %8) : {SECRET}\n");
    check(&format!("{sums}  %11 = pick(%9, %10) : {SECRET}\n"), "");
    check(&format!("{sums}  %11 = pick(%9, %8) : {SECRET}\n"), "secrecy/mixed");
    check(&format!("{sums}  %11 = pick(%9) : {SECRET}\n"), "");
    // Neither is what nobody can see in it.
    let faint = format!("  %9 = scale[factor=0.0001](%2) : {SECRET}\n");
    let faint = format!("{faint}  %10 = add_n(%9, %5) : {SECRET}\n");
    check(&format!("{faint}  %11 = opaque(%10) : {SECRET}\n"), "secrecy/mixed");
    check(&format!("{sums}  %11 = opaque(%9) : {SECRET}\n"), "");
    // What another program left behind may be one player's alone, and hides nothing.
    let read = format!("  %9 = read[type=<secret fix64.16[]>, variable=\"v\"]() : {SECRET}\n");
    check(&read, "secrecy/mixed");
    check(&format!("{read}  %10 = add_n(%9, %2) : {SECRET}\n"), "secrecy/mixed");
    check(&format!("{read}  %10 = add_n(%9, %2, %5) : {SECRET}\n"), "");
}
