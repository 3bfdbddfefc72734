//! Periods: where each stands, closed, reopened, finalized.
//!
//! Not the freezing (the worker) and not the calendar (the engine). Source: DOMAIN 2.11.

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_domain::calendar::{Period, State as Standing};
use accredit_domain::decision::Approved;
use accredit_ledger::periods::{FINALIZED, Said};
use accredit_operations::calculations;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::http::Answer;
use crate::http::problem::Problem;
use crate::http::results::approvals::{self, By};
use crate::server::channels::Turn;
use crate::server::jobs;
use crate::server::secrets::Caller;
use crate::server::state::Service;
use crate::server::tasks::{self, Asked};

/// What an act may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    #[serde(default)]
    force: bool,
    reason: Option<String>,
}

/// What is done to a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Act {
    /// It is complete.
    Close,
    /// It is not.
    Reopen,
    /// It never changes again.
    Finalize,
}

impl Act {
    /// What it makes of a period.
    fn state(self) -> &'static str {
        match self {
            Act::Close => "closed",
            Act::Reopen => "open",
            Act::Finalize => FINALIZED,
        }
    }
}

/// Every leaf period that holds something, that somebody said something about, or that goes on.
pub(crate) async fn list(State(service): State<Arc<Service>>) -> Answer {
    let listed = service.blocking(|service| {
        let failed = |error| Problem::internal(&error);
        let calendar = service.context.ruleset.load().settings.calendar.clone();
        let said = service.context.ledger.periods().map_err(failed)?;
        let summaries = service.context.ledger.summaries().map_err(failed)?;

        let today = service.context.business_date();
        let now = calendar.period(today, accredit_domain::calendar::PeriodKind::Month);

        // Periods that something was said about are listed even when nothing is in them.
        let ids = summaries.keys().map(|(_, leaf)| leaf).chain(said.keys());
        let known = ids.filter_map(|id| calendar.find(id)).chain(now);
        let known: BTreeMap<_, Period> = known.map(|leaf| (leaf.first, leaf)).collect();

        let rows = known.values().map(|leaf| {
            let here = summaries.iter().filter(|((_, id), _)| *id == leaf.id);
            let here = here.map(|(_, summary)| &summary.counts);
            let (transactions, credits, held, parked) = here.fold((0, 0, 0, 0), |sum, counts| {
                let (transactions, credits) = (sum.0 + counts.transactions, sum.1 + counts.credits);
                (transactions, credits, sum.2 + counts.held, sum.3 + counts.parked)
            });

            let said = said.get(&leaf.id);
            json!({
                "id": leaf.id,
                "first": leaf.first.to_string(),
                "last": leaf.end.yesterday().ok().map(|day| day.to_string()),
                "state": state(&calendar.state(leaf, today), said),
                "said": said,
                "decisions": transactions,
                "credits": credits,
                "held": held,
                "parked": parked,
            })
        });

        Ok(rows.collect::<Vec<Value>>())
    });

    Ok(crate::http::list(listed.await?))
}

/// Where a period stands: what was said about it, else what the calendar says.
fn state(standing: &Standing, said: Option<&Said>) -> String {
    said.map_or_else(|| standing.name().to_owned(), |said| said.state.clone())
}

/// Says that a period is complete.
pub(crate) async fn close(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    act(service, id, Act::Close, caller, (&headers, &body)).await
}

/// Says that it is not.
pub(crate) async fn reopen(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    act(service, id, Act::Reopen, caller, (&headers, &body)).await
}

/// Freezes it for ever.
pub(crate) async fn finalize(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    act(service, id, Act::Finalize, caller, (&headers, &body)).await
}

async fn act(
    service: Arc<Service>,
    id: String,
    act: Act,
    caller: Caller,
    (headers, body): (&HeaderMap, &[u8]),
) -> Result<Response, Problem> {
    let wish: Wish = match body.trim_ascii() {
        b"" => Wish::default(),
        body => serde_json::from_slice(body).map_err(|_| {
            Problem::bad_request("expected a JSON object with `force` and `reason`, or no body")
        })?,
    };

    let reason = crate::http::reason(wish.force, wish.reason)?;
    let state = act.state();

    // Bodies that mean the same are the same request, however they are spelled.
    let same = json!([id, state, wish.force, reason]).to_string();
    let (who, wait) = (caller.name.clone(), tasks::wait(headers));
    let asked = Asked { what: "period", who, body: same.as_bytes(), wait };

    let act = approvals::Act::Period { id, to: act, force: wish.force, reason };
    approvals::decide_patiently(&service, asked, act, caller).await
}

