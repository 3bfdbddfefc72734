// The few lists of `accredit.toml` that forms offer: reason codes, credit types, units, tables, sources.
// Not a reader of TOML: a list that is written in another way is simply not offered, and the server checks.

/** The texts of a list such as `reason_codes = ["Advance", "Manual Bonus"]`, also over several lines. */
export function settingsList(toml: string, key: string): string[] {
  const found = new RegExp(`^[ \\t]*${key}[ \\t]*=[ \\t]*\\[`, "m").exec(toml);
  if (!found) return [];
  const values: string[] = [];
  let rest = toml.slice(found.index + found[0].length);
  for (;;) {
    const token = /^(?:[\s,]+|#[^\n]*)*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|\{[^}]*?name[ \t]*=[ \t]*"([^"]*)"[^}]*\}|\])/.exec(rest);
    if (!token || token[0].endsWith("]")) return values;
    values.push(token[1]?.replaceAll(/\\(.)/g, "$1") ?? token[2] ?? token[3] ?? "");
    rest = rest.slice(token[0].length);
  }
}

/** The names of sections such as `[sources.crm]`. */
export function settingsSections(toml: string, group: string): string[] {
  const names = [...toml.matchAll(new RegExp(`^[ \\t]*\\[${group}\\.(?:"([^"]+)"|([\\w-]+))\\]`, "gm"))];
  return [...new Set(names.map((found) => found[1] ?? found[2] ?? ""))];
}

/** A text of a section, such as `connector` of `[sources.crm]`. */
export function settingsText(toml: string, section: string, key: string): string | null {
  const head = toml.split(/^(?=[ \t]*\[)/m).find((part) => part.trimStart().startsWith(`[${section}]`));
  return new RegExp(`^[ \\t]*${key}[ \\t]*=[ \\t]*"([^"]*)"`, "m").exec(head ?? "")?.[1] ?? null;
}
