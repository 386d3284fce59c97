//! How a plan becomes ready: checked by this player itself, and agreed on with its peers.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sordino_graph::{Node, NodeId, PlayerName};
use sordino_ops::Plan;
use sordino_ops::protocol::pads;
use zeroize::Zeroizing;

use super::{Greeting, MOST_EARLY, MOST_STEPS, Patience, PlanState, PlayerSession, guarded};
use crate::host::{Journal, PlanHost, Secrets};
use crate::machine::Machine;
use crate::memory;
use crate::message::{Control, Digests, Frame, GroupSecret, Optional, PlanIndex, Published};
use crate::plans::plan_of;
use crate::schedule::Schedule;

impl PlayerSession {
    /// Verifies, lowers and splits a recorded graph, and greets the players it is run with.
    pub(crate) fn prepare(
        self: &Arc<Self>,
        plan: PlanIndex,
        first: u64,
        optional: &Optional,
        text: &Arc<str>,
    ) {
        if first > MOST_STEPS {
            let reason = format!("asks for step {first}, and steps end at {MOST_STEPS}");
            return self.fail(&self.driver, &reason);
        }
        let patience = match Patience::new(optional) {
            Ok(patience) => patience,
            Err(reason) => return self.fail(&self.driver, &reason),
        };
        {
            let mut state = self.state();
            state.building = Some(plan);
            state.moved = Instant::now();
        }
        // The text is the driver's: whatever it makes our code do ends this session alone.
        let built = guarded(|| self.build(text)).unwrap_or_else(Err);
        match built.and_then(|built| self.agree(built.0.recorded.setup()).map(|()| built)) {
            // Files are looked at for those alone whom the player lets run the plan.
            Ok(built) => match self.judge(&built.0).and_then(|()| self.look(&built.1)) {
                Ok(()) => self.greet(plan, first, patience, built),
                Err(reason) => self.fail(&self.me, &reason),
            },
            Err(reason) => self.fail(&self.driver, &reason),
        }
        let mut state = self.state();
        state.building = state.building.filter(|building| *building != plan);
    }

    fn judge(&self, Plan { recorded, recorded_digest, .. }: &Plan) -> Result<(), String> {
        guarded(|| self.options.consent.check(&self.me, recorded, recorded_digest))
            .unwrap_or_else(Err)
    }

    /// Whether there is room for its part of the plan, and the player's own files are what it reads.
    fn look(&self, schedule: &Schedule) -> Result<(), String> {
        memory::reserve(schedule, &self.room)?;
        let checked = |(id, node): (NodeId, &Node)| {
            let place = || schedule.place_of(id.index());
            self.options
                .data
                .check(node)
                .map_err(|error| format!("{} cannot run: {error}", place()))
        };
        guarded(|| schedule.graph.nodes().try_for_each(checked)).unwrap_or_else(Err)
    }

    fn build(&self, text: &Arc<str>) -> Result<(Arc<Plan>, Schedule), String> {
        let plan = plan_of(text)?;
        let Some(part) = plan.parts.get(&self.me) else {
            return Err(format!("the graph does not list the player {}", self.me));
        };
        let schedule = Schedule::new(part.clone()).map_err(|error| error.to_string())?;
        Ok((plan, schedule))
    }

