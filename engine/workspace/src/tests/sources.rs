//! `sources` of indirect rules: what is refused, and in which order plans are decided.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::small::{PEOPLE, SETTINGS};
use crate::{Files, Ruleset};

const DIRECT: &str = "[[direct]]\nname = \"D\"\n[[direct.results]]\nname = \"d\"\n";

/// Plans by id, each with the sources of its one indirect rule as TOML, or nothing.
fn check(plans: &[(&str, &str)], expected: Result<&[&str], &[&str]>) {
    let mut files = Files::new();
    files.insert("accredit.toml".to_owned(), Arc::from(SETTINGS));
    files.insert("organization/participants.csv".to_owned(), Arc::from(PEOPLE));
    for (id, sources) in plans {
        let rule = "[[indirect]]\nname = \"I\"\nrelationship = \"Reporting\"";
        let results = "[[indirect.results]]\nname = \"i\"";
        let sources =
            if sources.is_empty() { String::new() } else { format!("sources = {sources}") };
        let text = format!("name = \"{id}\"\n{DIRECT}{rule}\n{sources}\n{results}\n");
        files.insert(format!("plans/{id}.toml"), Arc::from(text));
    }
    let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
    let found: Vec<String> = findings
        .iter()
        .map(|found| format!("{} {}: {}", found.code, found.place.file, found.message))
        .collect();
    match expected {
        Ok(order) => {
            assert_eq!(found, Vec::<String>::new());
            let ruleset = ruleset.unwrap();
            let actual: Vec<&str> = ruleset.order.iter().map(AsRef::as_ref).collect();
            assert_eq!(actual, order);
        }
        Err(errors) => assert_eq!(found, errors),
    }
}

#[test]
fn sources_come_first_and_plans_else_by_id() {
    check(&[("a", ""), ("b", ""), ("c", "")], Ok(&["a", "b", "c"]));
    check(&[("a", "[\"c\"]"), ("b", ""), ("c", "")], Ok(&["b", "c", "a"]));
    check(&[("a", "[\"b\", \"a\"]"), ("b", "[\"c\"]"), ("c", "")], Ok(&["c", "b", "a"]));
}

#[test]
fn circles_and_unknown_plans_are_refused() {
    check(
        &[("a", "[\"b\"]"), ("b", "[\"a\"]"), ("c", "[\"a\"]")],
        Err(&[
            "CR028 plans/a.toml: plan `a` takes credits from itself, by way of `b`",
            "CR028 plans/b.toml: plan `b` takes credits from itself, by way of `a`",
        ]),
    );
    check(&[("a", "[\"x\"]")], Err(&["CR025 plans/a.toml: there is no plan `x`"]));
    check(
        &[("a", "[]")],
        Err(&["CR024 plans/a.toml: `sources` must be a list of at least one plan's id"]),
    );
}

#[test]
fn a_plan_takes_the_sources_of_its_sources_along() {
    let mut files = Files::new();
    files.insert("accredit.toml".to_owned(), Arc::from(SETTINGS));
    for (id, sources) in [("a", "[\"b\"]"), ("b", "[\"c\"]"), ("c", "[\"c\"]"), ("d", "[\"d\"]")] {
        let rule = "[[indirect]]\nname = \"I\"\nrelationship = \"Reporting\"\nsources = ";
        let results = "[[indirect.results]]\nname = \"i\"";
        let text = format!("name = \"{id}\"\n{DIRECT}{rule}{sources}\n{results}\n");
        files.insert(format!("plans/{id}.toml"), Arc::from(text));
    }
    let ruleset = Ruleset::read(&files, &BTreeSet::new()).0.unwrap();
    let before = ruleset.plans_before(&ruleset.plans["a"]);
    assert_eq!(before.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["c", "b"]);
}
