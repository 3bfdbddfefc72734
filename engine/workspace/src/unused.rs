//! Columns, tables and attributes that `accredit.toml` declares and nothing reads: most often a
//! leftover, or a rule that was forgotten.
//!
//! Not columns that merely arrive: no rule is expected to use those. Called by
//! `Ruleset::unused_declarations`.
//!
//! **Architecture invariant:** only what certainly nothing reads is reported: a text anywhere in a
//! program, a plan or a territory that equals the name counts as reading it.

use std::collections::BTreeSet;

use super::report::Findings;
use super::toml::{DefinitionText, TomlTable};
use super::{Files, Ruleset, SETTINGS, plan_files};
use accredit_domain::diagnostic::{Code, Diagnostic, Place};
use accredit_script as script;
use accredit_script::check::FieldReads;

/// Keys of `[fields]` that mean something to scripts and territories alone.
const INFORMATIVE: [&str; 5] = ["quantity", "product", "customer", "geography", "postal_code"];

/// Declared columns, tables and attributes that neither the workspace, nor a plan, nor a program
/// reads.
pub(super) fn unused_declarations(ruleset: &Ruleset) -> Vec<Diagnostic> {
    let mut reads = FieldReads::default();
    for (_, program) in ruleset.programs.iter() {
        let more = script::field_reads(program);
        reads.names.extend(more.names);
        reads.any |= more.any;
    }
    let report = Findings::default();
    if let Some(text) = ruleset.files.get(SETTINGS).filter(|_| !reads.any) {
        check_declarations(DefinitionText::new(SETTINGS, text, &report), ruleset, &reads.names);
    }
    report.into_sorted()
}

fn check_declarations(source: DefinitionText<'_>, ruleset: &Ruleset, names: &BTreeSet<String>) {
    let Some(document) = source.parse() else { return };
    let mut root = TomlTable::root(source, &document);

    let words = quoted_words(&ruleset.files);
    let is_read =
        |name: &str| names.contains(name) || words.contains(name.trim().to_lowercase().as_str());

    let fields = &ruleset.settings.fields;
    let named = fields.names.values().flatten().chain(&fields.id).chain(fields.mapped.values());
    let mapped: BTreeSet<&str> = named.map(String::as_str).collect();

    for (column, _) in root.take_table("columns").iter().flat_map(TomlTable::entries) {
        if !is_read(&column.text) && !mapped.contains(column.text.as_str()) {
            report_unread(source.report, column.place, &format!("column `{}`", column.text));
        }
    }

    for (key, item) in root.take_table("fields").iter().flat_map(TomlTable::entries) {
        let column = item.as_text().map(|column| column.text).unwrap_or_default();
        // Fields that decide something do so without being named.
        let informative = INFORMATIVE.contains(&key.text.as_str());
        if informative && !is_read(&key.text) && !is_read(&column) {
            report_unread(source.report, key.place, &format!("field `{}`", key.text));
        }
    }

    for (name, _) in root.take_table("tables").iter().flat_map(TomlTable::entries) {
        // A plan names a table of tiers behind a colon, which parts the words of `quoted_words`.
        if !is_read(&name.text) {
            report_unread(source.report, name.place, &format!("table `{}`", name.text));
        }
    }

    let shapes = ruleset.settings.tables.values().filter_map(|table| table.shape.as_ref());
    let keys: BTreeSet<&str> = shapes.flat_map(|shape| &shape.keys).map(AsRef::as_ref).collect();
    for (name, _) in root.take_table("attributes").iter().flat_map(TomlTable::entries) {
        if !is_read(&name.text) && !keys.contains(name.text.as_str()) {
            report_unread(source.report, name.place, &format!("attribute `{}`", name.text));
        }
    }
}

fn report_unread(report: &Findings, place: Place, what: &str) {
    let message = format!("nothing reads the {what}");
    let help = "remove the declaration, or use it in a rule";
    report.push(Diagnostic::hint(Code::CR051, place, message).with_help(help));
}

/// The words between quotes, colons and commas of plans and territories, in lower case.
fn quoted_words(files: &Files) -> BTreeSet<String> {
    let plans = plan_files(files).map(|(_, _, text)| text);
    let territories = files.get("organization/territories.csv").map(AsRef::as_ref);
    let texts = plans.chain(territories);
    let parts = texts.flat_map(|text| text.split(['"', '\'', ',', ':', ';', '\n']));
    parts.map(|part| part.trim().to_lowercase()).filter(|part| !part.is_empty()).collect()
}
