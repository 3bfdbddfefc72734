//! The results of rules: value, unit, credit type, maximum, hold, duplicates.
//!
//! Not the rules around them. Called by `rule`. Source: FORMAT section 3, "the nearest word wins".
//!
//! **Architecture invariant:** a result leaves here with every default applied; no stage looks at a
//! plan's policies again.

use std::collections::HashSet;

use super::plan::{PlanDefaults, PlanScope};
use super::rule::check_unique_name;
use super::setting::{self, read_expression};
use super::toml::{PlacedText, TomlTable, parse_choice};
use accredit_domain::diagnostic::{Code, Diagnostic, Place};
use accredit_domain::hold::Hold;
use accredit_domain::keys::DefinedName;
use accredit_domain::money::Unit;
use accredit_domain::plan::{
    DirectResult, DuplicateSetting, HoldSetting, IndirectResult, MaximumScope, ResultBase,
};
use accredit_domain::policy::{ExpressionUse, PolicyKind, ProgramId};

/// The results of a direct rule.
pub(super) fn read_direct_results(
    rule: &mut TomlTable<'_>,
    defaults: &PlanDefaults,
    scope: PlanScope<'_>,
) -> Vec<DirectResult> {
    let mut names = HashSet::new();
    let results = result_tables(rule).into_iter();
    results.filter_map(|table| read_direct_result(table, &mut names, defaults, scope)).collect()
}

/// The results of an indirect rule; `judge` gets the place of each, and whether it or the plan says
/// what becomes of duplicates.
pub(super) fn read_indirect_results(
    rule: &mut TomlTable<'_>,
    defaults: &PlanDefaults,
    scope: PlanScope<'_>,
    judge: impl Fn(Place, bool),
) -> Vec<IndirectResult> {
    let mut names = HashSet::new();

    let tables = result_tables(rule).into_iter();
    let result = tables.filter_map(|table| {
        let written =
            table.has_key("duplicates") || defaults.get(PolicyKind::Duplication).is_some();
        judge(table.place(), written);
        read_indirect_result(table, &mut names, defaults, scope)
    });

    result.collect()
}

fn result_tables<'a>(rule: &mut TomlTable<'a>) -> Vec<TomlTable<'a>> {
    let item = rule.take("results");
    let written = item.is_some();
    let list = item.and_then(|item| item.expect_list());
    let tables: Vec<TomlTable<'a>> =
        list.iter().flatten().filter_map(|item| item.expect_table()).collect();
    if !written || list.is_some_and(|list| list.is_empty()) {
        let message = "the rule has no result".to_owned();
        let help = "add a table [[direct.results]] or [[indirect.results]] with a name";
        rule.report().error(Code::CR023, rule.place(), message, help);
    }
    tables
}

fn read_direct_result(
    mut table: TomlTable<'_>,
    names: &mut HashSet<String>,
    defaults: &PlanDefaults,
    scope: PlanScope<'_>,
) -> Option<DirectResult> {
    let output = read_output(&mut table, names, defaults, ExpressionUse::Maximum, scope);
    let value = read_value(&mut table, (ExpressionUse::Value, PolicyKind::Value), defaults, scope);
    let unit = read_unit(&mut table, scope).unwrap_or(scope.settings.currency);
    let credit_type = needed_credit_type(&mut table, scope);
    let rollable = table.take_flag("rollable");
    let rollable_on_reporting = table.take_flag("rollable_on_reporting");
    table.finish();

    // Given up only now, so that everything wrong in the table is reported at once.
    let credit_type = credit_type?;

    Some(DirectResult {
        output: output?,
        value,
        unit,
        credit_type,
        rollable,
        rollable_on_reporting,
    })
}

fn read_indirect_result(
    mut table: TomlTable<'_>,
    names: &mut HashSet<String>,
    defaults: &PlanDefaults,
    scope: PlanScope<'_>,
) -> Option<IndirectResult> {
    let output = read_output(&mut table, names, defaults, ExpressionUse::IndirectMaximum, scope);
    let value =
        read_value(&mut table, (ExpressionUse::IndirectValue, PolicyKind::Rollup), defaults, scope);
    let unit = read_unit(&mut table, scope);
    let written = table.take_text("credit_type");
    let credit_type = written.and_then(|text| find_credit_type(&table, &text, scope));

    let scopes = [("receiver", MaximumScope::Receiver), ("item", MaximumScope::Item)];
    let maximum_scope = table.take_text("maximum_scope");
    let maximum_scope = maximum_scope.and_then(|text| parse_choice(table.report(), &text, &scopes));

    table.finish();
    let maximum_scope = maximum_scope.unwrap_or(MaximumScope::Receiver);

    Some(IndirectResult { output: output?, value, unit, credit_type, maximum_scope })
}

