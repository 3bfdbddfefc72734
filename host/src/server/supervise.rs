//! Threads that must not end: one that panics is started again after a pause.
//!
//! Not what they do (`writer`, `worker`, `monitor`).
//!
//! **Architecture invariant:** while such a thread does not run, the server is not ready.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::server::health::ServerPart;
use crate::server::state::Service;

/// Stack of a thread: policies may recurse as deep as their limit says.
const STACK_BYTES: usize = 16 << 20;

/// The first pause; each one is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(100);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// A thread that ran this long has recovered: its next pause is a short one.
const RECOVERED: Duration = Duration::from_mins(1);

/// Runs `work` on a thread of its own until it returns.
///
/// # Errors
/// When the system has no thread for it.
pub(crate) fn start_supervised(
    service: &Arc<Service>,
    part: ServerPart,
    work: impl Fn(&Arc<Service>) + Send + 'static,
) -> Result<JoinHandle<()>, String> {
    let service = Arc::clone(service);
    let builder = std::thread::Builder::new().name(part.name().to_owned());
    let builder = builder.stack_size(STACK_BYTES);
    let thread = builder.spawn(move || supervise_part(&service, part, &work));
    thread.map_err(|error| format!("no thread for the {part}: {error}"))
}

fn supervise_part(service: &Arc<Service>, part: ServerPart, work: &dyn Fn(&Arc<Service>)) {
    let mut pause = PAUSE;
    loop {
        let started = Instant::now();
        // What the thread left behind is consistent: everything that lasts is one commit or none.
        if catch_unwind(AssertUnwindSafe(|| work(service))).is_ok() {
            return;
        }

        tracing::error!(thread.name = part.name(), "a thread panicked; it is restarted");
        if service.stopping.load(Ordering::Acquire) {
            return;
        }

        if started.elapsed() >= RECOVERED {
            pause = PAUSE;
        }

        let reason =
            "its thread ended with an internal error and is restarted; see the server's log";
        service.health.report(part, reason);

        // A thread that panics at once must not use the processor up.
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSE_MAX);
        service.health.clear(part);
    }
}
