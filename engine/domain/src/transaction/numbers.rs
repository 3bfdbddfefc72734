//! Numbers: every spelling that a cell may have, wherever it stands.
//!
//! Not the types of columns (`cell`). Called by the decoder, by the readers of organisation files and
//! settings, and by the functions of scripts. Source: FORMAT section 2.
//!
//! | style | what it reads |
//! |---|---|
//! | plain | a sign, digits with a point, an exponent: `-1234.50`, `.5`, `1e3` |
//! | `1.234,56 €` | numbers like this example: `1.234,56`, `1234,5 €`, `-5`, `5-`, `(5)` |
//!
//! **Architecture invariant:** what is not wholly a number is none; digits beyond the 28th decimal are
//! rounded, halves away from zero, and nothing else is lost. No float is on the way.

use rust_decimal::Decimal;

/// Decimals that a number keeps.
const DECIMALS_MAX: u32 = 28;

/// Bytes of a text that certainly fits a decimal.
const PLAIN_BYTES_MAX: usize = 20;

/// Digits of a cell; more are no number.
const CELL_DIGITS_MAX: usize = 4096;

/// An exponent beyond this is no amount of anything.
const EXPONENT_MAX: i64 = 10_000;

/// A decimal number, plain or with an exponent.
pub fn parse_number(text: &str) -> Option<Decimal> {
    // Nearly all cells are short and plain, and need no rounding.
    let is_plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    if text.len() <= PLAIN_BYTES_MAX && text.bytes().all(is_plain) {
        return Decimal::from_str_exact(text).ok().map(|number| number.normalize());
    }
    NumberDigits::parse_plain(text)?.to_decimal(DECIMALS_MAX)
}

/// Whether rounding to `scale` decimals gives another amount now that `text` was read at 28 decimals
/// than it would have given of all its digits.
pub fn rounding_changes(text: &str, scale: u8) -> bool {
    let Some(digits) = NumberDigits::parse_plain(text) else { return false };
    let read =
        digits.to_decimal(DECIMALS_MAX).map(|number| crate::money::round_to_scale(number, scale));
    read.is_some() && read != digits.to_decimal(u32::from(scale))
}

/// A number before it becomes a decimal: `digits` × 10^-`decimals`.
struct NumberDigits {
    negative: bool,
    digits: String,
    decimals: i64,
}

impl NumberDigits {
    fn parse_plain(text: &str) -> Option<NumberDigits> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };

        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (unsigned, 0),
        };

        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || digits.len() > CELL_DIGITS_MAX {
            return None;
        }

        let decimals = i64::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        let digits = digits.trim_start_matches('0').to_owned();
        Some(NumberDigits { negative, digits, decimals })
    }

    /// As a decimal with at most so many decimals, and fewer where its digits before the point need
    /// the room; none when those are too many.
    fn to_decimal(&self, decimals_max: u32) -> Option<Decimal> {
        let excess = self.decimals.saturating_sub(i64::from(decimals_max)).max(0);
        let most = self.decimals.max(0);

        // As few digits as needed are dropped, so that a large number keeps what it can.
        for dropped in excess..=most {
            let scale = self.decimals.checked_sub(dropped)?;
            if let Some(mantissa) = self.drop_digits(usize::try_from(dropped).ok()?, scale)
                && let Ok(number) =
                    Decimal::try_from_i128_with_scale(mantissa, u32::try_from(scale.max(0)).ok()?)
            {
                return Some(number.normalize());
            }
        }

        None
    }

    /// The digits without the last `dropped`, rounded; with the zeros of a negative `scale`. None
    /// when they are too many for a decimal.
    fn drop_digits(&self, dropped: usize, scale: i64) -> Option<i128> {
        let kept = self.digits.len().saturating_sub(dropped);
        let (kept, rest) = self.digits.split_at_checked(kept)?;
        // All digits are dropped, and zeros before them: the first one that is there is no half.
        let is_half = dropped <= self.digits.len() && rest.bytes().next() >= Some(b'5');
        if kept.len() > MANTISSA_DIGITS {
            return None;
        }

        let mut mantissa: i128 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
        if is_half {
            mantissa = mantissa.checked_add(1)?;
        }
        if mantissa != 0 && scale < 0 {
            let zeros = u32::try_from(-scale).ok().filter(|zeros| *zeros <= DECIMALS_MAX)?;
            mantissa = mantissa.checked_mul(10_i128.checked_pow(zeros)?)?;
        }
        Some(if self.negative { -mantissa } else { mantissa })
    }
}

/// Digits of the largest mantissa of a decimal.
const MANTISSA_DIGITS: usize = 29;

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|exponent: &i64| is_whole && exponent.abs() <= EXPONENT_MAX)
}

/// How a column writes numbers, by an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberStyle {
    /// The sign before decimals; none where the example has only thousands.
    point: Option<char>,
    /// The separator of groups of digits.
    group: Option<char>,
    /// A currency sign, which a cell may have or not.
    currency: Option<String>,
}

