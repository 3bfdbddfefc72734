//! Every history of three events: two periods, two payees, two tiers, cumulative and retroactive.
//!
//! A second reading keeps deals as a list and pays by hand; it shares nothing with the engine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use accredit_domain::decision::{EarnedReward, HoldAction};
use accredit_workspace::Ruleset;
use serde_json::{Value, json};

use super::office::{Office, files_of, ruleset_of};

const SETTINGS: &str = r#"
[workspace]
name = "Small"

[fields]
id = "id"
date = "date"
amount = "amount"
owner = "owner"

[columns]
hold = "text"
"#;

/// A plan with tiers of 10 % to 1,000, then 20 %.
fn plan(name: &str, retroactive: bool) -> String {
    format!(
        r#"
name = "{name}"

[[direct]]
name = "Order"
  [[direct.results]]
  name = "Credit"
  hold = "policy:asked"

[[reward]]
name = "Commission"
retroactive = {retroactive}
tiers = [{{ up_to = "1000", rate = "10%" }}, {{ rate = "20%" }}]
"#
    )
}

const HOLD: &str = r#"
fn hold(tx, credit) { if tx["hold"] == "yes" { hold_indefinitely("asked") } else { no_hold() } }
"#;

fn ruleset() -> Arc<Ruleset> {
    ruleset_of(&files_of(&[
        ("accredit.toml", SETTINGS.to_owned()),
        ("plans/cumulative.toml", plan("Cumulative", false)),
        ("plans/retroactive.toml", plan("Retroactive", true)),
        ("policies/hold/asked.rhai", HOLD.to_owned()),
        ("organization/participants.csv", "id,title\nann,Rep\nbob,Rep\n".to_owned()),
    ]))
}

/// A deal as the second reading keeps it; amounts are whole.
#[derive(Clone)]
struct Deal {
    id: &'static str,
    owner: &'static str,
    date: &'static str,
    amount: i64,
    held: bool,
    void: bool,
    more: i64,
}

fn deal(id: &'static str, owner: &'static str, date: &'static str, amount: i64) -> Deal {
    Deal { id, owner, date, amount, held: id == "H1", void: false, more: 0 }
}

impl Deal {
    fn row(&self) -> Value {
        json!({
            "id": self.id, "date": self.date, "amount": self.amount, "owner": self.owner,
            "hold": if self.id == "H1" { "yes" } else { "no" },
        })
    }

    fn month(&self) -> &'static str {
        &self.date[..7]
    }
}

