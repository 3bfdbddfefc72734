//! The engine that runs scripts of customers: raw, limited, without anything that reaches the
//! machine, a clock or another script.
//!
//! Not an operating-system boundary: memory and native stack are bounded by these limits alone.
//! Called by `machine` (runs) and by `check` (parses). Source: RELIABILITY 2.
//!
//! **Architecture invariant:** the limits are the same in every build, so that a script that passes
//! here passes everywhere.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use accredit_domain::policy::{PolicyKind, ProgramForm};
use rhai::{Dynamic, Engine, OptimizationLevel};

use super::machine::adapter;

/// Operations of one call: nodes of the syntax tree, calls, rounds of a loop.
pub(super) const SCRIPT_OPERATIONS_MAX: u64 = 200_000;
/// Functions that wait for each other.
pub(super) const CALL_LEVELS_MAX: usize = 24;
/// Expressions and blocks inside each other, in a function or outside. A pair of parentheses counts
/// twice or thrice, each `else if` and each term of a sum once: 24 would end at 17 of them.
const EXPRESSION_DEPTH_MAX: usize = 48;
/// Variables that exist at a time.
pub(super) const VARIABLES_MAX: usize = 128;
/// Functions of one script.
pub(super) const FUNCTIONS_MAX: usize = 64;
/// Bytes of a text.
pub(super) const STRING_BYTES_MAX: usize = 4096;
/// Items of an array, those of its items included.
pub(super) const ARRAY_ITEMS_MAX: usize = 1000;
/// Keys of a map, those of its values included.
pub(super) const MAP_KEYS_MAX: usize = 1000;
/// The same for an intake policy, whose payload a sender made: Rhai counts all texts, items and keys of a
/// value whenever a function takes it, so that `payload.has(…)` meets the whole payload.
const PAYLOAD_BYTES_MAX: usize = 2 << 20;
const PAYLOAD_ITEMS_MAX: usize = 50_000;
/// Bytes of the source of a script.
pub(super) const SOURCE_BYTES_MAX: usize = 64 * 1024;
/// How long one call may take. The operations decide, which are the same on every machine; this is
/// for a call whose process was stopped or starved, an infrastructure fault that is tried again.
pub(super) const DEADLINE_MS: u64 = 10_000;
/// How the message of a call that took too long begins.
const TIMEOUT_MESSAGE: &str = "took longer than ";

/// Whether a message tells of a call that took too long: another try may succeed.
pub fn is_timeout(message: &str) -> bool {
    message.contains(&format!("{TIMEOUT_MESSAGE}{DEADLINE_MS} ms"))
}

/// Operations between two looks at the clock.
const DEADLINE_OPERATIONS: u64 = 1024;

/// Functions of Rhai that policies may not use, by name.
pub(super) const FORBIDDEN_FUNCTIONS: &[&str] = &[
    "Fn",
    "call",
    "curry",
    "debug",
    "eval",
    "is_def_fn",
    "is_def_var",
    "is_shared",
    "pad",
    "print",
    "sleep",
    "timestamp",
    "type_of",
];

/// Signs of Rhai that stay closed: they work on bits. `|` is open, since it begins a function that is
/// given to `filter` and its like, and stands between labels; `check` refuses it elsewhere.
pub(super) const CLOSED_SYMBOLS: &[&str] =
    &["|=", "&", "&=", "^", "^=", "<<", "<<=", ">>", ">>=", "**", "**="];

/// When the running call must have ended.
#[derive(Debug)]
pub(super) struct Deadline {
    base: Instant,
    until_ms: AtomicU64,
    /// Operations of the running call, those of functions that it gives to `map` and its like
    /// included: Rhai forgets these when such a function returns.
    operations: AtomicU64,
}

impl Deadline {
    fn new() -> Arc<Self> {
        Arc::new(Deadline {
            base: Instant::now(),
            until_ms: AtomicU64::new(u64::MAX),
            operations: AtomicU64::new(0),
        })
    }

    /// A call begins now.
    pub(super) fn start(&self) {
        self.operations.store(0, Ordering::Relaxed);
        self.until_ms.store(self.now_ms().saturating_add(DEADLINE_MS), Ordering::Relaxed);
    }

    /// Operations since the call began.
    pub(super) fn operations(&self) -> u64 {
        self.operations.load(Ordering::Relaxed)
    }

    fn now_ms(&self) -> u64 {
        let elapsed: Duration = self.base.elapsed();
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }

