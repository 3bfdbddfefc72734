//! What an administrator grants to a key or a person: whether it makes sense.
//!
//! Not the keeping (`server::grants`). Called by `keys` and `people`.
//!
//! **Architecture invariant:** a name in the audit trail is that of one token, key or person alone.

use std::sync::Arc;

use accredit_domain::organization::fold_name;
use accredit_operations::approvals::{AccessChange, AccessSubject, ApprovalAct};
use accredit_operations::principal::{Principal, Role};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::http::problem::Problem;
use crate::http::results::approvals;
use crate::http::views::ViewJson;
use crate::server::credentials::is_reserved_name;
use crate::server::grants::{AccessGrant, GrantActor};
use crate::server::state::Service;

/// Characters of a name and of a scope.
const TEXT_MAX: usize = 200;

/// What should be granted.
#[derive(Debug)]
pub(crate) struct GrantRequest {
    /// The name in the audit trail.
    pub(crate) name: String,
    /// The name of the role.
    pub(crate) role: String,
    /// The participant of a payee.
    pub(crate) participant: Option<String>,
    /// What the natural keys begin with that a source may send.
    pub(crate) scope: Option<String>,
}

/// What is granted, once it makes sense.
///
/// # Errors
/// What does not.
pub(crate) fn sound_grant(service: &Service, wanted: GrantRequest) -> Result<AccessGrant, Problem> {
    let name = sound_name(service, &wanted.name)?;
    grant_with_name(service, GrantRequest { name, ..wanted })
}

/// The same under a name that the caller has already.
///
/// # Errors
/// What does not make sense.
pub(crate) fn grant_with_name(
    service: &Service,
    wanted: GrantRequest,
) -> Result<AccessGrant, Problem> {
    let name = wanted.name;
    let role = Role::parse(&wanted.role).ok_or_else(|| {
        let roles = Role::ALL.map(Role::name).join("`, `");
        bad_access(format!("`{}` is not a role; the roles are `{roles}`", wanted.role))
    })?;

    let participant = wanted.participant.map(|id| known_participant(service, &id)).transpose()?;
    let scope = wanted.scope.map(|scope| scope.trim().to_owned());
    let scope_length = scope.as_ref().map_or(1, |scope| scope.chars().count());
    if !(1..=TEXT_MAX).contains(&scope_length) {
        return Err(bad_access(format!("`scope` must have 1 to {TEXT_MAX} characters")));
    }

    let grant = AccessGrant { name, role: role.name().to_owned(), participant, scope };
    if grant.principal().is_none() {
        let needs = match role {
            Role::Payee => "needs `participant` and no `scope`",
            Role::Source => "needs `scope`, what its natural keys begin with, and no `participant`",
            _ => "has neither `participant` nor `scope`",
        };
        return Err(bad_access(format!("the role `{}` {needs}", role.name())));
    }
    Ok(grant)
}

/// A name that the audit trail shows for one caller alone.
fn sound_name(service: &Service, name: &str) -> Result<String, Problem> {
    let name = name.trim();
    let is_sound =
        (1..=TEXT_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if !is_sound {
        return Err(bad_access(format!("`name` must have 1 to {TEXT_MAX} visible characters")));
    }
    // Two callers with one name would approve each other's changes.
    if is_reserved_name(name) || service.is_name_taken(name) {
        return Err(name_taken());
    }
    Ok(name.to_owned())
}

/// The id of a participant as the organisation has it.
fn known_participant(service: &Service, id: &str) -> Result<String, Problem> {
    let ruleset = service.context.ruleset.load();
    let organization = &ruleset.organization;
    let known = organization.find_participant(id).map(|known| organization.participant_id(known));
    let known = known.filter(|known| fold_name(known) == fold_name(id));
    let known = known.ok_or_else(|| bad_access(format!("`{id}` is not a participant")))?;
    Ok(known.to_string())
}

/// Who changes something, and when.
pub(crate) fn actor_of(service: &Service, caller: &Principal) -> GrantActor {
    GrantActor { who: caller.name.clone(), approved: None, at_ms: service.clock.now_ms() }
}

/// What is asked for of an access, for a second person to approve.
pub(crate) fn access_act(
    subject: AccessSubject,
    (id, name): (&str, &str),
    change: AccessChange,
) -> ApprovalAct {
    ApprovalAct::Access { subject, id: id.to_owned(), name: name.to_owned(), change }
}

/// A role that is granted, as a request says it.
pub(crate) fn granted_change(grant: &AccessGrant) -> AccessChange {
    let AccessGrant { role, participant, scope, .. } = grant.clone();
    AccessChange::Grant { role, participant, scope }
}

/// What becomes of a request: it is done, or it waits for a second person.
pub(crate) enum Decided<V> {
    /// It is done.
    Done(V),
    /// It waits.
    Asked(Box<ApprovalAct>),
}

/// Answers with what was done, or keeps what has to be approved.
///
/// # Errors
/// When the request cannot be kept.
pub(crate) async fn answer_decided<V: Serialize>(
    service: &Arc<Service>,
    caller: Principal,
    (status, decided): (StatusCode, Decided<V>),
) -> Result<Response, Problem> {
    match decided {
        Decided::Done(view) => Ok((status, ViewJson(view)).into_response()),
        Decided::Asked(act) => approvals::keep_request(service, *act, caller).await,
    }
}

/// What is wanted makes no sense.
pub(crate) fn bad_access(detail: impl Into<String>) -> Problem {
    Problem::unprocessable("bad_access", detail)
}

/// A key or a person can only be granted or removed while it waits.
pub(crate) fn not_granted() -> Problem {
    let detail = "this key or person waits for its grant; approve or withdraw that request first";
    Problem::conflict("not_granted", detail)
}

/// A request grants something else than what a key or a person waits for.
pub(crate) fn other_grant(name: &str) -> Problem {
    let detail = format!(
        "this request does not have the grant that `{name}` waits for; withdraw it, and read the \
         request that the key or the account was made with"
    );
    Problem::conflict("not_granted", detail)
}

/// Another caller has the name.
pub(crate) fn name_taken() -> Problem {
    let detail = "another token, key or person has this name, or it is reserved";
    Problem::conflict("name_taken", detail)
}
