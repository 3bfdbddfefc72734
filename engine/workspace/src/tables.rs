//! `[tables]` and `tables/*.csv`: declared columns, and the rows in them.
//!
//! Not which row counts (`domain::tables`). Called by `settings` for the declarations, and by
//! `Ruleset::read` for the files. Source: FORMAT sections 1 and 2.
//!
//! **Architecture invariant:** a table of a ruleset has a declaration, a file, and no two rows that
//! are equal for any look-up.

mod rows;
mod tiers;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Files;
use super::report::Findings;
use super::toml::{DefinitionText, PlacedText, TomlItem, TomlTable, parse_choice};
use accredit_domain::declared::DeclaredKind;
use accredit_domain::diagnostic::{Code, Diagnostic, Place, did_you_mean};
use accredit_domain::tables::{
    TABLE_KEYS_MAX, TABLE_RANGES_MAX, TABLE_VALUES_MAX, TableShape, Tables,
};

/// Bytes of one table.
pub(super) const TABLE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Rows of one table.
pub(super) const TABLE_ROWS_MAX: usize = 1_000_000;

/// Pairs of contradicting rows that are reported of one table.
const RIVALS_SHOWN_MAX: usize = 20;

/// Columns that every table may have.
const DATES: [&str; 2] = ["from", "to"];

/// A table as `accredit.toml` declares it.
#[derive(Debug, Clone)]
pub struct DeclaredTable {
    /// Its columns; none where they were refused, which is reported.
    pub shape: Option<TableShape>,
    /// Where it is declared.
    pub place: Place,
}

/// The name of the table that the file at `path` holds.
pub(super) fn table_name(path: &str) -> Option<&str> {
    let stem = path.strip_prefix("tables/")?.strip_suffix(".csv")?;
    (!stem.is_empty() && !stem.contains('/')).then_some(stem)
}

/// Reads `[tables]`.
pub(super) fn read_declarations(root: &mut TomlTable<'_>) -> BTreeMap<Arc<str>, DeclaredTable> {
    let mut declared = BTreeMap::new();
    let tables = root.take_table("tables");
    for (name, item) in tables.iter().flat_map(TomlTable::entries) {
        let shape = read_shape(&name, &item);
        declared.insert(Arc::from(name.text), DeclaredTable { shape, place: name.place });
    }
    declared
}

fn read_shape(name: &PlacedText, item: &TomlItem<'_>) -> Option<TableShape> {
    let mut table = item.expect_table()?;

    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if name.text.is_empty() || !name.text.chars().all(plain) {
        let message = format!("`{}` is not a name for a table", name.text);
        let help = "use letters, digits, `_` and `-`: the file is tables/NAME.csv";
        table.report().error(Code::CR024, name.place.clone(), message, help);
        return None;
    }

    let mut columns: Vec<String> = DATES.map(str::to_owned).into();
    let keys = take_columns(&mut table, ("keys", TABLE_KEYS_MAX), &mut columns);
    let ranges = take_columns(&mut table, ("ranges", TABLE_RANGES_MAX), &mut columns);

    let values = table.take_needed("values").and_then(|item| item.expect_table());
    let entries = values.as_ref().map(TomlTable::entries).unwrap_or_default();
    let kinds = DeclaredKind::ALL.map(|kind| (kind.as_str(), kind));
    let named = entries.iter().map(|(name, _)| name.clone()).collect();
    let names = read_columns(&table, named, ("values", TABLE_VALUES_MAX), &mut columns);

    let kinds: Vec<DeclaredKind> = entries
        .iter()
        .filter_map(|(_, item)| parse_choice(table.report(), &item.expect_text()?, &kinds))
        .collect();

    if values.is_some() && entries.is_empty() {
        let message = format!("the table `{}` has no values", name.text);
        let help = "name at least one: values = { rate = \"number\" }";
        table.report().error(Code::CR023, name.place.clone(), message, help);
    }
    table.finish();

    let (keys, ranges, names) = (keys?, ranges?, names?);
    let whole = !names.is_empty() && names.len() == kinds.len();
    whole.then(|| TableShape { keys, ranges, values: names.into_iter().zip(kinds).collect() })
}

