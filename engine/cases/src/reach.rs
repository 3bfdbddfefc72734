//! What cases reach of the scripts and expressions: lines, branches, time, by the author's file.
//!
//! Not counting (`script::coverage`) and not printing (the host). Called by `run`.
//!
//! **Architecture invariant:** a line belongs to the file where its author finds it: a policy in a
//! block of a case file to the case file.

use std::collections::{BTreeMap, BTreeSet};

use super::document::CaseBlock;
use super::sheet::PreparedFile;
use accredit_script::Machine;
use accredit_script::coverage::{BranchCoverage, LineCoverage, ProgramCoverage};
use accredit_workspace::{Files, Ruleset};

/// Everything that could be reached, by path of its file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReachedFiles {
    /// Files with at least one line.
    pub files: BTreeMap<String, ReachedFile>,
}

/// What was reached of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReachedFile {
    /// Lines with a statement or an expression.
    pub lines: BTreeMap<u32, ReachedLine>,
    /// Branches by line and column, with how often each of both ways was taken.
    pub branches: BTreeMap<(u32, u32), [u64; 2]>,
}

/// What was reached of one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReachedLine {
    /// The number of times it ran.
    pub runs: u64,
    /// Nanoseconds spent on it.
    pub nanos: u64,
    /// The line as the author wrote it.
    pub text: String,
}

/// Where the standard library stands.
const LIBRARY: &str = "scripts/";

const SETTINGS: &str = "accredit.toml";

impl ReachedFiles {
    /// Adds what a machine counted for the cases of a sheet, whose files are in `blocks`.
    pub(super) fn add_covered(
        &mut self,
        sheet: &PreparedFile<'_>,
        blocks: &[CaseBlock],
        covered: Vec<ProgramCoverage>,
    ) {
        for covered in covered {
            let file = covered.file.clone();
            match blocks.iter().rev().find(|block| block.path == file) {
                Some(block) => self.add_to_file(sheet.path, block.line, &covered),
                // A customer need not prove what came with the program.
                None if sheet.is_customer() && file.starts_with(LIBRARY) => (),
                None => self.add_to_file(&file, 0, &covered),
            }
        }
    }

    /// Adds what no case reached of a customer's directory.
    pub(super) fn add_unreached(&mut self, base: &Files) {
        if !base.contains_key(SETTINGS) {
            return;
        }
        let (Some(ruleset), _) = Ruleset::read(base, &BTreeSet::new()) else { return };
        for covered in Machine::with_coverage(&ruleset.programs).collect_coverage() {
            let file = covered.file.clone();
            if !file.starts_with(LIBRARY) {
                self.add_to_file(&file, 0, &covered);
            }
        }
    }

    fn add_to_file(&mut self, file: &str, below: u32, covered: &ProgramCoverage) {
        let file = self.files.entry(file.to_owned()).or_default();

        for (number, LineCoverage { runs, nanos }) in &covered.lines {
            let line = file.lines.entry(below + number).or_default();
            line.runs += runs;
            line.nanos += nanos;

            if line.text.is_empty() {
                line.text = covered.texts.get(number).cloned().unwrap_or_default();
            }
        }

        for ((number, column), BranchCoverage { taken }) in &covered.branches {
            let known = file.branches.entry((below + number, *column)).or_default();
            known.iter_mut().zip(taken).for_each(|(known, more)| *known += more);
        }
    }

    /// Adds what was reached elsewhere.
    pub(super) fn merge(&mut self, other: ReachedFiles) {
        for (path, file) in other.files {
            let known = self.files.entry(path).or_default();

            for (number, line) in file.lines {
                let known = known.lines.entry(number).or_default();
                known.runs += line.runs;
                known.nanos += line.nanos;
                known.text = line.text;
            }

            for (place, taken) in file.branches {
                let known = known.branches.entry(place).or_default();
                known.iter_mut().zip(taken).for_each(|(known, more)| *known += more);
            }
        }
    }

    /// Lines that ran, and all lines.
    pub fn count_lines(&self) -> (usize, usize) {
        sum_counts(self.files.values().map(ReachedFile::count_lines))
    }

    /// Ways that were taken at branches, and all ways.
    pub fn count_branches(&self) -> (usize, usize) {
        sum_counts(self.files.values().map(ReachedFile::count_branches))
    }
}

impl ReachedFile {
    /// Lines that ran, and all lines.
    pub fn count_lines(&self) -> (usize, usize) {
        (self.lines.values().filter(|line| line.runs > 0).count(), self.lines.len())
    }

    /// Ways that were taken at branches, and all ways.
    pub fn count_branches(&self) -> (usize, usize) {
        let ways = self.branches.values().flatten();
        (ways.filter(|taken| **taken > 0).count(), 2 * self.branches.len())
    }
}

fn sum_counts(counts: impl Iterator<Item = (usize, usize)>) -> (usize, usize) {
    counts.fold((0, 0), |(a, b), (more_a, more_b)| (a + more_a, b + more_b))
}
