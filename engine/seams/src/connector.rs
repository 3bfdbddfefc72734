//! The seam to a CRM: what a connector must answer about one delivery.
//!
//! Not receiving (the host has the socket, the inbox and the secrets) and not deciding. Implemented
//! by crates in `plugins/`, called by the host's intake (verify) and by its worker (decode).
//!
//! **Architecture invariant:** a connector is pure: the time, the secrets and the bytes are given to
//! it, so every answer can be repeated from what the inbox kept.

use std::borrow::Cow;

use crate::delivery::Delivery;

/// One way in: a signature scheme and a shape of bodies.
pub trait Connector: Send + Sync {
    /// The name that `connector` in `[sources.<source>]` refers to.
    fn name(&self) -> &'static str;

    /// Whether `secret` can verify anything; asked once, when the server starts.
    ///
    /// # Errors
    /// Why it cannot, without the secret.
    fn check_secret(&self, secret: &str) -> Result<(), RejectedDelivery>;

    /// Whether the delivery is authentic, judged on its raw bytes, its headers and the active
    /// secrets, several while rotating. Sets the id of an authentic delivery and returns which
    /// secret matched, from 0.
    ///
    /// # Errors
    /// Why it is not authentic; for our log, never for the sender.
    fn verify_delivery(
        &self,
        delivery: &mut Delivery,
        headers: &SentHeaders<'_>,
        secrets: &[&str],
    ) -> Result<usize, RejectedDelivery>;

    /// The payloads in an authentic body, each one JSON value as text, for one call of the intake
    /// policy; without a policy each is one transaction or an array of them.
    ///
    /// # Errors
    /// Why the body has no known shape; the delivery becomes a dead letter.
    fn decode_body<'b>(&self, body: &'b [u8]) -> Result<Vec<Cow<'b, str>>, DecodeError>;
}

/// Names and values of headers in received order; a name may come twice.
pub type SentHeaders<'a> = [(&'a str, &'a [u8])];

/// The only value of the header `name`, as visible ASCII.
///
/// # Errors
/// When it is missing, comes twice or is not text.
pub fn required_header<'a>(
    headers: &SentHeaders<'a>,
    name: &str,
) -> Result<&'a str, RejectedDelivery> {
    // A header that comes twice could be verified by one value and read by the other.
    let mut values = headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    let (Some((_, value)), None) = (values.next(), values.next()) else {
        return Err(RejectedDelivery("a header is missing or comes twice"));
    };

    let text = std::str::from_utf8(value).map_err(|_| RejectedDelivery("a header is not text"))?;
    let visible = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if visible { Ok(text) } else { Err(RejectedDelivery("a header is not text")) }
}

/// Why a delivery is not authentic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RejectedDelivery(pub &'static str);

/// Why a body has no known shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(pub String);
