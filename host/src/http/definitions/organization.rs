//! The organisation in force on a day.
//!
//! Not what names mean (`aliases`). Source: FORMAT section 1.

use std::sync::Arc;

use accredit_operations::chart::{self, OrganizationChart};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::me::subject::parse_day;
use crate::http::problem::Problem;
use crate::http::views::{ViewJson, ViewResult};
use crate::server::state::Service;

/// The day that is looked at.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChartParams {
    /// A day; the business date by default.
    #[schema(format = Date)]
    on: Option<String>,
}

/// Positions, people, teams and relationships on a day.
pub(crate) async fn show_organization(
    State(service): State<Arc<Service>>,
    wanted: Result<Query<ChartParams>, QueryRejection>,
) -> ViewResult<OrganizationChart> {
    let Query(wanted) = wanted.map_err(|_| Problem::bad_request("expected `on`"))?;
    let on = parse_day(wanted.on.as_deref())?;
    let chart = service.run_blocking(move |service| {
        let ruleset = service.context.ruleset.load_full();
        let day = on.unwrap_or_else(|| service.context.business_date());
        Ok(chart::organization_chart(&ruleset, day))
    });
    chart.await.map(ViewJson)
}
