//! `accredit test`: runs the case files of a directory, rewrites them, measures what they reach.
//!
//! Not running a case (the engine's). Exit 1 when a case fails or too little is reached, 3 when
//! there is no case.

mod junit;
mod reach;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use accredit_cases::{self as cases, CaseFileRun, CaseOptions, CaseOutcome, CaseRun};
use accredit_domain::decision::Decision;
use accredit_domain::diagnostic::{Code, Diagnostic};
use accredit_workspace::Files;
use clap::builder::FalseyValueParser;
use serde::Serialize;

use crate::cli::print::output::{self, DataFormat, EXIT_FAILED, EXIT_NOTHING, EXIT_OK};
use crate::cli::print::report;
use crate::directory::{self, FoundFiles};
use crate::server::clock;

/// Runs case files.
#[derive(Debug, clap::Args)]
pub(crate) struct TestArguments {
    /// A customer's directory, or any folder of case files that bring their own directory.
    dir: PathBuf,
    /// Format on standard output.
    #[arg(long, value_enum, default_value_t = DataFormat::Table)]
    format: DataFormat,
    /// Rewrite the tables of failing cases to the actual results.
    #[arg(long, env = "ACCREDIT_UPDATE_CASES", value_parser = FalseyValueParser::new())]
    update: bool,
    /// Run only cases whose heading or file contains this text.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Also write the results as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Leave times out of the JUnit file, so that equal results give equal bytes.
    #[arg(long, requires = "junit")]
    no_times: bool,
    /// Show the lines and branches of scripts that cases cover; with FILE, in lcov's format.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    coverage: Option<Option<PathBuf>>,
    /// Fail if less than this percentage of lines or branches is covered.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    threshold: Option<u8>,
    /// Show in which lines scripts spend their time.
    #[arg(long)]
    profile: bool,
    /// Write the decisions of every case, one JSON object per line, as a baseline for comparisons.
    #[arg(long, value_name = "FILE")]
    decisions: Option<PathBuf>,
    /// Number of worker threads; all cores by default.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// Runs the verb.
pub(crate) fn run(arguments: &TestArguments) -> u8 {
    match run_tests(arguments) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("error: {message}");
            EXIT_FAILED
        }
    }
}

fn run_tests(arguments: &TestArguments) -> Result<u8, String> {
    let (directory, columns) = find_cases(&arguments.dir).map_err(|error| error.to_string())?;
    let found = directory.files;
    let unread = directory.findings.into_iter().filter(Diagnostic::is_error);

    let customer = found.contains_key("accredit.toml");
    let base = if customer { found.clone() } else { Files::new() };

    let files = found.iter().filter(|(path, _)| path.ends_with(".cases.md"));
    let files: Vec<(&str, &str)> =
        files.map(|(path, text)| (path.as_str(), text.as_ref())).collect();

    let coverage = arguments.coverage.is_some() || arguments.threshold.is_some();
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);

    let options = CaseOptions {
        filter: arguments.filter.clone(),
        threads: arguments.threads.unwrap_or(cores),
        traced: coverage || arguments.profile,
        columns,
        clock: (!arguments.no_times).then_some(clock::elapsed),
    };

    let mut run = cases::run_case_files(&base, &files, &options);
    let updated =
        if arguments.update { update_tables(&arguments.dir, &found, &mut run)? } else { 0 };

    if let Some(path) = &arguments.junit {
        let xml = junit::junit_report(&run.files);
        fs::write(path, xml).map_err(|error| format!("{}: {error}", path.display()))?;
    }

    if let Some(path) = &arguments.decisions {
        let text = decision_lines(&run.files);
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }

    let (count, mut failures) = print_outcomes(arguments.format, &run.files);
    failures.splice(0..0, unread);

    match arguments.format {
        DataFormat::Json => output::print_json(&failures),
        _ => output::print_line(report::render_report(&found, &failures).trim_end()),
    }

    if updated > 0 {
        eprintln!("{updated} cases rewritten");
    }
    if let (0, Some(text)) = (count, &arguments.filter) {
        eprintln!("no heading and no file of a case contains `{text}`");
    }

    eprintln!("{count} cases, {} failures", failures.len());

    let mut enough = true;
    if coverage {
        let talk = arguments.format == DataFormat::Json;
        enough = reach::print_coverage(&run.reached, talk, arguments.threshold);
        if let Some(Some(path)) = &arguments.coverage {
            let text = reach::lcov_report(&run.reached);
            fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }

    if arguments.profile {
        reach::print_profile(&run.reached, arguments.format == DataFormat::Json);
    }

    Ok(match (failures.is_empty() && enough, count) {
        (false, _) => EXIT_FAILED,
        (true, 0) => EXIT_NOTHING,
        (true, _) => EXIT_OK,
    })
}

