//! T09 and T10 of the reliability plan: known answers, and everything that must be refused.
#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::borrow::Cow;

use accredit_seams::connector::{
    Connector, DecodeError, RejectedDelivery, SentEvent, SentRequest, SourceSettings,
};
use accredit_standard_webhooks::{StandardWebhooks, sign_delivery};

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
const AT: i64 = 1_649_367_553;
const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
const KNOWN: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";

/// One delivery, right unless a case changes it.
struct SignedRequest {
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
    now_s: i64,
    secrets: Vec<&'static str>,
}

impl SignedRequest {
    fn good() -> Self {
        SignedRequest {
            headers: vec![
                ("webhook-id", ID.into()),
                ("webhook-timestamp", AT.to_string().into()),
                ("webhook-signature", KNOWN.into()),
            ],
            body: BODY.to_vec(),
            now_s: AT,
            secrets: vec![SECRET],
        }
    }

    fn with(mut self, header: &str, value: impl Into<Vec<u8>>) -> Self {
        let entry = self.headers.iter_mut().find(|(name, _)| *name == header).unwrap();
        entry.1 = value.into();
        self
    }

    /// Signed rightly for whatever its id and timestamp are: only they can be at fault.
    fn signed(mut self, id: &str, timestamp: &str) -> Self {
        self = self.with("webhook-id", id).with("webhook-timestamp", timestamp);
        let signature = sign_text(id, timestamp, &self.body);
        self.with("webhook-signature", signature)
    }

    /// The event of the request once it was verified, and which secret matched.
    fn verify(&self) -> Result<(SentEvent<'static>, usize), RejectedDelivery> {
        let headers: Vec<_> = self.headers.iter().map(|(n, v)| (*n, v.as_slice())).collect();
        let request = SentRequest {
            method: "POST",
            query: "",
            headers: &headers,
            body: &self.body,
            received_ms: self.now_s * 1000,
        };
        let settings = SourceSettings::default();
        let matched = StandardWebhooks.verify_request(&request, &settings, &self.secrets)?;
        let mut events = StandardWebhooks.split_request(&request, &settings);
        assert_eq!(events.len(), 1);
        let SentEvent { id, body } = events.remove(0);
        Ok((SentEvent { id, body: body.into_owned().into() }, matched))
    }
}

fn sign_text(id: &str, timestamp: &str, body: &[u8]) -> String {
    use base64::Engine as _;
    use hmac::{Hmac, KeyInit, Mac};
    let base64 = base64::engine::general_purpose::STANDARD;
    let key = base64.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", base64.encode(mac.finalize().into_bytes()))
}

#[test]
fn the_known_vector() {
    assert_eq!(sign_delivery(SECRET, ID, AT, BODY).unwrap(), KNOWN);
    let (delivery, matched) = SignedRequest::good().verify().expect("the known vector");
    assert_eq!((delivery.id.as_str(), &*delivery.body, matched), (ID, BODY, 0));
}

#[test]
fn accepted() {
    let many = format!("{}{KNOWN}", "v1,AAAA ".repeat(19));
    let mixed = format!("v1a,{} {KNOWN} v1,{}", "A".repeat(86), "A".repeat(43));
    let cases: Vec<(&str, SignedRequest)> = vec![
        (
            "the first second of the window",
            SignedRequest { now_s: AT - 300, ..SignedRequest::good() },
        ),
        (
            "the last second of the window",
            SignedRequest { now_s: AT + 300, ..SignedRequest::good() },
        ),
        ("the second signature", SignedRequest::good().with("webhook-signature", mixed)),
        ("the twentieth signature", SignedRequest::good().with("webhook-signature", many)),
        ("two spaces", SignedRequest::good().with("webhook-signature", format!("v1,x  {KNOWN}"))),
        (
            "without the prefix",
            SignedRequest { secrets: vec![&SECRET[6..]], ..SignedRequest::good() },
        ),
        (
            "the second secret",
            SignedRequest { secrets: vec![OTHER, SECRET], ..SignedRequest::good() },
        ),
        (
            "after a broken secret",
            SignedRequest { secrets: vec!["whsec_", SECRET], ..SignedRequest::good() },
        ),
        (
            "an empty body",
            SignedRequest { body: vec![], ..SignedRequest::good() }.signed(ID, "1649367553"),
        ),
        ("a body that is not text", {
            SignedRequest { body: vec![0xff, 0xfe], ..SignedRequest::good() }
                .signed(ID, "1649367553")
        }),
        ("an id of punctuation", SignedRequest::good().signed("a-b_c:d/e", "1649367553")),
        ("an id of 256 bytes", SignedRequest::good().signed(&"i".repeat(256), "1649367553")),
    ];
    for (name, delivery) in cases {
        assert!(delivery.verify().is_ok(), "{name}: {:?}", delivery.verify());
    }
    let mut upper = SignedRequest::good();
    upper.headers[0].0 = "Webhook-Id";
    assert!(upper.verify().is_ok(), "header names in any case");
    let second = SignedRequest { secrets: vec![OTHER, SECRET], ..SignedRequest::good() };
    assert_eq!(second.verify().unwrap().1, 1);
}

