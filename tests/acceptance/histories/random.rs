//! Random histories: RL1, frozen rows, and balances worked out again.

use std::collections::{BTreeMap, BTreeSet};

use accredit_domain::decision::{EarnedReward, PayeeBalance, RewardOrigin};
use rust_decimal::Decimal;

use super::company::{Dice, Happening, act, first_ruleset, happening, numbers, smallest};
use super::office::Office;

const HISTORIES: u64 = 25;

/// Draws of the company that are owed, and what is carried.
const OWED: [&str; 2] = ["Draw", "carried"];

/// A history of 6 to 25 happenings.
fn history(seed: u64) -> Vec<Happening> {
    let mut dice = Dice(seed);
    let length = 6 + dice.below(20);
    (0..length).map(|_| happening(&mut dice)).collect()
}

/// Sums that rules earned, by plan, period, reward, payee and unit. Corrections count for the
/// period that they correct.
pub(crate) fn earned(rows: &[EarnedReward]) -> BTreeMap<[String; 5], Decimal> {
    let mut sums = BTreeMap::new();
    let counts =
        |row: &&EarnedReward| !matches!(row.origin, RewardOrigin::Carried | RewardOrigin::Manual);
    for row in rows.iter().filter(counts) {
        let period = row.corrects.as_ref().unwrap_or(&row.period);
        let key = [
            row.plan.to_string(),
            period.to_string(),
            row.reward.to_string(),
            row.payee.to_string(),
            row.unit_type.to_string(),
        ];
        *sums.entry(key).or_insert(Decimal::ZERO) += row.amount;
    }
    sums.retain(|_, sum| !sum.is_zero());
    sums
}

/// The law RL1: the same deals, without any period that was ever locked or confirmed.
fn sums_as_clean(office: &Office, happenings: &[Happening]) -> Result<(), String> {
    let mut clean = Office::open(&first_ruleset());
    for one in happenings.iter().filter(|one| one.is_content()) {
        act(&mut clean, one);
    }
    let (paid, due) = (earned(&office.year()), earned(&clean.year()));
    if paid == due {
        return Ok(());
    }
    let differ = |key: &&[String; 5]| paid.get(*key) != due.get(*key);
    let keys: BTreeSet<_> = paid.keys().chain(due.keys()).filter(differ).collect();
    let line = |key: &[String; 5]| {
        format!("{key:?}: paid {:?}, a clean run pays {:?}", paid.get(key), due.get(key))
    };
    Err(format!("RL1: {:#?}", keys.into_iter().map(line).collect::<Vec<_>>()))
}

/// No row twice, and rows of nothing are no corrections.
fn rows_are_sound(rows: &[EarnedReward]) -> Result<(), String> {
    let mut ids = BTreeSet::new();
    for row in rows {
        if !ids.insert(row.id.clone()) {
            return Err(format!("a row came twice: {row:#?}"));
        }
        if row.origin == RewardOrigin::Retro && row.amount.is_zero() {
            return Err(format!("a correction of nothing: {row:#?}"));
        }
    }
    Ok(())
}

/// The list of all rewards is that of the year, up to the last period in which something happened.
fn list_is_whole(office: &Office, listed: &[EarnedReward]) -> Result<(), String> {
    let mut year = office.year();
    year.retain(|row| {
        let own = listed.iter().filter(|known| known.plan == row.plan);
        own.map(|known| &known.period).max().is_some_and(|last| row.period <= *last)
    });
    match year == listed {
        true => Ok(()),
        false => Err(format!(
            "listed {listed:#?}
of the year {year:#?}"
        )),
    }
}

/// Balances as the rows of all periods up to the one add up. A frozen period keeps the balances
/// that it had, so only those of open periods are compared.
pub(crate) fn balances_follow(office: &Office, rows: &[EarnedReward]) -> Result<(), String> {
    let balances = office.balances();
    let frozen: BTreeSet<(String, String)> =
        office.frozen().iter().map(|one| (one.plan.to_string(), one.period.to_string())).collect();

    let key = |plan: &str, payee: &str, name: &str, unit: &str| {
        [plan, payee, name, unit].map(str::to_owned)
    };
    let change_of = |wanted: &[String; 4], until: &dyn Fn(&str) -> bool| -> Decimal {
        let counts = |row: &&EarnedReward| {
            let moves = !matches!(row.origin, RewardOrigin::Calculated | RewardOrigin::Manual);
            let own = key(&row.plan, &row.payee, &row.reward, &row.unit_type);
            moves && own == *wanted && until(&row.period)
        };
        rows.iter().filter(counts).map(|row| row.amount).sum()
    };

    for balance in &balances {
        let PayeeBalance { plan, period, payee, name, unit_type, .. } = balance;
        if balance.balance.is_sign_negative() && !balance.balance.is_zero() {
            return Err(format!("a balance is below zero: {balance:#?}"));
        }
        if frozen.contains(&(plan.to_string(), period.to_string())) {
            continue;
        }

        let wanted = key(plan, payee, name, unit_type);
        let before = change_of(&wanted, &|one| one < period.as_str());
        let within = change_of(&wanted, &|one| one == period.as_str());
        let found = (balance.opening, balance.change, balance.balance);
        if found != (before, within, before + within) {
            return Err(format!("rows say {before} and {within}, the balance is {balance:#?}"));
        }
    }

    // What is owed in an open period is listed.
    for row in rows.iter().filter(|row| OWED.contains(&&*row.reward)) {
        let wanted = key(&row.plan, &row.payee, &row.reward, &row.unit_type);
        if frozen.contains(&(row.plan.to_string(), row.period.to_string())) {
            continue;
        }
        let listed = balances.iter().any(|one| {
            one.period == row.period
                && key(&one.plan, &one.payee, &one.name, &one.unit_type) == wanted
        });
        let moved = change_of(&wanted, &|one| one == row.period.as_str());
        if !listed && !moved.is_zero() {
            return Err(format!("no balance is listed for {row:#?}"));
        }
    }
    Ok(())
}

fn check(happenings: &[Happening]) -> Result<(), String> {
    let mut office = Office::open(&first_ruleset());
    for one in happenings {
        let before = office.frozen();
        act(&mut office, one);
        let after = office.frozen();
        // A period that is reopened lets its rows go.
        let reopened = matches!(one, Happening::Reopen(_));
        if !reopened && !before.iter().all(|known| after.contains(known)) {
            return Err(format!("{one:?}: a frozen row changed\n{before:#?}\n{after:#?}"));
        }

        let rewards = office.rewards();
        for known in &after {
            let shown = rewards
                .iter()
                .filter(|row| (&row.plan, &row.period) == (&known.plan, &known.period));
            if !shown.eq(&known.rows) {
                return Err(format!("{one:?}: frozen {known:#?}, and shown {rewards:#?}"));
            }
        }
        rows_are_sound(&rewards)?;
        balances_follow(&office, &rewards)?;
    }
    list_is_whole(&office, &office.rewards())?;
    sums_as_clean(&office, happenings)
}

#[test]
fn random_histories_keep_the_laws_of_rewards() {
    for seed in numbers(HISTORIES) {
        if let Some((happenings, how)) = smallest(&history(seed), check) {
            panic!("ACCREDIT_SEED={seed} ACCREDIT_HISTORIES=1\n{happenings:#?}\n{how}");
        }
    }
}
