//! `accredit reconcile`: a list of closed deals, from a file or from the CRM's API, compared with the
//! deals of a server, and what is missing imported.
//!
//! Exit codes: 0 every deal of the list is recorded as it says, 1 some are not.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::civil::Date;
use serde_json::Value as Json;

use crate::address;
use crate::cli::print::output::{self, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::address::ServerAddress;
use crate::directory::formats;

/// Options of `reconcile`.
#[derive(Debug, Args)]
pub(crate) struct ReconcileArguments {
    /// A list of closed deals, with the columns of accredit.toml: CSV, NDJSON, JSON or XLSX.
    #[arg(value_name = "FILE", required_unless_present = "source", conflicts_with = "source")]
    list: Option<PathBuf>,
    /// In place of a file: the server asks the CRM of this source for its closed deals.
    #[arg(long, value_name = "NAME", requires_all = ["from", "to"])]
    source: Option<String>,
    /// The first day of the deals that the CRM lists, such as 2026-01-01.
    #[arg(long, value_name = "DATE", requires = "source")]
    from: Option<Date>,
    /// The last day.
    #[arg(long, value_name = "DATE", requires = "source")]
    to: Option<Date>,
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
    let client = options.server.make_client()?;
    let list = options.list.as_deref().map(read_list).transpose()?;
    let unlisted = if options.unlisted { "unlisted=true" } else { "" };
    let found = match (&list, &options.source) {
        (Some((kind, body)), _) => {
            client.post_file(&format!("/v1/reconciliation?{unlisted}"), *kind, body)?
        }
        (None, source) => {
            let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
            let (from, to) = (day(options.from), day(options.to));
            let source = address::encode_part(source.as_deref().unwrap_or_default());
            let query = format!("source={source}&from={from}&to={to}&{unlisted}");
            client.post_file(&format!("/v1/reconciliation?{query}"), ("text/csv", false), b"")?
        }
    };
    output::print_json(&found);

    let count = |key: &str| found.get(key).and_then(Json::as_u64).unwrap_or_default();
    let (missing, different) = (count("missing_count"), count("different_count"));
    let (without_key, conflicting) = (count("without_key"), count("conflicting_count"));
    if without_key > 0 {
        eprintln!("{without_key} rows have no natural key and were compared with nothing");
    }
    if conflicting > 0 {
        eprintln!("{conflicting} deals are listed more than once with other values: mend the list");
    }
    eprintln!(
        "{} deals listed: {} recorded as listed, {missing} missing, {different} different",
        count("listed"),
        count("same"),
    );
    if missing + different + without_key + conflicting == 0 {
        return Ok(EXIT_OK);
    }

    if options.import {
        if different > 0 {
            eprintln!(
                "{different} different deals stay as they are: correct them in the CRM, or import them"
            );
        }
        if missing == 0 {
            return Ok(EXIT_FAILED);
        }
        let path = "/v1/transactions?missing_only=true";
        let imported = match list {
            Some((kind, body)) => client.post_file(path, kind, &body)?,
            None => {
                let rows = found.get("missing").and_then(Json::as_array).into_iter().flatten();
                let rows = rows.filter_map(|deal| deal.get("row")).map(|row| format!("{row}\n"));
                let rows: String = rows.collect();
                if rows.is_empty() {
                    return Ok(EXIT_FAILED);
                }
                client.post_file(path, ("application/x-ndjson", false), rows.as_bytes())?
            }
        };
        let warnings = imported.get("warnings").and_then(Json::as_array).into_iter().flatten();
        warnings.for_each(|warning| eprintln!("warning: {warning}"));
        eprintln!("imported what is missing; reconcile again to see what is left");
    }
    Ok(EXIT_FAILED)
}

/// The media type of a file by its name, whether it is packed, and its bytes.
type ListFile = ((&'static str, bool), Vec<u8>);

fn read_list(list: &Path) -> Result<ListFile, String> {
    let kind = formats::media_type_of_name(list);
    let kind = kind.ok_or_else(|| {
        format!("`{}` is not a .csv, .ndjson, .json or .xlsx file", list.display())
    })?;
    let body = std::fs::read(list).map_err(|error| format!("`{}`: {error}", list.display()))?;
    Ok((kind, body))
}
