//! TLS of the server, spoken to by a real client over loopback.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};
use serde_json::json;

use super::{Host, deal};
use crate::server::clock::HostClock;
use crate::server::tls::{ServerTls, TlsFiles};

const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

/// A certificate for 127.0.0.1 that is its own authority, in `NAME.pem` and `NAME.key`; valid for so many
/// days from now.
fn make_certificate(folder: &Path, name: &str, days: &str) {
    let words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    let about = ["-nodes", "-subj", "/CN=127.0.0.1", "-days", days];
    let extensions = ["subjectAltName=IP:127.0.0.1", "basicConstraints=critical,CA:FALSE"];
    let (key, certificate) = (format!("{name}.key"), format!("{name}.pem"));
    let made = Command::new("openssl")
        .args(words)
        .args(about)
        .args(["-addext", extensions[0], "-addext", extensions[1]])
        .args(["-keyout", &key, "-out", &certificate])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// Puts one of them where the server looks.
fn install(folder: &Path, name: &str) {
    for (from, to) in [("pem", "cert.pem"), ("key", "cert.key")] {
        std::fs::copy(folder.join(format!("{name}.{from}")), folder.join(to)).unwrap();
    }
}

fn certificate(folder: &Path, name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(folder.join(format!("{name}.pem"))).unwrap()
}

/// A server that speaks TLS, with the certificates `first` and `second`.
fn start() -> Host {
    let mut host = Host::start_with(|config| {
        let folder = config.data.parent().unwrap();
        let files = TlsFiles { certificate: folder.join("cert.pem"), key: folder.join("cert.key") };
        if !files.key.exists() {
            make_certificate(folder, "first", "2");
            make_certificate(folder, "second", "30");
            install(folder, "first");
        }
        config.tls = Some(files);
    });
    let root =
        ureq::tls::Certificate::from_der(&certificate(host.folder.path(), "first")).to_owned();
    let second =
        ureq::tls::Certificate::from_der(&certificate(host.folder.path(), "second")).to_owned();
    let roots = ureq::tls::RootCerts::new_with_certs(&[root, second]);
    let tls = ureq::tls::TlsConfig::builder().root_certs(roots).build();
    let config = ureq::Agent::config_builder().http_status_as_error(false).tls_config(tls);
    host.agent = config.timeout_global(Some(Duration::from_secs(20))).build().into();
    assert!(host.running().url.starts_with("https://127.0.0.1:"), "{}", host.running().url);
    host
}

fn address(host: &Host) -> String {
    host.running().url.trim_start_matches("https://").to_owned()
}

fn tcp(host: &Host) -> TcpStream {
    let stream = TcpStream::connect(address(host)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// A connection with TLS.
struct Client(StreamOwned<ClientConnection, TcpStream>);

impl Client {
    fn connect(
        host: &Host,
        versions: &[&'static SupportedProtocolVersion],
        protocol: &[u8],
    ) -> Result<Client, String> {
        let mut roots = RootCertStore::empty();
        for entry in std::fs::read_dir(host.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let is_made = path.extension().is_some_and(|kind| kind == "pem");
            if is_made && !path.ends_with("cert.pem") {
                roots.add(CertificateDer::from_pem_file(path).unwrap()).unwrap();
            }
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_protocol_versions(versions).unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];

        let name = ServerName::try_from("127.0.0.1").unwrap();
        let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = tcp(host);
        while connection.is_handshaking() {
            connection.complete_io(&mut stream).map_err(|error| error.to_string())?;
        }
        Ok(Client(StreamOwned::new(connection, stream)))
    }

    fn usual(host: &Host) -> Client {
        Client::connect(host, BOTH, b"http/1.1").unwrap()
    }

    /// Asks for a path; the head of the answer.
    fn get(&mut self, path: &str) -> String {
        let head = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
        self.0.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        let mut byte = [0];
        while !answer.ends_with("\r\n\r\n") {
            self.0.read_exact(&mut byte).unwrap();
            answer.push(char::from(byte[0]));
        }
        let length = answer.split("content-length: ").nth(1).unwrap().split('\r').next().unwrap();
        self.0.read_exact(&mut vec![0; length.parse().unwrap()]).unwrap();
        answer
    }

    /// The certificate that the server showed.
    fn shown(&self) -> CertificateDer<'static> {
        self.0.conn.peer_certificates().unwrap()[0].clone().into_owned()
    }
}

/// Everything that comes until the other side ends.
fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    bytes
}

#[test]
fn tls_of_today_is_spoken_and_nothing_older() {
    let host = start();
    for (version, name) in [
        (&rustls::version::TLS13, ProtocolVersion::TLSv1_3),
        (&rustls::version::TLS12, ProtocolVersion::TLSv1_2),
    ] {
        let mut client = Client::connect(&host, &[version], b"http/1.1").unwrap();
        assert_eq!(client.0.conn.protocol_version(), Some(name));
        assert_eq!(client.0.conn.alpn_protocol(), Some(b"http/1.1".as_slice()));
        for path in ["/livez", "/nothing", "/v1/credits", "/docs", "/hooks/crm"] {
            let head = client.get(path);
            assert!(head.contains("strict-transport-security: max-age=31536000\r\n"), "{head}");
        }
    }
    assert!(Client::connect(&host, BOTH, b"h2").is_err(), "only HTTP/1.1 is spoken");

    // A hello of TLS 1.1 with the ciphers that it had: the alert is `protocol_version`.
    let body = [&[3, 2], [7; 32].as_slice(), &[0, 0, 4, 0xc0, 0x14, 0, 0x2f, 1, 0]];
    // Kinds of signatures, without which nothing else is looked at.
    let body = [body.concat().as_slice(), &[0, 8, 0, 13, 0, 4, 0, 2, 4, 3]].concat();
    let hello = [&[1, 0, 0, body.len() as u8], body.as_slice()].concat();
    let record = [&[0x16, 3, 1, 0, hello.len() as u8], hello.as_slice()].concat();
    let mut stream = tcp(&host);
    stream.write_all(&record).unwrap();
    let alert = read_all(&mut stream);
    assert_eq!((alert.first(), alert.get(5..)), (Some(&21), Some([2, 70].as_slice())), "{alert:?}");
}

/// A sender whose URL begins with http:// waited for an answer that never came.
#[test]
fn a_client_without_tls_is_told_what_to_do() {
    let host = start();
    let mut stream = tcp(&host);
    stream
        .write_all(b"POST /hooks/crm HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{}")
        .unwrap();
    let answer = String::from_utf8(read_all(&mut stream)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("https://"), "{answer}");

    // Nonsense behind a first byte that looks right, and a client that goes away.
    let mut stream = tcp(&host);
    stream.write_all(&[0x16; 300]).unwrap();
    assert!(read_all(&mut stream).len() < 100);
    drop(tcp(&host));
    assert_eq!(host.call("GET", "/livez", &[], b"").status, 200);
}

/// The value of a metric without labels.
fn metric(host: &Host, name: &str) -> String {
    let text = host.call("GET", "/metrics", &[], b"").text;
    let line = text.lines().find(|line| line.starts_with(&format!("{name}{{}} ")));
    line.map(|line| line.rsplit(' ').next().unwrap().to_owned()).unwrap_or_default()
}

fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_new_certificate_is_taken_while_connections_go_on() {
    let host = start();
    let folder = host.folder.path();
    let [first, second] = ["first", "second"].map(|name| certificate(folder, name));
    let mut early = Client::usual(&host);
    assert!(early.shown() == first && early.get("/livez").starts_with("HTTP/1.1 200"));
    let status = || host.get("/v1/status")["certificate"].clone();
    assert_eq!(status()["fault"], json!(null));
    let end = metric(&host, "accredit_certificate_end_timestamp_seconds");
    let ends_at: jiff::Timestamp = status()["ends_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(end, ends_at.as_second().to_string());

    install(folder, "second");
    eventually("the new one is shown", || Client::usual(&host).shown() == second);
    eventually("and nothing is wrong with it", || status()["fault"].is_null());
    let other = metric(&host, "accredit_certificate_end_timestamp_seconds");
    assert!(other.parse::<i64>().unwrap() > end.parse::<i64>().unwrap() + 27 * 86_400, "{other}");
    assert!(early.get("/livez").starts_with("HTTP/1.1 200"), "the old connection goes on");

    // What cannot be used is kept out, and said: damaged, or of another key.
    for (name, why) in [("broken", "no usable certificate"), ("mixed", "together")] {
        match name {
            "broken" => std::fs::write(folder.join("cert.pem"), "-----BEGIN CERT").unwrap(),
            _ => drop(std::fs::copy(folder.join("first.pem"), folder.join("cert.pem"))),
        }
        eventually(why, || status()["fault"].as_str().is_some_and(|fault| fault.contains(why)));
        assert!(Client::usual(&host).shown() == second, "{name}");
        assert_eq!(metric(&host, "accredit_certificate_end_timestamp_seconds"), other);
        assert_eq!(host.call("GET", "/readyz", &[], b"").status, 200, "{name}: it serves");
    }
    let text = host.call("GET", "/metrics", &[], b"").text;
    assert!(text.contains("accredit_certificate_reload_total{outcome=\"refused\"}"), "{text}");

    install(folder, "first");
    eventually("the first one is back", || Client::usual(&host).shown() == first);
    eventually("without a fault", || status()["fault"].is_null());
    assert!(early.get("/livez").starts_with("HTTP/1.1 200"));
}

/// A certificate of yesterday is as good as none; but a server begins with it, because deals wait.
#[test]
fn a_certificate_that_is_not_valid_today_is_taken_at_the_start_alone() {
    let folder = tempfile::tempdir().unwrap();
    make_certificate(folder.path(), "first", "2");
    let [certificate, key] = ["first.pem", "first.key"].map(|name| folder.path().join(name));
    let tls = ServerTls::load(TlsFiles { certificate, key }).unwrap();
    let now_s = HostClock::default().now_ms() / 1000;
    assert_eq!((tls.reload(now_s), tls.state(now_s).fault), (Ok(()), None));
    for (moved, why) in [(3, "has ended"), (-1, "not valid yet")] {
        let then_s = now_s + moved * 86_400;
        assert!(tls.state(then_s).fault.unwrap().contains(why), "{why}");
        assert!(tls.reload(then_s).unwrap_err().contains(why), "{why}");
        let fault = tls.state(now_s).fault.unwrap();
        assert!(fault.starts_with("the new certificate is not in force: "), "{fault}");
    }
    assert_eq!((tls.reload(now_s), tls.state(now_s).fault), (Ok(()), None));
}

/// A handshake in the accept loop would have kept everybody waiting for one client.
#[test]
fn handshakes_that_stall_are_cut_and_keep_nobody_waiting() {
    let mut host = start();
    let mut stalled: Vec<TcpStream> = (0..100).map(|_| tcp(&host)).collect();
    for stream in stalled.iter_mut().skip(50) {
        stream.write_all(&[0x16, 3, 1, 1, 0, 1]).unwrap();
    }
    for number in 0..20 {
        let sent = host.deliver(&format!("msg_{number}"), &deal(&format!("D-{number}"), "100", ""));
        assert_eq!(sent.status, 202);
        assert_eq!(Client::usual(&host).get("/livez").get(..12), Some("HTTP/1.1 200"));
    }
    // Their ends come before the timeout of the reads, which would be an error.
    for stream in &mut stalled {
        let mut bytes = Vec::new();
        let ended = stream.read_to_end(&mut bytes);
        let is_cut =
            !matches!(&ended, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(is_cut, "{ended:?}");
    }
    let cut = "accredit_connections_refused_total{reason=\"handshake\"} 100";
    let counted = || host.call("GET", "/metrics", &[], b"").text.contains(cut);
    eventually("each of them is counted", counted);

    // Nor does one keep the server from ending.
    let _last = tcp(&host);
    std::thread::sleep(Duration::from_millis(100));
    let asked = Instant::now();
    host.stop();
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}

/// The cookie of a session asks for TLS, and the check of other sites for the name that browsers send.
#[test]
fn a_person_signs_in_over_tls() {
    let host = start();
    let wanted = json!({ "name": "ida", "email": "ida@example.com", "role": "auditor" });
    let added = host.api("POST", "/v1/people", &[], &wanted.to_string());
    assert_eq!(added.status, 201, "{}", added.text);
    let invitation = added.json()["invitation"].as_str().unwrap().to_owned();
    let path = format!("/v1/invitations/{invitation}");
    let password = "a long password of ida";
    let chosen = json!({ "password": password }).to_string();
    assert_eq!(host.call("POST", &path, &[], chosen.as_bytes()).status, 200);

    let own = host.running().url.clone();
    let origin = [("origin", own.as_str()), ("sec-fetch-site", "same-origin")];
    let body = json!({ "email": "ida@example.com", "password": password }).to_string();
    let signed_in = host.call("POST", "/v1/session", &origin, body.as_bytes());
    assert_eq!(signed_in.status, 200, "{}", signed_in.text);
    let cookie = signed_in.header("set-cookie").to_owned();
    assert!(cookie.starts_with("__Host-accredit=") && cookie.contains("; Secure;"), "{cookie}");

    let cookie = cookie.split(';').next().unwrap();
    let with =
        |origin: &str| [("cookie", cookie), ("origin", origin)].map(|(a, b)| (a, b.to_owned()));
    let send = |method: &str, path: &str, origin: &str| {
        let headers = with(origin);
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        host.call(method, path, &headers, b"")
    };
    assert_eq!(send("GET", "/v1/me", &own).json()["name"], "ida");
    send("DELETE", "/v1/session", "https://elsewhere.example").problem(403, "cross_origin");
    assert_eq!(send("DELETE", "/v1/session", &own).status, 200);
}
