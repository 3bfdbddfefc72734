//! The part of an organisation that one decision needs.
//!
//! Rows are followed by name from the deal and its credits: to positions, their holders, managers,
//! teams and targets. Not understanding them (`workspace::organization`): what is left out wrongly
//! shows when the case is run. Called by `keep`.

use std::collections::BTreeSet;

use crate::rows::credit_cell;
use accredit_domain::decision::Decision;
use accredit_domain::organization::fold_name;
use accredit_domain::transaction::{Cell, Record};
use accredit_workspace::Files;

/// Of a file: the columns by which a row is needed, and those whose names are needed with it.
const LINKS: [(&str, &[&str], &[&str]); 10] = [
    ("participants", &["id", "name", "email"], &["id", "manager"]),
    ("positions", &["id"], &["id", "manager"]),
    ("assignments", &["position", "participant"], &["position", "participant"]),
    ("relationships", &["source"], &["target"]),
    ("aliases", &["alias", "id"], &["id"]),
    ("attributes", &["id"], &[]),
    ("teams", &["id", "name"], &["id", "parent", "manager"]),
    ("members", &["team", "participant"], &["team", "participant"]),
    ("territories", &["team"], &[]),
    ("quotas", &["target"], &[]),
];

/// Words before a name in a plan.
const SELECTORS: [&str; 4] = ["position:", "participant:", "team:", "territory:"];

/// Path and text of every file of the organisation, with the rows needed alone and with all.
pub(super) fn needed_rows(
    files: &Files,
    record: &Record,
    decisions: &[Decision],
) -> [Vec<(String, String)>; 2] {
    let organization = files
        .iter()
        .filter(|(path, _)| path.starts_with("organization/") && path.ends_with(".csv"));
    let mut sheets: Vec<OrganizationFile<'_>> =
        organization.filter_map(|(path, text)| OrganizationFile::parse_file(path, text)).collect();

    let mut names = names_of_decision(files, record, decisions);
    // Each round takes a row or is the last.
    while sheets.iter_mut().filter_map(|sheet| sheet.follow_names(&mut names)).count() > 0 {}

    let small = sheets.iter().map(|sheet| sheet.render_rows(false));
    let whole = sheets.iter().map(|sheet| sheet.render_rows(true));
    [small.collect(), whole.collect()]
}

/// The names that the deal, its credits and the plans say.
fn names_of_decision(files: &Files, record: &Record, decisions: &[Decision]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, cell) in record.delivered_cells() {
        let (Cell::Text(text) | Cell::Number(text) | Cell::Nested(text)) = cell else { continue };
        // The whole cell, and its parts: a list of names has weights in brackets.
        names.insert(fold_name(text));
        for part in text.split([';', '|']) {
            let name = part.split_once('[').map_or(part, |(name, _)| name);
            names.insert(fold_name(name));
        }
    }

    for credit in decisions.iter().flat_map(|decision| &decision.credits) {
        let columns = ["position", "payee", "team", "via"];
        names.extend(columns.map(|column| fold_name(&credit_cell(credit, column))));
    }

    for (_, plan) in files.iter().filter(|(path, _)| path.starts_with("plans/")) {
        // Quotes end a name in TOML and in expressions alike.
        for selector in SELECTORS {
            let said = plan.split(selector).skip(1);
            names.extend(said.filter_map(|rest| Some(fold_name(rest.split(['"', '\'']).next()?))));
        }
    }

    names.remove("");
    names
}

/// A file of the organisation with the rows that are needed so far.
struct OrganizationFile<'a> {
    path: &'a str,
    header: csv::StringRecord,
    rows: Vec<(csv::StringRecord, bool)>,
    links: Option<(Vec<usize>, Vec<usize>)>,
}

impl<'a> OrganizationFile<'a> {
    fn parse_file(path: &'a str, text: &str) -> Option<OrganizationFile<'a>> {
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let header = reader.headers().ok()?.clone();

        let stem = path.strip_prefix("organization/")?.strip_suffix(".csv")?;
        let columns = |names: &[&str]| -> Vec<usize> {
            let columns = header.iter().enumerate().filter(|(_, name)| names.contains(name));
            columns.map(|(index, _)| index).collect()
        };

        let links = LINKS.iter().find(|(file, ..)| *file == stem);
        let links = links.map(|(_, by, with)| (columns(by), columns(with)));
        // A file without people, such as periods, is needed as a whole.
        let all = links.is_none();

        let rows = reader.records().flatten().map(|row| (row, all)).collect();
        Some(OrganizationFile { path, header, rows, links })
    }

    /// Takes the rows that `names` need, and adds theirs; nothing when there was none.
    fn follow_names(&mut self, names: &mut BTreeSet<String>) -> Option<()> {
        let (by, with) = self.links.as_ref()?;
        let mut more = false;
        for (row, needed) in self.rows.iter_mut().filter(|(_, needed)| !needed) {
            let cells = |columns: &[usize]| -> Vec<String> {
                columns.iter().filter_map(|column| row.get(*column)).map(fold_name).collect()
            };

            if cells(by).iter().any(|name| names.contains(name)) {
                *needed = true;
                more = true;
                names.extend(cells(with).into_iter().filter(|name| !name.is_empty()));
            }
        }

        more.then_some(())
    }

    fn render_rows(&self, all: bool) -> (String, String) {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        let rows = self.rows.iter().filter(|(_, needed)| all || *needed).map(|(row, _)| row);
        let mut written = Ok(());
        for row in std::iter::once(&self.header).chain(rows) {
            written = written.and_then(|()| writer.write_record(row));
        }
        let bytes = written.ok().and_then(|()| writer.into_inner().ok()).unwrap_or_default();
        (self.path.to_owned(), String::from_utf8(bytes).unwrap_or_default())
    }
}
