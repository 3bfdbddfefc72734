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
