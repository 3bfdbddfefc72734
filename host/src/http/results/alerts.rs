//! Alerts: what decisions, rewards, releases, adjustments and enquiries raise, in pages.
//!
//! Not the log (`notes`) and not which alerts are open (`operations::alerts`). Source: DOMAIN 2.16.

use std::sync::Arc;

use accredit_ledger::alerts::RaisedAlert;
use accredit_ledger::enquiries::Enquiry;
use accredit_ledger::inbox::DeadLetter;
use accredit_ledger::notes::NoteRow;
use accredit_operations::alerts::{self, ENQUIRY_CODE, NoteFilter, OpenAlert};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::http::results::notes::{self, NoteListParams};
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::state::Service;

/// What the cursor of a page of dead letters begins with; the place in the inbox follows.
const DEAD_PREFIX: &str = "dead-";

/// An alert. Every one has `transaction`, `stage`, `code` and `message`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum AlertView {
    /// Of a decision, a reward or an adjustment.
    Note(Box<NoteRow>),
    /// Of an act or of the server.
    Raised(Box<RaisedAlert>),
    /// Of a delivery that cannot be read.
    DeadLetter(DeadLetterAlertView),
    /// Of an enquiry that waits for a person.
    Enquiry(EnquiryAlertView),
}

/// The alert of a delivery that cannot be read, or that contradicts an earlier one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetterAlertView {
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

impl From<OpenAlert> for AlertView {
    fn from(alert: OpenAlert) -> AlertView {
        match alert {
            OpenAlert::Note(row) => AlertView::Note(Box::new(row)),
            OpenAlert::Raised(alert) => AlertView::Raised(Box::new(alert)),
            OpenAlert::Enquiry(enquiry) => AlertView::Enquiry(enquiry_alert(enquiry)),
        }
    }
}

/// A page of the alerts that are open: those of decisions, after the last of them the others, and
/// dead letters at the end.
pub(crate) async fn list_alerts(
    State(service): State<Arc<Service>>,
    query: Result<Query<NoteListParams>, QueryRejection>,
) -> ViewResult<ListView<AlertView>> {
    let mut wanted = notes::parse_params(query)?;

    let dead = wanted.cursor.take_if(|cursor| cursor.starts_with(DEAD_PREFIX));
    let dead = dead.map(|cursor| {
        let after = cursor.trim_start_matches(DEAD_PREFIX).parse::<u64>();
        after.map_err(|_| Problem::bad_request("`cursor` is not a cursor from an earlier page"))
    });
    let dead = dead.transpose()?;

    let alerts = service.run_blocking(move |service| {
        if let Some(after) = dead {
            let filter = notes::note_filter(service, &wanted)?;
            let (data, next_cursor) = dead_letter_alerts(service, &filter, wanted.limit, after)?;
            return Ok(ListView { data, next_cursor });
        }

        let page = notes::note_page(service, &wanted, true)?;
        let rows = page.rows.into_iter();
        let mut alerts: Vec<AlertView> = rows.map(|row| AlertView::Note(Box::new(row))).collect();
        let mut next = page.next;

        if next.is_none() {
            let filter = notes::note_filter(service, &wanted)?;
            let others = alerts::other_alerts(&service.context, &filter)?;
            alerts.extend(others.into_iter().map(AlertView::from));
            let (letters, further) = dead_letter_alerts(service, &filter, wanted.limit, 0)?;
            alerts.extend(letters);
            next = further;
        }
        Ok(ListView { data: alerts, next_cursor: next })
    });

    alerts.await.map(ViewJson)
}

/// A page of alerts of dead letters behind a place in the inbox, and the cursor of the next one.
fn dead_letter_alerts(
    service: &Service,
    filter: &NoteFilter,
    limit: Option<usize>,
    after: u64,
) -> Result<(Vec<AlertView>, Option<String>), Problem> {
    if filter.plan.is_some() || filter.period.is_some() {
        return Ok((Vec::new(), None));
    }

    let limit = credits::page_limit(limit)?;
    let found = service.context.ledger.dead_letters(after, limit.saturating_add(1));
    let mut found = found?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| format!("{DEAD_PREFIX}{}", last.sequence));

    let alerts = found.into_iter().map(dead_letter_alert);
    let alerts = alerts.filter(|alert| filter.selects(alert.code, None));
    Ok((alerts.map(AlertView::DeadLetter).collect(), next))
}

fn dead_letter_alert(letter: DeadLetter) -> DeadLetterAlertView {
    let code = if letter.is_conflict() { "conflict" } else { "dead_letter" };
    let (source, delivery) = (&letter.source, &letter.delivery);

    DeadLetterAlertView {
        transaction: None,
        stage: "intake",
        code,
        message: format!("delivery `{delivery}` of `{source}`: {}", letter.reason),
        source: letter.source,
        delivery: letter.delivery,
        sequence: letter.sequence,
    }
}

fn enquiry_alert(enquiry: Enquiry) -> EnquiryAlertView {
    EnquiryAlertView {
        stage: "release",
        code: ENQUIRY_CODE,
        message: format!("`{}` asks ({}): {}", enquiry.payee, enquiry.kind, enquiry.text),
        transaction: enquiry.transaction,
        payee: enquiry.payee,
    }
}
