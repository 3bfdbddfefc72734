//! The sample company as a customer's directory, in memory.

use std::fmt::Write;
use std::sync::Arc;

use accredit_workspace::Files;

use super::tour;

/// One person and the position of the same number.
#[derive(Debug, Clone)]
pub(crate) struct DemoPerson {
    /// Participant id, such as `P07`.
    pub(crate) id: String,
    /// Name, the alias that deals use.
    pub(crate) name: String,
    /// Position id, such as `AE-07`.
    pub(crate) position: String,
    title: &'static str,
    manager: String,
    /// The team a seller works in.
    pub(crate) team: &'static str,
}

/// The company.
#[derive(Debug, Clone)]
pub(crate) struct Company {
    people: Vec<DemoPerson>,
}

/// The fiscal year of the deals.
pub(crate) const YEAR: i16 = 2026;

/// The webhook source that deals arrive through.
pub(crate) const SOURCE: &str = "crm";

/// What each seller has to sell in a month.
const SELLER_QUOTA: u32 = 350_000;

const TEAMS: [&str; 5] = ["North", "South", "West", "East", "Online"];
const SELLERS: usize = 28;
const ENGINEERS: usize = 4;
const FIRST: [&str; 20] = [
    "Ada", "Bruno", "Carla", "Daniel", "Elif", "Felix", "Grace", "Hugo", "Ines", "Jonas", "Kiara",
    "Liam", "Mina", "Noah", "Olga", "Pedro", "Rosa", "Samir", "Tessa", "Yuki",
];
const LAST: [&str; 8] =
    ["Abbott", "Brandt", "Castro", "Dupont", "Eriksen", "Fischer", "Gupta", "Hansen"];

impl Company {
    /// The one company there is.
    pub(crate) fn new() -> Company {
        let mut people = Vec::new();
        let mut hire = |position: String, title, manager: &str, team| {
            let number = people.len();
            let first = FIRST.get(number % FIRST.len()).copied().unwrap_or("Ada");
            let last = LAST.get((number * 3 + number / FIRST.len()) % LAST.len());

            people.push(DemoPerson {
                id: format!("P{:02}", number + 1),
                name: format!("{first} {}", last.copied().unwrap_or("Abbott")),
                position,
                title,
                manager: manager.to_owned(),
                team,
            });
        };

        hire("VP-SALES".to_owned(), "VP of Sales", "", "");
        hire("DIR-FIELD".to_owned(), "Director", "VP-SALES", "");
        hire("DIR-INSIDE".to_owned(), "Director", "VP-SALES", "");

        for (index, team) in TEAMS.into_iter().enumerate() {
            let director = if index < 3 { "DIR-FIELD" } else { "DIR-INSIDE" };
            hire(format!("MGR-{}", team.to_uppercase()), "Sales Manager", director, team);
        }

        for number in 1..=SELLERS {
            let team = TEAMS.get(number % TEAMS.len()).copied().unwrap_or("North");
            let manager = format!("MGR-{}", team.to_uppercase());
            hire(format!("AE-{number:02}"), "Account Executive", &manager, team);
        }

        for number in 1..=ENGINEERS {
            hire(format!("SE-{number:02}"), "Sales Engineer", "DIR-FIELD", "");
        }

        Company { people }
    }

    /// All sellers of the company.
    pub(crate) fn sellers(&self) -> Vec<&DemoPerson> {
        self.people.iter().filter(|person| person.title == "Account Executive").collect()
    }

    /// The name of a participant.
    pub(crate) fn name_of(&self, id: &str) -> &str {
        self.people.iter().find(|person| person.id == id).map_or("", |person| &person.name)
    }

    /// The person in a position.
    pub(crate) fn holder_of(&self, position: &str) -> Option<&DemoPerson> {
        self.people.iter().find(|person| person.position == position)
    }

