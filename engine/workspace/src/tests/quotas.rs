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
        let found = ruleset.quotas.find(plan.into(), "2022-01", &[], |target| *target == wanted);
        found.map(|quota| quota.to_string())
    };
    let position = Selector::Position(organization.find_position("S1").unwrap());
    let participant = Selector::Participant(organization.find_participant("bob").unwrap());
    let team = Selector::Team(organization.teams.find("WEST").unwrap());
    assert_eq!(find("p", position).as_deref(), Some("5"));
    assert_eq!(find("p", participant).as_deref(), Some("6"));
    assert_eq!(find("t", team).as_deref(), Some("7"));
}

/// A near name was glued to the sentence: there is no credit type `renewels`did you mean …?
#[test]
fn a_near_name_is_advice_and_not_a_part_of_the_sentence() {
    let found = read_rewarded("DIRECT", "p,S1,2022-01,5,renewels\n");
    assert_eq!(found, ["CR033 organization/quotas.csv:2: there is no credit type `renewels`"]);

    let draw = "\n[[reward]]\nname = \"Commission\"\ncredit_type = \"credit\"\ntiers = [{ rate = \"5%\" }]\n\
                [[draw]]\nname = \"Advance\"\namount = 100\ncovers = [\"Commisson\"]\n";
    let found = read_rewarded(&format!("DIRECT{draw}"), "");
    assert_eq!(found, ["CR025 plans/p.toml:14: there is no reward `Commisson` in the plan"]);
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

/// Quotas of a plan with this head and reward, and what is found in the rows.
fn read_rewarded(plan: &str, rows: &str) -> Vec<String> {
    let mut files = Files::new();
    let all = [
        ("accredit.toml", format!("credit_types = [\"credit\", \"renewal\"]\n{SETTINGS}")),
        (
            "plans/p.toml",
            format!(
                "name = \"P\"\n{}",
                plan.replace("DIRECT", &format!("{DIRECT}credit_type = \"credit\""))
            ),
        ),
        ("organization/participants.csv", "id,name\nann,\nbob,Bob Ray\ncara,\n".to_owned()),
        (
            "organization/positions.csv",
            "id,title,from,to\nS1,Rep,,\nS2,Rep,,\nS3,Guest,,2026-02-28\n\
             S3,Rep,2026-03-01,\nLEFT,Holdover,,\n"
                .to_owned(),
        ),
        (
            "organization/assignments.csv",
            "position,participant,from,to\nS1,ann,,\nS2,bob,2026-03-10,2026-08-20\n\
             LEFT,bob,2026-08-21,\nS3,cara,,\n"
                .to_owned(),
        ),
        ("organization/quotas.csv", format!("plan,target,period,amount,credit_type\n{rows}")),
    ];
    for (path, text) in all {
        files.insert(path.to_owned(), Arc::from(text));
    }
    let (_, findings) = Ruleset::read(&files, &BTreeSet::new());
    let findings =
        findings.iter().filter(|found| found.is_error() || found.place.file.contains("quotas"));
    let findings = findings.map(|found| {
        let (code, place) = (found.code, &found.place);
        format!("{code} {}:{}: {}", place.file, place.line, found.message)
    });
    findings.collect()
}

/// A reward with tiers of the quota, in this period and with these keys.
fn rewarded(period: &str, keys: &str) -> String {
    format!(
        "period = \"{period}\"\nDIRECT\n[[reward]]\nname = \"R\"\ncredit_type = \
         \"credit\"\n{keys}\n\
         [[reward.tiers]]\nup_to = \"100%\"\nrate = \"0.1\"\n[[reward.tiers]]\nrate = \"0.2\"\n"
    )
}

/// Rows of `S1` for these periods and amounts.
fn rows_of(target: &str, amounts: &[(&str, &str)]) -> String {
    amounts.iter().map(|(period, amount)| format!("p,{target},{period},{amount},\n")).collect()
}

/// A quarter of 30,000 whose months summed to 35,000 was paid by either, and nobody was told.
#[test]
fn a_row_that_differs_from_its_parts_is_warned_of() {
    let months = [("2026-01", "10"), ("2026-02", "10"), ("2026-03", "15")];
    let check = |whole: (&str, &str), parts: &[(&str, &str)], expected: &str| {
        let rows = [vec![whole], parts.to_vec()].concat();
        let found = read_rewarded(&rewarded("quarter", ""), &rows_of("S1", &rows));
        assert_eq!(found.join("; "), expected, "{whole:?} {parts:?}");
    };
    let told = |period: &str, own: &str, sum: &str| {
        format!(
            "CR097 organization/quotas.csv:2: the quota of `S1` in {period} is {own}, and the \
             quotas of its parts sum to {sum}"
        )
    };
    check(("2026-Q1", "35"), &months, "");
    check(("2026-Q1", "30"), &months, &told("2026-Q1", "30", "35"));
    check(("2026-Q1", "35.00"), &months[..2], &told("2026-Q1", "35", "20"));
    // A year counts its quarters, and a quarter without a row its months.
    let mixed =
        [months[0], months[1], months[2], ("2026-Q2", "5"), ("2026-Q3", "5"), ("2026-Q4", "5")];
    check(("2026", "50"), &mixed, "");
    check(("2026", "51"), &mixed, "");
    check(("2026", "60"), &mixed, &told("2026", "60", "50"));
}

/// A yearly quota is divided by twelve, and the parts are rounded: that is no contradiction.
#[test]
fn parts_may_differ_from_their_sum_by_rounding() {
    let months: Vec<String> = (1..=12).map(|month| format!("2026-{month:02}")).collect();
    let check = |year: &str, part: &str, is_told: bool| {
        let mut rows = vec![("2026", year)];
        rows.extend(months.iter().map(|month| (month.as_str(), part)));
        let found = read_rewarded(&rewarded("month", ""), &rows_of("S1", &rows));
        assert_eq!(found.iter().any(|one| one.starts_with("CR097")), is_told, "{part}: {found:?}");
    };
    check("100000", "8333.33", false);
    check("100000", "8333", false);
    check("100000", "8333.3", false);
    check("100000", "8330", true);
    check("100000", "8333.23", true);
    check("100000", "99999999999999999999999999", true);
}

#[test]
fn credit_types_and_targets_have_their_own_sums() {
    let rows = "p,S1,2026-Q1,30,credit\np,S1,2026-01,10,renewal\np,S2,2026-02,10,credit\n";
    let plan = rewarded("month", "");
    assert_eq!(read_rewarded(&plan, rows), Vec::<String>::new());
    let rows = format!("{rows}p,S1,2026-03,10,credit\n");
    assert_eq!(read_rewarded(&plan, &rows).len(), 1);
}

/// A month without a row added nothing to the quota of a quarter, and the higher rate was paid.
#[test]
fn a_part_of_a_span_without_a_row_is_warned_of() {
    let none: &[&str] = &[];
    let check = |plan: &str, rows: &str, expected: &[&str]| {
        let found: Vec<String> = read_rewarded(plan, rows)
            .iter()
            .map(|one| one.replace("CR098 organization/quotas.csv:", ""))
            .collect();
        assert_eq!(found, expected, "{plan}\n{rows}");
    };
    let quarter = rewarded("quarter", "");
    let to_date = rewarded("month", "to_date = \"quarter\"");
    let of_span = rewarded("month", "to_date = \"quarter\"\nquota = \"span\"");
    let monthly = rewarded("month", "");
    let formula = format!("quota = \"1000\"\n{quarter}");
    let (jan, feb, mar) = (("2026-01", "10"), ("2026-02", "10"), ("2026-03", "10"));
    let two = rows_of("S1", &[jan, mar]);

    let gap = "3: `S1` has a quota in 2026-Q1, but none in 2026-02";
    check(&quarter, &two, &[gap]);
    check(&to_date, &two, &[gap]);
    check(&of_span, &two, &[gap]);
    check(&monthly, &two, none);
    check(&formula, &two, none);
    check(&quarter, &rows_of("S1", &[jan, feb, mar]), none);
    check(
        &quarter,
        &rows_of("S1", &[jan, feb]),
        &["3: `S1` has a quota in 2026-Q1, but none in 2026-03"],
    );

    // The row of the quarter counts, unless the reward sums months.
    let whole = rows_of("S1", &[("2026-Q1", "20"), jan, mar]);
    check(&quarter, &whole, none);
    check(&of_span, &whole, none);
    check(&to_date, &whole, &["4: `S1` has a quota in 2026-Q1, but none in 2026-02"]);
    let only = rows_of("S1", &[("2026-Q1", "20")]);
    check(&quarter, &only, none);
    check(
        &to_date,
        &only,
        &["2: `S1` has a quota in 2026-Q1, but none in 2026-01, 2026-02, 2026-03"],
    );

    // A row for a title or for all could fit, one for another position could not.
    check(&quarter, &format!("{two}p,*,2026-02,5,\n"), none);
    check(&quarter, &format!("{two}p,title:Rep,2026-02,5,\n"), none);
    let other = format!("{two}{}", rows_of("S2", &[feb]));
    check(&quarter, &other, &[gap, "4: `S2` has a quota in 2026-Q1, but none in 2026-03"]);

    // Who is not there yet, or no more, needs no quota.
    let bob = [("2026-03", "10"), ("2026-04", "10"), ("2026-05", "10"), ("2026-06", "10")];
    check(&quarter, &rows_of("S2", &bob), none);
    check(&quarter, &rows_of("bob", &bob), none);
    check(
        &quarter,
        &rows_of("S2", &[("2026-07", "10")]),
        &["2: `S2` has a quota in 2026-Q3, but none in 2026-08"],
    );

    // Who has left keeps old deals in another position, without a quota of its own.
    let last = [("2026-07", "10"), ("2026-08", "10")];
    check(&quarter, &rows_of("bob", &last), none);
    check(&quarter, &rows_of("S2", &last), none);

    // The holder of a position that the plan does not measure has no quota either.
    let of_title = format!("targets = [\"title:Rep\"]\n{quarter}");
    check(&of_title, &rows_of("cara", &[mar]), none);
    check(&of_title, &rows_of("S3", &[mar]), none);

    // Two people whose months are missing alike are one warning.
    let both = format!("{two}{}", rows_of("ann", &[jan, mar]));
    check(&quarter, &both, &["3: `S1` and 1 more have a quota in 2026-Q1, but none in 2026-02"]);
    let late = rewarded("quarter", "from = 2026-03-01");
    check(&late, &rows_of("S1", &[mar]), none);
}

#[test]
fn a_row_of_another_credit_type_fills_no_gap() {
    let plan = rewarded("quarter", "");
    let rows = "p,S1,2026-01,10,credit\np,S1,2026-02,10,renewal\np,S1,2026-03,10,credit\n";
    let found = read_rewarded(&plan, rows);
    assert_eq!(
        found,
        ["CR098 organization/quotas.csv:4: `S1` has a quota in 2026-Q1, but none in 2026-02"]
    );
    let rows = rows.replace("10,renewal", "10,");
    assert_eq!(read_rewarded(&plan, &rows), Vec::<String>::new());
}
