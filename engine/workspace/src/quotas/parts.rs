//! Quotas of a period against those of its parts: what differs, and what is missing.
//!
//! Not which row counts for a payee (`domain::plan::quota`, `crediting::reward::quota`). Called when
//! `quotas.csv` is read. Source: REWARDS section 3.
//!
//! **Architecture invariant:** only warnings, and only of rows that are there: whom nobody gave a
//! quota is not missing one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::mem::{Discriminant, discriminant};

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::super::plan::PlanScope;
use super::super::report::Findings;
use accredit_domain::calendar::{Calendar, Period, days_after};
use accredit_domain::diagnostic::{Code, Diagnostic, Place};
use accredit_domain::keys::{DefinedName, PeriodKey, PlanKey};
use accredit_domain::organization::{ParticipantId, PositionId, Recipient};
use accredit_domain::plan::reward::Reward;
use accredit_domain::plan::{Plan, Selector, selects_recipient};

/// A row of the file that counts.
#[derive(Debug)]
pub(super) struct QuotaRow {
    /// The plan's id.
    pub(super) plan: PlanKey,
    /// Who the quota is for, and as it is written.
    pub(super) target: (Selector, String),
    /// The period that it is for.
    pub(super) period: Period,
    /// How much.
    pub(super) amount: Decimal,
    /// The credit type that it is for; none for all.
    pub(super) credit_type: Option<DefinedName>,
    /// Where the row begins.
    pub(super) place: Place,
}

/// Rows of one plan, target and credit type, by period.
type QuotaSeries<'a> = BTreeMap<(Date, Date), &'a QuotaRow>;

/// The plan, target and credit type of a series.
type SeriesKey<'a> = (&'a PlanKey, &'a Selector, &'a Option<DefinedName>);

/// Warns of rows that differ from their parts, and of parts of a span without a row.
pub(super) fn check(
    rows: &[QuotaRow],
    plans: &BTreeMap<PlanKey, Plan>,
    scope: PlanScope<'_>,
    report: &Findings,
) {
    let calendar = &scope.settings.calendar;
    let mut series: HashMap<SeriesKey<'_>, QuotaSeries<'_>> = HashMap::new();
    for row in rows {
        let of = series.entry((&row.plan, &row.target.0, &row.credit_type)).or_default();
        of.insert((row.period.first, row.period.end), row);
    }

    let mut ordered: Vec<_> = series.iter().collect();
    ordered.sort_by_key(|(_, rows)| rows.values().map(|row| &row.place).min());

    let rows_by_period = RowsByPeriod::of(rows);
    let mut missing = MissingQuotas::default();
    for (key, rows) in ordered {
        rows.values().for_each(|row| warn_of_difference(row, rows, calendar, report));

        let Some(plan) = plans.get(key.0) else { continue };
        // A formula gives the quota wherever no row does.
        if plan.quota.is_none() {
            let look = SpanLook { plan, key: *key, rows, by_period: &rows_by_period, scope };
            look.note_missing(&mut missing);
        }
    }
    missing.report(report);
}

/// A period's own row against the sum of its parts.
fn warn_of_difference(
    row: &QuotaRow,
    rows: &QuotaSeries<'_>,
    calendar: &Calendar,
    report: &Findings,
) {
    let mut parts = Vec::new();
    collect_parts(&row.period, rows, calendar, &mut parts);
    let sum = parts.iter().try_fold(Decimal::ZERO, |sum, part| sum.checked_add(part.amount));
    let Some(sum) = sum.filter(|_| !parts.is_empty()) else { return };

    // A year that is divided by twelve leaves at most half of the last digit in every month.
    let digits = parts.iter().map(|part| part.amount.normalize().scale()).max().unwrap_or_default();
    let half = Decimal::try_new(5, digits.saturating_add(1)).unwrap_or_default();
    let rounding = half.saturating_mul(Decimal::from(parts.len()));
    if (sum - row.amount).abs() <= rounding {
        return;
    }

    let (period, target) = (&row.period.id, &row.target.1);
    let message = format!(
        "the quota of `{target}` in {period} is {}, and the quotas of its parts sum to {}",
        row.amount.normalize(),
        sum.normalize()
    );
    let help = format!(
        "correct {period} or its parts, or leave the row of {period} out: then it is the sum of \
         its parts"
    );
    report.push(Diagnostic::warning(Code::CR097, row.place.clone(), message).with_help(help));
}

/// The rows whose sum a period has without one of its own.
fn collect_parts<'a>(
    period: &Period,
    rows: &QuotaSeries<'a>,
    calendar: &Calendar,
    found: &mut Vec<&'a QuotaRow>,
) {
    for part in calendar.parts_of(period) {
        match rows.get(&(part.first, part.end)) {
            Some(row) => found.push(row),
            None => collect_parts(&part, rows, calendar, found),
        }
    }
}

