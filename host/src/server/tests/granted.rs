//! Four eyes over keys and people: nobody makes a second self alone.

use serde_json::{Value, json};

use super::{Host, Reply};
use crate::server::credentials::parse_named;

fn with_four_eyes() -> Host {
    Host::start_with(|config| {
        config.four_eyes = true;
        let tokens = "max:admin:token-of-max-0001 ida:approver:token-of-ida-0001 \
                      eve:admin:token-of-eve-0001";
        config.credentials.tokens = parse_named(tokens).unwrap();
    })
}

fn ask(host: &Host, who: &str, method: &str, path: &str, body: &Value) -> Reply {
    let bearer = format!("Bearer token-of-{who}-0001");
    host.call(method, path, &[("authorization", &bearer)], body.to_string().as_bytes())
}

/// Sends what has to wait; the number of its request, and the id of what it is about.
fn waits(host: &Host, method: &str, path: &str, body: &Value) -> (u64, String) {
    let kept = ask(host, "max", method, path, body);
    assert_eq!(kept.status, 202, "{path}: {}", kept.text);
    assert!(!kept.text.contains("ack_") && !kept.text.contains("inv_"), "{}", kept.text);
    let id = kept.json()["request"]["id"].as_str().unwrap().to_owned();
    (kept.json()["id"].as_u64().unwrap(), id)
}

fn approve(host: &Host, number: u64) {
    let path = format!("/v1/approvals/{number}/approve");
    ask(host, "max", "POST", &path, &json!({})).problem(403, "four_eyes");
    let done = ask(host, "ida", "POST", &path, &json!({}));
    assert_eq!(done.status, 200, "{}", done.text);
    assert!(!done.text.contains("ack_") && !done.text.contains("inv_"), "{}", done.text);
}

fn with_key(host: &Host, key: &str) -> u16 {
    let bearer = format!("Bearer {key}");
    host.call("GET", "/v1/credits", &[("authorization", &bearer)], b"").status
}

/// One administrator alone made a key of an approver, and approved with it what the administrator had
/// asked for.
#[test]
fn a_key_that_does_more_than_read_waits_for_another_person() {
    let host = with_four_eyes();
    for (name, role) in [("r", "reader"), ("a", "auditor")] {
        let wanted = json!({"name": name, "role": role});
        assert_eq!(ask(&host, "max", "POST", "/v1/keys", &wanted).status, 201, "{role}");
    }

    let wanted = json!({"name": "robot", "role": "approver"});
    let (number, id) = waits(&host, "POST", "/v1/keys", &wanted);
    let listed = host.get("/v1/keys")["data"].clone();
    let listed = listed.as_array().unwrap().iter().find(|key| key["name"] == "robot").unwrap();
    assert_eq!(listed["state"], "waiting");
    ask(&host, "max", "POST", "/v1/keys", &wanted).problem(409, "name_taken");
    approve(&host, number);

    // The secret is for the one who asked, once.
    let rotate = format!("/v1/keys/{id}/rotate");
    assert_eq!(ask(&host, "eve", "POST", &rotate, &json!({})).status, 202);
    let made = ask(&host, "max", "POST", &rotate, &json!({}));
    assert_eq!(made.status, 200, "{}", made.text);
    let key = made.json()["key"].as_str().unwrap().to_owned();
    assert_eq!(with_key(&host, &key), 200);
    let (again, _) = waits(&host, "POST", &rotate, &json!({"overlap": 60}));
    approve(&host, again);
    assert_eq!(with_key(&host, &key), 200, "nothing changes before the secret is made");
    let second = ask(&host, "max", "POST", &rotate, &json!({"overlap": 0}));
    let second = second.json()["key"].as_str().unwrap().to_owned();
    // The overlap is the one that was approved.
    assert_eq!((with_key(&host, &key), with_key(&host, &second)), (200, 200));

    // Taking away needs nobody else; what is withdrawn leaves nothing.
    assert_eq!(ask(&host, "max", "DELETE", &format!("/v1/keys/{id}"), &json!({})).status, 200);
    assert_eq!(with_key(&host, &second), 401);
    let (number, _) = waits(&host, "POST", "/v1/keys", &wanted);
    let path = format!("/v1/approvals/{number}");
    assert_eq!(ask(&host, "ida", "DELETE", &path, &json!({})).status, 200);
    assert_eq!(host.get("/v1/keys")["data"].as_array().unwrap().len(), 2);
    assert_eq!(host.get("/v1/audit/verify")["problems"], json!([]));
}

