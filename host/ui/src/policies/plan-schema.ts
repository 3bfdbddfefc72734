// The keys of a plan, as fields of a form: read from the schema that editors use, so that no key is missing here.

import schema from "../../../../scripts/schema/plan.json";

/** What a value is written with. */
export type Control =
  /** A text on one line. */
  | "text"
  /** An expression, or an amount. */
  | "code"
  | "choice"
  | "yesno"
  /** `true`, `false`, or a text. */
  | "yesno-or-text"
  | "date"
  /** Texts, one a line. */
  | "lines"
  /** One text, or several. */
  | "text-or-lines"
  /** Tables on one line, or a text. */
  | "rows"
  /** A table with keys of its own. */
  | "group"
  /** Tables with headers: `[[direct]]`. */
  | "tables";

export type KeyField = {
  key: string;
  label: string;
  about: string;
  control: Control;
  isRequired: boolean;
  options: string[];
  /** Keys of a group, of rows or of tables. */
  keys: KeyField[];
};

type Schema = {
  type?: string | string[];
  description?: string;
  enum?: string[];
  format?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  required?: string[];
};

const isType = (one: Schema | undefined, type: string): boolean => one?.type === type;

function controlOf(key: string, one: Schema): { control: Control; options: string[]; of?: Schema } {
  const parts = one.anyOf ?? [];
  const rows = parts.find((part) => isType(part, "array") && isType(part.items, "object"));
  if (rows) return { control: "rows", options: [], of: rows.items };
  if (parts.some((part) => isType(part, "array"))) return { control: "text-or-lines", options: [] };
  if (parts.some((part) => isType(part, "boolean")) && parts.length === 2) return { control: "yesno-or-text", options: [] };
  const options = one.enum ?? parts.find((part) => part.enum)?.enum ?? [];
  if (parts.length > 0) return { control: "text", options };
  if (options.length > 0) return { control: "choice", options };
  if (Array.isArray(one.type)) return { control: "code", options: [] };
  if (isType(one, "boolean")) return { control: "yesno", options: [] };
  if (isType(one, "object")) return { control: "group", options: [], of: one };
  if (isType(one, "array")) return isType(one.items, "object") ? { control: "tables", options: [], of: one.items } : { control: "lines", options: one.items?.enum ?? [] };
  return { control: one.format === "date" ? "date" : key === "assign" || key === "hold" ? "code" : "text", options: [] };
}

/** `hold_across_years` as people write it. */
const labelOf = (key: string): string => key.charAt(0).toUpperCase() + key.slice(1).replaceAll("_", " ");

function fieldsOf(one: Schema): KeyField[] {
  const required = one.required ?? [];
  return Object.entries(one.properties ?? {}).map(([key, value]) => {
    const { control, options, of } = controlOf(key, value);
    const about = value.description ?? "";
    return { key, label: labelOf(key), about: about.charAt(0).toUpperCase() + about.slice(1), control, isRequired: required.includes(key), options, keys: of ? fieldsOf(of) : [] };
  });
}

/** The order in which people think of a plan; the others follow in the order of the alphabet. */
const FIRST = ["name", "description", "targets", "from", "to", "period", "measure", "filter", "split", "policies", "relationship", "receivers", "assign", "condition", "credit_type", "tiers", "value", "unit_type"];
const rank = (key: string): number => (FIRST.includes(key) ? FIRST.indexOf(key) : FIRST.length);
const ordered = (fields: KeyField[]): KeyField[] =>
  fields.map((one) => ({ ...one, keys: one.control === "rows" ? one.keys : ordered(one.keys) })).toSorted((left, right) => rank(left.key) - rank(right.key) || left.key.localeCompare(right.key));

export const PLAN_FIELDS: KeyField[] = ordered(fieldsOf(schema as Schema));
/** What is written as a section with a header, in the order of a plan. */
export const SECTIONS: KeyField[] = ["direct", "indirect", "reward", "draw"].flatMap((key) => PLAN_FIELDS.filter((one) => one.key === key));

export const SECTION_WORDS: Record<string, { one: string; many: string; about: string }> = {
  direct: { one: "direct rule", many: "Direct rules", about: "Who is credited with a deal, and with what." },
  indirect: { one: "indirect rule", many: "Indirect rules", about: "Who else gets a credit, along a relationship such as Reporting." },
  reward: { one: "reward", many: "Rewards", about: "What is paid for the credits of a period." },
  draw: { one: "draw", many: "Draws and guarantees", about: "What is paid in advance, and whether it is recovered." },
  results: { one: "result", many: "Results", about: "The credits that the rule makes." },
};
