//! Alerts: what decisions, rewards, releases, adjustments and enquiries raise, in pages.
//!
//! Not the log (`notes`). Source: DOMAIN 2.16.

use std::collections::BTreeSet;
use std::sync::Arc;

use accredit_domain::keys::PeriodKey;
use accredit_ledger::alerts::RaisedAlert;
use accredit_ledger::enquiries::{ENQUIRY_IN_PROGRESS, ENQUIRY_OPEN, Enquiry};
use accredit_ledger::inbox::DeadLetter;
use accredit_ledger::notes::NoteRow;
use accredit_operations::calculations;
use accredit_operations::rewards;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Serialize;

use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::http::results::notes::{self, NoteListParams};
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::state::Service;

/// What the cursor of a page of dead letters begins with; the place in the inbox follows.
const DEAD_PREFIX: &str = "dead-";

/// An alert. Every one has `transaction`, `stage`, `code` and `message`.
#[derive(Debug, Serialize)]
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
#[derive(Debug, Serialize)]
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
#[derive(Debug, Serialize)]
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

impl AlertView {
    /// The code, and the natural key of the transaction that it is about.
    fn code_and_transaction(&self) -> (&str, Option<&str>) {
        match self {
            AlertView::Note(row) => {
                let transaction = Some(row.note.transaction.as_str()).filter(|key| !key.is_empty());
                (row.note.code.as_str(), transaction)
            }
            AlertView::Raised(alert) => (&alert.code, alert.transaction.as_deref()),
            AlertView::DeadLetter(alert) => (alert.code, alert.transaction.as_deref()),
            AlertView::Enquiry(alert) => (alert.code, alert.transaction.as_deref()),
        }
    }

    /// Whether it has the code and the transaction that are asked for.
    fn is_wanted(&self, wanted: &NoteListParams) -> bool {
        let (code, transaction) = self.code_and_transaction();
        let same = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        same(&wanted.code, Some(code)) && same(&wanted.transaction, transaction)
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
            let (data, next_cursor) = dead_letter_alerts(service, &wanted, after)?;
            return Ok(ListView { data, next_cursor });
        }

        let page = notes::note_page(service, &wanted, true)?;
        let mut alerts = note_alerts(page.rows);
        let mut next = page.next;
        if next.is_none() {
            alerts.extend(after_decisions(service, &wanted)?);
            let (letters, further) = dead_letter_alerts(service, &wanted, 0)?;
            alerts.extend(letters);
            next = further;
        }
        Ok(ListView { data: alerts, next_cursor: next })
    });

    alerts.await.map(ViewJson)
}

fn note_alerts(rows: Vec<NoteRow>) -> Vec<AlertView> {
    rows.into_iter().map(|row| AlertView::Note(Box::new(row))).collect()
}

/// The alerts that follow those of decisions.
fn after_decisions(service: &Service, wanted: &NoteListParams) -> Result<Vec<AlertView>, Problem> {
    let leaves = wanted.period.as_deref().map(|id| {
        let calendar = &service.context.ruleset.load().settings.calendar;
        credits::leaf_ids(calendar, id).map(|leaves| leaves.into_iter().map(String::from).collect())
    });
    let mut others = other_alerts(service, wanted, leaves.transpose()?.as_ref())?;
    others.retain(|alert| alert.is_wanted(wanted));
    Ok(others)
}

/// A page of alerts of dead letters behind a place in the inbox, and the cursor of the next one.
fn dead_letter_alerts(
    service: &Service,
    wanted: &NoteListParams,
    after: u64,
) -> Result<(Vec<AlertView>, Option<String>), Problem> {
    if wanted.plan.is_some() || wanted.period.is_some() {
        return Ok((Vec::new(), None));
    }

    let limit = credits::page_limit(wanted.limit)?;
    let found = service.context.ledger.dead_letters(after, limit.saturating_add(1));
    let mut found = found?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| format!("{DEAD_PREFIX}{}", last.sequence));

    let alerts = found.into_iter().map(|letter| AlertView::DeadLetter(dead_letter_alert(letter)));
    Ok((alerts.filter(|alert| alert.is_wanted(wanted)).collect(), next))
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
        code: "enquiry",
        message: format!("`{}` asks ({}): {}", enquiry.payee, enquiry.kind, enquiry.text),
        transaction: enquiry.transaction,
        payee: enquiry.payee,
    }
}

/// Whether an enquiry in this state waits for a person.
fn is_waiting(state: &str) -> bool {
    state == ENQUIRY_OPEN || state == ENQUIRY_IN_PROGRESS
}

/// Those that no decision of a deal raised: of rewards and of what people did.
fn other_alerts(
    service: &Service,
    wanted: &NoteListParams,
    leaves: Option<&BTreeSet<String>>,
) -> Result<Vec<AlertView>, Problem> {
    let lost = calculations::lost_adjustments(&service.context, wanted.plan.as_deref(), leaves)?;
    let rewards = rewards::reward_alerts(&service.context, wanted.plan.as_deref(), leaves)?;

    let mut alerts = note_alerts(rewards);
    let period = wanted.period.as_deref().map(PeriodKey::from);
    let lost = lost.into_iter().map(|note| NoteRow { note, period: period.clone() });
    alerts.extend(note_alerts(lost.collect()));

    let raised = service.context.ledger.raised_alerts()?.into_iter().filter(|alert| {
        let plan = alert.plan.as_deref().unwrap_or_default();
        let period = alert.period.as_deref().unwrap_or_default();
        let fits = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        let within = leaves.is_some_and(|leaves| leaves.contains(period));
        fits(&wanted.plan, plan) && (fits(&wanted.period, period) || within)
    });

    alerts.extend(raised.map(|alert| AlertView::Raised(Box::new(alert))));

    // An enquiry belongs to no plan and no period, so it shows only when none is asked for.
    if wanted.plan.is_none() && wanted.period.is_none() {
        let enquiries = service.context.ledger.list_enquiries()?.into_iter();
        let waiting = enquiries.filter(|enquiry| is_waiting(&enquiry.state));
        alerts.extend(waiting.map(|enquiry| AlertView::Enquiry(enquiry_alert(enquiry))));
    }

    Ok(alerts)
}
