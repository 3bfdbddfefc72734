//! What feeds what: the columns, tables, attributes, quotas and plans that a plan reads, each with
//! its readers.
//!
//! Not what is done with them. Called by `page` and by `tables`.
//!
//! **Architecture invariant:** a reader is named where the checker knows that it may read: nothing
//! that is read is left out.

use std::collections::{BTreeMap, BTreeSet};

use super::markdown::Page;
use super::wording::Wording;
use accredit_domain::plan::reward::{PayoutFormula, TIER_KEYS, TierLimit};
use accredit_domain::plan::{
    Assign, DuplicateSetting, HoldSetting, IndirectRule, Relationship, ResultBase,
};
use accredit_domain::policy::ProgramId;
use accredit_domain::transaction::{Field, NameColumns};
use accredit_script::check::FieldReads;
use accredit_script::field_reads;

/// Where an input comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Input {
    Column(String),
    Table(String),
    Attribute(String),
    Quotas,
    Plan(String),
}

/// Readers of each input, in the order of the plan.
#[derive(Debug, Default)]
struct Lineage {
    readers: BTreeMap<Input, Vec<String>>,
    /// Readers that may read any column.
    of_any: Vec<String>,
    /// Every program of the plan, in its order.
    programs: Vec<ProgramId>,
}

impl Lineage {
    fn add(&mut self, input: Input, reader: &str) {
        let readers = self.readers.entry(input).or_default();
        if !readers.iter().any(|known| known == reader) {
            readers.push(reader.to_owned());
        }
    }

    fn add_columns<'c>(&mut self, columns: impl IntoIterator<Item = &'c String>, reader: &str) {
        columns.into_iter().for_each(|column| self.add(Input::Column(column.clone()), reader));
    }
}

/// The names of the tables that the plan reads.
pub(super) fn tables_read(words: Wording<'_>) -> Vec<String> {
    let lineage = collect_lineage(words, &BTreeSet::new());
    let names = lineage.readers.into_keys().filter_map(|input| match input {
        Input::Table(name) => Some(name),
        _ => None,
    });
    names.collect()
}

/// The programs of the plan, in its order.
pub(super) fn programs_used(words: Wording<'_>) -> Vec<ProgramId> {
    collect_lineage(words, &BTreeSet::new()).programs
}

/// The table of inputs and readers; a column that nothing of the plan reads is listed as well.
pub(super) fn write_lineage(page: &mut Page, words: Wording<'_>, columns: &BTreeSet<String>) {
    let fields = &words.ruleset.settings.fields;
    let mut lineage = collect_lineage(words, columns);
    let known = fields.named_columns().map(str::to_owned).chain(columns.iter().cloned());
    for column in known {
        lineage.readers.entry(Input::Column(column)).or_default();
    }

    page.heading(2, "What feeds what");
    let rows = lineage.readers.iter().map(|(input, readers)| {
        let (kind, name, fields) = match input {
            Input::Column(name) => ("column", name.as_str(), fields_of_column(words, name)),
            Input::Table(name) => ("table", name.as_str(), Vec::new()),
            Input::Attribute(name) => ("attribute", name.as_str(), Vec::new()),
            Input::Quotas => ("quotas", "quotas.csv", Vec::new()),
            Input::Plan(name) => ("plan", name.as_str(), Vec::new()),
        };
        let readers = match readers.is_empty() {
            true => "nothing in this plan".to_owned(),
            false => readers.join("; "),
        };
        vec![format!("{kind} `{name}`"), fields.join(", "), readers]
    });
    page.table(&["input", "field", "read by"], &rows.collect::<Vec<_>>(), usize::MAX);

    if !lineage.of_any.is_empty() {
        page.text(&format!(
            "These compute the name of a column and may read every one: {}.",
            lineage.of_any.join("; ")
        ));
    }
}

