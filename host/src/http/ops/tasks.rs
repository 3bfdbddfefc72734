//! Answers that were not there in time: looked up.
//!
//! Not the computing (`tasks`).

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::views::{ViewJson, ViewResult};
use crate::server::clock::format_rfc3339;
use crate::server::state::Service;

/// A task and, once it has ended, its answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TaskView {
    /// Its number, from 1.
    task: u64,
    /// What was asked for, such as `preview`.
    what: &'static str,
    /// The user who made the request.
    who: String,
    /// The instant of the request.
    #[schema(format = DateTime)]
    at: String,
    /// `running`, `done` or `failed`.
    state: &'static str,
    /// The instant at which it ended.
    #[schema(format = DateTime)]
    ended: Option<String>,
    /// The status that the request would have been answered with.
    status: Option<u16>,
    /// The body that the request would have been answered with: of any shape, or a problem.
    answer: Value,
}

/// A task; once it has ended, with the status and the body that the request would have been
/// answered with.
pub(crate) async fn show_task(
    State(service): State<Arc<Service>>,
    Path(id): Path<u64>,
) -> ViewResult<TaskView> {
    let task = service.tasks.find(id).ok_or_else(|| Problem::not_found("task"))?;
    let (state, ended, status, answer) = match &task.ended {
        None => ("running", None, None, Value::Null),
        Some((at_ms, Ok(done))) => {
            ("done", Some(*at_ms), Some(done.status.as_u16()), done.body.clone())
        }
        Some((at_ms, Err(problem))) => {
            ("failed", Some(*at_ms), Some(problem.status()), problem.body(None))
        }
    };

    Ok(ViewJson(TaskView {
        task: task.id,
        what: task.what,
        who: task.who,
        at: format_rfc3339(task.at_ms),
        state,
        ended: ended.map(format_rfc3339),
        status,
        answer,
    }))
}
