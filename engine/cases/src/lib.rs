//! Case files: literate Markdown beside a policy or a plan that says what must come out.
//!
//! One reader and five uses: documentation, `accredit test`, the gate of activation, the baseline
//! that `--update` rewrites, and decisions of production that are kept as cases. Not a test runner
//! of the program: consultants write these. The format is described in `scripts/cases.md`.
//!
//! **Architecture invariant:** a case runs the same pipeline as production, on files in memory.

mod actions;
mod compare;
mod delivered;
mod document;
mod keep;
mod page;
mod parse;
mod reach;
mod rows;
mod run;
mod sheet;
#[cfg(test)]
mod tests;
mod update;

use std::collections::BTreeSet;
use std::time::Duration;

use accredit_domain::decision::Decision;
use accredit_domain::diagnostic::Diagnostic;
use accredit_workspace::Files;

pub use document::{CaseBlock, CaseDefinition, CaseFile, CaseTable};
pub use keep::{CaseExport, export_case};
pub use page::{PageInputs, PlanPage, plan_pages};
pub use parse::parse_case_file;
pub use reach::{ReachedFile, ReachedFiles, ReachedLine};
pub use update::{TableEdit, apply_edits};

/// How cases are run.
#[derive(Debug, Clone, Default)]
pub struct CaseOptions {
    /// Only cases whose heading, or whose file's path, contains this.
    pub filter: Option<String>,
    /// The number of worker threads. Zero means one.
    pub threads: usize,
    /// Columns of the customer's transactions: a case need not repeat those that it says nothing
    /// about. Without any, no column is unknown to a case of a customer's directory.
    pub columns: BTreeSet<String>,
    /// Whether lines and branches that run are counted, which is slower.
    pub traced: bool,
    /// A clock that only grows, from the caller, where the time of each case is wanted; the engine
    /// has none.
    pub clock: Option<fn() -> Duration>,
}

/// What came of all files.
#[derive(Debug, Default)]
pub struct CaseRun {
    /// Files in the order given.
    pub files: Vec<CaseFileRun>,
    /// What was reached; nothing unless it was asked for.
    pub reached: ReachedFiles,
}

/// What came of one file.
#[derive(Debug)]
pub struct CaseFileRun {
    /// Path of the case file, relative to the directory.
    pub path: String,
    /// The file's cases in order, or why it cannot be understood.
    pub outcomes: Result<Vec<CaseOutcome>, Vec<Diagnostic>>,
}

/// What came of one case, or of one example of a case.
#[derive(Debug, Clone, Default)]
pub struct CaseOutcome {
    /// Heading of the case; of an example, with its first cell.
    pub name: String,
    /// Line of the heading, or of the example.
    pub line: u32,
    /// The failures. The list is empty if the case passed.
    pub failures: Vec<Diagnostic>,
    /// How long it took, where the caller brought a clock.
    pub took: Option<Duration>,
    /// What would make its tables true.
    pub edits: Vec<TableEdit>,
    /// What was decided: a baseline that later runs can be compared with, byte for byte.
    pub decisions: Vec<Decision>,
}

/// Runs every case of the case file `path` on top of the directory `base`, which is empty for the
/// standard library.
///
/// # Errors
/// What cannot be understood in the file itself.
pub fn run_case_file(
    base: &Files,
    path: &str,
    text: &str,
) -> Result<Vec<CaseOutcome>, Vec<Diagnostic>> {
    let mut run = run_case_files(base, &[(path, text)], &CaseOptions::default());
    run.files.pop().map_or_else(|| Ok(Vec::new()), |file| file.outcomes)
}

/// Runs the cases of several files, each a path and a text, over the cores.
pub fn run_case_files(base: &Files, files: &[(&str, &str)], options: &CaseOptions) -> CaseRun {
    run::run_files(base, files, options)
}
