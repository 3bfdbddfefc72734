//! Natural keys that come more than once: rows that contradict each other, and columns that deals
//! lose from one row to the next.
//!
//! Not which keys these are (`keys`). The rows are gone through in rounds, each for as many deals as
//! there is room for, in order of their first rows.

use std::collections::HashMap;
use std::sync::Arc;

use accredit_crediting::calculation::Latest;
use accredit_domain::diagnostic::{Code, Diagnostic, Place};
use accredit_domain::transaction::{Cell, Decoder, Record, Remark, Transaction};
use accredit_workspace::Ruleset;

use super::keys::Keys;
use super::{line_place, rows_of};

/// Names that a finding lists.
const NAMES_MAX: usize = 5;

/// Bytes of the deals of a round, by estimate.
const ROUND_BYTES_MAX: usize = 64 << 20;

/// What a deal needs beside its cells, and a cell beside its text.
const DEAL_BYTES: usize = 400;
const CELL_BYTES: usize = 64;

/// How far a deal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    InRound,
    Done,
    InConflict,
}

/// Deals whose rows contradict each other, and deals that lose columns.
#[derive(Debug, Default)]
pub(super) struct RepeatedKeyGroups {
    conflicts: Group,
    losing: Group,
}

/// Deals of which the same is to be said.
#[derive(Debug, Default)]
struct Group {
    /// Where the last row of the first one is.
    place: Option<Place>,
    /// The first ones, with their numbers of rows.
    named: Vec<(Arc<str>, usize)>,
    count: usize,
}

/// Looks at the rows of repeated keys, which `again` hands over each time that it is called; also
/// the keys whose newest rows contradict each other.
pub(super) fn find_repeated<E>(
    ruleset: &Ruleset,
    repeated: Keys,
    again: impl FnMut(&mut dyn FnMut(&str, u64, &Record)) -> Result<(), E>,
) -> Result<(RepeatedKeyGroups, Keys), E> {
    look_in_rounds(ruleset, repeated, ROUND_BYTES_MAX, again)
}

fn look_in_rounds<E>(
    ruleset: &Ruleset,
    repeated: Keys,
    bytes_max: usize,
    mut again: impl FnMut(&mut dyn FnMut(&str, u64, &Record)) -> Result<(), E>,
) -> Result<(RepeatedKeyGroups, Keys), E> {
    let mut found = RepeatedKeyGroups::default();
    let mut stages = vec![Stage::Waiting; repeated.len()];

    loop {
        let mut round = Round {
            decoder: Decoder::new(Arc::clone(&ruleset.settings.fields)),
            repeated: &repeated,
            stages: &mut stages,
            latest: Latest::default(),
            rows: HashMap::new(),
            bytes_left: bytes_max,
            is_full: false,
        };
        again(&mut |file, line, record| round.add(file, line, record))?;

        let is_full = round.is_full;
        round.end(&mut found);
        if !is_full {
            break;
        }
    }

    let in_conflict = |place: usize| stages.get(place) == Some(&Stage::InConflict);
    Ok((found, repeated.only_where(in_conflict)))
}

/// The rows of some deals.
struct Round<'r> {
    decoder: Decoder,
    repeated: &'r Keys,
    stages: &'r mut [Stage],
    latest: Latest,
    /// How many rows each deal has, and where the last one is.
    rows: HashMap<Arc<str>, (usize, Place)>,
    bytes_left: usize,
    /// Whether deals wait for the next round.
    is_full: bool,
}

impl Round<'_> {
    fn add(&mut self, file: &str, line: u64, record: &Record) {
        let key = self.decoder.natural_key(record);
        let place_of_key = Some(&key).filter(|key| !key.is_empty());
        let place_of_key = place_of_key.and_then(|key| self.repeated.place_of(key));
        let Some(stage) = place_of_key.and_then(|place| self.stages.get_mut(place)) else { return };

        match *stage {
            Stage::InRound => (),
            Stage::Done | Stage::InConflict => return,
            Stage::Waiting => {
                let bytes = estimated_bytes(record);
                if bytes > self.bytes_left && !self.rows.is_empty() {
                    // A later deal may not come before this one.
                    self.bytes_left = 0;
                    self.is_full = true;
                    return;
                }
                self.bytes_left = self.bytes_left.saturating_sub(bytes);
                *stage = Stage::InRound;
            }
        }

        let transaction = self.decoder.decode(record);
        let last = line_place(file, line);
        let rows = self.rows.entry(Arc::clone(&transaction.id)).or_default();
        *rows = (rows.0 + 1, last);
        self.latest.add(transaction);
    }

    fn end(self, found: &mut RepeatedKeyGroups) {
        let Round { repeated, stages, latest, rows, .. } = self;
        for stage in stages.iter_mut().filter(|stage| **stage == Stage::InRound) {
            *stage = Stage::Done;
        }

        for deal in latest.end() {
            let (count, last) = rows.get(&deal.id).cloned().unwrap_or_default();
            let has = |wanted: fn(&Remark) -> bool| deal.row_remarks().iter().any(wanted);
            if has(|remark| *remark == Remark::Conflict) {
                found.conflicts.add(&deal, count, &last);
                let stage = repeated.place_of(&deal.id).and_then(|place| stages.get_mut(place));
                stage.into_iter().for_each(|stage| *stage = Stage::InConflict);
            }
            if has(|remark| matches!(remark, Remark::ColumnsMissing(_))) {
                found.losing.add(&deal, count, &last);
            }
        }
    }
}

