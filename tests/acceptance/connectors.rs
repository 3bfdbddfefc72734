//! CRMs as they are: a source is begun with one verb, a sample of the vendor's request is sent, and its
//! deal is credited once.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::company;
use crate::server::{Server, TOKEN, binary, run};

/// The settings of a customer whose CRM is the source `crm`.
pub const SETTINGS: &str = r#"[workspace]
name = "Small"

[fields]
id = "id"
date = "closed"
amount = "amount"
owner = "owner"
updated = { field = "updated", formats = ["iso", "epoch_ms"] }
"#;

/// A directory of the company with a new source `crm` of a connector, its settings changed as given.
pub fn directory(dir: &Path, connector: &str, changed: &[(&str, &str)]) -> PathBuf {
    let workspace = company::write(dir);
    company::put(&workspace, "accredit.toml", SETTINGS);
    let path = workspace.to_str().unwrap();
    let (code, out, talk) = run(&["new", "source", connector, "crm", "--dir", path]);
    assert_eq!(code, 0, "{connector}: {talk}{out}");
    // A second one of that name would be laid over the first.
    assert_eq!(run(&["new", "source", connector, "crm", "--dir", path]).0, 1);

    let settings = workspace.join("accredit.toml");
    let mut text = std::fs::read_to_string(&settings).unwrap();
    for (from, to) in changed {
        assert!(text.contains(from), "{connector}: {text}");
        text = text.replace(from, to);
    }
    std::fs::write(&settings, text).unwrap();
    let (code, out, talk) = run(&["check", path]);
    assert_eq!(code, 0, "{connector}: {talk}{out}");
    // A connector without a policy has no cases.
    let (code, out, talk) = run(&["test", path]);
    assert!(code == 0 || talk.contains("0 cases, 0 failures"), "{connector}: {talk}{out}");
    workspace
}

/// Sends what the CRM of a source would send.
pub fn trigger(
    server: &Server,
    workspace: &Path,
    source: &str,
    secret: &str,
    deal: &[&str],
) -> (i32, String) {
    let workspace = workspace.to_str().unwrap();
    let verb = ["trigger", "deal-close", "--source", source, "--dir", workspace, "--server"];
    let variable = format!("ACCREDIT_SECRET_{}", source.to_uppercase());
    let output = Command::new(binary())
        .args(verb)
        .arg(&server.url)
        .args(deal)
        .env(variable, secret)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let talk = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap_or(-1), format!("{text}{talk}"))
}

fn start(dir: &Path, workspace: &Path, secret: &str) -> Server {
    let env = [
        ("ACCREDIT_SECRET_CRM", secret),
        ("ACCREDIT_API_TOKEN_CRM", "token-of-the-crm"),
        ("ACCREDIT_API_HOSTS_CRM", "127.0.0.1"),
    ];
    Server::start_with(&dir.join("a.redb"), workspace, &[], &env)
}

/// Connector, secret, changed settings, the options of the deal, and its natural key.
type Sample = (
    &'static str,
    &'static str,
    Vec<(&'static str, String)>,
    &'static [&'static str],
    &'static str,
);

/// A sample of each vendor whose events have the whole deal.
fn samples() -> [Sample; 6] {
    let organization = "00D5g000004vPFhEAM";
    [
        (
            "salesforce-outbound",
            "a-key-of-some-length",
            vec![("00D000000000000EAA", organization.to_owned())],
            &["--id", "0065g00000XyZabAAB", "--owner", "ann"],
            "0065g00000XyZabAAB",
        ),
        ("pipedrive", "accredit:a-password-of-some-length", vec![], &["--id", "8"], "8"),
        (
            "stripe",
            "whsec_a-secret-of-some-length",
            vec![
                ("date = \"closed\"", "date = \"paid\"".to_owned()),
                ("[\"iso\", \"epoch_ms\"]", "[\"epoch\"]".to_owned()),
                (
                    "[sources.crm]",
                    "[columns]\npaid = { date = \"epoch\" }\n\n[sources.crm]".to_owned(),
                ),
            ],
            &["--id", "in_1001"],
            "in_1001",
        ),
        (
            "dynamics",
            "a-key-of-some-length",
            vec![],
            &["--id", "3b4a5c66-0d1e-4f7a-9b8c-2d3e4f5a6b7c"],
            "3b4a5c66-0d1e-4f7a-9b8c-2d3e4f5a6b7c",
        ),
        (
            "generic",
            "a-token-of-some-length",
            vec![("date = \"closed\"", "date = \"closed_on\"".to_owned())],
            &["--id", "G1"],
            "G1",
        ),
        (
            "standard-webhooks",
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            vec![("date = \"closed\"", "date = \"date\"".to_owned())],
            &["--id", "S1"],
            "S1",
        ),
    ]
}

