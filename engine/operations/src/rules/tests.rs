//! Plans are edited as their authors would: what is not named stays.

use std::sync::Arc;

use serde_json::json;

use super::*;

const PLAN: &str = r#"# Sellers of the north
name = "Sellers"
targets = ["*"]

# Bookings come first.
[[direct]]
name = "Booking" # never renamed
tags = ["core"]
condition = 'tx.amount > 0'
from = 2026-01-01
  [[direct.results]]
  name = "Booking credit"
  value = "tx.amount" # the whole deal

# Renewals of last year.
[[direct]]
name = "Renewal"
to = 2025-12-31
  [[direct.results]]
  name = "Renewal credit"

[[indirect]]
name = "Manager"
relationship = "Reporting"
  [[indirect.results]]
  name = "Manager credit"
"#;

fn files(text: &str) -> Files {
    [("plans/p.toml".to_owned(), Arc::from(text))].into()
}

fn rule(text: &str, name: &str) -> Map<String, Value> {
    all_rules(&files(text))
        .into_iter()
        .find(|rule| rule.name == name)
        .map(|rule| rule.body)
        .unwrap()
}

#[test]
fn rules_are_found_by_each_of_their_parts() {
    let names = |query: Value| -> Vec<String> {
        let wanted: RuleSearch = serde_json::from_value(query).unwrap();
        let rules = all_rules(&files(PLAN)).into_iter().filter(|rule| wanted.matches_rule(rule));
        rules.map(|rule| rule.name).collect()
    };
    assert_eq!(names(json!({})), ["Booking", "Renewal", "Manager"]);
    assert_eq!(names(json!({"tag": ["core"]})), ["Booking"]);
    assert!(names(json!({"tag": ["core", "none"]})).is_empty(), "every tag is wanted");
    assert_eq!(names(json!({"text": "RENEWAL"})), ["Renewal"]);
    assert_eq!(names(json!({"kind": "indirect"})), ["Manager"]);
    assert_eq!(names(json!({"relationship": "Reporting"})), ["Manager"]);
    assert_eq!(names(json!({"active_on": "2025-12-31"})), ["Renewal", "Manager"]);
    assert_eq!(names(json!({"active_on": "2026-01-01"})), ["Booking", "Manager"]);
    assert!(names(json!({"plan": "q"})).is_empty());
}

#[test]
fn an_edit_keeps_everything_that_it_does_not_name() {
    let mut body = rule(PLAN, "Booking");
    assert_eq!(put_rule(PLAN, "Booking", None, &body).unwrap(), PLAN, "the same is no edit");
    body.insert("condition".to_owned(), json!("tx.amount > 10"));
    body.insert("to".to_owned(), json!("2026-06-30"));
    body.remove("tags");
    let edited = put_rule(PLAN, "Booking", None, &body).unwrap();
    let expected = PLAN
        .replace("condition = 'tx.amount > 0'", "condition = \"tx.amount > 10\"")
        .replace("tags = [\"core\"]\n", "")
        .replace("from = 2026-01-01\n", "from = 2026-01-01\nto = 2026-06-30\n");
    assert_eq!(edited, expected);
}

#[test]
fn results_are_edited_one_by_one() {
    let mut body = rule(PLAN, "Booking");
    let results = json!([
        {"name": "Booking credit", "value": "tx.amount"},
        {"name": "Second", "value": "1"},
    ]);
    body.insert("results".to_owned(), results.clone());
    let edited = put_rule(PLAN, "Booking", None, &body).unwrap();
    assert!(edited.contains("value = \"tx.amount\" # the whole deal"), "{edited}");
    assert_eq!(rule(&edited, "Booking")["results"], results);
    assert_eq!(rule(&edited, "Renewal"), rule(PLAN, "Renewal"));
    assert_eq!(rule(&edited, "Manager"), rule(PLAN, "Manager"));
}

#[test]
fn a_copy_stands_behind_the_original_under_its_own_name() {
    let edited = copy_rule(PLAN, "Booking", "Booking 2").unwrap();
    let names: Vec<String> = all_rules(&files(&edited)).into_iter().map(|rule| rule.name).collect();
    assert_eq!(names, ["Booking", "Booking 2", "Renewal", "Manager"], "{edited}");
    let mut original = rule(PLAN, "Booking");
    original.insert("name".to_owned(), json!("Booking 2"));
    assert_eq!(rule(&edited, "Booking 2"), original, "{edited}");
    assert!(edited.contains("# Renewals of last year.\n[[direct]]\nname = \"Renewal\""));
    assert_eq!(
        copy_rule(PLAN, "Booking", "Renewal"),
        Err(RuleEditError::Taken("Renewal".to_owned()))
    );
    assert_eq!(copy_rule(PLAN, "Nothing", "New"), Err(RuleEditError::Missing));
}

#[test]
fn rules_come_and_go() {
    let body = json!({"relationship": "Reporting", "results": [{"name": "X"}]});
    let body = body.as_object().unwrap();
    let edited = put_rule(PLAN, "Director", Some("indirect"), body).unwrap();
    assert_eq!(rule(&edited, "Director")["results"], json!([{"name": "X"}]));
    assert_eq!(remove_rule(&edited, "Director").unwrap(), PLAN);
    assert!(put_rule(PLAN, "Director", None, body).is_err(), "a new rule needs its kind");
    let inexact = json!({"weight": 0.5});
    assert!(put_rule(PLAN, "Booking", None, inexact.as_object().unwrap()).is_err());
}
