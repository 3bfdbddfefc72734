//! The counts of the last version, and what differs from them.
//!
//! A count depends on the compiler and on the kind of processor, so the file names both, and counts of
//! another compiler are shown but not judged.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use serde::{Deserialize, Serialize};

/// Parts of a hundred by which a count may grow; as much less asks for a new baseline.
const TOLERANCE_PERCENT: u64 = 5;

/// Counts by workload, and what they were made with.
#[derive(Debug, Serialize, Deserialize)]
pub struct Baseline {
    /// The first line of `rustc --version`.
    compiler: String,
    /// The architecture, as Rust names it.
    processor: String,
    /// Instructions by the name of the workload.
    counts: BTreeMap<String, u64>,
}

/// A workload with its former and its present count.
#[derive(Debug)]
pub struct Verdict {
    name: String,
    before: Option<u64>,
    now: Option<u64>,
}

impl Baseline {
    /// `counts` as made here.
    pub fn of_this_machine(counts: BTreeMap<String, u64>) -> Baseline {
        Baseline { compiler: compiler(), processor: std::env::consts::ARCH.to_owned(), counts }
    }

    /// Why counts of this machine say nothing about the baseline, if so.
    pub fn not_comparable(&self) -> Option<String> {
        let here = Baseline::of_this_machine(BTreeMap::new());
        if here.processor != self.processor {
            return Some(format!(
                "the baseline is of {}, this is {}",
                self.processor, here.processor
            ));
        }
        if here.compiler != self.compiler {
            return Some(format!(
                "the baseline is of {}, this is {}",
                self.compiler, here.compiler
            ));
        }
        lacks_avx2()
            .then(|| "the baseline is of a processor with AVX2, this one has none".to_owned())
    }

    /// Every workload of the baseline or of `counts` with both counts.
    pub fn compare(&self, counts: &BTreeMap<String, u64>) -> Vec<Verdict> {
        let missing = self.counts.keys().filter(|name| !counts.contains_key(*name));
        counts
            .keys()
            .chain(missing)
            .map(|name| Verdict {
                name: name.clone(),
                before: self.counts.get(name).copied(),
                now: counts.get(name).copied(),
            })
            .collect()
    }
}

impl Verdict {
    /// Whether there are both counts, and the present one is not more than tolerated.
    pub fn holds(&self) -> bool {
        let (Some(before), Some(now)) = (self.before, self.now) else { return false };
        now * 100 <= before * (100 + TOLERANCE_PERCENT)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        let (before, now) = match (self.before, self.now) {
            (Some(before), Some(now)) => (before, now),
            (None, _) => {
                return write!(formatter, "{name:<10} has no count in the baseline: write one");
            }
            (_, None) => {
                return write!(formatter, "{name:<10} is in the baseline only: write a new one");
            }
        };

        let change = (now as f64 / before as f64 - 1.0) * 100.0;
        write!(formatter, "{name:<10} {now:>13} instructions, {change:+6.2} % of {before}")?;
        if !self.holds() {
            return write!(formatter, ": more than {TOLERANCE_PERCENT} % slower");
        }
        if now * 100 < before * (100 - TOLERANCE_PERCENT) {
            return write!(formatter, ": faster; write the new baseline, which keeps it so");
        }
        Ok(())
    }
}

/// The baseline in the source tree.
pub fn read() -> Baseline {
    let path = path();
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Writes the baseline into the source tree.
pub fn write(baseline: &Baseline) {
    let text = toml::to_string(baseline).unwrap();
    let head = "# Instructions of each workload, as counted by \
                ACCREDIT_UPDATE_INSTRUCTIONS=1 tests/instructions/run.\n";
    std::fs::write(path(), format!("{head}{text}")).unwrap();
    print!("{text}");
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("baseline.toml")
}

fn compiler() -> String {
    let version = Command::new("rustc").arg("--version").output().unwrap();
    String::from_utf8_lossy(&version.stdout).trim().to_owned()
}

/// Valgrind shows a program AVX2 where the machine has it; nothing newer.
fn lacks_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    return !std::arch::is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(before: u64, now: u64) -> Verdict {
        Verdict { name: "policy".to_owned(), before: Some(before), now: Some(now) }
    }

    #[test]
    fn a_count_may_grow_by_five_parts_of_a_hundred_and_a_smaller_one_asks_to_be_kept() {
        assert!(verdict(1000, 1050).holds());
        assert!(!verdict(1000, 1051).holds());
        assert!(verdict(1000, 1051).to_string().ends_with("more than 5 % slower"));
        assert!(verdict(1000, 949).holds());
        assert!(verdict(1000, 949).to_string().contains("write the new baseline"));
        assert!(verdict(1000, 951).to_string().ends_with("% of 1000"));
    }

    #[test]
    fn a_workload_without_a_former_count_does_not_hold() {
        let counts = BTreeMap::from([("policy".to_owned(), 10_u64)]);
        let verdicts = Baseline::of_this_machine(BTreeMap::new()).compare(&counts);
        assert!(!verdicts[0].holds());
        let verdicts = Baseline::of_this_machine(counts).compare(&BTreeMap::new());
        assert!(!verdicts[0].holds());
    }
}
