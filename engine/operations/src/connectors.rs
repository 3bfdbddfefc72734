//! Whether the connectors that a workspace names exist, and whether they can work with their settings.
//!
//! The engine knows no connector; the host hands in its own. Called by `check` and by activations.

use accredit_domain::diagnostic::{Code, Diagnostic, did_you_mean};
use accredit_seams::connector::{Connector, SettingValue};
use accredit_workspace::{Ruleset, WebhookSource};

/// What is wrong with the sources of a ruleset: a connector that is not one of `connectors`, and
/// settings that its connector does not know or cannot work with.
pub fn source_findings(ruleset: &Ruleset, connectors: &[&dyn Connector]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for source in ruleset.settings.sources.values() {
        match connectors.iter().find(|connector| connector.name() == source.connector) {
            Some(connector) => findings.extend(setting_findings(*connector, source)),
            None => findings.push(unknown_connector(source, connectors)),
        }
    }
    findings
}

fn unknown_connector(source: &WebhookSource, connectors: &[&dyn Connector]) -> Diagnostic {
    let names: Vec<&str> = connectors.iter().map(|connector| connector.name()).collect();
    let name = source.connector.as_str();
    let help = did_you_mean(name, names.iter().copied());
    let help = help.unwrap_or_else(|| format!("write one of: {}", names.join(", ")));

    let message = format!("there is no connector `{name}`");
    Diagnostic::error(Code::CR025, source.place.clone(), message).with_help(help)
}

/// What is wrong with the settings of one source.
fn setting_findings(connector: &dyn Connector, source: &WebhookSource) -> Vec<Diagnostic> {
    let (name, keys) = (connector.name(), connector.setting_keys());
    let mut findings = Vec::new();

    for (key, value) in &source.settings.values {
        let Some(place) = source.setting_places.get(key) else { continue };
        match keys.iter().find(|known| known.name == key) {
            None => {
                let common = ["connector", "intake", "key_prefix", "merge", "rate_limit", "url"];
                let known = keys.iter().map(|known| known.name).chain(common);
                let help = did_you_mean(key, known.clone()).unwrap_or_else(|| {
                    format!("keys of this source: {}", known.collect::<Vec<_>>().join(", "))
                });
                let message = format!("the connector `{name}` has no setting `{key}`");
                let place = place.key.clone();
                findings.push(Diagnostic::error(Code::CR021, place, message).with_help(help));
            }
            Some(known) if known.kind != value.kind() => {
                let message = format!("`{key}` must be {}", known.kind.in_words());
                let help = format!("it means: {}", known.meaning);
                let place = place.value.clone();
                findings.push(Diagnostic::error(Code::CR024, place, message).with_help(help));
            }
            Some(_) => (),
        }
    }

    // A connector reads its settings as if each had its kind.
    if !findings.is_empty() {
        return findings;
    }
    findings.extend(placeholder_findings(connector, source));
    if let Err(error) = connector.check_settings(&source.settings) {
        let place = error.key.and_then(|key| source.setting_places.get(key));
        let (code, place) = match place {
            Some(place) => (Code::CR024, place.value.clone()),
            None => (Code::CR023, source.place.clone()),
        };
        findings.push(Diagnostic::error(code, place, error.message).with_help(error.help));
    }
    findings
}

