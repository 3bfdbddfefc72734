//! Rhai at work: texts become trees, trees become values, errors and panics become faults.
//!
//! Not judging what a value is for (`answer`). Called by `machine`.
//!
//! **Architecture invariant:** nothing of Rhai leaves here but values: errors are faults, panics
//! are faults, and the scope is empty again when the next run begins.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rhai::{AST, ASTFlags, CallFnOptions, Dynamic, Engine, Scope, Stmt};

use super::adapter::{from_dynamic, to_dynamic};
use super::native::NativeExpression;
use crate::compile::{
    self, CALLED_LEVELS_MAX, CALLED_OPERATIONS_MAX, CompiledCode, NotCompiled, RunInputs,
    RunResult, RunStack,
};
use crate::coverage::CoverageRecorder;
use crate::runs::{LimitHits, RunCounts};
use crate::sandbox::{self, Constants, Deadline, SOURCE_BYTES_MAX};
use crate::value::ScriptValue;
use crate::{ScriptFault, constants, fault};
use accredit_domain::policy::{Program, ProgramForm};

/// What runs trees of Rhai.
pub(super) struct Interpreter {
    engine: Engine,
    deadline: Arc<Deadline>,
    scope: Scope<'static>,
    /// Limits that runs met and that were not handed in yet.
    limit_hits: LimitHits,
}

/// A program in the form that runs fastest.
pub(super) enum CompiledProgram {
    /// A program that is compiled or, where that is not possible, walked as a tree.
    Tree(Box<SyntaxTree>),
    /// One of the few texts that need no tree.
    Native(NativeExpression),
    /// It does not compile: every run faults like this.
    Broken(Box<ScriptFault>),
}

/// A syntax tree and its constants.
pub(super) struct SyntaxTree {
    ast: AST,
    /// Top-level constants, for functions; none when there are none.
    constants: Option<Arc<Constants>>,
    /// How many values the entry point of a policy takes: the last ones may be left out.
    parameters: usize,
    /// The same program compiled, or why it is not.
    code: Result<CompiledCode, Vec<NotCompiled>>,
    /// Whether the interpreter ran a function of the compiled run that was the last one.
    has_called: bool,
    /// Runs that were not handed in yet.
    pub(super) counts: RunCounts,
}

impl SyntaxTree {
    pub(super) fn ast(&self) -> &AST {
        &self.ast
    }

    /// Whether the entry point is compiled.
    #[cfg(test)]
    pub(super) fn has_compiled_entry(&self) -> bool {
        self.code.is_ok()
    }

    /// Whether the program is compiled and may read tables, people or periods.
    pub(super) fn reads_surroundings(&self) -> bool {
        self.code.as_ref().is_ok_and(CompiledCode::reads_surroundings)
    }

    /// What the compiled program comes to, with `interpreter` for the functions that are left to it; none
    /// when that has to run all of it.
    pub(super) fn run_compiled(
        &mut self,
        (program, interpreter): (&Program, &mut Interpreter),
        stack: &mut RunStack,
        inputs: RunInputs<'_>,
    ) -> Option<RunResult> {
        let SyntaxTree { ast, constants, code, has_called, .. } = self;
        *has_called = false;
        let mut call = |name: &str, arguments: Vec<ScriptValue>| {
            let is_first = !std::mem::replace(has_called, true);
            let function = (name, arguments);
            interpreter.call_function(program, (ast, constants.as_ref()), function, is_first)
        };
        code.as_mut().ok()?.run(stack, inputs, &mut call)
    }

    /// Counts a compiled run; one of which the interpreter ran a function is no faster than its own.
    pub(super) fn count_compiled(&mut self) {
        let counted = match self.has_called {
            true => &mut self.counts.interpreted,
            false => &mut self.counts.compiled,
        };
        *counted = counted.saturating_add(1);
    }

    /// Counts a run that the interpreter does.
    pub(super) fn count_interpreted(&mut self) {
        let counted = match self.code {
            Ok(_) => &mut self.counts.fallen_back,
            Err(_) => &mut self.counts.interpreted,
        };
        *counted = counted.saturating_add(1);
    }

    /// Why functions of the program are not compiled; nothing where all are.
    pub(super) fn not_compiled(&self) -> &[NotCompiled] {
        match &self.code {
            Ok(code) => code.refused(),
            Err(refused) => refused,
        }
    }

