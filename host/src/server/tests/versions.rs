//! Which version of a deal counts: by one rule, on the server and in `calculate`, whatever clocks the
//! source has and in whichever order versions arrive.

use std::collections::BTreeSet;

use accredit_crediting::calculation;
use accredit_domain::transaction::read;

use super::{Host, deal};

/// All that the clock of a source may show, as JSON; none where the row has no such column.
const CLOCKS: [Option<&str>; 10] = [
    None,
    Some("\"\""),
    Some("null"),
    Some("9"),
    Some("\"10\""),
    Some("\"v2\""),
    Some("\"2026-01-10\""),
    Some("\"2026-01-10T09:00:00Z\""),
    Some("\"2026-01-10T10:00:00+01:00\""),
    Some("\"2026-01-10T09:00:00.5Z\""),
];

const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// Three versions of a deal, each with another amount.
fn versions(id: &str, clocks: [usize; 3]) -> Vec<String> {
    let version = |(clock, amount): (usize, usize)| {
        let clock = CLOCKS[clock].map(|clock| format!(",\"updated\":{clock}")).unwrap_or_default();
        format!("{{\"id\":\"{id}\",\"closed\":\"2026-01-10\",\"amount\":{amount}{clock}}}")
    };
    clocks.into_iter().zip(1..).map(version).collect()
}

fn import(host: &Host, rows: &[String]) {
    let kind = [("content-type", "application/x-ndjson")];
    let reply = host.api("POST", "/v1/transactions", &kind, &rows.join("\n"));
    assert_eq!(reply.status, 202, "{}", reply.text);
}

#[test]
fn one_version_counts_in_every_order_of_arrival() {
    // The server followed the order of arrival where clocks were equal or of unlike kinds, and
    // `calculate` did not: thirty orders of the same rows gave three results.
    let host = Host::start();
    let ruleset = host.running().service.context.ruleset.load_full();
    let mut apart: [Vec<String>; 3] = Default::default();
    let mut together = Vec::new();
    let mut expected: Vec<(String, String)> = Vec::new();
    for first in 0..CLOCKS.len() {
        for (second, third) in
            (first..CLOCKS.len()).flat_map(|b| (b..CLOCKS.len()).map(move |c| (b, c)))
        {
            let mut results = BTreeSet::new();
            for (number, order) in ORDERS.into_iter().enumerate() {
                let id = format!("{first}-{second}-{third}-{number}");
                let rows = versions(&id, [first, second, third]);
                let rows: Vec<String> =
                    order.into_iter().map(|place| rows[place].clone()).collect();

                let records = read::read_ndjson(rows.join("\n").as_bytes()).unwrap();
                let latest = calculation::latest_versions(&ruleset, &records, None);
                assert_eq!(latest.len(), 1);
                let amount = latest[0].amount().unwrap().to_string();
                results.insert(amount.clone());
                expected.push((id, amount));

                let alone = rows.iter().map(|row| row.replace("\"id\":\"", "\"id\":\"apart-"));
                apart.iter_mut().zip(alone).for_each(|(delivery, row)| delivery.push(row));
                together.extend(rows);
            }
            // Without any clock the order of receipt counts, which both sides see alike.
            let clocks = [first, second, third].map(|clock| CLOCKS[clock]);
            if clocks.iter().any(|clock| !matches!(clock, None | Some("\"\"" | "null" | "\"v2\"")))
            {
                assert_eq!(results.len(), 1, "{clocks:?}: {results:?}");
            }
        }
    }

    import(&host, &together);
    apart.iter().for_each(|rows| import(&host, rows));
    host.drained();

    let ledger = &host.running().service.context.ledger;
    for (id, amount) in expected {
        for id in [id.clone(), format!("apart-{id}")] {
            let stored = ledger.find_transaction(&id).unwrap().unwrap();
            let json = stored.record.to_json();
            assert_eq!(json["amount"].to_string(), amount, "{id}");
        }
    }
}

/// What the server says of a deal's amount.
fn amount(host: &Host, id: &str) -> String {
    host.drained();
    host.get(&format!("/v1/transactions/{id}"))["columns"]["amount"].to_string()
}

#[test]
fn an_import_is_a_duplicate_when_it_says_nothing_new() {
    // The third import was a duplicate by the hash of its body, and the deal stayed at 200.
    let host = Host::start();
    let send = |amount: &str, headers: &[(&str, &str)]| {
        let mut headers = headers.to_vec();
        headers.push(("content-type", "application/x-ndjson"));
        let reply = host.api("POST", "/v1/transactions", &headers, &deal("D1", amount, ""));
        assert_eq!(reply.status, 202, "{}", reply.text);
        host.drained();
        reply.json()["duplicate"].clone()
    };
    assert_eq!(send("100", &[]), false);
    assert_eq!(send("200", &[]), false);
    assert_eq!(send("100", &[]), false);
    assert_eq!(amount(&host, "D1"), "100");
    assert_eq!(send("100", &[]), true, "it says that already");

    // A delivery is one by its id.
    let key = [("idempotency-key", "monday")];
    assert_eq!(send("300", &key), false);
    assert_eq!(send("400", &[]), false);
    assert_eq!(send("300", &key), true);
    assert_eq!(amount(&host, "D1"), "400");
}

