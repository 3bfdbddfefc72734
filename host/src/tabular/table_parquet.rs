//! Rows of any list as Parquet: typed columns in row groups.
//!
//! Not credits of a calculation (`columns`, which never makes JSON of them). Amounts are decimals with 18
//! decimals, more than any unit has; every column may be null.

use std::io::{self, Write};
use std::sync::Arc;

use jiff::Unit;
use jiff::civil::Date;
use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType};
use parquet::data_type::{
    ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int32Type,
};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};
use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::forms::{ColumnForm, FormedCell};

/// Decimals of an amount, and its digits in 16 bytes.
const AMOUNT_SCALE: u32 = 18;
const AMOUNT_DIGITS: i32 = 38;
const AMOUNT_BYTES: i32 = 16;

/// The day from which Parquet counts.
const FIRST_DAY: Date = Date::constant(1970, 1, 1);

/// A file of rows that is being written.
pub(crate) struct ParquetTable<W: Write + Send> {
    columns: &'static [&'static str],
    writer: SerializedFileWriter<W>,
}

impl<W: Write + Send> ParquetTable<W> {
    /// Begins a file with these columns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn begin(columns: &'static [&'static str], out: W) -> io::Result<Self> {
        let fields = columns.iter().map(|column| column_type(column).map(Arc::new));
        let fields: Vec<TypePtr> = fields.collect::<Result<_, _>>().map_err(table_error)?;
        let schema = Type::group_type_builder("rows").with_fields(fields).build();
        let schema = Arc::new(schema.map_err(table_error)?);
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let writer = SerializedFileWriter::new(out, schema, Arc::new(properties));
        Ok(ParquetTable { columns, writer: writer.map_err(table_error)? })
    }

    /// Writes rows as a row group.
    ///
    /// # Errors
    /// When a value does not fit its column, or the file cannot be written.
    pub(crate) fn write_rows(&mut self, rows: &[Json]) -> io::Result<()> {
        let mut group = self.writer.next_row_group().map_err(table_error)?;
        for column in self.columns {
            let cells = rows.iter().map(|row| FormedCell::of(row, column));
            let cells: Vec<FormedCell> = cells.collect::<io::Result<_>>()?;
            write_column(&mut group, ColumnForm::of(column), &cells)?;
        }
        group.close().map_err(table_error)?;
        Ok(())
    }

    /// Writes the end of the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn finish(self) -> io::Result<W> {
        self.writer.into_inner().map_err(table_error)
    }
}

fn column_type(column: &str) -> Result<Type, ParquetError> {
    let typed = |physical| {
        Type::primitive_type_builder(column, physical).with_repetition(Repetition::OPTIONAL)
    };
    match ColumnForm::of(column) {
        ColumnForm::Text => {
            typed(PhysicalType::BYTE_ARRAY).with_logical_type(Some(LogicalType::String)).build()
        }
        ColumnForm::Day => {
            typed(PhysicalType::INT32).with_logical_type(Some(LogicalType::Date)).build()
        }
        ColumnForm::Count => typed(PhysicalType::INT32).build(),
        ColumnForm::Amount => {
            let scale = i32::try_from(AMOUNT_SCALE).unwrap_or_default();
            typed(PhysicalType::FIXED_LEN_BYTE_ARRAY)
                .with_length(AMOUNT_BYTES)
                .with_logical_type(Some(LogicalType::decimal(scale, AMOUNT_DIGITS)))
                .with_precision(AMOUNT_DIGITS)
                .with_scale(scale)
                .build()
        }
    }
}

/// Writes the cells of a column.
fn write_column<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    form: ColumnForm,
    cells: &[FormedCell],
) -> io::Result<()> {
    match form {
        ColumnForm::Text => write_values::<ByteArrayType, W>(group, cells, |cell| match cell {
            FormedCell::Text(text) => Ok(Some(ByteArray::from(text.as_str()))),
            _ => Ok(None),
        }),
        ColumnForm::Day => write_values::<Int32Type, W>(group, cells, |cell| match cell {
            FormedCell::Day(day) => day_number(*day).map(Some),
            _ => Ok(None),
        }),
        ColumnForm::Count => write_values::<Int32Type, W>(group, cells, |cell| match cell {
            FormedCell::Count(count) => Ok(Some(*count)),
            _ => Ok(None),
        }),
        ColumnForm::Amount => {
            write_values::<FixedLenByteArrayType, W>(group, cells, |cell| match cell {
                FormedCell::Amount(amount) => {
                    let bytes = unscaled_amount(*amount)?.to_be_bytes().to_vec();
                    Ok(Some(FixedLenByteArray::from(bytes)))
                }
                _ => Ok(None),
            })
        }
    }
}

/// Writes the values of cells, and which of them have none.
fn write_values<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    cells: &[FormedCell],
    value_of: impl Fn(&FormedCell) -> io::Result<Option<T::T>>,
) -> io::Result<()> {
    let (mut values, mut levels) = (Vec::new(), Vec::with_capacity(cells.len()));
    for cell in cells {
        let value = value_of(cell)?;
        levels.push(i16::from(value.is_some()));
        values.extend(value);
    }

    let column = group.next_column().map_err(table_error)?;
    let mut column = column.ok_or_else(|| io::Error::other("a column is missing"))?;
    let written = column.typed::<T>().write_batch(&values, Some(&levels), None);
    written.map_err(table_error)?;
    column.close().map_err(table_error)
}

fn day_number(day: Date) -> io::Result<i32> {
    let days = FIRST_DAY.until((Unit::Day, day)).map(|span| span.get_days());
    days.map_err(|error| io::Error::other(error.to_string()))
}

/// An amount as a whole number of its smallest part.
fn unscaled_amount(amount: Decimal) -> io::Result<i128> {
    let factor =
        AMOUNT_SCALE.checked_sub(amount.scale()).and_then(|more| 10_i128.checked_pow(more));
    let unscaled = factor.and_then(|factor| amount.mantissa().checked_mul(factor));
    let largest = 10_i128.pow(38);
    let unscaled = unscaled.filter(|unscaled| unscaled.abs() < largest);
    unscaled.ok_or_else(|| {
        io::Error::other(format!("{amount} does not fit 38 digits with 18 decimals; use CSV"))
    })
}

fn table_error(error: ParquetError) -> io::Error {
    io::Error::other(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_keeps_every_digit_or_is_refused() {
        let amount = |text: &str| unscaled_amount(text.parse().unwrap());
        assert_eq!(amount("-1.10").unwrap(), -1_100_000_000_000_000_000);
        assert_eq!(amount("0.000000000000000001").unwrap(), 1);
        assert!(amount("0.0000000000000000001").is_err());
        assert!(amount("79228162514264337593543950335").is_err());
        assert_eq!(
            amount("99999999999999999999").unwrap(),
            99_999_999_999_999_999_999 * 10_i128.pow(18)
        );
    }
}
