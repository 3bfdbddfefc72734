//! Keys of the API: made by an administrator for a person or a program, kept as hashes in the data file.
//!
//! Not tokens of the environment (`credentials`, `secrets`) and not the routes (`http::access`). Called by
//! `http::bearer` for every request with a key.
//!
//! **Architecture invariants:** a secret is shown once and kept as a hash alone; a key counts from the
//! commit that has it and its row of the audit trail, and no longer than the one that removes it; a request
//! writes nothing about the key that it came with.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use accredit_ledger::Ledger;
use accredit_operations::principal::Principal;
use accredit_seams::store::StoreError;
use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::server::grants::{AccessGrant, GrantActor};
use crate::server::secrets::{TokenHash, random_bytes};

/// What every key begins with.
pub(crate) const KEY_PREFIX: &str = "ack_";

/// Where keys stand in the data file, and when each was last used.
const KEYS: &str = "key/";
const KEY_USES: &str = "key_use/";

const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 32;

/// A use is written when the one that is written is older.
const USE_NOTED_EVERY_MS: i64 = 60_000;

/// A secret of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KeptSecret {
    /// Its hash.
    hash: String,
    /// Until when it works, milliseconds since 1970; none while it is the key's own.
    until_ms: Option<i64>,
    /// Who made it; none in rows of earlier versions.
    #[serde(default)]
    made_by: Option<String>,
}

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ApiKey {
    /// Its id, which is a part of it.
    pub(crate) id: String,
    /// What it may do.
    pub(crate) grant: AccessGrant,
    /// When it was made, milliseconds since 1970.
    pub(crate) created_ms: i64,
    /// Who made it.
    pub(crate) created_by: String,
    /// Since when it does not work; none where it does not expire.
    pub(crate) expires_ms: Option<i64>,
    /// The secret, and after a rotation the one before.
    secrets: Vec<KeptSecret>,
    /// Whether it waits for a second person.
    #[serde(default)]
    pub(crate) waiting: bool,
    /// Who may make a secret once, since a second person agreed.
    #[serde(default)]
    secret_for: Option<AllowedSecret>,
}

/// A secret that may be made once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct AllowedSecret {
    who: String,
    overlap_ms: i64,
}

/// A key with the caller who has it, and when it was used.
pub(crate) struct KnownKey {
    /// The key as it is kept.
    pub(crate) key: ApiKey,
    principal: Principal,
    /// The last use, milliseconds since 1970; 0 where there was none.
    used_ms: AtomicI64,
    /// The last use that is written.
    noted_ms: AtomicI64,
}

impl KnownKey {
    /// The same key as it becomes.
    fn with_key(&self, key: ApiKey) -> KnownKey {
        let used = |of: &AtomicI64| AtomicI64::new(of.load(Ordering::Relaxed));
        let (used_ms, noted_ms) = (used(&self.used_ms), used(&self.noted_ms));
        KnownKey { key, principal: self.principal.clone(), used_ms, noted_ms }
    }

    /// The last use, milliseconds since 1970.
    pub(crate) fn used_ms(&self) -> Option<i64> {
        Some(self.used_ms.load(Ordering::Relaxed)).filter(|used| *used > 0)
    }

    /// Those who had a secret of the key in their hands that works at this time, and who made the key.
    pub(crate) fn makers(&self, now_ms: i64) -> Vec<String> {
        let works = |kept: &&KeptSecret| kept.until_ms.is_none_or(|until| now_ms < until);
        let working = self.key.secrets.iter().filter(works);
        let mut makers: Vec<String> = working.filter_map(|kept| kept.made_by.clone()).collect();
        makers.push(self.key.created_by.clone());
        makers
    }

    /// For how long the secret of before works on, where `who` may make another one now.
    pub(crate) fn allowed_overlap(&self, who: &str) -> Option<i64> {
        let allowed = self.key.secret_for.as_ref().filter(|allowed| allowed.who == who);
        allowed.map(|allowed| allowed.overlap_ms)
    }

