//! What becomes of bodies: payloads of third parties, ids, attempts, deals that are fetched.
#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use accredit_hubspot::Hubspot;
use accredit_seams::connector::{
    Connector, FetchAuthorization, SampleDeal, SentEvent, SentRequest, SettingKind, SettingValue,
    SourceSettings,
};

/// Each payload: the ids of its events, and how many of them need a fetch.
const PAYLOADS: &[(&str, usize, &[&str])] = &[
    (
        "contact-of-generic-subscription.json",
        0,
        &["object-546500061938-1788597072520-d01bd053c45a615fc2e107d07c00749a"],
    ),
    (
        "custom-object-batch.json",
        0,
        &[
            "object-180584432881-1751276050977-fce7639b2015a69b21d1c743b99f9eb3",
            "object-180584432881-1751276050977-e0ecd6d20bbe65c23ca1d41f95f259ad",
            "object-180584432881-1751276050977-be47542aa9e38054c815b216ce1e2d1b",
            "object-180584432881-1751276050977-60017921f8f43b6a72c6cfa107e456ef",
            "object-180584432881-1751276050977-dc9bce074778e4f558b5e3abad4fd75b",
            "object-180584432881-1751276050977-50ff66697bb557380c3cfdd59cc7afc6",
            "object-180584432881-1751276050977-eb084f4ef1d4506030b2db846a5eec80",
        ],
    ),
    ("deal-association.json", 0, &["deal-1786997905997-6026b5f2a4d86b4218ee6d30c84c3bc4"]),
    ("deal-created.json", 1, &["deal-267448862446-1769081993375-8277a391eb7fbfddbab75761628b8ddb"]),
    ("deal-deleted.json", 0, &["deal-123456789-1658453971688-98f0f68020bc150385e06c9013cf386d"]),
    (
        "deal-life.json",
        3,
        &[
            "deal-332507367156-1782371971992-f1bd49aa866cf7dfc22293a8fc0bea35",
            "deal-332507367156-1782371972438-1dfc0fd36c1e31729109af488dcaade9",
            "deal-332507367156-1782371972793-42585e45ce8c30d9afffa206e384ac13",
            "deal-332507367156-1782371973155-10711775b7eb098a0544e9a593a3220c",
        ],
    ),
    (
        "deal-stage-of-own-pipeline.json",
        1,
        &["deal-741141656-1557224426153-d81a4306feb792b5ce281981e9b97582"],
    ),
    (
        "deal-won-fourth-attempt.json",
        1,
        &["deal-697680835-1556105815815-0502e4d7f44f27d42df6cc4aeac10f2d"],
    ),
    (
        "official-guide.json",
        0,
        &["event-6fc0391af1dc98fad12fda8d3a27af40", "event-f8329c79327f1e87439e6b6068948c73"],
    ),
    (
        "official-validation-v1.json",
        0,
        &["contact-123-1564113600000-d52dce15cd8d60a4f3da2236a4f67d9c"],
    ),
    (
        "official-validation-v3.json",
        0,
        &["contact-138017612137-1752613920733-56230aa9ae4ea9718344550cca5d1e4f"],
    ),
    (
        "same-number-twice.json",
        0,
        &[
            "object-180584432881-1751277051514-a37c2edd4046e9e191b12fb91d38e21c",
            "object-180584432882-1751277051514-008422588bf33086584d51d898fcbae8",
        ],
    ),
];

fn read_payload(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads");
    fs::read_to_string(folder.join(file)).unwrap()
}

fn split(body: &[u8]) -> Vec<SentEvent<'_>> {
    let request = SentRequest { method: "POST", query: "", headers: &[], body, received_ms: 0 };
    Hubspot.split_request(&request, &SourceSettings::default())
}

fn ids(body: &[u8]) -> Vec<String> {
    split(body).into_iter().map(|event| event.id).collect()
}

fn settings(values: &[(&str, SettingValue)]) -> SourceSettings {
    let values = values.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
    SourceSettings {
        url: Some("https://accredit.example.com/hooks/crm".to_owned()),
        values: BTreeMap::from_iter(values),
    }
}

fn texts(list: &[&str]) -> SettingValue {
    SettingValue::Texts(list.iter().map(|text| (*text).to_owned()).collect())
}

