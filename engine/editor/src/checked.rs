//! Everything that is wrong with the files of a directory, for `accredit check` and for editors alike.
//!
//! Not the deals of the directory, which are no definitions (`accredit check` reads them), and not what
//! the cases come to (`case_run`).

use std::collections::BTreeSet;

use accredit_cases as cases;
use accredit_domain::diagnostic::{Code, Diagnostic, Severity};
use accredit_operations::connectors::source_findings;
use accredit_operations::zone;
use accredit_script::machine::find_fallbacks;
use accredit_workspace::{Files, Ruleset};
use serde::Serialize;
use utoipa::ToSchema;

use crate::EditorWorkspace;
use crate::text::{TextRange, marked_range};

/// Findings that are handed out of one check: a text that is nothing of the kind has one in every line.
pub const FINDINGS_MAX: usize = 500;

/// The files of a directory, checked.
pub struct CheckedFiles {
    /// The ruleset that they define; none where a finding of reading them is an error.
    pub ruleset: Option<Ruleset>,
    /// What is wrong, in no order.
    pub findings: Vec<Diagnostic>,
}

/// Checks definitions and case files.
pub fn check_definitions(workspace: &EditorWorkspace) -> CheckedFiles {
    let files = &workspace.files;
    let (ruleset, mut findings) = Ruleset::read(files, &workspace.columns);

    if let Some(ruleset) = &ruleset {
        findings.extend(zone::unknown_zone(ruleset));
        findings.extend(source_findings(ruleset, workspace.connectors));
    }

    let cases = files.iter().filter(|(path, _)| path.ends_with(".cases.md"));
    findings.extend(
        cases.filter_map(|(path, text)| cases::parse_case_file(path, text).err()).flatten(),
    );
    findings.extend(ruleset.iter().flat_map(uncompiled_functions));

    CheckedFiles { ruleset, findings }
}

/// Functions of policies and expressions that the interpreter runs, with the reason.
fn uncompiled_functions(ruleset: &Ruleset) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, program) in ruleset.programs.iter() {
        for fallback in find_fallbacks(program) {
            let what = match fallback.function.as_str() {
                "" => "this program".to_owned(),
                function => format!("`{function}`"),
            };
            let message =
                format!("{what} is not compiled: the compiler does not know {}", fallback.reason);
            let help = "nothing has to be done: the interpreter gives the same answers, slower";
            found.push(Diagnostic::hint(Code::CR100, fallback.place, message).with_help(help));
        }
    }

    // A shared function belongs to several policies.
    found.sort_by(|a, b| (&a.place, &a.message).cmp(&(&b.place, &b.message)));
    found.dedup();
    found
}

/// A finding with the part of the text that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EditorFinding {
    /// The code, as in `scripts/errors/`.
    #[schema(value_type = String)]
    pub code: Code,
    /// `error`, `warning` or `hint`.
    #[schema(value_type = String)]
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Path of the file.
    pub file: String,
    /// The part of the file.
    pub range: TextRange,
}

impl EditorFinding {
    /// A finding in these files.
    pub fn new(files: &Files, finding: Diagnostic) -> EditorFinding {
        let text = files.get(&finding.place.file).map_or("", AsRef::as_ref);
        let range = marked_range(text, &finding.place);
        let Diagnostic { code, severity, place, message, help } = finding;
        EditorFinding { code, severity, message, help, file: place.file, range }
    }
}

/// What is wrong with files of which only those at `changed` differ from files in force, by file and place;
/// and the ruleset that they define. A file in force may read a column that was never delivered yet, which
/// says nothing against the others.
pub fn check_changed(
    workspace: &EditorWorkspace,
    changed: &BTreeSet<String>,
) -> (Option<Ruleset>, Vec<EditorFinding>) {
    let mut checked = check_definitions(workspace);

    if checked.ruleset.is_none() {
        let any_column = EditorWorkspace { columns: BTreeSet::new(), ..workspace.clone() };
        let open = check_definitions(&any_column);
        let counts =
            |one: &Diagnostic| changed.contains(&one.place.file) || open.findings.contains(one);
        checked.findings.retain(counts);
        if !checked.findings.iter().any(Diagnostic::is_error) {
            checked.ruleset = open.ruleset;
        }
    }
    finish_check(workspace, checked)
}

fn finish_check(
    workspace: &EditorWorkspace,
    checked: CheckedFiles,
) -> (Option<Ruleset>, Vec<EditorFinding>) {
    let CheckedFiles { ruleset, mut findings } = checked;
    findings.extend(ruleset.iter().flat_map(Ruleset::unused_declarations));
    let is_sound = !findings.iter().any(Diagnostic::is_error);
    (ruleset.filter(|_| is_sound), placed_findings(&workspace.files, findings))
}

/// Findings with their ranges, the worst first where there are too many to show.
pub fn placed_findings(files: &Files, mut findings: Vec<Diagnostic>) -> Vec<EditorFinding> {
    if findings.len() > FINDINGS_MAX {
        findings.sort_by(|a, b| (a.severity, &a.place).cmp(&(b.severity, &b.place)));
        findings.truncate(FINDINGS_MAX);
    }
    findings.sort_by(|a, b| a.place.cmp(&b.place));
    findings.into_iter().map(|finding| EditorFinding::new(files, finding)).collect()
}
