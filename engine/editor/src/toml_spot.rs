//! Where in a TOML file a place is, by the schema: in which table, behind which key, in which text.
//!
//! Not reading a file, which has errors while it is typed: only the text in front of the place counts.
//! Called by completions, hints and definitions.

use accredit_domain::policy::{ExpressionUse, PolicyKind};
use accredit_workspace::schema::{SECTIONS, SchemaKey, SchemaKind, SchemaSection};

use crate::edited_text::{EditedText, TextKind};

/// A text in quotes that the place is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QuotedText {
    /// The sign that begins it.
    pub(crate) quote: char,
    /// What of it stands before the place, as it is written.
    pub(crate) before: String,
}

/// A place in a TOML file.
#[derive(Debug, Clone)]
pub(crate) struct TomlSpot {
    /// What may stand in the table around it; none where the schema knows no such table.
    pub(crate) table: Option<SchemaKind>,
    /// The key whose value is written; none where a key is.
    pub(crate) key: Option<String>,
    /// The text in quotes around it.
    pub(crate) quoted: Option<QuotedText>,
    /// Keys of the table that stand before it.
    pub(crate) used: Vec<String>,
    /// Whether it is in the name of a table, in brackets.
    pub(crate) in_header: bool,
}

/// A table or list that is open.
struct OpenTable {
    kind: Option<SchemaKind>,
    key: Option<String>,
    used: Vec<String>,
    is_list: bool,
}

impl OpenTable {
    fn new(kind: Option<SchemaKind>, is_list: bool) -> OpenTable {
        OpenTable { kind, key: None, used: Vec::new(), is_list }
    }

    /// What may stand where the next value begins.
    fn value_kind(&self) -> Option<SchemaKind> {
        if self.is_list {
            return self.kind;
        }
        kind_under(self.kind?, self.key.as_deref()?)
    }
}

/// The section of a name.
fn section_named(name: &str) -> Option<&'static SchemaSection> {
    SECTIONS.iter().find(|section| section.name == name)
}

/// The section whose keys a table of this kind has.
pub(crate) fn section_of(kind: SchemaKind) -> Option<&'static SchemaSection> {
    match kind {
        SchemaKind::Table(name) => section_named(name),
        SchemaKind::List(item) => section_of(*item),
        SchemaKind::Any(kinds) => kinds.iter().find_map(|kind| section_of(*kind)),
        _ => None,
    }
}

/// The kind of the values of a table whose keys are the author's own.
pub(crate) fn named_values(kind: SchemaKind) -> Option<SchemaKind> {
    match kind {
        SchemaKind::Named(value) => Some(*value),
        SchemaKind::Any(kinds) => kinds.iter().find_map(|kind| named_values(*kind)),
        _ => None,
    }
}

/// A key of a section.
pub(crate) fn key_of(section: &'static SchemaSection, name: &str) -> Option<&'static SchemaKey> {
    section.keys.iter().find(|key| key.name == name)
}

/// What may stand under a key of a table of this kind.
fn kind_under(table: SchemaKind, key: &str) -> Option<SchemaKind> {
    if let Some(section) = section_of(table) {
        return key_of(section, key).map(|key| key.kind).or(section.others);
    }
    named_values(table)
}

/// What the items of a list may be.
fn item_kind(kind: SchemaKind) -> Option<SchemaKind> {
    match kind {
        SchemaKind::List(item) => Some(*item),
        SchemaKind::Any(kinds) => kinds.iter().find_map(|kind| item_kind(*kind)),
        _ => None,
    }
}

impl TomlSpot {
    /// The section of the table around it.
    pub(crate) fn section(&self) -> Option<&'static SchemaSection> {
        section_of(self.table?)
    }

    /// What may stand behind the key.
    pub(crate) fn value_kind(&self) -> Option<SchemaKind> {
        kind_under(self.table?, self.key.as_deref()?)
    }

    /// What an expression here sees; none where none may stand.
    pub(crate) fn expression_use(&self) -> Option<ExpressionUse> {
        let key = self.key.as_deref()?;
        if let Some(SchemaKind::Expression) = self.table.and_then(named_values) {
            return Some(ExpressionUse::Filter);
        }
        Some(match (self.section()?.name, key) {
            ("plan", "filter") => ExpressionUse::Filter,
            ("plan", "quota") | ("draw", "amount") => ExpressionUse::PayeeNumber,
            ("direct", "condition") => ExpressionUse::Condition,
            ("indirect", "condition") => ExpressionUse::IndirectCondition,
            ("direct result", "value") => ExpressionUse::Value,
            ("direct result", "maximum") => ExpressionUse::Maximum,
            ("indirect result", "value") => ExpressionUse::IndirectValue,
            ("indirect result", "maximum") => ExpressionUse::IndirectMaximum,
            ("direct result" | "indirect result", "hold") => ExpressionUse::Hold,
            ("direct result" | "indirect result", "duplicates") => ExpressionUse::Duplicates,
            ("reward", "value" | "maximum") => ExpressionUse::Reward,
            _ => return None,
        })
    }

    /// The kind of a policy that may be named here.
    pub(crate) fn policy_kind(&self) -> Option<PolicyKind> {
        let key = self.key.as_deref()?;
        match self.section().map_or("", |section| section.name) {
            "policies" => return PolicyKind::parse(key),
            "direct" if key == "assign" => return Some(PolicyKind::Crediting),
            "source" if key == "intake" => return Some(PolicyKind::Intake),
            _ => (),
        }
        Some(match self.expression_use()? {
            ExpressionUse::Filter | ExpressionUse::Condition | ExpressionUse::IndirectCondition => {
                PolicyKind::Filter
            }
            ExpressionUse::Value | ExpressionUse::Maximum => PolicyKind::Value,
            ExpressionUse::IndirectValue | ExpressionUse::IndirectMaximum => PolicyKind::Rollup,
            ExpressionUse::Hold => PolicyKind::Hold,
            ExpressionUse::Duplicates => PolicyKind::Duplication,
            ExpressionUse::Reward => PolicyKind::Reward,
            ExpressionUse::PayeeNumber => PolicyKind::Quota,
        })
    }
}

