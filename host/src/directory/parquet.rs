//! Rows out of Parquet files.
//!
//! Not decoding by type: a cell is text, digits, a boolean or null, as in the other formats. A
//! fraction in binary becomes its shortest decimal text, so no amount is ever a float on its way
//! through the engine. Called by `directory`. Source: FORMAT section 1.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use accredit_domain::calendar::days_after;
use accredit_domain::transaction::{Cell, Record};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Unit};
use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::data_type::Decimal;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::types::{ColumnDescPtr, TypePtr};

use super::damaged::{read_damaged, read_damaged_items};

/// Rows that are read when they are asked for.
type Records = Box<dyn Iterator<Item = Result<Record, String>>>;

/// The columns and rows of the file at `path`.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn read(path: &Path) -> Result<(Vec<String>, Records), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let reader = read_damaged(|| SerializedFileReader::new(file))?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();

    // The reader of rows would panic at one.
    let interval = |column: &&ColumnDescPtr| column.converted_type() == ConvertedType::INTERVAL;
    if let Some(column) = schema.columns().iter().find(interval) {
        return Err(format!("the column `{}` holds intervals", column.path().string()));
    }

    let fields = schema.root_schema().get_fields();
    let name = |field: &TypePtr| field.name().to_owned();
    let columns: Vec<String> = fields.iter().map(name).collect();

    // Nanoseconds have no older name, by which the reader of rows would know a timestamp.
    let nanoseconds = |field: &&TypePtr| {
        matches!(field.get_basic_info().logical_type_ref(),
            Some(LogicalType::Timestamp(stamp)) if stamp.unit == TimeUnit::NANOS)
    };
    let stamps: BTreeSet<String> = fields.iter().filter(nanoseconds).map(name).collect();

    // Anyone who wrote these looked at a clock: they have no offset.
    let local = |field: &&TypePtr| {
        matches!(field.get_basic_info().logical_type_ref(),
            Some(LogicalType::Timestamp(stamp)) if !stamp.is_adjusted_to_u_t_c)
    };
    let locals: BTreeSet<String> = fields.iter().filter(local).map(name).collect();

    let records = read_damaged_items(reader.into_iter()).map(move |row| {
        let row = row?;
        let cells = row.get_column_iter().map(|(column, field)| {
            let cell = match field {
                Field::Long(number) if stamps.contains(column) => {
                    timestamp_cell(i128::from(*number))
                }
                field => field_cell(field),
            };
            let is_local = locals.contains(column);
            (column.clone(), if is_local { without_offset(cell) } else { cell })
        });

        Ok(Record { cells: cells.collect() })
    });

    Ok((columns, Box::new(records)))
}

fn field_cell(field: &Field) -> Cell {
    match field {
        Field::Null => Cell::Null,
        Field::Bool(flag) => Cell::Bool(*flag),
        Field::Byte(number) => Cell::Number(number.to_string()),
        Field::Short(number) => Cell::Number(number.to_string()),
        Field::Int(number) => Cell::Number(number.to_string()),
        Field::Long(number) => Cell::Number(number.to_string()),
        Field::UByte(number) => Cell::Number(number.to_string()),
        Field::UShort(number) => Cell::Number(number.to_string()),
        Field::UInt(number) => Cell::Number(number.to_string()),
        Field::ULong(number) => Cell::Number(number.to_string()),
        // The shortest decimal text that means this number and no other of its width.
        Field::Float16(number) => Cell::Number(number.to_string()),
        Field::Float(number) => Cell::Number(number.to_string()),
        Field::Double(number) => Cell::Number(number.to_string()),
        Field::Decimal(number) => decimal_cell(number),
        Field::Str(text) => Cell::Text(text.clone()),
        Field::Bytes(bytes) => match std::str::from_utf8(bytes.data()) {
            Ok(text) => Cell::Text(text.to_owned()),
            Err(_) => Cell::Nested(format!("{} bytes", bytes.len())),
        },

        Field::Date(days) => {
            let day = days_after(Date::constant(1970, 1, 1), i64::from(*days));
            day.map_or(Cell::Nested(format!("{days} days")), |day| Cell::Text(day.to_string()))
        }

        Field::TimeMillis(time) => time_of_day(i64::from(*time).saturating_mul(1000)),
        Field::TimeMicros(time) => time_of_day(*time),
        Field::TimestampMillis(time) => timestamp_cell(i128::from(*time) * 1_000_000),
        Field::TimestampMicros(time) => timestamp_cell(i128::from(*time) * 1000),
        Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => {
            Cell::Nested(field.to_string())
        }
    }
}

