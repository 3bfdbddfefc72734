//! Alerts: what decisions, rewards, releases, adjustments and enquiries raise, in pages; and who takes care
//! of them.
//!
//! Not the log (`notes`) and not which alerts are open (`operations::alerts`). Source: DOMAIN 2.16.

use std::sync::Arc;

use accredit_ledger::alerts::RaisedAlert;
use accredit_ledger::enquiries::Enquiry;
use accredit_ledger::inbox::DeadLetter;
use accredit_ledger::notes::NoteRow;
use accredit_operations::alerts::assigned::{self, AlertAssignees, AssignedAlert};
use accredit_operations::alerts::id::AlertId;
use accredit_operations::alerts::{self, ENQUIRY_CODE, NoteFilter, OpenAlert};
use accredit_operations::principal::Principal;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::results::notes::{self, NoteListParams};
use crate::http::results::{credits, enquiries};
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::state::Service;

/// What the cursor of a page of dead letters begins with; the place in the inbox follows.
const DEAD_PREFIX: &str = "dead-";

/// What the list can be narrowed by.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertListParams {
    /// Id of a plan.
    plan: Option<String>,
    /// Id of a period of the calendar.
    period: Option<String>,
    /// The code of the alert, such as `unmatched`.
    code: Option<String>,
    /// Natural key of a transaction.
    transaction: Option<String>,
    /// The person who takes care of it; blank for alerts of which nobody takes care.
    assignee: Option<String>,
    /// Rows of the page, 1 to 1000; 100 by default.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// An alert. Every one has `id`, `assignee`, `transaction`, `stage`, `code` and `message`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum AlertView {
    /// Of a decision, a reward or an adjustment.
    Note(Box<NoteAlertView>),
    /// Of an act or of the server.
    Raised(Box<ActAlertView>),
    /// Of a delivery that cannot be read.
    DeadLetter(DeadLetterAlertView),
    /// Of an enquiry that waits for a person.
    Enquiry(EnquiryAlertView),
}

/// The alert of a decision, a reward or an adjustment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NoteAlertView {
    /// The id of the alert; an alert with another message is another one.
    id: String,
    /// Who takes care of it.
    assignee: Option<String>,
    #[serde(flatten)]
    row: NoteRow,
}

/// The alert of an act or of the server.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActAlertView {
    /// The id of the alert.
    id: String,
    /// Who takes care of it.
    assignee: Option<String>,
    #[serde(flatten)]
    alert: RaisedAlert,
}

/// The alert of a delivery that cannot be read, or that contradicts an earlier one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetterAlertView {
    /// The id of the alert.
    id: String,
    /// Who takes care of it.
    assignee: Option<String>,
    /// Always null: what cannot be read has no natural key.
    transaction: Option<String>,
    /// Always `intake`.
    stage: &'static str,
    /// `conflict` or `dead_letter`.
    code: &'static str,
    /// What is wrong with the delivery, in one sentence.
    message: String,
    /// Name of the source.
    source: String,
    /// The sender's id of the delivery.
    delivery: String,
    /// Its place in the inbox.
    sequence: u64,
}

/// The alert of an enquiry.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EnquiryAlertView {
    /// The id of the alert.
    id: String,
    /// Who takes care of the enquiry.
    assignee: Option<String>,
    /// Natural key of the transaction that it is about.
    transaction: Option<String>,
    /// Always `release`.
    stage: &'static str,
    /// Always `enquiry`.
    code: &'static str,
    /// Id of the participant who asks.
    payee: String,
    /// The payee, the kind and the text.
    message: String,
}

impl AlertView {
    /// The view of an alert.
    fn new(one: AssignedAlert) -> AlertView {
        let (id, assignee) = (one.id.to_string(), one.assignee);
        match one.alert {
            OpenAlert::Note(row) => AlertView::Note(Box::new(NoteAlertView { id, assignee, row })),
            OpenAlert::Raised(_, alert) => {
                AlertView::Raised(Box::new(ActAlertView { id, assignee, alert }))
            }
            OpenAlert::DeadLetter(letter) => {
                AlertView::DeadLetter(dead_letter_alert((id, assignee), letter))
            }
            OpenAlert::Enquiry(enquiry) => {
                AlertView::Enquiry(enquiry_alert((id, assignee), enquiry))
            }
        }
    }
}

/// A page of the alerts that are open: those of decisions, after the last of them the others, and
/// dead letters at the end. Those of one person are in the order of their ids.
pub(crate) async fn list_alerts(
    State(service): State<Arc<Service>>,
    query: Result<Query<AlertListParams>, QueryRejection>,
) -> ViewResult<ListView<AlertView>> {
    let Query(wanted) = query.map_err(|_| {
        let detail = "expected `plan`, `period`, `code`, `transaction`, `assignee`, `limit` or \
            `cursor`";
        Problem::bad_request(detail)
    })?;
    let AlertListParams { plan, period, code, transaction, assignee, limit, cursor } = wanted;
    let wanted = NoteListParams { plan, period, code, transaction, limit, cursor };

    let alerts = service.run_blocking(move |service| match assignee.as_deref() {
        Some(person) if !person.is_empty() => alerts_of_person(service, &wanted, person),
        assignee => {
            let (mut found, next_cursor) = page_of_all(service, wanted)?;
            found.retain(|one| assignee.is_none() || one.assignee.is_none());
            let data = found.into_iter().map(AlertView::new).collect();
            Ok(ListView { data, next_cursor })
        }
    });
    alerts.await.map(ViewJson)
}

