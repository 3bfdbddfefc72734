//! Credits and their laws.
//!
//! A [`PostedCredit`](posted::PostedCredit) is one row of a result: who gets how much for which
//! transaction, by which rule, and why it counts or does not. A [`Credit`] is one that is being decided:
//! it has its places in the ruleset, and no id. Not deciding (the stages) and not storing. Source:
//! FORMAT section 6, DOMAIN 2.5 to 2.10.
//!
//! **Architecture invariant:** every credit has exactly one root source, a direct credit of its own
//! transaction; an indirect credit exists only for a rollable source that is not held.

mod draft;
pub mod fields;
pub mod laws;
pub mod posted;

use std::fmt;

use utoipa::ToSchema;

pub use self::draft::{Credit, CreditSource, find_id, post_credits};

/// A credit's id: `crd_` and 32 hexadecimal digits. A hash of natural key, plan, rule, result,
/// position or team, relationship, via, source and ordinal; not of version, amount, payee or date, so a
/// re-run renames nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CreditId(pub [u8; 16]);

impl fmt::Display for CreditId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.to_text()).unwrap_or_default())
    }
}

/// Bytes of an id as text.
pub const CREDIT_ID_BYTES: usize = 36;

impl CreditId {
    /// The id written as `crd_…`.
    pub fn parse(text: &str) -> Option<CreditId> {
        let digits = text.strip_prefix("crd_")?;
        let mut bytes = [0; 16];
        if digits.len() != 32 || !digits.is_ascii() {
            return None;
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(digits.get(index * 2..index * 2 + 2)?, 16).ok()?;
        }
        Some(CreditId(bytes))
    }

    /// As text, in ASCII.
    pub fn to_text(&self) -> [u8; CREDIT_ID_BYTES] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or_default();

        let mut text = [0; CREDIT_ID_BYTES];
        let (head, digits) = text.split_at_mut(4);
        head.copy_from_slice(b"crd_");
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        text
    }

    /// Six bytes of a hash of the natural key, then ten of a hash of everything: a credit leads to
    /// its transaction without an index row a credit.
    pub fn from_parts(transaction: &str, parts: &[&str], ordinal: u32) -> CreditId {
        CreditIds::of_transaction(transaction).make_id(parts, ordinal)
    }

    /// The prefix that all credits of one transaction share.
    pub fn transaction_prefix(&self) -> [u8; TRANSACTION_PREFIX_BYTES] {
        let mut prefix = [0; TRANSACTION_PREFIX_BYTES];
        prefix.copy_from_slice(self.0.split_at(TRANSACTION_PREFIX_BYTES).0);
        prefix
    }
}

/// Makes the ids of a transaction's credits, in memory that is used for one after the other.
#[derive(Debug, Clone)]
pub struct CreditIds {
    prefix: [u8; TRANSACTION_PREFIX_BYTES],
    /// What is hashed, in one piece: a hash of many short pieces takes several times as long.
    named: Vec<u8>,
    /// Where the name of the transaction ends, which is the first.
    transaction_end: usize,
}

/// Bytes that the hashed names of nearly all credits fit in.
const HASHED_BYTES: usize = 320;

impl CreditIds {
    /// Makes ids of credits of the transaction with this natural key.
    pub fn of_transaction(transaction: &str) -> CreditIds {
        CreditIds::with_prefix(transaction_prefix(transaction), transaction)
    }

    /// The same where the prefix of the transaction is known.
    pub fn with_prefix(prefix: [u8; TRANSACTION_PREFIX_BYTES], transaction: &str) -> CreditIds {
        let mut named = Vec::with_capacity(HASHED_BYTES);
        push_name(&mut named, transaction);
        CreditIds { prefix, transaction_end: named.len(), named }
    }

    /// Whether they are of the transaction with this natural key.
    pub fn is_of(&self, transaction: &str) -> bool {
        let named = self.named.get(..self.transaction_end).unwrap_or_default();
        named.split_at_checked(LENGTH_BYTES).is_some_and(|(_, name)| name == transaction.as_bytes())
    }

