//! Runs programs: one machine a worker thread, with every program of a ruleset compiled.
//!
//! Not checking (`check`), though a program that does not compile faults here instead of panicking.
//! Called by the stages and by intake.
//!
//! **Architecture invariant:** a run ends with an [`Answer`] of the kind that its form returns, or
//! with a [`Fault`] that says where; no panic, no partial answer and nothing remembered between
//! two runs.

mod answer;
mod intake;
mod native;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rhai::{AST, ASTFlags, Array, CallFnOptions, Dynamic, Engine, Scope, Stmt};

use self::native::Native;
use super::sandbox::{self, Constants, Deadline, SOURCE_BYTES_MAX};
use super::{Answer, Arguments, Fault, fault};
use crate::policy::{Form, Program, ProgramId, Programs};
use crate::transaction::Record;

/// All programs of a ruleset, ready to run on one thread.
pub struct Machine {
    interpreter: Interpreter,
    programs: Vec<(Arc<Program>, Compiled)>,
}

/// What runs trees of Rhai.
struct Interpreter {
    engine: Engine,
    deadline: Arc<Deadline>,
    scope: Scope<'static>,
}

/// A program in the form that runs fastest; a compiler would add one more.
enum Compiled {
    /// A syntax tree.
    Tree(Box<Tree>),
    /// One of the few texts that need no tree.
    Native(Native),
    /// It does not compile: every run faults like this.
    Broken(Box<Fault>),
}

struct Tree {
    ast: AST,
    /// Top-level constants, for functions; none when there are none.
    constants: Option<Arc<Constants>>,
}

impl Machine {
    /// Compiles every program. One that does not compile becomes one that always faults.
    pub fn new(programs: &Programs) -> Machine {
        let (engine, deadline) = sandbox::engine();
        let mut interpreter = Interpreter { engine, deadline, scope: Scope::new() };
        let compile = |(_, program): (ProgramId, &Arc<Program>)| {
            (Arc::clone(program), interpreter.compile(program))
        };
        let programs = programs.iter().map(compile).collect();
        Machine { interpreter, programs }
    }

    /// Runs program `id`.
    ///
    /// # Errors
    /// The program's fault: what it threw, what it read in vain, which limit it met, or that it
    /// returned something of the wrong kind.
    pub fn run(&mut self, id: ProgramId, arguments: &Arguments<'_>) -> Result<Answer, Fault> {
        let (program, compiled) = find(&self.programs, id)?;
        let value = match compiled {
            Compiled::Native(native) => native.run(program, arguments)?,
            Compiled::Broken(fault) => return Err((**fault).clone()),
            Compiled::Tree(tree) => {
                let values = bind(program, arguments)?;
                self.interpreter.run(program, tree, values)?
            }
        };
        answer::of(program.form.returns(), &value)
            .map_err(|message| fault::of_program(program, told(program, &message)))
    }

    /// Runs intake policy `id` on the body of a delivery.
    ///
    /// # Errors
    /// As [`Machine::run`]; also when the body holds a number that no decimal can hold.
    pub fn map(
        &mut self,
        id: ProgramId,
        payload: &serde_json::Value,
    ) -> Result<Vec<Record>, Fault> {
        let (program, compiled) = find(&self.programs, id)?;
        let fail = |message: String| fault::of_program(program, message);
        let tree = match compiled {
            Compiled::Tree(tree) if program.form == Form::Policy(crate::policy::Kind::Intake) => {
                tree
            }
            Compiled::Broken(fault) => return Err((**fault).clone()),
            _ => return Err(fail("this is no intake policy".to_owned())),
        };
        let payload = intake::value(payload).map_err(fail)?;
        let rows = self.interpreter.run(program, tree, vec![payload])?;
        intake::records(&rows).map_err(fail)
    }
}

fn find(
    programs: &[(Arc<Program>, Compiled)],
    id: ProgramId,
) -> Result<&(Arc<Program>, Compiled), Fault> {
    programs.get(id.0 as usize).ok_or_else(|| Fault {
        message: format!("there is no program {}", id.0),
        policy: Arc::from(""),
        place: crate::diagnostic::Place::default(),
        bad_value: false,
    })
}

/// Who returned something wrong, before what is wrong about it.
fn told(program: &Program, message: &str) -> String {
    match program.form {
        Form::Policy(kind) => format!("a {} policy must return {message}", kind.name()),
        Form::Expression(_) => format!("this expression must return {message}"),
    }
}

