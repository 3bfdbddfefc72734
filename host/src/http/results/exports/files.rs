//! Lists as files with types: Parquet and spreadsheets, made on a thread while they are sent.
//!
//! Not text (`exports`). A spreadsheet can be sent only once it is whole, so its size is bounded.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;

use axum::body::Bytes;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::Sender;

use super::{EXPORT_PAGE_ROWS, ExportChunk, PageRequest, PagedList, READER_TIMEOUT, RowPage};
use crate::server::state::Service;
use crate::tabular::spreadsheet::Spreadsheet;
use crate::tabular::table_parquet::ParquetTable;

/// Files that are made at a time: each has a thread until its reader has taken the last byte, and
/// other requests need threads as well.
pub(super) static FILES_UNDER_WAY: Semaphore = Semaphore::const_new(16);

/// Rows of a row group of Parquet.
const GROUP_ROWS: usize = 10_000;

/// Bytes that are sent at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// A file with types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileFormat {
    Parquet,
    Spreadsheet,
}

/// Sends a whole list as a file; without its end where something fails on the way.
pub(super) fn send_file(
    service: &Service,
    pages: &Arc<dyn PagedList>,
    (format, first): (FileFormat, RowPage),
    sender: &Sender<ExportChunk>,
) {
    let sent = match format {
        FileFormat::Parquet => send_parquet(service, pages, first, sender),
        FileFormat::Spreadsheet => send_spreadsheet(service, pages, first, sender),
    };
    let ended = sent.and_then(|()| send_chunk(sender, ExportChunk::End));
    if let Err(error) = ended {
        tracing::warn!(error.cause = %error, "an export was cut short");
    }
}

fn send_parquet(
    service: &Service,
    pages: &Arc<dyn PagedList>,
    first: RowPage,
    sender: &Sender<ExportChunk>,
) -> io::Result<()> {
    let out = ChunkWriter { sender, waiting: Vec::new() };
    let mut table = ParquetTable::begin(pages.column_names(), out)?;
    let (mut rows, mut next) = first;

    while let Some(cursor) = next {
        if rows.len() >= GROUP_ROWS {
            table.write_rows(&rows)?;
            rows.clear();
        }
        let (more, after) = read_page(service, pages, &cursor)?;
        rows.extend(more);
        next = after;
    }

    if !rows.is_empty() {
        table.write_rows(&rows)?;
    }
    table.finish()?.flush()
}

fn send_spreadsheet(
    service: &Service,
    pages: &Arc<dyn PagedList>,
    (rows, mut next): RowPage,
    sender: &Sender<ExportChunk>,
) -> io::Result<()> {
    let mut sheet = Spreadsheet::begin(pages.column_names())?;
    sheet.write_rows(&rows)?;
    while let Some(cursor) = next {
        if sender.is_closed() {
            return Err(io::Error::other("the client has disconnected"));
        }
        let (rows, after) = read_page(service, pages, &cursor)?;
        sheet.write_rows(&rows)?;
        next = after;
    }

    let folder = tempfile::tempdir()?;
    let path = folder.path().join("rows.xlsx");
    sheet.save(&path)?;

    let mut file = File::open(&path)?;
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        let length = file.read(&mut chunk)?;
        if length == 0 {
            return Ok(());
        }
        chunk.truncate(length);
        send_chunk(sender, ExportChunk::Rows(Bytes::from(chunk)))?;
    }
}

fn read_page(service: &Service, pages: &Arc<dyn PagedList>, cursor: &str) -> io::Result<RowPage> {
    let part = PageRequest { limit: EXPORT_PAGE_ROWS, cursor: Some(cursor) };
    let page = pages.read_page(service, &part);
    page.map_err(|problem| io::Error::other(format!("{problem:?}")))
}

fn send_chunk(sender: &Sender<ExportChunk>, chunk: ExportChunk) -> io::Result<()> {
    let sent = Handle::current().block_on(sender.send_timeout(chunk, READER_TIMEOUT));
    sent.map_err(|_| io::Error::other("the client has disconnected"))
}

/// A file whose bytes are sent as they are written.
struct ChunkWriter<'a> {
    sender: &'a Sender<ExportChunk>,
    waiting: Vec<u8>,
}

impl Write for ChunkWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let bytes = Bytes::from(std::mem::take(&mut self.waiting));
        send_chunk(self.sender, ExportChunk::Rows(bytes))
    }
}
