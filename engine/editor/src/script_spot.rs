//! Where in a line of a script a place is: behind a dot, in a text of a known use, or in a name.
//!
//! Not parsing: a line that is typed is rarely a whole one. Called by completions, hints and definitions.

use std::sync::Arc;

use accredit_domain::policy::PolicyKind;
use accredit_script::shared::{DefinedName, defined_names};

use crate::EditorWorkspace;

/// What a text in quotes is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TextUse {
    /// In brackets behind a value, `tx["…"]`, or asked of it, `tx.has("…")`: the value.
    Column(String),
    /// The name of a table.
    Table,
    /// A key of a table: its name, and the number of the key from 0.
    TableKey(String, usize),
    /// A unit type.
    Unit,
    /// A recipient: the name of a person, position or team.
    Recipient,
    /// What a field of a value is compared with: the value and the field.
    Compared(String, String),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Anything else.
    Other,
}

/// A place in a line of a script, with what of its word is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ScriptSpot {
    /// In a text in quotes.
    Text(TextUse, String),
    /// Behind a dot: the value before it, blank where that has no name.
    Member(String, String),
    /// In a name.
    Name(String),
}

/// Whether a sign may stand in a name.
pub(crate) fn is_name_sign(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || sign == '_'
}

/// The name at the end of a text.
pub(crate) fn last_name(text: &str) -> &str {
    let start = text.char_indices().rev().take_while(|(_, sign)| is_name_sign(*sign)).last();
    start.and_then(|(offset, _)| text.get(offset..)).unwrap_or_default()
}

/// A line of an expression in a TOML text: an escaped quote becomes a quote behind a blank, so that columns
/// stay where they are.
pub(crate) fn unescaped(line: &str) -> String {
    line.replace("\\\"", " \"")
}

/// Where the end of a text is; none in a remark.
pub(crate) fn script_spot(before: &str) -> Option<ScriptSpot> {
    let (code, quoted) = split_open_text(before)?;
    if let Some(typed) = quoted {
        return Some(ScriptSpot::Text(text_use(code), typed.to_owned()));
    }

    let typed = last_name(code);
    let rest = code.get(..code.len() - typed.len()).unwrap_or_default().trim_end();
    let typed = typed.to_owned();
    match rest.strip_suffix('.').filter(|rest| !rest.ends_with('.')) {
        Some(value) => Some(ScriptSpot::Member(value_name(value), typed)),
        None => Some(ScriptSpot::Name(typed)),
    }
}

/// The code before a text that is open at the end, and the text; the whole without one.
fn split_open_text(before: &str) -> Option<(&str, Option<&str>)> {
    let mut open: Option<(usize, char)> = None;
    let mut signs = before.char_indices().peekable();
    while let Some((offset, sign)) = signs.next() {
        match open {
            Some(_) if sign == '\\' => _ = signs.next(),
            Some((_, quote)) if sign == quote => open = None,
            Some(_) => (),
            None if sign == '"' || sign == '`' => open = Some((offset, sign)),
            None if sign == '/' && signs.peek().is_some_and(|(_, next)| *next == '/') => {
                return None;
            }
            None => (),
        }
    }
    match open {
        Some((offset, _)) => Some((before.get(..offset)?, before.get(offset + 1..))),
        None => Some((before, None)),
    }
}

/// The name of the value at the end of a code: `tx`, or `who` of `who(name)`.
fn value_name(code: &str) -> String {
    let code = code.trim_end();
    let call = code.strip_suffix(')').and_then(|inner| Some(open_call(inner)?.0));
    last_name(call.unwrap_or(code)).to_owned()
}

/// The call that is open at the end of a code: the text in front of its bracket, and its arguments so far.
fn open_call(code: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    let mut in_text = false;
    for (offset, sign) in code.char_indices().rev() {
        match sign {
            '"' => in_text = !in_text,
            _ if in_text => (),
            ')' | ']' | '}' => depth += 1,
            '(' if depth == 0 => return Some((code.get(..offset)?, code.get(offset + 1..)?)),
            '(' | '[' | '{' => depth = depth.saturating_sub(1),
            _ => (),
        }
    }
    None
}

fn text_use(code: &str) -> TextUse {
    let code = code.trim_end();
    if let Some(value) = code.strip_suffix('[') {
        return TextUse::Column(value_name(value));
    }

    if let Some(used) = compared_field(code) {
        return used;
    }

    let Some((before, arguments)) = open_call(code) else { return TextUse::Other };
    let name = last_name(before);
    let rest = before.get(..before.len() - name.len()).unwrap_or_default().trim_end();
    let first = arguments.trim();
    match name {
        "has" => TextUse::Column(value_name(rest.strip_suffix('.').unwrap_or_default())),
        "amount_in" => TextUse::Unit,
        "share" | "who" if first.is_empty() => TextUse::Recipient,
        "hold_until_next" => TextUse::Word(&["month", "quarter", "year"]),
        "hold_for" if count_arguments(first) == 2 => {
            TextUse::Word(&["days", "months", "quarters", "years"])
        }
        "lookup" | "find" if first.is_empty() => TextUse::Table,
        "lookup" | "find" => {
            let mut parts = first.split('"');
            let table = parts.nth(1).unwrap_or_default().to_owned();
            let count = count_arguments(first);
            TextUse::TableKey(table, count.saturating_sub(2))
        }
        _ => TextUse::Other,
    }
}

