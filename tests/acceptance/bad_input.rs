//! Bad input of every kind: a clear answer, its outcome of FORMAT section 4, and nothing lost.

use serde_json::{Value as Json, json};

use crate::company;
use crate::server::{SECRET, Server, now};

fn server(dir: &tempfile::TempDir, files: &[(&str, &str)]) -> Server {
    let workspace = company::write(dir.path());
    for (path, text) in files {
        company::put(&workspace, path, text);
    }
    Server::start(&dir.path().join("bad.redb"), &workspace)
}

fn small() -> (tempfile::TempDir, Server) {
    let dir = tempfile::tempdir().unwrap();
    let server = server(&dir, &[]);
    (dir, server)
}

fn deal(id: &str, change: Json) -> String {
    let mut deal = json!({"id": id, "date": "2026-03-15", "amount": "100.00", "owner": "Ann"});
    deal.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    deal.to_string()
}

#[test]
fn unauthentic_deliveries_are_refused_and_say_nothing() {
    let (_dir, server) = small();
    let body = deal("D1", json!({}));
    let other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let cases = [
        ("wrong secret", server.hook_at("m1", now(), other, &body)),
        ("stale", server.hook_at("m2", now() - 301, SECRET, &body)),
        ("from the future", server.hook_at("m3", now() + 400, SECRET, &body)),
    ];
    for (what, reply) in cases {
        let reply = reply.unwrap();
        assert_eq!(reply.status, 401, "{what}: {}", reply.body);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{what}");
        assert_eq!(reply.json()["status"], 401, "{what}");
    }
    server.settle();
    assert_eq!(server.credits("").len(), 0);
}

#[test]
fn an_authentic_delivery_that_cannot_be_read_waits_as_a_dead_letter() {
    let (_dir, server) = small();
    for (id, body) in [
        ("malformed", "{\"id\": \"D1\", "),
        ("not_a_deal", "[1, 2]"),
        ("no_key", "{\"date\": \"2026-03-15\", \"amount\": \"1\"}"),
    ] {
        let reply = server.hook(id, body).unwrap();
        assert_eq!(reply.status, 202, "{id}: {}", reply.body);
    }
    server.settle();
    let dead = server.get("/v1/dead-letters").json();
    assert_eq!(dead["data"].as_array().unwrap().len(), 3, "{dead}");
}

#[test]
fn every_outcome_has_its_code_and_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let aliases = "kind,id,alias\nparticipant,ann,Shared\nparticipant,bob,Shared\n";
    let plan = company::FILES[2].1.replace("split = \"equal\"\n", "");
    let people = format!("{}eve,Eve,Rep,max,,2025-12-31\n", company::FILES[1].1)
        .replace("manager\n", "manager,from,to\n")
        .replace("max\nbob", "max,,\nbob")
        .replace("max\nmax", "max,,\nmax")
        .replace("dee\ndee", "dee,,\ndee")
        .replace("Director,\n", "Director,,,\n");
    let server = server(
        &dir,
        &[
            ("organization/aliases.csv", aliases),
            ("organization/participants.csv", &people),
            ("plans/reps.toml", &plan),
        ],
    );
    let cases = [
        ("fine", json!({}), "credited", ""),
        ("stranger", json!({"owner": "Nobody"}), "uncredited", "unmatched"),
        ("blank", json!({"owner": ""}), "uncredited", "nobody"),
        ("left", json!({"owner": "Eve"}), "uncredited", "unmatched"),
        ("shared", json!({"owner": "Shared"}), "parked", "ambiguous_alias"),
        ("two", json!({"owner": "Ann;Bob"}), "parked", "several_recipients"),
        ("number", json!({"amount": "12,50"}), "parked", "bad_value"),
        ("underscore", json!({"amount": "1_000"}), "parked", "bad_value"),
        ("list", json!({"amount": [1]}), "parked", "bad_value"),
        ("owners", json!({"owner": ["Ann"]}), "parked", "bad_value"),
        // Every deal of a CRM that sent an object more than was asked for was parked.
        ("nested", json!({"properties": {"tags": ["a", 1]}}), "credited", ""),
        ("date", json!({"date": "31.03.2026"}), "parked", "bad_value"),
        ("no amount", json!({"amount": null}), "parked", "policy_error"),
        ("no date", json!({"date": ""}), "parked", "no_period"),
        ("far", json!({"date": "2345-01-01"}), "parked", "no_period"),
    ];
    for (id, change, ..) in &cases {
        let message = id.replace(' ', "_");
        assert_eq!(server.hook(&message, &deal(id, change.clone())).unwrap().status, 202);
    }
    server.settle();
    for (id, _, outcome, code) in cases {
        let reply = server.get(&format!("/v1/transactions/{}", id.replace(' ', "%20")));
        assert_eq!(reply.status, 200, "{id}: {}", reply.body);
        let decision = &reply.json()["decisions"][0];
        assert_eq!(decision["outcome"], outcome, "{id}: {decision}");
        let reason = decision["reasons"][0]["code"].as_str().unwrap_or("");
        assert_eq!(reason, code, "{id}: {decision}");
    }
}

