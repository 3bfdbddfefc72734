//! Files that nothing reads, which are most often misnamed.
//!
//! Not an inventory: notes in Markdown and files outside the folders of the format are the
//! customer's own business. Called by `Ruleset::read`.
//!
//! **Architecture invariant:** a file that looks like a definition either defines something or is
//! reported.

use super::organization::READ;
use super::report::Report;
use super::{Files, definition};
use crate::diagnostic::{Diagnostic, Place, did_you_mean};

/// Folders that belong to the format.
const FOLDERS: [&str; 3] = ["organization", "plans", "policies"];

/// Endings of definition files.
const ENDINGS: [&str; 3] = [".toml", ".csv", ".rhai"];

/// Which bundles are installed: kept beside the definitions, and none itself.
const BUNDLES: &str = "plugins.lock.toml";

/// Reports files that nothing reads.
pub(super) fn warn(files: &Files, report: &Report) {
    for path in files.keys() {
        if !definition(path) && suspicious(path) {
            let message = format!("nothing reads `{path}`");
            let unread = Diagnostic::warning("CR050", Place::file(path), message);
            report.push(unread.help(advice(path)));
        }
    }
}

/// Reports case files that stand beside nothing: a policy or plan was renamed, or the file misnamed.
pub(super) fn warn_alone(files: &Files, report: &Report) {
    let stem = |path: &str| path.strip_suffix(".cases.md").map(str::to_owned);
    let defines = |path: &&String| definition(path);
    let stems: Vec<&str> = files
        .keys()
        .filter(defines)
        .filter_map(|path| path.rsplit_once('.').map(|(stem, _)| stem))
        .collect();
    for path in files.keys().filter(|path| FOLDERS.iter().any(|folder| path.starts_with(folder))) {
        let Some(stem) = stem(path).filter(|stem| !stems.contains(&stem.as_str())) else {
            continue;
        };
        let message = format!("no plan and no policy stands beside `{path}`");
        let help = did_you_mean(&stem, stems.iter().copied()).unwrap_or_else(|| {
            "its name is that of the plan or policy, and `.cases.md`".to_owned()
        });
        report.push(Diagnostic::warning("CR050", Place::file(path), message).help(help));
    }
}

fn suspicious(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let folder = path.split_once('/').map_or("", |(folder, _)| folder);
    let own = name.starts_with('.') || name.ends_with(".md") || path == BUNDLES;
    if own || folder == "transactions" {
        return false;
    }
    FOLDERS.contains(&folder) || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

fn advice(path: &str) -> String {
    let known = READ.into_iter().chain(["accredit.toml"]);
    let folder = path.split_once('/').map_or("", |(folder, _)| folder);
    did_you_mean(path, known).or_else(|| did_you_mean(folder, FOLDERS)).unwrap_or_else(|| {
        match folder {
            "plans" => "a plan stands in plans/NAME.toml".to_owned(),
            "policies" => "a policy stands in policies/KIND/NAME.rhai".to_owned(),
            _ => "rename it or take it out of the directory".to_owned(),
        }
    })
}
