//! Bad programs, bad data and bad drivers end in an error that says whose fault it is and what to
//! do, and the players stay usable.

mod common;

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use common::program::initialize;
use common::{mnist, model_owner, parties, player, published, servers, setup, within};
use sordino::graph::{Element, OpSpec, Role, Shape, Type, print_with_sources};
use sordino::ops::data::{BatchRequest, DataStore, Dataset, Split};
use sordino::ops::{Plan, Tensor};
use sordino::prelude::*;
use sordino::runtime::message::{
    Control, DataHeader, Digests, Failure, Frame, GroupSecret, Optional, PlanIndex, SessionId,
};
use sordino::runtime::transport::memory::{Hub, MemoryNetwork};
use sordino::runtime::transport::{Inbox, Network, Refused};
use sordino::runtime::{Consent, Player, PlayerOptions};

/// Nothing takes longer than this to fail.
const GUARD: u64 = 10;

/// The failure of a run, which must be one that a player reported.
fn failure(result: Result<Run, RunError>) -> Failure {
    match result {
        Err(RunError::Failed(failure)) => failure,
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("the run succeeded"),
    }
}

#[track_caller]
fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{text:?} does not say {part:?}");
    }
}

fn vector(n: usize) -> Type {
    Type::plain(Element::F32, Shape::new(&[n]).unwrap())
}

fn two_owners() -> Setup {
    let names = ["ann", "bob", "carol"].map(player);
    let receiver = names[2].clone();
    Setup::new([&names[..], &servers()].concat())
        .secure("ABY3", servers(), Fixed::LOW)
        .reveal(&receiver, 2)
        .release(&receiver)
}

/// A sum of two owners' vectors, where bob multiplies his by `factor` in each step.
#[secure_function]
fn growing(g: &Recording<'_>, factor: &f64) {
    let [ann, bob, carol] = ["ann", "bob", "carol"].map(player);
    let his = g.scope("private-input", || {
        let old = read_variable(g, &bob, "x", &vector(4));
        let new = scale(old, *factor);
        assign("x", new);
        share(new)
    });
    let hers = share(random_normal(g, &ann, &[4], 2));
    publish("sum", reveal(add_n([his, hers]), &carol));
}

#[secure_function]
fn start_growing(g: &Recording<'_>) {
    assign("x", random_normal(g, &player("bob"), &[4], 1));
}

fn grown(factor: f64, steps: u64) -> Failure {
    within(GUARD, move || {
        let mut session = Session::local(two_owners(), mnist(), None).unwrap();
        session.run(&start_growing(), 1).unwrap();
        let failed = failure(session.run(&growing(&factor), steps));
        // The session is over, and says so.
        let again = session.run(&growing(&factor), 1);
        assert!(matches!(again, Err(RunError::Over)), "{again:?}");
        failed
    })
}

#[test]
fn a_value_that_the_ring_cannot_hold() {
    // About 1e4, 1e8 and 1e12: the third is above 2^34.
    let Failure { player, reason } = grown(1e4, 20);
    assert_eq!(player, "bob");
    let parts = ["private-input/share", "bad_input.rs:", "step 2", "too large for the ring"];
    says(&reason, &parts);
    says(&reason, &["1.7179869184e10", "element 0"]);
    // The value itself is bob's.
    let own = within(GUARD, || {
        let mut session = Session::local(two_owners().release(&self::player("bob")), mnist(), None);
        let session = session.as_mut().unwrap();
        session.run(&start_growing(), 1).unwrap();
        let run = session.run(&show_x(), 1).unwrap();
        published(&run, "x")[0].to_vec()
    });
    for x in own {
        let digits: String = format!("{:e}", x.abs()).chars().take(5).collect();
        assert!(!reason.contains(&digits), "{reason} holds {digits}");
    }
}

#[secure_function]
fn show_x(g: &Recording<'_>) {
    publish("x", read_variable(g, &player("bob"), "x", &vector(4)));
}

