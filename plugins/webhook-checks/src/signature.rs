//! HMAC-SHA256 over parts of a request, and its two ways of being written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Signatures tried a request: a header of any length must not cost more than this many comparisons.
pub const SIGNATURES_MAX: usize = 20;

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureText {
    /// Two digits a byte, small or capital letters.
    Hex,
    /// Base64 with its padding.
    Base64,
}

impl SignatureText {
    /// The bytes of a signature; none where it is not one.
    pub fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            SignatureText::Hex => decode_hex(text),
            SignatureText::Base64 => STANDARD.decode(text).ok(),
        }
    }

    /// A signature as text.
    pub fn encode(self, bytes: &[u8]) -> String {
        match self {
            SignatureText::Hex => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            SignatureText::Base64 => STANDARD.encode(bytes),
        }
    }
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let (pairs, _) = text.as_bytes().as_chunks::<2>();
    pairs.iter().map(|[high, low]| Some((digit(high)? * 16 + digit(low)?) as u8)).collect()
}

/// The signature of parts one behind the other; none for an empty key.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
    if key.is_empty() {
        return None;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    parts.iter().for_each(|part| mac.update(part));
    Some(mac.finalize().into_bytes().into())
}

/// Whether a signature is the one of these parts, in constant time.
pub fn is_signed(key: &[u8], parts: &[&[u8]], signature: &[u8]) -> bool {
    // A slice of another length is unequal in constant time as well.
    hmac_sha256(key, parts).is_some_and(|expected| expected.ct_eq(signature).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    const KNOWN: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

    #[test]
    fn a_known_signature_matches_in_both_ways_of_writing_it() {
        let parts: [&[u8]; 2] = [b"what do ya want ", b"for nothing?"];
        let signature = hmac_sha256(b"Jefe", &parts).unwrap();
        assert_eq!(SignatureText::Hex.encode(&signature), KNOWN);
        for how in [SignatureText::Hex, SignatureText::Base64] {
            let text = how.encode(&signature);
            assert!(is_signed(b"Jefe", &parts, &how.decode(&text).unwrap()));
        }
        assert!(is_signed(
            b"Jefe",
            &parts,
            &SignatureText::Hex.decode(&KNOWN.to_uppercase()).unwrap()
        ));
        assert!(
            !is_signed(b"jefe", &parts, &signature) && !is_signed(b"Jefe", &parts, &signature[1..])
        );
        assert_eq!((hmac_sha256(b"", &parts), SignatureText::Hex.decode("5bd")), (None, None));
        assert_eq!(SignatureText::Hex.decode("5g"), None);
    }
}
