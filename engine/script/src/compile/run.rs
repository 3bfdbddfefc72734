//! Runs compiled programs.
//!
//! Not saying what is wrong: whatever goes wrong here, or comes near a limit, is left to the
//! interpreter, which runs the same program from its beginning and says what and where. Called by
//! `machine`.
//!
//! **Architecture invariant:** a run that answers did nothing that the interpreter would refuse: its
//! limits are a fraction of those of the interpreter, and each function is that of the table.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::node::{Comparison, CompiledCode, ForLoop, ItemFunction, Node};
use super::{ITEMS_MAX, LEVELS_MAX, STEPS_MAX, TEXT_BYTES_MAX};
use crate::api::ScriptFunction;
use crate::api::callbacks::{passes, sort_keys, sum_parts};
use crate::api::fields::{read_column, read_field};
use crate::value::{Outcome, ScriptValue, compare_values, values_equal};

/// Why a part of a program has no value.
enum Exit {
    /// It is for the interpreter to say what happens.
    Undecided,
    /// `return`.
    Return(ScriptValue),
    /// `break`.
    Break,
    /// `continue`.
    Continue,
}

type Computed<T = ScriptValue> = Result<T, Exit>;

/// The values of a run; kept between runs for its memory alone.
#[derive(Debug, Default)]
pub(crate) struct RunStack {
    values: Vec<ScriptValue>,
}

impl CompiledCode {
    /// The value of the program for `arguments`; none when the interpreter has to run it.
    pub(crate) fn run(
        &self,
        stack: &mut RunStack,
        arguments: impl IntoIterator<Item = ScriptValue>,
    ) -> Option<ScriptValue> {
        let entry = self.functions.first()?;
        stack.values.clear();
        stack.values.extend(arguments.into_iter().take(entry.parameters));
        if stack.values.len() != entry.parameters || !stack.values.iter().all(is_bounded) {
            return None;
        }

        let mut run = Run { code: self, stack: &mut stack.values, base: 0, steps: 0, levels: 0 };
        let value = run.enter(0);
        stack.values.clear();
        value.ok()
    }
}

/// One run.
struct Run<'a> {
    code: &'a CompiledCode,
    stack: &'a mut Vec<ScriptValue>,
    /// Where the values of the running function begin.
    base: usize,
    /// Nodes of functions and rounds that were begun.
    steps: u32,
    levels: u32,
}

