//! Outbound Messages: what was captured, what must be refused, and what is kept of a message.
#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

#[path = "outbound/refused.rs"]
mod refused;

use std::fs;
use std::path::{Path, PathBuf};

use accredit_salesforce::SalesforceOutbound;
use accredit_seams::connector::{
    Connector, RejectedDelivery, SampleDeal, SecretOrigin, SentEvent, SentRequest, SettingValue,
    SourceSettings,
};
use serde_json::{Value, json};

const SECRET: &str = "k3y/0123456789+abcdef";
const OTHER: &str = "other-secret-0123456789";
const QUERY: &str = "key=k3y/0123456789%2Babcdef";
const ORGANIZATION: &str = "00D7F00000107XsUAI";
const HEADERS: &[(&str, &[u8])] = &[("content-type", b"text/xml; charset=utf-8")];

fn payload(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads/outbound")
}

/// A request, authentic unless a case changes it.
#[derive(Clone)]
struct SentMessage {
    query: String,
    body: Vec<u8>,
    organizations: Vec<String>,
    secrets: Vec<&'static str>,
}

impl SentMessage {
    fn good() -> Self {
        SentMessage {
            query: QUERY.to_owned(),
            body: payload("opportunity-one-line.xml").into_bytes(),
            organizations: vec![ORGANIZATION.to_owned()],
            secrets: vec![SECRET],
        }
    }

    fn query(query: impl Into<String>) -> Self {
        SentMessage { query: query.into(), ..Self::good() }
    }

    fn body(body: impl Into<Vec<u8>>) -> Self {
        SentMessage { body: body.into(), ..Self::good() }
    }

    /// The good message with a part of its text replaced, which must be there.
    fn with(part: &str, other: &str) -> Self {
        let body = String::from_utf8(Self::good().body).unwrap();
        assert!(body.contains(part), "{part}");
        Self::body(body.replace(part, other))
    }

    fn allowed(organization: &str) -> Self {
        SentMessage { organizations: vec![organization.to_owned()], ..Self::good() }
    }

    fn settings(&self) -> SourceSettings {
        settings(self.organizations.clone())
    }

    fn verify(&self) -> Result<usize, RejectedDelivery> {
        SalesforceOutbound.verify_request(&self.request(), &self.settings(), &self.secrets)
    }

    fn events(&self) -> Vec<SentEvent<'_>> {
        SalesforceOutbound.split_request(&self.request(), &self.settings())
    }

    fn request(&self) -> SentRequest<'_> {
        SentRequest {
            method: "POST",
            query: &self.query,
            headers: HEADERS,
            body: &self.body,
            received_ms: 1_700_000_000_000,
        }
    }
}

fn settings(organizations: Vec<String>) -> SourceSettings {
    let values = [("organizations".to_owned(), SettingValue::Texts(organizations))];
    SourceSettings { url: None, values: values.into() }
}

/// A notification as text, with the namespaces that the good message declares.
fn notification(number: usize) -> String {
    format!(
        "<Notification><Id>04l7F0000{number:06}</Id><sObject xsi:type=\"sf:Opportunity\" \
         xmlns:sf=\"urn:sobject.enterprise.soap.sforce.com\"><sf:Id>0067F0000{number:06}</sf:Id>\
         <sf:Amount>{number}.50</sf:Amount></sObject></Notification>"
    )
}

/// The good message with other notifications.
fn message_of(notifications: &str) -> SentMessage {
    let body = payload("opportunity-one-line.xml");
    let (start, _) = body.split_once("<Notification>").unwrap();
    let (_, end) = body.split_once("</Notification>").unwrap();
    SentMessage::body(format!("{start}{notifications}{end}"))
}

fn kept(event: &SentEvent<'_>) -> Value {
    serde_json::from_slice(&event.body).unwrap()
}

