//! A customer's directory as consultants deliver it, checked by the real program: each case opens
//! with what went wrong, and says what `accredit check --format json` must answer.
//!
//! Not scripts (`check`) and not what is calculated (the case files of `tests/fixtures/goldens`).
//! Source: FORMAT sections 1, 2, 3 and 6.

use std::path::Path;

use serde_json::Value as Json;

use crate::company;
use crate::server::run;

/// A workspace, two people and a plan, without a finding.
const SOUND: [(&str, &str); 4] = [
    (
        "accredit.toml",
        "[workspace]\nname = \"Acme\"\n\n[fields]\nid = \"id\"\ndate = \"date\"\n\
         amount = \"amount\"\nowner = \"owner\"\n",
    ),
    ("organization/participants.csv", "id,title\nann,Rep\nbob,Rep\n"),
    (
        "plans/deals.toml",
        "name = \"Deals\"\n[[direct]]\nname = \"D\"\n[[direct.results]]\nname = \"R\"\n",
    ),
    ("transactions/deals.csv", "id,date,owner,amount\nA,2022-01-12,ann,100\n"),
];

/// What the check says of the sound directory with `changes`, a line each: severity, code, place,
/// message, and behind `|` the help.
fn findings(changes: &[(&str, &[u8])]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in SOUND {
        company::put(dir.path(), path, text);
    }
    for (path, bytes) in changes {
        let path = dir.path().join(Path::new(path));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let (code, out, error) = run(&["check", dir.path().to_str().unwrap(), "--format", "json"]);
    let found: Vec<Json> = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}"));
    let errors = found.iter().any(|finding| finding["severity"] == "error");
    assert_eq!(code, i32::from(errors), "{out}");
    let text = |finding: &Json, key: &str| finding[key].as_str().unwrap_or("").to_owned();
    let shown = found.iter().map(|finding| {
        let [severity, code, file] = ["severity", "code", "file"].map(|key| text(finding, key));
        let (line, column) = (&finding["line"], &finding["column"]);
        assert!(line.as_u64() > Some(0) && column.as_u64() > Some(0), "counted from 1: {out}");
        let [message, help] = ["message", "help"].map(|key| text(finding, key));
        assert!(!help.is_empty(), "no help: {out}");
        format!("{severity} {code} {file}:{line}:{column} {message} | {help}")
    });
    shown.collect()
}

/// The sound directory with one file changed has exactly these findings; each is compared up to
/// what is written here.
#[track_caller]
fn check(path: &str, content: &str, expected: &[&str]) {
    check_bytes(path, content.as_bytes(), expected);
}

#[track_caller]
fn check_bytes(path: &str, content: &[u8], expected: &[&str]) {
    let found = findings(&[(path, content)]);
    assert_eq!(found.len(), expected.len(), "{path}: {found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{path}:\n  {found}\n  {expected}");
    }
}

const DEALS: &str = "transactions/deals.csv";
const PEOPLE: &str = "organization/participants.csv";
const SETTINGS: &str = "accredit.toml";

#[test]
fn files_as_spreadsheets_and_mac_or_windows_write_them() {
    assert_eq!(findings(&[]), Vec::<String>::new());
    // Byte order marks, carriage returns, quotes, empty rows with their commas.
    check(DEALS, "\u{feff}id,date,owner,amount\r\nA,2022-01-12,\"ann\",100\r\n,,,\r\n \r\n", &[]);
    check(PEOPLE, "\u{feff}id,title\r\nann,\"Rep, West\"\r\nbob,Rep\r\n,\r\n , \r\n", &[]);
    check("transactions/more.ndjson", "\u{feff}{\"id\": \"B\"}\r\n\r\n", &[]);
    // Empty columns to the right of the table; notes, and what file managers leave behind.
    check(DEALS, "id,date,owner,amount,,\nA,2022-01-12,ann,100,,\n", &[]);
    check("transactions/README.md", "Exported on Fridays.", &[]);
    check("transactions/.DS_Store", "\u{0}", &[]);
    check("reports/2022.csv", "the customer's own", &[]);
}

#[test]
fn rows_that_cannot_be_read_have_a_line_and_advice() {
    // "transactions/t.csv:0:0" led nowhere, and nothing said what to do.
    let cells = "quote a cell that contains a comma; a blank cell needs its comma";
    let short = "id,date,owner,amount\nA,2022-01-12,ann,100\nB,2022-01-12,Hill, Ann,100\n";
    let wrong = format!("error CR030 {DEALS}:3:1 5 cells where the header has 4 | {cells}");
    check(DEALS, short, &[&wrong]);
    check(DEALS, &short.replace('\n', "\r\n"), &[&wrong]);
    check(
        "transactions/more.csv",
        "id,date,amount,owner\nB,2022-01-12,1,\"ann\nC,2022-01-12,100,bob\n",
        &[
            "error CR030 transactions/more.csv:2:16 a quoted cell does not end with its quote | close",
        ],
    );
    // Of two columns of one name the last one was read, and the other one's amount was lost.
    check(
        DEALS,
        "id,date,owner,amount,amount\nA,2022-01-12,ann,100,90\n",
        &["error CR030 transactions/deals.csv:1:1 the header has the column `amount` twice"],
    );
    check(
        "transactions/more.ndjson",
        "{\"id\": \"B\"}\n\n{\"id\": \"C\"\n",
        &["error CR030 transactions/more.ndjson:3:10 EOF while parsing an object | write one JSON"],
    );
    check(
        "transactions/more.ndjson",
        "{\"id\": \"Größe\", \"x\" 1}\n",
        &["error CR030 transactions/more.ndjson:1:21 expected `:` | write one JSON"],
    );
    check(
        "transactions/more.pdf",
        "PK",
        &["error CR050 transactions/more.pdf:1:1 expected a file of transactions: .csv, .ndjson"],
    );
    // Latin-1, as an old Excel saves it: the place is that of the first odd character.
    let latin = "from here the file is not UTF-8 | save it as UTF-8";
    let wrong =
        [format!("error CR052 {DEALS}:2:17 {latin}"), format!("error CR052 {PEOPLE}:2:4 {latin}")];
    check_bytes(DEALS, b"id,date,owner,amount\nA,2022-01-12,Jos\xe9,100\n", &[&wrong[0]]);
    check_bytes(PEOPLE, b"id,title\nJos\xe9,Rep\n", &[&wrong[1]]);
    let plan = format!("error CR052 plans/deals.toml:1:13 {latin}");
    check_bytes("plans/deals.toml", b"name = \"Stra\xdfe\"\n", &[&plan]);
}

