//! Tables and attributes: what is read, and each mistake with its place.

use std::sync::Arc;

use super::{good, read};
use crate::tables::{TABLE_BYTES_MAX, TABLE_ROWS_MAX};
use accredit_domain::declared::DeclaredValue;
use accredit_domain::organization::attributes::AttributeBearer;
use accredit_domain::plan::reward::TierLimit;
use accredit_domain::work;
use jiff::civil::date;

const PLAN: &str = "plans/ae.toml";
const SETTINGS: &str = "accredit.toml";
const RATES: &str = "tables/rates.csv";
const STEPS: &str = "tables/steps.csv";
const ATTRIBUTES: &str = "organization/attributes.csv";

/// Reads the good directory with a text of one file replaced; `¦` stands where the one finding is.
fn check(code: &str, file: &str, from: &str, to: &str) -> String {
    let mut files = good();
    let text = files.get(file).unwrap_or_else(|| panic!("{file}"));
    assert_eq!(text.matches(from).count(), 1, "{file}: {from}");
    let marked = text.replacen(from, to, 1);
    let place = marked.split_once('¦').map_or((0, 0), |(before, _)| {
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
        (line, column)
    });
    files.insert(file.to_owned(), Arc::from(marked.replace('¦', "")));

    let (_, findings) = read(&files);
    let [finding] = findings.as_slice() else { panic!("{file}: {to}: {findings:#?}") };
    let at = (finding.place.line as usize, finding.place.column as usize);
    assert_eq!((finding.code.as_str(), finding.place.file.as_str()), (code, file), "{finding:?}");
    assert_eq!(at, place, "{finding:?}");
    format!("{} | {}", finding.message, finding.help.clone().unwrap_or_default())
}

#[test]
fn rows_of_a_table_are_read_by_their_declared_columns() {
    let (ruleset, findings) = read(&good());
    let ruleset = ruleset.unwrap_or_else(|| panic!("{findings:?}"));
    let number = |text: &str| text.parse().unwrap();
    let rates = &ruleset.tables.lookups["rates"];
    let found = rates.find_row(&["LAPTOP", "west"], &[number("12")], date(2026, 1, 1)).unwrap();
    // By name: the note, which is blank, and the rate.
    let values = [None, Some(DeclaredValue::Number(number("0.08")))];
    assert_eq!(*found, values);
    let found = rates.find_row(&["Laptop", ""], &[number("12")], date(2026, 1, 1)).unwrap();
    assert_eq!(found[0], Some(DeclaredValue::Text(Arc::from("base"))));

    let steps = &ruleset.tables.tiers["steps"];
    let tiers = steps.tiers_on(&["sales agent"], date(2026, 1, 1)).unwrap();
    let limits: Vec<Option<TierLimit>> = tiers.iter().map(|tier| tier.up_to).collect();
    assert_eq!(limits, [Some(TierLimit::OfQuota(number("1"))), None]);
    assert!(steps.asks_for_quota());
}

#[test]
fn attributes_are_read_by_kind_and_date() {
    let (ruleset, _) = read(&good());
    let organization = ruleset.unwrap().organization;
    let sam = AttributeBearer::Participant(organization.find_participant("sam").unwrap());
    let of = |name: &str, day| organization.attributes.value_on(sam, name, day).cloned();
    let hired = date(2016, 6, 16);
    assert_eq!(of("hire_date", date(2026, 1, 1)), Some(DeclaredValue::Date(hired)));
    assert_eq!(of("level", date(2021, 12, 31)), Some(DeclaredValue::Number(1.into())));
    assert_eq!(of("level", date(2022, 1, 1)), Some(DeclaredValue::Number(2.into())));
    let office = organization.teams.find("EAST").map(AttributeBearer::Team).unwrap();
    let office = organization.attributes.value_on(office, "office", date(2026, 1, 1)).cloned();
    assert_eq!(office, Some(DeclaredValue::Text(Arc::from("Boston"))));
}

#[test]
fn mistakes_in_the_declaration_of_a_table() {
    let keys = "keys = [\"product\", \"region\"]";
    check(
        "CR021",
        SETTINGS,
        "ranges = [\"quantity\"]",
        "¦range = [\"quantity\"]\nranges = [\"quantity\"]",
    );
    check("CR024", SETTINGS, keys, "keys = ¦7");
    check("CR026", SETTINGS, keys, "keys = [\"product\", ¦\"product\", \"region\"]");
    check("CR026", SETTINGS, keys, "keys = [\"product\", \"region\", ¦\"from\"]");
    check("CR026", SETTINGS, keys, "keys = [\"product\", \"region\", ¦\" \"]");
    let nine = "keys = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\", ¦\"i\"]";
    check("CR027", SETTINGS, keys, nine);
    check("CR024", SETTINGS, "rate = \"number\", note", "rate = ¦\"numbr\", note");
    check("CR024", SETTINGS, "level = \"number\"", "level = ¦\"integer\"");
    check(
        "CR025",
        SETTINGS,
        "[tables.steps]",
        "[tables.¦plain]\nvalues = { x = \"text\" }\n[tables.steps]",
    );
    check(
        "CR024",
        SETTINGS,
        "[tables.steps]",
        "[tables.¦\"a/b\"]\nvalues = { x = \"text\" }\n[tables.steps]",
    );
}

