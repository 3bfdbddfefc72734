import { describe, expect, it } from "vitest";
import { groupBy, sumBy, totals } from "./sums";

const rows = [
  { payee: "ann", amount: "0.10", unit_type: "USD" },
  { payee: "bob", amount: "5", unit_type: "USD" },
  { payee: "ann", amount: "0.20", unit_type: "USD" },
  { payee: "ann", amount: "7", unit_type: "points" },
];

describe("sums", () => {
  it("keeps units apart and adds exactly", () => {
    expect(sumBy(rows, (row) => row.payee, (row) => ({ amount: row.amount, unit: row.unit_type }))).toEqual([
      { name: "ann", unit: "points", amount: "7", count: 1 },
      { name: "bob", unit: "USD", amount: "5", count: 1 },
      { name: "ann", unit: "USD", amount: "0.30", count: 2 },
    ]);
  });

  it("has a total for each unit", () => {
    expect(totals(rows).map((sum) => [sum.unit, sum.amount, sum.count])).toEqual([["points", "7", 1], ["USD", "5.30", 3]]);
    expect(totals([])).toEqual([]);
  });

  it("groups in order of first sight", () => {
    expect([...groupBy(rows, (row) => row.payee)].map(([name, group]) => [name, group.length])).toEqual([["ann", 3], ["bob", 1]]);
  });
});