#[test]
fn padding_of_secrets_is_optional() {
    for (padded, bare) in [
        ("whsec_AQ==", "whsec_AQ"),
        ("whsec_AQI=", "whsec_AQI"),
        ("whsec_AQID", "whsec_AQID"),
        ("AQ==", "AQ="),
    ] {
        let expected = sign_delivery(padded, ID, AT, BODY).expect(padded);
        let got = sign_delivery(bare, ID, AT, BODY);
        // One of two missing pads is what Python's lenient decoder takes; ours takes all or none.
        assert!(got.is_err() || got.unwrap() == expected, "{bare}");
    }
    assert_eq!(sign_delivery("whsec_AQ", ID, AT, BODY), sign_delivery("whsec_AQ==", ID, AT, BODY));
}

fn check_secret(secret: &str) -> Result<(), RejectedDelivery> {
    StandardWebhooks.check_secret(secret, &SourceSettings::default())
}

#[test]
fn secrets_that_verify_nothing() {
    for secret in ["", "whsec_", "whsec_=", "whsec_====", "whsec_!!!!", " ", "whsec_A", "whsk_AQID"]
    {
        assert!(check_secret(secret).is_err(), "accepts `{secret}`");
        assert!(sign_delivery(secret, ID, AT, BODY).is_err(), "signs with `{secret}`");
    }
    assert!(check_secret(SECRET).is_ok());

    // A secret of one byte was accepted; an attacker tries all 256 of them.
    for length in 1..=40 {
        let secret =
            base64::Engine::encode(&base64::engine::general_purpose::STANDARD, vec![7_u8; length]);
        assert_eq!(check_secret(&secret).is_ok(), length >= 16, "{length} bytes");
    }
}

/// What an attacker without the secret can do to the signature header.
const SIGNATURES: &[&str] = &[
    "",
    " ",
    ",",
    "v1",
    "v1,",
    "v1,=",
    "v1, ",
    "v1,v1,",
    "v2,",
    "v1a,",
    "tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    ",tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    "v1=tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    "v0,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    "v2,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    "v1a,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    "V1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw",
    "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kk=",
    "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw==",
    "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3KkA=",
    "v1,tZ1I4_hDygAJgO5TYxiSd6Sd0kDW6hPenDe-bTa3Kkw=",
    "v1,TZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "v1,tZ1I4/hDygAJgO5TYxiSdw==",
    "v1,b59d48e3f843ca000980ee5363189277a49dd240d6ea13de9c37be6d36b72a4c",
    "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=,v1",
    "v1,AAAA v1,BBBB v1,CCCC",
    "v1,AAAA,v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    "v1,AAAA;v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
];

/// Timestamps that are signed rightly and still refused.
const TIMESTAMPS: &[&str] = &[
    "",
    " ",
    " 1649367553",
    "1649367553 ",
    "+1649367553",
    "-1649367553",
    "1649367553.0",
    "1.649367553e9",
    "1e9",
    "0x624F4781",
    "1_649_367_553",
    "1,649,367,553",
    "NaN",
    "inf",
    "now",
    "1649367553000",
    "99999999999999999999",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "0",
    "1",
    "2022-04-07T21:39:13Z",
    "1649367852x",
    "1649367252",
    "1649367854",
    "1649367553\t",
];

