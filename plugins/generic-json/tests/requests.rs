//! Requests that are authentic, and everything that must be refused.

use accredit_generic_json::GenericJson;
use accredit_seams::connector::{
    Connector, RejectedDelivery, SampleDeal, SecretOrigin, SentRequest, SettingValue,
    SourceSettings,
};
use proptest::prelude::*;

const SECRET: &str = "wsDwTqkCsLHP-8hyV3CbOmbWx1ZqC5jXnAqYkqKkR7s";
const OTHER: &str = "wsZ5jXnAqYkqKkR7sDwTqkCsLHP-8hyV3CbOmbWx1Zq";
const USER: &str = "crm:0123456789abcdef0123";
const AT: i64 = 1_775_143_244;

/// The key and the body of the example in the documentation of GitHub, and its signature.
const GITHUB_KEY: &str = "It's a Secret to Everybody";
const GITHUB_BODY: &[u8] = b"Hello, World!";
const GITHUB: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

/// The key of the signatures of captured bodies.
const KEY: &str = "0123456789abcdef-key of the sender";
const JOB: &[u8] = include_bytes!("payloads/housecall-job.json");
const JOB_SIGNATURE: &str = "49bf534048e3e908c067caede6254fe41b99b3df48e113730fc223de349715da";

fn settings(values: &[(&str, &str)]) -> SourceSettings {
    let values = values
        .iter()
        .map(|(key, text)| ((*key).to_owned(), SettingValue::Text((*text).to_owned())));
    SourceSettings { url: None, values: values.collect() }
}

/// A request and what it is judged with, right unless a case changes it.
#[derive(Clone)]
struct ProvenRequest {
    settings: SourceSettings,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
    now_s: i64,
    secrets: Vec<&'static str>,
}

impl ProvenRequest {
    fn new(values: &[(&str, &str)], secret: &'static str) -> Self {
        ProvenRequest {
            settings: settings(values),
            headers: Vec::new(),
            body: JOB.to_vec(),
            now_s: AT,
            secrets: vec![secret],
        }
    }

    fn bearer(value: impl Into<Vec<u8>>) -> Self {
        ProvenRequest::new(&[("auth", "bearer")], SECRET).header("authorization", value)
    }

    fn basic(value: impl Into<Vec<u8>>) -> Self {
        ProvenRequest::new(&[("auth", "basic")], USER).header("authorization", value)
    }

    fn keyed(value: impl Into<Vec<u8>>) -> Self {
        let values = [("auth", "header"), ("header", "X-Webhook-Secret")];
        ProvenRequest::new(&values, SECRET).header("x-webhook-secret", value)
    }

    /// As GitHub signs: the body, in hex, behind `sha256=`.
    fn github(signature: impl Into<Vec<u8>>) -> Self {
        let values = [("auth", "hmac"), ("header", "X-Hub-Signature-256"), ("prefix", "sha256=")];
        let request = ProvenRequest::new(&values, GITHUB_KEY);
        let request = request.header("x-hub-signature-256", signature);
        ProvenRequest { body: GITHUB_BODY.to_vec(), ..request }
    }

    /// As Housecall Pro signs: the seconds and the body, in hex.
    fn timed(timestamp: &str, signature: impl Into<Vec<u8>>) -> Self {
        let values =
            [("auth", "hmac"), ("header", "Api-Signature"), ("timestamp_header", "Api-Timestamp")];
        let request = ProvenRequest::new(&values, KEY);
        request.header("api-timestamp", timestamp).header("api-signature", signature)
    }

    /// As Jobber signs: the body, in base64.
    fn jobber(signature: impl Into<Vec<u8>>) -> Self {
        let values = [("auth", "hmac"), ("header", "X-Jobber-Hmac-Sha256"), ("encoding", "base64")];
        let request = ProvenRequest::new(&values, KEY).header("x-jobber-hmac-sha256", signature);
        ProvenRequest { body: include_bytes!("payloads/jobber-client.json").to_vec(), ..request }
    }

