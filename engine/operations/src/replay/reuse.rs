//! Recorded decisions that other rules would make alike, and which therefore are not made again.
//!
//! Not the test itself (`crediting`, `affected`). Called by `replay`, and by `effect` for two rulesets
//! of which neither needs to be in force. Source: DESIGN section 5.
//!
//! **Architecture invariant:** a decision that is reused is the one that would be made today: it was
//! made completely, no hold has ended since, and its rows are as they were decided.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use accredit_crediting::affected::{self, AffectedStages, RulesetChange};
use accredit_crediting::pipeline::KnownDecision;
use accredit_crediting::stage::DecisionInputs;
use accredit_domain::calendar::LockedPeriods;
use accredit_domain::credit::posted::CreditOrigin;
use accredit_domain::decision::Decision;
use accredit_domain::keys::PlanKey;
use accredit_domain::note::NoteStage;
use accredit_domain::transaction::{Decoder, Transaction};
use accredit_ledger::record::TransactionRecord;
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;
use jiff::civil::Date;

use super::RedecideItem;
use crate::context::{Context, KnownChange};
use crate::explain;

/// Comparisons of rulesets that are kept at a time.
const CHANGES_MAX: usize = 8;

/// Rulesets of earlier decisions that are compared at a time: building one again takes long.
pub(super) const EARLIER_MAX: usize = 4;

/// How two rulesets differ.
pub(crate) fn ruleset_change(
    context: &Context,
    before: &Ruleset,
    after: &Ruleset,
) -> Arc<RulesetChange> {
    let mut known = context.changes.lock().unwrap_or_else(PoisonError::into_inner);
    let same = |one: &&KnownChange| one.before == before.hash && one.after == after.hash;
    if let Some(found) = known.iter().find(same) {
        return Arc::clone(&found.change);
    }

    let change = Arc::new(RulesetChange::between(before, after));
    let (before, after) = (before.hash, after.hash);
    known.push_front(KnownChange { before, after, change: Arc::clone(&change) });
    known.truncate(CHANGES_MAX);
    change
}

/// What is left to decide of a deal.
#[derive(Debug, Default)]
pub(crate) struct DealWork {
    /// The plans that are decided.
    pub(crate) plans: BTreeSet<String>,
    /// Plans whose recorded decision has the direct credits that would be made, and whether something
    /// that sees these may show the digits of an amount.
    known: Vec<(PlanKey, bool)>,
}

impl DealWork {
    /// The recorded decision of a plan, if its direct credits are known.
    pub(crate) fn known_decision<'a>(
        &self,
        item: &'a RedecideItem,
        plan: &str,
    ) -> Option<KnownDecision<'a>> {
        let (_, shows_digits) = self.known.iter().find(|(known, _)| known == plan)?;
        let recorded = recorded(item, plan)?;
        Some(KnownDecision { recorded, shows_digits: *shows_digits })
    }
}

/// Of each of `again` the plans that have to be decided by `ruleset`: those that are stale, without
/// those whose recorded decision it would make alike; while periods are locked also those whose
/// recorded rows may be posted ones.
pub(crate) fn work_of_deals(
    context: &Context,
    ruleset: &Ruleset,
    again: &[RedecideItem],
    inputs: &DecisionInputs,
    locked: &LockedPeriods,
) -> Vec<DealWork> {
    let is_reusable = |one: &RedecideItem, decision: &Decision| {
        is_reusable(decision, inputs.as_of, (one.transaction.incentive_date().ok(), locked))
    };
    let first = |one: &RedecideItem| {
        let mut plans = one.plans.clone();
        if !locked.is_empty() {
            // What is posted is posted again: only what was decided can be.
            let kept =
                |plan: &str| recorded(one, plan).is_some_and(|known| is_reusable(one, known));
            let anew = ruleset.plans.keys().filter(|plan| !kept(plan));
            plans.extend(anew.map(ToString::to_string));
        }
        DealWork { plans, known: Vec::new() }
    };
    let mut work: Vec<DealWork> = again.iter().map(first).collect();
    let transactions: Vec<Arc<Transaction>> =
        again.iter().map(|one| Arc::clone(&one.transaction)).collect();

    for hash in earlier_rulesets(again, inputs.as_of) {
        let Ok(before) = explain::ruleset_of(context, &hash) else { continue };
        let change = ruleset_change(context, &before, ruleset);

        let asked = |place: usize, plan: &str| {
            let one = again.get(place);
            change.may_keep_credits(plan)
                && one.is_some_and(|one| {
                    one.plans.contains(plan)
                        && recorded(one, plan).is_some_and(|decision| {
                            decision.ruleset == *hash && is_reusable(one, decision)
                        })
                })
        };

        let rulesets = (&*before, ruleset);
        let affected = affected::affected_plans(&change, rulesets, &transactions, inputs, &asked);
        for (place, (work, affected)) in work.iter_mut().zip(affected).enumerate() {
            let stages = |plan: &str| affected.iter().find(|(known, _)| known == plan);
            let asked = ruleset.plans.keys().filter(|plan| asked(place, plan));
            for plan in asked {
                let stages = stages(plan).map(|(_, stages)| *stages);
                if stages.is_none() {
                    work.plans.remove(plan.as_str());
                }
                if stages != Some(AffectedStages::All) {
                    work.known.push((*plan, change.shows_digits(plan)));
                }
            }
        }
    }

    for (work, one) in work.iter_mut().zip(again) {
        add_current_decisions(work, one, &|decision| is_reusable(one, decision));
    }
    work
}

