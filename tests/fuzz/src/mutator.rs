//! Texts and bytes that were right, changed at random places.
//!
//! Not what must hold of what is read from them. Called by targets.

/// Numbers that are taken from the bytes of a round, and zeros when they are used up.
#[derive(Debug)]
pub struct Choices<'b> {
    bytes: &'b [u8],
}

impl<'b> Choices<'b> {
    /// Takes from these bytes.
    pub fn new(bytes: &'b [u8]) -> Choices<'b> {
        Choices { bytes }
    }

    /// Whether all bytes are used up.
    pub fn is_spent(&self) -> bool {
        self.bytes.is_empty()
    }

    /// A number below `end`; 0 where there is none below it.
    pub fn below(&mut self, end: usize) -> usize {
        let mut number = 0;
        let mut range = 1;
        while range < end && !self.is_spent() {
            number = (number << 8) | usize::from(self.byte());
            range <<= 8;
        }
        number.checked_rem(end).unwrap_or(0)
    }

    /// One of these.
    ///
    /// # Panics
    /// Where there are none.
    pub fn one_of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        assert!(!all.is_empty(), "nothing to choose from");
        &all[self.below(all.len())]
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *first
    }
}

/// Changes at most in one text.
const CHANGES_MAX: usize = 6;

/// Signs and words that readers give a meaning.
const FRAGMENTS: &[&str] = &[
    "",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\r",
    "\0",
    "\"",
    "'",
    "`",
    "\\",
    "\u{feff}",
    "\u{200b}",
    "\u{202e}",
    "\u{130}",
    "\u{300}",
    "\u{307}",
    "é",
    "ß",
    "ς",
    "😀",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "<",
    ">",
    "</",
    "<!--",
    "]]>",
    "&#0;",
    "&amp;",
    ",",
    ";",
    ":",
    "|",
    ".",
    "..",
    "=",
    "==",
    "+",
    "-",
    "--",
    "*",
    "/",
    "%",
    "#",
    "#{",
    "${",
    "?",
    "!",
    "@",
    "$",
    "0",
    "-1",
    "1e9",
    "1e-400",
    "0.1",
    "00",
    "999999999999999999999999999999",
    "79228162514264337593543950335",
    "-0",
    "NaN",
    "inf",
    "true",
    "false",
    "null",
    "()",
    "let ",
    "fn ",
    "return ",
    "if ",
    "for x in ",
    "while true {",
    "tx.amount",
    "tx[\"\"]",
    "|x| x",
    "2026-02-30",
    "9999-12-31",
    "-009999-01-01",
    "2026-W01",
    "[[direct]]",
    "[fields]",
    "```",
    "| - |",
    "# ",
    "\\u0000",
    "%00",
    "=cmd|' /C calc'!A0",
];

/// Changes what is right at places that the bytes of a round choose.
#[derive(Debug)]
pub struct Mutator<'b> {
    /// What chooses.
    pub choices: Choices<'b>,
}

impl<'b> Mutator<'b> {
    /// Chooses by these bytes.
    pub fn new(bytes: &'b [u8]) -> Mutator<'b> {
        Mutator { choices: Choices::new(bytes) }
    }

    /// One of these texts with a few changes, which may bring parts of others.
    pub fn changed_text<T: AsRef<str>>(&mut self, texts: &[T]) -> String {
        let mut text = self.choices.one_of(texts).as_ref().to_owned();
        let changes = 1 + self.choices.below(CHANGES_MAX);
        for _ in 0..changes {
            if self.choices.is_spent() {
                break;
            }
            let other = self.choices.one_of(texts).as_ref();
            self.change_text(&mut text, other);
        }
        text
    }

    /// These bytes with a few changes.
    pub fn changed_bytes(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut changed = bytes.to_vec();
        let changes = 1 + self.choices.below(CHANGES_MAX);
        for _ in 0..changes {
            if self.choices.is_spent() {
                break;
            }
            self.change_bytes(&mut changed);
        }
        changed
    }

    fn change_text(&mut self, text: &mut String, other: &str) {
        match self.choices.below(6) {
            // A part is missing.
            0 => {
                let part = self.part_of(text);
                text.replace_range(part, "");
            }
            // Something is between two signs.
            1 => {
                let place = self.place_in(text);
                let fragment = *self.choices.one_of(FRAGMENTS);
                text.insert_str(place, fragment);
            }
            // Something is in place of a part.
            2 => {
                let part = self.part_of(text);
                let fragment = *self.choices.one_of(FRAGMENTS);
                text.replace_range(part, fragment);
            }
            // A part is there twice.
            3 => {
                let part = self.part_of(text);
                let copy = text[part].to_owned();
                let place = self.place_in(text);
                text.insert_str(place, &copy);
            }
            // A part of another text is in it.
            4 => {
                let part = self.part_of(other);
                let place = self.place_in(text);
                text.insert_str(place, &other[part]);
            }
            // It ends too early.
            _ => {
                let place = self.place_in(text);
                text.truncate(place);
            }
        }
    }

    fn change_bytes(&mut self, bytes: &mut Vec<u8>) {
        let place = self.choices.below(bytes.len() + 1);
        match self.choices.below(4) {
            0 => {
                let bit = 1 << self.choices.below(8);
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= bit;
                }
            }
            1 => {
                let byte = self.choices.byte();
                bytes.insert(place, byte);
            }
            2 => {
                let end = (place + 1 + self.choices.below(16)).min(bytes.len());
                bytes.drain(place.min(end)..end);
            }
            _ => bytes.truncate(place),
        }
    }

    /// A place between two characters.
    fn place_in(&mut self, text: &str) -> usize {
        text.floor_char_boundary(self.choices.below(text.len() + 1))
    }

    /// A part of a text, most often a short one.
    fn part_of(&mut self, text: &str) -> std::ops::Range<usize> {
        let start = self.place_in(text);
        let length = match self.choices.below(4) {
            0 => self.choices.below(400),
            _ => self.choices.below(12),
        };
        start..text.floor_char_boundary((start + length).min(text.len()))
    }
}
