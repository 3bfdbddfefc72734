// The extension's start and its client, as they are in a package, on a stub of VS Code and the real `accredit lsp`.
//
// ACCREDIT_PROGRAM is the program; target/debug/accredit by default.

"use strict";

const assert = require("node:assert/strict");
const { execFileSync } = require("node:child_process");
const { mkdtempSync, readFileSync, rmSync } = require("node:fs");
const Module = require("node:module");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { test } = require("node:test");

const { makeStub, makeDocument } = require("./vscode-stub.cjs");

const EXTENSION = require.resolve(join("..", require("../package.json").main));

const PROGRAM = process.env.ACCREDIT_PROGRAM || join(__dirname, "../../../../target/debug/accredit");

/** How long an answer of the server may take before a test fails. */
const PATIENCE_MS = 20_000;

async function until(what, look) {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const found = look();
    if (found) {
      return found;
    }
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error(`nothing came: ${what}`);
}

/** The extension with `vscode` replaced. */
function loadExtension(vscode) {
  const load = Module._load;
  Module._load = (name, ...rest) => (name === "vscode" ? vscode : load(name, ...rest));
  try {
    return require(EXTENSION);
  } finally {
    Module._load = load;
  }
}

test("a document has findings that a fix clears, items, hints, and cases that run", async () => {
  const dir = mkdtempSync(join(tmpdir(), "accredit-vscode-"));
  const acme = join(dir, "acme");
  execFileSync(PROGRAM, ["new", acme], { stdio: "ignore" });

  const { vscode, kept } = makeStub({ path: PROGRAM });
  const extension = loadExtension(vscode);
  const context = { subscriptions: [] };
  try {
    await extension.activate(context);
    assert.deepEqual(kept.messages, []);

    const path = join(acme, "policies/value/typed.rhai");
    const wrong = 'fn value(tx, to) { let sign = "💰"; tx.amuont }\n';
    const document = makeDocument(path, "rhai", wrong);
    vscode.workspace.textDocuments.push(document);
    vscode.workspace.onDidOpenTextDocument.fire(document);

    const uri = document.uri.toString();
    const found = await until("a finding", () => {
      const found = kept.diagnostics.get(uri) || [];
      return found.find((one) => (one.code?.value ?? one.code) === "CR002");
    });
    const range = found.range ?? found.given[0];
    const start = wrong.indexOf("amuont");
    assert.deepEqual(
      [range.start.line, range.start.character, range.end.character],
      [0, start, start + "amuont".length],
      "columns are in units of UTF-16, as in JavaScript",
    );

    document.version = 2;
    document.text = wrong.replace("amuont", "amount");
    vscode.workspace.onDidChangeTextDocument.fire({
      document,
      contentChanges: [
        { range: new vscode.Range(0, start, 0, start + 6), rangeLength: 6, text: "amount" },
      ],
    });
    await until("no error", () => {
      const left = kept.diagnostics.get(uri) || [];
      return left.every((one) => (one.code?.value ?? one.code) !== "CR002");
    });

    const at = new vscode.Position(0, start + 2);
    const token = new vscode.CancellationTokenSource().token;
    const items = await kept.providers.completion.provideCompletionItems(document, at, token, {
      triggerKind: vscode.CompletionTriggerKind.Invoke,
    });
    const labels = (items.items ?? items.given?.[0] ?? items).map((item) => item.label ?? item.given[0]);
    assert.ok(labels.includes("amount"), labels.join());

    const hint = await kept.providers.hover.provideHover(document, at, token);
    assert.match(JSON.stringify(hint), /amount/);

    const cases = join(acme, "policies/crediting/large-deals.cases.md");
    const file = makeDocument(cases, "markdown", readFileSync(cases, "utf8"));
    vscode.workspace.onDidOpenTextDocument.fire(file);
    const verdicts = await kept.commands.get("accredit.runCase")(file.uri.toString(), 9999);
    assert.equal(verdicts.length > 0 && verdicts.every((one) => one.passed), true, JSON.stringify(verdicts));
    assert.match(kept.messages.join(), /information: Passed: /);
  } finally {
    await extension.deactivate();
    context.subscriptions.forEach((one) => one.dispose());
    rmSync(dir, { recursive: true });
  }
});

test("a package has the licence of each library, and nothing of the machine that made it", () => {
  const [code, licences] = [EXTENSION, join(EXTENSION, "../THIRD-PARTY.txt")].map((path) => readFileSync(path, "utf8"));
  const { packages } = require("../package-lock.json");
  const shipped = Object.entries(packages).filter(([path, one]) => path !== "" && !one.dev);
  for (const [path, { version, license }] of shipped) {
    const heading = `${path.replace(/^.*node_modules\//, "")} ${version}, ${license}\n`;
    assert.ok(licences.includes(heading), heading);
  }
  assert.ok(!code.includes(join(__dirname, "..")), "a path of this machine");
});

test("a program that is not there is told, and ends nothing", async () => {
  const { vscode, kept } = makeStub({ path: "/nowhere/accredit" });
  delete require.cache[EXTENSION];
  const extension = loadExtension(vscode);
  await extension.activate({ subscriptions: [] });
  assert.match(kept.messages.join(), /accredit cannot be started/);
  await extension.deactivate();
});