/// The kind of the whole document.
fn root_kind(kind: TextKind) -> SchemaKind {
    match kind {
        TextKind::Settings => SchemaKind::Table("settings"),
        _ => SchemaKind::Table("plan"),
    }
}

/// The parts of the name of a table: `sources."my crm"`.
fn header_parts(header: &str) -> Vec<String> {
    let name = header.trim().trim_start_matches('[');
    let name = name.split(']').next().unwrap_or_default();
    let parts = name.split('.').map(|part| part.trim().trim_matches(['"', '\'']).to_owned());
    parts.collect()
}

/// The kind of the table that a header begins.
fn header_kind(root: SchemaKind, header: &str) -> Option<SchemaKind> {
    header_parts(header).iter().try_fold(root, |kind, part| kind_under(kind, part))
}

/// Where the place of a text is; none in a remark.
pub(crate) fn toml_spot(edited: &EditedText<'_>) -> Option<TomlSpot> {
    let mut reader = SpotReader::new(root_kind(edited.kind));
    let last = usize::try_from(edited.at.line.saturating_sub(1)).unwrap_or(usize::MAX);
    for (index, line) in edited.text.split('\n').enumerate().take(last.saturating_add(1)) {
        let line =
            if index == last { crate::text::split_line(line, edited.at.column).0 } else { line };
        reader.read_line(line);
        if index < last {
            reader.end_line();
        }
    }
    reader.spot()
}

/// What the text up to a place left open.
struct SpotReader {
    root: SchemaKind,
    open: Vec<OpenTable>,
    /// Letters since the last sign that separates.
    word: String,
    quoted: Option<QuotedText>,
    /// How many quotes end the text in quotes.
    closing: usize,
    in_header: bool,
    in_remark: bool,
}

impl SpotReader {
    fn new(root: SchemaKind) -> SpotReader {
        SpotReader {
            root,
            open: vec![OpenTable::new(Some(root), false)],
            word: String::new(),
            quoted: None,
            closing: 1,
            in_header: false,
            in_remark: false,
        }
    }

    fn read_line(&mut self, line: &str) {
        let begins_header = line.trim_start().starts_with('[');
        if self.quoted.is_none() && self.open.len() == 1 && begins_header && self.is_between() {
            self.in_header = true;
            self.open = vec![OpenTable::new(header_kind(self.root, line), false)];
            return;
        }

        let signs: Vec<char> = line.chars().collect();
        let mut at = 0;
        while let Some(sign) = signs.get(at).copied() {
            let rest = signs.get(at..).unwrap_or_default();
            at += self.read_sign(sign, rest);
            if self.in_remark {
                return;
            }
        }
    }

    /// Whether no key waits for its value.
    fn is_between(&self) -> bool {
        self.open.last().is_none_or(|table| table.key.is_none())
    }

