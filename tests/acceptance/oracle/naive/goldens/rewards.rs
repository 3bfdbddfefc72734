//! Goldens of rewards: DOMAIN 2.19 and 3.12, by hand.

use super::super::history::year;
use super::super::rewards::Paid;
use super::{leaves, member, team, text, tx, world};
use crate::oracle::rewards::{Formula, Quota, Reward, Tier, To, Worth};
use crate::oracle::world::{Pays, Plan, Span, Test, Tx, World};

fn reward(worth: Worth) -> Reward {
    let (name, credit_types) = (text("Bonus"), vec![text("booking")]);
    Reward {
        name,
        credit_types,
        to: None,
        worth,
        maximum: None,
        to_date: None,
        of_span: false,
        everyone: false,
        span: Span::default(),
        targets: Vec::new(),
    }
}

/// Who is paid what in 2022 by a plan of the year, with the quota, and codes of alerts.
fn check(world: &World, expected: &[&str]) {
    let plan = Plan { by: Pays::Year, ..world.plans[0].clone() };
    let found = year(world, &leaves(&world.calendar), &plan, "2022");
    let quota = |paid: &Paid| paid.quota.map(|q| format!(" of {q}"));
    let line = |paid: &Paid| {
        let quota = quota(paid).unwrap_or_default();
        format!("{} {}{quota} pays {} {}", paid.payee, paid.credited, paid.amount, paid.unit)
    };
    let mut lines: Vec<String> = found.lines.iter().map(|row| line(&row.paid)).collect();
    lines.extend(found.alerts.iter().map(|(code, _)| (*code).to_owned()));
    assert_eq!(lines, expected);
}

/// Tier 1 pays 10 % up to 10,000 and tier 2 20 % up to 20,000: 100 pays 10, and a tier holds its
/// upper end.
#[test]
fn tiers_of_two_rates() {
    let paid = |amount: &str, retroactive, expected: &str| {
        let tier = |up_to, rate| Tier { up_to: Some(up_to), rate };
        let tiers = vec![tier("10000", "0.10"), tier("20000", "20%")];
        let mut world = world(&[("ann", "")]);
        world.plans[0].rewards = vec![reward(Worth::Tiers(tiers, retroactive))];
        world.transactions.push(tx("T1", "2022-01-12", amount, "ann"));
        check(&world, &[&format!("ann {amount}.00 pays {expected} USD")]);
    };
    paid("100", None, "10.00");
    paid("10000", Some(false), "1000.00");
    paid("15000", None, "2000.00");
    paid("25000", None, "3000.00");
    paid("-15000", None, "-2000.00");
    paid("10000", Some(true), "1000.00");
    paid("15000", Some(true), "3000.00");
    paid("25000", Some(true), "4000.00");
}

/// Revenue of 100 and 50 that was won, overlay of all three deals, 200: 150 when only revenue
/// triggers, 350 when both do.
#[test]
fn only_what_triggers_counts() {
    let mut world = world(&[("ann", "")]);
    world.credit_types = vec![text("booking"), text("overlay")];
    let mut second = world.plans[0].direct[0].clone();
    second.name = text("Overlay");
    second.results[0].credit_type = Some(text("overlay"));
    world.plans[0].direct[0].test = Test::Won;
    second.test = Test::Rows(0);
    let deals = [("O1", "100", "Won"), ("O2", "50", "Lost"), ("O3", "50", "Won")];
    for (id, amount, stage) in deals {
        let deal = tx(id, "2022-03-10", amount, "ann");
        world.transactions.push(Tx { stage: text(stage), ..deal });
    }
    world.plans[0].direct.push(second);
    world.plans[0].rewards = vec![reward(Worth::Value(Formula::Share(1.into())))];
    check(&world, &["ann 150.00 pays 150.00 USD"]);
    world.plans[0].rewards[0].credit_types.push(text("overlay"));
    check(&world, &["ann 350.00 pays 350.00 USD"]);
}

/// Members by weight to the last cent, a manager all; the nearest quota counts.
#[test]
fn teams_managers_and_quotas() {
    let mut world = world(&[("ann", "max"), ("bob", "max"), ("max", "")]);
    world.teams.push(team("crew", "max"));
    world.members.push(member("crew", "ann", "2"));
    world.members.push(member("crew", "bob", "1"));
    let plan: &mut Plan = &mut world.plans[0];
    plan.rewards = vec![reward(Worth::Value(Formula::Share("0.1".parse().unwrap())))];
    world.transactions.push(tx("T1", "2022-01-12", "100", "ann"));
    for (target, period, amount) in
        [("*", "2022", "50"), ("title:Rep", "2022-01", "60"), ("team:crew", "2022-02", "70")]
    {
        let (target, period, amount) = (text(target), text(period), text(amount));
        world.quotas.push(Quota {
            plan: text("sales"),
            target,
            period,
            amount,
            credit_type: String::new(),
        });
    }
    let nothing = |who: &str| format!("{who} 0 of 50 pays 0.00 USD");
    check(&world, &["ann 100.00 of 50 pays 10.00 USD", &nothing("bob"), &nothing("max")]);
    world.quotas.remove(0);
    let nothing = |who: &str, quota: i32| format!("{who} 0 of {quota} pays 0.00 USD");
    let (bob, max) = (nothing("bob", 130), nothing("max", 60));
    check(&world, &["ann 100.00 of 130 pays 10.00 USD", &bob, &max]);
    world.plans[0].rewards[0].to = Some(To::UserManagers);
    check(&world, &["max 100.00 of 60 pays 10.00 USD"]);
    world.quotas.clear();
    world.plans[0].teams = true;
    world.plans[0].rewards[0].to = None;
    world.transactions[0].team = text("crew");
    check(&world, &["ann 100.00 pays 6.67 USD", "bob 100.00 pays 3.33 USD"]);
    world.plans[0].rewards[0].to = Some(To::TeamManagers);
    check(&world, &["max 100.00 pays 10.00 USD"]);
    world.teams[0].manager = None;
    check(&world, &["unmatched"]);
}
