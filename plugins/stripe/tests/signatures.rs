//! T09 and T10 of the reliability plan for Stripe: known answers, and everything that must be refused.
#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use accredit_seams::connector::{
    Connector, OverloadAnswer, RejectedDelivery, SecretOrigin, SentRequest, SourceSettings,
};
use accredit_stripe::{Stripe, sign_event};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const SECRET: &str = "whsec_0123456789abcdefghijklmnopqrstuv";
const OTHER: &str = "whsec_vutsrqponmlkjihgfedcba9876543210";
const AT: i64 = 1_727_211_273;
/// The payload of the tests of the vendor's libraries.
const BODY: &str = r#"{
  "id": "evt_test_webhook",
  "object": "event",
  "data": { "object": { "id": "rdr_123", "object": "terminal.reader" } }
}"#;
/// Computed with another implementation of HMAC.
const KNOWN: &str = "173fca8eb5adf8065c12c2f57d17773dc50cbbfc55bb2503d26664230477ac96";
/// A header as it was recorded, of a secret that is not public.
const RECORDED: &str = "t=1757077813,v1=694c3add1ff8bcb080fc22aeda24d69d67fc9b08152e6d7b59aee98e9d7127fc,\
                        v0=5b153d30ed3e0d0b718d21d8057fc8ac3e89fa058c616aecb5be378c09666fc2";

/// One request, right unless a case changes it.
#[derive(Clone)]
struct SignedRequest {
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
    now_s: i64,
    secrets: Vec<&'static str>,
}

impl SignedRequest {
    fn good() -> Self {
        SignedRequest::with(format!("t={AT},v1={KNOWN}"))
    }

    fn with(header: impl Into<Vec<u8>>) -> Self {
        SignedRequest {
            headers: vec![("stripe-signature", header.into())],
            body: BODY.into(),
            now_s: AT,
            secrets: vec![SECRET],
        }
    }

    fn verify(&self) -> Result<usize, RejectedDelivery> {
        let headers: Vec<_> = self.headers.iter().map(|(n, v)| (*n, v.as_slice())).collect();
        let request = SentRequest {
            method: "POST",
            query: "",
            headers: &headers,
            body: &self.body,
            received_ms: self.now_s * 1000,
        };
        Stripe.verify_request(&request, &SourceSettings::default(), &self.secrets)
    }
}

