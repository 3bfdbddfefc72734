//! The posted entries: rows frozen with their periods, and what corrects them since.
//!
//! A locked period takes no new entries: it is finalized for ever, or closed until it is reopened.
//! What was decided otherwise afterwards is posted in a period that is still open: a reversal of what
//! had counted, and a new entry of what counts now. Not deciding (`pipeline`), not storing, and not
//! the acts of closing and finalizing. Pure, a transaction at a time: called by calculations, which
//! replay every finalization, and by the server, which has kept what was frozen. Source: DOMAIN 2.11,
//! 2.12, 3.9, decisions D11, D12 and D14, INV-L1, INV-R1.
//!
//! **Architecture invariant:** over all periods the rows that stand sum to what is decided now
//! (INV-R1), and no row of a locked period is added, changed or removed (INV-L1): [`laws`] are
//! asserted on every posting.

pub mod laws;
mod notes;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::stage::build_note;
use accredit_domain::calendar::{Calendar, LockedPeriods, Period, PeriodKind};
use accredit_domain::credit::posted::{CreditOrigin, OTHER_YEAR, PostedCredit};
use accredit_domain::credit::{CreditId, CreditStatus};
use accredit_domain::decision::{Decision, DecisionOutcome};
use accredit_domain::keys::{PeriodKey, PlanKey, TransactionKey};
use accredit_domain::money;
use accredit_domain::note::{NoteCode, NoteStage};
use accredit_domain::plan::reward::LateRewards;
use accredit_workspace::Ruleset;
use jiff::civil::Date;

/// What decides where a credit may be posted.
pub struct PostingRules<'a> {
    /// The periods.
    pub calendar: &'a Calendar,
    /// Those that take no new entries.
    pub locked: &'a LockedPeriods,
    /// Whether the plan of a credit lets holds end in another fiscal year.
    pub across_years: &'a dyn Fn(&PostedCredit) -> bool,
}

/// Whether the plan of a credit, as `ruleset` has it, lets holds end in another fiscal year.
pub fn holds_across_years(ruleset: &Ruleset, row: &PostedCredit) -> bool {
    ruleset.plans.get(row.plan.as_str()).is_some_and(|plan| plan.hold_across_years)
}

/// The rows that stand, of one transaction in one plan or several: `frozen` first, byte for byte,
/// then what is posted because `current`, what is decided now, differs from them.
///
/// Rows are matched by the credit that they belong to ([`credit_of`]). A frozen row whose credit
/// has the same amount, unit, credit type, payee and own period, and counts as it did, stands
/// alone. Any other that counted is reversed, and a credit that counts has a new entry; both have
/// the origin `retro` and ids of the same credit with the next ordinals. A credit without a frozen
/// row stands as decided, or as `late` when its own period is locked. What is posted is dated in the
/// earliest leaf period, at or after its own, that is not locked; so is a credit that is held. What
/// is posted stands in the order of its periods, so that freezing the earliest of them moves nothing.
///
/// A credit that was released in another fiscal year, and would be posted in another one than its
/// own, is held ([`OTHER_YEAR`]) unless its plan lets holds end there.
///
/// `current` are rows as the pipeline makes them, whose period is their own.
///
/// # Errors
/// A broken law, or a calendar that ends before an open period: nothing may be posted then.
pub fn post_credits(
    frozen: &[PostedCredit],
    mut current: Vec<PostedCredit>,
    rules: &PostingRules<'_>,
) -> Result<Vec<PostedCredit>, String> {
    if rules.locked.is_empty() && frozen.is_empty() {
        return Ok(current);
    }

    let mut posting = Posting { rules, ids: frozen.iter().map(|row| row.id).collect() };
    let chains = frozen_chains(frozen);
    let chains_by_credit: BTreeMap<CreditId, &FrozenChain<'_>> =
        chains.iter().map(|(id, chain)| (*id, chain)).collect();
    for row in &mut current {
        posting.hold_within_year(chains_by_credit.get(&row.id).copied(), row)?;
    }

    let clean = laws::counted_sums(&current)?;
    let mut rows = frozen.to_vec();
    // A frozen row whose credit is no longer decided does not count: it is taken back.
    let present: BTreeSet<CreditId> = current.iter().map(|row| row.id).collect();

    for (_, chain) in chains.iter().filter(|(id, _)| !present.contains(id)) {
        for row in standing_entries(chain) {
            rows.push(posting.reverse_entry(row)?);
        }
    }

    for row in current {
        match chains_by_credit.get(&row.id) {
            Some(chain) => posting.post_correction(chain, row, &mut rows)?,
            None => rows.push(posting.post_new_credit(row)?),
        }
    }

    let mut posted = rows.split_off(frozen.len().min(rows.len()));
    // Stable: within a period they stay in the order in which they were decided.
    posted.sort_by_key(|row| rules.calendar.find(&row.period).map(|period| period.first));
    rows.extend(posted);
    laws::check_posting(&clean, frozen, &rows, rules)?;
    Ok(rows)
}

