//! The reward books of plans, out of stored credits and frozen rewards.
//!
//! Not computing them (`crediting::reward`). Called by calculations, by releases, by the comparison of
//! money and by alerts. Source: REWARDS section 1.
//!
//! **Architecture invariant:** nothing here writes. A frozen period is recomputed by the rules that it
//! was confirmed by, or by later ones that were meant to reach it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use accredit_crediting::posting;
use accredit_crediting::reward::{self, BookInputs, FrozenPeriod, RewardBook};
use accredit_domain::calendar::Period;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Decision, FrozenRewards};
use accredit_domain::keys::PeriodKey;
use accredit_domain::transaction::Decoder;
use accredit_ledger::definitions::{Activation, Effective};
use accredit_ledger::record::TransactionRecord;
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;

use crate::calculations::leaf_ids;
use crate::context::Context;
use crate::explain;
use crate::manual_rewards;

/// Credits that count, by plan and leaf period.
pub(crate) type CreditsByPlan = BTreeMap<String, BTreeMap<String, Vec<PostedCredit>>>;

/// The rules of a book: those in force, or those that are compared with them.
#[derive(Clone, Copy)]
pub(crate) struct BookRules<'a> {
    /// The rules of open periods.
    pub(crate) ruleset: &'a Ruleset,
    /// How they would take effect, if they are not in force yet: from a date on they count for
    /// frozen periods too.
    pub(crate) reach: Option<Effective>,
}

impl<'a> BookRules<'a> {
    /// Rules that are in force.
    pub(crate) fn in_force(ruleset: &'a Ruleset) -> BookRules<'a> {
        BookRules { ruleset, reach: None }
    }
}

/// The frozen rewards of a plan, each with the rules that count for it.
pub(crate) struct FrozenBook {
    periods: Vec<(FrozenRewards, Option<Arc<Ruleset>>)>,
}

impl FrozenBook {
    /// The frozen rewards, in order of their periods.
    pub(crate) fn rewards(&self) -> impl Iterator<Item = &FrozenRewards> {
        self.periods.iter().map(|(rewards, _)| rewards)
    }

    /// Whether no period is frozen.
    pub(crate) fn is_empty(&self) -> bool {
        self.periods.is_empty()
    }

