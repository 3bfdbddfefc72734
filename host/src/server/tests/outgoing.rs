//! Events for other systems, sent to a real receiver on loopback.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use accredit_seams::connector::{Connector as _, SentRequest, SourceSettings};
use accredit_standard_webhooks::StandardWebhooks;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::post;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Host, deal, recredited};
use crate::server::config::Config;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const VARIABLE: &str = "ACCREDIT_DESTINATION_SECRET_ERP";

/// A message as it arrived.
#[derive(Debug, Clone)]
struct Arrived {
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Arrived {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether the signature is one by this secret, as a receiver finds out.
    fn is_signed_by(&self, secret: &str) -> bool {
        let headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let request = SentRequest {
            method: "POST",
            query: "",
            headers: &headers,
            body: &self.body,
            received_ms: crate::server::clock::HostClock::default().now_ms(),
        };
        StandardWebhooks.verify_request(&request, &SourceSettings::default(), &[secret]).is_ok()
    }
}

/// A receiver, what it answers, and what it got.
#[derive(Clone, Default)]
struct Receiver {
    answer: Arc<AtomicU16>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    url: String,
}

impl Receiver {
    fn start(host: &Host) -> Receiver {
        let mut receiver = Receiver::default();
        receiver.answer.store(204, Ordering::SeqCst);
        let listener = host.runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        receiver.url = format!("http://{}/events", listener.local_addr().unwrap());
        let app = Router::new()
            .route("/events", post(take))
            .route("/elsewhere", post(take))
            .with_state(receiver.clone());
        host.runtime.spawn(async { axum::serve(listener, app).await });
        receiver
    }

    fn answers(&self, status: u16) {
        self.answer.store(status, Ordering::SeqCst);
    }

    fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    /// Waits for so many messages.
    fn wait_for(&self, count: usize) -> Vec<Arrived> {
        wait_until(|| self.arrived().len() >= count);
        self.arrived()
    }
}

async fn take(
    State(receiver): State<Receiver>,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    receiver.arrived.lock().unwrap().push(Arrived { headers, body: body.to_vec() });
    let status = receiver.answer.load(Ordering::SeqCst);
    (StatusCode::from_u16(status).unwrap(), [(header::LOCATION, "/elsewhere")])
}

fn wait_until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(20), "it does not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn with_secret(config: &mut Config) {
    config.private_destinations = vec!["127.0.0.0/8".parse().unwrap()];
    let secrets = vec![SECRET.into()];
    config.credentials.destination_secrets.insert(VARIABLE.to_owned(), secrets);
}

/// Names a destination that wants these events.
fn name_destination(host: &Host, url: &str, events: &str) {
    let settings = format!(
        "credit_types = [\"booking\"]\n{}\n[destinations.erp]\nurl = \"{url}\"\nevents = {events}\n",
        super::SETTINGS
    );
    let current = host.api("GET", "/v1/definitions/accredit.toml", &[], "");
    let tag = current.header("etag").to_owned();
    let headers = [("if-match", tag.as_str()), ("content-type", "text/plain")];
    let reply = host.api("PUT", "/v1/definitions/accredit.toml", &headers, &settings);
    assert!(matches!(reply.status, 200 | 201), "{}", reply.text);
    recredited(host);
}

fn destination(host: &Host) -> Value {
    host.get("/v1/destinations")["data"][0].clone()
}

