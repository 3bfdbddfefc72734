//! Records decoded by the fields of a workspace: values, natural key, the source's clock.
//!
//! Not one cell (`cell`) and not its spellings (`dates`, `numbers`). Called wherever rows come from.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::civil::Date;

use super::Value;
use super::identity::natural_key;
use super::{Cell, ColumnType, Field, Fields, IdForm, Layout, Record, SourceClock, Transaction};
use super::{cell, decode_cell, trim_cell};

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

    /// Decodes rows of text that have these columns.
    pub fn row_decoder(&self, columns: &[String]) -> RowDecoder {
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        let kinds = names.iter().map(|name| self.fields.column_type(trim_cell(name)).clone());
        let kinds = kinds.collect();
        let layout = Arc::new(Layout::new(names, &self.fields));
        let date_places = date_places(&layout);
        RowDecoder { layout, kinds, date_places }
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
        key_of_parts(&parts.collect::<Vec<_>>(), &self.fields)
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

        let kind = self.fields.column_type(trim_cell(column));
        match cell {
            Cell::Null => Ok(SourceClock::Blank),
            Cell::Bool(flag) => Err(Arc::from(flag.to_string())),
            Cell::Nested(text) => Err(Arc::from(text.as_str())),
            Cell::Text(text) | Cell::Number(text) => clock_of_text(text, kind, &self.fields),
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

/// The natural key of its parts; blank where one of them is.
fn key_of_parts(parts: &[&str], fields: &Fields) -> String {
    // A key of which a part is missing would be the key of other rows as well.
    let blank = parts.iter().any(|part| fields.is_blank(part));
    if blank { String::new() } else { natural_key(parts, fields.id_form) }
}

/// What the source's clock shows in a cell of a column of this type.
fn clock_of_text(text: &str, kind: &ColumnType, fields: &Fields) -> Result<SourceClock, Arc<str>> {
    let formats = match kind {
        ColumnType::Date(formats) => Some(formats),
        _ => fields.clock.as_ref(),
    };
    let bare = if fields.is_blank(trim_cell(text)) { "" } else { trim_cell(text) };
    SourceClock::parse(bare, formats).ok_or_else(|| Arc::from(text))
}

/// Decodes rows of text that have the same columns, from their cells alone.
#[derive(Debug, Clone)]
pub struct RowDecoder {
    layout: Arc<Layout>,
    kinds: Vec<ColumnType>,
    /// The cells of which the first one that is not blank is the incentive date.
    date_places: Vec<usize>,
}

/// The places of the columns of the incentive date, those left out that rows do not have.
fn date_places(layout: &Layout) -> Vec<usize> {
    let fields = &layout.fields;
    let mapped = fields.mapped.get(&Field::Date).into_iter();
    let columns = mapped.flat_map(|mapped| std::iter::once(mapped).chain(&fields.date_fallbacks));

    // A text is never blank, so a column of text that rows do not have hides those behind it.
    let readable = |column: &&String| {
        layout.place_of(column).is_some() || !fields.column_type(column).is_text()
    };
    columns.take_while(readable).filter_map(|column| layout.place_of(column)).collect()
}

impl RowDecoder {
    /// Decodes a row, its cells in the order of the columns: the same as [`Decoder::decode`] of a record
    /// of these cells as text.
    pub fn decode(&self, cells: &[&str]) -> Transaction {
        let layout = &self.layout;
        let fields = &layout.fields;
        let typed = cells.iter().zip(&self.kinds);
        let values = typed.map(|(cell, kind)| cell::decode_text(cell, kind, fields)).collect();

        let id = Arc::from(&*self.natural_key(cells));

        let slot = layout.mapped.get(&Field::Updated).copied();
        let cell = slot.and_then(|slot| cells.get(slot)).copied();
        let clock = match (cell, slot.and_then(|slot| self.kinds.get(slot))) {
            (Some(cell), Some(kind)) => clock_of_text(cell, kind, fields),
            _ => Ok(SourceClock::Blank),
        };

        Transaction {
            id,
            layout: Arc::clone(layout),
            values,
            clock,
            preadjusted: None,
            remarks: Box::default(),
            manual_credit: None,
        }
    }

    /// The natural key of a row alone, as [`RowDecoder::decode`] finds it.
    pub fn natural_key<'t>(&self, cells: &[&'t str]) -> Cow<'t, str> {
        let fields = &self.layout.fields;
        let at = |slot: &Option<usize>| slot.and_then(|slot| cells.get(slot)).copied();

        // Most keys are one cell as it is written.
        if let ([only], IdForm::Plain) = (self.layout.id.as_slice(), fields.id_form) {
            let part = trim_cell(at(only).unwrap_or_default());
            return Cow::Borrowed(if fields.is_blank(part) { "" } else { part });
        }
        let parts = self.layout.id.iter().map(|slot| trim_cell(at(slot).unwrap_or_default()));
        Cow::Owned(key_of_parts(&parts.collect::<Vec<_>>(), fields))
    }

    /// The incentive date of a row alone, as [`RowDecoder::decode`] finds it; none where it cannot be
    /// read.
    pub fn incentive_date(&self, cells: &[&str]) -> Option<Date> {
        let fields = &self.layout.fields;
        for place in &self.date_places {
            let (Some(cell), Some(kind)) = (cells.get(*place), self.kinds.get(*place)) else {
                return None;
            };
            match cell::decode_text(cell, kind, fields) {
                Value::Blank => (),
                Value::Date(date) => return Some(date),
                _ => return None,
            }
        }
        None
    }
}
