//! Rows out of a stream of Arrow.
//!
//! The cells are those of the same rows in Parquet: text, digits, true or false, or nothing. A moment with
//! a zone is read as UTC, and one without as it stands. Not writing a stream (`tabular::arrow`).

use std::io::{BufRead, BufReader, Read};

use accredit_domain::calendar::days_after;
use accredit_domain::transaction::{Cell, Record};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_ipc::reader::StreamReader;
use arrow_schema::{DataType, SchemaRef, TimeUnit};
use jiff::civil::Date;

use super::pipe_failure;
use crate::directory::DirectoryError;
use crate::directory::damaged::{read_damaged, read_damaged_items};
use crate::directory::parquet::{timestamp_cell, without_offset};

/// What is done with the columns of a stream, and with each batch of it.
pub(crate) trait BatchTaker {
    /// Takes the columns, before the first batch.
    ///
    /// # Errors
    /// Why they are not taken.
    fn take_schema(&mut self, schema: &SchemaRef) -> Result<(), DirectoryError>;

    /// Takes the next batch.
    ///
    /// # Errors
    /// Why it is not taken.
    fn take_batch(&mut self, batch: &RecordBatch) -> Result<(), DirectoryError>;
}

/// Gives away each batch; a stream without a byte has none, and no columns.
///
/// # Errors
/// When it is no stream of Arrow, or what `taker` says.
pub(crate) fn read_batches(
    input: impl Read,
    taker: &mut dyn BatchTaker,
) -> Result<(), DirectoryError> {
    let mut input = BufReader::new(input);
    if input.fill_buf().map_err(pipe_failure)?.is_empty() {
        return Ok(());
    }

    let wrong = |why| pipe_failure(format!("not a stream of Arrow: {why}"));
    let stream = read_damaged(|| StreamReader::try_new(input, None)).map_err(wrong)?;
    taker.take_schema(&stream.schema())?;
    for batch in read_damaged_items(stream) {
        taker.take_batch(&batch.map_err(wrong)?)?;
    }
    Ok(())
}

/// The rows of a batch.
pub(crate) fn records(batch: &RecordBatch) -> impl Iterator<Item = Record> {
    let schema = batch.schema();
    let columns: Vec<(String, &dyn Array)> = (schema.fields().iter().zip(batch.columns()))
        .map(|(field, column)| (field.name().clone(), column.as_ref()))
        .collect();
    (0..batch.num_rows()).map(move |row| {
        let cells = columns.iter().map(|(name, column)| (name.clone(), cell_at(*column, row)));
        Record { cells: cells.collect() }
    })
}

/// The cell of a row in a column.
fn cell_at(column: &dyn Array, row: usize) -> Cell {
    if column.is_null(row) {
        return Cell::Null;
    }
    /// The number of a row, as digits.
    macro_rules! number {
        ($kind:ty) => {
            Cell::Number(column.as_primitive::<$kind>().value(row).to_string())
        };
    }

    match column.data_type() {
        DataType::Null => Cell::Null,
        DataType::Boolean => Cell::Bool(column.as_boolean().value(row)),
        DataType::Utf8 => Cell::Text(column.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => Cell::Text(column.as_string::<i64>().value(row).to_owned()),
        DataType::Utf8View => Cell::Text(column.as_string_view().value(row).to_owned()),
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        // The shortest decimal text that means this number and no other of its width.
        DataType::Float32 => number!(Float32Type),
        DataType::Float64 => number!(Float64Type),
        DataType::Decimal128(..) => {
            Cell::Number(column.as_primitive::<Decimal128Type>().value_as_string(row))
        }
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>().value(row);
            let day = days_after(Date::constant(1970, 1, 1), i64::from(days));
            day.map_or(Cell::Nested(format!("{days} days")), |day| Cell::Text(day.to_string()))
        }
        DataType::Timestamp(unit, zone) => {
            let (count, scale) = match unit {
                TimeUnit::Second => {
                    (column.as_primitive::<TimestampSecondType>().value(row), 1_000_000_000)
                }
                TimeUnit::Millisecond => {
                    (column.as_primitive::<TimestampMillisecondType>().value(row), 1_000_000)
                }
                TimeUnit::Microsecond => {
                    (column.as_primitive::<TimestampMicrosecondType>().value(row), 1000)
                }
                TimeUnit::Nanosecond => {
                    (column.as_primitive::<TimestampNanosecondType>().value(row), 1)
                }
            };
            let cell = timestamp_cell(i128::from(count) * scale);
            if zone.is_some() { cell } else { without_offset(cell) }
        }
        other => Cell::Nested(format!("a value of {other}")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
        StringArray, TimestampMicrosecondArray,
    };

    use super::*;

    /// Deals of a table of a lakehouse are those of the same rows as text.
    #[test]
    fn cells_of_every_type_are_read_without_a_loss() {
        let decimal = Decimal128Array::from(vec![Some(-1250), None]);
        let columns: [(&str, ArrayRef); 8] = [
            ("text", Arc::new(StringArray::from(vec![Some("=D1"), None]))),
            ("flag", Arc::new(BooleanArray::from(vec![Some(true), None]))),
            ("count", Arc::new(Int64Array::from(vec![Some(i64::MAX), None]))),
            ("fraction", Arc::new(Float64Array::from(vec![Some(0.1), None]))),
            ("amount", Arc::new(decimal.with_precision_and_scale(38, 2).unwrap())),
            ("day", Arc::new(Date32Array::from(vec![Some(-1), None]))),
            (
                "moment",
                Arc::new(
                    TimestampMicrosecondArray::from(vec![Some(1_000_000), None])
                        .with_timezone("Asia/Tokyo"),
                ),
            ),
            ("clock", Arc::new(TimestampMicrosecondArray::from(vec![Some(1_000_000), None]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let rows: Vec<Record> = records(&batch).collect();

        let text = |text: &str| Cell::Text(text.to_owned());
        let number = |text: &str| Cell::Number(text.to_owned());
        let expected = [
            text("=D1"),
            Cell::Bool(true),
            number("9223372036854775807"),
            number("0.1"),
            number("-12.50"),
            text("1969-12-31"),
            text("1970-01-01T00:00:01Z"),
            text("1970-01-01T00:00:01"),
        ];
        let cells: Vec<Cell> = rows[0].cells.iter().map(|(_, cell)| cell.clone()).collect();
        assert_eq!(cells, expected);
        assert!(rows[1].cells.iter().all(|(_, cell)| *cell == Cell::Null));
    }
}
