//! The thread that asks CRMs for what their events leave out.
//!
//! Not which events those are, and not the requests (connectors make both). What is fetched comes into the
//! inbox as a delivery of its own, so that the worker decides it like any other and can do so again.
//!
//! **Architecture invariants:** an event that waits here was acknowledged and is kept; its entry ends only
//! once what it waits for is stored, or as a dead letter. An entry is written by this thread and its tries
//! alone, each while no other try has it. A source waits for no request of another one.

mod lanes;
mod tries;

use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use accredit_seams::store::StoreError;

use self::lanes::Lanes;
use crate::server::backlog;
use crate::server::state::Service;

/// How often it looks for something to fetch, at most.
const TICK: Duration = Duration::from_millis(250);

/// Fetches until the server stops.
pub(crate) fn run(service: &Service) {
    let (ended, endings) = mpsc::channel();
    std::thread::scope(|scope| {
        let mut lanes = Lanes::default();
        while !service.stopping.load(Ordering::Acquire) {
            if let Err(error) = look_for_work(service, &mut lanes) {
                tracing::error!(error.cause = %error, "nothing can be fetched");
                std::thread::sleep(TICK * 4);
            }

            while let Some((source, key)) = lanes.next_try() {
                let (ended, of) = (ended.clone(), source.clone());
                let thread = std::thread::Builder::new().name("fetch".to_owned());
                let started = thread.spawn_scoped(scope, move || {
                    tries::try_fetch(service, key);
                    // The receiver lives as long as the scope.
                    let _ = ended.send((of, key));
                });
                if let Err(error) = started {
                    tracing::error!(error.cause = %error, "no thread for a fetch");
                    lanes.end_try(&source, key);
                    break;
                }
            }

            let first = endings.recv_timeout(TICK).ok();
            for (source, key) in first.into_iter().chain(endings.try_iter()) {
                lanes.end_try(&source, key);
            }
        }
    });
}

/// Reads what waits, unless that was done just now.
fn look_for_work(service: &Service, lanes: &mut Lanes) -> Result<(), StoreError> {
    let ledger = &service.context.ledger;
    let orders = service.fetch_retries.take();
    if !orders.is_empty() {
        let now = service.clock.now_ms();
        backlog::bring_forward(ledger, &orders, now, |fetch| lanes.is_tried(fetch))?;
        lanes.look_again();
    }
    if !lanes.needs_look() {
        return Ok(());
    }
    let found = lanes.look(ledger, service.clock.now_ms())?;

    let now = service.clock.now_ms();
    let ages = found.iter().map(|(source, one)| (source.as_str(), one.waiting, one.age_s(now)));
    service.metrics.set_fetches(ages);
    Ok(())
}
