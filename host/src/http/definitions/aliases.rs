//! Aliases: which there are, when they hold, what they mean.
//!
//! Source: seed 001 ("How can I view all aliases").

use std::sync::Arc;

use accredit_domain::organization::aliases::Alias;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::state::Service;

/// What the list can be narrowed by.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AliasListParams {
    /// What the alias, its id or its name contains, in any case.
    text: Option<String>,
    /// `participant`, `position` or `team`.
    kind: Option<String>,
    /// Rows of the page, 1 to 1000; 100 by default.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<usize>,
}

/// A page of aliases, by name.
pub(crate) async fn list_aliases(
    State(service): State<Arc<Service>>,
    wanted: Result<Query<AliasListParams>, QueryRejection>,
) -> ViewResult<ListView<Alias>> {
    let Query(wanted) =
        wanted.map_err(|_| Problem::bad_request("expected `text`, `kind`, `limit` or `cursor`"))?;
    let limit = credits::page_limit(wanted.limit)?;

    let kind = wanted.kind.as_deref();
    if kind.is_some_and(|kind| !["participant", "position", "team"].contains(&kind)) {
        return Err(Problem::bad_request("`kind` is `participant`, `position` or `team`"));
    }

    let page = service.run_blocking(move |service| {
        let mut all = service.context.ruleset.load().organization.all_aliases();
        all.retain(|row| row.matches_filter(wanted.text.as_deref(), wanted.kind.as_deref()));
        let from = wanted.cursor.unwrap_or_default();
        let next = from.saturating_add(limit);
        let next_cursor = (next < all.len()).then(|| next.to_string());
        let data = all.into_iter().skip(from).take(limit).collect();
        Ok(ListView { data, next_cursor })
    });

    page.await.map(ViewJson)
}