#[test]
fn files_and_folders_with_a_slip_in_their_name_are_not_passed_over() {
    // A folder `organisation` was read by nothing, and every deal was uncredited.
    let nothing = |path: &str, help: &str| {
        format!("warning CR050 {path}:1:1 nothing reads `{path}` | {help}")
    };
    let cases = [
        ("organisation/teams.csv", "did you mean `organization/teams.csv`?"),
        ("plan/reps.toml", "did you mean `plans`?"),
        ("transaction/deals.csv", "did you mean `transactions`?"),
        ("transactions/2022/deals.csv", "rows are in transactions/NAME.csv"),
        ("plans/reps.TOML", "the name must end with `.toml`, in small letters"),
        ("plans/old/reps.toml", "a plan is a file plans/NAME.toml"),
        ("policies/hold/limit.rhai.txt", "the name must end with `.rhai`, in small letters"),
        ("organization/teams.xlsx", "export the sheet as `CSV UTF-8`, with commas"),
        ("organization/Teams.csv", "did you mean `organization/teams.csv`?"),
    ];
    for (path, help) in cases {
        check(path, "", &[&nothing(path, help)]);
    }
}

#[test]
fn a_plan_without_rules_is_not_passed_over() {
    let found = "warning CR023 plans/deals.toml:1:1 the plan has no rule, and credits nobody | add";
    check("plans/deals.toml", "name = \"Deals\"\n", &[found]);
}

#[test]
fn settings_say_what_to_write_instead() {
    // "`scale` must be a whole number from 0 to 18; this is a number": true, and no help.
    let cases = [
        ("scale = 29", "5:9 `scale` must be a whole number from 0 to 18 | 29 is outside of it"),
        (
            "scale = \"2\"",
            "5:9 `scale` must be a whole number from 0 to 18 | write it without quotes",
        ),
        ("scale = 2.0", "5:9 `scale` must be a whole number from 0 to 18 | numbers with decimals"),
        ("currency = 5", "5:12 `currency` must be text in quotes | write it in quotes: \"5\""),
        ("currency = []", "5:12 `currency` must be text in quotes | write something in the"),
    ];
    for (line, expected) in cases {
        let settings =
            format!("[fields]\nid = \"id\"\ndate = \"date\"\n[workspace]\n{line}\nname = \"A\"\n");
        let expected = format!("error CR024 {SETTINGS}:{expected}");
        let owner = "warning CR025 plans/deals.toml:2:1 no column is mapped to `owner`";
        check(SETTINGS, &settings, &[&expected, owner]);
    }
}

#[test]
fn columns_calendars_and_tables_say_what_to_write_instead() {
    let sound = SOUND[0].1;
    let cases = [
        ("owner = \"owner\"", "owner = []", "CR024", "8:9 `owner` must be a column or a list"),
        ("\"owner\"", "[\"owner\", \"owner\"]", "CR026", "8:19 `owner` is listed twice | keep one"),
        ("id = \"id\"", "id = [\"id\", \"id\"]", "CR026", "5:13 `id` is listed twice | keep one"),
        (
            "date = \"date\"",
            "date = { field = \"date\", format = \"%Y-%m\" }",
            "CR024",
            "6:35 `format` must be a format with year, month and day, such as \"%m/%d/%Y\" | %Y is",
        ),
        (
            "[workspace]",
            "credit_types = \"booking\"\n[workspace]",
            "CR024",
            "1:16 `credit_types` must be a list in brackets | write it in brackets: [\"booking\"]",
        ),
    ];
    for (from, to, code, expected) in cases {
        let expected = format!("error {code} {SETTINGS}:{expected}");
        check(SETTINGS, &sound.replace(from, to), &[&expected]);
    }
    // The author had not written USD anywhere.
    check(
        SETTINGS,
        &format!("unit_types = [\"EUR\"]\n{sound}"),
        &["error CR025 accredit.toml:2:1 the default currency `USD` is not a unit type | \
           add `currency = \"EUR\"` to [workspace]"],
    );
    check(
        SETTINGS,
        &format!("{sound}[columns]\nx = \"numbr\"\n"),
        &[
            "error CR024 accredit.toml:10:5 `numbr` is not the type of a column | did you mean `number`?",
        ],
    );
    check(
        SETTINGS,
        &format!("{sound}[calendar]\nkind = \"4-4-5\"\nyears = {{ 2022 = \"2022-01-30\" }}\n"),
        &[
            "error CR024 accredit.toml:11:18 `2022` must be a day such as 2017-03-31 | write it without",
        ],
    );
    check(
        SETTINGS,
        "",
        &[
            "error CR023 accredit.toml:1:1 `fields` is missing | add a table `[fields]`",
            "error CR023 accredit.toml:1:1 `workspace` is missing | add a table `[workspace]`",
            "warning CR025 plans/deals.toml:2:1 no column is mapped to `owner`",
        ],
    );
}
