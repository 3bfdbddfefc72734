//! How far the subject is in the tiers of published rewards.
//!
//! Not the rewards themselves (`lists`). Source: DOMAIN 2.18, INV-V1.

use std::sync::Arc;

use accredit_operations::progress;
use axum::extract::State;
use serde_json::Value;

use crate::http::me::lists::{OwnQuery, parse_params};
use crate::http::me::subject::Subject;
use crate::http::problem::Problem;
use crate::http::views::{ListView, ViewJson, ViewResult, view_json};
use crate::server::state::Service;

/// The published rewards with tiers, in pages.
pub(crate) async fn list_progress(
    State(service): State<Arc<Service>>,
    subject: Subject,
    query: OwnQuery,
) -> ViewResult<ListView<Value>> {
    let wanted = parse_params(query)?;
    let page = service.run_blocking(move |service| {
        let fits = |statement: &_| wanted.fits(statement);
        let found = progress::tier_progress(&service.context, &subject.scope, fits)?;
        let rows = found.iter().map(view_json).collect::<Result<Vec<Value>, Problem>>()?;
        wanted.page_of(rows)
    });
    page.await.map(ViewJson)
}
