//! Diagnostics as SARIF 2.1.0, which CI systems show beside the changed lines.
//!
//! Not the diagnostics themselves (`engine::diagnostic`). Called by `check`. Source: OASIS SARIF
//! 2.1.0, sections 3.13 to 3.30: the properties it requires, and those that viewers use.

use accredit_domain::diagnostic::{CODES, Diagnostic, Severity};
use serde::Serialize;

use crate::cli::print::pages;

use crate::address;

/// What a page tells first: the paragraphs under `## What it says`.
fn first_paragraphs(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("## What it says\n")?;
    let (says, _) = rest.split_once("\n## ")?;
    Some(says.trim())
}

/// A log of one run.
#[derive(Debug, Serialize)]
pub(crate) struct SarifLog {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [SarifRun; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRun {
    tool: SarifTool,
    column_kind: &'static str,
    results: Vec<SarifResult>,
}

#[derive(Debug, Serialize)]
struct SarifTool {
    driver: SarifDriver,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifDriver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<SarifRule>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRule {
    id: &'static str,
    short_description: SarifText,
    full_description: SarifText,
    help: SarifHelp,
}

/// The page of a code, as text and as Markdown, which it both is.
#[derive(Debug, Serialize)]
struct SarifHelp {
    text: &'static str,
    markdown: &'static str,
}

#[derive(Debug, Serialize)]
struct SarifText {
    text: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: SarifText,
    locations: Vec<SarifLocation>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifLocation {
    physical_location: SarifPhysicalLocation,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifPhysicalLocation {
    artifact_location: SarifArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<SarifRegion>,
}

#[derive(Debug, Serialize)]
struct SarifArtifactLocation {
    uri: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRegion {
    start_line: u32,
    start_column: u32,
}

/// The log of these findings; paths are relative to the customer's directory.
pub(crate) fn sarif_log(diagnostics: &[Diagnostic]) -> SarifLog {
    let text = |text: &str| SarifText { text: text.to_owned() };
    let rules = CODES.iter().map(|(code, title)| SarifRule {
        id: code.as_str(),
        short_description: text(title),
        full_description: text(
            pages::find_page(code.as_str()).and_then(first_paragraphs).unwrap_or(title),
        ),
        help: SarifHelp {
            text: pages::find_page(code.as_str()).unwrap_or(title),
            markdown: pages::find_page(code.as_str()).unwrap_or(title),
        },
    });

    let driver = SarifDriver {
        name: "accredit",
        semantic_version: env!("CARGO_PKG_VERSION"),
        rules: rules.collect(),
    };

    let run = SarifRun {
        tool: SarifTool { driver },
        column_kind: "unicodeCodePoints",
        results: diagnostics.iter().map(sarif_result).collect(),
    };

    let schema = "https://json.schemastore.org/sarif-2.1.0.json";
    SarifLog { schema, version: "2.1.0", runs: [run] }
}

fn sarif_result(diagnostic: &Diagnostic) -> SarifResult {
    let place = &diagnostic.place;
    let region = (place.line > 0)
        .then(|| SarifRegion { start_line: place.line, start_column: place.column.max(1) });
    let help = diagnostic.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    let artifact_location = SarifArtifactLocation { uri: address::encode_path(&place.file) };
    let physical_location = SarifPhysicalLocation { artifact_location, region };

    SarifResult {
        rule_id: diagnostic.code.as_str(),
        rule_index: CODES.iter().position(|(code, _)| *code == diagnostic.code),
        level: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Hint => "note",
        },
        message: SarifText { text: format!("{}{help}", diagnostic.message) },
        locations: vec![SarifLocation { physical_location }],
    }
}

#[cfg(test)]
mod tests {
    use accredit_domain::diagnostic::{Code, Place};
    use serde_json::Value as Json;

    use super::*;

    /// The properties that the standard requires, at the places it requires them.
    #[test]
    fn a_log_has_what_the_standard_requires() {
        let findings = [
            Diagnostic::error(Code::CR002, Place::new("plans/a b.toml", 3, 9), "unknown field `x`"),
            Diagnostic::warning(Code::CR050, Place::whole_file("plans/ä.toml"), "nothing reads it"),
            Diagnostic::hint(Code::CR051, Place::new("accredit.toml", 1, 1), "nothing reads it"),
        ];
        let log = serde_json::to_value(sarif_log(&findings)).unwrap();
        assert_eq!(log["version"], "2.1.0");
        assert!(log["$schema"].as_str().unwrap().starts_with("https://"));
        let run = &log["runs"][0];
        let driver = &run["tool"]["driver"];
        assert_eq!(driver["name"], "accredit");
        let rules = driver["rules"].as_array().unwrap();
        let results = run["results"].as_array().unwrap();
        assert_eq!((rules.len(), results.len()), (CODES.len(), 3));
        for result in results {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            assert!(result["message"]["text"].is_string());
        }
        for rule in rules {
            let id = rule["id"].as_str().unwrap();
            assert_eq!(rule["help"]["markdown"], pages::find_page(id).unwrap());
            let full = rule["fullDescription"]["text"].as_str().unwrap();
            assert!(!full.starts_with('#') && pages::find_page(id).unwrap().contains(full), "{id}");
        }
        let levels: Vec<&Json> = results.iter().map(|result| &result["level"]).collect();
        assert_eq!(levels, ["error", "warning", "note"]);
        let place = |index: usize| &results[index]["locations"][0]["physicalLocation"];
        assert_eq!(place(0)["artifactLocation"]["uri"], "plans/a%20b.toml");
        assert_eq!(place(0)["region"]["startLine"], 3);
        assert_eq!(place(0)["region"]["startColumn"], 9);
        assert_eq!(place(1)["artifactLocation"]["uri"], "plans/%C3%A4.toml");
        // Lines begin at 1: a finding about a whole file has no region.
        assert_eq!(place(1)["region"], Json::Null);
    }
}
