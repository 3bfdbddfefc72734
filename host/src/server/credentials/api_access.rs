//! What a source may do at the API of its CRM, as the environment says: a token, or a client that renews
//! tokens, and the hosts that they may be sent to.
//!
//! Not renewing (`crm_api::tokens`) and not sending (`crm_api`). Read with all other credentials.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::source_variable;

/// What all of these variables begin with.
pub(super) const PREFIX: &str = "ACCREDIT_API_";

/// The kinds of variables; `<SOURCE>` follows.
const TOKEN: &str = "ACCREDIT_API_TOKEN_";
const CLIENT_ID: &str = "ACCREDIT_API_CLIENT_ID_";
const CLIENT_SECRET: &str = "ACCREDIT_API_CLIENT_SECRET_";
const REFRESH_TOKEN: &str = "ACCREDIT_API_REFRESH_TOKEN_";
const HOSTS: &str = "ACCREDIT_API_HOSTS_";

/// Whether a variable is one of these.
pub(super) fn is_api_variable(name: &str) -> bool {
    [TOKEN, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, HOSTS]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// The values of these variables, by their names.
#[derive(Debug, Clone, Default)]
pub(crate) struct ApiVariables(BTreeMap<String, SecretString>);

/// How the API of a CRM is told who asks.
#[derive(Debug, Clone)]
pub(crate) enum ApiAccess {
    /// A token that does not expire, or that a person renews.
    Token(SecretString),
    /// A client whose tokens are renewed.
    Client(ApiClient),
}

/// A client of OAuth 2.0.
#[derive(Debug, Clone)]
pub(crate) struct ApiClient {
    /// Its id.
    pub(crate) id: SecretString,
    /// Its secret.
    pub(crate) secret: SecretString,
    /// What is exchanged for tokens; without one the client asks in its own name.
    pub(crate) refresh_token: Option<SecretString>,
}

impl ApiVariables {
    /// Keeps the value of one.
    pub(super) fn insert(&mut self, name: &str, value: SecretString) {
        self.0.insert(name.to_owned(), value);
    }

    /// What the audit trail says of them: which are set, and the hosts, which are no secret.
    pub(super) fn audit_view(&self) -> BTreeMap<&str, Option<&str>> {
        let shown = |name: &str| name.starts_with(HOSTS);
        let values = self.0.iter();
        let values = values.map(|(name, value)| {
            (name.as_str(), Some(value.expose_secret()).filter(|_| shown(name)))
        });
        values.collect()
    }

    fn get(&self, prefix: &str, source: &str) -> Option<&SecretString> {
        self.0.get(&source_variable(prefix, source))
    }

    /// How the API behind `source` is told who asks.
    ///
    /// # Errors
    /// Which variables are missing.
    pub(crate) fn access_of(&self, source: &str) -> Result<ApiAccess, String> {
        if let Some(token) = self.get(TOKEN, source) {
            return Ok(ApiAccess::Token(token.clone()));
        }
        let (id, secret) = (self.get(CLIENT_ID, source), self.get(CLIENT_SECRET, source));
        let (Some(id), Some(secret)) = (id, secret) else {
            return Err(format!(
                "set `{}` to a token for the CRM's API, or `{}` and `{}` to a client that renews its \
                 tokens",
                source_variable(TOKEN, source),
                source_variable(CLIENT_ID, source),
                source_variable(CLIENT_SECRET, source)
            ));
        };
        let refresh_token = self.get(REFRESH_TOKEN, source).cloned();
        Ok(ApiAccess::Client(ApiClient { id: id.clone(), secret: secret.clone(), refresh_token }))
    }

    /// The hosts that an administrator named for `source`; none where those of the connector count.
    pub(crate) fn hosts_of(&self, source: &str) -> Option<Vec<&str>> {
        let named = self.get(HOSTS, source)?.expose_secret();
        Some(named.split([' ', ',', '\n', '\r', '\t']).filter(|host| !host.is_empty()).collect())
    }

    /// Whether they fit together.
    ///
    /// # Errors
    /// Which variable does not, and why; never what it holds.
    pub(super) fn check(&self) -> Result<(), String> {
        for (name, value) in &self.0 {
            if let Some(rest) = name.strip_prefix(HOSTS) {
                let hosts = self.hosts_of(rest).unwrap_or_default();
                if let Some(wrong) = hosts.iter().find(|host| !is_host(host)) {
                    return Err(format!(
                        "`{name}`: `{wrong}` is not a host; write names such as api.example.com, \
                         separated by spaces"
                    ));
                }
                continue;
            }

            // They go into headers and forms of requests.
            if !value.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(format!(
                    "`{name}` has a space or another character that cannot be sent"
                ));
            }
            let Some(source) = name.strip_prefix(CLIENT_ID) else { continue };
            if !self.0.contains_key(&format!("{CLIENT_SECRET}{source}")) {
                return Err(format!("`{name}` is set without `{CLIENT_SECRET}{source}`"));
            }
            if self.0.contains_key(&format!("{TOKEN}{source}")) {
                return Err(format!("`{name}` and `{TOKEN}{source}` are both set; keep one"));
            }
        }
        Ok(())
    }
}

