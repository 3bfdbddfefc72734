//! Whose turn it is: a lane a source, so that a CRM that hangs holds up its own deals alone.
//!
//! Not the tries themselves (`tries`), and no thread. Called by the fetcher.
//!
//! **Architecture invariant:** a source has at most [`OF_ONE_SOURCE_MAX`] tries at a time and all together
//! [`AT_ONCE_MAX`]; the last [`KEPT_FREE`] of them are for sources that have none.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use accredit_ledger::Ledger;
use accredit_ledger::fetches::{FetchKey, PendingFetch};
use accredit_seams::store::StoreError;

use super::TICK;
use crate::server::backlog::{self, SourceBacklog};

/// Tries at a time, those of one source among them, and those that only a source without one may have.
pub(super) const AT_ONCE_MAX: usize = 24;
pub(super) const OF_ONE_SOURCE_MAX: usize = 3;
pub(super) const KEPT_FREE: usize = 8;

/// Fetches of a source that are remembered from one look.
const REMEMBERED_MAX: usize = 64;

/// A look may take one part in so many of the time.
const LOOK_SHARE: u32 = 10;

/// What is due and what is tried, by source.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: BTreeMap<String, Lane>,
    tried: usize,
    /// Counts starts, to tell who had a turn last.
    turn: u64,
    /// When the next look is due.
    next_look: Option<Instant>,
    /// Before that, a look would take more than its share of the time.
    earliest_look: Option<Instant>,
    /// Whether a lane ran out of what was remembered while there was more.
    ran_out: bool,
}

/// A source.
#[derive(Default)]
struct Lane {
    /// What is due, in the order of arrival.
    due: VecDeque<FetchKey>,
    /// Whether more was due than is remembered.
    has_more: bool,
    /// What is tried now.
    tried: BTreeSet<FetchKey>,
    last_turn: u64,
}

impl Lanes {
    /// The next fetch to try, which is tried from now on; none where no source may have another.
    pub(super) fn next_try(&mut self) -> Option<(String, FetchKey)> {
        let free = AT_ONCE_MAX.saturating_sub(self.tried);
        let may = |lane: &Lane| match lane.tried.len() {
            0 => free > 0,
            tried => tried < OF_ONE_SOURCE_MAX && free > KEPT_FREE,
        };
        let ready = self.lanes.iter_mut().filter(|(_, lane)| !lane.due.is_empty() && may(lane));
        let (source, lane) = ready.min_by_key(|(_, lane)| (lane.tried.len(), lane.last_turn))?;

        let key = lane.due.pop_front()?;
        self.turn += 1;
        self.tried += 1;
        self.ran_out |= lane.due.is_empty() && lane.has_more;
        lane.last_turn = self.turn;
        lane.tried.insert(key);
        Some((source.clone(), key))
    }

    /// A try has ended.
    pub(super) fn end_try(&mut self, source: &str, key: FetchKey) {
        let Some(lane) = self.lanes.get_mut(source) else { return };
        if lane.tried.remove(&key) {
            self.tried = self.tried.saturating_sub(1);
        }
    }

    /// Whether a fetch is tried now.
    pub(super) fn is_tried(&self, fetch: &PendingFetch) -> bool {
        self.lanes.get(&fetch.source).is_some_and(|lane| lane.tried.contains(&fetch.key()))
    }

    /// Whether it is time to look for what is due.
    pub(super) fn needs_look(&self) -> bool {
        let now = Instant::now();
        // A look through a large backlog takes long: a lane that ran out waits for its share too.
        let may_look = self.earliest_look.is_none_or(|at| now >= at);
        (self.ran_out && may_look) || self.next_look.is_none_or(|at| now >= at)
    }

    /// The next look is due at once.
    pub(super) fn look_again(&mut self) {
        self.next_look = None;
    }

