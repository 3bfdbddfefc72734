//! Conditions: true or false, without a value being made of it.
//!
//! Called by `run`.
//!
//! **Architecture invariant:** a plain value is looked at where it is; all others go through the
//! functions of the table.

use super::super::borrowed::{BorrowedValue, compare_numbers};
use super::super::node::{Calculation, Comparison, Node};
use super::limits::is_short;
use super::{Computed, Exit, Run, bounded, decided};
use crate::api::ScriptFunction;
use crate::value::{Outcome, ScriptValue, compare_values, values_equal};
use accredit_domain::transaction::Value;
use rust_decimal::Decimal;

impl<'a> Run<'a, '_> {
    pub(super) fn flag(&mut self, node: &'a Node) -> Computed<bool> {
        match node {
            Node::Compare(comparison, sides) => self.compare(*comparison, sides),
            Node::CompareCell(comparison, cell, known) => {
                self.compare_cell(*comparison, *cell, known)
            }
            Node::CompareAmount(comparison, known) => {
                let credit = self.deal.and_then(|deal| deal.credit).ok_or(Exit::Undecided)?;
                Ok(comparison.holds(compare_numbers(&credit.amount, known)))
            }
            Node::CompareLevel(comparison, known) => self.compare_level(*comparison, known),
            Node::And(terms) => self.first_is(terms, false),
            Node::Or(terms) => self.first_is(terms, true),
            Node::Not(term) => self.flag(term).map(|flag| !flag),
            Node::CellThere(cell) => self.cell_there(*cell),
            Node::IsEmpty(function, value) => self.is_empty(function, value),
            Node::Contains(function, sides) => self.contains(function, sides),
            other => match self.value(other)? {
                ScriptValue::Bool(flag) => Ok(flag),
                _ => Err(Exit::Undecided),
            },
        }
    }

    /// `&&` and `||`: `word` as soon as one of the terms is it.
    fn first_is(&mut self, terms: &'a [Node], word: bool) -> Computed<bool> {
        for term in terms {
            if self.flag(term)? == word {
                return Ok(word);
            }
        }
        Ok(!word)
    }

    /// A plain value where it is; none for what has to be computed.
    pub(super) fn borrow(&self, node: &'a Node) -> Option<BorrowedValue<'_>> {
        match node {
            Node::Constant(value) => BorrowedValue::of_value(value),
            Node::Slot(slot) => BorrowedValue::of_value(self.slot(*slot).ok()?),
            Node::Cell(cell) => self.borrow_cell(*cell),
            Node::CreditAmount => Some(BorrowedValue::Number(&self.deal?.credit?.amount)),
            Node::ReceiverLevel => Some(match self.deal?.to?.level {
                Some(level) => BorrowedValue::Whole(i64::from(level)),
                None => BorrowedValue::Unit,
            }),
            _ => None,
        }
    }

    pub(super) fn borrow_cell(&self, cell: usize) -> Option<BorrowedValue<'a>> {
        BorrowedValue::of_cell(self.cell_value(cell)?)
    }

    fn compare(&mut self, comparison: Comparison, sides: &'a [Node; 2]) -> Computed<bool> {
        let [left, right] = sides;
        if let (Some(left), Some(right)) = (self.borrow(left), self.borrow(right)) {
            return left.compare(comparison, right).ok_or(Exit::Undecided);
        }

        // Many comparisons are with a constant, of which no copy is made.
        if let Node::Constant(right) = right {
            return self.with(left, |left| holds(comparison, left, right));
        }
        let left = self.value(left)?;
        self.with(right, |right| holds(comparison, &left, right))
    }

    /// The level of the recipient, which may be nothing, and a number.
    fn compare_level(&self, comparison: Comparison, known: &Decimal) -> Computed<bool> {
        let to = self.deal.and_then(|deal| deal.to).ok_or(Exit::Undecided)?;
        match (to.level, comparison) {
            (Some(level), _) => Ok(comparison.holds(compare_numbers(&Decimal::from(level), known))),
            (None, Comparison::Equal) => Ok(false),
            (None, Comparison::Unequal) => Ok(true),
            (None, _) => Err(Exit::Undecided),
        }
    }

    /// A cell and what is written out.
    fn compare_cell(
        &self,
        comparison: Comparison,
        cell: usize,
        known: &ScriptValue,
    ) -> Computed<bool> {
        match (self.cell_value(cell), known) {
            (Some(Value::Number(number)), ScriptValue::Number(known)) => {
                Ok(comparison.holds(compare_numbers(number, known)))
            }
            (Some(Value::Text(text)), ScriptValue::Text(known)) if is_short(text) => {
                Ok(match comparison {
                    // Most texts that differ have another length.
                    Comparison::Equal => text == known,
                    Comparison::Unequal => text != known,
                    _ => comparison.holds(text.cmp(known)),
                })
            }
            _ => decided(holds(comparison, &self.cell(cell)?, known)),
        }
    }

    pub(super) fn calculate(&mut self, with: Calculation, sides: &'a [Node; 2]) -> Computed {
        let [left, right] = sides;
        if let (Some(left), Some(right)) = (self.borrow(left), self.borrow(right))
            && let Some(value) = left.calculate(with.kind, right)
        {
            return Ok(value);
        }

        let pair = [self.value(left)?, self.value(right)?];
        let [left, right] = &pair;
        let plain = (BorrowedValue::of_value(left), BorrowedValue::of_value(right));
        if let (Some(left), Some(right)) = plain
            && let Some(value) = left.calculate(with.kind, right)
        {
            return Ok(value);
        }
        bounded(decided((with.function.call)(&pair))?)
    }

    fn is_empty(&mut self, function: &'static ScriptFunction, value: &'a Node) -> Computed<bool> {
        if let Node::Cell(cell) = value
            && let Some(Value::Text(text)) = self.cell_value(*cell)
        {
            return Ok(text.is_empty());
        }
        if let Some(BorrowedValue::Text(text)) = self.borrow(value) {
            return Ok(text.is_empty());
        }
        let call = function.call;
        as_flag(self.with(value, |value| call(std::slice::from_ref(value)))?)
    }

    /// `contains`, and `in`.
    fn contains(
        &mut self,
        function: &'static ScriptFunction,
        sides: &'a [Node; 2],
    ) -> Computed<bool> {
        let [whole, part] = sides;
        let (Node::Constant(ScriptValue::Array(items)), Some(part)) = (whole, self.borrow(part))
        else {
            let pair = [self.value(whole)?, self.value(part)?];
            return as_flag(decided((function.call)(&pair))?);
        };

        for item in items {
            let item = BorrowedValue::of_value(item).ok_or(Exit::Undecided)?;
            if item.equals(part).ok_or(Exit::Undecided)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn as_flag(value: ScriptValue) -> Computed<bool> {
    match value {
        ScriptValue::Bool(flag) => Ok(flag),
        _ => Err(Exit::Undecided),
    }
}

fn holds(comparison: Comparison, left: &ScriptValue, right: &ScriptValue) -> Outcome<bool> {
    match comparison {
        Comparison::Equal => values_equal(left, right),
        Comparison::Unequal => values_equal(left, right).map(|equal| !equal),
        _ => compare_values(left, right).map(|order| comparison.holds(order)),
    }
}
