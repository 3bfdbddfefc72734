//! Stored transactions decided again because their inputs changed: a release, a hold, a new day,
//! another try of what was parked.
//!
//! Not a change of rules (`recredit`): what is decided keeps the ruleset that decided it; what could
//! not be decided takes the one in force.
//!
//! **Architecture invariant:** an activation that is effective from now on changes no existing
//! credit, regardless of later releases.

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_domain::decision::{Decision, ResolutionRecord};
use accredit_domain::keys::{PlanKey, RulesetHash};
use accredit_domain::transaction::Decoder;
use accredit_ledger::record::{CommitBatch, TransactionRecord};
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;

use super::{caught, decide_transactions, record_with_postings};
use crate::context::Context;
use crate::explain;
use crate::replay::reuse;

/// What says that everything was carried out that version 0.1.0 recorded.
const CARRIED_OUT: &str = "carried_out";

/// Transactions decided again in one commit.
pub(crate) const REDECIDE_BATCH_MAX: usize = 1000;

/// What a person decided about a transaction or one of its credits, before it is recorded.
#[derive(Debug, Clone)]
pub(crate) struct NewResolution {
    /// Natural key of the transaction.
    pub(crate) transaction: String,
    /// The release, hold or adjustment.
    pub(crate) resolution: ResolutionRecord,
}

/// Carries out what people decided and version 0.1.0 recorded without deciding again, since it
/// ended in between; once for a data file.
pub fn carry_out(context: &Context) {
    let ledger = &context.ledger;
    if !matches!(ledger.get_meta(CARRIED_OUT), Ok(None)) {
        return;
    }

    let done = ledger.resolved_transactions().and_then(|ids| {
        let ids: Vec<String> = ids.into_iter().collect();
        caught::decide_isolated(context, &ids, &Decision::is_incomplete)?;
        context.ledger.set_meta(CARRIED_OUT, b"1")
    });
    if let Err(error) = done {
        tracing::error!(error.cause = %error, "a recorded decision is not carried out yet");
    }
}

/// Records what people decided about stored transactions, and decides those again with it: some
/// transactions in a commit, each with all that is about it, so that what is recorded is done.
pub(crate) fn decide_with(
    context: &Context,
    ids: &[String],
    resolutions: &[NewResolution],
) -> Result<usize, StoreError> {
    let mut count = 0;
    for chunk in ids.chunks(REDECIDE_BATCH_MAX) {
        count += decide_chunk_with(context, chunk, resolutions, &Decision::is_incomplete)?;
    }
    Ok(count)
}

/// Whether a decision is made again by the rules in force instead of those that made it.
pub(crate) type TakesRulesInForce<'a> = &'a dyn Fn(&Decision) -> bool;

/// By which rules recorded decisions are made again.
#[derive(Clone, Copy)]
pub(crate) struct RuleChoice<'a> {
    /// Whether a decision is made by the rules in force, else by the ruleset that made it.
    pub(crate) in_force: TakesRulesInForce<'a>,
    /// A plan that is decided by those in force where a transaction has no decision of it.
    pub(crate) plan: Option<&'a str>,
    /// Whether a recorded decision is kept where it would come out alike.
    pub(crate) keeps_alike: bool,
}

