//! The cells of a deal that a program reads, each by its place in the row.
//!
//! Not decoding cells (`domain::transaction`) and not what a blank one means: what has no value is
//! left to the functions of the table. Called by `lower` and `run`.
//!
//! **Architecture invariant:** a place is used only for rows with the layout for which it was looked
//! up.

use std::sync::Arc;

use crate::api::{self, fields};
use crate::value::{Outcome, ScriptValue};
use accredit_domain::transaction::{Field, Layout, Transaction, Value};

/// A cell by what the program calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DealCell {
    /// `tx["Rep #1"]`.
    Column(Arc<str>),
    /// `tx.amount`: the column that is mapped to the field.
    Mapped(Field, &'static str),
}

/// The cells of a program, and their places in the rows of the latest layout.
#[derive(Debug, Default)]
pub(super) struct DealCells {
    cells: Vec<DealCell>,
    /// Kept, so that no other layout gets its address.
    layout: Option<Arc<Layout>>,
    /// Where each cell is; beyond all places for one that has to be read by name.
    places: Vec<usize>,
}

impl DealCells {
    /// The number of a cell; each is kept once.
    pub(super) fn number_of(&mut self, cell: DealCell) -> usize {
        match self.cells.iter().position(|known| *known == cell) {
            Some(number) => number,
            None => {
                self.cells.push(cell);
                self.cells.len() - 1
            }
        }
    }

    /// Looks up the places for the row of this deal, unless they are known.
    #[inline]
    pub(super) fn follow(&mut self, tx: &Transaction) {
        if self.layout.as_ref().is_some_and(|known| Arc::ptr_eq(known, &tx.layout)) {
            return;
        }
        self.look_up(&tx.layout);
    }

    fn look_up(&mut self, layout: &Arc<Layout>) {
        let place = |cell: &DealCell| match cell {
            DealCell::Column(name) => layout.place_of(name),
            DealCell::Mapped(field, _) => layout.place_of_field(*field),
        };
        self.places = self.cells.iter().map(|cell| place(cell).unwrap_or(usize::MAX)).collect();
        self.layout = Some(Arc::clone(layout));
    }

    /// The value in a cell; none for one that has to be read by name.
    #[inline]
    pub(super) fn value<'t>(&self, tx: &'t Transaction, cell: usize) -> Option<&'t Value> {
        tx.value_at(*self.places.get(cell)?)
    }

    /// The value in a cell that has no place, as the functions of the table read it.
    pub(super) fn read_by_name(&self, tx: &Arc<Transaction>, cell: usize) -> Outcome {
        match self.cells.get(cell) {
            Some(DealCell::Column(name)) => {
                fields::read_column(&ScriptValue::Transaction(Arc::clone(tx)), name)
            }
            Some(DealCell::Mapped(_, name)) => {
                fields::read_field(&ScriptValue::Transaction(Arc::clone(tx)), name)
            }
            None => crate::value::raise(String::new()),
        }
    }

    /// Whether a cell that has no place is there.
    pub(super) fn has_by_name(&self, tx: &Arc<Transaction>, cell: usize) -> Outcome<bool> {
        let name = match self.cells.get(cell) {
            Some(DealCell::Column(name)) => name,
            Some(DealCell::Mapped(_, name)) => *name,
            None => return crate::value::raise(String::new()),
        };
        api::has_field(tx, name)
    }
}
