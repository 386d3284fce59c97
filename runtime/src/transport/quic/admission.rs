//! Who may send next: values of a session come so many bytes at a time, however many peers
//! send at once. Others wait in their senders' memory, since a connection's window is small where
//! there are many.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::shared::lock;
use crate::message::SessionId;

/// Sessions have nothing to do with each other: none waits for the values of another.
pub(super) struct Admission {
    at_a_time: u32,
    sessions: Mutex<HashMap<SessionId, Weak<Semaphore>>>,
}

/// What a value that is admitted takes up, until it is dropped.
pub(super) struct Place(#[allow(dead_code, reason = "held")] OwnedSemaphorePermit);

impl Admission {
    pub(super) fn new(at_a_time: u32) -> Self {
        Self { at_a_time, sessions: Mutex::default() }
    }

    /// Waits until there is a place for a value of so many bytes: in the order of asking.
    pub(super) async fn admit(&self, session: SessionId, bytes: u64) -> Option<Place> {
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

/// Reads a value in its place, which is given to others when that takes longer than `most`: who
/// sends slowly keeps none of them waiting for longer.
pub(super) async fn read_in<T>(
    place: Option<Place>,
    most: Duration,
    reading: impl Future<Output = T>,
) -> (T, Option<Place>) {
    let mut reading = pin!(reading);
    if let Ok(read) = timeout(most, &mut reading).await {
        return (read, place);
    }
    drop(place);
    (reading.await, None)
}
