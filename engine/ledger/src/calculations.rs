//! Calculations: what there is of every plan in every leaf period, counted as decisions change, with
//! a revision that goes up when the content does.
//!
//! Not deciding and not releasing (`releases`). The content is known by a sum of hashes, so that one
//! changed deal costs one subtraction and one addition, whatever the period holds. Called by
//! `record` and by the host. Source: DESIGN section 6, DOMAIN INV-G1.
//!
//! What credits are worth is worked out when it is asked for; where an activation changes it, that is
//! counted beside.
//!
//! **Architecture invariant:** the same credits and notes have the same fingerprint in whatever
//! order they came; the ruleset and the business date of a decision are no content.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::record::{BLOCK, Counts, Stored, block};
use super::{Ledger, Result, code};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Decision, Outcome};
use accredit_domain::keys::{PeriodKey, RulesetHash};
use accredit_seams::store::{Batch, Snapshot, Table};

/// How often other rules changed what the credits of a plan in a period are worth, by plan and
/// period; none stands where they never did.
pub type Restated = BTreeMap<(String, String), u32>;

/// The period of what has none: parked until its date is mended.
pub const NO_PERIOD: &str = "";

/// A plan in a leaf period.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Goes up with every commit that changed the content, from 1.
    pub revision: u32,
    /// Of the content: the sum of hashes of its credits and notes.
    fingerprint: [u8; 16],
    /// How many there are.
    pub counts: Counts,
}

/// A plan and a leaf period.
type Key = (String, String);

/// The summaries that a round of work touches.
pub(super) struct Summaries<'a> {
    snapshot: &'a dyn Snapshot,
    /// As they were, and as they become.
    rows: BTreeMap<Key, (Summary, Summary)>,
    /// Leaf periods with a block that has something of them.
    spans: BTreeSet<(String, u64)>,
}

impl<'a> Summaries<'a> {
    pub(super) fn new(snapshot: &'a dyn Snapshot) -> Self {
        Summaries { snapshot, rows: BTreeMap::new(), spans: BTreeSet::new() }
    }

    /// Takes the decisions of a block as they were out, and puts them in as they are.
    pub(super) fn change(&mut self, before: &[Stored], after: &[Stored]) -> Result<()> {
        let old: HashMap<u64, &Stored> = before.iter().map(|one| (one.number, one)).collect();

        for stored in after {
            // What is decided as before changes no calculation, and no revision.
            let known = old.get(&stored.number).copied();
            if known.is_some_and(|known| known.decisions == stored.decisions) {
                continue;
            }

            for decision in known.iter().flat_map(|known| &known.decisions) {
                self.add(decision, -1)?;
            }

            for decision in &stored.decisions {
                self.add(decision, 1)?;

                let rows = decision.credits.iter().map(|row| row.period.clone());
                let own = decision.period.clone().unwrap_or_else(|| PeriodKey::from(NO_PERIOD));
                let own = (decision.outcome != Outcome::Filtered).then_some(own);
                let block = stored.number / BLOCK;
                self.spans.extend(rows.chain(own).map(|period| (String::from(period), block)));
            }
        }

        Ok(())
    }

    fn add(&mut self, decision: &Decision, sign: i64) -> Result<()> {
        if decision.outcome != Outcome::Filtered {
            let period = decision.period.as_deref().unwrap_or(NO_PERIOD);
            let hash = hash(&(
                &decision.transaction,
                decision.outcome,
                &decision.reasons,
                &decision.alerts,
                &decision.log,
            ))?;
            let summary = self.row(&decision.plan, period)?;
            summary.mix(hash, sign);
            summary.counts.transactions += sign;
            summary.counts.add_outcome(decision.outcome, sign);
        }

        for row in &decision.credits {
            // The ruleset's hash differs after every change, and is no other result.
            let hash = hash(&PostedCredit { ruleset: RulesetHash::default(), ..row.clone() })?;
            let summary = self.row(&decision.plan, &row.period)?;
            summary.mix(hash, sign);
            summary.counts.add_credit(row, sign);
        }

        Ok(())
    }

    fn row(&mut self, plan: &str, period: &str) -> Result<&mut Summary> {
        let key = (plan.to_owned(), period.to_owned());
        if !self.rows.contains_key(&key) {
            let row = self.snapshot.get(Table::Calculations, &code::parts(&[plan, period]))?;
            let row: Summary = row.map(|row| code::unpack(&row)).transpose()?.unwrap_or_default();
            self.rows.insert(key.clone(), (row.clone(), row));
        }
        let (_, row) = self.rows.entry(key).or_default();
        Ok(row)
    }

