//! What a machine keeps, and for how long.

use super::*;

#[test]
fn a_sum_of_shares_takes_the_memory_of_one() {
    const TERMS: usize = 40;
    let plan = plan(|g| {
        let terms = (0..TERMS).map(|i| share(random_normal(g, &player("a"), &[3], i as u32)));
        let sum = add_n(terms.collect::<Vec<_>>());
        publish("sum", reveal(sum, &player("m")));
    });
    let mut a = machine(&plan, "a", 1);
    // Server 2 gets a masked value for each term; the others draw pads.
    let mut s2 = machine(&plan, "s2", 1);
    let mut sent = Vec::new();
    for action in drain(&mut a) {
        let Action::Send { step, edge, to, value } = action else { panic!("{action:?}") };
        assert_eq!(to, player("s2"));
        s2.on_received(&player("a"), step, edge, value).unwrap();
        sent.extend(drain(&mut s2));
        assert!(s2.held() <= 1, "{} values are kept", s2.held());
    }
    assert_eq!(sent.len(), 1, "the sum goes to the receiver when it is complete");
    assert!(matches!(s2.next(), Action::Done));
}

#[test]
fn a_value_that_is_read_twice_is_kept_for_the_second_reader() {
    let plan = plan(|g| {
        let x = zeros(g, player("m"), &[3]);
        publish("x", add_n([x, x]));
        publish("x", x);
    });
    let mut m = machine(&plan, "m", 2);
    drain(&mut m);
    assert_eq!((m.done(), m.held()), (2, 0));
}

#[test]
fn an_output_that_nobody_reads_is_not_kept() {
    let plan = plan(|g| {
        let (dataset, split) = (Dataset::Mnist, Split::Test);
        let request = BatchRequest { dataset, split, range: 0..2, batch: 2, shuffle: None };
        let (images, _) = load_batch(g, &player("m"), &request);
        publish("images", images);
    });
    let mut m = machine(&plan, "m", 1);
    let Action::Run(job) = m.next() else { panic!("nothing to load") };
    let (step, task) = (job.step, job.task);
    let outputs = compute(&m.schedule.clone(), &Own::default(), job);
    assert_eq!(outputs.len(), 2);
    m.on_kernel_done(step, task, outputs);
    assert_eq!(m.held(), 1, "the images, without the labels");
    m.check();
}
