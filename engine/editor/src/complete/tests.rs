//! What is offered in a small directory, at the place of `^`.

use std::sync::Arc;

use super::*;
use crate::definition::definition;
use crate::hover::hover;
use accredit_workspace::Files;

const SETTINGS: &str = "credit_types = [\"acv\", \"multi year\"]\n\n[workspace]\nname = \"Acme\"\n\n\
    [fields]\nid = \"Id\"\ndate = \"Closed\"\namount = \"ACV\"\nowner = \"Rep #1\"\n\n[columns]\n\
    TCV = \"number\"\n\n[attributes]\nlevel = \"number\"\n\n[tables.rates]\nkeys = [\"product\"]\n\
    values = { rate = \"number\" }\n\n[queries]\nbig = \"tx.amount > 1000\"\n";

const SHARED: &str = "/// A tenth of an amount.\nfn tenth(x) { x / 10 }\n";

const POLICY: &str = "/// Half to each.\nfn credit(tx) { tx.default_credit }\n";

/// A name with quotes would have to be written otherwise, and a row may not be finished.
const PARTICIPANTS: &str =
    "id,name\nzoe,Zoe Moor\nann,Ann Lee\nmax,\"Max \"\"the axe\"\"\"\n,\nbob\n";

/// The workspace with `text` at `path`, and the place of `^` in it.
fn at_mark(path: &str, text: &str) -> (EditorWorkspace, TextPosition) {
    let (before, after) = text.split_once('^').unwrap();
    let line = u32::try_from(before.matches('\n').count() + 1).unwrap();
    let column = count_characters(before.rsplit('\n').next().unwrap()) + 1;
    let files = [
        ("accredit.toml", SETTINGS),
        ("policies/shared/parts.rhai", SHARED),
        ("policies/crediting/halves.rhai", POLICY),
        ("tables/rates.csv", "product,rate\nRobots,0.1\nParts,0.05\n*,0.01\n"),
        ("plans/sellers.toml", "name = \"Sellers\"\n"),
        ("organization/participants.csv", PARTICIPANTS),
        ("organization/positions.csv", "id,title\nREP-1,Seller\nLEAD-1,Team Lead\nREP-1,Seller\n"),
        ("organization/teams.csv", "id,name\nnorth,The North\n"),
        ("organization/aliases.csv", "kind,id,alias\nparticipant,zoe,Z. Moor\n"),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), Arc::<str>::from(text)));
    let mut files = Files::from(files);
    files.insert(path.to_owned(), Arc::from(format!("{before}{after}")));
    let workspace = EditorWorkspace { files, columns: Default::default(), connectors: &[] };
    (workspace, TextPosition { line, column })
}

fn items(path: &str, text: &str) -> Vec<CompletionItem> {
    let (workspace, at) = at_mark(path, text);
    complete(&workspace, path, at)
}

/// The first labels are these, in this order; there is nothing where none is expected.
fn check(path: &str, text: &str, expected: &[&str]) {
    let found = items(path, text);
    let labels: Vec<&str> =
        found.iter().take(expected.len()).map(|item| item.label.as_str()).collect();
    assert_eq!(labels, expected, "{text}: {found:#?}");
    assert_eq!(found.is_empty(), expected.is_empty(), "{text}: {found:#?}");
}

/// A field that was mapped to `""` while its column was looked for was offered as an item without a label.
#[test]
fn a_column_without_a_name_is_not_offered() {
    let text = "[fields]\nid = \"Id\"\ndate = \"\"\nowner = [^]\n";
    let found = items("accredit.toml", text);
    let labels: Vec<&str> = found.iter().map(|item| item.label.as_str()).collect();
    assert_eq!(labels, ["Id"]);
}

const SCRIPT: &str = "policies/value/new.rhai";
const PLAN: &str = "plans/new.toml";

