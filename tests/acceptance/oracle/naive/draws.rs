//! Draws, and amounts below zero that are carried: what every period shows once they are settled.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::history::{Line, correction};
use super::periods::{Leaf, Own};
use super::rewards::{Paid, Payments};
use super::tables::Payee;
use super::{Case, amounts, dues, money, payee, selected, worth};
use crate::oracle::rewards::Draw;
use crate::oracle::world::{Plan, Tx, World};

/// What is owed, by name, payee and unit.
#[derive(Clone, Default)]
struct Owed(Vec<([String; 3], Decimal)>);

/// What a payee owed before a period and owes after it.
#[derive(Debug, Clone)]
pub(crate) struct Balance {
    pub(crate) period: String,
    /// Name, payee and unit.
    pub(crate) account: [String; 3],
    pub(crate) before: Decimal,
    pub(crate) after: Decimal,
}

/// What a period shows.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown {
    pub(super) lines: Vec<Line>,
    pub(super) balances: Vec<Balance>,
}

fn account(name: &str, payee: &str, unit: &str) -> [String; 3] {
    [name.to_owned(), payee.to_owned(), unit.to_owned()]
}

impl Owed {
    fn of(&self, name: &str, payee: &str, unit: &str) -> Decimal {
        let key = account(name, payee, unit);
        let found = self.0.iter().find(|(known, _)| *known == key);
        found.map_or(Decimal::ZERO, |(_, sum)| *sum)
    }

    /// Those of whom something changed, or who still owe.
    fn since(&self, before: &Owed, period: &str) -> Vec<Balance> {
        let all = self.0.iter().map(|(account, after)| {
            let [name, payee, unit] = account;
            let (period, account) = (period.to_owned(), account.clone());
            Balance { period, before: before.of(name, payee, unit), after: *after, account }
        });
        all.filter(|row| !row.after.is_zero() || row.before != row.after).collect()
    }

    /// Who gave back more than they owed.
    fn overpaid(&self, name: &str) -> Vec<(String, String)> {
        let all = self.0.iter().filter(|([known, ..], sum)| known == name && *sum < Decimal::ZERO);
        all.map(|([_, payee, unit], _)| (payee.clone(), unit.clone())).collect()
    }

    fn add(&mut self, plan: &Plan, line: &Line) {
        let name = &line.paid.reward;
        let counts = plan.draws.iter().any(|draw| draw.recoverable && draw.name == *name);
        if line.origin != "carried" && !counts {
            return;
        }
        let key = account(name, &line.paid.payee, &line.paid.unit);
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, sum)) => *sum += line.paid.amount,
            None => self.0.push((key, line.paid.amount)),
        }
    }
}

fn bare(reward: &str, (payee, unit): (&str, &str), amount: Decimal) -> Paid {
    Paid {
        reward: reward.to_owned(),
        payee: payee.to_owned(),
        team: None,
        credit_types: Vec::new(),
        credited: Decimal::ZERO,
        credited_unit: unit.to_owned(),
        quota: None,
        amount,
        unit: unit.to_owned(),
        credits: Vec::new(),
    }
}

/// What is carried on, or recovered, where these rows count. Who gave back too much has it
/// returned, though nothing else is paid to them.
fn carry<'a>(rows: impl Iterator<Item = &'a Paid>, owed: &Owed) -> Vec<Paid> {
    let mut totals = sums(rows);
    for account in owed.overpaid("carried") {
        if totals.iter().all(|(known, _)| *known != account) {
            totals.push((account, Decimal::ZERO));
        }
    }
    let mut all = Vec::new();
    for ((payee, unit), total) in totals {
        let before = owed.of("carried", &payee, &unit);
        let returned = (Decimal::ZERO - before).max(Decimal::ZERO);
        let total = total + returned;
        let amount = match total < Decimal::ZERO {
            true => returned - total,
            false => returned - total.min(before.max(Decimal::ZERO)),
        };
        if !amount.is_zero() {
            all.push(bare("carried", (&payee, &unit), amount));
        }
    }
    all
}

