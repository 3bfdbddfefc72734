//! Which hosts a token may be sent to.
//!
//! **Architecture invariant:** who writes `accredit.toml` does not decide it: hosts are those of the
//! connector, or those that an administrator named in the environment of the server.

use std::net::IpAddr;

use ureq::http::Uri;

use super::{ApiSource, FetchFailure};
use crate::server::credentials::Credentials;
use crate::server::credentials::api_access::hosts_variable;

/// Whether a request with a token may go to `url`.
///
/// # Errors
/// Why not, and what to do about it.
pub(super) fn check_target(
    url: &str,
    source: ApiSource<'_>,
    credentials: &Credentials,
) -> Result<(), FetchFailure> {
    let Some(target) = Target::parse(url) else {
        let reason = "the URL of the API must begin with https://: a token is sent there";
        return Err(FetchFailure::Lasting(reason.to_owned()));
    };

    let named = credentials.api.hosts_of(source.name);
    let allowed = match &named {
        Some(named) => named.iter().any(|pattern| target.fits(pattern)),
        None => source.connector.api_hosts().iter().any(|pattern| target.fits(pattern)),
    };
    if allowed {
        return Ok(());
    }
    let (variable, host) = (hosts_variable(source.name), &target.host);
    let why = match named {
        Some(_) => format!("`{variable}` does not name it"),
        None => format!("it is no host of the connector `{}`", source.connector.name()),
    };
    Err(FetchFailure::NotReady(format!(
        "nothing is sent to `{host}`: {why}; if a token of `{}` belongs there, an administrator names the \
         host in `{variable}`",
        source.name
    )))
}

/// Where a URL leads.
struct Target {
    /// Its host in small letters, an address of version 6 in brackets.
    host: String,
    port: u16,
}

impl Target {
    /// The target of a URL that may carry a token: over TLS, or without leaving the machine.
    fn parse(url: &str) -> Option<Target> {
        // As the client reads it that sends the request.
        let uri: Uri = url.parse().ok()?;
        // A user name in front of `@` could look like a host.
        if uri.authority()?.as_str().contains('@') {
            return None;
        }
        let host = uri.host()?.to_ascii_lowercase();
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address: Option<IpAddr> = bare.unwrap_or(&host).parse().ok();
        let is_loopback = address.is_some_and(|address| address.is_loopback());
        let default_port = match uri.scheme_str()? {
            "https" => 443,
            "http" if is_loopback => 80,
            _ => return None,
        };
        Some(Target { port: uri.port_u16().unwrap_or(default_port), host })
    }

    /// Whether it is a host that `pattern` names, label by label.
    fn fits(&self, pattern: &str) -> bool {
        let pattern = pattern.to_ascii_lowercase();
        let (name, port) = match pattern.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, port.parse().ok()),
            _ => (pattern.as_str(), None),
        };
        if port.is_some_and(|port: u16| port != self.port) {
            return false;
        }
        if name.starts_with('[') || !name.contains('*') {
            return name == self.host;
        }

        let (mut labels, mut parts) = (self.host.split('.'), name.split('.'));
        loop {
            match (labels.next(), parts.next()) {
                (None, None) => return true,
                (Some(label), Some(part)) if label_fits(label, part) => (),
                _ => return false,
            }
        }
    }
}

/// Whether a label is `part`, or begins as it says in front of a `*`.
fn label_fits(label: &str, part: &str) -> bool {
    match part.strip_suffix('*') {
        Some(begin) => !label.is_empty() && label.starts_with(begin),
        None => label == part,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token went out in clear text to any host that the settings named.
    #[test]
    fn a_token_leaves_the_machine_over_tls_alone() {
        for url in [
            "https://api.hubapi.com/x",
            "http://127.0.0.1:8080/x",
            "http://[::1]:1/x",
            "https://10.0.0.1",
        ] {
            assert!(Target::parse(url).is_some(), "{url}");
        }
        for url in [
            "http://api.hubapi.com/x",
            "http://127.0.0.1.example.com/x",
            "http://127.0.0.1@example.com/x",
            "http://127.0.0.1:80@example.com/x",
            "https://api.hubapi.com@example.com/x",
            "http://localhost.example/x",
            "ftp://127.0.0.1/x",
            "http://",
            "/x",
            "",
        ] {
            assert!(Target::parse(url).is_none(), "{url}");
        }
    }

    #[test]
    fn a_host_is_named_label_by_label() {
        let fits = |url: &str, pattern: &str| Target::parse(url).unwrap().fits(pattern);
        for (url, pattern) in [
            ("https://API.hubapi.com/x", "api.hubapi.com"),
            ("https://api.hubapi.com:443/x", "api.hubapi.com:443"),
            ("https://api.hubapi.com:8443/x", "api.hubapi.com"),
            ("https://acme.crm4.dynamics.com", "*.crm*.dynamics.com"),
            ("https://acme.crm.dynamics.com", "*.crm*.dynamics.com"),
            ("http://127.0.0.1:8080/x", "127.0.0.1"),
            ("http://127.0.0.1:8080/x", "127.0.0.1:8080"),
            ("http://[::1]:8080/x", "[::1]"),
            ("http://[::1]:8080/x", "[::1]:8080"),
        ] {
            assert!(fits(url, pattern), "{url} {pattern}");
        }
        for (url, pattern) in [
            ("https://api.hubapi.com.evil.example/x", "api.hubapi.com"),
            ("https://evil.example/api.hubapi.com", "api.hubapi.com"),
            ("https://xapi.hubapi.com", "api.hubapi.com"),
            ("https://api.hubapi.com:8443/x", "api.hubapi.com:443"),
            ("https://acme.crm4.dynamics.com.evil.example", "*.crm*.dynamics.com"),
            ("https://a.b.crm4.dynamics.com", "*.crm*.dynamics.com"),
            ("https://acme.xcrm.dynamics.com", "*.crm*.dynamics.com"),
            ("https://dynamics.com", "*.crm*.dynamics.com"),
            ("https://crm.dynamics.com", "*.crm*.dynamics.com"),
            ("http://127.0.0.1:8080/x", "127.0.0.1:80"),
            ("http://127.0.0.2:8080/x", "127.0.0.1"),
            ("https://api.hubapi.com./x", "api.hubapi.com"),
        ] {
            assert!(!fits(url, pattern), "{url} {pattern}");
        }
    }
}
