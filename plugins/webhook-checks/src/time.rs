//! Times that a request was signed at, and how far they may be from now.

use accredit_seams::connector::RejectedDelivery;

/// How far a time may be from now, on either side, in milliseconds.
pub const TOLERANCE_MS: u64 = 300_000;

/// Checks the milliseconds since 1970 that a request was signed at.
///
/// # Errors
/// When the text is not such a number, or the time is too far from now.
pub fn check_milliseconds(text: &str, received_ms: i64) -> Result<i64, RejectedDelivery> {
    let sent = digits(text)?;
    if received_ms.abs_diff(sent) > TOLERANCE_MS {
        return Err(RejectedDelivery("the timestamp is too far from now"));
    }
    Ok(sent)
}

/// Checks the seconds since 1970 that a request was signed at.
///
/// # Errors
/// When the text is not such a number, or the time is too far from now.
pub fn check_seconds(text: &str, received_ms: i64) -> Result<i64, RejectedDelivery> {
    let sent = digits(text)?;
    if received_ms.div_euclid(1000).abs_diff(sent) > TOLERANCE_MS / 1000 {
        return Err(RejectedDelivery("the timestamp is too far from now"));
    }
    Ok(sent)
}

/// Digits alone: a parser that takes ` 1`, `+5` or `1e9` would accept texts that were not signed as a time.
fn digits(text: &str) -> Result<i64, RejectedDelivery> {
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| all);
    number.ok_or(RejectedDelivery("the timestamp is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_near_now_are_a_time() {
        let now = 1_700_000_000_000;
        assert_eq!(check_milliseconds("1700000300000", now), Ok(1_700_000_300_000));
        assert_eq!(check_seconds("1699999700", now), Ok(1_699_999_700));
        assert!(check_milliseconds("1700000300001", now).is_err());
        assert!(check_seconds("1699999699", now).is_err());
        for wrong in ["", "abc", " 1700000000", "+1700000000", "1e9", "-5", "9223372036854775808"] {
            assert!(check_seconds(wrong, now).is_err(), "{wrong}");
            assert!(check_milliseconds(wrong, 0).is_err(), "{wrong}");
        }
    }
}
