//! One editor's session: from `initialize` to `exit`.
//!
//! Not the JSON of messages (`messages`). One thread reads, and one does everything else, so that a check
//! sees one text; findings are told a moment after the last key.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use accredit_editor::case_run::{CaseVerdict, case_headings, run_cases};
use accredit_editor::checked::EditorFinding;
use accredit_editor::complete::{ITEMS_MAX, complete};
use accredit_editor::definition::definition;
use accredit_editor::hover::hover;
use lsp_types::{
    CodeLens, CodeLensParams, Command, CompletionList, DidChangeTextDocumentParams,
    DidChangeWatchedFilesParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    DidSaveTextDocumentParams, ExecuteCommandParams, Hover, HoverContents, Location, Position,
    PublishDiagnosticsParams, Range, TextDocumentPositionParams, Uri,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::converted::{diagnostic_in, item_in, markdown, position_in, range_in};
use super::directories::{KnownDirectories, directory_of, path_inside};
use super::documents::{OpenDocument, OpenDocuments, apply_change, path_of, uri_of};
use super::messages::{ClientMessage, FailureCode, MessageWriter, read_message};

/// Findings are told so long after the last change.
const DEBOUNCE: Duration = Duration::from_millis(150);

/// The command that runs the case at a line.
const RUN_CASE: &str = "accredit.runCase";

/// Why a request is not answered with a result.
type Refusal = (FailureCode, String);

/// What the thread that reads hands over.
type ReadMessage = io::Result<Option<ClientMessage>>;

/// Serves one editor until it leaves; whether it left in the order of the protocol.
pub(crate) fn serve(input: impl BufRead + Send + 'static, output: impl Write) -> io::Result<bool> {
    let (sender, messages) = mpsc::channel();
    // The thread ends with the process: a read from standard input cannot be woken.
    std::thread::spawn(move || {
        let mut input = input;
        loop {
            let message = read_message(&mut input);
            let is_last = !matches!(message, Ok(Some(_)));
            if sender.send(message).is_err() || is_last {
                return;
            }
        }
    });

    Session::new(MessageWriter::new(output)).run(&messages)
}

/// How far the protocol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SessionPhase {
    New,
    Running,
    ShutDown,
}

struct Session<W> {
    output: MessageWriter<W>,
    phase: SessionPhase,
    open: OpenDocuments,
    directories: KnownDirectories,
    /// Directories whose findings are to be told, and when.
    due: BTreeMap<PathBuf, Instant>,
    /// Files of each directory that have findings in the editor.
    told: BTreeMap<PathBuf, BTreeSet<String>>,
    /// What cases that were run came to, by directory, until the next change.
    failed: BTreeMap<PathBuf, Vec<EditorFinding>>,
}

impl<W: Write> Session<W> {
    fn new(output: MessageWriter<W>) -> Self {
        Session {
            output,
            phase: SessionPhase::New,
            open: OpenDocuments::new(),
            directories: KnownDirectories::default(),
            due: BTreeMap::new(),
            told: BTreeMap::new(),
            failed: BTreeMap::new(),
        }
    }

    fn run(&mut self, messages: &Receiver<ReadMessage>) -> io::Result<bool> {
        loop {
            let next = match self.due.values().min() {
                Some(at) => {
                    let wait = at.saturating_duration_since(Instant::now());
                    match messages.recv_timeout(wait) {
                        Ok(message) => Ok(message),
                        Err(RecvTimeoutError::Timeout) => {
                            self.tell_due()?;
                            continue;
                        }
                        Err(RecvTimeoutError::Disconnected) => Err(mpsc::RecvError),
                    }
                }
                None => messages.recv(),
            };

            match next.unwrap_or(Ok(None))? {
                Some(ClientMessage::Notification { method, .. }) if method == "exit" => {
                    return Ok(self.phase == SessionPhase::ShutDown);
                }
                Some(message) => self.take(message)?,
                None => return Ok(self.phase == SessionPhase::ShutDown),
            }
        }
    }

