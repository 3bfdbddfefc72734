//! Documents that an editor has open, with their text as it is typed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use accredit_editor::text::{column_of_utf16, line_of, split_line};
use lsp_types::{Position, TextDocumentContentChangeEvent, Uri};
use percent_encoding::percent_decode_str;

use crate::address;

/// An open document.
#[derive(Debug)]
pub(super) struct OpenDocument {
    /// The address as the editor writes it.
    pub(super) uri: Uri,
    /// The version of the text.
    pub(super) version: i32,
    /// The text as it is typed.
    pub(super) text: String,
}

/// Every open document, by its path.
pub(super) type OpenDocuments = BTreeMap<PathBuf, OpenDocument>;

/// The path of a file; none for an address that is no file.
pub(super) fn path_of(uri: &Uri) -> Option<PathBuf> {
    let encoded = uri.as_str().strip_prefix("file://")?;
    let decoded = percent_decode_str(encoded).decode_utf8().ok()?;
    // `file:///C:/a` names a path of Windows, and its first slash is no part of it.
    let is_drive = decoded.get(2..3) == Some(":");
    let path = if is_drive { decoded.get(1..)? } else { &decoded };
    Some(PathBuf::from(path))
}

/// The address of a file.
pub(super) fn uri_of(path: &std::path::Path) -> Option<Uri> {
    let text = path.to_str()?.replace('\\', "/");
    let slash = if text.starts_with('/') { "" } else { "/" };
    format!("file://{slash}{}", address::encode_path(&text)).parse().ok()
}

/// The byte at a position of a text.
fn offset_of(text: &str, at: Position) -> usize {
    let wanted = usize::try_from(at.line).unwrap_or(usize::MAX);
    let start: usize = text.split_inclusive('\n').take(wanted).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    let line = line_of(rest, 1);
    let (before, _) = split_line(line, column_of_utf16(line, at.character));
    start + before.len()
}

/// Changes a text as the editor did.
pub(super) fn apply_change(text: &mut String, change: TextDocumentContentChangeEvent) {
    let Some(range) = change.range else {
        *text = change.text;
        return;
    };
    let (start, end) = (offset_of(text, range.start), offset_of(text, range.end));
    text.replace_range(start..end.max(start), &change.text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsp_types::Range;

    fn change(text: &mut String, (line, from, to): (u32, u32, u32), new: &str) {
        let at = |character| Position { line, character };
        let range = Some(Range { start: at(from), end: at(to) });
        let change =
            TextDocumentContentChangeEvent { range, range_length: None, text: new.to_owned() };
        apply_change(text, change);
    }

    #[test]
    fn changes_count_in_units_of_utf_16() {
        let mut text = "a💰b\r\nc\n".to_owned();
        change(&mut text, (0, 3, 4), "x");
        assert_eq!(text, "a💰x\r\nc\n");
        change(&mut text, (1, 1, 99), "d");
        assert_eq!(text, "a💰x\r\ncd\n");
        change(&mut text, (9, 0, 0), "end");
        assert_eq!(text, "a💰x\r\ncd\nend");
    }

    #[test]
    fn addresses_are_those_of_files() {
        let path = PathBuf::from("/tmp/a b/ä#.rhai");
        assert_eq!(path_of(&uri_of(&path).unwrap()), Some(path));
        let drive: Uri = "file:///C%3A/acme/x.toml".parse().unwrap();
        assert_eq!(path_of(&drive), Some(PathBuf::from("C:/acme/x.toml")));
        let other: Uri = "untitled:Untitled-1".parse().unwrap();
        assert_eq!(path_of(&other), None);
    }
}
