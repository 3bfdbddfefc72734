//! JSON bodies of what people ask for, often with `force` and a `reason`: read, checked and refused in
//! one place, before a handler runs.
//!
//! Not the size of a body (`body`) and not what is done. Called by `results` and `definitions`.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::http::problem::Problem;

/// A body that an act may have.
pub(crate) trait ActBody: DeserializeOwned {
    /// What a sender is told whose body cannot be read.
    const EXPECTED: &'static str;

    /// What a request without a body asks for; none where a body is needed.
    fn without_body() -> Option<Self> {
        None
    }

    /// The body, where it makes sense by itself.
    ///
    /// # Errors
    /// When it does not.
    fn checked(self) -> Result<Self, Problem> {
        Ok(self)
    }
}

/// The body of a request, read and checked.
#[derive(Debug)]
pub(crate) struct SentAct<T> {
    /// What it says.
    pub(crate) body: T,
    /// The bytes as they came.
    pub(crate) bytes: Bytes,
}

impl<T: ActBody> SentAct<T> {
    /// Reads a body.
    ///
    /// # Errors
    /// When it cannot be read, or makes no sense.
    pub(crate) fn from_bytes(bytes: Bytes) -> Result<SentAct<T>, Problem> {
        let text = bytes.trim_ascii();
        let blank = if text.is_empty() { T::without_body() } else { None };

        let body: T = match blank {
            Some(body) => body,
            None => serde_json::from_slice(text)
                .map_err(|error| Problem::bad_request(format!("{}: {error}", T::EXPECTED)))?,
        };

        Ok(SentAct { body: body.checked()?, bytes })
    }
}

impl<T: ActBody, S: Send + Sync> FromRequest<S> for SentAct<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<SentAct<T>, Response> {
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(IntoResponse::into_response)?;
        SentAct::from_bytes(bytes).map_err(IntoResponse::into_response)
    }
}

/// Whether an act is forced, and why it is done.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ForcedReason {
    /// Whether it is done although something speaks against it.
    pub(crate) force: bool,
    /// Why, which a forced act needs.
    pub(crate) reason: Option<String>,
}

impl ActBody for ForcedReason {
    const EXPECTED: &'static str = "expected a JSON object with `force` and `reason`, or no body";

    fn without_body() -> Option<ForcedReason> {
        Some(ForcedReason::default())
    }

    /// The reason without blanks around it; one that is forced needs one.
    fn checked(self) -> Result<ForcedReason, Problem> {
        let reason = self.reason.map(|reason| reason.trim().to_owned());
        let reason = reason.filter(|reason| !reason.is_empty());
        if self.force && reason.is_none() {
            let detail = "`force` needs a `reason`, which the audit log keeps";
            return Err(Problem::unprocessable("reason_needed", detail));
        }
        Ok(ForcedReason { force: self.force, reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str) -> Result<ForcedReason, Problem> {
        SentAct::from_bytes(Bytes::from_static(text.as_bytes())).map(|sent| sent.body)
    }

    /// Each handler read such bodies by itself, and not all of them said what was wrong in one.
    #[test]
    fn a_forced_act_needs_a_reason() {
        assert!(!read(" ").unwrap().force);

        let forced = read(r#"{"force": true, "reason": " late deal "}"#).unwrap();
        assert_eq!(forced.reason.as_deref(), Some("late deal"));

        let refused = format!("{:?}", read(r#"{"force": true, "reason": " "}"#).unwrap_err());
        assert!(refused.contains("reason_needed"), "{refused}");

        let unknown = format!("{:?}", read(r#"{"why": "x"}"#).unwrap_err());
        assert!(unknown.contains("unknown field `why`"), "{unknown}");
    }
}