#[test]
fn people_and_their_roles_wait_for_another_person() {
    const PASSWORD: &str = "nine green lanterns";
    let mut host = with_four_eyes();
    let wanted = json!({"name": "zed", "email": "zed@example.com", "role": "admin"});
    let (number, id) = waits(&host, "POST", "/v1/people", &wanted);
    let invite = format!("/v1/people/{id}/invite");
    assert_eq!(ask(&host, "max", "POST", &invite, &json!({})).status, 202, "not granted yet");
    approve(&host, number);
    let invited = ask(&host, "max", "POST", &invite, &json!({}));
    assert_eq!(invited.status, 200, "{}", invited.text);
    let invitation = invited.json()["invitation"].as_str().unwrap().to_owned();
    let path = format!("/v1/invitations/{invitation}");
    let body = json!({ "password": PASSWORD }).to_string();
    assert_eq!(host.call("POST", &path, &[], body.as_bytes()).status, 200);
    // With another invitation, one administrator could act as the person.
    waits(&host, "POST", &invite, &json!({}));

    let sign_in = |host: &Host| {
        let body = json!({"email": "zed@example.com", "password": PASSWORD}).to_string();
        host.call("POST", "/v1/session", &[], body.as_bytes())
    };
    let role = |host: &Host| host.get("/v1/people")["data"][0]["role"].clone();
    assert_eq!(sign_in(&host).status, 200);
    let path = format!("/v1/people/{id}/role");
    let (number, _) = waits(&host, "PUT", &path, &json!({"role": "reader"}));
    assert_eq!(role(&host), "admin");
    approve(&host, number);
    assert_eq!(role(&host), "reader");
    let (number, _) = waits(&host, "PUT", &path, &json!({"role": "approver"}));
    approve(&host, number);

    // Disabling acts at once, enabling waits.
    let signed_in = sign_in(&host);
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    let me = |host: &Host| host.call("GET", "/v1/me", &[("cookie", &cookie)], b"").status;
    assert_eq!(me(&host), 200);
    let path = format!("/v1/people/{id}/disable");
    assert_eq!(ask(&host, "max", "POST", &path, &json!({})).json()["state"], "disabled");
    assert_eq!((me(&host), sign_in(&host).status), (401, 401));
    host.stop();
    host.run();
    assert_eq!(sign_in(&host).status, 401);
    let (number, _) = waits(&host, "POST", &format!("/v1/people/{id}/enable"), &json!({}));
    approve(&host, number);
    assert_eq!(sign_in(&host).status, 200);

    // Each approval is in the trail beside what it brought about, with the state before and after.
    let rows = host.get("/v1/audit?what=role_changed")["data"].clone();
    assert_eq!(rows[1]["who"], "max");
    assert_eq!(rows[1]["detail"]["before"]["role"], "admin");
    assert_eq!(rows[1]["detail"]["after"]["role"], "reader");
    assert!(!host.get("/v1/audit?limit=1000").to_string().contains("zed@example.com"));
    assert_eq!(host.get("/v1/audit/verify")["problems"], json!([]));

    let wanted = json!({"name": "p", "email": "p@x.y", "role": "payee", "participant": "ann"});
    assert_eq!(ask(&host, "max", "POST", "/v1/people", &wanted).status, 201);
}
