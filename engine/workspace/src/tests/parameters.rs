//! Constants of a policy that are set where the policy is named: what they decide, and what is
//! refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::small::{PEOPLE, SETTINGS};
use crate::{Files, Ruleset};
use accredit_domain::diagnostic::Diagnostic;
use accredit_domain::policy::{PolicyConstant, PolicyKind};

const PART: &str = concat!(
    "const SHARE = 0.5;\nconst TITLE = \"Rep\";\nconst BOOK = true;\nconst TWICE = SHARE * 2;\n",
    "fn value(tx, to) {\n    if TITLE == \"Rep\" && BOOK { 100 * SHARE } else { TWICE }\n}\n",
);

fn read(values: &[&str], policy: &str) -> (Option<Ruleset>, Vec<Diagnostic>) {
    let result = |(index, value): (usize, &&str)| {
        format!("[[direct.results]]\nname = \"C{index}\"\nvalue = '''{value}'''\n")
    };
    let results: String = values.iter().enumerate().map(result).collect();
    let plan = format!("name = \"P\"\n[[direct]]\nname = \"D\"\n{results}");
    let files = [
        ("accredit.toml", SETTINGS),
        ("organization/participants.csv", PEOPLE),
        ("plans/p.toml", plan.as_str()),
        ("policies/value/part.rhai", policy),
    ];
    let files: Files = files.map(|(path, text)| (path.to_owned(), Arc::from(text))).into();
    Ruleset::read(&files, &BTreeSet::new())
}

/// Two policies that differed by a number were two files; now a plan sets the number.
#[test]
fn each_place_has_the_constants_that_it_sets() {
    let values = [
        "policy:part",
        "policy:part(0.375)",
        "policy:part(0.375, 'Rep')",
        "policy:part( BOOK = false , SHARE = 0.1 )",
        "policy:part()",
    ];
    let (ruleset, found) = read(&values, PART);
    assert_eq!(found, []);
    let ruleset = ruleset.unwrap();
    let programs: Vec<_> = ruleset.plans["p"].direct[0]
        .results
        .iter()
        .map(|result| ruleset.programs.get(result.value.unwrap()).unwrap())
        .collect();
    let names: Vec<&str> = programs.iter().map(|program| program.name.as_ref()).collect();
    let expected = [
        "value/part",
        "value/part(0.375)",
        "value/part(0.375, 'Rep')",
        "value/part(BOOK = false , SHARE = 0.1)",
        "value/part",
    ];
    assert_eq!(names, expected);
    assert_eq!(programs[0], programs[4]);
    let share = PolicyConstant { name: Arc::from("SHARE"), literal: Arc::from("0.375") };
    assert_eq!(programs[1].constants, [share]);
    assert!(programs.iter().all(|program| program.source == programs[0].source));
    assert_eq!(ruleset.policies.len(), 1);
    assert!(ruleset.policies.contains_key(&(PolicyKind::Value, "part".to_owned())));

    let other = read(&["policy:part(0.376)"], PART).0.unwrap();
    assert_ne!(read(&["policy:part(0.375)"], PART).0.unwrap().hash, other.hash);
    assert_ne!(other.plan_hashes(), read(&["policy:part"], PART).0.unwrap().plan_hashes());
}

/// What stands in the brackets is data: nothing of it runs, and nothing of it is guessed.
#[test]
fn what_does_not_fit_is_refused_where_it_stands() {
    let wrong = [
        ("policy:part(", "no closing bracket"),
        ("policy:part(0.1", "no closing bracket"),
        ("policy:part(0.1))", "no literal"),
        ("policy:part(0.1, 'Rep', true, 5)", "more are given"),
        ("policy:part(SHARES = 0.1)", "no constant `SHARES`"),
        ("policy:part(TWICE = 0.1)", "no constant `TWICE`"),
        ("policy:part(SHARE = 'half')", "is a number"),
        ("policy:part('half')", "is a number"),
        ("policy:part(BOOK = 1)", "is a bool"),
        ("policy:part(SHARE = 0.1, SHARE = 0.2)", "has two values"),
        ("policy:part(0.1, SHARE = 0.2)", "has two values"),
        ("policy:part(SHARE = tx.amount)", "no literal"),
        ("policy:part(1 + 1)", "no literal"),
        ("policy:part(0.1; throw 1)", "no literal"),
        ("policy:part(TITLE = 'a\" + eval(\"1\") + \"')", "no literal"),
        ("policy:part(TITLE = \"${tx.id}\")", "is not"),
        ("policy:part(TITLE = `x`)", "no literal"),
        ("policy:part(,)", "no literal"),
        ("policy:part(0x10)", "no literal"),
        ("policy:part(1e9)", "no literal"),
        ("policy:part(99999999999999999999999999999999999999)", "is not"),
        ("policy:other(1)", "there is no value policy `other`"),
    ];
    for (value, message) in wrong {
        if value.contains("${") {
            // In double quotes it is the text itself, as in the policy.
            assert!(read(&[value], PART).0.is_some(), "{value}");
            continue;
        }
        let (ruleset, found) = read(&[value], PART);
        assert!(ruleset.is_none(), "{value}");
        assert!(found[0].message.contains(message), "{value}: {found:?}");
        assert!(found[0].help.is_some(), "{value}");
        assert_eq!((found[0].place.file.as_str(), found[0].place.line), ("plans/p.toml", 6));
    }
    let none = read(&["policy:part(1)"], "fn value(tx, to) { 1 }").1;
    assert!(none[0].message.contains("has 0 constants"), "{none:?}");
}
