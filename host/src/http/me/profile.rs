//! Who the caller is, and who reports to them.
//!
//! Not what is published of either (`lists`).

use std::sync::Arc;

use accredit_operations::principal::{self, Principal};
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::me::subject::{Subject, parse_day};
use crate::http::problem::Problem;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::state::Service;

/// The caller.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CallerView {
    /// The name in the audit trail.
    name: String,
    /// What the caller may do.
    role: &'static str,
    /// The participant whom the caller is; null for other roles.
    participant: Option<String>,
    /// What the natural keys of the caller's deals begin with; null for other roles.
    scope: Option<String>,
    /// The business date of the server, which says what the period of today is.
    #[schema(format = Date)]
    business_date: String,
}

impl CallerView {
    /// The view of a caller.
    pub(crate) fn new(service: &Service, caller: Principal) -> CallerView {
        CallerView {
            business_date: service.context.business_date().to_string(),
            role: caller.role().name(),
            participant: caller.participant().map(str::to_owned),
            scope: caller.deal_scope().map(str::to_owned),
            name: caller.name,
        }
    }
}

/// Who the caller is.
pub(crate) async fn show_caller(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
) -> ViewResult<CallerView> {
    Ok(ViewJson(CallerView::new(&service, caller)))
}

/// The day on which one asks who reports to whom.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportParams {
    /// A day; today by default.
    #[schema(format = Date)]
    on: Option<String>,
}

/// A person who reports to the caller.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReportView {
    /// The id of the person.
    payee: String,
    /// The name of the person.
    name: String,
    /// The position by which the person reports.
    position: String,
    /// How far below the caller, from 1.
    level: u32,
}

/// Those who report to the caller on a day, directly or through others; today, if none is named.
pub(crate) async fn list_reports(
    State(service): State<Arc<Service>>,
    subject: Subject,
    wanted: Result<Query<ReportParams>, QueryRejection>,
) -> ViewResult<ListView<ReportView>> {
    let Query(wanted) = wanted.map_err(|_| Problem::bad_request("expected `on`"))?;
    let on = parse_day(wanted.on.as_deref())?;

    let listed = service.run_blocking(move |service| {
        let date = on.unwrap_or_else(|| service.context.business_date());
        let reports = principal::reports_of(&service.context, subject.scope.payee(), date);
        let views = reports.into_iter().map(|report| ReportView {
            payee: report.participant,
            name: report.name,
            position: report.position,
            level: report.level,
        });
        Ok(views.collect())
    });
    Ok(ViewJson(ListView::whole(listed.await?)))
}
