//! Maximum: what a cap leaves of an amount.
//!
//! Called by the pipeline for direct credits (each recipient alone) and for indirect ones (across a
//! rule's credits of one transaction). Source: DOMAIN 2.7, 3.6, decisions D6, D7.
//!
//! **Architecture invariant:** a cap is never shared between transactions: what is used is counted
//! over the credits of one decision.

use rust_decimal::Decimal;

use crate::stage::{Case, Park, Says, Trimmed};
use accredit_domain::credit::Credit;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::Note;
use accredit_domain::money::{self, Unit};
use accredit_domain::organization::Recipient;
use accredit_domain::plan::MaximumScope;

/// `amount` cut to what `headroom` allows, with the sign of the amount.
pub fn trim(amount: Decimal, headroom: Decimal) -> Decimal {
    let allowed = amount.abs().min(headroom.max(Decimal::ZERO));
    if amount.is_sign_negative() && !allowed.is_zero() { -allowed } else { allowed }
}

/// What the earlier credits of one result in the same unit have used of its maximum: held ones
/// count, suppressed ones do not. Dollars use up no yen.
///
/// # Errors
/// [`Park`] when their sum is too large.
pub fn used(
    case: &Case<'_>,
    rule: &str,
    result: &str,
    scope: MaximumScope,
    (receiver, unit): (Recipient, Unit),
) -> Result<Decimal, Park> {
    let same = |credit: &&Credit| {
        credit.exists()
            && !credit.is_direct()
            && *credit.rule == *rule
            && *credit.result == *result
            && credit.unit == unit
            && (scope == MaximumScope::Item || credit.recipient == receiver)
    };

    let amounts = case.credits.iter().filter(same).map(|credit| credit.amount.abs());
    money::sum(amounts)
        .ok_or_else(|| Park::new("maximum", "policy_error", money::Overflow.to_string()))
}

/// Warns that a credit was cut.
pub fn warn(case: &mut Case<'_>, credit: &Credit, wanted: Decimal) {
    let who = case.recipient_id(credit.recipient);
    let message = format!("{}{wanted}{LEAVES}{}", wished(&credit.rule, &who), credit.amount);
    let text = |amount| money::text(amount, credit.unit.scale);
    let trimmed = Trimmed {
        who: credit.recipient,
        wanted: text(wanted),
        left: text(credit.amount),
        unit_type: case.ruleset.settings.units.name(credit.unit).to_owned(),
    };
    case.warn_that("maximum", OVER_MAXIMUM, message, Says::Trims(trimmed));
}

/// The code of a credit that was cut.
const OVER_MAXIMUM: &str = "over_maximum";

/// What stands between the two amounts of a warning.
const LEAVES: &str = ", the maximum leaves ";

fn wished(rule: &str, who: &str) -> String {
    format!("rule `{rule}`: `{who}` would get ")
}

/// What the credit `row` would be without its maximum, as its decision's `log` says; none where no
/// maximum cut it. Amounts are text.
pub fn before_maximum(log: &[Note], row: &PostedCredit) -> Option<String> {
    let (wished, left) = (wished(&row.rule, row.recipient()), row.amount);

    let notes = log.iter().filter(|note| note.code == OVER_MAXIMUM && note.plan == row.plan);
    // A credit may have been cut at several decisions: the warning that fits its amount is meant.
    let mut amounts = notes.filter_map(|note| {
        let (wanted, leaves) = note.message.strip_prefix(&wished)?.split_once(LEAVES)?;
        Some((wanted, leaves.parse::<Decimal>().ok()?))
    });

    let (wanted, _) = amounts.find(|(_, leaves)| *leaves == left)?;
    let scale = u8::try_from(left.scale()).ok()?;
    Some(money::text(wanted.parse().ok()?, scale))
}
