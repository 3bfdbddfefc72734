//! Runs programs: one machine a worker thread, with every program of a ruleset compiled.
//!
//! Not checking (`check`), though a program that does not compile faults here instead of panicking.
//! Called by the stages and by intake.
//!
//! **Architecture invariant:** a run ends with an [`Answer`] of the kind that its form returns, or
//! with a [`Fault`] that says where; no panic, no partial answer and nothing remembered between
//! two runs.

mod answer;
mod ending;
pub(super) mod intake;
mod interpreter;
mod native;

use std::cell::RefCell;
use std::sync::Arc;

use rhai::{Array, Dynamic};
use rust_decimal::Decimal;

use self::ending::Endings;
use self::interpreter::{Compiled, Interpreter};
use self::native::Native;
use super::coverage::{Covered, Recorder};
use super::{Answer, Arguments, Fault, Rewarded, fault};
use accredit_domain::policy::{Form, Kind, Program, ProgramId, Programs};
use accredit_domain::transaction::Record;

/// All programs of a ruleset, ready to run on one thread.
pub struct Machine {
    interpreter: Interpreter,
    programs: Vec<(Arc<Program>, Compiled)>,
    /// Counts what runs, in a traced machine.
    recorder: Option<Arc<Recorder>>,
    /// Finds where a run ended that faulted without a place, once one has.
    endings: Option<Box<Endings>>,
}

impl Machine {
    /// Compiles every program. One that does not compile becomes one that always faults.
    pub fn new(programs: &Programs) -> Machine {
        Machine::with(programs, Interpreter::new())
    }

    /// The same, slower, and counting the lines and branches that run.
    pub fn traced(programs: &Programs) -> Machine {
        let recorder = Arc::new(Recorder::default());
        let mut machine = Machine::with(programs, Interpreter::traced(&recorder));
        for (program, compiled) in &machine.programs {
            recorder.add(program, compiled.tree());
        }
        machine.recorder = Some(recorder);
        machine
    }

    /// What ran so far, by program; nothing unless the machine is a traced one.
    pub fn covered(&self) -> Vec<Covered> {
        self.recorder.as_ref().map(|recorder| recorder.covered()).unwrap_or_default()
    }

    fn with(programs: &Programs, mut interpreter: Interpreter) -> Machine {
        let compile = |(_, program): (ProgramId, &Arc<Program>)| {
            (Arc::clone(program), interpreter.compile(program))
        };
        let programs = programs.iter().map(compile).collect();
        Machine { interpreter, programs, recorder: None, endings: None }
    }

    /// Runs program `id`.
    ///
    /// # Errors
    /// The program's fault: what it threw, what it read in vain, which limit it met, or that it
    /// returned something of the wrong kind.
    pub fn run(&mut self, id: ProgramId, arguments: &Arguments<'_>) -> Result<Answer, Fault> {
        if let Some(recorder) = &self.recorder {
            recorder.begin(id.0 as usize);
        }
        let answer = self.answer(id, arguments);
        if let Some(recorder) = &self.recorder {
            recorder.end(answer.is_ok());
        }
        answer
    }

    fn answer(&mut self, id: ProgramId, arguments: &Arguments<'_>) -> Result<Answer, Fault> {
        let (program, compiled) = find(&self.programs, id)?;
        let answered = |value: Dynamic| {
            answer::of(program.form.returns(), &value)
                .map_err(|message| fault::of_program(program, told(program, &message)))
        };

        let found = match compiled {
            Compiled::Native(native) => return answered(native.run(program, arguments)?),
            Compiled::Broken(fault) => return Err((**fault).clone()),
            Compiled::Tree(tree) => {
                let values = bind(program, arguments)?;
                self.interpreter.run(program, tree, values).and_then(answered)
            }
        };

        let endings = &mut self.endings;
        found.map_err(|fault| match bind(program, arguments) {
            Ok(values) => placed(endings, (id, program), fault, values),
            Err(_) => fault,
        })
    }

    /// Runs a reward's program: an expression or a reward policy.
    ///
    /// # Errors
    /// As [`Machine::run`].
    pub fn reward(&mut self, id: ProgramId, seen: &Rewarded<'_>) -> Result<Decimal, Fault> {
        if let Some(recorder) = &self.recorder {
            recorder.begin(id.0 as usize);
        }
        let reward = self.worth(id, seen);
        if let Some(recorder) = &self.recorder {
            recorder.end(reward.is_ok());
        }
        reward
    }

