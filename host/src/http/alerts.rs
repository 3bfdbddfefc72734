//! Alerts: what decisions, releases, adjustments and enquiries raise, in one list.
//!
//! Not the log, which each calculation has. Source: DOMAIN 2.16.

use std::collections::BTreeSet;
use std::sync::Arc;

use accredit_engine::ledger::calculations::part;
use accredit_engine::ledger::enquiries::OPEN;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Answer;
use crate::calculations::leaves;
use crate::error::Problem;
use crate::service::Service;

/// Alerts in one answer.
const LIMIT_MAX: usize = 10_000;

/// What the list can be narrowed by.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Narrow {
    plan: Option<String>,
    period: Option<String>,
    code: Option<String>,
}

/// Every alert that stands.
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    wanted: Result<Query<Narrow>, QueryRejection>,
) -> Answer {
    let Query(wanted) =
        wanted.map_err(|_| Problem::bad_request("expected `plan`, `period` or `code`"))?;
    let alerts = service.blocking(move |service| {
        let ruleset = service.ruleset.load_full();
        let leaves = match &wanted.period {
            None => None,
            Some(id) => {
                let period = ruleset.settings.calendar.find(id);
                let period = period.ok_or_else(|| Problem::not_found("period"))?;
                Some(leaves(&ruleset, &period))
            }
        };
        let mut alerts = of_decisions(service, &wanted, leaves.as_ref())?;
        alerts.extend(of_people(service, &wanted, leaves.as_ref())?);
        let code = |alert: &Value| alert.get("code").cloned().unwrap_or_default();
        alerts.retain(|alert| wanted.code.as_ref().is_none_or(|code_| code(alert) == **code_));
        let more = alerts.len() > LIMIT_MAX;
        alerts.truncate(LIMIT_MAX);
        Ok(json!({ "data": alerts, "next_cursor": null, "truncated": more }))
    });
    alerts.await.map(Json)
}

fn of_decisions(
    service: &Service,
    wanted: &Narrow,
    leaves: Option<&BTreeSet<String>>,
) -> Result<Vec<Value>, Problem> {
    let mut alerts = Vec::new();
    let found = service.ledger.each(leaves, &mut |stored| {
        let decisions = stored.decisions.into_iter();
        let decisions =
            decisions.filter(|one| wanted.plan.as_ref().is_none_or(|plan| *plan == one.plan));
        for decision in decisions.filter_map(|one| part(one, leaves)) {
            let period = decision.period.clone();
            alerts.extend(decision.alerts.iter().map(|note| with(json!(note), "period", &period)));
        }
        Ok(())
    });
    found.map_err(|error| Problem::internal(&error))?;
    Ok(alerts)
}

fn with(mut alert: Value, key: &str, value: &Option<String>) -> Value {
    if let Some(alert) = alert.as_object_mut() {
        alert.insert(key.to_owned(), json!(value));
    }
    alert
}

/// Those that are raised by what people did.
fn of_people(
    service: &Service,
    wanted: &Narrow,
    leaves: Option<&BTreeSet<String>>,
) -> Result<Vec<Value>, Problem> {
    let failed = |error| Problem::internal(&error);
    let lost = service.lost_adjustments(wanted.plan.as_deref(), leaves).map_err(failed)?;
    let mut alerts: Vec<Value> =
        lost.iter().map(|note| with(json!(note), "period", &wanted.period)).collect();
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