    /// The directory.
    pub(crate) fn files(&self) -> Files {
        let mut participants = "id,name,email\n".to_owned();
        let mut positions = "id,title,manager\n".to_owned();
        let mut assignments = "position,participant,from,to\n".to_owned();

        for person in &self.people {
            let (id, name, position) = (&person.id, &person.name, &person.position);
            let email = name.to_lowercase().replace(' ', ".");
            // Writing to a String cannot fail.
            let _ = writeln!(participants, "{id},{name},{email}@example.com");
            let _ = writeln!(positions, "{position},{},{}", person.title, person.manager);
            let _ = writeln!(assignments, "{position},{id},,");
        }

        let desk = [&mut participants, &mut positions, &mut assignments];
        desk.into_iter().zip(tour::PEOPLE).for_each(|(file, rows)| file.push_str(rows));

        participants.push_str("P98,Former Seller,former@example.com\n");

        let mut relationships = "type,source,target\n".to_owned();
        for (index, seller) in self.sellers().into_iter().enumerate() {
            let engineer = index % ENGINEERS + 1;
            let _ = writeln!(relationships, "Overlay,{},SE-{engineer:02}", seller.position);
        }

        // One shared nickname, so that the sample shows what an ambiguous alias looks like.
        let aliases = "kind,id,alias\nposition,AE-03,The Twins\nposition,AE-04,The Twins\n";
        let mut quotas = tour::QUOTAS.to_owned();
        for month in 1..=12 {
            let target = "account-executives,title:Account Executive";
            let _ = writeln!(quotas, "{target},{YEAR}-{month:02},{SELLER_QUOTA},booking");
        }

        let texts = [
            ("accredit.toml", ACCREDIT_TOML),
            ("plans/account-executives.toml", PLAN),
            ("organization/participants.csv", &participants),
            ("organization/positions.csv", &positions),
            ("organization/assignments.csv", &assignments),
            ("organization/relationships.csv", &relationships),
            ("organization/aliases.csv", aliases),
            ("plans/calibration.toml", tour::DESK_PLAN),
            ("organization/quotas.csv", &quotas),
            ("tables/setup_fees.csv", tour::SETUP_FEES),
        ];

        let files = texts.into_iter().map(|(path, text)| (path.to_owned(), Arc::from(text)));
        files.collect()
    }
}

const ACCREDIT_TOML: &str = r#"# The sample company. Deals arrive through the webhook source `crm`.
unit_types = ["USD"]
credit_types = ["booking", "management", "overlay", "service", "setup"]
reason_codes = ["Advance", "Manual Bonus", "Manual Override", "Split Correction"]
relationship_types = ["Overlay"]

[workspace]
name = "Northwind Instruments"
currency = "USD"

[fields]
id = "deal"
date = "closed_on"
amount = "amount"
owner = ["owner"]
team = ["team"]
product = "product"
customer = "customer"

[columns]
seats = "number"

[tables.setup_fees]
keys = ["product"]
values = { fee = "number" }

[queries]
won = 'tx.stage == "Won"'

[sources.crm]
connector = "standard-webhooks"
"#;

const PLAN: &str = r#"
# Sellers are credited with what they close; managers with what their people close; the sales
# engineer behind a seller with a fifth of the deal, once, however it was split.
name = "Account executives"
from = 2026-01-01
to = 2026-12-31
targets = ["title:Account Executive"]
filter = "query:won"
split = "equal"
policies = { hold = "standard/hold-large-deals" }

[[direct]]
name = "Booking"
assign = "owner"
  [[direct.results]]
  name = "Booking credit"
  credit_type = "booking"
  rollable = true

[[indirect]]
name = "Management"
relationship = "Reporting"
receivers = ["title:Sales Manager", "title:Director", "title:VP of Sales"]
  [[indirect.results]]
  name = "Management credit"
  credit_type = "management"
  duplicates = true
  hold = "none"

[[indirect]]
name = "Overlay"
relationship = "Overlay"
  [[indirect.results]]
  name = "Overlay credit"
  value = "tx.amount * 0.2"
  credit_type = "overlay"
  hold = "none"

[[reward]]
name = "Commission"
credit_type = "booking"
tiers = [{ up_to = "80%", rate = "4%" }, { up_to = "120%", rate = "6%" }, { rate = "9%" }]

[[reward]]
name = "Override"
credit_type = "management"
tiers = [{ rate = "0.5%" }]

[[reward]]
name = "Overlay bonus"
credit_type = "overlay"
tiers = [{ rate = "2%" }]
"#;
