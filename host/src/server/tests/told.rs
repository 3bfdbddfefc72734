//! Nobody's pay changes silently: every edit that moves money is told with its sums, by the watched
//! directory in an alert and the audit trail, by the API in its answer.
//!
//! Sums are derived by hand. Ann sold 100 and 60, Bob 300, and Mia, who manages both, gets half of each
//! as credits; everybody is paid a tenth of theirs. Team West has 460, and divides a tenth of it by
//! weight, 1 to 3. A deal of 40 names `robert`, whom nobody knows.

use std::time::{Duration, Instant};

use accredit_domain::limits::Limits;
use serde_json::{Value, json};

use super::{Host, SETTINGS};

const SELLERS: &str = r#"
name = "Sellers"
targets = ["*"]

[[direct]]
name = "Booking"
  [[direct.results]]
  name = "Booking credit"
  credit_type = "booking"
  rollable = true

[[indirect]]
name = "Lead"
relationship = "Reporting"
  [[indirect.results]]
  name = "Lead credit"
  value = "policy:share"

[[reward]]
name = "Commission"
tiers = [{ up_to = "100%", rate = "10%" }, { rate = "20%" }]
"#;

const TEAMS_PLAN: &str = r#"
name = "Teams"
measure = "team"

[[direct]]
name = "Team booking"
assign = "team"
  [[direct.results]]
  name = "Team credit"
  credit_type = "booking"

[[reward]]
name = "Team bonus"
to = "members"
tiers = "table:bonus"
"#;

const SHARE: &str = "fn roll(tx, credit, to, existing) {
    let factor = lookup(\"factors\", to.title) * (to[\"factor\"] ?? 1);
    credit.amount * 50 / 100 * factor
}
";
const TABLES: &str = r#"
[tables.factors]
keys = ["title"]
values = { factor = "number" }

[tables.bonus]
keys = ["team"]
values = { up_to = "number", rate = "number" }

[attributes]
factor = "number"
"#;
const FACTORS: &str = "title,factor\nLead,1\n";
const BONUS: &str = "team,up_to,rate\nwest,,10%\n";
const ATTRIBUTES: &str = "kind,id,name,value\nposition,m2,factor,1\n";
const PARTICIPANTS: &str = "id,name,from,to\nann,Ann,,\nbob,Bob,,\nmia,Mia,,\nmax,Max,,\n";
const POSITIONS: &str =
    "id,title,manager,from,to\na1,Rep,m1,,\na2,Rep,m2,,\nb1,Rep,m1,,\nm1,Lead,,,\nm2,Lead,,,\n";
const ASSIGNMENTS: &str = "position,participant,from,to\na1,ann,,\nb1,bob,,\nm1,mia,,\nm2,max,,\n";
const TEAMS: &str = "id,name,parent,manager,from,to\nwest,West,,,,\n";
const MEMBERS: &str = "team,participant,weight,from,to\nwest,ann,1,,\nwest,bob,3,,\n";
const QUOTAS: &str =
    "plan,target,period,amount\nsellers,ann,2026-01,1000\nsellers,*,2026-01,1000\n";
const ALIASES: &str = "kind,id,alias\n";

const PLAN: &str = "plans/sellers.toml";
const POLICY: &str = "policies/rollup/share.rhai";

fn files() -> Vec<(&'static str, String)> {
    let settings = SETTINGS.replace("owner = \"owner\"", "owner = \"owner\"\nteam = \"team\"");
    let files = [
        (PLAN, SELLERS),
        ("plans/teams.toml", TEAMS_PLAN),
        (POLICY, SHARE),
        ("organization/participants.csv", PARTICIPANTS),
        ("organization/positions.csv", POSITIONS),
        ("organization/assignments.csv", ASSIGNMENTS),
        ("organization/teams.csv", TEAMS),
        ("organization/members.csv", MEMBERS),
        ("organization/quotas.csv", QUOTAS),
        ("organization/aliases.csv", ALIASES),
        ("organization/attributes.csv", ATTRIBUTES),
        ("tables/factors.csv", FACTORS),
        ("tables/bonus.csv", BONUS),
    ];
    let mut files: Vec<_> = files.map(|(path, text)| (path, text.to_owned())).into();
    files.push(("accredit.toml", format!("credit_types = [\"booking\"]\n{settings}{TABLES}")));
    files
}

/// One edit of a file, and the amounts before and after by payee, of credits and of rewards.
struct Edit {
    name: &'static str,
    path: &'static str,
    from: &'static str,
    to: &'static str,
    credits: &'static [(&'static str, &'static str, &'static str)],
    rewards: &'static [(&'static str, &'static str, &'static str)],
}

