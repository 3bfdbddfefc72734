//! One situation for each reason to be dropped: what a person is told.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::{WhyNot, explain_plan_for_payee};
use crate::stage::DecisionInputs;
use accredit_domain::transaction::{Decoder, read};
use accredit_script::Machine;
use accredit_workspace::{Files, Ruleset};

const SETTINGS: &str = "credit_types = [\"booking\"]\nrelationship_types = [\"Engineer\"]\n\
    [workspace]\nname = \"A\"\n[fields]\nid = \"id\"\ndate = \"day\"\namount = \"amount\"\n\
    owner = \"owner\"\nteam = \"team\"\n[columns]\nstage = \"text\"\n";
const PEOPLE: &str = "id,name,email,from,to\nann,Ann Smith,ann@x,,\nbob,Bob,,,\nmia,Mia,,,\n\
    zoe,Zoe,,,\nold,Old,,,2016-12-31\nout,Outside,,,\n";
const SEATS: &str = "id,title,manager\na1,Rep,m1\nb1,Rep,m1\nm1,Manager,z1\nz1,Chief,\no1,Desk,\n";
const HELD: &str = "position,participant,from,to\na1,ann,,\nb1,bob,,\nm1,mia,,\nz1,zoe,2017-03-02,\n\
    o1,out,,\n";
const TEAMS: &str = "id,name\nwest,West\n";
const MEMBERS: &str = "team,participant\nwest,ann\nwest,out\n";

/// A plan with one direct rule and one for managers; `more` changes lines of it.
const PLAN: &str = "name = \"P\"\ntargets = [\"title:Rep\"]\nsplit = \"equal\"\n#plan\n\
    [[direct]]\nname = \"Booking\"\n#direct\n[[direct.results]]\nname = \"C\"\n\
    credit_type = \"booking\"\nrollable = true\n#result\n\
    [[indirect]]\nname = \"Manager\"\nrelationship = \"Reporting\"\n#indirect\n\
    [[indirect.results]]\nname = \"M\"\n#rolled\n";

fn why(changes: &[(&str, &str)], row: &str, payee: &str) -> WhyNot {
    let plan = changes.iter().fold(PLAN.to_owned(), |plan, (from, to)| {
        assert!(plan.contains(from), "{from} is not in the plan");
        plan.replacen(from, to, 1)
    });
    let files = [
        ("accredit.toml", SETTINGS),
        ("organization/participants.csv", PEOPLE),
        ("organization/positions.csv", SEATS),
        ("organization/assignments.csv", HELD),
        ("organization/teams.csv", TEAMS),
        ("organization/members.csv", MEMBERS),
        ("plans/p.toml", &plan),
    ];
    let files: Files = files.map(|(path, text)| (path.to_owned(), Arc::from(text))).into();
    let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
    let ruleset = ruleset.unwrap_or_else(|| unreachable!("{findings:?}"));
    let records =
        read::read_csv(format!("id,day,amount,owner,team,stage\n{row}\n").as_bytes()).unwrap();
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let transaction = Arc::new(decoder.decode(&records[0]));
    let mut machine = Machine::new(&ruleset.programs);
    let inputs = DecisionInputs::default();
    explain_plan_for_payee(
        &ruleset,
        &ruleset.plans["p"],
        &transaction,
        &inputs,
        &mut machine,
        payee,
    )
}

/// A deal of 100 on 2017-03-01 that `owner` made, asked after by `payee`.
fn check(changes: &[(&str, &str)], owner: &str, payee: &str, expected: &[&str]) {
    check_row(changes, &format!("D1,2017-03-01,100,{owner},,Lost"), payee, expected);
}

fn check_row(changes: &[(&str, &str)], row: &str, payee: &str, expected: &[&str]) {
    let why = why(changes, row, payee);
    let credits = why.credits.iter().map(|credit| {
        let reason = credit.reason.as_deref().unwrap_or("");
        format!("{} {} {reason}", credit.amount, credit.status).trim_end().to_owned()
    });
    let drops = why.findings.iter().map(|it| format!("{} {}: {}", it.stage, it.code, it.message));
    let actual: Vec<String> = credits.chain(drops).collect();
    assert_eq!(actual, expected, "{payee} asks after {row} with {changes:?}");
}

