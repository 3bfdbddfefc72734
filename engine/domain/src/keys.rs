//! The names by which the outside knows things: a deal's natural key, a plan, a payee, a period.
//!
//! A key is text as people and files write it, and outlives the ruleset that it was read with. The
//! ids of `organization` are places in one loaded ruleset instead. Each kind of key is a type of its
//! own, so that a plan is never compared with a payee. Not parsing: any text is a key.
//!
//! Keys of what a ruleset names (plans, positions, people, rules, units) are few, and a credit holds a
//! dozen of them: each text is kept once for the life of the process ([`names`]), a key is a pointer to
//! it, and two keys are compared by it. Keys of deals and rewards are as many as there are deals, so
//! they are counted and end with their last holder.
//!
//! **Architecture invariant:** a key is shown, stored and sent as its text, and nothing else.

mod names;

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

pub use self::names::Name;

/// Reads a key without a copy of its text.
struct KeyText<K>(PhantomData<K>);

impl<K: for<'a> From<&'a str>> Visitor<'_> for KeyText<K> {
    type Value = K;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<K, E> {
        Ok(K::from(text))
    }
}

/// What a key can do with its text, which `$name::shared` gives.
macro_rules! key_text {
    ($name:ident) => {
        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                self.shared()
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::from("")
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                self.shared()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.shared()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.shared()
            }
        }

        impl Hash for $name {
            // As the text is hashed, so that maps of keys can be asked with a text.
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl From<&String> for $name {
            fn from(text: &String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl From<&Arc<str>> for $name {
            fn from(text: &Arc<str>) -> Self {
                Self::from(Arc::clone(text))
            }
        }

        impl From<$name> for String {
            fn from(key: $name) -> String {
                key.as_str().to_owned()
            }
        }

        impl From<$name> for Arc<str> {
            fn from(key: $name) -> Arc<str> {
                Arc::clone(key.shared())
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl PartialEq<String> for $name {
            fn eq(&self, other: &String) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<$name> for String {
            fn eq(&self, other: &$name) -> bool {
                self.as_str() == other.as_str()
            }
        }

        impl PartialEq<$name> for str {
            fn eq(&self, other: &$name) -> bool {
                self == other.as_str()
            }
        }

        impl PartialEq<$name> for &str {
            fn eq(&self, other: &$name) -> bool {
                *self == other.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                String::schema()
            }
        }

        impl ToSchema for $name {}

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(KeyText(PhantomData))
            }
        }
    };
}

/// Declares keys of which there are as many as there are deals.
macro_rules! counted_keys {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(Arc<str>);

        key_text!($name);

        impl $name {
            /// The text, shared with the key.
            pub fn shared(&self) -> &Arc<str> {
                &self.0
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.0.cmp(&other.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(Arc::from(text))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(Arc::from(text))
            }
        }

        impl From<Arc<str>> for $name {
            fn from(text: Arc<str>) -> Self {
                Self(text)
            }
        }
    )*};
}

/// Declares keys of what a ruleset names.
macro_rules! name_keys {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct $name(Name);

        key_text!($name);

        impl $name {
            /// The text, shared with the key.
            pub fn shared(&self) -> &'static Arc<str> {
                self.0.text()
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                if self == other { Ordering::Equal } else { self.as_str().cmp(other.as_str()) }
            }
        }

        impl From<&$name> for $name {
            fn from(key: &$name) -> Self {
                *key
            }
        }

        impl From<Name> for $name {
            fn from(name: Name) -> Self {
                Self(name)
            }
        }

        impl From<$name> for Name {
            fn from(key: $name) -> Name {
                key.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(Name::of(text))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(Name::of(&text))
            }
        }

        impl From<Arc<str>> for $name {
            fn from(text: Arc<str>) -> Self {
                Self(Name::of(&text))
            }
        }
    )*};
}

counted_keys! {
    /// The natural key of a transaction: source and number of the deal.
    TransactionKey;
    /// The id of an earned reward: `rwd_` and 32 hexadecimal digits.
    RewardId;
}

name_keys! {
    /// The id of a plan.
    PlanKey;
    /// The id of a period, `2026-01`.
    PeriodKey;
    /// The id of a position.
    PositionKey;
    /// The id of a participant.
    ParticipantKey;
    /// The id of a team.
    TeamKey;
    /// The id of a position or a team, where either may be credited.
    RecipientKey;
    /// The hash of a ruleset.
    RulesetHash;
    /// A name that a plan or the settings give: of a rule, a result, a relationship, a credit type, a
    /// unit, a reason code, a title.
    DefinedName;
}

/// Declares that a key of one kind is one of a wider kind as well.
macro_rules! wider_keys {
    ($($narrow:ident is $wide:ident;)*) => {$(
        impl From<$narrow> for $wide {
            fn from(key: $narrow) -> $wide {
                $wide(key.0)
            }
        }
    )*};
}

wider_keys! {
    PositionKey is RecipientKey;
    TeamKey is RecipientKey;
}
