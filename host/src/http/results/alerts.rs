//! Alerts: what decisions, rewards, releases, adjustments and enquiries raise, in pages.
//!
//! Not the log (`notes`). Source: DOMAIN 2.16.

use std::collections::BTreeSet;
use std::sync::Arc;

use accredit_ledger::enquiries::OPEN;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde_json::{Value, json};

use crate::http::Answer;
use crate::http::intake::dead_letters;
use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::http::results::notes::{self, Wanted};
use crate::server::state::Service;

/// A page of the alerts that stand: those of decisions, and after the last of them the others.
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    query: Result<Query<Wanted>, QueryRejection>,
) -> Answer {
    let wanted = notes::wanted(query)?;
    let alerts = service.blocking(move |service| {
        let page = notes::page(service, &wanted, true)?;
        let mut alerts: Vec<Value> = page.rows.iter().map(|row| json!(row)).collect();
        if page.next.is_none() {
            let leaves = wanted.period.as_deref().map(|id| {
                let calendar = &service.ruleset.load().settings.calendar;
                credits::leaves(calendar, id).map(|leaves| leaves.into_iter().collect())
            });
            let mut others = of_others(service, &wanted, leaves.transpose()?.as_ref())?;
            let fits = |wanted: &Option<String>, found: Option<&Value>| {
                wanted.as_deref().is_none_or(|it| found.and_then(Value::as_str) == Some(it))
            };
            others.retain(|alert| {
                fits(&wanted.code, alert.get("code"))
                    && fits(&wanted.transaction, alert.get("transaction"))
            });
            alerts.extend(others);
        }
        Ok(json!({ "data": alerts, "next_cursor": page.next }))
    });
    alerts.await.map(Json)
}

fn with(mut alert: Value, key: &str, value: &Option<String>) -> Value {
    if let Some(alert) = alert.as_object_mut() {
        alert.insert(key.to_owned(), json!(value));
    }
    alert
}

/// Those that no decision of a deal raised: of rewards, of what people did, and of senders who
/// contradict themselves.
fn of_others(
    service: &Service,
    wanted: &Wanted,
    leaves: Option<&BTreeSet<String>>,
) -> Result<Vec<Value>, Problem> {
    let failed = |error| Problem::internal(&error);
    let lost = service.lost_adjustments(wanted.plan.as_deref(), leaves).map_err(failed)?;
    let rewards = service.reward_alerts(wanted.plan.as_deref(), leaves).map_err(failed)?;
    let mut alerts: Vec<Value> = rewards.iter().map(|row| json!(row)).collect();
    let lost = lost.iter().map(|note| with(json!(note), "period", &wanted.period));
    alerts.extend(lost);
    let text = |alert: &Value, key: &str| {
        alert.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let released = service.ledger.alerts().map_err(failed)?.into_iter().filter(|alert| {
        let fits = |wanted: &Option<String>, key: &str| {
            wanted.as_ref().is_none_or(|wanted| *wanted == text(alert, key))
        };
        fits(&wanted.plan, "plan")
            && (fits(&wanted.period, "period")
                || leaves.is_some_and(|leaves| leaves.contains(&text(alert, "period"))))
    });
    alerts.extend(released);
    if wanted.plan.is_none() && wanted.period.is_none() {
        let dead = service.ledger.dead_letters(dead_letters::LIST_MAX).map_err(failed)?;
        alerts.extend(dead.into_iter().map(|letter| {
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
        }));
        let enquiries = service.ledger.enquiries().map_err(failed)?.into_iter();
        alerts.extend(enquiries.filter(|enquiry| enquiry.state == OPEN).map(|enquiry| {
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
