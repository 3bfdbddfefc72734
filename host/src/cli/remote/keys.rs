//! `accredit keys`: keys of a running server's API, made, listed, rotated and revoked.
//!
//! Not the keeping of them (the server's). A new key goes to standard output, once.

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use crate::address;
use crate::cli::print::output::{self, DataFormat, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::address::ServerAddress;

/// What is done to keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key, and print it once.
    Create(CreateArguments),
    /// List the keys without their secrets.
    List(ListArguments),
    /// Give a key another secret, and print it once.
    Rotate(RotateArguments),
    /// Remove a key: it works no longer.
    Revoke(RevokeArguments),
}

/// Options of `keys create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArguments {
    /// The name in the audit trail.
    name: String,
    /// What the key may do: admin, author, approver, reader, auditor, source or payee.
    #[arg(long)]
    role: String,
    /// The participant whose data a payee's key reads.
    #[arg(long, value_name = "ID")]
    participant: Option<String>,
    /// What the ids of the deals begin with that a source's key may send.
    #[arg(long, value_name = "PREFIX")]
    scope: Option<String>,
    /// A date, or a moment such as 2027-01-31T12:00:00Z [never].
    #[arg(long, value_name = "DATE")]
    expires: Option<String>,
    #[command(flatten)]
    server: ServerAddress,
}

/// Options of `keys list`.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Format of the keys on standard output.
    #[arg(long, value_enum, default_value = "table")]
    format: DataFormat,
    #[command(flatten)]
    server: ServerAddress,
}

/// Options of `keys rotate`.
#[derive(Debug, Args)]
pub(crate) struct RotateArguments {
    /// The id of the key: its second part.
    id: String,
    /// How many seconds the secret of before works on.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    overlap: u32,
    #[command(flatten)]
    server: ServerAddress,
}

/// Options of `keys revoke`.
#[derive(Debug, Args)]
pub(crate) struct RevokeArguments {
    /// The id of the key: its second part.
    id: String,
    #[command(flatten)]
    server: ServerAddress,
}

const COLUMNS: [&str; 8] =
    ["id", "name", "role", "participant", "scope", "expires", "last_used", "created_by"];

/// Runs the verb.
pub(crate) fn run(verb: &KeysCommand) -> u8 {
    let done = match verb {
        KeysCommand::Create(options) => create_key(options),
        KeysCommand::List(options) => list_keys(options),
        KeysCommand::Rotate(options) => rotate_key(options),
        KeysCommand::Revoke(options) => revoke_key(options),
    };
    match done {
        Ok(()) => EXIT_OK,
        Err(message) => {
            eprintln!("error: {message}");
            EXIT_FAILED
        }
    }
}

fn create_key(options: &CreateArguments) -> Result<(), String> {
    let wanted = json!({
        "name": options.name, "role": options.role, "participant": options.participant,
        "scope": options.scope, "expires": options.expires,
    });
    print_new_key(&options.server.make_client()?.post("/v1/keys", &wanted)?)
}

fn list_keys(options: &ListArguments) -> Result<(), String> {
    let keys = options.server.make_client()?.get_all("/v1/keys?")?;
    match options.format {
        DataFormat::Json => output::print_json(&keys),
        DataFormat::Csv => output::print_csv(&COLUMNS, &keys),
        DataFormat::Table => output::print_table(&COLUMNS, &keys),
    }
    Ok(())
}

fn rotate_key(options: &RotateArguments) -> Result<(), String> {
    let path = format!("/v1/keys/{}/rotate", address::encode_part(&options.id));
    let wanted = json!({ "overlap": options.overlap });
    print_new_key(&options.server.make_client()?.post(&path, &wanted)?)
}

fn revoke_key(options: &RevokeArguments) -> Result<(), String> {
    let path = format!("/v1/keys/{}", address::encode_part(&options.id));
    let revoked = options.server.make_client()?.delete(&path, &json!({}))?;
    let name = revoked.get("name").and_then(Json::as_str).unwrap_or_default();
    eprintln!("the key `{}` of `{name}` works no longer", options.id);
    Ok(())
}

/// The key alone on standard output, so that a script can keep it.
fn print_new_key(answer: &Json) -> Result<(), String> {
    if let Some(id) = answer.get("request").and_then(|_| answer.get("id")?.as_u64()) {
        eprintln!(
            "request {id} waits for another person; once it is approved, `accredit keys rotate` prints \
             the key"
        );
        return Ok(());
    }
    let text = |key: &str| answer.get(key).and_then(Json::as_str);
    let key = text("key").ok_or("the server gave no key")?;
    let (name, role) = (text("name").unwrap_or_default(), text("role").unwrap_or_default());
    eprintln!("the key of `{name}` ({role}); it is not shown again:");
    output::print_line(key);
    Ok(())
}
