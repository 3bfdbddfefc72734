//! Small texts that have a grammar of their own, and rows of deals.
//!
//! **Architecture invariant:** what is read is what is written, so that a value that is written and
//! read again is the same value.

use accredit_domain::delimited::DelimitedRows;
use accredit_domain::organization::{compose_id, confusable_key, fold_name};
use accredit_domain::rate_limit::RateLimit;
use accredit_domain::transaction::read::{FileLayout, RecordSheet, TextFormat, read_sheet};
use accredit_domain::transaction::{Cell, Record};
use accredit_fuzz::{Mutator, fuzz_target, texts_below};

const NAMES: &[&str] = &[
    "Ann Lee",
    " ann\u{a0}LEE ",
    "Ann Lee <ann@example.com>",
    "İstanbul",
    "I\u{307}\u{300}",
    "Straße",
    "ΣΊΣΥΦΟΣ",
    "ﬁeld",
    "\u{feff}Bob",
    "K\u{307}\u{323}",
    "Ǆ",
    "ŉ",
    "ΐ",
    "한글",
    "Å",
];

/// A dot alone between two blanks was dropped after the blanks were made one: `Ann  Lee` kept two,
/// which no other spelling of the name has.
#[test]
fn a_folded_name_stays_as_it_is() {
    fuzz_target!(|bytes: &[u8]| {
        let name = Mutator::new(bytes).changed_text(NAMES);
        let folded = fold_name(&name);
        // A name in brackets may be an address, and what is in the brackets then is the name.
        if !folded.ends_with('>') {
            assert_eq!(fold_name(&folded), folded, "{name:?}");
        }
        let composed = compose_id(&name);
        assert_eq!(compose_id(&composed), composed, "{name:?}");
        let _key = confusable_key(&name);
    });
}

#[test]
fn a_limit_of_rate_is_written_as_it_is_read() {
    let seeds = ["100/second", "600/minute", "1/hour", "1000000000/hour", " 5 / minute "];
    fuzz_target!(|bytes: &[u8]| {
        let text = Mutator::new(bytes).changed_text(&seeds);
        if let Ok(limit) = text.parse::<RateLimit>() {
            assert_eq!(limit.to_string().parse(), Ok(limit), "{text:?}");
        }
    });
}

fn cells_of(text: &str, delimiter: char) -> Option<Vec<Vec<String>>> {
    let mut rows = DelimitedRows::new(text, delimiter);
    let (mut found, mut before) = (Vec::new(), 0);
    while let Some(row) = rows.next_row().ok()? {
        let at = rows.byte_offset();
        assert!(before < at && at <= text.len(), "a row without a byte, or behind the end");
        for cell in &row {
            assert!(before <= cell.offset && cell.offset <= at, "a cell outside of its row");
        }
        before = at;
        if !row.is_empty() {
            found.push(row.into_iter().map(|cell| cell.text).collect());
        }
    }
    Some(found)
}

/// Rows of cells as delimited text in which each cell is quoted.
fn written_rows(rows: &[Vec<String>], delimiter: char) -> String {
    let sign = u8::try_from(delimiter).unwrap();
    let quoted = csv::QuoteStyle::Always;
    let mut writer = csv::WriterBuilder::new();
    writer.delimiter(sign).quote_style(quoted).flexible(true);
    let mut writer = writer.from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

#[test]
fn delimited_rows_are_written_as_they_are_read() {
    let seeds = texts_below("scripts/templates", ".csv");
    fuzz_target!(|bytes: &[u8]| {
        let mut mutator = Mutator::new(bytes);
        let delimiter = *mutator.choices.one_of(&[',', ';', '\t', '|']);
        let text = mutator.changed_text(&seeds);
        if let Some(rows) = cells_of(&text, delimiter) {
            let written = written_rows(&rows, delimiter);
            assert_eq!(cells_of(&written, delimiter), Some(rows), "{text:?}");
        }
    });
}

const JSON_ROWS: &[&str] = &[
    r#"[{"id":"D1","date":"2026-03-15","amount":120.50,"owner":"Ann"},{"id":"D2","won":true,"x":null}]"#,
    "{\"id\":\"D1\",\"amount\":1e3}\n\n{\"id\":\"D2\",\"tags\":[1,{\"a\":\"\\u00e9\"}]}\n",
    r#"{"id":"D\"1","date":"2026-03-15T10:00:00+02:00","amount":"1,234.50"}"#,
];

/// A row as JSON, as the inbox keeps it.
fn json_of(record: &Record) -> String {
    serde_json::to_string(&record.to_json()).unwrap()
}

/// Every row of a body is a row again when it is written; a body that is refused says where.
fn check_rows(format: TextFormat, body: &str) {
    match read_sheet(format, body.as_bytes(), &FileLayout::default()) {
        Ok(sheet) => {
            for row in &sheet.rows {
                let lines = body.split('\n').count() as u64;
                assert!(row.line >= 1 && row.line <= lines, "line {} of {lines}", row.line);
            }
            check_written(sheet);
        }
        Err(malformed) => {
            assert!(malformed.line >= 1 && malformed.column >= 1, "{malformed:?} in {body:?}");
            assert!(!malformed.message.is_empty());
        }
    }
}

fn check_written(sheet: RecordSheet) {
    let is_nested =
        |record: &Record| record.cells.iter().any(|(_, cell)| matches!(cell, Cell::Nested(_)));
    for record in sheet.into_records() {
        // A cell with structure is text once it is written.
        if is_nested(&record) {
            continue;
        }
        let written = json_of(&record);
        let read = read_sheet(TextFormat::Json, written.as_bytes(), &FileLayout::default());
        let read = read.unwrap().into_records();
        assert_eq!(read.iter().map(json_of).collect::<Vec<_>>(), [written]);
    }
}

#[test]
fn rows_of_json_are_written_as_they_are_read() {
    fuzz_target!(|bytes: &[u8]| {
        let mut mutator = Mutator::new(bytes);
        let format = *mutator.choices.one_of(&[TextFormat::Json, TextFormat::Ndjson]);
        check_rows(format, &mutator.changed_text(JSON_ROWS));
    });
}

#[test]
fn rows_of_delimited_text_are_written_as_they_are_read() {
    let seeds = texts_below("scripts/templates", ".csv");
    fuzz_target!(|bytes: &[u8]| {
        check_rows(TextFormat::Csv, &Mutator::new(bytes).changed_text(&seeds));
    });
}
