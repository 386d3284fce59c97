//! What a player lets happen, whatever a driver asks for.
//!
//! A graph carries its policy in its own text, and the text comes from the driver. So each player
//! judges what the graph shows to whom by rules of its own, from its command line or from a
//! [policy file](crate::policy), before it greets anyone. Plans that its operator has signed are
//! judged already.

use std::path::Path;
use std::sync::Arc;

use sordino_graph::review::exits;
use sordino_graph::{Digest, Exit, Graph, Mixed, PlayerName, Role};
use sordino_ops::protocol;
use sordino_players::SignedPlans;
use sordino_players::roster::driver_name;

use crate::policy::{self, Pattern, PolicyError};

/// The consent of one player. The default is what a data owner wants: its own data are handed out
/// to nobody, what is revealed mixes the data of at least two, and protocols protect something.
#[derive(Debug, Clone)]
pub struct Consent {
    /// `None` for consent to everything.
    rules: Option<Arc<Rules>>,
    signed: Option<SignedPlans>,
}

/// What programs may do. What no rule allows is refused.
#[derive(Debug)]
pub(crate) struct Rules {
    /// The file that they are from; empty for the command line.
    pub(crate) source: String,
    pub(crate) reveals: Vec<RevealRule>,
    pub(crate) releases: Vec<ReleaseRule>,
    /// The protocols that may be used; `None` for all that protect something.
    pub(crate) protocols: Option<Vec<String>>,
    /// Protocols that protect nothing may be used as well.
    pub(crate) insecure: bool,
    /// Only plans that are signed may run.
    pub(crate) only_signed: bool,
}

/// Permission to reveal what is computed of the secrets of players.
#[derive(Debug)]
pub(crate) struct RevealRule {
    /// Where the rule stands: `policy.toml rule 2 (line 9)`.
    pub(crate) origin: String,
    /// Names of the nodes.
    pub(crate) what: Pattern,
    /// Who learns it.
    pub(crate) to: Pattern,
    /// The least number of players whose data is mixed.
    pub(crate) over: usize,
    /// It need not be a sum.
    pub(crate) functions: bool,
}

/// Permission to hand out the player's own data openly.
#[derive(Debug)]
pub(crate) struct ReleaseRule {
    pub(crate) origin: String,
    pub(crate) what: Pattern,
    pub(crate) to: Pattern,
}

/// The rules of a command line.
#[derive(Debug, Clone, Copy)]
pub struct Flags {
    /// Its own data may leave it in plaintext: to other players, and to the driver.
    pub release: bool,
    /// The least number of players whose data a revealed value must mix.
    pub over: usize,
    /// Protocols that protect nothing may be used.
    pub insecure: bool,
}

impl Default for Flags {
    fn default() -> Self {
        Self { release: false, over: 2, insecure: false }
    }
}

impl Default for Consent {
    fn default() -> Self {
        Flags::default().into()
    }
}

impl From<Flags> for Consent {
    fn from(flags: Flags) -> Self {
        let (what, to) = (Pattern::any, Pattern::any);
        let release = ReleaseRule { origin: "--release".to_owned(), what: what(), to: to() };
        let reveal = RevealRule {
            origin: format!("--over {}", flags.over),
            what: what(),
            to: to(),
            over: flags.over,
            functions: true,
        };
        let rules = Rules {
            source: String::new(),
            reveals: vec![reveal],
            releases: if flags.release { vec![release] } else { vec![] },
            protocols: None,
            insecure: flags.insecure,
            only_signed: false,
        };
        Self { rules: Some(Arc::new(rules)), signed: None }
    }
}

impl Consent {
    /// Consent to everything that a program's policy says: for players of one process.
    pub const ALL: Self = Self { rules: None, signed: None };

    /// The consent that a policy file gives.
    ///
    /// # Errors
    /// [`PolicyError`], which names the line and what to do.
    pub fn load(policy: &Path) -> Result<Self, PolicyError> {
        let rules = policy::load(policy)?;
        Ok(Self { rules: Some(Arc::new(rules)), signed: None })
    }

    /// This consent, and that to plans which the player has signed.
    #[must_use]
    pub fn with_signed(self, signed: SignedPlans) -> Self {
        Self { signed: Some(signed), ..self }
    }

    /// Whether `player`, with this consent, takes part in a plan: the verified graph `recorded` of
    /// this digest.
    ///
    /// # Errors
    /// A sentence that names the rule that is against it and what the plan does.
    pub fn check(
        &self,
        player: &PlayerName,
        recorded: &Graph,
        digest: &Digest,
    ) -> Result<(), String> {
        let Some(rules) = &self.rules else { return Ok(()) };
        if let Some(signed) = &self.signed
            && signed.contains(digest).map_err(|error| format!("refuses the plan: {error}"))?
        {
            return Ok(());
        }
        let judged = Judge { rules, player, graph: recorded }.judge();
        judged.map_err(|reason| format!("refuses the plan {}: {reason}", recorded.name()))
    }
}

/// One plan before the rules of one player.
struct Judge<'a> {
    rules: &'a Rules,
    player: &'a PlayerName,
    graph: &'a Graph,
}

