//! Calculations: listed, shown, released, deleted; and their alerts.
//!
//! Not the rules of any of it (the worker) and not their runs (`runs`). Source: FORMAT section 6,
//! DESIGN section 6, DOMAIN 2.13, 2.14, 2.16.

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_domain::money;
use accredit_ledger::releases::{CONFIRMED, DELETED, Release};
use accredit_operations::calculations::{self, counts, own_period};
use accredit_operations::release::{What, Wish};
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::Answer;
use crate::http::problem::Problem;
use crate::http::results::approvals::{self, Act, By};
use crate::server::channels::Turn;
use crate::server::jobs;
use crate::server::secrets::Caller;
use crate::server::state::Service;
use crate::server::tasks::{self, Asked};
use crate::server::worker::PENDING_MAX;

/// What a list can be narrowed by.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Narrow {
    plan: Option<String>,
    period: Option<String>,
}

/// Every plan in every period that it is calculated by: how much there is, its revision and state;
/// and how far the deciding is.
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    wanted: Result<Query<Narrow>, QueryRejection>,
) -> Answer {
    let Query(wanted) = wanted.map_err(|_| Problem::bad_request("expected `plan` or `period`"))?;

    let listed = service.blocking(move |service| {
        let failed = |error| Problem::internal(&error);
        let data = rows(service, &wanted)?;
        let pending = service.context.ledger.pending_count(PENDING_MAX).map_err(failed)?;
        let again = service.context.ledger.recredit().map_err(failed)?;
        let run = service.context.last_run().map_err(failed)?;

        let again = again.map(|wish| {
            json!({ "activation": wish.activation, "decided": wish.decided, "next": wish.next })
        });
        let running = service.running().map(|run| {
            json!({ "run": run.id, "plan": run.plan, "transactions": run.transactions,
                    "decided": run.decided })
        });

        let redriving = service.context.redrives.asked() > 0;

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

fn rows(service: &Service, wanted: &Narrow) -> Result<Vec<Value>, Problem> {
    let failed = |error| Problem::internal(&error);
    let ruleset = service.context.ruleset.load_full();
    let calendar = &ruleset.settings.calendar;
    let index = calculations::index(&service.context).map_err(failed)?;
    let summaries = &index.summaries;
    let releases = service.context.ledger.releases().map_err(failed)?;

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

        let leaves = calculations::leaves(&ruleset, &period);
        let counts = counts(summaries, &plan, &leaves);
        let units = &ruleset.settings.units;
        let credited = counts.credited.iter().map(|(unit, amount)| {
            let scale = units.find(unit).map_or(ruleset.settings.currency.scale, |unit| unit.scale);
            (unit.clone(), Value::from(money::text(*amount, scale)))
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
            row.insert("release".to_owned(), release.map_or(Value::Null, shown));
        }

        rows.push(row);
    }

    Ok(rows)
}

/// A release as it goes out.
fn shown(release: &Release) -> Value {
    if release.status == DELETED {
        return Value::Null;
    }

    json!({
        "plan": release.plan,
        "period": release.period,
        "status": release.status,
        "publications": release.publications,
        "revision": release.last().map(|act| act.revision),
        "credits": release.credits,
        "rewards": release.rewards,
        "payees": release.payees.len(),
        "automatic": release.rewards.is_none(),
    })
}

/// The calculation as FORMAT section 6 has it.
pub(crate) async fn show(
    State(service): State<Arc<Service>>,
    Path((plan, period)): Path<(String, String)>,
) -> Answer {
    let shown = service.blocking(move |service| {
        let wanted = calculations::wanted(&service.context, &plan, &period)?;
        let calculation = calculations::calculation(&service.context, &wanted);
        calculation.map(|all| json!(all)).map_err(|error| Problem::internal(&error))
    });
    shown.await.map(Json)
}

/// What a release may say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    what: String,
    #[serde(default)]
    force: bool,
    reason: Option<String>,
}

/// Publishes it to its payees: credits as pending, rewards as confirmed.
pub(crate) async fn release(
    State(service): State<Arc<Service>>,
    Path((plan, period)): Path<(String, String)>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let said: Said = serde_json::from_slice(&body).map_err(|_| {
        Problem::bad_request("expected a JSON object with `what`, and maybe `force` and `reason`")
    })?;

    let what = match said.what.as_str() {
        "credits" => What::Credits,
        "rewards" => What::Rewards,
        other => {
            let detail = format!("`{other}` is neither `credits` nor `rewards`");
            return Err(Problem::unprocessable("unknown_release", detail));
        }
    };

    let reason = crate::http::reason(said.force, said.reason)?;
    let force = reason.clone().filter(|_| said.force);

    // Bodies that mean the same are the same request, however they are spelled.
    let same = json!([plan, period, said.what, force, reason]).to_string();
    let (who, wait) = (caller.name.clone(), tasks::wait(&headers));
    let asked = Asked { what: "release", who, body: same.as_bytes(), wait };

    let act = Act::ReleaseCalculation { plan, period, what, force, reason };
    approvals::decide_patiently(&service, asked, act, caller).await
}

/// Publishes a calculation, and shows its release.
pub(crate) fn publish(
    service: &Service,
    turn: &mut dyn Turn,
    (plan, period): (&str, &str),
    wish: &Wish,
) -> Result<Value, Problem> {
    let wanted = calculations::released(&service.context, plan, period)?;
    service.refuse_during_run(Some(plan), &wanted.leaves)?;
    Ok(shown(&jobs::publish(turn, &wanted, wish)?))
}

/// Why something that is certain is taken back.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Forced {
    force: bool,
    reason: Option<String>,
}

/// Takes back what it published; the audit trail keeps it. What payees were told is certain takes a
/// reason: `force` and `reason` in the query or in a JSON body.
pub(crate) async fn remove(
    State(service): State<Arc<Service>>,
    Path((plan, period)): Path<(String, String)>,
    Extension(caller): Extension<Caller>,
    forced: Result<Query<Forced>, QueryRejection>,
    body: Bytes,
) -> Result<Response, Problem> {
    let expected = || Problem::bad_request("expected `force` and `reason`, or nothing");
    let forced = match body.trim_ascii() {
        b"" => forced.map_err(|_| expected())?.0,
        body => serde_json::from_slice(body).map_err(|_| expected())?,
    };
    let reason = crate::http::reason(forced.force, forced.reason)?;

    let act = Act::DeleteCalculation { plan, period, force: forced.force, reason };
    approvals::decide(&service, act, caller).await
}

/// Takes back what a calculation published.
pub(crate) fn unpublish(
    service: &Service,
    (plan, period): (&str, &str),
    (force, reason): (bool, Option<&str>),
    by: &By,
) -> Result<Value, Problem> {
    let wanted = calculations::released(&service.context, plan, period)?;
    if !force {
        refuse_certain(service, &wanted)?;
    }

    let (who, approved) = (by.who.as_str(), by.approved.as_ref());
    let at_ms = service.clock.now_ms();
    let removed = service.context.ledger.unpublish(
        (plan, period),
        &wanted.leaves,
        (who, at_ms),
        (reason, approved),
    );
    let removed = removed.map_err(|error| Problem::internal(&error))?;

    Ok(json!({ "plan": plan, "period": period, "deleted": removed }))
}

/// Refuses to take back what payees were told is certain, or what is frozen.
fn refuse_certain(service: &Service, wanted: &calculations::Wanted) -> Result<(), Problem> {
    let failed = |error| Problem::internal(&error);
    let release =
        service.context.ledger.release(&wanted.plan, &wanted.period.id).map_err(failed)?;
    let Some(release) = release.filter(|release| release.status != DELETED) else { return Ok(()) };
    let finalized = service.context.ledger.finalized().map_err(failed)?;

    let what = if release.status == CONFIRMED {
        "its rewards are released"
    } else if !finalized.is_disjoint(&wanted.leaves) {
        "its period is finalized"
    } else {
        return Ok(());
    };
    let detail =
        format!("{what}: payees rely on it. Force it with a reason, which the trail keeps");
    Err(Problem::conflict("calculation_certain", detail))
}
