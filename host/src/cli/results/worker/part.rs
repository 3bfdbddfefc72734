//! Which part a key belongs to: a rule that every language has at hand.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use flate2::Crc;

/// One part of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WorkerPart {
    number: u32,
    of: NonZeroU32,
}

impl WorkerPart {
    /// Whether a key is of this part.
    pub(super) fn has(self, key: &str) -> bool {
        part_of(key, self.of) == self.number
    }

    /// Whether this is the part with that number, of so many.
    pub(super) fn is_number(self, number: u32, of: u32) -> bool {
        self.number == number && self.of.get() == of
    }

    /// What a key of another part is told.
    pub(super) fn explain_other(self, key: &str) -> String {
        let other = part_of(key, self.of);
        let WorkerPart { number, of } = self;
        format!(
            "`{key}` is of part {other} of {of}, and this is part {number}: send it there, or spread \
             by the CRC-32 of the key"
        )
    }
}

/// The part of a key: the CRC-32 of its UTF-8 bytes, modulo the number of parts.
pub(super) fn part_of(key: &str, parts: NonZeroU32) -> u32 {
    let mut sum = Crc::new();
    sum.update(key.as_bytes());
    sum.sum() % parts
}

impl FromStr for WorkerPart {
    type Err = String;

    fn from_str(text: &str) -> Result<WorkerPart, String> {
        let numbers = text.split_once('/');
        let numbers =
            numbers.and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        let (number, of): (u32, NonZeroU32) =
            numbers.ok_or("write the part, from 0, and how many there are, as 0/4")?;
        match number < of.get() {
            true => Ok(WorkerPart { number, of }),
            false => {
                Err(format!("parts are counted from 0: the last one of {of} is {}", of.get() - 1))
            }
        }
    }
}

impl fmt::Display for WorkerPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_part_the_same_in_every_language() {
        let parts = NonZeroU32::new(4).unwrap();
        // The check value of CRC-32, which every implementation has.
        let known = [("", 0), ("123456789", 0xcbf4_3926 % 4)];
        for (key, part) in known {
            assert_eq!(part_of(key, parts), part, "{key}");
        }

        let all: Vec<WorkerPart> = (0..4).map(|number| WorkerPart { number, of: parts }).collect();
        for key in ["crm:D1", "ann", "株式会社"] {
            assert_eq!(all.iter().filter(|part| part.has(key)).count(), 1, "{key}");
        }
    }

    #[test]
    fn a_part_is_a_number_of_a_number() {
        assert_eq!(
            "3/4".parse::<WorkerPart>().unwrap(),
            WorkerPart { number: 3, of: NonZeroU32::new(4).unwrap() }
        );
        for text in ["", "1", "4/4", "0/0", "-1/2", "a/b", "1/2/3"] {
            assert!(text.parse::<WorkerPart>().is_err(), "{text}");
        }
    }
}