#[test]
fn scripts_are_offered_fields_columns_tables_and_functions() {
    check(SCRIPT, "fn value(tx, to) {\n    tx.am^", &["amount", "amount_in"]);
    check(SCRIPT, "fn value(tx, to) { tx.T^ }", &["[\"TCV\"]"]);
    check(SCRIPT, "fn value(tx, to) { tx[\"R^\"] }", &["Rep #1"]);
    check(SCRIPT, "fn value(tx, to) { to[\"^\"] }", &["level"]);
    check(SCRIPT, "fn value(tx, to) { lookup(\"^", &["rates"]);
    check(SCRIPT, "fn value(tx, to) { lookup(\"rates\", \"^", &["Parts", "Robots"]);
    check(SCRIPT, "fn value(tx, to) { let half = 2;\n  te^", &["tenth"]);
    check(SCRIPT, "fn value(tx, to) { let half = 2;\n  ha^", &["half"]);
    check(SCRIPT, "fn value(tx, to) { rou^", &["round"]);
    check(SCRIPT, "fn value(tx, to) { credit.relat^", &["relationship"]);
    check("policies/reward/r.rhai", "fn reward(payee, totals, quota) { totals.^", &["credited"]);
    assert!(items(SCRIPT, "fn value(tx, to) {\n  // tx.^").is_empty());
}

/// A name that was mistyped parked every deal, although the editor knew all of them.
#[test]
fn names_of_the_organisation_are_offered_where_they_are_meant() {
    let in_value = |text: &str| format!("fn value(tx, to) {{ {text}");
    let share = in_value("share(\"^\")");
    let all = ["LEAD-1", "REP-1", "ann", "bob", "max", "zoe", "north", "Ann Lee", "The North"];
    check(SCRIPT, &share, &all);
    let about: Vec<String> = items(SCRIPT, &share).into_iter().map(|item| item.detail).collect();
    let first = ["position Team Lead", "position Seller", "person Ann Lee", "person"];
    assert_eq!(about[..4], first);
    check(SCRIPT, &in_value("share(\"moo^\")"), &["Z. Moor", "Zoe Moor"]);
    check(SCRIPT, &in_value("who(\"No^"), &["north", "The North"]);
    check(SCRIPT, &in_value("if to.position == \"^"), &["LEAD-1", "REP-1"]);
    check(SCRIPT, &in_value("if to.payee != \"z^"), &["zoe"]);
    check(SCRIPT, &in_value("if credit.team == \"^"), &["north"]);
    check(SCRIPT, &in_value("if to.title == \"^"), &["Seller", "Team Lead"]);
    check(SCRIPT, &in_value("if credit.credit_type == \"a^"), &["acv"]);
    check(SCRIPT, &in_value("if tx.product == \"^"), &[]);
    check(SCRIPT, &in_value("hold_until_next(\"q^"), &["quarter"]);
    check(PLAN, "targets = [\"po^\"]", &["position:"]);
    check(PLAN, "targets = [\"position:r^\"]", &["position:REP-1"]);
    check(PLAN, "targets = [\"title:^\"]", &["title:", "title:Seller", "title:Team Lead"]);
    check(PLAN, "filter = \"to.title == \\\"S^\"", &["Seller"]);
}

/// A column whose name is no name takes the dot away; in double quotes its own quotes are escaped.
#[test]
fn a_column_is_written_in_brackets() {
    let item = |path, text| items(path, text).into_iter().find(|one| one.label == "[\"Rep #1\"]");
    let script = item(SCRIPT, "fn value(tx, to) { tx.Rep^ }").unwrap();
    assert_eq!((script.insert.as_str(), script.range.start.column), ("[\"Rep #1\"]", 22));
    let plan = item(PLAN, "filter = \"tx.Rep^\"").unwrap();
    assert_eq!((plan.insert.as_str(), plan.range.end.column), ("[\\\"Rep #1\\\"]", 17));
}

