//! Credits as Parquet: typed columns in row groups.
//!
//! Texts and words are text, dates are dates, an amount is a decimal of 38 digits where all units have
//! as many decimals. A share is text, since each may have other decimals. Not reading Parquet
//! (`directory::parquet`). Called by `writer`.
//!
//! **Architecture invariant:** no amount is a float, and none loses a digit.

use std::io::{self, Write};
use std::sync::Arc;

use accredit_domain::credit::fields::{CREDIT_FIELDS, CellKind, CreditCell, CreditField};
use accredit_domain::credit::posted::PostedCredit;
use bytes::Bytes;
use jiff::Unit;
use jiff::civil::Date;
use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType};
use parquet::column::writer::{
    ColumnCloseResult, ColumnWriter, get_column_writer, get_typed_column_writer_mut,
};
use parquet::data_type::{
    ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int32Type,
};
use parquet::errors::ParquetError;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite};
use parquet::schema::types::{ColumnPath, SchemaDescriptor, Type, TypePtr};
use rust_decimal::Decimal;

use super::credits::push_plain;

/// Digits of a decimal in 16 bytes.
const DECIMAL_DIGITS: i32 = 38;
const DECIMAL_BYTES: i32 = 16;

/// The day from which Parquet counts.
const FIRST_DAY: Date = Date::constant(1970, 1, 1);

/// The columns of a file of credits.
#[derive(Debug, Clone)]
pub(crate) struct CreditColumns {
    schema: TypePtr,
    descriptor: Arc<SchemaDescriptor>,
    properties: WriterPropertiesPtr,
    kinds: Vec<ColumnKind>,
}

/// How a column is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ColumnKind {
    Text,
    Date,
    Count,
    /// A decimal with so many decimals.
    Amount(u32),
}

/// The columns of a block, each as it stands in the file.
pub(crate) struct RowGroup {
    columns: Vec<(Bytes, ColumnCloseResult)>,
}

/// A file that is being written.
pub(super) struct CreditFile<W: Write + Send> {
    writer: SerializedFileWriter<W>,
}

impl CreditColumns {
    /// The columns of credits whose amounts have so many decimals; without a number, amounts are text.
    ///
    /// # Errors
    /// When the library refuses them.
    pub(crate) fn new(amount_scale: Option<u32>) -> io::Result<CreditColumns> {
        let kind = |field: &CreditField| match (field.name, field.kind) {
            (_, CellKind::Date) | ("release_date", _) => ColumnKind::Date,
            (_, CellKind::OptionalCount) => ColumnKind::Count,
            (_, CellKind::Number) => amount_scale.map_or(ColumnKind::Text, ColumnKind::Amount),
            _ => ColumnKind::Text,
        };
        let kinds: Vec<ColumnKind> = CREDIT_FIELDS.iter().map(kind).collect();

        let columns = CREDIT_FIELDS.iter().zip(&kinds).map(|(field, kind)| {
            let optional = matches!(field.kind, CellKind::OptionalText | CellKind::OptionalCount);
            kind.column_type(field.name, optional).map(Arc::new)
        });
        let columns = columns.collect::<Result<_, _>>().map_err(write_error)?;

        let schema = Type::group_type_builder("credits").with_fields(columns).build();
        let schema = Arc::new(schema.map_err(write_error)?);
        let descriptor = Arc::new(SchemaDescriptor::new(Arc::clone(&schema)));

        // An id is in one row alone: a dictionary of them would be as long as the column.
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_column_dictionary_enabled(ColumnPath::from("id"), false)
            .build();
        Ok(CreditColumns { schema, descriptor, properties: Arc::new(properties), kinds })
    }

    /// Begins a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn begin_file<W: Write + Send>(&self, out: W) -> io::Result<CreditFile<W>> {
        let (schema, properties) = (Arc::clone(&self.schema), Arc::clone(&self.properties));
        let writer = SerializedFileWriter::new(out, schema, properties).map_err(write_error)?;
        Ok(CreditFile { writer })
    }

    /// Makes a row group of credits.
    ///
    /// # Errors
    /// When a value does not fit its column.
    pub(super) fn row_group(&self, credits: &[PostedCredit]) -> io::Result<RowGroup> {
        let columns = CREDIT_FIELDS.iter().zip(&self.kinds).enumerate();
        let columns = columns.map(|(index, (field, kind))| {
            let mut sink = TrackedWrite::new(Vec::new());
            let pages = Box::new(SerializedPageWriter::new(&mut sink));
            let column = self.descriptor.column(index);
            let mut writer = get_column_writer(column, Arc::clone(&self.properties), pages);

            kind.write_column(&mut writer, field, credits)?;
            let closed = writer.close().map_err(write_error)?;
            let bytes = sink.into_inner().map_err(write_error)?;
            Ok((Bytes::from(bytes), closed))
        });
        Ok(RowGroup { columns: columns.collect::<io::Result<_>>()? })
    }
}

