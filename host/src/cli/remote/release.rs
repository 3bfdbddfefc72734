//! `accredit release`: a calculation to its payees, or held credits, on a running server.
//!
//! Not the release itself (the server's). Rows go to standard output, refusals to standard error.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use crate::address;
use crate::cli::print::output::{self, DataFormat};
use crate::cli::remote::address::ServerAddress;
use crate::cli::remote::client::Client;

/// What is released.
#[derive(Debug, Subcommand)]
pub(crate) enum ReleaseCommand {
    /// Publish the credits and rewards of a calculation to their payees, as pending.
    Credits(ReleaseCreditsArguments),
    /// Publish the rewards of a calculation to their payees, as confirmed.
    Rewards(ReleaseRewardsArguments),
    /// Release held credits.
    Hold(ReleaseHoldArguments),
}

/// Options of `release credits`.
#[derive(Debug, Args)]
pub(crate) struct ReleaseCreditsArguments {
    /// The plan: the stem of its file.
    plan: String,
    /// A period of the kind that the plan is calculated by, such as 2026-03.
    period: String,
    /// The reason, stored with the release.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    server: ServerAddress,
}

/// Options of `release rewards`.
#[derive(Debug, Args)]
pub(crate) struct ReleaseRewardsArguments {
    #[command(flatten)]
    calculation: ReleaseCreditsArguments,
    /// Release them even if the period was not over at the last run; requires a reason.
    #[arg(long, requires = "reason")]
    force: bool,
}

/// Options of `release hold`.
#[derive(Debug, Args)]
pub(crate) struct ReleaseHoldArguments {
    /// Ids of credits, `crd_…`.
    #[arg(required = true, value_name = "CREDIT")]
    credits: Vec<String>,
    #[command(flatten)]
    server: ServerAddress,
    /// The reason, stored with the release.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// Format of the released credits on standard output.
    #[arg(long, value_enum, default_value = "table")]
    format: DataFormat,
}

const COLUMNS: [&str; 9] =
    ["id", "transaction", "plan", "position", "payee", "period", "amount", "unit_type", "status"];

/// Runs the verb.
pub(crate) fn run(verb: &ReleaseCommand) -> ExitCode {
    match verb {
        ReleaseCommand::Credits(options) => release_calculation(options, "credits", false),
        ReleaseCommand::Rewards(options) => {
            release_calculation(&options.calculation, "rewards", options.force)
        }
        ReleaseCommand::Hold(options) => release_holds(options),
    }
}

fn release_calculation(options: &ReleaseCreditsArguments, what: &str, force: bool) -> ExitCode {
    let client = match options.server.make_client() {
        Ok(client) => client,
        Err(message) => return print_failure(&message),
    };

    let (plan, period) =
        (address::encode_part(&options.plan), address::encode_part(&options.period));
    let path = format!("/v1/calculations/{plan}/{period}/release");
    let wish = json!({ "what": what, "force": force, "reason": options.reason });

    match client.post(&path, &wish) {
        Ok(release) => {
            output::print_json(&release);
            ExitCode::SUCCESS
        }
        Err(message) => print_failure(&message),
    }
}

fn print_failure(message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::FAILURE
}

/// Releases each credit; one that is refused does not keep the others from it.
fn release_holds(options: &ReleaseHoldArguments) -> ExitCode {
    let client = match options.server.make_client() {
        Ok(client) => client,
        Err(message) => return print_failure(&message),
    };
    let mut rows = Vec::new();
    let mut code = ExitCode::SUCCESS;

    for credit in &options.credits {
        match release_credit(&client, options, credit) {
            Ok(row) => rows.push(row),
            Err(message) => {
                eprintln!("error: `{credit}`: {message}");
                code = ExitCode::FAILURE;
            }
        }
    }

    match options.format {
        DataFormat::Json => output::print_json(&rows),
        DataFormat::Csv => output::print_csv(&COLUMNS, &rows),
        DataFormat::Table => output::print_table(&COLUMNS, &rows),
    }

    code
}

fn release_credit(
    client: &Client,
    options: &ReleaseHoldArguments,
    credit: &str,
) -> Result<Json, String> {
    // An id goes into a path: what is no id is not sent.
    if !credit.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err("not the id of a credit".to_owned());
    }
    let path = format!("/v1/credits/{credit}/release");
    client.post(&path, &json!({ "comment": options.comment }))
}
