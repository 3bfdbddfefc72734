//! Exchange of one unit into another at the rate of the incentive date.

use rust_decimal::Decimal;

use super::Case;
use super::amounts::Number;
use crate::oracle::world::{Person, Rate};

/// A unit that is exchanged, that somebody is paid in, or the workspace's own.
pub(super) fn is_currency(case: Case<'_>, unit: &str) -> bool {
    let exchanged = |rate: &&Rate| rate.from_unit == unit || rate.to_unit == unit;
    let paid = |person: &Person| person.currency.as_deref() == Some(unit);
    unit == "USD"
        || case.world.people.iter().any(paid)
        || case.world.rates.iter().any(|rate| exchanged(&rate))
}

/// The value in another unit; as it is when that is no currency.
pub(super) fn exchanged(case: Case<'_>, value: Decimal, from: &str, to: &str) -> Number {
    if from.is_empty() || from == to || !is_currency(case, to) {
        return Ok(value);
    }
    for rate in &case.world.rates {
        if rate.from_unit == from && rate.to_unit == to && rate.span.has(case.date) {
            return Ok(value * rate.rate);
        }
    }
    Err("bad_value")
}
