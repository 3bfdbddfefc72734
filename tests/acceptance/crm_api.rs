//! What a server asks of a CRM's API: deals that an event leaves out, with tokens that expire, from hosts
//! that an administrator allows, and from each CRM in its own time.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::company;
use crate::connectors::{SETTINGS, directory, trigger};
use crate::server::{Server, run};
use crate::vendor::{Answer, Asked, Vendor, answer};

const SECRET: &str = "a-secret-of-some-length";

/// An answer of HubSpot with the deal that a request names.
fn hubspot_deal(asked: &Asked) -> Answer {
    let id = asked.line.split(['/', '?']).nth(5).unwrap_or_default().to_owned();
    let properties = json!({
        "amount": "100.50", "closedate": "2026-03-15T10:00:00Z", "dealstage": "closedwon",
        "hubspot_owner_id": "ann", "dealname": "Sample deal", "deal_currency_code": "USD",
    });
    answer(200, json!({ "id": id, "properties": properties, "updatedAt": "2026-03-15T10:00:01Z" }))
}

fn fetches(server: &Server) -> Vec<Value> {
    server.get("/v1/fetches?limit=1000").json()["data"].as_array().unwrap().clone()
}

/// A round of the fetcher lasted as long as its slowest request: a CRM that accepted connections and said
/// nothing slowed all others to three deals in ten seconds.
#[test]
fn a_crm_that_hangs_holds_up_its_own_deals_alone() {
    let dir = tempfile::tempdir().unwrap();
    let hanging = Vendor::start(|_| None);
    let quick = Vendor::start(hubspot_deal);
    let workspace = directory(dir.path(), "hubspot", &[]);
    let settings = std::fs::read_to_string(workspace.join("accredit.toml")).unwrap();
    let second = settings.split("[sources.crm]").nth(1).unwrap();
    let settings = format!(
        "{settings}api_url = \"{}\"\n\n[sources.slow]{second}api_url = \"{}\"\n",
        quick.url, hanging.url
    );
    company::put(&workspace, "accredit.toml", &settings);

    let env = [
        ("ACCREDIT_SECRET_CRM", SECRET),
        ("ACCREDIT_SECRET_SLOW", SECRET),
        ("ACCREDIT_API_TOKEN_CRM", "token-one"),
        ("ACCREDIT_API_TOKEN_SLOW", "token-two"),
        ("ACCREDIT_API_HOSTS_CRM", "127.0.0.1"),
        ("ACCREDIT_API_HOSTS_SLOW", "127.0.0.1"),
    ];
    let server = Server::start_with(&dir.path().join("a.redb"), &workspace, &[], &env);
    let sent = |source: &str, ids: std::ops::Range<usize>| {
        for id in ids {
            let (id, source) = (id.to_string(), source.to_owned());
            let (code, talk) = trigger(&server, &workspace, &source, SECRET, &["--id", &id]);
            assert_eq!(code, 0, "{talk}");
        }
    };
    sent("slow", 1..9);
    server.wait("the first requests hang", || hanging.asked().len() == 3);
    sent("crm", 101..121);
    server.wait("the deals of the other are credited", || server.credits("").len() >= 20 * 3);
    assert_eq!(quick.count("GET /crm/v3/objects/deals/"), 20);
    assert_eq!(hanging.asked().len(), 3, "each of its requests has hung since");

    let status = server.get("/v1/status").json();
    let waiting = &status["fetches"];
    assert_eq!(waiting.as_array().unwrap().len(), 1, "{status}");
    assert_eq!((&waiting[0]["source"], &waiting[0]["waiting"]), (&json!("slow"), &json!(8)));
    let metrics = server.get_without_token("/metrics").body;
    assert!(metrics.contains("accredit_source_fetches_pending{source=\"slow\"} 8\n"), "{metrics}");
    // A deal that was fetched counted as a delivery once more.
    let counted = "accredit_webhook_requests_total{source=\"crm\",outcome=\"accepted\"} 20\n";
    assert!(metrics.contains(counted), "{metrics}");

    // Pages, by source.
    let page = server.get("/v1/fetches?source=slow&limit=5").json();
    assert_eq!(page["data"].as_array().unwrap().len(), 5);
    let cursor = page["next_cursor"].as_str().unwrap();
    let page = server.get(&format!("/v1/fetches?source=slow&limit=5&cursor={cursor}")).json();
    assert_eq!((page["data"].as_array().unwrap().len(), &page["next_cursor"]), (3, &Value::Null));
    let other = server.get("/v1/fetches?source=crm").json();
    assert_eq!(other["data"], json!([]));
    assert_eq!(server.get("/v1/fetches?cursor=x").status, 400);
    assert_eq!(server.post("/v1/fetches/x/retry", "application/json", "").status, 404);
}

