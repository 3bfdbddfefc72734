//! A CRM is asked for its closed deals, and they are compared with what is recorded: in place of an export.

use std::path::Path;

use serde_json::{Value, json};

use crate::connectors::{directory, trigger};
use crate::server::{Server, TOKEN, run};
use crate::vendor::{Asked, Vendor, answer};

const SECRET: &str = "a-secret-of-some-length";

fn reconcile(server: &Server, more: &[&str]) -> (i32, Value, String) {
    let days = ["--source", "crm", "--from", "2026-03-01", "--to", "2026-03-31"];
    let verb = ["reconcile", "--server", &server.url, "--token", TOKEN];
    let (code, out, talk) = run(&[&verb[..], &days, more].concat());
    (code, serde_json::from_str(&out).unwrap_or(Value::Null), talk)
}

fn hubspot_deal(id: usize) -> Value {
    json!({
        "id": id.to_string(),
        "properties": {
            "amount": format!("{id}.10"), "closedate": "2026-03-15T10:00:00Z", "dealname": "A",
            "dealstage": "closedwon", "hubspot_owner_id": "ann", "deal_currency_code": "USD",
        },
        "createdAt": "2026-03-01T10:00:00Z", "updatedAt": "2026-03-15T10:00:01Z", "archived": false,
    })
}

/// The search of HubSpot over so many deals, 200 a page at most: the second page is refused once.
fn hubspot_search(asked: &Asked, deals: usize, earlier: usize) -> crate::vendor::Answer {
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    let filters = &body["filterGroups"][0]["filters"];
    assert_eq!(filters[0]["propertyName"], "hs_is_closed_won");
    assert_eq!(
        (&filters[1]["operator"], &filters[1]["value"]),
        (&json!("BETWEEN"), &json!("1772323200000"))
    );
    assert_eq!(filters[1]["highValue"], "1775001599999");
    let after: usize = body["after"].as_str().map_or(0, |after| after.parse().unwrap());
    if after == 200 && earlier == 1 {
        return Some((429, "retry-after: 0", "{}".to_owned()));
    }
    let limit = usize::try_from(body["limit"].as_u64().unwrap()).unwrap();
    let end = deals.min(after + limit);
    let results: Vec<Value> = (after + 1..=end).map(hubspot_deal).collect();
    let mut page = json!({"total": deals, "results": results});
    if end < deals {
        page["paging"] = json!({"next": {"after": end.to_string(), "link": "?after=x"}});
    }
    answer(200, page)
}

fn start(dir: &Path, workspace: &Path) -> Server {
    let env = [
        ("ACCREDIT_SECRET_CRM", SECRET),
        ("ACCREDIT_API_TOKEN_CRM", "token-of-the-crm"),
        ("ACCREDIT_API_HOSTS_CRM", "127.0.0.1"),
    ];
    Server::start_with(&dir.join("a.redb"), workspace, &[], &env)
}

