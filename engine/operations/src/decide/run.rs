//! Steps of a run: which transactions a calculation is about, decided again and compared with what is
//! stored.
//!
//! Not the rules (the engine) and not whose turn it is (the host's worker). Source: DOMAIN 2.13, INV-G1.
//!
//! **Architecture invariant:** a full run of what nothing has changed since changes nothing; a step
//! decides what is stored when its turn comes, so that nothing that arrived meanwhile is undone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use accredit_crediting::impact::{self, Impact};
use accredit_domain::calendar::PeriodKind;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Decision, DecisionOutcome};
use accredit_domain::keys::PeriodKey;
use accredit_domain::keys::RulesetHash;
use accredit_domain::limits::MoneyLine;
use accredit_domain::organization::ParticipantId;
use accredit_domain::transaction::Decoder;
use accredit_ledger::definitions::Effective;
use accredit_ledger::record::{CommitBatch, TransactionRecord};
use accredit_ledger::recredit::DecisionPins;
use accredit_ledger::runs::{CalculationRun, RunRules};
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;
use jiff::civil::Date;

use super::again::{RuleChoice, redecide_stored};
use super::{add_postings, record_with_postings};
use crate::context::{Context, LAST_RUN};
use crate::error::{OperationError, RefusalDetail};
use crate::{replay, reward_books, rewards};

/// Transactions decided again in one step, at least.
const RUN_CHUNK: usize = 512;

/// Without what depends on when it was decided rather than on what.
fn comparable_content(decision: &Decision) -> Decision {
    let mut decision =
        Decision { as_of: None, ruleset: RulesetHash::default(), ..decision.clone() };
    decision.credits.iter_mut().for_each(|row| row.ruleset = RulesetHash::default());
    decision
}

/// What decides which transactions a run is about.
struct RunSelection<'a> {
    run: &'a CalculationRun,
    leaves: &'a BTreeSet<PeriodKey>,
    ruleset: &'a Ruleset,
    pins: DecisionPins,
    payees: BTreeSet<ParticipantId>,
}

impl RunSelection<'_> {
    /// Whether a run is about a stored transaction. A run by the rules in force is about those as
    /// well that other rules have left out of the plan.
    fn selects(&self, stored: &TransactionRecord, decoder: &mut Decoder) -> bool {
        let decision = stored.decisions.iter().find(|one| one.plan == self.run.plan);
        let inside =
            decision.is_some_and(|one| is_in_calculation(one, &self.run.plan, self.leaves));
        let left_out = self.run.rules == Some(RunRules::InForce);
        if !(inside || left_out && self.is_of_period(stored, decoder)) {
            return false;
        }

        match self.run.mode.as_str() {
            "full" => true,
            "incremental" => decision.is_none_or(|one| self.may_differ(one)),
            _ => {
                let credits = decision.into_iter().flat_map(|one| &one.credits);
                self.run.selected.contains(&stored.id)
                    || credits.into_iter().any(|row| self.pays(row))
            }
        }
    }

    /// Whether the incentive date of a transaction is in the period, as the rules in force read it.
    fn is_of_period(&self, stored: &TransactionRecord, decoder: &mut Decoder) -> bool {
        let date = decoder.decode(&stored.record).incentive_date().ok();
        let calendar = &self.ruleset.settings.calendar;
        let leaf = date.and_then(|date| calendar.period_on(date, PeriodKind::Leaf));
        leaf.is_some_and(|leaf| self.leaves.contains(&leaf.id))
    }

    /// Whether an incremental run is about a decision: it is parked, or the rules in force decide it
    /// and might make another one.
    fn may_differ(&self, decision: &Decision) -> bool {
        decision.outcome == DecisionOutcome::Parked
            || (takes_rules_in_force(self.run, decision) && self.pins.is_stale(decision))
    }

    fn pays(&self, row: &PostedCredit) -> bool {
        let payee = row.payee.as_deref();
        let known = payee.and_then(|id| self.ruleset.organization.find_participant(id));
        known.is_some_and(|payee| self.payees.contains(&payee))
    }
}

/// Whether the rules in force make a decision again in a run, and not the rules that made it.
fn takes_rules_in_force(run: &CalculationRun, decision: &Decision) -> bool {
    if decision.plan != run.plan {
        return decision.is_incomplete();
    }
    match run.rules {
        Some(RunRules::InForce) => true,
        Some(RunRules::Pinned) => false,
        None => decision.is_incomplete() || decision.is_uncredited(),
    }
}

