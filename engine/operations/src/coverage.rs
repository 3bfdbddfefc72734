//! What cases reach of the policies that a change brings, line by line.
//!
//! Not whether they pass (`candidate`) and not the counting (`cases`). Called by previews.
//!
//! **Architecture invariant:** it ends: when the time is over no more case files are begun, and the answer
//! says that it is not complete.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use accredit_cases::{self as cases, CaseOptions};
use accredit_workspace::Files;
use serde::Serialize;
use utoipa::ToSchema;

use crate::candidate::known_columns;
use crate::context::Context;
use crate::error::OperationError;

/// After this time no more case files are begun.
const TIME_MAX: Duration = Duration::from_secs(5);

/// Case files that are run at a time: they share the reading of what none of them reaches.
const FILES_AT_ONCE: usize = 4;

/// What cases reach of the policies that a change brings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct PolicyCoverage {
    /// How many cases were run for it; 0 where there are none, neither in the change nor on the server.
    pub cases: usize,
    /// Whether every case file was run that could reach another line.
    pub complete: bool,
    /// A row for each policy that the change adds or changes, by path; none for one without a line that runs.
    pub policies: Vec<CoveredPolicy>,
}

/// What cases reach of a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct CoveredPolicy {
    /// The path of its file.
    pub path: String,
    /// How many lines have a statement or an expression.
    pub lines: usize,
    /// How many of them a case reaches.
    pub covered: usize,
    /// The others, by their number in the file.
    pub unreached: Vec<u32>,
}

/// Lines of policies by path, each with whether a case reaches it.
struct SeenLines<'a>(BTreeMap<&'a str, BTreeMap<u32, bool>>);

impl SeenLines<'_> {
    /// Whether no case can reach more. The first run lists every line, so that a policy without one
    /// has nothing to reach: it has constants alone, or nothing uses it.
    fn is_all_reached(&self) -> bool {
        self.0.values().flat_map(BTreeMap::values).all(|reached| *reached)
    }

    /// Runs case files, and notes the lines that they reach; how many cases there were.
    fn run_cases(&mut self, base: &Files, some: &[(&str, &str)], options: &CaseOptions) -> usize {
        let run = cases::run_case_files(base, some, options);
        for (path, seen) in &mut self.0 {
            let lines = run.reached.files.get(*path).into_iter().flat_map(|file| &file.lines);
            for (number, line) in lines {
                *seen.entry(*number).or_default() |= line.runs > 0;
            }
        }
        run.files.iter().flat_map(|file| &file.outcomes).map(Vec::len).sum()
    }

    fn into_policies(self) -> Vec<CoveredPolicy> {
        let policies = self.0.into_iter().filter(|(_, lines)| !lines.is_empty());
        let policies = policies.map(|(path, lines)| {
            let unreached = lines.iter().filter(|(_, reached)| !**reached);
            let unreached: Vec<u32> = unreached.map(|(number, _)| *number).collect();
            CoveredPolicy {
                path: path.to_owned(),
                lines: lines.len(),
                covered: lines.len() - unreached.len(),
                unreached,
            }
        });
        policies.collect()
    }
}

/// What the cases among `files` reach of the policies among the changed ones; none where no policy is added
/// or changed.
///
/// # Errors
/// When the data cannot be read.
pub fn policy_coverage(
    context: &Context,
    files: &Files,
    changed: &BTreeMap<String, Option<Arc<str>>>,
) -> Result<Option<PolicyCoverage>, OperationError> {
    let changed = changed.iter().filter(|(_, text)| text.is_some()).map(|(path, _)| path.as_str());
    let policies: BTreeSet<&str> = changed.filter(|path| is_policy(path)).collect();
    if policies.is_empty() {
        return Ok(None);
    }

    let case_files = files.iter().filter(|(path, _)| path.ends_with(".cases.md"));
    let mut case_files: Vec<(&str, &str)> =
        case_files.map(|(path, text)| (path.as_str(), text.as_ref())).collect();
    // Those beside the policies come first: they are the likeliest to reach every line.
    case_files.sort_by_key(|(path, _)| !is_beside(path, &policies));

    let options =
        CaseOptions { columns: known_columns(context)?, traced: true, ..CaseOptions::default() };
    let began = context.surroundings.elapsed();
    let is_over = || context.surroundings.elapsed().saturating_sub(began) >= TIME_MAX;

    // Without a case file there are the lines alone.
    let mut seen = SeenLines(policies.iter().map(|path| (*path, BTreeMap::new())).collect());
    let (mut count, mut left) = (0, case_files.as_slice());
    loop {
        let (some, rest) = left.split_at(left.len().min(FILES_AT_ONCE));
        count += seen.run_cases(files, some, &options);
        left = rest;
        if left.is_empty() || seen.is_all_reached() || is_over() {
            break;
        }
    }

    let complete = left.is_empty() || seen.is_all_reached();
    Ok(Some(PolicyCoverage { cases: count, complete, policies: seen.into_policies() }))
}

fn is_policy(path: &str) -> bool {
    path.starts_with("policies/") && path.ends_with(".rhai")
}

/// Whether a case file is that of one of these policies.
fn is_beside(case_file: &str, policies: &BTreeSet<&str>) -> bool {
    let stem = case_file.strip_suffix(".cases.md");
    stem.is_some_and(|stem| policies.contains(format!("{stem}.rhai").as_str()))
}
