//! The readers, the table of keys and the documentation know the same keys.

use std::collections::BTreeSet;

use super::{good, read};
use crate::schema::SECTIONS;
use crate::toml::asked;

/// What the readers of a directory with every table ask for, table by table, is what the schema says.
#[test]
fn every_key_that_a_reader_asks_for_is_in_the_schema_and_no_other() {
    asked::forget_tables();
    let (ruleset, findings) = read(&good());
    assert!(ruleset.is_some(), "{findings:?}");
    let mut other = good();
    let settings = other["accredit.toml"]
        .replace(
            "id = [\"opportunity_id\"]",
            "id = { field = \"opportunity_id\", as = \"salesforce\" }",
        )
        .replace(
            "{ field = \"close_date\", format",
            "{ fields = [\"close_date\", \"Invoice Date\"], format",
        );
    let destination =
        "\n[destinations.erp]\nurl = \"https://erp.example.com/a\"\nevents = [\"reward.*\"]\n";
    other.insert("accredit.toml".to_owned(), format!("{settings}{destination}").into());
    let (ruleset, findings) = read(&other);
    assert!(ruleset.is_some(), "{findings:?}");
    let asked: Vec<BTreeSet<&str>> = asked::tables_read();
    let keys = |section: &crate::schema::SchemaSection| -> BTreeSet<&str> {
        section.keys.iter().map(|key| key.name).collect()
    };
    for table in &asked {
        let fits = SECTIONS.iter().any(|section| table.is_subset(&keys(section)));
        assert!(fits, "no section of schema/tables.rs has all of {table:?}");
    }
    for section in SECTIONS {
        let known = keys(section);
        let parts = asked.iter().filter(|table| table.is_subset(&known));
        let read: BTreeSet<&str> = parts.flatten().copied().collect();
        assert_eq!(read, known, "the readers of `{}` and its schema differ", section.name);
    }
}

#[test]
fn every_key_is_documented() {
    let text = include_str!("../../../../scripts/directory.md");
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let words: BTreeSet<&str> = text.split(|letter| !is_word(letter)).collect();
    for section in SECTIONS {
        for key in section.keys {
            let name = key.name;
            assert!(words.contains(name), "scripts/directory.md: no `{name}` ({})", section.name);
        }
    }
}
