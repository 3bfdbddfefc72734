//! `accredit keep`: a decision of a running server as a case, on standard output.
//!
//! Not making the case (the engine's, on the server). `>>` puts it at the end of a case file.

use clap::Args;
use serde_json::Value as Json;

use crate::address;
use crate::cli::print::output::{self, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::address::ServerAddress;
use crate::cli::remote::client::Client;

/// Options of `keep`.
#[derive(Debug, Args)]
pub(crate) struct KeepArguments {
    /// A transaction's natural key, or a credit's id (crd_…).
    #[arg(value_name = "CREDIT|TRANSACTION")]
    id: String,
    /// Use only the decision of this plan; for a credit, its own plan by default.
    #[arg(long, value_name = "PLAN")]
    plan: Option<String>,
    #[command(flatten)]
    server: ServerAddress,
}

/// Runs the verb.
pub(crate) fn run(options: &KeepArguments) -> u8 {
    let kept = options.server.make_client().and_then(|client| keep_case(&client, options));
    match kept {
        Ok(text) => {
            output::print_line(text.trim_end_matches('\n'));
            EXIT_OK
        }
        Err(message) => {
            eprintln!("error: `{}`: {message}", options.id);
            EXIT_FAILED
        }
    }
}

fn keep_case(client: &Client, options: &KeepArguments) -> Result<String, String> {
    let (mut transaction, mut plan) = (options.id.clone(), options.plan.clone());
    if accredit_domain::credit::CreditId::parse(&options.id).is_some() {
        let credit = client.get(&format!("/v1/credits/{}", options.id))?;
        let text = |key: &str| credit.get(key).and_then(Json::as_str).map(str::to_owned);
        transaction = text("transaction").ok_or("the server named no transaction")?;
        plan = plan.or_else(|| text("plan"));
    }

    let query =
        plan.map(|plan| format!("?plan={}", address::encode_part(&plan))).unwrap_or_default();
    client.get_text(&format!("/v1/transactions/{}/case{query}", address::encode_part(&transaction)))
}
