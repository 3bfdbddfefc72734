//! What stands in the books: rows frozen with their periods, and what corrects them since.
//!
//! A finalized period never changes. What was decided otherwise afterwards is posted in a period
//! that is still open: a reversal of what had counted, and a new entry of what counts now. Not
//! deciding (`pipeline`), not storing, and not the act of finalizing. Pure, a transaction at a time:
//! called by calculations, which replay every finalization, and by the server, which has kept what
//! was frozen. Source: DOMAIN 2.11, 2.12, 3.9, decisions D11 and D14, INV-L1, INV-R1.
//!
//! **Architecture invariant:** over all periods the rows that stand sum to what is decided now
//! (INV-R1), and no row of a finalized period is added, changed or removed (INV-L1): [`laws`] are
//! asserted on every posting.

pub mod laws;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::stage::note;
use accredit_domain::calendar::{Calendar, Period, PeriodKind};
use accredit_domain::credit::{CreditId, Status};
use accredit_domain::decision::{CreditRow, Decision, Outcome};
use accredit_domain::money;

/// Origin of reversals and of what replaces the reversed.
pub const RETRO: &str = "retro";

/// Origin of what came when its own period was finalized already.
pub const LATE: &str = "late";

/// The rows that stand, of one transaction in one plan or several: `frozen` first, byte for byte,
/// then what is posted because `current`, what is decided now, differs from them.
///
/// Rows are matched by the credit that they belong to ([`credit_of`]). A frozen row whose credit
/// has the same amount, unit, credit type, payee and own period, and counts as it did, stands
/// alone. Any other that counted is reversed, and a credit that counts has a new entry; both have
/// the origin `retro` and ids of the same credit with the next ordinals. A credit without a frozen
/// row stands as decided, or as `late` when its own period is in `finalized`. What is posted is
/// dated in the earliest leaf period, at or after its own, that is not in `finalized`; so is a
/// credit that is held. What is posted stands in the order of its periods, so that freezing the
/// earliest of them moves nothing.
///
/// `current` are rows as the pipeline makes them, whose period is their own; `finalized` are ids of
/// leaf periods.
///
/// # Errors
/// A broken law, or a calendar that ends before an open period: nothing may be posted then.
pub fn post(
    frozen: &[CreditRow],
    current: Vec<CreditRow>,
    calendar: &Calendar,
    finalized: &BTreeSet<String>,
) -> Result<Vec<CreditRow>, String> {
    if finalized.is_empty() && frozen.is_empty() {
        return Ok(current);
    }

    let clean = laws::sums(&current)?;
    let mut posting =
        Posting { calendar, finalized, ids: frozen.iter().map(|row| row.id.clone()).collect() };

    let mut rows = frozen.to_vec();
    let chains = chains(frozen);
    // A frozen row whose credit is no longer decided counts for nobody: it is taken back.
    let present: BTreeSet<&str> = current.iter().map(|row| row.id.as_str()).collect();

    for (_, chain) in chains.iter().filter(|(id, _)| !present.contains(id.as_str())) {
        for row in standing(chain) {
            rows.push(posting.reversal(row)?);
        }
    }

    let chains: BTreeMap<&str, &Chain<'_>> =
        chains.iter().map(|(id, chain)| (id.as_str(), chain)).collect();
    for row in current {
        match chains.get(row.id.as_str()) {
            Some(chain) => posting.correct(chain, row, &mut rows)?,
            None => rows.push(posting.fresh(row)?),
        }
    }

    let mut posted = rows.split_off(frozen.len().min(rows.len()));
    // Stable: within a period they stay in the order in which they were decided.
    posted.sort_by_key(|row| calendar.find(&row.period).map(|period| period.first));
    rows.extend(posted);
    laws::check(&clean, frozen, &rows, (calendar, finalized))?;
    Ok(rows)
}

