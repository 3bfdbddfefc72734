//! A set of files on its way into force: checked, its cases run, and whether this build can serve it.
//!
//! Not the activation itself (`activation`). Called by it, by `shadow` and by the first start.
//!
//! **Architecture invariant:** nothing here writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use accredit_cases as cases;
use accredit_domain::diagnostic::Diagnostic;
use accredit_domain::limits::MoneyEffect;
use accredit_workspace::{Files, Ruleset};

use crate::connectors::source_findings;
use crate::context::Context;
use crate::error::OperationError;
use crate::zone;

/// A set of files that check and all cases find sound.
pub struct CheckedRuleset {
    /// The ruleset that the files define.
    pub ruleset: Ruleset,
    /// How many cases ran.
    pub cases: usize,
    /// What is odd and keeps nothing out: what reading finds in all files, and what cases, the time zone
    /// and connectors show in those that change.
    pub warnings: Vec<Diagnostic>,
    /// What it moves, once it was compared with what is in force.
    pub money: MoneyEffect,
}

/// Columns that were received.
///
/// # Errors
/// When the data cannot be read.
pub(crate) fn known_columns(context: &Context) -> Result<BTreeSet<String>, OperationError> {
    Ok(context.ledger.known_columns()?)
}

/// The ruleset of `files`, if it is sound and this build can serve it; writes nothing.
pub fn build_candidate<'a>(
    context: &Context,
    files: &Files,
    changed: impl Iterator<Item = &'a String>,
) -> Result<CheckedRuleset, OperationError> {
    // Columns that were received are known; before any was, a column may have any name.
    let columns = known_columns(context)?;
    let changed: BTreeSet<&String> = changed.collect();
    let checked = check_files(files, &columns, changed.iter().copied());
    let mut checked = checked.map_err(OperationError::Check)?;

    let unknown = source_findings(&checked.ruleset, context.surroundings.connectors());
    if unknown.iter().any(Diagnostic::is_error) {
        return Err(OperationError::Check(unknown));
    }
    let touched = unknown.into_iter().filter(|one| changed.contains(&one.place.file));
    checked.warnings.extend(touched);
    Ok(checked)
}

/// How many cases there are, and what they find: a change may break the case of a file that it
/// leaves alone.
fn run_cases(files: &Files, columns: &BTreeSet<String>) -> (usize, Vec<Diagnostic>) {
    let cases = files.iter().filter(|(path, _)| path.ends_with(".cases.md"));
    let cases: Vec<(&str, &str)> =
        cases.map(|(path, text)| (path.as_str(), text.as_ref())).collect();
    let options = cases::CaseOptions { columns: columns.clone(), ..cases::CaseOptions::default() };
    let run = cases::run_case_files(files, &cases, &options);
    let count = run.files.iter().flat_map(|file| &file.outcomes).map(Vec::len).sum();
    let found = run.files.into_iter().map(|file| match file.outcomes {
        Ok(outcomes) => outcomes.into_iter().flat_map(|outcome| outcome.failures).collect(),
        Err(errors) => errors,
    });
    (count, found.flat_map(|failures: Vec<Diagnostic>| failures).collect())
}

/// The ruleset of `files`, if check and, when anything `changed`, the cases find no error.
pub fn check_files<'a>(
    files: &Files,
    columns: &BTreeSet<String>,
    changed: impl Iterator<Item = &'a String>,
) -> Result<CheckedRuleset, Vec<Diagnostic>> {
    let changed: BTreeSet<&str> = changed.map(String::as_str).collect();
    let touched = |one: &Diagnostic| changed.contains(one.place.file.as_str());

    let (mut ruleset, mut diagnostics) = Ruleset::read(files, columns);

    if ruleset.is_none() {
        // A file in force may read a column that was never delivered yet: that is for check to say
        // about a file that changes, not a reason to keep others from changing.
        let (any_column, findings) = Ruleset::read(files, &BTreeSet::new());
        diagnostics.retain(|one| touched(one) || findings.contains(one));
        if !diagnostics.iter().any(Diagnostic::is_error) {
            ruleset = any_column;
        }
    }

    let Some(ruleset) = ruleset else { return Err(diagnostics) };

    // Without a change these are files that were activated, whose cases held then.
    let found_by_reading = diagnostics.len();
    let mut cases = 0;
    if !changed.is_empty() {
        diagnostics.extend(zone::unknown_zone(&ruleset));
        let (count, findings) = run_cases(files, columns);
        diagnostics.extend(findings);
        cases = count;
    }

    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    // An older finding of a case in a file that stays is not the fault of this change.
    let others = diagnostics.split_off(found_by_reading);
    diagnostics.extend(others.into_iter().filter(touched));
    let warnings = diagnostics;
    Ok(CheckedRuleset { ruleset, cases, warnings, money: MoneyEffect::default() })
}

/// The files with the changes laid over them.
pub fn with_changes(files: &Files, changes: &BTreeMap<String, Option<Arc<str>>>) -> Files {
    let mut files = files.clone();
    for (path, text) in changes {
        match text {
            Some(text) => files.insert(path.clone(), Arc::clone(text)),
            None => files.remove(path),
        };
    }
    files
}
