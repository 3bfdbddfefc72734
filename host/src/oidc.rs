//! Signing in by OpenID Connect: what is configured, and what both halves of it share.
//!
//! Not the routes (`http::access::oidc`) and not sign-ins under way (`server::sign_ins`). The provider is
//! asked in `provider`; what it says of a person is verified in `token`. Source: OpenID Connect Core 1.0,
//! RFC 7636 (PKCE), RFC 9700.
//!
//! **Architecture invariant:** a secret, a code and a token go to the provider alone, over TLS or to the
//! same machine, and into no message.

pub(crate) mod provider;
mod token;

use std::path::PathBuf;

use secrecy::SecretString;

/// What is configured of a provider.
#[derive(Debug, Clone)]
pub(crate) struct OidcSettings {
    /// The issuer, exactly as its tokens name it.
    pub(crate) issuer: String,
    /// The name that the provider knows this server by.
    pub(crate) client_id: String,
    /// The secret that goes with the name; none of a public client.
    pub(crate) client_secret: Option<SecretString>,
    /// The address of `/v1/session/oidc/callback` as browsers reach it.
    pub(crate) redirect: String,
    /// The claim that has a person's address of mail; none for `email`, which must be verified.
    pub(crate) claim: Option<String>,
    /// Where a browser goes once the person has signed in.
    pub(crate) landing: String,
}

impl OidcSettings {
    /// What variables say; none where no issuer is set.
    ///
    /// # Errors
    /// Which variable is missing or cannot be used; never what a secret holds.
    pub(crate) fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<OidcSettings>, String> {
        let Some(issuer) = variable("ACCREDIT_OIDC_ISSUER") else { return Ok(None) };
        let needed = |name: &str| {
            variable(name).ok_or_else(|| format!("`ACCREDIT_OIDC_ISSUER` needs `{name}` as well"))
        };
        let client_secret = match variable("ACCREDIT_OIDC_CLIENT_SECRET_FILE") {
            Some(path) => {
                let text = std::fs::read_to_string(PathBuf::from(&path));
                let text = text.map_err(|error| {
                    format!("`ACCREDIT_OIDC_CLIENT_SECRET_FILE` (`{path}`): {error}")
                })?;
                Some(text.trim().to_owned())
            }
            None => variable("ACCREDIT_OIDC_CLIENT_SECRET"),
        };

        let redirect = needed("ACCREDIT_OIDC_REDIRECT")?;
        for (name, url) in [("ISSUER", &issuer), ("REDIRECT", &redirect)] {
            if !is_protected(url) {
                return Err(format!(
                    "`ACCREDIT_OIDC_{name}` must begin with https://, or name an address of this machine"
                ));
            }
        }
        Ok(Some(OidcSettings {
            client_id: needed("ACCREDIT_OIDC_CLIENT_ID")?,
            client_secret: client_secret.filter(|secret| !secret.is_empty()).map(Into::into),
            // An address in `email` has to be verified, whether the claim is named or not.
            claim: variable("ACCREDIT_OIDC_CLAIM").filter(|claim| claim != "email"),
            landing: variable("ACCREDIT_OIDC_LANDING").unwrap_or_else(|| "/v1/me".to_owned()),
            issuer,
            redirect,
        }))
    }
}

/// Whether a secret may be sent to a URL: over TLS, or without leaving the machine.
fn is_protected(url: &str) -> bool {
    if url.starts_with("https://") {
        return true;
    }
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A user name in front of `@` could look like a host.
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
