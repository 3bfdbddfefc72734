//! The settings of a source that only this connector knows, and whether they can work.
//!
//! Called when settings are read, before any request.

use accredit_seams::connector::{
    SettingError, SettingKey, SettingKind, SettingValue, SourceSettings,
};

/// Whether signatures without a timestamp are accepted.
pub(crate) const LEGACY_SIGNATURES: &str = "legacy_signatures";
/// Whether deals are fetched.
pub(crate) const FETCH: &str = "fetch";
/// Which properties of a deal are fetched.
pub(crate) const PROPERTIES: &str = "properties";
/// Where the API is.
pub(crate) const API_URL: &str = "api_url";

/// Where tokens for the API are renewed.
pub(crate) const TOKEN_URL: &str = "token_url";

/// Where HubSpot renews tokens.
pub(crate) const DEFAULT_TOKEN_URL: &str = "https://api.hubapi.com/oauth/v1/token";

/// Every setting of this connector.
pub(crate) const SETTING_KEYS: &[SettingKey] = &[
    SettingKey {
        name: LEGACY_SIGNATURES,
        kind: SettingKind::Flag,
        meaning: "accepts signatures of version 1 and 2 where a request has none of version 3; \
                  they have no time, so a request that was overheard can be sent again",
    },
    SettingKey {
        name: FETCH,
        kind: SettingKind::Flag,
        meaning: "false leaves deals as the events describe them, without amount and owner",
    },
    SettingKey {
        name: PROPERTIES,
        kind: SettingKind::Texts,
        meaning: "the properties of a deal that are fetched, by their internal names",
    },
    SettingKey {
        name: API_URL,
        kind: SettingKind::Text,
        meaning: "the URL of the API, where it is not https://api.hubapi.com",
    },
    SettingKey {
        name: TOKEN_URL,
        kind: SettingKind::Text,
        meaning: "where tokens of an app with OAuth are renewed, where it is not \
                  https://api.hubapi.com/oauth/v1/token",
    },
];

/// Checks the settings of a source.
pub(crate) fn check_settings(settings: &SourceSettings) -> Result<(), SettingError> {
    let Some(url) = &settings.url else {
        return Err(SettingError {
            key: None,
            message: "a source of HubSpot needs `url`, because signatures are of it".to_owned(),
            help: "write the target URL as it is set in HubSpot, `url = \"https://…/hooks/crm\"`"
                .to_owned(),
        });
    };
    check_url(url).map_err(|fault| wrong_url("url", url, fault))?;

    for key in [API_URL, TOKEN_URL] {
        let Some(api_url) = settings.text(key) else { continue };
        check_url(api_url).map_err(|fault| wrong_url(key, api_url, fault))?;
        if api_url.contains('?') {
            return Err(wrong_url(key, api_url, "has a query"));
        }
    }

    check_properties(settings)
}

/// A property goes into a URL as it is, so its name must be one that HubSpot gives.
fn check_properties(settings: &SourceSettings) -> Result<(), SettingError> {
    let Some(SettingValue::Texts(names)) = settings.values.get(PROPERTIES) else { return Ok(()) };
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let wrong = names.iter().find(|name| name.is_empty() || !name.bytes().all(plain));

    let message = match wrong {
        Some(name) => format!("`{name}` is not the internal name of a property"),
        None if names.is_empty() => "`properties` names no property".to_owned(),
        None => return Ok(()),
    };
    let help = "write internal names, such as `amount` and `closedate`, or leave the setting out";
    Err(SettingError { key: Some(PROPERTIES), message, help: help.to_owned() })
}

fn wrong_url(key: &'static str, url: &str, fault: &str) -> SettingError {
    SettingError {
        key: Some(key),
        message: format!("`{url}` {fault}"),
        help: "write a whole URL, such as `https://accredit.example.com/hooks/crm`".to_owned(),
    }
}

/// Whether a URL can be called: `https`, or `http` on this machine for trying things out.
fn check_url(url: &str) -> Result<(), &'static str> {
    if url.contains('#') || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("has characters that the URL of a request cannot have");
    }
    let Some((scheme, rest)) = url.split_once("://") else { return Err("is not a whole URL") };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let Some(host) = host_of(authority) else { return Err("has no host") };

    match scheme {
        "https" => Ok(()),
        "http" if is_loopback(host) => Ok(()),
        _ => Err("does not begin with `https://`"),
    }
}

/// The host of an authority, without its port; none where it is missing or follows a user's name.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port_fits = match port.strip_prefix(':') {
        Some(number) => number.parse::<u16>().is_ok(),
        None => port.is_empty(),
    };
    (port_fits && !host.is_empty() && !host.contains('@')).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_called() {
        for url in [
            "https://accredit.example.com/hooks/crm",
            "https://accredit.example.com:8443/hooks/crm?tenant=1",
            "http://localhost:8080/hooks/crm",
            "http://127.0.0.1:8080/hooks/crm",
            "http://[::1]:8080/hooks/crm",
        ] {
            assert_eq!(check_url(url), Ok(()), "{url}");
        }
        for url in [
            "",
            "accredit.example.com/hooks/crm",
            "https://",
            "https:///hooks/crm",
            "https://:443/hooks/crm",
            "http://accredit.example.com/hooks/crm",
            "http://localhost.example.com/",
            "http://localhost@example.com/",
            "https://user@example.com/",
            "https://example.com:x/",
            "https://example.com:99999/",
            "https://example.com/a b",
            "https://example.com/#a",
            "https://example.com/é",
            "ftp://example.com/",
            "HTTPS://example.com/",
        ] {
            assert!(check_url(url).is_err(), "{url}");
        }
    }
}
