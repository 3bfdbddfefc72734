//! People who sign in: added, listed, invited and removed by an administrator; the password, set by the
//! person who has the invitation.
//!
//! Not the keeping (`server::people`) and not signing in (`sessions`). Source: RELIABILITY section 5.
//!
//! **Architecture invariant:** an invitation is in the answer to the request that made it, and in no other.

use std::sync::Arc;

use accredit_operations::approvals::{AccessChange, AccessSubject, ApprovalAct};
use accredit_operations::principal::{Principal, Role};
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::access::grants::{self, Decided, GrantRequest};
use crate::http::problem::Problem;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::clock::format_rfc3339;
use crate::server::grants::{AccessGrant, GrantActor};
use crate::server::passwords::{PASSWORD_BYTES_MAX, PASSWORD_CHARACTERS_MIN, PasswordHash};
use crate::server::people::{InvitedPerson, PeopleError, Person, PersonChange, normal_email};
use crate::server::state::Service;

/// Characters of an address of mail.
const EMAIL_MAX: usize = 254;

/// A person without anything secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PersonView {
    /// The id.
    id: String,
    /// The name in the audit trail.
    name: String,
    /// The address of mail with which the person signs in.
    email: String,
    /// What the person may do.
    role: String,
    /// `active`, `disabled`, or `waiting` for a second person.
    state: &'static str,
    /// The participant of a payee.
    participant: Option<String>,
    /// When the account was made.
    #[schema(format = DateTime)]
    created: String,
    /// Who made it.
    created_by: String,
    /// Whether a password is set.
    has_password: bool,
    /// Until when an invitation works; null where none is open.
    #[schema(format = DateTime)]
    invited_until: Option<String>,
}

impl PersonView {
    fn new(person: &Person) -> PersonView {
        PersonView {
            id: person.id.clone(),
            name: person.grant.name.clone(),
            email: person.email.clone(),
            role: person.grant.role.clone(),
            state: person.state(),
            participant: person.grant.participant.clone(),
            created: format_rfc3339(person.created_ms),
            created_by: person.created_by.clone(),
            has_password: person.password.is_some(),
            invited_until: person.invited_until_ms().map(format_rfc3339),
        }
    }
}

/// A person with an invitation.
#[derive(Serialize, ToSchema)]
pub(crate) struct InvitedView {
    /// What the person sets a password with, at `/v1/invitations/{token}`: it is not shown again.
    invitation: String,
    #[serde(flatten)]
    view: PersonView,
}

impl InvitedView {
    fn new(invited: &InvitedPerson) -> InvitedView {
        let invitation = invited.invitation.expose_secret().to_owned();
        InvitedView { invitation, view: PersonView::new(&invited.person) }
    }
}

/// What a new account should be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonRequest {
    /// The name in the audit trail; no other person, key or token may have it.
    name: String,
    /// The address of mail.
    email: String,
    /// `admin`, `author`, `approver`, `reader`, `auditor` or `payee`.
    role: String,
    /// For a payee: the participant whose data the person reads.
    participant: Option<String>,
}

/// Makes an account; the answer has the invitation.
pub(crate) async fn add_person(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    body: Bytes,
) -> Result<Response, Problem> {
    let wanted: PersonRequest = serde_json::from_slice(&body).map_err(|_| {
        let detail = "expected a JSON object with `name`, `email`, `role`, and for a payee \
            `participant`";
        Problem::bad_request(detail)
    })?;

    let asked_by = caller.clone();
    let made = service.run_blocking(move |service| {
        let email = sound_email(&wanted.email)?;
        if Role::parse(&wanted.role) == Some(Role::Source) {
            return Err(grants::bad_access("a source does not sign in: make a key for it"));
        }
        let PersonRequest { name, role, participant, .. } = wanted;
        let wanted = GrantRequest { name, role, participant, scope: None };
        let grant = grants::sound_grant(service, wanted)?;
        let (ledger, actor) = (&service.context.ledger, grants::actor_of(service, &caller));
        let people = &service.accounts.people;
        if service.config.four_eyes && grant.is_elevated() {
            let change = grants::granted_change(&grant);
            let person = people.add_waiting(ledger, (grant, email), &actor);
            let person = person.map_err(people_problem)?;
            return Ok(Decided::Asked(Box::new(access_act_of(&person, change))));
        }
        let added = people.add_person(ledger, (grant, email), &actor).map_err(people_problem)?;
        Ok(Decided::Done(InvitedView::new(&added)))
    });
    let decided = made.await?;
    grants::answer_decided(&service, asked_by, (StatusCode::CREATED, decided)).await
}

