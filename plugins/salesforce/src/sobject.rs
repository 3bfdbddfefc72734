//! The record in a notification, as JSON with its fields.
//!
//! Not the message around it (`envelope`). Called by `envelope`.

use std::collections::BTreeMap;

use roxmltree::Node;
use serde::Serialize;

/// The namespace of `nil` and `type`.
pub(crate) const INSTANCE_NAMESPACE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// What a field holds. Numbers and dates stay the text that was sent, with all digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum FieldValue {
    /// A field that is empty in the record.
    Null,
    /// Its text.
    Text(String),
    /// A record or a structure within the record.
    Fields(BTreeMap<String, FieldValue>),
    /// The values of an element that comes several times.
    Several(Vec<FieldValue>),
}

/// The fields of an element by their names, in the order of the names: the same record is the same
/// text.
pub(crate) fn read_fields(element: Node<'_, '_>) -> BTreeMap<String, FieldValue> {
    let mut fields = BTreeMap::new();
    // A session is not kept, wherever a message has it.
    for field in element.children().filter(|child| child.is_element() && !is_session(*child)) {
        let name = field.tag_name().name().to_owned();
        let value = read_value(field);
        match fields.remove(&name) {
            None => fields.insert(name, value),
            Some(FieldValue::Several(mut values)) => {
                values.push(value);
                fields.insert(name, FieldValue::Several(values))
            }
            Some(first) => fields.insert(name, FieldValue::Several(vec![first, value])),
        };
    }
    fields
}

fn read_value(field: Node<'_, '_>) -> FieldValue {
    let nil = field.attribute((INSTANCE_NAMESPACE, "nil"));
    if nil.is_some_and(|nil| nil == "true" || nil == "1") {
        return FieldValue::Null;
    }
    if field.children().any(|child| child.is_element()) {
        return FieldValue::Fields(read_fields(field));
    }
    FieldValue::Text(read_text(field))
}

/// All text of an element: a comment in it does not end it.
pub(crate) fn read_text(element: Node<'_, '_>) -> String {
    element.children().filter(Node::is_text).filter_map(|text| text.text()).collect()
}

/// Whether an element holds the session of the user who caused the message.
pub(crate) fn is_session(element: Node<'_, '_>) -> bool {
    element.tag_name().name() == "SessionId"
}
