//! Results as a state of the server: what payees see and when, adjustments, enquiries; periods beside.
//!
//! Expectations are derived by hand from DOMAIN 2.10 to 2.16, 3.8 and 3.9; Ann is a rep, Max her
//! manager and Dee his, and each gets the whole of what rolls up.

mod by_hand;
mod closed;
mod frozen;
mod keyed;
mod money_first;
mod periods;
mod reruns;
mod rewards;
mod runs;

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::company;
use crate::server::{Reply, Server, TOKEN, comparable, run};

const JSON: &str = "application/json";

/// A server that can be killed and started on another business date.
struct Office {
    dir: tempfile::TempDir,
    workspace: PathBuf,
}

impl Office {
    fn new() -> Office {
        Office::with(|_| ())
    }

    fn with(change: impl FnOnce(&Path)) -> Office {
        let dir = tempfile::tempdir().unwrap();
        let workspace = company::write(dir.path());
        let settings = format!("reason_codes = [\"Split Correction\"]\n{}", company::FILES[0].1);
        company::put(&workspace, "accredit.toml", &settings);
        change(&workspace);
        Office { dir, workspace }
    }

    fn open(&self, date: &str) -> Server {
        let data = self.dir.path().join("office.redb");
        let env = [("ACCREDIT_BUSINESS_DATE", date)];
        let server = Server::start_with(&data, &self.workspace, &[], &env);
        server.wait("the daily run", || {
            server.get("/v1/calculations").json()["progress"]["last_run"] == date
        });
        server
    }
}

fn deal(server: &Server, message: &str, id: &str, date: &str, amount: &str) {
    let deal = json!({"id": id, "date": date, "amount": amount, "owner": "Ann"});
    assert_eq!(server.hook(message, &deal.to_string()).unwrap().status, 202);
    server.settle();
}

fn post(server: &Server, path: &str, body: &Json) -> Reply {
    server.post(path, JSON, &body.to_string())
}

/// The answer, which must be fine.
fn done(reply: &Reply) -> Json {
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

/// The refusal, which must be of this kind.
fn refused(reply: &Reply, status: u16, code: &str) -> Json {
    assert_eq!(reply.status, status, "{}", reply.body);
    let problem = reply.json();
    assert_eq!(problem["type"], format!("/problems/{code}"));
    problem
}

fn statements(server: &Server, payee: &str) -> Json {
    done(&server.get(&format!("/v1/payees/{payee}/statements")))["data"].clone()
}

/// Amounts of credits that have this value of `key`, in order.
fn amounts(rows: &Json) -> Vec<String> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["amount"].as_str().unwrap().to_owned()).collect()
}

