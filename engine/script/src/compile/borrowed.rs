//! Values that are looked at where they are, and not copied.
//!
//! Not values that a program keeps (`value`). Called by `run`.
//!
//! **Architecture invariant:** what is compared here compares as in `value`; what has no answer there
//! has none here.

use std::cmp::Ordering;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::TEXT_BYTES_MAX;
use super::node::{CalculationKind, Comparison};
use crate::value::ScriptValue;
use accredit_domain::transaction::Value;

/// A plain value where it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum BorrowedValue<'v> {
    Unit,
    Bool(bool),
    Whole(i64),
    Number(&'v Decimal),
    Text(&'v str),
    Date(Date),
}

impl<'v> BorrowedValue<'v> {
    /// A value of a program; none where it is not a plain one.
    pub(super) fn of_value(value: &'v ScriptValue) -> Option<Self> {
        Some(match value {
            ScriptValue::Unit => BorrowedValue::Unit,
            ScriptValue::Bool(flag) => BorrowedValue::Bool(*flag),
            ScriptValue::Whole(whole) => BorrowedValue::Whole(*whole),
            ScriptValue::Number(number) => BorrowedValue::Number(number),
            ScriptValue::Text(text) => BorrowedValue::Text(text),
            ScriptValue::Date(date) => BorrowedValue::Date(*date),
            _ => return None,
        })
    }

    /// The value of a cell; none where reading it is an error, or its text is very long.
    pub(super) fn of_cell(cell: &'v Value) -> Option<Self> {
        Some(match cell {
            Value::Text(text) if text.len() <= TEXT_BYTES_MAX => BorrowedValue::Text(text),
            Value::Number(number) => BorrowedValue::Number(number),
            Value::Date(date) => BorrowedValue::Date(*date),
            Value::Bool(flag) => BorrowedValue::Bool(*flag),
            Value::Text(_) | Value::Blank | Value::Bad(_) => return None,
        })
    }

    fn to_number(self) -> Option<Decimal> {
        match self {
            BorrowedValue::Whole(whole) => Some(Decimal::from(whole)),
            BorrowedValue::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether two values compare so; none where they cannot be compared.
    pub(super) fn compare(self, comparison: Comparison, other: Self) -> Option<bool> {
        match comparison {
            Comparison::Equal => self.equals(other),
            Comparison::Unequal => self.equals(other).map(|equal| !equal),
            _ => self.order(other).map(|order| comparison.holds(order)),
        }
    }

    /// Whether two values of one kind are equal; nothing equals only nothing.
    pub(super) fn equals(self, other: Self) -> Option<bool> {
        match (self, other) {
            // Most comparisons for equality are of texts, and most of those differ in length.
            (BorrowedValue::Text(x), BorrowedValue::Text(y)) => Some(x == y),
            (BorrowedValue::Unit, BorrowedValue::Unit) => Some(true),
            (BorrowedValue::Unit, _) | (_, BorrowedValue::Unit) => Some(false),
            (BorrowedValue::Bool(x), BorrowedValue::Bool(y)) => Some(x == y),
            _ => self.order(other).map(Ordering::is_eq),
        }
    }

    fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (BorrowedValue::Number(x), BorrowedValue::Number(y)) => Some(compare_numbers(x, y)),
            (BorrowedValue::Text(x), BorrowedValue::Text(y)) => Some(x.cmp(y)),
            (BorrowedValue::Date(x), BorrowedValue::Date(y)) => Some(x.cmp(&y)),
            (BorrowedValue::Whole(x), BorrowedValue::Whole(y)) => Some(x.cmp(&y)),
            _ => Some(compare_numbers(&self.to_number()?, &other.to_number()?)),
        }
    }

    /// The value of a calculation with two numbers; none for other values, and where it is too large.
    pub(super) fn calculate(self, kind: CalculationKind, other: Self) -> Option<ScriptValue> {
        if let (BorrowedValue::Whole(x), BorrowedValue::Whole(y)) = (self, other) {
            let whole = match kind {
                CalculationKind::Add => x.checked_add(y),
                CalculationKind::Subtract => x.checked_sub(y),
                CalculationKind::Multiply => x.checked_mul(y),
            };
            if let Some(whole) = whole {
                return Some(ScriptValue::Whole(whole));
            }
        }

        let (x, y) = (self.to_number()?, other.to_number()?);
        let number = match kind {
            CalculationKind::Add => x.checked_add(y),
            CalculationKind::Subtract => x.checked_sub(y),
            CalculationKind::Multiply => multiply_few_digits(&x, &y).or_else(|| x.checked_mul(y)),
        };
        number.map(ScriptValue::Number)
    }
}

/// Orders two numbers; quickly where both are small, as amounts and limits are.
pub(super) fn compare_numbers(x: &Decimal, y: &Decimal) -> Ordering {
    if x.scale() == y.scale() {
        return x.mantissa().cmp(&y.mantissa());
    }
    let scale = x.scale().max(y.scale());
    match (scaled_mantissa(x, scale), scaled_mantissa(y, scale)) {
        (Some(x), Some(y)) => x.cmp(&y),
        _ => x.cmp(y),
    }
}

/// A number without its point, with so many decimals; none where 64 bits do not hold it.
fn scaled_mantissa(number: &Decimal, scale: u32) -> Option<i64> {
    let factor = POWERS_OF_TEN.get(scale.checked_sub(number.scale())? as usize)?;
    i64::try_from(number.mantissa()).ok()?.checked_mul(*factor)
}

/// The product of two numbers whose digits 32 bits hold, as those of most amounts and rates; none for
/// others, and for zero, whose sign the library knows.
fn multiply_few_digits(x: &Decimal, y: &Decimal) -> Option<Decimal> {
    let (one, other) = (i32::try_from(x.mantissa()).ok()?, i32::try_from(y.mantissa()).ok()?);
    let product = i64::from(one) * i64::from(other);
    let scale = x.scale() + y.scale();
    (product != 0 && scale <= Decimal::MAX_SCALE).then(|| Decimal::new(product, scale))
}

const POWERS_OF_TEN: [i64; 10] =
    [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

#[cfg(test)]
mod tests {
    use super::*;

    /// A product has the digits and decimals that the library gives it, which a text shows.
    #[test]
    fn few_digits_are_multiplied_and_compared_as_the_library_does() {
        let digits = [i32::MIN, -99_999, -250, -1, 0, 1, 3, 10, 4_096, 12_345_678, i32::MAX];
        let number = |digits: i32, scale| Decimal::new(digits.into(), scale);
        let numbers = || digits.iter().flat_map(|it| (0..=28).map(|scale| number(*it, scale)));

        let mut multiplied = 0;
        for x in numbers() {
            for y in numbers() {
                if let Some(product) = multiply_few_digits(&x, &y) {
                    let known = x.checked_mul(y).map(|known| known.serialize());
                    assert_eq!(Some(product.serialize()), known, "{x} × {y}");
                    multiplied += 1;
                }
                assert_eq!(compare_numbers(&x, &y), x.cmp(&y), "{x} and {y}");
            }
        }
        // All but those with a zero or with more than 28 decimals.
        assert_eq!(multiplied, 10 * 10 * (1..=29).sum::<i32>());
    }

    #[test]
    fn an_amount_and_a_rate_have_few_digits() {
        let (amount, rate) = (Decimal::new(12_345_678, 2), Decimal::new(-75, 3));
        assert_eq!(multiply_few_digits(&amount, &rate), Some(Decimal::new(-925_925_850, 5)));
        assert_eq!(multiply_few_digits(&amount, &Decimal::ZERO), None);
    }
}
