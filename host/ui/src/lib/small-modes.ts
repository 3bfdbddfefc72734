// Colours of the other files of a directory: TOML, CSV, JSON and the Markdown of cases.

import type { StreamParser, StringStream } from "@codemirror/language";

type TomlState = { text: "" | '"""' | "'''"; atKey: boolean; depth: number };

function tomlText(stream: StringStream, state: TomlState): string {
  while (!stream.eol()) {
    if (state.text === '"""' && stream.match(/^\\./)) continue;
    if (stream.match(state.text)) {
      state.text = "";
      break;
    }
    stream.next();
  }
  return "string";
}

export const tomlMode: StreamParser<TomlState> = {
  name: "toml",
  startState: () => ({ text: "", atKey: true, depth: 0 }),
  token(stream, state) {
    if (state.text) return tomlText(stream, state);
    if (stream.sol() && state.depth === 0) state.atKey = true;
    if (stream.eatSpace()) return null;
    if (stream.match(/^#.*/)) return "lineComment";
    if (state.atKey && state.depth === 0 && stream.match(/^\[\[?[^\]]*\]?\]?/)) return "heading";

    const long = stream.match(/^("""|''')/) as RegExpMatchArray | null;
    if (long) {
      state.text = long[0] as TomlState["text"];
      return tomlText(stream, state);
    }
    if (state.atKey && stream.match(/^(?:[\w-]+|"[^"]*"|'[^']*')(?=\s*(?:=|\.))/)) return "propertyName";
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/) || stream.match(/^'[^']*'?/)) return "string";
    if (stream.match(/^\d{4}-\d\d-\d\d(?:[T ][\d:.]+(?:Z|[+-]\d\d:\d\d)?)?/)) return "literal";
    if (stream.match(/^[+-]?(?:0x[\da-f_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:e[+-]?\d+)?|inf|nan)\b/i)) return "number";
    if (stream.match(/^(?:true|false)\b/)) return "bool";

    const character = stream.next() ?? "";
    if (character === "=") state.atKey = false;
    if ("{[".includes(character)) {
      state.depth += 1;
      state.atKey = character === "{";
    } else if ("}]".includes(character)) {
      state.depth = Math.max(0, state.depth - 1);
      state.atKey = false;
    } else if (character === "," && state.depth > 0) state.atKey = true;
    return "[]{}".includes(character) ? "bracket" : "punctuation";
  },
  languageData: { commentTokens: { line: "#" }, closeBrackets: { brackets: ["[", "{", '"', "'"] } },
};

/** The first line has the names of columns. */
type CsvState = { isHeading: boolean; quoted: boolean; column: number };

export const csvMode: StreamParser<CsvState> = {
  name: "csv",
  startState: () => ({ isHeading: true, quoted: false, column: 0 }),
  blankLine: (state) => {
    state.isHeading = false;
  },
  token(stream, state) {
    if (stream.sol() && !state.quoted) state.column = 0;
    let kind: string | null = state.isHeading ? "propertyName" : state.column === 0 ? "variableName.special" : null;
    if (state.quoted || stream.eat('"')) {
      state.quoted = true;
      while (!stream.eol()) {
        if (stream.match('""')) continue;
        if (stream.next() === '"') {
          state.quoted = false;
          break;
        }
      }
      kind = state.isHeading ? kind : "string";
    } else if (stream.eat(",")) {
      state.column += 1;
      kind = "punctuation";
    } else {
      stream.match(/^[^,]+/);
      if (!state.isHeading && /^\s*-?\d+(\.\d+)?%?\s*$/.test(stream.current())) kind = "number";
    }
    if (stream.eol() && !state.quoted) state.isHeading = false;
    return kind;
  },
};

export const jsonMode: StreamParser<unknown> = {
  name: "json",
  startState: () => ({}),
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/^"(?:[^"\\]|\\.)*"(?=\s*:)/)) return "propertyName";
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return "string";
    if (stream.match(/^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/i)) return "number";
    if (stream.match(/^(?:true|false|null)\b/)) return "bool";
    return "[]{}".includes(stream.next() ?? "") ? "bracket" : "punctuation";
  },
  languageData: { closeBrackets: { brackets: ["[", "{", '"'] } },
};

export const markdownMode: StreamParser<{ fenced: boolean }> = {
  name: "markdown",
  startState: () => ({ fenced: false }),
  token(stream, state) {
    if (stream.sol() && stream.match(/^\s*(?:```|~~~).*/)) {
      state.fenced = !state.fenced;
      return "meta";
    }
    if (state.fenced) {
      stream.skipToEnd();
      return "monospace";
    }
    if (stream.sol() && stream.match(/^#{1,6} .*/)) return "heading";
    if (stream.sol() && stream.match(/^[a-z-]+(?=: )/)) return "propertyName";
    if (stream.eat("|")) return "punctuation";
    if (stream.match(/^`[^`]*`/)) return "monospace";
    stream.next();
    stream.match(/^[^|`]+/);
    return null;
  },
};