    fn take(&mut self, message: ClientMessage) -> io::Result<()> {
        match message {
            ClientMessage::Request { id, method, params } => match self.request(&method, params) {
                Ok(result) => self.output.answer(&id, result),
                Err((code, message)) => self.output.refuse(&id, code, &message),
            },
            ClientMessage::Notification { method, params } => {
                if self.phase == SessionPhase::Running {
                    self.notification(&method, params);
                }
                Ok(())
            }
            ClientMessage::Answer => Ok(()),
            ClientMessage::Broken(why) => {
                self.output.refuse(&Value::Null, FailureCode::Parse, &why)
            }
        }
    }

    fn request(&mut self, method: &str, params: Value) -> Result<Value, Refusal> {
        match (self.phase, method) {
            (SessionPhase::New, "initialize") => {
                self.phase = SessionPhase::Running;
                return Ok(capabilities());
            }
            (SessionPhase::New, _) => {
                return Err((FailureCode::NotInitialized, "send `initialize` first".to_owned()));
            }
            (SessionPhase::ShutDown, _) => {
                return Err((FailureCode::InvalidRequest, "the session has ended".to_owned()));
            }
            (SessionPhase::Running, "shutdown") => {
                self.phase = SessionPhase::ShutDown;
                return Ok(Value::Null);
            }
            (SessionPhase::Running, _) => (),
        }

        match method {
            "textDocument/completion" => self.completion(&read_params(params)?),
            "textDocument/hover" => self.hover(&read_params(params)?),
            "textDocument/definition" => self.definition(&read_params(params)?),
            "textDocument/codeLens" => self.code_lens(&read_params(params)?),
            "workspace/executeCommand" => self.execute(read_params(params)?),
            _ => Err((FailureCode::MethodNotFound, format!("there is no method `{method}`"))),
        }
    }

    fn notification(&mut self, method: &str, params: Value) {
        match method {
            "textDocument/didOpen" => {
                let Ok(DidOpenTextDocumentParams { text_document: opened }) = read_params(params)
                else {
                    return;
                };
                let Some(path) = path_of(&opened.uri) else { return };
                let (version, text) = (opened.version, opened.text);
                let document = OpenDocument { uri: opened.uri, version, text };
                self.open.insert(path.clone(), document);
                self.changed(&path, DEBOUNCE);
            }
            "textDocument/didChange" => {
                let Ok(changed) = read_params::<DidChangeTextDocumentParams>(params) else {
                    return;
                };
                let Some(path) = path_of(&changed.text_document.uri) else { return };
                let Some(document) = self.open.get_mut(&path) else { return };
                document.version = changed.text_document.version;
                for change in changed.content_changes {
                    apply_change(&mut document.text, change);
                }
                self.changed(&path, DEBOUNCE);
            }
            "textDocument/didClose" => {
                let Ok(closed) = read_params::<DidCloseTextDocumentParams>(params) else { return };
                let Some(path) = path_of(&closed.text_document.uri) else { return };
                self.open.remove(&path);
                self.saved(&path);
            }
            "textDocument/didSave" => {
                let Ok(saved) = read_params::<DidSaveTextDocumentParams>(params) else { return };
                if let Some(path) = path_of(&saved.text_document.uri) {
                    self.saved(&path);
                }
            }
            "workspace/didChangeWatchedFiles" => {
                let Ok(changed) = read_params::<DidChangeWatchedFilesParams>(params) else {
                    return;
                };
                for change in changed.changes {
                    if let Some(path) = path_of(&change.uri) {
                        self.saved(&path);
                    }
                }
            }
            _ => (),
        }
    }

    /// Notes that a document has another text: what is found in its directory is told a moment later.
    fn changed(&mut self, path: &Path, wait: Duration) {
        if let Some(dir) = directory_of(path, &self.open) {
            self.failed.remove(&dir);
            self.due.insert(dir, Instant::now() + wait);
        }
    }

