//! Every recorded decision made again from its pins, and compared byte for byte.
//!
//! Not an explanation (`explain`). Called by `accredit verify` on a data file and by `http::verify`.
//! Source: DESIGN invariants 1 and 12.
//!
//! **Architecture invariant:** verifying writes nothing.

mod paid;

use jiff::civil::Date;
use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_crediting::calculation;
use accredit_crediting::impact;
use accredit_crediting::posting::{self, PostingRules};
use accredit_domain::calendar::LockedPeriods;
use accredit_domain::decision::{Decision, DecisionOutcome};
use accredit_domain::transaction::Decoder;
use accredit_ledger::Ledger;
use accredit_ledger::record::TransactionRecord;
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;
use serde::Serialize;
use utoipa::ToSchema;

use self::paid::PaidRewards;
use crate::explain;

/// A filter on decisions by plan and period.
#[derive(Debug, Clone, Default, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyParams {
    /// Only of this plan.
    pub plan: Option<String>,
    /// Only of this period, or of the leaves of this parent.
    pub period: Option<String>,
}

/// A decision that does not come out as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Deviation {
    transaction: String,
    plan: String,
    ruleset: String,
    message: String,
}

/// What came of it.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Verification {
    /// Decisions that were made again.
    pub decisions: u64,
    /// Rewards of periods that were paid, held against their credits and their tiers.
    pub rewards: u64,
    /// Those that do not come out alike, up to a limit.
    pub differences: Vec<Deviation>,
    /// All that do not.
    pub differing: u64,
    /// Stored rows that do not agree with others; of the whole file, regardless of the selection.
    pub damage: Vec<String>,
}

/// Deviations that are listed one by one.
const LISTED_MAX: usize = 1000;

/// Transactions that are decided together: preparing a ruleset to run costs more than running it.
const PAGE: usize = 2048;

/// Rulesets that are kept at a time.
const RULESETS_MAX: usize = 16;

/// Makes the decisions that are wanted again.
pub fn verify_decisions(
    ledger: &Ledger,
    wanted: &VerifyParams,
) -> Result<Verification, StoreError> {
    let mut verifying = Verifier {
        ledger,
        wanted,
        locked: ledger.locked_periods()?,
        rulesets: BTreeMap::new(),
        verified: Verification::default(),
    };

    verifying.verified.damage = ledger.find_damage()?;
    let wanted_rewards = (wanted.plan.as_deref(), wanted.period.as_deref());
    let mut paid = PaidRewards::read(ledger, wanted_rewards)?;
    let (mut from, mut page) = (0, Vec::new());

    loop {
        match ledger.records_from(from) {
            Ok(None) => break,
            Ok(Some((stored, next))) => {
                page.extend(stored);
                from = next;
            }
            // It is among the damage; the blocks behind it can be read.
            Err(StoreError::Damaged(_)) => from = ledger.block_after(from),
            Err(error) => return Err(error),
        }

        if page.len() >= PAGE {
            paid.note_credits(&page, &verifying.locked);
            verifying.verify_page(&std::mem::take(&mut page))?;
        }
    }

    paid.note_credits(&page, &verifying.locked);
    verifying.verify_page(&page)?;
    verifying.verify_rewards(&paid)?;
    Ok(verifying.verified)
}

/// A decision with the transaction that it is about.
type RecordedDecision<'a> = (&'a TransactionRecord, &'a Decision);

/// A decision with its credits in the order of their ids: what was posted before an earlier period
/// was finalized stands in another place than what is posted after it, and is the same.
fn in_order(mut decision: Decision) -> Decision {
    decision.credits.sort_by_key(|credit| credit.id);
    decision
}

struct Verifier<'a> {
    ledger: &'a Ledger,
    wanted: &'a VerifyParams,
    locked: LockedPeriods,
    rulesets: BTreeMap<String, Option<Arc<Ruleset>>>,
    verified: Verification,
}

