//! What keeps a sound ruleset out all the same: a base that moved, credits that would lose their
//! rule, more money than was agreed.
//!
//! Called by the door, in its turn. Source: seed 003 (rules and results that have computed results
//! are not deleted), DESIGN section 5.
//!
//! **Architecture invariant:** a guard writes nothing.

use std::collections::BTreeMap;

use accredit_ledger::definitions::{Effective, set_hash};
use accredit_workspace::Ruleset;
use serde_json::json;

use super::ChangeRequest;
use crate::activation::people;
use crate::context::Context;
use crate::effect::{self, MoneyChange};
use crate::error::OperationError;

/// Results by rule.
type ResultsByRule<'a> = BTreeMap<&'a str, Vec<&'a str>>;

fn results_by_rule<'a>(ruleset: &'a Ruleset, plan: &str) -> ResultsByRule<'a> {
    let Some(plan) = ruleset.plans.get(plan) else { return ResultsByRule::new() };
    let direct = plan.direct.iter().map(|rule| {
        let results = rule.results.iter().map(|result| result.output.name.as_ref());
        (rule.rule.name.as_ref(), results.collect())
    });
    let indirect = plan.indirect.iter().map(|rule| {
        let results = rule.results.iter().map(|result| result.output.name.as_ref());
        (rule.rule.name.as_ref(), results.collect())
    });
    direct.chain(indirect).collect()
}

/// Whether the caller has seen the ruleset in force.
pub(super) fn check_base(current: &Ruleset, change: &ChangeRequest) -> Result<(), OperationError> {
    match &change.base {
        Some(base) if **base != *current.hash => {
            let detail = format!(
                "made for `{base}`, but `{}` is now in force; preview it again",
                current.hash
            );
            return Err(OperationError::conflict("base_moved", detail));
        }
        _ => (),
    }

    if change.set.as_ref().is_some_and(|set| *set != set_hash(&current.files)) {
        let detail = "a file has changed since, perhaps a case file; preview it again";
        return Err(OperationError::conflict("base_moved", detail));
    }

    Ok(())
}

/// Refuses what would leave credits without their rule, or move too much money; gives what moves.
pub(super) fn enforce_limits(
    context: &Context,
    current: &Ruleset,
    new: &Ruleset,
    change: &ChangeRequest,
) -> Result<MoneyChange, OperationError> {
    if change.makes.as_ref().is_some_and(|makes| **makes != *new.hash) {
        let detail = "these files make a different ruleset from the one that was previewed";
        return Err(OperationError::conflict("other_ruleset", detail));
    }

    // What is decided again takes the credits back of rules that were not there before.
    if !(change.terms.rollback && change.terms.effective == Effective::Recredit) {
        keeps_rules(context, current, new)?;
    }
    people::keeps_people(context, current, new, change)?;

    let moved = effect::money_change(context, current, new, change.terms.effective)?;
    let Some(exceeded) = moved.exceeded_limit(&change.terms.limits) else { return Ok(moved) };
    let detail = format!("{exceeded}; nothing was activated");
    let report = json!({ "impact": moved.credits().to_report(), "money": moved.money_effect() });
    Err(OperationError::conflict("stop_loss", detail).with_findings(vec![report]))
}

fn keeps_rules(context: &Context, current: &Ruleset, new: &Ruleset) -> Result<(), OperationError> {
    for plan in current.plans.keys() {
        let kept = results_by_rule(new, plan);
        if !new.plans.contains_key(plan) {
            without_manual_credits(context, plan)?;
        }
        for (rule, results) in results_by_rule(current, plan) {
            let Some(known) = kept.get(rule) else {
                without_credits(context, plan, rule, None)?;
                continue;
            };
            for result in results.into_iter().filter(|result| !known.contains(result)) {
                without_credits(context, plan, rule, Some(result))?;
            }
        }
    }

    Ok(())
}

/// Refuses to remove a plan in which people gave credits.
fn without_manual_credits(context: &Context, plan: &str) -> Result<(), OperationError> {
    // No rule made them.
    if !context.ledger.has_credits(plan, "", None)? {
        return Ok(());
    }
    let detail = format!(
        "plan `{plan}` has manual credits: end-date it with `to` instead of removing or renaming it"
    );
    Err(OperationError::conflict("has_credits", detail))
}

fn without_credits(
    context: &Context,
    plan: &str,
    rule: &str,
    result: Option<&str>,
) -> Result<(), OperationError> {
    let found = context.ledger.has_credits(plan, rule, result);
    if !found? {
        return Ok(());
    }

    let detail = match result {
        None => format!(
            "rule `{rule}` of plan `{plan}` has produced credits: end-date it with `to` \
                 instead of removing or renaming it"
        ),
        Some(result) => format!(
            "result `{result}` of rule `{rule}` in plan `{plan}` has produced credits, so it can \
                be neither renamed nor removed; end-date the rule with `to` and copy it"
        ),
    };

    Err(OperationError::conflict("has_credits", detail))
}
