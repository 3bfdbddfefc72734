//! `accredit apply`: a directory, or what `preview --out` wrote, comes into force on a server.
//!
//! Not the judging (the server's door). Exit codes: 0 in force, waiting for approval, or nothing to
//! change; 1 refused.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value as Json;

use crate::cli::print::output::{self, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::address::ServerAddress;
use crate::cli::remote::client::Client;
use crate::cli::remote::preview::{ChangeTerms, change_body, diff_directory, verify_checksum};

/// Options of `apply`.
#[derive(Debug, Args)]
pub(crate) struct ApplyArguments {
    /// A customer's directory, or a file that `preview --out` wrote.
    #[arg(value_name = "DIR|FILE")]
    what: PathBuf,
    #[command(flatten)]
    server: ServerAddress,
    #[command(flatten)]
    how: ChangeTerms,
    /// The reason, stored with the activation.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// Allow the removal of people, positions, teams or memberships with credits or rewards; the
    /// reason is stored in the audit log.
    #[arg(long, value_name = "REASON")]
    force: Option<String>,
}

/// Runs the verb.
pub(crate) fn run(options: &ApplyArguments) -> u8 {
    print_answer(apply_change(options))
}

fn apply_change(options: &ApplyArguments) -> Result<Option<Json>, String> {
    let client = options.server.make_client()?;
    let Some(mut body) = change_request(&client, &options.what)? else { return Ok(None) };

    // What a preview wrote says how; options of this call win.
    options.how.add_to_request(&mut body);
    if let (Some(body), Some(comment)) = (body.as_object_mut(), &options.comment) {
        body.insert("comment".to_owned(), Json::from(comment.as_str()));
    }
    if let (Some(body), Some(force)) = (body.as_object_mut(), &options.force) {
        body.insert("force".to_owned(), Json::from(force.as_str()));
    }

    client.post("/v1/changes", &body).map(Some)
}

/// Prints the answer of the server.
pub(crate) fn print_answer(answer: Result<Option<Json>, String>) -> u8 {
    match answer {
        Ok(None) => {
            eprintln!("nothing changes");
            EXIT_OK
        }

        Ok(Some(answer)) => {
            output::print_json(&answer);
            if answer.get("active") == Some(&Json::Bool(false)) {
                let change = answer.get("change").cloned().unwrap_or_default();
                eprintln!("change {change} is waiting for approval by another person");
            }
            EXIT_OK
        }

        Err(message) => {
            eprintln!("error: {message}");
            EXIT_FAILED
        }
    }
}

fn change_request(client: &Client, what: &Path) -> Result<Option<Json>, String> {
    if what.is_dir() {
        let (base, changes) = diff_directory(client, what)?;
        return Ok((!changes.is_empty()).then(|| change_body(&base, &changes)));
    }
    let wrong = |error: &dyn std::fmt::Display| format!("`{}`: {error}", what.display());
    let text = std::fs::read_to_string(what).map_err(|error| wrong(&error))?;
    let body = serde_json::from_str(&text).map_err(|error| wrong(&error))?;

    // A file may have been edited since: only what the preview wrote may come into force.
    let body = verify_checksum(body).map_err(|error| wrong(&error))?;
    let none = body.get("files").and_then(Json::as_object).is_none_or(serde_json::Map::is_empty);
    Ok((!none).then_some(body))
}
