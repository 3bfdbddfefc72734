//! Definition files as they are written: listed, shown, replaced, removed; their versions, what
//! changed between two, and an earlier one brought back.
//!
//! Not what they mean (the engine) and not several at once (`changes`).

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_ledger::definitions::{content_hash, set_hash};
use accredit_operations::activation::{self, ChangeRequest};
use accredit_operations::preview::unified_diff;
use accredit_operations::principal::Principal;
use accredit_workspace::{self as workspace, Files};
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::caching;
use crate::http::definitions::conditions::{self, Precondition};
use crate::http::problem::Problem;
use crate::http::views::{ListView, ViewJson};
use crate::server::clock::format_rfc3339;
use crate::server::state::Service;

/// Characters of a path.
const PATH_MAX: usize = 200;

/// Whether a file of this path may be sent: it defines something, or holds cases.
pub(crate) fn check_path(path: &str) -> Result<(), Problem> {
    let plain =
        |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', '\0']);
    let sound = path.len() <= PATH_MAX && path.split('/').all(plain);

    let cases = path.ends_with(".cases.md")
        && (path.starts_with("plans/") || path.starts_with("policies/"));

    if sound && (workspace::is_definition(path) || cases) {
        return Ok(());
    }

    let detail = format!(
        "`{path}` is not a definition file; expected `accredit.toml`, or a file of the format \
            under `plans/`, `policies/KIND/` or `organization/`"
    );
    Err(Problem::unprocessable("not_a_definition", detail))
}

/// The files in force.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FileListView {
    /// The hash of the ruleset that they define.
    ruleset: String,
    /// The hash of all of them, case files included.
    set: String,
    /// A row for each file, by path.
    data: Vec<FileView>,
    /// Always null: the list is one page.
    next_cursor: Option<String>,
}

/// A file in force.
#[derive(Debug, Serialize, ToSchema)]
struct FileView {
    /// Its path.
    path: String,
    /// The hash of its text, 32 hexadecimal digits.
    hash: String,
}

/// Every file in force, with the hash of its text.
pub(crate) async fn list_files(State(service): State<Arc<Service>>) -> ViewJson<FileListView> {
    let ruleset = service.context.ruleset.load_full();
    let rows = ruleset.files.iter();
    let rows = rows.map(|(path, text)| FileView { path: path.clone(), hash: content_hash(text) });

    ViewJson(FileListView {
        ruleset: ruleset.hash.to_string(),
        set: set_hash(&ruleset.files),
        data: rows.collect(),
        next_cursor: None,
    })
}

/// Which two versions are compared.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DiffParams {
    /// The hash of the older version.
    from: Option<String>,
    /// The hash of the newer version; by default the one in force.
    to: Option<String>,
}

/// One file's text; with `/versions` or `/diff` behind its path, its history.
pub(crate) async fn show_file(
    State(service): State<Arc<Service>>,
    Path(path): Path<String>,
    headers: HeaderMap,
    between: Result<Query<DiffParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(between) = between
        .map_err(|_| Problem::bad_request("expected `from` and `to`, hashes of versions"))?;

    // A path may hold slashes, so the router cannot tell these endings apart.
    if let Some(path) = path.strip_suffix("/versions").map(str::to_owned) {
        let versions = service.run_blocking(move |service| file_versions(service, &path));
        return Ok(ViewJson(ListView::whole(versions.await?)).into_response());
    }

    if let Some(path) = path.strip_suffix("/diff").map(str::to_owned) {
        let diff = service.run_blocking(move |service| diff_versions(service, &path, &between));
        let kind = [(header::CONTENT_TYPE, "text/x-diff; charset=utf-8")];
        return Ok((kind, diff.await?).into_response());
    }

    let ruleset = service.context.ruleset.load_full();
    let text = ruleset.files.get(&path).ok_or_else(|| Problem::not_found("definition"))?;
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    caching::with_etag(&headers, &content_hash(text), (kind, text.to_string()))
}

/// Puts a file in force.
pub(crate) async fn replace_file(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let text = conditions::body_text(&body)?;
    let hash = content_hash(&text);
    let done = put_file(service, caller, path, headers, Some(text)).await?;
    conditions::outcome_response(&done, Some(&hash))
}

/// Takes a file out of force; its versions stay.
pub(crate) async fn remove_file(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !service.context.ruleset.load().files.contains_key(&path) {
        return Err(Problem::not_found("definition"));
    }
    conditions::outcome_response(&put_file(service, caller, path, headers, None).await?, None)
}

