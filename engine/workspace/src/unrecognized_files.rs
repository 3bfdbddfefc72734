//! Files that nothing reads, which are most often misnamed.
//!
//! Not an inventory: notes in Markdown and files outside the folders of the format are the
//! customer's own business. Called by `Ruleset::read`, and by the host for files that are not
//! definitions by their names.
//!
//! **Architecture invariant:** a file that looks like a definition either defines something or is
//! reported.

use super::organization::ORGANIZATION_FILES;
use super::report::Findings;
use super::{Files, is_definition};
use accredit_domain::diagnostic::{Code, Diagnostic, Place, did_you_mean};

/// Folders that belong to the format.
const FOLDERS: [&str; 4] = ["organization", "plans", "policies", "tables"];

/// The folder of rows, which are no definitions.
const ROWS: &str = "transactions";

/// Endings of definition files.
const ENDINGS: [&str; 3] = [".toml", ".csv", ".rhai"];

/// Which bundles are installed: kept beside the definitions, and none itself.
const BUNDLES: &str = "plugins.lock.toml";

/// Reports files that nothing reads.
pub(super) fn warn_unrecognized(files: &Files, report: &Findings) {
    for path in files.keys() {
        if !is_definition(path) && is_suspicious(path) {
            report.push(unrecognized_file(path));
        }
    }
}

fn unrecognized_file(path: &str) -> Diagnostic {
    let message = format!("nothing reads `{path}`");
    Diagnostic::warning(Code::CR050, Place::whole_file(path), message)
        .with_help(unrecognized_help(path))
}

/// Findings for `paths` inside a customer's directory that were not read for their names: what is
/// in a folder of the format, or in one with a misspelt name.
pub fn unrecognized_files<'a>(paths: impl IntoIterator<Item = &'a str>) -> Vec<Diagnostic> {
    let meant = |path: &str| {
        let folder = path.split_once('/').map_or("", |(folder, _)| folder);
        let name = path.rsplit('/').next().unwrap_or(path);
        let own = name.starts_with('.') || name.ends_with(".md") || is_leftover(name);
        let slip = did_you_mean(folder, FOLDERS.into_iter().chain([ROWS])).is_some();
        !own && (FOLDERS.contains(&folder) || folder == ROWS || slip)
    };
    paths.into_iter().filter(|path| meant(path)).map(unrecognized_file).collect()
}

/// Reports case files that stand beside nothing: a policy or plan was renamed, or the file misnamed.
pub(super) fn warn_orphan_cases(files: &Files, report: &Findings) {
    let stem = |path: &str| path.strip_suffix(".cases.md").map(str::to_owned);
    let defines = |path: &&String| is_definition(path);

    let stems: Vec<&str> = files
        .keys()
        .filter(defines)
        .filter_map(|path| path.rsplit_once('.').map(|(stem, _)| stem))
        .collect();

    for path in files.keys().filter(|path| FOLDERS.iter().any(|folder| path.starts_with(folder))) {
        let Some(stem) = stem(path).filter(|stem| !stems.contains(&stem.as_str())) else {
            continue;
        };

        let message = format!("`{path}` has no plan or policy beside it");
        let help = did_you_mean(&stem, stems.iter().copied()).unwrap_or_else(|| {
            "its name is that of the plan or policy, and `.cases.md`".to_owned()
        });
        report.push(
            Diagnostic::warning(Code::CR050, Place::whole_file(path), message).with_help(help),
        );
    }
}

fn is_suspicious(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let folder = path.split_once('/').map_or("", |(folder, _)| folder);
    let own = name.starts_with('.') || name.ends_with(".md") || path == BUNDLES;
    if own || folder == ROWS {
        return false;
    }
    FOLDERS.contains(&folder) || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Whether an editor or a spreadsheet left it behind.
fn is_leftover(name: &str) -> bool {
    name.ends_with(['~', '#']) || name.starts_with(['~', '#']) || name.ends_with(".swp")
}

/// What is wrong with the ending of a name, if anything.
fn ending_help(path: &str) -> Option<String> {
    let lower = path.to_lowercase();
    let ending = [".csv", ".toml", ".rhai", ".md"].into_iter().find(|one| lower.contains(*one));
    match (lower.rsplit_once('.').map(|(_, ending)| ending), ending) {
        (Some("xlsx" | "xls" | "ods" | "numbers"), _) => {
            Some("export the sheet as `CSV UTF-8`, with commas".to_owned())
        }
        (_, Some(ending)) if !path.ends_with(ending) => {
            Some(format!("the name must end with `{ending}`, in small letters"))
        }
        _ => None,
    }
}

fn unrecognized_help(path: &str) -> String {
    if let Some(advice) = ending_help(path) {
        return advice;
    }

    let known = ORGANIZATION_FILES.into_iter().chain(["accredit.toml"]);
    let folder = path.split_once('/').map_or("", |(folder, _)| folder);
    let folders = FOLDERS.into_iter().chain([ROWS]);

    did_you_mean(path, known).or_else(|| did_you_mean(folder, folders)).unwrap_or_else(|| {
        match folder {
            "plans" => "a plan is a file plans/NAME.toml".to_owned(),
            "policies" => "a policy is a file policies/KIND/NAME.rhai".to_owned(),
            "tables" => "a table is a file tables/NAME.csv, declared in accredit.toml".to_owned(),
            ROWS => "rows are in transactions/NAME.csv or NAME.ndjson".to_owned(),
            _ => "rename it or remove it from the directory".to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misnamed_files_are_reported_and_leftovers_are_not() {
        let help = |path: &str| {
            unrecognized_files([path]).into_iter().next().and_then(|finding| finding.help)
        };
        assert!(help("organization/participants.xlsx").unwrap().contains("CSV UTF-8"));
        assert!(help("organization/Teams.CSV").unwrap().contains("`.csv`"));
        assert!(help("plans/reps.toml.txt").unwrap().contains("`.toml`"));
        assert_eq!(help("plans/reps.toml~"), None);
    }
}
