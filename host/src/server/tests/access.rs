//! Who may use what: one table of every route, with the roles and what a payee gets of own, subordinate
//! and foreign objects; and payees who ask for everything that they can think of.
//!
//! Source: RELIABILITY section 7, T38 and T39; OWASP API1 and API3.

use std::collections::{BTreeMap, BTreeSet};

use accredit_operations::principal::Role;
use serde_json::{Value, json};

use super::{Host, Reply};
use crate::http::roles::Access;
use crate::http::routes;
use crate::server::credentials::parse_named;

mod random;

/// Every route of the API: who may use it, beside the declaration in `routes`, so that what changes has to
/// change here as well; for a route of payees that names an object, the status for an own one, for one of
/// a person who reports to the payee, and for one of another person.
const TABLE: &str = "
GET /v1/activations auditor
GET /v1/alerts auditor
POST /v1/alerts/{id}/assign approver
GET /v1/aliases auditor
GET /v1/approvals auditor
DELETE /v1/approvals/{id} approver
GET /v1/approvals/{id} auditor
POST /v1/approvals/{id}/approve approver
GET /v1/audit auditor
GET /v1/audit/checkpoint auditor
GET /v1/audit/verify auditor
GET /v1/backups auditor
POST /v1/backups admin
GET /v1/balances auditor
GET /v1/calculations auditor
DELETE /v1/calculations/{plan}/{period} admin
GET /v1/calculations/{plan}/{period} auditor
POST /v1/calculations/{plan}/{period}/release admin
POST /v1/calculations/{plan}/{period}/run admin
GET /v1/changes auditor
POST /v1/changes author
DELETE /v1/changes/{id} author
GET /v1/changes/{id} auditor
POST /v1/changes/{id}/activate approver
POST /v1/changes/{id}/approve approver
GET /v1/credits auditor
POST /v1/credits admin
GET /v1/credits/manual auditor
GET /v1/credits/{id} auditor
GET /v1/credits/{id}/adjustments auditor
POST /v1/credits/{id}/adjustments admin
GET /v1/credits/{id}/explain auditor
POST /v1/credits/{id}/hold admin
POST /v1/credits/{id}/release admin
GET /v1/dead-letters auditor
POST /v1/dead-letters/redrive admin
POST /v1/dead-letters/{sequence}/redrive admin
GET /v1/definitions auditor
DELETE /v1/definitions/{*path} author
GET /v1/definitions/{*path} auditor
POST /v1/definitions/{*path} author
PUT /v1/definitions/{*path} author
GET /v1/destinations auditor
GET /v1/destinations/{name}/events auditor
GET /v1/destinations/{name}/events/{id} auditor
POST /v1/destinations/{name}/events/{id}/resend admin
POST /v1/destinations/{name}/resend admin
POST /v1/destinations/{name}/test admin
POST /v1/editor/case auditor+demo
POST /v1/editor/check auditor+demo
POST /v1/editor/complete auditor+demo
POST /v1/editor/hover auditor+demo
POST /v1/editor/run auditor+demo
GET /v1/enquiries auditor
GET /v1/enquiries/{id} auditor
POST /v1/enquiries/{id}/answer approver
POST /v1/enquiries/{id}/assign approver
POST /v1/enquiries/{id}/close approver
POST /v1/enquiries/{id}/messages approver
GET /v1/fetches auditor
POST /v1/fetches/retry admin
POST /v1/fetches/{id}/retry admin
POST /v1/holds/release admin
GET /v1/keys admin
POST /v1/keys admin
DELETE /v1/keys/{id} admin
POST /v1/keys/{id}/rotate admin
POST /v1/invitations/{token} public
GET /v1/live everyone
GET /v1/lineage auditor
GET /v1/log auditor
GET /v1/me everyone
GET /v1/me/balances payee
GET /v1/me/credits payee
GET /v1/me/credits/{id} payee 200 404 404
GET /v1/me/enquiries payee
POST /v1/me/enquiries payee
GET /v1/me/enquiries/{id} payee 200 404 404
POST /v1/me/enquiries/{id}/messages payee 200 404 404
GET /v1/me/periods payee
GET /v1/me/progress payee
GET /v1/me/reports payee
GET /v1/me/reports/{payee}/balances payee 404 200 404
GET /v1/me/reports/{payee}/credits payee 404 200 404
GET /v1/me/reports/{payee}/enquiries payee 404 200 404
GET /v1/me/reports/{payee}/periods payee 404 200 404
GET /v1/me/reports/{payee}/progress payee 404 200 404
GET /v1/me/reports/{payee}/rewards payee 404 200 404
GET /v1/me/reports/{payee}/statements payee 404 200 404
GET /v1/me/reports/{payee}/statements/changes payee 404 200 404
GET /v1/me/reports/{payee}/why-not payee 404 200 404
GET /v1/me/rewards payee
GET /v1/me/statements payee
GET /v1/me/statements/changes payee
POST /v1/me/what-if payee
GET /v1/me/why-not payee
GET /v1/organization auditor
GET /v1/parked auditor
POST /v1/parked/redrive admin
GET /v1/payees/{id}/enquiries auditor
POST /v1/payees/{id}/enquiries reader
POST /v1/payees/{id}/enquiries/{number}/messages reader
GET /v1/payees/{id}/statements auditor
GET /v1/payees/{id}/why-not auditor
GET /v1/people admin
POST /v1/people admin
DELETE /v1/people/{id} admin
POST /v1/people/{id}/disable admin
POST /v1/people/{id}/enable admin
POST /v1/people/{id}/invite admin
PUT /v1/people/{id}/role admin
GET /v1/periods auditor
POST /v1/periods/{id}/close admin
POST /v1/periods/{id}/finalize admin
POST /v1/periods/{id}/reopen admin
GET /v1/policies auditor
GET /v1/policies/{kind}/{name} auditor
PUT /v1/policies/{kind}/{name} author
POST /v1/preview auditor
GET /v1/quarantine auditor
POST /v1/quarantine/verify admin
POST /v1/reconciliation auditor
GET /v1/rewards auditor
POST /v1/rewards admin
GET /v1/rewards/manual auditor
POST /v1/rollback author
GET /v1/rules auditor
DELETE /v1/rules/{plan}/{name} author
GET /v1/rules/{plan}/{name} auditor
PUT /v1/rules/{plan}/{name} author
POST /v1/rules/{plan}/{name}/copy author
GET /v1/runs auditor
GET /v1/runs/{id} auditor
POST /v1/runs/{id}/cancel admin
DELETE /v1/session everyone
GET /v1/session/oidc public
GET /v1/session/oidc/callback public
POST /v1/session public
DELETE /v1/shadow author
GET /v1/shadow auditor
POST /v1/shadow author
POST /v1/simulations auditor
GET /v1/statements auditor
GET /v1/status auditor
GET /v1/tags auditor
GET /v1/tasks/{id} auditor
GET /v1/transactions auditor
POST /v1/transactions admin+source
DELETE /v1/transactions/{id} admin
GET /v1/transactions/{id} auditor
GET /v1/transactions/{id}/adjustments auditor
POST /v1/transactions/{id}/adjustments admin
GET /v1/transactions/{id}/case auditor
GET /v1/transactions/{id}/explain auditor
GET /v1/verify auditor
GET /v1/welcome public
";

