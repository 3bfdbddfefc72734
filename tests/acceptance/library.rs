//! The cookbook, the templates and the customers that were set up from written plans: what they say is
//! what happens.
//!
//! Not the standard policies themselves, whose case files run with those of `scripts/` (`verbs`).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rust_decimal::Decimal;

use crate::server::{root, run};

/// Recipes of the cookbook, at least.
const RECIPES_MIN: usize = 22;

/// Every template, and how many cases it has at least.
const TEMPLATES: [(&str, usize); 3] = [("saas", 20), ("manufacturer", 9), ("insurance", 17)];

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The texts between `start` and `end`, in order.
fn texts_between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(start) {
        let Some((inner, behind)) = after.split_once(end) else { break };
        found.push(inner);
        rest = behind;
    }
    found
}

/// Fenced blocks of TOML and CSV, without their fences.
fn snippets(text: &str) -> Vec<&str> {
    let mut found = texts_between(text, "\n```toml\n", "\n```\n");
    found.extend(texts_between(text, "\n```csv\n", "\n```\n"));
    found
}

/// Numbers in bold, as they are written, and as numbers.
fn bold_numbers(text: &str) -> Vec<(&str, Decimal)> {
    let bold = texts_between(text, "**", "**").into_iter();
    let numbers = bold.filter_map(|word| {
        let plain = word.replace(',', "").replace('\u{2212}', "-");
        Some((word, Decimal::from_str(&plain).ok()?))
    });
    numbers.collect()
}

/// The numbers in cells of tables.
fn numbers_in_tables(text: &str) -> BTreeSet<Decimal> {
    let rows = text.lines().filter(|line| line.starts_with('|'));
    let cells = rows.flat_map(|line| line.split('|')).map(str::trim);
    cells.filter_map(|cell| Decimal::from_str(cell).ok()).collect()
}

/// Files below a folder, as paths relative to it, in order.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(&dir).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// A page that shows settings which nothing runs is wrong sooner or later: each snippet of the cookbook
/// is line by line in a case file that the recipe links, and each number in bold is in its tables.
#[test]
fn the_cookbook_shows_what_its_cases_run() {
    let folder = root().join("scripts");
    let page = read(&folder.join("cookbook.md"));
    let contents = page.split("\n## ").next().unwrap().to_owned();
    let mut faults = Vec::new();
    let mut count = 0;

    for recipe in page.split("\n## ").skip(1) {
        let (heading, text) = recipe.split_once('\n').unwrap();
        count += 1;

        let links = texts_between(text, "](", ")").into_iter();
        let (cases, others): (Vec<&str>, Vec<&str>) =
            links.partition(|link| link.ends_with(".cases.md"));
        let cases: String = cases.iter().map(|link| read(&folder.join(link))).collect();
        if cases.is_empty() {
            faults.push(format!("{heading}: links no case file"));
        }
        for link in others.iter().filter(|link| !folder.join(link).is_file()) {
            faults.push(format!("{heading}: there is no {link}"));
        }
        if !contents.contains(&format!("[{heading}](#")) {
            faults.push(format!("{heading}: not in the table of recipes"));
        }

        let shown = snippets(text);
        if shown.is_empty() {
            faults.push(format!("{heading}: shows nothing to write"));
        }
        for snippet in shown {
            // Within a result the value of the page stands alone, and that of the case is indented.
            let indented = snippet.replace('\n', "\n  ");
            let is_run = [snippet, &indented].iter().any(|lines| {
                cases.contains(&format!("\n{lines}\n")) || cases.contains(&format!("\n  {lines}\n"))
            });
            if !is_run {
                faults.push(format!("{heading}: no case of the recipe runs\n{snippet}"));
            }
        }

        let numbers = bold_numbers(text);
        let known = numbers_in_tables(&cases);
        if numbers.is_empty() {
            faults.push(format!("{heading}: has no number"));
        }
        for (word, _) in numbers.iter().filter(|(_, number)| !known.contains(number)) {
            faults.push(format!("{heading}: no table of its cases has {word}"));
        }
    }

    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count >= RECIPES_MIN, "{count} recipes");
}

