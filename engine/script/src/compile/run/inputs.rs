//! What the host gives to a run.
//!
//! Not what it means (`api::views`). Called by `run`.
//!
//! **Architecture invariant:** what a program reads only part of is not copied into a value.

use std::sync::Arc;

use super::super::node::{HostInput, Node, PlainInputs, ShareNode};
use super::limits::{is_bounded, is_short};
use super::{Computed, Exit, Run, bounded, decided};
use crate::api::{credit_field, receiver_field};
use crate::value::ScriptValue;
use crate::{ScriptArguments, Share};
use accredit_domain::transaction::Value;

/// What the entry point of a program gets.
#[derive(Clone, Copy)]
pub(crate) enum RunInputs<'a> {
    /// A deal, and what is decided about it.
    Deal(&'a ScriptArguments<'a>),
    /// Values, in the order of its parameters.
    Values(&'a [ScriptValue]),
}

impl<'a> RunInputs<'a> {
    pub(super) fn deal(self) -> Option<&'a ScriptArguments<'a>> {
        match self {
            RunInputs::Deal(arguments) => Some(arguments),
            RunInputs::Values(_) => None,
        }
    }

    /// Whether the host has what a program reads that keeps no values of its own.
    #[inline]
    pub(super) fn has_plain(self, plain: Option<PlainInputs>) -> bool {
        let (Some(needed), RunInputs::Deal(arguments)) = (plain, self) else { return false };
        (arguments.credit.is_some() || !needed.credit)
            && (arguments.to.is_some() || !needed.receiver)
    }

    /// Puts the values of the parameters on the stack, `()` for those that are read where they are;
    /// none where one is missing or near a limit.
    pub(super) fn bind(
        self,
        inputs: &[(HostInput, bool)],
        stack: &mut Vec<ScriptValue>,
    ) -> Option<()> {
        for (place, (input, as_value)) in inputs.iter().enumerate() {
            let value = match self {
                RunInputs::Values(values) => values.get(place)?.clone(),
                RunInputs::Deal(arguments) => deal_value(arguments, *input, *as_value)?,
            };
            if !is_bounded(&value) {
                return None;
            }
            stack.push(value);
        }
        Some(())
    }
}

/// Whether the host has an input of a deal.
fn is_given(arguments: &ScriptArguments<'_>, input: HostInput) -> bool {
    match input {
        HostInput::Deal | HostInput::Existing => true,
        HostInput::Credit => arguments.credit.is_some(),
        HostInput::Receiver => arguments.to.is_some(),
        HostInput::Other => false,
    }
}

/// The value of an input of a deal; none where the host does not have it.
fn deal_value(
    arguments: &ScriptArguments<'_>,
    input: HostInput,
    as_value: bool,
) -> Option<ScriptValue> {
    Some(match input {
        HostInput::Deal if as_value => ScriptValue::Transaction(Arc::clone(arguments.tx)),
        HostInput::Credit if as_value => ScriptValue::Credit(Arc::new(arguments.credit?.clone())),
        HostInput::Receiver if as_value => ScriptValue::Receiver(Arc::new(*arguments.to?)),
        HostInput::Existing if as_value => arguments.existing.to_value(),
        input if is_given(arguments, input) => ScriptValue::Unit,
        _ => return None,
    })
}

impl<'a> Run<'a, '_> {
    /// A field of the credit or of the recipient.
    pub(super) fn input_field(&self, node: &Node) -> Computed {
        let arguments = self.deal.ok_or(Exit::Undecided)?;
        let (credit, to) = (arguments.credit, arguments.to);
        let value = match node {
            Node::CreditAmount => credit.map(|credit| credit.amount.into()),
            Node::ReceiverLevel => to.map(|to| match to.level {
                Some(level) => ScriptValue::Whole(i64::from(level)),
                None => ScriptValue::Unit,
            }),
            Node::InputField(HostInput::Credit, name) => {
                credit.and_then(|credit| credit_field(credit, name))
            }
            Node::InputField(HostInput::Receiver, name) => {
                to.and_then(|to| receiver_field(to, name))
            }
            _ => None,
        };
        value.filter(is_bounded).ok_or(Exit::Undecided)
    }

    /// The value of a cell of the deal where it is; none for one that has to be read by name.
    #[inline]
    pub(super) fn cell_value(&self, cell: usize) -> Option<&'a Value> {
        self.code.cells.value(self.tx?, cell)
    }

    /// The value of a cell of the deal.
    pub(super) fn cell(&self, cell: usize) -> Computed {
        let value = match self.cell_value(cell) {
            Some(Value::Text(text)) if is_short(text) => ScriptValue::Text(Arc::clone(text)),
            Some(Value::Number(number)) => ScriptValue::Number(*number),
            Some(Value::Date(date)) => ScriptValue::Date(*date),
            Some(Value::Bool(flag)) => ScriptValue::Bool(*flag),
            Some(Value::Text(_) | Value::Blank | Value::Bad(_)) => return Err(Exit::Undecided),
            None => {
                let tx = self.deal.ok_or(Exit::Undecided)?.tx;
                return decided(self.code.cells.read_by_name(tx, cell)).and_then(bounded);
            }
        };
        Ok(value)
    }

    /// Whether a cell has a value, for a variable that stands for it.
    pub(super) fn check_cell(&self, cell: usize) -> Computed<()> {
        match self.borrow_cell(cell) {
            Some(_) => Ok(()),
            None => self.cell(cell).map(drop),
        }
    }

    /// Whether a cell is there: `tx.has("…")`.
    pub(super) fn cell_there(&self, cell: usize) -> Computed<bool> {
        match self.cell_value(cell) {
            Some(Value::Text(text)) => Ok(!is_blank(text)),
            Some(Value::Blank | Value::Bad(_)) => Ok(false),
            Some(_) => Ok(true),
            None => {
                let tx = self.deal.ok_or(Exit::Undecided)?.tx;
                decided(self.code.cells.has_by_name(tx, cell))
            }
        }
    }

    fn text_value(&mut self, node: &'a Node) -> Computed<Arc<str>> {
        if let Node::Cell(cell) = node
            && let Some(Value::Text(text)) = self.cell_value(*cell)
            && is_short(text)
        {
            return Ok(Arc::clone(text));
        }
        match self.value(node)? {
            ScriptValue::Text(text) => Ok(text),
            _ => Err(Exit::Undecided),
        }
    }

    /// Shares become the answer; their value is nothing.
    pub(super) fn answer_shares(&mut self, shares: &'a [ShareNode]) -> Computed {
        let mut answer = Vec::with_capacity(shares.len());
        for share in shares {
            let who = self.text_value(&share.who)?;
            if is_blank(&who) {
                return Err(Exit::Undecided);
            }
            let weight = match &share.weight {
                None => None,
                Some(Node::Constant(ScriptValue::Number(weight))) => Some(*weight),
                Some(weight) => Some(self.value(weight)?.as_number().ok_or(Exit::Undecided)?),
            };
            answer.push(Share { who, weight });
        }
        self.shares = Some(answer);
        Ok(ScriptValue::Unit)
    }
}

/// Whether a text has nothing but space; most begin with a letter, which is seen at once.
fn is_blank(text: &str) -> bool {
    !text.as_bytes().first().is_some_and(u8::is_ascii_graphic) && text.trim().is_empty()
}
