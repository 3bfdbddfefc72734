//! Rows that come through a pipe, block by block: no more than one block of them is in memory here.
//!
//! Not files, whose names say what they are (`directory`), and not what is made of the rows. Called by
//! workers, which read standard input.

pub(crate) mod arrow;
mod lines;

use std::io::Read;
use std::path::Path;

use accredit_domain::transaction::read::{FileLayout, MalformedBody, TextBody, TextFormat};

use self::lines::LineBlocks;
use super::deals::RowTaker;
use super::{DirectoryError, malformed_rows, read_failure};
use crate::directory::formats::RowFormat;

/// The name of the pipe in messages.
const NAME: &str = "standard input";

/// A failure of the pipe, as one of a file.
pub(crate) fn pipe_failure(message: impl ToString) -> DirectoryError {
    let help =
        "send rows as `accredit worker --help` says, from a program that ends well".to_owned();
    DirectoryError { help, ..read_failure(Path::new(NAME), message) }
}

/// Gives away each row of deals in NDJSON.
///
/// # Errors
/// Where it is no row, or what `take` says.
pub(crate) fn read_rows(input: impl Read, take: &mut RowTaker<'_>) -> Result<(), DirectoryError> {
    read_blocks(input, &mut |first_line, block| {
        let malformed = |error: MalformedBody| {
            let format = RowFormat::Text(TextFormat::Ndjson);
            let line = error.line + first_line - 1;
            malformed_rows(Path::new(NAME), format, block, MalformedBody { line, ..error })
        };
        let body = TextBody::open(TextFormat::Ndjson, block, &FileLayout::default());
        let (_, rows) = body.and_then(|body| body.rows()).map_err(malformed)?;
        for row in rows {
            take(row.map_err(malformed)?.record)?;
        }
        Ok(())
    })
}

/// Gives away each line that is not blank, with its number from 1.
///
/// # Errors
/// When the pipe breaks, or what `take` says.
pub(crate) fn read_lines(input: impl Read, take: &mut LineTaker<'_>) -> Result<(), DirectoryError> {
    read_blocks(input, &mut |first_line, block| {
        let lines = (first_line..).zip(block.split(|byte| *byte == b'\n'));
        for (number, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
            take(number, line)?;
        }
        Ok(())
    })
}

/// What is done with a line or with some of them, and the number of the first.
pub(crate) type LineTaker<'a> = dyn FnMut(u64, &[u8]) -> Result<(), DirectoryError> + 'a;

fn read_blocks(input: impl Read, take: &mut LineTaker<'_>) -> Result<(), DirectoryError> {
    let mut blocks = LineBlocks::new(input);
    while let Some((first_line, block)) = blocks.next_block().map_err(pipe_failure)? {
        take(first_line, block)?;
    }
    Ok(())
}
