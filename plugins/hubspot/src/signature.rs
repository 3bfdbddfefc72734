//! Signatures of HubSpot: version 3 verified and made, versions 1 and 2 verified where they are allowed.
//!
//! Not decoding of bodies. Called by the connector, and [`sign_request`] by tests and samples that play
//! HubSpot.
//!
//! **Architecture invariant:** the URL that is signed comes from the settings. A URL built from the
//! headers of a request would be the one that a proxy or an attacker wrote.

use accredit_seams::connector::{
    RejectedDelivery, SentRequest, SourceSettings, optional_header, required_header,
};
use accredit_webhook_checks::signature::{self, SignatureText};
use accredit_webhook_checks::{secret, time};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::settings;

/// The signature of version 3.
const SIGNATURE_V3: &str = "x-hubspot-signature-v3";
/// When version 3 was signed, milliseconds since 1970.
const TIMESTAMP: &str = "x-hubspot-request-timestamp";
/// The signature of version 1 or 2.
const SIGNATURE: &str = "x-hubspot-signature";
/// Which of the two it is.
const VERSION: &str = "x-hubspot-signature-version";

/// Escapes that HubSpot decodes before it signs a URL; all others stay.
const DECODED_ESCAPES: [(&str, char); 12] = [
    ("3A", ':'),
    ("2F", '/'),
    ("3F", '?'),
    ("40", '@'),
    ("21", '!'),
    ("24", '$'),
    ("27", '\''),
    ("28", '('),
    ("29", ')'),
    ("2A", '*'),
    ("2C", ','),
    ("3B", ';'),
];

/// What version 3 signs, one behind the other.
#[derive(Debug, Clone, Copy)]
pub struct SignedParts<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The whole URL that was called.
    pub url: &'a str,
    /// The body, byte for byte.
    pub body: &'a [u8],
    /// When it was signed, milliseconds since 1970, as the header has it.
    pub timestamp: &'a str,
}

/// The value of `X-HubSpot-Signature-v3`, as HubSpot makes it.
///
/// # Errors
/// When the secret is empty.
pub fn sign_request(secret: &str, parts: &SignedParts<'_>) -> Result<String, RejectedDelivery> {
    let url = decode_url(parts.url);
    let signed = [parts.method.as_bytes(), url.as_bytes(), parts.body, parts.timestamp.as_bytes()];
    let mac = signature::hmac_sha256(secret.as_bytes(), &signed);
    let mac = mac.ok_or(RejectedDelivery("a secret is empty"))?;
    Ok(SignatureText::Base64.encode(&mac))
}

/// Under which secret a request is authentic.
pub(crate) fn verify_signature(
    request: &SentRequest<'_>,
    settings: &SourceSettings,
    secrets: &[&str],
) -> Result<usize, RejectedDelivery> {
    let url = settings.url.as_deref().ok_or(RejectedDelivery("the source has no URL"))?;
    let url = called_url(url, request.query);

    if let Some(sent) = optional_header(request.headers, SIGNATURE_V3)? {
        let timestamp = required_header(request.headers, TIMESTAMP)?;
        time::check_milliseconds(timestamp, request.received_ms)?;
        return verify_v3(request, (sent, timestamp), &url, secrets);
    }

    // Beside a signature of version 3 an older one is never read: it would be a way around the time.
    if settings.flag(settings::LEGACY_SIGNATURES) == Some(true) {
        verify_legacy(request, &url, secrets)
    } else {
        Err(RejectedDelivery("there is no signature of version 3"))
    }
}

