//! What is right and is changed: files of this repository.
//!
//! Called by targets.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The top of this repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The texts of all files below a folder of the repository whose name ends so, in the order of their
/// paths.
///
/// # Panics
/// Where there is no such file, or one cannot be read: a target without seeds would try nothing.
pub fn texts_below(folder: &str, ending: &str) -> Vec<String> {
    let mut paths = Vec::new();
    paths_below(&repository().join(folder), &mut paths);
    paths.retain(|path| path.to_string_lossy().ends_with(ending));
    assert!(!paths.is_empty(), "no {ending} below {folder}");
    paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// The files of a customer's directory below a folder of the repository, by path with `/`; without
/// deals.
///
/// # Panics
/// Where a file cannot be read.
pub fn directory_files(folder: &str) -> BTreeMap<String, String> {
    let top = repository().join(folder);
    let mut paths = Vec::new();
    paths_below(&top, &mut paths);

    let mut files = BTreeMap::new();
    for path in paths {
        let name = path.strip_prefix(&top).unwrap().to_string_lossy().replace('\\', "/");
        let is_definition = [".toml", ".csv", ".rhai"].iter().any(|ending| name.ends_with(ending));
        if is_definition && !name.starts_with("transactions/") {
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    files
}

fn paths_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            paths_below(&path, found);
        } else {
            found.push(path);
        }
    }
}
