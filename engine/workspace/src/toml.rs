//! TOML with places: values that know where they stand, and tables (in `table`) that know what was
//! asked of them.
//!
//! Not the meaning of any key. Called by `settings` and `plan`, and by what they are made of.
//!
//! **Architecture invariant:** a value of the wrong kind is reported where it stands and read as if
//! it were absent; it is never converted.

#[cfg(test)]
pub(super) mod asked;
mod table;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(super) use self::table::TomlTable;
use super::report::{Findings, suggest_names};
use accredit_domain::diagnostic::{Code, Place, TextOrigin};

/// A file's name and text, and where findings go.
#[derive(Clone, Copy)]
pub(super) struct DefinitionText<'a> {
    /// Path inside the customer's directory.
    pub(super) file: &'a str,
    /// The text of the file.
    pub(super) text: &'a str,
    /// The collector of findings.
    pub(super) report: &'a Findings,
}

impl<'a> DefinitionText<'a> {
    /// The content of `file`; a byte order mark is no part of it.
    pub(super) fn new(file: &'a str, text: &'a str, report: &'a Findings) -> Self {
        DefinitionText { file, text: text.strip_prefix('\u{feff}').unwrap_or(text), report }
    }

    /// The place of a byte offset.
    pub(super) fn place(&self, offset: usize) -> Place {
        self.report.place(self.file, self.text, offset)
    }

    /// The document; nothing when it is not TOML, which is reported.
    pub(super) fn parse(&self) -> Option<Spanned<DeTable<'a>>> {
        match DeTable::parse(self.text) {
            Ok(document) => Some(document),
            Err(error) => {
                let offset = error.span().map_or(0, |span| span.start);
                let message = error.message().replace('\n', "; ");
                let help = syntax_help(self.text, offset, &message);
                self.report.error(Code::CR020, self.place(offset), message, help);
                None
            }
        }
    }
}

/// What to do about a file that is not TOML.
fn syntax_help(text: &str, offset: usize, message: &str) -> &'static str {
    let here = text.get(offset..).and_then(|text| text.chars().next());
    if here.is_some_and(|sign| "“”„‘’«»".contains(sign)) {
        "write straight quotes: \""
    } else if message.contains("unicode") || message.contains("escape") {
        "in double quotes write `\\\\` for a backslash, or put the text into single quotes"
    } else if message.contains("duplicate") {
        "write every key once, and every [table] once; a list of tables is [[name]]"
    } else {
        "text stands in quotes, a list in brackets, a table under its [name]"
    }
}

/// Text, where it stands, and where its first character does.
#[derive(Debug, Clone)]
pub(super) struct PlacedText {
    /// The text without quotes and with escapes resolved.
    pub(super) text: String,
    /// Where its opening quote stands.
    pub(super) place: Place,
    /// The first character inside the quotes.
    pub(super) origin: TextOrigin,
}

