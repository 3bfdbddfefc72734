//! The laws of postings, asserted on every one, in release builds too.
//!
//! A broken law is an error of this program or of the data that it was given, never of an author;
//! the posting is refused, so that nothing wrong is ever paid. Source: DOMAIN INV-R1, INV-L1.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::PostingRules;
use accredit_domain::credit::posted::PostedCredit;

/// What the books must agree about: plan, transaction, recipient, payee, credit type and unit type.
type Account = [String; 6];

/// Sums of what counts, by account.
pub type CountedSums = BTreeMap<Account, Decimal>;

/// What counts among `rows`, over all periods; sums of nothing are left out.
///
/// # Errors
/// The row with which the sum is larger than any decimal.
pub fn counted_sums<'a>(
    rows: impl IntoIterator<Item = &'a PostedCredit>,
) -> Result<CountedSums, String> {
    let mut sums = CountedSums::new();
    for row in rows.into_iter().filter(|row| row.is_active()) {
        let payee = row.payee.as_deref().unwrap_or("");
        let account = [
            &row.plan,
            row.transaction.as_str(),
            row.recipient(),
            payee,
            &row.credit_type,
            &row.unit_type,
        ];

        let sum = sums.entry(account.map(str::to_owned)).or_default();
        let total = sum.checked_add(row.amount);
        *sum = total.ok_or_else(|| format!("the sum of what counts is too large ({})", row.id))?;
    }

    sums.retain(|_, sum| !sum.is_zero());
    Ok(sums)
}

/// INVARIANT (finalized stays): frozen rows stand unchanged, and nothing else is in a period that is
/// finalized or closed. INVARIANT (sums of a clean run): what counts sums to `clean`, the sums of what is
/// decided now. INVARIANT (order of posting): behind the frozen rows, those of earlier periods come
/// first. INVARIANT (one id, one row).
///
/// # Errors
/// What is broken.
pub fn check_posting(
    clean: &CountedSums,
    frozen: &[PostedCredit],
    rows: &[PostedCredit],
    rules: &PostingRules<'_>,
) -> Result<(), String> {
    let Some(posted) = rows.strip_prefix(frozen) else {
        return Err("law broken (finalized stays): a frozen row was changed or removed".to_owned());
    };

    if let Some(row) = posted.iter().find(|row| rules.locked.contains(row.period.as_str())) {
        let (id, period) = (&row.id, &row.period);
        return Err(format!("law broken (finalized stays): {id} was posted in {period}"));
    }
    let first = |row: &PostedCredit| rules.calendar.find(&row.period).map(|period| period.first);
    if !posted.is_sorted_by_key(first) {
        return Err("law broken (order of posting): a later period stands first".to_owned());
    }

    let mut ids = BTreeSet::new();
    if let Some(row) = rows.iter().find(|row| !ids.insert(row.id)) {
        return Err(format!("law broken (one id, one row): {}", row.id));
    }

    let stands = counted_sums(rows)?;
    let differs = |key: &&Account| clean.get(*key) != stands.get(*key);
    let keys: BTreeSet<&Account> = clean.keys().chain(stands.keys()).collect();
    match keys.into_iter().find(differs) {
        None => Ok(()),
        Some(key) => Err(format!("law broken (sums of a clean run): {}", key.join(", "))),
    }
}
