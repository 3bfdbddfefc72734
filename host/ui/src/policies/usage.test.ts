import { expect, test } from "vitest";
import { findUses, policyOfPath } from "./usage";

const PLAN = `name = "large"
filter = "policy:standard/clawback"
policies = { hold = "large", value = 'half(0.5)' }

[[direct]]
name = "Deal"
assign = ["policy:desk", "owner"]
  [[direct.results]]
  name = "large"
  value = "policy:half(PART = 0.25)"
  hold = "policy:large"

[[indirect]]
name = "Managers"
  [[indirect.results]]
  value = "policy:half"

[[reward]]
name = "half"
value = "policy:half"
`;

test.each([
  ["hold", "large", [3, 11]],
  ["value", "half", [3, 10]],
  ["rollup", "half", [16]],
  ["reward", "half", [20]],
  ["filter", "standard/clawback", [2]],
  ["crediting", "desk", [7]],
  ["crediting", "large", []],
  ["hold", "arge", []],
])("%s %s", (kind, name, lines) => {
  expect(findUses("plans/p.toml", PLAN, kind, name).map((use) => use.line)).toEqual(lines);
});

test("a table of its own", () => {
  expect(findUses("p", '[policies]\nhold = "large(3)"\n', "hold", "large")).toEqual([{ path: "p", line: 2, text: 'hold = "large(3)"', constants: true }]);
});

test.each([
  ["policies/hold/large.rhai", { kind: "hold", name: "large" }],
  ["policies/shared/parts.rhai", null],
  ["plans/ae.toml", null],
])("%s", (path, expected) => {
  expect(policyOfPath(path)).toEqual(expected);
});
