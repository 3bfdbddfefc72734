//! Webhooks of Pipedrive: what was captured, what must be refused, what attempts have in common.
#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use accredit_pipedrive::Pipedrive;
use accredit_seams::connector::{
    Connector, RejectedDelivery, SampleDeal, SecretOrigin, SentEvent, SentRequest, SourceSettings,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use proptest::prelude::*;
use serde_json::{Value, json};

const SECRET: &str = "accredit:0123456789>abc?ef";
const OTHER: &str = "accredit:other-password-0123";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads")
}

fn payload(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

fn basic(secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(secret))
}

fn verify(headers: &[(&str, &[u8])], secrets: &[&str]) -> Result<usize, RejectedDelivery> {
    let body = b"{}";
    let request = SentRequest { method: "POST", query: "", headers, body, received_ms: 0 };
    Pipedrive.verify_request(&request, &SourceSettings::default(), secrets)
}

fn split(body: &[u8]) -> SentEvent<'_> {
    let request = SentRequest { method: "POST", query: "", headers: &[], body, received_ms: 0 };
    let mut events = Pipedrive.split_request(&request, &SourceSettings::default());
    assert_eq!(events.len(), 1);
    events.remove(0)
}

/// What the intake policy gets of a body, or why it is a dead letter.
fn decode(body: &str) -> Result<String, String> {
    let event = split(body.as_bytes());
    let payloads = Pipedrive.decode_event(&event.body).map_err(|error| error.to_string())?;
    assert_eq!(payloads.len(), 1);
    Ok(payloads.concat())
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Captured webhooks give the event and the payload in the file beside them. With
/// ACCREDIT_UPDATE_PAYLOADS the files are written anew, to be reviewed.
#[test]
fn captured_webhooks_give_the_event_beside_them() {
    let mut ids = BTreeSet::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if !name.ends_with(".json") || name.ends_with(".event.json") {
            continue;
        }
        let body = fs::read_to_string(&path).unwrap();
        let event = split(body.as_bytes());
        let kept: Value = serde_json::from_slice(&event.body).unwrap();
        assert!(kept["meta"].get("attempt").is_none() && kept.get("retry").is_none(), "{name}");
        let found = json!({"id": event.id, "payload": value(&decode(&body).unwrap())});
        assert!(ids.insert(event.id), "{name}");

        let found = format!("{}\n", serde_json::to_string_pretty(&found).unwrap());
        let expected = path.with_extension("event.json");
        if std::env::var_os("ACCREDIT_UPDATE_PAYLOADS").is_some() {
            fs::write(&expected, &found).unwrap();
        }
        assert_eq!(found, fs::read_to_string(&expected).unwrap(), "{name}");
    }
    assert!(ids.len() >= 13, "{} payloads", ids.len());
}

/// The inbox keeps one body for an id: a number of the attempt in it was a conflict, and the event
/// of the second attempt was set aside.
#[test]
fn attempts_are_one_event_with_one_body() {
    for (name, attempts) in [
        (
            "v2-change-deal-captured.json",
            ["\"attempt\": 1", "\"attempt\": 4", "\"attempt\": \"2\""],
        ),
        ("v2-numbers-and-seconds.json", ["\"attempt\": 1", "\"attempt\": 2", "\"attempt\": null"]),
        ("v1-updated-deal-won.json", ["\"retry\": 0", "\"retry\": 1", "\"retry\": 3"]),
        (
            "v1-updated-deal-won.json",
            [
                "\"prepublish_timestamp\": 1723793131935",
                "\"prepublish_timestamp\": 1723793135000",
                "\"prepublish_timestamp\": null",
            ],
        ),
    ] {
        let [first, others @ ..] = attempts;
        let body = payload(name);
        assert!(body.contains(first), "{name}: {first}");
        for other in others {
            let again = body.replace(first, other);
            assert_eq!(split(body.as_bytes()), split(again.as_bytes()), "{name}: {other}");
        }
    }
}

