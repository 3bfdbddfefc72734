//! Functions on text. Positions and lengths count characters, not bytes.
//!
//! Not names of recipients, whose grammar the pipeline reads. Called by scripts.
//!
//! **Architecture invariant:** no function here allocates more than [`STRING_BYTES_MAX`] times a
//! small factor: what may grow is measured first.

use super::signature::{call, named, of};
use super::{ScriptFunction, refuse_arguments};
use crate::kind::ValueKind;
use crate::sandbox::STRING_BYTES_MAX;
use crate::value::{Outcome, ScriptValue, raise};

pub(super) const FUNCTIONS: &[ScriptFunction] = &[
    ScriptFunction {
        name: "starts_with",
        signatures: &[call(
            &[of(ValueKind::Text), named("beginning", ValueKind::Text)],
            ValueKind::Bool,
        )],
        page: "Whether a text begins with another; case counts.",
        arities: &[2],
        call: |values| match values {
            [ScriptValue::Text(text), ScriptValue::Text(part)] => {
                Ok(text.starts_with(&**part).into())
            }
            _ => refuse_arguments("starts_with", values),
        },
    },
    ScriptFunction {
        name: "ends_with",
        signatures: &[call(&[of(ValueKind::Text), named("end", ValueKind::Text)], ValueKind::Bool)],
        page: "Whether a text ends with another; case counts.",
        arities: &[2],
        call: |values| match values {
            [ScriptValue::Text(text), ScriptValue::Text(part)] => {
                Ok(text.ends_with(&**part).into())
            }
            _ => refuse_arguments("ends_with", values),
        },
    },
    ScriptFunction {
        name: "to_lower",
        signatures: &[call(&[of(ValueKind::Text)], ValueKind::Text)],
        page: "The text in small letters.",
        arities: &[1],
        call: |values| match values {
            [ScriptValue::Text(text)] => Ok(text.to_lowercase().into()),
            _ => refuse_arguments("to_lower", values),
        },
    },
    ScriptFunction {
        name: "to_upper",
        signatures: &[call(&[of(ValueKind::Text)], ValueKind::Text)],
        page: "The text in capital letters.",
        arities: &[1],
        call: |values| match values {
            [ScriptValue::Text(text)] => Ok(text.to_uppercase().into()),
            _ => refuse_arguments("to_upper", values),
        },
    },
    ScriptFunction {
        name: "trim",
        signatures: &[call(&[of(ValueKind::Text)], ValueKind::Text)],
        page: "The text without white space at its ends; the text itself stays as it is.",
        arities: &[1],
        call: |values| match values {
            [ScriptValue::Text(text)] => Ok(text.trim().into()),
            _ => refuse_arguments("trim", values),
        },
    },
    ScriptFunction {
        name: "sub_string",
        signatures: &[
            call(&[of(ValueKind::Text), named("start", ValueKind::Number)], ValueKind::Text),
            call(
                &[
                    of(ValueKind::Text),
                    named("start", ValueKind::Number),
                    named("length", ValueKind::Number),
                ],
                ValueKind::Text,
            ),
        ],
        page: "A part of a text, from a position counted from 0; beyond the end it is blank.",
        arities: &[2, 3],
        call: |values| match values {
            [ScriptValue::Text(text), ScriptValue::Whole(start)] => {
                sub_string(text, *start, i64::MAX)
            }
            [ScriptValue::Text(text), ScriptValue::Whole(start), ScriptValue::Whole(length)] => {
                sub_string(text, *start, *length)
            }
            _ => refuse_arguments("sub_string", values),
        },
    },
    ScriptFunction {
        name: "split",
        signatures: &[call(
            &[of(ValueKind::Text), named("separator", ValueKind::Text)],
            ValueKind::Array,
        )],
        page: "The parts of a text between separators, as an array.",
        arities: &[2],
        call: |values| match values {
            [ScriptValue::Text(text), ScriptValue::Text(separator)] => split(text, separator),
            _ => refuse_arguments("split", values),
        },
    },
    ScriptFunction {
        name: "replace",
        signatures: &[call(
            &[of(ValueKind::Text), named("part", ValueKind::Text), named("by", ValueKind::Text)],
            ValueKind::Text,
        )],
        page: "The text with every occurrence of a part replaced; the text itself stays as it is.",
        arities: &[3],
        call: |values| match values {
            [ScriptValue::Text(text), ScriptValue::Text(part), ScriptValue::Text(by)] => {
                replace(text, part, by)
            }
            _ => refuse_arguments("replace", values),
        },
    },
    ScriptFunction {
        name: "to_text",
        signatures: &[call(&[named("any", ValueKind::Any)], ValueKind::Text)],
        page: "A number, date, bool or text as text.",
        arities: &[1],
        call: |values| match values {
            [value] => to_text(value),
            _ => refuse_arguments("to_text", values),
        },
    },
    ScriptFunction {
        name: "to_string",
        signatures: &[call(&[named("any", ValueKind::Any)], ValueKind::Text)],
        page: "The same as to_text; what `${…}` in a text calls.",
        arities: &[1],
        call: |values| match values {
            [value] => to_text(value),
            _ => refuse_arguments("to_string", values),
        },
    },
];

fn to_text(value: &ScriptValue) -> Outcome {
    match value.to_text() {
        Some(text) => Ok(ScriptValue::Text(text)),
        None => raise(format!("{} has no text", value.kind_word())),
    }
}

fn sub_string(text: &str, start: i64, length: i64) -> Outcome {
    match (usize::try_from(start), usize::try_from(length)) {
        (Ok(start), Ok(length)) => {
            Ok(text.chars().skip(start).take(length).collect::<String>().into())
        }
        _ => raise("start and length must not be negative"),
    }
}

fn split(text: &str, separator: &str) -> Outcome {
    if separator.is_empty() {
        return raise("the separator must not be blank");
    }
    Ok(ScriptValue::Array(text.split(separator).map(ScriptValue::from).collect()))
}

fn replace(text: &str, part: &str, by: &str) -> Outcome {
    if part.is_empty() {
        return raise("the part to replace must not be blank");
    }
    let growth = text.matches(part).count() * by.len();
    if text.len() + growth > STRING_BYTES_MAX + text.len().min(STRING_BYTES_MAX) {
        return raise(format!("a text may have {STRING_BYTES_MAX} bytes (STRING_BYTES_MAX)"));
    }
    Ok(text.replace(part, by).into())
}
