//! What a change of files does not affect is decided as before: random worlds with random changes.
//!
//! A change takes a row or a number of one file away or makes it another one, so any kind of file is
//! changed: people, positions, aliases, teams, tables, rates, policies, plans.

use std::sync::Arc;

use accredit_crediting::affected::{RulesetChange, affected_plans};
use accredit_crediting::calculation;
use accredit_crediting::stage::DecisionInputs;
use accredit_domain::decision::Decision;
use accredit_domain::keys::RulesetHash;
use accredit_workspace::{Files, Ruleset};

use super::world::World;
use super::{files, generate, number};

/// A small generator of numbers.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end.max(1)
    }
}

/// A row that is gone, doubled under another end, or that has a cell of another row.
pub(super) fn changed_rows(text: &str, numbers: &mut Numbers) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.len() < 2 {
        return text.to_owned();
    }
    let row = 1 + numbers.below(lines.len() - 1);
    match numbers.below(3) {
        0 => drop(lines.remove(row)),
        1 => {
            let other = 1 + numbers.below(lines.len() - 1);
            let line = lines.remove(row);
            lines.insert(other.min(lines.len()), line);
        }
        _ => {
            let other = 1 + numbers.below(lines.len() - 1);
            let cells: Vec<String> = lines[other].split(',').map(str::to_owned).collect();
            let mut own: Vec<String> = lines[row].split(',').map(str::to_owned).collect();
            let cell = numbers.below(own.len().min(cells.len()));
            own[cell] = cells[cell].clone();
            lines[row] = own.join(",");
        }
    }
    lines.join("\n") + "\n"
}

/// A digit that is another one.
pub(super) fn changed_number(text: &str, numbers: &mut Numbers) -> String {
    let digits: Vec<usize> =
        text.char_indices().filter(|(_, c)| c.is_ascii_digit()).map(|(at, _)| at).collect();
    let Some(at) = digits.get(numbers.below(digits.len())) else { return text.to_owned() };
    let digit = numbers.below(10).to_string();
    format!("{}{digit}{}", &text[..*at], &text[at + 1..])
}

/// One file of a world, changed.
fn changed(files: &Files, numbers: &mut Numbers) -> (String, Files) {
    let paths: Vec<&String> = files.keys().collect();
    let path = paths[numbers.below(paths.len())].clone();
    let text = match path.ends_with(".csv") {
        true => changed_rows(&files[&path], numbers),
        false => changed_number(&files[&path], numbers),
    };
    let mut changed = files.clone();
    changed.insert(path.clone(), Arc::from(text));
    (path, changed)
}

/// A decision without the name of the ruleset.
fn content(decision: &Decision) -> Decision {
    let mut decision = Decision { ruleset: RulesetHash::default(), ..decision.clone() };
    decision.credits.iter_mut().for_each(|row| row.ruleset = RulesetHash::default());
    decision
}

/// How often deals were asked for, affected, and decided differently.
#[derive(Debug, Default)]
struct Counts {
    changes: usize,
    asked: usize,
    affected: usize,
    different: usize,
}

fn compare_change(world: &World, numbers: &mut Numbers, counts: &mut [Counts; 2]) {
    let before = files::files(world);
    let (path, after) = changed(&before, numbers);
    let read = |files: &Files| Ruleset::read(files, &files::columns(world)).0;
    let (Some(old), Some(new)) = (read(&before), read(&after)) else { return };

    let deals = |ruleset: &Ruleset| {
        calculation::latest_versions(ruleset, &files::records(world), world.as_of)
    };
    let inputs = DecisionInputs { as_of: world.as_of, ..DecisionInputs::default() };
    let (one, two) = (deals(&old), deals(&new));
    let change = RulesetChange::between(&old, &new);
    let affected = affected_plans(&change, (&old, &new), &two, &inputs, &|_, _| true);
    if one.len() != two.len() {
        assert!(new.plans.keys().all(|plan| change.affects_everything(plan)), "{path}");
        return;
    }

    let one = calculation::decide_all(&old, &one, &inputs, 1);
    let two = calculation::decide_all(&new, &two, &inputs, 1);
    let counts = &mut counts[usize::from(path.starts_with("organization/"))];
    counts.changes += 1;

    for ((one, two), affected) in one.iter().zip(&two).zip(&affected) {
        for after in &two.decisions {
            let before = one.decisions.iter().find(|before| before.plan == after.plan);
            let same = before.is_some_and(|before| content(before) == content(after));
            let is_affected = affected.iter().any(|(plan, _)| after.plan == *plan);
            counts.asked += 1;
            counts.affected += usize::from(is_affected);
            counts.different += usize::from(!same);
            assert!(
                same || is_affected,
                "a change of {path} affects what was passed over:\n{}\n{before:#?}\n{after:#?}",
                similar_text(&self::text(&old, &path), &self::text(&new, &path)),
            );
        }
    }
}

fn text(ruleset: &Ruleset, path: &str) -> String {
    ruleset.files.get(path).map(ToString::to_string).unwrap_or_default()
}

/// Both texts, one after the other.
fn similar_text(one: &str, two: &str) -> String {
    format!("--- before\n{one}\n--- after\n{two}")
}

const CHANGED_WORLDS: usize = 500;

#[test]
fn what_a_change_does_not_affect_is_decided_as_before() {
    let seed = number("ACCREDIT_SEED", 1);
    let most = number("ACCREDIT_CHANGED_WORLDS", CHANGED_WORLDS);
    let count = number("ACCREDIT_WORLDS", most).min(most);
    let mut counts = [Counts::default(), Counts::default()];

    for index in seed..seed + count {
        println!("ACCREDIT_SEED={index} ACCREDIT_WORLDS=1");
        let world = generate::world(index as u64);
        let mut numbers = Numbers(index as u64);
        for _ in 0..3 {
            compare_change(&world, &mut numbers, &mut counts);
        }
    }

    println!("others: {:?}\norganization: {:?}", counts[0], counts[1]);
    let [others, people] = counts;
    assert!(count < 100 || others.affected < others.asked, "{others:?}");
    // A change of one row is narrow: it concerns a part of the deals.
    assert!(count < 100 || people.affected * 4 < people.asked * 3, "{people:?}");
    assert!(count < 100 || people.different > 0, "{people:?}");
}