    /// Reads the first sign of `rest`; how many signs were read.
    fn read_sign(&mut self, sign: char, rest: &[char]) -> usize {
        if let Some(quoted) = &mut self.quoted {
            let closes = rest.len() >= self.closing
                && rest.iter().take(self.closing).all(|sign| *sign == quoted.quote);
            if closes {
                self.word = quoted.before.clone();
                self.quoted = None;
                return self.closing;
            }
            let is_escape = sign == '\\' && quoted.quote == '"';
            let length = if is_escape { 2.min(rest.len()) } else { 1 };
            quoted.before.extend(rest.iter().take(length));
            return length;
        }

        match sign {
            '#' => self.in_remark = true,
            '"' | '\'' => {
                let count = rest.iter().take_while(|next| **next == sign).count();
                self.closing = if count >= 3 { 3 } else { 1 };
                self.quoted = Some(QuotedText { quote: sign, before: String::new() });
                self.word.clear();
                return self.closing;
            }
            '=' => self.begin_value(),
            '{' => {
                let kind = self.open.last().and_then(OpenTable::value_kind);
                self.open.push(OpenTable::new(kind, false));
                self.word.clear();
            }
            '[' => {
                let kind = self.open.last().and_then(OpenTable::value_kind);
                self.open.push(OpenTable::new(kind.and_then(item_kind), true));
                self.word.clear();
            }
            '}' | ']' if self.open.len() > 1 => _ = self.open.pop(),
            ',' => self.end_value(),
            sign => self.word.push(sign),
        }
        1
    }

    fn begin_value(&mut self) {
        let key = std::mem::take(&mut self.word).trim().to_owned();
        if let Some(table) = self.open.last_mut() {
            table.used.push(key.clone());
            table.key = Some(key);
        }
    }

    fn end_value(&mut self) {
        self.word.clear();
        if let Some(table) = self.open.last_mut() {
            table.key = None;
        }
    }

    fn end_line(&mut self) {
        self.in_remark = false;
        self.in_header = false;
        match &mut self.quoted {
            // Only three quotes go over lines; anything else is a text that is typed.
            Some(quoted) if self.closing == 3 => quoted.before.push('\n'),
            _ => self.quoted = None,
        }
        if self.quoted.is_none() && self.open.len() == 1 {
            self.end_value();
        }
    }

    fn spot(mut self) -> Option<TomlSpot> {
        if self.in_remark {
            return None;
        }
        let (in_header, quoted) = (self.in_header, self.quoted.take());

        // The key of a list is that of the table around it.
        while self.open.len() > 1 && self.open.last().is_some_and(|table| table.is_list) {
            self.open.pop();
        }
        let table = self.open.pop()?;
        Some(TomlSpot { table: table.kind, key: table.key, quoted, used: table.used, in_header })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::TextPosition;

    /// The place of `^` in a plan, as section, key and text.
    fn spot(text: &str) -> Option<TomlSpot> {
        let before = text.split('^').next().unwrap();
        let line = u32::try_from(before.matches('\n').count() + 1).unwrap();
        let column =
            u32::try_from(before.rsplit('\n').next().unwrap().chars().count() + 1).unwrap();
        let kind = TextKind::Plan;
        let at = TextPosition { line, column };
        toml_spot(&EditedText { path: "plans/a.toml", kind, text, lines_before: 0, at })
    }

    fn check(text: &str, section: &str, key: Option<&str>, quoted: Option<&str>) {
        let found = spot(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(found.section().map_or("", |section| section.name), section, "{text}");
        assert_eq!(found.key.as_deref(), key, "{text}");
        assert_eq!(found.quoted.as_ref().map(|one| one.before.as_str()), quoted, "{text}");
    }

    #[test]
    fn places_are_known_by_the_text_in_front_of_them() {
        check("na^", "plan", None, None);
        check("name = \"A\"\nfil^", "plan", None, None);
        check("filter = 'tx.am^", "plan", Some("filter"), Some("tx.am"));
        check("[[direct]]\nname = \"x\"\n  [[direct.results]]\n  va^", "direct result", None, None);
        check(
            "[[direct]]\n  [[direct.results]]\n  hold = \"pol^\"",
            "direct result",
            Some("hold"),
            Some("pol"),
        );
        check("policies = { cred^", "policies", None, None);
        check("policies = { crediting = \"x\", hold = \"^", "policies", Some("hold"), Some(""));
        check("[[reward]]\ntiers = [{ up_to = \"1\", ^", "tier", None, None);
        check("[[direct]]\ncondition = [\n  { if = \"A\", is = \"^", "row", Some("is"), Some(""));
        check("targets = [\"a\", \"ti^", "plan", Some("targets"), Some("ti"));
        check(
            "filter = '''\n  tx.a &&\n  tx.^",
            "plan",
            Some("filter"),
            Some("\n  tx.a &&\n  tx."),
        );
        check("filter = \"tx[\\\"Re^", "plan", Some("filter"), Some("tx[\\\"Re"));
        assert!(spot("name = 1 # a ^").is_none());
        assert!(spot("[[dir^").unwrap().in_header);
    }
}
