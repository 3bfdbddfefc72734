//! The results of rules: value, unit, credit type, maximum, hold, duplicates.
//!
//! Not the rules around them. Called by `rule`. Source: FORMAT section 3, "the nearest word wins".
//!
//! **Architecture invariant:** a result leaves here with every default applied; no stage looks at a
//! plan's policies again.

use std::collections::HashSet;
use std::sync::Arc;

use super::plan::{Defaults, Scope};
use super::rule::once;
use super::setting::{self, expression};
use super::toml::{Table, Text, choice};
use accredit_domain::diagnostic::{Code, Diagnostic, Place};
use accredit_domain::hold::Hold;
use accredit_domain::money::Unit;
use accredit_domain::plan::{
    DirectResult, DuplicateSetting, HoldSetting, IndirectResult, MaximumScope, Output,
};
use accredit_domain::policy::{Kind, ProgramId, Use};

/// The credit type of workspaces that declare none.
const CREDIT_TYPE_DEFAULT: &str = "credit";

/// The results of a direct rule.
pub(super) fn direct(
    rule: &mut Table<'_>,
    defaults: &Defaults,
    scope: Scope<'_>,
) -> Vec<DirectResult> {
    let mut names = HashSet::new();
    let results = results(rule).into_iter();
    results.filter_map(|table| direct_result(table, &mut names, defaults, scope)).collect()
}

/// The results of an indirect rule; `judge` gets the place of each, and whether it or the plan says
/// what becomes of duplicates.
pub(super) fn indirect(
    rule: &mut Table<'_>,
    defaults: &Defaults,
    scope: Scope<'_>,
    judge: impl Fn(Place, bool),
) -> Vec<IndirectResult> {
    let mut names = HashSet::new();

    let tables = results(rule).into_iter();
    let result = tables.filter_map(|table| {
        let written = table.has("duplicates") || defaults.get(Kind::Duplication).is_some();
        judge(table.place(), written);
        indirect_result(table, &mut names, defaults, scope)
    });

    result.collect()
}

fn results<'a>(rule: &mut Table<'a>) -> Vec<Table<'a>> {
    let item = rule.take("results");
    let written = item.is_some();
    let list = item.and_then(|item| item.list());
    let tables: Vec<Table<'a>> = list.iter().flatten().filter_map(|item| item.table()).collect();
    if !written || list.is_some_and(|list| list.is_empty()) {
        let message = "the rule has no result".to_owned();
        let help = "add a table [[direct.results]] or [[indirect.results]] with a name";
        rule.report().error(Code::CR023, rule.place(), message, help);
    }
    tables
}

