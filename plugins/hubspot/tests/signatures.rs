//! T09 and T10 of the reliability plan: known answers, and everything that must be refused.
#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::collections::BTreeMap;

use accredit_hubspot::{Hubspot, SignedParts, sign_request};
use accredit_seams::connector::{
    Connector, RejectedDelivery, SecretOrigin, SentRequest, SettingValue, SourceSettings,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

const SECRET: &str = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy";
const OTHER: &str = "zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz";
const URL: &str = "https://www.example.com/webhook_uri";
const BODY: &str = "{'example_field':'example_value'}";
const AT: i64 = 1_693_657_560_000;
const KNOWN: &str = "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=";

const SIGNATURE_V3: &str = "x-hubspot-signature-v3";
const TIMESTAMP: &str = "x-hubspot-request-timestamp";
const SIGNATURE: &str = "x-hubspot-signature";
const VERSION: &str = "x-hubspot-signature-version";

/// One request, right unless a case changes it.
#[derive(Clone)]
struct SignedRequest {
    method: &'static str,
    url: String,
    query: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    now_ms: i64,
    secrets: Vec<&'static str>,
    legacy: bool,
}

impl SignedRequest {
    fn good() -> Self {
        SignedRequest {
            method: "POST",
            url: URL.to_owned(),
            query: String::new(),
            headers: vec![
                (SIGNATURE_V3.to_owned(), KNOWN.into()),
                (TIMESTAMP.to_owned(), AT.to_string().into()),
            ],
            body: BODY.into(),
            now_ms: AT,
            secrets: vec![SECRET],
            legacy: false,
        }
    }

    /// With signatures of version 1 or 2 alone, which are allowed.
    fn legacy(method: &'static str, body: &str, signature: &str) -> Self {
        let headers = vec![(SIGNATURE.to_owned(), signature.into())];
        let body = body.into();
        SignedRequest { method, headers, body, legacy: true, ..SignedRequest::good() }
    }

    fn with(mut self, header: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.retain(|(name, _)| name != header);
        self.headers.push((header.to_owned(), value.into()));
        self
    }

    fn without(mut self, header: &str) -> Self {
        self.headers.retain(|(name, _)| name != header);
        self
    }

    fn twice(mut self, header: &str) -> Self {
        let again = self.headers.iter().find(|(name, _)| name == header).unwrap().clone();
        self.headers.push(again);
        self
    }

    /// Signed rightly for this URL and this timestamp: only what is not signed can be at fault.
    fn signed(self, url: &str, timestamp: &str) -> Self {
        let parts = [self.method.as_bytes(), url.as_bytes(), &self.body, timestamp.as_bytes()];
        let signature = mac_text(SECRET, &parts);
        self.with(SIGNATURE_V3, signature).with(TIMESTAMP, timestamp)
    }

    fn verify(&self) -> Result<usize, RejectedDelivery> {
        let headers: Vec<_> =
            self.headers.iter().map(|(n, v)| (n.as_str(), v.as_slice())).collect();
        let request = SentRequest {
            method: self.method,
            query: &self.query,
            headers: &headers,
            body: &self.body,
            received_ms: self.now_ms,
        };
        let flag = ("legacy_signatures".to_owned(), SettingValue::Flag(self.legacy));
        let settings =
            SourceSettings { url: Some(self.url.clone()), values: BTreeMap::from([flag]) };
        Hubspot.verify_request(&request, &settings, &self.secrets)
    }
}

fn mac_text(secret: &str, parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    STANDARD.encode(mac.finalize().into_bytes())
}

fn hash_text(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The vectors of the vendor's documentation and of the tests of its three libraries.
#[test]
fn known_vectors() {
    for (at, signature) in
        [("15000000", "HPW73RUtKmcYoEDADG0s6MmGFWUzWJKAW07r8RDgcQw="), ("1693657560000", KNOWN)]
    {
        let body = BODY.as_bytes();
        let parts = SignedParts { method: "POST", url: URL, body, timestamp: at };
        assert_eq!(sign_request(SECRET, &parts).unwrap(), signature);
        let request = SignedRequest { now_ms: at.parse().unwrap(), ..SignedRequest::good() };
        let request = request.with(TIMESTAMP, at).with(SIGNATURE_V3, signature);
        assert_eq!(request.verify(), Ok(0), "{at}");
    }

    let contact = include_str!("payloads/official-validation-v1.json");
    let example = r#"{"example_field":"example_value"}"#;
    for (version, method, body, signature) in [
        ("v1", "POST", contact, "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"),
        ("v1", "POST", BODY, "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750"),
        ("v2", "GET", "", "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"),
        ("v2", "POST", example, "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900"),
        ("v2", "POST", BODY, "4fe4e3a7d3cf09db53be39d0a58130e2aaba074ec123a9e355b876a689a1c383"),
    ] {
        let request = SignedRequest::legacy(method, body, signature);
        assert_eq!(request.verify(), Ok(0), "{version} {method}");
        assert_eq!(request.clone().with(VERSION, version).verify(), Ok(0), "{version} {method}");
        let other = if version == "v1" { "v2" } else { "v1" };
        assert!(request.clone().with(VERSION, other).verify().is_err(), "{version} as {other}");
        let strict = SignedRequest { legacy: false, ..request };
        assert!(strict.verify().is_err(), "{version} is refused without the setting");
    }
}

#[test]
fn accepted() {
    let good = SignedRequest::good;
    let later = |ms| SignedRequest { now_ms: AT + ms, ..good() };
    let escaped = "https://www.example.com/a%2Cb%20c?d=%3A";
    let decoded = "https://www.example.com/a,b%20c?d=:";
    let at = AT.to_string();
    let cases: Vec<(&str, SignedRequest)> = vec![
        ("the last millisecond of the window", later(300_000)),
        ("the first millisecond of the window", later(-300_000)),
        ("the second secret", SignedRequest { secrets: vec![OTHER, SECRET], ..good() }),
        ("after a broken secret", SignedRequest { secrets: vec!["", "short", SECRET], ..good() }),
        ("an empty body", SignedRequest { body: vec![], ..good() }.signed(URL, &at)),
        ("a body that is not text", {
            SignedRequest { body: vec![0xff, 0xfe], ..good() }.signed(URL, &at)
        }),
        ("another method", SignedRequest { method: "PUT", ..good() }.signed(URL, &at)),
        ("a query of the settings", {
            let url = format!("{URL}?tenant=1");
            SignedRequest { url: url.clone(), query: "tenant=1".into(), ..good() }.signed(&url, &at)
        }),
        ("a query of the settings that a proxy took away", {
            let url = format!("{URL}?tenant=1");
            SignedRequest { url: url.clone(), ..good() }.signed(&url, &at)
        }),
        ("a query of the request", {
            let url = format!("{URL}?tenant=1");
            SignedRequest { query: "tenant=1".into(), ..good() }.signed(&url, &at)
        }),
        ("a URL with escapes, decoded as documented", {
            SignedRequest { url: escaped.into(), ..good() }.signed(decoded, &at)
        }),
        ("a URL with escapes, as the libraries sign it", {
            SignedRequest { url: escaped.into(), ..good() }.signed(escaped, &at)
        }),
        ("beside an older signature", good().with(SIGNATURE, "00").with(VERSION, "v1")),
        ("where old signatures are allowed", SignedRequest { legacy: true, ..good() }),
    ];
    for (name, request) in cases {
        assert!(request.verify().is_ok(), "{name}: {:?}", request.verify());
    }

    let second = SignedRequest { secrets: vec![OTHER, SECRET], ..good() };
    assert_eq!(second.verify(), Ok(1));
    let mut upper = good();
    upper.headers.iter_mut().for_each(|(name, _)| *name = name.to_uppercase());
    assert!(upper.verify().is_ok(), "header names in any case");
}

/// What an attacker without the secret can write as a signature.
const SIGNATURES: &[&str] = &[
    "",
    " ",
    "=",
    "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y",
    "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y==",
    "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Z=",
    "k36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=",
    "K36DAWEI4A+QBNOLUOQO7S91KQDWQ5MXZ/QUFNYUK/Y=",
    "K36dawei4A-QBNolUOqo7s91KQDWQ5MXZ_QufNYuk_Y=",
    " K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=",
    "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y= ",
    "K36dawei4A+QBNolUOqo7g==",
    "v3=K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=",
    "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=,K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "2b7e9d6b07a2e00f9004da2550eaa8eecf752900d6439317ff742e7cd62e93f6",
    "HPW73RUtKmcYoEDADG0s6MmGFWUzWJKAW07r8RDgcQw=",
    "4fe4e3a7d3cf09db53be39d0a58130e2aaba074ec123a9e355b876a689a1c383",
];

/// Timestamps that are signed rightly and still refused.
const TIMESTAMPS: &[&str] = &[
    "",
    " ",
    "abc",
    " 1",
    "1e9",
    "1.69365756e12",
    "+5",
    "+1693657560000",
    "-1693657560000",
    " 1693657560000",
    "1693657560000 ",
    "1693657560000.0",
    "1_693_657_560_000",
    "0x18A55EFEB40",
    "NaN",
    "Infinity",
    "undefined",
    "null",
    "[]",
    "1693657560",
    "1693657260000000",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "0",
    "1693657259999",
    "1693657860001",
    "1693657259000",
    "1693657861000",
    "2023-09-02T12:26:00Z",
    "1693657560000\t",
];

/// URLs that HubSpot did not sign.
const URLS: &[&str] = &[
    "http://www.example.com/webhook_uri",
    "https://www.example.com/webhook_uri/",
    "https://www.example.com/webhook_uri?",
    "https://www.example.com/webhook_uri?a=1",
    "https://www.example.com/Webhook_uri",
    "https://WWW.example.com/webhook_uri",
    "https://www.example.com:443/webhook_uri",
    "https://www.example.org/webhook_uri",
    "https://www.example.com//webhook_uri",
    "https://www.example.com/webhook%5Furi",
    "https://www.example.com/webhook_ur",
    "/webhook_uri",
];

fn refused_requests() -> Vec<(String, SignedRequest)> {
    let good = SignedRequest::good;
    let mut cases: Vec<(String, SignedRequest)> = Vec::new();
    for signature in SIGNATURES {
        cases.push((format!("signature `{signature}`"), good().with(SIGNATURE_V3, *signature)));
    }
    let many = vec![KNOWN; 1_000].join(" ");
    cases.push(("a thousand signatures".into(), good().with(SIGNATURE_V3, many)));
    for timestamp in TIMESTAMPS {
        cases.push((format!("timestamp `{timestamp}`"), good().signed(URL, timestamp)));
    }
    for url in URLS {
        cases.push((
            format!("the settings have `{url}`"),
            SignedRequest { url: (*url).to_owned(), ..good() },
        ));
        cases.push((format!("signed for `{url}`"), good().signed(url, &AT.to_string())));
    }
    for method in ["GET", "PUT", "post", "POS", "POSTh", ""] {
        cases.push((format!("method `{method}`"), SignedRequest { method, ..good() }));
    }
    for query in ["a=1", "?", "%3F", "/"] {
        cases.push((format!("query `{query}`"), SignedRequest { query: query.into(), ..good() }));
    }
    for (name, body) in [
        ("nothing", ""),
        ("a space more", "{'example_field':'example_value'} "),
        ("a line more", "{'example_field':'example_value'}\n"),
        ("another quote", "{\"example_field\":'example_value'}"),
        ("a mark before it", "\u{feff}{'example_field':'example_value'}"),
        ("the time as well", "{'example_field':'example_value'}1693657560000"),
    ] {
        cases.push((format!("body: {name}"), SignedRequest { body: body.into(), ..good() }));
    }
    for header in [SIGNATURE_V3, TIMESTAMP] {
        cases.push((format!("without {header}"), good().without(header)));
        cases.push((format!("{header} twice"), good().twice(header)));
        cases.push((format!("{header} not text"), good().with(header, vec![0xff, 0x00])));
    }
    cases.push(("another secret".into(), SignedRequest { secrets: vec![OTHER], ..good() }));
    cases.push(("no secret".into(), SignedRequest { secrets: vec![], ..good() }));
    cases.push(("an empty secret".into(), SignedRequest { secrets: vec![""], ..good() }));
    cases.push(("301 s early".into(), SignedRequest { now_ms: AT - 301_000, ..good() }));
    cases.push(("301 s late".into(), SignedRequest { now_ms: AT + 301_000, ..good() }));
    cases
}

#[test]
fn refused() {
    let cases = refused_requests();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    for (name, request) in cases {
        assert!(request.verify().is_err(), "accepted: {name}");
        // The setting for old signatures opens nothing while there is a signature of version 3.
        let open = SignedRequest { legacy: true, ..request };
        assert!(open.verify().is_err(), "accepted with old signatures: {name}");
    }
}

#[test]
fn no_bit_can_be_turned() {
    let good = SignedRequest::good();
    for bit in 0..BODY.len() * 8 {
        let mut request = good.clone();
        request.body[bit / 8] ^= 1 << (bit % 8);
        assert!(request.verify().is_err(), "bit {bit} of the body");
    }
    for header in 0..good.headers.len() {
        for bit in 0..good.headers[header].1.len() * 8 {
            let mut request = good.clone();
            request.headers[header].1[bit / 8] ^= 1 << (bit % 8);
            assert!(request.verify().is_err(), "bit {bit} of header {header}");
        }
    }
    for bit in 0..URL.len() * 8 {
        let mut url = URL.as_bytes().to_vec();
        url[bit / 8] ^= 1 << (bit % 8);
        if let Ok(url) = String::from_utf8(url) {
            let request = SignedRequest { url, ..good.clone() };
            assert!(request.verify().is_err(), "bit {bit} of the URL");
        }
    }
}

/// Version 3 could be left out of an overheard request, and the older signature, which has no time,
/// would let it in for ever.
#[test]
fn old_signatures_are_refused_unless_allowed() {
    let second = hash_text(&format!("{SECRET}POST{URL}{BODY}"));
    let good = || SignedRequest::legacy("POST", BODY, &second);
    assert!(good().verify().is_ok());
    let cases: Vec<(&str, SignedRequest)> = vec![
        ("without the setting", SignedRequest { legacy: false, ..good() }),
        ("beside an empty signature of version 3", good().with(SIGNATURE_V3, "")),
        ("beside a wrong signature of version 3", {
            good().with(SIGNATURE_V3, KNOWN).with(TIMESTAMP, "1")
        }),
        ("capitals", good().with(SIGNATURE, second.to_uppercase())),
        ("twice", good().twice(SIGNATURE)),
        ("without one", good().without(SIGNATURE)),
        ("truncated", good().with(SIGNATURE, &second[..62])),
        ("of an unknown version", good().with(VERSION, "v3")),
        ("of an empty version", good().with(VERSION, "")),
        ("another method", SignedRequest { method: "GET", ..good() }),
        ("another URL", SignedRequest { url: format!("{URL}/"), ..good() }),
        ("another query", SignedRequest { query: "a=1".into(), ..good() }),
        ("another body", SignedRequest { body: b"{}".to_vec(), ..good() }),
        ("another secret", SignedRequest { secrets: vec![OTHER], ..good() }),
        ("an empty secret", {
            let signature = hash_text(&format!("POST{URL}{BODY}"));
            SignedRequest { secrets: vec![""], ..good() }.with(SIGNATURE, signature)
        }),
        ("a body that a hash was continued over", {
            let mut body = BODY.as_bytes().to_vec();
            body.extend([0x80, 0, 0]);
            let parts = [SECRET.as_bytes(), b"POST", URL.as_bytes(), &body].concat();
            let signature: String =
                Sha256::digest(parts).iter().map(|byte| format!("{byte:02x}")).collect();
            SignedRequest { body, ..good() }.with(SIGNATURE, signature)
        }),
    ];
    for (name, request) in cases {
        assert!(request.verify().is_err(), "accepted: {name}");
    }
}

#[test]
fn an_empty_secret_never_verifies() {
    // What an empty or a short secret would have signed: an attacker can know it.
    let at = AT.to_string();
    for secret in ["", " ", "fifteen-letters"] {
        let parts = [b"POST".as_slice(), URL.as_bytes(), BODY.as_bytes(), at.as_bytes()];
        let request = SignedRequest { secrets: vec![secret], ..SignedRequest::good() };
        let request = request.with(SIGNATURE_V3, mac_text(secret, &parts));
        assert!(request.verify().is_err(), "`{secret}`");
    }

    for secret in ["", " ", "short", "fifteen-letters", "yyyyyyyy-yyyy yyyy-yyyy-yyyyyyyyyyyy"] {
        assert!(Hubspot.check_secret(secret, &SourceSettings::default()).is_err(), "{secret}");
    }
    assert!(Hubspot.check_secret(SECRET, &SourceSettings::default()).is_ok());
    assert_eq!(Hubspot.secret_origin(&SourceSettings::default()), SecretOrigin::Given);
}

#[test]
fn without_a_url_nothing_is_authentic() {
    let at = AT.to_string();
    let headers: [(&str, &[u8]); 2] =
        [(SIGNATURE_V3, KNOWN.as_bytes()), (TIMESTAMP, at.as_bytes())];
    let (query, body) = ("", BODY.as_bytes());
    let request = SentRequest { method: "POST", query, headers: &headers, body, received_ms: AT };
    assert!(Hubspot.verify_request(&request, &SourceSettings::default(), &[SECRET]).is_err());
}
