//! Step 2: one direct rule: condition, recipients, value, shares, maximum, hold, duplication.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::admit::unreadable;
use super::draft::{add, blank_credit, capped, worth};
use crate::stage::{Case, Park, Says, Seen, adjust, crediting, duplication, hold};
use accredit_domain::credit::Credit;
use accredit_domain::money::Shares;
use accredit_domain::plan::{DirectResult, DirectRule};
use accredit_domain::transaction::Unreadable;

/// Makes the direct credits of `rule`.
///
/// # Errors
/// [`Park`] when no decision can be made.
pub(super) fn direct(case: &mut Case<'_>, rule: &DirectRule) -> Result<(), Park> {
    let (name, date) = (&rule.rule.name, case.date);

    if !rule.rule.validity.contains(case.date) {
        let message = || format!("rule `{name}` is not active on {date}");
        case.tell("crediting", || (Says::Ends("inactive".to_owned()), message()));
        return Ok(());
    }

    if let Some(condition) = rule.rule.condition
        && !case.test("crediting", condition, Seen::default())?
    {
        case.refuse("crediting", (condition, Seen::default()), |refusal| {
            let message = format!("rule `{name}`: its condition {refusal}");
            (Says::Ends("condition".to_owned()), message)
        });
        let message = format!("rule `{name}`: its condition is false");
        let note = case.note("crediting", "condition", message);
        case.reasons.push(note);
        return Ok(());
    }

    let Some(recipients) = crediting::recipients(case, rule)? else { return Ok(()) };
    // The value is computed once for the whole deal: its program sees the first recipient.
    let first = recipients.first();

    for result in &rule.results {
        let to = first.map(|(recipient, team)| case.receiver(recipient, team, None));
        let value = match result.value {
            Some(program) => {
                case.number("value", program, Seen { to: to.as_ref(), ..Seen::default() })?
            }
            None => amount_of(case)?,
        };
        case.step("value", || format!("rule `{name}`: the deal is worth {value}"));

        // Exchanged before it is divided, so that the parts sum to the exchanged value.
        let value = match case.currency {
            Some(currency) => case.exchange("value", value, (currency, result.unit))?,
            None => value,
        };
        worth("value", value, result.unit)?;

        for part in recipients.parts(value, result.unit.scale)? {
            let result_name = &result.output.name;
            let mut credit = blank_credit(case, name, result_name, part.recipient, part.team, None);
            credit.unit = result.unit;
            credit.amount = part.amount;
            credit.share = Some(part.share);
            finish_direct(case, result, credit, &recipients.shares)?;
        }
    }

    Ok(())
}

fn amount_of(case: &Case<'_>) -> Result<Decimal, Park> {
    case.tx.transaction.amount().map_err(|why| match why {
        Unreadable::Blank(column) => {
            let message = format!("`{column}` is blank, and the value of the deal is its amount");
            Park::new("value", "policy_error", message)
        }
        Unreadable::Unmapped => {
            let message = "no column is mapped to `amount` in [fields]";
            Park::new("value", "policy_error", message)
        }
        bad => unreadable(&bad, "policy_error"),
    })
}

/// Maximum, hold and duplication of a direct credit.
fn finish_direct(
    case: &mut Case<'_>,
    result: &DirectResult,
    mut credit: Credit,
    shares: &Shares,
) -> Result<(), Park> {
    credit.credit_type = Arc::clone(&result.credit_type);
    credit.reason_code = result.output.reason_code.clone();
    credit.rollable = result.rollable;
    credit.rollable_on_reporting = result.rollable_on_reporting;

    if let Some(program) = result.output.maximum {
        let to = case.receiver(credit.recipient, credit.team, None);
        let cap = case.number("maximum", program, Seen { to: Some(&to), ..Seen::default() })?;
        if !capped(case, &mut credit, cap.abs()) {
            return Ok(());
        }
    }

    // After the maximum: an amount set by hand is the last word.
    adjust::credit(case, &mut credit)?;
    hold::apply(case, &result.output.hold, None, &mut credit);
    duplication::apply(case, &result.output.duplicates, &mut credit)?;

    let who = case.recipient_id(credit.recipient);
    case.tell("crediting", || {
        let (amount, status) = (credit.amount, credit.status.name());
        let share = shares_text(shares, credit.share);
        (Says::Credits, format!("rule `{}`: {amount} to `{who}`{share}, {status}", credit.rule))
    });

    add(case, credit);
    Ok(())
}

fn shares_text(shares: &Shares, share: Option<Decimal>) -> String {
    match (shares, share) {
        (_, None) => String::new(),
        (Shares::Equal(1), Some(share)) if share == Decimal::ONE => String::new(),
        (_, Some(share)) => format!(" (a share of {share})"),
    }
}
