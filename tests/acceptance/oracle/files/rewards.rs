//! Rewards in a plan's file, their policies, and `quotas.csv`.

use std::fmt::Write;

use super::{quoted, tables};
use crate::oracle::rewards::{Formula, Reward, To, Worth};
use crate::oracle::world::{Pays, Plan, World};

/// The expression; it is the body of a policy as well.
fn formula(formula: Formula) -> String {
    let credited = "totals.credited";
    match formula {
        Formula::Fixed(amount) => format!("{amount}"),
        Formula::Share(factor) => format!("{credited} * {factor}"),
        Formula::Type("booking", factor) => format!("totals.booking * {factor}"),
        Formula::Type(name, factor) => format!("totals[\"{name}\"] * {factor}"),
        Formula::Above(limit, factor) => {
            format!("if {credited} > {limit} {{ {credited} * {factor} }} else {{ 0 }}")
        }
        Formula::Attained(factor) => format!("{credited} / quota * {factor}"),
        Formula::Reached(least) => format!(
            "if quota == () {{ {least} }} else if {credited} >= quota {{ {credited} }} else {{ 0 }}"
        ),
        Formula::Rep(factor) => {
            format!("if payee.title == \"Rep\" {{ {credited} }} else {{ {credited} * {factor} }}")
        }
        Formula::Team(factor) => {
            format!("if payee.team == () {{ {credited} }} else {{ {credited} * {factor} }}")
        }
        Formula::Dollars(other) => {
            format!("if payee.unit_type == \"USD\" {{ {credited} }} else {{ {other} }}")
        }
        Formula::Throws(limit) => {
            format!("if {credited} > {limit} {{ throw \"no\" }} else {{ 1 }}")
        }
        Formula::Capped(most) => format!("min(0, {most} - earned.total)"),
        Formula::OfFirst(factor) => format!("earned[\"Bonus 0\"] * {factor}"),
        Formula::OfYear(least) => format!("min({least}, 50 - paid.total)"),
        Formula::Placed(factor) => format!("standing.rank * {factor} + standing.of"),
        Formula::Deals(factor) => format!("totals.count * {factor}"),
        Formula::Row(key) => format!("{credited} * lookup(\"bonus\", {})", key.text()),
        Formula::Found(key, factor) => {
            format!("{credited} * (find(\"bonus\", {}) ?? {factor})", key.text())
        }
        Formula::Level => format!("{credited} * payee[\"level\"]"),
        Formula::Gold(other) => {
            format!("if payee[\"grade\"] == \"gold\" {{ {credited} }} else {{ {other} }}")
        }
        Formula::Who(name, other) => {
            format!("if who(\"{name}\")?.title == \"Rep\" {{ {other} }} else {{ {credited} }}")
        }
    }
}

/// The name of the policy of a reward, or of the plan.
fn policy(plan: &Plan, reward: Option<&Reward>) -> String {
    let whose = reward.map_or("default".to_owned(), |reward| reward.name.replace(' ', "-"));
    format!("{}-{}", plan.id, whose.to_lowercase())
}

/// The name of the plan's own reward policy.
pub(super) fn default_policy(plan: &Plan) -> Option<String> {
    plan.pays.map(|_| policy(plan, None))
}

/// Paths and texts of the reward policies of a plan.
pub(super) fn policies(plan: &Plan) -> Vec<(String, String)> {
    let file = |name: String, body: Formula| {
        let text = format!(
            "fn reward(payee, totals, quota, earned, paid, standing) {{ {} }}\n",
            formula(body)
        );
        (format!("policies/reward/{name}.rhai"), text)
    };
    let own = plan.pays.map(|body| file(policy(plan, None), body));
    let named = plan.rewards.iter().filter_map(|reward| match reward.worth {
        Worth::Policy(body) => Some(file(policy(plan, Some(reward)), body)),
        _ => None,
    });
    own.into_iter().chain(named).collect()
}

