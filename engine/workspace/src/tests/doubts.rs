//! What can be understood and is hardly meant: each doubt is a warning at its place, and the same
//! directory without it has none.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::{Files, Ruleset};

const SETTINGS: &str = "relationship_types = [\"Overlay\"]\n[workspace]\nname = \"Small\"\n[fields]\n\
    id = \"id\"\ndate = \"closed\"\nowner = \"rep\"\namount = \"amount\"\n";
const PEOPLE: &str = "id,name,manager\nann,Ann,mia\nmia,Mia,\n";

const PLAN: &str = "name = \"P\"\nsplit = \"refuse\"\n#plan\n[[direct]]\nname = \"Booking\"\n#direct\n\
    [[direct.results]]\nname = \"Credit\"\n#result\n\
    [[indirect]]\nname = \"Manager\"\nrelationship = \"Reporting\"\n\
    [[indirect.results]]\nname = \"Manager credit\"\n#rolled\n\
    [[reward]]\nname = \"Commission\"\ntiers = [{ up_to = \"1000\", rate = \"5%\" }, { rate = \"8%\" }]\n";

/// Findings as `CODE file:line:column`, of a directory whose files were changed.
fn found(changes: &[(&str, &str)], more: &[(&str, &str)]) -> Vec<String> {
    let plan = changes.iter().fold(PLAN.to_owned(), |plan, (from, to)| {
        assert!(plan.contains(from), "{from} is not in the plan");
        plan.replacen(from, to, 1)
    });
    let mut files = Files::new();
    let own = [
        ("accredit.toml", SETTINGS),
        ("plans/p.toml", plan.as_str()),
        ("organization/participants.csv", PEOPLE),
    ];
    for (path, text) in own.iter().chain(more) {
        files.insert((*path).to_owned(), Arc::from(*text));
    }
    files.retain(|_, text| !text.is_empty());
    let columns = ["id", "closed", "rep", "amount", "stage"].map(str::to_owned);
    let (_, findings) = Ruleset::read(&files, &BTreeSet::from(columns));
    let shown = findings.iter().map(|it| {
        assert!(it.help.is_some(), "{it:?}");
        format!("{} {}:{}:{}", it.code, it.place.file, it.place.line, it.place.column)
    });
    shown.collect()
}

fn check(changes: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(found(changes, &[]), expected, "{changes:?}");
}

/// `rate = "10"` for ten percent paid 600,000 on 60,000, without a word.
#[test]
fn a_rate_above_everything_is_warned_of_unless_it_is_in_percent() {
    check(&[], &[]);
    for rate in ["10", "1.01", "2"] {
        let rate = format!("\"{rate}\"");
        check(&[("\"8%\"", &rate)], &["CR064 plans/p.toml:18:52"]);
    }
    for rate in ["1", "0.10", "100%", "1000%", "110 %"] {
        check(&[("\"8%\"", &format!("\"{rate}\""))], &[]);
    }
    let value = [("#rolled", "value = \"credit.amount * 10\"")];
    check(&value, &["CR064 plans/p.toml:15:10"]);
    check(&[("#rolled", "value = \"credit.amount * 1000 / 100\"")], &[]);
}

/// `up_to = "1.0"` for the whole quota ended the tier at one dollar.
#[test]
fn a_tier_of_less_than_one_unit_is_warned_of() {
    for limit in ["1.0", "0.5", "1"] {
        let limit = format!("\"{limit}\"");
        check(&[("\"1000\"", &limit)], &["CR065 plans/p.toml:18:20"]);
    }
    check(&[("\"1000\"", "\"1.01\"")], &[]);
    let quota = ("organization/quotas.csv", "plan,target,period,amount\np,*,2026-01,1000\n");
    assert_eq!(found(&[("\"1000\"", "\"100%\"")], &[quota]), [""; 0]);
}

#[test]
fn tiers_of_a_quota_that_nobody_has_are_warned_of() {
    check(&[("\"1000\"", "\"100%\"")], &["CR066 plans/p.toml:16:1"]);
}

/// Two sellers of a deal have one manager, who got the first part; the rest was suppressed.
#[test]
fn a_manager_of_two_parts_is_warned_of() {
    let place = "CR067 plans/p.toml:13:1";
    for split in ["equal", "full", "first"] {
        let split = ("\"refuse\"", format!("\"{split}\""));
        let changes = [(split.0, split.1.as_str())];
        check(&changes, &[place]);
        for said in ["duplicates = true", "duplicates = false", "duplicates = \"true\""] {
            check(&[changes[0], ("#rolled", said)], &[]);
        }
        check(&[changes[0], ("\"Reporting\"", "\"Overlay\"")], &[]);
    }
    let team = ("#direct", "assign = [\"owner\"]\nmembers = \"equal\"");
    check(&[team], &["CR067 plans/p.toml:14:1"]);
    check(&[("#direct", "members = \"manager\"")], &[]);

    // The plan that splits may be the one that the credits come from.
    let chain = "name = \"C\"\n[[indirect]]\nname = \"Up\"\nrelationship = \"Reporting\"\n\
                 sources = [\"p\"]\n[[indirect.results]]\nname = \"m\"\n";
    let more = [("plans/c.toml", chain)];
    let split = [("\"refuse\"", "\"equal\""), ("#rolled", "duplicates = true")];
    assert_eq!(found(&split, &more), ["CR067 plans/c.toml:6:1"]);
    assert_eq!(found(&[], &more), [""; 0]);
}