    fn given(self, values: &[(&str, &str)]) -> Self {
        ProvenRequest { settings: settings(values), ..self }
    }

    fn header(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| *header != name);
        self
    }

    fn secrets(self, secrets: &[&'static str]) -> Self {
        ProvenRequest { secrets: secrets.to_vec(), ..self }
    }

    fn body(self, body: &[u8]) -> Self {
        ProvenRequest { body: body.to_vec(), ..self }
    }

    fn verify(&self) -> Result<usize, RejectedDelivery> {
        let headers: Vec<_> = self.headers.iter().map(|(n, v)| (*n, v.as_slice())).collect();
        let request = SentRequest {
            method: "POST",
            query: "",
            headers: &headers,
            body: &self.body,
            received_ms: self.now_s * 1000,
        };
        GenericJson.verify_request(&request, &self.settings, &self.secrets)
    }
}

const JOBBER: &str = "bCervG061Tk6EfFKSp/dv4dkUQRA1rYVXouEUCl8AlA=";
const BASIC: &str = "Y3JtOjAxMjM0NTY3ODlhYmNkZWYwMTIz";

#[test]
fn accepted() {
    let timed = || ProvenRequest::timed("1775143244", JOB_SIGNATURE);
    let bearer = || ProvenRequest::bearer(format!("Bearer {SECRET}"));
    let cases: Vec<(&str, ProvenRequest, usize)> = vec![
        ("the example of GitHub", ProvenRequest::github(GITHUB), 0),
        ("digits in capitals", ProvenRequest::github(GITHUB.replace("757107ea", "757107EA")), 0),
        ("the second key", ProvenRequest::github(GITHUB).secrets(&[OTHER, GITHUB_KEY]), 1),
        ("beside an empty key", ProvenRequest::github(GITHUB).secrets(&["", GITHUB_KEY]), 1),
        ("seconds and body", timed(), 0),
        ("the first second", ProvenRequest { now_s: AT - 300, ..timed() }, 0),
        ("the last second", ProvenRequest { now_s: AT + 300, ..timed() }, 0),
        ("base64", ProvenRequest::jobber(JOBBER), 0),
        ("a token", bearer(), 0),
        ("a scheme in small letters", ProvenRequest::bearer(format!("bearer {SECRET}")), 0),
        ("the second token", bearer().secrets(&[OTHER, SECRET]), 1),
        ("a user with a password", ProvenRequest::basic(format!("Basic {BASIC}")), 0),
        ("a secret in a header", ProvenRequest::keyed(SECRET), 0),
        ("the second one", ProvenRequest::keyed(SECRET).secrets(&[OTHER, SECRET]), 1),
        ("a body that is not JSON", bearer().body(b"\xff\xfe"), 0),
        ("an empty body", bearer().body(b""), 0),
    ];
    for (name, request, matched) in cases {
        assert_eq!(request.verify(), Ok(matched), "{name}");
    }
}

/// What an attacker without the key can do to a signature in hex.
fn wrong_signatures() -> Vec<String> {
    let digits = &GITHUB["sha256=".len()..];
    let mut signatures: Vec<String> = vec![
        String::new(),
        " ".to_owned(),
        "sha256=".to_owned(),
        digits.to_owned(),
        format!("SHA256={digits}"),
        format!("sha1={digits}"),
        format!("sha256:{digits}"),
        format!("sha256= {digits}"),
        format!("sha256=0x{digits}"),
        format!("sha256={digits} "),
        format!("sha256={digits}="),
        format!("sha256={digits}00"),
        format!("sha256={digits}{digits}"),
        format!("sha256={digits},sha256={digits}"),
        format!("sha256={digits}, {digits}"),
        format!("sha256=sha256={digits}"),
        format!("sha256=\"{digits}\""),
        format!("sha256={}", &digits[1..]),
        format!("sha256={}", &digits[2..]),
        format!("sha256={}", &digits[..62]),
        format!("sha256={}", "0".repeat(64)),
        format!("sha256={}", "g".repeat(64)),
        format!("sha256={}", digits.chars().rev().collect::<String>()),
        "sha256=dXEH6g6yUJ/CESIczphLijdXC211hsIsRvQ3nIsEPhc=".to_owned(),
        "null".to_owned(),
        "sha256=null".to_owned(),
        vec![GITHUB; 1_000].join(","),
        vec![GITHUB; 1_000].join(" "),
    ];
    // A bit of each digit.
    let flipped = |at: usize| {
        let digit = u8::from_str_radix(&digits[at..=at], 16).unwrap_or_default() ^ 1;
        format!("sha256={}{digit:x}{}", &digits[..at], &digits[at + 1..])
    };
    signatures.extend((0..digits.len()).map(flipped));
    signatures
}

