//! Which recorded deals a change of rules may concern, without reading the others.
//!
//! Not what is known of them (`context::deal_index`), and not the question whether a deal is affected
//! (`crediting`, `affected`): each deal that is found here is still asked. The first time that deals are
//! decided again after a start, all are read, and the index is made on the way. Called by `recredit`.
//!
//! **Architecture invariant:** it errs to one side: a deal that is not found is decided alike.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use accredit_crediting::affected::{self, ChangeExtent, LeadingNames};
use accredit_domain::calendar::LockedPeriods;
use accredit_domain::decision::Decision;
use accredit_domain::keys::{PlanKey, RulesetHash};
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;
use jiff::civil::Date;

use super::reuse::{self, EARLIER_MAX};
use super::{DecodedDeal, RedecideItem, ReplaySelection};
use crate::context::Context;
use crate::context::deal_index::{DealIndex, DecidedPlans, IndexedDeal};
use crate::explain;

/// Deals that are read at a time because they changed.
const REFRESHED_DEALS: usize = 4096;

/// The next deals that `selection` of this ruleset may mean, from a number on and at most so many, and where
/// to go on.
///
/// # Errors
/// When the data cannot be read.
pub(crate) fn next_deals(
    context: &Context,
    (ruleset, selection): (&Arc<Ruleset>, &ReplaySelection<'_>),
    (from, limit): (u64, usize),
) -> Result<(Vec<DecodedDeal>, Option<u64>), StoreError> {
    let mut index = context.deal_index();
    if index.is_made_for(context, ruleset)? {
        let numbers = index.find_candidates(context, selection, from)?;
        let next = numbers.get(limit).copied();
        let numbers = numbers.get(..limit).unwrap_or(&numbers);
        let stored = context.ledger.records_by_number(numbers)?;
        return Ok((selection.decode_deals(stored), next));
    }

    if from == 0 {
        let rounds = context.ledger.recorded_rounds()?;
        index.begin(ruleset, context.locked_periods()?, rounds);
    }
    let (stored, next) = context.ledger.records_page(from, limit)?;
    let deals = selection.decode_deals(stored);
    index.add_page(&deals, (from, next), selection.today);
    Ok((deals, next))
}

impl DealIndex {
    /// Takes note of what was recorded about deals that were decided again, so that they need not be read.
    pub(crate) fn note_decided(
        &mut self,
        again: &[RedecideItem],
        decided: &[(String, Vec<Decision>)],
        today: Date,
    ) {
        let known: HashMap<&str, &RedecideItem> =
            again.iter().map(|item| (item.stored.id.as_str(), item)).collect();
        for (id, decisions) in decided {
            let Some(item) = known.get(id.as_str()) else { continue };
            let date = item.transaction.incentive_date().ok();
            let is_unsettled = is_unsettled(decisions, today, (date, &self.locked));
            let place = self.place_of(decisions);

            let deal = usize::try_from(item.stored.number).ok();
            let deal = deal.and_then(|number| self.deals.get_mut(number)?.as_mut());
            if let Some(deal) = deal {
                (deal.decided, deal.is_unsettled) = (place, is_unsettled);
                self.touched.remove(id);
            }
        }
    }

    /// Adds the deals of a page that begins with the number `from`.
    fn add_page(&mut self, deals: &[DecodedDeal], (from, next): (u64, Option<u64>), today: Date) {
        if self.ruleset.is_none() || self.is_complete {
            return;
        }
        // A page that does not follow the last one leaves deals out.
        if usize::try_from(from).ok() != Some(self.deals.len()) {
            self.clear();
            return;
        }

        self.add_deals(deals, today);
        match next.and_then(|next| usize::try_from(next).ok()) {
            Some(next) => self.deals.resize(next.max(self.deals.len()), None),
            None => self.is_complete = true,
        }
    }

    fn add_deals(&mut self, deals: &[DecodedDeal], today: Date) {
        let Some(ruleset) = self.ruleset.clone() else { return };
        let transactions: Vec<_> = deals.iter().map(|(_, deal)| Arc::clone(deal)).collect();
        let names = affected::leading_names(&ruleset, &transactions);
        for ((stored, transaction), names) in deals.iter().zip(names) {
            // A file with more deals than this is read as a whole each time.
            let Ok(number) = u32::try_from(stored.number) else {
                self.clear();
                return;
            };
            let is_unnamed = names == LeadingNames::Others;
            if let LeadingNames::Names(names) = names {
                names.into_iter().for_each(|name| self.add_name(name, number));
            }

            let date = transaction.incentive_date().ok();
            let is_unsettled = is_unsettled(&stored.decisions, today, (date, &self.locked));
            let decided = self.place_of(&stored.decisions);
            self.set_deal(number, IndexedDeal { date, decided, is_unnamed, is_unsettled });
        }
    }

    /// Whether it knows all deals by the columns that lead to recipients by the plans of `ruleset`.
    fn is_made_for(
        &mut self,
        context: &Context,
        ruleset: &Arc<Ruleset>,
    ) -> Result<bool, StoreError> {
        let Some(known) = self.ruleset.as_ref().filter(|_| self.is_complete) else {
            return Ok(false);
        };
        let is_told = context.ledger.recorded_rounds()? == self.rounds;
        if !is_told || *context.locked_periods()? != *self.locked {
            self.clear();
            return Ok(false);
        }

        // Other rules may have other columns.
        let change = reuse::ruleset_change(context, known, ruleset);
        let is_same_plans = known.plans.keys().eq(ruleset.plans.keys());
        if !is_same_plans || ruleset.plans.keys().any(|plan| change.affects_everything(plan)) {
            return Ok(false);
        }
        self.ruleset = Some(Arc::clone(ruleset));
        Ok(true)
    }

    /// The numbers of the deals from `from` on that `selection` may mean.
    fn find_candidates(
        &mut self,
        context: &Context,
        selection: &ReplaySelection<'_>,
        from: u64,
    ) -> Result<Vec<u64>, StoreError> {
        self.refresh(context, selection)?;
        let rulesets = self.compare_rulesets(context, selection);
        let lists: Vec<Vec<StalePlan<'_>>> =
            self.decided.iter().map(|list| stale_plans(list, &rulesets, selection)).collect();

        let first = usize::try_from(from).unwrap_or(usize::MAX);
        let deals = self.deals.iter().enumerate().skip(first);
        let meant = deals.filter_map(|(place, deal)| {
            let deal = deal.as_ref()?;
            let stale = lists.get(deal.decided as usize)?;
            let is_found = stale.iter().any(|plan| match plan.extent {
                ChangeExtent::AnyDeal => true,
                ChangeExtent::NamedDeals => {
                    deal.is_unsettled || deal.is_unnamed || plan.names_deal(place)
                }
                ChangeExtent::NoDeal => deal.is_unsettled,
            });
            (is_found && selection.means_date(deal.date)).then_some(place as u64)
        });
        Ok(meant.collect())
    }

    /// Reads the deals again that are new or changed.
    fn refresh(
        &mut self,
        context: &Context,
        selection: &ReplaySelection<'_>,
    ) -> Result<(), StoreError> {
        let touched: Vec<String> = self.touched.iter().cloned().collect();
        for ids in touched.chunks(REFRESHED_DEALS) {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let deals = selection.decode_deals(context.ledger.records_by_id(&ids)?);
            self.add_deals(&deals, selection.today);
        }
        self.touched.clear();
        Ok(())
    }

    /// Compares the rulesets that decided most deals with the one that `selection` is of.
    fn compare_rulesets(
        &self,
        context: &Context,
        selection: &ReplaySelection<'_>,
    ) -> Vec<ComparedRuleset> {
        let ruleset = selection.ruleset;
        let compare = |hash: RulesetHash| {
            let before = explain::ruleset_of(context, &hash).ok()?;
            let change = reuse::ruleset_change(context, &before, ruleset);
            let plans = ruleset.plans.keys().map(|plan| (*plan, change.extent(plan)));
            let plans: BTreeMap<PlanKey, ChangeExtent> = plans.collect();

            let mut named = vec![false; self.deals.len()];
            if plans.values().any(|extent| *extent == ChangeExtent::NamedDeals) {
                let names = self.named.iter();
                let concerned =
                    names.filter(|(name, _)| change.concerns_name(&ruleset.organization, name));
                for number in concerned.flat_map(|(_, numbers)| numbers) {
                    if let Some(deal) = named.get_mut(*number as usize) {
                        *deal = true;
                    }
                }
            }
            Some(ComparedRuleset { hash, plans, named })
        };
        self.frequent_rulesets(selection).into_iter().filter_map(compare).collect()
    }

    /// The rulesets that decided most of the deals which another one may decide differently.
    fn frequent_rulesets(&self, selection: &ReplaySelection<'_>) -> Vec<RulesetHash> {
        let mut of_lists = vec![0_usize; self.decided.len()];
        for deal in self.deals.iter().flatten() {
            if let Some(count) = of_lists.get_mut(deal.decided as usize) {
                *count += 1;
            }
        }

        let mut counts: BTreeMap<RulesetHash, usize> = BTreeMap::new();
        for (list, count) in self.decided.iter().zip(of_lists) {
            let stale = list.iter().filter(|(plan, hash)| selection.pins.is_other_plan(plan, hash));
            let hashes: BTreeSet<RulesetHash> = stale.map(|(_, hash)| *hash).collect();
            for hash in hashes {
                *counts.entry(hash).or_default() += count;
            }
        }

        let mut counts: Vec<(RulesetHash, usize)> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts.into_iter().take(EARLIER_MAX).map(|(hash, _)| hash).collect()
    }
}

/// A ruleset that decided deals, compared with the one that is to decide.
struct ComparedRuleset {
    hash: RulesetHash,
    /// How far deals are concerned in each plan.
    plans: BTreeMap<PlanKey, ChangeExtent>,
    /// Whether a name leads to a recipient that is concerned, by the numbers of deals.
    named: Vec<bool>,
}

/// A plan in which deals may be decided differently.
struct StalePlan<'a> {
    extent: ChangeExtent,
    /// The ruleset that decided them, if it was compared.
    ruleset: Option<&'a ComparedRuleset>,
}

