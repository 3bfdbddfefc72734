//! Diagnostics as people read them: the line, a caret, what to do.
//!
//! Called by every verb that reads a customer's directory.

use std::io::IsTerminal;

use accredit_domain::diagnostic::{Diagnostic, Severity};
use accredit_editor::text::marked_characters;
use accredit_workspace::Files;
use ariadne::{Config, Label, Report, ReportKind, Source};

/// Findings that are shown with their lines: more are rarely read, and each takes long to draw.
const FINDINGS_SHOWN_MAX: usize = 100;

/// All diagnostics as text, each with its line of source where there is one.
pub(crate) fn render_report(files: &Files, diagnostics: &[Diagnostic]) -> String {
    let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let shown = diagnostics.iter().take(FINDINGS_SHOWN_MAX);
    let mut text: String =
        shown.map(|diagnostic| render_diagnostic(files, diagnostic, color)).collect();
    if let Some(more) = diagnostics.len().checked_sub(FINDINGS_SHOWN_MAX).filter(|more| *more > 0) {
        text.push_str(&format!("and {more} more; `--format json` lists all of them\n"));
    }
    text
}

fn render_diagnostic(files: &Files, diagnostic: &Diagnostic, color: bool) -> String {
    let kind = match diagnostic.severity {
        Severity::Error => ReportKind::Error,
        Severity::Warning => ReportKind::Warning,
        Severity::Hint => ReportKind::Advice,
    };

    let place = &diagnostic.place;
    let source = files.get(&place.file).filter(|_| place.line > 0);

    let Some(source) = source else {
        let kind = match diagnostic.severity {
            Severity::Error => "Error",
            Severity::Warning => "Warning",
            Severity::Hint => "Hint",
        };

        let help = diagnostic.help.as_ref().map(|help| format!("\n  Help: {help}"));
        let (code, file, line, column) = (diagnostic.code, &place.file, place.line, place.column);
        let (message, help) = (&diagnostic.message, help.unwrap_or_default());
        let at = if line > 0 { format!("{file}:{line}:{column}") } else { file.clone() };

        return format!("[{code}] {kind}: {at}: {message}{help}\n");
    };

    let span = highlighted_span(source, place.line, place.column);
    let file = place.file.as_str();

    let mut report = Report::build(kind, (file, span.clone()))
        .with_code(diagnostic.code)
        .with_config(Config::default().with_color(color))
        .with_message(&diagnostic.message)
        .with_label(Label::new((file, span)).with_message("here"));

    if let Some(help) = &diagnostic.help {
        report = report.with_help(help);
    }

    let mut bytes = Vec::new();
    match report.finish().write((file, Source::from(source.as_ref())), &mut bytes) {
        Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("{}: {error}\n", diagnostic.message),
    }
}

/// The word or the quoted text at a line and column, as a range of characters.
fn highlighted_span(source: &str, line: u32, column: u32) -> std::ops::Range<usize> {
    let lines = source.split_inclusive('\n').take(line.saturating_sub(1) as usize);
    let before: usize = lines.map(|line| line.chars().count()).sum();
    let start = before + column.saturating_sub(1) as usize;

    let offset = source.char_indices().nth(start).map_or(source.len(), |(offset, _)| offset);
    let rest = source.get(offset..).unwrap_or_default();
    start..start + marked_characters(rest)
}
