//! The organisation on a day: managers and holders that change, vacant positions, people without one,
//! quotas, teams and relationships; and the days on which anything changes.

use serde_json::{Value, json};

use super::Host;

const FILES: [(&str, &str); 8] = [
    (
        "organization/participants.csv",
        "id,name,from,to\nann,Ann,,\nbob,Bob,,2026-06-30\nmia,Mia,2026-02-01,\n",
    ),
    (
        "organization/positions.csv",
        "id,title,manager,from,to\nr1,Rep,m1,,2026-03-31\nr1,Senior Rep,,2026-04-01,\nm1,Lead,,,\n",
    ),
    (
        "organization/assignments.csv",
        "position,participant,from,to\nr1,ann,2026-01-01,\nm1,bob,,2026-01-31\nm1,mia,2026-02-01,\n",
    ),
    (
        "organization/quotas.csv",
        "plan,target,period,amount\nsellers,ann,2026-01,1000\nsellers,position:m1,2026,9000\n\
         sellers,*,2026-01,1\n",
    ),
    ("organization/teams.csv", "id,name,manager\nwest,West,m1\n"),
    (
        "organization/members.csv",
        "team,participant,weight,from,to\nwest,ann,2,2026-02-10,\nwest,bob,1,,\n",
    ),
    (
        "organization/relationships.csv",
        "type,source,target,from,to\nOverlay,r1,m1,2026-05-01,2026-05-31\n",
    ),
    ("organization/aliases.csv", "kind,id,alias\n"),
];

fn office() -> Host {
    Host::start_with(|config| {
        let folder = config.workspace.clone().unwrap();
        for (path, text) in FILES {
            std::fs::write(folder.join(path), text).unwrap();
        }
        let settings = std::fs::read_to_string(folder.join("accredit.toml")).unwrap();
        let settings = format!("relationship_types = [\"Overlay\"]\n{settings}");
        std::fs::write(folder.join("accredit.toml"), settings).unwrap();
    })
}

/// Who was where on a day had to be read out of seven files.
#[test]
fn the_organization_is_shown_as_it_is_on_a_day() {
    let host = office();
    let chart = host.get("/v1/organization");
    assert_eq!(chart["on"], "2026-01-15");
    let rep = json!({
        "position": "r1", "title": "Rep", "manager": "m1", "from": null, "to": "2026-03-31",
        "holders": [{ "payee": "ann", "name": "Ann", "from": "2026-01-01", "to": null }],
        "quotas": [{ "plan": "sellers", "period": "2026-01", "credit_type": null, "quota": "1000",
            "payee": "ann" }],
    });
    assert_eq!(chart["positions"][0], rep);
    let lead = &chart["positions"][1];
    assert_eq!(lead["holders"][0]["payee"], "bob");
    assert_eq!(
        (&lead["quotas"][0]["period"], &lead["quotas"][0]["payee"]),
        (&json!("2026"), &Value::Null)
    );
    let member = json!({ "payee": "bob", "name": "Bob", "from": null, "to": null, "weight": "1" });
    assert_eq!(chart["teams"][0]["members"], json!([member]));
    assert_eq!((&chart["relationships"], &chart["without_position"]), (&json!([]), &json!([])));

    // The last days of the files, and the first days without what they end.
    let days = [
        "2026-01-01",
        "2026-02-01",
        "2026-02-10",
        "2026-04-01",
        "2026-05-01",
        "2026-06-01",
        "2026-07-01",
    ];
    assert_eq!(chart["changes"], json!(days));

    let chart = host.get("/v1/organization?on=2026-05-31");
    let row = json!({
        "type": "Overlay", "between": "position", "source": "r1", "target": "m1",
        "from": "2026-05-01", "to": "2026-05-31",
    });
    assert_eq!(chart["relationships"], json!([row]));
    let rep = &chart["positions"][0];
    assert_eq!((&rep["title"], &rep["manager"]), (&json!("Senior Rep"), &Value::Null));
    let homeless = json!({ "payee": "bob", "name": "Bob", "from": null, "to": "2026-06-30" });
    assert_eq!(chart["without_position"], json!([homeless]));
    assert_eq!(chart["teams"][0]["members"].as_array().unwrap().len(), 2);

    // Before anybody came; and a person who left is a member of nothing.
    let chart = host.get("/v1/organization?on=2025-12-31");
    assert_eq!(chart["positions"][0]["holders"], json!([]));
    let chart = host.get("/v1/organization?on=2026-07-01");
    assert_eq!(chart["teams"][0]["members"].as_array().unwrap().len(), 1);

    host.api("GET", "/v1/organization?on=today", &[], "").problem(400, "bad_request");
    host.api("GET", "/v1/organization?at=2026-01-01", &[], "").problem(400, "bad_request");
}