#[test]
fn credits_are_told_signed_and_add_up() {
    let host = Host::start_with(with_secret);
    let receiver = Receiver::start(&host);
    name_destination(&host, &receiver.url, "[\"credit.*\"]");

    host.deliver("m1", &deal("D1", "100", ""));
    host.deliver("m2", &deal("D2", "7.5", r#","hold":"yes""#));
    let first = receiver.wait_for(2);
    let mut kinds: Vec<String> =
        first.iter().map(|one| one.json()["type"].as_str().unwrap().to_owned()).collect();
    kinds.sort();
    assert_eq!(kinds, ["com.accredit.credit.created", "com.accredit.credit.held"]);

    let held = host.credits("D2").pop().unwrap();
    let path = format!("/v1/credits/{}/release", held["id"].as_str().unwrap());
    assert_eq!(host.api("POST", &path, &[], "").status, 200);
    host.deliver("m3", &deal("D1", "40", r#","updated":"2026-01-14""#));
    let all = receiver.wait_for(5);

    let (mut credited, mut held) = (Decimal::ZERO, Decimal::ZERO);
    for one in &all {
        assert!(one.is_signed_by(SECRET));
        assert!(!one.is_signed_by("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx"));
        assert_eq!(one.header("content-type"), "application/cloudevents+json");
        let event = one.json();
        assert_eq!(event["specversion"], "1.0");
        assert_eq!(event["id"], one.header("webhook-id"));
        assert_eq!(event["source"], "/accredit/Acme");
        assert_eq!(event["subject"], event["data"]["transaction"]);
        for credit in event["data"]["credits"].as_array().unwrap() {
            let amount = |key: &str| credit[key].as_str().unwrap().parse::<Decimal>().unwrap();
            credited += amount("credited_change");
            held += amount("held_change");
        }
    }
    assert_eq!((credited, held), ("47.5".parse().unwrap(), Decimal::ZERO));
    wait_until(|| destination(&host)["sent"] == 5);
    assert_eq!(destination(&host)["waiting"], 0);
}

#[test]
fn activations_runs_alerts_and_rewards_are_told() {
    let host = Host::start_with(with_secret);
    let receiver = Receiver::start(&host);
    name_destination(&host, &receiver.url, "[\"policy.activated\", \"calculation.*\"]");
    name_destination(&host, &receiver.url, "[\"calculation.*\"]");
    let told = receiver.wait_for(1)[0].json();
    assert_eq!(told["type"], "com.accredit.policy.activated");
    assert_eq!(told["data"]["who"], "admin");
    assert!(told["data"]["changed"]["accredit.toml"].is_string(), "{told}");

    host.deliver("m1", &deal("D1", "100", ""));
    host.drained();
    let run = host.api("POST", "/v1/calculations/sellers/2026-01/run", &[], r#"{"mode":"full"}"#);
    assert!(matches!(run.status, 200 | 202), "{}", run.text);
    let told = receiver.wait_for(2)[1].json();
    assert_eq!(told["type"], "com.accredit.calculation.finished");
    assert_eq!(
        (&told["data"]["plan"], &told["data"]["state"]),
        (&json!("sellers"), &json!("done"))
    );
}

#[test]
fn rewards_are_told_once_they_are_certain_and_when_they_are_taken_back() {
    let host = Host::start_with(with_secret);
    let receiver = Receiver::start(&host);
    let plan = format!(
        "{}\n[[reward]]\nname = \"Commission\"\ntiers = [{{ rate = \"10%\" }}]\n",
        super::PLAN
    );
    let files = json!({ "files": { "plans/sellers.toml": plan } });
    assert_eq!(host.api("POST", "/v1/changes", &[], &files.to_string()).status, 200);
    name_destination(&host, &receiver.url, "[\"reward.*\"]");
    host.deliver("m1", &deal("D1", "100", ""));
    host.drained();

    let path = "/v1/calculations/sellers/2026-01/release";
    for (what, told) in [("credits", 0), ("rewards", 1), ("rewards", 1)] {
        let body = json!({ "what": what, "force": true, "reason": "test" });
        let released = host.api("POST", path, &[], &body.to_string());
        assert!(matches!(released.status, 200 | 409), "{}", released.text);
        wait_until(|| destination(&host)["waiting"] == 0);
        assert_eq!(receiver.arrived().len(), told, "{what}");
    }
    let paid = receiver.arrived()[0].json();
    assert_eq!(paid["type"], "com.accredit.reward.paid");
    assert_eq!((&paid["data"]["payee"], &paid["data"]["amount"]), (&json!("ann"), &json!("10.00")));
    assert_eq!(paid["data"]["paid_change"], "10.00");

    let path = "/v1/calculations/sellers/2026-01?force=true&reason=test";
    let removed = host.api("DELETE", path, &[], "");
    assert_eq!(removed.status, 200, "{}", removed.text);
    let back = receiver.wait_for(2)[1].json();
    assert_eq!(back["type"], "com.accredit.reward.withdrawn");
    assert_eq!(back["data"]["paid_change"], "-10.00");
    assert_eq!(back["subject"], paid["subject"]);
}

#[test]
fn a_destination_that_was_down_gets_everything_once_it_is_back() {
    let mut host = Host::start_with(with_secret);
    let receiver = Receiver::start(&host);
    name_destination(&host, &receiver.url, "[\"credit.created\"]");

    receiver.answers(503);
    for number in 0..12 {
        host.deliver(&format!("m{number}"), &deal(&format!("D{number}"), "1", ""));
    }
    host.drained();
    let tried = receiver.wait_for(1);
    wait_until(|| destination(&host)["oldest_error"] == "the destination answered 503");
    // It is left alone for a while, with all that is due.
    assert!(tried.len() <= 8, "{}", tried.len());
    assert_eq!(destination(&host)["waiting"], 12);

    // The events are in the data file.
    host.stop();
    let before = receiver.arrived().len();
    host.run();
    assert_eq!(destination(&host)["waiting"], 12);
    receiver.answers(200);
    // Some may be tried again by themselves at this moment.
    let resent = host.api("POST", "/v1/destinations/erp/resend?state=waiting", &[], "");
    assert_eq!(resent.status, 202, "{}", resent.text);
    wait_until(|| destination(&host)["sent"] == 12);

    let mut ids: Vec<String> = receiver.arrived()[before..]
        .iter()
        .map(|one| one.json()["subject"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 12);
}

#[test]
fn an_event_that_nobody_takes_is_a_dead_letter_until_it_is_sent_again() {
    let host = Host::start_with(with_secret);
    let receiver = Receiver::start(&host);
    name_destination(&host, &receiver.url, "[\"credit.created\"]");
    receiver.answers(410);
    host.deliver("m1", &deal("D1", "1", ""));
    wait_until(|| destination(&host)["dead"] == 1);

    let listed = host.get("/v1/destinations/erp/events?state=dead")["data"][0].clone();
    assert_eq!(listed["last_error"], "the destination answered 410");
    let path = format!("/v1/destinations/erp/events/{}", listed["id"].as_str().unwrap());
    let shown = host.get(&path);
    assert_eq!(shown["body"]["data"]["transaction"], "D1");
    assert_eq!(shown["body"], receiver.arrived()[0].json());

    receiver.answers(200);
    assert_eq!(host.api("POST", &format!("{path}/resend"), &[], "").status, 202);
    wait_until(|| destination(&host)["sent"] == 1);
    let arrived = receiver.arrived();
    assert_eq!(arrived[0].header("webhook-id"), arrived[1].header("webhook-id"));
    let trail = host.get("/v1/audit")["data"].to_string();
    assert!(trail.contains("events_resent"), "{trail}");

    for unknown in ["evt_0000000000000001", "evt_", "x"] {
        let reply = host.api("GET", &format!("/v1/destinations/erp/events/{unknown}"), &[], "");
        reply.problem(404, "not_found");
    }
}

/// The settings are an author's, and the network that the server stands in is not: without an
/// administrator's leave, no event goes to a private address, and no redirect leads there.
#[test]
fn private_addresses_and_redirects_are_not_followed() {
    let host = Host::start_with(|config| {
        with_secret(config);
        config.private_destinations.clear();
    });
    let receiver = Receiver::start(&host);
    let port = receiver.url.split([':', '/']).nth(4).unwrap().to_owned();
    for name in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0.0.0.0"] {
        name_destination(&host, &format!("http://{name}:{port}/events"), "[\"credit.created\"]");
        assert_eq!(host.api("POST", "/v1/destinations/erp/test", &[], "").status, 202);
        wait_until(|| destination(&host)["oldest_error"].is_string());
        let error = destination(&host)["oldest_error"].as_str().unwrap().to_owned();
        assert!(error.contains("private address") || error.contains("resolve"), "{name}: {error}");
    }
    assert_eq!(receiver.arrived().len(), 0);

    let host = Host::start_with(with_secret);
    let receiver = Receiver::start(&host);
    receiver.answers(307);
    name_destination(&host, &receiver.url, "[\"credit.created\"]");
    assert_eq!(host.api("POST", "/v1/destinations/erp/test", &[], "").status, 202);
    wait_until(|| destination(&host)["oldest_error"] == "the destination answered 307");
    assert_eq!(receiver.arrived().len(), 1);
}

#[test]
fn nothing_is_sent_before_there_is_a_secret_and_both_sign_while_it_changes() {
    let host = Host::start_with(|config| {
        with_secret(config);
        config.credentials.destination_secrets.clear();
    });
    let receiver = Receiver::start(&host);
    name_destination(&host, &receiver.url, "[\"credit.created\"]");
    host.deliver("m1", &deal("D1", "1", ""));
    wait_until(|| destination(&host)["oldest_error"].is_string());
    let shown = destination(&host);
    assert!(shown["needs"].as_str().unwrap().contains(VARIABLE), "{shown}");
    assert!(shown["oldest_error"].as_str().unwrap().contains(VARIABLE), "{shown}");
    assert_eq!(shown["oldest_attempts"], 0);
    assert_eq!(receiver.arrived().len(), 0);

    let other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let host = Host::start_with(move |config| {
        with_secret(config);
        let secrets = vec![other.into(), SECRET.into()];
        config.credentials.destination_secrets.insert(VARIABLE.to_owned(), secrets);
    });
    let receiver = Receiver::start(&host);
    name_destination(&host, &receiver.url, "[\"credit.created\"]");
    assert_eq!(host.api("POST", "/v1/destinations/erp/test", &[], "").status, 202);
    let one = receiver.wait_for(1).pop().unwrap();
    assert!(one.is_signed_by(SECRET) && one.is_signed_by(other));
    assert_eq!(one.json()["type"], "com.accredit.destination.tested");
}

#[test]
fn events_of_a_destination_that_is_gone_are_dead_letters() {
    let host = Host::start_with(with_secret);
    let receiver = Receiver::start(&host);
    receiver.answers(503);
    name_destination(&host, &receiver.url, "[\"credit.created\"]");
    host.deliver("m1", &deal("D1", "1", ""));
    receiver.wait_for(1);

    let current = host.api("GET", "/v1/definitions/accredit.toml", &[], "");
    let tag = current.header("etag").to_owned();
    let headers = [("if-match", tag.as_str()), ("content-type", "text/plain")];
    let settings = format!("credit_types = [\"booking\"]\n{}", super::SETTINGS);
    let reply = host.api("PUT", "/v1/definitions/accredit.toml", &headers, &settings);
    assert!(matches!(reply.status, 200 | 201), "{}", reply.text);
    assert_eq!(host.api("POST", "/v1/destinations/erp/resend?state=waiting", &[], "").status, 202);
    wait_until(|| destination(&host)["dead"] == 1);
    let shown = destination(&host);
    assert_eq!(shown["url"], Value::Null);
    assert!(shown["needs"].as_str().unwrap().contains("names no destination"), "{shown}");
    host.api("POST", "/v1/destinations/erp/test", &[], "").problem(404, "not_found");
}
