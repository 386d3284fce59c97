use super::*;
use sordino_graph::{digest, parse};
use sordino_ops::{Plan, op_set};
use sordino_players::Identity;

/// Ann's, bob's and cat's vectors, %2, %5 and %8; dan's, who releases, %11.
fn plan(protocol: &str, policy: &str, nodes: &str) -> Graph {
    let share = |(i, player): (usize, &&str)| {
        let (x, e, s) = (3 * i, 3 * i + 1, 3 * i + 2);
        format!(
            "  %{x} = random_normal[seed={i}, shape=[2]]() : f32[2] @{player}
  %{e} = encode[fraction=16, width=64](%{x}) : fix64.16[2] @{player}
  %{s} = share(%{e}) : secret fix64.16[2] @secure\n"
        )
    };
    let shares: String = ["ann", "bob", "cat", "dan"].iter().enumerate().map(share).collect();
    let nodes = if nodes.is_empty() { String::new() } else { format!("{nodes}\n") };
    let text = format!(
        "graph training {{
  players ann, bob, cat, dan, model-owner, s0, s1, s2
  secure = {protocol}(s0, s1, s2) fix64.16
{policy}  policy release(from=dan)
{shares}{nodes}}}\n"
    );
    let graph = parse(&text, &op_set()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Plan::new(graph).unwrap_or_else(|error| panic!("{error}")).recorded
}

const TO_OWNER: &str = "  policy reveal(to=model-owner, over=2)\n";

/// The sum of these to the model owner.
fn sum(terms: &str) -> Graph {
    let nodes = format!(
        "  %12 = add_n({terms}) : secret fix64.16[2] @secure
  %13 = reveal[scale=1.0](%12) : f32[2] @model-owner in output # train.rs:7"
    );
    plan("ABY3", TO_OWNER, &nodes)
}

fn name(name: &str) -> PlayerName {
    name.parse().unwrap()
}

/// What `player` says of a plan; empty if it takes part.
fn says(consent: &Consent, player: &str, graph: &Graph) -> String {
    consent.check(&name(player), graph, &digest(graph)).err().unwrap_or_default()
}

fn policy(text: &str) -> Consent {
    let rules = policy::parse(Path::new("policy.toml"), text).unwrap_or_else(|e| panic!("{e}"));
    Consent { rules: Some(Arc::new(rules)), signed: None }
}

#[track_caller]
fn refuses(consent: &Consent, player: &str, graph: &Graph, parts: &[&str]) {
    let found = says(consent, player, graph);
    for part in [&["refuses the plan"], parts].concat() {
        assert!(found.contains(part), "{found:?} does not say {part:?}");
    }
    assert_eq!(says(&Consent::ALL, player, graph), "");
}

#[test]
fn flags_say_what_a_player_consents_to() {
    let consent = Flags::default();
    let three = sum("%2, %5, %8");
    assert_eq!(says(&consent.into(), "ann", &three), "");
    let alone = plan(
        "ABY3",
        "  policy reveal(to=model-owner, over=1)\n",
        "  %12 = reveal[scale=1.0](%2) : f32[2] @model-owner",
    );
    // Also a server refuses what shows a single player's data.
    for player in ["ann", "bob", "s0"] {
        refuses(&consent.into(), player, &alone, &["only 1 player", "--over 1"]);
        assert_eq!(says(&Flags { over: 1, ..consent }.into(), player, &alone), "");
    }
    let over_four = Flags { over: 4, ..consent };
    refuses(&over_four.into(), "ann", &three, &["only 3 player", "--over 3"]);

    let plain = plan("Plain", TO_OWNER, "");
    refuses(&consent.into(), "ann", &plain, &["Plain protects nothing", "--insecure"]);
    assert_eq!(says(&Flags { insecure: true, ..consent }.into(), "ann", &plain), "");

    let handed = plan("ABY3", TO_OWNER, "  %12 = transfer(%9) : f32[2] @ann in parameters");
    refuses(&consent.into(), "dan", &handed, &["parameters/transfer (%12)", "ann", "--release"]);
    assert_eq!(says(&Flags { release: true, ..consent }.into(), "dan", &handed), "");
    // What others release is theirs to decide.
    assert_eq!(says(&consent.into(), "ann", &handed), "");
    // A program that may release does it in a way that nobody judges.
    refuses(&consent.into(), "dan", &three, &["may hand out data of dan", "--release"]);
}

