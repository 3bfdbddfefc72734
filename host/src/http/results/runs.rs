//! Runs of calculations: asked for, looked at, cancelled.
//!
//! Not the deciding (`worker::run`). A run that ends while its client waits is answered as it was
//! before there was anything to wait for: 200 with what it came to. Source: DOMAIN 2.13, RFC 7240
//! (`Prefer`), RFC 9110 (202).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use accredit_domain::limits::MoneyLine;
use accredit_ledger::runs::{CalculationRun, RunRules, RunState};
use accredit_operations::approvals::ApprovalAct;
use accredit_operations::principal::Principal;
use accredit_operations::runs::{self, RunOrder};
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::problem::{Problem, run_location};
use crate::http::results::approvals;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::clock::format_rfc3339;
use crate::server::jobs;
use crate::server::state::Service;

/// How long an answer waits for the result by default; a request has 30 s.
const WAIT: Duration = Duration::from_secs(20);

/// The longest that `Prefer: wait` may ask for.
const WAIT_MAX: Duration = Duration::from_secs(25);

/// What a run may say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunRequest {
    /// `full`, `incremental` or `selected`.
    mode: String,
    /// Natural keys of the deals, for `selected`.
    #[serde(default)]
    transactions: BTreeSet<String>,
    /// Ids of participants, for `selected`: the deals that credit them.
    #[serde(default)]
    payees: BTreeSet<String>,
    /// By which rules it decides.
    rules: Option<RunRules>,
    /// Whether nothing is recorded but the answer.
    #[serde(default)]
    dry_run: bool,
}

/// How long the caller wants to wait: `Prefer: wait=5`, `Prefer: respond-async`.
pub(crate) fn preferred_wait(headers: &HeaderMap) -> Duration {
    let preferences = headers.get_all("prefer").into_iter().filter_map(|one| one.to_str().ok());
    let preferences = preferences.flat_map(|one| one.split([',', ';'])).map(str::trim);
    let mut wait = WAIT;
    for preference in preferences {
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        match (name.trim().to_ascii_lowercase().as_str(), value.trim().parse().ok()) {
            ("respond-async", _) => return Duration::ZERO,
            ("wait", Some(seconds)) => wait = Duration::from_secs(seconds),
            _ => (),
        }
    }
    wait.min(WAIT_MAX)
}

/// Where to ask again, for an answer that is not there yet.
pub(crate) fn accepted_response(location: HeaderValue, body: impl Serialize) -> Response {
    let headers: [(HeaderName, HeaderValue); 2] =
        [(header::LOCATION, location), (header::RETRY_AFTER, HeaderValue::from_static("1"))];
    (StatusCode::ACCEPTED, headers, ViewJson(body)).into_response()
}

/// Decides the transactions of a calculation again and says how many came out otherwise.
pub(crate) async fn begin_run(
    State(service): State<Arc<Service>>,
    Path((plan, period)): Path<(String, String)>,
    Extension(caller): Extension<Principal>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let said: RunRequest = serde_json::from_slice(&body).map_err(|_| {
        Problem::bad_request(
            "expected a JSON object with `mode`, and if wanted `transactions`, `payees`, `rules` \
             (`in_force` or `pinned`) and `dry_run`",
        )
    })?;

    let order = RunOrder {
        plan,
        period,
        mode: said.mode,
        selected: said.transactions,
        payees: said.payees,
        rules: said.rules,
        dry_run: said.dry_run,
        who: caller.name.clone(),
    };
    let order = order.checked()?;

    // Only the worker has caught up with the inbox, so it alone knows which deals there are.
    if !order.selected.is_empty() || !order.payees.is_empty() {
        let order = order.clone();
        let checked = service.ask_worker(move |turn| Ok(jobs::check_selected(turn, &order)?));
        checked.await?;
    }

    // A run by the rules in force moves credits that exist: that is money, as an adjustment is.
    let moves_credits = order.rules == Some(RunRules::InForce) && !order.dry_run;
    if service.config.four_eyes && moves_credits {
        let RunOrder { plan, period, mode, selected: transactions, payees, .. } = order;
        let act = ApprovalAct::Run { plan, period, mode, transactions, payees };
        return approvals::keep_request(&service, act, caller).await;
    }

    let begun = service.run_blocking(move |service| Ok(service.begin_run(order)?));
    let run = service.await_run(begun.await?.id, preferred_wait(&headers)).await?;
    let place = run_location(run.id);

    match run.state {
        RunState::Done => {
            let view = ViewJson(RunView::new(run));
            Ok(([(header::LOCATION, place)], view).into_response())
        }
        RunState::Waiting | RunState::Running => Ok(accepted_response(place, RunView::new(run))),

        RunState::Cancelled => {
            let detail = format!("run {} was cancelled", run.id);
            Err(Problem::conflict("run_cancelled", detail).with_header(header::LOCATION, place))
        }

        RunState::Failed => {
            let detail = run.error.unwrap_or_default();
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Err(Problem::new(status, "run_failed", detail).with_header(header::LOCATION, place))
        }
    }
}

