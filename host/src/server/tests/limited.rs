//! Limits of rate: of clients that the server does not know, and of sources.

use accredit_domain::rate_limit::RateLimit;
use accredit_hubspot::{SignedParts, sign_request};
use accredit_seams::connector::{Connector, SampleDeal};
use accredit_workspace::Ruleset;
use secrecy::SecretString;
use serde_json::json;

use super::{Host, Reply, deal};
use crate::plugins;
use crate::server::clock::HostClock;
use crate::server::config::Config;
use crate::server::credentials::secret_variable;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// A number from the environment, so that a long campaign can ask for more.
fn count(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn start(proxies: &[&str], limit: &str) -> Host {
    let proxies: Vec<String> = proxies.iter().map(|one| (*one).to_owned()).collect();
    let limit: RateLimit = limit.parse().unwrap();
    Host::start_with(move |config| {
        config.trusted_proxies = proxies.iter().map(|one| one.parse().unwrap()).collect();
        config.peer_limit = Some(limit);
    })
}

/// Limits that believed `X-Forwarded-For` were bypassed by a client that wrote another address each time.
#[test]
fn a_client_that_forges_its_address_is_one_client() {
    let host = start(&[], "20/hour");
    let (mut refused, mut limited) = (0, 0);
    for number in 0..count("ACCREDIT_SPOOFED", 1000) {
        let address = format!("10.{}.{}.{}", number % 7, number / 250, number % 250);
        let forwarded = format!("for={address}");
        let headers = [
            ("x-forwarded-for", address.as_str()),
            ("forwarded", &forwarded),
            ("x-real-ip", &address),
        ];
        let reply = match number % 4 {
            0 => host.call("GET", "/v1/credits", &headers, b""),
            1 => host.call("POST", "/hooks/crm", &headers, b"{}"),
            2 => host.call("POST", "/v1/session", &headers, b"{}"),
            _ => host.call("GET", "/docs/style.css", &headers, b""),
        };
        let policy = reply.header("ratelimit-policy");
        assert_eq!(policy, "\"client\";q=20;w=3600", "{number}: {} {}", reply.status, reply.text);
        if reply.status == 429 {
            limited += 1;
            reply.problem(429, "rate_limited");
            assert!(reply.header("retry-after").parse::<u32>().unwrap() <= 180);
            assert_eq!(reply.header("ratelimit").split(';').nth(1), Some("r=0"));
        } else {
            refused += 1;
            let left = format!("\"client\";r={};t=", 20 - refused);
            assert!(reply.header("ratelimit").starts_with(&left), "{}", reply.header("ratelimit"));
        }
    }
    assert_eq!(refused, 20);
    assert!(limited >= 980 || std::env::var("ACCREDIT_SPOOFED").is_ok(), "{limited}");

    // Those whom the server knows, senders and monitoring are not refused for it.
    assert_eq!(host.api("GET", "/v1/credits", &[], "").status, 200);
    assert_eq!(host.deliver("msg_1", &deal("D-1", "100", "")).status, 202);
    for path in ["/livez", "/readyz", "/metrics", "/version"] {
        assert_eq!(host.call("GET", path, &[], b"").status, 200, "{path}");
    }
    let text = host.call("GET", "/metrics", &[], b"").text;
    assert!(text.contains("accredit_requests_limited_total{limit=\"client\"}"), "{text}");
}

/// Behind a proxy everybody was one client.
#[test]
fn a_trusted_proxy_says_who_is_behind_it() {
    let host = start(&["127.0.0.1", "10.0.0.0/8"], "2/hour");
    let ask = |forwarded: &str| {
        host.call("GET", "/v1/credits", &[("x-forwarded-for", forwarded)], b"").status
    };
    // What the client wrote stands before what the proxy added.
    assert_eq!(
        [ask("1.1.1.1, 7.7.7.7"), ask("2.2.2.2, 7.7.7.7"), ask("3.3.3.3, 7.7.7.7")],
        [401, 401, 429]
    );
    assert_eq!(ask("7.7.7.7, 8.8.8.8, 10.1.1.1"), 401, "another one, by two proxies");
    // A customer of a provider has 2^64 addresses.
    let from = |number: u8| ask(&format!("2001:db8::{number}"));
    assert_eq!([from(1), from(2), from(3)], [401, 401, 429]);
    assert_eq!(ask("2001:db8:0:1::1"), 401);
}

/// The peers of sign-ins that fail are counted alike.
#[test]
fn a_server_without_the_limit_says_nothing_of_it() {
    let host = Host::start();
    let reply = host.call("GET", "/v1/credits", &[], b"");
    assert_eq!((reply.status, reply.header("ratelimit")), (401, ""));
}

/// Adds a source of each connector to the settings, with this limit.
fn add_sources(config: &mut Config, limit: &str) {
    let file = config.workspace.as_ref().unwrap().join("accredit.toml");
    let mut text = std::fs::read_to_string(&file).unwrap();
    for connector in plugins::connectors() {
        let (name, settings) = (connector.name(), connector.starter().settings);
        let settings = settings.replace("ORG", "acme");
        text.push_str(&format!(
            "\n[sources.of-{name}]\nconnector = \"{name}\"\n{settings}rate_limit = \"{limit}\"\n"
        ));
        let secret = SecretString::from(secret_of(*connector));
        let variable = secret_variable(&format!("of-{name}"));
        config.credentials.secrets.insert(variable, vec![secret]);
    }
    std::fs::write(file, text).unwrap();
}

fn secret_of(connector: &dyn Connector) -> &'static str {
    match connector.name() {
        "pipedrive" => "accredit:a-password-of-some-length",
        "standard-webhooks" | "stripe" => SECRET,
        _ => "a-token-of-some-length",
    }
}

