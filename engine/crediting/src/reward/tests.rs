//! Rewards over time: what was paid by rules that can no longer pay it, and which tier is reached.

use std::collections::BTreeSet;

use super::*;
use crate::pipeline::decide_all_plans;
use crate::stage::DecisionInputs;
use accredit_domain::decision::FrozenRewards;
use accredit_domain::keys::RulesetHash;
use accredit_domain::plan::reward::TierRange;
use accredit_domain::transaction::{Cell, Decoder, Record};
use accredit_script::Machine;
use accredit_workspace::Files;

const SETTINGS: &str = "[workspace]\nname = \"Small\"\n[fields]\nid = \"id\"\ndate = \"date\"\n\
    amount = \"amount\"\nowner = \"owner\"\n";

/// Rules by which ann is credited for her deals, and paid by these rewards.
fn ruleset_of(rewards: &str) -> Ruleset {
    let plan = format!(
        "name = \"Reps\"\ntargets = [\"title:Rep\"]\n[[direct]]\nname = \"Booking\"\n\
         [[direct.results]]\nname = \"Booking credit\"\n{rewards}"
    );
    let file = |path: &str, text: &str| (path.to_owned(), Arc::from(text));
    let files = Files::from([
        file("accredit.toml", SETTINGS),
        file("organization/participants.csv", "id,title\nann,Rep\n"),
        file("plans/reps.toml", &plan),
    ]);
    let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
    ruleset.unwrap_or_else(|| panic!("{findings:?}"))
}

/// The credits of ann's deals, each of a day and an amount.
fn credits_of(ruleset: &Ruleset, deals: &[(&str, &str)]) -> Vec<PostedCredit> {
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let mut machine = Machine::new(&ruleset.programs);
    let mut credits = Vec::new();
    for (number, (day, amount)) in deals.iter().enumerate() {
        let id = format!("D{number}");
        let cells = [("id", id.as_str()), ("date", day), ("amount", amount), ("owner", "ann")];
        let cells =
            cells.map(|(column, text)| (column.to_owned(), Cell::Text(text.to_owned()))).to_vec();
        let deal = Arc::new(decoder.decode(&Record { cells }));
        let inputs = DecisionInputs::default();
        let decided = decide_all_plans(ruleset, &deal, &inputs, &mut machine);
        credits.extend(decided.into_iter().flat_map(|decision| decision.credits));
    }
    assert_eq!(credits.len(), deals.len());
    credits
}

fn month(ruleset: &Ruleset, id: &str) -> Period {
    ruleset.settings.calendar.find(id).unwrap()
}

/// 10 % of the year's first 100, then 20 %.
const OF_THE_YEAR: &str = "[[reward]]\nname = \"Commission\"\nto_date = \"year\"\n\
    tiers = [{ up_to = \"100\", rate = \"10%\" }, { rate = \"20%\" }]\n";

/// January paid 10 of the year's first 100. By rules whose value fails it cannot be paid again, and
/// February must not pay its 10 once more: 200 to date are worth 10 and 20, of which 10 are paid.
#[test]
fn what_a_failed_reward_had_paid_is_not_paid_again() {
    let ruleset = ruleset_of(OF_THE_YEAR);
    let credits = credits_of(&ruleset, &[("2026-01-10", "100"), ("2026-02-10", "100")]);
    let (january, february) = (month(&ruleset, "2026-01"), month(&ruleset, "2026-02"));
    let paid = compute_rewards(&ruleset, &ruleset.plans["reps"], &january, &credits);
    assert_eq!(paid.rows.len(), 1);
    assert_eq!(paid.rows[0].amount.to_string(), "10.00");

    let frozen = FrozenRewards {
        plan: "reps".into(),
        period: "2026-01".into(),
        ruleset: RulesetHash::from(&ruleset.hash),
        at_ms: 0,
        rows: paid.rows,
        balances: Vec::new(),
    };
    let broken = ruleset_of(
        "[[reward]]\nname = \"Commission\"\nto_date = \"year\"\nvalue = \"number(payee.id)\"\n",
    );
    for (rules, amounts) in [(&ruleset, ["10.00", "20.00"]), (&broken, ["10.00", "20.00"])] {
        let locked = LockedPeriods::default();
        let known = [FrozenPeriod { rewards: &frozen, rules: Some(rules) }];
        let inputs = BookInputs {
            plan: "reps",
            rules: &ruleset,
            frozen: &known,
            manual: &[],
            locked: &locked,
            claimants: None,
        };
        let book = compute_book(&inputs, &credits, &february);
        let rows = book.periods().flat_map(|period| &period.rewards.rows);
        let found: Vec<String> = rows.map(|row| row.amount.to_string()).collect();
        assert_eq!(found, amounts);
    }
}

/// The tier of another reward of the plan would promise another rate.
#[test]
fn the_tier_that_is_reached_is_that_of_the_row() {
    let flat = "[[reward]]\nname = \"Bonus\"\ntiers = [{ rate = \"1%\" }]\n";
    let ruleset = ruleset_of(&format!("{flat}{OF_THE_YEAR}"));
    let credits = credits_of(&ruleset, &[("2026-01-10", "60")]);
    let january = month(&ruleset, "2026-01");
    let rows = compute_rewards(&ruleset, &ruleset.plans["reps"], &january, &credits).rows;
    let reached: Vec<ReachedTier> =
        rows.iter().map(|row| reached_tier(&ruleset, row, &credits).unwrap()).collect();
    let [bonus, commission] = &reached[..] else { panic!("{reached:?}") };

    assert_eq!((bonus.tiers.len(), bonus.index, bonus.next), (1, 0, None));
    let decimal = |text: &str| text.parse::<Decimal>().unwrap();
    let tiers = vec![
        TierRange { from: decimal("0.00"), up_to: Some(decimal("100.00")), rate: decimal("0.1") },
        TierRange { from: decimal("100.00"), up_to: None, rate: decimal("0.2") },
    ];
    assert_eq!((&commission.tiers, commission.index), (&tiers, 0));
    let (from, rate) = (decimal("100.00"), decimal("0.2"));
    assert_eq!(commission.next, Some(NextTier { from, rate, missing: decimal("40.00") }));
}