impl<W: Write + Send> CreditFile<W> {
    /// Writes a row group behind the others.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write_group(&mut self, rows: RowGroup) -> io::Result<()> {
        let mut group = self.writer.next_row_group().map_err(write_error)?;
        for (bytes, closed) in rows.columns {
            group.append_column(&bytes, closed).map_err(write_error)?;
        }
        group.close().map_err(write_error)?;
        Ok(())
    }

    /// Writes the end of the file, which says where everything is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn finish(self) -> io::Result<W> {
        self.writer.into_inner().map_err(write_error)
    }
}

impl ColumnKind {
    fn column_type(self, name: &str, optional: bool) -> Result<Type, ParquetError> {
        let repetition = if optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        let column =
            |physical| Type::primitive_type_builder(name, physical).with_repetition(repetition);

        match self {
            ColumnKind::Text => column(PhysicalType::BYTE_ARRAY)
                .with_logical_type(Some(LogicalType::String))
                .build(),
            ColumnKind::Date => {
                column(PhysicalType::INT32).with_logical_type(Some(LogicalType::Date)).build()
            }
            ColumnKind::Count => column(PhysicalType::INT32).build(),
            ColumnKind::Amount(scale) => {
                let scale = i32::try_from(scale).unwrap_or(i32::MAX);
                column(PhysicalType::FIXED_LEN_BYTE_ARRAY)
                    .with_length(DECIMAL_BYTES)
                    .with_logical_type(Some(LogicalType::decimal(scale, DECIMAL_DIGITS)))
                    .with_precision(DECIMAL_DIGITS)
                    .with_scale(scale)
                    .build()
            }
        }
    }

    /// Writes the cells of one field.
    fn write_column(
        self,
        writer: &mut ColumnWriter<'_>,
        field: &CreditField,
        credits: &[PostedCredit],
    ) -> io::Result<()> {
        let cells = credits.iter().map(field.cell);
        match self {
            ColumnKind::Text => {
                write_values::<ByteArrayType>(writer, cells.clone(), text_values(cells))
            }
            ColumnKind::Date => write_values::<Int32Type>(writer, cells.clone(), days(cells)?),
            ColumnKind::Count => write_values::<Int32Type>(writer, cells.clone(), counts(cells)?),
            ColumnKind::Amount(scale) => {
                let values = amounts(cells.clone(), scale)?;
                write_values::<FixedLenByteArrayType>(writer, cells, values)
            }
        }
    }
}

/// Writes values, and for an optional column which of the cells have none.
fn write_values<'a, T: DataType>(
    writer: &mut ColumnWriter<'_>,
    cells: impl Iterator<Item = CreditCell<'a>>,
    values: Vec<T::T>,
) -> io::Result<()> {
    let column = get_typed_column_writer_mut::<T>(writer);
    let levels: Vec<i16> = cells.map(|cell| i16::from(cell != CreditCell::Empty)).collect();
    let optional = column.get_descriptor().max_def_level() > 0;
    let levels = optional.then_some(levels.as_slice());
    column.write_batch(&values, levels, None).map_err(write_error)?;
    Ok(())
}

/// The texts of a column: parts of one list of bytes, so that none of them is allocated alone.
fn text_values<'a>(cells: impl Iterator<Item = CreditCell<'a>>) -> Vec<ByteArray> {
    let (mut bytes, mut places) = (Vec::new(), Vec::new());
    let mut last = (CreditCell::Empty, 0..0);

    for cell in cells.filter(|cell| *cell != CreditCell::Empty) {
        if cell != last.0 {
            let start = bytes.len();
            push_plain(&mut bytes, cell);
            last = (cell, start..bytes.len());
        }
        places.push(last.1.clone());
    }

    let bytes = Bytes::from(bytes);
    places.into_iter().map(|place| ByteArray::from(bytes.slice(place))).collect()
}

/// The dates of a column, in days since 1970.
fn days<'a>(cells: impl Iterator<Item = CreditCell<'a>>) -> io::Result<Vec<i32>> {
    let dates = cells.filter_map(|cell| match cell {
        CreditCell::Date(date) => Some(date),
        _ => None,
    });
    dates.map(day_number).collect()
}

/// A date, in days since 1970.
pub(super) fn day_number(date: Date) -> io::Result<i32> {
    let days = FIRST_DAY.until((Unit::Day, date)).map(|days| days.get_days());
    days.map_err(io::Error::other)
}

/// The whole numbers of a column.
fn counts<'a>(cells: impl Iterator<Item = CreditCell<'a>>) -> io::Result<Vec<i32>> {
    let counts = cells.filter_map(|cell| match cell {
        CreditCell::Count(count) => Some(count),
        _ => None,
    });
    counts.map(|count| i32::try_from(count).map_err(io::Error::other)).collect()
}

/// The amounts of a column, as whole numbers of so many decimals.
fn amounts<'a>(
    cells: impl Iterator<Item = CreditCell<'a>>,
    scale: u32,
) -> io::Result<Vec<FixedLenByteArray>> {
    let mut bytes = Vec::new();
    for cell in cells {
        let CreditCell::Number(amount) = cell else { continue };
        bytes.extend_from_slice(&unscaled(amount, scale)?.to_be_bytes());
    }

    let bytes = Bytes::from(bytes);
    let size = usize::try_from(DECIMAL_BYTES).unwrap_or_default();
    let starts = (0..bytes.len()).step_by(size);
    let values = starts.map(|start| ByteArray::from(bytes.slice(start..start + size)));
    Ok(values.map(FixedLenByteArray::from).collect())
}

