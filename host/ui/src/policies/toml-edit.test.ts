import { expect, test } from "vitest";
import { addTable, countTables, getValue, keysOf, removeKey, removeTable, setValue } from "./toml-edit";
import { scanToml, type TomlPath } from "./toml-scan";
import { bare, bool, list, plainText, readValue, text, type TomlValue, writeValue } from "./toml-value";

const PLAN = `#:schema plan.json
name = "Executives"                       # for people
targets = [
  "title:AE",   # sellers
  "title:#1",
]
policies = { hold = "large", value = "half" }

# What they sell.
[[direct]]
name = "ACV"
condition = 'tx.has("TCV") # no comment'
  [[direct.results]]
  name = "ACV credit"
  rollable = true

[[direct]]
name = "SPIFF"

# The tiers.
[[reward]]
name = "Commission"
tiers = [{ up_to = "100%", rate = "10%" }, { rate = "20%" }]
`;

test("every table has its path, and every value its place", () => {
  const tables = scanToml(PLAN);
  expect(tables.map((one) => one.path)).toEqual([[], ["direct", 0], ["direct", 0, "results", 0], ["direct", 1], ["reward", 0]]);
  const values = tables[0]?.entries.map((one) => PLAN.slice(one.valueStart, one.valueEnd));
  expect(values).toEqual(['"Executives"', '[\n  "title:AE",   # sellers\n  "title:#1",\n]', '{ hold = "large", value = "half" }']);
});

test.each<[TomlPath, string, string]>([
  [[], "name", "Executives"],
  [["policies"], "value", "half"],
  [["direct", 0], "condition", 'tx.has("TCV") # no comment'],
  [["direct", 0, "results", 0], "rollable", "true"],
  [["direct", 1], "name", "SPIFF"],
  [["direct", 2], "name", ""],
  [[], "split", ""],
])("the value of %j %s", (table, key, expected) => {
  expect(plainText(getValue(PLAN, table, key))).toBe(expected);
});

/** The lines that an edit changes: those that went with `-`, those that came with `+`, in order. */
function changes(before: string, after: string): string[] {
  const [left, right] = [before.split("\n"), after.split("\n")];
  let start = 0;
  while (start < left.length && left[start] === right[start]) start += 1;
  let end = 0;
  while (end < left.length - start && end < right.length - start && left.at(-1 - end) === right.at(-1 - end)) end += 1;
  return [...left.slice(start, left.length - end).map((line) => `-${line}`), ...right.slice(start, right.length - end).map((line) => `+${line}`)];
}

const edits: [name: string, edit: (plan: string) => string, expected: string[]][] = [
  ["a value keeps its comment", (plan) => setValue(plan, [], "name", text("AEs")), ['-name = "Executives"                       # for people', '+name = "AEs"                       # for people']],
  ["a value over lines", (plan) => setValue(plan, [], "targets", list([text("*")])), ["-targets = [", '-  "title:AE",   # sellers', '-  "title:#1",', "-]", '+targets = ["*"]']],
  ["a new key stands behind the others", (plan) => setValue(plan, [], "split", text("equal")), ['+split = "equal"']],
  ["a new key of an inner table has its indent", (plan) => setValue(plan, ["direct", 0, "results", 0], "hold", text("none")), ['+  hold = "none"']],
  ["a key of a table on one line", (plan) => setValue(plan, ["policies"], "hold", text("small")), ['-policies = { hold = "large", value = "half" }', '+policies = { hold = "small", value = "half" }']],
  ["a new key of a table on one line", (plan) => setValue(plan, ["policies"], "filter", text("won")), ['-policies = { hold = "large", value = "half" }', '+policies = { hold = "large", value = "half", filter = "won" }']],
  ["a key goes", (plan) => removeKey(plan, ["direct", 0], "condition"), ["-condition = 'tx.has(\"TCV\") # no comment'"]],
  ["a key of a table on one line goes", (plan) => removeKey(plan, ["policies"], "hold"), ['-policies = { hold = "large", value = "half" }', '+policies = { value = "half" }']],
  ["the last key of a table on one line takes the table with it", (plan) => removeKey(removeKey(plan, ["policies"], "hold"), ["policies"], "value"), ['-policies = { hold = "large", value = "half" }']],
  ["a key that is not there", (plan) => removeKey(plan, [], "split"), []],
  ["a further rule stands behind the rules", (plan) => addTable(plan, [], "direct", [["name", text("Renewal")]]), ["+[[direct]]", '+name = "Renewal"', "+"]],
  ["a first table of its name stands at the end", (plan) => addTable(plan, [], "draw", [["name", text("Draw")], ["recoverable", bool(true)]]), ["+[[draw]]", '+name = "Draw"', "+recoverable = true", "+"]],
  ["a first result of a rule", (plan) => addTable(plan, ["direct", 1], "results", [["name", text("Credit")]]), ["+  [[direct.results]]", '+  name = "Credit"']],
  ["a rule goes with its results and its comment", (plan) => removeTable(plan, ["direct", 0]), ["-# What they sell.", "-[[direct]]", '-name = "ACV"', "-condition = 'tx.has(\"TCV\") # no comment'", "-  [[direct.results]]", '-  name = "ACV credit"', "-  rollable = true", "-"]],
  ["the last table goes", (plan) => removeTable(plan, ["reward", 0]), ["-# The tiers.", "-[[reward]]", '-name = "Commission"', '-tiers = [{ up_to = "100%", rate = "10%" }, { rate = "20%" }]', "-"]],
];

