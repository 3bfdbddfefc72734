//! The diagnostics of one reading, collected from everywhere.
//!
//! Not shown to anybody here: the caller of `Ruleset::read` gets them sorted. Called by every
//! module of `workspace`.
//!
//! **Architecture invariant:** reading never stops at a finding; it reports and goes on.

use std::cell::RefCell;

use accredit_domain::diagnostic::{Diagnostic, Place, did_you_mean};

/// Findings so far. Shared by reference, so that readers of nested tables can all report.
#[derive(Debug, Default)]
pub(super) struct Report(RefCell<Vec<Diagnostic>>);

/// Candidates that a message lists when none is near enough to be suggested.
const LISTED_MAX: usize = 12;

impl Report {
    /// Adds a finding.
    pub(super) fn push(&self, diagnostic: Diagnostic) {
        self.0.borrow_mut().push(diagnostic);
    }

    /// Adds an error with advice.
    pub(super) fn error(&self, code: &'static str, place: Place, message: String, help: &str) {
        self.push(Diagnostic::error(code, place, message).help(help));
    }

    /// Adds an error about `word`, which is none of `candidates`.
    pub(super) fn unknown<'a>(
        &self,
        code: &'static str,
        place: Place,
        (what, word): (&str, &str),
        candidates: impl IntoIterator<Item = &'a str>,
    ) {
        let candidates: Vec<&str> = candidates.into_iter().collect();
        let message = format!("there is no {what} `{word}`");
        self.push(Diagnostic::error(code, place, message).help(hint(word, what, &candidates)));
    }

    /// How many findings there are so far.
    pub(super) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// The findings by file, line and column.
    pub(super) fn sorted(self) -> Vec<Diagnostic> {
        let mut found = self.0.into_inner();
        found.sort_by(|a, b| a.place.cmp(&b.place).then_with(|| a.cmp(b)));
        found.dedup();
        found
    }
}

/// The nearest candidate, or the list of them.
pub(super) fn hint(word: &str, what: &str, candidates: &[&str]) -> String {
    if let Some(nearest) = did_you_mean(word, candidates.iter().copied()) {
        return nearest;
    }
    if candidates.is_empty() {
        return format!("no {what} is known");
    }
    let listed: Vec<String> =
        candidates.iter().take(LISTED_MAX).map(|known| format!("`{known}`")).collect();
    let more = if candidates.len() > LISTED_MAX { " and others" } else { "" };
    format!("known: {}{more}", listed.join(", "))
}