    /// Writes what changed.
    pub(super) fn write(self, batch: &mut Batch) -> Result<()> {
        for ((plan, period), (before, mut after)) in self.rows {
            // A revision says that the result is another one, not that it was written again.
            if before.fingerprint != after.fingerprint {
                after.revision += 1;
            }
            if before != after {
                let key = code::parts(&[&plan, &period]);
                batch.put(Table::Calculations, key, code::pack(&after)?);
            }
        }

        for (period, block) in self.spans {
            let key = [&code::parts(&[&period])[..], &code::key(block)].concat();
            batch.put(Table::Spans, key, "");
        }

        Ok(())
    }
}

impl Summary {
    fn mix(&mut self, hash: u128, sign: i64) {
        let sum = u128::from_be_bytes(self.fingerprint);
        let sum = if sign < 0 { sum.wrapping_sub(hash) } else { sum.wrapping_add(hash) };
        self.fingerprint = sum.to_be_bytes();
    }
}

/// Counts that an activation changes what credits are worth, in these periods of plans.
pub(super) fn restate(
    snapshot: &dyn Snapshot,
    batch: &mut Batch,
    periods: &BTreeMap<String, BTreeSet<String>>,
) -> Result<()> {
    for (plan, periods) in periods {
        for period in periods {
            let key = code::parts(&[plan, period]);
            let known = snapshot.get(Table::Restated, &key)?;
            let known: u32 = known.map(|row| code::unpack(&row)).transpose()?.unwrap_or_default();
            batch.put(Table::Restated, key, code::pack(&(known + 1))?);
        }
    }

    Ok(())
}

/// The plan and the period of a key.
fn key_of(key: &[u8]) -> Key {
    let mut parts = key.split(|byte| *byte == 0);
    let mut part = || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    (part(), part())
}

fn hash(content: &impl Serialize) -> Result<u128> {
    let bytes = code::pack(content)?;
    let mut head = [0; 16];
    blake3::Hasher::new().update(&bytes).finalize_xof().fill(&mut head);
    Ok(u128::from_be_bytes(head))
}

impl Ledger {
    /// Every plan in every leaf period that anything was decided in, by plan and period; what has no
    /// period stands under [`NO_PERIOD`].
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn summaries(&self) -> Result<BTreeMap<(String, String), Summary>> {
        let rows = self.snapshot()?.scan(Table::Calculations, b"", b"", usize::MAX)?;
        rows.into_iter().map(|(key, row)| Ok((key_of(&key), code::unpack(&row)?))).collect()
    }

    /// How often other rules changed what credits are worth. Periods are of any kind here: those
    /// that a calculation can be asked for.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn restated(&self) -> Result<Restated> {
        let rows = self.snapshot()?.scan(Table::Restated, b"", b"", usize::MAX)?;
        rows.into_iter().map(|(key, row)| Ok((key_of(&key), code::unpack(&row)?))).collect()
    }

    /// Calls `look` for every stored transaction that may have something in one of `leaves`, or has
    /// no period; for every one at all without `leaves`. In order of first receipt.
    ///
    /// # Errors
    /// When the data cannot be read, or what `look` found.
    pub fn each(
        &self,
        leaves: Option<&BTreeSet<String>>,
        look: &mut dyn FnMut(Stored) -> Result<()>,
    ) -> Result<()> {
        let snapshot = self.snapshot()?;

        let mut blocks: BTreeSet<u64> = BTreeSet::new();
        match leaves {
            None => {
                let mut from = 0;
                while let Some((stored, next)) = self.stored_from(from)? {
                    stored.into_iter().try_for_each(&mut *look)?;
                    from = next;
                }
            }
            Some(leaves) => {
                let leaves = leaves.iter().map(String::as_str).chain([NO_PERIOD]);
                // Deals without a period are in every calculation, until somebody corrects their
                // date.
                for leaf in leaves {
                    let prefix = code::parts(&[leaf]);
                    let rows = snapshot.scan(Table::Spans, &prefix, b"", usize::MAX)?;
                    blocks.extend(rows.iter().map(|(key, _)| code::number(key)));
                }
            }
        }

        for number in blocks {
            block(&*snapshot, number)?.into_iter().try_for_each(&mut *look)?;
        }

        Ok(())
    }
}
