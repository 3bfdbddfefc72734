//! Dates and moments: every spelling that a cell may have, wherever it stands.
//!
//! Not the types of columns (`cell`). Called by the decoder, by the source's clock, by the readers of
//! organisation files and settings, and by the functions of scripts. Source: FORMAT section 2.
//!
//! | format | what it reads |
//! |---|---|
//! | `iso` | `2026-01-31`, `2026-1-31`, `2026/01/31`; a time and an offset may follow |
//! | `epoch` | seconds since 1970: `1769828400`, `1769828400.5` |
//! | `epoch_ms` | milliseconds since 1970: `1769828400000` |
//! | `excel` | days since 1900, as a spreadsheet counts them: `46053`, `46053.75` |
//! | a pattern | what its signs say; `%d.%m.%Y` reads `31.01.2026` and `31.1.2026` |
//!
//! **Architecture invariant:** a moment, which has an offset, has its day in the workspace's time
//! zone; a time without an offset keeps the day that is written. A text that two formats read as
//! different days is no date.

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::numbers::parse_number;
use crate::calendar::days_after;

/// How a column writes dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DateFormat {
    /// ISO 8601, with one-digit months and days and with slashes too.
    Iso,
    /// Seconds since 1 January 1970, UTC.
    Epoch,
    /// Milliseconds since 1 January 1970, UTC.
    EpochMillis,
    /// Serial days of a spreadsheet.
    Excel,
    /// A pattern of `strptime`.
    Pattern(String),
}

/// Formats that have a name.
pub const NAMED_FORMATS: [(&str, DateFormat); 4] = [
    ("iso", DateFormat::Iso),
    ("epoch", DateFormat::Epoch),
    ("epoch_ms", DateFormat::EpochMillis),
    ("excel", DateFormat::Excel),
];

/// The patterns that are tried in order to suggest how dates are written.
const DATE_PATTERNS: [&str; 12] = [
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%y",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d-%b-%Y",
    "%d %b %Y",
    "%b %d, %Y",
    "%d-%m-%Y",
];

/// Times that may follow a date in [`guess_patterns`].
const TIME_PATTERNS: [&str; 5] = ["", " %H:%M:%S", " %I:%M:%S %p", " %H:%M", " %I:%M %p"];

/// The first year that is not taken for an abbreviation.
const FIRST_FULL_YEAR: i16 = 1000;

impl DateFormat {
    /// The format that a setting names or spells.
    pub fn from_setting(text: &str) -> DateFormat {
        let named = NAMED_FORMATS.into_iter().find(|(name, _)| *name == text);
        named.map_or_else(|| DateFormat::Pattern(text.to_owned()), |(_, format)| format)
    }

    /// As it is written in a setting.
    pub fn setting_text(&self) -> &str {
        match self {
            DateFormat::Iso => "iso",
            DateFormat::Epoch => "epoch",
            DateFormat::EpochMillis => "epoch_ms",
            DateFormat::Excel => "excel",
            DateFormat::Pattern(pattern) => pattern,
        }
    }

    /// `day` as this format writes it; none where a pattern cannot write a day.
    pub fn format_day(&self, day: Date) -> Option<String> {
        let midnight = day.to_zoned_datetime(TimeZone::UTC).ok()?;

        match self {
            DateFormat::Iso => Some(day.to_string()),
            DateFormat::Epoch => Some(midnight.timestamp().as_second().to_string()),
            DateFormat::EpochMillis => Some(midnight.timestamp().as_millisecond().to_string()),
            DateFormat::Excel => {
                let days = day.duration_since(EXCEL_START).as_hours().checked_div(24)?;
                // Before their 29 February 1900, spreadsheets count one less.
                Some(if days <= EXCEL_LEAP_DAY { days - 1 } else { days }.to_string())
            }
            DateFormat::Pattern(pattern) => jiff::fmt::strtime::format(pattern, &midnight).ok(),
        }
    }

