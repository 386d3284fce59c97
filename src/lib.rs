//! Sordino: a deferred computation-graph engine for computing on data that several parties keep
//! private.
//!
//! A program records operations placed on named players ([`secure_function`]); the graph is
//! verified, lowered to a secret-sharing protocol, split per player ([`ops::Plan`]), and executed
//! by one process a player ([`Session`]). The same graph is drawn ([`visualize`]), a colour a player.
//!
//! ```
//! use sordino::prelude::*;
//!
//! #[secure_function]
//! fn average(g: &Recording<'_>, inputters: &[PlayerName], receiver: &PlayerName) {
//!     let shares = inputters.iter().zip(1..).map(|(inputter, seed)| {
//!         share(random_normal(g, inputter, &[10], seed))
//!     });
//!     let shares: Vec<_> = shares.collect();
//!     let mean = g.scope("average", || scale(add_n(shares), 1.0 / inputters.len() as f64));
//!     publish("mean", reveal(mean, receiver));
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let names = |names: &[&str]| names.iter().map(|n| n.parse()).collect::<Result<Vec<_>, _>>();
//! let (inputters, servers) = (names(&["ann", "bob"])?, names(&["server0", "server1", "server2"])?);
//! let receiver: PlayerName = "receiver".parse()?;
//! let players = [inputters.clone(), vec![receiver.clone()], servers.clone()].concat();
//! let setup = Setup::new(players)
//!     .secure("ABY3", servers, Fixed::LOW)
//!     .reveal(&receiver, 2)
//!     .release(&receiver);
//! let mut session = Session::local(setup, "data".as_ref(), None)?;
//! let run = session.run(&average(&inputters, &receiver), 1)?;
//! assert_eq!(run.published[0].1.elements.len(), 10);
//! # Ok(())
//! # }
//! ```

pub use sordino_graph as graph;
pub use sordino_ops as ops;
pub use sordino_players as players;
pub use sordino_runtime as runtime;
pub use sordino_visualize as visualize;

pub use sordino_graph::{PlayerName, Setup, secure_function};
pub use sordino_runtime::{Run, RunError, Session};

/// What programs use.
pub mod prelude {
    pub use sordino_graph::{
        Fixed, Function, PlayerName, Recording, Setup, Value, secure_function, transfer,
    };
    pub use sordino_ops::nn::{Layer, Padding, Sequential};
    pub use sordino_ops::op::*;
    pub use sordino_runtime::{Event, Rounds, Run, RunError, Session};
}
