//! Functions that policies share: what they decide, count and change, and what is refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::small::{PEOPLE, SETTINGS};
use crate::{Files, Ruleset};
use accredit_domain::diagnostic::Diagnostic;
use accredit_script::Machine;

const PLAN: &str = "name = \"P\"\n[[direct]]\nname = \"D\"\n[[direct.results]]\nname = \"C\"\n";
const POLICY: &str = "fn value(tx, to) {\n    half(10) + PART\n}\n";
const RATES: &str =
    "// Rates.\nfn half(x) {\n    if x > 5 { halved(x) } else { 0 }\n}\nfn spare(x) { x }\n";
const PARTS: &str = "const PART = 0.25;\nfn halved(x) { x / 2 } // the end";
const SHARED: [(&str, &str); 2] =
    [("policies/shared/parts.rhai", PARTS), ("policies/shared/rates.rhai", RATES)];

fn read(value: &str, policy: &str, shared: &[(&str, &str)]) -> (Option<Ruleset>, Vec<Diagnostic>) {
    let plan = format!("{PLAN}value = '''{value}'''\n");
    let files = [
        ("accredit.toml", SETTINGS),
        ("organization/participants.csv", PEOPLE),
        ("plans/p.toml", plan.as_str()),
        ("policies/value/part.rhai", policy),
    ];
    let files = files.iter().chain(shared);
    let files: Files = files.map(|(path, text)| ((*path).to_owned(), Arc::from(*text))).collect();
    Ruleset::read(&files, &BTreeSet::new())
}

fn places(found: &[Diagnostic]) -> Vec<String> {
    let one = |found: &Diagnostic| {
        let place = &found.place;
        format!("{} {}:{}:{}", found.code, place.file, place.line, place.column)
    };
    found.iter().map(one).collect()
}

/// What two policies had in common had to be copied; now both call one file.
#[test]
fn a_shared_function_is_checked_and_belongs_to_the_ruleset() {
    let (ruleset, found) = read("policy:part", POLICY, &SHARED);
    assert_eq!(found, []);
    let ruleset = ruleset.unwrap();

    let edited = RATES.replace("x > 5", "x > 6");
    let other = read("policy:part", POLICY, &[SHARED[0], (SHARED[1].0, &edited)]).0.unwrap();
    assert_ne!(ruleset.hash, other.hash);
    assert_ne!(ruleset.plan_hashes(), other.plan_hashes());
    assert_ne!(ruleset.reward_hashes(), other.reward_hashes());

    // A directory may have shared files that no policy needs yet.
    let alone = read("policy:part", "fn value(tx, to) { 1 }", &SHARED);
    assert_eq!(alone.1, []);
}

/// Lines of a shared file are counted in that file.
#[test]
fn coverage_counts_lines_in_the_file_where_they_stand() {
    let ruleset = read("policy:part", POLICY, &SHARED).0.unwrap();
    let covered = Machine::with_coverage(&ruleset.programs).collect_coverage();
    let lines: Vec<(String, Vec<(u32, String)>)> =
        covered.into_iter().map(|one| (one.file, one.texts.into_iter().collect())).collect();
    let line = |number: u32, text: &str| (number, text.to_owned());
    let expected = [
        (
            "policies/shared/parts.rhai".to_owned(),
            vec![line(2, "fn halved(x) { x / 2 } // the end")],
        ),
        (
            "policies/shared/rates.rhai".to_owned(),
            vec![line(3, "if x > 5 { halved(x) } else { 0 }"), line(5, "fn spare(x) { x }")],
        ),
        ("policies/value/part.rhai".to_owned(), vec![line(2, "half(10) + PART")]),
    ];
    assert_eq!(lines, expected);
}

