//! Arguments against the forms of a function: `share(who: text, weight: number)`.
//!
//! Not their number, which `calls` judges. Called by `calls`.
//!
//! **Architecture invariant:** the forms are those of the table of `api`; what fits none of them
//! faults at run time, as a test that calls each function proves.

use super::kinds::Kind;
use crate::api::Function;

/// Whether one of the function's forms takes values of these kinds, as far as they are known.
pub(super) fn fit(function: &Function, kinds: &[Kind]) -> bool {
    let mut forms = function.signatures.iter().map(|form| parameters(form)).peekable();
    forms.peek().is_none()
        || forms.any(|form| {
            form.len() == kinds.len()
                && form.iter().zip(kinds).all(|(wanted, kind)| takes(wanted, *kind))
        })
}

/// The kinds that a form names; the value before a dot is the first.
fn parameters(form: &str) -> Vec<&str> {
    let (head, rest) = form.split_once('(').unwrap_or((form, ""));
    let base = head.split_once('.').map(|(base, _)| base);
    let rest = rest.trim_end_matches(')');
    let list = rest.split(',').map(str::trim).filter(|part| !part.is_empty());
    let kinds = list.map(|part| part.rsplit_once(": ").map_or(part, |(_, kind)| kind));
    base.into_iter().chain(kinds).collect()
}

fn takes(wanted: &str, kind: Kind) -> bool {
    match (wanted, kind.when_there()) {
        (_, Kind::Any) => true,
        ("text", kind) => kind == Kind::Text,
        ("number" | "start" | "length" | "digits" | "count", kind) => kind == Kind::Number,
        ("date", kind) => kind == Kind::Date,
        ("array", kind) => matches!(kind, Kind::Array | Kind::Credits),
        ("map", kind) => kind == Kind::Map,
        ("tx", kind) => kind == Kind::Transaction,
        ("credit", kind) => matches!(kind, Kind::Credit | Kind::Receiver | Kind::Candidate),
        _ => true,
    }
}

impl Kind {
    /// Whether it may be joined with a text.
    pub(super) fn joins(self) -> bool {
        self.when_there().is_plain() || self == Kind::Any
    }

    /// Whether it may be a number.
    pub(super) fn counts(self) -> bool {
        matches!(self.when_there(), Kind::Any | Kind::Number)
    }
}
