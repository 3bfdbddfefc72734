//! What every part of the server shares: the ledger, the ruleset in force, the ways to the writer
//! and the worker.
//!
//! Not HTTP. Handlers, the worker and the watcher hold one [`Service`] in an `Arc`.
//!
//! **Architecture invariant:** the ruleset is read as one snapshot and replaced by one pointer
//! store, in `door` alone.

mod answering;
mod asking;
pub(crate) mod runs;

pub(crate) use self::answering::StartedTaskView;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use accredit_domain::decision::Decision;
use accredit_ledger::Ledger;
use accredit_operations::context::{Context, Surroundings};
use accredit_operations::error::OperationError;
use accredit_operations::intake::IntakeMachine;
use accredit_operations::principal::Principal;
use accredit_seams::connector::Connector;
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;
use arc_swap::ArcSwap;
use jiff::civil::Date;
use serde_json::Value as Json;
use tokio::sync::OwnedSemaphorePermit;

use crate::checkpoint::folder::FolderState;
use crate::http::problem::Problem;
#[cfg(feature = "oidc")]
use crate::oidc::provider::OidcProvider;
use crate::plugins;
use crate::server::accounts::Accounts;
use crate::server::backlog::FetchRetries;
use crate::server::channels::{OrderSender, Writer};
use crate::server::clock::{self, HostClock};
use crate::server::config::Config;
use crate::server::credentials::Credentials;
use crate::server::crm_api::CrmApi;
use crate::server::health::Health;
use crate::server::host_role::HostRole;
use crate::server::metrics::Metrics;
use crate::server::origin;
use crate::server::pace::Arrivals;
use crate::server::rates::RateCounters;
use crate::server::refusals::SourceRefusals;
use crate::server::room::Room;
use crate::server::runs::RunNotices;
use crate::server::secrets::{self, Secrets, Tokens};
use crate::server::tasks::TaskRegistry;
use crate::server::tls::{CertificateState, ServerTls};

/// The server's state.
pub(crate) struct Service {
    /// What operations work on: the ledger and the ruleset in force.
    pub(crate) context: Arc<Context>,
    /// Active secrets by source.
    pub(crate) secrets: Arc<ArcSwap<Secrets>>,
    /// The tokens of the API, replaced as a whole when they are reloaded.
    pub(crate) tokens: ArcSwap<Tokens>,
    /// Those whom the data file lets in.
    pub(crate) accounts: Accounts,
    /// Tokens and secrets as they were given last.
    pub(crate) credentials: Arc<ArcSwap<Credentials>>,
    /// The clock of the server.
    pub(crate) clock: HostClock,
    /// What parts of the server report about themselves.
    pub(crate) health: Health,
    /// Counters.
    pub(crate) metrics: Arc<Metrics>,
    /// What it was started with.
    pub(crate) config: Config,
    /// What it does among the hosts on its data.
    pub(crate) role: HostRole,
    /// Machines for intake policies, off the worker.
    pub(crate) machines: Mutex<Vec<IntakeMachine>>,
    /// Where imports are read.
    pub(crate) imports_room: Room,
    /// Where webhooks are read.
    pub(crate) hooks_room: Room,
    /// How many refused requests are kept.
    pub(crate) quarantine: RateCounters<String>,
    /// When each source was refused last.
    pub(crate) refusals: SourceRefusals,
    /// How many requests each client sent that the server does not know.
    pub(crate) unknown_clients: RateCounters<IpAddr>,
    /// How many requests each source sent.
    pub(crate) source_rates: RateCounters<String>,
    /// TLS, where the server speaks it.
    pub(crate) tls: Option<Arc<ServerTls>>,
    /// The provider of OpenID Connect, where people sign in with one.
    #[cfg(feature = "oidc")]
    pub(crate) oidc: Option<OidcProvider>,
    /// What is known of the folder of checkpoints.
    pub(crate) checkpoints: FolderState,
    /// What asks the APIs of CRMs.
    pub(crate) crm_api: CrmApi,
    /// Fetches that people want tried at once.
    pub(crate) fetch_retries: FetchRetries,
    /// The way into the inbox.
    pub(crate) writer: Writer,
    /// What came into the inbox, counted.
    pub(crate) arrivals: Arc<Arrivals>,
    /// The way to the worker.
    pub(crate) orders: OrderSender,
    /// Those who wait for the end of a run.
    pub(crate) run_notices: Arc<RunNotices>,
    /// Answers that take longer than a request.
    pub(crate) tasks: TaskRegistry,
    /// Whether a stop was asked.
    pub(crate) stopping: Arc<AtomicBool>,
}

