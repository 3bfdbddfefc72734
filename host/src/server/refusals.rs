//! When a request to each source was refused last, and why: of every source that is in force, the last one.
//!
//! Not what is refused (`http::intake::hooks`) and not the requests themselves (`quarantine`). It is kept in
//! memory: a flood of refused requests writes nothing to the disk.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The last refusal of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SourceRefusal {
    /// When, milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// The code of the problem that was answered.
    pub(crate) reason: &'static str,
}

/// The last refusal of each source, since the start of the server.
#[derive(Debug, Default)]
pub(crate) struct SourceRefusals(Mutex<BTreeMap<String, SourceRefusal>>);

impl SourceRefusals {
    /// Notes a refusal. The source is one of the ruleset, so that there are never many.
    pub(crate) fn note(&self, source: &str, refusal: SourceRefusal) {
        let mut known = self.lock();
        match known.get_mut(source) {
            Some(last) => *last = refusal,
            None => _ = known.insert(source.to_owned(), refusal),
        }
    }

    /// The last refusal of a source; none where there was none.
    pub(crate) fn last_of(&self, source: &str) -> Option<SourceRefusal> {
        self.lock().get(source).copied()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, SourceRefusal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
