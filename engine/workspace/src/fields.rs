//! `[fields]` and `[columns]`: what the columns of a transaction mean, and their types.
//!
//! Not reading transactions. Called by `settings`. Source: FORMAT section 2.
//!
//! **Architecture invariant:** every column has one type: a mapped field brings its own, and a
//! declaration that contradicts it is an error.

use std::collections::BTreeSet;

use jiff::civil::date;
use jiff::tz::TimeZone;

use super::report::Report;
use super::toml::{Item, Table, Text};
use accredit_domain::diagnostic::{Diagnostic, did_you_mean};
use accredit_domain::transaction::{ColumnType, Field, Fields, Names};

/// Reads both tables; columns that no transaction seen so far has are warned of.
pub(super) fn read(root: &mut Table<'_>, observed: &BTreeSet<String>) -> Fields {
    let mut fields = Fields::default();
    if let Some(mut table) = root.need("fields").and_then(|item| item.table()) {
        let mut mapping = Mapping { fields: &mut fields, observed, report: table.report() };
        mapping.read(&mut table);
        table.finish();
    }
    for (name, item) in root.table("columns").iter().flat_map(Table::entries) {
        if let Some(kind) = column_type(&item) {
            declare(&mut fields, &name, kind, item.report());
        }
    }
    fields
}

const NAMES: [(&str, Names); 4] = [
    ("owner", Names::Owner),
    ("team", Names::Team),
    ("related_person", Names::RelatedPerson),
    ("related_position", Names::RelatedPosition),
];

struct Mapping<'a> {
    fields: &'a mut Fields,
    observed: &'a BTreeSet<String>,
    report: &'a Report,
}

impl Mapping<'_> {
    fn read(&mut self, table: &mut Table<'_>) {
        if let Some(item) = table.need("id") {
            self.fields.id = self.columns(&item);
            if self.fields.id.is_empty() {
                item.refuse("a column or a list of columns");
            }
        }
        for (field, key) in Field::ALL {
            let item = if field == Field::Date { table.need(key) } else { table.take(key) };
            let Some(item) = item else { continue };
            let kind = match field {
                Field::Amount | Field::Quantity => ColumnType::Number,
                Field::Date | Field::Received => ColumnType::Date(None),
                _ => ColumnType::Text,
            };
            let with_format = field == Field::Date && item.is_table();
            let mapped = if with_format { dated(&item) } else { item.text().map(|t| (t, kind)) };
            let Some((column, kind)) = mapped else { continue };
            self.observed(&column);
            let typed = kind != ColumnType::Text;
            let known = self.fields.types.get(&column.text).filter(|known| **known != kind);
            if let Some(known) = known.filter(|_| typed) {
                let message = format!("`{}` is mapped as a {} already", column.text, known.name());
                self.report.error("CR024", column.place.clone(), message, "map another column");
            } else if typed {
                self.fields.types.insert(column.text.clone(), kind);
            }
            self.fields.mapped.insert(field, column.text);
        }
        for (key, names) in NAMES {
            if let Some(item) = table.take(key) {
                let columns = self.columns(&item);
                if columns.is_empty() {
                    item.refuse("a column or a list of columns");
                }
                self.fields.names.insert(names, columns);
            }
        }
    }

    fn columns(&self, item: &Item<'_>) -> Vec<String> {
        let columns = item.texts().unwrap_or_default();
        columns.iter().for_each(|column| self.observed(column));
        for (index, column) in columns.iter().enumerate() {
            if columns.iter().take(index).any(|earlier| earlier.text == column.text) {
                let message = format!("`{}` is listed twice", column.text);
                self.report.error("CR026", column.place.clone(), message, "keep one of the two");
            }
        }
        columns.into_iter().map(|column| column.text).collect()
    }

    fn observed(&self, column: &Text) {
        let name = column.text.as_str();
        if name.trim().is_empty() {
            let message = "the name of a column is blank".to_owned();
            self.report.error("CR024", column.place.clone(), message, "name a column");
        } else if !self.observed.is_empty() && !self.observed.contains(name) {
            let message = format!("no transaction so far has a column `{name}`");
            let names = self.observed.iter().map(String::as_str);
            let help = did_you_mean(name, names)
                .unwrap_or_else(|| "write the name as it stands in the header".to_owned());
            let place = column.place.clone();
            self.report.push(Diagnostic::warning("CR025", place, message).help(help));
        }
    }
}

/// `{ field = "close_date", format = "%m/%d/%Y" }`
fn dated(item: &Item<'_>) -> Option<(Text, ColumnType)> {
    let mut table = item.table()?;
    let column = table.need_text("field");
    let format = table.take("format").and_then(|item| format(&item));
    table.finish();
    Some((column?, ColumnType::Date(format)))
}

fn column_type(item: &Item<'_>) -> Option<ColumnType> {
    let wanted = "`number`, `text`, `bool`, `date` or { date = \"%m/%d/%Y\" }";
    if item.is_table() {
        let mut table = item.table()?;
        let format = table.need("date").and_then(|item| format(&item));
        table.finish();
        return format.map(|format| ColumnType::Date(Some(format)));
    }
    let word = item.as_text().map(|text| text.text);
    let kind = match word.as_deref() {
        Some("number") => Some(ColumnType::Number),
        Some("text") => Some(ColumnType::Text),
        Some("bool") => Some(ColumnType::Bool),
        Some("date") => Some(ColumnType::Date(None)),
        _ => None,
    };
    let (None, Some(text)) = (&kind, item.as_text()) else {
        if kind.is_none() {
            item.refuse(wanted);
        }
        return kind;
    };
    let message = format!("`{}` is not the type of a column", text.text);
    let help = did_you_mean(&text.text, ["number", "text", "bool", "date"]);
    let help = help.unwrap_or_else(|| format!("write {wanted}"));
    item.report().error("CR024", text.place, message, &help);
    None
}

/// A date format, tried on a day: one that loses the day would park every transaction.
fn format(item: &Item<'_>) -> Option<String> {
    let format = item.text()?.text;
    let day = date(2017, 11, 23);
    let written = day
        .to_zoned_datetime(TimeZone::UTC)
        .ok()
        .and_then(|zoned| jiff::fmt::strtime::format(&format, &zoned).ok());
    let read =
        written.and_then(|written| accredit_domain::transaction::date(&written, Some(&format)));
    if read != Some(day) {
        item.refuse("a format with year, month and day, such as \"%m/%d/%Y\"");
        return None;
    }
    Some(format)
}

fn declare(fields: &mut Fields, column: &Text, kind: ColumnType, report: &Report) {
    let name = column.text.as_str();
    let named = fields.id.iter().chain(fields.names.values().flatten());
    let names_people = named.map(String::as_str).any(|known| known == name);
    let known = fields.types.get(name);
    let agrees = match (known, &kind) {
        // The format of `received` has no other place than [columns].
        (Some(ColumnType::Date(None)), ColumnType::Date(_)) => true,
        (Some(known), kind) => known == kind,
        (None, kind) => *kind == ColumnType::Text || !names_people,
    };
    if !agrees {
        let mapped = known.map_or("text", ColumnType::name);
        let message = format!("`{name}` is a {mapped} by [fields], not a {}", kind.name());
        report.error("CR024", column.place.clone(), message, "leave it out of [columns]");
    } else {
        // Text too: what is declared is known, before any row has it.
        fields.types.insert(name.to_owned(), kind);
    }
}