const EDITS: &[Edit] = &[
    Edit {
        name: "weight",
        path: "organization/members.csv",
        from: "west,ann,1",
        to: "west,ann,3",
        credits: &[],
        rewards: &[("ann", "11.50", "23.00"), ("bob", "34.50", "23.00")],
    },
    Edit {
        name: "manager cell",
        path: "organization/positions.csv",
        from: "a1,Rep,m1",
        to: "a1,Rep,m2",
        credits: &[("max", "0", "80.00"), ("mia", "80.00", "0")],
        rewards: &[],
    },
    Edit {
        name: "participant moved",
        path: "organization/assignments.csv",
        from: "a1,ann",
        to: "a2,ann",
        credits: &[("max", "0", "80.00"), ("mia", "80.00", "0")],
        rewards: &[],
    },
    Edit {
        name: "quota",
        path: "organization/quotas.csv",
        from: "ann,2026-01,1000",
        to: "ann,2026-01,100",
        credits: &[],
        rewards: &[("ann", "16.00", "22.00")],
    },
    Edit {
        name: "rate",
        path: PLAN,
        from: "rate = \"10%\"",
        to: "rate = \"12%\"",
        credits: &[],
        rewards: &[("ann", "16.00", "19.20"), ("bob", "30.00", "36.00"), ("mia", "23.00", "27.60")],
    },
    Edit {
        name: "policy text",
        path: POLICY,
        from: "50 / 100",
        to: "25 / 100",
        credits: &[("mia", "230.00", "115.00")],
        rewards: &[],
    },
    Edit {
        name: "table",
        path: "tables/factors.csv",
        from: "Lead,1",
        to: "Lead,0.5",
        credits: &[("mia", "230.00", "115.00")],
        rewards: &[],
    },
    Edit {
        name: "tier of a table",
        path: "tables/bonus.csv",
        from: "west,,10%",
        to: "west,,20%",
        credits: &[],
        rewards: &[("ann", "11.50", "23.00"), ("bob", "34.50", "69.00")],
    },
    Edit {
        name: "attribute",
        path: "organization/attributes.csv",
        from: "position,m2,factor,1\n",
        to: "position,m2,factor,1\nposition,m1,factor,2\n",
        credits: &[("mia", "230.00", "460.00")],
        rewards: &[],
    },
    Edit {
        name: "alias",
        path: "organization/aliases.csv",
        from: "kind,id,alias\n",
        to: "kind,id,alias\nparticipant,bob,robert\n",
        credits: &[("bob", "0", "40.00"), ("mia", "0", "20.00")],
        // What matched no one is decided at once, so that it is paid for too.
        rewards: &[("bob", "30.00", "34.00"), ("mia", "23.00", "25.00")],
    },
    Edit {
        name: "date cell",
        path: "organization/assignments.csv",
        from: "b1,bob,,\n",
        to: "b1,bob,,2026-01-05\n",
        credits: &[("bob", "300.00", "0"), ("mia", "150.00", "0")],
        rewards: &[],
    },
];

impl Edit {
    fn texts(&self) -> (String, String) {
        let all = files();
        let (_, before) = all.iter().find(|(path, _)| *path == self.path).unwrap();
        let after = before.replace(self.from, self.to);
        assert_ne!(*before, after, "{}", self.name);
        (before.clone(), after)
    }

    /// That `money` says these sums, or those of the way back.
    fn assert_told(&self, money: &Value, back: bool) {
        for (kind, expected) in [("credits", self.credits), ("rewards", self.rewards)] {
            let line = |line: &Value| {
                let text = |key: &str| line[key].as_str().unwrap().to_owned();
                (text("name"), text("before"), text("after"))
            };
            let told = money[kind]["biggest"].as_array().unwrap().iter().map(line);
            let mut told: Vec<_> = told.collect();
            told.sort();
            // A credit that an alias has brought stays when the alias goes, and so does its reward.
            let stays = back && kind == "rewards" && self.name == "alias";
            let expected = expected.iter().filter(|_| !stays).map(|(payee, before, after)| {
                let (before, after) = if back { (after, before) } else { (before, after) };
                ((*payee).to_owned(), (*before).to_owned(), (*after).to_owned())
            });
            assert_eq!(told, expected.collect::<Vec<_>>(), "{}: {kind}: {money}", self.name);
            assert_eq!(money[kind]["payees"], told.len(), "{}", self.name);
        }
    }
}

