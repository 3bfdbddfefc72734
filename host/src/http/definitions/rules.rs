//! The rules library: rules searched, shown, changed, removed and copied one by one.
//!
//! Not the editing of text (`rules`). A change of a rule is a change of its plan's file and goes
//! through the same door. Source: seed 003.

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_domain::limits::MoneyEffect;
use accredit_ledger::definitions::content_hash;
use accredit_operations::activation::{self, ActivationOutcome, ChangeRequest};
use accredit_operations::principal::Principal;
use accredit_operations::rules::{self, RuleDefinition, RuleEditError, RuleSearch};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::http::caching;
use crate::http::definitions::conditions::{self, Precondition};
use crate::http::problem::Problem;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::state::Service;

/// A rule as it goes out: its keys, with its kind and its plan beside them.
fn rule_json(rule: &RuleDefinition) -> Value {
    let mut body = rule.body.clone();
    body.insert("plan".to_owned(), Value::from(rule.plan.as_str()));
    body.insert("kind".to_owned(), Value::from(rule.kind));
    Value::Object(body)
}

fn rule_etag(rule: &RuleDefinition) -> String {
    content_hash(&rule_json(rule).to_string())
}

/// The keys of a search.
const KEYS: [&str; 6] = ["tag", "text", "plan", "kind", "relationship", "active_on"];

/// A search out of a query; `tag` may stand several times, and then all of them must fit.
fn parse_search(query: Vec<(String, String)>) -> Result<RuleSearch, Problem> {
    let refused = |message: String| {
        let help = "`tag` (several times for several tags), `text`, `plan`, `kind`, \
                    `relationship` or `active_on`, a date";
        Problem::bad_request(format!("{message}; expected {help}"))
    };

    let mut keys = Map::new();
    for (key, value) in query {
        if !KEYS.contains(&key.as_str()) {
            return Err(refused(format!("`{key}` is not a parameter of this search")));
        }

        if key == "tag" {
            let tags = keys.entry("tag").or_insert_with(|| Value::Array(Vec::new()));
            tags.as_array_mut().into_iter().for_each(|tags| tags.push(Value::from(value.as_str())));
        } else if keys.insert(key.clone(), Value::from(value)).is_some() {
            return Err(refused(format!("`{key}` stands twice")));
        }
    }

    serde_json::from_value(Value::Object(keys)).map_err(|error| refused(error.to_string()))
}

/// A tag of rules.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuleTagView {
    /// The tag.
    tag: String,
    /// How many rules have it.
    rules: usize,
}

/// Every tag, and how many rules have it.
pub(crate) async fn list_tags(
    State(service): State<Arc<Service>>,
) -> ViewResult<ListView<RuleTagView>> {
    let tags =
        rules::count_tags(&rules::all_rules(&service.context.ruleset.load().files)).into_iter();
    let rows = tags.map(|(tag, rules)| RuleTagView { tag, rules });
    Ok(ViewJson(ListView::whole(rows.collect())))
}