/// The values of the variables that the program sees, in order.
fn bind(program: &Program, arguments: &Arguments<'_>) -> Result<Vec<Dynamic>, Fault> {
    let values = program.form.variables().iter().map(|name| match *name {
        "tx" => Some(Dynamic::from(Arc::clone(arguments.tx))),
        "credit" => arguments.credit.map(|credit| Dynamic::from(Arc::clone(credit))),
        "to" => arguments.to.map(|to| Dynamic::from(Arc::clone(to))),
        "existing" => {
            let credits = arguments.existing.iter().map(|credit| Dynamic::from(Arc::clone(credit)));
            Some(Dynamic::from_array(credits.collect::<Array>()))
        }
        _ => None,
    });
    let names = program.form.variables();
    let values = values.zip(names).map(|(value, name)| {
        value.ok_or_else(|| fault::of_program(program, format!("`{name}` is not known here")))
    });
    values.collect()
}

impl Interpreter {
    fn compile(&mut self, program: &Program) -> Compiled {
        if let Some(native) = Native::of(program) {
            return Compiled::Native(native);
        }
        match self.tree(program) {
            Ok(tree) => Compiled::Tree(Box::new(tree)),
            Err(fault) => Compiled::Broken(Box::new(fault)),
        }
    }

    fn tree(&mut self, program: &Program) -> Result<Tree, Fault> {
        let fail = |message: &str| fault::of_program(program, message);
        if program.source.len() > SOURCE_BYTES_MAX {
            return Err(fail(&format!("more than {SOURCE_BYTES_MAX} bytes (SOURCE_BYTES_MAX)")));
        }
        let engine = &self.engine;
        let parse = || match program.form {
            Form::Policy(_) => engine.compile(&*program.source),
            Form::Expression(_) => engine.compile_expression(&*program.source),
        };
        let ast = match catch_unwind(AssertUnwindSafe(parse)) {
            Ok(Ok(ast)) => ast,
            Ok(Err(error)) => {
                let mut fault = fail(&fault::parse_message(error.err_type()));
                if let Some((line, column)) = fault::line_and_column(error.position()) {
                    fault.place = crate::diagnostic::Place::within(line, column, &program.origin);
                }
                return Err(fault);
            }
            Err(_) => return Err(fail("the text cannot be read")),
        };
        let constants = match program.form {
            Form::Policy(_) => self.constants(program, &ast)?,
            Form::Expression(_) => None,
        };
        Ok(Tree { ast, constants })
    }

    /// Evaluates the top level of a policy once.
    fn constants(&mut self, program: &Program, ast: &AST) -> Result<Option<Arc<Constants>>, Fault> {
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
        let _value =
            self.evaluate(program, ast, |engine, scope| engine.eval_ast_with_scope(scope, ast))?;
        let constants = self.scope.iter_raw();
        let constants =
            constants.map(|(name, _, value)| (name.to_owned(), value.clone())).collect();
        self.scope.clear();
        Ok(Some(Arc::new(constants)))
    }

    fn run(
        &mut self,
        program: &Program,
        tree: &Tree,
        values: Vec<Dynamic>,
    ) -> Result<Dynamic, Fault> {
        self.scope.clear();
        match program.form {
            Form::Expression(_) => {
                for (name, value) in program.form.variables().iter().zip(values) {
                    self.scope.push_dynamic(*name, value);
                }
                self.evaluate(program, &tree.ast, |engine, scope| {
                    engine.eval_ast_with_scope(scope, &tree.ast)
                })
            }
            Form::Policy(kind) => {
                let mut options = CallFnOptions::new().eval_ast(false);
                if let Some(constants) = &tree.constants {
                    options = options.with_tag(Arc::clone(constants));
                }
                self.evaluate(program, &tree.ast, |engine, scope| {
                    engine.call_fn_with_options(options, scope, &tree.ast, kind.entry(), values)
                })
            }
        }
    }

    /// Runs something under the deadline, and turns errors and panics into faults.
    fn evaluate(
        &mut self,
        program: &Program,
        ast: &AST,
        run: impl FnOnce(&Engine, &mut Scope<'static>) -> Result<Dynamic, Box<rhai::EvalAltResult>>,
    ) -> Result<Dynamic, Fault> {
        self.deadline.start();
        let (engine, scope) = (&self.engine, &mut self.scope);
        match catch_unwind(AssertUnwindSafe(|| run(engine, scope))) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(fault::of_run(program, ast, &error)),
            Err(_) => {
                self.scope = Scope::new();
                Err(fault::of_program(program, "the script broke off unexpectedly"))
            }
        }
    }
}
