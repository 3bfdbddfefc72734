//! Transactions: what a source delivered, read by the types that the workspace gives its columns.
//!
//! A [`Record`] is a row as delivered; a [`Transaction`] is the same row decoded: typed values,
//! mapped fields, natural key. Decoding never fails: what does not parse becomes [`Value::Bad`]
//! and parks the transaction later, in the plans that let it in. Not deduplication (that is the
//! ledger's) and not parsing of files (`transaction::read`). Source: FORMAT section 2, DOMAIN 2.1.
//!
//! **Architecture invariant:** a record is kept as delivered; types are applied when it is read, so
//! a corrected `[columns]` re-reads what was received before.

mod by_hand;
mod cell;
mod clock;
pub mod dates;
mod decoder;
mod identity;
pub mod numbers;
pub mod read;
mod remark;
#[cfg(test)]
mod tests;
pub mod version;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use self::by_hand::{CreditAct, MANUAL_RESULT, ManualCredit, REVERSAL_RESULT};
pub use self::cell::{decode_cell, trim_cell};
pub use self::clock::SourceClock;
use self::dates::{DateFormats, WorkspaceZone};
pub use self::decoder::Decoder;
pub use self::identity::{ID_FORMS, IdForm};
use self::numbers::NumberStyle;
pub use self::numbers::parse_number;
pub use self::remark::{Remark, VoidRemark};

/// The type of a column (FORMAT section 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnType {
    /// Text without spaces at its ends.
    Text,
    /// Text as delivered, with the spaces at its ends.
    ExactText,
    /// A decimal number: plain, or in this style.
    Number(Option<NumberStyle>),
    /// A date in one of these formats.
    Date(DateFormats),
    /// A column of `true` and `false`.
    Bool,
}

impl ColumnType {
    /// A number without a style of its own.
    pub const NUMBER: ColumnType = ColumnType::Number(None);

    /// The type of a date in ISO 8601.
    pub fn iso_date() -> Self {
        ColumnType::Date(DateFormats::default())
    }

    /// Whether cells of this type are read as text.
    pub fn is_text(&self) -> bool {
        matches!(self, ColumnType::Text | ColumnType::ExactText)
    }

    /// The name of the type, as used in messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            ColumnType::Text | ColumnType::ExactText => "text",
            ColumnType::Number(_) => "number",
            ColumnType::Date(_) => "date",
            ColumnType::Bool => "bool",
        }
    }
}

/// A mapped field with one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The incentive date, a day.
    Date,
    /// The deal's amount, in the currency of the transaction.
    Amount,
    /// How many units were sold.
    Quantity,
    /// The product that was sold.
    Product,
    /// The customer who bought.
    Customer,
    /// Where the deal belongs, as text.
    Geography,
    /// Postal code, as text.
    PostalCode,
    /// Currency of the amount.
    Currency,
    /// Positions named on the transaction.
    Preassigned,
    /// The source's clock, which orders versions.
    Updated,
    /// The day the row arrived.
    Received,
}

impl Field {
    /// Every field with the key of `[fields]` that maps it, which is also its name in scripts.
    pub const ALL: [(Field, &'static str); 11] = [
        (Field::Date, "date"),
        (Field::Amount, "amount"),
        (Field::Quantity, "quantity"),
        (Field::Product, "product"),
        (Field::Customer, "customer"),
        (Field::Geography, "geography"),
        (Field::PostalCode, "postal_code"),
        (Field::Currency, "currency"),
        (Field::Preassigned, "preassigned"),
        (Field::Updated, "updated"),
        (Field::Received, "received"),
    ];
}

/// A list of columns that name recipients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameColumns {
    /// Owner / Sold By.
    Owner,
    /// The team or territory of the deal.
    Team,
    /// A related order that names persons.
    RelatedPerson,
    /// A related order that names positions.
    RelatedPosition,
}

/// What the columns of a transaction mean: `[fields]` and `[columns]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// The natural key; its parts are shown joined by `/`.
    pub id: Vec<String>,
    /// Column of each mapped field.
    pub mapped: BTreeMap<Field, String>,
    /// Columns of each list of names.
    pub names: BTreeMap<NameColumns, Vec<String>>,
    /// Types of the columns that are mapped to a typed field or declared; the rest is text.
    pub types: BTreeMap<String, ColumnType>,
    /// The form of the ids in the natural key.
    pub id_form: IdForm,
    /// Columns that hold the incentive date where the mapped one is blank, in order.
    pub date_fallbacks: Vec<String>,
    /// How the source's clock is written; absent, as a number or in ISO.
    pub clock: Option<DateFormats>,
    /// Texts that mean a blank cell; case does not matter.
    pub blanks: Vec<String>,
    /// Where moments have their day.
    pub zone: WorkspaceZone,
}

