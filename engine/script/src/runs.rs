//! Counts of runs: by kind of program, whether compiled code answered or the interpreter; the limits that
//! runs met; and how long some of them took.
//!
//! Not lines and branches (`coverage`). A machine counts its own runs and adds them up here when it is
//! handed back or ends. Read by the metrics of a server.
//!
//! **Architecture invariant:** a run touches nothing that threads share, and most runs no clock; the lock
//! here is taken once a batch. No answer depends on what is counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use accredit_domain::policy::ProgramForm;

/// How many runs ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunCounts {
    /// Compiled code answered.
    pub compiled: u64,
    /// Compiled code gave up, and the interpreter ran the program: mostly because of an error.
    pub fallen_back: u64,
    /// The program is not compiled.
    pub interpreted: u64,
}

impl RunCounts {
    fn add(&mut self, more: RunCounts) {
        self.compiled = self.compiled.saturating_add(more.compiled);
        self.fallen_back = self.fallen_back.saturating_add(more.fallen_back);
        self.interpreted = self.interpreted.saturating_add(more.interpreted);
    }
}

/// The runs of this process.
static TOTALS: Mutex<BTreeMap<&'static str, RunCounts>> = Mutex::new(BTreeMap::new());

/// The runs of this process so far, by kind of program: `crediting`, `hold`, `expression`. Texts that
/// need no compiler, such as `tx.amount`, are not counted.
pub fn run_totals() -> BTreeMap<&'static str, RunCounts> {
    TOTALS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Adds the runs of some programs.
pub(crate) fn add_runs(counts: impl Iterator<Item = (ProgramForm, RunCounts)>) {
    let mut counted = counts.filter(|(_, counts)| *counts != RunCounts::default()).peekable();
    if counted.peek().is_none() {
        return;
    }

    let mut totals = TOTALS.lock().unwrap_or_else(PoisonError::into_inner);
    for (form, counts) in counted {
        totals.entry(form_name(form)).or_default().add(counts);
    }
}

/// What a kind of program is called where runs are counted.
fn form_name(form: ProgramForm) -> &'static str {
    match form {
        ProgramForm::Policy(kind) => kind.as_str(),
        ProgramForm::Expression(_) => "expression",
    }
}

/// A limit of the script host that a run can meet. Those of a text, such as its bytes, its functions and the
/// depth of its expressions, are findings of a check, so that no run meets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptLimit {
    /// `SCRIPT_OPERATIONS_MAX`.
    Operations,
    /// `CALL_LEVELS_MAX`.
    CallDepth,
    /// `VARIABLES_MAX`.
    Variables,
    /// `STRING_BYTES_MAX`, and the bytes of a payload.
    TextBytes,
    /// `ARRAY_ITEMS_MAX`, and the items of a payload.
    ArrayItems,
    /// `MAP_KEYS_MAX`, and the keys of a payload.
    MapKeys,
    /// The deadline.
    Time,
}

impl ScriptLimit {
    /// Every limit with its name in metrics, in the order of its counter.
    const ALL: [(ScriptLimit, &'static str); 7] = [
        (ScriptLimit::Operations, "operations"),
        (ScriptLimit::CallDepth, "call_depth"),
        (ScriptLimit::Variables, "variables"),
        (ScriptLimit::TextBytes, "text_bytes"),
        (ScriptLimit::ArrayItems, "array_items"),
        (ScriptLimit::MapKeys, "map_keys"),
        (ScriptLimit::Time, "time"),
    ];
}

/// How often runs met each limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LimitHits([u64; ScriptLimit::ALL.len()]);

impl LimitHits {
    /// A run met this limit.
    pub(crate) fn count(&mut self, limit: ScriptLimit) {
        let known = ScriptLimit::ALL.iter().zip(&mut self.0);
        for (_, hits) in known.filter(|((known, _), _)| *known == limit) {
            *hits = hits.saturating_add(1);
        }
    }
}

/// The limits that runs of this process met.
static LIMIT_HITS: Mutex<LimitHits> = Mutex::new(LimitHits([0; ScriptLimit::ALL.len()]));

/// How often runs of this process met each limit so far; every limit is there.
pub fn limit_totals() -> Vec<(&'static str, u64)> {
    let totals = *LIMIT_HITS.lock().unwrap_or_else(PoisonError::into_inner);
    ScriptLimit::ALL.iter().zip(totals.0).map(|((_, name), hits)| (*name, hits)).collect()
}

/// Adds the limits that some runs met.
pub(crate) fn add_limit_hits(met: LimitHits) {
    if met == LimitHits::default() {
        return;
    }
    let mut totals = LIMIT_HITS.lock().unwrap_or_else(PoisonError::into_inner);
    for (total, more) in totals.0.iter_mut().zip(met.0) {
        *total = total.saturating_add(more);
    }
}

/// One run of so many is timed: two looks at a clock cost a tenth of a compiled run.
pub const TIMED_RUNS: u32 = 64;

/// The longest time in each bucket, in nanoseconds; longer runs are in one more.
const TIME_BOUNDS_NS: [u64; 12] = [
    250,
    1_000,
    4_000,
    16_000,
    64_000,
    256_000,
    1_024_000,
    4_096_000,
    16_384_000,
    65_536_000,
    1_048_576_000,
    10_000_000_000,
];

/// How long timed runs took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunTimes {
    /// Runs by bucket; those that took longer than the last bound come last.
    counts: [u64; TIME_BOUNDS_NS.len() + 1],
    sum_ns: u64,
}

