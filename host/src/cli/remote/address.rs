//! The address of a server, the token for it, and the authorities that may sign its certificate.
//!
//! Not asking it (`client`). Flattened into the options of every verb that calls a server.
//!
//! **Architecture invariant:** a token from the command line or a file stays in a secrecy type.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::SecretString;
use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

use crate::cli::remote::client::Client;

/// The address of a server.
#[derive(Debug, Args)]
pub(crate) struct ServerAddress {
    /// The URL of the server.
    #[arg(long, value_name = "URL", env = "ACCREDIT_URL", default_value = "http://127.0.0.1:8080")]
    server: String,
    #[command(flatten)]
    access: ServerAccess,
}

impl ServerAddress {
    /// A client of it.
    ///
    /// # Errors
    /// Which file cannot be used.
    pub(crate) fn make_client(&self) -> Result<Client, String> {
        self.access.make_client(&self.server)
    }
}

/// How a client authenticates and which certificates it trusts.
#[derive(Debug, Args)]
pub(crate) struct ServerAccess {
    /// The server's token.
    #[arg(long, value_name = "TOKEN", env = "ACCREDIT_TOKEN", hide_env_values = true)]
    token: Option<SecretString>,
    /// A file that holds the server's token.
    #[arg(long, value_name = "FILE", env = "ACCREDIT_TOKEN_FILE")]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    authorities: TrustedAuthorities,
}

/// Which authorities may sign the certificate of the server.
#[derive(Debug, Args)]
pub(crate) struct TrustedAuthorities {
    /// Certificates (PEM) of the authorities trusted for the server, instead of the public ones.
    #[arg(long, value_name = "FILE", env = "ACCREDIT_CA_FILE")]
    ca_file: Option<PathBuf>,
}

impl TrustedAuthorities {
    /// Those of the file, or the public ones.
    ///
    /// # Errors
    /// Why the file cannot be used.
    pub(crate) fn roots(&self) -> Result<RootCerts, String> {
        match &self.ca_file {
            Some(path) => Ok(RootCerts::new_with_certs(&read_certificates(path)?)),
            None => Ok(RootCerts::WebPki),
        }
    }
}

impl ServerAccess {
    /// A client of the server at `url`.
    ///
    /// # Errors
    /// Which file cannot be used.
    pub(crate) fn make_client(&self, url: &str) -> Result<Client, String> {
        let token = match (&self.token, &self.token_file) {
            (Some(token), _) => token.clone(),
            (None, Some(path)) => read_trimmed(path)?.trim().into(),
            (None, None) => SecretString::default(),
        };

        Ok(Client::new(url, token, self.authorities.roots()?))
    }
}

fn read_trimmed(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("`{}`: {error}", path.display()))
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let text = read_trimmed(path)?;
    let items = parse_pem(text.as_bytes());

    let certificates: Vec<Certificate<'static>> = items
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();

    if certificates.is_empty() {
        let help = "it needs a block that begins with -----BEGIN CERTIFICATE-----";
        return Err(format!("`{}` contains no certificate; {help}", path.display()));
    }

    Ok(certificates)
}