    /// The id of the credit that these names tell from the others of the transaction.
    pub fn make_id(&mut self, parts: &[&str], ordinal: u32) -> CreditId {
        self.named.truncate(self.transaction_end);
        parts.iter().for_each(|part| push_name(&mut self.named, part));
        self.named.extend_from_slice(&ordinal.to_le_bytes());
        let hash = blake3::hash(&self.named);

        let mut id = [0; 16];
        let (head, tail) = id.split_at_mut(TRANSACTION_PREFIX_BYTES);
        head.copy_from_slice(&self.prefix);
        tail.copy_from_slice(hash.as_bytes().split_at(tail.len()).0);
        CreditId(id)
    }
}

/// Adds a name, behind its length, so that no two lists of names are the same bytes.
fn push_name(named: &mut Vec<u8>, name: &str) {
    named.extend_from_slice(&(name.len() as u64).to_le_bytes());
    named.extend_from_slice(name.as_bytes());
}

/// Bytes of the length in front of a name.
const LENGTH_BYTES: usize = size_of::<u64>();

/// Bytes of a credit's id that depend on the transaction alone.
pub const TRANSACTION_PREFIX_BYTES: usize = 6;

/// What the ids of all credits of the transaction with this natural key begin with.
pub fn transaction_prefix(transaction: &str) -> [u8; TRANSACTION_PREFIX_BYTES] {
    let mut prefix = [0; TRANSACTION_PREFIX_BYTES];
    let hash = blake3::hash(transaction.as_bytes());
    prefix.copy_from_slice(hash.as_bytes().split_at(TRANSACTION_PREFIX_BYTES).0);
    prefix
}

/// The status of a credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum CreditStatus {
    /// It counts in every sum.
    Active,
    /// It waits for its release.
    Held,
    /// A duplicate of an earlier credit: listed, counts nowhere.
    Suppressed,
    /// The credit was taken back and does not count.
    Void,
}

impl CreditStatus {
    /// The words, as the schema lists them.
    pub const WORDS: [&str; 4] = [
        CreditStatus::Active.as_str(),
        CreditStatus::Held.as_str(),
        CreditStatus::Suppressed.as_str(),
        CreditStatus::Void.as_str(),
    ];

    /// The word in FORMAT section 6.
    pub const fn as_str(self) -> &'static str {
        match self {
            CreditStatus::Active => "active",
            CreditStatus::Held => "held",
            CreditStatus::Suppressed => "suppressed",
            CreditStatus::Void => "void",
        }
    }

    /// The status with this name.
    pub fn parse(name: &str) -> Option<CreditStatus> {
        let all = [
            CreditStatus::Active,
            CreditStatus::Held,
            CreditStatus::Suppressed,
            CreditStatus::Void,
        ];
        all.into_iter().find(|status| status.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An id that changed with the way in which its names are hashed, or with the ids made before it, would
    /// be a second credit at the next decision.
    #[test]
    fn an_id_is_the_hash_of_all_names_however_long_they_are() {
        let mut ids = CreditIds::of_transaction("D1");
        for length in [HASHED_BYTES, 0, 1, HASHED_BYTES - 40, HASHED_BYTES - 27] {
            let long = "n".repeat(length);
            let parts = [long.as_str(), "", "position"];

            let mut named = Vec::new();
            for name in ["D1", parts[0], parts[1], parts[2]] {
                named.extend((name.len() as u64).to_le_bytes());
                named.extend(name.bytes());
            }
            named.extend(7_u32.to_le_bytes());

            let id = ids.make_id(&parts, 7);
            assert_eq!(id, CreditId::from_parts("D1", &parts, 7));
            assert_eq!(id.0[..TRANSACTION_PREFIX_BYTES], transaction_prefix("D1"));
            let hash = blake3::hash(&named);
            assert_eq!(id.0[TRANSACTION_PREFIX_BYTES..], hash.as_bytes()[..10], "{length}");
        }
    }
}