/// Webhooks of a month got lost. The list of the CRM names them, and they are imported under the same keys as
/// those that came by webhook.
#[test]
fn the_list_of_hubspot_names_what_no_webhook_brought() {
    const DEALS: usize = 450;
    let dir = tempfile::tempdir().unwrap();
    let searched = std::sync::atomic::AtomicUsize::new(0);
    let vendor = Vendor::start(move |asked| {
        assert!(asked.has("authorization", "Bearer token-of-the-crm"), "{asked:?}");
        if asked.line == "POST /crm/v3/objects/deals/search" {
            let earlier = searched.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            return hubspot_search(asked, DEALS, earlier);
        }
        let id = asked.line.split(['/', '?']).nth(5).unwrap();
        answer(200, hubspot_deal(id.parse().unwrap()))
    });
    let url = format!("key_prefix = \"hs-\"\napi_url = \"{}\"\nurl = ", vendor.url);
    let workspace = directory(dir.path(), "hubspot", &[("url = ", &url)]);
    let server = start(dir.path(), &workspace);
    // Two came by webhook, and a third that the CRM does not have any more.
    for id in ["7", "8", "900"] {
        assert_eq!(trigger(&server, &workspace, "crm", SECRET, &["--id", id]).0, 0);
    }
    server.wait("they are fetched", || server.get("/v1/transactions/hs-900").status == 200);
    server.wait("all", || server.get("/v1/transactions/hs-8").status == 200);
    server.settle();

    let (code, found, talk) = reconcile(&server, &["--unlisted", "--import"]);
    assert_eq!(code, 1, "{talk}");
    assert_eq!((&found["listed"], &found["same"]), (&json!(DEALS), &json!(2)), "{talk}");
    assert_eq!(
        (&found["missing_count"], &found["different_count"]),
        (&json!(DEALS - 2), &json!(0))
    );
    assert_eq!(found["unlisted"], json!(["hs-900"]));
    assert_eq!(found["missing"][0]["id"], "hs-1");
    assert_eq!(found["missing"][0]["row"]["amount"], "1.10");
    // Three pages, one of them asked for twice.
    assert_eq!(vendor.count("POST /crm/v3/objects/deals/search"), 4);

    server.settle();
    let (code, found, talk) = reconcile(&server, &[]);
    assert_eq!((code, &found["same"]), (0, &json!(DEALS)), "{talk}{found}");
    assert_eq!(server.get("/v1/status").json()["counts"]["transactions"], DEALS + 1);

    for query in
        ["source=crm", "source=crm&from=2026-03-01", "source=crm&from=x&to=y", "from=2026-03-01"]
    {
        let reply = server.post(&format!("/v1/reconciliation?{query}"), "text/csv", "");
        assert_eq!(reply.status, 400, "{query}: {}", reply.body);
    }
    let backwards = "source=crm&from=2026-03-02&to=2026-03-01";
    let reply = server.post(&format!("/v1/reconciliation?{backwards}"), "text/csv", "");
    assert_eq!(reply.status, 400);
    let unknown = "source=other&from=2026-03-01&to=2026-03-01";
    let reply = server.post(&format!("/v1/reconciliation?{unknown}"), "text/csv", "");
    assert_eq!(reply.status, 404);
}

/// A search that HubSpot cuts at 10,000 must not look like a whole list.
#[test]
fn a_list_that_the_crm_cuts_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let vendor = Vendor::start(|asked| hubspot_search(asked, 10_001, 0));
    let url = format!("api_url = \"{}\"\nurl = ", vendor.url);
    let workspace = directory(dir.path(), "hubspot", &[("url = ", &url)]);
    let server = start(dir.path(), &workspace);
    let (code, _, talk) = reconcile(&server, &[]);
    assert!(code == 1 && talk.contains("ask for fewer days"), "{talk}");
}

/// Pipedrive's list has a cursor and no filter for the day; its deals are numbers, like those of HubSpot.
#[test]
fn the_list_of_pipedrive_is_read_to_its_last_cursor() {
    let dir = tempfile::tempdir().unwrap();
    let vendor = Vendor::start(|asked| {
        assert!(asked.has("x-api-token", "token-of-the-crm"), "{asked:?}");
        assert!(asked.line.starts_with("GET /api/v2/deals?status=won&"), "{asked:?}");
        let deal = |id: u32, won: &str| {
            json!({
                "id": id, "title": "A", "value": 100.10, "currency": "USD", "status": "won",
                "owner_id": "ann", "won_time": won, "close_time": won, "update_time": won,
            })
        };
        let (deals, next) = match asked.line.split_once("&cursor=") {
            None => (vec![deal(1, "2026-03-01T00:00:00Z"), deal(2, "2026-04-01T00:00:00Z")], "ab="),
            Some((_, "ab%3D")) => (vec![deal(3, "2026-03-31T23:59:59Z")], ""),
            Some((_, other)) => panic!("{other}"),
        };
        let next = if next.is_empty() { Value::Null } else { json!(next) };
        answer(
            200,
            json!({"success": true, "data": deals, "additional_data": {"next_cursor": next}}),
        )
    });
    let workspace = directory(dir.path(), "pipedrive", &[]);
    let path = workspace.join("accredit.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}api_url = \"{}\"\nkey_prefix = \"pd-\"\n", vendor.url))
        .unwrap();
    let env = [
        ("ACCREDIT_SECRET_CRM", "accredit:a-password-of-some-length"),
        ("ACCREDIT_API_TOKEN_CRM", "token-of-the-crm"),
        ("ACCREDIT_API_HOSTS_CRM", "127.0.0.1"),
    ];
    let server = Server::start_with(&dir.path().join("a.redb"), &workspace, &[], &env);
    // The same number without a prefix is the deal of another CRM.
    let row = "{\"id\":\"1\",\"closed\":\"2026-03-01\",\"amount\":7,\"owner\":\"ann\"}";
    assert_eq!(server.post("/v1/transactions", "application/x-ndjson", row).status, 202);
    server.settle();
    let (code, found, talk) = reconcile(&server, &["--import", "--unlisted"]);
    assert_eq!((code, &found["listed"]), (1, &json!(2)), "{talk}");
    let ids: Vec<&Value> =
        found["missing"].as_array().unwrap().iter().map(|deal| &deal["id"]).collect();
    assert_eq!(ids, [&json!("pd-1"), &json!("pd-3")]);
    assert_eq!(found["unlisted_count"], 0, "deals of other sources are not in this list: {found}");
    server.settle();
    let (code, _, talk) = reconcile(&server, &[]);
    assert_eq!(code, 0, "{talk}");
    assert_eq!(server.get("/v1/transactions/1").json()["columns"]["amount"], 7);

    let other = ["--from", "2026-03-01", "--to", "2026-03-31", "--source", "nobody"];
    let verb = ["reconcile", "--server", &server.url, "--token", TOKEN];
    let (code, _, talk) = run(&[&verb[..], &other].concat());
    assert!(code == 1 && talk.contains("source"), "{talk}");
}

