//! One published credit of the caller, with the reason for it.
//!
//! Not the list (`lists`) and not why a deal brought nothing (`questions`). Source: DOMAIN 2.16, 2.18.
//!
//! **Architecture invariant:** a credit is searched for on the statements that are published for the caller:
//! one of another person, one that is not released and one that does not exist are one answer.

use std::sync::Arc;

use accredit_operations::error::OperationError;
use accredit_operations::published;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::me::lists::{self, OwnCreditView, OwnListParams};
use crate::http::me::questions::OwnPlanView;
use crate::http::me::subject::Subject;
use crate::http::problem::Problem;
use crate::http::views::{ViewJson, ViewResult};
use crate::server::state::Service;

/// A credit of the caller with the reason for it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnExplainedCreditView {
    /// The credit, as the list of credits has it.
    #[schema(value_type = OwnCreditView)]
    credit: Value,
    /// What its plan gave of the deal, and why nothing more; null where the plan decides the deal no more.
    why: Option<OwnPlanView>,
}

/// One published credit with the reason for it.
pub(crate) async fn show_credit(
    State(service): State<Arc<Service>>,
    subject: Subject,
    Path(id): Path<String>,
) -> ViewResult<OwnExplainedCreditView> {
    let found = service.run_blocking(move |service| {
        let statements = lists::statements(service, &subject, &OwnListParams::default())?;
        let mut rows = statements
            .iter()
            .flat_map(|statement| statement.credits.iter().map(move |row| (statement, row)));
        let found = rows.find(|(_, row)| row.id.to_string() == id);
        let (statement, row) = found.ok_or_else(|| Problem::not_found("credit"))?;

        let credit = lists::credit_row(service, &subject, statement, row)?;
        let why = published::own_why_not(&service.context, &subject.scope, &row.transaction);
        let why = match why {
            Ok(why) => why.plans.into_iter().find(|plan| plan.plan == statement.plan),
            // The credit is shown all the same where a decision of old rules cannot be explained.
            Err(OperationError::Conflict(refused)) if refused.code == "ruleset_not_rebuilt" => None,
            Err(error) => return Err(error.into()),
        };
        let why = why.map(|plan| OwnPlanView::new(&subject.path, plan)).transpose()?;
        Ok(OwnExplainedCreditView { credit, why })
    });
    found.await.map(ViewJson)
}