fn direct_result(
    mut table: Table<'_>,
    names: &mut HashSet<String>,
    defaults: &Defaults,
    scope: Scope<'_>,
) -> Option<DirectResult> {
    let output = output(&mut table, names, defaults, Use::Maximum, scope);
    let value = value(&mut table, (Use::Value, Kind::Value), defaults, scope);
    let unit = unit(&mut table, scope).unwrap_or(scope.settings.currency);
    let credit_type = needed_credit_type(&mut table, scope);
    let rollable = table.flag("rollable");
    let rollable_on_reporting = table.flag("rollable_on_reporting");
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

fn indirect_result(
    mut table: Table<'_>,
    names: &mut HashSet<String>,
    defaults: &Defaults,
    scope: Scope<'_>,
) -> Option<IndirectResult> {
    let output = output(&mut table, names, defaults, Use::IndirectMaximum, scope);
    let value = value(&mut table, (Use::IndirectValue, Kind::Rollup), defaults, scope);
    let unit = unit(&mut table, scope);
    let written = table.text("credit_type");
    let credit_type = written.and_then(|text| credit_type(&table, &text, scope));

    let scopes = [("receiver", MaximumScope::Receiver), ("item", MaximumScope::Item)];
    let maximum_scope = table.text("maximum_scope");
    let maximum_scope = maximum_scope.and_then(|text| choice(table.report(), &text, &scopes));

    table.finish();
    let maximum_scope = maximum_scope.unwrap_or(MaximumScope::Receiver);

    Some(IndirectResult { output: output?, value, unit, credit_type, maximum_scope })
}

fn policy(defaults: &Defaults, kind: Kind) -> Option<ProgramId> {
    defaults.get(kind).flatten()
}

fn value(
    table: &mut Table<'_>,
    (place, kind): (Use, Kind),
    defaults: &Defaults,
    scope: Scope<'_>,
) -> Option<ProgramId> {
    match table.take("value") {
        Some(item) => expression(&item, place, scope.names),
        None => policy(defaults, kind),
    }
}

fn output(
    table: &mut Table<'_>,
    names: &mut HashSet<String>,
    defaults: &Defaults,
    maximum: Use,
    scope: Scope<'_>,
) -> Option<Output> {
    let report = table.report();
    let name = table.need_text("name");
    if let Some(name) = &name {
        once(report, name, names, "result");
    }

    let maximum = table.take("maximum").and_then(|item| expression(&item, maximum, scope.names));
    let written = table.take("hold");
    // A hold of the plan's own is not the result's: a rollup policy may say another one.
    let own_hold = written.is_some();
    let hold = match written {
        Some(item) => setting::hold(&item, &scope.settings.calendar, scope.names),
        None => policy(defaults, Kind::Hold).map(HoldSetting::Program),
    };

    let duplicates = match table.take("duplicates") {
        Some(item) => setting::duplicates(&item, scope.names),
        None => policy(defaults, Kind::Duplication).map(DuplicateSetting::Program),
    };

    let reason_code = table.text("reason_code").and_then(|text| {
        let codes = &scope.settings.reason_codes;
        let found = codes.iter().find(|known| ***known == *text.text).cloned();
        if found.is_none() {
            let named = ("reason code", text.text.as_str());
            report.unknown(Code::CR025, text.place.clone(), named, codes.iter().map(AsRef::as_ref));
        }
        found
    });

    Some(Output {
        name: Arc::from(name?.text),
        maximum,
        hold: hold.unwrap_or(HoldSetting::Fixed(Hold::None)),
        own_hold,
        duplicates: duplicates.unwrap_or(DuplicateSetting::Fixed(false)),
        reason_code,
    })
}

fn unit(table: &mut Table<'_>, scope: Scope<'_>) -> Option<Unit> {
    let text = table.text("unit_type")?;
    let units = &scope.settings.units;
    let found = units.find(&text.text);
    if found.is_none() {
        let named = ("unit type", text.text.as_str());
        table.report().unknown(Code::CR025, text.place.clone(), named, units.names());
    }
    found
}

/// The credit type called so; an unknown one is reported.
pub(super) fn credit_type(table: &Table<'_>, text: &Text, scope: Scope<'_>) -> Option<Arc<str>> {
    let types = &scope.settings.credit_types;
    // A workspace that declares no types has this one.
    if types.is_empty() && text.text == CREDIT_TYPE_DEFAULT {
        return Some(Arc::from(CREDIT_TYPE_DEFAULT));
    }

    let found = types.iter().find(|known| ***known == *text.text).cloned();

    if found.is_none() {
        let message = format!("there is no credit type `{}`", text.text);
        let known: Vec<&str> = types.iter().map(AsRef::as_ref).collect();
        let help = if known.is_empty() {
            "declare it under `credit_types` in accredit.toml".to_owned()
        } else {
            super::report::hint(&text.text, "credit type", &known)
        };
        let unknown = Diagnostic::error(Code::CR025, text.place.clone(), message);
        table.report().push(unknown.help(help));
    }

    found
}

/// The credit type of a direct result: what it says, else the only one there is.
fn needed_credit_type(table: &mut Table<'_>, scope: Scope<'_>) -> Option<Arc<str>> {
    match table.take("credit_type") {
        Some(item) => credit_type(table, &item.text()?, scope),
        None => only_credit_type(table, scope),
    }
}

/// The only credit type there is; that there are several is reported.
pub(super) fn only_credit_type(table: &Table<'_>, scope: Scope<'_>) -> Option<Arc<str>> {
    match scope.settings.credit_types.as_slice() {
        [] => Some(Arc::from(CREDIT_TYPE_DEFAULT)),
        [only] => Some(Arc::clone(only)),
        [first, ..] => {
            let message = "`credit_type` is missing".to_owned();
            let help = format!("add `credit_type = \"{first}\"`, or another of the workspace's");
            table.report().error(Code::CR023, table.place(), message, &help);
            None
        }
    }
}
