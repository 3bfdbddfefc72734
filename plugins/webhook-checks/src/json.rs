//! Bodies: JSON in which no key comes twice.
//!
//! Not mapping to transactions (the intake policy's work). Called by connectors. A key that comes
//! twice is refused: two readers would disagree about which value counts.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use accredit_seams::connector::DecodeError;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The body as the text of one JSON value.
///
/// # Errors
/// When it is no JSON, when a key comes twice, or when it is nested too deeply.
pub fn check_body(body: &[u8]) -> Result<&str, DecodeError> {
    let refused = |cause: &dyn fmt::Display| DecodeError(format!("not readable JSON: {cause}"));
    // Windows puts a mark before text; the signature is of the body with it.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    serde_json::from_slice::<UniqueKeys>(body).map_err(|error| refused(&error))?;
    std::str::from_utf8(body).map_err(|error| refused(&error))
}

/// The members of an object by their keys, each as it was written.
pub type RawMembers<'b> = BTreeMap<String, &'b RawValue>;

/// The members of a checked text that is an object; none where it is anything else.
pub fn object_members(text: &str) -> Option<RawMembers<'_>> {
    serde_json::from_str(text).ok()
}

/// The items of a checked text that is an array; none where it is anything else.
pub fn array_items(text: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(text).ok()
}

/// A member that is a text or a number, as [`plain_text`] has it.
pub fn member_text(members: &RawMembers<'_>, key: &str) -> Option<String> {
    members.get(key).and_then(|value| plain_text(value)).map(Cow::into_owned)
}

/// A text or a number as text, digits as they were written; none for any other value. Senders write
/// ids in both ways.
pub fn plain_text(value: &RawValue) -> Option<Cow<'_, str>> {
    let written = value.get();
    match written.as_bytes().first()? {
        b'"' => serde_json::from_str::<String>(written).ok().map(Cow::Owned),
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(written)),
        _ => None,
    }
}

/// A key, borrowed from the body where nothing in it is escaped.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct MapKey<'b>(#[serde(borrow)] Cow<'b, str>);

/// Keys of a map that are compared one by one; more of them are hashed.
const COMPARED_KEYS_MAX: usize = 16;

/// The keys of a map so far.
#[derive(Default)]
struct MapKeys<'b> {
    few: Vec<Cow<'b, str>>,
    many: HashSet<Cow<'b, str>>,
}

impl<'b> MapKeys<'b> {
    /// Adds a key; one that is there comes back.
    fn add(&mut self, key: Cow<'b, str>) -> Result<(), Cow<'b, str>> {
        if self.many.is_empty() && self.few.len() < COMPARED_KEYS_MAX {
            if self.few.contains(&key) {
                return Err(key);
            }
            self.few.push(key);
            return Ok(());
        }

        self.many.extend(self.few.drain(..));
        self.many.replace(key).map_or(Ok(()), Err)
    }
}

/// Reads any JSON and keeps nothing of it.
struct UniqueKeys;

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueKeys)
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = UniqueKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut keys = MapKeys::default();
        while let Some(key) = map.next_key::<MapKey<'de>>()? {
            // A number is a map of one private key under `arbitrary_precision`; its value is text.
            map.next_value::<UniqueKeys>()?;
            keys.add(key.0)
                .map_err(|twice| A::Error::custom(format!("duplicate key `{twice}`")))?;
        }
        Ok(UniqueKeys)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<UniqueKeys>()?.is_some() {}
        Ok(UniqueKeys)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self, E> {
        Ok(UniqueKeys)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self, E> {
        Ok(UniqueKeys)
    }

    fn visit_unit<E: Error>(self) -> Result<Self, E> {
        Ok(UniqueKeys)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self, E> {
        Ok(UniqueKeys)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self, E> {
        Ok(UniqueKeys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_were_written() {
        let text = r#"{"a": 1.50, "b\u0062": "x\"y", "c": [1, {"d": null}], "e": -1e400}"#;
        let members = object_members(text).unwrap();
        let plain = |key: &str| plain_text(members[key]).map(Cow::into_owned);
        assert_eq!(plain("a").as_deref(), Some("1.50"));
        assert_eq!(plain("bb").as_deref(), Some("x\"y"));
        assert_eq!(plain("e").as_deref(), Some("-1e400"));
        assert_eq!((plain("c"), member_text(&members, "z")), (None, None));
        assert_eq!(member_text(&members, "a").as_deref(), Some("1.50"));

        let items = array_items(members["c"].get()).unwrap();
        assert_eq!(
            items.iter().map(|item| item.get()).collect::<Vec<_>>(),
            ["1", r#"{"d": null}"#]
        );
        assert!(object_members("[]").is_none() && array_items("{}").is_none());
    }
}
