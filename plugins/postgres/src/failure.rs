//! What the database could not do, as an error that says what to do about it.
//!
//! Never with the password: addresses are shown without it, and the texts of the server have none.

use std::sync::Mutex;

use accredit_seams::store::StoreError;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::lock_ignoring_poison;
use crate::settings::PostgresSettings;

/// What is wrong at the moment, for readiness.
#[derive(Debug, Default)]
pub(crate) struct FailureState(Mutex<Option<StoreFailure>>);

#[derive(Debug)]
struct StoreFailure {
    reason: String,
    /// Bytes that could not be written; none where reading failed.
    bytes: Option<usize>,
}

/// Why a question has no answer.
#[derive(Debug)]
pub(crate) enum AskError {
    /// There was none in time: the connection is of no use any more.
    Silent,
    /// What the database answered, or what became of the connection.
    Told(Error),
}

impl From<Error> for AskError {
    fn from(error: Error) -> AskError {
        AskError::Told(error)
    }
}

impl AskError {
    /// The code of the answer, where there was one.
    pub(crate) fn code(&self) -> Option<&SqlState> {
        match self {
            AskError::Silent => None,
            AskError::Told(error) => error.code(),
        }
    }

    /// Whether the connection is of no use any more.
    pub(crate) fn is_lost(&self) -> bool {
        match self {
            AskError::Silent => true,
            AskError::Told(error) => is_lost(error),
        }
    }

    /// Whether the whole commit is to be tried again: nothing of it was written.
    pub(crate) fn is_retried(&self) -> bool {
        matches!(self, AskError::Told(error) if is_retried(error))
    }

    /// The same as an error that says what to do about it.
    pub(crate) fn to_store_error(&self, settings: &PostgresSettings) -> StoreError {
        match self {
            AskError::Silent => no_answer(settings),
            AskError::Told(error) => store_error(settings, error),
        }
    }
}

impl FailureState {
    pub(crate) fn failure_reason(&self) -> Option<String> {
        lock_ignoring_poison(&self.0).as_ref().map(|failure| failure.reason.clone())
    }

    /// How many bytes could not be written; none when no write failed.
    pub(crate) fn failed_bytes(&self) -> Option<usize> {
        lock_ignoring_poison(&self.0).as_ref().and_then(|failure| failure.bytes)
    }

    pub(crate) fn write_failed(&self, error: &StoreError, bytes: usize) {
        let reason = format!("{error}; the server tries again by itself");
        *lock_ignoring_poison(&self.0) = Some(StoreFailure { reason, bytes: Some(bytes) });
    }

    pub(crate) fn read_failed(&self, error: &StoreError) {
        let reason = format!("{error}; the server tries again by itself");
        // What a write needs is more than what a read needs.
        lock_ignoring_poison(&self.0).get_or_insert(StoreFailure { reason, bytes: None });
    }

    pub(crate) fn clear_write_failure(&self) {
        *lock_ignoring_poison(&self.0) = None;
    }

    /// A read succeeded: what was wrong with reading is over.
    pub(crate) fn clear_read_failure(&self) {
        lock_ignoring_poison(&self.0).take_if(|failure| failure.bytes.is_none());
    }
}

/// Why there is no connection.
pub(crate) fn connect_error(settings: &PostgresSettings, error: &Error) -> StoreError {
    if error.code().is_some() {
        return store_error(settings, error);
    }
    let cause = cause_of(error);
    if cause.contains("does not allow writes") {
        return failed(settings, "is read-only: name the primary, and not a standby");
    }
    if cause.to_lowercase().contains("certificate") {
        let remedy = format!(
            "has a certificate that is not trusted ({cause}): name the file of those that sign it with \
             `sslrootcert=FILE`"
        );
        return failed(settings, &remedy);
    }
    if cause.contains("does not support TLS") || cause.contains("invalid DNS name") {
        let remedy = format!(
            "cannot be reached with TLS ({cause}): set it up there, or give `sslmode=disable` in a \
             network that nobody else reads"
        );
        return failed(settings, &remedy);
    }
    let remedy = format!("cannot be reached ({cause}): check that it runs, and its host and port");
    failed(settings, &remedy)
}

/// There was no answer in time.
pub(crate) fn no_answer(settings: &PostgresSettings) -> StoreError {
    failed(settings, "does not answer in time: check that it runs, and the network")
}

/// What a question was answered.
pub(crate) fn store_error(settings: &PostgresSettings, error: &Error) -> StoreError {
    let Some(code) = error.code() else {
        return failed(settings, &format!("cannot be reached ({})", cause_of(error)));
    };
    let told = cause_of(error);
    let code_text = code.code();

    if code_text.starts_with("XX") && code_text != "XX000" {
        return StoreError::Damaged(format!("the database {settings} says: {told}"));
    }
    let remedy = match code_text {
        "28P01" | "28000" => "refuses the user or the password: check both".to_owned(),
        "3D000" => format!("does not exist ({told}): create it with `createdb`"),
        "42501" => {
            format!("refuses its user something ({told}): grant USAGE and CREATE on its schema")
        }
        "25006" => "is read-only: name the primary, and not a standby".to_owned(),
        "53100" => format!("has no room on its disk ({told}): make room"),
        "53300" => format!(
            "has no connection left ({told}): raise `max_connections` there, or give a smaller \
             `connections=` in the address"
        ),
        "55P03" => "could not be written because another host's commit does not end".to_owned(),
        "57P01" | "57P02" | "57P03" => format!("is being stopped or started ({told})"),
        _ => format!("answers with an error ({told}, SQLSTATE {code_text})"),
    };
    failed(settings, &remedy)
}

fn failed(settings: &PostgresSettings, what: &str) -> StoreError {
    StoreError::Failed(format!("the database {settings} {what}"))
}

/// Whether the whole commit is to be tried again: nothing of it was written.
pub(crate) fn is_retried(error: &Error) -> bool {
    let code = error.code();
    code.is_some_and(|code| {
        [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code)
    })
}

/// Whether the connection is of no use any more.
pub(crate) fn is_lost(error: &Error) -> bool {
    match error.code() {
        None => true,
        // The server ends the connection with these.
        Some(code) => {
            let code = code.code();
            code.starts_with("57P") || code.starts_with("08") || code == "25P03"
        }
    }
}

/// The innermost cause, which is the one that names something.
fn cause_of(error: &Error) -> String {
    if let Some(told) = error.as_db_error() {
        return told.message().to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
