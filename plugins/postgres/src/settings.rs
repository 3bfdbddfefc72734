//! The address of a database: read from a URL, and shown without its password.
//!
//! Not connecting. TLS is used unless the address says `sslmode=disable` or is of this machine: rows and
//! the password must not cross a network in the clear by default.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// Connections for snapshots at a time; two more are for commits and for the lease.
const CONNECTIONS_DEFAULT: usize = 16;

/// How long a connection may take to be made.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A peer that acknowledges nothing for so long is gone.
const SILENT_PEER_TIMEOUT: Duration = Duration::from_secs(15);

/// How a database is reached.
#[derive(Clone)]
pub struct PostgresSettings {
    /// Has the password: never shown.
    pub(crate) config: Config,
    /// A file of certificates, in place of those that are built in.
    pub(crate) root_certificates: Option<PathBuf>,
    /// How many snapshots may be open at a time.
    pub(crate) connections: usize,
    shown: String,
}

impl fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresSettings").field(&self.shown).finish()
    }
}

impl fmt::Display for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// Whether a text is the address of a database, and not of a file.
pub(crate) fn is_postgres_url(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

impl PostgresSettings {
    /// Whether a text is the address of a database.
    #[must_use]
    pub fn is_address(text: &str) -> bool {
        is_postgres_url(text)
    }

    /// Reads `postgres://user:password@host:port/database?sslmode=…&sslrootcert=FILE&connections=16`.
    ///
    /// # Errors
    /// What is wrong with it, without its password.
    pub fn parse(url: &str) -> Result<PostgresSettings, String> {
        if !is_postgres_url(url) {
            return Err("the address of a database begins with `postgres://`".to_owned());
        }

        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut kept = Vec::new();
        let (mut tls, mut root_certificates) = (None, None);
        let mut connections = CONNECTIONS_DEFAULT;
        for part in query.split('&').filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some(("sslmode", mode)) => tls = Some(tls_mode(mode)?),
                Some(("sslrootcert", file)) => {
                    let file = percent_decode_str(file).decode_utf8_lossy().into_owned();
                    root_certificates = Some(PathBuf::from(file));
                }
                Some(("connections", count)) => {
                    let count = count.parse().ok().filter(|count| (1..=1000).contains(count));
                    connections = count.ok_or("`connections` is a number from 1 to 1000")?;
                }
                _ => kept.push(part),
            }
        }

        let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
        // Its error may quote the address, and with it the password.
        let config: Result<Config, _> = format!("{base}{query}").parse();
        let mut config = config.map_err(|_| {
            "the address of the database is not understood; expected \
             postgres://user:password@host:port/database, with special characters of the password \
             written as %XX"
        })?;
        if config.get_hosts().is_empty() {
            return Err("the address of the database names no host".to_owned());
        }

        config.ssl_mode(tls.unwrap_or_else(|| default_tls(&config)));
        config.application_name("accredit").target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.connect_timeout(CONNECT_TIMEOUT).tcp_user_timeout(SILENT_PEER_TIMEOUT);
        config.keepalives(true).keepalives_idle(SILENT_PEER_TIMEOUT);
        config.keepalives_interval(CONNECT_TIMEOUT);
        let shown = without_password(&config);
        Ok(PostgresSettings { config, root_certificates, connections, shown })
    }

    /// Whether the database is on this machine, so that only processes of this machine use this address.
    #[must_use]
    pub fn is_on_this_machine(&self) -> bool {
        is_of_this_machine(&self.config)
    }

    /// The same with a password that is kept elsewhere.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> PostgresSettings {
        self.config.password(password);
        self
    }
}

fn tls_mode(mode: &str) -> Result<SslMode, String> {
    match mode {
        "disable" => Ok(SslMode::Disable),
        // A certificate is always verified: a connection that is not would hide a false server.
        "require" | "verify-ca" | "verify-full" => Ok(SslMode::Require),
        _ => Err(format!("`sslmode={mode}`: use `disable` or `verify-full`")),
    }
}

fn is_of_this_machine(config: &Config) -> bool {
    let is_here = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1" | "[::1]"),
    };
    config.get_hosts().iter().all(is_here)
}

fn default_tls(config: &Config) -> SslMode {
    if is_of_this_machine(config) { SslMode::Disable } else { SslMode::Require }
}

fn without_password(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(place, host)| {
        let port = ports.get(place).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(folder) => format!("{}:{port}", folder.display()),
        }
    });
    let hosts: Vec<String> = hosts.collect();
    let user = config.get_user().unwrap_or_default();
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("postgres://{user}@{}/{database}", hosts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        let url = "postgres://eva:s3cret@db.example.com:6000/acme?connections=4";
        let settings = PostgresSettings::parse(url).unwrap();
        assert_eq!(settings.to_string(), "postgres://eva@db.example.com:6000/acme");
        assert!(!format!("{settings:?}").contains("s3cret"));
        assert_eq!(settings.connections, 4);

        for wrong in ["postgres://eva:s3cret@db:port/acme", "postgres://eva:s3cret@db/a?x=s3cret"] {
            let error = PostgresSettings::parse(wrong).unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn tls_is_used_unless_the_address_is_of_this_machine_or_refuses_it() {
        let mode = |url: &str| PostgresSettings::parse(url).unwrap().config.get_ssl_mode();
        assert_eq!(mode("postgres://eva@db.example.com/acme"), SslMode::Require);
        assert_eq!(mode("postgres://eva@db.example.com/acme?sslmode=disable"), SslMode::Disable);
        assert_eq!(mode("postgres://eva@127.0.0.1/acme"), SslMode::Disable);
        let is_here = |url: &str| PostgresSettings::parse(url).unwrap().is_on_this_machine();
        assert!(is_here("postgres://eva@localhost/acme"));
        assert!(!is_here("postgres://eva@localhost,db.example.com/acme"));
        assert_eq!(mode("postgres://eva@localhost/acme?sslmode=verify-full"), SslMode::Require);
        assert!(PostgresSettings::parse("postgres://eva@db/acme?sslmode=allow").is_err());
    }
}