/// The field in front of a comparison at the end of a code: `to.title ==`.
fn compared_field(code: &str) -> Option<TextUse> {
    let rest = code.strip_suffix("==").or_else(|| code.strip_suffix("!="))?.trim_end();
    let field = last_name(rest);
    let value = rest.get(..rest.len() - field.len())?.strip_suffix('.')?;
    Some(TextUse::Compared(value_name(value), field.to_owned()))
}

/// How many arguments a list has, the one that is typed included.
fn count_arguments(arguments: &str) -> usize {
    let (mut depth, mut in_text, mut count) = (0_usize, false, 1);
    for sign in arguments.chars() {
        match sign {
            '"' => in_text = !in_text,
            _ if in_text => (),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => count += 1,
            _ => (),
        }
    }
    count
}

/// Functions and constants that a script may use, with their places: its own and the shared ones.
pub(crate) fn script_names(
    workspace: &EditorWorkspace,
    path: &str,
    text: &str,
) -> Vec<DefinedName> {
    let mut found = defined_names(path, &Arc::from(text));
    if found.is_empty() {
        found = typed_names(path, text);
    }
    let shared = workspace.files.iter().filter(|(known, _)| {
        known.starts_with("policies/shared/") && known.ends_with(".rhai") && known.as_str() != path
    });
    found.extend(shared.flat_map(|(path, text)| defined_names(path, text)));
    found
}

/// The same for a script with an error, by the beginnings of lines.
fn typed_names(path: &str, text: &str) -> Vec<DefinedName> {
    let mut found = Vec::new();
    for (line, written) in (1..).zip(text.lines()) {
        for (word, function) in [("fn ", true), ("const ", false)] {
            let Some(rest) = written.strip_prefix(word) else { continue };
            let rest = rest.trim_start();
            let name: String = rest.chars().take_while(|sign| is_name_sign(*sign)).collect();
            let column = crate::text::count_characters(written)
                .saturating_sub(crate::text::count_characters(rest))
                .saturating_add(1);
            let place = accredit_domain::diagnostic::Place::new(path, line, column);
            if !name.is_empty() {
                found.push(DefinedName { name, place, function });
            }
        }
    }
    found
}

/// Variables and parameters of the function around a line of a script, the last ones first.
pub(crate) fn local_names(text: &str, line: u32) -> Vec<String> {
    let count = usize::try_from(line).unwrap_or(usize::MAX);
    let mut found = Vec::new();

    for written in text.lines().take(count) {
        if let Some(head) = written.trim_start().strip_prefix("fn ") {
            // A function sees nothing of the one before it.
            found.clear();
            let inside = head.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
            let parameters = inside.map_or("", |(parameters, _)| parameters).split(',');
            found.extend(parameters.map(|name| name.trim().to_owned()));
        }

        for word in ["let ", "for "] {
            for (offset, _) in written.match_indices(word) {
                let before = written.get(..offset).unwrap_or_default();
                let rest = written.get(offset + word.len()..).unwrap_or_default();
                let name: String = rest.chars().take_while(|sign| is_name_sign(*sign)).collect();
                if !before.ends_with(is_name_sign) {
                    found.push(name);
                }
            }
        }
    }

    found.retain(|name| !name.is_empty());
    found.reverse();
    found
}

/// What the entry point of a policy sees.
pub(crate) fn entry_parameters(kind: Option<PolicyKind>) -> &'static [&'static str] {
    kind.map_or(&[], PolicyKind::parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_a_line_are_known_by_what_stands_before_them() {
        let text = |used, typed: &str| Some(ScriptSpot::Text(used, typed.to_owned()));
        let member =
            |of: &str, typed: &str| Some(ScriptSpot::Member(of.to_owned(), typed.to_owned()));
        let column = |of: &str| TextUse::Column(of.to_owned());
        let compared = |of: &str, field: &str| TextUse::Compared(of.to_owned(), field.to_owned());
        let key = |table: &str, index| TextUse::TableKey(table.to_owned(), index);
        let cases = [
            ("    tx.am", member("tx", "am")),
            ("if who(tx.customer).tea", member("who", "tea")),
            ("let x = tx[\"Rep", text(column("tx"), "Rep")),
            ("tx.has(\"a", text(column("tx"), "a")),
            ("x(\"a\") + lookup(\"", text(TextUse::Table, "")),
            ("lookup(\"rates\", tx.product, \"a", text(key("rates", 1), "a")),
            ("tx.amount_in(\"E", text(TextUse::Unit, "E")),
            ("share(\"", text(TextUse::Recipient, "")),
            ("[share(\"a\", 0.5), share(\"An", text(TextUse::Recipient, "An")),
            ("share(\"a\", \"", text(TextUse::Other, "")),
            ("if to.title == \"Se", text(compared("to", "title"), "Se")),
            ("who(tx.owner).position != \"", text(compared("who", "position"), "")),
            ("let x = a == \"", text(TextUse::Other, "")),
            ("hold_until_next(\"q", text(TextUse::Word(&["month", "quarter", "year"]), "q")),
            ("hold_for(1, \"", text(TextUse::Word(&["days", "months", "quarters", "years"]), "")),
            ("0..le", Some(ScriptSpot::Name("le".to_owned()))),
            ("// tx.", None),
            (r#"x == "\"//" && tx."#, member("tx", "")),
        ];
        for (before, expected) in cases {
            assert_eq!(script_spot(before), expected, "{before}");
        }
    }

    #[test]
    fn a_function_has_its_own_names() {
        let text = "fn a(x) {\n  let b = 1;\n}\nfn c(tx, to) {\n  let d = 2;\n  for e in f {\n";
        assert_eq!(local_names(text, 6), ["e", "d", "to", "tx"]);
        assert_eq!(local_names(text, 2), ["b", "x"]);
    }
}
