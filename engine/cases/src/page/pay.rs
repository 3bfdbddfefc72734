//! What credits are worth: rewards with their rates, draws and guarantees, late credits.
//!
//! Not what a payee earned (`example`). Called by `page`.

use super::markdown::Page;
use super::wording::{Wording, limited_to, listed, percent_words, rate_words};
use accredit_domain::plan::reward::{
    Draw, LateRewards, PayoutFormula, Reward, RewardRecipient, Tier, TierLimit, Tiers,
};
use rust_decimal::Decimal;

/// Rewards and draws of the plan, and where late credits are paid.
pub(super) fn write_pay(page: &mut Page, words: Wording<'_>) {
    let plan = words.plan;
    page.heading(2, "What is paid");
    if !plan.pays() {
        page.text("The plan credits and pays nothing.");
        return;
    }

    plan.rewards.iter().for_each(|reward| write_reward(page, words, reward));
    plan.draws.iter().for_each(|draw| write_draw(page, words, draw));

    page.heading(3, "Late and corrected deals");
    page.text(match plan.late {
        LateRewards::Own => {
            "A deal that is late or corrected counts in the period of its incentive date. If that \
             period is closed, the difference is paid in the earliest open period."
        }
        LateRewards::Posted => {
            "A deal that is late or corrected counts in the period in which it is posted: the \
             earliest open one."
        }
    });
    if plan.carry_negative {
        page.text(
            "If the rows of a period add up to less than zero, nothing is paid, and the rest is \
             carried to the next periods.",
        );
    }
}

fn write_reward(page: &mut Page, words: Wording<'_>, reward: &Reward) {
    page.heading(3, &reward.name);

    let types: Vec<String> = reward.credit_types.iter().map(|name| format!("`{name}`")).collect();
    let to = match reward.to {
        RewardRecipient::Credited => "the payee of the credits",
        RewardRecipient::Members => "the members of the credited team",
        RewardRecipient::UserManagers => "the manager of the credited position",
        RewardRecipient::TeamManagers => "the manager of the credited team",
    };
    let dates = limited_to(reward.validity);
    page.text(&format!("Counts {} credits and pays {to}{dates}.", listed(&types)));

    let targets = words.selection(&reward.targets);
    if targets != "everyone" && !targets.is_empty() {
        page.text(&format!("Only for {targets}."));
    }

    match &reward.worth {
        PayoutFormula::Tiers(tiers) => write_tiers(page, tiers),
        PayoutFormula::TableTiers(table) => {
            page.text(&format!("The rates are in the table `{}`, below.", table.table));
            page.text(retroactive_words(table.retroactive));
        }
        PayoutFormula::Program(value) => page.text(&format!("Pays {}.", words.value(*value))),
    }

    if let Some(maximum) = reward.maximum {
        page.text(&format!("Pays at most {}.", words.value(maximum)));
    }
    if let Some(span) = reward.to_date {
        let quota = if reward.whole_span_quota {
            "the quota of the whole"
        } else {
            "the quota so far in the"
        };
        page.text(&format!(
            "Credits are added up from the first day of the {span}; what earlier periods of the \
             {span} earned is subtracted. They are compared with {quota} {span}.",
            span = span.name(),
        ));
    }
    if reward.everyone {
        page.text("Everyone the plan is for has a row, with credits or without.");
    }
}

fn retroactive_words(retroactive: bool) -> &'static str {
    match retroactive {
        true => "The rate of the row that is reached holds for the whole sum.",
        false => "Each part of the sum is paid at the rate of its row.",
    }
}

fn write_tiers(page: &mut Page, tiers: &Tiers) {
    let rows = tier_rows(&tiers.tiers);
    page.table(&["credits", "rate"], &rows, usize::MAX);
    if rows.len() > 1 {
        page.text(retroactive_words(tiers.retroactive));
    }
}

/// A row for each tier, with its limits.
pub(super) fn tier_rows(tiers: &[Tier]) -> Vec<Vec<String>> {
    let mut from = "0".to_owned();
    let mut rows = Vec::new();
    for tier in tiers {
        let range = match tier.up_to {
            Some(limit) => {
                let to = limit_words(limit);
                let range = format!("from {from} to {to}");
                from = to;
                range
            }
            None => format!("from {from}"),
        };
        rows.push(vec![range, rate_words(tier.rate)]);
    }
    rows
}

fn limit_words(limit: TierLimit) -> String {
    match limit {
        TierLimit::Amount(amount) => amount.normalize().to_string(),
        TierLimit::OfQuota(share) => {
            let percent = share.checked_mul(Decimal::ONE_HUNDRED).unwrap_or(share);
            format!("{} of the quota", percent_words(percent))
        }
    }
}

fn write_draw(page: &mut Page, words: Wording<'_>, draw: &Draw) {
    page.heading(3, &draw.name);

    let kind = if draw.recoverable { "A draw" } else { "A guarantee" };
    let covered = match &draw.covers {
        None => "all rewards of the plan".to_owned(),
        Some(names) => listed(&names.iter().map(ToString::to_string).collect::<Vec<_>>()),
    };
    let (amount, period) = (words.value(draw.amount), words.plan.period.name());
    let dates = limited_to(draw.validity);
    page.text(&format!(
        "{kind}: if the sum of {covered} in a {period} is less than {amount}, the payee is paid \
         the rest{dates}."
    ));

    let targets = words.selection(&draw.targets);
    if targets != "everyone" && !targets.is_empty() {
        page.text(&format!("Only for {targets}."));
    }

    match (draw.recoverable, draw.recover_at_most) {
        (false, _) => page.text("Nothing of it is owed."),
        (true, None) => page.text("It is owed, and periods that earn more pay it back."),
        (true, Some(most)) => page.text(&format!(
            "It is owed, and periods that earn more pay it back, at most {} a {period}.",
            most.normalize(),
        )),
    }
}
