//! Keys from their making to their end, over restarts.

use serde_json::{Value, json};

use super::{Host, Reply};

fn create(host: &Host, wanted: Value) -> Reply {
    host.api("POST", "/v1/keys", &[], &wanted.to_string())
}

fn with_key(host: &Host, key: &str, path: &str) -> Reply {
    host.call("GET", path, &[("authorization", &format!("Bearer {key}"))], b"")
}

fn text(reply: &Reply, name: &str) -> String {
    reply.json()[name].as_str().unwrap().to_owned()
}

/// Everybody had the one token, which was printed once and could be taken from nobody.
#[test]
fn a_key_is_shown_once_rotated_and_revoked() {
    let mut host = Host::start();
    let made = create(&host, json!({ "name": "portal", "role": "auditor" }));
    assert_eq!(made.status, 201, "{}", made.text);
    let (key, id) = (text(&made, "key"), text(&made, "id"));
    let parts: Vec<&str> = key.splitn(3, '_').collect();
    assert_eq!((parts[0], parts[1], parts[2].len()), ("ack", id.as_str(), 43));

    assert_eq!(with_key(&host, &key, "/v1/credits").status, 200);
    let me = with_key(&host, &key, "/v1/me").json();
    assert_eq!((&me["name"], &me["role"]), (&json!("portal"), &json!("auditor")));

    // The list, the trail and the data file have nothing of the secret.
    let listed = host.get("/v1/keys");
    assert_eq!(listed["data"][0]["created_by"], "admin");
    assert!(listed["data"][0]["last_used"].is_string(), "{listed}");
    for shown in [listed.to_string(), host.get("/v1/audit").to_string()] {
        assert!(!shown.contains(parts[2]), "{shown}");
    }
    let file = std::fs::read(host.folder.path().join("acme.redb")).unwrap();
    assert!(!file.windows(43).any(|bytes| bytes == parts[2].as_bytes()));

    host.stop();
    host.run();
    assert_eq!(with_key(&host, &key, "/v1/credits").status, 200, "after a restart");

    // Both secrets for an hour; after another rotation without overlap, only the last one.
    let rotate = |host: &Host, body: &str| {
        let reply = host.api("POST", &format!("/v1/keys/{id}/rotate"), &[], body);
        assert_eq!(reply.status, 200, "{}", reply.text);
        text(&reply, "key")
    };
    let second = rotate(&host, r#"{"overlap":3600}"#);
    for key in [&key, &second] {
        assert_eq!(with_key(&host, key, "/v1/credits").status, 200);
    }
    let third = rotate(&host, "");
    for (key, status) in [(&key, 401), (&second, 401), (&third, 200)] {
        assert_eq!(with_key(&host, key, "/v1/credits").status, status);
    }

    let path = format!("/v1/keys/{id}");
    assert_eq!(host.api("DELETE", &path, &[], "").status, 200);
    with_key(&host, &third, "/v1/credits").problem(401, "unauthorized");
    host.api("DELETE", &path, &[], "").problem(404, "not_found");
    assert_eq!(host.get("/v1/keys")["data"], json!([]));
    let trail = host.get("/v1/audit");
    let said: Vec<&str> =
        trail["data"].as_array().unwrap().iter().map(|row| row["what"].as_str().unwrap()).collect();
    assert_eq!(said[..4], ["key_revoked", "key_rotated", "key_rotated", "key_created"]);
    assert_eq!(host.get("/v1/audit/verify")["problems"], json!([]));

    host.stop();
    host.run();
    with_key(&host, &third, "/v1/credits").problem(401, "unauthorized");
}

#[test]
fn a_key_that_makes_no_sense_is_not_made() {
    let host = Host::start();
    let payee =
        |participant: &str| json!({ "name": "x", "role": "payee", "participant": participant });
    for (wanted, status, code) in [
        (json!({ "name": "x" }), 400, "bad_request"),
        (json!({ "name": "x", "role": "boss" }), 422, "bad_access"),
        (json!({ "name": " ", "role": "admin" }), 422, "bad_access"),
        (json!({ "name": "x", "role": "payee" }), 422, "bad_access"),
        (payee("nobody"), 422, "bad_access"),
        (json!({ "name": "x", "role": "source" }), 422, "bad_access"),
        (json!({ "name": "x", "role": "source", "scope": " " }), 422, "bad_access"),
        (json!({ "name": "x", "role": "admin", "participant": "ann" }), 422, "bad_access"),
        (json!({ "name": "x", "role": "admin", "expires": "soon" }), 422, "bad_access"),
        (json!({ "name": "x", "role": "admin", "expires": "2020-01-01" }), 422, "bad_access"),
        (json!({ "name": "worker", "role": "admin" }), 409, "name_taken"),
        (json!({ "name": "Admin", "role": "admin" }), 409, "name_taken"),
    ] {
        create(&host, wanted).problem(status, code);
    }
    let made = create(&host, payee("ann"));
    assert_eq!(made.status, 201, "{}", made.text);
    create(&host, json!({ "name": "X", "role": "admin" })).problem(409, "name_taken");

    let long = json!({ "overlap": 90 * 24 * 3600 }).to_string();
    let path = format!("/v1/keys/{}/rotate", text(&made, "id"));
    host.api("POST", &path, &[], &long).problem(422, "bad_access");
    host.api("POST", "/v1/keys/none/rotate", &[], "").problem(404, "not_found");
}

/// Another secret, half a key: none of them is a caller.
#[test]
fn what_is_not_quite_a_key_is_refused() {
    let host = Host::start();
    let made = create(&host, json!({ "name": "good", "role": "admin" }));
    let (key, id) = (text(&made, "key"), text(&made, "id"));
    let other = "A".repeat(43);
    for wrong in [
        format!("ack_{id}_{other}"),
        format!("ack_{id}_"),
        format!("ack_{id}"),
        key[..key.len() - 1].to_owned(),
        format!("{key}x"),
        key.replace(&id, "0000000000000000"),
        "ack_".to_owned(),
    ] {
        with_key(&host, &wrong, "/v1/credits").problem(401, "unauthorized");
    }
    assert_eq!(with_key(&host, &key, "/v1/credits").status, 200);
}
