//! Step 2: one direct rule: condition, recipients, value, shares, maximum, hold, duplication.

use accredit_domain::note::{NoteCode, NoteStage};
use rust_decimal::Decimal;

use super::admit::unreadable_reason;
use super::draft::{add_credit, blank_credit, cap_to_headroom, check_value_limit};
use crate::stage::{
    DealCase, ParkReason, ScriptContext, StepEffect, adjust, crediting, duplication, hold,
};
use accredit_domain::credit::Credit;
use accredit_domain::money::Shares;
use accredit_domain::organization::TeamId;
use accredit_domain::plan::{DirectResult, DirectRule};
use accredit_domain::transaction::UnreadableField;

/// Makes the direct credits of `rule`.
///
/// # Errors
/// [`ParkReason`] when no decision can be made.
pub(super) fn add_direct_credits(
    case: &mut DealCase<'_>,
    rule: &DirectRule,
) -> Result<(), ParkReason> {
    let (name, date) = (&rule.rule.name, case.date);

    if !rule.rule.validity.contains(case.date) {
        let message = || format!("rule `{name}` is not active on {date}");
        case.trace_effect(NoteStage::Crediting, || {
            (StepEffect::Rejected("inactive".to_owned()), message())
        });
        return Ok(());
    }

    if let Some(condition) = rule.rule.condition
        && !case.run_condition(NoteStage::Crediting, condition, ScriptContext::default())?
    {
        case.trace_refusal(
            NoteStage::Crediting,
            (condition, ScriptContext::default()),
            |refusal| {
                let message = format!("rule `{name}`: its condition {refusal}");
                (StepEffect::Rejected("condition".to_owned()), message)
            },
        );
        let message = format!("rule `{name}`: its condition is false");
        let note = case.build_note(NoteStage::Crediting, NoteCode::Condition, message);
        case.reasons.push(note);
        return Ok(());
    }

    let Some(recipients) = crediting::find_recipients(case, rule)? else { return Ok(()) };
    // The value is computed once for the whole deal: its program sees the first recipient.
    let first = recipients.first_recipient();

    for result in &rule.results {
        let to = first.map(|(recipient, team)| case.receiver_view(recipient, team, None));
        let value = match result.value {
            Some(program) => case.run_number(
                NoteStage::Value,
                program,
                ScriptContext { to: to.as_ref(), ..ScriptContext::default() },
            )?,
            None => amount_of(case)?,
        };
        case.trace_step(NoteStage::Value, || format!("rule `{name}`: the deal is worth {value}"));

        // Exchanged before it is divided, so that the parts sum to the exchanged value.
        let value = match case.currency {
            Some(currency) => {
                case.exchange_amount(NoteStage::Value, value, (currency, result.unit))?
            }
            None => value,
        };
        check_value_limit(NoteStage::Value, value, result.unit)?;

        for part in recipients.divide_value(value, result.unit.scale)? {
            let source = (*name, &result.output);
            let receiver = (part.recipient, part.team);
            let measure = (result.unit, result.credit_type);
            let mut credit = blank_credit(case, source, receiver, measure, None);
            credit.amount = part.amount;
            credit.share = Some(part.share);
            finish_direct(case, result, (credit, part.team), &recipients.shares)?;
        }
    }

    Ok(())
}

fn amount_of(case: &DealCase<'_>) -> Result<Decimal, ParkReason> {
    case.tx.amount().map_err(|why| match why {
        UnreadableField::Blank(column) => {
            let message = format!("`{column}` is blank, and the value of the deal is its amount");
            ParkReason::new(NoteStage::Value, NoteCode::PolicyError, message)
        }
        UnreadableField::Unmapped => {
            let message = "no column is mapped to `amount` in [fields]";
            ParkReason::new(NoteStage::Value, NoteCode::PolicyError, message)
        }
        bad => unreadable_reason(&bad, NoteCode::PolicyError),
    })
}

/// Maximum, hold and duplication of a direct credit.
fn finish_direct(
    case: &mut DealCase<'_>,
    result: &DirectResult,
    (mut credit, team): (Credit, Option<TeamId>),
    shares: &Shares,
) -> Result<(), ParkReason> {
    credit.rollable = result.rollable;
    credit.rollable_on_reporting = result.rollable_on_reporting;

    if let Some(program) = result.output.maximum {
        let to = case.receiver_view(credit.recipient, team, None);
        let cap = case.run_number(
            NoteStage::Maximum,
            program,
            ScriptContext { to: Some(&to), ..ScriptContext::default() },
        )?;
        if !cap_to_headroom(case, &mut credit, cap.abs()) {
            return Ok(());
        }
    }

    // After the maximum: an amount that was set manually wins.
    adjust::adjust_credit(case, &mut credit)?;
    hold::apply_hold(case, &result.output.hold, None, &mut credit);
    duplication::suppress_duplicate(case, &result.output.duplicates, &mut credit)?;

    let who = case.recipient_id(credit.recipient);
    case.trace_effect(NoteStage::Crediting, || {
        let Credit { rule, amount, status, .. } = &credit;
        let share = shares_text(shares, credit.share);
        (StepEffect::CreditMade, format!("rule `{rule}`: {amount} to `{who}`{share}, {status}"))
    });

    add_credit(case, credit);
    Ok(())
}

fn shares_text(shares: &Shares, share: Option<Decimal>) -> String {
    match (shares, share) {
        (_, None) => String::new(),
        (Shares::Equal(1), Some(share)) if share == Decimal::ONE => String::new(),
        (_, Some(share)) => format!(" (a share of {share})"),
    }
}