fn access_act_of(person: &Person, change: AccessChange) -> ApprovalAct {
    let about = (person.id.as_str(), person.grant.name.as_str());
    grants::access_act(AccessSubject::Person, about, change)
}

/// An address of mail in the form in which it is compared.
fn sound_email(email: &str) -> Result<String, Problem> {
    let email = normal_email(email);
    let parts = email.split_once('@');
    let is_sound = email.chars().count() <= EMAIL_MAX
        && !email.chars().any(|char| char.is_whitespace() || char.is_control())
        && parts.is_some_and(|(name, domain)| !name.is_empty() && !domain.is_empty());
    if is_sound { Ok(email) } else { Err(grants::bad_access("`email` is not an address of mail")) }
}

/// Everybody who signs in, in the order in which the accounts were made.
pub(crate) async fn list_people(
    State(service): State<Arc<Service>>,
) -> ViewResult<ListView<PersonView>> {
    let people = service.accounts.people.list_people();
    Ok(ViewJson(ListView::whole(people.iter().map(|person| PersonView::new(person)).collect())))
}

/// Gives a person another invitation.
pub(crate) async fn invite_person(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let asked_by = caller.clone();
    let invited = service.run_blocking(move |service| {
        let (ledger, actor) = (&service.context.ledger, grants::actor_of(service, &caller));
        let people = &service.accounts.people;
        let person = people.find_person(&id).ok_or_else(unknown_person)?;
        refuse_waiting(&person)?;
        let needs_two = service.config.four_eyes && person.grant.is_elevated();
        if needs_two && !person.may_be_invited_by(&caller.name) {
            // Who has the invitation sets the password, and acts as the person.
            let change = AccessChange::Secret { overlap_ms: 0 };
            return Ok(Decided::Asked(Box::new(access_act_of(&person, change))));
        }
        let invited = people.invite_person(ledger, &id, &actor).map_err(people_problem)?;
        Ok(Decided::Done(InvitedView::new(&invited)))
    });
    let decided = invited.await?;
    grants::answer_decided(&service, asked_by, (StatusCode::OK, decided)).await
}

/// What a person should be allowed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleRequest {
    /// `admin`, `author`, `approver`, `reader`, `auditor` or `payee`.
    role: String,
    /// For a payee: the participant whose data the person reads.
    participant: Option<String>,
}

/// Changes the role of a person.
pub(crate) async fn change_role(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let wanted: RoleRequest = serde_json::from_slice(&body).map_err(|_| {
        Problem::bad_request("expected a JSON object with `role`, and for a payee `participant`")
    })?;
    let asked_by = caller.clone();
    let changed = service.run_blocking(move |service| {
        let person = service.accounts.people.find_person(&id).ok_or_else(unknown_person)?;
        refuse_waiting(&person)?;
        let grant = role_grant(service, &person, (wanted.role, wanted.participant))?;
        if service.config.four_eyes {
            let act = access_act_of(&person, grants::granted_change(&grant));
            return Ok(Decided::Asked(Box::new(act)));
        }
        let actor = grants::actor_of(service, &caller);
        change_person(service, (&id, PersonChange::Role(grant)), &actor).map(Decided::Done)
    });
    let decided = changed.await?;
    grants::answer_decided(&service, asked_by, (StatusCode::OK, decided)).await
}

/// What a person is granted with another role.
pub(super) fn role_grant(
    service: &Service,
    person: &Person,
    (role, participant): (String, Option<String>),
) -> Result<AccessGrant, Problem> {
    if Role::parse(&role) == Some(Role::Source) {
        return Err(grants::bad_access("a source does not sign in: make a key for it"));
    }
    let name = person.grant.name.clone();
    grants::grant_with_name(service, GrantRequest { name, role, participant, scope: None })
}

/// Keeps a person from signing in, and ends the sessions; the account stays.
pub(crate) async fn disable_person(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(id): Path<String>,
) -> ViewResult<PersonView> {
    let disabled = service.run_blocking(move |service| {
        let actor = grants::actor_of(service, &caller);
        change_person(service, (&id, PersonChange::Disabled(true)), &actor)
    });
    disabled.await.map(ViewJson)
}

