//! Keys of the API: made, listed, rotated and revoked by an administrator.
//!
//! Not the keeping and the comparing (`server::keys`). Source: RELIABILITY section 5.
//!
//! **Architecture invariant:** a secret is in the answer to the request that made it, and in no other.

use std::sync::Arc;

use accredit_operations::approvals::{AccessChange, AccessSubject, ApprovalAct};
use accredit_operations::principal::Principal;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use jiff::civil::Date;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::access::grants::{self, Decided, GrantRequest};
use crate::http::problem::Problem;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::clock::format_rfc3339;
use crate::server::keys::{KeyError, KnownKey, NewKey};
use crate::server::state::Service;

/// Seconds for which a secret may work on after a rotation: thirty days.
const OVERLAP_S_MAX: i64 = 30 * 24 * 3600;

/// A key without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyView {
    /// Its id, which is a part of the key.
    id: String,
    /// The name in the audit trail.
    name: String,
    /// What it may do.
    role: String,
    /// `active`, or `waiting` for a second person.
    state: &'static str,
    /// The participant of a payee's key.
    participant: Option<String>,
    /// What the natural keys begin with that a source's key may send.
    scope: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created: String,
    /// Who made it.
    created_by: String,
    /// When it expires; null where it does not.
    #[schema(format = DateTime)]
    expires: Option<String>,
    /// When it was last used, to the minute after a restart; null where it never was.
    #[schema(format = DateTime)]
    last_used: Option<String>,
}

impl KeyView {
    fn new(known: &KnownKey) -> KeyView {
        let key = &known.key;
        KeyView {
            id: key.id.clone(),
            name: key.grant.name.clone(),
            role: key.grant.role.clone(),
            state: if key.waiting { "waiting" } else { "active" },
            participant: key.grant.participant.clone(),
            scope: key.grant.scope.clone(),
            created: format_rfc3339(key.created_ms),
            created_by: key.created_by.clone(),
            expires: key.expires_ms.map(format_rfc3339),
            last_used: known.used_ms().map(format_rfc3339),
        }
    }
}

/// A key that was made, or got another secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewKeyView {
    /// The whole of it: it is not shown again.
    key: String,
    #[serde(flatten)]
    view: KeyView,
}

impl NewKeyView {
    fn new(new: &NewKey) -> NewKeyView {
        let key = new.shown.expose_secret().to_owned();
        NewKeyView { key, view: KeyView::new(&new.known) }
    }
}

/// What a new key should be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyRequest {
    /// The name in the audit trail; no other key or token may have it.
    name: String,
    /// `admin`, `author`, `approver`, `reader`, `auditor`, `source` or `payee`.
    role: String,
    /// For a payee: the participant whose data the key reads.
    participant: Option<String>,
    /// For a source: what the natural keys begin with of the deals that it may send.
    scope: Option<String>,
    /// A date or a moment; without it the key does not expire.
    expires: Option<String>,
}

/// Makes a key; the answer has its secret.
pub(crate) async fn create_key(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    body: Bytes,
) -> Result<Response, Problem> {
    let wanted: KeyRequest = serde_json::from_slice(&body).map_err(|_| {
        let detail = "expected a JSON object with `name`, `role`, and optionally `participant`, \
            `scope` or `expires`";
        Problem::bad_request(detail)
    })?;

    let asked_by = caller.clone();
    let made = service.run_blocking(move |service| {
        let actor = grants::actor_of(service, &caller);
        let expires_ms = wanted.expires.as_deref().map(parse_expiry).transpose()?;
        if expires_ms.is_some_and(|expires| expires <= actor.at_ms) {
            return Err(grants::bad_access("`expires` is over already"));
        }

        let KeyRequest { name, role, participant, scope, .. } = wanted;
        let wanted = GrantRequest { name, role, participant, scope };
        let grant = grants::sound_grant(service, wanted)?;
        let (ledger, keys) = (&service.context.ledger, &service.accounts.keys);
        if service.config.four_eyes && grant.is_elevated() {
            let change = grants::granted_change(&grant);
            let known = keys.add_waiting(ledger, grant, expires_ms, &actor);
            let known = known.map_err(key_problem)?;
            return Ok(Decided::Asked(Box::new(access_act_of(&known, change))));
        }
        let new = keys.create_key(ledger, grant, expires_ms, &actor).map_err(key_problem)?;
        Ok(Decided::Done(NewKeyView::new(&new)))
    });
    let decided = made.await?;
    grants::answer_decided(&service, asked_by, (StatusCode::CREATED, decided)).await
}

