//! What a player has of its own in a session: variables, data, secrets, a line to the driver.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use sha2::{Digest as _, Sha256};
use sordino_graph::PlayerName;
use sordino_ops::data::{BatchRequest, DataStore};
use sordino_ops::tensor::pad::{Pad, PadId, PadKey};
use sordino_ops::{Host, KernelError, Tensor};

use crate::audit::{Audit, StreamId};
use crate::message::{PlanIndex, Published};

/// What the plans of a session share on one player.
#[derive(Debug, Default)]
pub(crate) struct Variables(Mutex<HashMap<String, Tensor>>);

impl Variables {
    fn with<T>(&self, visit: impl FnOnce(&mut HashMap<String, Tensor>) -> T) -> T {
        visit(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All of them, as they are.
    pub(crate) fn all(&self) -> HashMap<String, Tensor> {
        self.with(|variables| variables.clone())
    }

    /// Puts these in the place of all that there are.
    pub(crate) fn replace(&self, new: HashMap<String, Tensor>) {
        self.with(|variables| *variables = new);
    }
}

/// What variables were before the steps of a plan that are not finished: taken back if the plan is
/// halted in one of them.
pub(crate) struct Journal(Option<Mutex<Vec<Change>>>);

/// A variable before a step changed it.
struct Change {
    step: u64,
    name: String,
    before: Option<Tensor>,
}

impl Journal {
    /// A journal that notes changes, or one that does not.
    pub(crate) fn new(notes: bool) -> Self {
        Self(notes.then(Mutex::default))
    }

    fn with(&self, visit: impl FnOnce(&mut Vec<Change>)) {
        if let Some(changes) = &self.0 {
            visit(&mut changes.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Notes a variable that `step` is about to change.
    pub(crate) fn keep(&self, step: u64, name: &str, variables: &Variables) {
        self.with(|changes| {
            let before = variables.with(|variables| variables.get(name).cloned());
            changes.push(Change { step, name: name.to_owned(), before });
        });
    }

    /// Forgets the steps before `done`: they are finished.
    pub(crate) fn forget(&self, done: u64) {
        self.with(|changes| changes.retain(|change| change.step >= done));
    }

    /// Takes back what `step` and later ones have changed. No kernel runs.
    pub(crate) fn undo(&self, step: u64, variables: &Variables) {
        self.with(|changes| {
            for Change { name, before, .. } in changes.drain(..).rev().filter(|c| c.step >= step) {
                variables.with(|variables| match before {
                    Some(before) => variables.insert(name, before),
                    None => variables.remove(&name),
                });
            }
        });
    }
}

/// The secrets of one plan, by the players that know them.
#[derive(Default)]
pub(crate) struct Secrets(RwLock<HashMap<Vec<PlayerName>, GroupKey>>);

/// The secret of a group, and the hash by which an audit knows it.
struct GroupKey {
    key: PadKey,
    hash: [u8; 32],
}

impl Secrets {
    /// Whether the group's secret is there.
    pub(crate) fn contains(&self, holders: &[PlayerName]) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(holders)
    }

    /// Keeps a secret; false if the group has one already.
    pub(crate) fn insert(&self, holders: Vec<PlayerName>, secret: [u8; 32]) -> bool {
        let hash = Sha256::new().chain_update(b"sordino audit v1").chain_update(secret).finalize();
        let mut secrets = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let key = GroupKey { key: PadKey::from_bytes(secret), hash: hash.into() };
        secrets.insert(holders, key).is_none()
    }
}

/// See the [module](self): the host of one plan's kernels.
pub(crate) struct PlanHost {
    pub(crate) me: PlayerName,
    pub(crate) plan: PlanIndex,
    pub(crate) lowered_digest: [u8; 32],
    pub(crate) variables: Arc<Variables>,
    pub(crate) secrets: Secrets,
    pub(crate) data: Arc<DataStore>,
    pub(crate) audit: Option<Arc<Audit>>,
    pub(crate) publish: Box<dyn Fn(PlanIndex, Published) + Send + Sync>,
    pub(crate) journal: Journal,
}

impl Host for PlanHost {
    fn pad(
        &self,
        holders: &[PlayerName],
        pad: u32,
        lane: u32,
        step: u64,
    ) -> Result<Pad, KernelError> {
        let secrets = self.secrets.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(GroupKey { key, hash }) = secrets.get(holders) else {
            return Err(KernelError::NoSecret { holders: holders.to_vec() });
        };
        let id = PadId { plan: self.lowered_digest, step, node: pad, lane };
        if let Some(audit) = &self.audit {
            // From the id that the key is made with: the audit is of what is drawn.
            let PadId { plan, step, node: pad, lane } = id;
            audit.note(StreamId { secret: *hash, plan, step, pad, lane }, &self.me);
        }
        Ok(key.stream(&id))
    }

    fn read_variable(&self, name: &str) -> Result<Tensor, KernelError> {
        let value = self.variables.with(|variables| variables.get(name).cloned());
        value.ok_or_else(|| KernelError::NoVariable { name: name.to_owned() })
    }

    fn assign_variable(&self, name: &str, value: Tensor) {
        self.variables.with(|variables| variables.insert(name.to_owned(), value));
    }

    fn update_variable(
        &self,
        name: &str,
        change: &mut dyn FnMut(&mut Tensor) -> Result<(), KernelError>,
    ) -> Result<(), KernelError> {
        // Taken out while it changes: other variables can be used meanwhile, and the schedule
        // lets nobody touch this one.
        let value = self.variables.with(|variables| variables.remove_entry(name));
        let Some((name, mut value)) = value else {
            return Err(KernelError::NoVariable { name: name.to_owned() });
        };
        let result = change(&mut value);
        self.variables.with(|variables| variables.insert(name, value));
        result
    }

    fn batch(&self, request: &BatchRequest, step: u64) -> Result<(Tensor, Tensor), KernelError> {
        self.data.batch(request, step)
    }

    fn folder(&self) -> &Path {
        self.data.folder()
    }

    fn publish(&self, name: &str, step: u64, value: Tensor) {
        let axes = value.axes().iter().map(|&n| u32::try_from(n).unwrap_or(u32::MAX)).collect();
        let elements = value.to_f64().unwrap_or_default();
        (self.publish)(self.plan, Published { name: name.to_owned(), step, axes, elements });
    }
}