    /// Reads what is due; what waits, by source.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub(super) fn look(
        &mut self,
        ledger: &Ledger,
        now_ms: i64,
    ) -> Result<BTreeMap<String, SourceBacklog>, StoreError> {
        let started = Instant::now();
        self.lanes.retain(|_, lane| !lane.tried.is_empty());
        let mut found: BTreeMap<String, Lane> = BTreeMap::new();

        let backlog = backlog::read_backlog(ledger, |fetch| {
            if fetch.next_ms > now_ms || self.is_tried(fetch) {
                return;
            }
            let lane = match found.get_mut(&fetch.source) {
                Some(lane) => lane,
                None => found.entry(fetch.source.clone()).or_default(),
            };
            if lane.due.len() < REMEMBERED_MAX {
                lane.due.push_back(fetch.key());
            } else {
                lane.has_more = true;
            }
        })?;

        for lane in self.lanes.values_mut() {
            (lane.due, lane.has_more) = <(VecDeque<FetchKey>, bool)>::default();
        }
        for (source, Lane { due, has_more, .. }) in found {
            let lane = self.lanes.entry(source).or_default();
            (lane.due, lane.has_more) = (due, has_more);
        }
        self.ran_out = false;
        let share = (started.elapsed() * LOOK_SHARE).min(Duration::from_secs(10));
        self.earliest_look = Some(Instant::now() + share);
        self.next_look = Some(Instant::now() + share.max(TICK));
        Ok(backlog)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(due: &[(&str, u64)]) -> Lanes {
        let mut lanes = Lanes::default();
        for (source, count) in due {
            let keys = (0..*count).map(|sequence| FetchKey { sequence, part: 0 });
            let lane = Lane { due: keys.collect(), ..Lane::default() };
            lanes.lanes.insert((*source).to_owned(), lane);
        }
        lanes
    }

    fn take_all(lanes: &mut Lanes) -> Vec<(String, FetchKey)> {
        std::iter::from_fn(|| lanes.next_try()).collect()
    }

    /// A round of the fetcher lasted as long as its slowest request, so that a CRM which did not answer
    /// slowed all others to three deals in ten seconds.
    #[test]
    fn a_source_that_hangs_leaves_the_turns_of_others_alone() {
        let mut lanes = lanes(&[("hanging", 100), ("quick", 10)]);
        let first = take_all(&mut lanes);
        assert_eq!(first.len(), 2 * OF_ONE_SOURCE_MAX);
        let mut quick: Vec<u64> = Vec::new();
        let mut ended: Vec<_> = first.into_iter().filter(|(source, _)| source == "quick").collect();
        while let Some((source, key)) = ended.pop() {
            quick.push(key.sequence);
            lanes.end_try(&source, key);
            let next = take_all(&mut lanes);
            assert!(next.iter().all(|(source, _)| source == "quick"), "{next:?}");
            ended.extend(next);
        }
        quick.sort_unstable();
        assert_eq!(quick, (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn the_last_places_are_for_sources_that_have_none() {
        let names: Vec<String> = (0..30).map(|number| format!("crm-{number:02}")).collect();
        let many: Vec<(&str, u64)> = names.iter().map(|name| (name.as_str(), 5)).collect();
        let mut few = lanes(&many[..6]);
        assert_eq!(take_all(&mut few).len(), AT_ONCE_MAX - KEPT_FREE);
        few.lanes.extend(lanes(&many[10..30]).lanes);
        let late = take_all(&mut few);
        assert_eq!(late.len(), KEPT_FREE);
        let sources: BTreeSet<&String> = late.iter().map(|(source, _)| source).collect();
        assert_eq!(sources.len(), KEPT_FREE, "one each");

        // Where all have the same, each source comes before any has a second turn.
        let mut all = lanes(&many);
        let mut turns: BTreeMap<String, usize> = BTreeMap::new();
        for _ in 0..10 {
            for (source, key) in take_all(&mut all) {
                *turns.entry(source.clone()).or_default() += 1;
                all.end_try(&source, key);
            }
        }
        assert!(turns.len() == 30 && turns.values().all(|count| *count == 5), "{turns:?}");
    }

    #[test]
    fn deals_of_a_source_are_asked_for_in_the_order_of_arrival() {
        let mut lanes = lanes(&[("crm", 9)]);
        let mut order = Vec::new();
        while let Some((source, key)) = lanes.next_try() {
            order.push(key.sequence);
            lanes.end_try(&source, key);
        }
        assert_eq!(order, (0..9).collect::<Vec<_>>());
    }
}