/// Settings that are still as `accredit new source` wrote them where a person has to replace them.
fn placeholder_findings(connector: &dyn Connector, source: &WebhookSource) -> Vec<Diagnostic> {
    let settings = &source.settings;
    let own = settings.values.iter().flat_map(|(key, value)| match value {
        SettingValue::Text(text) => vec![(key.as_str(), text.as_str())],
        SettingValue::Texts(texts) => texts.iter().map(|text| (key.as_str(), &**text)).collect(),
        SettingValue::Flag(_) => Vec::new(),
    });
    let values = own.chain(settings.url.as_deref().map(|url| ("url", url)));

    let placeholders = connector.starter().placeholders;
    let left = values.filter_map(|(key, text)| {
        let placeholder = placeholders.iter().find(|placeholder| text.contains(**placeholder))?;
        let place = source.setting_places.get(key)?.value.clone();
        let message = format!("`{key}` still has the placeholder `{placeholder}`");
        let help = "write your own value; `accredit new source` does not know it";
        Some(Diagnostic::warning(Code::CR029, place, message).with_help(help))
    });
    left.collect()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use accredit_seams::connector::{
        DecodeError, RejectedDelivery, SampleDeal, SampleRequest, SecretOrigin, SentEvent,
        SentRequest, SettingError, SettingKey, SettingKind, SourceSettings, SourceStarter,
    };
    use accredit_workspace::Files;

    use super::*;

    /// Needs `url`, and knows one setting.
    struct Asking;

    impl Connector for Asking {
        fn name(&self) -> &'static str {
            "asking"
        }

        fn setting_keys(&self) -> &'static [SettingKey] {
            const KEYS: &[SettingKey] = &[SettingKey {
                name: "stages",
                kind: SettingKind::Texts,
                meaning: "the stages that are asked for",
            }];
            KEYS
        }

        fn check_settings(&self, settings: &SourceSettings) -> Result<(), SettingError> {
            let url = settings.url.as_deref();
            if url.is_some_and(|url| url.starts_with("https://")) {
                return Ok(());
            }
            Err(SettingError {
                key: url.map(|_| "url"),
                message: "`url` must begin with https://".to_owned(),
                help: "write the URL that the sender calls".to_owned(),
            })
        }

        fn starter(&self) -> SourceStarter {
            SourceStarter { placeholders: &["NOBODY"], ..SourceStarter::default() }
        }

        fn secret_origin(&self, _settings: &SourceSettings) -> SecretOrigin {
            SecretOrigin::Given
        }

        fn check_secret(
            &self,
            _secret: &str,
            _settings: &SourceSettings,
        ) -> Result<(), RejectedDelivery> {
            Ok(())
        }

        fn verify_request(
            &self,
            _request: &SentRequest<'_>,
            _settings: &SourceSettings,
            _secrets: &[&str],
        ) -> Result<usize, RejectedDelivery> {
            Err(RejectedDelivery("never"))
        }

        fn split_request<'b>(
            &self,
            _request: &SentRequest<'b>,
            _settings: &SourceSettings,
        ) -> Vec<SentEvent<'b>> {
            Vec::new()
        }

        fn decode_event<'b>(&self, _body: &'b [u8]) -> Result<Vec<Cow<'b, str>>, DecodeError> {
            Ok(Vec::new())
        }

        fn sample_request(
            &self,
            _deal: &SampleDeal<'_>,
            _settings: &SourceSettings,
            _secret: &str,
        ) -> Result<SampleRequest, RejectedDelivery> {
            Err(RejectedDelivery("never"))
        }
    }

    fn check(source: &str) -> Vec<(Code, u32, u32, String)> {
        let text = format!(
            "[workspace]\nname = \"A\"\n[fields]\nid = \"i\"\ndate = \"d\"\n\
             [sources.crm]\n{source}"
        );
        let files = Files::from([("accredit.toml".to_owned(), Arc::from(text))]);
        let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
        assert_eq!(findings, []);

        let found = source_findings(&ruleset.unwrap(), &[&Asking]);
        let found = found.into_iter().map(|one| {
            let help = one.help.unwrap_or_default();
            (one.code, one.place.line, one.place.column, help)
        });
        found.collect()
    }

    #[test]
    fn a_connector_must_exist() {
        let found = check("connector = \"askin\"\n");
        let [(Code::CR025, 7, 13, help)] = found.as_slice() else { panic!("{found:?}") };
        assert!(help.contains("asking"), "{help}");
    }

    /// The id of an organization was left as it was made, and every message of the real one was refused.
    #[test]
    fn a_placeholder_that_was_left_is_a_warning() {
        let settings = "connector = \"asking\"\nurl = \"https://NOBODY.example\"\n\
                        stages = [\"won\", \"NOBODY\"]\n";
        let found = check(settings);
        let found: Vec<_> = found.iter().map(|(code, line, ..)| (*code, *line)).collect();
        assert_eq!(found, [(Code::CR029, 9), (Code::CR029, 8)]);
        assert_eq!(check(&settings.replace("NOBODY", "nobody")), []);
    }

    #[test]
    fn settings_are_those_of_the_connector() {
        let right = "connector = \"asking\"\nurl = \"https://a.example/hooks/crm\"\n";
        assert_eq!(check(right), []);
        assert_eq!(check(&format!("{right}stages = [\"won\"]\n")), []);

        let cases = [
            ("connector = \"asking\"\n".to_owned(), Code::CR023, 7, 13, "sender calls"),
            (
                "connector = \"asking\"\nurl = \"http://a\"\n".to_owned(),
                Code::CR024,
                8,
                7,
                "sender",
            ),
            (format!("{right}stage = [\"won\"]\n"), Code::CR021, 9, 1, "stages"),
            (format!("{right}colour = \"red\"\n"), Code::CR021, 9, 1, "stages, connector"),
            (format!("{right}stages = \"won\"\n"), Code::CR024, 9, 10, "asked for"),
        ];
        for (source, code, line, column, wanted) in cases {
            let found = check(&source);
            let [(found_code, found_line, found_column, help)] = found.as_slice() else {
                panic!("{source}: {found:?}")
            };
            assert_eq!((*found_code, *found_line, *found_column), (code, line, column), "{source}");
            assert!(help.contains(wanted), "{help}");
        }
    }
}
