//! The thread that sends events to destinations.
//!
//! Not which events there are (the ledger records them with their effect). Every destination has rounds of
//! its own, so that one that is slow or down keeps no other waiting.
//!
//! **Architecture invariant:** an event is sent at least once, and leaves the outbox only when its
//! destination has answered that it has it.

pub(crate) mod message;
mod request;
mod round;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use accredit_ledger::outbox::EventState;
use accredit_seams::store::StoreError;

use crate::server::state::Service;

/// How often it looks for something to send.
const TICK: Duration = Duration::from_millis(250);

/// The pause of a destination whose round could not read or write the data.
const FAULT_PAUSE_MS: i64 = 1_000;

/// Destinations with a round at a time.
const ROUNDS_MAX: usize = 8;

/// A destination's round, and when the next one may begin.
#[derive(Default)]
struct Turn {
    running: Option<JoinHandle<i64>>,
    next_ms: i64,
}

/// Sends until the server stops. A round that is under way then is left alone: what it has not kept is sent
/// again, with the same id.
pub(crate) fn run(service: &Arc<Service>) {
    let agent = request::new_agent(&service.config.private_destinations);
    let mut turns: BTreeMap<String, Turn> = BTreeMap::new();

    while !service.stopping.load(Ordering::Acquire) {
        end_rounds(service, &mut turns);
        if let Err(error) = begin_rounds(service, &agent, &mut turns) {
            tracing::error!(error.cause = %error, "no events can be sent");
        }
        std::thread::sleep(TICK);
    }
}

/// Takes over when destinations whose round has ended may be tried again.
fn end_rounds(service: &Service, turns: &mut BTreeMap<String, Turn>) {
    for turn in turns.values_mut() {
        if let Some(round) = turn.running.take_if(|round| round.is_finished()) {
            let fault = || service.clock.now_ms().saturating_add(FAULT_PAUSE_MS);
            turn.next_ms = round.join().unwrap_or_else(|_| fault());
        }
    }
}

/// Begins a round of every destination with events that wait, as many as may run.
fn begin_rounds(
    service: &Arc<Service>,
    agent: &ureq::Agent,
    turns: &mut BTreeMap<String, Turn>,
) -> Result<(), StoreError> {
    let now_ms = service.clock.now_ms();
    for destination in service.context.ledger.event_destinations(EventState::Waiting)? {
        let running = turns.values().filter(|turn| turn.running.is_some()).count();
        let turn = turns.entry(destination.clone()).or_default();
        if running >= ROUNDS_MAX || turn.running.is_some() || turn.next_ms > now_ms {
            continue;
        }

        let (service, agent) = (Arc::clone(service), agent.clone());
        let round = std::thread::Builder::new().name("dispatcher-round".to_owned());
        let round = round.spawn(move || {
            round::send_due(&service, &agent, &destination).unwrap_or_else(|error| {
                tracing::error!(error.cause = %error, "a round of events ended");
                service.clock.now_ms().saturating_add(FAULT_PAUSE_MS)
            })
        });
        match round {
            Ok(round) => turn.running = Some(round),
            Err(error) => {
                tracing::error!(error.cause = %error, "no thread for a round of events");
                turn.next_ms = now_ms.saturating_add(FAULT_PAUSE_MS);
            }
        }
    }
    Ok(())
}
