//! Callouts of flows and Apex: what was published, what must be refused, and which id an event has.
#![expect(clippy::indexing_slicing, reason = "tests stop at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};

use accredit_salesforce::SalesforceFlow;
use accredit_seams::connector::{
    Connector, RejectedDelivery, SampleDeal, SecretOrigin, SentRequest, SettingValue,
    SourceSettings,
};
use serde_json::{Value, json};

const SECRET: &str = "k3y/0123456789+abcdef";
const OTHER: &str = "other-secret-0123456789";
const BEARER: &str = "Bearer k3y/0123456789+abcdef";
const BODY: &str = r#"{"eventId": "e-1", "event": {"id": 42.0}, "Amount": 1200.50}"#;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads/flow")
}

/// A request, authentic unless a case changes it.
#[derive(Clone)]
struct Callout {
    headers: Vec<(&'static str, Vec<u8>)>,
    query: &'static str,
    body: Vec<u8>,
    settings: SourceSettings,
    secrets: Vec<&'static str>,
}

impl Callout {
    fn good() -> Self {
        Callout {
            headers: vec![
                ("Content-Type", b"application/json".to_vec()),
                ("Authorization", BEARER.into()),
            ],
            query: "",
            body: BODY.into(),
            settings: SourceSettings::default(),
            secrets: vec![SECRET],
        }
    }

    /// A source that has the secret in a header of another name, and a callout that has it there.
    fn named() -> Self {
        let mut callout = Self::good().set("header", "X-Accredit-Key");
        callout.headers[1] = ("x-accredit-key", SECRET.into());
        callout
    }

    fn authorization(value: impl Into<Vec<u8>>) -> Self {
        let mut callout = Self::good();
        callout.headers[1].1 = value.into();
        callout
    }

    fn key(value: impl Into<Vec<u8>>) -> Self {
        let mut callout = Self::named();
        callout.headers[1].1 = value.into();
        callout
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.values.insert(name.to_owned(), SettingValue::Text(value.to_owned()));
        self
    }

