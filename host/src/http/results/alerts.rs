//! Alerts: what decisions, rewards, releases, adjustments and enquiries raise, in pages.
//!
//! Not the log (`notes`). Source: DOMAIN 2.16.

use std::collections::BTreeSet;
use std::sync::Arc;

use accredit_ledger::enquiries::{ENQUIRY_IN_PROGRESS, ENQUIRY_OPEN};
use accredit_operations::calculations;
use accredit_operations::rewards;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde_json::{Value, json};

use crate::http::JsonResult;
use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::http::results::notes::{self, NoteListParams};
use crate::server::state::Service;

/// What the cursor of a page of dead letters begins with; the place in the inbox follows.
const DEAD_PREFIX: &str = "dead-";

/// A page of the alerts that are open: those of decisions, after the last of them the others, and
/// dead letters at the end.
pub(crate) async fn list_alerts(
    State(service): State<Arc<Service>>,
    query: Result<Query<NoteListParams>, QueryRejection>,
) -> JsonResult {
    let mut wanted = notes::parse_params(query)?;

    let dead = wanted.cursor.take_if(|cursor| cursor.starts_with(DEAD_PREFIX));
    let dead = dead.map(|cursor| {
        let after = cursor.trim_start_matches(DEAD_PREFIX).parse::<u64>();
        after.map_err(|_| Problem::bad_request("`cursor` is not a cursor from an earlier page"))
    });
    let dead = dead.transpose()?;

    let alerts = service.run_blocking(move |service| {
        if let Some(after) = dead {
            let (alerts, next) = dead_letter_alerts(service, &wanted, after)?;
            return Ok(json!({ "data": alerts, "next_cursor": next }));
        }

        let page = notes::note_page(service, &wanted, true)?;
        let mut alerts: Vec<Value> = page.rows.iter().map(|row| json!(row)).collect();
        let mut next = page.next;
        if next.is_none() {
            alerts.extend(after_decisions(service, &wanted)?);
            let (letters, further) = dead_letter_alerts(service, &wanted, 0)?;
            alerts.extend(letters);
            next = further;
        }
        Ok(json!({ "data": alerts, "next_cursor": next }))
    });

    alerts.await.map(Json)
}

/// Whether an alert has the code and the transaction that are asked for.
fn is_wanted(wanted: &NoteListParams, alert: &Value) -> bool {
    let same = |wanted: &Option<String>, key: &str| {
        let found = alert.get(key).and_then(Value::as_str);
        wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
    };
    same(&wanted.code, "code") && same(&wanted.transaction, "transaction")
}

/// The alerts that follow those of decisions.
fn after_decisions(service: &Service, wanted: &NoteListParams) -> Result<Vec<Value>, Problem> {
    let leaves = wanted.period.as_deref().map(|id| {
        let calendar = &service.context.ruleset.load().settings.calendar;
        credits::leaf_ids(calendar, id).map(|leaves| leaves.into_iter().map(String::from).collect())
    });
    let mut others = other_alerts(service, wanted, leaves.transpose()?.as_ref())?;
    others.retain(|alert| is_wanted(wanted, alert));
    Ok(others)
}

/// A page of alerts of dead letters behind a place in the inbox, and the cursor of the next one.
fn dead_letter_alerts(
    service: &Service,
    wanted: &NoteListParams,
    after: u64,
) -> Result<(Vec<Value>, Option<String>), Problem> {
    if wanted.plan.is_some() || wanted.period.is_some() {
        return Ok((Vec::new(), None));
    }

    let limit = credits::page_limit(wanted.limit)?;
    let found = service.context.ledger.dead_letters(after, limit.saturating_add(1));
    let mut found = found?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| format!("{DEAD_PREFIX}{}", last.sequence));

    let alerts = found.iter().map(|letter| {
        let (source, delivery) = (&letter.source, &letter.delivery);
        let code = if letter.is_conflict() { "conflict" } else { "dead_letter" };
        json!({
            "transaction": null,
            "stage": "intake",
            "code": code,
            "message": format!("delivery `{delivery}` of `{source}`: {}", letter.reason),
            "source": source,
            "delivery": delivery,
            "sequence": letter.sequence,
        })
    });

    Ok((alerts.filter(|alert| is_wanted(wanted, alert)).collect(), next))
}

fn with_text(mut alert: Value, key: &str, value: &Option<String>) -> Value {
    if let Some(alert) = alert.as_object_mut() {
        alert.insert(key.to_owned(), json!(value));
    }
    alert
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
) -> Result<Vec<Value>, Problem> {
    let lost = calculations::lost_adjustments(&service.context, wanted.plan.as_deref(), leaves)?;
    let rewards = rewards::reward_alerts(&service.context, wanted.plan.as_deref(), leaves)?;

    let mut alerts: Vec<Value> = rewards.iter().map(|row| json!(row)).collect();
    let lost = lost.iter().map(|note| with_text(json!(note), "period", &wanted.period));
    alerts.extend(lost);

    let text = |alert: &Value, key: &str| {
        alert.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };

    let released = service.context.ledger.release_alerts()?.into_iter().filter(|alert| {
        let fits = |wanted: &Option<String>, key: &str| {
            wanted.as_ref().is_none_or(|wanted| *wanted == text(alert, key))
        };
        fits(&wanted.plan, "plan")
            && (fits(&wanted.period, "period")
                || leaves.is_some_and(|leaves| leaves.contains(&text(alert, "period"))))
    });

    alerts.extend(released);

    // An enquiry belongs to no plan and no period, so it shows only when none is asked for.
    if wanted.plan.is_none() && wanted.period.is_none() {
        let enquiries = service.context.ledger.list_enquiries()?.into_iter();
        alerts.extend(enquiries.filter(|enquiry| is_waiting(&enquiry.state)).map(|enquiry| {
            json!({
                "transaction": enquiry.transaction,
                "stage": "release",
                "code": "enquiry",
                "payee": enquiry.payee,
                "message": format!("`{}` asks ({}): {}", enquiry.payee, enquiry.kind, enquiry.text),
            })
        }));
    }

    Ok(alerts)
}
