//! Checkpoints of the audit trail: how many rows it has and the hash of the last one, signed, as text
//! that is kept outside the data file.
//!
//! Not when one is made (`server::checkpoints`) and not comparing the rows (the ledger's `audit`). The
//! text is that of C2SP tlog-checkpoint inside a C2SP signed note with Ed25519, so that tools for these
//! read and verify it; in place of the root of a tree it has the head of the chain, and a line with the
//! time. Keys are written as the notes of Go's checksum database write them.
//!
//! **Architecture invariant:** a checkpoint is read only together with the keys that may have signed it.

pub(crate) mod folder;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// What the text of a private key begins with.
const PRIVATE_START: &str = "PRIVATE+KEY+";

/// What a line with a signature begins with: an em dash and a blank.
const SIGNATURE_START: &str = "\u{2014} ";

/// The kind of signature that is Ed25519.
const ED25519: u8 = 1;

const KEY_BYTES: usize = 32;
const ID_BYTES: usize = 4;

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// Whose trail it is: the name of the key.
    pub(crate) origin: String,
    /// How many rows the trail had, at least one.
    pub(crate) rows: u64,
    /// The hash of the last row, in hexadecimal digits.
    pub(crate) head: String,
    /// When it was made, RFC 3339.
    pub(crate) at: String,
}

/// A key that signs checkpoints.
pub(crate) struct CheckpointSigner {
    name: String,
    key: SigningKey,
}

impl fmt::Debug for CheckpointSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CheckpointSigner").field(&self.name).finish()
    }
}

/// A key that signed checkpoints.
#[derive(Debug, Clone)]
pub(crate) struct CheckpointVerifier {
    name: String,
    key: VerifyingKey,
}

/// Makes a key; gives the text of the private one.
///
/// # Errors
/// When the name cannot be one, or the machine has no random bytes.
pub(crate) fn new_key(name: &str) -> Result<SecretString, String> {
    check_name(name)?;
    let mut seed = [0; KEY_BYTES];
    getrandom::fill(&mut seed).map_err(|error| format!("no random bytes: {error}"))?;
    let key = SigningKey::from_bytes(&seed);
    let id = hex(&key_id(name, &key.verifying_key()));
    let bytes = [&[ED25519][..], &seed].concat();
    Ok(format!("{PRIVATE_START}{name}+{id}+{}", STANDARD.encode(bytes)).into())
}

/// A name stands in lines of words and in keys whose parts `+` separates.
fn check_name(name: &str) -> Result<(), String> {
    let is_sound = |sign: char| !sign.is_whitespace() && !sign.is_control() && sign != '+';
    if !name.is_empty() && name.len() <= 100 && name.chars().all(is_sound) {
        return Ok(());
    }
    Err("the name of a key has 1 to 100 characters without blanks and `+`".to_owned())
}

/// The name, and the bytes of a key, once its id is the right one.
fn parse_key(text: &str) -> Option<(&str, &str, [u8; KEY_BYTES])> {
    let (name, rest) = text.trim().split_once('+')?;
    let (id, bytes) = rest.split_once('+')?;
    let bytes = STANDARD.decode(bytes).ok()?;
    let (kind, key) = bytes.split_first()?;
    let key: [u8; KEY_BYTES] = key.try_into().ok()?;
    (*kind == ED25519 && check_name(name).is_ok()).then_some((name, id, key))
}

