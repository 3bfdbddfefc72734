//! What `[sources.<source>]` says to this connector.

use accredit_seams::connector::{SettingError, SettingKey, SettingKind, SourceSettings};
use accredit_webhook_checks::settings::api_url;

/// The channels whose notifications are taken.
pub(crate) const CHANNELS: &str = "channels";

/// Where the API of an account in the United States is; other regions have other hosts.
pub(crate) const API_URL: &str = "https://www.zohoapis.com";

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
        name: "fetch",
        kind: SettingKind::Flag,
        meaning: "whether the record of a notification is read from the API, true unless said",
    },
];

pub(crate) fn check_settings(settings: &SourceSettings) -> Result<(), SettingError> {
    api_url(settings, "api_url")?;

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
