//! Those who wait for the end of a run of a calculation.
//!
//! Not the runs themselves, which the context of operations has, and not the deciding (`worker::run`).

use tokio::sync::watch;

/// Tells waiting requests that a run has changed.
pub(crate) struct RunNotices {
    changed: watch::Sender<()>,
}

impl Default for RunNotices {
    fn default() -> RunNotices {
        RunNotices { changed: watch::Sender::new(()) }
    }
}

impl RunNotices {
    /// What tells that a run has changed.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Wakes all waiting requests.
    pub(crate) fn notify_waiters(&self) {
        self.changed.send_replace(());
    }
}
