//! Every type of column with every spelling that somebody delivered: what it is read as, or that it is
//! refused. Through CSV and JSON alike.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dates::DateFormat;
use super::*;

/// Refused: the cell is no value of its type.
const BAD: &str = "bad";

/// A blank cell.
const NONE: &str = "blank";

#[rustfmt::skip]
const NUMBERS: &[(&str, &str)] = &[
    ("0", "0"), ("-0", "0"), ("1", "1"), ("007", "7"), ("+5", "5"), ("-5", "-5"),
    ("1234.50", "1234.5"), (".5", "0.5"), ("5.", "5"), ("-.5", "-0.5"), ("1e3", "1000"),
    ("1E3", "1000"), ("1.5e-3", "0.0015"), ("1e+2", "100"), (" 12 ", "12"), ("\u{a0}12\u{a0}", "12"),
    ("\u{200b}12", "12"), ("", NONE), (" ", NONE), ("NULL", NONE), ("n/a", NONE),
    ("0.1234567890123456789012345678901234567890", "0.1234567890123456789012345679"),
    ("0.0000000000000000000000000000000000000001", "0"), ("1e-40", "0"),
    ("1234567890123456789012345678.951", "1234567890123456789012345679"),
    ("79228162514264337593543950335", "79228162514264337593543950335"),
    ("79228162514264337593543950336", BAD), ("1e28", "10000000000000000000000000000"),
    ("1e29", BAD), ("1e99999", BAD), ("0e99999", BAD), ("0e9999", "0"),
    ("1_000", BAD), ("++5", BAD), ("--5", BAD), ("+-5", BAD), ("5-", BAD), ("1,5", BAD),
    ("1,234.50", BAD), ("$5", BAD), ("5 USD", BAD), ("(5)", BAD), ("5%", BAD), ("0x10", BAD),
    ("1 000", BAD), ("1e", BAD), ("e5", BAD), ("1e1.5", BAD), (".", BAD), ("-", BAD), ("NaN", BAD),
    ("inf", BAD), ("١٢", BAD), ("five", BAD), ("1.2.3", BAD), ("12\u{a0}5", BAD), ("true", BAD),
];

/// In the style of `1.234,56 €`.
#[rustfmt::skip]
const EUROPEAN: &[(&str, &str)] = &[
    ("1.234,56", "1234.56"), ("1234,56", "1234.56"), ("1.234", "1234"), ("12.345.678,9", "12345678.9"),
    ("0,5", "0.5"), ("5", "5"), ("-1.234,56", "-1234.56"), ("1.234,56-", "-1234.56"),
    ("(1.234,56)", "-1234.56"), ("\u{2212}5", "-5"), ("+5", "5"), ("1.234,56 €", "1234.56"),
    ("€1.234,56", "1234.56"), ("- 5 €", "-5"), ("€ -5", "-5"), ("5,00\u{a0}€", "5"), ("", NONE),
    ("1234.56", BAD), ("1,234.56", BAD), ("1.23", BAD), ("1.2345", BAD), ("12.34.567", BAD),
    ("1..234", BAD), (".234", BAD), ("1.234,", BAD), ("1,2,3", BAD), ("(-5)", BAD), ("-5-", BAD),
    ("$5", BAD), ("€5€", BAD), ("5 EUR", BAD), ("1 234,56", BAD), ("€", BAD), ("1e3", BAD),
];

/// In the style of `1,234.56`.
#[rustfmt::skip]
const AMERICAN: &[(&str, &str)] = &[
    ("1,234.56", "1234.56"), ("1,234,567", "1234567"), ("12,34,567.5", "1234567.5"),
    ("999", "999"), ("1234567.5", "1234567.5"), ("1,23", BAD), ("1,234,56", BAD), ("1.234,56", BAD),
    (",123", BAD), ("$1,234.56", BAD),
];

/// In the style of `1 234,56`.
#[rustfmt::skip]
const SPACED: &[(&str, &str)] = &[
    ("1 234,56", "1234.56"), ("1\u{a0}234,56", "1234.56"), ("1\u{202f}234\u{202f}567", "1234567"),
    ("1234,5", "1234.5"), ("1  234", BAD), ("1 23", BAD), ("1.234,56", BAD),
];