/// Whether a decision is part of the calculation of a plan in these leaf periods.
fn is_in_calculation(decision: &Decision, plan: &str, leaves: &BTreeSet<PeriodKey>) -> bool {
    let rows = decision.credits.iter().any(|row| leaves.contains(&*row.period));
    let own = decision.outcome != DecisionOutcome::Filtered
        && decision.period.as_ref().is_none_or(|own| leaves.contains(&**own));
    decision.plan == plan && (rows || own)
}

/// Transactions that a refusal names, at most.
const NAMED_MAX: usize = 20;

/// Refuses a selection with transactions that were never delivered, or with payees that the
/// organisation does not have; what was acknowledged before is known. Transactions of another plan
/// or period are ignored, as before.
pub fn check_selected(
    context: &Context,
    transactions: &BTreeSet<String>,
    payees: &BTreeSet<String>,
) -> Result<(), OperationError> {
    let mut missing = Vec::new();
    for id in transactions {
        if context.ledger.find_transaction(id)?.is_none() {
            missing.push(format!("`{id}`"));
        }
    }
    refuse_unknown("transactions", missing)?;

    let ruleset = context.ruleset.load_full();
    let unknown = |id: &&String| ruleset.organization.find_participant(id).is_none();
    let missing = payees.iter().filter(unknown).map(|id| format!("`{id}`"));
    refuse_unknown("payees", missing.collect())
}

fn refuse_unknown(what: &str, mut missing: Vec<String>) -> Result<(), OperationError> {
    if missing.is_empty() {
        return Ok(());
    }

    let more = missing.len().saturating_sub(NAMED_MAX);
    missing.truncate(NAMED_MAX);
    let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let detail = format!("unknown {what}: {}{and_more}; nothing was run", missing.join(", "));
    Err(OperationError::NotFound(RefusalDetail::new("not_found", detail)))
}

/// Notes that everything was decided as of `today`.
pub fn record_last_run(context: &Context, today: Date) {
    let kept = context.ledger.set_meta(LAST_RUN, today.to_string().as_bytes());
    if let Err(error) = kept {
        tracing::error!(error.cause = %error, "the daily run was not recorded");
    }
}

/// Numbers of the transactions that a run is about.
pub fn look_up(
    context: &Context,
    run: &CalculationRun,
    leaves: &BTreeSet<PeriodKey>,
) -> Result<VecDeque<u64>, StoreError> {
    let ruleset = context.ruleset.load_full();
    let payees = run.payees.iter().filter_map(|id| ruleset.organization.find_participant(id));
    let selection = RunSelection {
        run,
        leaves,
        ruleset: &ruleset,
        pins: replay::stored_pins(context, &ruleset)?,
        payees: payees.collect(),
    };

    // Deals that other rules have left out of the plan are found by their date alone.
    let everywhere = run.rules == Some(RunRules::InForce);
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let mut found = Vec::new();
    context.ledger.visit_transactions((!everywhere).then_some(leaves), &mut |stored| {
        found.extend(selection.selects(&stored, &mut decoder).then_some(stored.number));
        Ok(())
    })?;
    found.sort_unstable();
    Ok(found.into())
}

/// The next transactions, block by block, as they are stored now.
pub fn next_few(
    context: &Context,
    left: &mut VecDeque<u64>,
) -> Result<Vec<TransactionRecord>, StoreError> {
    let mut some: Vec<TransactionRecord> = Vec::new();
    while let Some(first) = left.front().copied().filter(|_| some.len() < RUN_CHUNK) {
        let Some((stored, next)) = context.ledger.records_from(first)? else {
            left.clear();
            break;
        };

        for one in stored {
            if left.front() == Some(&one.number) {
                left.pop_front();
                some.push(one);
            }
        }

        // A number that nothing is stored under would stay in front for ever.
        while left.front().is_some_and(|number| *number < next) {
            left.pop_front();
        }
    }

    Ok(some)
}

/// The deals of which a run comes out otherwise, each with the credits that are not stored: those
/// from before the run, or, of a dry run, those that it would make.
#[derive(Debug, Default)]
pub struct RunChanges(BTreeMap<String, Vec<PostedCredit>>);