/// An author could name another host in `api_url` and have the token sent there.
#[test]
fn a_token_goes_to_no_host_that_an_administrator_did_not_allow() {
    let dir = tempfile::tempdir().unwrap();
    let vendor = Vendor::start(hubspot_deal);
    let api = format!("api_url = \"{}\"\nurl = ", vendor.url);
    let workspace = directory(dir.path(), "hubspot", &[("url = ", &api)]);
    let hosts = dir.path().join("hosts");
    std::fs::write(&hosts, "api.hubapi.com\n").unwrap();
    let env = [
        ("ACCREDIT_SECRET_CRM", SECRET),
        ("ACCREDIT_API_TOKEN_CRM", "token-of-the-crm"),
        ("ACCREDIT_API_HOSTS_CRM_FILE", hosts.to_str().unwrap()),
    ];
    let data = dir.path().join("a.redb");
    let server = Server::start_with(&data, &workspace, &[], &env[..2]);
    assert_eq!(trigger(&server, &workspace, "crm", SECRET, &["--id", "7"]).0, 0);
    let error = |server: &Server| {
        fetches(server).first().and_then(|one| one["last_error"].as_str().map(str::to_owned))
    };
    server.wait("it was refused", || error(&server).is_some());
    let refused = error(&server).unwrap();
    assert!(refused.contains("`127.0.0.1`") && refused.contains("no host of the connector"));
    assert!(refused.contains("ACCREDIT_API_HOSTS_CRM"), "{refused}");
    assert_eq!(server.stop(), 0);

    let server = Server::start_with(&data, &workspace, &[], &env);
    let retry = || server.post("/v1/fetches/retry?source=crm", "application/json", "");
    assert_eq!(retry().json()["waiting"], 1);
    server.wait("it was refused again", || {
        error(&server).is_some_and(|error| error.contains("does not name it"))
    });
    assert!(vendor.asked().is_empty());

    // The host is named: another try at once, and not after a pause of half a minute.
    std::fs::write(&hosts, "api.hubapi.com 127.0.0.1\n").unwrap();
    server.signal("HUP");
    let id = fetches(&server)[0]["id"].as_str().unwrap().to_owned();
    server.wait("the deal is credited", || {
        server.post(&format!("/v1/fetches/{id}/retry"), "application/json", "");
        !server.credits("transaction=7").is_empty()
    });
    assert_eq!(vendor.asked().len(), 1);
    assert_eq!(fetches(&server), Vec::<Value>::new());

    // Who wanted it, and what.
    assert_eq!(server.post("/v1/fetches/retry?source=crm", "application/json", "").status, 202);
    let trail = server.get("/v1/audit?limit=1000").json()["data"].clone();
    let row = |what: &str| {
        let rows = trail.as_array().unwrap().iter();
        rows.clone().find(|row| row["what"] == what).cloned().unwrap_or(Value::Null)
    };
    for (what, said) in [("fetch_retried", &id), ("fetches_retried", &"crm".to_owned())] {
        let row = row(what);
        assert!(row.to_string().contains(said.as_str()), "{what}: {row} in {trail}");
        assert!(row["who"].as_str().is_some_and(|who| !who.is_empty()), "{row}");
        assert!(row.to_string().contains("127.0.0.1"), "its origin: {row}");
    }
}