/// A row of the table.
struct Row {
    method: &'static str,
    path: &'static str,
    access: &'static str,
    /// For an own object, a subordinate one and a foreign one.
    statuses: Vec<u16>,
}

fn table() -> Vec<Row> {
    let rows = TABLE.lines().filter(|line| !line.is_empty()).map(|line| {
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap();
        let (method, path, access) = (word(), word(), word());
        Row { method, path, access, statuses: words.map(|word| word.parse().unwrap()).collect() }
    });
    rows.collect()
}

fn word_of(access: Access) -> String {
    match access {
        Access::Staff(least) => least.name().to_owned(),
        Access::StaffAndSources(least) => format!("{}+source", least.name()),
        Access::StaffOrDemo(least) => format!("{}+demo", least.name()),
        Access::Payees => "payee".to_owned(),
        Access::Everyone => "everyone".to_owned(),
        Access::Public => "public".to_owned(),
    }
}

/// What the word of the table says of a role, not what the program makes of it.
fn admits(access: &str, role: Role) -> bool {
    let staff = ["auditor", "reader", "author", "approver", "admin"];
    let level = |name: &str| staff.iter().position(|known| *known == name);
    match access {
        "everyone" | "public" => true,
        "payee" => role == Role::Payee,
        "admin+source" => matches!(role, Role::Admin | Role::Source),
        "auditor+demo" => level(role.name()).is_some(),
        least => level(role.name()).is_some_and(|own| own >= level(least).unwrap()),
    }
}

