//! Rewards that were frozen with a finalized period, held against the ledger and the rules of then.
//!
//! What a reward counted must be the sum of the credits that it names, which are frozen as well; and a
//! reward of plain tiers must be what its tiers give for that. Rewards to date, with a maximum, of
//! teams, in another currency or worked out by a program follow from more than their row tells, so
//! of these only the sum is checked.
//!
//! **Architecture invariant:** a difference that is reported is one: what cannot be known is left out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use accredit_domain::calendar::LockedPeriods;
use accredit_domain::credit::CreditId;
use accredit_domain::decision::{EarnedReward, FrozenRewards, RewardOrigin};
use accredit_domain::money;
use accredit_domain::plan::reward::{PayoutFormula, RewardRecipient};
use accredit_ledger::Ledger;
use accredit_ledger::record::TransactionRecord;
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;
use rust_decimal::Decimal;

/// A credit in a finalized period: its amount and its unit.
type FrozenAmount = (Decimal, Arc<str>);

/// The frozen rewards of a ledger, and the credits that they name.
pub(super) struct PaidRewards {
    frozen: Vec<FrozenRewards>,
    /// The period that was asked for: of a longer one, all that lie in it.
    period: Option<String>,
    /// Of the credits that a row names, those that are found in a finalized period.
    amounts: HashMap<CreditId, Option<FrozenAmount>>,
}

/// A reward that is not as it follows from the ledger.
pub(super) struct WrongReward {
    pub(super) plan: String,
    pub(super) ruleset: String,
    pub(super) message: String,
}

impl PaidRewards {
    /// Those of `plan` in `period`, or of all.
    pub(super) fn read(
        ledger: &Ledger,
        (plan, period): (Option<&str>, Option<&str>),
    ) -> Result<PaidRewards, StoreError> {
        let plans: BTreeSet<String> =
            ledger.calculation_summaries()?.into_keys().map(|(plan, _)| plan).collect();

        let mut frozen = Vec::new();
        for known in plans.iter().filter(|known| plan.is_none_or(|plan| plan == **known)) {
            match ledger.frozen_rewards(known) {
                // It is among the damage.
                Err(StoreError::Damaged(_)) => (),
                found => frozen.extend(found?),
            }
        }
        let rows = frozen.iter().flat_map(|one| &one.rows);
        let amounts = rows.flat_map(|row| row.credits.iter().map(|id| (*id, None))).collect();
        Ok(PaidRewards { frozen, period: period.map(str::to_owned), amounts })
    }

    /// Remembers the credits of some transactions that are named by a reward.
    pub(super) fn note_credits(&mut self, page: &[TransactionRecord], locked: &LockedPeriods) {
        let decisions = page.iter().flat_map(|record| &record.decisions);
        for credit in decisions.flat_map(|decision| &decision.credits) {
            if !locked.finalized.contains(&*credit.period) {
                continue;
            }
            if let Some(amount) = self.amounts.get_mut(&credit.id) {
                *amount = Some((credit.amount, Arc::clone(credit.unit_type.shared())));
            }
        }
    }

    /// How many rewards were looked at, and those that are wrong. `rules` rebuilds a ruleset.
    pub(super) fn find_wrong(
        &self,
        mut rules: impl FnMut(&str) -> Result<Option<Arc<Ruleset>>, StoreError>,
    ) -> Result<(u64, Vec<WrongReward>), StoreError> {
        let (mut count, mut wrong) = (0, Vec::new());

        for frozen in &self.frozen {
            let ruleset = rules(&frozen.ruleset)?;
            if !self.is_selected(frozen, ruleset.as_deref()) {
                continue;
            }
            let calculated =
                frozen.rows.iter().filter(|row| row.origin == RewardOrigin::Calculated);
            for row in calculated {
                count += 1;
                let sum = self.credited_sum(row);
                let worth = ruleset.as_deref().and_then(|ruleset| plain_worth(ruleset, row));
                if let Some(message) = wrong_amount(row, sum, worth) {
                    let (plan, ruleset) = (row.plan.to_string(), frozen.ruleset.to_string());
                    wrong.push(WrongReward { plan, ruleset, message });
                }
            }
        }

        Ok((count, wrong))
    }

