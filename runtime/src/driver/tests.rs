//! The driver against players that are played by hand.

use std::sync::Mutex;

use sordino_graph::Recording;
use sordino_ops::{publish, random_normal};

use super::*;
use crate::message::{Published, Wait};
use crate::transport::{Connected, Inbox};

/// How a player answers a message.
type Answer = fn(&PlayerName, &Control) -> Option<Control>;

/// Keeps what the driver sends, and answers at once.
struct Played {
    answer: Answer,
    inbox: Arc<DriverInbox>,
    sent: Mutex<Vec<(PlayerName, Control)>>,
}

impl Network for Played {
    fn send(&self, to: &PlayerName, frame: Frame) {
        let Frame::Control(message) = frame else { panic!("the driver sends values") };
        if let Some(answer) = (self.answer)(to, &message) {
            self.inbox.on_control(to, answer);
        }
        self.sent.lock().unwrap().push((to.clone(), message));
    }

    fn connect(&self, _: &PlayerName, then: Connected) {
        then(Ok(()));
    }
}

fn player(name: &str) -> PlayerName {
    PlayerName::new(name).unwrap()
}

fn program(g: &Recording<'_>) {
    publish("x", random_normal(g, &player("ann"), &[3], 1));
}

fn digests() -> Digests {
    let function = Function::new("program", "", program);
    let plan = Plan::new(function.record(&setup()).unwrap()).unwrap();
    Digests { recorded: plan.recorded_digest.0, lowered: plan.lowered_digest.0 }
}

fn setup() -> Setup {
    let ann = player("ann");
    Setup::new([ann.clone(), player("bob")]).release(&ann)
}

/// What a player that does all it is asked says.
fn obedient(_: &PlayerName, message: &Control) -> Option<Control> {
    match *message {
        Control::Prepare { session, plan, .. } => {
            Some(Control::Ready { session, plan, digests: digests() })
        }
        Control::Run { session, plan, steps } => {
            // It may say that it is someone else.
            let report = PlayerReport { player: "mallory".into(), steps, ..Default::default() };
            Some(Control::Finished { session, plan, report })
        }
        _ => None,
    }
}

/// The outcome of a run against such players, and the failures that the driver told, to whom.
fn run(answer: Answer) -> (Result<Run, RunError>, Vec<(String, Failure)>) {
    let (inbox, arrivals) = DriverInbox::new();
    let network = Arc::new(Played { answer, inbox, sent: Mutex::default() });
    let reached = Arc::clone(&network);
    let mut session = Session::new(setup(), reached, arrivals, Box::new(())).unwrap();
    let result = session.run(&Function::new("program", "", program), 2);
    if result.is_err() {
        let again = session.prepare(&Function::new("other", "", program));
        assert!(matches!(again, Err(RunError::Over)), "{again:?}");
    }
    let told = |(to, message): &(PlayerName, Control)| match message {
        Control::Abort { failure, .. } => Some((to.to_string(), failure.clone())),
        _ => None,
    };
    let told = network.sent.lock().unwrap().iter().filter_map(told).collect();
    (result, told)
}

#[test]
fn reports_bear_the_names_that_players_proved() {
    let (result, told) = run(obedient);
    let names: Vec<_> = result.unwrap().reports.into_iter().map(|report| report.player).collect();
    assert_eq!(names, ["ann", "bob"]);
    assert_eq!(told, []);
}

#[test]
fn who_goes_on_is_waited_for_as_long_as_it_takes() {
    let (inbox, arrivals) = DriverInbox::new();
    let answer: Answer = |to, message| obedient(to, message).filter(|_| !is_run(message));
    let network = Arc::new(Played { answer, inbox: Arc::clone(&inbox), sent: Mutex::default() });
    let mut session = Session::new(setup(), network.clone(), arrivals, Box::new(())).unwrap();
    let players = std::thread::spawn(move || {
        let asked = || network.sent.lock().unwrap().iter().filter(|(_, m)| is_run(m)).count() == 2;
        while !asked() {
            std::thread::yield_now();
        }
        let sent = std::mem::take(&mut *network.sent.lock().unwrap());
        let (_, run) = sent.into_iter().find(|(_, message)| is_run(message)).unwrap();
        let Control::Run { session, plan, .. } = run else { unreachable!() };
        let wait = Wait { on: "ann".into(), node: "x/receive".into(), millis: 90_000 };
        inbox.on_control(&player("ann"), Control::Progress { session, plan, done: 1 });
        inbox.on_control(&player("bob"), Control::Pulse { session, plan, wait: Some(wait) });
        for player in [player("ann"), player("bob")] {
            inbox.on_control(&player, obedient(&player, &run).unwrap());
        }
    });
    session.run(&Function::new("program", "", program), 2).unwrap();
    players.join().unwrap();
}