/// The decisions of one case, as `decision_lines` writes them.
#[derive(Debug, Serialize)]
struct CaseDecisionsView<'a> {
    /// The case file.
    file: &'a str,
    /// The heading of the case.
    case: &'a str,
    /// One for each transaction and plan.
    decisions: &'a [Decision],
}

/// Every decision of every case, a line each.
fn decision_lines(files: &[CaseFileRun]) -> String {
    let mut text = String::new();
    for file in files {
        for outcome in file.outcomes.iter().flatten() {
            let (case, decisions) = (&outcome.name, &outcome.decisions);
            let line = CaseDecisionsView { file: &file.path, case, decisions };
            text.push_str(&output::view_json(&line).to_string());
            text.push('\n');
        }
    }
    text
}

/// A customer's definitions, or every case file below a folder; and the columns of its rows.
fn find_cases(dir: &Path) -> Result<(FoundFiles, BTreeSet<String>), directory::DirectoryError> {
    if !dir.join("accredit.toml").is_file() {
        let (found, customers) = directory::case_files(dir)?;
        for folder in customers {
            let path = dir.join(folder);
            eprintln!(
                "`{0}` is a customer's directory: test it with `accredit test {0}`",
                path.display()
            );
        }
        return Ok((found, BTreeSet::new()));
    }

    // Rows that cannot be read are for `check` to report; cases bring rows of their own.
    let found = directory::find_definitions(dir)?;
    let layout = accredit_workspace::transaction_layout(&found.files);
    let rows = directory::read_rows(&dir.join("transactions"), &layout).unwrap_or_default();
    Ok((found, rows.columns))
}

/// Prints the name of each case; how many there are, and what failed.
fn print_outcomes(format: DataFormat, files: &[CaseFileRun]) -> (usize, Vec<Diagnostic>) {
    let (mut count, mut failures) = (0, Vec::new());
    for file in files {
        match &file.outcomes {
            Ok(outcomes) => {
                count += outcomes.len();
                for outcome in outcomes {
                    if format != DataFormat::Json {
                        let word = if outcome.failures.is_empty() { "ok    " } else { "FAILED" };
                        output::print_line(&format!("{word} {}: {}", file.path, outcome.name));
                    }
                    failures.extend(outcome.failures.iter().cloned());
                }
            }

            Err(errors) => failures.extend(errors.iter().cloned()),
        }
    }

    (count, failures)
}

/// Rewrites the tables of cases that failed; how many cases are true now.
fn update_tables(dir: &Path, found: &Files, run: &mut CaseRun) -> Result<usize, String> {
    let mut count = 0;
    for file in &mut run.files {
        let Ok(outcomes) = &mut file.outcomes else { continue };
        let edits: Vec<_> = outcomes.iter().flat_map(|outcome| outcome.edits.clone()).collect();
        let Some(text) = found.get(&file.path).filter(|_| !edits.is_empty()) else { continue };

        let path = dir.join(&file.path);
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());

        // Texts are read without the mark; the file keeps it if it had one.
        let mark = fs::read(&path).map_err(failed)?.starts_with("\u{feff}".as_bytes());
        let text = cases::apply_edits(text, &edits);
        let text = if mark { format!("\u{feff}{text}") } else { text };

        fs::write(&path, text).map_err(failed)?;

        for outcome in outcomes.iter_mut() {
            count += usize::from(remove_settled(outcome));
        }
    }

    Ok(count)
}

/// Takes away the failures that the rewritten tables settle; whether there were any.
fn remove_settled(outcome: &mut CaseOutcome) -> bool {
    let had = !outcome.edits.is_empty();
    if had {
        outcome.failures.retain(|failure| failure.code != Code::CR040);
    }
    had
}
