//! What is kept of a request, under which id, and what has to be read from the Web API.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

use accredit_dynamics::Dynamics;
use accredit_seams::connector::{
    Connector, FetchAuthorization, SentEvent, SentRequest, SettingValue, SourceSettings,
};
use serde_json::{Value as Json, json};

const CUT: (&str, &[u8]) = ("X-MS-Dynamics-Msg-Size-Exceeded", b"true");
const API: (&str, &str) = ("api_url", "https://org.crm4.dynamics.com/");
const ANSWER: &str = include_str!("payloads/answer-opportunity.json");

fn settings(values: &[(&str, &str)]) -> SourceSettings {
    let values = values
        .iter()
        .map(|(key, text)| ((*key).to_owned(), SettingValue::Text((*text).to_owned())));
    SourceSettings { url: None, values: values.collect() }
}

/// The one event of a request.
fn split(body: &[u8], headers: &[(&str, &[u8])]) -> SentEvent<'static> {
    let request = SentRequest { method: "POST", query: "", headers, body, received_ms: 0 };
    let mut events = Dynamics.split_request(&request, &SourceSettings::default());
    assert_eq!(events.len(), 1);
    let SentEvent { id, body } = events.remove(0);
    SentEvent { id, body: body.into_owned().into() }
}

/// The one payload of a request.
fn payload(body: &str, headers: &[(&str, &[u8])]) -> String {
    let event = split(body.as_bytes(), headers);
    let payloads = Dynamics.decode_event(&event.body).unwrap();
    assert_eq!(payloads.len(), 1);
    payloads[0].clone().into_owned()
}

struct CapturedContext {
    name: &'static str,
    body: &'static str,
    /// Computed by hand from the members that the documentation of the crate names.
    id: &'static str,
    message: &'static str,
    table: &'static str,
    is_cut: bool,
}

macro_rules! captured {
    ($name:literal, $id:literal, $message:literal, $table:literal, $is_cut:literal) => {
        CapturedContext {
            name: $name,
            body: include_str!(concat!("payloads/", $name, ".json")),
            id: $id,
            message: $message,
            table: $table,
            is_cut: $is_cut,
        }
    };
}

const CAPTURED: &[CapturedContext] = &[
    captured!(
        "create-all-types",
        "e7aca4428ca02c56e482e8e6b9ef38b7",
        "Create",
        "albxrm_alltypes",
        false
    ),
    captured!(
        "create-connection",
        "2dd48215b8f4701c33e8475517799417",
        "Create",
        "connection",
        false
    ),
    captured!(
        "create-opportunity-cut",
        "b95ba73aac0fd5f1e5b64003e3f42499",
        "Create",
        "opportunity",
        true
    ),
    captured!(
        "create-opportunity",
        "b95ba73aac0fd5f1e5b64003e3f42499",
        "Create",
        "opportunity",
        false
    ),
    captured!(
        "custom-action",
        "d204caebbd36c7768d59101ea4897763",
        "devkit_DebugCustomAction",
        "none",
        false
    ),
    captured!(
        "external-customer-group",
        "2ad41cc836f4fd34aba16df76ce756f4",
        "OnExternalCreated",
        "mserp_custcustomergroupentity",
        false
    ),
    captured!(
        "update-agent-status",
        "317d76d5598644000fdeecb93ebf04ec",
        "Update",
        "msdyn_agentstatus",
        false
    ),
    captured!("update-contact", "8aaa52b610a0ddb20a06d31547408d47", "Update", "contact", false),
];

#[test]
fn captured_contexts() {
    for CapturedContext { name, body, id, message, table, is_cut } in CAPTURED {
        let event = split(body.as_bytes(), &[]);
        assert_eq!(event.id, *id, "{name}");

        let payload = payload(body, &[]);
        let read: Json = serde_json::from_str(&payload).unwrap();
        let sent: Json = serde_json::from_str(body).unwrap();
        assert_eq!(read["context"], sent, "{name}: all of it is kept");
        assert_eq!((&read["size_exceeded"], &read["object"]), (&json!(*is_cut), &json!(null)));
        assert_eq!(read["context"]["MessageName"], *message, "{name}");
        assert_eq!(read["context"]["PrimaryEntityName"], *table, "{name}");
    }
}