/// The plan, period, target and credit type of a row.
type RowKey<'a> = (&'a PlanKey, &'a str, &'a Selector, Option<&'a DefinedName>);

/// What other rows there are in a period.
#[derive(Debug, Default)]
struct RowsByPeriod<'a> {
    exact: HashSet<RowKey<'a>>,
    kinds: HashMap<(&'a PlanKey, &'a str), HashSet<Discriminant<Selector>>>,
}

impl<'a> RowsByPeriod<'a> {
    fn of(rows: &'a [QuotaRow]) -> RowsByPeriod<'a> {
        let mut by_period = RowsByPeriod::default();
        for row in rows {
            let (target, period) = (&row.target.0, row.period.id.as_str());
            by_period.exact.insert((&row.plan, period, target, row.credit_type.as_ref()));
            let kinds = by_period.kinds.entry((&row.plan, period)).or_default();
            kinds.insert(discriminant(target));
        }
        by_period
    }
}

/// One series, while the spans that rewards read are looked at.
struct SpanLook<'a> {
    plan: &'a Plan,
    key: SeriesKey<'a>,
    rows: &'a QuotaSeries<'a>,
    by_period: &'a RowsByPeriod<'a>,
    scope: PlanScope<'a>,
}

impl<'a> SpanLook<'a> {
    fn note_missing(&self, missing: &mut MissingQuotas<'a>) {
        let (_, _, credit_type) = self.key;
        let counts = |reward: &&Reward| {
            credit_type.as_ref().is_none_or(|own| reward.credit_types.contains(own))
        };

        for reward in self.plan.rewards.iter().filter(counts) {
            let spans = self.rows.values().filter_map(|row| self.span_of(reward, &row.period));
            let spans: BTreeMap<Date, Period> = spans.map(|span| (span.first, span)).collect();
            spans.into_values().for_each(|span| self.note_span(reward, span, missing));
        }
    }

    /// The span around a period in which a reward reads quotas.
    fn span_of(&self, reward: &Reward, period: &Period) -> Option<Period> {
        let kind = reward.to_date.unwrap_or(self.plan.period);
        let span = self.calendar().period_on(period.first, kind);
        span.filter(|span| span.end >= period.end)
    }

    fn note_span(&self, reward: &Reward, span: Period, missing: &mut MissingQuotas<'a>) {
        let is_summed = reward.to_date.is_some() && !reward.whole_span_quota;
        let read = match is_summed {
            true => self.calendar().periods_within(&span, self.plan.period),
            false => vec![span],
        };

        let mut without = Vec::new();
        read.iter().for_each(|period| self.collect_missing(period, &mut without));
        without.retain(|period| self.is_expected(reward, period));
        if without.is_empty() {
            return;
        }

        let row = self.last_row_within(&span, is_summed);
        let Some((row, only_whole)) = row else { return };
        let without = without.into_iter().map(|period| period.id).collect();
        let span = MissingSpan { plan: &row.plan, span: span.id, without, is_summed, only_whole };
        missing.spans.entry(span).or_default().insert((&row.place, &row.target.1));
    }

    /// The last row of the span that counts, and whether it is the span's own, which a reward that
    /// sums its periods does not read.
    fn last_row_within(&self, span: &Period, is_summed: bool) -> Option<(&'a QuotaRow, bool)> {
        let within = |row: &&&QuotaRow| {
            let period = &row.period;
            span.first <= period.first && period.end <= span.end && period.id != span.id
        };
        let last = self.rows.values().filter(within).max_by_key(|row| &row.place);
        let whole = self.rows.get(&(span.first, span.end)).filter(|_| is_summed);
        last.map(|row| (*row, false)).or_else(|| whole.map(|row| (*row, true)))
    }

    /// The parts of a period that add nothing to its quota.
    fn collect_missing(&self, period: &Period, without: &mut Vec<Period>) {
        if self.has_row(period) {
            return;
        }
        let parts = self.calendar().parts_of(period);
        if parts.iter().any(|part| self.has_quota(part)) {
            parts.iter().for_each(|part| self.collect_missing(part, without));
        } else {
            without.push(*period);
        }
    }

    fn has_quota(&self, period: &Period) -> bool {
        self.has_row(period)
            || self.calendar().parts_of(period).iter().any(|part| self.has_quota(part))
    }

    /// Whether a row of the period is for the target, or could be: one for a title may fit a person.
    fn has_row(&self, period: &Period) -> bool {
        let (plan, target, credit_type) = self.key;
        let id = period.id.as_str();

        let kinds = self.by_period.kinds.get(&(plan, id));
        let own_kind = discriminant(target);
        if kinds.is_some_and(|kinds| kinds.iter().any(|kind| *kind != own_kind)) {
            return true;
        }

        let has = |of: Option<&DefinedName>| self.by_period.exact.contains(&(plan, id, target, of));
        let of_any_type = || self.scope.settings.credit_types.iter().any(|one| has(Some(one)));
        has(credit_type.as_ref()) || has(None) || (credit_type.is_none() && of_any_type())
    }

