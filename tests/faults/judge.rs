//! Whether a disturbed run went as it must.

use std::fmt;
use std::time::{Duration, Instant};

use crate::fault::Event;
use crate::stage::{DEADLINE, Outcome, Stage};

/// How a run went that went as it must.
pub struct Verdict {
    /// Of the disturbed run.
    pub outcome: Outcome,
    pub seconds: f64,
    /// Seconds of the run that went on with it, if it had to.
    pub resumed: Option<f64>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Outcome::Trained(_) => f.write_str("went on to the end")?,
            Outcome::Failed(error) => f.write_str(error)?,
            Outcome::Killed => f.write_str("the driver was killed")?,
        }
        write!(f, ", after {:.1} s", self.seconds)?;
        self.resumed.map_or(Ok(()), |seconds| write!(f, "; resumed to its end in {seconds:.1} s"))
    }
}

/// The weights of a run in which nothing goes wrong.
pub fn undisturbed(model: &'static str) -> String {
    let stage = Stage::new(model);
    match stage.drive(None).outcome() {
        Ok((Outcome::Trained(weights), _)) => weights,
        other => panic!("an undisturbed run: {other:?}"),
    }
}

/// Runs a training in which these events happen.
///
/// # Errors
/// What did not go as it must.
pub fn judge(model: &'static str, events: &[Event], weights: &str) -> Result<Verdict, String> {
    let mut stage = Stage::new(model);
    let (start, mut driver) = (Instant::now(), stage.drive(None));
    for event in events {
        if !event.strike(&mut stage, &mut driver, start) {
            return Err(format!(
                "the run was over before the fault struck: {:?}",
                driver.outcome()
            ));
        }
    }
    let (outcome, seconds) = driver.outcome()?;
    match &outcome {
        Outcome::Trained(found) if found != weights => {
            return Err("it ended with other weights".to_owned());
        }
        Outcome::Failed(error)
            if !crate::fault::PARTIES.iter().any(|name| error.contains(name)) =>
        {
            return Err(format!("the error names nobody: {error}"));
        }
        _ => {}
    }
    let session = driver.session();
    drop(driver);
    stage.heal();
    await_idle(&stage, start)?;
    if let Outcome::Trained(_) = outcome {
        return Ok(Verdict { outcome, seconds, resumed: None });
    }
    let (mut found, mut took) = stage.drive(session.as_deref()).outcome()?;
    if let Outcome::Failed(error) = &found
        && error.contains("there is no checkpoint of it that all players have")
    {
        // It is begun anew: nothing was done that could be lost.
        (found, took) = stage.drive(None).outcome()?;
    }
    match found {
        Outcome::Trained(found) if found == weights => {
            Ok(Verdict { outcome, seconds, resumed: Some(took) })
        }
        other => Err(format!("after {outcome:?} it cannot be resumed: {other:?}")),
    }
}

/// Waits until nobody is left in a session.
pub fn await_idle(stage: &Stage, start: Instant) -> Result<(), String> {
    while !stage.is_idle() {
        if start.elapsed() > DEADLINE {
            let logs = stage.players.iter().map(|p| format!("{}: {}", p.name, p.log()));
            return Err(format!("a session has no end: {}", logs.collect::<String>()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
