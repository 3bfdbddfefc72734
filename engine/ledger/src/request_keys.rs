//! What requests were answered that had a key of their sender, so that the same request again is
//! carried out once.
//!
//! Not the keys of imports, which are ids of deliveries (`inbox`), and not those of manual credits and
//! rewards, which are also in their own rows for ever. Called by `operations::request_keys`.

use serde::{Deserialize, Serialize};

use super::{Ledger, LedgerResult, codec};
use accredit_seams::store::{StoreTable, WriteBatch};

/// What the keys of rows begin with.
const PREFIX: &str = "request/";

/// How long an answer is kept.
const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// Old rows that are looked for with each new one. Rows are in the order of hashes, so that every place
/// has its turn.
const SWEPT_ROWS: usize = 16;

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAnswer {
    /// The time in milliseconds since 1970.
    pub at_ms: i64,
    /// The hash of what was asked for.
    pub request: String,
    /// The body of the answer, as JSON.
    pub body: String,
    /// Whether it is only asked for, and waits for a second person.
    pub waits: bool,
}

/// The row of a sender's key.
fn row_key(who: &str, key: &str) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(who.len() as u64).to_le_bytes());
    hasher.update(who.as_bytes()).update(key.as_bytes());
    [PREFIX.as_bytes(), hasher.finalize().as_bytes()].concat()
}

impl Ledger {
    /// What the request of `who` with this key was answered; none when it is new, or older than a day
    /// at `now_ms`.
    pub fn kept_answer(
        &self,
        (who, key): (&str, &str),
        now_ms: i64,
    ) -> LedgerResult<Option<KeptAnswer>> {
        let row = self.snapshot()?.get(StoreTable::Meta, &row_key(who, key))?;
        let kept = row.map(|row| codec::unpack_row::<KeptAnswer>(&row)).transpose()?;
        Ok(kept.filter(|kept| is_key_kept(kept.at_ms, now_ms)))
    }

    /// Keeps what the request of `who` with this key was answered, for a day.
    pub fn keep_answer(&self, (who, key): (&str, &str), answer: &KeptAnswer) -> LedgerResult<()> {
        let own = row_key(who, key);
        let mut batch = WriteBatch::default();
        let near =
            self.snapshot()?.scan_prefix(StoreTable::Meta, PREFIX.as_bytes(), &own, SWEPT_ROWS)?;
        for (key, row) in near {
            let kept: KeptAnswer = codec::unpack_row(&row)?;
            if !is_key_kept(kept.at_ms, answer.at_ms) {
                batch.delete_row(StoreTable::Meta, key);
            }
        }
        batch.put_row(StoreTable::Meta, own, codec::pack_row(answer)?);
        self.commit_changes(&batch)
    }
}

/// Whether the key of a request that was answered at `at_ms` still names it.
pub fn is_key_kept(at_ms: i64, now_ms: i64) -> bool {
    now_ms.saturating_sub(at_ms) < KEPT_MS
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use accredit_seams::store::memory::MemoryStore;

    use super::*;

    fn answer(at_ms: i64) -> KeptAnswer {
        let (request, body) = ("hash".to_owned(), "{}".to_owned());
        KeptAnswer { at_ms, request, body, waits: false }
    }

    #[test]
    fn an_answer_is_kept_for_a_day_and_for_its_sender() {
        let ledger = Ledger::new(Arc::new(MemoryStore::default()));
        ledger.keep_answer(("ann", "k"), &answer(1)).unwrap();
        let kept = |who: &str, key: &str, now: i64| ledger.kept_answer((who, key), now).unwrap();
        assert_eq!(kept("ann", "k", KEPT_MS), Some(answer(1)));
        assert_eq!(kept("ann", "k", KEPT_MS + 1), None);
        assert_eq!(kept("bob", "k", 1), None);
        assert_eq!(kept("an", "nk", 1), None);
    }

    /// Keys of years ago would only make the file larger.
    #[test]
    fn answers_of_former_days_are_forgotten() {
        let ledger = Ledger::new(Arc::new(MemoryStore::default()));
        for number in 0..200 {
            ledger.keep_answer(("ann", &format!("old{number}")), &answer(0)).unwrap();
        }
        for number in 0..200 {
            ledger.keep_answer(("ann", &format!("new{number}")), &answer(KEPT_MS)).unwrap();
        }
        let rows = ledger.meta_under(PREFIX).unwrap().len();
        assert!((200..220).contains(&rows), "{rows}");
    }
}
