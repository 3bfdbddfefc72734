//! What payees earn: the rewards of a period, the rows that correct frozen periods, and balances.
//!
//! Not how an amount is computed (`crediting::reward`). Called by calculations, releases and
//! statements. Source: FORMAT section 6, REWARDS sections 1 and 6.
//!
//! **Architecture invariant:** an amount is stated once: a row of a frozen period never changes, and
//! what differs later is another row, which names the period that it corrects.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::credit::CreditId;
use crate::keys::{
    DefinedName, ParticipantKey, PeriodKey, PlanKey, RewardId, RulesetHash, TeamKey,
};
use crate::words::words;

/// Why a payee has a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum RewardOrigin {
    /// A reward of the plan, computed in its own period.
    #[default]
    Calculated,
    /// A draw, a guarantee, or what is recovered of a draw.
    Draw,
    /// What would have been below zero and is carried to later periods, or is recovered from them.
    Carried,
    /// The difference that a frozen period would make by what is known now.
    Retro,
    /// Added by a person.
    Manual,
}

impl RewardOrigin {
    /// Every origin.
    const ALL: [RewardOrigin; 5] = [
        RewardOrigin::Calculated,
        RewardOrigin::Draw,
        RewardOrigin::Carried,
        RewardOrigin::Retro,
        RewardOrigin::Manual,
    ];

    /// The word in results.
    pub fn as_str(self) -> &'static str {
        match self {
            RewardOrigin::Calculated => "calculated",
            RewardOrigin::Draw => "draw",
            RewardOrigin::Carried => "carried",
            RewardOrigin::Retro => "retro",
            RewardOrigin::Manual => "manual",
        }
    }

    /// The origin with this name.
    pub fn parse(name: &str) -> Option<RewardOrigin> {
        Self::ALL.into_iter().find(|origin| origin.as_str() == name)
    }
}

words! {
    RewardOrigin, "an origin of rewards";
}

/// What one payee earns in a period by one reward of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EarnedReward {
    /// A hash of plan, period, reward, payee, team, the unit of the credits and, where it corrects
    /// one, that period, so that a re-run renames nothing.
    pub id: RewardId,
    /// The plan.
    pub plan: PlanKey,
    /// The period in which the row counts.
    pub period: PeriodKey,
    /// Name of the reward or draw.
    pub reward: DefinedName,
    /// The participant who is paid.
    pub payee: ParticipantKey,
    /// The team whose credits these are; none where people are credited.
    pub team: Option<TeamKey>,
    /// The credit types that count, joined by `;`.
    pub credit_type: DefinedName,
    /// The sum of their active credits, in `credited_unit_type`; to date where the reward is.
    pub credited: Decimal,
    /// The unit of the credits.
    pub credited_unit_type: DefinedName,
    /// What was expected, in the unit of the credits; none without a quota.
    pub quota: Option<Decimal>,
    /// `credited` as a share of the quota, four decimals.
    pub attainment: Option<Decimal>,
    /// What is paid, in `unit_type`, at the unit's scale.
    pub amount: Decimal,
    /// The payee's currency; the unit of the credits if it cannot be exchanged or the payee has no
    /// currency.
    pub unit_type: DefinedName,
    /// Ids of the credits that count, in order.
    pub credits: Vec<CreditId>,
    /// Why the row exists.
    #[serde(default)]
    #[schema(required = true)]
    pub origin: RewardOrigin,
    /// The frozen period that the row corrects; none unless the origin is `retro`.
    #[serde(default)]
    pub corrects: Option<PeriodKey>,
}

/// The columns of a reward, in order.
pub const REWARD_COLUMNS: [&str; 16] = [
    "id",
    "plan",
    "period",
    "reward",
    "payee",
    "team",
    "credit_type",
    "credited",
    "credited_unit_type",
    "quota",
    "attainment",
    "amount",
    "unit_type",
    "credits",
    "origin",
    "corrects",
];

/// The rewards of a plan in a period as they were confirmed or finalized: they never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenRewards {
    /// The plan.
    pub plan: PlanKey,
    /// The period by which the plan is calculated.
    pub period: PeriodKey,
    /// The ruleset that computed the rows.
    pub ruleset: RulesetHash,
    /// When it was frozen, in milliseconds since 1970.
    pub at_ms: i64,
    /// The rows, those that correct earlier periods included.
    pub rows: Vec<EarnedReward>,
    /// What was owed at the end of the period.
    pub balances: Vec<PayeeBalance>,
}

/// What a payee owes at the end of a period: an unrecovered draw, or an amount below zero that is
/// carried. Never stored by hand: it follows from the rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PayeeBalance {
    /// The plan.
    pub plan: PlanKey,
    /// The period at whose end this is owed.
    pub period: PeriodKey,
    /// The participant who owes it.
    pub payee: ParticipantKey,
    /// The name of the draw; `carried` for amounts below zero.
    pub name: DefinedName,
    /// What was owed when the period began, in `unit_type`.
    pub opening: Decimal,
    /// What the period added, negative where it was recovered.
    pub change: Decimal,
    /// What is owed when the period ends; never below zero.
    pub balance: Decimal,
    /// The unit of the three amounts.
    pub unit_type: DefinedName,
}

/// The columns of a balance, in order.
pub const BALANCE_COLUMNS: [&str; 8] =
    ["plan", "period", "payee", "name", "opening", "change", "balance", "unit_type"];