/// The URL that is fetched for an event.
fn fetched_url(event: &str, settings: &SourceSettings) -> Option<String> {
    Hubspot.needed_fetch(event, settings).unwrap().map(|fetch| fetch.url)
}

#[test]
fn payloads_of_third_parties() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads");
    let sources = fs::read_to_string(folder.join("SOURCES.md")).unwrap();
    let named: HashSet<&str> = PAYLOADS.iter().map(|(file, ..)| *file).collect();
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            sources.contains(&format!("`{name}`")) || name == "SOURCES.md",
            "{name}: no source"
        );
        let known = named.contains(name.as_str());
        assert!(
            known || ["SOURCES.md", "official-deal-object.json"].contains(&name.as_str()),
            "{name}"
        );
    }

    for (file, fetches, expected) in PAYLOADS {
        let body = read_payload(file);
        let events = split(body.as_bytes());
        let found: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
        assert_eq!(&found, expected, "{file}");

        let mut fetched = 0;
        for event in &events {
            let payloads = Hubspot.decode_event(&event.body).unwrap();
            assert_eq!(payloads.len(), 1, "{file}");
            let value: serde_json::Value = serde_json::from_str(&payloads[0]).unwrap();
            assert!(value["attemptNumber"].is_null() && value["portalId"].is_number(), "{file}");
            fetched += usize::from(fetched_url(&payloads[0], &settings(&[])).is_some());
        }
        assert_eq!(fetched, *fetches, "{file}");
    }
}

/// The inbox calls the same id with another body a conflict: a second attempt was one, because it
/// counts itself.
#[test]
fn an_attempt_is_the_same_event() {
    let body = read_payload("deal-won-fourth-attempt.json");
    let first = split(body.as_bytes());
    for other in [
        body.replace("\"attemptNumber\":3", "\"attemptNumber\":0"),
        body.replace(",\"attemptNumber\":3", ""),
        body.replace("[{", "[{\"attemptNumber\":10,").replace(",\"attemptNumber\":3", ""),
        body.replace(",", " ,\n  ").replace(":", ": "),
    ] {
        assert_eq!(split(other.as_bytes()), first, "{other}");
    }
}

#[test]
fn every_part_of_the_identity_makes_another_event() {
    let body = read_payload("deal-won-fourth-attempt.json");
    let mut found: HashSet<String> = ids(body.as_bytes()).into_iter().collect();
    let changes = [
        ("\"portalId\":5799819", "\"portalId\":5799818"),
        ("\"appId\":186886", "\"appId\":186887"),
        ("deal.propertyChange", "deal.propertychange"),
        ("\"objectId\":697680835", "\"objectId\":697680836"),
        ("\"objectId\":697680835", "\"objectId\":\"697680835\""),
        ("\"propertyName\":\"dealstage\"", "\"propertyName\":\"pipeline\""),
        ("\"propertyValue\":\"closedwon\"", "\"propertyValue\":\"closedlost\""),
        ("\"propertyValue\":\"closedwon\",", "\"propertyValue\":\"\","),
        ("\"propertyValue\":\"closedwon\",", ""),
        ("\"occurredAt\":1556105815815", "\"occurredAt\":1556105815816"),
        ("\"eventId\":1228532628", "\"eventId\":1228532629"),
        ("[{", "[{\"fromObjectId\":1,"),
        ("[{", "[{\"toObjectId\":1,"),
        ("[{", "[{\"mergedObjectIds\":[1],"),
    ];
    for (before, after) in changes {
        let changed = body.replace(before, after);
        assert_ne!(changed, body, "{before}");
        assert!(found.insert(ids(changed.as_bytes()).remove(0)), "{before} becomes {after}");
    }
    // Where it came from and which subscription told it are not part of it.
    let other = body.replace("AUTOMATION_PLATFORM", "CRM_UI").replace("92894", "92895");
    assert_eq!(ids(other.as_bytes()), ids(body.as_bytes()));
}