/// An API of Zoho that counts the tokens that it has given; the first is not taken any more once it is
/// revoked.
fn zoho(revoked: &Arc<AtomicBool>, given: &Arc<AtomicUsize>) -> Vendor {
    let (revoked, given) = (Arc::clone(revoked), Arc::clone(given));
    Vendor::start(move |asked| {
        if asked.line == "POST /oauth/v2/token" {
            let number = given.fetch_add(1, Ordering::SeqCst);
            // A vendor that rotates takes each refresh token once, and gives the next one with the token.
            let expected = match number {
                0 => "refresh_token=refresh-canary".to_owned(),
                later => format!("refresh_token=rotated-canary-{}", later - 1),
            };
            // As Zoho says that a client is wrong: with a status of 200.
            if !asked.body.split('&').any(|part| part == expected) {
                return answer(200, json!({"error": "invalid_code"}));
            }
            let token = json!({
                "access_token": format!("access-canary-{number}"), "expires_in": 3600,
                "refresh_token": format!("rotated-canary-{number}"),
                "api_domain": "https://www.zohoapis.com", "token_type": "Bearer",
            });
            return answer(200, token);
        }
        let right = if revoked.load(Ordering::SeqCst) { 1 } else { 0 };
        if !asked.has("authorization", &format!("Zoho-oauthtoken access-canary-{right}")) {
            return answer(401, json!({"code": "INVALID_TOKEN", "status": "error"}));
        }
        let id = asked.line.rsplit('/').next().unwrap();
        let record = json!({
            "id": id, "Deal_Name": "Sample deal", "Amount": 100.50, "Closing_Date": "2026-03-15",
            "Stage": "Closed Won", "Owner": {"name": "ann", "id": "1", "email": "ann"},
            "Modified_Time": "2026-03-15T10:00:00+01:00",
        });
        answer(200, json!({ "data": [record] }))
    })
}

