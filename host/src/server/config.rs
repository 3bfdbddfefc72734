//! What the server is told: command line and environment, read once.
//!
//! Not defaults of the domain (those are in the workspace) and not the tokens and secrets themselves
//! (`credentials`). Called by `cli::serve` and `demo`.

use std::path::PathBuf;
use std::time::Duration;

use accredit_domain::limits::Limits;
use accredit_domain::rate_limit::RateLimit;
use jiff::civil::Date;
use lettre::message::Mailbox;
use serde::Serialize;
use utoipa::ToSchema;

#[cfg(feature = "crash-points")]
use crate::crash_points::CrashPoint;
#[cfg(feature = "oidc")]
use crate::oidc::OidcSettings;
use crate::plugins::DatabaseAddress;
use crate::server::credentials::{CredentialSources, Credentials};
use crate::server::peers::AddressRange;
use crate::server::tls::TlsFiles;

/// Where backups are kept, how often one is made, and how many are kept.
#[derive(Debug, Clone)]
pub(crate) struct BackupPlan {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// How often the server makes one by itself; none where it is asked for each.
    pub(crate) every: Option<Duration>,
    /// How many are kept, at least one.
    pub(crate) keep: usize,
}

/// Who gets a digest of alerts by mail, and how often.
#[derive(Debug, Clone)]
pub(crate) struct MailPlan {
    /// The sender.
    pub(crate) from: Mailbox,
    /// Those who get it.
    pub(crate) recipients: Vec<Mailbox>,
    /// The time between two digests, at least.
    pub(crate) every: Duration,
}

/// Where checkpoints of the audit trail are written, and when.
#[derive(Debug, Clone)]
pub(crate) struct CheckpointPlan {
    /// The folder, outside the data file.
    pub(crate) folder: PathBuf,
    /// How often one is written where the trail grew; none where only rows are counted.
    pub(crate) every: Option<Duration>,
    /// After how many rows one is written, at least one.
    pub(crate) rows: u64,
}

/// While a database is copied no host may begin to decide on it: the copy renews this lease until its end.
pub(crate) const LEASE_OF_COPY: Duration = Duration::from_secs(10);

/// A database that several hosts share.
#[derive(Debug, Clone)]
pub(crate) struct SharedDatabase {
    /// How it is reached.
    pub(crate) address: DatabaseAddress,
    /// Where the other hosts reach this one; none for the address that it listens on.
    pub(crate) advertised: Option<String>,
    /// How long a host that is gone keeps the others from deciding.
    pub(crate) lease: Duration,
}

/// A person of the sample company whom one can look at it as.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct DemoSignIn {
    /// The name.
    pub(crate) name: String,
    /// What the person does.
    pub(crate) title: &'static str,
    /// What the person may do in accredit.
    pub(crate) role: &'static str,
    /// The address that the person signs in with.
    pub(crate) email: String,
    /// The password, which was made for this run of the sample company.
    pub(crate) password: String,
    /// The participant whom the person is; null for the staff.
    pub(crate) participant: Option<String>,
}

/// Everything that a server is started with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    /// The data file; the address of a database without its password.
    pub(crate) data: PathBuf,
    /// The database that it shares with other hosts, in place of a data file.
    pub(crate) database: Option<SharedDatabase>,
    /// Whether the data file is made when there is none.
    pub(crate) create: bool,
    /// The customer's directory.
    pub(crate) workspace: Option<PathBuf>,
    /// Address and port.
    pub(crate) listen: String,
    /// Whether changed files of the directory are brought in.
    pub(crate) watch: bool,
    /// The most that a change in the watched directory may move.
    pub(crate) watch_limits: Limits,
    /// The business date, if it is not today.
    pub(crate) business_date: Option<Date>,
    /// Whether a change needs a second person's approval.
    pub(crate) four_eyes: bool,
    /// Where backups are kept and how often one is made; none without a folder for them.
    pub(crate) backups: Option<BackupPlan>,
    /// Who gets a digest of alerts; none without recipients.
    pub(crate) mail: Option<MailPlan>,
    /// Private addresses that events may be sent to.
    pub(crate) private_destinations: Vec<AddressRange>,
    /// The provider of OpenID Connect, where people sign in with one.
    #[cfg(feature = "oidc")]
    pub(crate) oidc: Option<OidcSettings>,
    /// Where checkpoints of the audit trail are written; none without a folder for them.
    pub(crate) checkpoints: Option<CheckpointPlan>,
    /// The certificate of the server; none for HTTP without TLS.
    pub(crate) tls: Option<TlsFiles>,
    /// Whose `X-Forwarded-For` counts.
    pub(crate) trusted_proxies: Vec<AddressRange>,
    /// How many requests a client may send that the server does not know; none for as many as it likes.
    pub(crate) peer_limit: Option<RateLimit>,
    /// Whom one can look at a sample company as; empty for a server with data of its own.
    pub(crate) demo_people: Vec<DemoSignIn>,
    /// The commit at which a test ends the program.
    #[cfg(feature = "crash-points")]
    pub(crate) crash_point: Option<CrashPoint>,
    /// Tokens and secrets as they are at the start.
    pub(crate) credentials: Credentials,
    /// Where they come from, to read them again.
    pub(crate) sources: CredentialSources,
}

impl Config {
    /// A configuration with what the environment says.
    ///
    /// # Errors
    /// When a variable is not understood.
    pub(crate) fn from_environment(
        data: PathBuf,
        workspace: Option<PathBuf>,
    ) -> Result<Config, String> {
        let text = |name: &str| std::env::var(name).ok().filter(|text| !text.trim().is_empty());

        let business_date = match text("ACCREDIT_BUSINESS_DATE") {
            None => None,
            Some(date) => Some(date.trim().parse().map_err(|_| {
                format!("`ACCREDIT_BUSINESS_DATE` is `{date}`; expected a date such as 2026-01-31")
            })?),
        };

        let listen = "127.0.0.1:8080".to_owned();
        let sources = CredentialSources::from_environment();
        let credentials = sources.read()?;

        Ok(Config {
            data,
            workspace,
            listen,
            business_date,
            #[cfg(feature = "oidc")]
            oidc: OidcSettings::from_variables(text)?,
            #[cfg(feature = "crash-points")]
            crash_point: CrashPoint::from_variables(text)?,
            credentials,
            sources,
            ..Config::default()
        })
    }
}
