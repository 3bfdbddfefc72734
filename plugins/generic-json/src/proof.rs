//! How a sender proves itself: verified, and made for a sample.

use accredit_seams::connector::{RejectedDelivery, SentRequest, SourceSettings, required_header};
use accredit_webhook_checks::secret::{self, SECRET_CHARACTERS_MIN};
use accredit_webhook_checks::{signature, time};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::settings::{Proof, SignatureScheme, read_proof};

/// Which of the secrets proves the request.
pub(crate) fn verify_request(
    request: &SentRequest<'_>,
    settings: &SourceSettings,
    secrets: &[&str],
) -> Result<usize, RejectedDelivery> {
    let proof = read_proof(settings)
        .map_err(|_| RejectedDelivery("the settings do not say how the sender proves itself"))?;
    match proof {
        Proof::Bearer => secret::verify_bearer(request.headers, secrets),
        Proof::Basic => secret::verify_basic(request.headers, secrets),
        Proof::Header(name) => secret::verify_header(request.headers, name, secrets),
        Proof::Signature(scheme) => verify_signature(request, scheme, secrets),
    }
}

fn verify_signature(
    request: &SentRequest<'_>,
    scheme: SignatureScheme<'_>,
    secrets: &[&str],
) -> Result<usize, RejectedDelivery> {
    let sent = required_header(request.headers, scheme.header)?;
    let sent = sent.strip_prefix(scheme.prefix);
    let sent = sent.and_then(|text| scheme.encoding.decode(text));
    let sent = sent.ok_or(RejectedDelivery("the signature is not written as the settings say"))?;

    let timestamp = match scheme.timestamp_header {
        Some(name) => {
            let timestamp = required_header(request.headers, name)?;
            time::check_seconds(timestamp, request.received_ms)?;
            Some(timestamp)
        }
        None => None,
    };

    let parts = signed_parts(timestamp, request.body);
    let matched =
        secrets.iter().position(|key| signature::is_signed(key.as_bytes(), &parts, &sent));
    matched.ok_or(accredit_seams::connector::NO_SIGNATURE_MATCHES)
}

/// What is signed: the body, behind the seconds and a dot where there are seconds.
fn signed_parts<'a>(timestamp: Option<&'a str>, body: &'a [u8]) -> Vec<&'a [u8]> {
    match timestamp {
        Some(timestamp) => vec![timestamp.as_bytes(), b".", body],
        None => vec![body],
    }
}

/// Whether a secret can sign. It is in no header, so it may have any characters; spaces at its ends are
/// more likely a slip.
pub(crate) fn check_key(secret: &str) -> Result<(), RejectedDelivery> {
    if secret.chars().count() < SECRET_CHARACTERS_MIN {
        return Err(RejectedDelivery(
            "a secret has fewer than 16 characters, so it could be guessed",
        ));
    }
    if secret.trim() != secret || secret.chars().any(char::is_control) {
        return Err(RejectedDelivery("a secret has spaces at its ends or control characters"));
    }
    Ok(())
}

/// The headers by which a sender proves a body that is sent at `sent_ms`.
pub(crate) fn proving_headers(
    settings: &SourceSettings,
    secret: &str,
    body: &[u8],
    sent_ms: i64,
) -> Result<Vec<(String, String)>, RejectedDelivery> {
    let proof = read_proof(settings)
        .map_err(|_| RejectedDelivery("the settings do not say how the sender proves itself"))?;
    let authorization = |value: String| vec![("authorization".to_owned(), value)];

    Ok(match proof {
        Proof::Bearer => authorization(format!("Bearer {secret}")),
        Proof::Basic => authorization(format!("Basic {}", STANDARD.encode(secret))),
        Proof::Header(name) => vec![(name.to_owned(), secret.to_owned())],
        Proof::Signature(scheme) => {
            let seconds = sent_ms.div_euclid(1000).to_string();
            let timestamp = scheme.timestamp_header.map(|_| seconds.as_str());
            let parts = signed_parts(timestamp, body);
            let signature = signature::hmac_sha256(secret.as_bytes(), &parts)
                .ok_or(RejectedDelivery("a secret is empty"))?;

            let text = format!("{}{}", scheme.prefix, scheme.encoding.encode(&signature));
            let mut headers = vec![(scheme.header.to_owned(), text)];
            headers.extend(scheme.timestamp_header.map(|name| (name.to_owned(), seconds.clone())));
            headers
        }
    })
}
