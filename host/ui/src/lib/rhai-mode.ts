// The colours and the indentation of Rhai, the language of policies. Only what can be seen line by line:
// what a name means is the server's answer (`/v1/editor/check`).

import type { StreamParser, StringStream } from "@codemirror/language";
import api from "../../../../scripts/api.d.rhai?raw";

/** A function that policies may call, with its forms and what it does. */
export type HostFunction = { name: string; forms: string[]; text: string };

/** Reads the list of functions that `accredit api` writes: `///` lines, the form in backquotes, then `fn name(…);`. */
export function readHostFunctions(text: string): HostFunction[] {
  const found = new Map<string, HostFunction>();
  let notes: string[] = [];
  for (const line of text.split("\n")) {
    const declared = /^fn (\w+)\(/.exec(line);
    if (line.startsWith("/// ")) notes.push(line.slice(4));
    else if (declared?.[1]) {
      const form = notes.at(-1)?.replaceAll("`", "") ?? "";
      const known = found.get(declared[1]);
      if (known) known.forms.push(form);
      else found.set(declared[1], { name: declared[1], forms: [form], text: notes.slice(0, -1).join(" ") });
      notes = [];
    } else notes = [];
  }
  return [...found.values()];
}

export const HOST_FUNCTIONS = readHostFunctions(api);
export const KEYWORDS = [
  "let", "const", "if", "else", "switch", "while", "loop", "do", "until", "for", "in", "continue", "break", "fn", "return",
  "throw", "try", "catch", "private", "import", "export", "as", "global", "this",
];
/** What the entry points of policies are given. */
export const GIVEN = ["tx", "credit", "to", "existing", "payee", "totals", "quota", "earned", "paid", "standing", "payload"];

const keywords = new Set(KEYWORDS);
const hostFunctions = new Set(HOST_FUNCTIONS.map((one) => one.name));
const given = new Set(GIVEN);

/** A text that is open, or the code of a `${…}` inside one with how many of its braces are open. */
type Open = { kind: "text" } | { kind: "code"; braces: number };

export type RhaiState = {
  /** Texts in backquotes and their interpolations, the innermost last. */
  open: Open[];
  /** Comments in comments. */
  comments: number;
  /** Whether a text in double quotes goes on, since the line before ended with a backslash. */
  quoted: boolean;
  /** Brackets that are open, for the indentation. */
  brackets: number;
  /** What stood before: `fn`, a dot, or something else. */
  before: "fn" | "." | "";
};

function readComment(stream: StringStream, state: RhaiState): string {
  while (!stream.eol()) {
    if (stream.match("/*")) state.comments += 1;
    else if (stream.match("*/")) {
      state.comments -= 1;
      if (state.comments === 0) break;
    } else stream.next();
  }
  return "comment";
}

/** The rest of a text in double quotes; a backslash at the end of a line goes on in the next one. */
function readQuoted(stream: StringStream, state: RhaiState): string {
  state.quoted = false;
  while (!stream.eol()) {
    const character = stream.next();
    if (character === '"') return "string";
    if (character === "\\" && stream.next() === undefined) state.quoted = true;
  }
  return "string";
}

/** The rest of a text in backquotes, up to its end or to the next `${`. */
function readText(stream: StringStream, state: RhaiState): string {
  if (stream.match("${")) {
    state.open.push({ kind: "code", braces: 0 });
    return "brace";
  }
  while (!stream.eol()) {
    if (stream.match("${", false)) return "string";
    const character = stream.next();
    if (character === "`") {
      if (stream.peek() !== "`") {
        state.open.pop();
        return "string";
      }
      stream.next();
    }
  }
  return "string";
}

function readBracket(bracket: string, state: RhaiState): string {
  const innermost = state.open.at(-1);
  const opens = "({[".includes(bracket);
  if (innermost?.kind === "code") {
    if (bracket === "{") innermost.braces += 1;
    else if (bracket === "}" && innermost.braces === 0) {
      state.open.pop();
      return "brace";
    } else if (bracket === "}") innermost.braces -= 1;
  }
  state.brackets = Math.max(0, state.brackets + (opens ? 1 : -1));
  return "bracket";
}

function readName(name: string, stream: StringStream, before: RhaiState["before"]): string {
  if (before === "fn") return "variableName.function.definition";
  if (keywords.has(name) && before !== ".") return "keyword";
  if (name === "true" || name === "false") return "bool";
  const isCalled = Boolean(stream.match(/^\s*\(/, false));
  if (isCalled && hostFunctions.has(name)) return "variableName.function.standard";
  if (isCalled) return "variableName.function";
  if (before === ".") return "propertyName";
  if (given.has(name)) return "variableName.special";
  return /^[A-Z][A-Z0-9_]*$/.test(name) ? "variableName.constant" : "variableName";
}

const NUMBER = /^(?:0x[\da-f_]+|0o[0-7_]+|0b[01_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:e[+-]?\d+)?)/i;
const OPERATOR = /^(?:\.\.=?|\?\?|\?\.|\?\[|=>|[-+*/%=!<>&|^]+|\?|~)/;

function readToken(stream: StringStream, state: RhaiState): string | null {
  if (state.comments > 0) return readComment(stream, state);
  if (state.quoted) return readQuoted(stream, state);
  if (state.open.at(-1)?.kind === "text") return readText(stream, state);
  if (stream.eatSpace()) return null;

  const before = state.before;
  state.before = "";
  if (stream.match(/^\/\/\/.*/) || stream.match(/^\/\/!.*/)) return "docComment";
  if (stream.match(/^\/\/.*/)) return "lineComment";
  if (stream.match("/*")) {
    state.comments = 1;
    return readComment(stream, state);
  }
  if (stream.match(/^#"(?:[^"]|"(?!#))*"#/)) return "string";
  if (stream.match("#{")) return readBracket("{", state);
  if (stream.match('"')) return readQuoted(stream, state);
  if (stream.match(/^'(?:[^'\\]|\\.)*'/)) return "character";
  if (stream.match("`")) {
    state.open.push({ kind: "text" });
    return "string";
  }
  if (stream.match(NUMBER)) return "number";

  const name = stream.match(/^[\p{L}_][\p{L}\p{N}_]*/u) as RegExpMatchArray | null;
  if (name) {
    const token = readName(name[0], stream, before);
    if (token === "keyword" && name[0] === "fn") state.before = "fn";
    return token;
  }
  if (stream.match(OPERATOR)) return "operator";
  const character = stream.next() ?? "";
  if ("(){}[]".includes(character)) return readBracket(character, state);
  if (character === ".") state.before = ".";
  return "punctuation";
}

export const rhaiMode: StreamParser<RhaiState> = {
  name: "rhai",
  startState: () => ({ open: [], comments: 0, quoted: false, brackets: 0, before: "" }),
  copyState: (state) => ({ ...state, open: state.open.map((one) => ({ ...one })) }),
  token: readToken,
  indent(state, textAfter, context) {
    if (state.comments > 0 || state.open.length > 0) return null;
    const closes = /^\s*[)\]}]/.test(textAfter) ? 1 : 0;
    return Math.max(0, state.brackets - closes) * context.unit;
  },
  languageData: {
    commentTokens: { line: "//", block: { open: "/*", close: "*/" } },
    closeBrackets: { brackets: ["(", "[", "{", '"', "`"] },
    indentOnInput: /^\s*[)\]}]$/,
  },
};
