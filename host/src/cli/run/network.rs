//! Options of `accredit serve` about the network: TLS, proxies, limits.
//!
//! Not the server's other options (`serve`).

use std::path::PathBuf;

use accredit_domain::rate_limit::RateLimit;
use clap::Args;

use crate::server::config::Config;
use crate::server::peers::AddressRange;
use crate::server::tls::TlsFiles;

/// How clients reach the server.
#[derive(Debug, Args)]
pub(crate) struct NetworkArguments {
    /// Speak TLS with this certificate, a PEM file with the certificates that signed it behind it. A
    /// file that changes is read again, as on SIGHUP.
    #[arg(long, value_name = "FILE", env = "ACCREDIT_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate, a PEM file.
    #[arg(long, value_name = "FILE", env = "ACCREDIT_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Take the client's address from `X-Forwarded-For` if this proxy sends the request; for several,
    /// repeat it or separate them by commas.
    #[arg(
        long = "trusted-proxy",
        value_name = "ADDR[/BITS]",
        env = "ACCREDIT_TRUSTED_PROXIES",
        value_delimiter = ','
    )]
    trusted_proxies: Vec<AddressRange>,
    /// Answer so many requests of one address that have no valid token, key, session or signature, such
    /// as 300/minute; `none` sets no limit.
    #[arg(
        long, value_name = "RATE", env = "ACCREDIT_PEER_LIMIT", default_value = "300/minute",
        value_parser = peer_limit
    )]
    peer_limit: PeerLimit,
}

/// How many requests an unknown client may send; none for as many as it likes.
#[derive(Debug, Clone, Copy)]
struct PeerLimit(Option<RateLimit>);

fn peer_limit(text: &str) -> Result<PeerLimit, String> {
    match text.trim() {
        "none" => Ok(PeerLimit(None)),
        rate => rate.parse().map(|limit| PeerLimit(Some(limit))),
    }
}

impl NetworkArguments {
    /// The configuration with these options.
    pub(crate) fn apply(self, config: Config) -> Config {
        let files = self.tls_cert.zip(self.tls_key);
        let tls = files.map(|(certificate, key)| TlsFiles { certificate, key });
        let (trusted_proxies, peer_limit) = (self.trusted_proxies, self.peer_limit.0);
        Config { tls, trusted_proxies, peer_limit, ..config }
    }
}
