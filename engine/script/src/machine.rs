//! Runs programs: one machine a worker thread, with every program of a ruleset compiled.
//!
//! Not checking (`check`), though a program that does not compile faults here instead of panicking.
//! Called by the stages and by intake.
//!
//! **Architecture invariant:** a run ends with an [`ScriptAnswer`] of the kind that its form
//! returns, or with a [`ScriptFault`] that says where; no panic, no partial answer and nothing
//! remembered between two runs.

pub(super) mod adapter;
mod answer;
mod ending;
pub(super) mod intake;
pub(super) mod interpreter;
mod native;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use rust_decimal::Decimal;

use self::ending::Endings;
use self::interpreter::{CompiledProgram, Interpreter};
use self::native::NativeExpression;
use super::compile::{NotCompiled, RunInputs, RunResult, RunStack};
use super::coverage::{CoverageRecorder, ProgramCoverage};
use super::runs::RunTimer;
use super::value::ScriptValue;
use super::{PayeeView, RewardArguments, ScriptAnswer, ScriptArguments, ScriptFault, fault, runs};
use accredit_domain::diagnostic::Place;
use accredit_domain::policy::{PolicyKind, Program, ProgramForm, ProgramId, Programs};
use accredit_domain::transaction::Record;

/// All programs of a ruleset, ready to run on one thread.
pub struct Machine {
    interpreter: Interpreter,
    programs: Vec<(Arc<Program>, CompiledProgram)>,
    /// The values of compiled runs.
    stack: RunStack,
    /// Counts what runs, in a traced machine.
    recorder: Option<Arc<CoverageRecorder>>,
    /// Finds where a run ended that faulted without a place, once one has.
    endings: Option<Box<Endings>>,
    timer: RunTimer,
}

impl Machine {
    /// Compiles every program. One that does not compile becomes one that always faults.
    pub fn new(programs: &Programs) -> Machine {
        Machine::with_interpreter(programs, Interpreter::new())
    }

    /// The same, slower, and counting the lines and branches that run.
    pub fn with_coverage(programs: &Programs) -> Machine {
        let recorder = Arc::new(CoverageRecorder::default());
        let mut machine =
            Machine::with_interpreter(programs, Interpreter::with_recorder(&recorder));
        for (program, compiled) in &machine.programs {
            recorder.add_program(program, compiled.syntax_tree());
        }
        machine.recorder = Some(recorder);
        machine
    }

    /// What ran so far, by program; nothing unless the machine is a traced one.
    pub fn collect_coverage(&self) -> Vec<ProgramCoverage> {
        self.recorder.as_ref().map(|recorder| recorder.collect_coverage()).unwrap_or_default()
    }

    /// Adds its runs to those of the process.
    pub(crate) fn hand_in_counts(&mut self) {
        let counts = self.programs.iter_mut().filter_map(|(program, compiled)| match compiled {
            CompiledProgram::Tree(tree) => Some((program.form, std::mem::take(&mut tree.counts))),
            CompiledProgram::Native(_) | CompiledProgram::Broken(_) => None,
        });
        runs::add_runs(counts);
        runs::add_limit_hits(self.interpreter.take_limit_hits());
        self.timer.hand_in();
    }

    /// A timed run of this program ended. Texts that need no compiler are not counted.
    fn end_time(&mut self, id: ProgramId, begun: Option<Instant>) {
        let Some(begun) = begun else { return };
        if let Some((program, CompiledProgram::Tree(_))) = self.programs.get(id.0 as usize) {
            self.timer.end(program.form, begun);
        }
    }

    fn with_interpreter(programs: &Programs, mut interpreter: Interpreter) -> Machine {
        let compile = |(_, program): (ProgramId, &Arc<Program>)| {
            (Arc::clone(program), interpreter.compile_program(program))
        };
        let programs = programs.iter().map(compile).collect();
        let (stack, timer) = (RunStack::default(), RunTimer::default());
        Machine { interpreter, programs, stack, recorder: None, endings: None, timer }
    }

