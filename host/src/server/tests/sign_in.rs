//! People from the invitation to the end of their access: passwords, sessions, locks, other sites.

use serde_json::{Value, json};

use super::{Host, Reply};
#[cfg(feature = "oidc")]
use crate::oidc::OidcSettings;

const PASSWORD: &str = "nine green lanterns";

fn add(host: &Host, wanted: &Value) -> Reply {
    host.api("POST", "/v1/people", &[], &wanted.to_string())
}

fn post(host: &Host, path: &str, body: &Value) -> Reply {
    host.call("POST", path, &[], body.to_string().as_bytes())
}

fn invitation_path(reply: &Reply) -> String {
    format!("/v1/invitations/{}", reply.json()["invitation"].as_str().unwrap())
}

fn sign_in(host: &Host, email: &str, password: &str) -> Reply {
    post(host, "/v1/session", &json!({ "email": email, "password": password }))
}

/// The cookie as a browser sends it back.
fn cookie(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.header("set-cookie").split(';').next().unwrap().to_owned()
}

fn with_cookie(host: &Host, cookie: &str, method: &str, path: &str) -> Reply {
    host.call(method, path, &[("cookie", &format!("theme=dark; {cookie}"))], b"")
}

/// A server with Ann, a payee, and Ida, who approves; both have the password.
fn office() -> Host {
    let host = Host::start();
    for wanted in [
        json!({ "name": "ann", "email": "Ann@Example.com", "role": "payee", "participant": "ann" }),
        json!({ "name": "ida", "email": "ida@example.com", "role": "approver" }),
    ] {
        let added = add(&host, &wanted);
        assert_eq!(added.status, 201, "{}", added.text);
        let invitation = invitation_path(&added);
        let set = post(&host, &invitation, &json!({ "password": PASSWORD }));
        assert_eq!(set.status, 200, "{}", set.text);
    }
    host
}

#[test]
fn an_invited_person_signs_in_and_out() {
    let host = Host::start();
    let wanted =
        json!({ "name": "ann", "email": "Ann@Example.com", "role": "payee", "participant": "ann" });
    let added = add(&host, &wanted);
    assert_eq!(added.status, 201, "{}", added.text);
    let invitation = invitation_path(&added);
    sign_in(&host, "ann@example.com", "").problem(401, "sign_in_failed");

    post(&host, &invitation, &json!({ "password": "short" })).problem(422, "bad_password");
    let wrong = format!("{}x", invitation);
    post(&host, &wrong, &json!({ "password": PASSWORD })).problem(404, "not_found");
    assert_eq!(post(&host, &invitation, &json!({ "password": PASSWORD })).status, 200);
    post(&host, &invitation, &json!({ "password": PASSWORD })).problem(404, "not_found");

    // Over TLS alone, for this host alone, and out of the reach of scripts.
    let signed = sign_in(&host, " ann@EXAMPLE.com", PASSWORD);
    let attributes = signed.header("set-cookie").to_owned();
    for wanted in ["__Host-accredit=", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
        assert!(attributes.contains(wanted), "{attributes}");
    }
    assert_eq!((&signed.json()["role"], &signed.json()["name"]), (&json!("payee"), &json!("ann")));

    let cookie = cookie(&signed);
    let get = |path: &str| with_cookie(&host, &cookie, "GET", path);
    assert_eq!(get("/v1/me/credits").status, 200);
    get("/v1/credits").problem(403, "forbidden");
    let me = get("/v1/me").json();
    assert_eq!(me["participant"], "ann");

    let out = with_cookie(&host, &cookie, "DELETE", "/v1/session");
    assert_eq!((out.status, out.header("set-cookie").contains("Max-Age=0")), (200, true));
    get("/v1/me").problem(401, "unauthorized");

    // Neither the trail nor the list has what opens an account, nor the trail the address.
    let trail = host.get("/v1/audit").to_string();
    let listed = host.get("/v1/people").to_string();
    let secret = invitation.rsplit_once('.').unwrap().1;
    for shown in [&trail, &listed] {
        assert!(!shown.contains(secret) && !shown.contains(PASSWORD), "{shown}");
    }
    assert!(!trail.contains("example.com") && listed.contains("ann@example.com"));
    for what in ["person_added", "password_set", "signed_in"] {
        assert!(trail.contains(what), "{what}");
    }
    assert_eq!(host.get("/v1/audit/verify")["problems"], json!([]));
}

