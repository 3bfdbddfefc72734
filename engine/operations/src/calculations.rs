//! Calculations out of the ledger: a plan in a period as one object, its state, its alerts.
//!
//! Not deciding: everything here was decided and stored. Called by `http::calculations`,
//! `http::alerts` and by the worker when it publishes. Source: FORMAT section 6, DESIGN section 6.
//!
//! **Architecture invariant:** nothing here writes; the object is what a full run would give.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use accredit_crediting::calculation::{self, Calculation};
use accredit_crediting::posting;
use accredit_crediting::stage::build_note;
use accredit_domain::calendar::{Period, PeriodKind};
use accredit_domain::decision::{Decision, ResolutionAction, ResolutionRecord};
use accredit_domain::keys::PeriodKey;
use accredit_domain::note::{Note, NoteCode, NoteStage};
use accredit_domain::transaction::{Decoder, Field};
use accredit_ledger::calculations::{CalculationSummary, NO_PERIOD, RestatementCounts};
use accredit_ledger::record::{LedgerCounts, TransactionRecord};
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;
use jiff::civil::Date;

use crate::context::Context;
use crate::error::OperationError;

/// A plan and a period that exist.
pub struct CalculationScope {
    /// The rules in force.
    pub ruleset: Arc<Ruleset>,
    /// The id of the plan: the stem of its file.
    pub plan: String,
    /// A period of the kind by which the plan is calculated.
    pub period: Period,
    /// The ids of the leaf periods in `period`.
    pub leaves: BTreeSet<PeriodKey>,
}

/// Ids of the leaves of a period.
pub fn leaf_ids(ruleset: &Ruleset, period: &Period) -> BTreeSet<PeriodKey> {
    let leaves = ruleset.settings.calendar.leaf_periods(period).into_iter();
    leaves.map(|leaf| leaf.id).collect()
}

/// A plan and a period by their ids.
pub fn calculation_scope(
    context: &Context,
    plan: &str,
    period: &str,
) -> Result<CalculationScope, OperationError> {
    let ruleset = context.ruleset.load_full();
    let known = ruleset.plans.contains_key(plan) || had_plan(context, plan)?;
    let found = ruleset.settings.calendar.find(period).filter(|_| known);
    let period = found.ok_or_else(|| OperationError::not_found("calculation"))?;
    let leaves = leaf_ids(&ruleset, &period);
    Ok(CalculationScope { ruleset, plan: plan.to_owned(), period, leaves })
}

/// The same, one for each period that the plan is calculated by in the one that is asked for.
///
/// # Errors
/// `other_period` when the plan is calculated by longer periods than the one that is asked for.
pub fn calculation_scopes(
    context: &Context,
    plan: &str,
    period: &str,
) -> Result<Vec<CalculationScope>, OperationError> {
    let asked = calculation_scope(context, plan, period)?;
    let periods = calculation::own_periods(&asked.ruleset, plan, &asked.period);
    if periods.is_empty() {
        let detail = calculation::explain_other_period(&asked.ruleset, plan, &asked.period);
        return Err(OperationError::invalid("other_period", detail));
    }

    let parts = periods.into_iter().map(|period| CalculationScope {
        ruleset: Arc::clone(&asked.ruleset),
        plan: asked.plan.clone(),
        leaves: leaf_ids(&asked.ruleset, &period),
        period,
    });
    Ok(parts.collect())
}

/// The same, of a period of the kind that the plan is calculated by: what is released.
pub fn release_scope(
    context: &Context,
    plan: &str,
    period: &str,
) -> Result<CalculationScope, OperationError> {
    let wanted = calculation_scope(context, plan, period)?;
    let own = own_period(&wanted.ruleset, plan, wanted.period.first);
    if own.as_ref().is_some_and(|own| own.id == wanted.period.id) {
        return Ok(wanted);
    }
    let own = own.map(|own| own.id).unwrap_or_default();
    let detail = format!("plan `{plan}` is calculated by other periods, such as `{own}`");
    Err(OperationError::invalid("other_period", detail))
}

fn had_plan(context: &Context, plan: &str) -> Result<bool, OperationError> {
    let summaries = context.ledger.calculation_summaries()?;
    Ok(summaries.keys().any(|(known, _)| known == plan))
}

/// The calculation as FORMAT section 6 shows it, with its revision and without rewards.
pub fn read_credited_calculation(
    context: &Context,
    wanted: &CalculationScope,
) -> Result<Calculation, StoreError> {
    let CalculationScope { ruleset, plan, period, leaves } = wanted;
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let mut found: Vec<(Option<Date>, Decision)> = Vec::new();

    context.ledger.visit_transactions(Some(leaves), &mut |stored| {
        let of_plan = stored.decisions.into_iter().filter(|one| one.plan == *plan);
        for decision in of_plan.filter_map(|one| one.within_periods(|id| leaves.contains(id))) {
            let date = decoder.decode(&stored.record).incentive_date().ok();
            found.push((date, decision));
        }
        Ok(())
    })?;

    found.sort_by(|a, b| (a.0, &a.1.transaction).cmp(&(b.0, &b.1.transaction)));
    let decisions = found.into_iter().map(|(_, decision)| decision).collect();

    let mut calculation = calculation::calculation_of(ruleset, plan, period, decisions);

    // Credits posted from locked periods do not stand in the order of their deals.
    if !context.locked_periods()?.is_empty() {
        let order = |row: &accredit_domain::credit::posted::PostedCredit| {
            (row.incentive_date, row.transaction.clone())
        };
        calculation.credits.sort_by_cached_key(order);
    }

    calculation.revision = calculation_index(context)?.revision(plan, &period.id, leaves);
    let lost = lost_adjustments(context, Some(plan), Some(leaves))?;
    calculation.log.extend(lost.iter().cloned());
    calculation.alerts.extend(lost);

    Ok(calculation)
}