fn access_act_of(known: &KnownKey, change: AccessChange) -> ApprovalAct {
    let about = (known.key.id.as_str(), known.key.grant.name.as_str());
    grants::access_act(AccessSubject::Key, about, change)
}

/// A moment, or the beginning of a day in UTC.
fn parse_expiry(text: &str) -> Result<i64, Problem> {
    if let Ok(moment) = text.trim().parse::<Timestamp>() {
        return Ok(moment.as_millisecond());
    }
    let date = text.trim().parse::<Date>().ok();
    let start = date.and_then(|date| format!("{date}T00:00:00Z").parse::<Timestamp>().ok());
    let start = start.ok_or_else(|| {
        grants::bad_access("`expires` is neither a date nor a moment such as 2027-01-31T12:00:00Z")
    })?;
    Ok(start.as_millisecond())
}

/// Every key, oldest first.
pub(crate) async fn list_keys(
    State(service): State<Arc<Service>>,
) -> ViewResult<ListView<KeyView>> {
    let keys = service.accounts.keys.list_keys();
    Ok(ViewJson(ListView::whole(keys.iter().map(|known| KeyView::new(known)).collect())))
}

/// How a key is rotated.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateRequest {
    /// Seconds for which the secret of before works on.
    overlap: Option<i64>,
}

/// Gives a key another secret; the answer has it.
pub(crate) async fn rotate_key(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let wanted: RotateRequest = match body.is_empty() {
        true => RotateRequest::default(),
        false => serde_json::from_slice(&body).map_err(|_| {
            Problem::bad_request("expected a JSON object with `overlap` in seconds, or no body")
        })?,
    };
    let overlap_s = wanted.overlap.unwrap_or_default();
    if !(0..=OVERLAP_S_MAX).contains(&overlap_s) {
        return Err(grants::bad_access(format!("`overlap` must be 0 to {OVERLAP_S_MAX} seconds")));
    }

    let asked_by = caller.clone();
    let rotated = service.run_blocking(move |service| {
        let (ledger, actor) = (&service.context.ledger, grants::actor_of(service, &caller));
        let keys = &service.accounts.keys;
        let mut overlap_ms = overlap_s * 1000;
        let known = keys.find_key(&id).ok_or_else(|| key_problem(KeyError::Unknown))?;
        if known.key.waiting {
            return Err(grants::not_granted());
        }
        if service.config.four_eyes && known.key.grant.is_elevated() {
            // The secret goes to the one who asked, not to the one who approved.
            match known.allowed_overlap(&caller.name) {
                Some(allowed_ms) => overlap_ms = allowed_ms,
                None => {
                    let change = AccessChange::Secret { overlap_ms };
                    return Ok(Decided::Asked(Box::new(access_act_of(&known, change))));
                }
            }
        }
        let new = keys.rotate_key(ledger, &id, overlap_ms, &actor).map_err(key_problem)?;
        Ok(Decided::Done(NewKeyView::new(&new)))
    });
    let decided = rotated.await?;
    grants::answer_decided(&service, asked_by, (StatusCode::OK, decided)).await
}

/// Removes a key: it works no longer.
pub(crate) async fn revoke_key(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(id): Path<String>,
) -> ViewResult<KeyView> {
    let revoked = service.run_blocking(move |service| {
        let (ledger, actor) = (&service.context.ledger, grants::actor_of(service, &caller));
        let known = service.accounts.keys.revoke_key(ledger, &id, &actor).map_err(key_problem)?;
        Ok(KeyView::new(&known))
    });
    revoked.await.map(ViewJson)
}

pub(super) fn key_problem(error: KeyError) -> Problem {
    match error {
        KeyError::Unknown => Problem::not_found("key"),
        KeyError::BadGrant => {
            grants::bad_access("the role does not go with `participant` and `scope`")
        }
        KeyError::NameTaken => grants::name_taken(),
        KeyError::Waiting => grants::not_granted(),
        KeyError::NotWaiting => {
            Problem::conflict("not_waiting", "this key does not wait for a grant any more")
        }
        KeyError::NoRandom(cause) => Problem::internal(&cause),
        KeyError::Store(error) => Problem::internal(&error),
    }
}
