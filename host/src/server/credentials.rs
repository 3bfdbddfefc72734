//! Tokens and secrets as a person gives them, in the environment or in files that it names, and
//! whether they are long enough.
//!
//! Not those that the server makes itself and not who a token belongs to (`secrets`). Called by
//! `config` at the start and by `rotation` afterwards.
//!
//! **Architecture invariant:** what is secret stays in a secrecy type until it is compared or hashed,
//! so that no log and no `Debug` can show it; no message repeats it.

pub(crate) mod api_access;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use accredit_operations::principal::Role;
use accredit_seams::connector::{Connector as _, SourceSettings};
use accredit_standard_webhooks::StandardWebhooks;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};

use crate::checkpoint::CheckpointSigner;

use self::api_access::ApiVariables;

/// Characters that a token has at least: fewer could be guessed.
pub(crate) const TOKEN_CHARACTERS_MIN: usize = 16;

/// Bytes of a file with tokens or secrets.
const FILE_BYTES_MAX: u64 = 64 * 1024;

const TOKEN: &str = "ACCREDIT_TOKEN";
const TOKENS: &str = "ACCREDIT_TOKENS";
const AUDIT_KEY: &str = "ACCREDIT_AUDIT_KEY";
const SECRET_PREFIX: &str = "ACCREDIT_SECRET_";
const DESTINATION_SECRET_PREFIX: &str = "ACCREDIT_DESTINATION_SECRET_";
const SMTP_URL: &str = "ACCREDIT_SMTP_URL";
const FILE_SUFFIX: &str = "_FILE";

/// Names in the audit trail that belong to no person: the unnamed token and parts of the server.
const ACTORS: [&str; 4] = ["admin", "serve", "watch", "worker"];

/// Whether a name in the audit trail belongs to no person.
pub(crate) fn is_reserved_name(name: &str) -> bool {
    ACTORS.iter().any(|actor| actor.eq_ignore_ascii_case(name))
}

/// The variable that holds the secrets of `source`.
pub(crate) fn secret_variable(source: &str) -> String {
    source_variable(SECRET_PREFIX, source)
}

/// The variable that holds the secrets that events to `destination` are signed with.
pub(crate) fn destination_secret_variable(destination: &str) -> String {
    source_variable(DESTINATION_SECRET_PREFIX, destination)
}

fn source_variable(prefix: &str, source: &str) -> String {
    format!("{prefix}{}", source.to_uppercase().replace('-', "_"))
}

/// A token with a name: the name is what the audit trail shows.
#[derive(Debug, Clone)]
pub(crate) struct NamedToken {
    /// The name of the token's owner in the audit trail.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) role: Role,
    /// The token.
    pub(crate) token: SecretString,
}

/// Tokens and secrets that are given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Credentials {
    /// The token of the API, if it is not the one made at first start.
    pub(crate) token: Option<SecretString>,
    /// Tokens with names and roles.
    pub(crate) tokens: Vec<NamedToken>,
    /// Secrets by the name of their variable, `ACCREDIT_SECRET_CRM`.
    pub(crate) secrets: BTreeMap<String, Vec<SecretString>>,
    /// What sources may do at the APIs of their CRMs.
    pub(crate) api: ApiVariables,
    /// The mail server, with its user and password.
    pub(crate) smtp_url: Option<SecretString>,
    /// Secrets that events are signed with by the name of their variable,
    /// `ACCREDIT_DESTINATION_SECRET_ERP`; the first is the newest.
    pub(crate) destination_secrets: BTreeMap<String, Vec<SecretString>>,
    /// What checkpoints of the audit trail are signed with.
    pub(crate) audit_key: Option<Arc<CheckpointSigner>>,
}

impl Credentials {
    /// What the audit trail says of them: who has a token with which role, and which variables are set.
    pub(crate) fn audit_view(&self) -> Json {
        let tokens = self.tokens.iter();
        let tokens: Vec<Json> =
            tokens.map(|token| json!({ "name": token.name, "role": token.role.name() })).collect();
        let secrets: BTreeMap<&String, usize> =
            self.secrets.iter().map(|(name, secrets)| (name, secrets.len())).collect();
        let destinations: BTreeMap<&String, usize> =
            self.destination_secrets.iter().map(|(name, secrets)| (name, secrets.len())).collect();
        json!({
            "token": self.token.is_some(), "tokens": tokens, "secrets": secrets,
            "api": self.api.audit_view(), "smtp_url": self.smtp_url.is_some(),
            "destination_secrets": destinations,
            "audit_key": self.audit_key.as_ref().map(|key| key.public_key()),
        })
    }
}

/// A value of the environment, or the file that holds it.
#[derive(Debug, Clone)]
enum ValueOrigin {
    Value(SecretString),
    File(PathBuf),
}

