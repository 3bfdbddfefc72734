//! What holds of every route: what may be kept of its answers, what its problems mean.
//!
//! Not who may use it (`access`).

use std::collections::BTreeSet;

use super::Host;

/// Amounts of people were kept by browsers and proxies: no answer said what may be done with it.
#[test]
fn amounts_are_kept_by_nobody() {
    let host = Host::start();
    for path in ["/v1/credits", "/v1/payees/ann/statements", "/v1/status", "/v1/credits/crd_1"] {
        let reply = host.api("GET", path, &[], "");
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
    }
    let reply = host.call("GET", "/v1/credits", &[], b"");
    assert_eq!(reply.header("cache-control"), "no-store", "a refusal as well");
}

/// One policy file had two tags, one at each of its addresses, so that a version read at one could
/// not be replaced at the other; and `If-None-Match` was answered with the whole text.
#[test]
fn a_policy_has_one_tag_at_both_addresses_and_is_not_sent_twice() {
    let host = Host::start();
    let policy = "/v1/policies/hold/asked";
    let file = "/v1/definitions/policies/hold/asked.rhai";
    let tag = host.api("GET", policy, &[], "").header("etag").to_owned();
    assert_eq!(host.api("GET", file, &[], "").header("etag"), tag);
    let rule = "/v1/rules/sellers/Booking";
    let of_rule = host.api("GET", rule, &[], "").header("etag").to_owned();

    for (path, tag) in [(policy, &tag), (file, &tag), (rule, &of_rule)] {
        for given in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()]
        {
            let reply = host.api("GET", path, &[("if-none-match", &given)], "");
            assert_eq!((reply.status, reply.text.as_str()), (304, ""), "{path} {given}");
            assert_eq!(reply.header("etag"), tag);
            assert_eq!(reply.header("cache-control"), "private, no-cache");
        }
        let reply = host.api("GET", path, &[("if-none-match", "\"other\"")], "");
        assert!(reply.status == 200 && !reply.text.is_empty(), "{path}");
    }

    // Read at one address, replaced at the other.
    let better = format!("{}\n// better\n", super::HOLD);
    let replaced = host.api("PUT", policy, &[("if-match", &tag)], &better);
    assert_eq!(replaced.status, 200, "{}", replaced.text);
    assert_eq!(host.api("GET", file, &[], "").header("etag"), replaced.header("etag"));
}

/// Every word in quotation marks that a source file passes to a constructor of problems.
fn codes_in(text: &str, codes: &mut BTreeSet<String>) {
    let text = text.split("#[cfg(test)]").next().unwrap_or("");
    let constructors = [
        "Problem::new(",
        "Problem::conflict(",
        "Problem::unprocessable(",
        "Error::conflict(",
        "Error::forbidden(",
        "Error::invalid(",
        "Error::precondition(",
        "Error::precondition_required(",
    ];
    for constructor in constructors {
        for (start, _) in text.match_indices(constructor) {
            let arguments = text[start + constructor.len()..].chars().take(120).collect::<String>();
            let Some(code) = arguments.split('"').nth(1) else { continue };
            // The first argument may be a status; a word with blanks is a text, not a code.
            if code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
                codes.insert(code.to_owned());
            }
        }
    }
}

/// The `type` of a problem is an address, and there was nothing at it.
#[test]
fn every_kind_of_problem_has_a_page() {
    let host = Host::start();
    let mut codes = BTreeSet::from(["internal", "method", "timeout"].map(str::to_owned));
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [here.join("src"), here.join("../engine/operations/src")];
    let entries = folders.iter().flat_map(walkdir::WalkDir::new);
    for entry in entries {
        let entry = entry.unwrap();
        let path = entry.path().to_string_lossy();
        if path.ends_with(".rs") && !path.contains("/tests") {
            codes_in(&std::fs::read_to_string(entry.path()).unwrap(), &mut codes);
        }
    }
    assert!(codes.len() > 40, "{codes:?}");
    for code in &codes {
        let page = host.call("GET", &format!("/problems/{code}"), &[], b"");
        assert_eq!(page.status, 200, "`{code}` has no section in scripts/problems.md");
        assert!(page.text.starts_with(&format!("# `{code}`")), "{}", page.text);
        assert!(page.text.contains("What to do: "), "{}", page.text);
    }
    host.call("GET", "/problems/nonsense", &[], b"").problem(404, "not_found");
}

/// Dead letters were cut at 1,000 and `next_cursor` said that there were no more.
#[test]
fn dead_letters_come_in_pages_to_the_last() {
    let host = Host::start();
    for number in 0..7 {
        assert_eq!(host.deliver(&format!("msg_{number}"), "{not json").status, 202);
    }
    host.drained();
    for path in ["/v1/dead-letters", "/v1/alerts"] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = host.get(&format!("{path}?limit=3{cursor}"));
            let rows = page["data"].as_array().unwrap();
            assert!(rows.len() <= 3, "{page}");
            found.extend(rows.iter().map(|row| row["delivery"].as_str().unwrap().to_owned()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let expected: Vec<String> = (0..7).map(|number| format!("msg_{number}")).collect();
        assert_eq!(found, expected, "{path}");
    }
    host.api("GET", "/v1/dead-letters?cursor=x", &[], "").problem(400, "bad_request");
    host.api("GET", "/v1/alerts?cursor=dead-x", &[], "").problem(400, "bad_request");
}
