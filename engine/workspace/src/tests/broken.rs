//! Every kind of mistake, each made once in the good directory, with the one finding it causes.
//!
//! A case replaces text of one file; `¦` in the new text stands where the finding must be and is no
//! part of it. A case without `¦` is about the whole file.

use std::sync::Arc;

use super::{good, read};
use accredit_domain::diagnostic::CODES;

const SETTINGS: &str = "accredit.toml";
const PLAN: &str = "plans/ae.toml";
const PARTICIPANTS: &str = "organization/participants.csv";
const POSITIONS: &str = "organization/positions.csv";
const ASSIGNMENTS: &str = "organization/assignments.csv";
const RELATIONSHIPS: &str = "organization/relationships.csv";
const ALIASES: &str = "organization/aliases.csv";
const TEAM_PLAN: &str = "plans/teams.toml";
const TEAMS: &str = "organization/teams.csv";
const MEMBERS: &str = "organization/members.csv";
const TERRITORIES: &str = "organization/territories.csv";

const WORKSPACE: &str = "\
[workspace]
name = \"Acme\"
time_zone = \"UTC\"
currency = \"USD\"
scale = 2
";

const DATED: &str = "\
[fields]
id = [\"opportunity_id\"]
date = { field = \"close_date\", format = \"%m/%d/%Y\" }
";

type Case = (&'static str, &'static str, &'static str, &'static str);

/// Code, file, text, text instead.
#[rustfmt::skip]
const SETTINGS_CASES: &[Case] = &[
    ("CR020", SETTINGS, "name = \"Acme\"", "name = ¦Acme"),
    ("CR020", SETTINGS, "scale = 2", "scale = 2\n¦scale = 3"),
    ("CR021", SETTINGS, "time_zone = ", "¦time_zon = "),
    ("CR021", SETTINGS, "credit_types", "¦surprise = 1\ncredit_types"),
    ("CR021", SETTINGS, "[calendar]", "[¦calender]\n[calendar]"),
    ("CR023", SETTINGS, "[workspace]\nname = \"Acme\"", "¦[workspace]"),
    ("CR023", SETTINGS, "[fields]\nid = [\"opportunity_id\"]", "¦[fields]"),
    ("CR023", SETTINGS, DATED,
     "¦[fields]\nid = [\"opportunity_id\"]\nupdated = \"close_date\"\n"),
    ("CR023", SETTINGS, WORKSPACE,
     ""),
    ("CR023", SETTINGS, "{ field = \"close_date\", ", "¦{ "),
    ("CR023", SETTINGS, "[sources.crm]\nconnector = \"standard-webhooks\"", "¦[sources.crm]"),
    ("CR024", SETTINGS, "name = \"Acme\"", "name = ¦5"),
    ("CR024", SETTINGS, "name = \"Acme\"", "name = ¦\"  \""),
    ("CR024", SETTINGS, "currency = \"USD\"\nscale = 2", "currency = \"USD\"\nscale = ¦2.5"),
    ("CR024", SETTINGS, "scale = 0", "scale = ¦99"),
    ("CR024", SETTINGS, "year_starts = 7", "year_starts = ¦13"),
    ("CR024", SETTINGS, "kind = \"monthly\"", "kind = ¦\"mothly\""),
    ("CR024", SETTINGS, "Quantity = \"number\"", "Quantity = ¦\"numeric\""),
    ("CR024", SETTINGS, "Quantity = \"number\"", "Quantity = ¦7"),
    ("CR024", SETTINGS, "{ date = \"%m/%d/%Y\" }", "{ date = ¦\"%m/%Y\" }"),
    ("CR024", SETTINGS, "Quantity = \"number\"", "Quantity = \"number\"\n¦close_value = \"text\""),
    ("CR024", SETTINGS, "{ date = \"%m/%d/%Y\" }", "{ date = [\"iso\", ¦\"%m/%Y\"] }"),
    ("CR024", SETTINGS, "{ date = \"%m/%d/%Y\" }", "¦{ date = \"iso\", text = \"exact\" }"),
    ("CR024", SETTINGS, "{ number = \"1.234,56\" }", "{ number = ¦\"1.234\" }"),
    ("CR024", SETTINGS, "{ text = \"exact\" }", "{ text = ¦\"trimmed\" }"),
    ("CR021", SETTINGS, "blanks = ", "¦blank = "),
    ("CR024", SETTINGS, "id = [\"opportunity_id\"]",
     "id = { field = \"opportunity_id\", as = ¦\"salesfroce\" }"),
    ("CR024", SETTINGS, "received = \"loaded_on\"",
     "received = { field = \"loaded_on\", format = ¦\"%H:%M\" }"),
    ("CR024", SETTINGS, "preassigned = \"seats\"", "quantity = ¦\"close_date\""),
    ("CR024", SETTINGS, "\"policy:from-crm\"", "¦\"from-crm\""),
    ("CR024", SETTINGS, "[sources.crm]", "won2 = ¦\"query:won\"\n[sources.crm]"),
    ("CR024", SETTINGS, "[sources.crm]", "won2 = ¦\"polcy:won\"\n[sources.crm]"),
    ("CR025", SETTINGS, "currency = \"USD\"", "currency = ¦\"EUR\""),
    ("CR025", SETTINGS, "\"policy:from-crm\"", "¦\"policy:from-crn\""),
    ("CR025", SETTINGS, "amount = \"close_value\"", "amount = ¦\"close_vlaue\""),
    ("CR026", SETTINGS, "[\"booking\", \"overlay\"]", "[\"booking\", \"overlay\", ¦\"booking\"]"),
    ("CR026", SETTINGS, "[\"Overlay\", ", "[¦\"Reporting\", \"Overlay\", "),
    ("CR026", SETTINGS, "scale = 0 }", "scale = 0 }, ¦\"USD\""),
];

#[rustfmt::skip]
const PLAN_CASES: &[Case] = &[
    ("CR020", PLAN, "split = \"equal\"", "split = ¦equal"),
    ("CR021", PLAN, "split = \"equal\"", "¦splt = \"equal\""),
    ("CR021", PLAN, "rollable = true", "¦rolable = true"),
    ("CR021", PLAN, "{ and = \"Renewal\", is", "{ and = \"Renewal\", ¦iff = 1, is"),
    ("CR021", PLAN, "maximum_scope = \"item\"", "¦rollable = true"),
    ("CR025", PLAN, "receivers = [\"*\"]", "sources = [¦\"reps\"]"),
    ("CR024", PLAN, "receivers = [\"*\"]", "sources = [¦\"teams\"]"),
    ("CR023", PLAN, "name = \"Account executives\"\n", ""),
    ("CR023", PLAN, "[[indirect]]\nname = \"Manager\"\nrelationship = \"Reporting\"",
     "¦[[indirect]]\nname = \"Manager\""),
    ("CR023", PLAN, "[[direct.results]]\n  name = \"Column credit\"\n  credit_type = \"booking\"",
     "¦[[direct.results]]\n  name = \"Column credit\""),
    ("CR023", PLAN, "{ or = \"amount\", is = \">\",", "¦{ or = \"amount\","),
    ("CR023", PLAN, "{ or = \"amount\",", "¦{ if = \"amount\","),
    ("CR024", PLAN, "from = 2017-01-01", "from = ¦\"2017-01-01\""),
    ("CR024", PLAN, "to = 2017-12-31", "to = ¦2016-12-31"),
    ("CR024", PLAN, "period = \"quarter\"", "period = ¦\"week\""),
    ("CR024", PLAN, "split = \"equal\"", "split = ¦\"even\""),
    ("CR024", PLAN, "require_total_one = true", "require_total_one = ¦\"true\""),
    ("CR024", PLAN, "[\"vacant\", ", "[¦\"vacnt\", "),
    ("CR024", PLAN, "receivers = [\"*\"]", "receivers = ¦[]"),
    ("CR024", PLAN, "\"position:MGR-1\"", "¦\"MGR-1\""),
    ("CR024", PLAN, "\"position:MGR-1\"", "¦\"postion:MGR-1\""),
    ("CR024", PLAN, "hold = \"big\"", "hold = ¦\"policy:big\""),
    ("CR024", PLAN, "assign = \"owner\"", "assign = ¦\"ownr\""),
    ("CR024", PLAN, "\"days:30\"", "¦\"day:30\""),
    ("CR024", PLAN, "\"days:30\"", "¦\"days:-1\""),
    ("CR024", PLAN, "\"days:30\"", "¦\"days:many\""),
    ("CR024", PLAN, "\"days:30\"", "¦\"days:99999999\""),
    ("CR024", PLAN, "\"days:30\"", "¦\"days:99999999999\""),
    ("CR024", PLAN, "\"days:30\"", "¦\"years:301\""),
    ("CR024", PLAN, "\"days:30\"", "¦\"forever\""),
    ("CR024", PLAN, "\"days:30\"", "¦\"date:31.3.2017\""),
    ("CR024", PLAN, "\"days:30\"", "¦\"period:2017-13\""),
    ("CR024", PLAN, "\"days:30\"", "¦\"next:week\""),
    ("CR024", PLAN, "\"days:30\"", "¦\"query:won\""),
    ("CR024", PLAN, "\"days:30\"", "¦30"),
    ("CR024", PLAN, "maximum = \"10000\"", "maximum = ¦100.5"),
    ("CR024", PLAN, "duplicates = true", "duplicates = ¦1"),
    ("CR024", PLAN, "value = \"tx.amount\"", "value = ¦\"\""),
    ("CR024", PLAN, "value = \"tx.amount\"", "value = ¦\"query:won\""),
    ("CR024", PLAN, "value = \"tx.amount\"", "value = ¦\"polic:shrink\""),
    ("CR024", PLAN, "\"item\"", "¦\"items\""),
    ("CR024", PLAN, "value = \"100.5\"", "value = ¦\"much\""),
    ("CR024", PLAN, "value = 2017-03-01", "value = ¦\"March\""),
    ("CR024", PLAN, "is = \"contains\"", "is = ¦\"like\""),
    ("CR024", PLAN, "is = \"!=\", value = true", "is = ¦\"<\", value = true"),
    ("CR024", PLAN, "{ or = \"amount\", is = \">\"", "{ or = \"amount\", is = ¦\"contains\""),
    ("CR025", PLAN, "\"query:won\"\nsplit", "¦\"query:own\"\nsplit"),
    ("CR025", PLAN, "\"title:sales agent\"", "¦\"title:sales agnt\""),
    ("CR025", PLAN, "\"position:MGR-1\"", "¦\"position:MGR-2\""),
    ("CR025", PLAN, "\"participant:pete\"", "¦\"participant:pet\""),
    ("CR025", PLAN, "{ rollup = \"shrink\"", "{ rollup = ¦\"srink\""),
    ("CR025", PLAN, "{ rollup = \"shrink\"", "{ rollup = ¦\"big\""),
    ("CR025", PLAN, "\"standard/owner\"", "¦\"standard/owners\""),
    ("CR025", PLAN, "\"field:deal_stage\"", "¦\"field:deal_stge\""),
    ("CR025", PLAN, "\"policy:won\"", "¦\"policy:on\""),
    ("CR025", PLAN, "{ if = \"deal_stage\"", "{ if = ¦\"deal_stag\""),
    ("CR025", PLAN, "\"JPY\"", "¦\"JPX\""),
    ("CR025", PLAN, "credit_type = \"overlay\"\n  maximum",
     "credit_type = ¦\"overlap\"\n  maximum"),
    ("CR025", PLAN, "reason_code = \"Advance\"", "reason_code = ¦\"Advanced\""),
    ("CR025", PLAN, "relationship = \"Mentor\"", "relationship = ¦\"Mentr\""),
    ("CR026", PLAN, "name = \"Column\"", "name = ¦\"Booking\""),
    ("CR026", PLAN, "name = \"Manager\"", "name = ¦\"Booking\""),
    ("CR026", PLAN, "name = \"Overlay credit\"", "name = ¦\"Booking credit\""),
    ("CR027", PLAN, "name = \"Column\"",
     "name = ¦\"A name that has sixty-five characters, which is one more than fits.\""),
];

#[rustfmt::skip]
const ORGANIZATION_CASES: &[Case] = &[
    ("CR030", PARTICIPANTS, "\"Pierce, Pete\"", "¦\"Pierce, Pete"),
    ("CR030", PARTICIPANTS, "\"Pierce, Pete\"", "¦\"Pierce\" Pete"),
    ("CR030", POSITIONS, "SE-1,Engineer,,,", "SE-1,Engineer,,,,¦x"),
    ("CR030", POSITIONS, "SE-1,Engineer,,,", "¦SE-1,Engineer"),
    ("CR031", POSITIONS, "id,title", "id,¦titel"),
    ("CR031", PARTICIPANTS, "email,currency", "email,¦title"),
    ("CR031", POSITIONS, "id,title,manager,from,to", "id,title,manager,from,¦from"),
    ("CR025", PARTICIPANTS, "sam@acme.test,USD", "sam@acme.test,¦EUR"),
    ("CR032", PARTICIPANTS, "mia,Mia Moss,mia@acme.test,,,",
     "mia,Mia Moss,mia@acme.test,,¦1/2/2022,"),
    ("CR032", PARTICIPANTS, "mia,Mia Moss,mia@acme.test,,,",
     "mia,Mia Moss,mia@acme.test,,2022-02-01,¦2022-01-01"),
    ("CR032", ASSIGNMENTS, ",,2022-06-30", ",,¦2022-06-31"),
    ("CR032", RELATIONSHIPS, "REP-1,SE-1", "REP-1,¦"),
    ("CR032", ALIASES, "position,SE-1", "¦seat,SE-1"),
    ("CR033", POSITIONS, "REP-2,Sales Agent,MGR-1", "REP-2,Sales Agent,¦MGR-9"),
    ("CR033", ASSIGNMENTS, "MGR-1,mia", "MGR-1,¦mai"),
    ("CR033", ASSIGNMENTS, "MGR-1,mia", "MGR-1,\"¦mai\""),
    ("CR033", ASSIGNMENTS, "MGR-1,mia", "¦MRG-1,mia"),
    ("CR033", RELATIONSHIPS, "Overlay,REP-1", "¦Overly,REP-1"),
    ("CR033", RELATIONSHIPS, "Overlay,REP-1", "¦Reporting,REP-1"),
    ("CR033", RELATIONSHIPS, "REP-1,SE-1", "REP-1,¦SE-2"),
    ("CR033", ALIASES, "participant,sam", "participant,¦samm"),
    ("CR034", POSITIONS, "REP-1,Senior Agent,MGR-1,2022-07-01",
     "REP-1,Senior Agent,¦MGR-1,2022-06-30"),
    ("CR034", PARTICIPANTS, "mia,Mia Moss,mia@acme.test,,,", "mia,Mia Moss,,,,\n¦mia,Mia Moss,,,,"),
    ("CR034", ASSIGNMENTS, "REP-1,pete,2022-07-01", "¦REP-1,pete,2022-06-30"),
    ("CR035", POSITIONS, "MGR-1,Manager,,,", "MGR-1,Manager,¦REP-1,2022-01-01,"),
    ("CR035", POSITIONS, "SE-1,Engineer,,,", "SE-1,Engineer,¦SE-1,,2022-12-31"),
    ("CR036", ALIASES, "position,SE-1,The Engineer", "position,SE-1,¦Mia Moss"),
    ("CR036", ALIASES, "participant,sam,S. Stone,,",
     "participant,sam,Stone,,\nparticipant,mia, ¦stone ,,"),
];

#[rustfmt::skip]
const TEAM_CASES: &[Case] = &[
    ("CR024", PLAN, "\"Reporting\"", "¦\"Parent Team\""),
    ("CR025", PLAN, "\"position:MGR-1\"", "¦\"team:EAAST\""),
    ("CR025", PLAN, "assign = \"owner\"", "assign = [\"owner\", ¦\"territory:WEST\"]"),
    ("CR024", PLAN, "assign = \"owner\"", "assign = [\"owner\", ¦\"territories\"]"),
    ("CR024", PLAN, "assign = \"owner\"", "assign = ¦[]"),
    ("CR024", PLAN, "assign = \"owner\"", "assign = \"owner\"\nmembers = ¦\"all\""),
    ("CR025", PLAN, "assign = \"owner\"", "assign = [\"owner\", ¦\"team\"]"),
    ("CR024", TEAM_PLAN, "assign", "members = ¦\"equal\"\nassign"),
    ("CR024", TEAM_PLAN, "targets = [\"team:EAST\"", "targets = [¦\"title:Manager\""),
    ("CR024", TEAM_PLAN, "\"Parent Team\"", "¦\"Reporting\""),
    ("CR024", TEAM_PLAN, "\"Parent Team\"", "¦\"Team\""),
    ("CR025", TEAM_PLAN, "\"Parent Team\"", "¦\"Parent\""),
    ("CR032", TEAMS, "US,United States,,,,", "US,United States,,,,\n¦,Nowhere,,,,"),
    ("CR032", TEAMS, "2017-01-01,", "¦1.1.2017,"),
    ("CR033", TEAMS, "EAST,East,US,MGR-1", "EAST,East,¦USA,MGR-1"),
    ("CR033", TEAMS, "EAST,East,US,MGR-1", "EAST,East,US,¦MGR-9"),
    ("CR034", TEAMS, "US,United States,,,,", "US,United States,,,,\n¦US,USA,,,2018-01-01,"),
    ("CR032", MEMBERS, "60000", "¦60k"),
    ("CR032", MEMBERS, "60000", "¦-1"),
    ("CR033", MEMBERS, "EAST,sam", "EAST,¦samm"),
    ("CR033", MEMBERS, "EAST,sam", "¦EAAST,sam"),
    ("CR034", MEMBERS, "EAST,sam,60000,,", "EAST,sam,60000,,\nEAST,¦sam,1,2017-01-01,"),
    ("CR032", TERRITORIES, "deal_stage,Won", "deal_stage,¦"),
    ("CR032", TERRITORIES, "Quantity,1,10", "Quantity,¦few,10"),
    ("CR032", TERRITORIES, "Quantity,1,10", "Quantity,10,¦1"),
    ("CR033", TERRITORIES, "deal_stage,Won", "¦deal_stge,Won"),
    ("CR033", TERRITORIES, "deal_stage,Won", "¦product,Won"),
    ("CR033", TERRITORIES, "EAST,deal_stage", "¦EAAST,deal_stage"),
    ("CR033", ALIASES, "team,EAST", "team,¦EAAST"),
    ("CR033", RELATIONSHIPS, "Overlay,EAST,US", "¦Team,EAST,US"),
    ("CR033", RELATIONSHIPS, "Overlay,EAST,US", "Overlay,EAST,¦SE-1"),
    ("CR033", RELATIONSHIPS, "Overlay,EAST,US", "Overlay,EAST,¦USA"),
    ("CR036", ALIASES, "team,EAST,New York", "team,EAST,¦United States"),
];

fn check(cases: &[Case]) {
    let failed: Vec<String> = cases.iter().filter_map(|case| failure(*case)).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What is wrong with the findings of one case.
fn failure((code, file, old, new): Case) -> Option<String> {
    let mut files = good();
    let text = files[file].clone();
    assert!(text.contains(old), "{file} has no {old}");
    let marked = text.replacen(old, new, 1);
    let (line, column) = place(&marked);
    files.insert(file.to_owned(), Arc::from(marked.replace('¦', "")));
    let (ruleset, findings) = read(&files);
    let found: Vec<_> = findings
        .iter()
        .map(|it| (it.code.as_str(), it.place.file.as_str(), it.place.line, it.place.column))
        .collect();
    assert!(findings.iter().all(|finding| finding.help.is_some()), "{findings:?}");
    assert!(CODES.iter().any(|(known, _)| *known == code), "{code}");
    let stopped = findings.iter().any(|finding| finding.is_error());
    let right = found == [(code, file, line, column)] && ruleset.is_none() == stopped;
    (!right).then(|| format!("{new:?} at {line}:{column} of {file} gives {findings:#?}"))
}

/// Line and column of `¦`; zeros where there is none.
fn place(text: &str) -> (u32, u32) {
    for (line, text) in (1..).zip(text.lines()) {
        for (column, character) in (1..).zip(text.chars()) {
            if character == '¦' {
                return (line, column);
            }
        }
    }
    (0, 0)
}

#[rustfmt::skip]
const REWARD_CASES: &[Case] = &[
    ("CR025", PLAN, "{ rollup = ", "{ reward = ¦\"x\", rollup = "),
    ("CR026", PLAN, "name = \"Bonus\"", "name = ¦\"Commission\""),
    ("CR025", PLAN, "credit_type = [\"booking\", \"overlay\"]",
     "credit_type = [\"booking\", ¦\"overlai\"]"),
    ("CR024", PLAN, "credit_type = [\"booking\", \"overlay\"]", "credit_type = ¦[]"),
    ("CR023", PLAN, "{ rate = \"20%\" }", "¦{ up_to = \"20000\" }"),
    ("CR023", PLAN, "{ up_to = \"10000\", rate", "¦{ rate"),
    ("CR024", PLAN, "rate = \"20%\"", "rate = ¦\"lots\""),
    ("CR024", PLAN, "rate = \"20%\"", "rate = ¦0.2"),
    ("CR024", PLAN, "{ rate = \"20%\" }", "{ up_to = ¦\"10000\", rate = \"20%\" }"),
    ("CR024", PLAN, "{ rate = \"20%\" }", "{ up_to = ¦\"200%\", rate = \"20%\" }"),
    ("CR024", PLAN, "up_to = \"10000\"", "up_to = ¦\"-1\""),
    ("CR024", PLAN, "to = \"credited\"", "to = ¦\"members\""),
    ("CR024", PLAN, "to = \"credited\"", "to = ¦\"everybody\""),
    ("CR024", PLAN, "retroactive = true", "value = ¦\"1\""),
    ("CR024", PLAN, "value = \"totals.", "retroactive = ¦true\nvalue = \"totals."),
    ("CR023", PLAN, "[[reward]]\nname = \"Bonus\"\ncredit_type = \"booking\"\nvalue",
     "¦[[reward]]\nname = \"Bonus\"\ncredit_type = \"booking\"\ndescription"),
    ("CR002", PLAN, "totals.credited / 10", "payee.¦titel"),
];

#[test]
fn rewards() {
    check(REWARD_CASES);
}

#[test]
fn settings() {
    check(SETTINGS_CASES);
}

#[test]
fn plans() {
    check(PLAN_CASES);
}

#[test]
fn teams() {
    check(TEAM_CASES);
}

#[test]
fn organizations() {
    check(ORGANIZATION_CASES);
}

#[test]
fn files() {
    let cases = [
        ("CR024", "policies/rolup/x.rhai"),
        ("CR050", "organization/position.csv"),
        ("CR050", "organization/people.xlsx"),
        ("CR050", "organisation/positions.csv"),
        ("CR050", "plans/old/ae.toml"),
        ("CR050", "plans/ae.tml"),
        ("CR050", "policies/x.rhai"),
        ("CR050", "acredit.toml"),
    ];
    for (code, path) in cases {
        let mut files = good();
        files.insert(path.to_owned(), Arc::from("id\n"));
        let (_, findings) = read(&files);
        let found: Vec<_> = findings
            .iter()
            .map(|it| (it.code.as_str(), it.place.file.as_str(), it.place.line))
            .collect();
        assert_eq!(found, [(code, path, 0)]);
    }
}

#[test]
fn what_is_no_definition_is_left_alone() {
    let mut files = good();
    for path in ["README.md", "transactions/x.csv", "plans/.gitkeep", "notes/a.txt", "plans/x.md"] {
        files.insert(path.to_owned(), Arc::from(""));
    }
    assert_eq!(read(&files).1, []);
}

/// A person in two seats may have the name of one of them: it is no other position.
#[test]
fn a_name_of_a_person_and_of_their_seat_is_one_meaning() {
    let mut files = good();
    let seats = files[ASSIGNMENTS].replace("MGR-1,mia", "REP-2,mia,,\nMGR-1,mia");
    let names = files[ALIASES].replace("position,SE-1,The Engineer", "position,REP-2,Mia Moss");
    files.insert(ASSIGNMENTS.to_owned(), Arc::from(seats));
    files.insert(ALIASES.to_owned(), Arc::from(names));
    assert_eq!(read(&files).1, []);
}
