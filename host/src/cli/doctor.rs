//! `accredit doctor`: looks for what will give trouble, before it does, and says what to do.
//!
//! Not repairing. Without `--server` it looks at this machine: settings, secrets, data file, disk. With
//! it, it asks a running server. Findings go to standard output; exit code 1 if one is an error.

mod machine;
mod remote;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::cli::print::output::{self, DataFormat, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::address::ServerAccess;

/// Options of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// The data file.
    #[arg(long, value_name = "FILE", env = "ACCREDIT_DATA")]
    data: Option<PathBuf>,
    /// The folder of backups.
    #[arg(long, value_name = "DIR", env = "ACCREDIT_BACKUPS")]
    backups: Option<PathBuf>,
    /// The customer's directory.
    #[arg(long, value_name = "DIR", env = "ACCREDIT_WORKSPACE")]
    workspace: Option<PathBuf>,
    /// Ask the server at this URL, too.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Format of the findings.
    #[arg(long, value_enum, default_value = "table")]
    format: DataFormat,
    #[command(flatten)]
    access: ServerAccess,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    Ok,
    Warning,
    Error,
}

/// What was looked at, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    severity: Severity,
    /// What was looked at.
    check: &'static str,
    /// What was found, and what to do.
    found: String,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Finding {
        Finding { severity: Severity::Ok, check, found: found.into() }
    }

    fn warning(check: &'static str, found: impl Into<String>) -> Finding {
        Finding { severity: Severity::Warning, check, found: found.into() }
    }

    fn error(check: &'static str, found: impl Into<String>) -> Finding {
        Finding { severity: Severity::Error, check, found: found.into() }
    }
}

const COLUMNS: [&str; 3] = ["severity", "check", "found"];

/// Runs the verb.
pub(crate) fn run(options: &DoctorArguments) -> u8 {
    let mut findings = machine::check_settings();
    findings.extend(options.data.iter().flat_map(|data| machine::check_data(data)));
    findings.extend(options.backups.iter().flat_map(|folder| machine::check_backups(folder)));
    findings.extend(options.workspace.iter().map(|folder| machine::check_workspace(folder)));
    if let Some(url) = &options.server {
        findings.extend(remote::check_server(url, &options.access));
    }

    let rows = findings.iter().filter_map(|finding| serde_json::to_value(finding).ok());
    let rows: Vec<_> = rows.collect();
    match options.format {
        DataFormat::Json => output::print_json(&rows),
        DataFormat::Csv => output::print_csv(&COLUMNS, &rows),
        DataFormat::Table => output::print_table(&COLUMNS, &rows),
    }

    let worst = findings.iter().map(|finding| finding.severity).max();
    if worst == Some(Severity::Error) { EXIT_FAILED } else { EXIT_OK }
}