/// A server with these files and deals; `most` may move for a payee in the watched directory.
fn office(watch: bool, most: u32) -> Host {
    let limits = Limits { max_payee: Some(most.into()), ..Limits::default() };
    let host = Host::begin(watch, Box::new(move |config| config.watch_limits = limits));
    for (path, text) in files() {
        save(&host, path, &text);
    }

    let changes: serde_json::Map<_, _> =
        files().into_iter().map(|(path, text)| (path.to_owned(), json!(text))).collect();
    let ready = host.api("POST", "/v1/changes", &[], &json!({ "files": changes }).to_string());
    assert!(ready.status == 200 || watch, "{}", ready.text);
    wait("the files are in force", || {
        let listed = host.get("/v1/definitions");
        listed["data"].as_array().unwrap().iter().any(|row| row["path"] == PLAN)
            && host.api("GET", "/v1/policies/rollup/share", &[], "").status == 200
            && host.api("GET", "/v1/definitions/organization/aliases.csv", &[], "").status == 200
    });

    let deals =
        [("ann", 100, "West"), ("bob", 300, "West"), ("ann", 60, "West"), ("robert", 40, "")];
    for (number, (owner, amount, team)) in deals.iter().enumerate() {
        let row = json!({
            "id": format!("D-{number}"), "closed": "2026-01-10", "amount": amount,
            "owner": owner, "team": team,
        });
        assert_eq!(host.deliver(&format!("msg_{number}"), &row.to_string()).status, 202);
    }
    host.drained();
    host
}

