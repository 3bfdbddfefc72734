//! Calculations: listed, shown, released, deleted; and their alerts.
//!
//! Not the rules of any of it (the worker) and not their runs (`runs`). Source: FORMAT section 6,
//! DESIGN section 6, DOMAIN 2.13, 2.14, 2.16.

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_crediting::calculation::Calculation;
use accredit_domain::money;
use accredit_ledger::releases::{Release, ReleaseAct, ReleaseStatus};
use accredit_operations::approvals::ApprovalAct;
use accredit_operations::calculations::{self, own_period, sum_counts};
use accredit_operations::principal::Principal;
use accredit_operations::release::{self, PublishOrder, ReleaseKind, UnpublishOrder};
use accredit_operations::runs;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::de::{IntoDeserializer, value};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::http::act_body::{ActBody, ForcedReason, SentAct};
use crate::http::problem::Problem;
use crate::http::request_key::SentKey;
use crate::http::results::approvals;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::channels::WorkerTurn;
use crate::server::jobs;
use crate::server::state::Service;
use crate::server::tasks::{self, TaskRequest};

/// What a list can be narrowed by.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CalculationListParams {
    /// Id of a plan.
    plan: Option<String>,
    /// Id of a period of the calendar.
    period: Option<String>,
}

/// Every calculation, and how far the deciding is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CalculationListView {
    /// A row for each plan in each of its periods.
    data: Vec<CalculationView>,
    /// Always null: the list is one page.
    next_cursor: Option<String>,
    /// How far the deciding is.
    progress: DecidingProgressView,
}

/// A plan in a period that it is calculated by. The counts are of recorded rows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalculationSummaryView)]
struct CalculationView {
    /// Id of the plan.
    plan: String,
    /// Id of the period.
    period: String,
    /// First day of the period.
    #[schema(format = Date)]
    first: String,
    /// Last day of the period.
    #[schema(format = Date)]
    last: Option<String>,
    /// Goes up when the content changes.
    revision: u32,
    /// Decisions of the plan.
    transactions: i64,
    /// Direct and indirect credits, held ones included, suppressed ones not.
    credits: i64,
    /// Direct credits.
    direct: i64,
    /// Indirect credits.
    indirect: i64,
    /// Held credits.
    held: i64,
    /// Suppressed credits.
    suppressed: i64,
    /// Transactions without a credit.
    uncredited: i64,
    /// Transactions that could not be decided.
    parked: i64,
    /// The sum of direct credits by unit type, a decimal in the scale of the unit.
    #[schema(value_type = BTreeMap<String, Decimal>)]
    credited: BTreeMap<String, String>,
    /// What is published of it; null where nothing is.
    release: Option<ReleaseView>,
}

/// How far the deciding is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecidingProgressView {
    /// Deliveries that wait in the inbox.
    pending: u64,
    /// The decisions that an activation asked for again; null where there are none.
    deciding_again: Option<DecidingAgainView>,
    /// Whether nothing waits to be decided.
    done: bool,
    /// Whether parked transactions are decided again.
    deciding_parked: bool,
    /// The run of a calculation that is under way.
    running: Option<CurrentRunView>,
    /// Business date of the last run.
    #[schema(format = Date)]
    last_run: Option<String>,
}

/// How far the decisions are that an activation asked for again.
#[derive(Debug, Serialize, ToSchema)]
struct DecidingAgainView {
    /// The number of the activation.
    activation: u64,
    /// Transactions that were decided again.
    decided: u64,
    /// The number of the next transaction.
    next: u64,
}

/// How far a run is.
#[derive(Debug, Serialize, ToSchema)]
struct CurrentRunView {
    /// The number of the run: `/v1/runs/{run}` shows it.
    run: u64,
    /// Id of the plan.
    plan: String,
    /// Transactions that it has to decide.
    transactions: usize,
    /// Those that it has decided.
    decided: usize,
}

/// Every plan in every period that it is calculated by: how much there is, its revision and state;
/// and how far the deciding is.
pub(crate) async fn list_calculations(
    State(service): State<Arc<Service>>,
    wanted: Result<Query<CalculationListParams>, QueryRejection>,
) -> ViewResult<CalculationListView> {
    let Query(wanted) = wanted.map_err(|_| Problem::bad_request("expected `plan` or `period`"))?;

    let listed = service.run_blocking(move |service| {
        let data = calculation_rows(service, &wanted)?;
        let progress = deciding_progress(service)?;
        Ok(CalculationListView { data, next_cursor: None, progress })
    });

    listed.await.map(ViewJson)
}