/// A policy of which no page speaks is found by no one.
#[test]
fn every_standard_policy_is_listed() {
    let folder = root().join("scripts");
    let page = read(&folder.join("README.md"));
    let files = files_below(&folder).into_iter();
    let policies = files.filter(|file| {
        file.extension().is_some_and(|ending| ending == "rhai") && !file.starts_with("templates")
    });

    let links = policies.map(|file| format!("]({})", file.display()));
    let missing: Vec<String> = links.filter(|link| !page.contains(link)).collect();
    assert!(missing.is_empty(), "scripts/README.md does not list {missing:?}");
}

/// A whole customer is worth having only as long as it works: made anew, checked and tested.
#[test]
fn every_template_is_a_customer_that_works() {
    let folder = root().join("scripts/templates");
    let mut known: Vec<String> = TEMPLATES.map(|(name, _)| name.to_owned()).to_vec();
    known.sort();
    let mut folders: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    folders.sort();
    assert_eq!(folders, known, "a folder of scripts/templates/ is not tested");

    for (name, cases_min) in TEMPLATES {
        let dir = tempfile::tempdir().unwrap();
        let acme = dir.path().join("acme");
        let path = acme.to_str().unwrap();
        let (code, out, error) = run(&["new", path, "--template", name]);
        assert_eq!(code, 0, "{name}\n{out}\n{error}");

        // Every file of the folder is written, and the workspace has the name of the directory.
        for file in files_below(&folder.join(name)) {
            let original = read(&folder.join(name).join(&file));
            let written = read(&acme.join(&file));
            assert_eq!(written, original.replace("\"NAME\"", "\"acme\""), "{}", file.display());
        }
        assert!(read(&acme.join("accredit.toml")).contains("name = \"acme\""), "{name}");

        let (code, out, error) = run(&["check", path]);
        assert_eq!((code, out.trim()), (0, ""), "{name}\n{error}");
        assert!(error.contains("0 errors, 0 warnings"), "{name}\n{error}");

        let (code, out, error) = run(&["test", path]);
        assert_eq!(code, 0, "{name}\n{out}\n{error}");
        let count = out.lines().filter(|line| line.starts_with("ok ")).count();
        assert!(count >= cases_min, "{name}: {count} cases");

        numbers_of_the_plan_are_in_cases(&acme, name);

        // A customer that begins with a template has open periods; its cases name the finalized ones.
        let settings = read(&acme.join("accredit.toml"));
        let open: Vec<&str> =
            settings.lines().filter(|line| !line.starts_with("finalized")).collect();
        assert!(open.len() < settings.lines().count(), "{name}: no period is finalized");
        fs::write(acme.join("accredit.toml"), open.join("\n")).unwrap();
        let (code, out, error) = run(&["test", path]);
        assert_eq!(code, 0, "{name} with open periods\n{out}\n{error}");
    }
}

/// The numbers in bold in PLAN.md are in tables of case files, and the cases run on the deals of the
/// directory.
fn numbers_of_the_plan_are_in_cases(acme: &Path, name: &str) {
    let cases: String = files_below(acme)
        .iter()
        .filter(|file| file.to_string_lossy().ends_with(".cases.md"))
        .map(|file| read(&acme.join(file)))
        .collect();

    let known = numbers_in_tables(&cases);
    let plan = read(&acme.join("PLAN.md"));
    let numbers = bold_numbers(&plan);
    assert!(numbers.len() >= 20, "{name}: PLAN.md has {} numbers in bold", numbers.len());
    for (word, number) in numbers {
        assert!(known.contains(&number), "{name}: PLAN.md says {word}, and no case has it");
    }

    for file in fs::read_dir(acme.join("transactions")).unwrap().flatten() {
        let rows = read(&file.path());
        assert!(cases.contains(&rows), "{name}: no case has the rows of {:?}", file.file_name());
    }
}