    /// How many values the program takes.
    pub(super) fn parameters(&self) -> usize {
        self.parameters
    }
}

impl CompiledProgram {
    /// The syntax tree, if there is one.
    pub(super) fn syntax_tree(&self) -> Option<&AST> {
        match self {
            CompiledProgram::Tree(tree) => Some(&tree.ast),
            CompiledProgram::Native(_) | CompiledProgram::Broken(_) => None,
        }
    }
}

impl Interpreter {
    pub(super) fn new() -> Self {
        let (engine, deadline) = sandbox::new_engine();
        Interpreter { engine, deadline, scope: Scope::new(), limit_hits: LimitHits::default() }
    }

    /// One whose steps go to `recorder`.
    pub(super) fn with_recorder(recorder: &Arc<CoverageRecorder>) -> Self {
        let mut interpreter = Interpreter::new();
        recorder.attach(&mut interpreter.engine);
        interpreter
    }

    /// Lets something look at each step of the engine.
    pub(super) fn each_step(&mut self, attach: impl FnOnce(&mut Engine)) {
        attach(&mut self.engine);
    }

    /// The limits that runs met since the last time.
    pub(super) fn take_limit_hits(&mut self) -> LimitHits {
        std::mem::take(&mut self.limit_hits)
    }

    pub(super) fn compile_program(&mut self, program: &Program) -> CompiledProgram {
        if let Some(native) = NativeExpression::from_program(program) {
            return CompiledProgram::Native(native);
        }
        match self.compile_tree(program) {
            Ok(tree) => CompiledProgram::Tree(Box::new(tree)),
            Err(fault) => CompiledProgram::Broken(Box::new(fault)),
        }
    }

    fn compile_tree(&mut self, program: &Program) -> Result<SyntaxTree, ScriptFault> {
        let fail = |message: &str| fault::of_program(program, message);
        if program.source.len() > SOURCE_BYTES_MAX {
            return Err(fail(&format!("more than {SOURCE_BYTES_MAX} bytes (SOURCE_BYTES_MAX)")));
        }

        let engine = &self.engine;
        let parse = || constants::compile_with_constants(engine, program);

        // The parser of Rhai is foreign code: a panic in it is a fault of this text alone.
        let ast = match catch_unwind(AssertUnwindSafe(parse)) {
            Ok(Ok(ast)) => ast,
            Ok(Err(error)) => {
                let mut fault = fail(&fault::parse_message(error.err_type()));
                if let Some((line, column)) = fault::line_and_column(error.position()) {
                    fault.place = program.origin.place_at(line, column);
                }
                return Err(fault);
            }
            Err(_) => return Err(fail("the text cannot be read")),
        };

        let constants = match program.form {
            ProgramForm::Policy(_) => self.evaluate_constants(program, &ast)?,
            ProgramForm::Expression(_) => None,
        };

        let parameters = entry_parameters(program, &ast);
        let code = compile::compile(program.form, &ast, constants.as_deref(), parameters);
        let (has_called, counts) = (false, RunCounts::default());
        Ok(SyntaxTree { ast, constants, parameters, code, has_called, counts })
    }

    /// Evaluates the top level of a policy once.
    fn evaluate_constants(
        &mut self,
        program: &Program,
        ast: &AST,
    ) -> Result<Option<Arc<Constants>>, ScriptFault> {
        let constant = |statement: &Stmt| match statement {
            Stmt::Var(_, flags, _) => flags.contains(ASTFlags::CONSTANT),
            Stmt::Noop(_) => true,
            _ => false,
        };
        if !ast.statements().iter().all(constant) {
            let message = "only constants and functions may stand at the top level";
            return Err(fault::of_program(program, message));
        }

        if ast.statements().is_empty() {
            return Ok(None);
        }

        self.scope.clear();
        // Only for what it leaves in the scope: the constants.
        let _value = self.run_with_deadline(program, ast, |engine, scope| {
            engine.eval_ast_with_scope(scope, ast)
        })?;

        let constants = self.scope.iter_raw();
        let constants =
            constants.map(|(name, _, value)| (name.to_owned(), value.clone())).collect();
        self.scope.clear();

        Ok(Some(Arc::new(constants)))
    }

