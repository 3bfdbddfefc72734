//! Recorded decisions that other rules would make alike, and which therefore are not made again.
//!
//! Not the test itself (`crediting`, `affected`). Called by `replay`, and by `effect` for two rulesets
//! of which neither needs to be in force. Source: DESIGN section 5.
//!
//! **Architecture invariant:** a decision that is reused is the one that would be made today: it was
//! made completely, and no hold has ended since.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use accredit_crediting::affected::{self, RulesetChange};
use accredit_crediting::stage::DecisionInputs;
use accredit_domain::decision::Decision;
use accredit_domain::transaction::Transaction;
use accredit_workspace::Ruleset;
use jiff::civil::Date;

use super::RedecideItem;
use crate::context::{Context, KnownChange};
use crate::explain;

/// Comparisons of rulesets that are kept at a time.
const CHANGES_MAX: usize = 8;

/// Rulesets of earlier decisions that are compared at a time: building one again takes long.
const EARLIER_MAX: usize = 4;

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

/// Of each of `again` the plans that have to be decided by `ruleset`: those that are stale, without
/// those whose recorded decision it would make alike.
pub(crate) fn plans_to_decide(
    context: &Context,
    ruleset: &Ruleset,
    again: &[RedecideItem],
    inputs: &DecisionInputs,
) -> Vec<BTreeSet<String>> {
    let mut plans: Vec<BTreeSet<String>> = again.iter().map(|one| one.plans.clone()).collect();
    let transactions: Vec<Arc<Transaction>> =
        again.iter().map(|one| Arc::clone(&one.transaction)).collect();

    for hash in earlier_rulesets(again, inputs.as_of) {
        let Ok(before) = explain::ruleset_of(context, &hash) else { continue };
        let change = ruleset_change(context, &before, ruleset);

        let asked = |place: usize, plan: &str| {
            let one = again.get(place);
            !change.affects_everything(plan)
                && one.is_some_and(|one| {
                    one.plans.contains(plan)
                        && recorded(one, plan).is_some_and(|decision| {
                            decision.ruleset == *hash && is_repeatable(decision, inputs.as_of)
                        })
                })
        };

        let rulesets = (&*before, ruleset);
        let affected = affected::affected_plans(&change, rulesets, &transactions, inputs, &asked);
        for (place, (plans, affected)) in plans.iter_mut().zip(affected).enumerate() {
            plans.retain(|plan| {
                !asked(place, plan) || affected.iter().any(|known| **known == **plan)
            });
        }
    }

    plans
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

/// Whether the rules that made a decision would make it again today: it is complete, no earlier day is
/// asked for than it was made on, and nothing that it holds is due.
fn is_repeatable(decision: &Decision, today: Option<Date>) -> bool {
    let (Some(made), Some(today)) = (decision.as_of, today) else { return false };
    let due = decision.credits.iter().any(|credit| {
        credit.is_held() && credit.release_date.is_some_and(|release| release <= today)
    });
    made <= today && !due && !decision.is_incomplete()
}
