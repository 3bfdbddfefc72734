//! Everything that must be refused: other keys, other organizations, other bodies.

use accredit_seams::connector::Connector;

use super::{ORGANIZATION, OTHER, SECRET, SalesforceOutbound, SentMessage, payload};

/// What an attacker without the secret can write into the URL.
const QUERIES: &[&str] = &[
    "",
    "key",
    "key=",
    "=",
    "&",
    "key==",
    "Key=k3y/0123456789%2Babcdef",
    "KEY=k3y/0123456789%2Babcdef",
    "keys=k3y/0123456789%2Babcdef",
    " key=k3y/0123456789%2Babcdef",
    "k%65y=k3y/0123456789%2Babcdef",
    "key=k3y/0123456789+abcdef&key=k3y/0123456789+abcdef",
    "key=k3y/0123456789+abcdef&key=",
    "key=&key=k3y/0123456789+abcdef",
    "key=k3y/0123456789%2Babcde",
    "key=k3y/0123456789%2Babcdef0",
    "key=k3y/0123456789%2Babcdef%00",
    "key=k3y/0123456789%2Babcdef%20",
    "key=%20k3y/0123456789%2Babcdef",
    "key=K3Y/0123456789%2BABCDEF",
    "key=k3y/0123456789%20abcdef",
    "key=k3y/0123456789%2babcdef%",
    "key=k3y/0123456789%2babcdef%2",
    "key=k3y/0123456789%zzabcdef",
    "key=k3y/0123456789%+Babcdef",
    "key=k3y%252F0123456789%2Babcdef",
    "key=\"k3y/0123456789%2Babcdef\"",
    "key[]=k3y/0123456789%2Babcdef",
    "key;k3y/0123456789%2Babcdef",
    "secret=k3y/0123456789%2Babcdef",
];

/// Ids of organizations that a message may not have.
const ORGANIZATIONS: &[&str] = &[
    "",
    " ",
    "00D7F00000107X",
    "00D7F00000107XsU",
    "00D7F00000107XsUA",
    "00D7F00000107XsUAIA",
    "00D7F00000107XsUAJ",
    "00D7F00000107Xsuai",
    "00D7F00000107xs",
    "00D7F00000107xsUAI",
    "00d7f00000107xsuai",
    "00D7F00000107XsUAI,00D5w000004qGTOEA2",
    "00D7F00000 107XsUAI",
    "00D5w000004qGTOEA2",
    "00D5w000004qGTO",
    "04k7F0000008V3hQAE",
    "*",
    "00D7F00000107X\u{455}UAI",
    "<b>00D7F00000107XsUAI</b>",
    "00D7F00000107Xs<b/>UAI",
];

/// The good message with a part of its text replaced, which must be there.
fn swapped(part: &str, other: &str) -> String {
    let good = payload("opportunity-one-line.xml");
    assert!(good.contains(part), "{part}");
    good.replace(part, other)
}

/// The good message with more text behind the first of these parts.
fn behind(part: &str, more: &str) -> String {
    let good = payload("opportunity-one-line.xml");
    assert!(good.contains(part), "{part}");
    good.replacen(part, &format!("{part}{more}"), 1)
}

/// The good message with a DTD and a reference to its entity `a`.
fn with_dtd(dtd: &str) -> String {
    behind("?>", dtd).replacen("Express", "&a;", 1)
}

