//! Steps 3 and 4: all receivers that a direct credit reaches, and what each candidate gets.

use accredit_domain::note::NoteStage;

use super::draft::{add_credit, blank_credit, cap_to_headroom, check_value_limit};
use crate::stage::rollup::{self, Candidate};
use crate::stage::{
    DealCase, ParkReason, ScriptContext, StepEffect, adjust, duplication, hold, maximum,
};
use accredit_domain::credit::{Credit, CreditSource, CreditStatus};
use accredit_domain::keys::DefinedName;
use accredit_domain::money;
use accredit_domain::organization::Recipient;
use accredit_domain::plan::{IndirectResult, IndirectRule, selects_recipient};
use accredit_domain::policy::ProgramId;
use accredit_script::ScriptAnswer;

/// Rolls one direct credit to all receivers that it reaches.
///
/// # Errors
/// [`ParkReason`] when no decision can be made.
pub(super) fn roll_credit(
    case: &mut DealCase<'_>,
    (source, root): (CreditSource, &Credit),
) -> Result<(), ParkReason> {
    let plan = case.plan;
    case.rule = None;
    let candidates = rollup::find_candidates(case, root)?;
    trace_reached(case, root, &candidates);

    for candidate in candidates {
        let mut any = false;

        let rules = plan.indirect.iter().filter(|rule| {
            rule.relationship == candidate.relationship && rule.sources.contains(&root.plan)
        });
        for rule in rules {
            case.rule = Some(rule.rule.name);
            any |= apply_indirect_rule(case, (source, root), &candidate, rule)?;
        }
        case.rule = None;

        if !any {
            let who = case.recipient_id(candidate.recipient);
            case.trace_step(NoteStage::Rollup, || {
                format!("`{who}` is reached and has no rule for it")
            });
        }
    }

    Ok(())
}

/// Traces which receivers `root` reaches, rule by rule.
fn trace_reached(case: &mut DealCase<'_>, root: &Credit, candidates: &[Candidate]) {
    if case.trace.is_none() {
        return;
    }
    let (plan, date, from) = (case.plan, case.date, case.recipient_id(root.recipient));

    for rule in plan.indirect.iter().filter(|rule| rule.sources.contains(&root.plan)) {
        let name = &rule.rule.name;
        case.rule = Some(*name);

        if !rule.rule.validity.contains(date) {
            let message = format!("rule `{name}` is not active on {date}");
            case.trace_effect(NoteStage::Rollup, || {
                (StepEffect::Rejected("inactive".to_owned()), message)
            });
            continue;
        }

        let over = candidates.iter().filter(|it| it.relationship == rule.relationship);
        let who: Vec<_> = over.map(|candidate| candidate.recipient).collect();
        let ids: Vec<String> =
            who.iter().map(|who| format!("`{}`", case.recipient_id(*who))).collect();
        let ids = if ids.is_empty() { "nobody".to_owned() } else { ids.join(", ") };
        let over = case.ruleset.settings.relationship_name(rule.relationship);
        let message = format!("rule `{name}`: the credit to `{from}` reaches {ids} over {over}");
        case.trace_effect(NoteStage::Rollup, || (StepEffect::OnlyThese(who), message));
    }

    case.rule = None;
}

/// Says why a candidate gets nothing of the rule at work.
fn trace_rejected(
    case: &mut DealCase<'_>,
    code: &str,
    who: Recipient,
    why: impl FnOnce() -> String,
) {
    let (id, rule) = (case.recipient_id(who), case.rule.unwrap_or_default());
    case.trace_effect(NoteStage::Rollup, || {
        let message = format!("rule `{rule}` for `{id}`: {}", why());
        (StepEffect::RejectedFor(code.to_owned(), vec![who]), message)
    });
}

