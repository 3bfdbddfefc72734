//! The goldens and the case files of the library hold, in one process and in seconds.
//!
//! `accredit test` runs the same files through the program. These runs are for people who change
//! the engine: no host is built for them, and `tests/mutants/run` asks them about each fault that it puts in.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a case file that cannot be read fails the test"
)]

use std::fs;
use std::path::{Path, PathBuf};

use accredit_cases::{CaseOptions, run_case_files};
use accredit_workspace::Files;

/// The case files of a folder and of those below it, in the order of their names.
fn case_files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            case_files_below(&path, found);
        } else if path.to_string_lossy().ends_with(".cases.md") {
            found.push(path);
        }
    }
}

/// Runs every case file of folders that bring their own directory.
fn check_folders(folders: &[&str], at_least: usize) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut paths = Vec::new();
    for folder in folders {
        case_files_below(&repository.join(folder), &mut paths);
    }

    let texts: Vec<(String, String)> = paths
        .iter()
        .map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap()))
        .collect();
    let files: Vec<(&str, &str)> =
        texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let run = run_case_files(
        &Files::new(),
        &files,
        &CaseOptions { threads: 2, ..CaseOptions::default() },
    );

    let mut count = 0;
    for file in &run.files {
        let outcomes =
            file.outcomes.as_ref().unwrap_or_else(|found| panic!("{}: {found:?}", file.path));
        for outcome in outcomes {
            count += 1;
            assert!(
                outcome.failures.is_empty(),
                "{}, {}: {:?}",
                file.path,
                outcome.name,
                outcome.failures
            );
        }
    }
    assert!(count >= at_least, "only {count} cases");
}

#[test]
fn goldens_hold() {
    check_folders(&["tests/fixtures/goldens"], 150);
}

#[test]
fn cases_of_the_library_hold() {
    let kinds = ["value", "duplication", "rollup", "hold", "crediting", "filter"];
    let folders: Vec<String> = kinds.iter().map(|kind| format!("scripts/{kind}")).collect();
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    check_folders(&folders, 60);
}
