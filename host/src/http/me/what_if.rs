//! What a deal that is not closed yet would bring the caller.
//!
//! Not the deciding (`operations::what_if`). Nothing is stored. Source: DOMAIN 2.15, 2.18, INV-V1.
//!
//! **Architecture invariant:** a reason is one of the sentences for payees: an error of a script says
//! nothing of the cells that it read.

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_domain::keys::PlanKey;
use accredit_domain::transaction::read::cell_from_json;
use accredit_operations::by_hand;
use accredit_operations::what_if::{
    self, ImaginedCredit, ImaginedDeal, ImaginedPay, ImaginedReward, PayDifference,
};
use axum::extract::State;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::act_body::{ActBody, SentAct};
use crate::http::me::questions::OwnFindingView;
use crate::http::me::subject::Subject;
use crate::http::views::{ViewJson, ViewResult};
use crate::server::state::Service;

/// A deal that the caller asks about.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhatIfRequest {
    /// What the deal is worth.
    #[schema(value_type = Decimal)]
    amount: String,
    /// Id of a plan; every plan by default.
    plan: Option<String>,
    /// The incentive date; the business date by default.
    date: Option<Date>,
    /// Other cells of the deal, by column or by a field of the settings such as `product`.
    columns: Option<BTreeMap<String, serde_json::Value>>,
}

impl ActBody for WhatIfRequest {
    const EXPECTED: &'static str = "expected a JSON object with `amount` (a decimal as text) and \
                                    optionally `plan`, `date` and `columns`";
}

/// What the deal would bring.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WhatIfView {
    /// Always true: it must not be mistaken for a result.
    what_if: bool,
    /// The incentive date of the deal.
    date: Date,
    /// The credits that the caller, or a team of the caller, would get.
    credits: Vec<ImaginedCredit>,
    /// The caller's rewards of that period without the deal and with it, in the plans that credit it.
    rewards: Vec<ImaginedReward>,
    /// What all of these rewards differ by, in each unit.
    total: Vec<PayDifference>,
    /// Why nothing, or nothing more.
    reasons: Vec<WhatIfReasonView>,
}

/// Why a plan gives nothing, or nothing more.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
struct WhatIfReasonView {
    /// Id of the plan.
    plan: PlanKey,
    #[serde(flatten)]
    finding: OwnFindingView,
}

impl WhatIfView {
    fn new(pay: ImaginedPay) -> WhatIfView {
        let mut reasons: Vec<WhatIfReasonView> = Vec::new();
        for (plan, finding) in pay.reasons {
            let reason = WhatIfReasonView { plan, finding: OwnFindingView::new(finding) };
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        WhatIfView {
            what_if: true,
            date: pay.date,
            credits: pay.credits,
            rewards: pay.rewards,
            total: pay.total,
            reasons,
        }
    }
}

/// Decides a deal of the caller's as if it were delivered.
pub(crate) async fn imagine_deal(
    State(service): State<Arc<Service>>,
    subject: Subject,
    sent: SentAct<WhatIfRequest>,
) -> ViewResult<WhatIfView> {
    let request = sent.body;
    let columns = request.columns.unwrap_or_default().into_iter();
    let deal = ImaginedDeal {
        amount: by_hand::read_decimal(&request.amount)?,
        plan: request.plan,
        date: request.date,
        columns: columns.map(|(column, cell)| (column, cell_from_json(cell))).collect(),
    };

    let imagined = service.run_blocking(move |service| {
        let pay = what_if::imagine_deal(&service.context, &subject.scope, &deal)?;
        Ok(WhatIfView::new(pay))
    });
    imagined.await.map(ViewJson)
}
