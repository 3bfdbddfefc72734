//! When two names are the same, and ids as they are found: by how they are written, as names are
//! compared, or as what they were called.
//!
//! Not the meaning of a name on a date (`Organization::resolve_name`). Called by `organization` and
//! `teams`. Source: FORMAT section 1.
//!
//! **Architecture invariant:** the written form counts first, and an ambiguous name means no one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

use super::{Entity, Organization, ParticipantId, PositionId};

/// A name as aliases are matched: without an e-mail's display name and without invisible characters
/// ([`is_unseen`]), in composed form (NFC), with full case folding, and with every run of Unicode spaces
/// as one blank, none at the ends.
///
/// Case folding is Unicode's default one, so that `Straße` is `STRASSE` and a final sigma is a sigma;
/// the dot that it leaves of a Turkish `İ` is dropped.
pub fn fold_name(name: &str) -> String {
    let name = address_of(name.trim()).unwrap_or(name);
    if name.is_ascii() {
        let mut folded = String::with_capacity(name.len());
        for word in name.split_ascii_whitespace() {
            if !folded.is_empty() {
                folded.push(' ');
            }
            folded.extend(word.chars().map(|sign| sign.to_ascii_lowercase()));
        }
        return folded;
    }
    let visible = name.chars().filter(|c| !is_unseen(*c));
    let folded = visible.nfc().default_case_fold().filter(|c| *c != '\u{307}');
    let folded: String = folded.nfc().collect();
    // Last: a dot that is dropped may have been all that was between two blanks.
    folded.split_whitespace().collect::<Vec<&str>>().join(" ")
}

/// The same as [`fold_name`], and no copy of a name that is folded already.
pub(super) fn folded_name(name: &str) -> Cow<'_, str> {
    let plain =
        |sign: &u8| matches!(sign, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b':' | b'@');
    if name.as_bytes().iter().all(plain) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(fold_name(name))
    }
}

/// The address of `Ann Lee <ann@example.com>`.
fn address_of(name: &str) -> Option<&str> {
    let (_, address) = name.strip_suffix('>')?.rsplit_once('<')?;
    let address = address.trim();
    (address.contains('@') && !address.contains(char::is_whitespace)).then_some(address)
}

/// A text as it is kept in an id: composed, and without spaces and invisible marks at its ends.
pub fn compose_id(text: &str) -> String {
    let at_end = |c: char| c.is_whitespace() || is_unseen(c);
    text.trim_matches(at_end).nfc().collect()
}

/// Invisible characters: soft hyphens, zero-width spaces, directions, a mark of byte order.
pub fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// What a name looks like: names that differ in what people hardly see look the same. Latin, Greek and
/// Cyrillic letters of one shape are one, and so are 0 and o, 1, l and i, and all dashes.
pub fn confusable_key(name: &str) -> String {
    let wide: String = name.nfkc().collect();
    fold_name(&wide).chars().map(confusable_letter).collect()
}

fn confusable_letter(c: char) -> char {
    match c {
        'а' | 'α' => 'a',
        'в' | 'β' => 'b',
        'с' | 'ϲ' => 'c',
        'е' | 'ε' => 'e',
        'н' | 'η' => 'h',
        'і' | 'ι' | 'l' | '1' | '|' | 'ӏ' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' | 'μ' => 'm',
        'о' | 'ο' | '0' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' => 'u',
        'ν' => 'v',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        '‐' | '‑' | '–' | '—' | '−' | '_' => '-',
        c => c,
    }
}

/// What ids mean: as they are written first, else as names are compared, where that means one.
#[derive(Debug, Clone)]
pub(super) struct IdIndex<T> {
    exact: HashMap<Arc<str>, T>,
    /// None where several ids are the same name.
    folded: HashMap<String, Option<T>>,
    /// Ids of before, by explicit aliases.
    former: HashMap<String, Option<T>>,
    /// The same as they are written.
    written: Vec<(Arc<str>, T)>,
}

impl<T> Default for IdIndex<T> {
    fn default() -> IdIndex<T> {
        IdIndex {
            exact: HashMap::new(),
            folded: HashMap::new(),
            former: HashMap::new(),
            written: Vec::new(),
        }
    }
}

impl<T: Copy + PartialEq> IdIndex<T> {
    /// Adds an id that is new.
    pub(super) fn add(&mut self, id: Arc<str>, meant: T) {
        add_meaning(&mut self.folded, fold_name(&id), meant);
        self.exact.insert(id, meant);
    }

    /// Lets another id mean the same: what was renamed is found by its former id.
    pub(super) fn add_former_id(&mut self, former: &str, meant: T) {
        add_meaning(&mut self.former, fold_name(former), meant);
        self.written.push((Arc::from(former), meant));
    }

    /// What exactly this id means.
    pub(super) fn find_exact(&self, id: &str) -> Option<T> {
        self.exact.get(id).copied()
    }

    /// What an id means, in any spelling, or as it was called before.
    pub(super) fn find(&self, id: &str) -> Option<T> {
        self.find_exact(id).or_else(|| {
            let name = fold_name(id);
            let known = self.folded.get(&name).or_else(|| self.former.get(&name));
            known.copied().flatten()
        })
    }