    /// Notes that a file of the disk is another one.
    fn saved(&mut self, path: &Path) {
        if let Some(dir) = directory_of(path, &self.open) {
            self.directories.forget(&dir);
            self.due.entry(dir).or_insert_with(|| Instant::now() + DEBOUNCE);
        }
    }

    /// Tells what is found in the directories whose time has come.
    fn tell_due(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let due = self.due.iter().filter(|(_, at)| **at <= now);
        let due: Vec<PathBuf> = due.map(|(dir, _)| dir.clone()).collect();
        for dir in due {
            self.due.remove(&dir);
            self.tell_findings(&dir)?;
        }
        Ok(())
    }

    fn tell_findings(&mut self, dir: &Path) -> io::Result<()> {
        let workspace = self.directories.workspace(dir, &self.open);
        let mut findings = self.directories.findings(dir, &workspace);
        findings.extend(self.failed.get(dir).into_iter().flatten().cloned());

        let mut by_file: BTreeMap<String, Vec<EditorFinding>> = BTreeMap::new();
        // A file without findings any more, and a document that was opened, are told so.
        let before = self.told.remove(dir).unwrap_or_default();
        let open = self.open.keys().filter_map(|path| path_inside(dir, path));
        for file in before.into_iter().chain(open) {
            by_file.entry(file).or_default();
        }
        for finding in findings {
            by_file.entry(finding.file.clone()).or_default().push(finding);
        }

        let mut told = BTreeSet::new();
        for (file, findings) in by_file {
            let path = dir.join(&file);
            let document = self.open.get(&path);
            let uri = document.map(|document| document.uri.clone()).or_else(|| uri_of(&path));
            let Some(uri) = uri else { continue };
            let text = workspace.files.get(&file).map_or("", AsRef::as_ref);

            let published = PublishDiagnosticsParams {
                uri,
                version: document.map(|document| document.version),
                diagnostics: findings.iter().map(|one| diagnostic_in(text, one)).collect(),
            };
            self.output.notify("textDocument/publishDiagnostics", to_json(&published))?;
            if !findings.is_empty() {
                told.insert(file);
            }
        }
        self.told.insert(dir.to_owned(), told);
        Ok(())
    }

    /// The directory, the path in it and the text of a document.
    fn located(&self, uri: &Uri) -> Option<(PathBuf, String, &str)> {
        let path = path_of(uri)?;
        let document = self.open.get(&path)?;
        let dir = directory_of(&path, &self.open)?;
        let inside = path_inside(&dir, &path)?;
        Some((dir, inside, &document.text))
    }

    fn completion(&mut self, at: &TextDocumentPositionParams) -> Result<Value, Refusal> {
        let Some((dir, path, text)) = self.located(&at.text_document.uri) else {
            return Ok(Value::Null);
        };
        let text = text.to_owned();
        let workspace = self.directories.workspace(&dir, &self.open);
        let found = complete(&workspace, &path, position_in(&text, at.position));
        let is_incomplete = found.len() >= ITEMS_MAX;
        let items = found.into_iter().enumerate();
        let items = items.map(|(index, item)| item_in(&text, index, item)).collect();
        Ok(to_json(&CompletionList { is_incomplete, items }))
    }

    fn hover(&mut self, at: &TextDocumentPositionParams) -> Result<Value, Refusal> {
        let Some((dir, path, text)) = self.located(&at.text_document.uri) else {
            return Ok(Value::Null);
        };
        let text = text.to_owned();
        let workspace = self.directories.workspace(&dir, &self.open);
        let found = hover(&workspace, &path, position_in(&text, at.position));
        let hint = found.map(|found| Hover {
            contents: HoverContents::Markup(markdown(found.contents)),
            range: Some(range_in(&text, found.range)),
        });
        Ok(to_json(&hint))
    }

