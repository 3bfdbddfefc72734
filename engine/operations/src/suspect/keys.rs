//! Natural keys as numbers, so that millions of them are counted in little memory.
//!
//! Two keys with one number would be taken for one that repeats, and their rows are compared by the
//! keys themselves. Of ten million keys, two have one number once in a hundred thousand imports.

/// Keys that are added before the first time that equal ones are put together.
const GROWTH: usize = 1 << 20;

/// A set of natural keys.
#[derive(Debug, Default)]
pub struct Keys(Vec<u64>);

impl Keys {
    /// How many they are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a key is one of them.
    pub fn contains(&self, key: &str) -> bool {
        !self.is_empty() && self.place_of(key).is_some()
    }

    /// The place of a key among them.
    pub(super) fn place_of(&self, key: &str) -> Option<usize> {
        self.0.binary_search(&key_number(key)).ok()
    }

    /// The numbers at those places where `is_wanted` has a true.
    pub(super) fn only_where(self, is_wanted: impl Fn(usize) -> bool) -> Keys {
        let numbers = self.0.into_iter().enumerate();
        Keys(numbers.filter(|(place, _)| is_wanted(*place)).map(|(_, number)| number).collect())
    }
}

/// The number of a key: even, since the last bit says whether it was there before.
fn key_number(key: &str) -> u64 {
    let hash = blake3::hash(key.as_bytes());
    let first = hash.as_bytes().first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(first) & !REPEATED
}

/// The bit of a number whose key came more than once.
const REPEATED: u64 = 1;

/// Natural keys, and which of them came more than once.
#[derive(Debug, Default)]
pub(super) struct KeyCounts {
    numbers: Vec<u64>,
    added: usize,
}

impl KeyCounts {
    /// Adds the key of a row.
    pub(super) fn add(&mut self, key: &str) {
        if self.numbers.len() == self.numbers.capacity() {
            self.put_together();
            // Twice the memory each time would be more than the keys of the largest body need.
            if self.numbers.capacity() - self.numbers.len() < GROWTH / 2 {
                self.numbers.reserve_exact(GROWTH.max(self.numbers.len() / 4));
            }
        }
        self.numbers.push(key_number(key));
        self.added += 1;
    }

    /// Leaves one number of each key.
    fn put_together(&mut self) {
        self.numbers.sort_unstable();
        self.numbers.dedup_by(|later, first| {
            let is_same = *later | REPEATED == *first | REPEATED;
            *first |= if is_same { REPEATED } else { 0 };
            is_same
        });
    }

    /// By how many the keys that were added are more than their different ones.
    pub(super) fn excess_count(&mut self) -> usize {
        self.put_together();
        self.added.saturating_sub(self.numbers.len())
    }

    /// The keys that came more than once.
    pub(super) fn repeated_keys(mut self) -> Keys {
        self.put_together();
        self.numbers.retain(|number| number & REPEATED == REPEATED);
        self.numbers.iter_mut().for_each(|number| *number &= !REPEATED);
        self.numbers.shrink_to_fit();
        Keys(self.numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row of an import had its key in a table as text: ten times the memory of the body.
    #[test]
    fn keys_that_repeat_are_found_in_little_memory() {
        let mut counts = KeyCounts::default();
        for row in 0..3 * GROWTH {
            counts.add(&(row % 700_000).to_string());
        }
        counts.add("once");
        assert!(counts.numbers.capacity() <= 2 * GROWTH);
        assert_eq!(counts.excess_count(), 3 * GROWTH - 700_000);

        let repeated = counts.repeated_keys();
        assert_eq!(repeated.0.len(), 700_000);
        assert!(repeated.contains("0") && repeated.contains("699999"));
        assert!(!repeated.contains("once") && !repeated.contains("700000"));
    }
}