    /// Runs program `id`.
    ///
    /// # Errors
    /// The program's fault: what it threw, what it read in vain, which limit it met, or that it
    /// returned something of the wrong kind.
    pub fn run(
        &mut self,
        id: ProgramId,
        arguments: &ScriptArguments<'_>,
    ) -> Result<ScriptAnswer, ScriptFault> {
        let Some(recorder) = self.recorder.clone() else {
            let begun = self.timer.begin();
            let answer = self.run_uncounted(id, arguments);
            self.end_time(id, begun);
            return answer;
        };

        recorder.begin_run(id.0 as usize);
        let answer = self.run_uncounted(id, arguments);
        recorder.end_run(answer.is_ok());
        answer
    }

    fn run_uncounted(
        &mut self,
        id: ProgramId,
        arguments: &ScriptArguments<'_>,
    ) -> Result<ScriptAnswer, ScriptFault> {
        let (program, compiled) = find_program(&mut self.programs, id)?;
        let answered = |value: ScriptValue| {
            answer::answer_from_value(program.form.return_type(), value).map_err(|message| {
                fault::of_program(program, wrong_answer_message(program, &message))
            })
        };

        let tree = match compiled {
            CompiledProgram::Native(native) => return answered(native.run(program, arguments)?),
            CompiledProgram::Broken(fault) => return Err((**fault).clone()),
            CompiledProgram::Tree(tree) => tree,
        };

        // A traced machine counts what the interpreter does.
        if self.recorder.is_none() {
            let _surroundings = tree.reads_surroundings().then(|| arguments.open_surroundings());
            let runner = (program, &mut self.interpreter);
            let answer =
                match tree.run_compiled(runner, &mut self.stack, RunInputs::Deal(arguments)) {
                    Some(RunResult::Shares(shares)) => Some(ScriptAnswer::Shares(shares)),
                    Some(RunResult::Value(value)) => {
                        let plain = answer::plain_answer(program.form.return_type(), &value);
                        plain.or_else(|| answered(value).ok())
                    }
                    None => None,
                };
            if let Some(answer) = answer {
                tree.count_compiled();
                return Ok(answer);
            }
        }

        tree.count_interpreted();
        let _surroundings = arguments.open_surroundings();
        let values = bind_first(program, arguments, tree.parameters())?;
        let found = self.interpreter.run_tree(program, tree, values).and_then(answered);

        let endings = &mut self.endings;
        found.map_err(|fault| match bind_arguments(program, arguments) {
            Ok(values) => placed(endings, (id, program), fault, values),
            Err(_) => fault,
        })
    }

    /// Runs a reward's program: an expression or a reward policy.
    ///
    /// # Errors
    /// As [`Machine::run`].
    pub fn run_reward(
        &mut self,
        id: ProgramId,
        seen: &RewardArguments<'_>,
    ) -> Result<Decimal, ScriptFault> {
        let _surroundings = seen.open_surroundings();
        self.run_number(id, PolicyKind::Reward, &|| bind_reward(seen))
    }

    /// Runs a program that gives a number for a payee in the period called `period`: a quota, or the
    /// amount of a draw.
    ///
    /// # Errors
    /// As [`Machine::run`].
    pub fn run_for_payee(
        &mut self,
        id: ProgramId,
        payee: &Arc<PayeeView>,
        period: &str,
    ) -> Result<Decimal, ScriptFault> {
        let _surroundings = payee.open_surroundings();
        let period: Arc<str> = Arc::from(period);
        let bind =
            || vec![ScriptValue::Payee(Arc::clone(payee)), ScriptValue::Text(Arc::clone(&period))];
        self.run_number(id, PolicyKind::Quota, &bind)
    }

    /// Runs a program that sees what policies of `kind` see and returns a number.
    fn run_number(
        &mut self,
        id: ProgramId,
        kind: PolicyKind,
        bind: &dyn Fn() -> Vec<ScriptValue>,
    ) -> Result<Decimal, ScriptFault> {
        if let Some(recorder) = &self.recorder {
            recorder.begin_run(id.0 as usize);
        }
        let begun = self.timer.begin();
        let number = self.run_number_uncounted(id, kind, bind);
        self.end_time(id, begun);
        if let Some(recorder) = &self.recorder {
            recorder.end_run(number.is_ok());
        }
        number
    }