/// A policy, the shared files, and the code and place of what is wrong.
type Mistake = (&'static str, [(&'static str, &'static str); 2], String);

/// Each mistake is shown where it was made, in the shared file or in the policy.
#[test]
fn mistakes_are_shown_in_the_file_where_they_stand() {
    let rates = |text: &'static str| [SHARED[0], (SHARED[1].0, text)];
    let policy = "policies/value/part.rhai";
    let file = "policies/shared/rates.rhai";

    let wrong: [Mistake; 13] = [
        ("fn value(tx, to) {\n    haff(10)\n}", SHARED, format!("CR003 {policy}:2:5")),
        ("fn value(tx, to) {\n    half(10, 2)\n}", SHARED, format!("CR004 {policy}:2:5")),
        ("fn value(tx, to) {\n    half(10\n}", SHARED, format!("CR001 {policy}:3:1")),
        ("fn value(tx, to) { half(1) }\nfn spare(x) { x }", SHARED, format!("CR026 {policy}:2:4")),
        ("const PART = 1;\nfn value(tx, to) { PART }", SHARED, format!("CR026 {policy}:1:7")),
        ("fn value(tx, to) { half(1) }\n1", SHARED, format!("CR001 {policy}:2:1")),
        (POLICY, rates("fn half(x) { halved(x, 1) }"), format!("CR004 {file}:1:14")),
        (POLICY, rates("\nfn half(x) { nothing(x) }"), format!("CR003 {file}:2:14")),
        (POLICY, rates("fn half(x) { x }\nfn halved(x) { x }"), format!("CR026 {file}:2:4")),
        (POLICY, rates("fn half(x) { x }\nconst PART = 1"), format!("CR026 {file}:2:7")),
        (POLICY, rates("fn half(x) { x }\nlet y = 1;"), format!("CR001 {file}:2:1")),
        (POLICY, rates("fn half(x) {\n    x + ;\n}"), format!("CR001 {file}:2:9")),
        (POLICY, rates("fn half(x) { x } /* open"), format!("CR001 {file}:1:1")),
    ];
    for (policy, shared, expected) in wrong {
        let (ruleset, found) = read("policy:part", policy, &shared);
        assert!(ruleset.is_none(), "{policy} {shared:?}");
        assert!(places(&found).contains(&expected), "{expected}: {found:?}");
    }
}

/// Names that mean something already cannot be shared.
#[test]
fn names_of_the_language_are_not_redefined() {
    for name in ["round", "share", "value", "credit", "map"] {
        let text = format!("\nfn {name}(a, b, c, d, e) {{ a }}");
        let (_, found) =
            read("policy:part", POLICY, &[SHARED[0], SHARED[1], ("policies/shared/z.rhai", &text)]);
        assert_eq!(places(&found), ["CR026 policies/shared/z.rhai:2:4"], "{name}");
    }
}

/// An expression of a plan calls no shared function, and the message says what to do.
#[test]
fn expressions_call_no_shared_function() {
    let found = read("half(10)", POLICY, &SHARED).1;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].message.contains("`half` is shared by policies"), "{found:?}");
    assert!(found[0].help.as_ref().unwrap().contains("policy:NAME"), "{found:?}");
}

/// A constant of a shared file is the same for all: no plan sets it.
#[test]
fn shared_constants_cannot_be_set_by_a_plan() {
    let policy = "const OWN = 1;\nfn value(tx, to) { half(OWN) + PART }\n";
    assert_eq!(read("policy:part(2)", policy, &SHARED).1, []);
    let found = read("policy:part(PART = 2)", policy, &SHARED).1;
    assert!(found[0].message.contains("no constant `PART`"), "{found:?}");
}

/// Shared functions count towards the limits of the policy that calls them.
#[test]
fn shared_functions_count_towards_the_limits() {
    let many: String = (0..64).map(|n| format!("fn f{n}(x) {{ x }}\n")).collect();
    let found =
        read("policy:part", "fn value(tx, to) { f1(1) }", &[("policies/shared/m.rhai", &many)]).1;
    assert!(!found.is_empty());
    assert!(found.iter().all(Diagnostic::is_error), "{found:?}");

    let long = format!("fn long(x) {{ x }} // {}", "x".repeat(64 * 1024 - 30));
    let found =
        read("policy:part", "fn value(tx, to) { long(1) }", &[("policies/shared/m.rhai", &long)]).1;
    assert_eq!(places(&found), ["CR009 policies/value/part.rhai:1:1"]);
}
