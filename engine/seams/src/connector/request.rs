//! A request as it was sent, and the events in it.

use std::borrow::Cow;

use super::RejectedDelivery;

/// A request as it was sent.
#[derive(Debug, Clone, Copy)]
pub struct SentRequest<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// What follows `?` in its target, as sent; empty where nothing does.
    pub query: &'a str,
    /// Its headers.
    pub headers: &'a SentHeaders<'a>,
    /// Its body, byte for byte.
    pub body: &'a [u8],
    /// When it arrived, milliseconds since 1970.
    pub received_ms: i64,
}

/// Names and values of headers in received order; a name may come twice.
pub type SentHeaders<'a> = [(&'a str, &'a [u8])];

/// One event of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentEvent<'b> {
    /// The same for each attempt to deliver the event, another one for every other event.
    pub id: String,
    /// What is kept of it.
    pub body: Cow<'b, [u8]>,
}

/// The only value of the header `name`, as visible ASCII.
///
/// # Errors
/// When it is missing, comes twice or is not text.
pub fn required_header<'a>(
    headers: &SentHeaders<'a>,
    name: &str,
) -> Result<&'a str, RejectedDelivery> {
    optional_header(headers, name)?.ok_or(RejectedDelivery("a header is missing or comes twice"))
}

/// The only value of the header `name`, as visible ASCII; none where it is missing.
///
/// # Errors
/// When it comes twice or is not text.
pub fn optional_header<'a>(
    headers: &SentHeaders<'a>,
    name: &str,
) -> Result<Option<&'a str>, RejectedDelivery> {
    let mut values = headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    let Some((_, value)) = values.next() else { return Ok(None) };
    // A header that comes twice could be verified by one value and read by the other.
    if values.next().is_some() {
        return Err(RejectedDelivery("a header is missing or comes twice"));
    }

    let text = std::str::from_utf8(value).map_err(|_| RejectedDelivery("a header is not text"))?;
    let visible = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if visible { Ok(Some(text)) } else { Err(RejectedDelivery("a header is not text")) }
}
