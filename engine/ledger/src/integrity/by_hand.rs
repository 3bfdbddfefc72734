//! Credits and rewards that people added, compared with the trail and with what follows from them.

use std::collections::BTreeMap;

use accredit_domain::decision::{EarnedReward, FrozenRewards, RewardOrigin};
use accredit_domain::keys::TransactionKey;
use accredit_domain::transaction::ManualCredit;
use accredit_seams::store::{Snapshot, StoreTable};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{AuditRow, visit_rows};
use crate::deal_rows::DealRows;
use crate::manual_credits::ManualCreditAct;
use crate::manual_rewards::ManualReward;
use crate::{LedgerResult, codec};

/// Every reward that people added is as the trail says, and none is gone; frozen periods have theirs.
pub(super) fn check_manual_rewards(
    snapshot: &dyn Snapshot,
    rows: &BTreeMap<u64, AuditRow>,
    problems: &mut Vec<String>,
) -> LedgerResult<()> {
    let table = (StoreTable::ManualRewards, "manual reward");
    let kept: Vec<ManualReward> =
        check_acts(snapshot, table, rows, ["reward_added", "reward_reversed"], problems)?;
    check_frozen(snapshot, &kept, problems)
}

/// A frozen period has exactly the manual rewards that count in it: none is added to it later.
fn check_frozen(
    snapshot: &dyn Snapshot,
    kept: &[ManualReward],
    problems: &mut Vec<String>,
) -> LedgerResult<()> {
    visit_rows(snapshot, StoreTable::FrozenRewards, |_, bytes| {
        let Ok(frozen) = codec::from_json::<FrozenRewards>(bytes) else { return Ok(()) };
        let FrozenRewards { plan, period, rows, .. } = frozen;

        let added = kept.iter().map(|reward| &reward.row);
        let added = added.filter(|row| row.plan == plan && row.period == period);
        let mut added: BTreeMap<&str, &EarnedReward> =
            added.map(|row| (row.id.as_str(), row)).collect();

        for row in rows.iter().filter(|row| row.origin == RewardOrigin::Manual) {
            if added.remove(row.id.as_str()) != Some(row) {
                problems.push(format!(
                    "the frozen manual reward {} of plan `{plan}` in {period} is not as it was added",
                    row.id
                ));
            }
        }
        problems.extend(added.keys().map(|id| {
            format!("the manual reward {id} is gone from the frozen {period} of plan `{plan}`")
        }));
        Ok(())
    })
}

/// Every act about a manual credit is as the trail says, none is gone, and the row in place of a deal
/// says what the last act about it left.
pub(super) fn check_manual_credits(
    deals: DealRows<'_>,
    rows: &BTreeMap<u64, AuditRow>,
    problems: &mut Vec<String>,
) -> LedgerResult<()> {
    let table = (StoreTable::ManualCredits, "act about a manual credit with number");
    let kept: Vec<ManualCreditAct> =
        check_acts(deals.snapshot, table, rows, ["credit_added", "credit_reversed"], problems)?;

    let left: BTreeMap<&TransactionKey, &ManualCredit> =
        kept.iter().map(|act| (&act.credit.key, &act.credit)).collect();
    for (key, credit) in left {
        if find_credit(deals, key)?.as_ref() != Some(credit) {
            problems.push(format!("the manual credit `{key}` is not as its acts say"));
        }
    }
    Ok(())
}

/// The credit that the row in place of a deal keeps.
fn find_credit(deals: DealRows<'_>, key: &str) -> LedgerResult<Option<ManualCredit>> {
    // A row that cannot be read is reported where damage is looked for.
    let stored = deals.find_id(key).unwrap_or_default();
    Ok(stored.and_then(|stored| stored.record.manual_credit()))
}

/// Compares the rows of a table of acts with those of the trail; gives the acts that can be read.
fn check_acts<Act: DeserializeOwned + Serialize>(
    snapshot: &dyn Snapshot,
    (table, name): (StoreTable, &str),
    rows: &BTreeMap<u64, AuditRow>,
    words: [&str; 2],
    problems: &mut Vec<String>,
) -> LedgerResult<Vec<Act>> {
    let acts = rows.values().filter(|row| words.contains(&row.what.as_str()));
    let number = |row: &AuditRow| row.detail.get("number").and_then(serde_json::Value::as_u64);
    let mut acts: BTreeMap<u64, &AuditRow> =
        acts.filter_map(|row| Some((number(row)?, row))).collect();

    let mut kept_acts = Vec::new();
    visit_rows(snapshot, table, |key, bytes| {
        let number = codec::key_number(key);
        let kept = codec::from_json::<Act>(bytes).ok();
        let shown = kept.as_ref().and_then(|kept| codec::to_value(kept).ok());
        let same = acts.remove(&number).is_some_and(|row| Some(&row.detail) == shown.as_ref());
        if !same {
            problems.push(format!("the {name} {number} is not as the trail says"));
        }
        kept_acts.extend(kept);
        Ok(())
    })?;

    problems.extend(acts.keys().map(|number| format!("the {name} {number} is gone")));
    Ok(kept_acts)
}
