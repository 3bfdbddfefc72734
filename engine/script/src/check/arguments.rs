//! Arguments against the forms of a function: `share(who: text, weight: number)`.
//!
//! Not their number, which `calls` judges. Called by `calls`.
//!
//! **Architecture invariant:** the forms are those of the table of `api`; a call that fits none of
//! them fails at run time, as a test that calls each function proves.

use crate::api::ScriptFunction;
use crate::kind::ValueKind;

/// Whether one of the function's forms takes values of these kinds, as far as they are known.
pub(super) fn fits_signature(function: &ScriptFunction, kinds: &[ValueKind]) -> bool {
    function.signatures.iter().any(|signature| {
        let parameters = signature.parameters;
        let mut pairs = parameters.iter().zip(kinds);
        parameters.len() == kinds.len()
            && pairs.all(|(parameter, kind)| accepts_kind(parameter.kind, *kind))
    })
}

fn accepts_kind(wanted: ValueKind, given: ValueKind) -> bool {
    match (wanted, given.when_there()) {
        // A function is written in the call itself: no variable can hold one.
        (ValueKind::Function, given) => given == ValueKind::Function,
        (ValueKind::Any, _) | (_, ValueKind::Any) => true,
        (ValueKind::MaybeText, given) => matches!(given, ValueKind::Text | ValueKind::Unit),
        (ValueKind::Array, given) => matches!(given, ValueKind::Array | ValueKind::Credits),
        (ValueKind::Credit, given) => {
            matches!(given, ValueKind::Credit | ValueKind::Receiver | ValueKind::Candidate)
        }
        (wanted, given) => wanted == given,
    }
}

impl ValueKind {
    /// Whether it may be joined with a text.
    pub(super) fn may_join_text(self) -> bool {
        self.when_there().is_plain() || self == ValueKind::Any
    }

    /// Whether it may be a number.
    pub(super) fn may_be_number(self) -> bool {
        matches!(self.when_there(), ValueKind::Any | ValueKind::Number)
    }
}
