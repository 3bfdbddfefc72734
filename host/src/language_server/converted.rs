//! Answers of the editor's crate in the types of the protocol: lines from 0, columns in units of UTF-16.

use accredit_domain::diagnostic::Severity;
use accredit_editor::checked::EditorFinding;
use accredit_editor::complete::{CompletionItem, CompletionKind};
use accredit_editor::text::{TextPosition, TextRange, column_in_utf16, column_of_utf16, line_of};
use lsp_types::{
    CompletionItemKind, CompletionTextEdit, Diagnostic, DiagnosticSeverity, Documentation,
    MarkupContent, MarkupKind, NumberOrString, Position, Range, TextEdit,
};

/// Who a finding is from.
const SOURCE: &str = "accredit";

/// A place in a text, as the crate counts.
pub(super) fn position_in(text: &str, at: Position) -> TextPosition {
    let line = at.line.saturating_add(1);
    TextPosition { line, column: column_of_utf16(line_of(text, line), at.character) }
}

/// A part of a text, as the protocol counts.
pub(super) fn range_in(text: &str, range: TextRange) -> Range {
    let position = |at: TextPosition| Position {
        line: at.line.saturating_sub(1),
        character: column_in_utf16(line_of(text, at.line), at.column),
    };
    Range { start: position(range.start), end: position(range.end) }
}

/// A finding in a text.
pub(super) fn diagnostic_in(text: &str, finding: &EditorFinding) -> Diagnostic {
    let help = finding.help.as_ref().map(|help| format!("\n{help}"));
    Diagnostic {
        range: range_in(text, finding.range),
        severity: Some(match finding.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Hint => DiagnosticSeverity::HINT,
        }),
        code: Some(NumberOrString::String(finding.code.as_str().to_owned())),
        source: Some(SOURCE.to_owned()),
        message: format!("{}{}", finding.message, help.unwrap_or_default()),
        ..Diagnostic::default()
    }
}

/// Markdown.
pub(super) fn markdown(text: String) -> MarkupContent {
    MarkupContent { kind: MarkupKind::Markdown, value: text }
}

fn kind_of_item(kind: CompletionKind) -> CompletionItemKind {
    match kind {
        CompletionKind::Field | CompletionKind::Column => CompletionItemKind::FIELD,
        CompletionKind::Attribute | CompletionKind::Key => CompletionItemKind::PROPERTY,
        CompletionKind::Variable => CompletionItemKind::VARIABLE,
        CompletionKind::OwnFunction | CompletionKind::Function => CompletionItemKind::FUNCTION,
        CompletionKind::Constant => CompletionItemKind::CONSTANT,
        CompletionKind::Keyword => CompletionItemKind::KEYWORD,
        CompletionKind::Table => CompletionItemKind::STRUCT,
        CompletionKind::Query => CompletionItemKind::REFERENCE,
        CompletionKind::Policy | CompletionKind::Plan => CompletionItemKind::FILE,
        CompletionKind::Value => CompletionItemKind::VALUE,
    }
}

/// An item for the place of a text; `index` is its place in the list, which is kept.
pub(super) fn item_in(text: &str, index: usize, item: CompletionItem) -> lsp_types::CompletionItem {
    let range = range_in(text, item.range);
    let replaced = replaced_text(text, item.range);
    let documentation = (!item.documentation.is_empty())
        .then(|| Documentation::MarkupContent(markdown(item.documentation)));
    lsp_types::CompletionItem {
        label: item.label,
        kind: Some(kind_of_item(item.kind)),
        detail: Some(item.detail).filter(|detail| !detail.is_empty()),
        documentation,
        sort_text: Some(format!("{index:04}")),
        // An editor filters by the text that the item replaces.
        filter_text: Some(format!("{}{}", leading_dot(&replaced), item.insert)),
        text_edit: Some(CompletionTextEdit::Edit(TextEdit { range, new_text: item.insert })),
        ..lsp_types::CompletionItem::default()
    }
}

fn replaced_text(text: &str, range: TextRange) -> String {
    let line = line_of(text, range.start.line);
    let count = range.end.column.saturating_sub(range.start.column);
    let from = usize::try_from(range.start.column.saturating_sub(1)).unwrap_or(usize::MAX);
    line.chars().skip(from).take(usize::try_from(count).unwrap_or(0)).collect()
}

/// The dot that a column in brackets replaces.
fn leading_dot(replaced: &str) -> &'static str {
    if replaced.starts_with('.') { "." } else { "" }
}