/// Captured messages give the events in the file beside them. With ACCREDIT_UPDATE_PAYLOADS the
/// files are written anew, to be reviewed.
#[test]
fn captured_messages_give_the_events_beside_them() {
    let mut count = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "xml") {
            continue;
        }
        count += 1;
        let name = path.file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let organization = text.split("<OrganizationId>").nth(1).and_then(|rest| rest.get(..18));
        let organizations = organization.map(str::to_owned).into_iter().collect();
        let sent = SentMessage { organizations, ..SentMessage::body(text) };
        assert_eq!(sent.verify().is_ok(), !name.starts_with("refused"), "{name}");
        if sent.verify().is_err() {
            continue;
        }

        let mut found = Vec::new();
        for event in sent.events() {
            let payloads = SalesforceOutbound.decode_event(&event.body).unwrap();
            assert_eq!(payloads.len(), 1, "{name}");
            assert_eq!(
                payloads[0].as_bytes(),
                &*event.body,
                "{name}: the payload is what was kept"
            );
            let whole = String::from_utf8(event.body.to_vec()).unwrap();
            assert!(!whole.contains("not-a-session") && !whole.contains("SessionId"), "{name}");
            found.push(json!({"id": event.id, "body": kept(&event)}));
        }
        let found = format!("{}\n", serde_json::to_string_pretty(&found).unwrap());
        let expected = path.with_extension("events.json");
        if std::env::var_os("ACCREDIT_UPDATE_PAYLOADS").is_some() {
            fs::write(&expected, &found).unwrap();
        }
        assert_eq!(found, fs::read_to_string(&expected).unwrap(), "{name}");
    }
    assert!(count >= 12, "{count} payloads");
}

#[test]
fn accepted() {
    let organization = |text: &str| SentMessage::with(ORGANIZATION, text);
    for (name, sent) in [
        ("the good one", SentMessage::good()),
        ("other parameters", SentMessage::query(format!("a=1&{QUERY}&Key=x&keys=y"))),
        ("every character escaped", SentMessage::query(format!("key={}", escape_all(SECRET)))),
        ("15 characters in the message", organization("00D7F00000107Xs")),
        ("15 characters in the settings", SentMessage::allowed("00D7F00000107Xs")),
        ("spaces around the organization", organization(" 00D7F00000107XsUAI\n")),
        ("a comment within the organization", organization("00D7F000<!-- a -->00107XsUAI")),
        ("escaped characters", organization("&#48;0D7F00000107Xs&#x55;AI")),
        ("a CDATA section", organization("<![CDATA[00D7F00000107XsUAI]]>")),
        (
            "a header of SOAP",
            SentMessage::with("<soapenv:Body>", "<soapenv:Header/><soapenv:Body>"),
        ),
        ("without an action", SentMessage::with("ActionId", "Another")),
        (
            "of several organizations",
            SentMessage {
                organizations: vec!["00D5w000004qGTO".to_owned(), ORGANIZATION.to_owned()],
                ..SentMessage::good()
            },
        ),
    ] {
        assert_eq!(sent.verify(), Ok(0), "{name}");
        assert_eq!(sent.events().len(), 1, "{name}");
    }
    let rotated = SentMessage { secrets: vec![OTHER, "", SECRET], ..SentMessage::good() };
    assert_eq!(rotated.verify(), Ok(2));
}