impl<'a> RuleChoice<'a> {
    /// Every decision is made again.
    fn anew(in_force: TakesRulesInForce<'a>) -> RuleChoice<'a> {
        RuleChoice { in_force, plan: None, keeps_alike: false }
    }
}

/// The same of so many that one commit holds them, with nothing new.
pub(crate) fn decide_chunk(
    context: &Context,
    chunk: &[String],
    in_force: TakesRulesInForce<'_>,
) -> Result<usize, StoreError> {
    decide_chunk_with(context, chunk, &[], in_force)
}

fn decide_chunk_with(
    context: &Context,
    chunk: &[String],
    resolutions: &[NewResolution],
    in_force: TakesRulesInForce<'_>,
) -> Result<usize, StoreError> {
    let mut stored = Vec::with_capacity(chunk.len());
    for id in chunk {
        stored.extend(context.ledger.find_transaction(id)?);
    }
    if stored.is_empty() {
        return Ok(0);
    }

    let own = resolutions.iter().filter(|one| chunk.contains(&one.transaction));
    let own: Vec<&NewResolution> = own.collect();
    let decisions = redecide_stored(context, &stored, &own, RuleChoice::anew(in_force))?;
    let at_ms = context.now_ms();
    let resolutions = own.into_iter().map(|one| (one.resolution.clone(), at_ms)).collect();
    record_with_postings(
        context,
        &mut CommitBatch { decisions, resolutions, ..CommitBatch::default() },
    )?;
    Ok(stored.len())
}

/// New decisions of `stored`, each plan by the ruleset that decided it, what could not be decided by
/// the one in force; nothing is posted yet.
pub(crate) fn redecide_pinned(
    context: &Context,
    stored: &[TransactionRecord],
) -> Result<Vec<(String, Vec<Decision>)>, StoreError> {
    redecide_stored(context, stored, &[], RuleChoice::anew(&Decision::is_incomplete))
}

/// New decisions of `stored` with what is kept of people's decisions and with `new` ones; nothing is
/// posted yet. A transaction whose ruleset cannot be rebuilt keeps the decisions that it has.
pub(crate) fn redecide_stored(
    context: &Context,
    stored: &[TransactionRecord],
    new: &[&NewResolution],
    RuleChoice { in_force, plan, keeps_alike }: RuleChoice<'_>,
) -> Result<Vec<(String, Vec<Decision>)>, StoreError> {
    let current = context.ruleset.load_full();
    let rules_of = |decision: &Decision| match in_force(decision) {
        true => Some(Arc::clone(&current)),
        false => ruleset_that_decided(context, decision),
    };

    let mut rulesets: BTreeMap<RulesetHash, (Arc<Ruleset>, Vec<&TransactionRecord>)> =
        BTreeMap::new();
    // What each plan of each transaction is decided by.
    let mut wanted: Vec<BTreeMap<&str, RulesetHash>> = Vec::with_capacity(stored.len());

    let has_rules = |one: &&TransactionRecord| {
        one.decisions.iter().all(|decision| rules_of(decision).is_some())
    };
    let stored: Vec<&TransactionRecord> = stored.iter().filter(has_rules).collect();
    // What people decide now is not in what was recorded.
    let kept = match keeps_alike && new.is_empty() {
        true => reuse::decided_alike(context, &current, &stored, in_force)?,
        false => BTreeMap::new(),
    };

    for one in &stored {
        let mut plans = BTreeMap::new();
        for (plan, ruleset) in rules_of_plans(one, &rules_of, plan.map(|plan| (plan, &current))) {
            let hash = ruleset.hash;
            plans.insert(plan, hash);
            if kept.contains_key(&(one.number, PlanKey::from(plan))) {
                continue;
            }
            let (_, members) = rulesets.entry(hash).or_insert_with(|| (ruleset, Vec::new()));
            if members.last().is_none_or(|last| last.number != one.number) {
                members.push(one);
            }
        }
        wanted.push(plans);
    }

    // Deals with the same rules are decided together, so that they share the threads.
    let mut made: BTreeMap<(RulesetHash, String), Vec<Decision>> = BTreeMap::new();
    for (hash, (ruleset, members)) in &rulesets {
        for (id, decisions) in decide_stored(context, ruleset, members, new)? {
            made.insert((*hash, id), decisions);
        }
    }

    let merged = stored.iter().zip(wanted).map(|(one, plans)| {
        let decisions = plans.into_iter().filter_map(|(plan, hash)| {
            if let Some(kept) = kept.get(&(one.number, PlanKey::from(plan))) {
                return Some(kept.clone());
            }
            let decisions = made.get(&(hash, one.id.clone()))?;
            decisions.iter().find(|decision| decision.plan == plan).cloned()
        });
        (one.id.clone(), decisions.collect())
    });

    Ok(merged.collect())
}

/// The plans in which a transaction is decided, each with its rules; `new` only where the transaction has
/// no decision of it.
fn rules_of_plans<'a>(
    one: &'a TransactionRecord,
    rules_of: &dyn Fn(&Decision) -> Option<Arc<Ruleset>>,
    new: Option<(&'a str, &Arc<Ruleset>)>,
) -> Vec<(&'a str, Arc<Ruleset>)> {
    let decided = one.decisions.iter();
    let decided =
        decided.filter_map(|decision| Some((decision.plan.as_str(), rules_of(decision)?)));
    let mut by: Vec<(&str, Arc<Ruleset>)> = decided.collect();

    let new = new.filter(|(plan, _)| by.iter().all(|(known, _)| known != plan));
    by.extend(new.map(|(plan, ruleset)| (plan, Arc::clone(ruleset))));
    by
}

/// Whether every ruleset is there that decided a transaction.
pub(crate) fn has_rules(context: &Context, stored: &TransactionRecord) -> bool {
    let mut complete = stored.decisions.iter().filter(|decision| !decision.is_incomplete());
    complete.all(|decision| ruleset_that_decided(context, decision).is_some())
}

/// The ruleset that made a decision, where that is there.
fn ruleset_that_decided(context: &Context, decision: &Decision) -> Option<Arc<Ruleset>> {
    let ruleset = explain::ruleset_of(context, &decision.ruleset);
    if let Err(error) = &ruleset {
        let hash = &decision.ruleset;
        tracing::warn!(
            ruleset.hash = %hash,
            error.cause = %error,
            "decided by a ruleset that cannot be rebuilt"
        );
    }
    ruleset.ok()
}

fn decide_stored(
    context: &Context,
    ruleset: &Ruleset,
    stored: &[&TransactionRecord],
    new: &[&NewResolution],
) -> Result<Vec<(String, Vec<Decision>)>, StoreError> {
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let mut resolutions: Vec<ResolutionRecord> = Vec::new();
    let mut transactions = Vec::with_capacity(stored.len());

    for one in stored {
        transactions.push(Arc::new(decoder.decode(&one.record)));
        resolutions.extend(context.ledger.transaction_resolutions(&one.id)?);
        let new = new.iter().filter(|new| new.transaction == one.id);
        resolutions.extend(new.map(|new| new.resolution.clone()));
    }

    let decided = decide_transactions(context, ruleset, &transactions, &resolutions)?;

    // By the key that it is stored under: another ruleset may read another one.
    let ids = stored.iter().map(|one| one.id.clone());
    Ok(ids.zip(decided.into_iter().map(|(_, decisions)| decisions)).collect())
}
