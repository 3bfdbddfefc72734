//! The company of random histories, and what may happen to it.

use std::sync::Arc;

use accredit_domain::decision::HoldAction;
use accredit_operations::periods::PeriodAct;
use accredit_workspace::{Files, Ruleset};
use serde_json::{Value, json};

use super::office::{Office, files_of, ruleset_of};

/// A sequence of numbers from a seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let number = (self.0 >> 33) % limit as u64;
        usize::try_from(number).unwrap()
    }

    pub(crate) fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

pub(crate) const SETTINGS: &str = r#"
unit_types = ["USD", "EUR"]
[workspace]
name = "Random"
currency = "USD"

[fields]
id = "id"
date = "date"
amount = "amount"
owner = "owner"

[columns]
hold = "text"

[tables.rates]
keys = ["payee"]
values = { rate = "number" }

[attributes]
level = "number"
"#;

const DIRECT: &str = r#"
[[direct]]
name = "Order"
  [[direct.results]]
  name = "Credit"
  hold = "policy:asked"
"#;

/// Months: tiers, a reward to date against quotas, one that sees the others, a draw that is owed.
pub(crate) const MONTHLY: &str = r#"
name = "Monthly"
split = "equal"
@direct
[[reward]]
name = "Commission"
tiers = [{ up_to = "1000", rate = "10%" }, { rate = "20%" }]

[[reward]]
name = "Year"
to_date = "year"
tiers = [{ up_to = "50%", rate = "1%" }, { up_to = "100%", rate = "3%" }, { rate = "7%" }]

[[reward]]
name = "Sum"
value = 'earned.total * 0.1 + totals.count + standing.rank'
maximum = '250 - paid["Sum"] * 0.1'

[[reward]]
name = "Bonus"
value = "policy:bonus"

[[draw]]
name = "Draw"
amount = "150"
from = 2026-01-01
recoverable = true
covers = ["Commission"]
recover_at_most = "60"
"#;

/// Quarters: retroactive tiers to date, and a guarantee.
pub(crate) const QUARTERLY: &str = r#"
name = "Quarterly"
split = "equal"
period = "quarter"
quota = "policy:expected"
@direct
[[reward]]
name = "Commission"
to_date = "year"
retroactive = true
tiers = [{ up_to = "1500", rate = "4%" }, { up_to = "4000", rate = "6%" }, { rate = "9%" }]

[[reward]]
name = "Attained"
value = 'if quota == () { 0 } else { totals.credited / quota * 10 }'

[[draw]]
name = "Guarantee"
amount = "90"
from = 2026-01-01
recoverable = false
"#;

/// Months in which less than nothing is carried.
pub(crate) const CARRYING: &str = r#"
name = "Carrying"
split = "equal"
carry_negative = true
@direct
[[reward]]
name = "Commission"
tiers = [{ up_to = "800", rate = "5%" }, { rate = "8%" }]

[[reward]]
name = "By table"
value = 'totals.credited * lookup("rates", payee.id)'

[[reward]]
name = "By level"
value = 'payee["level"] * totals.count'
"#;

pub(crate) const BONUS: &str =
    "fn reward(payee, totals, quota) { if totals.credited > 1000 { 40 } else { 0 } }\n";

pub(crate) const EXPECTED: &str =
    "fn quota(payee, period) { if payee.title == \"Lead\" { 0 } else { 2500 } }\n";

pub(crate) const EXCHANGE: &str =
    "from_unit,to_unit,rate,from,to\nUSD,EUR,0.9,,2026-02-28\nUSD,EUR,0.8,2026-03-01,\n";

const HOLD: &str = r#"
fn hold(tx, credit) { if tx["hold"] == "yes" { hold_indefinitely("asked") } else { no_hold() } }
"#;

pub(crate) const QUOTAS: &str = "plan,target,period,amount\nmonthly,ann,2026-01,2000\n\
    monthly,ann,2026-02,1000\nmonthly,ann,2026-03,3000\nmonthly,ann,2026-Q2,4000\n\
    monthly,bob,2026,9000\nmonthly,cat,2026-02,500\n";

pub(crate) const PEOPLE: &str = "id,title,currency,from,to\nann,Rep,,,\nbob,Rep,EUR,,\n\
    cat,Lead,,,2026-04-15\n";

/// The direct rules in place of their mark.
pub(crate) fn plan(text: &str) -> String {
    text.replace("@direct", DIRECT)
}

