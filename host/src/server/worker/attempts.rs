//! Work that may have ended an earlier process, so that a restart does not repeat it for ever.
//!
//! Out of memory and out of stack end the process without a word. What was still waiting at the start
//! is therefore begun with a durable note; a note that is still there at the next start tells what
//! was under way. Not panics, which are caught.
//!
//! **Architecture invariant:** what was begun [`ATTEMPTS_MAX`] times without an end is set aside.

use accredit_ledger::Ledger;
use accredit_ledger::alerts::RaisedAlert;
use accredit_seams::store::StoreError;
use serde::{Deserialize, Serialize};

use super::{DELIVERIES_MAX, Worker};

/// How often something is begun before it is set aside.
pub(crate) const ATTEMPTS_MAX: u32 = 3;

/// Where the note is kept.
const KEY: &str = "attempt";

/// What was begun and has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct AttemptNote {
    /// `deliveries` or `recredit`.
    what: String,
    /// Where: the first delivery, the first number of a transaction.
    from: u64,
    /// Whether it was more than one delivery.
    many: bool,
    /// How often it was begun.
    count: u32,
}

/// What is known from the start.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    /// The last delivery that had arrived before the start: up to it, care is taken.
    until: u64,
    /// Whether each delivery of those is decided alone.
    is_one_by_one: bool,
    /// Whether decisions of an activation were under way.
    recredits: bool,
    note: Option<AttemptNote>,
    /// Whether this process has written the note: what it tries again by itself is no new attempt.
    is_own: bool,
}

impl Attempts {
    /// What an earlier process left.
    pub(super) fn at_start(ledger: &Ledger) -> Attempts {
        let note = ledger.get_meta(KEY).ok().flatten();
        let note = note.and_then(|row| serde_json::from_slice::<AttemptNote>(&row).ok());
        let waits = ledger.oldest_pending().ok().flatten().is_some();
        let until = if waits { ledger.last_received().unwrap_or(0) } else { 0 };
        let is_one_by_one = note.as_ref().is_some_and(|note| note.what == "deliveries");
        let recredits = ledger.pending_recredit().ok().flatten().is_some();
        Attempts { until, is_one_by_one, recredits, note, is_own: false }
    }

    /// The same thing once more, or another one for the first time.
    fn next_attempt(&self, what: &str, from: u64, many: bool) -> AttemptNote {
        let known = self.note.as_ref();
        let known = known.filter(|note| (&*note.what, note.from, note.many) == (what, from, many));
        let more = u32::from(!self.is_own);
        let count = known.map_or(1, |note| note.count.saturating_add(more));
        AttemptNote { what: what.to_owned(), from, many, count }
    }
}

impl Worker {
    /// How many deliveries the next batch may have; none after the first one was set aside.
    pub(super) fn before_step(&mut self) -> Result<Option<usize>, StoreError> {
        let first = self.context.ledger.oldest_pending()?;
        let Some(first) = first.filter(|first| *first <= self.attempts.until) else {
            self.forget_attempts()?;
            return Ok(Some(DELIVERIES_MAX));
        };

        let many = !self.attempts.is_one_by_one;
        let note = self.attempts.next_attempt("deliveries", first, many);
        if note.count > ATTEMPTS_MAX {
            let reason = format!(
                "deciding it ended the server {ATTEMPTS_MAX} times (ATTEMPTS_MAX); redrive it after an \
                 update, or with more memory"
            );
            let is_aside = self.set_aside(&reason);
            self.attempts.note = None;
            return Ok((!is_aside).then_some(1));
        }
        self.keep_attempt(note)?;
        Ok(Some(if many { DELIVERIES_MAX } else { 1 }))
    }

    /// Whether the decisions that an activation asked for may go on from `from`; false after they
    /// were set aside.
    pub(super) fn before_recredit(
        &mut self,
        activation: u64,
        from: u64,
    ) -> Result<bool, StoreError> {
        if !self.attempts.recredits {
            return Ok(true);
        }
        let note = self.attempts.next_attempt("recredit", from, true);
        if note.count <= ATTEMPTS_MAX {
            self.keep_attempt(note)?;
            return Ok(true);
        }

        let message = format!(
            "deciding again after activation {activation} ended the server {ATTEMPTS_MAX} times \
             (ATTEMPTS_MAX) and was given up: activate the change again with more memory"
        );
        tracing::error!(activation, "deciding again was given up");
        let alert = RaisedAlert::new("worker", "not_decided", message);
        self.context.ledger.raise_alert(&alert, self.context.now_ms())?;
        self.after_recredit()?;
        Ok(false)
    }

    /// Decisions that an activation asked for went on: nothing ended the process this time.
    pub(super) fn after_recredit(&mut self) -> Result<(), StoreError> {
        if self.attempts.recredits {
            self.attempts.recredits = false;
            self.forget_attempts()?;
        }
        Ok(())
    }

    fn keep_attempt(&mut self, note: AttemptNote) -> Result<(), StoreError> {
        if self.attempts.note.as_ref() == Some(&note) {
            return Ok(());
        }
        let row = serde_json::to_vec(&note).map_err(|e| StoreError::Damaged(e.to_string()))?;
        self.context.ledger.set_meta(KEY, &row)?;
        self.attempts.note = Some(note);
        self.attempts.is_own = true;
        Ok(())
    }

    fn forget_attempts(&mut self) -> Result<(), StoreError> {
        if self.attempts.note.take().is_some() {
            self.context.ledger.set_meta(KEY, b"")?;
        }
        Ok(())
    }
}
