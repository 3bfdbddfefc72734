//! The audit trail over the command line, and secrets that must be nowhere.
//!
//! Source: RELIABILITY section 7, T40 and T43.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::company;
use crate::server::{SECRET, Server, TOKEN, binary, now, run};

const DEAL: &str = r#"{"id":"D1","date":"2026-04-10","amount":100,"owner":"Ann"}"#;

/// A verb that succeeds; its standard output.
fn done(words: &[&str]) -> String {
    let (code, out, error) = run(words);
    assert_eq!(code, 0, "{words:?}: {out}{error}");
    out
}

/// An auditor copies checkpoints away and verifies with the public key alone: a server, its data file, a
/// dump and an export; and a file that was rewritten as a whole.
#[test]
fn auditors_verify_without_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let workspace = company::write(dir.path());
    let (data, key, kept) = (at("a.redb"), at("audit.key"), at("kept"));
    let public = done(&["audit", "key", "acme/accredit", "--out", &key]).trim().to_owned();
    assert!(public.starts_with("acme/accredit+"), "{public}");
    assert_eq!(run(&["audit", "key", "other", "--out", &key]).0, 1, "no key is written over");
    let mode = fs::metadata(&key).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777, 0o600);

    let without = run(&["serve", "--data", &data, "--create", "--checkpoints", &kept]);
    assert_eq!(without.0, 2, "{}", without.2);
    let env = [("ACCREDIT_AUDIT_KEY_FILE", key.as_str()), ("ACCREDIT_CHECKPOINTS", &kept)];
    let server =
        Server::start_with(Path::new(&data), &workspace, &["--checkpoint-rows", "1"], &env);
    for _ in 0..5 {
        assert_eq!(server.post("/v1/parked/redrive", "application/json", "").status, 200);
    }
    let proof = ["audit", "verify", "--checkpoints", &kept, "--key", &public];
    let verify = |more: &[&str]| run(&[&proof[..], more].concat());
    let asked = ["--server", &server.url, "--token", TOKEN];
    let (code, out, error) = verify(&asked);
    assert_eq!(code, 0, "{out}{error}");

    let (lines, csv) = (at("trail.ndjson"), at("trail.csv"));
    done(&[&["audit", "export", "--out", &lines], &asked[..]].concat());
    done(&[&["audit", "export", "--format", "csv", "--out", &csv], &asked[..]].concat());
    assert_eq!(server.stop(), 0);

    let dump = at("a.dump");
    done(&["dump", "--data", &data, "--out", &dump]);
    let offline = at("offline.ndjson");
    done(&["audit", "export", "--data", &data, "--out", &offline]);
    for file in [["--data", &data], ["--dump", &dump], ["--export", &offline]] {
        let (code, out, error) = verify(&file);
        assert_eq!(code, 0, "{file:?}: {out}{error}");
        let checked: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(checked["newest_checkpoint"]["rows"], checked["rows"], "{checked}");
    }
    // The last checkpoint came after these exports: they lack rows.
    for file in [&lines, &csv] {
        assert_eq!(done(&["audit", "verify", "--export", file]).matches("is gone").count(), 0);
    }

    // Another key, a checkpoint that was changed, no checkpoint at all.
    let other = done(&["audit", "key", "acme/accredit", "--out", &at("other.key")]);
    let words = ["audit", "verify", "--checkpoints", &kept, "--key", other.trim(), "--data", &data];
    let (code, out, _) = run(&words);
    assert!(code == 1 && out.contains("none of the keys signed it"), "{out}");
    fs::create_dir(at("none")).unwrap();
    let words =
        ["audit", "verify", "--checkpoints", &at("none"), "--key", &public, "--data", &data];
    assert_eq!(run(&words).0, 1);

    // Its end is cut off: the chain is whole, and the checkpoint has more rows.
    let text = fs::read_to_string(&offline).unwrap();
    let cut: String = text.lines().take(2).map(|line| format!("{line}\n")).collect();
    fs::write(&offline, cut).unwrap();
    assert_eq!(run(&["audit", "verify", "--export", &offline]).0, 0);
    let (code, out, _) = verify(&["--export", &offline]);
    assert!(code == 1 && out.contains("rows were removed"), "{out}");
}

/// Everything that must not be readable anywhere, by what it is.
struct Planted(Vec<(&'static str, String)>);

impl Planted {
    fn assert_absent(&self, place: &str, bytes: &[u8]) {
        for (what, secret) in &self.0 {
            let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{what} is in {place}");
        }
    }
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_under(&path) } else { vec![path] }).collect()
}

