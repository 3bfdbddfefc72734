//! What `[sources.<source>]` says to this connector: how a sender proves itself, and where its events
//! and their ids are.

use accredit_seams::connector::{SettingError, SettingKey, SettingKind, SourceSettings};
use accredit_webhook_checks::settings::{choice, header_name};
use accredit_webhook_checks::signature::SignatureText;

use crate::pointer;

/// Settings that say something of a signature, and nothing without one.
const OF_SIGNATURES: [&str; 3] = ["encoding", "prefix", "timestamp_header"];

pub(crate) const KEYS: &[SettingKey] = &[
    SettingKey {
        name: "auth",
        kind: SettingKind::Text,
        meaning: "how the sender proves itself: `bearer`, `hmac`, `basic` or `header`",
    },
    SettingKey {
        name: "header",
        kind: SettingKind::Text,
        meaning: "the header of the signature with `auth = \"hmac\"`, of the secret with \
                  `auth = \"header\"`",
    },
    SettingKey {
        name: "encoding",
        kind: SettingKind::Text,
        meaning: "how a signature is written: `hex`, or `base64`",
    },
    SettingKey {
        name: "prefix",
        kind: SettingKind::Text,
        meaning: "the text before a signature in its header, such as `sha256=`",
    },
    SettingKey {
        name: "timestamp_header",
        kind: SettingKind::Text,
        meaning: "the header of the seconds since 1970 that are signed before the body, with a dot \
                  between them",
    },
    SettingKey {
        name: "id_header",
        kind: SettingKind::Text,
        meaning: "the header that has the id of an event",
    },
    SettingKey {
        name: "id_pointer",
        kind: SettingKind::Text,
        meaning: "where the id of an event is in it, a JSON pointer such as `/meta/id`",
    },
    SettingKey {
        name: "list_pointer",
        kind: SettingKind::Text,
        meaning: "where the list of events is in a body, a JSON pointer such as `/events`; an empty \
                  one where the body is the list",
    },
];

/// How a sender proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof<'a> {
    /// `Authorization: Bearer SECRET`.
    Bearer,
    /// `Authorization: Basic`, with `user:password`.
    Basic,
    /// The secret in a header of this name.
    Header(&'a str),
    /// A signature of the body.
    Signature(SignatureScheme<'a>),
}

/// How a signature is made and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SignatureScheme<'a> {
    pub(crate) header: &'a str,
    pub(crate) encoding: SignatureText,
    pub(crate) prefix: &'a str,
    pub(crate) timestamp_header: Option<&'a str>,
}

/// How a sender proves itself.
///
/// # Errors
/// Which setting is missing or wrong.
pub(crate) fn read_proof(settings: &SourceSettings) -> Result<Proof<'_>, SettingError> {
    let ways = ["bearer", "hmac", "basic", "header"];
    let auth = choice(settings, "auth", &ways)?.ok_or_else(|| SettingError {
        key: None,
        message: "`auth` is missing".to_owned(),
        help: format!("write how the sender proves itself, one of: {}", ways.join(", ")),
    })?;
    let header = header_name(settings, "header")?;
    let missing = |what: &str, example: &str| SettingError {
        key: None,
        message: format!("`auth = \"{auth}\"` needs `header`"),
        help: format!("write the name of the header of the {what}, such as header = \"{example}\""),
    };

    match auth {
        "hmac" => Ok(Proof::Signature(SignatureScheme {
            header: header.ok_or_else(|| missing("signature", "X-Hub-Signature-256"))?,
            encoding: match choice(settings, "encoding", &["hex", "base64"])? {
                Some("base64") => SignatureText::Base64,
                _ => SignatureText::Hex,
            },
            prefix: settings.text("prefix").unwrap_or_default(),
            timestamp_header: header_name(settings, "timestamp_header")?,
        })),
        "header" => header.map(Proof::Header).ok_or_else(|| missing("secret", "X-Webhook-Secret")),
        "basic" => Ok(Proof::Basic),
        _ => Ok(Proof::Bearer),
    }
}

pub(crate) fn check_settings(settings: &SourceSettings) -> Result<(), SettingError> {
    let proof = read_proof(settings)?;
    check_unread(settings, proof)?;
    if let Proof::Signature(scheme) = proof {
        check_scheme(scheme)?;
    }
    check_id_header(settings, proof)?;

    for key in ["id_pointer", "list_pointer"] {
        let is_pointer = settings.text(key).is_none_or(|text| pointer::steps(text).is_some());
        if !is_pointer {
            return Err(wrong(
                key,
                "is not a JSON pointer",
                "write a slash before each key, such as \"/data/id\"; ~1 is a slash in a key, ~0 a ~",
            ));
        }
    }
    Ok(())
}

fn wrong(key: &'static str, what: &str, help: &str) -> SettingError {
    SettingError { key: Some(key), message: format!("`{key}` {what}"), help: help.to_owned() }
}

/// A setting that this way of proving does not read would be believed to protect something.
fn check_unread(settings: &SourceSettings, proof: Proof<'_>) -> Result<(), SettingError> {
    let is_set = |key: &str| settings.values.contains_key(key);
    if matches!(proof, Proof::Bearer | Proof::Basic) && is_set("header") {
        return Err(wrong(
            "header",
            "is not read: the secret is in the header `Authorization`",
            "leave `header` out, or write auth = \"header\" or \"hmac\"",
        ));
    }
    let is_signed = matches!(proof, Proof::Signature(_));
    match OF_SIGNATURES.into_iter().find(|key| is_set(key) && !is_signed) {
        Some(key) => Err(wrong(
            key,
            "is read only with signatures",
            "leave it out, or write auth = \"hmac\"",
        )),
        None => Ok(()),
    }
}

