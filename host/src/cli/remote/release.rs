//! `accredit release`: a calculation to its payees, or held credits, on a running server.
//!
//! Not the release itself (the server's). Rows go to standard output, refusals to standard error.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use crate::address;
use crate::cli::print::output::{self, Format};
use crate::cli::remote::address::Server;
use crate::cli::remote::client::Client;

/// What is released.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show the credits and rewards of a calculation to their payees, as pending.
    Credits(Credits),
    /// Show the rewards of a calculation to their payees, as confirmed.
    Rewards(Rewards),
    /// End the hold of credits.
    Hold(Hold),
}

/// What `release credits` may be told.
#[derive(Debug, Args)]
pub(crate) struct Credits {
    /// The plan: the stem of its file.
    plan: String,
    /// A period of the kind that the plan is calculated by, such as 2026-03.
    period: String,
    /// Why, kept with the release.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    server: Server,
}

/// What `release rewards` may be told.
#[derive(Debug, Args)]
pub(crate) struct Rewards {
    #[command(flatten)]
    calculation: Credits,
    /// Release them although the period was not over at the last run; needs a reason.
    #[arg(long, requires = "reason")]
    force: bool,
}

/// What `release hold` may be told.
#[derive(Debug, Args)]
pub(crate) struct Hold {
    /// Ids of credits, `crd_…`.
    #[arg(required = true, value_name = "CREDIT")]
    credits: Vec<String>,
    #[command(flatten)]
    server: Server,
    /// Why, kept with the release.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// How the released credits are written.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

const COLUMNS: [&str; 9] =
    ["id", "transaction", "plan", "position", "payee", "period", "amount", "unit_type", "status"];

/// Runs the verb.
pub(crate) fn run(verb: &Verb) -> ExitCode {
    match verb {
        Verb::Credits(options) => calculation(options, "credits", false),
        Verb::Rewards(options) => calculation(&options.calculation, "rewards", options.force),
        Verb::Hold(options) => holds(options),
    }
}

fn calculation(options: &Credits, what: &str, force: bool) -> ExitCode {
    let client = match options.server.client() {
        Ok(client) => client,
        Err(message) => return failed(&message),
    };

    let (plan, period) = (address::part(&options.plan), address::part(&options.period));
    let path = format!("/v1/calculations/{plan}/{period}/release");
    let wish = json!({ "what": what, "force": force, "reason": options.reason });

    match client.post(&path, &wish) {
        Ok(release) => {
            output::json(&release);
            ExitCode::SUCCESS
        }
        Err(message) => failed(&message),
    }
}

fn failed(message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::FAILURE
}

/// Releases each credit; one that is refused does not keep the others from it.
fn holds(options: &Hold) -> ExitCode {
    let client = match options.server.client() {
        Ok(client) => client,
        Err(message) => return failed(&message),
    };
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

fn release(client: &Client, options: &Hold, credit: &str) -> Result<Json, String> {
    // An id goes into a path: what is no id is not sent.
    if !credit.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err("not the id of a credit".to_owned());
    }
    let path = format!("/v1/credits/{credit}/release");
    client.post(&path, &json!({ "comment": options.comment }))
}
