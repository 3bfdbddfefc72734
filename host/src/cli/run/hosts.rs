//! `accredit serve --store`: a host on a database that others use as well, until it is told to stop.
//!
//! Not the roles (`server::hosts`). A host whose role changes starts its server anew, on the same socket.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use accredit_seams::store::shared::{DecidingLease, HandlePurpose, LeaseClaim, SharedStore};
use clap::Args;

use crate::cli::run::interval::{TimeInterval, parse_interval};
use crate::cli::run::serve::{SHUTDOWN_WAIT, server_runtime, stop_asked};
use crate::plugins;
use crate::server::config::{Config, SharedDatabase};
use crate::server::host_role::HostRole;
use crate::server::hosts::{HostPlace, LeaseKeeper, role_is_over};
use crate::server::{RunningServer, Server, bind_address};

/// The address of the database, its password, and what is in a file.
const STORE: &str = "ACCREDIT_STORE";
const STORE_PASSWORD: &str = "ACCREDIT_STORE_PASSWORD";

/// The shortest lease: a host must be able to miss a renewal.
const LEASE_MIN: Duration = Duration::from_secs(2);

/// A host that cannot follow yet tries again after so long: the one that decides may be filling the database.
const FOLLOW_AGAIN: Duration = Duration::from_secs(1);

/// Options for a database that several hosts share.
#[derive(Debug, Args)]
pub(crate) struct DatabaseArguments {
    /// A PostgreSQL database, which takes precedence over a data file, such as
    /// postgres://user@host/accredit. Several hosts may serve one. Better than on the command line, set it as
    /// `ACCREDIT_STORE` or put it in the file that `ACCREDIT_STORE_FILE` names; its password may be in
    /// `ACCREDIT_STORE_PASSWORD` or in the file that `ACCREDIT_STORE_PASSWORD_FILE` names.
    #[arg(long, value_name = "URL", conflicts_with = "create")]
    store: Option<String>,
    /// Where the other hosts on the database reach this one, such as http://10.0.0.5:8080; needed where
    /// `--listen` is an address of this machine alone and the database is on another one.
    #[arg(long, value_name = "URL", env = "ACCREDIT_ADVERTISE")]
    advertise: Option<String>,
    /// How long a host that is gone keeps the others from deciding.
    #[arg(
        long, value_name = "TIME", env = "ACCREDIT_LEASE", default_value = "10s",
        value_parser = parse_interval
    )]
    lease: TimeInterval,
}

impl DatabaseArguments {
    /// The database, where one is named.
    ///
    /// # Errors
    /// What is wrong with an option or a variable; never with the password.
    pub(crate) fn into_database(self) -> Result<Option<SharedDatabase>, String> {
        let Some(text) = self.store.map_or_else(|| read_variable(STORE), |text| Ok(Some(text)))?
        else {
            return Ok(None);
        };
        let lease = self.lease.0.filter(|lease| *lease >= LEASE_MIN);
        let lease = lease.ok_or("`--lease` is at least 2s")?;
        let address = database_address(&text)?;
        Ok(Some(SharedDatabase { address, advertised: self.advertise, lease }))
    }
}

/// The address of a database with the password of the environment.
///
/// # Errors
/// What is wrong with it; never with the password.
pub(crate) fn database_address(text: &str) -> Result<plugins::DatabaseAddress, String> {
    let password = read_variable(STORE_PASSWORD)?;
    plugins::database_address(text.trim(), password.as_deref())
}

/// What a variable holds, or the file that its sibling names.
fn read_variable(name: &str) -> Result<Option<String>, String> {
    let text = |name: &str| std::env::var(name).ok().filter(|text| !text.trim().is_empty());
    let file = format!("{name}_FILE");
    match (text(name), text(&file)) {
        (Some(_), Some(_)) => Err(format!("`{name}` and `{file}` are both set; keep one")),
        (Some(value), None) => Ok(Some(value.trim().to_owned())),
        (None, Some(path)) => match std::fs::read_to_string(path.trim()) {
            Ok(value) => Ok(Some(value.trim().to_owned())),
            Err(error) => Err(format!("`{file}` (`{}`): {error}", path.trim())),
        },
        (None, None) => Ok(None),
    }
}

