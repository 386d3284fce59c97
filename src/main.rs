//! The `sordino` binary: what an operator of a player uses.

mod log;
mod plans;
mod review;
mod sign;
mod status;
mod stop;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use sordino::PlayerName;
use sordino::players::{Identity, identity};
use sordino::runtime::memory::of_machine;
use sordino::runtime::status::ask;
use sordino::runtime::{
    Consent, Flags, PolicyError, ServeError, ServeOptions, serve, state_folder,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Compute on data that several parties keep private.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a player until it is told to stop (Ctrl-C, SIGTERM): then it finishes the steps that have
    /// begun, and keeps them in sessions that keep checkpoints. Told again, it stops at once.
    Player {
        /// Who it is: a name of the list of players.
        name: PlayerName,
        /// The list of players, {"NAME": "HOST:PORT", …}. Certificates and this player's key are
        /// found beside it, in certificates/ and keys/.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// The folder of this player's own data.
        #[arg(long, value_name = "DIR", default_value = "data/mnist")]
        data: PathBuf,
        /// The folder where this player keeps what sessions are resumed from, sealed with its key.
        /// Unless given, state/NAME beside the list of players.
        #[arg(long, value_name = "DIR")]
        state: Option<PathBuf>,
        /// Where to listen, if not at the address that the list gives.
        #[arg(long, value_name = "IP:PORT")]
        listen: Option<SocketAddr>,
        /// Let programs hand out this player's own data in plaintext, as a model owner does with
        /// its weights. Without it, such a program is refused.
        #[arg(long)]
        release: bool,
        /// Refuse programs that may reveal what mixes the data of fewer players.
        #[arg(long, value_name = "PLAYERS", default_value_t = Flags::default().over)]
        over: usize,
        /// Take part in programs whose protocol protects nothing.
        #[arg(long)]
        insecure: bool,
        /// What programs may do, as a file: see the examples' policy.toml. Takes the place of
        /// --release, --over and --insecure. Plans that the player has signed run as well.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["release", "over", "insecure"])]
        policy: Option<PathBuf>,
        /// How to write what happens, on standard error: as sentences for people, or as JSON, an
        /// object a line, for programs.
        #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
        log_format: log::Format,
        /// How long sessions may take to end when the player is told to stop.
        #[arg(long, value_name = "SECONDS", default_value_t = 20)]
        stop_within: u64,
        /// How many MiB sessions may take together: each for the values of one step of its largest
        /// plan, and for its variables. A program that asks for more is refused. Not counted are the
        /// second step that may be under way, data sets, and what copies of variables a checkpoint
        /// takes. Unless given, as much as the machine has.
        #[arg(long, value_name = "MIB")]
        memory: Option<u64>,
        /// Stop as well when standard input ends, as it does when whoever started the player dies.
        #[arg(long)]
        until_eof: bool,
    },
    /// Say what a player does that runs on this machine, as this user: its sessions, steps, peers,
    /// bytes, and how long certificates are valid.
    Status {
        /// Who.
        name: PlayerName,
        /// The list of players that it was started with.
        #[arg(long, value_name = "FILE", default_value = "config.json")]
        config: PathBuf,
        /// The folder of its state, if it was started with another one than state/NAME beside the
        /// list of players.
        #[arg(long, value_name = "DIR")]
        state: Option<PathBuf>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say what plans do: which inputs of whom they read, who learns what of them, what the network
    /// carries.
    Review {
        /// A file of plans, as a program writes it with --plan.
        file: PathBuf,
        /// Draw them as well, into this folder.
        #[arg(long, value_name = "DIR")]
        view: Option<PathBuf>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Let a player run plans, whatever its policy says of them.
    Sign {
        /// A file of plans. Review it first.
        file: PathBuf,
        /// Who signs.
        #[arg(long, value_name = "NAME")]
        player: PlayerName,
        /// The list of players; the player's key is found beside it, in keys/, and what it has
        /// signed is listed beside it, in signed/.
        #[arg(long, value_name = "FILE", default_value = "config.json")]
        config: PathBuf,
    },
    /// Make the key and the certificate of a player, or of the driver.
    Keygen {
        /// Who it is; a driver is called driver, or driver- and something.
        name: PlayerName,
        /// The folder that holds the list of players.
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
        /// How long the certificate is valid.
        #[arg(long, default_value_t = identity::DEFAULT_VALID_DAYS)]
        days: u32,
        /// Replace a key that is there.
        #[arg(long)]
        force: bool,
    },
}

fn main() -> ExitCode {
    // clap ends the process with status 2 when the command line is wrong.
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Our errors tell their causes themselves.
            eprintln!("sordino: {error}");
            ExitCode::from(if is_of_options(&error) { 2 } else { 1 })
        }
    }
}

/// Whether an option is wrong, or a file that options name.
fn is_of_options(error: &anyhow::Error) -> bool {
    use ServeError::{Address, Identity, Roster};
    error.is::<PolicyError>()
        || matches!(error.downcast_ref(), Some(Roster(_) | Identity(_) | Address { .. }))
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Player {
            name,
            config,
            data,
            state,
            listen,
            release,
            over,
            insecure,
            policy,
            log_format,
            stop_within,
            memory,
            until_eof,
        } => {
            let consent = match policy {
                Some(policy) => Consent::load(&policy)?,
                None => Flags { release, over, insecure }.into(),
            };
            let stop_within = Duration::from_secs(stop_within);
            let memory = memory.map_or_else(of_machine, |mib| mib.saturating_mul(1 << 20));
            let options =
                ServeOptions { name, config, data, state, consent, memory, listen, stop_within };
            let log = log_format.of(options.name.clone());
            serve(&options, log, || stop::told(until_eof)).map_err(Into::into)
        }
        Command::Status { name, config, state, json } => {
            status(&state_folder(&config, &name, state.as_deref()), json)
        }
        Command::Review { file, view, json } => review::run(&file, view.as_deref(), json),
        Command::Sign { file, player, config } => sign::run(&file, &player, &config),
        Command::Keygen { name, out, days, force } => keygen(&name, &out, days, force),
    }
}

#[allow(clippy::print_stdout, reason = "what the command is for")]
fn status(folder: &Path, json: bool) -> anyhow::Result<()> {
    let status = ask(folder)?;
    let text = if json { serde_json::to_string_pretty(&status)? } else { status::show(&status) };
    println!("{text}");
    Ok(())
}

#[allow(clippy::print_stdout, reason = "what the command is for")]
fn keygen(name: &PlayerName, out: &Path, days: u32, force: bool) -> anyhow::Result<()> {
    let identity = Identity::generate(name, days)?;
    identity.save(out, force)?;
    println!("{name} {}", identity.fingerprint());
    eprintln!(
        "Keep {} to yourself; give {} to everyone in the list.",
        identity::key_file(out, name).display(),
        identity::certificate_file(out, name).display()
    );
    Ok(())
}
