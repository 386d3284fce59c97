//! The command line.

use clap::Parser;
use serde::Serialize;
use sordino::prelude::*;

use crate::cases::{self, Case, LEAST};
use crate::common::options::Common;
use crate::common::{name, names};

/// Measure operations on secrets: milliseconds, rounds and bytes of each.
#[derive(Debug, Parser)]
#[command(
    name = "benchmark",
    mut_arg("seed", |arg| arg.help("Of the numbers that are shared")),
    // The driver of every example takes it; players read no files here.
    mut_arg("data", |arg| arg.hide(true))
)]
pub struct Options {
    /// Operations, separated by commas; all of them unless given.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub ops: Vec<String>,
    /// Elements of operations that work element by element.
    #[arg(long, value_name = "N", default_value_t = 1 << 16, allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(LEAST as i64..=1 << 24))]
    pub size: u32,
    /// How often each is measured; the table has the median.
    #[arg(long, value_name = "N", default_value_t = 11, allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    #[command(flatten)]
    pub common: Common,
}

/// What the command line calls the aggregation, which is not among the cases.
pub const AGGREGATION: &str = "aggregation";

/// What a report says of the options of this program alone.
#[derive(Debug, Serialize)]
pub struct Choices {
    ops: Vec<String>,
    size: u32,
    runs: u32,
}

impl Options {
    /// Checks what can be known beforehand.
    pub fn check(&self) -> Result<(), String> {
        let cases = self.cases();
        let names = || cases.iter().map(|case| case.name).chain([AGGREGATION]);
        if let Some(unknown) = self.ops.iter().find(|&op| !names().any(|name| name == op)) {
            let names: Vec<_> = names().collect();
            return Err(format!("there is no operation {unknown}; there are {}", names.join(", ")));
        }
        self.common.check(&Cast::new(self).everyone(), false)
    }

    /// All cases, wanted or not.
    pub fn cases(&self) -> Vec<Case> {
        cases::all(self.size as usize)
    }

    /// Whether the command line asks for an operation.
    pub fn wants(&self, name: &str) -> bool {
        self.ops.is_empty() || self.ops.iter().any(|op| op == name)
    }

    pub fn choices(&self) -> Choices {
        Choices { ops: self.ops.clone(), size: self.size, runs: self.runs }
    }
}

/// The players.
pub struct Cast {
    pub owners: Vec<PlayerName>,
    pub receiver: PlayerName,
    pub servers: Vec<PlayerName>,
}

impl Cast {
    pub fn new(options: &Options) -> Self {
        let servers = options.common.servers();
        Self { owners: names("owner-", 3), receiver: name("receiver"), servers }
    }

    fn everyone(&self) -> Vec<PlayerName> {
        let others = self.owners.iter().chain([&self.receiver]);
        others.chain(&self.servers).cloned().collect()
    }

    /// One owner shares, and nobody learns anything. The other owners and the receiver have no part
    /// in this, and are not asked to take one.
    pub fn cases(&self, options: &Options) -> Setup {
        let players = self.owners.iter().take(1).chain(&self.servers).cloned();
        self.secure(Setup::new(players), options)
    }

    /// The receiver may learn the sum of what all owners share.
    pub fn aggregation(&self, options: &Options) -> Setup {
        let setup = self.secure(Setup::new(self.everyone()), options);
        setup.reveal(&self.receiver, self.owners.len())
    }

    fn secure(&self, setup: Setup, options: &Options) -> Setup {
        let common = &options.common;
        setup.secure(common.protocol.name, self.servers.clone(), common.precision)
    }

    /// What each player does, in the order of the setup.
    pub fn roles(&self) -> Vec<(&PlayerName, String)> {
        let owners = self.owners.iter().zip(0..).map(|(owner, i)| {
            let role = if i == 0 { "shares what is computed on" } else { "shares for the sum" };
            (owner, role)
        });
        let receiver = (&self.receiver, "learns the sum");
        let servers = self.servers.iter().map(|server| (server, "computes on shares"));
        let roles = owners.chain([receiver]).chain(servers);
        roles.map(|(player, role)| (player, role.to_owned())).collect()
    }
}
