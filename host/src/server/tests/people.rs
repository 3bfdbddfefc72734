//! Nobody's pay changes silently when the organisation's files change: rows that go, files that are
//! cut, ids that are renamed, over the API and from a watched directory.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Host, SETTINGS};

/// A plan that pays people and their managers, and one that pays the members of teams.
const SELLERS: &str = r#"
name = "Sellers"
targets = ["*"]
split = "equal"

[[direct]]
name = "Booking"
  [[direct.results]]
  name = "Booking credit"
  credit_type = "booking"

[[reward]]
name = "Commission"
tiers = [{ rate = "10%" }]

[[reward]]
name = "Override"
to = "user-managers"
tiers = [{ rate = "1%" }]
"#;

const TEAMS_PLAN: &str = r#"
name = "Teams"
measure = "team"

[[direct]]
name = "Team booking"
  [[direct.results]]
  name = "Team credit"
  credit_type = "booking"

[[reward]]
name = "Team bonus"
to = "members"
tiers = [{ rate = "10%" }]
"#;

const PARTICIPANTS: &str = "id,name,email,currency,from,to\nann,Ann Lee,ann@example.com,,,\n\
    Zo\u{eb},Zo\u{eb} Day,,,,\nmia,Mia Ray,,,,\nidle,Idle,,,,\n";
const POSITIONS: &str =
    "id,title,manager,from,to\na1,Rep,m1,,\nz1,Rep,m1,,\nm1,Manager,,,\ni1,Rep,,,\n";
const ASSIGNMENTS: &str =
    "position,participant,from,to\na1,ann,,\nz1,Zo\u{eb},,\nm1,mia,,\ni1,idle,,\n";
const TEAMS: &str = "id,name,parent,manager,from,to\nwest,West,,,,\nidlers,Idlers,,,,\n";
const MEMBERS: &str =
    "team,participant,weight,from,to\nwest,ann,1,,\nwest,Zo\u{eb},3,,\nidlers,idle,1,,\n";

fn files() -> BTreeMap<&'static str, String> {
    let settings = SETTINGS.replace("owner = \"owner\"", "owner = \"owner\"\nteam = \"team\"");
    let all = [
        ("accredit.toml", format!("credit_types = [\"booking\"]\n{settings}")),
        ("plans/sellers.toml", SELLERS.to_owned()),
        ("plans/teams.toml", TEAMS_PLAN.to_owned()),
        ("organization/participants.csv", PARTICIPANTS.to_owned()),
        ("organization/positions.csv", POSITIONS.to_owned()),
        ("organization/assignments.csv", ASSIGNMENTS.to_owned()),
        ("organization/teams.csv", TEAMS.to_owned()),
        ("organization/members.csv", MEMBERS.to_owned()),
    ];
    all.into()
}

fn change(host: &Host, files: &Value, more: &[(&str, &str)]) -> super::Reply {
    let mut body = json!({ "files": files });
    for (key, value) in more {
        body[*key] = json!(value);
    }
    host.api("POST", "/v1/changes", &[], &body.to_string())
}

