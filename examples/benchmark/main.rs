//! How long operations on secrets take: seconds, rounds and bytes of each, in a table. See
//! `README.md`.

mod cases;

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use cases::{Case, Input};
use clap::Parser;
use sordino::graph::{Element, Graph, Role, Shape, Type};
use sordino::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measure operations on secrets.
#[derive(Debug, Parser)]
#[command(name = "benchmark")]
struct Options {
    /// Operations, separated by commas; all of them unless given.
    #[arg(long, value_delimiter = ',')]
    ops: Vec<String>,
    /// Elements of operations that work element by element.
    #[arg(long, default_value_t = 1 << 16)]
    size: usize,
    /// How often each is measured; the table has the median.
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// How secrets are shared.
    #[arg(long, default_value = "ABY3")]
    protocol: String,
    /// The list of players, {"NAME": "HOST:PORT", …}, each of them up; or local for all of them in
    /// this process.
    #[arg(long, value_name = "FILE|local", default_value = "local")]
    config: String,
    /// Fixed-point numbers: low has 64 bits with 16 after the point, high 128 with 32.
    #[arg(long, default_value = "low", value_parser = ["l", "low", "h", "high"])]
    precision: String,
    /// Taken as every example takes it; nothing is read from it.
    #[arg(long, hide = true)]
    data: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("benchmark: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Shares random numbers and keeps them on the servers.
#[secure_function]
fn prepare(g: &Recording<'_>, case: &Case, owner: &PlayerName) {
    for (i, axes) in case.inputs.iter().enumerate() {
        let x = share(random_normal(g, owner, axes, i as u32));
        let x = if case.input == Input::Words { to_bits(x) } else { x };
        assign_secret(&format!("{}/{i}", case.name), x, std::slice::from_ref(owner));
    }
}

/// Computes on what the servers keep, and keeps the result there.
#[secure_function]
fn measured(g: &Recording<'_>, case: &Case, fixed: &Fixed, owner: &PlayerName) {
    let owners = std::slice::from_ref(owner);
    let read = |(i, axes): (usize, &Vec<usize>)| {
        let numbers = Type::secret(*fixed, Shape::new(axes).expect("shapes are small"));
        let words = numbers.with_element(Element::Bits(fixed.width().bits() as u8));
        let ty = if case.input == Input::Words { words } else { numbers };
        read_secret(g, &format!("{}/{i}", case.name), &ty, owners)
    };
    let inputs: Vec<_> = case.inputs.iter().enumerate().map(read).collect();
    assign_secret(&format!("{}/result", case.name), (case.compute)(&inputs), owners);
}

/// Weights of network_a.
const WEIGHTS: usize = 118_282;

/// Draws what an owner has to add up.
#[secure_function]
fn draw(g: &Recording<'_>, owners: &[PlayerName]) {
    for (owner, seed) in owners.iter().zip(0..) {
        assign("weights", random_normal(g, owner, &[WEIGHTS], seed));
    }
}

/// All owners share, and the receiver learns the sum.
#[secure_function]
fn aggregation(g: &Recording<'_>, owners: &[PlayerName], receiver: &PlayerName) {
    let ty = Type::plain(Element::F32, Shape::new(&[WEIGHTS]).expect("a vector"));
    let shares = owners.iter().map(|owner| share(read_variable(g, owner, "weights", &ty)));
    assign("sum", reveal(add_n(shares), receiver));
}

/// How long each case runs before it is measured: connections find out how large packets may be, and
/// how many may be on their way.
const WARM_UP: Duration = Duration::from_millis(500);

fn run(options: &Options) -> anyhow::Result<()> {
    let fixed = if options.precision.starts_with('h') { Fixed::HIGH } else { Fixed::LOW };
    let name = |text: &str| text.parse::<PlayerName>();
    let servers = [name("server0")?, name("server1")?, name("server2")?];
    let owners = [name("owner-0")?, name("owner-1")?, name("owner-2")?];
    let receiver = name("receiver")?;
    let with = |others: &[PlayerName]| {
        let players = [&servers[..], others].concat();
        Setup::new(players).secure(&options.protocol, servers.clone(), fixed)
    };
    let cases = cases::all(options.size);
    let names = || cases.iter().map(|case| case.name).chain([AGGREGATION]);
    if let Some(unknown) = options.ops.iter().find(|&op| !names().any(|name| name == op)) {
        let names: Vec<_> = names().collect();
        anyhow::bail!("there is no operation {unknown}; there are {}", names.join(", "));
    }
    let open = |setup: Setup| -> anyhow::Result<Session> {
        Ok(match options.config.as_str() {
            "local" => Session::local(setup, "data".as_ref(), None)?,
            config => Session::remote(setup, &PathBuf::from(config))?,
        })
    };
    let titles = ["operation", "size", "ms", "rounds", "bytes", "nodes"];
    row(titles.map(str::to_owned))?;
    let chosen = |name: &str| options.ops.is_empty() || options.ops.iter().any(|op| op == name);
    // Who has no part in what is measured is not asked to take part.
    let mut session = open(with(&owners[..1]))?;
    for case in cases.iter().filter(|case| chosen(case.name)) {
        session.run(&prepare(case, &owners[0]), 1)?;
        let function = measured(case, &fixed, &owners[0]);
        measure(&mut session, &function, [case.name, &case.size()], options.runs)?;
    }
    drop(session);
    if chosen(AGGREGATION) {
        let all = [&owners[..], std::slice::from_ref(&receiver)].concat();
        let mut session = open(with(&all).reveal(&receiver, owners.len()))?;
        session.run(&draw(&owners), 1)?;
        let function = aggregation(&owners, &receiver);
        let size = format!("{}x{WEIGHTS}", owners.len());
        measure(&mut session, &function, [AGGREGATION, &size], options.runs)?;
    }
    Ok(())
}

/// What the command line calls [`aggregation`].
const AGGREGATION: &str = "aggregation";

/// Runs a function `runs` times and writes what it takes.
fn measure(
    session: &mut Session,
    function: &Function<'_>,
    [name, size]: [&str; 2],
    runs: u32,
) -> anyhow::Result<()> {
    let plan = session.prepare(function).with_context(|| name.to_owned())?;
    let start = Instant::now();
    while start.elapsed() < WARM_UP {
        session.run(function, 1)?;
    }
    let mut seconds = Vec::new();
    for _ in 0..runs {
        seconds.push(session.run(function, 1)?.seconds);
    }
    seconds.sort_by(f64::total_cmp);
    let (rounds, bytes) = traffic(&plan.lowered);
    let ms = format!("{:.2}", seconds[seconds.len() / 2] * 1e3);
    let numbers = [rounds.to_string(), bytes.to_string(), plan.lowered.len().to_string()];
    let [rounds, bytes, nodes] = numbers;
    row([name.to_owned(), size.to_owned(), ms, rounds, bytes, nodes])
}

/// Writes a line of the table.
fn row([name, size, ms, rounds, bytes, nodes]: [String; 6]) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{name:<14}{size:>14}{ms:>12}{rounds:>8}{bytes:>14}{nodes:>10}")?;
    Ok(out.flush()?)
}

/// Messages that follow on each other, and bytes of all messages.
fn traffic(graph: &Graph) -> (u64, usize) {
    let mut depth = HashMap::new();
    let mut bytes = 0;
    for (id, node) in graph.nodes() {
        let before = node.inputs.iter().map(|port| depth[&port.node]).max().unwrap_or(0);
        let transfer = node.op.role == Role::Transfer;
        depth.insert(id, before + u64::from(transfer));
        bytes += if transfer { node.outputs[0].bytes() } else { 0 };
    }
    (depth.into_values().max().unwrap_or(0), bytes)
}
