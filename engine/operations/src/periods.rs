//! Periods finalized: what stands in them is frozen, in one commit with the finalization.
//!
//! Not the rules of posting (the engine's) and not who may finalize what when (`http::periods`).
//! Called by the host's worker. Source: DOMAIN 2.11, 2.12, FORMAT section 2 (`finalized`).
//!
//! **Architecture invariant:** what payees were told is certain is what is frozen, whatever was
//! decided since: the difference is posted in an open period.

use std::collections::BTreeSet;

use accredit_crediting::posting;
use accredit_domain::calendar::Period;
use accredit_domain::credit::posted::PostedCredit;
use accredit_ledger::periods::{FINALIZED, Said};
use accredit_ledger::record::{Stored, Work};
use accredit_ledger::releases::CONFIRMED;
use accredit_seams::store::Error as StoreError;

use crate::context::Context;
use crate::decide::again::by_their_rules;
use crate::decide::write;

/// Who finalizes what `[calendar]` lists.
const LISTED: &str = "accredit.toml";

/// The periods that the calendar in force lists to be finalized by now and that are not, each
/// with its entry.
///
/// # Errors
/// When the data cannot be read.
pub fn listed(context: &Context) -> Result<Vec<(Period, Said)>, StoreError> {
    let calendar = context.ruleset.load().settings.calendar.clone();
    let finalized = context.finalized()?;
    let due = calendar.finalizations(Some(context.business_date())).into_iter();
    let due = due.filter(|(_, leaf)| !finalized.contains(&leaf.id));

    let entries = due.map(|(day, leaf)| {
        let said = Said {
            state: FINALIZED.to_owned(),
            day: day.to_string(),
            who: LISTED.to_owned(),
            at_ms: context.now_ms(),
            reason: None,
            approved: None,
        };
        (leaf, said)
    });
    Ok(entries.collect())
}

/// Freezes a leaf period; gives the number of rows in it. What was acknowledged before belongs to the
/// period: the caller has had it decided.
///
/// # Errors
/// When the data cannot be read or written.
pub fn finalize(context: &Context, leaf: &Period, said: &Said) -> Result<usize, StoreError> {
    let mut finalized = BTreeSet::clone(&*context.finalized()?);
    finalized.insert(leaf.id.clone());

    let mut work = Work { finalized: Some((leaf.id.clone(), said.clone())), ..Work::default() };
    let mut changed = Vec::new();
    let count = freeze(context, leaf, &mut work, &mut changed)?;
    work.decisions = by_their_rules(context, &changed, &[])?;

    let calendar = context.ruleset.load().settings.calendar.clone();
    for (id, decisions) in &mut work.decisions {
        let fresh = work.frozen.iter().find(|(known, _)| known == id);
        let frozen = match fresh {
            Some((_, rows)) => rows.clone(),
            None => context.ledger.frozen(id)?,
        };
        posting::settle(decisions, &frozen, &calendar, &finalized);
    }

    // Whether a commit that failed was durable all the same is read from the data file.
    context.forget_finalized();
    write(context, &work)?;
    context.know_finalized(finalized);

    tracing::info!(period = leaf.id, rows.frozen = count, "finalized");
    Ok(count)
}

/// Collects what is frozen with `leaf`, and the transactions of which that is not all that
/// stands there: a hold goes on, something changed after it was certain, or what is frozen now
/// stands behind what is not.
fn freeze(
    context: &Context,
    leaf: &Period,
    work: &mut Work,
    changed: &mut Vec<Stored>,
) -> Result<usize, StoreError> {
    let ledger = &context.ledger;
    let certain = certain_in(context, leaf)?;
    let mut count = 0;
    ledger.each(Some(&BTreeSet::from([leaf.id.clone()])), &mut |stored| {
        let rows = stored.decisions.iter().flat_map(|decision| &decision.credits);
        let here: Vec<&PostedCredit> = rows.filter(|row| row.period == leaf.id).collect();
        let all: Vec<PostedCredit> = here.iter().copied().cloned().collect();

        let mut fresh: Vec<PostedCredit> = posting::freeze(&all, &leaf.id).cloned().collect();
        fresh.retain(|row| !certain.contains(&*row.plan));
        for plan in &certain {
            fresh.extend(ledger.confirmed(plan, &leaf.id, &stored.id)?);
        }

        let differs = all.len() != fresh.len() || all.iter().any(|row| !fresh.contains(row));
        count += fresh.len();
        let is_frozen = !fresh.is_empty();

        let mut frozen = ledger.frozen(&stored.id)?;
        frozen.extend(fresh);

        if differs || !stands_first(&frozen, &stored) {
            changed.push(stored.clone());
        }
        if is_frozen {
            work.frozen.push((stored.id, frozen));
        }
        Ok(())
    })?;

    Ok(count)
}

/// The plans whose rewards are released in the period that `leaf` is a part of.
fn certain_in(context: &Context, leaf: &Period) -> Result<BTreeSet<String>, StoreError> {
    let calendar = context.ruleset.load().settings.calendar.clone();
    let releases = context.ledger.releases()?.into_iter();
    let certain = releases.filter(|release| {
        release.status == CONFIRMED
            && calendar.find(&release.period).is_some_and(|period| period.contains(leaf.first))
    });
    Ok(certain.map(|release| release.plan).collect())
}

/// Whether the frozen rows of each plan are the first ones of its decision, in their order.
fn stands_first(frozen: &[PostedCredit], stored: &Stored) -> bool {
    stored.decisions.iter().all(|decision| {
        let own: Vec<&PostedCredit> =
            frozen.iter().filter(|row| row.plan == decision.plan).collect();
        let first: Vec<&PostedCredit> = decision.credits.iter().take(own.len()).collect();
        own == first
    })
}
