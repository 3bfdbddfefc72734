//! Alerts of acts and of the server: raised once, kept until the data file ends.
//!
//! Not alerts of decisions (`notes`) and not those that are computed when they are read (rewards,
//! adjustments, enquiries). Called by releases, activations and the host. Source: DOMAIN 2.16.
//!
//! **Architecture invariant:** an alert is kept as JSON with its keys in alphabetical order, so that the
//! same alert has the same bytes and is kept once.

use accredit_domain::events::EventKind;
use accredit_domain::limits::MoneyEffect;
use accredit_seams::store::{Snapshot, StoreTable, WriteBatch};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::definitions::Effective;
use super::outbox::EventWriter;
use super::{Ledger, LedgerResult, codec, lock_mutex, next_number};

/// Something that a person must know about, raised outside a decision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RaisedAlert {
    /// Natural key of the transaction that it is about; null where it is about none.
    pub transaction: Option<String>,
    /// `activation`, `release`, `worker` or `audit`.
    pub stage: String,
    /// `definitions_changed`, `definitions_refused`, `double_payment`, `not_decided` or
    /// `checkpoint_differs`.
    pub code: String,
    /// What happened and what to do, in one sentence.
    pub message: String,
    /// Id of the plan that was released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub plan: Option<String>,
    /// Id of the period that was released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub period: Option<String>,
    /// Id of the participant who is paid twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub payee: Option<String>,
    /// The number of the activation that moved money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub activation: Option<u64>,
    /// What that activation meant for credits that existed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub effective: Option<Effective>,
    /// What that activation moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub money: Option<MoneyEffect>,
}

impl RaisedAlert {
    /// An alert about no transaction, with nothing beside its message.
    pub fn new(stage: &str, code: &str, message: impl Into<String>) -> RaisedAlert {
        RaisedAlert {
            stage: stage.to_owned(),
            code: code.to_owned(),
            message: message.into(),
            ..RaisedAlert::default()
        }
    }

    /// The stored row.
    fn to_row(&self) -> LedgerResult<Vec<u8>> {
        // A JSON value keeps its keys in alphabetical order; a struct would keep its own.
        codec::to_json(&codec::to_value(self)?)
    }
}

/// Adds alerts to a commit, behind those that are kept.
pub(super) fn append_alerts<'a>(
    snapshot: &dyn Snapshot,
    batch: &mut WriteBatch,
    alerts: impl IntoIterator<Item = &'a RaisedAlert>,
) -> LedgerResult<()> {
    let numbers = next_number(snapshot, StoreTable::Alerts)?..;
    for (number, alert) in numbers.zip(alerts) {
        batch.put_row(StoreTable::Alerts, codec::number_key(number), alert.to_row()?);
    }
    Ok(())
}

/// Adds the events of alerts to the commit that keeps them.
pub(super) fn add_alert_events<'a>(
    events: &EventWriter<'_>,
    batch: &mut WriteBatch,
    alerts: impl IntoIterator<Item = &'a RaisedAlert>,
) -> LedgerResult<()> {
    for alert in alerts {
        let subject = alert.transaction.as_deref().unwrap_or(&alert.stage);
        events.add_event(batch, EventKind::AlertRaised, subject, &codec::to_value(alert)?)?;
    }
    Ok(())
}

impl Ledger {
    /// Keeps an alert for people, once: the same one again is nothing new. The time is in milliseconds
    /// since 1970.
    pub fn raise_alert(&self, alert: &RaisedAlert, at_ms: i64) -> LedgerResult<()> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let row = alert.to_row()?;
        let known = snapshot.scan_prefix(StoreTable::Alerts, b"", b"", usize::MAX)?;
        if known.iter().any(|(_, known)| *known == row) {
            return Ok(());
        }

        let number = next_number(&*snapshot, StoreTable::Alerts)?;
        let mut batch = WriteBatch::default();
        batch.expect_row(StoreTable::Alerts, codec::number_key(number), None);
        batch.put_row(StoreTable::Alerts, codec::number_key(number), row);
        add_alert_events(&self.event_writer(at_ms), &mut batch, [alert])?;
        self.commit_changes(&batch)
    }

    /// Every alert that was raised with its number, oldest first.
    pub fn raised_alerts(&self) -> LedgerResult<Vec<(u64, RaisedAlert)>> {
        let rows = self.snapshot()?.scan_prefix(StoreTable::Alerts, b"", b"", usize::MAX)?;
        rows.iter().map(|(key, row)| Ok((codec::key_number(key), codec::from_json(row)?))).collect()
    }

    /// The alert with this number.
    pub fn find_raised_alert(&self, number: u64) -> LedgerResult<Option<RaisedAlert>> {
        let row = self.snapshot()?.get(StoreTable::Alerts, &codec::number_key(number))?;
        row.map(|row| codec::from_json(&row)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Data files of earlier releases hold these bytes: an alert that is raised again after an update
    /// must equal the one that is kept, or people see it twice.
    #[test]
    fn stored_bytes_of_alerts_stay_the_same() {
        let known = concat!(
            r#"{"code":"double_payment","message":"paid twice","payee":"ann","period":"2026-02","#,
            r#""plan":"b","stage":"release","transaction":"D1"}"#,
        );
        let alert = RaisedAlert {
            transaction: Some("D1".to_owned()),
            plan: Some("b".to_owned()),
            period: Some("2026-02".to_owned()),
            payee: Some("ann".to_owned()),
            ..RaisedAlert::new("release", "double_payment", "paid twice")
        };
        assert_eq!(String::from_utf8(alert.to_row().unwrap()).unwrap(), known);
        assert_eq!(codec::from_json::<RaisedAlert>(known.as_bytes()).unwrap(), alert);

        let none = r#"{"code":"not_decided","message":"m","stage":"worker","transaction":null}"#;
        let row = RaisedAlert::new("worker", "not_decided", "m").to_row().unwrap();
        assert_eq!(String::from_utf8(row).unwrap(), none);

        let moved = concat!(
            r#"{"activation":2,"code":"definitions_changed","effective":"from:2026-01-31","#,
            r#""message":"m","money":{"credits":{"biggest":[],"by_credit_type":[],"by_plan":[],"#,
            r#""payees":1,"total":[]},"rewards":{"biggest":[],"by_credit_type":[],"by_plan":[],"#,
            r#""payees":0,"total":[]}},"stage":"activation","transaction":null}"#,
        );
        let alert: RaisedAlert = codec::from_json(moved.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(alert.to_row().unwrap()).unwrap(), moved);
    }
}
