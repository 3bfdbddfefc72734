// Small edits of a TOML text: one value, one key, one table at a time. Everything else of the text stays as it
// is, with its comments, its order and its alignment.

import { findTable, isSamePath, scanToml, tablesWithin, type TomlEntry, type TomlPath, type TomlTable } from "./toml-scan";
import { readValue, type TomlValue, writeValue } from "./toml-value";

const splice = (text: string, from: number, to: number, by: string): string => text.slice(0, from) + by + text.slice(to);
const lineBreak = (text: string): string => (text.includes("\r\n") ? "\r\n" : "\n");

/** The text up to an offset, with a line break behind it if it has none. */
function closedBefore(text: string, at: number): string {
  const before = text.slice(0, at);
  return before === "" || before.endsWith("\n") ? before : before + lineBreak(text);
}

function entryOf(text: string, table: TomlPath, key: string): TomlEntry | undefined {
  return findTable(scanToml(text), table)?.entries.find((one) => one.key === key);
}

/** The value of a key, also of one in a table of its own or in a table on one line: `["policies"]`, `hold`. */
export function getValue(text: string, table: TomlPath, key: string): TomlValue | null {
  const entry = entryOf(text, table, key);
  if (entry) return readValue(text.slice(entry.valueStart, entry.valueEnd));

  const [name, outer] = [table.at(-1), table.slice(0, -1)];
  if (typeof name !== "string") return null;
  const dotted = entryOf(text, outer, `${name}.${key}`);
  if (dotted) return readValue(text.slice(dotted.valueStart, dotted.valueEnd));
  const inline = entryOf(text, outer, name);
  const value = inline ? readValue(text.slice(inline.valueStart, inline.valueEnd)) : null;
  return value?.kind === "table" ? (value.entries.find(([one]) => one === key)?.[1] ?? null) : null;
}

/** The keys of a table as they are written; of a table on one line too. */
export function keysOf(text: string, table: TomlPath): string[] {
  const own = findTable(scanToml(text), table)?.entries.map((one) => one.key) ?? [];
  const [name, outer] = [table.at(-1), table.slice(0, -1)];
  if (typeof name !== "string") return own;
  const inline = getValue(text, outer, name);
  return [...own, ...(inline?.kind === "table" ? inline.entries.map(([key]) => key) : [])];
}

/** Replaces the value of a key, or writes the key behind the others of its table. */
export function setValue(text: string, table: TomlPath, key: string, value: TomlValue): string {
  const written = writeValue(value);
  const entry = entryOf(text, table, key);
  if (entry) return splice(text, entry.valueStart, entry.valueEnd, written);

  const found = findTable(scanToml(text), table);
  const [name, outer] = [table.at(-1), table.slice(0, -1)];
  if (typeof name === "string") {
    const dotted = entryOf(text, outer, `${name}.${key}`);
    if (dotted) return splice(text, dotted.valueStart, dotted.valueEnd, written);
    // A table without a header of its own is written on one line.
    if (!found) return setInline(text, outer, name, key, value);
  }
  return found ? insertKey(text, found, key, written) : text;
}

function setInline(text: string, outer: TomlPath, name: string, key: string, value: TomlValue | null): string {
  const inline = getValue(text, outer, name);
  const entries = inline?.kind === "table" ? inline.entries : [];
  const known = entries.some(([one]) => one === key);
  let changed = value === null ? entries.filter(([one]) => one !== key) : entries.map((one): [string, TomlValue] => (one[0] === key ? [key, value] : one));
  if (value !== null && !known) changed = [...changed, [key, value]];
  return changed.length === 0 ? removeKey(text, outer, name) : setValue(text, outer, name, { kind: "table", entries: changed });
}

function insertKey(text: string, table: TomlTable, key: string, written: string): string {
  const last = table.entries.at(-1);
  const at = last?.end ?? table.bodyStart;
  const indent = last?.indent ?? table.indent;
  const before = closedBefore(text, at);
  return `${before}${indent}${key} = ${written}${lineBreak(text)}${text.slice(at)}`;
}

/** Takes a key with its lines out. */
export function removeKey(text: string, table: TomlPath, key: string): string {
  const entry = entryOf(text, table, key);
  if (entry) return splice(text, entry.start, entry.end, "");

  const [name, outer] = [table.at(-1), table.slice(0, -1)];
  if (typeof name !== "string" || findTable(scanToml(text), table)) return text;
  const dotted = entryOf(text, outer, `${name}.${key}`);
  if (dotted) return splice(text, dotted.start, dotted.end, "");
  return getValue(text, table, key) === null ? text : setInline(text, outer, name, key, null);
}

/** How many tables of an array there are: `[]`, `direct`. */
export function countTables(text: string, parent: TomlPath, name: string): number {
  const depth = parent.length + 2;
  return scanToml(text).filter((one) => one.isArray && one.path.length === depth && isSamePath(one.path.slice(0, -1), [...parent, name])).length;
}

/** Adds `[[name]]` behind the last one of its parent, with these keys. */
export function addTable(text: string, parent: TomlPath, name: string, entries: [string, TomlValue][]): string {
  const tables = scanToml(text);
  const siblings = tables.filter((one) => one.isArray && isSamePath(one.path.slice(0, -1), [...parent, name]));
  const last = siblings.at(-1);
  const within = tablesWithin(tables, last?.path ?? parent);
  // A table of the text's top stands at its end, or behind those of its name.
  const behind = last || parent.length > 0 ? within.at(-1) : tables.at(-1);
  const at = behind?.end ?? text.length;

  const outer = findTable(tables, parent)?.indent ?? "";
  const indent = last?.indent ?? (parent.length > 0 ? `${outer}  ` : "");
  const names = [...parent, name].filter((part) => typeof part === "string").join(".");
  const ends = lineBreak(text);
  const lines = [`${indent}[[${names}]]`, ...entries.map(([key, value]) => `${indent}${key} = ${writeValue(value)}`)];

  const before = closedBefore(text, at);
  const gap = before === "" || (parent.length > 0 && !last) ? "" : ends;
  return `${before}${gap}${lines.join(ends)}${ends}${text.slice(at)}`;
}

/** Takes a table out, with those inside it and the comment that stands directly above it. */
export function removeTable(text: string, path: TomlPath): string {
  const tables = scanToml(text);
  const within = tablesWithin(tables, path);
  const [first, last] = [within[0], within.at(-1)];
  if (!first || !last || path.length === 0) return text;

  const above = text.slice(0, first.start).split("\n");
  let lines = above.length - 1;
  while (lines > 0 && above[lines - 1]?.trimStart().startsWith("#")) lines -= 1;
  // At the top of a text a comment is about the whole file.
  if (lines === 0) lines = above.length - 1;
  while (lines > 0 && above[lines - 1]?.trim() === "") lines -= 1;
  const kept = above.slice(0, lines).join("\n");
  const before = lines === 0 ? "" : `${kept}\n`;
  return before + (before === "" ? text.slice(last.end).replace(/^\s*\n/, "") : text.slice(last.end));
}