/// Times that are refused, although the signature of the first ones is right for another time.
const TIMESTAMPS: &[&str] = &[
    "",
    " ",
    "abc",
    " 1775143244",
    "1775143244 ",
    "+1775143244",
    "-1775143244",
    "+5",
    "-5",
    "1e9",
    "1775143244.0",
    "1775143244000",
    "0",
    "1",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "0x69ce8c0c",
    "1_775_143_244",
    "NaN",
    "2026-04-02T15:20:44Z",
    "1775143243",
    "1775143245",
    "01775143244",
    "1775143244,1775143244",
];

/// Headers `Authorization` that hold no token, or not the token.
fn wrong_bearers() -> Vec<String> {
    let mut values: Vec<String> =
        ["", " ", "Bearer", "Bearer ", "bearer  ", "Bearer null", "Token", "Basic"]
            .map(str::to_owned)
            .into();
    values.extend([
        SECRET.to_owned(),
        format!(" {SECRET}"),
        format!("Token {SECRET}"),
        format!("Basic {SECRET}"),
        format!("Digest {SECRET}"),
        format!("Bearer{SECRET}"),
        format!("Bearer  {SECRET}"),
        format!("Bearer {SECRET} "),
        format!("Bearer {SECRET}x"),
        format!("Bearer x{SECRET}"),
        format!("Bearer {SECRET}, Bearer {SECRET}"),
        format!("Bearer \"{SECRET}\""),
        format!("Bearer {OTHER}"),
        format!("Bearer {}", SECRET.to_uppercase()),
        format!("Bearer {}", &SECRET[..SECRET.len() - 1]),
        format!("Bearer {}", &SECRET[1..]),
        format!("Bearer {SECRET}{SECRET}"),
    ]);
    values
}

/// Headers `Authorization` that hold no password, or not the password.
const BASICS: &[&str] = &[
    "",
    "Basic",
    "Basic ",
    "Basic !",
    "Y3JtOjAxMjM0NTY3ODlhYmNkZWYwMTIz",
    "Bearer Y3JtOjAxMjM0NTY3ODlhYmNkZWYwMTIz",
    "Basic  Y3JtOjAxMjM0NTY3ODlhYmNkZWYwMTIz",
    "Basic Y3JtOjAxMjM0NTY3ODlhYmNkZWYwMTIz=",
    "Basic Y3JtOjAxMjM0NTY3ODlhYmNkZWYwMTIz Y3Jt",
    "Basic crm:0123456789abcdef0123",
    // Base64 of `crm:`, of the password, of another user, another password, and capitals.
    "Basic Y3JtOg==",
    "Basic MDEyMzQ1Njc4OWFiY2RlZjAxMjM=",
    "Basic eHJtOjAxMjM0NTY3ODlhYmNkZWYwMTIz",
    "Basic Y3JtOjAxMjM0NTY3ODlhYmNkZWYwMTI0",
    "Basic Q1JNOjAxMjM0NTY3ODlBQkNERUYwMTIz",
];

