//! What a worker notes beside its results: a line of JSON each, which names its list.
//!
//! The lists of a calculation (FORMAT section 6) but for credits and rewards, and `counts` of each plan and
//! period. Lines of several workers together may repeat one, which then counts once.

use std::io::{self, Write};
use std::path::Path;

use accredit_crediting::calculation::DealNotes;
use accredit_crediting::calculation::stream::CalculationCounts;
use accredit_domain::note::Note;
use serde::Serialize;

use super::part::WorkerPart;
use crate::cli::print::destination::Destination;

/// Where notes go.
pub(super) enum NoteWriter {
    /// A file that is whole or not there.
    File(Destination),
    /// Standard error, beside errors, which are no JSON.
    StandardError,
}

/// A row of a list, as a line.
#[derive(Serialize)]
struct ListedRow<'a, T> {
    list: &'a str,
    #[serde(flatten)]
    row: &'a T,
}

/// How many deals and credits a plan has in a period, or ever, in the part of a worker.
#[derive(Serialize)]
pub(super) struct CountsView<'a> {
    plan: &'a str,
    period: Option<&'a str>,
    /// Which part of how many, so that equal counts of two parts are two lines.
    part: Option<String>,
    transactions: usize,
    credits: usize,
    uncredited: usize,
    parked: usize,
}

impl<'a> CountsView<'a> {
    /// The counts of `plan` in `period`; without one, of every day.
    pub(super) fn new(
        (plan, period, part): (&'a str, Option<&'a str>, Option<WorkerPart>),
        counts: CalculationCounts,
    ) -> CountsView<'a> {
        let CalculationCounts { transactions, credits, uncredited, parked } = counts;
        let part = part.map(|part| part.to_string());
        CountsView { plan, period, part, transactions, credits, uncredited, parked }
    }
}

impl NoteWriter {
    /// Opens the file at `path`; without one, standard error.
    ///
    /// # Errors
    /// What to tell the user.
    pub(super) fn open(path: Option<&Path>) -> Result<NoteWriter, String> {
        let Some(path) = path else { return Ok(NoteWriter::StandardError) };
        let opened = Destination::open(Some(path)).map_err(|error| {
            let path = path.display();
            format!("{path} cannot be written: {error}; name a file in a folder that exists")
        });
        opened.map(NoteWriter::File)
    }

    /// Writes lines.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn write_lines(&mut self, lines: &[u8]) -> io::Result<()> {
        match self {
            NoteWriter::File(file) => file.write_all(lines),
            NoteWriter::StandardError => io::stderr().lock().write_all(lines),
        }
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            NoteWriter::File(file) => file.finish(),
            NoteWriter::StandardError => Ok(()),
        }
    }
}

/// Appends a row of a list as a line.
///
/// # Errors
/// When it cannot be written as JSON.
pub(super) fn push_row<T: Serialize>(lines: &mut Vec<u8>, list: &str, row: &T) -> io::Result<()> {
    serde_json::to_writer(&mut *lines, &ListedRow { list, row })?;
    lines.push(b'\n');
    Ok(())
}

/// The notes about deals as lines.
///
/// # Errors
/// When one cannot be written as JSON.
pub(super) fn deal_lines(notes: &DealNotes) -> io::Result<Vec<u8>> {
    let DealNotes { uncredited, parked, alerts, log } = notes;
    let lists: [(&str, &Vec<Note>); 4] =
        [("uncredited", uncredited), ("parked", parked), ("alerts", alerts), ("log", log)];
    let mut lines = Vec::new();
    for (list, notes) in lists {
        for note in notes {
            push_row(&mut lines, list, note)?;
        }
    }
    Ok(lines)
}
