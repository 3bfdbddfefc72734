//! `[[reward]]` of a plan: credit types, tiers, value, who gets it.
//!
//! Not its arithmetic (`domain::plan::reward`). Called by `plan`. Source: FORMAT section 3, DOMAIN
//! 2.19.
//!
//! **Architecture invariant:** limits of tiers are all amounts or all shares of the quota, and
//! grow, so that no part of a total is in two tiers.

use std::collections::HashSet;
use std::sync::Arc;

use accredit_domain::diagnostic::Code;
use accredit_domain::transaction::numbers;
use rust_decimal::Decimal;

use super::doubts;
use super::plan::{Defaults, Scope};
use super::result::{credit_type, only_credit_type};
use super::rule::once;
use super::setting::expression;
use super::toml::{Item, Table, Text, choice};
use accredit_domain::plan::Measure;
use accredit_domain::plan::reward::{Limit, Reward, Tier, Tiers, To, Worth};
use accredit_domain::policy::{Kind, Use};

/// Decimals of a rate or limit: with more, a product could be too fine for a decimal.
const DECIMALS_MAX: u32 = 12;

/// Reads the rewards of a plan in file order.
pub(super) fn read(root: &mut Table<'_>, defaults: &Defaults, scope: Scope<'_>) -> Vec<Reward> {
    let mut names = HashSet::new();
    let tables = root.tables("reward").into_iter();
    tables.filter_map(|table| reward(table, &mut names, defaults, scope)).collect()
}

fn reward(
    mut table: Table<'_>,
    names: &mut HashSet<String>,
    defaults: &Defaults,
    scope: Scope<'_>,
) -> Option<Reward> {
    let name = table.need_text("name");
    if let Some(name) = &name {
        once(table.report(), name, names, "reward");
    }

    // For people alone, and asked for so that it is no unknown key.
    let _description = table.text("description");
    let credit_types = match table.take("credit_type") {
        Some(item) => several(&table, &item, scope),
        None => only_credit_type(&table, scope).map(|only| vec![only]),
    };

    let to = to(&mut table, scope);
    let worth = worth(&mut table, defaults, scope);
    let maximum = table.take("maximum");
    let maximum = maximum.and_then(|item| expression(&item, Use::Reward, scope.names));

    table.finish();

    let name = Arc::from(name?.text);
    Some(Reward { name, credit_types: credit_types?, to: to?, worth: worth?, maximum })
}

fn several(table: &Table<'_>, item: &Item<'_>, scope: Scope<'_>) -> Option<Vec<Arc<str>>> {
    let texts = item.texts()?;
    if texts.is_empty() {
        item.refuse("a credit type, or a list of at least one");
        return None;
    }
    let types = texts.iter().filter_map(|text| credit_type(table, text, scope));
    let mut types: Vec<Arc<str>> = types.collect();
    types.sort();
    types.dedup();
    Some(types)
}

fn to(table: &mut Table<'_>, scope: Scope<'_>) -> Option<To> {
    let all = [To::Credited, To::Members, To::UserManagers, To::TeamManagers];
    let of_teams = scope.measure == Measure::Team;
    let Some(text) = table.text("to") else {
        return Some(if of_teams { To::Members } else { To::Credited });
    };

    let to = choice(table.report(), &text, &all.map(|to| (to.name(), to)))?;

    if to.of_teams() == of_teams {
        return Some(to);
    }

    let (who, help) = if of_teams {
        ("teams", "write `members` or `team-managers`")
    } else {
        ("people", "write `credited` or `user-managers`")
    };

    let message = format!("the plan measures {who}, so there are no `{}`", to.name());
    table.report().error(Code::CR024, text.place, message, help);
    None
}

fn worth(table: &mut Table<'_>, defaults: &Defaults, scope: Scope<'_>) -> Option<Worth> {
    let tiers = table.take("tiers");
    let value = table.take("value");
    let retroactive = table.take("retroactive");

    if let (None, Some(item)) = (&tiers, &retroactive) {
        let message = "`retroactive` says how tiers are read, and there are none".to_owned();
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

            let tiers = tiers_of(&item)?;
            if tiers.iter().any(|tier| matches!(tier.up_to, Some(Limit::OfQuota(_)))) {
                scope.doubts.asks_for_quota(place, scope.plan);
            }

            Some(Worth::Tiers(Tiers { tiers, retroactive: retroactive? }))
        }
        (None, Some(item)) => expression(&item, Use::Reward, scope.names).map(Worth::Program),
        (None, None) => match defaults.get(Kind::Reward) {
            Some(policy) => policy.map(Worth::Program),
            None => {
                let message = "the reward has neither `tiers` nor a `value`".to_owned();
                let help = "add one, or `policies = { reward = \"NAME\" }` to the plan";
                table.report().error(Code::CR023, table.place(), message, help);
                None
            }
        },
    }
}

fn tiers_of(item: &Item<'_>) -> Option<Vec<Tier>> {
    let items = item.list()?;
    if items.is_empty() {
        item.refuse("a list of at least one tier, such as [{ rate = \"10%\" }]");
        return None;
    }

    let mut tiers: Vec<Tier> = Vec::new();
    let mut whole = true;
    let last = items.len() - 1;

    for (index, item) in items.iter().enumerate() {
        let mut table = item.table()?;
        let up_to = table.text("up_to");
        let rate = table.need_text("rate");
        let place = table.place();
        table.finish();

        let rate = rate.and_then(|text| rate_of(item, &text));
        let limit = match &up_to {
            Some(text) => limit_of(item, text).map(Some),
            None if index == last || item.table().is_some_and(|tier| tier.has("up_to")) => {
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
            && !grows(before, limit)
        {
            let message = format!("`{}` does not lie above the tier before", text.text);
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

fn grows(before: Limit, limit: Limit) -> bool {
    match (before, limit) {
        (Limit::Amount(before), Limit::Amount(limit))
        | (Limit::OfQuota(before), Limit::OfQuota(limit)) => before < limit,
        _ => false,
    }
}

fn limit_of(item: &Item<'_>, text: &Text) -> Option<Limit> {
    let found = number(&text.text).filter(|(number, _)| *number > Decimal::ZERO);
    if found.is_none() {
        let message = format!("`{}` is not where a tier can end", text.text);
        let help = "write an amount above 0, such as \"10000\", or \"100%\" of the quota";
        item.report().error(Code::CR024, text.place.clone(), message, help);
    }

    let (number, percent) = found?;
    if percent {
        return Some(Limit::OfQuota(number));
    }

    doubts::tier(item.report(), text, number);
    Some(Limit::Amount(number))
}

fn rate_of(item: &Item<'_>, text: &Text) -> Option<Decimal> {
    let found = number(&text.text);
    if found.is_none() {
        let message = format!("`{}` is not a rate", text.text);
        item.report().error(Code::CR024, text.place.clone(), message, "write \"0.10\" or \"10%\"");
    }
    let (number, percent) = found?;
    doubts::rate(item.report(), text, number, percent);
    Some(number)
}

/// `0.10`, or `10%` as 0.1 and that it was a percentage.
fn number(text: &str) -> Option<(Decimal, bool)> {
    let (digits, percent) = match text.trim().strip_suffix('%') {
        Some(digits) => (digits.trim_end(), true),
        None => (text.trim(), false),
    };
    let number = numbers::number(digits)?;
    let number = if percent { number.checked_mul(Decimal::new(1, 2))? } else { number };
    let number = number.normalize();
    (number.scale() <= DECIMALS_MAX).then_some((number, percent))
}
