//! Settings that several connectors have: the address of an API, the name of a header, a choice.

use accredit_seams::connector::{SettingError, SourceSettings};

/// The setting `key` as the address of an API, without a slash at its end; none where it is missing.
///
/// # Errors
/// When it could lead anywhere else than to one host by `https`. Plain `http` is for a CRM that is
/// played by this machine.
pub fn api_url<'a>(
    settings: &'a SourceSettings,
    key: &'static str,
) -> Result<Option<&'a str>, SettingError> {
    let Some(url) = settings.text(key) else { return Ok(None) };
    let url = url.trim_end_matches('/');
    if is_api_url(url) {
        return Ok(Some(url));
    }
    Err(SettingError {
        key: Some(key),
        message: format!("`{key}` is not the address of an API"),
        help: "write https:// and the host, such as \"https://crm.example.com\"".to_owned(),
    })
}

fn is_api_url(url: &str) -> bool {
    let (rest, is_plain) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (rest, false),
        (None, Some(rest)) => (rest, true),
        (None, None) => return false,
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));

    // Neither a user before the host nor a query behind the path: what follows is put behind it.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    let is_path = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let is_host =
        host.bytes().all(is_name) && host.bytes().any(|byte| byte.is_ascii_alphanumeric());
    let is_local = host == "localhost" || host == "127.0.0.1";
    let climbs = path.split('/').any(|step| step == "." || step == "..");

    is_host
        && port.parse::<u16>().is_ok()
        && path.bytes().all(is_path)
        && !climbs
        && (is_local || !is_plain)
}

/// The setting `key` as the name of a header; none where it is missing.
///
/// # Errors
/// When no header can be called that.
pub fn header_name<'a>(
    settings: &'a SourceSettings,
    key: &'static str,
) -> Result<Option<&'a str>, SettingError> {
    let Some(name) = settings.text(key) else { return Ok(None) };
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if !name.is_empty() && name.bytes().all(is_token) {
        return Ok(Some(name));
    }
    Err(SettingError {
        key: Some(key),
        message: format!("`{key}` is not the name of a header"),
        help: "write letters, digits and hyphens, such as \"X-Webhook-Secret\"".to_owned(),
    })
}

/// The setting `key` as one of a few texts; none where it is missing.
///
/// # Errors
/// When it is another text.
pub fn choice<'a>(
    settings: &'a SourceSettings,
    key: &'static str,
    allowed: &[&str],
) -> Result<Option<&'a str>, SettingError> {
    match settings.text(key) {
        Some(text) if !allowed.contains(&text) => Err(SettingError {
            key: Some(key),
            message: format!("`{key}` cannot be `{text}`"),
            help: format!("write one of: {}", allowed.join(", ")),
        }),
        text => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use accredit_seams::connector::SettingValue;

    use super::*;

    fn with(text: &str) -> SourceSettings {
        let values = [("key".to_owned(), SettingValue::Text(text.to_owned()))];
        SourceSettings { url: None, values: values.into() }
    }

    #[test]
    fn an_api_is_one_host_by_https() {
        for (url, read) in [
            ("https://org.crm4.dynamics.com", "https://org.crm4.dynamics.com"),
            ("https://org.crm4.dynamics.com/", "https://org.crm4.dynamics.com"),
            (
                "https://gateway.example.com:8443/zoho/eu",
                "https://gateway.example.com:8443/zoho/eu",
            ),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost", "http://localhost"),
        ] {
            assert_eq!(api_url(&with(url), "key"), Ok(Some(read)));
        }
        assert_eq!(api_url(&SourceSettings::default(), "key"), Ok(None));

        for wrong in [
            "",
            "/",
            "https://",
            "https:///path",
            "https://.",
            "org.crm4.dynamics.com",
            "http://org.crm4.dynamics.com",
            "ftp://org.crm4.dynamics.com",
            "HTTPS://org.crm4.dynamics.com",
            "https://user@org.crm4.dynamics.com",
            "https://user:password@org.crm4.dynamics.com",
            "https://localhost:80:80",
            "https://org.example.com:99999",
            "https://org.example.com:",
            "https://org.example.com?x=1",
            "https://org.example.com/a?x=1",
            "https://org.example.com/a#b",
            "https://org.example.com/../b",
            "https://org.example.com/a%2fb",
            "https://org.example.com/a b",
            "https://org.example.com\\@evil.example",
            "https://org.example.com\r\nX: y",
            "http://127.0.0.1@evil.example",
            "http://127.0.0.1.evil.example",
        ] {
            let error = api_url(&with(wrong), "key").unwrap_err();
            assert_eq!(error.key, Some("key"), "{wrong}");
        }
    }

    #[test]
    fn a_header_has_a_name_of_its_own() {
        assert_eq!(header_name(&with("X-Key_1"), "key"), Ok(Some("X-Key_1")));
        for wrong in ["", "X Key", "X:Key", "X-K\u{e9}y", "X-Key\n"] {
            assert!(header_name(&with(wrong), "key").is_err(), "{wrong}");
        }
        assert_eq!(choice(&with("b"), "key", &["a", "b"]), Ok(Some("b")));
        assert_eq!(choice(&with("B"), "key", &["a", "b"]).unwrap_err().help, "write one of: a, b");
    }
}
