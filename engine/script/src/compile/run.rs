//! Runs compiled programs.
//!
//! Not saying what is wrong: whatever goes wrong here, or comes near a limit, is left to the
//! interpreter, which runs the same program from its beginning and says what and where. Called by
//! `machine`.
//!
//! **Architecture invariant:** a run that answers did nothing that the interpreter would refuse: its
//! limits are a fraction of those of the interpreter, and each function is that of the table.

mod changes;
mod flags;
mod inputs;
mod items;
mod limits;
mod loops;
mod reads;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use self::inputs::RunInputs;
pub(super) use self::limits::is_bounded;
use super::node::{CompiledCode, Node};
use super::{LEVELS_MAX, NotCompiled, STEPS_MAX};
use crate::api::ScriptFunction;
use crate::value::{Outcome, ScriptValue};
use crate::{ScriptArguments, Share};
use accredit_domain::transaction::Transaction;

/// Why a part of a program has no value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// It is for the interpreter to say what happens.
    Undecided,
    /// `return`, whose value is kept in the run.
    Return,
    /// `break`.
    Break,
    /// `continue`.
    Continue,
    /// A chain ends at `?.`.
    EndOfChain,
}

type Computed<T = ScriptValue> = Result<T, Exit>;

/// What a program came to.
#[derive(Debug)]
pub(crate) enum RunResult {
    /// A value, of which an answer is made.
    Value(ScriptValue),
    /// Shares, which are the answer.
    Shares(Vec<Share>),
}

/// Lets the interpreter run a function of the script with these arguments; none where it cannot, or has
/// worked too much: then it runs the whole program.
pub(crate) type CallInterpreter<'c> = dyn FnMut(&str, Vec<ScriptValue>) -> Option<ScriptValue> + 'c;

/// The values of a run; kept between runs for its memory alone.
#[derive(Debug, Default)]
pub(crate) struct RunStack {
    values: Vec<ScriptValue>,
}

impl CompiledCode {
    /// What the program comes to; none when the interpreter has to run all of it.
    pub(crate) fn run(
        &mut self,
        stack: &mut RunStack,
        inputs: RunInputs<'_>,
        call_interpreter: &mut CallInterpreter<'_>,
    ) -> Option<RunResult> {
        let deal = inputs.deal();
        if let Some(deal) = deal {
            self.cells.follow(deal.tx);
        }
        let stack = &mut stack.values;
        stack.clear();
        // Most programs read fields of what they are given, and have no values of their own.
        let is_plain = inputs.has_plain(self.plain);
        if !is_plain {
            inputs.bind(&self.inputs, stack)?;
        }

        let mut run = Run {
            code: self,
            deal,
            tx: deal.map(|deal| &**deal.tx),
            stack,
            call_interpreter,
            base: 0,
            steps: 0,
            levels: 0,
            returned: ScriptValue::Unit,
            shares: None,
        };
        let value = run.enter_first(is_plain);
        let shares = run.shares.take();
        stack.clear();

        match (value, shares) {
            (Ok(_), Some(shares)) => Some(RunResult::Shares(shares)),
            (Ok(value), None) => Some(RunResult::Value(value)),
            (Err(_), _) => None,
        }
    }

    /// Why functions that it calls are left to the interpreter.
    pub(crate) fn refused(&self) -> &[NotCompiled] {
        &self.refused
    }

    /// Whether it may read tables, people or periods.
    pub(crate) fn reads_surroundings(&self) -> bool {
        self.reads_surroundings
    }
}

/// One run.
struct Run<'a, 'c> {
    code: &'a CompiledCode,
    /// What the host gave; none where that are values alone.
    deal: Option<&'a ScriptArguments<'a>>,
    /// The deal alone.
    tx: Option<&'a Transaction>,
    stack: &'a mut Vec<ScriptValue>,
    call_interpreter: &'a mut CallInterpreter<'c>,
    /// Where the values of the running function begin.
    base: usize,
    /// Nodes of functions and rounds that were begun.
    steps: u32,
    levels: u32,
    /// The value of the `return` that was met.
    returned: ScriptValue,
    /// The answer, where it is shares.
    shares: Option<Vec<Share>>,
}

