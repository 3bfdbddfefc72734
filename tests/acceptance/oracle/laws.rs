//! The laws of the domain (DOMAIN section 2, INV), shown on what the engine decides about worlds.
//!
//! | law | what it says | shown by |
//! |---|---|---|
//! | INV-T1 | the same content again changes nothing | `again::same_rows_twice` |
//! | INV-T2 | a new version replaces the old one | `again::only_last_versions` |
//! | INV-T3 | no period, no credit | the comparison (`no_period`), worlds with short calendars |
//! | INV-P1 | one payee a position and date | `one_payee` |
//! | INV-P2 | versions of one object do not overlap | engine, `workspace/tests/laws.rs` |
//! | INV-P3 | a vacant position is credited without a payee | the comparison, reached as `vacant` |
//! | INV-H1 | reporting is a forest | `one_manager` |
//! | INV-H2 | a roll ends, in circles too | `one_path` |
//! | INV-C1 | territories depend on one transaction and the date | `again::one_at_a_time` |
//! | INV-D1 | shares sum to the rounded whole | `shares_sum` |
//! | INV-D2 | direct credits do not depend on indirect ones | `again::without_indirect_rules` |
//! | INV-I1, INV-O3 | what is held or does not roll has nothing above it | `one_root` |
//! | INV-I2 | there are finitely many indirect credits | `one_path` |
//! | INV-I3 | without the transaction none of its credits | `again::without_a_transaction` |
//! | INV-I4 | the root is a direct credit of the same transaction | `one_root` |
//! | INV-O1 | no release before the incentive date | `release_is_later` |
//! | INV-O2 | releasing twice is releasing once | `again::released_twice` |
//! | INV-L1 | a finalized period does not change | `again::finalized_stays` |
//! | INV-L2 | leaves neither overlap nor leave gaps | engine, `workspace/tests/laws.rs` |
//! | INV-R1 | over all periods the sums are those of a clean run | `again::sums_as_clean` |
//! | INV-G1 | one at a time is all at once | `again::one_at_a_time` |
//! | INV-G2 | the same bytes again, on one and on four threads | `again::on_threads` |
//! | INV-V1, INV-V2 | payees see the last release, and nothing once deleted | host, `published.rs` |

pub(crate) mod again;

use std::collections::{HashMap, HashSet};

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;

use super::lines::text;
use super::world::{Assign, Members, Outcome, Split, Value as Worth, World};

/// The first law that the results break.
pub(crate) fn check(world: &World, results: &[Value]) -> Result<(), String> {
    let all = || results.iter().flat_map(|result| result["credits"].as_array().unwrap());
    let credits: Vec<&Value> = all().collect();
    one_payee(&credits)?;
    release_is_later(&credits)?;
    if world.finalized.is_empty() {
        one_path(&credits)?;
        one_manager(&credits)?;
        one_root(world, &credits)?;
        shares_sum(world, &credits)?;
    }
    Ok(())
}

fn broken(law: &str, credit: &Value) -> Result<(), String> {
    Err(format!("{law} is broken by {credit:#}"))
}

/// The position, or the team of a team plan.
fn receiver(credit: &Value) -> &str {
    match text(credit, "position") {
        "" => text(credit, "team"),
        position => position,
    }
}

fn one_payee(credits: &[&Value]) -> Result<(), String> {
    let mut payees: HashMap<(&str, &str), &str> = HashMap::new();
    for credit in credits.iter().filter(|credit| !text(credit, "position").is_empty()) {
        // What was taken back says who had it.
        if text(credit, "origin") == "retro" {
            continue;
        }
        let place = (text(credit, "position"), text(credit, "incentive_date"));
        let payee = text(credit, "payee");
        if *payees.entry(place).or_insert(payee) != payee {
            return broken("INV-P1", credit);
        }
    }
    Ok(())
}

fn release_is_later(credits: &[&Value]) -> Result<(), String> {
    for credit in credits {
        let release = text(credit, "release_date");
        if !release.is_empty() && release < text(credit, "incentive_date") {
            return broken("INV-O1", credit);
        }
    }
    Ok(())
}

/// One credit a root, receiver, relationship, rule and result.
fn one_path(credits: &[&Value]) -> Result<(), String> {
    let mut seen: HashSet<[&str; 6]> = HashSet::new();
    for credit in credits.iter().filter(|credit| text(credit, "kind") == "indirect") {
        let of = |key| text(credit, key);
        let root = [of("source"), receiver(credit), of("relationship")];
        let path = [root[0], root[1], root[2], of("plan"), of("rule"), of("result")];
        if !seen.insert(path) {
            return broken("INV-H2, INV-I2", credit);
        }
    }
    Ok(())
}

/// One receiver a level of reporting.
fn one_manager(credits: &[&Value]) -> Result<(), String> {
    let mut above: HashMap<(&str, &str, String), &str> = HashMap::new();
    for credit in credits {
        let relationship = text(credit, "relationship");
        if relationship != "Reporting" && relationship != "Parent Team" {
            continue;
        }
        let place = (relationship, text(credit, "source"), credit["level"].to_string());
        if *above.entry(place).or_insert(receiver(credit)) != receiver(credit) {
            return broken("INV-H1", credit);
        }
    }
    Ok(())
}

