//! What payees ask: why not, enquiries; and what administrators look up: alerts, the log, aliases.

use std::path::Path;

use serde_json::{Value as Json, json};

use crate::company;
use crate::server::{Reply, Server, TOKEN, run};

const JSON: &str = "application/json";

/// A server with a deal of Ann's and one of somebody whom nobody knows.
fn start(dir: &Path) -> Server {
    let server = Server::start(&dir.join("payees.redb"), &company::write(dir));
    let deals = json!([
        {"id": "D/1", "date": "2026-03-15", "amount": "100.00", "owner": "Ann"},
        {"id": "D2", "date": "2026-03-16", "amount": "50.00", "owner": "Zoe"},
    ]);
    assert_eq!(server.hook("m1", &deals.to_string()).unwrap().status, 202);
    server.settle();
    server
}

fn rows(reply: &Reply) -> Vec<Json> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["data"].as_array().unwrap().clone()
}

/// An alert as the log has it: without its id, and without the person who takes care of it.
pub(crate) fn without_assignee(alert: &Json) -> Json {
    let mut fields = alert.as_object().unwrap().clone();
    assert!(fields.remove("id").is_some_and(|id| id.is_string()), "{alert}");
    assert_eq!(fields.remove("assignee"), Some(Json::Null), "{alert}");
    Json::Object(fields)
}

#[test]
fn why_not_is_answered_on_the_server_and_on_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path());
    let why = server.get("/v1/payees/bob/why-not?transaction=D%2F1").json();
    let finding = &why["plans"][0]["findings"][0];
    let message = "rule `Booking`: the owner is `Ann`; none of your aliases (bob) matches";
    assert_eq!((&finding["code"], &finding["message"]), (&json!("not_named"), &json!(message)));

    let workspace = dir.path().join("workspace");
    let deals = "id,date,amount,owner\nD1,2026-03-15,100,Ann\n";
    company::put(&workspace, "transactions/deals.csv", deals);
    let path = workspace.to_str().unwrap();
    let explain = |payee: &str| run(&["explain", path, "--transaction", "D1", "--payee", payee]);
    let (code, out, error) = explain("Bob");
    assert_eq!(code, 0, "{error}");
    assert!(out.contains(message), "{out}");
    let (_, out, _) = explain("DEE");
    assert!(out.contains("100.00"), "{out}");
}

#[test]
fn a_payee_lists_own_enquiries_with_what_was_expected() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path());
    let ask = |payee: &str, body: Json| {
        server.post(&format!("/v1/payees/{payee}/enquiries"), JSON, &body.to_string())
    };
    let text = "Ann and I sold it together";
    let missing = json!({"kind": "missing", "transaction": "D/1", "expected": "50", "text": text});
    let asked = ask("bob", missing);
    assert_eq!(asked.status, 201, "{}", asked.body);
    assert_eq!((&asked.json()["expected"], &asked.json()["actual"]), (&json!("50"), &Json::Null));
    let link = asked.json()["explain"].as_str().unwrap().to_owned();
    let why = server.get(&link).json();
    assert_eq!(why["plans"][0]["findings"][0]["code"], "not_named", "{link}");
    let much = json!({"kind": "missing", "text": "x", "expected": "much"});
    assert_eq!(ask("bob", much).status, 422);

    // What is published can be asked about, with its amount; not as of another deal.
    let what = json!({"what": "credits"}).to_string();
    let released = server.post("/v1/calculations/reps/2026-03/release", JSON, &what);
    assert_eq!(released.status, 200, "{}", released.body);
    let credit = server.credits("payee=ann")[0]["id"].clone();
    let mut incorrect = json!({"kind": "incorrect", "credit": credit, "text": "too little"});
    let own = ask("ann", incorrect.clone());
    assert_eq!(own.status, 201, "{}", own.body);
    assert_eq!(
        (&own.json()["transaction"], &own.json()["actual"]),
        (&json!("D/1"), &json!("100.00"))
    );
    incorrect["transaction"] = json!("D2");
    assert_eq!(ask("ann", incorrect).status, 422);

    assert_eq!(rows(&server.get("/v1/payees/bob/enquiries")), [asked.json()]);
    assert_eq!(rows(&server.get("/v1/payees/ann/enquiries")), [own.json()]);
    assert_eq!(rows(&server.get("/v1/payees/nobody/enquiries")), Vec::<Json>::new());
}

