//! The functions that a script may call: one table for whatever runs scripts, for `check` and for
//! the reference.
//!
//! Not the language itself: keywords and short-circuit operators are Rhai's, and Rhai learns of
//! this table in `machine::adapter`. Called by `check` (refuses the rest) and by the printer of the
//! reference.
//!
//! **Architecture invariant:** a function exists for scripts if and only if it is in this table;
//! the engine starts raw, without any package. Nothing here knows what runs a script.

pub(crate) mod callbacks;
mod dates;
pub(crate) mod fields;
pub(crate) mod lists;
pub(crate) mod lookups;
mod numbers;
pub(crate) mod operators;
mod recipients;
mod rewards;
pub mod signature;
mod text;
mod views;

use crate::kind::ValueKind;
use crate::value::{Outcome, ScriptValue, raise};
use signature::Signature;

/// A function of the table, with all its forms.
#[derive(Debug)]
pub struct ScriptFunction {
    /// Its name, or the sign of an operator.
    pub name: &'static str,
    /// Its forms: what each takes and gives.
    pub signatures: &'static [Signature],
    /// What it does, one paragraph.
    pub page: &'static str,
    /// Accepted numbers of arguments, the value before the dot included.
    pub arities: &'static [usize],
    /// Its value for these arguments, the value before the dot first; all its forms in one.
    pub(super) call: fn(&[ScriptValue]) -> Outcome,
}

impl ScriptFunction {
    /// Its forms as an author writes them: `share(who: text, weight: number)`.
    pub fn forms(&self) -> Vec<String> {
        self.signatures.iter().map(|signature| signature.text(self.name)).collect()
    }

    /// What it gives; `Any` where its forms give different things.
    pub(super) fn returns(&self) -> ValueKind {
        let kinds = self.signatures.iter().map(|signature| signature.returns);
        kinds.reduce(ValueKind::or).unwrap_or(ValueKind::Any)
    }
}

/// The topics of the reference, in order, each with its functions.
pub const TOPICS: &[(&str, &[ScriptFunction])] = &[
    ("operators", operators::FUNCTIONS),
    ("numbers", numbers::FUNCTIONS),
    ("text", text::FUNCTIONS),
    ("dates", dates::FUNCTIONS),
    ("arrays and maps", lists::FUNCTIONS),
    ("functions of items", callbacks::FUNCTIONS),
    ("recipients and holds", recipients::FUNCTIONS),
    ("transactions and credits", views::FUNCTIONS),
    ("tables and people", lookups::FUNCTIONS),
];

/// All functions in the order of the reference.
pub fn all_functions() -> impl Iterator<Item = &'static ScriptFunction> {
    TOPICS.iter().flat_map(|(_, functions)| functions.iter())
}

/// The function called `name`.
pub fn find_function(name: &str) -> Option<&'static ScriptFunction> {
    all_functions().find(|function| function.name == name)
}

/// Topics whose functions give the same value for the same arguments, whatever surrounds the run.
const PURE_TOPICS: [&str; 5] = ["operators", "numbers", "text", "dates", "recipients and holds"];

/// Whether a function depends on its arguments alone, so that it may be called before a run.
pub(super) fn is_pure(name: &str) -> bool {
    let topics = TOPICS.iter().filter(|(topic, _)| PURE_TOPICS.contains(topic));
    topics.flat_map(|(_, functions)| functions.iter()).any(|function| function.name == name)
}

/// The error of a function that has no form for these values.
fn refuse_arguments<T>(name: &str, values: &[ScriptValue]) -> Outcome<T> {
    let kinds: Vec<&str> = values.iter().map(ScriptValue::kind_word).collect();
    raise(arguments_message(name, &kinds))
}

/// What is wrong with a call of a function that has no form for values of these kinds.
pub(super) fn arguments_message(name: &str, kinds: &[&str]) -> String {
    if kinds.is_empty() {
        format!("`{name}` needs arguments")
    } else {
        format!("`{name}` cannot be used with {}", kinds.join(", "))
    }
}

pub(super) use rewards::{COUNT, CREDITED, EARNED_TOTAL, PAYEE_FIELDS, STANDING_FIELDS};
pub(super) use views::{
    CREDIT_FIELDS, RECEIVER_FIELDS, TRANSACTION_FIELDS, credit_field, has_field, receiver_field,
    transaction_amount,
};