#[test]
fn a_full_request_is_a_hundred_events() {
    let event = |number: usize| {
        format!(
            r#"{{"eventId":{number},"occurredAt":1,"subscriptionType":"deal.creation","objectId":{number}}}"#
        )
    };
    let body = |count: usize| format!("[{}]", (0..count).map(event).collect::<Vec<_>>().join(","));
    for count in [1, 100, 1_000] {
        let found: HashSet<String> = ids(body(count).as_bytes()).into_iter().collect();
        assert_eq!(found.len(), count);
    }
    // More than HubSpot could ever send is kept whole, for the dead letters.
    let many = body(1_001);
    let events = split(many.as_bytes());
    assert_eq!((events.len(), &*events[0].body), (1, many.as_bytes()));
    assert!(Hubspot.decode_event(&events[0].body).is_err());
}

#[test]
fn a_body_of_no_known_shape_is_one_event() {
    let deep = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
    let bodies: Vec<&[u8]> = vec![
        b"",
        b" ",
        b"[",
        b"[]",
        b"nope",
        b"\xff\xfe",
        b"null",
        b"\"text\"",
        b"[1,2",
        b"{\"a\":1}x",
        b"[{\"a\":1}] ]",
        deep.as_bytes(),
    ];
    let mut found = HashSet::new();
    for body in bodies {
        let events = split(body);
        assert_eq!(events.len(), 1, "{body:?}");
        assert_eq!(
            &*events[0].body,
            if body == deep.as_bytes() { &body[1..body.len() - 1] } else { body }
        );
        assert!(Hubspot.decode_event(&events[0].body).is_err(), "{body:?}");
        assert!(events[0].id.starts_with("event-") && events[0].id.len() <= 100);
        assert_eq!(split(body)[0].id, events[0].id);
        assert!(found.insert(events[0].id.clone()), "{body:?}");
    }
}

/// Events that are not known were one event: their ids were made of members that they did not have.
#[test]
fn unknown_events_of_a_batch_stay_apart() {
    let body = br#"[{"a":1},{"a":2},5,{"subscriptionType":"x","occurredAt":1,"eventId":1},
        {"a":1,"attemptNumber":1}]"#;
    let events = split(body);
    assert_eq!(events.len(), 5);
    assert_eq!(events[0].id, events[4].id);
    let found: HashSet<&str> = events.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(found.len(), 4);
    assert!(Hubspot.decode_event(&events[2].body).is_err(), "a number is no event");
}

#[test]
fn ids_are_short_and_plain_whatever_the_event_says() {
    let long = "9".repeat(5_000);
    for (kind, object, time) in [
        ("\"deal.creation\"", "-1", "1e3"),
        ("\"\u{e9}.x\"", "[1]", "\"soon\""),
        ("\"a/b.c\"", "null", "1.5"),
        ("5", "{}", "\"\""),
        ("\"deal\"", long.as_str(), long.as_str()),
        ("\"\"", "\"1\\u0032\"", "true"),
    ] {
        let body = format!(
            r#"[{{"subscriptionType":{kind},"objectId":{object},"occurredAt":{time},"eventId":1}}]"#
        );
        let id = ids(body.as_bytes()).remove(0);
        assert!(id.len() <= 100 && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id}");
    }
}

#[test]
fn a_key_that_comes_twice_is_not_decoded() {
    let body = br#"[{"subscriptionType":"deal.creation","occurredAt":1,"eventId":1,
        "objectId":1,"objectId":2}]"#;
    let events = split(body);
    assert!(Hubspot.decode_event(&events[0].body).is_err());
    let nested = br#"{"event":{"a":1,"a":2},"object":{}}"#;
    assert!(Hubspot.decode_event(nested).is_err());
}

