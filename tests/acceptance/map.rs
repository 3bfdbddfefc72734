//! The list of files at the end of `engine/ARCHITECTURE.md`: a line of the map for every source file.
//!
//! The lines are the first sentences of the files' own documentation, so a file is described once. After
//! a change, `ACCREDIT_UPDATE_MAP=1` writes the list.

use std::fs;
use std::path::{Path, PathBuf};

/// Where the list begins.
const HEADING: &str = "## Every file\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Source files below `dir`, in order, without tests.
fn source_files(dir: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();

    for path in entries {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name == "tests" {
            continue;
        }
        if path.is_dir() {
            source_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The first sentence of a file's documentation, on one line.
fn first_sentence(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    let paragraph = lines.map(str::trim).take_while(|line| !line.is_empty());
    let paragraph = paragraph.collect::<Vec<_>>().join(" ");
    let sentence = paragraph.split_once(". ").map_or(paragraph.as_str(), |(first, _)| first);
    sentence.trim_end_matches('.').to_owned()
}

fn list_of_files() -> String {
    let root = root();
    let mut list = String::from(HEADING);
    list.push_str("\nThe first sentence of each file's documentation. Tests are left out.\n");

    let mut folders: Vec<PathBuf> = Vec::new();
    for dir in ["engine", "plugins"] {
        let crates = fs::read_dir(root.join(dir)).unwrap().map(|entry| entry.unwrap().path());
        let mut crates: Vec<PathBuf> = crates.map(|one| one.join("src")).collect();
        crates.retain(|src| src.is_dir());
        crates.sort();
        folders.extend(crates);
    }
    folders.push(root.join("host/src"));

    for folder in folders {
        let name = folder.strip_prefix(&root).unwrap().display().to_string();
        list.push_str(&format!("\n### `{name}`\n\n"));
        let mut files = Vec::new();
        source_files(&folder, &mut files);
        for path in files {
            let file = path.strip_prefix(&folder).unwrap().display().to_string();
            list.push_str(&format!("- `{file}`: {}\n", first_sentence(&path)));
        }
    }
    list
}

/// A newcomer who had only the map found few files, because it named folders.
#[test]
fn the_map_lists_every_file() {
    let path = root().join("engine/ARCHITECTURE.md");
    let text = fs::read_to_string(&path).unwrap();
    let before = text.split(HEADING).next().unwrap();
    let expected = format!("{}\n\n{}", before.trim_end(), list_of_files());

    if std::env::var_os("ACCREDIT_UPDATE_MAP").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    assert!(text == expected, "engine/ARCHITECTURE.md is old; write it with ACCREDIT_UPDATE_MAP=1");
}
