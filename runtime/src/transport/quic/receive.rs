//! What comes in over one connection. Nothing that a peer sends gets further than its own
//! connection: each read has a bound in bytes and, once something has begun, in time.

use std::collections::HashSet;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use quinn::{Connection, RecvStream};
use sordino_ops::Tensor;
use sordino_players::PlayerName;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use zeroize::Zeroizing;

use super::admission::Slow;
use super::end::{End, read_failed};
use super::link::Link;
use super::shared::{Shared, lock};
use super::wire::{Announcement, CODE_REFUSED, CONTROL, VALUE, decode_control};
use crate::message::DataHeader;

/// Bytes a second that a message must come with once it has begun, beside twice [`Limits::stall`] for
/// all of it: who sends a byte now and then does not hold up others for as long as it likes.
///
/// [`Limits::stall`]: super::Limits::stall
const SLOWEST: f64 = 16_384.0;

/// Whose the connection is, and where it leads.
pub(super) struct Source {
    pub(super) shared: Arc<Shared>,
    pub(super) peer: PlayerName,
    pub(super) link: Arc<Link>,
    pub(super) stall: Duration,
    /// Bytes of the longest control message that the peer may send.
    pub(super) longest: usize,
    /// Control messages handed to the inbox so far.
    pub(super) delivered: watch::Sender<u64>,
    pub(super) slow: Slow,
    /// Values that have been announced and are not complete.
    pub(super) arriving: Mutex<HashSet<DataHeader>>,
}

/// A value that is arriving, until it is dropped.
struct Arriving<'a>(&'a Source, DataHeader);

impl Drop for Arriving<'_> {
    fn drop(&mut self) {
        lock(&self.0.arriving).remove(&self.1);
    }
}

/// Waits for the control stream of the peer, the first stream that it opens.
pub(super) async fn greeting(connection: &Connection) -> Result<RecvStream, End> {
    let mut stream = connection.accept_uni().await.map_err(End::Gone)?;
    let mut tag = [0];
    match stream.read(&mut tag).await {
        Ok(Some(_)) if tag[0] == CONTROL => Ok(stream),
        Ok(Some(_)) => Err(unknown(tag[0])),
        Ok(None) => Err(End::Fault("the first stream is empty".into())),
        Err(error) => Err(read_failed(error, "the first stream")),
    }
}

/// Reads control messages until the connection ends.
pub(super) async fn control(from: Arc<Source>, mut stream: RecvStream) -> End {
    loop {
        match control_message(&from, &mut stream).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(end) => return end,
        }
    }
    // The peer says no more, and will close when it has heard that all has arrived.
    match timeout(from.stall, from.link.connection().closed()).await {
        Ok(error) => End::Gone(error),
        Err(_) => End::Fault("the control stream ended and the connection did not".into()),
    }
}

/// Reads one message; false at the end of the stream.
async fn control_message(from: &Source, stream: &mut RecvStream) -> Result<bool, End> {
    const WHAT: &str = "a control message";
    let mut prefix = [0; 4];
    // A peer may have nothing to say for as long as it likes.
    let begun = match stream.read(&mut prefix).await {
        Ok(Some(begun)) => begun,
        Ok(None) => return Ok(false),
        Err(error) => return Err(read_failed(error, WHAT)),
    };
    let due = Instant::now() + 2 * from.stall;
    from.fill(stream, &mut prefix[begun..], due, WHAT).await?;
    let length = u32::from_le_bytes(prefix) as usize;
    if length > from.longest {
        let what = format!("{WHAT} of {length} bytes, and {} are allowed", from.longest);
        return Err(End::Fault(what));
    }
    // Wiped when dropped: it may hold secrets. Grows at most to twice what has arrived.
    let mut body = Zeroizing::new(Vec::new());
    let due = due + longest(length as u64);
    while body.len() < length {
        let filled = body.len();
        let more = (length - filled).min(filled.max(64 << 10));
        body.resize(filled + more, 0);
        from.fill(stream, &mut body[filled..], due, WHAT).await?;
    }
    let message =
        decode_control(&body).ok_or_else(|| End::Fault("an illegible control message".into()))?;
    if !from.link.is_retired() {
        from.shared.inbox.on_control(&from.peer, message);
    }
    from.delivered.send_modify(|count| *count += 1);
    Ok(true)
}

/// Accepts values until the connection ends.
pub(super) async fn values(from: Arc<Source>) -> End {
    let connection = from.link.connection().clone();
    let mut under_way: JoinSet<Result<(), End>> = JoinSet::new();
    loop {
        let stream = tokio::select! {
            stream = connection.accept_uni() => match stream {
                Ok(stream) => stream,
                Err(error) => return End::Gone(error),
            },
            Some(done) = under_way.join_next() => match done {
                Ok(Ok(())) => continue,
                Ok(Err(end)) => return end,
                Err(_) => return End::Bug("the receiver of a value panicked".into()),
            },
        };
        // Most values are small and there as a whole, and need no task of their own.
        let mut reading = Box::pin(value(Arc::clone(&from), stream));
        match poll_fn(|cx| Poll::Ready(Pin::new(&mut reading).poll(cx))).await {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(end)) => return end,
            Poll::Pending => drop(under_way.spawn(reading)),
        }
    }
}

