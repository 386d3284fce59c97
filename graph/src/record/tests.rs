use super::*;
use crate::attribute::Attribute;
use crate::graph::Node;
use crate::testing::{
    ASSIGN, HALVES, NEGATE, PUBLISH, READ, ZEROS, add, input, name, negate, setup,
};
use crate::{Element, Function, Shape, print, verify};

fn record_ok(program: impl FnOnce(&Recording<'_>)) -> Graph {
    let graph = record("t", &setup(), |g| program(g)).unwrap();
    verify(&graph).unwrap();
    graph
}

#[test]
fn a_program_becomes_a_graph() {
    let graph = record_ok(|g| {
        let x = input(g, "a");
        let halves = g.op(&HALVES).input(x).build_all();
        let sum = g.scope("sum", || add(&[halves[1], x]));
        assert_eq!(sum.place(), Some(name("a").into()));
        assert_eq!(sum.ty(), x.ty());
        assert_eq!(format!("{:?} {:?}", halves[1], sum), "%1.1 %2");
        assert_eq!(*g.setup(), setup());
    });
    assert!(print(&graph).ends_with(
        "  %0 = input[shape=[2]]() : f32[2] @a
  %1 = halves(%0) : f32[2], f32[2] @a
  %2 = add_n(%1.1, %0) : f32[2] @a in sum
}
"
    ));
    assert_eq!(graph.name(), "t");
}

#[test]
fn nodes_keep_the_line_that_made_them() {
    let first = line!() + 2;
    let graph = record_ok(|g| {
        let x = input(g, "a");
        negate(x);
    });
    let lines = graph.nodes().map(|(_, node)| node.source.clone().unwrap());
    let lines: Vec<_> = lines.map(|source| (source.file.to_string(), source.line)).collect();
    assert_eq!(lines, [(file!().to_owned(), first), (file!().to_owned(), first + 1)]);
}

/// A function of two ops, one of which comes from a closure, and which another like it uses.
#[track_caller]
fn twice_negated<'r>(x: Value<'r>) -> Value<'r> {
    x.recording().here(|| {
        let inner = x.recording().here(|| [x].map(negate));
        negate(inner[0])
    })
}

#[test]
fn nodes_and_faults_of_a_function_of_many_ops_have_its_callers_line() {
    let mut lines = Vec::new();
    let graph = record_ok(|g| {
        let x = input(g, "a");
        lines.extend([line!() - 1, line!() + 1, line!() + 1, line!() + 2]);
        twice_negated(x);
        negate(x);
    });
    let found = graph.nodes().map(|(_, node)| node.source.clone().unwrap().line);
    assert_eq!(found.collect::<Vec<_>>(), lines);
    let mut line = 0;
    let error = record("t", &setup(), |g| {
        line = line!() + 1;
        g.here(|| [1].map(|_| g.fault("thing", "is wrong")));
    });
    assert_eq!(error.unwrap_err().faults[0].source.line, line);
}

#[test]
fn scopes_nest_and_are_numbered() {
    let graph = record_ok(|g| {
        let inner = || {
            input(g, "a");
            g.scope("in", || input(g, "a"));
        };
        g.scope("out", inner);
        g.scope("out", || {
            inner();
            inner();
        });
        inner();
    });
    let scopes: Vec<_> = graph.nodes().map(|(_, node)| node.scope.to_string()).collect();
    let expect = ["out", "out/in", "out_1", "out_1/in", "out_1", "out_1/in_1", "", "in"];
    assert_eq!(scopes, expect);
    let names = [
        "out/input",
        "out/in/input",
        "out_1/input",
        "out_1/in/input",
        "out_1/input_1",
        "out_1/in_1/input",
        "input",
        "in/input",
    ];
    assert_eq!(graph.node_names(), names);
}

