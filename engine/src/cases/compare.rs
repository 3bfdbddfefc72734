//! Expected tables against what came out, as a difference a person can read.

use serde_json::Value as Json;

use super::{Case, Table};
use crate::calculation::summary;
use crate::decision::{CREDIT_COLUMNS, Decision, Outcome};
use crate::diagnostic::{Diagnostic, Place};

type Row = Vec<(String, String)>;

/// One failure for every table that differs.
pub(super) fn compare(path: &str, case: &Case, decisions: &[Decision]) -> Vec<Diagnostic> {
    let tables = case.tables.iter();
    tables.filter_map(|table| compare_table(path, case, table, decisions)).collect()
}

fn compare_table(
    path: &str,
    case: &Case,
    table: &Table,
    decisions: &[Decision],
) -> Option<Diagnostic> {
    let has = |column: &str| table.header.iter().any(|header| header == column);
    let (what, rows) = if has("outcome") {
        ("outcomes", outcomes(decisions, table))
    } else if has("alert") {
        ("alerts", alerts(decisions))
    } else {
        ("credits", credits(decisions))
    };
    let place = |column: u32| Place::new(path, table.line, column);
    let known = rows.columns;
    if let Some(unknown) = table.header.iter().find(|header| !known.contains(&header.as_str())) {
        let message = format!("`{unknown}` is not a column of {what}");
        return Some(Diagnostic::error("CR041", place(1), message));
    }
    let mut actual: Vec<Vec<String>> =
        rows.rows.iter().map(|row| pick(row, &table.header)).collect();
    let mut expected = table.rows.clone();
    let loose = table.header.iter().position(|header| header == "message");
    if case.any_order {
        actual.sort();
        expected.sort();
    }
    let same = actual.len() == expected.len()
        && actual.iter().zip(&expected).all(|(actual, expected)| {
            let cells = actual.iter().zip(expected).enumerate();
            cells.into_iter().all(|(index, (actual, expected))| {
                if Some(index) == loose { actual.contains(expected) } else { actual == expected }
            })
        });
    if same {
        return None;
    }
    let message = format!("case `{}`: the {what} differ", case.name);
    let help = difference(&table.header, &expected, &actual);
    Some(Diagnostic::error("CR040", place(1), message).help(help))
}

struct Rows {
    columns: &'static [&'static str],
    rows: Vec<Row>,
}

fn credits(decisions: &[Decision]) -> Rows {
    let all = decisions.iter().flat_map(|decision| &decision.credits);
    let rows = all.filter_map(|credit| match serde_json::to_value(credit) {
        Ok(Json::Object(fields)) => {
            Some(fields.into_iter().map(|(key, value)| (key, text(&value))).collect())
        }
        _ => None,
    });
    Rows { columns: &CREDIT_COLUMNS, rows: rows.collect() }
}

fn text(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// All uncredited and parked decisions; filtered ones where the table names them.
fn outcomes(decisions: &[Decision], table: &Table) -> Rows {
    let mut rows: Vec<Row> = Vec::new();
    for decision in decisions {
        let (outcome, reason) = match decision.outcome {
            Outcome::Credited | Outcome::Filtered => continue,
            Outcome::Uncredited => ("uncredited", summary(&decision.reasons)),
            Outcome::Parked => ("parked", decision.reasons.first().cloned()),
        };
        let (code, message) = reason.map(|note| (note.code, note.message)).unwrap_or_default();
        rows.push(outcome_row(&decision.transaction, &decision.plan, outcome, &code, &message));
    }
    let column = |name: &str| table.header.iter().position(|header| header == name);
    for row in &table.rows {
        let cell = |name: &str| column(name).and_then(|index| row.get(index)).map(String::as_str);
        let (Some("filtered"), Some(transaction)) = (cell("outcome"), cell("transaction")) else {
            continue;
        };
        // Filtered decisions are not listed, so a transaction without any decision is one.
        if !decisions.iter().any(|decision| decision.transaction == transaction) {
            let plan = cell("plan").unwrap_or("");
            rows.push(outcome_row(transaction, plan, "filtered", "", ""));
        }
    }
    rows.sort();
    Rows { columns: &["transaction", "plan", "outcome", "code", "message"], rows }
}

fn outcome_row(transaction: &str, plan: &str, outcome: &str, code: &str, message: &str) -> Row {
    let cells = [
        ("transaction", transaction),
        ("plan", plan),
        ("outcome", outcome),
        ("code", code),
        ("message", message),
    ];
    cells.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn alerts(decisions: &[Decision]) -> Rows {
    let all = decisions.iter().flat_map(|decision| &decision.alerts);
    let rows = all.map(|note| {
        let cells = [
            ("transaction", &note.transaction),
            ("plan", &note.plan),
            ("alert", &note.code),
            ("message", &note.message),
        ];
        cells.into_iter().map(|(key, value)| (key.to_owned(), value.clone())).collect()
    });
    Rows { columns: &["transaction", "plan", "alert", "message"], rows: rows.collect() }
}

fn pick(row: &Row, header: &[String]) -> Vec<String> {
    let cell = |column: &String| row.iter().find(|(key, _)| key == column).map(|(_, v)| v.clone());
    header.iter().map(|column| cell(column).unwrap_or_default()).collect()
}

/// Rows that are only expected with `-`, rows that only came out with `+`.
fn difference(header: &[String], expected: &[Vec<String>], actual: &[Vec<String>]) -> String {
    let line = |sign: char, row: &[String]| format!("{sign} | {} |\n", row.join(" | "));
    let mut text = line(' ', header);
    let mut rest: Vec<&Vec<String>> = actual.iter().collect();
    for row in expected {
        match rest.iter().position(|candidate| *candidate == row) {
            Some(index) => {
                rest.remove(index);
                text.push_str(&line(' ', row));
            }
            None => text.push_str(&line('-', row)),
        }
    }
    rest.into_iter().for_each(|row| text.push_str(&line('+', row)));
    text
}
