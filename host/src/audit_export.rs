//! The audit trail as an export shows it, and an export verified without the server.
//!
//! Not the pages of an export (`http::ops::audit`) and not the chain (the ledger's `audit`). Each row has
//! columns to read and to filter by, its hash, and in `row` the stored bytes that the hash is of.
//!
//! **Architecture invariant:** the columns are made of the stored bytes alone, so that a changed column
//! shows as well.

use std::io::{BufRead, BufReader, Read};

use accredit_ledger::audit::{ChainCheck, TrailMark, hash_row, read_row};
use accredit_ledger::integrity::TrailReport;
use serde_json::{Value as Json, json};

use crate::server::clock::format_rfc3339;
use crate::tabular;

/// The columns of an export.
pub(crate) const EXPORT_COLUMNS: [&str; 11] =
    ["sequence", "at", "who", "what", "via", "peer", "request", "program", "detail", "hash", "row"];

/// Bytes of one line of an export.
const LINE_BYTES_MAX: u64 = 256 << 20;

/// A stored row as an export shows it.
pub(crate) fn export_row(bytes: &[u8]) -> Json {
    let text = String::from_utf8_lossy(bytes);
    let Ok(row) = read_row(bytes) else {
        // What cannot be read is evidence all the same.
        return json!({ "hash": hash_row(bytes), "row": text });
    };
    let origin = row.origin.as_ref();
    json!({
        "sequence": row.sequence,
        "at": format_rfc3339(row.at_ms),
        "who": row.who,
        "what": row.what,
        "via": origin.map(|origin| &origin.via),
        "peer": origin.and_then(|origin| origin.peer.as_ref()),
        "request": origin.and_then(|origin| origin.request.as_ref()),
        "program": origin.and_then(|origin| origin.program.as_ref()),
        "detail": row.detail,
        "hash": hash_row(bytes),
        "row": text,
    })
}

/// Verifies an export: NDJSON where it begins with `{`, CSV otherwise.
///
/// # Errors
/// When it cannot be read, or is neither.
pub(crate) fn check_export(
    export: impl Read,
    head: Option<&str>,
    marks: &[TrailMark],
) -> Result<TrailReport, String> {
    let mut export = BufReader::new(export);
    let start = export.fill_buf().map_err(|error| error.to_string())?;
    // An empty one is a trail without rows: only checkpoints show that there were some.
    let is_json = start.first().is_none_or(|first| *first == b'{');
    let mut chain = ChainCheck::new(head, marks);
    if is_json {
        check_lines(export, &mut chain)?
    } else {
        check_csv(export, &mut chain)?
    }
    Ok(chain.end())
}

fn check_lines(mut export: impl BufRead, chain: &mut ChainCheck<'_>) -> Result<(), String> {
    for number in 1_u64.. {
        let mut line = Vec::new();
        let mut limited = Read::take(&mut export, LINE_BYTES_MAX);
        limited.read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
        if line.is_empty() {
            break;
        }
        let shown: Option<Json> = serde_json::from_slice(&line).ok();
        let stored = shown.as_ref().and_then(|shown| shown.get("row")?.as_str());
        let Some(stored) = stored else {
            chain.problem(format!("line {number} of the export has no `row`"));
            continue;
        };
        if shown.as_ref() != Some(&export_row(stored.as_bytes())) {
            chain.problem(format!("line {number} of the export shows something else than its row"));
        }
        chain.add_row(None, stored.as_bytes());
    }
    Ok(())
}

fn check_csv(export: impl Read, chain: &mut ChainCheck<'_>) -> Result<(), String> {
    let mut reader = csv::ReaderBuilder::new().from_reader(export);
    let header = reader.byte_headers().map_err(|error| error.to_string())?;
    if *header != EXPORT_COLUMNS.map(str::as_bytes)[..] {
        return Err("it is no export of an audit trail: its columns are others".to_owned());
    }
    for (number, record) in (2_u64..).zip(reader.byte_records()) {
        let record = record.map_err(|error| error.to_string())?;
        let Some(stored) = record.get(EXPORT_COLUMNS.len() - 1) else { continue };
        let expected = tabular::csv_rows(&EXPORT_COLUMNS, &[export_row(stored)])?;
        let mut expected = csv::ReaderBuilder::new().has_headers(false).from_reader(&*expected);
        let expected = expected.byte_records().next().and_then(Result::ok);
        if expected.is_none_or(|expected| expected != record) {
            chain.problem(format!("row {number} of the export shows something else than its row"));
        }
        chain.add_row(None, stored);
    }
    Ok(())
}
