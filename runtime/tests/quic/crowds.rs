//! Values of many at once: how much of them comes at a time, and who waits for whom.

use std::sync::Arc;
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
use crate::world::{LIMITS, PATIENCE, SHORT_STALL, World, floats, header, name, raw_with_control};

const MIB: usize = 1 << 20;

/// Long enough for a value to come that nothing holds up.
const A_WHILE: Duration = Duration::from_millis(300);

/// What came of the value on an edge.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    Announced(u32),
    Complete(u32),
}

/// Takes every value.
struct Watching(UnboundedSender<Seen>);

impl Inbox for Watching {
    fn on_control(&self, _: &PlayerName, _: Control) {}

    fn on_announce(&self, _: &PlayerName, of: &DataHeader, bytes: u64) -> Result<Type, Refused> {
        let _ = self.0.send(Seen::Announced(of.edge));
        let elements = usize::try_from(bytes / 4).unwrap();
        Ok(Type::plain(Element::F32, Shape::new(&[elements]).unwrap()))
    }

    fn on_data(&self, _: &PlayerName, of: DataHeader, _: Tensor) {
        let _ = self.0.send(Seen::Complete(of.edge));
    }

    fn on_lost(&self, _: &PlayerName, _: &str) {}
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
        let bob = world.bind("bob", Arc::new(Watching(sender))).await;
        let carol = world.bind("carol", Arc::new(Watching(unbounded_channel().0))).await;
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
        let mut stream = self.alice.open_uni().await.unwrap();
        stream.write_all(&announcement(header(edge), bytes as u64)).await.unwrap();
        stream.write_all(&vec![0; bytes / 2]).await.unwrap();
        assert_eq!(self.next().await, Seen::Announced(edge));
        stream
    }
}

#[tokio::test]
async fn values_of_a_session_come_so_many_bytes_at_a_time() {
    let world = World::with(Limits { arriving: 1 << 20, ..LIMITS });
    let mut crowd = Crowd::new(&world).await;
    let mut value = crowd.alice_begins(1, MIB).await;
    // The second is of a session that has nothing to do with the first.
    crowd.carol_sends(header(2), MIB);
    crowd.carol_sends(DataHeader { session: SessionId([8; 16]), ..header(3) }, MIB);
    let mut seen = [crowd.next().await, crowd.next().await, crowd.next().await];
    seen.sort();
    assert_eq!(seen, [Seen::Announced(2), Seen::Announced(3), Seen::Complete(3)]);
    sleep(A_WHILE).await;
    assert!(crowd.seen.is_empty(), "there is place for one value");

    value.write_all(&vec![0; MIB / 2]).await.unwrap();
    value.finish().unwrap();
    assert_eq!(crowd.next().await, Seen::Complete(1));
    assert_eq!(crowd.next().await, Seen::Complete(2));
}

#[tokio::test]
async fn who_sends_slowly_does_not_hold_up_others_for_long() {
    let world = World::with(Limits { arriving: 1 << 20, ..SHORT_STALL });
    let mut crowd = Crowd::new(&world).await;
    let mut value = crowd.alice_begins(1, MIB).await;
    let dripping = tokio::spawn(async move {
        while value.write_all(&[0]).await.is_ok() {
            sleep(SHORT_STALL.stall / 5).await;
        }
    });
    crowd.carol_sends(header(2), MIB);
    assert_eq!(crowd.next().await, Seen::Announced(2));
    assert_eq!(crowd.next().await, Seen::Complete(2));
    assert!(!dripping.is_finished(), "alice's value goes on");
    dripping.abort();
}

#[tokio::test]
async fn what_waits_does_so_at_the_sender_where_there_are_many() {
    // A sixteenth of it is for values: there is place for alice's.
    let world = World::crowded(Limits { arriving: 16 << 20, ..LIMITS });
    let mut crowd = Crowd::new(&world).await;
    let mut value = crowd.alice_begins(1, MIB).await;
    crowd.carol_sends(header(2), 4 * MIB);
    assert_eq!(crowd.next().await, Seen::Announced(2));
    sleep(A_WHILE).await;
    let wire = crowd.carol.wire_bytes();
    let (_, sent, _) = wire.iter().find(|(peer, ..)| *peer == name("bob")).unwrap();
    assert!(*sent < MIB as u64, "{sent} bytes for a window of 700 KiB");

    value.write_all(&vec![0; MIB / 2]).await.unwrap();
    value.finish().unwrap();
    assert_eq!(crowd.next().await, Seen::Complete(1));
    assert_eq!(crowd.next().await, Seen::Complete(2));
    // Many, one after the other: no window gets stuck.
    for edge in 3..40 {
        crowd.carol_sends(header(edge), 3 * MIB / 2);
    }
    let mut complete = 0;
    while complete < 37 {
        complete += usize::from(matches!(crowd.next().await, Seen::Complete(_)));
    }
}