/// Mia leads Ann, who leads Ben; Bob and Cal report to Zed, Cal to Mia until the year began.
const PEOPLE: &str = "id,name,title,manager,from,to\n\
    mia,Mia,Manager,,,\nann,Ann,Seller,mia,,\nben,Ben,Seller,ann,,\n\
    zed,Zed,Manager,,,\nbob,Bob,Seller,zed,,\n\
    cal,Cal,Seller,mia,,2025-12-31\ncal,Cal,Seller,zed,2026-01-01,\n";

/// A server with these people, a published deal and an enquiry of each, and a key for every role.
struct Office {
    host: Host,
    keys: BTreeMap<String, String>,
}

impl Office {
    fn open() -> Office {
        let host = Host::start_with(|config| {
            let of = |role: &str| format!("{role}-1:{role}:token-of-the-{role}");
            let staff = ["auditor", "reader", "author", "approver", "admin"].map(of).join(" ");
            config.credentials.tokens = parse_named(&staff).unwrap();
            let people = "organization/participants.csv";
            std::fs::write(config.workspace.as_ref().unwrap().join(people), PEOPLE).unwrap();
        });

        let mut keys = BTreeMap::new();
        for payee in ["mia", "ann", "ben", "zed", "bob", "cal"] {
            let wanted = json!({ "name": payee, "role": "payee", "participant": payee });
            keys.insert(payee.to_owned(), new_key(&host, &wanted));
            let row = json!({
                "id": format!("D-{payee}"), "closed": "2026-01-10", "amount": 100, "owner": payee,
            });
            assert_eq!(host.deliver(&format!("msg_{payee}"), &row.to_string()).status, 202);
        }
        let wanted = json!({ "name": "crm", "role": "source", "scope": "crm:" });
        keys.insert("source".to_owned(), new_key(&host, &wanted));
        host.drained();

        let what = json!({ "what": "credits" }).to_string();
        let released = host.api("POST", "/v1/calculations/sellers/2026-01/release", &[], &what);
        assert_eq!(released.status, 200, "{}", released.text);

        let office = Office { host, keys };
        for payee in ["mia", "ann", "bob"] {
            let asked = json!({ "kind": "missing", "text": "Where is it?" }).to_string();
            let reply = office.call(payee, "POST", "/v1/me/enquiries", &asked);
            assert_eq!(reply.status, 201, "{}", reply.text);
            assert_eq!(reply.json()["asked_by"], payee);
        }
        office
    }

    fn call(&self, key: &str, method: &str, path: &str, body: &str) -> Reply {
        let bearer = format!("Bearer {}", self.keys[key]);
        // One id for all requests: answers are compared byte for byte.
        let headers = [("authorization", bearer.as_str()), ("x-request-id", "req_same")];
        self.host.call(method, path, &headers, body.as_bytes())
    }

    fn get(&self, key: &str, path: &str) -> Value {
        let reply = self.call(key, "GET", path, "");
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply.json()
    }

    /// The id of the credit for a payee's deal.
    fn credit_of(&self, payee: &str) -> String {
        self.host.credits(&format!("D-{payee}"))[0]["id"].as_str().unwrap().to_owned()
    }

    /// Objects of Mia, of Ann who reports to her, of Bob who does not, and one that does not exist, as a
    /// path names them.
    fn objects(&self, path: &str) -> [String; 4] {
        let parts: Vec<&str> = path.split('/').collect();
        match (parts[2], parts.get(3)) {
            ("payees", _) | ("me", Some(&"reports")) => {
                ["mia", "ann", "bob", "nobody"].map(str::to_owned)
            }
            ("transactions", _) => ["D-mia", "D-ann", "D-bob", "D-none"].map(str::to_owned),
            ("credits", _) | ("me", Some(&"credits")) => {
                let absent = format!("crd_{}", "5".repeat(32));
                let [mia, ann, bob] = ["mia", "ann", "bob"].map(|payee| self.credit_of(payee));
                [mia, ann, bob, absent]
            }
            _ => ["1", "2", "3", "999"].map(str::to_owned),
        }
    }
}

fn new_key(host: &Host, wanted: &Value) -> String {
    let made = host.api("POST", "/v1/keys", &[], &wanted.to_string());
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()["key"].as_str().unwrap().to_owned()
}