    /// Whether a quota is expected: the reward is in force, and someone is entitled to it.
    fn is_expected(&self, reward: &Reward, period: &Period) -> bool {
        let Some(last) = days_after(period.end, -1) else { return false };
        let in_force = [&self.plan.validity, &reward.validity]
            .into_iter()
            .all(|validity| validity.contains(last));
        in_force && [period.first, last].into_iter().any(|date| self.is_measured(reward, date))
    }

    /// Whether the plan and the reward measure the target on that day: a person without a position
    /// of theirs has no quota, nor has a vacant position.
    fn is_measured(&self, reward: &Reward, date: Date) -> bool {
        let organization = self.scope.organization;
        let positions = match self.key.1 {
            Selector::Participant(person) => {
                // Who has left and keeps old deals in another position has no new quota.
                let known = self.titles_with_rows(*person);
                let mut held = organization.positions_held_by(*person, date);
                held.retain(|position| known.contains(&self.title_on(*position, date)));
                held
            }
            Selector::Position(position) => {
                let holder = organization.holder_on(*position, date);
                holder.map(|_| *position).into_iter().collect()
            }
            Selector::All | Selector::Title(_) | Selector::Team(_) => return true,
        };

        positions.into_iter().any(|position| {
            let recipient = Recipient::Position(position);
            [&self.plan.targets, &reward.targets].into_iter().all(|targets| {
                targets.is_empty() || selects_recipient(targets, organization, recipient, date)
            })
        })
    }

    /// The titles that a person has at the beginning of periods with a row, or at their end where the
    /// person comes later.
    fn titles_with_rows(&self, person: ParticipantId) -> BTreeSet<&'a str> {
        let organization = self.scope.organization;
        let mut titles = BTreeSet::new();

        for period in self.rows.values().map(|row| &row.period) {
            let last = days_after(period.end, -1).unwrap_or(period.first);
            let held = [period.first, last]
                .map(|date| (date, organization.positions_held_by(person, date)))
                .into_iter()
                .find(|(_, positions)| !positions.is_empty());
            let Some((date, positions)) = held else { continue };
            titles.extend(positions.into_iter().map(|position| self.title_on(position, date)));
        }
        titles
    }

    fn title_on(&self, position: PositionId, date: Date) -> &'a str {
        let version = self.scope.organization.version_on(position, date);
        version.map(|version| &*version.title).unwrap_or_default()
    }

    fn calendar(&self) -> &'a Calendar {
        &self.scope.settings.calendar
    }
}

/// Periods without a row in a span that has some.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct MissingSpan<'a> {
    plan: &'a PlanKey,
    span: PeriodKey,
    /// The periods without one.
    without: Vec<PeriodKey>,
    /// Whether the reward sums the quotas of its periods.
    is_summed: bool,
    /// Whether the span has a row, and none of its periods.
    only_whole: bool,
}

/// What is missing, with the rows beside it and their targets: a team that is entered month by month
/// is one warning.
#[derive(Debug, Default)]
struct MissingQuotas<'a> {
    spans: BTreeMap<MissingSpan<'a>, BTreeSet<(&'a Place, &'a String)>>,
}

impl MissingQuotas<'_> {
    fn report(&self, report: &Findings) {
        for (missing, targets) in &self.spans {
            let Some((place, first)) = targets.first() else { continue };

            let names: BTreeSet<_> = targets.iter().map(|(_, name)| name).collect();
            let (span, periods) = (&missing.span, listed(&missing.without));
            let who = match names.len() {
                0 | 1 => format!("`{first}` has"),
                count => format!("`{first}` and {} more have", count - 1),
            };
            let message = format!("{who} a quota in {span}, but none in {periods}");

            let help = match (missing.is_summed, missing.only_whole) {
                (true, true) => format!(
                    "the reward sums the quotas of its periods: write rows for them, or \
                     `quota = \"span\"` at the reward to compare with {span}"
                ),
                (true, false) => {
                    "the reward sums the quotas of its periods: write a row for each".to_owned()
                }
                (false, _) => format!("write a row for each, or one row for {span}"),
            };
            let finding = Diagnostic::warning(Code::CR098, (*place).clone(), message);
            report.push(finding.with_help(help));
        }
    }
}

/// The first periods of a list, and how many there are.
fn listed(periods: &[PeriodKey]) -> String {
    match periods {
        [first, second, third, _, ..] => {
            format!("{first}, {second}, {third} and {} more", periods.len() - 3)
        }
        few => few.join(", "),
    }
}
