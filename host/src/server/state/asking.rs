//! The worker asked to do something between two batches, and its answer waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use accredit_ledger::audit::act_from;
use tokio::sync::oneshot;

use super::Service;
use crate::http::problem::Problem;
use crate::server::channels::{WorkerOrder, WorkerTurn};
use crate::server::origin;

/// How long a job that has not begun is waited for; a request has 30 s.
const JOB_WAIT: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 20 });

/// How far a job is.
const WAITING: u8 = 0;
const BEGUN: u8 = 1;
const GIVEN_UP: u8 = 2;

impl Service {
    /// Has the worker do something between two batches, and waits for its answer. What has not begun
    /// in time is not done at all.
    pub(crate) async fn ask_worker<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn WorkerTurn) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let state = Arc::new(AtomicU8::new(WAITING));
        let begins = Arc::clone(&state);
        let is_wanted = move || {
            let (from, to) = (Ordering::AcqRel, Ordering::Acquire);
            begins.compare_exchange(WAITING, BEGUN, from, to).is_ok()
        };

        let mut answer = self.hand_over(is_wanted, job);
        if let Ok(answered) = tokio::time::timeout(JOB_WAIT, &mut answer).await {
            return answered.unwrap_or_else(|_| Err(unanswered_problem(self)));
        }
        let (from, to) = (Ordering::AcqRel, Ordering::Acquire);
        if state.compare_exchange(WAITING, GIVEN_UP, from, to).is_ok() {
            let detail = "the server is busy deciding; nothing was done";
            return Err(Problem::unavailable(detail));
        }
        answer.await.unwrap_or_else(|_| Err(unanswered_problem(self)))
    }

    /// The same, however long it takes: for what is answered as a task.
    pub(crate) async fn ask_patiently<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn WorkerTurn) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let answer = self.hand_over(|| true, job);
        answer.await.unwrap_or_else(|_| Err(unanswered_problem(self)))
    }

    fn hand_over<T: Send + 'static>(
        &self,
        is_wanted: impl FnOnce() -> bool + Send + 'static,
        job: impl FnOnce(&mut dyn WorkerTurn) -> Result<T, Problem> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, Problem>> {
        let (reply, answer) = oneshot::channel();
        let origin = origin::current();
        self.orders.send(WorkerOrder::Do(Box::new(move |worker| {
            if is_wanted() {
                // No receiver means that the client has disconnected; what was done stays done.
                let _ = reply.send(act_from(origin, || job(worker)));
            }
        })));
        answer
    }
}

/// The answer when the worker dropped a job: at a stop, or since it panicked.
fn unanswered_problem(service: &Service) -> Problem {
    if service.stopping.load(Ordering::Acquire) {
        Problem::unavailable("the server is stopping")
    } else {
        Problem::internal(&"a job of the worker did not finish")
    }
}
