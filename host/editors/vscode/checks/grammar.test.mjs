// The grammars on the real scripts and case files of `scripts/`, read as VS Code reads them.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const require = createRequire(import.meta.url);
const oniguruma = require("vscode-oniguruma");
const textmate = require("vscode-textmate");

const here = dirname(fileURLToPath(import.meta.url));
const scripts = join(here, "../../../../scripts");

/** A grammar of Markdown without rules: only what is injected is seen. */
const MARKDOWN = { scopeName: "text.html.markdown", patterns: [] };

async function registry() {
  const wasm = readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm"));
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
  const paths = {
    "source.rhai": "rhai.tmLanguage.json",
    "markdown.rhai.codeblock": "blocks.tmLanguage.json",
    "markdown.accredit.cases": "cases.tmLanguage.json",
  };
  return new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (sources) => new oniguruma.OnigScanner(sources),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async (scope) => {
      if (scope === MARKDOWN.scopeName) {
        return textmate.parseRawGrammar(JSON.stringify(MARKDOWN), "markdown.json");
      }
      const path = paths[scope] && join(here, "../syntaxes", paths[scope]);
      return path ? textmate.parseRawGrammar(readFileSync(path, "utf8"), path) : null;
    },
    getInjections: (scope) =>
      scope === MARKDOWN.scopeName ? ["markdown.rhai.codeblock", "markdown.accredit.cases"] : [],
  });
}

const known = await registry();
const rhai = await known.loadGrammar("source.rhai");
const markdown = await known.loadGrammar("text.html.markdown");

/** The tokens of a text, line by line, and how many rules are open at its end. */
function tokens(grammar, text) {
  let stack = textmate.INITIAL;
  const lines = text.split("\n").map((line) => {
    const read = grammar.tokenizeLine(line, stack);
    stack = read.ruleStack;
    return read.tokens.map((token) => ({
      text: line.slice(token.startIndex, token.endIndex),
      scopes: token.scopes,
    }));
  });
  return { lines, depth: stack.depth };
}

function files(folder, ending) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => !path.endsWith("api.d.rhai"));
}

/** The scopes of the first token with this text in a line that contains `part`. */
function scopesOf(read, part, text) {
  const line = read.lines.find((line) => line.map((token) => token.text).join("").includes(part));
  assert.ok(line, `no line with ${part}`);
  const token = line.find((token) => token.text === text);
  assert.ok(token, `no token ${text} in ${JSON.stringify(line)}`);
  return token.scopes.join(" ");
}

test("every script of the library is read to its end", () => {
  const paths = files(scripts, ".rhai");
  assert.ok(paths.length > 25, `${paths.length} scripts`);
  for (const path of paths) {
    const text = readFileSync(path, "utf8");
    const read = tokens(rhai, text);
    assert.equal(read.depth, 1, `${path}: a text, comment or bracket is open at the end`);

    const all = read.lines.flat();
    const wrong = all.filter((token) => token.scopes.some((scope) => scope.startsWith("invalid")));
    assert.deepEqual(wrong, [], path);

    const heads = [...text.matchAll(/^fn ([a-z_]+)/gm)].map((found) => found[1]);
    const named = all.filter((token) => token.scopes.includes("meta.function.rhai"));
    const names = named.filter((token) => token.scopes.includes("entity.name.function.rhai"));
    assert.deepEqual(names.map((token) => token.text), heads, path);
  }
});

test("words, texts, numbers and members have their scopes", () => {
  const read = tokens(
    rhai,
    '/// A page.\nconst LIMIT = 50_000.5; // why\nfn credit(tx) {\n    if tx.has("a\\"b") && tx["Rep #1"] == `${tx.amount}!` { return (); }\n' +
      '    switch tx.product { "A" | "B" => 0.1, 0..=10 => { throw "x"; } _ => 0 }\n    sum_by(existing, |one| one.amount)\n}',
  );
  const check = (part, text, scope) => assert.match(scopesOf(read, part, text), scope);
  check("A page", "/// A page.", /comment\.line\.documentation/);
  check("LIMIT", "LIMIT", /variable\.other\.constant/);
  check("LIMIT", "50_000.5", /constant\.numeric/);
  check("fn credit", "tx", /variable\.parameter/);
  check("tx.has", "has", /entity\.name\.function\.member/);
  check("tx.has", '\\"', /constant\.character\.escape.*|string\.quoted/);
  check("tx.has", "amount", /meta\.interpolation.*variable\.other\.member/);
  check("tx.has", "()", /constant\.language\.unit/);
  check("switch", "switch", /keyword\.control/);
  check("switch", "..=", /keyword\.operator/);
  check("sum_by", "one", /variable\.parameter/);
  assert.equal(read.depth, 1);
});

test("a word that policies may not use is marked", () => {
  const read = tokens(rhai, 'import "x" as y;\nlet important = 1;');
  assert.match(scopesOf(read, "import", "import"), /invalid\.illegal/);
  assert.doesNotMatch(scopesOf(read, "important", "important"), /invalid/);
});

test("every case file and every page is read to its end, with the scripts in it", () => {
  const paths = files(scripts, ".md");
  assert.ok(paths.length > 25, `${paths.length} pages`);
  let blocks = 0;
  for (const path of paths) {
    const text = readFileSync(path, "utf8");
    const read = tokens(markdown, text);
    assert.equal(read.depth, 1, `${path}: a block is open at the end`);
    const inside = read.lines.flat().filter((token) => token.scopes.includes("meta.embedded.block.rhai"));
    const has = /^\s*```rhai/m.test(text);
    blocks += has ? 1 : 0;
    assert.equal(inside.length > 0, has, path);
  }
  assert.ok(blocks > 0);
});

test("a case has settings, a header, cells and a script", () => {
  const text =
    "## A\n\nas-of: 2026-01-31\n\n```rhai policies/value/x.rhai\nfn value(tx, to) { 1 }\n```\n\n" +
    "| transaction | amount | => |\n| --- | --- | --- |\n| D1 | 60.00 | a \\| b |\n";
  const read = tokens(markdown, text);
  const check = (part, token, scope) => assert.match(scopesOf(read, part, token), scope);
  check("as-of", "as-of", /keyword\.other\.setting/);
  check("fn value", "fn", /meta\.embedded\.block\.rhai.*storage\.type\.function/);
  check("| transaction", "amount", /variable\.other\.column/);
  check("| transaction", "=>", /keyword\.operator\.arrow/);
  check("D1", "60.00", /constant\.numeric/);
  check("D1", "\\|", /constant\.character\.escape/);
});

test("the snippets are policies that the entry points of the language have", () => {
  const snippets = JSON.parse(readFileSync(join(here, "../snippets/policies.json"), "utf8"));
  const bodies = Object.values(snippets).map((snippet) => snippet.body.join("\n"));
  const kinds = Object.values(snippets).map((snippet) => snippet.prefix);
  const reference = readFileSync(join(scripts, "api.md"), "utf8");
  const rows = [...reference.matchAll(/^\| ([a-z]+) \| `([a-z_]+)\(/gm)];
  assert.deepEqual(kinds, rows.map((row) => row[1]));
  rows.forEach((row, index) => assert.ok(bodies[index].includes(`fn ${row[2]}(`), row[0]));
  for (const body of bodies) {
    const written = body.replace(/\$\{\d+:([^}]*)\}/g, "$1").replace(/\$\d/g, "");
    assert.equal(tokens(rhai, written).depth, 1, written);
  }
});
