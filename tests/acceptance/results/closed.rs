//! Closed periods: what comes late is posted later until the period is reopened; and the fiscal year
//! that no release leaves (DOMAIN 2.11, 2.12, D12).

use std::path::Path;

use serde_json::{Value as Json, json};

use super::{Office, amounts, deal, done, post, refused};
use crate::company;
use crate::server::{Server, run};

/// A company whose large deals are held until they are released by hand.
fn cautious(more: &str) -> Office {
    let more = more.to_owned();
    Office::with(move |workspace| write_plan(workspace, &more))
}

fn write_plan(workspace: &Path, more: &str) {
    let hold = "hold = 'if tx.amount > 500 { hold_indefinitely(\"large\") } else { no_hold() }'";
    let plan = company::FILES[2].1.replace("rollable = true", &format!("rollable = true\n{hold}"));
    company::put(workspace, "plans/reps.toml", &format!("{more}{plan}"));
}

/// Ann's credits of a period, a line each.
fn lines(server: &Server, period: &str) -> Vec<String> {
    let rows = server.credits(&format!("period={period}&payee=ann"));
    let text = |row: &Json, key: &str| row[key].as_str().unwrap().to_owned();
    let line = |row: &Json| {
        let columns = ["transaction", "amount", "status", "origin"];
        columns.map(|key| text(row, key)).join(" ")
    };
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    lines.sort();
    lines
}

