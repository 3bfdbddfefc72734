// The part of VS Code's API that the extension and its client use, without VS Code: events are fired by a test, and
// what the client registers and shows is kept.
//
// What is not written here is a class, an event or a function that does nothing.

"use strict";

const { fileURLToPath, pathToFileURL } = require("node:url");

class Disposable {
  constructor(end = () => {}) {
    this.end = end;
  }
  static from(...all) {
    return new Disposable(() => all.forEach((one) => one.dispose()));
  }
  dispose() {
    this.end();
  }
}

function makeEvent() {
  const listeners = new Set();
  const event = (listener, self) => {
    const bound = self === undefined ? listener : listener.bind(self);
    listeners.add(bound);
    return new Disposable(() => listeners.delete(bound));
  };
  event.fire = (value) => [...listeners].forEach((listener) => listener(value));
  return event;
}

class EventEmitter {
  constructor() {
    this.event = makeEvent();
  }
  fire(value) {
    this.event.fire(value);
  }
  dispose() {}
}

class Position {
  constructor(line, character) {
    Object.assign(this, { line, character });
  }
}

class Range {
  constructor(start, end, endLine, endCharacter) {
    const isNumbers = typeof start === "number";
    this.start = isNumbers ? new Position(start, end) : start;
    this.end = isNumbers ? new Position(endLine, endCharacter) : end;
  }
}

class Uri {
  constructor(text) {
    this.text = text;
    this.scheme = text.split(":")[0];
    this.fsPath = this.scheme === "file" ? fileURLToPath(text) : text;
    this.path = this.fsPath;
  }
  static parse(text) {
    return new Uri(text);
  }
  static file(path) {
    return new Uri(pathToFileURL(path).href);
  }
  toString() {
    return this.text;
  }
}

class CancellationTokenSource {
  constructor() {
    this.token = { isCancellationRequested: false, onCancellationRequested: makeEvent() };
  }
  cancel() {}
  dispose() {}
}

/** Fields of `known`; of others, what does nothing. */
function open(known) {
  return new Proxy(known, {
    get(target, name) {
      if (!(name in target) && typeof name === "string") {
        if (/^on[A-Z]/.test(name)) {
          target[name] = makeEvent();
        } else if (/^[A-Z]/.test(name)) {
          target[name] = class {
            constructor(...given) {
              this.given = given;
            }
          };
        } else {
          target[name] = () => new Disposable();
        }
      }
      return target[name];
    },
  });
}

/** A program's view of VS Code, and what a test does with it. */
function makeStub(settings) {
  const kept = { diagnostics: new Map(), providers: {}, commands: new Map(), messages: [] };
  const register = (kind) => (selector, provider) => {
    kept.providers[kind] = provider;
    return new Disposable();
  };
  const show = (kind) => async (message) => void kept.messages.push(`${kind}: ${message}`);

  const collection = {
    set: (uri, found) => kept.diagnostics.set(uri.toString(), found),
    delete: (uri) => kept.diagnostics.delete(uri.toString()),
    clear: () => kept.diagnostics.clear(),
    dispose: () => {},
  };
  const channel = { appendLine: () => {}, append: () => {}, show: () => {}, dispose: () => {} };
  const watcher = open({ dispose: () => {} });

  const vscode = open({
    version: "1.91.0",
    Disposable,
    EventEmitter,
    Position,
    Range,
    Uri,
    CancellationTokenSource,
    CancellationError: class extends Error {},
    DiagnosticSeverity: { Error: 0, Warning: 1, Information: 2, Hint: 3 },
    CompletionItemKind: new Proxy({}, { get: (_, name) => name }),
    CompletionTriggerKind: { Invoke: 0, TriggerCharacter: 1 },
    ExtensionMode: { Production: 1 },
    env: { language: "en", appName: "stub" },
    languages: open({
      match: (selector, document) => {
        const isOurs = selector.some((one) =>
          one.language === undefined
            ? document.uri.fsPath.endsWith(one.pattern.replace(/^.*\*/, ""))
            : one.language === document.languageId,
        );
        return isOurs ? 10 : 0;
      },
      createDiagnosticCollection: () => collection,
      registerCompletionItemProvider: register("completion"),
      registerHoverProvider: register("hover"),
      registerDefinitionProvider: register("definition"),
      registerCodeLensProvider: register("codeLens"),
    }),
    workspace: open({
      textDocuments: [],
      workspaceFolders: undefined,
      getConfiguration: () => ({ get: (name) => settings[name] }),
      createFileSystemWatcher: () => watcher,
    }),
    window: open({
      createOutputChannel: () => channel,
      showInformationMessage: show("information"),
      showWarningMessage: show("warning"),
      showErrorMessage: show("error"),
      visibleTextEditors: [],
      tabGroups: open({ all: [] }),
    }),
    commands: open({
      registerCommand: (name, run) => {
        kept.commands.set(name, run);
        return new Disposable(() => kept.commands.delete(name));
      },
    }),
  });
  return { vscode, kept };
}

/** A document as the client reads it. */
function makeDocument(path, languageId, text) {
  return {
    uri: Uri.file(path),
    fileName: path,
    languageId,
    version: 1,
    isClosed: false,
    text,
    getText() {
      return this.text;
    },
  };
}

module.exports = { makeStub, makeDocument };
