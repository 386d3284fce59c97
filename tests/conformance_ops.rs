//! Every function of secrets: what sessions give under every protocol and ring, for odd shapes and
//! extreme values, against 64-bit floats; what it costs; that it repeats no pad; its gradients; and
//! that its documentation says so. `docs/operations.md` is made of that: run with
//! `UPDATE_OPERATIONS=1` to write it anew. `CONFORMANCE_SEED=N` draws other random shapes.

mod common;
#[path = "conformance/mod.rs"]
mod table;

use std::collections::BTreeSet;
use std::sync::Arc;

use common::{everyone, player, published};
use sordino::graph::{Element, Shape, Type};
use sordino::prelude::*;
use sordino::runtime::Audit;
use table::coverage::{NOT_OF_SECRETS, Seen, functions, uncovered};
use table::pages::{self, Error, Page};
use table::programs::{self, Cost};
use table::run::Stage;

/// Fails with everything that went wrong.
#[track_caller]
fn expect_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// All cases in a session of ABY3, whose players' pads are followed, against one of Plain, whose
/// secrets are doubles.
fn check(fixed: Fixed) {
    let audit = Arc::new(Audit::default());
    let mut aby3 = Stage::open("ABY3", fixed, Some(Arc::clone(&audit)));
    let mut plain = Stage::open("Plain", fixed, None);
    let mut wrong = Vec::new();
    for (name, cases) in table::all() {
        // Functions of many nodes take long to prepare.
        for (i, cases) in cases.chunks(40).enumerate() {
            let name = format!("{name} {i}");
            let doubles = plain.results(&name, cases, 1, &mut wrong);
            wrong.extend(plain.against_oracles(cases, &doubles));
            let revealed = aby3.results(&name, cases, 2, &mut wrong);
            wrong.extend(aby3.against_plain(cases, &revealed, &doubles));
        }
    }
    let drawn = audit.summary();
    expect_none(&wrong);
    assert_eq!(drawn, aby3.audit);
}

#[test]
fn aby3_is_plain_at_low_precision() {
    check(Fixed::LOW);
}

#[test]
fn aby3_is_plain_at_high_precision() {
    check(Fixed::HIGH);
}

/// Gradients of secrets are those of floats, and these are the slopes of the oracles.
fn check_gradients(fixed: Fixed) {
    let mut wrong = Vec::new();
    let mut stage = Stage::open("ABY3", fixed, None);
    for (name, mut cases) in table::all() {
        cases.retain(|case| case.gradient.is_some());
        for (i, cases) in cases.chunks(40).enumerate() {
            wrong.extend(stage.check_gradients(&format!("{name} {i}"), cases));
        }
    }
    expect_none(&wrong);
}

#[test]
fn gradients_at_low_precision() {
    check_gradients(Fixed::LOW);
}

#[test]
fn gradients_at_high_precision() {
    check_gradients(Fixed::HIGH);
}

#[test]
fn every_function_and_op_has_a_case() {
    let tables = table::all();
    let cases = tables.iter().flat_map(|(_, cases)| cases);
    let mut listed: BTreeSet<_> = cases.map(|case| case.function).collect();
    for (name, reason) in NOT_OF_SECRETS {
        assert!(listed.insert(name), "{name} has a case, but is listed: {reason}");
    }
    let functions = functions();
    let missing: Vec<_> = functions.difference(&listed).collect();
    assert!(missing.is_empty(), "without a case: {missing:?}");
    let gone: Vec<_> = listed.difference(&functions).collect();
    assert!(gone.is_empty(), "no functions: {gone:?}");
    expect_none(&uncovered(&Seen::of(&everyone("ABY3", Fixed::LOW), &tables)));
}

/// Numbers and truth values that the servers keep from run to run.
#[secure_function]
fn keep(g: &Recording<'_>, values: &[f64]) {
    let ann = player("ann");
    let x = share(constant(g, &ann, values, &[values.len()]));
    assign_secret("x", x, std::slice::from_ref(&ann));
    assign_secret("signs", negative(x), &[ann]);
}

