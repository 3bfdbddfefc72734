//! `accredit release`: ends the hold of credits on a running server.
//!
//! Not the release itself (the server's). Rows go to standard output, refusals to standard error.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value as Json, json};

use super::client::Client;
use super::output::{self, Format};

/// What `release` may be told.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Ids of credits, `crd_…`.
    #[arg(required = true, value_name = "CREDIT")]
    credits: Vec<String>,
    /// Where the server is.
    #[arg(long, value_name = "URL", env = "ACCREDIT_URL", default_value = "http://127.0.0.1:8080")]
    server: String,
    /// The server's token.
    #[arg(long, value_name = "TOKEN", env = "ACCREDIT_TOKEN", hide_env_values = true)]
    token: String,
    /// Why, kept with the release.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// How the released credits are written.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

const COLUMNS: [&str; 9] =
    ["id", "transaction", "plan", "position", "payee", "period", "amount", "unit_type", "status"];

/// Releases each credit; one that is refused does not keep the others from it.
pub(crate) fn run(options: &Options) -> ExitCode {
    let client = Client::new(&options.server, &options.token);
    let mut rows = Vec::new();
    let mut code = ExitCode::SUCCESS;
    for credit in &options.credits {
        match release(&client, options, credit) {
            Ok(row) => rows.push(row),
            Err(message) => {
                eprintln!("error: `{credit}`: {message}");
                code = ExitCode::FAILURE;
            }
        }
    }
    match options.format {
        Format::Json => output::json(&rows),
        Format::Csv => output::csv(&COLUMNS, &rows),
        Format::Table => output::table(&COLUMNS, &rows),
    }
    code
}

fn release(client: &Client, options: &Options, credit: &str) -> Result<Json, String> {
    // An id goes into a path: what is no id is not sent.
    if !credit.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err("not the id of a credit".to_owned());
    }
    let path = format!("/v1/credits/{credit}/release");
    client.post(&path, &json!({ "comment": options.comment }))
}
