//! Rewards as lines that both sides are written as.

use serde_json::Value;

use super::Results;
use super::lines::{Keys, YEAR, text};
use super::naive::amounts;
use super::naive::draws::Balance;
use super::naive::history::{Line, Year, year};
use super::naive::periods;
use super::naive::rewards::Paid;
use super::rewards::Formula as F;
use super::rewards::{Formula, Reward, To, Worth};
use super::world::{Pays, Plan, Span, World};

/// What some world must reach.
pub(crate) const WANTED: &[&str] = &[
    "reward: credited",
    "reward: user managers",
    "reward: members",
    "reward: team managers",
    "reward: retroactive tiers",
    "reward: cumulative tiers",
    "reward: tiers of a table",
    "reward: an expression",
    "reward: a policy",
    "reward: the plan's policy",
    "reward: a quota",
    "reward: shares of a quota",
    "reward: a maximum",
    "reward: exchanged",
    "reward: below zero",
    "reward: several credit types",
    "reward: several credits",
    "reward: after a finalization",
    "reward: a frozen period is corrected",
    "reward: a target without credits",
    "reward: a plan by quarters",
    "reward: a plan by years",
    "reward: to date",
    "reward: the quota of a span",
    "reward: everyone",
    "reward: some days only",
    "reward: some targets only",
    "reward: a quota of a credit type",
    "reward: a quota by days",
    "reward: late as posted",
    "reward: earned before in the plan",
    "reward: paid before in the year",
    "reward: a standing",
    "reward: a count of deals",
    "reward: a draw",
    "reward: a draw is corrected",
    "reward: a guarantee",
    "reward: carried",
    "reward: recovered of a draw",
    "reward: recovered of what was carried",
    "reward: a balance",
    "reward: a balance that stays",
    "reward: a vacant manager",
    "reward: a team without anybody",
    "reward: no quota",
    "reward: a policy fails",
    "reward: without a rate",
];

/// How the rewards of a plan differ in the year's periods; what they reached.
pub(crate) fn difference(
    world: &World,
    place: usize,
    results: &Results,
    reached: &mut Vec<&'static str>,
) -> Option<String> {
    let plan = &world.plans[place];
    if !plan.pays() {
        return None;
    }
    let results_of = &results.periods[place];
    let naive = year(world, &periods::leaves(&world.calendar), plan, YEAR);
    let mut left: Vec<String> =
        naive.lines.iter().map(|row| line(world, row, &results.keys)).collect();
    let rows = results_of.iter().flat_map(|result| result["rewards"].as_array().unwrap());
    let mut right: Vec<String> = rows.map(|row| engine_line(row, &results.keys)).collect();
    left.extend(naive.balances.iter().map(|row| balance(world, row)));
    let owed = results_of.iter().flat_map(|result| result["balances"].as_array().unwrap());
    right.extend(owed.clone().map(engine_balance));
    if let Some(below) = owed.into_iter().find(|row| text(row, "balance").starts_with('-')) {
        return Some(format!("plan {}: a balance is below zero: {below:#}", plan.id));
    }
    left.sort();
    right.sort();
    let (told, said) = (told(&naive), said(&naive, results_of));
    if left != right || told != said {
        return Some(format!(
            "plan {}\nnaive:\n  {}\n  {told:?}\nengine:\n  {}\n  {said:?}\n{:?}\n",
            plan.id,
            left.join("\n  "),
            right.join("\n  "),
            results_of.iter().map(|result| &result["alerts"]).collect::<Vec<_>>(),
        ));
    }
    of_year(world, place, &naive, reached);
    None
}

fn balance(world: &World, row: &Balance) -> String {
    let [name, payee, unit] = &row.account;
    let scale = world.scale_of(unit) as usize;
    let (before, after) = (row.before, row.after);
    format!(
        "{} {payee} owes of {name}: {before:.scale$} {:+.scale$} {after:.scale$} {unit}",
        row.period,
        after - before,
    )
}

fn engine_balance(row: &Value) -> String {
    let of = |key| text(row, key);
    let sign = if of("change").starts_with('-') { "" } else { "+" };
    format!(
        "{} {} owes of {}: {} {sign}{} {} {}",
        of("period"),
        of("payee"),
        of("name"),
        of("opening"),
        of("change"),
        of("balance"),
        of("unit_type"),
    )
}

