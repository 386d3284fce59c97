//! Schedules of data owners who come and go by chance, and whether a run went as it must in which
//! they did.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::count::{MEAN, PROGRESS, TOOK};
use crate::driver::{CHECKPOINT, DONE, LEFT, SHORT};
use crate::fault::{Event, Fault, PARTIES, WEATHERS, When};
use crate::judge::await_idle;
use crate::relay::next;
use crate::stage::{DEADLINE, DRIVER, Driver, Outcome, Stage};

const OWNERS: [&str; 3] = ["train-data-owner-0", "train-data-owner-1", "train-data-owner-2"];

/// What happens to whom while steps are done by those who are there.
#[derive(Debug)]
pub struct Attendance {
    /// With fewer, no step may be done.
    pub min_owners: usize,
    pub absences: Vec<Absence>,
}

/// A fault of a party, and after how long it is as before; `None` if not until all are.
#[derive(Debug, Clone)]
pub struct Absence {
    pub event: Event,
    at: Duration,
    lasts: Option<Duration>,
}

impl Absence {
    /// Whether the party is not there, rather than slow.
    fn is_away(&self) -> bool {
        matches!(self.event.fault, Fault::Kill | Fault::Stop | Fault::Cut)
    }

    fn is_owner(&self) -> bool {
        OWNERS.contains(&self.event.party)
    }
}

/// The schedule of a seed: one to five faults, most of them of data owners, who may leave more than
/// once.
pub fn attendance(seed: u64) -> Attendance {
    let mut state = seed;
    let mut pick = |of: u64| {
        state = next(state);
        state % of
    };
    let min_owners = 2 + pick(2) as usize;
    let mut absences: Vec<Absence> = Vec::new();
    for _ in 0..1 + pick(5) {
        let fault = match pick(7) {
            0 | 1 => Fault::Kill,
            2 | 3 => Fault::Stop,
            4 | 5 => Fault::Cut,
            _ => {
                let (name, weather) = WEATHERS[pick(WEATHERS.len() as u64) as usize];
                Fault::Weather(name, weather)
            }
        };
        let owner = OWNERS[pick(3) as usize];
        let anyone = PARTIES[pick(PARTIES.len() as u64) as usize];
        let party = if pick(16) == 0 { anyone } else { owner };
        let at = Duration::from_millis(pick(4000));
        // Shorter and longer than an owner is waited for.
        let lasts = (pick(4) > 0).then(|| Duration::from_millis(200 + pick(6000)));
        let lasts = lasts.filter(|_| OWNERS.contains(&party));
        let apart = |other: &Absence| {
            let ends = |absence: &Absence| absence.lasts.map(|lasts| absence.at + lasts);
            let new = lasts.map(|lasts| at + lasts);
            other.event.party != party
                || ends(other).is_some_and(|end| end < at)
                || new.is_some_and(|end| end < other.at)
        };
        if absences.iter().all(apart) {
            let event = Event { fault, party, when: When::After(at) };
            absences.push(Absence { event, at, lasts });
        }
    }
    Attendance { min_owners, absences }
}

/// What is done, one after the other.
enum Deed {
    Strike(Event),
    Restore(&'static str),
}

impl Attendance {
    fn deeds(&self) -> Vec<(Duration, Deed)> {
        let mut deeds = Vec::new();
        for Absence { event, at, lasts } in &self.absences {
            deeds.push((*at, Deed::Strike(event.clone())));
            deeds.extend(lasts.map(|lasts| (*at + lasts, Deed::Restore(event.party))));
        }
        deeds.sort_by_key(|(at, _)| *at);
        deeds
    }

    /// Owners who are away in the end.
    fn missing(&self) -> Vec<&'static str> {
        let stays =
            |absence: &&Absence| absence.is_owner() && absence.is_away() && absence.lasts.is_none();
        self.absences.iter().filter(stays).map(|absence| absence.event.party).collect()
    }