/// Dynamics names the address of the next page, which is followed only at the same table.
#[test]
fn the_list_of_dynamics_is_read_at_its_own_address_alone() {
    for (elsewhere, wanted) in [(false, 0), (true, 1)] {
        let dir = tempfile::tempdir().unwrap();
        let vendor = Vendor::start(move |asked| {
            let row = |number: u32| {
                json!({
                    "opportunityid": format!("3b4a5c66-0d1e-4f7a-9b8c-2d3e4f5a6b{number:02}"),
                    "name": "A", "actualvalue": 100.25, "actualclosedate": "2026-03-15",
                    "_ownerid_value": "ann", "statecode": 1, "modifiedon": "2026-03-15T10:00:00Z",
                })
            };
            if asked.line.contains("$skiptoken") {
                return answer(200, json!({"value": [row(3)]}));
            }
            let host = asked.headers.iter().find_map(|line| line.strip_prefix("host: ")).unwrap();
            let host = if elsewhere { "127.0.0.2" } else { host };
            let next = format!("http://{host}/api/data/v9.2/opportunities?$skiptoken=1");
            answer(200, json!({"value": [row(1), row(2)], "@odata.nextLink": next}))
        });
        let api = format!("api_url = \"{}\"", vendor.url);
        let made = "api_url = \"https://ORG.crm.dynamics.com\"";
        let workspace = directory(dir.path(), "dynamics", &[(made, &api)]);
        let server = start(dir.path(), &workspace);
        let (code, found, talk) = reconcile(&server, &["--import"]);
        assert_eq!(code, 1, "{talk}");
        if elsewhere {
            assert!(talk.contains("another address"), "{talk}");
            continue;
        }
        assert_eq!((&found["listed"], &found["missing_count"]), (&json!(3), &json!(3)), "{talk}");
        server.settle();
        assert_eq!(reconcile(&server, &[]).0, wanted);
    }
}

/// Zoho's search has pages with numbers, and no body where nothing fits.
#[test]
fn the_list_of_zoho_is_searched_page_by_page() {
    let dir = tempfile::tempdir().unwrap();
    let vendor = Vendor::start(|asked| {
        assert!(asked.has("authorization", "Zoho-oauthtoken token-of-the-crm"), "{asked:?}");
        let (path, query) = asked.line.split_once('?').unwrap();
        assert_eq!(path, "GET /crm/v8/Deals/search");
        assert!(query.contains("Closing_Date%3Abetween%3A2026-0"), "{query}");
        assert!(query.contains("Stage%3Ain%3AClosed%20Won"), "{query}");
        if query.contains("2026-04-01") {
            return Some((204, "x-nothing: 1", String::new()));
        }
        let deal = |id: u32| {
            json!({
                "id": id.to_string(), "Deal_Name": "A", "Amount": 100.50, "Closing_Date": "2026-03-15",
                "Stage": "Closed Won", "Owner": {"name": "ann", "id": "1", "email": "ann"},
                "Modified_Time": "2026-03-15T10:00:00+01:00",
            })
        };
        let page: u32 = query.rsplit('=').next().unwrap().parse().unwrap();
        let deals: Vec<Value> = (page * 10..page * 10 + 3).map(deal).collect();
        let info = json!({"per_page": 200, "count": 3, "page": page, "more_records": page < 3});
        answer(200, json!({"data": deals, "info": info}))
    });
    let workspace = directory(dir.path(), "zoho", &[]);
    let path = workspace.join("accredit.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}api_url = \"{}\"\n", vendor.url)).unwrap();
    let server = start(dir.path(), &workspace);
    let (code, found, talk) = reconcile(&server, &["--import"]);
    assert_eq!(
        (code, &found["listed"], &found["missing_count"]),
        (1, &json!(9), &json!(9)),
        "{talk}"
    );
    assert_eq!(vendor.asked().len(), 3);
    server.settle();
    let (code, _, talk) = reconcile(&server, &["--unlisted"]);
    assert_eq!(code, 0, "{talk}");
    assert_eq!(server.credits("transaction=10&payee=ann")[0]["amount"], "100.50");

    let april = ["--source", "crm", "--from", "2026-04-01", "--to", "2026-04-30"];
    let verb = ["reconcile", "--server", &server.url, "--token", TOKEN];
    let (code, out, talk) = run(&[&verb[..], &april].concat());
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &found["listed"]), (0, &json!(0)), "{talk}");
}

