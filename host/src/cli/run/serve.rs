//! `accredit serve`: the server until it is told to stop.
//!
//! Not the server itself (`server`). Writes messages to stderr only.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use accredit_domain::limits::Limits;
use clap::Args;
use rust_decimal::Decimal;

use crate::cli::run::hosts::{self, DatabaseArguments};
use crate::cli::run::interval::{TimeInterval, parse_interval};
use crate::cli::run::logging::start_logging;
use crate::cli::run::network::NetworkArguments;
use crate::cli::run::outgoing::OutgoingArguments;
use crate::server::Server;
use crate::server::config::{BackupPlan, CheckpointPlan, Config, SharedDatabase};

/// Options of `serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// The data file.
    #[arg(long, value_name = "FILE", env = "ACCREDIT_DATA")]
    data: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArguments,
    /// Create the data file if it does not exist; not needed for an empty file.
    #[arg(long)]
    create: bool,
    /// The customer's directory: it fills an empty data file; later changes need `--watch`.
    #[arg(long, value_name = "DIR", env = "ACCREDIT_WORKSPACE")]
    workspace: Option<PathBuf>,
    /// The address and port to listen on; port 0 picks a free port.
    #[arg(long, value_name = "ADDR", env = "ACCREDIT_LISTEN", default_value = "127.0.0.1:8080")]
    listen: String,
    /// Activate changes of the directory's files as they are saved; DIR is also the workspace.
    #[arg(long, value_name = "DIR", num_args = 0..=1)]
    watch: Option<Option<PathBuf>>,
    /// Refuse a change in the watched directory if more than this amount moves in total, in one
    /// unit type.
    #[arg(
        long, value_name = "AMOUNT", env = "ACCREDIT_WATCH_STOP_LOSS", default_value = "10000",
        value_parser = limit
    )]
    watch_stop_loss: Decimal,
    /// Refuse a change in the watched directory if more than this amount moves for one payee.
    #[arg(
        long, value_name = "AMOUNT", env = "ACCREDIT_WATCH_STOP_LOSS_PAYEE", default_value = "1000",
        value_parser = limit
    )]
    watch_stop_loss_payee: Decimal,
    /// Changes of definitions wait until a person other than their author approves them.
    #[arg(long)]
    four_eyes: bool,
    /// Keep backups of the data file in this folder, best on another disk.
    #[arg(long, value_name = "DIR", env = "ACCREDIT_BACKUPS")]
    backups: Option<PathBuf>,
    /// Make a backup this often, such as 24h or 30m; `never` leaves it to `accredit backup`.
    #[arg(
        long, value_name = "TIME", env = "ACCREDIT_BACKUP_EVERY", default_value = "24h",
        value_parser = parse_interval
    )]
    backup_every: TimeInterval,
    /// Keep so many backups; the oldest ones beyond are removed.
    #[arg(
        long, value_name = "COUNT", env = "ACCREDIT_BACKUP_KEEP", default_value_t = 14,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    backup_keep: u16,
    /// Write signed checkpoints of the audit trail to this folder, best on another machine's disk; the
    /// key is `ACCREDIT_AUDIT_KEY`.
    #[arg(long, value_name = "DIR", env = "ACCREDIT_CHECKPOINTS")]
    checkpoints: Option<PathBuf>,
    /// Write a checkpoint this often where the trail grew, such as 1h or 10m, or `never`.
    #[arg(
        long, value_name = "TIME", env = "ACCREDIT_CHECKPOINT_EVERY", default_value = "1h",
        value_parser = parse_interval
    )]
    checkpoint_every: TimeInterval,
    /// Write a checkpoint once the trail has so many more rows.
    #[arg(
        long, value_name = "COUNT", env = "ACCREDIT_CHECKPOINT_ROWS", default_value_t = 1000,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    checkpoint_rows: u64,
    #[command(flatten)]
    network: NetworkArguments,
    #[command(flatten)]
    outgoing: OutgoingArguments,
}

/// An amount that may move.
fn limit(text: &str) -> Result<Decimal, String> {
    let amount = text.trim().parse::<Decimal>().ok();
    let amount = amount.filter(|amount| *amount >= Decimal::ZERO);
    amount.ok_or_else(|| "expected an amount of at least 0, such as 1000".to_owned())
}

