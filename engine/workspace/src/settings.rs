//! `accredit.toml`: unit types, lists of names, the workspace, its calendar, queries, sources and
//! destinations.
//!
//! Not `[fields]` and `[columns]` (`fields` reads them), and not `[calendar]` (`calendar`). Called
//! by `Ruleset::read`. Source: FORMAT section 2.
//!
//! **Architecture invariant:** a setting of a later release is refused, never read as if it were
//! not there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::policies::Policies;
use super::setting::{NamedPrograms, read_expression};
use super::toml::{DefinitionText as File, PlacedText, TomlItem, TomlTable};
use super::{Files, SettingPlace, Settings, WebhookSource};
use super::{calendar, destinations, fields, layout, tables};
use accredit_domain::diagnostic::Code;
use accredit_domain::keys::DefinedName;
use accredit_domain::money::Units;
use accredit_domain::policy::{ExpressionUse, PolicyKind, ProgramId};
use accredit_domain::rate_limit::RateLimit;
use accredit_domain::transaction::dates::WorkspaceZone;
use accredit_domain::transaction::read::FileLayout;
use accredit_seams::connector::{SettingValue, SourceSettings};

/// Decimals that a unit type may have at most.
const SCALE_MAX: i64 = 18;

/// Decimals of unit types that state none, where the workspace states none.
const SCALE_DEFAULT: u8 = 2;

/// The currency of a workspace that states none.
const CURRENCY_DEFAULT: &str = "USD";

/// Relationship types that are built in, and so may not be declared.
pub(super) const BUILT_IN_RELATIONSHIPS: [&str; 5] =
    ["Reporting", "Related Order (Person)", "Related Order (Position)", "Parent Team", "Team"];

/// Reads `accredit.toml`; nothing only when it is not TOML.
pub(super) fn read(
    file: File<'_>,
    files: &Files,
    observed: &BTreeSet<String>,
    policies: &Policies,
) -> Option<Settings> {
    let document = file.parse()?;
    let mut root = TomlTable::root(file, &document);

    let mut settings = Settings {
        name: String::new(),
        time_zone: "UTC".to_owned(),
        currency: Units::default().add(CURRENCY_DEFAULT, SCALE_DEFAULT),
        units: Units::default(),
        credit_types: read_names(&mut root, "credit_types", &[]),
        reason_codes: read_names(&mut root, "reason_codes", &[]),
        relationship_types: read_names(&mut root, "relationship_types", &BUILT_IN_RELATIONSHIPS),
        fields: Arc::default(),
        layout: FileLayout::default(),
        calendar: calendar::read(&mut root, files),
        tables: tables::read_declarations(&mut root),
        attributes: tables::read_attribute_kinds(&mut root),
        queries: root
            .take_table("queries")
            .map(|table| read_queries(&table, policies))
            .unwrap_or_default(),
        sources: root
            .take_table("sources")
            .map(|table| read_webhook_sources(&table, policies))
            .unwrap_or_default(),
        destinations: root
            .take_table("destinations")
            .map(|table| destinations::read(&table))
            .unwrap_or_default(),
    };

    let mut fields = fields::read(&mut root, observed);
    (fields.blanks, settings.layout) = layout::read(&mut root);

    read_workspace(&mut root, &mut settings);
    // A zone that does not exist is reported by the host, which can name the ones that do.
    fields.zone = WorkspaceZone::from_name(&settings.time_zone).unwrap_or_default();
    settings.fields = Arc::new(fields);

    root.finish();
    Some(settings)
}

/// A list of distinct names, without those in `taken`.
fn read_names(root: &mut TomlTable<'_>, key: &'static str, taken: &[&str]) -> Vec<DefinedName> {
    let mut names: Vec<DefinedName> = Vec::new();

    for item in root.take_list(key).unwrap_or_default() {
        let Some(name) = item.expect_text() else { continue };

        if name.text.trim().is_empty() {
            item.refuse("names, none of them blank");
        } else if taken.contains(&name.text.as_str()) {
            let message = format!("`{}` is built in", name.text);
            item.report().error(Code::CR026, name.place, message, "leave it out of this list");
        } else if names.iter().any(|known| *known == name.text) {
            report_duplicate(&item, &name);
        } else {
            names.push(DefinedName::from(name.text));
        }
    }

    names
}

fn report_duplicate(item: &TomlItem<'_>, name: &PlacedText) {
    let message = format!("`{}` is listed twice", name.text);
    item.report().error(Code::CR026, name.place.clone(), message, "keep one of the two");
}

fn read_workspace(root: &mut TomlTable<'_>, settings: &mut Settings) {
    let mut scale = SCALE_DEFAULT;
    let mut currency = None;

    if let Some(mut table) = root.take_needed("workspace").and_then(|item| item.expect_table()) {
        settings.name = table.take_needed_text("name").map(|name| name.text).unwrap_or_default();
        if let Some(zone) = table.take_text("time_zone") {
            settings.time_zone = zone.text;
        }

        let written = table.take_integer("scale", 0..=SCALE_MAX);
        scale = written.and_then(|scale| u8::try_from(scale).ok()).unwrap_or(scale);
        currency = Some((table.take_text("currency"), table.place()));
        table.finish();
    }

    let declared = read_units(root, scale, &mut settings.units);

    let Some((written, place)) = currency else { return };
    let name = written.as_ref().map_or(CURRENCY_DEFAULT, |text| text.text.as_str());

    if !declared {
        settings.currency = settings.units.add(name, scale);
    } else if let Some(unit) = settings.units.find(name) {
        settings.currency = unit;
    } else {
        let known: Vec<&str> = settings.units.names().collect();
        match (&written, known.first()) {
            (None, Some(first)) => {
                let message = format!("the default currency `{name}` is not a unit type");
                let help = format!("add `currency = \"{first}\"` to [workspace]");
                root.report().error(Code::CR025, place, message, &help);
            }
            _ => {
                let place = written.as_ref().map_or(place, |text| text.place.clone());
                root.report().report_unknown(Code::CR025, place, ("unit type", name), known);
            }
        }
    }
}

