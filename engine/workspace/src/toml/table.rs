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
use crate::report::{Report, hint};
use accredit_domain::diagnostic::{Code, Diagnostic, Place};

/// A table, read key by key.
pub(crate) struct Table<'a> {
    source: Source<'a>,
    entries: &'a DeTable<'a>,
    offset: Option<usize>,
    asked: Vec<&'static str>,
}

/// Keys that stand before the first table: below one, TOML takes them for keys of that table.
const TOP: [&str; 13] = [
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

impl<'a> Table<'a> {
    /// The table that begins at `offset`, or at the top of its document.
    pub(crate) fn new(source: Source<'a>, entries: &'a DeTable<'a>, offset: Option<usize>) -> Self {
        Table { source, entries, offset, asked: Vec::new() }
    }

    /// The top of a document.
    pub(crate) fn root(source: Source<'a>, document: &'a Spanned<DeTable<'a>>) -> Self {
        Table::new(source, document.get_ref(), None)
    }

    /// Where it begins; the whole file for the top of a document.
    pub(crate) fn place(&self) -> Place {
        match self.offset {
            Some(offset) => self.source.place(offset),
            None => Place::file(self.source.file),
        }
    }

    /// Where findings are reported.
    pub(crate) fn report(&self) -> &'a Report {
        self.source.report
    }

    /// The value of `key`.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.asked.push(key);
        let value = self.entries.get(key)?;
        Some(Item { source: self.source, key, value })
    }

    /// Whether there is a value of `key`.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.get(key).is_some()
    }

    /// The value of `key`; its absence is reported.
    pub(crate) fn need(&mut self, key: &'static str) -> Option<Item<'a>> {
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
    pub(crate) fn text(&mut self, key: &'static str) -> Option<Text> {
        self.take(key)?.text()
    }

    /// The text under `key`, which may be neither missing nor blank.
    pub(crate) fn need_text(&mut self, key: &'static str) -> Option<Text> {
        let item = self.need(key)?;
        let text = item.text()?;
        if text.text.trim().is_empty() {
            item.refuse("text that is not blank");
            return None;
        }
        Some(text)
    }

    /// The boolean under `key`, or false.
    pub(crate) fn flag(&mut self, key: &'static str) -> bool {
        let Some(item) = self.take(key) else { return false };
        item.expect(item.as_flag(), "true or false").unwrap_or(false)
    }

    /// The day under `key`.
    pub(crate) fn date(&mut self, key: &'static str) -> Option<Date> {
        self.take(key)?.day()
    }

    /// The integer under `key` between two bounds.
    pub(crate) fn integer(
        &mut self,
        key: &'static str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Option<i64> {
        self.take(key)?.integer(range)
    }

    /// The members of the list under `key`.
    pub(crate) fn list(&mut self, key: &'static str) -> Option<Vec<Item<'a>>> {
        self.take(key)?.list()
    }

    /// The tables written as `[[key]]`.
    pub(crate) fn tables(&mut self, key: &'static str) -> Vec<Table<'a>> {
        let list = self.list(key).unwrap_or_default();
        list.iter().filter_map(Item::table).collect()
    }

    /// The table under `key`.
    pub(crate) fn table(&mut self, key: &'static str) -> Option<Table<'a>> {
        self.take(key)?.table()
    }

    /// All entries, for tables whose keys are the author's own names.
    pub(crate) fn entries(&self) -> Vec<(Text, Item<'a>)> {
        let entries = self.entries.iter().map(|(key, value)| {
            let place = self.source.place(key.span().start);
            let name: &'a str = key.get_ref();
            let text = Text { text: name.to_owned(), origin: place.clone().into(), place };
            (text, Item { source: self.source, key: name, value })
        });
        entries.collect()
    }

    /// Reports every key that nobody asked for.
    pub(crate) fn finish(self) {
        #[cfg(test)]
        super::asked::note(self.asked.iter());

        for (key, _) in self.entries() {
            let word = key.text.as_str();
            if !self.asked.contains(&word) {
                let message = format!("unknown key `{word}`");
                // A key below a [table] belongs to that table, which is the most frequent slip in
                // TOML.
                let help = if TOP.contains(&word) {
                    format!("move `{word}` to the top of the file, before the first [table]")
                } else {
                    hint(word, "key", &self.asked)
                };
                self.source
                    .report
                    .push(Diagnostic::error(Code::CR021, key.place, message).help(help));
            }
        }
    }
}
