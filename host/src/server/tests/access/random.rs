//! Payees who ask at random for what is theirs and what is not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Host, Reply, new_key};

/// How many people there are; each but the first reports to another one.
const PEOPLE: usize = 200;

/// How many of them ask.
const ASKING: usize = 25;

/// Requests, if `ACCREDIT_ACCESS_REQUESTS` names no other number.
const REQUESTS: usize = 2000;

/// Numbers that only look random, from a seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }

    fn one<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// The id of a person: a text that is in no other word of an answer.
fn id(person: usize) -> String {
    format!("p{person:03}x")
}

/// The person to whom another reports.
fn manager(person: usize) -> Option<usize> {
    (person > 0).then(|| (person - 1) / 3)
}

/// Whether a person reports to another, directly or through others.
fn reports_to(person: usize, other: usize) -> bool {
    let mut above = std::iter::successors(manager(person), |person| manager(*person));
    above.any(|above| above == other)
}

/// Every id of a person that is in a text.
fn people_in(text: &str) -> BTreeSet<usize> {
    let parts = text.split('p').skip(1);
    let ids = parts.filter_map(|part| part.get(..4)?.strip_suffix('x')?.parse().ok());
    ids.collect()
}

const PLAN: &str = r#"
name = "Sellers"
targets = ["*"]

[[direct]]
name = "Booking"
  [[direct.results]]
  name = "Booking credit"
  credit_type = "booking"

[[reward]]
name = "Commission"
tiers = [{ rate = "10%" }]
"#;

/// A company in which everybody has two deals, with amounts that nobody else has.
struct Company {
    host: Host,
    keys: Vec<String>,
    /// The ids of the published credits of each person.
    credits: BTreeMap<usize, Vec<String>>,
}

fn amount(person: usize, deal: usize) -> usize {
    10_000 + person * 10 + deal
}

impl Company {
    fn open() -> Company {
        let host = Host::start_with(|config| {
            let workspace = config.workspace.clone().unwrap();
            let mut people = "id,name,title,manager\n".to_owned();
            for person in 0..PEOPLE {
                let above = manager(person).map(id).unwrap_or_default();
                people.push_str(&format!("{0},{0},Seller,{above}\n", id(person)));
            }
            std::fs::write(workspace.join("organization/participants.csv"), people).unwrap();
            std::fs::write(workspace.join("plans/sellers.toml"), PLAN).unwrap();
        });

        let deals = (0..PEOPLE).flat_map(|person| {
            (0..2).map(move |deal| {
                json!({
                    "id": format!("D-{}-{deal}", id(person)), "closed": "2026-01-10",
                    "amount": amount(person, deal), "owner": id(person),
                })
            })
        });
        let deals: Vec<Value> = deals.collect();
        assert_eq!(host.deliver("msg", &json!(deals).to_string()).status, 202);
        host.drained();
        for what in ["credits", "rewards"] {
            let wish = json!({ "what": what, "force": true, "reason": "test" }).to_string();
            let path = "/v1/calculations/sellers/2026-01/release";
            let released = host.api("POST", path, &[], &wish);
            assert_eq!(released.status, 200, "{}", released.text);
        }

        let mut credits: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for row in host.get("/v1/credits?limit=1000")["data"].as_array().unwrap() {
            let person = people_in(row["payee"].as_str().unwrap()).into_iter().next().unwrap();
            credits.entry(person).or_default().push(row["id"].as_str().unwrap().to_owned());
        }
        assert_eq!(credits.len(), PEOPLE);

        let keys = (0..ASKING).map(|person| {
            let wanted = json!({ "name": id(person), "role": "payee", "participant": id(person) });
            new_key(&host, &wanted)
        });
        let keys = keys.collect();
        let company = Company { host, keys, credits };
        // Enquiry `n + 1` is that of person `n`.
        for person in 0..ASKING {
            let asked = json!({ "kind": "missing", "text": "and?" }).to_string();
            assert_eq!(company.call(person, "POST", "/v1/me/enquiries", &asked).status, 201);
        }
        company
    }

    fn call(&self, person: usize, method: &str, path: &str, body: &str) -> Reply {
        let bearer = format!("Bearer {}", self.keys[person]);
        let headers = [("authorization", bearer.as_str()), ("x-request-id", "req_same")];
        self.host.call(method, path, &headers, body.as_bytes())
    }

    /// Every row is of one person: ids, amounts and totals.
    fn check_rows(&self, path: &str, reply: &Reply, person: usize) {
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        let found = people_in(&reply.text);
        assert!(found.iter().all(|one| *one == person), "{path}: {found:?} for {person}");

        let own: BTreeSet<String> =
            (0..2).map(|deal| format!("{}.00", amount(person, deal))).collect();
        let sum = format!("{}.00", amount(person, 0) + amount(person, 1));
        let credit = |row: &Value| {
            assert!(own.contains(row["amount"].as_str().unwrap()), "{path}: {row}");
            assert!(self.credits[&person].iter().any(|id| row["id"] == **id), "{path}: {row}");
        };
        let body = reply.json();
        for row in body["data"].as_array().into_iter().flatten() {
            if row.get("rule").is_some() {
                credit(row);
            }
            row["credits"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|one| one.is_object())
                .for_each(credit);
            for total in row["totals"].as_array().into_iter().flatten() {
                assert_eq!(total["amount"], *sum, "{path}: {row}");
            }
            if row.get("credited").is_some() {
                assert_eq!(row["credited"], *sum, "{path}: {row}");
            }
        }
    }

