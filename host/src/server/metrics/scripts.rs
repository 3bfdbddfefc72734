//! Metrics of scripts, as their machines counted them: runs, limits that runs met, and times.
//!
//! Not what is counted (`accredit_script::runs`). Called by `metrics`.

use std::fmt::Error;

use accredit_script::runs::{limit_totals, run_times, run_totals};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};

use super::Labels;

/// What scripts did.
pub(super) struct ScriptMetrics {
    runs: Family<Labels, Counter>,
    limit_hits: Family<Labels, Counter>,
}

impl ScriptMetrics {
    /// All of them, at zero.
    pub(super) fn register(registry: &mut Registry) -> ScriptMetrics {
        let all = ScriptMetrics { runs: Family::default(), limit_hits: Family::default() };
        let programs = "Runs of policies and expressions, compiled or in the interpreter";
        registry.register("script_runs", programs, all.runs.clone());
        let limits = "Runs of policies and expressions that a limit ended";
        registry.register("script_limit_hits", limits, all.limit_hits.clone());
        registry.register_collector(Box::new(TimeCollector));
        all
    }

    /// Takes over what machines counted since the last time.
    pub(super) fn take_counts(&self) {
        for (kind, counts) in run_totals() {
            let outcomes = [
                ("compiled", counts.compiled),
                ("fallen_back", counts.fallen_back),
                ("interpreted", counts.interpreted),
            ];
            for (outcome, total) in outcomes {
                let labels = vec![("program", kind.to_owned()), ("outcome", outcome.to_owned())];
                raise_counter(&self.runs, &labels, total);
            }
        }
        for (limit, total) in limit_totals() {
            raise_counter(&self.limit_hits, &vec![("limit", limit.to_owned())], total);
        }
    }
}

/// Lets a counter have this total, which never becomes less.
fn raise_counter(family: &Family<Labels, Counter>, labels: &Labels, total: u64) {
    let counter = family.get_or_create(labels);
    counter.inc_by(total.saturating_sub(counter.get()));
}

/// The times of runs, whose buckets are kept beside the machines.
#[derive(Debug)]
struct TimeCollector;

impl Collector for TimeCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let about = "Time of a policy or an expression; one run in 64 of each thread is timed";
        let (unit, kind) = (Unit::Seconds, MetricType::Histogram);
        let mut metric = encoder.encode_descriptor("script_eval", about, Some(&unit), kind)?;
        for (program, times) in run_times() {
            let buckets = times.buckets();
            let count = buckets.iter().map(|(_, count)| count).sum();
            let labels = [("program", program)];
            let mut series = metric.encode_family(&labels)?;
            series.encode_histogram::<NoLabelSet>(times.sum_s(), count, &buckets, None)?;
        }
        Ok(())
    }
}
