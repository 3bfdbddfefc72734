//! Four eyes over keys and people: nobody makes a second self alone.

use accredit_operations::approvals::{self as requests, AccessChange, AccessSubject, ApprovalAct};
use secrecy::ExposeSecret;
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

/// The request of another person than max.
fn ida_approves(host: &Host, kept: &Reply) {
    assert_eq!(kept.status, 202, "{}", kept.text);
    let path = format!("/v1/approvals/{}/approve", kept.json()["id"]);
    let done = ask(host, "ida", "POST", &path, &json!({}));
    assert_eq!(done.status, 200, "{}", done.text);
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
    ask(&host, "max", "POST", &invite, &json!({})).problem(409, "not_granted");
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

/// Keeps a request as an earlier version did, which asked for more of what waited; its number.
fn keep_earlier(host: &Host, (subject, id): (AccessSubject, &str), change: AccessChange) -> u64 {
    let act = ApprovalAct::Access { subject, id: id.to_owned(), name: "x".to_owned(), change };
    let context = &host.running().service.context;
    requests::keep_request(context, &act, "max".to_owned(), None).unwrap().id
}

fn state_of(host: &Host, list: &str) -> Value {
    host.get(list)["data"][0]["state"].clone()
}

/// One administrator proposed carl as an administrator, then asked to make the waiting carl a reader. The
/// other one approved the request that said "reader", and carl became an administrator.
#[test]
fn a_person_is_granted_what_the_approved_request_says() {
    let host = with_four_eyes();
    let wanted = json!({"name": "carl", "email": "carl@example.com", "role": "admin"});
    let (number, id) = waits(&host, "POST", "/v1/people", &wanted);

    for (method, act) in
        [("PUT", "role"), ("POST", "invite"), ("POST", "disable"), ("POST", "enable")]
    {
        let body = if act == "role" { json!({"role": "reader"}) } else { json!({}) };
        let path = format!("/v1/people/{id}/{act}");
        ask(&host, "max", method, &path, &body).problem(409, "not_granted");
    }

    // Requests that are kept already grant nothing, and their withdrawal removes nobody.
    let (participant, scope) = (None, None);
    let reader = AccessChange::Grant { role: "reader".to_owned(), participant, scope };
    for change in [reader, AccessChange::Secret { overlap_ms: 0 }, AccessChange::Enable] {
        let other = keep_earlier(&host, (AccessSubject::Person, &id), change);
        let path = format!("/v1/approvals/{other}");
        ask(&host, "ida", "POST", &format!("{path}/approve"), &json!({}))
            .problem(409, "not_granted");
        assert_eq!(ask(&host, "ida", "DELETE", &path, &json!({})).status, 200);
        assert_eq!(state_of(&host, "/v1/people"), "waiting");
    }

    approve(&host, number);
    assert_eq!(state_of(&host, "/v1/people"), "active");
    assert_eq!(host.get("/v1/audit/verify")["problems"], json!([]));
}

/// A key that waited was rotated: that request said "another secret", and its approval granted the key.
#[test]
fn a_key_is_granted_by_its_own_request_alone() {
    let host = with_four_eyes();
    let wanted = json!({"name": "robot", "role": "admin"});
    let (number, id) = waits(&host, "POST", "/v1/keys", &wanted);
    let rotate = format!("/v1/keys/{id}/rotate");
    ask(&host, "max", "POST", &rotate, &json!({})).problem(409, "not_granted");

    let (participant, scope) = (None, None);
    let reader = AccessChange::Grant { role: "reader".to_owned(), participant, scope };
    for change in [reader, AccessChange::Secret { overlap_ms: 0 }] {
        let other = keep_earlier(&host, (AccessSubject::Key, &id), change);
        let path = format!("/v1/approvals/{other}");
        ask(&host, "ida", "POST", &format!("{path}/approve"), &json!({}))
            .problem(409, "not_granted");
        assert_eq!(ask(&host, "ida", "DELETE", &path, &json!({})).status, 200);
        assert_eq!(state_of(&host, "/v1/keys"), "waiting");
    }

    approve(&host, number);
    assert_eq!(ask(&host, "max", "POST", &rotate, &json!({})).status, 200);
}

/// The row of a granted key or person had the name of the one who asked and the address of the one who
/// approved, as if the first had acted from the machine of the second.
#[test]
fn the_row_of_a_grant_names_who_approved_it() {
    let host = with_four_eyes();
    let robot = json!({"name": "robot", "role": "author"});
    let carl = json!({"name": "carl", "email": "carl@example.com", "role": "author"});
    for (path, wanted, what) in
        [("/v1/keys", robot, "key_granted"), ("/v1/people", carl, "person_granted")]
    {
        let (number, _) = waits(&host, "POST", path, &wanted);
        approve(&host, number);
        let row = host.get(&format!("/v1/audit?what={what}"))["data"][0].clone();
        assert_eq!(row["who"], "max", "{row}");
        assert_eq!(row["detail"]["approved_by"], "ida", "{row}");
        assert_eq!(row["detail"]["request"], number, "{row}");
    }

    // Without a second person there is nobody to name.
    let reader = json!({"name": "r", "role": "reader"});
    assert_eq!(ask(&host, "max", "POST", "/v1/keys", &reader).status, 201);
    let row = host.get("/v1/audit?what=key_created")["data"][0].clone();
    assert_eq!(row["detail"].get("approved_by"), None, "{row}");
}

/// A key of max that ida granted; the whole of it.
fn granted_key(host: &Host, name: &str, role: &str) -> String {
    let wanted = json!({ "name": name, "role": role });
    let (number, id) = waits(host, "POST", "/v1/keys", &wanted);
    approve(host, number);
    let made = ask(host, "max", "POST", &format!("/v1/keys/{id}/rotate"), &json!({}));
    made.json()["key"].as_str().unwrap().to_owned()
}

fn ask_with(host: &Host, bearer: &str, method: &str, path: &str, body: &Value) -> Reply {
    let bearer = format!("Bearer {bearer}");
    host.call(method, path, &[("authorization", &bearer)], body.to_string().as_bytes())
}

/// An administrator who had made an approver's key, which another person had granted once, approved with
/// it what the administrator asked for from then on.
#[test]
fn a_key_does_not_approve_for_the_one_who_has_it_in_hand() {
    let host = with_four_eyes();
    let robot = granted_key(&host, "robot", "approver");
    let other = granted_key(&host, "other", "admin");
    let wanted = |name: &str| json!({ "name": name, "role": "author" });
    let path = |number: u64| format!("/v1/approvals/{number}/approve");

    let (of_max, _) = waits(&host, "POST", "/v1/keys", &wanted("one"));
    let refused = ask_with(&host, &robot, "POST", &path(of_max), &json!({}));
    let refused = refused.problem(403, "four_eyes");
    assert!(refused["detail"].as_str().unwrap().contains("`max` made or rotated"), "{refused}");

    // Nor the other way round.
    let kept = ask_with(&host, &other, "POST", "/v1/keys", &wanted("two"));
    assert_eq!(kept.status, 202, "{}", kept.text);
    let of_key = kept.json()["id"].as_u64().unwrap();
    ask(&host, "max", "POST", &path(of_key), &json!({})).problem(403, "four_eyes");

    // A third person's request is another matter, for the key as for the people.
    let kept = ask(&host, "eve", "POST", "/v1/keys", &wanted("three"));
    let of_eve = kept.json()["id"].as_u64().unwrap();
    assert_eq!(ask_with(&host, &robot, "POST", &path(of_eve), &json!({})).status, 200);
    approve(&host, of_max);

    // A key that is removed leaves nothing that says whose it was.
    let keys = host.get("/v1/keys")["data"].clone();
    let gone = keys.as_array().unwrap().iter().find(|key| key["name"] == "other").unwrap();
    let gone = format!("/v1/keys/{}", gone["id"].as_str().unwrap());
    assert_eq!(ask(&host, "max", "DELETE", &gone, &json!({})).status, 200);
    ask(&host, "max", "POST", &path(of_key), &json!({})).problem(403, "four_eyes");
    ask(&host, "ida", "POST", &path(of_key), &json!({})).problem(403, "four_eyes");
}

/// The one who rotates a key has its secret in hand as the maker has.
#[test]
fn a_key_does_not_approve_for_the_one_who_rotated_it() {
    let host = with_four_eyes();
    granted_key(&host, "robot", "approver");
    let id = host.get("/v1/keys")["data"][0]["id"].as_str().unwrap().to_owned();
    let rotate = format!("/v1/keys/{id}/rotate");
    let kept = ask(&host, "eve", "POST", &rotate, &json!({}));
    ida_approves(&host, &kept);
    let robot = ask(&host, "eve", "POST", &rotate, &json!({})).json()["key"].clone();

    let kept = ask(&host, "eve", "POST", "/v1/keys", &json!({"name": "one", "role": "author"}));
    let path = format!("/v1/approvals/{}/approve", kept.json()["id"]);
    ask_with(&host, robot.as_str().unwrap(), "POST", &path, &json!({})).problem(403, "four_eyes");
    assert_eq!(ask(&host, "ida", "POST", &path, &json!({})).status, 200);
}

/// An administrator who set a person's password with the invitation that the administrator had made
/// approved as that person what the administrator asked for.
#[test]
fn a_person_does_not_approve_for_the_one_who_made_the_invitation() {
    const PASSWORD: &str = "nine green lanterns";
    let host = with_four_eyes();
    let wanted = json!({"name": "zed", "email": "zed@example.com", "role": "admin"});
    let (number, id) = waits(&host, "POST", "/v1/people", &wanted);
    approve(&host, number);
    let invite = format!("/v1/people/{id}/invite");
    let sign_in = |invited: &Reply| {
        let path = format!("/v1/invitations/{}", invited.json()["invitation"].as_str().unwrap());
        let body = json!({ "password": PASSWORD }).to_string();
        assert_eq!(host.call("POST", &path, &[], body.as_bytes()).status, 200);
        let body = json!({"email": "zed@example.com", "password": PASSWORD}).to_string();
        let signed_in = host.call("POST", "/v1/session", &[], body.as_bytes());
        signed_in.header("set-cookie").split(';').next().unwrap().to_owned()
    };
    let as_zed = |cookie: &str, path: &str, body: &Value| {
        host.call("POST", path, &[("cookie", cookie)], body.to_string().as_bytes())
    };

    let cookie = sign_in(&ask(&host, "max", "POST", &invite, &json!({})));
    let author = |name: &str| json!({ "name": name, "role": "author" });
    let (of_max, _) = waits(&host, "POST", "/v1/keys", &author("one"));
    let of_max = format!("/v1/approvals/{of_max}/approve");
    let refused = as_zed(&cookie, &of_max, &json!({})).problem(403, "four_eyes");
    assert!(refused["detail"].as_str().unwrap().contains("the invitation"), "{refused}");
    let kept = as_zed(&cookie, "/v1/keys", &author("two"));
    assert_eq!(kept.status, 202, "{}", kept.text);
    let of_zed = format!("/v1/approvals/{}/approve", kept.json()["id"]);
    // An administrator decides about what those ask for who were invited: that is the usual way.
    assert_eq!(ask(&host, "max", "POST", &of_zed, &json!({})).status, 200);

    // A provider of OpenID Connect proves who it is, whatever the password.
    let service = &host.running().service;
    let begun = service.accounts.sessions.begin((&id, true), service.clock.now_ms()).unwrap();
    let proved = format!("__Host-accredit={}", begun.expose_secret());
    let (other, _) = waits(&host, "POST", "/v1/keys", &author("three"));
    let other = format!("/v1/approvals/{other}/approve");
    as_zed(&cookie, &other, &json!({})).problem(403, "four_eyes");
    assert_eq!(as_zed(&proved, &other, &json!({})).status, 200);

    // With the invitation of another administrator, zed is another person for max.
    let kept = ask(&host, "eve", "POST", &invite, &json!({}));
    ida_approves(&host, &kept);
    let cookie = sign_in(&ask(&host, "eve", "POST", &invite, &json!({})));
    let done = as_zed(&cookie, &of_max, &json!({}));
    assert_eq!(done.status, 200, "{}", done.text);
}