fn is_run(message: &Control) -> bool {
    matches!(message, Control::Run { .. })
}

#[test]
fn a_player_that_would_run_another_plan_is_named() {
    let (result, told) = run(|from, message| {
        let mut answer = obedient(from, message);
        if let (Some(Control::Ready { digests, .. }), "bob") = (&mut answer, from.as_str()) {
            digests.lowered[0] ^= 1;
        }
        answer
    });
    let error = result.unwrap_err();
    assert!(matches!(error, RunError::Digest { .. }), "{error:?}");
    assert!(error.to_string().starts_with("bob would run another plan of program"), "{error}");
    assert_eq!(told.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(), ["ann", "bob"]);
}

#[test]
fn what_the_plan_does_not_publish_is_not_taken() {
    let elements = |name: &str, step, elements| Published {
        name: name.into(),
        step,
        axes: vec![3],
        elements: vec![0.0; elements],
    };
    let plan = Plan::new(Function::new("program", "", program).record(&setup()).unwrap()).unwrap();
    let [ann, bob] = ["ann", "bob"].map(player);
    let mut publications = Publications::of(&plan, 2);
    assert!(publications.take(&bob, &elements("x", 0, 3)).is_err(), "another player's");
    assert!(publications.take(&ann, &elements("y", 0, 3)).is_err(), "another name");
    assert!(publications.take(&ann, &elements("x", 0, 4)).is_err(), "another length");
    assert_eq!(publications.take(&ann, &elements("x", 0, 3)), Ok(()));
    assert_eq!(publications.take(&ann, &elements("x", 1, 3)), Ok(()));
    assert!(publications.take(&ann, &elements("x", 1, 3)).is_err(), "more often than steps");
}

#[test]
fn a_player_that_publishes_what_the_plan_does_not_is_named() {
    let (result, _) = run(|from, message| match *message {
        Control::Run { session, plan, .. } if from.as_str() == "bob" => {
            let (name, axes, elements) = ("x".into(), vec![3], vec![0.0; 3]);
            let value = Published { name, step: 0, axes, elements };
            Some(Control::Published { session, plan, value })
        }
        _ => obedient(from, message),
    });
    let error = result.unwrap_err().to_string();
    assert!(error.starts_with("bob: published what the plan does not"), "{error}");
}

#[test]
fn what_one_player_reports_all_are_told() {
    let (result, told) = run(|from, message| match *message {
        Control::Run { session, .. } if from.as_str() == "bob" => {
            Some(Control::Abort { session, failure: Failure::new("ann", "is not up") })
        }
        _ => obedient(from, message),
    });
    assert_eq!(result.unwrap_err().to_string(), "ann: (as bob says) is not up");
    let expected = Failure::new("ann", "is not up").told_by(&player("bob"));
    assert_eq!(told, [("ann".to_owned(), expected.clone()), ("bob".to_owned(), expected)]);
}

#[test]
fn a_failure_is_told_as_who_noticed_it_says() {
    // Ann, who has it of bob, is heard first.
    let (result, _) = run(|from, message| match *message {
        Control::Run { session, .. } => {
            let failure = Failure::new("carol", "is not up");
            let failure = match from.as_str() {
                "ann" => failure.told_by(&player("bob")),
                _ => failure,
            };
            Some(Control::Abort { session, failure })
        }
        _ => obedient(from, message),
    });
    assert_eq!(result.unwrap_err().to_string(), "carol: (as bob says) is not up");

    // Of whom she has it counts for nothing if that one says nothing of it.
    let (result, _) = run(|from, message| match *message {
        Control::Run { session, .. } if from.as_str() == "ann" => {
            let failure = Failure::new("carol", "is not up").told_by(&player("bob"));
            Some(Control::Abort { session, failure })
        }
        _ => obedient(from, message),
    });
    assert_eq!(result.unwrap_err().to_string(), "carol: (as ann says) is not up");
}

/// A session that has run two steps and of which nothing is asked, and what its players have heard.
/// Ann was told to stop: since, or `early`, so that the session has not taken it up.
fn rests(checkpoints: u64, answer: Answer, early: bool) -> (Session, Vec<Control>) {
    let (inbox, arrivals) = DriverInbox::new();
    let network = Arc::new(Played { answer, inbox: Arc::clone(&inbox), sent: Mutex::default() });
    let reached = Arc::clone(&network);
    let mut session = Session::new(setup(), reached, arrivals, Box::new(())).unwrap();
    session.checkpoint_every(checkpoints);
    let leaving = Control::Leaving { session: session.id };
    let leave = || inbox.on_control(&player("ann"), leaving.clone());
    let watch = |_: Event<'_>| {
        if early {
            leave();
        }
    };
    session.run_with(&Function::new("program", "", program), 2, watch).unwrap();
    if !early {
        leave();
    }
    let sent = network.sent.lock().unwrap().iter().map(|(_, message)| message.clone()).collect();
    (session, sent)
}