impl Verifier<'_> {
    fn cached_ruleset(&mut self, hash: &str) -> Result<Option<Arc<Ruleset>>, StoreError> {
        if let Some(known) = self.rulesets.get(hash) {
            return Ok(known.clone());
        }
        let ruleset = match explain::rebuild_ruleset(self.ledger, hash) {
            Err(StoreError::Damaged(_)) => None,
            ruleset => ruleset?,
        };
        if self.rulesets.len() >= RULESETS_MAX {
            self.rulesets.pop_first();
        }
        self.rulesets.insert(hash.to_owned(), ruleset.clone());
        Ok(ruleset)
    }

    fn is_selected(&self, decision: &Decision, ruleset: Option<&Ruleset>) -> bool {
        let plan = self.wanted.plan.as_deref().is_none_or(|plan| plan == decision.plan);
        let period = self.wanted.period.as_deref().is_none_or(|wanted| {
            let Some(own) = decision.period.as_deref() else { return false };
            let calendar = ruleset.map(|ruleset| &ruleset.settings.calendar);
            let inside = calendar.and_then(|calendar| {
                let period = calendar.find(wanted)?;
                Some(calendar.leaf_periods(&period).iter().any(|leaf| leaf.id == own))
            });
            own == wanted || inside == Some(true)
        });
        plan && period
    }

    /// Verifies some transactions, those of one ruleset and business date together.
    fn verify_page(&mut self, page: &[TransactionRecord]) -> Result<(), StoreError> {
        let mut groups: BTreeMap<(&str, Option<Date>), Vec<RecordedDecision<'_>>> = BTreeMap::new();
        for (stored, decision) in
            page.iter().flat_map(|one| one.decisions.iter().map(move |decision| (one, decision)))
        {
            // Only a period takes a calendar to be understood.
            let ruleset = match self.wanted.period {
                Some(_) => self.cached_ruleset(&decision.ruleset)?,
                None => None,
            };

            if self.is_selected(decision, ruleset.as_deref()) {
                let key = (decision.ruleset.as_str(), decision.as_of);
                groups.entry(key).or_default().push((stored, decision));
            }
        }

        for ((hash, as_of), recorded) in groups {
            let made = match self.cached_ruleset(hash)? {
                None => None,
                Some(ruleset) => Some((self.decide_again(&ruleset, as_of, &recorded)?, ruleset)),
            };

            for (stored, decision) in recorded {
                let message = match &made {
                    None => Some("its ruleset cannot be rebuilt by this version".to_owned()),
                    Some((made, ruleset)) => match made.get(&stored.number) {
                        None => Some("what was done by hand cannot be read".to_owned()),
                        Some(again) => self.find_deviation(decision, again, ruleset)?,
                    },
                };

                self.verified.decisions += 1;
                self.record_deviation(stored, decision, message);
            }
        }

        Ok(())
    }

    /// Verifies what was frozen of rewards.
    fn verify_rewards(&mut self, paid: &PaidRewards) -> Result<(), StoreError> {
        let (count, wrong) = paid.find_wrong(|hash| self.cached_ruleset(hash))?;
        self.verified.rewards = count;

        for one in wrong {
            self.verified.differing += 1;
            if self.verified.differences.len() < LISTED_MAX {
                let paid::WrongReward { plan, ruleset, message } = one;
                // A reward is about no single deal.
                let transaction = String::new();
                self.verified.differences.push(Deviation { transaction, plan, ruleset, message });
            }
        }
        Ok(())
    }

    fn record_deviation(
        &mut self,
        stored: &TransactionRecord,
        decision: &Decision,
        message: Option<String>,
    ) {
        let Some(message) = message else { return };
        self.verified.differing += 1;
        if self.verified.differences.len() < LISTED_MAX {
            self.verified.differences.push(Deviation {
                transaction: stored.id.clone(),
                plan: decision.plan.to_string(),
                ruleset: decision.ruleset.to_string(),
                message,
            });
        }
    }

    /// What a ruleset decides of transactions now, all plans, by the transaction's number; nothing
    /// of those whose inputs cannot be read.
    fn decide_again(
        &self,
        ruleset: &Ruleset,
        as_of: Option<Date>,
        recorded: &[RecordedDecision<'_>],
    ) -> Result<BTreeMap<u64, Vec<Decision>>, StoreError> {
        let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));

        let (mut numbers, mut transactions) = (Vec::new(), Vec::new());
        let mut resolutions = Vec::new();

        for (stored, _) in recorded {
            // One transaction stands once for each of its plans, one after the other.
            if numbers.last() == Some(&stored.number) {
                continue;
            }
            let own = match self.ledger.transaction_resolutions(&stored.id) {
                Err(StoreError::Damaged(_)) => continue,
                own => own?,
            };

            // One that is not understood keeps its own transaction from being decided.
            if explain::decision_inputs(None, &own).is_err() {
                continue;
            }

            resolutions.extend(own);
            numbers.push(stored.number);
            transactions.push(Arc::new(decoder.decode(&stored.record)));
        }

        let inputs = explain::decision_inputs(as_of, &resolutions)?;
        let threads = std::thread::available_parallelism().map_or(1, Into::into);
        let decided = calculation::decide_all(ruleset, &transactions, &inputs, threads);

        let decisions = decided.into_iter().map(|deal| deal.decisions);

        Ok(numbers.into_iter().zip(decisions).collect())
    }

    /// The posted entries of a decision, with the frozen rows of its plan.
    fn with_frozen(
        &self,
        again: Decision,
        ruleset: &Ruleset,
    ) -> Result<Option<Decision>, StoreError> {
        if self.locked.is_empty() {
            return Ok(Some(again));
        }
        let mut frozen = self.ledger.frozen_credits(&again.transaction)?;
        frozen.retain(|row| row.plan == again.plan);
        let mut decisions = vec![again];
        let rules = PostingRules {
            calendar: &ruleset.settings.calendar,
            locked: &self.locked,
            across_years: &|row| posting::holds_across_years(ruleset, row),
        };
        posting::post_corrections(&mut decisions, &frozen, &rules);
        Ok(decisions.pop())
    }

    fn find_deviation(
        &self,
        decision: &Decision,
        made: &[Decision],
        ruleset: &Ruleset,
    ) -> Result<Option<String>, StoreError> {
        let again = made.iter().find(|one| one.plan == decision.plan).cloned();

        // A plan that is gone has nothing but what was posted of it.
        let gone = || Decision { credits: Vec::new(), ..decision.clone() };
        let gone = (decision.outcome == DecisionOutcome::Filtered).then(gone);

        let Some(again) = again.or(gone) else {
            return Ok(Some("its ruleset does not have this plan".to_owned()));
        };

        let again = match self.with_frozen(again, ruleset) {
            Err(StoreError::Damaged(why)) => return Ok(Some(format!("it cannot be made: {why}"))),
            again => again?,
        };
        let Some(again) = again else { return Ok(None) };

        let (recorded, again) = (in_order(decision.clone()), in_order(again));
        if recorded == again {
            return Ok(None);
        }

        let before = (ruleset, std::slice::from_ref(&recorded));
        let delta = impact::compare_decisions(before, (ruleset, std::slice::from_ref(&again)));

        let first = delta.as_ref().and_then(impact::ImpactDelta::first_difference);
        let other = || "its reasons or warnings differ".to_owned();
        Ok(Some(first.map_or_else(other, |first| first.message.clone())))
    }
}
