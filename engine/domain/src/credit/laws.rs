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
    let mut known = KnownCredits::with_capacity(inherited.len() + credits.len());
    for credit in inherited {
        known.insert(credit);
    }

    for credit in credits {
        let entry = &credit.entry;
        if known.insert(credit).is_some() {
            return Err(format!("law broken (one id, one credit): {}", entry.id));
        }
        // Normalized: zeros at the end are no digits.
        let decimals = entry.amount.scale();
        let scale = u32::from(credit.unit.scale);
        if decimals > scale && entry.amount.normalize().scale() > scale {
            return Err(format!("law broken (scale): {} of {}", entry.amount, entry.id));
        }

        let Some(source) = &entry.source else { continue };
        let fit = known.find(source).is_some_and(|source| {
            source.entry.is_direct() && source.rollable && source.entry.is_active()
        });

        if !fit {
            return Err(format!("law broken (one root): {} has no source that rolls", entry.id));
        }
    }

    Ok(())
}

/// Credits that are looked at one by one: most deals have few of them.
const LISTED_CREDITS: usize = 32;

/// The credits of a deal by their ids: a list while they are few, else a map.
enum KnownCredits<'a> {
    List(Vec<&'a Credit>),
    Map(HashMap<CreditId, &'a Credit>),
}

impl<'a> KnownCredits<'a> {
    fn with_capacity(credits: usize) -> KnownCredits<'a> {
        if credits <= LISTED_CREDITS {
            KnownCredits::List(Vec::with_capacity(credits))
        } else {
            KnownCredits::Map(HashMap::with_capacity(credits))
        }
    }

    /// Adds a credit; gives the one that has its id already.
    fn insert(&mut self, credit: &'a Credit) -> Option<&'a Credit> {
        match self {
            KnownCredits::List(list) => {
                let same = list.iter().find(|known| known.entry.id == credit.entry.id).copied();
                list.push(credit);
                same
            }
            KnownCredits::Map(map) => map.insert(credit.entry.id, credit),
        }
    }

    /// The credit with this id.
    fn find(&self, id: &CreditId) -> Option<&'a Credit> {
        match self {
            KnownCredits::List(list) => list.iter().find(|known| known.entry.id == *id).copied(),
            KnownCredits::Map(map) => map.get(id).copied(),
        }
    }
}
