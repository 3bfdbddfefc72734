//! How far payees are in the tiers of what is published for them: with tiers in the plan, as shares of a
//! quota, in a table, retroactive, to date; and after the rules changed.

use serde_json::{Value, json};

use super::{Host, recredited};

const REWARDS: &str = r#"
[[reward]]
name = "Commission"
tiers = [{ up_to = "1000", rate = "10%" }, { rate = "20%" }]

[[reward]]
name = "Attainment"
retroactive = true
tiers = [{ up_to = "50%", rate = "1%" }, { up_to = "100%", rate = "2%" }]

[[reward]]
name = "By title"
to_date = "quarter"
tiers = "table:rates"

[[reward]]
name = "Fee"
value = "5"
"#;
const TABLES: &str = r#"
[tables.rates]
keys = ["title"]
values = { up_to = "number", rate = "number" }
"#;
const PEOPLE: &str = "id,name,title,manager,from,to\n\
    mia,Mia,Manager,,,\nann,Ann,Seller,mia,,\nbob,Bob,Seller,,,\n";

/// Two deals of Ann's and one of Bob's; Ann's quota is 2,500.
fn office() -> Host {
    let host = Host::start_with(|config| {
        let folder = config.workspace.clone().unwrap();
        let append = |path: &str, more: &str| {
            let known = std::fs::read_to_string(folder.join(path)).unwrap();
            std::fs::write(folder.join(path), format!("{known}{more}")).unwrap();
        };
        // A restart reads the data file, and not the directory.
        if folder.join("tables").exists() {
            return;
        }
        append("plans/sellers.toml", REWARDS);
        append("accredit.toml", TABLES);
        std::fs::create_dir_all(folder.join("tables")).unwrap();
        let rates = "title,up_to,rate\nSeller,1500,1%\nSeller,,3%\nManager,,50%\n";
        std::fs::write(folder.join("tables/rates.csv"), rates).unwrap();
        std::fs::write(folder.join("organization/participants.csv"), PEOPLE).unwrap();
        let quotas = "plan,target,period,amount\nsellers,ann,2026-01,2500\nsellers,bob,2026-01,1\n\
            sellers,mia,2026-01,1\n";
        std::fs::write(folder.join("organization/quotas.csv"), quotas).unwrap();
    });
    for (id, owner, amount) in
        [("D-1", "ann", "800"), ("D-2", "ann", "400.50"), ("D-3", "bob", "7")]
    {
        let row =
            format!(r#"{{"id":"{id}","closed":"2026-01-10","amount":{amount},"owner":"{owner}"}}"#);
        assert_eq!(host.deliver(id, &row).status, 202);
    }
    host.drained();
    host
}

fn key(host: &Host, payee: &str) -> String {
    let wanted = json!({ "name": payee, "role": "payee", "participant": payee });
    let made = host.api("POST", "/v1/keys", &[], &wanted.to_string());
    made.json()["key"].as_str().unwrap().to_owned()
}

fn progress(host: &Host, key: &str, path: &str) -> Vec<Value> {
    let bearer = format!("Bearer {key}");
    let reply = host.call("GET", path, &[("authorization", &bearer)], b"");
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["data"].as_array().unwrap().clone()
}

fn release(host: &Host) {
    let what = json!({ "what": "credits" }).to_string();
    let released = host.api("POST", "/v1/calculations/sellers/2026-01/release", &[], &what);
    assert_eq!(released.status, 200, "{}", released.text);
}

/// A payee saw what a reward had paid, and not what was missing to the next rate.
#[test]
fn a_payee_sees_the_tier_and_what_is_missing_to_the_next() {
    let host = office();
    let (ann, mia) = (key(&host, "ann"), key(&host, "mia"));
    // What is decided and not released is for nobody.
    assert_eq!(progress(&host, &ann, "/v1/me/progress"), Vec::<Value>::new());
    release(&host);

    let rows = progress(&host, &ann, "/v1/me/progress?plan=sellers&period=2026-01");
    let names: Vec<_> = rows.iter().map(|row| row["reward"].as_str().unwrap()).collect();
    assert_eq!(names, ["Commission", "Attainment", "By title"]);
    let commission = json!({
        "plan": "sellers", "plan_name": "Sellers", "period": "2026-01", "reward": "Commission",
        "team": null, "credit_type": "booking", "credited": "1200.50", "quota": "2500.00",
        "credited_unit_type": rows[0]["unit_type"], "unit_type": rows[0]["unit_type"],
        "attainment": "0.4802", "amount": "140.10", "confirmed": false, "kind": "cumulative",
        "to_date": null, "has_maximum": false,
        "tiers": [
            { "from": "0.00", "up_to": "1000.00", "rate": "0.1" },
            { "from": "1000.00", "up_to": null, "rate": "0.2" },
        ],
        "tier": 1, "next_tier": null,
    });
    assert_eq!(rows[0], commission);

    // Shares of the quota are amounts, and a rate that is reached holds for the whole.
    let attainment = &rows[1];
    assert_eq!((&attainment["kind"], &attainment["tier"]), (&json!("retroactive"), &json!(0)));
    assert_eq!(attainment["tiers"][1]["up_to"], "2500.00");
    let next = json!({ "from": "1250.00", "rate": "0.02", "missing": "49.50" });
    assert_eq!(attainment["next_tier"], next);

    // A table is asked with the title of the payee.
    let by_title = &rows[2];
    assert_eq!((&by_title["to_date"], &by_title["amount"]), (&json!("quarter"), &json!("12.01")));
    assert_eq!(by_title["next_tier"]["missing"], "299.50", "{by_title}");

    assert_eq!(progress(&host, &mia, "/v1/me/reports/ann/progress"), rows);
    assert_eq!(progress(&host, &ann, "/v1/me/progress?period=2025-12"), Vec::<Value>::new());
    assert_eq!(progress(&host, &ann, "/v1/me/progress?limit=1").len(), 1);
}

/// Amounts of a statement beside rates that were written later would be neither.
#[test]
fn the_tiers_are_those_of_the_release() {
    let host = office();
    let ann = key(&host, "ann");
    release(&host);
    let before = progress(&host, &ann, "/v1/me/progress");

    let plan = host.api("GET", "/v1/definitions/plans/sellers.toml", &[], "").text;
    let files = json!({ "plans/sellers.toml": plan.replace("\"20%\"", "\"30%\"") });
    let body = json!({ "files": files, "effective": "recredit" }).to_string();
    let changed = host.api("POST", "/v1/changes", &[], &body);
    assert_eq!(changed.status, 200, "{}", changed.text);
    recredited(&host);
    assert_eq!(progress(&host, &ann, "/v1/me/progress"), before);

    release(&host);
    let after = progress(&host, &ann, "/v1/me/progress");
    assert_eq!(
        (&after[0]["tiers"][1]["rate"], &after[0]["amount"]),
        (&json!("0.3"), &json!("160.15"))
    );
}
