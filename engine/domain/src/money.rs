//! Exact amounts: units with a scale, rounding by one stated rule, and splits that lose nothing.
//!
//! Not currency conversion, and no float anywhere. Called by every stage that makes an amount.
//! Source: DOMAIN 2.8, 3.4 and decisions D8, D9.
//!
//! **Architecture invariant:** the shares of a split sum to `round(value × Σ weights)`, for a return
//! exactly as for a sale with the sign turned. No arithmetic on amounts panics: an amount or a sum
//! beyond its limit is [`TooLarge`].

use crate::keys::DefinedName;
use ethnum::I256;
use rust_decimal::{Decimal, RoundingStrategy};

/// A unit type such as USD, as an index into [`Units`]; `scale` is its number of decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit {
    /// Place in the table of units.
    pub index: u16,
    /// Decimals of an amount in this unit.
    pub scale: u8,
}

/// The unit types of a workspace, in declared order.
#[derive(Debug, Clone, Default)]
pub struct Units {
    names: Vec<(DefinedName, u8)>,
}

impl Units {
    /// Whether there are unit types and all of them are without decimals.
    pub fn all_whole(&self) -> bool {
        !self.names.is_empty() && self.names.iter().all(|(_, scale)| *scale == 0)
    }

    /// Adds a unit type; the same name twice gives the first one.
    pub fn add(&mut self, name: &str, scale: u8) -> Unit {
        if let Some(unit) = self.find(name) {
            return unit;
        }
        let index = u16::try_from(self.names.len()).unwrap_or(u16::MAX);
        self.names.push((DefinedName::from(name), scale));
        Unit { index, scale }
    }

    /// The unit type called `name`.
    pub fn find(&self, name: &str) -> Option<Unit> {
        let index = self.names.iter().position(|(known, _)| known == name)?;
        let scale = self.names.get(index)?.1;
        Some(Unit { index: u16::try_from(index).ok()?, scale })
    }

    /// The unit type called `name`, or the only one that is called so without regard to case.
    pub fn find_any_case(&self, name: &str) -> Option<Unit> {
        let alike = || {
            let mut alike = self.names().filter(|known| known.eq_ignore_ascii_case(name));
            alike.next().filter(|_| alike.next().is_none())
        };
        self.find(name).or_else(|| alike().and_then(|known| self.find(known)))
    }

    /// The name of `unit`; blank for a unit of another workspace.
    pub fn name(&self, unit: Unit) -> &str {
        self.names.get(usize::from(unit.index)).map_or("", |(name, _)| name.as_str())
    }

    /// The same name, shared.
    pub fn shared_name(&self, unit: Unit) -> DefinedName {
        let known = self.names.get(usize::from(unit.index));
        known.map_or_else(DefinedName::default, |(name, _)| *name)
    }

    /// All names, in declared order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, _)| name.as_str())
    }
}

/// The largest amount, up or down, in a unit with at most ten decimals: a one with fifteen zeros.
/// A unit with more decimals has a smaller one; see [`largest_amount`].
pub const AMOUNT_MAX: Decimal = Decimal::from_parts(0xA4C6_8000, 0x0003_8D7E, 0, false, 0);

/// Digits of the largest amount before its point, in a unit without decimals.
const WHOLE_DIGITS_MAX: u32 = 15;

/// Digits of an amount, its decimals among them: three fewer than a decimal holds, so that a sum of
/// a thousand of the largest is still exact.
const DIGITS_MAX: u32 = 25;

/// An amount, or a sum of amounts, beyond its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{amount} is too large: an amount is at most {most} (AMOUNT_MAX)")]
pub struct TooLarge {
    /// What was to be an amount.
    pub amount: Decimal,
    /// The limit in its unit.
    pub most: Decimal,
}

/// The largest amount of a unit with `scale` decimals.
pub fn largest_amount(scale: u8) -> Decimal {
    let digits = DIGITS_MAX.saturating_sub(u32::from(scale)).min(WHOLE_DIGITS_MAX);

    if digits == WHOLE_DIGITS_MAX { AMOUNT_MAX } else { Decimal::from(10_i64.pow(digits)) }
}

