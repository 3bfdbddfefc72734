//! Where a run ended that tells of no place itself: at a limit of the whole run, or with an answer of
//! the wrong kind.
//!
//! Called by `machine` when a policy has faulted, so that runs that answer pay nothing for it.
//!
//! **Architecture invariant:** looking changes nothing: the same policy runs once more on the same
//! values, under the same limits, and only the places of its last steps are kept.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rhai::debugger::{DebuggerCommand, DebuggerEvent};
use rhai::{AST, ASTNode, Engine, Position};

use super::interpreter::{CompiledProgram, Interpreter};
use crate::value::ScriptValue;
use crate::{ScriptFault, fault, sandbox};
use accredit_domain::policy::{Program, ProgramForm, ProgramId};

/// Runs policies once more, slower, for the place of their last step.
pub(super) struct Endings {
    interpreter: Interpreter,
    compiled: HashMap<u32, CompiledProgram>,
    last: Arc<Mutex<LastSteps>>,
}

/// The places of the last statements of a run.
#[derive(Debug)]
struct LastSteps {
    /// Where the statements of the policy begin: a step inside of one tells less.
    statements: HashSet<Position>,
    /// Of all.
    inner: Position,
    /// Of those of the policy's own function.
    outer: Position,
    /// How deep that function is.
    depth: usize,
}

impl LastSteps {
    /// Before anything ran of a tree.
    fn none_of(tree: &AST) -> LastSteps {
        let mut statements = HashSet::new();
        tree.walk(&mut |path| {
            if let Some(ASTNode::Stmt(statement)) = path.last() {
                statements.insert(statement.position());
            }
            true
        });
        LastSteps { statements, inner: Position::NONE, outer: Position::NONE, depth: usize::MAX }
    }

    fn step(&mut self, place: Position, depth: usize) {
        if !self.statements.contains(&place) {
            return;
        }
        self.inner = place;
        if depth <= self.depth {
            (self.outer, self.depth) = (place, depth);
        }
    }
}

impl Endings {
    pub(super) fn new() -> Endings {
        let last = Arc::new(Mutex::new(LastSteps::none_of(&AST::empty())));
        let mut interpreter = Interpreter::new();
        interpreter.each_step(|engine| attach(engine, Arc::clone(&last)));
        Endings { interpreter, compiled: HashMap::new(), last }
    }

    /// The fault at the place where the run ended, if it has no place yet.
    pub(super) fn placed(
        &mut self,
        (id, program): (ProgramId, &Program),
        found: ScriptFault,
        values: Vec<ScriptValue>,
    ) -> ScriptFault {
        // Time is another one in another run; an expression is a single line.
        let is_policy = matches!(program.form, ProgramForm::Policy(_));
        let is_placed = found.place != program.origin.place;
        if is_placed || !is_policy || sandbox::is_timeout(&found.message) {
            return found;
        }

        let interpreter = &mut self.interpreter;
        let compiled =
            self.compiled.entry(id.0).or_insert_with(|| interpreter.compile_program(program));
        let CompiledProgram::Tree(tree) = compiled else { return found };

        *lock(&self.last) = LastSteps::none_of(tree.ast());
        let has_answered = self.interpreter.run_tree(program, tree, values).is_ok();

        // A wrong answer is the policy's own, even if a shared function computed it; a limit is met
        // further in.
        let last = lock(&self.last);
        let last = if has_answered { last.outer } else { last.inner };
        match fault::line_and_column(last) {
            Some((line, column)) => {
                ScriptFault { place: program.origin.place_at(line, column), ..found }
            }
            None => found,
        }
    }
}

fn lock(last: &Mutex<LastSteps>) -> MutexGuard<'_, LastSteps> {
    last.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets `engine` keep the place of each step.
fn attach(engine: &mut Engine, last: Arc<Mutex<LastSteps>>) {
    #[expect(deprecated, reason = "Rhai marks the callback as unstable; the version is pinned")]
    engine.register_debugger(
        |_, debugger| debugger,
        move |context, event, node, _, _| {
            // The end of a function that breaks off is no step.
            if matches!(event, DebuggerEvent::Step) {
                lock(&last).step(node.position(), context.call_level());
            }
            Ok(DebuggerCommand::StepInto)
        },
    );
}
