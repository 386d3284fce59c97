//! One live connection: two queues out, and four tasks that serve it.
//!
//! Control messages and values have a queue each, so that a message never waits behind a large
//! value. Quinn holds what is handed to it in its send window; what exceeds that waits here.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use quinn::{Connection, RecvStream, SendStream, WriteError};
use sordino_ops::Tensor;
use sordino_players::PlayerName;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use super::admission::Slow;
use super::end::End;
use super::receive;
use super::shared::Shared;
use super::wire::{Announcement, CONTROL, encode_control};
use crate::message::{Control, Frame};

/// A value of at most so many bytes is copied behind its header, which costs less than a second
/// write.
const SMALL: usize = 1024;

/// A connection on which both sides have opened their control streams.
pub(super) struct Greeted {
    pub(super) connection: Connection,
    pub(super) control_out: SendStream,
    pub(super) control_in: RecvStream,
}

pub(super) struct Link {
    connection: Connection,
    control: UnboundedSender<Outgoing<Control>>,
    values: UnboundedSender<Outgoing<(Announcement, Tensor)>>,
    /// Control messages sent so far.
    sent: AtomicU64,
    retired: AtomicBool,
}

enum Outgoing<T> {
    /// In a box, since a queue makes room for some dozens from the beginning.
    Item(Box<T>),
    /// Finish, and answer when the peer has it all.
    Finish(oneshot::Sender<()>),
}

/// What the tasks of a link own.
pub(super) struct Work {
    control_out: SendStream,
    control_in: RecvStream,
    control: UnboundedReceiver<Outgoing<Control>>,
    values: UnboundedReceiver<Outgoing<(Announcement, Tensor)>>,
}

pub(super) fn new(greeted: Greeted) -> (Arc<Link>, Work) {
    let Greeted { connection, control_out, control_in } = greeted;
    let (control_sender, control) = unbounded_channel();
    let (values_sender, values) = unbounded_channel();
    let link = Link {
        connection,
        control: control_sender,
        values: values_sender,
        sent: AtomicU64::new(0),
        retired: AtomicBool::new(false),
    };
    (Arc::new(link), Work { control_out, control_in, control, values })
}

/// Opens the own control stream. The peer takes the connection for a live one when it sees it.
pub(super) async fn greet(connection: &Connection) -> Result<SendStream, WriteError> {
    let mut stream = connection.open_uni().await?;
    stream.write_all(&[CONTROL]).await?;
    // Ahead of values that wait for the congestion window.
    stream.set_priority(1).map_err(|_| WriteError::ClosedStream)?;
    Ok(stream)
}

impl Link {
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Queues a frame. Whatever becomes of the connection is reported by those who serve it.
    pub(super) fn send(&self, frame: Frame) {
        match frame {
            Frame::Control(message) => {
                // Counted before it is queued: a value sent after it waits for at least as many.
                self.sent.fetch_add(1, Ordering::AcqRel);
                let _ = self.control.send(Outgoing::Item(Box::new(message)));
            }
            Frame::Data(header, value) => {
                let length = value.as_bytes().len() as u64;
                let after = self.sent.load(Ordering::Acquire);
                let announcement = Announcement { header, length, after };
                let _ = self.values.send(Outgoing::Item(Box::new((announcement, value))));
            }
        }
    }

    /// Sends what is queued and waits until the peer has it. Nothing can be sent afterwards.
    pub(super) async fn flush(&self) {
        let (values_done, values) = oneshot::channel();
        let (control_done, control) = oneshot::channel();
        // A connection that has ended drops the senders, which ends the waiting.
        let _ = self.values.send(Outgoing::Finish(values_done));
        let _ = values.await;
        let _ = self.control.send(Outgoing::Finish(control_done));
        let _ = control.await;
    }