/// Sends a request as the vendor does when a deal is closed.
fn send_sample(host: &Host, connector: &dyn Connector, number: i64) -> Reply {
    let source = format!("of-{}", connector.name());
    let files = crate::directory::watch::read_directory(&host.directory()).unwrap();
    let (ruleset, findings) = Ruleset::read(&files, &Default::default());
    let ruleset = ruleset.unwrap_or_else(|| panic!("{findings:?}"));
    let id = match connector.name() {
        "dynamics" => "3b4a5c66-0d1e-4f7a-9b8c-2d3e4f5a6b7c",
        "salesforce-outbound" | "salesforce-flow" => "0065g00000XyZabAAB",
        "stripe" => "in_1001",
        _ => "8",
    };
    let sent_ms = HostClock::default().now_ms() + number;
    let deal = SampleDeal {
        id,
        name: "Acme",
        amount: "100",
        owner: "7",
        closed_day: "2026-01-10",
        sent_ms,
    };
    let settings = &ruleset.settings.sources[&source].settings;
    let sample = connector.sample_request(&deal, settings, secret_of(connector)).unwrap();
    let mut path = format!("/hooks/{source}");
    if !sample.query.is_empty() {
        path = format!("{path}?{}", sample.query);
    }
    let headers: Vec<(&str, &str)> =
        sample.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    host.call("POST", &path, &headers, &sample.body)
}

/// Which status makes each vendor send again, and whether it reads `Retry-After`. Others lose the event:
/// Dynamics gives up at every status but 502, 503 and 504.
const VENDORS: [(&str, u16, bool); 9] = [
    ("dynamics", 503, false),
    ("generic", 503, true),
    ("hubspot", 503, true),
    ("pipedrive", 503, false),
    ("salesforce-flow", 503, true),
    ("salesforce-outbound", 503, false),
    ("standard-webhooks", 503, true),
    ("stripe", 503, true),
    ("zoho", 503, true),
];

#[test]
fn a_source_over_its_limit_hears_what_makes_its_vendor_come_back() {
    let host = Host::start_with(|config| add_sources(config, "2/hour"));
    let mut known: Vec<&str> = plugins::connectors().iter().map(|one| one.name()).collect();
    known.sort_unstable();
    assert_eq!(known, VENDORS.map(|(name, ..)| name));

    for (name, status, listens) in VENDORS {
        let connector = plugins::find_connector(name).unwrap();
        for number in 0..2 {
            let reply = send_sample(&host, connector, number);
            assert!((200..300).contains(&reply.status), "{name}: {} {}", reply.status, reply.text);
            assert_eq!(reply.header("ratelimit-policy"), "\"source\";q=2;w=3600", "{name}");
            let left = format!("\"source\";r={};t=", 1 - number);
            assert!(reply.header("ratelimit").starts_with(&left), "{}", reply.header("ratelimit"));
        }
        let refused = send_sample(&host, connector, 2);
        refused.problem(status, "unavailable");
        assert_eq!(!refused.header("retry-after").is_empty(), listens, "{name}");
        assert_eq!(refused.header("ratelimit").split(';').nth(1), Some("r=0"), "{name}");
    }

    // Strangers take nothing of what a source may send.
    for _ in 0..5 {
        host.call("POST", "/hooks/crm", &[], b"{}").problem(401, "unauthentic");
    }
    assert_eq!(host.deliver("msg_1", &deal("D-1", "100", "")).status, 202);
    let text = host.call("GET", "/metrics", &[], b"").text;
    assert!(text.contains("accredit_requests_limited_total{limit=\"source\"} 9"), "{text}");
}