/// Lets a person who was disabled sign in again.
pub(crate) async fn enable_person(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let asked_by = caller.clone();
    let enabled = service.run_blocking(move |service| {
        let person = service.accounts.people.find_person(&id).ok_or_else(unknown_person)?;
        refuse_waiting(&person)?;
        if service.config.four_eyes && person.grant.is_elevated() {
            let act = access_act_of(&person, AccessChange::Enable);
            return Ok(Decided::Asked(Box::new(act)));
        }
        let actor = grants::actor_of(service, &caller);
        change_person(service, (&id, PersonChange::Disabled(false)), &actor).map(Decided::Done)
    });
    let decided = enabled.await?;
    grants::answer_decided(&service, asked_by, (StatusCode::OK, decided)).await
}

/// Changes a person; sessions that were begun with other rights end.
pub(super) fn change_person(
    service: &Service,
    change: (&str, PersonChange),
    actor: &GrantActor,
) -> Result<PersonView, Problem> {
    let ledger = &service.context.ledger;
    let person = service.accounts.people.change_person(ledger, change, actor);
    let person = person.map_err(people_problem)?;
    service.accounts.sessions.end_all_of(&person.id);
    Ok(PersonView::new(&person))
}

/// Nothing else is asked for of an account that waits: its approval would be read as that of the grant.
fn refuse_waiting(person: &Person) -> Result<(), Problem> {
    if person.waiting { Err(grants::not_granted()) } else { Ok(()) }
}

fn unknown_person() -> Problem {
    people_problem(PeopleError::Unknown)
}

/// Removes a person and ends the sessions.
pub(crate) async fn remove_person(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(id): Path<String>,
) -> ViewResult<PersonView> {
    let removed = service.run_blocking(move |service| {
        let (ledger, actor) = (&service.context.ledger, grants::actor_of(service, &caller));
        let person =
            service.accounts.people.remove_person(ledger, &id, &actor).map_err(people_problem)?;
        service.accounts.sessions.end_all_of(&person.id);
        Ok(PersonView::new(&person))
    });
    removed.await.map(ViewJson)
}

/// What a person sets with an invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordRequest {
    /// At least twelve characters.
    password: String,
}

/// Sets the password of the person who has the invitation, once.
pub(crate) async fn accept_invitation(
    State(service): State<Arc<Service>>,
    Path(token): Path<String>,
    body: Bytes,
) -> ViewResult<PersonView> {
    let PasswordRequest { password } = serde_json::from_slice(&body)
        .map_err(|_| Problem::bad_request("expected a JSON object with `password`"))?;
    let password = SecretString::from(password);

    // Hashing takes time and memory: it is done for those who were invited alone.
    if service.accounts.people.find_invited(&token, service.clock.now_ms()).is_none() {
        return Err(Problem::not_found("invitation"));
    }
    check_password(&password)?;
    let turn = service.hashing_turn().await?;

    let set = service.run_blocking(move |service| {
        let hash = PasswordHash::of(&password).map_err(|error| Problem::internal(&error))?;
        drop(turn);
        let (ledger, at_ms) = (&service.context.ledger, service.clock.now_ms());
        let person = service.accounts.people.set_password(ledger, (&token, hash), at_ms);
        let person = person.map_err(people_problem)?;
        // Who knew the former password is no longer let in.
        service.accounts.sessions.end_all_of(&person.id);
        Ok(PersonView::new(&person))
    });
    set.await.map(ViewJson)
}

fn check_password(password: &SecretString) -> Result<(), Problem> {
    let text = password.expose_secret();
    let is_sound = text.chars().count() >= PASSWORD_CHARACTERS_MIN;
    if is_sound && text.len() <= PASSWORD_BYTES_MAX {
        return Ok(());
    }
    let detail = format!(
        "a password has at least {PASSWORD_CHARACTERS_MIN} characters and at most \
         {PASSWORD_BYTES_MAX} bytes"
    );
    Err(Problem::unprocessable("bad_password", detail))
}

pub(super) fn people_problem(error: PeopleError) -> Problem {
    match error {
        PeopleError::Unknown => Problem::not_found("person or invitation"),
        PeopleError::EmailTaken => {
            Problem::conflict("email_taken", "another person has this address of mail")
        }
        PeopleError::Waiting => grants::not_granted(),
        PeopleError::Failed(cause) => Problem::internal(&cause),
        PeopleError::Store(error) => Problem::internal(&error),
    }
}
