//! The direction of dependencies, as ARCHITECTURE.md draws it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// For each crate, the crates of the workspace that it uses: these and no others.
const LAYERS: &[(&str, &[&str])] = &[
    ("sordino-macros", &[]),
    ("sordino-graph", &["sordino-macros"]),
    ("sordino-ops", &["sordino-graph"]),
    ("sordino-players", &["sordino-graph"]),
    ("sordino-visualize", &["sordino-graph"]),
    ("sordino-runtime", &["sordino-graph", "sordino-ops", "sordino-players"]),
    (
        "sordino",
        &[
            "sordino-graph",
            "sordino-ops",
            "sordino-players",
            "sordino-runtime",
            "sordino-visualize",
        ],
    ),
];

/// For each library that is kept behind a boundary, the crates that may name it.
const BEHIND: &[(&str, &[&str])] = &[
    ("quinn", &["sordino-runtime"]),
    ("rustls", &["sordino-players", "sordino-runtime"]),
    ("rcgen", &["sordino-players", "sordino-runtime"]),
    ("graphviz-rust", &["sordino-visualize"]),
    ("petgraph", &["sordino-graph"]),
];

/// What each crate of the workspace names in its manifest, tests and benches included.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let manifest = root().join("Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--no-deps", "--manifest-path"])
        .arg(manifest)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |value: &serde_json::Value| value["name"].as_str().expect("a name").to_owned();
    let list = |value: &serde_json::Value| value.as_array().expect("a list").clone();
    let packages = list(&metadata["packages"]).into_iter();
    packages.map(|p| (text(&p), list(&p["dependencies"]).iter().map(text).collect())).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn crates_use_those_below_them_and_no_others() {
    let dependencies = dependencies();
    let crates: BTreeSet<_> = dependencies.keys().map(String::as_str).collect();
    assert_eq!(crates, LAYERS.iter().map(|(name, _)| *name).collect());
    for (name, allowed) in LAYERS {
        let used = dependencies[*name].iter().map(String::as_str).filter(|d| crates.contains(d));
        assert_eq!(used.collect::<BTreeSet<_>>(), allowed.iter().copied().collect(), "{name}");
    }
}

#[test]
fn libraries_stay_behind_their_crates() {
    let dependencies = dependencies();
    for (library, allowed) in BEHIND {
        let users = dependencies.iter().filter(|(_, used)| used.contains(*library));
        for (name, _) in users {
            assert!(allowed.contains(&name.as_str()), "{name} names {library}");
        }
    }
    // The graph's own ids are what the other crates see of petgraph.
    let mut files = Vec::new();
    sources(&root().join("graph"), &mut files);
    let names = |file: &&PathBuf| {
        let text = std::fs::read_to_string(file).expect("a source");
        text.lines().any(|line| line.contains("petgraph::"))
    };
    let users: Vec<_> = files.iter().filter(names).collect();
    assert_eq!(users, [&root().join("graph/src/graph.rs")]);
}

/// Verifying and lowering are functions of the text alone, or players could not agree.
#[test]
fn the_graph_is_pure() {
    let allowed = ["petgraph", "sha2", "sordino-macros", "thiserror"];
    let manifest = std::fs::read_to_string(root().join("graph/Cargo.toml")).expect("a manifest");
    let used = manifest.split("[dependencies]").nth(1).expect("dependencies");
    let used = used.lines().skip(1).take_while(|line| !line.is_empty() && !line.starts_with('['));
    let used = used.map(|line| line.split(['.', ' ', '=']).next().unwrap_or_default());
    assert_eq!(used.collect::<BTreeSet<_>>(), allowed.into_iter().collect());

    let impure = [
        "std::fs",
        "std::net",
        "std::time",
        "std::env",
        "std::thread",
        "std::process",
        "std::io",
        "Instant::",
        "SystemTime",
        "RandomState",
        "getrandom",
        "rand::",
        "thread_local!",
        "println!",
    ];
    let mut files = Vec::new();
    sources(&root().join("graph/src"), &mut files);
    sources(&root().join("graph/macros/src"), &mut files);
    assert!(files.len() > 20, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source");
        for (number, line) in text.lines().enumerate() {
            let found = impure.iter().find(|word| line.contains(**word));
            assert_eq!(found, None, "{}:{}: {line}", file.display(), number + 1);
        }
    }
}
