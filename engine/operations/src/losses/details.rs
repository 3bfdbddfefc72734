//! Two reward books of a plan, row by row: rewards, balances and quotas that differ.
//!
//! Not the sums by payee (`losses`), which limits are compared with. Source: REWARDS section 9.
//!
//! **Architecture invariant:** the differences of the rows of a payee add up to that of the payee.

use std::collections::BTreeMap;

use accredit_crediting::reward::RewardBook;
use accredit_domain::decision::{EarnedReward, PayeeBalance, RewardOrigin};
use accredit_domain::limits::{BalanceLine, QuotaLine, RewardDetails, RewardLine};
use accredit_workspace::Ruleset;
use rust_decimal::Decimal;

use super::present_id;

/// What names a row: payee, period, reward, origin, corrected period, unit.
type RowKey = (String, String, String, RewardOrigin, Option<String>, String);

/// An amount before and after; nothing where there is no row.
type BeforeAndAfter = (Option<Decimal>, Option<Decimal>);

/// Adds what differs between the books of one plan, before and after `new` is in force.
pub(super) fn add_differences(
    details: &mut RewardDetails,
    new: &Ruleset,
    (before, after): (&RewardBook, &RewardBook),
) {
    let rows = paired((before, after), Decimal::saturating_add, |row| {
        Some((row_key(new, row), row.amount))
    });
    for ((plan, key), (before, after)) in rows {
        let (payee, period, reward, origin, corrects, unit_type) = key;
        let (before, after) = with_zero(before, after);
        let difference = after.saturating_sub(before);
        if !difference.is_zero() {
            let line = RewardLine {
                payee,
                plan,
                period,
                reward,
                origin,
                corrects,
                unit_type,
                before,
                after,
                difference,
            };
            details.reward_lines.push(line);
        }
    }

    // A payee with credits in two units has the quota in both rows, and once.
    let quotas =
        paired((before, after), |first, _| first, |row| Some((row_key(new, row), row.quota?)));
    for ((plan, (payee, period, reward, ..)), (before, after)) in quotas {
        if before != after {
            let line = QuotaLine { payee, plan, period, reward, before, after };
            details.quota_lines.push(line);
        }
    }

    add_balances(details, new, (before, after));
}

/// Rows of both books by plan and key: the amounts of rows with one key are combined.
fn paired(
    (before, after): (&RewardBook, &RewardBook),
    combine: fn(Decimal, Decimal) -> Decimal,
    read: impl Fn(&EarnedReward) -> Option<(RowKey, Decimal)>,
) -> BTreeMap<(String, RowKey), BeforeAndAfter> {
    let mut pairs: BTreeMap<(String, RowKey), BeforeAndAfter> = BTreeMap::new();
    for (book, is_after) in [(before, false), (after, true)] {
        for row in book.periods().flat_map(|known| &known.rewards.rows) {
            let Some((key, amount)) = read(row) else { continue };
            let pair = pairs.entry((row.plan.to_string(), key)).or_default();
            let side = if is_after { &mut pair.1 } else { &mut pair.0 };
            *side = Some(side.map_or(amount, |known| combine(known, amount)));
        }
    }
    pairs
}

/// Both amounts; one that is not there is zero, with the decimals of the other.
fn with_zero(before: Option<Decimal>, after: Option<Decimal>) -> (Decimal, Decimal) {
    let scale = before.or(after).map_or(0, |known| known.scale());
    let zero = Decimal::new(0, scale);
    (before.unwrap_or(zero), after.unwrap_or(zero))
}

fn row_key(new: &Ruleset, row: &EarnedReward) -> RowKey {
    (
        present_id(new, &row.payee),
        row.period.to_string(),
        row.reward.to_string(),
        row.origin,
        row.corrects.as_ref().map(ToString::to_string),
        row.unit_type.to_string(),
    )
}

/// Balances at the end of the last period of each book.
fn add_balances(
    details: &mut RewardDetails,
    new: &Ruleset,
    (before, after): (&RewardBook, &RewardBook),
) {
    let key = |owed: &PayeeBalance| {
        let payee = present_id(new, &owed.payee);
        (owed.plan.to_string(), payee, owed.name.to_string(), owed.unit_type.to_string())
    };

    let mut pairs: BTreeMap<_, BeforeAndAfter> = BTreeMap::new();
    for (book, is_after) in [(before, false), (after, true)] {
        let last = book.periods().last();
        for owed in last.into_iter().flat_map(|known| &known.rewards.balances) {
            let pair = pairs.entry(key(owed)).or_default();
            let side = if is_after { &mut pair.1 } else { &mut pair.0 };
            *side = Some(side.unwrap_or_default().saturating_add(owed.balance));
        }
    }

    for ((plan, payee, name, unit_type), (before, after)) in pairs {
        let (before, after) = with_zero(before, after);
        let difference = after.saturating_sub(before);
        if !difference.is_zero() {
            let line = BalanceLine { payee, plan, name, unit_type, before, after, difference };
            details.balance_lines.push(line);
        }
    }
}
