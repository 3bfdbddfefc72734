//! The deals of the sample company's fiscal year, with the odd ones that real CRMs have.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value as Json, json};

use super::Random;
use super::company::{Company, YEAR};

const PRODUCTS: [&str; 4] = ["Gauge", "Sensor", "Controller", "Service"];
const CUSTOMERS: [&str; 12] = [
    "Alder Mills",
    "Birch Foods",
    "Cedar Works",
    "Dogwood Labs",
    "Elm Transit",
    "Fir Energy",
    "Grove Health",
    "Hazel Retail",
    "Iris Media",
    "Juniper Air",
    "Karri Steel",
    "Larch Bank",
];

/// Days of the year that have deals: until the business date of the demo.
const DAYS: usize = 320;

/// `count` deals, the same for the same seed.
pub(crate) fn make_deals(company: &Company, count: usize, seed: u64) -> Vec<Json> {
    let mut random = Random::new(seed);
    (1..=count).map(|number| make_deal(company, number, &mut random)).collect()
}

fn make_deal(company: &Company, number: usize, random: &mut Random) -> Json {
    let sellers = company.sellers();
    let first = random.below(sellers.len());
    let second = (first + 1 + random.below(sellers.len() - 1)) % sellers.len();
    let name = |index: usize| sellers.get(index).map_or("", |seller| seller.name.as_str());

    let owner = match random.below(1000) {
        0..4 => "The Twins".to_owned(),
        4..10 => "Former Seller".to_owned(),
        10..20 => format!("Walk-in {}", random.below(9)),
        20..110 => format!("{}[0.6];{}[0.4]", name(first), name(second)),
        110..170 => format!("{};{}", name(first), name(second)),
        _ => name(first).to_owned(),
    };

    let amount = match random.below(1000) {
        0..2 => "to be agreed".to_owned(),
        2..20 => random_amount(random, 250_000, 750_000),
        20..60 => format!("-{}", random_amount(random, 100, 4_000)),
        _ => random_amount(random, 400, 60_000),
    };

    let day = i64::try_from(random.below(DAYS)).unwrap_or(0);
    let closed_on = Date::constant(YEAR, 1, 1).checked_add(day.days()).unwrap_or_default();

    json!({
        "deal": format!("D-{number:05}"),
        "closed_on": closed_on.to_string(),
        "amount": amount,
        "owner": owner,
        "team": sellers.get(first).map_or("", |seller| seller.team),
        "stage": if random.chance(120) { "Lost" } else { "Won" },
        "product": random.pick(&PRODUCTS),
        "customer": random.pick(&CUSTOMERS),
        "seats": random.below(250) + 1,
    })
}

/// An amount with cents from `low` to below `high`, as text: amounts are never floats.
fn random_amount(random: &mut Random, low: usize, high: usize) -> String {
    format!("{}.{:02}", low + random.below(high - low), random.below(100))
}