#[test]
fn refused() {
    let mut cases: Vec<(String, ProvenRequest)> = Vec::new();
    for signature in wrong_signatures() {
        let request = ProvenRequest::github(signature.clone());
        cases.push((format!("signature `{signature:.90}`"), request));
    }
    for timestamp in TIMESTAMPS {
        let request = ProvenRequest::timed(timestamp, JOB_SIGNATURE);
        cases.push((format!("timestamp `{timestamp}`"), request));
    }
    for value in wrong_bearers() {
        cases.push((format!("bearer `{value}`"), ProvenRequest::bearer(value)));
    }
    for value in BASICS {
        cases.push((format!("basic `{value}`"), ProvenRequest::basic(*value)));
    }
    for value in ["", " ", "null", OTHER, &SECRET[1..], &SECRET.to_lowercase(), "Bearer"] {
        cases.push((format!("header `{value}`"), ProvenRequest::keyed(value)));
    }
    for (name, request) in [wrongly_signed(), wrongly_authorized()].concat() {
        cases.push((name.to_owned(), request));
    }

    assert!(cases.len() >= 60, "{} cases", cases.len());
    for (name, request) in cases {
        assert!(request.verify().is_err(), "accepted: {name}");
    }
}

/// A signature in hex, without a prefix and without a time.
const SIGNED: [(&str, &str); 2] = [("auth", "hmac"), ("header", "X-Hub-Signature-256")];

/// Signed requests in which something else than a single value is wrong.
fn wrongly_signed() -> Vec<(&'static str, ProvenRequest)> {
    let github = || ProvenRequest::github(GITHUB);
    let timed = || ProvenRequest::timed("1775143244", JOB_SIGNATURE);
    vec![
        ("a second too early", ProvenRequest { now_s: AT - 301, ..timed() }),
        ("a second too late", ProvenRequest { now_s: AT + 301, ..timed() }),
        ("without a time", timed().without("api-timestamp")),
        ("two times", timed().header("Api-Timestamp", "1775143244")),
        (
            "a time that is not text",
            timed().without("api-timestamp").header("api-timestamp", [0xff]),
        ),
        ("without a signature", timed().without("api-signature")),
        ("the body of another time", timed().body(&[JOB, b" "].concat())),
        ("a body before its time", timed().body(&[b"1775143244.", JOB].concat())),
        ("no header", github().without("x-hub-signature-256")),
        ("the header twice", github().header("X-Hub-Signature-256", GITHUB)),
        (
            "another header",
            github().without("x-hub-signature-256").header("x-hub-signature", GITHUB),
        ),
        ("a signature that is not text", ProvenRequest::github([0xff, 0xfe])),
        ("another body", github().body(b"Hello, World?")),
        ("a longer body", github().body(b"Hello, World!\n")),
        ("a shorter body", github().body(b"Hello, World")),
        ("no body", github().body(b"")),
        ("another key", github().secrets(&[OTHER])),
        ("a key in capitals", github().secrets(&["IT'S A SECRET TO EVERYBODY"])),
        ("no key", github().secrets(&[])),
        ("an empty key", github().secrets(&[""])),
        (
            "the signature of an empty key",
            // HMAC-SHA256 of `Hello, World!` under the empty key, known to everybody.
            ProvenRequest::github(
                "sha256=2bbcfa9524f3218c7a34b30e6936f8b1a4516cb097f1a85a1c7d98b5977ec769",
            )
            .secrets(&[""]),
        ),
        ("hex where base64 is asked for", ProvenRequest::jobber("6c27ab")),
        ("base64 without its padding", ProvenRequest::jobber(JOBBER.trim_end_matches('='))),
        ("base64 for URLs", ProvenRequest::jobber(JOBBER.replace('/', "_"))),
        ("base64 with a prefix", ProvenRequest::jobber(format!("sha256={JOBBER}"))),
        ("base64 in small letters", ProvenRequest::jobber(JOBBER.to_lowercase())),
        ("hex read as base64", github().given(&[SIGNED[0], SIGNED[1], ("encoding", "base64")])),
        ("without its prefix asked for", github().given(&SIGNED)),
    ]
}