#[test]
fn alerts_and_the_log_come_in_pages() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path());
    // More than a block of 64, every third of nobody's.
    let deals: Vec<Json> = (0..150)
        .map(|n| {
            let owner = if n % 3 == 0 { "Zoe" } else { "Bob" };
            let month = if n % 2 == 0 { "04" } else { "05" };
            let (id, date) = (format!("N{n}"), format!("2026-{month}-01"));
            json!({"id": id, "date": date, "amount": "1", "owner": owner})
        })
        .collect();
    assert_eq!(server.hook("m2", &json!(deals).to_string()).unwrap().status, 202);
    server.settle();
    let whole = |query: &str| {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let reply = server.get(&format!("/v1/{query}{cursor}"));
            all.extend(rows(&reply));
            match reply.json()["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    };
    let all = whole("alerts?limit=1000");
    // D2 and every third of 150.
    assert_eq!(all.len(), 51);
    assert_eq!(whole("alerts?limit=7"), all);
    let noted: Vec<Json> = all.iter().map(without_assignee).collect();
    assert_eq!(whole("log?limit=1000"), noted);
    let (first, message) = (&all[0], "no alias matches `Zoe` on 2026-03-16");
    assert_eq!((&first["transaction"], &first["period"]), (&json!("D2"), &json!("2026-03")));
    assert_eq!((&first["code"], &first["message"]), (&json!("unmatched"), &json!(message)));
    // 0, 6, 12 … 144 are in April; 3, 9 … 147 in May.
    assert_eq!(whole("alerts?limit=10&period=2026-04").len(), 25);
    assert_eq!(whole("alerts?limit=10&period=2026-Q2").len(), 50);
    assert_eq!(whole("alerts?limit=10&code=vacant").len(), 0);
    assert_eq!(whole("alerts?limit=10&code=unmatched&plan=reps").len(), 51);
    assert_eq!(whole("alerts?limit=10&plan=other").len(), 0);
    assert_eq!(whole("alerts?transaction=N3").len(), 1);
    assert_eq!(whole("alerts?transaction=N1").len(), 0);
    for refused in ["alerts?cursor=x", "log?limit=0", "log?period=2026-13", "alerts?payee=ann"] {
        assert_eq!(server.get(&format!("/v1/{refused}")).status, 400, "{refused}");
    }
}

#[test]
fn the_log_has_what_a_plan_wants_no_alert_of() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let quiet = company::FILES[2].1.replacen("\n\n[[direct]]", "\nalerts = []\n\n[[direct]]", 1);
    company::put(&workspace, "plans/reps.toml", &quiet);
    let server = Server::start(&dir.path().join("quiet.redb"), &workspace);
    let deal = json!({"id": "D1", "date": "2026-03-16", "amount": "50.00", "owner": "Zoe"});
    assert_eq!(server.hook("m1", &deal.to_string()).unwrap().status, 202);
    server.settle();
    assert_eq!(rows(&server.get("/v1/alerts")), Vec::<Json>::new());
    assert_eq!(rows(&server.get("/v1/log"))[0]["code"], "unmatched");
}

#[test]
fn aliases_are_listed_with_what_they_mean() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let aliases = "kind,id,alias,from,to\nparticipant,ann,The Closer,2026-01-01,2026-06-30\n\
                   participant,bob,the closer,2026-06-01,\n";
    company::put(&workspace, "organization/aliases.csv", aliases);
    let path = workspace.to_str().unwrap();
    let (code, out, error) = run(&["aliases", path, "--search", "CLOSER", "--format", "json"]);
    assert_eq!(code, 0, "{error}");
    let listed: Vec<Json> = serde_json::from_str(&out).unwrap();
    let row = |id: &str, name: &str, from: &str, to: Json| {
        json!({"alias": "The Closer", "kind": "participant", "id": id, "name": name, "from": from,
            "to": to, "ambiguous": true})
    };
    let expected = [
        row("ann", "Ann", "2026-01-01", json!("2026-06-30")),
        row("bob", "Bob", "2026-06-01", Json::Null),
    ];
    assert_eq!(listed, expected);
    assert_eq!(run(&["aliases", path, "--search", "nobody at all"]).0, 3);
    let server = Server::start(&dir.path().join("aliases.redb"), &workspace);
    assert_eq!(rows(&server.get("/v1/aliases?text=closer")), expected);
    let positions = rows(&server.get("/v1/aliases?kind=position"));
    assert_eq!(positions.len(), 4);
    assert!(positions.iter().all(|row| row["ambiguous"] == false));
    let first = server.get("/v1/aliases?kind=position&limit=3").json();
    let next = first["next_cursor"].as_str().unwrap();
    assert_eq!(
        rows(&server.get(&format!("/v1/aliases?kind=position&cursor={next}"))),
        positions[3..]
    );
    assert_eq!(server.get("/v1/aliases?kind=person").status, 400);
}

/// The administrator's token was the only way in, and it read everybody's pay.
#[test]
fn a_payee_is_let_in_with_a_key_from_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path());
    let verb = |arguments: &[&str]| {
        let to = ["--server", &server.url, "--token", TOKEN];
        run(&[&["keys"], arguments, &to].concat())
    };
    let create = ["create", "ann", "--role", "payee", "--participant", "ann"];
    let (code, key, error) = verb(&create);
    assert_eq!(code, 0, "{error}");
    let key = key.trim();
    let id = key.split('_').nth(1).unwrap();
    let status = |key: &str, path: &str| server.get_with_token(path, key).status;
    assert_eq!((status(key, "/v1/me"), status(key, "/v1/credits")), (200, 403));

    let (_, listed, _) = verb(&["list", "--format", "csv"]);
    assert!(listed.contains(&format!("{id},ann,payee,ann,")), "{listed}");
    assert!(!listed.contains(key), "{listed}");
    let (code, second, error) = verb(&["rotate", id, "--overlap", "60"]);
    assert_eq!(code, 0, "{error}");
    assert_eq!((status(key, "/v1/me"), status(second.trim(), "/v1/me")), (200, 200));
    assert_eq!(verb(&["revoke", id]).0, 0);
    assert_eq!((status(key, "/v1/me"), status(second.trim(), "/v1/me")), (401, 401));
    let (code, _, error) = verb(&["revoke", id]);
    assert!(code == 1 && error.contains("key not found"), "{error}");
    assert_eq!(verb(&create[..4]).0, 1, "a payee needs a participant");
}
