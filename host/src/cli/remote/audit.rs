//! `accredit audit`: who did what on a server, and whether the trail of it is whole.
//!
//! `verify` works on a data file as well, without a server. Exit codes: 0 whole, 1 not, or it could
//! not be found out.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value as Json;

use crate::address;
use crate::cli::print::output::{self, DataFormat, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::address::ServerAddress;
use crate::cli::remote::verify::with_data_file;

/// The verbs of `audit`.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List who did what and when, newest first.
    List(AuditListArguments),
    /// Verify that no row was changed, removed or inserted, and that activations, changes and
    /// manual actions match the trail.
    Verify(AuditVerifyArguments),
}

/// Options of `audit list`.
#[derive(Debug, Args)]
pub(crate) struct AuditListArguments {
    /// Show only rows of this person.
    #[arg(long)]
    who: Option<String>,
    /// Show only rows with this action: `activated`, `proposed`, `released`.
    #[arg(long)]
    what: Option<String>,
    #[command(flatten)]
    server: ServerAddress,
    /// Format on standard output.
    #[arg(long, value_enum, default_value_t = DataFormat::Table)]
    format: DataFormat,
}

/// Options of `audit verify`.
#[derive(Debug, Args)]
pub(crate) struct AuditVerifyArguments {
    /// A data file that no server has open; takes precedence over a server.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// A `head` that an earlier run printed and a person kept: it must still be in the trail.
    #[arg(long, value_name = "HASH")]
    head: Option<String>,
    #[command(flatten)]
    server: ServerAddress,
}

/// Runs the verb.
pub(crate) fn run(verb: &AuditCommand) -> u8 {
    let done = match verb {
        AuditCommand::List(options) => list_audit(options),
        AuditCommand::Verify(options) => verify_audit(options),
    };
    done.unwrap_or_else(|message| {
        eprintln!("error: {message}");
        EXIT_FAILED
    })
}

fn list_audit(options: &AuditListArguments) -> Result<u8, String> {
    const COLUMNS: [&str; 5] = ["sequence", "at", "who", "what", "detail"];
    let part = |key: &str, value: &Option<String>| {
        let value = value.as_deref().map(address::encode_part);
        value.map(|value| format!("&{key}={value}")).unwrap_or_default()
    };

    let (who, what) = (part("who", &options.who), part("what", &options.what));
    let rows =
        options.server.make_client()?.get_all(&format!("/v1/audit?limit=1000{who}{what}"))?;

    match options.format {
        DataFormat::Json => output::print_json(&rows),
        DataFormat::Csv => output::print_csv(&COLUMNS, &rows),
        DataFormat::Table => output::print_table(&COLUMNS, &rows),
    }

    Ok(EXIT_OK)
}

fn verify_audit(options: &AuditVerifyArguments) -> Result<u8, String> {
    let checked = match &options.data {
        Some(path) => {
            let head = options.head.as_deref();
            output::view_json(&with_data_file(path, |ledger| ledger.check_trail(head))?)
        }

        None => {
            let head = options.head.as_deref().map(address::encode_part);
            let query = head.map(|head| format!("?head={head}")).unwrap_or_default();
            options.server.make_client()?.get(&format!("/v1/audit/verify{query}"))?
        }
    };

    output::print_json(&checked);

    let problems = checked.get("problems").and_then(Json::as_array).map_or(0, Vec::len);
    let rows = checked.get("rows").and_then(Json::as_u64).unwrap_or_default();
    eprintln!("{rows} rows, {problems} problems");

    Ok(if problems == 0 { EXIT_OK } else { EXIT_FAILED })
}
