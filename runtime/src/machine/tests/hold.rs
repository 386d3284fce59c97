//! Machines that end before all was done that they were asked for.

use super::*;

/// Lets things happen, holds all machines, and has them end with the furthest step begun.
fn end_early(plan: &Plan, before: &[usize], after: &[usize]) -> (World, u64) {
    let mut world = World::new(plan, STEPS);
    for &choice in before {
        world.happen(choice);
    }
    let begun: Vec<_> = world.machines.iter_mut().map(|(_, machine, _)| machine.hold()).collect();
    for &choice in after {
        world.happen(choice);
    }
    let end = begun.into_iter().max().unwrap();
    for (name, machine, _) in &mut world.machines {
        assert!(!machine.is_done(), "{name} ends though it is held");
        assert!(!machine.end_at(STEPS + 1), "more than was asked for");
        assert!(machine.end_at(end), "{name} has begun more than {end} steps");
        assert!(!machine.end_at(end), "it is held no more");
    }
    while world.happen(0) {}
    (world, end)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn all_end_with_the_furthest_step_that_one_has_begun(
        before in prop::collection::vec(0usize..1000, 0..500),
        after in prop::collection::vec(0usize..1000, 0..50),
    ) {
        let plan = plan(training);
        let mut whole = run_all(&plan, &[]).published();
        let (mut world, end) = end_early(&plan, &before, &after);
        for (name, machine, _) in &mut world.machines {
            let next = machine.next();
            prop_assert!(matches!(next, Action::Done), "{} of {}: {:?}", name, end, next);
            prop_assert_eq!((machine.done(), machine.held()), (end, 0));
        }
        whole.truncate(usize::try_from(end).unwrap());
        prop_assert_eq!(world.published(), whole);
    }
}

#[test]
fn a_step_that_has_begun_is_finished() {
    let plan = plan(training);
    let (mut world, end) = end_early(&plan, &[0; 3], &[]);
    assert!(0 < end && end < STEPS, "{end}");
    let (_, machine, _) = &mut world.machines[0];
    machine.ask(5);
    machine.next();
    assert_eq!(machine.hold(), end + 2, "it goes on where it ended");
    assert!(!machine.end_at(end + 1), "two steps are in flight");
}

#[test]
fn a_part_without_nodes_ends_where_the_others_do() {
    let plan = plan(one_way);
    let mut idle = machine(&plan, "s0", 1000);
    assert!(matches!(idle.next(), Action::Done));
    assert_eq!((idle.done(), idle.hold()), (1000, 0));
    assert!(idle.end_at(3));
    assert_eq!(idle.done(), 3);
}
