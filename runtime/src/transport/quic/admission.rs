//! Whose value comes next: those of a session are so many bytes at a time, however many peers send
//! at once. Others wait in their senders' memory.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::shared::lock;
use crate::message::SessionId;

pub(super) struct Admission {
    at_a_time: u32,
    /// A value of so many bytes is there before anyone asks, and waits for nobody.
    small: u32,
    /// Each session has its own: none waits for who is slow in another.
    sessions: Mutex<HashMap<SessionId, Weak<Semaphore>>>,
}

/// What a value that is admitted takes up, until it is dropped.
pub(super) struct Place(#[allow(dead_code, reason = "held")] OwnedSemaphorePermit);

/// Whether a peer was slow. Then its values wait for nobody, and nobody for them.
#[derive(Default)]
pub(super) struct Slow(AtomicBool);

impl Admission {
    pub(super) fn new((at_a_time, small): (u32, u32)) -> Self {
        Self { at_a_time, small, sessions: Mutex::default() }
    }

    /// Waits until there is a place for a value of so many bytes, in the order of asking; `None` for
    /// one that needs none. Nobody waits for ever, since places are [left](Slow::read).
    pub(super) async fn place(&self, session: SessionId, bytes: u64, peer: &Slow) -> Option<Place> {
        if bytes <= u64::from(self.small) || peer.0.load(Ordering::Relaxed) {
            return None;
        }
        let places = self.of(session);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.at_a_time);
        // Fails only for a semaphore that was closed, which none is.
        places.acquire_many_owned(bytes).await.ok().map(Place)
    }

    fn of(&self, session: SessionId) -> Arc<Semaphore> {
        let mut sessions = lock(&self.sessions);
        if let Some(places) = sessions.get(&session).and_then(Weak::upgrade) {
            return places;
        }
        sessions.retain(|_, places| places.strong_count() > 0);
        let places = Arc::new(Semaphore::new(self.at_a_time as usize));
        sessions.insert(session, Arc::downgrade(&places));
        places
    }
}

impl Slow {
    /// Reads a value of this peer in its place. When that takes longer than `most` the place is for
    /// others: who sends slowly keeps them waiting for so long, and once.
    pub(super) async fn read<T>(
        &self,
        place: Option<Place>,
        most: Duration,
        reading: impl Future<Output = T>,
    ) -> (T, Option<Place>) {
        let mut reading = pin!(reading);
        if place.is_some() {
            if let Ok(read) = timeout(most, &mut reading).await {
                return (read, place);
            }
            self.0.store(true, Ordering::Relaxed);
            drop(place);
        }
        (reading.await, None)
    }
}
