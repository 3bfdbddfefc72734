//! `accredit audit verify`: whether the trail is whole, and the one of its checkpoints.
//!
//! Not the checks themselves (the ledger's `integrity` and `audit`, `audit_export`). Works on a data file,
//! a dump or an export without a server; with checkpoints and a server, the server's export is verified
//! here, so that the server has to be trusted with nothing.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use accredit_ledger::audit::TrailMark;
use accredit_ledger::dump::check_dump_trail;
use accredit_ledger::integrity::TrailReport;
use clap::Args;
use serde_json::{Value as Json, json};

use crate::address;
use crate::audit_export::check_export;
use crate::checkpoint::folder::read_checkpoints;
use crate::checkpoint::{Checkpoint, CheckpointVerifier};
use crate::cli::print::output::{self, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::address::ServerAddress;
use crate::cli::remote::verify::with_data_file;

/// Options of `audit verify`.
#[derive(Debug, Args)]
pub(crate) struct AuditVerifyArguments {
    /// A data file that no server has open; takes precedence over a server.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// A file that `accredit dump` wrote.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "export"])]
    dump: Option<PathBuf>,
    /// A file that `accredit audit export` wrote.
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    export: Option<PathBuf>,
    /// A `head` that an earlier run printed and a person kept: it must still be in the trail.
    #[arg(long, value_name = "HASH")]
    head: Option<String>,
    /// Checkpoints, a folder or a file: the trail must be the one that each of them was made of.
    #[arg(long, value_name = "PATH", requires = "key")]
    checkpoints: Option<PathBuf>,
    /// The public key that `accredit audit key` printed, or a file with it; repeat it for former keys.
    #[arg(long, value_name = "KEY", requires = "checkpoints")]
    key: Vec<String>,
    #[command(flatten)]
    server: ServerAddress,
}

/// What checkpoints say, and which of them no key signed.
#[derive(Default)]
struct KeptCheckpoints {
    marks: Vec<TrailMark>,
    newest: Option<(String, Checkpoint)>,
    refused: Vec<(String, String)>,
}

/// Runs the verb.
pub(super) fn verify_audit(options: &AuditVerifyArguments) -> Result<u8, String> {
    let kept = kept_checkpoints(options)?;
    let mut checked = checked_trail(options, &kept.marks)?;

    if let Some(problems) = checked.get_mut("problems").and_then(Json::as_array_mut) {
        let refused = kept.refused.iter();
        problems
            .extend(refused.map(|(name, why)| json!(format!("the checkpoint `{name}`: {why}"))));
    }
    if let Some(object) = checked.as_object_mut().filter(|_| options.checkpoints.is_some()) {
        object.insert("checkpoints".to_owned(), json!(kept.marks.len()));
        let newest = kept.newest.map(|(name, one)| {
            json!({ "file": name, "origin": one.origin, "rows": one.rows, "at": one.at })
        });
        object.insert("newest_checkpoint".to_owned(), json!(newest));
    }
    output::print_json(&checked);

    let problems = checked.get("problems").and_then(Json::as_array).map_or(0, Vec::len);
    let rows = checked.get("rows").and_then(Json::as_u64).unwrap_or_default();
    let compared = match &options.checkpoints {
        Some(_) => format!(", {} checkpoints", kept.marks.len()),
        None => String::new(),
    };
    eprintln!("{rows} rows{compared}, {problems} problems");

    Ok(if problems == 0 { EXIT_OK } else { EXIT_FAILED })
}

fn checked_trail(options: &AuditVerifyArguments, marks: &[TrailMark]) -> Result<Json, String> {
    let head = options.head.as_deref();
    let report = |checked: TrailReport| output::view_json(&checked);

    if let Some(path) = &options.data {
        return with_data_file(path, |ledger| ledger.check_trail(head, marks)).map(report);
    }
    if let Some(path) = &options.dump {
        let mut lines = BufReader::new(open_file(path)?);
        let checked = check_dump_trail(&mut lines, head, marks);
        return checked.map(report).map_err(|error| format!("`{}`: {error}", path.display()));
    }
    if let Some(path) = &options.export {
        let checked = check_export(open_file(path)?, head, marks);
        return checked.map(report).map_err(|error| format!("`{}`: {error}", path.display()));
    }

    let client = options.server.make_client()?;
    if options.checkpoints.is_some() {
        let rows = client.open_stream("/v1/audit", "application/x-ndjson")?;
        return check_export(rows, head, marks).map(report);
    }
    let query = head.map(|head| format!("?head={}", address::encode_part(head)));
    client.get(&format!("/v1/audit/verify{}", query.unwrap_or_default()))
}

fn open_file(path: &Path) -> Result<File, String> {
    File::open(path).map_err(|error| format!("`{}`: {error}", path.display()))
}

/// The checkpoints that were named; a folder without any is an error, since it would prove nothing.
fn kept_checkpoints(options: &AuditVerifyArguments) -> Result<KeptCheckpoints, String> {
    let Some(path) = &options.checkpoints else { return Ok(KeptCheckpoints::default()) };
    let keys = options.key.iter().map(|key| named_key(key)).collect::<Result<Vec<_>, _>>()?;
    let read = read_checkpoints(path, &keys);
    let (read, refused) = read.map_err(|error| format!("`{}`: {error}", path.display()))?;
    if read.is_empty() && refused.is_empty() {
        return Err(format!("`{}` has no checkpoint", path.display()));
    }

    let newest = read.iter().max_by_key(|(_, checkpoint)| checkpoint.rows).cloned();
    let marks = read.into_iter().map(|(name, checkpoint)| TrailMark {
        rows: checkpoint.rows,
        head: checkpoint.head,
        name,
    });
    Ok(KeptCheckpoints { marks: marks.collect(), newest, refused })
}

/// A public key: the text itself, or that of a file.
fn named_key(named: &str) -> Result<CheckpointVerifier, String> {
    let text = std::fs::read_to_string(named).unwrap_or_else(|_| named.to_owned());
    CheckpointVerifier::from_text(&text).map_err(|error| format!("`--key`: {error}"))
}