#[test]
fn not_a_number() {
    // The factor is infinite as f32, and so is the product; then infinity minus infinity.
    let Failure { player, reason } = grown(1e300, 5);
    assert_eq!(player, "bob");
    says(&reason, &["private-input/share", "step 0", "too large for the ring"]);

    let failed = within(GUARD, || {
        let mut session = Session::local(two_owners(), mnist(), None).unwrap();
        failure(session.run(&not_a_number_program(), 3))
    });
    assert_eq!(failed.player, "ann");
    says(&failed.reason, &["bad_input.rs:", "step 0", "element 0", "is not a number"]);
}

#[secure_function]
fn not_a_number_program(g: &Recording<'_>) {
    let [ann, bob, carol] = ["ann", "bob", "carol"].map(player);
    let infinite = scale(random_normal(g, &ann, &[2], 1), 1e300);
    let nan = add_n([infinite, scale(infinite, -1.0)]);
    let sum = add_n([share(nan), share(random_normal(g, &bob, &[2], 1))]);
    publish("sum", reveal(sum, &carol));
}

/// The federated program at a learning rate that no model survives.
#[secure_function]
fn blow_up(g: &Recording<'_>, owners: &[PlayerName]) {
    let model = common::models::model("logistic_regression").unwrap();
    let weights: Vec<_> = model
        .parameters()
        .iter()
        .map(|p| read_variable(g, &model_owner(), &p.name, &p.ty()))
        .collect();
    let request = BatchRequest {
        dataset: Dataset::LrMnist,
        split: Split::Test,
        range: 0..1000,
        batch: 10,
        shuffle: None,
    };
    let gradients = owners.iter().map(|owner| {
        g.scope("private-input", || {
            let weights: Vec<_> = weights.iter().map(|w| transfer(*w, owner)).collect();
            let (images, labels) = load_batch(g, owner, &request);
            let loss = model.loss(model.logits(images, &weights), labels);
            gradients(loss, &weights).into_iter().map(share).collect::<Vec<_>>()
        })
    });
    let gradients: Vec<_> = gradients.collect();
    for (i, parameter) in model.parameters().iter().enumerate() {
        let sum = add_n(gradients.iter().map(|gradient| gradient[i]));
        descend(&parameter.name, 3e38, reveal(sum, &model_owner()));
    }
}

#[test]
fn a_learning_rate_that_blows_up() {
    let failed = within(GUARD, || {
        let (model, _) = parties("logistic_regression", Dataset::LrMnist);
        let mut session = Session::local(setup("ABY3", Fixed::LOW), mnist(), None).unwrap();
        session.run(&initialize(&model), 1).unwrap();
        failure(session.run(&blow_up(&common::data_owners()), 20))
    });
    assert!(failed.player.starts_with("train-data-owner-"), "{failed}");
    says(&failed.reason, &["private-input", "/share", "is not a number", "learning rate"]);
}

#[test]
fn a_variable_that_was_never_assigned() {
    let failed = within(GUARD, || {
        let mut session = Session::local(two_owners(), mnist(), None).unwrap();
        failure(session.run(&growing(&1.0), 1))
    });
    assert_eq!(failed.player, "bob");
    says(&failed.reason, &["private-input/read_variable", "variable x has no value yet"]);
}

#[secure_function]
fn load(g: &Recording<'_>) {
    let owner = player("carol");
    let (dataset, split) = (Dataset::Mnist, Split::Test);
    let request = BatchRequest { dataset, split, range: 0..100, batch: 100, shuffle: None };
    let (images, _) = load_batch(g, &owner, &request);
    publish("images", images);
}

/// What the loader says of a folder whose file of test labels was changed.
fn loaded_after(change: fn(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    for name in ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"] {
        std::fs::copy(mnist().join(name), folder.path().join(name)).unwrap();
    }
    change(&folder.path().join("t10k-labels-idx1-ubyte.gz"));
    let failed = within(GUARD, move || {
        let mut session = Session::local(two_owners(), folder.path(), None).unwrap();
        failure(session.run(&load(), 3))
    });
    assert_eq!(failed.player, "carol");
    says(&failed.reason, &["load_batch", "t10k-labels-idx1-ubyte.gz"]);
    failed.reason
}