/// What a column means.
fn fields_of_column(words: Wording<'_>, column: &str) -> Vec<String> {
    let fields = &words.ruleset.settings.fields;
    let mut found = Vec::new();
    if fields.id.iter().any(|part| part == column) {
        found.push("id".to_owned());
    }
    for (field, key) in Field::ALL {
        if fields.mapped.get(&field).is_some_and(|mapped| mapped == column) {
            found.push(key.to_owned());
        }
    }
    for (names, key) in NAME_KEYS {
        if fields.names.get(&names).is_some_and(|columns| columns.iter().any(|one| one == column)) {
            found.push(key.to_owned());
        }
    }
    found
}

const NAME_KEYS: [(NameColumns, &str); 4] = [
    (NameColumns::Owner, "owner"),
    (NameColumns::Team, "team"),
    (NameColumns::RelatedPerson, "related person"),
    (NameColumns::RelatedPosition, "related position"),
];

fn collect_lineage(words: Wording<'_>, columns: &BTreeSet<String>) -> Lineage {
    let plan = words.plan;
    let fields = &words.ruleset.settings.fields;
    let mut lineage = Lineage::default();

    lineage.add_columns(&fields.id, "identity of the deal");
    lineage.add_columns(fields.mapped.get(&Field::Date), "incentive date");
    lineage.add_columns(&fields.date_fallbacks, "incentive date");

    let mut add = |program: Option<ProgramId>, reader: &str| {
        if let Some(program) = program {
            add_program(&mut lineage, words, columns, (program, reader));
        }
    };
    add(plan.filter, "filter");
    add(plan.quota, "quota");

    for rule in &plan.direct {
        let name = &rule.rule.name;
        add(rule.rule.condition, &format!("rule {name}: condition"));
        for assign in &rule.assign {
            if let Assign::Policy(policy) = assign {
                add(Some(*policy), &format!("rule {name}: recipients"));
            }
        }
        for result in &rule.results {
            add(result.value, &format!("result {}: value", result.output.name));
            add_output(&mut add, &result.output);
        }
    }
    for rule in &plan.indirect {
        add(rule.rule.condition, &format!("rule {}: condition", rule.rule.name));
        for result in &rule.results {
            add(result.value, &format!("result {}: value", result.output.name));
            add_output(&mut add, &result.output);
        }
    }
    for reward in &plan.rewards {
        if let PayoutFormula::Program(value) = &reward.worth {
            add(Some(*value), &format!("reward {}: value", reward.name));
        }
        add(reward.maximum, &format!("reward {}: maximum", reward.name));
    }
    for draw in &plan.draws {
        add(Some(draw.amount), &format!("draw {}: amount", draw.name));
    }

    add_recipients(&mut lineage, words);
    plan.indirect.iter().for_each(|rule| add_relationship(&mut lineage, words, rule));
    add_rewards(&mut lineage, words);
    lineage
}

fn add_output(add: &mut impl FnMut(Option<ProgramId>, &str), output: &ResultBase) {
    let name = &output.name;
    add(output.maximum, &format!("result {name}: maximum"));
    if let HoldSetting::Program(hold) = output.hold {
        add(Some(hold), &format!("result {name}: hold"));
    }
    if let DuplicateSetting::Program(duplicates) = output.duplicates {
        add(Some(duplicates), &format!("result {name}: duplicates"));
    }
}

/// What a program reads, by the checker.
fn add_program(
    lineage: &mut Lineage,
    words: Wording<'_>,
    columns: &BTreeSet<String>,
    (id, reader): (ProgramId, &str),
) {
    let Some(program) = words.program(id) else { return };
    if !lineage.programs.contains(&id) {
        lineage.programs.push(id);
    }
    let FieldReads { names, of_deals, any, .. } = field_reads(program);
    let fields = &words.ruleset.settings.fields;

    let known = fields.named_columns().chain(columns.iter().map(String::as_str));
    for column in known.filter(|column| of_deals.contains(*column)) {
        lineage.add(Input::Column(column.to_owned()), reader);
    }
    for (field, key) in Field::ALL {
        if of_deals.contains(key) {
            lineage.add_columns(fields.mapped.get(&field), reader);
        }
    }
    if of_deals.contains("default_credit") {
        let names = words.plan.measure.default_names();
        lineage.add_columns(fields.names.get(&names).into_iter().flatten(), reader);
    }

    for table in words.ruleset.tables.lookups.keys().filter(|table| names.contains(&***table)) {
        lineage.add(Input::Table(table.to_string()), reader);
    }
    let attributes = words.ruleset.organization.attributes.kinds();
    for (attribute, _) in attributes.filter(|(name, _)| names.contains(&***name)) {
        lineage.add(Input::Attribute(attribute.to_string()), reader);
    }

    if any && !lineage.of_any.iter().any(|known| known == reader) {
        lineage.of_any.push(reader.to_owned());
    }
}

