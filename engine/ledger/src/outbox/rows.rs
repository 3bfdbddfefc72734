//! The rows of the outbox: read by destination and state, and moved from one state to another.
//!
//! Not which events there are (`outbox`) and not when one is tried (the host).

use accredit_domain::events::EventKind;
use accredit_seams::store::{Snapshot, StoreTable, WriteBatch};

use super::super::{Ledger, LedgerResult, codec, lock_mutex};
use super::{EventState, LAST_NUMBER_KEY, OutgoingEvent};

/// Events a destination that are kept after they were sent.
const SENT_MAX: usize = 1000;

/// How many more there may be before the oldest ones are forgotten.
const SENT_SLACK: usize = 200;

/// Events that are read to count them.
const COUNTED_MAX: usize = 1000;

/// What the keys begin with that put waiting events in the order in which they are due.
const DUE_PREFIX: &str = "outbox/due/";

/// Where an event stands.
fn event_key(state: EventState, destination: &str, number: u64) -> Vec<u8> {
    [&destination_prefix(state, destination)[..], &codec::number_key(number)].concat()
}

fn destination_prefix(state: EventState, destination: &str) -> Vec<u8> {
    [state.prefix().as_bytes(), &codec::parts_key(&[destination])].concat()
}

fn due_prefix(destination: &str) -> Vec<u8> {
    [DUE_PREFIX.as_bytes(), &codec::parts_key(&[destination])].concat()
}

fn due_key(event: &OutgoingEvent) -> Vec<u8> {
    let next_ms = u64::try_from(event.next_ms).unwrap_or_default();
    let order = [codec::number_key(next_ms), codec::number_key(event.number)].concat();
    [&due_prefix(&event.destination)[..], &order].concat()
}

/// Adds an event to a commit as it is in a state.
pub(super) fn put_event(
    batch: &mut WriteBatch,
    event: &OutgoingEvent,
    state: EventState,
) -> LedgerResult<()> {
    let key = event_key(state, &event.destination, event.number);
    batch.put_row(StoreTable::Meta, key, codec::pack_row(event)?);
    if state == EventState::Waiting {
        batch.put_row(StoreTable::Meta, due_key(event), "");
    }
    Ok(())
}

/// Takes an event out of the state that it is in.
fn remove_event(batch: &mut WriteBatch, event: &OutgoingEvent, state: EventState) {
    batch.delete_row(StoreTable::Meta, event_key(state, &event.destination, event.number));
    if state == EventState::Waiting {
        batch.delete_row(StoreTable::Meta, due_key(event));
    }
}

/// What became of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventAttempt {
    /// The event as it was before the try.
    pub before: OutgoingEvent,
    /// The event with its new time, number of tries and error.
    pub after: OutgoingEvent,
    /// Whether it waits again, was sent, or is a dead letter.
    pub state: EventState,
}

impl Ledger {
    /// The destinations that have events in a state, in alphabetical order.
    pub fn event_destinations(&self, state: EventState) -> LedgerResult<Vec<String>> {
        let snapshot = self.snapshot()?;
        let (prefix, mut from) = (state.prefix().as_bytes(), Vec::new());
        let mut found = Vec::new();

        // One row a destination is read: the next one begins behind every number.
        loop {
            let rows = snapshot.scan_prefix(StoreTable::Meta, prefix, &from, 1)?;
            let Some((key, _)) = rows.into_iter().next() else { return Ok(found) };
            let rest = key.get(prefix.len()..).unwrap_or_default();
            let name = rest.split(|byte| *byte == 0).next().unwrap_or_default();
            let name = String::from_utf8_lossy(name).into_owned();
            from = [&destination_prefix(state, &name)[..], &[0xff; 9]].concat();
            found.push(name);
        }
    }

    /// When the next waiting event of a destination is due, in milliseconds since 1970; none when none waits.
    pub fn next_due_event_ms(&self, destination: &str) -> LedgerResult<Option<i64>> {
        let prefix = due_prefix(destination);
        let rows = self.snapshot()?.scan_prefix(StoreTable::Meta, &prefix, b"", 1)?;
        Ok(rows.first().map(|(key, _)| due_time(key)))
    }

    /// Waiting events of a destination that are due at this time: at most `limit`, in the order in which they
    /// are due, and of those the oldest first.
    pub fn due_events(
        &self,
        destination: &str,
        now_ms: i64,
        limit: usize,
    ) -> LedgerResult<Vec<OutgoingEvent>> {
        let snapshot = self.snapshot()?;
        let prefix = due_prefix(destination);
        let rows = snapshot.scan_prefix(StoreTable::Meta, &prefix, b"", limit)?;

        let mut events = Vec::with_capacity(rows.len());
        for (key, _) in rows.iter().take_while(|(key, _)| due_time(key) <= now_ms) {
            let key = event_key(EventState::Waiting, destination, codec::key_number(key));
            if let Some(row) = snapshot.get(StoreTable::Meta, &key)? {
                events.push(codec::unpack_row(&row)?);
            }
        }
        Ok(events)
    }

    /// Events of a destination in a state, oldest first: at most `limit` behind the one with the number
    /// `after`, from the first without one.
    pub fn events_of(
        &self,
        state: EventState,
        destination: &str,
        after: Option<u64>,
        limit: usize,
    ) -> LedgerResult<Vec<OutgoingEvent>> {
        let prefix = destination_prefix(state, destination);
        let from = after.map(|number| [&event_key(state, destination, number)[..], &[0]].concat());
        let from = from.unwrap_or_default();
        let rows = self.snapshot()?.scan_prefix(StoreTable::Meta, &prefix, &from, limit)?;
        rows.iter().map(|(_, row)| codec::unpack_row(row)).collect()
    }

