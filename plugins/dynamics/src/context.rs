//! The execution context in the body of a request: what is kept of it, and its id.
//!
//! Not the deal: an intake policy reads the context. Called by the connector.

use std::borrow::Cow;

use accredit_seams::connector::{DecodeError, SentEvent, SentHeaders, SentRequest};
use accredit_webhook_checks::ids::hashed_id;
use accredit_webhook_checks::json::{self, RawMembers, member_text};

/// The header of a request whose context was cut.
const CUT_HEADER: &str = "x-ms-dynamics-msg-size-exceeded";

/// The row of a payload where none was read.
const NO_OBJECT: &str = "null";

/// What a context says where it has no id.
const NO_ID: &str = "00000000-0000-0000-0000-000000000000";

/// The members that say who asked for what, of which record, and which step sent it.
const ID_MEMBERS: [&str; 6] = [
    "OrganizationId",
    "MessageName",
    "PrimaryEntityName",
    "PrimaryEntityId",
    "OperationCreatedOn",
    "Stage",
];

/// The event of a request. Its kept body is `{"size_exceeded": …, "context": {…}, "object": null}`: that
/// the context was cut is said by a header alone, and a header is not kept.
pub(crate) fn kept_event<'b>(request: &SentRequest<'b>) -> SentEvent<'b> {
    let context = json::check_body(request.body).ok();
    let members = context.and_then(json::object_members);
    let (Some(context), Some(members)) = (context, members) else {
        // Not a context: decoding says why.
        let id = hashed_id(&[request.body]);
        return SentEvent { id, body: Cow::Borrowed(request.body) };
    };

    let is_cut = is_header_sent(request.headers) || has_no_parameters(&members);
    let body = payload_text(is_cut, context, NO_OBJECT);
    SentEvent { id: event_id(&members, context), body: body.into_bytes().into() }
}

/// A payload. Its members are always the same, so a policy need not ask whether one is there: to ask
/// that of a large value takes more than a policy may use.
pub(crate) fn payload_text(is_cut: bool, context: &str, object: &str) -> String {
    format!(r#"{{"size_exceeded":{is_cut},"context":{context},"object":{object}}}"#)
}

/// Dataverse sends the header for no other reason, so its value does not matter.
fn is_header_sent(headers: &SentHeaders<'_>) -> bool {
    headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(CUT_HEADER))
}

/// A message always has parameters. A proxy that drops the header must not turn a context that was
/// cut into one in which nothing changed.
fn has_no_parameters(members: &RawMembers<'_>) -> bool {
    let parameters = members.get("InputParameters");
    let items = parameters.and_then(|value| json::array_items(value.get()));
    items.is_none_or(|items| items.is_empty())
}

/// The id of an event: the same for the second attempt, which sends the context of the first again.
///
/// `OperationId` is the system job of an asynchronous step, and the request of a synchronous one. One
/// request can run a step several times, so the time, the record and the step belong to the id.
fn event_id(members: &RawMembers<'_>, context: &str) -> String {
    let text = |key: &str| member_text(members, key).unwrap_or_default();
    let mut parts: Vec<String> = ID_MEMBERS.iter().map(|key| text(key)).collect();

    let step = members.get("OwningExtension").and_then(|step| json::object_members(step.get()));
    parts.push(step.and_then(|step| member_text(&step, "Id")).unwrap_or_default());

    let given = |key: &str| member_text(members, key).filter(|id| !id.is_empty() && id != NO_ID);
    match given("OperationId") {
        Some(operation) => parts.push(operation),
        // What is left may be shared by several events of one request: the context tells them apart.
        None => {
            parts.push(given("RequestId").or_else(|| given("CorrelationId")).unwrap_or_default());
            parts.push(context.to_owned());
        }
    }

    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    hashed_id(&parts)
}

/// The kept body of an event as a payload: an object whose `context` is one.
pub(crate) fn checked_payload(body: &[u8]) -> Result<&str, DecodeError> {
    let payload = json::check_body(body)?;
    KeptContext::read(payload)?;
    Ok(payload)
}

/// What a payload says.
pub(crate) struct KeptContext<'p> {
    /// The context as it was written.
    pub(crate) written: &'p str,
    /// The members of the context.
    pub(crate) members: RawMembers<'p>,
    /// Whether Dataverse cut it.
    pub(crate) is_cut: bool,
    /// Whether the row is there.
    pub(crate) is_complete: bool,
}

impl<'p> KeptContext<'p> {
    /// Reads the payload of one event.
    pub(crate) fn read(payload: &'p str) -> Result<Self, DecodeError> {
        let unknown = || DecodeError("not an execution context of Dataverse".to_owned());
        let payload = json::object_members(payload).ok_or_else(unknown)?;
        let written = payload.get("context").ok_or_else(unknown)?.get();
        let members = json::object_members(written).ok_or_else(unknown)?;
        if member_text(&members, "MessageName").is_none_or(|message| message.is_empty()) {
            return Err(DecodeError("an execution context without `MessageName`".to_owned()));
        }

        let is = |key: &str, value: &str| payload.get(key).is_some_and(|one| one.get() == value);
        let is_complete = payload.contains_key("object") && !is("object", NO_OBJECT);
        Ok(KeptContext { written, members, is_cut: is("size_exceeded", "true"), is_complete })
    }
}
