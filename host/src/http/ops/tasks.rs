//! Answers that were not there in time: looked up.
//!
//! Not the computing (`tasks`).

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::http::JsonResult;
use crate::http::problem::Problem;
use crate::server::clock::format_rfc3339;
use crate::server::state::Service;

/// A task; once it has ended, with the status and the body that the request would have been
/// answered with.
pub(crate) async fn show_task(
    State(service): State<Arc<Service>>,
    Path(id): Path<u64>,
) -> JsonResult {
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

    Ok(Json(json!({
        "task": task.id,
        "what": task.what,
        "who": task.who,
        "at": format_rfc3339(task.at_ms),
        "state": state,
        "ended": ended.map(format_rfc3339),
        "status": status,
        "answer": answer,
    })))
}
