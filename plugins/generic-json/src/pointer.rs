//! JSON pointers, as RFC 6901 writes them, into texts whose values stay as they were written.
//!
//! Not the pointers of the JSON library: those are into a tree, which would write digits anew.

use accredit_webhook_checks::json;

/// The keys of a pointer; none where it is not one.
pub(crate) fn steps(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    pointer.strip_prefix('/')?.split('/').map(unescaped).collect()
}

/// A key without its escapes.
fn unescaped(step: &str) -> Option<String> {
    let mut parts = step.split('~');
    let mut key = parts.next()?.to_owned();
    for part in parts {
        let (escaped, rest) = match part.as_bytes().first()? {
            b'0' => ('~', part.get(1..)?),
            b'1' => ('/', part.get(1..)?),
            _ => return None,
        };
        key.push(escaped);
        key.push_str(rest);
    }
    Some(key)
}

/// The value that a pointer leads to in a checked text, as it was written; none where it leads nowhere.
pub(crate) fn find_value<'b>(text: &'b str, pointer: &str) -> Option<&'b str> {
    let mut value = text.trim();
    for key in steps(pointer)? {
        value = match value.as_bytes().first()? {
            b'{' => json::object_members(value)?.get(&key)?.get(),
            b'[' => json::array_items(value)?.get(item_index(&key)?)?.get(),
            _ => return None,
        };
    }
    Some(value)
}

/// The place of an item: digits without a zero before them.
fn item_index(key: &str) -> Option<usize> {
    let is_plain = key == "0" || !key.starts_with('0');
    let is_number = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain && is_number { key.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The document and the pointers of RFC 6901, section 5.
    const RFC: &str = r##"{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4,
        "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8}"##;

    #[test]
    fn the_pointers_of_the_standard() {
        for (pointer, value) in [
            ("", RFC),
            ("/foo", "[\"bar\", \"baz\"]"),
            ("/foo/0", "\"bar\""),
            ("/", "0"),
            ("/a~1b", "1"),
            ("/c%d", "2"),
            ("/e^f", "3"),
            ("/g|h", "4"),
            ("/i\\j", "5"),
            ("/k\"l", "6"),
            ("/ ", "7"),
            ("/m~0n", "8"),
        ] {
            assert_eq!(find_value(RFC, pointer), Some(value), "{pointer}");
        }
    }

    #[test]
    fn pointers_that_lead_nowhere() {
        for pointer in [
            "/bar",
            "/foo/2",
            "/foo/-",
            "/foo/00",
            "/foo/01",
            "/foo/+1",
            "/foo/ 1",
            "/foo/0/x",
            "/foo/",
            "/foo/18446744073709551616",
            "foo",
            "/m~n",
            "/m~2n",
            "/m~",
        ] {
            assert_eq!(find_value(RFC, pointer), None, "{pointer}");
        }
        assert_eq!(find_value(" [1.50] ", "/0"), Some("1.50"));
        assert_eq!(steps("/~01"), Some(vec!["~1".to_owned()]));
    }
}
