//! Cells of transactions that do not have the type of their column, or that differ slightly from a
//! compared text.
//!
//! A server parks unreadable rows and continues, so most of this is not an error of the directory;
//! only a clock that cannot be read is, since versions would be taken in a wrong order. Called by
//! `check`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use accredit_crediting::calculation;
use accredit_domain::diagnostic::{Code, Diagnostic, Place};
use accredit_domain::transaction::dates::{guess_patterns, is_short_year};
use accredit_domain::transaction::{
    Cell, ColumnType, Field, Record, Transaction, Value, numbers, trim_cell,
};
use accredit_script::check::ColumnComparison;
use accredit_workspace::Ruleset;

/// Cells that are looked at to find out how a column is written.
const SAMPLES_MAX: usize = 100;

/// Everything about cells that an author should know.
pub(super) fn cell_findings(ruleset: &Ruleset, records: &[Record]) -> Vec<Diagnostic> {
    let transactions = calculation::latest_versions(ruleset, records, None);
    let mut found = unread_cells(ruleset, &transactions);
    found.extend(unreadable_clock(ruleset, records));
    found.extend(short_years(ruleset, &transactions));
    found.extend(lost_digits(ruleset, records));
    found.extend(unknown_currencies(ruleset, &transactions));
    found.extend(near_misses(ruleset, &transactions));
    found
}

/// Cells of one kind: how many there are, the first in words, and some of them.
#[derive(Default)]
struct CellSample {
    count: usize,
    first: String,
    samples: Vec<String>,
}

impl CellSample {
    fn add(&mut self, cell: &str, first: impl FnOnce() -> String) {
        if self.count == 0 {
            self.first = first();
        }
        self.count += 1;
        if self.samples.len() < SAMPLES_MAX {
            self.samples.push(trim_cell(cell).to_owned());
        }
    }

    /// Formats by which all samples are dates, as an author writes them.
    fn date_formats(&self) -> Option<String> {
        let samples: Vec<&str> = self.samples.iter().map(String::as_str).collect();
        let formats: Vec<String> =
            guess_patterns(&samples).iter().map(|format| format!("\"{format}\"")).collect();
        (!formats.is_empty()).then(|| formats.join(" or "))
    }
}

fn at_transactions(found: Diagnostic) -> Diagnostic {
    Diagnostic { place: Place::whole_file("transactions"), ..found }
}

/// A warning for each column with cells that are not of its type, with the first of them.
fn unread_cells(ruleset: &Ruleset, transactions: &[Arc<Transaction>]) -> Vec<Diagnostic> {
    let mut bad: BTreeMap<String, CellSample> = BTreeMap::new();
    for transaction in transactions {
        for column in transaction.layout.column_names() {
            if let Value::Bad(cell) = transaction.get(column) {
                let first = || format!("`{column}` of {} holds `{cell}`", transaction.id);
                bad.entry(column.to_string()).or_default().add(&cell, first);
            }
        }
    }

    let warnings = bad.into_iter().map(|(column, found)| {
        let kind = ruleset.settings.fields.column_type(&column);
        let what = match kind {
            ColumnType::Bool => "true or false".to_owned(),
            kind => format!("a {}", kind.type_name()),
        };
        let (count, all) = (found.count, transactions.len());
        let message = format!("{}, which is not {what}: {count} of {all}", found.first);
        let warning = Diagnostic::warning(Code::CR032, Place::whole_file("transactions"), message);

        warning.with_help(column_help(kind, &found))
    });

    warnings.collect()
}

/// How to say what the cells of a column are.
fn column_help(kind: &ColumnType, found: &CellSample) -> String {
    match kind {
        ColumnType::Date(_) => {
            let format = found.date_formats().unwrap_or_else(|| "\"%m/%d/%Y\"".to_owned());
            format!(
                "say how dates are written: {{ field = \"…\", format = {format} }} in [fields], \
                 {{ date = {format} }} in [columns]"
            )
        }

        ColumnType::Number(_) => {
            "numbers are plain digits with a point, 1234.50; others need an example in [columns]: \
             { number = \"1.234,56\" }"
                .to_owned()
        }

        _ => "write true or false, or declare the column as text in [columns]".to_owned(),
    }
}

/// An error when clocks of the source cannot be read: the older version of a deal might count.
fn unreadable_clock(ruleset: &Ruleset, records: &[Record]) -> Option<Diagnostic> {
    let column = ruleset.settings.fields.mapped.get(&Field::Updated)?;
    let mut decoder =
        accredit_domain::transaction::Decoder::new(Arc::clone(&ruleset.settings.fields));
    let mut found = CellSample::default();

    for record in records {
        let transaction = decoder.decode(record);
        if let Some(cell) = transaction.bad_clock() {
            found.add(cell, || format!("`{column}` of {} holds `{cell}`", transaction.id));
        }
    }

    if found.count == 0 {
        return None;
    }

    let format = found.date_formats().unwrap_or_else(|| "\"%m/%d/%Y %H:%M:%S\"".to_owned());
    let (first, count, all) = (&found.first, found.count, records.len());
    let message = format!("{first}, which is not a date and time: {count} of {all}");
    let help =
        format!("write `updated = {{ field = \"{column}\", format = {format} }}` in [fields]");

    Some(Diagnostic::error(Code::CR070, Place::whole_file("transactions"), message).with_help(help))
}

