//! How often something may be done: so many times in a window of time.
//!
//! Not the counting (the host's). Written in settings of sources and in options of the server.

use std::fmt;
use std::str::FromStr;

/// The most that a limit may allow.
const COUNT_MAX: u32 = 1_000_000_000;

/// Windows by name, with their seconds.
const WINDOWS: [(&str, u32); 3] = [("second", 1), ("minute", 60), ("hour", 3600)];

/// So many times in so many seconds: all of them at once, or one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// How many times, at least once.
    pub count: u32,
    /// The window, in seconds: 1, 60 or 3600.
    pub window_s: u32,
}

impl FromStr for RateLimit {
    type Err = String;

    /// Reads text such as `600/minute`.
    ///
    /// # Errors
    /// What was expected.
    fn from_str(text: &str) -> Result<RateLimit, String> {
        let expected = || {
            "expected a number and a window, such as \"100/second\", \"600/minute\" or \"5000/hour\""
                .to_owned()
        };
        let (count, window) = text.split_once('/').ok_or_else(expected)?;
        let known = WINDOWS.iter().find(|(name, _)| *name == window.trim());
        let (_, window_s) = known.ok_or_else(expected)?;
        let count: u32 = count.trim().parse().map_err(|_| expected())?;
        if count == 0 || count > COUNT_MAX {
            return Err(format!("expected a number from 1 to {COUNT_MAX} before the window"));
        }
        Ok(RateLimit { count, window_s: *window_s })
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = WINDOWS.iter().find(|(_, seconds)| *seconds == self.window_s);
        let window = known.map_or("second", |(name, _)| *name);
        write!(to, "{}/{window}", self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_and_a_window() {
        for text in ["100/second", "600/minute", "1/hour", "1000000000/hour"] {
            assert_eq!(text.parse::<RateLimit>().unwrap().to_string(), text);
        }
        assert_eq!(" 5 / minute ".parse(), Ok(RateLimit { count: 5, window_s: 60 }));
        for text in ["", "5", "5/", "/minute", "0/second", "-1/second", "1.5/second", "5/day"] {
            assert!(text.parse::<RateLimit>().is_err(), "{text}");
        }
        assert!("1000000001/second".parse::<RateLimit>().is_err());
    }
}
