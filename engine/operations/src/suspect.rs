//! Rows that can be read but are probably wrong: keys that repeat, blank ones, cells that have
//! swallowed other rows, columns that deals have lost.
//!
//! Not errors: every one of these rows is taken, and the findings say what became of it. Called by
//! `accredit check`, with the names of files, and by imports, whose body has none.
//!
//! **Architecture invariant:** no row is kept while others are looked at, except newest versions of
//! deals with several rows, and of these no more at a time than `repeated` has room for.

mod keys;
mod repeated;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;

use accredit_domain::diagnostic::{Code, Diagnostic, Place};
use accredit_domain::transaction::read::delimiter_name;
use accredit_domain::transaction::{Cell, Decoder, Fields, Record};
use accredit_workspace::Ruleset;

use self::keys::KeyCounts;
pub use self::keys::Keys;

/// Columns with strange cells that are told apart.
const STRANGE_MAX: usize = 1000;

/// What was found about rows.
#[derive(Debug, Default)]
pub struct Suspicions {
    /// The findings.
    pub findings: Vec<Diagnostic>,
    /// The natural keys whose newest rows contradict each other.
    pub conflicts: Keys,
}

/// Findings about rows that are in memory.
pub fn row_findings<'a, I>(ruleset: &Ruleset, rows: impl Fn() -> I) -> Vec<Diagnostic>
where
    I: Iterator<Item = (&'a str, u64, &'a Record)>,
{
    let mut survey = Survey::new(ruleset);
    for (file, line, record) in rows() {
        survey.add(file, line, record);
    }

    let again: Result<Suspicions, Infallible> = survey.end(|each| {
        rows().for_each(|(file, line, record)| each(file, line, record));
        Ok(())
    });
    let Ok(suspicions) = again;
    suspicions.findings
}

/// Findings about rows that come one after the other: of each nothing is kept but the number of its
/// natural key.
pub struct Survey<'r> {
    ruleset: &'r Ruleset,
    decoder: Decoder,
    mapped: BTreeSet<&'r str>,
    keys: KeyCounts,
    rows: usize,
    blank: FirstPlace,
    scientific: FirstPlace,
    strange: BTreeMap<String, FirstPlace>,
}

impl<'r> Survey<'r> {
    /// An empty survey for rows of `ruleset`.
    pub fn new(ruleset: &'r Ruleset) -> Self {
        let fields = &ruleset.settings.fields;
        Survey {
            ruleset,
            decoder: Decoder::new(Arc::clone(fields)),
            mapped: mapped_columns(fields),
            keys: KeyCounts::default(),
            rows: 0,
            blank: FirstPlace::default(),
            scientific: FirstPlace::default(),
            strange: BTreeMap::new(),
        }
    }

    /// Looks at the next row; its natural key, blank where it has none.
    pub fn add(&mut self, file: &str, line: u64, record: &Record) -> String {
        self.rows += 1;
        let key = self.decoder.natural_key(record);
        if key.is_empty() {
            self.blank.add(file, line, "");
        } else {
            let ids = &self.ruleset.settings.fields.id;
            if ids.iter().any(|column| is_scientific(record, column)) {
                self.scientific.add(file, line, &key);
            }
            self.keys.add(&key);
        }

        for column in strange_cells(record, &self.mapped) {
            if let Some(first) = self.strange.get_mut(column) {
                first.add(file, line, "");
            } else if self.strange.len() < STRANGE_MAX {
                self.strange.entry(column.to_owned()).or_default().add(file, line, "");
            }
        }
        key
    }

    /// Ends: `again` hands the same rows over once more, as often as it is called, where keys repeat.
    ///
    /// # Errors
    /// That of `again`.
    pub fn end<E>(
        mut self,
        again: impl FnMut(&mut dyn FnMut(&str, u64, &Record)) -> Result<(), E>,
    ) -> Result<Suspicions, E> {
        let mut findings = Vec::new();
        findings.extend(
            self.strange.iter().filter_map(|(column, first)| first.strange_warning(column)),
        );
        findings.extend(self.scientific.scientific_warning());
        findings.extend(self.blank.blank_warning(&self.ruleset.settings.fields.id));

        let more = self.keys.excess_count();
        let deals = self.rows.saturating_sub(more);
        let repeated = self.keys.repeated_keys();
        if repeated.is_empty() {
            return Ok(Suspicions { findings, conflicts: Keys::default() });
        }

        let (found, conflicts) = repeated::find_repeated(self.ruleset, repeated, again)?;
        findings.extend(found.findings(self.rows, deals));
        Ok(Suspicions { findings, conflicts })
    }
}

