//! The rows of an import as deliveries of bounded size, stored some at a time.
//!
//! The same body always makes the same deliveries, so that a sender who repeats an interrupted
//! import continues where it ended.

use std::sync::Arc;

use accredit_domain::transaction::{Decoder, Fields, Record, Remark};
use accredit_ledger::import_rows::ImportRows;
use accredit_operations::intake::IMPORT;
use accredit_operations::suspect::Keys;
use accredit_seams::delivery::Delivery;
use tokio::runtime::Handle;

use crate::http::intake::hooks::not_taken;
use crate::http::problem::Problem;
use crate::server::state::Service;

/// Rows of one delivery, and bytes beyond which it takes no more of them. A delivery is stored in one
/// commit and decided in one, and webhooks wait for both.
const CHUNK_ROWS_MAX: usize = 250;
const CHUNK_BYTES_MAX: usize = 256 << 10;

/// Deliveries that are stored in one commit, and bytes beyond which it takes no more of them: what a
/// webhook waits for at most.
const COMMIT_CHUNKS_MAX: usize = 16;
const COMMIT_BYTES_MAX: usize = 256 << 10;

/// Deliveries that are made and stored.
pub(super) struct Chunks<'s> {
    service: &'s Service,
    runtime: &'s Handle,
    key: &'s str,
    hash: &'s str,
    received_ms: i64,
    decoder: Option<Decoder>,
    /// Rows of the next delivery.
    rows: ImportRows,
    /// Deliveries of the next commit.
    waiting: Vec<Delivery>,
    waiting_bytes: usize,
    made: usize,
    stored: StoredChunks,
}

/// What was stored.
pub(super) struct StoredChunks {
    /// How many deliveries the rows made.
    pub(super) deliveries: usize,
    /// Whether each of them had been received before.
    pub(super) duplicate: bool,
}

impl<'s> Chunks<'s> {
    /// Deliveries of a body, known by its hash, under a key.
    pub(super) fn new(
        service: &'s Service,
        runtime: &'s Handle,
        key: &'s str,
        hash: &'s str,
    ) -> Self {
        Chunks {
            service,
            runtime,
            key,
            hash,
            received_ms: service.clock.now_ms(),
            decoder: None,
            rows: ImportRows::default(),
            waiting: Vec::new(),
            waiting_bytes: 0,
            made: 0,
            stored: StoredChunks { deliveries: 0, duplicate: true },
        }
    }

    /// Adds a row, with a remark if its key is one of `conflicts`.
    pub(super) fn add(
        &mut self,
        mut record: Record,
        fields: &Arc<Fields>,
        conflicts: &Keys,
    ) -> Result<(), Problem> {
        if !conflicts.is_empty() {
            let decoder = self.decoder.get_or_insert_with(|| Decoder::new(Arc::clone(fields)));
            if conflicts.contains(&decoder.natural_key(&record)) {
                record.add_remark(&Remark::Conflict);
            }
        }

        self.rows.add(&record);
        if self.rows.count() >= CHUNK_ROWS_MAX || self.rows.byte_count() >= CHUNK_BYTES_MAX {
            self.close_chunk()?;
        }
        Ok(())
    }

    /// Stores what is left.
    pub(super) fn end(mut self) -> Result<StoredChunks, Problem> {
        self.close_chunk()?;
        self.store_chunks()?;
        Ok(self.stored)
    }

    /// Makes a delivery of the rows so far.
    fn close_chunk(&mut self) -> Result<(), Problem> {
        if self.rows.count() == 0 {
            return Ok(());
        }

        let body = std::mem::take(&mut self.rows).into_body();
        let id = match self.made {
            0 => self.key.to_owned(),
            index => format!("{}/{}/{index}", self.key, self.hash),
        };
        self.made += 1;
        self.waiting_bytes += body.len();
        let (source, received_ms) = (IMPORT.to_owned(), self.received_ms);
        let transactions = Vec::new();
        self.waiting.push(Delivery { source, id, body, received_ms, transactions });

        // The first chunk carries the key: if that was used for another body, nothing more goes in.
        let is_full = self.made == 1
            || self.waiting.len() >= COMMIT_CHUNKS_MAX
            || self.waiting_bytes >= COMMIT_BYTES_MAX;
        if is_full { self.store_chunks() } else { Ok(()) }
    }

    /// Stores the deliveries that wait, in one commit.
    fn store_chunks(&mut self) -> Result<(), Problem> {
        let waiting = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        if waiting.is_empty() {
            return Ok(());
        }

        self.stored.deliveries += waiting.len();
        let receipts = self.runtime.block_on(self.service.writer.take(waiting));
        let receipts = receipts.map_err(|error| not_taken(&error))?;
        if self.made == 1 && receipts.iter().any(|receipt| receipt.conflict) {
            let detail = "this `Idempotency-Key` was used for another body";
            return Err(Problem::unprocessable("idempotency_conflict", detail));
        }
        self.stored.duplicate &= receipts.iter().all(|receipt| receipt.duplicate);
        Ok(())
    }
}
