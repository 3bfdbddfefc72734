//! Webhooks of version 1 under the names of version 2, so that one intake policy reads both.
//!
//! Not what is kept: that stays as it was sent. Called by `event`.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::event::{RawFields, read_fields, to_raw};

/// Actions of version 1 and what version 2 calls them. The record that others were merged into has
/// changed; of those that are gone, each is deleted.
const ACTIONS: [(&str, &str); 4] =
    [("added", "create"), ("updated", "change"), ("merged", "change"), ("deleted", "delete")];

/// Whether a meta block is one of version 1, which calls the kind of a record `object`.
pub(crate) fn is_meta(meta: &RawFields<'_>) -> bool {
    meta.contains_key("object") && !meta.contains_key("entity")
}

/// Gives the fields and the meta block of version 1 the names of version 2.
pub(crate) fn rename(fields: &mut RawFields<'_>, meta: &mut RawFields<'_>) {
    if let Some(current) = fields.remove("current") {
        fields.insert("data".to_owned(), current);
    }
    for state in ["data", "previous"] {
        if let Some(record) = fields.get_mut(state)
            && let Some(dated) = with_offsets(record)
        {
            *record = Cow::Owned(dated);
        }
    }

    let entity = meta.remove("object");
    let entity_id = meta.remove("id");
    for (name, value) in [("entity", entity), ("entity_id", entity_id)] {
        if let Some(value) = value {
            meta.insert(name.to_owned(), value);
        }
    }
    let action = meta.get("action").and_then(|action| serde_json::from_str(action.get()).ok());
    let action = action.and_then(|sent: Cow<'_, str>| ACTIONS.iter().find(|(old, _)| *old == sent));
    if let Some((_, action)) = action {
        meta.insert("action".to_owned(), Cow::Owned(to_raw(action)));
    }
    meta.insert("version".to_owned(), Cow::Owned(to_raw("1.0")));
}

/// A record with the times that version 1 writes without an offset, `2025-02-17 21:22:41`, in UTC;
/// none where it is no record.
fn with_offsets(record: &RawValue) -> Option<Box<RawValue>> {
    let mut fields = read_fields(record.get())?;
    for (_, value) in fields.iter_mut().filter(|(name, _)| name.ends_with("_time")) {
        if let Some(dated) = with_offset(value) {
            *value = Cow::Owned(dated);
        }
    }
    Some(to_raw(&fields))
}

fn with_offset(value: &RawValue) -> Option<Box<RawValue>> {
    let text: Cow<'_, str> = serde_json::from_str(value.get()).ok()?;
    let (day, time) = text.split_once(' ')?;
    let digits_only = |text: &str, between: char| {
        text.chars().all(|character| character.is_ascii_digit() || character == between)
    };
    let shaped = day.len() == 10 && time.len() == 8;
    (shaped && digits_only(day, '-') && digits_only(time, ':'))
        .then(|| to_raw(&format!("{day}T{time}Z")))
}