/// Columns of a header that differ from mapped ones in the case of letters alone.
pub fn header_findings(fields: &Fields, file: &str, columns: &[String]) -> Vec<Diagnostic> {
    let missing =
        fields.named_columns().filter(|known| !columns.iter().any(|column| column == known));
    let missing: BTreeSet<&str> = missing.collect();
    let alike = missing.into_iter().filter_map(|known| {
        let lower = known.to_lowercase();
        let column = columns.iter().find(|column| column.to_lowercase() == lower)?;
        let message = format!("this file has a column `{column}`, but `{known}` is mapped");
        let help =
            format!("rename it to `{known}`: the case of letters in names of columns counts");
        Some(Diagnostic::warning(Code::CR081, Place::new(file, 1, 1), message).with_help(help))
    });
    alike.collect()
}

/// That a delimiter was found out.
pub fn delimiter_finding(file: &str, delimiter: char) -> Diagnostic {
    let message = format!("cells appear to be separated by {}", delimiter_name(delimiter));
    let written = delimiter.escape_default();
    let help = format!("write `delimiter = \"{written}\"` in [transactions] to say so explicitly");
    Diagnostic::hint(Code::CR083, Place::new(file, 1, 1), message).with_help(help)
}

/// The first place of something, and how often it was there.
#[derive(Default)]
struct FirstPlace {
    place: Option<Place>,
    what: String,
    count: usize,
}

impl FirstPlace {
    fn add(&mut self, file: &str, line: u64, what: &str) {
        self.count += 1;
        if self.place.is_none() {
            self.place = Some(line_place(file, line));
            what.clone_into(&mut self.what);
        }
    }

    fn strange_warning(&self, column: &str) -> Option<Diagnostic> {
        let count = rows_of(self.count);
        let message = format!("`{column}` holds line breaks or control characters, in {count}");
        let help = "look for a quote that is not closed where it should be: rows below it may have \
                    become a part of the cell";
        Some(Diagnostic::warning(Code::CR078, self.place.clone()?, message).with_help(help))
    }

    fn scientific_warning(&self) -> Option<Diagnostic> {
        let (id, count) = (&self.what, rows_of(self.count));
        let message =
            format!("the id `{id}` is a number that a spreadsheet has rounded, in {count}");
        let help =
            "unlike deals may have become one; format the column as text and export it again";
        Some(Diagnostic::warning(Code::CR079, self.place.clone()?, message).with_help(help))
    }

    fn blank_warning(&self, id: &[String]) -> Option<Diagnostic> {
        let (count, key) = (rows_of(self.count), id.join("`, `"));
        let message = format!("the natural key `{key}` is blank in {count}");
        let help = "give every deal its id; if a total follows the table, put a blank row \
                    before it and write `stop_at_blank = true` in [transactions]";
        Some(Diagnostic::warning(Code::CR080, self.place.clone()?, message).with_help(help))
    }
}

fn line_place(file: &str, line: u64) -> Place {
    Place::new(file, u32::try_from(line).unwrap_or(u32::MAX), 1)
}

fn rows_of(count: usize) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}

/// Columns that mean something to crediting.
fn mapped_columns(fields: &Fields) -> BTreeSet<&str> {
    let named = fields.names.values().flatten();
    let all = fields.id.iter().chain(fields.mapped.values()).chain(named);
    all.map(String::as_str).collect()
}

/// Columns whose cells have line breaks or control characters where one name or number belongs, or
/// which hold a whole row.
fn strange_cells<'a>(record: &'a Record, mapped: &BTreeSet<&str>) -> Vec<&'a str> {
    let columns = record.delivered_cells().len();
    let strange = |sign: char| sign.is_control() && sign != '\t';
    let cells = record.delivered_cells().iter().filter(|(column, cell)| {
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
    let cell = record.delivered_cells().iter().find(|(name, _)| name == column);
    let Some((_, Cell::Text(text) | Cell::Number(text))) = cell else { return false };
    let Some((mantissa, exponent)) = text.trim().split_once("E+") else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(exponent) && mantissa.split('.').all(digits)
}
