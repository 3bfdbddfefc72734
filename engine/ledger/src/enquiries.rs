//! Enquiries: what payees ask about their statements, and what they were answered.
//!
//! Not the explanation that an enquiry links to (`explain`). Called by the host. Source: DOMAIN 2.16,
//! enquiries.
//!
//! **Architecture invariant:** what was asked, said and answered stays; after an answer the payee
//! may write again, and a closed enquiry takes nothing more.

use serde::{Deserialize, Serialize};

use super::scope::ReadScope;
use super::{Ledger, LedgerResult, codec, lock_mutex, next_number};
use accredit_seams::store::{StoreTable, WriteBatch};
use utoipa::ToSchema;

/// A question of a payee.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enquiry {
    /// Its number, from 1; 0 until it is kept.
    pub id: u64,
    /// Id of the participant whom it concerns.
    pub payee: String,
    /// Who wrote it: the payee, or a user for the payee. Enquiries of earlier versions of the program
    /// have it in the audit trail alone.
    #[serde(default)]
    pub asked_by: Option<String>,
    /// What is asked: `missing` or `incorrect`.
    pub kind: String,
    /// Natural key of the transaction that it is about, if one is named.
    pub transaction: Option<String>,
    /// The credit that it is about, if one is named.
    pub credit: Option<String>,
    /// The amount of the credit when it was asked about.
    #[serde(default)]
    pub actual: Option<String>,
    /// The amount that the payee expected, if given.
    #[serde(default)]
    pub expected: Option<String>,
    /// The question as it was written.
    pub text: String,
    /// The time in milliseconds since 1970.
    pub at_ms: i64,
    /// `open`, `in_progress`, `resolved`, `rejected` or `closed`.
    pub state: String,
    /// The last answer, once there is one.
    pub answer: Option<EnquiryAnswer>,
    /// Who takes care of it.
    #[serde(default)]
    pub assignee: Option<String>,
    /// What was said since it was asked, oldest first.
    #[serde(default)]
    pub messages: Vec<EnquiryMessage>,
}

/// Something that was said about an enquiry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnquiryMessage {
    /// The author of the message: the payee or a user.
    pub who: String,
    /// The time in milliseconds since 1970.
    pub at_ms: i64,
    /// The text of the message.
    pub text: String,
    /// Whether it was said on the payee's side.
    pub by_payee: bool,
}

/// What happens to an enquiry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnquiryStep {
    /// Assigns the enquiry to a user, or to no one.
    Assign(Option<String>),
    /// A message is added.
    Say {
        /// The text of the message.
        text: String,
        /// Whether the payee wrote it.
        by_payee: bool,
    },
    /// The enquiry is closed.
    Close,
}

impl EnquiryStep {
    /// What the audit trail calls it.
    fn audit_word(&self) -> &'static str {
        match self {
            EnquiryStep::Assign(_) => "enquiry_assigned",
            EnquiryStep::Say { .. } => "enquiry_message",
            EnquiryStep::Close => "enquiry_closed",
        }
    }

    /// Applies the step to `enquiry`.
    fn apply_to(self, enquiry: &mut Enquiry, who: &str, at_ms: i64) {
        match self {
            EnquiryStep::Assign(to) => {
                if to.is_some() && enquiry.state == ENQUIRY_OPEN {
                    ENQUIRY_IN_PROGRESS.clone_into(&mut enquiry.state);
                }
                enquiry.assignee = to;
            }
            EnquiryStep::Say { text, by_payee } => {
                // A payee who writes after the answer is not content with it.
                if enquiry.state != ENQUIRY_OPEN || !by_payee {
                    ENQUIRY_IN_PROGRESS.clone_into(&mut enquiry.state);
                }
                enquiry.messages.push(EnquiryMessage {
                    who: who.to_owned(),
                    at_ms,
                    text,
                    by_payee,
                });
            }
            EnquiryStep::Close => ENQUIRY_CLOSED.clone_into(&mut enquiry.state),
        }
    }
}

/// The answer to an enquiry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnquiryAnswer {
    /// Who answered: a token's name.
    pub who: String,
    /// The time in milliseconds since 1970.
    pub at_ms: i64,
    /// The answer as it was written.
    pub text: String,
}

/// It has no answer yet.
pub const ENQUIRY_OPEN: &str = "open";

/// The state of an enquiry that is assigned to a user.
pub const ENQUIRY_IN_PROGRESS: &str = "in_progress";

/// The state of an enquiry that accepts no more messages.
pub const ENQUIRY_CLOSED: &str = "closed";

/// The maximum number of messages in an enquiry.
pub const MESSAGES_MAX: usize = 1000;

impl Ledger {
    /// Keeps a question; gives it with its number.
    pub fn store_enquiry(&self, mut enquiry: Enquiry, who: &str) -> LedgerResult<Enquiry> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let mut batch = WriteBatch::default();