/// Requests with a secret in them, and requests to a source of other settings than theirs.
fn wrongly_authorized() -> Vec<(&'static str, ProvenRequest)> {
    let bearer = || ProvenRequest::bearer(format!("Bearer {SECRET}"));
    vec![
        ("no authorization", bearer().without("authorization")),
        ("two authorizations", bearer().header("Authorization", format!("Bearer {SECRET}"))),
        (
            "a thousand authorizations",
            (0..1_000).fold(bearer(), |r, _| r.header("authorization", SECRET)),
        ),
        ("no secret", bearer().secrets(&[])),
        ("an empty secret", ProvenRequest::bearer("Bearer ").secrets(&[""])),
        ("an empty password", ProvenRequest::basic("Basic ").secrets(&[""])),
        ("an empty header", ProvenRequest::keyed("").secrets(&[""])),
        (
            "the header of a secret twice",
            ProvenRequest::keyed(SECRET).header("X-Webhook-Secret", SECRET),
        ),
        ("a token where a password is asked for", bearer().given(&[("auth", "basic")])),
        (
            "a password where a token is asked for",
            ProvenRequest::basic(format!("Basic {BASIC}")).given(&[("auth", "bearer")]),
        ),
        ("a token where a signature is asked for", bearer().given(&SIGNED)),
        ("settings without `auth`", bearer().given(&[])),
        ("settings with another `auth`", bearer().given(&[("auth", "none")])),
        ("settings without `header`", ProvenRequest::github(GITHUB).given(&[("auth", "hmac")])),
    ]
}

/// An attacker who holds a signed request sends it again: the time that is signed ends that.
#[test]
fn a_request_without_a_time_can_be_sent_again_and_one_with_a_time_cannot() {
    let untimed = ProvenRequest { now_s: AT + 86_400, ..ProvenRequest::github(GITHUB) };
    assert_eq!(untimed.verify(), Ok(0));
    let timed = ProvenRequest::timed("1775143244", JOB_SIGNATURE);
    assert!(ProvenRequest { now_s: AT + 86_400, ..timed }.verify().is_err());
}

#[test]
fn secrets_are_of_the_kind_that_the_settings_ask_for() {
    let bearer = settings(&[("auth", "bearer")]);
    let basic = settings(&[("auth", "basic")]);
    let header = settings(&[("auth", "header"), ("header", "X-Key")]);
    let signed = settings(&[("auth", "hmac"), ("header", "X-Signature")]);
    assert_eq!(GenericJson.secret_origin(&basic), SecretOrigin::UserPassword);
    for token in [&bearer, &header, &signed, &SourceSettings::default()] {
        assert_eq!(GenericJson.secret_origin(token), SecretOrigin::Token);
    }

    let is_usable = |secret: &str| {
        [&bearer, &header, &signed, &basic]
            .map(|settings| GenericJson.check_secret(secret, settings).is_ok())
    };
    assert_eq!(is_usable(SECRET), [true, true, true, false]);
    assert_eq!(is_usable(USER), [true, true, true, true]);
    assert_eq!(is_usable(GITHUB_KEY), [false, false, true, false], "a key may have spaces");
    assert_eq!(is_usable("user:short0123456789"), [true, true, true, false]);
    for secret in ["", "0123456789abcde", " 123456789abcdef", "0123456789abcdef\n", "user:short"] {
        assert_eq!(is_usable(secret), [false; 4], "{secret}");
    }
    assert!(GenericJson.check_secret("0123456789abcdef", &signed).is_ok(), "sixteen are enough");
}

