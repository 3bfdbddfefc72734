//! Why an operation was refused, or could not be done.
//!
//! Not an answer: the host maps every variant to a status once. Codes are a part of the API, and
//! `scripts/problems.md` has a section for each.

use accredit_domain::diagnostic::Diagnostic;
use accredit_seams::store::Error as StoreError;
use serde_json::Value as Json;

/// What a caller is told of a refusal.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// For programs: a word that stays.
    pub code: &'static str,
    /// For people: what is wrong, and what to do.
    pub detail: String,
    /// What was found, one JSON object each.
    pub findings: Vec<Json>,
}

impl Refusal {
    /// A refusal without findings.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Refusal {
        Refusal { code, detail: detail.into(), findings: Vec::new() }
    }
}

/// Why an operation changed nothing, by cause.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What it is about does not exist.
    #[error(transparent)]
    NotFound(Refusal),
    /// The request can be understood and cannot be carried out.
    #[error(transparent)]
    Invalid(Refusal),
    /// The request contradicts the present state.
    #[error(transparent)]
    Conflict(Refusal),
    /// The caller expected another version than the present one.
    #[error(transparent)]
    Precondition(Refusal),
    /// The caller has to say which version is expected.
    #[error(transparent)]
    PreconditionRequired(Refusal),
    /// Another person has to do it.
    #[error(transparent)]
    Forbidden(Refusal),
    /// It can be tried again later.
    #[error(transparent)]
    Unavailable(Refusal),
    /// Check or a case found errors in the files.
    #[error("check found errors")]
    Check(Vec<Diagnostic>),
    /// The data could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A fault of the program or of the machine.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// There is no `what` with the given name.
    #[must_use]
    pub fn not_found(what: &str) -> Error {
        Error::NotFound(Refusal::new("not_found", format!("there is no such {what}")))
    }

    /// The request can be understood and cannot be carried out.
    #[must_use]
    pub fn invalid(code: &'static str, detail: impl Into<String>) -> Error {
        Error::Invalid(Refusal::new(code, detail))
    }

    /// The request contradicts the present state.
    #[must_use]
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Error {
        Error::Conflict(Refusal::new(code, detail))
    }

    /// The caller expected another version than the present one.
    #[must_use]
    pub fn precondition(code: &'static str, detail: impl Into<String>) -> Error {
        Error::Precondition(Refusal::new(code, detail))
    }

    /// The caller has to say which version is expected.
    #[must_use]
    pub fn precondition_required(code: &'static str, detail: impl Into<String>) -> Error {
        Error::PreconditionRequired(Refusal::new(code, detail))
    }

    /// Another person has to do it.
    #[must_use]
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Error {
        Error::Forbidden(Refusal::new(code, detail))
    }

    /// It can be tried again later.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>) -> Error {
        Error::Unavailable(Refusal::new("unavailable", detail))
    }

    /// With what was found; only a refusal carries findings.
    #[must_use]
    pub fn findings(mut self, found: Vec<Json>) -> Error {
        match &mut self {
            Error::NotFound(refusal)
            | Error::Invalid(refusal)
            | Error::Conflict(refusal)
            | Error::Precondition(refusal)
            | Error::PreconditionRequired(refusal)
            | Error::Forbidden(refusal)
            | Error::Unavailable(refusal) => refusal.findings = found,
            Error::Check(_) | Error::Store(_) | Error::Internal(_) => (),
        }
        self
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Error {
        Error::Internal(error.to_string())
    }
}
