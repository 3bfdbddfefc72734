//! TLS of the command line, tokens and secrets, exit codes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::company;
use crate::server::{SECRET, Server, TOKEN, binary, run};

/// A server of Python's behind a certificate for 127.0.0.1 that is its own authority. It answers
/// `/v1/audit` to the token.
const TLS_SERVER: &str = r#"
import http.server, json, ssl, sys
folder, token = sys.argv[1], sys.argv[2]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.headers.get("authorization") == "Bearer " + token
        body = {"data": [{"who": "eva", "what": "activated"}], "next_cursor": None}
        self.send_response(200 if known else 401)
        self.end_headers()
        self.wfile.write(json.dumps(body if known else {"detail": "no token"}).encode())
    def log_message(self, *words):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/server.pem", folder + "/server.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
"#;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Already ended is as good as ended now.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Certificates and a TLS server in `dir`; its port.
fn tls_server(dir: &Path) -> (Running, String) {
    let words = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-keyout",
        "server.key",
        "-out",
        "server.pem",
    ];
    let made = Command::new("openssl").args(words).current_dir(dir).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut child = Command::new("python3")
        .args(["-c", TLS_SERVER, dir.to_str().unwrap(), TOKEN])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut port = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
    (Running(child), port.trim().to_owned())
}

fn with(env: &[(&str, &str)], words: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(binary());
    command.env_remove("ACCREDIT_TOKEN").envs(env.iter().copied()).args(words);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// The command line could not speak TLS: every verb failed behind https.
#[test]
fn verbs_speak_tls_to_a_server_that_they_trust() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, port) = tls_server(dir.path());
    let url = format!("https://127.0.0.1:{port}");
    let authority = dir.path().join("server.pem");
    let authority = authority.to_str().unwrap();
    let token_file = dir.path().join("token");
    fs::write(&token_file, format!("{TOKEN}\n")).unwrap();
    let list = ["audit", "list", "--server", &url];

    let (code, out, error) =
        with(&[("ACCREDIT_CA_FILE", authority), ("ACCREDIT_TOKEN", TOKEN)], &list);
    assert_eq!((code, out.contains("eva")), (0, true), "{out}\n{error}");
    let token_file = [("ACCREDIT_TOKEN_FILE", token_file.to_str().unwrap())];
    let (code, out, error) = with(&token_file, &[&list[..], &["--ca-file", authority]].concat());
    assert_eq!((code, out.contains("eva")), (0, true), "{out}\n{error}");

    // Without the authority it is not trusted, and no token is sent.
    let (code, out, error) = with(&[("ACCREDIT_TOKEN", TOKEN)], &list);
    assert_eq!((code, out.as_str()), (1, ""), "{error}");
    assert!(error.contains("ACCREDIT_CA_FILE") && !error.contains(TOKEN), "{error}");
    let nothing = [("ACCREDIT_CA_FILE", "/nowhere/ca.pem"), ("ACCREDIT_TOKEN", TOKEN)];
    let (code, _, error) = with(&nothing, &list);
    assert!(code == 1 && error.contains("`/nowhere/ca.pem`"), "{error}");
    let (code, _, error) = with(&[("ACCREDIT_CA_FILE", file!())], &list);
    assert_eq!(code, 1, "{error}");
}

/// A token of one character and a secret of one byte were accepted.
#[test]
fn a_server_does_not_start_with_what_could_be_guessed() {
    let dir = tempfile::tempdir().unwrap();
    let acme = company::write(dir.path());
    let data = dir.path().join("acme.redb");
    let words = [
        "serve",
        "--create",
        "--data",
        data.to_str().unwrap(),
        "--workspace",
        acme.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
    ];
    let refused = |env: &[(&str, &str)], expected: &str| {
        let (code, _, error) = with(env, &words);
        assert!(code == 1 || code == 2, "{code} {error}");
        assert!(error.contains(expected), "{error}");
    };
    refused(&[("ACCREDIT_TOKEN", "x")], "at least 16 characters and this one has 1");
    refused(&[("ACCREDIT_TOKEN", TOKEN), ("ACCREDIT_TOKENS", "eva:author:x")], "at least 16");
    refused(&[("ACCREDIT_TOKEN", TOKEN), ("ACCREDIT_SECRET_CRM", "whsec_AA==")], "fewer than 16");
    refused(&[("ACCREDIT_TOKEN_FILE", "/nowhere")], "`ACCREDIT_TOKEN_FILE` (`/nowhere`)");
}

/// SIGHUP ended the server. It reads its files again, whether they look changed or not.
#[test]
fn a_hangup_signal_reads_the_files_again() {
    let dir = tempfile::tempdir().unwrap();
    let acme = company::write(dir.path());
    let crm = dir.path().join("crm");
    fs::write(&crm, SECRET).unwrap();
    let data = dir.path().join("acme.redb");
    let env = [("ACCREDIT_SECRET_CRM_FILE", crm.to_str().unwrap()), ("ACCREDIT_SECRET_CRM", "")];
    let server = Server::start_with(&data, &acme, &[], &env);
    let deal = r#"{"id":"D1","date":"2026-04-10","amount":100,"owner":"Ann"}"#;
    assert_eq!(server.hook("msg_1", deal).unwrap().status, 202);

    let other = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
    fs::write(&crm, other).unwrap();
    server.signal("HUP");
    let mut count = 1;
    server.wait("the new secret counts", || {
        count += 1;
        let id = format!("msg_{count}");
        server.hook_at(&id, crate::server::now(), other, deal).unwrap().status == 202
    });
    assert_eq!(server.hook("msg_0", deal).unwrap().status, 401);
    assert_eq!(server.get("/v1/status").status, 200);
}

/// `preview` ended with 2 for changes and for wrong usage, so that a pipeline could not tell them
/// apart.
#[test]
fn exit_codes_tell_changes_from_wrong_usage() {
    let dir = tempfile::tempdir().unwrap();
    let acme = company::write(dir.path());
    company::put(&acme, "transactions/deals.csv", "id,date,amount,owner\nD1,2026-04-10,100,Ann\n");
    let other = tempfile::tempdir().unwrap();
    let changed = company::write(other.path());
    company::put(&changed, "policies/rollup/share.rhai", &company::rollup(7));
    let (acme, changed) = (acme.to_str().unwrap(), changed.to_str().unwrap());
    let code = |words: &[&str]| run(words).0;
    assert_eq!(code(&["preview", acme, "--base", acme]), 0);
    assert_eq!(code(&["preview", changed, "--base", acme]), 4);
    assert_eq!(code(&["preview"]), 2);
    assert_eq!(code(&["preview", changed, "--base", acme, "--format", "xml"]), 2);
    assert_eq!(code(&["preview", "/nowhere", "--base", acme]), 1);
    assert_eq!(code(&["eval", acme, "--policy", "rollup/none", "--transaction", "D1"]), 3);
    assert_eq!(code(&["nonsense"]), 2);
    assert_eq!(code(&["version"]), 0);
}
