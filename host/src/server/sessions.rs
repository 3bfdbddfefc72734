//! Sessions of people who signed in: in memory, so that a restart ends them.
//!
//! Not signing in (`http::access::sessions`) and not what a person may do (`people`).
//!
//! **Architecture invariant:** a session is found by the hash of its token alone, and it ends after a time
//! without requests, after a longer time in any case, and when the person's access changes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;

use crate::server::secrets::random_bytes;

/// A session without requests ends after so long.
const IDLE_MS: i64 = 60 * 60_000;

/// Every session ends after so long.
pub(crate) const SESSION_MS: i64 = 12 * 60 * 60_000;

/// Sessions at a time; of one person, and of all.
const SESSIONS_OF_PERSON_MAX: usize = 20;
const SESSIONS_MAX: usize = 20_000;

const TOKEN_BYTES: usize = 32;

/// Digits of the id of a session.
const SESSION_ID_DIGITS: usize = 12;

#[derive(Debug, Clone)]
struct Session {
    person: String,
    /// Whether the provider of OpenID Connect proved who it is, and not a password.
    by_provider: bool,
    begun_ms: i64,
    used_ms: i64,
}

impl Session {
    fn is_over(&self, now_ms: i64) -> bool {
        now_ms - self.used_ms >= IDLE_MS || now_ms - self.begun_ms >= SESSION_MS
    }
}

/// Every session, by the hash of its token.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<[u8; 32], Session>>);

impl Sessions {
    /// Begins a session of a person, whom a provider of OpenID Connect proved or a password; its token.
    ///
    /// # Errors
    /// When the machine has no random bytes.
    pub(crate) fn begin(
        &self,
        (person, by_provider): (&str, bool),
        now_ms: i64,
    ) -> Result<SecretString, String> {
        let token = URL_SAFE_NO_PAD.encode(random_bytes::<TOKEN_BYTES>()?);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, session| !session.is_over(now_ms));

        let own = known.values().filter(|session| session.person == person).count();
        if own >= SESSIONS_OF_PERSON_MAX {
            drop_oldest(&mut known, |session| session.person == person);
        } else if known.len() >= SESSIONS_MAX {
            drop_oldest(&mut known, |_| true);
        }

        let person = person.to_owned();
        let session = Session { person, by_provider, begun_ms: now_ms, used_ms: now_ms };
        known.insert(hash_of(&token), session);
        Ok(token.into())
    }

    /// The person whose session it is.
    pub(crate) fn find_person(&self, token: &str, now_ms: i64) -> Option<String> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = known.get_mut(&hash_of(token)).filter(|session| !session.is_over(now_ms))?;
        session.used_ms = session.used_ms.max(now_ms);
        Some(session.person.clone())
    }

    /// Whether a provider of OpenID Connect proved who the person of this session is.
    pub(crate) fn is_by_provider(&self, token: &str) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&hash_of(token)).is_some_and(|session| session.by_provider)
    }

    /// Ends a session.
    pub(crate) fn end(&self, token: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash_of(token));
    }

    /// Ends every session of a person.
    pub(crate) fn end_all_of(&self, person: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, session| session.person != person);
    }
}

fn drop_oldest(known: &mut HashMap<[u8; 32], Session>, fits: impl Fn(&Session) -> bool) {
    let those = known.iter().filter(|(_, session)| fits(session));
    let oldest = those.min_by_key(|(_, session)| session.used_ms).map(|(hash, _)| *hash);
    oldest.and_then(|hash| known.remove(&hash));
}

/// What a session is called where its token must not be: the beginning of the token's hash.
pub(crate) fn session_id(token: &str) -> String {
    blake3::Hash::from_bytes(hash_of(token)).to_hex().chars().take(SESSION_ID_DIGITS).collect()
}

fn hash_of(token: &str) -> [u8; 32] {
    *blake3::hash(token.as_bytes()).as_bytes()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_session_ends_by_time_and_with_the_access() {
        let sessions = Sessions::default();
        let begin = |person: &str, at_ms: i64| {
            sessions.begin((person, false), at_ms).unwrap().expose_secret().to_owned()
        };
        let is_there = |token: &str, at_ms: i64| sessions.find_person(token, at_ms).is_some();

        let idle = begin("ann", 0);
        assert!(is_there(&idle, IDLE_MS - 1) && is_there(&idle, 2 * IDLE_MS - 2));
        assert!(!is_there(&idle, 3 * IDLE_MS));

        let busy = begin("ann", 0);
        for minute in 0..SESSION_MS / 60_000 {
            assert!(is_there(&busy, minute * 60_000), "{minute}");
        }
        assert!(!is_there(&busy, SESSION_MS));

        let (first, second, other) = (begin("ann", 1), begin("ann", 1), begin("bob", 1));
        sessions.end(&first);
        assert!(!is_there(&first, 2) && is_there(&second, 2));
        sessions.end_all_of("ann");
        assert!(!is_there(&second, 2) && is_there(&other, 2));
    }

    #[test]
    fn a_person_has_so_many_sessions_and_loses_the_oldest() {
        let sessions = Sessions::default();
        let tokens: Vec<SecretString> = (0..=SESSIONS_OF_PERSON_MAX)
            .map(|number| sessions.begin(("ann", false), i64::try_from(number).unwrap()).unwrap())
            .collect();
        let found: Vec<bool> = tokens
            .iter()
            .map(|token| sessions.find_person(token.expose_secret(), 100).is_some())
            .collect();
        assert!(!found[0] && found[1..].iter().all(|found| *found), "{found:?}");
    }
}
