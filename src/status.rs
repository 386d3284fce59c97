//! `sordino status`: what a running player does, for its operator.

use sordino::runtime::Status;
use sordino::runtime::status::{Expiry, PeerStatus, SessionState, SessionStatus};

/// A status for people.
pub fn show(status: &Status) -> String {
    let Status { player, version, process, address, seconds, peak_memory, .. } = status;
    let mut lines = vec![
        format!(
            "{player} listens at {address}, process {process}, Sordino {version}, up {}{}",
            duration(*seconds),
            if status.stopping { ", stopping" } else { "" }
        ),
        format!("certificate {}: {}", status.certificate.fingerprint, end(&status.certificate)),
        format!("memory at most {} so far", bytes(*peak_memory)),
        String::new(),
    ];
    if status.sessions.is_empty() {
        lines.push("no session".to_owned());
    } else {
        let head = ["session", "driver", "open for", "state", "plan", "steps", "checkpoint"];
        lines.extend(columns(head, status.sessions.iter().flat_map(session)));
        lines.extend(status.sessions.iter().filter_map(wait));
    }
    lines.push(String::new());
    let head = ["peer", "connected", "there and back", "sent", "received", "certificate"];
    lines.extend(columns(head, status.peers.iter().map(peer)));
    lines.join("\n")
}

/// A row for each plan, and one for a session that has none.
fn session(status: &SessionStatus) -> Vec<[String; 7]> {
    let state = match status.state {
        SessionState::Preparing => "preparing",
        SessionState::Running => "running",
        SessionState::Idle => "idle",
    };
    let checkpoint = status.checkpoint.map_or_else(|| "none".to_owned(), |n| n.to_string());
    let row = |plan: &str, steps: String| {
        let SessionStatus { session, driver, seconds, .. } = status;
        let (state, plan, open) = (state.to_owned(), plan.to_owned(), duration(*seconds));
        [session.clone(), driver.clone(), open, state, plan, steps, checkpoint.clone()]
    };
    let plans = status.plans.iter().map(|plan| {
        let steps = match plan.left {
            0 => plan.done.to_string(),
            left => format!("{} of {}", plan.done, plan.done.saturating_add(left)),
        };
        row(&plan.function, steps)
    });
    let plans: Vec<_> = plans.collect();
    if plans.is_empty() { vec![row("none", String::new())] } else { plans }
}

fn wait(status: &SessionStatus) -> Option<String> {
    let wait = status.wait.as_ref()?;
    let (session, seconds) = (&status.session, wait.seconds);
    Some(format!("{session} waits {seconds:.1} s for {} at {}", wait.player, wait.node))
}

fn peer(status: &PeerStatus) -> [String; 6] {
    let connected = status.connected.clone().unwrap_or_else(|| "no".to_owned());
    let round_trip = status.round_trip.map(|time| format!("{time:.1} ms")).unwrap_or_default();
    let (sent, received) = (bytes(status.bytes_sent), bytes(status.bytes_received));
    [status.player.clone(), connected, round_trip, sent, received, end(&status.certificate)]
}

fn end(certificate: &Expiry) -> String {
    match (&certificate.valid_until, certificate.days_left) {
        (Some(until), Some(..0)) => format!("EXPIRED at {until}"),
        (Some(until), Some(days)) => format!("valid until {until}, {days} days"),
        _ => "its file is gone or replaced".to_owned(),
    }
}

fn bytes(count: u64) -> String {
    match count {
        0..10_000 => format!("{count} B"),
        10_000..10_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        10_000_000..10_000_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{:.1} GB", count as f64 / 1e9),
    }
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Lines of a table whose columns are as wide as they must be.
fn columns<const N: usize>(
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Vec<String> {
    let rows: Vec<_> = [head.map(str::to_owned)].into_iter().chain(rows).collect();
    let width = |i: usize| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}  "));
        cells.collect::<String>().trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use sordino::runtime::status::{PlanStatus, WaitStatus};

    use super::*;

    fn certificate(days: Option<i64>) -> Expiry {
        let until = days.map(|_| "2027-11-22T15:42:00Z".to_owned());
        Expiry { fingerprint: "sha256:ab".into(), valid_until: until, days_left: days }
    }

    #[test]
    fn a_status_is_readable() {
        let plan = |function: &str, done, left| PlanStatus {
            function: function.into(),
            digest: "cd".into(),
            done,
            left,
        };
        let wait = WaitStatus { player: "bob".into(), node: "mean/share".into(), seconds: 3.25 };
        let peer = |name: &str, connected: Option<&str>, days| PeerStatus {
            player: name.into(),
            connected: connected.map(str::to_owned),
            round_trip: connected.map(|_| 0.25),
            bytes_sent: 1_234_567,
            bytes_received: 12,
            certificate: certificate(days),
        };
        let status = Status {
            player: "ann".into(),
            version: "1.2".into(),
            process: 7,
            address: "127.0.0.1:1".into(),
            seconds: 7260,
            stopping: true,
            peak_memory: 45_000_000,
            certificate: certificate(Some(364)),
            sessions: vec![SessionStatus {
                session: "0f".into(),
                driver: "driver".into(),
                seconds: 130,
                state: SessionState::Running,
                plans: vec![plan("initialize", 1, 0), plan("train", 20, 80)],
                wait: Some(wait),
                checkpoint: Some(2),
            }],
            peers: vec![peer("bob", Some("127.0.0.1:2"), Some(-1)), peer("driver", None, None)],
        };
        let expected = "\
ann listens at 127.0.0.1:1, process 7, Sordino 1.2, up 2 h 1 min, stopping
certificate sha256:ab: valid until 2027-11-22T15:42:00Z, 364 days
memory at most 45.0 MB so far

session  driver  open for  state    plan        steps      checkpoint
0f       driver  2 min     running  initialize  1          2
0f       driver  2 min     running  train       20 of 100  2
0f waits 3.2 s for bob at mean/share

peer    connected    there and back  sent       received  certificate
bob     127.0.0.1:2  0.2 ms          1234.6 kB  12 B      EXPIRED at 2027-11-22T15:42:00Z
driver  no                           1234.6 kB  12 B      its file is gone or replaced";
        assert_eq!(show(&status), expected);
    }

    #[test]
    fn who_is_in_no_session_says_so() {
        let status = Status {
            player: "ann".into(),
            version: "1.2".into(),
            process: 7,
            address: "127.0.0.1:1".into(),
            seconds: 5,
            stopping: false,
            peak_memory: 0,
            certificate: certificate(Some(0)),
            sessions: Vec::new(),
            peers: Vec::new(),
        };
        assert!(show(&status).contains("up 5 s\n"), "{}", show(&status));
        assert!(show(&status).contains("\nno session\n"), "{}", show(&status));
    }
}