fn line(world: &World, row: &Line, keys: &Keys) -> String {
    let paid = &row.paid;
    let whose = format!(
        "{} {} of {}: {} team {:?}",
        row.period,
        row.origin,
        row.corrects.as_deref().unwrap_or(""),
        paid.payee,
        paid.team.as_deref().unwrap_or(""),
    );
    let amount = format!(
        "{} pays {:.*} {}",
        paid.reward,
        world.scale_of(&paid.unit) as usize,
        paid.amount,
        paid.unit
    );
    if row.origin != "calculated" {
        return format!("{whose} {amount}");
    }
    let scale = world.scale_of(&paid.credited_unit);
    let quota = paid.quota.map(|quota| {
        let attained = paid.credited.checked_div(quota);
        let attained = attained.map(|share| format!("{:.4}", amounts::round(share, 4)));
        let attained = attained.unwrap_or_default();
        format!(
            "{:.*} attained {attained}",
            scale as usize,
            amounts::round(quota.round_dp(12), scale)
        )
    });
    // A frozen row may name credits of periods that were open, and that are gone since.
    let mut credits = paid.credits.clone();
    for key in credits.iter_mut().filter(|key| !keys.stands(key)) {
        "gone".clone_into(key);
    }
    credits.sort();
    format!(
        "{whose} {amount} {} {:.*} {} quota {} for {credits:?}",
        paid.credit_types.join(";"),
        scale as usize,
        paid.credited,
        paid.credited_unit,
        quota.as_deref().unwrap_or(" attained "),
    )
}

fn engine_line(row: &Value, keys: &Keys) -> String {
    let of = |key| text(row, key);
    let whose = format!(
        "{} {} of {}: {} team {:?}",
        of("period"),
        of("origin"),
        of("corrects"),
        of("payee"),
        of("team"),
    );
    let amount = format!("{} pays {} {}", of("reward"), of("amount"), of("unit_type"));
    if of("origin") != "calculated" {
        return format!("{whose} {amount}");
    }
    let ids = row["credits"].as_array().unwrap().iter();
    let mut credits: Vec<String> = ids.map(|id| keys.get(id.as_str().unwrap())).collect();
    for key in credits.iter_mut().filter(|key| key.starts_with("nothing called")) {
        "gone".clone_into(key);
    }
    credits.sort();
    format!(
        "{whose} {amount} {} {} {} quota {} attained {} for {credits:?}",
        of("credit_type"),
        of("credited"),
        of("credited_unit_type"),
        of("quota"),
        of("attainment"),
    )
}

/// Codes of alerts and the rewards that they are about, once each.
fn told(naive: &Year) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> =
        naive.alerts.iter().map(|(code, reward)| ((*code).to_owned(), reward.clone())).collect();
    all.sort();
    all.dedup();
    all
}

fn said(naive: &Year, results: &[Value]) -> Vec<(String, String)> {
    let is_open = |result: &&Value| !naive.frozen.iter().any(|id| id == text(result, "period"));
    let alerts =
        results.iter().filter(is_open).flat_map(|result| result["alerts"].as_array().unwrap());
    let counts = |alert: &&Value| {
        // Who left with a balance is no matter of a period's amounts.
        text(alert, "stage") == "reward" && text(alert, "code") != "open_balance"
    };
    let alerts = alerts.filter(counts);
    let one = |alert: &Value| {
        let whose = text(alert, "message").split('`').nth(1).unwrap_or("").to_owned();
        (text(alert, "code").to_owned(), whose)
    };
    let mut all: Vec<(String, String)> = alerts.map(one).collect();
    all.sort();
    all.dedup();
    all
}

