//! Deliveries that were decoded for their answer, until the worker decides them.
//!
//! An answer names the deals of a delivery, so the delivery is decoded before it is stored; the
//! worker takes what came of it instead of running the intake policy again. Not stored: after a
//! restart, and beyond the limits here, a delivery is decoded again.
//!
//! **Architecture invariant:** what is taken is what decoding would give: the key covers the ruleset
//! and every byte of the delivery.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use accredit_domain::transaction::{Record, Transaction};
use accredit_seams::delivery::Delivery;
use accredit_workspace::Ruleset;

/// The rows of a delivery, decoded by the ruleset in force.
pub struct DecodedDelivery {
    /// Rows with a natural key.
    pub rows: Vec<(Record, Arc<Transaction>)>,
    /// Why other rows have none: the delivery waits as a dead letter beside what was taken.
    pub rest: Option<String>,
    /// Payloads that say of which deal they are and not what it has, in order: their connector tells
    /// what has to be fetched.
    pub thin: Vec<String>,
}

/// Deliveries that are kept at most.
const DECODED_MAX: usize = 1024;

/// Bytes of their bodies that are kept at most.
const DECODED_BYTES_MAX: usize = 8 << 20;

/// Decoded deliveries, oldest first.
#[derive(Default)]
pub struct DecodedDeliveries(Mutex<KeptDeliveries>);

#[derive(Default)]
struct KeptDeliveries {
    deliveries: HashMap<blake3::Hash, KeptDelivery>,
    /// Keys in the order in which they came, also of deliveries that were taken.
    order: VecDeque<blake3::Hash>,
    bytes: usize,
}

struct KeptDelivery {
    bytes: usize,
    outcome: Result<DecodedDelivery, String>,
}

impl KeptDeliveries {
    fn add(&mut self, key: blake3::Hash, delivery: KeptDelivery) {
        self.bytes += delivery.bytes;
        match self.deliveries.insert(key, delivery) {
            Some(former) => self.bytes -= former.bytes,
            None => self.order.push_back(key),
        }

        let is_full = |kept: &KeptDeliveries| {
            kept.order.len() > DECODED_MAX || kept.bytes > DECODED_BYTES_MAX
        };
        while is_full(self) {
            let Some(oldest) = self.order.pop_front() else { break };
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, key: &blake3::Hash) -> Option<KeptDelivery> {
        let found = self.deliveries.remove(key)?;
        self.bytes -= found.bytes;
        Some(found)
    }
}

impl DecodedDeliveries {
    /// Keeps what came of a delivery; the oldest ones make room.
    pub fn keep_decoded(
        &self,
        ruleset: &Ruleset,
        delivery: &Delivery,
        outcome: Result<DecodedDelivery, String>,
    ) {
        let (key, bytes) = (key_of(ruleset, delivery), delivery.body.len());
        if bytes <= DECODED_BYTES_MAX {
            self.lock_kept().add(key, KeptDelivery { bytes, outcome });
        }
    }

    /// Takes what came of a delivery under the same rules; none where it has to be decoded.
    pub fn take_decoded(
        &self,
        ruleset: &Ruleset,
        delivery: &Delivery,
    ) -> Option<Result<DecodedDelivery, String>> {
        if self.lock_kept().deliveries.is_empty() {
            return None;
        }

        let key = key_of(ruleset, delivery);
        let found = self.lock_kept().remove(&key)?;
        Some(found.outcome)
    }

    fn lock_kept(&self) -> MutexGuard<'_, KeptDeliveries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key_of(ruleset: &Ruleset, delivery: &Delivery) -> blake3::Hash {
    let Delivery { source, id, body, .. } = delivery;
    // In one piece: a hash of several short ones takes twice as long.
    let mut bytes = Vec::with_capacity(128 + source.len() + id.len() + body.len());
    for part in [ruleset.hash.as_bytes(), source.as_bytes(), id.as_bytes()] {
        // Lengths keep the end of one part from passing as the beginning of the next.
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    bytes.extend_from_slice(body);
    blake3::hash(&bytes)
}

#[cfg(test)]
mod tests {
    use accredit_workspace::Files;
    use std::collections::BTreeSet;

    use super::*;

    fn ruleset(name: &str) -> Ruleset {
        let text = format!("[workspace]\nname = \"{name}\"\n[fields]\nid = \"i\"\ndate = \"d\"\n");
        let files = Files::from([("accredit.toml".to_owned(), Arc::from(text))]);
        Ruleset::read(&files, &BTreeSet::new()).0.unwrap()
    }

    fn delivery(id: usize, body: &[u8]) -> Delivery {
        Delivery {
            source: "crm".to_owned(),
            id: id.to_string(),
            received_ms: 0,
            body: body.to_vec(),
            transactions: Vec::new(),
        }
    }

    fn nothing() -> Result<DecodedDelivery, String> {
        Ok(DecodedDelivery { rows: Vec::new(), rest: None, thin: Vec::new() })
    }

    /// The intake policy of every delivery ran twice: for the answer, and for the decision.
    #[test]
    fn what_was_decoded_is_taken_once_and_by_the_same_rules_alone() {
        let (rules, decoded) = (ruleset("a"), DecodedDeliveries::default());
        let one = delivery(1, b"{}");
        decoded.keep_decoded(&rules, &one, nothing());

        assert!(decoded.take_decoded(&ruleset("b"), &one).is_none(), "other rules");
        assert!(decoded.take_decoded(&rules, &delivery(1, b"[]")).is_none(), "another body");
        assert!(decoded.take_decoded(&rules, &delivery(2, b"{}")).is_none(), "another delivery");

        assert!(decoded.take_decoded(&rules, &one).is_some());
        assert!(decoded.take_decoded(&rules, &one).is_none(), "it is taken once");
    }

    #[test]
    fn the_oldest_ones_make_room() {
        let (rules, decoded) = (ruleset("a"), DecodedDeliveries::default());
        for id in 0..=DECODED_MAX {
            decoded.keep_decoded(&rules, &delivery(id, b"{}"), nothing());
        }
        assert!(decoded.take_decoded(&rules, &delivery(0, b"{}")).is_none());
        assert!(decoded.take_decoded(&rules, &delivery(1, b"{}")).is_some());

        let large = vec![b' '; DECODED_BYTES_MAX];
        decoded.keep_decoded(&rules, &delivery(7000, &large), nothing());
        assert!(
            decoded.take_decoded(&rules, &delivery(2, b"{}")).is_none(),
            "bytes have a limit too"
        );
        assert!(decoded.take_decoded(&rules, &delivery(7000, &large)).is_some());
    }
}
