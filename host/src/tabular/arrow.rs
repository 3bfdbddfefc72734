//! Credits, and rows of any list, as a stream of Arrow: typed columns in batches.
//!
//! The columns are those of Parquet: texts, dates, whole numbers, and amounts as decimals where all units
//! have as many of them. Not reading a stream (`directory::piped::arrow`). Called by workers.
//!
//! **Architecture invariant:** no amount is a float, and none loses a digit.

use std::io::{self, Write};
use std::sync::Arc;

use accredit_domain::credit::fields::{CREDIT_FIELDS, CellKind, CreditCell, CreditField};
use accredit_domain::credit::posted::PostedCredit;
use arrow_array::builder::{Date32Builder, Decimal128Builder, Int32Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::columns::{day_number, unscaled};
use super::forms::{ColumnForm, FormedCell};

/// Digits of a decimal.
const DECIMAL_DIGITS: u8 = 38;

/// Decimals of the amounts of a list, more than any unit has.
const LIST_SCALE: u32 = 18;

/// How a column is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ColumnKind {
    Text,
    Date,
    Count,
    /// A decimal with so many decimals.
    Amount(u32),
}

/// A value of a column.
enum Value<'a> {
    Text(std::borrow::Cow<'a, str>),
    Date(Date),
    Count(u32),
    Amount(Decimal),
}

/// The columns of a stream of credits.
#[derive(Debug, Clone)]
pub(crate) struct CreditBatches {
    schema: SchemaRef,
    kinds: Vec<ColumnKind>,
}

/// A stream that is being written.
pub(crate) struct ArrowFile<W: Write>(Box<StreamWriter<W>>);

impl CreditBatches {
    /// The columns of credits whose amounts have so many decimals; without a number, amounts are text.
    pub(crate) fn new(amount_scale: Option<u32>) -> CreditBatches {
        let kind = |field: &CreditField| match (field.name, field.kind) {
            (_, CellKind::Date) | ("release_date", _) => ColumnKind::Date,
            (_, CellKind::OptionalCount) => ColumnKind::Count,
            (_, CellKind::Number) => amount_scale.map_or(ColumnKind::Text, ColumnKind::Amount),
            _ => ColumnKind::Text,
        };
        let kinds: Vec<ColumnKind> = CREDIT_FIELDS.iter().map(kind).collect();
        let fields = CREDIT_FIELDS.iter().zip(&kinds);
        let fields: Vec<Field> = fields.map(|(field, kind)| kind.field(field.name)).collect();
        CreditBatches { schema: Arc::new(Schema::new(fields)), kinds }
    }

    /// Begins a stream.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn begin_file<W: Write>(&self, out: W) -> io::Result<ArrowFile<W>> {
        ArrowFile::begin(out, &self.schema)
    }

    /// Makes a batch of credits.
    ///
    /// # Errors
    /// When a value does not fit its column.
    pub(crate) fn credit_batch(&self, credits: &[PostedCredit]) -> io::Result<RecordBatch> {
        let columns = CREDIT_FIELDS.iter().zip(&self.kinds).map(|(field, kind)| {
            let values = credits.iter().map(|credit| Ok(value_of((field.cell)(credit))));
            kind.column(values)
        });
        let columns: Vec<ArrayRef> = columns.collect::<io::Result<_>>()?;
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(arrow_error)
    }
}

