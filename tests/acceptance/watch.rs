//! Files that change in a watched directory go through the same door as `PUT`.

use crate::company;
use crate::server::Server;

#[test]
fn a_saved_file_becomes_active_and_a_bad_one_is_refused_and_visible() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let data = dir.path().join("watch.redb");
    let server = Server::start_with(&data, &workspace, &["--watch"], &[]);
    let ruleset = || server.get("/v1/status").json()["ruleset"].as_str().unwrap().to_owned();
    let first = ruleset();

    company::put(&workspace, "policies/rollup/share.rhai", &company::rollup(50));
    server.wait("the saved policy is active", || ruleset() != first);
    let second = ruleset();
    let deal = r#"{"id":"D1","date":"2026-03-15","amount":"100.00","owner":"Ann"}"#;
    assert_eq!(server.hook("m1", deal).unwrap().status, 202);
    server.settle();
    let max = server.credits("payee=max");
    assert_eq!((&max[0]["amount"], &max[0]["ruleset"]), (&"50.00".into(), &second.clone().into()));

    let bad = "fn roll(tx, credit, to, existing) { credit.amuont }\n";
    company::put(&workspace, "policies/rollup/share.rhai", bad);
    server.wait("the bad version is visible", || server.get("/v1/policies").body.contains("CR002"));
    assert_eq!(ruleset(), second, "a bad version became active");

    // What a case file beside the policy expects is part of the check.
    company::put(&workspace, "policies/rollup/share.rhai", &company::rollup(25));
    let case = "# share\n\n## a quarter\n\n```csv transactions\nid,date,amount,owner\n\
                C1,2026-03-15,100,Ann\n```\n\n| position | amount |\n|---|---|\n\
                | ann | 100.00 |\n| max | 99.00 |\n| dee | 99.00 |\n";
    company::put(&workspace, "policies/rollup/share.cases.md", case);
    server
        .wait("the failing case is visible", || server.get("/v1/policies").body.contains("CR040"));
    company::put(&workspace, "policies/rollup/share.cases.md", &case.replace("99.00", "25.00"));
    server.wait("the mended version is active", || ruleset() != second);
}

#[test]
fn a_directory_that_differs_is_reported_and_not_brought_in() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let data = dir.path().join("truth.redb");
    let server = Server::start(&data, &workspace);
    let first = server.get("/v1/status").json()["ruleset"].clone();
    assert_eq!(server.stop(), 0);
    company::put(&workspace, "policies/rollup/share.rhai", &company::rollup(50));
    let server = Server::start(&data, &workspace);
    assert_eq!(server.get("/v1/status").json()["ruleset"], first);
}

/// A saved file could move any amount: without an option, more than 1000 for one payee is refused.
#[test]
fn a_saved_file_moves_so_much_unless_the_server_is_told_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    company::put(&workspace, "policies/rollup/share.rhai", &company::rollup(50));
    let data = dir.path().join("limit.redb");
    let server = Server::start_with(&data, &workspace, &["--watch"], &[]);
    let deal = r#"{"id":"D1","date":"2026-03-15","amount":"10000.00","owner":"Ann"}"#;
    assert_eq!(server.hook("m1", deal).unwrap().status, 202);
    server.settle();
    let ruleset = || server.get("/v1/status").json()["ruleset"].clone();
    let before = ruleset();

    let alerts = |code: &str| server.get(&format!("/v1/alerts?code={code}")).json()["data"].clone();
    let refused = || alerts("definitions_refused").as_array().is_some_and(|all| !all.is_empty());
    company::put(&workspace, "policies/rollup/share.rhai", &company::rollup(39));
    server.wait("more than 1000 is refused", refused);
    let message = alerts("definitions_refused")[0]["message"].to_string();
    assert!(message.contains("1100.00 USD move for `dee`, more than 1000"), "{message}");
    assert!(message.contains("accredit apply"), "{message}");
    assert_eq!(ruleset(), before);

    company::put(&workspace, "policies/rollup/share.rhai", &company::rollup(40));
    server.wait("1000 is brought in", || ruleset() != before);
    let told = alerts("definitions_changed")[0]["message"].to_string();
    assert!(told.contains("`dee` 4000.00 instead of 5000.00 USD"), "{told}");
    assert_eq!(server.stop(), 0);

    // The operator may allow less.
    let server = Server::start_with(&data, &workspace, &["--watch", "--watch-stop-loss", "0"], &[]);
    let before = server.get("/v1/status").json()["ruleset"].clone();
    company::put(&workspace, "policies/rollup/share.rhai", &company::rollup(41));
    let all = || server.get("/v1/alerts?code=definitions_refused").json()["data"].to_string();
    server.wait("nothing may move", || all().contains("move in all, more than 0"));
    assert_eq!(server.get("/v1/status").json()["ruleset"], before);
}
