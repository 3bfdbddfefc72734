//! `[[reward]]` of a plan: credit types, tiers, value, who gets it; `draw` reads `[[draw]]`.
//!
//! Not its arithmetic (`domain::plan::reward`). Called by `plan`. Source: FORMAT section 3, DOMAIN
//! 2.19.
//!
//! **Architecture invariant:** limits of tiers are all amounts or all shares of the quota, and
//! grow, so that no part of a total is in two tiers.

mod draw;
mod table;

use std::collections::HashSet;
use std::sync::Arc;

use accredit_domain::diagnostic::Code;
use accredit_domain::keys::DefinedName;
use accredit_domain::transaction::numbers;
use rust_decimal::Decimal;

use super::doubts;
use super::plan::{PlanDefaults, PlanScope};
use super::result::{find_credit_type, only_credit_type};
use super::rule::check_unique_name;
use super::selector::read_selectors;
use super::setting::read_expression;
use super::toml::{PlacedText, TomlItem, TomlTable, parse_choice};
use accredit_domain::calendar::{PeriodKind, Validity};
use accredit_domain::plan::reward::{
    Draw, LateRewards, PayoutFormula, Reward, RewardRecipient, TableTiers, Tier, TierLimit, Tiers,
};
use accredit_domain::plan::{Measure, Selector};
use accredit_domain::policy::{ExpressionUse, PolicyKind, ProgramId};

/// Decimals of a rate or limit: with more, a product could be too fine for a decimal.
const DECIMALS_MAX: u32 = 12;

/// What a plan says about all of its rewards.
pub(super) struct PlanPayKeys {
    /// `late`.
    pub(super) late: LateRewards,
    /// `quota`, or the quota policy of the plan.
    pub(super) quota: Option<ProgramId>,
    /// `prorate`.
    pub(super) prorate: bool,
    /// `carry_negative`.
    pub(super) carry_negative: bool,
}

/// Reads the keys of a plan that are about all of its rewards.
pub(super) fn read_plan_keys(
    root: &mut TomlTable<'_>,
    defaults: &PlanDefaults,
    scope: PlanScope<'_>,
) -> PlanPayKeys {
    let periods = [("own", LateRewards::Own), ("posted", LateRewards::Posted)];
    let late = root.take_text("late");
    let late = late.and_then(|text| parse_choice(root.report(), &text, &periods));

    let quota = match root.take("quota") {
        Some(item) => read_expression(&item, ExpressionUse::PayeeNumber, scope.names),
        None => defaults.get(PolicyKind::Quota).flatten(),
    };

    PlanPayKeys {
        late: late.unwrap_or_default(),
        quota,
        prorate: root.take_flag("prorate"),
        carry_negative: root.take_flag("carry_negative"),
    }
}

/// Reads the rewards and draws of a plan in file order; `targets` are those of the plan.
pub(super) fn read(
    root: &mut TomlTable<'_>,
    defaults: &PlanDefaults,
    targets: &[Selector],
    scope: PlanScope<'_>,
) -> (Vec<Reward>, Vec<Draw>) {
    let mut names = HashSet::new();
    let tables = root.take_tables("reward").into_iter();
    let rewards = tables.filter_map(|table| read_reward(table, &mut names, defaults, scope));
    let rewards: Vec<Reward> = rewards.collect();

    let draws = draw::read(root, &mut names, (&rewards, targets), scope);
    (rewards, draws)
}

fn read_reward(
    mut table: TomlTable<'_>,
    names: &mut HashSet<String>,
    defaults: &PlanDefaults,
    scope: PlanScope<'_>,
) -> Option<Reward> {
    let name = table.take_needed_text("name");
    if let Some(name) = &name {
        check_unique_name(table.report(), name, names, "reward");
    }

    // For people alone, and asked for so that it is no unknown key.
    let _description = table.take_text("description");
    let credit_types = match table.take("credit_type") {
        Some(item) => read_credit_types(&table, &item, scope),
        None => only_credit_type(&table, scope).map(|only| vec![only]),
    };

    let (to, validity) = read_recipient_and_dates(&mut table, scope);
    let targets = read_selectors(&mut table, "targets", scope);
    let everyone = table.take_flag("everyone");
    let (to_date, whole_span_quota) = read_span(&mut table);

    let worth = read_payout_formula(&mut table, defaults, credit_types.as_deref(), scope);
    let maximum = table.take("maximum");
    let maximum =
        maximum.and_then(|item| read_expression(&item, ExpressionUse::Reward, scope.names));

    table.finish();

    let name = Arc::from(name?.text);
    Some(Reward {
        name,
        credit_types: credit_types?,
        to: to?,
        worth: worth?,
        maximum,
        validity,
        targets,
        to_date,
        whole_span_quota,
        everyone,
    })
}

