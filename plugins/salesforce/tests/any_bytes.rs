//! Whatever is sent, nothing panics, nothing unauthentic is accepted, and no session is kept.
#![expect(clippy::indexing_slicing, reason = "tests stop at the first surprise")]

use accredit_salesforce::{SalesforceFlow, SalesforceOutbound};
use accredit_seams::connector::{Connector, SentRequest, SettingValue, SourceSettings};
use proptest::prelude::*;

const SECRET: &str = "0123456789abcdef";
const MESSAGE: &str = include_str!("payloads/outbound/session-and-stray-text.xml");

fn settings() -> SourceSettings {
    let organizations = SettingValue::Texts(vec!["00Dd0000000gzcrEAA".to_owned()]);
    let pointer = SettingValue::Text("/a/0".to_owned());
    let values = [("organizations".to_owned(), organizations), ("id_pointer".to_owned(), pointer)];
    SourceSettings { url: None, values: values.into() }
}

/// Pieces of messages, so that random bodies get past the first check.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            "<",
            ">",
            "/>",
            "</",
            "\"",
            "'",
            "=",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "<?",
            "?>",
            "&",
            ";",
            "&#x0;",
            "<!DOCTYPE a>",
            "xmlns=\"\"",
            " a='b'",
            "<Id>",
            "</Id>",
            "<sObject/>",
            "<Notification>",
            "</Notification>",
            "<SessionId>s</SessionId>",
            "{",
            "}",
            "[",
            "]",
            "\"a\":",
            "1e5",
            "null",
            "\u{feff}",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// A message with a range of its bytes replaced.
fn changed_message() -> impl Strategy<Value = Vec<u8>> {
    let text = MESSAGE.as_bytes();
    (0..text.len(), 0..40_usize, pieces()).prop_map(move |(start, length, piece)| {
        let end = (start + length).min(text.len());
        [&text[..start], &piece, &text[end..]].concat()
    })
}

/// Values of the header that are nearly right.
fn authorization() -> impl Strategy<Value = Vec<u8>> {
    "(Bearer|bearer|Basic) {0,2}[0-9a-f]{0,15}".prop_map(String::into_bytes)
}

fn request<'a>(
    query: &'a str,
    headers: &'a [(&'a str, &'a [u8])],
    body: &'a [u8],
) -> SentRequest<'a> {
    SentRequest { method: "POST", query, headers, body, received_ms: 0 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn messages(body in prop_oneof![pieces(), changed_message()], query in "[&=%a-f0-9key]{0,40}") {
        let (settings, headers) = (settings(), []);
        let guessed = request(&query, &headers, &body);
        let accepted = SalesforceOutbound.verify_request(&guessed, &settings, &[SECRET]);
        prop_assert!(accepted.is_err());

        let keyed = request("key=0123456789abcdef", &headers, &body);
        let authentic = SalesforceOutbound.verify_request(&keyed, &settings, &[SECRET]).is_ok();
        let events = SalesforceOutbound.split_request(&keyed, &settings);
        prop_assert!(!events.is_empty());
        for event in &events {
            let _ = SalesforceOutbound.decode_event(&event.body);
            // What was cut out of the middle of a session's tags is text like any other.
            let kept = String::from_utf8_lossy(&event.body);
            let intact = body.windows(11).any(|part| part == b"<SessionId>");
            prop_assert!(!(authentic && intact && kept.contains("not-a-session")), "{kept}");
        }
        prop_assert_eq!(&events, &SalesforceOutbound.split_request(&keyed, &settings));
        let _ = SalesforceOutbound.decode_event(&body);
    }

    #[test]
    fn callouts(
        body in pieces(),
        authorization in prop_oneof![pieces(), authorization()],
        id in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let settings = settings();
        let headers = [("authorization", authorization.as_slice()), ("X-Event-Id", id.as_slice())];
        let sent = request("", &headers, &body);
        prop_assert!(SalesforceFlow.verify_request(&sent, &settings, &[SECRET]).is_err());
        let events = SalesforceFlow.split_request(&sent, &settings);
        prop_assert_eq!(events.len(), 1);
        let plain = |byte: u8| byte.is_ascii_graphic();
        prop_assert!(!events[0].id.is_empty() && events[0].id.len() <= 128);
        prop_assert!(events[0].id.bytes().all(plain));
        prop_assert_eq!(&*events[0].body, body.as_slice());
        let _ = SalesforceFlow.decode_event(&body);
    }
}