async fn put_file(
    service: Arc<Service>,
    caller: Principal,
    path: String,
    headers: HeaderMap,
    text: Option<Arc<str>>,
) -> Result<activation::ActivationOutcome, Problem> {
    check_path(&path)?;

    let condition = Precondition::new(&headers);
    let files = BTreeMap::from([(path.clone(), text)]);
    let change = ChangeRequest { files, ..conditions::change_from_headers(&headers, &caller)? };

    let done = service.run_blocking(move |service| {
        let holds = |files: &Files| {
            let hash = files.get(&path).map(|text| content_hash(text));
            condition.check_hash(hash.as_deref(), "definition")
        };
        activation::submit_change(&service.context, &change, holds).map_err(Problem::from)
    });

    // Not cut short by a client that goes away: `blocking` runs to its end.
    done.await
}

/// Which version is brought back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RestoreRequest {
    /// The hash of the version.
    hash: String,
}

/// Brings an earlier version back: `POST …/restore` with its hash.
pub(crate) async fn restore_file(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let path = path.strip_suffix("/restore").map(str::to_owned);
    let path = path.ok_or_else(|| Problem::not_found("action"))?;
    check_path(&path)?;

    let RestoreRequest { hash } = serde_json::from_slice(&body)
        .map_err(|_| Problem::bad_request("expected a JSON object with the `hash` of a version"))?;

    let known = hash.clone();
    let change = conditions::change_from_headers(&headers, &caller)?;
    let condition = Precondition::new(&headers);

    let done = service.run_blocking(move |service| {
        let text = version_text(service, &path, &known)?;
        let files = BTreeMap::from([(path.clone(), Some(text))]);
        let change = ChangeRequest { files, ..change };
        let holds = |files: &Files| {
            let hash = files.get(&path).map(|text| content_hash(text));
            condition.check_if_given(hash.as_deref(), "definition")
        };
        activation::submit_change(&service.context, &change, holds).map_err(Problem::from)
    });

    conditions::outcome_response(&done.await?, Some(&hash))
}

/// A version of a file: an activation that changed its text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FileVersionView {
    /// The hash of its text; null where the file was removed.
    hash: Option<String>,
    /// Whether it is in force.
    active: bool,
    /// The instant of the activation.
    #[schema(format = DateTime)]
    at: String,
    /// The user who activated it.
    who: String,
    /// The reason as it was given.
    comment: Option<String>,
    /// Labels of the activation.
    tags: Vec<String>,
    /// `start`, `api` or `watch`.
    source: String,
    /// The number of the activation.
    activation: u64,
    /// The hash of the ruleset that it made.
    ruleset: String,
}

/// Every version of a file, newest first: each time that it became another.
fn file_versions(service: &Service, path: &str) -> Result<Vec<FileVersionView>, Problem> {
    let activations = service.context.ledger.list_activations()?;
    let mut rows = Vec::new();

    for activation in activations.into_iter().rev() {
        let Some(hash) = activation.changed.get(path) else { continue };
        rows.push(FileVersionView {
            hash: hash.clone(),
            active: rows.is_empty() && hash.is_some(),
            at: format_rfc3339(activation.at_ms),
            who: activation.terms.who,
            comment: activation.terms.why,
            tags: activation.terms.tags,
            source: activation.terms.source,
            activation: activation.sequence,
            ruleset: activation.ruleset,
        });
    }

    if rows.is_empty() { Err(Problem::not_found("definition")) } else { Ok(rows) }
}

/// The text of one version of this file: a hash alone does not lead to other files' texts.
fn version_text(service: &Service, path: &str, hash: &str) -> Result<Arc<str>, Problem> {
    let activations = service.context.ledger.list_activations()?;
    let mut hashes = activations.iter().filter_map(|one| one.changed.get(path)?.as_deref());
    let missing = || Problem::not_found("version of this file");
    hashes.find(|known| *known == hash).ok_or_else(missing)?;
    service.context.ledger.find_file_text(hash)?.ok_or_else(missing)
}

/// What makes one version into another, as a unified diff; without `to`, into the one in force.
fn diff_versions(service: &Service, path: &str, between: &DiffParams) -> Result<String, Problem> {
    let from = between.from.as_deref();
    let from = from.ok_or_else(|| Problem::bad_request("`from` is the hash of a version"))?;
    let old = version_text(service, path, from)?;
    let new = match &between.to {
        Some(to) => version_text(service, path, to)?,
        None => {
            service.context.ruleset.load().files.get(path).cloned().unwrap_or_else(|| Arc::from(""))
        }
    };
    Ok(unified_diff(path, &old, &new))
}
