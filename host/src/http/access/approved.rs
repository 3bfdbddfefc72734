//! Changes of access that a second person approved, carried out; and those that were not, taken back.
//! Whether the one who asked and the one who approves are two people.
//!
//! Not asking for them (`keys`, `people`) and not the requests themselves (`results::approvals` and
//! `definitions::changes`, which call this).
//!
//! **Architecture invariant:** the answer to an approval has no secret: the one who asked makes it
//! afterwards, once.

use accredit_domain::decision::Actor;
use accredit_operations::approvals::{AccessChange, AccessSubject, ApprovalAct};
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::access::{grants, keys, people};
use crate::http::problem::Problem;
use crate::server::credentials::is_reserved_name;
use crate::server::grants::{AccessGrant, GrantActor};
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

/// Whether the one who asked and the one who approves are two people, so far as the server knows who had
/// their keys and passwords in hand. `is_proved`: a provider of OpenID Connect proved who approves.
///
/// # Errors
/// Why one person may be both.
pub(crate) fn check_two_people(
    service: &Service,
    (asked, approves): (&str, &str),
    is_proved: bool,
) -> Result<(), Problem> {
    let refused = |detail: String| Problem::new(StatusCode::FORBIDDEN, "four_eyes", detail);
    // Of a key that was removed meanwhile, nothing says who had it.
    if !is_reserved_name(asked) && !service.is_name_taken(asked) {
        return Err(refused(format!(
            "`{asked}`, who asked for this, has no access any more; withdraw it and ask again"
        )));
    }

    let now_ms = service.clock.now_ms();
    let Some(why) = service.accounts.one_pair_of_eyes((asked, approves), is_proved, now_ms) else {
        return Ok(());
    };
    Err(refused(format!(
        "{why}, so that one person could ask and approve; another person must approve it, to whom \
         `{asked}` gave no key or invitation, and who gave none to `{asked}`"
    )))
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
            let keys = &service.accounts.keys;
            let known = keys.find_key(id).ok_or_else(|| Problem::not_found("key"))?;
            let ledger = &service.context.ledger;
            let known = match change {
                AccessChange::Secret { overlap_ms } => {
                    keys.allow_secret(ledger, id, overlap_ms, &actor)
                }
                // What is granted is what the second person read in the request.
                change if change == grants::granted_change(&known.key.grant) => {
                    keys.grant_key(ledger, id, &actor)
                }
                AccessChange::Grant { .. } | AccessChange::Enable => {
                    return Err(grants::other_grant(&known.key.grant.name));
                }
            };
            let key = &known.map_err(keys::key_problem)?.key;
            let (name, role) = (key.grant.name.clone(), key.grant.role.clone());
            Ok(ChangedAccessView { access: key.id.clone(), name, role })
        }
        AccessSubject::Person => {
            let known = service.accounts.people.find_person(id);
            let known = known.ok_or_else(|| Problem::not_found("person"))?;
            let change = match change {
                // What is granted is what the second person read in the request.
                AccessChange::Grant { .. }
                    if known.waiting && change != grants::granted_change(&known.grant) =>
                {
                    return Err(grants::other_grant(&known.grant.name));
                }
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
    let ApprovalAct::Access { subject, id, change, .. } = act else { return Ok(()) };
    // Other requests about it leave what waits alone.
    let is_its_grant =
        |waiting: bool, grant: &AccessGrant| waiting && change == grants::granted_change(grant);
    let actor = GrantActor { who: who.to_owned(), approved: None, at_ms: service.clock.now_ms() };
    let (ledger, accounts) = (&service.context.ledger, &service.accounts);
    match subject {
        AccessSubject::Key
            if accounts
                .keys
                .find_key(&id)
                .is_some_and(|one| is_its_grant(one.key.waiting, &one.key.grant)) =>
        {
            accounts.keys.revoke_key(ledger, &id, &actor).map_err(keys::key_problem)?;
        }
        AccessSubject::Person
            if accounts
                .people
                .find_person(&id)
                .is_some_and(|one| is_its_grant(one.waiting, &one.grant)) =>
        {
            accounts.people.remove_person(ledger, &id, &actor).map_err(people::people_problem)?;
        }
        AccessSubject::Key | AccessSubject::Person => (),
    }
    Ok(())
}
