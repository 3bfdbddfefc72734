//! The connector `salesforce-flow`: JSON that a flow or Apex sends, with a secret in a header.
//!
//! Not Outbound Messages (`outbound`). Called by the host.

use std::borrow::Cow;

use accredit_seams::connector::{
    Connector, DecodeError, OverloadAnswer, RejectedDelivery, SampleDeal, SampleRequest,
    SecretOrigin, SentEvent, SentRequest, SettingError, SettingKey, SettingKind, SourceSettings,
    SourceStarter, optional_header,
};
use accredit_webhook_checks::{ids, json, secret};
use serde_json::Value;

use crate::sample;

/// The setting that names the header with the secret.
const HEADER: &str = "header";

/// The setting that says where in the body the id of an event is.
const ID_POINTER: &str = "id_pointer";

/// The header with the id of an event, where its body has none.
const ID_HEADER: &str = "x-event-id";

/// Bytes of an id that is kept as it was sent; a longer one is hashed.
const ID_BYTES_MAX: usize = 128;

/// How long a callout waits for room: by default, Apex gives up after ten seconds.
const PATIENCE_MS: u32 = 8_000;

/// The connector `salesforce-flow`: HTTP callouts of flows and of Apex.
#[derive(Debug, Clone, Copy)]
pub struct SalesforceFlow;

impl Connector for SalesforceFlow {
    fn name(&self) -> &'static str {
        "salesforce-flow"
    }

    fn setting_keys(&self) -> &'static [SettingKey] {
        &[
            SettingKey {
                name: HEADER,
                kind: SettingKind::Text,
                meaning: "the header that holds the secret; `Authorization: Bearer` by default",
            },
            SettingKey {
                name: ID_POINTER,
                kind: SettingKind::Text,
                meaning: "where in the body the id of the event is, as a JSON pointer",
            },
        ]
    }

    fn check_settings(&self, settings: &SourceSettings) -> Result<(), SettingError> {
        if let Some(header) = settings.text(HEADER) {
            check_header(header)?;
        }
        match settings.text(ID_POINTER) {
            Some(pointer) if !is_pointer(pointer) => Err(SettingError {
                key: Some(ID_POINTER),
                message: format!("`{pointer}` is not a JSON pointer to a value"),
                help: "write a path such as `/eventId` or `/event/id`".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    fn starter(&self) -> SourceStarter {
        SourceStarter {
            settings: "",
            placeholders: &[],
            policy: None,
            next_steps: "Give the secret that `accredit serve` prints to the named credential \
                of the callout, as a bearer token.\n",
        }
    }

    fn secret_origin(&self, _settings: &SourceSettings) -> SecretOrigin {
        SecretOrigin::Token
    }

    fn check_secret(
        &self,
        secret: &str,
        _settings: &SourceSettings,
    ) -> Result<(), RejectedDelivery> {
        secret::check_token(secret)
    }

    fn verify_request(
        &self,
        request: &SentRequest<'_>,
        settings: &SourceSettings,
        secrets: &[&str],
    ) -> Result<usize, RejectedDelivery> {
        match settings.text(HEADER) {
            Some(header) => secret::verify_header(request.headers, header, secrets),
            None => secret::verify_bearer(request.headers, secrets),
        }
    }

    fn split_request<'b>(
        &self,
        request: &SentRequest<'b>,
        settings: &SourceSettings,
    ) -> Vec<SentEvent<'b>> {
        let in_body = settings.text(ID_POINTER).and_then(|at| pointed_id(request.body, at));
        let in_header = || optional_header(request.headers, ID_HEADER).ok().flatten();
        let sent = in_body.or_else(|| in_header().map(str::to_owned)).unwrap_or_default();
        let id = match sent.trim() {
            "" => ids::hashed_id(&[request.body]),
            id if is_plain(id) => id.to_owned(),
            id => ids::hashed_id(&[id.as_bytes()]),
        };
        vec![SentEvent { id, body: Cow::Borrowed(request.body) }]
    }

    fn decode_event<'b>(&self, body: &'b [u8]) -> Result<Vec<Cow<'b, str>>, DecodeError> {
        json::check_body(body).map(|text| vec![Cow::Borrowed(text)])
    }

    /// A flow does not send again, so a request waits for room as long as its sender waits.
    fn overload_answer(&self) -> OverloadAnswer {
        OverloadAnswer { status: 503, retry_after_s: Some(5), patience_ms: PATIENCE_MS }
    }

    fn sample_request(
        &self,
        deal: &SampleDeal<'_>,
        settings: &SourceSettings,
        secret: &str,
    ) -> Result<SampleRequest, RejectedDelivery> {
        secret::check_token(secret)?;
        let event = sample::event_seed(deal);
        let (header, value) = match settings.text(HEADER) {
            Some(header) => (header, secret.to_owned()),
            None => ("authorization", format!("Bearer {secret}")),
        };
        let headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            (header.to_ascii_lowercase(), value),
            (ID_HEADER.to_owned(), event.clone()),
        ];
        let body = sample::record(deal, &event).into_bytes();
        Ok(SampleRequest { query: String::new(), headers, body })
    }
}

/// Whether a header can hold the secret.
fn check_header(header: &str) -> Result<(), SettingError> {
    let refused = |message: String, help: &str| {
        Err(SettingError { key: Some(HEADER), message, help: help.to_owned() })
    };
    if header.eq_ignore_ascii_case("authorization") {
        let help = "leave `header` out: the secret is then sent as `Authorization: Bearer SECRET`";
        return refused("`Authorization` begins with a scheme".to_owned(), help);
    }
    if header.eq_ignore_ascii_case(ID_HEADER) {
        let help = "write another name, such as `X-Accredit-Key`";
        return refused(format!("`{header}` holds the id of an event"), help);
    }

    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if header.is_empty() || !header.bytes().all(is_token) {
        let help = "write a name of letters, digits and hyphens, such as `X-Accredit-Key`";
        return refused(format!("`{header}` is not the name of a header"), help);
    }
    Ok(())
}

/// Whether a text is a JSON pointer to something within the body; RFC 6901.
fn is_pointer(text: &str) -> bool {
    let escapes = text.split('~').skip(1);
    text.starts_with('/') && escapes.into_iter().all(|rest| rest.starts_with(['0', '1']))
}

/// The text or number that a pointer shows in a body.
fn pointed_id(body: &[u8], pointer: &str) -> Option<String> {
    // What `decode_event` refuses has no id of its own: of two equal keys, which one would count?
    let text = json::check_body(body).ok()?;
    match serde_json::from_str::<Value>(text).ok()?.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether an id can be kept as it is.
fn is_plain(id: &str) -> bool {
    id.len() <= ID_BYTES_MAX && id.bytes().all(|byte| byte.is_ascii_graphic())
}
