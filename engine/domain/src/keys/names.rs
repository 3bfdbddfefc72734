//! Texts that are kept once for the life of the process: the names of a ruleset.
//!
//! Not the keys, which are types of their own over these. A thread finds a name that it has met before
//! without a lock.
//!
//! **Architecture invariant:** two names are the same pointer exactly when their texts are equal.

use std::cell::RefCell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use foldhash::HashMap;

/// A text that is kept once, as a pointer to it: a key of any kind is made of it, and it of the key,
/// without a look at the text.
#[derive(Clone, Copy)]
pub struct Name(&'static Arc<str>);

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::hash(self.0, state);
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self.0, f)
    }
}

/// Texts that are kept, by their letters.
type KeptTexts = HashMap<&'static str, &'static Arc<str>>;

/// Every text that is kept.
static KEPT: LazyLock<RwLock<KeptTexts>> = LazyLock::new(RwLock::default);

thread_local! {
    /// The texts that this thread has met.
    static MET: RefCell<KeptTexts> = RefCell::default();
}

impl Name {
    /// The name with this text, which is kept from now on.
    pub fn of(text: &str) -> Name {
        let met = MET.with_borrow(|met| met.get(text).copied());
        if let Some(known) = met {
            return Name(known);
        }

        let kept = keep_text(text);
        MET.with_borrow_mut(|met| met.insert(&**kept, kept));
        Name(kept)
    }

    /// The name with this text, if it is kept already.
    pub fn find(text: &str) -> Option<Name> {
        let met = MET.with_borrow(|met| met.get(text).copied());
        let kept = || KEPT.read().unwrap_or_else(PoisonError::into_inner).get(text).copied();
        met.or_else(kept).map(Name)
    }

    /// The text, shared with all who hold it.
    pub fn text(self) -> &'static Arc<str> {
        self.0
    }
}

/// The one copy of a text.
fn keep_text(text: &str) -> &'static Arc<str> {
    let mut kept = KEPT.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.get(text) {
        return known;
    }

    // Kept on purpose: a ruleset names thousands of things, and its rows outlive it.
    let fresh: &'static Arc<str> = Box::leak(Box::new(Arc::from(text)));
    kept.insert(&**fresh, fresh);
    fresh
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one_name_on_every_thread() {
        let here = Name::of("a name that no other test keeps");
        let there = std::thread::spawn(|| Name::of("a name that no other test keeps")).join();
        assert!(there.is_ok_and(|there| there == here));
        assert!(Name::of("another name") != here);
        assert_eq!(&**here.text(), "a name that no other test keeps");
    }
}
