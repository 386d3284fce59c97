//! What the policy lets players learn.

use super::*;

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
        super::check("graph", &[nodes, line].concat(), rule, at);
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
        super::check("graph", &nodes, "secrecy/release", 4);
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