/// An amount as a whole number of units of 10^-scale.
pub(super) fn unscaled(amount: Decimal, scale: u32) -> io::Result<i128> {
    let more = scale.checked_sub(amount.scale());
    let factor = more.and_then(|more| 10_i128.checked_pow(more));
    let unscaled = factor.and_then(|factor| amount.mantissa().checked_mul(factor));
    unscaled.ok_or_else(|| {
        io::Error::other(format!("{amount} has other decimals than its unit ({scale})"))
    })
}

/// An error of the library as one of writing: what the system said stays what it said.
fn write_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(cause) => match cause.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(cause) => io::Error::other(cause),
        },
        error => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    use serde_json::{Value, json};

    use super::*;
    use crate::tabular::writer::{CreditFormat, CreditWriter};

    fn credits() -> Vec<PostedCredit> {
        let id = |digit: &str| format!("crd_{}", digit.repeat(32));
        let credit = |number: usize| {
            let amount = ["-12.50", "0.00", "1000000000000000.00", "7.01"][number % 4];
            let optional = number.is_multiple_of(2);
            let some = |value: Value| if optional { value } else { Value::Null };
            json!({
                "id": id(&(number % 10).to_string()), "transaction": format!("=D{number},\"株\"\n"),
                "incentive_date": "1969-12-31", "plan": "p", "rule": "r", "result": "",
                "kind": "indirect", "position": some(json!("P1")), "payee": some(json!("ann")),
                "team": some(json!("T1")), "relationship": some(json!("Reporting")),
                "via": some(json!("P0")), "level": some(json!(number)), "source": some(json!(id("a"))),
                "share": some(json!("0.125")), "period": "2026-03", "credit_type": "credit",
                "unit_type": "USD", "amount": amount, "status": "held",
                "release_date": some(json!("2026-04-01")), "reason": some(json!("until")),
                "reason_code": some(json!("Advance")), "origin": "late",
                "reverses": some(json!(id("b"))), "ruleset": "rs",
            })
        };
        (0..10).map(|number| serde_json::from_value(credit(number)).unwrap()).collect()
    }

    fn written(credits: &[PostedCredit], scale: Option<u32>) -> SerializedFileReader<Bytes> {
        let columns = CreditColumns::new(scale).unwrap();
        let mut writer =
            CreditWriter::begin(Vec::new(), CreditFormat::Parquet(columns.clone()), 2).unwrap();
        for group in credits.chunks(6) {
            let block = CreditFormat::Parquet(columns.clone()).format_block(group).unwrap();
            writer.write_block(block).unwrap();
        }
        SerializedFileReader::new(Bytes::from(writer.finish().unwrap())).unwrap()
    }

    /// The text of a cell that was read.
    fn text(field: &Field) -> Option<String> {
        match field {
            Field::Null => None,
            Field::Str(text) => Some(text.clone()),
            Field::Int(count) => Some(count.to_string()),
            Field::Date(days) => {
                let date = FIRST_DAY.checked_add(jiff::Span::new().days(*days)).unwrap();
                Some(date.to_string())
            }
            Field::Decimal(number) => {
                let bytes: [u8; 16] = number.data().try_into().unwrap();
                let scale = u32::try_from(number.scale()).unwrap();
                let number = Decimal::from_i128_with_scale(i128::from_be_bytes(bytes), scale);
                Some(number.to_string())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn credits_are_read_as_they_were_written() {
        let credits = credits();
        for scale in [Some(2), None] {
            let file = written(&credits, scale);
            assert_eq!(file.metadata().num_row_groups(), 2);

            let rows: Vec<_> = file.get_row_iter(None).unwrap().map(Result::unwrap).collect();
            assert_eq!(rows.len(), credits.len());
            for (row, credit) in rows.iter().zip(&credits) {
                let cells = row.get_column_iter().zip(&CREDIT_FIELDS);
                for ((name, cell), field) in cells {
                    assert_eq!(name, field.name);
                    let expected = (field.cell)(credit).to_text().map(|text| text.into_owned());
                    assert_eq!(text(cell), expected, "{name}");
                    let typed = matches!(cell, Field::Decimal(_));
                    assert_eq!(typed, field.name == "amount" && scale.is_some());
                }
            }
        }
        assert_eq!(written(&[], None).metadata().file_metadata().num_rows(), 0);
    }

    /// A decimal that is cut would be another amount.
    #[test]
    fn an_amount_with_more_decimals_than_its_column_is_refused() {
        let columns = CreditColumns::new(Some(1)).unwrap();
        assert!(columns.row_group(&credits()).is_err());
        assert_eq!(unscaled(Decimal::new(5, 1), 3).unwrap(), 500);
        assert!(unscaled(Decimal::MAX, 28).is_err());
    }
}
