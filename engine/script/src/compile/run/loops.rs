//! Loops, round by round.
//!
//! Called by `run`.
//!
//! **Architecture invariant:** each round counts its nodes before it begins.

use super::super::node::{ForLoop, Node};
use super::{Computed, Exit, Run};
use crate::value::ScriptValue;

/// How a round of a loop ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RoundEnd {
    /// With its last statement.
    Done,
    /// With `continue`.
    Continued,
    /// With `break`, which ends the loop.
    Broken,
}

impl<'a> Run<'a, '_> {
    fn round(&mut self, body: &'a [Node], weight: u32) -> Computed<RoundEnd> {
        self.count(weight)?;
        match self.execute_all(body) {
            Ok(()) => Ok(RoundEnd::Done),
            Err(Exit::Continue) => Ok(RoundEnd::Continued),
            Err(Exit::Break) => Ok(RoundEnd::Broken),
            Err(exit) => Err(exit),
        }
    }

    pub(super) fn while_loop(
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
            if self.round(body, weight)? == RoundEnd::Broken {
                return Ok(ScriptValue::Unit);
            }
        }
    }

    pub(super) fn do_loop(
        &mut self,
        (condition, ends_with): (&'a Node, bool),
        body: &'a [Node],
        weight: u32,
    ) -> Computed {
        loop {
            match self.round(body, weight)? {
                RoundEnd::Broken => return Ok(ScriptValue::Unit),
                // The interpreter begins the next round without a look at the condition.
                RoundEnd::Continued => (),
                RoundEnd::Done if self.flag(condition)? == ends_with => {
                    return Ok(ScriptValue::Unit);
                }
                RoundEnd::Done => (),
            }
        }
    }

    pub(super) fn for_loop(&mut self, parts: &'a ForLoop) -> Computed {
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
            if self.round(&parts.body, parts.weight)? == RoundEnd::Broken {
                break;
            }
        }
        Ok(ScriptValue::Unit)
    }
}
