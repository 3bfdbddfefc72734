//! What a preview says is what then happens, to the cent: random changes over recorded deals with
//! holds, releases, adjustments, sources between plans and finalized periods, effective in each way.
//!
//! Found by it: an activation decides parked deals again whatever it is effective for, and the
//! preview did not count those that lie outside of its choice.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Host, PLAN, recredited};

/// A sequence of numbers from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

const LEADS: &str = r#"
name = "Leads"
targets = ["*"]

[[direct]]
name = "Own"
condition = "tx.amount >= 70"
  [[direct.results]]
  name = "Own credit"
  credit_type = "overlay"
  value = "tx.amount * 0.1"
  maximum = "25"

[[indirect]]
name = "Team of sellers"
relationship = "Reporting"
sources = ["sellers", "leads"]
  [[indirect.results]]
  name = "Lead credit"
  value = "policy:share"
"#;

fn people(manager: &str, bob_until: &str, more: &str) -> String {
    format!(
        "id,name,title,manager,from,to\nann,Ann,Seller,{manager},,\nbob,Bob,Seller,lea,,{bob_until}\n\
         lea,Lea,Lead,moe,,\nmoe,Moe,Head,,,\n{more}"
    )
}

fn sellers(value: &str, more: &str) -> String {
    let result = format!("rollable = true\n  value = \"{value}\"\n  credit_type");
    let plan = PLAN
        .replace("name = \"Sellers\"", &format!("name = \"Sellers\"\nsplit = \"equal\"\n{more}"));
    plan.replace("credit_type", &result)
}

fn settings(more: &str) -> String {
    format!(
        "credit_types = [\"booking\", \"overlay\"]\nreason_codes = [\"Fix\"]\n{}\n{more}",
        super::SETTINGS
    )
}

fn share(percent: u64) -> String {
    format!("fn roll(tx, credit, to, existing) {{ credit.amount * {percent} / 100 }}\n")
}

fn wish(limit: u64) -> String {
    super::HOLD.replace(
        "let wish",
        &format!("if tx.amount > {limit} {{ return hold_for(1, \"months\"); }}\n    let wish"),
    )
}

/// One or two files that another administrator might write.
fn candidate(dice: &mut Dice) -> Value {
    let mut files = serde_json::Map::new();
    for _ in 0..=dice.below(2) {
        let number = dice.below(90) + 10;
        let (path, text) = match dice.below(9) {
            0 => ("plans/sellers.toml", sellers(&format!("tx.amount * {number} / 50"), "")),
            1 => ("plans/sellers.toml", sellers(&format!("1000 / (tx.amount - {number})"), "")),
            2 => (
                "plans/sellers.toml",
                sellers(
                    "tx.amount",
                    dice.of(&[
                        "filter = 'tx.amount > 40'",
                        "to = 2026-01-14",
                        "from = 2025-12-20",
                        "split = \"first\"",
                    ])
                    .trim_start_matches("split = \"first\""),
                ),
            ),
            3 => ("policies/rollup/share.rhai", share(number)),
            4 => ("policies/hold/asked.rhai", wish(number)),
            5 => {
                let until = dice.of(&["", "2026-01-09", "2025-12-31"]);
                let more = dice.of(&["", "zed,Zed,Seller,lea,,\n"]);
                ("organization/participants.csv", people(dice.of(&["lea", "moe", ""]), until, more))
            }
            6 => (
                "plans/leads.toml",
                LEADS.replace("\"25\"", &format!("\"{number}.01\"")).replace(
                    "sources = [\"sellers\", \"leads\"]",
                    dice.of(&["sources = [\"sellers\", \"leads\"]", "sources = [\"sellers\"]"]),
                ),
            ),
            7 => (
                "organization/quotas.csv",
                format!("plan,target,period,amount\nsellers,ann,2026-01,{number}\n"),
            ),
            _ => (
                "accredit.toml",
                settings(dice.of(&[
                    "[calendar]\nyear_starts = 4\n",
                    "",
                    "[calendar]\nfinalized = { \"2025-11\" = 2025-12-05 }\n",
                ])),
            ),
        };
        files.insert(path.to_owned(), Value::from(text));
    }
    Value::Object(files)
}

fn rows(host: &Host) -> Vec<Value> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = host.get(&format!("/v1/credits?limit=1000{cursor}"));
        rows.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

/// What counts in the ledger, by list, name and unit type.
fn sums(host: &Host) -> BTreeMap<(&'static str, String, String), Decimal> {
    let mut sums = BTreeMap::new();
    for row in rows(host) {
        if row["status"] != "active" && row["status"] != "held" {
            continue;
        }
        let text = |key: &str| row[key].as_str().map(str::to_owned);
        let payee = text("payee").unwrap_or_else(|| format!("position:{}", row["position"]));
        let amount: Decimal = text("amount").unwrap().parse().unwrap();
        let names = [
            ("by_payee", payee),
            ("by_plan", text("plan").unwrap()),
            ("by_credit_type", text("credit_type").unwrap()),
            ("total", String::new()),
        ];
        for (list, name) in names {
            *sums.entry((list, name, text("unit_type").unwrap())).or_default() += amount;
        }
    }
    sums
}

