//! A rollup policy swapped while deals pour in: every credit is what one ruleset alone would give.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use rust_decimal::Decimal;

use crate::company;
use crate::server::Server;

/// Clients that send deals at the same time.
const LANES: usize = 16;

#[test]
fn every_credit_equals_what_its_ruleset_alone_gives_and_no_request_fails() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = company::write(dir.path());
    let server = Server::start(&dir.path().join("swap.redb"), &workspace);
    let deals = company::deals(1600);
    let pouring = AtomicBool::new(true);
    let mut percent_of: BTreeMap<String, u32> = BTreeMap::new();
    let first = server.get("/v1/status").json()["ruleset"].as_str().unwrap().to_owned();
    percent_of.insert(first, 100);
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES)
            .map(|lane| {
                let (server, deals) = (&server, &deals);
                scope.spawn(move || {
                    for (index, deal) in deals.iter().enumerate().filter(|(i, _)| i % LANES == lane)
                    {
                        let reply = server.hook(&format!("msg_{index}"), deal).unwrap();
                        assert_eq!(reply.status, 202, "{}", reply.body);
                    }
                })
            })
            .collect();
        let swaps = scope.spawn(|| {
            let mut seen = Vec::new();
            for percent in (1..).map(|n| n % 50 + 1) {
                if !pouring.load(Ordering::Relaxed) && seen.len() >= 20 {
                    return seen;
                }
                let reply = server.put_policy("rollup", "share", &company::rollup(percent));
                assert_eq!(reply.status, 200, "{}", reply.body);
                let ruleset =
                    server.get("/v1/status").json()["ruleset"].as_str().unwrap().to_owned();
                seen.push((ruleset, percent));
            }
            seen
        });
        for lane in lanes {
            lane.join().unwrap();
        }
        pouring.store(false, Ordering::Relaxed);
        percent_of.extend(swaps.join().unwrap());
    });
    server.settle();
    assert!(percent_of.len() > 2, "no swap happened while deals poured in");
    let credits = server.credits("");
    let mut rulesets: BTreeMap<&str, &str> = BTreeMap::new();
    let amount = |credit: &serde_json::Value| -> Decimal {
        credit["amount"].as_str().unwrap().parse().unwrap()
    };
    let sources: BTreeMap<&str, Decimal> =
        credits.iter().map(|credit| (credit["id"].as_str().unwrap(), amount(credit))).collect();
    let mut indirect = 0;
    for credit in &credits {
        let ruleset = credit["ruleset"].as_str().unwrap();
        let transaction = credit["transaction"].as_str().unwrap();
        let known = rulesets.entry(transaction).or_insert(ruleset);
        assert_eq!(*known, ruleset, "{transaction} was decided on two rulesets");
        if credit["kind"] == "indirect" {
            indirect += 1;
            let source = sources[credit["source"].as_str().unwrap()];
            let percent = Decimal::from(percent_of[ruleset]);
            let expected = (source * percent / Decimal::from(100))
                .round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
            assert_eq!(amount(credit), expected, "{credit}");
        }
    }
    assert_eq!(rulesets.len(), deals.len());
    assert!(indirect >= deals.len() * 2);
}
