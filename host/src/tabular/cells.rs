//! Values as bytes of CSV and JSON, without a text of their own: a calculation writes millions of them.
//!
//! Not which values a row has (`credits`). What is written here is what `Display` of the value would
//! write, byte by byte.

use std::io::Write;

use accredit_domain::credit::CreditId;
use jiff::civil::Date;
use rust_decimal::Decimal;

/// Digits that a decimal has at most, with one before its point and its sign.
const DECIMAL_DIGITS_MAX: usize = 32;

/// Digits that are taken of a decimal at a time: as many as 64 bits hold.
const DIGITS_AT_A_TIME: usize = 19;

/// The first number with one digit more.
const BEYOND_THE_DIGITS: u128 = 10_u128.pow(19);

/// Appends `crd_` and 32 hexadecimal digits.
pub(super) fn push_id(out: &mut Vec<u8>, id: CreditId) {
    let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' - 10 + half };

    let mut digits = [[0; 2]; 16];
    for (pair, byte) in digits.iter_mut().zip(id.0) {
        *pair = [digit(byte >> 4), digit(byte & 15)];
    }

    out.extend_from_slice(b"crd_");
    out.extend_from_slice(digits.as_flattened());
}

/// Appends a date as `2026-03-15`.
pub(super) fn push_date(out: &mut Vec<u8>, date: Date) {
    let year = u16::try_from(date.year()).ok().filter(|year| *year <= 9999);
    let month = u8::try_from(date.month());
    let day = u8::try_from(date.day());

    let (Some(year), Ok(month), Ok(day)) = (year, month, day) else {
        // A year before the first is rare, and its form is not ours. A list of bytes takes everything.
        let _ = write!(out, "{date}");
        return;
    };

    let pair = |number: u16| number.to_le_bytes().first().copied().unwrap_or_default();
    let [century, year] = [year / 100, year % 100].map(pair).map(two_digits);
    let [month, day] = [month, day].map(two_digits);
    let [[a, b], [c, d]] = [century, year];
    let [[e, f], [g, h]] = [month, day];
    out.extend_from_slice(&[a, b, c, d, b'-', e, f, b'-', g, h]);
}

/// A number below 100.
fn two_digits(number: u8) -> [u8; 2] {
    [b'0' + number / 10 % 10, b'0' + number % 10]
}

/// Appends a whole number.
pub(super) fn push_count(out: &mut Vec<u8>, count: u32) {
    match u8::try_from(count) {
        Ok(digit) if digit < 10 => out.push(b'0' + digit),
        _ => push_decimal(out, Decimal::from(count)),
    }
}

/// Appends a decimal with every digit that it has.
pub(super) fn push_decimal(out: &mut Vec<u8>, number: Decimal) {
    let mantissa = number.mantissa().unsigned_abs();
    let scale = usize::try_from(number.scale()).unwrap_or_default();

    let (high, low) = match u64::try_from(mantissa) {
        Ok(low) if mantissa < BEYOND_THE_DIGITS => (0, low),
        _ => (mantissa / BEYOND_THE_DIGITS, narrow(mantissa % BEYOND_THE_DIGITS)),
    };

    let mut digits = [b'0'; DECIMAL_DIGITS_MAX];
    let mut used = fill_digits(digits.iter_mut().rev().take(DIGITS_AT_A_TIME), low);
    if high > 0 {
        let before = digits.iter_mut().rev().skip(DIGITS_AT_A_TIME);
        used = DIGITS_AT_A_TIME + fill_digits(before, narrow(high));
    }

    // At least one digit stands before the point.
    let shown = used.max(scale + 1).min(digits.len());
    let shown = digits.split_at(digits.len() - shown).1;
    let (whole, fraction) = shown.split_at(shown.len().saturating_sub(scale));

    if number.is_sign_negative() {
        out.push(b'-');
    }
    out.extend_from_slice(whole);
    if scale > 0 {
        out.push(b'.');
        out.extend_from_slice(fraction);
    }
}

