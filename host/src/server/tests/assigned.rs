//! Alerts and the people who take care of them.

use serde_json::{Value, json};

use super::{Host, Reply, SETTINGS, deal};

/// A server with an alert of each kind: of a decision, of an adjustment, of an enquiry, of a delivery.
fn started() -> Host {
    let host = Host::start();
    let codes = "credit_types = [\"booking\"]\nreason_codes = [\"error\"]\n";
    let change = json!({ "files": { "accredit.toml": format!("{codes}{SETTINGS}") } });
    assert_eq!(host.api("POST", "/v1/changes", &[], &change.to_string()).status, 200);

    host.deliver("msg_1", &deal("A", "100", ""));
    host.deliver("msg_2", "{\"id\":\"A\",\"amount\":500}");
    host.deliver("msg_3", &deal("B", "100", ""));
    let credit = host.credits("B")[0]["id"].as_str().unwrap().to_owned();
    let adjusted = json!({ "action": "adjust_to", "amount": "5", "reason_code": "error" });
    let path = format!("/v1/credits/{credit}/adjustments");
    assert_eq!(host.api("POST", &path, &[], &adjusted.to_string()).status, 200);
    host.deliver("msg_4", &deal("B", "100", "").replace("ann", "bob"));
    host.deliver("msg_5", "{not json");
    let asked = json!({ "kind": "missing", "text": "Where is D-1?" }).to_string();
    assert_eq!(host.api("POST", "/v1/payees/ann/enquiries", &[], &asked).status, 201);
    host.drained();
    host
}

fn assign(host: &Host, id: &str, to: Value) -> Reply {
    host.api("POST", &format!("/v1/alerts/{id}/assign"), &[], &json!({ "to": to }).to_string())
}

/// The code, the id and the assignee of every alert of a list.
fn listed(host: &Host, query: &str) -> Vec<(String, String, Value)> {
    let page = host.get(&format!("/v1/alerts{query}"));
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let rows = page["data"].as_array().unwrap().iter();
    rows.map(|row| (text(row, "code"), text(row, "id"), row["assignee"].clone())).collect()
}

fn codes(alerts: &[(String, String, Value)]) -> Vec<&str> {
    alerts.iter().map(|(code, ..)| code.as_str()).collect()
}

/// Of thirty alerts nobody knew which ones another person was looking at.
#[test]
fn every_kind_of_alert_is_given_to_a_person_and_found_again() {
    let mut host = started();
    let all = listed(&host, "");
    let every = ["columns_missing", "adjustment_not_applied", "enquiry", "dead_letter"];
    assert_eq!(codes(&all), every);
    assert!(all.iter().all(|(.., assignee)| assignee.is_null()), "{all:?}");

    for (code, id, _) in &all {
        let given = assign(&host, id, json!("ida"));
        assert_eq!(given.status, 200, "{}", given.text);
        let given = given.json();
        assert_eq!((&given["code"], &given["id"]), (&json!(code), &json!(id)));
        assert_eq!(given["assignee"], "ida");
    }
    assert_eq!(host.get("/v1/enquiries?assignee=ida")["data"][0]["state"], "in_progress");

    host.stop();
    host.run();
    let mut of_ida = listed(&host, "?assignee=ida");
    of_ida.sort_by_key(|(code, ..)| every.iter().position(|known| known == code));
    assert_eq!(codes(&of_ida), every);
    assert!(of_ida.iter().all(|(.., assignee)| assignee == "ida"), "{of_ida:?}");
    assert_eq!(listed(&host, "").len(), 4);
    assert_eq!(listed(&host, "?assignee=max"), []);
    assert_eq!(listed(&host, "?assignee="), []);

    // Every other filter counts as well.
    assert_eq!(codes(&listed(&host, "?assignee=ida&code=enquiry")), ["enquiry"]);
    assert_eq!(codes(&listed(&host, "?assignee=ida&transaction=A")), ["columns_missing"]);
    // The deal without its date is in no period.
    for (query, expected) in [("plan=sellers", 2), ("plan=sellers&period=2026-01", 1)] {
        let of_plan = [format!("?{query}"), format!("?{query}&assignee=ida")].map(|query| {
            let mut found = listed(&host, &query);
            found.sort_by(|one, other| one.1.cmp(&other.1));
            found
        });
        assert_eq!(of_plan[0].len(), expected, "{query}: {of_plan:?}");
        assert_eq!(of_plan[0], of_plan[1], "{query}");
    }
    assert_eq!(listed(&host, "?assignee=ida&plan=other"), []);

    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = host.get(&format!("/v1/alerts?assignee=ida&limit=3{cursor}"));
        paged.extend(page["data"].as_array().unwrap().iter().map(|row| row["id"].clone()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    paged.sort_by_key(Value::to_string);
    paged.dedup();
    assert_eq!(paged.len(), 4, "{paged:?}");

    // Given back, it is everybody's.
    let (_, id, _) = &all[0];
    assert_eq!(assign(&host, id, Value::Null).json()["assignee"], Value::Null);
    assert_eq!(codes(&listed(&host, "?assignee=")), ["columns_missing"]);
    assert_eq!(listed(&host, "?assignee=ida").len(), 3);

    let trail = host.get("/v1/audit?limit=1000")["data"].clone();
    let acts = trail.as_array().unwrap().iter().filter(|row| row["what"] == "alert_assigned");
    let acts: Vec<&Value> = acts.map(|row| &row["detail"]["assignee"]).collect();
    assert_eq!(acts.len(), 4, "{trail}");
    assert_eq!(acts.iter().filter(|to| to.is_null()).count(), 1);
    assert_eq!(host.get("/v1/audit/verify")["problems"], json!([]));
    assert_eq!(host.get("/v1/verify")["damage"], json!([]));
}

#[test]
fn an_alert_that_is_not_open_is_given_to_nobody() {
    let host = started();
    let all = listed(&host, "");
    for id in ["dead-99", "raised-1", "enquiry-9", "deal-0-0000000000000000", "deal-99-0", "x"] {
        assign(&host, id, json!("ida")).problem(404, "not_found");
    }
    assign(&host, &all[0].1, json!(" ")).problem(400, "bad_request");
    assign(&host, &all[0].1, json!("i".repeat(201))).problem(400, "bad_request");
    assign(&host, &all[0].1, json!(7)).problem(400, "bad_request");
    host.api("GET", "/v1/alerts?assignee=ida&cursor=x", &[], "").problem(400, "bad_request");

    // The whole deal comes again: the alert is gone, and with it what can be assigned.
    assert_eq!(assign(&host, &all[0].1, json!("ida")).status, 200);
    host.deliver("msg_6", &deal("A", "500", ""));
    host.drained();
    assert_eq!(listed(&host, "?assignee=ida"), []);
    assign(&host, &all[0].1, json!("max")).problem(404, "not_found");
}