/// Adds the posted entries to the decisions of one transaction, one for each plan: `frozen` rows of
/// all plans, and what corrects them. What may not be posted is parked with its frozen rows; a plan
/// that is no longer decided keeps them in a decision that is filtered.
pub fn post_corrections(
    decisions: &mut Vec<Decision>,
    frozen: &[PostedCredit],
    rules: &PostingRules<'_>,
) {
    let gone = frozen.iter().filter(|row| !decisions.iter().any(|one| one.plan == row.plan));
    let gone: BTreeSet<(PlanKey, TransactionKey)> =
        gone.map(|row| (row.plan, row.transaction.clone())).collect();

    for (plan, transaction) in gone {
        let ruleset = decisions.first().map(|decision| decision.ruleset);
        decisions.push(Decision {
            plan,
            transaction,
            period: None,
            ruleset: ruleset.unwrap_or_default(),
            as_of: None,
            outcome: DecisionOutcome::Filtered,
            credits: Vec::new(),
            reasons: Vec::new(),
            alerts: Vec::new(),
            log: Vec::new(),
        });
    }

    for decision in decisions {
        let own = frozen.iter().filter(|row| row.plan == decision.plan);
        let own: Vec<PostedCredit> = own.cloned().collect();

        let standing = post_credits(&own, decision.credits.clone(), rules);
        set_entries(decision, &own, standing.as_deref(), rules);
    }
}

/// Puts the rows that stand into a decision, in the place of those that were decided, and alerts of
/// what stands elsewhere than it was decided; one that may not be posted is parked with its frozen
/// rows and the reason.
pub fn set_entries(
    decision: &mut Decision,
    frozen: &[PostedCredit],
    standing: Result<&[PostedCredit], &String>,
    rules: &PostingRules<'_>,
) {
    match standing {
        Ok(rows) => {
            let found = notes::posting_notes(decision, rows, rules);
            decision.credits = rows.to_vec();
            decision.log.extend(found.iter().cloned());
            decision.alerts.extend(found);
        }
        Err(broken) => {
            decision.credits = frozen.to_vec();
            decision.outcome = DecisionOutcome::Parked;

            let (transaction, plan) = (&decision.transaction, &decision.plan);
            let why = build_note(
                transaction,
                plan,
                NoteStage::Posting,
                NoteCode::PolicyError,
                broken.as_str(),
            );

            decision.reasons = vec![why.clone()];
            decision.log.push(why.clone());
            decision.alerts.push(why);
        }
    }
}

/// What is frozen when the leaf period `leaf` is finalized: the rows of the period as they stand,
/// except those that are held, which the next posting carries on.
pub fn rows_to_freeze<'a>(
    rows: &'a [PostedCredit],
    leaf: &'a str,
) -> impl Iterator<Item = &'a PostedCredit> {
    rows.iter().filter(move |row| row.period == leaf && !row.is_held())
}

/// The frozen rows that stay frozen while `locked` are the locked periods: those in one of them, and
/// those that one of them takes back.
pub fn rows_to_keep(frozen: &[PostedCredit], locked: &LockedPeriods) -> Vec<PostedCredit> {
    let in_locked = |row: &PostedCredit| locked.contains(row.period.as_str());
    let reversed: BTreeSet<CreditId> = frozen
        .iter()
        .filter(|row| in_locked(row))
        .filter_map(PostedCredit::corrected_entry)
        .collect();

    let stays = |row: &&PostedCredit| in_locked(row) || reversed.contains(&row.id);
    frozen.iter().filter(stays).cloned().collect()
}

