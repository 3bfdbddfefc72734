//! How far payees are in the tiers of their published rewards.
//!
//! Not the tiers themselves (`crediting::reward`) and not the rewards (`published`). Called by
//! `http::me::progress`. Source: DOMAIN 2.18, INV-V1, REWARDS.
//!
//! **Architecture invariant:** amounts are those of published statements, and tiers those of the rules
//! that a statement was published by: what is decided or changed since is in neither.

use accredit_crediting::reward::{self, NextTier, ReachedTier};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{EarnedReward, RewardOrigin};
use accredit_domain::keys::{DefinedName, PeriodKey, PlanKey, TeamKey};
use accredit_domain::plan::reward::TierRange;
use accredit_ledger::definitions::Activation;
use accredit_ledger::releases::{ReleaseStatus, Statement};
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;
use rust_decimal::Decimal;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

use crate::context::Context;
use crate::error::OperationError;
use crate::explain;
use crate::principal::PayeeScope;
use crate::published;

/// How tiers are paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TierKind {
    /// Each part by the rate of the tier that it is in.
    Cumulative,
    /// All of it by the rate of the tier that is reached.
    Retroactive,
}

impl TierKind {
    /// That of these tiers.
    pub(crate) fn of(reached: &ReachedTier) -> TierKind {
        if reached.retroactive { TierKind::Retroactive } else { TierKind::Cumulative }
    }
}

/// How far one published reward is in its tiers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TierProgress {
    /// Id of the plan.
    pub plan: PlanKey,
    /// The plan's name for people.
    pub plan_name: String,
    /// Id of the period.
    pub period: PeriodKey,
    /// Name of the reward.
    pub reward: DefinedName,
    /// The team whose credits these are; null where people are credited.
    pub team: Option<TeamKey>,
    /// The credit types that count, joined by `;`.
    pub credit_type: DefinedName,
    /// The sum of the credits that count; to date where the reward is.
    pub credited: Decimal,
    /// The unit of `credited`, of the quota and of the tiers.
    pub credited_unit_type: DefinedName,
    /// What was expected; null without a quota.
    pub quota: Option<Decimal>,
    /// `credited` as a share of the quota, four decimals.
    pub attainment: Option<Decimal>,
    /// What is paid for the period.
    pub amount: Decimal,
    /// The unit of `amount`.
    pub unit_type: DefinedName,
    /// Whether the amounts of the statement are certain.
    pub confirmed: bool,
    /// How the tiers are paid; null where the rules of the release are not known any more.
    pub kind: Option<TierKind>,
    /// `quarter` or `year` where credits are summed since its beginning; null for the period alone.
    pub to_date: Option<&'static str>,
    /// Whether the reward has a maximum beside its tiers.
    pub has_maximum: bool,
    /// Every tier, upwards; empty where the rules of the release are not known any more.
    pub tiers: Vec<TierRange>,
    /// The place of the tier that is reached, from 0.
    pub tier: Option<usize>,
    /// What the next tier asks for; null in the last one.
    pub next_tier: Option<NextTier>,
}

/// The rewards with tiers of published statements, in the order of these; of the statements that
/// `wanted` admits.
///
/// # Errors
/// When the data cannot be read.
pub fn tier_progress(
    context: &Context,
    scope: &PayeeScope,
    wanted: impl Fn(&Statement) -> bool,
) -> Result<Vec<TierProgress>, OperationError> {
    let all = published::published_statements(context, scope, None)?;
    let activations = context.ledger.list_activations()?;
    let mut found = Vec::new();

    for statement in all.iter().filter(|one| wanted(one)) {
        let rules = rules_of_release(context, &activations, statement)?;
        // A reward to date has the credits of earlier periods, which are on other statements.
        let of_plan = all.iter().filter(|other| other.plan == statement.plan);
        let credits: Vec<PostedCredit> =
            of_plan.flat_map(|other| &other.credits).cloned().collect();

        let rows = statement.rewards.iter().filter(|row| row.origin == RewardOrigin::Calculated);
        for row in rows {
            found.extend(progress_of_row(rules.as_deref(), statement, row, &credits));
        }
    }
    Ok(found)
}

/// The progress of one row; none of a reward without tiers.
fn progress_of_row(
    rules: Option<&Ruleset>,
    statement: &Statement,
    row: &EarnedReward,
    credits: &[PostedCredit],
) -> Option<TierProgress> {
    let reached = rules.map(|rules| reward::reached_tier(rules, row, credits));
    // By rules that are known it is no reward with tiers; by others that cannot be said.
    if matches!(reached, Some(None)) {
        return None;
    }
    let reached = reached.flatten();
    let plan = rules.and_then(|rules| rules.plans.get(row.plan.as_str()));

    Some(TierProgress {
        plan: row.plan,
        plan_name: plan.map_or_else(|| row.plan.to_string(), |plan| plan.name.clone()),
        period: row.period,
        reward: row.reward,
        team: row.team,
        credit_type: row.credit_type,
        credited: row.credited,
        credited_unit_type: row.credited_unit_type,
        quota: row.quota,
        attainment: row.attainment,
        amount: row.amount,
        unit_type: row.unit_type,
        confirmed: statement.status == ReleaseStatus::Confirmed,
        kind: reached.as_ref().map(TierKind::of),
        to_date: reached.as_ref().and_then(|one| one.to_date).map(|kind| kind.name()),
        has_maximum: reached.as_ref().is_some_and(|one| one.has_maximum),
        tier: reached.as_ref().map(|one| one.index),
        next_tier: reached.as_ref().and_then(|one| one.next),
        tiers: reached.map(|one| one.tiers).unwrap_or_default(),
    })
}

/// The rules that a statement was published by; none where this version of the program cannot build
/// them again.
fn rules_of_release(
    context: &Context,
    activations: &[Activation],
    statement: &Statement,
) -> Result<Option<Arc<Ruleset>>, StoreError> {
    if !statement.ruleset.is_empty() {
        return Ok(explain::ruleset_of(context, &statement.ruleset).ok());
    }

    // Statements of an earlier version of the program name no ruleset.
    let release = context.ledger.find_release(&statement.plan, &statement.period)?;
    let Some(at_ms) = release.as_ref().and_then(|one| one.last_act()).map(|act| act.at_ms) else {
        return Ok(None);
    };

    let then = activations.iter().rfind(|one| one.at_ms <= at_ms);
    Ok(then.and_then(|one| explain::ruleset_of(context, &one.ruleset).ok()))
}
