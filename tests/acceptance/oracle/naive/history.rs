//! Rewards over time: what was paid when a period was finalized stays, and what it would pay by what
//! is known later is made up for where it is open.

use rust_decimal::Decimal;

use super::draws::Balance;
use super::past::Past;
use super::periods::{self, Leaf, Own};
use super::rewards::{Paid, Payments, payments};
use super::{Decided, Row, Status, decisions, draws, posting};
use crate::oracle::world::{Plan, World};

/// A row as it stands in a period.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// The id of the plan's period.
    pub(crate) period: String,
    pub(crate) paid: Paid,
    pub(crate) origin: &'static str,
    /// The id of the period that it corrects.
    pub(crate) corrects: Option<String>,
}

/// The rows of one year, and what people must know of periods that are open.
#[derive(Debug, Default)]
pub(crate) struct Year {
    pub(crate) lines: Vec<Line>,
    pub(crate) balances: Vec<Balance>,
    pub(crate) alerts: Vec<(&'static str, String)>,
    /// Ids of the frozen periods.
    pub(crate) frozen: Vec<String>,
}

/// What every period of the plan pays by what a world knows.
fn clean(world: &World, leaves: &[Leaf], plan: &Plan, owns: &[Own]) -> Vec<Payments> {
    let mut rows: Vec<(Row, Leaf)> = Vec::new();
    if plan.posted {
        // What stands in a period is that period's, from wherever it came.
        for entry in posting::entries(world, leaves, plan) {
            let leaf = leaves.iter().find(|leaf| leaf.id == entry.period).unwrap();
            rows.push((entry.row, leaf.clone()));
        }
    } else {
        for decision in decisions(world, leaves, plan) {
            if let (Decided::Credited(credited), Some(leaf)) = (decision.decided, decision.leaf) {
                rows.extend(credited.into_iter().map(|row| (row, leaf.clone())));
            }
        }
    }
    rows.retain(|(row, _)| row.status == Status::Active);
    let mut past = Past::default();
    owns.iter().map(|own| payments((world, leaves, plan), own, &rows, &mut past)).collect()
}

/// What the plan's periods of a year show.
pub(crate) fn year(world: &World, leaves: &[Leaf], plan: &Plan, year: &str) -> Year {
    let owns = periods::owns(leaves, plan.by);
    let mut frozen: Vec<(usize, Vec<Line>)> = Vec::new();
    let mut owed: Vec<Balance> = Vec::new();
    let mut locked: Vec<String> = Vec::new();
    let is_final = posting::finalized(world, leaves);
    for (day, leaf) in posting::closings(world, leaves) {
        let before = locked.clone();
        locked.push(leaf);
        // What is only closed may be opened again, so what it pays is not frozen.
        let done = |leaf: &Leaf| locked.contains(&leaf.id) && is_final.contains(&leaf.id);
        let over = |own: &Own| leaves.iter().filter(|leaf| own.has(leaf)).all(done);
        let ended = owns.iter().enumerate().filter(|(_, own)| over(own)).map(|(place, _)| place);
        let new = ended.into_iter().find(|place| frozen.iter().all(|(known, _)| known != place));
        if let Some(place) = new {
            let then = World { as_of: Some(day), ..world.clone() };
            let mut known = clean(&then, leaves, plan, &owns);
            let shown = draws::settle((&then, leaves, plan), &owns, &mut known, (&frozen, &before));
            frozen.push((place, shown[place].lines.clone()));
            owed.extend(shown[place].balances.iter().cloned());
        }
    }
    let now = if plan.posted { world.clone() } else { posting::today(world) };
    let mut known = clean(&now, leaves, plan, &owns);
    let shown = draws::settle((&now, leaves, plan), &owns, &mut known, (&frozen, &locked));
    let alerts: Vec<_> = known.iter().map(|known| known.alerts.clone()).collect();
    let mut all = Year::default();
    for place in (0..owns.len()).filter(|place| owns[*place].year == year) {
        match frozen.iter().find(|(known, _)| *known == place) {
            Some((_, lines)) => {
                all.lines.extend(lines.iter().cloned());
                // What was owed when it was frozen is shown for ever as well.
                let own = owed.iter().filter(|row| row.period == owns[place].id);
                all.balances.extend(own.cloned());
                all.frozen.push(owns[place].id.clone());
            }
            None => {
                all.balances.extend(shown[place].balances.iter().cloned());
                all.lines.extend(shown[place].lines.iter().cloned());
                all.alerts.extend(alerts[place].iter().cloned());
            }
        }
    }
    all
}

/// What a frozen period would pay now less what was paid for it.
pub(super) fn correction(own: &Own, known: &Payments, frozen: &[(usize, Vec<Line>)]) -> Vec<Paid> {
    let same = |a: &Paid, b: &Paid| {
        (&a.reward, &a.payee, &a.team) == (&b.reward, &b.payee, &b.team)
            && (&a.credited_unit, &a.unit) == (&b.credited_unit, &b.unit)
    };
    let mut all: Vec<Paid> = known.paid.clone();
    let is_own = |line: &&Line| match &line.corrects {
        Some(period) => *period == own.id,
        None => line.period == own.id && ["calculated", "draw"].contains(&line.origin),
    };
    for line in frozen.iter().flat_map(|(_, lines)| lines).filter(is_own) {
        match all.iter_mut().find(|paid| same(paid, &line.paid)) {
            Some(paid) => paid.amount -= line.paid.amount,
            None => {
                let amount = Decimal::ZERO - line.paid.amount;
                all.push(Paid { amount, ..line.paid.clone() });
            }
        }
    }
    // What cannot be computed of a person or a team stays as it was paid to them.
    let failed = |paid: &Paid| {
        let whose = paid.team.as_ref().unwrap_or(&paid.payee);
        known.failed.contains(&[&paid.reward, whose, &paid.credited_unit].map(Clone::clone))
    };
    all.retain(|paid| !paid.amount.is_zero() && !failed(paid));
    all
}