#[test]
fn rules_of_a_policy_are_named() {
    let over_three = policy("[[reveal]]\nwhat = \"output/*\"\nto = \"model-owner\"\nover = 3\n");
    assert_eq!(says(&over_three, "ann", &sum("%2, %5, %8")), "");
    // The released value does not count.
    refuses(
        &over_three,
        "ann",
        &sum("%2, %5, %11"),
        &[
            "policy.toml rule 1 (line 1): reveal \"output/*\" to \"model-owner\" only as a sum \
             over at least 3 player(s)",
            "output/reveal (%13, train.rs:7)",
            "a sum over 2",
        ],
    );
    // A sum from which another reveal of the same plan subtracts some.
    let two = "  %12 = add_n(%2, %5, %8) : secret fix64.16[2] @secure
  %13 = reveal[scale=1.0](%12) : f32[2] @model-owner in output
  %14 = add_n(%2, %5) : secret fix64.16[2] @secure
  %15 = reveal[scale=1.0](%14) : f32[2] @model-owner in output";
    let two = plan("ABY3", "  policy reveal(to=model-owner, over=1)\n", two);
    refuses(&over_three, "bob", &two, &["output/reveal (%13)", "a sum over 1"]);

    let elsewhere = policy("[[reveal]]\nwhat = \"statistics/*\"\nto = \"model-owner\"\nover = 2\n");
    refuses(&elsewhere, "ann", &sum("%2, %5"), &["no rule of policy.toml", "to = \"model-owner\""]);
    let to_bob = policy("[[reveal]]\nto = \"bob\"\nover = 2\n");
    refuses(&to_bob, "ann", &sum("%2, %5"), &["no rule of policy.toml"]);
    refuses(&policy(""), "ann", &sum("%2, %5"), &["no rule of policy.toml"]);
    assert_eq!(says(&policy(""), "ann", &plan("ABY3", "", "")), "");
    // One rule that allows it is enough.
    let either = "[[reveal]]\nto = \"*\"\nover = 9\n[[reveal]]\nto = \"model-*\"\nover = 2\n";
    assert_eq!(says(&policy(either), "ann", &sum("%2, %5")), "");
}

#[test]
fn releases_of_a_policy() {
    let handed = plan(
        "ABY3",
        "",
        "  %12 = transfer(%9) : f32[2] @ann in parameters
  %13 = publish[name=\"loss\"](%9) @dan in test",
    );
    let to = |text: &str| says(&policy(text), "dan", &handed);
    let both = "[[release]]\nwhat = \"parameters/*\"\nto = \"ann\"\n[[release]]\nto = \"driver\"";
    assert_eq!(to(both), "");
    assert_eq!(to("[[release]]\nto = \"*\""), "");
    assert!(to("").contains("policy.toml has no [[release]] rule"), "{}", to(""));
    let other = to("[[release]]\nto = \"ann\"");
    let expect = "test/publish (%13) hands data of dan in plaintext to driver";
    assert!(other.contains(expect) && other.contains("rule 1 (line 1)"), "{other}");
    // Nobody else has anything to say about it.
    assert_eq!(says(&policy(""), "ann", &handed), "");
    // A reveal of what its owner releases anyway is a release.
    let revealed = plan("ABY3", TO_OWNER, "  %12 = reveal[scale=1.0](%11) : f32[2] @model-owner");
    let ann = policy("[[release]]\nto = \"ann\"");
    refuses(&ann, "dan", &revealed, &["reveal (%12) hands data of dan", "to model-owner"]);
    assert_eq!(says(&policy("[[release]]\nto = \"model-owner\""), "dan", &revealed), "");
}

#[test]
fn protocols_of_a_policy() {
    let plain = plan("Plain", "", "");
    refuses(&policy(""), "ann", &plain, &["Plain protects nothing", "insecure = true"]);
    assert_eq!(says(&policy("insecure = true"), "ann", &plain), "");
    let only = policy("insecure = true\nprotocols = [\"Plain\"]");
    assert_eq!(says(&only, "ann", &plain), "");
    refuses(&only, "ann", &plan("ABY3", "", ""), &["is ABY3", "policy.toml allows Plain"]);
}

#[test]
fn signed_plans_run() {
    let folder = tempfile::tempdir().unwrap();
    let ann = Identity::generate(&name("ann"), 1).unwrap();
    let list = SignedPlans::of(&ann, folder.path());
    let (good, other) = (sum("%2, %5"), sum("%2, %5, %8"));
    let required = policy("signed = \"required\"\n[[reveal]]\nto = \"*\"\nover = 2");
    let required = required.with_signed(list.clone());
    refuses(&required, "ann", &good, &["signed = \"required\"", "sordino sign", "--player ann"]);
    let strict = policy("").with_signed(list.clone());
    refuses(&strict, "ann", &good, &["no rule"]);
    assert!(list.add(&ann, &digest(&good), good.name()).unwrap());
    assert_eq!(says(&required, "ann", &good), "");
    assert_eq!(says(&strict, "ann", &good), "");
    refuses(&required, "ann", &other, &["signed = \"required\""]);
    refuses(&strict, "ann", &other, &["no rule"]);
    // A list that somebody else has written to is no list.
    std::fs::write(list.path(), format!("{} 00\n", digest(&other))).unwrap();
    refuses(&strict, "ann", &other, &["line 1 is not signed with the key of ann"]);
}
