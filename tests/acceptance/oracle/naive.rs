//! The semantics a second time: loops over lists, written from the format and the domain alone.

pub(crate) mod amounts;
mod claims;
mod direct;
pub(crate) mod draws;
mod dues;
mod goldens;
pub(crate) mod history;
mod indirect;
mod money;
mod names;
mod past;
pub(crate) mod periods;
mod policies;
pub(crate) mod posting;
mod quotas;
pub(crate) mod rewards;
mod rolling;
pub(crate) mod scripts;
mod settings;
mod tables;
mod teams;
mod territories;
mod worth;

use jiff::civil::Date;
use periods::Leaf;
use rust_decimal::Decimal;

use super::world::{Plan, Tx, World};

/// How an indirect credit came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rolled {
    pub(crate) relationship: String,
    pub(crate) via: String,
    pub(crate) level: u32,
    /// The key of the root.
    pub(crate) source: String,
}

/// An expected credit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) plan: String,
    pub(crate) transaction: String,
    pub(crate) date: Date,
    pub(crate) rule: String,
    pub(crate) result: String,
    /// A position; in a team plan a team.
    pub(crate) receiver: String,
    pub(crate) of_team: bool,
    /// The team that is shown.
    pub(crate) team: Option<String>,
    pub(crate) payee: Option<String>,
    /// None on a direct credit.
    pub(crate) rolled: Option<Rolled>,
    pub(crate) share: Option<Decimal>,
    pub(crate) credit_type: String,
    pub(crate) unit: String,
    pub(crate) amount: Decimal,
    pub(crate) status: Status,
    pub(crate) release: Option<Date>,
    /// Why it is held, where the hold does not say it.
    pub(crate) reason: &'static str,
    pub(crate) rollable: bool,
    pub(crate) on_reporting: bool,
}

impl Row {
    /// What makes it this credit and no other: no amount, payee or date.
    pub(crate) fn key(&self) -> String {
        let rolled = match &self.rolled {
            None => String::new(),
            Some(r) => format!("{} via {} of ({})", r.relationship, r.via, r.source),
        };
        let whose = format!("{}: {}/{}", self.plan, self.rule, self.result);
        format!("{whose} {} {} {rolled}", self.transaction, self.receiver)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Status {
    Active,
    Held,
    /// A duplicate of the credit with this key.
    Suppressed(String),
}

impl Status {
    fn is_suppressed(&self) -> bool {
        matches!(self, Status::Suppressed(_))
    }
}

/// Codes that may be given as the reason; the format does not order them.
pub(crate) type Codes = Vec<&'static str>;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Decided {
    Filtered,
    Uncredited,
    Parked(Codes),
    Credited(Vec<Row>),
}

/// One transaction in one plan on one date.
#[derive(Clone, Copy)]
struct Case<'a> {
    world: &'a World,
    leaves: &'a [Leaf],
    plan: &'a Plan,
    tx: &'a Tx,
    date: Date,
}

/// A transaction decided in a plan.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    pub(crate) transaction: String,
    /// Its leaf period; none when it has none.
    pub(crate) leaf: Option<Leaf>,
    pub(crate) decided: Decided,
}

/// Everything decided in the plan, by date and natural key; what has no date comes first.
pub(crate) fn decisions(world: &World, leaves: &[Leaf], plan: &Plan) -> Vec<Decision> {
    let mut all: Vec<(Option<Date>, Decision)> = Vec::new();
    let seen = |tx: &&Tx| match (tx.received, world.as_of) {
        (Some(received), Some(as_of)) => received <= as_of,
        _ => true,
    };
    let seen: Vec<&Tx> = world.transactions.iter().filter(seen).collect();
    for (place, tx) in seen.iter().enumerate() {
        if seen.iter().skip(place + 1).any(|later| later.id == tx.id) {
            continue;
        }
        let date = settings::date(tx).ok();
        let leaf = date.and_then(|date| periods::leaf(leaves, date)).cloned();
        let decided = decide(world, leaves, plan, tx);
        all.push((date, Decision { transaction: tx.id.clone(), leaf, decided }));
    }
    all.sort_by(|a, b| (a.0, &a.1.transaction).cmp(&(b.0, &b.1.transaction)));
    all.into_iter().map(|(_, decision)| decision).collect()
}

/// The other plans whose direct credits this one sees.
fn sources<'a>(world: &'a World, plan: &Plan) -> Vec<&'a Plan> {
    let named = |id: &String| plan.indirect.iter().any(|rule| rule.sources.contains(id));
    let mut all: Vec<&Plan> =
        world.plans.iter().filter(|other| other.id != plan.id && named(&other.id)).collect();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    all
}

