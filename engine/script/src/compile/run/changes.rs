//! Variables that change: operators with `=`, items and keys, `push`.
//!
//! Called by `run`.
//!
//! **Architecture invariant:** what is assigned is computed first, then the way to it, then it is
//! changed, as in the interpreter.

use std::sync::Arc;

use super::super::node::{ItemChange, Node, PathLink};
use super::{Computed, Exit, Run, bounded, decided, is_bounded};
use crate::api::ScriptFunction;
use crate::value::ScriptValue;

/// A step into an array or a map.
enum PathStep {
    Item(usize),
    Key(Arc<str>),
}

impl<'a> Run<'a, '_> {
    /// `x += y` and its like.
    pub(super) fn change(
        &mut self,
        slot: usize,
        operator: &'static ScriptFunction,
        value: &'a Node,
    ) -> Computed {
        let value = self.value(value)?;
        let before = self.slot(slot)?.clone();
        let after = bounded(decided((operator.call)(&[before, value]))?)?;
        *self.slot_mut(slot)? = after;
        Ok(ScriptValue::Unit)
    }

    /// `a[0] = x`, `m.key += x`.
    pub(super) fn change_item(&mut self, change: &'a ItemChange) -> Computed {
        let value = self.value(&change.value)?;
        let mut path = Vec::with_capacity(change.path.len());
        for link in &change.path {
            path.push(self.path_step(link)?);
        }

        let mut place = self.slot_mut(change.slot)?;
        let (last, before) = path.split_last().ok_or(Exit::Undecided)?;
        for step in before {
            place = inner_place(place, step).ok_or(Exit::Undecided)?;
        }

        match (place, last, change.operator) {
            // A key that the map does not have begins with its value.
            (ScriptValue::Map(entries), PathStep::Key(key), None) => {
                entries.insert(Arc::clone(key), value);
            }
            (place, last, operator) => {
                let item = inner_place(place, last).ok_or(Exit::Undecided)?;
                *item = match operator {
                    Some(operator) => decided((operator.call)(&[item.clone(), value]))?,
                    None => value,
                };
            }
        }
        self.check_size(change.slot)
    }

    fn path_step(&mut self, link: &'a PathLink) -> Computed<PathStep> {
        let index = match link {
            PathLink::Key(key) => return Ok(PathStep::Key(Arc::clone(key))),
            PathLink::Index(index) => self.value(index)?,
        };
        match index {
            ScriptValue::Text(key) => Ok(PathStep::Key(key)),
            // A negative index counts from the end, which is rare.
            ScriptValue::Whole(index) => {
                usize::try_from(index).map(PathStep::Item).map_err(|_| Exit::Undecided)
            }
            _ => Err(Exit::Undecided),
        }
    }

    pub(super) fn push(&mut self, slot: usize, item: &'a Node) -> Computed {
        let item = self.value(item)?;
        match self.slot_mut(slot)? {
            ScriptValue::Array(items) => items.push(item),
            _ => return Err(Exit::Undecided),
        }
        self.check_size(slot)
    }

    /// The size of the whole counts: items may be arrays themselves.
    fn check_size(&self, slot: usize) -> Computed {
        match self.slot(slot)? {
            whole if is_bounded(whole) => Ok(ScriptValue::Unit),
            _ => Err(Exit::Undecided),
        }
    }
}

/// The item or key of a value; none where it does not have it.
fn inner_place<'v>(of: &'v mut ScriptValue, step: &PathStep) -> Option<&'v mut ScriptValue> {
    match (of, step) {
        (ScriptValue::Array(items), PathStep::Item(index)) => items.get_mut(*index),
        (ScriptValue::Map(entries), PathStep::Key(key)) => entries.get_mut(key),
        _ => None,
    }
}
