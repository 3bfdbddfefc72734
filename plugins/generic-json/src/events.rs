//! The events of a request and their ids, as the settings say.

use std::borrow::Cow;
use std::collections::HashSet;

use accredit_seams::connector::{SentEvent, SentRequest, SourceSettings, optional_header};
use accredit_webhook_checks::ids::hashed_id;
use accredit_webhook_checks::json;

use crate::pointer::find_value;

/// Members of a list that become events of their own. A longer list is kept as one event.
const MEMBERS_MAX: usize = 10_000;

/// Characters of an id that is kept as it is; a longer one is kept as its hash.
const ID_CHARACTERS_MAX: usize = 128;

/// Each member of the list is an event, or the whole body where there is no list.
pub(crate) fn split_request<'b>(
    request: &SentRequest<'b>,
    settings: &SourceSettings,
) -> Vec<SentEvent<'b>> {
    // An event is kept whether or not it can be read; the worker says why it cannot.
    let text = json::check_body(request.body).ok();
    let header_id = settings
        .text("id_header")
        .and_then(|name| optional_header(request.headers, name).ok().flatten())
        .filter(|id| !id.trim().is_empty());

    let list = text.zip(settings.text("list_pointer"));
    let list = list.and_then(|(text, pointer)| find_value(text, pointer));
    let members = list.and_then(json::array_items);
    let Some(members) = members.filter(|members| members.len() <= MEMBERS_MAX) else {
        let own = text.and_then(|text| pointed_id(text, settings));
        let id = own.or_else(|| header_id.map(usable_id));
        let id = id.unwrap_or_else(|| hashed_id(&[request.body]));
        return vec![SentEvent { id, body: Cow::Borrowed(request.body) }];
    };

    let event = |(place, member): (usize, &&'b serde_json::value::RawValue)| {
        let member: &'b str = member.get();
        let own = pointed_id(member, settings);
        // A header has one id for the whole list.
        let place = place.to_string();
        let of_header = || header_id.map(|id| hashed_id(&[id.as_bytes(), place.as_bytes()]));
        let id = own.or_else(of_header).unwrap_or_else(|| hashed_id(&[member.as_bytes()]));
        SentEvent { id, body: Cow::Borrowed(member.as_bytes()) }
    };
    // A member that is there twice is one event, as it would be in two requests.
    let mut seen = HashSet::new();
    let events = members.iter().enumerate().map(event);
    events.filter(|event| seen.insert((event.id.clone(), event.body.clone()))).collect()
}

/// The id that `id_pointer` leads to, if it is a text or a number.
fn pointed_id(event: &str, settings: &SourceSettings) -> Option<String> {
    let written = find_value(event, settings.text("id_pointer")?)?;
    let value = serde_json::from_str(written).ok()?;
    let id = json::plain_text(value)?;
    if id.trim().is_empty() { None } else { Some(usable_id(&id)) }
}

/// An id as it is kept: itself, where it is short and can be shown.
fn usable_id(id: &str) -> String {
    let is_short = id.chars().count() <= ID_CHARACTERS_MAX;
    let is_visible = id.bytes().all(|byte| byte.is_ascii_graphic());
    if is_short && is_visible { id.to_owned() } else { hashed_id(&[id.as_bytes()]) }
}
