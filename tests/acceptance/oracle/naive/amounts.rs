//! Rounding and sharing with whole numbers only.

use rust_decimal::Decimal;

use crate::oracle::world::Cap;

/// Exact parts of a deal: numerators over one denominator, in units of the last decimal.
struct Parts {
    numerators: Vec<i128>,
    denominator: i128,
}

fn ten(power: u32) -> i128 {
    10_i128.pow(power)
}

fn minor(units: i128, negative: bool, scale: u32) -> Decimal {
    Decimal::from_i128_with_scale(if negative { -units } else { units }, scale)
}

fn half_up(numerator: i128, denominator: i128) -> i128 {
    (numerator * 2 + denominator) / (denominator * 2)
}

/// Half away from zero.
pub(crate) fn round(value: Decimal, scale: u32) -> Decimal {
    let units = half_up(value.mantissa().abs() * ten(scale), ten(value.scale()));
    minor(units, value.is_sign_negative(), scale)
}

/// Every weight of the value, each rounded alone.
pub(super) fn full(value: Decimal, weights: &[Decimal], scale: u32) -> Vec<Decimal> {
    weights.iter().map(|weight| round(value * weight, scale)).collect()
}

/// Equal parts by largest remainder.
pub(super) fn equal(value: Decimal, count: usize, scale: u32) -> Vec<Decimal> {
    let numerators = vec![value.mantissa().abs() * ten(scale); count];
    let denominator = ten(value.scale()) * count as i128;
    largest_remainder(value, &Parts { numerators, denominator }, scale)
}

/// Weighted parts by largest remainder.
pub(super) fn weighted(value: Decimal, weights: &[Decimal], scale: u32) -> Vec<Decimal> {
    let decimals = weights.iter().map(Decimal::scale).max().unwrap_or(0);
    let whole = |weight: &Decimal| weight.mantissa() * ten(decimals - weight.scale());
    let of = |weight| value.mantissa().abs() * whole(weight) * ten(scale);
    let numerators = weights.iter().map(of).collect();
    let denominator = ten(value.scale()) * ten(decimals);
    largest_remainder(value, &Parts { numerators, denominator }, scale)
}

/// Parts of the whole value in proportion to numbers; all zero are equal.
pub(super) fn shared(value: Decimal, of: &[Decimal], scale: u32) -> Vec<Decimal> {
    let decimals = of.iter().map(Decimal::scale).max().unwrap_or(0);
    let whole = |part: &Decimal| part.mantissa() * ten(decimals - part.scale());
    let wholes: Vec<i128> = of.iter().map(whole).collect();
    let sum: i128 = wholes.iter().sum();
    if sum == 0 {
        return equal(value, of.len(), scale);
    }
    let part = |whole: &i128| value.mantissa().abs() * whole * ten(scale);
    let numerators = wholes.iter().map(part).collect();
    largest_remainder(value, &Parts { numerators, denominator: ten(value.scale()) * sum }, scale)
}

/// Parts of the whole value in proportion to numbers of either sign whose sum is not zero.
pub(super) fn in_proportion(value: Decimal, of: &[Decimal], scale: u32) -> Vec<Decimal> {
    let sum: Decimal = of.iter().sum();
    let units = value * Decimal::from_i128_with_scale(ten(scale), 0);
    let exact: Vec<Decimal> = of.iter().map(|part| (units * part / sum).round_dp(18)).collect();
    let mut whole: Vec<Decimal> = exact.iter().map(Decimal::trunc).collect();
    let total = round(units, 0);
    let mut given: Vec<usize> = Vec::new();
    while whole.iter().sum::<Decimal>() != total {
        let step = if whole.iter().sum::<Decimal>() < total { Decimal::ONE } else { -Decimal::ONE };
        let rest = |place: &usize| (exact[*place] - exact[*place].trunc()) * step;
        let left = (0..of.len()).filter(|place| !given.contains(place));
        let best = left.rev().max_by_key(rest).unwrap();
        given.push(best);
        whole[best] += step;
    }
    whole
        .into_iter()
        .map(|units| minor(units.abs().mantissa(), units < Decimal::ZERO, scale))
        .collect()
}

/// Cut off after ten decimals.
pub(super) fn ten_decimals(share: Decimal) -> Decimal {
    share.trunc_with_scale(10).normalize()
}

fn largest_remainder(value: Decimal, parts: &Parts, scale: u32) -> Vec<Decimal> {
    let total = half_up(parts.numerators.iter().sum(), parts.denominator);
    let mut units: Vec<i128> = parts.numerators.iter().map(|n| n / parts.denominator).collect();
    let mut given = vec![false; units.len()];
    while units.iter().sum::<i128>() < total {
        let mut best: Option<usize> = None;
        let rest = |index: usize| parts.numerators[index] % parts.denominator;
        for (index, given) in given.iter().enumerate() {
            if !given && best.is_none_or(|best| rest(index) > rest(best)) {
                best = Some(index);
            }
        }
        let best = best.unwrap();
        given[best] = true;
        units[best] += 1;
    }
    units.iter().map(|units| minor(*units, value.is_sign_negative(), scale)).collect()
}

/// The size of a maximum in whole units of the last decimal: a fraction of one is left off.
pub(super) fn limit(cap: Cap, amount: Number, scale: u32) -> Number {
    let size = match cap {
        Cap::Amount => amount?,
        Cap::Fixed(size) => size,
    };
    Ok(toward_zero(size.abs(), scale))
}

/// What is left when everything behind the last decimal is cut off.
fn toward_zero(value: Decimal, scale: u32) -> Decimal {
    let units = value.mantissa().abs() * ten(scale) / ten(value.scale());
    minor(units, value.is_sign_negative(), scale)
}

/// Half away from zero, but never above a maximum.
pub(super) fn round_below(value: Decimal, most: Option<Decimal>, scale: u32) -> Decimal {
    let rounded = round(value, scale);
    match most.map(|most| toward_zero(most, scale)) {
        Some(most) if rounded.abs() > most && value < Decimal::ZERO => Decimal::ZERO - most,
        Some(most) if rounded.abs() > most => most,
        _ => rounded,
    }
}

pub(super) type Number = Result<Decimal, &'static str>;

/// The amount cut to a size, with its sign; nothing when it was cut to zero.
pub(super) fn cut(amount: Decimal, size: Decimal) -> Option<Decimal> {
    if amount.abs() <= size {
        Some(amount)
    } else if size <= Decimal::ZERO {
        None
    } else if amount.is_sign_negative() {
        Some(-size)
    } else {
        Some(size)
    }
}
