//! Credits, rewards and deals as CSV and NDJSON, beside the same lists in JSON pages.

use calamine::{Data, Reader as _};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use rust_decimal::Decimal;
use serde_json::Value;

use super::Host;
use crate::http::results::exports::{PARQUET, SPREADSHEET};

/// Deals of the test: more than two pages of an export.
const DEALS: usize = 1100;

/// Sellers of the test, each with a reward: more than a page of the export.
const SELLERS: usize = 520;

fn start() -> Host {
    let host = Host::start();

    let mut people = "id,name,title,manager,from,to\n".to_owned();
    for number in 0..SELLERS {
        people.push_str(&format!("s{number},Seller {number},Seller,,,\n"));
    }
    let plan = format!(
        "{}\n[[reward]]\nname = \"Commission\"\ntiers = [{{ rate = \"10%\" }}]\n",
        super::PLAN
    );
    let files = serde_json::json!({ "files": {
        "organization/participants.csv": people,
        "plans/sellers.toml": plan,
    } });
    let changed = host.api("POST", "/v1/changes", &[], &files.to_string());
    assert_eq!(changed.status, 200, "{}", changed.text);

    let mut deals = "id,closed,amount,owner\n".to_owned();
    for number in 0..DEALS {
        let (month, owner) = (number % 2 + 1, number / 2 % SELLERS);
        deals.push_str(&format!("=D{number:04},2026-0{month}-10,{number}.50,s{owner}\n"));
    }
    deals.push_str("nobody,2026-01-10,1,zed\n");
    let kind = [("content-type", "text/csv")];
    let sent = host.api("POST", "/v1/transactions", &kind, &deals);
    assert_eq!(sent.status, 202, "{}", sent.text);
    host.drained();
    host
}

/// Every row of a list, page by page.
fn pages(host: &Host, path: &str, limit: usize) -> Vec<Value> {
    let mark = if path.contains('?') { '&' } else { '?' };
    let (mut rows, mut cursor) = (Vec::new(), String::new());

    loop {
        let page = host.get(&format!("{path}{mark}limit={limit}{cursor}"));
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= limit, "{path}");
        rows.extend(data.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

/// A cell as a person would copy it out of the JSON.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            items.iter().map(|item| item.as_str().unwrap()).collect::<Vec<_>>().join(";")
        }
        Value::Object(pairs) => {
            let pairs = pairs.iter().map(|(key, text)| format!("{key}={}", text.as_str().unwrap()));
            pairs.collect::<Vec<_>>().join(";")
        }
        other => other.to_string(),
    };
    // A spreadsheet would run it.
    if text.starts_with('=') { format!("'{text}") } else { text }
}

/// Lists came in JSON pages alone: a spreadsheet needed a program of its own.
#[test]
fn exports_have_every_row_of_the_pages() {
    let host = start();

    for (path, least) in [
        ("/v1/credits", DEALS),
        ("/v1/credits?payee=s7", 2),
        ("/v1/credits?period=2026-01", DEALS / 2),
        ("/v1/credits?payee=unknown", 0),
        ("/v1/rewards", SELLERS),
        ("/v1/rewards?plan=sellers&period=2026-Q1", SELLERS),
        ("/v1/rewards?payee=s7", 1),
        ("/v1/rewards?plan=unknown", 0),
        ("/v1/transactions", DEALS + 1),
        ("/v1/transactions?id==D00&plan=sellers&outcome=credited", 100),
    ] {
        let rows = pages(&host, path, 170);
        assert!(rows.len() >= least && (least > 0) != rows.is_empty(), "{path}: {}", rows.len());

        let reply = host.api("GET", path, &[("accept", "application/x-ndjson")], "");
        assert_eq!((reply.status, reply.header("content-type")), (200, "application/x-ndjson"));
        let lines = reply.text.lines().map(|line| serde_json::from_str(line).unwrap());
        assert_eq!(lines.collect::<Vec<Value>>(), rows, "{path}");

        let reply = host.api("GET", path, &[("accept", "text/csv")], "");
        assert_eq!(reply.status, 200, "{path}");
        assert!(reply.header("content-type").starts_with("text/csv"), "{path}");
        let mut reader = csv::Reader::from_reader(reply.text.as_bytes());
        let columns = reader.headers().unwrap().clone();
        let found: Vec<Vec<String>> = reader
            .records()
            .map(|record| record.unwrap().iter().map(str::to_owned).collect())
            .collect();
        let of_row = |row: &Value| {
            assert_eq!(row.as_object().unwrap().len(), columns.len(), "{path}: {row}");
            columns.iter().map(|column| cell(&row[column])).collect::<Vec<_>>()
        };
        assert_eq!(found, rows.iter().map(of_row).collect::<Vec<_>>(), "{path}");
    }

    let columns = host.api("GET", "/v1/credits?payee=x", &[("accept", "text/csv")], "");
    assert_eq!(columns.text.trim(), accredit_domain::credit::fields::CREDIT_COLUMNS.join(","));

    // What is wrong with the request is told before the export begins.
    for path in ["credits?limit=5", "credits?period=x", "rewards?cursor=x", "transactions?x=1"] {
        let accept = [("accept", "text/csv")];
        host.api("GET", &format!("/v1/{path}"), &accept, "").problem(400, "bad_request");
    }
}

