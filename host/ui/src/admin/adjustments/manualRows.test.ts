import { expect, it } from "vitest";
import type { Schemas } from "../../lib/api";
import { manualRows } from "./manualRows";

const act = (parts: object) => ({ reason_code: "error", comment: null, who: "max", date: "2026-01-10", reverses: null, approved: null, ...parts });
const credit = (id: string, parts: object) =>
  act({ credit: { id, payee: "ann", plan: "ae", period: "2026-01", amount: "80.00", unit_type: "USD", credit_type: "booking" }, requested_period: null, ...parts }) as unknown as Schemas["ManualCreditAct"];
const reward = (id: string, parts: object) =>
  act({ reward: { id, payee: "bob", plan: "ae", period: "2026-01", amount: "5.00", unit_type: "USD", reward: "Bonus" }, ...parts }) as unknown as Schemas["ManualReward"];

it("is one list, newest first, and knows what was taken back", () => {
  const rows = manualRows([credit("c1", {}), credit("c2", { reverses: "c1", date: "2026-01-12" })], [reward("r1", { date: "2026-01-11", approved: { who: "ida" } })]);
  expect(rows.map((row) => [row.kind, row.id, row.isReversed, row.reverses, row.approvedBy])).toEqual([
    ["credit", "c2", false, "c1", null],
    ["reward", "r1", false, null, "ida"],
    ["credit", "c1", true, null, null],
  ]);
});

it("a credit that no plan counts has no id", () => {
  expect(manualRows([credit("x", { credit: null, requested_period: "2026-03" })], [])[0]).toMatchObject({ id: null, period: "2026-03", amount: "0" });
});
