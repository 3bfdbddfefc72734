//! The cases of one file run on the files of an editor: all of them, or the one under the cursor.
//!
//! Not how a case is run (`cases`).

use accredit_cases::{CaseOptions, CaseOutcome, parse_case_file, run_case_files};
use serde::Serialize;
use utoipa::ToSchema;

use crate::EditorWorkspace;
use crate::checked::{EditorFinding, placed_findings};

/// What came of a case, or of one example of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CaseVerdict {
    /// The heading; of an example, with its first cell.
    pub name: String,
    /// Line of the heading or of the example, from 1.
    pub line: u32,
    /// Whether it came out as written.
    pub passed: bool,
    /// What came out otherwise.
    pub failures: Vec<EditorFinding>,
}

/// The headings of a case file with their lines, as far as it can be read.
pub fn case_headings(path: &str, text: &str) -> Vec<(String, u32)> {
    match parse_case_file(path, text) {
        Ok(file) => file.cases.into_iter().map(|case| (case.name, case.line)).collect(),
        Err(_) => Vec::new(),
    }
}

/// Runs the cases of the file at `path`; with a line, only the case to which the line belongs.
///
/// # Errors
/// What cannot be understood in the file.
pub fn run_cases(
    workspace: &EditorWorkspace,
    path: &str,
    line: Option<u32>,
) -> Result<Vec<CaseVerdict>, Vec<EditorFinding>> {
    let files = &workspace.files;
    let text = files.get(path).map_or("", AsRef::as_ref);

    let headings = case_headings(path, text);
    let wanted = line.and_then(|line| headings.iter().rfind(|(_, start)| *start <= line));
    let end = wanted.map(|(_, start)| {
        let behind = headings.iter().map(|(_, line)| *line).find(|line| line > start);
        (*start, behind.unwrap_or(u32::MAX))
    });
    if line.is_some() && wanted.is_none() && !headings.is_empty() {
        return Ok(Vec::new());
    }

    let options = CaseOptions {
        filter: wanted.map(|(name, _)| name.clone()),
        columns: workspace.columns.clone(),
        ..CaseOptions::default()
    };

    let mut run = run_case_files(files, &[(path, text)], &options);
    let outcomes = match run.files.pop().map(|file| file.outcomes) {
        Some(Ok(outcomes)) => outcomes,
        Some(Err(findings)) => return Err(placed_findings(files, findings)),
        None => Vec::new(),
    };

    // Another case may have the text of this heading in its own.
    let is_wanted =
        |one: &CaseOutcome| end.is_none_or(|(start, behind)| (start..behind).contains(&one.line));
    let outcomes = outcomes.into_iter().filter(is_wanted);
    Ok(outcomes.map(|one| verdict_of(workspace, one)).collect())
}

fn verdict_of(workspace: &EditorWorkspace, outcome: CaseOutcome) -> CaseVerdict {
    CaseVerdict {
        name: outcome.name,
        line: outcome.line,
        passed: outcome.failures.is_empty(),
        failures: placed_findings(&workspace.files, outcome.failures),
    }
}
