//! Places in a text as editors have them: ranges, the words that they cover, and columns in the units
//! of other programs.
//!
//! Not finding anything. Called by everything in this crate and by its callers.
//!
//! **Architecture invariant:** lines and columns count from 1, columns in characters (Unicode scalar
//! values); only `*_utf16` knows another unit.

use accredit_domain::diagnostic::Place;
use serde::Serialize;
use utoipa::ToSchema;

/// A place between two characters of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
pub struct TextPosition {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A part of a text: its first character, and the place behind its last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
pub struct TextRange {
    /// Where it begins.
    pub start: TextPosition,
    /// Where it ends.
    pub end: TextPosition,
}

impl TextRange {
    /// The part of one line from a column up to another one.
    pub fn in_line(line: u32, from: u32, to: u32) -> TextRange {
        let at = |column| TextPosition { line, column };
        TextRange { start: at(from), end: at(to) }
    }
}

/// A line of a text without its end; blank behind the last one.
pub fn line_of(text: &str, line: u32) -> &str {
    let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let found = text.split('\n').nth(index).unwrap_or_default();
    found.strip_suffix('\r').unwrap_or(found)
}

/// The part of a line before a column, and the part from it on.
pub fn split_line(line: &str, column: u32) -> (&str, &str) {
    let wanted = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    let offset = line.char_indices().nth(wanted).map_or(line.len(), |(offset, _)| offset);
    line.split_at_checked(offset).unwrap_or((line, ""))
}

/// Characters of a text, as a column counts them.
pub fn count_characters(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// How many characters of the rest of a line a finding at its beginning is about: a text in quotes, or a
/// word; one character where there is neither.
pub fn marked_characters(rest: &str) -> usize {
    let rest = || rest.chars().take_while(|sign| *sign != '\n');
    let is_quoted = rest().next() == Some('"');
    let closing = rest().skip(1).position(|sign| sign == '"').filter(|_| is_quoted);
    let is_word = |sign: &char| sign.is_alphanumeric() || "_-\"".contains(*sign);
    let word = || rest().take_while(is_word).count();
    closing.map_or_else(word, |closing| closing + 2).max(1)
}

/// The part of a text that a finding is about.
pub fn marked_range(text: &str, place: &Place) -> TextRange {
    let (line, column) = (place.line.max(1), place.column.max(1));
    let written = line_of(text, line);
    let (_, rest) = split_line(written, column);

    let marked = u32::try_from(marked_characters(rest)).unwrap_or(1);
    let end = column.saturating_add(marked).min(count_characters(written).saturating_add(1));
    TextRange::in_line(line, column, end.max(column))
}

/// A column in units of UTF-16, from 0, as the protocol of language servers counts.
pub fn column_in_utf16(line: &str, column: u32) -> u32 {
    let (before, _) = split_line(line, column);
    u32::try_from(before.encode_utf16().count()).unwrap_or(u32::MAX)
}

/// The column, in characters from 1, of a place in units of UTF-16 from 0.
pub fn column_of_utf16(line: &str, units: u32) -> u32 {
    let mut passed = 0;
    let mut column = 1;
    for sign in line.chars() {
        if passed >= units {
            break;
        }
        passed += u32::try_from(sign.len_utf16()).unwrap_or(1);
        column += 1;
    }
    column
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A column behind an emoji is one character and two units further.
    #[test]
    fn columns_count_characters_and_units() {
        let line = "let 💰 = tx.amuont;\r\n";
        let column = 4 + 1 + 1 + 2 + 1;
        assert_eq!(split_line(line_of(line, 1), column).1, "tx.amuont;");
        assert_eq!(column_in_utf16(line, column), 9);
        assert_eq!(column_of_utf16(line, 9), column);
        assert_eq!(column_of_utf16(line, 5), 6, "the middle of a pair is its end");
    }

    #[test]
    fn a_finding_covers_its_word_or_its_text() {
        let text = "a = 1\r\nfilter = \"tx.amuont > 1\"\nx = tx[\"Rep #1\"]\n";
        let range = |line, column| {
            let range = marked_range(text, &Place::new("f", line, column));
            (range.start.column, range.end.column)
        };
        assert_eq!(range(2, 14), (14, 20));
        assert_eq!(range(2, 10), (10, 25));
        assert_eq!(range(3, 8), (8, 16));
        assert_eq!(range(3, 7), (7, 8));
        // The whole file, and a place behind the end of a line.
        assert_eq!(range(0, 0), (1, 2));
        assert_eq!(range(1, 6), (6, 6));
    }
}