fn verify_v3(
    request: &SentRequest<'_>,
    (sent, timestamp): (&str, &str),
    url: &str,
    secrets: &[&str],
) -> Result<usize, RejectedDelivery> {
    let decoded = decode_url(url);
    for (index, secret) in secrets.iter().enumerate() {
        // A secret that cannot verify must not keep the others from it.
        if secret::check_token(secret).is_err() {
            continue;
        }
        // The documentation decodes the URL, the vendor's libraries do not. Both need the secret.
        for url in [decoded.as_str(), url] {
            let parts =
                [request.method.as_bytes(), url.as_bytes(), request.body, timestamp.as_bytes()];
            let expected = signature::hmac_sha256(secret.as_bytes(), &parts);
            let expected = expected.map(|mac| SignatureText::Base64.encode(&mac));
            // Texts are compared: base64 has several ways to write the same bytes.
            if expected.is_some_and(|text| text.as_bytes().ct_eq(sent.as_bytes()).into()) {
                return Ok(index);
            }
        }
    }
    Err(accredit_seams::connector::NO_SIGNATURE_MATCHES)
}

/// Versions 1 and 2: hashes of the secret and what it signs, without a time.
fn verify_legacy(
    request: &SentRequest<'_>,
    url: &str,
    secrets: &[&str],
) -> Result<usize, RejectedDelivery> {
    let sent = required_header(request.headers, SIGNATURE)?;
    let version = optional_header(request.headers, VERSION)?;

    // Such a hash can be continued without the secret, over padding that begins with the byte 0x80:
    // behind a whole text it is not UTF-8.
    if std::str::from_utf8(request.body).is_err() {
        return Err(RejectedDelivery("the body is not text"));
    }

    let second: &[&[u8]] = &[request.method.as_bytes(), url.as_bytes(), request.body];
    let first: &[&[u8]] = &[request.body];
    let versions = match version {
        None => vec![second, first],
        Some("v2") => vec![second],
        Some("v1") => vec![first],
        Some(_) => return Err(RejectedDelivery("the version of the signature is unknown")),
    };

    for (index, secret) in secrets.iter().enumerate() {
        if secret::check_token(secret).is_err() {
            continue;
        }
        for parts in &versions {
            let expected = hash_text(secret, parts);
            if expected.as_bytes().ct_eq(sent.as_bytes()).into() {
                return Ok(index);
            }
        }
    }
    Err(accredit_seams::connector::NO_SIGNATURE_MATCHES)
}

fn hash_text(secret: &str, parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    hash.update(secret.as_bytes());
    parts.iter().for_each(|part| hash.update(part));
    SignatureText::Hex.encode(&hash.finalize())
}

/// The URL that HubSpot called: the configured one, with the query of the request where it has none.
fn called_url(url: &str, query: &str) -> String {
    if query.is_empty() || url.contains('?') { url.to_owned() } else { format!("{url}?{query}") }
}

/// A URL with the escapes decoded that HubSpot decodes.
fn decode_url(url: &str) -> String {
    let mut decoded = String::with_capacity(url.len());
    let mut rest = url;
    while let Some((before, after)) = rest.split_once('%') {
        decoded.push_str(before);
        let digits = after.get(..2).unwrap_or_default();
        let known = DECODED_ESCAPES.iter().find(|(escape, _)| escape.eq_ignore_ascii_case(digits));
        match known {
            Some((escape, plain)) => {
                decoded.push(*plain);
                rest = after.get(escape.len()..).unwrap_or_default();
            }
            None => {
                decoded.push('%');
                rest = after;
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_escapes_are_decoded_once() {
        let all = "%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B";
        assert_eq!(decode_url(all), ":/?@!$'()*,;");
        assert_eq!(decode_url(&all.to_lowercase()), ":/?@!$'()*,;");
        for kept in ["%20", "%25", "%2", "%", "a%", "%é", "%3", "%2B", "%26", "%23", "%3D", ""] {
            assert_eq!(decode_url(kept), kept);
        }
        assert_eq!(decode_url("%253A%%3Ax"), "%253A%:x");
    }

    #[test]
    fn the_query_of_the_settings_comes_first() {
        assert_eq!(called_url("https://a/b", ""), "https://a/b");
        assert_eq!(called_url("https://a/b", "c=1"), "https://a/b?c=1");
        assert_eq!(called_url("https://a/b?d=2", "c=1"), "https://a/b?d=2");
    }
}