/// The variable that names the hosts of `source`.
pub(crate) fn hosts_variable(source: &str) -> String {
    source_variable(HOSTS, source)
}

/// A host, with a port or without, in which `*` may stand for a label.
fn is_host(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-.*:[]".contains(&byte);
    text.bytes().all(is_part) && text.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> ApiVariables {
        let mut all = ApiVariables::default();
        pairs.iter().for_each(|(name, value)| all.insert(name, (*value).into()));
        all
    }

    #[test]
    fn a_source_has_a_token_or_a_client() {
        let id = ("ACCREDIT_API_CLIENT_ID_MY_CRM", "an-id");
        let secret = ("ACCREDIT_API_CLIENT_SECRET_MY_CRM", "a-secret");
        let token = ("ACCREDIT_API_TOKEN_MY_CRM", "a-token");
        let missing = variables(&[]).access_of("my-crm").unwrap_err();
        assert!(missing.contains("`ACCREDIT_API_TOKEN_MY_CRM`"), "{missing}");
        assert!(missing.contains("`ACCREDIT_API_CLIENT_SECRET_MY_CRM`"), "{missing}");

        let fixed = variables(&[token]);
        assert!(matches!(fixed.access_of("my-crm"), Ok(ApiAccess::Token(_))));
        let renewed = variables(&[id, secret, ("ACCREDIT_API_REFRESH_TOKEN_MY_CRM", "r")]);
        let Ok(ApiAccess::Client(client)) = renewed.access_of("my-crm") else { panic!() };
        assert!(client.refresh_token.is_some());

        assert!(renewed.check().is_ok() && fixed.check().is_ok());
        assert!(variables(&[id]).check().unwrap_err().contains("CLIENT_SECRET_MY_CRM"));
        let both = variables(&[id, secret, token]).check().unwrap_err();
        assert!(both.contains("both set") && !both.contains("a-secret"), "{both}");
        let broken = variables(&[("ACCREDIT_API_TOKEN_MY_CRM", "hidden\nx")]).check().unwrap_err();
        assert!(!broken.contains("hidden"), "{broken}");
    }

    #[test]
    fn hosts_are_hosts() {
        let named = variables(&[("ACCREDIT_API_HOSTS_CRM", "a.example, 127.0.0.1:80 [::1]")]);
        assert_eq!(named.hosts_of("crm"), Some(vec!["a.example", "127.0.0.1:80", "[::1]"]));
        assert!(named.check().is_ok());
        assert_eq!(named.hosts_of("other"), None);
        for wrong in ["https://a.example", "a.example/x", "*", "u@a.example"] {
            assert!(variables(&[("ACCREDIT_API_HOSTS_CRM", wrong)]).check().is_err(), "{wrong}");
        }
    }
}