/// A warning for each column whose years of two digits were read as if they had four.
fn short_years(ruleset: &Ruleset, transactions: &[Arc<Transaction>]) -> Vec<Diagnostic> {
    let mut short: BTreeMap<String, CellSample> = BTreeMap::new();
    for transaction in transactions {
        for column in transaction.layout.column_names() {
            if let Value::Date(day) = transaction.get(column)
                && is_short_year(day)
            {
                let first =
                    || format!("`{column}` of {} is in the year {}", transaction.id, day.year());
                short.entry(column.to_string()).or_default().add(&day.to_string(), first);
            }
        }
    }

    let warnings = short.into_iter().map(|(column, found)| {
        let (first, count, all) = (&found.first, found.count, transactions.len());
        let message = format!("{first}: {count} of {all}");
        let formats = match ruleset.settings.fields.column_type(&column) {
            ColumnType::Date(formats) => formats.formats(),
            _ => &[],
        };
        let shorter = formats.iter().map(|format| format.setting_text().replace("%Y", "%y"));
        let shorter: Vec<String> = shorter.map(|format| format!("\"{format}\"")).collect();
        let help = format!("years of two digits are `%y`: write {}", shorter.join(" or "));

        Diagnostic::warning(Code::CR074, Place::whole_file("transactions"), message).with_help(help)
    });

    warnings.collect()
}

/// A warning where an amount has more digits than are kept, and another one would come out of them.
fn lost_digits(ruleset: &Ruleset, records: &[Record]) -> Option<Diagnostic> {
    let settings = &ruleset.settings;
    let column = settings.fields.mapped.get(&Field::Amount)?;
    let mut found = CellSample::default();

    for record in records {
        let cells = record.cells.iter().filter(|(name, _)| trim_cell(name) == column);
        for (_, cell) in cells {
            if let Cell::Text(text) | Cell::Number(text) = cell
                && numbers::rounding_changes(trim_cell(text), settings.currency.scale)
            {
                found.add(text, || format!("`{column}` holds `{text}`"));
            }
        }
    }

    let message = format!("{}, which is rounded to 28 decimals first", found.first);
    let help = "deliver amounts with the decimals of their unit";

    (found.count > 0).then(|| {
        at_transactions(Diagnostic::warning(Code::CR075, Place::default(), message).with_help(help))
    })
}

/// Warnings of currencies that are no unit type, which park, and of blank ones, which raise an alert.
fn unknown_currencies(ruleset: &Ruleset, transactions: &[Arc<Transaction>]) -> Vec<Diagnostic> {
    let units = &ruleset.settings.units;
    let (mut unknown, mut blank) = (CellSample::default(), CellSample::default());

    for transaction in transactions {
        let Some(Value::Text(cell)) = transaction.field_value(Field::Currency) else { continue };
        let column = transaction.column_of(Field::Currency).unwrap_or_default();
        if cell.is_empty() {
            blank.add(&cell, || format!("`{column}` of {} is blank", transaction.id));
        } else if units.find_any_case(&cell).is_none() {
            unknown.add(&cell, || format!("`{column}` of {} holds `{cell}`", transaction.id));
        }
    }

    let all = transactions.len();
    let warning = |found: CellSample, what: &str, help: String| {
        let message = format!("{}{what}: {} of {all}", found.first, found.count);
        let warning = Diagnostic::warning(Code::CR072, Place::whole_file("transactions"), message)
            .with_help(help);
        (found.count > 0).then_some(warning)
    };

    let known: Vec<&str> = units.names().collect();
    let help = format!("declare it under `unit_types`; known are {}", known.join(", "));
    let home = units.name(ruleset.settings.currency);
    let blank_help = format!("such a deal counts in the unit of each result, as `{home}` would");
    let found = [
        warning(unknown, ", which is not a unit type", help),
        warning(blank, ", where others have a currency", blank_help),
    ];

    found.into_iter().flatten().collect()
}

/// A hint for each text in a rule that values differ from only by case or space.
fn near_misses(ruleset: &Ruleset, transactions: &[Arc<Transaction>]) -> Vec<Diagnostic> {
    let programs = ruleset.programs.iter();
    let compared = programs.flat_map(|(_, program)| accredit_script::field_reads(program).compared);
    let compared: Vec<ColumnComparison> = compared.collect();
    let fields = &ruleset.settings.fields;
    let mut values: BTreeMap<&str, BTreeSet<Arc<str>>> = BTreeMap::new();

    for column in compared.iter().map(|one| one.resolve_column(fields)) {
        let seen = transactions.iter().filter_map(|transaction| match transaction.get(column) {
            Value::Text(value) => Some(value),
            _ => None,
        });
        values.entry(column).or_insert_with(|| seen.collect());
    }

    let hints = compared.iter().filter_map(|one| {
        let column = one.resolve_column(fields);
        let known = |value: &str| {
            compared
                .iter()
                .any(|other| other.resolve_column(fields) == column && other.literal == *value)
        };
        let value = values.get(column)?.iter().find(|value| one.is_near(value) && !known(value))?;
        let message = format!(
            "`{column}` also holds `{value}`, which differs from this text only by \
                               case or space, and is not equal to it"
        );
        let help = format!("compare with `{value}` as well, or `to_lower(…)` with small letters");

        Some(Diagnostic::hint(Code::CR071, one.place.clone(), message).with_help(help))
    });

    hints.collect()
}
