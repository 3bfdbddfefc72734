//! The source's clock of a row: which of two versions the source wrote later.
//!
//! Not which version counts (`version`). Called by the decoder. Source: FORMAT section 2
//! (`updated`).

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::dates::DateFormats;
use super::numbers::parse_number;

/// What a source's clock shows, in one order of all that it may be: nothing, a number, a moment. As
/// text 10 would come before 9, and `10:00:00.5Z` before `10:00:00Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceClock {
    /// A blank cell, older than everything.
    Blank,
    /// A counter, such as a version number.
    Number(Decimal),
    /// A moment. A time without an offset is taken to be in UTC, a day to be its midnight.
    Moment(Timestamp),
}

impl SourceClock {
    /// What a cell shows, by `formats` where the workspace has some, else as a number or in ISO;
    /// none where it is neither.
    pub fn parse(text: &str, formats: Option<&DateFormats>) -> Option<SourceClock> {
        if text.is_empty() {
            return Some(SourceClock::Blank);
        }
        match formats {
            Some(formats) => formats.parse_moment(text).map(SourceClock::Moment),
            None => parse_number(text)
                .map(SourceClock::Number)
                .or_else(|| DateFormats::default().parse_moment(text).map(SourceClock::Moment)),
        }
    }
}
