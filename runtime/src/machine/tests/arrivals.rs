//! What players send to a machine, when it should and when it should not.

use super::*;

#[test]
fn values_may_come_before_their_step_or_before_anything_is_asked() {
    let plan = plan(one_way);
    let values = drain(&mut machine(&plan, "a", 5));
    let mut b = Machine::new(schedule(&plan, "b"), 0);
    for action in values.into_iter().rev() {
        let Action::Send { step, edge, value, .. } = action else { panic!("{action:?}") };
        b.on_received(&player("a"), step, edge, value).unwrap();
    }
    assert_eq!(b.held(), 5);
    assert!(matches!(b.next(), Action::Done), "nothing was asked");
    b.ask(2);
    drain(&mut b);
    assert_eq!((b.done(), b.held()), (2, 3));
    b.ask(3);
    drain(&mut b);
    assert_eq!((b.done(), b.held()), (5, 0));
}

#[test]
fn what_should_not_have_come_is_refused() {
    let plan = plan(one_way);
    let (a, m) = (player("a"), player("m"));
    let value = || Tensor::zeros(&vector(3));
    let mut b = machine(&plan, "b", 100);
    drain(&mut b);

    assert_eq!(b.on_received(&a, 0, 9, value()), Err(Misdelivery::NoEdge(9)));
    let foreign = Misdelivery::NotYours { edge: 0, owner: a.clone() };
    assert_eq!(b.on_received(&m, 0, 0, value()), Err(foreign));
    let short = Misdelivery::WrongSize { edge: 0, expected: 12, received: 8 };
    assert_eq!(b.on_received(&a, 0, 0, Tensor::zeros(&vector(2))), Err(short));
    // As many bytes, but integers; as many elements, but in two rows.
    let other = Misdelivery::WrongSize { edge: 0, expected: 12, received: 12 };
    for shape in [(Element::I32, &[3][..]), (Element::F32, &[3, 1])] {
        let ty = Type::plain(shape.0, Shape::new(shape.1).unwrap());
        assert_eq!(b.on_received(&a, 0, 0, Tensor::zeros(&ty)), Err(other.clone()));
    }
    let ahead = Misdelivery::WrongStep { step: WINDOW, current: 0 };
    assert_eq!(b.on_received(&a, WINDOW, 0, value()), Err(ahead));
    assert_eq!(
        b.on_announced(&a, u64::MAX, 0, 12).err(),
        Some(Misdelivery::WrongStep { step: u64::MAX, current: 0 })
    );
    assert_eq!(b.held(), 0, "what is refused is not kept");

    // A step that runs, and one that has not started.
    for step in [0, 5] {
        b.on_received(&a, step, 0, value()).unwrap();
        let twice = Misdelivery::Twice { step, edge: 0 };
        assert_eq!(b.on_received(&a, step, 0, value()), Err(twice));
    }
    drain(&mut b);
    let late = Misdelivery::WrongStep { step: 0, current: 1 };
    assert_eq!(b.on_received(&a, 0, 0, value()), Err(late));
}

#[test]
fn the_last_step_of_the_window_can_be_announced() {
    let plan = plan(one_way);
    let b = machine(&plan, "b", 100);
    assert_eq!(b.on_announced(&player("a"), WINDOW - 1, 0, 12), Ok(&vector(3)));
}
