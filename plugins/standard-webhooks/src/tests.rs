//! The known vector, and everything that must be refused (RELIABILITY 1.1).

use super::*;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
const TIME: i64 = 1_649_367_553;
const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
const SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";

struct Attempt {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    now_s: i64,
    secrets: Vec<String>,
}

fn good() -> Attempt {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Attempt {
        headers: vec![
            header("webhook-id", ID),
            header("webhook-timestamp", &TIME.to_string()),
            header("webhook-signature", SIGNATURE),
        ],
        body: BODY.to_vec(),
        now_s: TIME,
        secrets: vec![SECRET.to_owned()],
    }
}

impl Attempt {
    fn with(mut self, index: usize, value: &str) -> Attempt {
        self.headers[index].1 = value.to_owned();
        self
    }

    fn verify(&self) -> Result<Verified, Rejected> {
        StandardWebhooks.verify(&Payload {
            headers: &self.headers,
            body: &self.body,
            now_s: self.now_s,
            secrets: &self.secrets,
        })
    }
}

#[test]
fn what_must_be_accepted() {
    let other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned();
    let rotating = Attempt { secrets: vec![other, SECRET.to_owned()], ..good() };
    let unprefixed = Attempt { secrets: vec![SECRET.replace("whsec_", "")], ..good() };
    let cases = [
        good(),
        Attempt { now_s: TIME + TOLERANCE_S, ..good() },
        Attempt { now_s: TIME - TOLERANCE_S, ..good() },
        good().with(2, &format!("v1,AAAA v1a,xyz {SIGNATURE}")),
        rotating,
        unprefixed,
    ];
    for case in cases {
        assert_eq!(case.verify(), Ok(Verified { delivery: ID.to_owned() }));
    }
}

#[test]
fn what_must_be_refused() {
    let mut cases: Vec<(String, Attempt)> = Vec::new();
    let mut add = |what: &str, attempt: Attempt| cases.push((what.to_owned(), attempt));
    for index in 0..3 {
        let mut missing = good();
        let twice = missing.headers[index].clone();
        missing.headers.remove(index);
        add("missing", missing);
        let mut doubled = good();
        doubled.headers.push(twice);
        add("doubled", doubled);
        add("empty", good().with(index, ""));
    }
    for id in ["other", "msg.1", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpK"] {
        add("id", good().with(0, id));
    }
    let far = [TIME + 301, TIME - 301, 0, -TIME, i64::MAX, i64::MIN];
    for now_s in far {
        add("now", Attempt { now_s, ..good() });
    }
    for time in [
        "abc",
        " 1649367553",
        "1649367553 ",
        "+1649367553",
        "-1649367553",
        "1649367553.0",
        "1e9",
        "0x1",
        "9223372036854775808",
        "١٦٤٩٣٦٧٥٥٣",
        "1649367554",
        "01649367553",
    ] {
        add("timestamp", good().with(1, time));
    }
    let bare = SIGNATURE.trim_start_matches("v1,");
    for signature in [
        bare.to_owned(),
        "v1,".to_owned(),
        "v1".to_owned(),
        format!("v2,{bare}"),
        format!("v1a,{bare}"),
        format!("V1,{bare}"),
        format!("v1, {bare}"),
        format!("v1,{}", bare.trim_end_matches('=')),
        format!("v1,{}", bare.get(..20).unwrap()),
        format!("v1,{}", bare.to_lowercase()),
        format!("{SIGNATURE}x"),
        format!("{}{SIGNATURE}", "v1,AAAA ".repeat(SIGNATURES_MAX)),
    ] {
        add("signature", good().with(2, &signature));
    }
    for secret in ["", "whsec_", "whsec_!!!!", "whsec_AAAA", "C2FVsBQIhrscChlQIMV+b5sSYspob7o"] {
        add("secret", Attempt { secrets: vec![secret.to_owned()], ..good() });
    }
    add("no secret", Attempt { secrets: Vec::new(), ..good() });
    for index in 0..BODY.len() {
        let mut flipped = good();
        flipped.body[index] ^= 1;
        add("body", flipped);
    }
    add("longer", Attempt { body: [BODY, b" "].concat(), ..good() });
    add("shorter", Attempt { body: BODY[1..].to_vec(), ..good() });
    assert!(cases.len() >= 60, "{}", cases.len());
    for (what, attempt) in cases {
        assert!(attempt.verify().is_err(), "{what}: {:?} {:?}", attempt.headers, attempt.now_s);
    }
}