/// Ann has more than one tier in January and less in February, Bob the other way round.
fn first_deals() -> Vec<Deal> {
    vec![
        deal("A1", "ann", "2026-01-10", 900),
        deal("A2", "ann", "2026-01-20", 600),
        deal("A3", "ann", "2026-02-10", 800),
        deal("B1", "bob", "2026-01-12", 950),
        deal("B2", "bob", "2026-02-05", 1300),
        deal("H1", "ann", "2026-01-25", 400),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Event {
    LateDeal,
    OtherAmount,
    OtherOwner,
    OtherDay,
    OtherPeriod,
    Void,
    Release,
    FinalizeFirst,
    FinalizeSecond,
    ConfirmFirst,
    Adjust,
}

const EVENTS: [Event; 11] = [
    Event::LateDeal,
    Event::OtherAmount,
    Event::OtherOwner,
    Event::OtherDay,
    Event::OtherPeriod,
    Event::Void,
    Event::Release,
    Event::FinalizeFirst,
    Event::FinalizeSecond,
    Event::ConfirmFirst,
    Event::Adjust,
];

const MONTHS: [&str; 3] = ["2026-01", "2026-02", "2026-03"];
const PAYEES: [&str; 2] = ["ann", "bob"];

/// What a period shows of a payee: the period, whether it corrects one, and the payee; in cents.
type Line = (String, Option<String>, String, i64);

/// The second reading of a history, of one way to pay.
struct Reading {
    retroactive: bool,
    deals: Vec<Deal>,
    frozen: BTreeMap<&'static str, Vec<Line>>,
}

impl Reading {
    fn new(retroactive: bool) -> Reading {
        Reading { retroactive, deals: first_deals(), frozen: BTreeMap::new() }
    }

    /// What a clean run of a month pays, in cents; none without a credit.
    fn clean(&self, month: &str, payee: &str) -> Option<i64> {
        let counts = |deal: &&Deal| deal.owner == payee && deal.month() == month;
        let deals: Vec<&Deal> = self.deals.iter().filter(counts).collect();
        let deals: Vec<&Deal> = deals.into_iter().filter(|deal| !deal.held && !deal.void).collect();
        if deals.is_empty() {
            return None;
        }
        let sum: i64 = deals.iter().map(|deal| deal.amount + deal.more).sum();
        // Cents: 10 % of a whole amount are ten cents of each.
        Some(match (sum > 1000, self.retroactive) {
            (false, _) => sum * 10,
            (true, true) => sum * 20,
            (true, false) => 1000 * 10 + (sum - 1000) * 20,
        })
    }

    /// What was paid for a month in frozen months.
    fn paid(&self, month: &str, payee: &str) -> i64 {
        let about = |line: &&Line| line.2 == payee && line.1.as_deref().unwrap_or(&line.0) == month;
        self.frozen.values().flatten().filter(about).map(|line| line.3).sum()
    }

    /// The lines of a month as they are now.
    fn month(&self, month: &'static str) -> Vec<Line> {
        if let Some(lines) = self.frozen.get(month) {
            return lines.clone();
        }

        let mut lines = Vec::new();
        for payee in PAYEES {
            if let Some(cents) = self.clean(month, payee) {
                lines.push((month.to_owned(), None, payee.to_owned(), cents));
            }
        }
        for frozen in self.frozen.keys().filter(|frozen| self.open_after(frozen) == month) {
            for payee in PAYEES {
                let due = self.clean(frozen, payee).unwrap_or(0) - self.paid(frozen, payee);
                if due != 0 {
                    let corrects = Some((*frozen).to_owned());
                    lines.push((month.to_owned(), corrects, payee.to_owned(), due));
                }
            }
        }
        lines
    }

    fn open_after(&self, frozen: &str) -> &'static str {
        let mut later = MONTHS.iter().filter(|month| **month >= frozen);
        later.find(|month| !self.frozen.contains_key(*month)).unwrap()
    }

    fn freeze(&mut self, month: &'static str) {
        let lines = self.month(month);
        self.frozen.insert(month, lines);
    }

    fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = MONTHS.iter().flat_map(|month| self.month(month)).collect();
        lines.sort();
        lines
    }

    /// New content of a deal: a void one comes back.
    fn revise(&mut self, id: &str, change: impl Fn(&mut Deal)) -> Option<Value> {
        let deal = self.deals.iter_mut().find(|deal| deal.id == id)?;
        let before = deal.row();
        change(deal);
        // The same content again says nothing new.
        if deal.row() != before {
            deal.void = false;
        }
        Some(deal.row())
    }

    fn mark(&mut self, id: &str, change: impl Fn(&mut Deal)) {
        self.deals.iter_mut().filter(|deal| deal.id == id).for_each(change);
    }

    /// The event here; the row that arrives with it.
    fn take(&mut self, event: Event) -> Option<Value> {
        match event {
            Event::LateDeal => {
                let known = self.deals.iter().any(|deal| deal.id == "L1");
                if !known {
                    self.deals.push(deal("L1", "bob", "2026-01-15", 700));
                }
                self.revise("L1", |_| ())
            }
            Event::OtherAmount => self.revise("A1", |deal| deal.amount = 300),
            Event::OtherOwner => self.revise("A2", |deal| deal.owner = "bob"),
            Event::OtherDay => self.revise("B1", |deal| deal.date = "2026-01-13"),
            Event::OtherPeriod => self.revise("A3", |deal| deal.date = "2026-01-28"),
            Event::Void => {
                self.mark("B1", |deal| deal.void = true);
                None
            }
            Event::Release => {
                self.mark("H1", |deal| deal.held = false);
                None
            }
            Event::Adjust => {
                self.mark("A1", |deal| deal.more = 250);
                None
            }
            Event::FinalizeFirst | Event::ConfirmFirst => {
                self.freeze("2026-01");
                None
            }
            Event::FinalizeSecond => {
                self.freeze("2026-02");
                None
            }
        }
    }
}

