//! Runs that may last longer than a request: answered in time, looked at, joined, cancelled, and known
//! after the process has ended.
//!
//! Expectations come from DOMAIN 2.13 (a run changes nothing that nothing has changed) and from RFC
//! 9110 and 7240 (202 with a place to look, `Prefer`).

use serde_json::{Value as Json, json};

use super::{JSON, Office, deal, done, post, refused};
use crate::company;
use crate::server::{Reply, Server};

/// Enough for several steps of a run.
const MANY: usize = 2400;

const RUN: &str = "/v1/calculations/reps/2026-03/run";

/// A server with many deals of March.
fn busy(office: &Office) -> Server {
    let server = office.open("2026-03-20");
    let deal =
        |n: usize| json!({"id": n.to_string(), "date": "2026-03-10", "amount": 1, "owner": "Ann"});
    let deals: Vec<String> = (0..MANY).map(|n| deal(n).to_string()).collect();
    for part in deals.chunks(MANY / 4) {
        let sent = server.post("/v1/transactions", "application/x-ndjson", &part.join("\n"));
        assert!(sent.status < 300, "{}", sent.body);
    }
    server.settle();
    server
}

/// Asks for a run without waiting for its end.
fn ask(server: &Server, mode: &str) -> Reply {
    let body = json!({"mode": mode}).to_string();
    server.post_with(RUN, &[("content-type", JSON), ("prefer", "respond-async")], &body)
}

/// Where a run that has just been asked for is to be found.
fn accepted(reply: &Reply) -> String {
    assert_eq!(reply.status, 202, "{}", reply.body);
    assert_eq!(reply.header("retry-after"), Some("1"));
    let place = reply.header("location").unwrap().to_owned();
    assert_eq!(place, format!("/v1/runs/{}", reply.json()["id"]));
    place
}

fn ended(server: &Server, place: &str) -> Json {
    let mut run = Json::Null;
    server.wait("the run ends", || {
        run = done(&server.get(place));
        run["state"] != "waiting" && run["state"] != "running"
    });
    run
}

#[test]
fn a_long_run_is_asked_for_once_and_looked_at() {
    let office = Office::new();
    let server = busy(&office);
    let place = accepted(&ask(&server, "full"));
    // The same again is the same run; another one of it is refused, and so is what needs its end.
    assert_eq!(accepted(&ask(&server, "full")), place);
    let other = ask(&server, "incremental");
    assert_eq!(other.header("location"), Some(place.as_str()));
    refused(&other, 409, "run_under_way");
    let release = json!({"what": "credits"});
    let path = "/v1/calculations/reps/2026-03/release";
    refused(&post(&server, path, &release), 409, "run_under_way");
    // Deals that arrive meanwhile are decided, and stay.
    deal(&server, "m1", "0", "2026-03-10", "7");
    let progress = done(&server.get("/v1/calculations"))["progress"].clone();
    if progress["running"] != Json::Null {
        assert_eq!((&progress["done"], &progress["running"]["run"]), (&json!(false), &json!(1)));
    }
    let run = ended(&server, &place);
    let counts = json!([run["state"], run["transactions"], run["decided"], run["differing"]]);
    assert_eq!(counts, json!(["done", MANY, MANY, 0]), "{run}");
    assert_eq!(server.credits("payee=ann&transaction=0")[0]["amount"], "7.00");
    assert_eq!(done(&server.get("/v1/calculations"))["progress"]["done"], true);
    // Whoever waits gets what came out, as ever.
    let again = done(&post(&server, RUN, &json!({"mode": "full"})));
    let same = ["plan", "period", "mode", "transactions", "differing", "business_date"];
    assert!(same.iter().all(|key| again[key] == run[key]), "{again}\n{run}");
    assert_eq!(again["id"], 2);
    // The deal that arrived meanwhile was decided before the run ended or after it.
    assert!(again["revision"].as_u64() >= run["revision"].as_u64(), "{again}\n{run}");
    done(&post(&server, path, &release));
    let listed = done(&server.get("/v1/runs"));
    let ids: Vec<&Json> = listed["data"].as_array().unwrap().iter().map(|run| &run["id"]).collect();
    assert_eq!(ids, [&json!(2), &json!(1)]);
    refused(&server.get("/v1/runs/9"), 404, "not_found");
}