/// The host's answers to operations.
pub(crate) struct Outside {
    /// The clock of the server.
    pub(crate) clock: HostClock,
    /// Tokens and secrets as they were given last.
    pub(crate) credentials: Arc<ArcSwap<Credentials>>,
    /// Active secrets by source.
    pub(crate) secrets: Arc<ArcSwap<Secrets>>,
    /// Counters.
    pub(crate) metrics: Arc<Metrics>,
    /// The way to the worker.
    pub(crate) orders: OrderSender,
}

impl Outside {
    /// What the service has as well: secrets, credentials, counters.
    pub(super) fn shared_parts(
        &self,
    ) -> (Arc<ArcSwap<Secrets>>, Arc<ArcSwap<Credentials>>, Arc<Metrics>) {
        let (secrets, credentials) = (Arc::clone(&self.secrets), Arc::clone(&self.credentials));
        (secrets, credentials, Arc::clone(&self.metrics))
    }
}

impl Surroundings for Outside {
    fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    fn business_date(&self, zone: &str) -> Date {
        self.clock.business_date(zone)
    }

    fn connector(&self, name: &str) -> Option<&'static dyn Connector> {
        plugins::find_connector(name)
    }

    fn connectors(&self) -> &'static [&'static dyn Connector] {
        plugins::connectors()
    }

    fn secrets_of<'a>(
        &'a self,
        ledger: &Ledger,
        ruleset: &Ruleset,
    ) -> Result<Box<dyn FnOnce() + 'a>, OperationError> {
        let secrets = secrets::load_secrets(ledger, &self.credentials.load(), ruleset);
        let secrets = secrets.map_err(OperationError::Internal)?;
        Ok(Box::new(move || self.secrets.store(Arc::new(secrets))))
    }

    fn note_activation(&self) {
        self.metrics.count_reload("activated");
        self.orders.wake();
    }

    fn elapsed(&self) -> Duration {
        clock::elapsed()
    }

    fn note_commit(&self, decisions: &[(String, Vec<Decision>)], took: Duration) {
        self.metrics.observe_commit(took);

        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        let decisions = decisions.iter().flat_map(|(_, decisions)| decisions);
        for credit in decisions.flat_map(|decision| &decision.credits) {
            *counts.entry(credit.status.as_str()).or_default() += 1;
        }
        counts.into_iter().for_each(|(status, count)| self.metrics.count_credits(status, count));
    }

    fn note_refusal(&self) {
        self.metrics.count_reload("refused");
    }
}

impl Service {
    /// Seconds since the oldest delivery that is not decided was acknowledged; none when none waits.
    pub(crate) fn oldest_undecided_s(&self) -> Result<Option<i64>, StoreError> {
        let Some(sequence) = self.context.ledger.oldest_pending()? else { return Ok(None) };
        let delivery = self.context.ledger.find_delivery(sequence)?;
        Ok(delivery.map(|one| (self.clock.now_ms() - one.received_ms).max(0) / 1000))
    }

    /// Notes in the audit trail what a caller did that changes no row by itself, or more than one commit.
    ///
    /// # Errors
    /// When the data cannot be written.
    pub(crate) fn note_act(
        &self,
        caller: &Principal,
        what: &str,
        detail: Json,
    ) -> Result<(), StoreError> {
        let said = (caller.name.as_str(), what, detail);
        self.context.ledger.note_act(self.clock.now_ms(), said)
    }

    /// The certificate in force; none without TLS.
    pub(crate) fn certificate_state(&self) -> Option<CertificateState> {
        self.tls.as_ref().map(|tls| tls.state(self.clock.now_ms() / 1000))
    }

    /// Whether a token, a key or a person has this name in the audit trail.
    pub(crate) fn is_name_taken(&self, name: &str) -> bool {
        self.tokens.load().has_name(name) || self.accounts.has_name(name)
    }

    /// The turn of a password that is hashed.
    ///
    /// # Errors
    /// When too many others are before it.
    pub(crate) async fn hashing_turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let turn = self.accounts.hashing_turn().await;
        turn.ok_or_else(|| Problem::unavailable("too many sign in at once"))
    }

    /// Runs `work` where blocking does no harm, to its end even when the client has gone.
    pub(crate) async fn run_blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Service) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let service = Arc::clone(self);
        let work = origin::carried(move |service: Arc<Service>| work(&service));
        let done = tokio::task::spawn_blocking(move || work(service)).await;
        done.unwrap_or_else(|error| Err(Problem::internal(&error)))
    }
}
