//! Whose data a request of a payee is about: the caller's own, or that of one who reports to the caller.
//!
//! Not reading it (`lists`, `questions`). Extracted by every handler of `me` before it reads anything.
//!
//! **Architecture invariant:** a payee who may not be read and one who does not exist are one answer.

use std::sync::Arc;

use accredit_operations::principal::{PayeeScope, Principal};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use jiff::civil::Date;
use serde::Deserialize;

use crate::address;
use crate::http::problem::Problem;
use crate::server::state::Service;

/// The subject of a request: a scope, and the path at which it is found.
#[derive(Debug)]
pub(crate) struct Subject {
    /// Who asks.
    pub(crate) caller: Principal,
    /// What may be read.
    pub(crate) scope: PayeeScope,
    /// The path under which the caller finds what is the subject's: `/v1/me`, or that of a report.
    pub(crate) path: String,
}

/// The part of a path that names a report; the caller's own routes have none.
#[derive(Debug, Default, Deserialize)]
struct ReportPath {
    payee: Option<String>,
}

/// The part of a query that names a day.
#[derive(Debug, Default, Deserialize)]
struct DayQuery {
    on: Option<String>,
}

impl FromRequestParts<Arc<Service>> for Subject {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        service: &Arc<Service>,
    ) -> Result<Subject, Problem> {
        let caller = parts.extensions.get::<Principal>().cloned();
        let caller = caller.ok_or_else(|| Problem::internal(&"a request without a caller"))?;

        let query = Query::<DayQuery>::try_from_uri(&parts.uri).map(|Query(query)| query);
        let on = parse_day(query.unwrap_or_default().on.as_deref())?;

        let path = Path::<ReportPath>::from_request_parts(parts, service).await;
        let payee = path.map(|Path(path)| path.payee).unwrap_or_default();
        match payee {
            Some(payee) => {
                let scope = caller.scope_of(&service.context, &payee, on)?;
                let path = format!("/v1/me/reports/{}", address::encode_part(&payee));
                Ok(Subject { caller, scope, path })
            }
            None => {
                let scope = caller.own_scope(&service.context, on)?;
                Ok(Subject { caller, scope, path: "/v1/me".to_owned() })
            }
        }
    }
}

/// The day that a query names.
///
/// # Errors
/// When it is none.
pub(crate) fn parse_day(text: Option<&str>) -> Result<Option<Date>, Problem> {
    let day = text.map(str::parse::<Date>).transpose();
    day.map_err(|_| Problem::bad_request("`on` is a date such as 2026-01-31"))
}
