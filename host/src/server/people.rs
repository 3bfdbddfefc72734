//! People who sign in: kept with the hash of their password, let in by an invitation first.
//!
//! Not their sessions (`sessions`), not slowing tries down (`lockout`), and not participants, who are in the
//! organisation's files: a payee's account names one. Called by the handlers of `http::access`.
//!
//! **Architecture invariants:** an invitation sets one password once, and is kept as a hash; an address of
//! mail belongs to one person; every change is in one commit with its row of the audit trail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use accredit_ledger::Ledger;
use accredit_operations::principal::Principal;
use accredit_seams::store::StoreError;
use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::server::grants::{AccessGrant, GrantActor};
use crate::server::passwords::PasswordHash;
use crate::server::secrets::{TokenHash, random_bytes};

/// Where people stand in the data file.
const PEOPLE: &str = "person/";

/// What every invitation begins with.
const INVITATION_PREFIX: &str = "inv_";

const ID_BYTES: usize = 8;
const INVITATION_BYTES: usize = 32;

/// An invitation works for a week.
const INVITATION_MS: i64 = 7 * 24 * 60 * 60_000;

/// An invitation that was not used yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Invitation {
    hash: String,
    expires_ms: i64,
    /// Who made it; none in rows of earlier versions.
    #[serde(default)]
    made_by: Option<String>,
}

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    /// The id, `usr_…`.
    pub(crate) id: String,
    /// What the person may do.
    pub(crate) grant: AccessGrant,
    /// The address of mail with which the person signs in, in small letters.
    pub(crate) email: String,
    /// When the account was made, milliseconds since 1970.
    pub(crate) created_ms: i64,
    /// Who made it.
    pub(crate) created_by: String,
    /// The hash of the password; none until the invitation was used.
    pub(crate) password: Option<PasswordHash>,
    invitation: Option<Invitation>,
    /// Who made the invitation with which the password was set.
    #[serde(default)]
    password_by: Option<String>,
    /// Whether the person may not sign in for now.
    #[serde(default)]
    pub(crate) disabled: bool,
    /// Whether the account waits for a second person.
    #[serde(default)]
    pub(crate) waiting: bool,
    /// Who may make an invitation once, since a second person agreed.
    #[serde(default)]
    invitation_for: Option<String>,
}

/// What becomes of a person.
#[derive(Debug, Clone)]
pub(crate) enum PersonChange {
    /// A new account that waited is granted; the one who asked may make an invitation once.
    Granted,
    /// The one who asked may make another invitation once.
    InvitationAllowed,
    /// The person may do something else.
    Role(AccessGrant),
    /// The person may not sign in, or may again.
    Disabled(bool),
}

impl Person {
    /// Whether the person may use the server at all.
    pub(crate) fn is_let_in(&self) -> bool {
        !self.disabled && !self.waiting
    }

    /// Whether `who` may make an invitation that a second person agreed to.
    pub(crate) fn may_be_invited_by(&self, who: &str) -> bool {
        self.invitation_for.as_deref() == Some(who)
    }

    /// Who made the invitation with which the password was set, and may know the password; none while
    /// none is set. In rows of earlier versions it is the one who made the account.
    pub(crate) fn let_in_by(&self) -> Option<&str> {
        self.password.as_ref()?;
        Some(self.password_by.as_deref().unwrap_or(&self.created_by))
    }

    /// `active`, `disabled`, or `waiting` for a second person.
    pub(crate) fn state(&self) -> &'static str {
        match (self.waiting, self.disabled) {
            (true, _) => "waiting",
            (false, true) => "disabled",
            (false, false) => "active",
        }
    }

    /// Until when an invitation works; none where none is open.
    pub(crate) fn invited_until_ms(&self) -> Option<i64> {
        self.invitation.as_ref().map(|invitation| invitation.expires_ms)
    }
}

type PeopleById = BTreeMap<String, Arc<Person>>;