fn check_scheme(scheme: SignatureScheme<'_>) -> Result<(), SettingError> {
    let is_visible = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if !scheme.prefix.bytes().all(is_visible) {
        return Err(wrong(
            "prefix",
            "has characters that a header cannot have",
            "write the text before the signature, such as \"sha256=\"",
        ));
    }
    let timestamp = scheme.timestamp_header;
    if timestamp.is_some_and(|name| name.eq_ignore_ascii_case(scheme.header)) {
        return Err(wrong(
            "timestamp_header",
            "is the header of the signature",
            "write the name of the header that has the seconds alone",
        ));
    }
    Ok(())
}

/// The id of an event is kept and shown: it must not be what proves the sender.
fn check_id_header(settings: &SourceSettings, proof: Proof<'_>) -> Result<(), SettingError> {
    let Some(id_header) = header_name(settings, "id_header")? else { return Ok(()) };
    if settings.text("id_pointer").is_some() {
        return Err(wrong(
            "id_header",
            "stands beside `id_pointer`",
            "an id is in one place: leave one of them out",
        ));
    }

    let is_secret = match proof {
        Proof::Bearer | Proof::Basic => id_header.eq_ignore_ascii_case("authorization"),
        Proof::Header(name) => id_header.eq_ignore_ascii_case(name),
        Proof::Signature(scheme) => id_header.eq_ignore_ascii_case(scheme.header),
    };
    if is_secret {
        return Err(wrong(
            "id_header",
            "is the header that proves the sender",
            "write the header of the id, such as \"X-Request-Id\"",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use accredit_seams::connector::SettingValue;

    use super::*;

    fn check(values: &[(&str, &str)]) -> Result<(), SettingError> {
        let values = values.iter().map(|(key, text)| {
            assert!(KEYS.iter().any(|known| known.name == *key), "{key}");
            ((*key).to_owned(), SettingValue::Text((*text).to_owned()))
        });
        check_settings(&SourceSettings { url: None, values: values.collect() })
    }

    const SIGNED: [(&str, &str); 2] = [("auth", "hmac"), ("header", "X-Hub-Signature-256")];

    #[test]
    fn settings_that_work() {
        let signed = |more: &[(&'static str, &'static str)]| [&SIGNED, more].concat();
        for values in [
            vec![("auth", "bearer")],
            vec![("auth", "basic"), ("id_pointer", "/id")],
            vec![("auth", "header"), ("header", "X-Key"), ("id_header", "X-Id")],
            vec![("auth", "bearer"), ("list_pointer", "")],
            vec![("auth", "bearer"), ("list_pointer", "/a~1b/0/~0"), ("id_pointer", "/x")],
            signed(&[]),
            signed(&[("prefix", "sha256="), ("encoding", "hex")]),
            signed(&[("encoding", "base64"), ("timestamp_header", "X-Timestamp")]),
            signed(&[("id_header", "X-GitHub-Delivery")]),
        ] {
            assert_eq!(check(&values), Ok(()), "{values:?}");
        }
    }

    #[test]
    fn settings_that_cannot_work() {
        let bearer = ("auth", "bearer");
        let signed = |key: &'static str, text: &'static str| [&SIGNED[..], &[(key, text)]].concat();
        for (values, key, help) in [
            (vec![], None, "bearer, hmac, basic, header"),
            (vec![("auth", "Bearer")], Some("auth"), "bearer, hmac, basic, header"),
            (vec![("auth", "")], Some("auth"), "one of"),
            (vec![("auth", "hmac")], None, "X-Hub-Signature-256"),
            (vec![("auth", "header")], None, "X-Webhook-Secret"),
            (vec![("auth", "header"), ("header", "a b")], Some("header"), "hyphens"),
            (vec![bearer, ("header", "X-Key")], Some("header"), "leave `header` out"),
            (vec![bearer, ("prefix", "sha256=")], Some("prefix"), "auth = \"hmac\""),
            (vec![bearer, ("encoding", "hex")], Some("encoding"), "auth = \"hmac\""),
            (
                vec![("auth", "header"), ("header", "X-Key"), ("timestamp_header", "X-T")],
                Some("timestamp_header"),
                "auth = \"hmac\"",
            ),
            (signed("encoding", "Base64"), Some("encoding"), "hex, base64"),
            (signed("prefix", "sha256=\n"), Some("prefix"), "sha256="),
            (signed("timestamp_header", ""), Some("timestamp_header"), "hyphens"),
            (signed("timestamp_header", "x-hub-signature-256"), Some("timestamp_header"), "alone"),
            (signed("id_header", "x-hub-signature-256"), Some("id_header"), "X-Request-Id"),
            (vec![bearer, ("id_header", "Authorization")], Some("id_header"), "X-Request-Id"),
            (
                vec![("auth", "header"), ("header", "X-Key"), ("id_header", "x-key")],
                Some("id_header"),
                "X-Request-Id",
            ),
            (vec![bearer, ("id_header", "X-Id"), ("id_pointer", "/id")], Some("id_header"), "one"),
            (vec![bearer, ("id_header", "")], Some("id_header"), "hyphens"),
            (vec![bearer, ("id_pointer", "id")], Some("id_pointer"), "slash"),
            (vec![bearer, ("id_pointer", "$.id")], Some("id_pointer"), "slash"),
            (vec![bearer, ("list_pointer", "/a~2")], Some("list_pointer"), "~1"),
            (vec![bearer, ("list_pointer", "/a~")], Some("list_pointer"), "~0"),
        ] {
            let error = check(&values).unwrap_err();
            assert_eq!(error.key, key, "{values:?}");
            assert!(error.help.contains(help), "{values:?}: {}", error.help);
        }
    }
}
