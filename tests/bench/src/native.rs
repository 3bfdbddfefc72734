//! The rules of the benchmark written by hand: what nobody could change without a release.

use std::collections::HashMap;

use rust_decimal::{Decimal, RoundingStrategy};

/// A deal, already typed.
pub struct Deal {
    pub id: String,
    pub won: bool,
    pub date: String,
    pub amount: Decimal,
    pub quantity: Decimal,
    pub owner: String,
    pub first: String,
    pub second: String,
}

/// A credit without its explanation.
pub struct Credit {
    pub transaction: u32,
    pub position: u32,
    pub amount: Decimal,
    pub status: &'static str,
}

/// Reps, managers and one vice president by number.
pub struct Company {
    ids: HashMap<String, u32>,
    managers: Vec<Option<u32>>,
    names: Vec<String>,
}

impl Company {
    pub fn new(reps: usize) -> Company {
        let (mut ids, mut managers, mut names) = (HashMap::new(), Vec::new(), Vec::new());
        let vp = (reps + reps / 10) as u32;
        for rep in 0..reps {
            ids.insert(format!("rep {rep}"), rep as u32);
            managers.push(Some((reps + rep / 10) as u32));
            names.push(format!("r{rep}"));
        }
        for manager in 0..reps / 10 {
            managers.push(Some(vp));
            names.push(format!("m{manager}"));
        }
        managers.push(None);
        names.push("vp".to_owned());
        Company { ids, managers, names }
    }

    pub fn name(&self, position: u32) -> String {
        self.names[position as usize].clone()
    }
}

pub fn decide_all(company: &Company, deals: &[Deal]) -> Vec<Credit> {
    let mut credits = Vec::with_capacity(deals.len() * 3);
    let (large, thousand, half) = (Decimal::from(50_000), Decimal::from(1_000), Decimal::from(500));
    for (transaction, deal) in (0..).zip(deals) {
        if !deal.won || deal.date.parse::<jiff::civil::Date>().is_err() || deal.id.is_empty() {
            continue;
        }
        let who = if deal.quantity >= thousand {
            &deal.first
        } else if deal.quantity >= half {
            &deal.second
        } else {
            &deal.owner
        };
        let Some(&position) = company.ids.get(&who.trim().to_lowercase()) else { continue };
        let amount = deal.amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
        let held = amount >= large;
        let status = if held { "held" } else { "active" };
        credits.push(Credit { transaction, position, amount, status });
        let mut next = company.managers[position as usize].filter(|_| !held);
        while let Some(position) = next {
            credits.push(Credit { transaction, position, amount, status: "active" });
            next = company.managers[position as usize];
        }
    }
    credits
}
