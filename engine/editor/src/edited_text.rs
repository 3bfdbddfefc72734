//! The text that a place is in: a whole file, or a block of a case file, which is a file by itself.
//!
//! Not the meaning of that text. Called by completions, hints and definitions.

use accredit_domain::policy::PolicyKind;

use crate::EditorWorkspace;
use crate::names::SETTINGS;
use crate::text::TextPosition;

/// What a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKind {
    /// Functions: of policies of this kind; none in `policies/shared/`.
    Script(Option<PolicyKind>),
    /// `accredit.toml`.
    Settings,
    /// A plan.
    Plan,
    /// Cases.
    Cases,
    /// Rows with a header.
    Rows,
}

/// A text with a place in it.
#[derive(Debug, Clone)]
pub(crate) struct EditedText<'a> {
    /// The path of the file; of a block, the path that it stands for.
    pub(crate) path: &'a str,
    /// What it is written in.
    pub(crate) kind: TextKind,
    /// The text.
    pub(crate) text: &'a str,
    /// Lines of the file before the text.
    pub(crate) lines_before: u32,
    /// The place, counted from the beginning of the text.
    pub(crate) at: TextPosition,
}

/// What the file at a path is written in.
pub(crate) fn kind_of_path(path: &str) -> Option<TextKind> {
    if path.ends_with(".cases.md") {
        return Some(TextKind::Cases);
    }
    if path.ends_with(".rhai") {
        let folder = path.split('/').rev().nth(1).unwrap_or_default();
        return Some(TextKind::Script(PolicyKind::parse(folder)));
    }
    if path.ends_with(".csv") {
        return Some(TextKind::Rows);
    }
    match path {
        SETTINGS => Some(TextKind::Settings),
        path if path.ends_with(".toml") => Some(TextKind::Plan),
        _ => None,
    }
}

/// The text at a place of a file.
pub(crate) fn edited_text<'a>(
    workspace: &'a EditorWorkspace,
    path: &'a str,
    at: TextPosition,
) -> Option<EditedText<'a>> {
    let (path, text) = workspace.files.get_key_value(path)?;
    let whole = EditedText { path, kind: kind_of_path(path)?, text, lines_before: 0, at };
    if whole.kind != TextKind::Cases {
        return Some(whole);
    }
    Some(block_at(&whole).unwrap_or(whole))
}

/// A block with a path that the place of a case file is in.
fn block_at<'a>(whole: &EditedText<'a>) -> Option<EditedText<'a>> {
    let (mut offset, mut open) = (0, None);
    for (line, written) in (1..).zip(whole.text.split_inclusive('\n')) {
        let begins = offset + written.len();
        let is_fence = written.trim_start().starts_with("```");

        match open {
            None if is_fence => {
                let info = written.trim().trim_start_matches('`');
                open = Some((line, begins, info));
            }
            Some((first, start, info)) if is_fence => {
                if first < whole.at.line && whole.at.line < line {
                    return part_of(whole, info, (first, start, offset));
                }
                open = None;
            }
            _ => (),
        }
        offset = begins;
    }

    // The end of a block that is typed is not there yet.
    let (first, start, info) = open.filter(|(first, ..)| *first < whole.at.line)?;
    part_of(whole, info, (first, start, whole.text.len()))
}

/// The lines behind `first`, from one byte up to another, as a text of their own.
fn part_of<'a>(
    whole: &EditedText<'a>,
    info: &'a str,
    (first, start, end): (u32, usize, usize),
) -> Option<EditedText<'a>> {
    let (language, path) = info.split_once(char::is_whitespace).unwrap_or((info, ""));
    let path = path.trim();
    let kind = match language {
        "rhai" => kind_of_path(path).unwrap_or(TextKind::Script(None)),
        _ => kind_of_path(path)?,
    };
    let text = whole.text.get(start..end)?;
    let at = TextPosition { line: whole.at.line - first, column: whole.at.column };
    Some(EditedText { path, kind, text, lines_before: first, at })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use accredit_workspace::Files;

    #[test]
    fn a_block_of_a_case_file_is_a_text_by_itself() {
        let text = "## One\n\n```rhai policies/hold/a.rhai\nfn hold(tx, credit) {\n  tx.\n}\n```\n\nprose\n";
        let path = "policies/hold/a.cases.md";
        let files = Files::from([(path.to_owned(), Arc::from(text))]);
        let workspace = EditorWorkspace { files, columns: Default::default(), connectors: &[] };
        let at = |line| edited_text(&workspace, path, TextPosition { line, column: 6 }).unwrap();

        let block = at(5);
        assert_eq!(block.kind, TextKind::Script(Some(PolicyKind::Hold)));
        assert_eq!((block.at.line, block.lines_before), (2, 3));
        assert!(block.text.starts_with("fn hold") && block.text.ends_with("}\n"), "{}", block.text);
        assert_eq!(at(9).kind, TextKind::Cases);
        assert_eq!(at(3).kind, TextKind::Cases);
    }
}