impl Judge<'_> {
    fn judge(&self) -> Result<(), String> {
        let (rules, player) = (self.rules, self.player);
        if rules.only_signed {
            return Err(format!(
                "{} says signed = \"required\", and {player} has not signed it. An operator who \
                 has reviewed it does so with `sordino sign FILE --player {player}`",
                rules.source
            ));
        }
        self.judge_protocol()?;
        let exits = exits(self.graph).map_err(|error| error.to_string())?;
        for exit in &exits {
            if let Some(mixed) = &exit.mixed {
                self.judge_reveal(exit, mixed)?;
            }
            if exit.owners.contains(player) && self.is_open(exit) {
                self.judge_release(exit)?;
            }
        }
        // Whoever may release hides nothing and is hidden by nobody, be anything handed out or not.
        if rules.releases.is_empty() && self.releases() {
            let advice = self.advice("--release", "a [[release]] rule lets it");
            return Err(format!("it may hand out data of {player} in plaintext. {advice}"));
        }
        Ok(())
    }

    fn judge_protocol(&self) -> Result<(), String> {
        let Some(secure) = &self.graph.setup().secure else { return Ok(()) };
        let name = &secure.protocol;
        let insecure = protocol::protocol(name).is_ok_and(|protocol| protocol.insecure);
        if insecure && !self.rules.insecure {
            let advice = self.advice("--insecure", "insecure = true lets it run");
            return Err(format!("its protocol {name} protects nothing. {advice}"));
        }
        match &self.rules.protocols {
            Some(allowed) if !allowed.iter().any(|allowed| **allowed == **name) => Err(format!(
                "its protocol is {name}, and {} allows {}",
                self.rules.source,
                if allowed.is_empty() { "none".to_owned() } else { allowed.join(", ") }
            )),
            _ => Ok(()),
        }
    }

    fn judge_reveal(&self, exit: &Exit, mixed: &Mixed) -> Result<(), String> {
        let to = receiver(exit);
        let rules = self.rules.reveals.iter();
        let about =
            rules.filter(|rule| rule.what.matches(&exit.name) && rule.to.matches(to.as_str()));
        let about: Vec<_> = about.collect();
        let allows = |rule: &&RevealRule| mixed.over >= rule.over && (mixed.sum || rule.functions);
        if about.iter().copied().any(|rule| allows(&rule)) {
            return Ok(());
        }
        let reveal = self.place(exit);
        // Of several rules, the one that asks for least: the plan is nearest to it.
        let Some(rule) = about.iter().min_by_key(|rule| rule.over) else {
            return Err(format!(
                "no rule of {} lets it reveal {reveal} to {to}, which mixes the data of {} \
                 player(s). A [[reveal]] rule with to = \"{to}\" and over would",
                self.rules.source, mixed.over
            ));
        };
        let over = mixed.over;
        if self.rules.source.is_empty() {
            return Err(format!(
                "{reveal} shows {to} what mixes the data of only {over} player(s). An operator who \
                 wants that starts the player with --over {over}"
            ));
        }
        let rule = format!(
            "{}: reveal {} to {} only as a {} over at least {} player(s)",
            rule.origin,
            rule.what,
            rule.to,
            if rule.functions { "function" } else { "sum" },
            rule.over
        );
        let kind = if mixed.sum { "a sum" } else { "no sum, but another function" };
        Err(format!("{rule}; {reveal} of this plan shows {to} {kind} over {over}"))
    }

    fn judge_release(&self, exit: &Exit) -> Result<(), String> {
        let (to, place, player) = (receiver(exit), self.place(exit), self.player);
        let allows =
            |rule: &ReleaseRule| rule.what.matches(&exit.name) && rule.to.matches(to.as_str());
        if self.rules.releases.iter().any(allows) {
            return Ok(());
        }
        if self.rules.source.is_empty() {
            return Err(format!(
                "{place} hands data of {player} in plaintext to {to}. An operator who wants that \
                 starts the player with --release"
            ));
        }
        let origins = self.rules.releases.iter().map(|rule| rule.origin.as_str());
        let origins: Vec<_> = origins.take(3).collect();
        let rules = match origins[..] {
            [] => format!("{} has no [[release]] rule", self.rules.source),
            _ => format!("{} let it go elsewhere", origins.join(", ")),
        };
        Err(format!("{place} hands data of {player} in plaintext to {to}, and {rules}"))
    }

    /// Whether an exit shows its owners' data as they are; a reveal does of those who release.
    fn is_open(&self, exit: &Exit) -> bool {
        exit.role != Role::Reveal || self.releases()
    }

    /// Whether the program says that the player releases.
    fn releases(&self) -> bool {
        self.graph.setup().policy.releases.contains(self.player)
    }

    /// A node, as `sordino review` shows it.
    fn place(&self, exit: &Exit) -> String {
        let source = self.graph.node(exit.node).source.as_ref();
        let source = source.map(|line| format!(", {line}")).unwrap_or_default();
        format!("{} ({}{source})", exit.name, exit.node)
    }

    /// How the operator would allow it.
    fn advice(&self, flag: &str, rule: &str) -> String {
        if self.rules.source.is_empty() {
            format!("An operator who wants that starts the player with {flag}")
        } else {
            format!("In {} {rule}", self.rules.source)
        }
    }
}

/// Who learns what leaves by an exit.
fn receiver(exit: &Exit) -> PlayerName {
    exit.to.clone().unwrap_or_else(driver_name)
}

#[cfg(test)]
mod tests;