    /// Whether the secret is one of the key's that works at this time.
    fn has_secret(&self, secret: &str, now_ms: i64) -> bool {
        let mut found = false;
        for kept in &self.key.secrets {
            let works = kept.until_ms.is_none_or(|until| now_ms < until);
            let is_same = TokenHash::from_hex(&kept.hash).is_some_and(|hash| hash.matches(secret));
            found |= works && is_same;
        }
        found && self.key.expires_ms.is_none_or(|expires| now_ms < expires)
    }
}

type KeysById = BTreeMap<String, Arc<KnownKey>>;

/// Every key of the data file.
pub(crate) struct KeyRing {
    keys: ArcSwap<KeysById>,
    /// One change at a time.
    changes: Mutex<()>,
}

/// Why a key was not made or changed.
#[derive(Debug)]
pub(crate) enum KeyError {
    /// There is no such key.
    Unknown,
    /// The role, the participant and the scope do not go together.
    BadGrant,
    /// Another key has this name.
    NameTaken,
    /// The key waits for its grant.
    Waiting,
    /// The key does not wait for a grant.
    NotWaiting,
    /// The machine has no random bytes.
    NoRandom(String),
    /// The data cannot be written.
    Store(StoreError),
}

impl From<StoreError> for KeyError {
    fn from(error: StoreError) -> KeyError {
        KeyError::Store(error)
    }
}

/// A key with its secret, which is shown once.
pub(crate) struct NewKey {
    /// The key.
    pub(crate) known: Arc<KnownKey>,
    /// The whole of it, `ack_<id>_<secret>`.
    pub(crate) shown: SecretString,
}

impl KeyRing {
    /// The keys of a data file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn load(ledger: &Ledger) -> Result<KeyRing, StoreError> {
        let mut keys = KeysById::new();
        let uses: BTreeMap<String, Vec<u8>> = ledger.meta_under(KEY_USES)?.into_iter().collect();

        for (id, row) in ledger.meta_under(KEYS)? {
            let damaged = || StoreError::Damaged(format!("the key `{id}` cannot be read"));
            let key: ApiKey = serde_json::from_slice(&row).map_err(|_| damaged())?;
            let principal = key.grant.principal().ok_or_else(damaged)?;

            let used = uses.get(&id).and_then(|used| std::str::from_utf8(used).ok()?.parse().ok());
            let used: i64 = used.unwrap_or_default();
            let (used_ms, noted_ms) = (AtomicI64::new(used), AtomicI64::new(used));
            keys.insert(id, Arc::new(KnownKey { key, principal, used_ms, noted_ms }));
        }

