//! Tests: files of deals, and messages of editors, that are changed at random.
//!
//! **Architecture invariant:** what cannot be read is refused with its place; nothing panics.

use std::fs;
use std::io::{Cursor, Read, Write};

use accredit_domain::transaction::read::FileLayout;
use accredit_fuzz::{Mutator, fuzz_target, texts_below};
use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::read_rows;
use crate::language_server::messages::read_message;

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
