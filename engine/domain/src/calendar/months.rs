//! Ids of calendar months, each written once: every deal has one.
//!
//! Not fiscal years and quarters, which depend on the workspace. Called by `calendar`.

use std::sync::OnceLock;

use jiff::civil::Date;

use super::COVERED_YEARS;
use crate::keys::PeriodKey;

const MONTHS: usize = 12 * (*COVERED_YEARS.end() - *COVERED_YEARS.start() + 1) as usize;

/// The ids that were asked for, from the first month that is covered.
static IDS: [OnceLock<PeriodKey>; MONTHS] = [const { OnceLock::new() }; MONTHS];

/// The id of the month of a day, `2026-03`; none for a year that is not covered.
pub(super) fn month_id(date: Date) -> Option<PeriodKey> {
    let year = usize::try_from(date.year() - COVERED_YEARS.start()).ok()?;
    let month = usize::try_from(date.month() - 1).ok()?;

    let id = IDS.get(year * 12 + month)?;
    let text = || PeriodKey::from(format!("{:04}-{:02}", date.year(), date.month()));
    Some(*id.get_or_init(text))
}
