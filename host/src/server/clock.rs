//! What time it is, and what day it is in business.
//!
//! Not the calendar (the engine's). The only module of the host that reads a clock.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The host's clock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct HostClock {
    /// `ACCREDIT_BUSINESS_DATE`.
    pub(crate) business_date: Option<Date>,
}

impl HostClock {
    /// Milliseconds since 1970.
    pub(crate) fn now_ms(self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    /// The business date in `zone`; UTC where the zone is unknown, which `check` reports.
    pub(crate) fn business_date(self, zone: &str) -> Date {
        self.business_date.unwrap_or_else(|| {
            let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
            jiff::Timestamp::now().to_zoned_datetime(zone).date()
        })
    }
}

/// Time that only grows, from some moment of this process: for how long something took.
pub(crate) fn elapsed() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// A moment in milliseconds as RFC 3339 in UTC.
pub(crate) fn format_rfc3339(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}
