//! A secret that was set wrongly: what was refused meanwhile is verified again and taken.

use serde_json::json;

use crate::company;
use crate::server::{SECRET, Server, TOKEN, now};

const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

/// A secret was rotated to a wrong value, every event of a day was answered 401, and senders give up
/// after a day.
#[test]
fn what_a_wrong_secret_refused_is_taken_once_it_is_mended() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let file = dir.path().join("secret");
    std::fs::write(&file, OTHER).unwrap();
    let env = [("ACCREDIT_SECRET_CRM", ""), ("ACCREDIT_SECRET_CRM_FILE", file.to_str().unwrap())];
    let server = Server::start_with(&dir.path().join("a.redb"), &workspace, &[], &env);

    let deals = company::deals(60);
    for (number, deal) in deals.iter().enumerate() {
        assert_eq!(server.hook(&format!("m{number}"), deal).unwrap().status, 401);
    }
    // One that was forged never becomes authentic; one that was late is not even kept.
    let forged = server.hook_at("forged", now(), "whsec_HhscChlQIMVAb5sSYspob7oDAAAA", &deals[0]);
    assert_eq!(forged.unwrap().status, 401);
    assert_eq!(server.hook_at("late", now() - 301, SECRET, &deals[1]).unwrap().status, 401);
    let listed = server.get("/v1/quarantine?limit=1000").json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 61);
    assert!(!listed.to_string().contains("amount"), "a body that may be forged is not shown");
    let verify = || server.post("/v1/quarantine/verify", "application/json", "").json();
    assert_eq!(verify(), json!({ "accepted": 0, "left": 61 }));

    std::fs::write(&file, SECRET).unwrap();
    server.signal("HUP");
    server
        .wait("the secret is in force", || server.hook("probe", &deals[2]).unwrap().status == 202);
    // A probe that came too early was refused as well.
    let verified = verify();
    let accepted = verified["accepted"].as_u64().unwrap();
    assert!(accepted >= 60 && verified["left"] == 1, "{verified}");
    server.settle();
    let status = server.get("/v1/status").json();
    assert_eq!(status["counts"]["transactions"], 60, "{status}");
    assert_eq!(verify()["accepted"], 0, "taken once");
}

/// What authenticates a sender by itself would be in the data file in clear.
#[test]
fn a_request_is_kept_without_its_authorization() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let data = dir.path().join("a.redb");
    let server = Server::start(&data, &workspace);
    let canary = "canary-7f3a9c51e2";
    let time = now().to_string();
    let signature = accredit_standard_webhooks::sign_delivery(OTHER, "m1", now(), b"{}").unwrap();
    let headers = [
        ("authorization", canary),
        ("cookie", canary),
        ("x-api-key", canary),
        ("webhook-id", "m1"),
        ("webhook-timestamp", &time),
        ("webhook-signature", &signature),
    ];
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let mut request = agent.post(format!("{}/hooks/crm", server.url));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    assert_eq!(request.send("{}").unwrap().status(), 401);
    // Nonsense without a signature would push out what a mended secret can save.
    let nonsense = agent.post(format!("{}/hooks/crm", server.url)).send("{}");
    assert_eq!(nonsense.unwrap().status(), 401);
    assert_eq!(server.get("/v1/quarantine").json()["data"].as_array().unwrap().len(), 1);
    assert_eq!(server.stop(), 0);

    let bytes = std::fs::read(&data).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("webhook-id") && !holds(canary) && !holds(TOKEN));
}