/// Where tokens and secrets come from, by the name of their variable without `_FILE`.
#[derive(Debug, Clone, Default)]
pub(crate) struct CredentialSources {
    known: BTreeMap<String, ValueOrigin>,
    /// Variables that are there with `_FILE` and without.
    twice: Vec<String>,
}

impl CredentialSources {
    /// Those of the environment.
    pub(crate) fn from_environment() -> CredentialSources {
        // Names that are not text cannot be settings; `vars` would panic at them.
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        CredentialSources::from_variables(variables)
    }

    /// Those among variables; blank ones are not there.
    pub(crate) fn from_variables(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> CredentialSources {
        let mut sources = CredentialSources::default();

        for (variable, value) in variables {
            let name = variable.strip_suffix(FILE_SUFFIX).unwrap_or(&variable);
            let wanted = name == TOKEN
                || name == TOKENS
                || name == SMTP_URL
                || name == AUDIT_KEY
                || name.starts_with(SECRET_PREFIX)
                || name.starts_with(DESTINATION_SECRET_PREFIX)
                || api_access::is_api_variable(name);
            if !wanted || value.trim().is_empty() {
                continue;
            }

            let origin = if name.len() < variable.len() {
                ValueOrigin::File(PathBuf::from(value.trim()))
            } else {
                ValueOrigin::Value(value.into())
            };

            if sources.known.insert(name.to_owned(), origin).is_some() {
                sources.twice.push(name.to_owned());
            }
        }

        sources
    }

    /// The files among them, which may change while the server runs.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        self.known.values().filter_map(|origin| match origin {
            ValueOrigin::File(path) => Some(path.as_path()),
            ValueOrigin::Value(_) => None,
        })
    }

    /// What they hold now.
    ///
    /// # Errors
    /// Which variable is not usable and why; never what it holds.
    pub(crate) fn read(&self) -> Result<Credentials, String> {
        if let Some(name) = self.twice.first() {
            return Err(format!("`{name}` and `{name}{FILE_SUFFIX}` are both set; keep one"));
        }

        let mut credentials = Credentials::default();
        for (name, origin) in &self.known {
            let (text, shown) = match origin {
                ValueOrigin::Value(value) => (value.clone(), format!("`{name}`")),
                ValueOrigin::File(path) => {
                    let shown = format!("`{name}{FILE_SUFFIX}` (`{}`)", path.display());
                    let text = file_content(path).map_err(|error| format!("{shown}: {error}"))?;
                    (text, shown)
                }
            };

            let text = text.expose_secret().trim();

            match name.as_str() {
                TOKEN => {
                    check_length(text).map_err(|error| format!("{shown}: {error}"))?;
                    credentials.token = Some(text.into());
                }

                TOKENS => {
                    let tokens = parse_named(text).map_err(|error| format!("{shown}: {error}"))?;
                    credentials.tokens = tokens;
                }

                SMTP_URL => credentials.smtp_url = Some(text.into()),
                AUDIT_KEY => {
                    let key = CheckpointSigner::from_text(text);
                    let key = key.map_err(|error| format!("{shown}: {error}"))?;
                    credentials.audit_key = Some(Arc::new(key));
                }

                _ if name.starts_with(api_access::PREFIX) => {
                    credentials.api.insert(name, text.into());
                }

                _ if name.starts_with(DESTINATION_SECRET_PREFIX) => {
                    let secrets = parse_signing_secrets(text);
                    let secrets = secrets.map_err(|error| format!("{shown}: {error}"))?;
                    credentials.destination_secrets.insert(name.clone(), secrets);
                }

                _ => {
                    let secrets = text.split_whitespace().map(SecretString::from).collect();
                    credentials.secrets.insert(name.clone(), secrets);
                }
            }
        }

        credentials.api.check()?;
        let token = credentials.token.as_ref().map(ExposeSecret::expose_secret);
        let same = |one: &&NamedToken| token == Some(one.token.expose_secret());
        if let Some(one) = credentials.tokens.iter().find(same) {
            return Err(format!("`{TOKENS}`: `{}` has the token of `{TOKEN}`", one.name));
        }

        Ok(credentials)
    }
}

/// The text of a file that holds something.
fn file_content(path: &Path) -> Result<SecretString, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > FILE_BYTES_MAX {
        return Err(format!("the file has more than {FILE_BYTES_MAX} bytes (FILE_BYTES_MAX)"));
    }
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    if text.trim().is_empty() { Err("the file is empty".to_owned()) } else { Ok(text.into()) }
}

/// Whether a token cannot be guessed easily.
fn check_length(token: &str) -> Result<(), String> {
    let count = token.chars().count();
    if count >= TOKEN_CHARACTERS_MIN {
        return Ok(());
    }
    Err(format!(
        "a token needs at least {TOKEN_CHARACTERS_MIN} characters and this one has {count}; make \
         one with `openssl rand -hex 32`"
    ))
}