fn escape_all(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

#[test]
fn a_hundred_notifications_are_a_hundred_events_and_one_acknowledgement() {
    let notifications: String = (0..100).map(notification).collect();
    let sent = message_of(&notifications);
    assert_eq!(sent.verify(), Ok(0));
    let events = sent.events();
    assert_eq!(events.len(), 100);
    let ids: std::collections::BTreeSet<_> = events.iter().map(|event| &event.id).collect();
    assert_eq!(ids.len(), 100);
    assert_eq!(kept(&events[42])["object"], json!({"Id": "0067F0000000042", "Amount": "42.50"}));

    let answer = SalesforceOutbound.accepted_answer().unwrap();
    assert_eq!((answer.status, answer.content_type), (200, "text/xml; charset=utf-8"));
    let document = roxmltree::Document::parse(answer.body).unwrap();
    let outbound = "http://soap.sforce.com/2005/09/outbound";
    let named = |name| document.descendants().filter(move |n| n.has_tag_name((outbound, name)));
    let acknowledgements: Vec<_> = named("Ack").filter_map(|node| node.text()).collect();
    assert_eq!((acknowledgements, named("notificationsResponse").count()), (vec!["true"], 1));
    assert_eq!(SalesforceOutbound.overload_answer().status, 503);
}

/// Salesforce sends a message again with the latest data of its records. Under one id the second
/// one would be a conflict, and the latest state would never count.
#[test]
fn an_attempt_with_the_same_data_is_the_same_event_and_other_data_another() {
    let id = |sent: &SentMessage| sent.events()[0].id.clone();
    let first = SentMessage::good();
    let id_of_first = id(&first);
    assert!(id_of_first.starts_with("00D7F00000107Xs-04k7F0000008V3h-04l7F000008aeAy-"));
    for (part, other) in [
        ("<SessionId xsi:nil=\"true\"/>", "<SessionId>00D!another</SessionId>"),
        ("ap5.salesforce.com", "ap6.salesforce.com"),
        (ORGANIZATION, "00D7F00000107Xs"),
        ("<Notification>", "\n  <Notification>"),
    ] {
        assert_eq!(id(&SentMessage::with(part, other)), id_of_first, "{part}");
    }
    for (part, other) in [
        ("120000.0", "120000.1"),
        ("04l7F000008aeAyQAI", "04l7F000008aeAz"),
        ("04k7F0000008V3hQAE", "04k7F0000008V3i"),
        ("sf:Opportunity", "sf:Order"),
        ("<sf:LeadSource>Phone Inquiry</sf:LeadSource>", "<sf:LeadSource xsi:nil=\"true\"/>"),
    ] {
        assert_ne!(id(&SentMessage::with(part, other)), id_of_first, "{part}");
    }
}

#[test]
fn fields_are_text_nothing_several_values_or_fields_of_their_own() {
    let object = |fields: &str| {
        let sent = message_of(&format!(
            "<Notification><Id>04l7F000008aeAyQAI</Id><sObject xmlns:f=\"urn:a\">{fields}</sObject>\
             </Notification>"
        ));
        assert_eq!(sent.verify(), Ok(0));
        kept(&sent.events()[0])
    };
    for (fields, expected) in [
        ("", json!({})),
        ("<f:A>1.10</f:A><f:B> b </f:B>", json!({"A": "1.10", "B": " b "})),
        ("<f:A/><f:B></f:B>", json!({"A": "", "B": ""})),
        ("<f:A xsi:nil=\"true\"/><f:B xsi:nil=\"1\"/>", json!({"A": null, "B": null})),
        ("<f:A xsi:nil=\"false\">a</f:A><f:B nil=\"true\"/>", json!({"A": "a", "B": ""})),
        ("<f:A>a&lt;b&amp;&#10;\"<![CDATA[<c>]]></f:A>", json!({"A": "a<b&\n\"<c>"})),
        (
            "<f:A>1</f:A><f:B>b</f:B><f:A>2</f:A><f:A xsi:nil=\"true\"/>",
            json!({"A": ["1", "2", null], "B": "b"}),
        ),
        (
            "<f:Owner xsi:type=\"f:User\"><f:Email>a@b</f:Email></f:Owner>",
            json!({"Owner": {"Email": "a@b"}}),
        ),
        ("<f:A><f:SessionId>00D!s</f:SessionId></f:A>", json!({"A": {}})),
        ("<f:SessionId>00D!s</f:SessionId><f:A>a</f:A>", json!({"A": "a"})),
    ] {
        let found = object(fields);
        assert_eq!((&found["object"], &found["type"]), (&expected, &Value::Null), "{fields}");
    }
}

/// An authentic message is never refused for its shape: what cannot be read becomes a dead letter,
/// and the readable notifications beside it count.
#[test]
fn other_shapes_are_dead_letters_without_sessions() {
    let good = notification(1);
    let session = "<SessionId>00D!secret-session</SessionId>";
    let hundred_and_one: String = (0..=100).map(notification).collect();
    let without_id = good.replace("Id>04l", "Key>04l").replace("001</Id>", "001</Key>");
    for (name, notifications, problems, readable) in [
        ("none", String::new(), 1, 0),
        ("101", hundred_and_one, 1, 0),
        ("no id", format!("{}{session}{good}", "<Notification><sObject/></Notification>"), 1, 1),
        ("a blank id", "<Notification><Id> </Id><sObject/></Notification>".to_owned(), 1, 0),
        ("an id of another name", without_id, 1, 0),
        ("no record", format!("<Notification><Id>04l</Id>{session}</Notification>{good}"), 1, 1),
        (
            "two records",
            "<Notification><Id>04l</Id><sObject/><sObject/></Notification>".into(),
            1,
            0,
        ),
        ("two ids", "<Notification><Id>1</Id><Id>2</Id><sObject/></Notification>".into(), 1, 0),
    ] {
        let mut sent = message_of(&notifications);
        let nil = "<SessionId xsi:nil=\"true\"/>";
        let body = String::from_utf8(sent.body).unwrap();
        sent.body = body.replace(nil, &format!("<SessionId>{session}</SessionId>")).into_bytes();
        assert_eq!(sent.verify(), Ok(0), "{name}");

        let events = sent.events();
        let (read, refused): (Vec<_>, Vec<_>) =
            events.iter().partition(|event| SalesforceOutbound.decode_event(&event.body).is_ok());
        assert_eq!((refused.len(), read.len()), (problems, readable), "{name}");
        for event in refused {
            let text = String::from_utf8(event.body.to_vec()).unwrap();
            assert!(!text.contains("secret-session"), "{name}: {text}");
            assert!(text.contains("Notification") || text.contains("notifications"), "{name}");
            let reason = SalesforceOutbound.decode_event(&event.body).unwrap_err().to_string();
            assert!(reason.contains("notification"), "{name}: {reason}");
        }
    }
}

#[test]
fn only_what_was_kept_is_decoded() {
    for body in [
        "",
        "{}",
        "[]",
        "null",
        "[null, 1]",
        "{\"a\":1}",
        "<a/>",
        "{\"problem\":\"a\"}",
        "{\"notification\":\"1\",\"notification\":\"2\"}",
    ] {
        assert!(SalesforceOutbound.decode_event(body.as_bytes()).is_err(), "{body}");
    }
    assert!(SalesforceOutbound.decode_event(b"\xff").is_err());
}

#[test]
fn settings_need_organizations() {
    for good in [&["00D7F00000107Xs"][..], &["00D7F00000107XsUAI", "00D5w000004qGTOEA2"]] {
        let good = settings(good.iter().map(|id| (*id).to_owned()).collect());
        assert_eq!(SalesforceOutbound.check_settings(&good), Ok(()));
    }
    let missing = SalesforceOutbound.check_settings(&SourceSettings::default()).unwrap_err();
    assert_eq!(missing.key, None);
    for wrong in ["", "00D7F00000107X", "00D7F00000107XsUAJ", "0067F000003pmdWQAQ", "Acme"] {
        let wrong = settings(vec![ORGANIZATION.to_owned(), wrong.to_owned()]);
        let error = SalesforceOutbound.check_settings(&wrong).unwrap_err();
        assert_eq!(error.key, Some("organizations"));
    }
    assert!(SalesforceOutbound.check_settings(&settings(vec![])).is_err());

    let none = SourceSettings::default();
    assert_eq!(SalesforceOutbound.secret_origin(&none), SecretOrigin::Token);
    assert!(SalesforceOutbound.check_secret(SECRET, &none).is_ok());
    for secret in ["", "short", "0123456789 abcdef", "0123456789abcd\u{e9}f"] {
        assert!(SalesforceOutbound.check_secret(secret, &none).is_err(), "{secret}");
    }
}

#[test]
fn a_sample_is_authentic_and_has_the_deal() {
    let deal = SampleDeal {
        id: "0067F000003pmdWQAQ",
        name: "A & B <\"c\"> \u{0}\u{e9}",
        amount: "1200.50",
        owner: "005dE000001AbCd",
        closed_day: "2026-01-31",
        sent_ms: 1_769_874_630_123,
    };
    let settings = SentMessage::good().settings();
    let sample = SalesforceOutbound.sample_request(&deal, &settings, SECRET).unwrap();
    let sent = SentMessage { query: sample.query, body: sample.body, ..SentMessage::good() };
    assert_eq!(sent.verify(), Ok(0));
    let found = kept(&sent.events()[0]);
    let expected = json!({
        "Id": deal.id,
        "Name": "A & B <\"c\"> \u{e9}",
        "Amount": "1200.50",
        "OwnerId": deal.owner,
        "CloseDate": "2026-01-31",
        "LastModifiedDate": "2026-01-31T15:50:30.123Z",
        "StageName": "Closed Won",
    });
    assert_eq!((&found["object"], &found["type"]), (&expected, &json!("Opportunity")));

    let none = SourceSettings::default();
    assert!(SalesforceOutbound.sample_request(&deal, &none, SECRET).is_err());
    assert!(SalesforceOutbound.sample_request(&deal, &settings, "short").is_err());
}