impl Fields {
    /// The type of `column`.
    pub fn column_type(&self, column: &str) -> &ColumnType {
        self.types.get(column).unwrap_or(&ColumnType::Text)
    }

    /// Every column that the workspace names.
    pub fn named_columns(&self) -> impl Iterator<Item = &str> {
        let named = self.names.values().flatten();
        let all = self.id.iter().chain(self.mapped.values()).chain(named).chain(self.types.keys());
        all.chain(&self.date_fallbacks).map(String::as_str)
    }

    /// Whether a cell with this text, without spaces at its ends, is blank.
    pub fn is_blank(&self, text: &str) -> bool {
        text.is_empty() || self.blanks.iter().any(|blank| blank.eq_ignore_ascii_case(text))
    }
}

/// One cell as delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cell {
    /// Nothing, or JSON null.
    Null,
    /// Text, or a CSV cell.
    Text(String),
    /// A JSON number, by its digits.
    Number(String),
    /// A JSON `true` or `false`.
    Bool(bool),
    /// A JSON array or object, as text: no column type reads it, and no script.
    Nested(String),
}

/// A row as delivered: columns in delivered order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Column names and cells.
    pub cells: Vec<(String, Cell)>,
}

impl Record {
    /// As a JSON object: a number's digits are kept as they came.
    pub fn to_json(&self) -> serde_json::Map<String, serde_json::Value> {
        use serde_json::Value as Json;
        let cells = self.delivered_cells().iter().map(|(column, cell)| {
            let value = match cell {
                Cell::Null => Json::Null,
                Cell::Text(text) | Cell::Nested(text) => Json::from(text.as_str()),
                Cell::Number(digits) => serde_json::from_str(digits).unwrap_or(Json::Null),
                Cell::Bool(flag) => Json::Bool(*flag),
            };
            (column.clone(), value)
        });
        cells.collect()
    }
}

/// A cell read by the type of its column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Text; blank text is `""`.
    Text(Arc<str>),
    /// An exact decimal number.
    Number(Decimal),
    /// A day without a time.
    Date(Date),
    /// True or false.
    Bool(bool),
    /// A blank cell of a column that is not text.
    Blank,
    /// A cell that does not parse as its column's type.
    Bad(Arc<str>),
}

/// The columns of a group of transactions, with the slots of their mapped fields.
#[derive(Debug)]
pub struct Layout {
    names: Vec<Arc<str>>,
    slots: HashMap<Arc<str>, usize>,
    fields: Arc<Fields>,
    mapped: BTreeMap<Field, usize>,
    id: Vec<Option<usize>>,
}

impl Layout {
    /// Names of columns have no spaces at their ends, even if the header has.
    fn new(columns: Vec<&str>, fields: &Arc<Fields>) -> Self {
        let names: Vec<Arc<str>> = columns.into_iter().map(trim_cell).map(Arc::from).collect();
        let slots: HashMap<_, _> = names.iter().cloned().enumerate().map(|(i, n)| (n, i)).collect();
        let slot = |column: &String| slots.get(column.as_str()).copied();
        let mapped = fields.mapped.iter().filter_map(|(f, column)| Some((*f, slot(column)?)));
        let mapped = mapped.collect();
        let id = fields.id.iter().map(slot).collect();
        Layout { names, slots, fields: Arc::clone(fields), mapped, id }
    }

    /// Column names in delivered order.
    pub fn column_names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// The type of `column`.
    pub fn column_type(&self, column: &str) -> &ColumnType {
        self.fields.column_type(column)
    }

    /// The place of `column` in every row with this layout; none where rows do not have it.
    pub fn place_of(&self, column: &str) -> Option<usize> {
        self.slots.get(column).copied()
    }

    /// The place of a mapped field in every row with this layout; none where rows do not have it, or
    /// where it depends on the row.
    pub fn place_of_field(&self, field: Field) -> Option<usize> {
        let one_column = field != Field::Date || self.fields.date_fallbacks.is_empty();
        self.mapped.get(&field).copied().filter(|_| one_column)
    }

    /// The declared meaning of each column.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }
}

