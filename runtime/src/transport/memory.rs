//! Transport within one process: values are handed over, not copied.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, Weak};

use sordino_graph::PlayerName;

use super::{Connected, Inbox, Network};
use crate::message::Frame;

/// Who is reachable in this process.
#[derive(Default)]
pub struct Hub {
    inboxes: OnceLock<HashMap<PlayerName, Weak<dyn Inbox>>>,
}

impl Hub {
    /// Says where frames for each party go. Called once, when all parties exist.
    pub fn open(&self, inboxes: impl IntoIterator<Item = (PlayerName, Weak<dyn Inbox>)>) {
        // A second call changes nothing: parties do not change their minds.
        let _ = self.inboxes.set(inboxes.into_iter().collect());
    }

    /// The way out for the party `name`.
    #[must_use]
    pub fn network(self: &Arc<Self>, name: &PlayerName) -> Arc<MemoryNetwork> {
        Arc::new(MemoryNetwork { me: name.clone(), hub: Arc::clone(self) })
    }

    fn inbox(&self, of: &PlayerName) -> Option<Arc<dyn Inbox>> {
        self.inboxes.get()?.get(of)?.upgrade()
    }
}

/// One party's way out within a process.
pub struct MemoryNetwork {
    me: PlayerName,
    hub: Arc<Hub>,
}

impl Network for MemoryNetwork {
    fn send(&self, to: &PlayerName, frame: Frame) {
        match (self.hub.inbox(to), frame) {
            (Some(inbox), Frame::Control(message)) => inbox.on_control(&self.me, message),
            (Some(inbox), Frame::Data(header, value)) => inbox.on_data(&self.me, header, value),
            // Parties of a process end together; there is nobody left to tell.
            (None, _) => {}
        }
    }

    fn connect(&self, peer: &PlayerName, then: Connected) {
        let found = self.hub.inbox(peer).map(|_| ());
        then(found.ok_or_else(|| format!("{peer} is not one of the players of this process")));
    }
}
