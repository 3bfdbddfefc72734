//! `exchange_rates.csv` and the currencies of participants: what is read and what is refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::date;

use super::small::SETTINGS;
use crate::{Files, Ruleset};

const UNITS: &str = "unit_types = [\"USD\", \"EUR\", \"GBP\"]\n";

fn read(rows: &str, people: &str) -> (Option<Ruleset>, Vec<String>) {
    let mut files = Files::new();
    let rates = format!("from_unit,to_unit,rate,from,to\n{rows}");
    let people = format!("id,currency,from,to\n{people}");
    let all = [
        ("accredit.toml", format!("{UNITS}{SETTINGS}")),
        ("organization/exchange_rates.csv", rates),
        ("organization/participants.csv", people),
    ];
    for (path, text) in all {
        files.insert(path.to_owned(), Arc::from(text));
    }
    let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
    let findings = findings.iter().map(|found| {
        let place = &found.place;
        format!("{} {}:{}: {}", found.code, place.line, place.column, found.message)
    });
    (ruleset, findings.collect())
}

#[test]
fn what_cannot_be_a_rate_is_refused() {
    let check = |rows: &str, expected: &str| {
        let (ruleset, findings) = read(rows, "");
        assert_eq!(findings, [expected], "{rows}");
        assert!(ruleset.is_none());
    };
    check("USD,EURO,0.9,,\n", "CR025 2:5: there is no unit type `EURO`");
    check("USD,USD,0.9,,\n", "CR032 2:5: a unit is not exchanged into itself");
    check("USD,EUR,0,,\n", "CR032 2:9: `0` is not an exchange rate");
    check("USD,EUR,-0.9,,\n", "CR032 2:9: `-0.9` is not an exchange rate");
    check("USD,EUR,much,,\n", "CR032 2:9: `much` is not an exchange rate");
    check("USD,EUR,0.1234567890123,,\n", "CR032 2:9: `0.1234567890123` is not an exchange rate");
    check("USD,EUR,,,\n", "CR032 2:9: `rate` is blank");
    check(
        "USD,EUR,0.9,,2022-01-31\nUSD,EUR,0.8,2022-01-31,\n",
        "CR034 3:1: `USD` to `EUR` has two rates on the same days",
    );
}

#[test]
fn units_of_rates_and_of_participants_are_currencies() {
    let rows = "USD,EUR,0.9,,2022-01-31\nUSD,EUR,0.8,2022-02-01,\nEUR,USD,1.1,,\n";
    let (ruleset, findings) = read(rows, "ann,GBP,,2022-06-30\nbob,,,\n");
    assert_eq!(findings, Vec::<String>::new());
    let ruleset = ruleset.unwrap();
    let unit = |name: &str| ruleset.settings.units.find(name).unwrap();
    assert!(["USD", "EUR", "GBP"].iter().all(|name| ruleset.rates.is_currency(unit(name))));
    let rate =
        |day| ruleset.rates.rate_on(unit("USD"), unit("EUR"), day).map(|rate| rate.to_string());
    assert_eq!(rate(date(2022, 1, 31)).as_deref(), Some("0.9"));
    assert_eq!(rate(date(2022, 2, 1)).as_deref(), Some("0.8"));
    let organization = &ruleset.organization;
    let ann = organization.find_participant("ann").unwrap();
    assert_eq!(organization.currency_on(ann, date(2022, 6, 30)), Some(unit("GBP")));
    assert_eq!(organization.currency_on(ann, date(2022, 7, 1)), None);
    let (_, findings) = read("", "ann,GBB,,\n");
    assert_eq!(findings, ["CR025 2:5: there is no unit type `GBB`"]);
}