/// A list as a file of this type.
fn file_of(host: &Host, path: &str, media_type: &str) -> Vec<u8> {
    file_for(host, "test-token", path, media_type)
}

/// The same for the one with this token.
fn file_for(host: &Host, token: &str, path: &str, media_type: &str) -> Vec<u8> {
    let url = format!("{}{path}", host.running().url);
    let request = host.agent.get(&url).header("authorization", format!("Bearer {token}"));
    let mut answer = request.header("accept", media_type).call().unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    assert_eq!(answer.headers()["content-type"], media_type);
    answer.body_mut().read_to_vec().unwrap()
}

/// A cell of Parquet as the JSON of the list would have it.
fn field_text(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Int(count) => count.to_string(),
        Field::Date(days) => {
            let first = jiff::civil::date(1970, 1, 1);
            first.checked_add(jiff::Span::new().days(i64::from(*days))).unwrap().to_string()
        }
        Field::Decimal(amount) => {
            let bytes: [u8; 16] = amount.data().try_into().unwrap();
            // The library has 28 digits, and the file 38.
            let (whole, scale) =
                (i128::from_be_bytes(bytes), u32::try_from(amount.scale()).unwrap());
            assert_eq!(scale, 18);
            let short = whole / 10_i128.pow(8);
            assert_eq!(short * 10_i128.pow(8), whole);
            Decimal::from_i128_with_scale(short, 10).normalize().to_string()
        }
        other => panic!("{other:?}"),
    }
}

/// A cell of the list, an amount without zeros at its end.
fn plain_cell(value: &Value, is_amount: bool) -> String {
    let text = cell(value);
    let amount = text.parse::<Decimal>().ok().filter(|_| is_amount);
    let text = text.strip_prefix("'=").map_or(text.clone(), |rest| format!("={rest}"));
    amount.map_or(text, |amount| amount.normalize().to_string())
}

const AMOUNT_COLUMNS: [&str; 6] =
    ["amount", "credited", "quota", "attainment", "opening", "balance"];

/// Parquet and spreadsheets were to be had of `calculate` alone, and of credits.
#[test]
fn files_with_types_have_every_row_and_digit() {
    let host = start();
    let path = "/v1/calculations/sellers/2026-01/release";
    let body = r#"{"what": "rewards", "force": true, "reason": "x"}"#;
    let released = host.api("POST", path, &[], body);
    assert_eq!(released.status, 200, "{}", released.text);

    for path in ["/v1/credits", "/v1/rewards", "/v1/transactions", "/v1/statements", "/v1/balances"]
    {
        let rows = pages(&host, path, 900);
        assert!(!rows.is_empty() || path == "/v1/balances", "{path}");
        let expected: Vec<Vec<(String, String)>> = rows
            .iter()
            .map(|row| {
                let cells = row.as_object().unwrap().iter();
                let cells = cells.map(|(name, value)| {
                    (name.clone(), plain_cell(value, AMOUNT_COLUMNS.contains(&name.as_str())))
                });
                cells.collect()
            })
            .collect();

        let bytes = bytes::Bytes::from(file_of(&host, path, PARQUET));
        let reader = SerializedFileReader::new(bytes).unwrap();
        let found: Vec<Vec<(String, String)>> = reader
            .get_row_iter(None)
            .unwrap()
            .map(|row| {
                let row = row.unwrap();
                let cells = row.get_column_iter();
                let mut cells: Vec<(String, String)> =
                    cells.map(|(name, field)| (name.clone(), field_text(field))).collect();
                cells.sort();
                cells
            })
            .collect();
        assert_eq!(found, expected, "{path}");

        let bytes = std::io::Cursor::new(file_of(&host, path, SPREADSHEET));
        let mut book: calamine::Xlsx<_> = calamine::open_workbook_from_rs(bytes).unwrap();
        let sheet = book.worksheet_range_at(0).unwrap().unwrap();
        assert_eq!(sheet.height(), rows.len() + 1, "{path}");
        let names: Vec<String> =
            sheet.rows().next().unwrap().iter().map(ToString::to_string).collect();
        for (cells, row) in sheet.rows().skip(1).zip(&rows) {
            for (name, found) in names.iter().zip(cells) {
                let is_amount = AMOUNT_COLUMNS.contains(&name.as_str());
                let expected = plain_cell(&row[name], is_amount);
                let found = match found {
                    Data::Empty => String::new(),
                    Data::DateTime(day) => {
                        let days: i64 = format!("{:.0}", day.as_f64()).parse().unwrap();
                        let first = jiff::civil::date(1899, 12, 30);
                        first.checked_add(jiff::Span::new().days(days)).unwrap().to_string()
                    }
                    Data::Float(number) => number.to_string(),
                    other => other.to_string(),
                };
                assert_eq!(found, expected, "{path} {name}");
            }
        }
    }
}