#[test]
fn deals_are_fetched_where_there_is_one() {
    let default = settings(&[]);
    let url = "https://api.hubapi.com/crm/v3/objects/deals/42?properties=amount,closedate,dealstage,\
               dealname,hubspot_owner_id,pipeline,hs_lastmodifieddate,deal_currency_code";
    for fetched in [
        r#"{"subscriptionType":"deal.propertyChange","objectId":42}"#,
        r#"{"subscriptionType":"deal.creation","objectId":"42"}"#,
        r#"{"subscriptionType":"deal.restore","objectId":42}"#,
        r#"{"subscriptionType":"object.propertyChange","objectTypeId":"0-3","objectId":42}"#,
        r#"{"subscriptionType":"object.creation","objectTypeId":"0-3","objectId":42}"#,
        r#"{"subscriptionType":"object.restore","objectTypeId":"0-3","objectId":42}"#,
        r#"{"subscriptionType":"deal.merge","objectId":7,"primaryObjectId":7,"newObjectId":42}"#,
        r#"{"subscriptionType":"deal.merge","primaryObjectId":42,"newObjectId":null}"#,
        r#"{"subscriptionType":"object.merge","objectTypeId":"0-3","objectId":42}"#,
        r#"{"subscriptionType":"deal.creation","objectId":42,"object":{}}"#,
    ] {
        assert_eq!(fetched_url(fetched, &default).as_deref(), Some(url), "{fetched}");
    }
    for alone in [
        r#"{"subscriptionType":"deal.deletion","objectId":42}"#,
        r#"{"subscriptionType":"deal.associationChange","fromObjectId":42,"toObjectId":1}"#,
        r#"{"subscriptionType":"object.deletion","objectTypeId":"0-3","objectId":42}"#,
        r#"{"subscriptionType":"object.creation","objectTypeId":"0-1","objectId":42}"#,
        r#"{"subscriptionType":"object.creation","objectId":42}"#,
        r#"{"subscriptionType":"contact.creation","objectId":42}"#,
        r#"{"subscriptionType":"dealer.creation","objectId":42}"#,
        r#"{"subscriptionType":"deal","objectId":42}"#,
        r#"{"subscriptionType":7,"objectId":42}"#,
        r#"{"dealId":42,"properties":{}}"#,
        r#"{"event":{"subscriptionType":"deal.creation","objectId":42},"object":{"id":"42"}}"#,
    ] {
        assert_eq!(fetched_url(alone, &default), None, "{alone}");
    }
    for id in [
        "-1",
        "1.0",
        "1e3",
        "null",
        "\"\"",
        "\"../owners\"",
        "\"1 2\"",
        "\"1?a\"",
        "[1]",
        "123456789012345678901",
    ] {
        let event = format!(r#"{{"subscriptionType":"deal.creation","objectId":{id}}}"#);
        assert!(Hubspot.needed_fetch(&event, &default).is_err(), "{id}");
    }
    let event = r#"{"subscriptionType":"deal.creation"}"#;
    assert!(
        Hubspot.needed_fetch(event, &default).is_err()
            && Hubspot.needed_fetch("[]", &default).is_err()
    );
}

#[test]
fn settings_say_what_is_fetched_and_where() {
    let event = r#"{"subscriptionType":"deal.creation","objectId":42}"#;
    let own = settings(&[
        ("api_url", SettingValue::Text("http://127.0.0.1:9000/base/".to_owned())),
        ("properties", texts(&["amount", "acme_margin"])),
    ]);
    assert_eq!(
        fetched_url(event, &own).as_deref(),
        Some("http://127.0.0.1:9000/base/crm/v3/objects/deals/42?properties=amount,acme_margin")
    );
    let off = settings(&[("fetch", SettingValue::Flag(false))]);
    assert_eq!(fetched_url(event, &off), None);
    let on = settings(&[("fetch", SettingValue::Flag(true))]);
    let fetch = Hubspot.needed_fetch(event, &on).unwrap().unwrap();
    assert_eq!(fetch.authorization, FetchAuthorization::Bearer);

    for key in Hubspot.setting_keys() {
        assert!(!key.meaning.is_empty());
        let flag = ["fetch", "legacy_signatures"].contains(&key.name);
        assert_eq!(key.kind == SettingKind::Flag, flag, "{}", key.name);
    }
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let cases: Vec<(SourceSettings, Option<&str>)> = vec![
        (SourceSettings::default(), None),
        (
            SourceSettings {
                url: Some("http://example.com/hooks/crm".to_owned()),
                ..settings(&[])
            },
            Some("url"),
        ),
        (SourceSettings { url: Some(String::new()), ..settings(&[]) }, Some("url")),
        (
            settings(&[("api_url", SettingValue::Text("http://api.hubapi.com".to_owned()))]),
            Some("api_url"),
        ),
        (
            settings(&[("api_url", SettingValue::Text("https://api.hubapi.com?a=1".to_owned()))]),
            Some("api_url"),
        ),
        (settings(&[("properties", texts(&[]))]), Some("properties")),
        (settings(&[("properties", texts(&["amount", ""]))]), Some("properties")),
        (settings(&[("properties", texts(&["amount&limit=1"]))]), Some("properties")),
        (settings(&[("properties", texts(&["Amount"]))]), Some("properties")),
    ];
    for (settings, key) in cases {
        let error = Hubspot.check_settings(&settings).unwrap_err();
        assert_eq!(error.key, key, "{error}");
    }
    assert!(Hubspot.check_settings(&settings(&[])).is_ok());
    let own = settings(&[
        ("properties", texts(&["amount", "acme_2"])),
        ("api_url", SettingValue::Text("https://api-eu1.hubapi.com/".to_owned())),
    ]);
    assert!(Hubspot.check_settings(&own).is_ok());
}

#[test]
fn a_complete_event_keeps_what_was_written() {
    let event = r#"{"subscriptionType":"deal.creation","objectId":42,"propertyValue":"\u0041"}"#;
    let deal = "\u{feff} {\"id\":\"42\",\"properties\":{\"n\":0.1000000000000000000001}}\n";
    let complete = Hubspot.complete_event(event, deal).unwrap();
    assert_eq!(
        complete,
        format!("{{\"event\":{event},\"object\":{}}}", deal.trim_start_matches('\u{feff}').trim())
    );
    let decoded = Hubspot.decode_event(complete.as_bytes()).unwrap();
    assert_eq!(decoded, [complete.as_str()]);
    assert_eq!(fetched_url(&complete, &settings(&[])), None);

    let official = read_payload("official-deal-object.json");
    assert!(Hubspot.complete_event(event, &official).is_ok());
    for wrong in [
        "",
        "[]",
        "null",
        "{}",
        "<html></html>",
        r#"{"status":"error","message":"resource not found","category":"OBJECT_NOT_FOUND"}"#,
        r#"{"id":"42"}"#,
        r#"{"id":"42","properties":[]}"#,
        r#"{"id":null,"properties":{}}"#,
        r#"{"id":"42","properties":{"amount":"1","amount":"2"}}"#,
        r#"{"id":"42","properties":{}} {}"#,
    ] {
        assert!(Hubspot.complete_event(event, wrong).is_err(), "{wrong}");
    }
    assert!(Hubspot.complete_event("[]", &official).is_err());
}

#[test]
fn a_sample_is_what_the_connector_accepts() {
    let secret = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy";
    let deal = SampleDeal {
        id: "4711",
        name: "Acorn",
        amount: "1200.50",
        owner: "ann@example.com",
        closed_day: "2026-01-31",
        sent_ms: 1_769_860_800_123,
    };
    for url in ["https://a.example.com/hooks/crm", "https://a.example.com/hooks/crm?tenant=1%2C2"] {
        let settings = SourceSettings { url: Some(url.to_owned()), ..SourceSettings::default() };
        let sample = Hubspot.sample_request(&deal, &settings, secret).unwrap();
        let headers: Vec<(&str, &[u8])> =
            sample.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let request = SentRequest {
            method: "POST",
            query: &sample.query,
            headers: &headers,
            body: &sample.body,
            received_ms: deal.sent_ms,
        };
        assert_eq!(Hubspot.verify_request(&request, &settings, &[secret]), Ok(0));
        let events = Hubspot.split_request(&request, &SourceSettings::default());
        assert!(events[0].id.starts_with("deal-4711-1769860800123-"), "{}", events[0].id);
        let payload = String::from_utf8(events[0].body.to_vec()).unwrap();
        assert!(fetched_url(&payload, &settings).unwrap().contains("/deals/4711?"));
    }
    let settings = settings(&[]);
    assert!(
        Hubspot.sample_request(&SampleDeal { id: "OPP-1", ..deal }, &settings, secret).is_err()
    );
    assert!(Hubspot.sample_request(&deal, &settings, "").is_err());
    assert!(Hubspot.sample_request(&deal, &SourceSettings::default(), secret).is_err());
}
