//! Ids of Salesforce: 15 characters whose case counts, or the same 15 and three that check it.
//!
//! Not names of connectors or events. Called by the connector of Outbound Messages.

use std::fmt;

/// Characters of an id without its check.
const SHORT_LENGTH: usize = 15;

/// Characters that a character of the check stands for.
const CHUNK_LENGTH: usize = 5;

/// What a character of the check can be: its place says which characters of a chunk are capitals.
const CHECK_CHARACTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// An id in its form of 15 characters, in which small and capital letters differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordId([u8; SHORT_LENGTH]);

impl RecordId {
    /// Reads an id of 15 characters, or one of 18 with the right check; none for anything else.
    ///
    /// An id of 18 characters whose check does not fit has lost its case on the way, or is another
    /// id: it is not mended, because an allow-list must not be matched by a guess.
    pub(crate) fn parse(text: &str) -> Option<RecordId> {
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }

        let (short, check) = text.as_bytes().split_first_chunk::<SHORT_LENGTH>()?;
        let id = RecordId(*short);
        let fits = check.is_empty() || check == id.check_characters();
        fits.then_some(id)
    }

    /// The three characters that an id of 18 characters has behind the first 15.
    pub(crate) fn check_characters(self) -> [u8; 3] {
        let (chunks, _) = self.0.as_chunks::<CHUNK_LENGTH>();
        let mut check = [0; 3];
        for (character, chunk) in check.iter_mut().zip(chunks) {
            let capitals = chunk
                .iter()
                .rev()
                .fold(0_usize, |bits, byte| bits * 2 + usize::from(byte.is_ascii_uppercase()));
            // Five bits are below 32, so a character is always found.
            *character = CHECK_CHARACTERS.get(capitals).copied().unwrap_or_default();
        }
        check
    }

    /// Whether the id is one of an organization: the first three characters name the kind of an id.
    pub(crate) fn is_organization(self) -> bool {
        self.0.starts_with(b"00D")
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids of organizations, messages and notifications from messages that were captured.
    const CAPTURED: &[&str] = &[
        "00D7F00000107XsUAI",
        "04k7F0000008V3hQAE",
        "04l7F000008aeAyQAI",
        "00D5w000004qGTOEA2",
        "04k5w000000TSwMAAW",
        "04l5w00005286hAAAQ",
        "00DV0000008s2SrMAI",
        "04lV000000nKC8cIAG",
        "04ld000000E885fAAB",
        "04l5Y00002lRDRNQA4",
        "00D25000000D1WMEA0",
        "001d000001XD5XKAA1",
    ];

    #[test]
    fn both_forms_of_an_id_are_one_id() {
        for long in CAPTURED {
            let id = RecordId::parse(long).unwrap();
            assert_eq!(RecordId::parse(&long[..15]), Some(id), "{long}");
            assert_eq!(id.to_string(), long[..15]);
            assert_eq!(id.check_characters(), long.as_bytes()[15..], "{long}");
        }
    }

    #[test]
    fn other_lengths_cases_and_checks_are_no_id() {
        let long = "00D7F00000107XsUAI";
        for length in (0..long.len()).filter(|length| *length != 15) {
            assert_eq!(RecordId::parse(&long[..length]), None, "{length} characters");
        }
        for wrong in [
            "00D7F00000107XsUAIA",
            "00D7F00000107XsUAJ",
            "00D7F00000107XsUai",
            "00D7F00000107xsUAI",
            "00d7f00000107xsuai",
            "00D7F00000107XSUAI",
            " 00D7F00000107XsUAI",
            "00D7F00000107Xs ",
            "00D7F0000010-Xs",
            "00D7F00000107X\u{17f}",
        ] {
            assert_eq!(RecordId::parse(wrong), None, "{wrong}");
        }
        assert_ne!(RecordId::parse("00D7F00000107Xs"), RecordId::parse("00D7F00000107XS"));
    }
}
