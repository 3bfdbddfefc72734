//! `plans/*.toml`: a plan's own settings.
//!
//! Not its rules (`rule` reads them). Called by `Ruleset::read` for each file. Source: FORMAT
//! section 3.
//!
//! **Architecture invariant:** what the plan's `policies` say is a default only: it never overrules
//! the own setting of a rule or result.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::appearance;
use super::doubts::{self, DeferredWarnings};
use super::report::Findings;
use super::reward;
use super::rule;
use super::selector::read_selectors;
use super::setting::{self, NamedPrograms, read_expression};
use super::sources::PlanReferences;
use super::toml::{DefinitionText, PlacedText, TomlItem, TomlTable, parse_choice};
use super::{KnownColumns, Settings};
use accredit_domain::calendar::{PeriodKind, Validity};
use accredit_domain::diagnostic::{Code, Diagnostic};
use accredit_domain::keys::PlanKey;
use accredit_domain::organization::Organization;
use accredit_domain::plan::{ALERTS, Measure, Plan, Split};
use accredit_domain::policy::{ExpressionUse, PolicyKind, ProgramId};
use accredit_domain::tables::Tables;

/// What the words of a plan may refer to.
#[derive(Clone, Copy)]
pub(super) struct PlanScope<'a> {
    /// The settings in `accredit.toml`.
    pub(super) settings: &'a Settings,
    /// The organisation that selectors mean.
    pub(super) organization: &'a Organization,
    /// The tables that rewards may name.
    pub(super) tables: &'a Tables,
    /// Who is measured by the plan that is being read.
    pub(super) measure: Measure,
    /// Whether all of it was understood: otherwise no name can be called unknown.
    pub(super) whole: bool,
    /// The columns that transactions may have.
    pub(super) columns: &'a KnownColumns,
    /// The policies and saved queries that may be named.
    pub(super) names: NamedPrograms<'a>,
    /// The plan that is read.
    pub(super) plan: &'a str,
    /// Plans that rules name.
    pub(super) references: &'a PlanReferences,
    /// What can be judged only when everything is read.
    pub(super) doubts: &'a DeferredWarnings,
}

/// The policies that a plan chooses, by kind.
#[derive(Debug, Default)]
pub(super) struct PlanDefaults {
    /// Where each is named, and its program; a name that was not found has none.
    chosen: BTreeMap<PolicyKind, (PlacedText, Option<ProgramId>)>,
    /// Kinds that a rule, or the plan itself, has asked for.
    asked: RefCell<BTreeSet<PolicyKind>>,
}

impl PlanDefaults {
    /// The policy of a kind, for something that says nothing itself; none where the plan chooses
    /// none, and none in it where its name was not found.
    pub(super) fn get(&self, kind: PolicyKind) -> Option<Option<ProgramId>> {
        self.asked.borrow_mut().insert(kind);
        self.chosen.get(&kind).map(|(_, program)| *program)
    }

    /// Warns of policies that nothing has asked for.
    fn warn_unused(&self, report: &Findings) {
        let asked = self.asked.borrow();
        for (kind, (text, program)) in &self.chosen {
            if program.is_some() && !asked.contains(kind) {
                doubts::warn_unused_policy(report, text, kind.as_str());
            }
        }
    }
}

