//! Enquiries of payees: asked about what is published, discussed, answered once and closed.
//!
//! Not the keeping (the ledger). Called by the host. Source: DOMAIN 2.16.
//!
//! **Architecture invariant:** a payee asks only about credits that a statement of theirs shows, a closed
//! enquiry takes nothing more, and an enquiry outside of the caller's scope is answered like none.

use accredit_domain::transaction::parse_number;
use accredit_ledger::enquiries::{
    ENQUIRY_CLOSED, Enquiry, EnquiryAnswer, EnquiryStep, MESSAGES_MAX,
};

use accredit_ledger::scope::ReadScope;

use crate::context::Context;
use crate::error::OperationError;
use crate::principal::PayeeScope;
use crate::published;

/// Characters of an enquiry, and of a message.
const TEXT_MAX: usize = 4000;

/// What a payee asks.
#[derive(Debug, Clone, Default)]
pub struct EnquiryOrder {
    /// `missing` or `incorrect`.
    pub kind: String,
    /// Natural key of the transaction that it is about.
    pub transaction: Option<String>,
    /// The id of the credit that it is about.
    pub credit: Option<String>,
    /// The amount that the payee expected, as text.
    pub expected: Option<String>,
    /// The question.
    pub text: String,
}

/// Keeps a question of a payee, who asks or for whom `who` asks.
///
/// # Errors
/// [`OperationError::Invalid`] for an unknown kind, an amount that is none, a text that is empty or
/// too long, or a credit of another transaction; [`OperationError::NotFound`] for a credit that no
/// statement of the payee shows.
pub fn open_enquiry(
    context: &Context,
    scope: &PayeeScope,
    order: EnquiryOrder,
    who: &str,
) -> Result<Enquiry, OperationError> {
    if !matches!(order.kind.as_str(), "missing" | "incorrect") {
        let detail = format!("`{}` is neither `missing` nor `incorrect`", order.kind);
        return Err(OperationError::invalid("unknown_kind", detail));
    }

    let text = sound_text(&order.text)?;
    if order.expected.as_deref().is_some_and(|amount| parse_number(amount).is_none()) {
        return Err(OperationError::invalid("bad_amount", "`expected` is not an amount"));
    }

    let (mut transaction, mut actual) = (order.transaction, None);

    // A payee may only ask about what a statement shows.
    if let Some(id) = &order.credit {
        let published = published::published_statements(context, scope, None)?;
        let mut rows = published.iter().flat_map(|one| one.credits.iter().chain(&one.team_credits));
        let row = rows.find(|row| row.id.to_string() == *id);
        let row = row.ok_or_else(|| OperationError::not_found("credit"))?;

        if transaction.as_ref().is_some_and(|known| *known != row.transaction) {
            let detail = "the credit is of another transaction";
            return Err(OperationError::invalid("other_transaction", detail));
        }
        transaction = Some(row.transaction.to_string());
        actual = Some(row.amount.to_string());
    }

    let enquiry = Enquiry {
        payee: scope.payee().to_owned(),
        asked_by: Some(who.to_owned()),
        kind: order.kind,
        transaction,
        credit: order.credit,
        actual,
        expected: order.expected,
        text,
        at_ms: context.now_ms(),
        ..Enquiry::default()
    };
    Ok(context.ledger.store_enquiry(enquiry, who)?)
}

/// A text of an enquiry without blanks around it.
fn sound_text(text: &str) -> Result<String, OperationError> {
    let length = text.trim().chars().count();
    if !(1..=TEXT_MAX).contains(&length) {
        let detail = format!("`text` must have 1 to {TEXT_MAX} characters");
        return Err(OperationError::invalid("bad_text", detail));
    }
    Ok(text.trim().to_owned())
}

/// What a list of enquiries is narrowed to; every part that is given must fit.
#[derive(Debug, Clone)]
pub struct EnquiryFilter {
    /// Whose enquiries may be in the list at all.
    pub scope: ReadScope,
    /// The state.
    pub state: Option<String>,
    /// Id of the participant who asks.
    pub payee: Option<String>,
    /// Who takes care of it.
    pub assignee: Option<String>,
}