/// Zoho's tokens last an hour. The first that this API gives ends sooner than it says.
#[test]
fn a_token_that_expires_is_renewed_with_a_refresh_token() {
    let dir = tempfile::tempdir().unwrap();
    let revoked = Arc::new(AtomicBool::new(false));
    let given = Arc::new(AtomicUsize::new(0));
    let vendor = zoho(&revoked, &given);
    let workspace = directory(dir.path(), "zoho", &[]);
    let path = workspace.join("accredit.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let url = &vendor.url;
    let api = format!("api_url = \"{url}\"\ntoken_url = \"{url}/oauth/v2/token\"\n");
    std::fs::write(&path, format!("{text}{api}")).unwrap();
    let env = [
        ("ACCREDIT_SECRET_CRM", SECRET),
        ("ACCREDIT_API_CLIENT_ID_CRM", "1000.CLIENT"),
        ("ACCREDIT_API_CLIENT_SECRET_CRM", "client-canary"),
        ("ACCREDIT_API_REFRESH_TOKEN_CRM", "refresh-canary"),
        ("ACCREDIT_API_HOSTS_CRM", "127.0.0.1"),
    ];
    let data = dir.path().join("a.redb");
    let server = Server::start_with(&data, &workspace, &[], &env);
    let sent = |ids: std::ops::Range<usize>| {
        for id in ids {
            let deal = ["--id", &id.to_string()];
            assert_eq!(trigger(&server, &workspace, "crm", SECRET, &deal).0, 0);
        }
    };
    sent(1..11);
    server.wait("ten deals are credited", || server.credits("").len() >= 10 * 3);
    assert_eq!(given.load(Ordering::SeqCst), 1, "one token for all");
    let form = vendor.asked()[0].body.clone();
    for part in ["grant_type=refresh_token", "client_id=1000.CLIENT", "client_secret=client-canary"]
    {
        assert!(form.contains(part), "{form}");
    }

    revoked.store(true, Ordering::SeqCst);
    sent(11..15);
    server.wait("those after it as well", || server.credits("").len() >= 14 * 3);
    assert_eq!(given.load(Ordering::SeqCst), 2, "one more");

    let shown = server.get("/v1/audit?limit=1000").body
        + &server.get_without_token("/metrics").body
        + &server.get("/v1/status").body;
    assert_eq!(server.stop(), 0);
    let bytes = std::fs::read(&data).unwrap();
    for canary in ["access-canary", "client-canary", "refresh-canary", "rotated-canary"] {
        let in_file = bytes.windows(canary.len()).any(|part| part == canary.as_bytes());
        assert!(!in_file && !shown.contains(canary), "{canary}");
    }
}

/// Microsoft gives tokens in the name of an app. What is wrong with a client is said, and not the client.
#[test]
fn a_token_is_asked_for_in_the_name_of_an_app() {
    let dir = tempfile::tempdir().unwrap();
    let id = "3b4a5c66-0d1e-4f7a-9b8c-2d3e4f5a6b7c";
    let vendor = Vendor::start(|asked| {
        if asked.line.starts_with("POST /tenant/oauth2/v2.0/token") {
            if !asked.body.contains("client_secret=right-canary") {
                let error = "AADSTS7000215: Invalid client secret provided: wrong-canary";
                return answer(401, json!({"error": "invalid_client", "error_description": error}));
            }
            return answer(
                200,
                json!({"token_type": "Bearer", "expires_in": 3599, "access_token": "an-app"}),
            );
        }
        assert!(asked.has("authorization", "Bearer an-app"), "{asked:?}");
        let row = json!({
            "name": "Sample deal", "actualvalue": 1500.25, "actualclosedate": "2026-03-15",
            "_ownerid_value": "ann", "statecode": 1, "modifiedon": "2026-03-15T10:00:00Z",
        });
        answer(200, row)
    });

    let url = &vendor.url;
    let api = format!(
        "fetch = \"always\"\ntoken_url = \"{url}/tenant/oauth2/v2.0/token\"\napi_url = \"{url}\""
    );
    let made = "api_url = \"https://ORG.crm.dynamics.com\"";
    let workspace = directory(dir.path(), "dynamics", &[(made, &api)]);
    let secret = dir.path().join("client-secret");
    std::fs::write(&secret, "wrong-canary").unwrap();
    let env = [
        ("ACCREDIT_SECRET_CRM", SECRET),
        ("ACCREDIT_API_CLIENT_ID_CRM", "an-app-id"),
        ("ACCREDIT_API_CLIENT_SECRET_CRM_FILE", secret.to_str().unwrap()),
        ("ACCREDIT_API_HOSTS_CRM", "127.0.0.1"),
    ];
    let server = Server::start_with(&dir.path().join("a.redb"), &workspace, &[], &env);
    assert_eq!(trigger(&server, &workspace, "crm", SECRET, &["--id", id]).0, 0);
    let error =
        || fetches(&server).first().and_then(|one| one["last_error"].as_str().map(String::from));
    server.wait("the client was refused", || error().is_some());
    let refused = error().unwrap();
    assert!(refused.contains("401, invalid_client") && !refused.contains("canary"), "{refused}");
    assert_eq!(fetches(&server)[0]["attempts"], 0, "a person has to act");

    std::fs::write(&secret, "right-canary").unwrap();
    server.signal("HUP");
    server.wait("the deal is credited", || {
        server.post("/v1/fetches/retry", "application/json", "");
        !server.credits(&format!("transaction={id}")).is_empty()
    });
    let asked = vendor.asked();
    let form = &asked.iter().rfind(|asked| asked.line.starts_with("POST")).unwrap().body;
    assert!(form.contains("grant_type=client_credentials"), "{form}");
    let scope = url.replace(':', "%3A").replace('/', "%2F");
    assert!(form.contains(&format!("scope={scope}%2F.default")), "{form}");
}

/// A client and a token for one source, a host that is none: a server does not start with them.
#[test]
fn variables_that_contradict_each_other_are_found_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    company::put(&workspace, "accredit.toml", SETTINGS);
    for (variables, wanted) in [
        (
            [("ACCREDIT_API_CLIENT_ID_CRM", "a"), ("ACCREDIT_API_TOKEN_CRM", "b")],
            "ACCREDIT_API_CLIENT_SECRET_CRM",
        ),
        (
            [("ACCREDIT_API_HOSTS_CRM", "https://a.example"), ("ACCREDIT_API_TOKEN_CRM", "b")],
            "is not a host",
        ),
    ] {
        let output = std::process::Command::new(crate::server::binary())
            .args(["serve", "--create", "--listen", "127.0.0.1:0", "--data"])
            .arg(dir.path().join("b.redb"))
            .arg("--workspace")
            .arg(Path::new(&workspace))
            .envs(variables)
            .output()
            .unwrap();
        let talk = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && talk.contains(wanted), "{talk}");
    }
}

/// An organization's id that was left as it was made let no message in, and nothing said so.
#[test]
fn what_a_new_source_left_to_people_is_a_warning_of_check() {
    let dir = tempfile::tempdir().unwrap();
    for (connector, line) in
        [("salesforce-outbound", "organizations"), ("hubspot", "url"), ("dynamics", "api_url")]
    {
        let folder = dir.path().join(connector);
        std::fs::create_dir(&folder).unwrap();
        let workspace = directory(&folder, connector, &[]);
        let (code, out, talk) = run(&["check", workspace.to_str().unwrap()]);
        let found = format!("{out}{talk}");
        assert!(code == 0 && found.contains("CR029"), "{connector}: {found}");
        assert!(found.contains(&format!("`{line}` still has the placeholder")), "{found}");
    }
}