/// Ids that are signed rightly and still refused.
const IDS: &[&str] = &["", " ", ".", "a.b", "msg.1649367553", "a b", "msg_\u{e9}", "a\tb"];

/// A delivery under the names that the headers had before the specification.
fn former(mut delivery: SignedRequest) -> SignedRequest {
    for (name, _) in &mut delivery.headers {
        *name = match *name {
            "webhook-id" => "svix-id",
            "webhook-timestamp" => "svix-timestamp",
            _ => "Svix-Signature",
        };
    }
    delivery
}

#[test]
fn svix_headers_are_other_names_of_the_same_three() {
    // Senders that deliver with Svix were refused: "a header is missing".
    assert_eq!(former(SignedRequest::good()).verify().unwrap().0.id, ID);
    assert!(former(SignedRequest::good().with("webhook-signature", "v1,AAAA")).verify().is_err());

    // Both sets: the one of the specification is verified, and only as a whole.
    let mut both = SignedRequest::good();
    both.headers.extend(former(SignedRequest::good()).headers);
    assert!(both.verify().is_ok());
    let mut both = SignedRequest::good();
    both.headers.extend(former(SignedRequest::good().with("webhook-signature", "v1,AAAA")).headers);
    assert!(both.verify().is_ok(), "the former names are not read beside the others");
    let mut mixed = SignedRequest::good();
    mixed.headers[0].0 = "svix-id";
    assert!(mixed.verify().is_err(), "an id of one set beside a time of the other");
    let mut twice = former(SignedRequest::good());
    twice.headers.push(("svix-id", b"msg_other".to_vec()));
    assert!(twice.verify().is_err());
}

/// `accredit new source` ends with these words: without them nobody knows what the sender has to be given.
#[test]
fn a_new_source_begins_with_its_secret() {
    let starter = StandardWebhooks.starter();
    assert_eq!((starter.settings, starter.placeholders.len()), ("", 0));
    assert!(starter.next_steps.contains("the secret that `accredit serve` prints"));
}

