//! Definitions by API: files, changes of several, rules, versions, the way back.

use serde_json::{Value, json};

use super::{Host, PLAN, deal};

const PATH: &str = "/v1/definitions/plans/sellers.toml";

fn change(host: &Host, body: &Value) -> super::Reply {
    host.api("POST", "/v1/changes", &[], &body.to_string())
}

fn plan(value: &str) -> String {
    PLAN.replace("credit_type", &format!("value = \"{value}\"\n  credit_type"))
}

#[test]
fn a_file_is_written_on_condition_and_keeps_its_versions() {
    let host = Host::start();
    let shown = host.api("GET", PATH, &[], "");
    assert_eq!(shown.text, PLAN);
    let first = shown.header("etag").to_owned();
    host.api("PUT", PATH, &[], "x").problem(428, "precondition_required");
    host.api("PUT", PATH, &[("if-match", "\"0\"")], "x").problem(412, "precondition_failed");
    let broken = host.api("PUT", PATH, &[("if-match", &first)], "name = ");
    let problem = broken.problem(422, "check_failed");
    assert_eq!(problem["errors"][0]["file"], "plans/sellers.toml");
    host.api("PUT", "/v1/definitions/plans/..%2fx.toml", &[], "").problem(422, "not_a_definition");
    host.api("PUT", "/v1/definitions/notes.txt", &[], "").problem(422, "not_a_definition");

    let headers = [("if-match", first.as_str()), ("x-comment", "doubled"), ("x-tags", "q1, fix")];
    let put = host.api("PUT", PATH, &headers, &plan("tx.amount * 2"));
    assert_eq!(put.status, 200, "{}", put.text);
    let versions = host.get(&format!("{PATH}/versions"));
    let rows = versions["data"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((&rows[0]["who"], &rows[0]["comment"]), (&json!("admin"), &json!("doubled")));
    assert_eq!((&rows[0]["tags"], &rows[0]["active"]), (&json!(["q1", "fix"]), &json!(true)));
    let old = rows[1]["hash"].as_str().unwrap();
    assert_eq!(format!("\"{old}\""), first);
    let diff = host.api("GET", &format!("{PATH}/diff?from={old}"), &[], "").text;
    assert!(diff.contains("+  value = \"tx.amount * 2\"\n"), "{diff}");

    let restored =
        host.api("POST", &format!("{PATH}/restore"), &[], &json!({ "hash": old }).to_string());
    assert_eq!(restored.status, 200, "{}", restored.text);
    assert_eq!(host.api("GET", PATH, &[], "").text, PLAN);
    let settings = "/v1/definitions/accredit.toml/restore";
    let foreign = host.api("POST", settings, &[], &json!({ "hash": old }).to_string());
    foreign.problem(404, "not_found");
}

#[test]
fn several_files_change_together_or_not_at_all() {
    let host = Host::start();
    let base = host.get("/v1/status")["ruleset"].clone();
    let both = json!({
        "base": base,
        "comment": "split",
        "files": {
            "plans/sellers.toml": plan("policy:half"),
            "policies/value/half.rhai": "fn value(tx, to) { tx.amount / 2 }\n",
        },
    });
    let mut broken = both.clone();
    broken["files"]["policies/value/half.rhai"] = json!("fn value(tx, to) { tx.amuont }\n");
    change(&host, &broken).problem(422, "check_failed");
    assert_eq!(host.get("/v1/status")["ruleset"], base);
    let done = change(&host, &both);
    assert_eq!(done.status, 200, "{}", done.text);
    change(&host, &both).problem(409, "base_moved");
    change(&host, &json!({ "files": both["files"] })).problem(409, "nothing_changes");
    host.deliver("msg_1", &deal("D-1", "9", ""));
    assert_eq!(host.credits("D-1")[0]["amount"], "4.50");
    let removed = json!({ "files": { "plans/sellers.toml": null } });
    let problem = change(&host, &removed).problem(409, "has_credits");
    assert!(problem["detail"].as_str().unwrap().contains("end-date it"), "{problem}");
    let draft = change(&host, &json!({ "files": { "plans/b.toml": "name = " }, "draft": true }));
    assert_eq!((draft.status, draft.json()["state"].clone()), (202, json!("draft")));
    let rows = host.get("/v1/changes");
    let states: Vec<&Value> =
        rows["data"].as_array().unwrap().iter().map(|r| &r["state"]).collect();
    assert_eq!(states, ["draft", "active", "retired"]);
}

/// A second `tag` was refused with 400, so that nobody could search for two.
fn several_tags_must_all_fit(host: &Host) {
    let rule = "/v1/rules/sellers/Booking";
    let mut body = host.get(rule);
    body["tags"] = json!(["core", "a&b", "core"]);
    let put = host.api("PUT", rule, &[("if-match", "*")], &body.to_string());
    assert_eq!(put.status, 200, "{}", put.text);
    let found = |query: &str| {
        host.get(&format!("/v1/rules?{query}"))["data"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(found("tag=core&tag=a%26b"), 1);
    assert_eq!(found("tag=core&tag=none"), 0);
    assert_eq!(found("tag=core&plan=sellers&text=booking"), 1);
    assert_eq!(found(""), 1);
    host.api("GET", "/v1/rules?plan=a&plan=b", &[], "").problem(400, "bad_request");
    host.api("GET", "/v1/rules?tags=core", &[], "").problem(400, "bad_request");
    let tags = host.get("/v1/tags")["data"].clone();
    assert_eq!(tags, json!([{ "tag": "a&b", "rules": 1 }, { "tag": "core", "rules": 1 }]));
}

#[test]
fn rules_are_edited_one_by_one_unless_credits_need_them() {
    let host = Host::start();
    let rule = "/v1/rules/sellers/Booking";
    let shown = host.api("GET", rule, &[], "");
    let tag = shown.header("etag").to_owned();
    let mut body = shown.json();
    assert_eq!((&body["kind"], &body["plan"]), (&json!("direct"), &json!("sellers")));
    body["tags"] = json!(["core"]);
    let put = host.api("PUT", rule, &[("if-match", &tag)], &body.to_string());
    assert_eq!(put.status, 200, "{}", put.text);
    assert_eq!(host.get("/v1/rules?tag=core")["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(host.get("/v1/rules?tag=none")["data"].as_array().map(Vec::len), Some(0));
    several_tags_must_all_fit(&host);
    let copy = format!("{rule}/copy");
    let copied = host.api("POST", &copy, &[], &json!({ "name": "Second" }).to_string());
    assert_eq!(copied.status, 201, "{}", copied.text);
    host.api("POST", &copy, &[], &json!({ "name": "Second" }).to_string())
        .problem(409, "name_taken");
    let second = "/v1/rules/sellers/Second";
    assert_eq!(host.api("DELETE", second, &[("if-match", "*")], "").status, 200);

    host.deliver("msg_1", &deal("D-1", "9", ""));
    assert_eq!(host.credits("D-1").len(), 1);
    host.api("DELETE", rule, &[("if-match", "*")], "").problem(409, "has_credits");
    let mut renamed = body.clone();
    renamed["results"][0]["name"] = json!("Other");
    let refused = host.api("PUT", rule, &[("if-match", "*")], &renamed.to_string());
    refused.problem(409, "has_credits");
    body["to"] = json!("2026-12-31");
    let ended = host.api("PUT", rule, &[("if-match", "*")], &body.to_string());
    assert_eq!(ended.status, 200, "{}", ended.text);
    assert!(host.api("GET", PATH, &[], "").text.contains("to = 2026-12-31"));
}
