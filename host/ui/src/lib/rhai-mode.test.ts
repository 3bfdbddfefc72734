import { StringStream } from "@codemirror/language";
import { expect, test } from "vitest";
import { HOST_FUNCTIONS, readHostFunctions, rhaiMode } from "./rhai-mode";

/** The tokens of a text as `kind text`; blanks are left out. */
function tokens(text: string): string[] {
  const state = rhaiMode.startState?.(4) as Parameters<typeof rhaiMode.token>[1];
  const found: string[] = [];
  for (const line of text.split("\n")) {
    const stream = new StringStream(line, 4, 4);
    while (!stream.eol()) {
      stream.start = stream.pos;
      const kind = rhaiMode.token(stream, state);
      expect(stream.pos, `nothing is read at ${stream.pos} of ${line}`).toBeGreaterThan(stream.start);
      if (kind) found.push(`${kind} ${stream.current()}`);
    }
  }
  return found;
}

const NAME = "variableName";
const cases: [name: string, text: string, expected: string[]][] = [
  ["comments", "/// Doc.\n//! Head.\n// Line", ["docComment /// Doc.", "docComment //! Head.", "lineComment // Line"]],
  ["a comment in a comment", "/* a /* b */ c\nd */ x", ["comment /* a /* b */ c", "comment d */", `${NAME} x`]],
  ["texts", `"a \\" b" 'c'`, [`string "a \\" b"`, "character 'c'"]],
  ["a text over two lines", `"a \\\n b" x`, [`string "a \\`, `string  b"`, `${NAME} x`]],
  ["a raw text", `#"a "b" c"# x`, [`string #"a "b" c"#`, `${NAME} x`]],
  [
    "interpolation",
    "`a ${x + #{ k: `b ${1}` }.k} c`",
    [
      "string `", "string a ", "brace ${", `${NAME} x`, "operator +", "bracket #{", `${NAME} k`, "punctuation :",
      "string `", "string b ", "brace ${", "number 1", "brace }", "string `", "bracket }", "punctuation .", "propertyName k",
      "brace }", "string  c`",
    ],
  ],
  ["a backquote that is written twice", "`a``b` 1", ["string `", "string a``b`", "number 1"]],
  ["numbers", "1_000 0.25 1e3 0xff 1..3", ["number 1_000", "number 0.25", "number 1e3", "number 0xff", "number 1", "operator ..", "number 3"]],
  [
    "a function",
    "fn hold(tx, credit) {",
    [
      "keyword fn", "variableName.function.definition hold", "bracket (", "variableName.special tx", "punctuation ,",
      "variableName.special credit", "bracket )", "bracket {",
    ],
  ],
  ["functions of the host and others", "hold_for(30) mine(1)", ["variableName.function.standard hold_for", "bracket (", "number 30", "bracket )", "variableName.function mine", "bracket (", "number 1", "bracket )"]],
  ["keywords", "let x = if true { return 1 } else { throw x };", ["keyword let", `${NAME} x`, "operator =", "keyword if", "bool true", "bracket {", "keyword return", "number 1", "bracket }", "keyword else", "bracket {", "keyword throw", `${NAME} x`, "bracket }", "punctuation ;"]],
  ["fields and constants", "tx.amount > LIMIT ?? 0", ["variableName.special tx", "punctuation .", "propertyName amount", "operator >", "variableName.constant LIMIT", "operator ??", "number 0"]],
  ["a method of the host", "name.len()", [`${NAME} name`, "punctuation .", "variableName.function.standard len", "bracket (", "bracket )"]],
];

test.each(cases)("%s", (_, text, expected) => {
  expect(tokens(text)).toEqual(expected);
});

test("functions of the host are read with their forms", () => {
  const text = "/// Rounds.\n/// `round(number)`\nfn round(number);\n\n/// Rounds.\n/// `round(number, digits: number)`\nfn round(number, digits);\n";
  expect(readHostFunctions(text)).toEqual([{ name: "round", forms: ["round(number)", "round(number, digits: number)"], text: "Rounds." }]);
  expect(HOST_FUNCTIONS.map((one) => one.name)).toContain("hold_indefinitely");
});
