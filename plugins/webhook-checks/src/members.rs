//! The members of a JSON object as they are written, so that one can be read or left out and the
//! rest keeps its digits.
//!
//! Not a check of the whole text (`json`): a key that comes twice is kept twice, and what is deeper is
//! not looked at. Called by connectors whose events hold something that changes between attempts.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object in their order.
#[derive(Debug)]
pub struct JsonMembers<'b>(Vec<(Cow<'b, str>, &'b RawValue)>);

impl<'b> JsonMembers<'b> {
    /// The members of the object that `text` is; none where it is not one.
    pub fn read(text: &'b str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The value of the first member of this name, as it is written.
    pub fn raw(&self, name: &str) -> Option<&'b str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.get())
    }

    /// The value of the first member of this name where it is a text, without its escapes.
    pub fn text(&self, name: &str) -> Option<Cow<'b, str>> {
        let PlainText(text) = serde_json::from_str(self.raw(name)?).ok()?;
        Some(text)
    }

    /// The digits of the first member of this name where it is a whole number, in quotes or not.
    pub fn digits(&self, name: &str) -> Option<&'b str> {
        let raw = self.raw(name)?;
        let bare = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(raw);
        let whole = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit());
        whole.then_some(bare)
    }

    /// The object without the members of this name, without white space between the others.
    pub fn without(&self, name: &str) -> String {
        let mut text = String::from("{");
        for (key, value) in self.0.iter().filter(|(key, _)| key != name) {
            if text.len() > 1 {
                text.push(',');
            }
            // Only the key was decoded; a text always has a form as JSON.
            text.push_str(&serde_json::Value::from(key.as_ref()).to_string());
            text.push(':');
            text.push_str(value.get());
        }
        text.push('}');
        text
    }
}

/// A text, borrowed where nothing in it is escaped.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct PlainText<'b>(#[serde(borrow)] Cow<'b, str>);

impl<'de> Deserialize<'de> for JsonMembers<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

/// Reads an object member by member.
struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = JsonMembers<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(PlainText(key)) = map.next_key()? {
            members.push((key, map.next_value()?));
        }
        Ok(JsonMembers(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_as_they_are_written() {
        let text = r#"{ "n": 1.50, "a\u0062": "\u0063\"", "id": "42", "deep": { "n" : 1e400 } }"#;
        let members = JsonMembers::read(text).unwrap();
        assert_eq!(
            (members.raw("n"), members.raw("deep")),
            (Some("1.50"), Some("{ \"n\" : 1e400 }"))
        );
        assert_eq!(members.text("ab").as_deref(), Some("c\""));
        assert_eq!((members.text("n"), members.text("missing")), (None, None));
        assert_eq!((members.digits("id"), members.digits("n")), (Some("42"), None));
    }

    #[test]
    fn one_member_can_be_left_out() {
        for (text, rest) in [
            (r#"{"a": 1.0, "x": 2, "b": "\u0061"}"#, r#"{"a":1.0,"b":"\u0061"}"#),
            (r#"{"x": 2}"#, "{}"),
            (r#"{"\u0078": 2, "a": 1, "a": 2}"#, r#"{"a":1,"a":2}"#),
            (r#"{"q\"": {"x": 1}}"#, r#"{"q\"":{"x": 1}}"#),
        ] {
            assert_eq!(JsonMembers::read(text).unwrap().without("x"), rest);
        }
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        for text in ["", "[]", "1", "null", "{", "{}x", "\"{}\""] {
            assert!(JsonMembers::read(text).is_none(), "{text}");
        }
        // Nesting is passed over without recursion, however deep it is.
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(JsonMembers::read(&deep).is_some());
    }
}
