//! `accredit events`: what a running server tells other systems: listed, tested, sent again.
//!
//! Not the sending (the server's).

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value as Json, json};

use crate::address;
use crate::cli::print::output::{self, DataFormat, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::address::ServerAddress;

/// What is done about events.
#[derive(Debug, Subcommand)]
pub(crate) enum EventsCommand {
    /// List the destinations with what waits for them.
    Destinations(DestinationsArguments),
    /// List the events of a destination.
    List(EventListArguments),
    /// Send a test to a destination.
    Test(TestArguments),
    /// Send events of a destination again.
    Resend(ResendArguments),
}

/// How far events are.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum StateName {
    Waiting,
    Sent,
    Dead,
}

impl StateName {
    fn as_str(self) -> &'static str {
        match self {
            StateName::Waiting => "waiting",
            StateName::Sent => "sent",
            StateName::Dead => "dead",
        }
    }
}

/// Options of `events destinations`.
#[derive(Debug, Args)]
pub(crate) struct DestinationsArguments {
    /// Format of the destinations on standard output.
    #[arg(long, value_enum, default_value = "table")]
    format: DataFormat,
    #[command(flatten)]
    server: ServerAddress,
}

/// Options of `events list`.
#[derive(Debug, Args)]
pub(crate) struct EventListArguments {
    /// The destination in accredit.toml.
    destination: String,
    /// How far the events are.
    #[arg(long, value_enum, default_value = "waiting")]
    state: StateName,
    /// Format of the events on standard output.
    #[arg(long, value_enum, default_value = "table")]
    format: DataFormat,
    #[command(flatten)]
    server: ServerAddress,
}

/// Options of `events test`.
#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    /// The destination in accredit.toml.
    destination: String,
    #[command(flatten)]
    server: ServerAddress,
}

/// Options of `events resend`.
#[derive(Debug, Args)]
pub(crate) struct ResendArguments {
    /// The destination in accredit.toml.
    destination: String,
    /// The event with this id alone.
    #[arg(long, value_name = "ID", conflicts_with_all = ["state", "since"])]
    event: Option<String>,
    /// How far the events are that are sent again.
    #[arg(long, value_enum, default_value = "dead")]
    state: StateName,
    /// Only events of this instant or later, such as 2026-01-31T00:00:00Z.
    #[arg(long, value_name = "INSTANT")]
    since: Option<String>,
    #[command(flatten)]
    server: ServerAddress,
}

const DESTINATION_COLUMNS: [&str; 7] =
    ["name", "url", "waiting", "sent", "dead", "oldest_error", "needs"];
const EVENT_COLUMNS: [&str; 7] = ["id", "kind", "subject", "at", "attempts", "next", "last_error"];

/// Runs the verb.
pub(crate) fn run(verb: &EventsCommand) -> u8 {
    let done = match verb {
        EventsCommand::Destinations(options) => list_destinations(options),
        EventsCommand::List(options) => list_events(options),
        EventsCommand::Test(options) => test_destination(options),
        EventsCommand::Resend(options) => resend_events(options),
    };
    match done {
        Ok(()) => EXIT_OK,
        Err(message) => {
            eprintln!("error: {message}");
            EXIT_FAILED
        }
    }
}

fn list_destinations(options: &DestinationsArguments) -> Result<(), String> {
    let rows = options.server.make_client()?.get_all("/v1/destinations?")?;
    print_rows(options.format, &DESTINATION_COLUMNS, &rows);
    Ok(())
}

fn list_events(options: &EventListArguments) -> Result<(), String> {
    let name = address::encode_part(&options.destination);
    let path = format!("/v1/destinations/{name}/events?state={}&", options.state.as_str());
    let rows = options.server.make_client()?.get_all(&path)?;
    print_rows(options.format, &EVENT_COLUMNS, &rows);
    Ok(())
}

fn print_rows(format: DataFormat, columns: &[&str], rows: &[Json]) {
    match format {
        DataFormat::Json => output::print_json(&rows),
        DataFormat::Csv => output::print_csv(columns, rows),
        DataFormat::Table => output::print_table(columns, rows),
    }
}

fn test_destination(options: &TestArguments) -> Result<(), String> {
    let path = format!("/v1/destinations/{}/test", address::encode_part(&options.destination));
    let answer = options.server.make_client()?.post(&path, &json!({}))?;
    let id = answer.get("id").and_then(Json::as_str).unwrap_or_default();
    eprintln!("`{id}` is queued; `accredit events destinations` shows what becomes of it");
    Ok(())
}

fn resend_events(options: &ResendArguments) -> Result<(), String> {
    let name = address::encode_part(&options.destination);
    let path = match (&options.event, &options.since) {
        (Some(event), _) => {
            format!("/v1/destinations/{name}/events/{}/resend", address::encode_part(event))
        }
        (None, None) => format!("/v1/destinations/{name}/resend?state={}", options.state.as_str()),
        (None, Some(since)) => format!(
            "/v1/destinations/{name}/resend?state={}&since={}",
            options.state.as_str(),
            address::encode_part(since)
        ),
    };
    let answer = options.server.make_client()?.post(&path, &json!({}))?;
    let resent = answer.get("resent").and_then(Json::as_u64).unwrap_or_default();
    eprintln!("queued again: {resent}");
    Ok(())
}
