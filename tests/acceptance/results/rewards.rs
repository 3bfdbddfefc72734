//! Rewards as content of a calculation: what changes them raises its revision, and what keeps them from
//! being worked out is among the alerts for as long as it does.
//!
//! Expectations are derived by hand from DOMAIN 2.13, 2.16 and FORMAT section 3: Ann sells 100, so a
//! tenth is 10 and a fifth is 20.

use serde_json::{Value as Json, json};

use super::{Office, deal, done, post};
use crate::company;
use crate::payees::without_assignee;
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
    let noted: Vec<Json> = found.iter().map(without_assignee).collect();
    assert_eq!(log["data"], json!(noted));

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

/// The rewards of Ann in a month: amount, origin and the period that is corrected.
fn rows_of_ann(server: &Server, period: &str) -> Vec<[String; 3]> {
    let all = done(&server.get(&format!("/v1/calculations/reps/{period}")));
    let rows = all["rewards"].as_array().unwrap().iter().filter(|row| row["payee"] == "ann");
    let text = |cell: &Json| cell.as_str().unwrap_or_default().to_owned();
    rows.map(|row| [text(&row["amount"]), text(&row["origin"]), text(&row["corrects"])]).collect()
}

/// A January of 1,000 whose rewards are released and that is finalized, seen in February.
fn finalized_january(office: &Office) -> Server {
    let server = office.open("2026-02-03");
    deal(&server, "m1", "D1", "2026-01-15", "1000");
    let release = "/v1/calculations/reps/2026-01/release";
    done(&post(&server, release, &json!({"what": "rewards"})));
    done(&post(&server, "/v1/periods/2026-01/finalize", &json!({})));
    server
}

/// A late deal of a finalized month was rewarded at the tier that February had reached: 150 for 1,500
/// where January alone pays 200.
#[test]
fn a_late_deal_is_paid_at_the_tier_of_its_own_period() {
    let office = office("tiers = [{ up_to = \"1000\", rate = \"10%\" }, { rate = \"20%\" }]");
    let server = finalized_january(&office);
    deal(&server, "m2", "D2", "2026-01-20", "500");

    let paid = [["100.00", "calculated", ""].map(str::to_owned)];
    let corrected = [["100.00", "retro", "2026-01"].map(str::to_owned)];
    assert_eq!(rows_of_ann(&server, "2026-01"), paid);
    assert_eq!(rows_of_ann(&server, "2026-02"), corrected);
    // The month that was paid stays, and says where it is corrected.
    let january = done(&server.get("/v1/calculations/reps/2026-01"));
    let elsewhere = january["corrections"].as_array().unwrap().iter();
    let elsewhere: Vec<Json> = elsewhere
        .filter(|row| row["payee"] == "ann")
        .map(|row| json!([row["period"], row["amount"], row["corrects"]]))
        .collect();
    assert_eq!(elsewhere, [json!(["2026-02", "100.00", "2026-01"])]);
    let told = alerts(&server, "code=confirmed_differs");
    let message = told[0]["message"].as_str().unwrap();
    assert!(message.contains("100.00") && message.contains("200.00"), "{message}");

    // The same after a crash, and when the deal is taken back.
    server.kill();
    let server = office.open("2026-02-04");
    assert_eq!(rows_of_ann(&server, "2026-01"), paid);
    assert_eq!(rows_of_ann(&server, "2026-02"), corrected);
    deal(&server, "m3", "D2", "2026-01-20", "0");
    assert_eq!(rows_of_ann(&server, "2026-01"), paid);
    assert_eq!(rows_of_ann(&server, "2026-02"), Vec::<[String; 3]>::new());
    assert_eq!(alerts(&server, "code=confirmed_differs"), Vec::<Json>::new());
}

/// A confirmed January of 100 showed 500 once the rate was 50 %, while its statement said 100 and
/// nothing was posted.
#[test]
fn a_confirmed_period_keeps_its_rate_unless_the_change_reaches_it() {
    let office = office("tiers = [{ rate = \"0.10\" }]");
    let server = finalized_january(&office);
    let paid = [["100.00", "calculated", ""].map(str::to_owned)];
    let change = |percent: &str, effective: &str| {
        let text = plan(&format!("tiers = [{{ rate = \"{percent}\" }}]"));
        json!({"files": {"plans/reps.toml": text}, "effective": effective})
    };

    done(&post(&server, "/v1/changes", &change("0.50", "recredit")));
    assert_eq!(rows_of_ann(&server, "2026-01"), paid);
    assert_eq!(rows_of_ann(&server, "2026-02"), Vec::<[String; 3]>::new());

    // From the first of January, 60 % of 1,000 are 500 more, for each of three who are credited.
    let reaching = change("0.60", "from:2026-01-01");
    let shown = done(&post(&server, "/v1/preview", &reaching));
    assert_eq!(shown["money"]["rewards"]["total"][0]["difference"], "1500.00", "{shown}");
    let changed = done(&post(&server, "/v1/changes", &reaching));
    assert_eq!(changed["money"], shown["money"]);
    assert_eq!(rows_of_ann(&server, "2026-01"), paid);
    let corrected = [["500.00", "retro", "2026-01"].map(str::to_owned)];
    assert_eq!(rows_of_ann(&server, "2026-02"), corrected);
}

/// What payees owe was nowhere to be seen.
#[test]
fn balances_are_listed_by_period() {
    let draw = "[[draw]]\nname = \"Draw\"\namount = \"300\"\nrecoverable = true\n\
                targets = [\"participant:ann\"]\n";
    let office = office(&format!("tiers = [{{ rate = \"10%\" }}]\n\n{draw}"));
    let server = office.open("2026-02-03");
    deal(&server, "m1", "D1", "2026-01-15", "1000");
    deal(&server, "m2", "D2", "2026-02-02", "3500");

    let listed = done(&server.get("/v1/balances?plan=reps&payee=ann"));
    let rows = listed["data"].as_array().unwrap().iter();
    let rows: Vec<Json> = rows
        .map(|row| json!([row["period"], row["opening"], row["change"], row["balance"]]))
        .collect();
    // 100 earned of 300: 200 are owed. 350 earned in February: 50 of it are recovered.
    let expected = [
        json!(["2026-01", "0.00", "200.00", "200.00"]),
        json!(["2026-02", "200.00", "-50.00", "150.00"]),
    ];
    assert_eq!(rows, expected, "{listed}");
}