/// Decides transactions again, counts those that come out otherwise, and adds up the difference in
/// money; a dry run records nothing.
///
/// # Errors
/// When the data cannot be read or written.
pub fn decide_step(
    context: &Context,
    run: &CalculationRun,
    some: &[TransactionRecord],
    changes: &mut RunChanges,
) -> Result<CalculationRun, StoreError> {
    let in_force = |decision: &Decision| takes_rules_in_force(run, decision);
    let new_plan = (run.rules == Some(RunRules::InForce)).then_some(run.plan.as_str());
    // A full run decides everything, and so finds what is not as it should be.
    let keeps_alike = run.mode == "incremental";
    let choice = RuleChoice { in_force: &in_force, plan: new_plan, keeps_alike };
    let decisions = redecide_stored(context, some, &[], choice)?;

    let mut work = CommitBatch { decisions, ..CommitBatch::default() };
    if run.dry_run {
        add_postings(context, &mut work.decisions)?;
    } else {
        record_with_postings(context, &mut work)?;
    }

    let ruleset = context.ruleset.load_full();
    let mut impact = Impact::default();
    let mut run = CalculationRun { decided: run.decided + some.len(), ..run.clone() };
    for (id, after) in &work.decisions {
        let Some(record) = some.iter().find(|one| one.id == *id) else { continue };
        let of = |decisions: &[Decision]| -> Vec<Decision> {
            decisions.iter().filter(|one| one.plan == run.plan).map(comparable_content).collect()
        };
        let (before, after) = (of(&record.decisions), of(after));
        if before != after {
            run.differing += 1;
            let other = if run.dry_run { &after } else { &before };
            let rows = reward_books::rewarded_credits(&ruleset, record, other);
            changes.0.insert(id.clone(), rows);
            let delta = impact::compare_decisions((&ruleset, &before), (&ruleset, &after));
            impact.add_delta(delta.as_ref());
        }
    }

    let report = impact.to_report();
    add_lines(&mut run.by_payee, report.by_payee);
    add_lines(&mut run.total, report.total);
    Ok(run)
}

/// Adds lines to those with the same name and unit type.
fn add_lines(known: &mut Vec<MoneyLine>, lines: Vec<MoneyLine>) {
    for line in lines {
        let same =
            |one: &&mut MoneyLine| (&one.name, &one.unit_type) == (&line.name, &line.unit_type);
        match known.iter_mut().find(same) {
            Some(one) => one.add(&line),
            None => known.push(line),
        }
    }
    known.sort_by(|a, b| (&a.name, &a.unit_type).cmp(&(&b.name, &b.unit_type)));
}

/// What a run changes in the rewards of its plan, in all periods: a line a payee and unit type.
///
/// # Errors
/// When the data cannot be read.
pub fn reward_lines(
    context: &Context,
    run: &CalculationRun,
    changes: &RunChanges,
) -> Result<Vec<MoneyLine>, StoreError> {
    let ruleset = context.ruleset.load_full();
    let pays = ruleset.plans.get(run.plan.as_str()).is_some_and(|plan| plan.pays());
    if changes.0.is_empty() || !pays {
        return Ok(Vec::new());
    }

    let other = credits_with(context, &run.plan, changes)?;
    let rules = (&*ruleset, &*ruleset);
    let now = Effective::Now;
    let (stored, other) = rewards::compared_books(context, rules, &run.plan, now, Some(&other))?;
    let (before, after) = if run.dry_run { (stored, other) } else { (other, stored) };

    let mut lines = Vec::new();
    for (book, is_after) in [(&before, false), (&after, true)] {
        for row in book.periods().flat_map(|known| &known.rewards.rows) {
            let (name, unit_type) = (row.payee.to_string(), row.unit_type.to_string());
            let mut line = MoneyLine { name, unit_type, ..MoneyLine::default() };
            *(if is_after { &mut line.after } else { &mut line.before }) = row.amount;
            line.difference = line.after.saturating_sub(line.before);
            add_lines(&mut lines, vec![line]);
        }
    }
    lines.retain(|line| !line.difference.is_zero());
    Ok(lines)
}

/// The credits that count of a plan, as stored but for those of `changes`.
fn credits_with(
    context: &Context,
    plan: &str,
    changes: &RunChanges,
) -> Result<Vec<PostedCredit>, StoreError> {
    let summaries = context.ledger.calculation_summaries()?.into_keys();
    let leaves: BTreeSet<PeriodKey> =
        summaries.filter(|(known, _)| known == plan).map(|(_, leaf)| leaf.into()).collect();

    let ruleset = context.ruleset.load_full();
    let mut credits: Vec<PostedCredit> = changes.0.values().flatten().cloned().collect();
    context.ledger.visit_transactions(Some(&leaves), &mut |stored| {
        if !changes.0.contains_key(&stored.id) {
            let of_plan = stored.decisions.iter().filter(|decision| decision.plan == plan);
            credits.extend(reward_books::rewarded_credits(&ruleset, &stored, of_plan));
        }
        Ok(())
    })?;
    Ok(credits)
}