fn key_id(name: &str, key: &VerifyingKey) -> [u8; ID_BYTES] {
    let hashed = [name.as_bytes(), b"\n", &[ED25519], key.as_bytes()].concat();
    let digest = Sha256::digest(hashed);
    let mut id = [0; ID_BYTES];
    id.iter_mut().zip(digest.iter()).for_each(|(id, byte)| *id = *byte);
    id
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl CheckpointSigner {
    /// A key out of the text that [`new_key`] gave.
    ///
    /// # Errors
    /// That it is none; never what it holds.
    pub(crate) fn from_text(text: &str) -> Result<CheckpointSigner, String> {
        let failed = || "this is not a private key that `accredit audit key` made".to_owned();
        let key = text.trim().strip_prefix(PRIVATE_START).and_then(parse_key);
        let (name, id, seed) = key.ok_or_else(failed)?;
        let key = SigningKey::from_bytes(&seed);
        if id != hex(&key_id(name, &key.verifying_key())) {
            return Err(failed());
        }
        Ok(CheckpointSigner { name: name.to_owned(), key })
    }

    /// The text of the public key.
    pub(crate) fn public_key(&self) -> String {
        let public = self.key.verifying_key();
        let bytes = [&[ED25519][..], public.as_bytes()].concat();
        let id = hex(&key_id(&self.name, &public));
        format!("{}+{id}+{}", self.name, STANDARD.encode(bytes))
    }

    /// What verifies its signatures.
    pub(crate) fn verifier(&self) -> CheckpointVerifier {
        CheckpointVerifier { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// The text of a checkpoint at this time, RFC 3339; none where `head` is no hash.
    pub(crate) fn sign_checkpoint(&self, rows: u64, head: &str, at: &str) -> Option<String> {
        let head = blake3::Hash::from_hex(head).ok()?;
        let head = STANDARD.encode(head.as_bytes());
        Some(self.sign_text(&format!("{}\n{rows}\n{head}\ntime {at}\n", self.name)))
    }

    /// A note: the text, and its signature behind a blank line.
    fn sign_text(&self, text: &str) -> String {
        let id = key_id(&self.name, &self.key.verifying_key());
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        let signature = STANDARD.encode([&id[..], &signature[..]].concat());
        format!("{text}\n{SIGNATURE_START}{} {signature}\n", self.name)
    }
}

impl CheckpointVerifier {
    /// A public key out of its text.
    ///
    /// # Errors
    /// That it is none.
    pub(crate) fn from_text(text: &str) -> Result<CheckpointVerifier, String> {
        let failed = || "this is not a public key that `accredit audit key` printed".to_owned();
        if text.trim().starts_with(PRIVATE_START) {
            return Err("this is the private key; verifying needs the public one".to_owned());
        }
        let (name, id, key) = parse_key(text).ok_or_else(failed)?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| failed())?;
        if id != hex(&key_id(name, &key)) {
            return Err(failed());
        }
        Ok(CheckpointVerifier { name: name.to_owned(), key })
    }

    /// Whether a line with a signature is one of this key; an error where it is and does not match.
    fn verify_line(&self, text: &str, line: &str) -> Result<bool, String> {
        let line = line.strip_prefix(SIGNATURE_START).and_then(|line| line.split_once(' '));
        let Some((name, signature)) = line else { return Ok(false) };
        let Ok(bytes) = STANDARD.decode(signature) else { return Ok(false) };
        let Some((id, signature)) = bytes.split_at_checked(ID_BYTES) else { return Ok(false) };
        if name != self.name || id != key_id(&self.name, &self.key) {
            return Ok(false);
        }
        let signature = Signature::from_slice(signature).ok();
        let matches = signature
            .is_some_and(|signature| self.key.verify_strict(text.as_bytes(), &signature).is_ok());
        if matches { Ok(true) } else { Err("its signature does not match its text".to_owned()) }
    }
}

/// The text of a note that one of `keys` signed.
fn verified_text<'n>(note: &'n str, keys: &[CheckpointVerifier]) -> Result<&'n str, String> {
    let parts = note.rsplit_once("\n\n");
    let (text, signatures) = parts.ok_or("it has no signature behind a blank line")?;
    // The line break before the blank line is a part of the text.
    let text = note.get(..text.len() + 1).unwrap_or_default();

    let mut is_signed = false;
    for line in signatures.lines() {
        for key in keys {
            is_signed |= key.verify_line(text, line)?;
        }
    }
    if is_signed { Ok(text) } else { Err("none of the keys signed it".to_owned()) }
}

