// Values of TOML: read for the fields of a form, and written as people write them.

/** Numbers and dates stay text with what they are, so that no digit is lost. */
export type TomlValue =
  | { kind: "text"; text: string }
  | { kind: "bare"; text: string }
  | { kind: "bool"; is: boolean }
  | { kind: "list"; items: TomlValue[] }
  | { kind: "table"; entries: [string, TomlValue][] };

export const text = (value: string): TomlValue => ({ kind: "text", text: value });
export const bare = (value: string): TomlValue => ({ kind: "bare", text: value });
export const bool = (is: boolean): TomlValue => ({ kind: "bool", is });
export const list = (items: TomlValue[]): TomlValue => ({ kind: "list", items });

const ESCAPES: Record<string, string> = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r", '"': '"', "\\": "\\" };

function unescaped(written: string): string {
  const joined = written.replace(/\\[ \t]*\r?\n\s*/g, "");
  return joined.replace(/\\(?:u([\da-fA-F]{4})|U([\da-fA-F]{8})|(.))/g, (_, four?: string, eight?: string, one?: string) =>
    one !== undefined ? (ESCAPES[one] ?? one) : String.fromCodePoint(Number.parseInt(four ?? eight ?? "0", 16)),
  );
}

class Reader {
  at = 0;
  readonly #source: string;
  constructor(source: string) {
    this.#source = source;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#source);
    if (!found) return null;
    this.at = pattern.lastIndex;
    return found[0];
  }

  blanks(): void {
    this.#match(/(?:\s|#[^\n]*)*/y);
  }

  get isDone(): boolean {
    return this.at >= this.#source.length;
  }

  #key(): string | null {
    const quoted = this.#match(/"(?:[^"\\]|\\.)*"|'[^']*'/y);
    if (quoted) return quoted.startsWith('"') ? unescaped(quoted.slice(1, -1)) : quoted.slice(1, -1);
    return this.#match(/[\w-]+(?:\s*\.\s*[\w-]+)*/y);
  }

  value(): TomlValue | null {
    this.blanks();
    const long = this.#match(/"""(?:[^"\\]|\\[^]|"(?!""))*"{3,5}|'''(?:[^']|'(?!''))*'{3,5}/y);
    if (long) {
      const inner = long.slice(3, -3).replace(/^\r?\n/, "");
      return text(long.startsWith('"') ? unescaped(inner) : inner);
    }
    const quoted = this.#match(/"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/y);
    if (quoted) return text(quoted.startsWith('"') ? unescaped(quoted.slice(1, -1)) : quoted.slice(1, -1));
    if (this.#match(/\[/y)) return this.#list();
    if (this.#match(/\{/y)) return this.#table();
    const word = this.#match(/true\b|false\b/y);
    if (word) return bool(word === "true");
    const other = this.#match(/[+-]?[\w.:+-]+(?: \d\d:[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?/y);
    return other ? bare(other) : null;
  }

  #list(): TomlValue | null {
    const items: TomlValue[] = [];
    for (;;) {
      this.blanks();
      if (this.#match(/\]/y)) return list(items);
      const item = this.value();
      if (!item) return null;
      items.push(item);
      this.blanks();
      if (!this.#match(/,/y) && this.#source.charAt(this.at) !== "]") return null;
    }
  }

  #table(): TomlValue | null {
    const entries: [string, TomlValue][] = [];
    for (;;) {
      this.blanks();
      if (this.#match(/\}/y)) return { kind: "table", entries };
      const key = this.#key();
      if (!key || !this.#match(/\s*=/y)) return null;
      const value = this.value();
      if (!value) return null;
      entries.push([key, value]);
      this.blanks();
      if (!this.#match(/,/y) && this.#source.charAt(this.at) !== "}") return null;
    }
  }
}

/** The value that a text writes; null where it writes none, or more than one. */
export function readValue(written: string): TomlValue | null {
  const reader = new Reader(written);
  const value = reader.value();
  reader.blanks();
  return reader.isDone ? value : null;
}

const UNPRINTABLE = /[\u0000-\u0008\u000b-\u001f\u007f]/;

/** A text as it reads best: without escapes where single quotes allow it. */
function writeText(value: string): string {
  if (value.includes("\n") && !value.includes("'''") && !UNPRINTABLE.test(value)) return `'''\n${value}'''`;
  if (/["\\]/.test(value) && !/['\n]/.test(value) && !UNPRINTABLE.test(value)) return `'${value}'`;
  return JSON.stringify(value).replace(/\u007f/g, "\\u007f");
}

const writeKey = (key: string): string => (/^[\w-]+(\.[\w-]+)*$/.test(key) ? key : JSON.stringify(key));

export function writeValue(value: TomlValue): string {
  switch (value.kind) {
    case "text":
      return writeText(value.text);
    case "bare":
      return value.text;
    case "bool":
      return String(value.is);
    case "list":
      return `[${value.items.map(writeValue).join(", ")}]`;
    case "table":
      if (value.entries.length === 0) return "{}";
      return `{ ${value.entries.map(([key, one]) => `${writeKey(key)} = ${writeValue(one)}`).join(", ")} }`;
  }
}

/** A value as the text of a field. */
export function plainText(value: TomlValue | null | undefined): string {
  if (!value) return "";
  if (value.kind === "text" || value.kind === "bare") return value.text;
  return value.kind === "bool" ? String(value.is) : writeValue(value);
}
