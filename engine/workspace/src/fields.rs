//! `[fields]` and `[columns]`: what the columns of a transaction mean, and their types.
//!
//! Not reading transactions. Called by `settings`. Source: FORMAT section 2.
//!
//! **Architecture invariant:** every column has one type: a mapped field brings its own, and a
//! declaration that contradicts it is an error.

use std::collections::BTreeSet;

use jiff::civil::date;

use super::report::Findings;
use super::toml::{PlacedText, TomlItem, TomlTable, parse_choice};
use accredit_domain::diagnostic::{Code, Diagnostic, did_you_mean};
use accredit_domain::transaction::dates::{DateFormat, DateFormats, NAMED_FORMATS, WorkspaceZone};
use accredit_domain::transaction::numbers::NumberStyle;
use accredit_domain::transaction::{ColumnType, Field, Fields, ID_FORMS, NameColumns};

/// Reads both tables; columns that no transaction seen so far has are warned of.
pub(super) fn read(root: &mut TomlTable<'_>, observed: &BTreeSet<String>) -> Fields {
    let mut fields = Fields::default();
    if let Some(mut table) = root.take_needed("fields").and_then(|item| item.expect_table()) {
        let mut mapping = FieldMapping { fields: &mut fields, observed, report: table.report() };
        mapping.read_table(&mut table);
        table.finish();
    }

    for (name, item) in root.take_table("columns").iter().flat_map(TomlTable::entries) {
        if let Some(kind) = column_type(&item) {
            declare_column(&mut fields, &name, kind, item.report());
        }
    }

    fields
}

const NAMES: [(&str, NameColumns); 4] = [
    ("owner", NameColumns::Owner),
    ("team", NameColumns::Team),
    ("related_person", NameColumns::RelatedPerson),
    ("related_position", NameColumns::RelatedPosition),
];

struct FieldMapping<'a> {
    fields: &'a mut Fields,
    observed: &'a BTreeSet<String>,
    report: &'a Findings,
}