#[test]
fn broken_data_files() {
    says(&loaded_after(|file| std::fs::remove_file(file).unwrap()), &["no file"]);
    let truncated = |file: &Path| {
        let bytes = std::fs::read(file).unwrap();
        std::fs::write(file, &bytes[..bytes.len() - 1]).unwrap();
    };
    says(&loaded_after(truncated), &["is truncated", "copy it again"]);
    let longer = |file: &Path| {
        let bytes = std::fs::read(file).unwrap();
        std::fs::write(file, [&bytes[..], b"x"].concat()).unwrap();
    };
    says(&loaded_after(longer), &["another file"]);
    let corrupt = |file: &Path| {
        let mut bytes = std::fs::read(file).unwrap();
        bytes[2000] ^= 1;
        std::fs::write(file, bytes).unwrap();
    };
    says(&loaded_after(corrupt), &["is corrupt"]);
}

/// The error of a program that does not get as far as the players.
fn refused(setup: Setup, function: &Function<'_>) -> String {
    let mut session = Session::local(setup, mnist(), None).unwrap();
    match session.run(function, 1) {
        Err(RunError::Plan(error)) => error.to_string(),
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("the run succeeded"),
    }
}

#[secure_function]
fn sum(g: &Recording<'_>) {
    let [ann, bob, carol] = ["ann", "bob", "carol"].map(player);
    let shares = [ann, bob].map(|owner| share(random_normal(g, &owner, &[3], 1)));
    publish("sum", reveal(add_n(shares), &carol));
}

#[test]
fn protocols_that_there_are_not() {
    for name in ["Pond", "SecureNN", "aby3"] {
        let error = refused(two_owners().secure(name, servers(), Fixed::LOW), &sum());
        says(&error, &[&format!("no protocol {name}"), "ABY3 (semi-honest", "Plain (insecure"]);
    }
    let two = servers()[..2].to_vec();
    let error = refused(two_owners().secure("ABY3", two, Fixed::LOW), &sum());
    assert_eq!(error, "ABY3 runs on 3 servers, not on 2");
}

/// An op on secrets that no protocol has a rule for.
static GAMMA: OpSpec = OpSpec {
    name: "gamma",
    role: Role::Compute,
    attributes: &[],
    infer: |s| s.inputs::<1>().map(|[x]| vec![x.clone()]),
    gradient: None,
};

#[secure_function]
fn gamma(g: &Recording<'_>) {
    let [ann, bob, carol] = ["ann", "bob", "carol"].map(player);
    let shares = [ann, bob].map(|owner| share(random_normal(g, &owner, &[3], 1)));
    let gamma = g.op(&GAMMA).input(add_n(shares)).build();
    publish("gamma", reveal(gamma, &carol));
}

#[test]
fn an_op_without_a_rule() {
    let error = refused(two_owners(), &gamma());
    says(&error, &["ABY3 cannot compute gamma of secrets", "bad_input.rs:"]);
}

#[secure_function]
fn of_a_stranger(g: &Recording<'_>) {
    publish("x", random_normal(g, &player("mallory"), &[3], 1));
}

#[test]
fn a_player_that_is_not_listed() {
    let error = refused(two_owners(), &of_a_stranger());
    says(&error, &["placement/player", "mallory", "bad_input.rs:"]);
}

/// What a driver sends first.
fn prepare(session: SessionId, plan: PlanIndex, text: String) -> Control {
    Control::Prepare { session, plan, first: 0, optional: Optional::default(), text: text.into() }
}

/// Players of one process and a driver that says what it likes.
struct Stage {
    players: Vec<Arc<Player>>,
    network: Arc<MemoryNetwork>,
    arrivals: Receiver<(PlayerName, Control)>,
    _inbox: Arc<dyn Inbox>,
}

struct Heard(Mutex<Sender<(PlayerName, Control)>>);

impl Inbox for Heard {
    fn on_control(&self, from: &PlayerName, message: Control) {
        // A test that has seen enough listens no more.
        let _ = self.0.lock().unwrap().send((from.clone(), message));
    }

    fn on_announce(&self, _: &PlayerName, _: &DataHeader, _: u64) -> Result<Tensor, Refused> {
        panic!("a player sent the driver a value: invariant 1")
    }

    fn on_data(&self, from: &PlayerName, _: DataHeader, _: Tensor) {
        panic!("{from} sent the driver a value: invariant 1")
    }