/// Everybody who signs in.
pub(crate) struct People {
    known: ArcSwap<PeopleById>,
    /// One change at a time.
    changes: Mutex<()>,
}

/// Why a person was not changed.
#[derive(Debug)]
pub(crate) enum PeopleError {
    /// There is no such person, or no such invitation.
    Unknown,
    /// Another person has the address of mail.
    EmailTaken,
    /// The account waits for its grant.
    Waiting,
    /// Something of the machine is missing.
    Failed(String),
    /// The data cannot be written.
    Store(StoreError),
}

impl From<StoreError> for PeopleError {
    fn from(error: StoreError) -> PeopleError {
        PeopleError::Store(error)
    }
}

/// A person with an invitation, which is shown once.
pub(crate) struct InvitedPerson {
    /// The person.
    pub(crate) person: Arc<Person>,
    /// The whole invitation.
    pub(crate) invitation: SecretString,
}

/// An address of mail in the form in which it is compared.
pub(crate) fn normal_email(email: &str) -> String {
    email.trim().to_lowercase()
}

impl People {
    /// The people of a data file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn load(ledger: &Ledger) -> Result<People, StoreError> {
        let mut known = PeopleById::new();
        for (id, row) in ledger.meta_under(PEOPLE)? {
            let damaged = || StoreError::Damaged(format!("the person `{id}` cannot be read"));
            let person: Person = serde_json::from_slice(&row).map_err(|_| damaged())?;
            known.insert(id, Arc::new(person));
        }
        Ok(People { known: ArcSwap::from_pointee(known), changes: Mutex::default() })
    }

    /// Takes the people whom another host has recorded.
    pub(super) fn take_recorded(&self, recorded: People) {
        self.known.store(recorded.known.into_inner());
    }

    /// Everybody, in the order in which the accounts were made.
    pub(crate) fn list_people(&self) -> Vec<Arc<Person>> {
        let mut all: Vec<Arc<Person>> = self.known.load().values().cloned().collect();
        all.sort_by(|a, b| (a.created_ms, &a.id).cmp(&(b.created_ms, &b.id)));
        all
    }

    /// Whether a person has this name.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.known.load().values().any(|person| person.grant.name.eq_ignore_ascii_case(name))
    }

    /// The person with this name in the audit trail.
    pub(crate) fn find_named(&self, name: &str) -> Option<Arc<Person>> {
        self.known.load().values().find(|person| person.grant.name == name).cloned()
    }

    /// The person with this address of mail.
    pub(crate) fn find_email(&self, email: &str) -> Option<Arc<Person>> {
        self.known.load().values().find(|person| person.email == email).cloned()
    }

    /// The caller whom a person with this id is.
    pub(crate) fn find_caller(&self, id: &str) -> Option<Principal> {
        let person = self.known.load().get(id).cloned()?;
        person.grant.principal().filter(|_| person.is_let_in())
    }

    /// A person by the id.
    pub(crate) fn find_person(&self, id: &str) -> Option<Arc<Person>> {
        self.known.load().get(id).cloned()
    }

    /// Makes an account, with an invitation to set its password.
    ///
    /// # Errors
    /// When another person has the address of mail.
    pub(crate) fn add_person(
        &self,
        ledger: &Ledger,
        (grant, email): (AccessGrant, String),
        actor: &GrantActor,
    ) -> Result<InvitedPerson, PeopleError> {
        let _turn = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if self.find_email(&email).is_some() {
            return Err(PeopleError::EmailTaken);
        }

        let id = new_id()?;
        let (invitation, shown) = new_invitation(&id, actor)?;
        let person = Person {
            id,
            grant,
            email,
            created_ms: actor.at_ms,
            created_by: actor.who.clone(),
            password: None,
            invitation: Some(invitation),
            password_by: None,
            disabled: false,
            waiting: false,
            invitation_for: None,
        };
        let person = self.keep_person(ledger, (None, person), (actor, "person_added"))?;
        Ok(InvitedPerson { person, invitation: shown })
    }

    /// Makes an account that waits until another person approves it; nobody is invited yet.
    ///
    /// # Errors
    /// When another person has the address of mail.
    pub(crate) fn add_waiting(
        &self,
        ledger: &Ledger,
        (grant, email): (AccessGrant, String),
        actor: &GrantActor,
    ) -> Result<Arc<Person>, PeopleError> {
        let _turn = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if self.find_email(&email).is_some() {
            return Err(PeopleError::EmailTaken);
        }
        let person = Person {
            id: new_id()?,
            grant,
            email,
            created_ms: actor.at_ms,
            created_by: actor.who.clone(),
            password: None,
            invitation: None,
            password_by: None,
            disabled: false,
            waiting: true,
            invitation_for: None,
        };
        Ok(self.keep_person(ledger, (None, person), (actor, "person_proposed"))?)
    }

    /// Changes what a person may do.
    ///
    /// # Errors
    /// When there is no such person, or the account waits for its grant and this is something else.
    pub(crate) fn change_person(
        &self,
        ledger: &Ledger,
        (id, change): (&str, PersonChange),
        actor: &GrantActor,
    ) -> Result<Arc<Person>, PeopleError> {
        let _turn = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.known.load().get(id).cloned().ok_or(PeopleError::Unknown)?;
        if known.waiting && !matches!(change, PersonChange::Granted) {
            return Err(PeopleError::Waiting);
        }
        let mut person = Person::clone(&known);
        let what = match change {
            PersonChange::Granted => {
                person.waiting = false;
                person.invitation_for = Some(actor.who.clone());
                "person_granted"
            }
            PersonChange::InvitationAllowed => {
                person.invitation_for = Some(actor.who.clone());
                "invitation_allowed"
            }
            PersonChange::Role(grant) => {
                person.grant = grant;
                "role_changed"
            }
            PersonChange::Disabled(true) => {
                person.disabled = true;
                "person_disabled"
            }
            PersonChange::Disabled(false) => {
                person.disabled = false;
                "person_enabled"
            }
        };
        Ok(self.keep_person(ledger, (Some(&known), person), (actor, what))?)
    }

    /// Gives a person another invitation; the password works until it is used.
    ///
    /// # Errors
    /// When there is no such person, or the account waits for its grant.
    pub(crate) fn invite_person(
        &self,
        ledger: &Ledger,
        id: &str,
        actor: &GrantActor,
    ) -> Result<InvitedPerson, PeopleError> {
        let _turn = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.known.load().get(id).cloned().ok_or(PeopleError::Unknown)?;
        if known.waiting {
            return Err(PeopleError::Waiting);
        }
        let (invitation, shown) = new_invitation(id, actor)?;
        let invitation = Some(invitation);
        let person = Person { invitation, invitation_for: None, ..Person::clone(&known) };
        let person = self.keep_person(ledger, (Some(&known), person), (actor, "person_invited"))?;
        Ok(InvitedPerson { person, invitation: shown })
    }

    /// The person whose open invitation it is.
    pub(crate) fn find_invited(&self, given: &str, now_ms: i64) -> Option<Arc<Person>> {
        let (id, _) = given.strip_prefix(INVITATION_PREFIX)?.rsplit_once('.')?;
        let person = self.known.load().get(id).cloned();
        let open = person.as_ref().and_then(|person| person.invitation.as_ref());
        let hash = open.and_then(|open| TokenHash::from_hex(&open.hash));
        // An invitation that does not exist takes as long as another one.
        let hash = hash.unwrap_or_else(|| TokenHash::hash_token(""));
        let works = hash.matches(given) && open.is_some_and(|open| now_ms < open.expires_ms);
        person.filter(|person| works && person.is_let_in())
    }

    /// Sets the password of the person whose invitation it is; the invitation is used up.
    ///
    /// # Errors
    /// When the invitation does not work, or no longer.
    pub(crate) fn set_password(
        &self,
        ledger: &Ledger,
        (given, password): (&str, PasswordHash),
        at_ms: i64,
    ) -> Result<Arc<Person>, PeopleError> {
        let _turn = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.find_invited(given, at_ms).ok_or(PeopleError::Unknown)?;
        let actor = GrantActor { who: known.grant.name.clone(), approved: None, at_ms };
        let mut person = Person { password: Some(password), ..Person::clone(&known) };
        person.password_by = person.invitation.take().and_then(|used| used.made_by);
        Ok(self.keep_person(ledger, (Some(&known), person), (&actor, "password_set"))?)
    }

    /// Removes a person, who signs in no longer.
    ///
    /// # Errors
    /// When there is no such person.
    pub(crate) fn remove_person(
        &self,
        ledger: &Ledger,
        id: &str,
        actor: &GrantActor,
    ) -> Result<Arc<Person>, PeopleError> {
        let _turn = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let person = self.known.load().get(id).cloned().ok_or(PeopleError::Unknown)?;
        let said = (actor.who.as_str(), "person_removed", audit_detail(Some(&person), None));
        let key = format!("{PEOPLE}{id}");
        ledger.change_meta_audited(&[(&key, None)], actor.at_ms, said)?;

        let mut known = PeopleById::clone(&self.known.load());
        known.remove(id);
        self.known.store(Arc::new(known));
        Ok(person)
    }

    /// Keeps a person, and puts what it may do in force.
    fn keep_person(
        &self,
        ledger: &Ledger,
        (before, person): (Option<&Person>, Person),
        (actor, what): (&GrantActor, &str),
    ) -> Result<Arc<Person>, StoreError> {
        let row = serde_json::to_vec(&person);
        let row = row.map_err(|error| StoreError::Failed(error.to_string()))?;
        let said = (actor.who.as_str(), what, audit_detail(before, Some(&person)));
        let place = format!("{PEOPLE}{}", person.id);
        let changes = [(place.as_str(), Some(row.as_slice()))];
        ledger.change_meta_approved(&changes, actor.at_ms, said, actor.approved.as_ref())?;

        let person = Arc::new(person);
        let mut known = PeopleById::clone(&self.known.load());
        known.insert(person.id.clone(), Arc::clone(&person));
        self.known.store(Arc::new(known));
        Ok(person)
    }
}