/// What the payments of a plan reached.
fn of_year(world: &World, place: usize, all: &Year, reached: &mut Vec<&'static str>) {
    let plan = &world.plans[place];
    for (code, _) in &all.alerts {
        reached.push(match *code {
            "vacant" => "reward: a vacant manager",
            "unmatched" => "reward: a team without anybody",
            "no_quota" => "reward: no quota",
            "policy_error" => "reward: a policy fails",
            _ => "reward: without a rate",
        });
    }
    for row in &all.balances {
        reached.push("reward: a balance");
        reached.extend((row.before == row.after).then_some("reward: a balance that stays"));
    }
    for row in &all.lines {
        reached.extend((row.origin == "retro").then_some("reward: a frozen period is corrected"));
        let paid = &row.paid;
        if row.origin == "draw" || row.origin == "carried" {
            reached.push(of_balance(plan, row));
            continue;
        }
        let Some(reward) = plan.rewards.iter().find(|reward| reward.name == paid.reward) else {
            reached.push("reward: a draw is corrected");
            continue;
        };
        reached.push(match (plan.teams, reward.to) {
            (false, None | Some(To::Credited)) => "reward: credited",
            (false, Some(_)) => "reward: user managers",
            (true, None | Some(To::Members)) => "reward: members",
            (true, Some(_)) => "reward: team managers",
        });
        reached.push(match &reward.worth {
            Worth::Tiers(_, Some(true)) => "reward: retroactive tiers",
            Worth::Tiers(..) => "reward: cumulative tiers",
            Worth::Table(_) => "reward: tiers of a table",
            Worth::Value(_) => "reward: an expression",
            Worth::Policy(_) => "reward: a policy",
            Worth::Default => "reward: the plan's policy",
        });
        let shares = |worth: &Worth| match worth {
            Worth::Tiers(tiers, _) => {
                tiers.iter().any(|t| t.up_to.is_some_and(|u| u.contains('%')))
            }
            Worth::Value(f) | Worth::Policy(f) => matches!(f, Formula::Attained(_)),
            Worth::Table(_) | Worth::Default => false,
        };
        over_time(world, plan, (reward, paid), reached);
        let other = paid.unit != paid.credited_unit;
        let negative = paid.credited.is_sign_negative() && !paid.amount.is_zero();
        for (is_so, name) in [
            (paid.quota.is_some(), "reward: a quota"),
            (shares(&reward.worth), "reward: shares of a quota"),
            (reward.maximum.is_some(), "reward: a maximum"),
            (other, "reward: exchanged"),
            (negative, "reward: below zero"),
            (paid.credit_types.len() > 1, "reward: several credit types"),
            (paid.credits.len() > 1, "reward: several credits"),
            (paid.credits.is_empty(), "reward: a target without credits"),
            (!world.finalized.is_empty(), "reward: after a finalization"),
        ] {
            reached.extend(is_so.then_some(name));
        }
    }
}

/// What a row of a draw, or of what is carried, reached.
fn of_balance(plan: &Plan, row: &Line) -> &'static str {
    let (mut draws, back) = (plan.draws.iter(), row.paid.amount.is_sign_negative());
    let recoverable = draws.any(|draw| draw.recoverable && draw.name == row.paid.reward);
    match (row.origin, recoverable, back) {
        ("carried", _, true) => "reward: recovered of what was carried",
        ("carried", _, false) => "reward: carried",
        (_, true, true) => "reward: recovered of a draw",
        (_, true, false) => "reward: a draw",
        _ => "reward: a guarantee",
    }
}

/// What a row reached of rewards over time.
fn over_time(
    world: &World,
    plan: &Plan,
    (reward, paid): (&Reward, &Paid),
    reached: &mut Vec<&'static str>,
) {
    let run = match &reward.worth {
        Worth::Value(formula) | Worth::Policy(formula) => Some(*formula),
        Worth::Default => plan.pays,
        Worth::Tiers(..) | Worth::Table(_) => None,
    };
    let typed = world.quotas.iter().any(|q| q.plan == plan.id && !q.credit_type.is_empty());
    for (is_so, name) in [
        (plan.by == Pays::Quarter, "reward: a plan by quarters"),
        (plan.by == Pays::Year, "reward: a plan by years"),
        (reward.to_date.is_some(), "reward: to date"),
        (reward.of_span && paid.quota.is_some(), "reward: the quota of a span"),
        (reward.everyone && paid.quota.is_none(), "reward: everyone"),
        (reward.span != Span::default(), "reward: some days only"),
        (!reward.targets.is_empty(), "reward: some targets only"),
        (paid.quota.is_some() && typed, "reward: a quota of a credit type"),
        (paid.quota.is_some() && plan.prorate, "reward: a quota by days"),
        (plan.posted && !world.finalized.is_empty(), "reward: late as posted"),
        (matches!(run, Some(F::Capped(_) | F::OfFirst(_))), "reward: earned before in the plan"),
        (matches!(run, Some(F::OfYear(_))), "reward: paid before in the year"),
        (matches!(run, Some(F::Placed(_))), "reward: a standing"),
        (matches!(run, Some(F::Deals(_))), "reward: a count of deals"),
    ] {
        reached.extend(is_so.then_some(name));
    }
}