/// The rules that fit.
pub(crate) async fn list_rules(
    State(service): State<Arc<Service>>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> ViewResult<ListView<Value>> {
    let Query(query) = query.map_err(|error| Problem::bad_request(error.to_string()))?;
    let wanted = parse_search(query)?;
    let ruleset = service.context.ruleset.load_full();
    let rules =
        rules::all_rules(&ruleset.files).into_iter().filter(|rule| wanted.matches_rule(rule));
    Ok(ViewJson(ListView::whole(rules.map(|rule| rule_json(&rule)).collect())))
}

fn find_rule(service: &Service, plan: &str, name: &str) -> Option<RuleDefinition> {
    let rules = rules::all_rules(&service.context.ruleset.load().files);
    rules.into_iter().find(|rule| rule.plan == plan && rule.name == name)
}

/// One rule.
pub(crate) async fn show_rule(
    State(service): State<Arc<Service>>,
    Path((plan, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let rule = find_rule(&service, &plan, &name).ok_or_else(|| Problem::not_found("rule"))?;
    caching::with_etag(&headers, &rule_etag(&rule), Json(rule_json(&rule)))
}

fn uneditable_problem(error: RuleEditError) -> Problem {
    match error {
        RuleEditError::Missing => Problem::not_found("rule"),
        RuleEditError::Taken(_) => Problem::conflict("name_taken", error.to_string()),
        RuleEditError::Other(message) => Problem::unprocessable("not_editable", message),
    }
}

/// Changes the text of a plan's file in the door's turn.
async fn edit_plan(
    service: Arc<Service>,
    caller: Principal,
    headers: HeaderMap,
    (plan, name): (String, String),
    edit: impl FnOnce(&str) -> Result<String, RuleEditError> + Send + 'static,
    conditional: bool,
) -> Result<ActivationOutcome, Problem> {
    let change = conditions::change_from_headers(&headers, &caller)?;
    let condition = Precondition::new(&headers);

    let done = service.run_blocking(move |service| {
        let path = rules::plan_path(&plan);
        let ruleset = service.context.ruleset.load_full();

        if conditional {
            let current = find_rule(service, &plan, &name).map(|rule| rule_etag(&rule));
            condition.check_hash(current.as_deref(), "rule")?;
        }

        let text = ruleset.files.get(&path).ok_or_else(|| Problem::not_found("plan"))?;
        let text = edit(text).map_err(uneditable_problem)?;
        let files = BTreeMap::from([(path, Some(Arc::from(text)))]);

        // What was edited is the text of this ruleset and no other.
        let base = Some(ruleset.hash.to_string());
        let change = ChangeRequest { files, base, ..change };
        activation::submit_change(&service.context, &change, |_| Ok(())).map_err(Problem::from)
    });

    done.await
}

/// Makes a rule what the body says; a new one needs its `kind`.
pub(crate) async fn replace_rule(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path((plan, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let body: Map<String, Value> = serde_json::from_slice(&body)
        .map_err(|_| Problem::bad_request("expected a rule as a JSON object"))?;

    // The plan is in the path already, and the kind is where the rule stands.
    let mut keys = body;
    keys.remove("plan");
    let kind = keys.remove("kind");
    let kind = kind.as_ref().and_then(Value::as_str).map(str::to_owned);

    let rule = name.clone();
    let put = move |text: &str| rules::put_rule(text, &rule, kind.as_deref(), &keys);
    conditions::outcome_response(
        &edit_plan(service, caller, headers, (plan, name), put, true).await?,
        None,
    )
}

/// Removes a rule that has produced nothing.
pub(crate) async fn remove_rule(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path((plan, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if find_rule(&service, &plan, &name).is_none() {
        return Err(Problem::not_found("rule"));
    }
    let rule = name.clone();
    let remove = move |text: &str| rules::remove_rule(text, &rule);
    conditions::outcome_response(
        &edit_plan(service, caller, headers, (plan, name), remove, true).await?,
        None,
    )
}

/// A rule that was copied, in force.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CopiedRuleView {
    /// Always true: a copy that waits for a second person is answered as a change.
    active: bool,
    /// The hash of the ruleset in force.
    ruleset: String,
    /// The money that the change moves.
    money: MoneyEffect,
    /// The keys of the copy, with its plan and kind.
    rule: Option<Value>,
}

/// What a copy is called.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CopyRequest {
    /// The name of the copy.
    name: String,
}

/// Copies a rule under another name.
pub(crate) async fn copy_rule(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path((plan, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let CopyRequest { name: new } = serde_json::from_slice(&body)
        .map_err(|_| Problem::bad_request("expected a JSON object with the `name` of the copy"))?;

    let rule = name.clone();
    let copied = new.clone();
    let copy = move |text: &str| rules::copy_rule(text, &rule, &copied);

    let plan_id = plan.clone();
    let done = edit_plan(Arc::clone(&service), caller, headers, (plan, name), copy, false).await?;
    let copy = find_rule(&service, &plan_id, &new).map(|rule| rule_json(&rule));

    match done {
        ActivationOutcome::Active(active) => {
            let copied = CopiedRuleView {
                active: true,
                ruleset: active.ruleset.to_string(),
                money: active.money,
                rule: copy,
            };
            Ok((axum::http::StatusCode::CREATED, ViewJson(copied)).into_response())
        }
        waiting => conditions::outcome_response(&waiting, None),
    }
}
