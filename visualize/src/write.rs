//! All views of a graph as files.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sordino_graph::Graph;

use crate::render::{DEADLINE, Format, draw};
use crate::{View, VisualizeError, local, overall};

/// How to get the program that draws the pictures, in one line.
pub const GRAPHVIZ_HINT: &str = "to see the views as pictures, install Graphviz: \
    `sudo apt install graphviz`, `brew install graphviz` or `winget install graphviz`";

/// What [`write_views`] left in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The files of these views: each DOT file and, when there is one, its SVG after it.
    pub files: Vec<PathBuf>,
    /// Whether pictures are missing because `dot` is. Displaying this then says what to do.
    pub dot_missing: bool,
}

impl std::fmt::Display for Written {
    /// One line: how many files, or [`GRAPHVIZ_HINT`].
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} files", self.files.len())?;
        if self.dot_missing { write!(f, "; {GRAPHVIZ_HINT}") } else { Ok(()) }
    }
}

/// Writes the views of a graph into `dir`, which is made if need be: `NAME-overall.dot`, and
/// `NAME-local-PLAYER.dot` for each player; and each as SVG too when `dot` is on the `PATH`.
///
/// A view that did not change since it was last written there is not drawn again.
///
/// # Errors
/// [`VisualizeError`] when a file cannot be written, or `dot` fails or takes more than 20 s. Every
/// file that is there is then complete, and no SVG is of another graph than its DOT file.
pub fn write_views(
    dir: &Path,
    recorded: &Graph,
    lowered: Option<&Graph>,
) -> Result<Written, VisualizeError> {
    write_with("dot", dir, recorded, lowered)
}

fn write_with(
    program: &str,
    dir: &Path,
    recorded: &Graph,
    lowered: Option<&Graph>,
) -> Result<Written, VisualizeError> {
    fs::create_dir_all(dir)
        .map_err(|source| VisualizeError::CreateFolder { path: dir.to_owned(), source })?;
    let players = recorded.setup().players.iter();
    let locals = players.map(|player| local(recorded, lowered, player));
    let views: Vec<View> = std::iter::once(overall(recorded, lowered)).chain(locals).collect();
    // Drawing is most of the time by far, and `dot` uses one core.
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    let mut results = Vec::new();
    for views in views.chunks(workers) {
        results.extend(std::thread::scope(|scope| {
            let running: Vec<_> = views
                .iter()
                .map(|view| scope.spawn(move || write_view(program, dir, view)))
                .collect();
            let joined = running.into_iter().map(|thread| match thread.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            joined.collect::<Vec<_>>()
        }));
    }
    let mut written = Written { files: Vec::new(), dot_missing: false };
    for result in results {
        let (dot_file, picture) = result?;
        written.files.push(dot_file);
        written.dot_missing |= picture.is_none();
        written.files.extend(picture);
    }
    Ok(written)
}

/// Writes one view and returns its DOT file and its SVG.
fn write_view(
    program: &str,
    dir: &Path,
    view: &View,
) -> Result<(PathBuf, Option<PathBuf>), VisualizeError> {
    let dot = view.to_dot();
    let dot_file = dir.join(file_name(view));
    let picture = dot_file.with_extension(Format::Svg.extension());
    let unchanged = fs::read(&dot_file).is_ok_and(|before| before == dot.as_bytes());
    if unchanged && picture.is_file() {
        return Ok((dot_file, Some(picture)));
    }
    // The old picture goes before the new text comes, so that no picture is of another graph.
    match fs::remove_file(&picture) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(VisualizeError::Write { path: picture, source });
        }
        _ => {}
    }
    write_atomically(&dot_file, dot.as_bytes())?;
    let picture = draw(program, &dot_file, Format::Svg, DEADLINE)?;
    Ok((dot_file, picture))
}

/// `federated_training-local-model-owner.dot`. A graph's name may hold what a file's may not.
fn file_name(view: &View) -> String {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let name = view.name.chars().take(100).map(|c| if legal(c) { c } else { '_' });
    let name: String = name.collect();
    match &view.player {
        Some(player) => format!("{name}-local-{player}.dot"),
        None => format!("{name}-overall.dot"),
    }
}

/// Writes a file so that it is seen with all of its bytes or not at all.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), VisualizeError> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let extension = format!("{}-{count}.tmp", std::process::id());
    let temporary = path.with_extension(extension);
    let write = || {
        let mut file = fs::File::create(&temporary)?;
        file.write_all(bytes)?;
        drop(file);
        fs::rename(&temporary, path)
    };
    write().map_err(|source| {
        // What cannot be written can often not be removed either; the first error says why.
        let _ = fs::remove_file(&temporary);
        VisualizeError::Write { path: path.to_owned(), source }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{simple, training};

    #[test]
    fn draw_for_looking() {
        for graph in [training(), simple()] {
            write_views(Path::new("/tmp/viz/out"), &graph, None).unwrap();
        }
    }
}