/// Runs until SIGTERM or ctrl-c.
pub(crate) fn run(options: ServeArguments) -> ExitCode {
    let started = read_config(options).and_then(|config| Ok((config, start_logging()?)));
    let (config, _log) = match started {
        Ok(started) => started,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    };

    let served = match config.database.clone() {
        None => serve_until_stopped(config),
        Some(database) => hosts::serve_beside_others(config, &database),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// What the server is started with.
///
/// # Errors
/// Which options do not go together, or which variable is not usable.
fn read_config(options: ServeArguments) -> Result<Config, String> {
    let watch = options.watch.is_some();
    let watch_limits = Limits {
        max_total: Some(options.watch_stop_loss),
        max_payee: Some(options.watch_stop_loss_payee),
    };
    let workspace = options.workspace.or(options.watch.flatten());
    if watch && workspace.is_none() {
        let remedy = "`--watch` needs a directory: `--watch DIR`, or `--workspace DIR` beside it";
        return Err(remedy.to_owned());
    }

    let database = options.database.into_database()?;
    let data = data_name(options.data, database.as_ref());
    let data =
        data.ok_or("name a data file with `--data FILE`, or a database with `--store URL`")?;
    let config = Config::from_environment(data, workspace)?;
    #[cfg(feature = "crash-points")]
    if config.crash_point.is_some() && database.is_some() {
        return Err("`ACCREDIT_CRASH_AT` is for data files".to_owned());
    }

    let (every, keep) = (options.backup_every.0, options.backup_keep.into());
    let backups = options.backups.map(|folder| BackupPlan { folder, every, keep });
    let (every, rows) = (options.checkpoint_every.0, options.checkpoint_rows);
    let checkpoints = options.checkpoints.map(|folder| CheckpointPlan { folder, every, rows });
    if checkpoints.is_some() && config.credentials.audit_key.is_none() {
        let remedy = "`--checkpoints` needs a key: make one with `accredit audit key`, and set \
                      `ACCREDIT_AUDIT_KEY_FILE`";
        return Err(remedy.to_owned());
    }

    let config = options.outgoing.apply(options.network.apply(config));
    if config.mail.is_some() && config.credentials.smtp_url.is_none() {
        let remedy = "`--mail-to` needs a mail server: set `ACCREDIT_SMTP_URL`, such as \
                      smtps://user:password@mail.example.com, or `ACCREDIT_SMTP_URL_FILE`";
        return Err(remedy.to_owned());
    }
    Ok(Config {
        listen: options.listen,
        create: options.create,
        watch,
        watch_limits,
        four_eyes: options.four_eyes,
        backups,
        checkpoints,
        database,
        ..config
    })
}

/// What messages call the data; none where nothing was named.
fn data_name(data: Option<PathBuf>, database: Option<&SharedDatabase>) -> Option<PathBuf> {
    match database {
        Some(database) => Some(PathBuf::from(database.address.to_string())),
        None => data,
    }
}

/// Stack of the runtime's threads: an intake policy may run on one.
const STACK_BYTES: usize = 16 << 20;

/// What blocks has this long at the end.
pub(crate) const SHUTDOWN_WAIT: Duration = Duration::from_millis(300);

fn serve_until_stopped(config: Config) -> Result<(), String> {
    let runtime = server_runtime()?;
    let served = runtime.block_on(async {
        // Installed before the server is reachable.
        let stop = tokio::spawn(stop_asked());
        let running = Server::start(config).await?;
        eprintln!("listening on {}", running.url);
        let _ = stop.await;
        eprintln!("stopping");
        running.stop().await;
        Ok(())
    });

    // What still blocks is cut off: everything that lasts is a whole commit.
    runtime.shutdown_timeout(SHUTDOWN_WAIT);

    served
}

/// The runtime that a server runs on.
pub(crate) fn server_runtime() -> Result<tokio::runtime::Runtime, String> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.enable_all().thread_stack_size(STACK_BYTES).build();
    runtime.map_err(|error| format!("no runtime: {error}"))
}

/// Waits for SIGTERM or ctrl-c.
pub(crate) async fn stop_asked() {
    let interrupt = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => (),
                _ = terminate.recv() => (),
            }
        }
        Err(_) => drop(interrupt.await),
    }
}