/// In the time zone America/New_York.
#[rustfmt::skip]
const DATES: &[(&str, &str)] = &[
    ("2026-01-31", "2026-01-31"), ("2026-1-31", "2026-01-31"), ("2026-1-1", "2026-01-01"),
    ("2026/01/31", "2026-01-31"), ("2026/1/3", "2026-01-03"), (" 2026-01-31 ", "2026-01-31"),
    ("2026-02-01T03:30:00Z", "2026-01-31"), ("2026-02-01t03:30:00z", "2026-01-31"),
    ("2026-02-01 03:30:00 UTC", "2026-01-31"), ("2026-02-01T03:30:00+00:00", "2026-01-31"),
    ("2026-02-01T03:30:00.000+0000", "2026-01-31"), ("2026-02-01T03:30:00-05:00", "2026-02-01"),
    ("2026-02-01T03:30:00-0500", "2026-02-01"), ("2026-02-01 03:30:00 +09", "2026-01-31"),
    ("2026-02-01T03:30-05:00[America/New_York]", "2026-02-01"), ("2026-02-01T03:30Z", "2026-01-31"),
    ("2026-01-31T23:00:00", "2026-01-31"), ("2026-01-31 23:00", "2026-01-31"),
    ("2026-01-31T23:00:00.123456789", "2026-01-31"), ("2026-01-31 9:05", "2026-01-31"),
    ("2016-12-31T23:59:60Z", "2016-12-31"), ("2026-07-01T03:59:59Z", "2026-06-30"),
    ("2026-07-01T04:00:00Z", "2026-07-01"), ("2024-02-29", "2024-02-29"), ("", NONE), ("null", NONE),
    ("2026-02-29", BAD), ("2026-13-01", BAD), ("2026-00-10", BAD), ("2026-01-32", BAD),
    ("31.01.2026", BAD), ("01/31/2026", BAD), ("20260131", BAD), ("2026-01", BAD), ("2026", BAD),
    ("26-01-31", BAD), ("2026-1-031", BAD), ("2026-01/31", BAD), ("2026-01-31T", BAD),
    ("2026-01-31Tea", BAD), ("2026-01-31T25:00", BAD), ("2026-01-31T23:60", BAD),
    ("2026-01-31T23:00+99:00", BAD), ("2026-01-31T23:00+5", BAD), ("2026-01-31 10:00 PM", BAD),
    ("2026-01-31T10:00[Europe/Berlin]", BAD), ("46053", BAD), ("1769828400", BAD), ("soon", BAD),
    ("+002026-01-31", BAD), ("-2026-01-31", BAD), ("2026-01-31T23", BAD), ("true", BAD),
];

#[rustfmt::skip]
const EPOCH: &[(&str, &str)] = &[
    ("1769916600", "2026-01-31"), ("1769916600.999", "2026-01-31"), ("1769922000", "2026-02-01"),
    ("0", "1969-12-31"), ("-1", "1969-12-31"), ("1.7699166e9", "2026-01-31"), ("", NONE),
    ("1769916600000", BAD), ("2026-01-31", BAD), ("99999999999999999999", BAD), ("x", BAD),
];

#[rustfmt::skip]
const EPOCH_MS: &[(&str, &str)] = &[
    ("1769916600000", "2026-01-31"), ("1769922000000", "2026-02-01"), ("", NONE),
    ("79228162514264337593543950335", BAD), ("2026-01-31", BAD),
];

#[rustfmt::skip]
const EXCEL: &[(&str, &str)] = &[
    ("46053", "2026-01-31"), ("46053.99", "2026-01-31"), ("1", "1900-01-01"), ("59", "1900-02-28"),
    ("61", "1900-03-01"), ("2958465", "9999-12-31"), ("", NONE), ("60", BAD), ("0", BAD),
    ("-1", BAD), ("2958466", BAD), ("2026-01-31", BAD),
];

/// As `%m/%d/%Y` or `%d.%m.%Y`.
#[rustfmt::skip]
const PATTERNS: &[(&str, &str)] = &[
    ("01/31/2026", "2026-01-31"), ("1/31/2026", "2026-01-31"), ("31.01.2026", "2026-01-31"),
    ("1.2.2026", "2026-02-01"), ("1/2/2026", "2026-01-02"), ("", NONE), ("2026-01-31", BAD),
    ("31/01/2026", BAD), ("01/31/2026 10:00", BAD), ("02/30/2026", BAD),
];

/// As `%m/%d/%Y` or `%d/%m/%Y`: what both read must be the same day.
#[rustfmt::skip]
const EITHER: &[(&str, &str)] = &[
    ("01/31/2026", "2026-01-31"), ("31/01/2026", "2026-01-31"), ("05/05/2026", "2026-05-05"),
    ("01/02/2026", BAD),
];