        enquiry.id = next_number(&*snapshot, StoreTable::Enquiries)?;
        ENQUIRY_OPEN.clone_into(&mut enquiry.state);
        batch.put_row(
            StoreTable::Enquiries,
            codec::number_key(enquiry.id),
            codec::to_json(&enquiry)?,
        );

        let detail = serde_json::json!({
            "enquiry": enquiry.id, "payee": enquiry.payee, "kind": enquiry.kind,
        });
        self.append_audit(&*snapshot, &mut batch, enquiry.at_ms, who, "enquired", detail)?;

        self.commit_changes(&batch)?;
        Ok(enquiry)
    }

    /// Answers a question, and gives it as it is then: as it was, when it had been answered before.
    /// None if the question does not exist.
    pub fn answer_enquiry(
        &self,
        id: u64,
        state: &str,
        answer: EnquiryAnswer,
    ) -> LedgerResult<Option<Enquiry>> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;

        let row = snapshot.get(StoreTable::Enquiries, &codec::number_key(id))?;
        let Some(row) = row else { return Ok(None) };
        let mut enquiry: Enquiry = codec::from_json(&row)?;

        if enquiry.state != ENQUIRY_OPEN && enquiry.state != ENQUIRY_IN_PROGRESS {
            return Ok(Some(enquiry));
        }

        let mut batch = WriteBatch::default();
        state.clone_into(&mut enquiry.state);
        let said = EnquiryMessage {
            who: answer.who.clone(),
            at_ms: answer.at_ms,
            text: answer.text.clone(),
            by_payee: false,
        };
        enquiry.messages.push(said);
        let (who, at_ms) = (answer.who.clone(), answer.at_ms);
        enquiry.answer = Some(answer);
        batch.put_row(StoreTable::Enquiries, codec::number_key(id), codec::to_json(&enquiry)?);

        let detail = serde_json::json!({"enquiry": id, "state": state});
        self.append_audit(&*snapshot, &mut batch, at_ms, &who, "answered", detail)?;

        self.commit_changes(&batch)?;
        Ok(Some(enquiry))
    }

    /// Takes a step; gives the enquiry as it is then. None if the enquiry does not exist or is not in
    /// the scope; it stays as it is when it is closed, or has
    /// [`MESSAGES_MAX`] messages and another one is sent.
    pub fn step_enquiry(
        &self,
        id: u64,
        scope: &ReadScope,
        step: EnquiryStep,
        (who, at_ms): (&str, i64),
    ) -> LedgerResult<Option<Enquiry>> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let row = snapshot.get(StoreTable::Enquiries, &codec::number_key(id))?;
        let enquiry: Option<Enquiry> = row.map(|row| codec::from_json(&row)).transpose()?;
        let enquiry = enquiry.filter(|one| scope.admits(Some(&one.payee)));
        let Some(mut enquiry) = enquiry else { return Ok(None) };
        let full =
            matches!(step, EnquiryStep::Say { .. }) && enquiry.messages.len() >= MESSAGES_MAX;
        if enquiry.state == ENQUIRY_CLOSED || full {
            return Ok(Some(enquiry));
        }

        let mut batch = WriteBatch::default();
        let what = step.audit_word();
        step.apply_to(&mut enquiry, who, at_ms);
        batch.put_row(StoreTable::Enquiries, codec::number_key(id), codec::to_json(&enquiry)?);
        let detail = serde_json::json!({
            "enquiry": id, "state": enquiry.state, "assignee": enquiry.assignee,
        });
        self.append_audit(&*snapshot, &mut batch, at_ms, who, what, detail)?;
        self.commit_changes(&batch)?;
        Ok(Some(enquiry))
    }

    /// An enquiry; none if it does not exist or is not in the scope.
    pub fn find_enquiry(&self, id: u64, scope: &ReadScope) -> LedgerResult<Option<Enquiry>> {
        let row = self.snapshot()?.get(StoreTable::Enquiries, &codec::number_key(id))?;
        let enquiry: Option<Enquiry> = row.map(|row| codec::from_json(&row)).transpose()?;
        Ok(enquiry.filter(|one| scope.admits(Some(&one.payee))))
    }

    /// Every question of the scope, oldest first.
    pub fn list_enquiries(&self, scope: &ReadScope) -> LedgerResult<Vec<Enquiry>> {
        let rows = self.snapshot()?.scan_prefix(StoreTable::Enquiries, b"", b"", usize::MAX)?;
        let enquiries = rows.iter().map(|(_, row)| codec::from_json(row));
        let mut enquiries = enquiries.collect::<LedgerResult<Vec<Enquiry>>>()?;
        enquiries.retain(|one| scope.admits(Some(&one.payee)));
        Ok(enquiries)
    }
}
