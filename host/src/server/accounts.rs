//! Those whom the data file lets in: keys, people, their sessions, and how fast they may try.
//!
//! Not tokens of the environment (`secrets`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use accredit_ledger::Ledger;
use accredit_seams::store::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::server::keys::KeyRing;
use crate::server::lockout::Lockout;
use crate::server::people::People;
use crate::server::sessions::Sessions;
#[cfg(feature = "oidc")]
use crate::server::sign_ins::SignIns;

/// Passwords that are hashed at a time.
const HASHES_AT_ONCE: usize = 2;

/// How long a sign-in waits for its turn.
const HASHING_WAIT: Duration = Duration::from_secs(5);

/// Those whom the data file lets in.
pub(crate) struct Accounts {
    /// Keys of the API.
    pub(crate) keys: KeyRing,
    /// People who sign in.
    pub(crate) people: People,
    /// Sessions of people who signed in.
    pub(crate) sessions: Sessions,
    /// Sign-ins by OpenID Connect that are under way.
    #[cfg(feature = "oidc")]
    pub(crate) sign_ins: SignIns,
    /// Failures to sign in.
    pub(crate) lockout: Lockout,
    /// Turns for hashing passwords, each of which needs much memory.
    hashing: Arc<Semaphore>,
}

impl Accounts {
    /// Those of a data file; nobody has signed in yet.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn load(ledger: &Ledger) -> Result<Accounts, StoreError> {
        Ok(Accounts {
            keys: KeyRing::load(ledger)?,
            people: People::load(ledger)?,
            sessions: Sessions::default(),
            #[cfg(feature = "oidc")]
            sign_ins: SignIns::default(),
            lockout: Lockout::default(),
            hashing: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
        })
    }

    /// Takes keys and people as another host has recorded them; sessions stay.
    pub(crate) fn take_recorded(&self, recorded: Accounts) {
        self.keys.take_recorded(recorded.keys);
        self.people.take_recorded(recorded.people);
    }

    /// Whether a key or a person has this name in the audit trail.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.keys.has_name(name) || self.people.has_name(name)
    }

    /// Why one person may hold the access of both, who asked and who approves; none without such a sign.
    /// `is_proved`: a provider of OpenID Connect proved who approves.
    pub(crate) fn one_pair_of_eyes(
        &self,
        (asked, approves): (&str, &str),
        is_proved: bool,
        now_ms: i64,
    ) -> Option<String> {
        let (asking, approving) = (self.hands_of(asked, now_ms), self.hands_of(approves, now_ms));
        if approving.contains(asked) {
            return Some(format!("`{asked}` made or rotated the key of `{approves}`"));
        }
        if asking.contains(approves) {
            return Some(format!("`{approves}` made or rotated the key of `{asked}`"));
        }

        // The one who makes an invitation can set the password with it. An administrator may approve what a
        // person asks for whom the same administrator has invited: the trail has both names.
        let unproved = approving.iter().filter(|name| !is_proved || name.as_str() != approves);
        let mut people = unproved.filter_map(|name| self.people.find_named(name));
        people.find_map(|person| {
            let maker = person.let_in_by().filter(|maker| asking.contains(*maker))?;
            let name = &person.grant.name;
            Some(format!("`{maker}` made the invitation with which `{name}` set a password"))
        })
    }

    /// A caller's name, and where that is a key, those who had it in their hands, and theirs.
    fn hands_of(&self, name: &str, now_ms: i64) -> BTreeSet<String> {
        let (mut hands, mut open) = (BTreeSet::new(), vec![name.to_owned()]);
        while let Some(one) = open.pop() {
            let makers = self.keys.find_named(&one).map(|key| key.makers(now_ms));
            if hands.insert(one) {
                open.extend(makers.unwrap_or_default());
            }
        }
        hands
    }

    /// The turn of a password that is hashed; none when too many others are before it.
    pub(crate) async fn hashing_turn(&self) -> Option<OwnedSemaphorePermit> {
        let turn = Arc::clone(&self.hashing).acquire_owned();
        tokio::time::timeout(HASHING_WAIT, turn).await.ok()?.ok()
    }
}
