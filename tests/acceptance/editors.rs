//! `accredit lsp` as an editor meets it: a session over standard input and output.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::company::put;
use crate::server::{binary, run};

/// How long an answer may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// An editor with its server.
struct Editor {
    server: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Json>,
    asked: u64,
}

fn read_messages(input: impl Read, mut send: impl FnMut(Json) -> bool) {
    let mut input = BufReader::new(input);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if input.read_line(&mut line).unwrap() == 0 {
                return;
            }
            if line == "\r\n" {
                break;
            }
            length = line.strip_prefix("Content-Length: ").unwrap().trim().parse().unwrap();
        }
        let mut body = vec![0; length];
        input.read_exact(&mut body).unwrap();
        if !send(serde_json::from_slice(&body).unwrap()) {
            return;
        }
    }
}

impl Editor {
    /// A session that has begun.
    fn start() -> Editor {
        let mut server = Command::new(binary())
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (server.stdin.take(), server.stdout.take().unwrap());
        let (sender, messages) = mpsc::channel();
        std::thread::spawn(move || read_messages(output, |message| sender.send(message).is_ok()));

        let mut editor = Editor { server, input, messages, asked: 0 };
        let begun = editor.ask("initialize", json!({"processId": null, "capabilities": {}}));
        assert_eq!(begun["capabilities"]["hoverProvider"], true, "{begun}");
        editor.tell("initialized", json!({}));
        editor
    }

    fn send(&mut self, mut message: Json) {
        message["jsonrpc"] = json!("2.0");
        let body = message.to_string();
        let input = self.input.as_mut().unwrap();
        write!(input, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        input.flush().unwrap();
    }

    fn tell(&mut self, method: &str, params: Json) {
        self.send(json!({"method": method, "params": params}));
    }

    fn next(&self, what: &str) -> Json {
        self.messages.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("nothing came: {what}"))
    }

    /// The whole answer to a request.
    fn reply(&mut self, method: &str, params: Json) -> Json {
        self.asked += 1;
        let id = self.asked;
        self.send(json!({"id": id, "method": method, "params": params}));
        loop {
            let message = self.next(method);
            if message["id"] == id {
                return message;
            }
        }
    }

    fn ask(&mut self, method: &str, params: Json) -> Json {
        let reply = self.reply(method, params);
        assert!(reply.get("error").is_none(), "{method}: {reply}");
        reply["result"].clone()
    }

    fn open(&mut self, file: &Document, text: &str) {
        let document = json!({"uri": file.uri, "languageId": "rhai", "version": 1, "text": text});
        self.tell("textDocument/didOpen", json!({"textDocument": document}));
    }

    fn change(&mut self, file: &Document, version: u32, change: Json) {
        let document = json!({"uri": file.uri, "version": version});
        let params = json!({"textDocument": document, "contentChanges": [change]});
        self.tell("textDocument/didChange", params);
    }

    /// The next findings of a version of a document that are errors or warnings.
    fn findings(&self, file: &Document, version: u32) -> Vec<Json> {
        loop {
            let message = self.next(&file.uri);
            let params = &message["params"];
            let is_findings = message["method"] == "textDocument/publishDiagnostics";
            if is_findings && params["uri"] == file.uri.as_str() && params["version"] == version {
                let found = params["diagnostics"].as_array().unwrap().iter();
                return found.filter(|one| one["severity"] != 4).cloned().collect();
            }
        }
    }

    fn at(&mut self, method: &str, file: &Document, line: u32, character: usize) -> Json {
        let position = json!({"line": line, "character": character});
        self.ask(method, json!({"textDocument": {"uri": file.uri}, "position": position}))
    }

    fn end(mut self) -> ExitStatus {
        self.ask("shutdown", Json::Null);
        self.tell("exit", Json::Null);
        self.input = None;
        self.server.wait().unwrap()
    }
}

/// A file of a directory.
struct Document {
    uri: String,
}

