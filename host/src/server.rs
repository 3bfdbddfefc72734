//! The server as a whole: started, running, stopped. `serve` and `demo` run the same one.
//!
//! Not the routes (`http::routes`).

pub(crate) mod accounts;
pub(crate) mod backlog;
pub(crate) mod backups;
pub(crate) mod channels;
pub(crate) mod checkpoints;
pub(crate) mod clock;
pub(crate) mod closed_deals;
pub(crate) mod config;
pub(crate) mod connections;
pub(crate) mod credentials;
pub(crate) mod crm_api;
mod data_file;
pub(crate) mod dispatcher;
pub(crate) mod fetcher;
pub(crate) mod grants;
pub(crate) mod health;
pub(crate) mod host_role;
pub(crate) mod hosts;
pub(crate) mod jobs;
pub(crate) mod keys;
pub(crate) mod listener;
pub(crate) mod lockout;
pub(crate) mod mailer;
pub(crate) mod memory;
pub(crate) mod metrics;
pub(crate) mod monitor;
pub(crate) mod networks;
pub(crate) mod origin;
pub(crate) mod pace;
pub(crate) mod passwords;
pub(crate) mod peers;
pub(crate) mod people;
pub(crate) mod quarantine;
pub(crate) mod rates;
pub(crate) mod refusals;
pub(crate) mod room;
pub(crate) mod rotation;
pub(crate) mod runs;
pub(crate) mod secrets;
pub(crate) mod sessions;
#[cfg(feature = "oidc")]
pub(crate) mod sign_ins;
pub(crate) mod state;
pub(crate) mod supervise;
pub(crate) mod tasks;
pub(crate) mod tls;
pub(crate) mod worker;
pub(crate) mod writer;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use accredit_domain::diagnostic::Diagnostic;
use accredit_ledger::Ledger;
use accredit_ledger::definitions::Activation;
use accredit_ledger::terms::ChangeTerms;
use accredit_operations::candidate;
use accredit_operations::context::Context;
use accredit_operations::preview;
use accredit_operations::shadow;
use accredit_seams::store::Store;
use accredit_workspace::{Files, Ruleset};
use arc_swap::ArcSwap;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::http::intake::{hooks, imports};
use crate::http::routes;
use crate::server::accounts::Accounts;
use crate::server::backlog::FetchRetries;
use crate::server::channels::{OrderQueue, WorkerOrder, WriterQueue};
use crate::server::clock::HostClock;
use crate::server::config::Config;
use crate::server::crm_api::CrmApi;
use crate::server::health::ServerPart;
use crate::server::host_role::HostRole;
use crate::server::hosts::HostPlace;
use crate::server::listener::Listening;
use crate::server::metrics::Metrics;
use crate::server::rates::RateCounters;
use crate::server::refusals::SourceRefusals;
use crate::server::room::Room;
use crate::server::state::{Outside, Service};
use crate::server::tls::ServerTls;
use crate::server::worker::WorkerParts;
use crate::server::writer::WriterParts;

/// Threads have this long to end after a stop was asked and the requests in flight have ended.
const THREADS_TIMEOUT: Duration = Duration::from_millis(2500);

/// Starts servers.
pub(crate) struct Server;

/// A server that runs.
pub(crate) struct RunningServer {
    /// `http://` or `https://`, and the address with its real port.
    pub(crate) url: String,
    service: Arc<Service>,
    stop: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<()>,
    threads: ServerThreads,
    rotating: tokio::task::JoinHandle<()>,
    _watching: Option<crate::directory::watch::WatchHandle>,
}

impl Server {
    /// Opens the data file, fills it when it is empty, and listens.
    ///
    /// # Errors
    /// Why it does not run, for stderr.
    pub(crate) async fn start(config: Config) -> Result<RunningServer, String> {
        let store = data_file::open(&config)?;
        Server::start_on(config, store).await
    }

    /// The same on a store that is open.
    ///
    /// # Errors
    /// Why it does not run, for stderr.
    pub(crate) async fn start_on(
        config: Config,
        store: Arc<dyn Store>,
    ) -> Result<RunningServer, String> {
        let listener = bind_address(&config.listen).await?;
        Server::start_at(config, store, HostPlace { role: HostRole::Alone, listener }).await
    }