    /// From now on nothing that comes over the connection is handed to the inbox.
    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    pub(super) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// Bytes sent and received in UDP datagrams.
    pub(super) fn bytes(&self) -> (u64, u64) {
        let stats = self.connection.stats();
        (stats.udp_tx.bytes, stats.udp_rx.bytes)
    }
}

/// Sends and receives until the connection ends, one way or another.
pub(super) async fn serve(
    shared: &Arc<Shared>,
    peer: &PlayerName,
    link: &Arc<Link>,
    work: Work,
) -> End {
    let from = Arc::new(receive::Source {
        shared: Arc::clone(shared),
        peer: peer.clone(),
        link: Arc::clone(link),
        stall: shared.limits.stall,
        longest: shared.longest_control(peer),
        delivered: watch::Sender::new(0),
        slow: Slow::default(),
        arriving: Mutex::default(),
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(receive::control(Arc::clone(&from), work.control_in));
    tasks.spawn(receive::values(from));
    tasks.spawn(send_control(link.connection.clone(), work.control_out, work.control));
    tasks.spawn(send_values(link.connection.clone(), work.values));
    match tasks.join_next().await {
        Some(Ok(end)) => end,
        // The tasks are cancelled by nobody else, so that one has panicked.
        Some(Err(_)) | None => End::Bug("a task of the connection panicked".into()),
    }
}

async fn send_control(
    connection: Connection,
    mut stream: SendStream,
    mut queue: UnboundedReceiver<Outgoing<Control>>,
) -> End {
    while let Some(outgoing) = queue.recv().await {
        let message = match outgoing {
            Outgoing::Item(message) => message,
            Outgoing::Finish(done) => {
                let _ = stream.finish();
                let _ = stream.stopped().await;
                let _ = done.send(());
                break;
            }
        };
        let frame = match encode_control(&message) {
            Ok(frame) => frame,
            Err(bug) => return End::Bug(bug),
        };
        match stream.write_chunk(Bytes::from_owner(frame)).await {
            Ok(()) => {}
            Err(WriteError::ConnectionLost(error)) => return End::Gone(error),
            Err(_) => return End::Fault("control messages are turned away".into()),
        }
    }
    End::Gone(connection.closed().await)
}

async fn send_values(
    connection: Connection,
    mut queue: UnboundedReceiver<Outgoing<(Announcement, Tensor)>>,
) -> End {
    let mut last: Option<SendStream> = None;
    while let Some(outgoing) = queue.recv().await {
        match outgoing {
            Outgoing::Item(item) => {
                let (announcement, value) = *item;
                match send_value(&connection, &announcement, value).await {
                    Ok(stream) => last = Some(stream),
                    Err(WriteError::ConnectionLost(error)) => return End::Gone(error),
                    // The peer does not want it: it has failed the session, and says so itself.
                    Err(_) => {}
                }
            }
            Outgoing::Finish(done) => {
                if let Some(last) = &last {
                    let _ = last.stopped().await;
                }
                let _ = done.send(());
                break;
            }
        }
    }
    End::Gone(connection.closed().await)
}

async fn send_value(
    connection: &Connection,
    announcement: &Announcement,
    value: Tensor,
) -> Result<SendStream, WriteError> {
    let mut stream = connection.open_uni().await?;
    let header = announcement.encode();
    let body = value.as_bytes();
    if body.len() <= SMALL {
        let mut both = Zeroizing::new(Vec::with_capacity(header.len() + body.len()));
        both.extend_from_slice(&header);
        both.extend_from_slice(body);
        stream.write_chunk(Bytes::from_owner(both)).await?;
    } else {
        let mut parts = [Bytes::copy_from_slice(&header), Bytes::from_owner(Elements(value))];
        stream.write_all_chunks(&mut parts).await?;
    }
    // Fails only for a stream that the peer has stopped.
    let _ = stream.finish();
    Ok(stream)
}

/// A tensor that quinn holds until the peer has acknowledged it.
struct Elements(Tensor);

impl AsRef<[u8]> for Elements {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
