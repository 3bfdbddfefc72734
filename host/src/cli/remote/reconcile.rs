//! `accredit reconcile`: a list of closed deals compared with the deals of a server, and what is missing
//! imported.
//!
//! Exit codes: 0 every deal of the list is recorded as it says, 1 some are not.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value as Json;

use crate::cli::print::output::{self, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::address::ServerAddress;
use crate::directory::formats;

/// Options of `reconcile`.
#[derive(Debug, Args)]
pub(crate) struct ReconcileArguments {
    /// A list of closed deals, with the columns of accredit.toml: CSV, NDJSON, JSON or XLSX.
    #[arg(value_name = "FILE")]
    list: PathBuf,
    /// Also name recorded deals with a date in the span of the list that are not in it.
    #[arg(long)]
    unlisted: bool,
    /// Import the deals of the list that are missing; those that are recorded stay as they are.
    #[arg(long)]
    import: bool,
    #[command(flatten)]
    server: ServerAddress,
}

/// Runs the verb.
pub(crate) fn run(options: &ReconcileArguments) -> u8 {
    match reconcile(options) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("error: {message}");
            EXIT_FAILED
        }
    }
}

fn reconcile(options: &ReconcileArguments) -> Result<u8, String> {
    let list = &options.list;
    let kind = formats::media_type_of_name(list);
    let kind = kind.ok_or_else(|| {
        format!("`{}` is not a .csv, .ndjson, .json or .xlsx file", list.display())
    })?;
    let body = std::fs::read(list).map_err(|error| format!("`{}`: {error}", list.display()))?;

    let client = options.server.make_client()?;
    let query = if options.unlisted { "?unlisted=true" } else { "" };
    let found = client.post_file(&format!("/v1/reconciliation{query}"), kind, &body)?;
    output::print_json(&found);

    let count = |key: &str| found.get(key).and_then(Json::as_u64).unwrap_or_default();
    let (missing, different) = (count("missing_count"), count("different_count"));
    let without_key = count("without_key");
    if without_key > 0 {
        eprintln!("{without_key} rows have no natural key and were compared with nothing");
    }
    eprintln!(
        "{} deals listed: {} recorded as listed, {missing} missing, {different} different",
        count("listed"),
        count("same"),
    );
    if missing + different + without_key == 0 {
        return Ok(EXIT_OK);
    }

    if options.import {
        client.post_file("/v1/transactions?missing_only=true", kind, &body)?;
        eprintln!("imported what is missing; reconcile again to see what is left");
    }
    Ok(EXIT_FAILED)
}
