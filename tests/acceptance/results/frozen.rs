//! A confirmed period shows the rows that it was confirmed with, on every route and for ever.

use serde_json::{Value as Json, json};

use super::{Office, deal, done, post};
use crate::company;
use crate::server::{Server, run};

/// The plan with tiers of 10 % to 1,000, then of `rate`.
fn plan(rate: &str) -> String {
    let tiers = format!("[{{ up_to = \"1000\", rate = \"10%\" }}, {{ rate = \"{rate}\" }}]");
    format!("{}\n[[reward]]\nname = \"Commission\"\ntiers = {tiers}\n", company::FILES[2].1)
}

/// The rows of October as each route shows them.
fn october(server: &Server) -> Vec<Json> {
    let calculation = done(&server.get("/v1/calculations/reps/2026-10"));
    let listed = done(&server.get("/v1/rewards?period=2026-10"))["data"].clone();
    let statements = done(&server.get("/v1/payees/ann/statements"))["data"].clone();
    let of_october = |one: &&Json| one["period"] == "2026-10";
    let statement = statements.as_array().unwrap().iter().find(of_october).unwrap();
    vec![calculation["rewards"].clone(), listed, statement["rewards"].clone()]
}

/// Frozen rows were kept in the statements alone: the calculation and the lists were computed again
/// from what had changed since.
#[test]
fn a_confirmed_period_is_shown_as_it_was_paid_on_every_route() {
    let office = Office::with(|folder| company::put(folder, "plans/reps.toml", &plan("20%")));
    let mut server = office.open("2026-11-29");
    deal(&server, "m1", "D1", "2026-10-15", "1000");
    deal(&server, "m2", "D2", "2026-10-16", "500");
    deal(&server, "m3", "D3", "2026-11-03", "100");

    let release = json!({"what": "rewards"});
    done(&post(&server, "/v1/calculations/reps/2026-10/release", &release));
    let paid = october(&server);
    assert_eq!(paid[0], paid[1]);
    assert_eq!(paid[2], json!([paid[0][0]]), "Ann has one row");
    assert_eq!(paid[0][0]["amount"], "200.00");

    let change = |server: &Server, effective: &str, rate: &str| {
        let files = json!({"plans/reps.toml": plan(rate)});
        let body = json!({"files": files, "effective": effective});
        done(&post(server, "/v1/changes", &body));
        server.settle();
    };
    type Act<'a> = (&'a str, &'a dyn Fn(&Server));
    let acts: [Act<'_>; 6] = [
        ("a late deal", &|server| deal(server, "m4", "D4", "2026-10-20", "700")),
        ("another amount", &|server| deal(server, "m5", "D1", "2026-10-15", "300")),
        ("another period", &|server| deal(server, "m6", "D2", "2026-11-16", "500")),
        ("rates decided again", &|server| change(server, "recredit", "30%")),
        ("rates from its first day", &|server| change(server, "from:2026-10-01", "40%")),
        ("finalized", &|server| {
            done(&post(server, "/v1/periods/2026-10/finalize", &json!({})));
        }),
    ];
    for (what, act) in acts {
        act(&server);
        assert_eq!(october(&server), paid, "{what}");
    }

    // The command line shows the file as the server does, and writes nothing to it.
    server.kill();
    let data = office.dir.path().join("office.redb");
    let data = data.to_str().unwrap();
    let verb = ["calculate", "--data", data, "--plan", "reps", "--period", "2026-10"];
    let (code, out, talk) = run(&verb);
    assert_eq!(code, 0, "{talk}");
    let shown: Json = serde_json::from_str(&out).unwrap();
    assert_eq!(shown["rewards"], paid[0], "of the data file");
    assert_eq!(shown["corrections"].as_array().unwrap().len(), 3, "{shown}");

    server = office.open("2026-11-30");
    assert_eq!(october(&server), paid, "after a restart");

    // Rewards that were paid follow from the credits that were frozen with them.
    let verified = done(&server.get("/v1/verify"));
    assert_eq!(
        (&verified["differing"], &verified["rewards"]),
        (&json!(0), &json!(3)),
        "{verified}"
    );

    for (period, rewards) in [("2026-Q4", 3), ("2026-Q3", 0)] {
        let verified = done(&server.get(&format!("/v1/verify?period={period}")));
        assert_eq!(verified["rewards"], rewards, "{period}");
    }

    // 300 and 700 are worth 100.00: November takes 100.00 back, and says of what.
    let november = done(&server.get("/v1/calculations/reps/2026-11"))["rewards"].clone();
    let november = november.as_array().unwrap();
    let retro = november.iter().find(|row| row["origin"] == "retro" && row["payee"] == "ann");
    let retro = retro.unwrap();
    assert_eq!((&retro["amount"], &retro["corrects"]), (&json!("-100.00"), &json!("2026-10")));
}