/// A cell of a credit as a value.
fn value_of(cell: CreditCell<'_>) -> Option<Value<'_>> {
    match cell {
        CreditCell::Date(date) => Some(Value::Date(date)),
        CreditCell::Count(count) => Some(Value::Count(count)),
        CreditCell::Number(number) => Some(Value::Amount(number)),
        cell => cell.to_text().map(Value::Text),
    }
}

/// Rows of a list as a batch with these columns.
///
/// # Errors
/// When a value does not fit its column.
pub(crate) fn list_batch(schema: &SchemaRef, rows: &[Json]) -> io::Result<RecordBatch> {
    let columns = schema.fields().iter().map(|field| {
        let name = field.name().as_str();
        let values = rows.iter().map(|row| {
            Ok(match FormedCell::of(row, name)? {
                FormedCell::Empty => None,
                FormedCell::Text(text) => Some(Value::Text(text.into())),
                FormedCell::Day(day) => Some(Value::Date(day)),
                FormedCell::Count(count) => {
                    Some(Value::Count(u32::try_from(count).map_err(io::Error::other)?))
                }
                FormedCell::Amount(amount) => Some(Value::Amount(amount)),
            })
        });
        list_kind(name).column(values)
    });
    let columns: Vec<ArrayRef> = columns.collect::<io::Result<_>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(arrow_error)
}

/// The columns of a list.
pub(crate) fn list_schema(columns: &[&str]) -> SchemaRef {
    let fields: Vec<Field> = columns.iter().map(|name| list_kind(name).field(name)).collect();
    Arc::new(Schema::new(fields))
}

fn list_kind(column: &str) -> ColumnKind {
    match ColumnForm::of(column) {
        ColumnForm::Text => ColumnKind::Text,
        ColumnForm::Day => ColumnKind::Date,
        ColumnForm::Count => ColumnKind::Count,
        ColumnForm::Amount => ColumnKind::Amount(LIST_SCALE),
    }
}

impl<W: Write> ArrowFile<W> {
    /// Begins a stream of these columns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn begin(out: W, schema: &Schema) -> io::Result<ArrowFile<W>> {
        let stream = StreamWriter::try_new(out, schema).map_err(arrow_error)?;
        Ok(ArrowFile(Box::new(stream)))
    }

    /// Writes a batch behind the others.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write_batch(&mut self, batch: &RecordBatch) -> io::Result<()> {
        self.0.write(batch).map_err(arrow_error)
    }

    /// Writes the end of the stream.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn finish(self) -> io::Result<W> {
        self.0.into_inner().map_err(arrow_error)
    }
}

impl ColumnKind {
    /// Every column may be null: a reader that joins streams need not care.
    fn field(self, name: &str) -> Field {
        let kind = match self {
            ColumnKind::Text => DataType::Utf8,
            ColumnKind::Date => DataType::Date32,
            ColumnKind::Count => DataType::Int32,
            ColumnKind::Amount(scale) => {
                DataType::Decimal128(DECIMAL_DIGITS, i8::try_from(scale).unwrap_or(i8::MAX))
            }
        };
        Field::new(name, kind, true)
    }

    fn column<'a>(
        self,
        values: impl Iterator<Item = io::Result<Option<Value<'a>>>>,
    ) -> io::Result<ArrayRef> {
        match self {
            ColumnKind::Text => {
                let mut column = StringBuilder::new();
                for value in values {
                    match value? {
                        Some(Value::Text(text)) => column.append_value(text),
                        Some(Value::Amount(number)) => column.append_value(number.to_string()),
                        Some(Value::Date(_) | Value::Count(_)) | None => column.append_null(),
                    }
                }
                Ok(Arc::new(column.finish()))
            }
            ColumnKind::Date => {
                let mut column = Date32Builder::new();
                for value in values {
                    match value? {
                        Some(Value::Date(day)) => column.append_value(day_number(day)?),
                        _ => column.append_null(),
                    }
                }
                Ok(Arc::new(column.finish()))
            }
            ColumnKind::Count => {
                let mut column = Int32Builder::new();
                for value in values {
                    match value? {
                        Some(Value::Count(count)) => {
                            column.append_value(i32::try_from(count).map_err(io::Error::other)?);
                        }
                        _ => column.append_null(),
                    }
                }
                Ok(Arc::new(column.finish()))
            }
            ColumnKind::Amount(scale) => {
                let mut column = Decimal128Builder::new();
                for value in values {
                    match value? {
                        Some(Value::Amount(number)) => {
                            column.append_value(unscaled(number, scale)?)
                        }
                        _ => column.append_null(),
                    }
                }
                let scale = i8::try_from(scale).map_err(io::Error::other)?;
                let column = column.with_precision_and_scale(DECIMAL_DIGITS, scale);
                Ok(Arc::new(column.map_err(arrow_error)?.finish()))
            }
        }
    }
}

/// An error of the library as one of writing: what the system said stays what it said.
pub(crate) fn arrow_error(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        error => io::Error::other(error.to_string()),
    }
}
