//! The laws of postings, asserted on every one, in release builds too.
//!
//! A broken law is an error of this program or of the data that it was given, never of an author;
//! the posting is refused, so that nothing wrong is ever paid. Source: DOMAIN INV-R1, INV-L1.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::{counts, recipient};
use accredit_domain::calendar::Calendar;
use accredit_domain::decision::CreditRow;

/// Sums of what counts, by plan, transaction, recipient, payee, credit type and unit type.
pub type Sums = BTreeMap<[String; 6], Decimal>;

/// What counts among `rows`, over all periods; sums of nothing are left out.
///
/// # Errors
/// The row whose amount is none.
pub fn sums<'a>(rows: impl IntoIterator<Item = &'a CreditRow>) -> Result<Sums, String> {
    let mut sums = Sums::new();
    for row in rows.into_iter().filter(|row| counts(row)) {
        let payee = row.payee.clone().unwrap_or_default();
        let recipient = recipient(row).to_owned();
        let (plan, transaction) = (row.plan.clone(), row.transaction.clone());

        let key =
            [plan, transaction, recipient, payee, row.credit_type.clone(), row.unit_type.clone()];

        let sum = sums.entry(key).or_default();
        let total = sum.checked_add(row.amount()?);
        *sum = total.ok_or_else(|| format!("the sum of what counts is too large ({})", row.id))?;
    }

    sums.retain(|_, sum| !sum.is_zero());
    Ok(sums)
}

/// INVARIANT (finalized stays): frozen rows stand unchanged, and nothing else is in a finalized
/// period. INVARIANT (sums of a clean run): what counts sums to `clean`, the sums of what is
/// decided now. INVARIANT (order of posting): behind the frozen rows, those of earlier periods come
/// first. INVARIANT (one id, one row).
///
/// # Errors
/// What is broken.
pub fn check(
    clean: &Sums,
    frozen: &[CreditRow],
    rows: &[CreditRow],
    (calendar, finalized): (&Calendar, &BTreeSet<String>),
) -> Result<(), String> {
    let Some(posted) = rows.strip_prefix(frozen) else {
        return Err("law broken (finalized stays): a frozen row was changed or removed".to_owned());
    };

    if let Some(row) = posted.iter().find(|row| finalized.contains(&row.period)) {
        let (id, period) = (&row.id, &row.period);
        return Err(format!("law broken (finalized stays): {id} was posted in {period}"));
    }
    let first = |row: &CreditRow| calendar.find(&row.period).map(|period| period.first);
    if !posted.is_sorted_by_key(first) {
        return Err("law broken (order of posting): a later period stands first".to_owned());
    }

    let mut ids = BTreeSet::new();
    if let Some(row) = rows.iter().find(|row| !ids.insert(row.id.as_str())) {
        return Err(format!("law broken (one id, one row): {}", row.id));
    }

    let stands = sums(rows)?;
    let differs = |key: &&[String; 6]| clean.get(*key) != stands.get(*key);
    let keys: BTreeSet<&[String; 6]> = clean.keys().chain(stands.keys()).collect();
    match keys.into_iter().find(differs) {
        None => Ok(()),
        Some(key) => Err(format!("law broken (sums of a clean run): {}", key.join(", "))),
    }
}