    fn on_lost(&self, _: &PlayerName, _: &str) {}
}

impl Stage {
    fn new(setup: &Setup) -> Self {
        let hub: Arc<Hub> = Arc::default();
        let driver = sordino::players::roster::driver_name();
        let data = Arc::new(DataStore::new(mnist().to_owned()));
        let options = PlayerOptions { data, consent: Consent::ALL, checkpoints: None, audit: None };
        let new = |name: &PlayerName| {
            let player = Player::new(name.clone(), options.clone(), |_| {});
            player.attach(hub.network(name));
            player
        };
        let players: Vec<_> = setup.players.iter().map(new).collect();
        let (sender, arrivals) = channel();
        let inbox: Arc<dyn Inbox> = Arc::new(Heard(Mutex::new(sender)));
        let weak = |player: &Arc<Player>| -> (PlayerName, Weak<dyn Inbox>) {
            let inbox: Arc<dyn Inbox> = player.clone();
            (player.name().clone(), Arc::downgrade(&inbox))
        };
        let own = (driver.clone(), Arc::downgrade(&inbox));
        hub.open(players.iter().map(weak).chain([own]));
        Self { players, network: hub.network(&driver), arrivals, _inbox: inbox }
    }

    fn tell(&self, to: &PlayerName, message: Control) {
        self.network.send(to, Frame::Control(message));
    }

    fn tell_all(&self, message: &Control) {
        self.players.iter().for_each(|player| self.tell(player.name(), message.clone()));
    }

    /// Waits until every player has sent a message of a session that `wanted` accepts, and returns
    /// them. An abort that is not wanted fails the test.
    fn hear<T>(
        &self,
        session: SessionId,
        wanted: impl Fn(&Control) -> Option<T>,
    ) -> Vec<(PlayerName, T)> {
        let end = Instant::now() + Duration::from_secs(GUARD);
        let mut heard: Vec<(PlayerName, T)> = Vec::new();
        while heard.len() < self.players.len() {
            let left = end.saturating_duration_since(Instant::now());
            let Ok((from, message)) = self.arrivals.recv_timeout(left) else {
                let names: Vec<_> = heard.iter().map(|(name, _)| name).collect();
                panic!("heard only of {names:?} in {GUARD} s");
            };
            if message.session() != session || heard.iter().any(|(name, _)| *name == from) {
                continue;
            }
            match wanted(&message) {
                Some(value) => heard.push((from, value)),
                None => assert!(!matches!(message, Control::Abort { .. }), "{message:?}"),
            }
        }
        heard
    }

    /// The first failure that a player reports in a session.
    fn first_abort(&self, session: SessionId) -> Failure {
        let end = Instant::now() + Duration::from_secs(GUARD);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let (_, message) = self.arrivals.recv_timeout(left).expect("a failure");
            if let Some(failure) = abort(&message).filter(|_| message.session() == session) {
                return failure;
            }
        }
    }

    /// Runs a good program in a session of its own: the players are as able as before.
    fn still_works(&self, setup: &Setup) {
        let session = SessionId([77; 16]);
        let text = print_with_sources(&sum().record(setup).unwrap());
        self.tell_all(&prepare(session, 0, text));
        self.hear(session, |message| matches!(message, Control::Ready { .. }).then_some(()));
        self.tell_all(&Control::Run { session, plan: 0, steps: 30 });
        self.hear(session, |message| matches!(message, Control::Finished { .. }).then_some(()));
    }
}

fn abort(message: &Control) -> Option<Failure> {
    if let Control::Abort { failure, .. } = message { Some(failure.clone()) } else { None }
}

fn ready(message: &Control) -> Option<()> {
    matches!(message, Control::Ready { .. }).then_some(())
}

const ID: SessionId = SessionId([1; 16]);

