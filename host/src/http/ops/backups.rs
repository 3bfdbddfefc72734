//! Backups of the data file: make one, and list those that there are.

use std::sync::Arc;

use accredit_operations::principal::Principal;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::http::problem::Problem;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::backups::{self, BackupSummary};
use crate::server::config::BackupPlan;

use crate::server::state::Service;
use crate::server::tasks::{self, FinalAnswer, TaskRequest};

/// Where backups are kept.
fn planned(service: &Service) -> Result<&BackupPlan, Problem> {
    service.config.backups.as_ref().ok_or_else(|| {
        let detail = "this server has no folder for backups; start it with `--backups DIR`";
        Problem::conflict("no_backups", detail)
    })
}

/// Makes a backup now. A large one takes longer than a request: it is looked up as a task then.
pub(crate) async fn make_backup(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    planned(&service)?;
    let (who, wait) = (caller.name.clone(), tasks::requested_wait(&headers));
    let asked = TaskRequest { what: "backup", who, body: b"", wait };

    let made = service.answer_as_task(asked, move |service| {
        let plan = planned(service)?;
        let made = backups::make_counted_backup(service, &caller.name, plan)?;
        FinalAnswer::of_view(StatusCode::CREATED, &made)
    });
    made.await
}

/// The backups that there are, oldest first.
pub(crate) async fn list_backups(
    State(service): State<Arc<Service>>,
) -> ViewResult<ListView<BackupSummary>> {
    let listed = service.run_blocking(|service| {
        let plan = planned(service)?;
        backups::list_backups(&plan.folder).map_err(|error| Problem::internal(&error))
    });
    let data = listed.await?;
    Ok(ViewJson(ListView { data, next_cursor: None }))
}
