//! The notification in the body of a request: whether it is authentic, and an event for each of its
//! records.
//!
//! Not the record: a notification has its id and what changed of it. Called by the connector.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use accredit_seams::connector::{DecodeError, RejectedDelivery, SentEvent};
use accredit_webhook_checks::ids::hashed_id;
use accredit_webhook_checks::json::{self, RawMembers, member_text};
use accredit_webhook_checks::secret::matching_secret;

/// Members that are not kept: the secret, and what follows `?` in the URL, which may hold another one.
const LEFT_OUT: [&str; 2] = ["token", "query_params"];

/// The record of a payload where none was read.
const NO_OBJECT: &str = "null";

/// Members that are of one record each.
const OF_RECORDS: [&str; 3] = ["ids", "affected_values", "affected_fields"];

/// Records that one notification may name; Zoho changes at most a few hundred at once.
const RECORDS_MAX: usize = 10_000;

/// Bytes that the events of one notification may have in all: each of them repeats the rest of it.
const KEPT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Which of the secrets the token of a notification is, if its channel is one of `channels`.
///
/// An empty list of channels is all of them.
pub(crate) fn verify_token(
    body: &[u8],
    channels: &[String],
    secrets: &[&str],
) -> Result<usize, RejectedDelivery> {
    let text = json::check_body(body).map_err(|_| RejectedDelivery("the body is not readable"))?;
    let members = json::object_members(text);
    let members = members.ok_or(RejectedDelivery("the body is not a notification"))?;

    let token = members.get("token").filter(|value| value.get().starts_with('"'));
    let token = token.and_then(|value| json::plain_text(value));
    let token = token.ok_or(RejectedDelivery("the token is missing or not text"))?;
    let matched = matching_secret(token.as_bytes(), secrets)?;

    let channel = member_text(&members, "channel_id");
    if !channels.is_empty() && !channel.is_some_and(|channel| channels.contains(&channel)) {
        return Err(RejectedDelivery("the channel is not one of `channels`"));
    }
    Ok(matched)
}

/// An event for each record of a notification; one for all of it where it has no known shape.
pub(crate) fn split_notification(body: &[u8]) -> Vec<SentEvent<'_>> {
    let members = json::check_body(body).ok().and_then(json::object_members);
    let Some(mut members) = members else {
        // Nothing without a token is authentic, so there is none to leave out.
        return vec![SentEvent { id: hashed_id(&[body]), body: Cow::Borrowed(body) }];
    };
    for key in LEFT_OUT {
        members.remove(key);
    }

    record_events(&members).unwrap_or_else(|| {
        let kept = object_text(&members, &[]);
        vec![SentEvent { id: hashed_id(&[kept.as_bytes()]), body: kept.into_bytes().into() }]
    })
}

/// The events of a notification; none where it does not say its records.
fn record_events<'b>(members: &RawMembers<'_>) -> Option<Vec<SentEvent<'b>>> {
    let records = named_records(members)?;
    let mut shared = members.clone();
    for key in OF_RECORDS {
        shared.remove(key);
    }

    let shared_bytes: usize = shared.iter().map(|(key, value)| key.len() + value.get().len()).sum();
    let is_too_much = shared_bytes.saturating_mul(records.len()) > KEPT_BYTES_MAX;
    if is_too_much || records.len() > RECORDS_MAX {
        return None;
    }

    let (values, fields) = (changed_values(members), changed_fields(members));
    let list = |items: Option<&Vec<String>>| {
        format!("[{}]", items.map(|items| items.join(",")).unwrap_or_default())
    };
    // A time that is missing is written as null, for the same reason as the members of a payload.
    let time = members.get("server_time").map_or("null", |time| time.get());
    let event = |record: &String| {
        let own = [
            ("server_time", time.to_owned()),
            ("ids", format!("[{}]", json_text(record))),
            ("affected_values", list(values.get(record))),
            ("affected_fields", list(fields.get(record))),
        ];
        let kept = object_text(&shared, &own);
        SentEvent { id: event_id(members, record, &kept), body: kept.into_bytes().into() }
    };
    Some(records.iter().map(event).collect())
}

/// The records of a notification in its order, each once; none where it does not say them.
fn named_records(members: &RawMembers<'_>) -> Option<Vec<String>> {
    let ids = json::array_items(members.get("ids")?.get())?;
    let mut seen = BTreeSet::new();
    let mut records = Vec::new();
    for id in ids {
        let record = json::plain_text(id)?.into_owned();
        if seen.insert(record.clone()) {
            records.push(record);
        }
    }
    Some(records).filter(|records| !records.is_empty())
}

