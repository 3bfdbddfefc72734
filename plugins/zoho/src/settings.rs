//! What `[sources.<source>]` says to this connector.

use accredit_seams::connector::{SettingError, SettingKey, SettingKind, SourceSettings};
use accredit_webhook_checks::settings::api_url;

use crate::closed::{WON_STAGES, check_stages};

/// The channels whose notifications are taken.
pub(crate) const CHANNELS: &str = "channels";

/// Where the API of an account in the United States is; other regions have other hosts.
pub(crate) const API_URL: &str = "https://www.zohoapis.com";

/// The endings of Zoho's regions, with the host that gives tokens in each.
const REGIONS: [(&str, &str); 9] = [
    ("https://www.zohoapis.com", "https://accounts.zoho.com"),
    ("https://www.zohoapis.eu", "https://accounts.zoho.eu"),
    ("https://www.zohoapis.in", "https://accounts.zoho.in"),
    ("https://www.zohoapis.com.au", "https://accounts.zoho.com.au"),
    ("https://www.zohoapis.jp", "https://accounts.zoho.jp"),
    ("https://www.zohoapis.com.cn", "https://accounts.zoho.com.cn"),
    ("https://www.zohoapis.ca", "https://accounts.zohocloud.ca"),
    ("https://www.zohoapis.sa", "https://accounts.zoho.sa"),
    ("https://www.zohoapis.uk", "https://accounts.zoho.uk"),
];

/// Hosts of the API and of its tokens, in all regions.
pub(crate) const HOSTS: &[&str] = &[
    "www.zohoapis.com",
    "www.zohoapis.eu",
    "www.zohoapis.in",
    "www.zohoapis.com.au",
    "www.zohoapis.jp",
    "www.zohoapis.com.cn",
    "www.zohoapis.ca",
    "www.zohoapis.sa",
    "www.zohoapis.uk",
    "accounts.zoho.com",
    "accounts.zoho.eu",
    "accounts.zoho.in",
    "accounts.zoho.com.au",
    "accounts.zoho.jp",
    "accounts.zoho.com.cn",
    "accounts.zohocloud.ca",
    "accounts.zoho.sa",
    "accounts.zoho.uk",
];

/// Where tokens are renewed: as the settings say, or in the region of the API.
pub(crate) fn token_url(settings: &SourceSettings) -> Option<String> {
    if let Some(url) = settings.text("token_url") {
        return Some(url.to_owned());
    }
    let api = settings.text("api_url").unwrap_or(API_URL).trim_end_matches('/');
    let (_, accounts) = REGIONS.iter().find(|(known, _)| *known == api)?;
    Some(format!("{accounts}/oauth/v2/token"))
}

pub(crate) const KEYS: &[SettingKey] = &[
    SettingKey {
        name: CHANNELS,
        kind: SettingKind::Texts,
        meaning: "the ids of the channels whose notifications are taken; all unless said",
    },
    SettingKey {
        name: "api_url",
        kind: SettingKind::Text,
        meaning: "the API of the account's region, `https://www.zohoapis.com` unless said",
    },
    SettingKey {
        name: "token_url",
        kind: SettingKind::Text,
        meaning: "where tokens are renewed; the accounts of the API's region unless said",
    },
    SettingKey {
        name: "fetch",
        kind: SettingKind::Flag,
        meaning: "whether the record of a notification is read from the API, true unless said",
    },
    SettingKey {
        name: WON_STAGES,
        kind: SettingKind::Texts,
        meaning: "the stages of deals that are won, for their list; `Closed Won` unless said",
    },
];

pub(crate) fn check_settings(settings: &SourceSettings) -> Result<(), SettingError> {
    api_url(settings, "api_url")?;
    api_url(settings, "token_url")?;
    check_stages(settings)?;

    let channels = settings.texts(CHANNELS);
    let is_id = |id: &String| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    // An empty list would take no notification at all, and is read as all of them.
    let is_empty = channels.is_empty() && settings.values.contains_key(CHANNELS);
    if is_empty || !channels.iter().all(is_id) {
        return Err(SettingError {
            key: Some(CHANNELS),
            message: "`channels` is not a list of ids".to_owned(),
            help: "write the ids that the channels were enabled with, such as \
                   [\"1000000068001\"], or leave `channels` out"
                .to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use accredit_seams::connector::SettingValue;

    use super::*;

    fn check(key: &str, value: SettingValue) -> Result<(), SettingError> {
        check_settings(&SourceSettings { url: None, values: [(key.to_owned(), value)].into() })
    }

    #[test]
    fn tokens_are_renewed_in_the_region_of_the_api() {
        let with = |key: &str, text: &str| {
            let values = [(key.to_owned(), SettingValue::Text(text.to_owned()))];
            token_url(&SourceSettings { url: None, values: values.into() })
        };
        let known = |host: &str| HOSTS.iter().any(|one| format!("https://{one}") == host);
        for (api, accounts) in REGIONS {
            assert_eq!(with("api_url", api), Some(format!("{accounts}/oauth/v2/token")));
            assert!(known(api) && known(accounts), "{api}");
        }
        assert_eq!(token_url(&SourceSettings::default()), with("api_url", API_URL));
        assert_eq!(with("api_url", "https://gateway.example.com"), None);
        assert_eq!(
            with("token_url", "https://a.example/t").as_deref(),
            Some("https://a.example/t")
        );
    }

    #[test]
    fn channels_are_ids_and_the_api_is_a_host() {
        let list =
            |ids: &[&str]| SettingValue::Texts(ids.iter().map(|&id| id.to_owned()).collect());
        let text = |text: &str| SettingValue::Text(text.to_owned());
        assert_eq!(check_settings(&SourceSettings::default()), Ok(()));
        assert_eq!(check("channels", list(&["1000000068001", "7"])), Ok(()));
        assert_eq!(check("api_url", text("https://www.zohoapis.eu")), Ok(()));
        assert_eq!(check("fetch", SettingValue::Flag(false)), Ok(()));

        for ids in [&[][..], &[""], &["deals"], &["1 "], &["1", "-2"]] {
            assert_eq!(check("channels", list(ids)).unwrap_err().key, Some("channels"), "{ids:?}");
        }
        assert!(check("api_url", text("www.zohoapis.eu")).unwrap_err().help.contains("https://"));
    }
}
