//! What a player does with the checkpoints of a session.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sha2::{Digest as _, Sha256};
use sordino_graph::{PlayerName, Setup};

use super::PlayerSession;
use crate::checkpoint::{CheckpointError, Checkpoints, Header};
use crate::memory;
use crate::message::{Control, Cut, Frame, SessionId};
use crate::turns::Order;

/// The setup of a session: that of its first plan, or of the checkpoint that it goes on from.
pub(super) struct Agreed {
    digest: [u8; 32],
    players: Vec<PlayerName>,
}

/// What a session goes on from.
pub(super) struct Restored {
    session: SessionId,
    setup: [u8; 32],
    steps: BTreeMap<[u8; 32], u64>,
}

impl PlayerSession {
    /// All plans of a session are of one setup: what a variable may be used for does not change.
    pub(super) fn agree(&self, setup: &Setup) -> Result<(), String> {
        let digest = Sha256::digest(setup.to_string().as_bytes()).into();
        // So that no checkpoint is taken over between the two looks.
        let _state = self.state();
        if self.restored.get().is_some_and(|restored| restored.setup != digest) {
            return Err("has other players, servers, another protocol or policy than the session \
                        that the checkpoint is of: resume it with the same ones"
                .to_owned());
        }
        let agreed = self.agreed.get_or_init(|| Agreed { digest, players: setup.players.clone() });
        if agreed.digest != digest {
            return Err("has another setup than the plans before: open a session for it".to_owned());
        }
        Ok(())
    }

    /// The driver asks for checkpoint `number`; `keep` is the last one that all players have.
    pub(crate) fn checkpoint(
        self: &Arc<Self>,
        number: u64,
        keep: u64,
        rounds: Vec<([u8; 32], u64)>,
    ) {
        let header = match self.header(number, rounds) {
            Ok(header) => header,
            Err(reason) => return self.fail(&self.driver, &reason),
        };
        self.at_the_disk(move |session| {
            // Nothing changes one before the driver, which waits for the answer, asks for more.
            let variables = session.variables.all();
            let saved = session.checkpoints().and_then(|kept| {
                kept.save(&header, &variables, keep).map_err(|error| error.to_string())
            });
            if saved.is_ok() {
                let mut state = session.state();
                (state.unsaved, state.checkpoint) = (false, Some(number));
            }
            Ok(Control::Saved { session: session.id, number, problem: saved.err() })
        });
    }

    /// Does for the driver what takes long, and answers. One thing at a time: each takes memory for
    /// variables, or files.
    fn at_the_disk(
        self: &Arc<Self>,
        work: impl FnOnce(&Arc<Self>) -> Result<Control, String> + Send + 'static,
    ) {
        if self.at_disk.swap(true, Ordering::AcqRel) {
            let reason = "asked for something of checkpoints before it had the last answer";
            return self.fail(&self.driver, reason);
        }
        // Disks are slow: not on the thread of the network.
        self.spawn(Order::Then, move |session| {
            let answer = work(session);
            session.at_disk.store(false, Ordering::Release);
            match answer {
                Ok(answer) => session.answer(answer),
                Err(reason) => session.fail(&session.me, &reason),
            }
        });
    }

    fn header(&self, number: u64, rounds: Vec<([u8; 32], u64)>) -> Result<Header, String> {
        let state = self.state();
        if !state.queue.is_empty() {
            return Err("asked for a checkpoint while steps run".to_owned());
        }
        let Some(agreed) = self.agreed.get() else {
            return Err("asked for a checkpoint before there was a plan".to_owned());
        };
        let restored = self.restored.get();
        let mut steps = restored.map(|restored| restored.steps.clone()).unwrap_or_default();
        for plan in state.plans.values().filter(|plan| !plan.patience.is_limited()) {
            let count = steps.entry(plan.digests.recorded).or_default();
            *count = plan.machine.done().max(*count);
        }
        steps.extend(rounds);
        let known = self.options.checkpoints.as_ref();
        let names = agreed.players.iter().chain([&self.driver]);
        Ok(Header {
            player: self.me.as_str().to_owned(),
            driver: self.driver.as_str().to_owned(),
            session: restored.map_or(self.id, |restored| restored.session),
            number,
            writer: self.id,
            setup: agreed.digest,
            certificates: known.map(|known| known.certificates_of(names)).unwrap_or_default(),
            steps,
        })
    }

    /// The driver asks which checkpoints of a session there are.
    pub(crate) fn recall(self: &Arc<Self>, of: SessionId) {
        self.at_the_disk(move |session| {
            let driver = session.driver.as_str();
            let held = session.checkpoints().and_then(|kept| {
                kept.held(&session.me, driver, of).map_err(|error| error.to_string())
            });
            let (cuts, problems) = match held {
                Ok(held) => (
                    held.headers.iter().map(Cut::from).collect(),
                    held.unusable.iter().map(ToString::to_string).collect(),
                ),
                Err(problem) => (Vec::new(), vec![problem]),
            };
            Ok(Control::Recalled { session: session.id, cuts, problems })
        });
    }

    /// The driver asks to go on from a checkpoint, before anything else happens in the session.
    pub(crate) fn restore(self: &Arc<Self>, of: SessionId, number: u64) {
        self.at_the_disk(move |session| {
            session.take_over(of, number).map(|()| Control::Restored { session: session.id })
        });
    }

    fn take_over(&self, of: SessionId, number: u64) -> Result<(), String> {
        let kept = self.checkpoints()?;
        let loaded = kept.load(&self.me, self.driver.as_str(), of, number);
        let (header, variables) = loaded.map_err(|error: CheckpointError| error.to_string())?;
        memory::reserve_variables(&variables, &self.room)?;
        let restored = Restored { session: of, setup: header.setup, steps: header.steps };
        // Under the lock under which plans come to be: a plan that has run may have variables.
        let state = self.state();
        let fresh = state.plans.is_empty() && self.agreed.get().is_none();
        if !fresh || self.restored.set(restored).is_err() {
            return Err(
                "is asked to go on from a checkpoint in a session that has begun".to_owned()
            );
        }
        self.variables.replace(variables);
        Ok(())
    }

    fn checkpoints(&self) -> Result<&Checkpoints, String> {
        let kept = self.options.checkpoints.as_deref();
        kept.ok_or_else(|| "keeps no checkpoints: it was given no folder for them".to_owned())
    }

    pub(super) fn answer(&self, message: Control) {
        self.network.send(&self.driver, Frame::Control(message));
    }
}

impl From<&Header> for Cut {
    fn from(header: &Header) -> Self {
        let steps = header.steps.iter().map(|(plan, steps)| (*plan, *steps)).collect();
        Self { number: header.number, writer: header.writer, steps }
    }
}
