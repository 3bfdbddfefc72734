//! Rows that can be read and yet are not what somebody meant: keys that repeat, blank ones, cells that
//! have swallowed other rows, columns that deals have lost.
//!
//! Not errors: every one of these rows is taken, and the findings say what became of it. Called by
//! `accredit check`, with the names of files, and by imports, whose body has none.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use accredit_crediting::calculation;
use accredit_domain::diagnostic::{Diagnostic, Place};
use accredit_domain::transaction::read::delimiter_name;
use accredit_domain::transaction::{Cell, Decoder, Fields, Record, Remark};
use accredit_workspace::Ruleset;

/// Names that a finding lists.
const NAMES_MAX: usize = 5;

/// A row with its file and its line.
type Placed<'a> = (&'a str, u64, &'a Record);

/// Findings about rows; they are gone through twice, so that not all of them are kept decoded.
pub fn rows<'a, I>(ruleset: &Ruleset, rows: impl Fn() -> I) -> Vec<Diagnostic>
where
    I: Iterator<Item = Placed<'a>>,
{
    let fields = &ruleset.settings.fields;
    let mut decoder = Decoder::new(Arc::clone(fields));
    let mapped = mapped(fields);

    let mut counts: HashMap<Arc<str>, usize> = HashMap::new();
    let (mut blank, mut scientific) = (First::default(), First::default());
    let mut strange: BTreeMap<String, First> = BTreeMap::new();

    for (file, line, record) in rows() {
        let id = decoder.decode(record).id;
        if id.is_empty() {
            blank.add(file, line, "");
        } else {
            if fields.id.iter().any(|column| is_scientific(record, column)) {
                scientific.add(file, line, &id);
            }
            *counts.entry(id).or_default() += 1;
        }

        for column in strange_cells(record, &mapped) {
            strange.entry(column.to_owned()).or_default().add(file, line, "");
        }
    }

    let mut found = Vec::new();

    found.extend(strange.iter().filter_map(|(column, first)| first.strange(column)));
    found.extend(scientific.scientific());
    found.extend(blank.blank(&fields.id));

    counts.retain(|_, count| *count > 1);
    if !counts.is_empty() {
        found.extend(repeated(ruleset, &counts, rows()));
    }

    found
}

/// Columns of a header that differ from mapped ones in the case of letters alone.
pub fn header(fields: &Fields, file: &str, columns: &[String]) -> Vec<Diagnostic> {
    let missing = fields.columns().filter(|known| !columns.iter().any(|column| column == known));
    let missing: BTreeSet<&str> = missing.collect();
    let alike = missing.into_iter().filter_map(|known| {
        let lower = known.to_lowercase();
        let column = columns.iter().find(|column| column.to_lowercase() == lower)?;
        let message = format!("this file has a column `{column}`, but `{known}` is mapped");
        let help =
            format!("rename it to `{known}`: the case of letters in names of columns counts");
        Some(Diagnostic::warning("CR081", Place::new(file, 1, 1), message).help(help))
    });
    alike.collect()
}

/// That a delimiter was found out.
pub fn delimiter(file: &str, delimiter: char) -> Diagnostic {
    let message = format!("cells are taken to be separated by {}", delimiter_name(delimiter));
    let written = delimiter.escape_default();
    let help = format!("write `delimiter = \"{written}\"` in [transactions] to make sure of it");
    Diagnostic::hint("CR083", Place::new(file, 1, 1), message).help(help)
}

/// The first place of something, and how often it was there.
#[derive(Default)]
struct First {
    place: Option<Place>,
    what: String,
    count: usize,
}

impl First {
    fn add(&mut self, file: &str, line: u64, what: &str) {
        self.count += 1;
        if self.place.is_none() {
            self.place = Some(place(file, line));
            what.clone_into(&mut self.what);
        }
    }

    fn strange(&self, column: &str) -> Option<Diagnostic> {
        let count = rows_of(self.count);
        let message = format!("`{column}` holds line breaks or control characters, in {count}");
        let help = "look for a quote that is not closed where it should be: rows below it may have \
                    become a part of the cell";
        Some(Diagnostic::warning("CR078", self.place.clone()?, message).help(help))
    }

    fn scientific(&self) -> Option<Diagnostic> {
        let (id, count) = (&self.what, rows_of(self.count));
        let message =
            format!("the id `{id}` is a number that a spreadsheet has rounded, in {count}");
        let help =
            "unlike deals may have become one; format the column as text and export it again";
        Some(Diagnostic::warning("CR079", self.place.clone()?, message).help(help))
    }

    fn blank(&self, id: &[String]) -> Option<Diagnostic> {
        let (count, key) = (rows_of(self.count), id.join("`, `"));
        let message = format!("the natural key `{key}` is blank in {count}");
        let help = "give every deal its id; where a sum stands below the table, put a blank row \
                    before it and write `stop_at_blank = true` in [transactions]";
        Some(Diagnostic::warning("CR080", self.place.clone()?, message).help(help))
    }
}