#[test]
fn a_credit_is_the_answer_whatever_its_status() {
    check(&[], "ann", "ann", &["100.00 active"]);
    check(&[], "ann", "mia", &["100.00 active"]);
    let held = [("#result", "hold = \"indefinite\"")];
    check(&held, "ann", "ann", &["100.00 held indefinite", "hold held: 100 is held: indefinite"]);
    // Two deals of reps roll to one manager: the second credit is a duplicate of the first.
    let why = why(&[], "D1,2017-03-01,100,ann;bob,,", "mia");
    let statuses: Vec<&str> = why.credits.iter().map(|credit| credit.status.as_str()).collect();
    assert_eq!(statuses, ["active", "suppressed"]);
    let first = format!("duplicate_of:{}", why.credits[0].id);
    assert_eq!(why.credits[1].reason.as_deref(), Some(first.as_str()));
}

#[test]
fn the_whole_plan_may_not_take_the_deal() {
    let filter = [("#plan", "filter = 'tx[\"stage\"] == \"Won\"'")];
    let lost = "the filter `tx[\"stage\"] == \"Won\"` is false (tx[\"stage\"] = \"Lost\")";
    check(&filter, "ann", "ann", &[&format!("filter filtered: {lost}")]);
    let dates = [("#plan", "from = 2018-01-01")];
    let early = "filter filtered: the plan is not in force on 2017-03-01";
    check(&dates, "ann", "ann", &[early]);
    let parked = "filter bad_value: parked: `amount` holds `lots`, which is not a number";
    check_row(&[], "D1,2017-03-01,lots,ann,,", "ann", &[parked]);
    let refused = [("split = \"equal\"", "split = \"refuse\"")];
    let several = "crediting several_recipients: parked: 2 recipients are named, the plan's \
                   split is `refuse`";
    check(&refused, "ann;bob", "ann", &[several]);
}

#[test]
fn a_person_who_sits_nowhere_gets_nothing() {
    let nowhere = "crediting no_position: you hold no position on 2017-03-01";
    check(&[], "ann", "zoe", &[nowhere]);
    let gone = "crediting no_position: you hold no position on 2017-03-01";
    check(&[], "ann", "old", &[gone]);
    // The person is named, and the deal is parked until it is corrected.
    let parked = "crediting no_position: parked: `Zoe` holds no position on 2017-03-01";
    check(&[], "Zoe", "zoe", &[parked]);
    let own =
        "crediting team_plan: the plan measures teams: the credit is that of your team `west`";
    let measured =
        [("targets = [\"title:Rep\"]", "measure = \"team\""), ("Reporting", "Parent Team")];
    let no_team = "crediting no_position: the plan measures teams: you are a member of none on \
                   2017-03-01";
    check_row(&measured, "D1,2017-03-01,100,,west,", "bob", &[no_team]);
    check_row(&measured, "D1,2017-03-01,100,,west,", "ann", &[own]);
}

#[test]
fn direct_rules_may_mean_somebody_else() {
    let only = [("\"Reporting\"\n", "\"Engineer\"\n")];
    let unreached = "rollup not_reached: rule `Manager`: the credit to `b1` reaches nobody over \
                     Engineer; not your position `a1`";
    let alias = "crediting not_named: rule `Booking`: the owner is `Bob`; none of your aliases \
                 (Ann Smith, a1, ann, ann@x) matches";
    check(&only, "Bob", "ann", &[alias, unreached]);
    let rest = "rollup not_rolled: there is no direct credit that could roll";
    let blank = "crediting nobody: rule `Booking`: the owner is blank";
    check(&[], "", "ann", &[blank]);
    let target = "crediting not_target: `Outside` is not among the plan's targets on 2017-03-01; that \
                  is your position `o1`";
    check(&[], "Outside", "out", &[target, rest]);
    let inactive = [("#direct", "to = 2016-12-31")];
    let ended = "crediting inactive: rule `Booking` is not active on 2017-03-01";
    let no_rule = "crediting no_rule: no direct rule is active on 2017-03-01";
    check(&inactive, "ann", "ann", &[ended, no_rule]);
    let condition = [("#direct", "condition = \"tx.amount > 500\"")];
    let false_here = "crediting condition: rule `Booking`: its condition `tx.amount > 500` is false \
                      (tx.amount = 100)";
    check(&condition, "ann", "ann", &[false_here]);
    let maximum = [("#result", "maximum = \"0\"")];
    let nothing = "maximum over_maximum: rule `Booking`: the maximum leaves nothing of 100.00 for \
                   `a1`; that is your position `a1`";
    check(&maximum, "ann", "ann", &[nothing]);
    let first = [("\"equal\"", "\"first\"")];
    let later = "crediting split: rule `Booking`: `ann` is not the first, the plan's split is \
                 `first`; that is your position `a1`";
    let above = "rollup not_reached: rule `Manager`: the credit to `b1` reaches `m1`, `z1` over \
                 Reporting; not your position `a1`";
    check(&first, "bob;ann", "ann", &[later, above]);
}