    fn is_selected(&self, frozen: &FrozenRewards, ruleset: Option<&Ruleset>) -> bool {
        let Some(wanted) = self.period.as_deref() else { return true };
        if *frozen.period == *wanted {
            return true;
        }
        let calendar = ruleset.map(|ruleset| &ruleset.settings.calendar);
        let inside = calendar.and_then(|calendar| {
            let own = calendar.find(&frozen.period)?;
            Some(calendar.find(wanted)?.contains(own.first))
        });
        inside == Some(true)
    }

    /// The sum of the credits of a row; none where one of them is not in a finalized period.
    fn credited_sum(&self, row: &EarnedReward) -> Option<Decimal> {
        let mut sum = Decimal::ZERO;
        for id in &row.credits {
            let (amount, unit) = self.amounts.get(id)?.as_ref()?;
            if **unit != *row.credited_unit_type {
                return None;
            }
            sum = sum.checked_add(*amount)?;
        }
        Some(sum).filter(|_| !row.credits.is_empty())
    }
}

/// What plain tiers give for what a row counted; none where the row does not tell all.
fn plain_worth(ruleset: &Ruleset, row: &EarnedReward) -> Option<Decimal> {
    let plan = ruleset.plans.get(row.plan.as_str())?;
    let named: BTreeMap<&str, _> = plan.rewards.iter().map(|one| (&*one.name, one)).collect();
    let reward = named.get(row.reward.as_str())?;

    let PayoutFormula::Tiers(tiers) = &reward.worth else { return None };
    let plain = reward.to == RewardRecipient::Credited
        && reward.to_date.is_none()
        && reward.maximum.is_none()
        && row.unit_type == row.credited_unit_type;
    if !plain {
        return None;
    }

    let unit = ruleset.settings.units.find(&row.unit_type)?;
    let exact = tiers.payout_for(row.credited, row.quota).ok()?;
    Some(money::round_to_scale(exact, unit.scale))
}

/// What is wrong with a row, if something is.
fn wrong_amount(
    row: &EarnedReward,
    sum: Option<Decimal>,
    worth: Option<Decimal>,
) -> Option<String> {
    let EarnedReward { reward, payee, period, credited, amount, unit_type, .. } = row;
    let about = format!("reward `{reward}` of `{payee}` in {period}");

    if let Some(sum) = sum.filter(|sum| sum != credited) {
        return Some(format!("{about} counted {credited}, and its credits sum to {sum}"));
    }
    let worth = worth.filter(|worth| worth != amount)?;
    Some(format!("{about} was paid {amount} {unit_type}, and its tiers give {worth}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_reward_follows_from_its_credits_and_its_tiers() {
        let row = json!({
            "id": "rwd_1", "plan": "reps", "period": "2026-01", "reward": "Commission",
            "payee": "ann", "team": null, "credit_type": "credit", "credited": "1000.00",
            "credited_unit_type": "USD", "quota": null, "attainment": null, "amount": "100.00",
            "unit_type": "USD", "credits": [], "origin": "calculated", "corrects": null,
        });
        let row: EarnedReward = serde_json::from_value(row).unwrap();
        let number = |text: &str| Some(text.parse::<Decimal>().unwrap());

        assert_eq!(wrong_amount(&row, None, None), None);
        assert_eq!(wrong_amount(&row, number("1000"), number("100.00")), None);
        let counted = wrong_amount(&row, number("900.00"), number("100.00")).unwrap();
        assert!(counted.contains("counted 1000.00, and its credits sum to 900.00"), "{counted}");
        let paid = wrong_amount(&row, number("1000.00"), number("90.00")).unwrap();
        assert!(paid.contains("was paid 100.00 USD, and its tiers give 90.00"), "{paid}");
    }
}
