//! `accredit rollback`: an earlier set of definitions comes back into force on a server.

use clap::Args;
use serde_json::json;

use crate::cli::remote::address::ServerAddress;
use crate::cli::remote::apply::print_answer;
use crate::cli::remote::preview::ChangeTerms;

/// Options of `rollback`.
#[derive(Debug, Args)]
pub(crate) struct RollbackArguments {
    /// The ruleset to go back to; the previous one by default.
    #[arg(long, value_name = "HASH")]
    to: Option<String>,
    #[command(flatten)]
    server: ServerAddress,
    #[command(flatten)]
    how: ChangeTerms,
    /// The reason, stored with the activation.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

/// Runs the verb.
pub(crate) fn run(options: &RollbackArguments) -> u8 {
    let mut body = json!({ "to": options.to, "comment": options.comment });
    options.how.add_to_request(&mut body);
    let client = options.server.make_client();
    print_answer(client.and_then(|client| client.post("/v1/rollback", &body).map(Some)))
}
