//! Changes of access that a second person approved, carried out; and those that were not, taken back.
//!
//! Not asking for them (`keys`, `people`) and not the requests themselves (`results::approvals`, which calls
//! this).
//!
//! **Architecture invariant:** the answer to an approval has no secret: the one who asked makes it
//! afterwards, once.

use accredit_domain::decision::Actor;
use accredit_operations::approvals::{AccessChange, AccessSubject, ApprovalAct};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::access::{keys, people};
use crate::http::problem::Problem;
use crate::server::grants::GrantActor;
use crate::server::people::PersonChange;
use crate::server::state::Service;

/// A key or a person whose access was changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangedAccessView {
    /// The id of the key or the person.
    access: String,
    /// The name in the audit trail.
    name: String,
    /// What it may do now.
    role: String,
}

/// Carries out a change of access.
///
/// # Errors
/// When there is no such key or person any more, or what was asked for makes no sense now.
pub(crate) fn perform_access(
    service: &Service,
    (subject, id, change): (AccessSubject, &str, AccessChange),
    by: Actor,
) -> Result<ChangedAccessView, Problem> {
    let actor = GrantActor { who: by.who, approved: by.approved, at_ms: service.clock.now_ms() };
    match subject {
        AccessSubject::Key => {
            let overlap_ms = match change {
                AccessChange::Secret { overlap_ms } => overlap_ms,
                AccessChange::Grant { .. } | AccessChange::Enable => 0,
            };
            let ledger = &service.context.ledger;
            let known = service.accounts.keys.allow_secret(ledger, id, overlap_ms, &actor);
            let key = &known.map_err(keys::key_problem)?.key;
            let (name, role) = (key.grant.name.clone(), key.grant.role.clone());
            Ok(ChangedAccessView { access: key.id.clone(), name, role })
        }
        AccessSubject::Person => {
            let known = service.accounts.people.find_person(id);
            let known = known.ok_or_else(|| Problem::not_found("person"))?;
            let change = match change {
                AccessChange::Grant { .. } if known.waiting => PersonChange::Granted,
                AccessChange::Grant { role, participant, .. } => {
                    PersonChange::Role(people::role_grant(service, &known, (role, participant))?)
                }
                AccessChange::Secret { .. } => PersonChange::InvitationAllowed,
                AccessChange::Enable => PersonChange::Disabled(false),
            };
            let ends_sessions = !matches!(change, PersonChange::InvitationAllowed);
            let ledger = &service.context.ledger;
            let person = service.accounts.people.change_person(ledger, (id, change), &actor);
            let person = person.map_err(people::people_problem)?;
            if ends_sessions {
                service.accounts.sessions.end_all_of(id);
            }
            let (name, role) = (person.grant.name.clone(), person.grant.role.clone());
            Ok(ChangedAccessView { access: person.id.clone(), name, role })
        }
    }
}

/// Removes the key or the person that waited for a request which was withdrawn.
///
/// # Errors
/// When the data cannot be written.
pub(crate) fn drop_waiting(service: &Service, act: &Value, who: &str) -> Result<(), Problem> {
    let act: ApprovalAct = match serde_json::from_value(act.clone()) {
        Ok(act) => act,
        // A request of another version of the program has nothing that waits here.
        Err(_) => return Ok(()),
    };
    let ApprovalAct::Access { subject, id, .. } = act else { return Ok(()) };
    let actor = GrantActor { who: who.to_owned(), approved: None, at_ms: service.clock.now_ms() };
    let (ledger, accounts) = (&service.context.ledger, &service.accounts);
    match subject {
        AccessSubject::Key if accounts.keys.find_key(&id).is_some_and(|one| one.key.waiting) => {
            accounts.keys.revoke_key(ledger, &id, &actor).map_err(keys::key_problem)?;
        }
        AccessSubject::Person
            if accounts.people.find_person(&id).is_some_and(|one| one.waiting) =>
        {
            accounts.people.remove_person(ledger, &id, &actor).map_err(people::people_problem)?;
        }
        AccessSubject::Key | AccessSubject::Person => (),
    }
    Ok(())
}
