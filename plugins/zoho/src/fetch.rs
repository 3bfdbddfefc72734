//! The record of a notification: where the API has it, and payloads that were completed with it.

use accredit_seams::connector::{DecodeError, FetchAuthorization, FetchRequest, SourceSettings};
use accredit_webhook_checks::json::{self, member_text};
use accredit_webhook_checks::settings::api_url;

use crate::notification::{SingleRecord, payload_text};
use crate::settings::API_URL;

/// The version of the API that records are read from.
const API_PATH: &str = "/crm/v8/";

/// The operation of a record that is gone.
const DELETED: &str = "delete";

/// What has to be read before `payload` says all of its deal.
pub(crate) fn needed_fetch(
    payload: &str,
    settings: &SourceSettings,
) -> Result<Option<FetchRequest>, DecodeError> {
    let record = SingleRecord::read(payload)?;
    let is_deleted = record.operation.eq_ignore_ascii_case(DELETED);
    if record.is_complete || is_deleted || settings.flag("fetch") == Some(false) {
        return Ok(None);
    }

    let api = api_url(settings, "api_url").map_err(|error| DecodeError(error.to_string()))?;
    let api = api.unwrap_or(API_URL);
    let SingleRecord { module, id, .. } = &record;
    // Both are put into the path of a request that carries a token.
    if !is_plain(module, b"_") || !is_plain(id, b"") {
        return Err(DecodeError("the module or the id of a record is not plain".to_owned()));
    }

    Ok(Some(FetchRequest {
        url: format!("{api}{API_PATH}{module}/{id}"),
        authorization: FetchAuthorization::Scheme("Zoho-oauthtoken"),
        headers: vec![("accept", "application/json")],
        body: None,
    }))
}

/// Whether a step of a path is letters, digits and `others`.
fn is_plain(step: &str, others: &[u8]) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || others.contains(&byte);
    !step.is_empty() && step.bytes().all(is_allowed)
}

/// A payload with the record that is in `data` of the API's answer.
pub(crate) fn complete_event(payload: &str, fetched: &str) -> Result<String, DecodeError> {
    let wrong = |why: &str| DecodeError(format!("the answer of the API {why}"));
    let record = SingleRecord::read(payload)?;
    if record.is_complete {
        return Err(DecodeError("the event is complete".to_owned()));
    }

    let answer = json::check_body(fetched.as_bytes())?;
    let answer = json::object_members(answer).ok_or_else(|| wrong("is not an object"))?;
    let data = answer.get("data").and_then(|data| json::array_items(data.get()));
    let Some([object]) = data.as_deref() else {
        return Err(wrong("has no record in `data`"));
    };

    let members = json::object_members(object.get()).ok_or_else(|| wrong("has no record"))?;
    if member_text(&members, "id").as_deref() != Some(record.id.as_str()) {
        return Err(wrong("has another record"));
    }
    Ok(payload_text(record.written, object.get()))
}