/// A number that was divided until 64 bits hold it.
fn narrow(number: u128) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// Writes the digits of `number` from its last one on; returns how many there are.
fn fill_digits<'a>(places: impl Iterator<Item = &'a mut u8>, number: u64) -> usize {
    let (mut rest, mut used) = (number, 0);
    for place in places {
        *place = b'0' + (rest % 10).to_le_bytes().first().copied().unwrap_or_default();
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    used
}

/// Appends a text as a cell of CSV: no spreadsheet runs it, and quotes are around it where it needs
/// them.
pub(super) fn push_csv_text(out: &mut Vec<u8>, text: &str) {
    let is_special = |byte: u8| matches!(byte, b'"' | b',' | b'\n' | b'\r');

    let guarded = is_formula(text);
    let quoted = text.bytes().any(is_special);
    if quoted {
        out.push(b'"');
    }
    if guarded {
        out.push(b'\'');
    }
    if !quoted {
        out.extend_from_slice(text.as_bytes());
        return;
    }

    for (index, part) in text.split('"').enumerate() {
        if index > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(part.as_bytes());
    }
    out.push(b'"');
}

/// Whether a spreadsheet would run a text. A number is none.
pub(super) fn is_formula(text: &str) -> bool {
    let risky = |first: &u8| matches!(first, b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r');
    text.as_bytes().first().is_some_and(risky) && text.parse::<Decimal>().is_err()
}

/// Appends a text as a string of JSON.
pub(super) fn push_json_text(out: &mut Vec<u8>, text: &str) {
    let is_special = |byte: u8| byte < b' ' || matches!(byte, b'"' | b'\\');

    if !text.bytes().any(is_special) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // A list of bytes takes everything.
        let _ = serde_json::to_writer(out, text);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn check_decimal(number: Decimal) {
        assert_eq!(written(|out| push_decimal(out, number)), number.to_string());
    }

    #[test]
    fn the_least_and_the_largest_are_written_as_they_are_displayed() {
        for scale in [0, 1, 2, 18, 19, 20, 27, 28] {
            for mantissa in [0, 1, 9, 10, 99, 10_i128.pow(18), 10_i128.pow(19) - 1] {
                check_decimal(Decimal::from_i128_with_scale(mantissa, scale));
                check_decimal(Decimal::from_i128_with_scale(-mantissa, scale));
            }
            for mantissa in [10_i128.pow(19), i128::from(u64::MAX), (1 << 96) - 1] {
                check_decimal(Decimal::from_i128_with_scale(mantissa, scale));
            }
        }
        check_decimal(-Decimal::ZERO);

        for count in [0, 1, 9, 10, u32::MAX] {
            assert_eq!(written(|out| push_count(out, count)), count.to_string());
        }
        for date in [Date::MIN, Date::MAX, Date::ZERO, Date::constant(-1, 2, 28)] {
            assert_eq!(written(|out| push_date(out, date)), date.to_string());
        }
    }

    proptest! {
        #[test]
        fn values_are_written_as_they_are_displayed(
            mantissa in -(1_i128 << 96) + 1..1 << 96,
            small in any::<i32>(),
            scale in 0_u32..=28,
            bytes in any::<[u8; 16]>(),
            day in (0_i16..=9999, 1_i8..=12, 1_i8..=28),
        ) {
            check_decimal(Decimal::from_i128_with_scale(mantissa, scale));
            check_decimal(Decimal::new(i64::from(small), scale));

            let id = CreditId(bytes);
            prop_assert_eq!(written(|out| push_id(out, id)), id.to_string());

            let date = Date::constant(day.0, day.1, day.2);
            prop_assert_eq!(written(|out| push_date(out, date)), date.to_string());
        }

        #[test]
        fn texts_are_written_as_by_serde(text in "(\\PC|[\"\\\\,;=+@'\t\r\n\u{0}-\u{1f}\u{7f}-]){0,20}") {
            let json = written(|out| push_json_text(out, &text));
            prop_assert_eq!(json, serde_json::to_string(&text).unwrap());
        }
    }
}
