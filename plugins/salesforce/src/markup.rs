//! XML from the network: refused before a parser sees it where it could cost more than it says.
//!
//! Not the meaning of elements (`envelope`). Called by `envelope`. A parser compares each attribute
//! of an element with every other one and copies the namespaces of an element into each of its
//! children that declares one, so a body within its limit could keep a core busy for minutes.

use roxmltree::{Document, ParsingOptions};

/// Elements within each other: a message needs six, and a field with fields inside some more.
const DEPTH_MAX: usize = 16;

/// Attributes of an element: an envelope declares four namespaces, an object has two attributes.
const ATTRIBUTES_MAX: usize = 16;

/// Declarations of namespaces in a body: an envelope has some, each of 100 objects one or two.
const NAMESPACES_MAX: usize = 1_000;

/// Elements and texts: 100 notifications of 500 fields each have about 150,000.
const NODES_MAX: u32 = 200_000;

/// The document in a body; none where it is no XML, has a DTD or exceeds a limit.
pub(crate) fn parse_document(body: &[u8]) -> Option<Document<'_>> {
    let text = std::str::from_utf8(body).ok()?;
    check_limits(text)?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..Default::default() };
    Document::parse_with_options(text, options).ok()
}

/// Counts what the parser would meet, up to the place where it would stop with an error: within a
/// tag no value contains `<`, and no text does either, so each `<` begins the next piece.
fn check_limits(text: &str) -> Option<()> {
    let (mut depth, mut namespaces) = (0_usize, 0_usize);
    let mut left = text;
    while let Some(start) = left.find('<') {
        left = left.get(start..)?;
        if let Some(end) = find_uncounted_end(left)? {
            left = left.get(end..)?;
            continue;
        }

        let tag = read_tag(left)?;
        left = left.get(tag.length..)?;
        namespaces += tag.namespaces;
        depth = match tag.kind {
            TagKind::Open => depth + 1,
            TagKind::Empty => depth,
            TagKind::Close => depth.checked_sub(1)?,
        };
        let within = depth <= DEPTH_MAX && namespaces <= NAMESPACES_MAX;
        (within && tag.attributes <= ATTRIBUTES_MAX).then_some(())?;
    }
    Some(())
}

/// Where a comment, a CDATA section or an instruction ends, in which nothing is counted; none in it
/// for a tag. No answer for a declaration such as a DTD, and where the end is missing.
fn find_uncounted_end(text: &str) -> Option<Option<usize>> {
    for (begin, end) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")] {
        if let Some(rest) = text.strip_prefix(begin) {
            return Some(Some(begin.len() + rest.find(end)? + end.len()));
        }
    }
    (!text.starts_with("<!")).then_some(None)
}

enum TagKind {
    Open,
    Empty,
    Close,
}

struct Tag {
    kind: TagKind,
    length: usize,
    attributes: usize,
    namespaces: usize,
}

/// The tag at the beginning of `text`; none where it does not end.
fn read_tag(text: &str) -> Option<Tag> {
    let (mut quote, mut attributes) = (None, 0_usize);
    let length = text.bytes().position(|byte| {
        match (quote, byte) {
            (None, b'>') => return true,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'=') => attributes += 1,
            (Some(opened), _) if opened == byte => quote = None,
            _ => {}
        }
        false
    })? + 1;

    let tag = text.get(..length)?;
    // A value may say `xmlns` as well; it is counted with the declarations.
    let namespaces = tag.matches("xmlns").count();
    let kind = match (tag.starts_with("</"), tag.ends_with("/>")) {
        (true, _) => TagKind::Close,
        (_, true) => TagKind::Empty,
        _ => TagKind::Open,
    };
    Some(Tag { kind, length, attributes, namespaces })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parses(text: &str) -> bool {
        parse_document(text.as_bytes()).is_some()
    }

    fn nested(depth: usize) -> String {
        format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth))
    }

    fn with_attributes(count: usize) -> String {
        let attributes: String = (0..count).map(|at| format!(" a{at}='='")).collect();
        format!("<a{attributes}/>")
    }

    #[test]
    fn limits_are_where_they_are_said_to_be() {
        assert!(parses(&nested(DEPTH_MAX)) && !parses(&nested(DEPTH_MAX + 1)));
        assert!(parses(&with_attributes(ATTRIBUTES_MAX)));
        assert!(!parses(&with_attributes(ATTRIBUTES_MAX + 1)));
        let declared = |count: usize| format!("<a>{}</a>", "<b xmlns='c'/>".repeat(count));
        assert!(parses(&declared(NAMESPACES_MAX)) && !parses(&declared(NAMESPACES_MAX + 1)));
        let elements = |count: u32| format!("<a>{}</a>", "<b/>".repeat(count as usize));
        assert!(parses(&elements(NODES_MAX - 2)) && !parses(&elements(NODES_MAX)));
    }

    #[test]
    fn nothing_is_counted_in_comments_sections_and_instructions() {
        let many = "<a b='' c=''".repeat(40);
        for text in [
            format!("<a><!-- {many} --></a>"),
            format!("<a><![CDATA[{many} ]] > ]]></a>"),
            format!("<?a {many}?><a/>"),
            "<a b='>' c=\"'>'\">=====================</a>".to_owned(),
        ] {
            assert!(parses(&text), "{text}");
        }
    }

    #[test]
    fn declarations_and_pieces_without_an_end_are_refused() {
        for text in [
            "<!DOCTYPE a><a/>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
            "<a><!ELEMENT b ANY></a>",
            "<a><!-- </a>",
            "<a><![CDATA[ </a>",
            "<a b='></a>",
            "<a",
            "</a>",
            "<a></a></a>",
            "<a>&b;</a>",
            "",
            "text",
        ] {
            assert!(!parses(text), "{text}");
        }
        assert!(parse_document(b"<a>\xff</a>").is_none());
    }
}
