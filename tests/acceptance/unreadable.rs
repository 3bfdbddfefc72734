//! Authentic events that cannot be read: they are kept, and count once they can be. Hostile texts among
//! them end nothing.

use std::path::PathBuf;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::company;
use crate::server::{Server, root};

/// A sender guessed a shape that nothing maps: each event is acknowledged and kept. Once a policy maps it,
/// all of them are credited, each once.
#[test]
fn events_of_an_unknown_shape_are_credited_once_a_policy_maps_them() {
    const EVENTS: usize = 500;
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let server = Server::start(&dir.path().join("a.redb"), &workspace);
    let body = |number: usize| {
        json!({"Deal": {"Nr": format!("U{number}"), "Sum": "100,50", "Who": "Ann", "On": "2026-03-15"}})
            .to_string()
    };
    std::thread::scope(|scope| {
        for lane in 0..8 {
            let (server, body) = (&server, &body);
            scope.spawn(move || {
                for number in (lane..EVENTS).step_by(8) {
                    let reply = server.hook(&format!("m{number}"), &body(number)).unwrap();
                    assert_eq!(reply.status, 202, "{}", reply.body);
                }
            });
        }
    });
    server.settle();
    let letters = server.get("/v1/dead-letters?limit=1000").json();
    let letters = letters["data"].as_array().unwrap();
    assert_eq!(letters.len(), EVENTS);
    for letter in letters {
        assert!(letter["reason"].as_str().unwrap().contains("no natural key"), "{letter}");
    }
    assert_eq!(server.credits("").len(), 0);

    let policy = r#"fn map(payload) {
    let deal = payload["Deal"];
    let amount = replace(deal["Sum"], ",", ".");
    #{ "id": deal["Nr"], "date": deal["On"], "amount": amount, "owner": deal["Who"] }
}
"#;
    company::put(&workspace, "policies/intake/mapped.rhai", policy);
    let settings = std::fs::read_to_string(workspace.join("accredit.toml")).unwrap();
    let mapped = format!("{settings}intake = \"policy:mapped\"\n");
    company::put(&workspace, "accredit.toml", &mapped);
    let (code, out, talk) = crate::server::run(&[
        "apply",
        workspace.to_str().unwrap(),
        "--server",
        &server.url,
        "--token",
        crate::server::TOKEN,
    ]);
    assert_eq!(code, 0, "{talk}{out}");
    let redriven = server.post("/v1/dead-letters/redrive?source=crm", "application/json", "");
    assert_eq!(redriven.json()["redriven"], EVENTS);
    server.settle();
    let status = server.get("/v1/status").json();
    assert_eq!((&status["dead_letters"], &status["counts"]["direct"]), (&json!(0), &json!(EVENTS)));
    // And the sender may send everything again.
    for number in 0..EVENTS {
        let reply = server.hook(&format!("m{number}"), &body(number)).unwrap().json();
        assert_eq!(reply["duplicate"], true);
    }
    server.settle();
    assert_eq!(server.get("/v1/status").json()["counts"]["direct"], EVENTS);
}

/// Where the texts are: `ACCREDIT_HOSTILE_TEXTS`, a folder that `tests/clients/run` fills from two packages,
/// or the few in the repository.
fn folder() -> PathBuf {
    let named = std::env::var_os("ACCREDIT_HOSTILE_TEXTS").map(PathBuf::from);
    named.unwrap_or_else(|| root().join("tests/fixtures/hostile"))
}

/// Parts of the names of bodies that are legal JSON and cannot be a deal.
const BEYOND: [&str; 3] = ["duplicated_key", "y_number.json", "exponent.json"];