/// Recorded decisions of `stored` that come out alike when they are made again today, by number of the
/// transaction and plan: by the rules in force where `in_force` is true, else by those that made them.
pub(crate) fn decided_alike(
    context: &Context,
    current: &Ruleset,
    stored: &[&TransactionRecord],
    in_force: &dyn Fn(&Decision) -> bool,
) -> Result<BTreeMap<(u64, PlanKey), Decision>, StoreError> {
    let today = context.business_date();
    let locked = context.locked_periods()?;
    let mut decoder = Decoder::new(Arc::clone(&current.settings.fields));
    let item = |one: &&TransactionRecord| {
        let transaction = Arc::new(decoder.decode(&one.record));
        let plans = one.decisions.iter().filter(|decision| in_force(decision));
        let plans = plans.map(|decision| decision.plan.to_string()).collect();
        RedecideItem { stored: (*one).clone(), transaction, plans }
    };
    let items: Vec<RedecideItem> = stored.iter().map(item).collect();
    let inputs = super::stored_inputs(context, &items, today)?;
    let work = work_of_deals(context, current, &items, &inputs, &locked);

    let mut alike = BTreeMap::new();
    for (one, work) in items.iter().zip(&work) {
        for decision in &one.stored.decisions {
            let plan = decision.plan.as_str();
            let by_current = one.plans.contains(plan);
            let kept = match by_current {
                true => !work.plans.contains(plan),
                false => {
                    let date = one.transaction.incentive_date().ok();
                    is_reusable(decision, Some(today), (date, &locked))
                }
            };
            if kept {
                let ruleset = if by_current { current.hash } else { decision.ruleset };
                let decision = super::with_ruleset(decision, &ruleset);
                let decision = Decision { as_of: Some(today), ..decision };
                alike.insert((one.stored.number, decision.plan), decision);
            }
        }
    }
    Ok(alike)
}

/// Adds the decisions of plans that are not stale to those that are known, where a plan may take
/// credits from them.
fn add_current_decisions(
    work: &mut DealWork,
    one: &RedecideItem,
    is_reusable: &dyn Fn(&Decision) -> bool,
) {
    if work.known.is_empty() || work.plans.is_empty() {
        return;
    }
    let current = one.stored.decisions.iter();
    let current = current.filter(|known| !one.plans.contains(known.plan.as_str()));
    let current = current.filter(|known| is_reusable(known));
    work.known.extend(current.map(|known| (known.plan, true)));
}

fn recorded<'a>(one: &'a RedecideItem, plan: &str) -> Option<&'a Decision> {
    one.stored.decisions.iter().find(|decision| decision.plan == plan)
}

/// The rulesets that made most of the decisions that may be reused.
fn earlier_rulesets(again: &[RedecideItem], today: Option<Date>) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for one in again {
        let stale = one.stored.decisions.iter().filter(|known| one.plans.contains(&*known.plan));
        for decision in stale.filter(|decision| is_repeatable(decision, today)) {
            *counts.entry(decision.ruleset.as_str()).or_default() += 1;
        }
    }

    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.into_iter().take(EARLIER_MAX).map(|(hash, _)| hash.to_owned()).collect()
}

/// Whether the decision about a deal of `date` is the one that its rules would make today.
pub(super) fn is_reusable(
    decision: &Decision,
    today: Option<Date>,
    (date, locked): (Option<Date>, &LockedPeriods),
) -> bool {
    is_repeatable(decision, today) && is_as_decided(decision, date, locked)
}

/// Whether the rules that made a decision would make it again today: it is complete, no earlier day is
/// asked for than it was made on, and nothing that it holds is due.
fn is_repeatable(decision: &Decision, today: Option<Date>) -> bool {
    let (Some(made), Some(today)) = (decision.as_of, today) else { return false };
    let due = decision.credits.iter().any(|credit| {
        credit.is_held() && credit.release_date.is_some_and(|release| release <= today)
    });
    made <= today && !due && !decision.is_incomplete()
}

/// Whether the rows of a decision are those that were decided: none was posted in another period, and
/// none is frozen, which may say what was decided earlier.
fn is_as_decided(decision: &Decision, date: Option<Date>, locked: &LockedPeriods) -> bool {
    let is_locked = decision.period.as_deref().is_some_and(|own| locked.contains(own));
    if is_locked || decision.log.iter().any(|note| note.stage == NoteStage::Posting) {
        return false;
    }

    decision.credits.iter().all(|row| {
        matches!(row.origin, CreditOrigin::Calculated | CreditOrigin::Manual)
            && row.reverses.is_none()
            && Some(row.period) == decision.period
            && Some(row.incentive_date) == date
            && row.ruleset == decision.ruleset
    })
}
