//! What a directory says that can be understood and is hardly meant: plans and organisations that
//! would pay too much, too little or no one, without an error.
//!
//! Not single words, which their readers judge, and not programs (`script::check`). Readers note
//! what can be judged only when everything is read; `Ruleset::read` asks for the judgement once.
//!
//! **Architecture invariant:** a doubt is a warning: it keeps nothing from coming into force.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use rust_decimal::Decimal;

use super::csv::DefinitionRow;
use super::report::Findings;
use super::toml::PlacedText;
use accredit_domain::diagnostic::{Code, Diagnostic, Place};
use accredit_domain::keys::PlanKey;
use accredit_domain::organization::{Organization, fold_name};
use accredit_domain::plan::quota::Quotas;
use accredit_domain::plan::{Measure, Members, Plan, Split};

/// What readers of plans noted, in order.
#[derive(Debug, Default)]
pub(super) struct DeferredWarnings(RefCell<Vec<DeferredWarning>>);

#[derive(Debug)]
enum DeferredWarning {
    /// A result of a rule over Reporting that leaves `duplicates` out.
    Unsaid { place: Place, sources: BTreeSet<PlanKey> },
    /// A reward of a plan whose tiers end at shares of the quota.
    OfQuota { place: Place, plan: PlanKey },
}

impl DeferredWarnings {
    /// A result of an indirect rule over Reporting leaves `duplicates` out; `sources` are the plans
    /// that the rule takes credits from.
    pub(super) fn leaves_duplicates_out(&self, place: Place, sources: &BTreeSet<PlanKey>) {
        self.0.borrow_mut().push(DeferredWarning::Unsaid { place, sources: sources.clone() });
    }

    /// A reward of `plan` has tiers that end at shares of the quota.
    pub(super) fn asks_for_quota(&self, place: Place, plan: &str) {
        self.0.borrow_mut().push(DeferredWarning::OfQuota { place, plan: PlanKey::from(plan) });
    }

    /// Warns of what turned out to be doubtful now that every plan and quota is read.
    pub(super) fn report_confirmed(
        self,
        plans: &BTreeMap<PlanKey, Plan>,
        quotas: &Quotas,
        report: &Findings,
    ) {
        for doubt in self.0.into_inner() {
            match doubt {
                // Whether a credit can be split is known only when all plans are read.
                DeferredWarning::Unsaid { place, sources } => {
                    if sources.iter().filter_map(|id| plans.get(id)).any(may_split) {
                        report.push(split_warning(place));
                    }
                }
                DeferredWarning::OfQuota { place, plan } => {
                    if !quotas.has_quota(&plan) {
                        report.push(quota_warning(place, &plan));
                    }
                }
            }
        }
    }
}

/// Whether one deal can give several positions a credit of one rule.
fn may_split(plan: &Plan) -> bool {
    let passes = |members: Option<Members>| {
        matches!(members, Some(Members::Equal | Members::Weight | Members::Full))
    };
    plan.split != Split::Refuse || plan.direct.iter().any(|rule| passes(rule.members))
}

fn split_warning(place: Place) -> Diagnostic {
    let message =
        "a deal may be split, and a manager of two of its sellers gets the first part only";
    let help = "add `duplicates = true` for the sum of the parts, or `duplicates = false` where one \
                credit a deal is meant";
    Diagnostic::warning(Code::CR067, place, message).with_help(help)
}

fn quota_warning(place: Place, plan: &str) -> Diagnostic {
    let message = "the tiers are shares of a quota, but no quota is defined";
    let help = format!("add rows for `{plan}` to organization/quotas.csv, or write amounts");
    Diagnostic::warning(Code::CR066, place, message).with_help(help)
}

/// Warns of a rate above 100 % that is not written in percent.
pub(super) fn warn_high_rate(report: &Findings, text: &PlacedText, rate: Decimal, percent: bool) {
    if percent || rate <= Decimal::ONE {
        return;
    }
    let in_percent = rate.saturating_mul(Decimal::ONE_HUNDRED).normalize();
    let message =
        format!("a rate of `{}` pays {in_percent} % of what is credited", text.text.trim());
    let whole = text.text.trim();
    let help = format!("write \"{whole}%\", or \"{in_percent}%\" if that is intended");
    report.push(Diagnostic::warning(Code::CR064, text.place.clone(), message).with_help(help));
}

/// Warns of a tier that ends within the first unit.
pub(super) fn warn_low_tier(report: &Findings, text: &PlacedText, limit: Decimal) {
    if limit > Decimal::ONE {
        return;
    }
    let percent = limit.saturating_mul(Decimal::ONE_HUNDRED).normalize();
    let message = format!("a tier that ends at `{}` ends within the first unit", text.text.trim());
    let help = format!("write \"{percent}%\" for a share of the quota, or an amount above 1");
    report.push(Diagnostic::warning(Code::CR065, text.place.clone(), message).with_help(help));
}

/// Warns of a policy that a plan chooses and that no rule of it uses.
pub(super) fn warn_unused_policy(report: &Findings, text: &PlacedText, kind: &str) {
    let message = format!("no rule of the plan uses its {kind} policy `{}`", text.text.trim());
    let help = "remove it; a rule or result with its own setting never uses the plan's";
    report.push(Diagnostic::warning(Code::CR068, text.place.clone(), message).with_help(help));
}

/// Warns of an organisation in which no one can be credited or paid.
pub(super) fn warn_unstaffed_organization(
    organization: &Organization,
    plans: &BTreeMap<PlanKey, Plan>,
    report: &Findings,
) {
    let positions = organization.positions().next().is_some();
    let teams = organization.teams.iter().next().is_some();
    let people = |plan: &&Plan| plan.measure == Measure::Individual;
    let warn = |file: &str, message: &str, help: &str| {
        report.push(
            Diagnostic::warning(Code::CR089, Place::whole_file(file), message).with_help(help),
        );
    };

    if plans.is_empty() {
        return;
    }
    if !positions && !teams {
        let help =
            "add people to organization/participants.csv: the header is `id,name,title,manager`";
        warn(
            "organization/participants.csv",
            "the organisation is empty: nobody can be credited",
            help,
        );
    } else if positions && plans.values().any(|plan| people(&plan)) && !organization.is_staffed() {
        let message = "no one holds a position: credits would have no payee";
        let help = "add rows `position,participant` to organization/assignments.csv";
        warn("organization/assignments.csv", message, help);
    }
}

/// Warns of rows of a file that say in `columns` what an earlier one says.
pub(super) fn warn_repeated<'s, 'a: 's>(
    rows: impl Iterator<Item = DefinitionRow<'s, 'a>>,
    columns: &[&'static str],
) {
    let mut known = HashSet::new();

    for row in rows {
        let words: Vec<String> = columns.iter().map(|column| fold_name(row.text(column))).collect();
        // Compared without case, since names mean the same so.
        if known.insert(words) {
            continue;
        }

        let offset = columns.first().map_or(0, |first| row.cell_offset(first));
        let (source, message) = (row.source(), "this row occurs twice");
        let help = "remove one of the two, or correct it";
        source
            .report
            .push(Diagnostic::warning(Code::CR090, source.place(offset), message).with_help(help));
    }
}
