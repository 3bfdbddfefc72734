//! Which deals are repeated and when, and what is refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::date;

use super::*;
use accredit_domain::transaction::read;
use accredit_workspace::Files;

const SETTINGS: &str = "\
[workspace]
name = \"Simulated\"
[fields]
id = \"id\"
date = { field = \"date\", format = \"%m/%d/%Y\" }
amount = \"amount\"
owner = \"owner\"
";

const PLAN: &str = "\
name = \"P\"
filter = 'tx.amount != 7'
[[direct]]
name = \"D\"
  [[direct.results]]
  name = \"d\"
  hold = 'if tx.amount == 3 { hold_for(20, \"days\") } else { no_hold() }'
[[reward]]
name = \"Commission\"
tiers = [{ up_to = \"100\", rate = \"10%\" }, { rate = \"20%\" }]
";

/// Simulates deals of 10 to `ann` on these days of April 2022, and what else `more` has.
fn run(days: &[u32], more: &str, as_of: Date) -> Result<Simulation, SimulationRefusal> {
    run_with(SETTINGS, days, more, as_of)
}

fn run_with(
    settings: &str,
    days: &[u32],
    more: &str,
    as_of: Date,
) -> Result<Simulation, SimulationRefusal> {
    let files: Files = [
        ("accredit.toml", settings),
        ("plans/p.toml", PLAN),
        ("organization/participants.csv", "id\nann\nbob\n"),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), Arc::from(text)))
    .collect();
    let (ruleset, findings) = Ruleset::read(&files, &BTreeSet::new());
    let ruleset = ruleset.unwrap_or_else(|| panic!("{findings:?}"));
    let mut text = "id,date,amount,owner,loaded\n".to_owned();
    for (index, day) in days.iter().enumerate() {
        text.push_str(&format!("O{index},04/{day:02}/2022,10,ann,\n"));
    }
    for row in more.lines() {
        let blank = if row.matches(',').count() < 4 { "," } else { "" };
        text.push_str(&format!("{row}{blank}\n"));
    }
    let records = read::read_csv(text.as_bytes()).unwrap();
    let period = ruleset.settings.calendar.find("2022-04").unwrap();
    simulate_period(&ruleset, &records, ("p", &period, as_of), 2)
}

fn amounts(sums: &[SimulationSum]) -> Vec<[String; 4]> {
    let amounts = sums.iter().map(|sum| {
        let payee = sum.payee.as_deref().unwrap_or("").to_owned();
        [sum.name.to_string(), payee, sum.so_far.to_string(), sum.projected.to_string()]
    });
    amounts.collect()
}

/// The 15th of a month of 30 days: every deal comes once more, 15 days later.
#[test]
fn half_a_month_doubles() {
    let simulated = run(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 15], "", date(2022, 4, 15)).unwrap();
    assert!(simulated.simulation);
    assert_eq!(simulated.days, 15);
    assert_eq!(simulated.transactions, SimulationCounts { so_far: 10, projected: 20 });
    assert_eq!(amounts(&simulated.credits), [["credit", "ann", "100.00", "200.00"]]);
    assert_eq!(amounts(&simulated.rewards), [["Commission", "ann", "10.00", "30.00"]]);
}

/// After 12 days all deals come once more, and those of the first six days a second time, from the
/// 25th to the 30th. Deals after the day, of other months and those that the plan does not let in
/// are not repeated.
#[test]
fn the_last_repetition_ends_with_the_period() {
    let more = "X1,04/13/2022,1000,ann\nX2,03/31/2022,1000,ann\nX3,05/01/2022,1000,ann\n\
                X4,04/02/2022,7,ann\nX5,04/06/2022,5,bob\nX6,04/07/2022,4,bob\n";
    let simulated = run(&[1, 2, 3, 4, 5, 6, 7, 8, 12], more, date(2022, 4, 12)).unwrap();
    // Ann: nine deals, nine more, and six of the first six days. Bob: two, two more, and one.
    assert_eq!(simulated.transactions, SimulationCounts { so_far: 11, projected: 11 + 11 + 7 });
    let expected = [["credit", "ann", "90.00", "240.00"], ["credit", "bob", "9.00", "23.00"]];
    assert_eq!(amounts(&simulated.credits), expected);
}

