//! What the driver's process does when data owners come and go by chance: it counts who takes part,
//! in the steps themselves.
//!
//! Each owner shares a matrix with a row for each owner: ones in its own, zeros in the others'. The
//! model owner publishes the mean of those who are there, and adds it to a variable. So of each step it
//! can be seen who is in the sum and by how many it was divided, and the rows of the variable come to
//! as many as there were steps.

use std::path::Path;

use sordino::graph::{Element, Shape, Type};
use sordino::players::roster::driver_name;
use sordino::prelude::*;

use crate::common::{data_owners, model_owner, published, setup};
use crate::driver::{CHECKPOINT, DONE, LEFT, RESUME, RETURNED, SESSION, SHORT, TIMEOUT};

/// Marks before what it says: steps done; the number of a step, and its mean; the numbers of steps, and
/// who took part in them, as the run reports it.
pub const PROGRESS: &str = "<progress> ";
pub const MEAN: &str = "<mean> ";
pub const TOOK: &str = "<took> ";

/// Steps that are asked for at a time.
const ROUNDS: u64 = 20;

/// Elements of a row.
const LENGTH: usize = 1000;

const TOTAL: &str = "total";

#[secure_function]
fn begin(g: &Recording<'_>) {
    assign(TOTAL, zeros(g, model_owner(), &[data_owners().len(), LENGTH]));
}

#[secure_function]
fn count(g: &Recording<'_>, present: &[PlayerName]) {
    let owners = data_owners();
    let total = g.scope("parameters", || read_variable(g, &model_owner(), TOTAL, &total_type()));
    let matrix = |owner: &PlayerName| {
        g.scope("private-input", || {
            let row = |of: &PlayerName| {
                constant(g, owner, &[f64::from(u8::from(of == owner))], &[1, LENGTH])
            };
            // Numbers of its own, of which nothing is left, and the weights, as in a training.
            let own = random_normal(g, owner, &[owners.len(), LENGTH], 1);
            let nothing = [own, transfer(total, owner)].map(|value| scale(value, 0.0));
            share(add_n([concat(owners.iter().map(row), 0), nothing[0], nothing[1]]))
        })
    };
    let matrices: Vec<_> = present.iter().map(matrix).collect();
    let sum = g.scope("secure_aggregation", || add_n(matrices));
    g.scope("output", || {
        let mean = reveal(scale(sum, 1.0 / present.len() as f64), &model_owner());
        publish("mean", scale(reduce_sum(mean, &[1], false), 1.0 / LENGTH as f64));
        // Downhill is the only way: the variable counts from 0 down.
        descend(TOTAL, 1.0, mean);
    });
}

#[secure_function]
fn show(g: &Recording<'_>) {
    let total = read_variable(g, &model_owner(), TOTAL, &total_type());
    publish(TOTAL, scale(reduce_sum(total, &[1], false), -1.0 / LENGTH as f64));
}

fn total_type() -> Type {
    let shape = Shape::new(&[data_owners().len(), LENGTH]).expect("a legal shape");
    Type::plain(Element::F32, shape)
}

/// Counts until the file `enough` is there and all owners take part again. Says how many steps were
/// done in all, and the part of each owner in them.
#[allow(clippy::print_stdout, reason = "its parent reads it")]
pub fn run(
    config: &Path,
    min_owners: usize,
    enough: &Path,
) -> Result<String, Box<dyn std::error::Error>> {
    let owners = data_owners();
    let setup = setup("ABY3", Fixed::LOW);
    let mut session = Session::remote_without(&owners, &driver_name(), setup, config)?;
    session.checkpoint_every(CHECKPOINT);
    match std::env::var(RESUME)?.as_str() {
        "" => session.run(&begin(), 1).map(drop)?,
        resumed => session.resume(resumed.parse()?)?,
    }
    println!("\n{SESSION}{}", session.id());
    let mut done = session.steps_of(&count(&owners))?;
    println!("{DONE}{done}");
    let rounds = Rounds { min_owners, timeout: TIMEOUT };
    let record = |present: &[PlayerName], setup: &Setup| count(present).record(setup);
    loop {
        let last = enough.exists();
        let run =
            session.run_rounds(&rounds, &owners, record, ROUNDS, |event| say(done, &event))?;
        done += ROUNDS;
        for span in &run.participation {
            let names: Vec<_> = span.owners.iter().map(PlayerName::as_str).collect();
            let end = span.number + span.steps.end - span.steps.start;
            println!("{TOOK}{} {end} {}", span.number, names.join(" "));
        }
        let all = run.participation.last().is_some_and(|span| span.owners == owners);
        if last && all {
            break;
        }
    }
    let run = session.run(&show(), 1)?;
    Ok(format!("{done} {}", numbers(published(&run, TOTAL)[0])))
}

#[allow(clippy::print_stdout, reason = "its parent reads it")]
fn say(before: u64, event: &Event<'_>) {
    match event {
        Event::Progress { done } => println!("{PROGRESS}{}", before + done),
        Event::Published { value, .. } => {
            println!("{MEAN}{} {}", value.step, numbers(&value.elements));
        }
        Event::Left { player, reason, .. } => println!("{LEFT}{player}: {reason}"),
        Event::Returned { player, .. } => println!("{RETURNED}{player}"),
        Event::Short { missing, needed, .. } => println!("{SHORT}{needed} of {missing:?}"),
        _ => {}
    }
}

fn numbers(of: &[f64]) -> String {
    of.iter().map(f64::to_string).collect::<Vec<_>>().join(" ")
}
