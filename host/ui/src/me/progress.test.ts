import { expect, test } from "vitest";
import type { Schemas } from "../lib/api";
import type { TierProgress } from "./bodies";
import { barOf, goalHistories, goalsOf, mainGoal, nextText, percentText, tierText } from "./progress";

const row = (more: Partial<TierProgress> = {}): TierProgress => ({
  plan: "sellers", plan_name: "Sellers", period: "2026-01", reward: "Commission", team: null, credit_type: "booking",
  credited: "1200.00", credited_unit_type: "USD", quota: "2000.00", attainment: "0.6000", amount: "140.00",
  unit_type: "USD", confirmed: true, kind: "cumulative", to_date: null, has_maximum: false,
  tiers: [{ from: "0.00", up_to: "1000.00", rate: "0.1" }, { from: "1000.00", up_to: "2000.00", rate: "0.2" }, { from: "2000.00", up_to: null, rate: "0.255" }],
  tier: 1, next_tier: { from: "2000.00", rate: "0.255", missing: "800.00" }, ...more,
});
const reward = (more: Partial<Schemas["OwnReward"]> = {}): Schemas["OwnReward"] => ({
  id: "rwd_1", plan: "sellers", period: "2026-01", reward: "Fee", team: null, credit_type: "booking", credited: "3",
  credited_unit_type: "deals", quota: null, attainment: null, amount: "15.00", unit_type: "USD", confirmed: true,
  origin: "calculated", corrects: null, credits: [], payee: "ann", ...more,
});
const goal = (more: Partial<TierProgress> = {}) => goalsOf([row(more)], [])[0]!;

test("a reward is shown once, with its tiers where it has some", () => {
  const rewards = [reward(), reward({ reward: "Commission", credited_unit_type: "USD" }), reward({ reward: "Draw", origin: "draw" })];
  const goals = goalsOf([row()], rewards);
  expect(goals.map((one) => [one.planName, one.reward, one.tiers.length])).toEqual([["Sellers", "Commission", 3], ["Sellers", "Fee", 0]]);
});

test.each<[Partial<TierProgress>, string, string]>([
  [{}, "Tier 2 of 3: 20% of what is above $1,000.00.", "$800.00 more takes you to the tier of 25.5%."],
  [{ tier: 0 }, "Tier 1 of 3: 10%.", "$800.00 more takes you to the tier of 25.5%."],
  [{ kind: "retroactive" }, "Tier 2 of 3: 20% of everything.", "$800.00 more takes you to the tier of 25.5%."],
  [{ tier: 2, next_tier: null }, "Tier 3 of 3: 25.5% of what is above $2,000.00.", "This is the highest tier."],
  [{ tiers: [{ from: "0", up_to: null, rate: "1" }], tier: 0, next_tier: null }, "One rate for all of it: 100%.", ""],
  // Credits in another unit than the pay have a price, and no share.
  [{ tiers: [{ from: "0", up_to: null, rate: "5" }], tier: 0, next_tier: null, credited_unit_type: "deals" }, "One rate for all of it: $5.00 per unit of deals.", ""],
  // The rules of the release are not known any more.
  [{ tiers: [], tier: null, next_tier: null, kind: null }, "", ""],
])("%j is told in sentences", (more, tier, next) => {
  expect([tierText(goal(more)), nextText(goal(more))]).toEqual([tier, next]);
});

test.each<[Partial<TierProgress>, number | null, number[]]>([
  [{}, 60, [50, 100]],
  [{ credited: "-5.00" }, 0, [50, 100]],
  [{ quota: null }, 60, [50, 100]],
  [{ quota: "0.00" }, 60, [50, 100]],
  [{ quota: "4000.00" }, 30, [25, 50]],
  [{ quota: null, tiers: [{ from: "0", up_to: null, rate: "1" }] }, null, []],
])("the bar of %j", (more, percent, marks) => {
  const bar = barOf(goal(more));
  expect([bar?.percent ?? null, bar?.marks.map((mark) => mark.percent) ?? []]).toEqual([percent, marks]);
});

test("a rate has all its digits", () => {
  expect(["0.05", "0.0025", "1", "0.123456"].map(percentText)).toEqual(["5%", "0.25%", "100%", "12.3456%"]);
});

test("a chart has a place for each period, with nothing where nothing is published", () => {
  const goals = goalsOf([row(), row({ period: "2026-03", credited: "5.00" }), row({ reward: "Fee", quota: null })], []);
  expect(goalHistories(goals, ["2026-01", "2026-02", "2026-03"])).toEqual([
    { name: "Sellers, Commission", unit: "USD", credited: ["1200.00", null, "5.00"], quota: ["2000.00", null, "2000.00"] },
  ]);
});

test("the largest quota is the main one", () => {
  const goals = goalsOf([row({ reward: "Small", quota: "90" }), row({ reward: "Big", quota: "1000" }), row({ reward: "None", quota: null })], []);
  expect(mainGoal(goals)?.reward).toBe("Big");
  expect(mainGoal([])).toBeUndefined();
});