/// Digits with a point where the scale puts it; never a float on the way.
fn decimal_cell(number: &Decimal) -> Cell {
    let bytes = number.data();
    let negative = bytes.first().is_some_and(|byte| *byte >= 0x80);
    let fill = if negative { 0xff } else { 0 };
    let excess = bytes.len().saturating_sub(16);
    let (beyond, bytes) = bytes.split_at(excess);

    let mut whole = [fill; 16];
    whole.iter_mut().rev().zip(bytes.iter().rev()).for_each(|(to, from)| *to = *from);

    let unscaled = i128::from_be_bytes(whole);
    if beyond.iter().any(|byte| *byte != fill) || (unscaled < 0) != negative {
        return Cell::Nested("a decimal of more than 38 digits".to_owned());
    }

    let scale = usize::try_from(number.scale()).unwrap_or(0);
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (units, fraction) = digits.split_at(digits.len() - scale);
    let sign = if negative { "-" } else { "" };
    let point = if scale > 0 { "." } else { "" };

    Cell::Number(format!("{sign}{units}{point}{fraction}"))
}

/// A moment, in nanoseconds since 1970, as ISO date and time.
pub(super) fn timestamp_cell(nanoseconds: i128) -> Cell {
    match Timestamp::from_nanosecond(nanoseconds) {
        Ok(stamp) => Cell::Text(stamp.to_string()),
        Err(_) => Cell::Nested(format!("{nanoseconds} nanoseconds")),
    }
}

/// The cell of a moment as a date and time without an offset.
pub(super) fn without_offset(cell: Cell) -> Cell {
    let Cell::Text(text) = &cell else { return cell };
    match text.parse::<Timestamp>() {
        Ok(moment) => Cell::Text(moment.to_zoned_datetime(TimeZone::UTC).datetime().to_string()),
        Err(_) => cell,
    }
}

