//! Conditions written as rows, lowered to one expression.
//!
//! Not a second language: the rows say what an expression would, for those who prefer rows. Called
//! by `rule`. Source: FORMAT section 3.
//!
//! **Architecture invariant:** rows mean exactly what their expression means, `and` before `or`;
//! nothing downstream knows that there were rows.

use super::KnownColumns;
use super::report::Findings;
use super::toml::{PlacedText, TomlItem, TomlTable, parse_choice};
use accredit_domain::diagnostic::{Code, Place, TextOrigin, did_you_mean};
use accredit_domain::transaction::dates::parse_iso_date;
use accredit_domain::transaction::{ColumnType, Field, Fields, parse_number};

/// The expression that `rows` mean, and where its words stand in the rows; nothing when one of them
/// was not understood.
pub(super) fn lower_rows(
    (rows, place): (&[TomlItem<'_>], Place),
    fields: &Fields,
    columns: &KnownColumns,
) -> Option<(String, TextOrigin)> {
    let (mut text, mut pieces, mut whole) = (String::new(), Vec::new(), true);
    for (index, row) in rows.iter().enumerate() {
        let term = row.expect_table().and_then(|row| read_term(row, index == 0, fields, columns));
        let Some(term) = term else {
            whole = false;
            continue;
        };

        let mut piece = |text: &str, written: Place| {
            let column = text.chars().count().saturating_add(1);
            pieces.push((u32::try_from(column).unwrap_or(u32::MAX), written));
        };
        text.push_str(term.joint);
        piece(&text, term.column.clone());
        text.push_str(&term.access);
        text.push_str(term.sign);
        piece(&text, term.value);
        text.push_str(&term.literal);
        text.push_str(term.end);
        piece(&text, term.column);
    }

    (whole && !text.is_empty()).then(|| (text, TextOrigin::of_pieces(place, pieces)))
}

/// A row as Rhai writes it, in pieces, with the places of its words.
struct ConditionTerm {
    joint: &'static str,
    access: String,
    sign: &'static str,
    literal: String,
    end: &'static str,
    /// Where the column is named.
    column: Place,
    /// The place of the value.
    value: Place,
}

/// Comparisons by the word in `is`, as Rhai writes them.
const COMPARISONS: [(&str, &str); 7] = [
    ("=", " == "),
    ("!=", " != "),
    ("<", " < "),
    ("<=", " <= "),
    (">", " > "),
    (">=", " >= "),
    ("contains", "contains"),
];

fn read_term(
    mut row: TomlTable<'_>,
    first: bool,
    fields: &Fields,
    columns: &KnownColumns,
) -> Option<ConditionTerm> {
    let column = if first {
        row.take_needed_text("if").map(|column| ("", column))
    } else {
        let and = row.take_text("and").map(|column| (" && ", column));
        let or = row.take_text("or").map(|column| (" || ", column));
        if and.is_some() == or.is_some() {
            let message = "a row after the first begins with either `and` or `or`".to_owned();
            let help = "write { and = \"column\", is = \"=\", value = \"…\" }";

            row.report().error(Code::CR023, row.place(), message, help);
            row.take("if");
        }
        and.xor(or)
    };

    let report = row.report();
    let comparison = row
        .take_needed_text("is")
        .and_then(|is| parse_choice(report, &is, &COMPARISONS).map(|comparison| (comparison, is)));

    let value = row.take_needed("value");
    // The row is read to its end first, so that everything wrong in it is reported at once.
    row.finish();
    let (joint, column) = column?;
    let (access, kind) = column_access(report, &column, fields, columns)?;
    let (comparison, is) = comparison?;

    let fits = match (comparison, &kind) {
        ("contains", ColumnType::Text | ColumnType::ExactText) | (" == " | " != ", _) => true,
        ("contains", _) | (_, ColumnType::Bool) => false,
        _ => true,
    };

    if !fits {
        let message = format!("`{}` does not go with a {}", is.text, kind.type_name());
        let help = format!("compare `{}` with `=` or `!=`", column.text);
        report.error(Code::CR024, is.place, message, &help);
        return None;
    }

    let value = value?;
    let literal = value_literal(&value, &kind)?;

    let (sign, end) = match comparison {
        "contains" => (".contains(", ")"),
        sign => (sign, ""),
    };

    let (column, value) = (column.place, value.place());
    Some(ConditionTerm { joint, access, sign, literal, end, column, value })
}

/// A column as delivered, else a mapped field; with its type.
fn column_access(
    report: &Findings,
    column: &PlacedText,
    fields: &Fields,
    columns: &KnownColumns,
) -> Option<(String, ColumnType)> {
    let name = column.text.as_str();
    let delivered = || (format!("tx[{}]", quote_text(name)), fields.column_type(name).clone());
    // As delivered first: a column may have the name of a mapped field.
    if columns.known.contains(name) {
        return Some(delivered());
    }

    if name == "id" {
        return Some(("tx.id".to_owned(), ColumnType::Text));
    }

    let field = Field::ALL.into_iter().find(|(_, key)| *key == name);
    if let Some(mapped) = field.and_then(|(field, _)| fields.mapped.get(&field)) {
        return Some((format!("tx.{name}"), fields.column_type(mapped).clone()));
    }

    // Before any row has arrived a column may have any name.
    if columns.open {
        return Some(delivered());
    }

    let mapped = Field::ALL.into_iter().filter(|(field, _)| fields.mapped.contains_key(field));
    let known = columns.known.iter().map(String::as_str).chain(mapped.map(|(_, key)| key));
    report.report_unknown(Code::CR025, column.place.clone(), ("column", name), known);
    None
}

/// A value of the column's type, as Rhai writes it.
fn value_literal(item: &TomlItem<'_>, kind: &ColumnType) -> Option<String> {
    let text = item.as_text().map(|text| text.text);

    let found = match kind {
        ColumnType::Text | ColumnType::ExactText => text.as_deref().map(quote_text),
        ColumnType::Number(_) => {
            let written = text.as_deref().and_then(|text| parse_number(text.trim()));
            let whole = item.as_integer().map(rust_decimal::Decimal::from);
            written.or(whole).map(|number| number.to_string())
        }
        ColumnType::Date(_) => {
            let written = text.as_deref().and_then(|text| parse_iso_date(text.trim()));
            written.or(item.as_date()).map(|day| format!("date(\"{day}\")"))
        }
        ColumnType::Bool => {
            let written = text.as_deref().and_then(|text| text.trim().parse().ok());
            written.or(item.as_flag()).map(|flag: bool| flag.to_string())
        }
    };

    if found.is_none() {
        item.refuse(match kind {
            ColumnType::Text | ColumnType::ExactText => "text in quotes, as the column is text",
            ColumnType::Number(_) => "a number in quotes, such as \"100\"",
            ColumnType::Date(_) => "a day such as 2017-03-31",
            ColumnType::Bool => "true or false",
        });
    }

    found
}

fn quote_text(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');

    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c => quoted.push(c),
        }
    }

    quoted.push('"');
    quoted
}

/// Reports a column that no transaction has, where the columns are known.
pub(super) fn check_known_column(
    report: &Findings,
    column: &str,
    text: &PlacedText,
    columns: &KnownColumns,
) -> bool {
    let known = columns.open || columns.known.contains(column);
    if !known {
        let names = columns.known.iter().map(String::as_str);
        let message = format!("there is no column `{column}`");
        let help = did_you_mean(column, names).unwrap_or_else(|| {
            "it is neither in accredit.toml nor in a header under transactions/".to_owned()
        });
        report.error(Code::CR025, text.place.clone(), message, &help);
    }
    known
}
