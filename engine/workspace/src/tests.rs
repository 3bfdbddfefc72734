//! One realistic directory that reads without a finding, and a table of broken ones.

mod broken;
mod calendar;
mod doubts;
mod exchange;
mod laws;
mod linear;
mod parameters;
mod people;
mod quotas;
mod reading;
mod schema;
mod shared;
mod small;
mod sources;
mod tables;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Files, Ruleset};
use accredit_domain::diagnostic::Diagnostic;

/// A directory that reads without a finding.
fn good() -> Files {
    let files = [
        ("accredit.toml", include_str!("tests/good/accredit.toml")),
        ("plans/ae.toml", include_str!("tests/good/plans/ae.toml")),
        ("plans/ae.cases.md", "# not read here\n"),
        (
            "policies/rollup/shrink.rhai",
            "fn roll(tx, credit, to, existing) { credit.amount / 2 }\n",
        ),
        ("policies/crediting/by-rep.rhai", "fn credit(tx) { tx.default_credit }\n"),
        ("policies/filter/won.rhai", "fn include(tx) { true }\n"),
        ("policies/hold/big.rhai", "fn hold(tx, credit) { no_hold() }\n"),
        ("policies/intake/from-crm.rhai", "fn map(payload) { payload }\n"),
        ("organization/participants.csv", PARTICIPANTS),
        ("organization/positions.csv", POSITIONS),
        ("organization/assignments.csv", ASSIGNMENTS),
        ("organization/relationships.csv", RELATIONSHIPS),
        ("organization/aliases.csv", ALIASES),
        ("organization/teams.csv", TEAMS),
        ("organization/members.csv", MEMBERS),
        ("organization/territories.csv", TERRITORIES),
        ("plans/teams.toml", TEAM_PLAN),
        ("organization/attributes.csv", ATTRIBUTES),
        ("tables/rates.csv", RATES),
        ("tables/steps.csv", STEPS),
    ];
    files.into_iter().map(|(path, text)| (path.to_owned(), Arc::from(text))).collect()
}

const PARTICIPANTS: &str = "\
id,name,email,currency,from,to
sam,Sam Stone,sam@acme.test,USD,,
pete,\"Pierce, Pete\",,,2022-01-01,
mia,Mia Moss,mia@acme.test,,,
";

const POSITIONS: &str = "\
id,title,manager,from,to
REP-1,Sales Agent,MGR-1,,2022-06-30
REP-1,Senior Agent,MGR-1,2022-07-01,
REP-2,Sales Agent,MGR-1,,
MGR-1,Manager,,,
SE-1,Engineer,,,
";

const ASSIGNMENTS: &str = "\
position,participant,from,to
REP-1,sam,,2022-06-30
REP-1,pete,2022-07-01,
MGR-1,mia,,
";

const RELATIONSHIPS: &str = "\
type,source,target,from,to
Overlay,REP-1,SE-1,,2022-12-31
Overlay,EAST,US,,
";

const ALIASES: &str = "\
kind,id,alias,from,to
participant,sam,S. Stone,,
position,SE-1,The Engineer,2022-01-01,2022-12-31
team,EAST,New York,,
";

const TEAMS: &str = "\
id,name,parent,manager,from,to
EAST,East,US,MGR-1,2017-01-01,
US,United States,,,,
";

const MEMBERS: &str = "\
team,participant,weight,from,to
EAST,sam,60000,,
EAST,pete,,,
";

const TERRITORIES: &str = "\
team,field,value,through,from,to
EAST,deal_stage,Won,,,
EAST,Quantity,1,10,2017-01-01,
";

const ATTRIBUTES: &str = "\
kind,id,name,value,from,to
participant,sam,hire_date,2016-06-16,,
participant,sam,level,1,,2021-12-31
participant,sam,level,2,2022-01-01,
position,SE-1,level,4,,
team,EAST,office,Boston,,
";

const RATES: &str = "\
product,region,quantity,rate,note,from,to
*,*,,1%,base,,
Laptop,*,,0.05,base,,
Laptop,West,10,0.08,,,
Phone,*,,0.02,,2026-01-01,
";

const STEPS: &str = "\
title,up_to,rate
Sales Agent,100%,0.05
Sales Agent,,0.10
Manager,,0.02
";

const TEAM_PLAN: &str = "\
name = \"Teams\"
measure = \"team\"
targets = [\"team:EAST\"]

[[direct]]
name = \"Territory\"
assign = [\"territory:US\", \"field:deal_stage\"]
  [[direct.results]]
  name = \"Territory credit\"
  credit_type = \"booking\"
  rollable = true

[[indirect]]
name = \"Above\"
relationship = \"Parent Team\"
receivers = [\"*\"]
  [[indirect.results]]
  name = \"Credit above\"
";

/// Columns seen under `transactions/`.
fn observed() -> BTreeSet<String> {
    let names = [
        "opportunity_id",
        "close_date",
        "close_value",
        "sales_agent",
        "seats",
        "engineer",
        "desk",
        "deal_stage",
        "Quantity",
        "Renewal",
        "Invoice Date",
        "loaded_on",
        "seen",
    ];
    names.into_iter().map(str::to_owned).collect()
}

fn read(files: &Files) -> (Option<Ruleset>, Vec<Diagnostic>) {
    Ruleset::read(files, &observed())
}
