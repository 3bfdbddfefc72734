//! Steps of a run: which transactions a calculation is about, decided again and compared with what is
//! stored.
//!
//! Not the rules (the engine) and not whose turn it is (the host's worker). Source: DOMAIN 2.13, INV-G1.
//!
//! **Architecture invariant:** a full run of what nothing has changed since changes nothing; a step
//! decides what is stored when its turn comes, so that nothing that arrived meanwhile is undone.

use std::collections::{BTreeSet, VecDeque};

use accredit_domain::decision::{Decision, DecisionOutcome};
use accredit_domain::keys::RulesetHash;
use accredit_ledger::record::{CommitBatch, TransactionRecord};
use accredit_ledger::runs::CalculationRun;
use accredit_seams::store::StoreError;
use jiff::civil::Date;

use super::again::redecide_pinned;
use super::record_with_postings;
use crate::context::{Context, LAST_RUN};
use crate::error::{OperationError, RefusalDetail};

/// Transactions decided again in one step, at least.
const RUN_CHUNK: usize = 512;

/// Without what depends on when it was decided rather than on what.
fn comparable_content(decision: &Decision) -> Decision {
    let mut decision =
        Decision { as_of: None, ruleset: RulesetHash::default(), ..decision.clone() };
    decision.credits.iter_mut().for_each(|row| row.ruleset = RulesetHash::default());
    decision
}

/// Whether a run is about a stored transaction.
fn is_selected(
    run: &CalculationRun,
    leaves: &BTreeSet<String>,
    stored: &TransactionRecord,
) -> bool {
    stored.decisions.iter().filter(|one| is_in_calculation(one, &run.plan, leaves)).any(
        |decision| match run.mode.as_str() {
            "full" => true,
            "incremental" => decision.outcome == DecisionOutcome::Parked,
            _ => run.selected.contains(&stored.id),
        },
    )
}

/// Whether a decision is part of the calculation of a plan in these leaf periods.
fn is_in_calculation(decision: &Decision, plan: &str, leaves: &BTreeSet<String>) -> bool {
    let rows = decision.credits.iter().any(|row| leaves.contains(&*row.period));
    let own = decision.outcome != DecisionOutcome::Filtered
        && decision.period.as_ref().is_none_or(|own| leaves.contains(&**own));
    decision.plan == plan && (rows || own)
}

/// Transactions that a refusal names, at most.
const NAMED_MAX: usize = 20;

/// Refuses a selection with transactions that were never delivered; what was acknowledged before is
/// known. Transactions of another plan or period are ignored, as before.
pub fn check_selected(
    context: &Context,
    selected: &BTreeSet<String>,
) -> Result<(), OperationError> {
    let mut missing = Vec::new();
    for id in selected {
        if context.ledger.find_transaction(id)?.is_none() {
            missing.push(format!("`{id}`"));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }

    let more = missing.len().saturating_sub(NAMED_MAX);
    missing.truncate(NAMED_MAX);
    let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let detail = format!("unknown transactions: {}{and_more}; nothing was run", missing.join(", "));
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
    leaves: &BTreeSet<String>,
) -> Result<VecDeque<u64>, StoreError> {
    let mut found = Vec::new();
    context.ledger.visit_transactions(Some(leaves), &mut |stored| {
        found.extend(is_selected(run, leaves, &stored).then_some(stored.number));
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

/// Decides transactions again, and counts those that come out otherwise.
///
/// # Errors
/// When the data cannot be read or written.
pub fn decide_step(
    context: &Context,
    run: &CalculationRun,
    some: &[TransactionRecord],
) -> Result<CalculationRun, StoreError> {
    let decisions = redecide_pinned(context, some, &[])?;
    let mut work = CommitBatch { decisions, ..CommitBatch::default() };
    record_with_postings(context, &mut work)?;
    let mut run = CalculationRun { decided: run.decided + some.len(), ..run.clone() };
    for (id, after) in &work.decisions {
        let Some(before) = some.iter().find(|one| one.id == *id) else { continue };
        let of = |decisions: &[Decision]| -> Vec<Decision> {
            decisions.iter().filter(|one| one.plan == run.plan).map(comparable_content).collect()
        };
        run.differing += usize::from(of(&before.decisions) != of(after));
    }
    Ok(run)
}