impl RunTimes {
    fn add(&mut self, took: Duration) {
        let took_ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let bucket = TIME_BOUNDS_NS.partition_point(|bound| *bound < took_ns);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count = count.saturating_add(1);
        }
        self.sum_ns = self.sum_ns.saturating_add(took_ns);
    }

    /// The sum of the times in seconds.
    pub fn sum_s(&self) -> f64 {
        Duration::from_nanos(self.sum_ns).as_secs_f64()
    }

    /// The longest time in seconds of each bucket, and how many runs are in it; that of the last one is
    /// the largest number.
    pub fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = TIME_BOUNDS_NS.iter().map(|bound| Duration::from_nanos(*bound).as_secs_f64());
        bounds.chain([f64::MAX]).zip(self.counts).collect()
    }
}

/// The times of this process, by kind of program.
static TIMES: Mutex<BTreeMap<&'static str, RunTimes>> = Mutex::new(BTreeMap::new());

/// How long timed runs of this process took so far, by kind of program as in [`run_totals`].
pub fn run_times() -> BTreeMap<&'static str, RunTimes> {
    TIMES.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Times of one machine that are kept before they are added to those of the process.
const TIMES_KEPT_MAX: usize = 1024;

/// Times one run of a machine in [`TIMED_RUNS`].
#[derive(Debug, Default)]
pub(crate) struct RunTimer {
    runs: u32,
    taken: Vec<(ProgramForm, Duration)>,
}

impl RunTimer {
    /// A run begins: when, if it is one that is timed.
    pub(crate) fn begin(&mut self) -> Option<Instant> {
        self.runs = self.runs.wrapping_add(1);
        self.runs.is_multiple_of(TIMED_RUNS).then(Instant::now)
    }

    /// A timed run of a program ended.
    pub(crate) fn end(&mut self, form: ProgramForm, begun: Instant) {
        self.taken.push((form, begun.elapsed()));
        if self.taken.len() >= TIMES_KEPT_MAX {
            self.hand_in();
        }
    }

    /// Adds the times to those of the process.
    pub(crate) fn hand_in(&mut self) {
        if self.taken.is_empty() {
            return;
        }
        let mut totals = TIMES.lock().unwrap_or_else(PoisonError::into_inner);
        for (form, took) in self.taken.drain(..) {
            totals.entry(form_name(form)).or_default().add(took);
        }
    }
}

#[cfg(test)]
mod tests {
    use accredit_domain::policy::PolicyKind;

    use super::*;

    #[test]
    fn a_time_is_in_the_first_bucket_that_is_long_enough() {
        let mut times = RunTimes::default();
        for took in [0, 250, 251, 10_000_000_000, 10_000_000_001] {
            times.add(Duration::from_nanos(took));
        }
        let counts: Vec<u64> = times.buckets().iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(times.buckets()[0].0, 0.000_000_25);
        assert!((times.sum_s() - 20.0).abs() < 0.001);
    }

    #[test]
    fn one_run_of_many_is_timed() {
        let mut timer = RunTimer::default();
        let form = ProgramForm::Policy(PolicyKind::Quota);
        for _ in 0..TIMED_RUNS * 3 {
            if let Some(begun) = timer.begin() {
                timer.end(form, begun);
            }
        }
        assert_eq!(timer.taken.len(), 3);
    }
}