    /// What `text` says in this format.
    fn parse_instant(&self, text: &str) -> Option<ParsedInstant> {
        match self {
            DateFormat::Iso => parse_iso(text),
            DateFormat::Epoch => instant_of_epoch(parse_number(text)?, 1_000_000_000),
            DateFormat::EpochMillis => instant_of_epoch(parse_number(text)?, 1_000_000),
            DateFormat::Excel => instant_of_serial(parse_number(text)?),
            DateFormat::Pattern(pattern) => parse_by_pattern(pattern, text),
        }
    }
}

/// How a column writes dates: one format, or several that are all tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFormats(Vec<DateFormat>);

impl Default for DateFormats {
    fn default() -> Self {
        DateFormats(vec![DateFormat::Iso])
    }
}

impl From<DateFormat> for DateFormats {
    fn from(format: DateFormat) -> Self {
        DateFormats(vec![format])
    }
}

impl DateFormats {
    /// These formats; ISO where there are none.
    pub fn from_formats(formats: Vec<DateFormat>) -> Self {
        if formats.is_empty() { DateFormats::default() } else { DateFormats(formats) }
    }

    /// The formats in order.
    pub fn formats(&self) -> &[DateFormat] {
        &self.0
    }

    /// The day that `text` says in the time zone; none where no format reads it, or two read it as
    /// different days.
    pub fn parse_day(&self, text: &str, zone: &WorkspaceZone) -> Option<Date> {
        let days = self.0.iter().filter_map(|format| format.parse_instant(text));
        only_value(days.map(|instant| instant.day_in(&zone.0)))
    }

    /// The moment that `text` says, for ordering: a time without an offset is taken to be in UTC, a
    /// day to be its midnight.
    pub fn parse_moment(&self, text: &str) -> Option<Timestamp> {
        let instants = self.0.iter().filter_map(|format| format.parse_instant(text));
        only_value(instants.filter_map(ParsedInstant::utc_timestamp))
    }
}

/// The time zone of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceZone(TimeZone);

impl Default for WorkspaceZone {
    fn default() -> Self {
        WorkspaceZone(TimeZone::UTC)
    }
}

impl WorkspaceZone {
    /// The zone with this IANA name, of the database that is built in.
    pub fn from_name(name: &str) -> Option<WorkspaceZone> {
        TimeZone::get(name).ok().map(WorkspaceZone)
    }
}

/// The one value that all agree on.
fn only_value<T: PartialEq>(mut values: impl Iterator<Item = T>) -> Option<T> {
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

/// The day that an author or a file of the organisation writes: ISO, without an offset.
pub fn parse_iso_date(text: &str) -> Option<Date> {
    match parse_iso(text)? {
        ParsedInstant::Civil(time) => Some(time.date()),
        ParsedInstant::Moment(_) => None,
    }
}

/// Whether `text` is a moment: a date and time with an offset.
pub fn is_moment(text: &str) -> bool {
    matches!(parse_iso(text), Some(ParsedInstant::Moment(_)))
}

/// Patterns by which every one of `samples` is a date of our time, the likeliest first.
pub fn guess_patterns(samples: &[&str]) -> Vec<String> {
    let fits = |pattern: &String| {
        let format = DateFormat::Pattern(pattern.clone());
        let years = samples.iter().map(|text| {
            let day = format.parse_instant(text).map(|instant| instant.day_in(&TimeZone::UTC));
            day.map_or(0, |day| day.year())
        });
        let mut years = years;
        !samples.is_empty() && years.all(|year| year >= FIRST_FULL_YEAR)
    };
    let all = DATE_PATTERNS
        .iter()
        .flat_map(|day| TIME_PATTERNS.iter().map(move |time| format!("{day}{time}")));
    all.filter(fits).collect()
}

/// Whether a day was read from a year of two digits as if it had four.
pub fn is_short_year(day: Date) -> bool {
    day.year() < FIRST_FULL_YEAR
}

/// What a text was read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ParsedInstant {
    /// A date and time somewhere; of a day its midnight.
    Civil(DateTime),
    /// A moment that is the same everywhere.
    Moment(Timestamp),
}

