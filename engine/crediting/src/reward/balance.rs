//! What payees owe: unrecovered draws, and amounts below zero that are carried.
//!
//! Balances follow from rows and are never stored on their own. Called by `book` and `draw`. Source:
//! REWARDS section 6.
//!
//! **Architecture invariant:** a balance is the sum of the rows that changed it, and never below zero.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::pay::reward_id;
use super::scope::PlanPeriod;
use accredit_domain::decision::{EarnedReward, PayeeBalance, RewardOrigin};
use accredit_domain::keys::{DefinedName, ParticipantKey, PeriodKey, PlanKey, RewardId};
use accredit_domain::plan::Plan;

/// The name of the balance, and of the rows, of amounts below zero.
pub const CARRIED: &str = "carried";

/// A balance: what for, whose, in which unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BalanceKey {
    name: DefinedName,
    payee: ParticipantKey,
    unit: DefinedName,
}

impl BalanceKey {
    pub(super) fn new(name: &str, payee: &str, unit: &str) -> BalanceKey {
        BalanceKey {
            name: DefinedName::from(name),
            payee: ParticipantKey::from(payee),
            unit: DefinedName::from(unit),
        }
    }
}

/// All balances of a plan at a moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Balances(BTreeMap<BalanceKey, Decimal>);

impl Balances {
    /// What is owed.
    pub(super) fn of(&self, key: &BalanceKey) -> Decimal {
        self.0.get(key).copied().unwrap_or_default()
    }

    /// Adds what a row changes, if it is one of a draw that is recovered or carried.
    pub(super) fn add_row(&mut self, plan: &Plan, row: &EarnedReward) {
        let recoverable =
            |name: &str| plan.draws.iter().any(|draw| draw.recoverable && *draw.name == *name);
        let counts = match row.origin {
            RewardOrigin::Carried => true,
            RewardOrigin::Draw | RewardOrigin::Retro => recoverable(&row.reward),
            RewardOrigin::Calculated | RewardOrigin::Manual => false,
        };
        if !counts {
            return;
        }

        let key = BalanceKey::new(&row.reward, &row.payee, &row.unit_type);
        let owed = self.0.entry(key).or_default();
        *owed = owed.saturating_add(row.amount);
    }

    /// The balances after a period, with what it changed; those that are settled and stay so are
    /// left out.
    pub(super) fn rows_since(
        &self,
        before: &Balances,
        (plan, period): (&str, &str),
    ) -> Vec<PayeeBalance> {
        let moved = self.0.iter().filter_map(|(key, balance)| {
            let mut opening = before.of(key);
            // What was never owed has the decimals of its unit as well.
            opening.rescale(balance.scale());
            let change = balance.saturating_sub(opening);
            let is_settled = balance.is_zero() && change.is_zero();
            (!is_settled).then(|| PayeeBalance {
                plan: PlanKey::from(plan),
                period: PeriodKey::from(period),
                payee: key.payee,
                name: key.name,
                opening,
                change,
                balance: *balance,
                unit_type: key.unit,
            })
        });
        moved.collect()
    }
}

/// The rows that carry what would be below zero to later periods, or recover it from this one.
///
/// `rows` are all others that count for the period. Who gave back more than is owed by now, because a
/// period before a frozen one changed, has it returned, with or without other rows.
pub(super) fn carried_rows(
    scope: &PlanPeriod<'_>,
    rows: &[EarnedReward],
    owed: &Balances,
) -> Vec<EarnedReward> {
    let mut totals: BTreeMap<(ParticipantKey, DefinedName), Decimal> = BTreeMap::new();
    for row in rows {
        let total = totals.entry((row.payee, row.unit_type)).or_default();
        *total = total.saturating_add(row.amount);
    }

    let overpaid =
        owed.0.iter().filter(|(key, owed)| key.name == *CARRIED && **owed < Decimal::ZERO);
    for (key, _) in overpaid {
        totals.entry((key.payee, key.unit)).or_default();
    }

    let mut carried = Vec::new();
    for ((payee, unit), total) in totals {
        let owed = owed.of(&BalanceKey::new(CARRIED, &payee, &unit));
        // What is owed afterwards is what the period leaves of it, and never below zero.
        let left = owed.saturating_sub(total).max(Decimal::ZERO);
        let amount = left.saturating_sub(owed);
        if amount.is_zero() {
            continue;
        }

        let (plan, period) = (&scope.plan.id, scope.period.id.as_str());
        let zero = total.saturating_sub(total);
        carried.push(EarnedReward {
            id: RewardId::from(reward_id(&[plan, period, CARRIED, &payee, "", &unit, CARRIED])),
            plan: PlanKey::from(plan),
            period: PeriodKey::from(period),
            reward: DefinedName::from(CARRIED),
            payee,
            team: None,
            credit_type: DefinedName::default(),
            credited: zero,
            credited_unit_type: unit,
            quota: None,
            attainment: None,
            amount,
            unit_type: unit,
            credits: Vec::new(),
            origin: RewardOrigin::Carried,
            corrects: None,
        });
    }
    carried
}