    fn greet(
        self: &Arc<Self>,
        plan: PlanIndex,
        first: u64,
        patience: Patience,
        (built, schedule): (Arc<Plan>, Schedule),
    ) {
        let digests =
            Digests { recorded: built.recorded_digest.0, lowered: built.lowered_digest.0 };
        // Of the whole graph: who shares a secret greets all that share it, also those that, as
        // it turned out, draw nothing from it.
        let groups = pads::groups(&built.lowered).into_iter();
        let groups: HashSet<_> = groups.filter(|holders| holders.contains(&self.me)).collect();
        let linked = schedule.sources.iter().chain(&schedule.targets);
        let mut peers: HashSet<_> = linked.chain(groups.iter().flatten()).cloned().collect();
        peers.remove(&self.me);
        let secrets = Secrets::default();
        let mut gifts: HashMap<PlayerName, Vec<GroupSecret>> = HashMap::new();
        for holders in groups.iter().filter(|holders| holders.first() == Some(&self.me)) {
            let mut secret = Zeroizing::new([0; 32]);
            if let Err(error) = getrandom::fill(&mut *secret) {
                let reason =
                    format!("has no source of randomness, and nothing runs without: {error}");
                return self.fail(&self.me, &reason);
            }
            secrets.insert(holders.clone(), *secret);
            let names: Vec<_> = holders.iter().map(|name| name.as_str().to_owned()).collect();
            for holder in holders.iter().filter(|&holder| *holder != self.me) {
                let gift = GroupSecret { holders: names.clone(), secret: *secret };
                gifts.entry(holder.clone()).or_default().push(gift);
            }
        }
        let weak = Arc::downgrade(self);
        let publish = move |plan, value: Published| {
            if let Some(session) = weak.upgrade() {
                let session_id = session.id;
                let message = Control::Published { session: session_id, plan, value };
                session.network.send(&session.driver, Frame::Control(message));
            }
        };
        let host = Arc::new(PlanHost {
            me: self.me.clone(),
            plan,
            lowered_digest: digests.lowered,
            variables: Arc::clone(&self.variables),
            secrets,
            data: Arc::clone(&self.options.data),
            audit: self.options.audit.clone(),
            publish: Box::new(publish),
            journal: Journal::new(patience.is_limited()),
        });
        let early: Vec<Greeting> = {
            let mut state = self.state();
            if state.plans.contains_key(&plan) {
                drop(state);
                return self.fail(&self.driver, &format!("sent plan {plan} twice"));
            }
            if state.halted.contains(&plan) {
                return;
            }
            let took = vec![Duration::MAX; schedule.tasks.len()];
            let new = PlanState {
                host,
                machine: Machine::new(Arc::new(schedule), first),
                digests,
                groups,
                expected: peers.clone(),
                gifts,
                told: HashSet::new(),
                greeted: false,
                ready: false,
                patience,
                begun: first,
                halting: false,
                took,
            };
            state.plans.insert(plan, new);
            state.moved = Instant::now();
            let (now, later) = state.early.drain(..).partition(|(_, of, ..)| *of == plan);
            state.early = later;
            now
        };
        for (from, plan, digests, secrets) in early {
            self.on_hello(&from, plan, digests, secrets);
        }
        self.connect_all(plan, peers.into_iter().collect());
    }

    /// Reaches the peers one after the other, greets them, and then counts itself in.
    fn connect_all(self: &Arc<Self>, plan: PlanIndex, mut peers: Vec<PlayerName>) {
        peers.sort_unstable();
        let Some(peer) = peers.pop() else {
            if let Some(plan) = self.state().plans.get_mut(&plan) {
                plan.greeted = true;
            }
            return self.announce_ready(plan);
        };
        let session = Arc::clone(self);
        let to = peer.clone();
        let then = move |connected: Result<(), String>| match connected {
            Err(reason) => session.lose(&peer, &reason),
            Ok(()) => session.guard(|session| {
                session.greet_peer(plan, &peer);
                session.connect_all(plan, peers);
            }),
        };
        self.network.connect(&to, Box::new(then));
    }

    /// Greets a peer, unless it has been.
    fn greet_peer(&self, index: PlanIndex, peer: &PlayerName) {
        let hello = {
            let mut state = self.state();
            let Some(plan) = state.plans.get_mut(&index) else { return };
            if !plan.told.insert(peer.clone()) {
                return;
            }
            let secrets = match plan.expected.contains(peer) {
                true => plan.gifts.get(peer).cloned(),
                false => plan.gifts.remove(peer),
            };
            let (session, digests) = (self.id, plan.digests);
            Control::Hello { session, plan: index, digests, secrets: secrets.unwrap_or_default() }
        };
        self.network.send(peer, Frame::Control(hello));
    }