/// Puts what stands into the decisions of one transaction, a plan each: `frozen` rows of all plans,
/// and what corrects them. What may not be posted is parked with its frozen rows; a plan that is no
/// longer decided keeps them in a decision that is filtered.
pub fn settle(
    decisions: &mut Vec<Decision>,
    frozen: &[CreditRow],
    calendar: &Calendar,
    finalized: &BTreeSet<String>,
) {
    let gone = frozen.iter().filter(|row| !decisions.iter().any(|one| one.plan == row.plan));
    let gone: BTreeSet<(String, String)> =
        gone.map(|row| (row.plan.clone(), row.transaction.clone())).collect();

    for (plan, transaction) in gone {
        let ruleset = decisions.first().map(|decision| decision.ruleset.clone());
        decisions.push(Decision {
            plan,
            transaction,
            period: None,
            ruleset: ruleset.unwrap_or_default(),
            as_of: None,
            outcome: Outcome::Filtered,
            credits: Vec::new(),
            reasons: Vec::new(),
            alerts: Vec::new(),
            log: Vec::new(),
        });
    }

    for decision in decisions {
        let own = frozen.iter().filter(|row| row.plan == decision.plan);
        let own: Vec<CreditRow> = own.cloned().collect();

        let current = std::mem::take(&mut decision.credits);
        let standing = post(&own, current, calendar, finalized);
        put(decision, &own, standing.as_deref());
    }
}

/// Puts the rows that stand into a decision; one that may not be posted is parked with its frozen
/// rows and the reason.
pub fn put(decision: &mut Decision, frozen: &[CreditRow], standing: Result<&[CreditRow], &String>) {
    match standing {
        Ok(rows) => decision.credits = rows.to_vec(),
        Err(broken) => {
            decision.credits = frozen.to_vec();
            decision.outcome = Outcome::Parked;

            let (transaction, plan) = (&decision.transaction, &decision.plan);
            let why = note(transaction, plan, "posting", "policy_error", broken.as_str());

            decision.reasons = vec![why.clone()];
            decision.log.push(why.clone());
            decision.alerts.push(why);
        }
    }
}

/// What is frozen when the leaf period `leaf` is finalized: the rows of the period as they stand,
/// except those that are held, which the next posting carries on.
pub fn freeze<'a>(rows: &'a [CreditRow], leaf: &'a str) -> impl Iterator<Item = &'a CreditRow> {
    rows.iter().filter(move |row| row.period == leaf && row.status != Status::Held.name())
}

/// The id of the credit that `row` belongs to: its own, or for a reversal or a new entry that of
/// the credit that is decided. Releases, holds and adjustments name this one.
pub fn credit_of(row: &CreditRow) -> CreditId {
    numbered(row, 0)
}

/// The id of the entry `ordinal` of the credit that `row` belongs to.
fn numbered(row: &CreditRow, ordinal: u32) -> CreditId {
    let text = |part: &'_ Option<String>| part.clone().unwrap_or_default();
    let (relationship, via, source) = (text(&row.relationship), text(&row.via), text(&row.source));
    let parts = [&*row.plan, &row.rule, &row.result, recipient(row), &relationship, &via, &source];
    CreditId::of(&row.transaction, &parts, ordinal)
}

/// The position or team that is credited.
fn recipient(row: &CreditRow) -> &str {
    row.position.as_deref().or(row.team.as_deref()).unwrap_or("")
}

/// Whether the row counts.
fn counts(row: &CreditRow) -> bool {
    row.status == Status::Active.name()
}

/// The frozen rows of one credit, in order.
type Chain<'a> = Vec<&'a CreditRow>;

/// Frozen rows by credit, in order of first appearance.
fn chains(frozen: &[CreditRow]) -> Vec<(String, Chain<'_>)> {
    let mut chains: Vec<(String, Chain<'_>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();

    for row in frozen {
        let id = credit_of(row).to_string();
        match places.get(&id).and_then(|place| chains.get_mut(*place)) {
            Some((_, chain)) => chain.push(row),
            None => {
                places.insert(id.clone(), chains.len());
                chains.push((id, vec![row]));
            }
        }
    }

    chains
}

/// The rows of a chain that count and were not reversed. Hardly ever more than one: a new entry
/// may be frozen before its reversal when their periods differ.
fn standing<'a>(chain: &Chain<'a>) -> Vec<&'a CreditRow> {
    let reversed = |row: &CreditRow| chain.iter().any(|it| it.reverses.as_deref() == Some(&row.id));
    let rows = chain.iter().copied();
    rows.filter(|row| counts(row) && row.reverses.is_none() && !reversed(row)).collect()
}

