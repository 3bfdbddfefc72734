//! Where the text of a program stands in its file, escapes and all.
//!
//! Not reading TOML: `workspace::toml` says which characters of the file a text came from. Called by
//! everything that points at a word of a program. Source: FORMAT section 6 (line and column).
//!
//! **Architecture invariant:** a place is that of the word in the file, however the text was written
//! there: `"tx[\"a\"] > 1"` shows its `1` where the author sees it.

use super::Place;

/// Where a text begins in a file, and where it was written in other words than it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct TextOrigin {
    /// Where its first character stands.
    pub place: Place,
    /// Where the file continues after each escape, in order.
    bends: Vec<EscapeShift>,
    /// Where lines of the text come from other files, in order; none when it is of one file.
    parts: Vec<FileSection>,
}

/// Lines of a text that stand in a file of their own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct FileSection {
    /// The first of them, counted in the text from 1.
    first: u32,
    /// The place where the text is written.
    written: Place,
}

/// A line and a column, both from 1.
type LineColumn = (u32, u32);

/// A character after an escape: where it is read, and where it is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct EscapeShift {
    read: LineColumn,
    written: LineColumn,
}

impl From<Place> for TextOrigin {
    fn from(place: Place) -> Self {
        TextOrigin { place, bends: Vec::new(), parts: Vec::new() }
    }
}

impl TextOrigin {
    /// The origin of a text between double quotes that was written as `raw` at `place`.
    pub fn of_escaped(place: Place, raw: &str) -> Self {
        let mut origin = TextOrigin::from(place);
        let (mut read, mut written) = ((1, 1), (origin.place.line, origin.place.column));
        let mut rest = raw.chars().peekable();

        while let Some(letter) = rest.next() {
            if letter != '\\' {
                advance_spot(&mut read, letter);
                advance_spot(&mut written, letter);
                continue;
            }

            // An escape: one character that is read, several that are written.
            advance_spot(&mut written, letter);
            let Some(kind) = rest.next() else { break };
            advance_spot(&mut written, kind);

            let digits = match kind {
                'u' => 4,
                'U' => 8,
                'x' => 2,
                _ => 0,
            };

            for digit in rest.by_ref().take(digits) {
                advance_spot(&mut written, digit);
            }

            match kind {
                'n' => advance_spot(&mut read, '\n'),
                // At the end of a line it takes away all white space that follows.
                kind if kind.is_whitespace() => {
                    while let Some(space) = rest.next_if(|next| next.is_whitespace()) {
                        advance_spot(&mut written, space);
                    }
                }
                _ => advance_spot(&mut read, kind),
            }

            origin.bends.push(EscapeShift { read, written });
        }

        origin
    }

    /// The origin of one line of text that was put together from pieces: each begins at a column of
    /// the text, from 1 and in order, and was written at a place of the same file.
    pub fn of_pieces(place: Place, pieces: impl IntoIterator<Item = (u32, Place)>) -> Self {
        let bend = |(column, written): (u32, Place)| EscapeShift {
            read: (1, column),
            written: (written.line, written.column),
        };
        TextOrigin { bends: pieces.into_iter().map(bend).collect(), ..TextOrigin::from(place) }
    }

    /// The origin of a policy at `place` behind the texts of other files: each begins with a line of
    /// the whole, from 1 and in order, and was written at a place. The policy's own is the last.
    pub fn of_files(place: Place, files: impl IntoIterator<Item = (u32, Place)>) -> Self {
        let part = |(first, written): (u32, Place)| FileSection { first, written };
        TextOrigin { parts: files.into_iter().map(part).collect(), ..TextOrigin::from(place) }
    }

    /// The place in the file of the character at this line and column of the text.
    pub fn place_at(&self, line: u32, column: u32) -> Place {
        if let Some(part) = self.parts.iter().rev().find(|part| part.first <= line) {
            return Place::from_origin(line + 1 - part.first, column, &part.written);
        }

        let passed = |bend: &&EscapeShift| bend.read <= (line, column);
        let Some(EscapeShift { read, written }) = self.bends.iter().rev().find(passed) else {
            return Place::from_origin(line, column, &self.place);
        };
        let file = &self.place.file;
        if line == read.0 {
            return Place::new(file, written.0, written.1 + (column - read.1));
        }
        Place::new(file, written.0 + (line - read.0), column)
    }
}

fn advance_spot(spot: &mut LineColumn, letter: char) {
    if letter == '\n' {
        *spot = (spot.0 + 1, 1);
    } else {
        spot.1 += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places of every `!` of `raw`, which stands at 7:11, found by where they are read.
    fn check(raw: &str, read: &str) {
        let origin = TextOrigin::of_escaped(Place::new("a.toml", 7, 11), raw);
        let spots = |text: &str, first: LineColumn| {
            let mut spot = first;
            let mut found = Vec::new();
            for letter in text.chars() {
                if letter == '!' {
                    found.push(spot);
                }
                advance_spot(&mut spot, letter);
            }
            found
        };
        let shown = spots(read, (1, 1)).into_iter().map(|(line, column)| {
            let place = origin.place_at(line, column);
            (place.line, place.column)
        });
        assert_eq!(shown.collect::<Vec<_>>(), spots(raw, (7, 11)), "{raw}");
    }

    /// `condition = "tx[\"stage\"] == \"Won\" && tx.amuont > 1"` was reported four columns too far left,
    /// one for every backslash.
    #[test]
    fn words_are_shown_where_they_are_written() {
        let cases = [
            ("a ! b", "a ! b"),
            (r#"tx[\"a\"] ! b \"c\" !"#, r#"tx["a"] ! b "c" !"#),
            (r"\u0041! \U0001F600!", "A! \u{1F600}!"),
            (r"a\n! b\t!", "a\n! b\t!"),
            ("a !\n  b ! \\\"c\\\" !\n!", "a !\n  b ! \"c\" !\n!"),
            ("a ! \\\n    b !\n!", "a ! b !\n!"),
            (r"\\!\\\\!", r"\!\\!"),
        ];
        for (raw, read) in cases {
            check(raw, read);
        }
    }
}
