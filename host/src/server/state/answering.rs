//! Answers that may take longer than their request: given in time, or found later as a task.

use std::sync::Arc;

use axum::Json;
use axum::http::HeaderValue;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::Service;
use crate::http::problem::Problem;
use crate::http::results::runs::accepted_response;
use crate::server::channels::WorkerTurn;
use crate::server::origin;
use crate::server::tasks::{FinalAnswer, TaskRequest};

/// An answer that is still computed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StartedTaskView {
    /// The number of the task: `/v1/tasks/{task}` has its answer.
    task: u64,
    /// What was asked for: `preview`.
    what: &'static str,
    /// Always `running`.
    state: &'static str,
}

impl Service {
    /// Computes an answer where blocking does no harm. It is given if it is there in time; else 202
    /// says where to look for it.
    pub(crate) async fn answer_as_task(
        self: &Arc<Self>,
        asked: TaskRequest<'_>,
        work: impl FnOnce(&Service) -> Result<FinalAnswer, Problem> + Send + 'static,
    ) -> Result<Response, Problem> {
        let service = Arc::clone(self);
        self.answered_by(asked, async move { service.run_blocking(work).await }).await
    }

    /// The same of what the worker does between two batches: it is done whether or not its caller
    /// still waits.
    pub(crate) async fn answered_by_worker<V: Serialize + Send + 'static>(
        self: &Arc<Self>,
        asked: TaskRequest<'_>,
        job: impl FnOnce(&mut dyn WorkerTurn) -> Result<V, Problem> + Send + 'static,
    ) -> Result<Response, Problem> {
        let service = Arc::clone(self);
        let work = async move { FinalAnswer::ok_view(&service.ask_patiently(job).await?) };
        self.answered_by(asked, work).await
    }

    async fn answered_by(
        self: &Arc<Self>,
        asked: TaskRequest<'_>,
        work: impl Future<Output = Result<FinalAnswer, Problem>> + Send + 'static,
    ) -> Result<Response, Problem> {
        let mut changed = self.tasks.changed.subscribe();
        let (id, new) = self.tasks.begin_task(&asked, self.clock.now_ms())?;

        // The work continues when the client disconnects, so it is a task of its own.
        if new {
            let (service, origin) = (Arc::clone(self), origin::current());
            tokio::spawn(async move {
                let answer = origin::continue_within(origin, work).await;
                service.tasks.end(id, service.clock.now_ms(), answer);
            });
        }

        let ended = async {
            loop {
                changed.borrow_and_update();
                let answer = self.tasks.find(id).and_then(|task| task.ended);
                if answer.is_some() || changed.changed().await.is_err() {
                    return answer;
                }
            }
        };

        match tokio::time::timeout(asked.wait, ended).await {
            Ok(Some((_, answer))) => {
                let answer = answer?;
                Ok((answer.status, Json(answer.body)).into_response())
            }

            _ => {
                let location = HeaderValue::from_str(&format!("/v1/tasks/{id}"));
                let location = location.map_err(|error| Problem::internal(&error))?;
                let started = StartedTaskView { task: id, what: asked.what, state: "running" };
                Ok(accepted_response(location, started))
            }
        }
    }
}