/// The id of the credit that `row` belongs to: its own, or for a reversal or a new entry that of
/// the credit that is decided. Releases, holds and adjustments name this one.
pub fn credit_of(row: &PostedCredit) -> CreditId {
    row.entry_id(0)
}

/// The frozen rows of one credit, in order.
type FrozenChain<'a> = Vec<&'a PostedCredit>;

/// Frozen rows by credit, in order of first appearance.
fn frozen_chains(frozen: &[PostedCredit]) -> Vec<(CreditId, FrozenChain<'_>)> {
    let mut chains: Vec<(CreditId, FrozenChain<'_>)> = Vec::new();
    let mut places: BTreeMap<CreditId, usize> = BTreeMap::new();

    for row in frozen {
        let id = credit_of(row);
        match places.get(&id).and_then(|place| chains.get_mut(*place)) {
            Some((_, chain)) => chain.push(row),
            None => {
                places.insert(id, chains.len());
                chains.push((id, vec![row]));
            }
        }
    }

    chains
}

/// The rows of a chain that count and were not reversed. Hardly ever more than one: a new entry
/// may be frozen before its reversal when their periods differ.
fn standing_entries<'a>(chain: &FrozenChain<'a>) -> Vec<&'a PostedCredit> {
    let reversed = |row: &PostedCredit| chain.iter().any(|it| it.corrected_entry() == Some(row.id));
    let rows = chain.iter().copied();
    let counts = |row: &&PostedCredit| row.is_active() && row.corrected_entry().is_none();
    rows.filter(|row| counts(row) && !reversed(row)).collect()
}

/// The entries of one transaction that count for rewards, each on the day that rewards read.
///
/// A deal that moves to another day of its own period posts nothing: its frozen entries stand, with
/// the day of then. `day` is the incentive date that it has now, and rewards ask on that day who
/// managed and who belonged to a team (RL1). Entries that were taken back, and what takes them back,
/// stay on the day of then, and so does everything of a plan that rewards an entry where it is posted.
pub fn rewarded_entries(
    mut rows: Vec<PostedCredit>,
    day: Option<Date>,
    ruleset: &Ruleset,
) -> Vec<PostedCredit> {
    rows.retain(PostedCredit::is_active);
    let moved = day.filter(|day| rows.iter().any(|row| row.incentive_date != *day));
    let Some(day) = moved else { return rows };

    let reversed: BTreeSet<CreditId> =
        rows.iter().filter_map(PostedCredit::corrected_entry).collect();
    let calendar = &ruleset.settings.calendar;
    let own = calendar.period_on(day, PeriodKind::Leaf);
    for row in &mut rows {
        let plan = ruleset.plans.get(row.plan.as_str());
        let by_own_day = plan.is_some_and(|plan| plan.late == LateRewards::Own);
        let stands = row.corrected_entry().is_none() && !reversed.contains(&row.id);
        if by_own_day && stands && own.is_some() && own_leaf(calendar, row) == own {
            row.incentive_date = day;
        }
    }
    rows
}

/// The state of one posting in progress.
struct Posting<'a> {
    rules: &'a PostingRules<'a>,
    /// Ids that are already in use.
    ids: BTreeSet<CreditId>,
}

