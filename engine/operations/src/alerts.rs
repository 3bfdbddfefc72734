//! Alerts and warnings that are open: of decisions page by page, and after them those of rewards,
//! adjustments, acts and enquiries.
//!
//! Not the pages of dead letters (the ledger). Called by the host. Source: DOMAIN 2.16.

pub mod assigned;
pub mod id;

use std::collections::BTreeSet;

use accredit_domain::keys::PeriodKey;
use accredit_ledger::alerts::RaisedAlert;
use accredit_ledger::enquiries::{ENQUIRY_IN_PROGRESS, ENQUIRY_OPEN, Enquiry};
use accredit_ledger::inbox::DeadLetter;
use accredit_ledger::notes::NoteRow;
use accredit_ledger::scope::ReadScope;

use crate::calculations;
use crate::context::Context;
use crate::error::OperationError;
use crate::rewards;

/// What alerts and warnings are narrowed to; every part that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct NoteFilter {
    /// Id of the plan.
    pub plan: Option<String>,
    /// Id of a period, and its leaf periods.
    pub period: Option<(String, Vec<PeriodKey>)>,
    /// The code.
    pub code: Option<String>,
    /// Natural key of the transaction.
    pub transaction: Option<String>,
}

impl NoteFilter {
    /// Whether something with this code and transaction is selected.
    pub fn selects(&self, code: &str, transaction: Option<&str>) -> bool {
        is_same(self.code.as_deref(), Some(code))
            && is_same(self.transaction.as_deref(), transaction)
    }

    fn leaves(&self) -> Option<BTreeSet<PeriodKey>> {
        let leaves = self.period.as_ref().map(|(_, leaves)| leaves.iter());
        leaves.map(|leaves| leaves.map(PeriodKey::from).collect())
    }
}

fn is_same(wanted: Option<&str>, found: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| found == Some(wanted))
}

/// An alert that is open.
#[derive(Debug)]
pub enum OpenAlert {
    /// Of a decision, a reward or an adjustment.
    Note(NoteRow),
    /// Of an act or of the server, with its number.
    Raised(u64, RaisedAlert),
    /// Of a delivery that cannot be read.
    DeadLetter(DeadLetter),
    /// Of an enquiry that waits for a person.
    Enquiry(Enquiry),
}

impl OpenAlert {
    fn is_selected(&self, filter: &NoteFilter) -> bool {
        match self {
            OpenAlert::Note(row) => {
                let transaction = Some(row.note.transaction.as_str()).filter(|key| !key.is_empty());
                filter.selects(row.note.code.as_str(), transaction)
            }
            OpenAlert::Raised(_, alert) => {
                filter.selects(&alert.code, alert.transaction.as_deref())
            }
            OpenAlert::DeadLetter(letter) => filter.selects(dead_letter_code(letter), None),
            OpenAlert::Enquiry(enquiry) => {
                filter.selects(ENQUIRY_CODE, enquiry.transaction.as_deref())
            }
        }
    }
}

/// The code of the alert of an enquiry.
pub const ENQUIRY_CODE: &str = "enquiry";

/// The code of the alert of a dead letter.
pub fn dead_letter_code(letter: &DeadLetter) -> &'static str {
    if letter.is_conflict() { "conflict" } else { "dead_letter" }
}

/// The alerts that follow those of decisions, without dead letters.
///
/// # Errors
/// When the data cannot be read, or a reward cannot be computed for want of it.
pub fn other_alerts(
    context: &Context,
    filter: &NoteFilter,
) -> Result<Vec<OpenAlert>, OperationError> {
    let (plan, leaves) = (filter.plan.as_deref(), filter.leaves());
    let lost = calculations::lost_adjustments(context, plan, leaves.as_ref())?;
    let rewards = rewards::reward_alerts(context, plan, leaves.as_ref())?;

    let mut alerts: Vec<OpenAlert> = rewards.into_iter().map(OpenAlert::Note).collect();
    let period = filter.period.as_ref().map(|(id, _)| PeriodKey::from(id.as_str()));
    let lost = lost.into_iter().map(|note| NoteRow { note, period, deal: None });
    alerts.extend(lost.map(OpenAlert::Note));

    let raised = context.ledger.raised_alerts()?.into_iter();
    let raised = raised.filter(|(_, alert)| is_raised_within(alert, filter));
    alerts.extend(raised.map(|(number, alert)| OpenAlert::Raised(number, alert)));

    // An enquiry belongs to no plan and no period, so it shows only when none is asked for.
    if filter.plan.is_none() && filter.period.is_none() {
        let enquiries = context.ledger.list_enquiries(&ReadScope::All)?.into_iter();
        alerts.extend(enquiries.filter(waits_for_a_person).map(OpenAlert::Enquiry));
    }

    alerts.retain(|alert| alert.is_selected(filter));
    Ok(alerts)
}

/// Whether an alert is of the plan and the period that are asked for.
fn is_raised_within(alert: &RaisedAlert, filter: &NoteFilter) -> bool {
    let plan = alert.plan.as_deref().unwrap_or_default();
    let period = alert.period.as_deref().unwrap_or_default();
    let in_period = filter.period.as_ref().is_none_or(|(id, leaves)| {
        id.as_str() == period || leaves.iter().any(|leaf| leaf.as_str() == period)
    });
    is_same(filter.plan.as_deref(), Some(plan)) && in_period
}

fn waits_for_a_person(enquiry: &Enquiry) -> bool {
    enquiry.state == ENQUIRY_OPEN || enquiry.state == ENQUIRY_IN_PROGRESS
}

/// The warnings of rewards that cannot be computed: they are of no transaction, and follow the last
/// page of the log.
///
/// # Errors
/// When the data cannot be read.
pub fn reward_notes(
    context: &Context,
    filter: &NoteFilter,
) -> Result<Vec<NoteRow>, OperationError> {
    let leaves = filter.leaves();
    let mut found = rewards::reward_alerts(context, filter.plan.as_deref(), leaves.as_ref())?;
    found.retain(|row| filter.selects(row.note.code.as_str(), Some(&row.note.transaction)));
    Ok(found)
}
