//! Values of many at once: how much of them comes at a time, and who waits for whom.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sordino_graph::{Element, Shape, Type};
use sordino_ops::Tensor;
use sordino_players::PlayerName;
use sordino_runtime::SessionId;
use sordino_runtime::message::{Control, DataHeader, Frame};
use sordino_runtime::transport::quic::{Limits, QuicNetwork};
use sordino_runtime::transport::{Inbox, Network, Refused};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{sleep, timeout};

use crate::stage::announcement;
use crate::world::{LIMITS, PATIENCE, World, floats, header, name, put, raw_with_control, run};

const MIB: usize = 1 << 20;

/// There is place for one value of so many bytes: a sixteenth.
const ONE_MIB: Limits = Limits { arriving: 16 << 20, ..LIMITS };

/// A value that is wanted when it is announced, and not any more when there is a place for it.
const ENDS: u32 = 777;

/// Long enough for a value to come that nothing holds up.
const A_WHILE: Duration = Duration::from_millis(300);

/// What bob sees: of values, their edges.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    Message,
    Announced(u32),
    /// Asked for again, when there is a place for it.
    Admitted(u32),
    Complete(u32),
    Lost,
}

/// Takes every value but the one that [`ENDS`].
struct Watching(UnboundedSender<Seen>, Mutex<HashSet<u32>>);

fn watching(seen: UnboundedSender<Seen>) -> Arc<Watching> {
    Arc::new(Watching(seen, Mutex::default()))
}

impl Inbox for Watching {
    fn on_control(&self, _: &PlayerName, _: Control) {
        let _ = self.0.send(Seen::Message);
    }

    fn on_announce(&self, _: &PlayerName, of: &DataHeader, bytes: u64) -> Result<Type, Refused> {
        let first = self.1.lock().unwrap().insert(of.edge);
        let seen = if first { Seen::Announced } else { Seen::Admitted };
        let _ = self.0.send(seen(of.edge));
        if !first && of.edge == ENDS {
            return Err(Refused("it has ended".into()));
        }
        let elements = usize::try_from(bytes / 4).unwrap();
        Ok(Type::plain(Element::F32, Shape::new(&[elements]).unwrap()))
    }

    fn on_data(&self, _: &PlayerName, of: DataHeader, _: Tensor) {
        let _ = self.0.send(Seen::Complete(of.edge));
    }

    fn on_lost(&self, _: &PlayerName, _: &str) {
        let _ = self.0.send(Seen::Lost);
    }
}

/// Bob, who takes every value; alice, who is no more than a connection; and carol.
struct Crowd {
    seen: UnboundedReceiver<Seen>,
    alice: quinn::Connection,
    carol: Arc<QuicNetwork>,
    _kept: (Arc<QuicNetwork>, quinn::SendStream, quinn::RecvStream),
}

impl Crowd {
    async fn new(world: &World) -> Self {
        let (sender, seen) = unbounded_channel();
        let bob = world.bind("bob", watching(sender)).await;
        let carol = world.bind("carol", watching(unbounded_channel().0)).await;
        bob.connect(&name("carol"), PATIENCE).await.unwrap();
        carol.connect(&name("bob"), PATIENCE).await.unwrap();
        let (alice, control, answers) = raw_with_control(world).await;
        Self { seen, alice, carol, _kept: (bob, control, answers) }
    }

    async fn next(&mut self) -> Seen {
        timeout(PATIENCE, self.seen.recv()).await.expect("nothing came").unwrap()
    }

    fn carol_sends(&self, header: DataHeader, bytes: usize) {
        self.carol.send(&name("bob"), Frame::Data(header, floats(bytes / 4)));
    }

    /// Half of a value of alice's comes.
    async fn alice_begins(&mut self, edge: u32, bytes: usize) -> quinn::SendStream {
        let stream = self.alice_announces(edge, bytes).await;
        assert_eq!(self.next().await, Seen::Admitted(edge));
        stream
    }

    async fn alice_announces(&mut self, edge: u32, bytes: usize) -> quinn::SendStream {
        let mut stream = self.alice.open_uni().await.unwrap();
        stream.write_all(&announcement(header(edge), bytes as u64)).await.unwrap();
        stream.write_all(&vec![0; bytes / 2]).await.unwrap();
        assert_eq!(self.next().await, Seen::Announced(edge));
        stream
    }

    /// The other half comes.
    async fn alice_ends(&self, mut stream: quinn::SendStream, bytes: usize) {
        stream.write_all(&vec![0; bytes / 2]).await.unwrap();
        stream.finish().unwrap();
    }
}