/// `amount`, if a unit with `scale` decimals holds it.
///
/// # Errors
/// [`TooLarge`] beyond the limit, which it names.
pub fn within_limit(amount: Decimal, scale: u8) -> Result<Decimal, TooLarge> {
    let most = largest_amount(scale);

    // Nearly all amounts are far below: their digits alone are.
    if amount.mantissa().unsigned_abs() <= most.mantissa().unsigned_abs() {
        return Ok(amount);
    }
    if amount.abs() <= most { Ok(amount) } else { Err(TooLarge { amount, most }) }
}

/// The sum of `amounts`; none where no decimal holds it.
pub fn checked_sum(amounts: impl IntoIterator<Item = Decimal>) -> Option<Decimal> {
    amounts.into_iter().try_fold(Decimal::ZERO, Decimal::checked_add)
}

/// Adds `amount` to a total that is only shown. A total that no decimal holds stays at the largest
/// one: counting must continue with any amount.
pub fn add_to_total(total: &mut Decimal, amount: Decimal) {
    *total = total.saturating_add(amount);
}

/// `value` cut to `scale` decimals, so that what is left is never above it: for limits.
pub fn cut_to_scale(value: Decimal, scale: u8) -> Decimal {
    value.round_dp_with_strategy(u32::from(scale), RoundingStrategy::ToZero)
}

/// `value` rounded to `scale` decimals, halves away from zero, so that a return mirrors its sale.
pub fn round_to_scale(value: Decimal, scale: u8) -> Decimal {
    if value.scale() <= u32::from(scale) {
        return value;
    }
    let rounded = round_few_digits(value, scale);
    rounded.unwrap_or_else(|| {
        value.round_dp_with_strategy(u32::from(scale), RoundingStrategy::MidpointAwayFromZero)
    })
}

/// The same for values whose digits 64 bits hold, as those of nearly all amounts; none for others, and
/// none where nothing is left but a sign.
fn round_few_digits(value: Decimal, scale: u8) -> Option<Decimal> {
    let digits = i64::try_from(value.mantissa()).ok()?;
    let excess = value.scale().checked_sub(u32::from(scale))?;
    let unit = 10_i64.checked_pow(excess)?;

    let (whole, rest) = (digits / unit, (digits % unit).unsigned_abs());
    let is_up = rest >= unit.unsigned_abs() - rest;
    let rounded = if is_up { whole.checked_add(digits.signum())? } else { whole };
    (rounded != 0).then(|| Decimal::new(rounded, u32::from(scale)))
}

/// An amount as text at its unit's scale: `100.00`.
pub fn format_amount(amount: Decimal, scale: u8) -> String {
    at_scale(amount, scale).to_string()
}

/// An amount with exactly `scale` decimals, as it is shown and stored; zero has no sign.
pub fn at_scale(amount: Decimal, scale: u8) -> Decimal {
    let mut amount = amount;
    amount.rescale(u32::from(scale));
    if amount.is_zero() {
        amount.set_sign_positive(true);
    }
    amount
}

/// The same amount with the other sign, to the last digit, so that both cancel out; zero has none.
pub fn negated(amount: Decimal) -> Decimal {
    if amount.is_zero() { amount } else { -amount }
}

/// How a value is divided over the recipients who are named.
#[derive(Debug, Clone, PartialEq)]
pub enum Shares {
    /// All recipients get the same part; as many parts as recipients.
    Equal(usize),
    /// Each recipient gets the whole, rounded on its own.
    Full(usize),
    /// Literal multipliers, which need not sum to one.
    Weights(Vec<Decimal>),
    /// Parts of their own sum, such as salaries, which is above zero.
    Parts(Vec<Decimal>),
}

impl Shares {
    /// The multiplier of recipient `index`, to show: `0.4`; to ten decimals, as of 1/n.
    pub fn shown_weight(&self, index: usize) -> Decimal {
        match self {
            Shares::Full(_) => Decimal::ONE,
            Shares::Weights(weights) => {
                weights.get(index).copied().map(shown_multiplier).unwrap_or_default()
            }
            Shares::Equal(n) => shown_multiplier(Decimal::ONE / Decimal::from((*n).max(1))),
            Shares::Parts(parts) => {
                let whole = checked_sum(parts.iter().copied());

                let part = parts.get(index).zip(whole);
                part.and_then(|(part, whole)| part.checked_div(whole))
                    .map(shown_multiplier)
                    .unwrap_or_default()
            }
        }
        .normalize()
    }
}