test.each(edits)("%s", (_, edit, expected) => {
  expect(changes(PLAN, edit(PLAN))).toEqual(expected);
});

test("a table with a header of its own, and dotted keys", () => {
  const settings = "[policies]\nhold = \"a\"\n";
  expect(setValue(settings, ["policies"], "value", text("b"))).toBe('[policies]\nhold = "a"\nvalue = "b"\n');
  const dotted = 'policies.hold = "a"\n';
  expect(plainText(getValue(dotted, ["policies"], "hold"))).toBe("a");
  expect(setValue(dotted, ["policies"], "hold", text("b"))).toBe('policies.hold = "b"\n');
});

test("a text without a last line break, an empty one, and one from Windows", () => {
  expect(setValue('name = "A"', [], "split", text("full"))).toBe('name = "A"\nsplit = "full"\n');
  expect(setValue("", [], "name", text("A"))).toBe('name = "A"\n');
  expect(addTable("", [], "direct", [["name", text("A")]])).toBe('[[direct]]\nname = "A"\n');
  expect(setValue('name = "A"\r\n', [], "split", text("full"))).toBe('name = "A"\r\nsplit = "full"\r\n');
  expect(setValue('name = "A"\r\nb = 1\r\n', [], "name", text("B"))).toBe('name = "B"\r\nb = 1\r\n');
});

test("tables are counted and keys are listed", () => {
  expect([countTables(PLAN, [], "direct"), countTables(PLAN, ["direct", 0], "results"), countTables(PLAN, [], "draw")]).toEqual([2, 1, 0]);
  expect(keysOf(PLAN, ["policies"])).toEqual(["hold", "value"]);
  expect(keysOf(PLAN, ["direct", 0, "results", 0])).toEqual(["name", "rollable"]);
});

test("an unfinished line hides no other key", () => {
  const typed = 'name = "A\nsplit = "full"\n[[direct\nname = "x"\n[[reward]]\nname = "y"\n';
  expect(plainText(getValue(typed, [], "split"))).toBe("full");
  expect(plainText(getValue(typed, ["reward", 0], "name"))).toBe("y");
});

const values: [written: string, value: TomlValue][] = [
  ['"a"', text("a")],
  [`'tx["a"] == "b"'`, text('tx["a"] == "b"')],
  [`"it's \\"b\\""`, text(`it's "b"`)],
  ["'''\na\nb\n'''", text("a\nb\n")],
  ["2026-01-01", bare("2026-01-01")],
  ["1000000000000000000.10", bare("1000000000000000000.10")],
  ["true", bool(true)],
  ['["a", "b"]', list([text("a"), text("b")])],
  ["[]", list([])],
  ['[{ up_to = "100%", rate = "10%" }]', list([{ kind: "table", entries: [["up_to", text("100%")], ["rate", text("10%")]] }])],
  ["{}", { kind: "table", entries: [] }],
];
test.each(values)("%s is read, and written as it was", (written, value) => {
  expect(readValue(written)).toEqual(value);
  expect(writeValue(value)).toBe(written);
});

test.each(["", "[1", '"a', "1 2", "{ a = }"])("%j is no value", (written) => {
  expect(readValue(written)).toBeNull();
});
