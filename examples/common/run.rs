//! What stands around a run: plans, the session, pictures.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use sordino::graph::print_with_sources;
use sordino::ops::Plan;
use sordino::prelude::*;
use sordino::visualize::{GRAPHVIZ_HINT, VisualizeError, write_views};

use super::kept::load;
use super::options::{Common, Place};

/// Writes what players are asked to run, if the options want it and before anyone is asked.
pub fn announce_plans<'a>(
    out: &mut impl Write,
    common: &Common,
    functions: impl IntoIterator<Item = (&'a Setup, &'a Function<'a>)>,
) -> anyhow::Result<()> {
    let Some(file) = &common.plan else { return Ok(()) };
    write_plans(file, functions)?;
    writeln!(out, "Plans: {}", file.display())?;
    // Also when a player refuses them: then they are to be reviewed.
    Ok(out.flush()?)
}

/// Writes plans as text: each function's graph after the one before.
fn write_plans<'a>(
    file: &Path,
    functions: impl IntoIterator<Item = (&'a Setup, &'a Function<'a>)>,
) -> anyhow::Result<()> {
    let graphs = functions.into_iter().map(|(setup, function)| function.record(setup));
    let texts = graphs.map(|graph| Ok(print_with_sources(&graph?)));
    let text = texts.collect::<anyhow::Result<Vec<_>>>()?.join("\n");
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(file, text))
        .with_context(|| format!("cannot write the plans to {}", file.display()))
}

/// Opens a session where the options say. With `mnist`, players of this process read its files.
pub fn open(common: &Common, setup: Setup, mnist: bool) -> anyhow::Result<Session> {
    open_without(&[], common, setup, mnist)
}

/// As [`open`], without those of `owners` who are not up.
pub fn open_without(
    owners: &[PlayerName],
    common: &Common,
    setup: Setup,
    mnist: bool,
) -> anyhow::Result<Session> {
    match &common.config {
        Place::Local => {
            load(&common.data(), mnist)?;
            Ok(Session::local(setup, &common.data(), None)?)
        }
        Place::Remote(config) => {
            Ok(Session::remote_without(owners, &common.driver, setup, config)?)
        }
    }
}

/// A function's plan, and the milliseconds of recording, verifying, lowering and splitting it.
///
/// Measured apart from a session, where each player does it for itself, all at the same time.
pub fn preparation(function: &Function<'_>, setup: &Setup) -> anyhow::Result<(Plan, f64)> {
    let begin = Instant::now();
    let plan = Plan::new(function.record(setup)?)?;
    Ok((plan, begin.elapsed().as_secs_f64() * 1e3))
}

/// Writes the views of graphs, each into a folder, unless no pictures are wanted, and says where they
/// are.
pub fn views<'a>(
    common: &Common,
    plans: impl IntoIterator<Item = (PathBuf, &'a Plan)>,
) -> anyhow::Result<Option<String>> {
    if common.no_view {
        return Ok(None);
    }
    let dir = common.view.display();
    let mut shown = format!("Pictures: {dir}");
    for (folder, plan) in plans {
        match write_views(&folder, &plan.recorded, Some(&plan.lowered)) {
            Ok(written) if written.dot_missing => {
                shown = format!("Pictures: {dir}, as DOT files: {GRAPHVIZ_HINT}");
            }
            Ok(_) => {}
            // The run is worth more than pictures, and the DOT files are there.
            Err(
                error @ (VisualizeError::StartDot { .. }
                | VisualizeError::DotFailed { .. }
                | VisualizeError::DotTimedOut { .. }),
            ) => {
                eprintln!("warning: {error}");
                return Ok(Some(format!("Pictures: {dir}, as far as they could be drawn")));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(shown))
}