fn decide(world: &World, leaves: &[Leaf], plan: &Plan, tx: &Tx) -> Decided {
    if tx.void {
        return Decided::Filtered;
    }
    let mut codes: Codes = Vec::new();
    match policies::lets_in(world, plan, tx) {
        Ok(true) => (),
        Ok(false) => return Decided::Filtered,
        Err(code) => codes.push(code),
    }
    match settings::date(tx) {
        Ok(date) if !plan.span.has(date) && codes.is_empty() => return Decided::Filtered,
        Ok(date) if periods::leaf(leaves, date).is_none() => codes.push("no_period"),
        Ok(_) => (),
        Err(code) => codes.push(code),
    }
    let numbers = [&tx.amount, &tx.units];
    let unknown = !tx.currency.is_empty() && !world.units.iter().any(|u| u.name == tx.currency);
    if unknown || numbers.into_iter().any(|text| settings::number(text) == Err("bad_value")) {
        codes.push("bad_value");
    }
    let mut rows: Vec<Row> = Vec::new();
    // A plan that sees only what other plans credit does not have a deal that none of them has.
    let mut is_in_a_source = !plan.direct.is_empty() || sources(world, plan).is_empty();
    for source in sources(world, plan) {
        match decide(world, leaves, source, tx) {
            Decided::Parked(more) => codes.extend(more),
            Decided::Credited(more) => {
                is_in_a_source = true;
                rows.extend(more);
            }
            Decided::Uncredited => is_in_a_source = true,
            Decided::Filtered => (),
        }
    }
    let Ok(date) = settings::date(tx) else { return Decided::Parked(codes) };
    if !codes.is_empty() {
        return Decided::Parked(codes);
    }
    if !is_in_a_source {
        return Decided::Filtered;
    }
    let case = Case { world, leaves, plan, tx, date };
    if let Err(codes) = direct::credits(case, &mut rows) {
        return Decided::Parked(codes);
    }
    let is_own = |row: &&Row| row.plan == plan.id;
    let (own, others): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(is_own);
    let direct = own.into_iter().chain(others).filter(|row| row.rolled.is_none());
    for root in direct.cloned().collect::<Vec<Row>>() {
        if let Err(code) = indirect::credits(case, &root, &mut rows) {
            return Decided::Parked(vec![code]);
        }
    }
    rows.retain(|row| row.plan == plan.id);
    if rows.is_empty() { Decided::Uncredited } else { Decided::Credited(rows) }
}

/// Whether the position has a version on the day that one of the selectors names.
fn selected(case: Case<'_>, selectors: &[String], position: &str) -> bool {
    let world = case.world;
    let holder = payee(case, position);
    for seat in &world.seats {
        if seat.id != position || !seat.span.has(case.date) {
            continue;
        }
        for selector in selectors {
            let fits = match selector.split_once(':') {
                Some(("title", title)) => title == seat.title,
                Some(("position", id)) => id == seat.id,
                Some(("participant", id)) => holder.as_deref() == Some(id),
                Some(("team", team)) => {
                    let mut members = teams::members(case, team).into_iter();
                    members.any(|member| holder.as_deref() == Some(&member.person))
                }
                _ => selector == "*",
            };
            if fits {
                return true;
            }
        }
    }
    false
}

/// Whether a position or, in a team plan, a team is there on the day and selected.
fn receives(case: Case<'_>, selectors: &[String], receiver: &str) -> bool {
    if case.plan.teams {
        let named = |s: &String| s == "*" || s.strip_prefix("team:") == Some(receiver);
        return exists(case, receiver) && selectors.iter().any(named);
    }
    selected(case, selectors, receiver)
}

/// Whether the position or, in a team plan, the team is there on the day.
fn exists(case: Case<'_>, id: &str) -> bool {
    if case.plan.teams {
        return teams::active(case, id).is_some();
    }
    case.world.seats.iter().any(|seat| seat.id == id && seat.span.has(case.date))
}

fn payee(case: Case<'_>, position: &str) -> Option<String> {
    if case.plan.teams {
        return None;
    }
    let holds = |s: &&crate::oracle::world::Sitting| s.seat == position && s.span.has(case.date);
    Some(case.world.sittings.iter().find(holds)?.person.clone())
}

/// The first credit that the duplication rule calls the same, if there is one.
fn twin<'a>(rows: &'a [Row], receiver: &str, credit_type: &str) -> Option<&'a Row> {
    rows.iter().find(|row| {
        let counts = !row.status.is_suppressed();
        counts && row.receiver == receiver && row.credit_type == credit_type
    })
}

/// How many credits there are already; suppressed ones count nowhere.
fn existing(rows: &[Row]) -> usize {
    rows.iter().filter(|row| !row.status.is_suppressed()).count()
}