/// Reads a checkpoint that one of `keys` signed.
///
/// # Errors
/// Why it is none: no key signed it, or its text has another shape.
pub(crate) fn read_checkpoint(
    note: &str,
    keys: &[CheckpointVerifier],
) -> Result<Checkpoint, String> {
    let text = verified_text(note, keys)?;
    let mut lines = text.lines();
    let mut next = || lines.next().unwrap_or_default();
    let (origin, rows, head) = (next().to_owned(), next(), next());

    let rows: u64 = rows.parse().map_err(|_| "its second line is not a number of rows")?;
    let head = STANDARD.decode(head).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let head = head.ok_or("its third line is not a hash in base64")?;
    let head = blake3::Hash::from_bytes(head).to_hex().to_string();
    let at = lines.find_map(|line| line.strip_prefix("time ")).unwrap_or_default().to_owned();
    if rows == 0 {
        return Err("it is of a trail without rows".to_owned());
    }
    Ok(Checkpoint { origin, rows, head, at })
}

/// The text of the public key in a text of the private one.
///
/// # Errors
/// That it is none.
pub(crate) fn public_text(private: &SecretString) -> Result<String, String> {
    CheckpointSigner::from_text(private.expose_secret()).map(|signer| signer.public_key())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys and the note of the documentation of Go's package `sumdb/note`: another implementation
    /// reads what this one signs.
    #[test]
    fn a_note_is_signed_as_others_sign_it() {
        const PRIVATE: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+\
                               AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
        const PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                            then you don't know what your problem is.\n";
        const SIGNED: &str = "\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZIn\
                              NIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

        let signer = CheckpointSigner::from_text(PRIVATE).unwrap();
        assert_eq!(signer.public_key(), PUBLIC);
        let note = signer.sign_text(TEXT);
        assert_eq!(note, format!("{TEXT}{SIGNED}"));
        let verifier = CheckpointVerifier::from_text(PUBLIC).unwrap();
        assert_eq!(verified_text(&note, &[verifier]).unwrap(), TEXT);
    }

    #[test]
    fn a_checkpoint_is_read_as_it_was_signed_and_a_changed_one_is_not() {
        let private = new_key("acme/accredit").unwrap();
        let signer = CheckpointSigner::from_text(private.expose_secret()).unwrap();
        let head = blake3::hash(b"row").to_hex().to_string();
        let note = signer.sign_checkpoint(7, &head, "2026-01-31T12:00:00Z").unwrap();
        let keys = [signer.verifier()];
        let (origin, at) = ("acme/accredit".to_owned(), "2026-01-31T12:00:00Z".to_owned());
        let expected = Checkpoint { origin, rows: 7, head, at };
        assert_eq!(read_checkpoint(&note, &keys).unwrap(), expected);

        for place in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            bytes[place] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            let read = read_checkpoint(&changed, &keys);
            // The last line break is no part of what is signed.
            assert!(read.is_err() || place == note.len() - 1, "{place}: {changed}");
        }

        let other = new_key("acme/accredit").unwrap();
        let other = CheckpointVerifier::from_text(&public_text(&other).unwrap()).unwrap();
        assert_eq!(read_checkpoint(&note, &[other]).unwrap_err(), "none of the keys signed it");
    }

    #[test]
    fn what_is_no_key_is_refused_without_its_text() {
        let private = new_key("a").unwrap();
        let shown = private.expose_secret();
        let other_name = shown.replace("KEY+a+", "KEY+b+");
        let cut = &shown[..shown.len() - 5];
        for text in ["", "x", other_name.as_str(), cut, &public_text(&private).unwrap()] {
            let error = CheckpointSigner::from_text(text).unwrap_err();
            assert!(text.len() < 2 || !error.contains(text), "{error}");
        }
        assert!(CheckpointVerifier::from_text(shown).unwrap_err().contains("private key"));
        assert!(new_key("a b").is_err() && new_key("a+b").is_err() && new_key("").is_err());
        let signer = CheckpointSigner::from_text(shown).unwrap();
        assert_eq!(format!("{signer:?}"), r#"CheckpointSigner("a")"#);
    }
}
