//! What people are told of entries that stand elsewhere than they were decided.
//!
//! Not the posting itself. Called with the rows that stand, before they replace those that were
//! decided.
//!
//! **Architecture invariant:** a note is a function of the rows and of the periods alone, so that it
//! goes when its cause goes: a period is reopened or finalized, or a plan lets holds cross years.

use std::collections::{BTreeMap, BTreeSet};

use super::{PostingRules, credit_of, own_leaf};
use crate::stage::build_note;
use accredit_domain::credit::CreditId;
use accredit_domain::credit::posted::{OTHER_YEAR, PostedCredit};
use accredit_domain::decision::Decision;
use accredit_domain::keys::PeriodKey;
use accredit_domain::note::{Note, NoteCode, NoteStage};

/// Alerts of the rows that stand: credits of closed periods that are posted in later ones, and
/// releases that would have moved a credit into another fiscal year. `decision` has the credits as
/// they were decided.
pub(super) fn posting_notes(
    decision: &Decision,
    rows: &[PostedCredit],
    rules: &PostingRules<'_>,
) -> Vec<Note> {
    let messages = [closed_periods(rows, rules), held_releases(decision, rows, rules)];
    let codes = [NoteCode::ClosedPeriod, NoteCode::ReleaseInOtherYear];

    let (transaction, plan) = (&decision.transaction, &decision.plan);
    let notes = codes.into_iter().zip(messages).flat_map(|(code, messages)| {
        let notes = messages.into_iter();
        notes.map(move |message| build_note(transaction, plan, NoteStage::Posting, code, message))
    });
    notes.collect()
}

/// One message for each closed period and each period in which its credits are posted instead.
fn closed_periods(rows: &[PostedCredit], rules: &PostingRules<'_>) -> Vec<String> {
    let mut elsewhere: BTreeMap<(PeriodKey, &str), usize> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.is_active()) {
        let own = own_leaf(rules.calendar, row).map(|own| own.id);
        let own = own.filter(|own| *own != row.period.as_str());
        if let Some(own) = own.filter(|own| rules.locked.closed.contains(own)) {
            *elsewhere.entry((own, row.period.as_str())).or_default() += 1;
        }
    }

    let messages = elsewhere.into_iter().map(|((own, period), count)| {
        let entries = if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") };
        format!(
            "{own} is closed, so {entries} of it stand in {period}; reopen {own} to take them home"
        )
    });
    messages.collect()
}

/// One message for each credit that was released and is held all the same.
fn held_releases(
    decision: &Decision,
    rows: &[PostedCredit],
    rules: &PostingRules<'_>,
) -> Vec<String> {
    let released: BTreeMap<CreditId, &PostedCredit> =
        decision.credits.iter().filter(|row| row.is_active()).map(|row| (row.id, row)).collect();
    let held: BTreeSet<CreditId> = rows
        .iter()
        .filter(|row| row.is_held() && row.reason.as_deref() == Some(OTHER_YEAR))
        .map(credit_of)
        .collect();

    let messages = held.iter().filter_map(|id| {
        let row = released.get(id)?;
        let date = row.release_date?;
        let own = own_leaf(rules.calendar, row).map(|own| own.id).unwrap_or_default();
        Some(format!(
            "released on {date}, when {own} took no more entries: it would count in another fiscal \
             year than {}, so it stays held; `hold_across_years = true` in the plan lets it count",
            row.incentive_date
        ))
    });
    messages.collect()
}