    fn with(mut self, header: &'static str, value: &str) -> Self {
        self.headers.push((header, value.into()));
        self
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn ask<T>(&self, ask: impl FnOnce(&SentRequest<'_>) -> T) -> T {
        let headers: Vec<_> = self.headers.iter().map(|(n, v)| (*n, v.as_slice())).collect();
        let (query, body) = (self.query, self.body.as_slice());
        ask(&SentRequest { method: "POST", query, headers: &headers, body, received_ms: 0 })
    }

    fn verify(&self) -> Result<usize, RejectedDelivery> {
        self.ask(|request| SalesforceFlow.verify_request(request, &self.settings, &self.secrets))
    }

    /// The id of its only event, whose body is what was sent.
    fn id(&self) -> String {
        self.ask(|request| {
            let mut events = SalesforceFlow.split_request(request, &self.settings);
            assert_eq!(events.len(), 1);
            let event = events.remove(0);
            assert_eq!(*event.body, self.body);
            event.id
        })
    }
}

#[test]
fn published_bodies_are_kept_as_they_are() {
    let ids = [
        ("apex-record-in-payload", "/webhook_id", "a023l00000kvpfUAAQ"),
        ("change-event", "/ChangeEventHeader/commitNumber", "1100823480049"),
        ("opportunity-updated", "/record/Id", "0061x00000D4eF5AAD"),
        ("query-result", "/records/0/Id", "006B0000007uoEhIAI"),
        ("records-by-id", "/ids/0", "0061x00000D4eF5AAD"),
        ("user-profile", "/LastModifiedDate", "2024-01-20T14:45:00.000Z"),
    ];
    assert_eq!(fs::read_dir(folder()).unwrap().count(), ids.len());
    for (name, pointer, id) in ids {
        let body = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
        let callout = Callout::good().body(body.clone());
        assert_eq!(callout.verify(), Ok(0), "{name}");
        assert_eq!(callout.clone().set("id_pointer", pointer).id(), id, "{name}");
        assert_eq!(callout.id().len(), 32, "{name}: the hash of the body");
        assert_eq!(SalesforceFlow.decode_event(body.as_bytes()).unwrap(), [body.as_str()]);
    }
}

#[test]
fn accepted() {
    for (name, callout) in [
        ("the good one", Callout::good()),
        ("a scheme in small letters", Callout::authorization("bearer k3y/0123456789+abcdef")),
        ("a header of its own", Callout::named()),
        ("any authorization beside it", Callout::named().with("authorization", "Basic eA==")),
        ("a body of another shape", Callout::good().body("nope")),
        ("no body", Callout::good().body("")),
    ] {
        assert_eq!(callout.verify(), Ok(0), "{name}");
    }
    let rotated = Callout { secrets: vec![OTHER, "", SECRET], ..Callout::good() };
    assert_eq!(rotated.verify(), Ok(2));
}

/// Values of `Authorization` that an attacker without the secret can think of.
const AUTHORIZATIONS: &[&str] = &[
    "",
    " ",
    "Bearer",
    "Bearer ",
    "Bearer  k3y/0123456789+abcdef",
    " Bearer k3y/0123456789+abcdef",
    "Bearer k3y/0123456789+abcdef ",
    "Bearer k3y/0123456789+abcde",
    "Bearer k3y/0123456789+abcdef0",
    "Bearer k3y/0123456789+abcdeF",
    "Bearer K3Y/0123456789+ABCDEF",
    "Bearer 3y/0123456789+abcdef",
    "Bearer: k3y/0123456789+abcdef",
    "Bearer=k3y/0123456789+abcdef",
    "Bearer,k3y/0123456789+abcdef",
    "Bearer\tk3y/0123456789+abcdef",
    "Bearer \"k3y/0123456789+abcdef\"",
    "Bearer k3y/0123456789%2Babcdef",
    "Bearer k3y/0123456789 abcdef",
    "Bearer azN5LzAxMjM0NTY3ODkrYWJjZGVm",
    "Bearer k3y/0123456789+abcdef,k3y/0123456789+abcdef",
    "Bearer other-secret-0123456789",
    "Bearer null",
    "Bearer undefined",
    "Bearer {!$Credential.Accredit.Key}",
    "BearerX k3y/0123456789+abcdef",
    "Beare k3y/0123456789+abcdef",
    "Basic k3y/0123456789+abcdef",
    "Basic azN5LzAxMjM0NTY3ODkrYWJjZGVm",
    "Token k3y/0123456789+abcdef",
    "OAuth k3y/0123456789+abcdef",
    "k3y/0123456789+abcdef",
    "Bearer k3y/0123456789+abcd\u{e9}f",
];

/// Values of a header of another name.
const KEYS: &[&str] = &[
    "",
    " ",
    "Bearer k3y/0123456789+abcdef",
    "k3y/0123456789+abcde",
    "k3y/0123456789+abcdef0",
    "k3y/0123456789+abcdef ",
    " k3y/0123456789+abcdef",
    "K3Y/0123456789+ABCDEF",
    "k3y/0123456789%2Babcdef",
    "\"k3y/0123456789+abcdef\"",
    "k3y/0123456789+abcdef,k3y/0123456789+abcdef",
    "k3y/0123456789+abcdef\t",
    "k3y/0123456789+abcdef\0",
    "other-secret-0123456789",
];

#[test]
fn refused() {
    let mut cases: Vec<(String, Callout)> = Vec::new();
    for value in AUTHORIZATIONS {
        cases.push((format!("authorization `{value}`"), Callout::authorization(*value)));
    }
    for value in KEYS {
        cases.push((format!("key `{value}`"), Callout::key(*value)));
    }
    let (good, named) = (Callout::good, Callout::named);
    for (name, callout) in [
        ("the header twice", good().with("authorization", BEARER)),
        ("the header twice, one blank", good().with("AUTHORIZATION", "")),
        ("another scheme beside it", good().with("authorization", "Basic eA==")),
        ("the named header twice", named().with("X-Accredit-Key", SECRET)),
        ("the named header twice, one blank", named().with("X-ACCREDIT-KEY", "")),
        ("bytes that are no text", Callout::authorization([BEARER.as_bytes(), b"\xff"].concat())),
        ("a named header of no text", Callout::key(vec![0xff, 0xfe])),
        ("no header", Callout { headers: vec![], ..good() }),
        ("no named header", Callout { headers: vec![], ..named() }),
        ("the secret in another header", good().set("header", "X-Other-Key")),
        ("the bearer where a header is named", good().set("header", "X-Accredit-Key")),
        (
            "the named header where a bearer is due",
            Callout { settings: SourceSettings::default(), ..named() },
        ),
        (
            "the secret in the URL",
            Callout { query: "key=k3y/0123456789%2Babcdef", headers: vec![], ..good() },
        ),
        (
            "a header of a like name",
            Callout {
                headers: vec![
                    ("X-Accredit_Key", SECRET.into()),
                    ("X-Accredit-Key2", SECRET.into()),
                ],
                ..named()
            },
        ),
        ("another secret", Callout { secrets: vec![OTHER], ..good() }),
        ("no secret", Callout { secrets: vec![], ..good() }),
        ("an empty secret", Callout { secrets: vec![""], ..Callout::authorization("Bearer ") }),
        (
            "an empty secret without a space",
            Callout { secrets: vec![""], ..Callout::authorization("Bearer") },
        ),
        ("an empty secret in a named header", Callout { secrets: vec![""], ..Callout::key("") }),
    ] {
        cases.push((name.to_owned(), callout));
    }
    for (at, bit) in (7..BEARER.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut flipped = BEARER.as_bytes().to_vec();
        flipped[at] ^= 1 << bit;
        cases.push((format!("bit {bit} of byte {at}"), Callout::authorization(flipped)));
    }

    assert!(cases.len() >= 60, "{} cases", cases.len());
    for (name, callout) in cases {
        assert!(callout.verify().is_err(), "accepted: {name}");
    }
}

#[test]
fn the_id_is_in_the_body_or_in_a_header_or_is_the_hash_of_the_body() {
    let hash = Callout::good().id();
    assert_eq!(hash.len(), 32);
    assert_eq!(Callout::good().with("x-other", "1").id(), hash);
    assert_ne!(Callout::good().body(BODY.replace("1200.50", "1200.5")).id(), hash);

    let headed = || Callout::good().with("X-Event-Id", "h-1");
    for (name, callout, id) in [
        ("a header", headed(), "h-1"),
        ("text in the body", headed().set("id_pointer", "/eventId"), "e-1"),
        ("a number in the body", headed().set("id_pointer", "/event/id"), "42.0"),
        ("nothing there", headed().set("id_pointer", "/other"), "h-1"),
        ("an object there", headed().set("id_pointer", "/event"), "h-1"),
        ("no JSON", headed().set("id_pointer", "/eventId").body("nope"), "h-1"),
        ("a key twice", headed().set("id_pointer", "/a").body(r#"{"a":"1","a":"2"}"#), "h-1"),
        ("spaces", Callout::good().with("X-Event-Id", "  h-1 "), "h-1"),
        ("nothing but spaces", Callout::good().with("X-Event-Id", "  "), hash.as_str()),
        ("two headers", headed().with("x-event-id", "h-2"), hash.as_str()),
        ("blank in the body", Callout::good().set("id_pointer", "/a").body(r#"{"a":""}"#), ""),
    ] {
        let found = callout.id();
        if id.is_empty() {
            assert_eq!(found.len(), 32, "{name}");
        } else {
            assert_eq!(found, id, "{name}");
        }
    }
    // An id of any length and any characters is one that can be kept.
    let long = |length: usize| Callout::good().with("X-Event-Id", &"i".repeat(length)).id();
    assert_eq!((long(128).len(), long(129).len()), (128, 32));
    assert_ne!(long(129), long(130));
    let spaced = Callout::good().with("X-Event-Id", "a b").id();
    assert_eq!(spaced.len(), 32);
}

#[test]
fn settings_are_a_header_and_a_pointer() {
    let check = |name: &str, value: &str| {
        let settings = Callout::good().set(name, value).settings;
        SalesforceFlow.check_settings(&settings).map_err(|error| error.key)
    };
    for good in ["X-Accredit-Key", "x_key", "Api.Key"] {
        assert_eq!(check("header", good), Ok(()), "{good}");
    }
    for wrong in
        ["", " ", "X Key", "X-Key:", "Authorization", "authorization", "x-event-id", "\u{e9}"]
    {
        assert_eq!(check("header", wrong), Err(Some("header")), "{wrong}");
    }
    for good in ["/a", "/a/0", "/a~1b", "/a~0b/", "/"] {
        assert_eq!(check("id_pointer", good), Ok(()), "{good}");
    }
    for wrong in ["", "a", "a/b", "#/a", "/a~", "/a~2", "$.a"] {
        assert_eq!(check("id_pointer", wrong), Err(Some("id_pointer")), "{wrong}");
    }

    let none = SourceSettings::default();
    assert_eq!(SalesforceFlow.check_settings(&none), Ok(()));
    assert_eq!(SalesforceFlow.secret_origin(&none), SecretOrigin::Token);
    assert!(SalesforceFlow.check_secret(SECRET, &none).is_ok());
    assert!(SalesforceFlow.check_secret("0123456789abcde", &none).is_err());
    assert_eq!(SalesforceFlow.accepted_answer(), None, "any 2xx will do");
    let overload = SalesforceFlow.overload_answer();
    assert!(overload.status == 503 && overload.patience_ms < 10_000, "Apex waits ten seconds");
}

#[test]
fn bodies_are_json_without_repeated_keys() {
    for body in ["", "{", "nope", "{\"a\":1,\"a\":2}", "{}{}", "<a/>"] {
        assert!(SalesforceFlow.decode_event(body.as_bytes()).is_err(), "{body}");
    }
    assert!(SalesforceFlow.decode_event(&b"[".repeat(1_000)).is_err());
    let digits = r#"{"Amount":50000.10}"#;
    assert_eq!(SalesforceFlow.decode_event(digits.as_bytes()).unwrap(), [digits]);
}

#[test]
fn a_sample_is_authentic_and_has_the_deal() {
    let deal = SampleDeal {
        id: "0067F000003pmdWQAQ",
        name: "A & \"B\"",
        amount: "1200.50",
        owner: "ann@example.com",
        closed_day: "2026-01-31",
        sent_ms: 1_769_874_630_123,
    };
    let settings = Callout::good().set("id_pointer", "/eventId").settings;
    for settings in [SourceSettings::default(), settings, Callout::named().settings] {
        let sample = SalesforceFlow.sample_request(&deal, &settings, SECRET).unwrap();
        let headers: Vec<(&str, &[u8])> =
            sample.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let (query, body) = (sample.query.as_str(), sample.body.as_slice());
        let request =
            SentRequest { method: "POST", query, headers: &headers, body, received_ms: 0 };
        assert_eq!(SalesforceFlow.verify_request(&request, &settings, &[SECRET]), Ok(0));
        let events = SalesforceFlow.split_request(&request, &settings);
        let body: Value = serde_json::from_slice(&events[0].body).unwrap();
        assert_eq!(body["eventId"], events[0].id);
        assert_eq!(body["Amount"].to_string(), "1200.50", "all digits");
        assert_eq!(body["LastModifiedDate"], json!("2026-01-31T15:50:30.123Z"));
    }
    assert!(SalesforceFlow.sample_request(&deal, &SourceSettings::default(), "short").is_err());
}