#[test]
fn other_changes_are_other_events() {
    for (name, part, other) in [
        ("v2-change-deal.json", "df47d877", "df47d878"),
        ("v2-change-deal.json", "15:11:55.724Z", "15:11:55.725Z"),
        ("v2-change-deal.json", "\"webhook_id\": \"4710827\"", "\"webhook_id\": \"4710828\""),
        ("v2-change-deal.json", "\"company_id\": \"8087566\"", "\"company_id\": \"1\""),
        ("v2-change-deal.json", "\"entity_id\": \"8\"", "\"entity_id\": \"9\""),
        ("v2-change-deal.json", "\"entity\": \"deal\"", "\"entity\": \"person\""),
        ("v2-change-deal.json", "\"change\"", "\"delete\""),
        ("v1-updated-deal-won.json", "1723793131829509", "1723793131829510"),
        // Two changes in one second, where the event has no id and no microseconds.
        ("v2-numbers-and-seconds.json", "\"value\": 2", "\"value\": 3"),
        ("v1-updated-deal-seconds.json", "2786.08", "2786.09"),
    ] {
        let body = payload(name);
        assert!(body.contains(part), "{name}: {part}");
        let changed = body.replace(part, other);
        assert_ne!(split(body.as_bytes()).id, split(changed.as_bytes()).id, "{name}: {other}");
    }
    // An id is the same as text and as a number.
    let body = payload("v2-change-deal.json");
    let numbers = body.replace("\"8087566\"", "8087566").replace("\"4710827\"", "4710827");
    assert_eq!(split(body.as_bytes()).id, split(numbers.as_bytes()).id);
}

#[test]
fn digits_and_escapes_stay_as_they_were_sent() {
    let body = r#"{"data": {"value": 50000.10, "big": 123456789012345678901234567890,
        "exponent": 1E+5, "zero": -0.0, "title": "A\u00e9\/\"b\""},
        "previous": null, "meta": {"entity": "deal", "attempt": 2}}"#;
    let event = split(body.as_bytes());
    let kept = std::str::from_utf8(&event.body).unwrap();
    for part in [
        "\"value\": 50000.10,",
        "123456789012345678901234567890",
        "1E+5",
        "-0.0",
        r#""A\u00e9\/\"b\"""#,
    ] {
        assert!(kept.contains(part), "{part}: {kept}");
    }
    assert_eq!(decode(body).unwrap(), kept);
    let marked = format!("\u{feff}{body}");
    assert_eq!(split(marked.as_bytes()), event, "the mark before text is no part of it");
}

