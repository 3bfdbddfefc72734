//! Ids of alerts: how a request names an alert that may be kept nowhere.
//!
//! Not finding it again (`assigned`). Called by it and by the host, which writes and reads ids.
//!
//! **Architecture invariant:** an id says where its alert is found, so that finding one reads no other
//! deal; an alert whose words change is another alert.

use std::fmt;
use std::str::FromStr;

use accredit_domain::keys::PeriodKey;
use accredit_domain::note::NoteCode;
use accredit_ledger::notes::NoteRow;

use super::OpenAlert;

/// What an alert is named by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlertId {
    /// Of a decision: the number of the deal, and the mark of the note.
    Deal(u64, NoteMark),
    /// Of a reward or an adjustment, which are computed when they are read: the mark of the note.
    Computed(NoteMark),
    /// Of an act or of the server: its number.
    Raised(u64),
    /// Of an enquiry: its number.
    Enquiry(u64),
    /// Of a dead letter: its place in the inbox.
    DeadLetter(u64),
}

/// What tells two notes apart: a hash of what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoteMark(u64);

impl NoteMark {
    /// The mark of a note. Places in files are left out: a line above moves them.
    fn of_note(row: &NoteRow) -> NoteMark {
        let note = &row.note;
        let period = row.period.as_ref().map_or("", PeriodKey::as_str);
        // A lost adjustment is listed with the plan and the period that are asked for.
        let (plan, period) = match note.code {
            NoteCode::AdjustmentNotApplied => ("", ""),
            _ => (note.plan.as_str(), period),
        };
        let (stage, code) = (note.stage.as_str(), note.code.as_str());
        let said: [&str; 6] = [&note.transaction, plan, period, stage, code, &note.message];

        let mut hasher = blake3::Hasher::new();
        for part in said {
            hasher.update(part.as_bytes());
            hasher.update(&[0]);
        }
        let hash = hasher.finalize();
        NoteMark(hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes)))
    }
}

impl AlertId {
    /// The id of a note.
    pub fn of_note(row: &NoteRow) -> AlertId {
        let mark = NoteMark::of_note(row);
        row.deal.map_or(AlertId::Computed(mark), |deal| AlertId::Deal(deal, mark))
    }

    /// The id of an alert.
    pub fn of(alert: &OpenAlert) -> AlertId {
        match alert {
            OpenAlert::Note(row) => AlertId::of_note(row),
            OpenAlert::Raised(number, _) => AlertId::Raised(*number),
            OpenAlert::DeadLetter(letter) => AlertId::DeadLetter(letter.sequence),
            OpenAlert::Enquiry(enquiry) => AlertId::Enquiry(enquiry.id),
        }
    }
}

impl fmt::Display for AlertId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AlertId::Deal(deal, NoteMark(mark)) => write!(out, "deal-{deal}-{mark:016x}"),
            AlertId::Computed(NoteMark(mark)) => write!(out, "computed-{mark:016x}"),
            AlertId::Raised(number) => write!(out, "raised-{number}"),
            AlertId::Enquiry(number) => write!(out, "enquiry-{number}"),
            AlertId::DeadLetter(sequence) => write!(out, "dead-{sequence}"),
        }
    }
}

/// Why a text is no id of an alert.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no id of an alert")]
pub struct NoAlertId;

impl FromStr for AlertId {
    type Err = NoAlertId;

    fn from_str(text: &str) -> Result<AlertId, NoAlertId> {
        let (kind, rest) = text.split_once('-').ok_or(NoAlertId)?;
        let number = |text: &str| text.parse::<u64>().map_err(|_| NoAlertId);
        let mark = |text: &str| u64::from_str_radix(text, 16).map(NoteMark).map_err(|_| NoAlertId);

        let id = match kind {
            "deal" => {
                let (deal, of_note) = rest.split_once('-').ok_or(NoAlertId)?;
                AlertId::Deal(number(deal)?, mark(of_note)?)
            }
            "computed" => AlertId::Computed(mark(rest)?),
            "raised" => AlertId::Raised(number(rest)?),
            "enquiry" => AlertId::Enquiry(number(rest)?),
            "dead" => AlertId::DeadLetter(number(rest)?),
            _ => return Err(NoAlertId),
        };

        // An alert has one id: `dead-01` is none.
        if id.to_string() == text { Ok(id) } else { Err(NoAlertId) }
    }
}

#[cfg(test)]
mod tests {
    use accredit_domain::note::{Note, NoteStage};

    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written_and_in_no_other_way() {
        let mark = NoteMark(0xab);
        let ids = [
            (AlertId::Deal(12, mark), "deal-12-00000000000000ab"),
            (AlertId::Computed(mark), "computed-00000000000000ab"),
            (AlertId::Raised(3), "raised-3"),
            (AlertId::Enquiry(4), "enquiry-4"),
            (AlertId::DeadLetter(5), "dead-5"),
        ];
        for (id, text) in ids {
            assert_eq!(id.to_string(), text);
            assert_eq!(text.parse(), Ok(id));
        }
        for text in ["", "dead", "dead-", "dead-05", "dead-+5", "computed-ab", "deal-1", "other-1"]
        {
            assert_eq!(text.parse::<AlertId>(), Err(NoAlertId), "{text}");
        }
    }

    /// Stored assignments have these marks: another way to compute them would lose every one.
    #[test]
    fn the_mark_of_a_note_stays() {
        let note = Note {
            transaction: "D1".to_owned(),
            plan: "sellers".to_owned(),
            stage: NoteStage::Crediting,
            code: NoteCode::Unmatched,
            message: "no recipient is called `zoe`".to_owned(),
            policy: None,
            file: None,
            line: None,
            column: None,
        };
        let row = NoteRow { note, period: Some(PeriodKey::from("2026-01")), deal: Some(7) };
        assert_eq!(AlertId::of_note(&row).to_string(), "deal-7-9ad6ee23c971d009");

        let moved = Note { line: Some(3), column: Some(1), ..row.note.clone() };
        let moved = NoteRow { note: moved, ..row.clone() };
        assert_eq!(AlertId::of_note(&moved), AlertId::of_note(&row));
        let other = Note { message: "no recipient is called `max`".to_owned(), ..row.note.clone() };
        let other = NoteRow { note: other, ..row.clone() };
        assert_ne!(AlertId::of_note(&other), AlertId::of_note(&row));
    }
}