    /// The same on a socket that listens, for what this host does among others.
    ///
    /// # Errors
    /// Why it does not run, for stderr.
    pub(crate) async fn start_at(
        config: Config,
        store: Arc<dyn Store>,
        HostPlace { role, listener }: HostPlace,
    ) -> Result<RunningServer, String> {
        let data = config.data.display();
        let ledger =
            Ledger::open(store).map_err(|error| format!("`{data}` cannot be opened: {error}"))?;

        let clock = HostClock { business_date: config.business_date };
        let disk =
            config.workspace.as_deref().map(crate::directory::watch::read_directory).transpose()?;
        let is_following = role.is_following();
        let ruleset = Arc::new(match is_following {
            true => load_followed(&ledger)?,
            false => load_ruleset(&ledger, clock, disk.as_ref())?,
        });

        let unreadable = |error| format!("the data file is unreadable: {error}");
        let tokens = secrets::load_tokens(&ledger, &config.credentials)?;
        let active = secrets::load_secrets(&ledger, &config.credentials, &ruleset)?;
        let accounts = Accounts::load(&ledger).map_err(unreadable)?;
        if !is_following {
            ledger.end_runs(worker::UNFINISHED, clock.now_ms()).map_err(unreadable)?;
        }

        let tls = config.tls.clone().map(ServerTls::load).transpose()?.map(Arc::new);
        let (listener, local) = listen_on(listener)?;

        let (writer, queue) = channels::writer_channel();
        let (orders, order_queue) = channels::order_channel();
        let outside = Outside {
            clock,
            credentials: Arc::new(ArcSwap::from_pointee(config.credentials.clone())),
            secrets: Arc::new(ArcSwap::from_pointee(active)),
            metrics: Arc::new(Metrics::new()),
            orders: orders.clone(),
        };

        let (secrets, credentials, metrics) = outside.shared_parts();
        let mut context = Context::new(ledger, ruleset, Box::new(outside)).map_err(unreadable)?;
        context.four_eyes = config.four_eyes;

        let service = Arc::new(Service {
            secrets,
            tokens: ArcSwap::from_pointee(tokens),
            accounts,
            credentials,
            clock,
            metrics,
            context: Arc::new(context),
            health: health::Health::default(),
            #[cfg(feature = "oidc")]
            oidc: config.oidc.clone().map(crate::oidc::provider::OidcProvider::new),
            config,
            role,
            machines: Mutex::default(),
            imports_room: Room::new(imports::BODY_BYTES_MAX, 1 << 20),
            hooks_room: Room::new(hooks::BYTES_AT_ONCE_MAX, 1 << 10),
            checkpoints: crate::checkpoint::folder::FolderState::default(),
            quarantine: RateCounters::default(),
            refusals: SourceRefusals::default(),
            unknown_clients: RateCounters::default(),
            source_rates: RateCounters::default(),
            tls,
            crm_api: CrmApi::default(),
            fetch_retries: FetchRetries::default(),
            writer,
            arrivals: Arc::default(),
            orders,
            run_notices: Arc::default(),
            tasks: crate::server::tasks::TaskRegistry::default(),
            stopping: Arc::new(AtomicBool::new(false)),
        });
        Server::run_service(service, (queue, order_queue), (listener, local), disk)
    }

    /// Starts what works for a service, and serves it.
    fn run_service(
        service: Arc<Service>,
        (queue, order_queue): (WriterQueue, OrderQueue),
        (listener, local): (TcpListener, SocketAddr),
        disk: Option<Files>,
    ) -> Result<RunningServer, String> {
        if !service.role.is_following() {
            shadow::resume_shadow(&service.context);
        }
        let threads = threads(&service, queue, order_queue)?;
        let _watching = start_watching(&service, disk)?;

        let rotating = rotation::start_rotation(&service);
        let (stop, stopped) = watch::channel(false);
        let app = routes::build_app(Arc::clone(&service));
        let listening = Listening {
            listener,
            tls: service.tls.clone(),
            proxies: service.config.trusted_proxies.as_slice().into(),
            metrics: Arc::clone(&service.metrics),
        };
        let serving = tokio::spawn(listener::serve(listening, app, stopped));

        let scheme = if service.tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{local}");
        Ok(RunningServer { url, service, stop, serving, threads, rotating, _watching })
    }
}

/// A socket that listens.
pub(crate) async fn bind_address(listen: &str) -> Result<std::net::TcpListener, String> {
    let bound = TcpListener::bind(listen).await.and_then(TcpListener::into_std);
    bound.map_err(|error| format!("cannot listen on `{listen}`: {error}"))
}

