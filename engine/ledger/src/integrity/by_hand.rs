//! Rewards that people added, compared with the trail.

use std::collections::BTreeMap;

use accredit_seams::store::{Snapshot, StoreTable};

use super::{AuditRow, visit_rows};
use crate::manual_rewards::ManualReward;
use crate::{LedgerResult, codec};

/// Every reward that people added is as the trail says, and none is gone.
pub(super) fn check_manual_rewards(
    snapshot: &dyn Snapshot,
    rows: &BTreeMap<u64, AuditRow>,
    problems: &mut Vec<String>,
) -> LedgerResult<()> {
    const WORDS: [&str; 2] = ["reward_added", "reward_reversed"];
    let acts = rows.values().filter(|row| WORDS.contains(&row.what.as_str()));
    let number = |row: &AuditRow| row.detail.get("number").and_then(serde_json::Value::as_u64);
    let mut acts: BTreeMap<u64, &AuditRow> =
        acts.filter_map(|row| Some((number(row)?, row))).collect();

    visit_rows(snapshot, StoreTable::ManualRewards, |key, bytes| {
        let number = codec::key_number(key);
        let kept = codec::from_json::<ManualReward>(bytes).ok();
        let kept = kept.and_then(|kept| codec::to_value(&kept).ok());
        let same = acts.remove(&number).is_some_and(|row| Some(&row.detail) == kept.as_ref());
        if !same {
            problems.push(format!("the manual reward {number} is not as the trail says"));
        }
        Ok(())
    })?;

    problems.extend(acts.keys().map(|number| format!("the manual reward {number} is gone")));
    Ok(())
}
