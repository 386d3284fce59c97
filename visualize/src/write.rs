//! All views of a graph as files.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sordino_graph::Graph;

use crate::render::{DEADLINE, DOT, Format, draw};
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
    write_with(&DOT, dir, recorded, lowered)
}

fn write_with(
    command: &[&str],
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
                .map(|view| scope.spawn(move || write_view(command, dir, view)))
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
    command: &[&str],
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
    let picture = draw(command, &dot_file, Format::Svg, DEADLINE)?;
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
    use std::time::Duration;

    use super::*;
    use crate::testing::{lowered, simple, training};

    /// A folder of its own for each test, removed when the test is over.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("sordino-visualize-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn files(&self) -> Vec<PathBuf> {
            let entries = fs::read_dir(&self.0).unwrap();
            let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
            files.sort();
            files
        }
    }

    /// A command that stands in for `dot`.
    #[cfg(unix)]
    fn script(script: &str) -> [&str; 4] {
        ["sh", "-c", script, "dot"]
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    #[test]
    fn without_dot_there_are_dot_files_and_a_hint() {
        let folder = Folder::new("missing");
        let nested = folder.0.join("a/b");
        let program = ["sordino-no-such-program"];
        let written = write_with(&program, &nested, &training(), Some(&lowered([1; 3]))).unwrap();
        assert!(written.dot_missing);
        assert!(written.to_string().contains("apt install graphviz"));
        let names: Vec<_> =
            written.files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
        let expected = [
            "federated_training-overall.dot",
            "federated_training-local-model-owner.dot",
            "federated_training-local-train-data-owner-0.dot",
            "federated_training-local-train-data-owner-1.dot",
            "federated_training-local-train-data-owner-2.dot",
            "federated_training-local-server0.dot",
            "federated_training-local-server1.dot",
            "federated_training-local-server2.dot",
        ];
        assert_eq!(names, expected);
        assert_eq!(fs::read_dir(&nested).unwrap().count(), expected.len());
    }

    #[cfg(unix)]
    #[test]
    fn a_picture_is_of_the_graph_beside_it() {
        let folder = Folder::new("fresh");
        let copy = script("echo drawn; cat");
        let graph = simple();
        let written = write_with(&copy, &folder.0, &graph, None).unwrap();
        assert_eq!(written.files.len(), 14);
        assert!(!written.dot_missing);
        // Unchanged views are not drawn again, changed ones lose their picture first.
        let fail = script("exit 1");
        write_with(&fail, &folder.0, &graph, None).unwrap();
        let (text, picture) = (&written.files[0], &written.files[1]);
        assert!(fs::read_to_string(picture).unwrap().starts_with("drawn\ndigraph"));
        fs::write(text, "older").unwrap();
        write_with(&fail, &folder.0, &graph, None).unwrap_err();
        assert!(!picture.exists());
        assert!(fs::read_to_string(text).unwrap().starts_with("digraph"));
        assert!(folder.files().iter().all(|file| file.extension() != Some("tmp".as_ref())));
    }

    #[cfg(unix)]
    #[test]
    fn a_failing_dot_is_quoted() {
        let folder = Folder::new("failing");
        let program = script("echo out of ink >&2; exit 3");
        let error = write_with(&program, &folder.0, &simple(), None).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, VisualizeError::DotFailed { .. }), "{text}");
        for part in ["simple_average-overall.dot", "out of ink", "exit status: 3"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_hanging_dot_is_stopped() {
        let folder = Folder::new("hanging");
        let program = script("exec sleep 60");
        let file = folder.0.join("x.dot");
        fs::write(&file, "digraph {}").unwrap();
        let begin = std::time::Instant::now();
        let error = draw(&program, &file, Format::Svg, Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, VisualizeError::DotTimedOut { .. }), "{error}");
        assert!(begin.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn a_folder_that_is_a_file_is_refused() {
        let folder = Folder::new("file");
        let file = folder.0.join("file");
        fs::write(&file, "").unwrap();
        let error = write_views(&file.join("x"), &simple(), None).unwrap_err();
        assert!(matches!(error, VisualizeError::CreateFolder { .. }), "{error}");
        let error = write_atomically(&folder.0.join("gone/x"), b"").unwrap_err();
        assert!(error.to_string().contains("gone/x"), "{error}");
    }

    #[test]
    fn names_of_files_are_harmless() {
        let mut view = overall(&simple(), None);
        view.name = "../é b/\u{0}".to_owned();
        assert_eq!(file_name(&view), "_____b__-overall.dot");
    }
}
