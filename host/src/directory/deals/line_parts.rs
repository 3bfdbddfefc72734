//! A text in parts of whole lines, so that no more than one part of a large file is in memory.
//!
//! Not what a line is (`transaction::read`). Called by `deals`.
//!
//! **Architecture invariant:** the parts behind one another are the text, and a line is in one part.

use std::io::{self, Read};

use accredit_domain::transaction::read::ROW_BYTES_MAX;

/// What is left of a text.
pub(super) struct LineParts<R> {
    text: R,
    part_bytes: usize,
    /// What was read of the line that is the next part's first.
    begun: Vec<u8>,
}

impl<R: Read> LineParts<R> {
    /// A text in parts of about this many bytes.
    pub(super) fn new(text: R, part_bytes: usize) -> LineParts<R> {
        LineParts { text, part_bytes: part_bytes.max(1), begun: Vec::new() }
    }

    /// The next lines; none at the end. A line that is longer than any row may be is no whole one.
    ///
    /// # Errors
    /// When the text cannot be read.
    pub(super) fn next_part(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut part = std::mem::take(&mut self.begun);
        let mut wanted = self.part_bytes;

        loop {
            let missing = wanted.saturating_sub(part.len());
            part.reserve(missing);
            let read = self.text.by_ref().take(missing as u64).read_to_end(&mut part)?;
            if read < missing {
                return Ok(Some(part).filter(|part| !part.is_empty()));
            }

            if let Some(end) = part.iter().rposition(|byte| *byte == b'\n') {
                self.begun = part.split_off(end + 1);
                return Ok(Some(part));
            }
            if part.len() > ROW_BYTES_MAX {
                return Ok(Some(part));
            }
            wanted = part.len() + self.part_bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_lines_and_together_the_text() {
        for text in ["", "a", "a\n", "\n\n", "a,b\n1,2\n\n333,4\n5,6", "long line\nx\ny\n"] {
            for part_bytes in 1..12 {
                let mut parts = LineParts::new(text.as_bytes(), part_bytes);
                let mut read: Vec<String> = Vec::new();
                while let Some(part) = parts.next_part().unwrap() {
                    read.push(String::from_utf8(part).unwrap());
                }
                assert_eq!(read.concat(), text, "{part_bytes}");
                let whole = |part: &String| part.ends_with('\n');
                assert!(read.iter().rev().skip(1).all(whole), "{read:?}");
                assert!(read.iter().all(|part| !part.is_empty()), "{read:?}");
            }
        }
    }

    /// A file without any line end would be read as a whole before it is refused.
    #[test]
    fn a_line_that_is_too_long_is_broken_off() {
        let endless = io::repeat(b'x').take(1 << 40);
        let part = LineParts::new(endless, 1 << 16).next_part().unwrap().unwrap();
        assert!(part.len() > ROW_BYTES_MAX && part.len() < 2 * ROW_BYTES_MAX);
    }
}
