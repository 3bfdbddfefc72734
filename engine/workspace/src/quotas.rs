//! `organization/quotas.csv`: the targets of a plan for its payees in a period.
//!
//! Not which row wins (`domain::plan::quota`). Called by `Ruleset::read` when the plans are read.
//! Source: FORMAT section 1.
//!
//! **Architecture invariant:** no two rows mean the same plan, target and period.

mod parts;

use std::collections::{BTreeMap, HashSet};

use accredit_domain::diagnostic::{Code, Diagnostic, did_you_mean};
use accredit_domain::keys::{DefinedName, PlanKey};
use accredit_domain::transaction::parse_number;
use rust_decimal::Decimal;

use self::parts::QuotaRow;
use super::Files;
use super::csv::{DefinitionRow, DefinitionSheet, DelimitedCell};
use super::plan::PlanScope;
use super::report::Findings;
use super::selector::parse_selector;
use super::toml::{DefinitionText, PlacedText};
use accredit_domain::organization::Entity;
use accredit_domain::plan::quota::{Quota, Quotas};
use accredit_domain::plan::{Measure, Plan, Selector};

/// The file of quotas.
pub(super) const QUOTAS: &str = "organization/quotas.csv";

/// Reads the quotas; `ids` are all plans, read or not.
pub(super) fn read(
    files: &Files,
    plans: &BTreeMap<PlanKey, Plan>,
    ids: &[&str],
    scope: PlanScope<'_>,
    report: &Findings,
) -> Quotas {
    let mut quotas = Quotas::default();
    let Some(text) = files.get(QUOTAS) else { return quotas };
    let needed = ["plan", "target", "period", "amount"];
    let columns = ["plan", "target", "period", "amount", "credit_type"];
    let sheet = DefinitionSheet::read(DefinitionText::new(QUOTAS, text, report), &columns, &needed);
    let mut rows = Vec::new();
    let mut known: HashSet<(String, String, Option<DefinedName>, Selector)> = HashSet::new();

    for row in sheet.rows() {
        let plan = row.need_cell("plan");
        let target = row.need_cell("target");
        let period = row.need_cell("period").filter(|cell| is_period(row, cell, scope));
        let amount = row.need_cell("amount").and_then(|cell| parse_amount(row, cell));
        let credit_type = read_credit_type(row, scope);

        let Some(plan) = plan else { continue };

        // All cells are read before the row is given up, so that everything wrong is reported at
        // once.
        let Some(of) = plans.get(plan.text.as_str()) else {
            if !ids.contains(&plan.text.as_str()) {
                // A quota may come before its plan does; it must not stop the other plans.
                let place = row.source().place(plan.offset);
                let message = format!("there is no plan `{}` yet", plan.text);
                let help = did_you_mean(&plan.text, ids.iter().copied()).unwrap_or_else(|| {
                    "the quota counts as soon as plans/ has a file of that name".to_owned()
                });
                report.push(Diagnostic::warning(Code::CR025, place, message).with_help(help));
            }
            continue;
        };

        let scope = PlanScope { measure: of.measure, plan: &of.id, ..scope };
        let target = target.and_then(|cell| parse_target(row, cell, scope));
        let (Some(period), Some(target), Ok(credit_type)) = (period, target, credit_type) else {
            continue;
        };

        let key = (plan.text.clone(), period.text.clone(), credit_type, target.clone());
        if !known.insert(key) {
            let message = format!("`{}` has two quotas in {}", row.text("target"), period.text);
            row.report_error(
                Code::CR034,
                row.cell_offset("target"),
                message,
                "keep one of the two",
            );
            continue;
        }

        let Some(amount) = amount else { continue };
        if let Some(period) = scope.settings.calendar.find(&period.text) {
            let (target, credit_type) = (target.clone(), credit_type);
            let target = (target, row.text("target").to_owned());
            let place = row.source().place(plan.offset);
            rows.push(QuotaRow { plan: of.id, target, period, amount, credit_type, place });
        }
        quotas.add(&plan.text, &period.text, Quota { target, amount, credit_type });
    }

    // Rows that are left out would look as if they were missing.
    if scope.whole {
        parts::check(&rows, plans, scope, report);
    }
    quotas
}

fn is_period(row: DefinitionRow<'_, '_>, cell: &DelimitedCell, scope: PlanScope<'_>) -> bool {
    let known = scope.settings.calendar.find(&cell.text).is_some();
    if !known {
        let message = format!("there is no period `{}`", cell.text);
        let help = "write the id of a period of the calendar, such as 2017-03, 2017-Q1 or 2017";
        row.report_error(Code::CR032, cell.offset, message, help);
    }
    known
}

/// The credit type that a row is for: none where the cell is blank or the column is absent.
///
/// # Errors
/// Nothing, once the unknown type is reported.
fn read_credit_type(
    row: DefinitionRow<'_, '_>,
    scope: PlanScope<'_>,
) -> Result<Option<DefinedName>, ()> {
    let Some(text) = Some(row.text("credit_type").trim()).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let types = &scope.settings.credit_types;

    if let Some(known) = types.iter().find(|known| **known == *text) {
        return Ok(Some(*known));
    }
    let message = format!("there is no credit type `{text}`");
    let help = did_you_mean(text, types.iter().map(|known| &**known)).unwrap_or_else(|| {
        "write one of `credit_types` in accredit.toml, or leave the cell blank".to_owned()
    });
    row.report_error(Code::CR033, row.cell_offset("credit_type"), message, &help);
    Err(())
}

fn parse_amount(row: DefinitionRow<'_, '_>, cell: &DelimitedCell) -> Option<Decimal> {
    let written = parse_number(&cell.text);
    let amount = written.filter(|amount| *amount > Decimal::ZERO);
    if amount.is_none() {
        let message = format!("`{}` is not a quota", cell.text);
        row.report_error(
            Code::CR032,
            cell.offset,
            message,
            "write a number above 0, or leave the row out",
        );
    }
    amount
}

/// A selector, or the bare id of a position or participant, or of a team where teams are measured.
fn parse_target(
    row: DefinitionRow<'_, '_>,
    cell: &DelimitedCell,
    scope: PlanScope<'_>,
) -> Option<Selector> {
    let place = row.source().place(cell.offset);

    if cell.text == "*" || cell.text.contains(':') {
        let text = PlacedText { text: cell.text.clone(), origin: place.clone().into(), place };
        return parse_selector(row.source().report, &text, scope);
    }

    let (organization, id) = (scope.organization, cell.text.as_str());
    let team = || organization.teams.find(id).map(Selector::Team);
    let position = || organization.find_position(id).map(Selector::Position);
    let participant = || organization.find_participant(id).map(Selector::Participant);
    // Names and aliases work wherever an id does, as long as they mean one.
    let named_team = || organization.teams.only_meaning(id).map(Selector::Team);
    let named = || {
        organization.only_meaning(id).map(|entity| match entity {
            Entity::Participant(participant) => Selector::Participant(participant),
            Entity::Position(position) => Selector::Position(position),
        })
    };

    let found = match scope.measure {
        Measure::Team => team().or_else(named_team),
        Measure::Individual => {
            let by_id = position().or_else(participant).or_else(team);
            by_id.or_else(named).or_else(named_team)
        }
    };

    if found.is_none() && scope.whole {
        let what = match scope.measure {
            Measure::Team => "team",
            Measure::Individual => "position or participant",
        };
        let message = format!("there is no {what} `{id}`");
        let help =
            "write an id, a name or an alias that means one, or a selector such as `title:NAME`";
        row.report_error(Code::CR033, cell.offset, message, help);
    }

    found
}
