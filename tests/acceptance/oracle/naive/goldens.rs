//! The goldens of the domain that the engine's case files do not give to the naive reading: its own
//! proof, before it is compared with anybody.

mod policies;
mod rewards;

use super::periods::leaves;
use super::posting::{self, Entry};
use super::{Decided, Row, decisions};
use crate::oracle::world::{
    Area, Assign, Calendar, Direct, Hold, Indirect, Keep, Member, Members, Pays,
};
use crate::oracle::world::{Outcome, Person, Plan, Rate, Seat, Sitting, Span, Split, Team, Test};
use crate::oracle::world::{Tx, UnitType, Value, World, day};

fn text(text: &str) -> String {
    text.to_owned()
}

fn outcome() -> Outcome {
    Outcome {
        name: text("Credit"),
        value: Value::Default,
        cap: None,
        per_item: false,
        hold: Hold::None,
        rollable: true,
        on_reporting: false,
        duplicates: Keep::Yes,
        credit_type: None,
        unit: None,
    }
}

/// A plan with one rule.
fn plan(direct: Direct) -> Plan {
    Plan {
        id: text("sales"),
        by: Pays::Month,
        teams: false,
        span: Span::default(),
        targets: vec![text("*")],
        filter: Test::Always,
        split: Split::Equal,
        total_one: false,
        across_years: false,
        policies: Vec::new(),
        direct: vec![direct],
        indirect: Vec::new(),
        pays: None,
        rewards: Vec::new(),
        quota: None,
        prorate: false,
        posted: false,
        draws: Vec::new(),
        carry: false,
    }
}

/// People in positions of the same ids, and one plan that credits the owner.
fn world(people: &[(&str, &str)]) -> World {
    let span = Span::default();
    let seat = |(id, manager): &(&str, &str)| Seat {
        id: text(id),
        title: text("Rep"),
        manager: (!manager.is_empty()).then(|| text(manager)),
        span,
    };
    let person = |(id, _): &(&str, &str)| Person {
        id: text(id),
        name: text(id),
        email: text(""),
        currency: None,
    };
    let sitting = |(id, _): &(&str, &str)| Sitting { seat: text(id), person: text(id), span };
    let direct = Direct {
        name: text("Direct"),
        span,
        test: Test::Always,
        assign: Vec::new(),
        members: None,
        results: vec![outcome()],
    };
    World {
        scale: 2,
        units: vec![UnitType { name: text("USD"), scale: None }],
        rates: Vec::new(),
        calendar: Calendar::Months(1),
        finalized: Vec::new(),
        closed: Vec::new(),
        us_dates: false,
        simple: true,
        kinds: Vec::new(),
        credit_types: vec![text("booking")],
        people: people.iter().map(person).collect(),
        seats: people.iter().map(seat).collect(),
        sittings: people.iter().map(sitting).collect(),
        edges: Vec::new(),
        aliases: Vec::new(),
        teams: Vec::new(),
        members: Vec::new(),
        areas: Vec::new(),
        tables: Vec::new(),
        attributes: Vec::new(),
        inlines: Vec::new(),
        policies: Vec::new(),
        plans: vec![plan(direct)],
        quotas: Vec::new(),
        period: None,
        transactions: Vec::new(),
        as_of: None,
    }
}

fn tx(id: &str, date: &str, amount: &str, owner: &str) -> Tx {
    let owners = [text(owner), String::new()];
    let (id, date, amount) = (text(id), text(date), text(amount));
    Tx { id, date, amount, owners, stage: text("Won"), ..Tx::default() }
}

fn team(id: &str, manager: &str) -> Team {
    let manager = (!manager.is_empty()).then(|| text(manager));
    Team { id: text(id), name: text(id), parent: None, manager, span: Span::default() }
}

fn member(team: &str, person: &str, weight: &str) -> Member {
    let span = Span::default();
    Member { team: text(team), person: text(person), weight: text(weight), span }
}

fn relationship(name: &str) -> Indirect {
    Indirect {
        name: text(name),
        span: Span::default(),
        test: Test::Always,
        relationship: text(name),
        receivers: vec![text("*")],
        sources: Vec::new(),
        results: vec![outcome()],
    }
}