#[test]
fn a_run_ends_with_a_wish_or_with_the_process() {
    let office = Office::new();
    let server = busy(&office);
    let place = accepted(&ask(&server, "full"));
    let cancelled = done(&server.post(&format!("{place}/cancel"), JSON, ""));
    assert_eq!(cancelled["state"], "cancelled", "{cancelled}");
    assert!(cancelled["decided"].as_u64().unwrap() < MANY as u64, "{cancelled}");
    assert_eq!(done(&server.post(&format!("{place}/cancel"), JSON, "")), cancelled);

    let place = accepted(&ask(&server, "full"));
    server.kill();
    let server = office.open("2026-03-20");
    let run = done(&server.get(&place));
    assert_eq!(run["state"], "failed", "{run}");
    assert!(run["error"].as_str().unwrap().contains("run it again"), "{run}");
    assert!(run["ended"].is_string(), "{run}");
    let place = accepted(&ask(&server, "full"));
    // A stop that is asked for is not held up by a run.
    assert_eq!(server.stop(), 0);
    let server = office.open("2026-03-20");
    assert_eq!(done(&server.get(&place))["state"], "failed");
    let run = done(&post(&server, RUN, &json!({"mode": "full"})));
    assert_eq!((&run["decided"], &run["differing"]), (&json!(MANY), &json!(0)), "{run}");
}

/// What a change would come to is worked out from every recorded deal, and is no different whether it
/// was waited for or looked up.
#[test]
fn an_answer_that_takes_long_is_looked_up() {
    let office = Office::new();
    let server = busy(&office);
    let patient = [("content-type", JSON), ("prefer", "wait=25")];
    let hasty = [("content-type", JSON), ("prefer", "respond-async")];
    let later = |path: &str, body: &Json| {
        let reply = server.post_with(path, &hasty, &body.to_string());
        assert_eq!(reply.status, 202, "{}", reply.body);
        assert_eq!(reply.json()["state"], "running");
        reply.header("location").unwrap().to_owned()
    };
    let ended = |place: &str| {
        let mut task = Json::Null;
        server.wait("the task ends", || {
            task = done(&server.get(place));
            task["state"] != "running"
        });
        task
    };
    let half = json!({"files": {"policies/rollup/share.rhai": company::rollup(50)}});
    let place = later("/v1/preview", &half);
    assert_eq!(later("/v1/preview", &half), place, "the same request is the same task");
    let task = ended(&place);
    assert_eq!((&task["state"], &task["status"]), (&json!("done"), &json!(200)));
    // Max and Dee got the whole of every deal, and would get half of it.
    assert_eq!(task["answer"]["impact"]["differing"], MANY);
    let waited = server.post_with("/v1/preview", &patient, &half.to_string());
    assert_eq!(done(&waited), task["answer"]);

    // A refusal is one, however late.
    let mut change = half.clone();
    change["max_total"] = json!("1");
    change["effective"] = json!("recredit");
    let task = ended(&later("/v1/changes", &change));
    assert_eq!((&task["state"], &task["status"]), (&json!("failed"), &json!(409)), "{task}");
    assert_eq!(task["answer"]["type"], "/problems/stop_loss");
    change["max_total"] = json!("1000000");
    let task = ended(&later("/v1/changes", &change));
    assert_eq!((&task["status"], &task["answer"]["active"]), (&json!(200), &json!(true)), "{task}");
    refused(&server.get("/v1/tasks/99"), 404, "not_found");
}
