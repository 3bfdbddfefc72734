//! What becomes of bodies: payloads of third parties, ids, attempts, samples.
#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use accredit_seams::connector::{Connector, SampleDeal, SentEvent, SentRequest, SourceSettings};
use accredit_stripe::Stripe;

/// Each payload: its id, its type, and what was paid where it is an invoice that was paid.
const PAYLOADS: &[(&str, &str, &str, Option<&str>)] = &[
    ("charge-refunded.json", "evt_000000000000000000000000", "charge.refunded", None),
    ("deauthorized.json", "evt_1Iu8ZfA3kq9o1aTcf3b7EknK", "account.application.deauthorized", None),
    (
        "invoice-of-subscription-2025.json",
        "evt_1SVC8JHOQNg4XnOM2WgGoBj8",
        "invoice.payment_succeeded",
        Some("2990"),
    ),
    ("invoice-paid.json", "evt_000000000000000000000000", "invoice.paid", Some("2000")),
    (
        "invoice-payment-succeeded.json",
        "evt_000000000000000000000000",
        "invoice.payment_succeeded",
        Some("2000"),
    ),
    ("invoice-sent-2020.json", "evt_1Q2fklBrSjgsps2Dx0mEXsXv", "invoice.paid", Some("10800")),
    ("refund-updated-2025.json", "evt_3S3zLiDg4CrdeZve3jkGWhc6", "charge.refund.updated", None),
    ("thin-event.json", "evt_234", "v1.billing.meter.error_report_triggered", None),
];

fn split(body: &[u8]) -> Vec<SentEvent<'_>> {
    let request = SentRequest { method: "POST", query: "", headers: &[], body, received_ms: 0 };
    Stripe.split_request(&request, &SourceSettings::default())
}

fn read_payload(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads");
    fs::read_to_string(folder.join(file)).unwrap()
}

#[test]
fn payloads_of_third_parties() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads");
    let sources = read_payload("SOURCES.md");
    let named: HashSet<&str> = PAYLOADS.iter().map(|(file, ..)| *file).collect();
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = named.contains(name.as_str()) && sources.contains(&format!("`{name}`"));
        assert!(known || name == "SOURCES.md", "{name}: without a source or without a row here");
    }

    for (file, id, kind, paid) in PAYLOADS {
        let body = read_payload(file);
        let events = split(body.as_bytes());
        assert_eq!((events.len(), events[0].id.as_str()), (1, *id), "{file}");

        let payloads = Stripe.decode_event(&events[0].body).unwrap();
        assert_eq!(payloads.len(), 1, "{file}");
        let kept: serde_json::Value = serde_json::from_str(&payloads[0]).unwrap();
        assert_eq!(kept["type"], *kind, "{file}");
        let amount = kept["data"]["object"]["amount_paid"].as_number().map(|n| n.to_string());
        assert_eq!(amount.as_deref(), *paid, "{file}");
        assert!(kept["pending_webhooks"].is_null(), "{file}");

        // Nothing else is missing.
        let mut sent: serde_json::Value = serde_json::from_str(&body).unwrap();
        sent.as_object_mut().unwrap().remove("pending_webhooks");
        assert_eq!(sent, kept, "{file}");
        assert_eq!(Stripe.needed_fetch(&payloads[0], &SourceSettings::default()), Ok(None));
    }
}

/// The inbox calls the same id with another body a conflict: a second attempt was one, because other
/// endpoints had answered in the meantime.
#[test]
fn an_attempt_is_the_same_event() {
    let body = read_payload("invoice-paid.json");
    let first = split(body.as_bytes());
    for other in [
        body.replace("\"pending_webhooks\": 3,", "\"pending_webhooks\": 0,"),
        body.replace("\"pending_webhooks\": 3,", ""),
        body.replacen("{\n", "{\"pending_webhooks\":1,\n", 1)
            .replace("\"pending_webhooks\": 3,", ""),
    ] {
        assert_ne!(other, body);
        assert_eq!(split(other.as_bytes()), first);
    }
    // It is left out of the event alone, not of what the event is about.
    let inner = br#"{"id":"evt_1","data":{"pending_webhooks":1}}"#;
    assert_eq!(&*split(inner)[0].body, inner);
}