/// Reads the plan `id`; nothing when it is not TOML.
pub(super) fn read(file: DefinitionText<'_>, id: &str, scope: PlanScope<'_>) -> Option<Plan> {
    let scope = PlanScope { plan: id, ..scope };
    let document = file.parse()?;
    let mut root = TomlTable::root(file, &document);
    let report = root.report();

    let name = root.take_needed_text("name");
    if let Some(name) = &name {
        appearance::check_readable_name(report, name.place.clone(), &name.text, "plan");
    }
    let name = name.map(|name| name.text).unwrap_or_default();
    let validity = read_validity(&mut root);
    let period =
        root.take_text("period").and_then(|text| setting::parse_period_kind(report, &text));

    let measures = [("individual", Measure::Individual), ("team", Measure::Team)];
    let measure = root.take_text("measure").and_then(|text| parse_choice(report, &text, &measures));
    let measure = measure.unwrap_or(Measure::Individual);
    // The following depends on the plan's measure.
    let scope = PlanScope { measure, ..scope };

    let targets = read_selectors(&mut root, "targets", scope);

    let splits = [
        ("refuse", Split::Refuse),
        ("equal", Split::Equal),
        ("full", Split::Full),
        ("first", Split::First),
    ];
    let split = root.take_text("split").and_then(|text| parse_choice(report, &text, &splits));
    let require_total_one = root.take_flag("require_total_one");
    let hold_across_years = root.take_flag("hold_across_years");
    let alerts = read_alerts(&mut root);

    let defaults =
        root.take("policies").map(|item| read_policies(&item, scope)).unwrap_or_default();
    let filter = match root.take("filter") {
        Some(item) => read_expression(&item, ExpressionUse::Filter, scope.names),
        None => defaults.get(PolicyKind::Filter).flatten(),
    };

    if !root.has_key("direct") && !root.has_key("indirect") {
        let message = "the plan has no rule, and credits nobody".to_owned();
        let ruleless = Diagnostic::warning(Code::CR023, root.place(), message);
        report.push(
            ruleless.with_help("add a table [[direct]] with a name and a [[direct.results]]"),
        );
    }

    let (direct, indirect) = rule::read(&mut root, &defaults, scope);
    let pay = reward::read_plan_keys(&mut root, &defaults, scope);
    let (rewards, draws) = reward::read(&mut root, &defaults, &targets, scope);
    defaults.warn_unused(report);
    root.finish();

    Some(Plan {
        id: PlanKey::from(id),
        name,
        validity,
        period: period.unwrap_or(PeriodKind::Leaf),
        measure,
        targets,
        filter,
        split: split.unwrap_or(Split::Refuse),
        require_total_one,
        hold_across_years,
        alerts,
        direct,
        indirect,
        rewards,
        draws,
        late: pay.late,
        quota: pay.quota,
        prorate: pay.prorate,
        carry_negative: pay.carry_negative,
    })
}

/// `from` and `to`, inclusive.
pub(super) fn read_validity(table: &mut TomlTable<'_>) -> Validity {
    let from = table.take_date("from");
    let end = table.take("to");
    let to: Option<Date> = end.as_ref().and_then(|item| {
        let day = item.as_date();
        if day.is_none() {
            item.refuse("a day such as 2017-03-31");
        }
        day
    });

    if let (Some(from), Some(to), Some(item)) = (from, to, end)
        && to < from
    {
        let message = format!("`to` is {to}, before `from`, which is {from}");
        item.report().error(Code::CR024, item.place(), message, "both days are included");
    }

    Validity::from_inclusive(from, to)
}

fn read_alerts(root: &mut TomlTable<'_>) -> BTreeSet<&'static str> {
    let Some(items) = root.take_list("alerts") else { return ALERTS.into_iter().collect() };
    let words = ALERTS.map(|alert| (alert, alert));
    let texts = items.iter().filter_map(TomlItem::expect_text);
    texts.filter_map(|text| parse_choice(root.report(), &text, &words)).collect()
}

/// Kinds that a plan may choose a policy of.
const CHOOSABLE_KINDS: [(PolicyKind, &str); 8] = [
    (PolicyKind::Filter, "filter"),
    (PolicyKind::Crediting, "crediting"),
    (PolicyKind::Value, "value"),
    (PolicyKind::Hold, "hold"),
    (PolicyKind::Duplication, "duplication"),
    (PolicyKind::Rollup, "rollup"),
    (PolicyKind::Reward, "reward"),
    (PolicyKind::Quota, "quota"),
];

fn read_policies(item: &TomlItem<'_>, scope: PlanScope<'_>) -> PlanDefaults {
    let mut defaults = PlanDefaults::default();

    let Some(mut table) = item.expect_table() else { return defaults };
    for (kind, key) in CHOOSABLE_KINDS {
        let Some(item) = table.take(key) else { continue };
        let Some(text) = item.expect_text() else {
            defaults.asked.borrow_mut().insert(kind);
            continue;
        };

        let found = match text.text.strip_prefix("policy:") {
            Some(name) => {
                let message = format!("`{}` is more than a name", text.text);
                let help = format!("write `{}`", name.trim());
                item.report().error(Code::CR024, text.place.clone(), message, &help);
                None
            }
            None => {
                let name = (text.text.trim(), &text.place);
                scope.names.policies.find_policy(item.report(), kind, name)
            }
        };

        defaults.chosen.insert(kind, (text, found));
    }

    table.finish();
    defaults
}
