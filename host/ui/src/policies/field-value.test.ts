import { expect, test } from "vitest";
import { rowsOf, shownValue, withCell, withoutRow, writtenValue } from "./field-value";
import type { Control } from "./plan-schema";
import { readValue, writeValue } from "./toml-value";

test.each<[Control, string, string | null, string | null]>([
  ["text", "Sellers", null, '"Sellers"'],
  ["text", " ", '"Sellers"', null],
  ["yesno", "false", null, "false"],
  ["yesno-or-text", "policy:a", "true", '"policy:a"'],
  ["yesno-or-text", "true", null, "true"],
  ["date", "2026-01-01", null, "2026-01-01"],
  ["lines", "title:AE\n\ntitle:SE", null, '["title:AE", "title:SE"]'],
  ["text-or-lines", "owner", null, '"owner"'],
  ["text-or-lines", "team\nowner", '"owner"', '["team", "owner"]'],
  ["text-or-lines", "owner", '["team", "owner"]', '["owner"]'],
  ["code", "5000", "4000", "5000"],
  ["code", "5000", '"4000"', '"5000"'],
  ["code", 'tx["a"]', null, `'tx["a"]'`],
])("%s %j over %s", (control, shown, before, written) => {
  const value = writtenValue(control, shown, before === null ? null : readValue(before));
  expect(value === null ? null : writeValue(value)).toBe(written);
});

test("lists are shown line by line", () => {
  expect(shownValue(readValue('["a", "b"]'))).toBe("a\nb");
});

test("rows are read and changed cell by cell", () => {
  const keys = ["rate", "up_to"];
  const tiers = readValue('[{ up_to = "100%", rate = "10%" }, { rate = "20%" }]');
  expect(rowsOf(tiers, keys)).toEqual([{ rate: "10%", up_to: "100%" }, { rate: "20%", up_to: "" }]);
  expect(writeValue(withCell(tiers, keys, 1, "up_to", "150%"))).toBe('[{ up_to = "100%", rate = "10%" }, { rate = "20%", up_to = "150%" }]');
  expect(writeValue(withCell(tiers, keys, 2, "rate", "30%"))).toBe('[{ up_to = "100%", rate = "10%" }, { rate = "20%" }, { rate = "30%" }]');
  expect(writeValue(withCell(readValue('[{ if = "a", is = "=", value = 3 }]'), ["if", "is", "value"], 0, "value", "4"))).toBe('[{ if = "a", is = "=", value = 4 }]');
  const less = withoutRow(tiers, 0);
  expect(less && writeValue(less)).toBe('[{ rate = "20%" }]');
  expect(withoutRow(less, 0)).toBeNull();
  expect(rowsOf(readValue('"table:rates"'), keys)).toBeNull();
});