/// Bodies that would keep a careless parser busy, or make it read other files.
fn hostile_bodies() -> Vec<(&'static str, String)> {
    let laughs: String = ('b'..='k')
        .map(|entity| {
            let before = char::from(entity as u8 - 1);
            format!("<!ENTITY {entity} \"{}\">", format!("&{before};").repeat(10))
        })
        .collect();
    let blowup = format!("<!DOCTYPE a [<!ENTITY a \"{}\">]>", "a".repeat(50_000));
    let attributes: String = (0..10_000).map(|at| format!(" a{at}=\"\"")).collect();
    let namespaces: String = (0..10_000).map(|at| format!(" xmlns:n{at}=\"n{at}\"")).collect();
    let declaring: String = (0..5_000).map(|at| format!("<a xmlns:n{at}=\"n{at}\"/>")).collect();
    let within: String = (0..9_000).map(|at| format!("<a xmlns:n{at}=\"n{at}\">")).collect();
    let deep = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    let external = "<!DOCTYPE a [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>";
    vec![
        ("a DTD", with_dtd("<!DOCTYPE a>")),
        ("an unused DTD", behind("?>", "<!DOCTYPE a>")),
        ("an entity", with_dtd("<!DOCTYPE a [<!ENTITY a \"b\">]>")),
        ("billion laughs", with_dtd(&format!("<!DOCTYPE a [<!ENTITY a \"ha\">{laughs}]>"))),
        ("quadratic blowup", with_dtd(&blowup).replace("SLA", &"&a;".repeat(10_000))),
        ("a parameter entity", with_dtd("<!DOCTYPE a [<!ENTITY % a SYSTEM \"http://b\"> %a;]>")),
        ("an external entity", with_dtd(external)),
        ("an external DTD", with_dtd("<!DOCTYPE a SYSTEM \"http://b/c.dtd\">")),
        ("an entity that nothing declares", swapped("Express", "&nbsp;")),
        ("a DTD within", behind("<soapenv:Body>", "<!DOCTYPE a>")),
        ("10,000 attributes", behind("<soapenv:Body", &attributes)),
        ("10,000 equal attributes", behind("<soapenv:Body", &" a=\"\"".repeat(10_000))),
        ("two equal attributes", behind("<soapenv:Body", " a=\"\" a=\"\"")),
        ("10,000 namespaces", behind("<soapenv:Body", &namespaces)),
        ("5,000 elements with namespaces", behind("<soapenv:Body>", &declaring)),
        ("9,000 namespaces in each other", behind("<sf:Name>", &within)),
        ("deep nesting", behind("<sf:Name>", &deep(100_000))),
        ("nesting beyond the limit", behind("<sf:Name>", &deep(17))),
        ("too many elements", behind("<sf:Name>", &"<a/>".repeat(210_000))),
    ]
}

/// Bodies that are no message of one organization.
fn other_bodies() -> Vec<(&'static str, String)> {
    let good = payload("opportunity-one-line.xml");
    let outbound = "xmlns=\"http://soap.sforce.com/2005/09/outbound\"";
    let organization = "<OrganizationId>00D7F00000107XsUAI</OrganizationId>";
    let (soap_11, soap_12) =
        ("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope");
    vec![
        ("nothing", String::new()),
        ("text", "notifications".to_owned()),
        ("JSON", "{\"OrganizationId\":\"00D7F00000107XsUAI\"}".to_owned()),
        ("a form", "OrganizationId=00D7F00000107XsUAI".to_owned()),
        ("the organization alone", organization.to_owned()),
        ("another namespace of SOAP", swapped("soap/envelope/", "soap/envelope")),
        ("SOAP 1.2", swapped(soap_11, soap_12)),
        ("another namespace of the message", swapped("2005/09/outbound", "2006/09/outbound")),
        ("no namespace of the message", swapped(outbound, "")),
        ("another message", swapped("notifications", "notification")),
        ("another envelope", swapped("Envelope", "envelope")),
        ("no body", swapped("soapenv:Body", "soapenv:Header")),
        ("two bodies", behind("</soapenv:Body>", "<soapenv:Body/>")),
        ("two messages", behind("<soapenv:Body>", &format!("<notifications {outbound}/>"))),
        ("two organizations", behind(organization, organization)),
        ("two organizations, one blank", behind(organization, "<OrganizationId/>")),
        ("no organization", swapped("OrganizationId", "Organization")),
        (
            "an organization of no namespace",
            swapped("<OrganizationId>", "<OrganizationId xmlns=\"\">"),
        ),
        (
            "an organization within a notification",
            swapped(organization, "").replace("<Id>", &format!("{organization}<Id>")),
        ),
        ("an end that is missing", good[..good.len() - 1].to_owned()),
        ("half of it", good[..good.len() / 2].to_owned()),
        ("something behind it", behind("</soapenv:Envelope>", "<a/>")),
        ("twice", good.repeat(2)),
        ("a tag that is not closed", swapped("</sf:Name>", "")),
        ("tags that cross", swapped("</sf:Name>", "</sf:StageName>")),
        ("a prefix that nothing declares", swapped("xmlns:sf", "xmlns:sg")),
        ("a control character", swapped("Express", "\u{2}")),
        ("a byte of zero", swapped("Express", "\0")),
        ("two declarations", good.replacen("<?xml", "<?xml version=\"1.0\"?><?xml", 1)),
    ]
}

