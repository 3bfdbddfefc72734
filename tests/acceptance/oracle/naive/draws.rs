//! Draws, and amounts below zero that are carried: what every period shows once they are settled.

use rust_decimal::Decimal;

use super::history::{Line, correction};
use super::periods::{Leaf, Own};
use super::rewards::{Paid, Payments};
use super::{Case, amounts, payee, selected};
use crate::oracle::rewards::Draw;
use crate::oracle::world::{Plan, Tx, World};

/// What is owed, by name and payee.
#[derive(Default)]
struct Owed(Vec<(String, String, Decimal)>);

impl Owed {
    fn of(&self, name: &str, payee: &str) -> Decimal {
        let mut all = self.0.iter().filter(|(known, who, _)| known == name && who == payee);
        all.next().map_or(Decimal::ZERO, |(_, _, sum)| *sum)
    }

    /// Who gave back more than they owed.
    fn overpaid(&self, name: &str) -> Vec<String> {
        let all = self.0.iter().filter(|(known, _, sum)| known == name && *sum < Decimal::ZERO);
        all.map(|(_, payee, _)| payee.clone()).collect()
    }

    fn add(&mut self, plan: &Plan, line: &Line) {
        let name = &line.paid.reward;
        let counts = plan.draws.iter().any(|draw| draw.recoverable && draw.name == *name);
        if line.origin != "carried" && !counts {
            return;
        }
        let mut all = self.0.iter_mut();
        match all.find(|(known, who, _)| known == name && *who == line.paid.payee) {
            Some((_, _, sum)) => *sum += line.paid.amount,
            None => self.0.push((name.clone(), line.paid.payee.clone(), line.paid.amount)),
        }
    }
}

fn bare(reward: &str, payee: &str, amount: Decimal) -> Paid {
    Paid {
        reward: reward.to_owned(),
        payee: payee.to_owned(),
        team: None,
        credit_types: Vec::new(),
        credited: Decimal::ZERO,
        credited_unit: "USD".to_owned(),
        quota: None,
        amount,
        unit: "USD".to_owned(),
        credits: Vec::new(),
    }
}

/// What every period shows: frozen rows as they are, else its own, draws, corrections, and what is
/// carried.
pub(super) fn settle(
    (world, leaves, plan): (&World, &[Leaf], &Plan),
    owns: &[Own],
    mut known: Vec<Payments>,
    frozen: &[(usize, Vec<Line>)],
) -> Vec<Vec<Line>> {
    let is_frozen = |place: usize| frozen.iter().find(|(known, _)| *known == place);
    // By what is known now, and by the rows that count.
    let (mut clean, mut owed) = (Owed::default(), Owed::default());
    let mut all: Vec<Vec<Line>> = Vec::new();
    for (place, own) in owns.iter().enumerate() {
        let line =
            |paid: Paid, origin| Line { period: own.id.clone(), paid, origin, corrects: None };
        let mut shown: Vec<Line> = Vec::new();
        let mut posted: Vec<Line> = Vec::new();
        if let Some((_, lines)) = is_frozen(place) {
            shown = lines.clone();
        } else {
            for of in (0..place).filter(|of| is_frozen(*of).is_some()) {
                if (of..owns.len()).find(|later| is_frozen(*later).is_none()) == Some(place) {
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
            let mut totals = sums(rows);
            // Who gave back too much has it returned, though nothing else is paid to them.
            for payee in owed.overpaid("carried") {
                if totals.iter().all(|(known, _)| *known != payee) {
                    totals.push((payee, Decimal::ZERO));
                }
            }
            for (payee, total) in totals {
                let before = owed.of("carried", &payee);
                let returned = (Decimal::ZERO - before).max(Decimal::ZERO);
                let total = total + returned;
                let amount = match total < Decimal::ZERO {
                    true => returned - total,
                    false => returned - total.min(before.max(Decimal::ZERO)),
                };
                if !amount.is_zero() {
                    carried.push(line(bare("carried", &payee, amount), "carried"));
                }
            }
        }
        let mut drawn: Vec<Line> = Vec::new();
        for draw in plan.draws.iter().filter(|draw| draw.from <= own.last) {
            for payee in people((world, leaves, plan), own) {
                let earned = covered(draw, &payee, &known[place].paid, &carried);
                let amount = due(draw, earned, clean.of(&draw.name, &payee), world.scale_of("USD"));
                if !amount.is_zero() {
                    drawn.push(line(bare(&draw.name, &payee, amount), "draw"));
                }
            }
        }
        drawn.iter().for_each(|line| clean.add(plan, line));
        if is_frozen(place).is_none() {
            shown.extend(known[place].paid.iter().map(|paid| line(paid.clone(), "calculated")));
            shown.extend(drawn.iter().cloned());
            shown.extend(posted);
            shown.extend(carried);
        }
        known[place].paid.extend(drawn.into_iter().map(|line| line.paid));
        shown.iter().for_each(|line| owed.add(plan, line));
        all.push(shown);
    }
    all
}

fn sums<'a>(rows: impl Iterator<Item = &'a Paid>) -> Vec<(String, Decimal)> {
    let mut all: Vec<(String, Decimal)> = Vec::new();
    for paid in rows {
        match all.iter_mut().find(|(payee, _)| *payee == paid.payee) {
            Some((_, sum)) => *sum += paid.amount,
            None => all.push((paid.payee.clone(), paid.amount)),
        }
    }
    all
}

/// What the covered rewards earned; what is carried to later periods leaves nothing, and what is
/// recovered of it comes first.
fn covered(draw: &Draw, payee: &str, paid: &[Paid], carried: &[Line]) -> Decimal {
    let named = |paid: &&Paid| draw.covers.is_empty() || draw.covers.contains(&paid.reward);
    let is_draw = |paid: &&Paid| paid.reward.starts_with("Draw");
    let own = paid.iter().filter(|paid| paid.payee == payee).filter(|paid| !is_draw(paid));
    let earned: Decimal = own.filter(named).map(|paid| paid.amount).sum();
    let moved = carried.iter().filter(|line| line.paid.payee == payee);
    let moved: Decimal = moved.map(|line| line.paid.amount).sum();
    if moved > Decimal::ZERO { earned.max(Decimal::ZERO) } else { earned + moved }
}

/// What a draw pays, or takes back.
fn due(draw: &Draw, earned: Decimal, owed: Decimal, scale: u32) -> Decimal {
    let money = |text: &str| amounts::round(text.parse().unwrap(), scale);
    let amount = money(draw.amount);
    if earned < amount {
        return amount - earned;
    }
    if !draw.recoverable {
        return Decimal::ZERO;
    }
    let most: Option<Decimal> = draw.most.map(money);
    let back = (earned - amount).min(owed).max(Decimal::ZERO);
    Decimal::ZERO - most.map_or(back, |most| back.min(most))
}

/// Everybody who is a target of the plan on a day of the period.
fn people((world, leaves, plan): (&World, &[Leaf], &Plan), own: &Own) -> Vec<String> {
    let none = Tx::default();
    let mut all: Vec<String> = Vec::new();
    let mut date = own.first;
    while date <= own.last {
        let case = Case { world, leaves, plan, tx: &none, date };
        for seat in world.seats.iter().filter(|seat| seat.span.has(date)) {
            if let (true, Some(payee)) =
                (selected(case, &plan.targets, &seat.id), payee(case, &seat.id))
            {
                all.push(payee);
            }
        }
        date = date.tomorrow().unwrap();
    }
    all.sort();
    all.dedup();
    all
}
