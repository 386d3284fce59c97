//! The program: five inputters share numbers, three servers average them, one receiver gets the
//! mean.

use sordino::prelude::*;

/// Numbers that each inputter has.
const NUMBERS: usize = 10;

/// Has numbers that it shows nobody.
#[derive(Debug)]
pub struct Inputter {
    pub player: PlayerName,
    /// The name of a tensor among its own files; `None` for random numbers from the seed.
    pub file: Option<String>,
    pub seed: u32,
}

#[secure_function]
pub fn simple_average(g: &Recording<'_>, inputters: &[Inputter], receiver: &PlayerName) {
    let shares: Vec<_> = inputters.iter().map(|inputter| inputter.provide_input(g)).collect();
    let mean = g.scope("average", || scale(add_n(shares), 1.0 / inputters.len() as f64));
    g.scope("output", || publish("mean", reveal(mean, receiver)));
}

impl Inputter {
    fn provide_input<'r>(&self, g: &Recording<'r>) -> Value<'r> {
        g.scope("private-input", || {
            share(match &self.file {
                Some(name) => load_tensor(g, &self.player, name, &[NUMBERS]),
                None => random_normal(g, &self.player, &[NUMBERS], self.seed),
            })
        })
    }
}
