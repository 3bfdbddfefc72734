//! Tests: files of deals, rows in pipes, and messages of editors, that are changed at random.
//!
//! **Architecture invariant:** what cannot be read is refused with its place; nothing panics.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::sync::Arc;

use accredit_domain::transaction::read::FileLayout;
use accredit_fuzz::{Mutator, fuzz_target, texts_below};
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::SchemaRef;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::piped::arrow::{BatchTaker, read_batches, records};
use super::{DirectoryError, read_rows};
use crate::language_server::messages::read_message;
use crate::tabular::table_parquet::ParquetTable;

/// Reads a file with this ending and these bytes as people give it.
fn read_file(ending: &str, bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("deals.{ending}"));
    fs::write(&path, bytes).unwrap();
    if let Err(error) = read_rows(&path, &FileLayout::default()) {
        let told = error.to_string();
        assert!(told.contains("deals.") && told.contains("Help: "), "{told}");
    }
}

#[test]
fn a_changed_text_file_is_read_or_refused() {
    let mut seeds = texts_below("scripts/templates", ".csv");
    seeds.extend(seeds.clone().iter().map(|text| text.replace(',', ";")));
    seeds.push("[{\"id\":\"D1\",\"amount\":120.50},{\"id\":\"D2\",\"amount\":\"1\"}]".to_owned());
    fuzz_target!(|bytes: &[u8]| {
        let mut mutator = Mutator::new(bytes);
        let ending = *mutator.choices.one_of(&["csv", "tsv", "json", "ndjson", "csv.gz"]);
        let text = mutator.changed_text(&seeds);
        if ending != "csv.gz" {
            return read_file(ending, &mutator.changed_bytes(text.as_bytes()));
        }
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        read_file(ending, &mutator.changed_bytes(&packed.finish().unwrap()));
    });
}

/// A spreadsheet with a few rows.
fn spreadsheet() -> Vec<(String, Vec<u8>)> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (row, cells) in [["id", "date", "amount"], ["D1", "2026-03-15", "120.5"]].iter().enumerate()
    {
        for (column, cell) in cells.iter().enumerate() {
            let (row, column) = (u32::try_from(row).unwrap(), u16::try_from(column).unwrap());
            sheet.write_string(row, column, *cell).unwrap();
        }
    }
    sheet.write_number(2, 2, 0.1).unwrap();
    sheet.write_boolean(2, 1, true).unwrap();
    let packed = book.save_to_buffer().unwrap();

    let mut archive = ZipArchive::new(Cursor::new(packed)).unwrap();
    let parts = (0..archive.len()).map(|place| {
        let mut file = archive.by_index(place).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        (name, bytes)
    });
    parts.collect()
}

/// A spreadsheet of these parts, that are not packed: a change of a byte is a change of one byte.
fn packed(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in parts {
        archive.start_file(name.as_str(), stored).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn a_changed_spreadsheet_is_read_or_refused() {
    let parts = spreadsheet();
    fuzz_target!(|bytes: &[u8]| {
        let mut mutator = Mutator::new(bytes);
        let mut changed = parts.clone();
        let place = mutator.choices.below(changed.len());
        let text = String::from_utf8(changed[place].1.clone()).unwrap();
        changed[place].1 = mutator.changed_text(&[text]).into_bytes();

        let packed = packed(&changed);
        let is_damaged = mutator.choices.below(4) == 0;
        let bytes = if is_damaged { mutator.changed_bytes(&packed) } else { packed };
        read_file("xlsx", &bytes);
    });
}

/// A file of Parquet as accredit writes one, with two rows.
fn parquet_file() -> Vec<u8> {
    const COLUMNS: &[&str] = &["id", "date", "amount", "owner", "level"];
    let rows = [
        json!({"id": "D1", "date": "2026-03-15", "amount": "120.50", "owner": "Ann", "level": 2}),
        json!({"id": "D2", "date": "2026-03-16", "amount": "-1", "owner": null, "level": null}),
    ];
    let mut table = ParquetTable::begin(COLUMNS, Vec::new()).unwrap();
    table.write_rows(&rows).unwrap();
    table.finish().unwrap()
}

#[test]
fn a_changed_parquet_file_is_read_or_refused() {
    let file = parquet_file();
    read_file("parquet", &file);
    fuzz_target!(|bytes: &[u8]| {
        read_file("parquet", &Mutator::new(bytes).changed_bytes(&file));
    });
}

/// A stream of Arrow with columns of several types, each of two rows.
fn arrow_stream() -> Vec<u8> {
    let amounts = Decimal128Array::from(vec![Some(-1250), None]);
    let moments = TimestampMicrosecondArray::from(vec![Some(1_000_000), None]);
    let columns: [(&str, ArrayRef); 6] = [
        ("id", Arc::new(StringArray::from(vec![Some("D1"), Some("D2")]))),
        ("won", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("count", Arc::new(Int64Array::from(vec![Some(i64::MAX), None]))),
        ("amount", Arc::new(amounts.with_precision_and_scale(38, 2).unwrap())),
        ("date", Arc::new(Date32Array::from(vec![Some(20_527), None]))),
        ("loaded", Arc::new(moments.with_timezone("Asia/Tokyo"))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

/// Counts the rows of batches.
#[derive(Default)]
struct RowCount(usize);

impl BatchTaker for RowCount {
    fn take_schema(&mut self, _: &SchemaRef) -> Result<(), DirectoryError> {
        Ok(())
    }

    fn take_batch(&mut self, batch: &RecordBatch) -> Result<(), DirectoryError> {
        self.0 += records(batch).count();
        Ok(())
    }
}

#[test]
fn a_changed_stream_of_arrow_is_read_or_refused() {
    let stream = arrow_stream();
    let mut rows = RowCount::default();
    read_batches(&stream[..], &mut rows).unwrap();
    assert_eq!(rows.0, 2);
    fuzz_target!(|bytes: &[u8]| {
        let changed = Mutator::new(bytes).changed_bytes(&stream);
        if let Err(error) = read_batches(&changed[..], &mut RowCount::default()) {
            let told = error.to_string();
            assert!(told.contains("standard input") && told.contains("Help: "), "{told}");
        }
    });
}

#[test]
fn a_changed_message_of_an_editor_is_read_or_refused() {
    const SEEDS: &[&str] = &[
        "Content-Length: 46\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"shutdown\"}",
        "Content-Length: 52\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n\
         {\"jsonrpc\":\"2.0\",\"method\":\"initialized\",\"params\":{}}",
    ];
    fuzz_target!(|bytes: &[u8]| {
        let text = Mutator::new(bytes).changed_text(SEEDS);
        let mut input = Cursor::new(text.as_bytes());
        for _ in 0..4 {
            let Ok(Some(_)) = read_message(&mut input) else { return };
        }
    });
}
