//! Bodies of webhooks: what is kept, which id an event has, and what the intake policy gets.
//!
//! Not the first version's names (`first_version`). Called by the connector.

use std::borrow::Cow;
use std::collections::BTreeMap;

use accredit_seams::connector::{DecodeError, SentEvent};
use accredit_webhook_checks::{ids, json};
use serde_json::value::RawValue;

use crate::first_version;

/// Values by their keys, as they were written: a number keeps all its digits.
pub(crate) type RawFields<'a> = BTreeMap<String, Cow<'a, RawValue>>;

/// Characters of a part that an id shows; longer parts are only hashed.
const SHOWN_LENGTH_MAX: usize = 40;

/// From here on a number is milliseconds since 1970, below it seconds: these are the year 5138.
const MILLISECONDS_MIN: i64 = 100_000_000_000;

/// The event in a body: the same for each attempt to deliver it.
///
/// The number of the attempt is left out of what is kept: one id with two bodies is a conflict.
pub(crate) fn without_attempt(body: &[u8]) -> SentEvent<'_> {
    let unknown = || SentEvent { id: ids::hashed_id(&[body]), body: Cow::Borrowed(body) };
    // What `payload` refuses is kept as it is: of two equal keys, which one would be left out?
    let Some(mut fields) = json::check_body(body).ok().and_then(read_fields) else {
        return unknown();
    };
    let Some(mut meta) = read_meta(&fields) else { return unknown() };

    fields.remove("retry");
    meta.remove("attempt");
    // When the first version put an event into its queue: an attempt may do that anew.
    meta.remove("prepublish_timestamp");
    let meta_text = to_raw(&meta);
    fields.insert("meta".to_owned(), Cow::Owned(meta_text));
    let kept = to_raw(&fields);
    SentEvent { id: event_id(&meta, kept.get()), body: kept.get().as_bytes().to_vec().into() }
}

/// What is the same for each attempt, and other for every other event.
fn event_id(meta: &RawFields<'_>, kept: &str) -> String {
    let part = |name: &str| meta.get(name).map(|value| plain_text(value)).unwrap_or_default();
    let first_version = first_version::is_meta(meta);
    let entity = part(if first_version { "object" } else { "entity" });
    let entity_id = part(if first_version { "id" } else { "entity_id" });
    let (action, event) =
        (part("action"), part(if first_version { "timestamp_micro" } else { "id" }));

    // Version 2 has an id of the event, the first version microseconds. Without them two changes in
    // one second would be one event, so their content tells them from each other.
    let unclear = event.is_empty() || event == entity_id;
    let content = if unclear { kept } else { "" };
    let (company, webhook, time) = (part("company_id"), part("webhook_id"), part("timestamp"));
    let parts = [&company, &webhook, &entity, &entity_id, &action, &time, &event];
    let mut bytes: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    bytes.push(content.as_bytes());
    let hash = ids::hashed_id(&bytes);

    let shown = [entity, entity_id, action];
    if shown.iter().all(|part| is_shown(part)) {
        format!("{}-{hash}", shown.join("-"))
    } else {
        hash
    }
}

fn is_shown(part: &str) -> bool {
    let plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    plain && !part.is_empty() && part.len() <= SHOWN_LENGTH_MAX
}

/// What the intake policy gets: the body of version 2, whose `meta.timestamp` is a date and time.
///
/// # Errors
/// Why the body is of neither version.
pub(crate) fn payload(text: &str) -> Result<Cow<'_, str>, DecodeError> {
    let refused = |reason: &str| DecodeError(reason.to_owned());
    let mut fields = read_fields(text).ok_or_else(|| refused("the body is no object"))?;
    let mut meta = read_meta(&fields).ok_or_else(|| refused("`meta` is missing or no object"))?;

    let first_version = first_version::is_meta(&meta);
    if first_version {
        first_version::rename(&mut fields, &mut meta);
    } else if !meta.contains_key("entity") {
        return Err(refused("`meta` has neither `entity`, as in version 2, nor `object`"));
    }
    let has = |name: &str| fields.get(name).is_some_and(|value| value.get() != "null");
    if !has("data") && !has("previous") {
        return Err(refused("neither the new state of the record nor the previous one is there"));
    }

    let moment = meta.get("timestamp").and_then(|value| date_and_time(&plain_text(value)));
    if moment.is_none() && !first_version {
        return Ok(Cow::Borrowed(text));
    }
    if let Some(moment) = moment {
        meta.insert("timestamp".to_owned(), Cow::Owned(to_raw(&moment)));
    }
    fields.insert("meta".to_owned(), Cow::Owned(to_raw(&meta)));
    Ok(Cow::Owned(to_raw(&fields).get().to_owned()))
}

/// A number of seconds or milliseconds since 1970 as a date and time in UTC; none for other texts.
fn date_and_time(text: &str) -> Option<String> {
    let number: i64 = text.parse().ok().filter(|number| *number >= 0)?;
    let moment = if number < MILLISECONDS_MIN {
        jiff::Timestamp::from_second(number)
    } else {
        jiff::Timestamp::from_millisecond(number)
    };
    moment.ok().map(|moment| moment.to_string())
}

pub(crate) fn read_fields(text: &str) -> Option<RawFields<'_>> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    Some(fields.into_iter().map(|(name, value)| (name, Cow::Borrowed(value))).collect())
}

fn read_meta<'a>(fields: &RawFields<'a>) -> Option<RawFields<'a>> {
    match fields.get("meta")? {
        Cow::Borrowed(meta) => read_fields(meta.get()),
        Cow::Owned(_) => None,
    }
}

/// The text that a value stands for: `8` and `"8"` are the same id.
fn plain_text(value: &RawValue) -> String {
    match value.get() {
        "null" => String::new(),
        text => serde_json::from_str(text).unwrap_or_else(|_| text.to_owned()),
    }
}

/// A value as it is written.
pub(crate) fn to_raw(value: &(impl serde::Serialize + ?Sized)) -> Box<RawValue> {
    // Texts, and maps with text as keys, can always be written.
    serde_json::value::to_raw_value(value).unwrap_or_default()
}