/// `to_date`, and whether `quota = "span"` measures by the quota of the whole span.
fn read_span(table: &mut TomlTable<'_>) -> (Option<PeriodKind>, bool) {
    let spans = [("quarter", PeriodKind::Quarter), ("year", PeriodKind::Year)];
    let to_date =
        table.take_text("to_date").and_then(|text| parse_choice(table.report(), &text, &spans));

    let Some(quota) = table.take_text("quota") else { return (to_date, false) };
    let choices = [("to_date", false), ("span", true)];
    let whole = parse_choice(table.report(), &quota, &choices).unwrap_or_default();

    if to_date.is_none() {
        let message = "`quota` says which quota counts to date, but the reward is not to date";
        let help = "add `to_date = \"quarter\"` or `\"year\"`, or leave it out";
        table.report().error(Code::CR024, quota.place, message.to_owned(), help);
    }
    (to_date, whole)
}

fn read_credit_types(
    table: &TomlTable<'_>,
    item: &TomlItem<'_>,
    scope: PlanScope<'_>,
) -> Option<Vec<DefinedName>> {
    let texts = item.expect_texts()?;
    if texts.is_empty() {
        item.refuse("a credit type, or a list of at least one");
        return None;
    }
    let types = texts.iter().filter_map(|text| find_credit_type(table, text, scope));
    let mut types: Vec<DefinedName> = types.collect();
    types.sort();
    types.dedup();
    Some(types)
}

/// Who is paid and when the reward is in force. `to` is the recipient where it is text and the last
/// day where it is a date; a reward that needs both writes the day as `until`.
fn read_recipient_and_dates(
    table: &mut TomlTable<'_>,
    scope: PlanScope<'_>,
) -> (Option<RewardRecipient>, Validity) {
    let from = table.take_date("from");
    let mut last_day = table.take_date("until");

    let of_teams = scope.measure == Measure::Team;
    let default = if of_teams { RewardRecipient::Members } else { RewardRecipient::Credited };
    let mut recipient = Some(default);
    match table.take("to") {
        Some(item) if item.as_date().is_some() => last_day = last_day.or(item.as_date()),
        Some(item) => recipient = read_reward_recipient(&item, scope),
        None => {}
    }

    if let (Some(from), Some(last)) = (from, last_day)
        && last < from
    {
        let message = format!("the reward ends on {last}, before `from`, which is {from}");
        table.report().error(Code::CR024, table.place(), message, "both days are included");
    }
    (recipient, Validity::from_inclusive(from, last_day))
}

fn read_reward_recipient(item: &TomlItem<'_>, scope: PlanScope<'_>) -> Option<RewardRecipient> {
    let all = [
        RewardRecipient::Credited,
        RewardRecipient::Members,
        RewardRecipient::UserManagers,
        RewardRecipient::TeamManagers,
    ];
    let of_teams = scope.measure == Measure::Team;
    let text = item.expect_text()?;
    let to = parse_choice(item.report(), &text, &all.map(|to| (to.as_str(), to)))?;

    if to.of_teams() == of_teams {
        return Some(to);
    }

    let (who, help) = if of_teams {
        ("teams", "write `members` or `team-managers`")
    } else {
        ("people", "write `credited` or `user-managers`")
    };

    let message = format!("the plan measures {who}, so there are no `{}`", to.as_str());
    item.report().error(Code::CR024, text.place, message, help);
    None
}

fn read_payout_formula(
    table: &mut TomlTable<'_>,
    defaults: &PlanDefaults,
    credit_types: Option<&[DefinedName]>,
    scope: PlanScope<'_>,
) -> Option<PayoutFormula> {
    let tiers = table.take("tiers");
    let value = table.take("value");
    let retroactive = table.take("retroactive");

    if let (None, Some(item)) = (&tiers, &retroactive) {
        let message = "`retroactive` says how tiers apply, but there are no tiers".to_owned();
        item.report().error(Code::CR024, item.place(), message, "add `tiers`, or leave it out");
    }

    match (tiers, value) {
        (Some(_), Some(value)) => {
            let message = "a reward has `tiers` or a `value`, not both".to_owned();
            value.report().error(Code::CR024, value.place(), message, "keep one of them");
            None
        }
        (Some(item), None) => {
            let place = table.place();
            let retroactive = match retroactive {
                Some(flag) => flag.as_flag().or_else(|| {
                    flag.refuse("true or false");
                    None
                }),
                None => Some(false),
            };

            if let Some(text) = item.as_text() {
                let table = table::find_tiers(&item, &text, credit_types, scope)?;
                if scope.tables.tiers.get(&table).is_some_and(|tiers| tiers.asks_for_quota()) {
                    scope.doubts.asks_for_quota(place, scope.plan);
                }
                let tiers = TableTiers { table, retroactive: retroactive? };
                return Some(PayoutFormula::TableTiers(tiers));
            }

            let tiers = read_tiers(&item)?;
            if tiers.iter().any(|tier| matches!(tier.up_to, Some(TierLimit::OfQuota(_)))) {
                scope.doubts.asks_for_quota(place, scope.plan);
            }

            Some(PayoutFormula::Tiers(Tiers { tiers, retroactive: retroactive? }))
        }
        (None, Some(item)) => {
            read_expression(&item, ExpressionUse::Reward, scope.names).map(PayoutFormula::Program)
        }
        (None, None) => match defaults.get(PolicyKind::Reward) {
            Some(policy) => policy.map(PayoutFormula::Program),
            None => {
                let message = "the reward has neither `tiers` nor a `value`".to_owned();
                let help = "add one, or `policies = { reward = \"NAME\" }` to the plan";
                table.report().error(Code::CR023, table.place(), message, help);
                None
            }
        },
    }
}