/// Scripts that give no answer: each parks its transaction with the place, and nothing else stops.
#[test]
fn scripts_that_fail_park_and_are_driven_again_when_mended() {
    let (_dir, server) = small();
    let scripts = [
        ("loops", "fn roll(tx, credit, to, existing) { loop { } }"),
        ("allocates", "fn roll(tx, credit, to, existing) { let s = \"xxxx\"; loop { s += s; } }"),
        ("throws", "fn roll(tx, credit, to, existing) { throw \"no such thing\" }"),
        ("no element", "fn roll(tx, credit, to, existing) { let a = [1]; a[to.level - 1] }"),
        (
            "unlike",
            "fn roll(tx, credit, to, existing) { let a = [to.title]; if a[0] > 1 { 1 } else { 2 } }",
        ),
    ];
    for (index, (what, script)) in scripts.iter().enumerate() {
        let saved = server.put_policy("rollup", "share", script);
        assert_eq!(saved.status, 200, "{what}: {}", saved.body);
        let id = format!("D{index}");
        assert_eq!(server.hook(&id, &deal(&id, json!({}))).unwrap().status, 202);
        server.settle();
        let decision = server.get(&format!("/v1/transactions/{id}")).json()["decisions"][0].clone();
        assert_eq!(decision["outcome"], "parked", "{what}: {decision}");
        let reason = &decision["reasons"][0];
        assert_eq!(reason["code"], "policy_error", "{what}: {decision}");
        assert_eq!(reason["file"], "policies/rollup/share.rhai", "{what}: {decision}");
        assert_eq!(reason["line"], 1, "{what}: {decision}");
    }
    let mended = server.put_policy("rollup", "share", &company::rollup(100));
    assert_eq!(mended.status, 200, "{}", mended.body);
    server.wait("parked transactions are decided again", || {
        server.get("/v1/status").json()["counts"]["parked"].as_u64() == Some(0)
    });
    assert_eq!(server.credits("").len(), scripts.len() * 3);
}

#[test]
fn a_bad_version_is_refused_stays_visible_and_the_last_good_one_goes_on() {
    let (_dir, server) = small();
    let bad = "fn roll(tx, credit, to, existing) {\n    credit.amuont\n}\n";
    let reply = server.put_policy("rollup", "share", bad);
    assert_eq!(reply.status, 422, "{}", reply.body);
    let error = reply.json()["errors"][0].clone();
    assert_eq!(error["code"], "CR002", "{error}");
    assert_eq!((&error["line"], &error["column"]), (&json!(2), &json!(12)), "{error}");
    assert!(error["help"].as_str().unwrap().contains("`amount`"), "{error}");
    let policies = server.get("/v1/policies").body;
    assert!(policies.contains("CR002"), "the refused version is not visible: {policies}");
    assert_eq!(server.hook("m1", &deal("D1", json!({}))).unwrap().status, 202);
    server.settle();
    assert_eq!(server.credits("").len(), 3);
}

#[test]
fn imports_name_the_line_and_take_nothing() {
    let (_dir, server) = small();
    let broken = "{\"id\":\"D1\"}\n{\"id\": \n";
    let reply = server.post("/v1/transactions", "application/x-ndjson", broken);
    assert!(reply.status == 400 || reply.status == 422, "{}", reply.body);
    assert!(reply.body.contains("\"line\":2"), "{}", reply.body);
    let csv = "id,date,amount,owner\nD1,2026-03-15,10.00,Ann\nD2,2026-03-15,20.00\n";
    let reply = server.post("/v1/transactions", "text/csv", csv);
    assert!(reply.status == 400 || reply.status == 422, "{}", reply.body);
    assert!(reply.body.contains("\"line\":3"), "{}", reply.body);
    server.settle();
    assert_eq!(server.credits("").len(), 0);
    let fine = "id,date,amount,owner\nD1,2026-03-15,10.00,Ann\nD2,2026-03-15,20.00,Bob\n";
    let reply = server.post("/v1/transactions", "text/csv", fine);
    assert_eq!(reply.status, 202, "{}", reply.body);
    server.settle();
    assert_eq!(server.credits("").len(), 6);
}

#[test]
fn the_edges_of_the_interface() {
    let (_dir, server) = small();
    let problem = |what: &str, reply: crate::server::Reply, status: u16| {
        assert_eq!(reply.status, status, "{what}: {}", reply.body);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{what}");
    };
    problem("no token", server.get_without_token("/v1/credits"), 401);
    problem("no such route", server.get("/v2/nothing"), 404);
    problem("no such credit", server.get("/v1/credits/crd_00000000000000000000000000000000"), 404);
    problem("no such period", server.get("/v1/credits?period=2026-13"), 400);
    problem("too large", server.hook("big", &" ".repeat((1 << 20) + 1)).unwrap(), 413);
    assert_eq!(server.get_without_token("/livez").status, 200);
    assert_eq!(server.get_without_token("/readyz").status, 200);
    assert!(server.get_without_token("/metrics").body.contains("accredit_"));
}