fn rows(world: &World) -> Vec<Row> {
    let mut all = Vec::new();
    for decision in decisions(world, &leaves(&world.calendar), &world.plans[0]) {
        if let Decided::Credited(rows) = decision.decided {
            all.extend(rows);
        }
    }
    all
}

fn check(world: &World, expected: &[&str]) {
    let line = |row: &Row| {
        let how = row.rolled.as_ref().map_or("direct", |rolled| rolled.relationship.as_str());
        format!("{} {} {how} {} {}", row.transaction, row.receiver, row.amount, row.unit)
    };
    let found: Vec<String> = rows(world).iter().map(line).collect();
    assert_eq!(found, expected);
}

/// Golden 3.3: NY is in the territory EAST, CA is in none.
#[test]
fn a_territory_of_two_states() {
    let mut world = world(&[("terry", "")]);
    world.teams.push(team("EAST", "terry"));
    for state in ["NY", "PA"] {
        let (field, value, through) = (text("geography"), text(state), String::new());
        let span = Span::default();
        world.areas.push(Area { team: text("EAST"), field, value, through, span });
    }
    world.plans[0].direct[0].assign = vec![Assign::Territory(None)];
    world.plans[0].direct[0].members = Some(Members::Manager);
    for (id, state) in [("T1", "NY"), ("T2", "CA")] {
        let geography = text(state);
        world.transactions.push(Tx { geography, ..tx(id, "2022-01-12", "100", "") });
    }
    check(&world, &["T1 terry direct 100.00 USD"]);
}

/// Golden 3.4 g: a team by salary, equally, and to its manager.
#[test]
fn a_team_becomes_its_members() {
    let mut world = world(&[("ann", ""), ("bob", ""), ("max", "")]);
    world.teams.push(team("West Coast", "max"));
    world.members.push(member("West Coast", "ann", "60000"));
    world.members.push(member("West Coast", "bob", "40000"));
    world.transactions.push(tx("T1", "2022-01-12", "1000", "west coast"));
    let mut with = |members, expected: &[&str]| {
        world.plans[0].direct[0].members = members;
        check(&world, expected);
    };
    let by_salary = ["T1 ann direct 600.00 USD", "T1 bob direct 400.00 USD"];
    with(Some(Members::Weight), &by_salary);
    with(Some(Members::Equal), &["T1 ann direct 500.00 USD", "T1 bob direct 500.00 USD"]);
    with(Some(Members::Full), &["T1 ann direct 1000.00 USD", "T1 bob direct 1000.00 USD"]);
    with(Some(Members::Manager), &["T1 max direct 1000.00 USD"]);
    with(None, &[]);
}

/// Golden 3.5: the team gets it too, only the root rolls up.
#[test]
fn team_mates_do_not_roll() {
    let people = [("steve", "bob"), ("john", "ann"), ("bill", "ann"), ("bob", ""), ("ann", "")];
    let mut world = world(&people);
    world.teams.push(team("crew", ""));
    for person in ["steve", "john", "bill"] {
        world.members.push(member("crew", person, ""));
    }
    world.plans[0].indirect = vec![relationship("Team"), relationship("Reporting")];
    world.transactions.push(tx("T1", "2022-01-12", "100", "steve"));
    check(
        &world,
        &[
            "T1 steve direct 100.00 USD",
            "T1 bob Reporting 100.00 USD",
            "T1 john Team 100.00 USD",
            "T1 bill Team 100.00 USD",
        ],
    );
}

fn posted(world: &World, expected: &[&str]) {
    let line = |entry: &Entry| {
        format!("{} {} {} {}", entry.period, entry.row.receiver, entry.row.amount, entry.origin)
    };
    let entries = posting::entries(world, &leaves(&world.calendar), &world.plans[0]);
    let found: Vec<String> = entries.iter().map(line).collect();
    assert_eq!(found, expected);
    let clean = posting::sums(rows(&World { finalized: Vec::new(), ..world.clone() }).into_iter());
    assert_eq!(posting::sums(entries.into_iter().map(|entry| entry.row)), clean);
}