/// A path with its parameters replaced.
fn filled(path: &str, object: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { object.to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Roles were judged by the text of the path, far from the routes, and every new `GET` was open to
/// a reader without anybody having said so.
#[test]
fn every_route_is_in_the_table_and_refuses_everyone_else() {
    let (_, roles) = routes::build_api().into_parts();
    let declared: BTreeSet<String> = roles
        .all_routes()
        .into_iter()
        .map(|(path, method, access)| format!("{method} {path} {}", word_of(access)))
        .collect();
    let rows = table();
    let expected: BTreeSet<String> =
        rows.iter().map(|row| format!("{} {} {}", row.method, row.path, row.access)).collect();
    assert_eq!(declared, expected);

    let office = Office::open();
    for row in &rows {
        let path = filled(row.path, "1");
        let anonymous = office.host.call(row.method, &path, &[], b"");
        if row.access == "public" {
            let status = match path.as_str() {
                "/v1/welcome" => 200,
                // This server has no provider of OpenID Connect.
                path if path.contains("/oidc") => 409,
                _ => 400,
            };
            assert_eq!(anonymous.status, status, "{path}: {}", anonymous.text);
        } else {
            anonymous.problem(401, "unauthorized");
        }
        for role in Role::ALL {
            let reply = match role {
                Role::Payee => office.call("mia", row.method, &path, ""),
                Role::Source => office.call("source", row.method, &path, ""),
                staff => {
                    let bearer = format!("Bearer token-of-the-{}", staff.name());
                    office.host.call(row.method, &path, &[("authorization", &bearer)], b"")
                }
            };
            let refused = reply.status == 403 && reply.json()["type"] == "/problems/forbidden";
            let (method, name) = (row.method, role.name());
            let whole = format!("{method} {path} as {name}: {} {}", reply.status, reply.text);
            assert_eq!(refused, !admits(row.access, role), "{whole}");
            assert!(reply.status != 401 && reply.status != 405 && reply.status < 500, "{whole}");
        }
    }

    // What is in no table is refused, whatever the role.
    let refused = office.host.api("PATCH", "/v1/credits", &[], "");
    refused.problem(405, "method");
    assert_eq!(refused.header("allow"), "GET, POST");
    office.host.api("GET", "/v1/nothing", &[], "").problem(404, "not_found");
    office.call("mia", "PATCH", "/v1/me/credits", "").problem(405, "method");
}

/// A payee gets of own, subordinate and foreign objects what the table says; a foreign object and one that
/// does not exist are the same answer, byte for byte.
#[test]
fn a_payee_gets_of_each_object_what_the_table_says() {
    let office = Office::open();
    for row in table() {
        if !row.path.contains('{') {
            assert!(row.statuses.is_empty(), "{}: there is no object", row.path);
            continue;
        }
        let statuses = match row.access {
            "payee" => row.statuses.clone(),
            // There is no own object: who has the secret has it.
            "public" => continue,
            _ => vec![403, 403, 403],
        };
        assert_eq!(statuses.len(), 3, "{}: own, subordinate, foreign", row.path);

        let text = json!({ "text": "and?" }).to_string();
        // What is refused for its role is refused before its body is read.
        let takes_body = row.method == "POST" && row.access == "payee";
        let body = if takes_body { text.as_str() } else { "" };
        let query = if row.path.ends_with("why-not") { "?transaction=D-x" } else { "" };
        let replies = office.objects(row.path).map(|object| {
            let path = filled(row.path, &object);
            office.call("mia", row.method, &format!("{path}{query}"), body)
        });
        let [own, subordinate, foreign, absent] = &replies;
        let found = [own.status, subordinate.status, foreign.status];
        assert_eq!(found.as_slice(), statuses, "{} {}", row.method, row.path);
        assert_eq!(foreign.status, absent.status, "{}", row.path);
        assert_eq!(foreign.text, absent.text, "{}", row.path);
    }
}

/// A payee saw the share of each colleague, the rule's expression and the row of the CRM, if their program
/// was given the reader's token.
#[test]
fn a_payee_sees_own_pay_and_that_of_those_who_report() {
    let office = Office::open();
    let rows = |key: &str, path: &str| office.get(key, path)["data"].as_array().unwrap().clone();

    let caller = office.get("mia", "/v1/me");
    assert_eq!((&caller["role"], &caller["participant"]), (&json!("payee"), &json!("mia")));
    // The period of today is that of the server, wherever the reader is.
    assert_eq!(caller["business_date"], "2026-01-15");

    let credits = rows("ann", "/v1/me/credits");
    assert_eq!(credits.len(), 1, "{credits:?}");
    assert_eq!(credits[0]["transaction"], "D-ann");
    assert_eq!(credits[0]["explain"], "/v1/me/why-not?transaction=D-ann");
    for hidden in ["payee", "share", "source", "via", "ruleset", "result", "level"] {
        assert!(credits[0].get(hidden).is_none(), "{hidden}");
    }
    let own = format!("/v1/me/credits/{}", credits[0]["id"].as_str().unwrap());
    assert_eq!(office.get("ann", &own)["credit"], credits[0]);
    assert_eq!(rows("ann", "/v1/me/statements")[0]["totals"][0]["amount"], "100.00");
    assert_eq!(rows("ann", "/v1/me/periods")[0]["id"], "2026-01");

    // Ben reports to Ann, who reports to Mia; Cal did until the year began.
    let reports = |path: &str| {
        let rows = rows("mia", path);
        let name = |row: &Value| format!("{} {}", row["payee"].as_str().unwrap(), row["level"]);
        rows.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(reports("/v1/me/reports"), ["ann 1", "ben 2"]);
    assert_eq!(reports("/v1/me/reports?on=2025-06-30"), ["ann 1", "cal 1", "ben 2"]);
    assert_eq!(rows("ben", "/v1/me/reports"), Vec::<Value>::new());
    let of_ben = rows("mia", "/v1/me/reports/ben/credits");
    assert_eq!(of_ben[0]["explain"], "/v1/me/reports/ben/why-not?transaction=D-ben");

    // Who reported to her then: what is published of that time, and nothing of today.
    let of_cal =
        |day: &str| office.call("mia", "GET", &format!("/v1/me/reports/cal/credits{day}"), "");
    assert_eq!(of_cal("").status, 404);
    assert_eq!(of_cal("?on=2026-01-10").status, 404);
    assert_eq!(of_cal("?on=2025-06-30").json()["data"], json!([]));

    // A deal of others is like one that does not exist.
    let why = |deal: &str| office.get("ann", &format!("/v1/me/why-not?transaction={deal}"));
    assert_eq!(why("D-ann")["known"], true);
    let (foreign, absent) = (why("D-bob").to_string(), why("D-none").to_string());
    assert_eq!(foreign.replace("D-bob", "D-none"), absent);
    assert_eq!(why("D-none"), json!({ "known": false, "plans": [], "transaction": "D-none" }));

    // Nor does a customer who is spelled like Ann make it one of hers.
    let row = json!({
        "id": "D-odd", "closed": "2026-01-11", "amount": 7, "owner": "bob", "customer": "ann",
    });
    assert_eq!(office.host.deliver("msg_odd", &row.to_string()).status, 202);
    office.host.drained();
    assert_eq!(why("D-odd")["known"], false);

    // What is decided and not released is for nobody.
    let row = json!({ "id": "D-new", "closed": "2026-01-11", "amount": 7, "owner": "ann" });
    assert_eq!(office.host.deliver("msg_new", &row.to_string()).status, 202);
    office.host.drained();
    assert_eq!(rows("ann", "/v1/me/credits").len(), 1);
    let unpublished = office.host.credits("D-new")[0]["id"].as_str().unwrap().to_owned();
    let unpublished = office.call("ann", "GET", &format!("/v1/me/credits/{unpublished}"), "");
    unpublished.problem(404, "not_found");
    assert_eq!(why("D-new")["plans"][0]["findings"][0]["code"], "not_released");
}

/// A program of the CRM had the administrator's token, because imports need it.
#[test]
fn a_source_sends_deals_of_its_scope_and_reads_nothing() {
    let office = Office::open();
    let send = |id: &str| {
        let row = json!([{ "id": id, "closed": "2026-01-10", "amount": 5, "owner": "ann" }]);
        let bearer = format!("Bearer {}", office.keys["source"]);
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        office.host.call("POST", "/v1/transactions", &headers, row.to_string().as_bytes())
    };
    assert_eq!(send("crm:1").status, 202);
    let refused = send("D-ann").problem(403, "outside_scope");
    assert_eq!(refused["errors"][0]["pointer"], "/0");
    office.call("source", "GET", "/v1/transactions", "").problem(403, "forbidden");
    office.call("source", "GET", "/v1/transactions/crm:1", "").problem(403, "forbidden");
}