    fn run_number_uncounted(
        &mut self,
        id: ProgramId,
        kind: PolicyKind,
        bind: &dyn Fn() -> Vec<ScriptValue>,
    ) -> Result<Decimal, ScriptFault> {
        let (program, compiled) = find_program(&mut self.programs, id)?;
        let fail = |message: String| fault::of_program(program, message);

        let answered =
            |value: ScriptValue| match answer::answer_from_value(program.form.return_type(), value)
            {
                Ok(ScriptAnswer::Number(number)) => Ok(number),
                Ok(_) => Err(fail(wrong_answer_message(program, "a number"))),
                Err(message) => Err(fail(wrong_answer_message(program, &message))),
            };

        let found = match compiled {
            CompiledProgram::Native(NativeExpression::Literal(value)) => {
                return answered(value.clone());
            }
            CompiledProgram::Broken(fault) => return Err((**fault).clone()),
            CompiledProgram::Tree(tree) if program.form.scope_variables() == kind.parameters() => {
                let values = bind();
                let (runner, inputs) =
                    ((program, &mut self.interpreter), RunInputs::Values(&values));
                let value = match &self.recorder {
                    None => tree.run_compiled(runner, &mut self.stack, inputs),
                    Some(_) => None,
                };
                if let Some(RunResult::Value(value)) = value
                    && let Ok(number) = answered(value)
                {
                    tree.count_compiled();
                    return Ok(number);
                }
                tree.count_interpreted();
                self.interpreter.run_tree(program, tree, values).and_then(answered)
            }
            _ => return Err(fail(format!("this is not a {} program", kind.as_str()))),
        };

        let endings = &mut self.endings;
        found.map_err(|fault| placed(endings, (id, program), fault, bind()))
    }

    /// Runs intake policy `id` on the body of a delivery.
    ///
    /// # Errors
    /// As [`Machine::run`]; also when the body holds a number that no decimal can hold.
    pub fn run_intake(
        &mut self,
        id: ProgramId,
        payload: &serde_json::Value,
    ) -> Result<Vec<Record>, ScriptFault> {
        // Coverage counts a run even when it fails.
        if let Some(recorder) = &self.recorder {
            recorder.begin_run(id.0 as usize);
        }

        let begun = self.timer.begin();
        let records = self.run_intake_uncounted(id, payload);
        self.end_time(id, begun);
        self.hand_in_counts();

        if let Some(recorder) = &self.recorder {
            recorder.end_run(records.is_ok());
        }

        records
    }

    fn run_intake_uncounted(
        &mut self,
        id: ProgramId,
        payload: &serde_json::Value,
    ) -> Result<Vec<Record>, ScriptFault> {
        let (program, compiled) = find_program(&mut self.programs, id)?;
        let fail = |message: String| fault::of_program(program, message);
        let tree = match compiled {
            CompiledProgram::Tree(tree)
                if program.form == ProgramForm::Policy(PolicyKind::Intake) =>
            {
                tree
            }
            CompiledProgram::Broken(fault) => return Err((**fault).clone()),
            _ => return Err(fail("this is not an intake policy".to_owned())),
        };
        let body = vec![intake::value_from_json(payload).map_err(fail)?];

        let (runner, inputs) = ((program, &mut self.interpreter), RunInputs::Values(&body));
        let rows = match &self.recorder {
            None => tree.run_compiled(runner, &mut self.stack, inputs),
            Some(_) => None,
        };
        if let Some(RunResult::Value(rows)) = rows
            && let Ok(records) = intake::records_from_value(&rows)
        {
            tree.count_compiled();
            return Ok(records);
        }

        tree.count_interpreted();
        let rows = self.interpreter.run_tree(program, tree, body);
        let found = rows.and_then(|rows| intake::records_from_value(&rows).map_err(fail));

        let endings = &mut self.endings;
        found.map_err(|fault| match intake::value_from_json(payload) {
            Ok(body) => placed(endings, (id, program), fault, vec![body]),
            Err(_) => fault,
        })
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.hand_in_counts();
    }
}

/// The fault at the place where the run ended.
fn placed(
    endings: &mut Option<Box<Endings>>,
    policy: (ProgramId, &Program),
    fault: ScriptFault,
    values: Vec<ScriptValue>,
) -> ScriptFault {
    let endings = endings.get_or_insert_with(|| Box::new(Endings::new()));
    endings.placed(policy, fault, values)
}

thread_local! {
    /// What tries whether programs compile: a check may meet thousands of them.
    static COMPILING: RefCell<Interpreter> = RefCell::new(Interpreter::new());
}

