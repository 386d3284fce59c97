//! Functions that are recorded when they are first run: what `#[secure_function]` makes.

use std::fmt;

use crate::graph::Graph;
use crate::record::{RecordError, Recording, record};
use crate::setup::Setup;

/// A function and the arguments of one call, not recorded yet.
///
/// Name and arguments are the call's signature. Whoever runs it records it once a signature.
pub struct Function<'a> {
    name: &'static str,
    signature: String,
    body: Box<dyn Fn(&Recording<'_>) + 'a>,
}

impl fmt::Debug for Function<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.signature)
    }
}

impl<'a> Function<'a> {
    /// A function of this name; `arguments` must tell apart all calls that record differently.
    pub fn new(name: &'static str, arguments: &str, body: impl Fn(&Recording<'_>) + 'a) -> Self {
        Self { name, signature: format!("{name}({arguments})"), body: Box::new(body) }
    }

    /// Its name, which becomes the graph's.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Name and arguments.
    #[must_use]
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// Records it.
    ///
    /// # Errors
    /// [`RecordError`] with every op whose inputs did not fit it.
    pub fn record(&self, setup: &Setup) -> Result<Graph, RecordError> {
        record(self.name, setup, |recording| (self.body)(recording))
    }
}