fn save(host: &Host, path: &str, text: &str) {
    let path = host.directory().join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn wait(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Saves a file in the watched directory and waits until it is in force.
fn bring_in(host: &Host, path: &str, text: &str) {
    let before = host.get("/v1/status")["ruleset"].clone();
    save(host, path, text);
    wait(path, || host.get("/v1/status")["ruleset"] != before);
}

fn alerts(host: &Host, code: &str) -> Vec<Value> {
    host.get(&format!("/v1/alerts?code={code}&limit=1000"))["data"].as_array().unwrap().clone()
}

/// What the audit trail says that the last activation moved.
fn audited(host: &Host) -> Value {
    let rows = host.get("/v1/audit?limit=1000");
    let rows = rows["data"].as_array().unwrap().clone();
    let activated = rows.iter().filter(|row| row["what"] == "activated");
    let newest = activated.max_by_key(|row| row["sequence"].as_u64());
    newest.unwrap()["detail"]["money"].clone()
}

/// Only rows of people that went were refused; an edited weight, manager, quota or rate in a watched
/// directory changed what people are paid, and nobody was told.
#[test]
fn every_edit_in_a_watched_directory_that_moves_money_is_told() {
    let host = office(true, 1000);
    let mut known = alerts(&host, "definitions_changed").len();

    for edit in EDITS {
        let (before, after) = edit.texts();
        for (text, back) in [(&after, false), (&before, true)] {
            bring_in(&host, edit.path, text);
            let told = alerts(&host, "definitions_changed");
            known += 1;
            assert_eq!(told.len(), known, "{}: {told:?}", edit.name);
            let last = told.last().unwrap();
            edit.assert_told(&last["money"], back);
            assert_eq!(audited(&host), last["money"], "{}", edit.name);
        }
    }

    // What moves no money is silent, also when an earlier change left credits as they were.
    let quarter = SHARE.replace("50 /", "25 /");
    bring_in(&host, POLICY, &quarter);
    known += 1;
    for (path, text) in [
        (POLICY, format!("{quarter}\n// A remark.\n")),
        (PLAN, SELLERS.replace("name = \"Lead\"", "name  =  \"Lead\"")),
        ("organization/members.csv", MEMBERS.replace(",bob,3", ", bob , 3")),
    ] {
        bring_in(&host, path, &text);
        let told = alerts(&host, "definitions_changed");
        assert_eq!(told.len(), known, "{path}: {:?}", told.last());
        assert_eq!(audited(&host), Value::Null);
    }
    assert!(alerts(&host, "definitions_refused").is_empty());
}

#[test]
fn a_watched_directory_may_move_so_much_and_no_more() {
    let host = office(true, 100);
    let before = host.get("/v1/status")["ruleset"].clone();
    save(&host, POLICY, &SHARE.replace("50 /", "25 /"));
    wait("the refusal is an alert", || !alerts(&host, "definitions_refused").is_empty());

    let alert = alerts(&host, "definitions_refused").remove(0);
    let message = alert["message"].as_str().unwrap();
    let directory = host.directory().display().to_string();
    for part in ["115.00 USD move for `mia`, more than 100", &format!("accredit apply {directory}")]
    {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(host.get("/v1/status")["ruleset"], before, "the former ruleset stays");

    // On purpose it comes into force, and the answer carries the money.
    let files = json!({ "files": { POLICY: SHARE.replace("50 /", "25 /") } });
    let done = host.api("POST", "/v1/changes", &[], &files.to_string());
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(done.json()["money"]["credits"]["total"][0]["difference"], "-115.00");
}

#[test]
fn every_answer_to_a_change_carries_the_money() {
    let host = office(false, 0);
    let any = [("if-match", "*")];

    for edit in EDITS {
        let (before, after) = edit.texts();

        // As `apply` sends it, and its preview.
        let body = json!({ "files": { edit.path: after } }).to_string();
        let shown = host.api("POST", "/v1/preview", &[], &body).json();
        edit.assert_told(&shown["money"], false);
        let done = host.api("POST", "/v1/changes", &[], &body);
        assert_eq!(done.status, 200, "{}: {}", edit.name, done.text);
        edit.assert_told(&done.json()["money"], false);
        let newest = host.get("/v1/activations")["data"][0]["money"].clone();
        assert_eq!(newest, done.json()["money"], "{}", edit.name);
        // What the alias brings is decided behind the answer, and only what it brought can stay.
        host.after_redrive();

        let done = host.api("PUT", &format!("/v1/definitions/{}", edit.path), &any, &before);
        assert_eq!(done.status, 200, "{}: {}", edit.name, done.text);
        edit.assert_told(&done.json()["money"], true);
        assert_eq!(audited(&host), done.json()["money"]);
    }

    // A limit stops rewards as well as credits.
    let rate = EDITS.iter().find(|edit| edit.name == "rate").unwrap();
    let body = json!({ "files": { PLAN: rate.texts().1 }, "max_payee": "5.99" }).to_string();
    let problem = host.api("POST", "/v1/changes", &[], &body).problem(409, "stop_loss");
    let detail = problem["detail"].as_str().unwrap();
    // 2 % of 340: the deal that the alias brought stays credited.
    assert!(detail.contains("rewards: 6.80 USD move for `bob`, more than 5.99"), "{detail}");
}

/// A manager who was asked to approve a rate saw each payee, and had to add up who reports to whom.
#[test]
fn rewards_are_summed_by_payee_by_manager_and_by_plan() {
    let host = office(false, 0);
    let preview = |edit: &str| {
        let edit = EDITS.iter().find(|known| known.name == edit).unwrap();
        let body = json!({ "files": { edit.path: edit.texts().1 } }).to_string();
        host.api("POST", "/v1/preview", &[], &body).json()["money"].clone()
    };
    let lines = |list: &Value| {
        let line = |line: &Value| {
            ["name", "before", "after", "difference"]
                .map(|key| line[key].as_str().unwrap().to_owned())
        };
        list.as_array().unwrap().iter().map(line).collect::<Vec<_>>()
    };

    // The biggest difference first; Mia leads Ann and Bob, and nobody leads Mia.
    let money = preview("rate");
    let of_payees = [
        ["bob", "30.00", "36.00", "6.00"],
        ["mia", "23.00", "27.60", "4.60"],
        ["ann", "16.00", "19.20", "3.20"],
    ];
    assert_eq!(lines(&money["rewards_by_payee"]), of_payees);
    assert_eq!(lines(&money["rewards_by_manager"]), [["m1", "46.00", "55.20", "9.20"]]);
    assert_eq!(lines(&money["rewards"]["by_plan"]), [["sellers", "69.00", "82.80", "13.80"]]);

    // What two members of a team win from each other is nothing to their manager and the plan.
    let money = preview("weight");
    assert_eq!(lines(&money["rewards_by_payee"]).len(), 2);
    assert!(money.get("rewards_by_manager").is_none(), "{money}");
    assert_eq!(money["rewards"]["by_plan"], json!([]));
}

/// A sheet with a misspelt plan was previewed and activated without a word, and nobody had the quota.
#[test]
fn a_preview_warns_of_what_is_odd_in_the_files_that_change() {
    let host = Host::start();
    let warnings = |quotas: &str| -> Value {
        let body = json!({"files": {"organization/quotas.csv": quotas}}).to_string();
        let shown = host.api("POST", "/v1/preview", &[], &body);
        assert_eq!(shown.status, 200, "{}", shown.text);
        shown.json()["warnings"].clone()
    };

    let odd = warnings("plan,target,period,amount\nsellres,*,2026-01,1000\n");
    let expected = json!([{
        "code": "CR025",
        "severity": "warning",
        "file": "organization/quotas.csv",
        "line": 2,
        "column": 1,
        "message": "there is no plan `sellres` yet",
        "help": "did you mean `sellers`?",
    }]);
    assert_eq!(odd, expected);
    let sound = "plan,target,period,amount\nsellers,*,2026-01,1000\n";
    assert_eq!(warnings(sound), json!([]));

    // A plan that goes leaves its quotas behind, in a file that does not change.
    let stored = json!({"files": {"organization/quotas.csv": sound}}).to_string();
    assert_eq!(host.api("POST", "/v1/changes", &[], &stored).status, 200);
    let without =
        json!({"files": {"plans/sellers.toml": null, "plans/sells.toml": super::PLAN}}).to_string();
    let shown = host.api("POST", "/v1/preview", &[], &without);
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert_eq!(shown.json()["warnings"][0]["file"], "organization/quotas.csv", "{}", shown.text);
    assert_eq!(warnings("plan,target,period,amount\n"), json!([]));
}