    fn worth(&mut self, id: ProgramId, seen: &Rewarded<'_>) -> Result<Decimal, Fault> {
        let (program, compiled) = find(&self.programs, id)?;
        let fail = |message: String| fault::of_program(program, message);

        let answered = |value: Dynamic| match answer::of(program.form.returns(), &value) {
            Ok(Answer::Number(number)) => Ok(number),
            Ok(_) => Err(fail(told(program, "a number"))),
            Err(message) => Err(fail(told(program, &message))),
        };

        let found = match compiled {
            Compiled::Native(Native::Literal(value)) => return answered(value.clone()),
            Compiled::Broken(fault) => return Err((**fault).clone()),
            Compiled::Tree(tree) if program.form.variables() == Kind::Reward.parameters() => {
                self.interpreter.run(program, tree, bind_reward(seen)).and_then(answered)
            }
            _ => return Err(fail("this is no program of a reward".to_owned())),
        };

        let endings = &mut self.endings;
        found.map_err(|fault| placed(endings, (id, program), fault, bind_reward(seen)))
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
        // Coverage counts a run even when it fails.
        if let Some(recorder) = &self.recorder {
            recorder.begin(id.0 as usize);
        }

        let records = self.mapped(id, payload);

        if let Some(recorder) = &self.recorder {
            recorder.end(records.is_ok());
        }

        records
    }

    fn mapped(&mut self, id: ProgramId, payload: &serde_json::Value) -> Result<Vec<Record>, Fault> {
        let (program, compiled) = find(&self.programs, id)?;
        let fail = |message: String| fault::of_program(program, message);
        let tree = match compiled {
            Compiled::Tree(tree) if program.form == Form::Policy(Kind::Intake) => tree,
            Compiled::Broken(fault) => return Err((**fault).clone()),
            _ => return Err(fail("this is no intake policy".to_owned())),
        };
        let body = intake::value(payload).map_err(fail)?;
        let rows = self.interpreter.run(program, tree, vec![body]);
        let found = rows.and_then(|rows| intake::records(&rows).map_err(fail));

        let endings = &mut self.endings;
        found.map_err(|fault| match intake::value(payload) {
            Ok(body) => placed(endings, (id, program), fault, vec![body]),
            Err(_) => fault,
        })
    }
}

/// The fault at the place where the run ended.
fn placed(
    endings: &mut Option<Box<Endings>>,
    policy: (ProgramId, &Program),
    fault: Fault,
    values: Vec<Dynamic>,
) -> Fault {
    let endings = endings.get_or_insert_with(|| Box::new(Endings::new()));
    endings.placed(policy, fault, values)
}

thread_local! {
    /// What tries whether programs compile: a check may meet thousands of them.
    static COMPILING: RefCell<Interpreter> = RefCell::new(Interpreter::new());
}

/// Why `program` would fault whenever it is run, if it does not compile.
pub(super) fn compile_fault(program: &Program) -> Option<Fault> {
    let compiled = COMPILING.with_borrow_mut(|interpreter| interpreter.compile(program));
    match compiled {
        Compiled::Broken(fault) => Some(*fault),
        Compiled::Tree(_) | Compiled::Native(_) => None,
    }
}

fn find(
    programs: &[(Arc<Program>, Compiled)],
    id: ProgramId,
) -> Result<&(Arc<Program>, Compiled), Fault> {
    programs.get(id.0 as usize).ok_or_else(|| Fault {
        message: format!("there is no program {}", id.0),
        policy: Arc::from(""),
        place: accredit_domain::diagnostic::Place::default(),
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

/// The values of the variables that a reward's program sees, in order.
pub(super) fn bind_reward(seen: &Rewarded<'_>) -> Vec<Dynamic> {
    let quota = seen.quota.map_or(Dynamic::UNIT, Dynamic::from);
    let (payee, totals) = (Arc::clone(seen.payee), Arc::clone(seen.totals));
    vec![Dynamic::from(payee), Dynamic::from(totals), quota]
}

/// The values of the variables that the program sees, in order.
pub(super) fn bind(program: &Program, arguments: &Arguments<'_>) -> Result<Vec<Dynamic>, Fault> {
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
