//! Case files: literate Markdown beside a policy or a plan that says what must come out.
//!
//! Documentation, tests and the gate of activation at once. Not a test runner of the program:
//! consultants write these. Called by `accredit test`, by the activation door and by the tests of
//! `scripts/`. The format is described in `scripts/README.md`.
//!
//! **Architecture invariant:** a case runs the same pipeline as production, on files in memory.

mod compare;
mod parse;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::calculation::books;
use crate::decision::Decision;
use crate::diagnostic::{Diagnostic, Place};
use crate::transaction::{Record, read};
use crate::workspace::{Files, Ruleset};

pub use parse::{Block, Case, CaseFile, Table};

/// What came of one case.
#[derive(Debug)]
pub struct Outcome {
    /// Heading of the case.
    pub name: String,
    /// Line of the heading.
    pub line: u32,
    /// Nothing when it passed.
    pub failures: Vec<Diagnostic>,
}

/// Path of the blocks that hold rows.
const TRANSACTIONS: &str = "transactions";

/// Runs every case of the case file `path` on top of the directory `base`, which is empty for the
/// standard library.
///
/// # Errors
/// What cannot be understood in the file itself.
pub fn run(base: &Files, path: &str, text: &str) -> Result<Vec<Outcome>, Vec<Diagnostic>> {
    let file = parse::parse(path, text)?;
    let cases = file.cases.iter();
    Ok(cases.map(|case| run_case(base, path, &file.background, case)).collect())
}

fn run_case(base: &Files, path: &str, background: &[Block], case: &Case) -> Outcome {
    let failures = match decide(base, path, background, case) {
        Ok(decisions) => compare::compare(path, case, &decisions),
        Err(failures) => failures,
    };
    Outcome { name: case.name.clone(), line: case.line, failures }
}

/// The decisions of a case, by plan, then incentive date and natural key.
fn decide(
    base: &Files,
    path: &str,
    background: &[Block],
    case: &Case,
) -> Result<Vec<Decision>, Vec<Diagnostic>> {
    let mut files = base.clone();
    let mut rows: Vec<&Block> = Vec::new();
    for block in background.iter().chain(&case.blocks) {
        if block.path == TRANSACTIONS {
            rows.push(block);
        } else {
            files.insert(block.path.clone(), Arc::from(block.text.as_str()));
        }
    }
    let own_rows = case.blocks.iter().any(|block| block.path == TRANSACTIONS);
    if own_rows {
        rows.retain(|block| case.blocks.contains(block));
    }
    let mut records: Vec<Record> = Vec::new();
    for block in rows {
        records.extend(read_rows(path, block)?);
    }
    let observed: BTreeSet<String> =
        records.iter().flat_map(|record| &record.cells).map(|(column, _)| column.clone()).collect();
    let (ruleset, found) = Ruleset::read(&files, &observed);
    let Some(ruleset) = ruleset else {
        let errors = found.into_iter().filter(Diagnostic::is_error);
        return Err(errors.map(|error| inside(path, case, background, error)).collect());
    };
    let place = || Place::new(path, case.line, 1);
    let period = match &case.period {
        Some(id) => Some(ruleset.settings.calendar.find(id).ok_or_else(|| {
            vec![Diagnostic::error("CR041", place(), format!("there is no period `{id}`"))]
        })?),
        None => None,
    };
    let books = books::books(&ruleset, &records, case.as_of, 1);
    let plans = ruleset.plans.keys();
    Ok(plans.flat_map(|plan| books.decisions(plan, period.as_ref())).collect())
}

fn read_rows(path: &str, block: &Block) -> Result<Vec<Record>, Vec<Diagnostic>> {
    let body = block.text.as_bytes();
    let rows = match block.language.as_str() {
        "csv" => read::csv(body),
        "ndjson" => read::ndjson(body),
        _ => read::json(body),
    };
    rows.map_err(|error| {
        let line = block.line + u32::try_from(error.line).unwrap_or(0);
        vec![Diagnostic::error("CR041", Place::new(path, line, 1), error.message)]
    })
}

/// An error in a block, at its place in the case file; in another file, as it is.
fn inside(path: &str, case: &Case, background: &[Block], error: Diagnostic) -> Diagnostic {
    let mut blocks = case.blocks.iter().rev().chain(background.iter().rev());
    match blocks.find(|block| block.path == error.place.file) {
        Some(block) => {
            let place = Place::new(path, block.line + error.place.line.max(1), error.place.column);
            let message = format!("`{}`: {}", block.path, error.message);
            Diagnostic { place, message, ..error }
        }
        None => error,
    }
}