#[test]
fn digits_are_kept() {
    let body =
        br#"{"id":"evt_1","data":{"object":{"amount_paid":9007199254740993.10,"fee":1e400}}}"#;
    let events = split(body);
    assert_eq!(Stripe.decode_event(&events[0].body).unwrap(), [std::str::from_utf8(body).unwrap()]);
}

#[test]
fn a_body_without_a_usable_id_has_one_of_its_bytes() {
    let long = format!(r#"{{"id":"evt_{}"}}"#, "x".repeat(252));
    let bodies: Vec<&[u8]> = vec![
        b"",
        b"nope",
        b"[]",
        b"\xff\xfe",
        br#"[{"id":"evt_1"}]"#,
        br#"{"id":null}"#,
        br#"{"id":7}"#,
        br#"{"id":""}"#,
        br#"{"id":"in_1"}"#,
        br#"{"id":"EVT_1"}"#,
        br#"{"id":"evt_1 2"}"#,
        "{\"id\":\"evt_\u{e9}\"}".as_bytes(),
        br#"{"data":{"id":"evt_1"}}"#,
        long.as_bytes(),
    ];
    let mut found = HashSet::new();
    for body in bodies {
        let events = split(body);
        assert_eq!((events.len(), &*events[0].body), (1, body));
        let id = events[0].id.clone();
        assert!(id.starts_with("event-") && id.len() == 38, "{id}");
        assert!(found.insert(id), "{body:?}");
    }
    let longest = format!(r#"{{"id":"evt_{}"}}"#, "x".repeat(251));
    assert_eq!(split(longest.as_bytes())[0].id.len(), 255);
    assert_eq!(split(br#"{"\u0069d":"\u0065vt_1"}"#)[0].id, "evt_1", "escapes are read");
}

#[test]
fn what_is_no_event_is_not_decoded() {
    for body in [
        "",
        "[]",
        "null",
        "\"evt_1\"",
        "{\"id\":\"evt_1\",\"id\":\"evt_2\"}",
        "{\"id\":\"evt_1\",\"data\":{\"a\":1,\"a\":1}}",
        "{\"id\":\"evt_1\"} {}",
        "{\"id\":NaN}",
    ] {
        assert!(Stripe.decode_event(body.as_bytes()).is_err(), "{body}");
    }
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(Stripe.decode_event(&split(deep.as_bytes())[0].body).is_err());
    assert_eq!(Stripe.decode_event("\u{feff} {}".as_bytes()).unwrap(), [" {}"]);
}

#[test]
fn a_sample_is_what_the_connector_accepts() {
    let secret = "whsec_0123456789abcdefghijklmnopqrstuv";
    let settings = SourceSettings::default();
    let deal = SampleDeal {
        id: "in_4711",
        name: "Acorn \"Ltd\"",
        amount: "1200.50",
        owner: "ann@example.com",
        closed_day: "2026-01-31",
        sent_ms: 1_769_864_400_123,
    };
    let sample = Stripe.sample_request(&deal, &settings, secret).unwrap();
    let headers: Vec<(&str, &[u8])> =
        sample.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let request = SentRequest {
        method: "POST",
        query: &sample.query,
        headers: &headers,
        body: &sample.body,
        received_ms: deal.sent_ms,
    };
    assert_eq!(Stripe.verify_request(&request, &settings, &[secret]), Ok(0));

    let events = Stripe.split_request(&request, &SourceSettings::default());
    let event: serde_json::Value = serde_json::from_slice(&events[0].body).unwrap();
    assert_eq!(event["id"], events[0].id.as_str());
    let invoice = &event["data"]["object"];
    assert_eq!(
        (invoice["id"].as_str(), invoice["amount_paid"].as_i64()),
        (Some("in_4711"), Some(120_050))
    );
    assert_eq!(invoice["metadata"]["owner"], "ann@example.com");
    assert_eq!(invoice["status_transitions"]["paid_at"], 1_769_860_800);
    let again =
        Stripe.sample_request(&SampleDeal { sent_ms: deal.sent_ms + 1, ..deal }, &settings, secret);
    assert_ne!(again.unwrap().body, sample.body, "another one is another event");

    for wrong in [
        SampleDeal { amount: "1200.505", ..deal },
        SampleDeal { amount: "much", ..deal },
        SampleDeal { closed_day: "2026-02-30", ..deal },
    ] {
        assert!(Stripe.sample_request(&wrong, &settings, secret).is_err(), "{wrong:?}");
    }
    assert!(Stripe.sample_request(&deal, &settings, "").is_err());
}
