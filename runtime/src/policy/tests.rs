use super::*;

fn read(text: &str) -> Result<Rules, PolicyError> {
    parse(Path::new("/etc/sordino/policy.toml"), text)
}

/// Checks that the error of a policy has all of `expect` in it.
#[track_caller]
fn fails(text: &str, expect: &[&str]) {
    let error = read(text).map(|_| ()).unwrap_err().to_string();
    for part in [&["/etc/sordino/policy.toml"], expect].concat() {
        assert!(error.contains(part), "{error:?} does not say {part:?}");
    }
}

#[test]
fn a_policy_is_read() {
    let rules = read(
        "signed = \"required\"
protocols = [\"ABY3\"]

[[release]]
to = \"driver\"

[[reveal]]
what = \"output*\"
to = \"model-owner\"
over = 3

[[release]]
what = \"parameters/*\"
to = \"train-data-owner-*\"

[[reveal]]
to = \"*\"
over = 5
functions = true
",
    );
    let rules = rules.unwrap_or_else(|error| panic!("{error}"));
    assert!(rules.only_signed && !rules.insecure);
    assert_eq!(rules.protocols, Some(vec!["ABY3".to_owned()]));
    assert_eq!(rules.source, "policy.toml");
    let [first, second] = &rules.reveals[..] else { panic!("{rules:?}") };
    assert_eq!(first.origin, "policy.toml rule 2 (line 7)");
    assert_eq!((first.over, first.functions), (3, false));
    assert_eq!(first.what, Pattern("output*".to_owned()));
    assert_eq!(second.origin, "policy.toml rule 4 (line 16)");
    assert_eq!((second.over, second.functions), (5, true));
    assert_eq!(second.what, Pattern::any());
    let [first, second] = &rules.releases[..] else { panic!("{rules:?}") };
    assert_eq!(first.origin, "policy.toml rule 1 (line 4)");
    assert_eq!(first.to, Pattern("driver".to_owned()));
    assert_eq!(second.origin, "policy.toml rule 3 (line 12)");

    let empty = read("").unwrap();
    assert!(empty.reveals.is_empty() && empty.releases.is_empty());
    assert!(!empty.insecure && !empty.only_signed && empty.protocols.is_none());
    assert!(read("insecure = true\nprotocols = [\"Plain\"]").unwrap().insecure);
}

#[test]
fn what_cannot_be_meant_is_an_error_with_its_line() {
    fails("reveal = 3", &["line 1", "examples/federated-learning/policy.toml"]);
    fails("\n\nsinged = \"enough\"", &["line 3", "unknown field `singed`", "`signed`"]);
    fails("signed = \"yes\"", &["line 1", "unknown variant `yes`", "`required`"]);
    fails("[[reveal]]\nto = \"m\"\novr = 3", &["line 3", "unknown field `ovr`", "`over`"]);
    fails("insecure = false\n[[reveal]]\nto = \"m\"", &["line 2", "missing field `over`"]);
    fails("[[release]]\nwhat = \"*\"", &["line 1", "missing field `to`"]);
    fails("[[reveal]]\nto = \"m\"\nover = -1", &["line 3"]);
    fails("[[reveal]]\nto = \"m\"\nover = \"3\"", &["line 3", "invalid type: string"]);
    fails("[[reveal]\nto = 1", &["line 1"]);
    fails("[[reveal]]\nto = \"m\"\nover = 0", &["line 3", "at least 1"]);
    fails("[[reveal]]\nto = \"Model Owner\"\nover = 2", &["line 2", "list of players does"]);
    fails("[[release]]\nto = \"\"", &["line 2", "list of players does"]);
    fails("[[release]]\nto = \"m\"\nwhat = \"\"", &["line 3", "sordino review"]);
    fails("\nprotocols = [\"ABY4\"]", &["line 2", "no protocol ABY4"]);
    fails("protocols = [\"Plain\"]", &["line 1", "insecure = true"]);
}

#[test]
fn files_that_are_no_policy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    assert!(matches!(load(&path), Err(PolicyError::Unreadable { .. })));
    std::fs::write(&path, "# ".repeat(1 << 20)).unwrap();
    assert!(matches!(load(&path), Err(PolicyError::TooLarge { .. })));
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(matches!(load(&path), Err(PolicyError::Unreadable { .. })));
    std::fs::write(&path, "insecure = true").unwrap();
    assert!(load(&path).unwrap().insecure);
}

#[test]
fn patterns() {
    let check = |pattern: &str, yes: &[&str], no: &[&str]| {
        let pattern = Pattern(pattern.to_owned());
        yes.iter().for_each(|name| assert!(pattern.matches(name), "{pattern} {name}"));
        no.iter().for_each(|name| assert!(!pattern.matches(name), "{pattern} {name}"));
    };
    check("*", &["", "a", "a/b"], &[]);
    check("a", &["a"], &["", "aa", "b"]);
    check("a*", &["a", "ab"], &["", "ba"]);
    check("*a", &["a", "ba"], &["", "ab"]);
    check("a*a", &["aa", "aba"], &["a", "ab"]);
    check("a*b*c", &["abc", "axbxc", "abbc", "abcbc"], &["acb", "ab", "ac"]);
    check(
        "output*/reveal*",
        &["output/reveal", "output_1/reveal_2"],
        &["output", "x/output/reveal"],
    );
}
