//! Every kind of change shows what it does to pay before it is in force, and then does exactly that:
//! rates, quotas, tables, attributes, exchange rates and draws.
//!
//! Expectations are derived by hand from REWARDS section 9 and RG18: Ann is credited with 1,000 in
//! March and paid by several rewards, each of which one kind of change moves.

use serde_json::{Value as Json, json};

use super::{Office, deal, done, post, refused};
use crate::company;
use crate::server::Server;

const REWARDS: &str = r#"
[[reward]]
name = "Commission"
targets = ["title:Rep"]
tiers = [{ rate = "10%" }]

[[reward]]
name = "Attainment"
targets = ["title:Rep"]
tiers = [{ up_to = "100%", rate = "1%" }, { rate = "2%" }]

[[reward]]
name = "Base"
targets = ["title:Rep"]
value = 'lookup("bonus", "base")'

[[reward]]
name = "Level"
targets = ["title:Rep"]
value = 'payee["level"] * 100'

[[draw]]
name = "Draw"
from = 2026-03-01
targets = ["title:Rep"]
amount = "300"
recoverable = true
covers = ["Commission"]
"#;

const TABLES: &str = r#"
[tables.bonus]
keys = ["name"]
values = { amount = "number" }

[attributes]
level = "number"
"#;

const QUOTAS: &str = "plan,target,period,amount\nreps,ann,2026-03,2000\n";
const PEOPLE: &str = "id,name,title,manager,currency\nann,Ann,Rep,max,EUR\nmax,Max,Manager,dee,\n\
                      dee,Dee,Director,,\n";
const RATES: &str = "from_unit,to_unit,rate,from,to\nUSD,EUR,1,,\n";

fn plan(rewards: &str) -> String {
    format!("{}{rewards}", company::FILES[2].1)
}

fn office() -> Office {
    Office::with(|workspace| {
        let settings = std::fs::read_to_string(workspace.join("accredit.toml")).unwrap();
        let files = [
            ("accredit.toml", format!("unit_types = [\"USD\", \"EUR\"]\n{settings}{TABLES}")),
            ("plans/reps.toml", plan(REWARDS)),
            ("organization/participants.csv", PEOPLE.to_owned()),
            ("organization/quotas.csv", QUOTAS.to_owned()),
            ("organization/exchange_rates.csv", RATES.to_owned()),
            (
                "organization/attributes.csv",
                "kind,id,name,value\nparticipant,ann,level,1\n".to_owned(),
            ),
            ("tables/bonus.csv", "name,amount\nbase,50\n".to_owned()),
        ];
        files.iter().for_each(|(path, text)| company::put(workspace, path, text));
    })
}

/// `payee reward before -> after` of each reward that differs.
fn reward_lines(money: &Json) -> Vec<String> {
    let lines = money["reward_lines"].as_array().into_iter().flatten();
    let text = |line: &Json, key: &str| line[key].as_str().unwrap().to_owned();
    let mut lines: Vec<String> = lines
        .map(|line| {
            let (payee, reward) = (text(line, "payee"), text(line, "reward"));
            format!("{payee} {reward} {} -> {}", text(line, "before"), text(line, "after"))
        })
        .collect();
    lines.sort();
    lines
}

/// What Ann is paid in March, by reward.
fn paid(server: &Server) -> Vec<String> {
    let all = done(&server.get("/v1/calculations/reps/2026-03"));
    let rewards = all["rewards"].as_array().unwrap().iter();
    let rewards = rewards.filter(|row| row["payee"] == "ann");
    rewards.map(|row| format!("{} {}", row["reward"], row["amount"]).replace('"', "")).collect()
}

