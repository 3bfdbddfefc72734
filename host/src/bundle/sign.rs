//! Signatures of bundles: ed25519 over the digest.
//!
//! Not trust: who a key belongs to is the customer's to know (`--verify`). Called by `archive`.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::{BundleError, io_failure};

/// What is signed begins with this, so that a signature means nothing elsewhere.
const CONTEXT: &str = "accredit bundle 1 ";

/// The key in the file at `path`: 32 random bytes in base64.
pub(super) fn read_key(path: &Path) -> Result<SigningKey, BundleError> {
    let text = fs::read_to_string(path).map_err(|error| io_failure(path, error))?;
    let bytes = STANDARD.decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
    let bytes: [u8; 32] = bytes.ok_or_else(|| io_failure(path, "expected 32 bytes in base64"))?;
    Ok(SigningKey::from_bytes(&bytes))
}

/// The public key and the signature of `digest`, in base64.
pub(super) fn sign_digest(key: &SigningKey, digest: &str) -> (String, String) {
    let signature = key.sign(format!("{CONTEXT}{digest}").as_bytes());
    (STANDARD.encode(key.verifying_key().as_bytes()), STANDARD.encode(signature.to_bytes()))
}

/// Whether `signature` is that of `digest` by the owner of `public`.
pub(super) fn verify_signature(public: &str, signature: &str, digest: &str) -> bool {
    let decode = |text: &str| STANDARD.decode(text).ok();
    let key: Option<[u8; 32]> = decode(public).and_then(|bytes| bytes.try_into().ok());
    let key = key.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
    let signature = decode(signature).and_then(|bytes| Signature::from_slice(&bytes).ok());

    match (key, signature) {
        (Some(key), Some(signature)) => {
            key.verify_strict(format!("{CONTEXT}{digest}").as_bytes(), &signature).is_ok()
        }
        _ => false,
    }
}

/// The public key that `--verify` names: itself, or a file that holds it.
pub(super) fn public_key(named: &str) -> String {
    let file = fs::read_to_string(named).ok();
    file.unwrap_or_else(|| named.to_owned()).trim().to_owned()
}
