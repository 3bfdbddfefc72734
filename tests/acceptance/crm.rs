//! The public CRM data, which nobody made for us: 8,800 opportunities through both ways in.
//!
//! The data is not part of the product: it is found through `ACCREDIT_REAL_DATA`, by default beside the
//! checkout. Its figures are in its own description: 4,238 deals won, worth 10,005,534. On a machine
//! that has no copy the tests pass without it, and the summary of `tests/run` lists them as skipped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use crate::server::{Server, comparable, root, run};

/// The folder of the data set, or `None` on a machine that has no copy of it.
///
/// A folder that was named and is not there fails the test: somebody expects it to run.
pub(crate) fn data_folder() -> Option<PathBuf> {
    let named = std::env::var_os("ACCREDIT_REAL_DATA").map(PathBuf::from);
    let is_named = named.is_some();
    let folder = named.unwrap_or_else(|| root().join("../shared/data"));
    let folder = folder.join("crm-sales-opportunities");

    if folder.is_dir() {
        return Some(folder);
    }
    assert!(!is_named, "ACCREDIT_REAL_DATA: there is no folder {}", folder.display());
    eprintln!("skipped: set ACCREDIT_REAL_DATA to the folder of the public CRM data");
    None
}

pub(crate) fn rows(data: &Path, file: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(data.join(file)).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

pub(crate) fn calculated(data: &Path) -> Json {
    let fixture = root().join("tests/fixtures/crm");
    let pipeline = data.join("sales_pipeline.csv");
    let (fixture, pipeline) = (fixture.to_str().unwrap(), pipeline.to_str().unwrap());
    let arguments = ["calculate", fixture, "--plan", "agents", "--period", "2017"];
    let (code, out, error) =
        run(&[&arguments[..], &["--transactions", pipeline, "--format", "json"]].concat());
    assert_eq!(code, 0, "{error}");
    whole_year(&serde_json::from_str(&out).unwrap())
}

/// The calculations of the months of a year as one.
fn whole_year(months: &Json) -> Json {
    let months = months.as_array().unwrap();
    let mut year = months[0].clone();
    for key in ["credits", "uncredited", "parked", "alerts", "log", "rewards"] {
        let rows = months.iter().flat_map(|month| month[key].as_array().unwrap().clone());
        year[key] = rows.collect();
    }
    year["transactions"] =
        months.iter().map(|month| month["transactions"].as_u64().unwrap()).sum::<u64>().into();
    year
}

fn sum<'a>(credits: impl Iterator<Item = &'a Json>) -> Decimal {
    credits.map(|credit| credit["amount"].as_str().unwrap().parse::<Decimal>().unwrap()).sum()
}

#[test]
fn every_won_deal_is_credited_and_rolls_up_in_full() {
    let Some(data) = data_folder() else { return };
    let calculation = calculated(&data);
    let credits = calculation["credits"].as_array().unwrap();
    let direct = || credits.iter().filter(|credit| credit["kind"] == "direct");
    assert_eq!(calculation["transactions"], 4238);
    assert_eq!(direct().count(), 4238);
    assert_eq!(sum(direct()), Decimal::from(10_005_534));
    assert_eq!(calculation["parked"].as_array().unwrap().len(), 0);
    assert_eq!(calculation["uncredited"].as_array().unwrap().len(), 0);

    // What each manager and office must have, from the raw files and nothing else.
    let mut expected: BTreeMap<String, Decimal> = BTreeMap::new();
    let teams: BTreeMap<String, (String, String)> = rows(&data, "sales_teams.csv")
        .into_iter()
        .map(|row| {
            (row["sales_agent"].clone(), (row["manager"].clone(), row["regional_office"].clone()))
        })
        .collect();
    let deals = rows(&data, "sales_pipeline.csv");
    for deal in deals.iter().filter(|deal| deal["deal_stage"] == "Won") {
        let value: Decimal = deal["close_value"].parse().unwrap();
        let (manager, office) = &teams[&deal["sales_agent"]];
        for who in [&deal["sales_agent"], manager, office] {
            *expected.entry(who.clone()).or_default() += value;
        }
    }
    let mut actual: BTreeMap<String, Decimal> = BTreeMap::new();
    // In the fixture everybody sits in a position of their own name.
    for credit in credits {
        let who = credit["position"].as_str().unwrap().to_owned();
        *actual.entry(who).or_default() += sum(std::iter::once(credit));
    }
    assert_eq!(actual, expected);
}

#[test]
fn the_webhook_and_the_command_line_agree_credit_by_credit_and_twice_is_once() {
    let Some(data) = data_folder() else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("crm.redb");
    let server = Server::start(&file, &root().join("tests/fixtures/crm"));
    let deals = rows(&data, "sales_pipeline.csv");
    assert_eq!(deals.len(), 8800);
    for round in 0..2 {
        std::thread::scope(|scope| {
            for lane in 0..8 {
                let (server, deals) = (&server, &deals);
                scope.spawn(move || {
                    for (index, deal) in deals.iter().enumerate().filter(|(i, _)| i % 8 == lane) {
                        let id = format!("msg_{round}_{index}");
                        let reply = server.hook(&id, &json!(deal).to_string()).unwrap();
                        assert_eq!(reply.status, 202, "{}", reply.body);
                    }
                });
            }
        });
        server.settle();
        let posted = server.credits("period=2017");
        let calculation = calculated(&data);
        let expected = calculation["credits"].as_array().unwrap();
        assert_eq!(posted.len(), expected.len(), "round {round}");
        assert!(comparable(&posted) == comparable(expected), "round {round}: credits differ");
    }
}