/// The columns that name recipients, and the amount where a result sets no value.
fn add_recipients(lineage: &mut Lineage, words: Wording<'_>) {
    let fields = &words.ruleset.settings.fields;
    let named = |names: NameColumns| fields.names.get(&names).into_iter().flatten();

    for rule in &words.plan.direct {
        let reader = format!("rule {}: recipients", rule.rule.name);
        for assign in &rule.assign {
            match assign {
                Assign::Owner => lineage.add_columns(named(NameColumns::Owner), &reader),
                Assign::Team => lineage.add_columns(named(NameColumns::Team), &reader),
                Assign::Columns(columns) => lineage.add_columns(columns, &reader),
                Assign::Preassigned => {
                    lineage.add_columns(fields.mapped.get(&Field::Preassigned), &reader);
                }
                Assign::Territory(_) => {
                    let territories = &words.ruleset.organization.territories;
                    for column in territories.column_names() {
                        let key = Field::ALL.into_iter().find(|(_, key)| *key == column);
                        let mapped = key.and_then(|(field, _)| fields.mapped.get(&field));
                        let column = mapped.map_or(column, String::as_str).to_owned();
                        lineage.add(Input::Column(column), &reader);
                    }
                }
                Assign::Policy(_) => (),
            }
        }
        for result in rule.results.iter().filter(|result| result.value.is_none()) {
            let reader = format!("result {}: value", result.output.name);
            lineage.add_columns(fields.mapped.get(&Field::Amount), &reader);
        }
    }
}

fn add_relationship(lineage: &mut Lineage, words: Wording<'_>, rule: &IndirectRule) {
    let fields = &words.ruleset.settings.fields;
    let reader = format!("rule {}: receivers", rule.rule.name);
    let names = match rule.relationship {
        Relationship::RelatedPerson => Some(NameColumns::RelatedPerson),
        Relationship::RelatedPosition => Some(NameColumns::RelatedPosition),
        _ => None,
    };
    let columns = names.and_then(|names| fields.names.get(&names));
    lineage.add_columns(columns.into_iter().flatten(), &reader);

    for source in rule.sources.iter().filter(|source| **source != words.plan.id) {
        lineage.add(Input::Plan(source.to_string()), &format!("rule {}: credits", rule.rule.name));
    }
}

/// Tables of tiers with the attributes among their keys, and quotas.
fn add_rewards(lineage: &mut Lineage, words: Wording<'_>) {
    let has_quota = words.ruleset.quotas.has_quota(&words.plan.id);
    for reward in &words.plan.rewards {
        let reader = format!("reward {}: rates", reward.name);
        let of_quota = match &reward.worth {
            PayoutFormula::Tiers(tiers) => {
                tiers.tiers.iter().any(|tier| matches!(tier.up_to, Some(TierLimit::OfQuota(_))))
            }
            PayoutFormula::TableTiers(worth) => {
                lineage.add(Input::Table(worth.table.to_string()), &reader);
                let table = words.ruleset.tables.tiers.get(&worth.table);
                let keys = table.into_iter().flat_map(|table| &table.keys);
                for key in keys.filter(|key| !TIER_KEYS.contains(&&***key)) {
                    lineage.add(Input::Attribute(key.to_string()), &reader);
                }
                table.is_some_and(|table| table.asks_for_quota())
            }
            PayoutFormula::Program(_) => false,
        };
        if has_quota {
            let reader =
                if of_quota { reader } else { format!("reward {}: attainment", reward.name) };
            lineage.add(Input::Quotas, &reader);
        }
    }
}
