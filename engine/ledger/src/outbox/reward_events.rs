//! Rewards that a release made certain, and those that were taken back, as events.
//!
//! Not the release (`releases`). A reward is paid once: what an earlier release of the same calculation said
//! already is no event again.

use std::collections::BTreeMap;

use accredit_domain::decision::EarnedReward;
use accredit_domain::events::EventKind;
use accredit_seams::store::{Snapshot, StoreTable, WriteBatch};
use serde_json::{Value, json};

use super::super::releases::{Release, ReleaseStatus, Statement};
use super::super::{LedgerResult, codec};
use super::EventWriter;

/// Rewards that are certain, by their ids.
pub(in super::super) type PaidRewards = BTreeMap<String, EarnedReward>;

/// The rewards that a release made certain before; none of one that is pending.
pub(in super::super) fn paid_rewards(
    snapshot: &dyn Snapshot,
    known: Option<&Release>,
) -> LedgerResult<PaidRewards> {
    let mut paid = PaidRewards::new();
    let Some(known) = known.filter(|known| known.status == ReleaseStatus::Confirmed) else {
        return Ok(paid);
    };

    for payee in &known.payees {
        let key = codec::parts_key(&[payee, &known.period, &known.plan]);
        let Some(row) = snapshot.get(StoreTable::Published, &key)? else { continue };
        let statement: Statement = codec::from_json(&row)?;
        paid.extend(statement.rewards.into_iter().map(|reward| (reward.id.to_string(), reward)));
    }
    Ok(paid)
}

/// Adds an event for every reward that a release makes certain, and for every one that it no longer has.
pub(in super::super) fn add_paid(
    events: &EventWriter<'_>,
    batch: &mut WriteBatch,
    (release, statements): (&Release, &BTreeMap<String, Statement>),
    before: &PaidRewards,
) -> LedgerResult<()> {
    let is_certain = release.status == ReleaseStatus::Confirmed;
    let rewards = statements.values().flat_map(|statement| &statement.rewards);
    let rewards = rewards.filter(|_| is_certain);
    let after: PaidRewards =
        rewards.map(|reward| (reward.id.to_string(), reward.clone())).collect();

    let gone = before.iter().filter(|(id, old)| after.get(*id) != Some(*old));
    for (_, reward) in gone {
        add_reward(events, batch, EventKind::RewardWithdrawn, reward)?;
    }
    let new = after.iter().filter(|(id, new)| before.get(*id) != Some(*new));
    for (_, reward) in new {
        add_reward(events, batch, EventKind::RewardPaid, reward)?;
    }
    Ok(())
}

/// Adds an event for every reward of a calculation that is taken back.
pub(in super::super) fn add_withdrawn(
    events: &EventWriter<'_>,
    batch: &mut WriteBatch,
    before: &PaidRewards,
) -> LedgerResult<()> {
    let mut rewards = before.values();
    rewards.try_for_each(|reward| add_reward(events, batch, EventKind::RewardWithdrawn, reward))
}

fn add_reward(
    events: &EventWriter<'_>,
    batch: &mut WriteBatch,
    kind: EventKind,
    reward: &EarnedReward,
) -> LedgerResult<()> {
    let mut data = codec::to_value(reward)?;
    if let Value::Object(members) = &mut data {
        let change = if kind == EventKind::RewardPaid { reward.amount } else { -reward.amount };
        members.insert("paid_change".to_owned(), json!(change));
    }
    events.add_event(batch, kind, &reward.id, &data)
}