#[test]
fn refused() {
    let mut cases: Vec<(String, SignedRequest)> = Vec::new();
    for signature in SIGNATURES {
        let delivery = SignedRequest::good().with("webhook-signature", *signature);
        cases.push((format!("signature `{signature}`"), delivery));
    }
    for timestamp in TIMESTAMPS {
        cases.push((
            format!("timestamp `{timestamp}`"),
            SignedRequest::good().signed(ID, timestamp),
        ));
    }
    for id in IDS {
        cases.push((format!("id `{id}`"), SignedRequest::good().signed(id, "1649367553")));
    }
    let long = SignedRequest::good().signed(&"i".repeat(257), "1649367553");
    cases.push(("id of 257 bytes".to_owned(), long));
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut missing = SignedRequest::good();
        missing.headers.retain(|(header, _)| *header != name);
        cases.push((format!("without {name}"), missing));
        let mut twice = SignedRequest::good();
        let again = twice.headers.iter().find(|(header, _)| *header == name).unwrap().clone();
        twice.headers.push(again);
        cases.push((format!("{name} twice"), twice));
        cases
            .push((format!("{name} not text"), SignedRequest::good().with(name, vec![0xff, 0x00])));
    }
    let beyond = format!("{}{KNOWN}", "v1,AAAA ".repeat(20));
    let good = SignedRequest::good;
    cases.push(("the 21st signature".into(), good().with("webhook-signature", beyond)));
    cases.push(("another id".into(), good().with("webhook-id", "msg_other")));
    cases.push(("another time".into(), good().with("webhook-timestamp", "1649367554")));
    cases.push(("too early".into(), SignedRequest { now_s: AT - 301, ..good() }));
    cases.push(("too late".into(), SignedRequest { now_s: AT + 301, ..good() }));
    cases.push(("another secret".into(), SignedRequest { secrets: vec![OTHER], ..good() }));
    cases.push(("no secret".into(), SignedRequest { secrets: vec![], ..good() }));
    cases.push(("an empty secret".into(), SignedRequest { secrets: vec!["", "whsec_"], ..good() }));
    for (name, body) in [
        ("nothing", &b""[..]),
        ("a space more", br#"{"email":"test@example.com","username":"test_user"} "#),
        ("a newline more", b"{\"email\":\"test@example.com\",\"username\":\"test_user\"}\n"),
        (
            "a byte order mark",
            b"\xef\xbb\xbf{\"email\":\"test@example.com\",\"username\":\"test_user\"}",
        ),
        ("other JSON", br#"{"username":"test_user","email":"test@example.com"}"#),
        ("spaced JSON", br#"{"email": "test@example.com", "username": "test_user"}"#),
    ] {
        cases.push((format!("body: {name}"), SignedRequest { body: body.to_vec(), ..good() }));
    }
    assert!(cases.len() >= 60, "{} cases", cases.len());
    for (name, delivery) in cases {
        assert!(delivery.verify().is_err(), "accepted: {name}");
    }
}

#[test]
fn a_dot_in_the_id_cannot_move_into_the_timestamp() {
    // `a.1` + `2` and `a` + `1.2` sign the same text; neither is accepted.
    let text = sign_text("a.1649367553", "1", b"");
    for (id, timestamp) in [("a.1649367553", "1"), ("a", "1649367553.1")] {
        let delivery = SignedRequest { body: vec![], ..SignedRequest::good() };
        let delivery = delivery.with("webhook-id", id).with("webhook-timestamp", timestamp);
        assert!(delivery.with("webhook-signature", text.clone()).verify().is_err());
    }
}

#[test]
fn an_empty_key_never_verifies() {
    // What an empty secret would have signed, known to everybody.
    use base64::Engine as _;
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"").unwrap();
    mac.update(format!("{ID}.{AT}.").as_bytes());
    mac.update(BODY);
    let base64 = base64::engine::general_purpose::STANDARD;
    let signature = format!("v1,{}", base64.encode(mac.finalize().into_bytes()));
    let delivery = SignedRequest { secrets: vec!["", "whsec_"], ..SignedRequest::good() };
    assert!(delivery.with("webhook-signature", signature).verify().is_err());
}

#[test]
fn bodies() {
    fn decode(body: &str) -> Result<Vec<Cow<'_, str>>, DecodeError> {
        StandardWebhooks.decode_event(body.as_bytes())
    }
    let body = r#"{"amount": 50000.10, "rows": [{"a": 1}, {"a": 2}]}"#;
    assert_eq!(decode(body).unwrap(), [body], "digits are kept");
    assert_eq!(decode("\u{feff}{}").unwrap(), ["{}"], "without the mark before text");
    for body in [
        "",
        " ",
        "{",
        "nope",
        "{\"a\":1,}",
        "{\"a\":1,\"a\":1}",
        "[{\"b\":{\"a\":1,\"a\":2}}]",
        "{\"a\":1} {\"a\":2}",
        "{\"a\":NaN}",
    ] {
        assert!(decode(body).is_err(), "decoded `{body}`");
    }
    // Many keys are hashed, a few are compared: both find the one that comes twice.
    for count in [1, 15, 16, 17, 40] {
        let keys: Vec<String> = (0..count).map(|key| format!("\"k{key}\":{key}")).collect();
        let (keys, last) = (keys.join(","), count - 1);
        assert!(decode(&format!("{{{keys}}}")).is_ok(), "{count} keys");
        for twice in [0, last] {
            let escaped = format!("{{{keys},\"\\u006b{twice}\":0}}");
            assert!(decode(&escaped).is_err(), "key {twice} of {count} twice");
        }
    }
    assert!(decode(&"[".repeat(100_000)).is_err(), "nesting has a limit");
    assert!(StandardWebhooks.decode_event(&[0xff, 0xfe]).is_err(), "not UTF-8");
    for body in ["null", "[]", "{}", "true", "-1.5e3", "\"text\"", "[[{}]]"] {
        assert!(decode(body).is_ok(), "refused `{body}`");
    }
}
