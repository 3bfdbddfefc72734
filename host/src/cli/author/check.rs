//! `accredit check`: everything that is wrong with a customer's directory, in one pass; with
//! `--watch` again whenever a file changes.

mod cells;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use accredit_domain::diagnostic::{Diagnostic, Severity};
use accredit_editor::EditorWorkspace;
use accredit_editor::checked::{self, CheckedFiles};
use accredit_operations::suspect;
use accredit_workspace::{self as workspace, Files, Ruleset};
use clap::ValueEnum;
use notify_debouncer_full::new_debouncer;
use notify_debouncer_full::notify::RecursiveMode;

use crate::cli::print::output::{self, EXIT_FAILED, EXIT_OK};
use crate::cli::print::report;
use crate::cli::print::sarif;
use crate::directory;
use crate::directory::FoundFiles;
use crate::directory::watch::{DirectoryIdentity, LOOK_EVERY, is_replaced, is_written};
use crate::plugins;

/// Changes within this time are one change: editors write a file in several steps.
const DEBOUNCE: Duration = Duration::from_millis(100);

/// Checks a customer's directory.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArguments {
    /// A customer's directory.
    dir: PathBuf,
    /// Format on standard output.
    #[arg(long, value_enum, default_value_t = FindingFormat::Table)]
    format: FindingFormat,
    /// Check again whenever a file of the directory changes, until interrupted.
    #[arg(long)]
    watch: bool,
}

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FindingFormat {
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
    /// For people.
    Table,
    /// For CI systems: SARIF 2.1.0.
    Sarif,
}

/// Runs the verb: exit 1 when something is an error.
pub(crate) fn run(arguments: &CheckArguments) -> u8 {
    if !arguments.watch {
        return check_once(arguments);
    }
    match watch_directory(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: `{}` cannot be watched: {error}", arguments.dir.display());
            EXIT_FAILED
        }
    }
}

/// Checks again and again, also a directory that was replaced, until interrupted.
fn watch_directory(arguments: &CheckArguments) -> Result<u8, String> {
    let (changed, changes) = mpsc::channel();
    let mut watched: Option<DirectoryIdentity> = None;
    let mut events = None;
    let mut code = EXIT_OK;

    loop {
        match DirectoryIdentity::identity_of(&arguments.dir) {
            Ok(place) if watched.as_ref() == Some(&place) => (),

            Ok(place) => {
                let debouncer = new_debouncer(DEBOUNCE, None, changed.clone());
                let mut debouncer = debouncer.map_err(|error| error.to_string())?;
                let watching = debouncer.watch(&place.path, RecursiveMode::Recursive);
                watching.map_err(|error| error.to_string())?;
                (watched, events) = (Some(place), Some(debouncer));
                code = check_once(arguments);
            }

            // A directory that was never there is a mistake; one that is gone may come back.
            Err(error) if events.is_none() && watched.is_none() && code == EXIT_OK => {
                return Err(error.to_string());
            }

            Err(error) => {
                if watched.take().is_some() {
                    eprintln!("error: `{}`: {error}", arguments.dir.display());
                    (events, code) = (None, EXIT_FAILED);
                }
            }
        }

        match changes.recv_timeout(LOOK_EVERY) {
            Ok(change) => {
                if watched.as_ref().is_some_and(|place| is_replaced(&change, &place.path)) {
                    watched = None;
                } else if is_written(&change) {
                    code = check_once(arguments);
                }
            }

            Err(RecvTimeoutError::Timeout) => (),
            Err(RecvTimeoutError::Disconnected) => return Ok(code),
        }
    }
}

