//! Notifications that are authentic, and everything that must be refused.

use accredit_seams::connector::{
    Connector, RejectedDelivery, SampleDeal, SecretOrigin, SentRequest, SettingValue,
    SourceSettings,
};
use accredit_zoho::Zoho;
use proptest::prelude::*;

/// As the server makes a token: 45 characters.
const SECRET: &str = "wsDwTqkCsLHP-8hyV3CbOmbWx1ZqC5jXnAqYkqKkR7s-x";
const OTHER: &str = "wsZ5jXnAqYkqKkR7sDwTqkCsLHP-8hyV3CbOmbWx1Zq-y";
const CHANNEL: &str = "1000000068001";

fn channels(ids: &[&str]) -> SourceSettings {
    let ids = ids.iter().map(|&id| id.to_owned()).collect();
    let values = [("channels".to_owned(), SettingValue::Texts(ids))];
    SourceSettings { url: None, values: values.into() }
}

/// A notification whose `token` and `channel_id` are these members, as JSON.
fn notification(token: &str, channel: &str) -> String {
    format!(
        r#"{{"server_time": 1718115953625, "module": "Deals", "ids": ["5725767000003000010"],
            "operation": "update"{channel}{token}}}"#
    )
}

fn token(text: &str) -> String {
    notification(&format!(r#", "token": "{text}""#), &format!(r#", "channel_id": "{CHANNEL}""#))
}

fn channel(id: &str) -> String {
    notification(&format!(r#", "token": "{SECRET}""#), &format!(r#", "channel_id": {id}"#))
}

fn verify(
    body: &[u8],
    settings: &SourceSettings,
    secrets: &[&str],
) -> Result<usize, RejectedDelivery> {
    // Parts outside of the body say nothing: a token there is not one that Zoho sent.
    let headers: [(&str, &[u8]); 2] =
        [("token", SECRET.as_bytes()), ("authorization", SECRET.as_bytes())];
    let request = SentRequest {
        method: "POST",
        query: "token=wsDwTqkCsLHP-8hyV3CbOmbWx1ZqC5jXnAqYkqKkR7s-x",
        headers: &headers,
        body,
        received_ms: 1_718_115_953_625,
    };
    Zoho.verify_request(&request, settings, secrets)
}

#[test]
fn accepted() {
    let any = SourceSettings::default();
    let cases: Vec<(&str, String, SourceSettings, &[&str], usize)> = vec![
        ("the token", token(SECRET), any.clone(), &[SECRET], 0),
        ("the second secret", token(SECRET), any.clone(), &[OTHER, SECRET], 1),
        ("beside an empty secret", token(SECRET), any.clone(), &["", SECRET], 1),
        ("with escapes", token(&SECRET.replacen('w', "\\u0077", 1)), any.clone(), &[SECRET], 0),
        ("a mark before text", format!("\u{feff}{}", token(SECRET)), any.clone(), &[SECRET], 0),
        ("only a token", format!(r#"{{"token": "{SECRET}"}}"#), any.clone(), &[SECRET], 0),
        ("its channel", token(SECRET), channels(&[CHANNEL]), &[SECRET], 0),
        ("one of the channels", token(SECRET), channels(&["7", CHANNEL]), &[SECRET], 0),
        ("a channel as a number", channel(CHANNEL), channels(&[CHANNEL]), &[SECRET], 0),
        ("without a channel", channel("null"), any, &[SECRET], 0),
    ];
    for (name, body, settings, secrets, matched) in cases {
        assert_eq!(verify(body.as_bytes(), &settings, secrets), Ok(matched), "{name}");
    }
}

/// Members in the place of the token.
fn wrong_tokens() -> Vec<String> {
    let mut tokens: Vec<String> = [
        "",
        r#", "token": null"#,
        r#", "token": true"#,
        r#", "token": 0"#,
        r#", "token": []"#,
        r#", "token": {}"#,
        r#", "token": """#,
        r#", "token": " ""#,
        r#", "token": "null""#,
        r#", "token": "\u0000""#,
    ]
    .map(str::to_owned)
    .into();

    let named = |key: &str| format!(r#", "{key}": "{SECRET}""#);
    tokens.extend(["Token", "TOKEN", "token ", " token", "toke", "tokens", "secret"].map(named));
    let valued = |text: String| format!(r#", "token": "{text}""#);
    tokens.extend([
        format!(r#", "token": "{SECRET}", "token": "{SECRET}""#),
        format!(r#", "token": "{OTHER}", "token": "{SECRET}""#),
        format!(r#", "token": "{SECRET}", "\u0074oken": "{OTHER}""#),
        format!(r#", "token": ["{SECRET}"]"#),
        format!(r#", "token": {{"token": "{SECRET}"}}"#),
        format!(r#", "query_params": {{"token": "{SECRET}"}}"#),
        format!(r#", "channel": {{"token": "{SECRET}"}}"#),
        valued(OTHER.to_owned()),
        valued(format!("{SECRET}x")),
        valued(format!("{SECRET} ")),
        valued(format!(" {SECRET}")),
        valued(format!("{SECRET}\\n")),
        valued(format!("{SECRET}\\u0000")),
        valued(format!("{SECRET}{SECRET}")),
        valued(format!("\\\"{SECRET}\\\"")),
        valued(format!("Bearer {SECRET}")),
        valued(format!("token={SECRET}")),
        valued(SECRET.to_uppercase()),
        valued(SECRET.to_lowercase()),
        valued(SECRET.replace('-', "_")),
        valued(SECRET.replace('-', "%2D")),
        valued(SECRET.chars().rev().collect()),
        valued(SECRET[1..].to_owned()),
        valued(SECRET[..SECRET.len() - 1].to_owned()),
        valued(SECRET[..2].to_owned()),
        valued("A".repeat(100_000)),
    ]);
    tokens.extend(
        (0..SECRET.len()).map(|at| valued(format!("{}{}", &SECRET[..at], &SECRET[at + 1..]))),
    );
    tokens
}

/// Members in the place of the channel, where only [`CHANNEL`] is taken.
const WRONG_CHANNELS: &[&str] = &[
    "null",
    "\"\"",
    "0",
    "\"1000000068002\"",
    "1000000068002",
    "\"01000000068001\"",
    "\"1000000068001 \"",
    "1000000068001.0",
    "1.000000068001e12",
    "-1000000068001",
    "[\"1000000068001\"]",
    "{\"id\": \"1000000068001\"}",
    "\"1000000068001\", \"channel_id\": \"1000000068002\"",
    "true",
    "9223372036854775808",
];

#[test]
fn refused() {
    let any = SourceSettings::default();
    let mut cases: Vec<(String, Vec<u8>, SourceSettings, &[&str])> = Vec::new();
    for member in wrong_tokens() {
        let body = notification(&member, "").into_bytes();
        cases.push((format!("token `{member:.80}`"), body, any.clone(), &[SECRET]));
    }
    for id in WRONG_CHANNELS {
        let body = channel(id).into_bytes();
        cases.push((format!("channel `{id}`"), body, channels(&[CHANNEL]), &[SECRET]));
    }

    let good = token(SECRET);
    let member = format!(r#""token": "{SECRET}""#);
    for (name, body) in [
        ("nothing", String::new()),
        ("a list", format!("[{good}]")),
        ("two notifications", format!("{good}{good}")),
        ("a text", format!("\"{member}\"")),
        ("a form", format!("token={SECRET}")),
        ("not closed", good[..good.len() - 1].to_owned()),
        ("with more behind", format!("{good}x")),
        ("a key twice elsewhere", good.replace("\"module\"", "\"module\": 1, \"module\"")),
        ("wrapped", format!(r#"{{"body": {good}}}"#)),
        ("nested too deeply", format!(r#"{{{member}, "a": {}}}"#, "[".repeat(10_000))),
    ] {
        cases.push((format!("body: {name}"), body.into_bytes(), any.clone(), &[SECRET]));
    }
    for (at, bit) in [(0, 0x20), (1, 0x01), (good.len() - 2, 0x04), (good.len() - 3, 0x01)] {
        let mut body = good.clone().into_bytes();
        body[at] ^= bit;
        cases.push((format!("bit {bit} of byte {at}"), body, any.clone(), &[SECRET]));
    }
    cases.push(("not UTF-8".into(), [good.as_bytes(), b"\xff"].concat(), any.clone(), &[SECRET]));
    cases.push(("no secret".into(), good.clone().into_bytes(), any.clone(), &[]));
    cases.push(("another secret".into(), good.clone().into_bytes(), any.clone(), &[OTHER]));
    cases.push(("an empty secret".into(), token("").into_bytes(), any.clone(), &[""]));
    let number = notification(r#", "token": 12345678901234567890"#, "").into_bytes();
    cases.push(("a token that is a number".into(), number, any, &["12345678901234567890"]));
    cases.push((
        "no channel".into(),
        notification(&format!(", {member}"), "").into_bytes(),
        channels(&[CHANNEL]),
        &[SECRET],
    ));
    cases.push(("another channel".into(), good.into_bytes(), channels(&["7"]), &[SECRET]));

    assert!(cases.len() >= 60, "{} cases", cases.len());
    for (name, body, settings, secrets) in cases {
        assert!(verify(&body, &settings, secrets).is_err(), "accepted: {name}");
    }
}

/// Zoho keeps 50 characters of a token: a longer secret would never come back.
#[test]
fn secrets_that_verify_nothing() {
    let check = |secret: &str| Zoho.check_secret(secret, &SourceSettings::default());
    assert_eq!(Zoho.secret_origin(&SourceSettings::default()), SecretOrigin::Token);
    assert_eq!(check(SECRET), Ok(()));
    for length in 0..=60 {
        let is_usable = (16..=50).contains(&length);
        assert_eq!(check(&"k".repeat(length)).is_ok(), is_usable, "{length} characters");
    }
    for secret in ["0123456789 abcdef", "0123456789abcd\u{e9}f", "0123456789abcdef\n"] {
        assert!(check(secret).is_err(), "{secret}");
    }
}

/// A sample is what an administrator tries a source out with: it must pass as the vendor's would.
#[test]
fn samples_are_authentic() {
    let deal = SampleDeal {
        id: "5725767000003000010",
        name: "Acorn \"and\" more",
        amount: "1500.10",
        owner: "Ann Lee",
        closed_day: "2026-01-31",
        sent_ms: 1_769_900_000_123,
    };
    for settings in [SourceSettings::default(), channels(&["7", "8"])] {
        let sample = Zoho.sample_request(&deal, &settings, SECRET);
        let Ok(sample) = sample else { panic!("{sample:?}") };
        assert_eq!(verify(&sample.body, &settings, &[OTHER, SECRET]), Ok(1));

        let request = SentRequest {
            method: "POST",
            query: &sample.query,
            headers: &[],
            body: &sample.body,
            received_ms: deal.sent_ms,
        };
        let events = Zoho.split_request(&request, &settings);
        assert_eq!(events.len(), 1);
        let payload = Zoho.decode_event(&events[0].body).unwrap_or_default().concat();
        assert!(payload.contains(r#""Amount":1500.10"#), "{payload}");
        let fetch =
            Zoho.needed_fetch(&payload, &settings).map(|fetch| fetch.map(|fetch| fetch.url));
        let url = "https://www.zohoapis.com/crm/v8/Deals/5725767000003000010";
        assert_eq!(fetch, Ok(Some(url.to_owned())));
    }
    let wrong = SampleDeal { amount: "1,500", ..deal };
    assert!(Zoho.sample_request(&wrong, &SourceSettings::default(), SECRET).is_err());
}

/// Reads a body as the host and its worker would; whatever arrives is never a reason to stop.
fn read_whole(query: &str, body: &[u8]) {
    let settings = channels(&[CHANNEL]);
    let request = SentRequest { method: "POST", query, headers: &[], body, received_ms: 0 };
    let _ = Zoho.verify_request(&request, &settings, &[SECRET]);
    for event in Zoho.split_request(&request, &settings) {
        for payload in Zoho.decode_event(&event.body).unwrap_or_default() {
            let _ = Zoho.needed_fetch(&payload, &settings);
            let _ = Zoho.complete_event(&payload, &payload);
        }
    }
    if let Ok(text) = std::str::from_utf8(body) {
        let _ = Zoho.needed_fetch(text, &settings);
        let _ = Zoho.complete_event(text, text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(
        query in ".{0,40}",
        body in prop::collection::vec(any::<u8>(), 0..200),
        text in r#"[\[\]{}",:0-9a-zA-Z \\-]{0,200}"#,
    ) {
        read_whole(&query, &body);
        read_whole(&query, text.as_bytes());
    }

    #[test]
    fn damaged_notifications_never_panic(at in 0..600_usize, byte: u8, length in 0..600_usize) {
        let whole: &[u8] = include_bytes!("payloads/insert-deals.json");
        let mut body = whole.to_vec();
        if let Some(damaged) = body.get_mut(at) {
            *damaged = byte;
        }
        read_whole("", &body);
        read_whole("", &whole[..length.min(whole.len())]);
    }
}
