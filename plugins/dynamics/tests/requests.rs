//! Requests that are authentic, and everything that must be refused.
#![expect(clippy::indexing_slicing, reason = "tests stop at the first surprise")]

use accredit_dynamics::Dynamics;
use accredit_seams::connector::{
    Connector, RejectedDelivery, SampleDeal, SentRequest, SettingValue, SourceSettings,
};
use proptest::prelude::*;

const SECRET: &str = "wsDwTqkCsLHP-8hyV3CbOmbWx1ZqC5jXnAqYkqKkR7s";
const OTHER: &str = "wsZ5jXnAqYkqKkR7sDwTqkCsLHP-8hyV3CbOmbWx1Zq";
const BODY: &[u8] = include_bytes!("payloads/create-opportunity.json");

fn settings(values: &[(&str, &str)]) -> SourceSettings {
    let values = values
        .iter()
        .map(|(key, text)| ((*key).to_owned(), SettingValue::Text((*text).to_owned())));
    SourceSettings { url: None, values: values.collect() }
}

/// A request and what it is judged with, right unless a case changes it.
struct KeyedRequest {
    query: String,
    headers: Vec<(&'static str, Vec<u8>)>,
    settings: SourceSettings,
    secrets: Vec<&'static str>,
}

impl KeyedRequest {
    fn by_key(query: impl Into<String>) -> Self {
        KeyedRequest {
            query: query.into(),
            headers: vec![("content-type", b"application/json".to_vec())],
            settings: settings(&[("fetch", "never")]),
            secrets: vec![SECRET],
        }
    }

