//! People who left, and names that nobody can tell apart.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::small::SETTINGS;
use crate::{Files, Ruleset};

const DIRECT: &str = "[[direct]]\nname = \"Booking\"\n[[direct.results]]\nname = \"Credit\"\n";

fn read(more: &[(&str, &str)]) -> Vec<String> {
    let mut files = Files::new();
    files.insert("accredit.toml".to_owned(), Arc::from(SETTINGS));
    for (path, text) in more {
        files.insert((*path).to_owned(), Arc::from(*text));
    }
    let (_, findings) = Ruleset::read(&files, &BTreeSet::new());
    let findings =
        findings.iter().filter(|found| ("CR084".."CR089").contains(&found.code.as_str()));
    findings.map(|found| format!("{} {}", found.code, found.message)).collect()
}

/// Mia left on the 10th and Ann still reported to her: nothing rolled to Vera, and check was silent.
#[test]
fn whoever_reports_to_somebody_who_has_left_is_warned_of() {
    let people =
        "id,manager,from,to\nann,mia,,\nbob,mia,,2026-01-10\nmia,vera,,2026-01-10\nvera,,,\n";
    assert_eq!(
        read(&[("organization/participants.csv", people)]),
        ["CR084 `ann` reports to `mia`, which does not exist from 2026-01-11 on"]
    );
    let teams = "id,parent,from,to\nwest,us,,\nus,world,,2026-01-10\nworld,,,\n";
    assert_eq!(
        read(&[("organization/teams.csv", teams)]),
        ["CR084 the team `west` belongs to `us`, which does not exist from 2026-01-11 on"]
    );
}

/// A plan `wеst`, with a Cyrillic letter, stood beside `west`, and a name went over two lines.
#[test]
fn names_that_nobody_can_read_or_tell_apart() {
    let plan = |name: &str| format!("name = \"{name}\"\n{DIRECT}");
    let (west, other) = (plan("Bonus O"), plan("Bonus 0"));
    let found = read(&[("plans/west.toml", &west), ("plans/w\u{435}st.toml", &other)]);
    assert_eq!(found, ["CR086 the plans `west` and `w\u{435}st` look the same but are different"]);
    let found = read(&[("plans/west.toml", &west), ("plans/east.toml", &other)]);
    assert_eq!(
        found,
        ["CR086 the plan names `Bonus 0` and `Bonus O` look the same but are different"]
    );
    for name in ["West\\nEast", "West\\u202EEast", "West\\u200B"] {
        let found = read(&[("plans/west.toml", &plan(name))]);
        assert!(
            found.iter().any(|one| one.starts_with("CR085 the name of a plan")),
            "{name}: {found:?}"
        );
        let rule = west.replace("Booking", name);
        let found = read(&[("plans/west.toml", &rule)]);
        assert!(
            found.iter().any(|one| one.starts_with("CR085 the name of a rule")),
            "{name}: {found:?}"
        );
    }
    assert_eq!(read(&[("plans/we\nst.toml", &west)]).len(), 1);
}
