//! The laws of credits, asserted between stages, in release builds too.
//!
//! A broken law is an error of this program, not of an author; the transaction is parked with it,
//! so that nothing wrong is ever paid. Called by the pipeline. Source: DESIGN section 9, laws 4 and
//! 5; DOMAIN INV-D1, INV-I1, INV-I4.

use std::collections::HashMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::credit::{Credit, CreditId};
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

/// INVARIANT (one root): ids are unique; every indirect credit has a direct source among these
/// credits, or among those `inherited` from the plan's sources, that is rollable and active;
/// amounts are at their unit's scale.
///
/// # Errors
/// What is broken.
pub fn check_one_root(inherited: &[&Arc<Credit>], credits: &[Arc<Credit>]) -> Result<(), String> {
    let mut known: HashMap<CreditId, &Credit> = HashMap::with_capacity(credits.len());
    known.extend(inherited.iter().map(|credit| (credit.entry.id, &***credit)));

    for credit in credits {
        let entry = &credit.entry;
        if known.insert(entry.id, credit).is_some() {
            return Err(format!("law broken (one id, one credit): {}", entry.id));
        }
        // Normalized: zeros at the end are no digits.
        if entry.amount.normalize().scale() > u32::from(credit.unit.scale) {
            return Err(format!("law broken (scale): {} of {}", entry.amount, entry.id));
        }

        let Some(source) = &entry.source else { continue };
        let fit = known.get(source).is_some_and(|source| {
            source.entry.is_direct() && source.rollable && source.entry.is_active()
        });

        if !fit {
            return Err(format!("law broken (one root): {} has no source that rolls", entry.id));
        }
    }

    Ok(())
}
