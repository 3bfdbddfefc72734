//! What was released to payees, held against the trail: the release, every statement of it, and what
//! became certain with it.
//!
//! Called by the check of the trail.

use std::collections::BTreeMap;

use super::{AuditRow, visit_rows};
use crate::releases::{Release, confirmed_prefix, hash_of_release, hash_of_rows};
use crate::{LedgerResult, codec};
use accredit_seams::store::{Snapshot, StoreTable};

/// What the trail calls it.
const AUDIT_WORDS: [&str; 3] = ["credits_released", "rewards_released", "calculation_deleted"];

/// Rows of one table by key.
type KeyedRows = BTreeMap<Vec<u8>, Vec<u8>>;

/// Adds what is not as the last row of the trail about each calculation has it.
pub(super) fn check_published(
    snapshot: &dyn Snapshot,
    trail: &BTreeMap<u64, AuditRow>,
    problems: &mut Vec<String>,
) -> LedgerResult<()> {
    let mut last: BTreeMap<(String, String), &AuditRow> = BTreeMap::new();

    for row in trail.values().filter(|row| AUDIT_WORDS.contains(&row.what.as_str())) {
        let text = |key: &str| row.detail.get(key).and_then(serde_json::Value::as_str);
        if let (Some(plan), Some(period)) = (text("plan"), text("period")) {
            last.insert((plan.to_owned(), period.to_owned()), row);
        }
    }

    let mut statements = published_statements(snapshot)?;
    visit_rows(snapshot, StoreTable::Releases, |key, bytes| {
        let Ok(release) = codec::from_json::<Release>(bytes) else {
            problems.push(format!("the release `{}` cannot be read", key.escape_ascii()));

            // Its key still names it: it is not gone, and its statements belong to it.
            let mut parts = key_parts(key);
            let which = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            last.remove(&which);
            statements.remove(&which);
            return Ok(());
        };
        let (plan, period) = (&release.plan, &release.period);
        let which = (plan.clone(), period.clone());

        let own = statements.remove(&which).unwrap_or_default();
        let Some(row) = last.remove(&which) else {
            problems.push(format!("the release of plan `{plan}` in {period} is not in the trail"));
            return Ok(());
        };
        // Trails of earlier versions of the program have no hash of what was released.
        let recorded = row.detail.get("record").and_then(serde_json::Value::as_str);
        if recorded.is_some_and(|known| known != hash_of_release(bytes, &own)) {
            problems.push(format!(
                "what payees see of plan `{plan}` in {period} is not what row {} of the trail \
                 released",
                row.sequence
            ));
        }
        check_confirmed(snapshot, row, plan, problems)
    })?;

    let gone = last.keys().map(|(plan, period)| format!("plan `{plan}` in {period}"));
    problems.extend(gone.map(|which| format!("the release of {which} is gone")));
    let strange = statements.keys().map(|(plan, period)| format!("plan `{plan}` in {period}"));
    problems.extend(strange.map(|which| format!("a statement of {which} belongs to no release")));
    Ok(())
}

/// The parts of a key.
fn key_parts(key: &[u8]) -> impl Iterator<Item = String> {
    key.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned())
}

/// Statements by plan and period.
fn published_statements(
    snapshot: &dyn Snapshot,
) -> LedgerResult<BTreeMap<(String, String), KeyedRows>> {
    let mut statements: BTreeMap<(String, String), KeyedRows> = BTreeMap::new();
    visit_rows(snapshot, StoreTable::Published, |key, row| {
        let mut parts = key_parts(key).skip(1);
        let (period, plan) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        statements.entry((plan, period)).or_default().insert(key.to_vec(), row.to_vec());
        Ok(())
    })?;
    Ok(statements)
}

/// What became certain, leaf period by leaf period.
fn check_confirmed(
    snapshot: &dyn Snapshot,
    row: &AuditRow,
    plan: &str,
    problems: &mut Vec<String>,
) -> LedgerResult<()> {
    let Some(leaves) = row.detail.get("confirmed").and_then(serde_json::Value::as_object) else {
        return Ok(());
    };
    let mut found: BTreeMap<&str, KeyedRows> =
        leaves.keys().map(|leaf| (&**leaf, KeyedRows::new())).collect();
    visit_rows(snapshot, StoreTable::Confirmed, |key, bytes| {
        let own = found.iter_mut().find(|(leaf, _)| key.starts_with(&confirmed_prefix(plan, leaf)));
        if let Some((_, rows)) = own {
            rows.insert(key.to_vec(), bytes.to_vec());
        }
        Ok(())
    })?;

    for (leaf, rows) in found {
        let recorded = leaves.get(leaf).and_then(serde_json::Value::as_str);
        if recorded != Some(hash_of_rows(&rows).as_str()) {
            problems.push(format!("what is certain of plan `{plan}` in {leaf} has changed"));
        }
    }
    Ok(())
}
