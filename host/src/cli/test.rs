//! `accredit test`: runs the case files of a directory.

use std::path::{Path, PathBuf};

use accredit_engine::cases;
use accredit_engine::diagnostic::Diagnostic;
use accredit_engine::workspace::Files;

use crate::cli::output::{self, EXIT_FAILED, EXIT_NOTHING, EXIT_OK, Format};
use crate::cli::report;
use crate::directory;

/// Runs case files.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A customer's directory, or any folder of case files that bring their own directory.
    dir: PathBuf,
    /// Format on standard output.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Runs the verb: exit 1 when a case fails, 3 when there is none.
pub(crate) fn run(arguments: &Arguments) -> u8 {
    let found = match find(&arguments.dir) {
        Ok(found) => found,
        Err(error) => {
            eprintln!("error: {error}");
            return EXIT_FAILED;
        }
    };
    let customer = found.contains_key("accredit.toml");
    let base = if customer { found.clone() } else { Files::new() };
    let mut failures: Vec<Diagnostic> = Vec::new();
    let mut count = 0;
    for (path, text) in found.iter().filter(|(path, _)| path.ends_with(".cases.md")) {
        match cases::run(&base, path, text) {
            Ok(outcomes) => {
                count += outcomes.len();
                for outcome in outcomes {
                    if arguments.format != Format::Json {
                        let word = if outcome.failures.is_empty() { "ok    " } else { "FAILED" };
                        output::line(&format!("{word} {path}: {}", outcome.name));
                    }
                    failures.extend(outcome.failures);
                }
            }
            Err(errors) => failures.extend(errors),
        }
    }
    match arguments.format {
        Format::Json => output::json(&failures),
        _ => output::line(&report::text(&found, &failures)),
    }
    eprintln!("{count} cases, {} failures", failures.len());
    match (failures.is_empty(), count) {
        (false, _) => EXIT_FAILED,
        (true, 0) => EXIT_NOTHING,
        (true, _) => EXIT_OK,
    }
}

/// A customer's definitions, or every case file below a folder.
fn find(dir: &Path) -> Result<Files, directory::Unreadable> {
    if dir.join("accredit.toml").is_file() {
        directory::definitions(dir)
    } else {
        directory::case_files(dir)
    }
}