fn document(acme: &Path, path: &str) -> Document {
    Document { uri: format!("file://{}", acme.join(path).display()) }
}

fn begin(dir: &Path) -> PathBuf {
    let acme = dir.join("acme");
    assert_eq!(run(&["new", acme.to_str().unwrap()]).0, 0);
    acme
}

/// The same finding at the same place as `accredit check` has, in an editor's units.
#[test]
fn a_misspelt_field_is_found_while_it_is_typed_and_a_fix_clears_it() {
    let dir = tempfile::tempdir().unwrap();
    let acme = begin(dir.path());
    let policy = document(&acme, "policies/value/typed.rhai");
    let mut editor = Editor::start();

    // One emoji is one character, two units of UTF-16 and four bytes.
    let line = "fn value(tx, to) { let sign = \"💰💰\"; tx.amuont }";
    editor.open(&policy, &format!("{line}\n"));
    let found = editor.findings(&policy, 1);
    let wrong = found.iter().find(|one| one["code"] == "CR002").unwrap();
    let start = line.split("amuont").next().unwrap().encode_utf16().count();
    assert_eq!(wrong["severity"], 1);
    assert_eq!(wrong["range"]["start"], json!({"line": 0, "character": start}));
    assert_eq!(wrong["range"]["end"], json!({"line": 0, "character": start + 6}));
    assert!(wrong["message"].as_str().unwrap().contains("did you mean `amount`?"), "{wrong}");

    let [from, to] = [start, start + 6].map(|character| json!({"line": 0, "character": character}));
    let change = json!({"range": {"start": from, "end": to}, "text": "amount"});
    editor.change(&policy, 2, change);
    let found = editor.findings(&policy, 2);
    assert!(found.iter().all(|one| one["code"] != "CR002"), "{found:?}");

    // What is typed is nowhere on the disk.
    assert!(!acme.join("policies/value/typed.rhai").exists());
    assert!(editor.end().success());
}

/// Every change was checked, so that findings came long after the last key.
#[test]
fn of_many_changes_the_last_one_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let acme = begin(dir.path());
    let policy = document(&acme, "policies/value/typed.rhai");
    let mut editor = Editor::start();
    editor.open(&policy, "fn value(tx, to) { tx.amount }\n");
    for version in 2..=60 {
        editor.change(&policy, version, json!({"text": "fn value(tx, to) { tx.amuont }\n"}));
    }
    let found = editor.findings(&policy, 60);
    assert!(found.iter().any(|one| one["code"] == "CR002"), "{found:?}");
    assert!(editor.end().success());
}

#[test]
fn plans_tables_and_settings_have_findings_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let acme = begin(dir.path());
    let mut editor = Editor::start();

    let plan = document(&acme, "plans/spring.toml");
    editor.open(&plan, "name = \"Spring\"\nsplitt = \"equal\"\n");
    let found = editor.findings(&plan, 1);
    let unknown = found.iter().find(|one| one["code"] == "CR021").unwrap();
    assert_eq!(unknown["range"]["start"], json!({"line": 1, "character": 0}));

    let people = document(&acme, "organization/participants.csv");
    editor.open(&people, "id,name\nann,Ann\nann,Ann\n");
    assert!(!editor.findings(&people, 1).is_empty());

    let cases = document(&acme, "plans/sales.cases.md");
    editor.open(&cases, "## A\n\n```csv transactions\nid\n");
    let found = editor.findings(&cases, 1);
    assert!(found.iter().any(|one| one["code"] == "CR041"), "{found:?}");
    assert!(editor.end().success());
}

