//! `sordino review`: what a plan would make players read and learn, for people to decide on.

mod json;
mod report;

use std::path::Path;

use sordino::graph::review::{Traffic, traffic};
use sordino::graph::{Review, review};
use sordino::ops::Plan;
use sordino::visualize::write_views;

use crate::plans;

/// A plan and what there is to say of it.
pub struct Reviewed {
    plan: Plan,
    review: Review,
    traffic: Traffic,
}

/// Prints what the plans of a file do, as text or as JSON, and draws them into `view`.
///
/// # Errors
/// The file holds no plan, or one that breaks a rule or cannot be judged; pictures cannot be
/// written.
#[allow(clippy::print_stdout, reason = "what the command is for")]
pub fn run(file: &Path, view: Option<&Path>, as_json: bool) -> anyhow::Result<()> {
    let reviewed = |plan: Plan| {
        let (review, traffic) = (review(&plan.recorded)?, traffic(&plan.lowered));
        anyhow::Ok(Reviewed { plan, review, traffic })
    };
    let plans: Vec<_> = plans::read(file)?.into_iter().map(reviewed).collect::<Result<_, _>>()?;
    // Before anything is printed, so that who reads on knows that all is there.
    if let Some(folder) = view {
        for Reviewed { plan, .. } in &plans {
            let written = write_views(folder, &plan.recorded, Some(&plan.lowered))?;
            eprintln!("{}: {} of {}", folder.display(), written, plan.recorded.name());
        }
    }
    if as_json {
        println!("{:#}", json::of(&plans));
    } else {
        let reports: Vec<_> = plans.iter().map(report::of).collect();
        print!("{}", reports.join("\n\n"));
    }
    Ok(())
}
