//! Finalized periods: what stands, what is taken back, and what is written anew where it is open.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::periods::{self, Leaf};
use super::{Decided, Row, Status, decisions};
use crate::oracle::world::{Plan, World};

/// A credit as it stands in a period.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) row: Row,
    /// Of the transaction's own date.
    own: String,
    /// The id of the leaf period in which it counts, and that one's year.
    pub(crate) period: String,
    pub(crate) year: String,
    pub(crate) origin: &'static str,
    /// The place and the period of the entry that this one takes back.
    pub(crate) reverses: Option<(usize, String)>,
}

/// What is finalized, by day and then by period.
pub(super) fn closings(world: &World, leaves: &[Leaf]) -> Vec<(Date, String)> {
    let mut all: Vec<(Date, String)> = Vec::new();
    for (id, day) in &world.finalized {
        // To the end of its day a period is open.
        if world.as_of.is_none_or(|as_of| *day < as_of) {
            all.extend(periods::meant(leaves, id).into_iter().map(|l| (*day, l.id.clone())));
        }
    }
    let place = |id: &str| leaves.iter().position(|leaf| leaf.id == id);
    all.sort_by_key(|(day, id)| (*day, place(id)));
    all
}

/// The leaves that are finalized and not only closed.
pub(super) fn finalized(world: &World, leaves: &[Leaf]) -> Vec<String> {
    let all = world.finalized.iter().filter(|(id, _)| !world.closed.contains(id));
    all.flat_map(|(id, _)| periods::meant(leaves, id)).map(|leaf| leaf.id.clone()).collect()
}

/// Every credit of the plan in the periods where it counts.
pub(crate) fn entries(world: &World, leaves: &[Leaf], plan: &Plan) -> Vec<Entry> {
    let mut standing: Vec<Entry> = Vec::new();
    let mut closed: Vec<String> = Vec::new();
    for (day, period) in closings(world, leaves) {
        let then = World { as_of: Some(day), ..world.clone() };
        for entry in moved(&then, plan, leaves, &standing, &closed) {
            if entry.period == period && entry.row.status != Status::Held {
                standing.push(entry);
            }
        }
        closed.push(period);
    }
    let open = moved(&today(world), plan, leaves, &standing, &closed);
    standing.extend(open);
    standing
}

/// Without a business date all rows are in, and the day of the last finalization has passed.
pub(crate) fn today(world: &World) -> World {
    let mut now = world.clone();
    if now.as_of.is_none() {
        now.as_of = now.finalized.iter().map(|(_, day)| *day).max();
        for tx in &mut now.transactions {
            tx.received = None;
        }
    }
    now
}

/// The first leaf from the own one on that is not closed.
fn open_from<'a>(leaves: &'a [Leaf], own: &str, closed: &[String]) -> &'a Leaf {
    let from = leaves.iter().position(|leaf| leaf.id == own).unwrap();
    leaves[from..].iter().find(|leaf| !closed.contains(&leaf.id)).unwrap()
}

/// The entries that lead from what stands to what is decided now.
fn moved(
    world: &World,
    plan: &Plan,
    leaves: &[Leaf],
    standing: &[Entry],
    closed: &[String],
) -> Vec<Entry> {
    let mut present: Vec<(Row, String)> = Vec::new();
    for decision in decisions(world, leaves, plan) {
        if let (Decided::Credited(rows), Some(leaf)) = (decision.decided, decision.leaf) {
            present.extend(rows.into_iter().map(|row| (row, leaf.id.clone())));
        }
    }
    let entry = |row: Row, own: &str, origin| {
        let leaf = open_from(leaves, own, closed);
        let (period, year) = (leaf.id.clone(), leaf.year.clone());
        Entry { row, own: own.to_owned(), period, year, origin, reverses: None }
    };
    let mut all: Vec<Entry> = Vec::new();
    let mut keys: Vec<String> = standing.iter().map(|entry| entry.row.key()).collect();
    keys.dedup();
    for (place, key) in keys.iter().enumerate() {
        if keys[..place].contains(key) {
            continue;
        }
        let now = present.iter().find(|(row, _)| row.key() == *key);
        let stands = standing_of(standing, key);
        // Of what stands one entry may be as decided now; everything else is taken back.
        let kept = stands
            .iter()
            .copied()
            .rev()
            .find(|place| now.is_some_and(|(row, own)| alike(&standing[*place], row, own)));
        for place in stands.into_iter().filter(|place| Some(*place) != kept) {
            let last = &standing[place];
            let row = Row { amount: Decimal::ZERO - last.row.amount, ..last.row.clone() };
            let reverses = Some((place, last.period.clone()));
            all.push(Entry { reverses, ..entry(row, &last.own, "retro") });
        }
        if kept.is_some() {
            continue;
        }
        // What waits is listed as well, unless what stands is only suppressed.
        let waits = now.filter(|(row, _)| row.status == Status::Held);
        let counts = now.filter(|(row, _)| row.status == Status::Active).or(waits);
        all.extend(counts.map(|(row, own)| entry(row.clone(), own, "retro")));
    }
    for (row, own) in present {
        if !keys.contains(&row.key()) {
            let origin = if closed.contains(&own) { "late" } else { "calculated" };
            all.push(entry(row, &own, origin));
        }
    }
    all
}

/// The places of those entries of the credit that count and were not taken back.
fn standing_of(standing: &[Entry], key: &str) -> Vec<usize> {
    let taken = |place| {
        let back = |entry: &Entry| entry.reverses.as_ref().is_some_and(|(of, _)| *of == place);
        standing.iter().any(back)
    };
    let counts = |(place, entry): &(usize, &Entry)| {
        let own = entry.reverses.is_none() && entry.row.key() == key;
        own && entry.row.status == Status::Active && !taken(*place)
    };
    standing.iter().enumerate().filter(counts).map(|(place, _)| place).collect()
}

fn alike(last: &Entry, now: &Row, own: &str) -> bool {
    let row = &last.row;
    row.amount == now.amount
        && row.unit == now.unit
        && row.credit_type == now.credit_type
        && row.receiver == now.receiver
        && row.payee == now.payee
        && last.own == own
        && now.status == Status::Active
}

/// What every recipient has over all periods: the law of reversals is that it equals a clean run.
pub(crate) fn sums(rows: impl Iterator<Item = Row>) -> Vec<(String, Decimal)> {
    let mut all: Vec<(String, Decimal)> = Vec::new();
    for row in rows.filter(|row| row.status == Status::Active) {
        let (receiver, payee) = (&row.receiver, &row.payee);
        let kind = format!("{} {}", row.credit_type, row.unit);
        let key = format!("{}/{}: {receiver} {payee:?} {kind}", row.plan, row.transaction);
        match all.iter_mut().find(|(known, _)| *known == key) {
            Some((_, sum)) => *sum += row.amount,
            None => all.push((key, row.amount)),
        }
    }
    all.retain(|(_, sum)| !sum.is_zero());
    all.sort();
    all
}
