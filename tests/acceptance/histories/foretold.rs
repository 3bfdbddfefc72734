//! What a change would move in rewards is what it then moves, to the cent, in each way of taking
//! effect; and where it moves nothing of a frozen period, its rows stay.

use accredit_ledger::definitions::Effective;
use accredit_workspace::Files;

use super::company::{
    self, Dice, Happening, act, first_ruleset, happening, numbers, plan, smallest,
};
use super::office::{Money, Office, files_of};

const HISTORIES: u64 = 25;

/// A change, or something else that happens.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Happens(Happening),
    Changes(Files, Effective),
}

/// One or two files that another administrator might write.
pub(crate) fn candidate(dice: &mut Dice) -> Files {
    let mut files = Vec::new();
    for _ in 0..=dice.below(2) {
        let number = 1 + dice.below(9);
        let percent = format!("rate = \"{number}%\"");
        files.push(match dice.below(12) {
            0 => {
                let text = company::MONTHLY.replace("rate = \"10%\"", &percent);
                ("plans/monthly.toml", plan(&text))
            }
            1 => {
                let text = company::QUARTERLY.replace("rate = \"6%\"", &percent);
                ("plans/quarterly.toml", plan(&text))
            }
            2 => {
                let text = company::CARRYING.replace("rate = \"8%\"", &percent);
                let carries = dice.of(&["carry_negative = true", "carry_negative = false"]);
                ("plans/carrying.toml", plan(&text.replace("carry_negative = true", carries)))
            }
            3 => {
                let quotas = company::QUOTAS.replace("000\n", &format!("{number}00\n"));
                ("organization/quotas.csv", quotas)
            }
            4 => {
                let rates = company::RATES.replace("0.03", &format!("0.0{number}"));
                ("tables/rates.csv", rates)
            }
            5 => {
                let attributes = company::ATTRIBUTES.replace("level,2", &format!("level,{number}"));
                ("organization/attributes.csv", attributes)
            }
            6 => {
                let rates = company::EXCHANGE.replace("0.9", &format!("0.{number}"));
                ("organization/exchange_rates.csv", rates)
            }
            7 => {
                let (amount, most) =
                    (format!("amount = \"1{number}0\""), format!("= \"{number}0\""));
                let text = company::MONTHLY.replace("amount = \"150\"", &amount);
                let text = text.replace("= \"60\"", &most);
                let owed = dice.of(&["recoverable = true", "recoverable = false"]);
                ("plans/monthly.toml", plan(&text.replace("recoverable = true", owed)))
            }
            8 => {
                let bonus = company::BONUS.replace("40", &format!("4{number}"));
                ("policies/reward/bonus.rhai", bonus)
            }
            9 => {
                let quota = company::EXPECTED.replace("2500", &format!("{number}500"));
                ("policies/quota/expected.rhai", quota)
            }
            10 => {
                let title = dice.of(&["ann,Rep", "ann,Lead"]);
                let people = company::PEOPLE.replace("ann,Rep", title);
                let until = dice.of(&["2026-04-15", "2026-02-20", ""]);
                ("organization/participants.csv", people.replace("2026-04-15", until))
            }
            _ => {
                let credit = format!("name = \"Credit\"\n  value = \"tx.amount * 0.{number}\"");
                let text = plan(company::MONTHLY).replace("name = \"Credit\"", &credit);
                ("plans/monthly.toml", text)
            }
        });
    }
    files_of(&files)
}

pub(crate) fn effective(dice: &mut Dice) -> Effective {
    let words = ["now", "recredit", "from:2026-01-01", "from:2026-02-10", "from:2026-04-01"];
    Effective::parse(dice.of(&words)).unwrap()
}

/// Happenings, and every few of them a change.
fn history(seed: u64) -> Vec<Step> {
    let mut dice = Dice(seed);
    let mut steps = Vec::new();
    for _ in 0..12 + dice.below(20) {
        let one = match dice.below(6) {
            0 => Step::Changes(candidate(&mut dice), effective(&mut dice)),
            _ => Step::Happens(happening(&mut dice)),
        };
        steps.push(one);
    }
    steps.push(Step::Changes(candidate(&mut dice), effective(&mut dice)));
    steps
}

fn difference(before: &Money, after: Money) -> Money {
    let mut moved = after;
    for (key, amount) in before {
        *moved.entry(key.clone()).or_default() -= amount;
    }
    moved.retain(|_, amount| !amount.is_zero());
    moved
}

fn check(steps: &[Step]) -> Result<(), String> {
    let mut office = Office::open(&first_ruleset());
    for step in steps {
        let (files, effective) = match step {
            Step::Happens(one) => {
                act(&mut office, one);
                continue;
            }
            Step::Changes(files, effective) => (files, *effective),
        };

        let (foretold, frozen) = (office.preview(files, effective), office.frozen());
        let before = office.paid();
        if !office.change(files, effective) {
            continue;
        }
        let moved = difference(&before, office.paid());
        if foretold.as_ref() != Some(&moved) {
            return Err(format!("{effective:?}: foretold {foretold:#?}\nbooked {moved:#?}"));
        }

        let now = office.frozen();
        if frozen != now {
            return Err(format!("{effective:?}: frozen rows changed: {frozen:#?}\n{now:#?}"));
        }
    }
    Ok(())
}

#[test]
fn rewards_move_as_foretold() {
    for seed in numbers(HISTORIES) {
        if let Some((steps, how)) = smallest(&history(seed), check) {
            panic!("ACCREDIT_SEED={seed} ACCREDIT_HISTORIES=1\n{steps:#?}\n{how}");
        }
    }
}
