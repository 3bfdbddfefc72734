//! Enquiries of payees: something is missing or incorrect, and what was answered.
//!
//! Not changing a credit: an answer says what was done, releases and adjustments do it. Called by
//! the host. Source: DOMAIN 2.16 (the fields of a dispute that make sense without workflow).
//!
//! **Architecture invariant:** an enquiry is answered once; what was asked never changes.

use serde::{Deserialize, Serialize};

use super::{Ledger, Result, code, lock, next_number};
use crate::store::{Batch, Table};

/// What is wrong, to the payee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A credit that is not there.
    Missing,
    /// A credit that is not right.
    Incorrect,
}

/// Where an enquiry stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Waits for an answer.
    #[default]
    Open,
    /// The payee was right, or knows now why not.
    Resolved,
    /// The payee was not right.
    Rejected,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Who.
    pub who: String,
    /// What.
    pub text: String,
}

/// One enquiry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enquiry {
    /// Its number, of the audit row that it came with; 0 until it is kept.
    pub id: u64,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Whose token it came with.
    pub who: String,
    /// Participant id of who asks.
    pub payee: String,
    /// What is wrong.
    pub kind: Kind,
    /// Natural key of the transaction, if the payee knows it.
    pub transaction: Option<String>,
    /// Credit id.
    pub credit: Option<String>,
    /// The amount of the credit when it was asked after.
    pub actual: Option<String>,
    /// The amount that the payee expected.
    pub expected: Option<String>,
    /// The payee's words.
    pub text: String,
    /// Where it stands.
    pub state: State,
    /// What was answered.
    pub answer: Option<Answer>,
}

/// A page of enquiries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The enquiries, oldest first.
    pub rows: Vec<Enquiry>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<u64>,
}

/// Rows that are read at a time.
const ROWS_A_TIME: usize = 64;

/// What the keys of enquiries begin with.
const BY_NUMBER: &str = "number";

/// What the keys of their payees' lists begin with.
const BY_PAYEE: &str = "payee";

fn key(id: u64) -> Vec<u8> {
    [&code::parts(&[BY_NUMBER])[..], &code::key(id)].concat()
}

fn of(payee: &str) -> Vec<u8> {
    code::parts(&[BY_PAYEE, payee])
}

impl Ledger {
    /// Keeps a new enquiry; gives it with its number.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn enquire(&self, mut enquiry: Enquiry) -> Result<Enquiry> {
        let _one_at_a_time = lock(&self.others);
        let snapshot = self.snapshot()?;
        enquiry.id = next_number(&*snapshot, Table::Audit)?;
        let mut batch = Batch::default();
        batch.put(Table::Enquiries, key(enquiry.id), code::json(&enquiry)?);
        batch.put(Table::Enquiries, [of(&enquiry.payee), key(enquiry.id)].concat(), "");
        let detail = serde_json::json!({"enquiry": enquiry.id, "payee": enquiry.payee});
        let who = enquiry.who.as_str();
        self.append_audit(&*snapshot, &mut batch, enquiry.at_ms, who, "enquired", detail)?;
        self.store.commit(&batch)?;
        Ok(enquiry)
    }

    /// Answers an enquiry; one that was answered before is given as it stands. None when there is
    /// none of that number.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn answer(&self, id: u64, state: State, answer: Answer) -> Result<Option<Enquiry>> {
        let _one_at_a_time = lock(&self.others);
        let snapshot = self.snapshot()?;
        let Some(row) = snapshot.get(Table::Enquiries, &key(id))? else { return Ok(None) };
        let mut enquiry: Enquiry = code::from_json(&row)?;
        if enquiry.state != State::Open {
            return Ok(Some(enquiry));
        }
        enquiry.state = state;
        let mut batch = Batch::default();
        let detail = serde_json::json!({"enquiry": id, "state": state});
        self.append_audit(&*snapshot, &mut batch, answer.at_ms, &answer.who, "answered", detail)?;
        enquiry.answer = Some(answer);
        batch.put(Table::Enquiries, key(id), code::json(&enquiry)?);
        self.store.commit(&batch)?;
        Ok(Some(enquiry))
    }

    /// One enquiry.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn enquiry(&self, id: u64) -> Result<Option<Enquiry>> {
        let row = self.snapshot()?.get(Table::Enquiries, &key(id))?;
        row.map(|row| code::from_json(&row)).transpose()
    }

    /// Enquiries of a payee, or of all, in a state, or in any, from the one numbered `from` on.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn enquiries(
        &self,
        payee: Option<&str>,
        state: Option<State>,
        from: u64,
        limit: usize,
    ) -> Result<Page> {
        let snapshot = self.snapshot()?;
        let prefix = payee.map_or_else(|| code::parts(&[BY_NUMBER]), of);
        let start = payee.map_or_else(|| key(from), |payee| [of(payee), key(from)].concat());
        let (mut page, mut from) = (Page::default(), start);
        loop {
            let rows = snapshot.scan(Table::Enquiries, &prefix, &from, ROWS_A_TIME)?;
            let last = rows.len() < ROWS_A_TIME;
            for (place, row) in rows {
                let id = code::number(&place);
                let row = match payee {
                    None => Some(row),
                    Some(_) => snapshot.get(Table::Enquiries, &key(id))?,
                };
                from = [place.as_slice(), &[0]].concat();
                let Some(row) = row else { continue };
                let enquiry: Enquiry = code::from_json(&row)?;
                if state.is_some_and(|state| state != enquiry.state) {
                    continue;
                }
                if page.rows.len() >= limit {
                    page.next = Some(id);
                    return Ok(page);
                }
                page.rows.push(enquiry);
            }
            if last {
                return Ok(page);
            }
        }
    }
}
