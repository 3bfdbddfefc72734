//! What a sender is told, where its rules differ from those of Standard Webhooks.

/// The answer to a request whose events are durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcceptedAnswer {
    /// The status, of 200 to 299.
    pub status: u16,
    /// The type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: &'static str,
}

/// The answer when nothing can be stored at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverloadAnswer {
    /// The status that makes the sender come back, 429 or 503.
    pub status: u16,
    /// When it should come back, in seconds, where it listens to that.
    pub retry_after_s: Option<u32>,
    /// How long the request waits for room before it is refused, in milliseconds: a sender that
    /// bans a receiver after a few refusals is better kept waiting, within its own time limit.
    pub patience_ms: u32,
}

impl Default for OverloadAnswer {
    /// 503 at once, and again after a second.
    fn default() -> Self {
        OverloadAnswer { status: 503, retry_after_s: Some(1), patience_ms: 0 }
    }
}
