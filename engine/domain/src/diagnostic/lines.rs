//! Where the lines of a text begin, found once, so that many places in a large file cost no more than
//! the file.
//!
//! Not the places of words inside a program (`origin`). Called by everything that reports at a byte
//! of a file.
//!
//! **Architecture invariant:** a place is the same as [`Place::of_offset`] gives.

use super::Place;
use crate::work;

/// Bytes of a line between two marks: so many are counted for a place at most.
const MARK_BYTES: usize = 512;

/// A byte of a text with its line and column, both from 1.
#[derive(Debug, Clone, Copy)]
struct LineMark {
    offset: usize,
    line: u32,
    column: u32,
}

/// The lines of one text.
#[derive(Debug)]
pub struct LineIndex {
    marks: Vec<LineMark>,
}

impl LineIndex {
    /// The lines of `text`.
    pub fn from_text(text: &str) -> Self {
        work::add_steps(text.len());
        let mut here = LineMark { offset: 0, line: 1, column: 1 };
        let mut marks = vec![here];

        let mut last = 0;

        for (offset, letter) in text.char_indices() {
            // A long line has marks of its own, so that no place is far behind one.
            if offset - last >= MARK_BYTES {
                marks.push(LineMark { offset, ..here });
                last = offset;
            }

            here.column = here.column.saturating_add(1);
            if letter == '\n' {
                here =
                    LineMark { offset: offset + 1, line: here.line.saturating_add(1), column: 1 };
                marks.push(here);
                last = here.offset;
            }
        }

        LineIndex { marks }
    }

    /// The place of the byte `offset` in `text`, which is the content of `file` and the text of these
    /// lines.
    pub fn place_at(&self, file: &str, text: &str, offset: usize) -> Place {
        let offset = offset.min(text.len());
        let before = self.marks.partition_point(|mark| mark.offset <= offset);
        let mark = before.checked_sub(1).and_then(|index| self.marks.get(index));
        let Some(mark) = mark else { return Place::of_offset(file, text, offset) };

        work::add_steps(offset - mark.offset);
        let letters = text.get(mark.offset..offset).map_or(0, |text| text.chars().count());
        let letters = u32::try_from(letters).unwrap_or(u32::MAX);
        Place::new(file, mark.line, mark.column.saturating_add(letters))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_that_counting_from_the_beginning_gives() {
        let long = "ä".repeat(2000);
        for text in ["", "a", "a\nbc\n\nd", "ä\u{1F600}\r\nx", &format!("{long}\n{long}x\n")] {
            let lines = LineIndex::from_text(text);
            let step = if text.len() > 100 { 7 } else { 1 };
            for offset in (0..=text.len() + 1).step_by(step).filter(|it| text.is_char_boundary(*it))
            {
                let expected = Place::of_offset("f", text, offset);
                assert_eq!(lines.place_at("f", text, offset), expected, "{offset}");
            }
        }
    }
}