#[test]
fn mistakes_in_a_table() {
    check("CR031", RATES, "note,from,to", "note,¦form,to");
    check("CR030", RATES, "Laptop,West,10,0.08,,,", "Laptop,West,10,0.08,,,,¦x");
    check("CR032", RATES, "Laptop,West,10,0.08", "Laptop,West,¦ten,0.08");
    check("CR032", RATES, "Laptop,West,10,0.08", "Laptop,West,10,¦eight");
    check("CR032", RATES, "Phone,*,,0.02,,2026-01-01", "Phone,*,,0.02,,¦2026-13-01");
    let said = check("CR094", RATES, "Phone,*,,0.02", "¦Laptop,West,10,0.02");
    assert!(said.contains("the one in line 4"), "{said}");
    let said = check("CR094", RATES, "Phone,*,,0.02", "¦*,East,,0.02");
    assert!(said.contains("name as many keys"), "{said}");
    check("CR032", STEPS, "Sales Agent,100%,0.05", "Sales Agent,¦0%,0.05");
    check("CR032", STEPS, "Sales Agent,100%,0.05", "Sales Agent,100%,¦high");
    check("CR032", STEPS, "Sales Agent,100%,0.05", "Sales Agent,100%,¦0.0000000000001");
    check("CR094", STEPS, "Manager,,0.02", "Manager,,0.02\n¦Manager,,0.03");
    check("CR024", STEPS, "Sales Agent,,0.10", "Sales Agent,¦500,0.10");
}

#[test]
fn mistakes_in_attributes() {
    check("CR032", ATTRIBUTES, "participant,sam,hire_date", "¦person,sam,hire_date");
    check("CR033", ATTRIBUTES, "participant,sam,hire_date", "participant,¦sma,hire_date");
    check("CR032", ATTRIBUTES, "2016-06-16", "¦16.06.2016");
    check("CR032", ATTRIBUTES, "sam,level,2,2022-01-01", "sam,level,¦two,2022-01-01");
    check(
        "CR034",
        ATTRIBUTES,
        "participant,sam,level,2,2022-01-01",
        "participant,¦sam,level,2,2021-12-31",
    );
    let said = check("CR033", ATTRIBUTES, "sam,hire_date", "sam,¦Hire_Date");
    assert!(said.contains("write `hire_date`"), "{said}");
}

