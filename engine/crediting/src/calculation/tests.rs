//! Rewards of whole calculations: their order, and a sale with its return.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::calculation::{assemble_calculation, decide_all, latest_versions};
use crate::stage::DecisionInputs;
use accredit_domain::decision::EarnedReward;
use accredit_domain::transaction::read;
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
}
