//! Steps of which a part has arrived somewhere when an owner is left out.

use super::program::{drawn, square_sum, variables};
use super::*;

#[test]
fn a_step_of_which_only_a_part_has_arrived_is_taken_back_everywhere() {
    let mut lossy = false;
    let (outcome, lines) = told(1500, HASTY, move |world, event, _| match event {
        Event::Progress { done } if *done >= 10 && !lossy => {
            lossy = true;
            // The shares of the second variable: the model owner learns the sum of the first alone.
            world.lose(|from, to, frame| match frame {
                Frame::Data(_, value) => {
                    from == "owner1" && to == "server2" && value.as_bytes().len() == 3 * 8
                }
                Frame::Control(_) => false,
            });
        }
        Event::Left { .. } => slow(world),
        Event::Returned { .. } => world.lose_nothing(),
        _ => {}
    });
    let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
    outcome.check(1500);
    // It is let off once, since it says that it waits for the model owner.
    expect(&lines, &["owner1 left: server2 waits", "owner1 returned"]);
    let spans = &outcome.run.participation;
    let gap = |pair: &[Participation]| pair[1].number - end(&pair[0]);
    assert!(spans.windows(2).any(|pair| gap(pair) > 0), "{spans:?}");
}

#[test]
fn a_share_that_only_some_servers_have_is_dropped_by_all() {
    let (world, mut session) = World::open(&setup());
    session.run(&Function::new("initialize", "", initialize), 1).unwrap();
    let before = weights(&mut session);
    slow(&world);
    let (mut lossy, mut lines) = (false, Vec::new());
    let watch = |event: Event<'_>| {
        lines.extend(say(&event));
        match event {
            Event::Progress { done: 5.. } if !lossy => {
                lossy = true;
                // What is multiplied goes to two servers: one of them has it, the other has not.
                world.lose(|from, to, frame| {
                    from == "owner1" && to == "server1" && matches!(frame, Frame::Data(..))
                });
            }
            Event::Left { .. } => slow(&world),
            Event::Returned { .. } => world.lose_nothing(),
            _ => {}
        }
    };
    let run = session.run_rounds(&HASTY, &owners(), square_sum, 300, watch).unwrap();
    expect(&lines, &["owner1 left: server1 waits", "owner1 returned"]);
    let arrived = world.arrived();
    let got = |to: &str| -> BTreeSet<_> {
        let shares = arrived.iter().filter(|(.., from, of)| from == "owner1" && of == to);
        shares.map(|(plan, step, ..)| (*plan, *step)).collect()
    };
    let half: Vec<_> = got("server2").difference(&got("server1")).copied().collect();
    assert!(!half.is_empty());
    let took = |step: u64| {
        let mut spans = run.participation.iter();
        spans.any(|span| (span.number..end(span)).contains(&step))
    };
    assert!(half.iter().all(|(_, step)| !took(*step)), "{half:?} {:?}", run.participation);

    let mut expected = before;
    let drawn = drawn(&run.participation);
    let width = variables()[0].1.shape.elements();
    for span in &run.participation {
        for step in span.number..end(span) {
            for owner in &span.owners {
                let drawn = &drawn[&(step, owner.as_str().to_owned())][..width];
                let share = |x: &f64| x * x / span.owners.len() as f64;
                expected.iter_mut().zip(drawn).for_each(|(w, x)| *w -= share(x));
            }
        }
    }
    for (got, expected) in weights(&mut session).iter().zip(&expected) {
        // A unit of 2^-16 for each of three squares and their mean, at most, in 300 steps.
        assert!((got - expected).abs() < 300.0 * 4.0 / 65536.0, "{got} {expected}");
    }
    assert_eq!(world.audit.summary().repeated, 0);
}