#[test]
fn an_editor_is_offered_names_hints_and_definitions() {
    let dir = tempfile::tempdir().unwrap();
    let acme = begin(dir.path());
    put(&acme, "policies/shared/parts.rhai", "/// A tenth.\nfn tenth(x) { x / 10 }\n");
    let mut editor = Editor::start();
    let policy = document(&acme, "policies/value/typed.rhai");
    let line = "fn value(tx, to) { /* 💰 */ tenth(tx.amount) }";
    editor.open(&policy, &format!("{line}\n"));

    let column = |text: &str| line.split(text).next().unwrap().encode_utf16().count();
    let items = editor.at("textDocument/completion", &policy, 0, column("amount") + 2);
    let items = items["items"].as_array().unwrap();
    let item = items.iter().find(|item| item["label"] == "amount").unwrap();
    assert_eq!(item["textEdit"]["range"]["start"]["character"], column("amount"));
    assert!(item["documentation"]["value"].as_str().unwrap().contains("amount"), "{item}");

    let hint = editor.at("textDocument/hover", &policy, 0, column("tenth") + 1);
    assert!(hint["contents"]["value"].as_str().unwrap().contains("A tenth."), "{hint}");
    let site = editor.at("textDocument/definition", &policy, 0, column("tenth") + 1);
    assert_eq!(site["uri"], document(&acme, "policies/shared/parts.rhai").uri);
    assert_eq!(site["range"]["start"], json!({"line": 1, "character": 3}));
    let site = editor.at("textDocument/definition", &policy, 0, column("amount") + 1);
    assert_eq!(site["uri"], document(&acme, "accredit.toml").uri);
    assert!(editor.end().success());
}

/// The case under the cursor is run on what is typed, and what failed is shown in its place.
#[test]
fn a_case_runs_in_the_editor() {
    let dir = tempfile::tempdir().unwrap();
    let acme = begin(dir.path());
    let path = "policies/crediting/large-deals.cases.md";
    let cases = document(&acme, path);
    let text = fs::read_to_string(acme.join(path)).unwrap();
    let mut editor = Editor::start();
    editor.open(&cases, &text);
    assert_eq!(editor.findings(&cases, 1), Vec::<Json>::new());

    let lenses = editor.ask("textDocument/codeLens", json!({"textDocument": {"uri": cases.uri}}));
    let lenses = lenses.as_array().unwrap();
    assert_eq!(lenses.len(), text.matches("\n## ").count());
    assert_eq!(lenses[0]["command"]["title"], "Run case");
    let run = json!({
        "command": lenses[0]["command"]["command"], "arguments": lenses[0]["command"]["arguments"],
    });
    let verdicts = editor.ask("workspace/executeCommand", run.clone());
    let passed: Vec<&Json> =
        verdicts.as_array().unwrap().iter().map(|verdict| &verdict["passed"]).collect();
    assert_eq!(passed, [true], "{verdicts}");

    let broken = text.replacen("6000.00", "6001.00", 1);
    editor.change(&cases, 2, json!({"text": broken}));
    let verdicts = editor.ask("workspace/executeCommand", run);
    assert_eq!(verdicts[0]["passed"], false, "{verdicts}");
    // A failure stands at the table that differs.
    let line = broken.lines().position(|line| line.starts_with("| transaction | rule")).unwrap();
    let found = editor.findings(&cases, 2);
    assert!(found.iter().any(|one| one["range"]["start"]["line"] == line), "{found:?}");
    assert!(editor.end().success());
}

#[test]
fn what_is_not_understood_ends_nothing() {
    let mut editor = Editor::start();
    let reply = editor.reply("textDocument/rename", json!({}));
    assert_eq!(reply["error"]["code"], -32601);
    let reply = editor.reply("textDocument/hover", json!({"position": 7}));
    assert_eq!(reply["error"]["code"], -32602);
    let lone = Document { uri: "file:///nowhere/alone.rhai".to_owned() };
    editor.open(&lone, "fn value(tx, to) { 1 }");
    assert_eq!(editor.at("textDocument/hover", &lone, 0, 3), Json::Null);
    assert!(editor.end().success());
}

/// An editor that ends without a word leaves no process behind, and tells by the code that it did.
#[test]
fn the_server_ends_with_its_editor() {
    let mut editor = Editor::start();
    editor.input = None;
    assert_eq!(editor.server.wait().unwrap().code(), Some(1));
}
