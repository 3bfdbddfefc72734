//! `accredit people`: accounts of a running server, made, listed, changed and disabled.
//!
//! Not the keeping of them (the server's). An invitation goes to standard output, once.

use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};

use crate::address;
use crate::cli::print::output::{self, DataFormat, EXIT_FAILED, EXIT_OK};
use crate::cli::remote::address::ServerAddress;

/// What is done to people.
#[derive(Debug, Subcommand)]
pub(crate) enum PeopleCommand {
    /// List people without anything secret.
    List(PeopleListArguments),
    /// Make an account, and print the invitation once.
    Invite(InviteArguments),
    /// Change the role of a person.
    Role(RoleArguments),
    /// Keep a person from signing in; the account stays.
    Disable(PersonArguments),
    /// Let a person who was disabled sign in again.
    Enable(PersonArguments),
    /// Make another invitation, to set a new password, and print it once.
    Reset(PersonArguments),
    /// Remove an account.
    Remove(PersonArguments),
}

/// Options of `people list`.
#[derive(Debug, Args)]
pub(crate) struct PeopleListArguments {
    /// Format of the people on standard output.
    #[arg(long, value_enum, default_value = "table")]
    format: DataFormat,
    #[command(flatten)]
    server: ServerAddress,
}

/// Options of `people invite`.
#[derive(Debug, Args)]
pub(crate) struct InviteArguments {
    /// The name in the audit trail.
    name: String,
    /// The address of mail with which the person signs in.
    #[arg(long)]
    email: String,
    /// What the person may do: admin, author, approver, reader, auditor or payee.
    #[arg(long)]
    role: String,
    /// The participant whose data a payee reads.
    #[arg(long, value_name = "ID")]
    participant: Option<String>,
    #[command(flatten)]
    server: ServerAddress,
}

/// Options of `people role`.
#[derive(Debug, Args)]
pub(crate) struct RoleArguments {
    /// The id of the person, or the address of mail.
    person: String,
    /// What the person may do: admin, author, approver, reader, auditor or payee.
    role: String,
    /// The participant whose data a payee reads.
    #[arg(long, value_name = "ID")]
    participant: Option<String>,
    #[command(flatten)]
    server: ServerAddress,
}

/// A person on a server.
#[derive(Debug, Args)]
pub(crate) struct PersonArguments {
    /// The id of the person, or the address of mail.
    person: String,
    #[command(flatten)]
    server: ServerAddress,
}

const COLUMNS: [&str; 8] =
    ["id", "name", "email", "role", "state", "participant", "invited_until", "created_by"];

/// Runs the verb.
pub(crate) fn run(verb: &PeopleCommand) -> u8 {
    let done = match verb {
        PeopleCommand::List(options) => list_people(options),
        PeopleCommand::Invite(options) => invite_person(options),
        PeopleCommand::Role(options) => change_role(options),
        PeopleCommand::Disable(options) => change_state(options, "disable"),
        PeopleCommand::Enable(options) => change_state(options, "enable"),
        PeopleCommand::Reset(options) => reset_password(options),
        PeopleCommand::Remove(options) => remove_person(options),
    };
    match done {
        Ok(()) => EXIT_OK,
        Err(message) => {
            eprintln!("error: {message}");
            EXIT_FAILED
        }
    }
}

fn list_people(options: &PeopleListArguments) -> Result<(), String> {
    let people = options.server.make_client()?.get_all("/v1/people?")?;
    match options.format {
        DataFormat::Json => output::print_json(&people),
        DataFormat::Csv => output::print_csv(&COLUMNS, &people),
        DataFormat::Table => output::print_table(&COLUMNS, &people),
    }
    Ok(())
}

fn invite_person(options: &InviteArguments) -> Result<(), String> {
    let wanted = json!({
        "name": options.name, "email": options.email, "role": options.role,
        "participant": options.participant,
    });
    print_invitation(&options.server.make_client()?.post("/v1/people", &wanted)?)
}

/// The path of a person who was named by the id or by the address of mail.
fn person_path(server: &ServerAddress, person: &str) -> Result<String, String> {
    let id = if person.contains('@') {
        let people = server.make_client()?.get_all("/v1/people?")?;
        let text = |one: &Json, key: &str| one.get(key).and_then(Json::as_str).map(str::to_owned);
        let found = people.iter().find(|one| {
            text(one, "email").is_some_and(|email| email.eq_ignore_ascii_case(person.trim()))
        });
        let found = found.and_then(|one| text(one, "id"));
        found.ok_or_else(|| format!("nobody has the address of mail `{person}`"))?
    } else {
        person.to_owned()
    };
    Ok(format!("/v1/people/{}", address::encode_part(&id)))
}

fn change_role(options: &RoleArguments) -> Result<(), String> {
    let path = person_path(&options.server, &options.person)?;
    let wanted = json!({ "role": options.role, "participant": options.participant });
    let answer = options.server.make_client()?.put(&format!("{path}/role"), &wanted)?;
    tell_state(&answer);
    Ok(())
}

fn change_state(options: &PersonArguments, act: &str) -> Result<(), String> {
    let path = person_path(&options.server, &options.person)?;
    let answer = options.server.make_client()?.post(&format!("{path}/{act}"), &json!({}))?;
    tell_state(&answer);
    Ok(())
}

fn reset_password(options: &PersonArguments) -> Result<(), String> {
    let path = person_path(&options.server, &options.person)?;
    let answer = options.server.make_client()?.post(&format!("{path}/invite"), &json!({}))?;
    print_invitation(&answer)
}

fn remove_person(options: &PersonArguments) -> Result<(), String> {
    let path = person_path(&options.server, &options.person)?;
    let removed = options.server.make_client()?.delete(&path, &json!({}))?;
    let name = removed.get("name").and_then(Json::as_str).unwrap_or_default();
    eprintln!("`{name}` has no account any more");
    Ok(())
}

/// The number of the request, where another person has to approve it first.
fn waiting_request(answer: &Json) -> Option<u64> {
    answer.get("request").and_then(|_| answer.get("id")?.as_u64())
}

fn tell_state(answer: &Json) {
    let text = |key: &str| answer.get(key).and_then(Json::as_str).unwrap_or_default();
    match waiting_request(answer) {
        Some(id) => eprintln!("request {id} waits for another person"),
        None => eprintln!("`{}`: {}, {}", text("name"), text("role"), text("state")),
    }
}

/// The invitation alone on standard output, so that a script can send it.
fn print_invitation(answer: &Json) -> Result<(), String> {
    if let Some(id) = waiting_request(answer) {
        eprintln!(
            "request {id} waits for another person; once it is approved, `accredit people reset` \
             prints the invitation"
        );
        return Ok(());
    }
    let text = |key: &str| answer.get(key).and_then(Json::as_str);
    let invitation = text("invitation").ok_or("the server gave no invitation")?;
    let (name, role) = (text("name").unwrap_or_default(), text("role").unwrap_or_default());
    let until = text("invited_until").unwrap_or_default();
    eprintln!(
        "the invitation of `{name}` ({role}), valid until {until} and not shown again; the person posts \
         {{\"password\": …}} to /v1/invitations/ with it behind:"
    );
    output::print_line(invitation);
    Ok(())
}
