//! Signatures: made and verified.
//!
//! Not decoding of bodies. Called by the connector, and [`sign_delivery`] by anyone who plays a
//! sender.

use accredit_seams::connector::{RejectedDelivery, SentHeaders, SentRequest, required_header};
use accredit_webhook_checks::{signature, time};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use subtle::ConstantTimeEq;

/// Bytes of a secret that is accepted: fewer could be guessed.
pub(crate) const KEY_BYTES_MIN: usize = 16;

/// Bytes of a delivery's id.
const ID_BYTES_MAX: usize = 256;

/// Secrets come padded or not, depending on who made them.
const SECRET: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The headers of id, timestamp and signatures: as the specification calls them, and as it called
/// them before it was one.
const NAMES: [[&str; 3]; 2] = [
    ["webhook-id", "webhook-timestamp", "webhook-signature"],
    ["svix-id", "svix-timestamp", "svix-signature"],
];

/// The names that this sender uses. A header of one set is never read beside those of another: who
/// sends both signs both.
fn header_names(headers: &SentHeaders<'_>) -> [&'static str; 3] {
    let [current, former] = NAMES;
    let sent = |name: &str| headers.iter().any(|(key, _)| key.eq_ignore_ascii_case(name));
    let only_former =
        former.iter().any(|name| sent(name)) && !current.iter().any(|name| sent(name));
    if only_former { former } else { current }
}

/// The sender's id of a delivery.
pub(crate) fn delivery_id<'a>(headers: &SentHeaders<'a>) -> Result<&'a str, RejectedDelivery> {
    let [id, _, _] = header_names(headers);
    required_header(headers, id)
}

/// Under which secret a delivery is authentic.
pub(crate) fn verify_signature(
    request: &SentRequest<'_>,
    secrets: &[&str],
) -> Result<usize, RejectedDelivery> {
    let headers = request.headers;
    let [id, timestamp, signatures] = header_names(headers);
    let id = required_header(headers, id)?;
    let timestamp = required_header(headers, timestamp)?;
    let signatures = required_header(headers, signatures)?;

    check_id(id)?;

    time::check_seconds(timestamp, request.received_ms)?;

    let candidates: Vec<Vec<u8>> = signatures
        .split(' ')
        .take(signature::SIGNATURES_MAX)
        .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
        .collect();

    for (index, secret) in secrets.iter().enumerate() {
        // A secret that cannot verify must not keep the others from it.
        let Ok(key) = decode_secret(secret) else { continue };
        let expected = compute_mac(&key, id, timestamp, request.body)?;
        // A slice of another length is unequal in constant time as well.
        if candidates.iter().any(|candidate| expected.ct_eq(candidate).into()) {
            return Ok(index);
        }
    }

    Err(accredit_seams::connector::NO_SIGNATURE_MATCHES)
}

/// The value of `webhook-signature` for a delivery, as a sender makes it.
///
/// # Errors
/// When the secret is empty or not base64.
pub fn sign_delivery(
    secret: &str,
    id: &str,
    timestamp_s: i64,
    body: &[u8],
) -> Result<String, RejectedDelivery> {
    let mac = compute_mac(&decode_secret(secret)?, id, &timestamp_s.to_string(), body)?;
    Ok(format!("v1,{}", STANDARD.encode(mac)))
}

/// The bytes of a secret.
pub(crate) fn decode_secret(secret: &str) -> Result<Vec<u8>, RejectedDelivery> {
    let digits = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = SECRET.decode(digits).map_err(|_| RejectedDelivery("a secret is not base64"))?;
    if key.is_empty() { Err(RejectedDelivery("a secret is empty")) } else { Ok(key) }
}

fn compute_mac(
    key: &[u8],
    id: &str,
    timestamp: &str,
    body: &[u8],
) -> Result<[u8; 32], RejectedDelivery> {
    let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    signature::hmac_sha256(key, &signed).ok_or(RejectedDelivery("a secret is empty"))
}

/// A dot would let id and timestamp trade characters under one signature.
fn check_id(id: &str) -> Result<(), RejectedDelivery> {
    let plain = id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.');
    if plain && !id.is_empty() && id.len() <= ID_BYTES_MAX {
        Ok(())
    } else {
        Err(RejectedDelivery("the delivery id is not usable"))
    }
}
