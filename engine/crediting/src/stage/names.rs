//! The one grammar of a text that names recipients: names separated by `;` or `||`, each with an
//! optional `[weight]`.
//!
//! Not resolution of names: that needs a date and a plan. Called by crediting and rollup. Source:
//! FORMAT section 1, seed 004, DOMAIN 2.8.

use rust_decimal::Decimal;

use accredit_domain::transaction::parse_number;
use accredit_script::Share;

/// The recipients that `text` names, empty parts left out.
///
/// # Errors
/// What cannot be understood, as a message.
pub fn parse_shares(text: &str) -> Result<Vec<Share>, String> {
    let parts = text.split(';').flat_map(|part| part.split("||"));
    parts.map(str::trim).filter(|part| !part.is_empty()).map(parse_share).collect()
}

/// Whether a text is one name and nothing else: neither a separator, nor a bracket, nor space around
/// it.
pub fn is_one_name(text: &str) -> bool {
    let is_spaced = text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace);
    let is_divided = || text.bytes().any(|byte| matches!(byte, b';' | b'|' | b'[' | b']'));
    !text.is_empty() && !is_spaced && !is_divided()
}

fn parse_share(part: &str) -> Result<Share, String> {
    let Some(open) = part.strip_suffix(']') else {
        // Otherwise `Ann[0.5` would be an unknown name, and the typo would go unnoticed.
        if part.rsplit_once('[').is_some_and(|(_, weight)| !weight.contains(']')) {
            return Err(format!("`{part}` has a `[` without a `]` at its end"));
        }
        return Ok(Share { who: part.into(), weight: None });
    };

    let Some((who, weight)) = open.rsplit_once('[') else {
        return Err(format!("`{part}` has a `]` without a `[`"));
    };

    let who = who.trim();
    if who.is_empty() {
        return Err(format!("`{part}` has a weight without a name"));
    }

    let weight = parse_number(weight.trim()).filter(valid_weight);
    let weight = weight.ok_or_else(|| format!("the weight of `{part}` is not a number from 0"))?;

    Ok(Share { who: who.into(), weight: Some(weight) })
}

/// Whether a weight can be meant: shares are parts of a deal, returns have negative amounts instead.
pub fn valid_weight(weight: &Decimal) -> bool {
    !weight.is_sign_negative() || weight.is_zero()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let actual = match parse_shares(text) {
            Ok(shares) => shares
                .iter()
                .map(|s| s.weight.map_or(s.who.to_string(), |weight| format!("{}={weight}", s.who)))
                .collect::<Vec<_>>()
                .join(","),
            Err(message) => format!("error: {message}"),
        };
        assert_eq!(actual, expected, "{text:?}");
    }

    #[test]
    fn one_name_is_read_as_itself() {
        for (text, expected) in
            [("Ann", true), ("", false), (" Ann", false), ("Ann;Bob", false), ("Ann[1]", false)]
        {
            assert_eq!(is_one_name(text), expected, "{text:?}");
        }
        check("O'Neil, Pat (West)", "O'Neil, Pat (West)");
        assert!(is_one_name("O'Neil, Pat (West)"));
    }

    #[test]
    fn texts_that_name_recipients() {
        check("", "");
        check(" ; || ;", "");
        check("Ann", "Ann");
        check(" Ann ; Bob||Cid ", "Ann,Bob,Cid");
        check("user1[0.4];user2[0.6]", "user1=0.4,user2=0.6");
        check("Ann [ 1 ] || Bob", "Ann=1,Bob");
        check("O'Neil, Pat (West)", "O'Neil, Pat (West)");
        check("Ann[x]", "error: the weight of `Ann[x]` is not a number from 0");
        check("Ann[-1]", "error: the weight of `Ann[-1]` is not a number from 0");
        check("[1]", "error: `[1]` has a weight without a name");
        check("Ann [EU] Lee", "Ann [EU] Lee");
        check("Ann[0.4", "error: `Ann[0.4` has a `[` without a `]` at its end");
        check("Ann]", "error: `Ann]` has a `]` without a `[`");
    }
}
