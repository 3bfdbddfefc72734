//! Who takes care of which alert.
//!
//! Not the alerts: most of them are computed when they are read, so that an assignment is a row of its own,
//! by the id that operations give to an alert. An enquiry has its assignee itself (`enquiries`). Called by
//! `operations::alerts`.
//!
//! **Architecture invariant:** an assignment and its row of the audit trail are one commit; the row of an
//! alert that is open no more stays, and counts again when the same alert is raised again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Ledger, LedgerResult, codec, lock_mutex};
use accredit_seams::store::{StoreTable, WriteBatch};

/// Who takes care of an alert, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct AssigneeRow {
    /// Who takes care of it.
    to: String,
    /// Who assigned it.
    who: String,
    /// The time in milliseconds since 1970.
    at_ms: i64,
}

impl Ledger {
    /// Gives an alert to a person, or with none back to everybody. The same again is nothing new.
    pub fn assign_alert(
        &self,
        alert: &str,
        to: Option<&str>,
        (who, at_ms): (&str, i64),
    ) -> LedgerResult<()> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let known = snapshot.get(StoreTable::AlertAssignees, alert.as_bytes())?;
        let known: Option<AssigneeRow> = known.map(|row| codec::from_json(&row)).transpose()?;
        if known.as_ref().map(|row| row.to.as_str()) == to {
            return Ok(());
        }

        let mut batch = WriteBatch::default();
        match to {
            Some(to) => {
                let row = AssigneeRow { to: to.to_owned(), who: who.to_owned(), at_ms };
                batch.put_row(StoreTable::AlertAssignees, alert, codec::to_json(&row)?);
            }
            None => batch.delete_row(StoreTable::AlertAssignees, alert),
        }

        let detail = serde_json::json!({"alert": alert, "assignee": to});
        self.append_audit(&*snapshot, &mut batch, at_ms, who, "alert_assigned", detail)?;
        self.commit_changes(&batch)
    }

    /// Who takes care of which alert, by the id of the alert.
    pub fn alert_assignees(&self) -> LedgerResult<BTreeMap<String, String>> {
        let snapshot = self.snapshot()?;
        let rows = snapshot.scan_prefix(StoreTable::AlertAssignees, b"", b"", usize::MAX)?;
        let assignees = rows.iter().map(|(key, row)| {
            let row: AssigneeRow = codec::from_json(row)?;
            Ok((String::from_utf8_lossy(key).into_owned(), row.to))
        });
        assignees.collect()
    }
}
