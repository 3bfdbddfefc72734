#![doc = include_str!("../README.md")]

use accredit_engine::connector::{Connector, DecodeError, Payload, Rejected, Verified};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How far an attempt's time may be from now, either way.
pub const TOLERANCE_S: i64 = 300;
/// Signatures that are tried before a header is refused.
pub const SIGNATURES_MAX: usize = 20;

/// Base64 with or without padding: secrets are copied by hand.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The connector.
#[derive(Debug, Clone, Copy, Default)]
pub struct StandardWebhooks;

impl Connector for StandardWebhooks {
    fn name(&self) -> &'static str {
        "standard-webhooks"
    }

    fn verify(&self, payload: &Payload<'_>) -> Result<Verified, Rejected> {
        let id = header(payload, "webhook-id")?;
        let timestamp = header(payload, "webhook-timestamp")?;
        let signatures = header(payload, "webhook-signature")?;
        if id.is_empty() || id.contains('.') {
            return Err(Rejected("the delivery id is empty or has a dot"));
        }
        let digits = !timestamp.is_empty() && timestamp.bytes().all(|byte| byte.is_ascii_digit());
        let time: Option<i64> = timestamp.parse().ok().filter(|_| digits);
        let time = time.ok_or(Rejected("the timestamp is not a number of seconds"))?;
        if payload.now_s.abs_diff(time) > TOLERANCE_S.unsigned_abs() {
            return Err(Rejected("the timestamp is too far from now"));
        }
        let given: Vec<Vec<u8>> = signatures
            .split(' ')
            .take(SIGNATURES_MAX)
            .filter_map(|signature| signature.strip_prefix("v1,"))
            .filter_map(|signature| STANDARD.decode(signature).ok())
            .collect();
        for secret in payload.secrets {
            let Ok(mac) = mac(secret, id, timestamp, payload.body) else { continue };
            if given.iter().any(|signature| mac.clone().verify_slice(signature).is_ok()) {
                return Ok(Verified { delivery: id.to_owned() });
            }
        }
        Err(Rejected("no signature matches an active secret"))
    }

    fn decode(&self, body: &[u8]) -> Result<serde_json::Value, DecodeError> {
        serde_json::from_slice(body).map_err(|error| DecodeError(error.to_string()))
    }
}

/// The only header of this name: two are an attempt to be read differently by two readers.
fn header<'a>(payload: &Payload<'a>, name: &str) -> Result<&'a str, Rejected> {
    let mut found = payload.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Ok(value),
        (None, _) => Err(Rejected("a signature header is missing")),
        _ => Err(Rejected("a signature header is repeated")),
    }
}

/// A secret that cannot sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadSecret;

impl std::fmt::Display for BadSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a secret is `whsec_` and base64 of at least one byte")
    }
}

impl std::error::Error for BadSecret {}

fn mac(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> Result<Hmac<Sha256>, BadSecret> {
    let key = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = LENIENT.decode(key).map_err(|_| BadSecret)?;
    if key.is_empty() {
        return Err(BadSecret);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| BadSecret)?;
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    Ok(mac)
}

/// The value of `webhook-signature` for a delivery; `timestamp_s` is in seconds since 1970.
///
/// # Errors
/// [`BadSecret`] when the secret is empty or not base64.
pub fn sign(secret: &str, id: &str, timestamp_s: i64, body: &[u8]) -> Result<String, BadSecret> {
    let mac = mac(secret, id, &timestamp_s.to_string(), body)?;
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// Whether a text can be used as a secret.
pub fn is_secret(text: &str) -> bool {
    mac(text, "", "", b"").is_ok()
}

#[cfg(test)]
mod tests;