/// Secrets that sign events, separated by spaces.
fn parse_signing_secrets(text: &str) -> Result<Vec<SecretString>, String> {
    let settings = SourceSettings::default();
    let secrets = text.split_whitespace().map(|secret| {
        let checked = StandardWebhooks.check_secret(secret, &settings);
        let how = "make one with `echo whsec_$(openssl rand -base64 32)`";
        checked.map_err(|error| format!("{}; {how}", error.0)).map(|()| secret.into())
    });
    secrets.collect()
}

/// Tokens out of `name:role:token`, separated by spaces or lines.
///
/// # Errors
/// What is not understood; tokens are not repeated.
pub(crate) fn parse_named(text: &str) -> Result<Vec<NamedToken>, String> {
    let mut all: Vec<NamedToken> = Vec::new();

    for part in text.split_whitespace() {
        let mut parts = part.splitn(3, ':');
        let (Some(name), Some(role), Some(token)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err("expected `name:role:token`, separated by spaces".to_owned());
        };

        let role = Role::parse(role).ok_or_else(|| {
            format!("`{role}` is not a role; write admin, author, approver, reader or auditor")
        })?;
        if !role.is_staff() {
            // It would have to name a participant or a scope.
            let role = role.name();
            return Err(format!("`{name}`: make a key of the role `{role}` with `accredit keys`"));
        }

        let same = |known: &NamedToken| known.name.eq_ignore_ascii_case(name);
        if name.is_empty() || token.is_empty() || all.iter().any(same) {
            return Err(format!("`{name}` must be listed once, with a token"));
        }
        if is_reserved_name(name) {
            return Err(format!("`{name}` is reserved for the server itself in the audit trail"));
        }

        if let Some(other) = all.iter().find(|known| known.token.expose_secret() == token) {
            // Two names with one token would approve each other.
            return Err(format!("`{}` and `{name}` have the same token", other.name));
        }

        check_length(token).map_err(|error| format!("`{name}`: {error}"))?;
        all.push(NamedToken { name: name.to_owned(), role, token: token.into() });
    }

    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "0123456789abcdef";

    fn read(variables: &[(&str, &str)]) -> Result<Credentials, String> {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        CredentialSources::from_variables(owned).read()
    }

    /// A token of one character was accepted.
    #[test]
    fn short_tokens_are_refused_and_never_shown() {
        for length in 0..=20 {
            let token = &"q7".repeat(10)[..length];
            let one = read(&[("ACCREDIT_TOKEN", token)]);
            assert_eq!(one.is_ok(), length == 0 || length >= 16, "{length}");
            let named = read(&[("ACCREDIT_TOKENS", &format!("eva:author:{token}"))]);
            assert_eq!(named.is_ok(), length >= 16, "{length}");
            for refused in [one.err(), named.err()].into_iter().flatten().filter(|_| length > 3) {
                assert!(!refused.contains(token), "{refused}");
            }
        }
    }

    #[test]
    fn files_hold_what_variables_hold() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
        fs::write(path("token"), format!("{LONG}\n")).unwrap();
        fs::write(path("tokens"), format!("eva:author:{LONG}1\nida:approver:{LONG}2\n")).unwrap();
        fs::write(path("crm"), "one two\n").unwrap();
        let files = [
            ("ACCREDIT_TOKEN_FILE", path("token")),
            ("ACCREDIT_TOKENS_FILE", path("tokens")),
            ("ACCREDIT_SECRET_CRM_FILE", path("crm")),
        ];
        let files: Vec<(&str, &str)> =
            files.iter().map(|(name, path)| (*name, path.as_str())).collect();
        let read_back = read(&files).unwrap();
        assert_eq!(read_back.token.unwrap().expose_secret(), LONG);
        assert_eq!(read_back.tokens.len(), 2);
        assert_eq!(read_back.secrets["ACCREDIT_SECRET_CRM"].len(), 2);

        let both = [files[0], ("ACCREDIT_TOKEN", LONG)];
        assert!(read(&both).unwrap_err().contains("are both set"));
        fs::write(path("token"), "").unwrap();
        assert!(read(&files).unwrap_err().contains("the file is empty"));
        assert!(read(&[("ACCREDIT_TOKEN_FILE", "/nowhere/token")]).is_err());
    }

    #[test]
    fn nothing_secret_is_shown() {
        let variables =
            [("ACCREDIT_TOKEN", LONG), ("ACCREDIT_SECRET_CRM", "whsec_hidden-away-0123456789")];
        let owned = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let sources = CredentialSources::from_variables(owned);
        let shown = format!("{sources:?} {:?}", sources.read().unwrap());
        assert!(!shown.contains(LONG) && !shown.contains("hidden"), "{shown}");
    }
}