#[test]
fn a_sample_of_each_vendor_is_credited_once() {
    for (connector, secret, changed, deal, id) in samples() {
        let dir = tempfile::tempdir().unwrap();
        let changed: Vec<(&str, &str)> =
            changed.iter().map(|(from, to)| (*from, to.as_str())).collect();
        let workspace = directory(dir.path(), connector, &changed);
        let server = start(dir.path(), &workspace, secret);
        let more = ["--amount", "1234.50", "--closed", "2026-03-15", "--owner", "ann"];
        let deal: Vec<&str> = deal.iter().copied().chain(more).take(deal.len() + 6).collect();
        let deal: Vec<&str> = dedup_options(&deal);
        let (code, talk) = trigger(&server, &workspace, "crm", secret, &deal);
        assert_eq!(code, 0, "{connector}: {talk}");
        let (code, refused) =
            trigger(&server, &workspace, "crm", &secret.replace("of", "fo"), &deal);
        if secret.contains("of") {
            assert!(code == 1 && refused.contains("401"), "{connector}: {refused}");
        }
        server.settle();

        let stored = server.get(&format!("/v1/transactions/{id}"));
        assert_eq!(stored.status, 200, "{connector}: {}", server.get("/v1/dead-letters").body);
        let credits = server.credits(&format!("transaction={id}"));
        let amounts: Vec<&Value> = credits.iter().map(|credit| &credit["amount"]).collect();
        assert!(amounts.contains(&&json!("1234.50")), "{connector}: {credits:?} {}", stored.body);
    }
}

/// The first value of each option counts.
fn dedup_options<'a>(options: &[&'a str]) -> Vec<&'a str> {
    let mut kept: Vec<&str> = Vec::new();
    for pair in options.chunks(2) {
        if !kept.contains(&pair[0]) {
            kept.extend(pair);
        }
    }
    kept
}

/// A CRM's API on loopback, for as long as the test: each path has the answers that it gives, the last
/// one again and again; every request is kept.
struct Api {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

type ApiAnswer = (u16, String);

impl Api {
    fn start(answers: Vec<ApiAnswer>) -> Api {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                answer(stream, &answers, &seen);
            }
        });
        Api { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, answers: &[ApiAnswer], asked: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut head = Vec::new();
    while let Some(Ok(line)) =
        lines.next().filter(|line| line.as_ref().is_ok_and(|l| !l.is_empty()))
    {
        head.push(line);
    }
    let mut asked = asked.lock().unwrap();
    let (status, body) = &answers[asked.len().min(answers.len() - 1)];
    asked.push(head.join("\n"));
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    );
    let _ = stream.write_all(answer.as_bytes());
}

fn hubspot_deal(amount: &str, updated: &str) -> String {
    json!({
        "id": "1001",
        "properties": {
            "amount": amount, "closedate": "2026-03-15T10:00:00Z", "dealstage": "closedwon",
            "hubspot_owner_id": "ann", "dealname": "Sample deal", "deal_currency_code": "USD",
        },
        "updatedAt": updated,
    })
    .to_string()
}

fn hubspot(dir: &Path, api: &Api) -> (PathBuf, Server) {
    let url = format!("fetch = true\napi_url = \"{}\"\nurl = ", api.url);
    let workspace = directory(dir, "hubspot", &[("url = ", &url)]);
    let server = start(dir, &workspace, "a-client-secret-of-an-app");
    (workspace, server)
}