/// A closed deal, decoded.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// The natural key, parts joined by `/`; blank when the row has none.
    pub id: Arc<str>,
    /// The names and places of its columns.
    pub layout: Arc<Layout>,
    values: Box<[Value]>,
    /// What the source's clock showed; the cell itself when it cannot be read.
    clock: Result<SourceClock, Arc<str>>,
    /// The amount as delivered, if another one was set manually.
    preadjusted: Option<Value>,
    /// What is to be known about its row.
    remarks: Box<[Remark]>,
    /// The credit that a person gave without a deal; shared, as few rows have one.
    manual_credit: Option<Arc<ManualCredit>>,
}

/// A mapped field that cannot be read: why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnreadableField {
    /// No column is mapped to it.
    Unmapped,
    /// The cell of this column is blank.
    Blank(String),
    /// The cell of this column does not parse.
    Bad {
        /// The column that is mapped to the field.
        column: String,
        /// The cell as delivered.
        cell: String,
        /// The word for the column's type.
        expected: &'static str,
    },
}

/// What the cell of a clock is expected to be.
const CLOCK_EXPECTATION: &str = "date and time";

impl Transaction {
    /// The same deal under another natural key and on another date, for simulations; its other
    /// columns, those of the key among them, stay as delivered.
    pub fn repeated_as(&self, id: &str, date: Date) -> Transaction {
        let mut again = Transaction { id: Arc::from(id), ..self.clone() };
        let column = self.column_of(Field::Date);
        let slot = column.and_then(|column| self.layout.slots.get(column)).copied();
        if let Some(value) = slot.and_then(|slot| again.values.get_mut(slot)) {
            *value = Value::Date(date);
        }
        again
    }

    /// What is to be known about its row, each an alert.
    pub fn row_remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// The credit that a person gave, of a row that is no deal.
    pub fn manual_credit(&self) -> Option<&Arc<ManualCredit>> {
        self.manual_credit.as_ref()
    }

    /// Whether a person made the deal void.
    pub fn is_void(&self) -> bool {
        self.remarks.iter().any(|remark| matches!(remark, Remark::Void(_)))
    }

    /// The same deal with these remarks about its row.
    pub fn with_remarks(&self, remarks: Vec<Remark>) -> Transaction {
        Transaction { remarks: remarks.into(), ..self.clone() }
    }

    /// Whether its row has the column, be the cell blank or not.
    pub fn has_column(&self, column: &str) -> bool {
        self.layout.slots.contains_key(column)
    }

    /// The value in `column`. It is blank if the row does not have the column.
    pub fn get(&self, column: &str) -> Value {
        match self.layout.slots.get(column).and_then(|slot| self.values.get(*slot)) {
            Some(value) => value.clone(),
            None => match self.layout.fields.column_type(column) {
                ColumnType::Text => Value::Text(Arc::from("")),
                _ => Value::Blank,
            },
        }
    }

    /// The value at a place that its layout gave; none for a credit without a deal, whose date and
    /// amount are in no column.
    #[inline]
    pub fn value_at(&self, place: usize) -> Option<&Value> {
        match self.manual_credit {
            None => self.values.get(place),
            Some(_) => None,
        }
    }

    /// The value of a mapped field; none when no column is mapped to it. The incentive date is that
    /// of the first of its columns that is not blank.
    pub fn field_value(&self, field: Field) -> Option<Value> {
        // A credit without a deal has no columns, and rules that roll it see its date and amount.
        match (&self.manual_credit, field) {
            (Some(credit), Field::Date) => return Some(Value::Date(credit.incentive_date)),
            (Some(credit), Field::Amount) => return Some(Value::Number(credit.amount)),
            _ => (),
        }

        if field == Field::Date && !self.layout.fields.date_fallbacks.is_empty() {
            return self.column_of(field).map(|column| self.get(column));
        }
        match self.layout.mapped.get(&field).and_then(|slot| self.values.get(*slot)) {
            Some(value) => Some(value.clone()),
            None => self.layout.fields.mapped.get(&field).map(|column| self.get(column)),
        }
    }

    /// The column mapped to `field`; of several, the one that its value comes from.
    pub fn column_of(&self, field: Field) -> Option<&str> {
        let fields = &self.layout.fields;
        let mapped = fields.mapped.get(&field)?;
        if field != Field::Date {
            return Some(mapped);
        }

        let mut columns = std::iter::once(mapped).chain(&fields.date_fallbacks);
        let filled = columns.find(|column| self.get(column) != Value::Blank);
        Some(filled.unwrap_or(mapped))
    }

    /// What the source's clock showed: blank where no column is mapped to it, or its cell cannot be
    /// read.
    pub fn source_clock(&self) -> SourceClock {
        self.clock.clone().unwrap_or(SourceClock::Blank)
    }

