//! The run report for people.

use serde::Serialize;

use super::report::RunReport;
use super::rounds;

/// The report as aligned tables.
pub fn of<P: Serialize>(report: &RunReport<P>) -> String {
    let took = &report.participation;
    let took = if took.is_empty() { String::new() } else { format!("\n{}", rounds::table(took)) };
    format!("{}\n{}\n{}{took}", totals(report), players(report), links(report))
}

fn totals<P: Serialize>(report: &RunReport<P>) -> String {
    let ms = report.ms_per_step;
    let bytes = match report.wire_bytes_per_step {
        Some(wire) => format!(
            "{:.2} MB on the wire, {:.2} MB of them values",
            wire / 1e6,
            report.value_bytes_per_step / 1e6
        ),
        None => format!(
            "{:.2} MB of values handed over in memory; no wire",
            report.value_bytes_per_step / 1e6
        ),
    };
    let processes = if report.local() { "this process" } else { "players and driver together" };
    let memory = report.peak_memory_mib.map_or("unknown".to_owned(), |mib| format!("{mib:.0} MiB"));
    let machine = &report.machine;
    let rows = [
        ["a step", &format!("{ms:.2} ms, {:.0} a second; {bytes}", 1e3 / ms)],
        ["first step", &format!("done {:.2} s after the start", report.first_step_seconds)],
        ["graph", &format!("{:.1} ms to record, verify, lower and split", report.preparation_ms)],
        ["peak memory", &format!("{memory}, {processes}")],
        [
            "machine",
            &format!("{} cores, {}", machine.cores, machine.cpu.as_deref().unwrap_or("unknown")),
        ],
    ];
    let steps = report.measured_steps;
    let rows = rows.map(|[what, value]| format!("  {what:<12}{value}\n")).concat();
    format!("Run report, of {steps} steps, all but the first:\n{rows}")
}

fn players<P: Serialize>(report: &RunReport<P>) -> String {
    let head = ["ms a step", "computing", "waiting", "sending", "peak MiB"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(report.players.iter().map(|player| {
        vec![
            player.player.clone(),
            format!("{:.2}", player.computing_ms_per_step),
            format!("{:.2}", player.waiting_ms_per_step),
            format!("{:.2}", player.sending_ms_per_step),
            format!("{:.0}", player.peak_memory_mib),
        ]
    }));
    let shared = "  Computing and sending are added over threads.";
    let memory = if report.local() { " Players in one process share its memory." } else { "" };
    format!("{}{shared}{memory}\n", aligned(&rows))
}

fn links<P: Serialize>(report: &RunReport<P>) -> String {
    let wire = report.wire_bytes_per_step.is_some();
    let mut head = vec!["a step".to_owned(), "messages".to_owned(), "value bytes".to_owned()];
    head.extend(wire.then(|| "wire bytes".to_owned()));
    let mut rows = vec![head];
    rows.extend(report.links.iter().map(|link| {
        let mut row = vec![
            format!("{} → {}", link.from, link.to),
            format!("{:.1}", link.messages_per_step).trim_end_matches(".0").to_owned(),
            grouped(link.value_bytes_per_step),
        ];
        row.extend(wire.then(|| grouped(link.wire_bytes_per_step.unwrap_or(0.0))));
        row
    }));
    aligned(&rows)
}

/// Columns two spaces apart, the first to the left, the others to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cell = |(i, text): (usize, &String)| match i {
            0 => format!("  {text:<0$}", widths[0]),
            _ => format!("  {text:>0$}", widths[i]),
        };
        row.iter().enumerate().map(cell).collect::<String>() + "\n"
    };
    rows.iter().map(line).collect()
}

/// `1234567.4` as `1,234,567`.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