/// What every period shows: frozen rows as they are, else its own, draws, corrections, and what is
/// carried. What people must know of draws is added to what is known of the periods.
pub(super) fn settle(
    (world, leaves, plan): (&World, &[Leaf], &Plan),
    owns: &[Own],
    known: &mut [Payments],
    (frozen, locked): (&[(usize, Vec<Line>)], &[String]),
) -> Vec<Shown> {
    let is_frozen = |place: usize| frozen.iter().find(|(known, _)| *known == place);
    // What is closed takes no corrections either, though what it pays may still change.
    let takes = |n: usize| is_frozen(n).is_none() && is_open(leaves, &owns[n], locked);
    // By what is known now, and by the rows that count.
    let (mut clean, mut owed) = (Owed::default(), Owed::default());
    let mut all: Vec<Shown> = Vec::new();
    for (place, own) in owns.iter().enumerate() {
        let line =
            |paid: Paid, origin| Line { period: own.id.clone(), paid, origin, corrects: None };
        let mut shown: Vec<Line> = Vec::new();
        let mut posted: Vec<Line> = Vec::new();
        if let Some((_, lines)) = is_frozen(place) {
            shown = lines.clone();
        } else {
            for of in (0..place).filter(|of| is_frozen(*of).is_some()) {
                if (of..owns.len()).find(|later| takes(*later)) == Some(place) {
                    for paid in correction(&owns[of], &known[of], frozen) {
                        let corrects = Some(owns[of].id.clone());
                        posted.push(Line { corrects, ..line(paid, "retro") });
                    }
                }
            }
        }
        let mut carried: Vec<Line> =
            shown.iter().filter(|l| l.origin == "carried").cloned().collect();
        if is_frozen(place).is_none() && plan.carry {
            let rows = known[place].paid.iter().chain(posted.iter().map(|line| &line.paid));
            carried.extend(carry(rows, &owed).into_iter().map(|paid| line(paid, "carried")));
        }
        let drawn = drawn((world, leaves, plan), own, &mut known[place], &carried, &clean);
        let drawn: Vec<Line> = drawn.into_iter().map(|paid| line(paid, "draw")).collect();
        drawn.iter().for_each(|line| clean.add(plan, line));
        if is_frozen(place).is_none() {
            shown.extend(known[place].paid.iter().map(|paid| line(paid.clone(), "calculated")));
            shown.extend(drawn.iter().cloned());
            shown.extend(posted);
            shown.extend(carried);
        }
        known[place].paid.extend(drawn.into_iter().map(|line| line.paid));
        let before = owed.clone();
        shown.iter().for_each(|line| owed.add(plan, line));
        all.push(Shown { lines: shown, balances: owed.since(&before, &own.id) });
    }
    all
}

/// Whether some part of a period is neither closed nor finalized.
fn is_open(leaves: &[Leaf], own: &Own, locked: &[String]) -> bool {
    leaves.iter().any(|leaf| own.has(leaf) && !locked.contains(&leaf.id))
}

/// What the draws of a period pay, by what they are owed.
fn drawn(
    (world, leaves, plan): (&World, &[Leaf], &Plan),
    own: &Own,
    known: &mut Payments,
    carried: &[Line],
    owed: &Owed,
) -> Vec<Paid> {
    let mut all: Vec<Paid> = Vec::new();
    let has = |draw: &&Draw| draw.from <= own.last && draw.to.is_none_or(|to| own.last <= to);
    for draw in plan.draws.iter().filter(has) {
        for payee in people((world, leaves, plan), draw, own) {
            let whose = (payee.id.as_str(), payee.unit.as_str());
            let [amount, most] = match terms((world, leaves, plan), draw, &payee, own) {
                Ok(terms) => terms,
                Err(code) => {
                    let claim = [&draw.name, &payee.id, &payee.unit];
                    known.failed.push(claim.map(ToString::to_string));
                    known.alerts.push((code, draw.name.clone()));
                    continue;
                }
            };
            let earned = covered(draw, whose, &known.paid, carried);
            let owed = owed.of(&draw.name, whose.0, whose.1);
            let amount = due(draw, earned, owed, (amount.unwrap(), most));
            if !amount.is_zero() {
                all.push(bare(&draw.name, whose, amount));
            }
        }
    }
    all
}