#[test]
fn rows_that_contradict_each_other_are_an_alert() {
    // Of two rows with one key the last won, silently: 1,000 became 5.
    let host = Host::start();
    let rows = [deal("D1", "1000", ""), deal("D2", "7", ""), deal("D1", "5", "")].join("\n");
    let kind = [("content-type", "application/x-ndjson")];
    let answer = host.api("POST", "/v1/transactions", &kind, &rows).json();
    assert_eq!(answer["warnings"][0]["code"], "CR077", "{answer}");
    assert_eq!(answer["warnings"][0]["line"], 3);
    let detail = answer["warnings"][0]["detail"].as_str().unwrap();
    assert!(detail.starts_with("3 rows are 2 deals: ") && detail.ends_with("`D1` (2 rows)"));
    assert_eq!(amount(&host, "D1"), "5");
    let alerts = host.get("/v1/alerts?code=conflict")["data"].clone();
    assert_eq!(alerts.as_array().map(Vec::len), Some(1), "{alerts}");
    assert_eq!(alerts[0]["transaction"], "D1");

    // A clock orders them, and a later delivery contradicts nothing.
    let at = |amount: &str, time: &str| deal("D3", amount, &format!(",\"updated\":\"{time}\""));
    let rows = [at("2", "2026-01-10T10:00:00Z"), at("1", "2026-01-10T09:00:00Z")].join("\n");
    let answer = host.api("POST", "/v1/transactions", &kind, &rows).json();
    assert!(answer.get("warnings").is_none(), "{answer}");
    host.deliver("msg_1", &deal("D1", "1000", ""));
    host.drained();
    assert_eq!(host.get("/v1/alerts?code=conflict")["data"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_source_that_sends_parts_has_them_laid_over_what_was_there() {
    // After a whole deal a CRM sent its amount alone, and its owner and its credits were gone.
    let host = Host::start();
    host.deliver("msg_1", &deal("A", "100", ""));
    assert_eq!(host.credits("A")[0]["amount"], "100.00");
    let answer = host.deliver("msg_2", "{\"id\":\"A\",\"amount\":500}").json();
    assert_eq!(answer["columns_missing"]["A"], serde_json::json!(["closed", "owner"]));
    host.drained();
    let alerts = host.get("/v1/alerts?code=columns_missing")["data"].clone();
    let message = alerts[0]["message"].as_str().unwrap();
    assert!(message.contains("`closed`, `owner`"), "{alerts}");

    let settings = std::fs::read_to_string(host.directory().join("accredit.toml")).unwrap();
    let files = serde_json::json!({ "accredit.toml": settings + "merge = true\n" });
    let change = serde_json::json!({ "files": files }).to_string();
    let json = [("content-type", "application/json")];
    let reply = host.api("POST", "/v1/changes", &json, &change);
    assert!(reply.status < 300, "{}", reply.text);
    host.deliver("msg_3", &deal("B", "100", ",\"updated\":5"));
    let answer = host.deliver("msg_4", "{\"id\":\"B\",\"amount\":500,\"updated\":7}").json();
    assert!(answer.get("columns_missing").is_none(), "{answer}");
    assert_eq!(host.credits("B")[0]["amount"], "500.00");
    // A part that comes late changes nothing that came later.
    host.deliver("msg_5", "{\"id\":\"B\",\"amount\":1,\"updated\":6}");
    assert_eq!(host.credits("B")[0]["amount"], "500.00");
}

#[test]
fn versions_that_arrive_together_are_counted_and_kept_one_by_one() {
    // A batch records the deal as it is at its end. The versions between, and those that came late,
    // must be counted and kept as if each had been recorded by itself.
    let host = Host::start();
    let at = |id: &str, clock: u32, more: &str| {
        deal(id, &clock.to_string(), &format!(",\"updated\":{clock}{more}"))
    };
    let late = ",\"only_in_a_late_version\":1";
    import(&host, &[at("D1", 5, ""), at("D1", 3, late), at("D1", 7, ""), at("D2", 1, "")]);
    import(&host, &[at("D1", 6, ""), at("D1", 4, ""), at("D1", 9, ""), at("D1", 9, "")]);
    import(&host, &[at("D2", 2, ""), at("D3", 1, ""), at("D0", 1, "")]);
    host.drained();

    let deals = host.get("/v1/transactions")["data"].clone();
    let counts = |row: &serde_json::Value| {
        let number = |name: &str| row[name].as_u64().unwrap();
        (row["id"].as_str().unwrap().to_owned(), number("version"), number("superseded"))
    };
    let counts: Vec<_> = deals.as_array().unwrap().iter().map(counts).collect();
    let expected = [("D1", 3, 3), ("D2", 2, 0), ("D3", 1, 0), ("D0", 1, 0)];
    assert_eq!(counts, expected.map(|(id, version, late)| (id.to_owned(), version, late)));

    // A late version changes its count alone, and what was decided stays.
    let credits = host.credits("D1");
    import(&host, &[at("D1", 8, "")]);
    host.drained();
    let row = host.get("/v1/transactions/D1");
    assert_eq!((row["version"].as_u64(), row["superseded"].as_u64()), (Some(3), Some(4)));
    assert_eq!(host.credits("D1"), credits);

    // By deal and delivery: what was replaced, and what came late.
    let mut dump = Vec::new();
    host.running().service.context.ledger.dump("", false, &mut dump).unwrap();
    let dump = String::from_utf8(dump).unwrap();
    let rows = |table: &str| {
        let begin = format!("{{\"table\":\"{table}\"");
        dump.lines().filter(|line| line.starts_with(&begin)).collect::<Vec<_>>()
    };
    assert_eq!(rows("history").len(), 4);
    assert!(rows("columns").iter().any(|line| line.contains("only_in_a_late_version")));
}
