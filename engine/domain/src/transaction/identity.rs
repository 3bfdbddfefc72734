//! Natural keys: the cells that name a transaction, in one form.
//!
//! Called by the decoder. Source: FORMAT section 2 (`id`).
//!
//! **Architecture invariant:** two keys never look alike, and one record of a source has one key in
//! every form of its id.

/// Forms of the ids of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IdForm {
    /// Ids are compared as delivered.
    #[default]
    Plain,
    /// Salesforce: 15 characters of which case counts, or the same with three more that say which
    /// of them are capitals. The key is the form of 18.
    Salesforce,
}

impl IdForm {
    /// An id in the form that natural keys have.
    pub fn normalized_id(self, id: &str) -> String {
        normalize_id(id, self)
    }
}

/// Forms that have a name in settings.
pub const ID_FORMS: [(&str, IdForm); 1] = [("salesforce", IdForm::Salesforce)];

/// The parts of a natural key joined by `/`. With any text in the parts, two keys never look alike:
/// a slash in a part behind the first, and a backslash in any, is preceded by a backslash.
pub(super) fn natural_key(parts: &[&str], form: IdForm) -> String {
    let parts: Vec<String> = parts.iter().map(|part| normalize_id(part, form)).collect();
    let [first, rest @ ..] = parts.as_slice() else { return String::new() };
    if rest.is_empty() {
        return first.clone();
    }
    let plain = |part: &str| part.replace('\\', "\\\\");
    rest.iter().fold(plain(first), |key, part| key + "/" + plain(part).replace('/', "\\/").as_str())
}

fn normalize_id(id: &str, form: IdForm) -> String {
    match form {
        IdForm::Plain => id.to_owned(),
        IdForm::Salesforce => salesforce_id(id).unwrap_or_else(|| id.to_owned()),
    }
}

/// Characters of an id of which case counts.
const CASED_CHARACTERS: usize = 15;

/// Characters that one character of the checksum says the case of.
const GROUP_CHARACTERS: usize = 5;

/// The characters of the checksum, by the number whose bits are the capitals of a group.
const CHECKSUM: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The form of 18 characters; none for what is no id of Salesforce. An id of 18 characters whose
/// case was lost gets it back from its last three.
fn salesforce_id(id: &str) -> Option<String> {
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }

    match id.len() {
        CASED_CHARACTERS => Some(format!("{id}{}", case_checksum(id)?)),
        18 => {
            let (body, end) = id.split_at_checked(CASED_CHARACTERS)?;
            if case_checksum(body)? == end {
                return Some(id.to_owned());
            }
            let restored = restore_case(body, end)?;
            Some(format!("{restored}{}", end.to_uppercase()))
        }
        _ => None,
    }
}

/// The last three characters of an id.
fn case_checksum(body: &str) -> Option<String> {
    let groups = body.as_bytes().chunks(GROUP_CHARACTERS);
    let signs = groups.map(|group| {
        let bits = group.iter().zip(0_u32..);
        let number =
            bits.fold(0, |sum, (byte, bit)| sum | (usize::from(byte.is_ascii_uppercase()) << bit));
        CHECKSUM.get(number).map(|sign| char::from(*sign))
    });
    signs.collect()
}

/// The first 15 characters with the capitals that the checksum says; none when it does not fit.
fn restore_case(body: &str, end: &str) -> Option<String> {
    let mut restored = String::with_capacity(CASED_CHARACTERS);
    for (group, sign) in body.as_bytes().chunks(GROUP_CHARACTERS).zip(end.to_uppercase().bytes()) {
        let number = CHECKSUM.iter().position(|known| *known == sign)?;
        for (byte, bit) in group.iter().zip(0_u32..) {
            let is_capital = (number >> bit) & 1 == 1;
            let letter =
                if is_capital { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
            restored.push(char::from(letter));
        }
    }
    (case_checksum(&restored)? == end.to_uppercase()).then_some(restored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_different_parts_differ() {
        // `A/1`,`2` and `A`,`1/2` were one transaction, and the later row replaced the earlier one.
        let check = |parts: &[&str], shown: &str| {
            assert_eq!(natural_key(parts, IdForm::Plain), shown);
        };
        check(&["SO/1"], "SO/1");
        check(&["SO", "1"], "SO/1");
        check(&["SO/1", "2"], "SO/1/2");
        check(&["SO", "1/2"], "SO/1\\/2");
        check(&["SO\\", "1"], "SO\\\\/1");
    }

    #[test]
    fn one_record_of_salesforce_has_one_key() {
        // A webhook has 18 characters and a report 15: one deal was credited twice.
        let check = |id: &str, shown: &str| {
            assert_eq!(natural_key(&[id], IdForm::Salesforce), shown, "{id}");
        };
        check("001D000000IqhSL", "001D000000IqhSLIAZ");
        check("001D000000IqhSLIAZ", "001D000000IqhSLIAZ");
        check("001d000000iqhsliaz", "001D000000IqhSLIAZ");
        check("006A0000000abcd", "006A0000000abcdIAA");
        // Their case is all that tells these two apart.
        check("006A0000000ABCD", "006A0000000ABCDIA4");
        check("OPP-1", "OPP-1");
        check("001D000000IqhSLZZZ", "001D000000IqhSLZZZ");
    }
}
