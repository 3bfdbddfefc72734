//! Why an operation was refused, or could not be done.
//!
//! Not an answer: the host maps every variant to a status once. Codes are a part of the API, and
//! `scripts/problems.md` has a section for each.

use accredit_domain::diagnostic::Diagnostic;
use accredit_ledger::runs::CalculationRun;
use accredit_seams::store::StoreError;
use serde_json::Value as Json;

/// What a caller is told of a refusal.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{detail}")]
pub struct RefusalDetail {
    /// For programs: a word that stays.
    pub code: &'static str,
    /// For people: what is wrong, and what to do.
    pub detail: String,
    /// What was found, one JSON object each.
    pub findings: Vec<Json>,
}

impl RefusalDetail {
    /// A refusal without findings.
    pub fn new(code: &'static str, detail: impl Into<String>) -> RefusalDetail {
        RefusalDetail { code, detail: detail.into(), findings: Vec::new() }
    }
}

/// Why an operation changed nothing, by cause.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// What it is about does not exist.
    #[error(transparent)]
    NotFound(RefusalDetail),
    /// The request can be understood and cannot be carried out.
    #[error(transparent)]
    Invalid(RefusalDetail),
    /// The request contradicts the present state.
    #[error(transparent)]
    Conflict(RefusalDetail),
    /// The caller expected another version than the present one.
    #[error(transparent)]
    Precondition(RefusalDetail),
    /// The caller has to say which version is expected.
    #[error(transparent)]
    PreconditionRequired(RefusalDetail),
    /// Another person has to do it.
    #[error(transparent)]
    Forbidden(RefusalDetail),
    /// It can be tried again later.
    #[error(transparent)]
    Unavailable(RefusalDetail),
    /// A run of the calculation has to end first.
    #[error("run {} of plan `{}` in {} is under way", .0.id, .0.plan, .0.period)]
    RunUnderWay(Box<CalculationRun>),
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

impl OperationError {
    /// There is no `what` with the given name.
    #[must_use]
    pub fn not_found(what: &str) -> OperationError {
        OperationError::NotFound(RefusalDetail::new("not_found", format!("{what} not found")))
    }

    /// The request can be understood and cannot be carried out.
    #[must_use]
    pub fn invalid(code: &'static str, detail: impl Into<String>) -> OperationError {
        OperationError::Invalid(RefusalDetail::new(code, detail))
    }

    /// The request contradicts the present state.
    #[must_use]
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> OperationError {
        OperationError::Conflict(RefusalDetail::new(code, detail))
    }

    /// The caller expected another version than the present one.
    #[must_use]
    pub fn precondition(code: &'static str, detail: impl Into<String>) -> OperationError {
        OperationError::Precondition(RefusalDetail::new(code, detail))
    }

    /// The caller has to say which version is expected.
    #[must_use]
    pub fn precondition_required(code: &'static str, detail: impl Into<String>) -> OperationError {
        OperationError::PreconditionRequired(RefusalDetail::new(code, detail))
    }

    /// Another person has to do it.
    #[must_use]
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> OperationError {
        OperationError::Forbidden(RefusalDetail::new(code, detail))
    }

    /// It can be tried again later.
    #[must_use]
    pub fn unavailable(detail: impl Into<String>) -> OperationError {
        OperationError::Unavailable(RefusalDetail::new("unavailable", detail))
    }

    /// With what was found; only a refusal carries findings.
    #[must_use]
    pub fn with_findings(mut self, found: Vec<Json>) -> OperationError {
        match &mut self {
            OperationError::NotFound(refusal)
            | OperationError::Invalid(refusal)
            | OperationError::Conflict(refusal)
            | OperationError::Precondition(refusal)
            | OperationError::PreconditionRequired(refusal)
            | OperationError::Forbidden(refusal)
            | OperationError::Unavailable(refusal) => refusal.findings = found,
            OperationError::RunUnderWay(_)
            | OperationError::Check(_)
            | OperationError::Store(_)
            | OperationError::Internal(_) => (),
        }
        self
    }
}

impl From<serde_json::Error> for OperationError {
    fn from(error: serde_json::Error) -> OperationError {
        OperationError::Internal(error.to_string())
    }
}