/// How far the deciding is now.
///
/// # Errors
/// When the data file cannot be read.
pub(crate) fn deciding_progress(service: &Service) -> Result<DecidingProgressView, Problem> {
    let pending = service.context.ledger.pending_count()?;
    let again = service.context.ledger.pending_recredit()?;
    let run = service.context.last_run()?;

    let deciding_again = again.map(|request| DecidingAgainView {
        activation: request.activation,
        decided: request.decided,
        next: request.next,
    });
    let running = runs::current_run(&service.context).map(|run| CurrentRunView {
        run: run.id,
        plan: run.plan,
        transactions: run.transactions,
        decided: run.decided,
    });

    let deciding_parked = service.context.redrives.request_count() > 0;
    let busy = deciding_again.is_some() || running.is_some() || deciding_parked;

    Ok(DecidingProgressView {
        pending,
        deciding_again,
        done: pending == 0 && !busy,
        deciding_parked,
        running,
        last_run: run.map(|date| date.to_string()),
    })
}

fn calculation_rows(
    service: &Service,
    wanted: &CalculationListParams,
) -> Result<Vec<CalculationView>, Problem> {
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
            (unit.clone(), money::format_amount(*amount, scale))
        });

        let mut shown = releases.iter().filter(|one| one.status != ReleaseStatus::Deleted);
        let release = shown.find(|one| one.plan == plan && one.period == period.id);

        rows.push(CalculationView {
            revision: index.revision(&plan, &period.id, &leaves),
            plan,
            first: period.first.to_string(),
            last: period.end.yesterday().ok().map(|day| day.to_string()),
            period: period.id.into(),
            transactions: counts.transactions,
            credits: counts.credits,
            direct: counts.direct,
            indirect: counts.indirect,
            held: counts.held,
            suppressed: counts.suppressed,
            uncredited: counts.uncredited,
            parked: counts.parked,
            credited: credited.collect(),
            release: release.cloned().map(ReleaseView::new),
        });
    }

    Ok(rows)
}

/// What is published of a plan in a period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReleaseView {
    /// Id of the plan.
    plan: String,
    /// Id of the period.
    period: String,
    /// `pending`, or `confirmed` once its rewards are released.
    status: ReleaseStatus,
    /// How often it was published.
    publications: u32,
    /// The revision of the calculation that payees see.
    revision: Option<u32>,
    /// The last release of credits.
    credits: Option<ReleaseAct>,
    /// The release of rewards.
    rewards: Option<ReleaseAct>,
    /// How many payees have a statement of it.
    payees: usize,
    /// Whether the calculation still follows the recorded transactions.
    automatic: bool,
}

impl ReleaseView {
    fn new(release: Release) -> ReleaseView {
        ReleaseView {
            revision: release.last_act().map(|act| act.revision),
            payees: release.payees.len(),
            automatic: release.rewards.is_none(),
            plan: release.plan,
            period: release.period,
            status: release.status,
            publications: release.publications,
            credits: release.credits,
            rewards: release.rewards,
        }
    }
}

/// The calculation of a plan in its own period, or those of its own periods within a longer one.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum CalculationsView {
    /// The calculation of the plan in its own period.
    Own(Box<Calculation>),
    /// One calculation for each period.
    Parts(ListView<Calculation>),
}

/// The calculation as FORMAT section 6 has it. Of a period that is longer than those that the plan
/// is calculated by, a list: one calculation for each of them.
pub(crate) async fn show_calculation(
    State(service): State<Arc<Service>>,
    Path((plan, period)): Path<(String, String)>,
) -> ViewResult<CalculationsView> {
    let shown = service.run_blocking(move |service| {
        let scopes = calculations::calculation_scopes(&service.context, &plan, &period)?;
        let mut shown = Vec::with_capacity(scopes.len());
        for scope in &scopes {
            let calculation =
                accredit_operations::rewards::read_calculation(&service.context, scope);
            shown.push(calculation.map_err(|error| Problem::internal(&error))?);
        }

        // Nothing but its own period is asked for by the id of its own period.
        let is_own = scopes.iter().all(|scope| scope.period.id == period);
        let own = if is_own { shown.pop() } else { None };
        Ok(match own {
            Some(calculation) => CalculationsView::Own(Box::new(calculation)),
            None => CalculationsView::Parts(ListView::whole(shown)),
        })
    });
    shown.await.map(ViewJson)
}

