//! The shadow: a change that runs beside the rules in force.

use std::sync::Arc;

use accredit_crediting::impact::ImpactReport;
use accredit_domain::limits::MoneyEffect;
use accredit_operations::activation::proposals;
use accredit_operations::context::ShadowSums;
use accredit_operations::principal::Principal;
use accredit_operations::shadow;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::act_body::SentAct;
use crate::http::definitions::changes::ChangeBody;
use crate::http::problem::Problem;
use crate::http::views::{ViewJson, ViewResult};
use crate::server::clock::format_rfc3339;
use crate::server::state::Service;

/// What a change would have done differently since its shadow started.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShadowView {
    /// The number of the kept change that runs.
    change: u64,
    /// The hash of its ruleset; null when the shadow has ended.
    ruleset: Option<String>,
    /// The instant at which it started.
    #[schema(format = DateTime)]
    since: String,
    /// The differences from the rules in force.
    impact: ImpactReport,
    /// Transactions that were decided once more without being remembered.
    uncertain: u64,
    /// Transactions that could not be shown to it.
    missed: u64,
    /// What its rules would move in open periods: credits, rewards, balances and quotas. Only where
    /// it is asked for with `money=true`, since every recorded deal is decided for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    money: Option<MoneyEffect>,
}

/// The query of the shadow.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShadowParams {
    /// Whether the money is worked out.
    #[serde(default)]
    money: bool,
}

/// A kept change that is to run.
#[derive(ToSchema)]
#[expect(dead_code, reason = "its schema is one of the two forms of a body")]
pub(crate) struct ShadowStart {
    /// The number of the kept change.
    change: u64,
}

impl ShadowView {
    fn new(sums: &ShadowSums, ruleset: Option<String>) -> ShadowView {
        ShadowView {
            change: sums.change,
            ruleset,
            since: format_rfc3339(sums.since_ms),
            impact: sums.impact.to_report(),
            uncertain: sums.uncertain,
            missed: sums.missed,
            money: None,
        }
    }
}

/// The results of the shadow so far.
pub(crate) async fn show_shadow(
    State(service): State<Arc<Service>>,
    wanted: Result<Query<ShadowParams>, QueryRejection>,
) -> ViewResult<ShadowView> {
    let Query(wanted) =
        wanted.map_err(|_| Problem::bad_request("expected `money=true` or no parameter"))?;

    let shown = service.run_blocking(move |service| {
        let sums = shadow::shadow_sums(&service.context);
        let (sums, ruleset) = sums.ok_or_else(|| Problem::not_found("shadow"))?;
        let mut view = ShadowView::new(&sums, Some(ruleset.to_string()));
        if wanted.money {
            view.money = shadow::shadow_money(&service.context)?;
        }
        Ok(view)
    });

    shown.await.map(ViewJson)
}

/// Starts one: `{"change": ID}` of a kept change, or files as for a change, which is kept.
pub(crate) async fn start_shadow(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    body: Bytes,
) -> ViewResult<ShadowView> {
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    let known = json.get("change").and_then(Value::as_u64);

    // A body without a known change is a change itself, which is kept as a draft.
    let sent = match known {
        Some(_) => None,
        None => Some(SentAct::<ChangeBody>::from_bytes(body)?.body),
    };

    let started = service.run_blocking(move |service| {
        let kept = match (known, sent) {
            (Some(id), _) => {
                let kept = service.context.ledger.find_proposal(id);
                kept?.ok_or_else(|| Problem::not_found("change"))?
            }
            (None, sent) => {
                let current = service.context.ruleset.load_full();
                let change = sent.unwrap_or_default().change_request(&current.files, &caller)?;
                proposals::keep_draft(&service.context, &change)?
            }
        };

        shadow::start_shadow(&service.context, &kept, &caller.name)?;
        let sums = shadow::shadow_sums(&service.context);
        let (sums, ruleset) = sums.ok_or_else(|| Problem::not_found("shadow"))?;
        Ok(ShadowView::new(&sums, Some(ruleset.to_string())))
    });

    started.await.map(ViewJson)
}

/// Ends it, and shows what it came to.
pub(crate) async fn stop_shadow(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
) -> ViewResult<ShadowView> {
    let ended = service
        .run_blocking(move |service| Ok(shadow::stop_shadow(&service.context, &caller.name)?))
        .await?;
    let sums = ended.ok_or_else(|| Problem::not_found("shadow"))?;
    Ok(ViewJson(ShadowView::new(&sums, None)))
}
