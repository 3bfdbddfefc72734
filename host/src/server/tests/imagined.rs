//! Deals that payees ask about before they close them: what such a deal would bring, why it would bring
//! nothing, and that nobody else is in the answer.

use serde_json::{Value, json};

use super::{Host, Reply};

/// Sellers are paid by tiers; their manager has a tenth of each deal; a deal of 13 breaks a rule.
const MORE: &str = r#"
  rollable = true

[[indirect]]
name = "Lead"
relationship = "Reporting"
  [[indirect.results]]
  name = "Lead credit"
  value = "credit.amount / 10"

[[reward]]
name = "Commission"
tiers = [{ up_to = "1000", rate = "10%" }, { rate = "20%" }]
"#;
const FRAGILE: &str = r#"
name = "Fragile"
targets = ["*"]

[[direct]]
name = "Ratio"
condition = "100 / (tx.amount - 13) != 0"
  [[direct.results]]
  name = "Ratio credit"
  credit_type = "booking"
"#;
const PEOPLE: &str = "id,name,title,manager,from,to\n\
    mia,Mia,Manager,,,\nann,Ann,Seller,mia,,\nbob,Bob,Seller,mia,,\n";

struct Office {
    host: Host,
    keys: Vec<(&'static str, String)>,
}

impl Office {
    /// Ann has a published deal of 800 and one of 50 that is not published; Bob has one of 300.
    fn open() -> Office {
        let host = Host::start_with(|config| {
            let folder = config.workspace.clone().unwrap();
            let plan = std::fs::read_to_string(folder.join("plans/sellers.toml")).unwrap();
            std::fs::write(folder.join("plans/sellers.toml"), format!("{plan}{MORE}")).unwrap();
            std::fs::write(folder.join("plans/fragile.toml"), FRAGILE).unwrap();
            std::fs::write(folder.join("organization/participants.csv"), PEOPLE).unwrap();
        });
        let deliver = |id: &str, owner: &str, amount: u32| {
            let row = json!({ "id": id, "closed": "2026-01-10", "amount": amount, "owner": owner });
            assert_eq!(host.deliver(id, &row.to_string()).status, 202);
            host.drained();
        };
        deliver("D-1", "ann", 800);
        deliver("D-2", "bob", 300);
        let what = json!({ "what": "credits" }).to_string();
        let released = host.api("POST", "/v1/calculations/sellers/2026-01/release", &[], &what);
        assert_eq!(released.status, 200, "{}", released.text);
        deliver("D-3", "ann", 50);

        let keys = ["ann", "bob", "mia"].map(|payee| {
            let wanted = json!({ "name": payee, "role": "payee", "participant": payee });
            let made = host.api("POST", "/v1/keys", &[], &wanted.to_string());
            (payee, made.json()["key"].as_str().unwrap().to_owned())
        });
        Office { host, keys: keys.into() }
    }

    fn ask(&self, payee: &str, body: &Value) -> Reply {
        let (_, key) = self.keys.iter().find(|(known, _)| *known == payee).unwrap();
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str())];
        self.host.call("POST", "/v1/me/what-if", &headers, body.to_string().as_bytes())
    }

    fn told(&self, payee: &str, body: &Value) -> Value {
        let reply = self.ask(payee, body);
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    }
}