/// A socket in the runtime, and its address with the real port.
fn listen_on(listener: std::net::TcpListener) -> Result<(TcpListener, SocketAddr), String> {
    let ready = || {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let local = listener.local_addr()?;
        Ok((listener, local))
    };
    ready().map_err(|error: std::io::Error| format!("the socket cannot be used: {error}"))
}

/// Watches the directory, where that is asked for.
fn start_watching(
    service: &Arc<Service>,
    disk: Option<Files>,
) -> Result<Option<crate::directory::watch::WatchHandle>, String> {
    match (service.config.watch && !service.role.is_following(), disk) {
        (true, Some(disk)) => crate::directory::watch::start_watching(service, disk).map(Some),
        _ => Ok(None),
    }
}

/// The threads of a server, in the order in which they are joined at a stop.
struct ServerThreads {
    /// Those that wait for nobody: the writer first, whose last deliveries the worker still decides.
    own: Vec<JoinHandle<()>>,
    /// Those that ask other systems, which may hang. What they have not ended, they do again.
    asking: Vec<JoinHandle<()>>,
}

/// Starts the threads.
fn threads(
    service: &Arc<Service>,
    writer_queue: WriterQueue,
    order_queue: OrderQueue,
) -> Result<ServerThreads, String> {
    let writer = supervise::start_supervised(service, ServerPart::Writer, move |service| {
        let Service { context, metrics, arrivals, orders, .. } = &**service;
        let parts = WriterParts { ledger: &context.ledger, metrics, arrivals, orders };
        writer::run(&parts, &writer_queue);
    })?;

    let following = supervise::start_supervised(service, ServerPart::Hosts, |service| {
        hosts::follow_others(service);
    })?;
    let monitor = supervise::start_supervised(service, ServerPart::Deliveries, monitor::run)?;
    if service.role.is_following() {
        return Ok(ServerThreads { own: vec![writer, monitor, following], asking: Vec::new() });
    }

    let worker = supervise::start_supervised(service, ServerPart::Worker, move |service| {
        let parts = WorkerParts {
            context: Arc::clone(&service.context),
            metrics: Arc::clone(&service.metrics),
            arrivals: Arc::clone(&service.arrivals),
            run_notices: Arc::clone(&service.run_notices),
            stopping: Arc::clone(&service.stopping),
        };
        worker::run(&parts, &order_queue);
    })?;

    let fetcher = supervise::start_supervised(service, ServerPart::Fetcher, |service| {
        fetcher::run(service);
    })?;
    let backups = supervise::start_supervised(service, ServerPart::Backups, |service| {
        backups::run(service);
    })?;
    let checkpoints = supervise::start_supervised(service, ServerPart::Checkpoints, |service| {
        checkpoints::run(service);
    })?;
    let dispatcher = supervise::start_supervised(service, ServerPart::Dispatcher, dispatcher::run)?;
    let mailer = supervise::start_supervised(service, ServerPart::Mailer, |service| {
        mailer::run(service);
    })?;
    let own = vec![writer, worker, monitor, following, backups, checkpoints];
    Ok(ServerThreads { own, asking: vec![fetcher, dispatcher, mailer] })
}

impl RunningServer {
    /// The first active secret of a source.
    pub(crate) fn first_secret(&self, source: &str) -> Option<SecretString> {
        self.service.secrets.load().get(source)?.first().cloned()
    }

    /// Ends it: no new connections, requests in flight end, what is queued is stored and decided, so
    /// far as there is time. What is not is in the inbox, or was not acknowledged.
    pub(crate) async fn stop(self) {
        self.service.stopping.store(true, Ordering::Release);
        // Those who wait for a run are told how far it is.
        self.service.run_notices.notify_waiters();
        self.rotating.abort();
        // The receiver is gone only when the loop has ended.
        let _ = self.stop.send(true);
        let _ = self.serving.await;

        let service = Arc::clone(&self.service);
        let threads = self.threads;
        let joined = tokio::task::spawn_blocking(move || {
            let join = |threads: Vec<JoinHandle<()>>| {
                threads.into_iter().map(JoinHandle::join).collect::<Result<Vec<_>, _>>().is_ok()
            };
            let mut own = threads.own;
            let others = own.split_off(1);
            service.writer.stop();
            let writer = join(own);
            service.orders.send(WorkerOrder::Stop);
            let others = join(others);
            if !service.role.is_following() {
                checkpoints::write_last(&service);
            }
            join(threads.asking) && writer && others
        });

        match tokio::time::timeout(THREADS_TIMEOUT, joined).await {
            Ok(Ok(true)) => (),
            Ok(_) => tracing::error!("a thread ended by a panic"),
            Err(_) => tracing::warn!("a thread was stopped; its unfinished work is not recorded"),
        }
    }
}