/// The API of an organization with three opportunities on two pages.
fn salesforce_api(asked: &Asked) -> crate::vendor::Answer {
    if asked.line == "POST /services/oauth2/token" {
        for part in ["grant_type=client_credentials", "client_id=app", "client_secret=canary"] {
            assert!(asked.body.contains(part), "{part} is missing");
        }
        return answer(
            200,
            json!({"access_token": "given", "token_type": "Bearer", "issued_at": "1"}),
        );
    }
    assert!(asked.has("authorization", "Bearer given"), "{asked:?}");
    let record = |number: u32| {
        json!({
            "attributes": {"type": "Opportunity", "url": "/services/data/v62.0/sobjects/Opportunity"},
            "Id": format!("0065g00{number:08}AAA"), "Name": "A", "Amount": 1234.5,
            "CloseDate": "2026-03-15", "StageName": "Closed Won", "OwnerId": "ann",
            "LastModifiedDate": "2026-03-15T10:00:00.000+0000",
        })
    };
    match asked.line.split_once("?q=") {
        Some(("GET /services/data/v62.0/query", query)) => {
            assert!(query.contains("IsWon%20%3D%20true"), "{query}");
            let next = "/services/data/v62.0/query/01gD0000002HU6KIAW-2";
            let records = [record(1), record(2)];
            answer(
                200,
                json!({
                    "totalSize": 3, "done": false, "nextRecordsUrl": next, "records": records,
                }),
            )
        }
        _ => {
            assert_eq!(asked.line, "GET /services/data/v62.0/query/01gD0000002HU6KIAW-2");
            answer(200, json!({"totalSize": 3, "done": true, "records": [record(3)]}))
        }
    }
}

/// Salesforce gives a token in the name of an app, and names the path of the next page.
#[test]
fn the_list_of_salesforce_is_a_query_in_the_name_of_an_app() {
    let dir = tempfile::tempdir().unwrap();
    let vendor = Vendor::start(salesforce_api);
    let organization = ("00D000000000000EAA", "00D5g000004vPFhEAM");
    let workspace = directory(dir.path(), "salesforce-outbound", &[organization]);
    let path = workspace.join("accredit.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}api_url = \"{}\"\n", vendor.url)).unwrap();
    let env = [
        ("ACCREDIT_SECRET_CRM", SECRET),
        ("ACCREDIT_API_CLIENT_ID_CRM", "app"),
        ("ACCREDIT_API_CLIENT_SECRET_CRM", "canary"),
        ("ACCREDIT_API_HOSTS_CRM", "127.0.0.1"),
    ];
    let server = Server::start_with(&dir.path().join("a.redb"), &workspace, &[], &env);

    // One came by webhook.
    let sent = [
        "--id",
        "0065g0000000002AAA",
        "--owner",
        "ann",
        "--amount",
        "1234.50",
        "--closed",
        "2026-03-15",
    ];
    assert_eq!(trigger(&server, &workspace, "crm", SECRET, &sent).0, 0);
    server.settle();

    let (code, found, talk) = reconcile(&server, &["--import", "--unlisted"]);
    assert_eq!((code, &found["listed"]), (1, &json!(3)), "{talk}");
    assert_eq!(found["unlisted_count"], 0, "{found}");
    assert_eq!(vendor.count("POST /services/oauth2/token"), 1);
    server.settle();
    assert_eq!(server.get("/v1/status").json()["counts"]["transactions"], 3);
}
