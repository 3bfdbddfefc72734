//! Incremental is full: where a history of deals and changes leads, its last files and deals lead too;
//! and a run of any kind changes nothing of that.

use accredit_domain::decision::{EarnedReward, PayeeBalance};
use accredit_ledger::definitions::Effective;
use accredit_ledger::runs::RunRules;
use accredit_workspace::Files;

use super::company::{
    Dice, Happening, act, first_files, first_ruleset, happening, numbers, smallest,
};
use super::foretold::{Step, candidate};
use super::office::{Office, ruleset_of};

const HISTORIES: u64 = 12;

/// Happenings and changes that decide all credits again.
fn history(seed: u64) -> Vec<Step> {
    let mut dice = Dice(seed);
    let mut steps = Vec::new();
    for _ in 0..8 + dice.below(16) {
        let one = match dice.below(5) {
            0 => Step::Changes(candidate(&mut dice), Effective::Recredit),
            _ => Step::Happens(happening(&mut dice)),
        };
        steps.push(one);
    }
    steps
}

type Shown = (Vec<EarnedReward>, Vec<PayeeBalance>);

/// Rows and balances without the ids of credits, which name the ruleset that they follow from.
fn shown(office: &Office) -> Shown {
    (office.year(), office.balances())
}

/// What happened, in one office change by change; the files that it ends with.
fn one_by_one(steps: &[Step], locks: bool) -> (Office, Files) {
    let (mut office, mut files) = (Office::open(&first_ruleset()), first_files());
    for step in steps {
        match step {
            Step::Happens(one) if locks || one.is_content() => act(&mut office, one),
            Step::Happens(_) => (),
            Step::Changes(changed, effective) => {
                if office.change(changed, *effective) {
                    files.extend(changed.clone());
                }
            }
        }
    }
    (office, files)
}

/// Rows and balances, a line each.
fn lines((rows, balances): &Shown) -> Vec<String> {
    let rows = rows.iter().map(|row| {
        let (plan, period, reward, payee) = (&row.plan, &row.period, &row.reward, &row.payee);
        let corrects = row.corrects.as_deref().unwrap_or("");
        format!("{plan} {period} {reward} {payee} {} {:?} {corrects}", row.amount, row.origin)
    });
    let balances = balances.iter().map(|one| {
        format!("{} {} {} {} {}", one.plan, one.period, one.name, one.payee, one.balance)
    });
    rows.chain(balances).collect()
}

fn same(what: &str, left: &Shown, right: &Shown) -> Result<(), String> {
    match left == right {
        true => Ok(()),
        false => Err(format!("{what}: {:#?}\nand {:#?}", lines(left), lines(right))),
    }
}

/// The deals alone, under the last files, come to the same.
fn as_from_the_start(steps: &[Step]) -> Result<(), String> {
    let (office, files) = one_by_one(steps, false);
    let mut fresh = Office::open(&ruleset_of(&files));
    let content = steps.iter().filter_map(|step| match step {
        Step::Happens(one) if one.is_content() => Some(one),
        _ => None,
    });
    content.for_each(|one: &Happening| act(&mut fresh, one));
    same("change by change", &shown(&office), &shown(&fresh))
}

/// Incremental and full runs of all calculations. The rules in force would correct what is locked.
fn as_run(steps: &[Step], locks: bool) -> Result<(), String> {
    let (office, _) = one_by_one(steps, locks);
    let before = shown(&office);
    let pinned = [("incremental", None), ("full", None), ("full", Some(RunRules::Pinned))];
    let in_force = ["incremental", "full"].map(|mode| (mode, Some(RunRules::InForce)));
    let in_force = in_force.into_iter().filter(|_| !locks);
    for (mode, rules) in pinned.into_iter().chain(in_force) {
        for (plan, period) in [("monthly", "2026"), ("carrying", "2026"), ("quarterly", "2026-Q1")]
        {
            office.run(plan, period, mode, rules);
        }
        same(&format!("{mode} {rules:?}"), &before, &shown(&office))?;
    }
    Ok(())
}

#[test]
fn histories_end_where_their_last_files_begin() {
    for seed in numbers(HISTORIES) {
        let runs = |steps: &[Step]| as_run(steps, false).and_then(|()| as_run(steps, true));
        let check = |steps: &[Step]| as_from_the_start(steps).and_then(|()| runs(steps));
        if let Some((steps, how)) = smallest(&history(seed), check) {
            panic!("ACCREDIT_SEED={seed} ACCREDIT_HISTORIES=1\n{steps:#?}\n{how}");
        }
    }
}