impl<'a> Run<'a> {
    /// Runs the function at `place`, whose arguments are the last values of the stack.
    fn enter(&mut self, place: usize) -> Computed {
        let function = self.code.functions.get(place).ok_or(Exit::Undecided)?;
        self.count(function.weight)?;

        let outer = self.base;
        let base = self.stack.len().checked_sub(function.parameters).ok_or(Exit::Undecided)?;
        self.base = base;
        self.levels += 1;
        self.stack.resize(base + function.slots, ScriptValue::Unit);

        let value = match self.block(&function.body) {
            Err(Exit::Return(value)) => Ok(value),
            other => other,
        };

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

    fn block(&mut self, body: &'a [Node]) -> Computed {
        let Some((last, before)) = body.split_last() else { return Ok(ScriptValue::Unit) };
        for node in before {
            self.value(node)?;
        }
        self.value(last)
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

    fn flag(&mut self, node: &'a Node) -> Computed<bool> {
        match self.value(node)? {
            ScriptValue::Bool(flag) => Ok(flag),
            _ => Err(Exit::Undecided),
        }
    }

    fn value(&mut self, node: &'a Node) -> Computed {
        match node {
            Node::Constant(value) => Ok(value.clone()),
            Node::Slot(slot) => self.slot(*slot).cloned(),
            Node::Compare(comparison, sides) => self.compare(*comparison, sides).map(Into::into),
            Node::Call(function, arguments) => self.call(function, arguments),
            Node::Field(of, name) => self.with(of, |of| field_value(of, name)).and_then(bounded),
            Node::Column(of, name) => self.with(of, |of| column_value(of, name)).and_then(bounded),
            Node::Item(parts) => {
                let [of, index] = &**parts;
                let index = self.value(index)?;
                self.with(of, |of| item_value(of, &index)).and_then(bounded)
            }

            Node::Text(parts) => self.text(parts),
            Node::Array(items) => {
                let items: Vec<ScriptValue> =
                    items.iter().map(|item| self.value(item)).collect::<Computed<_>>()?;
                bounded(ScriptValue::Array(items))
            }
            Node::Map(entries) => self.map(entries),

            Node::And(terms) => self.first_is(terms, false),
            Node::Or(terms) => self.first_is(terms, true),
            Node::Own(place, arguments) => self.call_own(*place, arguments),
            Node::EachItem(function, items, each) => self.each_item(*function, items, *each),
            Node::Block(body) => self.block(body),
            Node::If(condition, then, other) => {
                let branch = if self.flag(condition)? { then } else { other };
                self.block(branch)
            }

            Node::Set(slot, value) => {
                let value = self.value(value)?;
                *self.slot_mut(*slot)? = value;
                Ok(ScriptValue::Unit)
            }
            Node::Change(slot, operator, value) => {
                let value = self.value(value)?;
                let before = self.slot(*slot)?.clone();
                let after = bounded(decided((operator.call)(&[before, value]))?)?;
                *self.slot_mut(*slot)? = after;
                Ok(ScriptValue::Unit)
            }
            Node::Push(slot, item) => self.push(*slot, item),

            Node::While(condition, body, weight) => {
                self.while_loop(condition.as_deref(), body, *weight)
            }
            Node::For(parts) => self.for_loop(parts),
            Node::Return(value) => Err(Exit::Return(match value {
                Some(value) => self.value(value)?,
                None => ScriptValue::Unit,
            })),
            Node::Break => Err(Exit::Break),
            Node::Continue => Err(Exit::Continue),
            Node::Throw => Err(Exit::Undecided),
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

    fn compare(&mut self, comparison: Comparison, sides: &'a [Node; 2]) -> Computed<bool> {
        let [left, right] = sides;
        // Most comparisons are with a constant, of which no copy is made.
        if let Node::Constant(right) = right {
            return self.with(left, |left| holds(comparison, left, right));
        }
        let left = self.value(left)?;
        self.with(right, |right| holds(comparison, &left, right))
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

    /// `&&` and `||`: `word` as soon as one of the terms is it.
    fn first_is(&mut self, terms: &'a [Node], word: bool) -> Computed {
        for term in terms {
            if self.flag(term)? == word {
                return Ok(word.into());
            }
        }
        Ok((!word).into())
    }

    fn text(&mut self, parts: &'a [Node]) -> Computed {
        let mut text = String::new();
        for part in parts {
            let value = self.value(part)?;
            text.push_str(&value.to_text().ok_or(Exit::Undecided)?);
        }
        bounded(ScriptValue::from(text))
    }

    fn push(&mut self, slot: usize, item: &'a Node) -> Computed {
        let item = self.value(item)?;
        match self.slot_mut(slot)? {
            ScriptValue::Array(items) => items.push(item),
            _ => return Err(Exit::Undecided),
        }
        // The size of the whole counts: items may be arrays themselves.
        match self.slot(slot)? {
            array if is_bounded(array) => Ok(ScriptValue::Unit),
            _ => Err(Exit::Undecided),
        }
    }

    /// Runs a round of a loop; false when the loop ends with it.
    fn round(&mut self, body: &'a [Node], weight: u32) -> Computed<bool> {
        self.count(weight)?;
        match self.block(body) {
            Ok(_) | Err(Exit::Continue) => Ok(true),
            Err(Exit::Break) => Ok(false),
            Err(exit) => Err(exit),
        }
    }

    fn while_loop(
        &mut self,
        condition: Option<&'a Node>,
        body: &'a [Node],
        weight: u32,
    ) -> Computed {
        loop {
            if let Some(condition) = condition
                && !self.flag(condition)?
            {
                return Ok(ScriptValue::Unit);
            }
            if !self.round(body, weight)? {
                return Ok(ScriptValue::Unit);
            }
        }
    }

    fn for_loop(&mut self, parts: &'a ForLoop) -> Computed {
        let items: Box<dyn Iterator<Item = ScriptValue>> = match self.value(&parts.items)? {
            ScriptValue::Array(items) => Box::new(items.into_iter()),
            ScriptValue::Range(range) => Box::new(range.map(ScriptValue::from)),
            ScriptValue::RangeInclusive(range) => Box::new(range.map(ScriptValue::from)),
            _ => return Err(Exit::Undecided),
        };

        for (number, item) in items.enumerate() {
            *self.slot_mut(parts.slot)? = item;
            if let Some(counter) = parts.counter {
                let number = i64::try_from(number).map_err(|_| Exit::Undecided)?;
                *self.slot_mut(counter)? = number.into();
            }
            if !self.round(&parts.body, parts.weight)? {
                break;
            }
        }
        Ok(ScriptValue::Unit)
    }

    fn each_item(&mut self, function: ItemFunction, items: &'a Node, each: usize) -> Computed {
        let ScriptValue::Array(items) = self.value(items)? else { return Err(Exit::Undecided) };
        let mut answer_for = |item: &ScriptValue| {
            self.stack.push(item.clone());
            self.enter(each)
        };

        let value = match function {
            ItemFunction::Any => {
                for item in &items {
                    if decided(passes("any", &answer_for(item)?))? {
                        return Ok(true.into());
                    }
                }
                false.into()
            }
            ItemFunction::All => {
                for item in &items {
                    if !decided(passes("all", &answer_for(item)?))? {
                        return Ok(false.into());
                    }
                }
                true.into()
            }
            ItemFunction::Filter => {
                let mut kept = Vec::new();
                for item in items {
                    if decided(passes("filter", &answer_for(&item)?))? {
                        kept.push(item);
                    }
                }
                ScriptValue::Array(kept)
            }
            ItemFunction::Map => {
                ScriptValue::Array(items.iter().map(answer_for).collect::<Computed<_>>()?)
            }
            ItemFunction::SumBy => {
                let parts: Vec<ScriptValue> =
                    items.iter().map(answer_for).collect::<Computed<_>>()?;
                decided(sum_parts(&parts))?
            }
            ItemFunction::SortBy => {
                let keys: Vec<ScriptValue> =
                    items.iter().map(answer_for).collect::<Computed<_>>()?;
                let keys = decided(sort_keys(&keys))?;
                let mut keyed: Vec<_> = keys.into_iter().zip(items).collect();
                keyed.sort_by(|(one, _), (other, _)| one.cmp(other));
                ScriptValue::Array(keyed.into_iter().map(|(_, item)| item).collect())
            }
        };
        bounded(value)
    }
}

/// The value of a function of the table; its errors are for the interpreter to report.
fn decided<T>(outcome: Outcome<T>) -> Computed<T> {
    outcome.map_err(|_| Exit::Undecided)
}

fn holds(comparison: Comparison, left: &ScriptValue, right: &ScriptValue) -> Outcome<bool> {
    match comparison {
        Comparison::Equal => values_equal(left, right),
        Comparison::Unequal => values_equal(left, right).map(|equal| !equal),
        Comparison::Less => compare_values(left, right).map(Ordering::is_lt),
        Comparison::LessOrEqual => compare_values(left, right).map(Ordering::is_le),
        Comparison::Greater => compare_values(left, right).map(Ordering::is_gt),
        Comparison::GreaterOrEqual => compare_values(left, right).map(Ordering::is_ge),
    }
}

/// A field, or a key of a map that is written like one.
fn field_value(of: &ScriptValue, name: &str) -> Outcome {
    match of {
        ScriptValue::Map(entries) => match entries.get(name) {
            Some(value) => Ok(value.clone()),
            None => crate::value::raise(String::new()),
        },
        of => read_field(of, name),
    }
}

fn column_value(of: &ScriptValue, name: &str) -> Outcome {
    match of {
        ScriptValue::Map(_) => field_value(of, name),
        of => read_column(of, name),
    }
}

/// What is in brackets: a whole number for an array, a text for the others.
fn item_value(of: &ScriptValue, index: &ScriptValue) -> Outcome {
    match (of, index) {
        (ScriptValue::Array(items), ScriptValue::Whole(index)) => {
            let item = usize::try_from(*index).ok().and_then(|index| items.get(index));
            item.cloned().map_or_else(|| crate::value::raise(String::new()), Ok)
        }
        (of, ScriptValue::Text(name)) => column_value(of, name),
        _ => crate::value::raise(String::new()),
    }
}

/// The value, if it is far from the limits of the interpreter.
fn bounded(value: ScriptValue) -> Computed {
    if is_bounded(&value) { Ok(value) } else { Err(Exit::Undecided) }
}

fn is_bounded(value: &ScriptValue) -> bool {
    match value {
        ScriptValue::Text(text) => text.len() <= TEXT_BYTES_MAX,
        ScriptValue::Array(_) | ScriptValue::Map(_) => {
            let (items, bytes) = data_size(value);
            items <= ITEMS_MAX && bytes <= TEXT_BYTES_MAX
        }
        _ => true,
    }
}

/// Items and bytes of texts in a value, those of its items included.
fn data_size(value: &ScriptValue) -> (usize, usize) {
    let of_items = |sizes: &mut dyn Iterator<Item = (usize, usize)>| {
        sizes.fold((0, 0), |(items, bytes), (more, longer)| (items + more + 1, bytes + longer))
    };
    match value {
        ScriptValue::Text(text) => (0, text.len()),
        ScriptValue::Array(items) => of_items(&mut items.iter().map(data_size)),
        ScriptValue::Map(entries) => of_items(&mut entries.values().map(data_size)),
        _ => (0, 0),
    }
}