/// Spaces that stand between groups, the first one for all.
const GROUP_SPACES: [char; 4] = [' ', '\u{a0}', '\u{202f}', '\u{2009}'];

/// Apostrophes that stand between groups, the first one for all.
const GROUP_APOSTROPHES: [char; 2] = ['\'', '\u{2019}'];

/// One sign for all that look alike.
fn canonical_sign(sign: char) -> char {
    if GROUP_SPACES.contains(&sign) {
        ' '
    } else if GROUP_APOSTROPHES.contains(&sign) {
        '\''
    } else {
        sign
    }
}

impl NumberStyle {
    /// The style of an example such as `1.234,56`; none where it does not show which sign is which.
    pub fn of_example(example: &str) -> Option<NumberStyle> {
        let first = example.find(|c: char| c.is_ascii_digit())?;
        let last = example.rfind(|c: char| c.is_ascii_digit())?;
        let (before, core, behind) =
            (example.get(..first)?.trim(), example.get(first..=last)?, example.get(last + 1..)?);

        let currency = match (before, behind.trim()) {
            ("", "") => None,
            (sign, "") | ("", sign) => Some(sign.to_owned()),
            _ => return None,
        };
        let signed = |sign: &String| sign.contains(['-', '+', '(', ')', '.', ',']);
        if currency.as_ref().is_some_and(signed) {
            return None;
        }

        let (point, group) = find_separators(core)?;
        let style = NumberStyle { point, group, currency };
        // A style that does not read its own example would read no cell either.
        style.parse_number(example).is_some().then_some(style)
    }

    /// The number that `text` says in this style.
    pub fn parse_number(&self, text: &str) -> Option<Decimal> {
        let (negative, core) = self.strip_sign_and_currency(text)?;
        let (whole, fraction) = match self.point.and_then(|point| core.split_once(point)) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (core, None),
        };

        let plain = self.strip_group_signs(whole)?;
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if fraction.is_some_and(|fraction| fraction.is_empty() || !is_digits(fraction)) {
            return None;
        }

        let sign = if negative { "-" } else { "" };
        parse_number(&format!("{sign}{plain}.{}", fraction.unwrap_or_default()))
    }

    /// The text without its sign and its currency, and whether it is negative.
    fn strip_sign_and_currency<'a>(&self, text: &'a str) -> Option<(bool, &'a str)> {
        let text = text.trim();
        let inside = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        let (mut signs, mut core) = (usize::from(inside.is_some()), inside.unwrap_or(text).trim());
        let (mut currencies, mut pluses) = (0, 0);

        loop {
            let currency = self.currency.as_deref().unwrap_or("\0");
            let minus = core.strip_prefix(['-', '\u{2212}']).or_else(|| core.strip_suffix('-'));
            let of_currency = core.strip_prefix(currency).or_else(|| core.strip_suffix(currency));
            core = if let Some(rest) = minus {
                signs += 1;
                rest.trim()
            } else if let Some(rest) = of_currency {
                currencies += 1;
                rest.trim()
            } else if let Some(rest) = core.strip_prefix('+') {
                pluses += 1;
                rest.trim()
            } else {
                break;
            };
        }

        (signs + pluses <= 1 && currencies <= 1).then_some((signs == 1, core))
    }

    /// Digits without the signs between their groups, which are of three digits; with
    /// commas, as in India, all but the last may be of two.
    fn strip_group_signs(&self, whole: &str) -> Option<String> {
        let Some(group) = self.group else { return only_digits(whole) };
        let groups: Vec<&str> = whole.split(|sign| canonical_sign(sign) == group).collect();
        let [first, middle @ .., last] = groups.as_slice() else { return only_digits(whole) };
        let of = |size: usize| middle.iter().all(|group| group.len() == size);
        let fits = last.len() == 3
            && ((of(3) && (1..=3).contains(&first.len()))
                || (group == ',' && of(2) && (1..=2).contains(&first.len())));

        fits.then(|| groups.concat()).and_then(|all| only_digits(&all))
    }
}

fn only_digits(text: &str) -> Option<String> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.to_owned())
}

/// Decimal sign and thousands sign of an example without its currency.
fn find_separators(core: &str) -> Option<(Option<char>, Option<char>)> {
    let signs: Vec<char> =
        core.chars().filter(|c| !c.is_ascii_digit()).map(canonical_sign).collect();
    let is_group = |sign: char| matches!(sign, ',' | '.' | ' ' | '\'');
    let (&last, earlier) = signs.split_last()?;

    let decimals = core.rsplit(|c: char| !c.is_ascii_digit()).next().map_or(0, str::len);
    match earlier {
        // `1,234` may be either.
        [] if decimals == 3 || !matches!(last, ',' | '.') => None,
        [] => Some((Some(last), None)),
        all if all.iter().all(|sign| *sign == last) && is_group(last) => Some((None, Some(last))),
        [group, others @ ..] if others.iter().all(|sign| sign == group) && is_group(*group) => {
            matches!(last, ',' | '.').then_some((Some(last), Some(*group)))
        }
        _ => None,
    }
}