/// JSON that parsers disagree about. By its name a text must be read (`y_`), must not be (`n_`), or may be
/// either (`i_`). As an authentic body it is acknowledged whatever it is, and no text ends the server.
#[test]
fn json_that_parsers_disagree_about_is_acknowledged_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let settings = std::fs::read_to_string(workspace.join("accredit.toml")).unwrap();
    // A policy that takes any value, so that what is refused is refused as JSON.
    let more = "intake = \"policy:any\"\n";
    company::put(&workspace, "accredit.toml", &format!("{settings}{more}"));
    company::put(&workspace, "policies/intake/any.rhai", "fn map(payload) {\n    []\n}\n");
    let server = Server::start(&dir.path().join("a.redb"), &workspace);

    let list = std::fs::read_to_string(folder().join("json.json")).unwrap();
    let texts: Vec<Value> = serde_json::from_str(&list).unwrap();
    assert!(texts.len() >= 60, "{}", texts.len());
    let part = |text: &Value, key: &str| text[key].as_str().unwrap().to_owned();
    let mut bodies: Vec<(String, Vec<u8>)> =
        texts.iter().map(|text| (part(text, "name"), part(text, "input").into_bytes())).collect();
    // What is no text at all cannot be written in a list of texts.
    for (number, bytes) in
        [&b"[\"\xff\"]"[..], b"\xed\xa0\x80", b"\xff\xfe[\0]\0", b"[\"\xc0\xaf\"]"]
            .into_iter()
            .enumerate()
    {
        bodies.push((format!("n_bytes_{number}"), bytes.to_vec()));
    }

    for (number, (name, body)) in bodies.iter().enumerate() {
        let reply = server.hook_bytes(&format!("j{number}"), body).unwrap();
        assert_eq!(reply.status, 202, "{name}: {}", reply.body);
    }
    server.settle();
    let letters = server.get("/v1/dead-letters?limit=1000").json();
    let letters = letters["data"].as_array().unwrap();
    let dead: Vec<&str> =
        letters.iter().map(|letter| letter["delivery"].as_str().unwrap()).collect();
    let mut odd = Vec::new();
    for (number, (name, _)) in bodies.iter().enumerate() {
        match (name.split('_').next().unwrap(), dead.contains(&&*format!("j{number}"))) {
            // A key that comes twice is legal JSON, and means two things; a number of 60 digits is legal and
            // no amount. Both wait for a person.
            ("y", true) if !BEYOND.iter().any(|beyond| name.contains(beyond)) => {
                odd.push(format!("{name} was not read"));
            }
            ("n", false) => odd.push(format!("{name} was read")),
            _ => (),
        }
    }
    assert!(odd.is_empty(), "{odd:#?}");
    eprintln!("{} texts, {} of them dead letters", bodies.len(), dead.len());
    assert_eq!(server.stop(), 0);
}

/// Texts that broke other programs, as the name of a deal, its id and its owner: each is kept as it came,
/// letter by letter, and shown as text.
#[test]
fn texts_that_broke_other_programs_are_only_texts() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let server = Server::start(&dir.path().join("a.redb"), &workspace);
    let list = std::fs::read_to_string(folder().join("texts.json")).unwrap();
    let texts: Vec<String> = serde_json::from_str(&list).unwrap();
    assert!(texts.len() >= 40, "{}", texts.len());

    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for lane in 0..4 {
            let (server, texts, wrong) = (&server, &texts, &wrong);
            scope.spawn(move || {
                for (number, text) in texts.iter().enumerate().skip(lane).step_by(4) {
                    let named = json!({
                        "id": format!("N{number}"), "date": "2026-03-15", "amount": "10",
                        "owner": "ann", "name": text,
                    });
                    let owned = json!({
                        "id": format!("W{number}"), "date": "2026-03-15", "amount": text,
                        "owner": text, "name": "x",
                    });
                    let keyed = json!({
                        "id": format!("{text}#{number}"), "date": text, "amount": "10",
                        "owner": "ann",
                    });
                    for (kind, body) in [("n", named), ("w", owned), ("k", keyed)] {
                        let reply =
                            server.hook(&format!("{kind}{number}"), &body.to_string()).unwrap();
                        if reply.status != 202 {
                            wrong.lock().unwrap().push(format!("{kind} {text:?}: {}", reply.body));
                        }
                    }
                }
            });
        }
    });
    assert_eq!(wrong.into_inner().unwrap(), Vec::<String>::new());
    server.settle();

    for (number, text) in texts.iter().enumerate() {
        let shown = server.get(&format!("/v1/transactions/N{number}"));
        assert_eq!(shown.status, 200, "{text:?}: {}", shown.body);
        let kind = shown.header("content-type").unwrap_or_default().to_owned();
        assert_eq!(kind, "application/json", "{text:?}");
        assert!(contains_text(&shown.json(), text), "{text:?}: {}", shown.body);
    }
    // Every list is still readable, and as CSV no cell begins a formula.
    for path in ["/v1/transactions?limit=1000", "/v1/alerts?limit=1000", "/v1/parked", "/v1/log"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    assert_eq!(server.stop(), 0);
}

/// Whether a text is somewhere in an answer; cells lose white space at their ends.
fn contains_text(answer: &Value, text: &str) -> bool {
    match answer {
        Value::String(found) => found == text || found.trim() == text.trim(),
        Value::Array(items) => items.iter().any(|item| contains_text(item, text)),
        Value::Object(members) => members.values().any(|member| contains_text(member, text)),
        // A cell of white space is blank.
        _ => text.trim().is_empty(),
    }
}
