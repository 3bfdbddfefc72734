//! An administrator on a real server: swaps that are cut short, swaps of swaps, files that were
//! changed on the way, and the trail of it all.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::company;
use crate::server::{Server, TOKEN, comparable, run};

fn verb(server: &Server, arguments: &[&str]) -> (i32, Value, String) {
    let with = [arguments, &["--server", &server.url, "--token", TOKEN]].concat();
    let (code, out, talk) = run(&with);
    (code, serde_json::from_str(&out).unwrap_or_default(), talk)
}

fn decided_again(server: &Server) {
    server.settle();
    server.wait("everything is decided again", || {
        server.get("/v1/status").json()["recredit"].is_null()
    });
}

fn import(server: &Server, count: usize) {
    for part in company::deals(count).chunks(900) {
        let reply = server.post("/v1/transactions", "application/x-ndjson", &part.join("\n"));
        assert!(reply.status < 300, "{}", reply.body);
    }
    server.settle();
}

fn change(server: &Server, percent: u32, effective: &str) -> Value {
    let files = json!({ "policies/rollup/share.rhai": company::rollup(percent) });
    let body = json!({ "files": files, "effective": effective }).to_string();
    let reply = server.post("/v1/changes", "application/json", &body);
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

/// Each cut leaves a part of the ledger by the new rules and the rest by the old; the wish is kept
/// with the activation, so every start goes on.
#[test]
fn a_power_cut_while_credits_are_decided_again_loses_nothing() {
    const DEALS: usize = 4000;
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let quiet = Server::start(&dir.path().join("quiet.redb"), &workspace);
    import(&quiet, DEALS);
    let before = comparable(&quiet.credits(""));
    change(&quiet, 37, "recredit");
    decided_again(&quiet);
    let expected = comparable(&quiet.credits(""));
    assert_ne!(before, expected);
    drop(quiet);

    let data = dir.path().join("cut.redb");
    let server = Server::start(&data, &workspace);
    import(&server, DEALS);
    let first = server.get("/v1/status").json()["ruleset"].as_str().unwrap().to_owned();
    change(&server, 37, "recredit");
    server.kill();
    let mut seen = BTreeSet::new();
    for cut in 0..5 {
        let server = Server::start(&data, &workspace);
        seen.insert(server.get("/v1/status").json()["recredit"]["looked_at"].as_u64());
        std::thread::sleep(std::time::Duration::from_millis(20 * cut));
        server.kill();
    }
    let server = Server::start(&data, &workspace);
    decided_again(&server);
    assert!(comparable(&server.credits("")) == expected, "cut short at {seen:?}");
    let done = server.get("/v1/audit?what=recredited").json();
    assert_eq!(done["data"].as_array().unwrap().len(), 1, "{done}");
    // A batch whose end a cut kept from being noted is decided, and not counted.
    let counted = done["data"][0]["detail"]["transactions"].as_u64().unwrap();
    assert!(counted <= DEALS as u64, "{done}");

    // The way back restores exactly, hashes of rulesets and all.
    let (code, back, talk) = verb(&server, &["rollback", "--effective", "recredit"]);
    assert_eq!((code, back["ruleset"].as_str()), (0, Some(first.as_str())), "{talk}");
    decided_again(&server);
    assert!(comparable(&server.credits("")) == before, "rolled back");
    let (code, verified, talk) = verb(&server, &["verify"]);
    assert_eq!((code, &verified["decisions"]), (0, &json!(DEALS)), "{talk}");
    let (code, checked, talk) = verb(&server, &["audit", "verify"]);
    assert_eq!(code, 0, "{talk}");
    let head = checked["head"].as_str().unwrap().to_owned();
    assert_eq!(server.stop(), 0);
    let data = data.to_str().unwrap();
    let (code, out, talk) = run(&["audit", "verify", "--data", data, "--head", &head]);
    assert_eq!(code, 0, "{talk}{out}");
    let (code, _, talk) = run(&["audit", "verify", "--data", data, "--head", "0000"]);
    assert_eq!((code, talk.contains("1 problems")), (1, true), "{talk}");
    let (code, out, talk) = run(&["verify", "--data", data]);
    assert_eq!(code, 0, "{talk}{out}");
}

/// The next activation comes while the last one's credits are decided again, ten times over: the
/// credits in the end are those that the last rules alone would give. The last one asks for every date:
/// an earlier request for every date may be fulfilled before it comes.
#[test]
fn swaps_during_swaps_end_with_the_last_rules() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let server = Server::start(&dir.path().join("a.redb"), &workspace);
    import(&server, 2000);
    for percent in 1..10 {
        change(&server, percent, if percent % 3 == 0 { "now" } else { "recredit" });
    }
    let last = change(&server, 60, "recredit");
    decided_again(&server);
    let alone = Server::start(&dir.path().join("b.redb"), &workspace);
    import(&alone, 2000);
    change(&alone, 60, "recredit");
    decided_again(&alone);
    assert!(comparable(&server.credits("")) == comparable(&alone.credits("")));
    let rulesets = server.credits("");
    let rulesets: BTreeSet<_> = rulesets.iter().map(|row| row["ruleset"].as_str()).collect();
    assert_eq!(rulesets, BTreeSet::from([last["ruleset"].as_str()]));
}

