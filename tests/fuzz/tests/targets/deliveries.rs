//! Requests that only look like those of a CRM.
//!
//! **Architecture invariant:** no connector panics, whatever it is sent; what it makes of a request is
//! the same each time, and each payload is one JSON value.

use std::borrow::Cow;

use accredit_fuzz::{Mutator, fuzz_target, texts_below};
use accredit_seams::connector::{ClosedSpan, Connector, SentEvent, SentRequest, SourceSettings};

/// Connectors, with the folder of what their vendors send.
static CONNECTORS: [(&dyn Connector, &str); 9] = [
    (&accredit_standard_webhooks::StandardWebhooks, "plugins/generic-json/tests/payloads"),
    (&accredit_hubspot::Hubspot, "plugins/hubspot/tests/payloads"),
    (&accredit_salesforce::SalesforceOutbound, "plugins/salesforce/tests/payloads/outbound"),
    (&accredit_salesforce::SalesforceFlow, "plugins/salesforce/tests/payloads/flow"),
    (&accredit_pipedrive::Pipedrive, "plugins/pipedrive/tests/payloads"),
    (&accredit_dynamics::Dynamics, "plugins/dynamics/tests/payloads"),
    (&accredit_zoho::Zoho, "plugins/zoho/tests/payloads"),
    (&accredit_stripe::Stripe, "plugins/stripe/tests/payloads"),
    (&accredit_generic_json::GenericJson, "plugins/generic-json/tests/payloads"),
];

/// What vendors send, and signatures as their headers carry them.
struct Vendors {
    bodies: Vec<Vec<String>>,
}

const HEADERS: &[&str] = &[
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "stripe-signature",
    "x-hubspot-signature-v3",
    "x-hubspot-request-timestamp",
    "x-hubspot-signature",
    "authorization",
    "x-signature",
    "content-type",
    "x-ms-dynamics-organization",
    "x-ms-correlation-request-id",
];

const VALUES: &[&str] = &[
    "msg_1",
    "1774000000",
    "1774000000000",
    "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    "t=1774000000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd",
    "Basic YTpi",
    "Bearer abc",
    "application/json",
    "a1b2c3",
    "",
];

const SECRETS: &[&str] = &[
    "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    "user:password",
    "a1b2c3d4e5f60718293a4b5c6d7e8f90",
];

impl Vendors {
    fn read() -> Vendors {
        let bodies = CONNECTORS.iter().map(|(_, folder)| {
            let mut bodies: Vec<String> =
                [".json", ".xml"].iter().flat_map(|ending| texts_or_none(folder, ending)).collect();
            assert!(!bodies.is_empty(), "{folder}");
            bodies.push(
                r#"{"id":"D1","date":"2026-03-15","amount":"120.50","owner":"Ann"}"#.to_owned(),
            );
            bodies
        });
        Vendors { bodies: bodies.collect() }
    }
}

/// The texts below a folder with this ending, of which there need be none.
fn texts_or_none(folder: &str, ending: &str) -> Vec<String> {
    let path = accredit_fuzz::repository().join(folder);
    let names = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name());
    let is_there = names.into_iter().any(|name| name.to_string_lossy().ends_with(ending));
    if is_there { texts_below(folder, ending) } else { Vec::new() }
}

/// A payload is one JSON value; what it needs from the CRM can be asked for, or not, without a panic.
fn check_payload(connector: &dyn Connector, settings: &SourceSettings, payload: &str) {
    let read: Result<serde_json::Value, _> = serde_json::from_str(payload);
    assert!(read.is_ok(), "{}: {payload:?} is no JSON", connector.name());
    if let Ok(Some(_)) = connector.needed_fetch(payload, settings) {
        let completed = connector.complete_event(payload, payload);
        if let Ok(body) = completed {
            let _decoded = connector.decode_event(body.as_bytes());
        }
    }
}

#[test]
fn a_changed_request_is_refused_or_read() {
    let vendors = Vendors::read();
    fuzz_target!(|bytes: &[u8]| {
        let mut mutator = Mutator::new(bytes);
        let place = mutator.choices.below(CONNECTORS.len());
        let (connector, _) = CONNECTORS[place];
        let mut headers = Vec::new();
        for _ in 0..mutator.choices.below(5) {
            let name = *mutator.choices.one_of(HEADERS);
            headers.push((name, mutator.changed_text(VALUES)));
        }
        let headers: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let body = mutator.changed_text(&vendors.bodies[place]);

        let settings = SourceSettings::default();
        let request = SentRequest {
            method: "POST",
            query: "secret=a&secret=b",
            headers: &headers,
            body: body.as_bytes(),
            received_ms: 1_774_000_000_000,
        };
        let verified = connector.verify_request(&request, &settings, SECRETS);
        assert_eq!(connector.verify_request(&request, &settings, SECRETS), verified);

        let events = connector.split_request(&request, &settings);
        assert_eq!(connector.split_request(&request, &settings), events, "{}", connector.name());
        for SentEvent { id, body } in &events {
            // A request without an id gives none, and is refused before this.
            assert!(
                verified.is_err() || !id.is_empty(),
                "{}: an event without an id",
                connector.name()
            );
            let Ok(payloads) = connector.decode_event(body) else { continue };
            payloads.iter().for_each(|payload: &Cow<'_, str>| {
                check_payload(connector, &settings, payload);
            });
        }
    });
}

#[test]
fn a_changed_list_of_closed_deals_is_refused_or_read() {
    let vendors = Vendors::read();
    let span = ClosedSpan {
        first_day: "2026-01-01".to_owned(),
        last_day: "2026-01-31".to_owned(),
        from_ms: 1_767_225_600_000,
        until_ms: 1_769_904_000_000,
    };
    fuzz_target!(|bytes: &[u8]| {
        let mut mutator = Mutator::new(bytes);
        let place = mutator.choices.below(CONNECTORS.len());
        let (connector, _) = CONNECTORS[place];
        let answer = mutator.changed_text(&vendors.bodies[place]);
        if let Ok(page) = connector.closed_deals_page(&span, &answer) {
            for event in &page.events {
                assert!(connector.decode_event(event.as_bytes()).is_ok(), "{event}");
            }
        }
    });
}
