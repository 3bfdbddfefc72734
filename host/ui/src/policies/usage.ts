// Where a policy is used: found in the text of plans and of the settings, with the line.

import { kindOf } from "../lib/policy-kinds";
import { scanToml, type TomlTable } from "./toml-scan";

export type Use = { path: string; line: number; text: string; constants: boolean };

/** What a key means for a kind: a rule's `value` takes a value policy, an indirect rule's a rollup policy. */
function kindsOf(key: string, table: TomlTable): string[] {
  const names = table.path.filter((part) => typeof part === "string");
  const last = key.split(".").at(-1) ?? "";
  if (names.at(-1) === "policies" || key.startsWith("policies.")) return [last];
  switch (last) {
    case "policies":
      return ["*"];
    case "assign":
      return ["crediting"];
    case "duplicates":
      return ["duplication"];
    case "value":
      return names[0] === "indirect" ? ["rollup"] : names[0] === "reward" ? ["reward"] : ["value"];
    default:
      return [last];
  }
}

const escaped = (name: string): string => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The lines of a text that name the policy of this kind. */
export function findUses(path: string, text: string, kind: string, name: string): Use[] {
  const uses: Use[] = [];
  const named = new RegExp(`(?:policy:|["'])${escaped(name)}\\s*(\\([^"']*)?(?:["')]|$)`);
  const inTable = new RegExp(`\\b${escaped(kind)}\\s*=\\s*["']${escaped(name)}\\s*(\\(|["'])`);
  for (const table of scanToml(text)) {
    for (const entry of table.entries) {
      const value = text.slice(entry.valueStart, entry.valueEnd);
      const kinds = kindsOf(entry.key, table);
      const isPolicies = kinds[0] === "*";
      // Elsewhere a policy is always written with `policy:`.
      const inPolicies = table.path.includes("policies") || entry.key.startsWith("policies.");
      const found = isPolicies ? inTable.exec(value) : kinds.includes(kind) && (inPolicies || value.includes("policy:") || kind === "intake") ? named.exec(value) : null;
      if (!found) continue;
      const line = text.slice(0, entry.valueStart).split("\n").length;
      uses.push({ path, line, text: text.slice(entry.start, entry.end).trim().split("\n")[0] ?? "", constants: found[0].includes("(") });
    }
  }
  return uses;
}

/** `policies/hold/large.rhai` has the kind hold and the name large. */
export function policyOfPath(path: string): { kind: string; name: string } | null {
  const parts = /^policies\/([^/]+)\/(.+)\.rhai$/.exec(path);
  return parts?.[1] && parts[2] && kindOf(parts[1]) ? { kind: parts[1], name: parts[2] } : null;
}

export const pathOfPolicy = (kind: string, name: string): string => `policies/${kind}/${name}.rhai`;
export const casesOf = (path: string): string => path.replace(/\.(rhai|toml)$/, ".cases.md");
/** The address of the screen of a file. */
export const fileHref = (path: string, line?: number): string => `/policies/files/${path.split("/").map(encodeURIComponent).join("/")}${line ? `?line=${line}` : ""}`;
export const policyHref = (kind: string, name: string): string => `/policies/policy/${kind}/${name.split("/").map(encodeURIComponent).join("/")}`;
export const planHref = (name: string): string => `/policies/plans/${encodeURIComponent(name)}`;