pub(crate) fn first_files() -> Files {
    files_of(&[
        ("accredit.toml", SETTINGS.to_owned()),
        ("plans/monthly.toml", plan(MONTHLY)),
        ("plans/quarterly.toml", plan(QUARTERLY)),
        ("plans/carrying.toml", plan(CARRYING)),
        ("policies/hold/asked.rhai", HOLD.to_owned()),
        ("organization/participants.csv", PEOPLE.to_owned()),
        ("organization/quotas.csv", QUOTAS.to_owned()),
        ("organization/attributes.csv", ATTRIBUTES.to_owned()),
        ("organization/exchange_rates.csv", EXCHANGE.to_owned()),
        ("policies/reward/bonus.rhai", BONUS.to_owned()),
        ("policies/quota/expected.rhai", EXPECTED.to_owned()),
        ("tables/rates.csv", RATES.to_owned()),
    ])
}

pub(crate) const ATTRIBUTES: &str = "kind,id,name,value,from,to\nparticipant,ann,level,2,,\n\
     participant,bob,level,1,,\nparticipant,cat,level,3,,\n";

pub(crate) const RATES: &str = "payee,rate\nann,0.02\nbob,0.03\n*,0.01\n";

pub(crate) fn first_ruleset() -> Arc<Ruleset> {
    ruleset_of(&first_files())
}

/// Something that happens.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Happening {
    Deal(Value),
    Void(String),
    Adjust(String, i64),
    Release(String),
    Close(&'static str),
    Reopen(&'static str),
    Finalize(&'static str),
    Confirm(&'static str, &'static str),
}

impl Happening {
    /// Whether it changes what a clean run pays: locks and confirmations do not.
    pub(crate) fn is_content(&self) -> bool {
        matches!(
            self,
            Happening::Deal(_) | Happening::Void(_) | Happening::Adjust(..) | Happening::Release(_)
        )
    }
}

pub(crate) const MONTHS: [&str; 5] = ["2026-01", "2026-02", "2026-03", "2026-04", "2026-05"];

fn deal(dice: &mut Dice) -> Value {
    let month = MONTHS[dice.below(MONTHS.len())];
    let amount = match dice.below(6) {
        0 => -(dice.below(90_000) as i64),
        1 => dice.below(400_000) as i64,
        _ => dice.below(120_000) as i64,
    };
    json!({
        "id": format!("D{}", dice.below(9)),
        "date": format!("{month}-{}", dice.of(&["03", "15", "28"])),
        "amount": format!("{}.{:02}", amount / 100, (amount % 100).abs()),
        "owner": dice.of(&["ann", "bob", "cat", "ann;bob", "bob;cat"]),
        "hold": if dice.below(6) == 0 { "yes" } else { "no" },
    })
}

/// One more happening: deals for the most part.
pub(crate) fn happening(dice: &mut Dice) -> Happening {
    let month = MONTHS[dice.below(4)];
    let known = format!("D{}", dice.below(9));
    match dice.below(20) {
        0 => Happening::Void(known),
        1 | 2 => Happening::Adjust(known, dice.below(1500) as i64 - 500),
        3 => Happening::Release(known),
        4 => Happening::Close(month),
        5 => Happening::Reopen(month),
        6 | 7 => Happening::Finalize(month),
        8 => Happening::Confirm("monthly", month),
        9 => Happening::Confirm("carrying", month),
        10 => Happening::Confirm("quarterly", "2026-Q1"),
        _ => Happening::Deal(deal(dice)),
    }
}

/// Carries it out.
pub(crate) fn act(office: &mut Office, happening: &Happening) {
    match happening {
        Happening::Deal(row) => office.deliver(std::slice::from_ref(row)),
        Happening::Void(id) => office.void_if_known(id),
        Happening::Adjust(id, amount) => office.adjust(id, *amount),
        Happening::Release(id) => office.resolve(id, HoldAction::Release),
        // A finalized period is neither closed nor opened again.
        Happening::Close(month) => {
            office.period(month, PeriodAct::Close);
        }
        Happening::Reopen(month) => {
            office.period(month, PeriodAct::Reopen);
        }
        Happening::Finalize(month) => office.finalize(month),
        Happening::Confirm(plan, period) => office.confirm(plan, period),
    }
}

/// The smallest part of a history that fails too, with how.
pub(crate) fn smallest<T: Clone>(
    events: &[T],
    check: impl Fn(&[T]) -> Result<(), String>,
) -> Option<(Vec<T>, String)> {
    let mut failing = check(events).err()?;
    let mut events = events.to_vec();
    let mut index = 0;
    while index < events.len() {
        let mut fewer = events.clone();
        fewer.remove(index);
        match check(&fewer) {
            Err(how) => (events, failing, index) = (fewer, how, 0),
            Ok(()) => index += 1,
        }
    }
    Some((events, failing))
}

/// How many histories, and the number of the first.
pub(crate) fn numbers(default: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let first = number("ACCREDIT_SEED").unwrap_or(1);
    first..first + number("ACCREDIT_HISTORIES").unwrap_or(default)
}