    fn by_header(headers: &[(&'static str, &[u8])]) -> Self {
        let headers = headers.iter().map(|(name, value)| (*name, value.to_vec())).collect();
        let values = [("auth", "header"), ("header", "X-Webhook-Secret"), ("fetch", "never")];
        KeyedRequest { headers, settings: settings(&values), ..KeyedRequest::by_key("") }
    }

    fn secrets(self, secrets: &[&'static str]) -> Self {
        KeyedRequest { secrets: secrets.to_vec(), ..self }
    }

    fn verify(&self) -> Result<usize, RejectedDelivery> {
        let headers: Vec<_> = self.headers.iter().map(|(n, v)| (*n, v.as_slice())).collect();
        let request = SentRequest {
            method: "POST",
            query: &self.query,
            headers: &headers,
            body: BODY,
            received_ms: 1_557_799_664_000,
        };
        Dynamics.verify_request(&request, &self.settings, &self.secrets)
    }
}

#[test]
fn accepted() {
    let header = |value: &str| KeyedRequest::by_header(&[("x-webhook-secret", value.as_bytes())]);
    let cases: Vec<(&str, KeyedRequest, usize)> = vec![
        ("the key", KeyedRequest::by_key(format!("code={SECRET}")), 0),
        ("among others", KeyedRequest::by_key(format!("a=1&code={SECRET}&b=2")), 0),
        ("with escapes", KeyedRequest::by_key(format!("code={}", SECRET.replace('-', "%2D"))), 0),
        ("with small escapes", KeyedRequest::by_key(format!("code=%77{}", &SECRET[1..])), 0),
        (
            "the second secret",
            KeyedRequest::by_key(format!("code={SECRET}")).secrets(&[OTHER, SECRET]),
            1,
        ),
        (
            "beside an empty secret",
            KeyedRequest::by_key(format!("code={SECRET}")).secrets(&["", SECRET]),
            1,
        ),
        ("the header", header(SECRET), 0),
        ("the header, second secret", header(SECRET).secrets(&[OTHER, SECRET]), 1),
    ];
    for (name, request, matched) in cases {
        assert_eq!(request.verify(), Ok(matched), "{name}");
    }
}

/// Queries that hold no key, or not the key.
fn wrong_queries() -> Vec<String> {
    let mut queries: Vec<String> = [
        "",
        "code",
        "code=",
        "code= ",
        "code=null",
        "code=undefined",
        "code=%00",
        "code=%",
        "code=%7",
        "code=%zz",
        "=",
        "&",
        "&&&&",
        "=&=",
        "code=&code=",
        "token=",
        "code=true",
        "code=0",
    ]
    .map(str::to_owned)
    .into();

    let name = |name: &str| format!("{name}={SECRET}");
    queries.extend(
        ["Code", "CODE", "code ", " code", "%63ode", "code[]", "codes", "cod", "key"].map(name),
    );
    queries.extend([
        format!("code={SECRET}&code={SECRET}"),
        format!("code={OTHER}&code={SECRET}"),
        format!("code={SECRET}&code="),
        format!("code=&code={SECRET}"),
        format!("code={SECRET};code={SECRET}"),
        format!("code={SECRET}%00"),
        format!("code=%20{SECRET}"),
        format!("code={SECRET}%20"),
        format!("code={SECRET}+"),
        format!("code={SECRET}="),
        format!("code=\"{SECRET}\""),
        format!("code={SECRET}{SECRET}"),
        format!("code={OTHER}"),
        format!("code={}", SECRET.to_uppercase()),
        format!("code={}", SECRET.to_lowercase()),
        format!("code={}", &SECRET[1..]),
        format!("code={}", &SECRET[..SECRET.len() - 1]),
        format!("code={}", &SECRET[..2]),
        format!("code={}", SECRET.chars().rev().collect::<String>()),
        format!("code={}", SECRET.replace('-', "+")),
        format!("code={}", SECRET.replace('-', "%252D")),
        format!("code={SECRET}x"),
        format!("x{SECRET}"),
        SECRET.to_owned(),
        format!("?code={SECRET}"),
        format!("code={}", "A".repeat(100_000)),
        vec![format!("code={SECRET}"); 1_000].join("&"),
        vec![format!("code={OTHER}"); 1_000].join("&"),
    ]);
    // Each bit of the last character, and each character lost.
    let last = SECRET.as_bytes()[SECRET.len() - 1];
    let flipped = (0..7).map(|bit| {
        format!("code={}{}", &SECRET[..SECRET.len() - 1], char::from(last ^ (1 << bit)))
    });
    queries.extend(flipped.filter(|query| !query.ends_with(['&', '%'])));
    queries
        .extend((0..SECRET.len()).map(|at| format!("code={}{}", &SECRET[..at], &SECRET[at + 1..])));
    queries
}

/// Headers that do not hold the secret.
fn wrong_headers() -> Vec<(String, KeyedRequest)> {
    let secret = SECRET.as_bytes();
    let one = |value: &[u8]| KeyedRequest::by_header(&[("x-webhook-secret", value)]);
    let named = |name: &'static str| KeyedRequest::by_header(&[(name, secret)]);
    let cases: Vec<(&str, KeyedRequest)> = vec![
        ("missing", KeyedRequest::by_header(&[])),
        ("empty", one(b"")),
        ("a space", one(b" ")),
        ("another", one(OTHER.as_bytes())),
        ("truncated", one(&secret[..secret.len() - 1])),
        ("extended", one(format!("{SECRET}x").as_bytes())),
        ("with a space before", one(format!(" {SECRET}").as_bytes())),
        ("with a space behind", one(format!("{SECRET} ").as_bytes())),
        ("with a tab", one(format!("{SECRET}\t").as_bytes())),
        ("quoted", one(format!("\"{SECRET}\"").as_bytes())),
        ("other case", one(SECRET.to_uppercase().as_bytes())),
        ("with a scheme", one(format!("Bearer {SECRET}").as_bytes())),
        ("with its name", one(format!("X-Webhook-Secret: {SECRET}").as_bytes())),
        ("not text", one(&[0xff, 0xfe])),
        ("with a zero", one(format!("{SECRET}\0").as_bytes())),
        ("two in one", one(format!("{SECRET}, {SECRET}").as_bytes())),
        ("null", one(b"null")),
        ("another name", named("x-webhook-secrets")),
        ("another header", named("authorization")),
        ("with underscores", named("x_webhook_secret")),
        ("as a bearer", {
            KeyedRequest::by_header(&[("authorization", format!("Bearer {SECRET}").as_bytes())])
        }),
        (
            "twice",
            KeyedRequest::by_header(&[("x-webhook-secret", secret), ("X-Webhook-Secret", secret)]),
        ),
        (
            "twice, once wrong",
            KeyedRequest::by_header(&[("x-webhook-secret", secret), ("x-webhook-secret", b"")]),
        ),
        ("a thousand", KeyedRequest::by_header(&[("x-webhook-secret", secret); 1_000])),
    ];
    cases.into_iter().map(|(name, request)| (format!("header {name}"), request)).collect()
}

#[test]
fn refused() {
    let mut cases: Vec<(String, KeyedRequest)> = wrong_queries()
        .into_iter()
        .map(|query| (format!("query `{query:.80}`"), KeyedRequest::by_key(query)))
        .collect();
    cases.extend(wrong_headers());

    let key = || KeyedRequest::by_key(format!("code={SECRET}"));
    let header = || KeyedRequest::by_header(&[("x-webhook-secret", SECRET.as_bytes())]);
    cases.push(("no secret".into(), key().secrets(&[])));
    cases.push(("an empty secret".into(), KeyedRequest::by_key("code=").secrets(&[""])));
    cases.push((
        "an empty header".into(),
        KeyedRequest::by_header(&[("x-webhook-secret", b"")]).secrets(&[""]),
    ));
    cases.push(("another secret".into(), key().secrets(&[OTHER])));
    // Where the secret is, is said by the settings and not by the sender.
    let by_header = KeyedRequest { settings: header().settings, ..key() };
    cases.push(("a key where a header is asked for".into(), by_header));
    let by_key = KeyedRequest { settings: key().settings, ..header() };
    cases.push(("a header where a key is asked for".into(), by_key));
    for values in [vec![("auth", "header")], vec![("auth", "none")], vec![("auth", "")]] {
        let request = KeyedRequest { settings: settings(&values), ..key() };
        cases.push((format!("settings {values:?}"), request));
    }

    assert!(cases.len() >= 60, "{} cases", cases.len());
    for (name, request) in cases {
        assert!(request.verify().is_err(), "accepted: {name}");
    }
}

#[test]
fn secrets_that_verify_nothing() {
    let check = |secret: &str| Dynamics.check_secret(secret, &SourceSettings::default());
    assert_eq!((check(SECRET), check("0123456789abcdef")), (Ok(()), Ok(())));
    for secret in ["", " ", "0123456789abcde", "0123456789 abcdef", "0123456789abcd\u{e9}f"] {
        let error = check(secret).unwrap_err().to_string();
        assert!(secret.trim().is_empty() || !error.contains(secret), "{error}");
    }
}

/// A sample is what an administrator tries a source out with: it must pass as the vendor's would.
#[test]
fn samples_are_authentic() {
    let deal = SampleDeal {
        id: "e90a0493-e8f0-ea11-a815-000d3a1b14a2",
        name: "Airpots & \"more\"",
        amount: "4990.10",
        owner: "c47037b2-85f7-ed11-8847-000d3a358523",
        closed_day: "2026-01-31",
        sent_ms: 1_769_900_000_123,
    };
    let header = [("auth", "header"), ("header", "X-Webhook-Secret")];
    // A secret with characters that a URL must escape.
    let secret = "a&b=c%d+e/f#g?0123456789";
    for settings in [settings(&[]), settings(&header)] {
        let sample = Dynamics.sample_request(&deal, &settings, secret).unwrap();
        let headers: Vec<_> =
            sample.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let request = SentRequest {
            method: "POST",
            query: &sample.query,
            headers: &headers,
            body: &sample.body,
            received_ms: deal.sent_ms,
        };
        assert_eq!(Dynamics.verify_request(&request, &settings, &[OTHER, secret]), Ok(1));

        let events = Dynamics.split_request(&request, &settings);
        let payloads = Dynamics.decode_event(&events[0].body).unwrap();
        assert!(payloads[0].contains(r#""Value":4990.10"#), "{}", payloads[0]);
        assert!(payloads[0].contains("/Date(1769860800000)/"), "{}", payloads[0]);
        assert_eq!(Dynamics.needed_fetch(&payloads[0], &settings), Ok(None));
    }

    for (amount, closed_day) in [("1,200", "2026-01-31"), ("", "2026-01-31"), ("1", "31.01.2026")] {
        let wrong = SampleDeal { amount, closed_day, ..deal };
        assert!(Dynamics.sample_request(&wrong, &settings(&[]), secret).is_err());
    }
}

/// Reads a body as the host and its worker would; whatever arrives is never a reason to stop.
fn read_whole(query: &str, name: &str, value: &[u8], body: &[u8]) {
    let headers = [(name, value), ("x-ms-dynamics-msg-size-exceeded", b"1".as_slice())];
    let request = SentRequest { method: "POST", query, headers: &headers, body, received_ms: 0 };
    let api = ("api_url", "https://org.crm4.dynamics.com");
    let settings = settings(&[api, ("fetch", "always")]);
    assert!(Dynamics.verify_request(&request, &settings, &[SECRET]).is_err());

    for event in Dynamics.split_request(&request, &settings) {
        for payload in Dynamics.decode_event(&event.body).unwrap_or_default() {
            let _ = Dynamics.needed_fetch(&payload, &settings);
            let _ = Dynamics.complete_event(&payload, &payload);
        }
    }
    if let Ok(text) = std::str::from_utf8(body) {
        let _ = Dynamics.needed_fetch(text, &settings);
        let _ = Dynamics.complete_event(text, text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(
        query in ".{0,40}",
        name in "[a-zA-Z-]{0,40}",
        value in prop::collection::vec(any::<u8>(), 0..60),
        body in prop::collection::vec(any::<u8>(), 0..200),
        text in r#"[\[\]{}",:0-9a-zA-Z \\-]{0,200}"#,
    ) {
        read_whole(&query, &name, &value, &body);
        read_whole(&query, &name, &value, text.as_bytes());
    }

    #[test]
    fn damaged_contexts_never_panic(at in 0..BODY.len(), byte: u8, length in 0..BODY.len()) {
        let mut body = BODY.to_vec();
        body[at] = byte;
        read_whole("", "a", b"", &body);
        read_whole("", "a", b"", &body[..length]);
    }
}