/// The reward of the plan above its tiers.
const REWARD: &str = "[[reward]]
name = \"Commission\"
description = \"what the quarter pays\"
credit_type = [\"booking\", \"overlay\"]
to = \"credited\"
";

const TABLE_REWARD: &str = "¦[[reward]]
name = \"Commission\"
credit_type = \"booking\"
tiers = \"table:steps\"";

#[test]
fn a_reward_names_a_table_of_tiers() {
    let tiers = "tiers = [{ up_to = \"10000\", rate = \"0.10\" }, { rate = \"20%\" }]";
    // Its shares of the quota ask for a quota, which is only a warning.
    let said = check("CR066", PLAN, &format!("{REWARD}{tiers}"), TABLE_REWARD);
    assert!(said.contains("quota"), "{said}");
    let said = check("CR025", PLAN, tiers, "tiers = ¦\"table:stepps\"");
    assert!(said.contains("`steps`"), "{said}");
    check("CR024", PLAN, tiers, "tiers = ¦\"table:rates\"");
    check("CR024", PLAN, tiers, "tiers = ¦\"steps\"");
    // A key that no payee has is reported at the reward, where it could never be found.
    let mut files = good();
    let rename = |text: &str| Arc::from(text.replace("title,up_to", "titel,up_to"));
    files.insert(STEPS.to_owned(), rename(&files[STEPS]));
    let settings = files[SETTINGS].replace("keys = [\"title\"]", "keys = [\"titel\"]");
    files.insert(SETTINGS.to_owned(), Arc::from(settings));
    let plan = files[PLAN].replace(tiers, "tiers = \"table:steps\"");
    files.insert(PLAN.to_owned(), Arc::from(plan));
    let (_, findings) = read(&files);
    let [finding] = findings.as_slice() else { panic!("{findings:#?}") };
    assert_eq!((finding.code.as_str(), finding.place.file.as_str()), ("CR025", PLAN));
    assert!(finding.message.contains("`titel`"), "{finding:?}");
}

/// A file under `tables/` that no one declares looks like a table in use.
#[test]
fn a_table_that_is_not_declared_is_reported() {
    let mut files = good();
    files.insert("tables/rate.csv".to_owned(), Arc::from("product,rate\nLaptop,0.1\n"));
    let (ruleset, findings) = read(&files);
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!((finding.code.as_str(), finding.is_error()), ("CR050", false));
    assert!(finding.help.as_ref().unwrap().contains("rates"), "{finding:?}");
    assert!(ruleset.is_some());
}

#[test]
fn a_table_has_a_limit_of_bytes_and_one_of_rows() {
    let with = |text: String| {
        let mut files = good();
        files.insert(RATES.to_owned(), Arc::from(text));
        let (ruleset, findings) = read(&files);
        assert!(ruleset.is_none());
        findings.iter().map(|finding| format!("{} {}", finding.code, finding.message)).collect()
    };
    let header = "product,region,quantity,rate,note,from,to\n";
    let long: Vec<String> = with(format!("{header}{}", "x".repeat(TABLE_BYTES_MAX)));
    assert!(long[0].starts_with("CR027") && long[0].contains("TABLE_BYTES_MAX"), "{long:?}");
    let rows = format!("{header}{}", "a,,,1,,,\n".repeat(TABLE_ROWS_MAX + 1));
    let many: Vec<String> = with(rows);
    assert!(many[0].starts_with("CR027") && many[0].contains("TABLE_ROWS_MAX"), "{many:?}");
}

/// A table and an attribute decide what is credited, so another content is another ruleset.
#[test]
fn tables_and_attributes_are_a_part_of_the_hash() {
    let hashes = |file: &str, from: &str, to: &str| {
        let mut files = good();
        let text = files[file].replace(from, to);
        files.insert(file.to_owned(), Arc::from(text));
        let ruleset = read(&files).0.unwrap();
        (ruleset.hash.to_string(), ruleset.plan_hashes(), ruleset.reward_hashes())
    };
    let before = hashes(RATES, "0.08", "0.08");
    for (file, from, to) in [(RATES, "0.08", "0.09"), (ATTRIBUTES, "Boston", "Albany")] {
        let after = hashes(file, from, to);
        assert_ne!(before.0, after.0);
        for plan in ["ae", "teams"] {
            assert_ne!(before.1[plan], after.1[plan], "{file}");
            assert_ne!(before.2[plan], after.2[plan], "{file}");
        }
    }
}

/// Each row compared with each other one would be a check of hours for a table of a million rows.
#[test]
fn twice_the_rows_are_twice_the_work() {
    let steps = |count: usize| {
        let mut files = good();
        let rows: String = (0..count)
            .map(|n| {
                format!("P{n},*,,1%,,,\n*,R{n},,2%,,,2025-12-31\nP{n},R{n},{n},3%,,2026-01-01,\n")
            })
            .collect();
        // The rows that name only a region ended before the others begin.
        let rows = rows.replace(",*,,1%,,,", ",*,,1%,,2026-01-01,");
        let text = format!("product,region,quantity,rate,note,from,to\n{rows}");
        files.insert(RATES.to_owned(), Arc::from(text));
        let (ruleset, findings) = read(&files);
        assert!(ruleset.is_some(), "{:?}", findings.first());
        work::steps_done()
    };
    let (one, two) = (steps(200), steps(400));
    assert!(two > one, "nothing is counted");
    assert!(two <= 2 * one + one / 10 + 2000, "{one} steps, and {two} for twice as much");
}

#[test]
fn doubtful_tiers_of_a_table_are_warned_of_as_those_of_a_plan() {
    let said = check("CR064", STEPS, "Manager,,0.02", "Manager,,¦5");
    assert!(said.contains("500 %"), "{said}");
    let said = check("CR065", STEPS, "Manager,,0.02", "Manager,¦0.5,0.02");
    assert!(said.contains("first unit"), "{said}");
}

#[test]
fn tables_and_attributes_that_nothing_reads_are_a_hint() {
    let hints = |files: &crate::Files| -> Vec<String> {
        let (ruleset, _) = read(files);
        let hints = ruleset.unwrap().unused_declarations().into_iter();
        let hints = hints.map(|hint| hint.message);
        hints.filter(|hint| hint.contains("table") || hint.contains("attribute")).collect()
    };
    let mut files = good();
    let all = ["attribute `hire_date`", "attribute `level`", "table `rates`", "table `steps`"];
    let mut found = hints(&files);
    found.sort();
    assert_eq!(found, all.map(|what| format!("nothing reads the {what}")));

    let plan = files[PLAN]
        .replace("[{ up_to = \"10000\", rate = \"0.10\" }, { rate = \"20%\" }]", "\"table:steps\"")
        .replace(
            "value = \"totals.credited / 10\"",
            "value = 'find(\"rates\", \"x\", \"y\", 1).rate * payee[\"level\"]'",
        );
    files.insert(PLAN.to_owned(), Arc::from(plan));
    assert_eq!(hints(&files), ["nothing reads the attribute `hire_date`"]);
}