/// Why `program` would fault whenever it is run, if it does not compile.
pub(super) fn compile_fault(program: &Program) -> Option<ScriptFault> {
    let compiled = COMPILING.with_borrow_mut(|interpreter| interpreter.compile_program(program));
    match compiled {
        CompiledProgram::Broken(fault) => Some(*fault),
        CompiledProgram::Tree(_) | CompiledProgram::Native(_) => None,
    }
}

/// What keeps a function of a program from being compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// The function; blank for an expression.
    pub function: String,
    /// What only the interpreter knows, in words of the author.
    pub reason: String,
    /// Where it is in the author's file; the beginning of the program where that is not known.
    pub place: Place,
}

/// What keeps `program` from being compiled, by function; nothing when it is compiled or needs no
/// compiler.
pub fn find_fallbacks(program: &Program) -> Vec<Fallback> {
    let compiled = COMPILING.with_borrow_mut(|interpreter| interpreter.compile_program(program));
    let CompiledProgram::Tree(tree) = compiled else { return Vec::new() };

    let fallback = |refused: &NotCompiled| Fallback {
        function: refused.function.clone(),
        reason: refused.what.clone(),
        place: match refused.at {
            Some((line, column)) => program.origin.place_at(line, column),
            None => program.origin.place.clone(),
        },
    };
    tree.not_compiled().iter().map(fallback).collect()
}

/// Whether the entry point of `program` is compiled.
#[cfg(test)]
pub(crate) fn has_compiled_entry(program: &Program) -> bool {
    let compiled = COMPILING.with_borrow_mut(|interpreter| interpreter.compile_program(program));
    matches!(compiled, CompiledProgram::Tree(tree) if tree.has_compiled_entry())
}

fn find_program(
    programs: &mut [(Arc<Program>, CompiledProgram)],
    id: ProgramId,
) -> Result<(&Program, &mut CompiledProgram), ScriptFault> {
    match programs.get_mut(id.0 as usize) {
        Some((program, compiled)) => Ok((program, compiled)),
        None => Err(ScriptFault {
            message: format!("there is no program {}", id.0),
            policy: Arc::from(""),
            place: Place::default(),
            bad_value: false,
        }),
    }
}

/// Who returned something wrong, before what is wrong about it.
fn wrong_answer_message(program: &Program, message: &str) -> String {
    match program.form {
        ProgramForm::Policy(kind) => format!("a {} policy must return {message}", kind.as_str()),
        ProgramForm::Expression(_) => format!("this expression must return {message}"),
    }
}

/// The values of the variables that a reward's program sees, in order.
pub(super) fn bind_reward(seen: &RewardArguments<'_>) -> Vec<ScriptValue> {
    let quota = seen.quota.map_or(ScriptValue::Unit, ScriptValue::Number);
    let (payee, totals) = (Arc::clone(seen.payee), Arc::clone(seen.totals));
    vec![
        ScriptValue::Payee(payee),
        ScriptValue::Totals(totals),
        quota,
        ScriptValue::Earned(Arc::clone(seen.earned)),
        ScriptValue::Earned(Arc::clone(seen.paid)),
        ScriptValue::Standing(Arc::clone(seen.standing)),
    ]
}

/// The values of the variables that the program sees, in order.
pub(super) fn bind_arguments(
    program: &Program,
    arguments: &ScriptArguments<'_>,
) -> Result<Vec<ScriptValue>, ScriptFault> {
    bind_first(program, arguments, usize::MAX)
}

/// The values of the first `count` variables that the program sees: a policy may leave out the last
/// ones, and `existing` is a copy of all credits of the deal.
fn bind_first(
    program: &Program,
    arguments: &ScriptArguments<'_>,
    count: usize,
) -> Result<Vec<ScriptValue>, ScriptFault> {
    let values = program.form.scope_variables().iter().take(count).map(|name| match *name {
        "tx" => Some(ScriptValue::Transaction(Arc::clone(arguments.tx))),
        "credit" => arguments.credit.map(|credit| ScriptValue::Credit(Arc::new(credit.clone()))),
        "to" => arguments.to.map(|to| ScriptValue::Receiver(Arc::new(*to))),
        "existing" => Some(arguments.existing.to_value()),
        _ => None,
    });

    let names = program.form.scope_variables();
    let values = values.zip(names).map(|(value, name)| {
        value.ok_or_else(|| fault::of_program(program, format!("`{name}` is not known here")))
    });

    values.collect()
}