/// The event at the office.
fn act(office: &mut Office, event: Event, row: Option<Value>) {
    match event {
        Event::Void => office.void("B1"),
        Event::Release => office.resolve("H1", HoldAction::Release),
        Event::Adjust => office.adjust("A1", 250),
        Event::FinalizeFirst => office.finalize("2026-01"),
        Event::FinalizeSecond => office.finalize("2026-02"),
        Event::ConfirmFirst => {
            office.confirm("cumulative", "2026-01");
            office.confirm("retroactive", "2026-01");
        }
        _ => office.deliver(&[row.unwrap()]),
    }
}

/// The engine's rows of a plan as lines.
fn lines_of(rewards: &[EarnedReward], plan: &str) -> Vec<Line> {
    let of_plan = rewards.iter().filter(|row| row.plan == *plan);
    let mut lines: Vec<Line> = of_plan
        .map(|row| {
            let cents: i64 = (row.amount * rust_decimal::Decimal::ONE_HUNDRED).try_into().unwrap();
            let corrects = row.corrects.as_ref().map(ToString::to_string);
            (row.period.to_string(), corrects, row.payee.to_string(), cents)
        })
        .collect();
    lines.sort();
    lines
}

/// A history, compared after every event.
fn compare(ruleset: &Arc<Ruleset>, events: &[Event]) {
    let mut readings = [Reading::new(false), Reading::new(true)];
    let mut office = Office::open(ruleset);
    let rows: Vec<Value> = first_deals().iter().map(Deal::row).collect();
    office.deliver(&rows);

    for (place, event) in events.iter().enumerate() {
        let before = office.frozen();
        let rows = readings.each_mut().map(|reading| reading.take(*event));
        act(&mut office, *event, rows[0].clone());

        let after = office.frozen();
        let kept = before.iter().all(|known| after.contains(known));
        assert!(kept, "{:?}: a frozen row changed: {before:#?}\nnow {after:#?}", &events[..=place]);

        let rewards = office.rewards();
        for (plan, reading) in ["cumulative", "retroactive"].into_iter().zip(&readings) {
            let (paid, wanted) = (lines_of(&rewards, plan), reading.lines());
            assert_eq!(paid, wanted, "{plan}, engine left: {:?}", &events[..=place]);
            holds_law(&paid, reading, &events[..=place]);
        }
    }
}

/// RL1: everything paid for a month is what a clean run of it pays.
fn holds_law(paid: &[Line], reading: &Reading, events: &[Event]) {
    for month in MONTHS {
        for payee in PAYEES {
            let about =
                |line: &&Line| line.2 == payee && line.1.as_deref().unwrap_or(&line.0) == month;
            let sum: i64 = paid.iter().filter(about).map(|line| line.3).sum();
            let clean = reading.clean(month, payee).unwrap_or(0);
            assert_eq!(sum, clean, "{payee} in {month}: {events:?}");
        }
    }
}

#[test]
fn every_small_history_pays_as_specified() {
    let ruleset = ruleset();
    let count = EVENTS.len().pow(3);
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return;
            }
            let digit = |power: u32| EVENTS[index / EVENTS.len().pow(power) % EVENTS.len()];
            compare(&ruleset, &[digit(2), digit(1), digit(0)]);
        }
    };
    thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
}