    fn has_passed(&self) -> bool {
        self.now_ms() > self.until_ms.load(Ordering::Relaxed)
    }
}

/// Top-level constants of a script, for its functions.
pub(super) type Constants = HashMap<String, Dynamic>;

/// The engine that runs scripts, and its deadline.
pub(super) fn new_engine() -> (Engine, Arc<Deadline>) {
    let mut engine = new_parser();
    for name in FORBIDDEN_FUNCTIONS {
        engine.disable_symbol(*name);
    }

    adapter::register_table(&mut engine);

    let deadline = Deadline::new();
    let watched = Arc::clone(&deadline);

    engine.on_progress(move |_| {
        let operations = watched.operations.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if operations > SCRIPT_OPERATIONS_MAX {
            let limit = format!("more than {SCRIPT_OPERATIONS_MAX} operations");
            return Some(Dynamic::from(format!("{limit} (SCRIPT_OPERATIONS_MAX)")));
        }

        // The clock is asked now and then, since asking it costs more than an operation.
        let late = operations.is_multiple_of(DEADLINE_OPERATIONS) && watched.has_passed();
        late.then(|| Dynamic::from(format!("{TIMEOUT_MESSAGE}{DEADLINE_MS} ms")))
    });
    // Without modules, Rhai does not show top-level constants to functions; they travel as the tag
    // of a call. A variable with an index is a local one, which wins.
    #[expect(deprecated, reason = "Rhai marks the callback as unstable; the version is pinned")]
    engine.on_var(|name, index, context| {
        if index > 0 {
            return Ok(None);
        }
        let constants = context.tag().read_lock::<Arc<Constants>>();
        Ok(constants.and_then(|constants| constants.get(name).cloned()))
    });

    (engine, deadline)
}

/// Sets the sizes of values that a program may have.
pub(super) fn limit_values(engine: &mut Engine, form: ProgramForm) {
    let (bytes, items, keys) = match form {
        ProgramForm::Policy(PolicyKind::Intake) => {
            (PAYLOAD_BYTES_MAX, PAYLOAD_ITEMS_MAX, PAYLOAD_ITEMS_MAX)
        }
        _ => (STRING_BYTES_MAX, ARRAY_ITEMS_MAX, MAP_KEYS_MAX),
    };
    engine.set_max_string_size(bytes);
    engine.set_max_array_size(items);
    engine.set_max_map_size(keys);
}

/// The engine that only parses, for `check`: words that are forbidden by name pass, so that all of
/// them can be reported.
pub(super) fn new_parser() -> Engine {
    let mut engine = Engine::new_raw();

    // Without optimization: it would change the tree that the check walks.
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_max_strings_interned(0);
    // Without fast operators: they would come before ours, which refuse unlike kinds.
    engine.set_fast_operators(false);
    engine.set_fail_on_invalid_map_property(true);

    engine.set_max_operations(SCRIPT_OPERATIONS_MAX);
    engine.set_max_call_levels(CALL_LEVELS_MAX);
    engine.set_max_expr_depths(EXPRESSION_DEPTH_MAX, EXPRESSION_DEPTH_MAX);
    engine.set_max_variables(VARIABLES_MAX);
    engine.set_max_functions(FUNCTIONS_MAX);
    engine.set_max_string_size(STRING_BYTES_MAX);
    engine.set_max_array_size(ARRAY_ITEMS_MAX);
    engine.set_max_map_size(MAP_KEYS_MAX);

    for symbol in CLOSED_SYMBOLS {
        engine.disable_symbol(*symbol);
    }
    adapter::switch::register_switch(&mut engine);

    engine
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process that was stopped for less than half a second parked deals whose scripts were
    /// innocent: the clock ended them after 250 ms.
    #[test]
    fn the_clock_ends_a_call_only_after_a_generous_time() {
        let (engine, deadline) = new_engine();
        let body = "let x = 0; for i in 0..20000 { x += 1 } x";
        deadline.start();
        let allowed = deadline.until_ms.load(Ordering::Relaxed) - deadline.now_ms();
        assert!(allowed >= 5000, "{allowed} ms");
        assert!(engine.eval::<i64>(body).is_ok());

        deadline.until_ms.store(0, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(2));
        let late = engine.eval::<i64>(body).unwrap_err();
        assert!(is_timeout(&crate::fault::error_message(&late)), "{late}");
        assert!(!is_timeout("more than 200000 operations (SCRIPT_OPERATIONS_MAX)"));
    }
}
