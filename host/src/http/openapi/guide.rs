//! What `scripts/http.md` says of a request: its description and its examples.
//!
//! Not whether they are right: the test that sends all of them (`server/tests/documented`) holds them against
//! a server.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

/// The page for developers of programs that send requests.
const PAGE: &str = include_str!("../../../../scripts/http.md");

/// What the page says of one request.
#[derive(Debug, Default, Clone)]
pub(super) struct GuideSection {
    /// Its paragraphs before the first table or example, as Markdown.
    pub(super) about: String,
    /// The bodies of its examples, as they are sent.
    pub(super) bodies: Vec<String>,
}

static SECTIONS: LazyLock<BTreeMap<String, GuideSection>> = LazyLock::new(|| read_sections(PAGE));

/// The section of a request, such as `POST /v1/rollback`.
pub(super) fn section_of(heading: &str) -> Option<&'static GuideSection> {
    SECTIONS.get(heading)
}

fn read_sections(page: &str) -> BTreeMap<String, GuideSection> {
    let mut sections = BTreeMap::new();
    for part in page.split("\n### ").skip(1) {
        // A part ends with the next chapter.
        let part = part.split("\n## ").next().unwrap_or(part);
        let (heading, text) = part.split_once('\n').unwrap_or((part, ""));
        let about = text.lines().take_while(|line| !line.starts_with(['|', '`']));
        let about: Vec<&str> = about.collect();
        let mut section =
            GuideSection { about: about.join("\n").trim().to_owned(), bodies: Vec::new() };

        for block in text.split("```http\n").skip(1) {
            let block = block.split("\n```").next().unwrap_or(block);
            section.bodies.extend(body_of(heading, block));
        }
        sections.insert(heading.trim().to_owned(), section);
    }
    sections
}

/// The body of an example, if it is one of the request with this heading and has one.
fn body_of(heading: &str, block: &str) -> Option<String> {
    let request = block.rsplit_once("\n-> ").map(|(request, _)| request)?;
    let (method, _) = heading.split_once(' ')?;
    let (head, body) = request.split_once("\n\n")?;
    let is_one = head.starts_with(&format!("{method} ")) && !body.trim().is_empty();
    is_one.then(|| body.trim_end().to_owned())
}

/// A body of an example in a media type: JSON as JSON, everything else as text.
pub(super) fn example_value(body: &str, media_type: &str) -> Option<Value> {
    let json = serde_json::from_str::<Value>(body).ok();
    if media_type == "application/json" {
        return json;
    }
    // The examples of rows that are no JSON are CSV.
    (json.is_none() && !media_type.ends_with("ndjson")).then(|| Value::from(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_read_with_their_examples() {
        let rollback = section_of("POST /v1/rollback").unwrap();
        assert!(!rollback.about.is_empty() && !rollback.about.contains('|'), "{rollback:?}");
        let [body] = rollback.bodies.as_slice() else { panic!("{rollback:?}") };
        assert!(example_value(body, "application/json").is_some());
        assert!(example_value(body, "text/csv").is_none());

        let import = section_of("POST /v1/transactions").unwrap();
        assert_eq!(import.bodies.len(), 2, "{import:?}");
    }
}
