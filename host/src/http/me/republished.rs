//! What differs between the subject's published statements and those before them.
//!
//! Not the statements themselves (`lists`). Source: DOMAIN 2.14, 2.18, INV-V1.

use std::sync::Arc;

use accredit_operations::published;
use accredit_operations::republished::{self, StatementDifference};
use axum::extract::State;

use crate::http::me::lists::{OwnQuery, parse_params};
use crate::http::me::subject::Subject;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::state::Service;

/// A row for each statement that was published more than once.
pub(crate) async fn list_statement_changes(
    State(service): State<Arc<Service>>,
    subject: Subject,
    query: OwnQuery,
) -> ViewResult<ListView<StatementDifference>> {
    let wanted = parse_params(query)?;
    let listed = service.run_blocking(move |service| {
        let found = published::published_statements(&service.context, &subject.scope, None)?;
        let found = found.iter().filter(|statement| wanted.fits(statement));
        Ok(found.filter_map(republished::statement_changes).collect())
    });
    Ok(ViewJson(ListView::whole(listed.await?)))
}
