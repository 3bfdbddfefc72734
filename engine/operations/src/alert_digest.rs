//! The alerts that are open, and those among them that people were not told of yet.
//!
//! Not sending (the host). Called by the host's mailer.

use std::collections::{BTreeMap, BTreeSet};

use accredit_ledger::notes::NoteQuery;
use serde::{Deserialize, Serialize};

use crate::alerts::{self, ENQUIRY_CODE, NoteFilter, OpenAlert};
use crate::context::Context;
use crate::error::OperationError;

/// Alerts that are read at a time.
const PAGE_ROWS: usize = 1000;

/// Messages of one code that a digest repeats; the others are counted.
pub const MESSAGES_MAX: usize = 20;

/// The code of a delivery that could not be read.
const DEAD_LETTER_CODE: &str = "dead_letter";

/// The alerts of one code that are new.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewAlerts {
    /// How many they are.
    pub count: usize,
    /// What the first of them say.
    pub messages: Vec<String>,
}

/// What people are told at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertDigest {
    /// The alerts that are new, by code.
    pub new: BTreeMap<String, NewAlerts>,
    /// How many alerts are open in all.
    pub open: usize,
    /// What to remember, so that the next digest leaves these out.
    pub told: ToldAlerts,
}

impl AlertDigest {
    /// How many alerts are new.
    pub fn new_count(&self) -> usize {
        self.new.values().map(|alerts| alerts.count).sum()
    }

    fn add_alert(&mut self, known: &ToldAlerts, code: &str, message: String) {
        let hash = blake3::hash(format!("{code}\0{message}").as_bytes());
        let mark = hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        // Two rules of one deal may say the same.
        if !self.told.0.insert(mark) {
            return;
        }
        self.open += 1;
        if known.0.contains(&mark) {
            return;
        }

        let alerts = self.new.entry(code.to_owned()).or_default();
        alerts.count += 1;
        if alerts.messages.len() < MESSAGES_MAX {
            alerts.messages.push(message);
        }
    }
}

/// Marks of the alerts that people were told of and that were open then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldAlerts(BTreeSet<u64>);

/// Collects the alerts that are open; those that are `known` are not new.
///
/// # Errors
/// When the data cannot be read.
pub fn collect_alerts(
    context: &Context,
    known: &ToldAlerts,
) -> Result<AlertDigest, OperationError> {
    let mut digest = AlertDigest::default();

    let mut cursor = None;
    loop {
        let query = NoteQuery { alerts: true, limit: PAGE_ROWS, cursor, ..NoteQuery::default() };
        let page = context.ledger.note_page(&query)?;
        for row in page.rows {
            let message = format!("{}: {}", row.note.transaction, row.note.message);
            digest.add_alert(known, row.note.code.as_str(), message);
        }
        let Some(next) = page.next else { break };
        cursor = Some(next);
    }

    for alert in alerts::other_alerts(context, &NoteFilter::default())? {
        match alert {
            OpenAlert::Note(row) => {
                digest.add_alert(known, row.note.code.as_str(), row.note.message);
            }
            OpenAlert::Raised(_, raised) => digest.add_alert(known, &raised.code, raised.message),
            // They follow in pages.
            OpenAlert::DeadLetter(_) => (),
            OpenAlert::Enquiry(enquiry) => {
                let message = format!("enquiry {} of {}", enquiry.id, enquiry.payee);
                digest.add_alert(known, ENQUIRY_CODE, message);
            }
        }
    }

    let mut after = 0;
    loop {
        let letters = context.ledger.dead_letters(after, PAGE_ROWS)?;
        let Some(last) = letters.last() else { return Ok(digest) };
        after = last.sequence;
        for letter in letters {
            let message = format!("{} {}: {}", letter.source, letter.delivery, letter.reason);
            digest.add_alert(known, DEAD_LETTER_CODE, message);
        }
    }
}