impl ParsedInstant {
    fn day_in(self, zone: &TimeZone) -> Date {
        match self {
            ParsedInstant::Civil(time) => time.date(),
            ParsedInstant::Moment(moment) => moment.to_zoned_datetime(zone.clone()).date(),
        }
    }

    fn utc_timestamp(self) -> Option<Timestamp> {
        match self {
            ParsedInstant::Civil(time) => {
                time.to_zoned_datetime(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
            }
            ParsedInstant::Moment(moment) => Some(moment),
        }
    }
}

/// `2026-01-31`, alone or before a time.
fn parse_iso(text: &str) -> Option<ParsedInstant> {
    let (day, rest) = match text.find(['T', 't', ' ']) {
        Some(end) => (text.get(..end)?, Some(text.get(end + 1..)?.trim_start())),
        None => (text, None),
    };

    let day = iso_day(day)?;
    let Some(rest) = rest else {
        return Some(ParsedInstant::Civil(day.to_datetime(Time::midnight())));
    };

    let (time, offset) = split_offset(rest)?;
    let civil = day.to_datetime(iso_time(time)?);

    match offset {
        None => Some(ParsedInstant::Civil(civil)),
        Some(offset) => offset.to_timestamp(civil).ok().map(ParsedInstant::Moment),
    }
}

/// Year, month and day with one sign between them, `-` or `/`.
fn iso_day(text: &str) -> Option<Date> {
    let sign = if text.contains('-') { '-' } else { '/' };
    let mut parts = text.split(sign);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let lengths = year.len() == 4 && (1..=2).contains(&month.len()) && (1..=2).contains(&day.len());
    if parts.next().is_some() || !lengths {
        return None;
    }

    Date::new(
        parse_short_number::<i16>(year)?,
        parse_short_number(month)?,
        parse_short_number(day)?,
    )
    .ok()
}

/// A number of at most four digits and nothing else.
fn parse_short_number<T: TryFrom<u16>>(text: &str) -> Option<T> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse::<u16>().ok().filter(|_| digits).and_then(|number| T::try_from(number).ok())
}

/// A time, and its offset where it has one: `Z`, `UTC`, `+09`, `+09:00`, `+0900`. The name of a zone
/// in brackets behind an offset says nothing more.
fn split_offset(text: &str) -> Option<(&str, Option<Offset>)> {
    let (text, named) = match text.strip_suffix(']').and_then(|text| text.rsplit_once('[')) {
        Some((text, _)) => (text, true),
        None => (text, false),
    };

    let zulu = ["Z", "z", "UTC", "GMT"].iter().find_map(|sign| text.strip_suffix(sign));
    if let Some(time) = zulu {
        return Some((time.trim_end(), Some(Offset::UTC)));
    }
    let Some(at) = text.rfind(['+', '-', '\u{2212}']) else {
        return if named { None } else { Some((text, None)) };
    };

    let (time, offset) = text.split_at_checked(at)?;
    let sign = offset.chars().next()?;
    let digits: String = offset.get(sign.len_utf8()..)?.replace(':', "");
    let (hours, minutes) = match digits.len() {
        2 => (parse_short_number::<i32>(&digits)?, 0),
        4 => (
            parse_short_number::<i32>(digits.get(..2)?)?,
            parse_short_number::<i32>(digits.get(2..)?)?,
        ),
        _ => return None,
    };
    if minutes > 59 {
        return None;
    }

    let seconds = (hours * 60 + minutes) * 60;
    let offset = Offset::from_seconds(if sign == '+' { seconds } else { -seconds }).ok()?;
    Some((time.trim_end(), Some(offset)))
}