/// One kind of change: the file, its text, and the rewards that differ.
type Kind<'a> = (&'a str, &'a str, String, &'a [&'a str]);

/// Each kind of change, one after the other.
fn kinds() -> [Kind<'static>; 6] {
    let raised = REWARDS.replace("10%", "50%");
    let drawn = raised.replace("amount = \"300\"", "amount = \"600\"");
    [
        // 50 % of 1,000 is above the draw of 300, so that no draw is left.
        (
            "rate",
            "plans/reps.toml",
            plan(&raised),
            &["ann Commission 100.00 -> 500.00", "ann Draw 200.00 -> 0.00"],
        ),
        // 1,000 is twice a quota of 500: 5.00 for the first half and 10.00 for the second.
        (
            "quota",
            "organization/quotas.csv",
            QUOTAS.replace("2000", "500"),
            &["ann Attainment 10.00 -> 15.00"],
        ),
        (
            "table",
            "tables/bonus.csv",
            "name,amount\nbase,80\n".to_owned(),
            &["ann Base 50.00 -> 80.00"],
        ),
        (
            "attribute",
            "organization/attributes.csv",
            "kind,id,name,value\nparticipant,ann,level,3\n".to_owned(),
            &["ann Level 100.00 -> 300.00"],
        ),
        // A draw of 600 adds the 100 that 500 lacks.
        ("draw", "plans/reps.toml", plan(&drawn), &["ann Draw 0.00 -> 100.00"]),
        // Everything that is exchanged into euros is worth half of it; a draw is added in euros.
        (
            "exchange rate",
            "organization/exchange_rates.csv",
            RATES.replace(",1,", ",0.5,"),
            &[
                "ann Attainment 15.00 -> 7.50",
                "ann Base 80.00 -> 40.00",
                "ann Commission 500.00 -> 250.00",
                "ann Draw 100.00 -> 50.00",
                "ann Level 300.00 -> 150.00",
            ],
        ),
    ]
}

#[test]
fn each_kind_of_change_is_seen_in_money_and_booked_as_it_was_seen() {
    let office = office();
    let server = office.open("2026-03-20");
    deal(&server, "m1", "D1", "2026-03-10", "1000");
    // A tenth of 1,000; 1 % below the quota of 2,000; the table; the level; 200 to reach the draw.
    let first =
        ["Commission 100.00", "Attainment 10.00", "Base 50.00", "Level 100.00", "Draw 200.00"];
    assert_eq!(paid(&server), first);

    for (kind, path, text, expected) in kinds() {
        let mut change = json!({"files": {path: text}});
        let seen = done(&post(&server, "/v1/preview", &change))["money"].clone();
        assert_eq!(reward_lines(&seen), expected, "{kind}: {seen}");

        // The limit is on what is paid: these changes credit nobody with anything else.
        change["max_total"] = json!("1");
        let refusal = refused(&post(&server, "/v1/changes", &change), 409, "stop_loss");
        assert!(refusal["detail"].as_str().unwrap().contains("rewards"), "{kind}: {refusal}");

        change["max_total"] = json!("100000");
        let active = done(&post(&server, "/v1/changes", &change));
        assert_eq!(active["money"], seen, "{kind}");
        let recorded = done(&server.get("/v1/activations"));
        let mut recorded = recorded["data"].as_array().unwrap().iter();
        let recorded = recorded.find(|one| one["sequence"] == active["activation"]).unwrap();
        assert_eq!(recorded["money"], seen, "{kind}");

        // Booked as it was seen, to the cent.
        for line in expected {
            let (reward, after) = line.split_once(" -> ").unwrap();
            let reward = reward.split(' ').nth(1).unwrap();
            let booked = paid(&server);
            let is_booked = match after {
                "0.00" => booked.iter().all(|row| !row.starts_with(reward)),
                after => booked.contains(&format!("{reward} {after}")),
            };
            assert!(is_booked, "{kind}: {line} in {booked:?}");
        }
    }
}

#[test]
fn balances_and_quotas_are_seen_before_they_change() {
    let office = office();
    let server = office.open("2026-03-20");
    deal(&server, "m1", "D1", "2026-03-10", "1000");

    // The draw adds 200 to 100 earned, and those 200 are owed; a draw of 450 adds 350.
    let drawn = REWARDS.replace("amount = \"300\"", "amount = \"450\"");
    let body = json!({"files": {
        "plans/reps.toml": plan(&drawn),
        "organization/quotas.csv": QUOTAS.replace("2000", "4000"),
    }});
    let money = done(&post(&server, "/v1/preview", &body))["money"].clone();
    assert_eq!(
        money["balance_lines"],
        json!([{
            "payee": "ann", "plan": "reps", "name": "Draw", "unit_type": "EUR",
            "before": "200.00", "after": "350.00", "difference": "150.00",
        }]),
    );
    let quota = &money["quota_lines"][0];
    assert_eq!(
        (&quota["payee"], &quota["before"], &quota["after"]),
        (&json!("ann"), &json!("2000.00"), &json!("4000.00"))
    );
    // The quota moves no amount: 1 % of 1,000 below either of them.
    assert_eq!(reward_lines(&money), ["ann Draw 200.00 -> 350.00"]);
}

#[test]
fn a_quota_policy_is_seen_in_money_too() {
    let expected = |quota: u32| format!("fn quota(payee, period) {{\n    {quota}\n}}\n");
    let office = Office::with(|workspace| {
        let rewards = "\n[[reward]]\nname = \"Attainment\"\ntargets = [\"title:Rep\"]\n\
                       tiers = [{ up_to = \"100%\", rate = \"1%\" }, { rate = \"2%\" }]\n";
        let with_quota = "split = \"equal\"\nquota = \"policy:expected\"";
        let plan = plan(rewards).replace("split = \"equal\"", with_quota);
        company::put(workspace, "plans/reps.toml", &plan);
        company::put(workspace, "policies/quota/expected.rhai", &expected(2000));
    });
    let server = office.open("2026-03-20");
    deal(&server, "m1", "D1", "2026-03-10", "1000");

    let change = json!({"files": {"policies/quota/expected.rhai": expected(500)}});
    let money = done(&post(&server, "/v1/preview", &change))["money"].clone();
    assert_eq!(reward_lines(&money), ["ann Attainment 10.00 -> 15.00"], "{money}");

    // January and February have rows of an attainment of 0, of which the quota is content as well.
    done(&post(&server, "/v1/changes", &change));
    let recorded = done(&server.get("/v1/activations"));
    let last =
        recorded["data"].as_array().unwrap().iter().max_by_key(|one| one["sequence"].as_u64());
    assert_eq!(last.unwrap()["restated"], json!({"reps": ["2026-01", "2026-02", "2026-03"]}));
}

/// RG18: 1,000 are credited, and the rate goes from 10 % to 50 %.
#[test]
fn a_rate_is_seen_and_stopped_before_it_is_paid() {
    let rate = |rate: &str| {
        plan(&format!(
            "\n[[reward]]\nname = \"Commission\"\ntargets = [\"title:Rep\"]\n\
             tiers = [{{ rate = \"{rate}\" }}]\n"
        ))
    };
    let office = Office::with(|workspace| company::put(workspace, "plans/reps.toml", &rate("10%")));
    let server = office.open("2026-03-20");
    deal(&server, "m1", "D1", "2026-03-10", "1000");

    let mut change = json!({"files": {"plans/reps.toml": rate("50%")}});
    let money = done(&post(&server, "/v1/preview", &change))["money"].clone();
    assert_eq!(money["rewards"]["payees"], 1);
    assert_eq!(reward_lines(&money), ["ann Commission 100.00 -> 500.00"]);
    for limit in ["max_total", "max_payee"] {
        change[limit] = json!("1");
        refused(&post(&server, "/v1/changes", &change), 409, "stop_loss");
        change.as_object_mut().unwrap().remove(limit);
    }
    assert_eq!(paid(&server), ["Commission 100.00"]);
    change["max_payee"] = json!("400");
    done(&post(&server, "/v1/changes", &change));
    assert_eq!(paid(&server), ["Commission 500.00"]);
}

#[test]
fn a_shadow_shows_what_its_rules_would_pay() {
    let office = office();
    let server = office.open("2026-03-20");
    deal(&server, "m1", "D1", "2026-03-10", "1000");

    let body = json!({"files": {"plans/reps.toml": plan(&REWARDS.replace("10%", "20%"))}});
    let started = done(&post(&server, "/v1/shadow", &body));
    assert!(started.get("money").is_none(), "{started}");

    // 20 % of 1,000 is 200, so that the draw of 300 adds 100 and no longer 200, which is owed.
    let money = done(&server.get("/v1/shadow?money=true"))["money"].clone();
    assert_eq!(
        reward_lines(&money),
        ["ann Commission 100.00 -> 200.00", "ann Draw 200.00 -> 100.00"]
    );
    let owed = &money["balance_lines"][0];
    assert_eq!((&owed["before"], &owed["after"]), (&json!("200.00"), &json!("100.00")), "{owed}");

    // It runs beside the rules in force, which pay as before.
    assert_eq!(paid(&server)[0], "Commission 100.00");
    assert_eq!(server.get("/v1/shadow?monye=true").status, 400);
}