/// What a report says of them.
fn told(report: &Value) -> BTreeMap<(&'static str, String, String), Decimal> {
    let mut told = BTreeMap::new();
    for list in ["by_payee", "by_plan", "by_credit_type", "total"] {
        for line in report[list].as_array().unwrap() {
            let text = |key: &str| line[key].as_str().unwrap().to_owned();
            let difference: Decimal = text("difference").parse().unwrap();
            if !difference.is_zero() {
                told.insert((list, text("name"), text("unit_type")), difference);
            }
        }
    }
    told
}

fn deals(host: &Host, dice: &mut Dice, round: u64) {
    let mut lines = String::new();
    for number in 0..70 {
        let id = if dice.below(6) == 0 { dice.below(200) } else { round * 100 + number };
        let day = dice.of(&[
            "2025-11-20",
            "2025-12-10",
            "2025-12-28",
            "2026-01-05",
            "2026-01-10",
            "2026-01-20",
        ]);
        let owner = dice.of(&["ann", "bob", "ann;bob", "ann;zed", "lea", "zed", "ann[0.3];bob"]);
        let hold = dice.of(&["", "", "", "yes", "month", "broken"]);
        let amount = dice.below(9000) + 1;
        lines.push_str(&format!(
            "{{\"id\":\"D{id}\",\"closed\":\"{day}\",\"amount\":\"{}.{:02}\",\"owner\":\"{owner}\",\
             \"hold\":\"{hold}\",\"updated\":\"2026-01-{:02}T00:00:00Z\"}}\n",
            amount / 100,
            amount % 100,
            round + 1,
        ));
    }
    let kind = [("content-type", "application/x-ndjson")];
    let sent = host.api("POST", "/v1/transactions", &kind, &lines);
    assert!(sent.status < 300, "{}", sent.text);
    host.drained();
}

/// Something that people do with credits by hand.
fn by_hand(host: &Host, dice: &mut Dice) {
    for row in rows(host).iter().filter(|row| row["reverses"].is_null()) {
        let id = row["id"].as_str().unwrap();
        match (dice.below(12), row["status"].as_str()) {
            (0, Some("held")) => {
                host.api("POST", &format!("/v1/credits/{id}/release"), &[], "");
            }
            (1, Some("active")) => {
                host.api("POST", &format!("/v1/credits/{id}/hold"), &[], "");
            }
            (2, _) => {
                let body = json!({
                    "action": "adjust_by", "amount": "-1.07", "reason_code": "Fix", "comment": "less",
                });
                host.api("POST", &format!("/v1/credits/{id}/adjustments"), &[], &body.to_string());
            }
            _ => (),
        }
    }
}

/// How often something was booked as foretold.
fn world(seed: u64) -> usize {
    let dice = &mut Dice(seed);
    let host = Host::start();
    let first = json!({ "files": {
        "accredit.toml": settings(""),
        "plans/sellers.toml": sellers("tx.amount", ""),
        "plans/leads.toml": LEADS,
        "policies/rollup/share.rhai": share(50),
        "organization/participants.csv": people("lea", "", ""),
    }});
    let made = host.api("POST", "/v1/changes", &[], &first.to_string());
    assert_eq!(made.status, 200, "{}", made.text);
    let mut booked = 0;
    for round in 0..5 {
        deals(&host, dice, round);
        by_hand(&host, dice);
        if round == 2 && dice.below(2) == 0 {
            let body = json!({ "force": true, "reason": "test" }).to_string();
            let done = host.api("POST", "/v1/periods/2025-12/finalize", &[], &body);
            assert_eq!(done.status, 200, "{}", done.text);
        }
        let effective = dice.of(&["now", "recredit", "from:2025-12-15", "from:2026-01-08"]);
        let body = json!({ "files": candidate(dice), "effective": effective }).to_string();
        let shown = host.api("POST", "/v1/preview", &[], &body);
        let before = sums(&host);
        assert!(shown.status != 200 || shown.json()["unfinished"] == false);
        let done = host.api("POST", "/v1/changes", &[], &body);
        if shown.status != 200 || done.status != 200 {
            let removed = ["nothing_changes", "has_credits"];
            let kind = done.json()["type"].as_str().unwrap_or_default().to_owned();
            assert!(
                shown.status == done.status || removed.iter().any(|one| kind.ends_with(one)),
                "seed {seed}: {}\n{}",
                shown.text,
                done.text
            );
            continue;
        }
        host.after_redrive();
        recredited(&host);
        let mut after = sums(&host);
        for (key, sum) in before {
            *after.entry(key).or_default() -= sum;
        }
        after.retain(|_, sum| !sum.is_zero());
        let said = told(&shown.json()["booked"]);
        assert_eq!(said, after, "seed {seed}, round {round}, {effective}: {body}");
        booked += usize::from(!said.is_empty());
        if effective != "now" {
            assert_eq!(shown.json()["booked"], shown.json()["impact"]);
        }
        let verified = host.get("/v1/verify");
        assert_eq!(verified["differing"], 0, "seed {seed}, round {round}: {verified}");
    }
    booked
}

#[test]
fn a_preview_foretells_what_every_change_books() {
    let worlds = std::env::var("ACCREDIT_PREVIEWS").ok().and_then(|count| count.parse().ok());
    let first = std::env::var("ACCREDIT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let worlds = worlds.unwrap_or(3);
    let booked: usize = (first..first + worlds).map(world).sum();
    assert!(booked as u64 > worlds, "nothing was booked: {booked}");
}