/// A value, and the key it belongs to.
#[derive(Clone, Copy)]
pub(super) struct TomlItem<'a> {
    source: DefinitionText<'a>,
    key: &'a str,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> TomlItem<'a> {
    /// The place of the value.
    pub(super) fn place(&self) -> Place {
        self.source.place(self.value.span().start)
    }

    /// The collector of findings.
    pub(super) fn report(&self) -> &'a Findings {
        self.source.report
    }

    /// The key of the value.
    pub(super) fn key(&self) -> &'a str {
        self.key
    }

    /// Whether it is a list.
    pub(super) fn is_list(&self) -> bool {
        self.value.get_ref().is_array()
    }

    /// Whether it is a table.
    pub(super) fn is_table(&self) -> bool {
        self.value.get_ref().is_table()
    }

    /// The boolean, where it is one.
    pub(super) fn as_flag(&self) -> Option<bool> {
        self.value.get_ref().as_bool()
    }

    /// The integer, where it is one that fits.
    pub(super) fn as_integer(&self) -> Option<i64> {
        let integer = self.value.get_ref().as_integer()?;
        i64::from_str_radix(integer.as_str(), integer.radix()).ok()
    }

    /// The day, where it is one without a time.
    pub(super) fn as_date(&self) -> Option<Date> {
        let stamp = self.value.get_ref().as_datetime()?;
        if stamp.time.is_some() || stamp.offset.is_some() {
            return None;
        }
        let day = stamp.date?;
        let year = i16::try_from(day.year).ok()?;
        Date::new(year, i8::try_from(day.month).ok()?, i8::try_from(day.day).ok()?).ok()
    }

    /// The text, where it is one.
    pub(super) fn as_text(&self) -> Option<PlacedText> {
        let text = self.value.get_ref().as_str()?.to_owned();
        let span = self.value.span();
        let raw = self.source.text.get(span.clone()).unwrap_or("");

        let quotes = if raw.starts_with("'''") || raw.starts_with("\"\"\"") { 3 } else { 1 };
        // A line break right after three quotes is no part of the text.
        let content = raw.get(quotes..).unwrap_or("");
        let skipped = match quotes {
            3 if content.starts_with("\r\n") => 2,
            3 if content.starts_with('\n') => 1,
            _ => 0,
        };

        let place = self.source.place(span.start);
        let origin = self.source.place(span.start + quotes + skipped);

        // Escapes are shorter when read than when written, and places are those of what is written.
        let origin = match content.get(skipped..) {
            Some(content) if raw.starts_with('"') => TextOrigin::of_escaped(
                origin,
                content.get(..content.len() - quotes).unwrap_or(content),
            ),
            _ => TextOrigin::from(origin),
        };

        Some(PlacedText { text, place, origin })
    }

    /// The day; anything else is reported.
    pub(super) fn expect_date(&self) -> Option<Date> {
        self.expect_kind(self.as_date(), "a day such as 2017-03-31")
    }

    /// The integer between two bounds; anything else is reported.
    pub(super) fn expect_integer(&self, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let found = self.as_integer().filter(|number| range.contains(number));
        self.expect_kind(
            found,
            &format!("a whole number from {} to {}", range.start(), range.end()),
        )
    }

    /// The text; anything else is reported.
    pub(super) fn expect_text(&self) -> Option<PlacedText> {
        self.expect_kind(self.as_text(), "text in quotes")
    }

    /// The members of a list; anything else is reported.
    pub(super) fn expect_list(&self) -> Option<Vec<TomlItem<'a>>> {
        let list = self.expect_kind(self.value.get_ref().as_array(), "a list in brackets")?;
        Some(list.iter().map(|value| TomlItem { value, ..*self }).collect())
    }

    /// One text or a list of them; anything else is reported.
    pub(super) fn expect_texts(&self) -> Option<Vec<PlacedText>> {
        if let Some(text) = self.as_text() {
            return Some(vec![text]);
        }
        if !self.is_list() {
            return self.expect_kind(None, "text in quotes, or a list of texts");
        }
        Some(self.expect_list()?.iter().filter_map(TomlItem::expect_text).collect())
    }

    /// The table; anything else is reported.
    pub(super) fn expect_table(&self) -> Option<TomlTable<'a>> {
        let entries = self.expect_kind(self.value.get_ref().as_table(), "a table")?;
        let offset = Some(self.value.span().start);
        Some(TomlTable::new(self.source, entries, offset))
    }

    /// Reports a value that is not what its key needs.
    pub(super) fn refuse(&self, needed: &str) {
        let message = format!("`{}` must be {needed}", self.key);
        let help = wrong_value_help(self.value.get_ref(), needed);
        self.source.report.error(Code::CR024, self.place(), message, &help);
    }

    fn expect_kind<T>(&self, found: Option<T>, needed: &str) -> Option<T> {
        if found.is_none() {
            self.refuse(needed);
        }
        found
    }
}

/// What to write instead of `value` where `needed` must stand.
fn wrong_value_help(value: &DeValue<'_>, needed: &str) -> String {
    let bare = needed.starts_with("a whole number")
        || needed == "true or false"
        || needed.starts_with("a day");

    match value {
        DeValue::Float(float) => {
            format!("numbers with decimals are written as text: \"{}\"", float.as_str())
        }
        DeValue::String(_) if bare => "write it without quotes".to_owned(),
        DeValue::String(_) if needed.contains("format") => {
            "%Y is the year, %m the month, %d the day, %y a year of two digits".to_owned()
        }
        DeValue::String(text) if needed.starts_with("a list") => {
            format!("write it in brackets: [\"{text}\"]")
        }
        DeValue::String(text) if text.trim().is_empty() => {
            "write something in the quotes".to_owned()
        }
        DeValue::Integer(number) if needed.starts_with("text in quotes") => {
            format!("write it in quotes: \"{}\"", number.as_str())
        }
        DeValue::Integer(number) if needed.starts_with("a whole number") => {
            format!("{} is outside of it", number.as_str())
        }
        DeValue::Array(list) if list.is_empty() => "write something in the brackets".to_owned(),
        DeValue::Table(_) if needed.starts_with("a list") => {
            "write its table with two brackets on each side: [[name]]".to_owned()
        }
        other => format!("this is {}: write {needed}", value_in_words(other)),
    }
}

fn value_in_words(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The meaning of a listed word; any other word is reported.
pub(super) fn parse_choice<T: Clone>(
    report: &Findings,
    text: &PlacedText,
    words: &[(&str, T)],
) -> Option<T> {
    if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text.text) {
        return Some(meaning.clone());
    }
    let listed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let message = format!("`{}` is not allowed here", text.text);
    report.error(
        Code::CR024,
        text.place.clone(),
        message,
        &suggest_names(&text.text, "word", &listed),
    );
    None
}