fn new_id() -> Result<String, PeopleError> {
    let id = random_bytes::<ID_BYTES>().map_err(PeopleError::Failed)?;
    let digits: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("usr_{digits}"))
}

/// An invitation as it is kept, and as it is shown.
fn new_invitation(id: &str, actor: &GrantActor) -> Result<(Invitation, SecretString), PeopleError> {
    let secret = random_bytes::<INVITATION_BYTES>().map_err(PeopleError::Failed)?;
    let shown: SecretString =
        format!("{INVITATION_PREFIX}{id}.{}", URL_SAFE_NO_PAD.encode(secret)).into();
    let hash = TokenHash::hash_token(shown.expose_secret()).to_hex();
    let expires_ms = actor.at_ms.saturating_add(INVITATION_MS);
    Ok((Invitation { hash, expires_ms, made_by: Some(actor.who.clone()) }, shown))
}

/// What the audit trail says of a person who is changed: nothing secret, and no address of mail.
fn audit_detail(before: Option<&Person>, after: Option<&Person>) -> Json {
    let state = |person: &Person| {
        json!({
            "role": person.grant.role, "participant": person.grant.participant,
            "has_password": person.password.is_some(),
            "invited_until_ms": person.invited_until_ms(), "state": person.state(),
        })
    };
    let known = after.or(before);
    json!({
        "person": known.map(|person| &person.id), "name": known.map(|person| &person.grant.name),
        "before": before.map(state), "after": after.map(state),
    })
}