/// Closes, reopens or finalizes the leaf periods of a period.
pub(crate) fn perform(
    service: &Service,
    turn: &mut dyn Turn,
    id: &str,
    act: Act,
    (force, reason): (bool, Option<String>),
    by: &By,
) -> Result<Value, Problem> {
    let calendar = service.context.ruleset.load().settings.calendar.clone();
    let period = calendar.find(id).ok_or_else(|| Problem::not_found("period"))?;

    if act == Act::Finalize {
        let leaves = calculations::leaves(&service.context.ruleset.load(), &period);
        service.refuse_during_run(None, &leaves)?;
    }

    if !force {
        allowed(service, &period, act)?;
    }

    let mut said = Said {
        state: act.state().to_owned(),
        day: service.context.business_date().to_string(),
        who: by.who.clone(),
        at_ms: service.clock.now_ms(),
        reason,
        approved: by.approved.as_ref().map(Approved::in_part),
    };

    let leaves = calendar.leaves(&period);
    let mut rows = Vec::new();
    for (index, leaf) in leaves.iter().enumerate() {
        // The last commit ends the request.
        if index + 1 == leaves.len() {
            said.approved.clone_from(&by.approved);
        }
        rows.push(carry_out(service, turn, leaf, act, &said)?);
    }

    Ok(json!({ "id": period.id, "state": act.state(), "leaves": rows }))
}

/// What is in the way, with what to do about it.
fn allowed(service: &Service, period: &Period, act: Act) -> Result<(), Problem> {
    let failed = |error| Problem::internal(&error);
    let today = service.context.business_date();

    // Reopening takes nothing away, so it need not wait for the end.
    if act != Act::Reopen && today < period.end {
        let last = period.end.yesterday().unwrap_or(period.end);
        let detail = format!(
            "it lasts until {last} and the business date is {today}: wait for its end, or force \
             it with a reason"
        );
        return Err(Problem::conflict("period_not_over", detail));
    }

    if act != Act::Finalize {
        return Ok(());
    }

    let ruleset = service.context.ruleset.load_full();
    let calendar = &ruleset.settings.calendar;
    let finalized = service.context.ledger.finalized().map_err(failed)?;
    let summaries = service.context.ledger.summaries().map_err(failed)?;

    // A period without credits has nothing to be finalized, and holds nobody up.
    let earlier = summaries.iter().filter(|(_, summary)| summary.counts.credits > 0);
    let earlier = earlier.filter_map(|((_, leaf), _)| calendar.find(leaf));
    let earlier: BTreeMap<_, Period> = earlier
        .filter(|leaf| leaf.first < period.first && !finalized.contains(&leaf.id))
        .map(|leaf| (leaf.first, leaf))
        .collect();

    if earlier.is_empty() {
        return Ok(());
    }

    let ids: Vec<&str> = earlier.values().map(|leaf| leaf.id.as_str()).collect();
    let detail = format!(
        "earlier periods are not finalized: {}; finalize them first, or force it with a reason",
        ids.join(", ")
    );
    Err(Problem::conflict("earlier_periods_open", detail))
}

fn carry_out(
    service: &Service,
    turn: &mut dyn Turn,
    leaf: &Period,
    act: Act,
    said: &Said,
) -> Result<Value, Problem> {
    let failed = |error| Problem::internal(&error);
    let finalized = service.context.ledger.finalized().map_err(failed)?.contains(&leaf.id);

    match (act, finalized) {
        // Resolve once: the period is what it was made.
        (Act::Finalize, true) => (),
        (_, true) => {
            let detail = format!("{} is finalized, which is for ever", leaf.id);
            return Err(Problem::conflict("period_finalized", detail));
        }
        (Act::Finalize, false) => {
            jobs::finalize(turn, leaf, said)?;
        }
        (_, false) => service.context.ledger.say(&leaf.id, said).map_err(failed)?,
    }

    let said = service.context.ledger.periods().map_err(failed)?;
    Ok(json!({ "id": leaf.id, "said": said.get(&leaf.id) }))
}
