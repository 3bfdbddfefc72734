//! Alerts with the people who take care of them: given to a person, and listed by person.
//!
//! Not the rows of assignments (the ledger). Called by the host.
//!
//! **Architecture invariant:** an alert can be assigned while it is open, and only then; that of an enquiry
//! is assigned with the enquiry.

use std::collections::BTreeMap;

use accredit_ledger::enquiries::EnquiryStep;
use accredit_ledger::scope::ReadScope;

use super::id::AlertId;
use super::{NoteFilter, OpenAlert, is_raised_within, other_alerts, waits_for_a_person};
use crate::context::Context;
use crate::enquiries;
use crate::error::OperationError;

/// An open alert with the person who takes care of it.
#[derive(Debug)]
pub struct AssignedAlert {
    /// What it is named by.
    pub id: AlertId,
    /// The alert itself.
    pub alert: OpenAlert,
    /// Who takes care of it.
    pub assignee: Option<String>,
}

/// Who takes care of which alert, read once for many alerts.
#[derive(Debug, Default)]
pub struct AlertAssignees(BTreeMap<String, String>);

impl AlertAssignees {
    /// Everybody who takes care of an alert.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn read(context: &Context) -> Result<AlertAssignees, OperationError> {
        Ok(AlertAssignees(context.ledger.alert_assignees()?))
    }

    /// An alert with the person who takes care of it.
    pub fn with_assignee(&self, alert: OpenAlert) -> AssignedAlert {
        let id = AlertId::of(&alert);
        let assignee = match &alert {
            OpenAlert::Enquiry(enquiry) => enquiry.assignee.clone(),
            _ => self.0.get(&id.to_string()).cloned(),
        };
        AssignedAlert { id, alert, assignee }
    }

    /// The alerts of a person, those of enquiries aside.
    fn ids_of(&self, person: &str) -> Vec<AlertId> {
        let of_person = self.0.iter().filter(|(_, to)| *to == person);
        of_person.filter_map(|(id, _)| id.parse().ok()).collect()
    }
}

/// The alert with this id, if it is open; what was computed is computed again.
fn find_alert(context: &Context, id: AlertId) -> Result<Option<OpenAlert>, OperationError> {
    let ledger = &context.ledger;
    let found = match id {
        AlertId::Deal(deal, _) => {
            let notes = ledger.deal_alerts(deal)?.into_iter();
            notes.map(OpenAlert::Note).find(|alert| AlertId::of(alert) == id)
        }
        AlertId::Computed(_) => {
            let others = other_alerts(context, &NoteFilter::default())?;
            others.into_iter().find(|alert| AlertId::of(alert) == id)
        }
        AlertId::Raised(number) => {
            let raised = ledger.find_raised_alert(number)?;
            raised.map(|alert| OpenAlert::Raised(number, alert))
        }
        AlertId::Enquiry(number) => {
            let enquiry = ledger.find_enquiry(number, &ReadScope::All)?;
            enquiry.filter(waits_for_a_person).map(OpenAlert::Enquiry)
        }
        AlertId::DeadLetter(sequence) => {
            let letters = ledger.dead_letters(sequence.saturating_sub(1), 1)?.into_iter();
            letters.map(OpenAlert::DeadLetter).find(|alert| AlertId::of(alert) == id)
        }
    };
    Ok(found)
}

/// Gives an open alert to a person, or with none back to everybody.
///
/// # Errors
/// [`OperationError::NotFound`] when no alert with this id is open.
pub fn assign_alert(
    context: &Context,
    id: AlertId,
    to: Option<String>,
    who: &str,
) -> Result<AssignedAlert, OperationError> {
    let found = find_alert(context, id)?;
    let alert = found.ok_or_else(|| OperationError::not_found("open alert"))?;

    if let AlertId::Enquiry(number) = id {
        let step = EnquiryStep::Assign(to);
        let enquiry = enquiries::take_step(context, number, &ReadScope::All, step, who)?;
        let assignee = enquiry.assignee.clone();
        return Ok(AssignedAlert { id, alert: OpenAlert::Enquiry(enquiry), assignee });
    }

    context.ledger.assign_alert(&id.to_string(), to.as_deref(), (who, context.now_ms()))?;
    Ok(AssignedAlert { id, alert, assignee: to })
}

/// The open alerts of a person, in the order of their ids: found by their ids, so that a person with two
/// alerts waits for no page without any.
///
/// # Errors
/// When the data cannot be read, or a reward cannot be computed for want of it.
pub fn alerts_of_person(
    context: &Context,
    person: &str,
    filter: &NoteFilter,
) -> Result<Vec<AssignedAlert>, OperationError> {
    let assignees = AlertAssignees::read(context)?;
    let mut found = Vec::new();

    let ids = assignees.ids_of(person);
    for id in &ids {
        if !matches!(id, AlertId::Computed(_)) {
            found.extend(find_alert(context, *id)?.filter(|alert| is_within(alert, filter)));
        }
    }

    // Those that are computed are computed once, and enquiries are listed with them.
    let others = other_alerts(context, filter)?.into_iter().filter(|alert| match alert {
        OpenAlert::Note(_) => ids.contains(&AlertId::of(alert)),
        OpenAlert::Enquiry(enquiry) => enquiry.assignee.as_deref() == Some(person),
        OpenAlert::Raised(..) | OpenAlert::DeadLetter(_) => false,
    });
    found.extend(others);

    let found = found.into_iter().filter(|alert| alert.is_selected(filter));
    let mut found: Vec<AssignedAlert> = found.map(|one| assignees.with_assignee(one)).collect();
    found.sort_by_key(|one| one.id);
    Ok(found)
}

/// Whether an alert is of the plan and the period that are asked for.
fn is_within(alert: &OpenAlert, filter: &NoteFilter) -> bool {
    match alert {
        OpenAlert::Note(row) => {
            let of_plan = filter.plan.as_deref().is_none_or(|plan| plan == row.note.plan);
            let period = row.period.as_ref();
            let in_period = filter
                .period
                .as_ref()
                .is_none_or(|(_, leaves)| period.is_some_and(|period| leaves.contains(period)));
            of_plan && in_period
        }
        OpenAlert::Raised(_, raised) => is_raised_within(raised, filter),
        // They belong to no plan and no period.
        OpenAlert::DeadLetter(_) | OpenAlert::Enquiry(_) => {
            filter.plan.is_none() && filter.period.is_none()
        }
    }
}