/// An event of HubSpot names a deal and not its amount. It is acknowledged first, and its deal is fetched
/// however long the API takes to come back.
#[test]
fn an_event_without_its_deal_is_completed_after_it_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let deal = hubspot_deal("2500.10", "2026-03-15T10:00:01Z");
    let api = Api::start(vec![(503, String::new()), (429, String::new()), (200, deal)]);
    let (workspace, server) = hubspot(dir.path(), &api);

    let secret = "a-client-secret-of-an-app";
    let (code, talk) = trigger(&server, &workspace, "crm", secret, &["--id", "1001"]);
    assert_eq!(code, 0, "{talk}");
    server.wait("the deal is credited", || !server.credits("transaction=1001").is_empty());
    let credits = server.credits("transaction=1001");
    assert_eq!(credits[0]["amount"], "2500.10");

    let asked = api.asked();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked[0].starts_with("GET /crm/v3/objects/deals/1001?properties="), "{asked:?}");
    let authorization = "authorization: bearer token-of-the-crm";
    assert!(asked[0].to_lowercase().contains(authorization), "{asked:?}");
    let metrics = server.get_without_token("/metrics").body;
    server.wait("nothing is left to fetch", || {
        server.get_without_token("/metrics").body.contains("accredit_fetches_pending 0\n")
    });
    assert!(!metrics.contains("token-of-the-crm"));
    assert_eq!(server.get("/v1/dead-letters").json()["data"], json!([]));
}

/// A deal that the CRM does not have any more is a dead letter, and is fetched again when it is redriven.
#[test]
fn a_deal_that_cannot_be_fetched_waits_for_people() {
    let dir = tempfile::tempdir().unwrap();
    let deal = hubspot_deal("70", "2026-03-15T10:00:01Z");
    let api = Api::start(vec![(404, String::new()), (200, deal)]);
    let (workspace, server) = hubspot(dir.path(), &api);
    let secret = "a-client-secret-of-an-app";
    assert_eq!(trigger(&server, &workspace, "crm", secret, &["--id", "1001"]).0, 0);
    let letters = || server.get("/v1/dead-letters").json();
    server.wait("it is a dead letter", || letters()["data"].as_array().unwrap().len() == 1);
    let reason = letters()["data"][0]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("404"), "{reason}");

    let redriven = server.post("/v1/dead-letters/redrive?source=crm", "application/json", "");
    assert_eq!(redriven.json()["redriven"], 1, "{}", redriven.body);
    server.wait("the deal is credited", || !server.credits("transaction=1001").is_empty());
    assert_eq!(letters()["data"], json!([]));
}

/// The server stops while it waits for the CRM: what was acknowledged is fetched after the next start.
#[test]
fn what_was_not_fetched_yet_is_fetched_after_a_power_cut() {
    let dir = tempfile::tempdir().unwrap();
    let deal = hubspot_deal("70", "2026-03-15T10:00:01Z");
    let api = Api::start(vec![(503, String::new()), (200, deal)]);
    let (workspace, server) = hubspot(dir.path(), &api);
    let secret = "a-client-secret-of-an-app";
    assert_eq!(trigger(&server, &workspace, "crm", secret, &["--id", "1001"]).0, 0);
    server.wait("it was tried once", || api.asked().len() == 1);
    server.kill();
    let server = start(dir.path(), &workspace, secret);
    server.wait("the deal is credited", || !server.credits("transaction=1001").is_empty());
}

#[test]
fn a_source_that_cannot_work_is_found_by_check_and_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let broken = format!("{SETTINGS}\n[sources.crm]\nconnector = \"hubspot\"\nurls = \"x\"\n");
    company::put(&workspace, "accredit.toml", &broken);
    let (code, out, talk) = run(&["check", workspace.to_str().unwrap()]);
    assert!(code == 1 && (out.clone() + &talk).contains("CR021"), "{talk}{out}");

    let settings = format!(
        "{SETTINGS}\n[sources.crm]\nconnector = \"hubspot\"\nurl = \"https://a.example/hooks/crm\"\n"
    );
    company::put(&workspace, "accredit.toml", &settings);
    let started = Command::new(binary())
        .args(["serve", "--create", "--listen", "127.0.0.1:0", "--data"])
        .arg(dir.path().join("b.redb"))
        .arg("--workspace")
        .arg(&workspace)
        .env("ACCREDIT_TOKEN", TOKEN)
        .env_remove("ACCREDIT_SECRET_CRM")
        .output()
        .unwrap();
    let talk = String::from_utf8(started.stderr).unwrap();
    assert!(talk.contains("set `ACCREDIT_SECRET_CRM`"), "{talk}");
}
