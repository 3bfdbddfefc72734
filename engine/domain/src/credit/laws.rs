//! The laws of credits, asserted between stages, in release builds too.
//!
//! A broken law is an error of this program, not of an author; the transaction is parked with it,
//! so that nothing wrong is ever paid. Called by the pipeline. Source: DESIGN section 9, laws 4 and
//! 5; DOMAIN INV-D1, INV-I1, INV-I4.

use std::collections::HashMap;

use rust_decimal::Decimal;

use crate::credit::{Credit, CreditId, CreditSource};
use crate::keys::RecipientKey;
use crate::money::{Overflow, Shares, checked_sum, round_to_scale};

/// INVARIANT (shares sum): the shares of a split sum to round(value × Σ weights).
///
/// # Errors
/// What is broken, or that the weights or the shares are too large to be added.
pub fn check_split(
    value: Decimal,
    shares: &Shares,
    amounts: &[Decimal],
    scale: u8,
) -> Result<(), String> {
    let exact = match shares {
        Shares::Equal(_) | Shares::Parts(_) => Some(value),
        // `full` gives the whole to each, so nothing is to be summed.
        Shares::Full(_) => None,
        Shares::Weights(weights) => {
            let whole = checked_sum(weights.iter().copied()).ok_or_else(|| Overflow.to_string())?;
            // A product of more digits than a decimal holds was rounded, and cannot be compared
            // exactly.
            whole.checked_mul(value).filter(|_| value.scale() <= 12)
        }
    };

    let Some(exact) = exact else { return Ok(()) };

    let actual = checked_sum(amounts.iter().copied()).ok_or_else(|| Overflow.to_string())?;
    let expected = round_to_scale(exact, scale);

    if expected == actual {
        return Ok(());
    }

    Err(format!("law broken (shares sum): {actual} was shared of {expected}"))
}

/// INVARIANT (one root): no two credits have one id; every indirect credit has a direct source before it
/// among these credits, or among those `taken` from the plan's sources, that is rollable and active;
/// amounts are at their unit's scale. Of the taken ones, those that nothing comes from may be left out.
///
/// # Errors
/// What is broken.
pub fn check_one_root(credits: &[Credit], taken: &[(CreditId, &Credit)]) -> Result<(), String> {
    let mut known = KnownCredits::with_capacity(credits.len());

    for (place, credit) in credits.iter().enumerate() {
        if known.has_same(credit) {
            return Err(format!("law broken (one id, one credit): {}", describe_credit(credit)));
        }
        known.insert(credit);
        if has_more_decimals(credit.amount, credit.unit.scale) {
            return Err(format!(
                "law broken (scale): {} of {}",
                credit.amount,
                describe_credit(credit)
            ));
        }

        let source = match credit.source {
            None => continue,
            Some(CreditSource::Own(own)) => credits.get(own).filter(|_| own < place),
            Some(CreditSource::Taken(id)) => {
                taken.iter().find(|(known, _)| *known == id).map(|(_, credit)| *credit)
            }
        };
        let fit = source
            .is_some_and(|source| source.is_direct() && source.rollable && source.is_active());
        if !fit {
            return Err(format!(
                "law broken (one root): {} has no source that rolls",
                describe_credit(credit)
            ));
        }
    }

    Ok(())
}

/// Whether an amount has more digits behind its point than a scale; zeros at the end are none.
fn has_more_decimals(amount: Decimal, scale: u8) -> bool {
    let scale = u32::from(scale);
    amount.scale() > scale && amount.trunc_with_scale(scale) != amount
}

/// A credit in a message about a law that it breaks.
fn describe_credit(credit: &Credit) -> String {
    format!("the credit of rule `{}` to `{}`", credit.rule, credit.recipient_key())
}

/// Credits that are looked at one by one: most deals have few of them.
const LISTED_CREDITS: usize = 32;

/// The credits of a deal, to find those with the same id: a list while they are few, else by recipient.
enum KnownCredits<'a> {
    List(Vec<&'a Credit>),
    Map(HashMap<RecipientKey, Vec<&'a Credit>>),
}

impl<'a> KnownCredits<'a> {
    fn with_capacity(credits: usize) -> KnownCredits<'a> {
        if credits <= LISTED_CREDITS {
            KnownCredits::List(Vec::with_capacity(credits))
        } else {
            KnownCredits::Map(HashMap::with_capacity(credits))
        }
    }

    fn insert(&mut self, credit: &'a Credit) {
        match self {
            KnownCredits::List(list) => list.push(credit),
            KnownCredits::Map(map) => map.entry(credit.recipient_key()).or_default().push(credit),
        }
    }

    /// Whether a credit with this one's id is there.
    fn has_same(&self, credit: &Credit) -> bool {
        let candidates = match self {
            KnownCredits::List(list) => Some(list),
            KnownCredits::Map(map) => map.get(&credit.recipient_key()),
        };
        candidates.is_some_and(|known| known.iter().any(|known| known.has_id_of(credit)))
    }
}