const CRM: &str = "whsec_Y2FuYXJ5LWNybS1zZWNyZXQtMDAwMQ==";
const CALLED: &str = "canary-basic-secret-0000000001";

/// RELIABILITY section 7, T43: secrets of every kind go through requests that work and that fail; none of
/// them is in clear in what the server leaves behind or shows to others.
#[test]
fn no_secret_is_left_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let workspace = company::write(dir.path());
    let settings = fs::read_to_string(workspace.join("accredit.toml")).unwrap();
    let called = "\n[sources.called]\nconnector = \"generic-json\"\nauth = \"bearer\"\n";
    fs::write(workspace.join("accredit.toml"), format!("{settings}{called}")).unwrap();
    let (data, key) = (at("a.redb"), at("audit.key"));
    done(&["audit", "key", "acme", "--out", &key]);
    let named = "canary-named-token-00000000001";
    let api_token = "canary-api-token-0000000000001";
    let (tokens, outside) = (format!("eva:author:{named}"), at("kept"));
    let env = [
        ("ACCREDIT_AUDIT_KEY_FILE", key.as_str()),
        ("ACCREDIT_CHECKPOINTS", &outside),
        ("ACCREDIT_TOKENS", &tokens),
        ("ACCREDIT_SECRET_CRM", CRM),
        ("ACCREDIT_SECRET_CALLED", CALLED),
        ("ACCREDIT_API_TOKEN_CRM", api_token),
        ("ACCREDIT_LOG", "trace"),
    ];
    let backups = at("backups");
    let words = ["--backups", &backups, "--backup-every", "never"];
    let server = Server::start_with(Path::new(&data), &workspace, &words, &env);
    let log = server.log.clone();
    let mut shown = String::new();
    let private = fs::read_to_string(&key).unwrap();
    // Behind the words, the name and the hash; it may have signs of plus itself.
    let private = private.trim().splitn(5, '+').nth(4).unwrap().to_owned();
    let mut planted = Planted(vec![
        ("the token of the administrator", TOKEN.to_owned()),
        ("a token with a name", named.to_owned()),
        ("the secret of a source", CRM.trim_start_matches("whsec_").to_owned()),
        ("the decoded secret of a source", "canary-crm-secret-0001".to_owned()),
        ("a fixed key of a source", CALLED.to_owned()),
        ("the token for the API of a CRM", api_token.to_owned()),
        ("the key for checkpoints", private),
    ]);

    plant_keys(&server, &mut planted, &mut shown);
    plant_person(&server, &mut planted, &mut shown);
    plant_requests(&server, &mut planted, &mut shown);
    server.settle();
    assert!(planted.0.len() >= 12, "T43 asks for twelve");
    show_all(&server, &planted, &mut shown);
    planted.assert_absent("an answer", shown.as_bytes());
    assert_eq!(server.stop(), 0);
    std::thread::sleep(Duration::from_millis(200));
    let log = log.lock().unwrap().clone();
    assert!(log.len() > 1000, "the log has lines");
    planted.assert_absent("the log", log.as_bytes());

    done(&["dump", "--data", &data, "--out", &at("a.dump")]);
    let folders = [backups, outside].map(|folder| files_under(Path::new(&folder))).concat();
    let left = [vec![data.into(), at("a.dump").into()], folders].concat();
    assert!(left.len() > 4, "{left:?}");
    for path in left {
        planted.assert_absent(&path.display().to_string(), &fs::read(&path).unwrap());
    }
}

