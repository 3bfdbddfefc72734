import { expect, test } from "vitest";
import type { RewardChange, WhatIfAnswer } from "./bodies";
import { dealOf, headline, queryOf, requestOf, tierMove } from "./what-if";

const answer = (total: [string, string][], credits = 1): WhatIfAnswer => ({ what_if: true,
  date: "2026-03-01", rewards: [], reasons: [], total: total.map(([unit_type, difference]) => ({ unit_type, difference })),
  credits: Array.from({ length: credits }, () => ({}) as WhatIfAnswer["credits"][number]),
});

test.each<[WhatIfAnswer, string]>([
  [answer([["USD", "1250.00"]]), "This deal would bring you $1,250.00."],
  [answer([["USD", "1250.00"], ["EUR", "0.00"], ["points", "3"]]), "This deal would bring you $1,250.00 and 3 points."],
  [answer([["USD", "-10.00"]]), "This deal would change your pay by -$10.00."],
  [answer([["USD", "10.00"], ["EUR", "-3.00"]]), "This deal would bring you $10.00 and -€3.00."],
  [answer([["USD", "0.00"]]), "This deal would be credited to you, and your pay would stay as it is."],
  [answer([], 0), "This deal would bring you nothing."],
])("%j", (one, text) => {
  expect(headline(one)).toBe(text);
});

test("a deal and its address are the same", () => {
  const deal = { amount: "1,000.00", date: "2026-03-01", plan: "sellers", like: "D-7", cells: [{ name: "product", value: "Gauge" }, { name: " ", value: "x" }, { name: "stage", value: "" }] };
  const query = queryOf(deal);
  expect(query).toEqual({ amount: "1000.00", date: "2026-03-01", plan: "sellers", like: "D-7", "with.product": "Gauge" });
  expect(dealOf(new URLSearchParams(query))).toEqual({ ...deal, amount: "1000.00", cells: [deal.cells[0]] });
  expect(requestOf(dealOf(new URLSearchParams(query)))).toEqual({ amount: "1000.00", date: "2026-03-01", plan: "sellers", like: "D-7", columns: { product: "Gauge" } });
});

test.each([["", null], ["a lot", null], ["5", { amount: "5" }]])("the amount “%s” is asked as %j", (amount, request) => {
  expect(requestOf({ amount, date: "", plan: "", like: "", cells: [] })).toEqual(request);
});

test.each<[number | null, number | null, string]>([
  [0, 1, "You come from tier 1 to tier 2."], [1, 1, "You stay in tier 2."], [null, 0, "You stay in tier 1."], [null, null, ""],
])("from tier %s to tier %s", (tier_before, tier_after, text) => {
  expect(tierMove({ tier_before, tier_after } as RewardChange)).toBe(text);
});
