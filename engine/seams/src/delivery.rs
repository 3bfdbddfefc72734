//! One delivery of a source: the same value from its arrival to its place in the inbox.
//!
//! Not what its body means (the connector and the intake policy decode it). Made by the host,
//! verified by a connector, stored by the ledger, decided by the worker.

use serde::{Deserialize, Serialize};

/// A delivery as it was received. The order of the fields is the order of the stored bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The source's name, or what the host calls rows that the administrator sent.
    pub source: String,
    /// The sender's id of the delivery, the same for each attempt; empty until it is verified.
    pub id: String,
    /// When it arrived, milliseconds since 1970.
    pub received_ms: i64,
    /// The body, byte for byte.
    pub body: Vec<u8>,
    /// Natural keys of its transactions, as they were returned to the sender.
    pub transactions: Vec<String>,
}

impl Delivery {
    /// A delivery that has just arrived: its connector verifies it and sets its id.
    pub fn unverified(source: String, received_ms: i64, body: Vec<u8>) -> Self {
        Delivery { source, id: String::new(), received_ms, body, transactions: Vec::new() }
    }
}
