import { expect, test } from "vitest";
import { byPeriod, isNothing, periodTotals, sumsByUnit, unitsOf, type OwnCredit, type OwnReward } from "./totals";

const credit = (amount: string, more: Partial<OwnCredit> = {}): OwnCredit =>
  ({ amount, unit_type: "USD", status: "active", confirmed: true, release_date: null, ...more }) as OwnCredit;
const reward = (amount: string, more: Partial<OwnReward> = {}): OwnReward =>
  ({ amount, unit_type: "USD", origin: "calculated", confirmed: true, ...more }) as OwnReward;
const usd = (amount: string) => [{ unit: "USD", amount }];

test("sums are exact and by unit", () => {
  const rows = [["USD", "0.10"], ["USD", "0.20"], ["EUR", "5"], ["USD", "-0.3000"], ["USD", "90071992547409.93"]] as const;
  expect(sumsByUnit(rows.map(([unit, amount]) => ({ unit, amount })))).toEqual([
    { unit: "EUR", amount: "5" },
    { unit: "USD", amount: "90071992547409.9300" },
  ]);
});

test("only active credits are credited; what is held is beside them", () => {
  const credits = [
    credit("100.00"),
    credit("40.00", { confirmed: false }),
    credit("7.00", { status: "held", release_date: "2026-04-01" }),
    credit("8.00", { status: "held", release_date: "2026-03-15" }),
    credit("9.00", { status: "held" }),
    credit("50.00", { status: "suppressed" }),
    credit("60.00", { status: "void" }),
  ];
  expect(periodTotals(credits, [])).toEqual({
    credited: usd("140.00"), confirmed: usd("100.00"), pending: usd("40.00"), held: usd("24.00"),
    heldCount: 3, heldUntil: "2026-03-15", heldWithoutDate: 1, earned: [], paid: [], isPaidCertain: false,
  });
});

test.each([
  // Earned 4,000; 1,000 of a draw is recovered.
  [[reward("4000"), reward("-1000", { origin: "draw" })], "4000", "3000", true],
  [[reward("-500"), reward("500", { origin: "carried" })], "-500", "0", true],
  [[reward("800"), reward("50", { origin: "manual" }), reward("-10", { origin: "retro" })], "840", "840", true],
  [[reward("800"), reward("1", { confirmed: false })], "801", "801", false],
])("draws and carried amounts are paid and not earned (%#)", (rewards, earned, paid, certain) => {
  const totals = periodTotals([], rewards);
  expect([totals.earned, totals.paid, totals.isPaidCertain]).toEqual([usd(earned), usd(paid), certain]);
});

test("a chart has a column for each period", () => {
  const rows = [
    { period: "2026-01", amount: "1.50", unit_type: "USD" },
    { period: "2026-01", amount: "1.50", unit_type: "USD" },
    { period: "2026-02", amount: "9", unit_type: "EUR" },
  ];
  expect(byPeriod(rows, ["2026-01", "2026-02"], "USD")).toEqual(["3.00", "0"]);
  expect(unitsOf(rows)).toEqual(["USD", "EUR"]);
  expect([isNothing([]), isNothing(usd("0.00")), isNothing(usd("-1"))]).toEqual([true, true, false]);
});
