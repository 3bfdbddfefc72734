//! What feeds what by the rules in force.
//!
//! Not the graph itself (`operations::lineage`).

use std::sync::Arc;

use accredit_operations::lineage::{self, LineageGraph};
use axum::extract::State;

use crate::http::views::{ViewJson, ViewResult};
use crate::server::state::Service;

/// Nodes and edges, from columns to rewards.
pub(crate) async fn show_lineage(State(service): State<Arc<Service>>) -> ViewResult<LineageGraph> {
    let graph =
        service.run_blocking(move |service| Ok(lineage::lineage_graph(&service.context)?)).await?;
    Ok(ViewJson(graph))
}
