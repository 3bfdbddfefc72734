//! The lease: which of the processes on a database decides.
//!
//! **Architecture invariant:** the lease changes its holder under the lock of all commits: a commit is either
//! before the change, or is refused by it.

use std::time::{Duration, Instant};

use accredit_seams::store::StoreError;
use accredit_seams::store::shared::{DecidingLease, LeaseClaim};
use tokio_postgres::Error;
use tokio_postgres::types::ToSql;

use crate::commit::LOCK;
use crate::connection::{Connection, ConnectionUse, await_until};
use crate::{SharedParts, failure, lock_ignoring_poison};

/// How long a question about the lease waits for its answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// Takes the lease, or renews it.
pub(crate) fn claim(parts: &SharedParts, claim: &LeaseClaim) -> Result<DecidingLease, StoreError> {
    with_connection(parts, |connection, end| try_claim(parts, connection, claim, end))
}

/// Lets another process take the lease at once.
pub(crate) fn release(parts: &SharedParts, term: u64) -> Result<(), StoreError> {
    with_connection(parts, |connection, end| {
        let term = term.cast_signed();
        let holder: [&(dyn ToSql + Sync); 2] = [&parts.host_id, &term];
        let released = connection.client.execute(
            "UPDATE accredit_leases SET expires_at = clock_timestamp() \
             WHERE name = 'decider' AND holder = $1 AND term = $2",
            &holder,
        );
        Ok(await_until(released, end).transpose()?.map(drop))
    })
}

/// Notes that a copy into the database is under way, or is whole.
pub(crate) fn note_copy(parts: &SharedParts, is_under_way: bool) -> Result<(), StoreError> {
    with_connection(parts, |connection, end| {
        let noted = connection.client.batch_execute(match is_under_way {
            true => "INSERT INTO accredit_store (name, version, commits) VALUES ('copy', 1, 0)",
            false => "DELETE FROM accredit_store WHERE name = 'copy'",
        });
        await_until(noted, end).transpose()
    })
}

/// Asks on the connection of the lease, on a new one where it was lost.
fn with_connection<T>(
    parts: &SharedParts,
    ask: impl Fn(&Connection, Instant) -> Result<Option<T>, Error>,
) -> Result<T, StoreError> {
    let settings = parts.connector.settings();
    let mut kept = lock_ignoring_poison(&parts.leasing);
    let mut is_new = false;
    loop {
        let connection = match kept.take().filter(|kept| !kept.client.is_closed()) {
            Some(connection) => connection,
            None => {
                is_new = true;
                let connected = parts.connector.connect(ConnectionUse::Writing);
                connected.inspect_err(|error| parts.trouble.read_failed(error))?
            }
        };
        match ask(&connection, Instant::now() + ANSWER_WAIT) {
            Ok(Some(answer)) => {
                *kept = Some(connection);
                parts.trouble.clear_read_failure();
                return Ok(answer);
            }
            // What is still under way there ends with the connection.
            Ok(None) => return Err(failure::no_answer(settings)),
            Err(error) if !is_new && failure::is_lost(&error) => (),
            Err(error) if failure::is_retried(&error) => (),
            Err(error) => {
                let error = failure::store_error(settings, &error);
                parts.trouble.read_failed(&error);
                return Err(error);
            }
        }
    }
}

fn try_claim(
    parts: &SharedParts,
    connection: &Connection,
    claim: &LeaseClaim,
    end: Instant,
) -> Result<Option<DecidingLease>, Error> {
    let seconds = claim.duration.as_secs_f64();
    let holder: [&(dyn ToSql + Sync); 3] = [&parts.host_id, &claim.address, &seconds];
    // The lease of this process is renewed without the lock: nobody else writes the row before its end.
    let renewed = connection.client.query(
        "UPDATE accredit_leases SET address = $2, \
         expires_at = clock_timestamp() + $3 * INTERVAL '1 second' \
         WHERE name = 'decider' AND holder = $1 RETURNING term",
        &holder,
    );
    let Some(renewed) = await_until(renewed, end) else { return Ok(None) };
    if let Some(row) = renewed?.first() {
        let term: i64 = row.try_get(0)?;
        return Ok(Some(DecidingLease::Held(term.cast_unsigned())));
    }

    let looked = connection.client.query(
        "SELECT address FROM accredit_leases WHERE name = 'decider' \
         AND expires_at > clock_timestamp()",
        &[],
    );
    let Some(looked) = await_until(looked, end) else { return Ok(None) };
    if let Some(row) = looked?.first() {
        return Ok(Some(DecidingLease::Elsewhere(row.try_get(0)?)));
    }
    take(parts, connection, claim, end)
}

/// Takes a lease that has ended.
fn take(
    parts: &SharedParts,
    connection: &Connection,
    claim: &LeaseClaim,
    end: Instant,
) -> Result<Option<DecidingLease>, Error> {
    let client = &connection.client;
    let Some(locked) = await_until(client.simple_query(LOCK), end) else { return Ok(None) };
    let taken = match locked {
        Ok(_) => {
            let seconds = claim.duration.as_secs_f64();
            let holder: [&(dyn ToSql + Sync); 3] = [&parts.host_id, &claim.address, &seconds];
            let taken = client.query(
                "UPDATE accredit_leases SET holder = $1, address = $2, term = term + 1, \
                 expires_at = clock_timestamp() + $3 * INTERVAL '1 second' \
                 WHERE name = 'decider' AND expires_at <= clock_timestamp() RETURNING term",
                &holder,
            );
            await_until(taken, end).transpose()
        }
        Err(error) => Err(error),
    };

    let finish = if taken.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let Some(finished) = await_until(client.batch_execute(finish), end) else { return Ok(None) };
    let Some(taken) = taken? else { return Ok(None) };
    finished?;
    Ok(Some(match taken.first() {
        Some(row) => DecidingLease::Held(row.try_get::<_, i64>(0)?.cast_unsigned()),
        // Another process was faster; its address is known at the next look.
        None => DecidingLease::Elsewhere(String::new()),
    }))
}