/// Hours and minutes, seconds and their fraction where they are there.
fn iso_time(text: &str) -> Option<Time> {
    let mut parts = text.split(':');
    let (hour, minute) = (parts.next()?, parts.next()?);
    let (second, fraction) = match parts.next() {
        None => ("0", ""),
        Some(text) => text.split_once(['.', ',']).unwrap_or((text, "")),
    };

    let is_digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if parts.next().is_some() || !is_digits || minute.len() != 2 || hour.len() > 2 {
        return None;
    }

    let nanos: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    // A leap second is the last one of its minute.
    let second = parse_short_number::<i8>(second)?.min(if second == "60" { 59 } else { i8::MAX });
    Time::new(parse_short_number(hour)?, parse_short_number(minute)?, second, nanos.parse().ok()?)
        .ok()
}

/// A count of units of so many nanoseconds since 1970.
fn instant_of_epoch(count: Decimal, nanoseconds: i64) -> Option<ParsedInstant> {
    let nanoseconds = count.checked_mul(Decimal::from(nanoseconds))?.trunc();
    let moment = Timestamp::from_nanosecond(i128::try_from(nanoseconds).ok()?).ok()?;
    Some(ParsedInstant::Moment(moment))
}

/// The day 0 of spreadsheets, for all days behind the 29 February 1900 that they have and the
/// calendar has not.
const EXCEL_START: Date = Date::constant(1899, 12, 30);

/// The day that spreadsheets have and the calendar has not.
const EXCEL_LEAP_DAY: i64 = 60;

/// The serial day of 9999-12-31, the last one of spreadsheets.
const EXCEL_LAST: i64 = 2_958_465;

/// The number of seconds in a day.
const DAY_SECONDS: i64 = 86_400;

/// A serial day; its fraction is the time of day.
fn instant_of_serial(serial: Decimal) -> Option<ParsedInstant> {
    let days = i64::try_from(serial.trunc()).ok()?;
    if !(1..=EXCEL_LAST).contains(&days) || days == EXCEL_LEAP_DAY {
        return None;
    }
    let day = days_after(EXCEL_START, if days < EXCEL_LEAP_DAY { days + 1 } else { days })?;

    let seconds = serial.fract().checked_mul(Decimal::from(DAY_SECONDS))?.round();
    let time = SignedDuration::from_secs(i64::try_from(seconds).ok()?);
    day.to_datetime(Time::midnight()).checked_add(time).ok().map(ParsedInstant::Civil)
}

fn parse_by_pattern(pattern: &str, text: &str) -> Option<ParsedInstant> {
    let parts = BrokenDownTime::parse(pattern, text).ok()?;
    if parts.offset().is_some() || parts.timestamp().is_some() {
        return parts.to_timestamp().ok().map(ParsedInstant::Moment);
    }

    let day = parts.to_date().ok()?;
    let time = parts.to_time().unwrap_or(Time::midnight());
    Some(ParsedInstant::Civil(day.to_datetime(time)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_format_writes_what_it_reads() {
        for (name, format) in NAMED_FORMATS {
            for text in ["1970-01-01", "2024-02-29", "2026-12-31", "1900-01-01", "1900-03-01"] {
                let written = format.format_day(text.parse().unwrap()).unwrap();
                let read = DateFormats::from(format.clone())
                    .parse_day(&written, &WorkspaceZone::default());
                assert_eq!(
                    read.map(|day| day.to_string()).as_deref(),
                    Some(text),
                    "{name} {written}"
                );
            }
        }
    }

    #[test]
    fn formats_are_guessed_from_cells() {
        let check =
            |samples: &[&str], expected: &[&str]| assert_eq!(guess_patterns(samples), expected);
        check(&["12/31/2025 10:00 PM", "1/2/2026 9:00 AM"], &["%m/%d/%Y %I:%M %p"]);
        check(&["31.12.2025"], &["%d.%m.%Y"]);
        check(&["1/2/2026"], &["%m/%d/%Y", "%d/%m/%Y"]);
        check(&["01/31/26"], &["%m/%d/%y"]);
        check(&["20260131"], &["%Y%m%d"]);
        check(&["soon"], &[]);
        check(&[], &[]);
    }
}
