// Between what a field of the form shows and what the text of the plan has.

import type { Control } from "./plan-schema";
import { bare, bool, list, plainText, text, type TomlValue } from "./toml-value";

/** The text of a field. */
export function shownValue(value: TomlValue | null): string {
  if (value?.kind === "list") return value.items.map(plainText).join("\n");
  return plainText(value);
}

/** The value that a field's text means; null where it is blank, which takes the key out. */
export function writtenValue(control: Control, shown: string, before: TomlValue | null): TomlValue | null {
  const trimmed = shown.trim();
  if (trimmed === "") return null;
  const lines = shown.split("\n").map((line) => line.trim()).filter(Boolean);
  switch (control) {
    case "yesno":
      return bool(trimmed === "true");
    case "yesno-or-text":
      return trimmed === "true" || trimmed === "false" ? bool(trimmed === "true") : text(trimmed);
    case "date":
      return bare(trimmed);
    case "lines":
      return list(lines.map(text));
    case "text-or-lines":
      return lines.length === 1 && before?.kind !== "list" ? text(lines[0] ?? "") : list(lines.map(text));
    case "code":
      // A number without quotes stays one.
      return before?.kind === "bare" && /^-?\d+$/.test(trimmed) ? bare(trimmed) : text(trimmed);
    default:
      return before?.kind === "bare" && /^\d{4}-\d{2}-\d{2}$/.test(trimmed) ? bare(trimmed) : text(trimmed);
  }
}

/** The cells of rows such as `[{ up_to = "100%", rate = "10%" }]`; null where the value is none. */
export function rowsOf(value: TomlValue | null, keys: string[]): Record<string, string>[] | null {
  if (value?.kind !== "list" || !value.items.every((item) => item.kind === "table")) return null;
  return value.items.map((item) => {
    const entries = item.kind === "table" ? item.entries : [];
    return Object.fromEntries(keys.map((key) => [key, plainText(entries.find(([one]) => one === key)?.[1])]));
  });
}

/** Rows with one cell changed; what a cell was written as stays, such as a number without quotes. */
export function withCell(value: TomlValue | null, keys: string[], row: number, key: string, shown: string): TomlValue {
  const items = value?.kind === "list" ? [...value.items] : [];
  const item = items[row];
  const entries = item?.kind === "table" ? item.entries : [];
  const before = entries.find(([one]) => one === key)?.[1];
  const written: TomlValue = before?.kind === "bool" || (before?.kind === "bare" && /^[-+]?[\d.:T-]+$/.test(shown)) ? (before.kind === "bool" ? bool(shown === "true") : bare(shown)) : text(shown);
  const others = entries.filter(([one]) => one !== key);
  const changed: [string, TomlValue][] = shown === "" ? others : [...others, [key, written]];
  items[row] = { kind: "table", entries: changed.toSorted(([left], [right]) => keys.indexOf(left) - keys.indexOf(right)) };
  return list(items);
}

export function withoutRow(value: TomlValue | null, row: number): TomlValue | null {
  const items = value?.kind === "list" ? value.items.filter((_, at) => at !== row) : [];
  return items.length === 0 ? null : list(items);
}