impl EnquiryFilter {
    /// Every enquiry of a scope.
    pub fn within(scope: ReadScope) -> EnquiryFilter {
        EnquiryFilter { scope, state: None, payee: None, assignee: None }
    }
}

/// The enquiries that the filter selects, oldest first.
///
/// # Errors
/// When the data cannot be read.
pub fn list_enquiries(
    context: &Context,
    filter: &EnquiryFilter,
) -> Result<Vec<Enquiry>, OperationError> {
    let fits = |wanted: &Option<String>, found: &str| {
        wanted.as_deref().is_none_or(|wanted| wanted == found)
    };

    let mut found = context.ledger.list_enquiries(&filter.scope)?;
    found.retain(|one| fits(&filter.state, &one.state) && fits(&filter.payee, &one.payee));
    found.retain(|one| fits(&filter.assignee, one.assignee.as_deref().unwrap_or_default()));
    Ok(found)
}

/// Answers an enquiry with `resolved` or `rejected`; once: the same again is the first answer.
///
/// # Errors
/// [`OperationError::Invalid`] for another state, [`OperationError::NotFound`] when there is no such
/// enquiry, [`OperationError::Conflict`] when another answer was given before.
pub fn answer_enquiry(
    context: &Context,
    id: u64,
    state: &str,
    (who, text): (String, String),
) -> Result<Enquiry, OperationError> {
    if !matches!(state, "resolved" | "rejected") {
        let detail = format!("`{state}` is neither `resolved` nor `rejected`");
        return Err(OperationError::invalid("unknown_state", detail));
    }

    let given = EnquiryAnswer { who, at_ms: context.now_ms(), text };
    let answered = context.ledger.answer_enquiry(id, state, given.clone())?;
    let answered = answered.ok_or_else(|| OperationError::not_found("enquiry"))?;

    // Answering twice alike is no conflict: the client may not have seen the first reply.
    let first = answered.answer.as_ref().map(|answer| answer.text.as_str());
    if answered.state != state || first != Some(given.text.as_str()) {
        let detail = format!("it was {} before", answered.state);
        return Err(OperationError::conflict("already_answered", detail));
    }
    Ok(answered)
}

/// Takes a step: assigns the enquiry, adds a message, or closes it.
///
/// # Errors
/// [`OperationError::Invalid`] for a message that is empty or too long, [`OperationError::NotFound`]
/// when there is no such enquiry in the scope, [`OperationError::Conflict`] when it is closed or has as many
/// messages as one may have.
pub fn take_step(
    context: &Context,
    id: u64,
    scope: &ReadScope,
    step: EnquiryStep,
    who: &str,
) -> Result<Enquiry, OperationError> {
    let step = match step {
        EnquiryStep::Say { text, by_payee } => {
            EnquiryStep::Say { text: sound_text(&text)?, by_payee }
        }
        step => step,
    };

    let before = context.ledger.find_enquiry(id, scope)?;
    let closed = before.as_ref().is_some_and(|one| one.state == ENQUIRY_CLOSED);
    let full = before.as_ref().is_some_and(|one| one.messages.len() >= MESSAGES_MAX);
    let (closes, says) = (step == EnquiryStep::Close, matches!(step, EnquiryStep::Say { .. }));

    let found = context.ledger.step_enquiry(id, scope, step, (who, context.now_ms()))?;
    let found = found.ok_or_else(|| OperationError::not_found("enquiry"))?;

    if closed && !closes {
        let detail = format!("enquiry {id} is closed");
        return Err(OperationError::conflict("enquiry_closed", detail));
    }

    if full && says {
        let detail = format!("it has {MESSAGES_MAX} messages (MESSAGES_MAX); open a new enquiry");
        return Err(OperationError::conflict("enquiry_closed", detail));
    }

    Ok(found)
}