    /// The last period that is frozen.
    pub(crate) fn last_period(&self, ruleset: &Ruleset) -> Option<Period> {
        let calendar = &ruleset.settings.calendar;
        let periods = self.periods.iter();
        let periods = periods.filter_map(|(rewards, _)| calendar.find(&rewards.period));
        periods.max_by_key(|period| period.first)
    }
}

/// The frozen rewards of `plan`.
pub(crate) fn frozen_book(context: &Context, plan: &str) -> Result<FrozenBook, StoreError> {
    let frozen = context.ledger.frozen_rewards(plan)?;
    if frozen.is_empty() {
        return Ok(FrozenBook { periods: Vec::new() });
    }

    let activations = context.ledger.list_activations()?;
    let periods = frozen.into_iter().map(|rewards| {
        let hash = hash_of_rules(context, &activations, &rewards);
        // Rules that cannot be rebuilt correct nothing: the rows stay as they were paid.
        let rules = hash.and_then(|hash| explain::ruleset_of(context, &hash).ok());
        (rewards, rules)
    });
    Ok(FrozenBook { periods: periods.collect() })
}

/// The ruleset that counts for a frozen period: of the last activation that was meant to reach it,
/// or else the one that it was confirmed by.
fn hash_of_rules(
    context: &Context,
    activations: &[Activation],
    frozen: &FrozenRewards,
) -> Option<String> {
    let calendar = context.ruleset.load().settings.calendar.clone();
    let period = calendar.find(&frozen.period);

    let reaching = activations
        .iter()
        .filter(|one| one.at_ms > frozen.at_ms)
        .rfind(|one| period.as_ref().is_some_and(|period| reaches(one.terms.effective, period)));
    if let Some(activation) = reaching {
        return Some(activation.ruleset.clone());
    }
    if !frozen.ruleset.is_empty() {
        return Some(frozen.ruleset.to_string());
    }

    // Rewards that an earlier version of the program released name no ruleset.
    let then = activations.iter().rfind(|one| one.at_ms <= frozen.at_ms);
    then.map(|activation| activation.ruleset.clone())
}

/// Whether a change is meant for a period: from one of its days on, or from an earlier day.
fn reaches(effective: Effective, period: &Period) -> bool {
    matches!(effective, Effective::From(first) if first < period.end)
}

/// The book of `plan` up to `through`, by stored credits.
pub(crate) fn stored_book(
    context: &Context,
    rules: BookRules<'_>,
    plan: &str,
    through: &Period,
) -> Result<RewardBook, StoreError> {
    let frozen = frozen_book(context, plan)?;
    let leaves = leaves_behind(context, rules.ruleset, plan, through, &frozen)?;
    let credits = credits_of(context, &BTreeSet::from([plan.to_owned()]), &leaves)?;
    let credits: Vec<PostedCredit> =
        credits.into_values().flat_map(|by_leaf| by_leaf.into_values().flatten()).collect();

    book_of_credits(context, rules, plan, (&frozen, &credits), through)
}

/// The book of `plan` up to `through`, by these credits.
pub(crate) fn book_of_credits(
    context: &Context,
    rules: BookRules<'_>,
    plan: &str,
    (frozen, credits): (&FrozenBook, &[PostedCredit]),
    through: &Period,
) -> Result<RewardBook, StoreError> {
    let periods: Vec<FrozenPeriod<'_>> = frozen
        .periods
        .iter()
        .map(|(rewards, known)| {
            let period = rules.ruleset.settings.calendar.find(&rewards.period);
            let reached = rules
                .reach
                .zip(period)
                .is_some_and(|(effective, period)| reaches(effective, &period));
            let known = if reached { Some(rules.ruleset) } else { known.as_deref() };
            FrozenPeriod { rewards, rules: known }
        })
        .collect();

    let locked = context.locked_periods()?;
    let manual = manual_rewards::rows_of(context, plan)?;
    let inputs = BookInputs {
        plan,
        rules: rules.ruleset,
        frozen: &periods,
        manual: &manual,
        locked: &locked,
        claimants: None,
    };
    Ok(reward::compute_book(&inputs, credits, through))
}

/// The leaf periods whose credits matter for what a plan pays up to `through`: those of the period
/// alone where no period is frozen and the plan remembers none.
fn leaves_behind(
    context: &Context,
    ruleset: &Ruleset,
    plan: &str,
    through: &Period,
    frozen: &FrozenBook,
) -> Result<BTreeSet<PeriodKey>, StoreError> {
    let remembers = has_history(context, ruleset, plan, frozen)?;
    if !remembers {
        return Ok(leaf_ids(ruleset, through));
    }

    let summaries = context.ledger.calculation_summaries()?;
    let of_plan = summaries.into_keys().filter(|(known, _)| known == plan);
    Ok(of_plan.map(|(_, leaf)| leaf.into()).collect())
}

/// Whether a period of a plan may depend on others.
pub(crate) fn has_history(
    context: &Context,
    ruleset: &Ruleset,
    plan: &str,
    frozen: &FrozenBook,
) -> Result<bool, StoreError> {
    let known = ruleset.plans.get(plan);
    let remembers = known.is_some_and(|known| reward::needs_history(ruleset, known));
    Ok(remembers || !frozen.periods.is_empty() || !context.locked_periods()?.is_empty())
}

/// The credits that count of a deal with these decisions, each on the day that rewards read.
pub(crate) fn rewarded_credits<'a>(
    ruleset: &Ruleset,
    record: &TransactionRecord,
    decisions: impl IntoIterator<Item = &'a Decision>,
) -> Vec<PostedCredit> {
    let credits = decisions.into_iter().flat_map(|decision| decision.credits.iter().cloned());
    // A deal with one version only was frozen with the day that it has now.
    let moved = record.version > 1;
    let date = || Decoder::new(Arc::clone(&ruleset.settings.fields)).decode(&record.record);
    let date = moved.then(|| date().incentive_date().ok()).flatten();

    posting::rewarded_entries(credits.collect(), date, ruleset)
}

/// Credits that count of `plans` in leaf periods.
pub(crate) fn credits_of(
    context: &Context,
    plans: &BTreeSet<String>,
    leaves: &BTreeSet<PeriodKey>,
) -> Result<CreditsByPlan, StoreError> {
    let mut credits = CreditsByPlan::new();

    let ruleset = context.ruleset.load_full();
    context.ledger.visit_transactions(Some(leaves), &mut |stored| {
        let decisions = stored.decisions.iter();
        let decisions = decisions.filter(|decision| plans.contains(&*decision.plan));
        for row in rewarded_credits(&ruleset, &stored, decisions) {
            if leaves.contains(&*row.period) {
                let of_plan = credits.entry(row.plan.to_string()).or_default();
                of_plan.entry(row.period.to_string()).or_default().push(row);
            }
        }
        Ok(())
    })?;

    Ok(credits)
}
