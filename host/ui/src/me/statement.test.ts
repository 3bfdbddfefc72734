import { expect, test } from "vitest";
import { printedStatement, rewardOrigin, rewardStory, type Statement, type StatementCredit } from "./statement";

const credit = (transaction: string, amount: string, more: Partial<StatementCredit> = {}): StatementCredit =>
  ({ transaction, amount, unit_type: "USD", credit_type: "booking", status: "active", incentive_date: "2026-01-10", ...more }) as StatementCredit;
const reward = (amount: string, origin: string) => ({ amount, origin, unit_type: "USD" }) as Statement["rewards"][number];
const statement = (more: Partial<Statement>): Statement =>
  ({ plan: "sellers", period: "2026-01", credits: [], team_credits: [], rewards: [], totals: [], ...more }) as Statement;
const total = (credit_type: string, amount: string) => ({ credit_type, unit_type: "USD", amount });

test("credits that count are grouped and added; the others are apart", () => {
  const printed = printedStatement(statement({
    credits: [
      credit("D-10", "0.10"), credit("D-9", "0.20"), credit("D-1", "7.00", { credit_type: "setup" }),
      credit("D-2", "900.00", { status: "held" }), credit("D-3", "1.00", { incentive_date: "2026-01-02" }),
    ],
    totals: [total("booking", "1.30"), total("setup", "7")],
  }));
  expect(printed.groups.map((group) => [group.creditType, group.sum, group.credits.map((one) => one.transaction)])).toEqual([
    ["booking", "1.30", ["D-3", "D-9", "D-10"]], ["setup", "7.00", ["D-1"]],
  ]);
  expect(printed.others.map((one) => one.transaction)).toEqual(["D-2"]);
  expect(printed.agrees).toBe(true);
});

test.each([
  [[total("booking", "0.31")]],
  [[]],
  [[total("booking", "0.30"), total("setup", "1")]],
])("a sum that is not the server's is seen (%#)", (totals) => {
  const printed = printedStatement(statement({ credits: [credit("D-1", "0.10"), credit("D-2", "0.20")], totals }));
  expect(printed.agrees).toBe(false);
});

test("what is earned and what a draw adds come to what is paid", () => {
  const printed = printedStatement(statement({ rewards: [reward("300.00", "calculated"), reward("1200.00", "draw"), reward("-5.50", "retro")] }));
  expect([printed.earned, printed.advances, printed.paid].map((sums) => sums[0]?.amount)).toEqual(["294.50", "1200.00", "1494.50"]);
});

test.each([
  ["draw", "1200.00", "Draw", "fills up"], ["draw", "-1100.00", "Draw", "is recovered"],
  ["carried", "500", "Carried from or to another period", "to later periods"], ["carried", "-500", "Carried from or to another period", "is recovered"],
  ["retro", "1", "Correction", "difference"], ["manual", "1", "Added by hand", "A person"], ["calculated", "1", "Calculated", "rules"],
])("a %s of %s", (origin, amount, word, part) => {
  expect(rewardOrigin(origin)).toBe(word);
  expect(rewardStory({ origin: origin as "draw", amount })).toContain(part);
});
