//! The company's rules written by hand in Rust: scaled integers, numbers for names, nothing explained.
//!
//! It does what the rules of the company do and no more, so it is the floor under the pipeline.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::proof::{Proof, Row};
use crate::worker::Decide;

const NOBODY: u16 = u16::MAX;
const LARGE_CENTS: i64 = 5_000_000;

/// Deals that a thread decides and writes at a time.
const BLOCK_DEALS: usize = 4096;

/// A deal with numbers for its names.
#[derive(Debug, Clone, Copy)]
struct Deal {
    cents: i64,
    number: u32,
    first: u16,
    second: u16,
    quantity: u16,
    month: u8,
    day: u8,
    won: bool,
    berlin: bool,
}

/// A credit with numbers for its names.
#[derive(Debug, Clone, Copy)]
struct Credit {
    cents: i64,
    deal: u32,
    rep: u16,
    position: u16,
    level: u8,
    held: bool,
    month: u8,
    tenths: u8,
}

/// The company and its deals.
pub struct Native {
    names: Vec<String>,
    managers: Vec<u16>,
    deals: Vec<Deal>,
    credits: Vec<Vec<Credit>>,
}

impl Native {
    /// Reads the company in `folder`.
    pub fn load(folder: &Path) -> Native {
        let people = std::fs::read_to_string(folder.join("organization/participants.csv")).unwrap();
        let rows = people.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        let rows: Vec<Vec<&str>> = rows.collect();
        let places = crate::proof::position_lines(folder);
        let place = |id: &str| places.get(id).map_or(NOBODY, |place| *place as u16);

        let text = std::fs::read_to_string(folder.join("transactions/deals.csv")).unwrap();
        let deal = |line: &str| {
            let mut cells = line.split(',');
            let mut next = || cells.next().unwrap();
            let (id, date) = (next(), next());
            Deal {
                number: id[1..].parse().unwrap(),
                month: date[5..7].parse().unwrap(),
                day: date[8..].parse().unwrap(),
                cents: crate::proof::cents_of(next()) as i64,
                first: place(next()),
                second: place(next()),
                quantity: next().parse().unwrap(),
                won: next() == "Won",
                berlin: next() == "Berlin",
            }
        };
        Native {
            names: rows.iter().map(|row| row[0].to_owned()).collect(),
            managers: rows.iter().map(|row| place(row[3])).collect(),
            deals: text.lines().skip(1).map(deal).collect(),
            credits: Vec::new(),
        }
    }

    /// Adds the credits of one deal.
    fn decide_deal(&self, deal: &Deal, credits: &mut Vec<Credit>) {
        if !deal.won || deal.cents <= 0 {
            return;
        }

        let alone = deal.quantity >= 1000 || deal.second == NOBODY || deal.first == deal.second;
        let tenths = match deal.quantity {
            _ if alone => 10,
            500.. => 6,
            _ if deal.berlin => 7,
            _ => 5,
        };

        // What is left of two parts is a cent, and it goes to the first where both are equally near.
        let part = (deal.cents * tenths + 5) / 10;
        let tenths = tenths as u8;
        self.credit_rep(deal, (deal.first, part, tenths), credits);
        if !alone {
            self.credit_rep(deal, (deal.second, deal.cents - part, 10 - tenths), credits);
        }
    }

    /// Adds the credit of one rep and those of all managers above.
    fn credit_rep(
        &self,
        deal: &Deal,
        (rep, cents, tenths): (u16, i64, u8),
        credits: &mut Vec<Credit>,
    ) {
        let held = cents >= LARGE_CENTS;
        let month = deal.month;
        let direct =
            Credit { cents, deal: deal.number, rep, position: rep, level: 0, held, month, tenths };
        credits.push(direct);
        if held {
            return;
        }

        let mut position = self.managers[usize::from(rep)];
        let mut level = 1;
        while position != NOBODY {
            let cents = if level == 1 { cents } else { (cents + 1) / 2 };
            credits.push(Credit { cents, position, level, ..direct });
            position = self.managers[usize::from(position)];
            level += 1;
        }
    }
}

impl Decide for Native {
    fn decide(&mut self, threads: usize) {
        let share = self.deals.len().div_ceil(threads);
        let decide = |deals: &[Deal]| {
            let mut credits = Vec::with_capacity(deals.len() * 9);
            deals.iter().for_each(|deal| self.decide_deal(deal, &mut credits));
            credits
        };
        self.credits = thread::scope(|scope| {
            let parts = self.deals.chunks(share.max(1));
            let workers: Vec<_> = parts.map(|deals| scope.spawn(move || decide(deals))).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        });
    }

    fn prove(&self) -> Proof {
        let mut proof = Proof::default();
        for credit in self.credits.iter().flatten() {
            proof.add(Row {
                deal: u64::from(credit.deal),
                position: u64::from(credit.position),
                kind: u64::from(credit.level > 0),
                cents: credit.cents as u64,
                status: u64::from(credit.held),
                month: u64::from(credit.month),
            });
        }
        proof
    }

    fn clear(&mut self) {
        self.credits = Vec::new();
    }
}

/// Reads the company in `folder` and writes the 26 columns of its credits to `file`; ids are left blank.
pub fn write_rows(folder: &Path, file: &Path, threads: usize) {
    let native = Native::load(folder);
    let mut out = File::create(file).unwrap();
    out.write_all(HEADER.as_bytes()).unwrap();

    let (out, next) = (Mutex::new(out), AtomicUsize::new(0));
    let blocks: Vec<&[Deal]> = native.deals.chunks(BLOCK_DEALS).collect();
    let work = || {
        let (mut credits, mut text) = (Vec::new(), Vec::new());
        while let Some(block) = blocks.get(next.fetch_add(1, Ordering::Relaxed)) {
            text.clear();
            for deal in *block {
                credits.clear();
                native.decide_deal(deal, &mut credits);
                credits.iter().for_each(|credit| write_row(&mut text, &native.names, deal, credit));
            }
            out.lock().unwrap().write_all(&text).unwrap();
        }
    };
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
}

const HEADER: &str = "id,transaction,incentive_date,plan,rule,result,kind,position,payee,team,\
    relationship,via,level,source,share,period,credit_type,unit_type,amount,status,release_date,reason,\
    reason_code,origin,reverses,ruleset\n";

fn write_row(text: &mut Vec<u8>, names: &[String], deal: &Deal, credit: &Credit) {
    let position = &names[usize::from(credit.position)];
    let Deal { number, month, day, .. } = deal;
    write!(text, ",D{number},2026-{month:02}-{day:02},reps,").unwrap();
    if credit.level == 0 {
        let share =
            if credit.tenths == 10 { "1".to_owned() } else { format!("0.{}", credit.tenths) };
        write!(text, "Booking,Booking credit,direct,{position},{position},,,,,,{share},").unwrap();
    } else {
        let (rep, level) = (&names[usize::from(credit.rep)], credit.level);
        write!(text, "Managers,Managers credit,indirect,{position},{position},,").unwrap();
        write!(text, "Reporting,{rep},{level},,,").unwrap();
    }

    let (whole, cents) = (credit.cents / 100, credit.cents % 100);
    write!(text, "2026-{month:02},credit,USD,{whole}.{cents:02},").unwrap();
    if credit.held {
        let date = jiff::civil::date(2026, *month as i8, *day as i8);
        let end = date.saturating_add(jiff::Span::new().days(30));
        write!(text, "held,{end},until {end},,").unwrap();
    } else {
        text.extend_from_slice(b"active,,,,");
    }
    text.extend_from_slice(b"calculated,,\n");
}