#[test]
fn plans_are_offered_keys_words_policies_and_expressions() {
    check(PLAN, "fil^", &["filter"]);
    check(PLAN, "name = \"A\"\nna^", &[]);
    check(PLAN, "[[direct]]\n  [[direct.results]]\n  roll^", &["rollable"]);
    check(PLAN, "split = \"e^\"", &["equal"]);
    check(PLAN, "split = e^", &["equal"]);
    check(PLAN, "[[direct]]\nassign = \"policy:h^\"", &["policy:halves"]);
    check(PLAN, "policies = { crediting = \"h^\" }", &["halves"]);
    check(PLAN, "filter = \"query:^\"", &["query:big"]);
    check(PLAN, "filter = 'tx.amount > 1 && tx.prod^'", &[]);
    check(PLAN, "filter = 'tx[\"T^\"] > 1'", &["TCV"]);
    check(PLAN, "[[direct]]\n[[direct.results]]\ncredit_type = \"^\"", &["acv", "multi year"]);
    check(PLAN, "[[direct.re^", &["direct.results"]);
    check("accredit.toml", "[sou^", &["sources.NAME"]);
    check("accredit.toml", "[columns]\nTCV = \"nu^\"", &["number"]);
}

#[test]
fn cases_and_rows_are_offered_their_columns() {
    let cases = "plans/sellers.cases.md";
    check(cases, "## A\n\n| transaction | amo^", &["amount"]);
    check(cases, "## A\n\nplan: s^", &["sellers"]);
    check(cases, "## A\n\n```csv tra^", &["csv transactions"]);
    check(cases, "## A\n\n```rhai policies/value/x.rhai\nfn value(tx, to) { tx.am^", &["amount"]);
    check("tables/rates.csv", "pro^\n", &["product"]);
}

/// What the hint at `^` contains, and where the definition is.
fn check_subject(path: &str, text: &str, hint: &str, site: Option<(&str, u32, u32)>) {
    let (workspace, at) = at_mark(path, text);
    let found = hover(&workspace, path, at);
    let contents = found.map(|found| found.contents).unwrap_or_default();
    assert!(contents.contains(hint), "{text}: {contents}");

    let found = definition(&workspace, path, at);
    let found = found.map(|one| (one.file, one.range.start.line, one.range.start.column));
    let found = found.as_ref().map(|(file, line, column)| (file.as_str(), *line, *column));
    assert_eq!(found, site, "{text}");
}

#[test]
fn names_have_hints_and_places() {
    let settings = |line, column| Some(("accredit.toml", line, column));
    check_subject(SCRIPT, "fn value(tx, to) { tx.amo^unt }", "Column `ACV`", settings(9, 1));
    check_subject(SCRIPT, "fn value(tx, to) { tx[\"TC^V\"] }", "number", settings(13, 1));
    check_subject(
        SCRIPT,
        "fn value(tx, to) { ten^th(1) }",
        "A tenth of",
        Some(("policies/shared/parts.rhai", 2, 4)),
    );
    check_subject(
        SCRIPT,
        "fn a(x) { x }\nfn value(tx, to) { ^a(1) }",
        "fn a(x)",
        Some((SCRIPT, 1, 4)),
    );
    check_subject(
        SCRIPT,
        "fn value(tx, to) { lookup(\"ra^tes\", 1) }",
        "Robots",
        Some(("tables/rates.csv", 1, 1)),
    );
    check_subject(SCRIPT, "fn value(tx, to) { look^up(\"rates\", 1) }", "incentive date", None);
    check_subject(SCRIPT, "fn value(tx, to) { t^x.amount }", "deal", Some((SCRIPT, 1, 10)));
    check_subject(PLAN, "fil^ter = \"query:big\"", "which transactions", None);
    check_subject(PLAN, "filter = \"query:b^ig\"", "tx.amount > 1000", settings(23, 1));
    check_subject(
        PLAN,
        "[[direct]]\nassign = \"policy:halv^es\"",
        "Half to each",
        Some(("policies/crediting/halves.rhai", 2, 4)),
    );
    check_subject(PLAN, "policies = { crediting = \"standard/ow^ner\" }", "crediting policy", None);
    check_subject(PLAN, "filter = \"tx[\\\"TC^V\\\"] > 1\"", "number", settings(13, 1));
    check_subject(PLAN, "filter = 'tx.am^ount > 1'", "ACV", settings(9, 1));
}