/// A server with these files, and deals of everybody but the idle.
fn office(watch: bool) -> Host {
    let host = Host::start_watching(watch);
    for (path, text) in files() {
        let path = host.directory().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let ready = change(&host, &json!(files()), &[]);
    assert!(ready.status == 200 || watch, "{}", ready.text);
    for (number, (owner, amount)) in
        [("ann", 100), ("Zo\u{eb}", 300), ("ann", 60)].iter().enumerate()
    {
        let row = json!({
            "id": format!("D-{number}"), "closed": "2026-01-10", "amount": amount,
            "owner": owner, "team": "West",
        });
        assert_eq!(host.deliver(&format!("msg_{number}"), &row.to_string()).status, 202);
    }
    host.drained();
    host
}

/// What everybody is paid: plan, reward, payee and amount.
fn pay(host: &Host) -> Vec<String> {
    let mut all = Vec::new();
    for plan in ["sellers", "teams"] {
        let calculation = host.get(&format!("/v1/calculations/{plan}/2026-01"));
        for row in calculation["rewards"].as_array().unwrap() {
            let cell = |key: &str| row[key].as_str().unwrap().to_owned();
            all.push([plan.to_owned(), cell("reward"), cell("payee"), cell("amount")].join(" "));
        }
    }
    all.sort();
    all
}

/// A file with a row taken out, cut after a row, or in the middle of one.
fn mutations(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut all = Vec::new();
    for index in 1..lines.len() {
        let mut without = lines.clone();
        without.remove(index);
        all.push(without.join("\n") + "\n");
        all.push(lines[..index].join("\n") + "\n");
        all.push(
            lines[..index].join("\n") + "\n" + &lines[index].chars().take(2).collect::<String>(),
        );
    }
    all
}

#[test]
fn rows_that_money_hangs_on_do_not_go_unnoticed() {
    let host = office(false);
    let before = pay(&host);
    assert_eq!(
        before,
        [
            "sellers Commission Zo\u{eb} 30.00",
            "sellers Commission ann 16.00",
            "sellers Override mia 4.60",
            "teams Team bonus Zo\u{eb} 34.50",
            "teams Team bonus ann 11.50",
        ]
    );
    let (mut refused, mut accepted) = (0, 0);
    for (path, text) in files().into_iter().filter(|(path, _)| path.ends_with(".csv")) {
        for mutation in mutations(&text) {
            let wanted = json!({ path: mutation });
            let preview =
                host.api("POST", "/v1/preview", &[], &json!({ "files": wanted }).to_string());
            let done = change(&host, &wanted, &[]);
            let after = pay(&host);
            if done.status != 200 {
                assert!(done.status == 409 || done.status == 422, "{}", done.text);
                assert_eq!(after, before, "a refused change pays as before:\n{mutation}");
                refused += 1;
                continue;
            }
            accepted += 1;
            assert_eq!(preview.status, 200, "{}", preview.text);
            let losing = preview.json()["people"]["losing"].clone();
            assert!(
                after == before || losing.as_array().is_some_and(|l| !l.is_empty()),
                "silently:\n{mutation}\n{after:?}\n{losing}"
            );
            let back = change(&host, &json!({ path: text }), &[("force", "the test")]);
            assert_eq!(back.status, 200, "{}", back.text);
            assert_eq!(pay(&host), before);
        }
    }
    assert!(refused >= 20 && accepted >= 2, "{refused} refused, {accepted} accepted");
}

/// A participant whose row was missing in an export lost what she had earned, and nobody was told.
#[test]
fn people_are_ended_or_renamed_and_go_on_being_paid() {
    let host = office(false);
    let before = pay(&host);
    let all = files();
    let replaced = |from: &str, to: &str| -> BTreeMap<&str, String> {
        let csv = all.iter().filter(|(path, _)| path.ends_with(".csv"));
        csv.map(|(path, text)| (*path, text.replace(from, to))).collect()
    };

    // Renamed without an alias: refused, with what to do.
    let renamed = replaced("ann,", "p-17,");
    let mut renamed: BTreeMap<&str, String> =
        renamed.into_iter().map(|(path, text)| (path, text.replace(",ann\n", ",p-17\n"))).collect();
    let problem = change(&host, &json!(renamed), &[]).problem(409, "has_credits");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("participant `ann`") && detail.contains("aliases.csv"), "{detail}");
    assert_eq!(pay(&host), before);

    // With one, what she was credited before is paid to her under the new id.
    renamed.insert("organization/aliases.csv", "kind,id,alias\nparticipant,p-17,ann\n".to_owned());
    let done = change(&host, &json!(renamed), &[]);
    assert_eq!(done.status, 200, "{}", done.text);
    let mut expected: Vec<String> =
        before.iter().map(|row| row.replace(" ann ", " p-17 ")).collect();
    expected.sort();
    assert_eq!(pay(&host), expected);
    let body = json!({ "what": "credits", "reason": "month end" }).to_string();
    let path = "/v1/calculations/sellers/2026-01/release";
    assert_eq!(host.api("POST", path, &[], &body).status, 200);
    let page = host.get("/v1/payees/p-17/statements");
    let statement = &page["data"][0];
    assert_eq!(statement["rewards"][0]["amount"], "16.00", "{page}");
    assert_eq!(statement["credits"].as_array().map(Vec::len), Some(2), "{page}");

    // The same id in another spelling is the same person.
    let decomposed: BTreeMap<&str, String> = renamed
        .iter()
        .map(|(path, text)| (*path, text.replace("Zo\u{eb}", "Zoe\u{308}")))
        .collect();
    assert_eq!(change(&host, &json!(decomposed), &[]).status, 200);
    assert_eq!(pay(&host), expected);

    // Forced, with a reason that the audit log keeps.
    let mut without = renamed.clone();
    without.insert(
        "organization/participants.csv",
        PARTICIPANTS.replace("ann,Ann Lee,ann@example.com,,,\n", ""),
    );
    without.insert("organization/assignments.csv", ASSIGNMENTS.replace("a1,ann,,\n", ""));
    without.insert("organization/members.csv", MEMBERS.replace("west,ann,1,,\n", ""));
    without.insert("organization/aliases.csv", "kind,id,alias\n".to_owned());
    change(&host, &json!(without), &[]).problem(409, "has_credits");
    change(&host, &json!(without), &[("force", " ")]).problem(400, "bad_request");
    assert_eq!(change(&host, &json!(without), &[("force", "never worked here")]).status, 200);
    let audit = host.get("/v1/audit?limit=1000").to_string();
    assert!(audit.contains("never worked here"), "{audit}");
    let calculation = host.get("/v1/calculations/sellers/2026-01");
    let alerts = calculation["alerts"].to_string();
    assert!(alerts.contains("is not in the organisation"), "{alerts}");
}

