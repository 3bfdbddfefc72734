//! Text inside addresses: percent-encoding, once for the whole host.
//!
//! Called by the command line for its requests, by handlers for links, and by SARIF for file names.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but letters, digits and what RFC 3986 calls unreserved.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The same, with the slashes between folders.
const PATH: &AsciiSet = &PART.remove(b'/');

/// Text as one part of a path, or as a value in a query.
pub(crate) fn encode_part(text: &str) -> String {
    utf8_percent_encode(text, PART).to_string()
}

/// A path with `/` between folders as a relative reference.
pub(crate) fn encode_path(text: &str) -> String {
    utf8_percent_encode(text, PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_an_address_is_encoded() {
        assert_eq!(encode_part("J/1 ä&b=~-_."), "J%2F1%20%C3%A4%26b%3D~-_.");
        assert_eq!(encode_path("plans/a b%.toml"), "plans/a%20b%25.toml");
    }
}