    fn definition(&mut self, at: &TextDocumentPositionParams) -> Result<Value, Refusal> {
        let Some((dir, path, text)) = self.located(&at.text_document.uri) else {
            return Ok(Value::Null);
        };
        let text = text.to_owned();
        let workspace = self.directories.workspace(&dir, &self.open);
        let found = definition(&workspace, &path, position_in(&text, at.position));
        let site = found.and_then(|found| {
            let path = dir.join(&found.file);
            let open = self.open.get(&path).map(|document| document.uri.clone());
            let text = workspace.files.get(&found.file)?;
            Some(Location {
                uri: open.or_else(|| uri_of(&path))?,
                range: range_in(text, found.range),
            })
        });
        Ok(to_json(&site))
    }

    /// `Run case` above each heading of a case file.
    fn code_lens(&mut self, asked: &CodeLensParams) -> Result<Value, Refusal> {
        let uri = &asked.text_document.uri;
        let Some((_, path, text)) = self.located(uri).filter(|(_, path, _)| is_cases(path)) else {
            return Ok(json!([]));
        };
        let lenses = case_headings(&path, text).into_iter().map(|(_, line)| {
            let at = Position { line: line.saturating_sub(1), character: 0 };
            let command = Command {
                title: "Run case".to_owned(),
                command: RUN_CASE.to_owned(),
                arguments: Some(vec![json!(uri), json!(line)]),
            };
            CodeLens { range: Range { start: at, end: at }, command: Some(command), data: None }
        });
        Ok(to_json(&lenses.collect::<Vec<_>>()))
    }

    /// Runs a case, tells its failures as findings, and answers with its verdict.
    fn execute(&mut self, asked: ExecuteCommandParams) -> Result<Value, Refusal> {
        if asked.command != RUN_CASE {
            let message = format!("there is no command `{}`", asked.command);
            return Err((FailureCode::InvalidParams, message));
        }
        let wrong = |message: &str| (FailureCode::InvalidParams, message.to_owned());
        let mut arguments = asked.arguments.into_iter();
        let uri: Uri = read_params(arguments.next().unwrap_or_default())?;
        let line = arguments.next().and_then(|line| line.as_u64());
        let line = line.and_then(|line| u32::try_from(line).ok());

        let (dir, path, _) = self.located(&uri).ok_or_else(|| {
            wrong("the case file is not open, or in no directory with `accredit.toml`")
        })?;
        let workspace = self.directories.workspace(&dir, &self.open);
        let verdicts = match run_cases(&workspace, &path, line) {
            Ok(verdicts) => verdicts,
            // What cannot be read is told as a finding anyway.
            Err(findings) => vec![CaseVerdict {
                name: path,
                line: line.unwrap_or(1),
                passed: false,
                failures: findings,
            }],
        };

        let failures = verdicts.iter().flat_map(|one| one.failures.clone());
        self.failed.insert(dir.clone(), failures.collect());
        self.due.insert(dir, Instant::now());
        Ok(to_json(&verdicts))
    }
}

fn is_cases(path: &str) -> bool {
    path.ends_with(".cases.md")
}

fn read_params<T: DeserializeOwned>(params: Value) -> Result<T, Refusal> {
    serde_json::from_value(params).map_err(|error| (FailureCode::InvalidParams, error.to_string()))
}

/// A type of the protocol as JSON; each of them has one.
fn to_json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// What the server can do.
fn capabilities() -> Value {
    json!({
        "capabilities": {
            "positionEncoding": "utf-16",
            "textDocumentSync": { "openClose": true, "change": 2, "save": true },
            "completionProvider": { "triggerCharacters": [".", "\"", "[", ":", "|", "`"] },
            "hoverProvider": true,
            "definitionProvider": true,
            "codeLensProvider": { "resolveProvider": false },
            "executeCommandProvider": { "commands": [RUN_CASE] },
        },
        "serverInfo": { "name": "accredit", "version": env!("CARGO_PKG_VERSION") },
    })
}