impl StalePlan<'_> {
    fn names_deal(&self, place: usize) -> bool {
        let named = self.ruleset.and_then(|ruleset| ruleset.named.get(place));
        named.copied().unwrap_or(true)
    }
}

/// Those of the plans of deals in which `selection` may decide them differently: each plan that another
/// ruleset decided, and a plan that has not decided them yet.
fn stale_plans<'a>(
    list: &DecidedPlans,
    rulesets: &'a [ComparedRuleset],
    selection: &ReplaySelection<'_>,
) -> Vec<StalePlan<'a>> {
    let stale = list.iter().filter(|(plan, hash)| selection.pins.is_other_plan(plan, hash));
    let stale = stale.map(|(plan, hash)| {
        // Others are rare, and rebuilding a ruleset takes as long as deciding thousands of deals.
        let ruleset = rulesets.iter().find(|ruleset| ruleset.hash == *hash);
        let extent = ruleset.and_then(|ruleset| ruleset.plans.get(plan)).copied();
        StalePlan { extent: extent.unwrap_or(ChangeExtent::AnyDeal), ruleset }
    });

    let is_new = |plan: &&str| !list.iter().any(|(known, _)| *known == **plan);
    let new = selection.pins.wanted_plans().filter(is_new);
    let new = new.map(|_| StalePlan { extent: ChangeExtent::AnyDeal, ruleset: None });
    stale.chain(new).collect()
}

/// Whether some decision about a deal is not the one that its rules would make today.
fn is_unsettled(
    decisions: &[Decision],
    today: Date,
    (date, locked): (Option<Date>, &LockedPeriods),
) -> bool {
    let settled = |decision| reuse::is_reusable(decision, Some(today), (date, locked));
    !decisions.iter().all(settled)
}
