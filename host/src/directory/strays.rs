//! Files of a customer's directory that cannot be what they seem: not text, or with a name that
//! nothing reads.
//!
//! Not files with a known ending in a wrong place, which the engine reports. Called by `directory`.

use std::str;

use accredit_engine::diagnostic::{Diagnostic, Place};

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
    Some(Diagnostic::error("CR052", place, message).help(help))
}

/// A warning about a file in a folder of the format that nothing reads, if it is one of an author.
pub(super) fn unread(path: &str) -> Option<Diagnostic> {
    let name = path.rsplit('/').next().unwrap_or(path);
    // What editors leave behind.
    if name.ends_with(['~', '#']) || name.starts_with(['~', '#']) || name.ends_with(".swp") {
        return None;
    }
    let lower = name.to_lowercase();
    let ending = [".csv", ".toml", ".rhai", ".md"].into_iter().find(|one| lower.contains(*one));
    let help = match (lower.rsplit_once('.').map(|(_, ending)| ending), ending) {
        (Some("xlsx" | "xls" | "ods" | "numbers"), _) => {
            "export the sheet as `CSV UTF-8`, with commas".to_owned()
        }
        (_, Some(ending)) => format!("the name must end with `{ending}`, in small letters"),
        _ => "rename it or take it out of the directory".to_owned(),
    };
    let message = format!("nothing reads `{path}`");
    Some(Diagnostic::warning("CR050", Place::file(path), message).help(help))
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

    #[test]
    fn misnamed_files_are_reported_and_leftovers_are_not() {
        let help = |path: &str| unread(path).and_then(|finding| finding.help);
        assert!(help("organization/participants.xlsx").unwrap().contains("CSV UTF-8"));
        assert!(help("organization/Teams.CSV").unwrap().contains("`.csv`"));
        assert!(help("plans/reps.toml.txt").unwrap().contains("`.toml`"));
        assert_eq!(help("plans/reps.toml~"), None);
    }
}