fn time_of_day(microseconds: i64) -> Cell {
    let time = Time::midnight().checked_add(SignedDuration::from_micros(microseconds));
    match time.and_then(|time| time.round(Unit::Microsecond)) {
        Ok(time) => Cell::Text(time.to_string()),
        Err(_) => Cell::Nested(format!("{microseconds} microseconds")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::data_type::{
        BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray,
        FixedLenByteArrayType, Int32Type, Int64Type,
    };
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
    use parquet::schema::parser::parse_message_type;

    use super::*;

    const SCHEMA: &str = "message deals {
        required binary id (STRING);
        required int32 date (DATE);
        required int64 amount (DECIMAL(18, 2));
        required fixed_len_byte_array(16) wide (DECIMAL(38, 10));
        required double rate;
        optional boolean renewal;
        required int64 loaded (TIMESTAMP(NANOS, true));
        required int64 seen (TIMESTAMP(MICROS, true));
        required int32 quantity;
        required binary raw;
        required int64 noticed (TIMESTAMP(MILLIS, false));
        required int64 closed (TIMESTAMP(NANOS, false));
        required int64 span (TIME(MICROS, true));
    }";

    type Group<'a> = SerializedRowGroupWriter<'a, File>;

    fn column<T: DataType>(group: &mut Group<'_>, values: &[T::T], levels: Option<&[i16]>) {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<T>().write_batch(values, levels, None).unwrap();
        column.close().unwrap();
    }

    fn text(text: &str) -> ByteArray {
        ByteArray::from(text)
    }

    fn write(path: &Path) {
        let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
        let properties = Arc::new(WriterProperties::builder().build());
        let file = File::create(path).unwrap();
        let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let wide =
            |number: i128| FixedLenByteArray::from(ByteArray::from(number.to_be_bytes().to_vec()));
        column::<ByteArrayType>(&mut group, &[text("D1"), text("D2")], None);
        column::<Int32Type>(&mut group, &[19_004, -1], None);
        column::<Int64Type>(&mut group, &[12_345, -5], None);
        let wides = [wide(-1), wide(123_456_789_012_345_678_901_234_567_890)];
        column::<FixedLenByteArrayType>(&mut group, &wides, None);
        column::<DoubleType>(&mut group, &[0.1, 1e22], None);
        column::<BoolType>(&mut group, &[true], Some(&[1, 0]));
        let noon = 1_642_000_000_000_000_000;
        column::<Int64Type>(&mut group, &[noon, 0], None);
        column::<Int64Type>(&mut group, &[noon / 1000, 0], None);
        column::<Int32Type>(&mut group, &[7, -7], None);
        let raw = [text("text"), ByteArray::from(vec![0xff, 0])];
        column::<ByteArrayType>(&mut group, &raw, None);
        column::<Int64Type>(&mut group, &[noon / 1_000_000, 0], None);
        column::<Int64Type>(&mut group, &[noon, 0], None);
        column::<Int64Type>(&mut group, &[1_500_000, i64::MAX], None);
        group.close().unwrap();
        writer.close().unwrap();
    }

    #[test]
    fn parquet_rows_are_read_without_a_float() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deals.parquet");
        write(&path);
        let (columns, records) = read(&path).unwrap();
        let records: Vec<Record> = records.collect::<Result<_, _>>().unwrap();
        assert_eq!(columns.len(), 13);
        let cells = |index: usize| -> Vec<Cell> {
            records[index].cells.iter().map(|(_, cell)| cell.clone()).collect()
        };
        let (number, text) = (|it: &str| Cell::Number(it.into()), |it: &str| Cell::Text(it.into()));
        // 19004 days after 1970-01-01 are 52 years, 13 leap days and 11 days.
        let first = [
            text("D1"),
            text("2022-01-12"),
            number("123.45"),
            number("-0.0000000001"),
            number("0.1"),
            Cell::Bool(true),
            text("2022-01-12T15:06:40Z"),
            text("2022-01-12T15:06:40Z"),
            number("7"),
            text("text"),
            text("2022-01-12T15:06:40"),
            text("2022-01-12T15:06:40"),
            text("00:00:01.5"),
        ];
        assert_eq!(cells(0), first);
        let second = [
            text("D2"),
            text("1969-12-31"),
            number("-0.05"),
            number("12345678901234567890.1234567890"),
            number("10000000000000000000000"),
            Cell::Null,
            text("1970-01-01T00:00:00Z"),
            text("1970-01-01T00:00:00Z"),
            number("-7"),
            Cell::Nested("2 bytes".to_owned()),
            text("1970-01-01T00:00:00"),
            text("1970-01-01T00:00:00"),
            Cell::Nested("9223372036854775807 microseconds".to_owned()),
        ];
        assert_eq!(cells(1), second);
    }

    #[test]
    fn what_is_not_parquet_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deals.parquet");
        std::fs::write(&path, "id,date\n").unwrap();
        assert!(read(&path).is_err());
    }

    #[test]
    fn decimals_beyond_38_digits_are_no_numbers() {
        let bytes = |bytes: Vec<u8>| Decimal::from_bytes(ByteArray::from(bytes), 76, 2);
        let mut wide = vec![0; 32];
        wide[31] = 250;
        assert_eq!(decimal_cell(&bytes(wide.clone())), Cell::Number("2.50".to_owned()));
        wide[0] = 1;
        assert!(matches!(decimal_cell(&bytes(wide)), Cell::Nested(_)));
        assert_eq!(decimal_cell(&bytes(vec![0xff])), Cell::Number("-0.01".to_owned()));
    }
}