#[test]
fn a_scope_name_is_a_word_without_slashes() {
    for bad in ["", "a/b", "a b", "a#", "é"] {
        let error = record("t", &setup(), |g| g.scope(bad, || ())).unwrap_err().to_string();
        let parts = ["tests.rs:", "scope takes letters", &format!("not {bad:?}")];
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
}

#[test]
fn every_fault_is_reported_and_none_follows_from_another() {
    let first = line!() + 2;
    let error = record("program", &setup(), |g| {
        let faulty = g.op(&ZEROS).at(name("a")).build();
        let silent = add(&[input(g, "a"), negate(faulty)]);
        g.op(&PUBLISH).input(silent).finish();
        assert_eq!((faulty.ty(), faulty.place(), silent.port()), (None, None, None));
        g.op(&NEGATE).build();
        g.op(&ZEROS).attr("shape", &[1usize][..]).build();
        g.fault("mean_of", "needs an owner");
    });
    let error = error.unwrap_err();
    let line = |at: u32| format!("{}:{}", file!(), first + at);
    let expect = format!(
        "recording program failed
  {}: zeros needs the attribute shape
  {}: negate takes 1 inputs, not 0
  {}: zeros has no inputs: say where it computes with `at`
  {}: mean_of needs an owner",
        line(0),
        line(4),
        line(5),
        line(6)
    );
    assert_eq!(error.to_string(), expect);
}

#[test]
fn attributes_follow_the_schema() {
    let check = |attribute: &str, value: Attribute, expect: &str| {
        let error = record("t", &setup(), |g| {
            let op = g.op(&crate::testing::SCALE).input(input(g, "a"));
            op.attr("factor", 1.0).attr(attribute, value).build();
        });
        assert_eq!(error.unwrap_err().faults[0].message, expect);
    };
    check("factor", 1i64.into(), "takes Real as factor, not 1");
    check("size", 1i64.into(), "has no attribute size");
    let printable = "has an attribute factor that cannot be written: reals must be finite, \
                         words hold letters, digits, - _ . and /";
    check("factor", f64::NAN.into(), printable);
    check("factor", f64::INFINITY.into(), printable);
}

/// Accesses, a letter each: `r` reads, `w` assigns `v` of `a`; capitals are another variable,
/// `b` is a read of `v` of the player `b`. Gives what each comes after.
fn order(accesses: &str) -> Vec<Vec<usize>> {
    let graph = record_ok(|g| {
        let x = input(g, "a");
        for access in accesses.chars() {
            let variable = if access.is_uppercase() { "w" } else { "v" };
            let ty = Type::plain(Element::F32, Shape::new(&[2]).unwrap());
            let read = || g.op(&READ).attr("variable", variable).attr("type", ty.clone());
            match access.to_ascii_lowercase() {
                'r' => read().at(name("a")).build_all(),
                'b' => read().at(name("b")).build_all(),
                _ => g.op(&ASSIGN).attr("variable", variable).input(x).build_all(),
            };
        }
    });
    let after = |node: &Node| node.after.iter().map(|id| id.index()).collect();
    graph.nodes().skip(1).map(|(_, node)| after(node)).collect()
}

#[test]
fn accesses_of_a_variable_are_in_program_order() {
    let check = |accesses: &str, expect: &[&[usize]]| assert_eq!(order(accesses), expect);
    check("rr", &[&[], &[]]);
    check("ww", &[&[], &[1]]);
    check("wrr", &[&[], &[1], &[1]]);
    check("rrw", &[&[], &[], &[1, 2]]);
    check("wrrww", &[&[], &[1], &[1], &[1, 2, 3], &[4]]);
    check("wRWbr", &[&[], &[], &[2], &[], &[1]]);
}

#[test]
fn functions_are_told_apart_by_name_and_arguments() {
    let function = |player: &'static str| {
        Function::new("f", player, move |g| {
            negate(input(g, player));
        })
    };
    let (a, b) = (function("a"), function("b"));
    assert_eq!((a.name(), a.signature(), b.signature()), ("f", "f(a)", "f(b)"));
    assert_eq!(a.record(&setup()), a.record(&setup()));
    assert_ne!(a.record(&setup()).unwrap(), b.record(&setup()).unwrap());
}