    pub(super) fn run_tree(
        &mut self,
        program: &Program,
        tree: &SyntaxTree,
        values: Vec<ScriptValue>,
    ) -> Result<ScriptValue, ScriptFault> {
        self.scope.clear();
        // The last values of an entry point may be left out.
        let values = values.into_iter().take(tree.parameters).map(to_dynamic);

        let value = match program.form {
            ProgramForm::Expression(_) => {
                for (name, value) in program.form.scope_variables().iter().zip(values) {
                    self.scope.push_dynamic(*name, value);
                }
                self.run_with_deadline(program, &tree.ast, |engine, scope| {
                    engine.eval_ast_with_scope(scope, &tree.ast)
                })
            }
            ProgramForm::Policy(kind) => {
                // The top level was evaluated when the policy was compiled.
                let mut options = CallFnOptions::new().eval_ast(false);
                if let Some(constants) = &tree.constants {
                    options = options.with_tag(Arc::clone(constants));
                }
                self.run_with_deadline(program, &tree.ast, |engine, scope| {
                    engine.call_fn_with_options(
                        options,
                        scope,
                        &tree.ast,
                        kind.entry_point(),
                        values.collect::<Vec<_>>(),
                    )
                })
            }
        };
        value.map(|value| from_dynamic(&value))
    }

    /// Runs a function of a program for a compiled run; none where something is wrong, or near a limit:
    /// then the interpreter runs the whole program, and says what it is. The functions of a run share one
    /// deadline, which begins with the first.
    fn call_function(
        &mut self,
        program: &Program,
        (ast, constants): (&AST, Option<&Arc<Constants>>),
        (name, arguments): (&str, Vec<ScriptValue>),
        is_first: bool,
    ) -> Option<ScriptValue> {
        if is_first {
            self.deadline.start();
        }
        let mut options = CallFnOptions::new().eval_ast(false);
        if let Some(constants) = constants {
            options = options.with_tag(Arc::clone(constants));
        }
        let arguments: Vec<Dynamic> = arguments.into_iter().map(to_dynamic).collect();

        sandbox::limit_values(&mut self.engine, program.form);
        self.engine.set_max_call_levels(CALLED_LEVELS_MAX);
        self.scope.clear();
        let (engine, scope) = (&self.engine, &mut self.scope);
        let called = catch_unwind(AssertUnwindSafe(|| {
            engine.call_fn_with_options::<Dynamic>(options, scope, ast, name, arguments)
        }));
        self.engine.set_max_call_levels(sandbox::CALL_LEVELS_MAX);

        match called {
            Ok(Ok(value)) if self.deadline.operations() <= CALLED_OPERATIONS_MAX => {
                Some(from_dynamic(&value))
            }
            Ok(_) => None,
            Err(_) => {
                // A scope that was left in the middle of a run is not used again.
                self.scope = Scope::new();
                None
            }
        }
    }

    /// Runs something under the deadline, and turns errors and panics into faults.
    fn run_with_deadline(
        &mut self,
        program: &Program,
        ast: &AST,
        run: impl FnOnce(&Engine, &mut Scope<'static>) -> Result<Dynamic, Box<rhai::EvalAltResult>>,
    ) -> Result<Dynamic, ScriptFault> {
        self.deadline.start();
        sandbox::limit_values(&mut self.engine, program.form);
        let (engine, scope) = (&self.engine, &mut self.scope);

        match catch_unwind(AssertUnwindSafe(|| run(engine, scope))) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                if let Some(limit) = fault::limit_of(&error) {
                    self.limit_hits.count(limit);
                }
                Err(fault::of_run(program, ast, &error))
            }
            Err(_) => {
                // A scope that was left in the middle of a run is not used again.
                self.scope = Scope::new();
                Err(fault::of_program(program, "the script ended unexpectedly"))
            }
        }
    }
}

/// How many values the entry point of a policy takes, all of them for an expression. Of several
/// functions with its name the one that takes the most counts.
pub(crate) fn entry_parameters(program: &Program, ast: &AST) -> usize {
    let all = program.form.scope_variables().len();
    let ProgramForm::Policy(kind) = program.form else { return all };

    let named = ast.iter_fn_def().filter(|function| function.name == kind.entry_point());
    let counts = named.map(|function| function.params.len()).filter(|count| *count <= all);
    counts.max().unwrap_or(all)
}
