//! What `[sources.<source>]` says to this connector.

use accredit_seams::connector::{SettingError, SettingKey, SettingKind, SourceSettings};
use accredit_webhook_checks::settings::{api_url, choice, header_name};

/// The parameter that holds the key of the option `WebhookKey`.
pub(crate) const KEY_PARAMETER: &str = "code";

/// The table whose rows are deals, as contexts call it and as the Web API does.
pub(crate) const DEAL_TABLE: (&str, &str) = ("opportunity", "opportunities");

pub(crate) const KEYS: &[SettingKey] = &[
    SettingKey {
        name: "auth",
        kind: SettingKind::Text,
        meaning: "where the secret is: `key`, in the parameter `code` of the URL, or `header`",
    },
    SettingKey {
        name: "header",
        kind: SettingKind::Text,
        meaning: "the header that holds the secret, with `auth = \"header\"`",
    },
    SettingKey {
        name: "fetch",
        kind: SettingKind::Text,
        meaning: "when a row is read from the Web API: `when_cut`, `always` or `never`",
    },
    SettingKey {
        name: "api_url",
        kind: SettingKind::Text,
        meaning: "the address of the environment, such as `https://org.crm4.dynamics.com`",
    },
    SettingKey {
        name: "token_url",
        kind: SettingKind::Text,
        meaning: "where tokens are given, such as \
                  `https://login.microsoftonline.com/TENANT/oauth2/v2.0/token`",
    },
    SettingKey {
        name: "entity_set",
        kind: SettingKind::Text,
        meaning: "what the Web API calls the rows of the table, `opportunities` unless said",
    },
];

/// How a sender proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SenderProof<'a> {
    /// By the parameter `code` of the URL.
    Key,
    /// By a header of this name.
    Header(&'a str),
}

/// When a row is read from the Web API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FetchMode {
    /// When Dataverse cut the context.
    WhenCut,
    /// For every event of a row that still exists.
    Always,
    /// Never: a context that was cut becomes a dead letter.
    Never,
}

/// How a sender proves itself; none where the settings cannot work.
pub(crate) fn sender_proof(settings: &SourceSettings) -> Option<SenderProof<'_>> {
    match settings.text("auth").unwrap_or("key") {
        "key" => Some(SenderProof::Key),
        "header" => settings.text("header").map(SenderProof::Header),
        _ => None,
    }
}

/// When a row is read; a text that is checked and still unknown reads as the default.
pub(crate) fn fetch_mode(settings: &SourceSettings) -> FetchMode {
    match settings.text("fetch") {
        Some("always") => FetchMode::Always,
        Some("never") => FetchMode::Never,
        _ => FetchMode::WhenCut,
    }
}

pub(crate) fn check_settings(settings: &SourceSettings) -> Result<(), SettingError> {
    let auth = choice(settings, "auth", &["key", "header"])?;
    choice(settings, "fetch", &["when_cut", "always", "never"])?;

    let header = header_name(settings, "header")?;
    match (auth.unwrap_or("key"), header) {
        ("header", None) => {
            return Err(SettingError {
                key: None,
                message: "`auth = \"header\"` needs `header`".to_owned(),
                help: "write the name that the webhook is registered with, \
                       such as header = \"X-Webhook-Secret\""
                    .to_owned(),
            });
        }
        ("key", Some(_)) => {
            return Err(SettingError {
                key: Some("header"),
                message: "`header` is read only with `auth = \"header\"`".to_owned(),
                help: "write auth = \"header\", or leave `header` out".to_owned(),
            });
        }
        _ => (),
    }

    let is_named = settings.text("entity_set").is_none_or(is_entity_set);
    if !is_named {
        return Err(SettingError {
            key: Some("entity_set"),
            message: "`entity_set` is not the name of an entity set".to_owned(),
            help: "write the name in the address of the table, such as \"opportunities\""
                .to_owned(),
        });
    }

    api_url(settings, "token_url")?;
    if api_url(settings, "api_url")?.is_none() && fetch_mode(settings) != FetchMode::Never {
        return Err(SettingError {
            key: None,
            message: "`api_url` is missing: Dataverse cuts contexts of more than 256 KB".to_owned(),
            help: "write the address of the environment, such as api_url = \
                   \"https://org.crm4.dynamics.com\", or fetch = \"never\""
                .to_owned(),
        });
    }
    Ok(())
}

/// Names of tables have letters, digits and underscores: anything else would end the path.
fn is_entity_set(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use accredit_seams::connector::SettingValue;

    use super::*;

    fn check(values: &[(&str, &str)]) -> Result<(), SettingError> {
        let values = values
            .iter()
            .map(|(key, text)| ((*key).to_owned(), SettingValue::Text((*text).to_owned())));
        check_settings(&SourceSettings { url: None, values: values.collect() })
    }

    #[test]
    fn settings_that_work() {
        let api = ("api_url", "https://org.crm4.dynamics.com");
        for values in [
            vec![api],
            vec![api, ("auth", "key")],
            vec![api, ("auth", "header"), ("header", "X-Secret")],
            vec![api, ("fetch", "always"), ("entity_set", "new_deals")],
            vec![("fetch", "never")],
        ] {
            assert_eq!(check(&values), Ok(()), "{values:?}");
        }
    }

    #[test]
    fn settings_that_cannot_work() {
        let api = ("api_url", "https://org.crm4.dynamics.com");
        for (values, key, help) in [
            (vec![], None, "fetch = \"never\""),
            (vec![("fetch", "when_cut")], None, "api_url ="),
            (vec![("fetch", "always")], None, "api_url ="),
            (vec![("fetch", "sometimes")], Some("fetch"), "when_cut, always, never"),
            (vec![api, ("auth", "basic")], Some("auth"), "key, header"),
            (vec![api, ("auth", "header")], None, "header = "),
            (vec![api, ("auth", "header"), ("header", "a b")], Some("header"), "hyphens"),
            (vec![api, ("header", "X-Secret")], Some("header"), "leave `header` out"),
            (vec![api, ("entity_set", "a/b")], Some("entity_set"), "opportunities"),
            (vec![api, ("entity_set", "")], Some("entity_set"), "opportunities"),
            (vec![("api_url", "http://org.crm4.dynamics.com")], Some("api_url"), "https://"),
        ] {
            let error = check(&values).unwrap_err();
            assert_eq!(error.key, key, "{values:?}");
            assert!(error.help.contains(help), "{values:?}: {}", error.help);
        }
    }
}
