//! How a player's log is written.

use clap::ValueEnum;
use serde::Serialize;
use sordino::PlayerName;
use sordino::players::certificate::Moment;
use sordino::runtime::{Level, Note};

/// A form of log.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum Format {
    #[default]
    Text,
    Json,
}

/// A line of JSON: when, how bad, with whom, what, and the same as a sentence.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    level: Level,
    player: &'a str,
    #[serde(flatten)]
    note: &'a Note<'a>,
    message: String,
}

impl Format {
    /// Writes what happens to `player`, on standard error.
    pub fn of(self, player: PlayerName) -> impl Fn(&Note<'_>) + Send + Sync + Clone + 'static {
        move |note| eprintln!("{}", self.line(Moment::now(), &player, note))
    }

    fn line(self, now: Moment, player: &PlayerName, note: &Note<'_>) -> String {
        match self {
            Self::Text => format!("{now} {note}"),
            Self::Json => {
                let (time, level, message) = (now.rfc3339(), note.level(), note.to_string());
                let line = Line { time, level, player: player.as_str(), note, message };
                serde_json::to_string(&line).expect("fields and texts are JSON")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sordino::runtime::SessionId;

    use super::*;

    #[test]
    fn a_line_of_json_has_the_fields_of_what_happened() {
        let me: PlayerName = "server0".parse().unwrap();
        let session = SessionId([0xab; 16]);
        let reason = "said \"\u{1b}[2J\"\nand more";
        let note = Note::SessionFailed { session, at_fault: "ann", reason };
        assert_eq!(
            Format::Text.line(Moment(0), &me, &note),
            format!("1970-01-01 00:00:00 UTC session {session} failed: ann: {reason}")
        );
        let line = Format::Json.line(Moment(0), &me, &note);
        assert!(!line.contains('\n') && !line.contains('\u{1b}'), "{line}");
        let found: serde_json::Value = serde_json::from_str(&line).unwrap();
        let expected = serde_json::json!({
            "time": "1970-01-01T00:00:00Z",
            "level": "error",
            "player": "server0",
            "event": "session_failed",
            "session": "ab".repeat(16),
            "at_fault": "ann",
            "reason": reason,
            "message": note.to_string(),
        });
        assert_eq!(found, expected);
    }
}
