//! The rewards, balances and quotas that a change moves, one by one.
//!
//! Not their sums by payee, which limits are compared with (`limits`). Source: REWARDS section 9.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MoneyLine;
use crate::decision::RewardOrigin;

/// Lines of each kind that are kept and answered at most.
const LINES_MAX: usize = 1000;

/// What differs in rewards, balances and quotas.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RewardDetails {
    /// Rewards that differ, the biggest difference first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reward_lines: Vec<RewardLine>,
    /// Balances that differ at the end of the last period, the biggest difference first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub balance_lines: Vec<BalanceLine>,
    /// Quotas that differ, in order of payees.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quota_lines: Vec<QuotaLine>,
    /// The sums of each payee over all plans and periods, the biggest difference first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rewards_by_payee: Vec<MoneyLine>,
    /// By position that others report to, directly or not, on the last day of each period.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rewards_by_manager: Vec<MoneyLine>,
    /// How many lines are left out, since there are more than 1,000 of a kind.
    #[serde(skip_serializing_if = "is_zero")]
    pub lines_left_out: usize,
}

/// A reward before and after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RewardLine {
    /// Participant id, as it is now.
    pub payee: String,
    /// The id of the plan.
    pub plan: String,
    /// The period in which it is paid.
    pub period: String,
    /// The reward or draw.
    pub reward: String,
    /// How it comes into its period: `retro` for what corrects a period that was paid.
    pub origin: RewardOrigin,
    /// The period that it corrects.
    pub corrects: Option<String>,
    /// Unit of the amounts.
    pub unit_type: String,
    /// The amount now.
    pub before: Decimal,
    /// The amount after the change.
    pub after: Decimal,
    /// What is added, negative for what is taken away.
    pub difference: Decimal,
}

/// A balance before and after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BalanceLine {
    /// Participant id, as it is now.
    pub payee: String,
    /// The id of the plan.
    pub plan: String,
    /// The draw, or `carried` for amounts below zero.
    pub name: String,
    /// Unit of the amounts.
    pub unit_type: String,
    /// What is owed now.
    pub before: Decimal,
    /// What is owed after the change.
    pub after: Decimal,
    /// What is added to it.
    pub difference: Decimal,
}

/// A quota before and after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuotaLine {
    /// Participant id, as it is now.
    pub payee: String,
    /// The id of the plan.
    pub plan: String,
    /// The period of the quota.
    pub period: String,
    /// The reward that is measured by it.
    pub reward: String,
    /// What is expected now; none without a quota.
    pub before: Option<Decimal>,
    /// What is expected after the change.
    pub after: Option<Decimal>,
}

impl RewardDetails {
    /// Whether nothing differs.
    pub fn is_none(&self) -> bool {
        self.reward_lines.is_empty() && self.balance_lines.is_empty() && self.quota_lines.is_empty()
    }

    /// The same with the biggest differences first, and no more lines than are answered.
    #[must_use]
    pub fn limited(mut self) -> RewardDetails {
        // Stable: equal differences stay in order of plans, periods and payees.
        self.reward_lines.sort_by_key(|line| std::cmp::Reverse(line.difference.abs()));
        self.balance_lines.sort_by_key(|line| std::cmp::Reverse(line.difference.abs()));
        self.quota_lines.sort_by(|one, other| {
            (&one.payee, &one.plan, &one.period).cmp(&(&other.payee, &other.plan, &other.period))
        });

        for sums in [&mut self.rewards_by_payee, &mut self.rewards_by_manager] {
            sums.sort_by_key(|line| std::cmp::Reverse(line.difference.abs()));
        }

        let lines =
            cut(&mut self.reward_lines) + cut(&mut self.balance_lines) + cut(&mut self.quota_lines);
        let sums = cut(&mut self.rewards_by_payee) + cut(&mut self.rewards_by_manager);
        self.lines_left_out += lines + sums;
        self
    }
}

/// Cuts a list to the lines that are answered; gives how many are left out.
fn cut<T>(lines: &mut Vec<T>) -> usize {
    let left_out = lines.len().saturating_sub(LINES_MAX);
    lines.truncate(LINES_MAX);
    left_out
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}
