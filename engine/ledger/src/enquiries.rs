//! Enquiries: what payees ask about their statements, and what they were answered.
//!
//! Not the explanation that an enquiry links to (`explain`). Called by the host. Source: DOMAIN 2.16,
//! enquiries.
//!
//! **Architecture invariant:** an enquiry is answered once; what was asked and answered stays.

use serde::{Deserialize, Serialize};

use super::{Ledger, Result, code, lock, next_number};
use accredit_seams::store::{Batch, Table};

/// A question of a payee.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enquiry {
    /// Its number, from 1; 0 until it is kept.
    pub id: u64,
    /// Id of the participant who asks.
    pub payee: String,
    /// What is asked: `missing` or `incorrect`.
    pub kind: String,
    /// Natural key of the transaction that it is about, if one is named.
    pub transaction: Option<String>,
    /// The credit that it is about, if one is named.
    pub credit: Option<String>,
    /// The amount of the credit when it was asked about.
    #[serde(default)]
    pub actual: Option<String>,
    /// The amount that the payee expected, if said.
    #[serde(default)]
    pub expected: Option<String>,
    /// The question as it was written.
    pub text: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// `open`, `resolved` or `rejected`.
    pub state: String,
    /// The answer, once there is one.
    pub answer: Option<Answer>,
}

/// The answer to an enquiry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Who answered: a token's name.
    pub who: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// The answer as it was written.
    pub text: String,
}

/// Nobody has answered yet.
pub const OPEN: &str = "open";

impl Ledger {
    /// Keeps a question; gives it with its number.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn enquire(&self, mut enquiry: Enquiry, who: &str) -> Result<Enquiry> {
        let _one_at_a_time = lock(&self.others);
        let snapshot = self.snapshot()?;
        let mut batch = Batch::default();

        enquiry.id = next_number(&*snapshot, Table::Enquiries)?;
        OPEN.clone_into(&mut enquiry.state);
        batch.put(Table::Enquiries, code::key(enquiry.id), code::json(&enquiry)?);

        let detail = serde_json::json!({
            "enquiry": enquiry.id, "payee": enquiry.payee, "kind": enquiry.kind,
        });
        self.append_audit(&*snapshot, &mut batch, enquiry.at_ms, who, "enquired", detail)?;

        self.commit(&batch)?;
        Ok(enquiry)
    }

    /// Answers a question, and gives it as it is then: as it was, when it had been answered before.
    /// None when there is no such question.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn answer(&self, id: u64, state: &str, answer: Answer) -> Result<Option<Enquiry>> {
        let _one_at_a_time = lock(&self.others);
        let snapshot = self.snapshot()?;

        let row = snapshot.get(Table::Enquiries, &code::key(id))?;
        let Some(row) = row else { return Ok(None) };
        let mut enquiry: Enquiry = code::from_json(&row)?;

        if enquiry.state != OPEN {
            return Ok(Some(enquiry));
        }

        let mut batch = Batch::default();
        state.clone_into(&mut enquiry.state);
        let (who, at_ms) = (answer.who.clone(), answer.at_ms);
        enquiry.answer = Some(answer);
        batch.put(Table::Enquiries, code::key(id), code::json(&enquiry)?);

        let detail = serde_json::json!({"enquiry": id, "state": state});
        self.append_audit(&*snapshot, &mut batch, at_ms, &who, "answered", detail)?;

        self.commit(&batch)?;
        Ok(Some(enquiry))
    }

    /// Every question, oldest first.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn enquiries(&self) -> Result<Vec<Enquiry>> {
        let rows = self.snapshot()?.scan(Table::Enquiries, b"", b"", usize::MAX)?;
        rows.iter().map(|(_, row)| code::from_json(row)).collect()
    }
}