/// As `%Y-%m-%d %H:%M:%S %z`, whose moments have their day in the time zone.
#[rustfmt::skip]
const WITH_OFFSET: &[(&str, &str)] = &[
    ("2026-02-01 03:30:00 +0000", "2026-01-31"), ("2026-02-01 03:30:00 -0500", "2026-02-01"),
    ("2026-02-01 03:30:00", BAD),
];

#[rustfmt::skip]
const FLAGS: &[(&str, &str)] = &[
    ("true", "true"), ("TRUE", "true"), ("yes", "true"), ("1", "true"), ("false", "false"),
    ("No", "false"), ("0", "false"), (" yes ", "true"), ("", NONE), ("NULL", NONE), ("y", BAD),
    ("2", BAD), ("on", BAD), ("x", BAD),
];

#[rustfmt::skip]
const TEXTS: &[(&str, &str)] = &[
    ("Won", "Won"), ("Won ", "Won"), (" Won", "Won"), ("\u{a0}Won\u{3000}", "Won"),
    ("\u{feff}Won", "Won"), ("\tWon\u{2003}", "Won"), ("Closed  Won", "Closed  Won"), ("", ""),
    (" \u{200b} ", ""), ("null", ""), ("N/A", ""), ("0012", "0012"), ("1e3", "1e3"), ("WON", "WON"),
];

#[rustfmt::skip]
const EXACT: &[(&str, &str)] = &[
    ("Won ", "Won "), ("\u{a0}Won", "\u{a0}Won"), ("", ""), (" ", " "), ("NULL", "NULL"),
];

fn patterns(patterns: &[&str]) -> ColumnType {
    ColumnType::Date(DateFormats::from_formats(
        patterns.iter().map(|text| DateFormat::from_setting(text)).collect(),
    ))
}

fn style(example: &str) -> ColumnType {
    ColumnType::Number(Some(NumberStyle::of_example(example).unwrap()))
}

/// Types with their spellings; of 14 types about 250.
fn corpus() -> Vec<(ColumnType, &'static [(&'static str, &'static str)])> {
    vec![
        (ColumnType::NUMBER, NUMBERS),
        (style("1.234,56 €"), EUROPEAN),
        (style("1,234.56"), AMERICAN),
        (style("1 234,56"), SPACED),
        (ColumnType::iso_date(), DATES),
        (patterns(&["epoch"]), EPOCH),
        (patterns(&["epoch_ms"]), EPOCH_MS),
        (patterns(&["excel"]), EXCEL),
        (patterns(&["%m/%d/%Y", "%d.%m.%Y"]), PATTERNS),
        (patterns(&["%m/%d/%Y", "%d/%m/%Y"]), EITHER),
        (patterns(&["%Y-%m-%d %H:%M:%S %z"]), WITH_OFFSET),
        (ColumnType::Bool, FLAGS),
        (ColumnType::Text, TEXTS),
        (ColumnType::ExactText, EXACT),
    ]
}

fn fields(kind: &ColumnType) -> Arc<Fields> {
    Arc::new(Fields {
        id: vec!["id".to_owned()],
        types: BTreeMap::from([("cell".to_owned(), kind.clone())]),
        blanks: vec!["NULL".to_owned(), "N/A".to_owned()],
        zone: WorkspaceZone::from_name("America/New_York").unwrap(),
        ..Fields::default()
    })
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Date(day) => day.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Blank => NONE.to_owned(),
        Value::Bad(_) => BAD.to_owned(),
    }
}

/// The value of the column `cell` in a body of one row.
fn read_as(fields: &Arc<Fields>, rows: &[Record]) -> String {
    let transaction = Decoder::new(Arc::clone(fields)).decode(&rows[0]);
    shown(&transaction.get("cell"))
}

#[test]
fn every_spelling_is_read_alike_from_csv_and_json() {
    let mut count = 0;
    for (kind, spellings) in corpus() {
        let fields = fields(&kind);
        for (spelling, expected) in spellings {
            let csv = format!("id,cell\nA,\"{spelling}\"\n");
            let json = serde_json::json!({ "id": "A", "cell": spelling }).to_string();
            let what = format!("{kind:?} {spelling:?}");
            assert_eq!(
                read_as(&fields, &read::read_csv(csv.as_bytes()).unwrap()),
                *expected,
                "{what}"
            );
            let rows = read::read_json(json.as_bytes()).unwrap();
            assert_eq!(read_as(&fields, &rows), *expected, "{what}");
            assert_eq!(read::read_ndjson(json.as_bytes()).unwrap(), rows, "{what}");
            count += 1;
        }
    }
    assert!(count >= 200, "only {count} spellings");
}

