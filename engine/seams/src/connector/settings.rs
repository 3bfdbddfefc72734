//! Settings of a source that only its connector understands.

use std::collections::BTreeMap;

/// What `[sources.<source>]` says beside what every source may say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceSettings {
    /// The URL that the sender calls, `url`: signatures may be of it. Never rebuilt from a request,
    /// whose host a proxy or an attacker may have written.
    pub url: Option<String>,
    /// The connector's own settings.
    pub values: BTreeMap<String, SettingValue>,
}

impl SourceSettings {
    /// A setting that is one text.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.values.get(key)? {
            SettingValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A setting that is a list of texts; empty where it is missing.
    pub fn texts(&self, key: &str) -> &[String] {
        match self.values.get(key) {
            Some(SettingValue::Texts(texts)) => texts,
            _ => &[],
        }
    }

    /// A setting that is true or false.
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.values.get(key)? {
            SettingValue::Flag(flag) => Some(*flag),
            _ => None,
        }
    }
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingValue {
    /// Text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
    /// True or false.
    Flag(bool),
}

impl SettingValue {
    /// Its kind.
    pub fn kind(&self) -> SettingKind {
        match self {
            SettingValue::Text(_) => SettingKind::Text,
            SettingValue::Texts(_) => SettingKind::Texts,
            SettingValue::Flag(_) => SettingKind::Flag,
        }
    }
}

/// What a setting must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingKind {
    /// Text in quotes.
    Text,
    /// A list of texts.
    Texts,
    /// True or false.
    Flag,
}

impl SettingKind {
    /// In words, for messages.
    pub fn in_words(self) -> &'static str {
        match self {
            SettingKind::Text => "text in quotes",
            SettingKind::Texts => "a list of texts",
            SettingKind::Flag => "true or false",
        }
    }
}

/// A setting that a connector knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingKey {
    /// Its name in `[sources.<source>]`.
    pub name: &'static str,
    /// What it must be.
    pub kind: SettingKind,
    /// What it means, in a sentence.
    pub meaning: &'static str,
}

/// Why settings cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}; {help}")]
pub struct SettingError {
    /// The setting, where one is wrong; none where one is missing.
    pub key: Option<&'static str>,
    /// What is wrong.
    pub message: String,
    /// What to write.
    pub help: String,
}
