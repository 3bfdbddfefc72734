//! Times on the command line: `24h`, `30m`, `90s` or `never`.

use std::time::Duration;

/// How often something is done; never, or after this time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeInterval(pub(crate) Option<Duration>);

/// A time such as `24h`, `30m` or `90s`, or `never`.
///
/// # Errors
/// What was expected.
pub(crate) fn parse_interval(text: &str) -> Result<TimeInterval, String> {
    if text.trim() == "never" {
        return Ok(TimeInterval(None));
    }
    let expected = || "expected a time such as 24h, 30m or 90s, or `never`".to_owned();
    let unit_start = text.trim().len().saturating_sub(1);
    let (number, unit) = text.trim().split_at_checked(unit_start).ok_or_else(expected)?;
    let seconds = match unit {
        "h" => 3600,
        "m" => 60,
        "s" => 1,
        _ => return Err(expected()),
    };
    let number: u64 = number.parse().map_err(|_| expected())?;
    let seconds = number.checked_mul(seconds).filter(|seconds| *seconds > 0);
    Ok(TimeInterval(Some(Duration::from_secs(seconds.ok_or_else(expected)?))))
}