/// The rows of the first sheet of a workbook, its header first.
fn sheet_rows(bytes: Vec<u8>) -> Vec<Vec<String>> {
    let bytes = std::io::Cursor::new(bytes);
    let mut book: calamine::Xlsx<_> = calamine::open_workbook_from_rs(bytes).unwrap();
    let sheet = book.worksheet_range_at(0).unwrap().unwrap();
    sheet.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect()
}

/// A payee could copy a list of credits out of a page, and nothing else.
#[test]
fn payees_have_their_own_rows_as_spreadsheets_and_no_others() {
    let host = start();
    let body = r#"{"what": "rewards", "force": true, "reason": "x"}"#;
    let path = "/v1/calculations/sellers/2026-01/release";
    assert_eq!(host.api("POST", path, &[], body).status, 200);
    let wanted = r#"{"name": "s7", "role": "payee", "participant": "s7"}"#;
    let key = host.api("POST", "/v1/keys", &[], wanted).json()["key"].clone();
    let (key, bearer) = (key.as_str().unwrap(), format!("Bearer {}", key.as_str().unwrap()));
    let all = host.get("/v1/rewards?plan=sellers&period=2026-01&limit=1000");
    assert_eq!(all["data"].as_array().unwrap().len(), SELLERS, "others have rewards as well");

    let mut seen = 0;
    for (path, hidden) in [("/v1/me/credits", 1), ("/v1/me/rewards", 0), ("/v1/me/balances", 0)] {
        let page = host.call("GET", path, &[("authorization", &bearer)], b"").json();
        let page = page["data"].as_array().unwrap().clone();
        let rows = sheet_rows(file_for(&host, key, path, SPREADSHEET));
        let (names, rows) = rows.split_first().unwrap();
        assert_eq!(rows.len(), page.len(), "{path}");
        seen += rows.len();
        for (row, shown) in rows.iter().zip(&page) {
            assert_eq!(names.len() + hidden, shown.as_object().unwrap().len(), "{path} {shown}");
            for (name, found) in names.iter().zip(row).filter(|(name, _)| !name.contains("date")) {
                let expected = plain_cell(&shown[name], AMOUNT_COLUMNS.contains(&name.as_str()));
                assert_eq!(*found, expected, "{path} {name}");
            }
        }
    }
    assert_eq!(seen, 3, "two credits and a reward");

    let rows = sheet_rows(file_for(&host, key, "/v1/me/statements", SPREADSHEET));
    let column = |name: &str| rows[0].iter().position(|known| known == name).unwrap();
    let (payee, kind, name) = (column("payee"), column("kind"), column("name"));
    let found: Vec<[&str; 3]> =
        rows[1..].iter().map(|row| [payee, kind, name].map(|at| row[at].as_str())).collect();
    let (credit, reward) = (["s7", "credit", "Booking"], ["s7", "reward", "Commission"]);
    assert_eq!(found, [credit, credit, reward]);

    // The rules of every export hold: of one page there is none.
    let csv = [("accept", "text/csv"), ("authorization", bearer.as_str())];
    let limited = host.call("GET", "/v1/me/credits?limit=5", &csv, b"");
    limited.problem(400, "bad_request");
    let narrowed = host.call("GET", "/v1/me/credits?period=2025-12", &csv, b"");
    assert_eq!((narrowed.status, narrowed.text.lines().count()), (200, 1), "{}", narrowed.text);
}

/// There was no list of deals: `GET /v1/transactions` answered 405.
#[test]
fn deals_are_listed_and_narrowed() {
    let host = start();
    let ids = |path: &str| {
        let rows = pages(&host, path, 300);
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };

    let mut all: Vec<String> = (0..DEALS).map(|number| format!("=D{number:04}")).collect();
    let odd = |remainder: usize| {
        (0..DEALS).filter(move |number| number % 2 == remainder).map(|n| format!("=D{n:04}"))
    };
    assert_eq!(ids("/v1/transactions?period=2026-02&outcome=credited"), odd(1).collect::<Vec<_>>());
    assert_eq!(ids("/v1/transactions?outcome=uncredited&plan=sellers"), ["nobody"]);
    assert_eq!(ids("/v1/transactions?id=no"), ["nobody"]);
    assert!(ids("/v1/transactions?plan=others").is_empty());
    all.push("nobody".to_owned());
    assert_eq!(ids("/v1/transactions"), all);

    let row = &host.get("/v1/transactions?id=nobody")["data"][0];
    assert_eq!(row["version"], 1);
    assert_eq!((&row["date"], &row["period"]), (&"2026-01-10".into(), &"2026-01".into()));
    assert_eq!(row["outcomes"]["sellers"], "uncredited");
    assert!(row["delivery"].is_string() && row["source"].is_string(), "{row}");

    for query in ["outcome=x", "period=x", "cursor=x", "cursor=18446744073709551615", "limit=0"] {
        host.api("GET", &format!("/v1/transactions?{query}"), &[], "").problem(400, "bad_request");
    }
    for cursor in ["x", "e30", ""] {
        host.api("GET", &format!("/v1/rewards?cursor={cursor}"), &[], "")
            .problem(400, "bad_request");
    }
}
