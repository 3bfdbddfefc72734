//! The seam to a CRM: what a connector must answer about one delivery.
//!
//! Not receiving (the host has the socket, the inbox and the secrets) and not deciding. Implemented
//! by crates in `plugins/`, called by the host's intake (verify) and by its worker (decode).
//!
//! **Architecture invariant:** a connector is pure: the time, the secrets and the bytes are given to
//! it, so every answer can be repeated from what the inbox kept.

/// One way in: a signature scheme and a shape of bodies.
pub trait Connector: Send + Sync {
    /// The name that `connector` in `[sources.<source>]` refers to.
    fn name(&self) -> &'static str;

    /// Whether `secret` can verify anything; asked once, when the server starts.
    ///
    /// # Errors
    /// Why it cannot, without the secret.
    fn check_secret(&self, secret: &str) -> Result<(), RejectedDelivery>;

    /// Whether the delivery is authentic, judged on the raw bytes.
    ///
    /// # Errors
    /// Why it is not; for our log, never for the sender.
    fn verify_delivery(
        &self,
        payload: &DeliveryPayload<'_>,
    ) -> Result<VerifiedDelivery, RejectedDelivery>;

    /// The payloads in an authentic body, each for one call of the intake policy; without a policy
    /// each is one transaction or an array of them.
    ///
    /// # Errors
    /// Why the body has no known shape; the delivery becomes a dead letter.
    fn decode_body(&self, body: &[u8]) -> Result<Vec<serde_json::Value>, DecodeError>;
}

/// A delivery as it came in.
#[derive(Debug, Clone, Copy)]
pub struct DeliveryPayload<'a> {
    /// HTTP method, upper case.
    pub method: &'a str,
    /// Path and query as requested.
    pub path: &'a str,
    /// Headers in received order; a name may come twice.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body before any parsing.
    pub body: &'a [u8],
    /// When it came, in milliseconds since 1970.
    pub now_ms: i64,
    /// The active secrets, several while rotating.
    pub secrets: &'a [&'a str],
}

impl<'a> DeliveryPayload<'a> {
    /// The only value of the header `name`, as visible ASCII.
    ///
    /// # Errors
    /// When it is missing, comes twice or is not text.
    pub fn required_header(&self, name: &str) -> Result<&'a str, RejectedDelivery> {
        // A header that comes twice could be verified by one value and read by the other.
        let mut values = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let (Some((_, value)), None) = (values.next(), values.next()) else {
            return Err(RejectedDelivery("a header is missing or comes twice"));
        };

        let text =
            std::str::from_utf8(value).map_err(|_| RejectedDelivery("a header is not text"))?;
        let visible = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if visible { Ok(text) } else { Err(RejectedDelivery("a header is not text")) }
    }
}

/// A delivery whose sender is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedDelivery {
    /// The sender's id of the delivery, the same for each attempt.
    pub delivery: String,
    /// Which of the active secrets matched, from 0.
    pub secret: usize,
}

/// Why a delivery is not authentic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RejectedDelivery(pub &'static str);

/// Why a body has no known shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(pub String);
