//! Rewards that people added by hand, each kept for ever: an act is taken back by a second one.
//!
//! Not where a reward counts (`operations::manual_rewards`) and not what else is paid. Source:
//! REWARDS section 7.
//!
//! **Architecture invariant:** an act is recorded with its row of the trail in one commit, and never
//! changed.

use std::collections::{BTreeMap, BTreeSet};

use accredit_domain::decision::{Approval, EarnedReward};
use accredit_domain::keys::{DefinedName, PeriodKey, RewardId};
use accredit_seams::store::{StoreTable, WriteBatch};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::audit::AuditChain;
use super::{Ledger, LedgerResult, approvals, calculations, codec, lock_mutex, next_number};

/// A reward that a person added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManualReward {
    /// Its number, from 1; 0 until it is kept.
    pub number: u64,
    /// The row that is paid. Its period is the one in which it counts.
    pub row: EarnedReward,
    /// The period that was asked for.
    pub requested_period: PeriodKey,
    /// One of the workspace's reason codes.
    pub reason_code: DefinedName,
    /// Why, if given.
    pub comment: Option<String>,
    /// The reward that it takes back.
    pub reverses: Option<RewardId>,
    /// What its sender names the request by, so that it is kept once.
    pub request_key: Option<String>,
    /// Business date on which it was made.
    pub date: Date,
    /// The user who made it.
    pub who: String,
    /// The time in milliseconds since 1970.
    pub at_ms: i64,
    /// Who approved it, where a second person had to.
    pub approved: Option<Approval>,
}

/// The id of the reward that has this number.
fn manual_reward_id(number: u64) -> RewardId {
    let hash = blake3::hash(format!("manual reward {number}").as_bytes());
    let digits: String = hash.to_hex().chars().take(32).collect();
    RewardId::from(format!("rwd_{digits}"))
}

impl Ledger {
    /// Keeps a reward, with a row of the trail; gives it with its number and id. The revision of its
    /// calculation goes up.
    pub fn add_manual_reward(&self, mut reward: ManualReward) -> LedgerResult<ManualReward> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let mut batch = WriteBatch::default();

        reward.number = next_number(&*snapshot, StoreTable::ManualRewards)?;
        reward.row.id = manual_reward_id(reward.number);
        let key = codec::number_key(reward.number);
        batch.expect_row(StoreTable::ManualRewards, key, None);
        batch.put_row(StoreTable::ManualRewards, key, codec::to_json(&reward)?);

        let restated = BTreeSet::from([reward.row.period]);
        let restated = BTreeMap::from([(reward.row.plan.to_string(), restated)]);
        calculations::count_restatements(&*snapshot, &mut batch, &restated)?;

        let mut chain = AuditChain::from_snapshot(&*snapshot)?;
        let what = if reward.reverses.is_some() { "reward_reversed" } else { "reward_added" };
        let who = (reward.who.as_str(), what);
        chain.append_row(&mut batch, reward.at_ms, who, codec::to_value(&reward)?)?;
        let approved = reward.approved.as_ref();
        approvals::record_approval(&*snapshot, &mut batch, &mut chain, approved, reward.at_ms)?;

        self.commit_changes(&batch)?;
        Ok(reward)
    }

    /// Every reward that people added, oldest first.
    pub fn manual_rewards(&self) -> LedgerResult<Vec<ManualReward>> {
        let rows = self.snapshot()?.scan_prefix(StoreTable::ManualRewards, b"", b"", usize::MAX)?;
        rows.iter().map(|(_, row)| codec::from_json(row)).collect()
    }
}
