//! `accredit worker` as a process: batches of Arrow in, batches of Arrow out.
//!
//! The engine decides there. Here is nothing but pipes, so another version of Arrow does no harm:
//! its stream format is the same.
//!
//! **Architecture invariant:** a worker that ends in any other way than well ends its task, with
//! its own words.

use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::{self, ScopedJoinHandle};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::error::{DataFusionError, Result};

/// Rows of one batch in a pipe.
const ROWS_A_BATCH: usize = 8192;

/// Bytes that are collected before they go through a pipe.
const PIPE_BYTES: usize = 1 << 16;

/// What a message of a failed worker begins with.
const FAILED: &str = "accredit worker: ";

/// Takes the next batch that a worker wrote.
pub(crate) type BatchTaker<'a> = dyn FnMut(RecordBatch) -> Result<()> + 'a;

/// Runs a worker over `rows` and gives away what it writes. Returns the columns of that.
///
/// # Errors
/// The words of the worker when it refuses its rows, which no other node would take either. A
/// worker that was killed is an I/O error: Ballista then tries the task again.
pub(crate) fn run_worker(
    program: &Path,
    arguments: &[String],
    rows: &RecordBatch,
    take: &mut BatchTaker<'_>,
) -> Result<SchemaRef> {
    let mut worker = start_worker(program, arguments)?;
    let pipes = (worker.stdin.take(), worker.stdout.take(), worker.stderr.take());
    let (Some(input), Some(output), Some(errors)) = pipes else {
        return Err(DataFusionError::Internal("a worker has no pipes".to_owned()));
    };

    // Rows go in while results come out: one after the other, a pipe would fill up.
    let (fed, told, read) = thread::scope(|threads| {
        let feeder = threads.spawn(|| feed_rows(input, rows));
        let listener = threads.spawn(|| read_words(errors));
        let read = read_batches(output, take);
        (joined(feeder), joined(listener), read)
    });
    judge_end(worker, &told?)?;

    // It ended well, so what went wrong was on this side.
    let columns = read?;
    fed?;
    Ok(columns)
}

/// What a thread that serves a pipe came to.
fn joined<T>(thread: ScopedJoinHandle<'_, io::Result<T>>) -> io::Result<T> {
    thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread that serves a pipe died")))
}

fn start_worker(program: &Path, arguments: &[String]) -> Result<Child> {
    let mut command = Command::new(program);
    command.arg("worker").args(["--input", "arrow", "--output", "arrow"]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|error| {
        let program = program.display();
        let message = format!("{program} cannot be started: {error}; name accredit with --program");
        DataFusionError::Execution(message)
    })
}

/// Waits for the end of a worker.
fn judge_end(mut worker: Child, told: &str) -> Result<()> {
    let status = worker.wait()?;
    if status.success() {
        return Ok(());
    }

    let told = told.trim();
    let told = told.strip_prefix("error: ").unwrap_or(told);
    let message = if told.is_empty() { "it said nothing" } else { told };
    match status.code() {
        Some(_) => Err(DataFusionError::Execution(format!("{FAILED}{message}"))),
        None => Err(io::Error::other(format!("{FAILED}{status}: {message}")).into()),
    }
}

/// The words of a worker in what Ballista tells of a failed run: it wraps and escapes them. What has no
/// words of a worker is told as it is.
pub(crate) fn words_of_worker(told: &str) -> String {
    let Some((_, wrapped)) = told.split_once(FAILED) else { return told.to_owned() };
    let words = wrapped.rsplit_once("\")").map_or(wrapped, |(words, _)| words);
    format!("{FAILED}{}", words.replace("\\n", "\n").replace("\\\"", "\""))
}

fn feed_rows(input: ChildStdin, rows: &RecordBatch) -> io::Result<()> {
    let mut stream =
        StreamWriter::try_new(BufWriter::with_capacity(PIPE_BYTES, input), &rows.schema())
            .map_err(io::Error::other)?;
    for start in (0..rows.num_rows()).step_by(ROWS_A_BATCH) {
        let count = ROWS_A_BATCH.min(rows.num_rows() - start);
        stream.write(&rows.slice(start, count)).map_err(io::Error::other)?;
    }
    stream.finish().map_err(io::Error::other)?;
    stream.into_inner().map_err(io::Error::other)?.flush()
}

fn read_words(mut errors: ChildStderr) -> io::Result<String> {
    let mut told = Vec::new();
    errors.read_to_end(&mut told)?;
    Ok(String::from_utf8_lossy(&told).into_owned())
}

fn read_batches(output: ChildStdout, take: &mut BatchTaker<'_>) -> Result<SchemaRef> {
    let stream = StreamReader::try_new(BufReader::with_capacity(PIPE_BYTES, output), None)?;
    let columns = stream.schema();
    for batch in stream {
        take(batch?)?;
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_worker_are_told_without_what_wraps_them() {
        let error = DataFusionError::Execution(format!("{FAILED}deal `D\"1`:\n  Help: send it"));
        let wrapped = format!("Job 1 failed: stage 2 failed: DataFusionError(Shared({error:?}))\n");
        assert_eq!(words_of_worker(&wrapped), error.strip_backtrace()["Execution error: ".len()..]);
        assert_eq!(words_of_worker("no scheduler"), "no scheduler");
    }
}