impl<'a> Run<'a, '_> {
    /// Runs the entry point, whose arguments are all values of the stack; a plain one has none there.
    fn enter_first(&mut self, is_plain: bool) -> Computed {
        let function = self.code.functions.first().ok_or(Exit::Undecided)?;
        if !is_plain {
            if self.stack.len() != function.parameters {
                return Err(Exit::Undecided);
            }
            self.stack.resize(function.slots, ScriptValue::Unit);
        }

        self.count(function.weight)?;
        self.levels = 1;
        self.block_of_function(&function.body)
    }

    fn block_of_function(&mut self, body: &'a [Node]) -> Computed {
        match self.block(body) {
            Err(Exit::Return) => Ok(std::mem::replace(&mut self.returned, ScriptValue::Unit)),
            other => other,
        }
    }

    /// Runs the function at `place`, whose arguments are the last values of the stack.
    fn enter(&mut self, place: usize) -> Computed {
        let function = self.code.functions.get(place).ok_or(Exit::Undecided)?;
        self.count(function.weight)?;

        let outer = self.base;
        let base = self.stack.len().checked_sub(function.parameters).ok_or(Exit::Undecided)?;
        if let Some(name) = &function.interpreted {
            let arguments = self.stack.split_off(base);
            let value = (self.call_interpreter)(name, arguments).ok_or(Exit::Undecided)?;
            return bounded(value);
        }
        self.base = base;
        self.levels += 1;
        self.stack.resize(base + function.slots, ScriptValue::Unit);

        let value = self.block_of_function(&function.body);

        self.stack.truncate(base);
        self.base = outer;
        self.levels -= 1;
        value
    }

    /// Counts what is about to run.
    fn count(&mut self, weight: u32) -> Computed<()> {
        self.steps = self.steps.saturating_add(weight).saturating_add(1);
        if self.steps > STEPS_MAX || self.levels >= LEVELS_MAX {
            return Err(Exit::Undecided);
        }
        Ok(())
    }

    /// Runs statements; the value of the last one is that of the block.
    fn block(&mut self, body: &'a [Node]) -> Computed {
        let Some((last, before)) = body.split_last() else { return Ok(ScriptValue::Unit) };
        for node in before {
            self.execute(node)?;
        }
        self.value(last)
    }

    /// Runs statements whose values nobody reads.
    fn execute_all(&mut self, body: &'a [Node]) -> Computed<()> {
        body.iter().try_for_each(|node| self.execute(node))
    }

    fn execute(&mut self, node: &'a Node) -> Computed<()> {
        match node {
            Node::If(condition, then, other) => {
                let branch = if self.flag(condition)? { then } else { other };
                self.execute_all(branch)
            }
            Node::Block(body) => self.execute_all(body),
            Node::CellReadable(cell) => self.check_cell(*cell),
            Node::Set(slot, value) => {
                let value = self.value(value)?;
                *self.slot_mut(*slot)? = value;
                Ok(())
            }
            Node::Return(value) => {
                if let Some(value) = value {
                    self.returned = self.value(value)?;
                }
                Err(Exit::Return)
            }
            Node::Break => Err(Exit::Break),
            Node::Continue => Err(Exit::Continue),
            Node::Throw => Err(Exit::Undecided),
            other => self.value(other).map(drop),
        }
    }

    fn slot(&self, slot: usize) -> Computed<&ScriptValue> {
        self.stack.get(self.base + slot).ok_or(Exit::Undecided)
    }

    fn slot_mut(&mut self, slot: usize) -> Computed<&mut ScriptValue> {
        self.stack.get_mut(self.base + slot).ok_or(Exit::Undecided)
    }

    /// Gives a node's value to `read`, without a copy where it exists already.
    fn with<T>(
        &mut self,
        node: &'a Node,
        read: impl FnOnce(&ScriptValue) -> Outcome<T>,
    ) -> Computed<T> {
        match node {
            Node::Slot(slot) => decided(read(self.slot(*slot)?)),
            Node::Constant(value) => decided(read(value)),
            other => decided(read(&self.value(other)?)),
        }
    }

    fn value(&mut self, node: &'a Node) -> Computed {
        match node {
            Node::Constant(value) => Ok(value.clone()),
            Node::Slot(slot) => self.slot(*slot).cloned(),
            Node::LastUse(slot) => Ok(std::mem::replace(self.slot_mut(*slot)?, ScriptValue::Unit)),
            Node::Cell(cell) => self.cell(*cell),
            Node::CreditAmount | Node::ReceiverLevel | Node::InputField(..) => {
                self.input_field(node)
            }

            Node::Compare(..)
            | Node::CompareCell(..)
            | Node::CompareAmount(..)
            | Node::CompareLevel(..)
            | Node::CellThere(_)
            | Node::IsEmpty(..)
            | Node::Contains(..)
            | Node::Not(_)
            | Node::And(_)
            | Node::Or(_) => self.flag(node).map(ScriptValue::Bool),

            Node::Calculate(calculation, sides) => self.calculate(*calculation, sides),
            Node::Call(function, arguments) => self.call(function, arguments),
            Node::Field(..)
            | Node::Column(..)
            | Node::Item(_)
            | Node::There(_)
            | Node::Chain(_) => self.link(node),

            Node::Text(parts) => self.text(parts),
            Node::Array(items) => {
                let items: Vec<ScriptValue> =
                    items.iter().map(|item| self.value(item)).collect::<Computed<_>>()?;
                bounded(ScriptValue::Array(items))
            }
            Node::Map(entries) => self.map(entries),
            Node::Coalesce(terms) => self.coalesce(terms),
            Node::Own(place, arguments) => self.call_own(*place, arguments),
            Node::EachItem(function, items, each) => self.each_item(*function, items, *each),

            Node::Block(body) => self.block(body),
            Node::If(condition, then, other) => {
                let branch = if self.flag(condition)? { then } else { other };
                self.block(branch)
            }
            Node::Switch(switch) => self.switch(switch),

            Node::Change(slot, operator, value) => self.change(*slot, operator, value),
            Node::ChangeItem(change) => self.change_item(change),
            Node::Push(slot, item) => self.push(*slot, item),

            Node::While(condition, body, weight) => {
                self.while_loop(condition.as_deref(), body, *weight)
            }
            Node::Do(condition, ends_with, body, weight) => {
                self.do_loop((condition, *ends_with), body, *weight)
            }
            Node::For(parts) => self.for_loop(parts),
            Node::Shares(shares) => self.answer_shares(shares),
            Node::CellReadable(_)
            | Node::Set(..)
            | Node::Return(_)
            | Node::Break
            | Node::Continue
            | Node::Throw => self.execute(node).map(|()| ScriptValue::Unit),
        }
    }

    /// Calls a function of the script: its arguments become the last values of the stack.
    fn call_own(&mut self, place: usize, arguments: &'a [Node]) -> Computed {
        for argument in arguments {
            let value = self.value(argument)?;
            self.stack.push(value);
        }
        self.enter(place)
    }

    fn map(&mut self, entries: &'a [(Arc<str>, Node)]) -> Computed {
        let mut map: BTreeMap<Arc<str>, ScriptValue> = BTreeMap::new();
        for (key, value) in entries {
            let value = self.value(value)?;
            map.insert(Arc::clone(key), value);
        }
        bounded(ScriptValue::Map(map))
    }

    /// The first term that is not nothing.
    fn coalesce(&mut self, terms: &'a [Node]) -> Computed {
        for term in terms {
            let value = self.value(term)?;
            if !value.is_unit() {
                return Ok(value);
            }
        }
        Ok(ScriptValue::Unit)
    }

    fn call(&mut self, function: &'static ScriptFunction, arguments: &'a [Node]) -> Computed {
        let call = function.call;
        let value = match arguments {
            [x] => self.with(x, |x| call(std::slice::from_ref(x)))?,
            [x, y] => {
                let pair = [self.value(x)?, self.value(y)?];
                decided(call(&pair))?
            }
            more => {
                let values: Vec<ScriptValue> =
                    more.iter().map(|value| self.value(value)).collect::<Computed<_>>()?;
                decided(call(&values))?
            }
        };
        bounded(value)
    }

    fn text(&mut self, parts: &'a [Node]) -> Computed {
        let mut text = String::new();
        for part in parts {
            let value = self.value(part)?;
            text.push_str(&value.to_text().ok_or(Exit::Undecided)?);
        }
        bounded(ScriptValue::from(text))
    }
}

/// The value of a function of the table; its errors are for the interpreter to report.
fn decided<T>(outcome: Outcome<T>) -> Computed<T> {
    outcome.map_err(|_| Exit::Undecided)
}

/// The value, if it is far from the limits of the interpreter.
fn bounded(value: ScriptValue) -> Computed {
    if is_bounded(&value) { Ok(value) } else { Err(Exit::Undecided) }
}
