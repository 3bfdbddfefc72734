//! `accredit credit`, `accredit reward`, `accredit transaction`: what people do by hand on a running
//! server.
//!
//! Not the acts themselves (the server's). The answer goes to standard output, a refusal to standard
//! error.

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use crate::address;
use crate::cli::print::output::{self, DataFormat, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::address::ServerAddress;
use crate::cli::remote::client::Client;

/// What is done to credits.
#[derive(Debug, Subcommand)]
pub(crate) enum CreditCommand {
    /// Give a credit without a deal.
    Add(CreditAddArguments),
    /// Take a credit back that was given by hand, with what rolled from it.
    Reverse(ReverseArguments),
}

/// What is done to rewards.
#[derive(Debug, Subcommand)]
pub(crate) enum RewardCommand {
    /// Add a reward.
    Add(RewardAddArguments),
    /// Take a reward back that was added by hand.
    Reverse(ReverseArguments),
}

/// What is done to deals.
#[derive(Debug, Subcommand)]
pub(crate) enum TransactionCommand {
    /// List the recorded deals, with the reason of those that are void.
    List(TransactionListArguments),
    /// Make a deal void: its credits leave open periods and are reversed in frozen ones.
    Void(TransactionVoidArguments),
}

/// Why an act by hand is done, and where.
#[derive(Debug, Args)]
pub(crate) struct ActArguments {
    /// One of the workspace's reason codes.
    #[arg(long, value_name = "CODE")]
    reason_code: String,
    /// The reason in words, stored with the act.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// A name for this request: a repeated request with the same name has no further effect.
    #[arg(long, value_name = "NAME")]
    key: Option<String>,
    #[command(flatten)]
    server: ServerAddress,
}

/// Options of `credit add`.
#[derive(Debug, Args)]
pub(crate) struct CreditAddArguments {
    /// The plan: the stem of its file.
    #[arg(long)]
    plan: String,
    /// The participant who is credited.
    #[arg(long, required_unless_present = "position")]
    payee: Option<String>,
    /// The position that is credited [the only one that the payee holds].
    #[arg(long)]
    position: Option<String>,
    /// A period of the kind that the plan is calculated by, such as 2026-03.
    #[arg(long, required_unless_present = "incentive_date")]
    period: Option<String>,
    /// The incentive date [the last day of the period].
    #[arg(long, value_name = "DATE")]
    incentive_date: Option<String>,
    /// One of the workspace's credit types [the only one].
    #[arg(long, value_name = "TYPE")]
    credit_type: Option<String>,
    /// The amount, such as 92.50; below zero allowed.
    #[arg(long, allow_hyphen_values = true)]
    amount: String,
    /// The unit of the amount [the workspace's currency].
    #[arg(long, value_name = "UNIT")]
    unit_type: Option<String>,
    /// Let the credit roll up as credits of deals do.
    #[arg(long)]
    rolls_up: bool,
    #[command(flatten)]
    act: ActArguments,
}

/// Options of `reward add`.
#[derive(Debug, Args)]
pub(crate) struct RewardAddArguments {
    /// The plan: the stem of its file.
    #[arg(long)]
    plan: String,
    /// The participant who is paid.
    #[arg(long)]
    payee: String,
    /// A period of the kind that the plan is calculated by, such as 2026-03.
    #[arg(long)]
    period: String,
    /// The amount, such as 92.50; below zero allowed.
    #[arg(long, allow_hyphen_values = true)]
    amount: String,
    /// The unit of the amount [the workspace's currency].
    #[arg(long, value_name = "UNIT")]
    unit_type: Option<String>,
    /// What the reward is called.
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    act: ActArguments,
}

/// Options of `credit reverse` and `reward reverse`.
#[derive(Debug, Args)]
pub(crate) struct ReverseArguments {
    /// The id, `crd_…` or `rwd_…`.
    id: String,
    #[command(flatten)]
    act: ActArguments,
}

/// Options of `transaction list`.
#[derive(Debug, Args)]
pub(crate) struct TransactionListArguments {
    /// The beginning of the deals' ids.
    #[arg(long)]
    id: Option<String>,
    /// Only deals of this plan.
    #[arg(long)]
    plan: Option<String>,
    /// Only deals of this period.
    #[arg(long)]
    period: Option<String>,
    /// Only deals with this outcome: credited, uncredited, parked or filtered.
    #[arg(long)]
    outcome: Option<String>,
    /// Format of the deals on standard output.
    #[arg(long, value_enum, default_value = "table")]
    format: DataFormat,
    #[command(flatten)]
    server: ServerAddress,
}

/// Options of `transaction void`.
#[derive(Debug, Args)]
pub(crate) struct TransactionVoidArguments {
    /// The natural key of the deal.
    transaction: String,
    /// The reason, stored with the deal.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    server: ServerAddress,
}

/// The columns of a deal in a table; its outcomes are in the JSON alone.
const DEAL_COLUMNS: [&str; 8] =
    ["id", "version", "superseded", "void", "date", "period", "source", "delivery"];

/// Runs `accredit credit`.
pub(crate) fn run_credit(verb: &CreditCommand) -> u8 {
    match verb {
        CreditCommand::Add(options) => {
            let body = json!({
                "plan": options.plan, "payee": options.payee, "position": options.position,
                "period": options.period, "incentive_date": options.incentive_date,
                "credit_type": options.credit_type, "amount": options.amount,
                "unit_type": options.unit_type, "rolls_up": options.rolls_up,
            });
            send_act("/v1/credits", body, &options.act)
        }
        CreditCommand::Reverse(options) => {
            send_act("/v1/credits", json!({ "reverses": options.id }), &options.act)
        }
    }
}

/// Runs `accredit reward`.
pub(crate) fn run_reward(verb: &RewardCommand) -> u8 {
    match verb {
        RewardCommand::Add(options) => {
            let body = json!({
                "plan": options.plan, "payee": options.payee, "period": options.period,
                "amount": options.amount, "unit_type": options.unit_type, "name": options.name,
            });
            send_act("/v1/rewards", body, &options.act)
        }
        RewardCommand::Reverse(options) => {
            send_act("/v1/rewards", json!({ "reverses": options.id }), &options.act)
        }
    }
}

/// Runs `accredit transaction`.
pub(crate) fn run_transaction(verb: &TransactionCommand) -> u8 {
    let done = match verb {
        TransactionCommand::List(options) => list_transactions(options),
        TransactionCommand::Void(options) => {
            let path = format!("/v1/transactions/{}", address::encode_part(&options.transaction));
            let body = json!({ "reason": options.reason });
            let answer = options.server.make_client();
            answer.and_then(|client| client.delete(&path, &body)).map(|answer| {
                output::print_json(&answer);
            })
        }
    };
    exit_code(done)
}

/// Sends an act with its reason, and prints the answer.
fn send_act(path: &str, mut body: Json, act: &ActArguments) -> u8 {
    if let Some(parts) = body.as_object_mut() {
        parts.insert("reason_code".to_owned(), json!(act.reason_code));
        parts.insert("comment".to_owned(), json!(act.comment));
    }

    let send = |client: Client| client.post_once(path, &body, act.key.as_deref());
    let answer = act.server.make_client().and_then(send);
    exit_code(answer.map(|answer| output::print_json(&answer)))
}

fn list_transactions(options: &TransactionListArguments) -> Result<(), String> {
    let filters = [
        ("id", &options.id),
        ("plan", &options.plan),
        ("period", &options.period),
        ("outcome", &options.outcome),
    ];
    let mut path = "/v1/transactions?limit=1000".to_owned();
    for (name, value) in filters {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", address::encode_part(value)));
        }
    }

    let rows = options.server.make_client()?.get_all(&path)?;
    match options.format {
        DataFormat::Json => output::print_json(&rows),
        DataFormat::Csv => output::print_csv(&DEAL_COLUMNS, &rows),
        DataFormat::Table => output::print_table(&DEAL_COLUMNS, &rows),
    }
    Ok(())
}

fn exit_code(done: Result<(), String>) -> u8 {
    match done {
        Ok(()) => EXIT_OK,
        Err(message) => {
            eprintln!("error: {message}");
            EXIT_FAILED
        }
    }
}
