//! What goes through the pipes of a worker: deals and credits in, in a format that needs no end.
//!
//! Not the bytes (`directory::piped`).

use std::io;

use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::transaction::{Cell, Record};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use clap::ValueEnum;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::directory::DirectoryError;
use crate::directory::deals::RowTaker;
use crate::directory::piped::arrow::{BatchTaker, read_batches, records};
use crate::directory::piped::{pipe_failure, read_lines, read_rows};

/// A format of pipes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PipeFormat {
    /// An object of JSON a line.
    Ndjson,
    /// The stream format of Arrow.
    Arrow,
}

/// A credit that was read.
#[derive(Debug)]
pub(super) struct PipedCredit {
    /// The credit.
    pub(super) credit: PostedCredit,
    /// What `--routes` added to it.
    pub(super) route: Route,
}

/// What `--routes` adds to a credit.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(super) struct Route {
    /// The part that needs it.
    pub(super) part: Option<u32>,
    /// How many parts there are.
    pub(super) parts: Option<u32>,
    /// Its place among the credits of its partition of deals.
    pub(super) place: Option<u64>,
}

/// Takes the next credit, and its line.
pub(super) type CreditTaker<'a> = dyn FnMut(PipedCredit, &[u8]) -> Result<(), String> + 'a;

/// Columns of credits that are numbers in JSON; amounts are texts.
const COUNTS: [&str; 4] = ["level", "part", "parts", "place"];

/// Gives away each row of deals from standard input.
///
/// # Errors
/// Where it is no row, or what `take` says.
pub(super) fn read_deals(
    format: PipeFormat,
    take: &mut RowTaker<'_>,
) -> Result<(), DirectoryError> {
    let input = io::stdin().lock();
    match format {
        PipeFormat::Ndjson => read_rows(input, take),
        PipeFormat::Arrow => read_batches(input, &mut RowsOfBatches(take)),
    }
}

/// Gives away each credit from standard input.
///
/// # Errors
/// Where it is no credit, or what `take` says.
pub(super) fn read_credits(
    format: PipeFormat,
    take: &mut dyn FnMut(PipedCredit) -> Result<(), String>,
) -> Result<(), DirectoryError> {
    match format {
        PipeFormat::Ndjson => read_credit_lines(&mut |credit, _| take(credit)),
        PipeFormat::Arrow => {
            let mut number = 0_u64;
            let mut take_row = |record: Record| {
                number += 1;
                let taken = credit_of(record).and_then(&mut *take);
                taken.map_err(|error| pipe_failure(format!("row {number}: {error}")))
            };
            read_batches(io::stdin().lock(), &mut RowsOfBatches(&mut take_row))
        }
    }
}

/// Gives away each credit of NDJSON from standard input, with its line.
///
/// # Errors
/// Where it is no credit, or what `take` says.
pub(super) fn read_credit_lines(take: &mut CreditTaker<'_>) -> Result<(), DirectoryError> {
    read_lines(io::stdin().lock(), &mut |number, line| {
        let credit = serde_json::from_slice::<PostedCredit>(line)
            .and_then(|credit| Ok((credit, serde_json::from_slice::<Route>(line)?)));
        let taken = credit.map_err(|error| format!("not a credit: {error}"));
        let taken = taken.and_then(|(credit, route)| take(PipedCredit { credit, route }, line));
        taken.map_err(|error| pipe_failure(format!("line {number}: {error}")))
    })
}

/// A row of a stream as a credit.
///
/// # Errors
/// Why it is none.
pub(super) fn credit_of(record: Record) -> Result<PipedCredit, String> {
    let fields = record.cells.into_iter().map(|(name, cell)| {
        let value = match cell {
            Cell::Null => Json::Null,
            Cell::Bool(flag) => Json::Bool(flag),
            Cell::Number(digits) if COUNTS.contains(&name.as_str()) => {
                serde_json::from_str(&digits).unwrap_or(Json::String(digits))
            }
            Cell::Text(text) | Cell::Number(text) | Cell::Nested(text) => Json::String(text),
        };
        (name, value)
    });
    let row = Json::Object(fields.collect::<Map<String, Json>>());
    let route = Route::deserialize(&row).map_err(|error| format!("not a credit: {error}"))?;
    let credit = serde_json::from_value(row).map_err(|error| format!("not a credit: {error}"))?;
    Ok(PipedCredit { credit, route })
}

/// Takes batches row by row.
struct RowsOfBatches<'a, 't>(&'a mut RowTaker<'t>);

impl BatchTaker for RowsOfBatches<'_, '_> {
    fn take_schema(&mut self, _: &SchemaRef) -> Result<(), DirectoryError> {
        Ok(())
    }

    fn take_batch(&mut self, batch: &RecordBatch) -> Result<(), DirectoryError> {
        records(batch).try_for_each(&mut *self.0)
    }
}