impl FieldMapping<'_> {
    fn read_table(&mut self, table: &mut TomlTable<'_>) {
        if let Some(item) = table.take_needed("id") {
            self.read_id(&item);
        }

        for (field, key) in Field::ALL {
            let item = if field == Field::Date { table.take_needed(key) } else { table.take(key) };
            let Some(item) = item else { continue };

            // Only fields that are days or clocks can have formats.
            let with_formats = matches!(field, Field::Date | Field::Received | Field::Updated);
            let (columns, formats) = match with_formats && item.is_table() {
                true => read_date_columns(&item, field),
                false => (item.expect_text().into_iter().collect(), Vec::new()),
            };

            self.map_field(field, columns, formats);
        }

        for (key, names) in NAMES {
            if let Some(item) = table.take(key) {
                let columns = self.read_columns(&item);
                if columns.is_empty() {
                    item.refuse("a column or a list of columns");
                }
                self.fields.names.insert(names, columns);
            }
        }
    }

    /// `id = "Id"`, a list of columns, or `{ field = "Id", as = "salesforce" }`.
    fn read_id(&mut self, item: &TomlItem<'_>) {
        if !item.is_table() {
            self.fields.id = self.read_columns(item);
        } else if let Some(mut table) = item.expect_table() {
            let field = table.take("field").map(|item| self.read_columns(&item));
            let fields = table.take("fields").map(|item| self.read_columns(&item));
            let form = table.take_text("as");
            table.finish();

            self.fields.id = field.or(fields).unwrap_or_default();
            let words = ID_FORMS;
            let form = form.and_then(|text| parse_choice(self.report, &text, &words));
            self.fields.id_form = form.unwrap_or_default();
        }

        if self.fields.id.is_empty() {
            item.refuse("a column or a list of columns");
        }
    }

    /// Maps a field to its column; the date may have others for where that one is blank.
    fn map_field(&mut self, field: Field, columns: Vec<PlacedText>, formats: Vec<DateFormat>) {
        let kind = match field {
            Field::Amount | Field::Quantity => ColumnType::NUMBER,
            Field::Date | Field::Received => {
                ColumnType::Date(DateFormats::from_formats(formats.clone()))
            }
            _ => ColumnType::Text,
        };

        if field == Field::Updated && !formats.is_empty() {
            self.fields.clock = Some(DateFormats::from_formats(formats));
        }

        for (index, column) in columns.into_iter().enumerate() {
            self.check_observed(&column);
            self.declare_type(&column, &kind);
            if index == 0 {
                self.fields.mapped.insert(field, column.text);
            } else {
                self.fields.date_fallbacks.push(column.text);
            }
        }
    }

    /// Gives a column the type that its field brings.
    fn declare_type(&mut self, column: &PlacedText, kind: &ColumnType) {
        if kind.is_text() {
            return;
        }
        match self.fields.types.get(&column.text).filter(|known| *known != kind) {
            // One column cannot be read in two ways, and the cell would mean another thing each
            // time.
            Some(known) => {
                let message =
                    format!("`{}` is mapped as a {} already", column.text, known.type_name());
                self.report.error(Code::CR024, column.place.clone(), message, "map another column");
            }
            None => {
                self.fields.types.insert(column.text.clone(), kind.clone());
            }
        }
    }

    fn read_columns(&self, item: &TomlItem<'_>) -> Vec<String> {
        let columns = item.expect_texts().unwrap_or_default();
        columns.iter().for_each(|column| self.check_observed(column));
        for (index, column) in columns.iter().enumerate() {
            if columns.iter().take(index).any(|earlier| earlier.text == column.text) {
                let message = format!("`{}` is listed twice", column.text);
                self.report.error(
                    Code::CR026,
                    column.place.clone(),
                    message,
                    "keep one of the two",
                );
            }
        }
        columns.into_iter().map(|column| column.text).collect()
    }

    fn check_observed(&self, column: &PlacedText) {
        let name = column.text.as_str();
        if name.trim().is_empty() {
            let message = "the name of a column is blank".to_owned();
            self.report.error(Code::CR024, column.place.clone(), message, "name a column");
        } else if !self.observed.is_empty() && !self.observed.contains(name) {
            let message = format!("no transaction so far has a column `{name}`");
            let names = self.observed.iter().map(String::as_str);
            let help = did_you_mean(name, names)
                .unwrap_or_else(|| "write the name as in the header".to_owned());
            let place = column.place.clone();
            self.report.push(Diagnostic::warning(Code::CR025, place, message).with_help(help));
        }
    }
}

/// The columns and the formats of `{ field = "close_date", format = "%m/%d/%Y" }`; the date may say
/// `fields` for `field`, and all may say `formats` for `format`.
fn read_date_columns(item: &TomlItem<'_>, field: Field) -> (Vec<PlacedText>, Vec<DateFormat>) {
    let Some(mut table) = item.expect_table() else { return (Vec::new(), Vec::new()) };
    let several = if field == Field::Date { table.take("fields") } else { None };
    let mut columns = several.as_ref().and_then(TomlItem::expect_texts).unwrap_or_default();
    if several.is_none() {
        columns.extend(table.take_needed_text("field"));
    } else if columns.is_empty() {
        item.refuse("`fields` with at least one column");
    }
    let items = [table.take("format"), table.take("formats")];
    table.finish();

    let formats =
        items.into_iter().flatten().filter_map(|item| parse_date_formats(&item)).flatten();
    (columns, formats.collect())
}

/// What a column may be declared as.
const COLUMN_WORDS: [&str; 4] = ["number", "text", "bool", "date"];

fn column_type(item: &TomlItem<'_>) -> Option<ColumnType> {
    let wanted = "`number`, `text`, `bool`, `date`, { date = \"%m/%d/%Y\" }, \
                  { number = \"1.234,56\" } or { text = \"exact\" }";
    if item.is_table() {
        return column_table(item, wanted);
    }

    let word = item.as_text().map(|text| text.text);
    let kind = match word.as_deref() {
        Some("number") => Some(ColumnType::NUMBER),
        Some("text") => Some(ColumnType::Text),
        Some("bool") => Some(ColumnType::Bool),
        Some("date") => Some(ColumnType::iso_date()),
        _ => None,
    };

    let (None, Some(text)) = (&kind, item.as_text()) else {
        if kind.is_none() {
            item.refuse(wanted);
        }
        return kind;
    };

    let message = format!("`{}` is not the type of a column", text.text);
    let help = did_you_mean(&text.text, COLUMN_WORDS);
    let help = help.unwrap_or_else(|| format!("write {wanted}"));
    item.report().error(Code::CR024, text.place, message, &help);
    None
}