        Ok(KeyRing { keys: ArcSwap::from_pointee(keys), changes: Mutex::default() })
    }

    /// Takes the keys that another host has recorded, with the uses that this one has seen.
    pub(super) fn take_recorded(&self, recorded: KeyRing) {
        let known = self.keys.load();
        let recorded = recorded.keys.into_inner();
        for (id, key) in recorded.iter() {
            let used = known.get(id).and_then(|known| known.used_ms()).unwrap_or_default();
            key.used_ms.fetch_max(used, Ordering::Relaxed);
        }
        self.keys.store(recorded);
    }

    /// The caller who has a key, given without its beginning `ack_`; none where it does not work.
    pub(crate) fn find_caller(&self, given: &str, now_ms: i64) -> Option<Principal> {
        let (id, secret) = given.split_once('_')?;
        let keys = self.keys.load();
        let Some(known) = keys.get(id) else {
            // A key that does not exist takes as long as one with another secret.
            let _ = TokenHash::hash_token("").matches(secret);
            return None;
        };
        if !known.has_secret(secret, now_ms) {
            return None;
        }
        known.used_ms.fetch_max(now_ms, Ordering::Relaxed);
        Some(known.principal.clone())
    }

    /// Every key, oldest first.
    pub(crate) fn list_keys(&self) -> Vec<Arc<KnownKey>> {
        let mut all: Vec<Arc<KnownKey>> = self.keys.load().values().cloned().collect();
        all.sort_by(|a, b| (a.key.created_ms, &a.key.id).cmp(&(b.key.created_ms, &b.key.id)));
        all
    }

    /// Whether a key has this name.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        let keys = self.keys.load();
        keys.values().any(|known| known.key.grant.name.eq_ignore_ascii_case(name))
    }

    /// Makes a key.
    ///
    /// # Errors
    /// When another key has the name, or the role and what it is bound to do not go together.
    pub(crate) fn create_key(
        &self,
        ledger: &Ledger,
        grant: AccessGrant,
        expires_ms: Option<i64>,
        actor: &GrantActor,
    ) -> Result<NewKey, KeyError> {
        let _turn = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let principal = grant.principal().ok_or(KeyError::BadGrant)?;
        if self.has_name(&grant.name) {
            return Err(KeyError::NameTaken);
        }

        let id = new_id()?;
        let secret = new_secret()?;
        let made_by = Some(actor.who.clone());
        let kept = KeptSecret { hash: hash_of(&secret), until_ms: None, made_by };
        let (created_ms, created_by) = (actor.at_ms, actor.who.clone());
        let secrets = vec![kept];
        let (waiting, secret_for) = (false, None);
        let key =
            ApiKey { id, grant, created_ms, created_by, expires_ms, secrets, waiting, secret_for };

        self.keep_key(ledger, (None, &key), (actor, "key_created"))?;
        let (used_ms, noted_ms) = (AtomicI64::new(0), AtomicI64::new(0));
        let known = Arc::new(KnownKey { key, principal, used_ms, noted_ms });
        Ok(self.show_once(known, &secret))
    }

    /// Keeps a key without a secret until another person approves it.
    ///
    /// # Errors
    /// When another key has the name, or the role and what it is bound to do not go together.
    pub(crate) fn add_waiting(
        &self,
        ledger: &Ledger,
        grant: AccessGrant,
        expires_ms: Option<i64>,
        actor: &GrantActor,
    ) -> Result<Arc<KnownKey>, KeyError> {
        let _turn = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let principal = grant.principal().ok_or(KeyError::BadGrant)?;
        if self.has_name(&grant.name) {
            return Err(KeyError::NameTaken);
        }
        let (created_ms, created_by) = (actor.at_ms, actor.who.clone());
        let key = ApiKey {
            id: new_id()?,
            grant,
            created_ms,
            created_by,
            expires_ms,
            secrets: Vec::new(),
            waiting: true,
            secret_for: None,
        };
        self.keep_key(ledger, (None, &key), (actor, "key_proposed"))?;
        let (used_ms, noted_ms) = (AtomicI64::new(0), AtomicI64::new(0));
        let known = Arc::new(KnownKey { key, principal, used_ms, noted_ms });
        self.put_in_force(Arc::clone(&known));
        Ok(known)
    }

    /// Grants a key that waited, since a second person approved it: the one who asked may make its
    /// secret once.
    ///
    /// # Errors
    /// When there is no such key, or it does not wait.
    pub(crate) fn grant_key(
        &self,
        ledger: &Ledger,
        id: &str,
        actor: &GrantActor,
    ) -> Result<Arc<KnownKey>, KeyError> {
        let _turn = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.keys.load().get(id).cloned().ok_or(KeyError::Unknown)?;
        if !before.key.waiting {
            return Err(KeyError::NotWaiting);
        }
        Ok(self.keep_allowed(ledger, &before, 0, (actor, "key_granted"))?)
    }

    /// Lets the one who asked make another secret of a key once, since a second person approved it.
    ///
    /// # Errors
    /// When there is no such key, or it waits for its grant.
    pub(crate) fn allow_secret(
        &self,
        ledger: &Ledger,
        id: &str,
        overlap_ms: i64,
        actor: &GrantActor,
    ) -> Result<Arc<KnownKey>, KeyError> {
        let _turn = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.keys.load().get(id).cloned().ok_or(KeyError::Unknown)?;
        if before.key.waiting {
            return Err(KeyError::Waiting);
        }
        Ok(self.keep_allowed(ledger, &before, overlap_ms, (actor, "key_secret_allowed"))?)
    }

    fn keep_allowed(
        &self,
        ledger: &Ledger,
        before: &KnownKey,
        overlap_ms: i64,
        (actor, what): (&GrantActor, &str),
    ) -> Result<Arc<KnownKey>, StoreError> {
        let secret_for = Some(AllowedSecret { who: actor.who.clone(), overlap_ms });
        let key = ApiKey { waiting: false, secret_for, ..before.key.clone() };
        self.keep_key(ledger, (Some(&before.key), &key), (actor, what))?;
        let known = Arc::new(before.with_key(key));
        self.put_in_force(Arc::clone(&known));
        Ok(known)
    }

    /// A key by its name in the audit trail.
    pub(crate) fn find_named(&self, name: &str) -> Option<Arc<KnownKey>> {
        self.keys.load().values().find(|known| known.key.grant.name == name).cloned()
    }

    /// A key by its id.
    pub(crate) fn find_key(&self, id: &str) -> Option<Arc<KnownKey>> {
        self.keys.load().get(id).cloned()
    }

    /// Gives a key another secret; the one that it has works on for a while.
    ///
    /// # Errors
    /// When there is no such key, or it waits for its grant.
    pub(crate) fn rotate_key(
        &self,
        ledger: &Ledger,
        id: &str,
        overlap_ms: i64,
        actor: &GrantActor,
    ) -> Result<NewKey, KeyError> {
        let _turn = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.keys.load().get(id).cloned().ok_or(KeyError::Unknown)?;
        if before.key.waiting {
            return Err(KeyError::Waiting);
        }

        let secret = new_secret()?;
        let mut key = ApiKey { secret_for: None, ..before.key.clone() };
        // Only the last secret works on: of those before it the time is over.
        key.secrets.retain(|kept| kept.until_ms.is_none());
        let until_ms = Some(actor.at_ms.saturating_add(overlap_ms));
        key.secrets.iter_mut().for_each(|kept| kept.until_ms = until_ms);
        let made_by = Some(actor.who.clone());
        key.secrets.push(KeptSecret { hash: hash_of(&secret), until_ms: None, made_by });

        self.keep_key(ledger, (Some(&before.key), &key), (actor, "key_rotated"))?;
        Ok(self.show_once(Arc::new(before.with_key(key)), &secret))
    }

    /// Removes a key.
    ///
    /// # Errors
    /// When there is no such key.
    pub(crate) fn revoke_key(
        &self,
        ledger: &Ledger,
        id: &str,
        actor: &GrantActor,
    ) -> Result<Arc<KnownKey>, KeyError> {
        let _turn = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.keys.load().get(id).cloned().ok_or(KeyError::Unknown)?;

        let (key, used) = (format!("{KEYS}{id}"), format!("{KEY_USES}{id}"));
        let detail = audit_detail(Some(&known.key), None);
        let said = (actor.who.as_str(), "key_revoked", detail);
        ledger.change_meta_audited(&[(&key, None), (&used, None)], actor.at_ms, said)?;

        let mut keys = KeysById::clone(&self.keys.load());
        keys.remove(id);
        self.keys.store(Arc::new(keys));
        Ok(known)
    }

    /// Writes the last uses of keys that are more than a minute later than those that are written.
    ///
    /// # Errors
    /// When the data cannot be written.
    pub(crate) fn note_uses(&self, ledger: &Ledger) -> Result<(), StoreError> {
        // A key that is revoked meanwhile must not leave its use behind.
        let _turn = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, known) in self.keys.load().iter() {
            let used = known.used_ms.load(Ordering::Relaxed);
            let noted = known.noted_ms.load(Ordering::Relaxed);
            if used.saturating_sub(noted) >= USE_NOTED_EVERY_MS {
                ledger.set_meta(&format!("{KEY_USES}{id}"), used.to_string().as_bytes())?;
                known.noted_ms.store(used, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    fn keep_key(
        &self,
        ledger: &Ledger,
        (before, key): (Option<&ApiKey>, &ApiKey),
        (actor, what): (&GrantActor, &str),
    ) -> Result<(), StoreError> {
        let row = serde_json::to_vec(key).map_err(|error| StoreError::Failed(error.to_string()))?;
        let said = (actor.who.as_str(), what, audit_detail(before, Some(key)));
        let place = format!("{KEYS}{}", key.id);
        let changes = [(place.as_str(), Some(row.as_slice()))];
        ledger.change_meta_approved(&changes, actor.at_ms, said, actor.approved.as_ref())
    }

    fn put_in_force(&self, known: Arc<KnownKey>) {
        let mut keys = KeysById::clone(&self.keys.load());
        keys.insert(known.key.id.clone(), known);
        self.keys.store(Arc::new(keys));
    }

    /// Puts a key in force.
    fn show_once(&self, known: Arc<KnownKey>, secret: &SecretString) -> NewKey {
        self.put_in_force(Arc::clone(&known));
        let shown = format!("{KEY_PREFIX}{}_{}", known.key.id, secret.expose_secret()).into();
        NewKey { known, shown }
    }
}

fn new_id() -> Result<String, KeyError> {
    let id = random_bytes::<ID_BYTES>().map_err(KeyError::NoRandom)?;
    Ok(id.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn new_secret() -> Result<SecretString, KeyError> {
    let bytes = random_bytes::<SECRET_BYTES>().map_err(KeyError::NoRandom)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes).into())
}

fn hash_of(secret: &SecretString) -> String {
    TokenHash::hash_token(secret.expose_secret()).to_hex()
}

/// What the audit trail says of a key that is changed: nothing of its secrets but until when each works.
fn audit_detail(before: Option<&ApiKey>, after: Option<&ApiKey>) -> serde_json::Value {
    let state = |key: &ApiKey| {
        let AccessGrant { role, participant, scope, .. } = &key.grant;
        let until: Vec<Option<i64>> = key.secrets.iter().map(|kept| kept.until_ms).collect();
        json!({
            "role": role, "participant": participant, "scope": scope,
            "expires_ms": key.expires_ms, "secrets_until_ms": until, "waiting": key.waiting,
        })
    };
    let known = after.or(before);
    json!({
        "key": known.map(|key| &key.id), "name": known.map(|key| &key.grant.name),
        "before": before.map(state), "after": after.map(state),
    })
}

#[cfg(test)]
mod tests {
    use accredit_seams::store::memory::MemoryStore;

    use super::*;

    fn actor(at_ms: i64) -> GrantActor {
        GrantActor { who: "max".to_owned(), approved: None, at_ms }
    }

    fn grant(name: &str) -> AccessGrant {
        AccessGrant {
            name: name.to_owned(),
            role: "admin".to_owned(),
            participant: None,
            scope: None,
        }
    }

    fn works(ring: &KeyRing, key: &NewKey, at_ms: i64) -> bool {
        let given = key.shown.expose_secret().strip_prefix(KEY_PREFIX).unwrap();
        ring.find_caller(given, at_ms).is_some()
    }

    #[test]
    fn a_key_works_until_its_time_is_over() {
        let ledger = Ledger::new(Arc::new(MemoryStore::default()));
        let ring = KeyRing::load(&ledger).unwrap();
        let first = ring.create_key(&ledger, grant("a"), Some(1000), &actor(1)).ok().unwrap();
        let id = first.known.key.id.clone();
        assert!(works(&ring, &first, 999) && !works(&ring, &first, 1000));

        let second = ring.rotate_key(&ledger, &id, 50, &actor(100)).ok().unwrap();
        assert!(works(&ring, &first, 149) && !works(&ring, &first, 150));
        assert!(works(&ring, &second, 999) && !works(&ring, &second, 1000));

        // Of three secrets the first is over with the second rotation, whatever it was promised.
        let third = ring.rotate_key(&ledger, &id, 50, &actor(110)).ok().unwrap();
        let ring = KeyRing::load(&ledger).unwrap();
        let found = [&first, &second, &third].map(|key| works(&ring, key, 120));
        assert_eq!(found, [false, true, true]);
    }

    /// A request does not write; what is written is at most a minute old, and once a minute.
    #[test]
    fn uses_are_written_once_a_minute() {
        let ledger = Ledger::new(Arc::new(MemoryStore::default()));
        let ring = KeyRing::load(&ledger).unwrap();
        let key = ring.create_key(&ledger, grant("a"), None, &actor(1)).ok().unwrap();
        let written = || KeyRing::load(&ledger).unwrap().list_keys()[0].used_ms();

        for (at_ms, expected) in
            [(100_000, 100_000), (150_000, 100_000), (159_999, 100_000), (160_000, 160_000)]
        {
            assert!(works(&ring, &key, at_ms));
            assert_eq!(ring.list_keys()[0].used_ms(), Some(at_ms));
            ring.note_uses(&ledger).unwrap();
            assert_eq!(written(), Some(expected), "{at_ms}");
        }
    }
}
