//! Rewards as content of a calculation: what changes them raises its revision, and what keeps them from
//! being worked out is among the alerts for as long as it does.
//!
//! Expectations are derived by hand from DOMAIN 2.13, 2.16 and FORMAT section 3: Ann sells 100, so a
//! tenth is 10 and a fifth is 20.

use serde_json::{Value as Json, json};

use super::{Office, deal, done, post};
use crate::company;
use crate::server::Server;

/// The plan with a reward of these terms.
fn plan(terms: &str) -> String {
    format!("{}\n[[reward]]\nname = \"Commission\"\n{terms}\n", company::FILES[2].1)
}

fn office(terms: &str) -> Office {
    Office::with(|workspace| company::put(workspace, "plans/reps.toml", &plan(terms)))
}

/// Changes one file, effective from now on; gives the activation.
fn change(server: &Server, path: &str, text: &str) -> Json {
    let changed = done(&post(server, "/v1/changes", &json!({"files": {path: text}})));
    let all = done(&server.get("/v1/activations"));
    let mut all = all["data"].as_array().unwrap().iter();
    all.find(|one| one["sequence"] == changed["activation"]).unwrap().clone()
}

/// Revision, and the rewards of Ann; in a longer period, of its month November.
fn seen(server: &Server, period: &str) -> (u64, Vec<String>) {
    let mut all = done(&server.get(&format!("/v1/calculations/reps/{period}")));
    if let Some(months) = all["data"].as_array() {
        all = months.iter().find(|month| month["period"] == "2026-11").unwrap().clone();
    }
    let rewards = all["rewards"].as_array().unwrap().iter();
    let rewards = rewards.filter(|row| row["payee"] == "ann");
    let rewards = rewards.map(|row| row["amount"].as_str().unwrap().to_owned()).collect();
    (all["revision"].as_u64().unwrap(), rewards)
}

fn alerts(server: &Server, query: &str) -> Vec<Json> {
    let found = done(&server.get(&format!("/v1/alerts?{query}")));
    found["data"].as_array().unwrap().clone()
}

#[test]
fn a_revision_is_a_change_of_rewards_too() {
    let office = office("tiers = [{ rate = \"0.10\" }]");
    let server = office.open("2026-11-29");
    deal(&server, "m1", "D1", "2026-11-15", "100");
    let ten = || vec!["10.00".to_owned()];
    assert_eq!(seen(&server, "2026-11"), (1, ten()));
    assert_eq!(seen(&server, "2026-Q4"), (1, ten()));
    done(&post(&server, "/v1/calculations/reps/2026-11/release", &json!({"what": "credits"})));

    // Another rate: another revision, of the plan's period that the deal is part of, and of no other.
    let activation = change(&server, "plans/reps.toml", &plan("tiers = [{ rate = \"0.20\" }]"));
    assert_eq!(activation["restated"], json!({"reps": ["2026-11"]}));
    let twenty = || vec!["20.00".to_owned()];
    assert_eq!(seen(&server, "2026-11"), (2, twenty()));
    assert_eq!(seen(&server, "2026-Q4"), (2, twenty()));
    assert_eq!(seen(&server, "2026"), (2, twenty()));
    assert_eq!(seen(&server, "2026-10"), (0, vec![]));
    let listed = done(&server.get("/v1/calculations?plan=reps&period=2026-11"));
    let row = &listed["data"][0];
    assert_eq!((&row["revision"], &row["release"]["revision"]), (&json!(2), &json!(1)), "{row}");

    // What pays the same is no revision: a tier nobody reaches, and quotas without tiers of them.
    let same = "tiers = [{ up_to = \"500\", rate = \"0.20\" }, { rate = \"0.30\" }]";
    let activation = change(&server, "plans/reps.toml", &plan(same));
    assert_eq!(activation["restated"], json!({}));
    assert_eq!(seen(&server, "2026-11"), (2, twenty()));
    let share = company::rollup(50);
    assert_eq!(change(&server, "policies/rollup/share.rhai", &share)["restated"], json!({}));
    assert_eq!(seen(&server, "2026-11").0, 2);

    // A quota is content as well: it stands in the row with the attainment.
    let quotas = "plan,target,period,amount\nreps,ann,2026-11,200\n";
    let activation = change(&server, "organization/quotas.csv", quotas);
    // The quarter and the year sum the quotas of their months.
    assert_eq!(activation["restated"], json!({"reps": ["2026-11"]}));
    assert_eq!(seen(&server, "2026-11"), (3, twenty()));

    // A reward that goes is a change, and all of it outlives the process.
    change(&server, "plans/reps.toml", company::FILES[2].1);
    assert_eq!(seen(&server, "2026-11"), (4, vec![]));
    server.kill();
    let server = office.open("2026-11-29");
    assert_eq!(seen(&server, "2026-11"), (4, vec![]));
    deal(&server, "m2", "D1", "2026-11-15", "120");
    assert_eq!(seen(&server, "2026-11"), (5, vec![]));
}