/// Golden 3.9: January stays; March takes back 100 and gives 92; a moved deal moves its credit.
#[test]
fn a_finalized_period_never_changes() {
    let mut world = world(&[("ann", "")]);
    let on = |received: &str, tx: Tx| Tx { received: Some(day(received)), ..tx };
    world.transactions.push(on("2022-01-20", tx("T1", "2022-01-12", "100", "ann")));
    world.finalized =
        vec![(text("2022-01"), day("2022-02-05")), (text("2022-02"), day("2022-03-05"))];
    posted(&world, &["2022-01 ann 100.00 calculated"]);
    world.transactions.push(on("2022-03-10", tx("T1", "2022-01-12", "92", "ann")));
    let net =
        ["2022-01 ann 100.00 calculated", "2022-03 ann -100.00 retro", "2022-03 ann 92.00 retro"];
    posted(&world, &net);
    world.finalized.truncate(1);
    world.transactions[1].date = text("2022-02-12");
    let moved =
        ["2022-01 ann 100.00 calculated", "2022-02 ann -100.00 retro", "2022-02 ann 92.00 retro"];
    posted(&world, &moved);
    world.transactions.remove(0);
    world.transactions[0].date = text("2022-01-31");
    posted(&world, &["2022-02 ann 92.00 late"]);
}

/// A change of a change takes back what stands, not what stood first.
#[test]
fn what_is_taken_back_is_what_stands() {
    let mut world = world(&[("ann", "")]);
    for (received, amount) in [("2022-01-20", "100"), ("2022-02-10", "92"), ("2022-03-10", "80")] {
        let tx = tx("T1", "2022-01-12", amount, "ann");
        world.transactions.push(Tx { received: Some(day(received)), ..tx });
    }
    world.finalized =
        vec![(text("2022-01"), day("2022-02-05")), (text("2022-02"), day("2022-03-05"))];
    let all = [
        "2022-01 ann 100.00 calculated",
        "2022-02 ann -100.00 retro",
        "2022-02 ann 92.00 retro",
        "2022-03 ann -92.00 retro",
        "2022-03 ann 80.00 retro",
    ];
    posted(&world, &all);
}

/// Golden 3.10: the rate of the incentive date; the inverse is its own row.
#[test]
fn the_rate_of_the_day() {
    let mut world = world(&[("ann", "")]);
    world.units.push(UnitType { name: text("EUR"), scale: None });
    let (until, from) = (Some(day("2022-01-31")), Some(day("2022-02-01")));
    for (rate, span) in
        [("0.90", Span { from: None, to: until }), ("0.88", Span { from, to: None })]
    {
        let rate = rate.parse().unwrap();
        let (from_unit, to_unit) = (text("USD"), text("EUR"));
        world.rates.push(Rate { from_unit, to_unit, rate, span });
    }
    world.plans[0].direct[0].results[0].unit = Some(text("EUR"));
    for (id, date) in [("T1", "2022-01-31"), ("T2", "2022-02-01")] {
        let currency = text("USD");
        world.transactions.push(Tx { currency, ..tx(id, date, "100", "ann") });
    }
    check(&world, &["T1 ann direct 90.00 EUR", "T2 ann direct 88.00 EUR"]);
    world.plans[0].direct[0].results[0].unit = None;
    world.transactions[0].currency = text("EUR");
    let parked = Decided::Parked(vec!["bad_value"]);
    assert_eq!(decisions(&world, &leaves(&world.calendar), &world.plans[0])[0].decided, parked);
}

/// The leaves of a week calendar: 4, 4 and 5 weeks, a 53rd in the last; and of months.
#[test]
fn periods_are_as_the_format_says() {
    let years = vec![(2022, day("2022-02-06")), (2023, day("2023-02-12"))];
    let all = leaves(&Calendar::Weeks([4, 4, 5], years));
    let ends = |n: usize| all[n].last.to_string();
    assert_eq!((all.len(), all[0].id.as_str(), ends(0)), (24, "2022-P01", text("2022-03-05")));
    assert_eq!(
        (ends(2), ends(11), ends(23)),
        (text("2022-05-07"), text("2023-02-11"), text("2024-02-10"))
    );
    assert_eq!(all[11].quarter, "2022-Q4");
    let months = leaves(&Calendar::Months(7));
    let july = months.iter().find(|leaf| leaf.id == "2021-07").unwrap();
    assert_eq!((july.quarter.as_str(), july.year.as_str()), ("2022-Q1", "2022"));
}