async fn value(from: Arc<Source>, mut stream: RecvStream) -> Result<(), End> {
    const WHAT: &str = "a value";
    let mut header = [0; Announcement::BYTES];
    let begun = match timeout(from.stall, stream.read(&mut header)).await {
        Ok(Ok(Some(begun))) => begun,
        Ok(Ok(None)) => return Err(End::Fault("a stream without a byte".into())),
        Ok(Err(error)) => return Err(read_failed(error, WHAT)),
        Err(_) => return Err(from.stalled(WHAT)),
    };
    if header[0] != VALUE {
        return Err(unknown(header[0]));
    }
    let due = Instant::now() + 2 * from.stall;
    from.fill(&mut stream, &mut header[begun..], due, WHAT).await?;
    let Announcement { header, length, after } = Announcement::decode(&header);

    let mut delivered = from.delivered.subscribe();
    if *delivered.borrow_and_update() < after {
        match timeout(from.stall, delivered.wait_for(|count| *count >= after)).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => {
                let what = "a value waits for a control message that does not come";
                return Err(End::Fault(what.into()));
            }
        }
    }
    if from.link.is_retired() {
        return Ok(());
    }
    // Each announcement takes memory, and nobody else knows yet of those whose bytes are to come.
    let Some(arriving) = from.arrives(header) else {
        return Err(End::Fault("the same value announced twice".into()));
    };
    let announce = || from.shared.inbox.on_announce(&from.peer, &header, length);
    let Ok(ty) = announce() else {
        // The session has failed; others over the same connection have not.
        let _ = stream.stop(CODE_REFUSED);
        return Ok(());
    };
    let place = from.shared.admission.place(header.session, length, &from.slow).await;
    if place.is_some() && announce().is_err() {
        // It has ended while the value waited.
        let _ = stream.stop(CODE_REFUSED);
        return Ok(());
    }
    let mut value = Tensor::zeros(&ty);
    let elements = value.as_bytes_mut();
    if elements.len() as u64 != length {
        let held = elements.len();
        return Err(End::Bug(format!("a value of {length} bytes got room for {held}")));
    }
    let reading = from.value(&mut stream, elements);
    let (read, place) = from.slow.read(place, from.stall, reading).await;
    read?;
    drop(arriving);
    if !from.link.is_retired() {
        from.shared.inbox.on_data(&from.peer, header, value);
    }
    drop(place);
    Ok(())
}

impl Source {
    /// Notes a value as arriving; `None` if it is already.
    fn arrives(&self, header: DataHeader) -> Option<Arriving<'_>> {
        lock(&self.arriving).insert(header).then(|| Arriving(self, header))
    }

    /// Reads the bytes of a value, and the end of its stream.
    async fn value(&self, stream: &mut RecvStream, elements: &mut [u8]) -> Result<(), End> {
        const WHAT: &str = "a value";
        let length = elements.len();
        let due = Instant::now() + 2 * self.stall + longest(length as u64);
        self.fill(stream, elements, due, WHAT).await?;
        match timeout(self.stall, stream.read(&mut [0])).await {
            Ok(Ok(None)) => Ok(()),
            Ok(Ok(Some(_))) => {
                Err(End::Fault(format!("a value longer than the {length} bytes announced")))
            }
            Ok(Err(error)) => Err(read_failed(error, WHAT)),
            Err(_) => Err(self.stalled(WHAT)),
        }
    }

    /// Reads until `into` is full, as bytes come, and until `due` at most.
    async fn fill(
        &self,
        stream: &mut RecvStream,
        into: &mut [u8],
        due: Instant,
        what: &str,
    ) -> Result<(), End> {
        let mut filled = 0;
        while filled < into.len() {
            let next = due.min(Instant::now() + self.stall);
            match timeout_at(next, stream.read(&mut into[filled..])).await {
                Ok(Ok(Some(more))) => filled += more,
                Ok(Ok(None)) => {
                    let missing = into.len() - filled;
                    let end = format!("{what} ended {missing} bytes before its end");
                    return Err(End::Fault(end));
                }
                Ok(Err(error)) => return Err(read_failed(error, what)),
                Err(_) if next < due => return Err(self.stalled(what)),
                Err(_) => {
                    let rate = SLOWEST / 1024.0;
                    let slow = format!("{what} came with less than {rate} KiB a second");
                    return Err(End::Fault(slow));
                }
            }
        }
        Ok(())
    }

    fn stalled(&self, what: &str) -> End {
        let seconds = self.stall.as_secs_f64();
        End::Fault(format!("{what} stalled: no byte of it came for {seconds:.1} s"))
    }
}

/// How long so many bytes may take, beside the time that any message has.
fn longest(bytes: u64) -> Duration {
    Duration::from_secs_f64(bytes as f64 / SLOWEST)
}

fn unknown(tag: u8) -> End {
    End::Fault(format!("a stream of the unknown kind {tag}"))
}
