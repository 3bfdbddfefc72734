//! How much money a change of definitions moves, and how much it may.
//!
//! Not the comparison itself: `impact` makes it. The ledger keeps the limit with a change that waits,
//! and what moved with an activation.

mod details;

use std::collections::BTreeMap;
use std::fmt;

pub use details::{BalanceLine, QuotaLine, RewardDetails, RewardLine};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::money::add_to_total;

/// Payees that a record of moved money names.
const BIGGEST_MAX: usize = 10;

/// Payees that a sentence names.
const NAMED_MAX: usize = 3;

/// Where a sum stops an activation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// All that moves, in either direction, in one unit type.
    pub max_total: Option<Decimal>,
    /// What one payee gains or loses in one unit type.
    pub max_payee: Option<Decimal>,
}

impl Limits {
    /// Which limit is exceeded, in words, by what moves for each payee in each unit type; none when
    /// all of it stays within.
    pub fn exceeded<'a>(
        &self,
        moved: impl Iterator<Item = (&'a str, &'a str, Decimal)>,
    ) -> Option<String> {
        let mut total: BTreeMap<&str, Decimal> = BTreeMap::new();

        for (payee, unit, difference) in moved {
            let difference = difference.abs();
            if let Some(most) = self.max_payee.filter(|most| difference > *most) {
                return Some(format!("{difference} {unit} move for `{payee}`, more than {most}"));
            }
            // Without its sign: what one payee gains must not hide what another one loses.
            add_to_total(total.entry(unit).or_default(), difference);
        }

        let over = |(unit, moved): (&str, Decimal)| {
            let most = self.max_total.filter(|most| moved > *most)?;
            Some(format!("{moved} {unit} move in all, more than {most}"))
        };

        total.into_iter().find_map(over)
    }
}

/// An amount before and after a change; both include what is held.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MoneyLine {
    /// Of whom or what; blank for all.
    pub name: String,
    /// Unit type of the amounts.
    pub unit_type: String,
    /// By the rules that decided.
    pub before: Decimal,
    /// The amount under the new rules.
    pub after: Decimal,
    /// The difference between the two amounts.
    pub difference: Decimal,
    /// What of `before` is held.
    pub held_before: Decimal,
    /// What of `after` is held.
    pub held_after: Decimal,
}

impl MoneyLine {
    /// Adds the amounts of another one.
    pub fn add(&mut self, other: &MoneyLine) {
        let parts = [
            (&mut self.before, other.before),
            (&mut self.after, other.after),
            (&mut self.difference, other.difference),
            (&mut self.held_before, other.held_before),
            (&mut self.held_after, other.held_after),
        ];
        for (total, part) in parts {
            add_to_total(total, part);
        }
    }
}

impl fmt::Display for MoneyLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MoneyLine { unit_type, before, after, difference, .. } = self;
        write!(f, "{before} {unit_type} before, {after} after, difference {difference}")?;
        if self.held_before != self.held_after {
            write!(f, ", held {} before, {} after", self.held_before, self.held_after)?;
        }
        Ok(())
    }
}

/// Money of one kind that a change moves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct MovedMoney {
    /// How many payees have another amount.
    #[schema(required = true)]
    pub payees: usize,
    /// The amounts of those payees added up, a line a unit type.
    #[schema(required = true)]
    pub total: Vec<MoneyLine>,
    /// The payees with the biggest differences, the biggest first.
    #[schema(required = true)]
    pub biggest: Vec<MoneyLine>,
    /// Plans whose sums differ, also where no payee has another amount.
    #[schema(required = true)]
    pub by_plan: Vec<MoneyLine>,
    /// Credit types whose sums differ, also where no payee has another amount.
    #[schema(required = true)]
    pub by_credit_type: Vec<MoneyLine>,
}

impl MovedMoney {
    /// From the lines of all payees who have another amount.
    pub fn of(mut by_payee: Vec<MoneyLine>) -> MovedMoney {
        let mut total: BTreeMap<String, MoneyLine> = BTreeMap::new();
        let mut payees: Vec<&str> = by_payee.iter().map(|line| line.name.as_str()).collect();
        payees.sort_unstable();
        payees.dedup();
        let payees = payees.len();

        for line in &by_payee {
            let unit_type = line.unit_type.clone();
            let none = || MoneyLine { unit_type: unit_type.clone(), ..MoneyLine::default() };
            total.entry(unit_type.clone()).or_insert_with(none).add(line);
        }

        // Stable: equal differences stay in order of their names.
        by_payee.sort_by_key(|line| std::cmp::Reverse(line.difference.abs()));
        by_payee.truncate(BIGGEST_MAX);

        let total = total.into_values().collect();
        MovedMoney { payees, total, biggest: by_payee, ..MovedMoney::default() }
    }

    /// Whether no amount changes.
    pub fn is_none(&self) -> bool {
        self.payees == 0 && self.by_plan.is_empty() && self.by_credit_type.is_empty()
    }
}

impl fmt::Display for MovedMoney {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.payees == 0 {
            let sums = self.by_plan.iter().chain(&self.by_credit_type);
            let sums = sums.map(|line| format!("`{}` {line}", line.name));
            return f.write_str(&sums.collect::<Vec<_>>().join("; "));
        }

        let total = self.total.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let payees = if self.payees == 1 { "payee" } else { "payees" };
        write!(f, "{} {payees}: {total}", self.payees)?;

        let named = self.biggest.iter().take(NAMED_MAX);
        let named = named.map(|line| {
            let MoneyLine { name, unit_type, before, after, .. } = line;
            format!("`{name}` {after} instead of {before} {unit_type}")
        });
        write!(f, "; {}", named.collect::<Vec<_>>().join(", "))?;
        if self.biggest.len() > NAMED_MAX {
            f.write_str(", …")?;
        }
        Ok(())
    }
}

/// What a change of definitions moves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct MoneyEffect {
    /// What the recorded deals of open periods are credited. A change that is effective `now`
    /// leaves existing credits alone: then these are the results of the same deals under its rules.
    #[schema(required = true)]
    pub credits: MovedMoney,
    /// What the credits that exist are rewarded with.
    #[schema(required = true)]
    pub rewards: MovedMoney,
    /// The rewards, balances and quotas that differ, one by one.
    #[serde(flatten)]
    pub details: RewardDetails,
}

impl MoneyEffect {
    /// Whether no amount changes.
    pub fn is_none(&self) -> bool {
        self.credits.is_none() && self.rewards.is_none() && self.details.is_none()
    }
}

impl fmt::Display for MoneyEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [("credits", &self.credits), ("rewards", &self.rewards)];
        let parts = parts.iter().filter(|(_, moved)| !moved.is_none());
        let parts: Vec<String> = parts.map(|(kind, moved)| format!("{kind} of {moved}")).collect();
        if parts.is_empty() {
            f.write_str("no money moves")
        } else {
            f.write_str(&parts.join("; "))
        }
    }
}