/// The transactions that an alert with this code is about, each once.
fn alerted(server: &Server, code: &str) -> Vec<String> {
    let page = done(&server.get(&format!("/v1/alerts?code={code}")));
    let rows = page["data"].as_array().unwrap().iter();
    let rows = rows.filter(|row| row["code"] == code);
    let mut ids: Vec<String> =
        rows.map(|row| row["transaction"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids.dedup();
    ids
}

fn release(server: &Server, transaction: &str) -> Json {
    let rows = server.credits(&format!("transaction={transaction}&payee=ann"));
    let id = rows[0]["id"].as_str().unwrap();
    done(&post(server, &format!("/v1/credits/{id}/release"), &json!({})))
}

/// `close` only noted a word: late deals, corrections and released holds changed the closed month
/// without an alert.
#[test]
fn a_closed_january_takes_nothing_until_it_is_reopened() {
    let office = cautious("");
    let server = office.open("2026-02-03");
    deal(&server, "m1", "D1", "2026-01-15", "100");
    deal(&server, "m2", "H1", "2026-01-20", "900");
    done(&post(&server, "/v1/periods/2026-01/close", &json!({})));
    let closed = ["D1 100.00 active calculated"];
    assert_eq!(lines(&server, "2026-01"), closed);
    assert_eq!(lines(&server, "2026-02"), ["H1 900.00 held late"], "a hold goes on");
    assert_eq!(alerted(&server, "closed_period"), Vec::<String>::new());

    let id = server.credits("transaction=D1&payee=ann")[0]["id"].as_str().unwrap().to_owned();
    let hold = post(&server, &format!("/v1/credits/{id}/hold"), &json!({}));
    refused(&hold, 409, "period_closed");

    deal(&server, "m3", "D1", "2026-01-15", "92");
    deal(&server, "m4", "D2", "2026-01-20", "7");
    release(&server, "H1");
    server.kill();

    let server = office.open("2026-02-04");
    assert_eq!(lines(&server, "2026-01"), closed);
    let moved = [
        "D1 -100.00 active retro",
        "D1 92.00 active retro",
        "D2 7.00 active late",
        "H1 900.00 active late",
    ];
    assert_eq!(lines(&server, "2026-02"), moved);
    assert_eq!(alerted(&server, "closed_period"), ["D1", "D2", "H1"]);
    assert_eq!(done(&server.get("/v1/verify"))["differing"], 0);

    done(&post(&server, "/v1/periods/2026-01/reopen", &json!({})));
    let home =
        ["D1 92.00 active calculated", "D2 7.00 active calculated", "H1 900.00 active calculated"];
    assert_eq!(lines(&server, "2026-01"), home);
    assert_eq!(lines(&server, "2026-02"), Vec::<String>::new());
    assert_eq!(alerted(&server, "closed_period"), Vec::<String>::new());
    assert_eq!(done(&server.get("/v1/verify"))["differing"], 0);

    // Closed again and then finalized: nothing moves, and nothing is left to reopen.
    done(&post(&server, "/v1/periods/2026-01/close", &json!({})));
    deal(&server, "m5", "D2", "2026-01-20", "8");
    assert_eq!(alerted(&server, "closed_period"), ["D2"]);
    done(&post(&server, "/v1/periods/2026-01/finalize", &json!({})));
    assert_eq!(lines(&server, "2026-01"), home);
    assert_eq!(lines(&server, "2026-02"), ["D2 -7.00 active retro", "D2 8.00 active retro"]);
    assert_eq!(alerted(&server, "closed_period"), Vec::<String>::new());
    assert_eq!(done(&server.get("/v1/verify"))["differing"], 0);
}

/// An activation that decided open periods again changed a closed one too.
#[test]
fn new_rules_are_posted_after_a_closed_month() {
    let office = Office::new();
    let server = office.open("2026-02-03");
    deal(&server, "m1", "D1", "2026-01-15", "100");
    done(&post(&server, "/v1/periods/2026-01/close", &json!({})));
    let january = server.credits("period=2026-01");

    let files = json!({"policies/rollup/share.rhai": company::rollup(50)});
    let change = json!({"files": files, "effective": "recredit"});
    let shown = done(&post(&server, "/v1/preview", &change));
    assert_eq!(shown["impact"]["total"][0]["difference"], "-100.00", "{shown}");
    done(&post(&server, "/v1/changes", &change));
    server.wait("the change", || server.get("/v1/status").json()["recredit"].is_null());

    assert_eq!(server.credits("period=2026-01"), january);
    let february = server.credits("period=2026-02&payee=max");
    assert_eq!(amounts(&json!(february)), ["-100.00", "50.00"]);
    assert_eq!(alerted(&server, "closed_period"), ["D1"]);
    assert_eq!(done(&server.get("/v1/verify"))["differing"], 0);
}

/// A hold of December that a person released in January, after December was finalized, was paid in
/// the new year, without an alert.
#[test]
fn no_release_leaves_its_fiscal_year() {
    let office = cautious("");
    let server = office.open("2026-01-10");
    deal(&server, "m1", "H1", "2025-12-20", "900");
    deal(&server, "m2", "H2", "2025-12-20", "800");
    assert_eq!(release(&server, "H1")["status"], "active", "December is open");
    done(&post(&server, "/v1/periods/2025-12/close", &json!({})));

    let held = release(&server, "H2");
    assert_eq!(
        (&held["status"], &held["reason"]),
        (&json!("held"), &json!("release_in_other_year"))
    );
    assert_eq!(lines(&server, "2025-12"), ["H1 900.00 active calculated"]);
    assert_eq!(lines(&server, "2026-01"), ["H2 800.00 held late"]);
    assert_eq!(alerted(&server, "release_in_other_year"), ["H2"]);
    assert_eq!(done(&server.get("/v1/verify"))["differing"], 0);

    // Home again it counts in its own year, and the alert goes with its cause.
    done(&post(&server, "/v1/periods/2025-12/reopen", &json!({})));
    let both = ["H1 900.00 active calculated", "H2 800.00 active calculated"];
    assert_eq!(lines(&server, "2025-12"), both);
    assert_eq!(alerted(&server, "release_in_other_year"), Vec::<String>::new());

    deal(&server, "m3", "H3", "2025-12-21", "700");
    done(&post(&server, "/v1/periods/2025-12/finalize", &json!({})));
    assert_eq!(release(&server, "H3")["status"], "held");
    assert_eq!(done(&server.get("/v1/verify"))["differing"], 0);
}

#[test]
fn a_plan_may_let_releases_leave_their_fiscal_year() {
    let office = cautious("hold_across_years = true\n");
    let server = office.open("2026-01-10");
    deal(&server, "m1", "H1", "2025-12-20", "900");
    done(&post(&server, "/v1/periods/2025-12/finalize", &json!({})));
    assert_eq!(release(&server, "H1")["status"], "active");
    assert_eq!(lines(&server, "2026-01"), ["H1 900.00 active late"]);
    assert_eq!(alerted(&server, "release_in_other_year"), Vec::<String>::new());
}

/// `closed` in accredit.toml counts from the day after, on a server as in a directory.
#[test]
fn the_calendar_closes_too() {
    let office = Office::with(|workspace| {
        let settings = company::FILES[0].1.replace("owner = [", "received = \"got\"\nowner = [");
        let calendar = "\n[calendar]\nclosed = { \"2026-01\" = 2026-02-10 }\n";
        company::put(workspace, "accredit.toml", &format!("{settings}{calendar}"));
    });
    let server = office.open("2026-02-11");
    deal(&server, "m1", "D1", "2026-01-15", "100");
    assert_eq!(lines(&server, "2026-02"), ["D1 100.00 active late"]);
    done(&post(&server, "/v1/periods/2026-01/reopen", &json!({})));
    assert_eq!(
        lines(&server, "2026-01"),
        ["D1 100.00 active calculated"],
        "a person has the last word"
    );

    let rows = "id,date,amount,owner,got\n\
                D1,2026-01-15,100,Ann,2026-02-10\nD2,2026-01-15,7,Ann,2026-02-11\n";
    company::put(&office.workspace, "transactions/d.csv", rows);
    let calculated = |period: &str| -> Json {
        let path = office.workspace.to_str().unwrap();
        let verb = ["calculate", path, "--plan", "reps", "--period", period];
        let (code, out, error) = run(&verb);
        assert_eq!(code, 0, "{error}");
        serde_json::from_str(&out).unwrap()
    };
    assert_eq!(calculated("2026-01")["credits"].as_array().unwrap().len(), 3);
    assert_eq!(calculated("2026-02")["credits"].as_array().unwrap().len(), 3);
    assert_eq!(calculated("2026-01")["alerts"][0]["code"], "closed_period");
}

/// A monthly plan that was asked for a quarter paid a fourth reward, and a quarterly plan one of a
/// month, which nobody is ever paid (REWARDS 11, RG13).
#[test]
fn a_plan_is_calculated_by_its_own_period() {
    let tiers = "[[reward]]\nname = \"Commission\"\n\
                 tiers = [{ up_to = \"1000\", rate = \"10%\" }, { rate = \"20%\" }]\n";
    let office = Office::with(|workspace| {
        let plan = company::FILES[2].1;
        company::put(workspace, "plans/reps.toml", &format!("{plan}\n{tiers}"));
        company::put(
            workspace,
            "plans/long.toml",
            &format!("period = \"quarter\"\n{plan}\n{tiers}"),
        );
        let rows = "id,date,amount,owner\nD1,2026-01-15,100,Ann\n\
                    D2,2026-02-15,100,Ann\nD3,2026-03-15,100,Ann\n";
        company::put(workspace, "transactions/d.csv", rows);
    });
    let ann = |all: &Json| -> Vec<String> {
        let rows = all["rewards"].as_array().unwrap().iter().filter(|row| row["payee"] == "ann");
        rows.map(|row| format!("{} {}", row["period"], row["amount"])).collect()
    };
    let months = ["2026-01", "2026-02", "2026-03"].map(|id| format!("\"{id}\" \"10.00\""));

    let path = office.workspace.to_str().unwrap();
    let calculate = |more: &[&str]| run(&[&["calculate", path][..], more].concat());
    let (code, out, _) = calculate(&["--plan", "reps", "--period", "2026-Q1"]);
    let all: Vec<Json> = serde_json::from_str(&out).unwrap();
    assert_eq!((code, all.iter().flat_map(ann).collect::<Vec<_>>()), (0, months.to_vec()));
    let (code, out, _) = calculate(&["--plan", "long", "--period", "2026-Q1"]);
    assert_eq!(
        (code, ann(&serde_json::from_str(&out).unwrap())),
        (0, vec!["\"2026-Q1\" \"30.00\"".to_owned()])
    );

    let (code, out, error) = calculate(&["--plan", "long", "--period", "2026-02"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(error.contains("other_period") && error.contains("`2026-Q1`"), "{error}");
    let (code, out, error) = calculate(&["--period", "2026-02"]);
    let all: Vec<Json> = serde_json::from_str(&out).unwrap();
    assert_eq!((code, all.len()), (0, 1), "the plan that has months");
    assert!(error.contains("plan `long` is calculated by quarter"), "{error}");

    let server = office.open("2026-04-02");
    let rows = std::fs::read_to_string(office.workspace.join("transactions/d.csv")).unwrap();
    assert_eq!(server.post("/v1/transactions", "text/csv", &rows).status, 202);
    server.settle();
    let shown = done(&server.get("/v1/calculations/reps/2026-Q1"));
    let shown = shown["data"].as_array().unwrap().iter().flat_map(ann).collect::<Vec<_>>();
    assert_eq!(shown, months);
    assert_eq!(ann(&done(&server.get("/v1/calculations/long/2026-Q1"))), ["\"2026-Q1\" \"30.00\""]);
    refused(&server.get("/v1/calculations/long/2026-02"), 422, "other_period");
    let released =
        post(&server, "/v1/calculations/long/2026-02/release", &json!({"what": "credits"}));
    refused(&released, 422, "other_period");
}
