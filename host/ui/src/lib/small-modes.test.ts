import { StringStream, type StreamParser } from "@codemirror/language";
import { expect, test } from "vitest";
import { csvMode, jsonMode, markdownMode, tomlMode } from "./small-modes";

function tokens(mode: StreamParser<unknown>, text: string): string[] {
  const state = mode.startState?.(2);
  const found: string[] = [];
  for (const line of text.split("\n")) {
    const stream = new StringStream(line, 2, 2);
    while (!stream.eol()) {
      stream.start = stream.pos;
      const kind = mode.token(stream, state);
      expect(stream.pos, `nothing is read at ${stream.pos} of ${line}`).toBeGreaterThan(stream.start);
      if (kind) found.push(`${kind} ${stream.current()}`);
    }
  }
  return found;
}

const cases: [name: string, mode: unknown, text: string, expected: string[]][] = [
  ["a table and keys of TOML", tomlMode, "[[direct]] # first\nname = 'ACV'", ["heading [[direct]]", "lineComment # first", "propertyName name", "punctuation =", "string 'ACV'"]],
  ["values of TOML", tomlMode, "a = 2026-01-01\nb = true\nc = -1.5", ["propertyName a", "punctuation =", "literal 2026-01-01", "propertyName b", "punctuation =", "bool true", "propertyName c", "punctuation =", "number -1.5"]],
  ["a table in a line", tomlMode, 'p = { hold = "x", value = "y" }', ["propertyName p", "punctuation =", "bracket {", "propertyName hold", "punctuation =", 'string "x"', "punctuation ,", "propertyName value", "punctuation =", 'string "y"', "bracket }"]],
  ["an array over lines", tomlMode, 't = [\n "a",\n]\nb = 1', ["propertyName t", "punctuation =", "bracket [", 'string "a"', "punctuation ,", "bracket ]", "propertyName b", "punctuation =", "number 1"]],
  ["a long text", tomlMode, 't = """a\n# b """\nc = 1', ["propertyName t", "punctuation =", 'string """a', 'string # b """', "propertyName c", "punctuation =", "number 1"]],
  ["CSV", csvMode, 'id,rate\nann,0.5\n"a, b",x', ["propertyName id", "punctuation ,", "propertyName rate", "variableName.special ann", "punctuation ,", "number 0.5", 'string "a, b"', "punctuation ,"]],
  ["JSON", jsonMode, '{"a": [1, "b", null]}', ["bracket {", 'propertyName "a"', "punctuation :", "bracket [", "number 1", "punctuation ,", 'string "b"', "punctuation ,", "bool null", "bracket ]", "bracket }"]],
  ["a case", markdownMode, "## Both\n```csv transactions\nid\n```\n| a |", ["heading ## Both", "meta ```csv transactions", "monospace id", "meta ```", "punctuation |", "punctuation |"]],
];

test.each(cases)("%s", (_, mode, text, expected) => {
  expect(tokens(mode as StreamParser<unknown>, text)).toEqual(expected);
});