/// A page of the alerts of a person; its cursor is the id of the last one.
fn alerts_of_person(
    service: &Service,
    wanted: &NoteListParams,
    person: &str,
) -> Result<ListView<AlertView>, Problem> {
    let limit = credits::page_limit(wanted.limit)?;
    let after = wanted.cursor.as_deref().map(str::parse::<AlertId>).transpose();
    let after =
        after.map_err(|_| Problem::bad_request("`cursor` is not a cursor from an earlier page"))?;

    let filter = notes::note_filter(service, wanted)?;
    let mut found = assigned::alerts_of_person(&service.context, person, &filter)?;
    found.retain(|one| after.is_none_or(|after| one.id > after));

    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(ListView { data: found.into_iter().map(AlertView::new).collect(), next_cursor })
}

/// A page of all alerts, with the cursor of the next one.
fn page_of_all(
    service: &Service,
    mut wanted: NoteListParams,
) -> Result<(Vec<AssignedAlert>, Option<String>), Problem> {
    let dead = wanted.cursor.take_if(|cursor| cursor.starts_with(DEAD_PREFIX));
    let dead = dead.map(|cursor| {
        let after = cursor.trim_start_matches(DEAD_PREFIX).parse::<u64>();
        after.map_err(|_| Problem::bad_request("`cursor` is not a cursor from an earlier page"))
    });

    let filter = notes::note_filter(service, &wanted)?;
    let (found, next) = match dead.transpose()? {
        Some(after) => dead_letter_alerts(service, &filter, wanted.limit, after)?,
        None => {
            let page = notes::note_page(service, &wanted, true)?;
            let mut found: Vec<_> = page.rows.into_iter().map(OpenAlert::Note).collect();
            let mut next = page.next;

            if next.is_none() {
                found.extend(alerts::other_alerts(&service.context, &filter)?);
                let letters = dead_letter_alerts(service, &filter, wanted.limit, 0)?;
                found.extend(letters.0);
                next = letters.1;
            }
            (found, next)
        }
    };

    let assignees = AlertAssignees::read(&service.context)?;
    Ok((found.into_iter().map(|one| assignees.with_assignee(one)).collect(), next))
}

/// A page of alerts of dead letters behind a place in the inbox, and the cursor of the next one.
fn dead_letter_alerts(
    service: &Service,
    filter: &NoteFilter,
    limit: Option<usize>,
    after: u64,
) -> Result<(Vec<OpenAlert>, Option<String>), Problem> {
    if filter.plan.is_some() || filter.period.is_some() {
        return Ok((Vec::new(), None));
    }

    let limit = credits::page_limit(limit)?;
    let found = service.context.ledger.dead_letters(after, limit.saturating_add(1));
    let mut found = found?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| format!("{DEAD_PREFIX}{}", last.sequence));

    let letters = found.into_iter();
    let letters = letters.filter(|letter| filter.selects(alerts::dead_letter_code(letter), None));
    Ok((letters.map(OpenAlert::DeadLetter).collect(), next))
}

fn dead_letter_alert(
    (id, assignee): (String, Option<String>),
    letter: DeadLetter,
) -> DeadLetterAlertView {
    let (source, delivery) = (&letter.source, &letter.delivery);

    DeadLetterAlertView {
        id,
        assignee,
        transaction: None,
        stage: "intake",
        code: alerts::dead_letter_code(&letter),
        message: format!("delivery `{delivery}` of `{source}`: {}", letter.reason),
        source: letter.source,
        delivery: letter.delivery,
        sequence: letter.sequence,
    }
}

fn enquiry_alert((id, assignee): (String, Option<String>), enquiry: Enquiry) -> EnquiryAlertView {
    EnquiryAlertView {
        id,
        assignee,
        stage: "release",
        code: ENQUIRY_CODE,
        message: format!("`{}` asks ({}): {}", enquiry.payee, enquiry.kind, enquiry.text),
        transaction: enquiry.transaction,
        payee: enquiry.payee,
    }
}

/// Gives an open alert to a person, or with `to` null back to everybody.
pub(crate) async fn assign_alert(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    Extension(caller): Extension<Principal>,
    body: Bytes,
) -> ViewResult<AlertView> {
    let to = enquiries::parse_assignee(&body)?;
    let id = id.parse::<AlertId>().map_err(|_| Problem::not_found("open alert"))?;

    let assigned = service.run_blocking(move |service| {
        let one = assigned::assign_alert(&service.context, id, to, &caller.name)?;
        Ok(AlertView::new(one))
    });
    assigned.await.map(ViewJson)
}
