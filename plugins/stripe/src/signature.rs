//! The header `Stripe-Signature`: verified and made.
//!
//! Not decoding of bodies. Called by the connector, and [`sign_event`] by tests and samples that play
//! Stripe.

use accredit_seams::connector::{RejectedDelivery, SentRequest, required_header};
use accredit_webhook_checks::signature::{self, SignatureText};
use accredit_webhook_checks::{secret, time};
use subtle::ConstantTimeEq;

/// The header with the time and the signatures.
const SIGNATURE: &str = "stripe-signature";

/// What every signing secret begins with. The rest is not decoded: all of it is the key.
const SECRET_PREFIX: &str = "whsec_";

/// The value of `Stripe-Signature` for a body, as Stripe makes it.
///
/// # Errors
/// When the secret is empty.
pub fn sign_event(secret: &str, timestamp_s: i64, body: &[u8]) -> Result<String, RejectedDelivery> {
    let timestamp = timestamp_s.to_string();
    let text = signature_text(secret, &timestamp, body);
    let text = text.ok_or(RejectedDelivery("a secret is empty"))?;
    Ok(format!("t={timestamp},v1={text}"))
}

/// Whether a secret is one that Stripe makes, and is long enough.
pub(crate) fn check_secret(secret: &str) -> Result<(), RejectedDelivery> {
    let Some(rest) = secret.strip_prefix(SECRET_PREFIX) else {
        return Err(RejectedDelivery(
            "a secret does not begin with `whsec_`: it is the endpoint's signing secret, not an API key",
        ));
    };
    secret::check_token(rest)
}

/// Under which secret a request is authentic.
pub(crate) fn verify_signature(
    request: &SentRequest<'_>,
    secrets: &[&str],
) -> Result<usize, RejectedDelivery> {
    let header = SignatureHeader::read(required_header(request.headers, SIGNATURE)?)?;
    time::check_seconds(header.timestamp, request.received_ms)?;

    for (index, secret) in secrets.iter().enumerate() {
        // A secret that cannot verify must not keep the others from it.
        if check_secret(secret).is_err() {
            continue;
        }
        let expected = signature_text(secret, header.timestamp, request.body).unwrap_or_default();
        // Texts are compared: capital digits would be another way to write the same signature.
        let same = |text: &&str| bool::from(expected.as_bytes().ct_eq(text.as_bytes()));
        if header.signatures.iter().any(same) {
            return Ok(index);
        }
    }
    Err(accredit_seams::connector::NO_SIGNATURE_MATCHES)
}

/// The signature of a time and a body; none for an empty secret.
fn signature_text(secret: &str, timestamp: &str, body: &[u8]) -> Option<String> {
    let mac = signature::hmac_sha256(secret.as_bytes(), &[timestamp.as_bytes(), b".", body])?;
    Some(SignatureText::Hex.encode(&mac))
}

/// What the header says.
struct SignatureHeader<'a> {
    timestamp: &'a str,
    /// The signatures of version 1, as many of them as are tried.
    signatures: Vec<&'a str>,
}

impl<'a> SignatureHeader<'a> {
    /// Reads `t=…,v1=…`, with any number of `v1`. Others are ignored: `v0` is of no real event.
    fn read(text: &'a str) -> Result<Self, RejectedDelivery> {
        let mut timestamp = None;
        let mut signatures = Vec::new();

        for item in text.split(',') {
            match item.split_once('=') {
                Some(("t", value)) => {
                    // Of two times one could be signed and the other one be near now.
                    if timestamp.replace(value).is_some() {
                        return Err(RejectedDelivery("the signature has two times"));
                    }
                }
                Some(("v1", value)) if signatures.len() < signature::SIGNATURES_MAX => {
                    signatures.push(value);
                }
                Some(_) => {}
                None => return Err(RejectedDelivery("the signature has a part without a value")),
            }
        }

        let timestamp = timestamp.ok_or(RejectedDelivery("the signature has no time"))?;
        Ok(SignatureHeader { timestamp, signatures })
    }
}