/// DOMAIN 3.8, line by line.
#[test]
fn credits_are_pending_until_rewards_are_confirmed() {
    let office = Office::with(|workspace| {
        let reward = "\n[[reward]]\nname = \"Commission\"\ntiers = [{ rate = \"0.10\" }]\n";
        let plan = format!("{}{reward}", company::FILES[2].1);
        company::put(workspace, "plans/reps.toml", &plan);
    });
    let path = "/v1/calculations/reps/2026-11/release";
    let server = office.open("2026-11-29");
    deal(&server, "m1", "D1", "2026-11-15", "100");
    // Nothing is seen of an unreleased calculation (INV-V1); a stranger is answered alike.
    assert_eq!(statements(&server, "ann"), json!([]));
    assert_eq!(statements(&server, "nobody"), json!([]));
    let why = server.get("/v1/payees/ann/why-not?transaction=D1").json();
    assert_eq!(why["plans"][0]["findings"][0]["code"], "not_released", "{why}");
    assert!(!why.to_string().contains("100"), "{why}");

    // Calculation Nov 1-30, run Nov 29; release credits: payees see PENDING.
    let released = done(&post(&server, path, &json!({"what": "credits"})));
    assert_eq!((&released["status"], &released["automatic"]), (&json!("pending"), &json!(true)));
    let seen = statements(&server, "ann");
    assert_eq!(seen[0]["status"], "pending");
    assert_eq!(amounts(&seen[0]["credits"]), ["100.00"]);
    assert_eq!(seen[0]["totals"][0]["amount"], "100.00");
    assert_eq!(amounts(&seen[0]["rewards"]), ["10.00"], "a tenth of 100");
    assert_eq!(seen[0]["credits"][0].get("share"), None);
    let explain = seen[0]["credits"][0]["explain"].as_str().unwrap();
    assert_eq!(done(&server.get(explain))["plans"][0]["credited"], true);
    assert_eq!(statements(&server, "bob"), json!([]));

    // A later recalculation is invisible until the next release.
    deal(&server, "m2", "D1", "2026-11-15", "120");
    assert_eq!(amounts(&statements(&server, "ann")[0]["credits"]), ["100.00"]);
    let before = done(&server.get("/v1/calculations?plan=reps&period=2026-11"));
    assert_eq!(before["data"][0]["revision"], 2, "{before}");
    done(&post(&server, path, &json!({"what": "credits"})));
    assert_eq!(amounts(&statements(&server, "ann")[0]["credits"]), ["120.00"]);

    // Release rewards is refused: the last run is before the period's end.
    let rewards = json!({"what": "rewards"});
    let problem = refused(&post(&server, path, &rewards), 409, "before_period_end");
    assert!(problem["detail"].as_str().unwrap().contains("2026-11-29"), "{problem}");
    let forced = json!({"what": "rewards", "force": true});
    refused(&post(&server, path, &forced), 422, "reason_needed");
    server.kill();

    // Run Dec 1, release rewards: CONFIRMED, and once.
    let server = office.open("2026-12-01");
    let full = json!({"mode": "full"});
    let ran = done(&post(&server, "/v1/calculations/reps/2026-11/run", &full));
    assert_eq!((&ran["transactions"], &ran["differing"]), (&json!(1), &json!(0)), "{ran}");
    let progress = done(&server.get("/v1/calculations"))["progress"].clone();
    assert_eq!((&progress["done"], &progress["running"]), (&json!(true), &Json::Null));
    let confirmed = done(&post(&server, path, &rewards));
    assert_eq!(confirmed["status"], "confirmed");
    assert_eq!(confirmed["automatic"], false);
    assert_eq!(done(&post(&server, path, &rewards)), confirmed, "the second answer is another");
    assert_eq!(statements(&server, "ann")[0]["status"], "confirmed");
    // Nothing more is published: what changes now goes by reversal and repost.
    refused(&post(&server, path, &json!({"what": "credits"})), 409, "already_confirmed");
    deal(&server, "m3", "D1", "2026-11-15", "150");
    assert_eq!(amounts(&statements(&server, "ann")[0]["credits"]), ["120.00"]);

    // Delete: nothing visible; twice is once.
    let path = "/v1/calculations/reps/2026-11";
    refused(&server.delete(path), 409, "calculation_certain");
    let delete = server.delete(&format!("{path}?force=true&reason=wrong%20quotas"));
    assert_eq!(done(&delete)["deleted"], true);
    assert_eq!(statements(&server, "ann"), json!([]));
    assert_eq!(done(&server.delete("/v1/calculations/reps/2026-11"))["deleted"], false);
    assert_eq!(server.credits("").len(), 3, "a credit was deleted");
}