/// A payee had to close a deal to see what it was worth.
#[test]
fn a_deal_is_decided_before_it_exists() {
    let office = Office::open();
    let recorded = || {
        let (status, audit) = (office.host.get("/v1/status"), office.host.get("/v1/audit?limit=1"));
        (status["counts"].clone(), audit["data"][0]["sequence"].clone())
    };
    let before = recorded();

    let told = office.told("ann", &json!({ "amount": "500.00", "plan": "sellers" }));
    assert_eq!((&told["what_if"], &told["date"]), (&json!(true), &json!("2026-01-15")));
    let unit = told["credits"][0]["unit_type"].clone();
    let credit = json!({
        "plan": "sellers", "plan_name": "Sellers", "rule": "Booking", "kind": "direct", "team": null,
        "credit_type": "booking", "amount": "500.00", "unit_type": unit, "held": false,
        "held_until": null,
    });
    assert_eq!(told["credits"], json!([credit]));
    // The 50 that are not published are in neither sum: 80, and 100 with 300 at a fifth.
    let reward = json!({
        "plan": "sellers", "plan_name": "Sellers", "period": "2026-01", "reward": "Commission",
        "team": null, "unit_type": unit, "before": "80.00", "after": "160.00",
        "difference": "80.00", "tier_before": 0, "tier_after": 1, "next_tier": null,
    });
    assert_eq!(told["rewards"], json!([reward]));
    assert_eq!(told["total"], json!([{ "unit_type": unit, "difference": "80.00" }]));
    assert_eq!(told["reasons"], json!([]));

    // Of another period, where nothing is published.
    let told =
        office.told("ann", &json!({ "amount": "500", "plan": "sellers", "date": "2026-03-02" }));
    let change = &told["rewards"][0];
    assert_eq!((&change["period"], &change["before"]), (&json!("2026-03"), &json!("0.00")));
    assert_eq!((&change["after"], &change["tier_before"]), (&json!("50.00"), &Value::Null));
    assert_eq!(change["next_tier"]["missing"], "500.00");

    // A held credit says until when, and its rewards are counted.
    let held = json!({ "amount": "10", "plan": "sellers", "columns": { "hold": "month" } });
    let told = office.told("ann", &held);
    let credit = &told["credits"][0];
    assert_eq!((&credit["held"], &credit["held_until"]), (&json!(true), &json!("2026-02-15")));
    assert_eq!(told["total"][0]["difference"], "1.00");

    // Without a plan, every plan decides it.
    let told = office.told("ann", &json!({ "amount": "1" }));
    let plans: Vec<_> =
        told["credits"].as_array().unwrap().iter().map(|row| &row["plan"]).collect();
    assert_eq!(plans, ["fragile", "sellers"]);

    assert_eq!(recorded(), before);
    assert_eq!(
        office.host.get("/v1/credits?payee=ann&plan=sellers")["data"].as_array().unwrap().len(),
        2
    );
}

/// A manager's part of the deal, an amount of a colleague or a cell in an error would be told.
#[test]
fn nobody_else_is_in_the_answer() {
    let office = Office::open();
    for amount in ["100", "2000"] {
        let told = office.told("ann", &json!({ "amount": amount })).to_string();
        for hidden in ["mia", "bob", "Lead", "300"] {
            assert!(!told.contains(hidden), "{hidden}: {told}");
        }
    }

    // What is Bob's is not Ann's, and his name is not told.
    let told = office.told("ann", &json!({ "amount": "777", "columns": { "owner": "bob" } }));
    assert_eq!((&told["credits"], &told["rewards"]), (&json!([]), &json!([])));
    let codes: Vec<_> =
        told["reasons"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert_eq!(codes, ["not_named", "not_named", "not_reached"]);
    assert!(!told.to_string().contains("bob") && !told.to_string().contains("777"), "{told}");

    // His manager has a part of it, by what is published for her.
    let told = office.told("mia", &json!({ "amount": "777", "columns": { "owner": "bob" } }));
    assert_eq!(told["credits"][0]["amount"], "77.70");
    assert_eq!(told["rewards"][0]["before"], "11.00");

    // A rule that fails is a sentence.
    let told = office.told("ann", &json!({ "amount": "13", "plan": "fragile" }));
    let reason = json!({
        "plan": "fragile", "stage": "crediting", "code": "policy_error", "rule": null,
        "message": "a rule of the plan could not be computed for this deal",
    });
    assert_eq!(told["reasons"], json!([reason]));
    assert_eq!(told["total"], json!([]));
}

/// What cannot be asked is refused before anything is decided.
#[test]
fn what_is_no_deal_is_refused() {
    let office = Office::open();
    let refused = |body: Value, status: u16, code: &str| {
        office.ask("ann", &body).problem(status, code);
    };
    refused(json!({}), 400, "bad_request");
    refused(json!({ "amount": "much" }), 422, "bad_amount");
    refused(json!({ "amount": "1", "plan": "none" }), 404, "not_found");
    refused(json!({ "amount": "1", "payee": "bob" }), 400, "bad_request");
    for column in ["amount", "closed", "date", "id", " ", "\u{0}manual_credit"] {
        refused(json!({ "amount": "1", "columns": { column: "2" } }), 422, "bad_column");
    }
    let long = "x".repeat(2000);
    refused(json!({ "amount": "1", "columns": { "product": long } }), 422, "bad_column");
    let staff = office.host.api("POST", "/v1/me/what-if", &[], r#"{"amount":"1"}"#);
    staff.problem(403, "forbidden");
}