/// A preview that was read and agreed to, and changed before it was applied, came into force as if
/// somebody had seen it.
#[test]
fn what_preview_wrote_is_applied_as_it_is_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let server = Server::start(&dir.path().join("a.redb"), &workspace);
    import(&server, 50);
    company::put(&workspace, "policies/rollup/share.rhai", &company::rollup(50));
    let out = dir.path().join("change.json");
    let (path, file) = (workspace.to_str().unwrap(), out.to_str().unwrap());
    let how = ["--effective", "recredit", "--out", file, "--format", "json"];
    let preview = |more: &[&str]| verb(&server, &[&["preview", path][..], &how, more].concat());
    let (code, shown, talk) = preview(&[]);
    assert_eq!(code, 4, "{talk}");
    let moved = shown["impact"]["total"][0]["difference"].as_str().unwrap();
    let moved = moved.trim_start_matches('-');
    let (code, _, talk) = preview(&["--stop-loss", "1"]);
    assert_eq!((code, talk.contains("stop-loss: ")), (1, true), "{talk}");
    // All of it goes from Max and from Dee alike: the sum of both is the limit, to the cent.
    assert_eq!(preview(&["--stop-loss", moved]).0, 4);

    let written = std::fs::read_to_string(&out).unwrap();
    let tampered: [&dyn Fn(&mut Value); 4] = [
        &|body| body["files"]["policies/rollup/share.rhai"] = json!(company::rollup(90)),
        &|body| body["effective"] = json!("now"),
        &|body| body["max_total"] = json!("1000000"),
        &|body| drop(body.as_object_mut().unwrap().remove("checksum")),
    ];
    for tamper in tampered {
        let mut body: Value = serde_json::from_str(&written).unwrap();
        tamper(&mut body);
        std::fs::write(&out, body.to_string()).unwrap();
        let (code, _, talk) = verb(&server, &["apply", file]);
        assert_eq!((code, talk.contains("preview it again")), (1, true), "{talk}");
    }
    std::fs::write(&out, &written).unwrap();
    // Somebody else is faster, with a file of cases alone.
    let cases = "# Reps\n\n## Nothing rolls up as nothing\n\n```csv transactions\n\
                 id,date,amount,owner\nD1,2026-01-10,0,ann\n```\n\n\
                 | transaction | payee | amount |\n| --- | --- | --- |\n\
                 | D1 | ann | 0.00 |\n| D1 | max | 0.00 |\n| D1 | dee | 0.00 |\n";
    let body = json!({ "files": { "plans/reps.cases.md": cases } }).to_string();
    let other = server.post("/v1/changes", "application/json", &body);
    assert_eq!(other.status, 200, "{}", other.body);
    let (code, _, talk) = verb(&server, &["apply", file]);
    assert_eq!((code, talk.contains("preview it again")), (1, true), "{talk}");
    company::put(&workspace, "plans/reps.cases.md", cases);
    assert_eq!(preview(&[]).0, 4);
    let (code, applied, talk) = verb(&server, &["apply", file, "--comment", "agreed"]);
    assert_eq!((code, &applied["active"]), (0, &json!(true)), "{talk}");
    let (code, rows, talk) =
        verb(&server, &["audit", "list", "--what", "activated", "--format", "json"]);
    assert_eq!((code, &rows[0]["detail"]["why"]), (0, &json!("agreed")), "{talk}");
    assert_eq!(preview(&[]).0, 0, "nothing is left");
    assert_eq!(verb(&server, &["apply", file]).0, 0, "and nothing is not refused");
}

/// A policy that a plan still names is not retired, and one that nobody names is.
#[test]
fn a_policy_in_use_is_not_retired() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let server = Server::start(&dir.path().join("a.redb"), &workspace);
    import(&server, 10);
    let (path, file) = (workspace.to_str().unwrap(), "policies/rollup/share.rhai");
    std::fs::remove_file(workspace.join(file)).unwrap();
    for word in ["preview", "apply"] {
        let (code, _, talk) = verb(&server, &[word, path]);
        assert_eq!(code, 1, "{talk}");
        assert!(talk.contains("plans/reps.toml:4:") && talk.contains("share"), "{talk}");
    }
    let plan = company::FILES.iter().find(|(path, _)| *path == "plans/reps.toml").unwrap().1;
    company::put(
        &workspace,
        "plans/reps.toml",
        &plan.replace("policies = { rollup = \"share\" }\n", ""),
    );
    let (code, _, talk) = verb(&server, &["apply", path, "--effective", "recredit"]);
    assert_eq!(code, 0, "{talk}");
    decided_again(&server);
    assert_eq!(verb(&server, &["verify"]).0, 0, "the old decisions' policy is still known");
    assert_eq!(server.get("/v1/policies/rollup/share").status, 404);
}
