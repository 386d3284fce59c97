//! What goes wrong, with whom, and when.

use std::fmt;
use std::time::{Duration, Instant};

use crate::relay::{Weather, next};
use crate::stage::{DEADLINE, DRIVER, Driver, Stage};

/// See the [module](self).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// The process is killed.
    Kill,
    /// The process is stopped and does nothing more, until it is woken.
    Stop,
    /// Nothing gets to or from it any more.
    Cut,
    /// Nothing gets to or from it for so long.
    Gap(Duration),
    /// From now on its packets meet such weather.
    Weather(&'static str, Weather),
    /// All packets do.
    Everywhere(&'static str, Weather),
}

/// When a fault strikes.
#[derive(Debug, Clone, Copy)]
pub enum When {
    /// So long after the driver was started.
    After(Duration),
    /// When so many bytes have gone from one party to another.
    Passed(&'static str, &'static str, u64),
}

/// A fault of one party.
#[derive(Debug, Clone)]
pub struct Event {
    pub fault: Fault,
    pub party: &'static str,
    pub when: When,
}

/// Of each kind of weather that a training survives.
pub const WEATHERS: [(&str, Weather); 4] = {
    let fair = Weather { delay: Duration::ZERO, jitter: Duration::ZERO, loss: 0.0, rate: 0.0 };
    [
        ("5 % of its packets are lost", Weather { loss: 0.05, ..fair }),
        ("its packets take 30 ms", Weather { delay: Duration::from_millis(30), ..fair }),
        ("its packets overtake each other", Weather { jitter: Duration::from_millis(10), ..fair }),
        ("its links carry 1 MB a second", Weather { rate: 1e6, ..fair }),
    ]
};

pub const PARTIES: [&str; 8] = [
    "model-owner",
    "train-data-owner-0",
    "train-data-owner-1",
    "train-data-owner-2",
    "server0",
    "server1",
    "server2",
    DRIVER,
];

/// The events of a seed: one to three.
pub fn schedule(seed: u64) -> Vec<Event> {
    let mut state = seed;
    let mut pick = |of: u64| {
        state = next(state);
        state % of
    };
    let count = 1 + pick(3);
    let event = |_| {
        let fault = match pick(9) {
            0 => Fault::Kill,
            1 => Fault::Stop,
            2 => Fault::Cut,
            3 | 4 => Fault::Gap(Duration::from_millis(100 + pick(2000))),
            other => {
                let (name, weather) = WEATHERS[(other - 5) as usize];
                Fault::Weather(name, weather)
            }
        };
        let party = PARTIES[pick(PARTIES.len() as u64) as usize];
        (pick(900), fault, party)
    };
    let mut events: Vec<_> = (0..count).map(event).collect();
    events.sort_by_key(|(at, ..)| *at);
    let event =
        |(at, fault, party)| Event { fault, party, when: When::After(Duration::from_millis(at)) };
    events.into_iter().map(event).collect()
}

impl Event {
    /// Waits until it is time, and strikes. False if the run is over before.
    pub fn strike(&self, stage: &mut Stage, driver: &mut Driver, start: Instant) -> bool {
        match self.when {
            When::After(delay) => std::thread::sleep(delay.saturating_sub(start.elapsed())),
            When::Passed(from, to, bytes) => {
                let way = stage.relay.way(from, to).clone();
                let moment = || Instant::now() + Duration::from_millis(200);
                while !stage.relay.hold_after(&way, bytes, moment()) {
                    if driver.is_done() || start.elapsed() > DEADLINE {
                        return false;
                    }
                }
            }
        }
        match self.fault {
            Fault::Kill if self.party == DRIVER => driver.kill(),
            Fault::Kill => stage.player(self.party).kill(),
            Fault::Stop if self.party == DRIVER => {
                driver.signal("-STOP");
                stage.relay.release();
                // Longer than players wait for a sign of life. Woken, it finds them gone.
                std::thread::sleep(Duration::from_secs(6));
                driver.signal("-CONT");
            }
            Fault::Stop => stage.player(self.party).signal("-STOP"),
            Fault::Cut | Fault::Gap(_) => stage.relay.set(Some(self.party), Weather::CUT),
            Fault::Weather(_, weather) => stage.relay.set(Some(self.party), weather),
            Fault::Everywhere(_, weather) => stage.relay.set(None, weather),
        }
        stage.relay.release();
        if let Fault::Gap(duration) = self.fault {
            std::thread::sleep(duration);
            stage.relay.set(Some(self.party), Weather::default());
        }
        true
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill => f.write_str("killed"),
            Self::Stop => f.write_str("stopped (SIGSTOP)"),
            Self::Cut => f.write_str("cut off"),
            Self::Gap(duration) => write!(f, "cut off for {:.1} s", duration.as_secs_f64()),
            Self::Weather(name, _) | Self::Everywhere(name, _) => f.write_str(name),
        }
    }
}
