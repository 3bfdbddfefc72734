//! A table of a TOML document, read key by key.
//!
//! Not the values, which are items of `toml`. Called by the readers of `accredit.toml` and plans.
//!
//! **Architecture invariant:** no key of a customer's file is ignored: what [`TomlTable::finish`]
//! finds unread is an error.

use jiff::civil::Date;
use toml::Spanned;
use toml::de::DeTable;

use super::{DefinitionText, PlacedText, TomlItem};
use crate::report::{Findings, suggest_names};
use accredit_domain::diagnostic::{Code, Diagnostic, Place};

/// A table, read key by key.
pub(crate) struct TomlTable<'a> {
    source: DefinitionText<'a>,
    entries: &'a DeTable<'a>,
    offset: Option<usize>,
    asked: Vec<&'static str>,
}

/// Keys that stand before the first table: below one, TOML takes them for keys of that table.
const TOP_LEVEL_KEYS: [&str; 13] = [
    "unit_types",
    "credit_types",
    "reason_codes",
    "relationship_types",
    "measure",
    "targets",
    "filter",
    "split",
    "require_total_one",
    "hold_across_years",
    "alerts",
    "policies",
    "period",
];

impl<'a> TomlTable<'a> {
    /// The table that begins at `offset`, or at the top of its document.
    pub(crate) fn new(
        source: DefinitionText<'a>,
        entries: &'a DeTable<'a>,
        offset: Option<usize>,
    ) -> Self {
        TomlTable { source, entries, offset, asked: Vec::new() }
    }

    /// The top of a document.
    pub(crate) fn root(source: DefinitionText<'a>, document: &'a Spanned<DeTable<'a>>) -> Self {
        TomlTable::new(source, document.get_ref(), None)
    }

    /// Where it begins; the whole file for the top of a document.
    pub(crate) fn place(&self) -> Place {
        match self.offset {
            Some(offset) => self.source.place(offset),
            None => Place::whole_file(self.source.file),
        }
    }

    /// The collector of findings.
    pub(crate) fn report(&self) -> &'a Findings {
        self.source.report
    }

    /// The value of `key`.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<TomlItem<'a>> {
        self.asked.push(key);
        let value = self.entries.get(key)?;
        Some(TomlItem { source: self.source, key, value })
    }

    /// Whether there is a value of `key`.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        self.entries.get(key).is_some()
    }

    /// The value of `key`; its absence is reported.
    pub(crate) fn take_needed(&mut self, key: &'static str) -> Option<TomlItem<'a>> {
        let found = self.take(key);
        if found.is_none() {
            let message = format!("`{key}` is missing");
            let help = match (key, self.offset) {
                ("workspace" | "fields", None) => format!("add a table `[{key}]`"),
                _ => format!("add `{key} = …`"),
            };
            self.source.report.error(Code::CR023, self.place(), message, &help);
        }
        found
    }

    /// The text under `key`.
    pub(crate) fn take_text(&mut self, key: &'static str) -> Option<PlacedText> {
        self.take(key)?.expect_text()
    }

    /// The text under `key`, which may be neither missing nor blank.
    pub(crate) fn take_needed_text(&mut self, key: &'static str) -> Option<PlacedText> {
        let item = self.take_needed(key)?;
        let text = item.expect_text()?;
        if text.text.trim().is_empty() {
            item.refuse("text that is not blank");
            return None;
        }
        Some(text)
    }

    /// The boolean under `key`, or false.
    pub(crate) fn take_flag(&mut self, key: &'static str) -> bool {
        let Some(item) = self.take(key) else { return false };
        item.expect_kind(item.as_flag(), "true or false").unwrap_or(false)
    }

    /// The day under `key`.
    pub(crate) fn take_date(&mut self, key: &'static str) -> Option<Date> {
        self.take(key)?.expect_date()
    }

    /// The integer under `key` between two bounds.
    pub(crate) fn take_integer(
        &mut self,
        key: &'static str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Option<i64> {
        self.take(key)?.expect_integer(range)
    }

    /// The members of the list under `key`.
    pub(crate) fn take_list(&mut self, key: &'static str) -> Option<Vec<TomlItem<'a>>> {
        self.take(key)?.expect_list()
    }

    /// The tables written as `[[key]]`.
    pub(crate) fn take_tables(&mut self, key: &'static str) -> Vec<TomlTable<'a>> {
        let list = self.take_list(key).unwrap_or_default();
        list.iter().filter_map(TomlItem::expect_table).collect()
    }

    /// The table under `key`.
    pub(crate) fn take_table(&mut self, key: &'static str) -> Option<TomlTable<'a>> {
        self.take(key)?.expect_table()
    }

    /// All entries, for tables whose keys are the author's own names.
    pub(crate) fn entries(&self) -> Vec<(PlacedText, TomlItem<'a>)> {
        let entries = self.entries.iter().map(|(key, value)| {
            let place = self.source.place(key.span().start);
            let name: &'a str = key.get_ref();
            let text = PlacedText { text: name.to_owned(), origin: place.clone().into(), place };
            (text, TomlItem { source: self.source, key: name, value })
        });
        entries.collect()
    }

    /// The entries that no reader used, of a table that has keys only others know.
    pub(crate) fn finish_with_rest(self) -> Vec<(PlacedText, TomlItem<'a>)> {
        #[cfg(test)]
        super::asked::note_keys(self.asked.iter());

        let mut entries = self.entries();
        entries.retain(|(key, _)| !self.asked.contains(&key.text.as_str()));
        entries
    }

    /// Reports every key that no reader used.
    pub(crate) fn finish(self) {
        #[cfg(test)]
        super::asked::note_keys(self.asked.iter());

        for (key, _) in self.entries() {
            let word = key.text.as_str();
            if !self.asked.contains(&word) {
                let message = format!("unknown key `{word}`");
                // A key below a [table] belongs to that table, which is the most frequent mistake
                // in TOML.
                let help = if TOP_LEVEL_KEYS.contains(&word) {
                    format!("move `{word}` to the top of the file, before the first [table]")
                } else {
                    suggest_names(word, "key", &self.asked)
                };
                self.source
                    .report
                    .push(Diagnostic::error(Code::CR021, key.place, message).with_help(help));
            }
        }
    }
}
