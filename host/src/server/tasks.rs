//! Answers that may take longer than a request has: computed in the background, waited for a while,
//! then looked up.
//!
//! Not runs of calculations (`runs`), which are kept in the data file: a task is an answer, and what it
//! changes is found where changes are found. Called by handlers whose work grows with the recorded
//! transactions.
//!
//! **Architecture invariant:** the same request, while it is being computed, is one task; an answer
//! is the same whether it was waited for or looked up.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

use crate::http::problem::Problem;
use crate::http::views;

/// Answers that are kept.
const ANSWERS_MAX: usize = 32;

/// Tasks at a time.
const TASKS_MAX: usize = 8;

/// What a request is answered in the end.
#[derive(Debug, Clone)]
pub(crate) struct FinalAnswer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The body.
    pub(crate) body: Value,
}

impl FinalAnswer {
    /// A 200 with a view.
    ///
    /// # Errors
    /// When the view has no JSON: a fault of the server.
    pub(crate) fn ok_view(view: &impl Serialize) -> Result<FinalAnswer, Problem> {
        FinalAnswer::of_view(StatusCode::OK, view)
    }

    /// A view with its status.
    ///
    /// # Errors
    /// When the view has no JSON: a fault of the server.
    pub(crate) fn of_view(
        status: StatusCode,
        view: &impl Serialize,
    ) -> Result<FinalAnswer, Problem> {
        Ok(FinalAnswer { status, body: views::view_json(view)? })
    }
}

/// A request that is computed.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    /// Its number, from 1.
    pub(crate) id: u64,
    /// What was asked for: `preview`.
    pub(crate) what: &'static str,
    /// The user who made the request.
    pub(crate) who: String,
    /// When, milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// What came of it, and when.
    pub(crate) ended: Option<(i64, Result<FinalAnswer, Problem>)>,
    key: blake3::Hash,
}

/// Who asks for what.
pub(crate) struct TaskRequest<'a> {
    /// What is asked for.
    pub(crate) what: &'static str,
    /// The user who made the request.
    pub(crate) who: String,
    /// What makes it the same request.
    pub(crate) body: &'a [u8],
    /// How long the answer may wait.
    pub(crate) wait: Duration,
}

/// Those under way and the last that ended.
pub(crate) struct TaskRegistry {
    known: Mutex<(u64, VecDeque<Task>)>,
    pub(super) changed: watch::Sender<()>,
}

impl Default for TaskRegistry {
    fn default() -> TaskRegistry {
        TaskRegistry { known: Mutex::default(), changed: watch::Sender::new(()) }
    }
}

impl TaskRegistry {
    fn with_tasks<T>(&self, look: impl FnOnce(&mut u64, &mut VecDeque<Task>) -> T) -> T {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, tasks) = &mut *known;
        look(last, tasks)
    }

    /// A task, under way or ended.
    pub(crate) fn find(&self, id: u64) -> Option<Task> {
        self.with_tasks(|_, tasks| tasks.iter().find(|task| task.id == id).cloned())
    }

    /// The task of a request, and whether it is new.
    pub(super) fn begin_task(
        &self,
        asked: &TaskRequest<'_>,
        at_ms: i64,
    ) -> Result<(u64, bool), Problem> {
        let mut hasher = blake3::Hasher::new();
        // With its length, so that two parts never read like two others.
        for part in [asked.what.as_bytes(), asked.who.as_bytes(), asked.body] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        let key = hasher.finalize();

        self.with_tasks(|last, tasks| {
            let mut under_way = tasks.iter().filter(|task| task.ended.is_none());
            if let Some(known) = under_way.clone().find(|task| task.key == key) {
                return Ok((known.id, false));
            }

            if under_way.by_ref().count() >= TASKS_MAX {
                let detail = format!("{TASKS_MAX} such requests are under way (TASKS_MAX)");
                return Err(Problem::unavailable(detail));
            }

            *last += 1;
            let (what, who) = (asked.what, asked.who.clone());
            tasks.push_back(Task { id: *last, what, who, at_ms, ended: None, key });
            Ok((*last, true))
        })
    }

    pub(super) fn end(&self, id: u64, at_ms: i64, answer: Result<FinalAnswer, Problem>) {
        self.with_tasks(|_, tasks| {
            let task = tasks.iter_mut().filter(|task| task.id == id);
            task.for_each(|task| task.ended = Some((at_ms, answer.clone())));
            while tasks.iter().filter(|task| task.ended.is_some()).count() > ANSWERS_MAX {
                let oldest = tasks.iter().position(|task| task.ended.is_some());
                oldest.map(|oldest| tasks.remove(oldest));
            }
        });
        self.changed.send_replace(());
    }
}

/// How long the headers want to wait.
pub(crate) fn requested_wait(headers: &HeaderMap) -> Duration {
    crate::http::results::runs::preferred_wait(headers)
}