fn mac_text(secret: &str, timestamp: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_known_vector() {
    assert_eq!(sign_event(SECRET, AT, BODY.as_bytes()).unwrap(), format!("t={AT},v1={KNOWN}"));
    assert_eq!(SignedRequest::good().verify(), Ok(0));
}

#[test]
fn accepted() {
    let filler = "f".repeat(64);
    let many = |count: usize| format!("t={AT},{}v1={KNOWN}", format!("v1={filler},").repeat(count));
    let sign = |body: &[u8]| format!("t={AT},v1={}", mac_text(SECRET, &AT.to_string(), body));
    let cases: Vec<(&str, SignedRequest)> = vec![
        ("the first second", SignedRequest { now_s: AT - 300, ..SignedRequest::good() }),
        ("the last second", SignedRequest { now_s: AT + 300, ..SignedRequest::good() }),
        ("a test signature beside it", {
            SignedRequest::with(format!("t={AT},v1={KNOWN},v0={filler}"))
        }),
        ("a test signature before it", {
            SignedRequest::with(format!("t={AT},v0={filler},v1={KNOWN}"))
        }),
        ("a later version beside it", SignedRequest::with(format!("v2=x=y,t={AT},v1={KNOWN}"))),
        ("the time behind it", SignedRequest::with(format!("v1={KNOWN},t={AT}"))),
        ("the second of two", SignedRequest::with(many(1))),
        ("the twentieth", SignedRequest::with(many(19))),
        ("after an empty one", SignedRequest::with(format!("t={AT},v1=,v1={KNOWN}"))),
        ("followed by hundreds", {
            SignedRequest::with(format!("t={AT},v1={KNOWN}{}", ",v1=00".repeat(1_000)))
        }),
        ("the second secret", {
            SignedRequest { secrets: vec![OTHER, SECRET], ..SignedRequest::good() }
        }),
        ("after broken secrets", {
            SignedRequest { secrets: vec!["", "whsec_", SECRET], ..SignedRequest::good() }
        }),
        ("an empty body", SignedRequest { body: vec![], ..SignedRequest::with(sign(b"")) }),
        ("a body that is not text", {
            SignedRequest { body: vec![0xff, 0xfe], ..SignedRequest::with(sign(b"\xff\xfe")) }
        }),
    ];
    for (name, request) in cases {
        assert!(request.verify().is_ok(), "{name}: {:?}", request.verify());
    }

    let second = SignedRequest { secrets: vec![OTHER, SECRET], ..SignedRequest::good() };
    assert_eq!(second.verify(), Ok(1));
    let mut upper = SignedRequest::good();
    upper.headers[0].0 = "Stripe-Signature";
    assert!(upper.verify().is_ok(), "header names in any case");
}

/// Headers that nothing was signed for; `{known}` is the right signature and `{at}` its time.
const HEADERS: &[&str] = &[
    "",
    " ",
    ",",
    "=",
    "t",
    "v1",
    "t=,v1=",
    "t={at}",
    "t={at},",
    "t={at},v1",
    "t={at},v1=",
    "t={at},v1= ",
    "v1={known}",
    "{known}",
    "t={at},{known}",
    "t={at},v0={known}",
    "t={at},v2={known}",
    "t={at},v1a={known}",
    "t={at},V1={known}",
    "T={at},v1={known}",
    "t={at}, v1={known}",
    " t={at},v1={known}",
    "t={at},v1={known} ",
    "t={at},v1 ={known}",
    "t={at};v1={known}",
    "t={at} v1={known}",
    "t={at},v1:{known}",
    "t={at},v1={known}=",
    "t={at},v1=={known}",
    "t={at},v1={known}=x",
    "t={at},v1=\"{known}\"",
    "t={at},v1=0x{known}",
    "t={at},v1={known}00",
    "t={at},v1=00{known}",
    "t={at},v1={known},",
    "t={at},v1={known},v1",
    "t={at},,v1={known}",
    "t={at},t={at},v1={known}",
    "t={at},v1={known},t=1",
    "t=1,v1={known},t={at}",
    "t={at}.,v1={known}",
    "t={at}=,v1={known}",
    "stripe-signature: t={at},v1={known}",
];

/// Texts in place of the time, signed rightly and still refused.
const TIMESTAMPS: &[&str] = &[
    "",
    " ",
    "abc",
    " 1",
    "1e9",
    "1.727211273e9",
    "+5",
    "+1727211273",
    "-1727211273",
    " 1727211273",
    "1727211273 ",
    "1727211273.0",
    "1_727_211_273",
    "0x66F32649",
    "NaN",
    "None",
    "1727211273000",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "0",
    "1727210972",
    "1727211574",
    "2024-09-24T20:54:33Z",
];

fn refused_requests() -> Vec<(String, SignedRequest)> {
    let good = SignedRequest::good;
    let mut cases: Vec<(String, SignedRequest)> = Vec::new();
    for header in HEADERS {
        let header = header.replace("{known}", KNOWN).replace("{at}", &AT.to_string());
        cases.push((format!("header `{header}`"), SignedRequest::with(header)));
    }
    for timestamp in TIMESTAMPS {
        let signature = mac_text(SECRET, timestamp, BODY.as_bytes());
        let header = format!("t={timestamp},v1={signature}");
        cases.push((format!("timestamp `{timestamp}`"), SignedRequest::with(header)));
    }
    for (name, signature) in [
        ("capitals", KNOWN.to_uppercase()),
        ("one digit less", KNOWN[..63].to_owned()),
        ("half of it", KNOWN[..32].to_owned()),
        ("nothing but zeros", "0".repeat(64)),
        ("base64", "Fz/KjrWt+AZcEsL1fRd3PcUMu/xVuyUD0mZkIwR3rJY=".to_owned()),
        ("the secret decoded as base64", {
            mac_text("0123456789abcdefghijklmnopqrstuv", &AT.to_string(), BODY.as_bytes())
        }),
        ("the body alone", mac_text(SECRET, "", BODY.as_bytes())),
    ] {
        let header = format!("t={AT},v1={signature}");
        cases.push((format!("signature: {name}"), SignedRequest::with(header)));
    }
    let filler = format!("v1={},", "f".repeat(64));
    for count in [20, 1_000] {
        let header = format!("t={AT},{}v1={KNOWN}", filler.repeat(count));
        cases.push((format!("behind {count} others"), SignedRequest::with(header)));
    }
    for (name, body) in [
        ("nothing", String::new()),
        ("a space more", format!("{BODY} ")),
        ("a line more", format!("{BODY}\n")),
        ("compact", BODY.replace(['\n', ' '], "")),
        ("other line ends", BODY.replace('\n', "\r\n")),
        ("a mark before it", format!("\u{feff}{BODY}")),
        ("another id", BODY.replace("evt_test", "evt_text")),
        ("the time before it", format!("{AT}.{BODY}")),
    ] {
        cases.push((format!("body: {name}"), SignedRequest { body: body.into(), ..good() }));
    }
    cases.push(("without a header".into(), SignedRequest { headers: vec![], ..good() }));
    let twice = [good().headers, good().headers].concat();
    cases.push(("the header twice".into(), SignedRequest { headers: twice, ..good() }));
    cases.push(("not text".into(), SignedRequest::with(vec![b't', b'=', 0xff, 0x00])));
    cases.push(("301 s early".into(), SignedRequest { now_s: AT - 301, ..good() }));
    cases.push(("301 s late".into(), SignedRequest { now_s: AT + 301, ..good() }));
    cases.push(("another secret".into(), SignedRequest { secrets: vec![OTHER], ..good() }));
    cases.push(("no secret".into(), SignedRequest { secrets: vec![], ..good() }));
    let now_s = 1_757_077_813;
    cases.push((
        "a recorded header".into(),
        SignedRequest { now_s, ..SignedRequest::with(RECORDED) },
    ));
    cases
}

#[test]
fn refused() {
    let cases = refused_requests();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    for (name, request) in cases {
        assert!(request.verify().is_err(), "accepted: {name}");
    }
}

#[test]
fn no_bit_can_be_turned() {
    let good = SignedRequest::good();
    for bit in 0..good.body.len() * 8 {
        let mut request = good.clone();
        request.body[bit / 8] ^= 1 << (bit % 8);
        assert!(request.verify().is_err(), "bit {bit} of the body");
    }
    for bit in 0..good.headers[0].1.len() * 8 {
        let mut request = good.clone();
        request.headers[0].1[bit / 8] ^= 1 << (bit % 8);
        assert!(request.verify().is_err(), "bit {bit} of the header");
    }
}

#[test]
fn a_secret_that_could_be_guessed_never_verifies() {
    let at = AT.to_string();
    for secret in ["", "whsec_", "whsec_short", "whsec_fifteen-letters", "sk_live_0123456789abcdef"]
    {
        assert!(Stripe.check_secret(secret, &SourceSettings::default()).is_err(), "{secret}");
        let header = format!("t={at},v1={}", mac_text(secret, &at, BODY.as_bytes()));
        let request = SignedRequest { secrets: vec![secret], ..SignedRequest::with(header) };
        assert!(request.verify().is_err(), "`{secret}`");
    }
    assert!(
        Stripe.check_secret("whsec_0123456789 bcdef", &SourceSettings::default()).is_err()
            && Stripe.check_secret(SECRET, &SourceSettings::default()).is_ok()
    );
    assert!(sign_event("", AT, b"").is_err());
    assert_eq!(Stripe.secret_origin(&SourceSettings::default()), SecretOrigin::Given);
    assert_eq!(Stripe.overload_answer(), OverloadAnswer::default());
}
