//! The functions that a script may call: one table for registration, for `check` and for the
//! reference.
//!
//! Not the language itself: keywords and short-circuit operators are Rhai's. Called by `sandbox`
//! (registers all), by `check` (refuses the rest) and by the printer of the reference.
//!
//! **Architecture invariant:** a function exists for scripts if and only if it is in this table;
//! the engine starts raw, without any package.

mod dates;
mod lists;
mod numbers;
mod operators;
mod recipients;
mod rewards;
pub mod signature;
mod text;
mod views;

use rhai::{Engine, FuncRegistration, RhaiNativeFunc, Variant};

use crate::kind::ValueKind;
use signature::Signature;

/// A function of the table, with all its forms.
pub struct ScriptFunction {
    /// Its name, or the sign of an operator.
    pub name: &'static str,
    /// Its forms: what each takes and gives.
    pub signatures: &'static [Signature],
    /// What it does, one paragraph.
    pub page: &'static str,
    /// Accepted numbers of arguments, the value before the dot included.
    pub arities: &'static [usize],
    /// Makes it known to an engine.
    pub(super) register: fn(&mut Engine),
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
    ("recipients and holds", recipients::FUNCTIONS),
    ("transactions and credits", views::FUNCTIONS),
];

/// All functions in the order of the reference.
pub fn all_functions() -> impl Iterator<Item = &'static ScriptFunction> {
    TOPICS.iter().flat_map(|(_, functions)| functions.iter())
}

/// The function called `name`.
pub fn find_function(name: &str) -> Option<&'static ScriptFunction> {
    all_functions().find(|function| function.name == name)
}

/// Makes every function of the table known to `engine`, and nothing else.
pub(super) fn register_all(engine: &mut Engine) {
    for function in all_functions() {
        (function.register)(engine);
    }
    views::register_types(engine);
    dates::register_types(engine);
    recipients::register_types(engine);
    rewards::register_types(engine);
    lists::register_iterators(engine);
}

/// Registers a function that reads its first argument without changing it, so that it may be called
/// on a constant.
fn register_pure<A: 'static, const N: usize, const X: bool, R: Variant + Clone, const F: bool>(
    engine: &mut Engine,
    name: &'static str,
    function: impl RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
) {
    FuncRegistration::new(name).with_purity(true).register_into_engine(engine, function);
}

pub(super) use rewards::{CREDITED, PAYEE_FIELDS};
pub(super) use views::{CREDIT_FIELDS, RECEIVER_FIELDS, TRANSACTION_FIELDS, transaction_amount};