    /// Others than owners who are away: without them no run goes on.
    fn needed(&self) -> Vec<&'static str> {
        let needed = |absence: &&Absence| !absence.is_owner() && absence.is_away();
        self.absences.iter().filter(needed).map(|absence| absence.event.party).collect()
    }

    /// Runs rounds in which this happens. Says how they went.
    ///
    /// # Errors
    /// What did not go as it must.
    pub fn judge(&self, model: &'static str) -> Result<String, String> {
        let mut stage = Stage::new(model);
        let (start, mut driver) = (Instant::now(), stage.drive_counting(self.min_owners, None));
        for (at, deed) in self.deeds() {
            std::thread::sleep(at.saturating_sub(start.elapsed()));
            match deed {
                _ if driver.is_done() => break,
                Deed::Strike(event) => {
                    event.strike(&mut stage, &mut driver, start);
                }
                Deed::Restore(party) => stage.restore(party),
            }
        }
        let needed = self.needed();
        if needed.is_empty() {
            self.await_short(&mut driver)?;
            stage.heal();
            stage.say_enough();
        }
        let (outcome, seconds) = driver.outcome()?;
        let mut told = vec![format!("at least {}: {}", self.min_owners, driver.story())];
        match &outcome {
            Outcome::Trained(_) => told.push(format!("all back after {seconds:.1} s")),
            Outcome::Failed(error) if !self.explains(error) => {
                return Err(format!("it failed, and not for who is needed: {error}"));
            }
            Outcome::Failed(error) => told.push(error.clone()),
            Outcome::Killed if !needed.contains(&DRIVER) => {
                return Err("the driver's process died".to_owned());
            }
            Outcome::Killed => told.push("the driver was killed".to_owned()),
        }
        self.check_steps(&driver)?;
        let (session, before) = (driver.session(), driver.last(PROGRESS));
        drop(driver);
        stage.heal();
        await_idle(&stage, start)?;
        if let Some(player) = stage.players.iter_mut().find_map(|p| (!p.lives()).then_some(&p.name))
        {
            return Err(format!("{player} died"));
        }
        let Outcome::Trained(total) = outcome else {
            stage.say_enough();
            told.push(self.resume(&stage, session.as_deref(), before)?);
            return Ok(told.join("; "));
        };
        self.check_total(&total)?;
        Ok(told.join("; "))
    }

    /// If too few owners are left, waits until the run says for whom it waits.
    fn await_short(&self, driver: &mut Driver) -> Result<(), String> {
        let missing = self.missing();
        if OWNERS.len() - missing.len() >= self.min_owners {
            return Ok(());
        }
        let until = Instant::now() + DEADLINE / 2;
        let names = |line: &String| missing.iter().all(|name| line.contains(name));
        while !driver.all_said(SHORT).iter().any(names) && !driver.is_done() {
            if Instant::now() > until {
                return Err(format!("nobody is told that {missing:?} are missing"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Whether an error names a player that is needed and was away. To a driver that was away itself
    /// all others were.
    fn explains(&self, error: &str) -> bool {
        let needed = self.needed();
        match needed.contains(&DRIVER) {
            true => PARTIES.iter().any(|party| error.contains(party)),
            false => needed.iter().any(|party| error.contains(party)),
        }
    }

    /// In every step there were enough owners, each once, and the sum was divided by how many they
    /// were, which are those that the run reports.
    fn check_steps(&self, driver: &Driver) -> Result<(), String> {
        let spans: Vec<(u64, u64, BTreeSet<String>)> = driver
            .all_said(TOOK)
            .iter()
            .map(|line| {
                let mut words = line.split(' ');
                let mut number = || words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
                let (first, end) = (number(), number());
                (first, end, words.map(str::to_owned).collect())
            })
            .collect();
        for line in driver.all_said(MEAN) {
            let (number, parts) = read(&line)?;
            let here = OWNERS.iter().zip(&parts).filter(|(_, part)| **part > 0.0);
            let here: BTreeSet<String> = here.map(|(name, _)| (*name).to_owned()).collect();
            let count = here.len();
            let even = |part: &&f64| (**part - 1.0 / count as f64).abs() < 1e-3;
            let even = parts.iter().filter(|part| **part != 0.0).all(|part| even(&part));
            if count < self.min_owners || !even {
                return Err(format!("step {number} has the mean {parts:?}"));
            }
            let span = spans.iter().find(|(first, end, _)| (*first..*end).contains(&number));
            if let Some((.., names)) = span.filter(|(.., names)| *names != here) {
                return Err(format!("step {number} was of {here:?}, and reported as of {names:?}"));
            }
        }
        Ok(())
    }

    /// The parts of the owners come to as many as there were steps, and none has more than its own.
    fn check_total(&self, total: &str) -> Result<(), String> {
        let (steps, parts) = read(total)?;
        let steps = steps as f64;
        let most = steps / self.min_owners as f64;
        // Less than what any wrong divisor would make of a single step.
        let whole = (parts.iter().sum::<f64>() - steps).abs() < 0.2;
        match whole && parts.iter().all(|part| (0.0..most + 0.2).contains(part)) {
            true => Ok(()),
            false => Err(format!("{steps} steps have left {parts:?}")),
        }
    }

    /// Goes on with a run that has ended, of which so many steps were done.
    fn resume(
        &self,
        stage: &Stage,
        session: Option<&str>,
        before: Option<String>,
    ) -> Result<String, String> {
        let before: u64 = before.and_then(|done| done.parse().ok()).unwrap_or(0);
        // What broke off before a checkpoint is begun anew.
        let session = session.filter(|_| before > CHECKPOINT);
        let mut driver = stage.drive_counting(self.min_owners, session);
        let (outcome, seconds) = driver.outcome()?;
        let Outcome::Trained(total) = outcome else {
            return Err(format!("it cannot be resumed: {outcome:?}"));
        };
        self.check_steps(&driver)?;
        self.check_total(&total)?;
        let done = driver.last(DONE).and_then(|done| done.parse().ok()).unwrap_or(0);
        if session.is_some() && done + CHECKPOINT < before {
            return Err(format!("of {before} steps, {done} were kept"));
        }
        Ok(format!("{before} steps were told, {done} kept; resumed to its end in {seconds:.1} s"))
    }
}

/// A number of steps, and the part of each owner.
fn read(line: &str) -> Result<(u64, Vec<f64>), String> {
    let mut words = line.split(' ');
    let steps = words.next().and_then(|word| word.parse().ok());
    let parts: Vec<f64> = words.filter_map(|word| word.parse().ok()).collect();
    match steps.filter(|_| parts.len() == OWNERS.len()) {
        Some(steps) => Ok((steps, parts)),
        None => Err(format!("the driver says {line:?}")),
    }
}

impl Driver {
    /// Who left, one after the other.
    fn story(&self) -> String {
        let left = self.all_said(LEFT);
        if left.is_empty() { "nobody was left out".to_owned() } else { left.join("; ") }
    }
}
