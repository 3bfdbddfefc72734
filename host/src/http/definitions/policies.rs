//! Policies: listed, shown, replaced while deals arrive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use accredit_domain::keys::PeriodKey;
use accredit_domain::limits::MoneyEffect;
use accredit_domain::policy::PolicyKind;
use accredit_ledger::definitions::{Activation, ChangeRefusal, Effective, content_hash};
use accredit_operations::activation::{self, ChangeRequest};
use accredit_operations::principal::Principal;
use accredit_workspace::Files;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::caching;
use crate::http::definitions::conditions::{self, Precondition};
use crate::http::problem::Problem;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::clock::format_rfc3339;
use crate::server::state::Service;

/// Characters of a policy's name.
const NAME_MAX: usize = 64;

fn policy_path(kind: &str, name: &str) -> Result<String, Problem> {
    let kind = PolicyKind::parse(kind).ok_or_else(|| Problem::not_found("kind of policy"))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(plain) {
        let detail = format!("a name has 1 to {NAME_MAX} letters, digits, `-` or `_`");
        return Err(Problem::bad_request(detail));
    }
    Ok(format!("policies/{}/{name}.rhai", kind.as_str()))
}

/// What happened to files so far.
struct PolicyHistory {
    activations: Vec<Activation>,
    refusals: Vec<ChangeRefusal>,
}

impl PolicyHistory {
    fn read_history(service: &Service) -> Result<PolicyHistory, Problem> {
        Ok(PolicyHistory {
            activations: service.context.ledger.list_activations()?,
            refusals: service.context.ledger.list_refusals()?,
        })
    }

    /// The state of one policy.
    fn policy_status(&self, files: &Files, path: &str) -> Option<PolicyView> {
        let mut parts = path.strip_prefix("policies/")?.strip_suffix(".rhai")?.splitn(2, '/');
        let (kind, name) = (parts.next()?, parts.next()?);

        let touches = |row: &Activation| row.files.iter().any(|file| file == path);
        let activation = self.activations.iter().rev().find(|row| touches(row));
        let since = activation.map_or(0, |row| row.at_ms);

        let refusal = self.refusals.iter().rev().find(|row| touches(&row.activation));
        let refusal = refusal.filter(|refusal| refusal.activation.at_ms >= since);

        let source = files.get(path);

        let last_error = refusal.map(|refusal| PolicyErrorView {
            at: format_rfc3339(refusal.activation.at_ms),
            who: refusal.activation.terms.who.clone(),
            errors: refusal.diagnostics.clone(),
        });

        Some(PolicyView {
            kind: kind.to_owned(),
            name: name.to_owned(),
            hash: source.map(|source| content_hash(source)),
            active: source.is_some(),
            last_activation: activation.cloned().map(ActivationView::new),
            last_error,
        })
    }
}

/// An activation: a whole set of files became what decides.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActivationView {
    /// Its number, from 1.
    sequence: u64,
    /// The hash of the ruleset that it made.
    ruleset: String,
    /// The instant at which it came into force.
    #[schema(format = DateTime)]
    at: String,
    /// The user who made the change.
    who: String,
    /// The reason as it was given.
    why: Option<String>,
    /// `start`, `api` or `watch`.
    source: String,
    /// The paths that were to change.
    files: Vec<String>,
    /// What it meant for credits that existed: `now`, `recredit` or `from:2026-01-31`.
    effective: Effective,
    /// Labels to find it by.
    tags: Vec<String>,
    /// How many cases ran, all of which passed.
    cases: usize,
    /// The number of the kept change that it carried out.
    change: Option<u64>,
    /// Plans, with the periods in which it changed what credits are worth.
    restated: BTreeMap<String, BTreeSet<PeriodKey>>,
    /// The money that it moved; null where none moved.
    money: Option<MoneyEffect>,
    /// The user who activated the kept change.
    approved_by: Option<String>,
    /// In a list of changes: `active` for the last one, else `retired`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    state: Option<&'static str>,
    /// In a list of changes: its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    activation: Option<u64>,
    /// In a list of changes: the hash of the new text by path; null where the file was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    changed: Option<BTreeMap<String, Option<String>>>,
}

impl ActivationView {
    /// An activation in a list of activations.
    pub(crate) fn new(activation: Activation) -> ActivationView {
        ActivationView {
            sequence: activation.sequence,
            ruleset: activation.ruleset,
            at: format_rfc3339(activation.at_ms),
            who: activation.terms.who,
            why: activation.terms.why,
            source: activation.terms.source,
            files: activation.files,
            effective: activation.terms.effective,
            tags: activation.terms.tags,
            cases: activation.cases,
            change: activation.change,
            restated: activation.restated,
            money: activation.money,
            approved_by: activation.approved_by,
            state: None,
            activation: None,
            changed: None,
        }
    }