/// Bytes that the newest version of a deal needs, about.
fn estimated_bytes(record: &Record) -> usize {
    let text = |cell: &Cell| match cell {
        Cell::Text(text) | Cell::Number(text) | Cell::Nested(text) => text.len(),
        Cell::Null | Cell::Bool(_) => 0,
    };
    let cells = record.delivered_cells().iter();
    cells.fold(DEAL_BYTES, |sum, (_, cell)| sum + CELL_BYTES + text(cell))
}

impl Group {
    fn add(&mut self, deal: &Transaction, rows: usize, last: &Place) {
        self.count += 1;
        self.place.get_or_insert_with(|| last.clone());
        if self.named.len() < NAMES_MAX {
            self.named.push((Arc::clone(&deal.id), rows));
        }
    }

    /// Some keys with their numbers of rows, and how many more there are.
    fn list_keys(&self) -> String {
        let named = self.named.iter().map(|(id, rows)| format!("`{id}` ({})", rows_of(*rows)));
        let shown = named.collect::<Vec<_>>().join(", ");
        match self.count.saturating_sub(self.named.len()) {
            0 => shown,
            more => format!("{shown} and {more} more"),
        }
    }
}

impl RepeatedKeyGroups {
    /// The findings about so many rows of so many deals.
    pub(super) fn findings(self, rows: usize, deals: usize) -> Vec<Diagnostic> {
        let mut findings = Vec::new();
        if let Some(place) = &self.conflicts.place {
            let rows = rows_of(rows);
            let deals = if deals == 1 { "1 deal".to_owned() } else { format!("{deals} deals") };
            let message = format!(
                "{rows} are {deals}: rows of one natural key contradict each other, and no clock \
                 says which counts: {}",
                self.conflicts.list_keys()
            );
            let help = "map the source's clock as `updated` in [fields], or make the key of several \
                        columns, as in `id = [\"order\", \"line\"]`";
            findings.push(Diagnostic::warning(Code::CR077, place.clone(), message).with_help(help));
        }

        if let Some(place) = &self.losing.place {
            let names = self.losing.list_keys();
            let message = format!("later rows do not bring mapped columns that deals had: {names}");
            let help = "export whole rows; a webhook source that sends only what changed has \
                        `merge = true`";
            findings.push(Diagnostic::warning(Code::CR082, place.clone(), message).with_help(help));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::convert::Infallible;

    use accredit_domain::transaction::read;
    use accredit_domain::transaction::version::NewestVersions;
    use accredit_workspace::Files;

    use super::super::keys::KeyCounts;
    use super::*;

    fn ruleset() -> Ruleset {
        let settings = "[workspace]\nname = \"Acme\"\n\n[fields]\nid = \"id\"\ndate = \"day\"\n\
                        updated = \"at\"\namount = \"amount\"\n";
        let files = [("accredit.toml", settings), ("organization/participants.csv", "id\nann\n")];
        let files: Files =
            files.map(|(path, text)| (path.to_owned(), Arc::from(text))).into_iter().collect();
        let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
        ruleset.unwrap_or_else(|| panic!("{findings:?}"))
    }

    /// All rows of a file were decoded at the same time, in order to compare those of one key. In
    /// rounds, each for a few deals, the same is found.
    #[test]
    fn rounds_find_what_is_found_at_once() {
        let ruleset = ruleset();
        let rows = (0..600).map(|row: u64| {
            let (deal, number) = (row * 7 % 131, row * row % 11);
            match number {
                0 => format!("{{\"id\":\"{deal}\",\"at\":\"3\"}}\n"),
                at => format!("{{\"id\":\"{deal}\",\"amount\":{row},\"at\":\"{}\"}}\n", at % 3),
            }
        });
        let records = read::read_ndjson(rows.collect::<String>().as_bytes()).unwrap();

        let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
        let mut newest = NewestVersions::default();
        let mut keys = Vec::new();
        for record in &records {
            newest.add(&Arc::new(decoder.decode(record)));
            keys.push(decoder.natural_key(record));
        }
        let conflicts = newest.conflicting_deals();
        assert!(conflicts.len() > 10 && conflicts.len() < 120, "{}", conflicts.len());

        let found = |bytes_max: usize| {
            let mut counts = KeyCounts::default();
            keys.iter().for_each(|key| counts.add(key));
            let mut rounds = 0;
            let looked = look_in_rounds(&ruleset, counts.repeated_keys(), bytes_max, |each| {
                rounds += 1;
                records.iter().zip(1..).for_each(|(record, line)| each("", line, record));
                Ok::<(), Infallible>(())
            });
            let Ok((found, in_conflict)) = looked;
            for key in &keys {
                assert_eq!(in_conflict.contains(key), conflicts.contains(&**key), "{key}");
            }
            (rounds, format!("{:?}", found.findings(600, 131)))
        };
        let (rounds, at_once) = found(usize::MAX);
        assert_eq!(rounds, 1);
        assert!(at_once.contains("CR077") && at_once.contains("CR082"), "{at_once}");
        let (rounds, in_rounds) = found(5000);
        assert!(rounds > 10, "{rounds}");
        assert_eq!(in_rounds, at_once);
        assert_eq!(found(1).1, at_once);
    }
}