    /// An event on its way to a destination, with its state.
    pub fn find_event(
        &self,
        destination: &str,
        number: u64,
    ) -> LedgerResult<Option<(OutgoingEvent, EventState)>> {
        find_present(&*self.snapshot()?, (destination, number))
    }

    /// Keeps how tries of waiting events went, in one commit.
    pub fn record_event_attempts(&self, attempts: &[EventAttempt]) -> LedgerResult<()> {
        let _one_at_a_time = lock_mutex(&self.event_moves);
        let snapshot = self.snapshot()?;
        let mut batch = WriteBatch::default();
        for EventAttempt { after, state, .. } in attempts {
            // A person may have had it sent again meanwhile: it is where it is now.
            let place = (after.destination.as_str(), after.number);
            let Some((present, EventState::Waiting)) = find_present(&*snapshot, place)? else {
                continue;
            };
            remove_event(&mut batch, &present, EventState::Waiting);
            put_event(&mut batch, after, *state)?;
        }
        self.commit_changes(&batch)
    }

    /// Has events of one destination wait again as if they had never been tried, in one commit with a row
    /// of the trail.
    pub fn resend_events(
        &self,
        events: &[(OutgoingEvent, EventState)],
        at_ms: i64,
        who: &str,
    ) -> LedgerResult<()> {
        let Some((first, _)) = events.first() else { return Ok(()) };
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let mut batch = WriteBatch::default();

        let last = events.last().map(|(last, _)| last.id());
        let detail = serde_json::json!({
            "destination": first.destination, "events": events.len(),
            "first": first.id(), "last": last,
        });
        self.append_audit(&*snapshot, &mut batch, at_ms, who, "events_resent", detail)?;

        let _no_other_moves = lock_mutex(&self.event_moves);
        let present = self.snapshot()?;
        for (event, _) in events {
            let place = (event.destination.as_str(), event.number);
            let Some((event, state)) = find_present(&*present, place)? else { continue };
            remove_event(&mut batch, &event, state);
            let (attempts, next_ms, last_error, since_ms) = (0, 0, None, at_ms);
            let fresh = OutgoingEvent { attempts, next_ms, last_error, since_ms, ..event };
            put_event(&mut batch, &fresh, EventState::Waiting)?;
        }
        self.commit_changes(&batch)
    }

    /// Adds an event for one destination, for its own sake, with a row of the trail.
    pub fn queue_event(
        &self,
        (destination, kind): (&str, EventKind),
        at_ms: i64,
        who: &str,
    ) -> LedgerResult<OutgoingEvent> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let mut batch = WriteBatch::default();

        let data = serde_json::json!({ "who": who });
        let event = self.event_writer(at_ms).new_event(kind, (destination, destination), &data);
        put_event(&mut batch, &event, EventState::Waiting)?;
        batch.put_row(StoreTable::Meta, LAST_NUMBER_KEY, codec::number_key(event.number));

        let detail = serde_json::json!({ "destination": destination, "event": event.id() });
        self.append_audit(&*snapshot, &mut batch, at_ms, who, kind.name(), detail)?;
        self.commit_changes(&batch)?;
        Ok(event)
    }

    /// Forgets the oldest events that a destination has taken, beyond those that are kept, a few at a time.
    pub fn forget_sent_events(&self, destination: &str) -> LedgerResult<usize> {
        let prefix = destination_prefix(EventState::Sent, destination);
        let limit = SENT_MAX + 2 * SENT_SLACK;
        let rows = self.snapshot()?.scan_prefix(StoreTable::Meta, &prefix, b"", limit)?;
        if rows.len() <= SENT_MAX + SENT_SLACK {
            return Ok(0);
        }

        let surplus = rows.len() - SENT_MAX;
        let mut batch = WriteBatch::default();
        for (key, _) in rows.into_iter().take(surplus) {
            batch.delete_row(StoreTable::Meta, key);
        }
        self.commit_changes(&batch)?;
        Ok(surplus)
    }

    /// How many events of a destination are in a state, counted up to 1,000.
    pub fn count_events(&self, state: EventState, destination: &str) -> LedgerResult<usize> {
        // Keys alone are enough of those that wait.
        let prefix = match state {
            EventState::Waiting => due_prefix(destination),
            EventState::Sent | EventState::Dead => destination_prefix(state, destination),
        };
        Ok(self.snapshot()?.scan_prefix(StoreTable::Meta, &prefix, b"", COUNTED_MAX)?.len())
    }
}

/// An event as it is now, with its state.
fn find_present(
    snapshot: &dyn Snapshot,
    (destination, number): (&str, u64),
) -> LedgerResult<Option<(OutgoingEvent, EventState)>> {
    for state in EventState::ALL {
        let key = event_key(state, destination, number);
        if let Some(row) = snapshot.get(StoreTable::Meta, &key)? {
            return Ok(Some((codec::unpack_row(&row)?, state)));
        }
    }
    Ok(None)
}

/// The time in the key of an event that is due.
fn due_time(key: &[u8]) -> i64 {
    let end = key.len().saturating_sub(8);
    i64::try_from(codec::key_number(key.get(..end).unwrap_or_default())).unwrap_or(i64::MAX)
}