    /// Greets a peer anew, to which the connection was lost before it greeted: a connection that led
    /// to a process which is no more, say, and has been started again. Nothing else of the session
    /// went over it. False if something has, or if this happens again.
    pub(super) fn greets_again(self: &Arc<Self>, peer: &PlayerName, reason: &str) -> bool {
        let told: Vec<PlanIndex> = {
            let state = &mut *self.state();
            let plans = state.plans.values();
            let mut with = plans.filter(|plan| plan.peers().any(|of| of == peer));
            if with.any(|plan| !plan.expected.contains(peer)) || !state.again.insert(peer.clone()) {
                return false;
            }
            let plans = state.plans.iter_mut();
            plans.filter_map(|(index, plan)| plan.told.remove(peer).then_some(*index)).collect()
        };
        let (session, to, reason) = (Arc::clone(self), peer.clone(), reason.to_owned());
        let then = move |connected: Result<(), String>| match connected {
            Err(then) => session.lose(&to, &format!("{reason}; and then: {then}")),
            Ok(()) => session.guard(|session| {
                told.into_iter().for_each(|plan| session.greet_peer(plan, &to));
            }),
        };
        self.network.connect(peer, Box::new(then));
        true
    }

    /// A peer's greeting: the same digests, and the secrets it drew.
    pub(crate) fn on_hello(
        self: &Arc<Self>,
        from: &PlayerName,
        plan: PlanIndex,
        digests: Digests,
        secrets: Vec<GroupSecret>,
    ) {
        let checked = {
            let state = &mut *self.state();
            state.moved = Instant::now();
            match state.plans.get_mut(&plan) {
                None if state.halted.contains(&plan) => return,
                None if state.early.iter().filter(|(by, ..)| by == from).count() < MOST_EARLY => {
                    state.early.push((from.clone(), plan, digests, secrets));
                    return;
                }
                None => Err(format!("sent over {MOST_EARLY} greetings for plans nobody prepared")),
                Some(plan) => plan.check_hello(from, &digests, secrets),
            }
        };
        match checked {
            Ok(()) => self.announce_ready(plan),
            Err(reason) => self.fail(from, &reason),
        }
    }

    fn announce_ready(&self, plan: PlanIndex) {
        let digests = {
            let mut state = self.state();
            let Some(plan) = state.plans.get_mut(&plan) else { return };
            if plan.ready || !plan.greeted || !plan.expected.is_empty() {
                return;
            }
            plan.ready = true;
            plan.digests
        };
        let message = Control::Ready { session: self.id, plan, digests };
        self.network.send(&self.driver, Frame::Control(message));
    }
}

impl PlanState {
    fn check_hello(
        &mut self,
        from: &PlayerName,
        digests: &Digests,
        secrets: Vec<GroupSecret>,
    ) -> Result<(), String> {
        if *digests != self.digests {
            return Err(format!(
                "runs another plan: its graph has the digest {}, ours {}. All players must run \
                 the same version of Sordino and get the same graph",
                hex(&digests.recorded),
                hex(&self.digests.recorded)
            ));
        }
        if !self.expected.remove(from) {
            return Err("greeted twice, or without having to do with this plan".into());
        }
        if self.told.contains(from) {
            self.gifts.remove(from);
        }
        for gift in secrets {
            let holders = gift.holders.iter().map(|name| PlayerName::new(name));
            let holders: Vec<_> = holders.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
            let legal = holders.first() == Some(from) && self.groups.contains(&holders);
            if !legal || !self.host.secrets.insert(holders, gift.secret) {
                return Err("sent a secret of a group that is not its to make".into());
            }
        }
        let open = self
            .groups
            .iter()
            .find(|holders| holders.first() == Some(from) && !self.host.secrets.contains(holders));
        match open {
            Some(holders) => Err(format!("did not send the secret of {holders:?}")),
            None => Ok(()),
        }
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
