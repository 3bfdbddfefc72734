//! Deals that a change does not affect keep their decision, and it is the one that deciding everything
//! again would make: byte for byte, after every change.

use accredit_ledger::definitions::Effective;
use accredit_operations::verify::{self, VerifyParams};

use super::company::{Dice, act, first_ruleset, happening, numbers, smallest};
use super::foretold::{Step, candidate};
use super::office::Office;

const HISTORIES: u64 = 25;

/// Deals and holds, and every few of them a change that decides all credits again.
fn history(seed: u64) -> Vec<Step> {
    let mut dice = Dice(seed);
    let mut steps = Vec::new();
    for _ in 0..10 + dice.below(16) {
        steps.push(match dice.below(4) {
            0 => Step::Changes(candidate(&mut dice), Effective::Recredit),
            _ => Step::Happens(happening(&mut dice)),
        });
    }
    steps
}

/// Everything recorded is what the rules in force decide, and comes out alike where it is decided again.
fn is_as_decided_anew(office: &Office) -> Result<(), String> {
    office.check_rules_in_force(&|_| false)?;

    let all = VerifyParams::default();
    let verified = verify::verify_decisions(&office.context.ledger, &all).unwrap();
    match verified.differing {
        0 => Ok(()),
        _ => Err(format!("{:#?}", verified.differences)),
    }
}

fn check(steps: &[Step]) -> Result<(), String> {
    let mut office = Office::open(&first_ruleset());
    for step in steps {
        match step {
            // Where nothing is locked, decisions are reused.
            Step::Happens(one) if one.is_content() => act(&mut office, one),
            Step::Happens(_) => (),
            Step::Changes(files, effective) => {
                if office.change(files, *effective) {
                    is_as_decided_anew(&office)?;
                }
            }
        }
        // What people do about a deal that was not decided again is decided by its former rules.
        office.check_rules_in_force(&|_| false).map_err(|how| format!("{step:?}: {how}"))?;
    }
    Ok(())
}

#[test]
fn what_is_reused_is_what_a_full_run_would_decide() {
    for seed in numbers(HISTORIES) {
        if let Some((steps, how)) = smallest(&history(seed), check) {
            panic!("ACCREDIT_SEED={seed} ACCREDIT_HISTORIES=1\n{steps:#?}\n{how}");
        }
    }
}