    /// The cell of the source's clock, where it cannot be read.
    pub fn bad_clock(&self) -> Option<&str> {
        self.clock.as_ref().err().map(AsRef::as_ref)
    }

    /// The incentive date.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn incentive_date(&self) -> Result<Date, UnreadableField> {
        match self.field_value(Field::Date) {
            Some(Value::Date(date)) => Ok(date),
            other => Err(self.unreadable_field(Field::Date, other)),
        }
    }

    /// The mapped amount.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn amount(&self) -> Result<Decimal, UnreadableField> {
        match self.field_value(Field::Amount) {
            Some(Value::Number(amount)) => Ok(amount),
            other => Err(self.unreadable_field(Field::Amount, other)),
        }
    }

    /// The same transaction with a manual amount; none when no column is mapped to it.
    pub fn with_amount(&self, amount: Decimal) -> Option<Transaction> {
        let column = self.column_of(Field::Amount)?.to_owned();
        let mut adjusted = self.clone();
        // Of several adjustments the first one knew what was delivered.
        adjusted.preadjusted = self.preadjusted.clone().or_else(|| self.field_value(Field::Amount));

        let slot = self.layout.slots.get(column.as_str()).copied();
        match slot.and_then(|slot| adjusted.values.get_mut(slot)) {
            Some(value) => *value = Value::Number(amount),
            // A mapped column that this row was delivered without is added at the end.
            None => {
                let mut names: Vec<&str> = self.layout.names.iter().map(AsRef::as_ref).collect();
                names.push(&column);
                adjusted.layout = Arc::new(Layout::new(names, &self.layout.fields));
                let added = std::iter::once(Value::Number(amount));
                adjusted.values = adjusted.values.iter().cloned().chain(added).collect();
            }
        }

        Some(adjusted)
    }

    /// Whether the amount was set manually, and the amount as delivered, if that was a number.
    pub fn unadjusted_amount(&self) -> Option<Option<Decimal>> {
        self.preadjusted.as_ref().map(|value| match value {
            Value::Number(amount) => Some(*amount),
            _ => None,
        })
    }

    fn unreadable_field(&self, field: Field, value: Option<Value>) -> UnreadableField {
        let Some(column) = self.column_of(field) else { return UnreadableField::Unmapped };
        match value {
            Some(Value::Bad(cell)) => self.unreadable_cell(column, &cell),
            _ => UnreadableField::Blank(column.to_owned()),
        }
    }

    fn unreadable_cell(&self, column: &str, cell: &str) -> UnreadableField {
        let expected = self.layout.fields.column_type(column).type_name();
        UnreadableField::Bad { column: column.to_owned(), cell: cell.to_owned(), expected }
    }

    /// The first cell that does not parse as its column's type, among the columns that the
    /// workspace names: nested values do not matter until a rule reads them.
    pub fn bad_value(&self) -> Option<UnreadableField> {
        let cells = self.layout.names.iter().zip(self.values.iter());
        let known = |name: &str| self.layout.fields.named_columns().any(|column| column == name);
        let first = cells.into_iter().find_map(|(column, value)| match value {
            Value::Bad(cell) if known(column) => Some(self.unreadable_cell(column, cell)),
            _ => None,
        });
        first.or_else(|| {
            let (column, cell) = (self.column_of(Field::Updated)?, self.bad_clock()?);
            let (column, cell) = (column.to_owned(), cell.to_owned());
            Some(UnreadableField::Bad { column, cell, expected: CLOCK_EXPECTATION })
        })
    }

    /// The text of a list of name columns, joined by `;`, blank ones left out.
    pub fn joined_names(&self, names: NameColumns) -> String {
        let columns = self.layout.fields.names.get(&names);

        let mut text = String::new();

        for column in columns.into_iter().flatten() {
            if let Value::Text(cell) = self.get(column) {
                if cell.trim().is_empty() {
                    continue;
                }
                if !text.is_empty() {
                    text.push(';');
                }
                text.push_str(&cell);
            }
        }

        text
    }

    /// Columns and values that are not blank, sorted by column: what two versions are compared on.
    pub fn comparable_content(&self) -> Vec<(&str, &Value)> {
        let cells = self.layout.names.iter().map(AsRef::as_ref).zip(self.values.iter());
        let blank = |value: &Value| match value {
            Value::Blank => true,
            Value::Text(text) => text.is_empty(),
            _ => false,
        };
        let mut content: Vec<_> = cells.filter(|(_, value)| !blank(value)).collect();
        content.sort();
        content
    }
}