/// The id of the event of a record. Without a time, only what is kept tells two changes apart.
fn event_id(members: &RawMembers<'_>, record: &str, kept: &str) -> String {
    let text = |key: &str| member_text(members, key).unwrap_or_default();
    let (channel, module, operation) = (text("channel_id"), text("module"), text("operation"));
    let time = member_text(members, "server_time").unwrap_or_else(|| kept.to_owned());
    hashed_id(&[
        channel.as_bytes(),
        module.as_bytes(),
        operation.as_bytes(),
        record.as_bytes(),
        time.as_bytes(),
    ])
}

/// The items of `affected_values` by their record.
fn changed_values(members: &RawMembers<'_>) -> BTreeMap<String, Vec<String>> {
    let mut changed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for item in member_items(members, "affected_values") {
        let record = json::object_members(&item).and_then(|item| member_text(&item, "record_id"));
        if let Some(record) = record {
            changed.entry(record).or_default().push(item);
        }
    }
    changed
}

/// The items of `affected_fields` by their record, which is the key in them.
fn changed_fields(members: &RawMembers<'_>) -> BTreeMap<String, Vec<String>> {
    let mut changed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for item in member_items(members, "affected_fields") {
        for (record, fields) in json::object_members(&item).unwrap_or_default() {
            let own = format!("{{{}:{}}}", json_text(&record), fields.get());
            changed.entry(record).or_default().push(own);
        }
    }
    changed
}

/// The items of a member that is an array, each as it was written.
fn member_items(members: &RawMembers<'_>, key: &str) -> Vec<String> {
    let items = members.get(key).and_then(|value| json::array_items(value.get()));
    items.unwrap_or_default().iter().map(|item| item.get().to_owned()).collect()
}

/// An object of `members` and of `own` ones, in the order of their keys.
fn object_text(members: &RawMembers<'_>, own: &[(&str, String)]) -> String {
    let mut all: BTreeMap<&str, &str> = BTreeMap::new();
    all.extend(members.iter().map(|(key, value)| (key.as_str(), value.get())));
    all.extend(own.iter().map(|(key, value)| (*key, value.as_str())));

    let mut text = "{".to_owned();
    for (key, value) in all {
        let comma = if text.len() > 1 { "," } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma}{}:{value}", json_text(key));
    }
    text.push('}');
    text
}

/// A text as JSON.
fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The kept body of an event as a payload, `{"event": {…}, "object": …}`. Both members are always there,
/// so a policy need not ask for them: to ask that of a large value takes more than a policy may use.
pub(crate) fn checked_payload(body: &[u8]) -> Result<Cow<'_, str>, DecodeError> {
    let text = json::check_body(body)?;
    let is_payload =
        json::object_members(text).is_some_and(|members| members.contains_key("object"));
    let payload =
        if is_payload { Cow::Borrowed(text) } else { payload_text(text, NO_OBJECT).into() };
    SingleRecord::read(&payload)?;
    Ok(payload)
}

/// A payload of a notification and the record it is of.
pub(crate) fn payload_text(event: &str, object: &str) -> String {
    format!(r#"{{"event":{event},"object":{object}}}"#)
}

/// What a payload says of its one record.
pub(crate) struct SingleRecord<'p> {
    /// The notification as it was written.
    pub(crate) written: &'p str,
    pub(crate) module: String,
    pub(crate) operation: String,
    pub(crate) id: String,
    /// Whether the record itself is there.
    pub(crate) is_complete: bool,
}

impl<'p> SingleRecord<'p> {
    /// Reads the payload of one event.
    pub(crate) fn read(payload: &'p str) -> Result<Self, DecodeError> {
        let missing = |what: &str| DecodeError(format!("a notification without {what}"));
        let payload = json::object_members(payload).ok_or_else(|| missing("members"))?;
        let written = payload.get("event").ok_or_else(|| missing("members"))?.get();
        let event = json::object_members(written).ok_or_else(|| missing("members"))?;

        let text = |key: &str| member_text(&event, key).filter(|text| !text.is_empty());
        let ids = event.get("ids").and_then(|ids| json::array_items(ids.get()));
        let id = match ids.as_deref() {
            Some([id]) => json::plain_text(id).map(Cow::into_owned).filter(|id| !id.is_empty()),
            _ => None,
        };
        Ok(SingleRecord {
            written,
            module: text("module").ok_or_else(|| missing("`module`"))?,
            operation: text("operation").ok_or_else(|| missing("`operation`"))?,
            id: id.ok_or_else(|| missing("one id in `ids`"))?,
            is_complete: payload.get("object").is_some_and(|object| object.get() != NO_OBJECT),
        })
    }
}
