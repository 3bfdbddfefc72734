//! Requests that their senders gave a key: the same one again gets the answer of the first, and the key
//! with another request is refused.
//!
//! Not carrying requests out. Called by the host on the worker's thread, where two requests with one key
//! are one after the other. The keys of imports are ids of deliveries. Source: RELIABILITY section 7.

use accredit_ledger::definitions::content_hash;
use accredit_ledger::request_keys::KeptAnswer;
use serde::Serialize;
use serde_json::Value;

use crate::context::Context;
use crate::error::OperationError;

/// A request under a key of its sender.
#[derive(Debug, Clone)]
pub struct KeyedRequest {
    who: String,
    key: String,
    /// The hash of what is asked for.
    request: String,
}

impl KeyedRequest {
    /// The request of `who`, with what makes it the same one.
    ///
    /// # Errors
    /// When `request` has no JSON: a fault of the program.
    pub fn new(
        who: &str,
        key: String,
        request: &impl Serialize,
    ) -> Result<KeyedRequest, OperationError> {
        let request = content_hash(&serde_json::to_string(request)?);
        Ok(KeyedRequest { who: who.to_owned(), key, request })
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What it was answered before, and whether that still waited for a second person; none when it is
    /// new.
    ///
    /// # Errors
    /// [`OperationError::Invalid`] when the key was used for another request.
    pub fn former_answer(
        &self,
        context: &Context,
    ) -> Result<Option<(Value, bool)>, OperationError> {
        let kept = context.ledger.kept_answer((&self.who, &self.key), context.now_ms())?;
        let Some(kept) = kept else { return Ok(None) };
        if kept.request != self.request {
            let detail = "this `Idempotency-Key` was used for another request";
            return Err(OperationError::invalid("idempotency_conflict", detail));
        }
        Ok(Some((serde_json::from_str(&kept.body)?, kept.waits)))
    }

    /// Keeps what it was answered. This is a commit behind the one that carries the request out: after a
    /// stop between both it is carried out again, which its own rules make once.
    ///
    /// # Errors
    /// When the data cannot be written.
    pub fn keep_answer(
        &self,
        context: &Context,
        body: &Value,
        waits: bool,
    ) -> Result<(), OperationError> {
        let (request, body) = (self.request.clone(), body.to_string());
        let answer = KeptAnswer { at_ms: context.now_ms(), request, body, waits };
        Ok(context.ledger.keep_answer((&self.who, &self.key), &answer)?)
    }
}
