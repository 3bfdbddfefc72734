//! Names: texts that many rows have, kept once in the file and written as numbers elsewhere.
//!
//! Names of positions, people, plans, rules, types, units, columns and the hashes of rulesets. Not texts
//! that every deal has anew. Called by `packed` and by the commits that write such rows.
//!
//! **Architecture invariant:** a name is written in the commit of the first row that has its number, and
//! its number never means another text.

use std::sync::{Arc, PoisonError, RwLock};

use foldhash::HashMap;

use super::LedgerResult;
use accredit_domain::keys::Name;
use accredit_seams::store::{Snapshot, StoreError, StoreTable, WriteBatch};

/// Bytes of the longest text that becomes a name; a longer one stands in its row.
const NAME_BYTES_MAX: usize = 256;

/// How many names a file has at most, since all are in memory; further texts stand in their rows.
const NAMES_MAX: usize = 1 << 20;

/// The names of a file, as far as this process has read them.
#[derive(Default)]
pub(super) struct Names(RwLock<Arc<KnownNames>>);

/// Names by number, and numbers by name.
#[derive(Clone, Default)]
pub(super) struct KnownNames {
    texts: Vec<Name>,
    numbers: HashMap<Name, u32>,
}

impl Names {
    /// What is known now.
    pub(super) fn current(&self) -> Arc<KnownNames> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the names that the file has beyond those that are known.
    pub(super) fn load(&self, snapshot: &dyn Snapshot) -> LedgerResult<Arc<KnownNames>> {
        let known = self.current();
        let from = name_key(known.texts.len());
        let rows = snapshot.scan_prefix(StoreTable::Names, b"", &from, usize::MAX)?;
        if rows.is_empty() {
            return Ok(known);
        }

        let mut texts = Vec::with_capacity(rows.len());
        for (place, (key, text)) in (known.texts.len()..).zip(rows) {
            if key != name_key(place) {
                return Err(StoreError::Damaged(format!("the name with number {place} is gone")));
            }
            let text = String::from_utf8(text).map_err(|_| {
                StoreError::Damaged(format!("the name with number {place} is no text"))
            })?;
            texts.push(Name::of(&text));
        }

        self.add_written(known.texts.len(), texts);
        Ok(self.current())
    }

    /// Adds names that a commit wrote, from the number `first` on.
    pub(super) fn add_written(&self, first: usize, texts: Vec<Name>) {
        if texts.is_empty() {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have read some of them meanwhile.
        let skipped = known.texts.len().saturating_sub(first);
        if known.texts.len() < first {
            return;
        }
        let known = Arc::make_mut(&mut known);
        for text in texts.into_iter().skip(skipped) {
            known.push(text);
        }
    }
}

impl KnownNames {
    /// Adds a text, with the next number.
    pub(super) fn push(&mut self, text: Name) {
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.numbers.insert(text, number);
        self.texts.push(text);
    }

    /// The name with this number.
    pub(super) fn name_of(&self, number: u64) -> Option<Name> {
        let number = usize::try_from(number).ok()?;
        self.texts.get(number).copied()
    }
}

/// Names that a commit adds to those of the file.
#[derive(Default)]
pub(super) struct NewNames {
    known: Arc<KnownNames>,
    fresh: KnownNames,
}

impl NewNames {
    /// None beyond those that the file has.
    pub(super) fn beyond(known: Arc<KnownNames>) -> NewNames {
        NewNames { known, fresh: KnownNames::default() }
    }

    /// What a row writes for a text, without adding it. A text that is no name yet is not made one.
    fn find_text(&self, text: &str) -> FoundName {
        match Name::find(text) {
            Some(name) => self.find(name),
            None => self.without_number(text),
        }
    }

    /// What a row writes for a name, without adding it.
    fn find(&self, name: Name) -> FoundName {
        if let Some(number) = self.known.numbers.get(&name) {
            return FoundName::Number(u64::from(*number));
        }
        match self.fresh.numbers.get(&name) {
            Some(number) => FoundName::Number(u64::from(*number) + self.known.texts.len() as u64),
            None => self.without_number(name.text()),
        }
    }

    /// What a row writes for a text without a number.
    fn without_number(&self, text: &str) -> FoundName {
        let place = self.known.texts.len() + self.fresh.texts.len();
        if text.len() > NAME_BYTES_MAX || place >= NAMES_MAX {
            return FoundName::InRow;
        }
        FoundName::New(place as u64)
    }

    /// The new names, in the order of their numbers.
    pub(super) fn fresh_texts(&self) -> &[Name] {
        &self.fresh.texts
    }

    /// Adds the rows of the new names to the commit.
    pub(super) fn write_rows(&self, batch: &mut WriteBatch) {
        for (place, text) in (self.known.texts.len()..).zip(&self.fresh.texts) {
            batch.put_row(StoreTable::Names, name_key(place), text.text().as_bytes());
        }
    }

    /// Makes the new names known, once their commit is durable.
    pub(super) fn keep_in(self, names: &Names) {
        names.add_written(self.known.texts.len(), self.fresh.texts);
    }
}

/// What a row writes for a text.
enum FoundName {
    /// The number of its name.
    Number(u64),
    /// The text itself.
    InRow,
    /// The number of a name that is not there yet.
    New(u64),
}

/// The names that rows are written with.
pub(super) enum RowNames<'n> {
    /// A new name gets the next number.
    Adding(&'n mut NewNames),
    /// Other rows are written at the same time. Numbers follow the order of the rows, so that a row with a
    /// new name has to wait for its turn.
    Shared {
        /// Those that are there.
        names: &'n NewNames,
        /// Whether the row has a name that is not.
        has_new: bool,
    },
}

impl RowNames<'_> {
    /// The number of a text, a new one for a new name; none where it must stand in its row.
    pub(super) fn number_of_text(&mut self, text: &str) -> Option<u64> {
        let found = self.names().find_text(text);
        self.take_number(found, || Name::of(text))
    }

    /// The number of a name, a new one for a new name; none where its text must stand in its row.
    pub(super) fn number_of(&mut self, name: Name) -> Option<u64> {
        let found = self.names().find(name);
        self.take_number(found, || name)
    }

    fn names(&self) -> &NewNames {
        match self {
            RowNames::Adding(names) => names,
            RowNames::Shared { names, .. } => names,
        }
    }

    fn take_number(&mut self, found: FoundName, name: impl FnOnce() -> Name) -> Option<u64> {
        match (found, self) {
            (FoundName::Number(number), _) => Some(number),
            (FoundName::InRow, _) => None,
            (FoundName::New(number), RowNames::Adding(names)) => {
                names.fresh.push(name());
                Some(number)
            }
            (FoundName::New(_), RowNames::Shared { has_new, .. }) => {
                *has_new = true;
                None
            }
        }
    }
}

fn name_key(place: usize) -> [u8; 8] {
    (place as u64).to_be_bytes()
}