    /// The answers to a foreign thing and to none are the same, but for what was asked.
    fn check_alike(&self, person: usize, (method, body): (&str, &str), paths: (&str, [&str; 2])) {
        let (path, [foreign, absent]) = paths;
        let ask = |thing: &str| {
            let fill = |text: &str| text.replace("THING", thing);
            self.call(person, method, &fill(path), &fill(body))
        };
        let (of_foreign, of_absent) = (ask(foreign), ask(absent));
        assert_eq!(of_foreign.status, of_absent.status, "{path} {foreign}: {}", of_foreign.text);
        // Why-not repeats what was asked.
        let said = match path.contains("transaction=THING") {
            true => of_foreign.text.replace(foreign, absent),
            false => of_foreign.text,
        };
        assert_eq!(said, of_absent.text, "{path} {foreign}");
    }

    /// A list with filters and pages that anybody could think of.
    fn ask_list(&self, numbers: &mut Numbers, person: usize) {
        let other = numbers.below(PEOPLE);
        let subject = numbers.one(&[person, other]);
        let list = numbers.one(&["credits", "rewards", "balances", "statements"]);
        let mut path = match subject == person {
            true => format!("/v1/me/{list}?"),
            false => format!("/v1/me/reports/{}/{list}?", id(subject)),
        };
        let third = id(numbers.below(PEOPLE));
        for filter in [
            format!("plan={}", numbers.one(&["sellers", "other"])),
            "period=2026-01".to_owned(),
            format!("transaction=D-{third}-0"),
            format!("limit={}", 1 + numbers.below(5)),
            format!("cursor={}", numbers.below(500)),
            format!("on=2026-{:02}-01", 1 + numbers.below(3)),
        ] {
            if numbers.below(5) == 0 {
                path.push_str(&format!("{filter}&"));
            }
        }

        let reply = self.call(person, "GET", &path, "");
        if subject == person || reports_to(subject, person) {
            self.check_rows(&path, &reply, subject);
        } else {
            let path = path.replace(&format!("/{}/", id(subject)), "/THING/");
            self.check_alike(person, ("GET", ""), (&path, [&id(subject), "p999x"]));
        }

        // No filter names another payee.
        let filtered = format!("/v1/me/{list}?payee={}", id(other));
        self.call(person, "GET", &filtered, "").problem(400, "bad_request");
    }

    /// Something of another person, asked for by its id.
    fn ask_thing(&self, numbers: &mut Numbers, person: usize) {
        let other = (person + 1 + numbers.below(PEOPLE - 1)) % PEOPLE;
        let asking = (person + 1 + numbers.below(ASKING - 1)) % ASKING;
        let (credit, enquiry) = (&*self.credits[&other][0], (asking + 1).to_string());
        let (deal, absent) = (format!("D-{}-1", id(other)), format!("crd_{}", "5".repeat(32)));
        let about = json!({ "kind": "incorrect", "credit": "THING", "text": "mine?" }).to_string();
        let text = json!({ "text": "mine?" }).to_string();

        let why = ("/v1/me/why-not?transaction=THING", [deal.as_str(), "D-none"]);
        match numbers.below(6) {
            0 => self.check_alike(person, ("GET", ""), why),
            1 => {
                let things = [credit, absent.as_str()];
                self.check_alike(person, ("POST", &about), ("/v1/me/enquiries", things));
            }
            2 => {
                let paths = ("/v1/me/enquiries/THING", [enquiry.as_str(), "90000"]);
                self.check_alike(person, ("GET", ""), paths);
            }
            3 => {
                let paths = ("/v1/me/enquiries/THING/messages", [enquiry.as_str(), "90000"]);
                self.check_alike(person, ("POST", &text), paths);
            }
            4 => {
                let list = numbers.one(&["", "/explain", "/adjustments"]);
                let path = format!("/v1/credits/THING{list}");
                self.check_alike(person, ("GET", ""), (&path, [credit, &absent]));
            }
            _ => {
                let list = numbers.one(&["statements", "why-not?transaction=x", "enquiries"]);
                let path = format!("/v1/payees/THING/{list}");
                self.check_alike(person, ("GET", ""), (&path, [&id(other), "p999x"]));
            }
        }
    }
}

/// A check in each handler is forgotten in one of them: here nobody has to know which.
#[test]
fn nobody_gets_a_row_of_another_person() {
    let company = Company::open();
    let requests = std::env::var("ACCREDIT_ACCESS_REQUESTS").ok();
    let requests = requests.map_or(REQUESTS, |number| number.parse().unwrap());
    let seed =
        std::env::var("ACCREDIT_ACCESS_SEED").map_or(88_172_645, |seed| seed.parse().unwrap());
    eprintln!("seed {seed}");

    let mut numbers = Numbers(seed);
    for _ in 0..requests {
        let person = numbers.below(ASKING);
        match numbers.below(2) {
            0 => company.ask_list(&mut numbers, person),
            _ => company.ask_thing(&mut numbers, person),
        }
    }

    // The whole of it is there for those whose it is.
    for person in 0..ASKING {
        let path = "/v1/me/credits";
        let reply = company.call(person, "GET", path, "");
        company.check_rows(path, &reply, person);
        assert_eq!(reply.json()["data"].as_array().unwrap().len(), 2);
    }
}
