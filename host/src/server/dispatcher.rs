//! The thread that sends events to destinations.
//!
//! Not which events there are (the ledger records them with their effect). Every destination has rounds
//! of its own, and the one that waited longest has the next turn; those that take nothing at the moment
//! may use a part of the turns alone.
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

use self::round::RoundEnd;
use crate::server::state::Service;

/// How often it looks for something to send.
const TICK: Duration = Duration::from_millis(250);

/// Destinations with a round at a time, and those among them whose last round failed.
const ROUNDS_MAX: usize = 16;
const FAILING_MAX: usize = 8;

/// The pause of a destination that takes nothing; each one is three times as long, up to the longest. A
/// longer one is kept only where the destination asks for it.
const FIRST_PAUSE_MS: i64 = 5_000;
const PAUSE_MAX_MS: i64 = 5 * 60_000;
const ASKED_PAUSE_MAX_MS: i64 = 8 * 3_600_000;

/// The pause while a person has to act, and after the data could not be read or written.
const NOT_READY_PAUSE_MS: i64 = 10_000;
const FAULT_PAUSE_MS: i64 = 1_000;

/// What a round gave; none where the data could not be read or written.
type RoundResult = Option<RoundEnd>;

/// A destination's round, and when the next one may begin.
#[derive(Default)]
struct Turn {
    running: Option<JoinHandle<RoundResult>>,
    /// When it may have its next round, in milliseconds since 1970.
    next_ms: i64,
    /// When its last round began.
    started_ms: i64,
    /// Rounds in a row in which it took nothing.
    failures: u32,
}

impl Turn {
    /// Takes over how its round ended.
    fn end_round(&mut self, result: RoundResult, now_ms: i64) {
        let pause_ms = match result {
            Some(RoundEnd::Taking) => {
                self.failures = 0;
                0
            }
            Some(RoundEnd::NotTaking { reason, retry_after_ms }) => {
                self.failures = self.failures.saturating_add(1);
                tracing::debug!(event.error = reason, "a destination takes nothing");
                let asked_ms = retry_after_ms.unwrap_or(0).min(ASKED_PAUSE_MAX_MS);
                pause_after(self.failures).max(asked_ms)
            }
            Some(RoundEnd::NotReady(_)) => NOT_READY_PAUSE_MS,
            None => FAULT_PAUSE_MS,
        };
        self.next_ms = now_ms.saturating_add(pause_ms);
    }
}

/// The pause after so many rounds in which nothing was taken.
fn pause_after(failures: u32) -> i64 {
    let times = 3_i64.saturating_pow(failures.saturating_sub(1));
    FIRST_PAUSE_MS.saturating_mul(times).min(PAUSE_MAX_MS)
}

/// Sends until the server stops. A round that is under way then is left alone: what it has not kept is sent
/// again, with the same id.
pub(crate) fn run(service: &Arc<Service>) {
    let agent = request::new_agent(&service.config.private_destinations);
    let mut turns: BTreeMap<String, Turn> = BTreeMap::new();

    while !service.stopping.load(Ordering::Acquire) {
        for turn in turns.values_mut() {
            if let Some(round) = turn.running.take_if(|round| round.is_finished()) {
                turn.end_round(round.join().unwrap_or(None), service.clock.now_ms());
            }
        }
        if let Err(error) = begin_rounds(service, &agent, &mut turns) {
            tracing::error!(error.cause = %error, "no events can be sent");
        }
        std::thread::sleep(TICK);
    }
}

/// Begins rounds of destinations with events that are due, those first that waited longest.
fn begin_rounds(
    service: &Arc<Service>,
    agent: &ureq::Agent,
    turns: &mut BTreeMap<String, Turn>,
) -> Result<(), StoreError> {
    let (ledger, now_ms) = (&service.context.ledger, service.clock.now_ms());
    let waiting = ledger.event_destinations(EventState::Waiting)?;
    turns.retain(|name, turn| turn.running.is_some() || waiting.contains(name));

    let mut ready: Vec<(i64, String)> = Vec::new();
    for name in waiting {
        let turn = turns.entry(name.clone()).or_default();
        let may_begin = turn.running.is_none() && turn.next_ms <= now_ms;
        if may_begin && ledger.next_due_event_ms(&name)?.is_some_and(|due_ms| due_ms <= now_ms) {
            ready.push((turn.started_ms, name));
        }
    }
    ready.sort();

    for (_, name) in ready {
        let running = turns.values().filter(|turn| turn.running.is_some());
        let (all, failing) = running.fold((0, 0), |(all, failing), turn| {
            (all + 1, failing + usize::from(turn.failures > 0))
        });
        let Some(turn) = turns.get_mut(&name) else { continue };
        let has_place = all < ROUNDS_MAX && (turn.failures == 0 || failing < FAILING_MAX);
        if has_place {
            turn.started_ms = now_ms;
            turn.running = begin_round(service, agent, name);
        }
    }
    Ok(())
}

/// A round on a thread of its own; none where the system has no thread for it.
fn begin_round(
    service: &Arc<Service>,
    agent: &ureq::Agent,
    destination: String,
) -> Option<JoinHandle<RoundResult>> {
    let (service, agent) = (Arc::clone(service), agent.clone());
    let round = std::thread::Builder::new().name("dispatcher-round".to_owned());
    let round = round.spawn(move || match round::send_due(&service, &agent, &destination) {
        Ok(end) => Some(end),
        Err(error) => {
            tracing::error!(error.cause = %error, "a round of events ended");
            None
        }
    });
    if let Err(error) = &round {
        tracing::error!(error.cause = %error, "no thread for a round of events");
    }
    round.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_that_takes_nothing_is_left_alone_longer_and_longer() {
        let mut turn = Turn::default();
        let down =
            |retry_after_ms| Some(RoundEnd::NotTaking { reason: "503".to_owned(), retry_after_ms });
        for pause_ms in [5_000, 15_000, 45_000, 135_000, 300_000, 300_000] {
            turn.end_round(down(None), 0);
            assert_eq!(turn.next_ms, pause_ms);
        }
        // An hour that was asked for was cut to five minutes.
        turn.end_round(down(Some(3_600_000)), 0);
        assert_eq!(turn.next_ms, 3_600_000);
        turn.end_round(Some(RoundEnd::Taking), 7);
        assert_eq!((turn.next_ms, turn.failures), (7, 0));
    }
}