#[test]
fn both_versions_have_the_names_of_version_2() {
    let won = value(&decode(&payload("v1-updated-deal-won.json")).unwrap());
    let meta = &won["meta"];
    let found = [&meta["action"], &meta["entity"], &meta["entity_id"], &meta["version"]];
    assert_eq!(found, [&json!("change"), &json!("deal"), &json!(49), &json!("1.0")]);
    assert_eq!(meta["timestamp"], "2024-08-16T07:25:31Z");
    assert_eq!(
        (&won["data"]["status"], &won["previous"]["status"]),
        (&json!("won"), &json!("open"))
    );
    assert_eq!(won["data"]["won_time"], "2024-08-16T07:25:31Z", "in UTC");
    assert_eq!((won.get("current"), meta.get("object"), meta.get("id")), (None, None, None));

    for (action, expected) in [
        ("added", "create"),
        ("updated", "change"),
        ("merged", "change"),
        ("deleted", "delete"),
        ("other", "other"),
    ] {
        let body = format!(r#"{{"meta":{{"object":"deal","action":"{action}"}},"current":{{}}}}"#);
        assert_eq!(value(&decode(&body).unwrap())["meta"]["action"], expected);
    }
    for (time, expected) in [
        ("\"2025-02-17 21:22:41\"", json!("2025-02-17T21:22:41Z")),
        ("\"2025-02-17\"", json!("2025-02-17")),
        ("\"21:22:41\"", json!("21:22:41")),
        ("\"2025-02-17T21:22:41Z\"", json!("2025-02-17T21:22:41Z")),
        ("\"in two weeks\"", json!("in two weeks")),
        ("null", json!(null)),
        ("1739827361", json!(1_739_827_361)),
    ] {
        let body = format!(r#"{{"meta":{{"object":"deal"}},"current":{{"won_time":{time}}}}}"#);
        assert_eq!(value(&decode(&body).unwrap())["data"]["won_time"], expected, "{time}");
    }
}

#[test]
fn times_are_dates_whatever_they_were_sent_as() {
    for (sent, expected) in [
        ("1727447128", json!("2024-09-27T14:25:28Z")),
        ("\"1727447128\"", json!("2024-09-27T14:25:28Z")),
        ("1727447128500", json!("2024-09-27T14:25:28.5Z")),
        ("\"2024-09-27T14:25:28.500Z\"", json!("2024-09-27T14:25:28.500Z")),
        ("-1", json!(-1)),
        ("99999999999999999999", value("99999999999999999999")),
        ("9223372036854775807", value("9223372036854775807")),
        ("null", json!(null)),
    ] {
        let body = format!(r#"{{"meta":{{"entity":"deal","timestamp":{sent}}},"data":{{}}}}"#);
        assert_eq!(value(&decode(&body).unwrap())["meta"]["timestamp"], expected, "{sent}");
    }
}

#[test]
fn other_shapes_are_dead_letters() {
    for (body, reason) in [
        ("", "JSON"),
        ("nope", "JSON"),
        ("{\"meta\":{\"entity\":\"deal\"},\"data\":{},}", "JSON"),
        ("{\"meta\":{\"entity\":\"deal\",\"entity\":\"deal\"},\"data\":{}}", "duplicate key"),
        ("{\"data\":{\"a\":1,\"a\":2},\"meta\":{\"entity\":\"deal\"}}", "duplicate key"),
        ("[]", "object"),
        ("\"text\"", "object"),
        ("{}", "`meta`"),
        ("{\"meta\":null,\"data\":{}}", "`meta`"),
        ("{\"meta\":[],\"data\":{}}", "`meta`"),
        ("{\"meta\":{},\"data\":{}}", "`entity`"),
        ("{\"meta\":{\"action\":\"change\"},\"data\":{}}", "`entity`"),
        ("{\"meta\":{\"entity\":\"deal\"}}", "state"),
        ("{\"meta\":{\"entity\":\"deal\"},\"data\":null,\"previous\":null}", "state"),
        ("{\"meta\":{\"entity\":\"deal\"},\"current\":{}}", "state"),
        ("{\"meta\":{\"object\":\"deal\"},\"current\":null}", "state"),
        ("{\"contacts\":[{\"id\":1}]}", "`meta`"),
    ] {
        let event = split(body.as_bytes());
        assert!(!event.id.is_empty(), "{body}");
        let error = decode(body).unwrap_err();
        assert!(error.contains(reason), "{body}: {error}");
    }
    let deep = format!("{{\"meta\":{{\"entity\":\"deal\"}},\"data\":{}", "[".repeat(100_000));
    assert!(decode(&deep).is_err());
    assert_eq!(*split(b"\xff\xfe").body, b"\xff\xfe"[..], "kept as it is");
    assert!(Pipedrive.decode_event(b"\xff\xfe").is_err());
}

#[test]
fn accepted() {
    let good = basic(SECRET);
    for (name, header, value) in [
        ("as Pipedrive sends it", "authorization", good.clone()),
        ("a name in capitals", "AUTHORIZATION", good.clone()),
        ("a scheme in small letters", "Authorization", good.replace("Basic", "basic")),
    ] {
        assert_eq!(verify(&[(header, value.as_bytes())], &[SECRET]), Ok(0), "{name}");
    }
    let headers = [("authorization", good.as_bytes()), ("host", b"a".as_slice())];
    assert_eq!(verify(&headers, &[OTHER, "", SECRET]), Ok(2));
    let colons = "user:pass:word:with:colons";
    let value = basic(colons);
    assert_eq!(verify(&[("authorization", value.as_bytes())], &[colons]), Ok(0));
}

/// Users and passwords that are not those of the source.
const PAIRS: &[&str] = &[
    "",
    ":",
    "accredit",
    "accredit:",
    ":0123456789>abc?ef",
    "0123456789>abc?ef",
    "accredit:0123456789>abc?e",
    "accredit:0123456789>abc?eff",
    "accredit:0123456789>abc?ef ",
    "accredit:0123456789>abc?ef\n",
    "accredit:0123456789>abc?ef\0",
    "accredit: 0123456789>abc?ef",
    " accredit:0123456789>abc?ef",
    "accredit :0123456789>abc?ef",
    "accredit::0123456789>abc?ef",
    "accredit;0123456789>abc?ef",
    "Accredit:0123456789>abc?ef",
    "ACCREDIT:0123456789>ABC?EF",
    "admin:0123456789>abc?ef",
    "accredi:t0123456789>abc?ef",
    "accreditt:0123456789>abc?ef",
    "0123456789>abc?ef:accredit",
    "accredit:0123456789%3Eabc%3Fef",
    "accredit:\"0123456789>abc?ef\"",
    "accredit:password",
    "accredit:0123456789>abc?ef,accredit:0123456789>abc?ef",
    "\u{feff}accredit:0123456789>abc?ef",
    "accredit:0123456789>abc?\u{e9}f",
];

/// Values of the header that are not `Basic` and the base64 of user and password.
fn values() -> Vec<String> {
    let encoded = STANDARD.encode(SECRET);
    let no_pad = STANDARD_NO_PAD.encode(SECRET);
    assert_ne!(encoded, no_pad, "the secret needs padding");
    assert_ne!(encoded, URL_SAFE.encode(SECRET), "the secret needs both alphabets");
    vec![
        String::new(),
        " ".to_owned(),
        "Basic".to_owned(),
        "Basic ".to_owned(),
        "Basic =".to_owned(),
        "Basic ====".to_owned(),
        "Basic !!!!".to_owned(),
        encoded.clone(),
        format!(" Basic {encoded}"),
        format!("Basic  {encoded}"),
        format!("Basic {encoded} "),
        format!("Basic:{encoded}"),
        format!("Basic={encoded}"),
        format!("Basic\t{encoded}"),
        format!("Basic {encoded}="),
        format!("Basic {no_pad}"),
        format!("Basic {}", URL_SAFE.encode(SECRET)),
        format!("Basic {}", STANDARD.encode(&encoded)),
        format!("Basic \"{encoded}\""),
        format!("Basic {encoded},{encoded}"),
        format!("Basic {encoded}, Basic {encoded}"),
        format!("Basic {}", encoded.to_lowercase()),
        format!("Basic {SECRET}"),
        format!("Bearer {encoded}"),
        format!("Digest {encoded}"),
        format!("BasicX {encoded}"),
        format!("Token {encoded}"),
        "Bearer accredit:0123456789>abc?ef".to_owned(),
        "Digest username=\"accredit\", response=\"0123456789>abc?ef\"".to_owned(),
    ]
}

#[test]
fn refused() {
    let mut cases: Vec<(String, Vec<u8>)> = Vec::new();
    cases.extend(PAIRS.iter().map(|pair| (format!("pair `{pair}`"), basic(pair).into())));
    cases.extend(values().into_iter().map(|value| (format!("value `{value}`"), value.into())));
    cases.push(("no text".into(), [basic(SECRET).as_bytes(), b"\xff"].concat()));
    for (at, bit) in (0..SECRET.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut pair = SECRET.as_bytes().to_vec();
        pair[at] ^= 1 << bit;
        let value = format!("Basic {}", STANDARD.encode(pair));
        cases.push((format!("bit {bit} of byte {at}"), value.into()));
    }
    assert!(cases.len() >= 60, "{} cases", cases.len());
    for (name, value) in &cases {
        assert!(verify(&[("authorization", value)], &[SECRET]).is_err(), "accepted: {name}");
    }

    let good = basic(SECRET);
    let good = good.as_bytes();
    let nothing = basic("");
    for (name, headers, secrets) in [
        ("no header", vec![], vec![SECRET]),
        ("the header twice", vec![("authorization", good), ("Authorization", good)], vec![SECRET]),
        (
            "a blank one first",
            vec![("authorization", &b""[..]), ("authorization", good)],
            vec![SECRET],
        ),
        ("a blank one last", vec![("authorization", good), ("authorization", b"")], vec![SECRET]),
        ("another header", vec![("proxy-authorization", good)], vec![SECRET]),
        ("a header of a like name", vec![("x-authorization", good)], vec![SECRET]),
        ("another secret", vec![("authorization", good)], vec![OTHER]),
        ("no secret", vec![("authorization", good)], vec![]),
        ("an empty secret", vec![("authorization", nothing.as_bytes())], vec![""]),
        ("a secret of no password", vec![("authorization", good)], vec!["accredit", "accredit:"]),
    ] {
        assert!(verify(&headers, &secrets).is_err(), "accepted: {name}");
    }
}

#[test]
fn a_secret_is_a_user_and_a_password() {
    let none = SourceSettings::default();
    assert_eq!(Pipedrive.secret_origin(&none), SecretOrigin::UserPassword);
    assert!(Pipedrive.check_secret(SECRET, &none).is_ok());
    for wrong in ["", "user", "user:", ":0123456789abcdef", "user:short", "user:0123456789 abcdef"]
    {
        assert!(Pipedrive.check_secret(wrong, &none).is_err(), "{wrong}");
    }
    let overload = Pipedrive.overload_answer();
    assert_eq!(
        (overload.status, overload.patience_ms),
        (503, 8_000),
        "Pipedrive waits ten seconds"
    );
    assert_eq!(Pipedrive.accepted_answer(), None, "any 2xx will do");
}

#[test]
fn a_sample_is_authentic_and_has_the_deal() {
    let deal = SampleDeal {
        id: "4711",
        name: "A & \"B\"",
        amount: "1200.50",
        owner: "ann@example.com",
        closed_day: "2026-01-31",
        sent_ms: 1_769_874_630_123,
    };
    let none = SourceSettings::default();
    let sample = Pipedrive.sample_request(&deal, &none, SECRET).unwrap();
    let headers: Vec<(&str, &[u8])> =
        sample.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    assert_eq!(verify(&headers, &[SECRET]), Ok(0));

    let event = split(&sample.body);
    assert!(event.id.starts_with("deal-4711-change-"), "{}", event.id);
    let body = value(&decode(std::str::from_utf8(&sample.body).unwrap()).unwrap());
    assert_eq!(body["data"]["value"].to_string(), "1200.50", "all digits");
    assert_eq!(
        (&body["data"]["id"], &body["data"]["owner_id"]),
        (&json!(4711), &json!(deal.owner))
    );
    assert_eq!(
        (&body["data"]["status"], &body["previous"]["status"]),
        (&json!("won"), &json!("open"))
    );
    assert_eq!(body["meta"]["timestamp"], "2026-01-31T15:50:30.123Z");
    assert!(Pipedrive.sample_request(&deal, &none, "user:short").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever is sent, nothing panics, and nothing unauthentic is accepted.
    #[test]
    fn any_bytes(
        pieces in proptest::collection::vec(
            prop_oneof![
                proptest::sample::select(vec![
                    "{", "}", "[", "]", ",", ":", "\"meta\":", "\"entity\":", "\"object\":",
                    "\"id\":", "\"data\":", "\"timestamp\":", "\"attempt\":", "null", "1e999", "-",
                    "\"\\ud800\"",
                    "\"deal\"", "\u{feff}", "99999999999999999999",
                ]).prop_map(|text| text.as_bytes().to_vec()),
                proptest::collection::vec(any::<u8>(), 0..4),
            ],
            0..30,
        ),
        header in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..40),
            "[Bb]asic [A-Za-z0-9+/=]{0,40}".prop_map(String::into_bytes),
        ],
    ) {
        prop_assert!(verify(&[("authorization", &header)], &[SECRET]).is_err());
        let body = pieces.concat();
        let event = split(&body);
        prop_assert!(!event.id.is_empty() && event.id.bytes().all(|byte| byte.is_ascii_graphic()));
        let _ = Pipedrive.decode_event(&event.body);
        let _ = Pipedrive.decode_event(&body);
        prop_assert_eq!(&event, &split(&body));
    }

    /// Random times and ids in a body of the right shape.
    #[test]
    fn any_meta(timestamp in any::<i64>(), id in "\\PC{0,60}", number in any::<f64>()) {
        let meta = json!({"entity": id, "entity_id": number, "id": id, "timestamp": timestamp});
        let body = json!({"meta": meta, "data": {"value": number}, "previous": null}).to_string();
        prop_assert!(decode(&body).is_ok());
        let event = split(body.as_bytes());
        prop_assert!(event.id.len() <= 160 && event.id.bytes().all(|byte| byte.is_ascii_graphic()));
    }
}
