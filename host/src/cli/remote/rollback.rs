//! `accredit rollback`: an earlier set of definitions comes back into force on a server.

use clap::Args;
use serde_json::json;

use crate::cli::remote::address::Server;
use crate::cli::remote::apply::finish;
use crate::cli::remote::preview::How;

/// What `rollback` may be told.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The ruleset to go back to; without it, the one before.
    #[arg(long, value_name = "HASH")]
    to: Option<String>,
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    how: How,
    /// Why, kept with the activation.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
}

/// Runs the verb.
pub(crate) fn run(options: &Options) -> u8 {
    let mut body = json!({ "to": options.to, "comment": options.comment });
    options.how.tell(&mut body);
    let client = options.server.client();
    finish(client.and_then(|client| client.post("/v1/rollback", &body).map(Some)))
}
