//! Releases and holds by hand: idempotent, inputs of the next decision, and what they change.

use serde_json::json;

use crate::company;
use crate::server::{Server, TOKEN, comparable, run};

#[test]
fn releasing_a_held_credit_lets_it_roll_and_twice_is_once() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let held = company::FILES[2].1.replacen(
        "rollable = true",
        "rollable = true\nhold = \"indefinite\"",
        1,
    );
    company::put(&workspace, "plans/reps.toml", &held);
    let server = Server::start(&dir.path().join("hold.redb"), &workspace);
    let deal = json!({"id": "D1", "date": "2026-03-15", "amount": "100.00", "owner": "Ann"});
    assert_eq!(server.hook("m1", &deal.to_string()).unwrap().status, 202);
    server.settle();
    let credits = server.credits("");
    assert_eq!(credits.len(), 1, "a held credit rolled");
    assert_eq!(credits[0]["status"], "held");
    let id = credits[0]["id"].as_str().unwrap().to_owned();

    let release = format!("/v1/credits/{id}/release");
    let first = server.post(&release, "application/json", "{\"comment\":\"checked\"}");
    assert_eq!(first.status, 200, "{}", first.body);
    let after = server.credits("");
    assert_eq!(after.len(), 3, "the released credit did not roll");
    assert!(after.iter().all(|credit| credit["status"] == "active"));
    let second = server.post(&release, "application/json", "{}");
    assert_eq!(second.status, 200, "{}", second.body);
    assert_eq!(second.body, first.body, "the second answer is not the first");
    assert_eq!(comparable(&server.credits("")), comparable(&after));

    let hold = format!("/v1/credits/{id}/hold");
    let reply = server.post(&hold, "application/json", "{\"reason\":\"under review\"}");
    assert_eq!(reply.status, 200, "{}", reply.body);
    let credits = server.credits("");
    assert_eq!(credits.len(), 1, "what rolled from a held credit stayed");
    assert_eq!(credits[0]["reason"], "under review");

    // Sending the deal again changes nothing about what people decided.
    assert_eq!(server.hook("m2", &deal.to_string()).unwrap().status, 202);
    server.settle();
    assert_eq!(server.credits("").len(), 1);
    let explained = server.get(&format!("/v1/credits/{id}/explain"));
    assert_eq!(explained.status, 200, "{}", explained.body);
    assert!(explained.body.contains("held by hand"), "{}", explained.body);

    // The verb does the same as the endpoint, and says what it could not do.
    let verb = |credit: &str| {
        let to = ["--server", &server.url, "--token", TOKEN, "--format", "json"];
        run(&[&["release", "hold", credit][..], &to].concat())
    };
    let (code, out, error) = verb(&id);
    assert_eq!(code, 0, "{error}");
    let rows: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&rows[0]["id"], &rows[0]["status"]), (&json!(id), &json!("active")));
    assert_eq!(server.credits("").len(), 3);
    let (code, out, error) = verb("crd_00000000000000000000000000000000");
    assert_eq!((code, out.trim()), (1, "[]"), "{error}");
}

#[test]
fn a_hold_ends_by_itself_on_the_business_date() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let held =
        company::FILES[2].1.replacen("rollable = true", "rollable = true\nhold = \"days:30\"", 1);
    company::put(&workspace, "plans/reps.toml", &held);
    let data = dir.path().join("days.redb");
    let deal = "{\"id\":\"D1\",\"date\":\"2026-03-15\",\"amount\":\"100.00\",\"owner\":\"Ann\"}";
    let start = |date: &str| {
        Server::start_with(&data, &workspace, &[], &[("ACCREDIT_BUSINESS_DATE", date)])
    };
    let server = start("2026-03-20");
    assert_eq!(server.hook("m1", deal).unwrap().status, 202);
    server.settle();
    assert_eq!(server.credits("status=held").len(), 1);
    server.kill();
    let server = start("2026-04-13");
    server.settle();
    assert_eq!(server.credits("status=held").len(), 1, "released a day early");
    server.kill();
    let server = start("2026-04-14");
    server.wait("the hold has ended", || server.credits("status=active").len() == 3);
}

#[test]
fn a_changed_deal_replaces_its_credits_and_an_older_version_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let settings = company::FILES[0].1.replace("owner =", "updated = \"at\"\nowner =");
    company::put(&workspace, "accredit.toml", &settings);
    let server = Server::start(&dir.path().join("versions.redb"), &workspace);
    let send = |message: &str, amount: &str, at: &str| {
        let deal =
            json!({"id": "D1", "date": "2026-03-15", "amount": amount, "owner": "Ann", "at": at});
        assert_eq!(server.hook(message, &deal.to_string()).unwrap().status, 202);
        server.settle();
        server.credits("")[0]["amount"].as_str().unwrap().to_owned()
    };
    assert_eq!(send("m1", "100", "2026-03-15T10:00:00Z"), "100.00");
    assert_eq!(send("m2", "92", "2026-03-15T12:00:00Z"), "92.00");
    assert_eq!(send("m3", "55", "2026-03-15T11:00:00Z"), "92.00", "an older version was applied");
    assert_eq!(server.credits("").len(), 3);
}
