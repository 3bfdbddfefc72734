//! Rewards of whole calculations: their order, and a sale with its return; credits that are not kept.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::calculation::progress::CalculationProgress;
use crate::calculation::stream::{CreditStream, DealsInMemory};
use crate::calculation::{
    Calculation, assemble_calculation, decide_all, latest_versions, own_periods,
};
use crate::stage::DecisionInputs;
use accredit_domain::calendar::Period;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::EarnedReward;
use accredit_domain::transaction::{Transaction, read};
use accredit_workspace::{Files, Ruleset};

const SETTINGS: &str = "\
[workspace]
name = \"Rewards\"
[fields]
id = \"id\"
date = \"date\"
amount = \"amount\"
owner = \"owner\"
";

const PLAN: &str = "\
name = \"P\"
split = \"equal\"
[[direct]]
name = \"D\"
  [[direct.results]]
  name = \"d\"
  rollable = true
[[indirect]]
name = \"I\"
relationship = \"Reporting\"
  [[indirect.results]]
  name = \"i\"
  duplicates = true
[[reward]]
name = \"Cumulative\"
tiers = [{ up_to = \"100\", rate = \"3%\" }, { up_to = \"250.5\", rate = \"7%\" }, { rate = \"0.125\" }]
[[reward]]
name = \"Retroactive\"
tiers = [{ up_to = \"50%\", rate = \"3%\" }, { rate = \"7%\" }]
retroactive = true
[[reward]]
name = \"Override\"
to = \"user-managers\"
value = \"totals.credited / 7\"
";

static RULESET: LazyLock<Ruleset> = LazyLock::new(|| {
    let files: Files = [
        ("accredit.toml", SETTINGS),
        ("plans/p.toml", PLAN),
        ("organization/participants.csv", "id,manager\nann,mia\nbob,mia\nmia,\n"),
        ("organization/quotas.csv", "plan,target,period,amount\np,*,2022-01,333\n"),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), Arc::from(text)))
    .collect();
    let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
    ruleset.unwrap_or_else(|| panic!("{findings:?}"))
});

fn stream_over(latest: Vec<Arc<Transaction>>) -> CreditStream<'static> {
    let deals = Box::new(DealsInMemory::new(latest));
    CreditStream::new(&RULESET, deals, DecisionInputs::default())
}

/// A deal: cents, and whom it names.
type Deal = (i64, usize);

const OWNERS: [&str; 4] = ["ann", "bob", "ann;bob", "mia"];

/// The rewards of January, without the order of their credits.
fn rewards(deals: &[(usize, Deal)]) -> Vec<EarnedReward> {
    let mut text = "id,date,amount,owner\n".to_owned();
    for (id, (cents, owner)) in deals {
        let amount = Decimal::new(*cents, 2);
        text.push_str(&format!("O{id},2022-01-{:02},{amount},{}\n", id % 28 + 1, OWNERS[*owner]));
    }
    let records = read::read_csv(text.as_bytes()).unwrap();
    let decided = decide_all(
        &RULESET,
        &latest_versions(&RULESET, &records, None),
        &DecisionInputs::default(),
        1,
    );
    let period = RULESET.settings.calendar.find("2022-01").unwrap();
    let mut rows = assemble_calculation(&RULESET, "p", &period, &decided).rewards;
    rows.iter_mut().for_each(|row| row.credits.sort());
    rows
}

fn deals() -> impl Strategy<Value = Vec<(usize, Deal)>> {
    prop::collection::vec((-60_000_i64..60_000, 0..OWNERS.len()), 1..12)
        .prop_map(|deals| deals.into_iter().enumerate().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// DOMAIN 2.19: attainment is order-independent.
    #[test]
    fn the_order_of_transactions_changes_nothing(deals in deals(), turn in 0_usize..12) {
        let mut turned = deals.clone();
        let length = turned.len();
        turned.rotate_left(turn % length);
        turned.swap(0, length - 1);
        prop_assert_eq!(rewards(&deals), rewards(&turned));
    }

    /// Every sale and its return pay nothing together, in every tier and in every reward.
    #[test]
    fn sales_and_their_returns_pay_nothing(deals in deals()) {
        let returns = deals.iter().map(|(id, (cents, owner))| (id + deals.len(), (-cents, *owner)));
        let all: Vec<_> = deals.iter().copied().chain(returns).collect();
        for row in rewards(&all) {
            let sums = [row.credited.to_string(), row.amount.to_string()];
            prop_assert_eq!(sums, ["0.00", "0.00"], "{:?}", row);
        }
    }

    /// Returns alone take back what the sales alone paid.
    #[test]
    fn returns_mirror_sales(deals in deals()) {
        let returns: Vec<_> = deals.iter().map(|(id, (cents, o))| (*id, (-cents, *o))).collect();
        let amounts = |deals: &[(usize, Deal)]| -> Vec<Decimal> {
            rewards(deals).iter().map(|row| row.amount).collect()
        };
        let sold = amounts(&deals);
        let back: Vec<Decimal> = amounts(&returns).into_iter().map(|amount| -amount).collect();
        prop_assert_eq!(sold, back);
    }

    /// Credits that are written while they are decided are those of the calculations, one behind the
    /// other, for every number of threads; so are the counts.
    #[test]
    fn a_stream_has_the_credits_of_the_calculations(
        deals in prop::collection::vec((-60_000_i64..60_000, 0..OWNERS.len(), 0_u32..120), 1..400),
        threads in 1_usize..5,
    ) {
        let mut text = "id,date,amount,owner\n".to_owned();
        for (id, (cents, owner, day)) in deals.iter().enumerate() {
            // Some rows are later versions of a deal, and some have no date.
            let id = id % (deals.len().div_ceil(2) + 1);
            let month = day / 28 + 1;
            let date = if month > 3 { String::new() } else { format!("2022-{month:02}-{:02}", day % 28 + 1) };
            text.push_str(&format!("O{id},{date},{},{}\n", Decimal::new(*cents, 2), OWNERS[*owner]));
        }
        let records = read::read_csv(text.as_bytes()).unwrap();
        let latest = latest_versions(&RULESET, &records, None);

        let year = RULESET.settings.calendar.find("2022").unwrap();
        let periods = own_periods(&RULESET, "p", &year);
        let decided = decide_all(&RULESET, &latest, &DecisionInputs::default(), 1);
        let of_period = |period: &Period| assemble_calculation(&RULESET, "p", period, &decided);
        let whole: Vec<Calculation> = periods.iter().map(of_period).collect();

        let mut streamed: Vec<PostedCredit> = Vec::new();
        let stream = stream_over(latest);
        let progress = CalculationProgress::default();
        let counts = stream.write_credits(
            (&RULESET.plans["p"], &periods),
            (threads, &progress),
            &|decided| decided.to_entries(),
            &mut |credits| {
                streamed.extend(credits);
                ControlFlow::Continue(())
            },
        );
        let counts = counts.unwrap();

        let expected: Vec<PostedCredit> = whole.iter().flat_map(|one| one.credits.clone()).collect();
        prop_assert_eq!(streamed, expected);
        for (calculation, counts) in whole.iter().zip(counts) {
            let listed = (calculation.transactions, calculation.credits.len());
            prop_assert_eq!((counts.transactions, counts.credits), listed);
            let left = (calculation.uncredited.len(), calculation.parked.len());
            prop_assert_eq!((counts.uncredited, counts.parked), left);
        }
        prop_assert_eq!(progress.decided(), progress.deals());
    }

    /// A reader that goes away ends the work: nothing is written behind it, and no worker waits.
    #[test]
    fn a_stream_that_is_broken_off_ends(deals in 300_usize..2_000, threads in 1_usize..4) {
        let rows = (0..deals).map(|id| format!("O{id},2022-01-05,1,ann\n"));
        let text = format!("id,date,amount,owner\n{}", rows.collect::<String>());
        let records = read::read_csv(text.as_bytes()).unwrap();
        let latest = latest_versions(&RULESET, &records, None);
        let periods = [RULESET.settings.calendar.find("2022-01").unwrap()];

        let mut taken = 0;
        let written = stream_over(latest).write_credits(
            (&RULESET.plans["p"], &periods),
            (threads, &CalculationProgress::default()),
            &|_| (),
            &mut |()| {
                taken += 1;
                if taken == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        prop_assert!(written.is_ok());
        prop_assert_eq!(taken, 2);
    }

    /// A worker that panicked left the others waiting for room behind its block, for ever.
    #[test]
    fn a_stream_whose_worker_panics_ends(deals in 5_000_usize..6_000, threads in 1_usize..4) {
        let rows = (0..deals).map(|id| format!("O{id},2022-01-05,1,ann\n"));
        let text = format!("id,date,amount,owner\n{}", rows.collect::<String>());
        let records = read::read_csv(text.as_bytes()).unwrap();
        let latest = latest_versions(&RULESET, &records, None);
        let periods = [RULESET.settings.calendar.find("2022-01").unwrap()];

        let stream = stream_over(latest);
        let ended = catch_unwind(AssertUnwindSafe(|| {
            stream.write_credits(
                (&RULESET.plans["p"], &periods),
                (threads, &CalculationProgress::default()),
                &|decided| {
                    assert!(!decided.deals.iter().any(|deal| deal.transaction == *"O300"));
                },
                &mut |()| ControlFlow::Continue(()),
            )
        }));
        prop_assert!(ended.is_err());
    }
}