/// The ruleset of the data file; of the directory, when the file is empty.
fn load_ruleset(
    ledger: &Ledger,
    clock: HostClock,
    disk: Option<&Files>,
) -> Result<Ruleset, String> {
    let stored =
        ledger.active_files().map_err(|error| format!("the data file is unreadable: {error}"))?;
    if let Some(files) = stored {
        if let Some(disk) = disk {
            report_differences(&files, disk);
        }

        let unchanged = std::iter::empty();
        let checked =
            candidate::check_files(&files, &BTreeSet::new(), unchanged).map_err(|findings| {
                print_findings(&findings);
                "the ruleset in the data file does not pass check".to_owned()
            })?;

        return record_renamed(ledger, clock, checked.ruleset);
    }

    let disk = disk.ok_or("the data file is empty; fill it with `--workspace DIR`")?;
    let checked =
        candidate::check_files(disk, &BTreeSet::new(), disk.keys()).map_err(|findings| {
            print_findings(&findings);
            "the directory does not pass: `accredit check` and `accredit test` say more".to_owned()
        })?;

    let (ruleset, cases) = (checked.ruleset, checked.cases);
    let files = disk.keys().cloned().collect();
    let activation =
        Activation { cases, files, ..start_activation(clock, &ruleset, "first start") };

    let kept = ledger.record_activation(&ruleset.files, activation);
    kept.map_err(|error| format!("the directory cannot be stored: {error}"))?;

    Ok(ruleset)
}

/// The ruleset that the host that decides has put in force.
fn load_followed(ledger: &Ledger) -> Result<Ruleset, String> {
    let stored =
        ledger.active_files().map_err(|error| format!("the data is unreadable: {error}"))?;
    let files = stored.ok_or("the host that decides has not filled the database yet")?;
    let checked = candidate::check_files(&files, &BTreeSet::new(), std::iter::empty());
    let checked = checked.map_err(|findings| {
        print_findings(&findings);
        "the ruleset in force does not pass check in this version of the program".to_owned()
    })?;
    Ok(checked.ruleset)
}

/// The same files may be another ruleset in another version of the program: that is an activation.
fn record_renamed(ledger: &Ledger, clock: HostClock, ruleset: Ruleset) -> Result<Ruleset, String> {
    let unreadable = |error| format!("the data file is unreadable: {error}");
    let last = ledger.list_activations().map_err(unreadable)?.pop();
    if last.is_none_or(|last| *last.ruleset != *ruleset.hash) {
        let activation = start_activation(clock, &ruleset, "another version of the program");
        let kept = ledger.record_activation(&ruleset.files, activation);
        kept.map_err(|error| format!("the start cannot be recorded: {error}"))?;
    }
    Ok(ruleset)
}

fn start_activation(clock: HostClock, ruleset: &Ruleset, why: &str) -> Activation {
    let terms = ChangeTerms {
        who: "serve".to_owned(),
        why: Some(why.to_owned()),
        source: "start".to_owned(),
        ..ChangeTerms::default()
    };

    Activation {
        ruleset: ruleset.hash.to_string(),
        at_ms: clock.now_ms(),
        terms,
        plans: ruleset.plan_hashes(),
        ..Activation::default()
    }
}

fn print_findings(findings: &[Diagnostic]) {
    for finding in findings {
        let place = &finding.place;
        let at = format!("{}:{}:{}", place.file, place.line, place.column);
        eprintln!("{at}: {} {}", finding.code, finding.message);
    }
}

fn report_differences(stored: &Files, disk: &Files) {
    let differ: Vec<String> = preview::diff_files(stored, disk).into_keys().collect();
    if !differ.is_empty() {
        eprintln!(
            "note: the directory differs from the data file, and the data file counts: {}",
            differ.join(", ")
        );
    }
}

#[cfg(test)]
mod tests;