    /// An activation in a list of changes.
    pub(crate) fn of_change(activation: Activation, is_active: bool) -> ActivationView {
        ActivationView {
            state: Some(if is_active { "active" } else { "retired" }),
            activation: Some(activation.sequence),
            changed: Some(activation.changed.clone()),
            ..ActivationView::new(activation)
        }
    }
}

/// A policy that is in force or was refused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyView {
    /// The kind: the folder of its file.
    kind: String,
    /// The name: the stem of its file.
    name: String,
    /// The hash of its text; null where it is not in force.
    hash: Option<String>,
    /// Whether it is in force.
    active: bool,
    /// The last activation that changed it.
    last_activation: Option<ActivationView>,
    /// The last refusal since then.
    last_error: Option<PolicyErrorView>,
}

/// A change of a policy that was refused.
#[derive(Debug, Serialize, ToSchema)]
struct PolicyErrorView {
    /// The instant of the refusal.
    #[schema(format = DateTime)]
    at: String,
    /// The user who made the change.
    who: String,
    /// The diagnostics of check.
    errors: Value,
}

/// Every policy that is in force or was refused.
pub(crate) async fn list_policies(
    State(service): State<Arc<Service>>,
) -> ViewResult<ListView<PolicyView>> {
    let rows = service.run_blocking(|service| {
        let history = PolicyHistory::read_history(service)?;
        let files = &service.context.ruleset.load().files;
        let refused = history.refusals.iter().flat_map(|refusal| &refusal.activation.files);
        let paths: BTreeSet<&String> = files.keys().chain(refused).collect();
        Ok(paths.into_iter().filter_map(|path| history.policy_status(files, path)).collect())
    });
    Ok(ViewJson(ListView::whole(rows.await?)))
}

/// One policy: its source, or its state where JSON is asked for.
pub(crate) async fn show_policy(
    State(service): State<Arc<Service>>,
    Path((kind, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let path = policy_path(&kind, &name)?;

    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let json = accept.is_some_and(|accept| accept.contains("application/json"));

    let files = service.context.ruleset.load().files.clone();
    let source = files.get(&path).cloned();

    if !json {
        let source = source.ok_or_else(|| Problem::not_found("policy"))?;
        let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        let varies = [(header::VARY, "accept")];
        let shown = (kind, varies, source.to_string());
        return caching::with_etag(&headers, &content_hash(&source), shown);
    }

    let state = service.run_blocking(move |service| {
        let history = PolicyHistory::read_history(service)?;
        let known = files.contains_key(&path)
            || history.refusals.iter().any(|refusal| refusal.activation.files.contains(&path));
        Ok(history.policy_status(&files, &path).filter(|_| known))
    });
    let state = state.await?.ok_or_else(|| Problem::not_found("policy"))?;

    let mut response = ([(header::VARY, "accept")], ViewJson(state)).into_response();
    // The tag is of the text, for `If-Match`: the state has no list of them.
    if let Some(source) = source {
        response.headers_mut().insert(header::ETAG, conditions::etag(&content_hash(&source))?);
    }

    Ok(response)
}

/// Puts a new version of a policy in force, or refuses it with check's diagnostics.
pub(crate) async fn replace_policy(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path((kind, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let path = policy_path(&kind, &name)?;
    let text = conditions::body_text(&body)?;
    let new = content_hash(&text);

    let condition = Precondition::new(&headers);
    let files = BTreeMap::from([(path.clone(), Some(text))]);
    let change = ChangeRequest { files, ..conditions::change_from_headers(&headers, &caller)? };

    let done = service.run_blocking(move |service| {
        let allowed = |files: &Files| {
            condition
                .check_hash(files.get(&path).map(|text| content_hash(text)).as_deref(), "policy")
        };
        activation::submit_change(&service.context, &change, allowed).map_err(Problem::from)
    });

    // Not cut short by a client that goes away: `blocking` runs to its end.
    conditions::outcome_response(&done.await?, Some(&new))
}

/// Every activation, newest first.
pub(crate) async fn list_activations(
    State(service): State<Arc<Service>>,
) -> ViewResult<ListView<ActivationView>> {
    let rows = service.run_blocking(|service| {
        let rows = service.context.ledger.list_activations()?;
        Ok(rows.into_iter().rev().map(ActivationView::new).collect())
    });
    Ok(ViewJson(ListView::whole(rows.await?)))
}
