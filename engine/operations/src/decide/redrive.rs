//! What has no credit, decided again by the rules in force: what is parked or held by an error, and
//! what matched no one, after an activation or when people ask; the rest of it with a new day.

use std::collections::BTreeSet;

use accredit_domain::credit::CreditStatus;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::Decision;
use accredit_domain::keys::PeriodKey;
use accredit_ledger::query::CreditQuery;
use accredit_ledger::scope::ReadScope;
use accredit_seams::store::StoreError;
use jiff::civil::Date;

use super::again::TakesRulesInForce;
use super::caught;
use crate::context::Context;
use crate::replay;

/// Held credits read at a time.
const PAGE: usize = 1000;

/// Decides again what is parked or held by an error, and what matched no one by other rules; how many deals
/// that were parked or held by an error are not any more.
///
/// # Errors
/// When the data cannot be read or written.
pub fn redrive_parked(context: &Context) -> Result<usize, StoreError> {
    let stopped: BTreeSet<String> = stopped_transactions(context)?.into_iter().collect();
    let mut ids: Vec<String> = stopped.iter().cloned().collect();
    ids.extend(stale_transactions(context, &Decision::is_unmatched)?);
    ids.sort();
    ids.dedup();
    let in_force = |decision: &Decision| decision.is_incomplete() || decision.is_unmatched();
    caught::decide_isolated(context, &ids, &in_force)?;
    if stopped.is_empty() {
        return Ok(0);
    }
    let still: BTreeSet<String> = stopped_transactions(context)?.into_iter().collect();
    Ok(stopped.difference(&still).count())
}

/// Decides what a new day changes: holds that end, and what has no credit by other rules. How many
/// deals that were.
///
/// # Errors
/// When the data cannot be read or written.
pub fn decide_new_day(context: &Context, today: Date) -> Result<usize, StoreError> {
    let mut ids = context.ledger.due_holds(today)?;
    ids.extend(stale_transactions(context, &Decision::is_uncredited)?);
    ids.sort();
    ids.dedup();
    let in_force = |decision: &Decision| decision.is_incomplete() || decision.is_uncredited();
    caught::decide_isolated(context, &ids, &in_force)
}

/// Transactions with an uncredited decision that is `wanted`, and that the rules in force might make
/// differently.
fn stale_transactions(
    context: &Context,
    wanted: TakesRulesInForce<'_>,
) -> Result<Vec<String>, StoreError> {
    let ledger = &context.ledger;
    let summaries = ledger.calculation_summaries()?.into_iter();
    let uncredited = summaries.filter(|(_, summary)| summary.counts.uncredited > 0);
    let leaves: BTreeSet<PeriodKey> = uncredited.map(|((_, leaf), _)| leaf.into()).collect();
    if leaves.is_empty() {
        return Ok(Vec::new());
    }

    let pins = replay::stored_pins(context, &context.ruleset.load_full())?;
    let mut ids = Vec::new();
    ledger.visit_transactions(Some(&leaves), &mut |stored| {
        let stale = |decision: &Decision| wanted(decision) && pins.is_stale(decision);
        ids.extend(stored.decisions.iter().any(stale).then_some(stored.id));
        Ok(())
    })?;
    Ok(ids)
}

/// The same where activations asked for it; until it has succeeded it stays asked for.
///
/// # Errors
/// When the data cannot be read or written.
pub fn redrive_when_asked(context: &Context) -> Result<(), StoreError> {
    let asked = context.redrives.request_count();
    if asked == 0 {
        return Ok(());
    }

    // Between its commit and its pointer an activation decides nothing yet.
    let decides = context.ruleset.load().hash;
    redrive_parked(context)?;

    let request = context.ledger.redrive_request()?;
    if let Some(request) = request.filter(|request| *request.ruleset == *decides) {
        context.ledger.redriven(&request)?;
    }
    context.redrives.finish_requests(asked);

    Ok(())
}

/// Asks again for the try of parked deals that an activation asked an earlier process for.
pub fn resume_redrive(context: &Context) {
    if !matches!(context.ledger.redrive_request(), Ok(None)) {
        context.redrives.add_request();
    }
}

/// Transactions that are parked, and those with a credit that a policy's error holds.
fn stopped_transactions(context: &Context) -> Result<Vec<String>, StoreError> {
    let ledger = &context.ledger;
    let (mut ids, mut from) = (Vec::new(), Some(0));
    while let Some(number) = from {
        let (parked, next) = ledger.parked_page(number, PAGE)?;
        ids.extend(parked.into_iter().map(|note| note.transaction));
        from = next;
    }

    let status = Some(CreditStatus::Held);
    let mut query = CreditQuery { status, limit: PAGE, ..CreditQuery::within(ReadScope::All) };
    loop {
        let page = ledger.credit_page(&query)?;
        let broken = page.rows.into_iter();
        let broken = broken.filter(PostedCredit::awaits_policy);
        ids.extend(broken.map(|row| row.transaction.to_string()));

        query.cursor = page.next;
        if query.cursor.is_none() {
            return Ok(ids);
        }
    }
}