/// A run of a calculation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunView {
    /// Its number, from 1.
    id: u64,
    /// Id of the plan.
    plan: String,
    /// Id of the period.
    period: String,
    /// `full`, `incremental` or `selected`.
    mode: String,
    /// Natural keys of transactions, where the mode is `selected`.
    selected: BTreeSet<String>,
    /// Ids of participants, where the mode is `selected`.
    payees: BTreeSet<String>,
    /// `in_force` or `pinned`; null: what has no credit by the rules in force, the rest by those
    /// that decided it.
    rules: Option<RunRules>,
    /// Whether it records nothing.
    dry_run: bool,
    /// The user who started it.
    who: String,
    /// The instant at which it was started.
    #[schema(format = DateTime)]
    at: String,
    /// `waiting`, `running`, `done`, `cancelled` or `failed`.
    state: RunState,
    /// The instant at which it ended.
    #[schema(format = DateTime)]
    ended: Option<String>,
    /// Transactions that it has to decide; 0 until they were counted.
    transactions: usize,
    /// Those that it has decided.
    decided: usize,
    /// Those whose result differs from the stored one.
    differing: usize,
    /// What it changes in money, or would: a line a payee and unit type.
    by_payee: Vec<MoneyLine>,
    /// The same in all.
    total: Vec<MoneyLine>,
    /// What it changes in rewards, or would, in all periods of the plan: a line a payee and unit
    /// type.
    rewards: Vec<MoneyLine>,
    /// The revision of the calculation at its end.
    revision: Option<u32>,
    /// The business date at its end.
    #[schema(format = Date)]
    business_date: Option<String>,
    /// Why it failed, in one sentence.
    error: Option<String>,
}

impl RunView {
    pub(crate) fn new(run: CalculationRun) -> RunView {
        RunView {
            id: run.id,
            plan: run.plan,
            period: run.period,
            mode: run.mode,
            selected: run.selected,
            payees: run.payees,
            rules: run.rules,
            dry_run: run.dry_run,
            who: run.who,
            at: format_rfc3339(run.at_ms),
            state: run.state,
            ended: run.ended_ms.map(format_rfc3339),
            transactions: run.transactions,
            decided: run.decided,
            differing: run.differing,
            by_payee: run.by_payee,
            total: run.total,
            rewards: run.rewards,
            revision: run.revision,
            business_date: run.business_date,
            error: run.error,
        }
    }
}

/// Every run that is kept, newest first.
pub(crate) async fn list_runs(
    State(service): State<Arc<Service>>,
) -> ViewResult<ListView<RunView>> {
    let listed = service.run_blocking(|service| {
        let runs = service.context.ledger.list_runs()?;
        let runs =
            runs.into_iter().rev().filter_map(|run| runs::find_run(&service.context, run.id).ok());
        Ok(runs.map(RunView::new).collect())
    });
    Ok(ViewJson(ListView::whole(listed.await?)))
}

/// How far a run is, and how it ended.
pub(crate) async fn show_run(
    State(service): State<Arc<Service>>,
    Path(id): Path<u64>,
) -> ViewResult<RunView> {
    let run = service.run_blocking(move |service| Ok(runs::find_run(&service.context, id)?));
    Ok(ViewJson(RunView::new(run.await?)))
}

/// Ends a run between two of its steps; what it has decided stays.
pub(crate) async fn cancel_run(
    State(service): State<Arc<Service>>,
    Path(id): Path<u64>,
) -> ViewResult<RunView> {
    let run = service.run_blocking(move |service| Ok(service.cancel_run(id)?)).await?;
    let run = service.await_run(run.id, WAIT).await?;
    Ok(ViewJson(RunView::new(run)))
}
