//! Passwords of people: hashed with Argon2id, a few at a time.
//!
//! Not keys and tokens, which are random and need no slow hash (`secrets`). Called by `people`.
//!
//! **Architecture invariant:** a password is compared as its hash in constant time, and an account without
//! one takes as long as an account with one.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::server::secrets::random_bytes;

/// Characters of a password at least.
pub(crate) const PASSWORD_CHARACTERS_MIN: usize = 12;

/// Bytes of a password at most.
pub(crate) const PASSWORD_BYTES_MAX: usize = 1024;

/// Memory of one hash in KiB, how often it is gone through, and how many lanes it has.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// The hash of a password, with what is needed to make it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PasswordHash {
    cost: (u32, u32, u32),
    salt: String,
    hash: String,
}

impl PasswordHash {
    /// The hash of a new password.
    ///
    /// # Errors
    /// When the machine has no random bytes, or too little memory.
    pub(crate) fn of(password: &SecretString) -> Result<PasswordHash, String> {
        let salt = random_bytes::<SALT_BYTES>()?;
        let hash = hash_with(COST, &salt, password)?;
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Ok(PasswordHash { cost: COST, salt: text(&salt), hash: text(&hash) })
    }

    /// Whether it is the hash of this password.
    fn matches(&self, password: &SecretString) -> bool {
        let salt = URL_SAFE_NO_PAD.decode(&self.salt).unwrap_or_default();
        let kept = URL_SAFE_NO_PAD.decode(&self.hash).unwrap_or_default();
        let hash = hash_with(self.cost, &salt, password);
        hash.is_ok_and(|hash| hash.as_slice().ct_eq(&kept).into())
    }
}

/// Whether an account has this password; one that has none takes as long and has not.
pub(crate) fn is_password_of(kept: Option<&PasswordHash>, password: &SecretString) -> bool {
    match kept {
        Some(kept) => kept.matches(password),
        None => {
            let _ = hash_with(COST, &[0; SALT_BYTES], password);
            false
        }
    }
}

fn hash_with(
    (memory, passes, lanes): (u32, u32, u32),
    salt: &[u8],
    password: &SecretString,
) -> Result<[u8; HASH_BYTES], String> {
    let unusable = |error: argon2::Error| error.to_string();
    let params = Params::new(memory, passes, lanes, Some(HASH_BYTES)).map_err(unusable)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut hash = [0; HASH_BYTES];
    let password = password.expose_secret().as_bytes();
    argon2.hash_password_into(password, salt, &mut hash).map_err(unusable)?;
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_its_own_hash_and_no_other() {
        let kept = PasswordHash::of(&"correct horse battery".into()).unwrap();
        assert!(is_password_of(Some(&kept), &"correct horse battery".into()));
        assert!(!is_password_of(Some(&kept), &"correct horse batterz".into()));
        assert!(!is_password_of(None, &"correct horse battery".into()));
        assert_ne!(kept, PasswordHash::of(&"correct horse battery".into()).unwrap(), "salted");
        let broken = PasswordHash { hash: String::new(), ..kept };
        assert!(!is_password_of(Some(&broken), &"correct horse battery".into()));
    }
}
