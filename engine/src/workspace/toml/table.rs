//! A table of a TOML document, read key by key.
//!
//! Not the values, which are items of `toml`. Called by whatever reads `accredit.toml` and plans.
//!
//! **Architecture invariant:** no key of a customer's file is ignored: what [`Table::finish`] finds
//! unread is an error.

use jiff::civil::Date;
use toml::Spanned;
use toml::de::DeTable;

use super::{Item, Source, Text};
use crate::diagnostic::{Diagnostic, Place};
use crate::workspace::report::{Report, hint};

/// A table, read key by key.
pub(in crate::workspace) struct Table<'a> {
    source: Source<'a>,
    entries: &'a DeTable<'a>,
    offset: Option<usize>,
    asked: Vec<&'static str>,
}

impl<'a> Table<'a> {
    /// The table that begins at `offset`, or at the top of its document.
    pub(in crate::workspace) fn new(
        source: Source<'a>,
        entries: &'a DeTable<'a>,
        offset: Option<usize>,
    ) -> Self {
        Table { source, entries, offset, asked: Vec::new() }
    }

    /// The top of a document.
    pub(in crate::workspace) fn root(
        source: Source<'a>,
        document: &'a Spanned<DeTable<'a>>,
    ) -> Self {
        Table::new(source, document.get_ref(), None)
    }

    /// Where it begins; the whole file for the top of a document.
    pub(in crate::workspace) fn place(&self) -> Place {
        match self.offset {
            Some(offset) => self.source.place(offset),
            None => Place::file(self.source.file),
        }
    }

    /// Where findings go.
    pub(in crate::workspace) fn report(&self) -> &'a Report {
        self.source.report
    }

    /// The value of `key`.
    pub(in crate::workspace) fn take(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.asked.push(key);
        let value = self.entries.get(key)?;
        Some(Item { source: self.source, key, value })
    }

    /// Whether there is a value of `key`.
    pub(in crate::workspace) fn has(&self, key: &str) -> bool {
        self.entries.get(key).is_some()
    }

    /// The value of `key`; its absence is reported.
    pub(in crate::workspace) fn need(&mut self, key: &'static str) -> Option<Item<'a>> {
        let found = self.take(key);
        if found.is_none() {
            let message = format!("`{key}` is missing");
            let help = match (key, self.offset) {
                ("workspace" | "fields", None) => format!("add a table `[{key}]`"),
                _ => format!("add `{key} = …`"),
            };
            self.source.report.error("CR023", self.place(), message, &help);
        }
        found
    }

    /// The text under `key`.
    pub(in crate::workspace) fn text(&mut self, key: &'static str) -> Option<Text> {
        self.take(key)?.text()
    }

    /// The text under `key`, which may be neither missing nor blank.
    pub(in crate::workspace) fn need_text(&mut self, key: &'static str) -> Option<Text> {
        let item = self.need(key)?;
        let text = item.text()?;
        if text.text.trim().is_empty() {
            item.refuse("text that is not blank");
            return None;
        }
        Some(text)
    }

    /// The boolean under `key`, or false.
    pub(in crate::workspace) fn flag(&mut self, key: &'static str) -> bool {
        let Some(item) = self.take(key) else { return false };
        item.expect(item.as_flag(), "true or false").unwrap_or(false)
    }

    /// The day under `key`.
    pub(in crate::workspace) fn date(&mut self, key: &'static str) -> Option<Date> {
        self.take(key)?.day()
    }

    /// The integer under `key` between two bounds.
    pub(in crate::workspace) fn integer(
        &mut self,
        key: &'static str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Option<i64> {
        self.take(key)?.integer(range)
    }

    /// The members of the list under `key`.
    pub(in crate::workspace) fn list(&mut self, key: &'static str) -> Option<Vec<Item<'a>>> {
        self.take(key)?.list()
    }

    /// The tables written as `[[key]]`.
    pub(in crate::workspace) fn tables(&mut self, key: &'static str) -> Vec<Table<'a>> {
        let list = self.list(key).unwrap_or_default();
        list.iter().filter_map(Item::table).collect()
    }

    /// The table under `key`.
    pub(in crate::workspace) fn table(&mut self, key: &'static str) -> Option<Table<'a>> {
        self.take(key)?.table()
    }

    /// All entries, for tables whose keys are the author's own names.
    pub(in crate::workspace) fn entries(&self) -> Vec<(Text, Item<'a>)> {
        let entries = self.entries.iter().map(|(key, value)| {
            let place = self.source.place(key.span().start);
            let name: &'a str = key.get_ref();
            let text = Text { text: name.to_owned(), origin: place.clone().into(), place };
            (text, Item { source: self.source, key: name, value })
        });
        entries.collect()
    }

    /// Reports every key that nobody asked for.
    pub(in crate::workspace) fn finish(self) {
        #[cfg(test)]
        super::asked::note(self.asked.iter());
        for (key, _) in self.entries() {
            let word = key.text.as_str();
            if !self.asked.contains(&word) {
                let message = format!("unknown key `{word}`");
                let help = hint(word, "key", &self.asked);
                self.source.report.push(Diagnostic::error("CR021", key.place, message).help(help));
            }
        }
    }
}
