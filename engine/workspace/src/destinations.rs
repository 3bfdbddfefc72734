//! `[destinations]` of `accredit.toml`: which systems are told of what happens.
//!
//! Not sending and not whether an address may be called (the host knows both). Called by `settings`.

use std::collections::{BTreeMap, BTreeSet};

use accredit_domain::diagnostic::Code;
use accredit_domain::events::{EventKind, EventRoutes};

use super::toml::{TomlItem, TomlTable};

/// Characters that a name may have besides letters and digits: it is a part of a variable's name.
const NAME_MARKS: [char; 2] = ['-', '_'];

/// A system that is told of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventDestination {
    /// Where events are sent.
    pub url: String,
    /// The kinds that it wants.
    pub events: BTreeSet<EventKind>,
}

/// The routes to the destinations of a workspace.
pub fn routes_to(destinations: &BTreeMap<String, EventDestination>) -> EventRoutes {
    let routes = destinations.iter();
    EventRoutes::new(routes.map(|(name, one)| (name.clone(), one.events.clone())))
}

/// Reads the table.
pub(super) fn read(table: &TomlTable<'_>) -> BTreeMap<String, EventDestination> {
    let mut destinations = BTreeMap::new();

    for (name, item) in table.entries() {
        let is_plain =
            |character: char| character.is_ascii_alphanumeric() || NAME_MARKS.contains(&character);
        if name.text.is_empty() || !name.text.chars().all(is_plain) {
            let message = format!("`{}` cannot name a destination", name.text);
            let help = "use letters, digits, `-` and `_`: the name is a part of a variable's name";
            item.report().error(Code::CR024, name.place, message, help);
            continue;
        }

        let Some(mut table) = item.expect_table() else { continue };
        let url = table.take_needed_text("url");
        let words = table.take_list("events");
        table.finish();

        let events = match &words {
            None => EventKind::ALL.into_iter().collect(),
            Some(words) => words.iter().flat_map(read_kinds).collect(),
        };

        let Some(url) = url else { continue };
        if !is_url(&url.text) {
            let message = format!("`{}` is not a URL that events can be sent to", url.text);
            let help =
                "write https://, a host and a path, such as https://erp.example.com/accredit";
            item.report().error(Code::CR024, url.place, message, help);
            continue;
        }
        destinations.insert(name.text, EventDestination { url: url.text, events });
    }

    destinations
}

/// The kinds that a word means.
fn read_kinds(item: &TomlItem<'_>) -> Vec<EventKind> {
    let Some(word) = item.expect_text() else { return Vec::new() };
    let kinds = EventKind::named(&word.text);
    if kinds.is_empty() {
        let known = EventKind::ALL.map(EventKind::name);
        let what = ("event", word.text.as_str());
        item.report().report_unknown(Code::CR025, word.place, what, known);
    }
    kinds
}

/// Whether a text is a URL of the web with a host, without a user or a fragment.
fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\');
    is_authority(authority) && text.bytes().all(is_plain)
}

/// Whether a text is a host, with or without a port.
fn is_authority(text: &str) -> bool {
    let (is_host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, port)) => (host.parse::<std::net::Ipv6Addr>().is_ok(), port),
            None => return false,
        },
        None => {
            let end = text.find(':').unwrap_or(text.len());
            let (host, port) = text.split_at(end);
            let is_part =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
            (!host.is_empty() && host.bytes().all(is_part), port)
        }
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    is_host && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_of_the_web_are_taken() {
        for url in [
            "https://a.example/x?y=1",
            "http://127.0.0.1:9/",
            "https://a.example",
            "http://[::1]:1/",
        ] {
            assert!(is_url(url), "{url}");
        }
        for url in [
            "",
            "https://",
            "https:///x",
            "ftp://a.example/",
            "a.example",
            "https://u:p@a.example/",
            "https://a.example/#x",
            "https://a.example/a b",
            "file:///etc/passwd",
            "https://:80/",
            "https://h:99999/",
            "https://h:/",
            "https://[::1/",
            "https://a.example\\x",
        ] {
            assert!(!is_url(url), "{url}");
        }
    }
}