#[test]
fn between_requests_a_player_that_is_told_to_stop_ends_the_session() {
    let keeps: Answer = |from, message| match *message {
        Control::Checkpoint { session, number, .. } => {
            Some(Control::Saved { session, number, problem: None })
        }
        _ => obedient(from, message),
    };
    let full: Answer = |from, message| match *message {
        Control::Checkpoint { session, number, .. } => {
            let problem = (from.as_str() == "bob").then(|| "the disk is full".to_owned());
            Some(Control::Saved { session, number, problem })
        }
        _ => obedient(from, message),
    };
    let gone: Answer = |from, message| match *message {
        Control::Checkpoint { session, .. } if from.as_str() == "bob" => {
            Some(Control::Abort { session, failure: Failure::new("bob", "is gone") })
        }
        _ => obedient(from, message),
    };
    for early in [false, true] {
        for (every, answer, asked, kept) in
            [(9, keeps, 2, true), (9, full, 2, false), (9, gone, 2, false), (0, keeps, 0, false)]
        {
            let (mut session, sent) = rests(every, answer, early);
            let count = |wanted: fn(&Control) -> bool| {
                sent.iter().filter(|message| wanted(message)).count()
            };
            assert_eq!(count(|m| matches!(m, Control::Checkpoint { .. })), asked);
            assert_eq!(count(|m| matches!(m, Control::Abort { .. })), 2, "{sent:?}");
            let function = Function::new("program", "", program);
            let error = session.run(&function, 1).unwrap_err();
            let RunError::Stopped { player, kept: found, .. } = &error else { panic!("{error}") };
            assert_eq!((player.as_str(), *found), ("ann", kept), "{error}");
            assert!(matches!(session.run(&function, 1), Err(RunError::Over)));
        }
    }
}

/// A run of ten steps in which ann is told to stop: she has begun three steps, and bob four.
fn stopped(checkpoints: u64) -> (RunError, Vec<(String, Control)>) {
    let answer: Answer = |from, message| match *message {
        Control::Run { session, .. } if from.as_str() == "ann" => {
            Some(Control::Leaving { session })
        }
        Control::Run { .. } => None,
        Control::Hold { session, plan } => {
            let begun = if from.as_str() == "ann" { 3 } else { 4 };
            Some(Control::Held { session, plan, begun })
        }
        Control::EndAt { session, plan, end } => {
            let report = PlayerReport { steps: end, ..Default::default() };
            Some(Control::Finished { session, plan, report })
        }
        Control::Checkpoint { session, number, .. } => {
            Some(Control::Saved { session, number, problem: None })
        }
        _ => obedient(from, message),
    };
    let (inbox, arrivals) = DriverInbox::new();
    let network = Arc::new(Played { answer, inbox, sent: Mutex::default() });
    let reached = Arc::clone(&network);
    let mut session = Session::new(setup(), reached, arrivals, Box::new(())).unwrap();
    session.checkpoint_every(checkpoints);
    let function = Function::new("program", "", program);
    let mut progress = 0;
    let error = session.run_with(&function, 10, |event| {
        if let Event::Progress { done } = event {
            progress = done;
        }
    });
    assert_eq!((progress, session.steps_of(&function).unwrap()), (4, 4));
    let sent = network.sent.lock().unwrap().clone();
    let sent = sent.into_iter().map(|(to, message)| (to.to_string(), message)).collect();
    (error.unwrap_err(), sent)
}

#[test]
fn when_a_player_is_told_to_stop_all_end_with_the_furthest_step_and_keep_it() {
    for (every, kept, checkpoints) in [(100, true, 2), (0, false, 0)] {
        let (error, sent) = stopped(every);
        let RunError::Stopped { player, kept: found, .. } = &error else { panic!("{error}") };
        assert_eq!((player.as_str(), *found), ("ann", kept), "{error}");
        assert_eq!(error.to_string().contains("nothing is lost"), kept, "{error}");
        let count = |wanted: fn(&Control) -> bool| {
            sent.iter().filter(|(_, message)| wanted(message)).count()
        };
        assert_eq!(count(|m| matches!(m, Control::Hold { .. })), 2);
        assert_eq!(count(|m| matches!(m, Control::EndAt { end: 4, .. })), 2);
        assert_eq!(count(|m| matches!(m, Control::Checkpoint { .. })), checkpoints);
        let (to, Control::Abort { failure, .. }) = &sent[sent.len() - 1] else {
            panic!("{:?}", sent.last())
        };
        assert_eq!((to.as_str(), &*failure.to_string()), ("bob", "ann: was told to stop"));
    }
}
