//! The seam to whoever sends deals: is a delivery authentic, and which rows does it hold?
//!
//! Pure: no I/O and no clock; the time comes with the payload. Implemented by the crates in
//! `plugins/`, called by the host's intake. Source: DESIGN section 3, RELIABILITY 1.8.
//!
//! **Architecture invariant:** `verify` sees the raw body, before anything parses it.

use serde_json::Value as Json;

/// A delivery as it came in.
#[derive(Debug, Clone, Copy)]
pub struct Payload<'a> {
    /// Header names in lower case, and values; repeated headers are repeated here.
    pub headers: &'a [(String, String)],
    /// The raw body.
    pub body: &'a [u8],
    /// Seconds since 1970, now.
    pub now_s: i64,
    /// The secrets that are active for this source.
    pub secrets: &'a [String],
}

/// An authentic delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The sender's id of the delivery: the same for every attempt.
    pub delivery: String,
}

/// Why a delivery is not authentic; for logs, never for the sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Rejected(pub &'static str);

/// A body that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(pub String);

/// A sort of sender.
pub trait Connector: Send + Sync {
    /// The name that `[sources]` uses.
    fn name(&self) -> &'static str;

    /// Whether the delivery is authentic.
    ///
    /// # Errors
    /// Why it is not.
    fn verify(&self, payload: &Payload<'_>) -> Result<Verified, Rejected>;

    /// The parsed body, for intake policies and for reading rows.
    ///
    /// # Errors
    /// What is malformed.
    fn decode(&self, body: &[u8]) -> Result<Json, DecodeError>;
}
