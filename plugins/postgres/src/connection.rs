//! One connection: made with a time limit, asked from threads that may block, with its prepared statements.
//!
//! Not how many there are (`pool`). The client of tokio-postgres needs a runtime only to carry bytes: a
//! small one of our own does that, so that the store may be used inside any other runtime.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use accredit_seams::store::{StoreError, StoreTable};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, Error, NoTls, Statement};

use crate::failure::{self, AskError, connect_error};
use crate::schema;
use crate::settings::{CONNECT_TIMEOUT, PostgresSettings};
use crate::statements::RowStatement;
use crate::tls::TlsMaker;

/// The database ends a transaction of ours in which nothing happens for so long: a host that was paused or
/// lost in the middle of a commit must not keep the others from theirs.
const IDLE_COMMIT_MS: u32 = 15_000;

/// A snapshot may rest longer: its reader computes between two pages, and it keeps nobody waiting.
const IDLE_SNAPSHOT_MS: u32 = 30 * 60_000;

/// A commit waits for those of other hosts at most so long.
const LOCK_WAIT_MS: u32 = 20_000;

/// Beyond the limit of a connection itself: name resolution and several addresses of one name.
const CONNECT_SLACK: Duration = Duration::from_secs(5);

/// How long one answer may take. A network that keeps a connection to a database that is gone must not hold
/// a host for ever, which would go on renewing its lease.
pub(crate) const ANSWER_WAIT: Duration = Duration::from_secs(60);

/// Makes connections.
pub(crate) struct Connector {
    settings: PostgresSettings,
    tls: TlsMaker,
    /// None once it is dropped.
    runtime: Option<Runtime>,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectionUse {
    /// Snapshots.
    Reading,
    /// Commits and the lease.
    Writing,
}

/// A connection to the database.
pub(crate) struct Connection {
    pub(crate) client: Client,
    /// The statement that marks a commit.
    mark: OnceCell<Statement>,
    statements: RefCell<HashMap<(StoreTable, RowStatement), Statement>>,
}

struct ThreadWaker(Thread);

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for an answer of the database on this thread, for a limited time.
pub(crate) fn await_answer<T>(
    question: impl Future<Output = Result<T, Error>>,
) -> Result<T, AskError> {
    let answer = await_until(question, Instant::now() + ANSWER_WAIT);
    Ok(answer.ok_or(AskError::Silent)??)
}

/// Waits on this thread, at most until a moment; none when there was no answer by then.
pub(crate) fn await_until<F: Future>(future: F, end: Instant) -> Option<F::Output> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(ThreadWaker(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut context) {
            return Some(answer);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}

impl Connector {
    pub(crate) fn new(settings: PostgresSettings) -> Result<Connector, StoreError> {
        let tls = TlsMaker::new(settings.root_certificates.as_deref());
        let tls = tls.map_err(StoreError::Failed)?;
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).thread_name("postgres").enable_all().build();
        let runtime = runtime
            .map_err(|error| StoreError::Failed(format!("no thread for the database: {error}")))?;
        Ok(Connector { settings, tls, runtime: Some(runtime) })
    }

    pub(crate) fn settings(&self) -> &PostgresSettings {
        &self.settings
    }

    /// A new connection.
    ///
    /// # Errors
    /// Why there is none, and what to do about it.
    pub(crate) fn connect(&self, purpose: ConnectionUse) -> Result<Connection, StoreError> {
        let client = self.connect_client()?;
        let idle = match purpose {
            ConnectionUse::Reading => IDLE_SNAPSHOT_MS,
            ConnectionUse::Writing => IDLE_COMMIT_MS,
        };
        let limits = format!(
            "SET idle_in_transaction_session_timeout = {idle}; \
             SET lock_timeout = {LOCK_WAIT_MS}"
        );
        let set = await_until(client.batch_execute(&limits), Instant::now() + CONNECT_TIMEOUT);
        let set = set.ok_or_else(|| failure::no_answer(&self.settings))?;
        set.map_err(|error| failure::store_error(&self.settings, &error))?;
        let connection =
            Connection { client, mark: OnceCell::new(), statements: RefCell::default() };
        if purpose == ConnectionUse::Writing {
            schema::require_durable_commits(&connection, &self.settings)?;
        }
        Ok(connection)
    }

    fn connect_client(&self) -> Result<Client, StoreError> {
        let ended = || StoreError::Failed("the store is closed".to_owned());
        let runtime = self.runtime.as_ref().ok_or_else(ended)?;
        let (sender, receiver) = sync_channel::<Result<Client, Error>>(1);
        let (config, tls) = (self.settings.config.clone(), self.tls.clone());

        runtime.spawn(async move {
            // Without TLS the host of a socket's folder has no name that could be verified.
            if config.get_ssl_mode() == tokio_postgres::config::SslMode::Disable {
                match config.connect(NoTls).await {
                    Ok((client, connection)) => {
                        let _ = sender.send(Ok(client));
                        // Its end is seen by the next question.
                        let _ = connection.await;
                    }
                    Err(error) => drop(sender.send(Err(error))),
                }
                return;
            }
            match config.connect(tls).await {
                Ok((client, connection)) => {
                    let _ = sender.send(Ok(client));
                    let _ = connection.await;
                }
                Err(error) => drop(sender.send(Err(error))),
            }
        });

        let connected = receiver.recv_timeout(CONNECT_TIMEOUT + CONNECT_SLACK);
        let connected = connected.map_err(|_| failure::no_answer(&self.settings))?;
        connected.map_err(|error| connect_error(&self.settings, &error))
    }
}

impl Drop for Connector {
    fn drop(&mut self) {
        // A runtime that is dropped inside another one panics.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Connection {
    /// The statement for a table, prepared once.
    pub(crate) fn statement(
        &self,
        table: StoreTable,
        kind: RowStatement,
    ) -> Result<Statement, AskError> {
        if let Some(known) = self.statements.borrow().get(&(table, kind)) {
            return Ok(known.clone());
        }
        let prepared = await_answer(self.client.prepare(&kind.text(table)))?;
        self.statements.borrow_mut().insert((table, kind), prepared.clone());
        Ok(prepared)
    }

    /// The statement with this text that marks a commit, prepared once.
    pub(crate) fn mark_statement(&self, text: &str) -> Result<Statement, AskError> {
        if let Some(known) = self.mark.get() {
            return Ok(known.clone());
        }
        let prepared = await_answer(self.client.prepare(text))?;
        Ok(self.mark.get_or_init(|| prepared).clone())
    }

    /// Ends a transaction without waiting for the answer: the next question comes behind it.
    pub(crate) fn roll_back_later(&self) {
        let ended = pin!(self.client.batch_execute("ROLLBACK"));
        let _ = ended.poll(&mut Context::from_waker(Waker::noop()));
    }
}
