// Where the tables, keys and values of a TOML text are. Only places: what a value means is in `toml-value.ts`.
//
// It reads a text that is being typed, so that it takes what it can and leaves out what it cannot read.

/** `["direct", 0, "results", 1]`: names, and the number of a table among those of its name. */
export type TomlPath = (string | number)[];

export type TomlEntry = {
  /** The key as it is written, such as `name` or `policies.hold`, without quotes. */
  key: string;
  /** Offsets of the whole lines that it takes, with the line break. */
  start: number;
  end: number;
  /** Offsets of its value. */
  valueStart: number;
  valueEnd: number;
  indent: string;
};

export type TomlTable = {
  path: TomlPath;
  isArray: boolean;
  /** Offset of the line of its header; 0 for the table at the top. */
  start: number;
  /** Offset behind that line. */
  bodyStart: number;
  /** Offset behind its last line that is no comment and not blank. */
  end: number;
  /** White space before the header. */
  indent: string;
  entries: TomlEntry[];
};

/** The end of a text in quotes that begins at `at`; the end of the line where it is not closed. */
function endOfText(text: string, at: number): number {
  const quote = text.charAt(at);
  const long = quote.repeat(3);
  const isLong = text.startsWith(long, at);
  let position = at + (isLong ? 3 : 1);
  while (position < text.length) {
    if (quote === '"' && text.charAt(position) === "\\") position += 2;
    else if (isLong && text.startsWith(long, position)) {
      position += 3;
      // A long text may end with up to two quotes of its own.
      while (text.charAt(position) === quote) position += 1;
      return position;
    } else if (!isLong && text.charAt(position) === quote) return position + 1;
    else if (!isLong && text.charAt(position) === "\n") return position;
    else position += 1;
  }
  return text.length;
}

/** The end of the value that begins at `at`: before the comment or the line break, and over lines within brackets. */
export function endOfValue(text: string, at: number): number {
  let depth = 0;
  let position = at;
  let last = at;
  while (position < text.length) {
    const character = text.charAt(position);
    if (character === '"' || character === "'") {
      position = endOfText(text, position);
      last = position;
      continue;
    }
    if (character === "#") {
      if (depth === 0) break;
      position = endOfLine(text, position);
      continue;
    }
    if (character === "\n" && depth === 0) break;
    if ("[{".includes(character)) depth += 1;
    else if ("]}".includes(character)) depth -= 1;
    position += 1;
    if (!/\s/.test(character)) last = position;
  }
  return last;
}

function endOfLine(text: string, at: number): number {
  const found = text.indexOf("\n", at);
  return found < 0 ? text.length : found;
}

/** The names of a header or a dotted key, without their quotes. */
function namesOf(text: string): string[] {
  const names = text.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s."']+)/g);
  return [...names].map((name) => name[1] ?? name[2] ?? name[3] ?? "");
}

const KEY = /^([ \t]*)((?:[\w-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')(?:[ \t]*\.[ \t]*(?:[\w-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'))*)[ \t]*=[ \t]*/;
const HEADER = /^([ \t]*)(\[\[?)([^\]\n]*)\]\]?/;

/** The tables of a text, in order; the first one is the table at the top. */
export function scanToml(text: string): TomlTable[] {
  let open: TomlTable = { path: [], isArray: false, start: 0, bodyStart: 0, end: 0, indent: "", entries: [] };
  const tables = [open];
  /** How many tables there are of a path of names and numbers. */
  const counts = new Map<string, number>();

  /** The path of a header: a name that is an array of tables stands for its last one. */
  function pathOf(names: string[], isArray: boolean): TomlPath {
    const path: TomlPath = [];
    names.forEach((name, at) => {
      path.push(name);
      const key = JSON.stringify(path);
      if (at === names.length - 1 && isArray) counts.set(key, (counts.get(key) ?? 0) + 1);
      const count = counts.get(key);
      if (count) path.push(count - 1);
    });
    return path;
  }

  let at = 0;
  while (at < text.length) {
    const lineEnd = endOfLine(text, at);
    const line = text.slice(at, lineEnd);
    const header = HEADER.exec(line);
    const key = header ? null : KEY.exec(line);
    let next = Math.min(lineEnd + 1, text.length);

    if (header) {
      const isArray = header[2] === "[[";
      open = { path: pathOf(namesOf(header[3] ?? ""), isArray), isArray, start: at, bodyStart: next, end: next, indent: header[1] ?? "", entries: [] };
      tables.push(open);
    } else if (key) {
      const valueStart = at + key[0].length;
      const valueEnd = endOfValue(text, valueStart);
      next = Math.min(endOfLine(text, valueEnd) + 1, text.length);
      open.entries.push({ key: namesOf(key[2] ?? "").join("."), start: at, end: next, valueStart, valueEnd, indent: key[1] ?? "" });
      open.end = next;
    } else if (line.trim() !== "" && !line.trimStart().startsWith("#")) open.end = next;
    at = next;
  }
  return tables;
}

const startsWith = (path: TomlPath, beginning: TomlPath) => beginning.every((part, at) => path[at] === part);
export const isSamePath = (left: TomlPath, right: TomlPath): boolean => left.length === right.length && startsWith(left, right);

export const findTable = (tables: TomlTable[], path: TomlPath): TomlTable | undefined => tables.find((one) => isSamePath(one.path, path));

/** A table and those inside it, which stand behind it. */
export const tablesWithin = (tables: TomlTable[], path: TomlPath): TomlTable[] => tables.filter((one) => startsWith(one.path, path));