#[test]
fn all_players_hear_of_a_failure_and_are_idle_again() {
    let setup = two_owners();
    let stage = Stage::new(&setup);
    for (plan, function) in [(0, start_growing()), (1, growing(&1e4))] {
        let text = print_with_sources(&function.record(&setup).unwrap());
        stage.tell_all(&prepare(ID, plan, text));
        stage.hear(ID, |message| match message {
            Control::Ready { plan: ready, .. } => (*ready == plan).then_some(()),
            _ => None,
        });
    }
    stage.tell_all(&Control::Run { session: ID, plan: 0, steps: 1 });
    stage.tell_all(&Control::Run { session: ID, plan: 1, steps: 1000 });
    // Each of the seven says the same: that it was bob, where, and why.
    for (from, Failure { player, reason }) in stage.hear(ID, abort) {
        assert_eq!(player, "bob", "{from} says: {reason}");
        says(&reason, &["private-input/share", "too large for the ring"]);
    }
    stage.still_works(&setup);
}

#[test]
fn players_that_were_told_different_graphs_refuse() {
    let setup = two_owners();
    let stage = Stage::new(&setup);
    let text = |function: &Function<'_>| print_with_sources(&function.record(&setup).unwrap());
    let (good, other) = (text(&sum()), text(&growing(&1.0)));
    for name in &setup.players {
        let text = if name.as_str() == "ann" { other.clone() } else { good.clone() };
        stage.tell(name, prepare(ID, 0, text));
    }
    // Ann meets another digest at each peer, and each peer at her: whoever is first tells.
    let first = stage.first_abort(ID);
    says(&first.reason, &["digest", "the same graph"]);
    // A player that was not ready yet knows nobody who could have told it: the driver does.
    stage.tell_all(&Control::Abort { session: ID, failure: first });
    stage.still_works(&setup);
}

#[test]
fn a_driver_that_asks_for_what_is_not_there() {
    let setup = two_owners();
    let stage = Stage::new(&setup);
    let text = print_with_sources(&sum().record(&setup).unwrap());
    let asks: [(&str, Vec<Control>); 4] = [
        ("not ready", {
            let text = text.clone();
            vec![
                prepare(SessionId([2; 16]), 0, text),
                Control::Run { session: SessionId([2; 16]), plan: 5, steps: 1 },
            ]
        }),
        ("expected", {
            let text = "no graph".to_owned();
            vec![prepare(SessionId([3; 16]), 0, text)]
        }),
        ("does not list the player server0", {
            // A graph of other players, which the verifier has nothing against.
            let names = ["ann", "bob", "carol"].map(player);
            let small = Setup::new(names).release(&player("ann"));
            let text = print_with_sources(&lonely().record(&small).unwrap());
            vec![prepare(SessionId([4; 16]), 0, text)]
        }),
        ("secrecy/release", {
            let text = text.replace("  policy release(from=carol)\n", "");
            assert!(!text.contains("release"));
            vec![prepare(SessionId([5; 16]), 0, text)]
        }),
    ];
    for (reason, messages) in asks {
        let session = messages[0].session();
        let server = player("server0");
        messages.into_iter().for_each(|message| stage.tell(&server, message));
        let failure = stage.first_abort(session);
        says(&failure.reason, &[reason]);
        assert_eq!(failure.player, "driver");
    }
    stage.still_works(&setup);
}

#[secure_function]
fn lonely(g: &Recording<'_>) {
    publish("x", random_normal(g, &player("ann"), &[3], 1));
}

#[test]
fn only_the_driver_drives() {
    let setup = two_owners();
    let stage = Stage::new(&setup);
    let text = print_with_sources(&sum().record(&setup).unwrap());
    stage.tell_all(&prepare(ID, 0, text.clone()));
    stage.hear(ID, ready);
    // Bob asks, as the driver would: nothing is prepared or runs, and he is named.
    let ann = stage.players.iter().find(|p| p.name().as_str() == "ann").unwrap();
    let other = SessionId([9; 16]);
    ann.on_control(&player("bob"), prepare(other, 0, text));
    ann.on_control(&player("bob"), Control::Run { session: ID, plan: 0, steps: 1 });
    for (_, Failure { player, reason }) in stage.hear(ID, abort) {
        assert_eq!(player, "bob");
        says(&reason, &["sent what only the driver may send"]);
    }
    stage.still_works(&setup);
    while let Ok((_, message)) = stage.arrivals.try_recv() {
        assert_ne!(message.session(), other);
    }
}