pub(super) fn text(text: &mut String, plan: &Plan) {
    for reward in &plan.rewards {
        writeln!(text, "\n[[reward]]\nname = \"{}\"", reward.name).unwrap();
        match reward.credit_types.as_slice() {
            [] => (),
            [only] => writeln!(text, "credit_type = \"{only}\"").unwrap(),
            all => writeln!(text, "credit_type = {}", quoted(all)).unwrap(),
        }
        let to = reward.to.map(|to| match to {
            To::Credited => "credited",
            To::Members => "members",
            To::UserManagers => "user-managers",
            To::TeamManagers => "team-managers",
        });
        if let Some(to) = to {
            writeln!(text, "to = \"{to}\"").unwrap();
        }
        match &reward.worth {
            Worth::Tiers(tiers, retroactive) => {
                let up_to = |text: &str| format!("up_to = \"{text}\", ");
                let tier = |tier: &crate::oracle::rewards::Tier| {
                    let up_to = tier.up_to.map(up_to).unwrap_or_default();
                    format!("{{ {up_to}rate = \"{}\" }}", tier.rate)
                };
                let tiers: Vec<String> = tiers.iter().map(tier).collect();
                writeln!(text, "tiers = [{}]", tiers.join(", ")).unwrap();
                if let Some(flag) = retroactive {
                    writeln!(text, "retroactive = {flag}").unwrap();
                }
            }
            Worth::Table(retroactive) => {
                writeln!(text, "tiers = \"table:steps\"").unwrap();
                if let Some(flag) = retroactive {
                    writeln!(text, "retroactive = {flag}").unwrap();
                }
            }
            Worth::Value(body) => writeln!(text, "value = '{}'", formula(*body)).unwrap(),
            Worth::Policy(_) => {
                writeln!(text, "value = 'policy:{}'", policy(plan, Some(reward))).unwrap();
            }
            Worth::Default => (),
        }
        if let Some(span) = reward.to_date {
            let word = if span == Pays::Year { "year" } else { "quarter" };
            writeln!(text, "to_date = \"{word}\"").unwrap();
        }
        if reward.of_span {
            writeln!(text, "quota = \"span\"").unwrap();
        }
        if reward.everyone {
            writeln!(text, "everyone = true").unwrap();
        }
        for (key, day) in [("from", reward.span.from), ("until", reward.span.to)] {
            if let Some(day) = day {
                writeln!(text, "{key} = {day}").unwrap();
            }
        }
        if !reward.targets.is_empty() {
            writeln!(text, "targets = {}", quoted(&reward.targets)).unwrap();
        }
        if let Some(body) = reward.maximum {
            writeln!(text, "maximum = '{}'", formula(body)).unwrap();
        }
    }
}

pub(super) fn draws(text: &mut String, plan: &Plan) {
    for draw in &plan.draws {
        let (name, amount, from) = (&draw.name, tables::due(&draw.amount), draw.from);
        writeln!(text, "\n[[draw]]\nname = \"{name}\"\namount = '{amount}'").unwrap();
        writeln!(text, "from = {from}\nrecoverable = {}", draw.recoverable).unwrap();
        if let Some(to) = draw.to {
            writeln!(text, "to = {to}").unwrap();
        }
        if !draw.targets.is_empty() {
            writeln!(text, "targets = {}", quoted(&draw.targets)).unwrap();
        }
        if !draw.covers.is_empty() {
            writeln!(text, "covers = {}", quoted(&draw.covers)).unwrap();
        }
        if let Some(most) = draw.most {
            writeln!(text, "recover_at_most = \"{most}\"").unwrap();
        }
    }
}

pub(super) fn quotas(world: &World) -> String {
    let mut text = "plan,target,period,amount,credit_type\n".to_owned();
    for quota in &world.quotas {
        let (plan, target) = (&quota.plan, &quota.target);
        let what = &quota.credit_type;
        writeln!(text, "{plan},{target},{},{},{what}", quota.period, quota.amount).unwrap();
    }
    text
}