/// Step 4: one candidate and one rule; whether the candidate holds the rule.
fn apply_indirect_rule(
    case: &mut DealCase<'_>,
    (source, root): (CreditSource, &Credit),
    candidate: &Candidate,
    rule: &IndirectRule,
) -> Result<bool, ParkReason> {
    let organization = &case.ruleset.organization;
    let receives = selects_recipient(&rule.receivers, organization, candidate.recipient, case.date);

    if !rule.rule.validity.contains(case.date) {
        return Ok(false);
    }
    if !receives {
        trace_rejected(case, "receiver", candidate.recipient, || {
            "not among its receivers".to_owned()
        });
        return Ok(false);
    }

    let rolled = (candidate.relationship, candidate.via, candidate.level);
    let to = case.receiver_view(candidate.recipient, candidate.team, Some(rolled));
    let seen = ScriptContext { credit: Some(root), to: Some(&to), ..ScriptContext::default() };

    if let Some(condition) = rule.rule.condition
        && !case.run_condition(NoteStage::Rollup, condition, seen)?
    {
        let (name, who) = (&rule.rule.name, candidate.recipient);
        let id = case.recipient_id(who);
        case.trace_refusal(NoteStage::Rollup, (condition, seen), |refusal| {
            let message = format!("rule `{name}` for `{id}`: its condition {refusal}");
            (StepEffect::RejectedFor("condition".to_owned(), vec![who]), message)
        });
        return Ok(true);
    }

    for result in &rule.results {
        let named = (rule.rule.name, &result.output);
        let receiver = (candidate.recipient, candidate.team);
        let unit = result.unit.unwrap_or(root.unit);
        // A type that the result does not name is that of the credit that rolls.
        let credit_type = result.credit_type.unwrap_or(root.credit_type);

        let measure = (unit, credit_type);
        let rolled = Some((source, candidate));
        let mut credit = blank_credit(case, named, receiver, measure, rolled);

        let amount = root.amount;
        credit.amount = match result.value {
            // What is written is in the result's unit already.
            Some(_) => amount,
            None => case.exchange_amount(NoteStage::Rollup, amount, (root.unit, unit))?,
        };
        finish_indirect(case, result, credit, seen)?;
    }
    Ok(true)
}

/// Value, rounding, duplication, maximum and hold of a candidate.
fn finish_indirect(
    case: &mut DealCase<'_>,
    result: &IndirectResult,
    mut credit: Credit,
    seen: ScriptContext<'_>,
) -> Result<(), ParkReason> {
    let (mut wish, mut wished_maximum) = (None, None);

    if let Some(program) = result.value {
        match case
            .run_with_existing(program, seen)
            .map_err(|fault| ParkReason::from_fault(NoteStage::Rollup, fault))?
        {
            ScriptAnswer::Number(amount) => credit.amount = amount,
            ScriptAnswer::Rolled(rolled) => {
                credit.amount = rolled.amount;
                // What the result itself says is nearer than what the policy says.
                wished_maximum = rolled.maximum;
                let hold = rolled.hold.filter(|_| !result.output.own_hold);
                wish = hold.map(|hold| (hold, Some(program)));
                if let Some(kind) = rolled.credit_type {
                    let kind = credit_type(case, program, &kind)?;
                    credit.credit_type = result.credit_type.unwrap_or(kind);
                }
            }
            _ => {
                let (rule, who) = (&credit.rule, credit.recipient);
                let id = case.recipient_id(who);
                case.trace_refusal(NoteStage::Rollup, (program, seen), |refusal| {
                    let site = refusal.site_text();
                    let message = format!("rule `{rule}` for `{id}`: its value is nothing: {site}");
                    (StepEffect::RejectedFor("nothing".to_owned(), vec![who]), message)
                });
                return Ok(());
            }
        }
    }

    check_value_limit(NoteStage::Rollup, credit.amount, credit.unit)?;
    credit.amount = money::round_to_scale(credit.amount, credit.unit.scale);
    duplication::suppress_duplicate(case, &result.output.duplicates, &mut credit)?;

    // What a duplicate would have used of the maximum stays for the others.
    if credit.status != CreditStatus::Suppressed {
        let cap = match result.output.maximum {
            Some(program) => Some(case.run_number(NoteStage::Maximum, program, seen)?),
            None => wished_maximum,
        };
        if let Some(cap) = cap {
            let scope = result.maximum_scope;
            let used = maximum::used_maximum(case, &credit, scope)?;
            if !cap_to_headroom(case, &mut credit, cap.abs().saturating_sub(used)) {
                return Ok(());
            }
        }

        adjust::adjust_credit(case, &mut credit)?;
        hold::apply_hold(case, &result.output.hold, wish, &mut credit);
    }

    let who = case.recipient_id(credit.recipient);
    case.trace_effect(NoteStage::Rollup, || {
        let Credit { rule, amount, status, .. } = &credit;
        (StepEffect::CreditMade, format!("rule `{rule}`: {amount} to `{who}`, {status}"))
    });

    add_credit(case, credit);
    Ok(())
}

fn credit_type(
    case: &DealCase<'_>,
    program: ProgramId,
    name: &str,
) -> Result<DefinedName, ParkReason> {
    let known = case.ruleset.settings.credit_types.iter().find(|known| **known == *name);
    known.copied().ok_or_else(|| {
        let message = format!("`{name}` is not one of the workspace's credit types");
        ParkReason::from_fault(NoteStage::Rollup, case.fault_of(program, message))
    })
}
