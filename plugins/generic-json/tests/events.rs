//! The events of requests and their ids.

use accredit_generic_json::GenericJson;
use accredit_seams::connector::{Connector, SentEvent, SentRequest, SettingValue, SourceSettings};

const ATTIO: &str = include_str!("payloads/attio-events.json");
const KEY: &str = "0123456789abcdef-key of the sender";

fn settings(values: &[(&str, &str)]) -> SourceSettings {
    let values = values
        .iter()
        .map(|(key, text)| ((*key).to_owned(), SettingValue::Text((*text).to_owned())));
    SourceSettings { url: None, values: values.collect() }
}

fn split_with(
    body: &[u8],
    headers: &[(&str, &[u8])],
    values: &[(&str, &str)],
) -> Vec<SentEvent<'static>> {
    let request = SentRequest { method: "POST", query: "", headers, body, received_ms: 0 };
    let events = GenericJson.split_request(&request, &settings(values));
    let owned =
        |event: SentEvent<'_>| SentEvent { id: event.id, body: event.body.into_owned().into() };
    events.into_iter().map(owned).collect()
}

/// Ids and bodies of the events of a body without headers.
fn split(body: &str, values: &[(&str, &str)]) -> Vec<(String, String)> {
    let events = split_with(body.as_bytes(), &[], values);
    let text = |event: SentEvent<'_>| (event.id, String::from_utf8_lossy(&event.body).into_owned());
    events.into_iter().map(text).collect()
}

fn ids(body: &str, values: &[(&str, &str)]) -> Vec<String> {
    split(body, values).into_iter().map(|(id, _)| id).collect()
}

struct CapturedBody {
    name: &'static str,
    body: &'static [u8],
    settings: &'static [(&'static str, &'static str)],
    headers: &'static [(&'static str, &'static str)],
    secret: &'static str,
    ids: &'static [&'static str],
}

macro_rules! captured {
    ($name:literal, $settings:expr, $headers:expr, $secret:expr, $ids:expr) => {
        CapturedBody {
            name: $name,
            body: include_bytes!(concat!("payloads/", $name, ".json")),
            settings: &$settings,
            headers: &$headers,
            secret: $secret,
            ids: &$ids,
        }
    };
}

/// Signatures and hashes were computed with another program.
const CAPTURED: &[CapturedBody] = &[
    captured!(
        "rdstation-deal",
        [("auth", "header"), ("header", "X-Auth-Key")],
        [("x-auth-key", "0123456789abcdef0123")],
        "0123456789abcdef0123",
        ["a396294a637fac962cf066ffcfa24f8e"]
    ),
    captured!(
        "heffl-deal",
        [("auth", "bearer"), ("id_header", "X-Request-Id")],
        [("authorization", "Bearer 0123456789abcdef0123"), ("x-request-id", "req-17")],
        "0123456789abcdef0123",
        ["req-17"]
    ),
    captured!(
        "jobber-client",
        [
            ("auth", "hmac"),
            ("header", "X-Jobber-Hmac-Sha256"),
            ("encoding", "base64"),
            ("id_pointer", "/data/webHookEvent/itemId")
        ],
        [("x-jobber-hmac-sha256", "bCervG061Tk6EfFKSp/dv4dkUQRA1rYVXouEUCl8AlA=")],
        KEY,
        ["Z2lkOi8vSm9iYmVyL0NsaWVudC8xNDUxODkzMjY="]
    ),
    captured!(
        "housecall-job",
        [("auth", "hmac"), ("header", "Api-Signature"), ("timestamp_header", "Api-Timestamp")],
        [
            ("api-signature", "49bf534048e3e908c067caede6254fe41b99b3df48e113730fc223de349715da"),
            ("api-timestamp", "1775143244")
        ],
        KEY,
        ["e67f9909ef9e518fdd7a91f0c3e5f052"]
    ),
    captured!(
        "housecall-invoice",
        [
            ("auth", "hmac"),
            ("header", "Api-Signature"),
            ("timestamp_header", "Api-Timestamp"),
            ("id_pointer", "/invoice/id")
        ],
        [
            ("api-signature", "1e3c610b7c6479b3e3a8253ac98aae516d65b67e4cf1e3bbffb76a99babcea31"),
            ("api-timestamp", "1775143244")
        ],
        KEY,
        ["invoice_5f3de0f1d9e1483f9a4e4be0c7a44f0b"]
    ),
    captured!(
        "attio-events",
        [("auth", "hmac"), ("header", "Attio-Signature"), ("list_pointer", "/events")],
        [("attio-signature", "f2e15e909b668f30e6af26beb9b8dc7543d92d11f145cefb49458e66205809ee")],
        KEY,
        ["72e1b23e0376ce090109b8515b8ac1dc", "6b0731c397f83ad08a0f261c8252d669"]
    ),
    captured!(
        "outreach-account",
        [("auth", "hmac"), ("header", "Outreach-Webhook-Signature"), ("id_pointer", "/meta/jobId")],
        [(
            "outreach-webhook-signature",
            "a3a33f43c6f6ca7095d006c79d79b8fd0d611757866be232169de46488017e32"
        )],
        KEY,
        ["13dc9ab5-5ccc-4fbb-bdf9-cdbcdd986621"]
    ),
    captured!(
        "rollout-people",
        [("auth", "basic"), ("list_pointer", "/resourceIds"), ("id_pointer", "")],
        [("authorization", "Basic Y3JtOjAxMjM0NTY3ODlhYmNkZWYwMTIz")],
        "crm:0123456789abcdef0123",
        [
            "0197cbb0-efe2-7000-9cc2-7b029bcf7a1e",
            "0197cbb1-2a8e-7000-b339-674c58902431",
            "0197cbb1-5816-7000-a3a4-90be8a6057c4"
        ]
    ),
];