/// Sets the limit of the source `crm`.
fn limit_crm(config: &mut Config, limit: &str) {
    let file = config.workspace.as_ref().unwrap().join("accredit.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, format!("{text}rate_limit = \"{limit}\"\n")).unwrap();
}

#[test]
fn what_was_refused_for_the_rate_is_taken_when_it_comes_again() {
    let host = Host::start_with(|config| limit_crm(config, "20/second"));
    let total = count("ACCREDIT_OVERLOAD", 60);
    let mut left: Vec<usize> = (0..total).collect();
    let (mut rounds, mut refused) = (0, 0);
    while !left.is_empty() {
        rounds += 1;
        assert!(rounds < 100 + total, "{} are left", left.len());
        left.retain(|number| {
            let id = format!("D-{number}");
            let reply = host.deliver(&format!("msg_{number}"), &deal(&id, "100", ""));
            refused += usize::from(reply.status == 503);
            assert!(reply.status == 202 || reply.status == 503, "{}", reply.text);
            reply.status == 503
        });
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(refused > 0, "nothing was refused");
    host.drained();
    let counts = host.get("/v1/status")["counts"].clone();
    assert_eq!(counts["transactions"], json!(total));
    assert_eq!(counts["direct"], json!(total), "each is credited once");
}

/// Pipedrive bans a receiver after ten refusals, and its events are lost: it is kept waiting instead.
#[test]
fn a_patient_vendor_waits_and_is_not_refused() {
    let host = Host::start_with(|config| add_sources(config, "5/second"));
    let connector = plugins::find_connector("pipedrive").unwrap();
    std::thread::scope(|scope| {
        let sent = (0..15).map(|number| {
            let host = &host;
            scope.spawn(move || send_sample(host, connector, number).status)
        });
        let sent: Vec<_> = sent.collect();
        for one in sent {
            assert!((200..300).contains(&one.join().unwrap()));
        }
    });
}

/// HubSpot sends ten requests at once, each with a hundred events.
#[test]
fn a_burst_of_a_crm_is_not_limited() {
    let host = Host::start_with(|config| {
        config.peer_limit = Some(RateLimit { count: 5, window_s: 3600 });
        let file = config.workspace.as_ref().unwrap().join("accredit.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let source = "[sources.hubspot]\nconnector = \"hubspot\"\n\
            url = \"https://accredit.example.com/hooks/hubspot\"\n";
        std::fs::write(file, format!("{text}\n{source}")).unwrap();
        let secrets = vec![SecretString::from("a-token-of-some-length")];
        config.credentials.secrets.insert(secret_variable("hubspot"), secrets);
    });
    let send = |first: usize| {
        let now_ms = HostClock::default().now_ms();
        let events = (first..first + 100).map(|number| {
            json!({
                "eventId": number, "subscriptionId": 1, "portalId": 7, "appId": 9,
                "occurredAt": now_ms, "subscriptionType": "deal.propertyChange",
                "attemptNumber": 0, "objectId": number, "changeSource": "CRM",
                "propertyName": "dealstage", "propertyValue": "closedwon",
            })
        });
        let body = serde_json::Value::from_iter(events).to_string();
        let timestamp = now_ms.to_string();
        let parts = SignedParts {
            method: "POST",
            url: "https://accredit.example.com/hooks/hubspot",
            body: body.as_bytes(),
            timestamp: &timestamp,
        };
        let signature = sign_request("a-token-of-some-length", &parts).unwrap();
        let headers = [
            ("x-hubspot-signature-v3", signature.as_str()),
            ("x-hubspot-request-timestamp", &timestamp),
            ("content-type", "application/json"),
        ];
        host.call("POST", "/hooks/hubspot", &headers, body.as_bytes())
    };
    std::thread::scope(|scope| {
        let sent: Vec<_> =
            (0..10).map(|number| scope.spawn(move || send(1000 * (number + 1)))).collect();
        for one in sent {
            let reply = one.join().unwrap();
            assert!((200..300).contains(&reply.status), "{}: {}", reply.status, reply.text);
            assert!(reply.header("ratelimit-policy").contains("q=1000000"));
        }
    });
    let text = host.call("GET", "/metrics", &[], b"").text;
    let accepted = "accredit_webhook_requests_total{source=\"hubspot\",outcome=\"accepted\"} 1000";
    assert!(text.contains(accepted), "{text}");
}