fn check_once(arguments: &CheckArguments) -> u8 {
    let (files, diagnostics) = check_directory(&arguments.dir);
    match arguments.format {
        FindingFormat::Json => output::print_json(&diagnostics),
        FindingFormat::Sarif => output::print_json(&sarif::sarif_log(&diagnostics)),

        FindingFormat::Csv => {
            let rows: Vec<_> =
                diagnostics.iter().filter_map(|d| serde_json::to_value(d).ok()).collect();
            let columns = ["code", "severity", "file", "line", "column", "message", "help"];
            output::print_csv(&columns, &rows);
        }

        FindingFormat::Table if diagnostics.is_empty() => (),
        FindingFormat::Table => {
            output::print_line(report::render_report(&files, &diagnostics).trim_end())
        }
    }

    let count = |severity| diagnostics.iter().filter(|found| found.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let hints = match count(Severity::Hint) {
        0 => String::new(),
        hints => format!(", {hints} hints"),
    };

    eprintln!("{}: {errors} errors, {warnings} warnings{hints}", arguments.dir.display());

    if let (FindingFormat::Table, Some(first)) = (arguments.format, diagnostics.first()) {
        eprintln!("`accredit explain {}` tells more about a code", first.code);
    }

    if errors > 0 { EXIT_FAILED } else { EXIT_OK }
}

/// Every finding about the directory, hints last.
fn check_directory(dir: &Path) -> (Files, Vec<Diagnostic>) {
    let content = DirectoryContent::read(dir);
    let workspace = content.workspace(content.found.files.clone());
    let found = content.find_findings(&workspace);
    (workspace.files, found)
}

/// What is in a directory, read once: an editor lays what is typed over its files.
#[derive(Debug, Default)]
pub(crate) struct DirectoryContent {
    /// The definitions.
    pub(crate) found: FoundFiles,
    /// The deals of `transactions/`.
    rows: directory::DirectoryRows,
    /// What cannot be read at all.
    unread: Vec<Diagnostic>,
    /// Files that are none of its kinds.
    strays: Vec<String>,
}

impl DirectoryContent {
    /// Reads a directory; what cannot be read is a finding.
    pub(crate) fn read(dir: &Path) -> DirectoryContent {
        let found = match directory::find_definitions(dir) {
            Ok(found) => found,
            Err(error) => {
                let unread = vec![error.into_finding(dir)];
                return DirectoryContent { unread, ..DirectoryContent::default() };
            }
        };

        let own = dir.join("transactions");
        let layout = workspace::transaction_layout(&found.files);
        let rows = own.is_dir().then(|| directory::read_rows(&own, &layout)).transpose();
        let (rows, unread) = match rows {
            Ok(rows) => (rows.unwrap_or_default(), Vec::new()),
            Err(error) => (directory::DirectoryRows::default(), vec![error.into_finding(dir)]),
        };

        let strays = directory::stray_files(dir, &found.files).unwrap_or_default();
        DirectoryContent { found, rows, unread, strays }
    }

    /// Some files, with what is known beside them.
    pub(crate) fn workspace(&self, files: Files) -> EditorWorkspace {
        let (columns, connectors) = (self.rows.columns.clone(), plugins::connectors());
        EditorWorkspace { files, columns, connectors }
    }

    /// Every finding about the files of a workspace and the deals of this directory, hints last.
    pub(crate) fn find_findings(&self, workspace: &EditorWorkspace) -> Vec<Diagnostic> {
        // There is no directory: nothing else can be said.
        if workspace.files.is_empty() && !self.unread.is_empty() {
            return self.unread.clone();
        }

        let CheckedFiles { ruleset, findings } = checked::check_definitions(workspace);
        let mut found = findings;
        found.extend(self.unread.iter().cloned());
        found.extend(workspace::unrecognized_files(self.strays.iter().map(String::as_str)));
        if let Some(ruleset) = &ruleset {
            found.extend(cells::cell_findings(ruleset, &self.rows.records));
            found.extend(suspicious_rows(ruleset, &self.rows));
        }

        // What else is wrong with a file that is no text follows from that.
        let as_read = |one: &&Diagnostic| {
            let file = one.place.file.as_str();
            workspace.files.get(file) == self.found.files.get(file)
        };
        let unreadable: Vec<&Diagnostic> = self.found.findings.iter().filter(as_read).collect();
        let broken: Vec<&str> = unreadable
            .iter()
            .filter(|one| one.is_error())
            .map(|one| one.place.file.as_str())
            .collect();
        found.retain(|one| !broken.contains(&one.place.file.as_str()));
        found.extend(unreadable.into_iter().cloned());
        found.sort_by(|a, b| a.place.cmp(&b.place));
        found.extend(ruleset.iter().flat_map(Ruleset::unused_declarations));
        found
    }
}

/// Findings about rows that can be read and yet are not what a person meant.
fn suspicious_rows(ruleset: &Ruleset, rows: &directory::DirectoryRows) -> Vec<Diagnostic> {
    let mut found = suspect::row_findings(ruleset, || rows.placed_rows());
    for source in &rows.sources {
        let fields = &ruleset.settings.fields;
        if !source.columns.is_empty() {
            found.extend(suspect::header_findings(fields, &source.name, &source.columns));
        }
        found.extend(
            source.detected.map(|delimiter| suspect::delimiter_finding(&source.name, delimiter)),
        );
    }

    for finding in &mut found {
        finding.place.file = format!("transactions/{}", finding.place.file);
    }
    found
}