/// What is counted of every calculation.
pub fn calculation_index(context: &Context) -> Result<CalculationIndex, StoreError> {
    Ok(CalculationIndex {
        summaries: context.ledger.calculation_summaries()?,
        restated: context.ledger.restatement_counts()?,
    })
}

/// Whether an adjustment that counts still changes anything, and the periods it would change.
pub fn adjustment_applies(
    context: &Context,
    adjustment: &ResolutionRecord,
) -> Result<(bool, Option<TransactionRecord>), StoreError> {
    let Some(id) = &adjustment.transaction else { return Ok((false, None)) };
    let Some(stored) = context.ledger.find_transaction(id)? else { return Ok((false, None)) };

    let applied = if adjustment.credit.is_none() {
        let ruleset = context.ruleset.load_full();
        let decoder = &mut Decoder::new(Arc::clone(&ruleset.settings.fields));
        let transaction = decoder.decode(&stored.record);
        let mapped = transaction.column_of(Field::Amount).is_some();
        mapped && (adjustment.action == ResolutionAction::AdjustTo || transaction.amount().is_ok())
    } else {
        let mut rows = stored.decisions.iter().flat_map(|decision| &decision.credits);
        rows.any(|row| Some(posting::credit_of(row)) == adjustment.credit)
    };

    Ok((applied, Some(stored)))
}

/// Alerts of adjustments that no longer apply, of a plan and of leaf periods.
pub fn lost_adjustments(
    context: &Context,
    plan: Option<&str>,
    leaves: Option<&BTreeSet<PeriodKey>>,
) -> Result<Vec<Note>, StoreError> {
    let mut lost = Vec::new();
    for adjustment in context.ledger.current_adjustments()? {
        let of_plan = adjustment.plan.as_deref().unwrap_or_default();
        if plan.is_some_and(|plan| !of_plan.is_empty() && plan != of_plan) {
            continue;
        }

        let (applied, stored) = adjustment_applies(context, &adjustment)?;
        let periods = stored.iter().flat_map(|stored| &stored.decisions);
        let periods: BTreeSet<&str> = periods
            .filter(|decision| plan.is_none_or(|plan| plan == decision.plan))
            .filter_map(|decision| decision.period.as_deref())
            .collect();

        let here = leaves.is_none_or(|leaves| periods.iter().any(|own| leaves.contains(*own)));
        if applied || !here {
            continue;
        }

        let transaction = adjustment.transaction.as_deref().unwrap_or_default();
        let credit = adjustment.credit.map(|credit| credit.to_string());
        let what = credit.unwrap_or_else(|| "the deal".to_owned());
        let amount = adjustment.amount.map(|amount| amount.to_string()).unwrap_or_default();
        let message = format!("{} {amount} of {what} no longer applies", adjustment.action);
        let plan = plan.unwrap_or(of_plan);
        lost.push(build_note(
            transaction,
            plan,
            NoteStage::Adjustment,
            NoteCode::AdjustmentNotApplied,
            message,
        ));
    }

    Ok(lost)
}

/// The period that `plan` is calculated by and that holds `date`; the leaf, of a plan that is gone.
pub fn own_period(ruleset: &Ruleset, plan: &str, date: Date) -> Option<Period> {
    let kind = ruleset.plans.get(plan).map_or(PeriodKind::Leaf, |plan| plan.period);
    ruleset.settings.calendar.period_on(date, kind)
}

/// What is counted of every calculation, without reading any.
pub struct CalculationIndex {
    /// Plans in leaf periods.
    pub summaries: BTreeMap<(String, String), CalculationSummary>,
    restated: RestatementCounts,
}

impl CalculationIndex {
    /// A number that changes whenever anything of a plan is decided or computed anew.
    pub fn plan_revision(&self, plan: &str) -> u64 {
        let credits = self.summaries.iter().filter(|((known, _), _)| known == plan);
        let credits: u64 = credits.map(|(_, summary)| u64::from(summary.revision)).sum();
        let restated = self.restated.iter().filter(|((known, _), _)| known == plan);
        let restated: u64 = restated.map(|(_, count)| u64::from(*count)).sum();
        credits + restated
    }

    /// The revision of a plan in a period with these leaves: it goes up whenever that of one of them
    /// does, or of what has no period, and whenever other rules make its credits worth something
    /// else.
    pub fn revision(&self, plan: &str, period: &str, leaves: &BTreeSet<PeriodKey>) -> u32 {
        let leaves = leaves.iter().map(PeriodKey::as_str).chain([NO_PERIOD]);
        let of = |leaf: &str| self.summaries.get(&(plan.to_owned(), leaf.to_owned()));
        let credits: u32 = leaves.filter_map(of).map(|summary| summary.revision).sum();
        let restated = self.restated.get(&(plan.to_owned(), period.to_owned()));
        credits + restated.copied().unwrap_or_default()
    }
}

/// What the leaves of a plan's period hold together.
pub fn sum_counts(
    summaries: &BTreeMap<(String, String), CalculationSummary>,
    plan: &str,
    leaves: &BTreeSet<PeriodKey>,
) -> LedgerCounts {
    let mut all = LedgerCounts::default();
    for leaf in leaves.iter().map(PeriodKey::as_str).chain([NO_PERIOD]) {
        if let Some(summary) = summaries.get(&(plan.to_owned(), leaf.to_owned())) {
            all.merge(&summary.counts);
        }
    }
    all
}