/// A number of JSON has JSON's spelling, whatever the column's style is.
#[test]
fn numbers_of_json_are_plain() {
    let check = |kind: ColumnType, digits: &str, expected: &str| {
        let body = format!("{{\"id\": \"A\", \"cell\": {digits}}}");
        let rows = read::read_json(body.as_bytes()).unwrap();
        assert_eq!(read_as(&fields(&kind), &rows), expected, "{kind:?} {digits}");
    };
    check(ColumnType::NUMBER, "1234.5", "1234.5");
    check(style("1.234,56"), "1234.5", "1234.5");
    check(style("1,234.56"), "1e3", "1000");
    check(patterns(&["epoch_ms"]), "1769916600000", "2026-01-31");
    check(patterns(&["excel"]), "46053", "2026-01-31");
    check(ColumnType::Bool, "true", "true");
    check(ColumnType::Text, "true", "true");
    check(ColumnType::NUMBER, "true", BAD);
    check(ColumnType::iso_date(), "[1]", BAD);
    check(ColumnType::iso_date(), "null", NONE);
    check(ColumnType::Text, "null", "");
}

#[test]
fn examples_of_numbers_show_their_signs() {
    let check = |example: &str, good: bool| {
        let style = NumberStyle::of_example(example);
        assert_eq!(style.is_some(), good, "{example}: {style:?}");
    };
    let good = ["1.234,56", "1,234.56", "1 234,56", "1'234.50", "1234,5", "1,234,567", "$1,234.56"];
    good.iter().for_each(|example| check(example, true));
    let wrong =
        ["1,234", "1.234", "1234", "", "x", "1.2,3.4", "1,234.567,8", "$1.234,56 €", "-1,5"];
    wrong.iter().for_each(|example| check(example, false));
}

/// A double rounding: to 28 decimals it is half a cent, and of all its digits less than that.
#[test]
fn lost_digits_are_noticed_where_money_would_change() {
    let check = |text: &str, scale: u8, changes: bool| {
        assert_eq!(numbers::rounding_changes(text, scale), changes, "{text}");
    };
    check("0.0049999999999999999999999999999999999999", 2, true);
    check("0.1234567890123456789012345678901234567890", 2, false);
    check("0.005", 2, false);
    check("x", 2, false);
}

fn decoded(fields: Fields, cells: &[(&str, &str)]) -> Transaction {
    let cell =
        |(column, text): &(&str, &str)| ((*column).to_owned(), Cell::Text((*text).to_owned()));
    Decoder::new(Arc::new(fields)).decode(&Record { cells: cells.iter().map(cell).collect() })
}

/// The original date counts, and the invoice's where there is none.
#[test]
fn the_date_of_a_deal_may_stand_in_a_second_column() {
    let fields = || Fields {
        id: vec!["id".to_owned()],
        mapped: BTreeMap::from([(Field::Date, "original".to_owned())]),
        types: BTreeMap::from([
            ("original".to_owned(), ColumnType::iso_date()),
            ("invoice".to_owned(), ColumnType::iso_date()),
        ]),
        date_fallbacks: vec!["invoice".to_owned()],
        ..Fields::default()
    };
    let check = |cells: &[(&str, &str)], expected: &str, column: &str| {
        let transaction = decoded(fields(), cells);
        let day = transaction
            .incentive_date()
            .map_or_else(|why| format!("{why:?}"), |day| day.to_string());
        assert!(day.contains(expected), "{cells:?}: {day}");
        assert_eq!(transaction.column_of(Field::Date), Some(column), "{cells:?}");
        if transaction.incentive_date().is_ok() {
            let day = Date::constant(2026, 5, 5);
            assert_eq!(transaction.repeated_as("A~2", day).incentive_date(), Ok(day), "{cells:?}");
        }
    };
    check(&[("original", "2026-01-31"), ("invoice", "2026-02-28")], "2026-01-31", "original");
    check(&[("original", ""), ("invoice", "2026-02-28")], "2026-02-28", "invoice");
    check(&[("invoice", "2026-02-28")], "2026-02-28", "invoice");
    // What cannot be read is not passed over.
    check(&[("original", "soon"), ("invoice", "2026-02-28")], "soon", "original");
    check(&[("original", ""), ("invoice", "")], "Blank", "original");
}

