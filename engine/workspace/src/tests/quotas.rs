//! `quotas.csv`: whom a row means, and what is refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::small::SETTINGS;
use crate::{Files, Ruleset};
use accredit_domain::plan::Selector;

const DIRECT: &str = "[[direct]]\nname = \"D\"\n[[direct.results]]\nname = \"d\"\n";

fn read(rows: &str) -> (Option<Ruleset>, Vec<String>) {
    let mut files = Files::new();
    let all = [
        ("accredit.toml", SETTINGS.to_owned()),
        ("plans/p.toml", format!("name = \"P\"\n{DIRECT}")),
        ("plans/t.toml", format!("name = \"T\"\nmeasure = \"team\"\n{DIRECT}")),
        ("organization/participants.csv", "id,name\nann,\nbob,Bob Ray\n".to_owned()),
        ("organization/positions.csv", "id,title\nS1,Rep\n".to_owned()),
        ("organization/assignments.csv", "position,participant\nS1,ann\n".to_owned()),
        ("organization/teams.csv", "id,name\nWEST,West\n".to_owned()),
        ("organization/quotas.csv", format!("plan,target,period,amount\n{rows}")),
    ];
    for (path, text) in all {
        files.insert(path.to_owned(), Arc::from(text));
    }
    let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
    let findings = findings.iter().filter(|found| found.place.file.ends_with("quotas.csv"));
    let findings = findings.map(|found| {
        let place = &found.place;
        format!("{} {}:{}: {}", found.code, place.line, place.column, found.message)
    });
    (ruleset, findings.collect())
}

#[test]
fn what_is_no_quota_is_refused() {
    let check = |rows: &str, expected: &str| assert_eq!(read(rows).1, [expected], "{rows}");
    check("x,S1,2022-01,5\n", "CR025 2:1: there is no plan `x` yet");
    check("p,S9,2022-01,5\n", "CR033 2:3: there is no position or participant `S9`");
    check("t,S1,2022-01,5\n", "CR033 2:3: there is no team `S1`");
    check("p,titel:Rep,2022-01,5\n", "CR024 2:3: `titel` is not allowed here");
    check("p,position:S9,2022-01,5\n", "CR025 2:3: there is no position `S9`");
    check("p,S1,2022-13,5\n", "CR032 2:6: there is no period `2022-13`");
    check("p,S1,2022-01,0\n", "CR032 2:14: `0` is not a quota");
    check("p,S1,2022-01,much\n", "CR032 2:14: `much` is not a quota");
    check(
        "p,S1,2022-01,5\np,position:S1,2022-01,6\n",
        "CR034 3:3: `position:S1` has two quotas in 2022-01",
    );
}

#[test]
fn a_bare_id_is_a_position_a_participant_or_a_team() {
    let (ruleset, findings) = read("p,S1,2022-01,5\np,bob,2022-01,6\nt,WEST,2022-01,7\n");
    assert_eq!(findings, Vec::<String>::new());
    let ruleset = ruleset.unwrap();
    let organization = &ruleset.organization;
    let find = |plan: &str, wanted: Selector| {
        let found =
            ruleset.quotas.find(&Arc::from(plan), "2022-01", &[], |target| *target == wanted);
        found.map(|quota| quota.to_string())
    };
    let position = Selector::Position(organization.find_position("S1").unwrap());
    let participant = Selector::Participant(organization.find_participant("bob").unwrap());
    let team = Selector::Team(organization.teams.find("WEST").unwrap());
    assert_eq!(find("p", position).as_deref(), Some("5"));
    assert_eq!(find("p", participant).as_deref(), Some("6"));
    assert_eq!(find("t", team).as_deref(), Some("7"));
}

/// A quota by name was refused where every other file takes names, and one for a plan that is not
/// written yet stopped every calculation.
#[test]
fn a_target_may_be_a_name_or_an_alias_that_means_one() {
    let (ruleset, findings) = read("p,Bob Ray,2022-01,6\n");
    let by_id = read("p,bob,2022-01,6\n");
    assert_eq!((findings, by_id.1), (Vec::<String>::new(), Vec::new()));
    let quotas = |ruleset: Option<Ruleset>| format!("{:?}", ruleset.unwrap().quotas);
    assert_eq!(quotas(ruleset), quotas(by_id.0));
    assert!(read("x,bob,2022-01,6\n").0.is_some(), "the other plans go on");
}
