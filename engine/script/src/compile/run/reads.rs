//! What is read of values: behind dots and brackets, and by `switch`.
//!
//! Not cells of the deal (`inputs`). Called by `run`.
//!
//! **Architecture invariant:** a name that is no field of a value is read as a name in brackets, as
//! the interpreter does.

use super::super::borrowed::BorrowedValue;
use super::super::node::{ArmNode, Node, SwitchNode};
use super::{Computed, Exit, Run, bounded, decided};
use crate::api::fields::{LISTED_FIELDS, read_column, read_field};
use crate::value::{Outcome, ScriptValue, label_holds, raise};

impl<'a> Run<'a, '_> {
    /// A link of a chain, or a chain that may end early.
    pub(super) fn link(&mut self, node: &'a Node) -> Computed {
        match node {
            Node::Field(of, name) => self.with(of, |of| field_value(of, name)).and_then(bounded),
            Node::Column(of, name) => self.with(of, |of| column_value(of, name)).and_then(bounded),
            Node::Item(parts) => {
                let [of, index] = &**parts;
                let index = self.value(index)?;
                self.with(of, |of| item_value(of, &index)).and_then(bounded)
            }
            Node::There(value) => match self.value(value)? {
                ScriptValue::Unit => Err(Exit::EndOfChain),
                value => Ok(value),
            },
            Node::Chain(last) => match self.value(last) {
                Err(Exit::EndOfChain) => Ok(ScriptValue::Unit),
                other => other,
            },
            _ => Err(Exit::Undecided),
        }
    }

    pub(super) fn switch(&mut self, switch: &'a SwitchNode) -> Computed {
        if let Some(texts) = &switch.texts
            && let Some(BorrowedValue::Text(text)) = self.borrow(&switch.value)
        {
            let arm = texts.get(text).copied().or(switch.other);
            return self.arm_body(arm.and_then(|arm| switch.arms.get(arm)));
        }

        let value = self.value(&switch.value)?;
        for arm in &switch.arms {
            if self.takes(arm, &value)? {
                return self.value(&arm.body);
            }
        }
        Ok(ScriptValue::Unit)
    }

    fn arm_body(&mut self, arm: Option<&'a ArmNode>) -> Computed {
        match arm {
            Some(arm) => self.value(&arm.body),
            None => Ok(ScriptValue::Unit),
        }
    }

    /// Whether an arm is taken: by a label, which the arm `_` does not have, and by its condition.
    fn takes(&mut self, arm: &'a ArmNode, value: &ScriptValue) -> Computed<bool> {
        let mut labelled = arm.labels.is_empty();
        for label in &arm.labels {
            if decided(label_holds(value, label))? {
                labelled = true;
                break;
            }
        }
        match (&arm.guard, labelled) {
            (Some(guard), true) => self.flag(guard),
            (_, labelled) => Ok(labelled),
        }
    }
}

/// A field, or a key of a map that is written like one.
fn field_value(of: &ScriptValue, name: &str) -> Outcome {
    let [credit, receiver, payee, _, _, person] = LISTED_FIELDS;
    let fields = match of {
        ScriptValue::Map(entries) => {
            return entries.get(name).cloned().map_or_else(|| raise(String::new()), Ok);
        }
        ScriptValue::Credit(_) => credit,
        ScriptValue::Receiver(_) => receiver,
        ScriptValue::Payee(_) => payee,
        ScriptValue::Person(_) => person,
        other => return read_field(other, name),
    };
    if fields.contains(&name) { read_field(of, name) } else { read_column(of, name) }
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
            item.cloned().map_or_else(|| raise(String::new()), Ok)
        }
        (of, ScriptValue::Text(name)) => column_value(of, name),
        _ => raise(String::new()),
    }
}