/// A territory is a team, whatever word stands behind it: without `members` everything went to the
/// fallback, and the check was silent unless `territory` stood alone.
#[test]
fn a_territory_without_members_is_warned_of_beside_other_words() {
    let more = [
        ("policies/crediting/rest.rhai", "fn credit(tx) { tx.default_credit }"),
        ("organization/teams.csv", "id,name,manager\nwest,West,mia\n"),
        ("organization/members.csv", "team,participant\nwest,ann\n"),
        ("organization/territories.csv", "team,field,value\nwest,stage,Won\n"),
    ];
    let words = "assign = [\"territory\", \"policy:rest\"]";
    assert_eq!(found(&[("#direct", words)], &more), ["CR023 plans/p.toml:4:1"]);
    let passed_on = format!("{words}\nmembers = \"manager\"");
    assert_eq!(found(&[("#direct", &passed_on)], &more), [""; 0]);
}

#[test]
fn a_policy_of_the_plan_that_no_rule_uses_is_warned_of() {
    let policies = [
        ("policies/value/v.rhai", "fn value(tx, to) { tx.amount }"),
        ("policies/hold/h.rhai", "fn hold(tx, credit) { no_hold() }"),
    ];
    let chosen = ("#plan", "policies = { value = \"v\" }");
    assert_eq!(found(&[chosen], &policies), [""; 0]);
    let own = [chosen, ("#result", "value = \"tx.amount\"")];
    assert_eq!(found(&own, &policies), ["CR068 plans/p.toml:3:22"]);
    // One result of two that says nothing uses it.
    let one = "hold = \"none\"\n[[direct.results]]\nname = \"Other\"";
    let holds = [("#plan", "policies = { hold = \"h\" }"), ("#result", one)];
    assert_eq!(found(&holds, &policies), [""; 0]);
}

#[test]
fn an_organisation_in_which_nobody_can_be_credited_is_warned_of() {
    let none = [("organization/participants.csv", "")];
    assert_eq!(found(&[], &none), ["CR089 organization/participants.csv:0:0"]);
    let vacant = [
        ("organization/participants.csv", "id,name\nann,Ann\n"),
        ("organization/positions.csv", "id,title\nrep-1,Rep\n"),
    ];
    assert_eq!(found(&[], &vacant), ["CR089 organization/assignments.csv:0:0"]);
    let held = ("organization/assignments.csv", "position,participant\nrep-1,ann\n");
    let staffed = [vacant[0], vacant[1], held];
    assert_eq!(found(&[], &staffed), [""; 0]);
    // Without a plan there is nobody to credit yet.
    assert_eq!(found(&[], &[none[0], ("plans/p.toml", "")]), [""; 0]);
}

/// A second row with the id of the first changed nothing, and the id that was meant was missing.
#[test]
fn a_row_that_stands_there_twice_is_warned_of() {
    let rows = [
        (
            "organization/relationships.csv",
            "type,source,target\nOverlay,ann,mia\nOverlay,ann,mia\n",
        ),
        (
            "organization/aliases.csv",
            "kind,id,alias\nparticipant,ann,Annie\nparticipant,ann,annie\n",
        ),
    ];
    for (file, text) in rows {
        let expected = format!("CR090 {file}:3:1");
        assert_eq!(found(&[], &[(file, text)]), [expected], "{file}");
    }
    // The same edge in another year is no repetition.
    let years =
        "type,source,target,from,to\nOverlay,ann,mia,,2025-12-31\nOverlay,ann,mia,2026-01-01,\n";
    assert_eq!(found(&[], &[("organization/relationships.csv", years)]), [""; 0]);
    let twice = "id,name,manager\nann,Ann,mia\nmia,Mia,\nann,Ann,mia\n";
    let same_person = found(&[], &[("organization/participants.csv", twice)]);
    assert_eq!(same_person, ["CR034 organization/participants.csv:4:9"]);
    let seats = [
        ("organization/positions.csv", "id,title\nrep-1,Rep\n"),
        ("organization/participants.csv", "id,name\nann,Ann\n"),
        ("organization/assignments.csv", "position,participant\nrep-1,ann\nrep-1,ann\n"),
    ];
    assert_eq!(found(&[], &seats), ["CR034 organization/assignments.csv:3:1"]);
}

/// A recipient who is written out in a policy and whom nobody is called was not noticed.
#[test]
fn a_recipient_of_a_policy_is_shown_where_it_is_named() {
    let policy = ("policies/crediting/east.rhai", "fn credit(tx) { \"RM-EAST\" }");
    let assign = ("#direct", "assign = \"policy:east\"");
    assert_eq!(found(&[assign], &[policy]), ["CR069 policies/crediting/east.rhai:1:17"]);
}

/// The caret of a name in a condition in rows stood at the beginning of the list.
#[test]
fn names_are_shown_where_they_stand() {
    let rows = "condition = [\n  { if = \"stage\", is = \"=\", value = \"Won\" },\n  \
                { and = \"rep\", is = \"=\", value = \"Ann\" },\n]";
    check(&[("#direct", rows)], &["CR013 plans/p.toml:8:36"]);
}

/// A limit that was no text was reported, and that another tier had none as well.
#[test]
fn a_number_for_a_text_is_one_finding() {
    check(&[("\"5%\"", "10")], &["CR024 plans/p.toml:18:35"]);
    check(&[("\"1000\"", "1000")], &["CR024 plans/p.toml:18:20"]);
    check(&[("\"8%\"", "10")], &["CR024 plans/p.toml:18:52"]);
}
