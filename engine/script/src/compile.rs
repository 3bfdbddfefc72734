//! Programs compiled to nodes over slots: the same answers as the interpreter, many times faster.
//!
//! Not the language: the interpreter defines it, and decides wherever a compiled run finds something
//! wrong. So a fault has the message and the place of the interpreter by construction, and only
//! answers have to agree: tests run every shipped policy, every case and generated programs both
//! ways. Called by `machine`.
//!
//! **Architecture invariant:** no result depends on whether a program is compiled.

mod borrowed;
mod cells;
mod lower;
mod node;
mod run;

use rhai::AST;

pub(crate) use self::lower::NotCompiled;
pub(crate) use self::node::CompiledCode;
pub(crate) use self::run::{RunInputs, RunResult, RunStack};
use crate::sandbox::Constants;
use accredit_domain::policy::ProgramForm;

/// Nodes of a run. The interpreter counts at most a handful of operations a node, and stops at
/// 200,000.
const STEPS_MAX: u32 = 20_000;

/// Functions that wait for each other; the interpreter allows 24.
const LEVELS_MAX: u32 = 16;

/// Functions that wait for each other in a function that the interpreter runs: what it allows beyond ours.
pub(crate) const CALLED_LEVELS_MAX: usize = 8;

/// Operations of all functions that the interpreter runs in one run of a program: with those of our nodes
/// they are fewer than it allows.
pub(crate) const CALLED_OPERATIONS_MAX: u64 = 20_000;

/// Items of an array or a map, those of its items included; the interpreter allows 1,000.
const ITEMS_MAX: usize = 800;

/// Bytes of a text; the interpreter allows 4,096.
const TEXT_BYTES_MAX: usize = 3_000;

/// Variables of a function; the interpreter allows 128.
const SLOTS_MAX: usize = 96;

/// Arguments behind a dot.
const LINK_ARGUMENTS_MAX: usize = 8;

/// Compiles a program.
///
/// # Errors
/// What in it only the interpreter knows, by function, where the entry point is one of them.
pub(crate) fn compile(
    form: ProgramForm,
    ast: &AST,
    constants: Option<&Constants>,
    parameters: usize,
) -> Result<CompiledCode, Vec<NotCompiled>> {
    let (variables, returns) = (form.scope_variables(), form.return_type());
    match form {
        ProgramForm::Policy(kind) => {
            let inputs = variables.get(..parameters).unwrap_or(variables);
            lower::lower_policy(ast, constants, (kind.entry_point(), inputs), returns)
        }
        ProgramForm::Expression(_) => lower::lower_expression(ast, variables, returns),
    }
}
