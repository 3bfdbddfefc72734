//! The diagnostics of one reading, collected from everywhere.
//!
//! Not displayed here: the caller of `Ruleset::read` gets them sorted. Called by every module of
//! `workspace`.
//!
//! **Architecture invariant:** reading never stops at a finding; it reports and goes on.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use accredit_domain::diagnostic::{Code, Diagnostic, LineIndex, Place, did_you_mean};

/// Findings so far. Shared by reference, so that readers of nested tables can all report.
#[derive(Debug, Default)]
pub(super) struct Findings {
    found: RefCell<Vec<Diagnostic>>,
    /// The lines of files that were asked for, by path and length.
    lines: RefCell<HashMap<(String, usize), Arc<LineIndex>>>,
}

/// Candidates that a message lists when none is near enough to be suggested.
const LISTED_MAX: usize = 12;

impl Findings {
    /// Adds a finding to the report.
    pub(super) fn push(&self, diagnostic: Diagnostic) {
        self.found.borrow_mut().push(diagnostic);
    }

    /// Adds an error with advice.
    pub(super) fn error(&self, code: Code, place: Place, message: String, help: &str) {
        self.push(Diagnostic::error(code, place, message).with_help(help));
    }

    /// Adds an error about `word`, which is not one of `candidates`.
    pub(super) fn report_unknown<'a>(
        &self,
        code: Code,
        place: Place,
        (what, word): (&str, &str),
        candidates: impl IntoIterator<Item = &'a str>,
    ) {
        let candidates: Vec<&str> = candidates.into_iter().collect();
        let message = format!("there is no {what} `{word}`");
        self.push(Diagnostic::error(code, place, message).with_help(suggest_names(
            word,
            what,
            &candidates,
        )));
    }

    /// The place of a byte of `file`, whose content is `text`.
    pub(super) fn place(&self, file: &str, text: &str, offset: usize) -> Place {
        let mut known = self.lines.borrow_mut();
        let lines = known.entry((file.to_owned(), text.len()));
        let lines = lines.or_insert_with(|| Arc::new(LineIndex::from_text(text)));
        lines.place_at(file, text, offset)
    }

    /// How many findings there are so far.
    pub(super) fn len(&self) -> usize {
        self.found.borrow().len()
    }

    /// The findings by file, line and column.
    pub(super) fn into_sorted(self) -> Vec<Diagnostic> {
        let mut found = self.found.into_inner();
        found.sort_by(|a, b| a.place.cmp(&b.place).then_with(|| a.cmp(b)));
        found.dedup();
        found
    }
}

/// The nearest candidate, or the list of them.
pub(super) fn suggest_names(word: &str, what: &str, candidates: &[&str]) -> String {
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