/// Keys: made, rotated, used, and one that is none.
fn plant_keys(server: &Server, planted: &mut Planted, shown: &mut String) {
    let wanted = json!({"name": "robot", "role": "auditor"}).to_string();
    let made = server.post("/v1/keys", "application/json", &wanted).json();
    let id = made["id"].as_str().unwrap().to_owned();
    let first = made["key"].as_str().unwrap().to_owned();
    let rotate = format!("/v1/keys/{id}/rotate");
    let second = server.post(&rotate, "application/json", r#"{"overlap":60}"#).json();
    let second = second["key"].as_str().unwrap().to_owned();
    for key in [&first, &second] {
        assert_eq!(server.get_with_token("/v1/credits", key).status, 200);
        shown.push_str(&server.get_with_token("/v1/keys", key).body);
    }
    // A secret may have `_` itself, so that it is what is behind the id.
    let behind = format!("{id}_");
    let secret_of = |key: &str| key.split_once(&behind).unwrap().1.to_owned();
    assert!(secret_of(&first).len() > 20, "{first}");
    planted.0.push(("the secret of a key", secret_of(&first)));
    planted.0.push(("the secret of a rotated key", secret_of(&second)));
    let wrong = "canary-wrong-token-000000001";
    shown.push_str(&server.get_with_token("/v1/credits", wrong).body);
    shown.push_str(&server.get_with_token("/v1/credits", &format!("ack_{id}_{wrong}")).body);
    planted.0.push(("a token that is none", wrong.to_owned()));
}

/// A person: an invitation, a password, a wrong one, the cookie of a session.
fn plant_person(server: &Server, planted: &mut Planted, shown: &mut String) {
    let wanted = json!({"name": "Ann", "email": "ann@acme.example", "role": "admin"}).to_string();
    let invited = server.post("/v1/people", "application/json", &wanted).json();
    let invitation = invited["invitation"].as_str().unwrap().to_owned();
    let (password, other) = ("canary-password-0001", "canary-wrong-password-1");
    let path = format!("/v1/invitations/{invitation}");
    shown.push_str(&server.post(&path, "application/json", r#"{"password":"canary-1"}"#).body);
    let body = json!({ "password": password }).to_string();
    shown.push_str(&server.post(&path, "application/json", &body).body);
    shown.push_str(&server.post(&path, "application/json", &body).body);
    let sign_in = |password: &str| {
        let body = json!({"email": "ann@acme.example", "password": password}).to_string();
        server.post("/v1/session", "application/json", &body)
    };
    shown.push_str(&sign_in(other).body);
    let broken = format!(r#"{{"email":"ann@acme.example","password":"{other}""#);
    shown.push_str(&server.post("/v1/session", "application/json", &broken).body);
    let signed_in = sign_in(password);
    assert_eq!(signed_in.status, 200, "{}", signed_in.body);
    let cookie = signed_in.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let with_cookie = agent.get(format!("{}/v1/me", server.url)).header("cookie", &cookie).call();
    assert_eq!(with_cookie.unwrap().status(), 200);
    planted.0.push(("an invitation", invitation.rsplit_once('.').unwrap().1.to_owned()));
    planted.0.push(("a password", password.to_owned()));
    planted.0.push(("a wrong password", other.to_owned()));
    planted.0.push(("the cookie of a session", cookie.split_once('=').unwrap().1.to_owned()));
}

/// Webhooks that are right, badly signed, and with other headers; queries with a secret.
fn plant_requests(server: &Server, planted: &mut Planted, shown: &mut String) {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    for (secret, status) in [(CRM, 202), (SECRET, 401)] {
        let id = format!("m-{status}");
        let reply = server.hook_at(&id, now(), secret, DEAL).unwrap();
        assert_eq!(reply.status, status, "{}", reply.body);
        shown.push_str(&reply.body);
    }
    planted
        .0
        .push(("the secret of another sender", SECRET.trim_start_matches("whsec_").to_owned()));
    let sent = "canary-header-0000000001";
    for bearer in [CALLED, "canary-wrong-bearer-00001"] {
        let request = agent.post(format!("{}/hooks/called?key={sent}", server.url));
        let request = request.header("authorization", format!("Bearer {bearer}"));
        let mut reply = request.header("x-api-key", sent).send(DEAL).unwrap();
        shown.push_str(&reply.body_mut().read_to_string().unwrap());
    }
    planted.0.push(("a header or a query", sent.to_owned()));
    planted.0.push(("a wrong key of a source", "canary-wrong-bearer-00001".to_owned()));
    shown.push_str(&server.get_without_token(&format!("/v1/credits?token={sent}")).body);
    shown.push_str(&server.get(&format!("/v1/credits/{sent}?key={sent}")).status.to_string());
}

/// What is shown to others, and a backup.
fn show_all(server: &Server, planted: &Planted, shown: &mut String) {
    shown.push_str(&server.get("/metrics").body);
    for path in [
        "audit?limit=1000",
        "keys",
        "people",
        "alerts",
        "log",
        "status",
        "quarantine",
        "dead-letters",
        "tasks/1",
        "definitions",
        "approvals",
        "backups",
        "audit/checkpoint",
    ] {
        shown.push_str(&server.get(&format!("/v1/{path}")).body);
    }
    let backup = server.post("/v1/backups", "application/json", "");
    assert_eq!(backup.status, 201, "{}", backup.body);
    for format in ["ndjson", "csv"] {
        let words = ["audit", "export", "--format", format, "--server", &server.url];
        let asked = Command::new(binary()).args(words).env("ACCREDIT_TOKEN", TOKEN).output();
        let asked = asked.unwrap();
        assert!(asked.status.success());
        planted.assert_absent("an export", &[asked.stdout, asked.stderr].concat());
    }
}