/// Nothing is written over, and an unknown template is named.
#[test]
fn a_template_is_written_once_and_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let acme = dir.path().join("acme");
    let path = acme.to_str().unwrap();
    let (code, _, error) = run(&["new", path, "--template", "sass"]);
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("saas") && !acme.exists(), "{error}");
    assert_eq!(run(&["new", path, "--template", "saas"]).0, 0);
    let (code, _, error) = run(&["new", path, "--template", "saas"]);
    assert!(code == 1 && error.contains("already exists"), "{error}");
}

/// Two customers were set up by hand from their written plans, and the cases hold what people worked out
/// from the plans, not what a program said. Their plans count what comes late where it is posted.
#[test]
fn customers_of_written_plans_come_to_their_numbers() {
    let folder = root().join("tests/fixtures/customers");
    for (customer, cases, count) in
        [("saas/nimbus", "saas/cases", 8), ("manufacturer/rheinwerk", "manufacturer/cases", 4)]
    {
        let path = folder.join(customer);
        let (code, out, error) = run(&["check", path.to_str().unwrap()]);
        assert_eq!((code, out.trim()), (0, ""), "{customer}\n{error}");
        assert!(error.contains("0 errors, 0 warnings"), "{customer}\n{error}");

        // The cases of the directory itself, where it has some.
        let (code, out, error) = run(&["test", path.to_str().unwrap()]);
        assert!(code == 0 || code == 3, "{customer}\n{out}\n{error}");

        let (code, out, error) = run(&["test", folder.join(cases).to_str().unwrap()]);
        assert_eq!(code, 0, "{cases}\n{out}\n{error}");
        assert_eq!(out.lines().filter(|line| line.starts_with("ok ")).count(), count, "{cases}");
    }
}

/// A plan that was added by hand had no case: the new one comes with a case on the customer's own people.
#[test]
fn a_new_plan_passes_its_own_cases() {
    let dir = tempfile::tempdir().unwrap();

    // One credit type and a manager; several types and two levels of managers.
    for template in [None, Some("saas"), Some("insurance")] {
        let acme = dir.path().join(template.unwrap_or("starter"));
        let path = acme.to_str().unwrap();
        let mut words = vec!["new", path];
        words.extend(template.iter().flat_map(|name| ["--template", name]));
        assert_eq!(run(&words).0, 0, "{template:?}");

        let (code, out, error) = run(&["new", "plan", "spring", "--dir", path]);
        assert_eq!(code, 0, "{template:?}\n{out}\n{error}");
        let (code, out, error) = run(&["check", path]);
        assert_eq!((code, out.trim()), (0, ""), "{template:?}\n{error}");
        assert!(error.contains("0 errors, 0 warnings"), "{template:?}\n{error}");
        // No other case knows of it: it credits no deal of theirs.
        let (code, out, error) = run(&["test", path]);
        assert_eq!(code, 0, "{template:?}\n{out}\n{error}");
        let (_, out, _) = run(&["test", path, "--filter", "spring"]);
        assert_eq!(out.lines().filter(|line| line.starts_with("ok ")).count(), 2, "{out}");

        // The cases prove something: another rate fails them.
        let plan = acme.join("plans/spring.toml");
        fs::write(&plan, read(&plan).replace("\"8%\"", "\"9%\"")).unwrap();
        assert_eq!(run(&["test", path, "--filter", "spring"]).0, 1, "{template:?}");
        assert_eq!(run(&["new", "plan", "spring", "--dir", path]).0, 1, "it is written over");
    }

    // Without an owner there is no one whom a case could credit, and the message says what to do.
    let acme = dir.path().join("manufacturer");
    let path = acme.to_str().unwrap();
    assert_eq!(run(&["new", path, "--template", "manufacturer"]).0, 0);
    let (code, _, error) = run(&["new", "plan", "spring", "--dir", path]);
    assert!(code == 1 && error.contains("map `owner` in [fields] first"), "{error}");
    assert_eq!(run(&["new", "plan", "../x", "--dir", path]).0, 1);
}
