//! Which version of a deal counts: by one rule, on the server and in `calculate`, whatever clocks the
//! source has and in whichever order versions arrive.

use std::collections::BTreeSet;

use accredit_crediting::calculation;
use accredit_domain::transaction::read;

use super::Host;

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
    let ruleset = host.running().service.ruleset.load_full();
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

                let records = read::ndjson(rows.join("\n").as_bytes()).unwrap();
                let latest = calculation::latest(&ruleset, &records, None);
                assert_eq!(latest.len(), 1);
                let amount = latest[0].amount().unwrap().to_string();
                results.insert(amount.clone());
                expected.push((id, amount));

                let alone = rows.iter().map(|row| row.replace("\"id\":\"", "\"id\":\"apart-"));
                apart.iter_mut().zip(alone).for_each(|(delivery, row)| delivery.push(row));
                together.extend(rows);
            }
            assert_eq!(results.len(), 1, "{first} {second} {third}: {results:?}");
        }
    }

    import(&host, &together);
    apart.iter().for_each(|rows| import(&host, rows));
    host.drained();

    let ledger = &host.running().service.ledger;
    for (id, amount) in expected {
        for id in [id.clone(), format!("apart-{id}")] {
            let stored = ledger.transaction(&id).unwrap().unwrap();
            let json = stored.record.to_json();
            assert_eq!(json["amount"].to_string(), amount, "{id}");
        }
    }
}