#[secure_function]
fn kept(g: &Recording<'_>, n: &usize) {
    let (ann, carol) = (player("ann"), player("carol"));
    let fixed = g.setup().secure.as_ref().unwrap().fixed;
    let ty = Type::secret(fixed, Shape::new(&[*n]).unwrap());
    let signs = ty.with_element(Element::BIT);
    let x = read_secret(g, "x", &ty, std::slice::from_ref(&ann));
    let signs = read_secret(g, "signs", &signs, std::slice::from_ref(&ann));
    publish("x", reveal(x, &carol));
    publish("signs", bit_to_number(reveal(signs, &carol)));
    assign_secret("x", add_n([x, x]), &[ann]);
}

#[test]
fn two_steps_of_a_secret_variable() {
    for (protocol, fixed) in
        [("ABY3", Fixed::LOW), ("ABY3", Fixed::HIGH), ("Plain", Fixed::LOW), ("Plain", Fixed::HIGH)]
    {
        for values in [&[][..], &[1.5], &[-0.25, 0.0, 3.0, -7.0, 1024.0]] {
            let mut session = Stage::open(protocol, fixed, None).session;
            session.run(&keep(values), 1).unwrap();
            let run = session.run(&kept(&values.len()), 3).unwrap();
            let doubled = |n: i32| values.iter().map(|x| x * 2f64.powi(n)).collect::<Vec<_>>();
            let signs: Vec<_> = values.iter().map(|&x| f64::from(u8::from(x < 0.0))).collect();
            assert_eq!(published(&run, "x"), [doubled(0), doubled(1), doubled(2)], "{protocol}");
            assert_eq!(published(&run, "signs"), [&signs[..]; 3], "{protocol} {fixed}");
        }
    }
}

/// The functions of secrets, with their pages.
fn pages() -> Vec<Page> {
    let listed = |name: &str| NOT_OF_SECRETS.iter().any(|(other, _)| *other == name);
    let listed = |name: &str| name == "reveal" || listed(name);
    functions().into_iter().filter(|name| !listed(name)).map(pages::page).collect()
}

#[test]
fn pages_have_what_every_page_has() {
    let lacks = |page: Page| {
        let lacks = page.lacks();
        (!lacks.is_empty()).then(|| format!("{} lacks {}", page.name, lacks.join(", ")))
    };
    expect_none(&pages().into_iter().filter_map(lacks).collect::<Vec<_>>());
}

#[test]
fn pages_say_what_plans_cost() {
    let mut wrong = Vec::new();
    for page in pages() {
        let measured = [Fixed::LOW, Fixed::HIGH].map(|fixed| programs::cost(page.name, fixed));
        let documented = page.rows.as_ref().map(|rows| rows.each_ref().map(|row| row.cost));
        let documented = documented.unwrap_or([Cost { rounds: 0, bytes: 0.0 }; 2]);
        if documented != measured {
            wrong.push(format!("{} costs {measured:?}, not {documented:?}", page.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pages_say_how_far_off_results_may_be() {
    let cases: Vec<_> = table::all().into_iter().flat_map(|(_, cases)| cases).collect();
    let mut wrong = Vec::new();
    for page in pages() {
        let bounds =
            || cases.iter().filter(|case| case.function == page.name).map(|case| case.bound);
        let exact = bounds().all(|bound| bound == table::EXACT);
        let said = page.error();
        if exact != (said == Error::Exact) {
            wrong.push(format!("{} says {said:?}; its cases are exact: {exact}", page.name));
        }
        if let Error::Within(bound) = said
            && !bounds().any(|other| other == bound)
        {
            wrong.push(format!("no case holds {} to {bound:?}", page.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_list_of_operations_is_that_of_the_pages() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md");
    let made = pages::list(&pages());
    if std::env::var_os("UPDATE_OPERATIONS").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(there == made, "{path} is out of date: run this test with UPDATE_OPERATIONS=1");
}