fn place(file: &str, line: u64) -> Place {
    Place::new(file, u32::try_from(line).unwrap_or(u32::MAX), 1)
}

fn rows_of(count: usize) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}

/// Columns that mean something to crediting.
fn mapped(fields: &Fields) -> BTreeSet<&str> {
    let named = fields.names.values().flatten();
    let all = fields.id.iter().chain(fields.mapped.values()).chain(named);
    all.map(String::as_str).collect()
}

/// Columns whose cells have line breaks or control characters where one name or number belongs, or
/// which hold a whole row.
fn strange_cells<'a>(record: &'a Record, mapped: &BTreeSet<&str>) -> Vec<&'a str> {
    let columns = record.delivered().len();
    let strange = |sign: char| sign.is_control() && sign != '\t';
    let cells = record.delivered().iter().filter(|(column, cell)| {
        let Cell::Text(text) = cell else { return false };
        // A line break at the end of a cell is trimmed like other blanks.
        let text = text.trim();
        text.contains(strange) && (mapped.contains(column.as_str()) || holds_row(text, columns))
    });
    cells.map(|(column, _)| column.as_str()).collect()
}

/// Whether a line within the text has as many cells as a row.
fn holds_row(text: &str, columns: usize) -> bool {
    let whole = |line: &str| {
        [',', ';', '\t', '|'].iter().any(|sign| line.matches(*sign).count() + 1 >= columns)
    };
    columns > 2 && text.lines().skip(1).any(whole)
}

/// Whether an id is written as spreadsheets show large numbers: `1.23457E+11`.
fn is_scientific(record: &Record, column: &str) -> bool {
    let cell = record.delivered().iter().find(|(name, _)| name == column);
    let Some((_, Cell::Text(text) | Cell::Number(text))) = cell else { return false };
    let Some((mantissa, exponent)) = text.trim().split_once("E+") else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(exponent) && mantissa.split('.').all(digits)
}

/// Findings about keys that come more than once.
fn repeated<'a>(
    ruleset: &Ruleset,
    counts: &HashMap<Arc<str>, usize>,
    rows: impl Iterator<Item = Placed<'a>>,
) -> Vec<Diagnostic> {
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let (mut total, mut records) = (0, Vec::new());
    let mut last: HashMap<Arc<str>, Place> = HashMap::new();

    for (file, line, record) in rows {
        total += 1;
        let id = decoder.decode(record).id;
        if counts.contains_key(&id) {
            last.insert(id, place(file, line));
            records.push(record.clone());
        }
    }

    let latest = calculation::latest(ruleset, &records, None);
    let with_remark = |wanted: fn(&Remark) -> bool| -> Vec<Arc<str>> {
        let found = latest.iter().filter(|deal| deal.remarks().iter().any(wanted));
        found.map(|deal| Arc::clone(&deal.id)).collect()
    };

    let in_conflict = with_remark(|remark| *remark == Remark::Conflict);
    let losing = with_remark(|remark| matches!(remark, Remark::ColumnsMissing(_)));
    let place_of = |ids: &[Arc<str>]| ids.first().and_then(|id| last.get(id)).cloned();

    let mut found = Vec::new();
    if let Some(place) = place_of(&in_conflict) {
        let more: usize = counts.values().map(|count| count - 1).sum();
        let (rows, deals) = (rows_of(total), total.saturating_sub(more));
        let deals = if deals == 1 { "1 deal".to_owned() } else { format!("{deals} deals") };
        let message = format!(
            "{rows} are {deals}: rows of one natural key contradict each other, and no clock \
             says which counts: {}",
            names(&in_conflict, counts)
        );
        let help = "map the source's clock as `updated` in [fields], or make the key of several \
                    columns, as in `id = [\"order\", \"line\"]`";
        found.push(Diagnostic::warning("CR077", place, message).help(help));
    }

    if let Some(place) = place_of(&losing) {
        let names = names(&losing, counts);
        let message = format!("later rows do not bring mapped columns that deals had: {names}");
        let help = "export whole rows; a webhook source that sends only what changed has \
                    `merge = true`";
        found.push(Diagnostic::warning("CR082", place, message).help(help));
    }

    found
}

/// Some keys with their numbers of rows, and how many more there are.
fn names(ids: &[Arc<str>], counts: &HashMap<Arc<str>, usize>) -> String {
    let count = |id: &Arc<str>| counts.get(id).copied().unwrap_or_default();
    let shown = ids.iter().take(NAMES_MAX).map(|id| format!("`{id}` ({})", rows_of(count(id))));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match ids.len().saturating_sub(NAMES_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
