//! Five inputters learn nothing of each other, three servers add what they share, and one receiver
//! gets the mean. All players are in this process.

use std::io::Write;

use sordino::prelude::*;

#[secure_function]
fn simple_average(g: &Recording<'_>, inputters: &[PlayerName], receiver: &PlayerName) {
    let shares = inputters.iter().zip(1..).map(|(inputter, seed)| {
        // Stands for numbers that the inputter has.
        g.scope("private-input", || share(random_normal(g, inputter, &[10], seed)))
    });
    let shares: Vec<_> = shares.collect();
    let mean = g.scope("average", || scale(add_n(shares), 1.0 / inputters.len() as f64));
    g.scope("output", || publish("mean", reveal(mean, receiver)));
}

fn main() -> anyhow::Result<()> {
    let names = |prefix: &str, n: usize| {
        let names = (0..n).map(|i| format!("{prefix}{i}").parse());
        names.collect::<Result<Vec<PlayerName>, _>>()
    };
    let (inputters, servers) = (names("inputter-", 5)?, names("server", 3)?);
    let receiver: PlayerName = "result-receiver".parse()?;
    let players = [&inputters[..], std::slice::from_ref(&receiver), &servers].concat();
    let setup = Setup::new(players)
        .secure("ABY3", servers, Fixed::LOW)
        // The mean of all five and of nothing less.
        .reveal(&receiver, inputters.len())
        .release(&receiver);

    let program = simple_average(&inputters, &receiver);
    // No player reads data from a disk here.
    let mut session = Session::local(setup, "data".as_ref(), None)?;
    let views = "target/sordino/simple-average";
    let plan = session.prepare(&program)?;
    let written =
        sordino::visualize::write_views(views.as_ref(), &plan.recorded, Some(&plan.lowered))?;

    let run = session.run(&program, 1)?;
    let mut out = std::io::stdout();
    for (player, value) in &run.published {
        writeln!(out, "{player} publishes {}: {:.4?}", value.name, value.elements)?;
    }
    writeln!(out, "Pictures: {views}, {written}")?;
    Ok(())
}
