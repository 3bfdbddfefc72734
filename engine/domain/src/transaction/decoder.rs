//! Records decoded by the fields of a workspace: values, natural key, the source's clock.
//!
//! Not one cell (`cell`) and not its spellings (`dates`, `numbers`). Called wherever rows come from.

use std::sync::Arc;

use super::identity::natural_key;
use super::{Cell, ColumnType, Field, Fields, Layout, Record, SourceClock, Transaction, Value};
use super::{decode_cell, trim_cell};

/// Decodes records by one set of [`Fields`], sharing a [`Layout`] between rows of equal columns.
#[derive(Debug)]
pub struct Decoder {
    fields: Arc<Fields>,
    layouts: Vec<Arc<Layout>>,
}

/// Layouts remembered by a decoder; beyond it a row gets its own.
const LAYOUTS_MAX: usize = 64;

impl Decoder {
    /// A decoder for `fields`.
    pub fn new(fields: Arc<Fields>) -> Self {
        Decoder { fields, layouts: Vec::new() }
    }

    /// Decodes one record; of a column delivered twice the last cell counts.
    pub fn decode(&mut self, record: &Record) -> Transaction {
        let cells = record.delivered_cells();
        let layout = self.shared_layout(cells);
        let values: Box<[Value]> =
            cells.iter().map(|(column, cell)| self.decode_value(column, cell)).collect();

        let manual_credit = record.manual_credit().map(Arc::new);
        let id = match &manual_credit {
            Some(credit) => Arc::clone(credit.key.shared()),
            None => Arc::from(self.key(&layout, cells)),
        };
        let clock = self.decode_clock(&layout, cells);
        let remarks = record.read_remarks().into();

        Transaction { id, layout, values, clock, preadjusted: None, remarks, manual_credit }
    }

    /// The natural key of one record alone, as [`Decoder::decode`] finds it.
    pub fn natural_key(&mut self, record: &Record) -> String {
        let cells = record.delivered_cells();
        let layout = self.shared_layout(cells);
        self.key(&layout, cells)
    }

    /// The natural key; blank where a part of it is.
    fn key(&self, layout: &Layout, cells: &[(String, Cell)]) -> String {
        let parts = layout.id.iter().map(|slot| {
            let cell = slot.and_then(|slot| cells.get(slot)).map(|(_, cell)| cell);
            match cell {
                Some(Cell::Text(text) | Cell::Number(text)) => trim_cell(text),
                _ => "",
            }
        });

        let parts: Vec<&str> = parts.collect();
        // A key of which a part is missing would be the key of other rows as well.
        let blank = parts.iter().any(|part| self.fields.is_blank(part));
        if blank { String::new() } else { natural_key(&parts, self.fields.id_form) }
    }

    fn decode_value(&self, column: &str, cell: &Cell) -> Value {
        decode_cell(cell, self.fields.column_type(trim_cell(column)), &self.fields)
    }

    /// The clock is read from the cell as delivered: as a date, all versions of a day would be equal.
    fn decode_clock(
        &self,
        layout: &Layout,
        cells: &[(String, Cell)],
    ) -> Result<SourceClock, Arc<str>> {
        let slot = layout.mapped.get(&Field::Updated).copied();
        let Some((column, cell)) = slot.and_then(|slot| cells.get(slot)) else {
            return Ok(SourceClock::Blank);
        };

        let formats = match self.fields.column_type(trim_cell(column)) {
            ColumnType::Date(formats) => Some(formats),
            _ => self.fields.clock.as_ref(),
        };

        match cell {
            Cell::Null => Ok(SourceClock::Blank),
            Cell::Bool(flag) => Err(Arc::from(flag.to_string())),
            Cell::Nested(text) => Err(Arc::from(text.as_str())),
            Cell::Text(text) | Cell::Number(text) => {
                let bare = if self.fields.is_blank(trim_cell(text)) { "" } else { trim_cell(text) };
                SourceClock::parse(bare, formats).ok_or_else(|| Arc::from(text.as_str()))
            }
        }
    }

    fn shared_layout(&mut self, cells: &[(String, Cell)]) -> Arc<Layout> {
        // Rows of one file have the same columns, so their layout is found and not built again.
        let same = |layout: &&Arc<Layout>| {
            let names = layout.names.iter().map(AsRef::as_ref);
            layout.names.len() == cells.len()
                && names.eq(cells.iter().map(|(column, _)| trim_cell(column)))
        };

        if let Some(layout) = self.layouts.iter().find(same) {
            return Arc::clone(layout);
        }

        let columns = cells.iter().map(|(column, _)| column.as_str()).collect();
        let layout = Arc::new(Layout::new(columns, &self.fields));
        // Beyond the limit a layout lives as long as its row: a sender of ever new columns costs no
        // memory.
        if self.layouts.len() < LAYOUTS_MAX {
            self.layouts.push(Arc::clone(&layout));
        }

        layout
    }
}
