//! What is written of the deals of a round: their rows and everything that is derived from them.
//!
//! A round of an import has thousands of deals, so it is cut into parts, which several threads prepare.
//! A part knows nothing of the others and of what is stored: it says by how much counts and summaries
//! change, and which statements a deal leaves and enters.
//!
//! **Architecture invariant:** the bytes do not depend on the number of threads: parts have a fixed size, and
//! are put together in the order of their deals.

use accredit_seams::store::{StoreTable, WriteBatch};
use rayon::prelude::*;

use super::touched::{TouchedDeal, TouchedDeals};
use super::{LedgerCounts, hold_keys, is_parked};
use crate::calculations::SummaryChanges;
use crate::names::NewNames;
use crate::outbox::DealEvents;
use crate::packed::deal::{pack_beside_others, pack_deal};
use crate::statements::{MovedDeal, StatementChanges};
use crate::{LedgerResult, codec};

/// Deals of a part. The deals of the first part bring nearly all new names.
const PART_DEALS: usize = 512;

/// A deal with its number.
type NumberedDeal<'d> = (u64, &'d TouchedDeal<'d>);

/// What the deals of a part change.
#[derive(Default)]
struct DealPart<'d> {
    /// Rows that stand by themselves: deals, holds, parked ones.
    rows: WriteBatch,
    /// The deals whose decisions have another content than before.
    changed: Vec<&'d TouchedDeal<'d>>,
    counts: LedgerCounts,
    summaries: SummaryChanges,
    moved: Vec<MovedDeal>,
    /// Places in the part of the deals whose row has a new name, and is still to be written.
    unnamed: Vec<usize>,
}

/// Writes the deals of a round with everything that is derived from them; gives the names that their
/// rows have beyond those of the file.
pub(super) fn write_deals(
    deals: TouchedDeals<'_>,
    (mut names, events): (NewNames, &DealEvents<'_>),
    counts: &mut LedgerCounts,
    batch: &mut WriteBatch,
) -> LedgerResult<NewNames> {
    let open = deals.open.iter().filter(|(_, deal)| deal.content().is_some());
    let open: Vec<NumberedDeal<'_>> = open.map(|(number, deal)| (*number, deal)).collect();
    let mut statements = StatementChanges::new(deals.rows.snapshot);
    let mut summaries = SummaryChanges::default();

    let mut changed = Vec::new();
    for part in prepare_parts(&open, &mut names)? {
        changed.extend(part.changed);
        batch.changes.extend(part.rows.changes);
        counts.merge(&part.counts);
        summaries.merge(part.summaries);
        part.moved.iter().try_for_each(|moved| statements.move_deal(moved))?;
    }

    for deal in changed {
        let Some(content) = deal.content() else { continue };
        events.add_deal(batch, content.id(), (deal.former(), deal.decisions()))?;
    }

    statements.write_changes(batch);
    summaries.write_changes(deals.rows.snapshot, batch)?;
    names.write_rows(batch);
    deals.discard();
    Ok(names)
}

/// Prepares all deals: the first part with new names, the others beside each other.
fn prepare_parts<'d>(
    deals: &[NumberedDeal<'d>],
    names: &mut NewNames,
) -> LedgerResult<Vec<DealPart<'d>>> {
    let (first, others) = deals.split_at(deals.len().min(PART_DEALS));
    let mut parts = vec![prepare_part(first, &mut |deal| write_row(deal, names).map(Some))?];
    if others.is_empty() {
        return Ok(parts);
    }

    let known = &*names;
    let beside = others.par_chunks(PART_DEALS).map(|part| {
        prepare_part(part, &mut |deal| match deal.content() {
            Some(content) => pack_beside_others(content, deal.decisions(), known),
            None => Ok(None),
        })
    });
    parts.extend(beside.collect::<LedgerResult<Vec<DealPart<'d>>>>()?);

    // The rows with new names, in the order of the deals.
    for (part, deals) in parts.iter_mut().skip(1).zip(others.chunks(PART_DEALS)) {
        for (number, deal) in part.unnamed.iter().filter_map(|place| deals.get(*place)) {
            let row = write_row(deal, names)?;
            part.rows.put_row(StoreTable::Deals, codec::number_key(*number), row);
        }
    }
    Ok(parts)
}

/// The row of a deal, with new names for new texts.
fn write_row(deal: &TouchedDeal<'_>, names: &mut NewNames) -> LedgerResult<Vec<u8>> {
    deal.content().map_or(Ok(Vec::new()), |content| pack_deal(content, deal.decisions(), names))
}

/// What the deals of a part change; `write` gives the row of a deal, or none where it must wait.
fn prepare_part<'d>(
    deals: &[NumberedDeal<'d>],
    write: &mut dyn FnMut(&TouchedDeal<'_>) -> LedgerResult<Option<Vec<u8>>>,
) -> LedgerResult<DealPart<'d>> {
    let mut part = DealPart::default();
    for (place, (number, deal)) in deals.iter().enumerate() {
        match write(deal)? {
            Some(row) => part.rows.put_row(StoreTable::Deals, codec::number_key(*number), row),
            None => part.unnamed.push(place),
        }

        if deal.decides_differently() {
            let (before, after) = (deal.former(), deal.decisions());
            part.changed.push(*deal);
            write_marks(*number, deal, &mut part.counts, &mut part.rows);
            part.summaries.replace_deal(*number, before, after)?;
            part.moved.push(MovedDeal::between(*number, before, after));
        }
    }
    Ok(part)
}

/// Writes the holds of a deal and whether it is parked, and counts the difference.
fn write_marks(
    number: u64,
    deal: &TouchedDeal<'_>,
    counts: &mut LedgerCounts,
    batch: &mut WriteBatch,
) {
    let parked_key = codec::number_key(number);

    let former = deal.former();
    counts.add_decisions(former, -1);
    let holds = hold_keys(number, former).into_iter();
    holds.for_each(|key| batch.delete_row(StoreTable::Holds, key));
    if is_parked(former) {
        batch.delete_row(StoreTable::Parked, parked_key);
    }

    let decisions = deal.decisions();
    counts.add_decisions(decisions, 1);
    let holds = hold_keys(number, decisions).into_iter();
    holds.for_each(|key| batch.put_row(StoreTable::Holds, key, ""));
    if is_parked(decisions) {
        batch.put_row(StoreTable::Parked, parked_key, "");
    }
}