fn default_policy(defaults: &PlanDefaults, kind: PolicyKind) -> Option<ProgramId> {
    defaults.get(kind).flatten()
}

fn read_value(
    table: &mut TomlTable<'_>,
    (place, kind): (ExpressionUse, PolicyKind),
    defaults: &PlanDefaults,
    scope: PlanScope<'_>,
) -> Option<ProgramId> {
    match table.take("value") {
        Some(item) => read_expression(&item, place, scope.names),
        None => default_policy(defaults, kind),
    }
}

fn read_output(
    table: &mut TomlTable<'_>,
    names: &mut HashSet<String>,
    defaults: &PlanDefaults,
    maximum: ExpressionUse,
    scope: PlanScope<'_>,
) -> Option<ResultBase> {
    let report = table.report();
    let name = table.take_needed_text("name");
    if let Some(name) = &name {
        check_unique_name(report, name, names, "result");
    }

    let maximum =
        table.take("maximum").and_then(|item| read_expression(&item, maximum, scope.names));
    let written = table.take("hold");
    // A hold of the plan's own is not the result's: a rollup policy may say another one.
    let own_hold = written.is_some();
    let hold = match written {
        Some(item) => setting::read_hold(&item, &scope.settings.calendar, scope.names),
        None => default_policy(defaults, PolicyKind::Hold).map(HoldSetting::Program),
    };

    let duplicates = match table.take("duplicates") {
        Some(item) => setting::read_duplicates(&item, scope.names),
        None => default_policy(defaults, PolicyKind::Duplication).map(DuplicateSetting::Program),
    };

    let reason_code = table.take_text("reason_code").and_then(|text| {
        let codes = &scope.settings.reason_codes;
        let found = codes.iter().find(|known| ***known == *text.text).cloned();
        if found.is_none() {
            let named = ("reason code", text.text.as_str());
            report.report_unknown(
                Code::CR025,
                text.place.clone(),
                named,
                codes.iter().map(AsRef::as_ref),
            );
        }
        found
    });

    Some(ResultBase {
        name: DefinedName::from(name?.text),
        maximum,
        hold: hold.unwrap_or(HoldSetting::Fixed(Hold::None)),
        own_hold,
        duplicates: duplicates.unwrap_or(DuplicateSetting::Fixed(false)),
        reason_code,
    })
}

fn read_unit(table: &mut TomlTable<'_>, scope: PlanScope<'_>) -> Option<Unit> {
    let text = table.take_text("unit_type")?;
    let units = &scope.settings.units;
    let found = units.find(&text.text);
    if found.is_none() {
        let named = ("unit type", text.text.as_str());
        table.report().report_unknown(Code::CR025, text.place.clone(), named, units.names());
    }
    found
}

/// The credit type called so; an unknown one is reported.
pub(super) fn find_credit_type(
    table: &TomlTable<'_>,
    text: &PlacedText,
    scope: PlanScope<'_>,
) -> Option<DefinedName> {
    let types = &scope.settings.credit_types;
    let found = scope.settings.find_credit_type(&text.text);
    if found.is_none() {
        let message = format!("there is no credit type `{}`", text.text);
        let known: Vec<&str> = types.iter().map(AsRef::as_ref).collect();
        let help = if known.is_empty() {
            "declare it under `credit_types` in accredit.toml".to_owned()
        } else {
            super::report::suggest_names(&text.text, "credit type", &known)
        };
        let unknown = Diagnostic::error(Code::CR025, text.place.clone(), message);
        table.report().push(unknown.with_help(help));
    }

    found
}

/// The credit type of a direct result: what it says, else the only one there is.
fn needed_credit_type(table: &mut TomlTable<'_>, scope: PlanScope<'_>) -> Option<DefinedName> {
    match table.take("credit_type") {
        Some(item) => find_credit_type(table, &item.expect_text()?, scope),
        None => only_credit_type(table, scope),
    }
}

/// The only credit type there is; that there are several is reported.
pub(super) fn only_credit_type(table: &TomlTable<'_>, scope: PlanScope<'_>) -> Option<DefinedName> {
    let only = scope.settings.only_credit_type();
    if let (None, Some(first)) = (&only, scope.settings.credit_types.first()) {
        let message = "`credit_type` is missing".to_owned();
        let help = format!("add `credit_type = \"{first}\"`, or another of the workspace's");
        table.report().error(Code::CR023, table.place(), message, &help);
    }
    only
}