/// Serves until it is told to stop, in every role that it gets.
///
/// # Errors
/// Why it does not run.
pub(crate) fn serve_beside_others(config: Config, database: &SharedDatabase) -> Result<(), String> {
    let runtime = server_runtime()?;
    let served = runtime.block_on(async {
        // Installed before the server is reachable.
        let stop = tokio::spawn(stop_asked());
        let store = plugins::open_database(&database.address, true);
        let store = store.map_err(|error| error.to_string())?;
        let listener = bind_address(&config.listen).await?;
        let claim = LeaseClaim {
            address: advertised_address(&config, database, &listener)?,
            duration: database.lease,
        };
        let keeper = LeaseKeeper::start(Arc::clone(&store), claim)?;
        let served = serve_roles(&config, &*store, &listener, &keeper, stop).await;
        keeper.release();
        served
    });

    // What still blocks is cut off: everything that lasts is a whole commit.
    runtime.shutdown_timeout(SHUTDOWN_WAIT);
    served
}

/// Where other hosts reach this one; blank where they cannot, as with TLS.
fn advertised_address(
    config: &Config,
    database: &SharedDatabase,
    listener: &TcpListener,
) -> Result<String, String> {
    if let Some(advertised) = &database.advertised {
        return match advertised.starts_with("http://") {
            true => Ok(advertised.trim_end_matches('/').to_owned()),
            false => Err("`--advertise` is an address that begins with `http://`".to_owned()),
        };
    }
    if config.tls.is_some() {
        return Ok(String::new());
    }
    let local = listener.local_addr().map_err(|error| format!("the socket: {error}"))?;
    // Hosts that share a database of this machine are on it as well.
    let is_reached_here_alone = local.ip().is_loopback() && !database.address.is_on_this_machine();
    if local.ip().is_unspecified() || is_reached_here_alone {
        return Err(format!(
            "`--listen {}` does not say where other hosts reach this one: add `--advertise`, such as \
             http://10.0.0.5:{}",
            config.listen,
            local.port()
        ));
    }
    Ok(format!("http://{local}"))
}

/// Runs a server for one role after the other.
async fn serve_roles(
    config: &Config,
    store: &dyn SharedStore,
    listener: &TcpListener,
    keeper: &LeaseKeeper,
    mut stop: tokio::task::JoinHandle<()>,
) -> Result<(), String> {
    loop {
        let lease = keeper.current();
        let running = match start_role(config, store, listener, (keeper, &lease)).await {
            Ok(running) => running,
            Err(message) if matches!(lease, DecidingLease::Elsewhere(_)) => {
                eprintln!("note: this host cannot follow yet: {message}");
                tokio::select! {
                    _ = &mut stop => return Ok(()),
                    () = tokio::time::sleep(FOLLOW_AGAIN) => continue,
                }
            }
            Err(message) => return Err(message),
        };

        eprintln!("listening on {}", running.url);
        eprintln!(
            "{}",
            match &lease {
                DecidingLease::Held(_) => "this host decides".to_owned(),
                DecidingLease::Elsewhere(address) => format!("the host at {address} decides"),
            }
        );
        let is_stopped = tokio::select! {
            _ = &mut stop => true,
            () = role_is_over(&lease, keeper.watch()) => false,
        };
        eprintln!("{}", if is_stopped { "stopping" } else { "the role of this host changes" });
        running.stop().await;
        if is_stopped {
            return Ok(());
        }
    }
}

async fn start_role(
    config: &Config,
    store: &dyn SharedStore,
    listener: &TcpListener,
    (keeper, lease): (&LeaseKeeper, &DecidingLease),
) -> Result<RunningServer, String> {
    let (purpose, role) = match lease {
        DecidingLease::Held(term) => (HandlePurpose::Term(*term), HostRole::Deciding),
        DecidingLease::Elsewhere(_) => {
            (HandlePurpose::Following, HostRole::Following(keeper.watch()))
        }
    };
    let listener = listener.try_clone().map_err(|error| format!("the socket: {error}"))?;
    let place = HostPlace { role, listener };
    Server::start_at(config.clone(), store.open_handle(purpose), place).await
}