/// Bodies in other encodings than UTF-8.
fn encoded_bodies() -> Vec<(&'static str, Vec<u8>)> {
    let good = payload("opportunity-one-line.xml");
    let mut utf_16 = vec![0xff, 0xfe];
    utf_16.extend(good.encode_utf16().flat_map(u16::to_le_bytes));
    let accent = swapped("Express", "\u{e9}");
    let latin_1: Vec<u8> = accent.chars().map(|character| character as u8).collect();
    let mut overlong = swapped("Express", "Exp").into_bytes();
    overlong.splice(60..60, [0xc0, 0xbc]);
    vec![("UTF-16", utf_16), ("Latin-1", latin_1), ("overlong", overlong)]
}

#[test]
fn refused() {
    let mut cases: Vec<(String, SentMessage)> = Vec::new();
    for query in QUERIES {
        cases.push((format!("query `{query}`"), SentMessage::query(*query)));
    }
    for organization in ORGANIZATIONS {
        let sent = SentMessage::with(ORGANIZATION, organization);
        cases.push((format!("organization `{organization}`"), sent));
    }
    for (name, body) in hostile_bodies().into_iter().chain(other_bodies()) {
        cases.push((name.to_owned(), SentMessage::body(body)));
    }
    for (name, body) in encoded_bodies() {
        cases.push((name.to_owned(), SentMessage::body(body)));
    }
    let good = SentMessage::good;
    cases.push(("another secret".into(), SentMessage { secrets: vec![OTHER], ..good() }));
    cases.push(("no secret".into(), SentMessage { secrets: vec![], ..good() }));
    let mut empty = SentMessage::query("key=");
    empty.secrets = vec![""];
    cases.push(("an empty secret".into(), empty));
    cases.push(("no organization allowed".into(), SentMessage { organizations: vec![], ..good() }));
    for allowed in ["", "*", "00D7F00000107X", "00D7F00000107XsUAJ", "00D5w000004qGTOEA2"] {
        cases.push((format!("only `{allowed}` allowed"), SentMessage::allowed(allowed)));
    }
    // Every bit of the key, and every bit of the organization in the body.
    for (at, bit) in (0..SECRET.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut key = SECRET.as_bytes().to_vec();
        key[at] ^= 1 << bit;
        let key: String = key.iter().map(|byte| format!("%{byte:02x}")).collect();
        cases.push((
            format!("bit {bit} of byte {at} of the key"),
            SentMessage::query(format!("key={key}")),
        ));
    }
    let start = payload("opportunity-one-line.xml").find(ORGANIZATION).unwrap();
    for (at, bit) in (0..ORGANIZATION.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut flipped = good();
        flipped.body[start + at] ^= 1 << bit;
        cases.push((format!("bit {bit} of byte {at} of the organization"), flipped));
    }

    assert!(cases.len() >= 60, "{} cases", cases.len());
    for (name, sent) in cases {
        assert!(sent.verify().is_err(), "accepted: {name}");
        for event in sent.events() {
            // Whatever was refused may be looked at again; it must not show a session or panic.
            let _ = SalesforceOutbound.decode_event(&event.body);
        }
    }
}