#[test]
fn adjustments_survive_a_power_cut_and_a_reset_leaves_nothing() {
    let office = Office::new();
    let server = office.open("2026-03-20");
    deal(&server, "m1", "D1", "2026-03-15", "100");
    let plain = comparable(&server.credits(""));
    let ann = server.credits("payee=ann")[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/credits/{ann}/adjustments");
    let to = |code: &str| {
        let amount = "60.00";
        json!({"action": "adjust_to", "amount": amount, "reason_code": code, "comment": "shared"})
    };
    refused(&post(&server, &path, &to("Whim")), 422, "unknown_reason_code");
    let number = json!({"action": "adjust_to", "amount": "6o", "reason_code": "Split Correction"});
    refused(&post(&server, &path, &number), 422, "bad_amount");
    let adjusted = done(&post(&server, &path, &to("Split Correction")));
    assert_eq!(adjusted["credit"]["amount"], "60.00", "{adjusted}");
    assert_eq!(adjusted["credit"]["origin"], "manual");
    assert_eq!(adjusted["credit"]["reason_code"], "Split Correction");
    assert_eq!(done(&post(&server, &path, &to("Split Correction"))), adjusted);
    server.kill();

    let server = office.open("2026-03-20");
    let all = |server: &Server| {
        let mut all = amounts(&json!(server.credits("")));
        all.sort();
        all
    };
    assert_eq!(all(&server), ["60.00", "60.00", "60.00"], "managers see what was adjusted");
    // A re-run keeps it, and so does a new version of the deal.
    deal(&server, "m2", "D1", "2026-03-15", "200");
    assert_eq!(server.credits("payee=ann")[0]["amount"], "60.00");
    let of_deal = "/v1/transactions/D1/adjustments";
    let by = json!({"action": "adjust_by", "amount": "-50", "reason_code": "Split Correction"});
    done(&post(&server, of_deal, &by));
    assert_eq!(done(&server.get("/v1/transactions/D1"))["preadjusted"], "200");
    let reset = json!({"action": "reset"});
    done(&post(&server, &path, &reset));
    assert_eq!(all(&server), ["150.00", "150.00", "150.00"]);
    let listed = done(&server.get(of_deal));
    let listed = listed["data"].as_array().unwrap();
    let counts: Vec<bool> = listed.iter().map(|one| one["counts"].as_bool().unwrap()).collect();
    assert_eq!(counts, [false, true, false], "{listed:?}");
    done(&post(&server, of_deal, &reset));
    deal(&server, "m3", "D1", "2026-03-15", "100");
    assert_eq!(comparable(&server.credits("")), plain, "a reset left something");
    assert_eq!(done(&server.get("/v1/verify"))["differing"], 0);

    // An adjustment whose credit is gone is listed so, with an alert.
    done(&post(&server, &path, &to("Split Correction")));
    let moved = json!({"id": "D1", "date": "2026-03-15", "amount": "100", "owner": "Bob"});
    assert_eq!(server.hook("m4", &moved.to_string()).unwrap().status, 202);
    server.settle();
    let listed = done(&server.get(of_deal));
    let last = listed["data"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["counts"], &last["applied"]), (&json!(true), &json!(false)), "{last}");
    let alerts = done(&server.get("/v1/alerts?plan=reps&period=2026-03"));
    assert_eq!(alerts["data"][0]["code"], "adjustment_not_applied", "{alerts}");
    assert_eq!(done(&server.get("/v1/alerts?code=vacant"))["data"], json!([]));
}

