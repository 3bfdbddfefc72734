//! `accredit check`: everything that is wrong with a customer's directory, in one pass.

use std::path::PathBuf;

use accredit_engine::diagnostic::{Diagnostic, Place};
use accredit_engine::workspace::{Files, Ruleset};

use crate::cli::output::{self, EXIT_FAILED, EXIT_OK, Format};
use crate::cli::report;
use crate::directory;

/// Checks a customer's directory.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A customer's directory.
    dir: PathBuf,
    /// Format on standard output.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Runs the verb: exit 1 when something is an error.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let (files, diagnostics) = check(arguments);
    match arguments.format {
        Format::Json => output::json(&diagnostics),
        Format::Csv => {
            let rows: Vec<_> =
                diagnostics.iter().filter_map(|d| serde_json::to_value(d).ok()).collect();
            let columns = ["code", "severity", "file", "line", "column", "message", "help"];
            output::csv(&columns, &rows);
        }
        Format::Table => output::line(report::text(&files, &diagnostics).trim_end()),
    }
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let warnings = diagnostics.len() - errors;
    eprintln!("{}: {errors} errors, {warnings} warnings", arguments.dir.display());
    if errors > 0 { EXIT_FAILED } else { EXIT_OK }
}

fn check(arguments: &Arguments) -> (Files, Vec<Diagnostic>) {
    let files = match directory::definitions(&arguments.dir) {
        Ok(files) => files,
        Err(error) => {
            let place = Place::file(error.path.display().to_string());
            return (Files::new(), vec![Diagnostic::error("CR050", place, error.message)]);
        }
    };
    let own = arguments.dir.join("transactions");
    let mut unread = Vec::new();
    let rows = match own.is_dir().then(|| directory::rows(&own)).transpose() {
        Ok(rows) => rows.unwrap_or_default(),
        Err(error) => {
            let path = error.path.strip_prefix(&arguments.dir).unwrap_or(&error.path);
            let place = Place::file(path.display().to_string());
            unread.push(Diagnostic::error("CR030", place, error.message));
            directory::Rows::default()
        }
    };
    let (_, mut diagnostics) = Ruleset::read(&files, &rows.columns);
    diagnostics.extend(unread);
    (files, diagnostics)
}