/// A manager saw a reward of 4.60 on 460.00 and not the credits that it is computed from.
#[test]
fn managers_see_the_credits_behind_their_rewards() {
    let host = office(false);
    let body = json!({ "what": "credits", "reason": "month end" }).to_string();
    let path = "/v1/calculations/sellers/2026-01/release";
    assert_eq!(host.api("POST", path, &[], &body).status, 200);

    let page = host.get("/v1/payees/mia/statements");
    let statement = &page["data"][0];
    assert_eq!(statement["rewards"][0]["amount"], "4.60", "{page}");
    let seen = statement["team_credits"].as_array().unwrap().iter();
    let mut seen: Vec<&str> = seen.map(|row| row["amount"].as_str().unwrap()).collect();
    seen.sort_unstable();
    assert_eq!(seen, ["100.00", "300.00", "60.00"]);
}

/// An export that was cut short landed in the watched directory.
#[test]
fn a_cut_file_in_a_watched_directory_is_refused() {
    let host = office(true);
    let started = Instant::now();
    while host.get("/v1/calculations/sellers/2026-01")["rewards"].as_array().map(Vec::len)
        != Some(3)
    {
        assert!(started.elapsed() < Duration::from_secs(20), "the directory is not in force");
        std::thread::sleep(Duration::from_millis(50));
    }
    let (before, active) = (pay(&host), host.get("/v1/status")["ruleset"].clone());
    let put = |path: &str, text: &str| {
        std::fs::write(host.directory().join(format!("organization/{path}")), text).unwrap();
    };
    put("members.csv", &MEMBERS.replace("west,ann,1,,\n", ""));
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(host.get("/v1/status")["ruleset"], active);
    assert_eq!(pay(&host), before);

    // The rows are back, and the one who left is ended.
    put("members.csv", MEMBERS);
    put("participants.csv", &PARTICIPANTS.replace("idle,Idle,,,,\n", "idle,Idle,,,,2026-01-31\n"));
    let started = Instant::now();
    while host.get("/v1/status")["ruleset"] == active {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "the mended directory is not in force"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(pay(&host), before);
}

/// A way back that decides credits again was the one change that took people away unasked.
#[test]
fn a_way_back_keeps_people_as_well() {
    let host = office(false);
    let joined: BTreeMap<&str, String> = [
        ("organization/participants.csv", format!("{PARTICIPANTS}new,New,,,,\n")),
        ("organization/positions.csv", format!("{POSITIONS}n1,Rep,m1,,\n")),
        ("organization/assignments.csv", format!("{ASSIGNMENTS}n1,new,,\n")),
    ]
    .into();
    assert_eq!(change(&host, &json!(joined), &[]).status, 200);
    let row = json!({ "id": "D-9", "closed": "2026-01-10", "amount": 500, "owner": "new" });
    assert_eq!(host.deliver("msg_9", &row.to_string()).status, 202);
    host.drained();
    let before = pay(&host);
    assert!(before.contains(&"sellers Commission new 50.00".to_owned()), "{before:?}");

    for effective in ["now", "recredit"] {
        let back = json!({ "effective": effective }).to_string();
        let refused = host.api("POST", "/v1/rollback", &[], &back).problem(409, "has_credits");
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains("participant `new`"), "{detail}");
        assert_eq!(pay(&host), before);
    }

    let forced = json!({ "effective": "recredit", "force": "never worked here" }).to_string();
    let done = host.api("POST", "/v1/rollback", &[], &forced);
    assert_eq!(done.status, 200, "{}", done.text);
    super::recredited(&host);
    assert!(pay(&host).iter().all(|row| !row.contains(" new ")), "{:?}", pay(&host));
}