/// What a release may say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReleaseRequest {
    /// What is released.
    #[serde(deserialize_with = "known_part")]
    #[schema(value_type = ReleaseKind)]
    what: Result<ReleaseKind, String>,
    /// Whether rewards are released before the period's last day is over.
    #[serde(default)]
    force: bool,
    /// Why, which a forced release needs.
    reason: Option<String>,
}

impl ActBody for ReleaseRequest {
    const EXPECTED: &'static str =
        "expected a JSON object with `what`, and optionally `force` and `reason`";
}

/// The part that is released, or the word that is none.
fn known_part<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Result<ReleaseKind, String>, D::Error> {
    let word = String::deserialize(deserializer)?;
    let part = ReleaseKind::deserialize(word.as_str().into_deserializer());
    Ok(part.map_err(|_: value::Error| word))
}

/// Publishes it to its payees: credits as pending, rewards as confirmed.
pub(crate) async fn release_calculation(
    State(service): State<Arc<Service>>,
    Path((plan, period)): Path<(String, String)>,
    Extension(caller): Extension<Principal>,
    headers: HeaderMap,
    key: SentKey,
    sent: SentAct<ReleaseRequest>,
) -> Result<Response, Problem> {
    let ReleaseRequest { what, force, reason } = sent.body;
    let what = what.map_err(|other| {
        let detail = format!("`{other}` is neither `credits` nor `rewards`");
        Problem::unprocessable("unknown_release", detail)
    })?;

    let ForcedReason { force, reason } = ForcedReason { force, reason }.checked()?;
    let force = reason.clone().filter(|_| force);

    // Bodies that mean the same are the same request, however they are spelled.
    let same = serde_json::to_vec(&(&plan, &period, what, &force, &reason));
    let same = same.map_err(|error| Problem::internal(&error))?;
    let (who, wait) = (caller.name.clone(), tasks::requested_wait(&headers));
    let asked = TaskRequest { what: "release", who, body: &same, wait };

    let request_key = key.0.clone();
    let act = ApprovalAct::ReleaseCalculation { plan, period, what, force, reason, request_key };
    approvals::decide_patiently(&service, asked, act, (caller, key)).await
}

/// Publishes a calculation, and shows its release.
pub(crate) fn publish_calculation(
    service: &Service,
    turn: &mut dyn WorkerTurn,
    (plan, period): (&str, &str),
    order: PublishOrder,
) -> Result<ReleaseView, Problem> {
    let wanted = calculations::release_scope(&service.context, plan, period)?;
    runs::refuse_during_run(&service.context, Some(plan), &wanted.leaves)?;
    let release = jobs::publish_release(turn, &wanted, order)?;
    Ok(ReleaseView::new(release))
}

/// Takes back what it published; the audit trail keeps it. What payees were told is certain takes a
/// reason: `force` and `reason` in the query or in a JSON body.
pub(crate) async fn remove_release(
    State(service): State<Arc<Service>>,
    Path((plan, period)): Path<(String, String)>,
    Extension(caller): Extension<Principal>,
    query: Result<Query<ForcedReason>, QueryRejection>,
    sent: SentAct<ForcedReason>,
) -> Result<Response, Problem> {
    let ForcedReason { force, reason } = if sent.bytes.trim_ascii().is_empty() {
        let expected = |_| Problem::bad_request("expected `force` and `reason`, or nothing");
        query.map_err(expected)?.0.checked()?
    } else {
        sent.body
    };

    let act = ApprovalAct::DeleteCalculation { plan, period, force, reason };
    approvals::decide_act(&service, act, (caller, SentKey(None))).await
}

/// A release that was taken back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RemovedReleaseView {
    /// Id of the plan.
    plan: String,
    /// Id of the period.
    period: String,
    /// Whether there was one.
    deleted: bool,
}

/// Takes back what a calculation published.
pub(crate) fn unpublish_calculation(
    service: &Service,
    order: UnpublishOrder,
) -> Result<RemovedReleaseView, Problem> {
    let deleted = release::unpublish_calculation(&service.context, &order)?;
    Ok(RemovedReleaseView { plan: order.plan, period: order.period, deleted })
}
