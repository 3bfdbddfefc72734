//! Results of cases as JUnit XML, which continuous integration systems show.
//!
//! Not a library: four elements need none. Called by `test`.
//!
//! **Architecture invariant:** the file is well-formed XML for any text in a case; without times
//! the same results are the same bytes.

use std::fmt::Write;
use std::time::Duration;

use accredit_cases::{CaseFileRun, CaseOutcome};
use accredit_domain::diagnostic::Diagnostic;

/// The whole file: a suite a case file.
pub(super) fn junit_report(files: &[CaseFileRun]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = files.iter().map(count_results);
    let (tests, failures, errors) =
        counts.fold((0, 0, 0), |(a, b, c), (d, e, f)| (a + d, b + e, c + f));

    let _ = writeln!(
        xml,
        "<testsuites name=\"accredit\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"{}>",
        time_attribute(files.iter().filter_map(time_taken).reduce(add_durations))
    );

    for file in files {
        let (tests, failures, errors) = count_results(file);
        let path = escape_xml(&file.path);

        let _ = writeln!(
            xml,
            "  <testsuite name=\"{path}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"{}>",
            time_attribute(time_taken(file))
        );

        match &file.outcomes {
            Ok(outcomes) => outcomes.iter().for_each(|outcome| push_case(&mut xml, &path, outcome)),
            Err(found) => {
                let _ = writeln!(xml, "    <testcase name=\"{path}\" classname=\"{path}\">");
                found.iter().for_each(|one| push_problem(&mut xml, "error", one));
                xml.push_str("    </testcase>\n");
            }
        }

        xml.push_str("  </testsuite>\n");
    }

    xml.push_str("</testsuites>\n");

    xml
}

/// The sum of the durations of a file's cases; none if none was measured.
fn time_taken(file: &CaseFileRun) -> Option<Duration> {
    file.outcomes.iter().flatten().filter_map(|outcome| outcome.took).reduce(add_durations)
}

fn add_durations(one: Duration, other: Duration) -> Duration {
    one.saturating_add(other)
}

/// Seconds with three decimals, as an attribute; nothing where nothing was measured.
fn time_attribute(took: Option<Duration>) -> String {
    took.map(|took| format!(" time=\"{}.{:03}\"", took.as_secs(), took.subsec_millis()))
        .unwrap_or_default()
}

/// Tests, failures and errors of a file; one that cannot be understood is one test in error.
fn count_results(file: &CaseFileRun) -> (usize, usize, usize) {
    match &file.outcomes {
        Ok(outcomes) => {
            let failed = outcomes.iter().filter(|outcome| !outcome.failures.is_empty());
            (outcomes.len(), failed.count(), 0)
        }
        Err(_) => (1, 0, 1),
    }
}

fn push_case(xml: &mut String, path: &str, outcome: &CaseOutcome) {
    let (name, line) = (escape_xml(&outcome.name), outcome.line);
    let time = time_attribute(outcome.took);
    let head = format!("    <testcase name=\"{name}\" classname=\"{path}\" line=\"{line}\"{time}");
    xml.push_str(&head);

    if outcome.failures.is_empty() {
        xml.push_str("/>\n");
        return;
    }

    xml.push_str(">\n");
    outcome.failures.iter().for_each(|failure| push_problem(xml, "failure", failure));
    xml.push_str("    </testcase>\n");
}

fn push_problem(xml: &mut String, element: &str, found: &Diagnostic) {
    let place = &found.place;
    let at = escape_xml(&format!("{}:{}:{}", place.file, place.line, place.column));
    let (code, message) = (found.code, escape_xml(&found.message));
    let help = escape_xml(found.help.as_deref().unwrap_or(""));
    let _ = writeln!(
        xml,
        "      <{element} type=\"{code}\" message=\"{message}\">{at}\n{help}</{element}>"
    );
}

/// Text for XML: signs with a meaning are written out, those that XML cannot hold are replaced.
fn escape_xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' | '\t' => out.push(sign),

            // XML forbids some of these, even escaped, and advises against the rest.
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                out.push('\u{fffd}');
            }
            _ => out.push(sign),
        }
    }

    out
}

#[cfg(test)]
mod tests {
    use accredit_domain::diagnostic::{Code, Place};

    use super::*;

    #[test]
    fn signs_that_mean_something_are_written_out() {
        let check = |text: &str, expected: &str| assert_eq!(escape_xml(text), expected);
        check("a < b && c > \"d'\"", "a &lt; b &amp;&amp; c &gt; &quot;d&apos;&quot;");
        check("]]>", "]]&gt;");
        check("a\u{0}\u{1b}[31m\u{ffff}b", "a\u{fffd}\u{fffd}[31m\u{fffd}b");
        check("zwölf\n\tBären 🐻", "zwölf\n\tBären 🐻");
    }

    #[test]
    fn failures_and_files_that_are_not_understood_are_counted_apart() {
        let failure =
            Diagnostic::error(Code::CR040, Place::new("a.cases.md", 7, 1), "\"<a>\" differs");
        let outcome = |name: &str, failures| CaseOutcome {
            name: name.to_owned(),
            line: 3,
            failures,
            ..CaseOutcome::default()
        };
        let (good, bad) = (outcome("good", vec![]), outcome("a & b", vec![failure.clone()]));
        let files = [
            CaseFileRun { path: "a.cases.md".to_owned(), outcomes: Ok(vec![good, bad]) },
            CaseFileRun { path: "b.cases.md".to_owned(), outcomes: Err(vec![failure]) },
        ];
        let xml = junit_report(&files);
        for line in [
            "<testsuites name=\"accredit\" tests=\"3\" failures=\"1\" errors=\"1\">",
            "<testcase name=\"good\" classname=\"a.cases.md\" line=\"3\"/>",
            "<testcase name=\"a &amp; b\" classname=\"a.cases.md\" line=\"3\">",
            "<failure type=\"CR040\" message=\"&quot;&lt;a&gt;&quot; differs\">a.cases.md:7:1",
            "<error type=\"CR040\"",
        ] {
            assert!(xml.contains(line), "{line}\n{xml}");
        }
        assert!(!xml.contains("time="), "{xml}");
    }

    #[test]
    fn a_suite_takes_what_its_cases_take() {
        let outcome = |name: &str, ms| CaseOutcome {
            name: name.to_owned(),
            took: Some(Duration::from_millis(ms)),
            ..CaseOutcome::default()
        };
        let one = Ok(vec![outcome("a", 1200), outcome("b", 34)]);
        let two = Ok(vec![outcome("c", 0)]);
        let files = [("1.cases.md", one), ("2.cases.md", two)]
            .map(|(path, outcomes)| CaseFileRun { path: path.to_owned(), outcomes });
        let xml = junit_report(&files);
        for part in [
            "<testsuites name=\"accredit\" tests=\"3\" failures=\"0\" errors=\"0\" time=\"1.234\">",
            "errors=\"0\" time=\"1.234\">\n    <testcase name=\"a\"",
            "line=\"0\" time=\"1.200\"/>",
            "<testsuite name=\"2.cases.md\" tests=\"1\" failures=\"0\" errors=\"0\" time=\"0.000\">",
        ] {
            assert!(xml.contains(part), "{part}\n{xml}");
        }
    }
}