/// Deals are sorted by what is read of their rows alone: a date that a decision does not see would put a
/// deal among those of another day.
#[test]
fn what_sorts_a_row_is_what_its_deal_says() {
    let cells = ["", " ", "2026-01-31", "soon", "A/1", "n/a"];
    let columns = ["original", "invoice", "region", "number"];
    // With and without the second date as a text, and with columns that rows do not have.
    for (invoice, present) in [(true, 0b1111), (false, 0b1111), (true, 0b1110), (false, 0b1101)] {
        let mut types = BTreeMap::from([("original".to_owned(), ColumnType::iso_date())]);
        types.extend(invoice.then(|| ("invoice".to_owned(), ColumnType::iso_date())));
        let fields = Fields {
            id: vec!["region".to_owned(), "number".to_owned()],
            mapped: BTreeMap::from([(Field::Date, "original".to_owned())]),
            types,
            date_fallbacks: vec!["invoice".to_owned(), "number".to_owned()],
            blanks: vec!["N/A".to_owned()],
            ..Fields::default()
        };
        for key in [1, 2] {
            let mut fields = fields.clone();
            fields.id.truncate(key);
            let there = |place: &usize| present >> place & 1 == 1;
            let kept: Vec<usize> = (0..columns.len()).filter(there).collect();
            let names: Vec<String> = kept.iter().map(|place| columns[*place].to_owned()).collect();
            let decoder = Decoder::new(Arc::new(fields.clone())).row_decoder(&names);

            for number in 0..cells.len().pow(4) {
                let cell =
                    |place: &usize| cells[number / cells.len().pow(*place as u32) % cells.len()];
                let row: Vec<&str> = kept.iter().map(cell).collect();
                let deal = decoder.decode(&row);
                assert_eq!(decoder.incentive_date(&row), deal.incentive_date().ok(), "{row:?}");
                assert_eq!(*decoder.natural_key(&row), *deal.id, "{row:?}");

                let named: Vec<(&str, &str)> =
                    names.iter().map(String::as_str).zip(row.iter().copied()).collect();
                if number % 7 == 0 {
                    let slow = decoded(fields.clone(), &named);
                    assert_eq!(
                        (&slow.id, slow.incentive_date().ok()),
                        (&deal.id, deal.incentive_date().ok())
                    );
                }
            }
        }
    }
}

/// `12/31/2025 10:00 PM` was compared as text with `1/2/2026 9:00 AM`: the older version won.
#[test]
fn a_clock_that_cannot_be_read_is_a_bad_value() {
    let fields = |clock: Option<&str>| Fields {
        id: vec!["id".to_owned()],
        mapped: BTreeMap::from([(Field::Updated, "clock".to_owned())]),
        clock: clock.map(|format| DateFormats::from(DateFormat::from_setting(format))),
        ..Fields::default()
    };
    let american = ["12/31/2025 10:00 PM", "1/2/2026 9:00 AM"];
    let clocks = |format| american.map(|text| decoded(fields(format), &[("clock", text)]));
    for transaction in clocks(None) {
        let why = transaction.bad_value();
        assert!(matches!(why, Some(UnreadableField::Bad { column, .. }) if column == "clock"));
    }
    let [old, new] = clocks(Some("%m/%d/%Y %I:%M %p"));
    assert!(
        old.bad_value().is_none() && old.source_clock() < new.source_clock(),
        "{old:?} {new:?}"
    );
    assert!(
        version::compare_versions(&old, &new).is_gt()
            && version::compare_versions(&new, &old).is_lt()
    );
    for text in ["v1", "soon", "31.12.2025"] {
        assert_eq!(decoded(fields(None), &[("clock", text)]).bad_clock(), Some(text));
    }
    for text in ["", "7", "2025-12-31", "2025-12-31T10:00:00Z", "2025/12/31 10:00"] {
        assert_eq!(decoded(fields(None), &[("clock", text)]).bad_clock(), None, "{text}");
    }
}

/// A header of a spreadsheet: ` Stage `, with a no-break space.
#[test]
fn names_of_columns_are_without_spaces_at_their_ends() {
    let transaction = decoded(
        Fields { id: vec!["id".to_owned()], ..Fields::default() },
        &[(" id", "A"), ("\u{a0}Stage ", "Won")],
    );
    assert_eq!((&*transaction.id, shown(&transaction.get("Stage")).as_str()), ("A", "Won"));
}
