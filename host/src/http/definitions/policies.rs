//! Policies: listed, shown, replaced while deals arrive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use accredit_domain::policy::PolicyKind;
use accredit_ledger::definitions::{Activation, ChangeRefusal, content_hash};
use accredit_operations::activation::{self, ChangeRequest};
use accredit_workspace::Files;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::http::JsonResult;
use crate::http::caching;
use crate::http::definitions::conditions::{self, Precondition};
use crate::http::problem::Problem;
use crate::server::clock::format_rfc3339;
use crate::server::secrets::Caller;
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
    fn policy_status(&self, files: &Files, path: &str) -> Option<Value> {
        let mut parts = path.strip_prefix("policies/")?.strip_suffix(".rhai")?.splitn(2, '/');
        let (kind, name) = (parts.next()?, parts.next()?);

        let touches = |row: &Activation| row.files.iter().any(|file| file == path);
        let activation = self.activations.iter().rev().find(|row| touches(row));
        let since = activation.map_or(0, |row| row.at_ms);

        let refusal = self.refusals.iter().rev().find(|row| touches(&row.activation));
        let refusal = refusal.filter(|refusal| refusal.activation.at_ms >= since);

        let source = files.get(path);

        Some(json!({
            "kind": kind,
            "name": name,
            "hash": source.map(|source| content_hash(source)),
            "active": source.is_some(),
            "last_activation": activation.map(activation_row),
            "last_error": refusal.map(|refusal| json!({
                "at": format_rfc3339(refusal.activation.at_ms),
                "who": refusal.activation.terms.who,
                "errors": refusal.diagnostics,
            })),
        }))
    }
}

pub(crate) fn activation_row(activation: &Activation) -> Value {
    let terms = &activation.terms;
    json!({
        "sequence": activation.sequence,
        "ruleset": activation.ruleset,
        "at": format_rfc3339(activation.at_ms),
        "who": terms.who,
        "why": terms.why,
        "source": terms.source,
        "files": activation.files,
        "effective": terms.effective,
        "tags": terms.tags,
        "cases": activation.cases,
        "change": activation.change,
        "restated": activation.restated,
        "money": activation.money,
        "approved_by": activation.approved_by,
    })
}

/// Every policy that is in force or was refused.
pub(crate) async fn list_policies(State(service): State<Arc<Service>>) -> JsonResult {
    let rows = service.run_blocking(|service| {
        let history = PolicyHistory::read_history(service)?;
        let files = &service.context.ruleset.load().files;
        let refused = history.refusals.iter().flat_map(|refusal| &refusal.activation.files);
        let paths: BTreeSet<&String> = files.keys().chain(refused).collect();
        Ok(paths.into_iter().filter_map(|path| history.policy_status(files, path)).collect())
    });
    Ok(crate::http::list_page(rows.await?))
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

    let mut response = ([(header::VARY, "accept")], Json(state)).into_response();
    // The tag is of the text, for `If-Match`: the state has no list of them.
    if let Some(source) = source {
        response.headers_mut().insert(header::ETAG, conditions::etag(&content_hash(&source))?);
    }

    Ok(response)
}

/// Puts a new version of a policy in force, or refuses it with check's diagnostics.
pub(crate) async fn replace_policy(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
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
pub(crate) async fn list_activations(State(service): State<Arc<Service>>) -> JsonResult {
    let rows = service.run_blocking(|service| {
        let rows = service.context.ledger.list_activations()?;
        Ok(rows.iter().rev().map(activation_row).collect())
    });
    Ok(crate::http::list_page(rows.await?))
}