/// A sample is what an administrator tries a source out with: it must pass as the sender's would.
#[test]
fn samples_are_authentic() {
    let deal = SampleDeal {
        id: "4711",
        name: "Acorn & \"more\"",
        amount: "1500.10",
        owner: "ann@example.com",
        closed_day: "2026-01-31",
        sent_ms: AT * 1000 + 999,
    };
    let signed = [("auth", "hmac"), ("header", "X-Signature")];
    for (values, secret) in [
        (vec![("auth", "bearer")], SECRET),
        (vec![("auth", "basic"), ("id_pointer", "/meta/id")], USER),
        (vec![("auth", "header"), ("header", "X-Key"), ("id_header", "X-Id")], SECRET),
        (signed.to_vec(), GITHUB_KEY),
        ([&signed[..], &[("prefix", "v1="), ("encoding", "base64")]].concat(), GITHUB_KEY),
        ([&signed[..], &[("timestamp_header", "X-Time"), ("list_pointer", "")]].concat(), KEY),
        (vec![("auth", "bearer"), ("list_pointer", "/data/events"), ("id_pointer", "/id")], SECRET),
    ] {
        let settings = settings(&values);
        assert_eq!(GenericJson.check_settings(&settings), Ok(()), "{values:?}");
        let sample = GenericJson.sample_request(&deal, &settings, secret);
        let Ok(sample) = sample else { panic!("{values:?}: {sample:?}") };

        let headers: Vec<_> =
            sample.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let request = SentRequest {
            method: "POST",
            query: &sample.query,
            headers: &headers,
            body: &sample.body,
            received_ms: AT * 1000,
        };
        let matched = GenericJson.verify_request(&request, &settings, &[OTHER, secret]);
        assert_eq!(matched, Ok(1), "{values:?}");

        let events = GenericJson.split_request(&request, &settings);
        assert_eq!(events.len(), 1, "{values:?}");
        let event = String::from_utf8_lossy(&events[0].body).into_owned();
        assert!(event.contains(r#""amount":"1500.10","#), "{event}");
    }
}

/// Reads a request as the host and its worker would; whatever arrives is never a reason to stop.
fn read_whole(name: &str, value: &[u8], body: &[u8], pointer: &str) {
    let headers = [(name, value), ("x-signature", value), ("x-time", value)];
    let request =
        SentRequest { method: "POST", query: "", headers: &headers, body, received_ms: 0 };
    for auth in ["bearer", "basic", "header", "hmac", "none"] {
        let values = [("auth", auth), ("header", "X-Signature"), ("timestamp_header", "X-Time")];
        assert!(GenericJson.verify_request(&request, &settings(&values), &[SECRET]).is_err());
    }
    for key in ["list_pointer", "id_pointer"] {
        let settings = settings(&[("auth", "bearer"), (key, pointer), ("id_header", name)]);
        let _ = GenericJson.check_settings(&settings);
        for event in GenericJson.split_request(&request, &settings) {
            for payload in GenericJson.decode_event(&event.body).unwrap_or_default() {
                assert_eq!(GenericJson.needed_fetch(&payload, &settings), Ok(None));
                assert!(GenericJson.complete_event(&payload, &payload).is_err());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(
        name in "[a-zA-Z-]{0,20}",
        value in prop::collection::vec(any::<u8>(), 0..60),
        body in prop::collection::vec(any::<u8>(), 0..200),
        text in r#"[\[\]{}",:0-9a-zA-Z \\-]{0,200}"#,
        pointer in "(/[a-z0-9~/]{0,4}){0,4}",
    ) {
        read_whole(&name, &value, &body, &pointer);
        read_whole(&name, &value, text.as_bytes(), &pointer);
    }

    #[test]
    fn damaged_bodies_never_panic(at in 0..400_usize, byte: u8, length in 0..400_usize) {
        let whole: &[u8] = include_bytes!("payloads/attio-events.json");
        let mut body = whole.to_vec();
        if let Some(damaged) = body.get_mut(at) {
            *damaged = byte;
        }
        read_whole("a", b"", &body, "/events");
        read_whole("a", b"", &whole[..length.min(whole.len())], "/events/0/id/note_id");
    }
}