/// One posting under way.
struct Posting<'a> {
    calendar: &'a Calendar,
    finalized: &'a BTreeSet<String>,
    /// Ids that are taken.
    ids: BTreeSet<String>,
}

impl Posting<'_> {
    /// A credit that has no frozen row.
    fn fresh(&mut self, mut row: CreditRow) -> Result<CreditRow, String> {
        if self.finalized.contains(&row.period) {
            row.period = self.open(&row)?;
            row.origin = LATE.to_owned();
        }
        self.ids.insert(row.id.clone());
        Ok(row)
    }

    /// A credit that has frozen rows: adds what corrects them.
    fn correct(
        &mut self,
        chain: &Chain<'_>,
        row: CreditRow,
        rows: &mut Vec<CreditRow>,
    ) -> Result<(), String> {
        let mut standing = standing(chain);
        let mut kept = false;
        // Of several rows that are alike the last one stays, and the others are taken back.
        if counts(&row) {
            let mut alike = None;
            for (index, known) in standing.iter().enumerate() {
                if self.alike(known, &row)? {
                    alike = Some(index);
                }
            }
            kept = alike.map(|index| standing.remove(index)).is_some();
        }

        for known in standing {
            rows.push(self.reversal(known)?);
        }
        // A held credit counts nowhere, but whoever waits for it must see it.
        if !kept && (counts(&row) || row.status == Status::Held.name()) {
            let (id, period) = (self.next_id(&row), self.open(&row)?);
            rows.push(CreditRow { id, period, origin: RETRO.to_owned(), ..row });
        }
        Ok(())
    }

    /// Whether a frozen row that counts says what the credit says now.
    fn alike(&self, frozen: &CreditRow, present: &CreditRow) -> Result<bool, String> {
        Ok(frozen.amount()? == present.amount()?
            && frozen.unit_type == present.unit_type
            && frozen.credit_type == present.credit_type
            && frozen.payee == present.payee
            && self.own(frozen).map(|own| own.id) == self.own(present).map(|own| own.id))
    }

    /// Takes back what `row` counted.
    fn reversal(&mut self, row: &CreditRow) -> Result<CreditRow, String> {
        let amount = row.amount()?;
        let scale = u8::try_from(amount.scale()).unwrap_or(u8::MAX);

        Ok(CreditRow {
            id: self.next_id(row),
            period: self.open(row)?,
            // The amount as it was frozen, to the last digit, so that both rows cancel out.
            amount: money::text(-amount, scale),
            release_date: None,
            reason: None,
            origin: RETRO.to_owned(),
            reverses: Some(row.id.clone()),
            ..row.clone()
        })
    }

    /// The next id of the credit that `row` belongs to.
    fn next_id(&mut self, row: &CreditRow) -> String {
        let ids = (1..).map(|ordinal| numbered(row, ordinal).to_string());
        let free = ids.into_iter().find(|id| !self.ids.contains(id)).unwrap_or_default();
        self.ids.insert(free.clone());
        free
    }

    /// The leaf period of the incentive date.
    fn own(&self, row: &CreditRow) -> Option<Period> {
        let date = row.incentive_date.parse().ok();
        date.and_then(|date| self.calendar.period(date, PeriodKind::Month))
    }

    /// The id of the earliest leaf period, at or after the row's own, that may still change.
    fn open(&self, row: &CreditRow) -> Result<String, String> {
        // A calendar that lost the period of the date still knows when the row was posted.
        let own = self.own(row).or_else(|| self.calendar.find(&row.period));
        let open = own.and_then(|own| self.calendar.open_from(own.first, self.finalized));
        let open = open.map(|period| period.id);
        open.ok_or_else(|| format!("no period is open from {} on", row.incentive_date))
    }
}
