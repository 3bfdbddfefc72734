//! Calculations: listed, shown, released, deleted; and their alerts.
//!
//! Not the rules of any of it (the worker) and not their runs (`runs`). Source: FORMAT section 6,
//! DESIGN section 6, DOMAIN 2.13, 2.14, 2.16.

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_domain::money;
use accredit_ledger::releases::{RELEASE_CONFIRMED, RELEASE_DELETED, Release};
use accredit_operations::calculations::{self, own_period, sum_counts};
use accredit_operations::release::{PublishRequest, ReleaseKind};
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::JsonResult;
use crate::http::problem::Problem;
use crate::http::results::approvals::{self, Actor, ApprovalAct};
use crate::server::channels::WorkerTurn;
use crate::server::jobs;
use crate::server::secrets::Caller;
use crate::server::state::Service;
use crate::server::tasks::{self, TaskRequest};
use crate::server::worker::PENDING_MAX;

/// What a list can be narrowed by.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CalculationListParams {
    plan: Option<String>,
    period: Option<String>,
}

/// Every plan in every period that it is calculated by: how much there is, its revision and state;
/// and how far the deciding is.
pub(crate) async fn list_calculations(
    State(service): State<Arc<Service>>,
    wanted: Result<Query<CalculationListParams>, QueryRejection>,
) -> JsonResult {
    let Query(wanted) = wanted.map_err(|_| Problem::bad_request("expected `plan` or `period`"))?;

    let listed = service.run_blocking(move |service| {
        let data = calculation_rows(service, &wanted)?;
        let pending = service.context.ledger.pending_count(PENDING_MAX)?;
        let again = service.context.ledger.pending_recredit()?;
        let run = service.context.last_run()?;

        let again = again.map(|wish| {
            json!({ "activation": wish.activation, "decided": wish.decided, "next": wish.next })
        });
        let running = service.current_run().map(|run| {
            json!({ "run": run.id, "plan": run.plan, "transactions": run.transactions,
                    "decided": run.decided })
        });

        let redriving = service.context.redrives.request_count() > 0;

        let progress = json!({
            "pending": pending,
            "deciding_again": again,
            "done": pending == 0 && again.is_none() && running.is_none() && !redriving,
            "deciding_parked": redriving,
            "running": running,
            "last_run": run.map(|date| date.to_string()),
        });

        Ok(json!({ "data": data, "next_cursor": null, "progress": progress }))
    });

    listed.await.map(Json)
}

fn calculation_rows(
    service: &Service,
    wanted: &CalculationListParams,
) -> Result<Vec<Value>, Problem> {
    let ruleset = service.context.ruleset.load_full();
    let calendar = &ruleset.settings.calendar;
    let index = calculations::calculation_index(&service.context)?;
    let summaries = &index.summaries;
    let releases = service.context.ledger.list_releases()?;

    // Summaries are kept by leaf, and a plan's own period may span several of them.
    let mut known = BTreeMap::new();
    for (plan, leaf) in summaries.keys() {
        if let Some(leaf) = calendar.find(leaf)
            && let Some(period) = own_period(&ruleset, plan, leaf.first)
        {
            known.insert((plan.clone(), period.first), period);
        }
    }

    let mut rows = Vec::new();
    for ((plan, _), period) in known {
        let fits = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };

        if !fits(&wanted.plan, &plan) || !fits(&wanted.period, &period.id) {
            continue;
        }

        let leaves = calculations::leaf_ids(&ruleset, &period);
        let counts = sum_counts(summaries, &plan, &leaves);
        let units = &ruleset.settings.units;
        let credited = counts.credited.iter().map(|(unit, amount)| {
            let scale = units.find(unit).map_or(ruleset.settings.currency.scale, |unit| unit.scale);
            (unit.clone(), Value::from(money::format_amount(*amount, scale)))
        });
        let credited: serde_json::Map<String, Value> = credited.collect();

        let release = releases.iter().find(|one| one.plan == plan && one.period == period.id);

        let mut row = json!(counts);
        if let Some(row) = row.as_object_mut() {
            row.insert("plan".to_owned(), json!(plan));
            row.insert("period".to_owned(), json!(period.id));
            row.insert("first".to_owned(), json!(period.first.to_string()));
            row.insert(
                "last".to_owned(),
                json!(period.end.yesterday().ok().map(|d| d.to_string())),
            );
            row.insert("revision".to_owned(), json!(index.revision(&plan, &period.id, &leaves)));
            row.insert("credited".to_owned(), Value::Object(credited));
            row.insert("release".to_owned(), release.map_or(Value::Null, release_json));
        }

        rows.push(row);
    }

    Ok(rows)
}

/// A release as it goes out.
fn release_json(release: &Release) -> Value {
    if release.status == RELEASE_DELETED {
        return Value::Null;
    }

    json!({
        "plan": release.plan,
        "period": release.period,
        "status": release.status,
        "publications": release.publications,
        "revision": release.last_act().map(|act| act.revision),
        "credits": release.credits,
        "rewards": release.rewards,
        "payees": release.payees.len(),
        "automatic": release.rewards.is_none(),
    })
}

