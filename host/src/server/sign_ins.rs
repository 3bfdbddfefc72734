//! Sign-ins by OpenID Connect that are under way: in memory, each for a few minutes and once.
//!
//! Not sessions (`sessions`) and not the provider (`oidc`).
//!
//! **Architecture invariant:** a state that came back is gone, whatever becomes of it; it counts together
//! with the cookie of the browser that began alone.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use crate::server::secrets::random_bytes;

/// A sign-in has this long.
pub(crate) const SIGN_IN_MS: i64 = 10 * 60_000;

/// Sign-ins at a time; the oldest goes first.
const SIGN_INS_MAX: usize = 10_000;

const SECRET_BYTES: usize = 32;

/// What a sign-in is recognised by.
pub(crate) struct SignIn {
    /// What the token has to have.
    pub(crate) nonce: String,
    /// What the code is exchanged with.
    pub(crate) verifier: String,
    /// The hash of what the browser has in its cookie.
    browser: [u8; 32],
    begun_ms: i64,
}

/// What goes out when a sign-in begins.
pub(crate) struct BegunSignIn {
    /// To the provider, and back.
    pub(crate) state: String,
    /// To the provider, and back in its token.
    pub(crate) nonce: String,
    /// Its hash to the provider.
    pub(crate) verifier: String,
    /// To the browser.
    pub(crate) browser: String,
}

/// Every sign-in under way, by the hash of its state.
#[derive(Default)]
pub(crate) struct SignIns(Mutex<HashMap<[u8; 32], SignIn>>);

impl SignIns {
    /// Begins a sign-in.
    ///
    /// # Errors
    /// When the machine has no random bytes.
    pub(crate) fn begin(&self, now_ms: i64) -> Result<BegunSignIn, String> {
        let fresh = || Ok::<_, String>(URL_SAFE_NO_PAD.encode(random_bytes::<SECRET_BYTES>()?));
        let begun =
            BegunSignIn { state: fresh()?, nonce: fresh()?, verifier: fresh()?, browser: fresh()? };

        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, one| now_ms - one.begun_ms < SIGN_IN_MS);
        if known.len() >= SIGN_INS_MAX {
            let oldest = known.iter().min_by_key(|(_, one)| one.begun_ms).map(|(hash, _)| *hash);
            oldest.and_then(|hash| known.remove(&hash));
        }
        let sign_in = SignIn {
            nonce: begun.nonce.clone(),
            verifier: begun.verifier.clone(),
            browser: hash_of(&begun.browser),
            begun_ms: now_ms,
        };
        known.insert(hash_of(&begun.state), sign_in);
        Ok(begun)
    }

    /// The sign-in with this state, which is over with it; none where it is unknown, too old, or another
    /// browser began it.
    pub(crate) fn take(&self, state: &str, browser: &str, now_ms: i64) -> Option<SignIn> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.remove(&hash_of(state))?;
        let is_in_time = now_ms - found.begun_ms < SIGN_IN_MS;
        let is_same = bool::from(found.browser.ct_eq(&hash_of(browser)));
        Some(found).filter(|_| is_in_time && is_same)
    }
}

fn hash_of(text: &str) -> [u8; 32] {
    *blake3::hash(text.as_bytes()).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_counts_once_in_time_and_in_its_browser() {
        let sign_ins = SignIns::default();
        let begun = sign_ins.begin(0).unwrap();
        assert!(sign_ins.take("another", &begun.browser, 1).is_none());
        let taken = sign_ins.take(&begun.state, &begun.browser, 1).unwrap();
        assert_eq!((taken.nonce, taken.verifier), (begun.nonce, begun.verifier));
        assert!(sign_ins.take(&begun.state, &begun.browser, 2).is_none(), "once");

        let late = sign_ins.begin(0).unwrap();
        assert!(sign_ins.take(&late.state, &late.browser, SIGN_IN_MS).is_none());
        let stolen = sign_ins.begin(0).unwrap();
        assert!(sign_ins.take(&stolen.state, "another browser", 1).is_none());
        assert!(sign_ins.take(&stolen.state, &stolen.browser, 1).is_none(), "it is over");
    }
}
