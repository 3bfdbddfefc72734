//! Files of a customer's directory that are no text.
//!
//! Not files that nothing reads, which the engine reports. Called by `directory`.

use std::str;

use accredit_domain::diagnostic::{Code, Diagnostic, Place};

/// Where the bytes of `path` are not UTF-8, if anywhere.
pub(super) fn no_text(path: &str, bytes: &[u8]) -> Option<Diagnostic> {
    let wrong = str::from_utf8(bytes).err()?;
    let place = Place::of_offset(path, &String::from_utf8_lossy(bytes), wrong.valid_up_to());
    let (message, place) = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        ("the file is UTF-16, not UTF-8", Place::new(path, 1, 1))
    } else {
        ("from here the file is not UTF-8", place)
    };
    let help = "save it as UTF-8; spreadsheets call it `CSV UTF-8`, editors `Encoding`";
    Some(Diagnostic::error(Code::CR052, place, message).with_help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_shown_where_it_begins() {
        let place =
            |bytes: &[u8]| no_text("a.csv", bytes).map(|it| (it.place.line, it.place.column));
        assert_eq!(place("id,name\nann,Jörg\n".as_bytes()), None);
        // Latin-1: ü is one byte.
        assert_eq!(place(b"id,name\nann,M\xfcller\n"), Some((2, 6)));
        assert_eq!(place(b"\xff\xfei\0d\0"), Some((1, 1)));
    }
}
