//! Checkpoints of the audit trail: written to a folder outside the data file at intervals, after so many
//! rows, and at a stop.
//!
//! Not what a checkpoint is (`checkpoint`) and not verifying a whole trail (the ledger's `integrity`).
//!
//! **Architecture invariant:** before a checkpoint is written, the trail is compared with the one before
//! it: a trail that was rewritten raises an alert, and the old checkpoint stays.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use accredit_ledger::alerts::RaisedAlert;
use accredit_ledger::audit::TrailMark;

use crate::checkpoint::folder::{self, LastCheckpoint, newest_checkpoint, write_checkpoint};
use crate::checkpoint::{Checkpoint, CheckpointSigner};
use crate::server::clock::format_rfc3339;
use crate::server::config::CheckpointPlan;
use crate::server::health::ServerPart;
use crate::server::state::Service;

/// How often the server looks whether a checkpoint is due.
const TICK: Duration = Duration::from_millis(250);

/// After a checkpoint that failed, the next one is tried so much later.
const RETRY: Duration = Duration::from_secs(30);

/// The trail as it is now, as a signed checkpoint; none while the trail has no row.
///
/// # Errors
/// When the trail cannot be read.
pub(crate) fn current_checkpoint(
    service: &Service,
    signer: &CheckpointSigner,
) -> Result<Option<(u64, String, String)>, String> {
    let end = service.context.ledger.trail_end().map_err(|error| error.to_string())?;
    let Some((rows, head)) = end else { return Ok(None) };
    let at = format_rfc3339(service.clock.now_ms());
    let text = signer.sign_checkpoint(rows, &head, &at);
    Ok(text.map(|text| (rows, head, text)))
}

/// The checkpoints of the server's folder as marks that a trail is compared with; those that its key did
/// not sign are left out, since keys change.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn folder_marks(service: &Service) -> Result<Vec<TrailMark>, String> {
    let credentials = service.credentials.load();
    let (Some(plan), Some(signer)) = (&service.config.checkpoints, &credentials.audit_key) else {
        return Ok(Vec::new());
    };
    if !plan.folder.exists() {
        return Ok(Vec::new());
    }
    let read = folder::read_checkpoints(&plan.folder, &[signer.verifier()]);
    let (read, _) = read.map_err(|error| format!("`{}`: {error}", plan.folder.display()))?;
    let mark = |(name, checkpoint): (String, Checkpoint)| TrailMark {
        rows: checkpoint.rows,
        head: checkpoint.head,
        name,
    };
    Ok(read.into_iter().map(mark).collect())
}

/// Writes checkpoints by the plan of the server until it stops.
pub(crate) fn run(service: &Service) {
    let Some(plan) = &service.config.checkpoints else {
        while !service.stopping.load(Ordering::Acquire) {
            std::thread::sleep(TICK);
        }
        return;
    };

    // The first one at once: a trail that was changed while no server ran is found.
    let mut next = Some(Instant::now());
    while !service.stopping.load(Ordering::Acquire) {
        let is_time = next.is_some_and(|next| Instant::now() >= next);
        if is_time || has_grown(service, plan) {
            next = match write_if_new(service) {
                Ok(()) => {
                    service.health.clear(ServerPart::Checkpoints);
                    plan.every.map(|every| Instant::now() + every)
                }
                Err(why) => {
                    service.health.report(ServerPart::Checkpoints, why);
                    std::thread::sleep(TICK);
                    Some(Instant::now() + RETRY)
                }
            };
        }
        std::thread::sleep(TICK);
    }
}

/// Whether so many rows were added since the last checkpoint that the next one is due.
fn has_grown(service: &Service, plan: &CheckpointPlan) -> bool {
    let last = service.checkpoints.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
    // Until the folder was read once, the clock alone decides.
    let Some(last) = last else { return false };
    let known = last.map_or(0, |last| last.rows);
    let end = service.context.ledger.trail_end().ok().flatten();
    end.is_some_and(|(rows, _)| rows.saturating_sub(known) >= plan.rows)
}

/// Writes a checkpoint at a stop, once nothing is added to the trail any more.
pub(crate) fn write_last(service: &Service) {
    if service.config.checkpoints.is_none() {
        return;
    }
    if let Err(why) = write_if_new(service) {
        tracing::error!(error.cause = why, "the last checkpoint was not written");
    }
}

/// Writes a checkpoint, unless the last one says the same.
fn write_if_new(service: &Service) -> Result<(), String> {
    let credentials = service.credentials.load();
    let (Some(plan), Some(signer)) = (&service.config.checkpoints, &credentials.audit_key) else {
        return Err("there is no key for checkpoints; set `ACCREDIT_AUDIT_KEY`".to_owned());
    };
    let cannot = |error: std::io::Error| {
        let folder = plan.folder.display();
        format!(
            "no checkpoint in `{folder}`: {error}; make the folder writable, it is tried again every 30 s"
        )
    };

    let mut known = service.checkpoints.last.lock().unwrap_or_else(PoisonError::into_inner);
    let last = match known.clone() {
        Some(last) => last,
        None => {
            let found = newest_checkpoint(&plan.folder, &[signer.verifier()]).map_err(cannot)?;
            let last = found.map(|(name, checkpoint)| LastCheckpoint {
                name,
                rows: checkpoint.rows,
                head: checkpoint.head,
            });
            *known = Some(last.clone());
            last
        }
    };

    let Some((rows, head, text)) = current_checkpoint(service, signer)? else { return Ok(()) };
    if let Some(last) = &last {
        compare_trail(service, last)?;
        if (last.rows, &last.head) == (rows, &head) {
            return Ok(());
        }
    }

    let name = write_checkpoint(&plan.folder, rows, &text).map_err(cannot)?;
    tracing::info!(audit.rows = rows, audit.head = head, checkpoint.file = name, "checkpoint");
    *known = Some(Some(LastCheckpoint { name, rows, head }));
    Ok(())
}

/// Raises an alert when the trail is not the one that a checkpoint was made of.
fn compare_trail(service: &Service, last: &LastCheckpoint) -> Result<(), String> {
    let ledger = &service.context.ledger;
    let found = ledger.trail_hash(last.rows).map_err(|error| error.to_string())?;
    if found.as_ref() == Some(&last.head) {
        return Ok(());
    }
    let message = format!(
        "the audit trail is not the one of the checkpoint `{}`: rows were rewritten or removed, or an \
         older backup was restored; run `accredit audit verify`",
        last.name
    );
    tracing::error!(checkpoint.file = last.name, "{message}");
    let alert = RaisedAlert::new("audit", "checkpoint_differs", message);
    let raised = ledger.raise_alert(&alert, service.clock.now_ms());
    raised.map_err(|error| error.to_string())
}