/// `{ date = … }`, `{ number = … }` or `{ text = "exact" }`.
fn column_table(item: &TomlItem<'_>, wanted: &str) -> Option<ColumnType> {
    let mut table = item.expect_table()?;
    let (date, number, text) = (table.take("date"), table.take("number"), table.take_text("text"));
    table.finish();

    match (date, number, text) {
        (Some(date), None, None) => parse_date_formats(&date)
            .map(|formats| ColumnType::Date(DateFormats::from_formats(formats))),
        (None, Some(number), None) => {
            parse_number_style(&number).map(|style| ColumnType::Number(Some(style)))
        }
        (None, None, Some(text)) => {
            parse_choice(item.report(), &text, &[("exact", ColumnType::ExactText)])
        }
        _ => {
            item.refuse(wanted);
            None
        }
    }
}

/// How numbers are written, by an example.
fn parse_number_style(item: &TomlItem<'_>) -> Option<NumberStyle> {
    let style = NumberStyle::of_example(&item.expect_text()?.text);
    if style.is_none() {
        item.refuse("an example with thousands and decimals, such as \"1.234,56\" or \"1,234.56\"");
    }
    style
}

/// A format, or a list of them.
fn parse_date_formats(item: &TomlItem<'_>) -> Option<Vec<DateFormat>> {
    let formats: Vec<DateFormat> =
        item.expect_texts()?.iter().filter_map(|text| parse_date_format(item, text)).collect();
    (!formats.is_empty()).then_some(formats)
}

/// A date format, tried on a day: one that loses the day would park every transaction.
fn parse_date_format(item: &TomlItem<'_>, text: &PlacedText) -> Option<DateFormat> {
    let format = DateFormat::from_setting(&text.text);

    let day = date(2017, 11, 23);
    let written = format.format_day(day);
    let formats = DateFormats::from(format.clone());
    let read = written.and_then(|written| formats.parse_day(&written, &WorkspaceZone::default()));

    if read == Some(day) {
        return Some(format);
    }

    if item.as_text().is_some() {
        item.refuse("a format with year, month and day, such as \"%m/%d/%Y\"");
        return None;
    }
    let names: Vec<&str> = NAMED_FORMATS.iter().map(|(name, _)| *name).collect();
    let message = format!("`{}` is not a format of dates", text.text);
    let help = "write a format with year, month and day, such as \"%m/%d/%Y\", or one of";
    let help = format!("{help} {}", names.join(", "));
    item.report().error(Code::CR024, text.place.clone(), message, &help);
    None
}

fn declare_column(fields: &mut Fields, column: &PlacedText, kind: ColumnType, report: &Findings) {
    let name = column.text.as_str();
    let named = fields.id.iter().chain(fields.names.values().flatten());
    let names_people = named.map(String::as_str).any(|known| known == name);
    let known = fields.types.get(name);

    let agrees = match (known, &kind) {
        // A format or a style may stand here too.
        (Some(ColumnType::Date(known)), ColumnType::Date(kind)) => {
            *known == DateFormats::default() || known == kind
        }
        (Some(ColumnType::Number(_)), ColumnType::Number(_)) => true,
        (Some(known), kind) => known == kind,
        (None, kind) => kind.is_text() || !names_people,
    };

    if !agrees {
        let mapped = known.map_or("text", ColumnType::type_name);
        let message = format!("`{name}` is a {mapped} by [fields], not a {}", kind.type_name());
        report.error(Code::CR024, column.place.clone(), message, "leave it out of [columns]");
    } else {
        // Text too: what is declared is known, before any row has it.
        fields.types.insert(name.to_owned(), kind);
    }
}