/// A credit that a maximum cut was shown with what is left of it, and nothing said that it was cut.
#[test]
fn a_maximum_tells_both_amounts() {
    let cut = "maximum over_maximum: rule `Booking`: the maximum leaves 60.00 of 100.00 USD";
    let held = "hold held: 60 is held: indefinite";
    check(&[("#result", "maximum = \"60\"")], "ann", "ann", &["60.00 active", cut]);
    let both = [("#result", "maximum = \"60\"\nhold = \"indefinite\"")];
    check(&both, "ann", "ann", &["60.00 held indefinite", cut, held]);
    let rolled = "maximum over_maximum: rule `Manager`: the maximum leaves 25.50 of 100.00 USD";
    check(&[("#rolled", "maximum = \"25.5\"")], "ann", "mia", &["25.50 active", rolled]);
    check(&[("#rolled", "maximum = \"25.5\"")], "ann", "ann", &["100.00 active"]);
    let seen = &why(&[("#result", "maximum = \"60\"")], "D1,2017-03-01,100,ann,,", "ann").findings;
    assert_eq!(seen[0].seen["before the maximum"], "100.00");
    assert_eq!(seen[0].seen["after the maximum"], "60.00");
}

#[test]
fn a_team_may_not_pass_its_part_on() {
    let assign = ("#direct", "assign = \"team\"\n#members");
    let row = "D1,2017-03-01,100,,West,";
    let no_members = "crediting team_without_members: rule `Booking`: `west` is a team, and the \
                      rule has no `members`";
    check_row(&[assign], row, "ann", &[no_members]);
    // `o1` is no target, so the part of the member in that position is not credited.
    let equal = [assign, ("#members", "members = \"equal\"")];
    check_row(&equal, row, "ann", &["50.00 active"]);
    let uncounted = "crediting not_member: rule `Booking`: the team `west` is a1 (0.5); not your \
                     position `o1`";
    let above = "rollup not_reached: rule `Manager`: the credit to `a1` reaches `m1`, `z1` over \
                 Reporting; not your position `o1`";
    check_row(&equal, row, "out", &[uncounted, above]);
}

#[test]
fn rolling_may_not_reach_or_give() {
    let alias =
        "crediting not_target: your position `m1` is not among the plan's targets on 2017-03-01";
    let check = |changes: &[(&str, &str)], drop: &str| check(changes, "ann", "mia", &[alias, drop]);
    check(
        &[("\"Reporting\"", "\"Engineer\"")],
        "rollup not_reached: rule `Manager`: the credit to `a1` reaches nobody over Engineer; not your \
         position `m1`",
    );
    check(
        &[("#indirect", "receivers = [\"title:Chief\"]")],
        "rollup receiver: rule `Manager` for `m1`: not among its receivers; that is your position \
         `m1`",
    );
    check(
        &[("#indirect", "condition = \"credit.amount > 500\"")],
        "rollup condition: rule `Manager` for `m1`: its condition `credit.amount > 500` is false \
         (credit.amount = 100); that is your position `m1`",
    );
    check(
        &[("#indirect", "from = 2018-01-01")],
        "rollup inactive: rule `Manager` is not active on 2017-03-01",
    );
    check(
        &[("#rolled", "maximum = \"0\"")],
        "maximum over_maximum: rule `Manager`: the maximum leaves nothing of 100.00 for `m1`; that \
         is your position `m1`",
    );
    let why = |changes: &[(&str, &str)]| why(changes, "D1,2017-03-01,100,ann,,", "mia").findings;
    let held = why(&[("#result", "hold = \"indefinite\"")]);
    assert!(held[1].message.ends_with("to `a1` does not roll: it is held"), "{held:?}");
    let fixed = why(&[("rollable = true", "rollable = false")]);
    assert!(fixed[1].message.ends_with("does not roll: it is not rollable"), "{fixed:?}");
    assert_eq!((fixed[1].stage.as_str(), fixed[1].code.as_str()), ("rollup", "not_rolled"));
}
