//! Ids of events whose senders give none that can be relied on.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Bytes of a hash in an id: 128 bits do not meet by chance.
const HASH_BYTES: usize = 16;

/// An id made of the parts that tell one event from another. Lengths keep the end of a part from passing
/// as the beginning of the next.
pub fn hashed_id(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }

    let mut id = String::with_capacity(2 * HASH_BYTES);
    for byte in hash.finalize().iter().take(HASH_BYTES) {
        // Writing to a string cannot fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_eq!(hashed_id(&[b"ab", b"c"]), hashed_id(&[b"ab", b"c"]));
        assert_ne!(hashed_id(&[b"ab", b"c"]), hashed_id(&[b"a", b"bc"]));
        assert_eq!(hashed_id(&[]).len(), 32);
    }
}
