//! From when to when a certificate is valid, read from its bytes (RFC 5280, section 4.1).
//!
//! Not whether it can be trusted: clients judge that. Called by `tls`.

use jiff::civil;
use jiff::tz::TimeZone;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The first and the last second of a certificate, since 1970; none where it cannot be read.
pub(super) fn validity_of(certificate: &[u8]) -> Option<(i64, i64)> {
    let (all, _) = take_value(certificate, SEQUENCE)?;
    let (mut fields, _) = take_value(all, SEQUENCE)?;
    if let Some((_, rest)) = take_value(fields, VERSION) {
        fields = rest;
    }

    // The serial number, the algorithm of the signature and the issuer come before.
    for _ in 0..3 {
        (_, _, fields) = take_any(fields)?;
    }
    let (validity, _) = take_value(fields, SEQUENCE)?;
    let (kind, first, rest) = take_any(validity)?;
    let starts = read_time(kind, first)?;
    let (kind, last, _) = take_any(rest)?;
    Some((starts, read_time(kind, last)?))
}

/// The first value, if it is of this kind, and what comes behind it.
fn take_value(bytes: &[u8], expected: u8) -> Option<(&[u8], &[u8])> {
    let (kind, value, rest) = take_any(bytes)?;
    (kind == expected).then_some((value, rest))
}

/// The kind of the first value, the value, and what comes behind it.
fn take_any(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&kind, bytes) = bytes.split_first()?;
    let (&first, bytes) = bytes.split_first()?;

    // A long length has its number of bytes first.
    let (length, bytes) = match first {
        0..=0x7f => (usize::from(first), bytes),
        0x81..=0x83 => {
            let (length, bytes) = bytes.split_at_checked(usize::from(first & 0x7f))?;
            let add = |sum: usize, byte: &u8| sum << 8 | usize::from(*byte);
            (length.iter().fold(0, add), bytes)
        }
        _ => return None,
    };
    let (value, rest) = bytes.split_at_checked(length)?;
    Some((kind, value, rest))
}

/// Seconds since 1970 of `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`.
fn read_time(kind: u8, text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match kind {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i16 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };

    let part = |at: usize| rest.get(at..at + 2)?.parse::<i8>().ok();
    if rest.len() != 10 {
        return None;
    }
    let (month, day, hour, minute, second) = (part(0)?, part(2)?, part(4)?, part(6)?, part(8)?);
    let time = civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    TimeZone::UTC.to_timestamp(time).ok().map(|moment| moment.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of a certificate that nobody signed, with these two times.
    fn certificate(first: (u8, &str), last: (u8, &str)) -> Vec<u8> {
        let value = |kind: u8, parts: &[Vec<u8>]| {
            let bytes = parts.concat();
            [vec![kind, 0x82, (bytes.len() >> 8) as u8, (bytes.len() & 0xff) as u8], bytes].concat()
        };
        let time = |(kind, text): (u8, &str)| value(kind, &[text.as_bytes().to_vec()]);
        let validity = value(SEQUENCE, &[time(first), time(last)]);
        let number = || value(0x02, &[vec![7]]);
        let algorithm = value(SEQUENCE, &[]);
        let issuer = value(SEQUENCE, &[vec![0; 300]]);
        let fields = [value(VERSION, &[number()]), number(), algorithm, issuer, validity];
        value(SEQUENCE, &[value(SEQUENCE, &fields)])
    }

    #[test]
    fn both_forms_of_a_time_are_read() {
        let times = ((UTC_TIME, "700101000001Z"), (GENERALIZED_TIME, "20500101000000Z"));
        assert_eq!(validity_of(&certificate(times.0, times.1)), Some((1, 2_524_608_000)));
        let times = ((UTC_TIME, "491231235959Z"), (UTC_TIME, "500101000000Z"));
        let expected = Some((2_524_607_999, -631_152_000));
        assert_eq!(validity_of(&certificate(times.0, times.1)), expected);
    }

    #[test]
    fn what_is_no_certificate_is_not_read() {
        let whole = certificate((UTC_TIME, "260101000000Z"), (UTC_TIME, "270101000000Z"));
        for end in 0..whole.len() {
            assert_eq!(validity_of(&whole[..end]), None, "{end}");
        }
        for time in ["", "260101000000", "2601010000Z", "26010100000+Z", "261301000000Z"] {
            let cut = certificate((UTC_TIME, time), (UTC_TIME, "270101000000Z"));
            assert_eq!(validity_of(&cut), None, "{time}");
        }
    }
}
