//! An event as a signed CloudEvent.
//!
//! Not sending. Sources: CloudEvents 1.0 (JSON format) and Standard Webhooks.

use accredit_ledger::outbox::OutgoingEvent;
use accredit_standard_webhooks::sign_delivery;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::server::clock::format_rfc3339;

/// The media type of a CloudEvent.
pub(super) const CLOUD_EVENT: &str = "application/cloudevents+json";

/// A message that is ready to be sent.
pub(super) struct SignedMessage {
    /// Names and values, `webhook-id`, `webhook-timestamp` and `webhook-signature`.
    pub(super) headers: [(&'static str, String); 3],
    /// The CloudEvent.
    pub(super) body: String,
}

/// The CloudEvent of an event of a workspace.
///
/// # Errors
/// When what is to be known is not JSON.
pub(crate) fn cloud_event(event: &OutgoingEvent, workspace: &str) -> Result<Value, String> {
    let data: Value = serde_json::from_str(&event.data).map_err(|error| error.to_string())?;
    Ok(json!({
        "specversion": "1.0",
        "id": event.id(),
        "source": format!("/accredit/{}", utf8_percent_encode(workspace, NON_ALPHANUMERIC)),
        "type": format!("com.accredit.{}", event.kind),
        "time": format_rfc3339(event.at_ms),
        "subject": event.subject,
        "datacontenttype": "application/json",
        "data": data,
    }))
}

impl SignedMessage {
    /// An event of a workspace, signed at this time with every secret: while one is replaced, receivers
    /// know either of them.
    ///
    /// # Errors
    /// When a secret cannot sign, or the event cannot be written.
    pub(super) fn new(
        event: &OutgoingEvent,
        workspace: &str,
        (secrets, now_ms): (&[SecretString], i64),
    ) -> Result<SignedMessage, String> {
        let body = cloud_event(event, workspace)?.to_string();
        let (id, seconds) = (event.id(), now_ms / 1000);

        let signatures = secrets.iter().map(|secret| {
            let signed = sign_delivery(secret.expose_secret(), &id, seconds, body.as_bytes());
            signed.map_err(|error| error.0.to_owned())
        });
        let signatures: Result<Vec<String>, String> = signatures.collect();

        let headers = [
            ("webhook-id", id),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", signatures?.join(" ")),
        ];
        Ok(SignedMessage { headers, body })
    }
}
