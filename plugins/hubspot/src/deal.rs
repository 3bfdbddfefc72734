//! The deal of an event: an event says which deal changed, the API says what the deal is worth.
//!
//! Not the request itself (the host's fetcher makes it). Called by the worker for each payload.

use accredit_seams::connector::{DecodeError, FetchAuthorization, FetchRequest, SourceSettings};
use accredit_webhook_checks::json;
use accredit_webhook_checks::members::JsonMembers;

use crate::event::CrmEvent;
use crate::settings;

/// Where HubSpot's API is.
const API_URL: &str = "https://api.hubapi.com";

/// What is fetched of a deal, where the settings do not say: what crediting needs of most deals.
const PROPERTIES: [&str; 8] = [
    "amount",
    "closedate",
    "dealstage",
    "dealname",
    "hubspot_owner_id",
    "pipeline",
    "hs_lastmodifieddate",
    "deal_currency_code",
];

/// The request for the deal of an event; none where there is no deal to fetch.
pub(crate) fn needed_fetch(
    payload: &str,
    settings: &SourceSettings,
) -> Result<Option<FetchRequest>, DecodeError> {
    if settings.flag(settings::FETCH) == Some(false) {
        return Ok(None);
    }
    let event = CrmEvent::read(payload).ok_or_else(not_an_event)?;
    if event.is_complete() {
        return Ok(None);
    }

    // A deleted deal cannot be fetched, and a new association changes nothing of the deal itself.
    let names: &[&str] = match event.deal_action().as_deref() {
        Some("creation" | "propertyChange" | "restore") => &["objectId"],
        Some("merge") => &["newObjectId", "primaryObjectId", "objectId"],
        _ => return Ok(None),
    };
    let id = names.iter().find_map(|name| event.object_id(name));
    let id =
        id.ok_or_else(|| DecodeError(format!("`{}` is not an id of a deal", names.join("`, `"))))?;

    Ok(Some(FetchRequest {
        url: deal_url(id, settings),
        authorization: FetchAuthorization::Bearer,
        headers: vec![("accept", "application/json")],
        body: None,
    }))
}

/// Where the deal is; its id is digits and the names of properties are plain, so nothing is escaped.
fn deal_url(id: &str, settings: &SourceSettings) -> String {
    let (api_url, properties) = (api_url(settings), property_names(settings).join(","));
    format!("{api_url}/crm/v3/objects/deals/{id}?properties={properties}")
}

/// Where the API is.
pub(crate) fn api_url(settings: &SourceSettings) -> &str {
    settings.text(settings::API_URL).unwrap_or(API_URL).trim_end_matches('/')
}

/// The properties of a deal that are wanted.
pub(crate) fn property_names(settings: &SourceSettings) -> Vec<&str> {
    match settings.texts(settings::PROPERTIES) {
        [] => PROPERTIES.to_vec(),
        named => named.iter().map(String::as_str).collect(),
    }
}

/// The event with its deal, both as they were written.
pub(crate) fn complete_event(payload: &str, fetched: &str) -> Result<String, DecodeError> {
    let payload = json::check_body(payload.as_bytes())?;
    CrmEvent::read(payload).ok_or_else(not_an_event)?;

    let deal = json::check_body(fetched.as_bytes())?.trim();
    let members = JsonMembers::read(deal);
    let has_object = |name: &str| {
        let value = members.as_ref().and_then(|members| members.raw(name));
        value.is_some_and(|value| value.starts_with('{'))
    };
    let has_id = members.as_ref().is_some_and(|members| members.digits("id").is_some());
    if !has_id || !has_object("properties") {
        return Err(DecodeError("the answer of HubSpot is not a deal".to_owned()));
    }

    Ok(format!("{{\"event\":{payload},\"object\":{deal}}}"))
}

pub(crate) fn not_an_event() -> DecodeError {
    DecodeError("not an event of HubSpot: the body is not a JSON object".to_owned())
}