    /// The former ids of `meant`, as they are written.
    pub(super) fn former_of(&self, meant: T) -> impl Iterator<Item = &str> {
        let own = self.written.iter().filter(move |(_, known)| *known == meant);
        own.map(|(former, _)| former.as_ref())
    }
}

/// Keeps a meaning; none where a name has two.
fn add_meaning<T: PartialEq>(known: &mut HashMap<String, Option<T>>, name: String, meant: T) {
    use std::collections::hash_map::Entry;
    match known.entry(name) {
        Entry::Vacant(entry) => {
            entry.insert(Some(meant));
        }
        Entry::Occupied(mut entry) if entry.get().as_ref().is_some_and(|one| *one != meant) => {
            entry.insert(None);
        }
        Entry::Occupied(_) => (),
    }
}

impl Organization {
    /// Lets a former id mean a participant or position that was renamed.
    pub fn add_former_id(&mut self, former: &str, entity: Entity) {
        match entity {
            Entity::Participant(participant) => {
                self.participant_ids.add_former_id(former, participant)
            }
            Entity::Position(position) => self.position_ids.add_former_id(former, position),
        }
    }

    /// The position with this id, compared as names are, or that was renamed from it.
    pub fn find_position(&self, id: &str) -> Option<PositionId> {
        self.position_ids.find(id)
    }

    /// The participant with this id, compared as names are, or who was renamed from it.
    pub fn find_participant(&self, id: &str) -> Option<ParticipantId> {
        self.participant_ids.find(id)
    }

    /// The ids under which a participant may have been credited before: explicit aliases.
    pub fn former_ids(&self, participant: ParticipantId) -> impl Iterator<Item = &str> {
        self.participant_ids.former_of(participant)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_one_name() {
        let alike = |all: &[&str]| {
            let folded: Vec<String> = all.iter().map(|name| fold_name(name)).collect();
            assert!(folded.iter().all(|one| *one == folded[0]), "{all:?}: {folded:?}");
        };
        alike(&[
            "Zo\u{eb}",
            "Zoe\u{308}",
            "ZO\u{cb}",
            " zoe\u{308}\u{a0}",
            "\u{feff}Zo\u{eb}\u{200e}",
        ]);
        alike(&["Stra\u{df}e", "STRASSE", "stra\u{1e9e}e"]);
        alike(&["Ann Lee", "Ann\u{a0}Lee", "ann  lee", "\tANN LEE\n"]);
        alike(&["Ann <ann@example.com>", "ann@example.com", "Lee, Ann <ANN@example.com> "]);
        assert_ne!(fold_name("Ann <West>"), fold_name("West"), "no address");
        assert_eq!(fold_name("Ann \u{307} Lee"), fold_name("Ann Lee"), "a dot between two blanks");
        assert_ne!(fold_name("Zoe"), fold_name("Zo\u{eb}"));
    }

    /// A contact that was copied out of Windows has marks of its direction around it. Files lost them and
    /// deals did not, so that nobody was credited.
    #[test]
    fn a_name_in_a_file_and_in_a_deal_is_one_name() {
        let unseen = ('\0'..=char::MAX).filter(|sign| is_unseen(*sign));
        let mut count = 0;
        for sign in unseen {
            let delivered = format!("{sign}Ann{sign}{sign} Lee{sign}");
            assert_eq!(fold_name(&delivered), fold_name("Ann Lee"), "{sign:?}");
            assert_eq!(fold_name(&compose_id(&delivered)), fold_name(&delivered), "{sign:?}");
            count += 1;
        }
        assert_eq!(
            count, 15,
            "soft hyphen, zero-width space, byte order mark, word joiner, eleven directions"
        );
    }

    #[test]
    fn an_id_is_found_as_written_then_by_name_then_by_what_it_was() {
        let mut ids = IdIndex::default();
        ids.add(Arc::from("Ann"), 1);
        ids.add(Arc::from("ann"), 2);
        ids.add(Arc::from("Zo\u{eb}"), 3);
        ids.add_former_id("z-17", 3);
        assert_eq!(ids.find("ann"), Some(2));
        assert_eq!(ids.find("ANN"), None, "two are called so");
        assert_eq!(ids.find("zoe\u{308}"), Some(3));
        assert_eq!(ids.find("Z-17"), Some(3));
        assert_eq!(ids.former_of(3).collect::<Vec<_>>(), ["z-17"]);
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(name in "\\PC{0,12}") {
            let once = fold_name(&name);
            prop_assert_eq!(fold_name(&once), once);
        }

        #[test]
        fn composition_case_and_spaces_make_no_difference(name in "[\\p{L} ]{0,12}") {
            let decomposed: String = name.nfd().collect();
            prop_assert_eq!(fold_name(&decomposed), fold_name(&name));
            prop_assert_eq!(fold_name(&format!("\u{a0}{name} ")), fold_name(&name));
        }
    }
}
