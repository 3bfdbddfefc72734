//! The deals that a CRM has closed in some days, a page at a time: what a reconciliation compares.

use super::FetchRequest;

/// The days whose closed deals are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedSpan {
    /// The first day, `2026-01-01`, as the customer counts days.
    pub first_day: String,
    /// The last day.
    pub last_day: String,
    /// When the first day begins, milliseconds since 1970.
    pub from_ms: i64,
    /// When the day after the last one begins, milliseconds since 1970.
    pub until_ms: i64,
}

/// A page of closed deals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedPage {
    /// Each deal as a body that [`decode_event`](super::Connector::decode_event) reads, and that needs no
    /// fetch: the source's intake policy makes rows of it as of any event.
    pub events: Vec<String>,
    /// What the next page is asked for with; none behind the last one.
    pub next: Option<String>,
}

/// Why a page of closed deals cannot be asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClosedDealsError {
    /// The connector lists none.
    #[error("this connector cannot list closed deals: compare an export of the CRM")]
    NotSupported,
    /// The settings leave something out.
    #[error("{0}")]
    Settings(String),
}

/// What is asked for a page: a request, or why there is none.
pub type ClosedRequest = Result<FetchRequest, ClosedDealsError>;