#[test]
fn captured_bodies() {
    for one in CAPTURED {
        let (name, settings) = (one.name, settings(one.settings));
        assert_eq!(GenericJson.check_settings(&settings), Ok(()), "{name}");
        assert_eq!(GenericJson.check_secret(one.secret, &settings), Ok(()), "{name}");

        let headers: Vec<_> = one.headers.iter().map(|(n, v)| (*n, v.as_bytes())).collect();
        let request = SentRequest {
            method: "POST",
            query: "",
            headers: &headers,
            body: one.body,
            received_ms: 1_775_143_300_000,
        };
        assert_eq!(GenericJson.verify_request(&request, &settings, &[one.secret]), Ok(0), "{name}");

        let events = GenericJson.split_request(&request, &settings);
        let ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
        assert_eq!(ids, one.ids, "{name}");
        for event in &events {
            let payloads = GenericJson.decode_event(&event.body).unwrap();
            assert_eq!(payloads.len(), 1, "{name}");
            assert!(payloads[0].as_bytes() == &*event.body, "{name}: nothing is rewritten");
        }
    }
}

#[test]
fn members_of_a_list_are_events_of_their_own() {
    let list = [("list_pointer", "/events")];
    let events = split(ATTIO, &list);
    assert!(
        events[0].1.starts_with("{\n      \"event_type\": \"note.updated\""),
        "{}",
        events[0].1
    );
    assert!(events[1].1.contains("rec-2") && !events[1].1.contains("note-9"));

    // Pointers of ids begin at the member.
    let ids_of = |pointer| ids(ATTIO, &[list[0], ("id_pointer", pointer)]);
    assert_eq!(ids_of("/event_type"), ["note.updated", "record.created"]);
    let some = ids_of("/id/record_id");
    assert_eq!((some[1].as_str(), some[0].len()), ("rec-2", 32), "without an id it is a hash");

    assert_eq!(ids("[1, 2]", &[("list_pointer", "")]).len(), 2, "the body is the list");
    assert_eq!(ids(r#"{"events": []}"#, &list).len(), 0, "an empty list has no event");
    assert_eq!(ids("[[1, 2], [3]]", &[("list_pointer", "/1")]).len(), 1);
    let amounts = split(r#"{"events": [{"amount": 50000.10}]}"#, &list);
    assert_eq!(amounts[0].1, r#"{"amount": 50000.10}"#, "digits are kept");
}

/// A batch is sent again with other members in it: what was there before is not a new event.
#[test]
fn ids_do_not_depend_on_the_batch() {
    let values = [("list_pointer", "")];
    let first = ids(r#"[{"a":1}, {"b":2}]"#, &values);
    let again = ids(r#"[{"c":3},{"b":2},{"a":1}]"#, &values);
    assert_eq!((&again[1], &again[2]), (&first[1], &first[0]));
    assert_eq!(ids(r#"[{"a":1}, {"a":1}]"#, &values).len(), 1, "twice the same is one event");
    let conflict = ids(r#"[{"id":1,"a":1}, {"id":1,"a":2}]"#, &[values[0], ("id_pointer", "/id")]);
    assert_eq!(conflict, ["1", "1"], "the inbox shows what contradicts itself");
}

#[test]
fn where_no_list_is_the_body_is_one_event() {
    for body in [
        "{}",
        "null",
        r#"{"events": null}"#,
        r#"{"events": {"0": 1}}"#,
        r#"{"Events": [1, 2]}"#,
        "[1, 2]",
        "{",
        "not JSON",
        "",
        r#"{"events": [1, 2], "events": [3]}"#,
    ] {
        let events = split(body, &[("list_pointer", "/events")]);
        assert_eq!((events.len(), events[0].1.as_str()), (1, body), "{body}");
    }
    for (count, events) in [(10_000, 10_000), (10_001, 1)] {
        let members: Vec<String> = (0..count).map(|member| member.to_string()).collect();
        let body = format!("[{}]", members.join(","));
        assert_eq!(split(&body, &[("list_pointer", "")]).len(), events, "{count} members");
    }
}

#[test]
fn ids_in_headers() {
    let value = |id: &[u8]| {
        let headers = [("X-Request-Id", id)];
        split_with(b"{}", &headers, &[("id_header", "x-request-id")]).remove(0).id
    };
    let hash = split_with(b"{}", &[], &[]).remove(0).id;
    assert_eq!(
        value(b"72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        "72d3162e-cc78-11e3-81ab-4c9367dc0958"
    );
    for unusable in [&b""[..], b" ", b"\xff"] {
        assert_eq!(value(unusable), hash, "the body tells events apart instead");
    }
    assert_eq!(value(b"with a space").len(), 32);
    assert_eq!(value(&[b'i'; 128]).len(), 128);
    assert_eq!(value(&[b'i'; 129]).len(), 32);
    assert_ne!(value(&[b'i'; 129]), value(&[b'i'; 130]));

    // One id for the whole list: members are counted.
    let list = [("id_header", "X-Id"), ("list_pointer", "")];
    let members = |body: &'static str, id: &'static [u8]| -> Vec<String> {
        let events = split_with(body.as_bytes(), &[("x-id", id)], &list);
        events.into_iter().map(|event| event.id).collect()
    };
    let first = members("[1, 1, 2]", b"a");
    assert!(first[0] != first[1] && first[1] != first[2]);
    assert_eq!(members("[1, 1, 2]", b"a"), first);
    assert_ne!(members("[1, 1, 2]", b"b"), first);
}

#[test]
fn ids_in_bodies() {
    let id = |body: &str| ids(body, &[("id_pointer", "/meta/id")]).remove(0);
    assert_eq!(id(r#"{"meta": {"id": "evt-1"}}"#), "evt-1");
    assert_eq!(id(r#"{"meta": {"id": 9007199254740993}}"#), "9007199254740993", "all digits");
    assert_eq!(id("\u{feff}{\"meta\": {\"id\": 1}}"), "1");
    for without in [
        r#"{"meta": {"id": null}}"#,
        r#"{"meta": {"id": ""}}"#,
        r#"{"meta": {"id": " "}}"#,
        r#"{"meta": {"id": ["a"]}}"#,
        r#"{"meta": {"id": true}}"#,
        r#"{"meta": "id"}"#,
        r#"{"id": "evt-1"}"#,
        r#"{"meta": {"id": "a", "id": "b"}}"#,
    ] {
        assert_eq!(id(without), ids(without, &[]).remove(0), "{without}: the hash of the body");
    }
    let long = format!(r#"{{"meta": {{"id": "{}"}}}}"#, "é".repeat(200));
    assert_eq!(id(&long).len(), 32);
}

#[test]
fn bodies() {
    let decode = |body: &[u8]| GenericJson.decode_event(body).map(|payloads| payloads.len());
    for body in ["null", "[]", "{}", "true", "-1.5e3", "\"text\"", "\u{feff}{}"] {
        assert_eq!(decode(body.as_bytes()), Ok(1), "{body}");
    }
    for body in ["", " ", "{", "nope", "{\"a\":1,\"a\":1}", "{} {}", "a=1&b=2"] {
        assert!(decode(body.as_bytes()).is_err(), "{body}");
    }
    assert!(decode(&[0xff]).is_err());
    assert_eq!(GenericJson.accepted_answer(), None);
}