#[test]
fn digits_of_amounts_are_kept() {
    let body = CAPTURED.iter().find(|one| one.name == "create-all-types").unwrap().body;
    let payload = payload(body, &[]);
    assert!(payload.contains("1.0000000000") && payload.contains("2154.32"));
}

/// Dataverse tries once more, with the same context: that is one event. Everything else is another.
#[test]
fn ids_of_attempts_and_of_events() {
    let context = CAPTURED.iter().find(|one| one.name == "create-connection").unwrap().body;
    let first = split(context.as_bytes(), &[]);
    assert_eq!(split(context.as_bytes(), &[]), first);
    assert_eq!(split(format!("\u{feff}{context}").as_bytes(), &[]), first, "a mark before text");
    let tracked = split(context.as_bytes(), &[("x-ms-correlation-request-id", b"1")]);
    assert_eq!(tracked, first, "headers of the attempt");

    for (from, to) in [
        ("bfddc525-7e84-4d76-a946-a2a895fb8887", "0ba4ce62-d2d6-4681-bc25-b3bfb695d4d6"),
        (r#""MessageName": "Create""#, r#""MessageName": "Update""#),
        (r#""PrimaryEntityName": "connection""#, r#""PrimaryEntityName": "account""#),
        (r#""PrimaryEntityId": "37c7"#, r#""PrimaryEntityId": "37c8"#),
        ("1557349705170", "1557349705171"),
        (r#""Stage": 40"#, r#""Stage": 20"#),
        (r#""OperationId": "77dc073b"#, r#""OperationId": "77dc073c"#),
        // The step comes before its parent's: only the first `Id` behind `OwningExtension` is its own.
        (r#""OwningExtension": {"#, r#""OwningExtension": {"Id": "x"}, "Former": {"#),
    ] {
        assert!(context.contains(from), "{from}");
        let other = split(context.replace(from, to).as_bytes(), &[]);
        assert!(other.body.starts_with(b"{\"size_exceeded\""), "{from}: still a context");
        assert_ne!(other.id, first.id, "{from}");
    }
}

/// A context without an operation was identified by its correlation alone, which every event of a
/// chain shares: the second one passed as a repetition of the first.
#[test]
fn without_an_operation_the_context_tells_events_apart() {
    let context = CAPTURED.iter().find(|one| one.name == "external-customer-group").unwrap().body;
    let other = context.replace("Default", "Retail");
    assert_ne!(other, context);
    assert_ne!(split(other.as_bytes(), &[]).id, split(context.as_bytes(), &[]).id);

    let zero = "00000000-0000-0000-0000-000000000000";
    let with_zero = |group: &str| {
        let body = context.replace("Default", group);
        let body =
            body.replacen('{', &format!(r#"{{"OperationId": "{zero}", "RequestId": null,"#), 1);
        split(body.as_bytes(), &[]).id
    };
    assert_ne!(with_zero("a"), with_zero("b"));
}

#[test]
fn a_context_that_was_cut_is_never_one_without_changes() {
    let find = |name: &str| CAPTURED.iter().find(|one| one.name == name).unwrap().body;
    let cut = |body: &str, headers: &[(&str, &[u8])]| {
        let payload: Json = serde_json::from_str(&payload(body, headers)).unwrap();
        payload["size_exceeded"].as_bool().unwrap()
    };

    // The header says it, whatever its value; without the header, missing parameters do.
    assert!(!cut(find("create-opportunity"), &[]));
    assert!(cut(find("create-opportunity"), &[CUT]));
    assert!(cut(find("create-opportunity"), &[("x-ms-dynamics-msg-size-exceeded", b"")]));
    assert!(cut(find("create-opportunity-cut"), &[CUT]));
    for parameters in
        ["", r#","InputParameters":null"#, r#","InputParameters":[]"#, r#","InputParameters":{}"#]
    {
        let body = format!(r#"{{"MessageName":"Update","OperationId":"1"{parameters}}}"#);
        assert!(cut(&body, &[]), "{body}");
    }

    // The event is the same one, with or without the header.
    let id = split(find("create-opportunity").as_bytes(), &[]).id;
    assert_eq!(split(find("create-opportunity-cut").as_bytes(), &[CUT]).id, id);
}

#[test]
fn rows_are_read_when_the_settings_say_so() {
    let find = |name: &str| CAPTURED.iter().find(|one| one.name == name).unwrap().body;
    let whole = payload(find("create-opportunity"), &[]);
    let cut = payload(find("create-opportunity"), &[CUT]);
    let deleted = payload(&find("create-opportunity-cut").replace("Create", "Delete"), &[CUT]);
    let row = "https://org.crm4.dynamics.com/api/data/v9.2/\
               opportunities(0e0fc00e-ed75-e911-a961-000d3a1bc80d)";

    for (mode, whole_is_read, cut_is_read) in
        [(None, false, true), (Some("when_cut"), false, true), (Some("always"), true, true)]
    {
        let mut values = vec![API];
        values.extend(mode.map(|mode| ("fetch", mode)));
        let settings = settings(&values);
        for (payload, is_read) in [(&whole, whole_is_read), (&cut, cut_is_read), (&deleted, false)]
        {
            let fetch = Dynamics.needed_fetch(payload, &settings).unwrap();
            assert_eq!(fetch.is_some(), is_read, "{mode:?}");
            if let Some(fetch) = fetch {
                assert_eq!(fetch.url, row);
                assert_eq!(fetch.authorization, FetchAuthorization::Bearer);
                assert!(fetch.headers.contains(&("accept", "application/json")));
            }
        }
    }

    // Without the API a context that was cut is a dead letter, and only that one.
    let never = settings(&[("fetch", "never")]);
    assert_eq!(Dynamics.needed_fetch(&whole, &never), Ok(None));
    assert_eq!(Dynamics.needed_fetch(&deleted, &never), Ok(None));
    let error = Dynamics.needed_fetch(&cut, &never).unwrap_err().to_string();
    assert!(error.contains("api_url"), "{error}");
    assert!(Dynamics.needed_fetch(&cut, &settings(&[])).is_err());
}

#[test]
fn rows_are_of_the_table_that_the_settings_name() {
    let find = |name: &str| CAPTURED.iter().find(|one| one.name == name).unwrap().body;
    let contact = payload(find("update-contact"), &[CUT]);
    assert!(Dynamics.needed_fetch(&contact, &settings(&[API])).is_err());
    let fetch = Dynamics.needed_fetch(&contact, &settings(&[API, ("entity_set", "contacts")]));
    let url = fetch.unwrap().unwrap().url;
    assert!(
        url.ends_with("/api/data/v9.2/contacts(6d81597f-0f9f-e711-8122-000d3aa2331c)"),
        "{url}"
    );
}

/// An id is put into the path of a request that carries a token.
#[test]
fn ids_of_rows_are_guids() {
    let settings = settings(&[API]);
    let fetch = |id: &str| {
        let context = format!(
            r#"{{"MessageName":"Update","PrimaryEntityName":"opportunity","PrimaryEntityId":{id}}}"#
        );
        Dynamics.needed_fetch(&payload(&context, &[CUT]), &settings)
    };
    assert!(fetch(r#""0E0FC00E-ED75-E911-A961-000D3A1BC80D""#).is_ok());
    for id in [
        "null",
        "1",
        "\"\"",
        "[]",
        r#""00000000-0000-0000-0000-000000000000""#,
        r#""0e0fc00e-ed75-e911-a961-000d3a1bc80""#,
        r#""0e0fc00e-ed75-e911-a961-000d3a1bc80dd""#,
        r#""0e0fc00eed75e911a961000d3a1bc80d""#,
        r#""{0e0fc00e-ed75-e911-a961-000d3a1bc80d}""#,
        r#""0e0fc00e-ed75-e911-a961-000d3a1bc80g""#,
        r#""0e0fc00e-ed75-e911-a961-000d3a1bc80d)/x""#,
        r#""0e0fc00e-ed75-e911-a961-000d3a1bc80d?""#,
        r#""../../../../evil-0000-0000-000000000000""#,
        r#""0e0fc00e-ed75-e911-a961-000d3a1bc80d\n""#,
    ] {
        assert!(fetch(id).is_err(), "{id}");
    }
}

#[test]
fn completed_events_have_the_row_beside_the_context() {
    let find = |name: &str| CAPTURED.iter().find(|one| one.name == name).unwrap().body;
    let cut = payload(find("create-opportunity-cut"), &[CUT]);
    let completed = Dynamics.complete_event(&cut, ANSWER).unwrap();

    let payloads = Dynamics.decode_event(completed.as_bytes()).unwrap();
    let read: Json = serde_json::from_str(&payloads[0]).unwrap();
    assert_eq!(read["context"]["PrimaryEntityId"], "0e0fc00e-ed75-e911-a961-000d3a1bc80d");
    assert_eq!(read["object"]["name"], "10 Airpot XL Coffee Makers for Alpine Ski House");
    assert!(payloads[0].contains("4990.0000000000"), "digits are kept");
    let always = settings(&[API, ("fetch", "always")]);
    assert_eq!(Dynamics.needed_fetch(&payloads[0], &always), Ok(None), "nothing more to read");

    for answer in [
        "",
        "null",
        "[]",
        "{}",
        "<html>",
        "{\"a\":1,\"a\":2}",
        r#"{"error":{"code":"0x80040217","message":"Entity 'opportunity' Does Not Exist"}}"#,
    ] {
        assert!(Dynamics.complete_event(&cut, answer).is_err(), "{answer}");
    }
    assert!(Dynamics.complete_event("{}", ANSWER).is_err());
}

/// A body of no known shape is kept as it came, and the worker says why it cannot be read.
#[test]
fn bodies_that_are_no_contexts() {
    for body in [
        "",
        " ",
        "null",
        "[]",
        "{}",
        "\"Update\"",
        "{",
        "not JSON",
        "{\"a\":1,\"a\":2}",
        r#"{"MessageName":""}"#,
        r#"{"MessageName":null}"#,
        r#"{"MessageName":{}}"#,
        r#"{"messagename":"Update"}"#,
        r#"{"MessageName":"Update","MessageName":"Delete"}"#,
        r#"[{"MessageName":"Update"}]"#,
    ] {
        let event = split(body.as_bytes(), &[CUT]);
        assert_eq!(event.id.len(), 32, "{body}");
        assert!(Dynamics.decode_event(&event.body).is_err(), "{body}");
        assert!(Dynamics.decode_event(body.as_bytes()).is_err(), "{body}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(Dynamics.decode_event(&split(deep.as_bytes(), &[]).body).is_err());
    assert!(Dynamics.decode_event(&split(&[0xff, 0xfe], &[]).body).is_err());
}

/// 429 and 500 are final at Dataverse: an event that is refused with them is lost.
#[test]
fn overload_is_answered_with_what_is_tried_again() {
    let answer = Dynamics.overload_answer();
    assert_eq!((answer.status, answer.retry_after_s), (503, None));
    assert!(answer.patience_ms > 0 && answer.patience_ms < 60_000);
    assert_eq!(Dynamics.accepted_answer(), None);
}