#[tokio::test]
async fn values_of_a_session_come_so_many_bytes_at_a_time() {
    let world = World::crowded(ONE_MIB);
    let mut crowd = Crowd::new(&world).await;
    let value = crowd.alice_begins(1, MIB).await;
    // A value that waits holds up no message, and one of another session not at all.
    crowd.carol_sends(header(2), MIB);
    crowd.carol.send(&name("bob"), Frame::Control(run(1)));
    let mut seen = [crowd.next().await, crowd.next().await];
    seen.sort();
    assert_eq!(seen, [Seen::Message, Seen::Announced(2)]);
    let other = DataHeader { session: SessionId([8; 16]), ..header(3) };
    let bytes = [announcement(other, MIB as u64), vec![0; MIB]].concat();
    put(crowd.alice.open_uni().await.unwrap(), &bytes, true).await;
    assert_eq!(crowd.next().await, Seen::Announced(3));
    assert_eq!(crowd.next().await, Seen::Admitted(3));
    assert_eq!(crowd.next().await, Seen::Complete(3));
    sleep(A_WHILE).await;
    assert!(crowd.seen.is_empty(), "there is place for one value");

    crowd.alice_ends(value, MIB).await;
    assert_eq!(crowd.next().await, Seen::Complete(1));
    assert_eq!(crowd.next().await, Seen::Admitted(2));
    assert_eq!(crowd.next().await, Seen::Complete(2));
}

#[tokio::test]
async fn who_sends_slowly_does_not_hold_up_others_for_long_and_does_so_once() {
    let stall = Duration::from_secs(2);
    let world = World::crowded(Limits { stall, ..ONE_MIB });
    let mut crowd = Crowd::new(&world).await;
    let mut value = crowd.alice_begins(1, MIB).await;
    let dripping = tokio::spawn(async move {
        while value.write_all(&[0]).await.is_ok() {
            sleep(stall / 20).await;
        }
    });
    crowd.carol_sends(header(2), MIB);
    assert_eq!(crowd.next().await, Seen::Announced(2));
    assert_eq!(crowd.next().await, Seen::Admitted(2));
    assert_eq!(crowd.next().await, Seen::Complete(2));
    assert!(!dripping.is_finished() && crowd.seen.is_empty(), "alice's value goes on");

    let _half = crowd.alice_announces(3, MIB).await;
    crowd.carol_sends(header(4), MIB);
    for seen in [Seen::Announced(4), Seen::Admitted(4), Seen::Complete(4)] {
        assert_eq!(crowd.next().await, seen, "nobody asks for a place for alice");
    }
    dripping.abort();
}

#[tokio::test]
async fn what_waits_does_so_at_the_sender() {
    let world = World::crowded(ONE_MIB);
    let mut crowd = Crowd::new(&world).await;
    let value = crowd.alice_begins(1, MIB).await;
    crowd.carol_sends(header(2), 16 * MIB);
    assert_eq!(crowd.next().await, Seen::Announced(2));
    sleep(A_WHILE).await;
    let wire = crowd.carol.wire_bytes();
    let (_, sent, _) = wire.iter().find(|(peer, ..)| *peer == name("bob")).unwrap();
    assert!(*sent < 8 * MIB as u64, "{sent} bytes, of which 64 KiB may come");

    crowd.alice_ends(value, MIB).await;
    assert_eq!(crowd.next().await, Seen::Complete(1));
    assert_eq!(crowd.next().await, Seen::Admitted(2));
    assert_eq!(crowd.next().await, Seen::Complete(2));
}

#[tokio::test]
async fn what_ends_while_it_waits_is_not_read() {
    let world = World::crowded(ONE_MIB);
    let mut crowd = Crowd::new(&world).await;
    let value = crowd.alice_begins(1, MIB).await;
    crowd.carol_sends(header(ENDS), MIB);
    crowd.carol_sends(header(2), MIB);
    assert_eq!(crowd.next().await, Seen::Announced(ENDS));
    crowd.alice_ends(value, MIB).await;
    assert_eq!(crowd.next().await, Seen::Complete(1));
    assert_eq!(crowd.next().await, Seen::Admitted(ENDS));
    for seen in [Seen::Announced(2), Seen::Admitted(2), Seen::Complete(2)] {
        assert_eq!(crowd.next().await, seen);
    }
}

#[tokio::test]
async fn values_and_messages_of_any_length_get_through_a_crowd() {
    let world = World::crowded(ONE_MIB);
    let mut crowd = Crowd::new(&world).await;
    for edge in (0..90).step_by(3) {
        crowd.carol_sends(header(edge), 100);
        crowd.carol.send(&name("bob"), Frame::Control(run(1)));
        crowd.carol_sends(header(edge + 1), 3 * MIB / 2);
        crowd.carol_sends(header(edge + 2), 100 << 10);
    }
    let (mut complete, mut messages) = (0, 0);
    while complete < 90 || messages < 30 {
        match crowd.next().await {
            Seen::Complete(_) => complete += 1,
            Seen::Message => messages += 1,
            Seen::Announced(_) | Seen::Admitted(_) => {}
            Seen::Lost => panic!("carol is lost"),
        }
    }
}
