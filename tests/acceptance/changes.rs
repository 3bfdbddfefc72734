//! A directory in git against a server: previewed, applied, rolled back, verified from the command
//! line.

use serde_json::{Value, json};

use crate::company;
use crate::server::{Server, TOKEN, run};

fn verb(server: &Server, arguments: &[&str]) -> (i32, Value, String) {
    let mut all = arguments.to_vec();
    all.extend(["--server", &server.url, "--token", TOKEN]);
    let (code, out, talk) = run(&all);
    (code, serde_json::from_str(&out).unwrap_or_default(), talk)
}

fn decided_again(server: &Server) {
    server.settle();
    while !server.get("/v1/status").json()["recredit"].is_null() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

fn of(server: &Server, who: &str) -> Vec<String> {
    let amounts = server.credits(&format!("payee={who}"));
    amounts.iter().map(|credit| credit["amount"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_directory_is_previewed_applied_and_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let server = Server::start(&dir.path().join("a.redb"), &workspace);
    let deal = r#"{"id":"D-1","date":"2026-01-10","amount":"100","owner":"ann"}"#;
    assert_eq!(server.hook("msg_1", deal).unwrap().status, 202);
    server.settle();
    let (path, out) = (workspace.to_str().unwrap(), dir.path().join("change.json"));
    let out = out.to_str().unwrap();
    assert_eq!(verb(&server, &["preview", path]).0, 0, "nothing changes");

    company::put(&workspace, "policies/rollup/share.rhai", &company::rollup(50));
    let how = ["--effective", "recredit", "--out", out, "--format", "json"];
    let (code, shown, talk) = verb(&server, &[&["preview", path][..], &how].concat());
    assert_eq!(code, 4, "{talk}");
    assert_eq!(shown["changes"]["files"][0]["path"], "policies/rollup/share.rhai");
    // Max and Dee lose a half of 100 each; above Max is Dee alone, so 50 of the loss is below her.
    assert_eq!(shown["impact"]["total"][0]["difference"], "-100.00");
    assert_eq!(shown["impact"]["by_manager"][0]["name"], "dee");
    assert_eq!(shown["impact"]["by_manager"][0]["difference"], "-50.00");
    assert_eq!(of(&server, "max"), ["100.00"], "a preview writes nothing");

    let (code, _, talk) = verb(&server, &["apply", out, "--stop-loss", "99.99"]);
    assert_eq!((code, talk.contains("more than 99.99")), (1, true), "{talk}");
    let (code, applied, talk) = verb(&server, &["apply", out, "--comment", "halved"]);
    assert_eq!((code, &applied["active"]), (0, &json!(true)), "{talk}");
    decided_again(&server);
    assert_eq!(of(&server, "max"), ["50.00"]);
    let (code, _, talk) = verb(&server, &["apply", out]);
    assert_eq!((code, talk.contains("preview it again")), (1, true), "the base moved: {talk}");
    assert_eq!(verb(&server, &["apply", path]).0, 0, "nothing is left to apply");
    let (code, _, talk) = verb(&server, &["rollback", "--effective", "recredit"]);
    assert_eq!(code, 0, "{talk}");
    decided_again(&server);
    assert_eq!(
        (of(&server, "max"), of(&server, "dee")),
        (vec!["100.00".into()], vec!["100.00".into()])
    );

    company::put(&workspace, "policies/rollup/share.rhai", "fn roll(");
    let (code, _, talk) = verb(&server, &["preview", path]);
    assert_eq!(code, 1, "{talk}");
    assert!(talk.contains("policies/rollup/share.rhai:1:"), "{talk}");

    let (code, verified, talk) = verb(&server, &["verify"]);
    assert_eq!((code, &verified["differing"]), (0, &json!(0)), "{talk}");
    let (code, ..) = verb(&server, &["verify", "--plan", "reps", "--period", "2026-Q1"]);
    assert_eq!(code, 0);
    assert_eq!(server.stop(), 0);
    let data = dir.path().join("a.redb");
    let (code, out, talk) = run(&["verify", "--data", data.to_str().unwrap()]);
    assert_eq!(code, 0, "{talk}");
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["decisions"], 1);
}

#[test]
fn two_directories_are_compared_without_a_server() {
    let dir = tempfile::tempdir().unwrap();
    let base = company::write(dir.path());
    company::put(&base, "transactions/deals.csv", "id,date,amount,owner\nD-1,2026-01-10,100,ann\n");
    let new = dir.path().join("new");
    for (path, text) in company::FILES {
        company::put(&new, path, text);
    }
    company::put(&new, "policies/rollup/share.rhai", &company::rollup(100));
    let (base, new) = (base.to_str().unwrap(), new.to_str().unwrap().to_owned());
    let compare = || run(&["preview", &new, "--base", base, "--format", "json"]);
    assert_eq!(compare().0, 0);
    company::put(new.as_ref(), "policies/rollup/share.rhai", &company::rollup(10));
    let (code, out, talk) = compare();
    assert_eq!(code, 4, "{talk}");
    let shown: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(shown["impact"]["total"][0]["difference"], "-180.00");
    let (code, out, _) = run(&["preview", &new, "--base", base]);
    assert_eq!(code, 4);
    assert!(out.contains("By payee") && out.contains("max by `Managers`"), "{out}");
}

/// A directory was lost, or never was on this machine: what is in force could be seen file by file, and
/// not brought back as one.
#[test]
fn what_is_in_force_is_pulled_into_a_directory_and_applies_as_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let server = Server::start(&dir.path().join("a.redb"), &workspace);
    let pulled = dir.path().join("pulled");
    let verb = |verb: &[&str]| {
        let with = [verb, &["--server", &server.url, "--token", TOKEN]].concat();
        run(&with)
    };
    let path = pulled.to_str().unwrap();
    let (code, out, talk) = verb(&["pull", path]);
    assert_eq!(code, 0, "{talk}");
    assert_eq!(out.lines().count(), company::FILES.len() + 1, "{out}");
    let (code, _, talk) = verb(&["apply", path]);
    assert!(code == 0 && talk.contains("nothing changes"), "{talk}");
    let (code, _, talk) = verb(&["pull", path]);
    assert!(code == 0 && talk.starts_with("0 files changed"), "{talk}");

    // Work that was not applied is not lost by a pull.
    let own = "policies/rollup/share.rhai";
    company::put(&pulled, own, &company::rollup(7));
    company::put(&pulled, "policies/rollup/mine.rhai", &company::rollup(8));
    let (code, _, talk) = verb(&["pull", path]);
    assert!(code == 1 && talk.contains(own) && talk.contains("mine.rhai"), "{talk}");
    assert_eq!(std::fs::read_to_string(pulled.join(own)).unwrap(), company::rollup(7));
    let (code, _, talk) = verb(&["pull", path, "--force"]);
    assert_eq!(code, 0, "{talk}");
    assert_eq!(std::fs::read_to_string(pulled.join(own)).unwrap(), company::rollup(100));
    assert!(!pulled.join("policies/rollup/mine.rhai").exists());
}
