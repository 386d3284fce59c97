//! The `sordino` binary: what an operator of a player uses.

mod plans;
mod review;
mod sign;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::{Parser, Subcommand};
use sordino::PlayerName;
use sordino::players::{Identity, certificate::Moment, identity};
use sordino::runtime::{Consent, Flags, ServeOptions, serve};

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
    /// Run a player until it is told to stop (Ctrl-C, SIGTERM).
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
        /// Stop as well when standard input ends, as it does when whoever started the player dies.
        #[arg(long)]
        until_eof: bool,
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
            ExitCode::FAILURE
        }
    }
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
            until_eof,
        } => {
            let consent = match policy {
                Some(policy) => Consent::load(&policy)?,
                None => Flags { release, over, insecure }.into(),
            };
            let options = ServeOptions { name, config, data, state, consent, listen };
            serve(&options, log, || stop_signal(until_eof)).map_err(Into::into)
        }
        Command::Review { file, view, json } => review::run(&file, view.as_deref(), json),
        Command::Sign { file, player, config } => sign::run(&file, &player, &config),
        Command::Keygen { name, out, days, force } => keygen(&name, &out, days, force),
    }
}

#[allow(clippy::print_stdout, reason = "what the command is for")]
fn keygen(name: &PlayerName, out: &std::path::Path, days: u32, force: bool) -> anyhow::Result<()> {
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

fn log(line: &str) {
    eprintln!("{} {line}", Moment::from(SystemTime::now()));
}

/// Done when the process is asked to stop, or, if so wished, when standard input ends.
async fn stop_signal(until_eof: bool) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        () = end_of_input(), if until_eof => log("standard input ended"),
    }
}

async fn end_of_input() {
    let (ended, end) = tokio::sync::oneshot::channel();
    // A thread of its own: a read of standard input cannot be cancelled.
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = ended.send(());
    });
    let _ = end.await;
}
