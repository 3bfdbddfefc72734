//! Maximum: what a cap leaves of an amount.
//!
//! Called by the pipeline for direct credits (each recipient alone) and for indirect ones (across a
//! rule's credits of one transaction). Source: DOMAIN 2.7, 3.6, decisions D6, D7.
//!
//! **Architecture invariant:** a cap is never shared between transactions: what is used is counted
//! over the credits of one decision.

use rust_decimal::Decimal;

use crate::stage::{DealCase, ParkReason, StepEffect, TrimmedCredit};
use accredit_domain::credit::Credit;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::money;
use accredit_domain::note::{Note, NoteCode, NoteStage};
use accredit_domain::plan::MaximumScope;

/// `amount` cut to what `headroom` allows, with the sign of the amount.
pub fn trim_to_headroom(amount: Decimal, headroom: Decimal) -> Decimal {
    let allowed = amount.abs().min(headroom.max(Decimal::ZERO));
    if amount.is_sign_negative() && !allowed.is_zero() { -allowed } else { allowed }
}

/// What the earlier credits of the same result as `of`, in the same unit, have used of its maximum:
/// held ones count, suppressed ones do not. Dollars use up no yen.
///
/// # Errors
/// [`ParkReason`] when their sum is too large.
pub fn used_maximum(
    case: &DealCase<'_>,
    of: &Credit,
    scope: MaximumScope,
) -> Result<Decimal, ParkReason> {
    let same = |credit: &&Credit| {
        credit.counts_as_existing()
            && !credit.is_direct()
            && credit.rule == of.rule
            && credit.result == of.result
            && credit.unit == of.unit
            && (scope == MaximumScope::Item || credit.recipient == of.recipient)
    };

    let amounts = case.credits.iter().filter(same).map(|credit| credit.amount.abs());
    money::checked_sum(amounts).ok_or_else(|| {
        ParkReason::new(NoteStage::Maximum, NoteCode::PolicyError, money::Overflow.to_string())
    })
}

/// Warns that a credit was cut.
pub fn warn_trimmed(case: &mut DealCase<'_>, credit: &Credit, wanted: Decimal) {
    let who = case.recipient_id(credit.recipient);
    let (rule, left) = (&credit.rule, credit.amount);
    let message = format!("{}{wanted}{MAXIMUM_LEAVES}{left}", wanted_text(rule, &who));
    let text = |amount| money::format_amount(amount, credit.unit.scale);
    let trimmed = TrimmedCredit {
        who: credit.recipient,
        wanted: text(wanted),
        left: text(left),
        unit_type: case.ruleset.settings.units.name(credit.unit).to_owned(),
    };
    case.warn_with_effect(
        NoteStage::Maximum,
        NoteCode::OverMaximum,
        message,
        StepEffect::CreditTrimmed(trimmed),
    );
}

/// The words between the two amounts of a warning.
const MAXIMUM_LEAVES: &str = ", the maximum leaves ";

fn wanted_text(rule: &str, who: &str) -> String {
    format!("rule `{rule}`: `{who}` would get ")
}

/// What the credit `row` would be without its maximum, as its decision's `log` says; none where no
/// maximum cut it. Amounts are text.
pub fn before_maximum(log: &[Note], row: &PostedCredit) -> Option<String> {
    let (wished, left) = (wanted_text(&row.rule, row.recipient()), row.amount);

    let notes =
        log.iter().filter(|note| note.code == NoteCode::OverMaximum && note.plan == row.plan);
    // A credit may have been cut at several decisions: the warning that fits its amount is meant.
    let mut amounts = notes.filter_map(|note| {
        let (wanted, leaves) = note.message.strip_prefix(&wished)?.split_once(MAXIMUM_LEAVES)?;
        Some((wanted, leaves.parse::<Decimal>().ok()?))
    });

    let (wanted, _) = amounts.find(|(_, leaves)| *leaves == left)?;
    let scale = u8::try_from(left.scale()).ok()?;
    Some(money::format_amount(wanted.parse().ok()?, scale))
}