fn sums<'a>(rows: impl Iterator<Item = &'a Paid>) -> Vec<((String, String), Decimal)> {
    let mut all: Vec<((String, String), Decimal)> = Vec::new();
    for paid in rows {
        let key = (paid.payee.clone(), paid.unit.clone());
        match all.iter_mut().find(|(known, _)| *known == key) {
            Some((_, sum)) => *sum += paid.amount,
            None => all.push((key, paid.amount)),
        }
    }
    all
}

/// What the covered rewards earned; what is carried to later periods leaves nothing, and what is
/// recovered of it comes first.
fn covered(draw: &Draw, whose: (&str, &str), paid: &[Paid], carried: &[Line]) -> Decimal {
    let own = |paid: &Paid| (paid.payee.as_str(), paid.unit.as_str()) == whose;
    let named = |paid: &&Paid| draw.covers.is_empty() || draw.covers.contains(&paid.reward);
    let is_draw = |paid: &&Paid| paid.reward.starts_with("Draw");
    let rewards = paid.iter().filter(|paid| own(paid) && !is_draw(paid));
    let earned: Decimal = rewards.filter(named).map(|paid| paid.amount).sum();
    let moved = carried.iter().filter(|line| own(&line.paid));
    let moved: Decimal = moved.map(|line| line.paid.amount).sum();
    if moved > Decimal::ZERO { earned.max(Decimal::ZERO) } else { earned + moved }
}

/// The amount of a draw and the most that is recovered, in the payee's unit at the rate of the last
/// day.
fn terms(
    (world, leaves, plan): (&World, &[Leaf], &Plan),
    draw: &Draw,
    payee: &Payee,
    own: &Own,
) -> Result<[Option<Decimal>; 2], &'static str> {
    let none = Tx::default();
    let case = Case { world, leaves, plan, tx: &none, date: own.last };
    let amount =
        dues::due(world, &draw.amount, payee, (&own.id, own.last)).ok_or("policy_error")?;
    let most: Option<Decimal> = draw.most.map(|text| text.parse().unwrap());
    let mut all = [Some(amount.max(Decimal::ZERO)), most];
    for amount in all.iter_mut().flatten() {
        let exchanged = money::exchanged(case, *amount, "USD", &payee.unit);
        let exchanged = exchanged.map_err(|_| "no_exchange_rate")?;
        *amount = amounts::round(exchanged, world.scale_of(&payee.unit));
    }
    Ok(all)
}

/// What a draw pays, or takes back.
fn due(
    draw: &Draw,
    earned: Decimal,
    owed: Decimal,
    (amount, most): (Decimal, Option<Decimal>),
) -> Decimal {
    if earned < amount {
        return amount - earned;
    }
    if !draw.recoverable {
        return Decimal::ZERO;
    }
    let back = (earned - amount).min(owed).max(Decimal::ZERO);
    Decimal::ZERO - most.map_or(back, |most| back.min(most))
}

/// Everybody who is a target of the draw on a day of the period; of plans for teams it is people as
/// well who have it.
fn people((world, leaves, plan): (&World, &[Leaf], &Plan), draw: &Draw, own: &Own) -> Vec<Payee> {
    let none = Tx::default();
    let plan = &Plan { teams: false, ..plan.clone() };
    let targets = if draw.targets.is_empty() { &plan.targets } else { &draw.targets };
    let mut all: Vec<(String, Vec<(String, Date)>)> = Vec::new();
    let mut date = own.first;
    while date <= own.last {
        let case = Case { world, leaves, plan, tx: &none, date };
        for seat in world.seats.iter().filter(|seat| seat.span.has(date)) {
            let chosen = selected(case, targets, &seat.id);
            let Some(person) = payee(case, &seat.id).filter(|_| chosen) else { continue };
            match all.iter_mut().find(|(known, _)| *known == person) {
                Some((_, seats)) => seats.push((seat.id.clone(), date)),
                None => all.push((person, vec![(seat.id.clone(), date)])),
            }
        }
        date = date.tomorrow().unwrap();
    }
    all.sort();
    let payee = |(id, seats): (String, Vec<(String, Date)>)| {
        let own = world.people.iter().find(|person| person.id == id);
        let unit = own.and_then(|person| person.currency.clone());
        let unit = unit.unwrap_or_else(|| "USD".to_owned());
        let payee = Payee { id, title: None, position: None, team: None, unit };
        worth::seated(world, &seats, payee)
    };
    all.into_iter().map(payee).collect()
}
