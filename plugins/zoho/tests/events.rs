//! The events of notifications, and the records that are read for them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

use accredit_seams::connector::{
    Connector, FetchAuthorization, SentEvent, SentRequest, SettingValue, SourceSettings,
};
use accredit_zoho::Zoho;
use serde_json::{Value as Json, json};

const ANSWER: &str = include_str!("payloads/answer-lead.json");

fn split(body: &str) -> Vec<SentEvent<'_>> {
    let body = body.as_bytes();
    let request = SentRequest { method: "POST", query: "", headers: &[], body, received_ms: 0 };
    Zoho.split_request(&request, &SourceSettings::default())
}

fn setting(key: &str, value: SettingValue) -> SourceSettings {
    SourceSettings { url: None, values: [(key.to_owned(), value)].into() }
}

/// What decoding a body says, or its payload.
fn payload(body: &[u8]) -> Result<String, String> {
    let payloads = Zoho.decode_event(body).map_err(|error| error.to_string())?;
    assert_eq!(payloads.len(), 1);
    Ok(payloads[0].clone().into_owned())
}

/// What decoding an event says, or the notification in its payload.
fn decode(event: &SentEvent<'_>) -> Result<Json, String> {
    let payload: Json = serde_json::from_str(&payload(&event.body)?).unwrap();
    assert_eq!(payload["object"], json!(null));
    Ok(payload["event"].clone())
}

struct CapturedNotification {
    name: &'static str,
    body: &'static str,
    /// The id of the event of each record, computed by hand from what the documentation names.
    ids: &'static [&'static str],
    module: &'static str,
    operation: &'static str,
}

macro_rules! captured {
    ($name:literal, $ids:expr, $module:literal, $operation:literal) => {
        CapturedNotification {
            name: $name,
            body: include_str!(concat!("payloads/", $name, ".json")),
            ids: &$ids,
            module: $module,
            operation: $operation,
        }
    };
}

const CAPTURED: &[CapturedNotification] = &[
    captured!("delete-lead", ["b00c83599f41afd6f82d4ce92b955c72"], "Leads", "delete"),
    captured!("edit-deal", ["f312674e96264029e2040c94b494b237"], "Deals", "edit"),
    captured!(
        "insert-deals",
        ["aca47b213fe59775b4ec758d5cd43020", "27dd55cbd03215937cfd3d7779575c9f"],
        "Deals",
        "insert"
    ),
    captured!("insert-lead-au", ["f4a181cd726211d829a7911ba65b43cf"], "Leads", "insert"),
    captured!("insert-lead", ["e6ae9c2f9b3e7c6fd0100b36e9181c62"], "Leads", "insert"),
    captured!("update-account-eu", ["9b4e0c606dc913096c92554f9b4afac6"], "Accounts", "update"),
    captured!("update-deal", ["5c41c44c009d4a757fb1e93be64f2888"], "Deals", "update"),
    captured!("update-lead", ["4adf0d312723cf2c0af03f4ef60484b4"], "Leads", "update"),
    captured!("update-mobile", ["b5a1a8838c1e85b44883f45a3f1e7658"], "Leads", "update"),
];

fn captured(name: &str) -> &'static CapturedNotification {
    CAPTURED.iter().find(|one| one.name == name).unwrap()
}

#[test]
fn captured_notifications() {
    for one in CAPTURED {
        let name = one.name;
        let sent: Json = serde_json::from_str(one.body).unwrap();
        let events = split(one.body);
        let ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
        assert_eq!(ids, one.ids, "{name}");

        for (event, record) in events.iter().zip(sent["ids"].as_array().unwrap()) {
            let payload = decode(event).unwrap();
            assert_eq!(payload["ids"], json!([record]), "{name}");
            assert_eq!(payload["module"], one.module, "{name}");
            assert_eq!(payload["operation"], one.operation, "{name}");
            for key in ["server_time", "channel_id", "resource_uri"] {
                assert_eq!(payload[key], sent[key], "{name}: {key}");
            }
        }
    }
}

