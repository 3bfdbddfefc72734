//! Rewards of periods that were confirmed or finalized, as they were then.
//!
//! Not computing them and not correcting them (`crediting::reward`). Written with the release that
//! confirms a calculation (`releases`), or with the finalization of the period's last leaf (`record`).
//! Called by the operations. Source: REWARDS section 1.
//!
//! **Architecture invariant:** the rows of a plan in a period are frozen once, and stay; only the
//! deletion of a calculation whose period is not finalized takes them away.

use std::collections::BTreeSet;

use super::releases::ReleaseStatus;
use super::{Ledger, LedgerResult, codec};
use accredit_domain::decision::{EarnedReward, FrozenRewards};
use accredit_domain::keys::{PeriodKey, PlanKey, RulesetHash};
use accredit_seams::store::{Snapshot, StoreTable, WriteBatch};

fn frozen_key(plan: &str, period: &str) -> Vec<u8> {
    codec::parts_key(&[plan, period])
}

/// Adds frozen rewards to a commit, unless those of the plan and period were frozen before.
pub(super) fn freeze_rewards(
    snapshot: &dyn Snapshot,
    batch: &mut WriteBatch,
    frozen: &FrozenRewards,
) -> LedgerResult<()> {
    let key = frozen_key(&frozen.plan, &frozen.period);
    if snapshot.get(StoreTable::FrozenRewards, &key)?.is_some() {
        return Ok(());
    }

    batch.expect_row(StoreTable::FrozenRewards, key.clone(), None);
    batch.put_row(StoreTable::FrozenRewards, key, codec::to_json(frozen)?);
    Ok(())
}

/// Takes the frozen rewards of a deleted calculation away.
pub(super) fn thaw_rewards(batch: &mut WriteBatch, plan: &str, period: &str) {
    batch.delete_row(StoreTable::FrozenRewards, frozen_key(plan, period));
}

impl Ledger {
    /// The frozen rewards of a plan, by period. Those that an earlier version of the program released
    /// are read from the statements of their payees, and name no ruleset.
    pub fn frozen_rewards(&self, plan: &str) -> LedgerResult<Vec<FrozenRewards>> {
        let prefix = codec::parts_key(&[plan]);
        let rows =
            self.snapshot()?.scan_prefix(StoreTable::FrozenRewards, &prefix, b"", usize::MAX)?;
        let rows = rows.iter().map(|(_, row)| codec::from_json::<FrozenRewards>(row));
        let mut found: Vec<FrozenRewards> = rows.collect::<LedgerResult<_>>()?;

        let known: BTreeSet<PeriodKey> = found.iter().map(|frozen| frozen.period).collect();
        for release in self.list_releases()? {
            let is_former = release.plan == plan
                && release.status == ReleaseStatus::Confirmed
                && !known.contains(release.period.as_str());
            if !is_former {
                continue;
            }

            let mut rows: Vec<EarnedReward> = Vec::new();
            for payee in &release.payees {
                let statements = self.payee_statements(payee, Some(&release.period))?.into_iter();
                let of_plan = statements.filter(|statement| statement.plan == plan);
                rows.extend(of_plan.flat_map(|statement| statement.rewards));
            }
            found.push(FrozenRewards {
                plan: PlanKey::from(plan),
                period: PeriodKey::from(&release.period),
                ruleset: RulesetHash::default(),
                at_ms: release.rewards.map(|act| act.at_ms).unwrap_or_default(),
                rows,
                balances: Vec::new(),
            });
        }

        Ok(found)
    }
}
