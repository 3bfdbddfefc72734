//! The pages of the codes of diagnostics, built into the program.
//!
//! Not the findings (`report`). Written in `scripts/errors/`, gathered by the build script, so that
//! a page is never missing from the program. Called by `explain` and by `sarif`.

include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The page of a code, in Markdown; none where there is no such code.
pub(crate) fn find_page(code: &str) -> Option<&'static str> {
    PAGES.iter().find(|(known, _)| *known == code).map(|(_, page)| *page)
}

/// Whether a text has the form of a code: `CR012`.
pub(crate) fn is_code(text: &str) -> bool {
    let digits = text.strip_prefix("CR").unwrap_or_default();
    digits.len() == 3 && digits.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use accredit_domain::diagnostic::CODES;

    use super::*;

    /// `accredit explain CR012` was an argument error, and a message named no way to its page.
    #[test]
    fn every_code_has_its_page_in_the_program() {
        for (code, title) in CODES {
            let code = code.as_str();
            let page = find_page(code).unwrap_or_else(|| panic!("{code} has no page"));
            assert!(page.starts_with(&format!("# {code}: {title}\n")), "{code}");
            assert!(is_code(code), "{code}");
        }
        assert_eq!(PAGES.len(), CODES.len());
        assert_eq!(find_page("CR999"), None);
        assert!(!is_code("OPP-1") && !is_code("CR1") && !is_code("CRabc"));
    }
}
