import { expect, test } from "vitest";
import { type KeyField, PLAN_FIELDS, SECTION_WORDS, SECTIONS } from "./plan-schema";

const field = (path: string): KeyField | undefined => path.split(".").reduce<KeyField | undefined>((one, key) => (one ? one.keys : PLAN_FIELDS).find((inner) => inner.key === key), undefined);

test.each([
  ["name", "text"],
  ["period", "choice"],
  ["from", "date"],
  ["targets", "lines"],
  ["filter", "code"],
  ["prorate", "yesno"],
  ["policies", "group"],
  ["direct", "tables"],
  ["direct.assign", "text-or-lines"],
  ["direct.condition", "rows"],
  ["direct.results", "tables"],
  ["direct.results.duplicates", "yesno-or-text"],
  ["direct.results.rollable", "yesno"],
  ["reward.tiers", "rows"],
  ["reward.to", "text"],
  ["reward.credit_type", "text-or-lines"],
])("%s is written with %s", (path, control) => {
  expect(field(path)?.control).toBe(control);
});

test("every key has a description, and every section its words", () => {
  const without = (fields: KeyField[], path: string): string[] => fields.flatMap((one) => [...(one.about ? [] : [path + one.key]), ...without(one.keys, `${path}${one.key}.`)]);
  expect(without(PLAN_FIELDS, "")).toEqual([]);
  expect(SECTIONS.map((one) => one.key)).toEqual(["direct", "indirect", "reward", "draw"]);
  for (const one of PLAN_FIELDS.filter((one) => one.control === "tables")) expect(SECTION_WORDS[one.key], one.key).toBeDefined();
});
