//! Where a change leaves the direct credits alone, rolling those of the earlier decision is as good as a
//! full decision: random worlds with random changes of ways, indirect rules and rollup policies, and
//! with what people decided about credits.

use std::sync::Arc;

use accredit_crediting::affected::{AffectedStages, RulesetChange, affected_plans};
use accredit_crediting::calculation::{self, DealSelection, DecidedDeal};
use accredit_crediting::pipeline::KnownDecision;
use accredit_crediting::stage::adjust::{Adjustment, AdjustmentTarget, AmountChange};
use accredit_crediting::stage::{CreditResolution, DecisionInputs};
use accredit_domain::decision::{Decision, HoldAction};
use accredit_workspace::{Files, Ruleset};
use jiff::civil::date;
use rust_decimal::Decimal;

use super::affected::{Numbers, changed_number, changed_rows};
use super::world::World;
use super::{files, generate, number};

/// What indirect rules say in the text of a plan: from the first one to the rewards.
fn changed_indirect(text: &str, numbers: &mut Numbers) -> String {
    let Some(first) = text.find("\n[[indirect]]") else { return text.to_owned() };
    let (before, rest) = text.split_at(first);
    let end = rest.find("\n[[reward]]").unwrap_or(rest.len());
    let (rules, after) = rest.split_at(end);

    let rules = match numbers.below(4) {
        0 => {
            // The last of them is gone.
            let last = rules.rfind("\n[[indirect]]").unwrap_or_default();
            rules[..last].to_owned()
        }
        1 => rules.replace("Reporting", "Team"),
        _ => changed_number(rules, numbers),
    };
    format!("{before}{rules}{after}")
}

/// A world's files with a change of what rolls credits, for the most part.
fn changed(files: &Files, numbers: &mut Numbers) -> (String, Files) {
    let rolls = |path: &str| {
        let ways = ["positions.csv", "participants.csv", "relationships.csv", "members.csv"];
        path.starts_with("plans/")
            || path.starts_with("policies/")
            || ways.iter().any(|name| path.ends_with(name))
    };
    let paths: Vec<&String> = files.keys().filter(|path| rolls(path)).collect();
    let path = paths[numbers.below(paths.len())].clone();
    let text = match path.rsplit_once('.') {
        Some((_, "csv")) => changed_rows(&files[&path], numbers),
        Some((_, "toml")) => changed_indirect(&files[&path], numbers),
        _ => changed_number(&files[&path], numbers),
    };
    let mut changed = files.clone();
    changed.insert(path.clone(), Arc::from(text));
    (path, changed)
}

/// Some credits that people released, held, or set the amounts of.
fn random_inputs(world: &World, decided: &[DecidedDeal], numbers: &mut Numbers) -> DecisionInputs {
    let mut inputs = DecisionInputs { as_of: world.as_of, ..DecisionInputs::default() };
    let credits = decided.iter().flat_map(|deal| &deal.decisions).flat_map(|one| &one.credits);
    for row in credits {
        let action = match numbers.below(12) {
            0 => HoldAction::Release,
            1 => HoldAction::Hold,
            2 => {
                let change = AmountChange::To(Decimal::new(numbers.below(9000) as i64, 2));
                let target = AdjustmentTarget::Credit(row.id);
                inputs.adjustments.push(Adjustment { target, change, reason_code: None });
                continue;
            }
            _ => continue,
        };
        let reason = "a person asked".to_owned();
        let date = date(2022, 3, 1);
        inputs.resolutions.push(CreditResolution { credit: row.id, action, date, reason });
    }
    inputs
}

/// How often plans of deals kept their direct credits, and came out otherwise.
#[derive(Debug, Default)]
struct Counts {
    all: usize,
    kept: usize,
    different: usize,
}

fn compare_change(world: &World, numbers: &mut Numbers, counts: &mut Counts) {
    let before = files::files(world);
    let (path, after) = changed(&before, numbers);
    let read = |files: &Files| Ruleset::read(files, &files::columns(world)).0;
    let (Some(old), Some(new)) = (read(&before), read(&after)) else { return };

    let deals = |ruleset: &Ruleset| {
        calculation::latest_versions(ruleset, &files::records(world), world.as_of)
    };
    let (one, two) = (deals(&old), deals(&new));
    let without = DecisionInputs { as_of: world.as_of, ..DecisionInputs::default() };
    let plain = calculation::decide_all(&old, &one, &without, 1);
    let inputs = random_inputs(world, &plain, numbers);

    let recorded = calculation::decide_all(&old, &one, &inputs, 1);
    let full = calculation::decide_all(&new, &two, &inputs, 1);
    let change = RulesetChange::between(&old, &new);
    let affected = affected_plans(&change, (&old, &new), &two, &inputs, &|_, _| true);

    let stages = |place: usize, plan: &str| {
        let found = affected[place].iter().find(|(known, _)| known == plan);
        found.map(|(_, stages)| *stages)
    };
    let of_plan = |deals: &'_ [DecidedDeal], place: usize, plan: &str| -> Option<Decision> {
        deals[place].decisions.iter().find(|one| one.plan == plan).cloned()
    };
    let known = |place: usize, plan: &str| {
        let decision = recorded[place].decisions.iter().find(|one| one.plan == plan)?;
        let may = stages(place, plan) != Some(AffectedStages::All) && !decision.is_incomplete();
        let shows_digits = change.shows_digits(plan);
        may.then_some(KnownDecision { recorded: decision, shows_digits })
    };
    let selection = DealSelection { wanted: &|_, _| true, known: &known };
    let rolled = calculation::decide_selected(&new, &two, &inputs, 1, selection);

    for (place, (full, rolled)) in full.iter().zip(&rolled).enumerate() {
        for (full, rolled) in full.decisions.iter().zip(&rolled.decisions) {
            let before = of_plan(&recorded, place, &full.plan);
            let credited = before.as_ref().is_some_and(|one| !one.credits.is_empty());
            let stages = stages(place, &full.plan);
            counts.all += usize::from(credited);
            if credited && stages == Some(AffectedStages::Rollup) {
                counts.kept += 1;
                let credits = before.map(|one| one.credits.len());
                counts.different += usize::from(credits != Some(full.credits.len()));
            }
            assert_eq!(rolled, full, "a change of {path}, {stages:?}");
        }
    }
}

const CHANGED_WORLDS: usize = 300;

#[test]
fn known_direct_credits_roll_as_in_a_full_decision() {
    let seed = number("ACCREDIT_SEED", 1);
    let most = number("ACCREDIT_CHANGED_WORLDS", CHANGED_WORLDS);
    let count = number("ACCREDIT_WORLDS", most).min(most);
    let mut counts = Counts::default();

    for index in seed..seed + count {
        println!("ACCREDIT_SEED={index} ACCREDIT_WORLDS=1");
        let world = generate::world(index as u64);
        let mut numbers = Numbers(index as u64);
        for _ in 0..3 {
            compare_change(&world, &mut numbers, &mut counts);
        }
    }

    println!("{counts:?}");
    assert!(count < 100 || counts.kept * 10 > counts.all, "{counts:?}");
    assert!(count < 100 || counts.different > 0, "{counts:?}");
}