#[test]
fn a_reward_that_cannot_be_worked_out_is_an_alert_until_it_can() {
    let office = office("tiers = [{ up_to = \"100%\", rate = \"0.10\" }, { rate = \"0.20\" }]");
    let server = office.open("2026-11-29");
    deal(&server, "m1", "D1", "2026-11-15", "100");
    deal(&server, "m2", "D2", "2026-10-15", "100");
    // Ann and Max were credited in both months, Dee too: nobody has a quota.
    let found = alerts(&server, "code=no_quota&period=2026-11");
    assert_eq!(found.len(), 3, "{found:?}");
    let ann = found.iter().find(|one| one["message"].as_str().unwrap().contains("`ann`")).unwrap();
    assert_eq!(
        (&ann["plan"], &ann["period"], &ann["stage"], &ann["transaction"]),
        (&json!("reps"), &json!("2026-11"), &json!("reward"), &Json::Null),
    );
    let calculation = done(&server.get("/v1/calculations/reps/2026-11"));
    assert_eq!(calculation["alerts"].as_array().unwrap().len(), 3);
    assert_eq!(alerts(&server, "code=no_quota").len(), 6);
    assert_eq!(alerts(&server, "code=no_quota&plan=reps&period=2026-Q4").len(), 6);
    for none in ["code=no_quota&period=2026-09", "code=no_quota&transaction=D1", "plan=other"] {
        assert_eq!(alerts(&server, none), Vec::<Json>::new(), "{none}");
    }
    let log = done(&server.get("/v1/log?code=no_quota&period=2026-11"));
    assert_eq!(log["data"], json!(found));

    // A quota for November mends November.
    let quotas = "plan,target,period,amount\nreps,*,2026-11,200\n";
    change(&server, "organization/quotas.csv", quotas);
    let found = alerts(&server, "code=no_quota");
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|one| one["period"] == "2026-10"), "{found:?}");
    // October's deal moves to November: nobody has a claim in October any more.
    deal(&server, "m3", "D2", "2026-11-16", "100");
    assert_eq!(alerts(&server, "code=no_quota"), Vec::<Json>::new());

    // A program that fails says where.
    let files = json!({
        "plans/reps.toml": plan("value = \"policy:broken\""),
        "policies/reward/broken.rhai": "fn reward(payee, totals, quota) {\n    throw \"no\";\n}\n",
    });
    done(&post(&server, "/v1/changes", &json!({"files": files})));
    // Everybody who was credited has a claim, and the one who has only a quota.
    let found = alerts(&server, "code=policy_error&period=2026");
    assert_eq!(found.len(), 4);
    let place = json!(["policies/reward/broken.rhai", 2]);
    assert_eq!(json!([found[0]["file"], found[0]["line"]]), place);
}