/// A multiplier as it is shown: ten decimals, the rest cut off, without zeros at the end.
pub fn shown_multiplier(multiplier: Decimal) -> Decimal {
    multiplier.round_dp_with_strategy(10, RoundingStrategy::ToZero).normalize()
}

/// A number too large or too fine to be divided exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an amount or weight is too large to be split exactly")]
pub struct Overflow;

/// Divides `value` by largest remainder at `scale` decimals, ties by order (D9).
///
/// # Errors
/// [`Overflow`] when the result does not fit a decimal of 96 bits.
pub fn split_exactly(value: Decimal, shares: &Shares, scale: u8) -> Result<Vec<Decimal>, Overflow> {
    let ones;
    let (parts, divisor) = match shares {
        Shares::Full(n) => return Ok(vec![round_to_scale(value, scale); *n]),
        Shares::Equal(1) => return Ok(vec![round_to_scale(value, scale)]),
        Shares::Equal(n) => {
            let count = u32::try_from(*n).map_err(|_| Overflow)?;
            ones = vec![Decimal::ONE; *n];
            (&ones, PartDivisor::Count(count))
        }
        Shares::Weights(weights) => (weights, PartDivisor::One),
        Shares::Parts(parts) => (parts, PartDivisor::Sum),
    };

    // Nearly all amounts have few digits; 256 bits take several times as long.
    let division = (value, parts.as_slice(), divisor);
    let few = divide_few_digits(division, scale);
    few.or_else(|| divide_many_digits(division, scale)).ok_or(Overflow)
}

/// By what each part of a value is divided.
#[derive(Debug, Clone, Copy)]
enum PartDivisor {
    /// A part is a multiplier.
    One,
    /// Each part is one of so many.
    Count(u32),
    /// A part is one of the sum of all.
    Sum,
}

/// A value, its parts, and what they are parts of.
type Division<'a> = (Decimal, &'a [Decimal], PartDivisor);