#[test]
fn access_ends_with_the_account_the_password_and_the_process() {
    let mut host = office();
    let begin = |host: &Host, who: &str| cookie(&sign_in(host, who, PASSWORD));
    let status = |host: &Host, cookie: &str| with_cookie(host, cookie, "GET", "/v1/me").status;

    let ids = |host: &Host| {
        let people = host.get("/v1/people");
        let rows = people["data"].as_array().unwrap().clone();
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let known = ids(&host);

    // Another invitation changes nothing until it is used.
    let (ann, ida) = (begin(&host, "ann@example.com"), begin(&host, "ida@example.com"));
    let invited = host.api("POST", &format!("/v1/people/{}/invite", known[0]), &[], "");
    assert_eq!((invited.status, status(&host, &ann)), (200, 200));
    let invitation = invitation_path(&invited);
    let other = json!({ "password": "another long password" });
    assert_eq!(post(&host, &invitation, &other).status, 200);
    assert_eq!((status(&host, &ann), status(&host, &ida)), (401, 200));
    sign_in(&host, "ann@example.com", PASSWORD).problem(401, "sign_in_failed");

    host.stop();
    host.run();
    assert_eq!(status(&host, &ida), 401, "sessions are in memory");
    let ida = begin(&host, "ida@example.com");
    assert_eq!(host.api("DELETE", &format!("/v1/people/{}", known[1]), &[], "").status, 200);
    assert_eq!((status(&host, &ida), ids(&host).len()), (401, 1));
    sign_in(&host, "ida@example.com", PASSWORD).problem(401, "sign_in_failed");
    host.api("DELETE", "/v1/people/usr_0", &[], "").problem(404, "not_found");
}

/// The answer told which addresses have an account, or a password could be tried for ever.
#[test]
fn failures_are_alike_and_lock_the_account() {
    let host = office();
    let wanted = json!({ "name": "new", "email": "new@example.com", "role": "auditor" });
    assert_eq!(add(&host, &wanted).status, 201);

    let mut said = Vec::new();
    for email in ["ann@example.com", "new@example.com", "nobody@example.com"] {
        for _ in 0..5 {
            let mut problem =
                sign_in(&host, email, "wrong password").problem(401, "sign_in_failed");
            problem["instance"].take();
            said.push(problem);
        }
        let locked = sign_in(&host, email, PASSWORD);
        locked.problem(429, "too_many_attempts");
        let wait: u32 = locked.header("retry-after").parse().unwrap();
        assert!((1..=31).contains(&wait), "{wait}");
    }
    assert!(said.windows(2).all(|pair| pair[0] == pair[1]), "{said:?}");
    assert_eq!(sign_in(&host, "ida@example.com", PASSWORD).status, 200, "others may");
}

/// A page of another site could have a browser approve a change: it sends the cookie with the request.
#[test]
fn a_change_that_another_site_asks_for_is_refused() {
    let host = office();
    let cookie = cookie(&sign_in(&host, "ida@example.com", PASSWORD));
    let own = host.running().url.clone();
    let send = |method: &str, origin: &[(&str, &str)]| {
        let headers = [&[("cookie", cookie.as_str())], origin].concat();
        host.call(method, "/v1/approvals/7", &headers, b"")
    };
    for origin in [
        [("origin", "https://elsewhere.example")].as_slice(),
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://elsewhere.example")],
        &[("sec-fetch-site", "same-site"), ("origin", "https://other.example")],
    ] {
        send("DELETE", origin).problem(403, "cross_origin");
        send("GET", origin).problem(404, "not_found");
    }
    for origin in [[].as_slice(), &[("origin", own.as_str())], &[("sec-fetch-site", "same-origin")]]
    {
        send("DELETE", origin).problem(404, "not_found");
    }
    let evil = [("origin", "https://elsewhere.example")];
    let body = json!({ "email": "ida@example.com", "password": PASSWORD }).to_string();
    host.call("POST", "/v1/session", &evil, body.as_bytes()).problem(403, "cross_origin");
}

#[test]
fn an_account_that_makes_no_sense_is_not_made() {
    let host = office();
    let person =
        |name: &str, email: &str, role: &str| json!({ "name": name, "email": email, "role": role });
    for (wanted, status, code) in [
        (json!({ "name": "x" }), 400, "bad_request"),
        (person("x", "x", "admin"), 422, "bad_access"),
        (person("x", "x y@example.com", "admin"), 422, "bad_access"),
        (person("x", "x@example.com", "boss"), 422, "bad_access"),
        (person("x", "x@example.com", "payee"), 422, "bad_access"),
        (person("x", "x@example.com", "source"), 422, "bad_access"),
        (person("x", "ANN@example.com", "admin"), 409, "email_taken"),
        (person("Ann", "x@example.com", "admin"), 409, "name_taken"),
        (person("worker", "x@example.com", "admin"), 409, "name_taken"),
    ] {
        add(&host, &wanted).problem(status, code);
    }
    let key = json!({ "name": "ida", "role": "admin" }).to_string();
    host.api("POST", "/v1/keys", &[], &key).problem(409, "name_taken");
}

/// Browsers asked a provider that was down again at once: the answer did not say how long to wait.
#[cfg(feature = "oidc")]
#[test]
fn a_provider_that_is_down_is_tried_again_later() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let issuer = format!("http://{}", taken.local_addr().unwrap());
    drop(taken);
    let host = Host::start_with(move |config| {
        let variable = |name: &str| match name {
            "ACCREDIT_OIDC_ISSUER" => Some(issuer.clone()),
            "ACCREDIT_OIDC_CLIENT_ID" => Some("accredit".to_owned()),
            "ACCREDIT_OIDC_REDIRECT" => Some("https://pay.example/callback".to_owned()),
            _ => None,
        };
        config.oidc = OidcSettings::from_variables(variable).unwrap();
    });
    let reply = host.call("GET", "/v1/session/oidc", &[], b"");
    reply.problem(503, "provider_failed");
    assert_eq!(reply.header("retry-after"), "10");
}
