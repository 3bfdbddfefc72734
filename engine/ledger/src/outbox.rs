//! Events for other systems: recorded in the commit of what happened, kept until they are sent.
//!
//! Not sending (the host has the network and the secrets) and not which destinations there are (the
//! ruleset). An event is a row a destination, so that each has its own tries. What was sent is kept for a
//! while, so that it can be sent again.
//!
//! **Architecture invariant:** an event is in the outbox if and only if its effect is in the data file; it
//! leaves the outbox only once its destination has taken it, or as a dead letter that can be sent again.

mod changes;
pub(super) mod reward_events;
mod rows;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use accredit_domain::events::{EventKind, EventRoutes};
use accredit_seams::store::{StoreTable, WriteBatch};
use serde::{Deserialize, Serialize};

pub(super) use self::changes::DealEvents;
pub use self::rows::EventAttempt;
use super::{Ledger, LedgerResult, codec};

/// Bits of an event's number below its time.
const COUNTER_BITS: u32 = 20;

/// The number of the last event. Two commits at a time may write it in either order, so the next process
/// begins well behind it.
const LAST_NUMBER_KEY: &[u8] = b"outbox/last";
const NUMBERS_LEFT_OUT: u64 = 1 << COUNTER_BITS;

/// What became of an event at one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EventState {
    /// Waits for its first or next try.
    Waiting,
    /// The destination has taken it.
    Sent,
    /// Every try failed: a person decides whether it is sent again.
    Dead,
}

impl EventState {
    /// Every state.
    pub const ALL: [EventState; 3] = [EventState::Waiting, EventState::Sent, EventState::Dead];

    /// Its name in answers.
    pub fn name(self) -> &'static str {
        match self {
            EventState::Waiting => "waiting",
            EventState::Sent => "sent",
            EventState::Dead => "dead",
        }
    }

    /// What the keys of its rows begin with.
    fn prefix(self) -> &'static str {
        match self {
            EventState::Waiting => "outbox/waiting/",
            EventState::Sent => "outbox/sent/",
            EventState::Dead => "outbox/dead/",
        }
    }
}

/// An event on its way to one destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingEvent {
    /// Its number: later events have higher ones, with gaps.
    pub number: u64,
    /// The name of the kind, such as `credit.created`.
    pub kind: String,
    /// The name of the destination.
    pub destination: String,
    /// What it is about: the natural key of a deal, a plan, or the number of an activation.
    pub subject: String,
    /// When it happened, milliseconds since 1970.
    pub at_ms: i64,
    /// Since when it waits: when it happened, or when it was last sent again.
    pub since_ms: i64,
    /// What is to be known, as a JSON object.
    pub data: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; in other states, when it was tried last. Milliseconds since 1970.
    pub next_ms: i64,
    /// Why the last try failed; never a secret.
    pub last_error: Option<String>,
}

impl OutgoingEvent {
    /// Its id, the same at every try and at every destination: receivers know repeated events by it.
    pub fn id(&self) -> String {
        format!("evt_{:016x}", self.number)
    }

    /// The number in an id; none in a text that is no id.
    pub fn number_of(id: &str) -> Option<u64> {
        let digits = id.strip_prefix("evt_").filter(|digits| digits.len() == 16)?;
        u64::from_str_radix(digits, 16).ok()
    }
}

/// The numbers of events: unique, growing, and never used again after a restart.
#[derive(Debug, Default)]
pub(super) struct EventNumbers(AtomicU64);

impl EventNumbers {
    /// The next number of something that happens at this time.
    fn next(&self, at_ms: i64) -> u64 {
        let by_time = u64::try_from(at_ms).unwrap_or_default() << COUNTER_BITS;
        let advance = |last: u64| Some(by_time.max(last + 1));
        let last = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, advance);
        last.map_or(by_time, |last| by_time.max(last + 1))
    }

    /// Leaves out the numbers up to the last one of an earlier process, and some behind it.
    fn begin_behind(&self, last: u64) {
        self.0.fetch_max(last.saturating_add(NUMBERS_LEFT_OUT), Ordering::AcqRel);
    }
}

/// Adds the events of one commit to it.
pub(super) struct EventWriter<'a> {
    routes: Arc<EventRoutes>,
    numbers: &'a EventNumbers,
    at_ms: i64,
}

impl EventWriter<'_> {
    /// Whether a destination wants one of these kinds.
    pub(super) fn wants_any(&self, kinds: &[EventKind]) -> bool {
        self.routes.wants_any(kinds)
    }

    /// An event that was not tried yet, with the next number.
    fn new_event(
        &self,
        kind: EventKind,
        (destination, subject): (&str, &str),
        data: &serde_json::Value,
    ) -> OutgoingEvent {
        OutgoingEvent {
            number: self.numbers.next(self.at_ms),
            kind: kind.name().to_owned(),
            destination: destination.to_owned(),
            subject: subject.to_owned(),
            at_ms: self.at_ms,
            since_ms: self.at_ms,
            data: data.to_string(),
            attempts: 0,
            next_ms: 0,
            last_error: None,
        }
    }

    /// Adds an event for every destination that wants its kind.
    pub(super) fn add_event(
        &self,
        batch: &mut WriteBatch,
        kind: EventKind,
        subject: &str,
        data: &serde_json::Value,
    ) -> LedgerResult<()> {
        let mut destinations = self.routes.destinations_of(kind).peekable();
        if destinations.peek().is_none() {
            return Ok(());
        }

        let event = self.new_event(kind, ("", subject), data);
        for destination in destinations {
            let event = OutgoingEvent { destination: destination.to_owned(), ..event.clone() };
            rows::put_event(batch, &event, EventState::Waiting)?;
        }
        // The next process begins behind it, also where its clock is late.
        batch.put_row(StoreTable::Meta, LAST_NUMBER_KEY, codec::number_key(event.number));
        Ok(())
    }
}

impl Ledger {
    /// Begins with numbers that no event in the data file has, whatever the clock says.
    pub fn begin_event_numbers(&self) -> LedgerResult<()> {
        if let Some(last) = self.snapshot()?.get(StoreTable::Meta, LAST_NUMBER_KEY)? {
            self.event_numbers.begin_behind(codec::key_number(&last));
        }
        Ok(())
    }

    /// Records events for these destinations from now on.
    pub fn route_events(&self, routes: EventRoutes) {
        let routes = Arc::new(routes);
        *self.event_routes.write().unwrap_or_else(std::sync::PoisonError::into_inner) = routes;
    }

    /// What adds the events of a commit at this time.
    pub(super) fn event_writer(&self, at_ms: i64) -> EventWriter<'_> {
        let routes = self.event_routes.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        EventWriter { routes: Arc::clone(&routes), numbers: &self.event_numbers, at_ms }
    }
}