/// Reads `unit_types`; whether there are any.
fn read_units(root: &mut TomlTable<'_>, scale: u8, units: &mut Units) -> bool {
    let Some(items) = root.take_list("unit_types") else { return false };

    for item in &items {
        let (name, scale) = if item.is_table() {
            let Some(mut table) = item.expect_table() else { continue };
            let name = table.take_needed_text("name");
            let own = table.take_integer("scale", 0..=SCALE_MAX);
            table.finish();
            (name, own.and_then(|own| u8::try_from(own).ok()).unwrap_or(scale))
        } else {
            (item.expect_text(), scale)
        };

        let Some(name) = name else { continue };

        if name.text.trim().is_empty() {
            item.refuse("names, none of them blank");
        } else if units.find(&name.text).is_some() {
            report_duplicate(item, &name);
        } else {
            units.add(&name.text, scale);
        }
    }

    !items.is_empty()
}

fn read_queries(table: &TomlTable<'_>, policies: &Policies) -> BTreeMap<String, ProgramId> {
    let none = BTreeMap::new();
    let names = NamedPrograms { policies, queries: &none };
    let mut queries = BTreeMap::new();

    for (name, item) in table.entries() {
        // Queries of queries could name each other in a cycle.
        if item.as_text().is_some_and(|text| text.text.starts_with("query:")) {
            item.refuse("an expression or a policy, not another query");
            continue;
        }

        if let Some(program) = read_expression(&item, ExpressionUse::Filter, names) {
            queries.insert(name.text, program);
        }
    }

    queries
}

fn read_webhook_sources(
    table: &TomlTable<'_>,
    policies: &Policies,
) -> BTreeMap<String, WebhookSource> {
    let mut sources = BTreeMap::new();

    for (name, item) in table.entries() {
        let Some(mut table) = item.expect_table() else { continue };
        let connector = table.take_needed_text("connector");
        let intake = table.take_text("intake");
        let merge = table.take_flag("merge");
        let key_prefix = table.take_text("key_prefix");
        let rate_limit = read_rate_limit(&mut table);
        let (settings, setting_places) = read_source_settings(table);

        let intake = intake.and_then(|text| match text.text.strip_prefix("policy:") {
            Some(policy) => policies.find_policy(
                item.report(),
                PolicyKind::Intake,
                (policy.trim(), &text.place),
            ),
            None => {
                let message = format!("`{}` names no intake policy", text.text);
                let help = "write `policy:NAME` for policies/intake/NAME.rhai";
                item.report().error(Code::CR024, text.place, message, help);
                None
            }
        });

        let key_prefix = key_prefix.map(|prefix| {
            if !is_key_prefix(&prefix.text) {
                let message = format!("`{}` cannot begin a natural key", prefix.text);
                let help = "write letters, digits, `-`, `_`, `.` or `:`, such as \"hubspot-\"";
                item.report().error(Code::CR024, prefix.place, message, help);
            }
            prefix.text
        });

        // Which connectors there are, only the host knows.
        let Some(connector) = connector else { continue };
        let (connector, place) = (connector.text, connector.place);
        let source = WebhookSource {
            connector,
            place,
            intake,
            merge,
            key_prefix,
            rate_limit,
            settings,
            setting_places,
        };
        sources.insert(name.text, source);
    }

    sources
}

/// Characters of a prefix of natural keys.
const KEY_PREFIX_MAX: usize = 32;

fn is_key_prefix(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (1..=KEY_PREFIX_MAX).contains(&text.len()) && text.bytes().all(is_plain)
}

/// How often a source may send.
fn read_rate_limit(table: &mut TomlTable<'_>) -> Option<RateLimit> {
    let item = table.take("rate_limit")?;
    let text = item.expect_text()?;
    match text.text.parse() {
        Ok(limit) => Some(limit),
        Err(expected) => {
            let message = format!("`{}` is no limit of rate", text.text);
            item.report().error(Code::CR024, text.place, message, &expected);
            None
        }
    }
}

/// The settings of a source for its connector. Which there are, and what they mean, only it knows.
fn read_source_settings(
    mut table: TomlTable<'_>,
) -> (SourceSettings, BTreeMap<String, SettingPlace>) {
    let mut settings = SourceSettings::default();
    let mut places = BTreeMap::new();

    if let Some(url) = table.take_text("url") {
        let place = SettingPlace { key: url.place.clone(), value: url.place };
        places.insert("url".to_owned(), place);
        settings.url = Some(url.text);
    }

    for (key, item) in table.finish_with_rest() {
        let value = if let Some(flag) = item.as_flag() {
            Some(SettingValue::Flag(flag))
        } else if let Some(text) = item.as_text() {
            Some(SettingValue::Text(text.text))
        } else if item.is_list() {
            let texts = item.expect_list().unwrap_or_default();
            let texts = texts.iter().filter_map(TomlItem::expect_text).map(|text| text.text);
            Some(SettingValue::Texts(texts.collect()))
        } else {
            item.refuse("text in quotes, a list of texts, or true or false");
            None
        };

        if let Some(value) = value {
            places.insert(key.text.clone(), SettingPlace { key: key.place, value: item.place() });
            settings.values.insert(key.text, value);
        }
    }

    (settings, places)
}