impl Posting<'_> {
    /// A credit that has no frozen row.
    fn post_new_credit(&mut self, mut row: PostedCredit) -> Result<PostedCredit, String> {
        if self.rules.locked.contains(row.period.as_str()) {
            row.period = self.open_period(&row)?;
            // What a person gave stays known as that.
            if !row.is_by_hand() {
                row.origin = CreditOrigin::Late;
            }
        }
        self.ids.insert(row.id);
        Ok(row)
    }

    /// A credit that has frozen rows: adds what corrects them.
    fn post_correction(
        &mut self,
        chain: &FrozenChain<'_>,
        row: PostedCredit,
        rows: &mut Vec<PostedCredit>,
    ) -> Result<(), String> {
        let mut standing = standing_entries(chain);
        let mut kept = false;
        // Of several rows that are alike the last one stays, and the others are taken back.
        if row.is_active() {
            let alike = standing.iter().rposition(|known| self.is_unchanged(known, &row));
            kept = alike.map(|index| standing.remove(index)).is_some();
        }

        for known in standing {
            rows.push(self.reverse_entry(known)?);
        }
        // A held credit does not count, but it must be visible to its payee.
        if !kept && (row.is_active() || row.is_held()) {
            let (id, period) = (self.next_id(&row)?, self.open_period(&row)?);
            // It takes no former entry back, though its credit may be the reversal of a manual one.
            let origin = CreditOrigin::Retro;
            rows.push(PostedCredit { id, period, origin, reverses: None, ..row });
        }
        Ok(())
    }

    /// Holds a credit whose release would move it into another fiscal year. One that a frozen row
    /// has counted already was released before.
    fn hold_within_year(
        &self,
        chain: Option<&FrozenChain<'_>>,
        row: &mut PostedCredit,
    ) -> Result<(), String> {
        let Some(released) = row.release_date.filter(|_| row.is_active()) else { return Ok(()) };
        let own = fiscal_year(self.rules.calendar, row.incentive_date);
        if fiscal_year(self.rules.calendar, released) == own {
            return Ok(());
        }

        let counted = chain.map(standing_entries).unwrap_or_default();
        if counted.iter().any(|known| self.is_unchanged(known, row)) {
            return Ok(());
        }

        let period = self.open_leaf(row)?;
        if fiscal_year(self.rules.calendar, period.first) == own || (self.rules.across_years)(row) {
            return Ok(());
        }

        row.status = CreditStatus::Held;
        row.release_date = None;
        row.reason = Some(OTHER_YEAR.to_owned());
        Ok(())
    }

    /// Whether a frozen row that counts says what the credit says now.
    fn is_unchanged(&self, frozen: &PostedCredit, present: &PostedCredit) -> bool {
        frozen.amount == present.amount
            && frozen.unit_type == present.unit_type
            && frozen.credit_type == present.credit_type
            && frozen.payee == present.payee
            && self.own_period(frozen).map(|own| own.id)
                == self.own_period(present).map(|own| own.id)
    }

    /// Takes back what `row` counted.
    fn reverse_entry(&mut self, row: &PostedCredit) -> Result<PostedCredit, String> {
        Ok(PostedCredit {
            id: self.next_id(row)?,
            period: self.open_period(row)?,
            // The amount as it was frozen, to the last digit, so that both rows cancel out.
            amount: money::negated(row.amount),
            release_date: None,
            reason: None,
            origin: CreditOrigin::Retro,
            reverses: Some(row.id),
            ..row.clone()
        })
    }

    /// The next id of the credit that `row` belongs to.
    fn next_id(&mut self, row: &PostedCredit) -> Result<CreditId, String> {
        let mut ids = (1..=u32::MAX).map(|ordinal| row.entry_id(ordinal));
        let free = ids.find(|id| !self.ids.contains(id));

        let free = free.ok_or_else(|| format!("no id is left for a correction of {}", row.id))?;
        self.ids.insert(free);
        Ok(free)
    }

    /// The leaf period of the incentive date.
    fn own_period(&self, row: &PostedCredit) -> Option<Period> {
        own_leaf(self.rules.calendar, row)
    }

    /// The id of the earliest leaf period, at or after the row's own, that may still change.
    fn open_period(&self, row: &PostedCredit) -> Result<PeriodKey, String> {
        self.open_leaf(row).map(|period| period.id)
    }

    fn open_leaf(&self, row: &PostedCredit) -> Result<Period, String> {
        let calendar = self.rules.calendar;
        // A calendar that lost the period of the date still knows when the row was posted.
        let own = self.own_period(row).or_else(|| calendar.find(&row.period));
        let open = own.and_then(|own| calendar.open_from(own.first, self.rules.locked));
        open.ok_or_else(|| format!("no period is open from {} on", row.incentive_date))
    }
}

/// The leaf period of the incentive date of a row.
fn own_leaf(calendar: &Calendar, row: &PostedCredit) -> Option<Period> {
    calendar.period_on(row.incentive_date, PeriodKind::Leaf)
}

/// The id of the fiscal year that holds a day.
fn fiscal_year(calendar: &Calendar, date: Date) -> Option<PeriodKey> {
    calendar.period_on(date, PeriodKind::Year).map(|year| year.id)
}