/// Each event had the changes of all records: the policy gave every deal the stage of the first.
#[test]
fn the_event_of_a_record_has_its_own_changes() {
    let events = split(captured("insert-deals").body);
    let stages: Vec<Json> = events.iter().map(|event| decode(event).unwrap()).collect();
    let own =
        |record: &str, stage: &str| json!([{"record_id": record, "values": {"field71": stage}}]);
    assert_eq!(stages[0]["affected_values"], own("5725767000003000010", "商談中(B)"));
    assert_eq!(stages[1]["affected_values"], own("5725767000003000020", "受注(Won)"));

    let body = r#"{"server_time": 1, "module": "Deals", "operation": "update", "ids": ["1", 2, "3"],
        "affected_fields": [{"1": ["Stage"], "2": ["Amount"]}, {"2": ["Owner"]}, 7],
        "affected_values": [{"record_id": 2, "values": {"Amount": 1.50}}, {"record_id": null}, 7]}"#;
    let bodies: Vec<String> =
        split(body).iter().map(|event| String::from_utf8_lossy(&event.body).into_owned()).collect();
    assert!(bodies[0].contains(r#""affected_fields":[{"1":["Stage"]}],"affected_values":[],"#));
    assert!(bodies[1].contains(r#""affected_fields":[{"2":["Amount"]},{"2":["Owner"]}]"#));
    assert!(
        bodies[1].contains(r#"{"record_id": 2, "values": {"Amount": 1.50}}"#),
        "digits are kept"
    );
    assert!(bodies[2].contains(r#""affected_fields":[],"affected_values":[],"ids":["3"]"#));
}

/// The token is the secret of the source, and the URL that Zoho calls may hold another one.
#[test]
fn secrets_are_not_kept() {
    for one in CAPTURED {
        let sent: Json = serde_json::from_str(one.body).unwrap();
        for event in split(one.body) {
            let kept = String::from_utf8_lossy(&event.body).into_owned();
            assert!(!kept.contains("\"token\"") && !kept.contains("query_params"), "{kept}");
            assert!(sent["token"].as_str().is_none_or(|token| !kept.contains(token)), "{kept}");
        }
    }
    for body in [
        r#"{"token": "the-secret"}"#,
        r#"{"token": "the-secret", "ids": []}"#,
        r#"{"\u0074oken": "the-secret", "ids": ["1"], "module": "Deals", "operation": "update"}"#,
        r#"{"ids": ["1"], "token": "t", "query_params": {"key": "the-secret"}}"#,
        r#"{"ids": ["1"], "token": ["the-secret"]}"#,
    ] {
        for event in split(body) {
            let kept = String::from_utf8_lossy(&event.body).into_owned();
            assert!(!kept.contains("the-secret"), "{kept}");
        }
    }
}

/// Another attempt is the same event, with a token that was changed in between as well.
#[test]
fn ids_of_attempts_and_of_events() {
    let body = captured("update-lead").body;
    let first = split(body);
    assert_eq!(split(&body.replace("c3504777", "d3504777")), first);
    assert_eq!(
        split(&body.replace("\"query_params\": {}", "\"query_params\": {\"a\": \"1\"}")),
        first
    );

    for (from, to) in [
        ("1750102639787", "1750102639788"),
        ("1105420521999070702", "1105420521999070703"),
        ("\"Leads\"", "\"Contacts\""),
        ("\"update\"", "\"insert\""),
        ("6756839000000575405", "6756839000000575406"),
    ] {
        let other = body.replace(from, to);
        let other = split(&other);
        assert!(decode(&other[0]).is_ok() && other[0].id != first[0].id, "{from}");
    }

    // Without a time, what changed tells two events apart.
    let untimed = body.replace("\"server_time\": 1750102639787,", "");
    let other = untimed.replace("555-555-1111", "555-555-2222");
    assert_eq!(split(&untimed), split(&untimed));
    assert_ne!(split(&untimed)[0].id, split(&other)[0].id);

    // A record that is named twice is one event.
    let twice = body
        .replace("\"6756839000000575405\"\n  ],", "\"6756839000000575405\", 6756839000000575405],");
    assert_eq!(split(&twice), first);
}

#[test]
fn many_records_and_no_more_than_can_be_kept() {
    let body = |count: usize, more: &str| {
        let ids: Vec<String> = (0..count).map(|id| format!("\"{id}\"")).collect();
        let ids = ids.join(",");
        format!(
            r#"{{"server_time": 1, "module": "Deals", "operation": "update", "ids": [{ids}]{more}}}"#
        )
    };
    let whole = body(10_000, "");
    let events = split(&whole);
    let last = decode(&events[9_999]).unwrap();
    assert_eq!((events.len(), &last["ids"]), (10_000, &json!(["9999"])));
    assert_eq!(split(&body(10_001, "")).len(), 1);

    // Repeated for each record, this would be gigabytes: it is one event that says what is wrong.
    let large = body(5_000, &format!(r#", "note": "{}""#, "n".repeat(200_000)));
    let events = split(&large);
    assert_eq!(events.len(), 1);
    assert!(decode(&events[0]).unwrap_err().contains("one id"));
}

#[test]
fn records_are_read_unless_they_are_gone() {
    let defaults = SourceSettings::default();
    let europe = setting("api_url", SettingValue::Text("https://www.zohoapis.eu/".to_owned()));
    let none = setting("fetch", SettingValue::Flag(false));
    let fetch = |name: &str, settings: &SourceSettings| {
        let events = split(captured(name).body);
        Zoho.needed_fetch(&payload(&events[0].body).unwrap(), settings).unwrap()
    };

    let deal = fetch("insert-deals", &defaults).unwrap();
    assert_eq!(deal.url, "https://www.zohoapis.com/crm/v8/Deals/5725767000003000010");
    assert_eq!(deal.authorization, FetchAuthorization::Scheme("Zoho-oauthtoken"));
    let deal = fetch("edit-deal", &europe).unwrap();
    assert_eq!(deal.url, "https://www.zohoapis.eu/crm/v8/Deals/5234876000000123456");
    assert_eq!(fetch("delete-lead", &defaults), None);
    assert_eq!(fetch("insert-deals", &none), None);
    // Where it is, is said by the settings and never by the notification.
    let account = fetch("update-account-eu", &defaults).unwrap();
    assert_eq!(account.url, "https://www.zohoapis.com/crm/v8/Accounts/5725767000001000001");
}

/// Both are put into the path of a request that carries a token.
#[test]
fn modules_and_ids_are_plain() {
    let fetch = |module: &str, id: &str| {
        let event = json!({"module": module, "operation": "update", "ids": [id]});
        let payload = json!({"event": event, "object": null}).to_string();
        Zoho.needed_fetch(&payload, &SourceSettings::default())
    };
    assert!(fetch("Sales_Orders", "1").is_ok() && fetch("CustomModule3", "1").is_ok());
    for wrong in ["", ".", "..", "a/b", "a?b", "a#b", "a b", "a%2Fb", "a\\b", "a@b", "取引", "a\nb"]
    {
        assert!(fetch(wrong, "1").is_err(), "module `{wrong}`");
        assert!(fetch("Deals", wrong).is_err(), "id `{wrong}`");
    }
    assert!(fetch("Deals", "1_2").is_err());
}

#[test]
fn completed_events_have_the_record_beside_the_notification() {
    let body = br#"{"module": "Leads", "operation": "update", "ids": ["4150868000000002175"]}"#;
    let payload = &payload(body).unwrap();
    let completed = Zoho.complete_event(payload, ANSWER).unwrap();
    let payloads = Zoho.decode_event(completed.as_bytes()).unwrap();
    let read: Json = serde_json::from_str(&payloads[0]).unwrap();
    assert_eq!(read["event"]["operation"], "update");
    assert_eq!(read["object"]["Owner"]["email"], "patricia.boyle@example.com");
    assert_eq!(Zoho.needed_fetch(&payloads[0], &SourceSettings::default()), Ok(None));
    assert!(Zoho.complete_event(&completed, ANSWER).is_err(), "once is enough");

    let amount = r#"{"data": [{"id": 4150868000000002175, "Amount": 1500.10}]}"#;
    assert!(Zoho.complete_event(payload, amount).unwrap().contains("1500.10"), "digits are kept");

    for answer in [
        "",
        "null",
        "[]",
        "{}",
        "<html>",
        r#"{"data": null}"#,
        r#"{"data": []}"#,
        r#"{"data": [null]}"#,
        r#"{"data": [{}]}"#,
        r#"{"data": [{"id": "1"}]}"#,
        r#"{"data": [{"id": "4150868000000002175"}, {"id": "4150868000000002175"}]}"#,
        r#"{"data": [{"id": "4150868000000002175", "id": "1"}]}"#,
        r#"{"code": "INVALID_MODULE", "details": {}, "message": "invalid", "status": "error"}"#,
    ] {
        assert!(Zoho.complete_event(payload, answer).is_err(), "{answer}");
    }
}

/// A receiver that answered 400 to what it did not know lost every notification for weeks. Here each
/// is kept, and the worker says why it cannot be read.
#[test]
fn bodies_of_no_known_shape_are_dead_letters() {
    for (body, reason) in [
        ("", "not readable JSON"),
        ("null", "members"),
        ("[]", "members"),
        ("{}", "`module`"),
        (r#"{"data": [{"id": "1"}], "module": "Deals", "operation": "update"}"#, "one id in `ids`"),
        (r#"{"module": "Deals", "operation": "update", "ids": []}"#, "one id in `ids`"),
        (r#"{"module": "Deals", "operation": "update", "ids": null}"#, "one id in `ids`"),
        (r#"{"module": "Deals", "operation": "update", "ids": [""]}"#, "one id in `ids`"),
        (r#"{"module": "Deals", "operation": "update", "ids": [null]}"#, "one id in `ids`"),
        (r#"{"module": "Deals", "operation": "update", "ids": [["1"]]}"#, "one id in `ids`"),
        (r#"{"module": "Deals", "operation": "", "ids": ["1"]}"#, "`operation`"),
        (r#"{"module": {}, "operation": "update", "ids": ["1"]}"#, "`module`"),
        (r#"{"event": {"module": "Deals"}, "object": {}}"#, "`operation`"),
        (r#"{"event": 1, "object": {}}"#, "members"),
    ] {
        let events = split(body);
        assert_eq!(events.len(), 1, "{body}");
        let error = decode(&events[0]).unwrap_err();
        assert!(error.contains(reason), "{body}: {error}");
    }
}

#[test]
fn answers() {
    assert_eq!(Zoho.accepted_answer().unwrap().status, 200);
    let overload = Zoho.overload_answer();
    assert!(overload.status == 503 && overload.patience_ms > 0);
}
