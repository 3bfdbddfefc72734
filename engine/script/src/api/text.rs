//! Functions on text. Positions and lengths count characters, not bytes.
//!
//! Not names of recipients, whose grammar the pipeline reads. Called by scripts.
//!
//! **Architecture invariant:** no function here allocates more than [`STRING_BYTES_MAX`] times a
//! small factor: what may grow is measured first.

use rhai::{Array, Dynamic, Engine, INT, ImmutableString};

use super::ScriptFunction;
use super::signature::{call, named, of};
use crate::kind::ValueKind;
use crate::sandbox::STRING_BYTES_MAX;
use crate::value::{self, Outcome, raise};

pub(super) const FUNCTIONS: &[ScriptFunction] = &[
    ScriptFunction {
        name: "starts_with",
        signatures: &[call(
            &[of(ValueKind::Text), named("beginning", ValueKind::Text)],
            ValueKind::Bool,
        )],
        page: "Whether a text begins with another; case counts.",
        arities: &[2],
        register: |engine| {
            engine.register_fn("starts_with", |text: &str, part: &str| text.starts_with(part));
        },
    },
    ScriptFunction {
        name: "ends_with",
        signatures: &[call(&[of(ValueKind::Text), named("end", ValueKind::Text)], ValueKind::Bool)],
        page: "Whether a text ends with another; case counts.",
        arities: &[2],
        register: |engine| {
            engine.register_fn("ends_with", |text: &str, part: &str| text.ends_with(part));
        },
    },
    ScriptFunction {
        name: "to_lower",
        signatures: &[call(&[of(ValueKind::Text)], ValueKind::Text)],
        page: "The text in small letters.",
        arities: &[1],
        register: |engine| {
            engine.register_fn("to_lower", |text: &str| text.to_lowercase());
        },
    },
    ScriptFunction {
        name: "to_upper",
        signatures: &[call(&[of(ValueKind::Text)], ValueKind::Text)],
        page: "The text in capital letters.",
        arities: &[1],
        register: |engine| {
            engine.register_fn("to_upper", |text: &str| text.to_uppercase());
        },
    },
    ScriptFunction {
        name: "trim",
        signatures: &[call(&[of(ValueKind::Text)], ValueKind::Text)],
        page: "The text without white space at its ends; the text itself stays as it is.",
        arities: &[1],
        register: |engine| {
            engine.register_fn("trim", |text: &str| text.trim().to_owned());
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
        register: register_sub_string,
    },
    ScriptFunction {
        name: "split",
        signatures: &[call(
            &[of(ValueKind::Text), named("separator", ValueKind::Text)],
            ValueKind::Array,
        )],
        page: "The parts of a text between separators, as an array.",
        arities: &[2],
        register: |engine| {
            engine.register_fn("split", split);
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
        register: |engine| {
            engine.register_fn("replace", replace);
        },
    },
    ScriptFunction {
        name: "to_text",
        signatures: &[call(&[named("any", ValueKind::Any)], ValueKind::Text)],
        page: "A number, date, bool or text as text.",
        arities: &[1],
        register: |engine| {
            engine.register_fn("to_text", to_text);
        },
    },
    ScriptFunction {
        name: "to_string",
        signatures: &[call(&[named("any", ValueKind::Any)], ValueKind::Text)],
        page: "The same as to_text; what `${…}` in a text calls.",
        arities: &[1],
        register: |engine| {
            engine.register_fn("to_string", to_text);
        },
    },
];

fn to_text(value: Dynamic) -> Outcome<ImmutableString> {
    match value::to_text(&value) {
        Some(text) => Ok(text),
        None => raise(format!("{} has no text", value::kind_word(&value))),
    }
}

fn register_sub_string(engine: &mut Engine) {
    engine.register_fn("sub_string", |text: &str, start: INT| -> Outcome<String> {
        sub_string(text, start, INT::MAX)
    });
    engine.register_fn("sub_string", sub_string);
}

fn sub_string(text: &str, start: INT, length: INT) -> Outcome<String> {
    match (usize::try_from(start), usize::try_from(length)) {
        (Ok(start), Ok(length)) => Ok(text.chars().skip(start).take(length).collect()),
        _ => raise("start and length must not be negative"),
    }
}

fn split(text: &str, separator: &str) -> Outcome<Array> {
    if separator.is_empty() {
        return raise("the separator must not be blank");
    }
    Ok(text.split(separator).map(|part| Dynamic::from(part.to_owned())).collect())
}

fn replace(text: &str, part: &str, by: &str) -> Outcome<String> {
    if part.is_empty() {
        return raise("the part to replace must not be blank");
    }
    let growth = text.matches(part).count() * by.len();
    if text.len() + growth > STRING_BYTES_MAX + text.len().min(STRING_BYTES_MAX) {
        return raise(format!("a text may have {STRING_BYTES_MAX} bytes (STRING_BYTES_MAX)"));
    }
    Ok(text.replace(part, by))
}