/// The columns under a key, which may be left out; none where one is refused, which is reported.
fn take_columns(
    table: &mut TomlTable<'_>,
    (key, most): (&'static str, usize),
    known: &mut Vec<String>,
) -> Option<Vec<Arc<str>>> {
    match table.take(key) {
        Some(item) => read_columns(table, item.expect_texts()?, (key, most), known),
        None => Some(Vec::new()),
    }
}

/// The columns of a list; none where one is refused, which is reported.
fn read_columns(
    table: &TomlTable<'_>,
    listed: Vec<PlacedText>,
    (what, most): (&str, usize),
    known: &mut Vec<String>,
) -> Option<Vec<Arc<str>>> {
    let report = table.report();
    let mut columns: Vec<Arc<str>> = Vec::new();
    let mut whole = true;

    if let Some(beyond) = listed.get(most) {
        let message = format!("a table has at most {most} {what}, this one has {}", listed.len());
        let help = "split the table, or leave some columns out";
        report.error(Code::CR027, beyond.place.clone(), message, help);
        return None;
    }

    for column in listed {
        let fault = if column.text.trim().is_empty() {
            Some("the name of a column is blank".to_owned())
        } else if column.text.trim() != column.text {
            Some(format!("`{}` has spaces at its ends", column.text))
        } else if DATES.contains(&column.text.as_str()) {
            Some(format!("`{}` is the column of the dates of a row", column.text))
        } else if known.contains(&column.text) {
            Some(format!("`{}` is a column of this table already", column.text))
        } else {
            None
        };

        match fault {
            Some(message) => {
                let help = "give each column a name of its own, as the header has it";
                report.error(Code::CR026, column.place, message, help);
                whole = false;
            }
            None => {
                known.push(column.text.clone());
                columns.push(Arc::from(column.text));
            }
        }
    }

    whole.then_some(columns)
}

/// Reads `[attributes]`.
pub(super) fn read_attribute_kinds(root: &mut TomlTable<'_>) -> BTreeMap<Arc<str>, DeclaredKind> {
    let words = DeclaredKind::ALL.map(|kind| (kind.as_str(), kind));
    let table = root.take_table("attributes");
    let mut kinds = BTreeMap::new();
    for (name, item) in table.iter().flat_map(TomlTable::entries) {
        if name.text.trim().is_empty() || name.text.trim() != name.text {
            let message = format!("`{}` is not a name for an attribute", name.text);
            let help = "write a name without spaces at its ends";
            item.report().error(Code::CR024, name.place, message, help);
            continue;
        }
        let kind = item.expect_text().and_then(|text| parse_choice(item.report(), &text, &words));
        // One whose kind is wrong is declared all the same: reading it is no second mistake.
        kinds.insert(Arc::from(name.text), kind.unwrap_or_default());
    }
    kinds
}

/// Reads the file of every declared table.
pub(super) fn read(
    files: &Files,
    declared: &BTreeMap<Arc<str>, DeclaredTable>,
    report: &Findings,
) -> Tables {
    let mut tables = Tables::default();
    warn_undeclared(files, declared, report);

    for (name, table) in declared {
        let Some(shape) = &table.shape else { continue };
        let path = format!("tables/{name}.csv");
        let Some(text) = files.get(&path) else {
            let message = format!("there is no file `{path}`");
            let help = format!("add it with the columns {}", column_list(shape));
            report.error(Code::CR025, table.place.clone(), message, &help);
            continue;
        };

        let source = DefinitionText::new(&path, text, report);
        if !fits_limits(source) {
            continue;
        }
        if shape.holds_tiers() {
            let tiers = tiers::read(source, name, shape);
            tables.tiers.insert(Arc::clone(name), Arc::new(tiers));
        } else {
            tables.lookups.insert(Arc::clone(name), rows::read(source, name, shape));
        }
    }

    tables
}

/// The columns of a table in the order of its declaration.
fn column_list(shape: &TableShape) -> String {
    let values = shape.values.iter().map(|(name, _)| name);
    let all = shape.keys.iter().chain(&shape.ranges).chain(values).map(AsRef::as_ref);
    all.chain(DATES).collect::<Vec<&str>>().join(",")
}

/// Whether a table has no more bytes and lines than one may have; else it is reported. Lines are
/// counted before any cell is read, so that a table that is too long needs no memory.
fn fits_limits(source: DefinitionText<'_>) -> bool {
    let bytes = source.text.len();
    let message = if bytes > TABLE_BYTES_MAX {
        format!("the table has {bytes} bytes, more than {TABLE_BYTES_MAX} (TABLE_BYTES_MAX)")
    } else {
        let lines = source.text.lines().count().saturating_sub(1);
        if lines <= TABLE_ROWS_MAX {
            return true;
        }
        format!("the table has {lines} rows, more than {TABLE_ROWS_MAX} (TABLE_ROWS_MAX)")
    };
    let help = "split it into several tables";
    source.report.error(Code::CR027, Place::whole_file(source.file), message, help);
    false
}

/// Reports files of `tables/` that are not declared: nothing reads them.
fn warn_undeclared(files: &Files, declared: &BTreeMap<Arc<str>, DeclaredTable>, report: &Findings) {
    for path in files.keys() {
        let Some(name) = table_name(path).filter(|name| !declared.contains_key(*name)) else {
            continue;
        };
        let near = did_you_mean(name, declared.keys().map(AsRef::as_ref));
        let help = near.unwrap_or_else(|| {
            format!("declare it in accredit.toml: [tables.{name}], with keys and values")
        });
        let message = format!("nothing reads `{path}`: no table is declared under that name");
        let finding = Diagnostic::warning(Code::CR050, Place::whole_file(path), message);
        report.push(finding.with_help(help));
    }
}
