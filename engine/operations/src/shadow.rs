//! Rules that run beside those in force on live deals, and their results.
//!
//! Not activation: nothing that a shadow decides is stored as a decision. Fed by the worker, asked
//! by `http::shadow`. Source: DESIGN section 5.
//!
//! **Architecture invariant:** a shadow writes one row, its sums; a deal that is decided anew is
//! counted as it is now, once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, MutexGuard, PoisonError};

use accredit_crediting::impact;
use accredit_domain::decision::Decision;
use accredit_domain::keys::RulesetHash;
use accredit_domain::limits::MoneyEffect;
use accredit_domain::transaction::Decoder;
use accredit_ledger::changes::Proposal;
use accredit_ledger::definitions::Effective;
use accredit_ledger::record::TransactionRecord;
use accredit_workspace::Ruleset;
use serde_json::json;

use crate::context::{Context, RunningShadow, ShadowSums};
use crate::error::OperationError;
use crate::replay::{self, RedecideItem};
use crate::{candidate, effect};

const KEY: &str = "shadow";

fn lock_shadow(context: &Context) -> MutexGuard<'_, Option<RunningShadow>> {
    context.shadow.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The kept change that runs as a shadow.
pub fn running_change(context: &Context) -> Option<u64> {
    lock_shadow(context).as_ref().map(|shadow| shadow.sums.change)
}

/// The sums so far, and the ruleset that made them.
pub fn shadow_sums(context: &Context) -> Option<(ShadowSums, RulesetHash)> {
    let shadow = lock_shadow(context);
    shadow.as_ref().map(|shadow| (shadow.sums.clone(), shadow.ruleset.hash))
}

/// What the rules of the shadow would move: credits of the recorded deals of open periods, and with
/// them rewards, balances and quotas. It is worked out when it is asked for, as a preview is.
///
/// # Errors
/// When the data cannot be read.
pub fn shadow_money(context: &Context) -> Result<Option<MoneyEffect>, OperationError> {
    let running = lock_shadow(context).as_ref().map(|shadow| Arc::clone(&shadow.ruleset));
    let Some(ruleset) = running else { return Ok(None) };

    let current = context.ruleset.load_full();
    let moved = effect::money_change(context, &current, &ruleset, Effective::Recredit)?;
    Ok(Some(moved.money_effect()))
}

fn ruleset_for(context: &Context, kept: &Proposal) -> Result<Arc<Ruleset>, OperationError> {
    let texts = context.ledger.proposal_texts(kept)?;
    let base = context.ledger.files_of(&kept.base)?;
    let base = base.unwrap_or_else(|| context.ruleset.load().files.clone());
    let files = candidate::with_changes(&base, &texts);
    candidate::build_candidate(context, &files, texts.keys())
        .map(|checked| Arc::new(checked.ruleset))
}

/// Lets a kept change run beside the rules in force, from the next deal on; one that runs ends.
pub fn start_shadow(context: &Context, kept: &Proposal, who: &str) -> Result<(), OperationError> {
    if !kept.can_be_activated() {
        let detail = "only a change without errors can run as a shadow";
        return Err(OperationError::conflict("not_checked", detail));
    }

    let ruleset = ruleset_for(context, kept)?;
    let sums = ShadowSums { change: kept.id, since_ms: context.now_ms(), ..ShadowSums::default() };
    stop_shadow(context, who)?;

    let row = serde_json::to_vec(&sums);
    let row = row?;
    let detail = json!({ "change": kept.id, "ruleset": *ruleset.hash });
    let said = (who, "shadow_started", detail);
    let noted = context.ledger.set_meta_audited((KEY, &row), context.now_ms(), said);
    noted?;

    *lock_shadow(context) = Some(RunningShadow { ruleset, sums });

    Ok(())
}

/// Ends the shadow; gives its sums, which the audit trail keeps.
pub fn stop_shadow(context: &Context, who: &str) -> Result<Option<ShadowSums>, OperationError> {
    let mut shadow = lock_shadow(context);
    let Some(sums) = shadow.as_ref().map(|shadow| shadow.sums.clone()) else {
        return Ok(None);
    };

    let report = sums.impact.to_report();
    let detail = json!({
        "change": sums.change,
        "transactions": report.transactions,
        "differing": report.differing,
        "total": report.total,
        "missed": sums.missed,
    });

    let said = (who, "shadow_ended", detail);
    let noted = context.ledger.set_meta_audited((KEY, b""), context.now_ms(), said);
    noted?;
    // Only after it is recorded in the data file: a failed commit leaves the shadow running.
    *shadow = None;

    Ok(Some(sums))
}

