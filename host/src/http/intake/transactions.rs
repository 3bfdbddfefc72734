//! Transactions: shown, explained, kept as cases, made void.
//!
//! Not how they come in (`imports`, `hooks`).

use std::sync::Arc;

use accredit_crediting::explain::Explanation;
use accredit_crediting::stage::adjust;
use accredit_domain::decision::Decision;
use accredit_domain::transaction::{Decoder, ManualCredit, VoidRemark};
use accredit_ledger::record::TransactionRecord;
use accredit_operations::approvals::ApprovalAct;
use accredit_operations::explain;
use accredit_operations::principal::Principal;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::http::act_body::{ActBody, SentAct};
use crate::http::problem::Problem;
use crate::http::request_key::SentKey;
use crate::http::results::approvals;
use crate::http::views::{ViewJson, ViewResult};
use crate::server::state::Service;

/// A transaction as it is recorded.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecordedTransactionView {
    /// Natural key.
    id: String,
    /// 1 for the first content, and one more for every other.
    version: u32,
    /// Versions that came later than a newer one.
    superseded: u32,
    /// Who made the deal void, when and why; null for one that counts.
    void: Option<VoidRemark>,
    /// The credit that a person gave, of a row that is no deal; null for a deal.
    manual_credit: Option<ManualCredit>,
    /// The cells of the row as delivered, by column.
    #[schema(value_type = BTreeMap<String, Value>)]
    columns: Map<String, Value>,
    /// The amount as delivered, as text, if another one was set manually.
    #[schema(value_type = Option<Decimal>)]
    preadjusted: Option<String>,
    /// What was decided, a plan each.
    decisions: Vec<Decision>,
}

/// One transaction with its decisions.
pub(crate) async fn show_transaction(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> ViewResult<RecordedTransactionView> {
    let stored = find_stored(&service, &id).await?;
    Ok(ViewJson(RecordedTransactionView {
        id,
        version: stored.version,
        superseded: stored.superseded,
        void: stored.record.void_remark(),
        manual_credit: stored.record.manual_credit(),
        columns: stored.record.to_json(),
        preadjusted: preadjusted_amount(&service, &stored).await?,
        decisions: stored.decisions,
    }))
}

/// The amount as delivered, if another one was set manually.
async fn preadjusted_amount(
    service: &Arc<Service>,
    stored: &TransactionRecord,
) -> Result<Option<String>, Problem> {
    let (id, record) = (stored.id.clone(), stored.record.clone());
    let amount = service.run_blocking(move |service| {
        let resolutions = service.context.ledger.transaction_resolutions(&id);
        let resolutions = resolutions?;
        let fields = Arc::clone(&service.context.ruleset.load().settings.fields);
        let transaction = Arc::new(Decoder::new(fields).decode(&record));
        let inputs = explain::decision_inputs(None, &resolutions);
        let inputs = inputs?;
        Ok(adjust::adjust_transaction(&inputs, &transaction).unadjusted_amount().flatten())
    });
    Ok(amount.await?.map(|amount| amount.to_string()))
}

/// Why a transaction was credited as it was.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TransactionExplanationView {
    /// Natural key.
    transaction: String,
    /// The steps of its decisions, a plan each.
    plans: Vec<Explanation>,
}

/// Why a transaction was credited as it was, plan by plan.
pub(crate) async fn explain_transaction(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> ViewResult<TransactionExplanationView> {
    let stored = find_stored(&service, &id).await?;
    let plans = service.run_blocking(move |service| {
        let plans = stored
            .decisions
            .iter()
            .map(|decision| explain::explain_decision(&service.context, &stored, decision));
        Ok(plans.collect::<Result<Vec<_>, _>>()?)
    });
    Ok(ViewJson(TransactionExplanationView { transaction: id, plans: plans.await? }))
}

/// Which plan is wanted.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseParams {
    /// The plan whose decision is shown; needed where several decided.
    plan: Option<String>,
}

/// A decision as Markdown, for the end of a case file.
pub(crate) async fn show_case(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    wanted: Result<Query<CaseParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) = wanted.map_err(|_| Problem::bad_request("expected `plan`"))?;
    let stored = find_stored(&service, &id).await?;
    let text = service
        .run_blocking(move |service| {
            Ok(explain::keep_as_case(&service.context, &stored, wanted.plan.as_deref())?)
        })
        .await?;
    Ok(([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], text).into_response())
}

async fn find_stored(service: &Arc<Service>, id: &str) -> Result<TransactionRecord, Problem> {
    let id = id.to_owned();
    let stored = service.run_blocking(move |service| {
        service.context.ledger.find_transaction(&id).map_err(|error| Problem::internal(&error))
    });
    stored.await?.ok_or_else(|| Problem::not_found("transaction"))
}

/// Why a deal is made void.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct VoidReason {
    /// Why; the audit trail keeps it.
    reason: Option<String>,
}

impl VoidReason {
    /// The reason without blanks around it.
    ///
    /// # Errors
    /// When there is none.
    fn needed_reason(self) -> Result<String, Problem> {
        let reason = self.reason.map(|reason| reason.trim().to_owned());
        reason.filter(|reason| !reason.is_empty()).ok_or_else(|| {
            let detail = "a deal is made void for a `reason`, which the audit log keeps";
            Problem::unprocessable("reason_needed", detail)
        })
    }
}

impl ActBody for VoidReason {
    const EXPECTED: &'static str = "expected a JSON object with `reason`";

    fn without_body() -> Option<VoidReason> {
        Some(VoidReason::default())
    }
}

/// Makes a deal void; the reason is in the body or in the query.
pub(crate) async fn void_transaction(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    Extension(caller): Extension<Principal>,
    query: Result<Query<VoidReason>, QueryRejection>,
    sent: SentAct<VoidReason>,
) -> Result<Response, Problem> {
    let said = if sent.bytes.trim_ascii().is_empty() {
        query.map_err(|_| Problem::bad_request("expected `reason`"))?.0
    } else {
        sent.body
    };

    let act = ApprovalAct::Void { transaction: id, reason: said.needed_reason()? };
    approvals::decide_act(&service, act, (caller, SentKey(None))).await
}

/// A deal that was made void.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VoidedDealView {
    /// Natural key of the deal.
    id: String,
    /// The version that is void.
    version: u32,
    /// Who made it void, when and why; of one that was void before, the first act.
    void: Option<VoidRemark>,
}

impl VoidedDealView {
    /// The view of a deal.
    pub(crate) fn new(deal: &TransactionRecord) -> VoidedDealView {
        let void = deal.record.void_remark();
        VoidedDealView { id: deal.id.clone(), version: deal.version, void }
    }
}