#[test]
fn values_that_nobody_sent_for_end_the_session_alone() {
    let setup = two_owners();
    let stage = Stage::new(&setup);
    let text = print_with_sources(&sum().record(&setup).unwrap());
    stage.tell_all(&prepare(ID, 0, text));
    stage.hear(ID, ready);
    let carol = stage.players.iter().find(|p| p.name().as_str() == "carol").unwrap();
    let header = DataHeader { session: ID, plan: 0, step: 0, edge: 1000 };
    carol.on_data(&player("ann"), header, Tensor::zeros(&vector(3)));
    for (_, Failure { player, reason }) in stage.hear(ID, abort) {
        assert_eq!(player, "ann");
        says(&reason, &["edge 1000"]);
    }
    stage.still_works(&setup);
}

#[test]
fn a_length_that_is_not_the_edges_is_refused_before_memory_is_taken() {
    let setup = two_owners();
    let stage = Stage::new(&setup);
    let recorded = sum().record(&setup).unwrap();
    let text = print_with_sources(&recorded);
    let plan = Plan::new(recorded).unwrap();
    stage.tell_all(&prepare(ID, 0, text));
    stage.hear(ID, ready);
    let carol = stage.players.iter().find(|p| p.name().as_str() == "carol").unwrap();
    let part = plan.parts[&player("carol")].nodes().find(|(_, node)| node.op.role == Role::Receive);
    let attributes = &part.unwrap().1.attributes;
    let from = attributes.player("from").unwrap();
    let edge = u32::try_from(attributes.int("edge").unwrap()).unwrap();
    let header = DataHeader { session: ID, plan: 0, step: 0, edge };
    let refused = carol.on_announce(from, &header, 1 << 60).unwrap_err();
    says(&refused.0, &["1152921504606846976 bytes", "not 24"]);
    let fits = carol.on_announce(from, &header, 24);
    assert!(fits.is_err() || fits.is_ok_and(|tensor| tensor.as_bytes().len() == 24));
    for (_, failure) in stage.hear(ID, abort) {
        assert_eq!(failure.player, from.as_str());
    }
    stage.still_works(&setup);
}

/// What server0 says of a greeting by ann, while all others keep silent.
fn greeted(secrets: &[&[&str]], change_digest: bool, times: usize) -> Failure {
    let setup = two_owners();
    let stage = Stage::new(&setup);
    let (ann, server) = (player("ann"), player("server0"));
    let recorded = sum().record(&setup).unwrap();
    let text = print_with_sources(&recorded);
    let plan = Plan::new(recorded).unwrap();
    stage.tell(&server, prepare(ID, 0, text));
    let mut digests = Digests { recorded: plan.recorded_digest.0, lowered: plan.lowered_digest.0 };
    digests.lowered[31] ^= u8::from(change_digest);
    let secret = |holders: &&[&str]| GroupSecret {
        holders: holders.iter().map(|&name| name.to_owned()).collect(),
        secret: [7; 32],
    };
    for _ in 0..times {
        let secrets = secrets.iter().map(secret).collect();
        let hello = Control::Hello { session: ID, plan: 0, digests, secrets };
        let inbox = stage.players.iter().find(|player| *player.name() == server).unwrap();
        inbox.on_control(&ann, hello);
    }
    stage.first_abort(ID)
}

#[test]
fn greetings_that_are_not_in_order() {
    let hers: &[&str] = &["ann", "server0"];
    let cases: [(&[&[&str]], bool, usize, &str); 7] = [
        (&[hers], true, 1, "runs another plan"),
        (&[hers], false, 2, "greeted twice"),
        (&[], false, 1, "did not send the secret"),
        (&[hers, hers], false, 1, "not its to make"),
        (&[hers, &["bob", "server0"]], false, 1, "not its to make"),
        (&[hers, &["ann", "server1"]], false, 1, "not its to make"),
        (&[hers, &["ann", "no name"]], false, 1, "is not a player name"),
    ];
    for (secrets, change_digest, times, reason) in cases {
        let failure = greeted(secrets, change_digest, times);
        assert_eq!(failure.player, "ann", "{failure}");
        says(&failure.reason, &[reason]);
    }
}
