//! Requests with a key of their sender: 32 at once are carried out once and answered alike, and the key with
//! another request does nothing.

use std::collections::BTreeSet;
use std::sync::Mutex;

use serde_json::{Value as Json, json};

use super::{Office, deal, done, refused};
use crate::company;
use crate::server::{Reply, Server};

/// Requests at once with one key.
const SENDERS: usize = 32;

/// An office whose credits are held until a person releases them.
fn office() -> Office {
    Office::with(|workspace| {
        let hold = "rollable = true\nhold = 'hold_indefinitely(\"unpaid\")'";
        let plan = company::FILES[2].1.replace("rollable = true", hold);
        company::put(workspace, "plans/reps.toml", &plan);
    })
}

fn keyed(server: &Server, path: &str, key: &str, body: &Json) -> Reply {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    server.post_with(path, &headers, &body.to_string())
}

/// Sends a request many times at once and gives its one answer.
fn at_once(server: &Server, path: &str, key: &str, body: &Json) -> Json {
    let answers = Mutex::new(BTreeSet::new());
    let begin = std::sync::Barrier::new(SENDERS);
    std::thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(|| {
                begin.wait();
                let reply = keyed(server, path, key, body);
                answers.lock().unwrap().insert((reply.status, reply.body));
            });
        }
    });
    let answers = answers.into_inner().unwrap();
    assert_eq!(answers.len(), 1, "{path}: {answers:?}");
    let (status, text) = answers.into_iter().next().unwrap();
    assert!(status == 200 || status == 202, "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap()
}

fn trail(server: &Server) -> Vec<String> {
    let rows = done(&server.get("/v1/audit?limit=1000"))["data"].clone();
    rows.as_array().unwrap().iter().map(|row| row["what"].as_str().unwrap().to_owned()).collect()
}

/// What the trail has more than before, the newest first.
fn since(server: &Server, before: usize) -> Vec<String> {
    let now = trail(server);
    now[..now.len() - before].to_vec()
}

/// Two clicks, or a client that tries again, released twice: a second publication, another row of the trail.
#[test]
fn one_key_sent_32_times_at_once_is_carried_out_once() {
    let office = office();
    let server = office.open("2026-11-29");
    for (number, amount) in ["100", "200", "300"].iter().enumerate() {
        deal(&server, &format!("m{number}"), &format!("D{number}"), "2026-11-15", amount);
    }
    let held = |id: &str| {
        let credits = server.credits(&format!("transaction={id}&payee=ann"));
        (credits[0]["id"].as_str().unwrap().to_owned(), credits[0]["status"].clone())
    };
    let (id, status) = held("D0");
    assert_eq!(status, "held");
    let one = format!("/v1/credits/{id}/release");
    let many = "/v1/holds/release";
    let calculation = "/v1/calculations/reps/2026-11/release";
    let bonus = json!({
        "payee": "ann", "plan": "reps", "period": "2026-11", "credit_type": "credit", "amount": "5",
        "reason_code": "Split Correction",
    });
    let acts = [
        (one.as_str(), json!({"comment": "paid"}), json!({"comment": "paid late"})),
        (many, json!({"payee": "ann"}), json!({"payee": "bob"})),
        (calculation, json!({"what": "credits"}), json!({"what": "credits", "reason": "again"})),
        (
            "/v1/credits",
            bonus.clone(),
            json!({"reverses": "crd_0", "reason_code": "Split Correction"}),
        ),
    ];

    for (number, (path, body, other)) in acts.iter().enumerate() {
        let key = format!("key-{number}");
        let before = trail(&server).len();
        let answer = at_once(&server, path, &key, body);
        let new = since(&server, before);
        let acted = if *path == many { 2 } else { 1 };
        assert_eq!(new.len(), acted, "{path}: {new:?} {answer}");

        let before = trail(&server).len();
        refused(&keyed(&server, path, &key, other), 422, "idempotency_conflict");
        // A key names one request, whatever its path.
        let elsewhere = acts[(number + 1) % acts.len()].0;
        let moved = &acts[(number + 1) % acts.len()].1;
        refused(&keyed(&server, elsewhere, &key, moved), 422, "idempotency_conflict");
        assert_eq!(since(&server, before), Vec::<String>::new(), "{path}");
        assert_eq!(done(&keyed(&server, path, &key, body)), answer, "{path}");
    }
    assert_eq!(held("D0").1, "active");
    let shown = done(&server.get("/v1/calculations?plan=reps&period=2026-11"));
    let publications = &shown["data"][0]["release"]["publications"];
    assert_eq!(publications, 1, "{shown}");
    refused(&keyed(&server, many, " ", &json!({"payee": "ann"})), 400, "bad_request");

    // The answers outlive the server.
    let before = trail(&server).len();
    assert_eq!(server.stop(), 0);
    let server = office.open("2026-11-29");
    at_once(&server, many, "key-1", &json!({"payee": "ann"}));
    let new = since(&server, before);
    assert!(new.iter().all(|what| !what.contains("release")), "{new:?}");
}
