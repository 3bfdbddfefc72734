//! Steps 3 and 4: everybody whom a direct credit reaches, and what each candidate gets.

use std::sync::Arc;

use super::draft::{blank_credit, capped};
use crate::credit::{Credit, Rolled, Status};
use crate::money;
use crate::plan::{IndirectResult, IndirectRule, selects};
use crate::script::Answer;
use crate::stage::rollup::{self, Candidate};
use crate::stage::{Case, Park, Seen, adjust, duplication, hold, maximum};

/// Rolls one direct credit to everybody whom it reaches.
///
/// # Errors
/// [`Park`] when no decision can be made.
pub(super) fn roll(case: &mut Case<'_>, root: &Credit) -> Result<(), Park> {
    let plan = case.plan;
    for candidate in rollup::candidates(case, root)? {
        let mut any = false;
        let rules = plan.indirect.iter().filter(|rule| {
            rule.relationship == candidate.relationship && rule.sources.contains(&root.plan)
        });
        for rule in rules {
            any |= indirect(case, root, &candidate, rule)?;
        }
        if !any {
            let who = case.recipient_id(candidate.recipient);
            case.step("rollup", || format!("`{who}` is reached and has no rule for it"));
        }
    }
    Ok(())
}

/// Step 4: one candidate and one rule; whether the candidate holds the rule.
fn indirect(
    case: &mut Case<'_>,
    root: &Credit,
    candidate: &Candidate,
    rule: &IndirectRule,
) -> Result<bool, Park> {
    let organization = &case.ruleset.organization;
    let receives = selects(&rule.receivers, organization, candidate.recipient, case.date);
    if !receives || !rule.rule.validity.contains(case.date) {
        return Ok(false);
    }
    let rolled = (candidate.relationship, candidate.via, candidate.level);
    let to = case.receiver(candidate.recipient, candidate.team, Some(rolled));
    let source = case.view(root);
    let seen = Seen { credit: Some(&source), to: Some(&to), existing: &[] };
    if let Some(condition) = rule.rule.condition
        && !case.test("rollup", condition, seen)?
    {
        let (name, who) = (&rule.rule.name, case.recipient_id(candidate.recipient));
        case.step("rollup", || format!("rule `{name}` for `{who}`: its condition is false"));
        return Ok(true);
    }
    for result in &rule.results {
        let origin = Rolled {
            source: root.id,
            relationship: candidate.relationship,
            via: candidate.via,
            level: candidate.level,
        };
        let (name, result_name) = (&rule.rule.name, &result.output.name);
        let (recipient, team) = (candidate.recipient, candidate.team);
        let mut credit = blank_credit(case, name, result_name, recipient, team, Some(origin));
        credit.unit = result.unit.unwrap_or(root.unit);
        credit.amount = match result.value {
            // What is written is in the result's unit already.
            Some(_) => root.amount,
            None => case.exchange("rollup", root.amount, (root.unit, credit.unit))?,
        };
        let credit_type = result.credit_type.as_ref().unwrap_or(&root.credit_type);
        credit.credit_type = Arc::clone(credit_type);
        credit.reason_code = result.output.reason_code.clone();
        finish_indirect(case, result, credit, seen)?;
    }
    Ok(true)
}

/// Value, rounding, duplication, maximum and hold of a candidate.
fn finish_indirect(
    case: &mut Case<'_>,
    result: &IndirectResult,
    mut credit: Credit,
    seen: Seen<'_>,
) -> Result<(), Park> {
    let (mut wish, mut own_maximum) = (None, None);
    if let Some(program) = result.value {
        let existing = case.existing();
        let seen = Seen { existing: &existing, ..seen };
        match case.run(program, seen).map_err(|fault| Park::fault("rollup", fault))? {
            Answer::Number(amount) => credit.amount = amount,
            Answer::Rolled(rolled) => {
                credit.amount = rolled.amount;
                own_maximum = rolled.maximum;
                wish = rolled.hold;
                if let Some(kind) = rolled.credit_type {
                    credit.credit_type = credit_type(case, &kind)?;
                }
            }
            _ => {
                let who = case.recipient_id(credit.recipient);
                case.step("rollup", || format!("rule `{}`: nothing for `{who}`", credit.rule));
                return Ok(());
            }
        }
    }
    credit.amount = money::round(credit.amount, credit.unit.scale);
    duplication::apply(case, &result.output.duplicates, &mut credit)?;
    if credit.status != Status::Suppressed {
        let cap = match (own_maximum, result.output.maximum) {
            (Some(cap), _) => Some(cap),
            (None, Some(program)) => Some(case.number("maximum", program, seen)?),
            (None, None) => None,
        };
        if let Some(cap) = cap {
            let scope = result.maximum_scope;
            let whose = (credit.recipient, credit.unit);
            let used = maximum::used(case, &credit.rule, &credit.result, scope, whose);
            if !capped(case, &mut credit, cap.abs() - used) {
                return Ok(());
            }
        }
        adjust::credit(case, &mut credit);
        hold::apply(case, &result.output.hold, wish, &mut credit);
    }
    let who = case.recipient_id(credit.recipient);
    case.step("rollup", || {
        let (amount, status) = (credit.amount, credit.status.name());
        format!("rule `{}`: {amount} to `{who}`, {status}", credit.rule)
    });
    case.credits.push(credit);
    Ok(())
}

fn credit_type(case: &Case<'_>, name: &str) -> Result<Arc<str>, Park> {
    let known = case.ruleset.settings.credit_types.iter().find(|known| ***known == *name);
    known.cloned().ok_or_else(|| {
        let message = format!("`{name}` is not one of the workspace's credit types");
        Park::new("rollup", "policy_error", message)
    })
}
