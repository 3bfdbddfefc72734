//! A check of twice as much is twice the work, counted in steps and not in time: files, rules, rows
//! and scripts that a generator wrote.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::small::{PEOPLE, SETTINGS};
use crate::{Files, Ruleset};
use accredit_domain::diagnostic::Diagnostic;
use accredit_domain::work;

const PARTICIPANTS: &str = "organization/participants.csv";

/// Findings and steps of a check of these files and a small workspace.
fn steps(files: &[(&str, String)]) -> (Vec<Diagnostic>, u64) {
    let mut all = Files::new();
    all.insert("accredit.toml".to_owned(), Arc::from(SETTINGS));
    all.insert(PARTICIPANTS.to_owned(), Arc::from(PEOPLE));
    for (path, text) in files {
        all.insert((*path).to_owned(), Arc::from(text.as_str()));
    }
    let (_, found) = Ruleset::read(&all, &BTreeSet::new());
    (found, work::steps_done())
}

/// Checks that a second half costs no more than the first one, with a tenth for good measure, and
/// how many findings there are of so much.
fn linear(name: &str, half: usize, files: impl Fn(usize) -> (&'static str, String), found: usize) {
    let (_, one) = steps(&[files(half)]);
    let (findings, two) = steps(&[files(2 * half)]);
    assert!(two > one, "{name}: nothing is counted: {one}, {two}");
    assert!(two <= 2 * one + one / 10 + 2000, "{name}: {one} steps, and {two} for twice as much");
    assert_eq!(findings.len(), found, "{name}: {:?}", findings.first());
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

/// 20,000 tables that nobody knows took a minute, 8,000 rules as long, 32,000 managers in a chain
/// nine minutes: every place was counted from the beginning of its file, every name compared with
/// all before it, and every chain followed from each of its positions.
#[test]
fn tables_rules_and_managers_cost_what_they_are_many() {
    let tables = |count| {
        ("accredit.toml", format!("{SETTINGS}{}", lines(count, |i| format!("[x{i:05}]\na = 1\n"))))
    };
    linear("unknown tables", 2000, tables, 4000);

    let rule = |i| {
        format!(
            "[[direct]]\nname = \"R{i}\"\ncondition = \"tx.id != 'x'\"\n[[direct.results]]\n\
             name = \"C\"\nvalue = \"{i}\"\n"
        )
    };
    let rules = |count| ("plans/p.toml", format!("name = \"P\"\n{}", lines(count, rule)));
    let sound = |count: usize| {
        let (path, text) = rules(count);
        (path, text.replace("'x'", "\\\"x\\\""))
    };
    linear("rules", 300, sound, 0);

    let head = "id,name,manager,from\n";
    let up = |i| format!("p{i},P{i},p{},\n", i + 1);
    let chain = |count| (PARTICIPANTS, format!("{head}{}p{count},Top,,\n", lines(count, up)));
    linear("a chain of managers", 2000, chain, 0);
    let down = |count: usize| {
        let rows: String = (0..count).rev().map(up).collect();
        (PARTICIPANTS, format!("{head}p{count},Top,,\n{rows}"))
    };
    linear("a chain from above", 2000, down, 0);
    let ring =
        |count: usize| (PARTICIPANTS, format!("{head}{}p{count},Last,p0,\n", lines(count, up)));
    linear("a ring of managers", 1000, ring, 1);
}

/// A chain of 20,000 positions was 13 seconds of check, and twice the positions took four times as
/// long: a chain whose every position begins on a day of its own has no day on which it is followed whole
/// without being followed again on the next.
#[test]
fn a_chain_of_many_days_is_followed_once() {
    let chain = |count: usize| {
        let day = |i: usize| format!("{}-{:02}-{:02}", 1990 + i / 300, i / 25 % 12 + 1, i % 25 + 1);
        let row = |i| format!("p{i},P{i},p{},{}\n", i + 1, day(i));
        let rows = format!("id,name,manager,from\n{}p{count},Top,,\n", lines(count, row));
        (PARTICIPANTS, rows)
    };
    let (_, one) = steps(&[chain(1000)]);
    let (_, two) = steps(&[chain(2000)]);
    assert!(two <= 2 * one + one / 10, "{one} steps, and {two} for twice as much");
}

/// 64 KiB of plain statements took 21 seconds.
#[test]
fn statements_cost_what_they_are_many() {
    let policy = |line: &'static str| {
        move |count: usize| {
            let text = lines(count, |i| line.replace('#', &(1000 + i).to_string()));
            let text = format!("fn value(tx, to) {{\n    let n = 0;\n{text}    n\n}}\n");
            ("policies/value/big.rhai", text)
        }
    };
    linear("assignments", 500, policy("    n += #;\n"), 0);
    linear("conditions", 500, policy("    if n > # { n += 1; }\n"), 0);
    linear("calls", 500, policy("    n += floor(#.5);\n"), 0);
    linear("values that go nowhere", 500, policy("    tx.id;\n"), 1000);
    linear("unused variables", 300, policy("    let a# = 1;\n"), 600);
    linear("unknown functions", 300, policy("    n += f#(1);\n"), 600);
}

/// Beyond the limits a check stops with an error that names them.
#[test]
fn a_check_that_met_a_limit_says_which() {
    let huge = format!("id,name\n{}\n", "x".repeat(crate::limits::DEFINITION_BYTES_MAX));
    let (found, done) = steps(&[(PARTICIPANTS, huge)]);
    let message = &found[0].message;
    assert_eq!((found.len(), found[0].code.as_str()), (1, "CR092"));
    assert!(message.contains("DEFINITION_BYTES_MAX"), "{message}");
    assert_eq!(done, 0, "nothing of it is read");

    work::add_steps(usize::try_from(work::CHECK_STEPS_MAX).unwrap());
    work::add_steps(1);
    let report = crate::report::Findings::default();
    let place = accredit_domain::diagnostic::Place::whole_file("plans/p.toml");
    assert!(!crate::limits::may_continue(&report, &place));
    let found = report.into_sorted();
    assert!(found[0].message.contains("CHECK_STEPS_MAX"), "{}", found[0].message);
}
