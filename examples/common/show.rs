//! What the terminal shows while the program runs: results on standard output, progress and
//! warnings on standard error.

use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use sordino::prelude::*;
use sordino::visualize::player_colour;

use super::kept::warn;
use super::options::{Common, Place};
use super::report::Epoch;
use super::rounds;

/// What a program says before it starts.
pub struct Intro<'a> {
    /// What it does: a model on a data set.
    pub title: String,
    /// What each player does, in the order of the setup.
    pub roles: Vec<(&'a PlayerName, String)>,
    /// What is secret.
    pub secrets: &'a str,
    /// Who learns what.
    pub learns: &'a str,
    /// What a server reads that protects nothing.
    pub exposed: &'a str,
}

/// Shows the players with their roles, and what protects whom.
pub fn intro(out: &mut impl Write, intro: &Intro<'_>, options: &Common) -> io::Result<()> {
    let place = match &options.config {
        Place::Local => "in this process".to_owned(),
        Place::Remote(config) => format!("over QUIC, listed in {}", config.display()),
    };
    writeln!(out, "{}, players {place}:", intro.title)?;
    let colours = io::stdout().is_terminal() && colours_wanted();
    let width = intro.roles.iter().map(|(name, _)| name.as_str().len()).max().unwrap_or(0);
    for (i, (name, role)) in intro.roles.iter().enumerate() {
        let swatch = if colours { swatch(&player_colour(i)) } else { String::new() };
        writeln!(out, "  {swatch}{name:width$}  {role}")?;
    }
    let (protocol, fixed) = (options.protocol, options.precision);
    writeln!(
        out,
        "{} secret-shared by {}: {}; {} precision, {} bits with {} after the point.\n{}\n",
        intro.secrets,
        protocol.name,
        protocol.security,
        options.precision(),
        fixed.width().bits(),
        fixed.fraction(),
        intro.learns
    )?;
    out.flush()?;
    if protocol.name == "Plain" {
        let exposed = intro.exposed;
        eprintln!(
            "warning: Plain protects nothing: server0 reads {exposed}. Use --protocol ABY3.\n"
        );
    }
    Ok(())
}

/// Two cells in a colour `#rrggbb`.
fn swatch(colour: &str) -> String {
    let part = |i: usize| colour.get(i..i + 2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
    match (part(1), part(3), part(5)) {
        (Some(r), Some(g), Some(b)) => format!("\x1b[48;2;{r};{g};{b}m  \x1b[0m "),
        _ => String::new(),
    }
}

/// As <https://no-color.org> has it.
fn colours_wanted() -> bool {
    let set = |name: &str| std::env::var_os(name).unwrap_or_default();
    set("NO_COLOR").is_empty() && set("TERM") != "dumb"
}

/// Says what goes wrong, who waits, who is left out and who is back.
pub fn tell(event: Event<'_>) {
    if let Some(line) = rounds::line(&event) {
        eprintln!("{line}");
    }
    warn(event);
}

/// Steps on the way: nothing where standard error is no terminal.
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar at 0 of `steps`.
    pub fn start(what: &str, steps: u64) -> Self {
        let shown = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            // A line on a terminal that is gone is no loss.
            let _ = write!(out, "{}", rate(state.per_sec()));
        };
        let template = "{prefix} [{bar:20}] {pos}/{len} steps · {rate} · {eta} left";
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .with_key("rate", shown)
            .progress_chars("=> ");
        let bar = ProgressBar::new(steps).with_style(style);
        bar.set_prefix(what.to_owned());
        Self(bar)
    }

    /// `before` steps of the epoch were done before the run that tells of `event`.
    pub fn see(&self, before: u64, event: Event<'_>) {
        match event {
            Event::Progress { done } => self.0.set_position(before + done),
            event => self.0.suspend(|| tell(event)),
        }
    }

    /// Says what is being done instead of training, until the bar ends.
    pub fn testing(&self) {
        self.0.set_style(
            ProgressStyle::with_template("{prefix} testing")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        self.0.tick();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// The outcome of an epoch.
pub fn epoch(out: &mut impl Write, epoch: &Epoch, epochs: u32) -> io::Result<()> {
    let Epoch { epoch: number, steps, seconds, loss, accuracy } = epoch;
    let percent = accuracy * 100.0;
    write!(out, "epoch {number}/{epochs}: loss {loss:.4}, accuracy {percent:.2} % · ")?;
    match steps {
        0 => writeln!(out, "trained before")?,
        _ => writeln!(out, "{steps} steps in {seconds:.2} s, {}", rate(*steps as f64 / seconds))?,
    }
    out.flush()
}

fn rate(steps: f64) -> String {
    // Large models take a second a step.
    let decimals = usize::from(steps < 10.0);
    format!("{steps:.decimals$} steps/s")
}

/// An error with its causes, but for those whose text it holds already.
pub fn causes(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