/// Defines the division by largest remainder for integers of one width; none where they do not hold what is
/// computed. No product of two decimals is rounded before the remainders are compared.
macro_rules! divide_by_largest_remainder {
    ($(#[$doc:meta])* $name:ident, $int:ty) => {
        $(#[$doc])*
        fn $name((value, parts, divisor): Division<'_>, scale: u8) -> Option<Vec<Decimal>> {
            let (zero, one) = (<$int>::from(0_i8), <$int>::from(1_i8));
            let power_of_ten = |exponent: u32| <$int>::from(10_i8).checked_pow(exponent);

            // The parts as whole numbers of one scale.
            let finest = parts.iter().map(Decimal::scale).max().unwrap_or(0);
            let whole = |part: &Decimal| {
                <$int>::from(part.mantissa()).checked_mul(power_of_ten(finest - part.scale())?)
            };
            let wholes = parts.iter().map(whole).collect::<Option<Vec<$int>>>()?;
            let (divisor, part_scale) = match divisor {
                PartDivisor::One => (one, finest),
                PartDivisor::Count(count) => (<$int>::from(count), 0),
                PartDivisor::Sum => {
                    let sum = wholes.iter().try_fold(zero, |sum, part| sum.checked_add(*part));
                    (sum.filter(|sum| *sum > zero)?, 0)
                }
            };

            // Each share is value × part / (10^part_scale × divisor), in units of 10^-scale.
            let decimals = value.scale() + part_scale;
            let (up, down) = match decimals.checked_sub(u32::from(scale)) {
                Some(excess) => (one, power_of_ten(excess)?),
                None => (power_of_ten(u32::from(scale) - decimals)?, one),
            };
            let denominator = down.checked_mul(divisor)?;
            let mantissa = <$int>::from(value.mantissa()).checked_mul(up)?;

            let mut amounts = Vec::with_capacity(wholes.len());
            let mut rests = Vec::with_capacity(wholes.len());
            let (mut total, mut floors) = (zero, zero);
            for part in wholes {
                let product = mantissa.checked_mul(part)?;
                total = total.checked_add(product)?;
                floors = floors.checked_add(product / denominator)?;
                amounts.push(product / denominator);
                rests.push((product % denominator).abs());
            }

            // The whole to the nearest unit, halves away from zero.
            let (quotient, rest) = (total / denominator, (total % denominator).abs());
            let is_up = rest >= denominator - rest;
            let rounded = if is_up { quotient.checked_add(total.signum())? } else { quotient };

            // Truncation goes towards zero, so what is missing has the sign of the total; where weights of
            // both signs meet, it may have either, and the loop below still ends at the rounded total.
            let mut missing = rounded.checked_sub(floors)?;
            let mut order: Vec<usize> = (0..rests.len()).collect();
            // A stable sort, so that equal remainders are served in the order of the file.
            order.sort_by_key(|&place| std::cmp::Reverse(rests.get(place).copied()));

            let step = missing.signum();
            for place in order.into_iter().cycle() {
                if missing == zero {
                    break;
                }
                if let Some(amount) = amounts.get_mut(place) {
                    *amount += step;
                    missing -= step;
                }
            }

            let decimal = |units: $int| {
                let units: i128 = units.try_into().ok()?;
                Decimal::try_from_i128_with_scale(units, u32::from(scale)).ok()
            };
            amounts.into_iter().map(decimal).collect()
        }
    };
}

divide_by_largest_remainder! {
    /// Divides where 128 bits hold everything.
    divide_few_digits, i128
}

divide_by_largest_remainder! {
    /// Divides any value.
    divide_many_digits, I256
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimals(text: &str) -> Vec<Decimal> {
        text.split_whitespace().map(|word| word.parse().unwrap()).collect()
    }

    fn check(value: &str, shares: Shares, scale: u8, expected: &str) {
        let actual = split_exactly(value.parse().unwrap(), &shares, scale).unwrap();
        assert_eq!(actual, decimals(expected), "{value} by {shares:?}");
    }

    proptest! {
        /// Dividing with 256 bits took a twentieth of a decision.
        #[test]
        fn few_digits_are_divided_as_many_are(
            value in (any::<i64>(), 0_u32..8),
            parts in prop::collection::vec((-2_000_000_i64..2_000_000, 0_u32..6), 1..6),
            divisor in prop::sample::select(vec![
                PartDivisor::One, PartDivisor::Sum, PartDivisor::Count(3), PartDivisor::Count(7),
            ]),
            scale in 0_u8..6,
        ) {
            let value = Decimal::new(value.0, value.1);
            let parts: Vec<Decimal> = parts.into_iter().map(|(m, s)| Decimal::new(m, s)).collect();
            let many = divide_many_digits((value, &parts, divisor), scale);
            let few = divide_few_digits((value, &parts, divisor), scale);
            // 128 bits hold 64 of the value, 21 and more of a part, and the decimals of both.
            prop_assert!(few.is_some() || many.is_none() || !matches!(divisor, PartDivisor::Count(_)));
            if let Some(few) = few {
                prop_assert_eq!(Some(few), many);
            }
        }

        /// Rounding by the library took a twentieth of a decision. The digits are the same, and so is the
        /// sign.
        #[test]
        fn amounts_of_few_digits_are_rounded_as_all_are(
            digits in any::<i64>(),
            decimals in 0_u32..=28,
            scale in 0_u8..12,
            few in 0_u32..19,
        ) {
            for digits in [digits, digits % 10_i64.pow(few)] {
                let value = Decimal::new(digits, decimals);
                let away = RoundingStrategy::MidpointAwayFromZero;
                let expected = value.round_dp_with_strategy(u32::from(scale), away);
                let rounded = round_to_scale(value, scale);
                prop_assert_eq!(rounded.serialize(), expected.serialize(), "{} {}", value, scale);
            }
        }
    }

    #[test]
    fn goldens_of_domain_3_4() {
        let weights = |text| Shares::Weights(decimals(text));
        check("1000", Shares::Equal(2), 2, "500 500");
        check("1000", weights("0.4 0.6"), 2, "400 600");
        check("100", Shares::Equal(3), 2, "33.34 33.33 33.33");
        check("100.01", weights("0.3333 0.3333 0.3334"), 2, "33.33 33.33 33.35");
        check("-100", Shares::Equal(3), 2, "-33.34 -33.33 -33.33");
        check("1000", Shares::Full(2), 2, "1000 1000");
        check("1000", weights("1 0"), 2, "1000 0");
        check("1000", weights("0.4 0.4"), 2, "400 400");
        check("1000", Shares::Parts(decimals("60000 40000")), 2, "600 400");
    }

    #[test]
    fn odd_values() {
        check("0", Shares::Equal(3), 2, "0 0 0");
        check("0.01", Shares::Equal(3), 2, "0.01 0 0");
        check("0.005", Shares::Equal(1), 2, "0.01");
        check("-0.005", Shares::Equal(1), 2, "-0.01");
        check("100", Shares::Equal(3), 0, "34 33 33");
        check("7", Shares::Weights(decimals("0.5 0.5")), 0, "4 3");
        check("10.005", Shares::Weights(decimals("1")), 2, "10.01");
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let shares = Shares::Weights(vec![Decimal::MAX, Decimal::MAX]);
        assert_eq!(split_exactly(Decimal::MAX, &shares, 2), Err(Overflow));
    }

    #[test]
    fn limits_of_units() {
        let check = |scale: u8, most: &str| {
            let most: Decimal = most.parse().unwrap();
            let above = most + Decimal::new(1, u32::from(scale));
            assert_eq!(largest_amount(scale), most, "{scale}");
            assert_eq!(within_limit(-most, scale), Ok(-most), "{scale}");
            assert_eq!(
                within_limit(above, scale),
                Err(TooLarge { amount: above, most }),
                "{scale}"
            );
            // A thousand of the largest are exact: the last decimal is still there.
            let all = std::iter::repeat_n(above - Decimal::new(2, u32::from(scale)), 1000);
            let expected = most * Decimal::from(1000) - Decimal::new(1000, u32::from(scale));
            assert_eq!(checked_sum(all), Some(expected), "{scale}");
        };
        check(0, "1000000000000000");
        check(2, "1000000000000000");
        check(10, "1000000000000000");
        check(11, "100000000000000");
        check(18, "10000000");
    }

    #[test]
    fn totals_end_at_the_largest_decimal() {
        let mut total = Decimal::MAX;
        add_to_total(&mut total, Decimal::MAX);
        assert_eq!(total, Decimal::MAX);
        assert_eq!(checked_sum([Decimal::MAX, Decimal::MAX]), None);
    }

    fn amount() -> impl Strategy<Value = Decimal> {
        (-10_000_000_000_i64..10_000_000_000, 0_u32..6).prop_map(|(m, s)| Decimal::new(m, s))
    }

    fn weights() -> impl Strategy<Value = Vec<Decimal>> {
        prop::collection::vec((0_i64..20_000, 0_u32..5).prop_map(|(m, s)| Decimal::new(m, s)), 1..8)
    }

    proptest! {
        /// INVARIANT (shares sum), and a return mirrors its sale (DOMAIN 3.4 d2).
        #[test]
        fn shares_sum_and_mirror(value in amount(), weights in weights(), scale in 0_u8..4) {
            let total: Decimal = weights.iter().sum();
            let mut all = vec![Shares::Weights(weights.clone()), Shares::Equal(weights.len())];
            if !total.is_zero() {
                all.push(Shares::Parts(weights.clone()));
            }
            for shares in all {
                let amounts = split_exactly(value, &shares, scale).unwrap();
                let literal = matches!(shares, Shares::Weights(_));
                let whole = if literal { value * total } else { value };
                prop_assert_eq!(amounts.iter().sum::<Decimal>(), round_to_scale(whole, scale));
                let mirrored: Vec<Decimal> = amounts.iter().map(|a| -a).collect();
                prop_assert_eq!(split_exactly(-value, &shares, scale).unwrap(), mirrored);
            }
        }

        /// No share is further than one unit of the last decimal from its exact part.
        #[test]
        fn shares_are_near(value in amount(), weights in weights()) {
            let amounts = split_exactly(value, &Shares::Weights(weights.clone()), 2).unwrap();
            for (amount, weight) in amounts.iter().zip(&weights) {
                prop_assert!((amount - value * weight).abs() <= Decimal::new(1, 2));
            }
        }
    }
}