/// The result that made a direct credit.
fn result_of<'a>(world: &'a World, credit: &Value) -> Option<&'a Outcome> {
    let plan = world.plans.iter().find(|plan| plan.id == text(credit, "plan"))?;
    let rule = plan.direct.iter().find(|rule| rule.name == text(credit, "rule"))?;
    rule.results.iter().find(|result| result.name == text(credit, "result"))
}

fn one_root(world: &World, credits: &[&Value]) -> Result<(), String> {
    let known: HashMap<&str, &Value> =
        credits.iter().map(|credit| (text(credit, "id"), *credit)).collect();
    for credit in credits.iter().filter(|credit| text(credit, "kind") == "indirect") {
        let Some(root) = known.get(text(credit, "source")) else {
            return broken("INV-I4", credit);
        };
        let same = text(root, "transaction") == text(credit, "transaction");
        if text(root, "kind") != "direct" || !same {
            return broken("INV-I4", credit);
        }
        let rolls = result_of(world, root).is_some_and(|result| result.rollable);
        if text(root, "status") != "active" || !rolls {
            return broken("INV-I1, INV-O3", credit);
        }
    }
    Ok(())
}

/// Where all are credited whose shares make one, they have the rounded value. With weights the share
/// of an unknown name may be among what is rounded; those are compared.
fn shares_sum(world: &World, credits: &[&Value]) -> Result<(), String> {
    let mut groups: HashMap<[&str; 4], Vec<&Value>> = HashMap::new();
    for credit in credits.iter().filter(|credit| text(credit, "kind") == "direct") {
        let of = |key| text(credit, key);
        let group = [of("transaction"), of("plan"), of("rule"), of("result")];
        groups.entry(group).or_default().push(credit);
    }
    for group in groups.values() {
        let Some(result) = result_of(world, group[0]) else { continue };
        let plan = world.plans.iter().find(|plan| plan.id == text(group[0], "plan"));
        let tx = world.transactions.iter().rev().find(|t| t.id == text(group[0], "transaction"));
        let (Some(plan), Some(tx)) = (plan, tx) else { continue };
        let rule = plan.direct.iter().find(|rule| rule.name == text(group[0], "rule"));
        let full = rule.is_none_or(|rule| rule.members == Some(Members::Full));
        let scripted = rule.is_none_or(|rule| {
            let named = |assign: &Assign| matches!(assign, Assign::Policy(_));
            !plan.policies.is_empty() || rule.assign.iter().any(named)
        });
        let plain = result.cap.is_none() && result.value == Worth::Default && !full && !scripted;
        let cells = [&tx.owners[0], &tx.owners[1], &tx.desk, &tx.positions, &tx.team];
        let weighted = cells.into_iter().any(|cell| cell.contains('['));
        let whole = plan.split != Split::Full && tx.currency.is_empty() && !weighted;
        let number = |credit: &Value, key| text(credit, key).parse::<Decimal>().unwrap_or_default();
        let shares: Decimal = group.iter().map(|credit| number(credit, "share")).sum();
        if !plain || !whole || (shares - Decimal::ONE).abs() > Decimal::new(1, 8) {
            continue;
        }
        let sum: Decimal = group.iter().map(|credit| number(credit, "amount")).sum();
        let scale = world.scale_of(text(group[0], "unit_type"));
        let amount: Decimal = tx.amount.parse().unwrap_or_default();
        let rounding = RoundingStrategy::MidpointAwayFromZero;
        if world.as_of.is_none() && sum != amount.round_dp_with_strategy(scale, rounding) {
            return broken("INV-D1", group[0]);
        }
    }
    Ok(())
}

/// Each law notices what breaks it: one value of a real result is made wrong.
#[test]
fn laws_notice_what_breaks_them() {
    let wrong: [(&str, &str, &str, Value); 8] = [
        ("INV-P1", "", "payee", "somebody".into()),
        ("INV-O1", "", "release_date", "2000-01-01".into()),
        ("INV-H2", "Reporting", "level", Value::Null),
        ("INV-H1", "Reporting", "level", 1.into()),
        ("INV-I4", "Reporting", "transaction", "another".into()),
        ("INV-I4", "Reporting", "source", "crd_0".into()),
        ("INV-I1", "", "status", "held".into()),
        ("INV-D1", "", "amount", "0.07".into()),
    ];
    for (law, relationship, key, value) in wrong {
        let tampered = |seed| {
            let world = super::generate::world(seed);
            let mut results = super::calculate(&world).ok()?.year;
            check(&world, &results).ok()?;
            for result in &mut results {
                let credits = result["credits"].as_array_mut()?;
                let fits = |credit: &Value| text(credit, "relationship") == relationship;
                let place = credits.iter().rposition(fits)?;
                if law == "INV-H2" {
                    let again = credits[place].clone();
                    credits.push(again);
                }
                credits[place][key] = value.clone();
            }
            check(&world, &results).err().filter(|broken| broken.contains(law))
        };
        assert!((1..3_000).any(|seed| tampered(seed).is_some()), "nothing breaks {law}");
    }
}