fn read_tiers(item: &TomlItem<'_>) -> Option<Vec<Tier>> {
    let items = item.expect_list()?;
    if items.is_empty() {
        item.refuse("a list of at least one tier, such as [{ rate = \"10%\" }]");
        return None;
    }

    let mut tiers: Vec<Tier> = Vec::new();
    let mut whole = true;
    let last = items.len() - 1;

    for (index, item) in items.iter().enumerate() {
        let mut table = item.expect_table()?;
        let up_to = table.take_text("up_to");
        let rate = table.take_needed_text("rate");
        let place = table.place();
        table.finish();

        let rate = rate.and_then(|text| parse_rate(item, &text));
        let limit = match &up_to {
            Some(text) => parse_limit(item, text).map(Some),
            None if index == last
                || item.expect_table().is_some_and(|tier| tier.has_key("up_to")) =>
            {
                // A limit that is no text is reported where it stands.
                (index == last).then_some(None)
            }
            None => {
                let message = "only the last tier may have no `up_to`".to_owned();
                item.report().error(Code::CR023, place, message, "say where this one ends");
                None
            }
        };

        let before = tiers.last().and_then(|tier| tier.up_to);
        if let (Some(text), Some(Some(limit)), Some(before)) = (&up_to, limit, before)
            && !is_above(before, limit)
        {
            let message = format!("`{}` is not above the tier before", text.text);
            let help = "limits grow, and are all amounts or all percentages of the quota";
            item.report().error(Code::CR024, text.place.clone(), message, help);
            whole = false;
        }

        match (limit, rate) {
            (Some(up_to), Some(rate)) => tiers.push(Tier { up_to, rate }),
            _ => whole = false,
        }
    }

    whole.then_some(tiers)
}

fn is_above(before: TierLimit, limit: TierLimit) -> bool {
    match (before, limit) {
        (TierLimit::Amount(before), TierLimit::Amount(limit))
        | (TierLimit::OfQuota(before), TierLimit::OfQuota(limit)) => before < limit,
        _ => false,
    }
}

fn parse_limit(item: &TomlItem<'_>, text: &PlacedText) -> Option<TierLimit> {
    let found = parse_number_or_percent(&text.text).filter(|(number, _)| *number > Decimal::ZERO);
    if found.is_none() {
        let message = format!("`{}` is not a valid end of a tier", text.text);
        let help = "write an amount above 0, such as \"10000\", or \"100%\" of the quota";
        item.report().error(Code::CR024, text.place.clone(), message, help);
    }

    let (number, percent) = found?;
    if percent {
        return Some(TierLimit::OfQuota(number));
    }

    doubts::warn_low_tier(item.report(), text, number);
    Some(TierLimit::Amount(number))
}

fn parse_rate(item: &TomlItem<'_>, text: &PlacedText) -> Option<Decimal> {
    let found = parse_number_or_percent(&text.text);
    if found.is_none() {
        let message = format!("`{}` is not a rate", text.text);
        item.report().error(Code::CR024, text.place.clone(), message, "write \"0.10\" or \"10%\"");
    }
    let (number, percent) = found?;
    doubts::warn_high_rate(item.report(), text, number, percent);
    Some(number)
}

/// `0.10`, or `10%` as 0.1 and that it was a percentage.
fn parse_number_or_percent(text: &str) -> Option<(Decimal, bool)> {
    let (digits, percent) = match text.trim().strip_suffix('%') {
        Some(digits) => (digits.trim_end(), true),
        None => (text.trim(), false),
    };
    let number = numbers::parse_number(digits)?;
    let number = if percent { number.checked_mul(Decimal::new(1, 2))? } else { number };
    let number = number.normalize();
    (number.scale() <= DECIMALS_MAX).then_some((number, percent))
}