/// A hold of the third ends on the 23rd: it does not count on the 10th, and counts in the end. Those
/// of its repetitions, of the 13th and the 23rd, end in May.
#[test]
fn holds_that_end_in_the_period_are_released() {
    let more = "X1,04/03/2022,3,bob\n";
    let simulated = run(&[1, 1, 1, 1, 1, 1, 1, 1, 1], more, date(2022, 4, 10)).unwrap();
    let expected = [["credit", "ann", "90.00", "270.00"], ["credit", "bob", "0.00", "3.00"]];
    assert_eq!(amounts(&simulated.credits), expected);
}

#[test]
fn what_is_parked_is_counted() {
    let more = "X1,04/03/2022,x,bob\n";
    let simulated = run(&[1, 1, 1, 1, 1, 1, 1, 1, 1], more, date(2022, 4, 10)).unwrap();
    assert_eq!(simulated.parked, SimulationCounts { so_far: 1, projected: 3 });
    assert_eq!(simulated.transactions, SimulationCounts { so_far: 10, projected: 30 });
}

#[test]
fn no_deal_and_other_days_are_refused() {
    let refused = run(&[], "X1,04/02/2022,7,ann\n", date(2022, 4, 15)).unwrap_err();
    let message =
        "plan `p` has no deals in 2022-04 up to 2022-04-15, so there is nothing to repeat";
    assert_eq!(refused.to_string(), message);
    let refused = run(&[1], "", date(2022, 5, 1)).unwrap_err();
    assert_eq!(refused.to_string(), "2022-05-01 is not a day of 2022-04");
}

/// Fewer than ten deals were refused, and a new plan has few. They are repeated as many are, with a
/// warning.
#[test]
fn few_deals_are_repeated_with_a_warning() {
    let simulated = run(&[2], "", date(2022, 4, 10)).unwrap();
    assert_eq!(simulated.transactions, SimulationCounts { so_far: 1, projected: 3 });
    assert_eq!(amounts(&simulated.credits), [["credit", "ann", "10.00", "30.00"]]);
    let warning = "this is based on only 1 deal of 10 days: a single deal changes the result a lot";
    assert_eq!(simulated.warning.as_deref(), Some(warning));

    let days: Vec<u32> = (1..=10).collect();
    for count in 1..=days.len() {
        let simulated = run(&days[..count], "", date(2022, 4, 10)).unwrap();
        assert_eq!(simulated.transactions.projected, 3 * count);
        assert_eq!(simulated.warning.is_some(), count < DEALS_FEW, "{count}");
    }
}

/// On the last day there is nothing left to fill.
#[test]
fn on_the_last_day_nothing_is_repeated() {
    let days = [1, 2, 3, 4, 5, 6, 7, 8, 9, 30];
    let simulated = run(&days, "", date(2022, 4, 30)).unwrap();
    assert_eq!(simulated.transactions, SimulationCounts { so_far: 10, projected: 10 });
}

/// March is finalized on the fifth of April. Then a deal of March goes from 50 to 40, and one of 30
/// comes late: 20 more in April, of which nothing is repeated. One of 3 comes late, too, and is held
/// until the 20th.
#[test]
fn what_is_posted_is_real_and_is_not_repeated() {
    let finalized = "[calendar]\nfinalized = { \"2022-03\" = 2022-04-05 }\n";
    let settings = format!("{SETTINGS}received = \"loaded\"\n{finalized}");
    let more = "R1,03/10/2022,50,ann,2022-03-11\nR1,03/10/2022,40,ann,2022-04-06\n\
                L1,03/20/2022,30,ann,2022-04-07\nH1,03/31/2022,3,ann,2022-04-08\n\
                F1,03/21/2022,1000,ann,2022-04-16\n";
    let days = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    let simulated = run_with(&settings, &days, more, date(2022, 4, 15)).unwrap();
    assert_eq!(simulated.transactions, SimulationCounts { so_far: 10, projected: 20 });
    let sums = |sums: &[SimulationSum]| -> Vec<[String; 4]> {
        let text = |sum: &SimulationSum| {
            let posted = sum.posted.map(|posted| posted.to_string()).unwrap_or_default();
            let repeated = sum.repeated.to_string();
            [sum.so_far.to_string(), posted, repeated, sum.projected.to_string()]
        };
        sums.iter().map(text).collect()
    };
    assert_eq!(sums(&simulated.credits), [["120.00", "20.00", "100.00", "223.00"]]);
    // April: a tenth of the first 100, a fifth of the rest. March paid 5.00 for 50 and is worth 7.00
    // for 70, 7.30 when 3 more are released: the difference is in April.
    assert_eq!(sums(&simulated.rewards), [["12.00", "", "20.30", "32.30"]]);
}
