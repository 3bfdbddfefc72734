//! What cases reach, printed: a table of files, lcov's format, the lines that take longest.
//!
//! Not counting (the engine). Called by `test`.

use std::fmt::Write;

use accredit_cases::{ReachedFile, ReachedFiles};

use crate::cli::print::output;

/// Lines that a profile shows.
const PROFILE_LINES_MAX: usize = 30;

/// Prints the table; whether `threshold` percent of lines and of branches are reached.
pub(super) fn print_coverage(reached: &ReachedFiles, talk: bool, threshold: Option<u8>) -> bool {
    print_note(talk, coverage_table(reached).trim_end());
    let Some(threshold) = threshold else { return true };

    let enough = |(some, all): (usize, usize)| some * 100 >= all * usize::from(threshold);
    let (lines, branches) = (reached.count_lines(), reached.count_branches());
    let result = enough(lines) && enough(branches);

    if !result {
        let (lines, branches) = (percent(lines), percent(branches));
        eprintln!(
            "reached {lines} of lines and {branches} of branches, at least {threshold}% are required"
        );
    }
    result
}

fn coverage_table(reached: &ReachedFiles) -> String {
    let width = reached.files.keys().map(|path| path.chars().count()).max().unwrap_or(0).max(5);
    let mut text = format!("{:width$}  {:>14}  {:>14}  not reached\n", "file", "lines", "branches");
    let row = |name: &str, lines: (usize, usize), branches: (usize, usize), missing: &str| {
        let (lines, branches) = (covered_share(lines), covered_share(branches));
        format!("{name:width$}  {lines:>14}  {branches:>14}  {missing}").trim_end().to_owned()
    };

    for (path, file) in &reached.files {
        let missing = missing_lines(file);
        let _ =
            writeln!(text, "{}", row(path, file.count_lines(), file.count_branches(), &missing));
    }

    let _ = writeln!(text, "{}", row("total", reached.count_lines(), reached.count_branches(), ""));

    text
}

fn covered_share((some, all): (usize, usize)) -> String {
    if all == 0 {
        return "-".to_owned();
    }
    format!("{some}/{all} {:>4}", percent((some, all)))
}

/// Whole percents, rounded down: 100% means all.
fn percent((some, all): (usize, usize)) -> String {
    format!("{}%", (some * 100).checked_div(all).unwrap_or(100))
}

/// Lines that never ran, and branches of which one way was never taken.
fn missing_lines(file: &ReachedFile) -> String {
    let lines = file.lines.iter().filter(|(_, line)| line.runs == 0);
    let mut parts: Vec<String> = lines.map(|(number, _)| number.to_string()).collect();
    for ((line, column), taken) in &file.branches {
        if taken.iter().filter(|count| **count > 0).count() == 1 {
            parts.push(format!("{line}:{column} one way only"));
        }
    }
    parts.join(", ")
}

/// The whole in lcov's format.
pub(super) fn lcov_report(reached: &ReachedFiles) -> String {
    let mut text = String::new();
    for (path, file) in &reached.files {
        let _ = writeln!(text, "TN:accredit\nSF:{path}");
        for (index, ((line, _), taken)) in file.branches.iter().enumerate() {
            let never = taken.iter().all(|count| *count == 0);
            for (way, count) in taken.iter().enumerate() {
                // lcov distinguishes a branch that was never reached from one that was never taken.
                let count = if never { "-".to_owned() } else { count.to_string() };
                let _ = writeln!(text, "BRDA:{line},{index},{way},{count}");
            }
        }

        let (hit, found) = file.count_branches();
        let _ = writeln!(text, "BRF:{found}\nBRH:{hit}");

        for (number, line) in &file.lines {
            let _ = writeln!(text, "DA:{number},{}", line.runs);
        }

        let (hit, found) = file.count_lines();
        let _ = writeln!(text, "LF:{found}\nLH:{hit}\nend_of_record");
    }

    text
}

/// Prints the lines that take longest, each with what it took in all and a run.
pub(super) fn print_profile(reached: &ReachedFiles, talk: bool) {
    let files = reached.files.iter();
    let mut lines: Vec<_> = files
        .flat_map(|(path, file)| file.lines.iter().map(move |(number, line)| (path, number, line)))
        .filter(|(.., line)| line.runs > 0)
        .collect();
    lines.sort_by_key(|(.., line)| std::cmp::Reverse(line.nanos));

    let total: u64 = lines.iter().map(|(.., line)| line.nanos).sum();
    let mut text =
        format!("{:>10}  {:>5}  {:>8}  {:>9}  line\n", "us", "share", "runs", "us a run");

    for (path, number, line) in lines.into_iter().take(PROFILE_LINES_MAX) {
        let (nanos, runs) = (line.nanos, line.runs.max(1));
        let share = (nanos * 100).checked_div(total).unwrap_or(0);
        let (all, each) = (format_micros(nanos), format_micros(nanos / runs));
        let at = format!("{path}:{number}");
        let _ = writeln!(text, "{all:>10}  {share:>4}%  {runs:>8}  {each:>9}  {at}  {}", line.text);
    }

    print_note(talk, text.trim_end());
}

fn format_micros(nanos: u64) -> String {
    format!("{}.{:01}", nanos / 1000, nanos % 1000 / 100)
}

/// On standard error where standard output is for programs.
fn print_note(talk: bool, text: &str) {
    if talk {
        eprintln!("{text}");
    } else {
        output::print_line(text);
    }
}