/// The object of a calculation is that of `accredit calculate`, and a full run changes nothing.
#[test]
fn a_calculation_is_what_a_directory_would_give() {
    let office = Office::with(|workspace| {
        let deals = company::deals(60).join("\n");
        let odd = r#"{"id":"X1","date":"2026-03-15","amount":"much","owner":"Ann"}"#;
        let nobody = r#"{"id":"X2","date":"2026-03-15","amount":"10","owner":"Zoe"}"#;
        company::put(workspace, "transactions/d.ndjson", &format!("{deals}\n{odd}\n{nobody}\n"));
    });
    let rows = std::fs::read_to_string(office.workspace.join("transactions/d.ndjson")).unwrap();
    let server = office.open("2026-12-31");
    let sent = server.post("/v1/transactions", "application/x-ndjson", &rows);
    assert_eq!(sent.status, 202, "{}", sent.body);
    server.settle();
    let dir = office.workspace.to_str().unwrap();
    let bare = |mut all: Json| {
        for key in ["ruleset", "revision"] {
            all.as_object_mut().unwrap().remove(key);
        }
        for credit in all["credits"].as_array_mut().unwrap() {
            credit.as_object_mut().unwrap().remove("ruleset");
        }
        all
    };
    for (period, months) in [("2026-03", 1), ("2026-Q1", 3), ("2026", 12)] {
        let options = ["--plan", "reps", "--period", period, "--as-of", "2026-12-31"];
        let (code, out, error) = run(&[&["calculate", dir][..], &options].concat());
        assert_eq!(code, 0, "{error}");
        let held = done(&server.get(&format!("/v1/calculations/reps/{period}")));
        // A longer period is a list: one calculation a month.
        let (held, given) = match serde_json::from_str(&out).unwrap() {
            Json::Array(given) => (held["data"].as_array().unwrap().clone(), given),
            given => (vec![held], vec![given]),
        };
        assert_eq!(held.len(), months);
        assert!(held.iter().any(|one| one["revision"].as_u64().unwrap() > 0));
        let bare = |all: Vec<Json>| all.into_iter().map(bare).collect::<Vec<Json>>();
        assert_eq!(bare(held), bare(given), "{period}");
    }
    let ran = |mode: &Json| done(&post(&server, "/v1/calculations/reps/2026-03/run", mode));
    let full = ran(&json!({"mode": "full"}));
    assert_eq!((&full["transactions"], &full["differing"]), (&json!(7), &json!(0)), "{full}");
    let selected = ran(&json!({"mode": "selected", "transactions": ["D2", "D3"]}));
    assert_eq!(selected["transactions"], 1, "{selected}");
    assert_eq!(ran(&json!({"mode": "incremental"}))["transactions"], 1);
    let list = done(&server.get("/v1/calculations?plan=reps"));
    let sum: u64 =
        list["data"].as_array().unwrap().iter().map(|c| c["transactions"].as_u64().unwrap()).sum();
    assert_eq!((list["data"].as_array().unwrap().len(), sum), (12, 62), "{list}");
    let codes = done(&server.get("/v1/alerts"));
    let codes: Vec<&str> =
        codes["data"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
    // A plan alerts of what it lists, and `bad_value` is in no list: X1 is parked all the same.
    assert_eq!(codes, ["unmatched"]);
    assert_eq!(server.get("/v1/calculations/reps/2026-99").status, 404);
    assert_eq!(server.get("/v1/calculations/none/2026-03").status, 404);
    let other = post(&server, "/v1/calculations/reps/2026-Q1/release", &json!({"what": "credits"}));
    refused(&other, 422, "other_period");
}

/// The date of a deal moves from a confirmed January to February: who is paid twice is told of.
#[test]
fn paying_twice_raises_an_alert() {
    let office = Office::new();
    let server = office.open("2026-03-01");
    deal(&server, "m1", "D1", "2026-01-15", "100");
    let release = |period: &str, reason: &str| {
        let to = ["--server", &server.url, "--token", TOKEN, "--reason", reason];
        run(&[&["release", "rewards", "reps", period][..], &to].concat())
    };
    assert_eq!(release("2026-01", "done").0, 0);
    deal(&server, "m2", "D1", "2026-02-15", "100");
    assert_eq!(done(&server.get("/v1/alerts?code=double_payment"))["data"], json!([]));
    let (code, out, error) = release("2026-02", "done");
    assert_eq!(code, 0, "{error}");
    let released: Json = serde_json::from_str(&out).unwrap();
    assert_eq!(released["status"], "confirmed");
    let alerts = done(&server.get("/v1/alerts?code=double_payment&plan=reps&period=2026-02"));
    let payees = alerts["data"].as_array().unwrap().iter().map(|one| one["payee"].clone());
    assert_eq!(payees.collect::<Vec<_>>(), ["ann", "dee", "max"], "{alerts}");
    let (code, _, error) = release("2026-03", "early");
    assert_eq!(code, 1);
    assert!(error.contains("2026-03-31"), "{error}");
}

#[test]
fn holds_are_released_by_filter() {
    let office = Office::with(|workspace| {
        let plan = company::FILES[2].1;
        let held = plan.replacen("rollable = true", "rollable = true\nhold = \"indefinite\"", 1);
        company::put(workspace, "plans/reps.toml", &held);
    });
    let server = office.open("2026-03-20");
    deal(&server, "m1", "D1", "2026-03-15", "100");
    deal(&server, "m2", "D2", "2026-02-15", "100");
    assert_eq!(server.credits("status=held").len(), 2);
    refused(&post(&server, "/v1/holds/release", &json!({})), 422, "filter_needed");
    let filter = json!({"plan": "reps", "period": "2026-03", "comment": "checked"});
    let released = done(&post(&server, "/v1/holds/release", &filter));
    assert_eq!(released["released"], 1, "{released}");
    assert_eq!(server.credits("status=active").len(), 3, "what was released did not roll");
    assert_eq!(done(&post(&server, "/v1/holds/release", &filter))["released"], 0);
    // A hold that goes on when its period is finalized waits in the open one (D11).
    done(&post(&server, "/v1/periods/2026-02/finalize", &json!({})));
    let held = server.credits("status=held");
    assert_eq!(held[0]["period"], "2026-03", "{held:?}");
}

#[test]
fn payees_ask_and_are_answered_once() {
    let office = Office::new();
    let server = office.open("2026-03-20");
    deal(&server, "m1", "D1", "2026-03-15", "100");
    let ask =
        |payee: &str, body: &Json| post(&server, &format!("/v1/payees/{payee}/enquiries"), body);
    let missing = json!({"kind": "missing", "transaction": "D1", "text": "Where is my deal?"});
    let kept = ask("bob", &missing);
    assert_eq!(kept.status, 201, "{}", kept.body);
    let why = server.get(kept.json()["explain"].as_str().unwrap()).json();
    let finding = &why["plans"][0]["findings"][0];
    assert_eq!(finding["code"], "not_named", "{why}");
    assert_eq!(finding["seen"]["owner"], "Ann");
    assert!(finding["seen"]["their names"].as_str().unwrap().contains("bob"), "{why}");
    assert!(!why.to_string().contains("100"), "somebody else's amount: {why}");

    // A credit that is not published, or somebody else's, is none.
    let release = json!({"what": "credits"});
    let id = server.credits("payee=ann")[0]["id"].as_str().unwrap().to_owned();
    let wrong = json!({"kind": "incorrect", "credit": id, "text": "Too little"});
    let absent = ask("ann", &wrong);
    done(&post(&server, "/v1/calculations/reps/2026-03/release", &release));
    let foreign = ask("bob", &wrong);
    assert_eq!((absent.status, foreign.status), (404, 404));
    let detail = |reply: &Reply| reply.json()["detail"].clone();
    assert_eq!(detail(&absent), detail(&foreign));
    assert_eq!(ask("ann", &wrong).status, 201);
    refused(&ask("ann", &json!({"kind": "odd", "text": "?"})), 422, "unknown_kind");

    let open = done(&server.get("/v1/enquiries?state=open"));
    assert_eq!(open["data"].as_array().unwrap().len(), 2, "{open}");
    assert_eq!(done(&server.get("/v1/alerts?code=enquiry"))["data"].as_array().unwrap().len(), 2);
    let answer = json!({"state": "resolved", "text": "It is Ann's."});
    let first = done(&post(&server, "/v1/enquiries/1/answer", &answer));
    assert_eq!(done(&post(&server, "/v1/enquiries/1/answer", &answer)), first);
    let other = json!({"state": "rejected", "text": "No."});
    refused(&post(&server, "/v1/enquiries/1/answer", &other), 409, "already_answered");
    refused(&post(&server, "/v1/enquiries/9/answer", &other), 404, "not_found");
    server.kill();
    let server = office.open("2026-03-20");
    let all = done(&server.get("/v1/enquiries?payee=bob"));
    assert_eq!(all["data"], json!([first]));
}

/// A plan that measures teams credits no person; its members see what their team was credited with,
/// beside their own totals and not in them (seed 000, DOMAIN 2.14).
#[test]
fn members_see_what_their_team_is_credited_with() {
    let office = Office::with(|workspace| {
        company::put(workspace, "organization/teams.csv", "id\nWest\n");
        let members = "team,participant,from,to\nWest,ann,,\nWest,bob,,2026-10-31\n";
        company::put(workspace, "organization/members.csv", members);
        let plan = "name = \"Teams\"\nmeasure = \"team\"\ntargets = [\"*\"]\n\
                    [[direct]]\nname = \"Sale\"\nassign = \"field:office\"\n\
                    [[direct.results]]\nname = \"Sale credit\"\n";
        company::put(workspace, "plans/teams.toml", plan);
    });
    let server = office.open("2026-11-29");
    let deal = json!({"id": "D1", "date": "2026-11-15", "amount": "100", "office": "west"});
    assert_eq!(server.hook("m1", &deal.to_string()).unwrap().status, 202);
    server.settle();
    let path = "/v1/calculations/teams/2026-11/release";
    done(&post(&server, path, &json!({"what": "credits"})));
    let seen = statements(&server, "ann");
    assert_eq!(seen[0]["team_credits"][0]["team"], "West", "{seen}");
    assert_eq!(amounts(&seen[0]["team_credits"]), ["100.00"]);
    assert_eq!((&seen[0]["credits"], &seen[0]["totals"]), (&json!([]), &json!([])));
    // Bob had left the team by the incentive date.
    assert_eq!(statements(&server, "bob"), json!([]));
}
