//! The chain of the trail checked row by row, wherever its rows come from: a data file, a dump, an
//! export; and against marks of it that were kept elsewhere.
//!
//! Not whether the rows agree with what they speak of (`integrity`) and not whether a mark is authentic
//! (the host verifies its signature first).
//!
//! **Architecture invariant:** a row is judged by its stored bytes alone; one fault does not hide another.

use std::collections::BTreeMap;

use super::{AuditRow, hash_row};
use crate::codec;
use crate::integrity::TrailReport;

/// How the trail was at some time, as it was kept elsewhere: a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailMark {
    /// How many rows it had.
    pub rows: u64,
    /// The hash of its last row, in hexadecimal digits.
    pub head: String,
    /// What the mark is called in messages, such as the name of its file.
    pub name: String,
}

/// A chain that is checked while its rows are read, the oldest first.
pub struct ChainCheck<'a> {
    report: TrailReport,
    /// A hash that was kept, and whether a row with it was seen.
    head: Option<&'a str>,
    is_head_known: bool,
    /// Marks that no row was compared with yet.
    marks: BTreeMap<u64, Vec<&'a TrailMark>>,
}

impl<'a> ChainCheck<'a> {
    /// A check without rows so far. `head`, where one was kept, must be the hash of a row, and each of
    /// `marks` that of the row with its number.
    pub fn new(head: Option<&'a str>, marks: &'a [TrailMark]) -> ChainCheck<'a> {
        let mut by_rows: BTreeMap<u64, Vec<&TrailMark>> = BTreeMap::new();
        for mark in marks {
            by_rows.entry(mark.rows).or_default().push(mark);
        }
        let is_head_known = head.is_none();
        ChainCheck { report: TrailReport::default(), head, is_head_known, marks: by_rows }
    }

    /// Adds the next row; gives it where it follows from the one before. `number` is its number by the
    /// key that it is kept under; the row's own is taken where it has no key.
    pub fn add_row(&mut self, number: Option<u64>, bytes: &[u8]) -> Option<AuditRow> {
        let parsed = codec::from_json::<AuditRow>(bytes).ok();
        let expected = self.report.rows.saturating_add(1);
        let own = parsed.as_ref().map(|row| row.sequence);
        let number = number.or(own).unwrap_or(expected);

        if number < expected {
            self.problem(format!("row {number} is there twice, or not in its place"));
        } else if number > expected {
            self.problem(format!("row {expected} is missing"));
        }
        // The next row is judged by its own number: one gap is one problem.
        self.report.rows = self.report.rows.max(number);

        let follows = match parsed {
            Some(row) if row.previous == self.report.head && row.sequence == number => Some(row),
            Some(_) => {
                self.problem(format!(
                    "row {number} does not follow from the one before: one of them was changed"
                ));
                None
            }
            None => {
                self.problem(format!("row {number} cannot be read"));
                None
            }
        };

        self.report.head = hash_row(bytes);
        self.is_head_known |= self.head == Some(self.report.head.as_str());
        self.compare_marks(number);
        follows
    }

    fn compare_marks(&mut self, number: u64) {
        for mark in self.marks.remove(&number).into_iter().flatten() {
            if mark.head != self.report.head {
                let name = &mark.name;
                self.report.problems.push(format!(
                    "row {number} is not the one of the checkpoint `{name}`: rows were rewritten"
                ));
            }
        }
    }

    /// Adds a problem that was found elsewhere.
    pub fn problem(&mut self, text: String) {
        self.report.problems.push(text);
    }

    /// The hash of the last row so far.
    pub fn head(&self) -> &str {
        &self.report.head
    }

    /// What was found, once every row was added.
    pub fn end(mut self) -> TrailReport {
        if !self.is_head_known {
            self.problem("no row has the hash that was kept: rows were rewritten".to_owned());
        }
        for mark in std::mem::take(&mut self.marks).into_values().flatten() {
            let (rows, name) = (mark.rows, &mark.name);
            self.report
                .problems
                .push(format!("row {rows} of the checkpoint `{name}` is gone: rows were removed"));
        }
        self.report
    }
}