/// Ends the shadow when it is this change that runs.
pub fn end_of(context: &Context, change: u64, who: &str) -> Result<(), OperationError> {
    if running_change(context) == Some(change) {
        stop_shadow(context, who)?;
    }
    Ok(())
}

/// Counts deals that could not be shown to the shadow.
fn count_missed_deals(context: &Context, deals: u64) {
    if let Some(running) = lock_shadow(context).as_mut() {
        running.sums.missed += deals;
    }
}

/// Continues the shadow that ran when the server stopped.
pub fn resume_shadow(context: &Context) {
    let kept = context.ledger.get_meta(KEY).ok().flatten();
    let sums = kept.and_then(|row| serde_json::from_slice::<ShadowSums>(&row).ok());
    let Some(sums) = sums else { return };
    let change = context.ledger.find_proposal(sums.change).ok().flatten();
    // One that was activated or withdrawn just before the stop.
    let change = change.filter(Proposal::can_be_activated);
    match change.map(|change| ruleset_for(context, &change)) {
        Some(Ok(ruleset)) => *lock_shadow(context) = Some(RunningShadow { ruleset, sums }),
        Some(Err(error)) => tracing::warn!(
            change = sums.change,
            error.cause = %error,
            "the shadow is no longer running"
        ),
        None => tracing::warn!(change = sums.change, "the shadow is no longer running"),
    }
}

fn store_sums(context: &Context, sums: &ShadowSums) -> Result<(), OperationError> {
    let row = serde_json::to_vec(sums)?;
    context.ledger.set_meta(KEY, &row).map_err(OperationError::from)
}

/// Decides deals that were just recorded by the shadow's rules, and counts what differs.
fn show_deals(context: &Context, deals: Vec<TransactionRecord>) -> Result<(), OperationError> {
    let running =
        lock_shadow(context).as_ref().map(|one| (one.sums.change, Arc::clone(&one.ruleset)));
    let Some((change, candidate)) = running else { return Ok(()) };

    let current = context.ruleset.load_full();
    let mut decoder = Decoder::new(Arc::clone(&candidate.settings.fields));
    let plans = candidate.plans.keys().map(ToString::to_string);
    let plans: std::collections::BTreeSet<String> = plans.collect();

    let again: Vec<RedecideItem> = deals
        .into_iter()
        .map(|stored| {
            let transaction = Arc::new(decoder.decode(&stored.record));
            RedecideItem { stored, transaction, plans: plans.clone() }
        })
        .collect();

    let locked = context.locked_periods()?;
    let decided =
        replay::decide_and_post(context, &candidate, &again, context.business_date(), &locked);
    let decided = decided?;

    // Another change may have taken its place while these deals were decided.
    let mut shadow = lock_shadow(context);
    let Some(running) = shadow.as_mut().filter(|running| running.sums.change == change) else {
        return Ok(());
    };

    for (one, decisions) in again.iter().zip(&decided) {
        let before = (&*current, one.stored.decisions.as_slice());
        let delta = impact::compare_decisions(before, (&candidate, decisions));
        running.sums.add(&one.stored.id, one.stored.version > 1, delta);
    }

    store_sums(context, &running.sums)
}

/// Shows the shadow what was recorded, if one runs. Nothing that goes wrong in it reaches the deals.
pub(crate) fn show_to_shadow(context: &Context, decisions: &[(String, Vec<Decision>)]) {
    if decisions.is_empty() || running_change(context).is_none() {
        return;
    }

    let ledger = &context.ledger;
    let deals = decisions.iter().filter_map(|(id, _)| ledger.find_transaction(id).ok().flatten());
    let deals: Vec<_> = deals.collect();
    let shown = catch_unwind(AssertUnwindSafe(|| show_deals(context, deals)));

    let cause = match shown {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "deciding by its rules panicked".to_owned(),
    };

    tracing::warn!(error.cause = %cause, "the shadow missed deals");
    count_missed_deals(context, decisions.len() as u64);
}
