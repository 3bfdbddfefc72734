//! News for open pages, as server-sent events: that something was recorded, and how far the deciding is.
//!
//! Who asks for another kind of answer than events gets the news once, as JSON.
//!
//! Not what was recorded: a page asks for that again, as its own caller. Called by the router.
//!
//! **Architecture invariant:** a payee gets a count of commits and nothing that is about others.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use accredit_operations::principal::Principal;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use futures_util::stream;
use serde::Serialize;
use tokio::time::{Instant, sleep};
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::results::calculations::{self, DecidingProgressView};
use crate::http::views::ViewJson;
use crate::server::state::Service;

/// How often it is looked for news.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A connection lasts this long; then the browser connects again, and it is asked again who calls.
const CONNECTION_LASTS: Duration = Duration::from_secs(300);

/// A comment is sent this often where there are no news, so that a proxy keeps the connection.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(10);

/// What an open page is told.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LiveNewsView {
    /// Counts up with every commit since the start of the server.
    revision: u64,
    /// Hash of the ruleset in force.
    ruleset: String,
    /// How far the deciding is; null for payees.
    progress: Option<DecidingProgressView>,
}

/// A connection that news are sent on.
struct Connection {
    service: Arc<Service>,
    caller: Principal,
    ends: Instant,
    /// The news that were sent last.
    sent: String,
}

/// What a caller is told now.
async fn read_news(service: &Arc<Service>, caller: &Principal) -> Result<LiveNewsView, Problem> {
    let is_staff = caller.role().is_staff();
    let asked = service.run_blocking(move |service| {
        let progress = is_staff.then(|| calculations::deciding_progress(service)).transpose()?;
        Ok(LiveNewsView {
            revision: service.context.ledger.commit_count(),
            ruleset: service.context.ruleset.load().hash.to_string(),
            progress,
        })
    });
    asked.await
}

impl Connection {
    /// The next event, as soon as there is one; none where the connection ends.
    async fn next_event(mut self) -> Option<(Result<Event, Infallible>, Connection)> {
        loop {
            if self.service.stopping.load(Ordering::Acquire) || Instant::now() >= self.ends {
                return None;
            }
            // A fault of the data file ends the connection; the page says that it is not connected.
            let news = read_news(&self.service, &self.caller).await.ok()?;
            let news = serde_json::to_string(&news).ok()?;
            if news != self.sent {
                let event = Event::default().event("news").data(&news);
                self.sent = news;
                return Some((Ok(event), self));
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

/// Sends news until the connection ends; once, to those who do not ask for events.
pub(crate) async fn show_news(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let accepted = headers.get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok());
    if !accepted.is_some_and(|accepted| accepted.contains("text/event-stream")) {
        return Ok(ViewJson(read_news(&service, &caller).await?).into_response());
    }

    let ends = Instant::now() + CONNECTION_LASTS;
    let connection = Connection { service, caller, ends, sent: String::new() };
    let events = Sse::new(stream::unfold(connection, Connection::next_event));
    Ok(events.keep_alive(KeepAlive::new().interval(KEEP_ALIVE_EVERY)).into_response())
}
