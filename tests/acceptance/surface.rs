//! The surface of the engine: names that mislead, and the public API of each crate as a snapshot.
//!
//! A change of a public item is seen in review as a change of `engine/<crate>/API.txt`. Write the
//! snapshots anew with `ACCREDIT_UPDATE_API=1`.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Source files under `dir` without tests, in order, with their text before any test module.
fn sources(dir: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![dir.to_owned()];

    while let Some(dir) = waiting.pop() {
        for path in fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "tests" && name != "target" {
                waiting.push(path);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
                found.push((path, code));
            }
        }
    }

    found.sort();
    found
}

/// Words that say nothing about what is meant: each was the name of several things once.
const VAGUE_TYPES: [&str; 31] = [
    "About",
    "Again",
    "Asked",
    "Back",
    "Between",
    "By",
    "Current",
    "Desk",
    "Ends",
    "Found",
    "Growing",
    "Known",
    "Look",
    "Made",
    "Narrow",
    "Part",
    "Placed",
    "Said",
    "Says",
    "Scene",
    "Seen",
    "Stored",
    "Sums",
    "Told",
    "Understood",
    "Wanted",
    "What",
    "Which",
    "Wish",
    "Work",
    "Worth",
];

/// Names of functions that do not say what the function does.
const VAGUE_FUNCTIONS: [&str; 24] = [
    "after",
    "again",
    "allowed",
    "blame",
    "caught",
    "expected",
    "guard",
    "homeless",
    "judge",
    "know",
    "known",
    "once",
    "ran",
    "said",
    "sealed",
    "seen",
    "settle",
    "shown",
    "still",
    "strays",
    "tell",
    "twice",
    "understand",
    "went",
];

#[test]
fn no_name_is_vague() {
    let root = root();
    let dirs = ["engine", "host/src", "plugins"].map(|dir| root.join(dir));
    let mut vague = Vec::new();

    for (path, text) in dirs.iter().flat_map(|dir| sources(dir)) {
        for (number, line) in (1..).zip(text.lines()) {
            let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();

            for pair in words.windows(2) {
                let &[word, name] = pair else { continue };
                let is_type = matches!(word, "struct" | "enum" | "trait" | "type");
                let is_vague = is_type && VAGUE_TYPES.contains(&name)
                    || word == "fn" && VAGUE_FUNCTIONS.contains(&name);
                // Prose may use the words.
                if is_vague && !line.trim_start().starts_with("//") {
                    vague.push(format!("{}:{number}: {word} {name}", path.display()));
                }
            }
        }
    }

    assert!(vague.is_empty(), "say what it is in two or three words: {vague:#?}");
}

/// The public items of a crate, a line each with the module: signatures without bodies.
fn public_items(crate_dir: &Path) -> String {
    let source = crate_dir.join("src");
    let mut items = Vec::new();

    for (path, text) in sources(&source) {
        let module = path.strip_prefix(&source).unwrap().with_extension("");
        let module = module.to_string_lossy().replace('/', "::");

        let mut lines = text.lines();
        let mut owner = String::new();
        while let Some(line) = lines.next() {
            if line.starts_with("impl") || line.starts_with("pub trait") {
                owner = format!("{} ", line.trim_end_matches(['{', ' ']));
            } else if line == "}" {
                owner.clear();
            }

            let item = line.trim_start();
            let is_item = ["pub fn ", "pub const ", "pub struct ", "pub enum ", "pub trait "]
                .iter()
                .chain(&["pub type ", "pub mod ", "pub use ", "pub static "])
                .any(|start| item.starts_with(start));
            if !is_item {
                continue;
            }

            // A signature may go over several lines.
            let mut signature = item.to_owned();
            while !signature.ends_with(['{', ';', '}', ',']) || signature.ends_with("(,") {
                let Some(next) = lines.next() else { break };
                signature = format!("{signature} {}", next.trim());
            }
            while item.starts_with("pub fn") && !signature.ends_with(['{', ';', '}']) {
                let Some(next) = lines.next() else { break };
                signature = format!("{signature} {}", next.trim());
            }

            let signature = signature.trim_end_matches(['{', ' ', ';']);
            let inside = if line.starts_with("    ") { owner.as_str() } else { "" };
            items.push(format!("{module}: {inside}{signature}"));
        }
    }

    items.sort();
    items.join("\n") + "\n"
}

#[test]
fn the_public_api_of_each_engine_crate_is_as_recorded() {
    let engine = root().join("engine");
    let mut crates: Vec<PathBuf> =
        fs::read_dir(&engine).unwrap().map(|entry| entry.unwrap().path()).collect();
    crates.retain(|path| path.join("Cargo.toml").is_file());
    crates.sort();
    assert!(crates.len() >= 8, "{crates:?}");

    let update = std::env::var_os("ACCREDIT_UPDATE_API").is_some();
    let mut differing = Vec::new();

    for dir in crates {
        let (snapshot, items) = (dir.join("API.txt"), public_items(&dir));
        if update {
            fs::write(&snapshot, &items).unwrap();
        }

        let recorded = fs::read_to_string(&snapshot).unwrap_or_default();
        let gone = recorded.lines().filter(|line| !items.lines().any(|item| item == *line));
        let new = items.lines().filter(|item| !recorded.lines().any(|line| line == *item));
        differing.extend(gone.map(|line| format!("gone: {line}")));
        differing.extend(new.map(|line| format!("new: {line}")));
    }

    assert!(differing.is_empty(), "run with ACCREDIT_UPDATE_API=1: {differing:#?}");
}
