//! Periods: where each stands, closed, reopened, finalized.
//!
//! Not the rules and the freezing (`accredit_operations::periods`) and not the calendar (the engine).
//! Source: DOMAIN 2.11.

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_domain::calendar::{Period, PeriodPhase as Standing};
use accredit_ledger::periods::PeriodState;
use accredit_operations::approvals::ApprovalAct;
use accredit_operations::periods::{PeriodAct, PeriodOrder};
use accredit_operations::principal::Principal;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::act_body::{ForcedReason, SentAct};
use crate::http::problem::Problem;
use crate::http::request_key::SentKey;
use crate::http::results::approvals;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::channels::WorkerTurn;
use crate::server::jobs;
use crate::server::state::Service;
use crate::server::tasks::{self, TaskRequest};

/// A leaf period. The counts are of recorded rows of every plan.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PeriodView {
    /// Its id in the calendar.
    id: String,
    /// First day.
    #[schema(format = Date)]
    first: String,
    /// Last day.
    #[schema(format = Date)]
    last: Option<String>,
    /// `closed`, `open` or `finalized` as people decided, else what the calendar says.
    state: String,
    /// The last act of a person; null where there was none.
    said: Option<PeriodState>,
    /// Decisions of plans.
    decisions: i64,
    /// Direct and indirect credits, held ones included, suppressed ones not.
    credits: i64,
    /// Held credits.
    held: i64,
    /// Decisions that are parked.
    parked: i64,
}

/// A period that was closed, reopened or finalized.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangedPeriodView {
    /// Its id in the calendar.
    id: String,
    /// `closed`, `open` or `finalized`.
    state: &'static str,
    /// Its leaf periods.
    leaves: Vec<LeafStateView>,
}

/// The state of a leaf period after an act.
#[derive(Debug, Serialize, ToSchema)]
struct LeafStateView {
    /// Its id in the calendar.
    id: String,
    /// The last act of a person.
    said: Option<PeriodState>,
}

/// Every leaf period that holds something, that a person said something about, or that goes on.
pub(crate) async fn list_periods(
    State(service): State<Arc<Service>>,
) -> ViewResult<ListView<PeriodView>> {
    let listed = service.run_blocking(|service| {
        let calendar = service.context.ruleset.load().settings.calendar.clone();
        let said = service.context.ledger.period_states()?;
        let summaries = service.context.ledger.calculation_summaries()?;

        let today = service.context.business_date();
        let now = calendar.period_on(today, accredit_domain::calendar::PeriodKind::Leaf);

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

            let said = said.get(leaf.id.as_str());
            PeriodView {
                id: leaf.id.into(),
                first: leaf.first.to_string(),
                last: leaf.end.yesterday().ok().map(|day| day.to_string()),
                state: period_state(&calendar.period_phase(leaf, today), said),
                said: said.cloned(),
                decisions: transactions,
                credits,
                held,
                parked,
            }
        });

        Ok(rows.collect::<Vec<_>>())
    });

    Ok(ViewJson(ListView::whole(listed.await?)))
}

/// Where a period stands: what was said about it, else what the calendar says.
fn period_state(standing: &Standing, said: Option<&PeriodState>) -> String {
    said.map_or_else(|| standing.as_str().to_owned(), |said| said.state.clone())
}

/// Says that a period is complete.
pub(crate) async fn close_period(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    Extension(caller): Extension<Principal>,
    headers: HeaderMap,
    sent: SentAct<ForcedReason>,
) -> Result<Response, Problem> {
    request_act(service, id, PeriodAct::Close, caller, (&headers, sent)).await
}

/// Says that it is not.
pub(crate) async fn reopen_period(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    Extension(caller): Extension<Principal>,
    headers: HeaderMap,
    sent: SentAct<ForcedReason>,
) -> Result<Response, Problem> {
    request_act(service, id, PeriodAct::Reopen, caller, (&headers, sent)).await
}

/// Freezes it for ever.
pub(crate) async fn finalize_period(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    Extension(caller): Extension<Principal>,
    headers: HeaderMap,
    sent: SentAct<ForcedReason>,
) -> Result<Response, Problem> {
    request_act(service, id, PeriodAct::Finalize, caller, (&headers, sent)).await
}

async fn request_act(
    service: Arc<Service>,
    id: String,
    act: PeriodAct,
    caller: Principal,
    (headers, sent): (&HeaderMap, SentAct<ForcedReason>),
) -> Result<Response, Problem> {
    let ForcedReason { force, reason } = sent.body;
    let state = act.resulting_state();

    // Bodies that mean the same are the same request, however they are spelled.
    let same = serde_json::to_vec(&(&id, state, force, &reason));
    let same = same.map_err(|error| Problem::internal(&error))?;
    let (who, wait) = (caller.name.clone(), tasks::requested_wait(headers));
    let asked = TaskRequest { what: "period", who, body: &same, wait };

    let act = ApprovalAct::Period { id, to: act, force, reason };
    approvals::decide_patiently(&service, asked, act, (caller, SentKey(None))).await
}

/// Closes, reopens or finalizes the leaf periods of a period.
pub(crate) fn perform_act(
    service: &Service,
    turn: &mut dyn WorkerTurn,
    order: PeriodOrder,
) -> Result<ChangedPeriodView, Problem> {
    let state = order.act.resulting_state();
    let changed = jobs::change_period(turn, &service.context, order)?;
    let leaves = changed.leaves.into_iter().map(|(id, said)| LeafStateView { id, said });
    Ok(ChangedPeriodView { id: changed.id, state, leaves: leaves.collect() })
}