/// The calculation as FORMAT section 6 has it. Of a period that is longer than those that the plan
/// is calculated by, a list: one calculation for each of them.
pub(crate) async fn show_calculation(
    State(service): State<Arc<Service>>,
    Path((plan, period)): Path<(String, String)>,
) -> JsonResult {
    let shown = service.run_blocking(move |service| {
        let scopes = calculations::calculation_scopes(&service.context, &plan, &period)?;
        let mut shown = Vec::with_capacity(scopes.len());
        for scope in &scopes {
            let calculation = calculations::read_calculation(&service.context, scope);
            shown.push(json!(calculation.map_err(|error| Problem::internal(&error))?));
        }

        match scopes.as_slice() {
            [only] if only.period.id == period => Ok(shown.pop().unwrap_or_default()),
            _ => Ok(crate::http::list_page(shown).0),
        }
    });
    shown.await.map(Json)
}

/// What a release may say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseRequest {
    what: String,
    #[serde(default)]
    force: bool,
    reason: Option<String>,
}

/// Publishes it to its payees: credits as pending, rewards as confirmed.
pub(crate) async fn release_calculation(
    State(service): State<Arc<Service>>,
    Path((plan, period)): Path<(String, String)>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let said: ReleaseRequest = serde_json::from_slice(&body).map_err(|_| {
        Problem::bad_request(
            "expected a JSON object with `what`, and optionally `force` and `reason`",
        )
    })?;

    let what = match said.what.as_str() {
        "credits" => ReleaseKind::Credits,
        "rewards" => ReleaseKind::Rewards,
        other => {
            let detail = format!("`{other}` is neither `credits` nor `rewards`");
            return Err(Problem::unprocessable("unknown_release", detail));
        }
    };

    let reason = crate::http::checked_reason(said.force, said.reason)?;
    let force = reason.clone().filter(|_| said.force);

    // Bodies that mean the same are the same request, however they are spelled.
    let same = json!([plan, period, said.what, force, reason]).to_string();
    let (who, wait) = (caller.name.clone(), tasks::requested_wait(&headers));
    let asked = TaskRequest { what: "release", who, body: same.as_bytes(), wait };

    let act = ApprovalAct::ReleaseCalculation { plan, period, what, force, reason };
    approvals::decide_patiently(&service, asked, act, caller).await
}

/// Publishes a calculation, and shows its release.
pub(crate) fn publish_calculation(
    service: &Service,
    turn: &mut dyn WorkerTurn,
    (plan, period): (&str, &str),
    wish: &PublishRequest,
) -> Result<Value, Problem> {
    let wanted = calculations::release_scope(&service.context, plan, period)?;
    service.refuse_during_run(Some(plan), &wanted.leaves)?;
    Ok(release_json(&jobs::publish_release(turn, &wanted, wish)?))
}

/// Why something that is certain is taken back.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ForceParams {
    force: bool,
    reason: Option<String>,
}

/// Takes back what it published; the audit trail keeps it. What payees were told is certain takes a
/// reason: `force` and `reason` in the query or in a JSON body.
pub(crate) async fn remove_release(
    State(service): State<Arc<Service>>,
    Path((plan, period)): Path<(String, String)>,
    Extension(caller): Extension<Caller>,
    forced: Result<Query<ForceParams>, QueryRejection>,
    body: Bytes,
) -> Result<Response, Problem> {
    let expected = || Problem::bad_request("expected `force` and `reason`, or nothing");
    let forced = match body.trim_ascii() {
        b"" => forced.map_err(|_| expected())?.0,
        body => serde_json::from_slice(body).map_err(|_| expected())?,
    };
    let reason = crate::http::checked_reason(forced.force, forced.reason)?;

    let act = ApprovalAct::DeleteCalculation { plan, period, force: forced.force, reason };
    approvals::decide_act(&service, act, caller).await
}

/// Takes back what a calculation published.
pub(crate) fn unpublish_calculation(
    service: &Service,
    (plan, period): (&str, &str),
    (force, reason): (bool, Option<&str>),
    by: &Actor,
) -> Result<Value, Problem> {
    let wanted = calculations::release_scope(&service.context, plan, period)?;
    if !force {
        refuse_certain(service, &wanted)?;
    }

    let (who, approved) = (by.who.as_str(), by.approved.as_ref());
    let at_ms = service.clock.now_ms();
    let removed = service.context.ledger.unpublish_release(
        (plan, period),
        &wanted.leaves,
        (who, at_ms),
        (reason, approved),
    );
    let removed = removed?;

    Ok(json!({ "plan": plan, "period": period, "deleted": removed }))
}

/// Refuses to take back what payees were told is certain, or what is frozen.
fn refuse_certain(
    service: &Service,
    wanted: &calculations::CalculationScope,
) -> Result<(), Problem> {
    let release = service.context.ledger.find_release(&wanted.plan, &wanted.period.id)?;
    let Some(release) = release.filter(|release| release.status != RELEASE_DELETED) else {
        return Ok(());
    };
    let finalized = service.context.ledger.finalized_periods()?;

    let what = if release.status == RELEASE_CONFIRMED {
        "its rewards are released"
    } else if !finalized.is_disjoint(&wanted.leaves) {
        "its period is finalized"
    } else {
        return Ok(());
    };
    let detail = format!(
        "{what}, and payees rely on it: use `force` with a reason, which the audit trail keeps"
    );
    Err(Problem::conflict("calculation_certain", detail))
}
